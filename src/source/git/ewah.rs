//! EWAH-compressed bitmaps, as a split index uses them.
//!
//! Format: "ewah_io" of git: number of bits (4 bytes), number of words (4 bytes), words of 8 bytes, and
//! the position of the last marker word (4 bytes).

use super::bytes::{be32, be64};

/// The positions of the set bits below `limit`, ascending, and the number of bytes that the bitmap takes.
/// None if it is damaged or has a set bit at or behind the limit.
pub(super) fn bits(data: &[u8], limit: usize) -> Option<(Vec<usize>, usize)> {
    let words = be32(data, 4)? as usize;
    let end = 8 + words.checked_mul(8)?;
    let mut set = Vec::new();
    let mut bit = 0usize; // position of the next bit
    let mut at = 8;
    while at < end {
        let marker = be64(data, at)?;
        at += 8;
        let run = (marker >> 1 & 0xffff_ffff) as usize * 64;
        let literals = (marker >> 33) as usize;
        if marker & 1 == 1 {
            // Whole words: the last one may reach behind the end.
            let run_end = bit.checked_add(run)?;
            if run_end.checked_sub(63)? > limit {
                return None;
            }
            set.extend(bit..run_end.min(limit));
        }
        bit = bit.checked_add(run)?;
        for _ in 0..literals {
            let mut word = be64(data.get(..end)?, at)?;
            at += 8;
            while word != 0 {
                let position = bit + word.trailing_zeros() as usize;
                if position >= limit {
                    return None;
                }
                set.push(position);
                word &= word - 1;
            }
            bit = bit.checked_add(64)?;
        }
    }
    data.get(..end + 4)?;
    Some((set, end + 4))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_and_literals() {
        // One word of ones, one word of zeros, one literal word, by two markers.
        let mut data = [0, 0, 0, 192, 0, 0, 0, 3].to_vec();
        data.extend((1u64 | 1 << 1).to_be_bytes());
        data.extend((1u64 << 1 | 1 << 33).to_be_bytes());
        data.extend(0b101u64.to_be_bytes());
        data.extend([0, 0, 0, 1]);
        let (set, used) = bits(&data, 192).unwrap();
        assert_eq!(set, (0..64).chain([128, 130]).collect::<Vec<_>>());
        assert_eq!(used, data.len());
        assert_eq!(bits(&data, 130), None);
        for cut in 0..data.len() {
            assert_eq!(bits(&data[..cut], 192), None);
        }
    }

    /// A marker: a run of so many words of ones or zeros, and so many literal words behind it.
    fn marker(ones: bool, run: u64, literals: u64) -> [u8; 8] {
        (u64::from(ones) | run << 1 | literals << 33).to_be_bytes()
    }

    fn bitmap(words: &[[u8; 8]]) -> Vec<u8> {
        let count = (words.len() as u32).to_be_bytes();
        [&[0; 4][..], &count, &words.concat(), &[0; 4]].concat()
    }

    #[test]
    fn literals_follow_each_other() {
        let data = bitmap(&[marker(false, 1, 2), 1u64.to_be_bytes(), 6u64.to_be_bytes()]);
        assert_eq!(bits(&data, 192), Some((vec![64, 129, 130], data.len())));
    }

    #[test]
    fn the_last_word_of_a_run_may_reach_behind_the_limit() {
        let data = bitmap(&[marker(true, 2, 0)]);
        for (limit, count) in
            [(64, None), (65, Some(65)), (127, Some(127)), (128, Some(128)), (200, Some(128))]
        {
            assert_eq!(bits(&data, limit).map(|(set, _)| set.len()), count, "{limit}");
        }
        assert_eq!(bits(&bitmap(&[marker(true, 1, 0)]), 0), None);
    }
}
