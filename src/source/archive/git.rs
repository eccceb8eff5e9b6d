//! Packs and bundles of git as files: every object in them.
//!
//! Formats: gitformat-pack(5) and gitformat-bundle(5).

use std::collections::HashMap;
use std::io::Read;

use super::Walker;
use super::cursor::Cursor;
use super::meter::Metered;
use super::stream::Stream;
use super::zlib::Zlib;
use crate::source::git::{HashKind, Kind, OidMap, Stored, apply_delta, parse_entry};

pub(super) const BUNDLES: [&[u8]; 2] = [b"# v2 git bundle\n", b"# v3 git bundle\n"];

/// Longest chain of deltas that is followed.
const MAX_CHAIN: usize = 4096;
/// Memory for objects that deltas are made against, in bytes; others are unpacked again when needed.
const CACHE: usize = 32 << 20;

/// Opens a bundle: its list of refs, and its pack.
pub(super) fn open_bundle(walker: &mut Walker<'_, '_>, bytes: &[u8]) {
    let Some(end) = memchr::memmem::find(bytes, b"\n\n") else {
        return walker.skip("archive-damaged", "its header does not end".to_owned());
    };
    let (header, pack) = bytes.split_at(end + 2);
    if walker.text(b"(refs)", header) {
        open_pack(walker, pack);
    }
}

/// Gives every blob, commit and tag.
pub(super) fn open_pack(walker: &mut Walker<'_, '_>, bytes: &[u8]) {
    let mut cursor = Cursor::at(bytes, 4);
    let (Some(2 | 3), Some(count)) = (cursor.u32_be(), cursor.u32_be()) else {
        return walker.skip("archive-damaged", "is no pack of version 2 or 3".to_owned());
    };
    let mut pack = Pack { bytes, by_name: OidMap::default(), cache: HashMap::new(), cached: 0 };
    let mut at = 12;
    let mut lost = 0u64;
    for _ in 0..count {
        if let Some(next) = pack.large_blob(walker, at) {
            at = next;
            continue;
        }
        if walker.meter.stopped().is_some() {
            return;
        }
        let Some((entry, next)) = pack.entry(walker, at) else {
            return walker.skip("archive-damaged", "an object cannot be read".to_owned());
        };
        match pack.object(walker, &entry) {
            Some((kind, data)) => {
                // What a delta makes of its base was not counted while it was inflated: a byte of it can be 64 KiB.
                if entry.kind.is_none() && !walker.meter.unpack(data.len() as u64) {
                    return;
                }
                let name = pack.remember(at, kind, &data);
                let go_on = match kind {
                    Kind::Blob => walker.member(name.as_bytes(), Stream::Slice(&data)),
                    Kind::Commit | Kind::Tag => walker.text(name.as_bytes(), &data),
                    Kind::Tree => walker.meter.member(),
                };
                if !go_on {
                    return;
                }
            }
            None => lost += 1,
        }
        at = next;
    }
    if lost > 0 {
        walker
            .skip("archive-incomplete", format!("{lost} objects are changes to objects that are elsewhere"));
    }
}

struct Pack<'a> {
    bytes: &'a [u8],
    /// Offsets of objects by their SHA-1.
    by_name: OidMap<usize>,
    cache: HashMap<usize, (Kind, Vec<u8>)>,
    cached: usize,
}

/// What stands before an entry's zlib data.
struct Header<'a> {
    /// None for a delta.
    kind: Option<Kind>,
    size: u64,
    base: Option<usize>,
    packed: &'a [u8],
}

/// An entry of the pack, unpacked: an object, or a delta.
struct Entry {
    /// None for a delta.
    kind: Option<Kind>,
    /// Offset of the object that a delta is made against; None where it is not in the pack.
    base: Option<usize>,
    data: Vec<u8>,
}

impl<'a> Pack<'a> {
    fn header(&self, at: usize) -> Option<Header<'a>> {
        let entry = parse_entry(self.bytes, at as u64, HashKind::Sha1).ok()?;
        let (kind, base) = match entry.stored {
            Stored::Whole(kind) => (Some(kind), None),
            Stored::OffsetDelta(base) => (None, usize::try_from(base).ok()),
            Stored::RefDelta(base) => (None, self.by_name.get(&base).copied()),
        };
        Some(Header { kind, size: entry.size, base, packed: self.bytes.get(entry.data_at..)? })
    }

    /// The entry at an offset, and the offset of the next.
    fn entry(&self, walker: &Walker<'_, '_>, at: usize) -> Option<(Entry, usize)> {
        let Header { kind, size, base, packed } = self.header(at)?;
        let mut decoder = Zlib::new(packed)?;
        let mut data = Vec::new();
        let most = size.min(walker.meter.room() as u64);
        Metered::new(&mut decoder, walker.meter).take(most).read_to_end(&mut data).ok()?;
        if data.len() as u64 != size {
            return None;
        }
        Some((Entry { kind, base, data }, self.bytes.len() - packed.len() + decoder.end()?))
    }

    /// Gives a blob that is too large to be kept as it is read. Returns the offset behind it; None if it
    /// is not large, or no blob.
    fn large_blob(&self, walker: &mut Walker<'_, '_>, at: usize) -> Option<usize> {
        let Header { kind, size, packed, .. } = self.header(at)?;
        if kind != Some(Kind::Blob) || size <= CACHE as u64 {
            return None;
        }
        let mut decoder = Zlib::new(packed)?;
        let mut reader = Metered::new(&mut decoder, walker.meter);
        let go_on = walker.member(format!("(blob at {at})").as_bytes(), Stream::of(&mut reader));
        if go_on { Some(self.bytes.len() - packed.len() + decoder.end()?) } else { None }
    }

    /// The object that an entry is, deltas applied. None where a base is missing.
    fn object(&mut self, walker: &Walker<'_, '_>, entry: &Entry) -> Option<(Kind, Vec<u8>)> {
        if let Some(kind) = entry.kind {
            return Some((kind, entry.data.clone()));
        }
        // Deltas from this one down to an object that is whole.
        let mut deltas: Vec<Vec<u8>> = vec![entry.data.clone()];
        let mut held = entry.data.len();
        let mut base = entry.base?;
        let (kind, mut data) = loop {
            if let Some((kind, data)) = self.cache.get(&base) {
                break (*kind, data.clone());
            }
            let (below, _) = self.entry(walker, base)?;
            if let Some(kind) = below.kind {
                break (kind, below.data);
            }
            held += below.data.len();
            if deltas.len() > MAX_CHAIN || held > walker.meter.room() {
                return None;
            }
            deltas.push(below.data);
            base = below.base?;
        };
        for delta in deltas.iter().rev() {
            data = apply_delta(&data, delta, walker.meter.room() as u64).ok()?;
        }
        Some((kind, data))
    }

    /// Keeps an object for deltas to come; returns its name for people.
    fn remember(&mut self, at: usize, kind: Kind, data: &[u8]) -> String {
        let oid = HashKind::Sha1.hash(kind, data);
        self.by_name.insert(oid, at);
        if self.cached + data.len() > CACHE {
            self.cache.clear();
            self.cached = 0;
        }
        if data.len() <= CACHE / 4 {
            self.cached += data.len();
            self.cache.insert(at, (kind, data.to_vec()));
        }
        format!("({} {oid})", kind.name())
    }
}
