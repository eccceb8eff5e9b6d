//! How far a scan has come.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters that the threads of a scan advance, and that whoever shows them reads. They may lag a little.
#[derive(Debug, Default)]
pub struct Progress {
    /// Objects, files or commits that are done.
    done: AtomicU64,
    /// How many there are; 0 while that is not known.
    total: AtomicU64,
    /// Bytes of content that were scanned.
    bytes: AtomicU64,
}

impl Progress {
    /// Counts things that are done, and the bytes of their content.
    pub fn add(&self, done: u64, bytes: u64) {
        self.done.fetch_add(done, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Says how many things there are.
    pub fn set_total(&self, total: u64) {
        self.total.store(total, Ordering::Relaxed);
    }

    /// How many things are done, of how many (0: not known), and their bytes.
    pub fn read(&self) -> (u64, u64, u64) {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        (read(&self.done), read(&self.total), read(&self.bytes))
    }
}
