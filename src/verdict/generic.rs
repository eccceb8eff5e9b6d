//! The verdict on candidates of the generic detector.

use crate::finding::Confidence;
use crate::matcher::generic::words::{Group, bit};
use crate::matcher::generic::{Evidence, Flags, Kind, Quote, Syntax, Wrapper, class};

use super::filekind::{FileKind, Language, Role};
use super::{features, model, placeholder, reasons, reference};

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
        Judgement {
            confidence: None,
            reasons: vec![reason],
        }
    }
}

/// Weighs a candidate: what it is called, how it is written, where it stands.
pub fn judge(kind: Kind, value: &[u8], evidence: &Evidence, file: FileKind) -> Judgement {
    if let Some(reason) = never(value, evidence, file) {
        return Judgement::drop(reason);
    }
    let vector = features::vector(kind, value, evidence, file);
    let score = model::score(&vector);
    let levels = model::levels();
    let confidence = match score.max(floor(kind, value, evidence, score, levels)) {
        s if s >= levels.high => Some(Confidence::High),
        s if s >= levels.medium => Some(Confidence::Medium),
        s if s >= levels.low => Some(Confidence::Low),
        _ => None,
    };
    let (confidence, cap) = capped(kind, value, evidence, file, confidence);
    let mut reasons = reasons::of(value, &vector, score, confidence.is_some());
    reasons.splice(0..0, cap);
    Judgement {
        confidence,
        reasons,
    }
}

/// Statements and commands that take nothing but a password: too rare in the training data for the
/// trees to know them, and plain to read. A literal that is no placeholder is one.
fn floor(kind: Kind, value: &[u8], e: &Evidence, score: i32, levels: model::Levels) -> i32 {
    let plain = matches!(kind, Kind::SqlPassword | Kind::CliPassword) && score > -4 * model::SCALE;
    let plain =
        plain && (e.quote != Quote::None || kind == Kind::CliPassword || score > -2 * model::SCALE);
    if plain && placeholder::placeholder(value).is_none() {
        levels.medium
    } else {
        i32::MIN
    }
}

/// What keeps a finding at low confidence however well its value looks.
fn capped(
    kind: Kind,
    value: &[u8],
    e: &Evidence,
    file: FileKind,
    confidence: Option<Confidence>,
) -> (Option<Confidence>, Option<&'static str>) {
    let constant = value.len() <= 20 && value.iter().all(|&b| b.is_ascii_uppercase() || b == b'_');
    let word = e.quote == Quote::None && value.iter().all(|&b| b.is_ascii_lowercase() || b == b'_');
    let csrf = e.name & bit(Group::Csrf) != 0 && kind != Kind::Password;
    let build = e.name & bit(Group::Build) != 0 && matches!(kind, Kind::ApiKey | Kind::Token);
    let reason = match () {
        () if file.role == Role::UnitTest => "unit-test",
        () if constant && kind != Kind::Password => "constant",
        () if word && e.syntax == Syntax::Prose => "word-in-prose",
        () if word && e.name & bit(Group::Reset) != 0 => "choice-of-a-setting",
        () if csrf => "csrf-token",
        () if matches!(
            placeholder::placeholder(value),
            Some("example-word" | "repeated" | "sequence")
        ) =>
        {
            "placeholder"
        }
        () if e.head
            & (bit(Group::Path)
                | bit(Group::Name)
                | bit(Group::Bool)
                | bit(Group::Agent)
                | bit(Group::Measure))
            != 0
            && is_keyed(e.syntax) =>
        {
            "name-of-something-else"
        }
        () if e.name & bit(Group::Public) != 0 && kind == Kind::ApiKey => "public-key",
        () if e.syntax == Syntax::Pair
            && e.quote != Quote::None
            && !has_digit(value)
            && kind != Kind::Password =>
        {
            "list-of-words"
        }
        () if build => "key-of-a-package",
        () => return (confidence, None),
    };
    match confidence {
        Some(c) if c > Confidence::Low => (Some(Confidence::Low), Some(reason)),
        other => (other, None),
    }
}

/// Why a candidate is not worth weighing: it only says where the secret is, or stands where none is kept.
pub fn never(value: &[u8], evidence: &Evidence, file: FileKind) -> Option<&'static str> {
    if let Some(reason) = reference::of_value(value) {
        return Some(reason);
    }
    if evidence.wrapper == Wrapper::Reference && !evidence.flags.has(Flags::FALLBACK) {
        return Some("looked-up");
    }
    if matches!(file.role, Role::Generated | Role::Translation) {
        return Some("generated-or-translated-file");
    }
    if matches!(evidence.wrapper, Wrapper::Call | Wrapper::Label) && evidence.next == class(b',') {
        return Some("argument-of-a-call");
    }
    if ["bearer", "basic", "token", "digest"]
        .iter()
        .any(|scheme| value.eq_ignore_ascii_case(scheme.as_bytes()))
    {
        return Some("authentication-scheme");
    }
    if is_identifier_in_code(value, evidence, file) {
        return Some("identifier");
    }
    if evidence.quote == Quote::None
        && evidence.flags.has(Flags::SAYS_NAME)
        && is_code(file.language)
        && is_keyed(evidence.syntax)
    {
        return Some("variable-of-that-name");
    }
    match placeholder::placeholder(value) {
        Some(reason @ ("masked" | "in-brackets" | "empty")) => Some(reason),
        _ => None,
    }
}

/// Whether a bare word stands where the language has an expression: `password = other_password`.
///
/// Go is left out: its raw strings hold configuration files, line by line.
fn is_identifier_in_code(value: &[u8], e: &Evidence, file: FileKind) -> bool {
    let code = is_code(file.language) && file.language != Language::Go;
    let bare = e.quote == Quote::None
        && !e.flags.has(Flags::INSIDE)
        && !e.flags.has(Flags::COMMENT)
        && !e.flags.has(Flags::BLOCK);
    code && bare
        && e.syntax == Syntax::Assign
        && e.flags.has(Flags::SPACED)
        && !has_digit(value)
        && value
            .iter()
            .all(|&b| b.is_ascii_alphanumeric() || b"_.?!@".contains(&b))
}

/// Languages in which a bare word is an identifier.
fn is_code(language: Language) -> bool {
    use Language::*;
    matches!(
        language,
        Code | Script | Ruby | Python | Go | Php | Jvm | CFamily
    )
}

/// Whether the candidate began with a name.
fn is_keyed(syntax: Syntax) -> bool {
    !matches!(
        syntax,
        Syntax::Url | Syntax::Header | Syntax::Sql | Syntax::Jwk
    )
}

fn has_digit(value: &[u8]) -> bool {
    value.iter().any(u8::is_ascii_digit)
}
