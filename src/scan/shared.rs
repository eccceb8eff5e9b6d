//! Members of one large container, examined by several threads.
//!
//! One thread unpacks; what comes out it hands on in batches, copied, as the next member is unpacked into the same
//! memory. While more than [`PENDING`] bytes wait it examines batches itself, so memory is bounded, and no
//! thread is idle when there is work. Findings have no order until the scan's end, so the result is that of
//! one thread.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use bstr::BString;

use super::content::Progress;
use super::{Engine, Outcome, Session};
use crate::finding::Location;
use crate::source::archive::Member;
use crate::source::reader::{OVERLAP, PIECE, Piece};

/// Bytes that may wait to be examined.
const PENDING: usize = 8 << 20;
/// Small members are handed on together, when they are this many bytes or more.
const BATCH: usize = 512 << 10;
/// Larger pieces than a reader makes lie in a slice, and are examined where they are.
const LARGE: usize = PIECE + 2 * OVERLAP;
/// Most threads that examine one container.
const MOST: usize = 8;

/// Members, or pieces of some, with their bytes in a row.
#[derive(Default)]
struct Batch {
    bytes: Vec<u8>,
    parts: Vec<Part>,
}

/// A member or a piece of one.
struct Part {
    chain: Vec<BString>,
    /// Where its bytes end in the batch.
    end: usize,
    own: std::ops::Range<usize>,
    progress: Progress,
}

impl Batch {
    /// Examines every part.
    fn examine(&self, session: &mut Session<'_>, location: &Location) {
        let mut inner = location.clone();
        let outer = location.container.len();
        let mut begin = 0;
        for part in &self.parts {
            inner.container.truncate(outer);
            inner.container.extend_from_slice(&part.chain);
            let bytes = self.bytes.get(begin..part.end).unwrap_or_default();
            begin = part.end;
            let piece = Piece { bytes, own: part.own.clone(), offset: 0, next: 0, whole: false };
            session.examine_untranscoded(&piece, &inner, &part.progress);
        }
    }
}

/// What waits to be examined.
#[derive(Default)]
struct Waiting {
    batches: VecDeque<Batch>,
    bytes: usize,
    /// Whether no more will come.
    ended: bool,
    /// Buffers to use again.
    empty: Vec<Batch>,
}

#[derive(Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a batch; returns an empty one, and one to be examined now if too much waits.
    fn push(&self, batch: Batch) -> (Batch, Option<Batch>) {
        let mut waiting = self.lock();
        waiting.bytes += batch.bytes.len();
        waiting.batches.push_back(batch);
        self.changed.notify_one();
        let full = waiting.bytes > PENDING;
        let next = if full { waiting.next() } else { None };
        (waiting.empty.pop().unwrap_or_default(), next)
    }

    /// The next batch; waits for it. None at the end.
    fn pop(&self) -> Option<Batch> {
        let mut waiting = self.lock();
        loop {
            if let Some(batch) = waiting.next() {
                return Some(batch);
            }
            if waiting.ended {
                return None;
            }
            waiting = self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn end(&self) {
        self.lock().ended = true;
        self.changed.notify_all();
    }

    fn recycle(&self, mut batch: Batch) {
        batch.bytes.clear();
        batch.parts.clear();
        // Those of large members would add up.
        if batch.bytes.capacity() <= 2 * BATCH {
            self.lock().empty.push(batch);
        }
    }

    /// Examines batches to the end.
    fn work(&self, session: &mut Session<'_>, location: &Location) {
        while let Some(batch) = self.pop() {
            batch.examine(session, location);
            self.recycle(batch);
        }
    }
}

impl Waiting {
    fn next(&mut self) -> Option<Batch> {
        let batch = self.batches.pop_front()?;
        self.bytes -= batch.bytes.len();
        Some(batch)
    }
}

/// Says that no more comes, also when the thread that unpacks panics: others wait for it.
struct Ending<'q>(&'q Queue);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}

impl Session<'_> {
    /// Examines what `open` gives to its sink, as members of the container at a location.
    pub(super) fn share(&mut self, location: &Location, open: impl FnOnce(&mut dyn FnMut(Member<'_>))) {
        let engine = self.engine;
        let queue = Queue::default();
        let helpers = threads(engine).saturating_sub(1);
        let outcomes = std::thread::scope(|scope| {
            let work = || {
                let mut session = Session::new(engine);
                let path = location.path.as_ref().map(|path| path.as_slice()).unwrap_or_default();
                session.guarded(path, |session| queue.work(session, location));
                session.outcome
            };
            let helpers: Vec<_> = (0..helpers)
                .filter_map(|_| std::thread::Builder::new().spawn_scoped(scope, work).ok())
                .collect();
            let ending = Ending(&queue);
            self.unpack(&queue, location, open);
            drop(ending);
            queue.work(self, location);
            helpers.into_iter().filter_map(|helper| helper.join().ok()).collect::<Vec<Outcome>>()
        });
        outcomes.into_iter().for_each(|outcome| self.outcome.merge(outcome));
    }

    /// Unpacks into the queue.
    fn unpack(&mut self, queue: &Queue, location: &Location, open: impl FnOnce(&mut dyn FnMut(Member<'_>))) {
        let mut progress = Progress::default();
        let mut inner = location.clone();
        let outer = location.container.len();
        let mut batch = Batch::default();
        open(&mut |member| {
            let piece = member.piece;
            if piece.offset == 0 {
                progress = self.begin(piece, member.binary);
            }
            if progress.is_transcoded() || piece.bytes.len() > LARGE {
                inner.container.truncate(outer);
                inner.container.extend_from_slice(member.chain);
                return self.examine_piece(piece, &inner, member.binary, &mut progress);
            }
            batch.bytes.extend_from_slice(piece.bytes);
            let end = batch.bytes.len();
            batch.parts.push(Part { chain: member.chain.to_vec(), end, own: piece.own.clone(), progress });
            progress.pass(piece);
            if batch.bytes.len() >= BATCH {
                let (empty, now) = queue.push(std::mem::take(&mut batch));
                batch = empty;
                if let Some(now) = now {
                    now.examine(self, location);
                    queue.recycle(now);
                }
            }
        });
        queue.push(batch);
    }
}

/// How many threads there are to be.
fn threads(engine: &Engine) -> usize {
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    match engine.options.threads {
        0 => cores(),
        n => n,
    }
    .min(MOST)
}
