//! Undoes encodings inside text: base64, hex, escapes, compressed payloads, split literals.
//!
//! [`find`] decodes one level, [`each`] nested levels. Both work on *regions*: in a text of which most
//! was scanned before, only what new bytes can have changed is decoded. What is decoded depends only on
//! the bytes in its [reach](Decoded::reach), never on where a scan began; so a scan of regions yields
//! exactly what of a scan of the whole has a reach that touches them.
//!
//! A candidate in decoded text is reported at the encoded text: [`Decoded::source_range`].

mod base64;
mod cluster;
mod escapes;
mod extent;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod inflate;
mod likeness;
mod transcode;
mod triggers;

use std::fmt;
use std::ops::Range;

pub use transcode::{Encoding, Transcoded, encoding_of_text};
use triggers::Trigger;

/// How many levels [`each`] undoes.
pub const MAX_DEPTH: usize = 5;

/// Shortest run of base64 characters that is tried, in characters. It holds 12 bytes.
const MIN_RUN: usize = 16;

/// Names of the encodings that were undone, outermost first.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Chain {
    names: [&'static str; 2 * MAX_DEPTH],
    len: u8,
}

impl Chain {
    /// The names.
    pub fn as_slice(&self) -> &[&'static str] {
        self.names.get(..usize::from(self.len)).unwrap_or_default()
    }

    /// Adds the name of an inner encoding. A chain that is full stays as it is.
    pub fn push(&mut self, name: &'static str) {
        if let Some(slot) = self.names.get_mut(usize::from(self.len)) {
            *slot = name;
            self.len += 1;
        }
    }

    fn of(name: &'static str) -> Self {
        let mut chain = Chain::default();
        chain.push(name);
        chain
    }

    fn prefixed(&self, outer: &Chain) -> Self {
        let mut chain = *outer;
        self.as_slice().iter().for_each(|name| chain.push(name));
        chain
    }
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_slice().fmt(f)
    }
}

/// What decoded bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Content {
    /// Text to be scanned.
    Text,
    /// An archive, image or compressed file, to be opened by `source::archive`.
    Container,
}

/// How offsets of decoded bytes relate to the encoded text.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Map {
    /// Every byte comes from the whole run.
    Whole,
    /// Characters of a fixed number of bits, in segments that begin at (character, offset in the text).
    Symbols { bits: usize, skipped: usize, segments: Vec<(usize, usize)> },
    /// Pieces in order: copied bytes, or an escape that stands for some.
    Pieces(Vec<Piece>),
}

/// A stretch of decoded bytes and where it came from. Copied when both lengths are equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Piece {
    decoded: usize,
    decoded_len: usize,
    source: usize,
    source_len: usize,
}

/// An encoded run of a text and what it says.
#[derive(Clone, PartialEq, Eq)]
pub struct Decoded {
    /// The encoded run, as bytes of the text that was given to [`find`] or [`each`].
    pub range: Range<usize>,
    /// All bytes of that text that decide on whether and what is decoded here. Where it begins or ends with the
    /// text, that the text begins or ends there counts too.
    pub reach: Range<usize>,
    /// The encodings, outermost first.
    pub chain: Chain,
    /// The decoded bytes.
    pub bytes: Vec<u8>,
    /// What the bytes are.
    pub content: Content,
    map: Map,
}

impl fmt::Debug for Decoded {
    /// Leaves out the bytes: they can be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoded")
            .field("range", &self.range)
            .field("chain", &self.chain)
            .field("len", &self.bytes.len())
            .field("content", &self.content)
            .finish_non_exhaustive()
    }
}

impl Decoded {
    /// The smallest range of the text that yields these decoded bytes.
    pub fn source_range(&self, decoded: Range<usize>) -> Range<usize> {
        let last = decoded.end.max(decoded.start + 1) - 1;
        match &self.map {
            Map::Whole => self.range.clone(),
            Map::Symbols { bits, skipped, segments } => {
                let at = |symbol: usize| {
                    let symbol = symbol + skipped;
                    let found = segments.partition_point(|&(first, _)| first <= symbol);
                    segments
                        .get(found.saturating_sub(1))
                        .map_or(self.range.start, |&(first, at)| at + symbol - first)
                };
                let start = at(decoded.start * 8 / bits);
                let end = at((last * 8 + 7) / bits) + 1;
                start.min(self.range.end)..end.clamp(start.min(self.range.end), self.range.end)
            }
            Map::Pieces(pieces) => {
                let piece = |offset: usize| {
                    let found = pieces.partition_point(|p| p.decoded <= offset);
                    pieces.get(found.saturating_sub(1)).copied()
                };
                let start = piece(decoded.start).map_or(self.range.start, |p| match p.is_copy() {
                    true => p.source + (decoded.start - p.decoded).min(p.source_len),
                    false => p.source,
                });
                let end = piece(last).map_or(self.range.end, |p| match p.is_copy() {
                    true => p.source + (last - p.decoded + 1).min(p.source_len),
                    false => p.source + p.source_len,
                });
                start..end.max(start)
            }
        }
    }

    /// Whether these decoded bytes stand in the text just so, in the same surroundings: nothing was
    /// decoded from 64 bytes before them to 16 after, so a scan of the text itself saw the same.
    pub fn is_verbatim(&self, decoded: Range<usize>) -> bool {
        self.is_copied(&decoded, 64, 16)
    }

    /// Whether nothing was decoded from so many bytes before these decoded bytes to so many after.
    fn is_copied(&self, decoded: &Range<usize>, before: usize, after: usize) -> bool {
        let Map::Pieces(pieces) = &self.map else { return false };
        let found = pieces.partition_point(|p| p.decoded <= decoded.start);
        let Some(piece) = found.checked_sub(1).and_then(|i| pieces.get(i)) else { return false };
        piece.is_copy()
            && piece.decoded + before <= decoded.start
            && decoded.end + after <= piece.decoded + piece.decoded_len
    }
}

impl Piece {
    fn is_copy(&self) -> bool {
        self.decoded_len == self.source_len
    }
}

/// How much may be decoded; shared by all that is decoded of one text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Decoded bytes that may still be made.
    pub bytes: usize,
    /// Whether something was left undecoded because the budget was used up, or since it is encoded more often than
    /// [`MAX_DEPTH`]. Callers report it.
    pub exhausted: bool,
}

impl Budget {
    /// The default budget of a text of this many bytes: 32 times as much, and 1 MiB. That is enough for
    /// five levels of all of it and for what compressed payloads expand to.
    pub fn for_text(len: usize) -> Self {
        Budget { bytes: len.saturating_mul(32).saturating_add(1 << 20), exhausted: false }
    }

    /// Takes `bytes` from the budget; false, and nothing taken, if there is not that much.
    fn take(&mut self, bytes: usize) -> bool {
        match self.bytes.checked_sub(bytes) {
            Some(left) => {
                self.bytes = left;
                true
            }
            None => {
                self.exhausted = true;
                false
            }
        }
    }
}

/// The one region that is the whole text.
#[allow(clippy::single_range_in_vec_init)]
pub fn whole(text: &[u8]) -> [Range<usize>; 1] {
    [0..text.len()]
}

/// Decodes one level: appends everything whose [reach](Decoded::reach) [touches](is_touched) one of `regions`
/// (sorted ranges of `text`; an empty range is a place where bytes were removed).
///
/// Linear in the length of the regions and of the runs that touch them.
pub fn find(text: &[u8], regions: &[Range<usize>], budget: &mut Budget, out: &mut Vec<Decoded>) {
    let mut finder = Finder { text, budget, runs_until: 0, clusters_until: [0; 5], out };
    let mut done = 0;
    for region in joined(regions) {
        let to = extent::after(text, region.end);
        if to <= done {
            continue;
        }
        let floor = done.saturating_sub(MIN_RUN);
        let from = between_runs(text, extent::before(text, region.start, floor).max(floor), floor);
        if from < to {
            triggers::scan(text, from..to, |trigger, at| finder.at(trigger, at));
        }
        done = to;
    }
    out.retain(|d| is_touched(&d.reach, regions));
    out.sort_by(|a, b| (a.range.start, a.range.end, &a.chain).cmp(&(b.range.start, b.range.end, &b.chain)));
}

/// Regions, those with little between them as one: what lies beside each would be looked at anyway.
fn joined(regions: &[Range<usize>]) -> impl Iterator<Item = Range<usize>> {
    const LITTLE: usize = 128;
    let mut rest = regions.iter().cloned().peekable();
    std::iter::from_fn(move || {
        let mut all = rest.next()?;
        while let Some(next) = rest.next_if(|next| next.start <= all.end + LITTLE) {
            all.end = all.end.max(next.end);
        }
        Some(all)
    })
}

/// Whether a range overlaps or adjoins one of these, which are sorted.
pub fn is_touched(range: &Range<usize>, regions: &[Range<usize>]) -> bool {
    let after = regions.partition_point(|r| r.end < range.start);
    regions.get(after).is_some_and(|r| r.start <= range.end)
}

/// A place near `from` to begin a scan at: where a run of class bytes begins decides on whether it is looked at.
/// All runs whose 16th byte is before `floor` + 16 were seen.
fn between_runs(text: &[u8], from: usize, floor: usize) -> usize {
    let start = base64::class_start(text, from, floor);
    if floor > 0 && start == floor {
        base64::class_end(text, from).saturating_sub(3).max(floor)
    } else {
        start
    }
}

/// Decodes nested levels, up to [`MAX_DEPTH`], and calls `visit` for each decoded text. Ranges and
/// [`Decoded::source_range`] of nested texts lead to the outermost text, and their reach is that of the run in it.
pub fn each(text: &[u8], regions: &[Range<usize>], budget: &mut Budget, visit: &mut dyn FnMut(&Decoded)) {
    let mut found = Vec::new();
    find(text, regions, budget, &mut found);
    for decoded in found {
        visit(&decoded);
        nested(&decoded, MAX_DEPTH - 1, budget, visit);
    }
}

fn nested(outer: &Decoded, depth: usize, budget: &mut Budget, visit: &mut dyn FnMut(&Decoded)) {
    if outer.content != Content::Text {
        return;
    }
    let mut found = Vec::new();
    find(&outer.bytes, &whole(&outer.bytes), budget, &mut found);
    if depth == 0 {
        // What is still encoded is not read: that is said, as when the budget is used up.
        budget.exhausted |= found.iter().any(|inner| !outer.is_copied(&inner.range, 1, 1));
        return;
    }
    for mut inner in found {
        if outer.is_copied(&inner.range, 1, 1) {
            continue; // decoded from the outer text already
        }
        inner.chain = inner.chain.prefixed(&outer.chain);
        inner.range = outer.source_range(inner.range.clone());
        inner.reach = outer.reach.clone();
        inner.map = Map::Whole;
        visit(&inner);
        nested(&inner, depth - 1, budget, visit);
    }
}

/// The state of one scan: how far the text was dealt with, for each kind of trigger.
struct Finder<'a> {
    text: &'a [u8],
    budget: &'a mut Budget,
    runs_until: usize,
    clusters_until: [usize; 5],
    out: &'a mut Vec<Decoded>,
}

impl Finder<'_> {
    #[inline]
    fn at(&mut self, trigger: Trigger, at: usize) {
        let kind = match trigger {
            Trigger::Run => return self.run(at),
            Trigger::Percent => escapes::Kind::Percent,
            Trigger::Escape => escapes::Kind::Backslash,
            Trigger::Entity => escapes::Kind::Entity,
            Trigger::Quoted => escapes::Kind::Quoted,
            Trigger::Joint => escapes::Kind::Joint,
        };
        let until = self.clusters_until.get(kind as usize).copied().unwrap_or_default();
        // Most escapes are a `\n` or the like: a cluster needs one that hides something.
        if at < until || !escapes::may_tell(self.text, kind, at) {
            return;
        }
        self.cluster(kind, at);
    }

    fn cluster(&mut self, kind: escapes::Kind, at: usize) {
        if !escapes::parse(self.text, kind, at).is_some_and(|escape| escape.telling) {
            return;
        }
        if let Some(found) = cluster::around(self.text, kind, at) {
            if let Some(until) = self.clusters_until.get_mut(kind as usize) {
                *until = found.end();
            }
            self.out.extend(found.decode(self.text, self.budget));
        }
    }

    fn run(&mut self, at: usize) {
        if at >= self.runs_until && base64::is_mixed(self.text, at) {
            self.runs_until = base64::decode_around(self.text, at, self.budget, self.out);
        }
    }
}

#[cfg(test)]
mod tests;
