//! What the program has allocated, and an end where that is too much (`--max-memory`).
//!
//! [`Counting`] stands in front of the program's allocator. Without a limit it costs one look at a number that never
//! changes. With one, the bytes that are allocated and not freed since it was set are counted, a few hundred KiB a thread
//! more or less. At half of it the scan is asked to stop, as by Ctrl-C: what was found so far becomes a report
//! that says it is incomplete. What would go beyond the limit all the same ends the process with exit code 2 and a
//! message, before it is allocated. Files that are mapped (packs, very large archives), stacks of threads, and what
//! libraries written in C hold for themselves are not counted.

use std::alloc::{GlobalAlloc, Layout};
use std::cell::Cell;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicIsize, AtomicPtr, AtomicUsize, Ordering};

/// Bytes that may be held; 0 = any number.
static LIMIT: AtomicUsize = AtomicUsize::new(0);
/// Set when the scan should stop.
static STOP: AtomicPtr<AtomicBool> = AtomicPtr::new(ptr::null_mut());
/// Whether the scan was asked to stop.
static SHORT: AtomicBool = AtomicBool::new(false);
/// Whether some thread is ending the process.
static ENDING: AtomicBool = AtomicBool::new(false);
/// What threads have allocated and freed. A thread may free what another has allocated: only the sum means something.
static COUNTS: [Count; COUNTERS] = [const { Count(AtomicIsize::new(0)) }; COUNTERS];
/// The counter of the next thread.
static NEXT: AtomicUsize = AtomicUsize::new(0);

/// Number of counters; threads beyond it share them.
const COUNTERS: usize = 32;
/// The sum is looked at when a counter has moved by this many bytes (a power of two).
const STEP: isize = 64 << 10;

/// A counter that has a line of the processor's cache for itself, so that threads do not wait for each other.
#[repr(align(128))]
struct Count(AtomicIsize);

thread_local! {
    /// Which counter is this thread's.
    static OWN: Cell<usize> = const { Cell::new(usize::MAX) };
}

/// Lets the process hold at most `bytes` more than now. `stop` is set when half of them are in use: findings are
/// moved, sorted and written, for which as much may be needed again.
pub fn limit(bytes: u64, stop: &'static AtomicBool) {
    STOP.store(ptr::from_ref(stop).cast_mut(), Ordering::Relaxed);
    LIMIT.store(usize::try_from(bytes).unwrap_or(usize::MAX).max(1), Ordering::Release);
}

/// Whether a scan was asked to stop since half of the limit is in use.
pub fn is_short() -> bool {
    SHORT.load(Ordering::Relaxed)
}

/// An allocator that counts.
pub struct Counting<A>(pub A);

// SAFETY: every call is handed on as it came to an allocator that keeps the contract; counting allocates nothing and
// does not unwind.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Counting<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: the caller keeps the contract.
        unsafe { self.0.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: the caller keeps the contract.
        unsafe { self.0.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, old: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count((size as isize).wrapping_sub(layout.size() as isize));
        // SAFETY: the caller keeps the contract.
        unsafe { self.0.realloc(old, layout, size) }
    }

    unsafe fn dealloc(&self, old: *mut u8, layout: Layout) {
        count((layout.size() as isize).wrapping_neg());
        // SAFETY: the caller keeps the contract.
        unsafe { self.0.dealloc(old, layout) }
    }
}

/// Counts what is about to be allocated, or, when negative, freed.
#[inline]
fn count(bytes: isize) {
    let limit = LIMIT.load(Ordering::Relaxed);
    if limit != 0 {
        count_to(bytes, limit);
    }
}

#[cold]
fn count_to(bytes: isize, limit: usize) {
    // While a thread ends its own variables are gone.
    let own = OWN.try_with(|own| {
        if own.get() == usize::MAX {
            own.set(NEXT.fetch_add(1, Ordering::Relaxed) % COUNTERS);
        }
        own.get()
    });
    let Some(Count(counter)) = COUNTS.get(own.unwrap_or(0)) else { return };
    let before = counter.fetch_add(bytes, Ordering::Relaxed);
    if bytes <= 0 || before.div_euclid(STEP) == before.wrapping_add(bytes).div_euclid(STEP) {
        return;
    }
    let held = COUNTS.iter().fold(0, |sum: isize, count| sum.wrapping_add(count.0.load(Ordering::Relaxed)));
    let held = usize::try_from(held).unwrap_or(0);
    if held > limit {
        end();
    }
    if held > limit / 2 && !SHORT.swap(true, Ordering::Relaxed) {
        let stop = STOP.load(Ordering::Relaxed);
        // SAFETY: it is null, or came from a reference to something that is never freed.
        if let Some(stop) = unsafe { stop.as_ref() } {
            stop.store(true, Ordering::SeqCst);
        }
    }
}

/// Ends the process. Nothing is allocated, freed or unwound any more; files that were being written have other names.
fn end() -> ! {
    const MESSAGE: &str = "stanch: error: the scan needs more than --max-memory allows; there is no report\n";
    if ENDING.swap(true, Ordering::SeqCst) {
        // The thread that came first says so.
        loop {
            std::hint::spin_loop();
        }
    }
    // SAFETY: the pointer and length are those of a string; `_exit` may be called anywhere.
    unsafe {
        libc::write(2, MESSAGE.as_ptr().cast(), MESSAGE.len());
        libc::_exit(2)
    }
}
