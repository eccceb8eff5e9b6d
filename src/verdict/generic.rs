//! The verdict on candidates of the generic detector.

use crate::finding::Confidence;
use crate::matcher::generic::words::{Group, bit};
use crate::matcher::generic::{Evidence, Flags, Kind, Quote, Syntax, Wrapper, class, marks};

use super::filekind::{FileKind, Language, Role};
use super::model::{self, Model, Vector};
use super::{features, placeholder, reasons, reference};

/// What was decided, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// How sure it is that the value is a secret; None when it is not to be reported.
    pub confidence: Option<Confidence>,
    /// Named reasons: what limits the confidence, then what spoke for it, then against it.
    pub reasons: Vec<&'static str>,
}

impl Judgement {
    fn drop(reason: &'static str) -> Self {
        Judgement { confidence: None, reasons: vec![reason] }
    }
}

/// Weighs a candidate: what it is called, how it is written, where it stands.
pub fn judge(kind: Kind, value: &[u8], evidence: &Evidence, file: FileKind) -> Judgement {
    judge_by(Model::built_in(), kind, value, evidence, file)
}

/// The confidence that [`judge`] comes to, without the reasons.
pub fn confidence(kind: Kind, value: &[u8], evidence: &Evidence, file: FileKind) -> Option<Confidence> {
    weigh(Model::built_in(), kind, value, evidence, file).ok().map(|weighed| weighed.confidence)
}

/// [`judge`] with other trees: to measure what trees say of projects that they have not seen.
pub fn judge_by(model: &Model, kind: Kind, value: &[u8], evidence: &Evidence, file: FileKind) -> Judgement {
    match weigh(model, kind, value, evidence, file) {
        Err(reason) => Judgement::drop(reason),
        Ok(Weighed { confidence, vector, cap, placeholder }) => {
            let reasons = cap.into_iter().chain(placeholder).chain(reasons::of(model, &vector)).collect();
            Judgement { confidence: Some(confidence), reasons }
        }
    }
}

/// A candidate that is worth reporting, and what its reasons are made of.
struct Weighed {
    confidence: Confidence,
    vector: Vector,
    cap: Option<&'static str>,
    placeholder: Option<&'static str>,
}

/// Weighs a candidate.
///
/// # Errors
/// The reason why it is not to be reported.
fn weigh(
    model: &Model,
    kind: Kind,
    value: &[u8],
    evidence: &Evidence,
    file: FileKind,
) -> Result<Weighed, &'static str> {
    if let Some(reason) = holds_none(value, evidence, file) {
        return Err(reason);
    }
    let placeholder = placeholder::placeholder(value);
    if let Some(reason) = placeholder.filter(is_mask) {
        return Err(reason);
    }
    let vector = features::vector(kind, value, evidence, file, placeholder);
    if placeholder.is_none() && is_of_odd_marks(kind, value, evidence, file) {
        let cap = Some("marks-of-no-notation");
        return Ok(Weighed { confidence: Confidence::Medium, vector, cap, placeholder });
    }
    let place = matches!(kind, Kind::SqlPassword | Kind::CliPassword) || evidence.syntax == Syntax::Argument;
    // Whoever writes words with a digit and a mark into a statement obeys the rules for passwords: it is one.
    let obeys = placeholder == Some("placeholder-words") && features::classes(value) >= 3;
    let plain = place && (placeholder.is_none() || obeys);
    let granted = allowance(evidence, placeholder);
    if !plain && granted <= 0 && !model.passes_gate(&vector) {
        return Err(placeholder.unwrap_or("unlikely"));
    }
    let levels = model.levels();
    let edges = [levels.low, levels.medium, levels.high, BARE_STATEMENT + 1, PLAIN_STATEMENT + 1];
    // What no statement is has three edges only.
    let edges = edges.map(|edge| edge - granted);
    let mut score = model.side(&vector, &edges[..if plain { 5 } else { 3 }]) + granted;
    if plain && is_statement(kind, value, evidence, file, score) {
        score = score.max(levels.medium);
    }
    let confidence = match score {
        s if s >= levels.high => Confidence::High,
        s if s >= levels.medium => Confidence::Medium,
        s if s >= levels.low => Confidence::Low,
        _ => return Err(placeholder.unwrap_or("unlikely")),
    };
    let cap = cap(kind, value, evidence, file, placeholder).filter(|_| confidence > Confidence::Low);
    // Of two dozen of them on projects that the trees had not seen, none was a secret.
    if cap == Some(DIGEST) {
        return Err(DIGEST);
    }
    let confidence = if cap.is_some() { Confidence::Low } else { confidence };
    Ok(Weighed { confidence, vector, cap, placeholder })
}

/// Whether what is called a secret holds marks that no notation explains. The training data has too few
/// of them for the trees, to which so many marks are code; where there is code, only a literal is none.
fn is_of_odd_marks(kind: Kind, value: &[u8], e: &Evidence, file: FileKind) -> bool {
    (e.quote != Quote::None || !is_code(file.language) && file.language != Language::Markup)
        && is_keyed(e.syntax)
        && marks::of_no_syntax(value)
        && matches!(cap(kind, value, e, file, None), None | Some(FOREIGN))
}

/// What syntaxes are granted that the training data hardly has (XML, connection strings), or that say
/// more than the trees learnt from few projects: credentials in a URL, members of private keys.
fn allowance(e: &Evidence, placeholder: Option<&str>) -> i32 {
    match e.syntax {
        _ if placeholder.is_some() => 0,
        Syntax::Element | Syntax::Indirect => model::SCALE,
        Syntax::Connection => 2 * model::SCALE,
        Syntax::Url | Syntax::Jwk => model::SCALE * 6 / 10,
        _ => 0,
    }
}

/// Statements and commands that take nothing but a password: too rare in the training data for the
/// trees to know them, and plain to read. A literal there that is no placeholder is one.
fn is_statement(kind: Kind, value: &[u8], e: &Evidence, file: FileKind, score: i32) -> bool {
    // "the --password option is": words.
    let told = e.flags.has(Flags::MORE) || is_code(file.language);
    let prose = e.quote == Quote::None && told && value.iter().all(u8::is_ascii_lowercase);
    // `["-passwd", "/Users/%s" % name]`: other arguments of the command.
    let other = value.starts_with(b"/") || value.ends_with(b"%s");
    let plain = e.syntax != Syntax::Argument && (e.quote != Quote::None || kind == Kind::CliPassword);
    !prose && !other && score > if plain { PLAIN_STATEMENT } else { BARE_STATEMENT }
}

/// A statement with a better score than this counts: in quotes, or of a command.
const PLAIN_STATEMENT: i32 = -4 * model::SCALE;
/// The same for others.
const BARE_STATEMENT: i32 = -2 * model::SCALE;

/// Why a candidate is not worth weighing: it only says where the secret is, or stands where none is kept.
pub fn never(value: &[u8], e: &Evidence, file: FileKind) -> Option<&'static str> {
    holds_none(value, e, file).or_else(|| placeholder::placeholder(value).filter(is_mask))
}

/// Whether a placeholder's reason says that there is nothing to see.
fn is_mask(reason: &&'static str) -> bool {
    matches!(*reason, "masked" | "in-brackets" | "empty")
}

/// [`never`] without a look at placeholders.
fn holds_none(value: &[u8], e: &Evidence, file: FileKind) -> Option<&'static str> {
    if let Some(reason) = reference::of_value(value) {
        return Some(reason);
    }
    if e.wrapper == Wrapper::Reference && !e.flags.has(Flags::FALLBACK) {
        return Some("looked-up");
    }
    if matches!(file.role, Role::Generated | Role::Translation) {
        return Some("generated-or-translated-file");
    }
    if matches!(e.wrapper, Wrapper::Call | Wrapper::Label) && e.next == class(b',') {
        return Some("argument-of-a-call");
    }
    if ["bearer", "basic", "token", "digest"]
        .iter()
        .any(|scheme| value.eq_ignore_ascii_case(scheme.as_bytes()))
    {
        return Some("authentication-scheme");
    }
    if is_identifier_in_code(value, e, file) {
        return Some("identifier");
    }
    // What C and its kin put between these quotes is one character.
    let inside = e.flags.has(Flags::INSIDE) || e.flags.has(Flags::COMMENT);
    if e.quote == Quote::Single && file.language == Language::CFamily && value.len() > 4 && !inside {
        return Some("no-literal-of-the-language");
    }
    if is_charset(value) {
        return Some("name-of-an-encoding");
    }
    // What is in PEM armour is for the rules that read it: most is certificates.
    if value.starts_with(ARMOUR_IN_BASE64) {
        return Some("armour-in-base64");
    }
    // `password_hash`, `encrypted_token`: what is stored in place of the secret.
    if names_digest(e) && e.name & NAMES_KEY == 0 {
        return Some(DIGEST);
    }
    if e.quote == Quote::None && e.flags.has(Flags::SAYS_NAME) && is_code(file.language) && is_keyed(e.syntax)
    {
        return Some("variable-of-that-name");
    }
    None
}

/// How the base64 of `-----BEGIN ` begins.
const ARMOUR_IN_BASE64: &[u8] = b"LS0tLS1CRUdJTi";

/// The reason against what no service puts into a key.
const FOREIGN: &str = "characters-of-no-token";
/// The reason against what is stored in place of a secret.
const DIGEST: &str = "digest-or-ciphertext";
/// Groups of names of keys: `hmac_sha256_key` is one, whatever it makes.
const NAMES_KEY: u64 = bit(Group::Key) | bit(Group::ApiKey) | bit(Group::Secret);

/// Whether the name says that the value was made from a secret: `password_hash`, `encrypted_token`.
fn names_digest(e: &Evidence) -> bool {
    is_keyed(e.syntax) && e.name & bit(Group::Digest) != 0
}

/// What keeps a finding at low confidence however well its value looks.
fn cap(
    kind: Kind,
    value: &[u8],
    e: &Evidence,
    file: FileKind,
    placeholder: Option<&str>,
) -> Option<&'static str> {
    let name = |groups: &[Group], set: u64| groups.iter().any(|&g| set & bit(g) != 0);
    let word = e.quote == Quote::None && value.iter().all(|&b| b.is_ascii_lowercase() || b == b'_');
    if file.role == Role::UnitTest {
        return Some("unit-test");
    }
    if matches!(placeholder, Some("example-word" | "repeated" | "sequence")) {
        return Some("placeholder");
    }
    if word && matches!(e.syntax, Syntax::Prose | Syntax::Cell) {
        return Some("word-in-prose");
    }
    if word && name(&[Group::Reset], e.name) {
        return Some("choice-of-a-setting");
    }
    if is_keyed(e.syntax)
        && name(&[Group::Path, Group::Name, Group::Bool, Group::Agent, Group::Measure, Group::Test], e.head)
    {
        return Some("name-of-something-else");
    }
    if names_digest(e) {
        return Some(DIGEST);
    }
    if word && e.flags.has(Flags::INSIDE) && is_code(file.language) && is_list_item(e) {
        return Some("list-of-words");
    }
    if kind == Kind::Password {
        return None;
    }
    if kind == Kind::BasicAuth {
        return match features::pair_class(value) {
            0 if !has_digit(value) && !value.ends_with(b"=") => Some("no-user-and-password"),
            0 if features::is_word_in_base64(value) => Some("no-user-and-password"),
            1 => Some("placeholder"),
            _ => None,
        };
    }
    if features::is_placeholder_pair(value) {
        return Some("placeholder");
    }
    if value.len() <= 20 && is_constant(value) {
        return Some("constant");
    }
    if matches!(kind, Kind::ApiKey | Kind::Token) && is_foreign_to_tokens(value) {
        return Some(FOREIGN);
    }
    // `CLIENT_AUTH=required`: what is authenticated, not with what.
    let names_one = [Group::Token, Group::Secret, Group::Key, Group::ApiKey, Group::Credential];
    if word && matches!(kind, Kind::Token | Kind::ApiKey) && !name(&names_one, e.name) {
        return Some("choice-of-a-setting");
    }
    if kind == Kind::SessionCookie && features::is_uuid(value) {
        return Some("identifier");
    }
    // A captcha has a secret of its own.
    if name(&[Group::Csrf], e.name) && !name(&[Group::Secret], e.name) {
        return Some("csrf-token");
    }
    if matches!(kind, Kind::ApiKey | Kind::Token) && name(&[Group::Build], e.name) {
        return Some("key-of-a-package");
    }
    if kind == Kind::ApiKey && name(&[Group::Public], e.name) {
        return Some("public-key");
    }
    if value.iter().filter(|&&b| b == b'\\').count() >= 2
        && value.iter().all(|b| b.is_ascii_alphanumeric() || b"\\_. ".contains(b))
    {
        return Some("path");
    }
    if e.syntax == Syntax::Pair && kind != Kind::CliPassword && !has_digit(value) {
        return Some("list-of-words");
    }
    None
}

/// Whether a bare word stands where the language has an expression: `password = other_password`, `token: Token,`,
/// `PASS: u64 = 1 << 4`.
///
/// In Go only what is a name for sure: its raw strings hold configuration files, line by line.
fn is_identifier_in_code(value: &[u8], e: &Evidence, file: FileKind) -> bool {
    let bare = e.quote == Quote::None
        && !e.flags.has(Flags::INSIDE)
        && (!e.flags.has(Flags::COMMENT) || is_number(value))
        && !e.flags.has(Flags::BLOCK)
        && !e.flags.has(Flags::FALLBACK);
    if !bare || !is_code(file.language) {
        return false;
    }
    if file.language == Language::Go {
        return is_name_in_go(value);
    }
    let word = |b: &u8| b.is_ascii_alphanumeric() || b"_.?!@:".contains(b);
    let closed = [b',', b')', b';', b'}'].iter().any(|&b| e.next == class(b));
    let placed = match e.syntax {
        Syntax::Assign => e.flags.has(Flags::SPACED) || closed,
        Syntax::Colon => closed,
        _ => false,
    };
    // A line of a configuration file in a long literal can be `key = word1`; `a.b1.c` and `0x1f` are no such.
    let expression = !has_digit(value) || closed || is_path_of_names(value) || is_number(value);
    placed && expression && value.iter().all(word)
}

/// `package.Name`, and long names of words of which each begins with a capital letter (`oidExtKeyUsageRecovery21`): a
/// password of words is shorter.
fn is_name_in_go(value: &[u8]) -> bool {
    const LEAST_NAME: usize = 24;
    let exported = |at: usize| value.get(at + 1).is_some_and(u8::is_ascii_uppercase);
    let names = value.iter().all(|&b| b.is_ascii_alphanumeric() || b == b'.');
    names
        && match memchr::memchr(b'.', value) {
            Some(dot) => {
                exported(dot) && !value[..dot].iter().any(u8::is_ascii_uppercase) && is_path_of_names(value)
            }
            None => value.len() >= LEAST_NAME && placeholder::is_identifier(value),
        }
}

/// `utf-8`, `UTF-16BE`, `latin1`, `iso-8859-15`, `cp1252`: what text is encoded in.
fn is_charset(value: &[u8]) -> bool {
    let families = [
        b"utf-".as_slice(),
        b"utf8",
        b"utf16",
        b"utf_",
        b"latin",
        b"iso-8859-",
        b"ascii",
        b"us-ascii",
        b"cp12",
    ];
    let head =
        |family: &&[u8]| value.get(..family.len()).is_some_and(|head| head.eq_ignore_ascii_case(family));
    families.iter().find(|family| head(family)).is_some_and(|family| value.len() <= family.len() + 4)
}

/// `a.b.c1`: names, joined by dots.
fn is_path_of_names(value: &[u8]) -> bool {
    value.contains(&b'.')
        && value.split(|&b| b == b'.').all(|part| {
            part.first().is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_') && part.len() <= 40
        })
}

/// A number as code writes it: digits, `0x…`, with a suffix for its type.
fn is_number(value: &[u8]) -> bool {
    let digits = value.strip_prefix(b"0x").or_else(|| value.strip_prefix(b"0X"));
    match digits {
        Some(hex) => hex.iter().all(|b| b.is_ascii_hexdigit() || b"_uUlL".contains(b)),
        None => {
            let end = value.iter().position(|b| !(b.is_ascii_digit() || *b == b'_')).unwrap_or(value.len());
            end > 0
                && (end == value.len()
                    || value.len() - end <= 4 && matches!(value[end], b'u' | b'i' | b'U' | b'L'))
        }
    }
}

/// `CLIENT_AUTH`, `RSA_2048`: capitals and underscores; digits only as words of their own.
fn is_constant(value: &[u8]) -> bool {
    let words = || value.split(|&b| b == b'_');
    let all = |part: &[u8], is: fn(&u8) -> bool| part.iter().all(is);
    words().all(|part| all(part, u8::is_ascii_uppercase) || all(part, u8::is_ascii_digit))
        && words().next().is_some_and(|first| all(first, u8::is_ascii_uppercase))
}

/// Whether `name:value` stands as a word of a list: nothing between, closed at once.
fn is_list_item(e: &Evidence) -> bool {
    e.syntax == Syntax::Colon && e.next == class(b'"') && !e.flags.has(Flags::SPACED)
}

/// Whether a value holds what no service puts into a key that people must copy into headers, URLs and shells: marks
/// that need quoting there. Or it is the qualified name of a type: `ns:CamelCaseWords`.
fn is_foreign_to_tokens(value: &[u8]) -> bool {
    let foreign = |b: &u8| b.is_ascii_whitespace() || b"^?()[],".contains(b);
    let local = value.rsplit(|&b| b == b':').next().unwrap_or_default();
    let camels = local.windows(2).filter(|w| w[0].is_ascii_uppercase() && w[1].is_ascii_lowercase()).count();
    let capitals = local.iter().filter(|b| b.is_ascii_uppercase()).count();
    let is_name = local.len() < value.len()
        && local.iter().all(u8::is_ascii_alphabetic)
        && camels >= 3
        && camels == capitals
        && local.len() >= 5 * capitals;
    value.iter().any(foreign) || is_name
}

/// Languages in which a bare word is an identifier.
fn is_code(language: Language) -> bool {
    use Language::{CFamily, Code, Go, Jvm, Php, Python, Ruby, Script};
    matches!(language, Code | Script | Ruby | Python | Go | Php | Jvm | CFamily)
}

/// Whether the candidate began with a name.
fn is_keyed(syntax: Syntax) -> bool {
    !matches!(syntax, Syntax::Url | Syntax::Header | Syntax::Sql | Syntax::Jwk | Syntax::Argument)
}

fn has_digit(value: &[u8]) -> bool {
    value.iter().any(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests;
