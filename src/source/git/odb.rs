//! The object database: random access to every object of a repository.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::alternates::object_dirs;
use super::cache::BaseCache;
use super::delta;
use super::error::{Error, Result};
use super::inflate::inflate;
use super::loose;
use super::object::Kind;
use super::oid::{HashKind, Oid};
use super::pack::{Entry, Pack, Stored};
use super::pack_list::{PackList, find_in};
use super::packed::Packed;
use super::repo::Repo;

/// Longest chain of deltas that random access follows. git makes none longer than 4095.
const MAX_CHAIN: usize = 100_000;
/// Bytes of recently used delta bases to keep.
const CACHE_BYTES: usize = 32 << 20;

/// What is too much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Largest object to read, in bytes.
    pub max_object: u64,
    /// How many bytes a walk may make of deltas, beside a thousand times the size of the packs.
    pub max_decoded: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { max_object: 1 << 30, max_decoded: 16 << 30 }
    }
}

/// All object folders of a repository. Never uses the network: what is not here is missing.
pub struct Odb {
    hash: HashKind,
    limits: Limits,
    dirs: Vec<PathBuf>,
    absent: Vec<PathBuf>,
    packs: RwLock<PackList>,
    /// Index of the pack that the last object was found in.
    last: AtomicUsize,
    cache: Mutex<BaseCache>,
}

/// A pack that cannot be opened, and why.
pub(super) type UnreadablePack = (Arc<Pack>, Error);

/// Where an object is.
enum Place {
    Packed(Arc<Pack>, u64),
    Loose(Kind, Vec<u8>),
}

/// What a walk down a chain of deltas arrived at.
struct Base {
    kind: Kind,
    data: Arc<Vec<u8>>,
}

impl Odb {
    /// Opens the object folders of a repository, with the default limits.
    pub fn open(repo: &Repo) -> Result<Self> {
        Self::with_limits(repo, Limits::default())
    }

    /// Opens the object folders of a repository.
    pub fn with_limits(repo: &Repo, limits: Limits) -> Result<Self> {
        let (dirs, absent) = object_dirs(repo)?;
        let odb = Odb {
            hash: repo.hash(),
            limits,
            packs: RwLock::new(PackList::default()),
            dirs,
            absent,
            last: AtomicUsize::new(0),
            cache: Mutex::new(BaseCache::new(CACHE_BYTES)),
        };
        odb.refresh();
        Ok(odb)
    }

    /// The hash function of its object ids.
    pub fn hash(&self) -> HashKind {
        self.hash
    }

    /// What it refuses to read.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Object folders that exist, the repository's own first.
    pub(super) fn dirs(&self) -> &[PathBuf] {
        &self.dirs
    }

    /// Object folders that `alternates` name and that are not there.
    pub fn absent_alternates(&self) -> &[PathBuf] {
        &self.absent
    }

    /// The packs known now.
    pub(super) fn packs(&self) -> Vec<Arc<Pack>> {
        self.list().packs.clone()
    }

    /// Packs of which not all objects can be found, and folders of packs and objects that cannot be listed, with
    /// the reason. Complete after a walk.
    pub fn damaged_packs(&self) -> Vec<(PathBuf, String)> {
        let list = self.list();
        list.damaged
            .iter()
            .chain(&list.unreadable)
            .map(|(path, error)| (path.clone(), error.to_string()))
            .collect()
    }

    /// Takes note of a folder that cannot be listed.
    pub(super) fn note_unreadable(&self, dir: &Path, error: Error) {
        self.list_mut().note_unreadable(dir, error);
    }

    /// Checks the indexes of all packs, as a walk does at its beginning: something to be done meanwhile.
    pub fn check_indexes(&self) {
        for pack in self.packs() {
            let _ = pack.idx.is_intact(self.hash);
        }
    }

    /// Opens all packs for a walk: makes indexes for those that have none or a damaged one, and looks again
    /// when some were deleted meanwhile. Returns the packs that can be read, and the others with the reason.
    pub(super) fn open_all_packs(&self) -> (Vec<Arc<Pack>>, Vec<UnreadablePack>) {
        self.refresh();
        self.list_mut().recover(&self.dirs, self.hash, self.limits.max_object);
        loop {
            let (mut readable, mut unreadable) = (Vec::new(), Vec::new());
            for pack in self.packs() {
                match pack.data() {
                    Ok(_) => readable.push(pack),
                    Err(error) => unreadable.push((pack, error)),
                }
            }
            if unreadable.is_empty() || !self.refresh() {
                return (readable, unreadable);
            }
        }
    }

    fn list_mut(&self) -> RwLockWriteGuard<'_, PackList> {
        self.packs.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn list(&self) -> RwLockReadGuard<'_, PackList> {
        self.packs.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// About how many objects there are: copies count, too.
    pub fn object_count(&self) -> u64 {
        let packed: usize = self.list().packs.iter().map(|pack| pack.idx.count()).sum();
        let loose: usize = self.dirs.iter().map(|dir| loose::list(dir, self.hash, |_| {}).len()).sum();
        (packed + loose) as u64
    }

    /// Looks for packs that were added since, by a concurrent `git gc` for example. Returns whether
    /// there are new ones.
    pub fn refresh(&self) -> bool {
        self.list_mut().refresh(&self.dirs, self.hash)
    }

    /// Reads an object. None if it is not there.
    pub fn read(&self, oid: &Oid) -> Result<Option<(Kind, Vec<u8>)>> {
        let place = match self.find(oid)? {
            None if self.refresh() => self.find(oid)?,
            place => place,
        };
        match place {
            None => Ok(None),
            Some(Place::Loose(kind, data)) => Ok(Some((kind, data))),
            Some(Place::Packed(pack, offset)) => {
                self.read_packed(pack, offset).map(Some).or_else(|error| {
                    // Its pack was deleted before it was opened, or is damaged: there may be another copy.
                    self.refresh();
                    self.read_elsewhere(oid).ok().flatten().map_or(Err(error), |object| Ok(Some(object)))
                })
            }
        }
    }

    /// Reads an object that must be there and of this kind.
    pub fn read_kind(&self, oid: &Oid, kind: Kind) -> Result<Vec<u8>> {
        match self.read(oid)? {
            None => Err(Error::Missing(*oid)),
            Some((found, data)) if found == kind => Ok(data),
            Some(_) => Err(Error::WrongKind { oid: *oid, expected: kind.name() }),
        }
    }

    /// Whether the object is there. It may still be damaged.
    pub fn contains(&self, oid: &Oid) -> bool {
        self.find_packed(oid).is_some() || self.dirs.iter().any(|dir| loose::path(dir, oid).is_file())
    }

    /// The ids of all objects in packs.
    pub fn packed(&self) -> Packed {
        let packs = self.packs();
        let about = packs.iter().map(|pack| pack.idx.count()).sum();
        let ids = packs.iter().flat_map(|pack| (0..).map_while(move |position| pack.idx.oid(position)));
        Packed::of(ids, about)
    }

    /// All ids that start with these lower-case hexadecimal digits (at least four), sorted.
    pub fn with_prefix(&self, prefix: &str) -> Vec<Oid> {
        let low = format!("{prefix:0<width$}", width = self.hash.hex_len());
        let Some(low) = Oid::from_hex(low.as_bytes()).filter(|_| prefix.len() >= 4) else {
            return Vec::new();
        };
        let mut found: Vec<Oid> = self.dirs.iter().flat_map(|dir| loose::with_prefix(dir, prefix)).collect();
        for pack in &self.list().packs {
            let oids = pack.idx.at_or_after(&low).map_while(|pos| pack.idx.oid(pos));
            found.extend(oids.take_while(|oid| oid.to_hex().starts_with(prefix)));
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    fn find(&self, oid: &Oid) -> Result<Option<Place>> {
        if let Some((pack, offset)) = self.find_packed(oid) {
            return Ok(Some(Place::Packed(pack, offset)));
        }
        for dir in &self.dirs {
            if let Some((kind, data)) = loose::read(dir, oid, self.limits.max_object)? {
                return Ok(Some(Place::Loose(kind, data)));
            }
        }
        Ok(None)
    }

    fn find_packed(&self, oid: &Oid) -> Option<(Arc<Pack>, u64)> {
        let (number, pack, offset) = self.list().find(oid, self.last.load(Ordering::Relaxed))?;
        if let Some(number) = number {
            self.last.store(number, Ordering::Relaxed);
        }
        Some((pack, offset))
    }

    /// Tries every copy of an object, whatever pack it is in.
    fn read_elsewhere(&self, oid: &Oid) -> Result<Option<(Kind, Vec<u8>)>> {
        let mut failure = None;
        for pack in self.packs() {
            let Some((pack, offset)) = find_in(&pack, oid) else {
                continue;
            };
            match self.read_packed(pack, offset) {
                Ok(object) => return Ok(Some(object)),
                Err(error) => failure = Some(error),
            }
        }
        for dir in &self.dirs {
            if let Some(object) = loose::read(dir, oid, self.limits.max_object)? {
                return Ok(Some(object));
            }
        }
        failure.map_or(Ok(None), Err)
    }

    /// Reads the entry at an offset: down its chain of deltas to a whole object, and up again.
    fn read_packed(&self, mut pack: Arc<Pack>, mut offset: u64) -> Result<(Kind, Vec<u8>)> {
        let mut chain: Vec<(Arc<Pack>, u64, Entry)> = Vec::new();
        let base = loop {
            if chain.len() > MAX_CHAIN {
                return Err(Error::CorruptObject("chain of deltas does not end"));
            }
            if !chain.is_empty()
                && let Some((kind, data)) = self.cached(&pack, offset)
            {
                break Base { kind, data };
            }
            let entry = pack.entry(offset)?;
            let (next, next_offset) = match entry.stored {
                Stored::Whole(kind) => {
                    let data = self.inflate(&pack, &entry)?;
                    if chain.is_empty() {
                        return Ok((kind, data));
                    }
                    break self.keep(&pack, offset, kind, data);
                }
                Stored::OffsetDelta(base) => (Arc::clone(&pack), base),
                Stored::RefDelta(base) => match self.find_base(&pack, &base)? {
                    Place::Packed(pack, offset) => (pack, offset),
                    Place::Loose(kind, data) => {
                        chain.push((pack, offset, entry));
                        break Base { kind, data: Arc::new(data) };
                    }
                },
            };
            chain.push((std::mem::replace(&mut pack, next), offset, entry));
            offset = next_offset;
        };
        self.apply_chain(base, chain)
    }

    fn apply_chain(
        &self,
        mut base: Base,
        mut chain: Vec<(Arc<Pack>, u64, Entry)>,
    ) -> Result<(Kind, Vec<u8>)> {
        let mut ops = Vec::new();
        while let Some((pack, offset, entry)) = chain.pop() {
            let delta = self.inflate(&pack, &entry)?;
            let mut data = Vec::new();
            delta::apply(&base.data, &delta, self.limits.max_object, &mut data, &mut ops)?;
            if chain.is_empty() {
                return Ok((base.kind, data));
            }
            base = self.keep(&pack, offset, base.kind, data);
        }
        Err(Error::CorruptObject("empty chain of deltas")) // read_packed never asks for one
    }

    /// The base of a ref-delta: in the same pack as a rule, elsewhere if the pack is thin.
    fn find_base(&self, pack: &Arc<Pack>, oid: &Oid) -> Result<Place> {
        match find_in(pack, oid) {
            Some((pack, offset)) => Ok(Place::Packed(pack, offset)),
            None => self.find(oid)?.ok_or(Error::Missing(*oid)),
        }
    }

    fn inflate(&self, pack: &Pack, entry: &Entry) -> Result<Vec<u8>> {
        let limit = self.limits.max_object;
        if entry.size > limit {
            return Err(Error::TooLarge { size: entry.size, limit });
        }
        inflate(pack.stream(entry)?, entry.size)
    }

    fn cached(&self, pack: &Pack, offset: u64) -> Option<(Kind, Arc<Vec<u8>>)> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner).get((pack.id, offset))
    }

    fn keep(&self, pack: &Pack, offset: u64, kind: Kind, data: Vec<u8>) -> Base {
        let data = Arc::new(data);
        self.cache.lock().unwrap_or_else(PoisonError::into_inner).put((pack.id, offset), kind, &data);
        Base { kind, data }
    }
}
