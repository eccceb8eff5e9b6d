//! Values that stand for a secret and are none: words that everybody writes, masks, runs, sequences.

mod identifier;
mod repetition;
mod words;

pub use identifier::is_identifier;
use repetition::{has_repeats, has_sequence};
pub(crate) use repetition::{is_repeated, is_sequence};
use words::{has_example_word, only_words};

/// Why a value is a placeholder; None if nothing says so. The reason is a short stable name.
pub fn placeholder(value: &[u8]) -> Option<&'static str> {
    as_a_whole(value).or_else(|| in_part(value))
}

/// Why a part of a value, or what is left behind its first marks, was never drawn at random.
fn in_part(value: &[u8]) -> Option<&'static str> {
    if has_repeats(value) {
        return Some("repeated");
    }
    has_sequence(value).then_some("sequence")
}

/// Why a value as a whole is a placeholder. For rules of which nobody knows what their values begin with.
pub fn as_a_whole(value: &[u8]) -> Option<&'static str> {
    if value.is_empty() {
        return Some("empty");
    }
    if value.starts_with(b"<") && value.ends_with(b">")
        || value.starts_with(b"[") && value.ends_with(b"]")
        || value.starts_with(b"&lt;")
    {
        return Some("in-brackets");
    }
    if is_mask(value) || !String::from_utf8_lossy(value).chars().any(char::is_alphanumeric) {
        return Some("masked");
    }
    if has_example_word(value) {
        return Some("example-word");
    }
    if is_repeated(value) {
        return Some("repeated");
    }
    if is_sequence(value) {
        return Some("sequence");
    }
    if only_words(value) {
        return Some("placeholder-words");
    }
    None
}

/// `****`, `xxxx`, `....`, `XXXX-XXXX`, a mask with a few letters left of it.
fn is_mask(value: &[u8]) -> bool {
    let masks =
        value.iter().filter(|&&b| matches!(b, b'x' | b'X' | b'*' | b'.' | b'-' | b'?' | b'_' | b'#')).count();
    let stars = value.iter().filter(|&&b| b == b'*').count();
    let has = |mark: &str| memchr::memmem::find(value, mark.as_bytes()).is_some();
    let bullets = !value.is_ascii() && (has("\u{2022}") || has("\u{2026}"));
    let run = longest_run(value, |b| matches!(b, b'x' | b'X' | b'*' | b'.' | b'?' | b'#' | b'_'));
    // Left out in the middle: `Lou...bzg==`.
    let elided = has("...") && value.starts_with(b".") == value.ends_with(b".");
    masks == value.len() || elided || stars >= 3 || bullets || run >= 5 || value.ends_with(b"...")
}

/// Longest run of equal bytes that `of` accepts.
fn longest_run(value: &[u8], of: impl Fn(u8) -> bool) -> usize {
    let (mut best, mut run, mut last) = (0, 0, 0);
    for &b in value {
        run = if b == last && of(b) { run + 1 } else { usize::from(of(b)) };
        best = best.max(run);
        last = b;
    }
    best
}
