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

pub(super) const BUNDLES: [&[u8]; 2] = [b"# v2 git bundle\n", b"# v3 git bundle\n"];

/// Longest chain of deltas that is followed.
const MAX_CHAIN: usize = 4096;
/// Memory for objects that deltas are made against, in bytes; others are unpacked again when needed.
const CACHE: usize = 32 << 20;

const COMMIT: u8 = 1;
const BLOB: u8 = 3;
const TAG: u8 = 4;
const OFFSET_DELTA: u8 = 6;
const NAMED_DELTA: u8 = 7;

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
    let mut pack = Pack { bytes, by_name: HashMap::new(), cache: HashMap::new(), cached: 0 };
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
                if entry.kind >= OFFSET_DELTA && !walker.meter.unpack(data.len() as u64) {
                    return;
                }
                let name = pack.remember(at, kind, &data);
                let go_on = match kind {
                    BLOB => walker.member(name.as_bytes(), Stream::Slice(&data)),
                    COMMIT | TAG => walker.text(name.as_bytes(), &data),
                    _ => walker.meter.member(),
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
    by_name: HashMap<[u8; 20], usize>,
    cache: HashMap<usize, (u8, Vec<u8>)>,
    cached: usize,
}

/// What stands before an entry's zlib data.
struct Header<'a> {
    kind: u8,
    size: u64,
    base: Option<usize>,
    packed: &'a [u8],
}

/// An entry of the pack, unpacked: an object, or a delta.
struct Entry {
    kind: u8,
    /// Offset of the object that a delta is made against; None where it is not in the pack.
    base: Option<usize>,
    data: Vec<u8>,
}

impl<'a> Pack<'a> {
    fn header(&self, at: usize) -> Option<Header<'a>> {
        let mut cursor = Cursor::at(self.bytes, at);
        let first = cursor.u8()?;
        let kind = first >> 4 & 7;
        let mut size = u64::from(first & 0xf);
        let (mut more, mut shift) = (first & 0x80 != 0, 4);
        while more {
            let b = cursor.u8()?;
            size |= u64::from(b & 0x7f).checked_shl(shift)?;
            (more, shift) = (b & 0x80 != 0, shift + 7);
        }
        let base = match kind {
            OFFSET_DELTA => Some(at.checked_sub(distance(&mut cursor)?)?),
            NAMED_DELTA => self.by_name.get(&cursor.array::<20>()?).copied(),
            _ => None,
        };
        Some(Header { kind, size, base, packed: cursor.rest() })
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
        if kind != BLOB || size <= CACHE as u64 {
            return None;
        }
        let mut decoder = Zlib::new(packed)?;
        let mut reader = Metered::new(&mut decoder, walker.meter);
        let go_on = walker.member(format!("(blob at {at})").as_bytes(), Stream::of(&mut reader));
        if go_on { Some(self.bytes.len() - packed.len() + decoder.end()?) } else { None }
    }

    /// The object that an entry is, deltas applied. None where a base is missing.
    fn object(&mut self, walker: &Walker<'_, '_>, entry: &Entry) -> Option<(u8, Vec<u8>)> {
        if entry.kind < OFFSET_DELTA {
            return Some((entry.kind, entry.data.clone()));
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
            if below.kind < OFFSET_DELTA {
                break (below.kind, below.data);
            }
            held += below.data.len();
            if deltas.len() > MAX_CHAIN || held > walker.meter.room() {
                return None;
            }
            deltas.push(below.data);
            base = below.base?;
        };
        for delta in deltas.iter().rev() {
            data = apply(&data, delta, walker.meter.room())?;
        }
        Some((kind, data))
    }

    /// Keeps an object for deltas to come; returns its name for people.
    fn remember(&mut self, at: usize, kind: u8, data: &[u8]) -> String {
        use sha1::{Digest, Sha1};
        let word = match kind {
            COMMIT => "commit",
            BLOB => "blob",
            TAG => "tag",
            _ => "tree",
        };
        let mut hash = Sha1::new();
        hash.update(format!("{word} {}\0", data.len()));
        hash.update(data);
        let name: [u8; 20] = hash.finalize().into();
        self.by_name.insert(name, at);
        if self.cached + data.len() > CACHE {
            self.cache.clear();
            self.cached = 0;
        }
        if data.len() <= CACHE / 4 {
            self.cached += data.len();
            self.cache.insert(at, (kind, data.to_vec()));
        }
        format!("({word} {})", data_encoding::HEXLOWER.encode(&name))
    }
}

/// The distance back to the base of a delta.
fn distance(cursor: &mut Cursor<'_>) -> Option<usize> {
    let mut b = cursor.u8()?;
    let mut value = usize::from(b & 0x7f);
    while b & 0x80 != 0 {
        b = cursor.u8()?;
        value = value.checked_add(1)?.checked_mul(128)?.checked_add(usize::from(b & 0x7f))?;
    }
    Some(value)
}

fn size(cursor: &mut Cursor<'_>) -> Option<usize> {
    let (mut value, mut shift) = (0usize, 0);
    loop {
        let b = cursor.u8()?;
        value |= usize::from(b & 0x7f).checked_shl(shift)?;
        shift += 7;
        if b & 0x80 == 0 {
            return Some(value);
        }
    }
}

/// Applies a delta to its base. None if it does not fit, or makes more than `most` bytes.
pub(in crate::source) fn apply(base: &[u8], delta: &[u8], most: usize) -> Option<Vec<u8>> {
    let mut cursor = Cursor::new(delta);
    if size(&mut cursor)? != base.len() {
        return None;
    }
    let target = size(&mut cursor)?;
    if target > most {
        return None;
    }
    let mut out = Vec::with_capacity(target);
    while !cursor.is_empty() {
        let op = cursor.u8()?;
        if op & 0x80 == 0 {
            out.extend_from_slice(cursor.take(usize::from(op))?);
        } else {
            let mut number = |bits: std::ops::Range<u32>| {
                bits.clone().try_fold(0usize, |n, bit| {
                    let present = op >> bit & 1 != 0;
                    Some(if present { n | usize::from(cursor.u8()?) << (8 * (bit - bits.start)) } else { n })
                })
            };
            let offset = number(0..4)?;
            let len = match number(4..7)? {
                0 => 0x10000,
                n => n,
            };
            out.extend_from_slice(base.get(offset..offset.checked_add(len)?)?);
        }
        if out.len() > target {
            return None;
        }
    }
    (out.len() == target).then_some(out)
}
