//! Literals in quotes: where they end, and what of them is the value.

use std::ops::Range;

use super::bare::plausible;
use super::cursor::{Cursor, is_word};
use super::evidence::{Flags, Quote, Wrapper};
use super::link::{Link, quote};
use super::value::Value;
use super::words;
use super::{LINK_REACH, VALUE_REACH};
use crate::matcher::work;

/// A literal that names a member of an object: `{"reference": …}`.
pub(super) enum Member {
    /// The object's value: `{"value": …}`. It may begin here.
    Value(usize),
    /// Something else about it.
    Other,
}

/// What the literal that begins at `at` names; None where no `:` or `=>` follows it.
pub(super) fn member_after(text: &[u8], at: usize, q: Quote, escapes: u8) -> Option<Member> {
    let body = Cursor::new(text, at, LINK_REACH);
    let n = closing(body.rest(), q, escapes)?;
    let mut c = Cursor::new(text, at + n + usize::from(escapes) + 1, 24);
    c.blanks();
    if !(c.eat(b"=>") || c.peek() == Some(b':') && c.nth(1) != Some(b':')) {
        return None;
    }
    c.eat(b":");
    let name = body.rest().get(..n).unwrap_or_default();
    let is = |known: &[u8]| name.eq_ignore_ascii_case(known);
    let value = is(b"value") || is(b"default") || is(b"defaultValue") || is(b"plaintext");
    Some(if value { Member::Value(c.at) } else { Member::Other })
}

/// The default of a look-up: `getenv("X", "…")`, `process.env.X || "…"`, `x or "…"`, on the same line.
pub(super) fn fallback(text: &[u8], c: Cursor<'_>, link: &Link) -> Option<Value> {
    let mut c = Cursor::new(text, c.at, LINK_REACH.min(c.end.saturating_sub(c.at)));
    if tells_more(c) {
        return None;
    }
    let line = c.rest();
    let line = &line[..line.iter().position(|&b| b == b'\n').unwrap_or(line.len())];
    let marks: [&[u8]; 6] = [b"|| ", b" or ", b"?? ", b"', ", b"\", ", b"?: "];
    let (at, mark) =
        marks.iter().filter_map(|m| Some((line.windows(m.len()).position(|w| w == *m)?, m))).min()?;
    c.bump(at + mark.len());
    let (q, escapes) = quote(&mut c);
    if q == Quote::None {
        return None;
    }
    let mut flags = Flags::default();
    flags.set(Flags::FALLBACK);
    quoted(text, c.at, q, escapes, link, Wrapper::None, flags)
}

/// Whether the name that is looked up is one of a credential, and more: `AUTH_PASSWORD_BROKER`. It has a default of its
/// own then, which is judged by it.
fn tells_more(mut c: Cursor<'_>) -> bool {
    if quote(&mut c).0 == Quote::None {
        return false;
    }
    let name = c.take_while(is_word);
    words::groups_in(name) != 0 && words::groups_of_last(name) == 0
}

/// Reads to the closing quote, at most `VALUE_REACH` bytes.
pub(super) fn quoted(
    text: &[u8],
    at: usize,
    q: Quote,
    escapes: u8,
    link: &Link,
    wrapper: Wrapper,
    mut flags: Flags,
) -> Option<Value> {
    let c = Cursor::new(text, at, VALUE_REACH);
    let body = c.rest();
    let triple = matches!(q, Quote::Double | Quote::Single) && escapes == 0 && is_triple(body, q);
    let body_at = if triple { 2 } else { 0 };
    let length = match q {
        _ if triple => closing_triple(&body[body_at..], q),
        Quote::Entity => {
            body.windows(5).position(|w| w.starts_with(b"&#3") || w == b"&quot" || w == b"&#x27")
        }
        _ => closing(body.get(body_at..).unwrap_or_default(), q, escapes),
    };
    let (start, end) = match length {
        Some(n) => (at + body_at, at + body_at + n),
        // No closing quote within reach: a long literal if it is all one piece, else a quote that is none.
        None if body.len() == VALUE_REACH && !body.iter().any(u8::is_ascii_whitespace) => {
            flags.set(Flags::CUT);
            (at, at + body.len())
        }
        None => return None,
    };
    let inside = text.get(start..end)?;
    if is_joined(inside) {
        return None;
    }
    if let Some(default) = default_of(inside) {
        flags.set(Flags::FALLBACK);
        let range = start + default.start..start + default.end;
        return plausible(text.get(range.clone())?, true, link.syntax, false).then_some(Value {
            range,
            quote: q,
            escapes,
            wrapper,
            flags,
        });
    }
    let trimmed = inside.trim_ascii();
    if trimmed.is_empty() || trimmed.contains(&b'\n') {
        return None;
    }
    let lead = inside.len() - inside.trim_ascii_start().len();
    let mut range = start + lead..start + lead + trimmed.len();
    let mut trimmed = trimmed;
    if holds_literals(trimmed)
        && let Some(inner) = longest_string(trimmed)
    {
        trimmed = &trimmed[inner.clone()];
        range = range.start + inner.start..range.start + inner.end;
    }
    plausible(trimmed, true, link.syntax, false).then_some(Value { range, quote: q, escapes, wrapper, flags })
}

/// Whether a literal is what stands between two others: code such as `'--user='.$row['user']` has three, and the quote
/// behind an option closes the one before it.
fn is_joined(inside: &[u8]) -> bool {
    matches!(inside.trim_ascii_start(), [b'.' | b'+' | b'&', _, .., b'[' | b'(' | b' ' | b'.' | b'+' | b','])
}

/// The default in `${NAME:-default}` and its like (`:=`, `-`, `=` of shells, `:` of Spring and Docker), if the whole
/// text is that, and the default is no variable itself.
pub(super) fn default_of(text: &[u8]) -> Option<Range<usize>> {
    let inside = text.strip_prefix(b"${")?.strip_suffix(b"}")?;
    let name = inside.iter().position(|&b| !(is_word(b) || b == b'.'))?;
    let mark = match inside.get(name..)? {
        [b':', b'-' | b'=', ..] => 2,
        [b':' | b'-' | b'=', ..] => 1,
        _ => return None,
    };
    let from = name + mark;
    let default = &inside[from..];
    let plain =
        !default.is_empty() && !default.iter().any(|b| matches!(b, b'$' | b'{' | b'}' | b'"' | b'\''));
    (name > 0 && plain && default[0] != b'?').then(|| 2 + from..2 + from + default.len())
}

/// Whether a literal is written as code once more: an object, or a literal in quotes of its own
/// (`"\"…\""`, as builds hand constants to a compiler).
fn holds_literals(text: &[u8]) -> bool {
    matches!(text, [b'{', ..] | [b'"', .., b'"'] | [b'\\', b'"', .., b'\\', b'"'])
}

/// The longest literal in an object that is itself written as a string: `"{\"id\": \"…\"}"`.
fn longest_string(object: &[u8]) -> Option<Range<usize>> {
    let is_quote = |b: u8| matches!(b, b'"' | b'\'' | b'\\');
    let mut best: Option<Range<usize>> = None;
    let mut at = 0;
    while at < object.len() {
        let end = object[at..].iter().position(|&b| is_quote(b)).map_or(object.len(), |n| at + n);
        let part = &object[at..end];
        if part.len() >= 8
            && !part.iter().any(|b| b" {}:,".contains(b))
            && best.as_ref().is_none_or(|b| b.len() < part.len())
        {
            best = Some(at..end);
        }
        at = end + 1;
    }
    best
}

/// Whether two more quotes follow an opening one.
fn is_triple(body: &[u8], q: Quote) -> bool {
    let b = if q == Quote::Double { b'"' } else { b'\'' };
    body.first() == Some(&b) && body.get(1) == Some(&b) && body.get(2).is_some_and(|&n| n != b)
}

/// Length of the literal in `body` up to the three quotes that close it; it may begin and end with empty lines.
fn closing_triple(body: &[u8], q: Quote) -> Option<usize> {
    let mark: &[u8] = if q == Quote::Double { b"\"\"\"" } else { b"'''" };
    let length = memchr::memmem::find(body, mark);
    work::count(length.unwrap_or(body.len()));
    length
}

/// Length of the literal in `body` up to its closing quote, which has `escapes` backslashes before it.
fn closing(body: &[u8], q: Quote, escapes: u8) -> Option<usize> {
    let mark = match q {
        Quote::Double => b'"',
        Quote::Single => b'\'',
        _ => b'`',
    };
    work::count(body.len());
    let mut slashes = 0_usize;
    for (i, &b) in body.iter().enumerate() {
        match b {
            b'\\' => slashes += 1,
            b'\n' => return None,
            _ if b == mark
                && slashes <= usize::from(escapes)
                && (slashes % 2 == usize::from(escapes) % 2) =>
            {
                return Some(i - slashes);
            }
            // An unescaped quote ends whatever encloses an escaped literal.
            _ if b == mark && slashes < usize::from(escapes) => return None,
            _ => slashes = 0,
        }
    }
    None
}
