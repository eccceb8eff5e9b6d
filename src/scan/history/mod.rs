//! Everything a repository ever held, each secret once, with its life.
//!
//! 1. Every object is decoded once and scanned in delta space ([`visit`]); candidates become numbered
//!    [`sightings`], trees are logged as changes ([`trees`]).
//! 2. The verdict is given for each distinct sighting and kind of file, not for each version of a file.
//! 3. For the values that are left, one pass over trees and commits tells where each entered and left
//!    ([`sets`], [`commits`], [`life`]).
//! 4. The place where a value entered is examined as a file would be, which makes the finding.

mod added;
mod bound;
mod cache;
mod commits;
mod everywhere;
mod fresh;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod git_dir;
mod held;
mod inner;
mod life;
mod messages;
mod missing;
mod oids;
mod parts;
mod places;
mod range;
mod sets;
mod sightings;
mod starts;
mod trees;
mod value_set;
mod values;
mod visit;
mod workers;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::{Engine, Outcome, Progress};
use crate::finding::Skipped;
use crate::source::git::{self, Odb, Repo, WalkOptions, WalkStats};

use cache::{Cache, Scanned};
use commits::Graph;
use life::Lives;
use missing::Naming;
use oids::FastSet;
use parts::Families;
use places::Finder;
use sets::{Before, Holdings, Sets};
use sightings::Sightings;
use trees::Trees;
use values::{Judge, Values};
use visit::{Taken, Taker};

pub use cache::CacheFacts;
pub use range::{RangeOptions, scan_range};

/// How to scan a history.
#[derive(Clone, Copy, Debug, Default)]
pub struct HistoryOptions<'a> {
    /// Scan a second time without inheriting anything, and compare.
    pub verify_engine: bool,
    /// Folder of the cache. Objects of which it says that they hold nothing are not scanned.
    pub cache: Option<&'a Path>,
    /// The time of the scan, seconds since 1970 UTC, from which ages are counted.
    pub now: i64,
}

/// Facts about a history scan beside its findings.
#[derive(Clone, Debug, Default)]
pub struct HistoryFacts {
    /// Number of commits.
    pub commits: u64,
    /// HEAD's commit.
    pub head: Option<String>,
    /// What was decoded.
    pub walk: WalkStats,
    /// Time to decode and scan every object.
    pub scan_time: Duration,
    /// Time for verdict, attribution and the findings.
    pub attribute_time: Duration,
    /// Number of distinct candidates.
    pub sightings: u64,
    /// Under `verify_engine`: texts whose candidates differ between the engines.
    pub differences: Option<u64>,
    /// With a cache: what it was good for.
    pub cache: Option<CacheFacts>,
}

/// Scans every object of a repository. `stop` ends the scan early; what was found so far is returned
/// and marked incomplete. `progress` counts objects.
///
/// # Errors
/// When the repository's objects or refs cannot be listed at all.
pub fn scan_history(
    engine: &Engine,
    repo: &Repo,
    options: HistoryOptions<'_>,
    stop: &AtomicBool,
    progress: &Progress,
) -> git::Result<(Outcome, HistoryFacts)> {
    let scan = || scan_objects(engine, repo, options, stop, progress);
    match rayon::ThreadPoolBuilder::new().num_threads(threads(engine)).build() {
        Ok(pool) => pool.install(scan),
        Err(_) => scan(), // no thread could be made: the ones that are there must do
    }
}

/// What a scan is of, and how it is made.
#[derive(Clone, Copy)]
struct Scan<'a> {
    engine: &'a Engine,
    repo: &'a Repo,
    odb: &'a Odb,
    options: HistoryOptions<'a>,
    walk_options: WalkOptions,
    stop: &'a AtomicBool,
    progress: &'a Progress,
}

/// What the objects told.
struct Walked {
    taken: Taken,
    skipped: Vec<Skipped>,
    sightings: Sightings,
    trees: Trees,
    walk: WalkStats,
}

fn scan_objects(
    engine: &Engine,
    repo: &Repo,
    options: HistoryOptions<'_>,
    stop: &AtomicBool,
    progress: &Progress,
) -> git::Result<(Outcome, HistoryFacts)> {
    let began = Instant::now();
    let odb = Odb::open(repo)?;
    progress.set_total(odb.object_count());
    let mut cache_facts = CacheFacts::default();
    let folder = options.cache.filter(|_| !options.verify_engine);
    let mut open = |folder| {
        rayon::join(|| Cache::open(folder, engine, repo, &odb, &mut cache_facts), || odb.check_indexes())
    };
    let mut cache = folder.map(|folder| open(folder).0);
    let walk_options = WalkOptions { threads: threads(engine), verify: false };
    let scan = Scan { engine, repo, odb: &odb, options, walk_options, stop, progress };
    let mut found = scan.once(cache.as_mut(), began)?;
    if let (None, Some(unfit)) = (&found, &mut cache) {
        unfit.forget();
        found = scan.once(cache.as_mut(), began)?;
    }
    let (mut outcome, mut facts) = found.unwrap_or_default();
    if let (Some(cache), Some(facts)) = (&cache, &mut facts.cache) {
        // Of a scan that was stopped, nothing is known for sure.
        if !stop.load(Ordering::Relaxed) {
            cache.write(&mut cache_facts);
        }
        facts.problems = cache_facts.problems;
    }
    if stop.load(Ordering::Relaxed) {
        outcome.skipped.push(interrupted(format!("stopped after {} objects", facts.walk.objects)));
    }
    facts.attribute_time = began.elapsed() - facts.scan_time;
    outcome.sort();
    Ok((outcome, facts))
}

impl Scan<'_> {
    /// One scan. None if the cache turned out to be of no use: then it is to be forgotten, and all to be done again.
    fn once(
        &self,
        cache: Option<&mut Cache>,
        began: Instant,
    ) -> git::Result<Option<(Outcome, HistoryFacts)>> {
        let (known, cache) = match cache {
            Some(cache) => (cache.take(), Some(cache)),
            None => (Taken::default(), None),
        };
        let Some(mut walked) = self.walk(known, cache.as_deref()) else { return Ok(None) };
        let mut facts = HistoryFacts {
            commits: walked.taken.commits.len() as u64,
            walk: walked.walk,
            ..HistoryFacts::default()
        };
        if let Some(cache) = &cache {
            let (passed, blobs, bytes) = cache.totals();
            walked.taken.blobs += blobs;
            walked.taken.bytes += bytes;
            facts.cache = Some(CacheFacts { passed, problems: Vec::new() });
        }
        if self.options.verify_engine {
            facts.differences = Some(self.differences(&walked)?);
        }
        let mut skipped = std::mem::take(&mut walked.skipped);
        skipped.extend(account_for_stores(self.odb));
        facts.scan_time = began.elapsed();
        let Some(mut outcome) = self.attribute(walked, cache, &mut facts)? else { return Ok(None) };
        outcome.skipped.extend(skipped);
        Ok(Some((outcome, facts)))
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Visits the objects. `known` is what the cache knows of those that are not. None if it is of no use.
    fn walk(&self, known: Taken, cache: Option<&Cache>) -> Option<Walked> {
        let Scan { engine, repo, odb, .. } = *self;
        let sightings = Sightings::new();
        let trees = Trees::with_names(cache.map_or(&[], Cache::names));
        let taker =
            Taker::new(engine, &sightings, &trees, repo.hash(), cache, known, self.stop, self.progress);
        let walk = git::walk(odb, &self.walk_options, &taker);
        let mut is_fit = self.is_stopped() || cache.is_none_or(Cache::is_all_there);
        if is_fit {
            taker.look_again(odb);
        }
        let (mut taken, skipped) = taker.finish();
        if let Some(cache) = cache.filter(|_| is_fit) {
            let recalled = cache.recall(&sightings).map(|recalled| taken.recall(recalled));
            is_fit = recalled.is_some() || self.is_stopped();
        }
        is_fit.then_some(Walked { taken, skipped, sightings, trees, walk })
    }

    /// Verdict, lives and findings. None if the cache is of no use.
    fn attribute(
        &self,
        walked: Walked,
        cache: Option<&mut Cache>,
        facts: &mut HistoryFacts,
    ) -> git::Result<Option<Outcome>> {
        let Scan { engine, repo, odb, options, stop, .. } = *self;
        let Walked { mut taken, sightings, trees, .. } = walked;
        let names = trees.into_names();
        bound::add(engine, odb, &mut taken, &sightings, &names, stop);
        let list = sightings.into_list();
        facts.sightings = list.iter().flatten().count() as u64;
        let head = git::head(repo)?;
        let refs = git::all_refs(repo)?;
        let reflogs = git::reflogs(repo)?;
        facts.head = head.target.map(|oid| oid.to_hex());
        let before = cache.as_deref().map_or_else(Before::nothing, Cache::before);
        let mut sets = Sets::new();
        let judge = Judge::new(engine, &list);
        let commits = std::mem::take(&mut taken.commits);
        let ((values, holdings), (graph, missing)) = rayon::join(
            || {
                let (values, families) = rayon::join(
                    || Values::choose(&judge, &taken, &names, &mut sets),
                    || Families::of(&taken.trees),
                );
                let holdings = Holdings::compute(&taken.trees, families, before, &values.blobs, &mut sets);
                (values, holdings)
            },
            || {
                let graph = Graph::new(commits);
                let naming = Naming { trees: &taken.trees, commits: &graph.commits, refs: &refs };
                // Of a scan that was stopped, what was not visited is not known to be there or not.
                let missing = match self.is_stopped() {
                    true => Ok(Vec::new()),
                    false => missing::account(repo, odb, &naming, &names, cache.as_deref()),
                };
                (graph, missing)
            },
        );
        let skipped = missing?;
        if cache.as_ref().is_some_and(|cache| cache.is_refuted(&values.blobs)) && !self.is_stopped() {
            return Ok(None);
        }
        let lives = Lives::trace(&values, &holdings, &sets, &graph, &refs, &reflogs, head.target, odb);
        let mut finder = Finder::new(
            engine,
            odb,
            judge,
            &taken,
            &values,
            &holdings,
            &sets,
            &graph,
            &lives,
            &names,
            options.now,
        );
        finder.find_values();
        let mut speaking = FastSet::default();
        if !self.is_stopped() {
            speaking = finder.find_names(&refs, cache.as_ref().map_or(0, |cache| cache.names().len()));
            finder.find_git_dir(repo);
        }
        let mut outcome = finder.finish();
        if let Some(cache) = cache {
            let is_whole = !taken.is_damaged && !skipped.iter().any(|skip| skip.incomplete);
            let (commits, speaking) = (&graph.commits[..], &speaking);
            let (taken, values, names, visited) = (&taken, &values, &names, facts.walk.objects);
            let scanned = Scanned {
                taken,
                commits,
                values,
                sightings: &list,
                looks_at_names: &|rule| engine.looks_at_names(rule),
                may_matter: &|name| engine.may_look_at(name),
                holdings: &holdings,
                names,
                speaking,
                is_whole,
                visited,
            };
            cache.renew(odb, &scanned);
        }
        outcome.skipped.extend(skipped);
        outcome.files = taken.blobs;
        outcome.bytes = taken.bytes;
        discard((taken, list, names, values, holdings, sets, graph, lives));
        Ok(Some(outcome))
    }

    /// Scans everything again without inheriting, and counts the texts whose candidates differ.
    fn differences(&self, walked: &Walked) -> git::Result<u64> {
        let trees = Trees::default();
        let ignored = Progress::default();
        let Scan { engine, repo, odb, stop, .. } = *self;
        let known = Taken::default();
        let mut taker =
            Taker::new(engine, &walked.sightings, &trees, repo.hash(), None, known, stop, &ignored);
        taker.whole_only = true;
        git::walk(odb, &self.walk_options, &taker);
        let (whole, _) = taker.finish();
        let of = |t: &Taken| -> oids::OidMap<Vec<u32>> {
            t.texts.iter().map(|x| (x.oid, t.marks_of(x).to_vec())).collect()
        };
        let (a, b) = (of(&walked.taken), of(&whole));
        let differ = a.iter().filter(|(oid, marks)| b.get(*oid) != Some(marks)).count();
        let missing = b.keys().filter(|oid| !a.contains_key(*oid)).count();
        Ok((differ + missing) as u64)
    }
}

fn interrupted(detail: String) -> Skipped {
    Skipped { what: "history".into(), reason: "interrupted", detail, incomplete: true }
}

/// Packs and stores of objects that are damaged or not there.
fn account_for_stores(odb: &Odb) -> Vec<Skipped> {
    let damaged = odb.damaged_packs().into_iter().map(|(path, detail)| (path, "damaged-pack", detail));
    let absent = odb.absent_alternates().iter().map(|path| {
        let detail = "a store of objects that this repository borrows from is not there".to_owned();
        (path.clone(), "not-found", detail)
    });
    let skip = |(path, reason, detail): (std::path::PathBuf, &'static str, String)| Skipped {
        what: path.display().to_string().into(),
        reason,
        detail,
        incomplete: true,
    };
    damaged.chain(absent).map(skip).collect()
}

fn threads(engine: &Engine) -> usize {
    match engine.options().threads {
        0 => std::thread::available_parallelism().map_or(1, Into::into),
        n => n,
    }
}

/// Gives back the memory of what is done with, while the report is made. Of a large history that takes as long as a
/// phase of its own.
fn discard<T: Send + 'static>(done: T) {
    // Where no thread can be made, it is given back at once.
    let _ = std::thread::Builder::new().spawn(move || drop(done));
}
