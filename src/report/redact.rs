//! Keeps the values of secrets out of everything a report shows.
//!
//! A secret's own field is redacted by [`Secret`](crate::finding::Secret). But the same value can stand
//! in the text around another finding, in a file's name, in the name of a branch or of an author. So
//! each text of a report passes here, where every value that the report knows is replaced.

use std::borrow::Cow;
use std::collections::HashMap;

/// What stands in place of a secret.
pub const MARK: &str = "…";

/// Length of the key by which values are found, and so of the shortest value that is replaced, in bytes.
const KEY: usize = 4;

/// In paths and names only values of this length or longer are replaced: a password such as `admin`
/// would otherwise make `src/admin/login.rs` unusable as a place.
pub const SHORTEST_IN_NAMES: usize = 12;

/// In the text of a match every value of this length or longer is replaced.
pub const SHORTEST_IN_TEXT: usize = 6;

/// The values of all secrets of a report, ready to be searched for.
///
/// A table of four-byte beginnings in place of an automaton: 200,000 values cost little memory, and
/// the texts to search are short.
#[derive(Default)]
pub struct Redactor<'a> {
    /// One bit for each hash of a beginning: most positions of a text are rejected here.
    filter: Vec<u64>,
    by_key: HashMap<[u8; KEY], Vec<&'a [u8]>>,
}

impl<'a> Redactor<'a> {
    /// A redactor for these values. With no values it changes nothing.
    pub fn new(values: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut redactor = Redactor { filter: vec![0; FILTER_BITS / 64], by_key: HashMap::new() };
        for value in values {
            let Some(&key) = value.first_chunk::<KEY>() else {
                continue;
            };
            let bit = filter_bit(key);
            redactor.filter[bit / 64] |= 1 << (bit % 64);
            redactor.by_key.entry(key).or_default().push(value);
        }
        for values in redactor.by_key.values_mut() {
            // Longest first: of two values with the same beginning the longer one must go whole.
            values.sort_unstable_by(|a, b| b.len().cmp(&a.len()).then(a.cmp(b)));
            values.dedup();
        }
        redactor
    }

    /// The text with every known value of at least `shortest` bytes replaced by [`MARK`].
    pub fn redact<'t>(&self, text: &'t [u8], shortest: usize) -> Cow<'t, [u8]> {
        let mut out = Vec::new();
        let mut clean_from = 0;
        let mut at = 0;
        while let Some(key) = text.get(at..).and_then(|rest| rest.first_chunk::<KEY>()) {
            match self.longest_at(&text[at..], *key, shortest) {
                Some(len) => {
                    out.extend_from_slice(&text[clean_from..at]);
                    out.extend_from_slice(MARK.as_bytes());
                    at += len;
                    clean_from = at;
                }
                None => at += 1,
            }
        }
        if out.is_empty() {
            return Cow::Borrowed(text);
        }
        out.extend_from_slice(&text[clean_from..]);
        Cow::Owned(out)
    }

    fn longest_at(&self, rest: &[u8], key: [u8; KEY], shortest: usize) -> Option<usize> {
        let bit = filter_bit(key);
        if self.filter.get(bit / 64)? & 1 << (bit % 64) == 0 {
            return None;
        }
        let values = self.by_key.get(&key)?;
        // Sorted by length: what follows the first value that is too short is too short as well.
        values.iter().take_while(|v| v.len() >= shortest).find(|v| rest.starts_with(v)).map(|v| v.len())
    }
}

/// Size of the filter; a power of two.
const FILTER_BITS: usize = 1 << 16;

fn filter_bit(key: [u8; KEY]) -> usize {
    (u32::from_le_bytes(key).wrapping_mul(0x9e37_79b1) >> 16) as usize % FILTER_BITS
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(redactor: &Redactor<'_>, text: &str, shortest: usize) -> String {
        String::from_utf8(redactor.redact(text.as_bytes(), shortest).into_owned()).expect("still UTF-8")
    }

    #[test]
    fn replaces_every_occurrence_longest_first() {
        let redactor = Redactor::new([&b"abcdef"[..], b"abcdefgh", b"zzzz"]);
        assert_eq!(text(&redactor, "x abcdefgh abcdef abcdeg zzzz", 4), "x … … abcdeg …");
        assert_eq!(text(&redactor, "abcdefgh", 4), "…");
        assert_eq!(text(&redactor, "zzzz abcdef", 6), "zzzz …");
    }

    #[test]
    fn nothing_known_changes_nothing() {
        assert!(matches!(Redactor::default().redact(b"anything", 4), Cow::Borrowed(b"anything")));
        assert!(matches!(Redactor::new([&b"abc"[..]]).redact(b"abcabc", 1), Cow::Borrowed(_)));
    }

    /// The slow twin: at each position try every value, longest first.
    fn slow(values: &[Vec<u8>], text: &[u8], shortest: usize) -> Vec<u8> {
        let (mut out, mut at) = (Vec::new(), 0);
        while at < text.len() {
            let fits = |v: &&Vec<u8>| v.len() >= shortest.max(KEY) && text[at..].starts_with(v);
            match values.iter().filter(fits).map(Vec::len).max() {
                Some(len) => {
                    out.extend_from_slice(MARK.as_bytes());
                    at += len;
                }
                None => {
                    out.push(text[at]);
                    at += 1;
                }
            }
        }
        out
    }

    proptest! {
        #[test]
        fn agrees_with_its_slow_twin(
            values in proptest::collection::vec(proptest::collection::vec(b'a'..=b'b', 0..9), 0..6),
            text in proptest::collection::vec(b'a'..=b'c', 0..60),
            shortest in 0usize..8,
        ) {
            let redactor = Redactor::new(values.iter().map(Vec::as_slice));
            prop_assert_eq!(redactor.redact(&text, shortest).into_owned(), slow(&values, &text, shortest));
        }
    }
}
