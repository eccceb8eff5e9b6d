//! What the commits of a range add: the lines that each of them brings, and its message.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};

use aho_corasick::AhoCorasick;
use rayon::prelude::*;

use super::{Engine, Outcome, Session, Text};
use crate::finding::{Commit, Finding, Location, MessageKind, Secret, Skipped, Status, Suppression};
use crate::source::git::{
    self, ChangedFile, Changes, Kind, Odb, Oid, Repo, Revisions, SelectOptions, SelectedCommit, tree_entries,
};

/// Which commits to scan.
#[derive(Clone, Debug, Default)]
pub struct RangeOptions {
    /// Revisions, as `git rev-list` takes them: `A..B`, `B --not --remotes`.
    pub range: String,
    /// Only some of these commits.
    pub select: SelectOptions,
    /// Whether a range that a shallow clone cuts short is scanned as far as it goes, without complaint.
    pub allow_shallow: bool,
}

/// Scans what the commits of a range add. A value that the commits before the range hold already, at
/// whatever place, is suppressed: it was moved, copied or reindented. `stop` ends the scan early.
///
/// Returns what was found, each value once, and the number of commits.
///
/// # Errors
/// When the range names what does not exist, or its commits cannot be read.
pub fn scan_range(
    engine: &Engine,
    repo: &Repo,
    options: &RangeOptions,
    stop: &AtomicBool,
) -> git::Result<(Outcome, u64)> {
    let odb = Odb::open(repo)?;
    let range = Revisions::new(repo, &odb)?.range(&options.range)?;
    let selection = git::select(repo, &odb, &range, options.select)?;
    let scan = |commit: &SelectedCommit| {
        if stop.load(Ordering::Relaxed) { Outcome::default() } else { scan_commit(engine, &odb, commit) }
    };
    // Oldest first: a value is found where it entered.
    let outcomes: Vec<Outcome> = selection.commits.par_iter().rev().map(scan).collect();
    let mut outcome = each_value_once(outcomes);
    if stop.load(Ordering::Relaxed) {
        outcome.skipped.push(skipped("range", "interrupted", "stopped before its end".to_owned()));
    }
    if !options.allow_shallow {
        outcome.skipped.extend(selection.cut_short.iter().map(|oid| {
            let detail = "a shallow clone stops here: what it adds cannot be told from what was there (--allow-shallow)";
            skipped(&format!("commit {oid}"), "shallow", detail.to_owned())
        }));
    }
    suppress_known(&odb, &selection.base, &mut outcome);
    outcome.skipped.sort();
    outcome.skipped.dedup();
    Ok((outcome, selection.commits.len() as u64))
}

fn skipped(what: &str, reason: &'static str, detail: String) -> Skipped {
    Skipped { what: what.into(), reason, detail, incomplete: true }
}

fn scan_commit(engine: &Engine, odb: &Odb, selected: &SelectedCommit) -> Outcome {
    let mut session = Session::new(engine);
    let unreadable =
        |error: &git::Error| skipped(&format!("commit {}", selected.oid), error.reason(), error.to_string());
    let commit = match message(&mut session, odb, selected) {
        Ok(commit) => commit,
        Err(error) => {
            session.outcome.skipped.push(unreadable(&error));
            return session.outcome;
        }
    };
    match git::committed(odb, selected) {
        Ok(mut changes) => {
            session.outcome.skipped.append(&mut changes.skipped);
            for file in &changes.files {
                examine(&mut session, odb, &changes, file);
            }
        }
        Err(error) => session.outcome.skipped.push(unreadable(&error)),
    }
    let mut outcome = session.outcome;
    for finding in &mut outcome.findings {
        finding.commit = Some(commit.clone());
    }
    outcome
}

/// Scans a commit's message, and returns who made it.
fn message(session: &mut Session<'_>, odb: &Odb, selected: &SelectedCommit) -> git::Result<Commit> {
    let data = odb.read_kind(&selected.oid, Kind::Commit)?;
    let commit = git::Commit::parse(&data)?;
    let location = Location { message_kind: Some(MessageKind::Commit), ..Location::default() };
    session.examine(&Text::whole(commit.message, &location));
    session.outcome.bytes += commit.message.len() as u64;
    Ok(Commit {
        id: selected.oid.to_hex(),
        author: commit.author.name.into(),
        email: commit.author.email.into(),
        time: commit.author.time,
        offset_minutes: commit.author.offset_minutes,
    })
}

/// Scans the lines that a change adds.
pub(super) fn examine(session: &mut Session<'_>, odb: &Odb, changes: &Changes, file: &ChangedFile) {
    if session.passes_over(&file.path) {
        return;
    }
    let blob = match changes.load(odb, file) {
        Ok(blob) => blob,
        Err(error) => return session.outcome.skipped.push(Changes::unreadable(file, &error)),
    };
    session.outcome.files += 1;
    session.outcome.bytes += blob.content.len() as u64;
    if blob.new.is_empty() {
        return;
    }
    let location = Location {
        path: Some(file.path.clone()),
        message_kind: file.mode.is_symlink().then_some(MessageKind::LinkTarget),
        ..Location::default()
    };
    session.guarded(&file.path, |session| {
        session.examine_content(&blob.content, Some(&blob.new), &location);
    });
}

/// Joins what commits added, oldest first: later places of a value are occurrences of the first.
fn each_value_once(outcomes: Vec<Outcome>) -> Outcome {
    let mut joined = Outcome::default();
    let mut found: HashMap<Secret, usize> = HashMap::new();
    for mut outcome in outcomes {
        outcome.sort();
        for finding in std::mem::take(&mut outcome.findings) {
            match found.get(&finding.secret) {
                Some(&at) => later(&mut joined.findings[at], finding),
                None => {
                    found.insert(finding.secret.clone(), joined.findings.len());
                    joined.findings.push(finding);
                }
            }
        }
        joined.merge(outcome);
    }
    joined
}

/// Adds a later place of a value. One that counts makes the value count.
fn later(first: &mut Finding, later: Finding) {
    if first.status != Status::New && later.status == Status::New {
        first.status = Status::New;
    }
    first.occurrences.push(later.location);
}

/// Suppresses the values that the trees before the range hold.
fn suppress_known(odb: &Odb, base: &[Oid], outcome: &mut Outcome) {
    let new = |finding: &&mut Finding| finding.status == Status::New && !finding.secret.is_empty();
    let values: Vec<Secret> =
        outcome.findings.iter_mut().filter(new).map(|finding| finding.secret.clone()).collect();
    if values.is_empty() || base.is_empty() {
        return;
    }
    let Ok(search) = AhoCorasick::new(values.iter().map(Secret::expose)) else { return };
    let blobs = blobs(odb, base);
    let held: HashSet<usize> = blobs
        .par_iter()
        .flat_map_iter(|oid| {
            let content = odb.read_kind(oid, Kind::Blob).unwrap_or_default();
            let held: HashSet<usize> =
                search.find_overlapping_iter(&content).map(|found| found.pattern().as_usize()).collect();
            held
        })
        .collect();
    let known: HashSet<&Secret> = held.iter().map(|&at| &values[at]).collect();
    for finding in outcome.findings.iter_mut().filter(|finding| known.contains(&finding.secret)) {
        finding.status = Status::Suppressed(Suppression::Baseline {
            status: "known".to_owned(),
            reason: "the commits before hold this value".to_owned(),
            by: String::new(),
            on: String::new(),
        });
    }
}

/// Every blob in the trees of some commits, each once. What cannot be read is left out: then more
/// counts as new.
fn blobs(odb: &Odb, commits: &[Oid]) -> Vec<Oid> {
    let tree_of = |oid: &Oid| {
        let data = odb.read_kind(oid, Kind::Commit).ok()?;
        git::Commit::parse(&data).ok().map(|commit| commit.tree)
    };
    let mut pending: Vec<Oid> = commits.iter().filter_map(tree_of).collect();
    let (mut seen, mut blobs) = (HashSet::new(), HashSet::new());
    while let Some(tree) = pending.pop() {
        if !seen.insert(tree) {
            continue;
        }
        let data = odb.read_kind(&tree, Kind::Tree).unwrap_or_default();
        for entry in tree_entries(&data, odb.hash()).flatten() {
            if entry.mode.is_tree() {
                pending.push(entry.oid);
            } else if entry.mode.is_blob() {
                blobs.insert(entry.oid);
            }
        }
    }
    blobs.into_iter().collect()
}
