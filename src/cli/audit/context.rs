//! The lines around a value, with the value masked.

use std::path::{Path, PathBuf};

use aho_corasick::{AhoCorasick, MatchKind};
use bstr::ByteSlice;

use super::model::Item;
use crate::config::{Files, Within};
use crate::finding::Finding;

/// Lines shown before and after the value's.
const AROUND: usize = 3;
/// Characters shown of a line.
const WIDTH: usize = 240;

/// Reads the files that values are in.
pub struct Context {
    root: PathBuf,
    /// Every value that was found: none of them is shown by the way.
    values: AhoCorasick,
}

/// A line of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// 1-based.
    pub number: u64,
    /// Its text; controls are replaced.
    pub text: String,
    /// Whether the value is on it.
    pub marked: bool,
}

impl Context {
    /// Reads below a folder; `findings` are everything that was found there.
    ///
    /// # Errors
    /// There are too many values to search for.
    pub fn new(root: &Path, findings: &[Finding]) -> anyhow::Result<Self> {
        let values = findings.iter().map(|finding| finding.secret.expose()).filter(|value| !value.is_empty());
        let values = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(values)?;
        Ok(Context { root: root.to_owned(), values })
    }

    /// The lines around an item. Values are masked; the item's own is not if `reveal`.
    pub fn lines(&self, item: &Item, reveal: bool) -> Vec<Line> {
        let location = &item.finding.location;
        let plain =
            location.container.is_empty() && location.message_kind.is_none() && item.finding.commit.is_none();
        let path = location.path.as_ref().filter(|_| plain).map(|path| self.root.join(path.to_path_lossy()));
        let Some(text) = path.and_then(|path| Within::new(&self.root).read(&path).ok()) else {
            return vec![self.matched(item, reveal)];
        };
        let first = location.start.line.saturating_sub(AROUND as u64).max(1);
        let last = location.end.line.saturating_add(AROUND as u64);
        let own = Some(item.finding.secret.expose()).filter(|_| reveal);
        let shown = mask(&text, &self.values, own);
        let numbered = (1u64..).zip(shown.split(|&b| b == b'\n'));
        numbered
            .skip_while(|(number, _)| *number < first)
            .take_while(|(number, _)| *number <= last)
            .take(40)
            .map(|(number, line)| Line {
                number,
                text: printable(line),
                marked: (location.start.line..=location.end.line).contains(&number),
            })
            .collect()
    }

    /// The text that the rule matched, where the file is not at hand.
    fn matched(&self, item: &Item, reveal: bool) -> Line {
        let (before, after) = &item.finding.matched;
        let mut text = before.to_vec();
        match reveal {
            true => text.extend_from_slice(item.finding.secret.expose()),
            false => text.extend_from_slice(item.finding.secret.redacted().as_bytes()),
        }
        text.extend_from_slice(after);
        Line {
            number: item.finding.location.start.line,
            text: printable(&text.replace("\n", "␤")),
            marked: true,
        }
    }
}

/// The text with the values replaced, but for `except`; line ends are kept, so that lines keep their
/// numbers.
fn mask(text: &[u8], values: &AhoCorasick, except: Option<&[u8]>) -> Vec<u8> {
    let mut masked = Vec::with_capacity(text.len());
    let mut rest = 0;
    for found in values.find_iter(text) {
        let value = &text[found.range()];
        masked.extend_from_slice(&text[rest..found.start()]);
        if except == Some(value) {
            masked.extend_from_slice(value);
        } else {
            masked.extend_from_slice("••••••••".as_bytes());
            masked.extend(value.iter().filter(|&&b| b == b'\n').copied());
        }
        rest = found.end();
    }
    masked.extend_from_slice(&text[rest..]);
    masked
}

fn printable(line: &[u8]) -> String {
    let clean = |c: char| match c {
        '\t' => ' ',
        c if c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') =>
        {
            '\u{fffd}'
        }
        c => c,
    };
    line.to_str_lossy().trim_end_matches('\r').chars().take(WIDTH).map(clean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_every_value_and_keeps_line_numbers() {
        let values = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(["VAL", "VALUE", "A\nB"])
            .unwrap();
        let masked = mask(b"a VAL b VALUE\nVAL\nA\nB\n", &values, Some(b"VALUE"));
        assert_eq!(masked.to_str_lossy(), "a •••••••• b VALUE\n••••••••\n••••••••\n\n");
        assert_eq!(printable("a\u{1b}[31m\u{202e}é\r".as_bytes()), "a\u{fffd}[31m\u{fffd}é");
    }
}
