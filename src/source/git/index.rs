//! The index: what the next commit will record.
//!
//! Versions 2, 3 and 4, with the extensions that change what it means: cached trees, split index and
//! sparse index. Format: `gitformat-index(5)`.

use std::ops::Range;
use std::path::Path;

use super::bytes::{be16, be32, offset_varint};
use super::error::{Error, Result};
use super::ewah;
use super::object::Mode;
use super::oid::{HashKind, Oid};
use super::repo::{Repo, read_optional};
use crate::source::open;

/// Bytes of paths for each byte of the file, beyond [`FREE_PATHS`]. Version 4 leaves out what an entry's path has in
/// common with the one before it: without a limit, a small file could make paths of any length.
const PATHS_PER_BYTE: usize = 32;
/// Bytes of paths that are always allowed.
const FREE_PATHS: usize = 1 << 20;

/// One entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndexEntry {
    path: (usize, usize),
    /// Kind and permissions. A folder only in a sparse index.
    pub mode: Mode,
    /// The object.
    pub oid: Oid,
    /// 0, or 1 to 3 (base, ours, theirs) for an unmerged path.
    pub stage: u8,
    /// Whether it is only announced (`git add -N`): a commit does not record it.
    pub intent_to_add: bool,
}

/// A tree that git computed from a run of entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CachedTree {
    /// Path component; empty for the root.
    name: Range<usize>,
    /// The tree and how many entries it covers. None if the folder changed since.
    pub(super) tree: Option<(Oid, usize)>,
    /// Index behind its last descendant in the list of cached trees.
    end: usize,
}

/// The index of a work tree. Entries are sorted by path and stage.
#[derive(Debug, Default)]
pub struct Index {
    /// All paths, one behind the other.
    paths: Vec<u8>,
    entries: Vec<IndexEntry>,
    /// Cached trees, each followed by its descendants.
    cached: Vec<CachedTree>,
    cached_names: Vec<u8>,
}

impl Index {
    /// Reads the index of a repository. One that does not exist is empty.
    pub fn open(repo: &Repo) -> Result<Self> {
        let path = repo.index_file();
        let Some(data) = read_optional(path)? else {
            return Ok(Index::default());
        };
        let (mut index, link) = Index::parse(&data, path, repo.hash())?;
        if let Some(link) = link {
            index = index.join_shared(repo, &data[link], path)?;
        }
        index.check_order().ok_or_else(|| Error::corrupt(path, "entries are not sorted"))?;
        Ok(index)
    }

    /// Reads the bytes of an index file: what it says itself, and where the extension stands that links a shared
    /// index.
    pub(super) fn parse(data: &[u8], path: &Path, hash: HashKind) -> Result<(Index, Option<Range<usize>>)> {
        Parser::new(data, path, hash)?.parse()
    }

    /// The entries in order.
    pub fn entries(&self) -> &[IndexEntry] {
        &self.entries
    }

    /// The path of one of its entries, relative to the root of the work tree.
    pub fn path(&self, entry: &IndexEntry) -> &[u8] {
        self.paths.get(entry.path.0..entry.path.1).unwrap_or_default()
    }

    fn push(&mut self, path: &[u8], entry: IndexEntry) {
        let start = self.paths.len();
        self.paths.extend_from_slice(path);
        self.entries.push(IndexEntry { path: (start, self.paths.len()), ..entry });
    }

    pub(super) fn check_order(&self) -> Option<()> {
        let key = |entry| (self.path(entry), entry.stage);
        self.entries.is_sorted_by(|a, b| key(a) < key(b)).then_some(())
    }

    /// The cached tree of the root, if git wrote cached trees.
    pub(super) fn cached_root(&self) -> Option<usize> {
        (!self.cached.is_empty()).then_some(0)
    }

    pub(super) fn cached_tree(&self, at: usize) -> Option<&CachedTree> {
        self.cached.get(at)
    }

    /// The cached tree of a folder directly below another.
    pub(super) fn cached_child(&self, parent: usize, name: &[u8]) -> Option<usize> {
        let end = self.cached.get(parent)?.end;
        let mut child = parent + 1;
        while child < end {
            let tree = self.cached.get(child)?;
            if self.cached_names.get(tree.name.clone())? == name {
                return Some(child);
            }
            child = tree.end;
        }
        None
    }

    /// Completes a split index by the shared one that it is based on.
    fn join_shared(self, repo: &Repo, link: &[u8], path: &Path) -> Result<Index> {
        let damaged = || Error::corrupt(path, "damaged link to the shared index");
        let base = link.get(..repo.hash().oid_len()).and_then(Oid::from_bytes).ok_or_else(damaged)?;
        if base.is_null() {
            return Ok(self);
        }
        let shared_path = repo.git_dir().join(format!("sharedindex.{base}"));
        let shared = open::read(&shared_path).map_err(|e| Error::io(&shared_path, e))?;
        let (shared, _) = Index::parse(&shared, &shared_path, repo.hash())?;
        self.joined(&shared, &link[repo.hash().oid_len()..]).ok_or_else(damaged)
    }

    /// This index completed by the shared one; `bitmaps` say what of that was deleted and replaced.
    pub(super) fn joined(self, shared: &Index, bitmaps: &[u8]) -> Option<Index> {
        let limit = shared.entries.len();
        let (deleted, used) = ewah::bits(bitmaps, limit)?;
        let (replaced, _) = ewah::bits(bitmaps.get(used..)?, limit)?;
        self.merge_shared(shared, &deleted, &replaced)
    }

    /// `deleted` and `replaced` are ascending positions in `shared`. Replacements come first in `self`, in
    /// that order and without a path.
    fn merge_shared(self, shared: &Index, deleted: &[usize], replaced: &[usize]) -> Option<Index> {
        let (replacements, added) = self.entries.split_at_checked(replaced.len())?;
        let mut merged = Index {
            cached: self.cached.clone(),
            cached_names: self.cached_names.clone(),
            ..Index::default()
        };
        let mut kept: Vec<(&[u8], IndexEntry)> = Vec::with_capacity(shared.entries.len() + added.len());
        let (mut deleted, mut replaced) = (deleted.iter().peekable(), replaced.iter().peekable());
        let mut replacements = replacements.iter();
        for (position, entry) in shared.entries.iter().enumerate() {
            let replacement = replaced.next_if_eq(&&position).and_then(|_| replacements.next());
            if deleted.next_if_eq(&&position).is_none() {
                kept.push((shared.path(entry), *replacement.unwrap_or(entry)));
            }
        }
        kept.extend(added.iter().map(|entry| (self.path(entry), *entry)));
        // Stable, so that of two entries for one path the added one comes last and wins.
        kept.sort_by(|a, b| (a.0, a.1.stage).cmp(&(b.0, b.1.stage)));
        for (n, (path, entry)) in kept.iter().enumerate() {
            let superseded =
                kept.get(n + 1).is_some_and(|(next, other)| next == path && other.stage == entry.stage);
            if !superseded {
                merged.push(path, *entry);
            }
        }
        Some(merged)
    }
}

struct Parser<'a> {
    data: &'a [u8],
    /// Where the trailing checksum starts.
    end: usize,
    file: &'a Path,
    hash: HashKind,
    version: u32,
    count: u32,
}

impl<'a> Parser<'a> {
    fn new(data: &'a [u8], file: &'a Path, hash: HashKind) -> Result<Self> {
        let corrupt = |reason| Error::corrupt(file, reason);
        let (Some(version), Some(count), true) = (be32(data, 4), be32(data, 8), data.starts_with(b"DIRC"))
        else {
            return Err(corrupt("not an index file"));
        };
        if !(2..=4).contains(&version) {
            return Err(corrupt("unknown version of the index"));
        }
        let end = data
            .len()
            .checked_sub(hash.oid_len())
            .filter(|&end| end >= 12)
            .ok_or_else(|| corrupt("too short"))?;
        Ok(Parser { data, end, file, hash, version, count })
    }

    /// The index, and where the extension stands that links a shared index.
    fn parse(&self) -> Result<(Index, Option<Range<usize>>)> {
        let mut index = Index::default();
        let mut at = 12;
        let mut previous = Vec::new();
        for _ in 0..self.count {
            at = self
                .entry(at, &mut previous, &mut index)
                .ok_or_else(|| Error::corrupt(self.file, "damaged entry"))?;
        }
        let link = self.extensions(at, &mut index)?;
        Ok((index, link))
    }

    /// Reads the entry at `at` and returns where the next one starts.
    fn entry(&self, at: usize, previous: &mut Vec<u8>, index: &mut Index) -> Option<usize> {
        let data = self.data.get(..self.end)?;
        let mode = Mode(be32(data, at + 24)?);
        let oid_at = at + 40;
        let flags_at = oid_at + self.hash.oid_len();
        let oid = Oid::from_bytes(data.get(oid_at..flags_at)?)?;
        let flags = be16(data, flags_at)?;
        let extended = flags & 0x4000 != 0;
        let more = if extended { be16(data, flags_at + 2)? } else { 0 };
        let mut path_at = flags_at + if extended { 4 } else { 2 };
        if self.version == 4 {
            let (stripped, used) = offset_varint(data.get(path_at..)?)?;
            path_at += used;
            let kept = previous.len().checked_sub(usize::try_from(stripped).ok()?)?;
            previous.truncate(kept);
        } else {
            previous.clear();
        }
        let rest = data.get(path_at..)?;
        let len = memchr::memchr(0, rest)?;
        previous.extend_from_slice(&rest[..len]);
        if index.paths.len() + previous.len() > FREE_PATHS + data.len().saturating_mul(PATHS_PER_BYTE) {
            return None;
        }
        let path_end = path_at + len;
        let stage = (flags >> 12 & 3) as u8;
        index
            .push(previous, IndexEntry { path: (0, 0), mode, oid, stage, intent_to_add: more & 0x2000 != 0 });
        // Before version 4, one to eight zero bytes pad the entry to a multiple of eight.
        Some(if self.version == 4 { path_end + 1 } else { at + ((path_end - at) / 8 + 1) * 8 })
    }

    fn extensions(&self, mut at: usize, index: &mut Index) -> Result<Option<Range<usize>>> {
        let mut link = None;
        while let Some(size) = be32(self.data, at + 4).filter(|_| at + 8 <= self.end) {
            let signature = &self.data[at..at + 4];
            let body = at + 8..at + 8 + size as usize;
            if body.end > self.end {
                return Err(Error::corrupt(self.file, "extension is cut short"));
            }
            at = body.end;
            match signature {
                b"TREE" => self.cached_trees(&self.data[body], index),
                b"link" => link = Some(body),
                b"sdir" => {} // folders among the entries; their mode says so
                // Lower case: needed to understand the entries.
                [first, ..] if !first.is_ascii_uppercase() => {
                    return Err(Error::corrupt(
                        self.file,
                        "a required extension is not known to this version",
                    ));
                }
                _ => {}
            }
        }
        Ok(link)
    }

    /// Cached trees only save time: when they are damaged, there are none.
    fn cached_trees(&self, body: &[u8], index: &mut Index) {
        index.cached_names = body.to_vec();
        index.cached = read_cached_trees(body, self.hash.oid_len()).unwrap_or_default();
    }
}

/// Each tree: path component, zero byte, number of entries, space, number of subtrees, line end, and its
/// id unless the number of entries is negative.
fn read_cached_trees(body: &[u8], hash_len: usize) -> Option<Vec<CachedTree>> {
    let mut trees: Vec<CachedTree> = Vec::new();
    // Trees whose subtrees are not all read: (position, how many are missing).
    let mut open: Vec<(usize, usize)> = Vec::new();
    let mut at = 0;
    loop {
        let name = at..at + memchr::memchr(0, body.get(at..)?)?;
        let numbers = name.end + 1..name.end + 1 + memchr::memchr(b'\n', body.get(name.end + 1..)?)?;
        at = numbers.end + 1;
        let (entries, subtrees) = std::str::from_utf8(&body[numbers]).ok()?.split_once(' ')?;
        let tree = match usize::try_from(entries.parse::<i64>().ok()?) {
            Err(_) => None,
            Ok(covered) => {
                let oid = Oid::from_bytes(body.get(at..at + hash_len)?)?;
                at += hash_len;
                Some((oid, covered))
            }
        };
        trees.push(CachedTree { name, tree, end: 0 });
        open.push((trees.len() - 1, subtrees.parse().ok()?));
        while let Some((position, missing)) = open.last_mut() {
            if *missing > 0 {
                *missing -= 1;
                break;
            }
            trees[*position].end = trees.len();
            open.pop();
        }
        if open.is_empty() {
            return Some(trees);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An index of version 4 with a path of so many bytes, and entries that add one byte each to the path before.
    fn sharing(first: usize, more: usize) -> Vec<u8> {
        let mut data = b"DIRC\0\0\0\x04".to_vec();
        data.extend((1 + more as u32).to_be_bytes());
        for path in std::iter::once(vec![b'a'; first]).chain((0..more).map(|_| vec![b'a'])) {
            data.extend([0; 24]);
            data.extend(0o100_644u32.to_be_bytes());
            data.extend([0; 12]);
            data.extend([7; 20]);
            data.extend([0, 0, 0]);
            data.extend(path);
            data.push(0);
        }
        data.extend([0; 20]);
        data
    }

    fn parse(data: &[u8]) -> Result<Index> {
        Ok(Index::parse(data, Path::new("index"), HashKind::Sha1)?.0)
    }

    #[test]
    fn paths_that_share_their_beginnings_are_read() {
        let index = parse(&sharing(1000, 200)).unwrap();
        assert_eq!(index.path(&index.entries()[200]).len(), 1200);
    }

    #[test]
    fn a_small_index_does_not_make_large_paths() {
        let data = sharing(20_000, 2000);
        assert!(data.len() < 160_000);
        let error = parse(&data).unwrap_err();
        assert!(error.to_string().contains("damaged entry"), "{error}");
    }
}
