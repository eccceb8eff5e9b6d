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

    /// Bit `i` tells of byte `i - n`; `n` is 1 to 63.
    #[inline(always)]
    pub(super) fn back(self, n: u32) -> u64 {
        (self.now << n) | (self.before >> (64 - n))
    }
}
