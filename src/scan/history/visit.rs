//! What is taken from every object while all of them are decoded.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use super::cache::{Cache, Recalled};
use super::inner::{Beneath, Inner, Shared};
use super::oids::{OidMap, OidSet};
use super::sightings::{IGNORED, Sighting, Sightings};
use super::starts::{Base, Starts};
use super::trees::{Remembered, TreeLog, Trees};
use crate::finding::Skipped;
use crate::matcher::delta::{Run, Seen};
use crate::matcher::{Candidate, Scratch};
use crate::rules::RuleIndex;
use crate::scan::build::is_binary;
use crate::scan::{Engine, Progress};
use crate::source::git::{Commit, DeltaOf, DeltaOp, Error, HashKind, Kind, Odb, Oid, Visited, Visitor};

/// What one thread, or all of them together, took from the objects.
#[derive(Debug, Default)]
pub struct Taken {
    /// Texts with candidates: blobs, commits and tags.
    pub texts: Vec<TextRecord>,
    /// The sightings of the texts, one after the other.
    pub marks: Vec<u32>,
    /// Commits.
    pub commits: Vec<CommitRecord>,
    /// Trees.
    pub trees: TreeLog,
    /// Number of blobs.
    pub blobs: u64,
    /// Bytes of blobs.
    pub bytes: u64,
    /// With a cache: blobs that were read whole, and their sizes in bytes.
    pub complete: Vec<(Oid, u64)>,
    /// With a cache: blobs that were not read whole.
    pub incomplete: Vec<Oid>,
    /// With a cache: tags.
    pub tags: Vec<Oid>,
    /// With a cache: whether an object could not be read.
    pub is_damaged: bool,
    /// With a cache: the rules that have candidates in blobs that it recalls and that were not scanned.
    pub recalled: OidMap<Vec<RuleIndex>>,
}

/// A text with candidates.
#[derive(Clone, Copy, Debug)]
pub struct TextRecord {
    /// The object.
    pub oid: Oid,
    /// Its kind.
    pub kind: Kind,
    /// Where its sightings begin in [`Taken::marks`].
    first: u32,
    /// How many there are.
    count: u32,
}

/// What attribution needs of a commit.
#[derive(Clone, Debug)]
pub struct CommitRecord {
    /// The commit.
    pub oid: Oid,
    /// Its tree.
    pub tree: Oid,
    /// Its parents.
    pub parents: Vec<Oid>,
    /// Committer time, seconds since 1970 UTC.
    pub time: i64,
}

impl Taken {
    /// The sightings of a text.
    pub fn marks_of(&self, text: &TextRecord) -> &[u32] {
        &self.marks[text.first as usize..(text.first + text.count) as usize]
    }

    /// The rules that have candidates in a text, each once. `sightings` are all, by their numbers.
    pub fn rules_of(&self, text: &TextRecord, sightings: &[Option<Sighting>]) -> Vec<RuleIndex> {
        let rule = |&mark: &u32| Some(sightings.get(mark as usize)?.as_ref()?.rule);
        let recalled = self.recalled.get(&text.oid).into_iter().flatten().copied();
        let mut rules: Vec<RuleIndex> = self.marks_of(text).iter().filter_map(rule).chain(recalled).collect();
        rules.sort_unstable();
        rules.dedup();
        rules
    }

    /// The text with this id, if it has candidates. Only once the walk is [finished](Taker::finish).
    pub fn text(&self, oid: &Oid) -> Option<&TextRecord> {
        self.texts.binary_search_by_key(oid, |text| text.oid).ok().map(|at| &self.texts[at])
    }

    /// Adds sightings that blobs have besides those that are known.
    pub fn add_marks(&mut self, mut more: Vec<(Oid, Vec<u32>)>) {
        if more.is_empty() {
            return;
        }
        let known: OidMap<usize> = self.texts.iter().enumerate().map(|(at, text)| (text.oid, at)).collect();
        for (oid, marks) in &mut more {
            if let Some(&at) = known.get(oid) {
                marks.extend_from_slice(self.marks_of(&self.texts[at]));
            }
            marks.sort_unstable();
            marks.dedup();
            let (first, count) = (self.marks.len() as u32, marks.len() as u32);
            self.marks.append(marks);
            match known.get(oid) {
                Some(&at) => self.texts[at] = TextRecord { first, count, ..self.texts[at] },
                None => self.texts.push(TextRecord { oid: *oid, kind: Kind::Blob, first, count }),
            }
        }
        self.texts.sort_unstable_by_key(|text| text.oid);
    }

    /// Adds what a cache knows of blobs that were not scanned.
    pub fn recall(&mut self, recalled: Recalled) {
        self.add_marks(recalled.marks);
        self.recalled = recalled.rules;
    }

    /// All that several threads took. The order is nobody's concern, so the largest part stays where it is.
    fn all(mut parts: Vec<Taken>) -> Taken {
        parts.sort_by_key(|part| std::cmp::Reverse(part.trees.entries().len()));
        let mut parts = parts.into_iter();
        let mut all = parts.next().unwrap_or_default();
        parts.for_each(|part| all.merge(part));
        all
    }

    fn merge(&mut self, other: Taken) {
        let base = self.marks.len() as u32;
        self.marks.extend(other.marks);
        self.texts.extend(other.texts.into_iter().map(|t| TextRecord { first: t.first + base, ..t }));
        self.commits.extend(other.commits);
        self.trees.merge(other.trees);
        self.blobs += other.blobs;
        self.bytes += other.bytes;
        self.complete.extend(other.complete);
        self.incomplete.extend(other.incomplete);
        self.tags.extend(other.tags);
    }
}

/// Scans blobs in delta space, commits and tags whole, and logs trees.
pub struct Taker<'a> {
    /// The engine.
    pub engine: &'a Engine,
    /// Distinct candidates.
    pub sightings: &'a Sightings,
    /// Names of tree entries.
    pub trees: &'a Trees,
    /// The repository's hash.
    pub hash: HashKind,
    /// Scan every blob whole, as if nothing were inherited (for `--verify-engine`).
    pub whole_only: bool,
    /// Objects that need no scan.
    cache: Option<&'a Cache>,
    /// Ends the walk.
    pub stop: &'a AtomicBool,
    /// Objects so far, for progress.
    pub progress: &'a Progress,
    /// What threads that ended took, and what was known before.
    taken: Mutex<Vec<Taken>>,
    skipped: Mutex<Vec<Skipped>>,
    /// With a cache: objects whose content is not what their ids say.
    spoiled: Mutex<Vec<Oid>>,
}

/// A thread's memory.
pub struct Local {
    scratch: Scratch,
    taken: Taken,
    runs: Vec<Run>,
    found: Vec<(Candidate, u32)>,
    names: Remembered,
    objects: u64,
    bytes: u64,
}

/// What is kept of an object while others are made from it.
pub enum Node {
    /// A blob: its occurrences and candidates, and those beneath its surface.
    Blob(Seen, Inner),
    /// A tree, and where its entries begin; its log names its base by id.
    Tree(Oid, Starts),
    /// Anything else.
    Other,
}

impl<'a> Taker<'a> {
    /// Begins a walk. `known` is what the cache has of the objects that it knows.
    pub fn new(
        engine: &'a Engine,
        sightings: &'a Sightings,
        trees: &'a Trees,
        hash: HashKind,
        cache: Option<&'a Cache>,
        known: Taken,
        stop: &'a AtomicBool,
        progress: &'a Progress,
    ) -> Self {
        Taker {
            engine,
            sightings,
            trees,
            hash,
            whole_only: false,
            cache,
            stop,
            progress,
            taken: Mutex::new(vec![known]),
            skipped: Mutex::default(),
            spoiled: Mutex::default(),
        }
    }

    /// Scans blobs that were passed over and may not be.
    pub fn look_again(&self, odb: &Odb) {
        let Some(cache) = self.cache else { return };
        let back = {
            let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
            let all = Taken::all(std::mem::take(&mut *taken));
            let back = cache.take_back(&all.trees, &self.trees.names());
            taken.push(all);
            back
        };
        let mut local = self.local();
        for oid in back {
            match odb.read(&oid) {
                Ok(Some((kind, data))) => {
                    drop(self.take(&mut local, Visited { oid, kind, data: &data }, None))
                }
                Ok(None) => self.unreadable(&oid, &Error::Missing(oid)),
                Err(error) => self.unreadable(&oid, &error),
            }
        }
        Visitor::finish(self, local);
    }

    /// What all threads took, in an order that does not depend on them, and what could not be read.
    pub fn finish(self) -> (Taken, Vec<Skipped>) {
        let mut taken = Taken::all(self.taken.into_inner().unwrap_or_else(PoisonError::into_inner));
        taken.texts.par_sort_unstable_by_key(|t| t.oid);
        taken.commits.par_sort_unstable_by_key(|c| c.oid);
        let spoiled = self.spoiled.into_inner().unwrap_or_else(PoisonError::into_inner);
        let spoiled: OidSet = spoiled.into_iter().collect();
        taken.complete.retain(|(oid, _)| !spoiled.contains(oid));
        taken.is_damaged = !spoiled.is_empty();
        (taken, self.skipped.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    fn blob(&self, local: &mut Local, object: Visited<'_>, base: Option<DeltaOf<'_, Node>>) -> Node {
        let Local { scratch, taken, runs, found, .. } = local;
        let matcher = self.engine.matcher();
        let mut mark = |text: &[u8], c: &Candidate| self.sightings.mark(matcher, text, c);
        let beneath = Beneath { engine: self.engine, matcher, sightings: self.sightings };
        let mut skipped = Vec::new();
        let (seen, inner) = match base {
            Some(DeltaOf { node: Node::Blob(base, inner), ops, data }) if !self.whole_only => {
                shared_runs(ops, runs);
                let seen = matcher.see_delta(object.data, base, runs, scratch, &mut mark);
                let shared = Shared { inner, len: data.len(), runs };
                (seen, beneath.see(object.data, Some(shared), scratch, &mut skipped))
            }
            _ => {
                let seen = matcher.see(object.data, scratch, &mut mark);
                (seen, beneath.see(object.data, None, scratch, &mut skipped))
            }
        };
        taken.blobs += 1;
        taken.bytes += object.data.len() as u64;
        found.clear();
        if !seen.is_empty() {
            seen.candidates(matcher, found);
        }
        self.record(taken, object, found, inner.marks());
        if self.cache.is_some() {
            match inner.is_complete() && skipped.is_empty() {
                true => taken.complete.push((object.oid, object.data.len() as u64)),
                false => taken.incomplete.push(object.oid),
            }
        }
        if !skipped.is_empty() {
            self.skip_parts(&object.oid, skipped);
        }
        Node::Blob(seen, inner)
    }

    /// Lists parts of a blob that could not be read.
    fn skip_parts(&self, oid: &Oid, parts: Vec<Skipped>) {
        let named = parts.into_iter().map(|mut skip| {
            let mut what: bstr::BString = format!("object {oid}").into();
            if !skip.what.is_empty() {
                what.push(b'!');
                what.extend_from_slice(&skip.what);
            }
            skip.what = what;
            skip
        });
        self.skipped.lock().unwrap_or_else(PoisonError::into_inner).extend(named);
    }

    fn record(
        &self,
        taken: &mut Taken,
        object: Visited<'_>,
        found: &[(Candidate, u32)],
        inner: impl Iterator<Item = u32>,
    ) {
        let first = taken.marks.len();
        taken.marks.extend(inner);
        if found.is_empty() && taken.marks.len() == first {
            return;
        }
        let binary = object.kind == Kind::Blob && is_binary(object.data);
        let counts =
            |c: &(Candidate, u32)| c.1 != IGNORED && !(binary && !self.engine.counts_in_binary(&c.0));
        taken.marks.extend(found.iter().filter(|c| counts(c)).map(|c| c.1));
        taken.marks[first..].sort_unstable();
        let mut count = 0;
        for i in first..taken.marks.len() {
            if count == 0 || taken.marks[i] != taken.marks[first + count - 1] {
                taken.marks[first + count] = taken.marks[i];
                count += 1;
            }
        }
        taken.marks.truncate(first + count);
        if count > 0 {
            let (first, count) = (first as u32, count as u32);
            taken.texts.push(TextRecord { oid: object.oid, kind: object.kind, first, count });
        }
    }

    /// Commits and tags are scanned from their first identity on: what is before it is ids.
    fn message(&self, local: &mut Local, object: Visited<'_>) {
        let Local { scratch, taken, found, .. } = local;
        let text = readable(object.data);
        let matcher = self.engine.matcher();
        let mut mark = |text: &[u8], c: &Candidate| self.sightings.mark(matcher, text, c);
        let seen = matcher.see(text, scratch, &mut mark);
        if !seen.is_empty() {
            seen.candidates(matcher, found);
            self.record(taken, object, found, std::iter::empty());
        }
        if object.kind == Kind::Tag && self.cache.is_some() {
            taken.tags.push(object.oid);
        }
        if object.kind == Kind::Commit {
            match Commit::parse(object.data) {
                Ok(commit) => taken.commits.push(CommitRecord {
                    oid: object.oid,
                    tree: commit.tree,
                    parents: commit.parents,
                    time: commit.committer.time,
                }),
                Err(e) => self.unreadable(&object.oid, &e),
            }
        }
    }

    fn tree(&self, local: &mut Local, object: Visited<'_>, base: Option<DeltaOf<'_, Node>>) -> Node {
        let Local { taken, runs, names, .. } = local;
        let base = match &base {
            Some(DeltaOf { node: Node::Tree(oid, starts), ops, data }) => {
                shared_runs(ops, runs);
                Some(Base { oid: *oid, data, starts, runs })
            }
            _ => None,
        };
        let (starts, result) =
            self.trees.log(&mut taken.trees, names, object.oid, object.data, base, self.hash);
        if let Err(e) = result {
            self.unreadable(&object.oid, &e);
        }
        Node::Tree(object.oid, starts)
    }

    fn take(&self, local: &mut Local, object: Visited<'_>, base: Option<DeltaOf<'_, Node>>) -> Node {
        local.objects += 1;
        local.bytes += object.data.len() as u64;
        if local.objects == 1024 {
            self.progress.add(std::mem::take(&mut local.objects), std::mem::take(&mut local.bytes));
        }
        match object.kind {
            Kind::Blob => self.blob(local, object, base),
            Kind::Tree => self.tree(local, object, base),
            Kind::Commit | Kind::Tag => {
                self.message(local, object);
                Node::Other
            }
        }
    }
}

impl Visitor for Taker<'_> {
    type Node = Node;
    type Local = Local;

    fn local(&self) -> Local {
        Local {
            scratch: Scratch::default(),
            taken: Taken::default(),
            runs: Vec::new(),
            found: Vec::new(),
            names: Remembered::default(),
            objects: 0,
            bytes: 0,
        }
    }

    fn whole(&self, local: &mut Local, object: Visited<'_>) -> Node {
        self.take(local, object, None)
    }

    fn delta(&self, local: &mut Local, object: Visited<'_>, base: DeltaOf<'_, Node>) -> Node {
        self.take(local, object, Some(base))
    }

    fn wants(&self, oid: &Oid) -> bool {
        !self.cache.is_some_and(|cache| cache.passes(oid))
    }

    fn is_sought(&self, _: &Oid) -> bool {
        true // whether it is known or not: so what is known and gone is told
    }

    fn wants_few(&self) -> bool {
        self.cache.is_some_and(Cache::has_structure)
    }

    fn unreadable(&self, oid: &Oid, error: &Error) {
        if self.cache.is_some() {
            self.spoiled.lock().unwrap_or_else(PoisonError::into_inner).push(*oid);
        }
        self.skipped.lock().unwrap_or_else(PoisonError::into_inner).push(Skipped {
            what: format!("object {oid}").into(),
            reason: error.reason(),
            detail: error.to_string(),
            incomplete: true,
        });
    }

    fn stop(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn finish(&self, local: Local) {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).push(local.taken);
    }
}

/// The part of a commit or tag in which people write: from the author or tagger on.
pub fn readable(data: &[u8]) -> &[u8] {
    let headers_end = memchr::memmem::find(data, b"\n\n").unwrap_or(data.len());
    [&b"\nauthor "[..], b"\ntag "]
        .into_iter()
        .filter_map(|start| memchr::memmem::find(&data[..headers_end], start))
        .min()
        .map_or(data, |at| &data[at + 1..])
}

/// The copies of a delta as runs; copies that follow one another in both texts are one run.
fn shared_runs(ops: &[DeltaOp], runs: &mut Vec<Run>) {
    runs.clear();
    for op in ops {
        let DeltaOp::Copy { src, dst, len } = *op else { continue };
        match runs.last_mut() {
            Some(last) if last.src + last.len == src && last.dst + last.len == dst => last.len += len,
            _ => runs.push(Run { src, dst, len }),
        }
    }
}
