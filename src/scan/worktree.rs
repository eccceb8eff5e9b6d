//! Files, folders and standard input through the matcher.

use std::io::Read;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Engine, Outcome, Session, Text};
use crate::finding::{Location, MessageKind, Position, Skipped};
use crate::source::reader::Piece;
use crate::source::{stdin, worktree};

/// Scans files and folders in parallel. `stop` ends the walk early; what was
/// found so far is returned and marked incomplete.
pub fn scan_worktree(engine: &Engine, options: &worktree::Options, stop: &AtomicBool) -> Outcome {
    let total = Mutex::new(Outcome::default());
    worktree::walk(options, || Worker {
        session: Session::new(engine),
        total: &total,
        stop,
        location: Location::default(),
        next: TOP,
        passed_over: false,
    });
    let mut outcome = total.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    if stop.load(Ordering::Relaxed) {
        outcome.skipped.push(Skipped {
            what: "scan".into(),
            reason: "interrupted",
            detail: format!("stopped after {} files", outcome.files),
            incomplete: true,
        });
    }
    outcome.sort();
    outcome
}

/// Scans a stream. A read error is listed as skipped; what was read before it is scanned.
pub fn scan_stdin(engine: &Engine, input: &mut dyn Read) -> Outcome {
    let mut session = Session::new(engine);
    let location = Location::default();
    let mut next = TOP;
    let read = stdin::read(input, &mut |piece| examine(&mut session, piece, &location, &mut next));
    let mut outcome = session.outcome;
    outcome.files = 1;
    match read {
        Ok(bytes) => outcome.bytes = bytes,
        Err(e) => outcome.skipped.push(Skipped {
            what: "(standard input)".into(),
            reason: "read-error",
            detail: e.to_string(),
            incomplete: true,
        }),
    }
    outcome.sort();
    outcome
}

const TOP: Position = Position { line: 1, column: 1 };

/// Examines a file, or a piece of a large one; `next` is the position of its first byte, and then of
/// the next piece's.
fn examine(session: &mut Session<'_>, piece: &Piece<'_>, location: &Location, next: &mut Position) {
    if piece.whole {
        session.examine_content(piece.bytes, None, location);
    } else {
        session.examine_piece(piece, location, false, next);
    }
}

struct Worker<'e> {
    session: Session<'e>,
    total: &'e Mutex<Outcome>,
    stop: &'e AtomicBool,
    location: Location,
    next: Position,
    /// Why the current file's content is passed over.
    passed_over: bool,
}

impl worktree::Visitor for Worker<'_> {
    fn piece(&mut self, path: &[u8], piece: &Piece<'_>) {
        if piece.offset == 0 {
            let shown = self.location.path.get_or_insert_default();
            shown.clear();
            shown.extend_from_slice(path);
            self.passed_over = self.session.passes_over(path);
        }
        if self.passed_over {
            return;
        }
        examine(&mut self.session, piece, &self.location, &mut self.next);
    }

    fn container(&mut self, path: &[u8], file: &mut dyn Read, len: u64) {
        if !self.session.passes_over(path) {
            let location = Location { path: Some(path.into()), ..Location::default() };
            self.session.examine_container(file, len, &location);
        }
    }

    fn link(&mut self, path: &[u8], target: &[u8]) {
        let location = Location {
            path: Some(path.into()),
            message_kind: Some(MessageKind::LinkTarget),
            ..Location::default()
        };
        self.session.examine(&Text::whole(target, &location));
    }

    fn done(&mut self, _path: &[u8], bytes: u64) {
        if self.passed_over {
            return;
        }
        self.session.outcome.files += 1;
        self.session.outcome.bytes += bytes;
    }

    fn skipped(&mut self, skipped: Skipped) {
        self.session.outcome.skipped.push(skipped);
    }

    fn stop(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

impl Drop for Worker<'_> {
    fn drop(&mut self) {
        let found = std::mem::take(&mut self.session.outcome);
        self.total.lock().unwrap_or_else(std::sync::PoisonError::into_inner).merge(found);
    }
}
