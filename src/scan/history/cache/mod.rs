//! What an earlier scan of the same repository by the same rules found to hold nothing.
//!
//! Known are: blobs without values, with the kinds of file for which that was judged (as another kind of file, a
//! blob's candidates may be secrets); and, if that scan read everything, commits and tags whose text is clean,
//! and trees, with what attribution needs of them ([`structure`]); then also which values other blobs hold, by naming
//! others that hold the same ([`held`]). Not known, and so scanned again, are those few, trees that have a name with a
//! value in it, messages with a value, and what was not read whole. So the report is the same with a
//! cache as without, and no value is in the file, nor the id of a blob that holds one: it could be guessed from.
//!
//! A cache that was made when objects were there which are gone from the repository, known or not, is of no use: what it
//! says of others could be out of date.

mod format;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod held;
mod lists;
mod objects;
mod structure;
mod veil;

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest, Sha256};

use super::oids::{FastSet, OidMap, OidSet};
use super::sets::{Before, Holdings, ListId, SetId};
use super::sightings::{Sighting, Sightings};
use super::trees::TreeLog;
use super::values::{self, Values};
use super::visit::{CommitRecord, Taken, TextRecord};
use crate::beside;
use crate::rules::RuleIndex;
use crate::scan::Engine;
use crate::source::git::{HashKind, Kind, Odb, Oid, Repo};
use crate::source::open;
use crate::verdict::filekind::FileKind;

use format::{ANY_KIND, Held, KindId, Known, NO_BLOB, Saved};
pub use held::Recalled;
use lists::Lists;
use objects::Objects;
use veil::Veil;

/// Larger files are not read, and not written.
const MAX_BYTES: u64 = 1 << 30;
/// Changes when the engine may find something else by the same rules.
const ENGINE: &str = concat!(env!("CARGO_PKG_VERSION"), "/4");

/// What a cache says, and which of it was made use of.
#[derive(Debug)]
pub struct Cache {
    path: PathBuf,
    key: [u8; 32],
    hash: HashKind,
    saved: Saved,
    /// The places of blobs, and behind them of others, that are not among the known objects.
    places: OidMap<u32>,
    /// For each of these blobs, its place among those that need no scan.
    held: Vec<Option<u32>>,
    /// A bit for each known object that was passed over, and then for each of the others that is there.
    passed: Vec<AtomicU64>,
    /// Whether there is something to write.
    is_renewed: bool,
}

/// What a cache was good for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CacheFacts {
    /// Objects that were not scanned because they are known to hold nothing.
    pub passed: u64,
    /// Why it was not read or not written.
    pub problems: Vec<String>,
}

/// What a scan tells a cache in the end.
pub struct Scanned<'a> {
    /// What was taken from the objects.
    pub taken: &'a Taken,
    /// All commits.
    pub commits: &'a [CommitRecord],
    /// The values.
    pub values: &'a Values,
    /// All sightings, by their numbers.
    pub sightings: &'a [Option<Sighting>],
    /// Whether a rule looks at the names of files.
    pub looks_at_names: &'a (dyn Fn(RuleIndex) -> bool + Sync),
    /// Whether such a rule may mean files of this name.
    pub may_matter: &'a (dyn Fn(&[u8]) -> bool + Sync),
    /// What trees hold.
    pub holdings: &'a Holdings,
    /// Names of entries of trees.
    pub names: &'a [Box<[u8]>],
    /// Those in which there is a value.
    pub speaking: &'a FastSet<u32>,
    /// Whether every object was there and could be read.
    pub is_whole: bool,
    /// Number of objects that were visited.
    pub visited: u64,
}

impl Scanned<'_> {
    /// Whether a text has a candidate of a rule that looks at names.
    fn is_of_names(&self, text: &TextRecord) -> bool {
        let rule = |&mark: &u32| self.sightings.get(mark as usize)?.as_ref().map(|sighting| sighting.rule);
        self.taken.marks_of(text).iter().filter_map(rule).any(self.looks_at_names)
    }
}

/// Why a cache is of no use.
#[derive(Debug, thiserror::Error)]
enum Unfit {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("it is damaged")]
    Damaged,
    #[error("it is no cache of stanch")]
    Foreign,
    #[error("a newer version of stanch wrote it")]
    Newer,
    #[error("it was made by other rules, with other options or of another repository")]
    Other,
    #[error("it is too large")]
    TooLarge,
    #[error("objects that it knows are gone")]
    Gone,
}

impl Cache {
    /// Reads the cache of this repository, rule set and options in a folder. What is of no use is told in
    /// `facts`, and the scan begins from nothing.
    pub fn open(folder: &Path, engine: &Engine, repo: &Repo, odb: &Odb, facts: &mut CacheFacts) -> Self {
        let key = key(engine, repo);
        let name = data_encoding::HEXLOWER.encode(key.get(..16).unwrap_or_default());
        let path = folder.join(format!("{name}.bin"));
        let mut cache = Cache::with(path, key, repo.hash(), Saved::nothing(repo.hash()));
        match cache.read(odb) {
            Ok(()) | Err(Unfit::Gone) => {}
            Err(Unfit::Io(error)) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                facts.problems.push(format!("the cache {} is ignored: {error}", cache.path.display()));
            }
        }
        cache.index();
        cache
    }

    /// A cache that says this, before it is [indexed](Self::index).
    fn with(path: PathBuf, key: [u8; 32], hash: HashKind, saved: Saved) -> Self {
        let (places, held, passed) = (OidMap::default(), Vec::new(), Vec::new());
        Cache { path, key, hash, saved, places, held, passed, is_renewed: false }
    }

    fn read(&mut self, odb: &Odb) -> Result<(), Unfit> {
        let file = open::regular(&self.path)?;
        let mut bytes = Vec::with_capacity(file.metadata()?.len().min(MAX_BYTES) as usize + 1);
        file.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > MAX_BYTES {
            return Err(Unfit::TooLarge);
        }
        self.saved = format::read(&bytes, &self.key, self.hash, |commits| Veil::of(odb, commits))?;
        Ok(())
    }

    /// Prepares looking objects up.
    fn index(&mut self) {
        self.passed = (0..self.bits().div_ceil(64)).map(|_| AtomicU64::new(0)).collect();
        self.places = self.saved.blobs.iter().chain(&self.saved.others).copied().zip(0..).collect();
        self.held = vec![None; self.saved.blobs.len()];
        for (held, at) in self.saved.held.iter().zip(0..) {
            if let Some(place) = self.held.get_mut(held.blob as usize) {
                *place = Some(at);
            }
        }
    }

    /// How many objects were there, those that are scanned every time included.
    fn bits(&self) -> usize {
        self.saved.objects.len() + self.saved.blobs.len() + self.saved.others.len()
    }

    /// Forgets everything.
    pub fn forget(&mut self) {
        self.saved = Saved::nothing(self.hash);
        self.index();
    }

    /// What need not be taken from the objects again: given once.
    pub fn take(&mut self) -> Taken {
        let mut taken = Taken { commits: std::mem::take(&mut self.saved.commits), ..Taken::default() };
        taken.trees.add_loose(structure::entries(&self.saved));
        taken
    }

    /// What the known trees hold.
    pub fn before(&self) -> Before {
        let objects = self.saved.objects.clone();
        let list_of = move |tree: &Oid| {
            let known = objects.place(tree).and_then(|at| objects.get(at));
            known.filter(|known| known.list == NO_BLOB).map_or(0, |known| known.size as ListId)
        };
        Before { lists: structure::lists(&self.saved), list_of: Box::new(list_of) }
    }

    /// Whether one of these blobs with values is known to have none: then what is known of trees is not right either.
    pub fn is_refuted(&self, blobs: &OidMap<SetId>) -> bool {
        let has_none = |bit: usize| match bit.checked_sub(self.saved.objects.len()) {
            Some(other) => self.saved.unvalued.binary_search(&(other as u32)).is_ok(),
            None => true,
        };
        blobs.keys().filter_map(|oid| self.bit(oid)).any(has_none)
    }

    /// Names of entries of trees, by their numbers. There are no values in them.
    pub fn names(&self) -> &[Box<[u8]>] {
        &self.saved.names
    }

    /// Whether commits and trees are known, not only blobs.
    pub fn has_structure(&self) -> bool {
        self.saved.has_structure
    }

    /// Whether an object is known.
    pub fn knows(&self, oid: &Oid) -> bool {
        self.bit(oid).is_some()
    }

    /// Whether an object needs no scan. It counts as there, and if so as passed over.
    pub fn passes(&self, oid: &Oid) -> bool {
        let Some(at) = self.bit(oid) else { return false };
        if let Some(word) = self.passed.get(at / 64) {
            word.fetch_or(1 << (at % 64), Ordering::Relaxed);
        }
        at < self.saved.objects.len() || self.held_at(at).is_some()
    }

    /// The number of the bit in `passed` of an object.
    fn bit(&self, oid: &Oid) -> Option<usize> {
        let other = || Some(self.saved.objects.len() + *self.places.get(oid)? as usize);
        self.saved.objects.place(oid).or_else(other)
    }

    /// The blob with values that has this bit, if it needs no scan.
    fn held_at(&self, bit: usize) -> Option<&Held> {
        let held = *self.held.get(bit.checked_sub(self.saved.objects.len())?)?;
        self.saved.held.get(held? as usize)
    }

    /// What is known of the blobs with values that were passed over. None when it cannot be relied on.
    pub fn recall(&self, sightings: &Sightings) -> Option<Recalled> {
        held::recall(&self.saved, self.passed_held(), sightings)
    }

    fn is_passed(&self, at: usize) -> bool {
        self.passed.get(at / 64).is_some_and(|word| word.load(Ordering::Relaxed) >> (at % 64) & 1 != 0)
    }

    fn passed(&self) -> impl Iterator<Item = Known> {
        (0..self.saved.objects.len())
            .filter(|&at| self.is_passed(at))
            .filter_map(|at| self.saved.objects.get(at))
    }

    /// The blobs with values that were passed over.
    fn passed_held(&self) -> impl Iterator<Item = &Held> {
        let first = self.saved.objects.len();
        self.saved.held.iter().filter(move |held| self.is_passed(first + held.blob as usize))
    }

    /// Whether all objects are still there that were: known ones were passed over, others seen.
    pub fn is_all_there(&self) -> bool {
        (0..self.bits()).all(|at| self.is_passed(at))
    }

    /// Number of objects that were passed over; number and bytes of the blobs among them.
    pub fn totals(&self) -> (u64, u64, u64) {
        let known = self.passed().map(|known| (known.list != NO_BLOB, known.size));
        let all = known.chain(self.passed_held().map(|held| (true, held.size)));
        all.fold((0, 0, 0), |(objects, blobs, bytes), (is_blob, size)| match is_blob {
            false => (objects + 1, blobs, bytes),
            true => (objects + 1, blobs + 1, bytes.saturating_add(size)),
        })
    }

    /// Takes back blobs that were passed over and are, in these trees, files of a kind that they were not judged
    /// as. They must be scanned.
    pub fn take_back(&self, trees: &TreeLog, names: &[Box<[u8]>]) -> Vec<Oid> {
        let judged = self.passed().filter(|known| !matches!(known.list, ANY_KIND | NO_BLOB));
        let held = self.passed_held().filter_map(|held| self.saved.blob(held));
        let kinds = kinds_of(judged.map(|known| known.oid).chain(held), trees, names);
        let mut back: Vec<Oid> = Vec::new();
        // Of others the log says nothing: they have no new name.
        for (oid, kinds) in kinds.into_iter().filter(|(_, kinds)| !kinds.is_empty()) {
            let Some(at) = self.bit(&oid) else { continue };
            let list = match self.saved.objects.get(at) {
                Some(known) => Some(known.list),
                None => self.held_at(at).map(|held| held.list),
            };
            let known = list.and_then(|list| self.saved.lists.get(list as usize));
            if !known.is_some_and(|known| kinds.iter().all(|kind| known.contains(kind))) {
                if let Some(word) = self.passed.get(at / 64) {
                    word.fetch_and(!(1 << (at % 64)), Ordering::Relaxed);
                }
                back.push(oid);
            }
        }
        back.sort_unstable();
        back
    }

    /// Whether a scan that visited so many objects learnt nothing new: they are those that were left to scan, and none
    /// was taken back.
    fn is_up_to_date(&self, visited: u64) -> bool {
        self.saved.left() == visited && self.is_all_there() && self.has_structure()
    }

    /// What is known after a scan: what was passed over, and what was taken.
    pub fn renew(&mut self, odb: &Odb, scanned: &Scanned<'_>) {
        if self.is_up_to_date(scanned.visited) {
            return;
        }
        let Scanned { taken, commits, values, names, .. } = *scanned;
        let mut objects: Vec<Known> = self.passed().collect();
        let with_candidates: OidSet = taken.texts.iter().map(|text| text.oid).collect();
        let speaking: OidSet = values.messages.iter().map(|(oid, ..)| *oid).collect();
        let mut lists = Lists::of(self.saved.lists.clone());
        let mut kinds = kinds_of(with_candidates.iter().copied(), &taken.trees, names);
        kinds.iter_mut().for_each(|(oid, kinds)| self.complete(oid, kinds));
        let sizes = self.sizes(taken);
        let blobs = not_known(scanned, &sizes);
        add_blobs(&mut objects, taken, &blobs, &with_candidates, &kinds, &mut lists);
        let mut saved = Saved::nothing(self.hash);
        let is_clean = |oid: &Oid| !speaking.contains(oid);
        if scanned.is_whole {
            saved.commits.extend(commits.iter().filter(|commit| is_clean(&commit.oid)).cloned());
            saved.veil = Veil::of(odb, &saved.commits);
        }
        // Without a veil, nothing can be said of what holds values.
        saved.has_structure = saved.veil.is_some();
        if saved.has_structure {
            let no_value = |(_, oid): &(u32, &Oid)| !values.blobs.contains_key(*oid);
            saved.unvalued = (0..).zip(&blobs).filter(no_value).map(|(place, _)| place).collect();
            let structure = structure::add(&mut saved, scanned, blobs);
            let known = |oid: &Oid, size| Known { oid: *oid, size, list: NO_BLOB };
            let folder =
                |list: ListId| structure.folders.get(list as usize).copied().flatten().map(u64::from);
            saved.others = structure.speaking.iter().chain(&speaking).copied().collect();
            // What was known of trees has other numbers now.
            objects.retain_mut(|known| {
                let of_tree = || folder(known.size as ListId);
                let size = if known.list == NO_BLOB { of_tree() } else { Some(known.size) };
                match size {
                    Some(size) => known.size = size,
                    None => saved.others.push(known.oid),
                }
                size.is_some()
            });
            saved.others.sort_unstable();
            saved.others.dedup();
            let trees = taken.trees.records.iter().map(|record| &record.oid);
            let trees = trees.filter_map(|tree| Some(known(tree, folder(scanned.holdings.list(tree))?)));
            objects.extend(trees);
            objects.extend(saved.commits.iter().map(|commit| known(&commit.oid, 0)));
            objects.extend(taken.tags.iter().filter(|tag| is_clean(tag)).map(|tag| known(tag, 0)));
            objects.retain(|known| !structure.speaking.contains(&known.oid));
            held::add(&mut saved, scanned, &sizes, &kinds, &mut lists);
        } else {
            saved.commits.clear();
            objects.retain(|known| known.list != NO_BLOB);
        }
        objects.sort_unstable_by_key(|known| known.oid);
        objects.dedup_by_key(|known| known.oid);
        (saved.objects, saved.lists) = (Arc::new(Objects::of(&objects, self.hash)), lists.into_all());
        self.saved = saved;
        self.is_renewed = self.saved.size(self.hash) <= MAX_BYTES as usize;
    }

    /// The sizes of blobs that were read whole.
    fn sizes(&self, taken: &Taken) -> OidMap<u64> {
        let held = self.passed_held().filter_map(|held| Some((self.saved.blob(held)?, held.size)));
        taken.complete.iter().copied().chain(held).collect()
    }

    /// Adds the kinds of file that a blob was known to be before; sorted, and never none.
    fn complete(&self, oid: &Oid, kinds: &mut Vec<KindId>) {
        let known =
            self.saved.objects.place(oid).and_then(|at| self.saved.objects.get(at)).map(|known| known.list);
        let held = || Some(self.held_at(self.bit(oid)?)?.list);
        let list = known.or_else(held).and_then(|list| self.saved.lists.get(list as usize));
        kinds.extend(list.into_iter().flatten());
        kinds.extend(kinds.is_empty().then(|| number(FileKind::UNKNOWN)));
        kinds.sort_unstable();
        kinds.dedup();
    }

    /// Writes what is known, if that is more than before: the file is there whole or not at all, and only its
    /// owner can read it.
    pub fn write(&self, facts: &mut CacheFacts) {
        if !self.is_renewed {
            return;
        }
        if let Err(error) = self.try_write() {
            facts.problems.push(format!("the cache {} is not written: {error}", self.path.display()));
        }
    }

    fn try_write(&self) -> io::Result<()> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder)?;
        let mut file = beside::file_in(folder, 0o600)?;
        file.write_all(&format::write(&self.saved, &self.key, self.hash))?;
        file.as_file().sync_data()?;
        file.persist(&self.path)?;
        Ok(())
    }
}

/// Adds the blobs that are known: all that were read whole but for these, which are not. `kinds` are those of all blobs
/// with candidates.
fn add_blobs(
    objects: &mut Vec<Known>,
    taken: &Taken,
    not_known: &[Oid],
    with_candidates: &OidSet,
    kinds: &OidMap<Vec<KindId>>,
    lists: &mut Lists,
) {
    // In the order of ids, so that lists get the same numbers whatever threads found.
    let mut whole = taken.complete.clone();
    whole.sort_unstable_by_key(|blob| blob.0);
    whole.retain(|(oid, _)| not_known.binary_search(oid).is_err());
    for (oid, size) in whole {
        let list = match (with_candidates.contains(&oid), kinds.get(&oid)) {
            (false, _) => ANY_KIND,
            (true, None) => continue,
            (true, Some(kinds)) => lists.number(kinds.clone()),
        };
        objects.push(Known { oid, size, list });
    }
}

/// Everything that decides on what a scan finds in a blob, and whose blobs they are.
fn key(engine: &Engine, repo: &Repo) -> [u8; 32] {
    let options = engine.options();
    let folder = repo.common_dir();
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let scanned = (options.decode, options.archives, options.limits, options.min_confidence);
    let scanned = format!("{scanned:?} {:?}", repo.hash());
    let parts: [&[u8]; 4] = [
        ENGINE.as_bytes(),
        engine.matcher().rules().hash().as_bytes(),
        scanned.as_bytes(),
        folder.as_os_str().as_encoded_bytes(),
    ];
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// The blobs that are not among the known objects: those with values, those that were not read whole, and those with
/// candidates of rules that look at names, which are needed the next time. Sorted.
fn not_known(scanned: &Scanned<'_>, sizes: &OidMap<u64>) -> Vec<Oid> {
    let Scanned { taken, values, .. } = *scanned;
    let texts = taken.texts.iter().filter(|text| text.kind == Kind::Blob);
    let mut blobs: Vec<Oid> = texts
        .filter(|text| {
            values.blobs.contains_key(&text.oid)
                || !sizes.contains_key(&text.oid)
                || scanned.is_of_names(text)
        })
        .map(|text| text.oid)
        .chain(taken.incomplete.iter().copied())
        .collect();
    blobs.sort_unstable();
    blobs.dedup();
    blobs
}

/// The numbers of the kinds of file that these blobs are in any tree.
fn kinds_of(blobs: impl Iterator<Item = Oid>, trees: &TreeLog, names: &[Box<[u8]>]) -> OidMap<Vec<KindId>> {
    let numbers = |kinds: Vec<FileKind>| kinds.into_iter().map(number).collect();
    values::kinds_of(blobs, trees, names).into_iter().map(|(oid, kinds)| (oid, numbers(kinds))).collect()
}

fn number(kind: FileKind) -> KindId {
    (kind.language as KindId) << 8 | kind.role as KindId
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::history::trees::Entry;
    use crate::source::git::Mode;

    #[test]
    fn what_is_passed_counts_once() {
        let oid = |n: u8| Oid::from_bytes(&[n; 20]).unwrap();
        let known = |n: u8, list| Known { oid: oid(n), size: u64::from(n), list };
        let mut cache = Cache {
            path: PathBuf::new(),
            key: [7; 32],
            hash: HashKind::Sha1,
            saved: Saved {
                lists: vec![Vec::new(), vec![1, 256]],
                objects: Arc::new(Objects::of(
                    &[known(1, 0), known(2, 1), known(5, NO_BLOB), known(9, 0)],
                    HashKind::Sha1,
                )),
                ..Saved::nothing(HashKind::Sha1)
            },
            places: OidMap::default(),
            held: Vec::new(),
            passed: Vec::new(),
            is_renewed: false,
        };
        cache.index();
        for (n, is_known) in [(2, true), (2, true), (9, true), (5, true), (3, false)] {
            assert_eq!(cache.passes(&oid(n)), is_known);
        }
        assert_eq!(cache.totals(), (3, 2, 11));
        assert!(!cache.is_all_there());
        assert!(cache.passes(&oid(1)) && cache.is_all_there());
        // It was judged as files of two kinds, and is one of a third.
        let entry = |n| Entry { name: 0, mode: Mode(0o100644), oid: oid(n) };
        let mut trees = TreeLog::default();
        assert!(cache.take_back(&trees, &[]).is_empty());
        trees.push(oid(7), None, [entry(1), entry(2), entry(5)], []);
        assert_eq!(cache.take_back(&trees, &[Box::from(&b"a.py"[..])]), vec![oid(2)]);
        assert_eq!(cache.totals(), (3, 2, 10));
        cache.forget();
        assert!(!cache.knows(&oid(1)));
    }
}
