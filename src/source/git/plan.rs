//! In which order to decode a pack: bases before what is made from them, each once.

use std::path::Path;
use std::sync::{Mutex, OnceLock, PoisonError};

use super::error::{Error, Result};
use super::map::MappedFile;
use super::object::Kind;
use super::oid::{HashKind, Oid};
use super::pack::{Pack, Stored, parse_entry};

/// No entry.
const NONE: u32 = u32::MAX;
/// Let go of mapped pages after this many bytes of the pack.
const RELEASE_BYTES: u64 = 32 << 20;
/// Fewer entries than this are no work for one more thread.
const LEAST_SHARE: usize = 8 << 10;
/// Shares of a thread: some take longer than others.
const SHARES: usize = 8;

/// The entries of a pack as a forest: a delta is a child of its base. Entries are numbered by offset.
pub(super) struct Plan {
    /// Offset in the pack and position in the index of each entry.
    rows: Vec<(u64, u32)>,
    /// The children of entry `n` are `children[first_child[n]..first_child[n + 1]]`. The one with the
    /// largest subtree comes first, the rest is ascending.
    first_child: Vec<u32>,
    children: Vec<u32>,
    flags: Vec<u8>,
    /// Entries without a base in this pack that lead to something needed, ascending.
    pub(super) roots: Vec<u32>,
    /// Index positions of wanted entries that cannot be decoded, with the reason.
    pub(super) broken: Vec<(usize, Error)>,
}

/// The entry itself is to be visited.
const WANTED: u8 = 1;
/// It or something that is made from it is to be visited.
const NEEDED: u8 = 2;
/// A way from a root leads to it.
const REACHED: u8 = 4;

/// What is known of entries while the plan is made.
struct Links {
    /// Base of each entry; [`NONE`] for roots, and for those whose base is in another pack.
    base: Vec<u32>,
    /// Kind of each root; None for deltas, and for roots that are deltas against another pack.
    kind: Vec<Option<Kind>>,
}

impl Links {
    /// Whether each base has a lower number than all that is made from it.
    fn bases_come_first(&self) -> bool {
        self.base.iter().zip(0..).all(|(&base, entry)| base == NONE || base < entry)
    }
}

/// What the header of an entry says.
enum Header {
    /// A whole object of this kind, or (None) a delta against another pack.
    Root(Option<Kind>),
    /// A delta against this entry.
    Delta(u32),
}

/// The headers of a pack's entries, to be read on several threads.
struct Headers<'a> {
    plan: &'a Plan,
    pack: &'a Pack,
    hash: HashKind,
    data: &'a MappedFile,
    /// Where the entries end in `data`.
    end: u64,
    /// Entry numbers by index position, for ref-deltas.
    by_position: OnceLock<Vec<u32>>,
}

/// What one thread finds out of the entries from `first` on.
struct Share<'s> {
    first: usize,
    bases: &'s mut [u32],
    kinds: &'s mut [Option<Kind>],
    flags: &'s mut [u8],
}

impl Headers<'_> {
    /// Reads a share; returns the index positions of what is broken, with the reasons.
    fn read_all(&self, share: Share<'_>) -> Vec<(usize, Error)> {
        let mut broken = Vec::new();
        let mut released = 0;
        for (at, base) in share.bases.iter_mut().enumerate() {
            let (offset, position) = self.plan.rows[share.first + at];
            if offset > released + RELEASE_BYTES {
                released = offset;
                self.data.release();
            }
            match self.read(share.first + at) {
                Ok(Header::Root(kind)) => (share.kinds[at], share.flags[at]) = (kind, REACHED),
                Ok(Header::Delta(of)) => *base = of,
                Err(error) => broken.push((position as usize, error)),
            }
        }
        broken
    }

    fn read(&self, entry: usize) -> Result<Header> {
        let offset = self.plan.rows[entry].0;
        let parsed = parse_entry(self.data, offset, self.hash)?;
        if offset >= self.end {
            return Err(Error::CorruptObject("outside of its pack"));
        }
        let base = match parsed.stored {
            Stored::Whole(kind) => return Ok(Header::Root(Some(kind))),
            Stored::OffsetDelta(base) => self.plan.entry_at(base, entry),
            Stored::RefDelta(base) => match self.pack.idx.find(&base) {
                Some(position) => self.at_position(position),
                None => return Ok(Header::Root(None)), // its base is in another pack
            },
        };
        base.map(Header::Delta).ok_or(Error::CorruptObject("the base of its delta is not in the index"))
    }

    fn at_position(&self, position: usize) -> Option<u32> {
        let by_position =
            self.by_position.get_or_init(|| self.plan.entries_by_position(self.pack.idx.count()));
        by_position.get(position).copied().filter(|&entry| entry != NONE)
    }
}

impl Plan {
    /// Reads the headers of all entries, on so many threads. `wants(position, kind)` says what is to be visited; the
    /// kind is not known where the base is in another pack.
    pub(super) fn new(
        pack: &Pack,
        hash: HashKind,
        threads: usize,
        wants: impl Fn(usize, Option<Kind>) -> bool,
    ) -> Result<Self> {
        let mut plan = Plan {
            rows: Vec::with_capacity(pack.idx.count()),
            first_child: Vec::new(),
            children: Vec::new(),
            flags: Vec::new(),
            roots: Vec::new(),
            broken: Vec::new(),
        };
        for position in 0..pack.idx.count() {
            match pack.idx.offset(position) {
                Some(offset) => plan.rows.push((offset, position as u32)),
                None => plan.broken.push((position, damaged_index(pack.idx.path()))),
            }
        }
        plan.sort_rows(threads);
        let links = plan.read_headers(pack, hash, threads)?;
        plan.link_children(&links);
        plan.mark(links, &wants);
        plan.broken.retain(|(position, _)| wants(*position, None));
        Ok(plan)
    }

    /// Offset of an entry.
    pub(super) fn offset(&self, entry: u32) -> u64 {
        self.rows.get(entry as usize).map_or(0, |row| row.0)
    }

    /// Offset of the next entry, or `end` behind the last one.
    pub(super) fn next_offset(&self, entry: u32, end: u64) -> u64 {
        self.rows.get(entry as usize + 1).map_or(end, |row| row.0)
    }

    /// Id of an entry.
    pub(super) fn oid(&self, pack: &Pack, entry: u32) -> Option<Oid> {
        pack.idx.oid(self.rows.get(entry as usize)?.1 as usize)
    }

    /// The checksum that the index has of an entry.
    pub(super) fn crc(&self, pack: &Pack, entry: u32) -> Option<u32> {
        pack.idx.crc(self.rows.get(entry as usize)?.1 as usize)
    }

    /// Whether the entry is to be visited.
    pub(super) fn is_wanted(&self, entry: u32) -> bool {
        self.flags.get(entry as usize).is_some_and(|flags| flags & WANTED != 0)
    }

    /// What is made from an entry and leads to something needed. The largest subtree comes first.
    pub(super) fn needed_children(&self, entry: u32) -> impl DoubleEndedIterator<Item = u32> {
        let needed = |child: &u32| self.flags.get(*child as usize).is_some_and(|flags| flags & NEEDED != 0);
        self.all_children(entry).iter().copied().filter(needed)
    }

    fn all_children(&self, entry: u32) -> &[u32] {
        let at = |n: usize| self.first_child.get(n).map_or(0, |&first| first as usize);
        self.children.get(at(entry as usize)..at(entry as usize + 1)).unwrap_or_default()
    }

    /// Sorts rows by offset, parts of them by each thread.
    fn sort_rows(&mut self, threads: usize) {
        let size = self.rows.len().div_ceil(threads.max(1)).max(LEAST_SHARE);
        std::thread::scope(|scope| {
            let mut parts = self.rows.chunks_mut(size);
            let first = parts.next();
            parts.for_each(|part| drop(scope.spawn(|| part.sort_unstable())));
            first.into_iter().for_each(<[_]>::sort_unstable);
        });
        // Runs that are sorted are merged.
        self.rows.sort();
    }

    fn read_headers(&mut self, pack: &Pack, hash: HashKind, threads: usize) -> Result<Links> {
        let headers = Headers {
            plan: self,
            pack,
            hash,
            data: pack.data()?,
            end: pack.entries_end()? as u64,
            by_position: OnceLock::new(),
        };
        let count = self.rows.len();
        let mut links = Links { base: vec![NONE; count], kind: vec![None; count] };
        let mut flags = vec![0; count];
        let size = count.div_ceil(threads.max(1) * SHARES).max(LEAST_SHARE);
        let bases = links.base.chunks_mut(size);
        let shares = bases.zip(links.kind.chunks_mut(size)).zip(flags.chunks_mut(size)).enumerate();
        let shares =
            shares.map(|(n, ((bases, kinds), flags))| Share { first: n * size, bases, kinds, flags });
        let queue = Mutex::new(shares);
        let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
        let work = || std::iter::from_fn(next).flat_map(|share| headers.read_all(share)).collect::<Vec<_>>();
        let broken = std::thread::scope(|scope| {
            let workers: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
            let mut broken = work();
            for worker in workers {
                broken.extend(worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
            }
            broken
        });
        self.flags = flags;
        self.broken.extend(broken);
        Ok(links)
    }

    /// The entry at an offset. Bases mostly stand a little before `entry`, so the search starts there.
    fn entry_at(&self, offset: u64, entry: usize) -> Option<u32> {
        let mut step = 1;
        let mut low = entry;
        while low > 0 && self.rows[low].0 > offset {
            low = entry.saturating_sub(step);
            step *= 2;
        }
        let rows = &self.rows[low..entry];
        let at = rows.partition_point(|row| row.0 < offset);
        rows.get(at).filter(|row| row.0 == offset).map(|_| (low + at) as u32)
    }

    fn entries_by_position(&self, count: usize) -> Vec<u32> {
        let mut entries = vec![NONE; count];
        for (entry, row) in self.rows.iter().enumerate() {
            entries[row.1 as usize] = entry as u32;
        }
        entries
    }

    fn link_children(&mut self, links: &Links) {
        let count = self.rows.len();
        self.first_child = vec![0; count + 1];
        for &base in links.base.iter().filter(|&&base| base != NONE) {
            self.first_child[base as usize + 1] += 1;
        }
        for entry in 0..count {
            self.first_child[entry + 1] += self.first_child[entry];
        }
        self.children = vec![0; self.first_child[count] as usize];
        let mut next: Vec<u32> = self.first_child[..count].to_vec();
        for (entry, &base) in links.base.iter().enumerate().filter(|(_, base)| **base != NONE) {
            let slot = &mut next[base as usize];
            self.children[*slot as usize] = entry as u32;
            *slot += 1;
        }
    }

    /// Finds out what is wanted, what is needed for that, and what no way leads to.
    fn mark(&mut self, mut links: Links, wants: &impl Fn(usize, Option<Kind>) -> bool) {
        let entries = 0..self.rows.len() as u32;
        // In the order in which they lie in memory, if that will do: only a delta that names its base by id can stand
        // before it.
        let weight = match links.bases_come_first() {
            true => self.mark_along(entries.clone(), &mut links, wants),
            false => self.mark_along(self.breadth_first(&links).into_iter(), &mut links, wants),
        };
        self.heaviest_first(&weight);
        let is_needed_root = |entry: &u32| self.is_root(*entry, &links) && self.has(*entry, NEEDED);
        self.roots = entries.filter(is_needed_root).collect();
        self.find_unreached(&links);
    }

    /// Marks what is reached, wanted and needed, in an order in which a base comes before what is made from it.
    /// Returns the number of entries in the subtree of each.
    fn mark_along(
        &mut self,
        order: impl DoubleEndedIterator<Item = u32> + Clone,
        links: &mut Links,
        wants: &impl Fn(usize, Option<Kind>) -> bool,
    ) -> Vec<u32> {
        for entry in order.clone() {
            let at = entry as usize;
            let base = links.base[at];
            if base != NONE && self.has(base, REACHED) {
                self.flags[at] |= REACHED;
                links.kind[at] = links.kind[base as usize];
            }
            if self.has(entry, REACHED) && wants(self.rows[at].1 as usize, links.kind[at]) {
                self.flags[at] |= WANTED | NEEDED;
            }
        }
        let mut weight = vec![1u32; self.rows.len()];
        for entry in order.rev() {
            let base = links.base[entry as usize] as usize;
            // A root has no base; what is not reached has no weight for its base.
            let of_base = weight.get(base).copied().filter(|_| self.has(entry, REACHED));
            if let Some(of_base) = of_base {
                weight[base] = of_base.saturating_add(weight[entry as usize]);
                self.flags[base] |= self.flags[entry as usize] & NEEDED;
            }
        }
        weight
    }

    /// All entries that a way from a root leads to.
    fn breadth_first(&self, links: &Links) -> Vec<u32> {
        let roots = (0..self.rows.len() as u32).filter(|&entry| self.is_root(entry, links));
        let mut order: Vec<u32> = roots.collect();
        let mut at = 0;
        while let Some(&entry) = order.get(at) {
            order.extend_from_slice(self.all_children(entry));
            at += 1;
        }
        order
    }

    fn is_root(&self, entry: u32, links: &Links) -> bool {
        links.base[entry as usize] == NONE && self.has(entry, REACHED)
    }

    fn has(&self, entry: u32, flag: u8) -> bool {
        self.flags[entry as usize] & flag != 0
    }

    fn heaviest_first(&mut self, weight: &[u32]) {
        for entry in 0..self.rows.len() {
            let range = self.first_child[entry] as usize..self.first_child[entry + 1] as usize;
            let children = &mut self.children[range];
            let heaviest = (0..children.len()).max_by_key(|&n| weight[children[n] as usize]);
            if let Some(heaviest) = heaviest {
                children[..=heaviest].rotate_right(1);
            }
        }
    }

    /// Deltas that are made from each other in a circle, and those whose base is broken.
    fn find_unreached(&mut self, links: &Links) {
        for (entry, row) in self.rows.iter().enumerate() {
            if self.flags[entry] & REACHED == 0 && links.base[entry] != NONE {
                let error = Error::CorruptObject("its chain of deltas does not start at a whole object");
                self.broken.push((row.1 as usize, error));
            }
        }
    }
}

fn damaged_index(path: &Path) -> Error {
    Error::corrupt(path, "offset is outside of the index")
}

#[cfg(test)]
mod tests;
