//! The packs of all object folders, and their multi-pack indexes.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::error::{Error, Result};
use super::idx::Idx;
use super::midx::Midx;
use super::oid::{HashKind, Oid};
use super::pack::Pack;
use super::recover;
use super::repo::is_absent;

/// The packs that are known. A pack that git deletes stays readable if it is open.
#[derive(Default)]
pub(super) struct PackList {
    pub(super) packs: Vec<Arc<Pack>>,
    midxs: Vec<MappedMidx>,
    /// Indexes that cannot be used, and packs of which not all can be found without one.
    pub(super) damaged: Vec<(PathBuf, Error)>,
    /// Folders that cannot be listed.
    pub(super) unreadable: Vec<(PathBuf, Error)>,
    /// Number of the next pack. Packs may leave the list, so its length will not do.
    next_id: u32,
    /// For each object folder, when its `pack` folder was last changed, as seen before it was read.
    seen: HashMap<PathBuf, SystemTime>,
}

/// A multi-pack index with its packs, by their numbers there.
struct MappedMidx {
    midx: Midx,
    packs: Vec<Option<Arc<Pack>>>,
}

/// A folder that was changed within so much time may change again without a new time stamp.
const TIMESTAMP_STEP: Duration = Duration::from_millis(100);

impl PackList {
    /// Looks for packs in the object folders that were changed since they were last read. Returns whether
    /// there are new ones.
    pub(super) fn refresh(&mut self, dirs: &[PathBuf], hash: HashKind) -> bool {
        let known = self.packs.len();
        for dir in dirs {
            let dir = dir.join("pack");
            let Ok(changed) = fs::metadata(&dir).and_then(|meta| meta.modified()) else { continue };
            if self.seen.get(&dir) == Some(&changed) {
                continue;
            }
            if let Err(error) = self.add_dir(&dir, hash) {
                self.note_unreadable(&dir, error);
            }
            if changed.elapsed().is_ok_and(|age| age > TIMESTAMP_STEP) {
                self.seen.insert(dir, changed);
            }
        }
        self.packs.len() > known
    }

    pub(super) fn note_unreadable(&mut self, dir: &Path, error: Error) {
        let reason = error.to_string();
        if !self.unreadable.iter().any(|(path, known)| path == dir && known.to_string() == reason) {
            self.unreadable.push((dir.to_owned(), error));
        }
    }

    /// The pack that holds an object, its number in the list if it was searched for there, and the offset.
    pub(super) fn find(&self, oid: &Oid, try_first: usize) -> Option<(Option<usize>, Arc<Pack>, u64)> {
        let in_pack = |n: usize| {
            let (pack, offset) = find_in(self.packs.get(n)?, oid)?;
            Some((Some(n), pack, offset))
        };
        let in_midx = |midx: &MappedMidx| midx.find(oid).map(|(pack, offset)| (None, pack, offset));
        in_pack(try_first)
            .or_else(|| self.midxs.iter().find_map(in_midx))
            .or_else(|| (0..self.packs.len()).find_map(in_pack))
    }

    /// Makes indexes for packs that have none or a damaged one.
    pub(super) fn recover(&mut self, dirs: &[PathBuf], hash: HashKind, limit: u64) {
        self.set_aside_damaged(hash);
        let mut lost: Vec<PathBuf> =
            self.damaged.drain(..).map(|(path, _)| path.with_extension("idx")).collect();
        for dir in dirs {
            // A folder that cannot be listed was noted when it was read for indexes.
            lost.extend(packs_without_index(&dir.join("pack")).unwrap_or_default());
        }
        lost.sort_unstable();
        lost.dedup();
        lost.retain(|path| !self.packs.iter().any(|pack| pack.idx.path() == path && pack.is_complete));
        for idx_path in lost {
            self.packs.retain(|pack| pack.idx.path() != idx_path);
            self.recover_pack(&idx_path, hash, limit);
        }
    }

    fn recover_pack(&mut self, idx_path: &Path, hash: HashKind, limit: u64) {
        let pack_path = idx_path.with_extension("pack");
        let recovered = recover::index_of(&pack_path, hash, limit)
            .and_then(|found| Ok((Idx::made(found.index, idx_path, hash)?, found.complete)));
        match recovered {
            Ok((idx, complete)) => {
                let mut pack = Pack::with_index(idx, self.new_id(), hash);
                pack.is_complete = complete;
                self.packs.push(Arc::new(pack));
                if !complete {
                    let reason = "its index is damaged or missing, and not all of its objects can be found";
                    self.damaged.push((pack_path.clone(), Error::corrupt(&pack_path, reason)));
                }
            }
            Err(Error::Io { source, .. }) if is_absent(&source) => {} // deleted meanwhile
            Err(error) => self.damaged.push((pack_path, error)),
        }
    }

    fn new_id(&mut self) -> u32 {
        self.next_id += 1;
        self.next_id
    }

    /// Takes packs from the list whose index is not what git wrote: it may hide objects.
    fn set_aside_damaged(&mut self, hash: HashKind) {
        let is_intact = |pack: &Arc<Pack>| pack.idx.is_intact(hash);
        let (intact, damaged): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.packs).into_iter().partition(is_intact);
        self.packs = intact;
        for pack in damaged {
            let path = pack.idx.path().to_owned();
            let error = Error::corrupt(&path, "checksum of the pack index is wrong");
            self.damaged.push((path, error));
        }
    }

    fn add_dir(&mut self, dir: &Path, hash: HashKind) -> Result<()> {
        let names = files_with_extension(dir, "idx")?;
        self.damaged.retain(|(path, _)| !names.contains(path)); // they are tried again
        for path in names {
            if self.packs.iter().any(|pack| pack.idx.path() == path) {
                continue;
            }
            match Pack::open(&path, self.new_id(), hash) {
                Ok(pack) => self.packs.push(Arc::new(pack)),
                Err(Error::Io { source, .. }) if is_absent(&source) => {} // deleted meanwhile
                Err(error) => self.damaged.push((path, error)),
            }
        }
        let by_name = |name: &String| {
            self.packs.iter().find(|pack| pack.path().parent() == Some(dir) && pack.stem() == name).cloned()
        };
        let midxs: Vec<MappedMidx> = Midx::open_all(dir, hash)
            .into_iter()
            .map(|midx| MappedMidx { packs: midx.packs().iter().map(by_name).collect(), midx })
            .collect();
        self.midxs.extend(midxs);
        Ok(())
    }
}

/// The offset of an object in a pack.
pub(super) fn find_in(pack: &Arc<Pack>, oid: &Oid) -> Option<(Arc<Pack>, u64)> {
    let offset = pack.idx.offset(pack.idx.find(oid)?)?;
    Some((Arc::clone(pack), offset))
}

impl MappedMidx {
    fn find(&self, oid: &Oid) -> Option<(Arc<Pack>, u64)> {
        let (pack, offset) = self.midx.find(oid)?;
        Some((Arc::clone(self.packs.get(pack)?.as_ref()?), offset))
    }
}

/// Where the indexes of packs would be that have none. (git writes the index last: one may appear soon.)
fn packs_without_index(dir: &Path) -> Result<Vec<PathBuf>> {
    let packs = files_with_extension(dir, "pack")?.into_iter();
    Ok(packs.map(|pack| pack.with_extension("idx")).filter(|idx| !idx.exists()).collect())
}

/// Files of a folder, sorted, so that the order is the same in every run. None if there is no folder.
fn files_with_extension(dir: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    let names = match fs::read_dir(dir) {
        Ok(names) => names,
        Err(e) if is_absent(&e) => return Ok(Vec::new()),
        Err(e) => return Err(Error::io(dir, e)),
    };
    let mut found = Vec::new();
    for name in names {
        let path = name.map_err(|e| Error::io(dir, e))?.path();
        found.extend(Some(path).filter(|path| path.extension().is_some_and(|found| found == extension)));
    }
    found.sort_unstable();
    Ok(found)
}
