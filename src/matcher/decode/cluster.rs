//! Escapes that stand near each other, decoded with the text between and around them.
//!
//! What makes a cluster are its telling escapes. Others, of which some texts are full, are undone where a
//! cluster is, but do not make it longer.

use std::ops::Range;

use super::escapes::{Escape, Kind, joins, parse};
use super::extent::{glue_after, glue_before, line_before};
use super::triggers::in_class;
use super::{Budget, Chain, Content, Decoded, Map, Piece};
use crate::matcher::work;

/// Most bytes between two escapes of a cluster; the context on both sides fits in, so that clusters
/// never overlap.
pub(super) const MAX_GAP: usize = 256;
/// Longest escape, and most bytes that are looked at to tell whether one begins.
pub(super) const MAX_ESCAPE: usize = 130;
/// Longest escape that is no joint: eight backslashes, and a pair of surrogates.
const LONGEST_SIMPLE: usize = 20;
/// Most bytes before an escape that can tell whether it is one.
pub(super) const LOOK_BACK: usize = 82;
/// A word that is cut in two tells something if it is at least this long, in bytes.
const MIN_JOINED: usize = 16;
/// Most bytes of such a word on each side of the cut.
const MAX_JOINED: usize = 64;

/// A cluster: its extent, and the bytes that decide on it.
#[derive(Debug)]
pub(super) struct Cluster {
    kind: Kind,
    range: Range<usize>,
    reach: Range<usize>,
}

/// The cluster that the telling escape at `at` belongs to. None if there is no such escape.
pub(super) fn around(text: &[u8], kind: Kind, at: usize) -> Option<Cluster> {
    let mut first = leftmost(text, kind, telling(text, kind, at)?);
    while let Some(before) = escape_before(text, kind, first.start) {
        first = before;
    }
    let mut last = first;
    while let Some(next) = escape_after(text, kind, last.end) {
        last = next;
    }
    let traits = kind.traits();
    let before = text.get(first.start.saturating_sub(traits.left)..first.start).unwrap_or_default();
    let left = before.iter().rev().take_while(|&&b| !kind.breaks(b)).count();
    let after = text.get(last.end..).unwrap_or_default();
    let right = after.iter().take(traits.right).take_while(|&&b| !kind.breaks(b)).count();
    let range = first.start - left..last.end + right;
    let reach = reach_before(text, kind, first.start)..reach_after(text, kind, last.end).min(text.len());
    Some(Cluster { kind, range, reach })
}

/// The escape at `at`, if it hides something.
fn telling(text: &[u8], kind: Kind, at: usize) -> Option<Escape> {
    parse(text, kind, at).filter(|escape| escape.telling)
}

/// The last escape that ends within reach before `end`, with no break between.
fn escape_before(text: &[u8], kind: Kind, end: usize) -> Option<Escape> {
    let lowest = end.saturating_sub(MAX_GAP);
    let fits = |found: Escape| (found.end <= end).then(|| leftmost(text, kind, found));
    let mut at = end;
    while at > lowest {
        at -= 1;
        let b = *text.get(at)?;
        if kind.leads(b)
            && let Some(found) = telling(text, kind, at).and_then(fits)
        {
            return Some(found);
        }
        if kind.breaks(b) {
            // A line end can be a part of an escape.
            return escape_over(text, kind, at).and_then(fits);
        }
    }
    // What counts is where an escape ends.
    escape_over(text, kind, lowest).and_then(fits)
}

/// The escape that a search from the left finds first, among those that overlap this one: equal lead bytes
/// directly before belong to it (`\\\\x41`), and joints can be read in two ways.
fn leftmost(text: &[u8], kind: Kind, mut found: Escape) -> Escape {
    if kind == Kind::Backslash {
        let before = text.get(..found.start).unwrap_or_default();
        let same = before.iter().rev().take(7).take_while(|&&b| b == b'\\').count();
        return telling(text, kind, found.start - same).unwrap_or(found);
    }
    while let Some(before) = escape_over(text, kind, found.start) {
        found = before;
    }
    found
}

/// The escape that begins before `at` and ends after it: the last of them.
fn escape_over(text: &[u8], kind: Kind, at: usize) -> Option<Escape> {
    let first = match kind {
        // All its bytes are glue.
        Kind::Quoted | Kind::Joint => glue_before(text, at, MAX_ESCAPE),
        _ => at.saturating_sub(LONGEST_SIMPLE),
    };
    (first..at).rev().filter_map(|start| telling(text, kind, start)).find(|found| found.end > at)
}

/// The next telling escape that begins within reach after `start`, with no break between.
fn escape_after(text: &[u8], kind: Kind, start: usize) -> Option<Escape> {
    let reach = text.get(start..)?;
    for (i, &b) in reach.iter().take(MAX_GAP).enumerate() {
        if kind.leads(b)
            && let Some(found) = telling(text, kind, start + i)
        {
            return Some(found);
        }
        if kind.breaks(b) {
            return None;
        }
    }
    None
}

/// The first byte that decides on whether there is an escape within reach before `start`.
fn reach_before(text: &[u8], kind: Kind, start: usize) -> usize {
    let before = text.get(start.saturating_sub(MAX_GAP)..start).unwrap_or_default();
    let stop = before.iter().rposition(|&b| kind.breaks(b));
    let lowest = start - before.len() + stop.unwrap_or(0);
    match (kind, stop) {
        (Kind::Joint, _) => glue_before(text, lowest, MAX_ESCAPE).saturating_sub(3),
        (Kind::Quoted, _) => {
            // An escape over `lowest` begins with a `=` in the glue before it. Those behind look back to where their
            // line begins.
            let first = glue_before(text, lowest, MAX_ESCAPE);
            let soft = text.get(first..lowest).unwrap_or_default().contains(&b'=');
            let over = line_before(text, first, if soft { LOOK_BACK } else { 1 });
            if stop.is_none() { over.min(line_before(text, lowest, LOOK_BACK)) } else { over }
        }
        (_, None) => line_before(text, lowest, LOOK_BACK),
        (_, Some(_)) => lowest,
    }
}

/// The end of the bytes that decide on whether there is an escape within reach after `end`; may lie behind
/// the text.
fn reach_after(text: &[u8], kind: Kind, end: usize) -> usize {
    let after = text.get(end..).unwrap_or_default();
    let stop = after.iter().take(MAX_GAP).position(|&b| kind.breaks(b));
    let last = end + stop.unwrap_or(MAX_GAP);
    match (kind, stop) {
        (Kind::Joint | Kind::Quoted, _) => glue_after(text, last, MAX_ESCAPE) + 2,
        (_, Some(_)) => last + 1,
        (_, None) => {
            let behind = text.get(last..).unwrap_or_default();
            last + behind.iter().take(LONGEST_SIMPLE).take_while(|&&b| !kind.breaks(b)).count() + 1
        }
    }
}

impl Cluster {
    /// Offset after the cluster.
    pub(super) fn end(&self) -> usize {
        self.range.end
    }

    /// The first escape of the cluster, telling or not, from `at` on.
    fn next_escape(&self, text: &[u8], at: usize) -> Option<Escape> {
        let mut leads = (at..self.range.end).filter(|&i| text.get(i).is_some_and(|&b| self.kind.leads(b)));
        leads.find_map(|i| parse(text, self.kind, i).filter(|escape| escape.end <= self.range.end))
    }

    /// What the cluster says; None where that is no news.
    pub(super) fn decode(&self, text: &[u8], budget: &mut Budget) -> Option<Decoded> {
        if !budget.take(self.range.len()) {
            return None;
        }
        work::count(self.range.len());
        let mut bytes = Vec::with_capacity(self.range.len());
        let mut pieces = Vec::new();
        let mut at = self.range.start;
        while let Some(escape) = self.next_escape(text, at) {
            copy(text, at..escape.start, &mut bytes, &mut pieces);
            pieces.push(Piece {
                decoded: bytes.len(),
                decoded_len: escape.bytes().len(),
                source: escape.start,
                source_len: escape.end - escape.start,
            });
            bytes.extend_from_slice(escape.bytes());
            at = escape.end;
        }
        copy(text, at..self.range.end, &mut bytes, &mut pieces);
        if self.kind == Kind::Joint && !joins_word(text, &bytes, &pieces) {
            return None;
        }
        Some(Decoded {
            range: self.range.clone(),
            reach: self.reach.clone(),
            chain: Chain::of(self.kind.traits().name),
            bytes,
            content: Content::Text,
            map: Map::Pieces(pieces),
        })
    }
}

fn copy(text: &[u8], range: Range<usize>, bytes: &mut Vec<u8>, pieces: &mut Vec<Piece>) {
    let Some(part) = text.get(range.clone()).filter(|part| !part.is_empty()) else {
        return;
    };
    pieces.push(Piece {
        decoded: bytes.len(),
        decoded_len: part.len(),
        source: range.start,
        source_len: part.len(),
    });
    bytes.extend_from_slice(part);
}

/// Whether a joint lies inside a word that is long enough for a secret.
fn joins_word(text: &[u8], bytes: &[u8], pieces: &[Piece]) -> bool {
    let word = |b: &&u8| in_class(**b);
    pieces.iter().filter(|piece| piece.decoded_len == 0).any(|joint| {
        let (before, after) = bytes.split_at(joint.decoded.min(bytes.len()));
        let before = before.iter().rev().take(MAX_JOINED).take_while(word).count();
        let after = after.iter().take(MAX_JOINED).take_while(word).count();
        let joined = bytes.get(joint.decoded - before..joint.decoded + after).unwrap_or_default();
        joined.len() >= MIN_JOINED && (!is_list(text, joint) || is_mixed(joined))
    })
}

/// Whether a joint may as well stand between two items of a list, as Go writes what it imports: nothing joins the
/// literals, and each is on a line of its own.
fn is_list(text: &[u8], joint: &Piece) -> bool {
    let bytes = text.get(joint.source..joint.source + joint.source_len).unwrap_or_default();
    bytes.contains(&b'\n') && !bytes.iter().any(|&b| joins(b))
}

/// Whether a word is as mixed as tokens are and paths are not: many digits, or letters of both cases and a digit.
fn is_mixed(word: &[u8]) -> bool {
    let digits = word.iter().filter(|b| b.is_ascii_digit()).count();
    let both = word.iter().any(u8::is_ascii_uppercase) && word.iter().any(u8::is_ascii_lowercase);
    digits * 12 >= word.len() || both && digits > 0
}

#[cfg(test)]
mod tests;
