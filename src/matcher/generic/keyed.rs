//! Candidates that begin with a name.

use super::cursor::{before, is_word, line_before};
use super::evidence::{Quote, Syntax, gather};
use super::words::{self, Group, bit};
use super::{Assignment, KEY_REACH, Kind, link, value};

/// Bytes of names: identifiers, attributes, flags.
fn in_name(b: u8) -> bool {
    is_word(b) || b == b'-' || b == b'.' || b == b'$'
}

/// Finds the value of the name that holds the trigger `text[at..end]`.
pub(super) fn find(text: &[u8], at: usize, end: usize, out: &mut Vec<Assignment>) {
    // Triggers such as `key"` hold the byte after the name.
    let literal = text.get(at..end).unwrap_or_default();
    let inside = literal.iter().rposition(|&b| in_name(b)).map_or(at, |n| at + n + 1);
    let Some(stop) = name_end(text, inside) else { return };
    if !could_link(text, stop) {
        return;
    }
    let Some(start) = name_start(text, at) else { return };
    let Some(found) = link::after_key(text, start, stop) else { return };
    let Some(read) = value::read(text, stop, &found) else { return };
    let name = text.get(start..stop).unwrap_or_default();
    let syntax = refine(text, start, found.syntax);
    let Some(kind) = kind_of(name, syntax, text, start) else { return };
    let evidence = gather(text, &(start..stop), &read, syntax, found.key_quote != Quote::None);
    let close = usize::from(read.quote != Quote::None) + usize::from(read.escapes);
    let whole = start..(read.range.end + close).min(text.len());
    let (value, read) = strip_scheme(text, read);
    let _ = read;
    out.push(Assignment { key: start..stop, value, whole, kind, evidence });
}

/// Leaves the scheme of a header out of the value: `token …`, `Bearer …`.
fn strip_scheme(text: &[u8], read: value::Value) -> (std::ops::Range<usize>, value::Value) {
    let body = text.get(read.range.clone()).unwrap_or_default();
    for scheme in [b"Bearer ".as_slice(), b"bearer ", b"Basic ", b"basic ", b"token ", b"Token ", b"ApiKey ", b"apikey "] {
        if body.starts_with(scheme) && body.len() > scheme.len() + 3 {
            let skip = scheme.len() + body[scheme.len()..].iter().take_while(|b| **b == b' ').count();
            return (read.range.start + skip..read.range.end, read);
        }
    }
    (read.range.clone(), read)
}

/// The end of the name that goes on at `at`; None when it goes on for longer than names do.
fn name_end(text: &[u8], at: usize) -> Option<usize> {
    let rest = text.get(at..).unwrap_or_default();
    let rest = &rest[..rest.len().min(KEY_REACH)];
    let mut n = rest.iter().position(|&b| !in_name(b)).unwrap_or(rest.len());
    if n == KEY_REACH {
        return None;
    }
    if rest[..n].iter().any(|&b| b >= 0x80) {
        // Full-width punctuation ends a name too.
        let wide = rest[..n].windows(3).position(|w| matches!(w, [0xef, 0xbc, 0x9a | 0x9d | 0x8c] | [0xe3, 0x80, _]));
        n = wide.unwrap_or(n);
    }
    while n > 0 && matches!(rest[n - 1], b'.' | b'-') {
        n -= 1;
    }
    Some(at + n)
}

/// The beginning of the name that holds the byte at `at`; None when it begins farther back than names do.
fn name_start(text: &[u8], at: usize) -> Option<usize> {
    let head = before(text, at, KEY_REACH);
    match head.iter().rposition(|&b| !in_name(b)) {
        Some(n) => Some(at - (head.len() - n - 1)),
        None if head.len() < KEY_REACH => Some(at - head.len()),
        None => None,
    }
}

/// A look at the next two bytes, which settles most hits.
fn could_link(text: &[u8], at: usize) -> bool {
    let Some(&b) = text.get(at) else { return false };
    match b {
        b')' | b';' | b'.' | b'[' | b'{' | b'}' | b'/' | b'#' | b'%' | b'^' | b'@' | b'+' | b'~' => false,
        b' ' => !matches!(text.get(at + 1), Some(b'-' | b'+' | b'{' | b'}' | b'&' | b')' | b'(' | b'/' | b'*' | b'%' | b';')),
        b',' => matches!(text.get(at + 1), Some(b' ' | b'"' | b'\'' | b'\n')),
        b'(' => matches!(text.get(at + 1), Some(b'"' | b'\'' | b'`' | b'@' | b'\n' | b'b' | b'n' | b'S' | b'[' | b'B' | b' ' | b'u' | b'r')),
        _ => true,
    }
}

/// `=` in a URL's query, a form or a connection string is another syntax.
fn refine(text: &[u8], start: usize, syntax: Syntax) -> Syntax {
    if syntax != Syntax::Assign {
        return syntax;
    }
    let line = line_before(text, start, 80);
    match line.last() {
        Some(b'?' | b'&') => Syntax::UrlQuery,
        Some(b';') => Syntax::Connection,
        Some(b' ') if line.ends_with(b"; ") && line.contains(&b'=') => Syntax::Connection,
        _ => syntax,
    }
}

/// The kind that a name promises; None for names that promise something else.
fn kind_of(name: &[u8], syntax: Syntax, text: &[u8], start: usize) -> Option<Kind> {
    let groups = words::groups_in(name);
    let has = |group| groups & bit(group) != 0;
    let password = has(Group::Password) || has(Group::Pass) || has(Group::Pwd) || has(Group::Phrase);
    let glued = |part: &[u8]| name.to_ascii_lowercase().windows(part.len()).any(|w| w == part);
    let password = password || (glued(b"passw") && !has(Group::Secret));
    Some(match syntax {
        Syntax::Sql if password => Kind::SqlPassword,
        Syntax::Flag if password => Kind::CliPassword,
        Syntax::Connection => Kind::ConnectionString,
        _ if password && matches!(before(text, start, 1), b"-") => Kind::CliPassword,
        _ if password => Kind::Password,
        _ if has(Group::Token) => Kind::Token,
        _ if has(Group::Secret) || has(Group::Crypto) && has(Group::Key) => Kind::Secret,
        _ if has(Group::ApiKey) || has(Group::Key) => Kind::ApiKey,
        _ if has(Group::Header) || glued(b"sid") || glued(b"session") => Kind::SessionCookie,
        _ if glued(b"secret") => Kind::Secret,
        _ if glued(b"token") || glued(b"auth") || has(Group::Credential) => Kind::Token,
        _ if glued(b"key") => Kind::ApiKey,
        _ if glued(b"pass") || glued(b"pwd") => Kind::Password,
        _ => Kind::Secret,
    })
}
