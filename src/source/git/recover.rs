//! Packs whose index is damaged or not there: their entries are found by reading them from start to end.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use super::cache::BaseCache;
use super::delta;
use super::error::{Error, Result};
use super::inflate::inflate;
use super::map::MappedFile;
use super::object::Kind;
use super::oid::{HashKind, Oid};
use super::pack::{Entry, PACK_HEADER, Stored, parse_entry};

/// Bytes of delta bases to keep.
const CACHE_BYTES: usize = 64 << 20;

/// What was found in a pack.
pub(super) struct Recovered {
    /// An index of it, version 2.
    pub(super) index: Vec<u8>,
    /// Whether all entries that the pack says it has were found and could be decoded.
    pub(super) complete: bool,
}

/// Reads a pack from start to end and makes an index of it.
pub(super) fn index_of(path: &Path, hash: HashKind, limit: u64) -> Result<Recovered> {
    let data = MappedFile::open(path)?;
    index_of_bytes(&data, hash, limit).ok_or_else(|| Error::corrupt(path, "not a pack"))
}

/// Makes an index of a pack's bytes. None if they are no pack.
pub(super) fn index_of_bytes(data: &[u8], hash: HashKind, limit: u64) -> Option<Recovered> {
    let count = super::bytes::be32(data, 8).filter(|_| data.starts_with(b"PACK"))?;
    let end = data.len().saturating_sub(hash.oid_len());
    let entries = scan(&data[..end], count, hash);
    let scanned = entries.len();
    let resolver = Resolver {
        data: &data[..end],
        hash,
        limit,
        offsets: HashMap::new(),
        cache: BaseCache::new(CACHE_BYTES),
        entries: entries.iter().map(|found| (found.offset, found.entry)).collect(),
    };
    let rows = resolver.resolve_all(&entries);
    let complete = scanned == count as usize && rows.len() == scanned;
    let checksum = &data[end..];
    Some(Recovered { index: write_index(rows, checksum, hash), complete })
}

/// An entry that was found.
struct Found {
    offset: u64,
    entry: Entry,
    crc: u32,
}

/// Finds entries one after the other, up to the first that is damaged.
fn scan(data: &[u8], count: u32, hash: HashKind) -> Vec<Found> {
    let mut found = Vec::new();
    let mut offset = PACK_HEADER;
    let mut scratch = vec![0; 1 << 15];
    while found.len() < count as usize
        && let Ok(entry) = parse_entry(data, offset, hash)
        && let Some(end) = stream_end(data, entry.data_at, &mut scratch)
    {
        let crc = crc32fast::hash(data.get(offset as usize..end).unwrap_or_default());
        found.push(Found { offset, entry, crc });
        offset = end as u64;
    }
    found
}

/// Where the zlib stream that starts at `at` ends. None if it is damaged.
fn stream_end(data: &[u8], at: usize, scratch: &mut [u8]) -> Option<usize> {
    let mut stream = flate2::Decompress::new(true);
    loop {
        let used = stream.total_in();
        let input = data.get(at.checked_add(usize::try_from(used).ok()?)?..)?;
        let written = stream.total_out();
        let status = stream.decompress(input, scratch, flate2::FlushDecompress::None).ok()?;
        if status == flate2::Status::StreamEnd {
            return at.checked_add(usize::try_from(stream.total_in()).ok()?);
        }
        if stream.total_in() == used && stream.total_out() == written {
            return None; // cut short
        }
    }
}

/// What a delta waits for.
#[derive(PartialEq, Eq, Hash)]
enum Base {
    Offset(u64),
    Object(Oid),
}

struct Resolver<'a> {
    data: &'a [u8],
    hash: HashKind,
    limit: u64,
    /// Offsets of the objects whose ids are known.
    offsets: HashMap<Oid, u64>,
    cache: BaseCache,
    entries: HashMap<u64, Entry>,
}

impl Resolver<'_> {
    /// The id, offset and checksum of all entries that can be decoded: whole objects, and what is made from each
    /// as soon as it is known. So each entry is decoded once, in whatever order they stand.
    fn resolve_all(mut self, found: &[Found]) -> Vec<(Oid, u64, u32)> {
        let mut waiting: HashMap<Base, Vec<&Found>> = HashMap::new();
        let mut ready = Vec::new();
        for found in found.iter().rev() {
            match found.entry.stored {
                Stored::Whole(_) => ready.push(found),
                Stored::OffsetDelta(base) => waiting.entry(Base::Offset(base)).or_default().push(found),
                Stored::RefDelta(base) => waiting.entry(Base::Object(base)).or_default().push(found),
            }
        }
        let mut rows = Vec::new();
        while let Some(found) = ready.pop() {
            let Ok((kind, data)) = self.decode(found.offset) else { continue };
            let oid = self.hash.hash(kind, &data);
            self.offsets.insert(oid, found.offset);
            rows.push((oid, found.offset, found.crc));
            for base in [Base::Object(oid), Base::Offset(found.offset)] {
                ready.extend(waiting.remove(&base).unwrap_or_default());
            }
        }
        rows.sort_unstable();
        rows
    }

    fn decode(&mut self, mut offset: u64) -> Result<(Kind, Arc<Vec<u8>>)> {
        let mut chain = Vec::new();
        let (kind, mut data) = loop {
            if let Some(base) = self.cache.get((0, offset)) {
                break base;
            }
            let entry = *self.entries.get(&offset).ok_or(Error::CorruptObject("no such entry"))?;
            let base = match entry.stored {
                Stored::Whole(kind) => {
                    let data = Arc::new(self.inflate(&entry)?);
                    self.cache.put((0, offset), kind, &data);
                    break (kind, data);
                }
                Stored::OffsetDelta(base) => base,
                Stored::RefDelta(base) => *self.offsets.get(&base).ok_or(Error::Missing(base))?,
            };
            chain.push((offset, entry));
            if chain.len() > self.entries.len() {
                return Err(Error::CorruptObject("chain of deltas does not end"));
            }
            offset = base;
        };
        while let Some((offset, entry)) = chain.pop() {
            let delta = self.inflate(&entry)?;
            let mut out = Vec::new();
            delta::apply(&data, &delta, self.limit, &mut out, &mut Vec::new())?;
            data = Arc::new(out);
            self.cache.put((0, offset), kind, &data);
        }
        Ok((kind, data))
    }

    fn inflate(&self, entry: &Entry) -> Result<Vec<u8>> {
        if entry.size > self.limit {
            return Err(Error::TooLarge { size: entry.size, limit: self.limit });
        }
        inflate(self.data.get(entry.data_at..).unwrap_or_default(), entry.size)
    }
}

/// The bytes of an index with these rows, which are sorted.
fn write_index(rows: Vec<(Oid, u64, u32)>, pack_checksum: &[u8], hash: HashKind) -> Vec<u8> {
    let mut out = b"\xfftOc\0\0\0\x02".to_vec();
    let mut large: Vec<u64> = Vec::new();
    for first in 0..=255u8 {
        let up_to = rows.partition_point(|(oid, ..)| oid.first_byte() <= first) as u32;
        out.extend(up_to.to_be_bytes());
    }
    rows.iter().for_each(|(oid, ..)| out.extend_from_slice(oid.as_bytes()));
    rows.iter().for_each(|(.., crc)| out.extend(crc.to_be_bytes()));
    for (_, offset, _) in &rows {
        let small = u32::try_from(*offset).ok().filter(|small| small >> 31 == 0);
        out.extend(small.unwrap_or(1 << 31 | large.len() as u32).to_be_bytes());
        large.extend(small.is_none().then_some(*offset));
    }
    large.iter().for_each(|offset| out.extend(offset.to_be_bytes()));
    out.extend_from_slice(pack_checksum);
    let checksum = hash.checksum(&out);
    out.extend(checksum);
    out
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn entry(pack: &mut Vec<u8>, kind: u8, base: Option<Oid>, content: &[u8]) {
        assert!(content.len() < 16);
        pack.push(kind << 4 | content.len() as u8);
        pack.extend(base.iter().flat_map(|base| base.as_bytes().to_vec()));
        let mut encoder = flate2::write::ZlibEncoder::new(pack, flate2::Compression::default());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap();
    }

    /// Deltas that stand before their bases: each used to be tried again whenever another had been resolved.
    #[test]
    fn deltas_may_stand_before_their_bases() {
        const CHAIN: u32 = 5000;
        let texts: Vec<[u8; 4]> = (0..CHAIN).map(u32::to_be_bytes).collect();
        let oids: Vec<Oid> = texts.iter().map(|text| HashKind::Sha1.hash(Kind::Blob, text)).collect();
        let mut pack = b"PACK\0\0\0\x02".to_vec();
        pack.extend(CHAIN.to_be_bytes());
        for n in (1..texts.len()).rev() {
            let delta = [&[4, 4, 4][..], &texts[n]].concat();
            entry(&mut pack, 7, Some(oids[n - 1]), &delta);
        }
        entry(&mut pack, 3, None, &texts[0]);
        let checksum = HashKind::Sha1.checksum(&pack);
        pack.extend(checksum);
        let found = index_of_bytes(&pack, HashKind::Sha1, 1000).unwrap();
        assert!(found.complete);
        let idx = super::super::idx::Idx::made(found.index, Path::new("x.idx"), HashKind::Sha1).unwrap();
        assert!(oids.iter().all(|oid| idx.find(oid).is_some()));
    }
}
