//! Multi-pack indexes: one table of ids for many packs.
//!
//! They only speed up searching: each pack has its own index as well. So one that is damaged or of an
//! unknown version is passed over. Format: `gitformat-pack(5)`, "multi-pack-index (MIDX) files".

use std::path::{Path, PathBuf};

use bstr::ByteSlice;

use super::bytes::{be32, be64};
use super::error::{Error, Result};
use super::idx::{FANOUT_LEN, fanout_count, fanout_range, search};
use super::map::MappedFile;
use super::oid::{HashKind, Oid};
use super::repo::read_optional;

/// An open multi-pack index.
pub(super) struct Midx {
    map: MappedFile,
    hash_len: usize,
    count: usize,
    fanout: usize,
    oids: usize,
    offsets: usize,
    large: Option<usize>,
    /// File names of the packs, without extension, in the order of their numbers.
    packs: Vec<String>,
}

impl Midx {
    /// All multi-pack indexes of an object folder: the single one, or the layers of a chain.
    pub(super) fn open_all(pack_dir: &Path, hash: HashKind) -> Vec<Midx> {
        let mut files = vec![pack_dir.join("multi-pack-index")];
        files.extend(chain(&pack_dir.join("multi-pack-index.d")));
        files.iter().filter_map(|file| Midx::open(file, hash).ok()).collect()
    }

    fn open(path: &Path, hash: HashKind) -> Result<Self> {
        let map = MappedFile::open(path)?;
        Self::parse(map, hash).ok_or_else(|| Error::corrupt(path, "damaged multi-pack index"))
    }

    /// Reads a multi-pack index. None if it is damaged or of an unknown version.
    pub(super) fn parse(map: MappedFile, hash: HashKind) -> Option<Self> {
        let hash_version = match hash {
            HashKind::Sha1 => 1,
            HashKind::Sha256 => 2,
        };
        if map.get(..6)? != [b'M', b'I', b'D', b'X', 1, hash_version] {
            return None;
        }
        let pack_count = be32(&map, 8)? as usize;
        let chunk = |id: &[u8; 4]| -> Option<usize> {
            (0..usize::from(map[6]))
                .map(|n| 12 + n * 12)
                .find(|&at| map.get(at..at + 4) == Some(id))
                .and_then(|at| usize::try_from(be64(&map, at + 4)?).ok())
        };
        let (names, fanout) = (chunk(b"PNAM")?, chunk(b"OIDF")?);
        let (oids, offsets, large) = (chunk(b"OIDL")?, chunk(b"OOFF")?, chunk(b"LOFF"));
        let count = fanout_count(&map, fanout)? as usize;
        fanout.checked_add(FANOUT_LEN)?;
        map.get(oids..oids.checked_add(count.checked_mul(hash.oid_len())?)?)?;
        map.get(offsets..offsets.checked_add(count.checked_mul(8)?)?)?;
        let packs: Vec<String> =
            map.get(names..)?.split(|&byte| byte == 0).take(pack_count).map(stem).collect();
        (packs.len() == pack_count).then_some(())?;
        Some(Midx { hash_len: hash.oid_len(), count, fanout, oids, offsets, large, packs, map })
    }

    /// The pack (by [`packs`](Self::packs)) and the offset of an object.
    pub(super) fn find(&self, oid: &Oid) -> Option<(usize, u64)> {
        let raw = |pos: usize| {
            let at = self.oids + pos * self.hash_len;
            self.map.get(at..at + self.hash_len).unwrap_or_default()
        };
        let range = fanout_range(&self.map, self.fanout, oid.first_byte());
        let pos = search(range, |pos| raw(pos).cmp(oid.as_bytes())).ok().filter(|&pos| pos < self.count)?;
        let row = self.offsets + pos * 8;
        let (pack, offset) = (be32(&self.map, row)? as usize, be32(&self.map, row + 4)?);
        let offset = match self.large {
            Some(large) if offset & 1 << 31 != 0 => {
                let row = (offset & !(1 << 31)) as usize;
                be64(&self.map, large.checked_add(row.checked_mul(8)?)?)?
            }
            _ => u64::from(offset),
        };
        Some((pack, offset))
    }

    /// File names of its packs, without folder and extension.
    pub(super) fn packs(&self) -> &[String] {
        &self.packs
    }
}

fn stem(name: &[u8]) -> String {
    name.strip_suffix(b".idx").unwrap_or(name).to_str_lossy().into_owned()
}

/// The files of an incremental multi-pack index.
fn chain(dir: &Path) -> Vec<PathBuf> {
    let Ok(Some(text)) = read_optional(&dir.join("multi-pack-index-chain")) else {
        return Vec::new();
    };
    text.lines()
        .filter_map(|line| Oid::from_hex(line.trim_ascii()))
        .map(|oid| dir.join(format!("multi-pack-index-{oid}.midx")))
        .collect()
}
