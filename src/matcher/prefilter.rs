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

mod rarity;
mod token_runs;

use std::borrow::Cow;

use rarity::rarity;
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
}

/// Bytes of a gram.
const GRAM: usize = 4;
/// Bytes between two positions that are tested.
const STRIDE: usize = 2;
/// Literals up to this length are looked for in runs where that is enough.
const SHORT: usize = 6;
/// Positions tested before those that passed are looked up: few, since most regions that a delta inserts are short.
const BATCH: usize = 128;
/// Sets the lower-case bit of every byte: equal for letters of either case.
const FOLD: u32 = 0x2020_2020;
/// [`FOLD`] for eight bytes.
const FOLD8: u64 = 0x2020_2020_2020_2020;
/// The lower three bytes of a gram.
const LOW: u32 = 0x00ff_ffff;
/// Sizes of the bitmaps in bits, as powers of two: few positions pass by chance, and the first fits the
/// second-level cache, the other the first.
const GRAM_BITS: u32 = 20;
const RUN_BITS: u32 = 15;
const NEXT_BITS: u32 = 14;

/// Finds all occurrences of a set of literals. Build once, share between threads.
#[derive(Debug)]
pub struct Prefilter {
    literals: Vec<Literal>,
    /// Hashed grams, and hashed first three bytes of literals in runs.
    grams: Box<[u64; 1 << (GRAM_BITS - 6)]>,
    runs: Box<[u64; 1 << (RUN_BITS - 6)]>,
    /// By the hash of a gram: which two bytes may follow it.
    next: Box<[u32; 1 << NEXT_BITS]>,
    /// Hashed keys of `three`.
    threes: Box<[u64; 1 << (RUN_BITS - 6)]>,
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
    /// Offset of the key in the literal.
    offset: u8,
    /// Counts only where the key is the upper three bytes of a gram: the other alignment has a key of
    /// four bytes.
    upper_only: bool,
    /// The first eight bytes of the literal, folded, and which of their bits count.
    head: u64,
    mask: u64,
}

/// Entries by their key, in an open hash table.
#[derive(Debug)]
struct Table {
    /// A key and the index of its first entry, [`Table::NONE`] in free slots.
    slots: Box<[(u32, u32)]>,
    /// Entries, those of one key side by side.
    entries: Box<[Entry]>,
    shift: u32,
}

impl Table {
    const NONE: u32 = u32::MAX;

    fn new(mut entries: Vec<Entry>) -> Self {
        entries.sort_unstable_by_key(|entry| (entry.key, entry.literal, entry.offset));
        let bits = (4 * entries.len()).next_power_of_two().trailing_zeros().max(2);
        let mut table = Table {
            slots: vec![(0, Self::NONE); 1 << bits].into_boxed_slice(),
            entries: entries.into_boxed_slice(),
            shift: 32 - bits,
        };
        let mut before = None;
        for (index, entry) in table.entries.iter().enumerate() {
            if before.replace(entry.key) != Some(entry.key) {
                let mut slot = (hash(entry.key) >> table.shift) as usize;
                while table.slots[slot].1 != Self::NONE {
                    slot = (slot + 1) & (table.slots.len() - 1);
                }
                table.slots[slot] = (entry.key, index as u32);
            }
        }
        table
    }

    #[inline]
    fn with_key(&self, key: u32) -> impl Iterator<Item = &Entry> {
        let mut slot = (hash(key) >> self.shift) as usize;
        // A quarter of the slots is in use at most, so there is a free one.
        let first = loop {
            let (there, first) = self.slots[slot];
            if first == Self::NONE || there == key {
                break first as usize;
            }
            slot = (slot + 1) & (self.slots.len() - 1);
        };
        self.entries.get(first..).unwrap_or_default().iter().take_while(move |entry| entry.key == key)
    }
}

/// Which bit of a word in [`Prefilter::next`] the two bytes behind a gram choose.
#[inline(always)]
fn next_bit(window: u64) -> u32 {
    let next = (window >> 32) as u32 & 0xffff;
    hash(next) >> 27
}

#[inline(always)]
fn hash(key: u32) -> u32 {
    key.wrapping_mul(0x9E37_79B1)
}

/// The bit of a map that a hash's upper bits choose: 1 or 0. The map's size is a power of two.
#[inline(always)]
fn bit<const N: usize>(map: &[u64; N], hash: u32) -> u64 {
    let at = hash >> (26 - N.trailing_zeros());
    (map[(at >> 6) as usize & (N - 1)] >> (at & 63)) & 1
}

fn set<const N: usize>(map: &mut [u64; N], hash: u32) {
    let at = hash >> (26 - N.trailing_zeros());
    map[(at >> 6) as usize & (N - 1)] |= 1 << (at & 63);
}

/// What literals register.
struct Registry {
    grams: Box<[u64; 1 << (GRAM_BITS - 6)]>,
    runs: Box<[u64; 1 << (RUN_BITS - 6)]>,
    next: Box<[u32; 1 << NEXT_BITS]>,
    threes: Box<[u64; 1 << (RUN_BITS - 6)]>,
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
            // The two grams, at adjacent offsets, that are rarest in ordinary text.
            let least = |&o: &usize| rarity(&bytes[o..o + GRAM]).min(rarity(&bytes[o + 1..=o + GRAM]));
            let offset = (0..n - GRAM).max_by_key(least).unwrap_or(0);
            for o in [offset, offset + 1] {
                set(&mut self.grams, hash(four(o)));
                let next = &mut self.next[(hash(four(o)) >> (32 - NEXT_BITS)) as usize];
                *next |= match o + GRAM + 2 <= n {
                    true => 1 << next_bit(u64::from(folded(o + GRAM) | folded(o + GRAM + 1) << 8) << 32),
                    false => u32::MAX,
                };
                self.four.push(entry(four(o), o));
            }
        } else {
            set(&mut self.threes, hash(three(0)));
            self.three.push(Entry { upper_only: n == GRAM, ..entry(three(0), 0) });
            if n == GRAM {
                set(&mut self.grams, hash(four(0)));
                self.four.push(entry(four(0), 0));
            }
            // Every folded value of a borrowed byte: bit 5 is always set.
            for any in (0u32..256).filter(|b| b & 0x20 != 0) {
                set(&mut self.grams, hash(three(0) << 8 | any));
                if n < GRAM {
                    set(&mut self.grams, hash(any << 24 | three(0)));
                }
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

impl Prefilter {
    /// Builds the tables for these literals (three to 255 bytes each; at most 65,535).
    pub fn new(literals: Vec<Literal>) -> Self {
        let mut registry = Registry {
            grams: Box::new([0; _]),
            runs: Box::new([0; _]),
            next: Box::new([0; _]),
            threes: Box::new([0; _]),
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
            grams: registry.grams,
            runs: registry.runs,
            next: registry.next,
            threes: registry.threes,
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

    /// Length in bytes of the longest literal.
    pub fn longest(&self) -> usize {
        self.longest
    }

    /// Appends every occurrence that lies in `text` and overlaps `start..end`, in no order. Of literals
    /// that need a run, those whose run touches `start..end` are occurrences too.
    ///
    /// Offsets beyond 4 GiB are not reported; callers scan larger texts in chunks.
    pub fn find(&self, text: &[u8], start: usize, end: usize, hits: &mut Vec<Hit>) {
        if self.longest == 0 || start >= end {
            return;
        }
        self.scan_runs(text, start, end, hits);
        let in_runs = hits.len();
        let from = start.saturating_sub(self.longest - 1);
        // One byte more on each side: short literals borrow a neighbour.
        let scan_from = from.saturating_sub(1) & !(STRIDE - 1);
        let scan_to = (end + self.longest).min(text.len());
        self.scan(text, scan_from, scan_to, hits);
        if start > 0 || end < text.len() {
            let overlaps = |h: &Hit| {
                let at = h.at as usize;
                at < end && at + self.literals[usize::from(h.literal)].bytes.len() > start
            };
            let mut kept = in_runs;
            for i in in_runs..hits.len() {
                if overlaps(&hits[i]) {
                    hits[kept] = hits[i];
                    kept += 1;
                }
            }
            hits.truncate(kept);
        }
    }

    /// Looks up every place that begins a run of token bytes and can have changed: from [`RUN`] bytes before
    /// `start` on.
    fn scan_runs(&self, text: &[u8], start: usize, end: usize, hits: &mut Vec<Hit>) {
        if self.in_run.entries.is_empty() {
            return;
        }
        let from = start.saturating_sub(RUN - 1);
        let to = end.saturating_add(RUN - 1).min(text.len());
        token_runs::each(&text[..to], from, |at| {
            let Some(&gram) = text.get(at..).and_then(|rest| rest.first_chunk()) else { return };
            let key = (u32::from_le_bytes(gram) | FOLD) & LOW;
            if bit(&self.runs, hash(key)) != 0 {
                for entry in self.in_run.with_key(key) {
                    self.compare(text, at, entry, hits);
                }
            }
        });
    }

    /// Tests every second position from `from` on whose gram begins before `to`.
    fn scan(&self, text: &[u8], from: usize, to: usize, hits: &mut Vec<Hit>) {
        let mut passed = [0u16; BATCH];
        let mut at = from;
        // Whole grams only; the end comes below.
        let whole = to.min((text.len() + 1).saturating_sub(GRAM));
        while at < whole {
            let end = whole.min(at + BATCH * STRIDE);
            let n = self.sift(&text[at..end + GRAM - 1], &mut passed);
            let n = self.sift_again(&text[at..], &mut passed, n);
            for &p in passed.get(..n).unwrap_or_default() {
                let p = at + usize::from(p);
                if let Some(&gram) = text[p..].first_chunk() {
                    self.lookup(text, p, u32::from_le_bytes(gram) | FOLD, hits);
                }
            }
            at += (end - at).next_multiple_of(STRIDE);
        }
        // The end of the text, padded with zeros, which no literal needs and every borrowed byte may be.
        while at < to {
            let mut gram = [0u8; GRAM];
            gram.iter_mut().zip(&text[at..]).for_each(|(to, from)| *to = *from);
            self.lookup(text, at, u32::from_le_bytes(gram) | FOLD, hits);
            at += STRIDE;
        }
    }

    /// Lists the offsets in `part` of the grams that pass the bitmap. Without a branch on what is there: one
    /// that is guessed wrong costs as much as testing ten positions.
    #[inline(never)]
    fn sift(&self, part: &[u8], passed: &mut [u16; BATCH]) -> usize {
        let mut n = 0;
        let mut p = 0;
        let mut test = |gram: u32, p: usize| {
            passed[n & (BATCH - 1)] = p as u16;
            n += bit(&self.grams, hash(gram | FOLD)) as usize;
        };
        // Four positions from two words.
        while let Some(block) = part.get(p..).and_then(|rest| rest.first_chunk::<{ 4 * STRIDE + 2 }>()) {
            let word = |o: usize| u32::from_le_bytes([block[o], block[o + 1], block[o + 2], block[o + 3]]);
            test(word(0), p);
            test(word(2), p + 2);
            test(word(4), p + 4);
            test(word(6), p + 6);
            p += 4 * STRIDE;
        }
        while let Some(&gram) = part.get(p..).and_then(|rest| rest.first_chunk::<GRAM>()) {
            test(u32::from_le_bytes(gram), p);
            p += STRIDE;
        }
        n
    }

    /// Keeps those of the first `n` positions that pass the finer maps, too.
    #[inline(never)]
    fn sift_again(&self, text: &[u8], passed: &mut [u16; BATCH], n: usize) -> usize {
        let mut kept = 0;
        for i in 0..n.min(BATCH) {
            let p = passed[i];
            let mut window = [0u8; 8];
            match text[usize::from(p)..].first_chunk() {
                Some(&whole) => window = whole,
                None => window.iter_mut().zip(&text[usize::from(p)..]).for_each(|(to, from)| *to = *from),
            }
            let window = u64::from_le_bytes(window) | FOLD8;
            let gram = window as u32;
            let next = self.next[(hash(gram) >> (32 - NEXT_BITS)) as usize & ((1 << NEXT_BITS) - 1)];
            let four = u64::from(next >> next_bit(window) & 1);
            passed[kept] = p;
            kept +=
                (four | bit(&self.threes, hash(gram & LOW)) | bit(&self.threes, hash(gram >> 8))) as usize;
        }
        kept
    }

    #[inline]
    fn lookup(&self, text: &[u8], p: usize, gram: u32, hits: &mut Vec<Hit>) {
        for entry in self.four.with_key(gram) {
            self.compare(text, p, entry, hits);
        }
        for entry in self.three.with_key(gram & LOW).filter(|entry| !entry.upper_only) {
            self.compare(text, p, entry, hits);
        }
        for entry in self.three.with_key(gram >> 8) {
            self.compare(text, p + 1, entry, hits);
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
mod tests {
    use super::*;
    use crate::rules::is_token_byte;
    use proptest::prelude::*;

    /// The slow twin: every literal at every position.
    fn naive(literals: &[Literal], text: &[u8], start: usize, end: usize) -> Vec<Hit> {
        let mut hits = Vec::new();
        for at in 0..text.len() {
            for (i, l) in literals.iter().enumerate() {
                let Some(there) = text.get(at..at + l.bytes.len()) else { continue };
                let same = if l.fold { there.eq_ignore_ascii_case(&l.bytes) } else { there == &l.bytes[..] };
                let in_run = l.in_run && l.bytes.len() <= SHORT;
                let run = text.get(at..at + RUN).is_some_and(|run| run.iter().all(|&b| is_token_byte(b)));
                let counts = if in_run { RUN } else { l.bytes.len() };
                if same && (run || !in_run) && at < end && at + counts > start {
                    hits.push(Hit { at: at as u32, literal: i as LiteralIndex });
                }
            }
        }
        hits
    }

    fn literal(text: &str, fold: bool, in_run: bool) -> Literal {
        let text = if fold { text.to_ascii_lowercase() } else { text.to_owned() };
        Literal { bytes: text.into_bytes().into(), fold, in_run }
    }

    proptest! {
        #[test]
        fn finds_what_a_naive_search_finds(
            literals in prop::collection::vec(("[abAB_]{3,7}", any::<bool>(), any::<bool>()), 1..6),
            text in prop::collection::vec(
                prop_oneof![Just(b'a'), Just(b'b'), Just(b'A'), Just(b'_'), Just(0u8), any::<u8>()], 0..200),
            long in prop::collection::vec(prop::sample::select(&b"abAB_"[..]), 0..100),
            cut in (0usize..300, 0usize..300),
        ) {
            let literals: Vec<Literal> =
                literals.into_iter().map(|(t, fold, in_run)| literal(&t, fold, in_run)).collect();
            let text = [text, long].concat();
            let prefilter = Prefilter::new(literals.clone());
            let (start, end) = (cut.0.min(cut.1).min(text.len()), cut.0.max(cut.1).min(text.len()));
            for (start, end) in [(0, text.len()), (start, end)] {
                let mut hits = Vec::new();
                prefilter.find(&text, start, end, &mut hits);
                hits.sort();
                let expected = if start < end { naive(&literals, &text, start, end) } else { Vec::new() };
                prop_assert_eq!(hits, expected);
            }
        }
    }

    #[test]
    fn the_ends_of_the_text_are_seen() {
        let prefilter = Prefilter::new(vec![literal("abc", false, false), literal("wxyz", true, false)]);
        for text in ["abc", "-abc", "--abc", "WXYZ", "-wXyz", "abc-wxyz"] {
            let mut hits = Vec::new();
            prefilter.find(text.as_bytes(), 0, text.len(), &mut hits);
            assert!(!hits.is_empty(), "{text}");
        }
    }

    #[test]
    fn texts_longer_than_a_batch_are_seen() {
        let prefilter = Prefilter::new(vec![literal("needle", false, false), literal("tok", false, true)]);
        for at in (0..3 * BATCH * STRIDE).step_by(61) {
            let mut text = vec![b' '; 3 * BATCH * STRIDE + 64];
            text[at..at + 6].copy_from_slice(b"needle");
            text[at + 8..at + 24].copy_from_slice(b"tok_abcdefghijkl");
            let mut hits = Vec::new();
            prefilter.find(&text, 0, text.len(), &mut hits);
            assert_eq!(hits.len(), 2, "{at}");
        }
    }
}
