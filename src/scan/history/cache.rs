//! Which blobs an earlier scan of the same repository by the same rules found to hold nothing.
//!
//! A file has the ids and sizes of such blobs, and the kinds of file for which that was judged: as another kind
//! of file, a blob's candidates may be secrets. Blobs with a value, and blobs that were not read whole, are not
//! in it: they are scanned again, with all commits, tags and trees. So the report is the same with a cache
//! as without, and nothing that is in the file can be guessed from.
//!
//! Layout, integers in little endian: [`MAGIC`] · version (1 byte) · key (32) · number of lists of kinds (4) ·
//! each: length (2), kinds (2 each) · number of blobs (8) · each, sorted by id: id, size (8), list (4) · CRC-32 of
//! all of it (4).

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest, Sha256};

use super::oids::OidMap;
use super::trees::TreeLog;
use super::values::{self, Values};
use super::visit::Taken;
use crate::scan::Engine;
use crate::source::git::{HashKind, Kind, Oid, Repo};
use crate::verdict::filekind::FileKind;

/// First bytes of a cache.
const MAGIC: &[u8; 12] = b"stanch-cache";
/// Version of the layout.
const VERSION: u8 = 1;
/// Larger files are not read, and not written.
const MAX_BYTES: u64 = 1 << 30;
/// Changes when the engine may find something else by the same rules.
const ENGINE: &str = concat!(env!("CARGO_PKG_VERSION"), "/1");
/// The list of a blob without any candidate: that it is, whatever kind of file it is.
const ANY_KIND: u32 = 0;

/// A kind of file as a number.
type KindId = u16;

/// A blob without values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Clean {
    oid: Oid,
    size: u64,
    /// Which kinds of file it was judged as.
    list: u32,
}

/// What a cache says, and which of it was made use of.
#[derive(Debug)]
pub struct Cache {
    path: PathBuf,
    key: [u8; 32],
    hash: HashKind,
    lists: Vec<Vec<KindId>>,
    blobs: Vec<Clean>,
    /// A bit for each blob that was passed over.
    passed: Vec<AtomicU64>,
}

/// What a cache was good for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CacheFacts {
    /// Objects that were not scanned because they are known to hold nothing.
    pub passed: u64,
    /// Why it was not read or not written.
    pub problems: Vec<String>,
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
}

impl Cache {
    /// Reads the cache of this repository, rule set and options in a folder. What is of no use is told in
    /// `facts`, and the scan begins from nothing.
    pub fn open(folder: &Path, engine: &Engine, repo: &Repo, facts: &mut CacheFacts) -> Self {
        let key = key(engine, repo);
        let name = data_encoding::HEXLOWER.encode(key.get(..16).unwrap_or_default());
        let path = folder.join(format!("{name}.bin"));
        let mut cache = Cache {
            path,
            key,
            hash: repo.hash(),
            lists: vec![Vec::new()],
            blobs: Vec::new(),
            passed: Vec::new(),
        };
        match cache.read() {
            Ok(()) => {}
            Err(Unfit::Io(error)) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                facts.problems.push(format!("the cache {} is ignored: {error}", cache.path.display()));
            }
        }
        cache.passed = (0..cache.blobs.len().div_ceil(64)).map(|_| AtomicU64::new(0)).collect();
        cache
    }

    fn read(&mut self) -> Result<(), Unfit> {
        let file = File::open(&self.path)?;
        let mut bytes = Vec::new();
        file.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > MAX_BYTES {
            return Err(Unfit::TooLarge);
        }
        let mut input = Input(&bytes);
        if input.take(MAGIC.len()) != Some(MAGIC) {
            return Err(Unfit::Foreign);
        }
        match input.take(1) {
            Some([VERSION]) => {}
            Some([newer]) if *newer > VERSION => return Err(Unfit::Newer),
            _ => return Err(Unfit::Damaged),
        }
        let (body, sum) = bytes.split_last_chunk::<4>().ok_or(Unfit::Damaged)?;
        if crc32fast::hash(body) != u32::from_le_bytes(*sum) {
            return Err(Unfit::Damaged);
        }
        if input.take(32) != Some(&self.key) {
            return Err(Unfit::Other);
        }
        (self.lists, self.blobs) = parse(input, self.hash).ok_or(Unfit::Damaged)?;
        Ok(())
    }

    /// Whether a blob needs no scan; if so, it counts as passed over.
    pub fn passes(&self, oid: &Oid) -> bool {
        let Some(at) = self.place(oid) else { return false };
        self.passed.get(at / 64).is_some_and(|word| {
            word.fetch_or(1 << (at % 64), Ordering::Relaxed);
            true
        })
    }

    fn place(&self, oid: &Oid) -> Option<usize> {
        self.blobs.binary_search_by(|blob| blob.oid.cmp(oid)).ok()
    }

    fn is_passed(&self, at: usize) -> bool {
        self.passed.get(at / 64).is_some_and(|word| word.load(Ordering::Relaxed) >> (at % 64) & 1 != 0)
    }

    fn passed(&self) -> impl Iterator<Item = &Clean> {
        self.blobs.iter().enumerate().filter(|(at, _)| self.is_passed(*at)).map(|(_, blob)| blob)
    }

    /// Number and bytes of the blobs that were passed over.
    pub fn totals(&self) -> (u64, u64) {
        self.passed().fold((0, 0), |(count, bytes), blob| (count + 1, bytes.saturating_add(blob.size)))
    }

    /// Takes back blobs that were passed over and are, in these trees, files of a kind that they were not judged
    /// as. They must be scanned.
    pub fn take_back(&self, trees: &TreeLog, names: &[Box<[u8]>]) -> Vec<Oid> {
        let judged = self.passed().filter(|blob| blob.list != ANY_KIND);
        let kinds = kinds_of(judged.map(|blob| blob.oid), trees, names);
        let mut back: Vec<Oid> = Vec::new();
        for (oid, kinds) in kinds {
            let Some(at) = self.place(&oid) else { continue };
            let known = self.blobs.get(at).and_then(|blob| self.lists.get(blob.list as usize));
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

    /// What is known to hold nothing after a scan: what was passed over, and what was taken and has no value.
    pub fn renew(&mut self, taken: &Taken, values: &Values, names: &[Box<[u8]>]) {
        let mut blobs: Vec<Clean> = self.passed().copied().collect();
        let mut with_candidates: OidMap<()> = OidMap::default();
        with_candidates.extend(taken.texts.iter().filter(|t| t.kind == Kind::Blob).map(|t| (t.oid, ())));
        let without_values = with_candidates.keys().filter(|oid| !values.blobs.contains_key(*oid)).copied();
        let kinds = kinds_of(without_values, &taken.trees, names);
        let mut numbers: HashMap<Vec<KindId>, u32> =
            (0..).zip(&self.lists).map(|(number, list)| (list.clone(), number)).collect();
        for &(oid, size) in &taken.complete {
            let list = match (with_candidates.contains_key(&oid), kinds.get(&oid)) {
                (false, _) => ANY_KIND,
                (true, None) => continue,
                (true, Some(kinds)) => {
                    let next = numbers.len() as u32;
                    *numbers.entry(kinds.clone()).or_insert_with(|| {
                        self.lists.push(kinds.clone());
                        next
                    })
                }
            };
            blobs.push(Clean { oid, size, list });
        }
        blobs.sort_unstable_by_key(|blob| blob.oid);
        blobs.dedup_by_key(|blob| blob.oid);
        let width = self.hash.oid_len() + 12;
        blobs.truncate((MAX_BYTES as usize / 2) / width);
        self.blobs = blobs;
    }

    /// Writes what is known: the file is there whole or not at all, and only its owner can read it.
    pub fn write(&self, facts: &mut CacheFacts) {
        if let Err(error) = self.try_write() {
            facts.problems.push(format!("the cache {} is not written: {error}", self.path.display()));
        }
    }

    fn try_write(&self) -> io::Result<()> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(&self.to_bytes())?;
        file.as_file().sync_data()?;
        file.persist(&self.path)?;
        Ok(())
    }

    fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(64 + self.blobs.len() * (self.hash.oid_len() + 12));
        out.extend_from_slice(MAGIC);
        out.push(VERSION);
        out.extend_from_slice(&self.key);
        out.extend_from_slice(&(self.lists.len() as u32).to_le_bytes());
        for list in &self.lists {
            out.extend_from_slice(&(list.len() as u16).to_le_bytes());
            out.extend(list.iter().flat_map(|kind| kind.to_le_bytes()));
        }
        out.extend_from_slice(&(self.blobs.len() as u64).to_le_bytes());
        for blob in &self.blobs {
            out.extend_from_slice(blob.oid.as_bytes());
            out.extend_from_slice(&blob.size.to_le_bytes());
            out.extend_from_slice(&blob.list.to_le_bytes());
        }
        let sum = crc32fast::hash(&out);
        out.extend_from_slice(&sum.to_le_bytes());
        out
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

/// The numbers of the kinds of file that these blobs are in any tree; sorted, and never none.
fn kinds_of(blobs: impl Iterator<Item = Oid>, trees: &TreeLog, names: &[Box<[u8]>]) -> OidMap<Vec<KindId>> {
    let numbers = |kinds: Vec<FileKind>| {
        let unknown = kinds.is_empty().then_some(FileKind::UNKNOWN);
        let mut numbers: Vec<KindId> = kinds.into_iter().chain(unknown).map(number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    };
    values::kinds_of(blobs, trees, names).into_iter().map(|(oid, kinds)| (oid, numbers(kinds))).collect()
}

fn number(kind: FileKind) -> KindId {
    (kind.language as KindId) << 8 | kind.role as KindId
}

/// Bytes that are read from the front.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    fn number<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }
}

/// The lists of kinds and the blobs.
fn parse(mut input: Input<'_>, hash: HashKind) -> Option<(Vec<Vec<KindId>>, Vec<Clean>)> {
    let count = u32::from_le_bytes(input.number()?);
    let mut lists = Vec::new();
    for _ in 0..count {
        let len = u16::from_le_bytes(input.number()?);
        let kinds = input.take(2 * usize::from(len))?.as_chunks::<2>().0;
        lists.push(kinds.iter().map(|kind| KindId::from_le_bytes(*kind)).collect());
    }
    let count = usize::try_from(u64::from_le_bytes(input.number()?)).ok()?;
    let width = hash.oid_len() + 12;
    if input.0.len() != count.checked_mul(width)?.checked_add(4)? {
        return None;
    }
    let mut blobs: Vec<Clean> = Vec::with_capacity(count);
    for _ in 0..count {
        let oid = Oid::from_bytes(input.take(hash.oid_len())?)?;
        let size = u64::from_le_bytes(input.number()?);
        let list = u32::from_le_bytes(input.number()?);
        if list as usize >= lists.len() || blobs.last().is_some_and(|last| last.oid >= oid) {
            return None;
        }
        blobs.push(Clean { oid, size, list });
    }
    Some((lists, blobs))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache() -> Cache {
        let oid = |n: u8| Oid::from_bytes(&[n; 20]).unwrap();
        let blob = |n: u8, list| Clean { oid: oid(n), size: u64::from(n), list };
        Cache {
            path: PathBuf::new(),
            key: [7; 32],
            hash: HashKind::Sha1,
            lists: vec![Vec::new(), vec![1, 256]],
            blobs: vec![blob(1, 0), blob(2, 1), blob(9, 0)],
            passed: vec![AtomicU64::new(0)],
        }
    }

    /// What a file with these bytes is read as.
    fn read(bytes: &[u8]) -> Result<Cache, Unfit> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        let mut read =
            Cache { path: file.path().to_owned(), lists: Vec::new(), blobs: Vec::new(), ..cache() };
        read.read().map(|()| read)
    }

    #[test]
    fn what_is_written_is_read() {
        let (written, read) = (cache(), read(&cache().to_bytes()).unwrap());
        assert_eq!((read.lists, read.blobs), (written.lists, written.blobs));
    }

    #[test]
    fn every_damage_is_noticed() {
        let bytes = cache().to_bytes();
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x20;
            assert!(read(&damaged).is_err(), "byte {at}");
            assert!(read(&bytes[..at]).is_err(), "{at} bytes");
        }
    }

    #[test]
    fn a_wrong_count_with_a_right_checksum_is_noticed() {
        let body = &cache().to_bytes();
        let body = &body[..body.len() - 4];
        // After magic, version, key and two lists.
        let count = MAGIC.len() + 1 + 32 + 4 + 2 + 2 + 4;
        assert_eq!(body[count], 3);
        for wrong in [2, 4, u8::MAX] {
            let mut damaged = body.to_vec();
            damaged[count..count + 8].fill(wrong);
            let sum = crc32fast::hash(&damaged);
            damaged.extend_from_slice(&sum.to_le_bytes());
            assert!(matches!(read(&damaged), Err(Unfit::Damaged)));
        }
    }

    #[test]
    fn what_is_passed_counts_once() {
        let cache = cache();
        let oid = |n: u8| Oid::from_bytes(&[n; 20]).unwrap();
        assert!(
            cache.passes(&oid(2)) && cache.passes(&oid(2)) && cache.passes(&oid(9)) && !cache.passes(&oid(3))
        );
        assert_eq!(cache.totals(), (2, 11));
        // It is no file in these trees, and was judged as files of two other kinds.
        assert_eq!(cache.take_back(&TreeLog::default(), &[]), vec![oid(2)]);
        assert_eq!(cache.totals(), (1, 9));
    }
}
