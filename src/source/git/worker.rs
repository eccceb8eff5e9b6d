//! One thread's part of a walk: decoding entries and showing them to the visitor.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::buffers::Buffers;
use super::delta::{self, DeltaOp};
use super::error::{Error, Result};
use super::inflate::Inflater;
use super::object::Kind;
use super::oid::Oid;
use super::pack::Stored;
use super::queue::CloseOnPanic;
use super::walk::{DeltaOf, Planned, Visited, Visitor, Walk, WalkStats};

/// Roots that a thread takes at a time.
const ROOTS_AT_ONCE: usize = 8;
/// Let go of mapped pages after this many bytes of packs.
const RELEASE_BYTES: u64 = 48 << 20;

/// An object on the way to what is made from it.
pub(super) struct Base<N> {
    kind: Kind,
    data: Vec<u8>,
    /// None if the object was only decoded, not visited.
    node: Option<N>,
    /// The bytes in the pack, or those of a base, are not the ones that the index knows.
    suspicious: bool,
}

/// An entry to decode.
pub(super) struct Item<N> {
    pub(super) pack: u32,
    pub(super) entry: u32,
    pub(super) base: Option<Arc<Base<N>>>,
}

/// One thread's part of a walk.
pub(super) struct Worker<'w, 'a, V: Visitor> {
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
    pub(super) fn new(walk: &'w Walk<'a, V>) -> Self {
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

    pub(super) fn run(mut self) -> WalkStats {
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

    pub(super) fn end(self) -> WalkStats {
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
            let first = self.walk.next_root.fetch_add(ROOTS_AT_ONCE, Ordering::Relaxed);
            if first >= end || self.walk.visitor.stop() {
                return;
            }
            let numbers = first..(first + ROOTS_AT_ONCE).min(end);
            self.stack.extend(numbers.clone().rev().filter_map(|number| self.walk.root(number)));
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
                    && (item.base.is_some() || walk.visitor.wants_kind(kind));
                let node = oid.filter(|_| visit).map(|oid| {
                    if suspicious || walk.verify {
                        self.verify(&oid, kind, &data);
                    }
                    self.visit(oid, kind, &data, item.base.as_deref())
                });
                self.push_children(planned, &item, Base { kind, data, node, suspicious });
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
        let child = |entry| Item { pack: item.pack, entry, base: Some(Arc::clone(&base)) };
        self.stack.push(child(heaviest));
        self.stack.extend(children.rev().map(child));
    }

    /// Kind and content of an entry.
    fn content(&mut self, planned: &Planned, item: &Item<V::Node>) -> Result<(Kind, Vec<u8>)> {
        let (pack, plan) = (&planned.pack, &planned.plan);
        let offset = plan.offset(item.entry);
        let data = pack.data()?;
        let end = plan.next_offset(item.entry, pack.entries_end()? as u64);
        if self.walk.touched.fetch_add(end.saturating_sub(offset), Ordering::Relaxed) > RELEASE_BYTES {
            self.walk.touched.store(0, Ordering::Relaxed);
            data.release();
        }
        let entry = pack.entry(offset)?;
        let limit = self.walk.odb.limits().max_object;
        if entry.size > limit {
            return Err(Error::TooLarge { size: entry.size, limit });
        }
        let stream = data.get(entry.data_at..end as usize).ok_or(Error::CorruptObject("cut short"))?;
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
        if self.walk.decoded.load(Ordering::Relaxed).saturating_add(size) > self.walk.budget {
            return Err(Error::DeltaBomb { budget: self.walk.budget });
        }
        let mut out = self.buffers.get(size as usize);
        delta::apply(base, &self.delta, limit, &mut out, &mut self.ops)?;
        self.stats.inflated += self.delta.len() as u64;
        self.count(&out);
        Ok(out)
    }

    fn count(&mut self, data: &[u8]) {
        self.stats.bytes += data.len() as u64;
        self.walk.decoded.fetch_add(data.len() as u64, Ordering::Relaxed);
    }

    /// Shows an object to the visitor. With a visited base, `self.ops` say how it is made from it.
    pub(super) fn visit(
        &mut self,
        oid: Oid,
        kind: Kind,
        data: &[u8],
        base: Option<&Base<V::Node>>,
    ) -> V::Node {
        self.stats.objects += 1;
        let object = Visited { oid, kind, data };
        let base = base
            .and_then(|base| Some(DeltaOf { node: base.node.as_ref()?, data: &base.data, ops: &self.ops }));
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
        let range = plan.offset(item.entry) as usize..plan.next_offset(item.entry, end as u64) as usize;
        plan.crc(pack, item.entry) != data.get(range).map(crc32fast::hash)
    }

    pub(super) fn verify(&mut self, oid: &Oid, kind: Kind, data: &[u8]) {
        if self.walk.odb.hash().hash(kind, data) != *oid {
            self.stats.unreadable += 1;
            self.walk.visitor.unreadable(oid, &Error::CorruptObject("its content is not what its id says"));
        }
    }

    /// Takes note of an entry that cannot be decoded, and of all that is made from it.
    fn fail_subtree(&mut self, planned: &Planned, entry: u32, error: Error) {
        let mut error = Some(error);
        let mut pending = vec![entry];
        while let Some(entry) = pending.pop() {
            let error = error.take().unwrap_or(Error::CorruptObject("the base of its delta cannot be read"));
            let oid = planned.plan.oid(&planned.pack, entry).filter(|_| planned.plan.is_wanted(entry));
            if let Some(oid) = oid {
                self.walk.fail(oid, error);
            }
            pending.extend(planned.plan.needed_children(entry));
        }
    }
}
