//! The prefilter: finds every occurrence of every required literal in one pass.
//!
//! Each literal is represented by four-byte *grams* of its case-folded bytes. The text is sampled at
//! every second byte, so a literal registers two grams, one for each alignment; a literal of three or
//! four bytes borrows a neighbour byte of any value. A bitmap of hashed grams, small enough for the
//! first-level cache, answers "no" for almost every position; the rest are looked up in a table and
//! compared. The cost does not depend on the number of literals that do not occur.

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
    pub bytes: Vec<u8>,
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
const TABLE_BITS: u32 = 15;

/// Finds all occurrences of a set of literals. Build once, share between threads.
#[derive(Debug)]
pub struct Prefilter {
    literals: Vec<Literal>,
    bitmap: Box<[u64]>,
    /// `table[b]..table[b + 1]` are the entries whose gram hashes to bucket `b`.
    table: Box<[u32]>,
    entries: Box<[Entry]>,
    longest: usize,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    gram: u32,
    literal: LiteralIndex,
    /// Offset of the gram in the literal; -1 when it begins one byte before.
    offset: i8,
}

fn hash(gram: u32) -> u32 {
    gram.wrapping_mul(0x9E37_79B1)
}

fn bitmap_slot(hash: u32) -> (usize, u32) {
    let bit = hash >> (32 - BITMAP_BITS);
    ((bit >> 6) as usize, bit & 63)
}

impl Prefilter {
    /// Builds the tables for these literals (three bytes at least each; at most 65,535).
    pub fn new(literals: Vec<Literal>) -> Self {
        let mut entries = Vec::with_capacity(literals.len() * 4);
        for (i, literal) in literals.iter().enumerate() {
            debug_assert!(literal.bytes.len() >= 3);
            register(&literal.bytes, i as LiteralIndex, &mut entries);
        }
        let mut bitmap = vec![0u64; 1 << (BITMAP_BITS - 6)].into_boxed_slice();
        let mut table = vec![0u32; (1 << TABLE_BITS) + 2].into_boxed_slice();
        for entry in &entries {
            let h = hash(entry.gram);
            let (word, bit) = bitmap_slot(h);
            bitmap[word] |= 1 << bit;
            table[(h >> (32 - TABLE_BITS)) as usize + 2] += 1;
        }
        // Counting sort by bucket: afterwards table[b + 1] is the end of bucket b.
        for b in 2..table.len() {
            table[b] += table[b - 1];
        }
        let mut sorted = vec![Entry { gram: 0, literal: 0, offset: 0 }; entries.len()].into_boxed_slice();
        for entry in &entries {
            let slot = &mut table[(hash(entry.gram) >> (32 - TABLE_BITS)) as usize + 1];
            sorted[*slot as usize] = *entry;
            *slot += 1;
        }
        let longest = literals.iter().map(|l| l.bytes.len()).max().unwrap_or(0);
        Prefilter { literals, bitmap, table, entries: sorted, longest }
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
        let bucket = (hash(gram) >> (32 - TABLE_BITS)) as usize;
        let entries = &self.entries[self.table[bucket] as usize..self.table[bucket + 1] as usize];
        for entry in entries {
            if entry.gram != gram {
                continue;
            }
            let Some(at) = p.checked_add_signed(-isize::from(entry.offset)) else {
                continue;
            };
            let literal = &self.literals[usize::from(entry.literal)];
            let Some(there) = text.get(at..at + literal.bytes.len()) else {
                continue;
            };
            let same = if literal.fold {
                there.eq_ignore_ascii_case(&literal.bytes)
            } else {
                there == literal.bytes
            };
            if same && let Ok(at) = u32::try_from(at) {
                hits.push(Hit { at, literal: entry.literal });
            }
        }
    }
}

fn load(block: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([block[at], block[at + 1], block[at + 2], block[at + 3]]) | FOLD
}

/// Registers the two grams of a literal, at adjacent offsets, that are rarest in ordinary text.
fn register(bytes: &[u8], literal: LiteralIndex, entries: &mut Vec<Entry>) {
    let n = bytes.len();
    if n >= GRAM + 1 {
        let offset = (0..=n - GRAM - 1).min_by_key(|&o| commonness(&bytes[o..o + GRAM + 1])).unwrap_or(0);
        for o in [offset, offset + 1] {
            let gram = u32::from_le_bytes([bytes[o], bytes[o + 1], bytes[o + 2], bytes[o + 3]]) | FOLD;
            entries.push(Entry { gram, literal, offset: o as i8 });
        }
        return;
    }
    // Every folded value of a borrowed byte: bit 5 is always set.
    let any = || (0u8..=255).filter(|b| b & 0x20 != 0);
    if n == GRAM {
        let gram = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) | FOLD;
        entries.push(Entry { gram, literal, offset: 0 });
        for b in any() {
            let gram = u32::from_le_bytes([bytes[1], bytes[2], bytes[3], b]) | FOLD;
            entries.push(Entry { gram, literal, offset: 1 });
        }
    } else {
        for b in any() {
            let after = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], b]) | FOLD;
            entries.push(Entry { gram: after, literal, offset: 0 });
            let before = u32::from_le_bytes([b, bytes[0], bytes[1], bytes[2]]) | FOLD;
            entries.push(Entry { gram: before, literal, offset: -1 });
        }
    }
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
                    && (if l.fold { there.eq_ignore_ascii_case(&l.bytes) } else { there == l.bytes })
                {
                    hits.push(Hit { at: at as u32, literal: i as LiteralIndex });
                }
            }
        }
        hits
    }

    fn literal(text: &str, fold: bool) -> Literal {
        Literal { bytes: text.as_bytes().to_vec(), fold }
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
