//! Byte offsets → lines and columns.

use std::cell::RefCell;
use std::collections::HashMap;

use crate::finding::Position;

/// Where lines begin in a text; made only for texts that have findings.
#[derive(Debug)]
pub struct Lines<'a> {
    text: &'a [u8],
    /// Offset of the first byte of each line.
    starts: Vec<usize>,
    /// Position of the text's first byte in what it was cut from.
    origin: Position,
    /// For long lines that were asked about, by index: characters up to some offsets, one every [`STEP`].
    marks: RefCell<HashMap<usize, Vec<(usize, u64)>>>,
}

/// Bytes between two places in a long line whose columns are remembered.
const STEP: usize = 16 << 10;

impl<'a> Lines<'a> {
    /// Indexes a text that begins at `origin` (line 1, column 1 for a whole file).
    pub fn new(text: &'a [u8], origin: Position) -> Self {
        let starts = std::iter::once(0).chain(memchr::memchr_iter(b'\n', text).map(|i| i + 1)).collect();
        Lines { text, starts, origin, marks: RefCell::default() }
    }

    /// Index of the line that holds the byte at `offset`.
    fn index(&self, offset: usize) -> usize {
        self.starts.partition_point(|&start| start <= offset).saturating_sub(1)
    }

    /// Position of the byte at `offset` (or of the text's end).
    pub fn position(&self, offset: usize) -> Position {
        let offset = offset.min(self.text.len());
        let index = self.index(offset);
        let column = self.characters_before(index, offset) + 1;
        if index == 0 {
            return Position { line: self.origin.line, column: self.origin.column + column - 1 };
        }
        Position { line: self.origin.line + index as u64, column }
    }

    /// Number of characters between the beginning of a line and an offset in it. A line with many findings is
    /// not counted anew for each of them.
    fn characters_before(&self, index: usize, offset: usize) -> u64 {
        let start = self.starts[index];
        if offset - start <= 2 * STEP {
            return characters(&self.text[start..offset]);
        }
        let mut marks = self.marks.borrow_mut();
        let marks = marks.entry(index).or_insert_with(|| vec![(start, 0)]);
        while let Some(&(at, before)) = marks.last()
            && at + 2 * STEP < offset
        {
            // Between two characters, so that both sides count as the whole does.
            let continues = |i: &usize| self.text.get(*i).is_some_and(|b| b & 0xc0 == 0x80);
            let next = (at + STEP..at + 2 * STEP).find(|i| !continues(i)).unwrap_or(at + 2 * STEP);
            marks.push((next, before + characters(&self.text[at..next])));
        }
        let nearest = marks.partition_point(|(at, _)| *at <= offset).saturating_sub(1);
        let (at, before) = marks[nearest];
        before + characters(&self.text[at..offset])
    }

    /// Range of bytes of the lines that `start..end` touches, the last line's `\n` not included.
    pub fn range(&self, start: usize, end: usize) -> std::ops::Range<usize> {
        let first = self.starts[self.index(start)];
        let last = self.index(end.max(start + 1) - 1);
        let after = self.starts.get(last + 1).map_or(self.text.len(), |&next| next - 1);
        first..after.max(first)
    }
}

/// Number of characters: bytes that do not continue a UTF-8 sequence, or every byte where the text
/// is not UTF-8.
fn characters(bytes: &[u8]) -> u64 {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.chars().count() as u64,
        Err(_) => bstr::ByteSlice::chars(bytes).count() as u64,
    }
}

/// Where a text that begins at `from` ends.
pub fn advance(from: Position, text: &[u8]) -> Position {
    match memchr::memrchr(b'\n', text) {
        None => Position { line: from.line, column: from.column + characters(text) },
        Some(last) => Position {
            line: from.line + memchr::memchr_iter(b'\n', text).count() as u64,
            column: 1 + characters(&text[last + 1..]),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOP: Position = Position { line: 1, column: 1 };

    #[test]
    fn positions_count_characters() {
        let text = "ab\nä€x\n\nz".as_bytes();
        let lines = Lines::new(text, TOP);
        let at = |needle: &str| {
            let offset = bstr::ByteSlice::find(text, needle).unwrap();
            let p = lines.position(offset);
            (p.line, p.column)
        };
        assert_eq!(at("a"), (1, 1));
        assert_eq!(at("b"), (1, 2));
        assert_eq!(at("x"), (2, 3));
        assert_eq!(at("z"), (4, 1));
        assert_eq!(lines.range(3, 5), 3..text.len() - 3);
    }

    #[test]
    fn long_lines_are_counted_as_short_ones_are() {
        let mut text = "short\n".to_owned();
        for i in 0..40_000 {
            text.push_str(["a", "ä", "日", "\u{1f600}", "xyz "][i % 5]);
        }
        text.push_str("\nlast");
        for bytes in [text.as_bytes().to_vec(), [text.as_bytes(), &[0xff; 90_000], b"\xb0\xb0z"].concat()] {
            let lines = Lines::new(&bytes, TOP);
            // Back and forth.
            for n in (0..bytes.len()).step_by(997).flat_map(|n| [n, bytes.len() - n]) {
                let offset = (n..bytes.len()).find(|&i| bytes[i] & 0xc0 != 0x80).unwrap_or(bytes.len());
                assert_eq!(lines.position(offset), advance(TOP, &bytes[..offset]), "{offset}");
            }
        }
    }

    #[test]
    fn a_cut_text_goes_on_counting() {
        let text = b"one\ntwo\nthree four".as_slice();
        for cut in 0..text.len() {
            let origin = advance(TOP, &text[..cut]);
            let lines = Lines::new(&text[cut..], origin);
            let whole = Lines::new(text, TOP);
            for offset in cut..=text.len() {
                assert_eq!(lines.position(offset - cut), whole.position(offset), "{cut} {offset}");
            }
        }
    }
}
