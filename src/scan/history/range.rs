//! What the commits of a range add: for pull requests and pushes, where only that may cost time.
//!
//! 1. Of each commit, the lines that none of its parents has, its message and identities, and the names of
//!    new files are scanned. Nothing else is read.
//! 2. Finds of one value become one finding, at the earliest commit that adds it.
//! 3. Only if there are findings: values that the trees before the range hold already were moved or copied;
//!    they are suppressed.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use bstr::BString;

use super::added::{Added, Adder, Encoded};
use super::commits::Graph;
use super::held::{Counts, Search, Sought};
use super::visit::CommitRecord;
use super::workers::Workers;
use super::{HistoryFacts, threads};
use crate::finding::{self, Finding, Life, Location, MessageKind, Skipped, Status, Suppression};
use crate::scan::{Engine, Outcome, Progress};
use crate::source::git::{
    self, Commit, Kind, Odb, Oid, Repo, Revisions, SelectOptions, SelectedCommit, Selection,
};

/// Which commits to scan.
#[derive(Clone, Debug, Default)]
pub struct RangeOptions {
    /// Revisions and ranges, separated by blanks, as [`Revisions::range`] understands them.
    pub revisions: String,
    /// Which of those commits.
    pub select: SelectOptions,
    /// A range that a shallow clone cuts short does not make the run incomplete. At the cut, everything
    /// counts as added.
    pub allow_shallow: bool,
    /// The time of the scan, seconds since 1970 UTC, from which ages are counted.
    pub now: i64,
}

/// Scans what the commits of a range add. `stop` ends the scan early; what was found so far is returned
/// and marked incomplete. `progress` counts commits.
///
/// # Errors
/// When the range makes no sense, or its commits cannot be listed.
pub fn scan_range(
    engine: &Engine,
    repo: &Repo,
    options: &RangeOptions,
    stop: &AtomicBool,
    progress: &Progress,
) -> git::Result<(Outcome, HistoryFacts)> {
    let began = Instant::now();
    let odb = Odb::open(repo)?;
    let revisions = Revisions::new(repo, &odb)?;
    let range = revisions.range(&options.revisions)?;
    let selection = git::select(repo, &odb, &range, options.select)?;
    let tags = revisions.tags(&options.revisions)?;
    let head = git::head(repo)?.target;
    progress.set_total(selection.commits.len() as u64);
    let commits = oldest_first(&selection);
    let workers = Workers::new(engine);
    let adder = Adder::new(&odb, &workers, stop, progress);
    let scan = || {
        let mut added = adder.commits(&commits);
        for tag in tags {
            let commit = commits.iter().position(|commit| commit.oid == tag.target);
            if commit.is_some() || tag.named {
                added.extend(adder.tag(commit, tag.oid));
            }
        }
        let mut values = Values { commits: &commits, odb: &odb, list: Vec::new() };
        values.collect(added);
        values.suppress_known(&selection, &workers, stop);
        let in_head = values.held_by(head.as_slice(), Counts::Every, &workers, stop);
        values.findings(&in_head, options.now)
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads(engine)).build();
    let findings = match pool {
        Ok(pool) => pool.install(scan),
        Err(_) => scan(), // no thread could be made: the ones that are there must do
    };
    let skipped = adder.finish();
    let mut outcome = workers.finish();
    outcome.findings = findings;
    outcome.skipped.extend(skipped);
    outcome.skipped.extend(cut_short(&selection, options.allow_shallow));
    outcome.skipped.extend(super::account_for_stores(&odb));
    if stop.load(Ordering::Relaxed) {
        let (done, total, _) = progress.read();
        outcome.skipped.push(super::interrupted(format!("stopped after {done} of {total} commits")));
    }
    outcome.sort();
    let facts = HistoryFacts {
        commits: commits.len() as u64,
        head: head.map(|oid| oid.to_hex()),
        scan_time: began.elapsed(),
        ..HistoryFacts::default()
    };
    Ok((outcome, facts))
}

/// The commits, parents before children.
fn oldest_first(selection: &Selection) -> Vec<SelectedCommit> {
    let record = |commit: &SelectedCommit| CommitRecord {
        oid: commit.oid,
        tree: commit.tree,
        parents: commit.parents.clone(),
        time: commit.time,
    };
    let graph = Graph::new(selection.commits.iter().map(record).collect());
    let mut commits = selection.commits.clone();
    commits.sort_by_key(|commit| graph.place(&commit.oid));
    commits
}

fn cut_short(selection: &Selection, allowed: bool) -> impl Iterator<Item = Skipped> {
    selection.cut_short.iter().map(move |commit| Skipped {
        what: format!("history before commit {commit}").into(),
        reason: "shallow",
        detail: "the clone is shallow and stops there, so everything in that commit counts as added; \
                 fetch more (git fetch --unshallow), or accept it with --allow-shallow"
            .to_owned(),
        incomplete: !allowed,
    })
}

/// The values that a range adds.
struct Values<'a> {
    commits: &'a [SelectedCommit],
    odb: &'a Odb,
    list: Vec<Value>,
}

/// A value, and where the range adds it.
struct Value {
    finding: Finding,
    /// The commit of the finding.
    commit: Option<usize>,
    commits: BTreeSet<usize>,
    paths: BTreeSet<BString>,
    objects: BTreeSet<Oid>,
    encoded: HashSet<Encoded>,
}

impl Values<'_> {
    /// One for each distinct value, at the earliest place that nothing suppresses.
    fn collect(&mut self, added: Vec<Added>) {
        let mut places: HashMap<Box<[u8]>, usize> = HashMap::new();
        for add in added {
            let at = *places.entry(add.finding.secret.expose().into()).or_insert(self.list.len());
            if at == self.list.len() {
                self.list.push(Value {
                    finding: add.finding.clone(),
                    commit: add.commit,
                    commits: BTreeSet::new(),
                    paths: BTreeSet::new(),
                    objects: BTreeSet::new(),
                    encoded: HashSet::new(),
                });
            }
            self.list[at].add(add);
        }
    }

    /// Which of the values these commits' trees hold.
    fn held_by(
        &self,
        commits: &[Oid],
        counts: Counts,
        workers: &Workers<'_>,
        stop: &AtomicBool,
    ) -> HashSet<u32> {
        let tree_of = |oid: &Oid| {
            let data = self.odb.read_kind(oid, Kind::Commit).ok()?;
            Some(Commit::parse(&data).ok()?.tree)
        };
        let roots: Vec<Oid> = commits.iter().filter_map(tree_of).collect();
        if roots.is_empty() || self.list.is_empty() {
            return HashSet::new();
        }
        let sought = self.list.iter().map(|value| Sought {
            secret: value.finding.secret.expose(),
            encoded: value.encoded.iter().map(|encoded| encoded.0.clone()).collect(),
        });
        let search = Search::new(self.odb, workers, stop, sought.collect());
        search.map(|mut search| search.held(&roots, counts)).unwrap_or_default()
    }

    /// Suppresses what was there before.
    fn suppress_known(&mut self, selection: &Selection, workers: &Workers<'_>, stop: &AtomicBool) {
        let known = self.held_by(&selection.base, Counts::Unsuppressed, workers, stop);
        for (at, value) in self.list.iter_mut().enumerate() {
            if known.contains(&(at as u32)) {
                value.finding.status = Status::Suppressed(Suppression::Baseline {
                    status: "known".to_owned(),
                    reason: "the commits before the range hold this value".to_owned(),
                    by: String::new(),
                    on: String::new(),
                });
            }
        }
    }

    fn findings(self, in_head: &HashSet<u32>, now: i64) -> Vec<Finding> {
        const DAY: i64 = 86_400;
        let Values { commits, odb, list } = self;
        let finish = |(at, value): (usize, Value)| {
            let mut finding = value.finding;
            let seen = value.commit.and_then(|at| commits.get(at)).map(|commit| commit_of(odb, commit.oid));
            finding.occurrences.retain(|place| *place != finding.location);
            finding.life = Some(Box::new(Life {
                age_days: seen.as_ref().map(|commit| (now - commit.time).max(0) / DAY),
                first_seen: seen.clone(),
                in_head: in_head.contains(&(at as u32)),
                blobs: value.objects.len() as u64,
                paths: value.paths.len() as u64,
                commits: value.commits.len() as u64,
                ..Life::default()
            }));
            finding.commit = seen.map(Box::new);
            finding
        };
        list.into_iter().enumerate().map(finish).collect()
    }
}

impl Value {
    fn add(&mut self, added: Added) {
        let Added { commit, mut finding, object, encoded } = added;
        self.commits.extend(commit);
        if matches!(finding.location.message_kind, None | Some(MessageKind::LinkTarget)) {
            self.objects.insert(object);
            self.paths.extend(finding.location.path.clone());
        }
        self.encoded.extend(encoded);
        if finding.status == Status::New && self.finding.status != Status::New {
            std::mem::swap(&mut self.finding, &mut finding);
            std::mem::swap(&mut self.finding.occurrences, &mut finding.occurrences);
            self.commit = commit;
        }
        let place: Location = finding.location;
        if place != self.finding.location && !self.finding.occurrences.contains(&place) {
            self.finding.occurrences.push(place);
        }
    }
}

/// Who made a commit, and when.
pub(super) fn commit_of(odb: &Odb, oid: Oid) -> finding::Commit {
    let mut commit = finding::Commit { id: oid.to_hex(), ..finding::Commit::default() };
    if let Ok(data) = odb.read_kind(&oid, Kind::Commit)
        && let Ok(parsed) = Commit::parse(&data)
    {
        commit.author = parsed.author.name.into();
        commit.email = parsed.author.email.into();
        commit.time = parsed.author.time;
        commit.offset_minutes = parsed.author.offset_minutes;
    }
    commit
}
