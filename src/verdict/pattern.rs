//! The verdict on candidates of rules with a pattern: checksum, placeholders, references.

use super::{Judgement, placeholder, reference};
use crate::finding::Confidence;
use crate::matcher::checksum;
use crate::rules::Rule;

/// Weighs a secret that a rule's pattern matched.
///
/// A right checksum outweighs everything: no placeholder has one. A wrong one lowers the confidence,
/// and so does a value that stands for a secret; a mere reference to one is dropped.
pub fn judge(rule: &Rule, secret: &[u8]) -> Judgement {
    let mut reasons = Vec::new();
    let mut confidence = rule.confidence;
    if !rule.checksum.is_empty() {
        match checksum::verify(&rule.checksum, secret) {
            Some(true) => {
                return Judgement { confidence: Some(Confidence::High), reasons: vec!["checksum-valid"] };
            }
            Some(false) => {
                confidence = confidence.min(Confidence::Medium);
                reasons.push("checksum-wrong");
            }
            None => {}
        }
    }
    let own = secret.get(usize::from(rule.prefix)..).unwrap_or_default();
    // A token may begin with what begins a variable elsewhere: `$aact_…`.
    let whole = if rule.prefix > 0 && secret.starts_with(b"$") { own } else { secret };
    if let Some(reason) = reference::reference(whole, b"", b"") {
        return Judgement { confidence: None, reasons: vec![reason] };
    }
    let stands_for =
        if rule.prefix > 0 { placeholder::placeholder(own) } else { placeholder::as_a_whole(own) };
    if let Some(reason) = stands_for {
        confidence = Confidence::Low;
        reasons.push(reason);
    } else if rule.prefix > 0 {
        reasons.push("known-prefix");
    }
    Judgement { confidence: Some(confidence), reasons }
}
