//! Values that are written in base64, as in the `data` of a Kubernetes Secret: what is secret is what they say.

use std::borrow::Cow;

use data_encoding::BASE64;

use super::cursor::before;
use super::evidence::{Evidence, Flags};
use super::gather::says;
use super::{Assignment, BEFORE_REACH, Kind};

/// Least bytes of a text that is told from a random value by being printable: one in 7,000 of that length is.
const TELLING: usize = 9;
/// The same where the place says that values are encoded: one in 400.
const TELLING_IN_DATA: usize = 6;

/// The text that `value` encodes in padded base64; None if it encodes none.
pub fn text_in_base64(value: &[u8]) -> Option<Vec<u8>> {
    if value.len() < 8 || !value.len().is_multiple_of(4) {
        return None;
    }
    let text = BASE64.decode(value).ok()?;
    let printable = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t');
    std::str::from_utf8(&text).is_ok_and(|text| text.chars().all(printable)).then_some(text)
}

/// What is secret of a candidate's value: the value, or the text that it encodes where the evidence says so.
pub fn plain<'v>(value: &'v [u8], evidence: &Evidence) -> Cow<'v, [u8]> {
    let encoded = evidence.flags.has(Flags::ENCODED);
    match text_in_base64(value).filter(|_| encoded) {
        Some(text) => Cow::Owned(text),
        None => Cow::Borrowed(value),
    }
}

/// Marks a candidate whose value encodes a text. Passwords are not made in base64; other values are, and count
/// only in an object called `data`.
pub(super) fn mark(text: &[u8], found: &mut Assignment) {
    let value = text.get(found.value.clone()).unwrap_or_default();
    // Most values have another length than base64 has.
    if value.len() < 8 || !value.len().is_multiple_of(4) {
        return;
    }
    let in_data = is_in_data(text, found.key.start);
    if !(in_data || found.kind == Kind::Password) {
        return;
    }
    let Some(says_text) = text_in_base64(value) else { return };
    let least = if in_data { TELLING_IN_DATA } else { TELLING };
    let padded = value.ends_with(b"=");
    // A document that is encoded is not the password.
    if !(padded || says_text.len() >= least) || says_text.trim_ascii().iter().any(u8::is_ascii_whitespace) {
        return;
    }
    let name = text.get(found.key.clone()).unwrap_or_default();
    let flags = &mut found.evidence.flags;
    flags.set(Flags::ENCODED);
    flags.put(Flags::SAYS_NAME, says(name, &says_text));
}

/// Whether `data:` stands before the key, near enough to be seen.
fn is_in_data(text: &[u8], start: usize) -> bool {
    let wide = before(text, start, BEFORE_REACH);
    [b"data:".as_slice(), b"data\":", b"data\\\":"].iter().any(|name| {
        memchr::memmem::find_iter(wide, name)
            .any(|at| at.checked_sub(1).and_then(|p| wide.get(p)).is_none_or(|b| !b.is_ascii_alphanumeric()))
    })
}
