//! Suppression: what is known, allowed or accepted is kept, with the reason, and does not count.
//!
//! In order: allowlists, inline markers, the baseline. The first two look at the content and are
//! asked when a find is made ([`Policy::judge`]); the baseline knows values only and is asked at the
//! end, once per value ([`Policy::apply`]).

pub mod allowlist;
pub mod baseline;
pub mod fingerprint;
pub mod foreign;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod ignorefile;
pub mod inline;
mod policy;

use std::borrow::Cow;
use std::ops::Range;

pub(crate) use baseline::write_atomically;
pub use ignorefile::IGNORE_FILE_NAME;
pub use policy::{EXPIRED, Markers, Policy, TrustedText};

/// Greatest part of a line, in bytes each way from a find, that markers and `regexTarget = "line"` see.
const LINE_REACH: usize = 32 << 10;

/// A find, as suppression sees it: before it is a finding, with the text around it at hand.
#[derive(Clone)]
pub struct Subject<'a> {
    /// Id of the rule.
    pub rule: &'a str,
    /// Other ids of the rule.
    pub aliases: &'a [Cow<'static, str>],
    /// Allowlists of the rule.
    pub rule_allowlists: &'a [crate::rules::Allowlist],
    /// The text as it stands in the file.
    pub text: &'a [u8],
    /// Byte range of the match in `text`; of the encoded text, when it was decoded.
    pub span: Range<usize>,
    /// Byte range of the secret in `text`; the same as `span` when it was decoded.
    pub secret_span: Range<usize>,
    /// The value (decoded).
    pub secret: &'a [u8],
    /// The text the rule matched (decoded).
    pub matched: &'a [u8],
    /// The path, relative to the repository or to what is scanned, `/`-separated.
    pub path: Option<&'a [u8]>,
    /// The commit (full id in hex), in history scans.
    pub commit: Option<&'a str>,
}

impl std::fmt::Debug for Subject<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Everything else holds scanned content.
        f.debug_struct("Subject").field("rule", &self.rule).field("span", &self.span).finish_non_exhaustive()
    }
}

impl<'a> Subject<'a> {
    /// The lines of the match, whole (up to 32 KiB each way).
    pub fn line(&self) -> &'a [u8] {
        &self.text[line_span(self.text, &self.span)]
    }

    /// The rule's id and aliases.
    pub fn ids(&self) -> impl Iterator<Item = &'a str> {
        std::iter::once(self.rule).chain(self.aliases.iter().map(Cow::as_ref))
    }
}

/// The whole lines that a span touches, without the last line's end.
fn line_span(text: &[u8], span: &Range<usize>) -> Range<usize> {
    let start = span.start.min(text.len());
    let end = span.end.clamp(start, text.len());
    let floor = start.saturating_sub(LINE_REACH);
    let ceiling = end.saturating_add(LINE_REACH).min(text.len());
    let from = memchr::memrchr(b'\n', &text[floor..start]).map_or(floor, |at| floor + at + 1);
    // A match that ends with a line's end does not touch the next line.
    let last = if end > start && text[end - 1] == b'\n' { end - 1 } else { end };
    let to = memchr::memchr(b'\n', &text[last..ceiling]).map_or(ceiling, |at| last + at);
    from..to
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_span() {
        let text = b"one\ntwo\nthree";
        let of = |span: Range<usize>| &text[line_span(text, &span)];
        assert_eq!(of(4..5), b"two");
        assert_eq!(of(4..8), b"two");
        assert_eq!(of(5..9), b"two\nthree");
        assert_eq!(of(12..13), b"three");
        assert_eq!(of(3..3), b"one");
        assert_eq!(of(50..60), b"three");
        let long = vec![b'x'; 1 << 20];
        assert_eq!(line_span(&long, &(500_000..500_010)).len(), 2 * LINE_REACH + 10);
    }
}
