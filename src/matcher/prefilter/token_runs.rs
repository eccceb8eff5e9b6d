//! Finds where token bytes stand in a row.

use crate::matcher::pair::Pair;
use crate::rules::is_token_byte;

/// How many token bytes make a run.
pub const RUN: usize = 16;

/// Bytes classified at a time.
const BLOCK: usize = 64;

/// Calls `on` with every place from `from` on that begins at least [`RUN`] token bytes in a row, in order.
pub(super) fn each(text: &[u8], from: usize, on: impl FnMut(usize)) {
    #[cfg(target_arch = "x86_64")]
    if std::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has AVX2.
        return unsafe { avx2::each(text, from, on) };
    }
    each_with(text, from, classify, on);
}

#[inline(always)]
fn each_with(text: &[u8], from: usize, classify: impl Fn(&[u8; BLOCK]) -> u64, mut on: impl FnMut(usize)) {
    let Some(rest) = text.get(from..) else { return };
    let (blocks, end) = rest.as_chunks::<BLOCK>();
    let mut base = from;
    let mut last = [0u8; BLOCK];
    last[..end.len()].copy_from_slice(end);
    let (mut tokens, mut long_before) = (Pair::default(), false);
    for block in blocks.iter().chain([&last]) {
        tokens.push(classify(block));
        let long = has_aligned_eight(tokens.now);
        if long || long_before {
            let mut ends = tokens.ends_of_sixteen();
            while ends != 0 {
                on(base + ends.trailing_zeros() as usize + 1 - RUN);
                ends &= ends - 1;
            }
        }
        long_before = long;
        base += BLOCK;
    }
}

/// Whether eight bytes in a row that begin at a multiple of eight are token bytes. A run of sixteen covers such
/// eight, and most blocks of ordinary text have none.
#[inline(always)]
fn has_aligned_eight(class: u64) -> bool {
    let twos = class & class >> 1;
    let fours = twos & twos >> 2;
    fours & fours >> 4 & 0x0101_0101_0101_0101 != 0
}

/// One bit for each byte: whether it is a token byte. Written so that the compiler makes vectors of it.
#[inline(always)]
fn classify(block: &[u8; BLOCK]) -> u64 {
    let mut ones = [0u8; BLOCK];
    for (one, &b) in ones.iter_mut().zip(block) {
        *one = u8::from(is_token_byte(b));
    }
    // Eight bytes of 0 or 1 become eight bits: the product moves byte `i` to bit `56 + i`.
    let bits = |eight: &[u8; 8]| u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56;
    ones.as_chunks::<8>().0.iter().enumerate().fold(0, |all, (i, eight)| all | bits(eight) << (8 * i))
}

/// The same with vectors of 32 bytes.
#[cfg(target_arch = "x86_64")]
mod avx2 {
    use core::arch::x86_64::*;

    use super::BLOCK;

    /// See [`super::each`].
    #[target_feature(enable = "avx2")]
    pub(super) fn each(text: &[u8], from: usize, on: impl FnMut(usize)) {
        super::each_with(text, from, |block| classify(block), on);
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn classify(block: &[u8; BLOCK]) -> u64 {
        let half = |first: usize| match block[first..].first_chunk() {
            Some(bytes) => u64::from(token_bytes(load(bytes))),
            None => 0,
        };
        half(0) | half(BLOCK / 2) << 32
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn load(bytes: &[u8; BLOCK / 2]) -> __m256i {
        // SAFETY: 32 bytes can be read there, and the instruction asks for no alignment.
        unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
    }

    /// One bit for each of 32 bytes. Both halves of a byte choose a set of rows of the code table, and the byte
    /// is a token byte if the sets share one (Langdale and Lemire, Parsing Gigabytes of JSON per Second, 3.1.2).
    #[inline]
    #[target_feature(enable = "avx2")]
    fn token_bytes(bytes: __m256i) -> u32 {
        // Rows: 1 is `+` to `/`, 2 the digits, 4 letters up to `o`, 8 those from `P` to `_`, 16 those from `p` on.
        let rows_of_low = _mm_setr_epi8(26, 30, 30, 30, 30, 30, 30, 30, 30, 30, 28, 5, 4, 5, 4, 13);
        let rows_of_high = _mm_setr_epi8(0, 0, 1, 2, 4, 8, 4, 16, 0, 0, 0, 0, 0, 0, 0, 0);
        let high = _mm256_and_si256(_mm256_srli_epi16::<4>(bytes), _mm256_set1_epi8(15));
        // The lower half chooses none where the highest bit is set.
        let by_low = _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(rows_of_low), bytes);
        let by_high = _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(rows_of_high), high);
        let none = _mm256_cmpeq_epi8(_mm256_and_si256(by_low, by_high), _mm256_setzero_si256());
        !_mm256_movemask_epi8(none) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn agrees_with_a_search_byte_by_byte(
            parts in prop::collection::vec((0usize..70, any::<u8>()), 0..12),
            from in 0usize..100,
        ) {
            let text: Vec<u8> = parts.iter().flat_map(|&(n, b)| [vec![b'q'; n], vec![b]].concat()).collect();
            let mut found = Vec::new();
            each(&text, from, |at| found.push(at));
            let begins = |&at: &usize| {
                text.get(at..at + RUN).is_some_and(|run| run.iter().all(|&b| is_token_byte(b)))
            };
            let expected: Vec<usize> = (from..text.len()).filter(begins).collect();
            prop_assert_eq!(&found, &expected);
            // What processors without AVX2 run.
            found.clear();
            each_with(&text, from, classify, |at| found.push(at));
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn every_byte_is_classified() {
        for first in (0..=255u8).step_by(BLOCK) {
            let block: [u8; BLOCK] = std::array::from_fn(|i| first + i as u8);
            let expected = block.iter().rev().fold(0, |bits, &b| bits << 1 | u64::from(is_token_byte(b)));
            assert_eq!(classify(&block), expected);
            #[cfg(target_arch = "x86_64")]
            if std::is_x86_feature_detected!("avx2") {
                // SAFETY: the processor has AVX2.
                assert_eq!(unsafe { avx2::classify(&block) }, expected);
            }
        }
    }
}
