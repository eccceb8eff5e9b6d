//! How many bytes a scan looks at, counted in tests: its work, whatever the machine does beside. Elsewhere nothing is
//! counted.
//!
//! Counted are what the prefilter and the search for encodings pass over, every window in which a pattern or one
//! of its words is sought, what the generic detector reads, and what is decoded. What is counted is never
//! less than what is read, but for a constant factor.

#[cfg(test)]
use std::cell::Cell;

#[cfg(test)]
thread_local! {
    static BYTES: Cell<usize> = const { Cell::new(0) };
}

/// Notes that so many bytes were looked at.
#[inline(always)]
pub(crate) fn count(bytes: usize) {
    #[cfg(test)]
    BYTES.set(BYTES.get() + bytes);
    #[cfg(not(test))]
    let _ = bytes;
}

/// The bytes looked at on this thread since the last call.
#[cfg(test)]
pub(crate) fn take() -> usize {
    BYTES.replace(0)
}
