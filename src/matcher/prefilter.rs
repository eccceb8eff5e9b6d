//! The prefilter: finds every occurrence of every required literal in one pass.
//!
//! Two kinds of literals are told apart:
//!
//! * Short ones that can only stand at the start of a long run of token bytes, as the prefixes of most
//!   tokens do. Such runs are found with vectors, and only in them three bytes at a time are looked up.
//! * All others. Each is represented by four-byte *grams* of its case-folded bytes. The text is sampled at
//!   every second byte, so a literal registers two grams, one for each alignment; a literal of three or
//!   four bytes borrows a neighbour byte of any value.
//!
//! Bitmaps of hashed grams answer "no" for almost every position, without a branch; the positions that
//! remain are looked up in a table and compared. The cost does not depend on the number of literals that
//! do not occur.

mod sieve;
mod token_runs;

use std::borrow::Cow;

use crate::matcher::work;
use sieve::{BATCH_BYTES, Passed, STRIDE, Sieve, bit, set};
pub use token_runs::RUN;

/// What an occurrence means to the matcher: an index into the literals given to [`Prefilter::new`].
pub type LiteralIndex = u16;

/// An occurrence of a literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hit {
    /// Byte offset of the literal's first byte.
    pub at: u32,
    /// Which literal.
    pub literal: LiteralIndex,
}

/// A literal to look for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Literal {
    /// The bytes; lower case when `fold`. At least three.
    pub bytes: Cow<'static, [u8]>,
    /// Whether ASCII case is ignored.
    pub fold: bool,
    /// Whether only occurrences that begin [`RUN`] token bytes in a row matter. Others may be reported.
    pub in_run: bool,
    /// Offset of the five bytes by which it is looked for: the rarest in ordinary text. (Literals that
    /// are shorter are looked for by their first.)
    pub rarest: u8,
}

/// Bytes of a gram.
const GRAM: usize = 4;
/// Literals up to this length are looked for in runs where that is enough.
const SHORT: usize = 6;
/// Bytes searched for both kinds of literals before the next are.
const BLOCK: usize = 16 << 10;
/// Sets the lower-case bit of every byte: equal for letters of either case.
const FOLD: u32 = 0x2020_2020;
/// [`FOLD`] for eight bytes.
const FOLD8: u64 = 0x2020_2020_2020_2020;
/// The lower three bytes of a gram.
const LOW: u32 = 0x00ff_ffff;
/// Bits of the map of [`Prefilter::runs`], as a power of two: it fits the first-level cache.
const RUN_BITS: u32 = 15;
/// The golden ratio as a fraction of 2^32 (Knuth, The Art of Computer Programming 3, section 6.4).
const MULTIPLIER: u32 = 0x9E37_79B1;

/// Finds all occurrences of a set of literals. Build once, share between threads.
#[derive(Debug)]
pub struct Prefilter {
    literals: Vec<Literal>,
    sieve: Sieve,
    /// Hashed first three bytes of literals in runs.
    runs: Box<[u32; 1 << (RUN_BITS - 5)]>,
    /// Four bytes of a literal.
    four: Table,
    /// Three bytes of a literal that borrows a neighbour.
    three: Table,
    /// The first three bytes of a literal in a run.
    in_run: Table,
    longest: usize,
}

/// Three or four bytes of a literal.
#[derive(Clone, Copy, Debug, Default)]
struct Entry {
    /// The folded bytes.
    key: u32,
    literal: LiteralIndex,
    /// The next entry of the chain in its [`Table`].
    next: u32,
    /// Offset of the key in the literal.
    offset: u8,
    /// Counts only where the key is the upper three bytes of a gram: the other alignment has a key of
    /// four bytes.
    upper_only: bool,
    /// The first eight bytes of the literal, folded, and which of their bits count.
    head: u64,
    mask: u64,
}

/// Entries by their key: chains of those whose keys have one hash.
#[derive(Debug)]
struct Table {
    /// By the hash of a key: the first entry of the chain, [`Table::NONE`] if there is none.
    first: Box<[u32]>,
    entries: Box<[Entry]>,
    shift: u32,
}

impl Table {
    const NONE: u32 = u32::MAX;

    fn new(mut entries: Vec<Entry>) -> Self {
        let bits = (2 * entries.len()).next_power_of_two().trailing_zeros().max(2);
        let (mut first, shift) = (vec![Self::NONE; 1 << bits].into_boxed_slice(), 32 - bits);
        for (index, entry) in entries.iter_mut().enumerate() {
            let slot = &mut first[(hash(entry.key) >> shift) as usize];
            entry.next = std::mem::replace(slot, index as u32);
        }
        Table { first, entries: entries.into_boxed_slice(), shift }
    }

    #[inline]
    fn with_key(&self, key: u32) -> impl Iterator<Item = &Entry> {
        let entry = |at: u32| self.entries.get(at as usize);
        let first = self.first.get((hash(key) >> self.shift) as usize).and_then(|&at| entry(at));
        std::iter::successors(first, move |before| entry(before.next)).filter(move |entry| entry.key == key)
    }
}

#[inline(always)]
fn hash(key: u32) -> u32 {
    key.wrapping_mul(MULTIPLIER)
}

/// What literals register.
struct Registry {
    sieve: Sieve,
    runs: Box<[u32; 1 << (RUN_BITS - 5)]>,
    four: Vec<Entry>,
    three: Vec<Entry>,
    in_run: Vec<Entry>,
}

impl Registry {
    fn add(&mut self, literal: &Literal, index: LiteralIndex) {
        let bytes = &literal.bytes[..];
        let folded = |o: usize| u32::from(bytes[o] | 0x20);
        let three = |o: usize| folded(o) | folded(o + 1) << 8 | folded(o + 2) << 16;
        let four = |o: usize| three(o) | folded(o + 3) << 24;
        let entry = |key: u32, offset: usize| Entry { key, offset: offset as u8, ..head(bytes, index) };
        let n = bytes.len();
        if literal.in_run && n <= SHORT {
            set(&mut self.runs, hash(three(0)));
            self.in_run.push(entry(three(0), 0));
        } else if n > GRAM {
            // Two grams, at adjacent offsets.
            let offset = usize::from(literal.rarest).min(n - GRAM - 1);
            for o in [offset, offset + 1] {
                let next = bytes.get(o + GRAM..o + GRAM + 2).map(|next| [next[0] | 0x20, next[1] | 0x20]);
                self.sieve.add_four(four(o), next);
                self.four.push(entry(four(o), o));
            }
        } else {
            self.sieve.add_three(three(0), n == GRAM);
            self.three.push(Entry { upper_only: n == GRAM, ..entry(three(0), 0) });
            if n == GRAM {
                self.sieve.add_four(four(0), None);
                self.four.push(entry(four(0), 0));
            }
        }
    }
}

/// An entry with what a comparison needs.
fn head(bytes: &[u8], literal: LiteralIndex) -> Entry {
    let (mut head, mut mask) = ([0u8; 8], [0u8; 8]);
    for (i, b) in bytes.iter().take(8).enumerate() {
        (head[i], mask[i]) = (b | 0x20, 0xff);
    }
    let (head, mask) = (u64::from_le_bytes(head), u64::from_le_bytes(mask));
    Entry { literal, head, mask, ..Entry::default() }
}

/// The folded gram at an offset.
fn gram_at(text: &[u8], offset: usize) -> Option<u32> {
    let gram = text.get(offset..)?.first_chunk()?;
    Some(u32::from_le_bytes(*gram) | FOLD)
}

impl Prefilter {
    /// Builds the tables for these literals (three to 255 bytes each; at most 65,535).
    pub fn new(literals: Vec<Literal>) -> Self {
        let mut registry = Registry {
            sieve: Sieve::new(),
            runs: Box::new([0; _]),
            four: Vec::new(),
            three: Vec::new(),
            in_run: Vec::new(),
        };
        for (i, literal) in literals.iter().enumerate() {
            debug_assert!((3..256).contains(&literal.bytes.len()));
            registry.add(literal, i as LiteralIndex);
        }
        let longest = literals.iter().map(|l| l.bytes.len()).max().unwrap_or(0);
        Prefilter {
            literals,
            sieve: registry.sieve,
            runs: registry.runs,
            four: Table::new(registry.four),
            three: Table::new(registry.three),
            in_run: Table::new(registry.in_run),
            longest,
        }
    }

    /// The literals, in the order of their indexes.
    pub fn literals(&self) -> &[Literal] {
        &self.literals
    }

    /// Appends every occurrence that lies in `text` and overlaps `start..end`, in no order. Of literals
    /// that need a run, those whose run touches `start..end` are occurrences too.
    ///
    /// Offsets beyond 4 GiB are not reported; callers scan larger texts in chunks.
    pub fn find(&self, text: &[u8], start: usize, end: usize, hits: &mut Vec<Hit>) {
        if self.longest == 0 || start >= end {
            return;
        }
        work::count(end - start);
        // Block by block, so that the second look finds in the cache what the first one read.
        let mut from = start.saturating_sub(self.longest.max(RUN) - 1);
        while from < end {
            let to = end.min(from + BLOCK);
            self.find_runs(text, from.max(start.saturating_sub(RUN - 1)), to, hits);
            let in_runs = hits.len();
            // One byte more on each side: short literals borrow a neighbour.
            let scan_from = from.saturating_sub(1) & !(STRIDE - 1);
            self.scan(text, scan_from, (to + self.longest).min(text.len()), hits);
            let begins_here = |h: &Hit| {
                let at = h.at as usize;
                from <= at && at < to && at + self.literals[usize::from(h.literal)].bytes.len() > start
            };
            let mut kept = in_runs;
            for i in in_runs..hits.len() {
                if begins_here(&hits[i]) {
                    hits[kept] = hits[i];
                    kept += 1;
                }
            }
            hits.truncate(kept);
            from = to;
        }
    }

    /// Looks up every place in `from..to` that begins a run of token bytes.
    fn find_runs(&self, text: &[u8], from: usize, to: usize, hits: &mut Vec<Hit>) {
        if self.in_run.entries.is_empty() {
            return;
        }
        let end = to.saturating_add(RUN - 1).min(text.len());
        token_runs::each(&text[..end], from, |at| {
            let Some(key) = gram_at(text, at).map(|gram| gram & LOW) else { return };
            if bit(&self.runs, hash(key)) != 0 {
                for entry in self.in_run.with_key(key) {
                    self.compare(text, at, entry, hits);
                }
            }
        });
    }

    /// Tests every second position from `from` on whose gram begins before `to`.
    fn scan(&self, text: &[u8], from: usize, to: usize, hits: &mut Vec<Hit>) {
        let mut passed = Passed::new();
        let mut at = from;
        // Whole grams only; the end comes below.
        let whole = to.min((text.len() + 1).saturating_sub(GRAM));
        while at < whole {
            let end = whole.min(at + BATCH_BYTES);
            let part = &text[at..];
            self.sieve.sift(part, end - at, &mut passed);
            for offset in passed.fours() {
                if let Some(gram) = gram_at(part, offset) {
                    self.look_up_four(text, at + offset, gram, hits);
                }
            }
            for three in passed.threes() {
                // Of the upper three bytes, those of the gram that begins a byte earlier.
                let gram = match three.upper {
                    true => gram_at(part, three.at - 1).map(|gram| gram >> 8),
                    false => gram_at(part, three.at).map(|gram| gram & LOW),
                };
                if let Some(key) = gram {
                    self.look_up_three(text, at + three.at, key, three.upper, hits);
                }
            }
            at += (end - at).next_multiple_of(STRIDE);
        }
        // The end of the text, padded with zeros, which no literal needs and every borrowed byte may be.
        while at < to {
            let mut gram = [0u8; GRAM];
            gram.iter_mut().zip(&text[at..]).for_each(|(to, from)| *to = *from);
            let gram = u32::from_le_bytes(gram) | FOLD;
            self.look_up_four(text, at, gram, hits);
            // No literal of three bytes begins a byte later: it would reach over the end.
            self.look_up_three(text, at, gram & LOW, false, hits);
            at += STRIDE;
        }
    }

    fn look_up_four(&self, text: &[u8], at: usize, gram: u32, hits: &mut Vec<Hit>) {
        for entry in self.four.with_key(gram) {
            self.compare(text, at, entry, hits);
        }
    }

    /// Looks up three bytes of a gram, the upper or the lower ones.
    fn look_up_three(&self, text: &[u8], at: usize, key: u32, upper: bool, hits: &mut Vec<Hit>) {
        for entry in self.three.with_key(key).filter(|entry| upper || !entry.upper_only) {
            self.compare(text, at, entry, hits);
        }
    }

    #[inline]
    fn compare(&self, text: &[u8], p: usize, entry: &Entry, hits: &mut Vec<Hit>) {
        let Some(at) = p.checked_sub(usize::from(entry.offset)) else { return };
        if let Some(&there) = text.get(at..).and_then(|rest| rest.first_chunk())
            && ((u64::from_le_bytes(there) | FOLD8) ^ entry.head) & entry.mask != 0
        {
            return;
        }
        let literal = &self.literals[usize::from(entry.literal)];
        let Some(there) = text.get(at..at + literal.bytes.len()) else { return };
        let same = if literal.fold {
            there.eq_ignore_ascii_case(&literal.bytes)
        } else {
            there == &literal.bytes[..]
        };
        if same && let Ok(at) = u32::try_from(at) {
            hits.push(Hit { at, literal: entry.literal });
        }
    }
}

#[cfg(test)]
mod tests;
