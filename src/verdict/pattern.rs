//! The verdict on candidates of rules with a pattern: checksum, placeholders, references.

use super::filekind::{FileKind, Language, Role};
use super::{Judgement, features, placeholder, reference};
use crate::finding::{Category, Confidence};
use crate::matcher::checksum;
use crate::rules::rule::Context;
use crate::rules::{Others, Rule};

/// Tag of rules whose secrets whoever writes a test can make himself: keys of a framework, hashes of passwords.
/// No provider issued them, so in tests and their data they open nothing.
const SELF_MADE_TAG: &str = "self-made";
/// Tag of rules whose secrets expire by themselves within hours: those in recordings of a test have.
const SHORT_LIVED_TAG: &str = "short-lived";
/// Tag of rules that find what stands in files which hold nothing but credentials: there, a word is one too.
const ANY_VALUE_TAG: &str = "any-value";

/// Reasons that say what the place says, whichever rule found the value.
pub const SETTLED: [&str; 3] = ["made-for-a-test", "made-for-an-example", "expired"];

/// Least length of what is taken as a key of another shape than the documented one, in bytes. Of shorter values drawn at
/// random too many read like words.
const LEAST_SOLID: usize = 20;

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
    let reason = match file.role {
        Role::Test | Role::UnitTest if tagged(SELF_MADE_TAG) => Some("made-for-a-test"),
        // What connects to a server there connects to one that the test starts.
        Role::UnitTest if rule.category == Category::ConnectionString => Some("made-for-a-test"),
        Role::Example if tagged(SELF_MADE_TAG) => Some("made-for-an-example"),
        Role::Test | Role::UnitTest | Role::Example if tagged(SHORT_LIVED_TAG) => Some("expired"),
        _ => None,
    };
    if let Some(reason) = reason {
        judgement.confidence = judgement.confidence.map(|_| Confidence::Low);
        judgement.reasons.push(reason);
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
    let whole = if secret.starts_with(b"$") { own } else { secret };
    if let Some(reason) = reference::reference(whole, b"", b"") {
        return Judgement { confidence: None, reasons: vec![reason] };
    }
    let is_plain = || secret.len() >= LEAST_SOLID && secret.iter().all(u8::is_ascii_alphanumeric);
    let may_be_name = |context: &Context| match context.others {
        Others::Any => true,
        // One run of letters and digits, if not the shape that is documented.
        Others::Solid => context.value.is_empty() || is_plain(),
        Others::None => context.value.is_empty(),
    };
    if rule.context.as_ref().is_some_and(may_be_name) && placeholder::is_identifier(secret) {
        return Judgement { confidence: None, reasons: vec!["identifier"] };
    }
    // What a context rule takes was drawn at random from its first byte on, as what follows a prefix was.
    let drawn = rule.prefix > 0 || rule.context.is_some();
    let stands_for = if drawn { placeholder::placeholder(own) } else { placeholder::as_a_whole(own) };
    let stands_for = stands_for.or_else(|| features::is_placeholder_pair(secret).then_some("placeholder"));
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
