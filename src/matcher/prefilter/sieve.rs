//! Bitmaps of hashed grams, and the pass over a text that answers "no" for almost every position.
//!
//! Positions are tested in batches and without a branch on what is there: one that is guessed wrong costs as
//! much as testing ten positions.

use super::{FOLD, FOLD8, GRAM, LOW, hash};

/// Bytes between two positions that are tested.
pub(super) const STRIDE: usize = 2;
/// Positions tested before those that passed are looked up: few, since most regions that a delta inserts are short.
const BATCH: usize = 128;
/// Bytes of a batch. Offsets in it fit a byte.
pub(super) const BATCH_BYTES: usize = BATCH * STRIDE;
/// Offsets are written eight at a time, of which those that count come first.
const SLACK: usize = 8;

/// Sizes of the bitmaps in bits, as powers of two: few positions pass by chance, and the first fits the
/// second-level cache, the others the first.
const GRAM_BITS: u32 = 20;
const THREE_BITS: u32 = 15;
const NEXT_BITS: u32 = 14;

/// What may stand at a position, by hashes alone.
#[derive(Debug)]
pub(super) struct Sieve {
    /// Hashed grams.
    grams: Box<[u32; 1 << (GRAM_BITS - 5)]>,
    /// By the hash of a gram: which two bytes may follow it.
    next: Box<[u32; 1 << NEXT_BITS]>,
    /// Hashed literals of three bytes, and first three bytes of those of four.
    threes: Box<[u32; 1 << (THREE_BITS - 5)]>,
}

/// The positions of a batch that a sieve lets through, as offsets from its first.
#[derive(Debug)]
pub(super) struct Passed {
    sifted: [u8; BATCH + SLACK],
    fours: [u8; BATCH],
    four_count: usize,
    threes: [u16; 2 * BATCH],
    three_count: usize,
}

/// Three bytes that may be a literal's.
#[derive(Clone, Copy, Debug)]
pub(super) struct Three {
    /// Where they are.
    pub(super) at: usize,
    /// Whether they are the upper three bytes of the gram, of which the lower three come one byte earlier.
    pub(super) upper: bool,
}

impl Passed {
    pub(super) fn new() -> Self {
        Passed {
            sifted: [0; BATCH + SLACK],
            fours: [0; BATCH],
            four_count: 0,
            threes: [0; 2 * BATCH],
            three_count: 0,
        }
    }

    /// Where grams of four bytes may be.
    pub(super) fn fours(&self) -> impl Iterator<Item = usize> {
        self.fours.iter().take(self.four_count).map(|&at| usize::from(at))
    }

    /// Where three bytes of a literal may be.
    pub(super) fn threes(&self) -> impl Iterator<Item = Three> {
        let three = |&code: &u16| {
            let upper = code & 1 != 0;
            Three { at: usize::from(code >> 1) + usize::from(upper), upper }
        };
        self.threes.iter().take(self.three_count).map(three)
    }
}

impl Sieve {
    /// Lets nothing through.
    pub(super) fn new() -> Self {
        Sieve { grams: Box::new([0; _]), next: Box::new([0; _]), threes: Box::new([0; _]) }
    }

    /// Lets a folded gram through, if these folded bytes follow (whatever follows, if they are not known).
    pub(super) fn add_four(&mut self, gram: u32, next: Option<[u8; 2]>) {
        set(&mut self.grams, hash(gram));
        let bits = next.map_or(u32::MAX, |next| 1 << next_bit(u32::from(u16::from_le_bytes(next))));
        self.next[next_place(gram)] |= bits;
    }

    /// Lets three folded bytes through as the upper three of a gram, and unless `upper_only` as the lower.
    pub(super) fn add_three(&mut self, three: u32, upper_only: bool) {
        set(&mut self.threes, hash(three));
        // Every folded value of a borrowed byte: bit 5 is always set.
        for any in (0u32..256).filter(|b| b & 0x20 != 0) {
            set(&mut self.grams, hash(three << 8 | any));
            if !upper_only {
                set(&mut self.grams, hash(any << 24 | three));
            }
        }
    }

    /// Tests every second position of a batch: those whose gram begins in the first `len` bytes of `text`
    /// and ends in it. `len` is at most [`BATCH_BYTES`].
    #[inline]
    pub(super) fn sift(&self, text: &[u8], len: usize, passed: &mut Passed) {
        let part = text.get(..len + GRAM - 1).unwrap_or(text);
        #[cfg(target_arch = "x86_64")]
        let count = if std::is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has AVX2.
            unsafe { avx2::sift_grams_in(&self.grams, part, &mut passed.sifted) }
        } else {
            sift_grams(&self.grams, part, 0, &mut passed.sifted, 0)
        };
        #[cfg(not(target_arch = "x86_64"))]
        let count = sift_grams(&self.grams, part, 0, &mut passed.sifted, 0);
        self.sift_again(text, count, passed);
    }

    /// Tells the first `count` positions that passed apart by the finer maps.
    #[inline(never)]
    fn sift_again(&self, text: &[u8], count: usize, passed: &mut Passed) {
        let (mut fours, mut threes) = (0, 0);
        for i in 0..count.min(BATCH) {
            let p = passed.sifted[i];
            let mut window = [0u8; 8];
            match text[usize::from(p)..].first_chunk() {
                Some(&whole) => window = whole,
                None => window.iter_mut().zip(&text[usize::from(p)..]).for_each(|(to, from)| *to = *from),
            }
            let window = u64::from_le_bytes(window) | FOLD8;
            let gram = window as u32;
            let code = u16::from(p) << 1;
            passed.fours[fours & (BATCH - 1)] = p;
            fours += (self.next[next_place(gram)] >> next_bit((window >> 32) as u32 & 0xffff) & 1) as usize;
            passed.threes[threes & (2 * BATCH - 1)] = code;
            threes += bit(&self.threes, hash(gram & LOW)) as usize;
            passed.threes[threes & (2 * BATCH - 1)] = code | 1;
            threes += bit(&self.threes, hash(gram >> 8)) as usize;
        }
        (passed.four_count, passed.three_count) = (fours, threes);
    }
}

/// Lists the offsets in `part`, from `from` on, of the grams that pass the bitmap, behind the `count` offsets
/// that are listed. Returns how many there are then.
fn sift_grams(
    grams: &[u32; 1 << (GRAM_BITS - 5)],
    part: &[u8],
    from: usize,
    passed: &mut [u8; BATCH + SLACK],
    mut count: usize,
) -> usize {
    let mut at = from;
    while let Some(&gram) = part.get(at..).and_then(|rest| rest.first_chunk::<GRAM>()) {
        passed[count & (BATCH - 1)] = at as u8;
        count += bit(grams, hash(u32::from_le_bytes(gram) | FOLD)) as usize;
        at += STRIDE;
    }
    count
}

/// The bit of a map that a hash's upper bits choose: 1 or 0. The map's size is a power of two.
#[inline(always)]
pub(super) fn bit<const N: usize>(map: &[u32; N], hash: u32) -> u32 {
    let at = hash >> (27 - N.trailing_zeros());
    (map[(at >> 5) as usize & (N - 1)] >> (at & 31)) & 1
}

/// Sets the bit of a map that a hash's upper bits choose.
pub(super) fn set<const N: usize>(map: &mut [u32; N], hash: u32) {
    let at = hash >> (27 - N.trailing_zeros());
    map[(at >> 5) as usize & (N - 1)] |= 1 << (at & 31);
}

#[inline(always)]
fn next_place(gram: u32) -> usize {
    (hash(gram) >> (32 - NEXT_BITS)) as usize & ((1 << NEXT_BITS) - 1)
}

/// Which bit of a word in [`Sieve::next`] the two bytes behind a gram choose.
#[inline(always)]
fn next_bit(next: u32) -> u32 {
    hash(next) >> 27
}

/// The first pass with vectors: eight grams are hashed, tested and listed at a time.
#[cfg(target_arch = "x86_64")]
mod avx2 {
    use core::arch::x86_64::*;

    use super::{BATCH, GRAM_BITS, SLACK, sift_grams};
    use crate::matcher::prefilter::{FOLD, MULTIPLIER};

    /// Bytes of a vector.
    const WIDTH: usize = 32;
    /// By the grams of a vector that passed, a bit each: their offsets, a byte each, in order.
    static OFFSETS: [u64; 256] = offsets();

    const fn offsets() -> [u64; 256] {
        let mut table = [0; 256];
        let mut mask = 0;
        while mask < 256 {
            let (mut lane, mut listed) = (0, 0);
            while lane < 8 {
                if mask >> lane & 1 != 0 {
                    table[mask] |= 4 * lane << (8 * listed);
                    listed += 1;
                }
                lane += 1;
            }
            mask += 1;
        }
        table
    }

    /// See [`sift_grams`].
    #[target_feature(enable = "avx2")]
    pub(super) fn sift_grams_in(
        grams: &[u32; 1 << (GRAM_BITS - 5)],
        part: &[u8],
        passed: &mut [u8; BATCH + SLACK],
    ) -> usize {
        let (mut at, mut count) = (0, 0);
        // Two vectors: the grams at offsets 0, 4, 8 and so on, and those two bytes later.
        while let Some(bytes) = part.get(at..).and_then(|rest| rest.first_chunk::<{ WIDTH + 2 }>()) {
            for shift in [0, 2] {
                let mask = test(grams, load(bytes, shift));
                let offsets = OFFSETS[mask as usize & 255] + 0x0101_0101_0101_0101 * (at + shift) as u64;
                if let Some(list) = passed.get_mut(count..).and_then(|rest| rest.first_chunk_mut::<SLACK>()) {
                    *list = offsets.to_le_bytes();
                }
                count += mask.count_ones() as usize;
            }
            at += WIDTH;
        }
        sift_grams(grams, part, at, passed, count)
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn load(bytes: &[u8; WIDTH + 2], from: usize) -> __m256i {
        match bytes[from..].first_chunk::<WIDTH>() {
            // SAFETY: 32 bytes can be read there, and the instruction asks for no alignment.
            Some(bytes) => unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) },
            None => _mm256_setzero_si256(),
        }
    }

    /// One bit for each of eight grams: whether the bitmap has it.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn test(grams: &[u32; 1 << (GRAM_BITS - 5)], eight: __m256i) -> u32 {
        let folded = _mm256_or_si256(eight, _mm256_set1_epi32(FOLD as i32));
        let hash = _mm256_mullo_epi32(folded, _mm256_set1_epi32(MULTIPLIER as i32));
        let words = _mm256_srli_epi32::<{ 32 - GRAM_BITS as i32 + 5 }>(hash);
        // Single loads: the instruction that gathers takes twice their time on many processors.
        let mut at = [0u32; 8];
        // SAFETY: 32 bytes can be written there, and the instruction asks for no alignment.
        unsafe { _mm256_storeu_si256(at.as_mut_ptr().cast(), words) };
        let word = |lane: usize| grams[at[lane] as usize & ((1 << (GRAM_BITS - 5)) - 1)] as i32;
        let found = _mm256_setr_epi32(word(0), word(1), word(2), word(3), word(4), word(5), word(6), word(7));
        let place = _mm256_srli_epi32::<{ 32 - GRAM_BITS as i32 }>(hash);
        let up = _mm256_andnot_si256(place, _mm256_set1_epi32(31)); // 31 less the lower five bits
        _mm256_movemask_ps(_mm256_castsi256_ps(_mm256_sllv_epi32(found, up))) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// The vectors list what the plain loop lists.
        #[test]
        #[cfg(target_arch = "x86_64")]
        fn vectors_and_plain_code_agree(
            part in prop::collection::vec(prop::sample::select(&b"abcAB_ "[..]), 0..BATCH_BYTES + GRAM),
            known in prop::collection::vec(0usize..300, 0..30),
        ) {
            if !std::is_x86_feature_detected!("avx2") {
                return Ok(());
            }
            let part = &part[..part.len().min(BATCH_BYTES + GRAM - 1)];
            let mut sieve = Sieve::new();
            for gram in known.iter().filter_map(|&at| part.get(at..at + GRAM)) {
                sieve.add_four(u32::from_le_bytes(gram.try_into().unwrap()) | FOLD, None);
            }
            let (mut fast, mut slow) = ([0; BATCH + SLACK], [0; BATCH + SLACK]);
            // SAFETY: the processor has AVX2.
            let count = unsafe { avx2::sift_grams_in(&sieve.grams, part, &mut fast) };
            prop_assert_eq!(count, sift_grams(&sieve.grams, part, 0, &mut slow, 0));
            let sorted = |list: &[u8; BATCH + SLACK]| {
                let mut list = list[..count].to_vec();
                list.sort_unstable();
                list
            };
            prop_assert_eq!(sorted(&fast), sorted(&slow));
        }
    }
}
