//! Sharing work between threads: each has its own stack, and gives from it when another has nothing to do.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Work that threads gave away, and how many threads wait for some.
pub(super) struct Queue<T> {
    shared: Mutex<State<T>>,
    changed: Condvar,
    threads: usize,
    /// Copy of the number of waiting threads, to look at without locking.
    hungry: AtomicUsize,
    /// Copy of the number of items.
    items: AtomicUsize,
    closed: AtomicBool,
}

struct State<T> {
    items: Vec<T>,
    waiting: usize,
}

impl<T> Queue<T> {
    /// A queue for this many threads, all of which must call [`wait`](Self::wait) in the end.
    pub(super) fn new(threads: usize) -> Self {
        Queue {
            shared: Mutex::new(State { items: Vec::new(), waiting: 0 }),
            changed: Condvar::new(),
            threads,
            hungry: AtomicUsize::new(0),
            items: AtomicUsize::new(0),
            closed: AtomicBool::new(false),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives away the older half of a stack if another thread waits. The oldest items are the ones with most
    /// work behind them.
    pub(super) fn share(&self, stack: &mut Vec<T>) {
        if stack.len() < 2 || self.hungry.load(Ordering::Relaxed) == 0 {
            return;
        }
        let mut state = self.lock();
        state.items.extend(stack.drain(..stack.len() / 2));
        self.items.store(state.items.len(), Ordering::Relaxed);
        self.changed.notify_all();
    }

    /// Takes something if there is something.
    pub(super) fn try_take(&self) -> Option<T> {
        if self.items.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let mut state = self.lock();
        let item = state.items.pop();
        self.items.store(state.items.len(), Ordering::Relaxed);
        item
    }

    /// Waits for something to do. None when all threads wait, or the queue is closed: there is nothing left.
    pub(super) fn wait(&self) -> Option<T> {
        let mut state = self.lock();
        state.waiting += 1;
        loop {
            if state.waiting == self.threads && state.items.is_empty() {
                self.closed.store(true, Ordering::Relaxed);
                self.changed.notify_all();
            }
            if self.is_closed() {
                return None;
            }
            if let Some(item) = state.items.pop() {
                state.waiting -= 1;
                self.items.store(state.items.len(), Ordering::Relaxed);
                self.hungry.store(state.waiting, Ordering::Relaxed);
                return Some(item);
            }
            self.hungry.store(state.waiting, Ordering::Relaxed);
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Ends the work: nobody waits any longer.
    pub(super) fn close(&self) {
        let _state = self.lock(); // no thread is between looking at the flag and waiting
        self.closed.store(true, Ordering::Relaxed);
        self.changed.notify_all();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }
}

/// Closes the queue when its thread panics, so that the others do not wait forever.
pub(super) struct CloseOnPanic<'a, T>(pub(super) &'a Queue<T>);

impl<T> Drop for CloseOnPanic<'_, T> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.close();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;

    use super::*;

    #[test]
    fn every_item_is_done_once_and_all_threads_end() {
        for threads in [1, 2, 5] {
            let queue = Queue::new(threads);
            let sum = AtomicU64::new(0);
            std::thread::scope(|scope| {
                for thread in 0..threads {
                    let (queue, sum) = (&queue, &sum);
                    scope.spawn(move || {
                        let mut stack = if thread == 0 { vec![12u64] } else { Vec::new() };
                        while let Some(item) =
                            stack.pop().or_else(|| queue.try_take()).or_else(|| queue.wait())
                        {
                            sum.fetch_add(1, Ordering::Relaxed);
                            // A tree in which item n has two children n - 1.
                            stack.extend([item.saturating_sub(1); 2].iter().filter(|_| item > 0));
                            queue.share(&mut stack);
                        }
                    });
                }
            });
            assert_eq!(sum.into_inner(), (1 << 13) - 1);
        }
    }
}
