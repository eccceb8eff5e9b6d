//! The prefilter: finds every occurrence of every required literal in one pass.
//!
//! Each literal is represented by four-byte *grams* of its case-folded bytes. The text is sampled at
//! every second byte, so a literal registers two grams, one for each alignment; a literal of three or
//! four bytes borrows a neighbour byte of any value. A bitmap of hashed grams answers "no" for almost
//! every position; the rest are looked up in a table and compared. The cost does not depend on the
//! number of literals that do not occur.

use std::borrow::Cow;

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
}

const GRAM: usize = 4;
const STRIDE: usize = 2;
/// Positions tested between two branches.
const UNROLL: usize = 8;
/// Sets the lower-case bit of every byte: equal for letters of either case.
const FOLD: u32 = 0x2020_2020;
const BITMAP_BITS: u32 = 21;
const TABLE_BITS: u32 = 12;
/// The lower three bytes of a gram.
const LOW: u32 = 0x00ff_ffff;

/// Finds all occurrences of a set of literals. Build once, share between threads.
#[derive(Debug)]
pub struct Prefilter {
    literals: Vec<Literal>,
    bitmap: Box<[u64]>,
    /// Four bytes of a literal.
    long: Table,
    /// Three bytes of a literal of three or four bytes; the fourth of the gram is any byte.
    short: Table,
    longest: usize,
}

#[derive(Clone, Copy, Debug, Default)]
struct Entry {
    /// Three or four folded bytes.
    key: u32,
    literal: LiteralIndex,
    /// Offset of the key in the literal.
    offset: u8,
    /// Counts only where the key is the upper three bytes of a gram: the other alignment has a key of
    /// four bytes.
    upper_only: bool,
}

/// Entries by the hash of their key.
#[derive(Debug)]
struct Table {
    /// `starts[b]..starts[b + 1]` are the entries of bucket `b`.
    starts: Box<[u32]>,
    entries: Box<[Entry]>,
}

impl Table {
    fn new(entries: &[Entry]) -> Self {
        let mut starts = vec![0u32; (1 << TABLE_BITS) + 2].into_boxed_slice();
        for entry in entries {
            starts[bucket(entry.key) + 2] += 1;
        }
        // Counting sort by bucket: afterwards starts[b + 1] is the end of bucket b.
        for b in 2..starts.len() {
            starts[b] += starts[b - 1];
        }
        let mut sorted = vec![Entry::default(); entries.len()].into_boxed_slice();
        for entry in entries {
            let slot = &mut starts[bucket(entry.key) + 1];
            sorted[*slot as usize] = *entry;
            *slot += 1;
        }
        Table { starts, entries: sorted }
    }

    fn with_key(&self, key: u32) -> impl Iterator<Item = &Entry> {
        let bucket = bucket(key);
        let range = self.starts[bucket] as usize..self.starts[bucket + 1] as usize;
        self.entries[range].iter().filter(move |e| e.key == key)
    }
}

fn hash(gram: u32) -> u32 {
    gram.wrapping_mul(0x9E37_79B1)
}

fn bucket(key: u32) -> usize {
    (hash(key) >> (32 - TABLE_BITS)) as usize
}

fn bitmap_slot(hash: u32) -> (usize, u32) {
    let bit = hash >> (32 - BITMAP_BITS);
    ((bit >> 6) as usize, bit & 63)
}

/// What literals register.
#[derive(Default)]
struct Registry {
    bitmap: Vec<u64>,
    long: Vec<Entry>,
    short: Vec<Entry>,
}

impl Registry {
    fn allow(&mut self, gram: u32) {
        let (word, bit) = bitmap_slot(hash(gram));
        self.bitmap[word] |= 1 << bit;
    }

    /// Registers the two grams of a literal, at adjacent offsets, that are rarest in ordinary text.
    fn add(&mut self, bytes: &[u8], literal: LiteralIndex) {
        let gram = |o: usize| u32::from_le_bytes([bytes[o], bytes[o + 1], bytes[o + 2], bytes[o + 3]]) | FOLD;
        let n = bytes.len();
        if n > GRAM {
            let offset = (0..n - GRAM).min_by_key(|&o| commonness(&bytes[o..o + GRAM + 1])).unwrap_or(0);
            for o in [offset, offset + 1] {
                self.allow(gram(o));
                self.long.push(Entry { key: gram(o), literal, offset: o as u8, upper_only: false });
            }
            return;
        }
        let key = (u32::from_le_bytes([bytes[0], bytes[1], bytes[2], 0]) | FOLD) & LOW;
        self.short.push(Entry { key, literal, offset: 0, upper_only: n == GRAM });
        if n == GRAM {
            self.allow(gram(0));
            self.long.push(Entry { key: gram(0), literal, offset: 0, upper_only: false });
        }
        // Every folded value of a borrowed byte: bit 5 is always set.
        for any in (0u32..256).filter(|b| b & 0x20 != 0) {
            self.allow(key << 8 | any);
            if n < GRAM {
                self.allow(any << 24 | key);
            }
        }
    }
}

impl Prefilter {
    /// Builds the tables for these literals (three to 255 bytes each; at most 65,535).
    pub fn new(literals: Vec<Literal>) -> Self {
        let mut registry = Registry { bitmap: vec![0u64; 1 << (BITMAP_BITS - 6)], ..Registry::default() };
        for (i, literal) in literals.iter().enumerate() {
            debug_assert!((3..256).contains(&literal.bytes.len()));
            registry.add(&literal.bytes, i as LiteralIndex);
        }
        let longest = literals.iter().map(|l| l.bytes.len()).max().unwrap_or(0);
        Prefilter {
            literals,
            bitmap: registry.bitmap.into_boxed_slice(),
            long: Table::new(&registry.long),
            short: Table::new(&registry.short),
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

    /// Appends every occurrence that lies in `text` and overlaps `start..end`, in no order.
    ///
    /// Offsets beyond 4 GiB are not reported; callers scan larger texts in chunks.
    pub fn find(&self, text: &[u8], start: usize, end: usize, hits: &mut Vec<Hit>) {
        if self.longest == 0 || start >= end {
            return;
        }
        let from = start.saturating_sub(self.longest - 1);
        // One byte more on each side: short literals borrow a neighbour.
        let scan_from = from.saturating_sub(1) & !(STRIDE - 1);
        let scan_to = (end + self.longest).min(text.len());
        let first = hits.len();
        self.scan(text, scan_from, scan_to, hits);
        let keep = |h: &Hit| {
            let at = h.at as usize;
            at < end && at + self.literals[usize::from(h.literal)].bytes.len() > start
        };
        if start > 0 || end < text.len() {
            let mut kept = first;
            for i in first..hits.len() {
                if keep(&hits[i]) {
                    hits[kept] = hits[i];
                    kept += 1;
                }
            }
            hits.truncate(kept);
        }
    }

    /// Tests every second position from `from` on whose gram begins before `to`.
    fn scan(&self, text: &[u8], from: usize, to: usize, hits: &mut Vec<Hit>) {
        const BLOCK: usize = UNROLL * STRIDE;
        let mut p = from;
        let safe_end = to.min((text.len() + 1).saturating_sub(GRAM + BLOCK));
        while p < safe_end {
            // The loads below end at p + BLOCK - STRIDE + GRAM <= text.len().
            let block: &[u8; BLOCK + GRAM] = match text[p..].first_chunk() {
                Some(block) => block,
                None => break,
            };
            let mut any = 0u64;
            for k in 0..UNROLL {
                any |= self.test(load(block, k * STRIDE)) << k;
            }
            while any != 0 {
                let k = any.trailing_zeros() as usize;
                any &= any - 1;
                self.lookup(text, p + k * STRIDE, load(block, k * STRIDE), hits);
            }
            p += BLOCK;
        }
        // The end of the text, padded with zeros, which no literal needs and every borrowed byte may be.
        while p < to {
            let mut gram = [0u8; GRAM];
            let n = (text.len() - p).min(GRAM);
            gram[..n].copy_from_slice(&text[p..p + n]);
            let gram = u32::from_le_bytes(gram) | FOLD;
            if self.test(gram) != 0 {
                self.lookup(text, p, gram, hits);
            }
            p += STRIDE;
        }
    }

    #[inline(always)]
    fn test(&self, gram: u32) -> u64 {
        let (word, bit) = bitmap_slot(hash(gram));
        // The index is below the bitmap's fixed size; the mask lets the compiler know.
        (self.bitmap[word & ((1 << (BITMAP_BITS - 6)) - 1)] >> bit) & 1
    }

    #[inline(never)]
    fn lookup(&self, text: &[u8], p: usize, gram: u32, hits: &mut Vec<Hit>) {
        for entry in self.long.with_key(gram) {
            self.compare(text, p, entry, hits);
        }
        for entry in self.short.with_key(gram & LOW).filter(|e| !e.upper_only) {
            self.compare(text, p, entry, hits);
        }
        for entry in self.short.with_key(gram >> 8) {
            self.compare(text, p + 1, entry, hits);
        }
    }

    fn compare(&self, text: &[u8], p: usize, entry: &Entry, hits: &mut Vec<Hit>) {
        let Some(at) = p.checked_sub(usize::from(entry.offset)) else { return };
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

fn load(block: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([block[at], block[at + 1], block[at + 2], block[at + 3]]) | FOLD
}

/// How common a run of bytes is in source text: the sum of rough frequencies, per mille.
fn commonness(bytes: &[u8]) -> u32 {
    bytes
        .iter()
        .map(|b| match b.to_ascii_lowercase() {
            b'e' | b't' | b' ' => 90,
            b'a' | b'o' | b'i' | b'n' | b's' | b'r' => 65,
            b'c' | b'd' | b'l' | b'u' | b'p' | b'm' => 35,
            b'f' | b'g' | b'h' | b'b' | b'_' | b'.' | b'-' => 20,
            b'y' | b'w' | b'v' | b'k' => 10,
            _ => 4,
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The slow twin: every literal at every position.
    fn naive(literals: &[Literal], text: &[u8]) -> Vec<Hit> {
        let mut hits = Vec::new();
        for at in 0..text.len() {
            for (i, l) in literals.iter().enumerate() {
                if let Some(there) = text.get(at..at + l.bytes.len())
                    && (if l.fold { there.eq_ignore_ascii_case(&l.bytes) } else { there == &l.bytes[..] })
                {
                    hits.push(Hit { at: at as u32, literal: i as LiteralIndex });
                }
            }
        }
        hits
    }

    fn literal(text: &str, fold: bool) -> Literal {
        Literal { bytes: text.as_bytes().to_vec().into(), fold }
    }

    proptest! {
        #[test]
        fn finds_what_a_naive_search_finds(
            literals in prop::collection::vec(("[abAB_]{3,7}", any::<bool>()), 1..6),
            text in prop::collection::vec(prop_oneof![Just(b'a'), Just(b'b'), Just(b'A'), Just(b'_'), Just(0u8), any::<u8>()], 0..200),
            cut in (0usize..200, 0usize..200),
        ) {
            let literals: Vec<Literal> = literals
                .into_iter()
                .map(|(t, fold)| literal(&if fold { t.to_ascii_lowercase() } else { t }, fold))
                .collect();
            let prefilter = Prefilter::new(literals.clone());
            let mut hits = Vec::new();
            prefilter.find(&text, 0, text.len(), &mut hits);
            hits.sort();
            let mut all = naive(&literals, &text);
            all.sort();
            prop_assert_eq!(&hits, &all);

            let (start, end) = (cut.0.min(cut.1).min(text.len()), cut.0.max(cut.1).min(text.len()));
            let mut part = Vec::new();
            prefilter.find(&text, start, end, &mut part);
            part.sort();
            all.retain(|h| (h.at as usize) < end && h.at as usize + literals[usize::from(h.literal)].bytes.len() > start);
            if start == end { all.clear(); }
            prop_assert_eq!(part, all);
        }
    }

    #[test]
    fn the_ends_of_the_text_are_seen() {
        let prefilter = Prefilter::new(vec![literal("abc", false), literal("wxyz", true)]);
        for text in ["abc", "-abc", "--abc", "WXYZ", "-wXyz", "abc-wxyz"] {
            let mut hits = Vec::new();
            prefilter.find(text.as_bytes(), 0, text.len(), &mut hits);
            assert!(!hits.is_empty(), "{text}");
        }
    }
}
