//! Credentials in URLs: `scheme://user:password@host`, and long tokens in the place of the user.

use super::cursor::{before, starts_caseless};
use super::evidence::{Flags, Quote, Syntax, Wrapper};
use super::gather::gather;
use super::value::Value;
use super::{Assignment, Kind, VALUE_REACH};

/// Bytes before the `@` of a driver's address in which user and password stand.
const DRIVER_REACH: usize = 128;

/// Finds the credentials of the URL whose `://` is at `at`.
pub(super) fn find(text: &[u8], at: usize, out: &mut Vec<Assignment>) {
    let from = at + 3;
    let rest = text.get(from..(from + VALUE_REACH).min(text.len())).unwrap_or_default();
    // Most URLs have no credentials: their host ends at the first `/`, quote or blank.
    let Some(stop) = rest.iter().position(|&b| ends_host(b)) else {
        return;
    };
    if rest[stop] != b'@' {
        return;
    }
    let stop = last_at(rest, stop);
    let info = before_way_to_log_in(&rest[..stop]);
    if rest.get(stop + 1).is_none_or(|b| b.is_ascii_whitespace() || matches!(b, b'"' | b'\'' | b'`' | b'/')) {
        return;
    }
    let scheme = before(text, at, 20);
    let scheme = scheme.len()
        - scheme
            .iter()
            .rposition(|&b| !(b.is_ascii_alphanumeric() || b"+-.".contains(&b)))
            .map_or(0, |n| n + 1);
    if scheme == 0 {
        return;
    }
    let (key, value) = match info.iter().position(|&b| b == b':') {
        Some(n) => (from..from + n, from + n + 1..from + info.len()),
        // An address of e-mail names a user.
        None if info.len() >= 16
            && info.iter().any(u8::is_ascii_digit)
            && !info.contains(&b'@')
            && memchr::memmem::find(info, b"%40").is_none() =>
        {
            (at - scheme..at, from..from + info.len())
        }
        None => return,
    };
    if value.is_empty() {
        return;
    }
    let mut flags = Flags::default();
    flags.set_if(Flags::TOUCHES, rest.get(stop + 1).is_some_and(|b| matches!(b, b'%' | b'$' | b'{' | b'<')));
    let host = &rest[stop + 1..];
    let examples: [&[u8]; 7] =
        [b"localhost", b"127.0.0.1", b"host", b"example", b"%s", b"server", b"0.0.0.0"];
    flags.set_if(
        Flags::EXAMPLE_HOST,
        examples.iter().any(|e| starts_caseless(host, e)) || starts_caseless(host, b"www.example"),
    );
    let read = Value { range: value.clone(), quote: Quote::None, escapes: 0, wrapper: Wrapper::None, flags };
    let evidence = gather(text, &key, &read, Syntax::Url, false);
    out.push(Assignment {
        key,
        value,
        whole: at - scheme..from + stop + 1,
        kind: Kind::UrlCredentials,
        evidence,
    });
}

/// User and password without the option of mail URLs that names how to log in: `bob:…;AUTH=PLAIN` (RFC 5092).
fn before_way_to_log_in(info: &[u8]) -> &[u8] {
    let option = b";auth=";
    let at = memchr::memchr_iter(b';', info).find(|&at| starts_caseless(&info[at..], option));
    at.map_or(info, |at| &info[..at])
}

/// Finds `user:password` before the `@` at `at`, which a protocol follows: `user:password@tcp(host)/database`.
pub(super) fn before_protocol(text: &[u8], at: usize, out: &mut Vec<Assignment>) {
    let head = before(text, at, DRIVER_REACH);
    let Some(open) = head.iter().rposition(|&b| ends_host(b) && b != b'@' || b == b'=') else { return };
    let pair = &head[open + 1..];
    let from = at - pair.len();
    let Some(colon) = pair.iter().position(|&b| b == b':') else { return };
    if colon == 0 || colon + 1 == pair.len() || pair.contains(&b'%') {
        return;
    }
    let read = Value::new(from + colon + 1..at, Quote::None);
    let key = from..from + colon;
    let evidence = gather(text, &key, &read, Syntax::Url, false);
    out.push(Assignment { key, value: read.range, whole: from..at, kind: Kind::UrlCredentials, evidence });
}

/// Bytes that end the authority of a URL, or are its `@`.
fn ends_host(b: u8) -> bool {
    matches!(b, 0..=b' ' | b'/' | b'"' | b'\'' | b'`' | b'\\' | b'@' | b'?' | b',' | b'|' | b'^' | 0x7f)
}

/// A password may hold an `@`: the last one before the path counts.
fn last_at(rest: &[u8], first: usize) -> usize {
    let mut last = first;
    for (i, &b) in rest.iter().enumerate().skip(first) {
        if b == b'@' {
            last = i;
        } else if ends_host(b) {
            break;
        }
    }
    last
}
