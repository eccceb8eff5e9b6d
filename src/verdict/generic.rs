//! The verdict on candidates of the generic detector.

use crate::finding::Confidence;
use crate::matcher::generic::words::Group;
use crate::matcher::generic::{Evidence, Flags, Kind, Syntax, Wrapper};

use super::features::{basic_pair, flag, has, is_quoted};
use super::filekind::{FileKind, Language, Role};
use super::{placeholder, reference};

/// What was decided, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// How sure it is that the value is a secret; None when it is not to be reported.
    pub confidence: Option<Confidence>,
    /// Named reasons: what spoke for it and against it, the weightiest first.
    pub reasons: Vec<&'static str>,
}

impl Judgement {
    fn drop(reason: &'static str) -> Self {
        Judgement { confidence: None, reasons: vec![reason] }
    }
}

/// Weighs a candidate: what it is called, how it is written, where it stands.
pub fn judge(kind: Kind, value: &[u8], evidence: &Evidence, file: FileKind) -> Judgement {
    if let Some(reason) = never(kind, value, evidence, file) {
        return Judgement::drop(reason);
    }
    let confidence = if is_quoted(evidence) || matches!(evidence.syntax, Syntax::Url | Syntax::Header | Syntax::Sql | Syntax::Jwk) {
        Confidence::Medium
    } else {
        Confidence::Low
    };
    Judgement { confidence: Some(confidence), reasons: vec!["named-credential"] }
}

/// Why a candidate is not worth weighing.
pub(crate) fn never(kind: Kind, value: &[u8], e: &Evidence, file: FileKind) -> Option<&'static str> {
    if let Some(reason) = reference::of_value(value) {
        return Some(reason);
    }
    if e.wrapper == Wrapper::Reference && !flag(e, Flags::FALLBACK) {
        return Some("looked-up");
    }
    if matches!(file.role, Role::Generated | Role::Translation) {
        return Some("generated-or-translated");
    }
    if kind == Kind::BasicAuth && !basic_pair(value) {
        return None;
    }
    if !is_quoted(e) && e.syntax == Syntax::Colon && matches!(file.language, Language::Go | Language::Jvm | Language::Python) && has(e.line, Group::Agent) {
        return Some("code");
    }
    placeholder::placeholder(value)
}
