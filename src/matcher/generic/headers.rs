//! `Bearer …` and `Basic …`, wherever they stand: headers, recordings, tests, documentation.

use super::cursor::{Cursor, before};
use super::evidence::{Flags, Wrapper};
use super::evidence::{Quote, Syntax};
use super::gather::gather;
use super::value::Value;
use super::{Assignment, Kind, VALUE_REACH};

/// Finds the credentials behind the scheme `text[at..end]`.
pub(super) fn find(text: &[u8], at: usize, end: usize, out: &mut Vec<Assignment>) {
    if before(text, at, 1).iter().any(|b| b.is_ascii_alphanumeric() || *b == b'_') {
        return;
    }
    let basic = text.get(at..at + 2).is_some_and(|head| head.eq_ignore_ascii_case(b"ba"));
    let mut c = Cursor::new(text, end, VALUE_REACH);
    c.take_while(|b| b == b' ');
    let start = c.at;
    let token = c.take_while(|b| b.is_ascii_alphanumeric() || b"-._~+/=".contains(&b));
    let mut stop = c.at;
    let mut token = token;
    while let [head @ .., b'.' | b'-'] = token {
        token = head;
        stop -= 1;
    }
    // Prose ("basic usage", "bearer of") is lower case words; code goes on with a call.
    if token.len() < 6 + 2 * usize::from(basic) || !looks_encoded(token) {
        return;
    }
    if matches!(c.peek(), Some(b'(' | b'[' | b'$' | b'{' | b'<' | b'_')) {
        return;
    }
    if basic && !token.iter().all(|b| b.is_ascii_alphanumeric() || b"+/=".contains(b)) {
        return;
    }
    let mut flags = Flags::default();
    flags.set_if(Flags::CUT, token.len() >= VALUE_REACH - 8);
    let read = Value { range: start..stop, quote: Quote::None, escapes: 0, wrapper: Wrapper::None, flags };
    let evidence = gather(text, &(at..end - 1), &read, Syntax::Header, false);
    let kind = if basic { Kind::BasicAuth } else { Kind::BearerToken };
    out.push(Assignment { key: at..end - 1, value: start..stop, whole: at..stop, kind, evidence });
}

/// Whether a word has the mix of classes that encodings have and prose has not.
fn looks_encoded(token: &[u8]) -> bool {
    let inner_upper = token.iter().skip(1).any(u8::is_ascii_uppercase);
    let lower = token.iter().any(u8::is_ascii_lowercase);
    let digit = token.iter().any(u8::is_ascii_digit);
    digit || inner_upper && lower || token.ends_with(b"=")
}
