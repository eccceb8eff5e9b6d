//! Visiting every object of a repository, each decoded once, on several threads.
//!
//! Objects of a pack are decoded in the order of the forest that deltas form: a base, then depth first what is
//! made from it. Of an entry's children the one with the largest subtree comes last, when the entry itself is
//! no longer needed for others: so, of any chain of bases, at most as many are in memory at a time as the
//! logarithm of the number of objects, however long the chain is.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize};
use std::sync::{Arc, Mutex, PoisonError};

use super::dedup::{Positions, Source, duplicates};
use super::delta::DeltaOp;
use super::error::Error;
use super::loose;
use super::object::Kind;
use super::odb::Odb;
use super::oid::Oid;
use super::pack::Pack;
use super::plan::Plan;
use super::queue::Queue;
use super::worker::{Item, Worker};

/// An object that is visited.
#[derive(Clone, Copy)]
pub struct Visited<'a> {
    /// Its id.
    pub oid: Oid,
    /// Its kind.
    pub kind: Kind,
    /// Its content.
    pub data: &'a [u8],
}

/// What an object was made from.
pub struct DeltaOf<'a, N> {
    /// What the visitor made of the base.
    pub node: &'a N,
    /// Content of the base.
    pub data: &'a [u8],
    /// How the object is put together. The instructions cover it in order and without gaps.
    pub ops: &'a [DeltaOp],
}

/// Looks at every object. Calls come from several threads and in no particular order, but a base always comes
/// before what is made from it.
pub trait Visitor: Sync {
    /// What is kept of an object while others are made from it.
    type Node: Send + Sync;
    /// State of one thread.
    type Local;

    /// The state of a thread that starts.
    fn local(&self) -> Self::Local;

    /// Whether the object should be visited, if it is of a kind that is wanted.
    fn wants(&self, oid: &Oid) -> bool {
        let _ = oid;
        true
    }

    /// Whether objects of a kind should be visited. Those of which it is not known before they are decoded are shown
    /// whatever the answer.
    fn wants_kind(&self, kind: Kind) -> bool {
        let _ = kind;
        true
    }

    /// Whether an object that cannot be read is missed: as a rule, if it is wanted.
    fn is_sought(&self, oid: &Oid) -> bool {
        self.wants(oid)
    }

    /// Whether it wants few objects: then those are read one by one, and no pack is gone through.
    fn wants_few(&self) -> bool {
        false
    }

    /// Visits an object that is stored whole, or whose base was not visited.
    fn whole(&self, local: &mut Self::Local, object: Visited<'_>) -> Self::Node;

    /// Visits an object that is made from another one that was visited.
    fn delta(
        &self,
        local: &mut Self::Local,
        object: Visited<'_>,
        base: DeltaOf<'_, Self::Node>,
    ) -> Self::Node;

    /// Takes note of an object that cannot be read.
    fn unreadable(&self, oid: &Oid, error: &Error);

    /// Whether to stop early. Asked before each object.
    fn stop(&self) -> bool {
        false
    }

    /// Takes back the state of a thread that ends.
    fn finish(&self, local: Self::Local) {
        let _ = local;
    }
}

/// How to walk.
#[derive(Clone, Copy, Debug)]
pub struct WalkOptions {
    /// Number of threads; at least one is used.
    pub threads: usize,
    /// Compute the id of each object and compare. Objects that are something else are visited, and reported as
    /// unreadable too.
    pub verify: bool,
}

/// What a walk did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WalkStats {
    /// Objects visited.
    pub objects: u64,
    /// Bytes of all objects decoded.
    pub bytes: u64,
    /// Bytes that deltas insert, and bytes of objects that are stored whole.
    pub inflated: u64,
    /// Objects that could not be read.
    pub unreadable: u64,
}

/// A pack with its plan.
pub(super) struct Planned {
    pub(super) pack: Arc<Pack>,
    pub(super) plan: Plan,
}

pub(super) struct Walk<'a, V: Visitor> {
    pub(super) odb: &'a Odb,
    pub(super) visitor: &'a V,
    pub(super) verify: bool,
    pub(super) packs: Vec<Planned>,
    /// Number of roots of all packs up to and with each one.
    pub(super) root_ends: Vec<usize>,
    pub(super) loose: Vec<Oid>,
    pub(super) next_root: AtomicUsize,
    pub(super) queue: Queue<Item<V::Node>>,
    /// Bytes decoded so far, by all threads.
    pub(super) decoded: AtomicU64,
    /// How many may be decoded.
    pub(super) budget: u64,
    /// Bytes of packs read since pages were last given back.
    pub(super) touched: AtomicU64,
    pub(super) failed: Mutex<HashMap<Oid, Error>>,
}

/// Beside [`max_decoded`](super::Limits::max_decoded), a repository may decode to so many times the size of its
/// packs. Real ones stay far below; deltas that copy their base again and again do not.
const BUDGET_RATIO: u64 = 1000;

/// So many objects are few, or one in so many of all: reading them one by one, each along its chain of bases, costs
/// less than finding out how all deltas hang together.
const FEW: usize = 1000;
const ONE_IN: usize = 200;

/// Visits all objects: those in packs, loose ones and those in alternates, reachable or not. An object that is
/// stored more than once is visited once.
///
/// What cannot be decoded where it was found is looked for again at the end: another copy may be good, and a
/// concurrent `git gc` may have moved it.
pub fn walk<V: Visitor>(odb: &Odb, options: &WalkOptions, visitor: &V) -> WalkStats {
    let threads = options.threads.max(1);
    let walk = Walk::new(odb, options.verify, threads, visitor);
    let mut stats = WalkStats::default();
    std::thread::scope(|scope| {
        let workers: Vec<_> = (1..threads).map(|_| scope.spawn(|| Worker::new(&walk).run())).collect();
        stats.add(&Worker::new(&walk).run());
        for worker in workers {
            match worker.join() {
                Ok(part) => stats.add(&part),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
    });
    stats.add(&walk.retry_failed());
    stats
}

impl WalkStats {
    fn add(&mut self, part: &WalkStats) {
        self.objects += part.objects;
        self.bytes += part.bytes;
        self.inflated += part.inflated;
        self.unreadable += part.unreadable;
    }
}

impl<'a, V: Visitor> Walk<'a, V> {
    fn new(odb: &'a Odb, verify: bool, threads: usize, visitor: &'a V) -> Self {
        let (mut packs, gone) = odb.open_all_packs();
        packs.sort_by_key(|pack| std::cmp::Reverse(pack.idx.count()));
        let list = |dir: &PathBuf| loose::list(dir, odb.hash(), |error| odb.note_unreadable(dir, error));
        let loose: Vec<Vec<Oid>> = odb.dirs().iter().map(list).collect();
        let mut walk = Walk {
            odb,
            visitor,
            verify,
            packs: Vec::new(),
            root_ends: Vec::new(),
            loose: Vec::new(),
            next_root: AtomicUsize::new(0),
            queue: Queue::new(threads),
            decoded: AtomicU64::new(0),
            budget: odb.limits().max_decoded,
            touched: AtomicU64::new(0),
            failed: Mutex::new(HashMap::new()),
        };
        let (in_packs, wanted_loose) = wanted(visitor, threads, &packs, &loose);
        let count = in_packs.iter().map(Positions::count).sum::<usize>() + wanted_loose.len();
        walk.loose = wanted_loose;
        let are_few = count <= FEW.max(packs.iter().map(|pack| pack.idx.count()).sum::<usize>() / ONE_IN);
        if visitor.wants_few() && gone.is_empty() && are_few {
            for (pack, wanted) in packs.iter().zip(&in_packs) {
                let positions = (0..pack.idx.count()).filter(|&at| wanted.contains(at));
                walk.loose.extend(positions.filter_map(|at| pack.idx.oid(at)));
            }
            return walk;
        }
        for (pack, wanted) in packs.into_iter().zip(&in_packs) {
            walk.add_pack(pack, threads, wanted);
        }
        for (pack, error) in gone {
            let elsewhere = |oid: &Oid| {
                walk.packs.iter().any(|planned| planned.pack.idx.find(oid).is_some())
                    || loose.iter().any(|list| list.binary_search(oid).is_ok())
            };
            walk.fail_pack(&pack, &error, elsewhere);
        }
        walk
    }

    /// Adds the objects of a pack at these positions.
    fn add_pack(&mut self, pack: Arc<Pack>, threads: usize, wanted: &Positions) {
        let wants = |position: usize, kind: Option<Kind>| {
            wanted.contains(position) && kind.is_none_or(|kind| self.visitor.wants_kind(kind))
        };
        let mut plan = match Plan::new(&pack, self.odb.hash(), threads, wants) {
            Ok(plan) => plan,
            Err(error) => return self.fail_pack(&pack, &error, |_| false),
        };
        for (position, error) in plan.broken.drain(..) {
            if let Some(oid) = pack.idx.oid(position) {
                self.fail(oid, error);
            }
        }
        self.root_ends.push(self.root_ends.last().copied().unwrap_or(0) + plan.roots.len());
        let size = pack.data().map_or(0, |data| data.len() as u64);
        self.budget = self.budget.saturating_add(size.saturating_mul(BUDGET_RATIO));
        self.packs.push(Planned { pack, plan });
    }

    /// A pack that is gone or cannot be read at all: its objects are looked for later, but for those that are
    /// visited `elsewhere`.
    fn fail_pack(&self, pack: &Pack, error: &Error, elsewhere: impl Fn(&Oid) -> bool) {
        for oid in (0..pack.idx.count()).filter_map(|position| pack.idx.oid(position)) {
            if self.visitor.is_sought(&oid) && !elsewhere(&oid) {
                let reason = error.to_string();
                self.fail(oid, Error::PackUnreadable { path: pack.path().to_owned(), reason });
            }
        }
    }

    pub(super) fn fail(&self, oid: Oid, error: Error) {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).insert(oid, error);
    }

    /// The root with this number, counted over all packs.
    pub(super) fn root(&self, number: usize) -> Option<Item<V::Node>> {
        let pack = self.root_ends.partition_point(|&end| end <= number);
        let start = pack.checked_sub(1).map_or(0, |before| self.root_ends[before]);
        let entry = *self.packs.get(pack)?.plan.roots.get(number - start)?;
        Some(Item { pack: pack as u32, entry, base: None })
    }

    /// Looks once more for what could not be decoded.
    fn retry_failed(&self) -> WalkStats {
        let mut failed: Vec<(Oid, Error)> =
            self.failed.lock().unwrap_or_else(PoisonError::into_inner).drain().collect();
        failed.sort_by_key(|(oid, _)| *oid);
        let mut worker = Worker::new(self);
        let mut stats = WalkStats::default();
        for (oid, error) in failed {
            if self.visitor.stop() {
                break; // whoever stops the walk knows that it is incomplete
            }
            // What is too much is too much the second time.
            let again = !matches!(error, Error::DeltaBomb { .. } | Error::TooLarge { .. });
            match again.then(|| self.odb.read(&oid)) {
                Some(Ok(Some((kind, data)))) => {
                    worker.verify(&oid, kind, &data);
                    worker.visit(oid, kind, &data, None);
                }
                _ => {
                    stats.unreadable += 1;
                    self.visitor.unreadable(&oid, &error);
                }
            }
        }
        stats.add(&worker.end());
        stats
    }
}

/// What is to be visited: of each pack the positions, and the loose objects. An object that is stored more than once
/// is wanted once. The visitor is asked in the order of the ids.
fn wanted<V: Visitor>(
    visitor: &V,
    threads: usize,
    packs: &[Arc<Pack>],
    loose: &[Vec<Oid>],
) -> (Vec<Positions>, Vec<Oid>) {
    let copies = mark_duplicates(packs, loose);
    let (of_packs, of_lists) = copies.split_at(packs.len());
    let is_wanted = |oid: &Oid| visitor.wants(oid);
    let in_pack = |(pack, copies): (&Arc<Pack>, &Positions)| {
        let is_wanted = |at| !copies.contains(at) && pack.idx.oid(at).is_some_and(|oid| is_wanted(&oid));
        Positions::of(pack.idx.count(), threads, is_wanted)
    };
    let in_list = |(list, copies): (&Vec<Oid>, &Positions)| {
        let first_copies = list.iter().enumerate().filter(|(at, _)| !copies.contains(*at));
        first_copies.map(|(_, oid)| *oid).filter(is_wanted).collect::<Vec<Oid>>()
    };
    let in_packs = packs.iter().zip(of_packs).map(in_pack).collect();
    (in_packs, loose.iter().zip(of_lists).flat_map(in_list).collect())
}

/// Marks the copies of objects; sources are the packs and then the lists of loose objects.
fn mark_duplicates(packs: &[Arc<Pack>], loose: &[Vec<Oid>]) -> Vec<Positions> {
    type Lookup<'l> = Box<dyn Fn(usize) -> Option<Oid> + 'l>;
    let pack_lookups =
        packs.iter().map(|pack| (pack.idx.count(), Box::new(|at| pack.idx.oid(at)) as Lookup<'_>));
    let loose_lookups =
        loose.iter().map(|list| (list.len(), Box::new(|at| list.get(at).copied()) as Lookup<'_>));
    let lookups: Vec<(usize, Lookup<'_>)> = pack_lookups.chain(loose_lookups).collect();
    let sources: Vec<Source<'_>> = lookups.iter().map(|(count, oid)| (*count, &**oid)).collect();
    duplicates(&sources)
}
