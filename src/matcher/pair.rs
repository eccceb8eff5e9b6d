//! Bit masks of blocks of 64 bytes, one bit a byte, of which the past is needed.

/// A mask of this block and the one before, to look back over the border.
#[derive(Clone, Copy, Default)]
pub(super) struct Pair {
    pub(super) now: u64,
    before: u64,
}

impl Pair {
    #[inline(always)]
    pub(super) fn push(&mut self, mask: u64) {
        self.before = self.now;
        self.now = mask;
    }

    /// Where sixteen bytes in a row end of which the mask tells.
    #[inline(always)]
    pub(super) fn ends_of_sixteen(self) -> u64 {
        let both = u128::from(self.now) << 64 | u128::from(self.before);
        // Runs of at least 2, 4, 8 and 16.
        let runs = [1, 2, 4, 8].iter().fold(both, |runs, n| runs & runs << n);
        (runs >> 64) as u64
    }

    /// Bit `i` tells of byte `i - n`; `n` is 1 to 63.
    #[inline(always)]
    pub(super) fn back(self, n: u32) -> u64 {
        (self.now << n) | (self.before >> (64 - n))
    }
}
