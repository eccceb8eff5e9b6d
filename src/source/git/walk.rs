//! Visiting every object of a repository, each decoded once, on several threads.
//!
//! Objects of a pack are decoded in the order of the forest that deltas form: a base, then depth first what is
//! made from it. Of an entry's children the one with the largest subtree comes last, when the entry itself is
//! no longer needed for others: so, of any chain of bases, at most as many are in memory at a time as the
//! logarithm of the number of objects, however long the chain is.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::buffers::Buffers;
use super::dedup::{Duplicates, Source, duplicates};
use super::delta::{self, DeltaOp};
use super::error::{Error, Result};
use super::inflate::Inflater;
use super::loose;
use super::object::Kind;
use super::odb::Odb;
use super::oid::Oid;
use super::pack::{Pack, Stored};
use super::plan::Plan;
use super::queue::{CloseOnPanic, Queue};

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

    /// Whether the object should be visited. The kind is None if it is not known before decoding.
    fn wants(&self, oid: &Oid, kind: Option<Kind>) -> bool {
        let _ = (oid, kind);
        true
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

/// An object on the way to what is made from it.
struct Base<N> {
    kind: Kind,
    data: Vec<u8>,
    /// None if the object was only decoded, not visited.
    node: Option<N>,
    /// The bytes in the pack, or those of a base, are not the ones that the index knows.
    suspicious: bool,
}

/// An entry to decode.
struct Item<N> {
    pack: u32,
    entry: u32,
    base: Option<Arc<Base<N>>>,
}

/// A pack with its plan.
struct Planned {
    pack: Arc<Pack>,
    plan: Plan,
}

struct Walk<'a, V: Visitor> {
    odb: &'a Odb,
    visitor: &'a V,
    verify: bool,
    packs: Vec<Planned>,
    /// Number of roots of all packs up to and with each one.
    root_ends: Vec<usize>,
    loose: Vec<Oid>,
    next_root: AtomicUsize,
    queue: Queue<Item<V::Node>>,
    /// Bytes decoded so far, by all threads.
    decoded: AtomicU64,
    /// How many may be decoded.
    budget: u64,
    /// Bytes of packs read since pages were last given back.
    touched: AtomicU64,
    failed: Mutex<HashMap<Oid, Error>>,
}

/// Roots that a thread takes at a time.
const ROOTS_AT_ONCE: usize = 8;
/// Let go of mapped pages after this many bytes of packs.
const RELEASE_BYTES: u64 = 48 << 20;
/// Every repository may decode to so many bytes, and a large one to so many times the size of its packs. Real
/// ones stay far below; deltas that copy their base again and again do not.
const BUDGET_BYTES: u64 = 16 << 30;
const BUDGET_RATIO: u64 = 1000;

/// Visits all objects: those in packs, loose ones and those in alternates, reachable or not. An object that is
/// stored more than once is visited once.
///
/// What cannot be decoded where it was found is looked for again at the end: another copy may be good, and a
/// concurrent `git gc` may have moved it.
pub fn walk<V: Visitor>(odb: &Odb, options: &WalkOptions, visitor: &V) -> Result<WalkStats> {
    let threads = options.threads.max(1);
    let walk = Walk::new(odb, options.verify, threads, visitor)?;
    let mut stats = WalkStats::default();
    std::thread::scope(|scope| {
        let workers: Vec<_> = (1..threads)
            .map(|_| scope.spawn(|| Worker::new(&walk).run()))
            .collect();
        stats.add(&Worker::new(&walk).run());
        for worker in workers {
            match worker.join() {
                Ok(part) => stats.add(&part),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
    });
    stats.add(&walk.retry_failed());
    Ok(stats)
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
    fn new(odb: &'a Odb, verify: bool, threads: usize, visitor: &'a V) -> Result<Self> {
        let (mut packs, gone) = odb.open_all_packs()?;
        packs.sort_by_key(|pack| std::cmp::Reverse(pack.idx.count()));
        let loose: Vec<Vec<Oid>> = odb
            .dirs()
            .iter()
            .map(|dir| loose::list(dir, odb.hash()))
            .collect::<Result<_>>()?;
        let marked = mark_duplicates(&packs, &loose);
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
            budget: BUDGET_BYTES,
            touched: AtomicU64::new(0),
            failed: Mutex::new(HashMap::new()),
        };
        for (n, pack) in packs.into_iter().enumerate() {
            walk.add_pack(pack, marked.get(n));
        }
        for (pack, error) in gone {
            let elsewhere = |oid: &Oid| {
                walk.packs
                    .iter()
                    .any(|planned| planned.pack.idx.find(oid).is_some())
                    || loose.iter().any(|list| list.binary_search(oid).is_ok())
            };
            walk.fail_pack(&pack, &error, elsewhere);
        }
        for (list, marked) in loose
            .iter()
            .zip(marked.iter().skip(marked.len() - loose.len()))
        {
            let first_copies = list
                .iter()
                .enumerate()
                .filter(|(n, oid)| !marked.contains(*n) && visitor.wants(oid, None));
            walk.loose.extend(first_copies.map(|(_, oid)| *oid));
        }
        Ok(walk)
    }

    fn add_pack(&mut self, pack: Arc<Pack>, duplicates: Option<&Duplicates>) {
        let is_first = |position| duplicates.is_none_or(|marked| !marked.contains(position));
        let wants =
            |position: usize, oid: &Oid, kind| is_first(position) && self.visitor.wants(oid, kind);
        let mut plan = match Plan::new(&pack, self.odb.hash(), wants) {
            Ok(plan) => plan,
            Err(error) => return self.fail_pack(&pack, &error, |_| false),
        };
        for (position, error) in plan.broken.drain(..) {
            if let Some(oid) = pack.idx.oid(position) {
                self.fail(oid, error);
            }
        }
        self.root_ends
            .push(self.root_ends.last().copied().unwrap_or(0) + plan.roots.len());
        let size = pack.data().map_or(0, |data| data.len() as u64);
        self.budget = self
            .budget
            .saturating_add(size.saturating_mul(BUDGET_RATIO));
        self.packs.push(Planned { pack, plan });
    }

    /// A pack that is gone or cannot be read at all: its objects are looked for later, but for those that are
    /// visited `elsewhere`.
    fn fail_pack(&self, pack: &Pack, error: &Error, elsewhere: impl Fn(&Oid) -> bool) {
        for oid in (0..pack.idx.count()).filter_map(|position| pack.idx.oid(position)) {
            if self.visitor.wants(&oid, None) && !elsewhere(&oid) {
                let reason = error.to_string();
                self.fail(
                    oid,
                    Error::PackUnreadable {
                        path: pack.path().to_owned(),
                        reason,
                    },
                );
            }
        }
    }

    fn fail(&self, oid: Oid, error: Error) {
        self.failed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(oid, error);
    }

    /// The root with this number, counted over all packs.
    fn root(&self, number: usize) -> Option<Item<V::Node>> {
        let pack = self.root_ends.partition_point(|&end| end <= number);
        let start = pack
            .checked_sub(1)
            .map_or(0, |before| self.root_ends[before]);
        let entry = *self.packs.get(pack)?.plan.roots.get(number - start)?;
        Some(Item {
            pack: pack as u32,
            entry,
            base: None,
        })
    }

    /// Looks once more for what could not be decoded.
    fn retry_failed(&self) -> WalkStats {
        let mut failed: Vec<(Oid, Error)> = self
            .failed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .drain()
            .collect();
        failed.sort_by_key(|(oid, _)| *oid);
        let mut worker = Worker::new(self);
        let mut stats = WalkStats::default();
        for (oid, error) in failed {
            match self.odb.read(&oid) {
                Ok(Some((kind, data))) => {
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

/// Marks the copies of objects; sources are the packs and then the lists of loose objects.
fn mark_duplicates(packs: &[Arc<Pack>], loose: &[Vec<Oid>]) -> Vec<Duplicates> {
    type Lookup<'l> = Box<dyn Fn(usize) -> Option<Oid> + 'l>;
    let pack_lookups = packs.iter().map(|pack| {
        (
            pack.idx.count(),
            Box::new(|at| pack.idx.oid(at)) as Lookup<'_>,
        )
    });
    let loose_lookups = loose.iter().map(|list| {
        (
            list.len(),
            Box::new(|at| list.get(at).copied()) as Lookup<'_>,
        )
    });
    let lookups: Vec<(usize, Lookup<'_>)> = pack_lookups.chain(loose_lookups).collect();
    let sources: Vec<Source<'_>> = lookups
        .iter()
        .map(|(count, oid)| (*count, &**oid))
        .collect();
    duplicates(&sources)
}

/// One thread's part of a walk.
struct Worker<'w, 'a, V: Visitor> {
    walk: &'w Walk<'a, V>,
    local: V::Local,
    stack: Vec<Item<V::Node>>,
    inflater: Inflater,
    buffers: Buffers,
    delta: Vec<u8>,
    ops: Vec<DeltaOp>,
    stats: WalkStats,
}

impl<'w, 'a, V: Visitor> Worker<'w, 'a, V> {
    fn new(walk: &'w Walk<'a, V>) -> Self {
        Worker {
            walk,
            local: walk.visitor.local(),
            stack: Vec::new(),
            inflater: Inflater::new(),
            buffers: Buffers::new(),
            delta: Vec::new(),
            ops: Vec::new(),
            stats: WalkStats::default(),
        }
    }

    fn run(mut self) -> WalkStats {
        let _guard = CloseOnPanic(&self.walk.queue);
        while let Some(item) = self.next() {
            if self.walk.visitor.stop() {
                self.walk.queue.close();
            }
            if self.walk.queue.is_closed() {
                break;
            }
            self.decode(item);
            self.walk.queue.share(&mut self.stack);
        }
        self.end()
    }

    fn end(self) -> WalkStats {
        self.walk.visitor.finish(self.local);
        self.stats
    }

    /// The next entry: of the thread's own first, then what others gave, then new roots.
    fn next(&mut self) -> Option<Item<V::Node>> {
        if let Some(item) = self.stack.pop().or_else(|| self.walk.queue.try_take()) {
            return Some(item);
        }
        self.take_roots();
        self.stack.pop().or_else(|| self.walk.queue.wait())
    }

    fn take_roots(&mut self) {
        let roots = self.walk.root_ends.last().copied().unwrap_or(0);
        let end = roots + self.walk.loose.len();
        while self.stack.is_empty() {
            let first = self
                .walk
                .next_root
                .fetch_add(ROOTS_AT_ONCE, Ordering::Relaxed);
            if first >= end || self.walk.visitor.stop() {
                return;
            }
            let numbers = first..(first + ROOTS_AT_ONCE).min(end);
            self.stack.extend(
                numbers
                    .clone()
                    .rev()
                    .filter_map(|number| self.walk.root(number)),
            );
            for number in numbers.start.max(roots)..numbers.end {
                self.loose(number - roots);
            }
        }
    }

    fn loose(&mut self, number: usize) {
        let Some(&oid) = self.walk.loose.get(number) else {
            return;
        };
        match self.walk.odb.read(&oid) {
            Ok(Some((kind, data))) => {
                self.count(&data);
                if self.walk.verify {
                    self.verify(&oid, kind, &data);
                }
                self.visit(oid, kind, &data, None);
            }
            Ok(None) => self.walk.fail(oid, Error::Missing(oid)),
            Err(error) => self.walk.fail(oid, error),
        }
    }

    /// Decodes an entry, visits it, and puts what is made from it on the stack.
    fn decode(&mut self, item: Item<V::Node>) {
        let walk = self.walk;
        let Some(planned) = walk.packs.get(item.pack as usize) else {
            return;
        };
        match self.content(planned, &item) {
            Err(error) => self.fail_subtree(planned, item.entry, error),
            Ok((kind, data)) => {
                let suspicious = self.is_suspicious(planned, &item);
                let oid = planned.plan.oid(&planned.pack, item.entry);
                let visit = planned.plan.is_wanted(item.entry)
                    && oid.is_some_and(|oid| {
                        item.base.is_some() || walk.visitor.wants(&oid, Some(kind))
                    });
                let node = oid.filter(|_| visit).map(|oid| {
                    if suspicious || walk.verify {
                        self.verify(&oid, kind, &data);
                    }
                    self.visit(oid, kind, &data, item.base.as_deref())
                });
                self.push_children(
                    planned,
                    &item,
                    Base {
                        kind,
                        data,
                        node,
                        suspicious,
                    },
                );
            }
        }
        if let Some(base) = item.base.and_then(Arc::into_inner) {
            self.buffers.put(base.data);
        }
    }

    fn push_children(&mut self, planned: &Planned, item: &Item<V::Node>, base: Base<V::Node>) {
        let mut children = planned.plan.needed_children(item.entry);
        let Some(heaviest) = children.next() else {
            self.buffers.put(base.data);
            return;
        };
        let base = Arc::new(base);
        let child = |entry| Item {
            pack: item.pack,
            entry,
            base: Some(Arc::clone(&base)),
        };
        self.stack.push(child(heaviest));
        self.stack.extend(children.rev().map(child));
    }

    /// Kind and content of an entry.
    fn content(&mut self, planned: &Planned, item: &Item<V::Node>) -> Result<(Kind, Vec<u8>)> {
        let (pack, plan) = (&planned.pack, &planned.plan);
        let offset = plan.offset(item.entry);
        let data = pack.data()?;
        let end = plan.next_offset(item.entry, pack.entries_end()? as u64);
        if self
            .walk
            .touched
            .fetch_add(end.saturating_sub(offset), Ordering::Relaxed)
            > RELEASE_BYTES
        {
            self.walk.touched.store(0, Ordering::Relaxed);
            data.release();
        }
        let entry = pack.entry(offset)?;
        let limit = self.walk.odb.limits().max_object;
        if entry.size > limit {
            return Err(Error::TooLarge {
                size: entry.size,
                limit,
            });
        }
        let stream = data
            .get(entry.data_at..end as usize)
            .ok_or(Error::CorruptObject("cut short"))?;
        if let Stored::Whole(kind) = entry.stored {
            let mut out = self.buffers.get(entry.size as usize);
            self.inflater.inflate(stream, entry.size, &mut out)?;
            self.stats.inflated += entry.size;
            self.count(&out);
            return Ok((kind, out));
        }
        self.inflater.inflate(stream, entry.size, &mut self.delta)?;
        let out = match (&item.base, entry.stored) {
            (Some(base), _) => {
                let out = self.apply(&base.data, limit)?;
                (base.kind, out)
            }
            (None, Stored::RefDelta(oid)) => {
                let (kind, base) = self.walk.odb.read(&oid)?.ok_or(Error::Missing(oid))?;
                (kind, self.apply(&base, limit)?)
            }
            (None, _) => return Err(Error::CorruptObject("delta without a base")),
        };
        Ok(out)
    }

    fn apply(&mut self, base: &[u8], limit: u64) -> Result<Vec<u8>> {
        let size = delta::header(&self.delta)?.result_size;
        if size > limit {
            return Err(Error::TooLarge { size, limit });
        }
        if self
            .walk
            .decoded
            .load(Ordering::Relaxed)
            .saturating_add(size)
            > self.walk.budget
        {
            return Err(Error::DeltaBomb {
                budget: self.walk.budget,
            });
        }
        let mut out = self.buffers.get(size as usize);
        delta::apply(base, &self.delta, limit, &mut out, &mut self.ops)?;
        self.stats.inflated += self.delta.len() as u64;
        self.count(&out);
        Ok(out)
    }

    fn count(&mut self, data: &[u8]) {
        self.stats.bytes += data.len() as u64;
        self.walk
            .decoded
            .fetch_add(data.len() as u64, Ordering::Relaxed);
    }

    /// Shows an object to the visitor. With a visited base, `self.ops` say how it is made from it.
    fn visit(
        &mut self,
        oid: Oid,
        kind: Kind,
        data: &[u8],
        base: Option<&Base<V::Node>>,
    ) -> V::Node {
        self.stats.objects += 1;
        let object = Visited { oid, kind, data };
        let base = base.and_then(|base| {
            Some(DeltaOf {
                node: base.node.as_ref()?,
                data: &base.data,
                ops: &self.ops,
            })
        });
        match base {
            Some(base) => self.walk.visitor.delta(&mut self.local, object, base),
            None => self.walk.visitor.whole(&mut self.local, object),
        }
    }

    /// Whether an entry has to be verified: the zlib stream has a checksum, but not what stands before it (size
    /// and base). The index has one of the whole entry; version 1 has none.
    fn is_suspicious(&self, planned: &Planned, item: &Item<V::Node>) -> bool {
        if item.base.as_ref().is_some_and(|base| base.suspicious) {
            return true;
        }
        let (pack, plan) = (&planned.pack, &planned.plan);
        let (Ok(data), Ok(end)) = (pack.data(), pack.entries_end()) else {
            return true;
        };
        let range =
            plan.offset(item.entry) as usize..plan.next_offset(item.entry, end as u64) as usize;
        plan.crc(pack, item.entry) != data.get(range).map(crc32fast::hash)
    }

    fn verify(&mut self, oid: &Oid, kind: Kind, data: &[u8]) {
        if self.walk.odb.hash().hash(kind, data) != *oid {
            self.stats.unreadable += 1;
            self.walk.visitor.unreadable(
                oid,
                &Error::CorruptObject("its content is not what its id says"),
            );
        }
    }

    /// Takes note of an entry that cannot be decoded, and of all that is made from it.
    fn fail_subtree(&mut self, planned: &Planned, entry: u32, error: Error) {
        let mut error = Some(error);
        let mut pending = vec![entry];
        while let Some(entry) = pending.pop() {
            let error = error
                .take()
                .unwrap_or(Error::CorruptObject("the base of its delta cannot be read"));
            let oid = planned
                .plan
                .oid(&planned.pack, entry)
                .filter(|_| planned.plan.is_wanted(entry));
            if let Some(oid) = oid {
                self.walk.fail(oid, error);
            }
            pending.extend(planned.plan.needed_children(entry));
        }
    }
}
