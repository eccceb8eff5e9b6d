//! Markers in the text that allow what stands beside them.
//!
//! | marker | allows finds on |
//! |---|---|
//! | `stanch:allow [RULE[,RULE…]] [reason]` | its own line; alone on a line, also the line below |
//! | `gitleaks:allow` | its own line |
//! | `pragma: allowlist secret` (or `whitelist`) | its own line |
//! | `pragma: allowlist nextline secret`, alone on its line | the line below |
//!
//! A marker counts for the line below only when nothing but comment signs stands before it: a marker
//! at the end of a line of code must not hide what the next line holds. A marker inside the secret
//! is not one. A first word in the form of a rule id (`github-pat`) names the only rules that are
//! allowed; a word that no rule has allows nothing, so that a typing error is seen.

use std::ops::Range;

use memchr::memmem;

use super::{Subject, line_span};
use crate::finding::Suppression;

/// The marker, if any, that allows a find.
pub fn marker(subject: &Subject<'_>) -> Option<Suppression> {
    marker_and_lines(subject).map(|(suppression, _)| suppression)
}

/// The marker and the byte range of the lines that it and the find are on.
pub(super) fn marker_and_lines(subject: &Subject<'_>) -> Option<(Suppression, Range<usize>)> {
    let text = subject.text;
    let lines = line_span(text, &subject.span);
    if let Some(suppression) = same_line(subject, lines.clone()) {
        return Some((suppression, lines));
    }
    let end = lines.start.checked_sub(1)?;
    let above = line_span(text, &(end..end));
    let suppression = line_above(subject, &text[above.clone()])?;
    Some((suppression, above.start..lines.end))
}

/// Markers on the lines of the find itself.
fn same_line(subject: &Subject<'_>, lines: Range<usize>) -> Option<Suppression> {
    let line = &subject.text[lines.clone()];
    let inside = |at: usize| subject.secret_span.contains(&(lines.start + at));
    places(line).find_map(|at| {
        let marker = Marker::at(line, at)?;
        let allowed = !inside(marker.start) && !inside(at) && marker.place != Place::NextLine;
        if allowed { marker.suppression(subject) } else { None }
    })
}

/// Markers that stand alone on the line above.
fn line_above(subject: &Subject<'_>, line: &[u8]) -> Option<Suppression> {
    places(line).find_map(|at| {
        let marker = Marker::at(line, at)?;
        let reaches = marker.place != Place::SameLine && alone(&line[..marker.start]);
        if reaches { marker.suppression(subject) } else { None }
    })
}

/// Where a marker's word may stand: both words have five letters.
fn places(line: &[u8]) -> impl Iterator<Item = usize> {
    memmem::find_iter(line, "allow").chain(memmem::find_iter(line, "white"))
}

/// Whether only white space and comment signs stand before a marker.
fn alone(before: &[u8]) -> bool {
    let words = before.trim_ascii();
    words.len() <= 8
        && (words.iter().all(|b| b"#/*-<!;%'\"{(.@".contains(b)) || matches!(words, b"REM" | b"rem" | b"dnl"))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    SameLine,
    NextLine,
    Either,
}

/// A marker in a line.
struct Marker<'a> {
    start: usize,
    name: &'static str,
    place: Place,
    /// What follows the marker.
    rest: &'a [u8],
}

impl<'a> Marker<'a> {
    /// The marker whose word `allow` (of `allow`, `allowlist`) or `white` (of `whitelist`) stands at `at`.
    fn at(line: &'a [u8], at: usize) -> Option<Self> {
        let (before, after) = (&line[..at], &line[at + "allow".len()..]);
        let allow = line[at] == b'a';
        if allow && before.ends_with(b"stanch:") && boundary(before, "stanch:") && ends_word(after) {
            let start = at - "stanch:".len();
            return Some(Marker { start, name: "stanch:allow", place: Place::Either, rest: after });
        }
        if allow && before.ends_with(b"gitleaks:") {
            let start = at - "gitleaks:".len();
            return Some(Marker { start, name: "gitleaks:allow", place: Place::SameLine, rest: b"" });
        }
        let start = ["pragma: ", "pragma:"].iter().find(|word| before.ends_with(word.as_bytes()))?.len();
        let rest = after.strip_prefix(b"list")?;
        let (place, rest) = match separated(rest, b"nextline") {
            Some(rest) => (Place::NextLine, rest),
            None => (Place::SameLine, rest),
        };
        separated(rest, b"secret")?;
        Some(Marker { start: at - start, name: "pragma: allowlist secret", place, rest: b"" })
    }

    /// What it does to a find: nothing, if it names other rules.
    fn suppression(&self, subject: &Subject<'_>) -> Option<Suppression> {
        let (rules, reason) = split(self.rest);
        if !rules.is_empty() && !rules.iter().any(|rule| subject.ids().any(|id| id.as_bytes() == *rule)) {
            return None;
        }
        Some(Suppression::Inline { marker: self.name.to_owned(), reason })
    }
}

fn boundary(before: &[u8], word: &str) -> bool {
    let previous = before.len().checked_sub(word.len() + 1).map(|at| before[at]);
    previous.is_none_or(|b| !b.is_ascii_alphanumeric() && b != b'-' && b != b'_')
}

fn ends_word(after: &[u8]) -> bool {
    after.first().is_none_or(|b| !b.is_ascii_alphanumeric() && *b != b'-' && *b != b'_')
}

/// `rest` behind one separator and the word.
fn separated<'a>(rest: &'a [u8], word: &[u8]) -> Option<&'a [u8]> {
    let (first, rest) = rest.split_first()?;
    if matches!(first, b' ' | b'-') { rest.strip_prefix(word) } else { None }
}

/// Splits what follows `stanch:allow` into rule ids and the reason.
fn split(rest: &[u8]) -> (Vec<&[u8]>, String) {
    let rest = strip_closing(rest).trim_ascii();
    let end = rest.iter().position(u8::is_ascii_whitespace).unwrap_or(rest.len());
    let (first, other) = rest.split_at(end);
    let word = first.strip_suffix(b":").unwrap_or(first);
    let rules: Vec<&[u8]> = word.split(|&b| b == b',').filter(|id| !id.is_empty()).collect();
    if rules.is_empty() || !rules.iter().all(|id| looks_like_rule_id(id)) {
        return (Vec::new(), reason(rest));
    }
    (rules, reason(other))
}

/// `provider-kind`: lower-case words and digits, joined by hyphens.
fn looks_like_rule_id(word: &[u8]) -> bool {
    let parts = || word.split(|&b| b == b'-');
    parts().count() > 1
        && parts()
            .all(|part| !part.is_empty() && part.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()))
}

/// Leaves out what closes the comment around a marker.
fn strip_closing(rest: &[u8]) -> &[u8] {
    let closers = ["*/", "-->", "--}}", "#}", "%>", "*)", "}}"];
    let cut = closers.iter().filter_map(|closer| memmem::find(rest, closer.as_bytes())).min();
    &rest[..cut.unwrap_or(rest.len())]
}

fn reason(text: &[u8]) -> String {
    let text = text.trim_ascii();
    let text = text
        .iter()
        .position(|b| !b"-:,;()".contains(b) && !b.is_ascii_whitespace())
        .map_or(&b""[..], |at| &text[at..]);
    String::from_utf8_lossy(text).chars().filter(|c| !c.is_control()).take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text holds the secret as `SECRET`; returns marker and reason.
    fn check(text: &str, rule: &str) -> Option<(String, String)> {
        let at = memmem::find(text.as_bytes(), b"SECRET").unwrap();
        let span = at..at + 6;
        let subject = Subject {
            rule,
            aliases: &["old-name".into()],
            rule_allowlists: &[],
            text: text.as_bytes(),
            span: span.clone(),
            secret_span: span.clone(),
            secret: &text.as_bytes()[span.clone()],
            matched: &text.as_bytes()[span],
            path: None,
            commit: None,
        };
        match marker(&subject) {
            Some(Suppression::Inline { marker, reason }) => Some((marker, reason)),
            None => None,
            Some(other) => panic!("{other:?}"),
        }
    }

    fn yes(text: &str, reason: &str) {
        let (_, found) = check(text, "github-pat").unwrap_or_else(|| panic!("not allowed: {text}"));
        assert_eq!(found, reason, "{text}");
    }

    fn no(text: &str) {
        assert_eq!(check(text, "github-pat"), None, "{text}");
    }

    #[test]
    fn own_line() {
        yes("k = SECRET # stanch:allow", "");
        yes("k = SECRET # stanch:allow for the docs", "for the docs");
        yes("k = SECRET # stanch:allow github-pat for the docs", "for the docs");
        yes("k = SECRET # stanch:allow aws-key,github-pat: both", "both");
        yes("k = SECRET # stanch:allow old-name", "");
        yes("k = SECRET # stanch:allow - low-risk value", "low-risk value");
        yes("/* stanch:allow test key */ k = SECRET", "test key");
        yes("k = SECRET <!-- stanch:allow github-pat sample -->", "sample");
        yes("k = SECRET // gitleaks:allow", "");
        yes("k = SECRET  # pragma: allowlist secret", "");
        yes("k = SECRET  # pragma:allowlist-secret", "");
        yes("k = SECRET  # pragma: whitelist secret", "");
        no("k = SECRET # stanch:allow aws-key");
        no("k = SECRET # stanch:allowed");
        no("k = SECRET # notstanch:allow");
        no("k = SECRET # pragma: allowlist nextline secret");
        no("k = SECRET\n# stanch:allow");
        no("k = SECRET # pragma: allowlist");
        no("k = SECRET # pragma: allowlist token");
        no("k = SECRET # pragma: allowlist_secret");
    }

    #[test]
    fn line_above_stands_alone() {
        yes("# stanch:allow sample\nk = SECRET", "sample");
        yes("x\n  // stanch:allow github-pat\r\nk = SECRET", "");
        yes("<!-- stanch:allow -->\nk = SECRET", "");
        yes("REM stanch:allow sample\nk = SECRET", "sample");
        no("RUN stanch:allow sample\nk = SECRET");
        yes("# pragma: allowlist nextline secret\nk = SECRET", "");
        no("j = other # stanch:allow\nk = SECRET");
        no("j = other # pragma: allowlist nextline secret\nk = SECRET");
        no("# gitleaks:allow\nk = SECRET");
        no("# pragma: allowlist secret\nk = SECRET");
        no("# stanch:allow\n\nk = SECRET");
    }

    #[test]
    fn not_inside_the_secret() {
        let text = b"k = abcgitleaks:allowdef";
        let with = |secret: Range<usize>| Subject {
            rule: "r",
            aliases: &[],
            rule_allowlists: &[],
            text,
            span: 0..text.len(),
            secret_span: secret.clone(),
            secret: &text[secret],
            matched: text,
            path: None,
            commit: None,
        };
        assert_eq!(marker(&with(4..text.len())), None);
        // Nor is one that the secret only begins or ends in.
        assert_eq!(marker(&with(4..text.len() - "allowdef".len())), None);
        assert_eq!(marker(&with(text.len() - "allowdef".len()..text.len())), None);
        assert!(marker(&with(4..7)).is_some());
    }

    /// Signs of comments are few: a row of them longer than any comment begins with is text.
    #[test]
    fn what_stands_alone() {
        for (before, expected) in [
            ("", true),
            (" \t", true),
            ("########", true),
            ("#########", false),
            ("  <!--  ", true),
            ("REM", true),
            ("rem ", true),
            ("dnl", true),
            ("Rem", false),
            ("# x", false),
            ("#x", false),
        ] {
            assert_eq!(alone(before.as_bytes()), expected, "{before:?}");
        }
    }
}
