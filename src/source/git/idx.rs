//! Pack indexes (`.idx`, versions 1 and 2): from object id to offset in the pack.
//!
//! Format: `gitformat-pack(5)`.

use std::cmp::Ordering;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::bytes::{be32, be64};
use super::error::{Error, Result};
use super::map::MappedFile;
use super::oid::{HashKind, Oid};

const MAGIC: &[u8] = b"\xfftOc";
pub(super) const FANOUT_LEN: usize = 256 * 4;

/// An open pack index. Positions are 0-based, in the order of object ids.
pub(super) struct Idx {
    map: MappedFile,
    path: PathBuf,
    hash_len: usize,
    count: usize,
    layout: Layout,
}

enum Layout {
    /// Offset and id side by side.
    V1,
    /// Separate tables; byte positions of each.
    V2 { offsets: usize, large: Range<usize> },
}

impl Idx {
    /// Opens an index and checks that its tables fit in the file.
    pub(super) fn open(path: &Path, hash: HashKind) -> Result<Self> {
        Self::parse(MappedFile::open(path)?, path, hash)
    }

    /// Reads an index that was made in memory, in place of the file at `path`.
    pub(super) fn made(content: Vec<u8>, path: &Path, hash: HashKind) -> Result<Self> {
        Self::parse(MappedFile::made(content), path, hash)
    }

    fn parse(map: MappedFile, path: &Path, hash: HashKind) -> Result<Self> {
        let corrupt = |reason| Error::corrupt(path, reason);
        let v2 = map.starts_with(MAGIC);
        if v2 && be32(&map, 4) != Some(2) {
            return Err(corrupt("unknown version of the pack index"));
        }
        let hash_len = hash.oid_len();
        let fanout = if v2 { 8 } else { 0 };
        let count =
            fanout_count(&map, fanout).ok_or_else(|| corrupt("fan-out table is not sorted"))? as usize;
        let tables = fanout + FANOUT_LEN;
        let end = map.len().checked_sub(2 * hash_len).ok_or_else(|| corrupt("too short"))?;
        let layout = if v2 {
            let offsets = tables + count * (hash_len + 4);
            Layout::V2 { offsets, large: offsets + count * 4..end }
        } else {
            Layout::V1
        };
        let need = match &layout {
            Layout::V1 => tables + count * (4 + hash_len),
            Layout::V2 { large, .. } => large.start,
        };
        if need > end {
            return Err(corrupt("shorter than its tables"));
        }
        Ok(Idx { map, path: path.to_owned(), hash_len, count, layout })
    }

    /// The file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Number of objects.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Whether the file is as git wrote it, by its checksum.
    pub(super) fn is_intact(&self, hash: HashKind) -> bool {
        let (content, checksum) = self.map.split_at(self.map.len() - self.hash_len);
        hash.checksum(content) == checksum
    }

    /// The CRC-32 of an entry's bytes in the pack. None in version 1.
    pub(super) fn crc(&self, pos: usize) -> Option<u32> {
        match &self.layout {
            Layout::V2 { offsets, .. } if pos < self.count => {
                be32(&self.map, offsets - (self.count - pos) * 4)
            }
            _ => None,
        }
    }

    fn oid_at(&self, pos: usize) -> usize {
        match self.layout {
            Layout::V1 => FANOUT_LEN + pos * (4 + self.hash_len) + 4,
            Layout::V2 { .. } => 8 + FANOUT_LEN + pos * self.hash_len,
        }
    }

    /// The bytes of the id at a position below [`count`](Self::count).
    fn raw_oid(&self, pos: usize) -> &[u8] {
        let at = self.oid_at(pos);
        self.map.get(at..at + self.hash_len).unwrap_or_default()
    }

    /// The id at a position. None behind the end.
    pub(super) fn oid(&self, pos: usize) -> Option<Oid> {
        Oid::from_bytes(self.raw_oid(pos)).filter(|_| pos < self.count)
    }

    /// Where the object at a position starts in the pack. None if the index is damaged there.
    pub(super) fn offset(&self, pos: usize) -> Option<u64> {
        if pos >= self.count {
            return None;
        }
        match &self.layout {
            Layout::V1 => Some(u64::from(be32(&self.map, self.oid_at(pos) - 4)?)),
            Layout::V2 { offsets, large } => {
                let offset = be32(&self.map, offsets + pos * 4)?;
                if offset & 1 << 31 == 0 {
                    return Some(u64::from(offset));
                }
                let row = (offset & !(1 << 31)) as usize;
                be64(self.map.get(large.clone())?, row.checked_mul(8)?)
            }
        }
    }

    /// The position of an id.
    pub(super) fn find(&self, oid: &Oid) -> Option<usize> {
        let fanout = if matches!(self.layout, Layout::V1) { 0 } else { 8 };
        search(fanout_range(&self.map, fanout, oid.first_byte()), |pos| self.raw_oid(pos).cmp(oid.as_bytes()))
            .ok()
    }

    /// The positions of all ids that are not below `low`, up to the end.
    pub(super) fn at_or_after(&self, low: &Oid) -> Range<usize> {
        let start =
            search(0..self.count, |pos| self.raw_oid(pos).cmp(low.as_bytes())).unwrap_or_else(|at| at);
        start..self.count
    }
}

/// Checks that a fan-out table at byte `at` is there and ascending; its last number is the count.
pub(super) fn fanout_count(data: &[u8], at: usize) -> Option<u32> {
    let mut last = 0;
    for bucket in 0..256 {
        let next = be32(data, at + bucket * 4)?;
        if next < last {
            return None;
        }
        last = next;
    }
    Some(last)
}

/// The positions of ids that start with this byte.
pub(super) fn fanout_range(data: &[u8], at: usize, first: u8) -> Range<usize> {
    let bucket = |n: usize| be32(data, at + n * 4).unwrap_or(0) as usize;
    let start = if first == 0 { 0 } else { bucket(usize::from(first) - 1) };
    start..bucket(usize::from(first))
}

/// Binary search in a range of positions. `Err` is where a missing one would be.
pub(super) fn search(range: Range<usize>, compare: impl Fn(usize) -> Ordering) -> Result<usize, usize> {
    let (mut low, mut high) = (range.start, range.end);
    while low < high {
        let middle = low + (high - low) / 2;
        match compare(middle) {
            Ordering::Less => low = middle + 1,
            Ordering::Greater => high = middle,
            Ordering::Equal => return Ok(middle),
        }
    }
    Err(low)
}
