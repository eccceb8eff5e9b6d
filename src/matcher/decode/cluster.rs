//! Escapes that stand near each other, decoded with the text between and around them.

use std::ops::Range;

use super::escapes::{Escape, Kind, parse};
use super::triggers::in_class;
use super::{Budget, Chain, Content, Decoded, Map, Piece};

/// Most bytes between two escapes of a cluster; the context on both sides fits in, so that clusters
/// never overlap.
pub(super) const MAX_GAP: usize = 256;
/// Longest escape.
const MAX_ESCAPE: usize = 130;
/// A word that is cut in two tells something if it is at least this long, in bytes.
const MIN_JOINED: usize = 16;

/// A cluster: its escapes in order, and its extent.
#[derive(Debug)]
pub(super) struct Cluster {
    kind: Kind,
    range: Range<usize>,
    escapes: Vec<Escape>,
}

/// The cluster that the escape at `at` belongs to. None if there is no escape.
pub(super) fn around(text: &[u8], kind: Kind, at: usize) -> Option<Cluster> {
    let mut first = parse(text, kind, at)?;
    while let Some(before) = escape_before(text, kind, first.start) {
        first = before;
    }
    let mut escapes = vec![first];
    let mut last = first;
    while let Some(next) = escape_after(text, kind, last.end) {
        escapes.push(next);
        last = next;
    }
    let traits = kind.traits();
    let before = text.get(first.start.saturating_sub(traits.left)..first.start).unwrap_or_default();
    let left = before.iter().rev().take_while(|&&b| !kind.breaks(b)).count();
    let after = text.get(last.end..).unwrap_or_default();
    let right = after.iter().take(traits.right).take_while(|&&b| !kind.breaks(b)).count();
    Some(Cluster { kind, range: first.start - left..last.end + right, escapes })
}

/// The last escape that ends within reach before `end`, with no break between.
fn escape_before(text: &[u8], kind: Kind, end: usize) -> Option<Escape> {
    let lowest = end.saturating_sub(MAX_GAP);
    let mut at = end;
    while at > lowest {
        at -= 1;
        let b = *text.get(at)?;
        if kind.leads(b)
            && let Some(found) = first_overlapping(text, kind, at).filter(|found| found.end <= end)
        {
            return Some(found);
        }
        if kind.breaks(b) {
            // A line end can be a part of an escape.
            return escape_over(text, kind, at).filter(|found| found.end <= end);
        }
    }
    None
}

/// The escape at `at`, or the one that an equal lead byte directly before begins (`\\x41`).
fn first_overlapping(text: &[u8], kind: Kind, at: usize) -> Option<Escape> {
    let found = parse(text, kind, at)?;
    if kind != Kind::Backslash {
        return Some(found);
    }
    let same = text.get(..at)?.iter().rev().take(7).take_while(|&&b| b == b'\\').count();
    parse(text, kind, at - same)
}

/// The escape that begins before `at` and ends after it.
fn escape_over(text: &[u8], kind: Kind, at: usize) -> Option<Escape> {
    if !matches!(kind, Kind::Quoted | Kind::Joint) {
        return None;
    }
    let starts = (at.saturating_sub(MAX_ESCAPE)..at).rev();
    starts.filter_map(|start| parse(text, kind, start)).find(|found| found.end > at)
}

/// The next escape that begins within reach after `start`, with no break between.
fn escape_after(text: &[u8], kind: Kind, start: usize) -> Option<Escape> {
    let reach = text.get(start..)?;
    for (i, &b) in reach.iter().take(MAX_GAP).enumerate() {
        if kind.leads(b)
            && let Some(found) = parse(text, kind, start + i)
        {
            return Some(found);
        }
        if kind.breaks(b) {
            return None;
        }
    }
    None
}

impl Cluster {
    /// Offset after the cluster.
    pub(super) fn end(&self) -> usize {
        self.range.end
    }

    /// What the cluster says; None where that is no news.
    pub(super) fn decode(&self, text: &[u8], budget: &mut Budget) -> Option<Decoded> {
        if !self.escapes.iter().any(|e| e.telling) || !budget.take(self.range.len()) {
            return None;
        }
        let mut bytes = Vec::with_capacity(self.range.len());
        let mut pieces = Vec::with_capacity(2 * self.escapes.len() + 1);
        let mut at = self.range.start;
        for escape in &self.escapes {
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
        if self.kind == Kind::Joint && !joins_word(&bytes, &pieces) {
            return None;
        }
        Some(Decoded {
            range: self.range.clone(),
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
fn joins_word(bytes: &[u8], pieces: &[Piece]) -> bool {
    let mut joints = pieces.iter().filter(|p| p.decoded_len == 0).map(|p| p.decoded);
    joints.any(|at| {
        let word = |b: &&u8| in_class(**b);
        let before =
            bytes.get(..at).unwrap_or_default().iter().rev().take(MIN_JOINED).take_while(word).count();
        let after = bytes.get(at..).unwrap_or_default().iter().take(MIN_JOINED).take_while(word).count();
        before + after >= MIN_JOINED
    })
}
