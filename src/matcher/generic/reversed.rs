//! Literals that come first: of comparisons (`"…" == password`, `"…".equals(password)`), and what is piped into a command.

use super::cursor::line_before;
use super::evidence::Quote;
use super::value::Value;

/// Bytes before a name in which the literal and the operator stand. With the longest name, and what is looked at before
/// the literal, they are within [`super::REACH_BACK`].
const REACH: usize = super::JWK_REACH;

/// What stands between the literal and the name.
const OPERATORS: [&[u8]; 6] = [b"===", b"!==", b"==", b"!=", b".equals(", b".equalsIgnoreCase("];

/// Whether a comparison can end at `at`, behind a name: a look at one byte, which settles most hits.
pub(super) fn could_end(text: &[u8], at: usize) -> bool {
    text.get(at)
        .is_none_or(|b| b") :;,&|]{?\r\n".contains(b) || *b == b'(' && text.get(at + 1) == Some(&b')'))
}

/// The literal that the name at `start` is compared with, if a comparison ends there.
pub(super) fn literal_before(text: &[u8], start: usize) -> Option<Value> {
    // Nearly all names end this here.
    if !matches!(text.get(start.checked_sub(1)?), Some(b'=' | b'(' | b' ')) {
        return None;
    }
    let line = line_before(text, start, REACH);
    let head = line.trim_ascii_end();
    let rest = OPERATORS.iter().find_map(|operator| head.strip_suffix(*operator))?;
    literal_at_end(rest, start - line.len())
}

/// The literal whose closing quote ends at `end`.
pub(super) fn literal_until(text: &[u8], end: usize) -> Option<Value> {
    let line = line_before(text, end, REACH);
    literal_at_end(line, end - line.len())
}

/// The literal that is piped into the command at `start`: `"…" | command`.
pub(super) fn piped(text: &[u8], start: usize) -> Option<Value> {
    let line = line_before(text, start, REACH);
    literal_at_end(line.trim_ascii_end().strip_suffix(b"|")?, start - line.len())
}

/// The literal at the end of `head`, which begins at `at` in its text.
fn literal_at_end(head: &[u8], at: usize) -> Option<Value> {
    let rest = head.trim_ascii_end();
    let (inside, quote) = match rest {
        [inside @ .., b'"'] => (inside, Quote::Double),
        [inside @ .., b'\''] => (inside, Quote::Single),
        [inside @ .., b'`'] => (inside, Quote::Back),
        _ => return None,
    };
    let mark = rest[inside.len()];
    let open = memchr::memrchr(mark, inside)?;
    let value = &inside[open + 1..];
    let begins =
        open.checked_sub(1).and_then(|at| inside.get(at)).is_none_or(|&b| b"(!&|,= \t?:;".contains(&b));
    let plain = !value.is_empty() && !value.iter().any(|b| b.is_ascii_whitespace() || *b == b'\\');
    let at = at + open + 1;
    (begins && plain).then(|| Value::new(at..at + value.len(), quote))
}

/// How much of `name`, which a parenthesis follows, is the name of what is compared: `password` of
/// `password.equals(`.
pub(super) fn compared(name: &[u8]) -> Option<usize> {
    const METHODS: [&[u8]; 4] = [b".equals", b".Equals", b".equalsIgnoreCase", b".contentEquals"];
    METHODS.iter().find_map(|method| name.strip_suffix(*method)).map(<[u8]>::len)
}
