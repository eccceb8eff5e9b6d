//! Files, folders and standard input through the matcher.

use std::io::{self, Read};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use bstr::ByteSlice;

use super::content::Progress;
use super::{Engine, Outcome, Session, Text};
use crate::finding::{Location, MessageKind, Skipped};
use crate::source::reader::{PIECE, Piece};
use crate::source::{archive, stdin, worktree};

/// Scans files and folders in parallel. `stop` ends the walk early; what was
/// found so far is returned and marked incomplete.
pub fn scan_worktree(engine: &Engine, options: &worktree::Options, stop: &AtomicBool) -> Outcome {
    let total = Mutex::new(Outcome::default());
    for root in &options.roots {
        // Configurations of the folders above, and of the folder itself.
        engine.policy().meet(&[<[u8]>::from_path(root).unwrap_or_default(), b"/."].concat());
    }
    worktree::walk(options, || Worker {
        session: Session::new(engine),
        total: &total,
        stop,
        location: Location::default(),
        progress: Progress::default(),
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
    // A file below two of the roots was read twice.
    outcome.findings.dedup_by(|a, b| (&a.location, &a.rule, &a.secret) == (&b.location, &b.rule, &b.secret));
    outcome
}

/// Scans a stream. A read error is listed as skipped; what was read before it is scanned.
pub fn scan_stdin(engine: &Engine, input: &mut dyn Read) -> Outcome {
    let mut session = Session::new(engine);
    let mut counted = Counted { input, bytes: 0 };
    let mut read = Ok(());
    session.guarded(STDIN.as_bytes(), |session| read = read_stream(session, &mut counted));
    let mut outcome = session.outcome;
    outcome.files = 1;
    outcome.bytes = counted.bytes;
    if let Err(e) = read {
        outcome.skipped.push(Skipped {
            what: STDIN.into(),
            reason: "read-error",
            detail: e.to_string(),
            incomplete: true,
        });
    }
    outcome.sort();
    outcome
}

/// What reports call standard input.
const STDIN: &str = "(standard input)";

fn read_stream(session: &mut Session<'_>, input: &mut dyn Read) -> io::Result<()> {
    let location = Location::default();
    // Small contents come whole. A container that is larger is opened while it is read.
    let mut head = Vec::new();
    let read = (&mut *input).take(PIECE as u64 + 1).read_to_end(&mut head);
    let large = read.is_ok() && head.len() > PIECE;
    let kind = archive::recognise(&head).filter(|kind| *kind != archive::Kind::Binary);
    let mut all = head.chain(input);
    if large && kind.is_some() && session.engine.options().archives {
        // Its size is not known yet: the limits on what it unpacks to hold all the same.
        session.examine_container(&mut all, u64::MAX, &location);
        io::copy(&mut all, &mut io::sink())?;
        return Ok(());
    }
    let mut progress = Progress::default();
    stdin::read(&mut all, &mut |piece| examine(session, piece, &location, &mut progress))?;
    read.map(drop)
}

/// Counts what is read.
struct Counted<'r> {
    input: &'r mut dyn Read,
    bytes: u64,
}

impl Read for Counted<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n = self.input.read(out)?;
        self.bytes += n as u64;
        Ok(n)
    }
}

/// Examines a file, or a piece of a large one.
fn examine(session: &mut Session<'_>, piece: &Piece<'_>, location: &Location, progress: &mut Progress) {
    if piece.whole {
        session.examine_content(piece.bytes, None, location);
    } else {
        session.examine_piece(piece, location, false, progress);
    }
}

struct Worker<'e> {
    session: Session<'e>,
    total: &'e Mutex<Outcome>,
    stop: &'e AtomicBool,
    location: Location,
    progress: Progress,
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
            self.session.engine.policy().meet_file(path);
        }
        if self.passed_over {
            return;
        }
        let Worker { session, location, progress, .. } = self;
        session.guarded(path, |session| examine(session, piece, location, progress));
    }

    fn container(&mut self, path: &[u8], file: &mut dyn Read, len: u64) {
        if !self.session.passes_over(path) {
            let location = Location { path: Some(path.into()), ..Location::default() };
            self.session.guarded(path, |session| session.examine_container(file, len, &location));
        }
    }

    fn mapped_container(&mut self, path: &[u8], bytes: &[u8]) {
        if !self.session.passes_over(path) {
            let location = Location { path: Some(path.into()), ..Location::default() };
            self.session.guarded(path, |session| session.examine_mapped_container(bytes, &location));
        }
    }

    fn link(&mut self, path: &[u8], target: &[u8]) {
        self.session.engine.policy().meet_file(path);
        let location = Location {
            path: Some(path.into()),
            message_kind: Some(MessageKind::LinkTarget),
            ..Location::default()
        };
        self.session.guarded(path, |session| session.examine(&Text::whole(target, &location)));
    }

    fn done(&mut self, _path: &[u8], bytes: u64) {
        if self.passed_over {
            return;
        }
        self.session.outcome.files += 1;
        self.session.outcome.bytes += bytes;
    }

    fn skipped(&mut self, skipped: Skipped) {
        // What is left out as asked is not missed when it is too large, too.
        if skipped.reason == "too-large" && self.session.passes_over(&skipped.what) {
            return;
        }
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
