//! Pack files: the entries and how they are stored.
//!
//! Format: `gitformat-pack(5)`.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::bytes::{be32, offset_varint};
use super::error::{Error, Result};
use super::idx::Idx;
use super::map::MappedFile;
use super::object::Kind;
use super::oid::{HashKind, Oid};

/// Length of `PACK`, the version and the count.
pub(super) const PACK_HEADER: u64 = 12;

/// How an entry is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::source) enum Stored {
    /// Whole.
    Whole(Kind),
    /// As a delta against the entry at this offset of the same pack.
    OffsetDelta(u64),
    /// As a delta against the object with this id.
    RefDelta(Oid),
}

/// The start of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::source) struct Entry {
    /// How it is stored.
    pub(in crate::source) stored: Stored,
    /// Size of the inflated object or delta in bytes.
    pub(in crate::source) size: u64,
    /// Offset of the zlib stream in the pack.
    pub(in crate::source) data_at: usize,
}

/// A pack and its index. The pack itself is opened when it is first read.
pub(super) struct Pack {
    /// Number that is unique in the object database.
    pub(super) id: u32,
    /// Its index.
    pub(super) idx: Idx,
    /// False if the index was made because git's is damaged, and not all objects could be found.
    pub(super) is_complete: bool,
    path: PathBuf,
    hash: HashKind,
    data: OnceLock<MappedFile>,
}

impl Pack {
    /// Opens the index at `stem.idx`; `stem.pack` is the pack.
    pub(super) fn open(idx_path: &Path, id: u32, hash: HashKind) -> Result<Self> {
        Ok(Self::with_index(Idx::open(idx_path, hash)?, id, hash))
    }

    /// A pack with an index that is open already.
    pub(super) fn with_index(idx: Idx, id: u32, hash: HashKind) -> Self {
        let path = idx.path().with_extension("pack");
        Pack { id, idx, is_complete: true, path, hash, data: OnceLock::new() }
    }

    /// The file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// File name without folder and extension.
    pub(super) fn stem(&self) -> &str {
        self.path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default()
    }

    /// The whole file. Opened once; from then on it stays readable even when git deletes it.
    pub(super) fn data(&self) -> Result<&MappedFile> {
        if let Some(data) = self.data.get() {
            return Ok(data);
        }
        let data = MappedFile::open(&self.path)?;
        let version = be32(&data, 4);
        if !data.starts_with(b"PACK") || !matches!(version, Some(2 | 3)) {
            return Err(Error::corrupt(&self.path, "not a pack of version 2 or 3"));
        }
        Ok(self.data.get_or_init(|| data))
    }

    /// Where the entries end and the checksum starts. A truncated pack ends where it ends.
    pub(super) fn entries_end(&self) -> Result<usize> {
        Ok(self.data()?.len().saturating_sub(self.hash.oid_len()))
    }

    /// Reads the start of the entry at an offset.
    pub(super) fn entry(&self, offset: u64) -> Result<Entry> {
        let data = self.data()?;
        parse_entry(data, offset, self.hash)
    }

    /// The bytes from the start of an entry's zlib stream up to the end of the pack.
    pub(super) fn stream(&self, entry: &Entry) -> Result<&[u8]> {
        let data = self.data()?;
        data.get(entry.data_at..).ok_or(Error::CorruptObject("pack entry is cut short"))
    }
}

/// Reads the start of the entry at an offset of a pack's bytes.
pub(in crate::source) fn parse_entry(data: &[u8], offset: u64, hash: HashKind) -> Result<Entry> {
    read_entry(data, offset, hash).ok_or(Error::CorruptObject("damaged pack entry"))
}

fn read_entry(data: &[u8], offset: u64, hash: HashKind) -> Option<Entry> {
    let start = usize::try_from(offset).ok().filter(|_| offset >= PACK_HEADER)?;
    let first = *data.get(start)?;
    let mut size = u64::from(first & 0x0f);
    let (mut at, mut shift, mut more) = (start + 1, 4, first & 0x80 != 0);
    while more {
        let byte = *data.get(at)?;
        at += 1;
        if shift > 56 {
            return None;
        }
        size |= u64::from(byte & 0x7f) << shift;
        shift += 7;
        more = byte & 0x80 != 0;
    }
    let stored = match first >> 4 & 7 {
        1 => Stored::Whole(Kind::Commit),
        2 => Stored::Whole(Kind::Tree),
        3 => Stored::Whole(Kind::Blob),
        4 => Stored::Whole(Kind::Tag),
        6 => {
            let (distance, used) = offset_varint(data.get(at..)?)?;
            at += used;
            // A base always stands before what is made from it.
            let base = offset.checked_sub(distance).filter(|&base| base < offset && base >= PACK_HEADER)?;
            Stored::OffsetDelta(base)
        }
        7 => {
            let base = Oid::from_bytes(data.get(at..at + hash.oid_len())?)?;
            at += hash.oid_len();
            Stored::RefDelta(base)
        }
        _ => return None,
    };
    Some(Entry { stored, size, data_at: at })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An index of no object, of version 2, with one number of its fan-out table changed.
    fn idx(bucket: usize, count: u32) -> Vec<u8> {
        let mut bytes = b"\xfftOc\0\0\0\x02".to_vec();
        bytes.resize(8 + 4 * 256 + 40, 0);
        bytes[8 + 4 * bucket..12 + 4 * bucket].copy_from_slice(&count.to_be_bytes());
        bytes
    }

    #[test]
    fn only_packs_of_known_versions_are_read() {
        let folder = tempfile::tempdir().unwrap();
        for (n, (bytes, is_pack)) in [
            (&b"PACK\0\0\0\x02\0\0\0\0"[..], true),
            (b"PACK\0\0\0\x03\0\0\0\0", true),
            (b"PACK\0\0\0\x04\0\0\0\0", false),
            (b"KCAP\0\0\0\x02\0\0\0\0", false),
            (b"PACK\0\0", false),
        ]
        .into_iter()
        .enumerate()
        {
            let path = folder.path().join(format!("pack-{n}.idx"));
            std::fs::write(path.with_extension("pack"), bytes).unwrap();
            let index = Idx::made(idx(0, 0), &path, HashKind::Sha1).unwrap();
            let pack = Pack::with_index(index, 1, HashKind::Sha1);
            assert_eq!(pack.data().is_ok(), is_pack, "{n}");
            assert_eq!(pack.stem(), format!("pack-{n}"));
        }
    }

    #[test]
    fn a_fan_out_table_that_descends_is_refused() {
        let made = |bytes| Idx::made(bytes, Path::new("p.idx"), HashKind::Sha1).err().map(|e| e.to_string());
        assert_eq!(made(idx(0, 0)), None);
        assert!(made(idx(7, 1)).unwrap().contains("not sorted"));
        assert!(made(idx(255, 1)).unwrap().contains("shorter than its tables"));
    }

    #[test]
    fn entries_begin_with_kind_and_size() {
        let entry = |bytes: &[u8]| read_entry(&[&[0; 12][..], bytes].concat(), 12, HashKind::Sha1);
        for (kind, bits) in [(Kind::Commit, 1), (Kind::Tree, 2), (Kind::Blob, 3), (Kind::Tag, 4)] {
            let found = entry(&[0x80 | bits << 4 | 5, 0x82, 0x03]).unwrap();
            assert_eq!(
                (found.stored, found.size, found.data_at),
                (Stored::Whole(kind), 5 | 2 << 4 | 3 << 11, 15)
            );
        }
        for bits in [0, 5] {
            assert_eq!(entry(&[bits << 4]), None);
        }
        assert_eq!(entry(&[0xb0]), None, "cut");
        assert_eq!(
            entry(&[0xb0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1]),
            None,
            "too large"
        );
        let base = |offset: u64, distance: u8| {
            let mut bytes = vec![0; 60];
            (bytes[offset as usize], bytes[offset as usize + 1]) = (0x60, distance);
            read_entry(&bytes, offset, HashKind::Sha1).map(|entry| entry.stored)
        };
        assert_eq!(base(40, 28), Some(Stored::OffsetDelta(12)));
        assert_eq!(base(40, 1), Some(Stored::OffsetDelta(39)));
        for distance in [0, 29, 40, 41, 127] {
            assert_eq!(base(40, distance), None, "{distance}");
        }
        assert_eq!(read_entry(&[0x30; 20], 11, HashKind::Sha1), None, "in the header");
        let by_id = entry(&[&[0x70][..], &[9; 20]].concat()).unwrap();
        assert_eq!((by_id.stored, by_id.data_at), (Stored::RefDelta(Oid::from_bytes(&[9; 20]).unwrap()), 33));
        assert_eq!(entry(&[&[0x70][..], &[9; 19]].concat()), None, "cut");
    }

    #[test]
    fn the_stream_of_a_delta_begins_behind_the_distance_to_its_base() {
        let mut bytes = vec![0; 400];
        bytes[300..303].copy_from_slice(&[0x60, 0x81, 0x0a]);
        let found = read_entry(&bytes, 300, HashKind::Sha1).unwrap();
        assert_eq!((found.stored, found.data_at), (Stored::OffsetDelta(300 - 256 - 10), 303));
    }
}
