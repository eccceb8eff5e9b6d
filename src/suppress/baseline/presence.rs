//! Whether known values still stand in a text: by the fingerprints of its words, without any rule.
//!
//! A word that has the fingerprint *is* the value, so that what is found here needs no scan. What is not
//! found may still be there (encoded, over several lines, in a container): only a scan can tell.

use std::collections::HashSet;

use crate::suppress::fingerprint::Fingerprinter;

/// Words outside of these lengths, in bytes, are not tried.
const LENGTHS: std::ops::RangeInclusive<usize> = 4..=4096;

/// The shortest word that looks like a value.
const LIKELY: usize = 8;

/// What stands between words.
const SEPARATORS: [bool; 256] = {
    let mut table = [false; 256];
    let all = b" \t\r\n\x0b\x0c\"'`<>()[]{},;";
    let mut i = 0;
    while i < all.len() {
        table[all[i] as usize] = true;
        i += 1;
    }
    table
};

fn is_separator(b: u8) -> bool {
    SEPARATORS[usize::from(b)]
}

/// Takes the values that stand in a text from `wanted`, a set of [identities](Fingerprinter::id). `budget` is the number
/// of words that may still be tried: where a text has very many, a scan is quicker.
pub fn take_present(
    text: &[u8],
    fingerprinter: &Fingerprinter,
    wanted: &mut HashSet<u128>,
    budget: &mut usize,
) {
    let mut attempt = |word: &[u8]| {
        if LENGTHS.contains(&word.len()) && !wanted.is_empty() && *budget > 0 {
            *budget -= 1;
            wanted.remove(&fingerprinter.id(word));
        }
        !wanted.is_empty() && *budget > 0
    };
    // Most values look like values. Only when one does not are all words tried.
    let go_on = each_likely(text, &mut |word| parts(word).all(&mut attempt));
    if go_on {
        text.split(|&b| matches!(b, b'\n' | b'\r')).all(|line| words(line).all(&mut attempt));
    }
}

/// Calls `visit` for words with letters and digits that are not the names of something, while it returns true.
fn each_likely(text: &[u8], visit: &mut dyn FnMut(&[u8]) -> bool) -> bool {
    let mut at = 0;
    while at < text.len() {
        let rest = text.get(at..).unwrap_or_default();
        let len = rest.iter().position(|&b| is_separator(b)).unwrap_or(rest.len());
        let (word, behind) = rest.split_at(len);
        if len >= LIKELY && is_likely(word) && !is_name(word, behind) && !visit(word) {
            return false;
        }
        at += len + 1;
    }
    true
}

fn is_likely(word: &[u8]) -> bool {
    word.iter().any(u8::is_ascii_digit) && word.iter().any(u8::is_ascii_alphabetic)
}

/// Whether a word is what a value is given to: `name = `, `"name": `, `name:`.
fn is_name(word: &[u8], behind: &[u8]) -> bool {
    let plain =
        |word: &[u8]| word.iter().all(|&b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'));
    let mut next = behind.iter().take(3).filter(|b| !matches!(b, b' ' | b'"' | b'\''));
    match word.strip_suffix(b":").or(word.strip_suffix(b"=")) {
        Some(name) => plain(name),
        None => plain(word) && matches!(next.next(), Some(b'=' | b':')),
    }
}

/// What could be a value in a line: what stands in quotes, and what stands between other separators, each
/// also without the name before it, as in `name=value` and `scheme://user:value@host`.
fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let quoted = [b'"', b'\'', b'`'].into_iter().flat_map(move |quote| in_quotes(line, quote));
    let plain = line.split(|&b| is_separator(b)).flat_map(parts);
    plain.chain(quoted)
}

/// What stands in quotes, where the split at separators does not give the same.
fn in_quotes(line: &[u8], quote: u8) -> impl Iterator<Item = &[u8]> {
    let inner = line.split(move |&b| b == quote).skip(1);
    inner.filter(|text| text.iter().any(|&b| is_separator(b)))
}

fn parts(word: &[u8]) -> impl Iterator<Item = &[u8]> {
    let behind = |at: Option<usize>| at.and_then(|at| word.get(at + 1..)).filter(|rest| !rest.is_empty());
    let password = memchr::memrchr(b'@', word).and_then(|at| {
        let before = word.get(..at)?;
        let from = memchr::memmem::find(before, b"//").map_or(0, |at| at + 2);
        before.get(from + memchr::memchr(b':', before.get(from..)?)? + 1..)
    });
    let assigned = behind(memchr::memchr(b'=', word));
    let named = behind(memchr::memchr(b':', word)).filter(|rest| !rest.starts_with(b"//"));
    // A sentence may end behind a value.
    let end = word.iter().rposition(|b| !b":.!?".contains(b)).map_or(0, |at| at + 1);
    let trimmed = word.get(..end).filter(|rest| rest.len() < word.len());
    std::iter::once(word).chain(trimmed).chain(assigned).chain(named).chain(password)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn present(text: &str, values: &[&str]) -> Vec<bool> {
        let fingerprinter = Fingerprinter::new(None, None);
        let mut wanted: HashSet<u128> = values.iter().map(|v| fingerprinter.id(v.as_bytes())).collect();
        take_present(text.as_bytes(), &fingerprinter, &mut wanted, &mut 10_000);
        values.iter().map(|v| !wanted.contains(&fingerprinter.id(v.as_bytes()))).collect()
    }

    #[test]
    fn values_in_every_form() {
        let value = "Kq7-x2/mZ9";
        for text in [
            format!("a = '{value}'"),
            format!("\"a\":\"{value}\","),
            format!("A={value}"),
            format!("a: {value}\r\nb"),
            format!("a:{value}"),
            format!("f({value});"),
            format!("<a>{value}</a>"),
            format!("a.b: \"c9-d\", \"e_f10\": \"{value}\""),
            format!("{value} = 1"),
            format!("{value}:"),
            format!("x://user:{value}@host/p"),
        ] {
            assert_eq!(present(&text, &[value]), [true], "{text}");
        }
        assert_eq!(present("a = 'two words, and more' # x", &["two words, and more"]), [true]);
        assert_eq!(present("password = correcthorse", &["correcthorse", "batterystaple"]), [true, false]);
        assert_eq!(present("Kq7-x2/mZ9z", &[value]), [false], "a longer word is another value");
    }

    #[test]
    fn no_more_words_are_tried_than_the_budget_allows() {
        let fingerprinter = Fingerprinter::new(None, None);
        let mut wanted = HashSet::from([fingerprinter.id(b"value9word")]);
        let mut budget = 3;
        take_present(b"one1word two2word six6word value9word", &fingerprinter, &mut wanted, &mut budget);
        assert_eq!((wanted.len(), budget), (1, 0));
        take_present(b"value9word", &fingerprinter, &mut wanted, &mut budget);
        assert_eq!((wanted.len(), budget), (1, 0));
    }

    #[test]
    fn likely_words_have_letters_and_digits_and_are_no_names() {
        let visited = |text: &str| {
            let mut words = Vec::new();
            let all = each_likely(text.as_bytes(), &mut |word| {
                words.push(String::from_utf8(word.to_vec()).unwrap());
                true
            });
            assert!(all);
            words
        };
        for (text, expected) in [
            ("", &[][..]),
            // Eight bytes are the least.
            ("abcdef7 abcdef78", &["abcdef78"]),
            ("abcdefgh 12345678", &[]),
            ("name_of_1: abc-def-9", &["abc-def-9"]),
            ("name_of_1=abc-def-9", &["name_of_1=abc-def-9"]),
            ("\"name_of_1\": \"abc-def-9\"", &["abc-def-9"]),
            ("abc-def-9", &["abc-def-9"]),
            ("(abc-def-9) [xyz-def-8]", &["abc-def-9", "xyz-def-8"]),
        ] {
            assert_eq!(visited(text), expected, "{text}");
        }
        let mut first = 0;
        let stop = &mut |_: &[u8]| {
            first += 1;
            false
        };
        assert!(!each_likely(b"abc-def-9 xyz-def-8", stop));
        assert_eq!(first, 1, "nothing more is visited");
    }

    #[test]
    fn names_are_plain_words_that_something_is_given_to() {
        for (word, behind, expected) in [
            ("name1:", "", true),
            ("name1=", "", true),
            ("na/me1:", "", false),
            ("name1", " = x", true),
            ("name1", "\": x", true),
            ("name1", "' : x", true),
            ("a_b-c.1", "=x", true),
            ("na/me1", " = x", false),
            ("name1", " x = y", false),
            ("name1", "", false),
            // Further away than three bytes nothing is looked for.
            ("name1", "   = x", false),
        ] {
            assert_eq!(is_name(word.as_bytes(), behind.as_bytes()), expected, "{word}{behind}");
        }
    }

    /// A word, and what may be a value in it: each once.
    #[test]
    fn parts_of_words() {
        for (word, expected) in [
            ("value", &["value"][..]),
            ("value.", &["value.", "value"]),
            ("a=b", &["a=b", "b"]),
            ("a=", &["a="]),
            ("a:b", &["a:b", "b"]),
            ("a://b", &["a://b"]),
            ("https://u:pw@host", &["https://u:pw@host", "pw"]),
            ("//u:pw@host", &["//u:pw@host", "pw@host", "pw"]),
            ("u:pw@host", &["u:pw@host", "pw@host", "pw"]),
            ("u:p@w@host!", &["u:p@w@host!", "u:p@w@host", "p@w@host!", "p@w"]),
        ] {
            let found: Vec<_> =
                parts(word.as_bytes()).map(|part| std::str::from_utf8(part).unwrap()).collect();
            assert_eq!(found, expected, "{word}");
        }
    }

    /// Words that are too short or too long cost nothing, and nothing is tried once nothing is wanted.
    #[test]
    fn what_a_word_costs() {
        let fingerprinter = Fingerprinter::new(None, None);
        let cost = |text: &str, values: &[&str]| {
            let mut wanted: HashSet<u128> = values.iter().map(|v| fingerprinter.id(v.as_bytes())).collect();
            let mut budget = 100;
            take_present(text.as_bytes(), &fingerprinter, &mut wanted, &mut budget);
            (wanted.len(), 100 - budget)
        };
        assert_eq!(cost("abc", &["abc"]), (1, 0), "three bytes are no value");
        assert_eq!(cost("abcd", &["abcd"]), (0, 1));
        assert_eq!(cost("abcd", &[]), (0, 0));
        assert_eq!(cost("abcd efgh", &["abcd"]), (0, 1));
        let long = "x".repeat(4096);
        assert_eq!(cost(&long, &[&long]), (0, 1));
        assert_eq!(cost(&format!("{long}x"), &[&format!("{long}x")]), (1, 0));
        // A word that looks like a value is tried first, and all words only when it was none.
        assert_eq!(cost("word abc-def-9", &["abc-def-9"]), (0, 1));
        assert_eq!(cost("word abc-def-9", &["word"]), (0, 2));
        assert_eq!(cost("word abc-def-9", &["other"]), (1, 3));
        assert_eq!(cost("one two three four", &["other"]), (1, 2));
    }
}
