//! What trees hold, as a cache keeps it: not the trees, but what in them leads to values.
//!
//! Few folders hold any, and those are the same in most commits. Whatever else a tree has is of no concern as long as
//! it holds no value; where it gets one (a file under a new name is judged anew), the cache is
//! [of no use](super::Cache::is_refuted).

use rayon::prelude::*;

use super::Scanned;
use super::format::{Kept, Saved};
use crate::scan::history::oids::{FastMap, FastSet, OidMap, OidSet};
use crate::scan::history::sets::{Holding, ListId, What};
use crate::scan::history::trees::Entry;
use crate::source::git::{Mode, Oid};
use crate::verdict::filekind::FileKind;

/// What goes into a cache, by other numbers than those of the scan.
pub struct Structure {
    /// By the number of a list of entries that hold values, its folder. None where a name with a value in it leads
    /// there.
    pub folders: Vec<Option<u32>>,
    /// Trees that are left out, since a name with a value in it is in them, or leads to values.
    pub speaking: OidSet,
}

/// Numbers names anew, those that are kept.
struct Names<'a> {
    all: &'a [Box<[u8]>],
    /// Those with a value in them, which must not be kept.
    speaking: &'a FastSet<u32>,
    numbers: FastMap<u32, u32>,
    kept: Vec<Box<[u8]>>,
}

impl Names<'_> {
    fn text(&self, name: u32) -> &[u8] {
        self.all.get(name as usize).map_or(&[], |name| name)
    }

    fn is_kept(&self, name: u32) -> bool {
        !self.speaking.contains(&name)
    }

    fn number(&mut self, name: u32) -> u32 {
        let Names { all, numbers, kept, .. } = self;
        *numbers.entry(name).or_insert_with(|| {
            kept.push(all.get(name as usize).cloned().unwrap_or_default());
            kept.len() as u32 - 1
        })
    }
}

/// Adds what trees hold, and the names that these blobs (sorted) have.
pub fn add(saved: &mut Saved, scanned: &Scanned<'_>, blobs: Vec<Oid>) -> Structure {
    let Scanned { names: all, speaking, .. } = *scanned;
    let mut names = Names { all, speaking, numbers: FastMap::default(), kept: Vec::new() };
    let places: OidMap<u32> = blobs.iter().copied().zip(0..).collect();
    saved.namings = namings(scanned, &places, &mut names);
    let (folders, numbers) = folders(scanned, &places, &mut names);
    (saved.folders, saved.names, saved.blobs) = (folders, names.kept, blobs);
    let log = &scanned.taken.trees;
    let is_speaking = |place| scanned.speaking.contains(&log.entry(place).name);
    let is_left_out =
        |tree: &Oid| numbers.get(scanned.holdings.list(tree) as usize).is_none_or(Option::is_none);
    let records = log.records.par_iter();
    let left_out =
        records.filter(|record| log.added_places(record).any(is_speaking) || is_left_out(&record.oid));
    Structure { speaking: left_out.map(|record| record.oid).collect(), folders: numbers }
}

/// The names of blobs: of those that tell the same kind of file, the first; and all that rules may look at.
fn namings(scanned: &Scanned<'_>, places: &OidMap<u32>, names: &mut Names<'_>) -> Vec<Kept> {
    let of_blob = |entry: &Entry| Some((*places.get(&entry.oid)?, entry.name, entry.mode));
    let files = scanned.taken.trees.entries().par_iter().filter(|entry| !entry.mode.is_tree());
    let mut found: Vec<(u32, u32, Mode)> = files.filter_map(of_blob).collect();
    found.retain(|(_, name, _)| names.is_kept(*name));
    found.par_sort_unstable_by_key(|&(blob, name, mode)| (blob, names.text(name), mode.0));
    found.dedup_by_key(|naming| (naming.0, naming.1));
    let mut kinds: Vec<FileKind> = Vec::new();
    let mut last = None;
    let matters: FastSet<u32> = found.iter().map(|naming| naming.1).collect();
    let matters: FastMap<u32, bool> =
        matters.into_par_iter().map(|name| (name, (scanned.may_matter)(names.text(name)))).collect();
    found.retain(|&(blob, name, _)| {
        if last.replace(blob) != Some(blob) {
            kinds.clear();
        }
        let kind = FileKind::from_path(names.text(name));
        let is_new = !kinds.contains(&kind);
        kinds.extend(is_new.then_some(kind));
        is_new || matters.get(&name).copied().unwrap_or(true)
    });
    found.into_iter().map(|(behind, name, mode)| Kept { name: names.number(name), mode, behind }).collect()
}

/// A folder before its names have numbers: the name by the scan's number, the mode, and what is behind it.
type Folder = Vec<(u32, Mode, u32)>;

/// The folders, those without folders in them first, and then in an order that depends on nothing but what is in them;
/// and for each list its folder.
fn folders(
    scanned: &Scanned<'_>,
    blobs: &OidMap<u32>,
    names: &mut Names<'_>,
) -> (Vec<Vec<Kept>>, Vec<Option<u32>>) {
    let lists: Vec<&[Holding]> =
        (0..scanned.holdings.count() as ListId).map(|list| scanned.holdings.in_list(list)).collect();
    let mut folders = vec![Vec::new()];
    let mut numbers: Vec<Option<u32>> = vec![None; lists.len()];
    numbers.first_mut().into_iter().for_each(|none| *none = Some(0));
    for level in levels(&lists, names) {
        let mut level: Vec<(Folder, ListId)> = level
            .into_iter()
            .filter_map(|list| Some((folder(lists[list as usize], blobs, &numbers, names)?, list)))
            .collect();
        let key = |entries: &Folder| -> Vec<(Box<[u8]>, u32, u32)> {
            entries.iter().map(|&(name, mode, behind)| (names.text(name).into(), mode.0, behind)).collect()
        };
        level.sort_by_cached_key(|(folder, _)| key(folder));
        for (folder, list) in level {
            numbers[list as usize] = Some(folders.len() as u32);
            let kept = folder.into_iter().map(|(name, mode, behind)| Kept {
                name: names.number(name),
                mode,
                behind,
            });
            let mut kept: Vec<Kept> = kept.collect();
            kept.sort_by_key(|kept| kept.name);
            folders.push(kept);
        }
    }
    (folders, numbers)
}

/// What a list says in the numbers of a cache, once the folders in it have theirs; in order of names.
fn folder(
    list: &[Holding],
    blobs: &OidMap<u32>,
    numbers: &[Option<u32>],
    names: &Names<'_>,
) -> Option<Folder> {
    let entry = |holding: &Holding| {
        let behind = match holding.what {
            What::Blob(oid) => *blobs.get(&oid)?,
            What::Folder(list) => (*numbers.get(list as usize)?)?,
        };
        Some((holding.name, holding.mode, behind))
    };
    let mut folder: Folder = list.iter().map(entry).collect::<Option<_>>()?;
    folder.sort_by_key(|&(name, mode, behind)| (names.text(name), mode.0, behind));
    Some(folder)
}

/// The lists by how deep they are, without those to which a name leads that is not kept.
fn levels(lists: &[&[Holding]], names: &Names<'_>) -> Vec<Vec<ListId>> {
    let mut levels: Vec<Vec<ListId>> = Vec::new();
    let mut heights: Vec<Option<usize>> = vec![Some(0)];
    for (list, held) in (0..).zip(lists).skip(1) {
        // What is in a list has a lower number.
        let height = |holding: &Holding| match holding.what {
            _ if !names.is_kept(holding.name) => None,
            What::Blob(_) => Some(0),
            What::Folder(list) => heights.get(list as usize).copied()?.map(|height| height + 1),
        };
        let height = held.iter().map(height).try_fold(0, |highest: usize, height| Some(highest.max(height?)));
        heights.push(height);
        if let Some(height) = height {
            levels.resize_with(levels.len().max(height + 1), Vec::new);
            levels[height].push(list);
        }
    }
    levels
}

/// What a cache says that trees hold, as a scan takes it: by the numbers of folders, which are those of lists.
pub fn lists(saved: &Saved) -> Vec<Box<[Holding]>> {
    let holding = |kept: &Kept| {
        let what = match kept.mode.is_tree() {
            true => What::Folder(kept.behind),
            false => What::Blob(*saved.blobs.get(kept.behind as usize)?),
        };
        Some(Holding { name: kept.name, mode: kept.mode, what, set: 0 })
    };
    saved.folders.iter().map(|folder| folder.iter().filter_map(holding).collect()).collect()
}

/// The names that a cache has of blobs, as entries of trees.
pub fn entries(saved: &Saved) -> impl Iterator<Item = Entry> {
    let entry = |kept: &Kept| {
        Some(Entry { name: kept.name, mode: kept.mode, oid: *saved.blobs.get(kept.behind as usize)? })
    };
    saved.namings.iter().filter_map(entry)
}

#[cfg(test)]
mod tests;
