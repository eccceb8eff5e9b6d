//! The commits of a range, from parsed commits alone.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};

use super::error::{Error, Result};
use super::object::{Commit, Kind};
use super::odb::Odb;
use super::oid::Oid;
use super::repo::Repo;
use super::revs::Range;

/// Seconds by which clocks of committers may be wrong: a commit may claim to be older than its parents.
const CLOCK_SKEW: i64 = 7 * 24 * 3600;

/// Which commits of a range to take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SelectOptions {
    /// Only commits recorded at or after this time, in seconds since 1970-01-01 UTC.
    pub since: Option<i64>,
    /// Only so many, the newest.
    pub max_commits: Option<usize>,
}

/// One commit of a range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelectedCommit {
    /// Its id.
    pub oid: Oid,
    /// Its tree.
    pub tree: Oid,
    /// Its parents. Empty at the boundary of a shallow clone, where they are not there.
    pub parents: Vec<Oid>,
    /// When it was recorded, in seconds since 1970-01-01 UTC.
    pub time: i64,
    /// Whether a shallow clone stops here.
    pub is_boundary: bool,
}

/// The commits of a range.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// The commits, newest first.
    pub commits: Vec<SelectedCommit>,
    /// Commits of the range at which a shallow clone stops: the range may go on behind them, and what they
    /// add cannot be told from what was there before.
    pub cut_short: Vec<Oid>,
    /// Parents of commits of the range that are not in it: their trees are what was there before.
    pub base: Vec<Oid>,
}

const INCLUDED: u8 = 1;
const EXCLUDED: u8 = 2;
const QUEUED: u8 = 4;
/// For merge bases, the other side. What both sides reach is excluded.
const OTHER: u8 = 8;
const BOTH: u8 = INCLUDED | OTHER;

/// Whether a commit in this state may still turn out to be in the range, or lead to one that is.
fn is_undecided(marked: u8) -> bool {
    marked & (QUEUED | EXCLUDED) == QUEUED
}

/// A commit that was met: which, how it is marked, and how many were met before.
struct Marked {
    commit: SelectedCommit,
    marks: u8,
    met: usize,
}

/// Walks from newer to older commits and marks what leads to where.
struct Marks<'a> {
    odb: &'a Odb,
    boundary: &'a [Oid],
    commits: HashMap<Oid, Marked>,
    /// Newest first, and of the same time the one that was met first: mostly children before parents.
    queue: BinaryHeap<(i64, Reverse<usize>, Oid)>,
    /// Commits in the queue that are not excluded.
    undecided: usize,
    /// Time of the oldest commit that was taken from the queue and is not excluded.
    oldest: i64,
    /// Do not go back further than this time.
    since: i64,
}

/// The commits of a range that the options let through.
pub fn select(repo: &Repo, odb: &Odb, range: &Range, options: SelectOptions) -> Result<Selection> {
    let boundary = repo.shallow_boundary()?;
    let mut marks = Marks::new(odb, &boundary);
    marks.since = options.since.map_or(i64::MIN, |since| since.saturating_sub(CLOCK_SKEW));
    for (oids, mark) in [(&range.exclude, EXCLUDED), (&range.include, INCLUDED)] {
        oids.iter().try_for_each(|oid| marks.mark(*oid, mark))?;
    }
    while marks.is_open() {
        marks.step()?;
    }
    let mut selection = Selection::default();
    let recent = |commit: &SelectedCommit| options.since.is_none_or(|since| commit.time >= since);
    let mut chosen: Vec<Marked> = marks.commits.into_values().collect();
    chosen.retain(|found| found.marks & EXCLUDED == 0 && recent(&found.commit));
    chosen.sort_by_key(|found| (Reverse(found.commit.time), found.met));
    selection.commits = chosen.into_iter().map(|found| found.commit).collect();
    selection.commits.truncate(options.max_commits.unwrap_or(usize::MAX));
    selection.find_edges();
    Ok(selection)
}

impl Selection {
    fn find_edges(&mut self) {
        let oids: HashSet<Oid> = self.commits.iter().map(|commit| commit.oid).collect();
        self.cut_short =
            self.commits.iter().filter(|commit| commit.is_boundary).map(|commit| commit.oid).collect();
        self.base = self.commits.iter().flat_map(|commit| &commit.parents).copied().collect();
        self.base.retain(|parent| !oids.contains(parent));
        self.base.sort_unstable();
        self.base.dedup();
    }
}

/// The newest commits that both lead to: whatever leads to both leads to one of them.
pub(super) fn merge_bases(odb: &Odb, boundary: &[Oid], left: Oid, right: Oid) -> Result<Vec<Oid>> {
    let mut marks = Marks::new(odb, boundary);
    marks.mark(left, INCLUDED)?;
    marks.mark(right, OTHER)?;
    while marks.is_open() {
        marks.step()?;
    }
    let mut common = marks.commits;
    common.retain(|_, found| found.marks & EXCLUDED != 0);
    let inner: HashSet<Oid> = common.values().flat_map(|found| &found.commit.parents).copied().collect();
    let mut bases: Vec<Oid> = common.into_keys().filter(|oid| !inner.contains(oid)).collect();
    bases.sort_unstable();
    Ok(bases)
}

impl<'a> Marks<'a> {
    fn new(odb: &'a Odb, boundary: &'a [Oid]) -> Self {
        Marks {
            odb,
            boundary,
            commits: HashMap::new(),
            queue: BinaryHeap::new(),
            undecided: 0,
            oldest: i64::MAX,
            since: i64::MIN,
        }
    }

    /// Whether going on can change what is selected. An excluded commit may lead to one that was taken for
    /// included, if it claims to be older than it is; so it goes on until there are only much older ones.
    fn is_open(&self) -> bool {
        let newest = self.queue.peek().map(|(time, ..)| *time);
        self.undecided > 0 || newest.is_some_and(|newest| newest >= self.oldest.saturating_sub(CLOCK_SKEW))
    }

    /// Marks a commit, and puts it into the queue if that is news.
    fn mark(&mut self, oid: Oid, mark: u8) -> Result<()> {
        if let Some(found) = self.commits.get_mut(&oid) {
            let before = found.marks;
            if before | mark == before {
                return Ok(());
            }
            found.marks |= mark | QUEUED;
            if found.marks & BOTH == BOTH {
                found.marks |= EXCLUDED;
            }
            self.undecided += usize::from(is_undecided(found.marks));
            self.undecided -= usize::from(is_undecided(before));
            if before & QUEUED == 0 {
                self.queue.push((found.commit.time, Reverse(found.met), oid));
            }
            return Ok(());
        }
        let commit = match self.read(oid) {
            Ok(commit) => commit,
            // What is left out need not be there: a commit that is missing leads to nothing that is.
            Err(Error::Missing(_)) if mark & EXCLUDED != 0 => return Ok(()),
            Err(error) => return Err(error),
        };
        let met = self.commits.len();
        self.queue.push((commit.time, Reverse(met), oid));
        self.undecided += usize::from(is_undecided(mark | QUEUED));
        self.commits.insert(oid, Marked { commit, marks: mark | QUEUED, met });
        Ok(())
    }

    fn read(&self, oid: Oid) -> Result<SelectedCommit> {
        let data = self.odb.read_kind(&oid, Kind::Commit)?;
        let commit = Commit::parse(&data)?;
        let is_boundary = self.boundary.contains(&oid);
        let parents = if is_boundary { Vec::new() } else { commit.parents };
        Ok(SelectedCommit { oid, tree: commit.tree, parents, time: commit.committer.time, is_boundary })
    }

    /// Hands the marks of the newest commit on to its parents.
    fn step(&mut self) -> Result<()> {
        let Some((time, _, oid)) = self.queue.pop() else { return Ok(()) };
        let Some(found) = self.commits.get_mut(&oid) else { return Ok(()) };
        let before = found.marks;
        found.marks &= !QUEUED;
        let (parents, marked) = (found.commit.parents.clone(), found.marks);
        if is_undecided(before) {
            self.undecided -= 1;
            self.oldest = self.oldest.min(time);
            if time < self.since {
                return Ok(());
            }
        }
        parents.into_iter().try_for_each(|parent| self.mark(parent, marked))
    }
}
