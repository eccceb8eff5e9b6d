//! What `git commit` is about to record, through the matcher.

use rayon::prelude::*;

use super::{Engine, Outcome, Session};
use crate::finding::{Location, MessageKind};
use crate::source::git::{self, ChangedFile, Changes, Odb, Repo};

/// From this many changed files on, threads pay for themselves.
const MANY: usize = 16;

/// Scans the lines that the index adds to HEAD.
///
/// # Errors
/// When the index or HEAD cannot be read at all; single files that cannot are listed as skipped.
pub fn scan_staged(engine: &Engine, repo: &Repo) -> git::Result<Outcome> {
    let odb = Odb::open(repo)?;
    let mut staged = git::staged(repo, &odb)?;
    let skipped = std::mem::take(&mut staged.skipped);
    let staged = &staged;
    let mut outcome = if staged.files.len() < MANY || engine.options().threads == 1 {
        let mut session = Session::new(engine);
        for change in &staged.files {
            examine(&mut session, &odb, staged, change);
        }
        session.outcome
    } else {
        staged
            .files
            .par_iter()
            .fold(
                || Session::new(engine),
                |mut session, change| {
                    examine(&mut session, &odb, staged, change);
                    session
                },
            )
            .map(|session| session.outcome)
            .reduce(Outcome::default, |mut a, b| {
                a.merge(b);
                a
            })
    };
    outcome.skipped.extend(skipped);
    outcome.sort();
    Ok(outcome)
}

fn examine(session: &mut Session<'_>, odb: &Odb, staged: &Changes, change: &ChangedFile) {
    if session.passes_over(&change.path) {
        return;
    }
    session.engine.policy().meet(&change.path);
    let blob = match staged.load(odb, change) {
        Ok(blob) => blob,
        Err(e) => return session.outcome.skipped.push(Changes::unreadable(change, &e)),
    };
    session.outcome.files += 1;
    session.outcome.bytes += blob.content.len() as u64;
    if blob.new.is_empty() {
        return;
    }
    let location = Location {
        path: Some(change.path.clone()),
        message_kind: change.mode.is_symlink().then_some(MessageKind::LinkTarget),
        ..Location::default()
    };
    session.guarded(&change.path, |session| {
        session.examine_content(&blob.content, Some(&blob.new), &location);
    });
}
