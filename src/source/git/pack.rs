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
