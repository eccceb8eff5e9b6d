//! What may stand between a keyword and a value: every place where a value can begin, in the order in which the
//! regex of `rules::context` tries them. `value` is asked for each place; the first match it gives is the result.

use std::ops::RangeInclusive;

use super::Found;
use crate::rules::context::{AFTER_CREDENTIAL, BEFORE_CREDENTIAL, CREDENTIAL_WORDS};

/// Asked whether a value begins at an offset.
type Value<'a> = &'a mut dyn FnMut(usize) -> Option<Found>;

/// `[A-Za-z0-9_]`.
pub(super) fn is_word(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'_'
}

/// What may stand before a value of unknown shape.
pub(super) fn is_opener(b: u8) -> bool {
    is_space(b) || b"\"'`=:({[>,|".contains(&b)
}

/// `\s` of ASCII.
pub(super) fn is_space(b: u8) -> bool {
    matches!(b, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
}

/// Some bytes, a credential word, some bytes, an opener.
pub(super) fn behind_credential_words(
    text: &[u8],
    behind: usize,
    opener: &impl Fn(u8) -> bool,
    value: Value<'_>,
) -> Option<Found> {
    // The places behind one credential word and the next overlap; none needs to be tried twice, and as no word
    // ends before one that begins earlier, they come in order.
    let mut next = behind;
    for at in behind..=behind + BEFORE_CREDENTIAL {
        let Some(end) = credential_word(text, at) else { continue };
        let last = end + AFTER_CREDENTIAL;
        let found = behind_opener(text, next.max(end)..=last, opener, value);
        if found.is_some() {
            return found;
        }
        next = last + 1;
    }
    None
}

/// Some bytes, an opener.
pub(super) fn behind_common_word(
    text: &[u8],
    behind: usize,
    opener: &impl Fn(u8) -> bool,
    value: Value<'_>,
) -> Option<Found> {
    behind_opener(text, behind..=behind + BEFORE_CREDENTIAL, opener, value)
}

/// The first value behind an opener at one of these offsets.
fn behind_opener(
    text: &[u8],
    offsets: RangeInclusive<usize>,
    opener: &impl Fn(u8) -> bool,
    value: Value<'_>,
) -> Option<Found> {
    for before in offsets {
        if opener(*text.get(before)?)
            && let Some(found) = value(before + 1)
        {
            return Some(found);
        }
    }
    None
}

/// Whether a credential word can begin with a byte.
const BEGINS_CREDENTIAL: [bool; 256] = {
    let mut begins = [false; 256];
    let mut word = 0;
    while word < CREDENTIAL_WORDS.len() {
        let first = CREDENTIAL_WORDS[word].as_bytes()[0];
        begins[first.to_ascii_lowercase() as usize] = true;
        begins[first.to_ascii_uppercase() as usize] = true;
        word += 1;
    }
    begins
};

/// The offset behind the credential word at `at`.
fn credential_word(text: &[u8], at: usize) -> Option<usize> {
    let first = text.get(at).filter(|&&byte| BEGINS_CREDENTIAL[usize::from(byte)])?.to_ascii_lowercase();
    CREDENTIAL_WORDS.iter().find_map(|word| {
        let word = word.as_bytes();
        let end = at + word.len();
        (word.first() == Some(&first) && text.get(at..end)?.eq_ignore_ascii_case(word)).then_some(end)
    })
}

/// A space or other mark or two, one word between at most.
pub(super) fn beside(text: &[u8], behind: usize, value: Value<'_>) -> Option<Found> {
    let marks = count(text, behind, 4, |b| !is_word(b));
    for at in (behind + 1..=behind + marks).rev() {
        // A word is taken whole: behind a part of it stands no mark.
        let word = count(text, at, 13, is_word);
        if (1..=12).contains(&word) {
            let marks = count(text, at + word, 3, |b| !is_word(b));
            for at in (at + word + 1..=at + word + marks).rev() {
                if let Some(found) = value(at) {
                    return Some(found);
                }
            }
        }
        if let Some(found) = value(at) {
            return Some(found);
        }
    }
    None
}

/// The rest of a name, an operator that assigns, what opens a string, the name of a scheme.
pub(super) fn assigned(text: &[u8], behind: usize, value: Value<'_>) -> Option<Found> {
    let name = count(text, behind, 24, |b| is_word(b) || b == b'.' || b == b'-');
    for at in (behind..=behind + name).rev() {
        // Quotes and brackets, then spaces, are no part of an operator: all that stand there are taken.
        let at = at + count(text, at, 2, |b| b"\"'`])".contains(&b));
        let at = at + count(text, at, 8, is_blank);
        if let Some(found) = operators(text, at, &mut |at| behind_operator(text, at, value)) {
            return Some(found);
        }
    }
    None
}

/// Each way to read an operator at `at`.
fn operators(text: &[u8], at: usize, then: &mut dyn FnMut(usize) -> Option<Found>) -> Option<Found> {
    let byte = |n: usize| text.get(at + n).copied();
    let first = byte(0)?;
    let colons = count(text, at, 3, |b| b == b':');
    if first == b':' && byte(colons) == Some(b'=') {
        return then(at + colons + 1).or_else(|| then(at + 1));
    }
    match (first, byte(1)) {
        (b'?', Some(b'=')) | (b'-', Some(b'>')) => then(at + 2),
        (b'|', Some(b'|')) => {
            let colon = if byte(2) == Some(b':') { then(at + 3) } else { None };
            colon.or_else(|| then(at + 2))
        }
        (b'=', next) => {
            let arrow = if next == Some(b'>') { then(at + 2) } else { None };
            arrow.or_else(|| {
                let signs = count(text, at, 3, |b| b == b'=');
                (1..=signs).rev().find_map(|n| then(at + n))
            })
        }
        (b':' | b',' | b'>' | b'(', _) => then(at + 1),
        _ => None,
    }
}

/// Spaces, quotes, the name of a scheme.
fn behind_operator(text: &[u8], at: usize, value: Value<'_>) -> Option<Found> {
    let blanks = count(text, at, 4, is_blank);
    for at in (at..=at + blanks).rev() {
        let (quotes, n) = quotes(text, at);
        for &at in quotes[..=n].iter().rev() {
            let scheme = ["bearer ", "token ", "basic "].iter().find_map(|scheme| {
                let end = at + scheme.len();
                text.get(at..end)?.eq_ignore_ascii_case(scheme.as_bytes()).then_some(end)
            });
            if let Some(found) = scheme.and_then(&mut *value).or_else(|| value(at)) {
                return Some(found);
            }
        }
    }
    None
}

/// The offsets behind none, one, two and three quotes, each of which may be escaped, and how many there are.
fn quotes(text: &[u8], at: usize) -> ([usize; 4], usize) {
    let mut ends = [at; 4];
    for n in 0..3 {
        let at = ends[n];
        let quote = at + usize::from(text.get(at) == Some(&b'\\'));
        if !text.get(quote).is_some_and(|b| b"\"'`".contains(b)) {
            return (ends, n);
        }
        ends[n + 1] = quote + 1;
    }
    (ends, 3)
}

fn is_blank(b: u8) -> bool {
    b == b' ' || b == b'\t'
}

/// How many bytes from `at` on, `most` at most, are of a class.
fn count(text: &[u8], at: usize, most: usize, class: impl Fn(u8) -> bool) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    rest.iter().take(most).take_while(|&&b| class(b)).count()
}
