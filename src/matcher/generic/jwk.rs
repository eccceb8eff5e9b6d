//! Private JSON web keys: objects with `kty` and one of the private members.

use std::ops::Range;

use super::cursor::{Cursor, before};
use super::evidence::{Flags, Quote, Syntax, Wrapper};
use super::gather::gather;
use super::link::quote;
use super::value::Value;
use super::{Assignment, BEFORE_REACH, Kind, REACH_BACK, REACH_FORWARD, VALUE_REACH};

/// How far from `kty` a private member may be.
const FORWARD: usize = REACH_FORWARD - VALUE_REACH - 96;
/// The same, before it.
const BACK: usize = REACH_BACK - BEFORE_REACH;

/// Finds a private member of the key whose `kty` is `text[at..end]`.
pub(super) fn find(text: &[u8], at: usize, end: usize, out: &mut Vec<Assignment>) {
    let literal = text.get(at..end).unwrap_or_default();
    let (at, literal) = match literal.split_first() {
        Some((b'"' | b'\'', name)) => (at + 1, name),
        _ => (at, literal),
    };
    let literal = literal
        .get(..literal.iter().position(|b| !b.is_ascii_alphabetic()).unwrap_or(literal.len()))
        .unwrap_or_default();
    let end = at + literal.len();
    if before(text, at, 1).iter().any(u8::is_ascii_alphanumeric) {
        return;
    }
    let mut c = Cursor::new(text, end, 8);
    quote(&mut c);
    c.blanks();
    if !matches!(c.peek(), Some(b':' | b'=')) {
        return;
    }
    if literal != b"kty" {
        // `dp` and `qi` are members of private keys only.
        if let Some((start, length, q, escapes)) = member(text, at + literal.len()) {
            push(text, at..at + literal.len(), start..start + length, q, escapes, out);
        }
        return;
    }
    let from = at - before(text, at, BACK).len();
    let area = text.get(from..(end + FORWARD).min(text.len())).unwrap_or_default();
    for n in 1..area.len().saturating_sub(1) {
        let begins = matches!(area[n - 1], b'"' | b'\'' | b' ' | b'\n' | b'\t' | b',' | b'{');
        if !begins || !matches!(area[n], b'd' | b'k' | b'p' | b'q') {
            continue;
        }
        if let Some((start, length, q, escapes)) = member(text, from + n + 1) {
            push(text, from + n..from + n + 1, start..start + length, q, escapes, out);
            return;
        }
    }
}

/// Reads `": "…"` behind the name of a member, if a long enough value is there.
fn member(text: &[u8], at: usize) -> Option<(usize, usize, Quote, u8)> {
    let mut c = Cursor::new(text, at, 24);
    quote(&mut c);
    c.blanks();
    if !c.eat(b":") && !c.eat(b"=") {
        return None;
    }
    c.white();
    let (q, escapes) = quote(&mut c);
    if q == Quote::None {
        return None;
    }
    let start = c.at;
    let mut body = Cursor::new(text, start, VALUE_REACH);
    let value = body.take_while(|b| {
        b.is_ascii_alphanumeric() || b == b'-' || b == b'_' || b == b'=' || b == b'+' || b == b'/'
    });
    (value.len() >= 16).then_some((start, value.len(), q, escapes))
}

fn push(
    text: &[u8],
    key: Range<usize>,
    value: Range<usize>,
    quote: Quote,
    escapes: u8,
    out: &mut Vec<Assignment>,
) {
    let mut flags = Flags::default();
    flags.set_if(Flags::CUT, value.len() >= VALUE_REACH);
    let read = Value { range: value.clone(), quote, escapes, wrapper: Wrapper::None, flags };
    let evidence = gather(text, &key, &read, Syntax::Jwk, false);
    out.push(Assignment { whole: key.start..value.end, key, value, kind: Kind::PrivateJwk, evidence });
}
