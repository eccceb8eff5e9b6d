//! Which lines of a text are new.

use std::collections::HashSet;
use std::ops::Range;

/// The lines of `new` that none of the texts in `old` holds, as ascending byte ranges that include the
/// line ends; neighbours are one range.
///
/// A line that moved is not new, nor is a second copy of it. Lines end at `\n`; a missing line end at the
/// end of a text makes no difference. Takes time in proportion to the texts.
pub fn new_lines(old: &[&[u8]], new: &[u8]) -> Vec<Range<usize>> {
    // The standard hasher is keyed: a hostile text cannot make its lines collide. A hit is compared whole.
    let known: HashSet<&[u8]> = old.iter().flat_map(|text| lines(text)).map(|(_, line)| line).collect();
    joined(lines(new).filter(|(_, line)| !known.contains(line)).map(|(range, _)| range))
}

/// Makes neighbouring ranges one.
fn joined(ranges: impl Iterator<Item = Range<usize>>) -> Vec<Range<usize>> {
    let mut joined: Vec<Range<usize>> = Vec::new();
    for range in ranges {
        match joined.last_mut() {
            Some(last) if last.end == range.start => last.end = range.end,
            _ => joined.push(range),
        }
    }
    joined
}

/// A set of lines that outlives the texts they come from.
///
/// Not `Debug`: lines may hold secrets.
#[derive(Default)]
pub(super) struct Known(HashSet<Box<[u8]>>);

impl Known {
    pub(super) fn insert(&mut self, line: &[u8]) {
        if !self.0.contains(line) {
            self.0.insert(line.into());
        }
    }

    /// What is left of ranges of whole lines when the lines of this set are taken away.
    pub(super) fn without(&self, text: &[u8], ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
        let inside = ranges.into_iter().flat_map(|range| {
            let start = range.start;
            lines(&text[range])
                .map(move |(line_range, line)| (start + line_range.start..start + line_range.end, line))
        });
        joined(inside.filter(|(_, line)| !self.0.contains(*line)).map(|(range, _)| range))
    }
}

/// Each line: its range with the line end, and its text without.
pub(super) fn lines(text: &[u8]) -> impl Iterator<Item = (Range<usize>, &[u8])> {
    let mut start = 0;
    std::iter::from_fn(move || {
        if start == text.len() {
            return None;
        }
        let end = memchr::memchr(b'\n', &text[start..]).map(|at| start + at);
        let range = start..end.map_or(text.len(), |end| end + 1);
        let line = &text[start..end.unwrap_or(text.len())];
        start = range.end;
        Some((range, line))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new<'a>(old: &[&str], new: &'a str) -> Vec<&'a str> {
        let old: Vec<&[u8]> = old.iter().map(|text| text.as_bytes()).collect();
        new_lines(&old, new.as_bytes()).into_iter().map(|range| &new[range]).collect()
    }

    #[test]
    fn only_lines_that_are_nowhere_in_the_old_texts() {
        assert_eq!(new(&["a\nb\nc\n"], "a\nx\ny\nb\nz"), ["x\ny\n", "z"]);
        assert_eq!(new(&[], "a\nb"), ["a\nb"]);
        assert_eq!(new(&["b\na"], "a\nb\n"), [""; 0]);
        assert_eq!(new(&["a\n", "b"], "b\na\n\nc"), ["\nc"]);
        assert_eq!(new(&["a"], ""), [""; 0]);
        assert_eq!(new(&["a\r\n"], "a\n"), ["a\n"]);
    }

    #[test]
    fn agrees_with_a_search_for_each_line() {
        let old = "p\nq\n\nr s\nt\n";
        let text = "r s\nr\n\nq\nq\nu\n\nv";
        let slow: Vec<&str> = text
            .split_inclusive('\n')
            .filter(|line| !old.split('\n').any(|known| known == line.trim_end_matches('\n')))
            .collect();
        assert_eq!(new(&[old], text).concat(), slow.concat());
    }
}
