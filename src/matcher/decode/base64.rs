//! Runs of base64, base64url and hex, in one line or wrapped over many.

use std::ops::Range;

use super::extent::glue_before;
use super::likeness;
use super::triggers::in_class;
use super::{Budget, Chain, Content, Decoded, MIN_RUN, Map, inflate, transcode};
use crate::matcher::work;

/// Shortest run of hex digits that is tried, in characters.
const MIN_HEX: usize = 24;
/// Most white space and comment characters between two lines of a wrapped run, on either side.
const MAX_INDENT: usize = 64;
/// Characters that are decoded to tell whether a run holds text.
const PROBE: usize = 28;

/// Value of a base64 or base64url character; `NONE` for others.
const SIXBIT: [u8; 256] = {
    let mut table = [NONE; 256];
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut i = 0;
    while i < 64 {
        table[alphabet[i] as usize] = i as u8;
        i += 1;
    }
    table[b'-' as usize] = 62;
    table[b'_' as usize] = 63;
    table
};

/// Value of a hex digit; `NONE` for others.
pub(super) const NIBBLE: [u8; 256] = {
    let mut table = [NONE; 256];
    let mut i = 0;
    while i < 10 {
        table[b'0' as usize + i] = i as u8;
        i += 1;
    }
    i = 0;
    while i < 6 {
        table[b'a' as usize + i] = 10 + i as u8;
        table[b'A' as usize + i] = 10 + i as u8;
        i += 1;
    }
    table
};

/// Marks bytes that are no digit.
pub(super) const NONE: u8 = 0xff;

/// A run: its segments, one a line, in order.
#[derive(Debug)]
struct Run {
    segments: Vec<Range<usize>>,
}

/// The start of the class characters that end at `at`, but not before `floor`.
pub(super) fn class_start(text: &[u8], at: usize, floor: usize) -> usize {
    let in_run = |b: &&u8| SIXBIT[usize::from(**b)] != NONE;
    at - text.get(floor.min(at)..at).unwrap_or_default().iter().rev().take_while(in_run).count()
}

/// The end of the class characters that begin at `at`.
pub(super) fn class_end(text: &[u8], at: usize) -> usize {
    let in_run = |b: &&u8| SIXBIT[usize::from(**b)] != NONE;
    at + text.get(at..).unwrap_or_default().iter().take_while(in_run).count()
}

/// Whether the 16 characters up to `at`, the first of a run, have a capital letter or a digit, as all
/// but one in thousands of encoded runs have; most identifiers and paths have none.
#[inline]
pub(super) fn is_mixed(text: &[u8], at: usize) -> bool {
    let first = text.get((at + 1).saturating_sub(MIN_RUN)..=at).and_then(|run| run.first_chunk::<MIN_RUN>());
    first
        .is_none_or(|run| run.iter().fold(false, |any, &b| any | b.is_ascii_uppercase() | b.is_ascii_digit()))
}

/// Decodes the run that has a class character at `at`, and returns the offset after it.
pub(super) fn decode_around(text: &[u8], at: usize, budget: &mut Budget, out: &mut Vec<Decoded>) -> usize {
    let only = segment_around(text, at);
    work::count(only.len());
    let first = out.len();
    let run = match stands_alone(text, &only) {
        true => {
            decode_value(text, std::slice::from_ref(&only), budget, out);
            only
        }
        false => {
            let run = Run::of(text, only.clone());
            run.decode(text, budget, out);
            run.segments.first().map_or(at, |s| s.start)..run.segments.last().map_or(at, |s| s.end)
        }
    };
    if out.len() > first {
        let last = run.end - class_start(text, run.end, 0).max(run.start);
        let reach = reach_before(text, run.start)..reach_after(text, run.end, last).min(text.len());
        out[first..].iter_mut().for_each(|found| found.reach = reach.clone());
    }
    run.end
}

/// The first byte that decides on whether a run that begins at `start` goes on before it.
fn reach_before(text: &[u8], start: usize) -> usize {
    match separator_start(text, start) {
        Some(end) => class_start(text, end, 0).saturating_sub(2),
        None => glue_before(text, start, 2 * MAX_INDENT + 8).saturating_sub(4),
    }
}

/// The end of the bytes that decide on whether a run with a last line of so many bytes goes on behind its end;
/// may lie behind the text.
fn reach_after(text: &[u8], end: usize, last: usize) -> usize {
    let padding = text.get(end..).unwrap_or_default().iter().take(2).take_while(|&&b| b == b'=').count();
    let near = end + padding.max(blanks(text.get(end..).unwrap_or_default())) + 1;
    if last < MIN_RUN {
        return near;
    }
    let far = match separator_end(text, end) {
        Some(start) => {
            let after = class_end(text, start);
            after + blanks(text.get(after..).unwrap_or_default()) + 1
        }
        None => end + blanks(text.get(end..).unwrap_or_default()) + 4,
    };
    near.max(far)
}

/// Whether the bytes beside a segment show that it is not wrapped. Most are identifiers and paths in
/// the middle of a line, or alone in theirs.
fn stands_alone(text: &[u8], segment: &Range<usize>) -> bool {
    !(open_before(text, segment.start) || open_after(text, segment.end))
}

fn open_before(text: &[u8], start: usize) -> bool {
    let before = text.get(..start).unwrap_or_default();
    let is_sign = |b: u8| matches!(b, b' ' | b'\t' | b'#' | b'*' | b'>' | b'|' | b';');
    let mut back = before.iter().rev().copied();
    match back.find(|&b| !is_sign(b)) {
        Some(b'\n' | b'\r') => {
            let last = back.find(|&b| b != b'\r');
            last.is_some_and(|b| in_class(b) || matches!(b, b' ' | b'\t' | b'\\'))
        }
        Some(b'n' | b'r') => before.len() >= 2 && before.get(before.len() - 2) == Some(&b'\\'),
        _ => false,
    }
}

fn open_after(text: &[u8], end: usize) -> bool {
    let after = text.get(end..).unwrap_or_default();
    match after.iter().find(|b| !matches!(b, b' ' | b'\t')) {
        Some(b'\\') => true,
        Some(b'\n' | b'\r') => {
            separator_end(text, end).and_then(|i| text.get(i)).is_some_and(|&b| in_class(b))
        }
        _ => false,
    }
}

impl Run {
    /// The run around a segment.
    fn of(text: &[u8], first: Range<usize>) -> Run {
        let mut segments = vec![first.clone()];
        let mut left = first.clone();
        while let Some(before) = segment_before(text, &left) {
            segments.push(before.clone());
            left = before;
        }
        segments.reverse();
        let mut right = first;
        while let Some(after) = segment_after(text, &right) {
            segments.push(after.clone());
            right = after;
        }
        Run { segments }
    }

    /// Appends what the run says, if it says anything. Lines that were taken for one run and are
    /// a list of values give one text each.
    pub(super) fn decode(&self, text: &[u8], budget: &mut Budget, out: &mut Vec<Decoded>) {
        let mut rest = &self.segments[..];
        while !rest.is_empty() {
            let (run, after) = rest.split_at(self.first_value(text, rest));
            if !decode_value(text, run, budget, out) && run.len() > 1 {
                // A list of values, of which the first are no text.
                for segment in run {
                    decode_value(text, std::slice::from_ref(segment), budget, out);
                }
            }
            rest = after;
        }
    }

    /// How many segments belong to the first value. Where a line ends inside a group of four
    /// characters, the next may begin anew.
    fn first_value(&self, text: &[u8], segments: &[Range<usize>]) -> usize {
        let mut symbols = 0;
        for (i, pair) in segments.windows(2).enumerate() {
            let [a, b] = pair else { continue };
            symbols += a.len();
            if symbols % 4 != 0 {
                let mut probe = [0; PROBE];
                let fresh = probe_of(text, std::slice::from_ref(b), 0, &mut probe);
                if says_text(fresh) {
                    return i + 1;
                }
            }
        }
        segments.len()
    }
}

/// The maximal stretch of class characters around `at`, without the letter of an escape before it.
fn segment_around(text: &[u8], at: usize) -> Range<usize> {
    let in_run = |b: &&u8| SIXBIT[usize::from(**b)] != NONE;
    let (before, after) = text.split_at(at.min(text.len()));
    let back = before.iter().rev().take_while(in_run).count();
    let forward = after.iter().take_while(in_run).count();
    without_escape(text, before.len() - back..before.len() + forward)
}

/// Drops the `n` of a `\n` before the run, and `0x`.
fn without_escape(text: &[u8], run: Range<usize>) -> Range<usize> {
    let before = run.start.checked_sub(1).and_then(|i| text.get(i));
    let drop = match text.get(run.clone()) {
        Some([b'n' | b'r' | b't', ..]) if before == Some(&b'\\') => 1,
        Some([b'0', b'x' | b'X', ..]) => 2,
        _ => 0,
    };
    (run.start + drop).min(run.end)..run.end
}

fn segment_before(text: &[u8], after: &Range<usize>) -> Option<Range<usize>> {
    let end = separator_start(text, after.start)?;
    let last = end.checked_sub(1)?;
    if !in_class(*text.get(last)?) {
        return None;
    }
    let before = segment_around(text, last);
    (before.end == end && joins(text, &before, after)).then_some(before)
}

fn segment_after(text: &[u8], before: &Range<usize>) -> Option<Range<usize>> {
    if before.len() < MIN_RUN {
        return None;
    }
    let start = separator_end(text, before.end)?;
    if !in_class(*text.get(start)?) {
        return None;
    }
    let after = segment_around(text, start);
    (after.start == start && joins(text, before, &after)).then_some(after)
}

/// Whether two lines are parts of one wrapped run: the first is long, and the second fills its line.
fn joins(text: &[u8], before: &Range<usize>, after: &Range<usize>) -> bool {
    let dashes = |r: &Range<usize>| {
        let run = text.get(r.clone()).unwrap_or_default();
        run.starts_with(b"----") || run.ends_with(b"----")
    };
    let rest = text.get(after.end..).unwrap_or_default();
    let rest = rest.get(blanks(rest)..).unwrap_or_default();
    let fills = match rest.first() {
        None | Some(b'\r' | b'\n') => true,
        Some(b) => text.get(after.end) == Some(b) && matches!(b, b'"' | b'\'' | b'`' | b'\\' | b'<' | b'='),
    };
    before.len() >= MIN_RUN && after.len() >= 2 && fills && !dashes(before) && !dashes(after)
}

/// The end of the line break that begins at `at`: a real one, with a `\` before and an indent or
/// comment sign behind it, or one written as `\n` or `\r\n`.
pub(super) fn separator_end(text: &[u8], at: usize) -> Option<usize> {
    let rest = text.get(at..)?;
    if let Some(written) = [&b"\\r\\n"[..], b"\\n"].iter().find(|e| rest.starts_with(e)) {
        return Some(at + written.len());
    }
    let mut i = usize::from(rest.first() == Some(&b'\\'));
    i += blanks(rest.get(i..)?);
    i += match rest.get(i..)? {
        [b'\r', b'\n', ..] => 2,
        [b'\n' | b'\r', ..] => 1,
        _ => return None,
    };
    i += blanks(rest.get(i..)?);
    let signs =
        rest.get(i..)?.iter().take(2).take_while(|b| matches!(b, b'#' | b'*' | b'>' | b'|' | b';')).count();
    if signs > 0 {
        i += signs;
        i += blanks(rest.get(i..)?);
    }
    Some(at + i)
}

/// The start of the line break that ends at `end`, if there is one.
pub(super) fn separator_start(text: &[u8], end: usize) -> Option<usize> {
    let before = text.get(..end)?;
    let written = [&b"\\r\\n"[..], b"\\n"].iter().find(|e| before.ends_with(e)).map(|e| end - e.len());
    let start = written.or_else(|| {
        let back = |from: usize, set: &dyn Fn(u8) -> bool, most: usize| {
            let part = before.get(..from).unwrap_or_default();
            from - part.iter().rev().take(most).take_while(|&&b| set(b)).count()
        };
        let blank = |b: u8| matches!(b, b' ' | b'\t');
        let mut i =
            back(end, &|b| blank(b) || matches!(b, b'#' | b'*' | b'>' | b'|' | b';'), 2 * MAX_INDENT + 2);
        let line = back(i, &|b| matches!(b, b'\r' | b'\n'), 2);
        // Two line feeds are an empty line; `\r\n` is one line break.
        i = if line + 2 == i && before.get(line..i) != Some(b"\r\n") { i - 1 } else { line };
        i = back(i, &blank, MAX_INDENT);
        Some(back(i, &|b| b == b'\\', 1))
    })?;
    (separator_end(text, start) == Some(end)).then_some(start)
}

fn blanks(text: &[u8]) -> usize {
    text.iter().take(MAX_INDENT).take_while(|b| matches!(b, b' ' | b'\t')).count()
}

/// Copies up to `PROBE` characters, from character `from` of the segments on.
fn probe_of<'p>(text: &[u8], segments: &[Range<usize>], from: usize, probe: &'p mut [u8; PROBE]) -> &'p [u8] {
    let mut skip = from;
    let mut len = 0;
    for segment in segments {
        let part = text.get(segment.clone()).unwrap_or_default();
        let take = part.get(skip.min(part.len())..).unwrap_or_default();
        skip = skip.saturating_sub(part.len());
        let room = &mut probe[len..];
        let n = take.len().min(room.len());
        room[..n].copy_from_slice(&take[..n]);
        len += n;
        if len == PROBE {
            break;
        }
    }
    &probe[..len]
}

/// Whether the characters are the base64 of text in UTF-8 (or of a part of one, from a group on).
/// Three in four runs that are not are told by their first group.
fn says_text(symbols: &[u8]) -> bool {
    let mut utf8 = likeness::Utf8Check::default();
    let mut n = 0;
    for group in symbols.as_chunks::<4>().0 {
        if !three_bytes(group).iter().all(|&b| utf8.accepts(b)) {
            return false;
        }
        n += 3;
    }
    n >= 12
}

/// Decodes groups of four class characters; returns the number of bytes written.
fn decode_groups(symbols: &[u8], out: &mut [u8]) -> usize {
    let groups = symbols.as_chunks::<4>().0.iter();
    let mut n = 0;
    for (group, room) in groups.zip(out.as_chunks_mut::<3>().0) {
        *room = three_bytes(group);
        n += 3;
    }
    n
}

#[inline]
fn three_bytes(group: &[u8; 4]) -> [u8; 3] {
    let word = group.iter().fold(0u32, |word, &b| word << 6 | u32::from(SIXBIT[usize::from(b)] & 0x3f));
    let [_, a, b, c] = word.to_be_bytes();
    [a, b, c]
}

/// Appends what these segments say as one value; false if they say nothing.
fn decode_value(text: &[u8], segments: &[Range<usize>], budget: &mut Budget, out: &mut Vec<Decoded>) -> bool {
    work::count(segments.iter().map(Range::len).sum());
    let total: usize = segments.iter().map(ExactSizeIterator::len).sum();
    let mut probe = [0; PROBE];
    let head = probe_of(text, segments, 0, &mut probe);
    let hex = total >= MIN_HEX && head.iter().all(|&b| NIBBLE[usize::from(b)] != NONE);
    if hex && decode_hex(text, segments, total, head, budget, out) {
        return true;
    }
    if total < MIN_RUN {
        return false;
    }
    let Some(skipped) = phase(text, segments, total, head) else {
        return false;
    };
    if !budget.take(total / 4 * 3) {
        return true;
    }
    let symbols = Symbols { text, segments, skipped };
    let found = Decoded {
        range: with_padding(text, segments),
        reach: 0..0,
        chain: Chain::of(symbols.name()),
        bytes: symbols.sextets(total),
        content: Content::Text,
        map: symbols.map(6),
    };
    finish(found, budget, out)
}

/// Whether decoded bytes begin like something that is opened later: UTF-16, compressed data, a file.
fn is_hidden(start: &[u8]) -> bool {
    likeness::is_utf16_text(start)
        || likeness::compressed(start).is_some()
        || likeness::is_container(start)
        || likeness::is_tar(start)
}

/// How many leading characters do not belong to the encoded text, 0 to 3; None if no text is in it.
///
/// Something may stand directly before the encoded text (`id-`, a path). What the middle says then
/// tells how characters are grouped.
fn phase(text: &[u8], segments: &[Range<usize>], total: usize, head: &[u8]) -> Option<usize> {
    if says_text(head) {
        return Some(0);
    }
    let mut bytes = [0u8; PROBE / 4 * 3];
    let n = decode_groups(head, &mut bytes);
    let start = bytes.get(..n)?;
    if n >= 12 && is_hidden(start) {
        return Some(0);
    }
    if total < PROBE {
        return None;
    }
    let mut probe = [0; PROBE];
    let at_start = (1..4).find(|&k| says_text(&head[k..]));
    at_start.or_else(|| {
        let middle = total / 8 * 4;
        if middle < PROBE {
            return None;
        }
        let symbols = probe_of(text, segments, middle, &mut probe);
        (0..4).find(|&k| says_text(&symbols[k..]))
    })
}

/// Decodes the run as hex. False if it is not hex throughout, or says nothing.
fn decode_hex(
    text: &[u8],
    segments: &[Range<usize>],
    total: usize,
    head: &[u8],
    budget: &mut Budget,
    out: &mut Vec<Decoded>,
) -> bool {
    let nibble = |b: u8| NIBBLE[usize::from(b)];
    let mut start = [0u8; PROBE / 2];
    for (byte, pair) in start.iter_mut().zip(head.as_chunks::<2>().0) {
        *byte = nibble(pair[0]) << 4 | nibble(pair[1]);
    }
    let start = &start[..head.len() / 2];
    if !total.is_multiple_of(2) || !(likeness::is_utf8_text(start) || is_hidden(start)) {
        return false;
    }
    let digits = segments.iter().flat_map(|s| text.get(s.clone()).unwrap_or_default());
    if digits.clone().any(|&b| nibble(b) == NONE) || !budget.take(total / 2) {
        return false;
    }
    let mut bytes = Vec::with_capacity(total / 2);
    let mut high = None;
    for &b in digits {
        match high.take() {
            None => high = Some(nibble(b)),
            Some(h) => bytes.push(h << 4 | nibble(b)),
        }
    }
    let symbols = Symbols { text, segments, skipped: 0 };
    let range = segments.first().map_or(0, |s| s.start)..segments.last().map_or(0, |s| s.end);
    let found = Decoded {
        range,
        reach: 0..0,
        chain: Chain::of("hex"),
        bytes,
        content: Content::Text,
        map: symbols.map(4),
    };
    finish(found, budget, out)
}

/// Expands compressed payloads, transcodes UTF-16, notes containers, and appends the result. False if
/// only two bytes looked like compressed data, which it is not.
fn finish(mut found: Decoded, budget: &mut Budget, out: &mut Vec<Decoded>) -> bool {
    if let Some(kind) = likeness::compressed(&found.bytes) {
        let Some(payload) = inflate::expand(&found.bytes, kind, budget) else {
            return false;
        };
        found.chain.push(inflate::name(kind));
        found.bytes = payload;
        found.map = Map::Whole;
    }
    let head = found.bytes.get(..18.min(found.bytes.len())).unwrap_or_default();
    if likeness::is_container(head) || found.bytes.get(257..262) == Some(b"ustar") {
        found.content = Content::Container;
    } else if likeness::is_tar(head) {
        // Zeros behind a word: whatever it is, it is neither an archive nor a text.
        return false;
    } else if likeness::is_utf16_text(head)
        && let Some(transcoded) = transcode::encoding_of_text(&found.bytes)
    {
        found.chain.push(transcoded.name);
        found.bytes = transcoded.text;
        found.map = Map::Whole;
    }
    out.push(found);
    true
}

/// The whole run, with the `=` behind it.
fn with_padding(text: &[u8], segments: &[Range<usize>]) -> Range<usize> {
    let start = segments.first().map_or(0, |s| s.start);
    let end = segments.last().map_or(0, |s| s.end);
    let padding = text.get(end..).unwrap_or_default().iter().take(2).take_while(|&&b| b == b'=').count();
    start..end + padding
}

/// The characters of a run.
struct Symbols<'a> {
    text: &'a [u8],
    segments: &'a [Range<usize>],
    skipped: usize,
}

impl Symbols<'_> {
    /// `jwt` where it is a part of one, else the alphabet's name.
    fn name(&self) -> &'static str {
        let parts = || self.segments.iter().filter_map(|s| self.text.get(s.clone()));
        let first = parts().next().unwrap_or_default();
        let dot = |at: Option<usize>| at.and_then(|i| self.text.get(i)) == Some(&b'.');
        let start = self.segments.first().map_or(0, |s| s.start);
        let end = self.segments.last().map_or(0, |s| s.end);
        if first.starts_with(b"eyJ") && (dot(Some(end)) || dot(start.checked_sub(1))) {
            return "jwt";
        }
        let mut url = false;
        for part in parts() {
            if part.iter().any(|b| matches!(b, b'+' | b'/')) {
                return "base64";
            }
            url = url || part.iter().any(|b| matches!(b, b'-' | b'_'));
        }
        if url { "base64url" } else { "base64" }
    }

    fn map(&self, bits: usize) -> Map {
        let mut first = 0;
        let segments = self.segments.iter().map(|s| {
            let anchor = (first, s.start);
            first += s.len();
            anchor
        });
        Map::Symbols { bits, skipped: self.skipped, segments: segments.collect() }
    }

    /// Decodes six bits a character; bits left over at the end are dropped.
    fn sextets(&self, total: usize) -> Vec<u8> {
        let mut out = Vec::with_capacity(total / 4 * 3 + 3);
        let mut group = [0u8; 4];
        let mut filled = 0;
        let mut skip = self.skipped;
        for segment in self.segments {
            let mut part = self.text.get(segment.clone()).unwrap_or_default();
            let dropped = skip.min(part.len());
            part = &part[dropped..];
            skip -= dropped;
            while filled != 0 {
                let Some((&b, rest)) = part.split_first() else {
                    break;
                };
                part = rest;
                group[filled] = b;
                filled = (filled + 1) % 4;
                if filled == 0 {
                    out.extend_from_slice(&three_bytes(&group));
                }
            }
            let (groups, rest) = part.as_chunks::<4>();
            out.extend(groups.iter().flat_map(three_bytes));
            if !rest.is_empty() {
                group[..rest.len()].copy_from_slice(rest);
                filled = rest.len();
            }
        }
        if filled >= 2 {
            group[filled..].fill(b'A');
            out.extend_from_slice(&three_bytes(&group)[..filled - 1]);
        }
        out
    }
}

#[cfg(test)]
mod tests;
