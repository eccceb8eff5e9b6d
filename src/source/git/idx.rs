//! Pack indexes (`.idx`, versions 1 and 2): from object id to offset in the pack.
//!
//! Format: `gitformat-pack(5)`.

use std::cmp::Ordering;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

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
    /// Whether its checksum is right, once that was asked.
    is_intact: OnceLock<bool>,
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
        Ok(Idx { map, path: path.to_owned(), hash_len, count, layout, is_intact: OnceLock::new() })
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
        *self.is_intact.get_or_init(|| {
            let (content, checksum) = self.map.split_at(self.map.len() - self.hash_len);
            hash.checksum(content) == checksum
        })
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Ids that differ in the first byte, and two that do not.
    fn ids() -> Vec<[u8; 20]> {
        let mut ids: Vec<[u8; 20]> = [0, 0, 7, 7, 9, 255].map(|first| [first; 20]).to_vec();
        (ids[1][19], ids[3][19]) = (1, 8);
        ids
    }

    fn oid(bytes: [u8; 20]) -> Oid {
        Oid::from_bytes(&bytes).unwrap()
    }

    fn fanout(ids: &[[u8; 20]]) -> Vec<u8> {
        (0..=255)
            .flat_map(|first| (ids.iter().filter(|id| id[0] <= first).count() as u32).to_be_bytes())
            .collect()
    }

    /// What stands behind the tables: the pack's checksum, and the index's own.
    fn closed(mut bytes: Vec<u8>) -> Vec<u8> {
        bytes.extend([5; 20]);
        let own = HashKind::Sha1.checksum(&bytes);
        bytes.extend(&own[..]);
        bytes
    }

    fn version_1() -> Vec<u8> {
        let ids = ids();
        let rows = ids.iter().zip(100u32..).flat_map(|(id, offset)| [&offset.to_be_bytes()[..], id].concat());
        closed(fanout(&ids).into_iter().chain(rows).collect())
    }

    /// The last two objects lie behind what 31 bits can say.
    fn version_2() -> Vec<u8> {
        let ids = ids();
        let crcs = (200u32..).take(ids.len()).flat_map(u32::to_be_bytes);
        let offsets = [100, 101, 102, 103, 1 << 31, 1 << 31 | 1].into_iter().flat_map(u32::to_be_bytes);
        let large = [1u64 << 40, 1 << 41].into_iter().flat_map(u64::to_be_bytes);
        let head = b"\xfftOc\0\0\0\x02".iter().copied().chain(fanout(&ids)).chain(ids.concat());
        closed(head.chain(crcs).chain(offsets).chain(large).collect())
    }

    fn open(bytes: Vec<u8>) -> Result<Idx> {
        Idx::made(bytes, Path::new("p.idx"), HashKind::Sha1)
    }

    #[test]
    fn both_versions_tell_ids_and_offsets() {
        for (bytes, offsets, crcs) in [
            (version_1(), [100, 101, 102, 103, 104, 105], None),
            (version_2(), [100, 101, 102, 103, 1 << 40, 1 << 41], Some(200)),
        ] {
            let idx = open(bytes).unwrap();
            assert_eq!(idx.count(), 6);
            for (n, id) in ids().into_iter().enumerate() {
                assert_eq!((idx.oid(n), idx.find(&oid(id))), (Some(oid(id)), Some(n)));
                assert_eq!(idx.offset(n), Some(offsets[n]), "{n}");
                assert_eq!(idx.crc(n), crcs.map(|first| first + n as u32));
                assert_eq!(idx.at_or_after(&oid(id)), n..6);
            }
            assert_eq!((idx.oid(6), idx.offset(6), idx.crc(6)), (None, None, None));
            for (missing, next) in [([6; 20], 2), ([8; 20], 4), ([254; 20], 5)] {
                assert_eq!(idx.find(&oid(missing)), None);
                assert_eq!(idx.at_or_after(&oid(missing)), next..6);
            }
        }
    }

    #[test]
    fn an_index_is_as_long_as_its_tables() {
        // The table of large offsets may be missing; all others may not.
        for (bytes, least) in [(version_1(), 256 * 4 + 6 * 24 + 40), (version_2(), 8 + 256 * 4 + 6 * 28 + 40)]
        {
            assert!(open(bytes[..least].to_vec()).is_ok());
            assert!(open(bytes[..least - 1].to_vec()).is_err());
        }
        let cut = open(version_2()[..8 + 256 * 4 + 6 * 28 + 40 + 8].to_vec()).unwrap();
        assert_eq!((cut.offset(3), cut.offset(4), cut.offset(5)), (Some(103), Some(1 << 40), None));
        let mut other = version_2();
        other[7] = 3;
        assert!(open(other).is_err(), "an unknown version");
    }

    #[test]
    fn a_changed_byte_is_told_by_the_checksum() {
        for bytes in [version_1(), version_2()] {
            assert!(open(bytes.clone()).unwrap().is_intact(HashKind::Sha1));
            for at in [bytes.len() - 1, bytes.len() - 21, bytes.len() - 45] {
                let mut changed = bytes.clone();
                changed[at] ^= 1;
                assert!(!open(changed).unwrap().is_intact(HashKind::Sha1));
            }
        }
    }
}
