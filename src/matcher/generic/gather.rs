//! Looks at the surroundings of a candidate, once.

use std::ops::Range;

use super::cursor::{before, contains, is_blank};
use super::evidence::{Evidence, Flags, Quote, Syntax};
use super::value::Value;
use super::words;
use super::{AFTER_REACH, BEFORE_REACH};
use crate::matcher::work;

/// Gathers the evidence for a name and a value.
pub(super) fn gather(
    text: &[u8],
    key: &Range<usize>,
    value: &Value,
    syntax: Syntax,
    key_quoted: bool,
) -> Evidence {
    let (first, last) = (key.start.min(value.range.start), key.end.max(value.range.end));
    let wide = before(text, first, BEFORE_REACH);
    let line = &wide[memchr::memrchr(b'\n', wide).map_or(0, |n| n + 1)..];
    let after = text.get(last..(last + AFTER_REACH).min(text.len())).unwrap_or_default();
    let tail = &after[..after.iter().position(|&b| b == b'\n').unwrap_or(after.len())];
    let name = text.get(key.clone()).unwrap_or_default();
    let body = text.get(value.range.clone()).unwrap_or_default();
    work::count(after.len() + name.len() + body.len());
    let mut flags = value.flags;
    mark_name(&mut flags, name, line, key_quoted);
    mark_line(&mut flags, line, tail, value);
    let here = &wide[..wide.len() - line.len()];
    flags.set_if(Flags::AGAIN, body.len() >= 4 && (contains(wide, body) || contains(after, body)));
    let between = text.get(key.end..value.range.start).unwrap_or_default();
    flags.set_if(Flags::SPACED, between.first() == Some(&b' ') && between.contains(&b'='));
    let words_of_name = words::groups_in(name);
    flags.set_if(Flags::SAYS_NAME, says(name, body));
    let words_of_line = words::groups_in(line) | words::groups_in(tail) | words::groups_in(between);
    let words_around = words::groups_in(here) | words::groups_in(&after[tail.len()..]);
    flags.set_if(Flags::USER_NEAR, (words_of_line | words_around) & words::bit(words::Group::User) != 0);
    Evidence {
        name: words_of_name,
        line: words_of_line,
        around: words_around,
        head: words::groups_of_last(name),
        flags,
        syntax,
        quote: value.quote,
        wrapper: value.wrapper,
        escapes: value.escapes,
        name_len: name.len().min(255) as u8,
        column: line.len().min(255) as u8,
        tail: tail.len().min(255) as u8,
        next: class(next_byte(tail, value.quote)),
        previous: class(line.last().copied().unwrap_or(b'\n')),
        marks: line.iter().chain(tail).filter(|&&b| b == b'=' || b == b':').count().min(255) as u8,
    }
}

/// Facts about the name.
fn mark_name(flags: &mut Flags, name: &[u8], line: &[u8], key_quoted: bool) {
    let lead = line.trim_ascii();
    flags.set_if(
        Flags::FIRST,
        lead.is_empty()
            || matches!(lead, b"-" | b"\"" | b"'" | b"export" | b"#" | b"//" | b"*" | b"+" | b"- \""),
    );
    flags.set_if(Flags::INSIDE, odd(line, b'"') || odd(line, b'\'') || odd(line, b'`'));
    flags.set_if(Flags::SUBSCRIPT, key_quoted && line.len() >= 2 && line[line.len() - 2] == b'[');
    flags.set_if(Flags::KEY_QUOTED, key_quoted);
    flags.set_if(
        Flags::SIGIL,
        matches!(name.first(), Some(b'$' | b'@')) || matches!(line.last(), Some(b'$' | b'@' | b':')),
    );
    flags.set_if(Flags::MEMBER, name.contains(&b'.') || line.last() == Some(&b'.') || line.ends_with(b"->"));
    flags.set_if(
        Flags::CAPITALS,
        name.iter().any(u8::is_ascii_uppercase) && !name.iter().any(u8::is_ascii_lowercase),
    );
    let word = lead.rsplit(|&b| is_blank(b)).next().unwrap_or_default();
    let declares = [
        b"const".as_slice(),
        b"let",
        b"var",
        b"val",
        b"final",
        b"String",
        b"string",
        b"static",
        b"str",
        b"def",
        b"char",
        b"export",
        b"SET",
        b"set",
        b"ENV",
        b"ARG",
    ];
    flags.set_if(
        Flags::DECLARED,
        declares.contains(&word) || word.ends_with(b"String") || word.starts_with(b"char"),
    );
}

/// Facts about the line.
fn mark_line(flags: &mut Flags, line: &[u8], tail: &[u8], value: &Value) {
    let lead = line.trim_ascii_start();
    let comments: [&[u8]; 8] = [b"//", b"#", b"*", b"/*", b"--", b";", b"<!--", b"%"];
    flags.set_if(Flags::COMMENT, comments.iter().any(|c| lead.starts_with(c)) || contains(line, b"// "));
    flags.set_if(
        Flags::MARKUP,
        lead.starts_with(b"|") || lead.starts_with(b"$ ") || lead.starts_with(b">") || lead.contains(&b'`'),
    );
    let end = tail
        .iter()
        .all(|b| matches!(b, b'"' | b'\'' | b'`' | b',' | b';' | b')' | b'}' | b']' | b' ' | b'\r' | b'\\'));
    flags.set_if(Flags::LAST, end && tail.len() < AFTER_REACH);
    flags.set_if(Flags::LONG_LINE, line.len() >= BEFORE_REACH);
    let joined = match value.quote {
        Quote::None => false,
        _ => {
            let rest = tail.get(1 + usize::from(value.escapes)..).unwrap_or_default().trim_ascii_start();
            matches!(rest.first(), Some(b'+' | b'%' | b'.')) || rest.starts_with(b"<<")
        }
    };
    flags.set_if(Flags::JOINED, joined);
}

/// Whether a byte stands an odd number of times in a line: the end is inside such quotes.
fn odd(line: &[u8], quote: u8) -> bool {
    line.iter().filter(|&&b| b == quote).count() % 2 == 1
}

/// The first byte after the value's closing quote.
fn next_byte(tail: &[u8], quote: Quote) -> u8 {
    let rest = match quote {
        Quote::None => tail,
        _ => {
            let n = tail.iter().position(|b| !matches!(b, b'\\')).unwrap_or(0);
            tail.get(n + 1..).unwrap_or_default()
        }
    };
    rest.iter().copied().find(|&b| !is_blank(b)).unwrap_or(b'\n')
}

/// Classes of neighbouring bytes.
pub(crate) fn class(b: u8) -> u8 {
    match b {
        b'\n' | b'\r' => 0,
        b' ' | b'\t' => 1,
        b'"' | b'\'' | b'`' => 2,
        b',' => 3,
        b';' => 4,
        b')' | b']' => 5,
        b'}' => 6,
        b'(' | b'[' | b'{' => 7,
        b'.' => 8,
        b':' | b'=' => 9,
        b'&' | b'?' | b'|' => 10,
        b'-' | b'_' | b'$' | b'@' => 11,
        b'<' | b'>' | b'/' => 12,
        b'\\' => 13,
        b'#' | b'+' | b'%' | b'*' => 14,
        b if b.is_ascii_alphanumeric() => 15,
        _ => 16,
    }
}

/// Whether the value repeats the name, ignoring case and punctuation, or the other way round.
pub(super) fn says(name: &[u8], value: &[u8]) -> bool {
    let squeeze = |text: &[u8], out: &mut [u8; 64]| {
        let mut n = 0;
        for b in text.iter().filter(|b| b.is_ascii_alphabetic()) {
            if let Some(slot) = out.get_mut(n) {
                *slot = b.to_ascii_lowercase();
                n += 1;
            }
        }
        n
    };
    let (mut a, mut b) = ([0; 64], [0; 64]);
    let (n, m) = (squeeze(name, &mut a), squeeze(value, &mut b));
    let (name, value) = (&a[..n], &b[..m]);
    m >= 3 && n >= 3 && (contains(name, value) || (m <= n + 8 && contains(value, name)))
}
