//! Counts what is unpacked, and stops it where a limit bites.

use std::cell::{Cell, RefCell};
use std::io::{self, Read};
use std::time::Instant;

use super::Limits;

/// Bytes between two looks at the clock.
const TICK: u64 = 1 << 20;

/// The account of one [`open`](super::open): shared by all readers below it.
pub(super) struct Meter<'l> {
    limits: &'l Limits,
    most: u64,
    began: Instant,
    unpacked: Cell<u64>,
    next_tick: Cell<u64>,
    members: Cell<u64>,
    stopped: Cell<Option<&'static str>>,
    /// Buffers to use again.
    buffers: RefCell<Vec<Vec<u8>>>,
    held: Cell<usize>,
}

impl<'l> Meter<'l> {
    /// An account for a container of this many bytes.
    pub(super) fn new(limits: &'l Limits, len: u64) -> Self {
        let by_ratio = len.saturating_mul(limits.ratio).saturating_add(limits.ratio_free_bytes);
        Meter {
            limits,
            most: limits.total_bytes.min(by_ratio),
            began: Instant::now(),
            unpacked: Cell::new(0),
            next_tick: Cell::new(TICK),
            members: Cell::new(0),
            stopped: Cell::new(None),
            buffers: RefCell::default(),
            held: Cell::new(0),
        }
    }

    pub(super) fn limits(&self) -> &'l Limits {
        self.limits
    }

    /// The limit that ended the work, if one did.
    pub(super) fn stopped(&self) -> Option<&'static str> {
        self.stopped.get()
    }

    fn stop(&self, reason: &'static str) {
        if self.stopped.get().is_none() {
            self.stopped.set(Some(reason));
        }
    }

    /// Counts unpacked bytes; false once a limit is reached.
    pub(super) fn unpack(&self, bytes: u64) -> bool {
        let unpacked = self.unpacked.get().saturating_add(bytes);
        self.unpacked.set(unpacked);
        if unpacked > self.most {
            let by_size = self.most == self.limits.total_bytes;
            self.stop(if by_size { "archive-too-large" } else { "archive-ratio" });
        }
        if unpacked >= self.next_tick.get() {
            self.next_tick.set(unpacked + TICK);
            self.look_at_clock();
        }
        self.stopped.get().is_none()
    }

    /// Counts a member; false once a limit is reached.
    pub(super) fn member(&self) -> bool {
        let members = self.members.get() + 1;
        self.members.set(members);
        if members > self.limits.members {
            self.stop("archive-members");
        }
        if members.is_multiple_of(64) {
            self.look_at_clock();
        }
        self.stopped.get().is_none()
    }

    fn look_at_clock(&self) {
        if self.began.elapsed() > self.limits.time {
            self.stop("archive-time");
        }
    }

    /// Bytes that may be held in memory beside those that are.
    pub(super) fn room(&self) -> usize {
        self.limits.memory.saturating_sub(self.held.get())
    }

    /// An empty buffer.
    pub(super) fn buffer(&self) -> Vec<u8> {
        self.buffers.borrow_mut().pop().unwrap_or_default()
    }

    /// Takes a buffer back.
    pub(super) fn recycle(&self, mut buffer: Vec<u8>) {
        buffer.clear();
        let mut buffers = self.buffers.borrow_mut();
        let kept: usize = buffers.iter().map(Vec::capacity).sum();
        if kept + buffer.capacity() <= self.limits.memory / 4 {
            buffers.push(buffer);
        }
    }

    /// Notes that bytes are held; returns what gives them back.
    pub(super) fn hold(&self, bytes: usize) -> Held<'_, 'l> {
        self.held.set(self.held.get() + bytes);
        Held { meter: self, bytes }
    }
}

/// Bytes in memory, given back to the account when dropped.
pub(super) struct Held<'m, 'l> {
    meter: &'m Meter<'l>,
    bytes: usize,
}

impl Drop for Held<'_, '_> {
    fn drop(&mut self) {
        self.meter.held.set(self.meter.held.get().saturating_sub(self.bytes));
    }
}

/// A reader whose bytes are counted. Ends with an error where a limit bites.
pub(super) struct Metered<'m, 'l, R> {
    inner: R,
    meter: &'m Meter<'l>,
}

impl<'m, 'l, R: Read> Metered<'m, 'l, R> {
    pub(super) fn new(inner: R, meter: &'m Meter<'l>) -> Self {
        Metered { inner, meter }
    }
}

impl<R: Read> Read for Metered<'_, '_, R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.meter.stopped().is_some() {
            return Err(io::Error::other("limit reached"));
        }
        let n = self.inner.read(buf)?;
        if self.meter.unpack(n as u64) { Ok(n) } else { Err(io::Error::other("limit reached")) }
    }
}
