//! The verdict on candidates of rules with a pattern: checksum, placeholders, references.

use crate::finding::Confidence;
use crate::matcher::checksum;
use crate::rules::Rule;

use super::Judgement;

/// Weighs a secret that a rule's pattern matched. `before` and `after` are what stands around it.
pub fn judge(rule: &Rule, secret: &[u8]) -> Judgement {
    let mut confidence = rule.confidence;
    let mut reasons = Vec::new();
    if !rule.checksum.is_empty() {
        match checksum::verify(&rule.checksum, secret) {
            Some(true) => {
                confidence = Confidence::High;
                reasons.push("checksum-valid");
            }
            Some(false) => {
                confidence = confidence.min(Confidence::Low);
                reasons.push("checksum-wrong");
            }
            None => {}
        }
    }
    Judgement { confidence: Some(confidence), reasons }
}
