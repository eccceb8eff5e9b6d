//! The verdict on candidates of rules with a pattern: checksum, placeholders, references.

use super::filekind::{FileKind, Language, Role};
use super::{Judgement, placeholder, reference};
use crate::finding::{Category, Confidence};
use crate::matcher::checksum;
use crate::rules::Rule;

/// Tag of rules whose secrets whoever writes a test can make himself: keys of a framework, hashes of passwords.
/// No provider issued them, so in tests and their data they open nothing.
const SELF_MADE_TAG: &str = "self-made";
/// Tag of rules that find what stands in files which hold nothing but credentials: there, a word is one too.
const ANY_VALUE_TAG: &str = "any-value";

/// Shorter keys of RSA keep nothing secret: moduli of 768 bits have been factored in public (RSA-768, 2009).
const LEAST_RSA_BITS: usize = 1024;

/// Weighs a secret that a rule's pattern matched in a file of this kind.
///
/// A right checksum outweighs everything: no placeholder has one. A wrong one lowers the confidence,
/// and so does a value that stands for a secret; a mere reference to one is dropped.
pub fn judge(rule: &Rule, secret: &[u8], file: FileKind) -> Judgement {
    let tagged = |name: &str| rule.tags.iter().any(|tag| tag == name);
    let in_use = matches!(file.role, Role::Plain | Role::Vendored) && file.language != Language::Prose;
    let mut judgement = judge_value(rule, secret, in_use && tagged(ANY_VALUE_TAG));
    let made = match file.role {
        Role::Test => tagged(SELF_MADE_TAG),
        // What connects to a server there connects to one that the test starts.
        Role::UnitTest => tagged(SELF_MADE_TAG) || rule.category == Category::ConnectionString,
        _ => false,
    };
    if made {
        judgement.confidence = judgement.confidence.map(|_| Confidence::Low);
        judgement.reasons.push("made-for-a-test");
    }
    judgement
}

/// The verdict without the file; `any` when words that stand for a secret elsewhere are one here.
fn judge_value(rule: &Rule, secret: &[u8], any: bool) -> Judgement {
    let mut reasons = Vec::new();
    let mut confidence = rule.confidence;
    if rule.checksum == "private-key" && checksum::rsa_bits(secret).is_some_and(|bits| bits < LEAST_RSA_BITS)
    {
        return Judgement { confidence: Some(Confidence::Low), reasons: vec!["key-too-short"] };
    }
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
    if rule.context.as_ref().is_some_and(|context| context.loose || context.value.is_empty())
        && placeholder::is_identifier(secret)
    {
        return Judgement { confidence: None, reasons: vec!["identifier"] };
    }
    let stands_for =
        if rule.prefix > 0 { placeholder::placeholder(own) } else { placeholder::as_a_whole(own) };
    if let Some(reason) = stands_for {
        if !(any && matches!(reason, "example-word" | "placeholder-words" | "sequence")) {
            confidence = Confidence::Low;
        }
        reasons.push(reason);
    } else if rule.prefix > 0 {
        reasons.push("known-prefix");
    }
    Judgement { confidence: Some(confidence), reasons }
}
