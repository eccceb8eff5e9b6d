//! Zip archives, read by their central directory, or from front to back where that is missing.
//!
//! Format: PKWARE APPNOTE.TXT 6.3.10.

use std::io::Read;

use super::compressed::XZ_MEMORY;
use super::meter::Metered;
use super::stream::Stream;
use super::{Walker, office};

const LOCAL: &[u8] = b"PK\x03\x04";
const CENTRAL: &[u8] = b"PK\x01\x02";
const END: &[u8] = b"PK\x05\x06";
const END64: &[u8] = b"PK\x06\x06";
const LOCATOR64: &[u8] = b"PK\x06\x07";

/// Members of up to this many bytes are unpacked in one go.
const SMALL: usize = 4 << 20;
/// Largest dictionary of LZMA, in bytes.
const MAX_DICTIONARY: u64 = 128 << 20;

/// What a header says of a member.
struct Entry<'a> {
    name: &'a [u8],
    flags: u16,
    method: u16,
    packed: u64,
    unpacked: u64,
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|b| u16::from_le_bytes(*b))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|b| u32::from_le_bytes(*b))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().map(|b| u64::from_le_bytes(*b))
}

/// Opens every member.
pub(super) fn open(walker: &mut Walker<'_, '_>, bytes: &[u8]) {
    match Directory::of(bytes) {
        Some(directory) => directory.open(walker),
        None => {
            walker.skip("archive-damaged", "has no central directory; read from the front".to_owned());
            from_front(walker, bytes);
        }
    }
}

/// Where the zip archive begins that the bytes end in (programs that unpack themselves).
pub(super) fn at_end(bytes: &[u8]) -> Option<usize> {
    let directory = Directory::of(bytes)?;
    directory.entry(directory.start).map(|_| directory.shift)
}

/// The central directory.
struct Directory<'a> {
    bytes: &'a [u8],
    /// Where it begins.
    start: usize,
    /// What to add to offsets in it: bytes that stand before the archive.
    shift: usize,
    entries: u64,
}

impl<'a> Directory<'a> {
    fn of(bytes: &'a [u8]) -> Option<Self> {
        // A comment of up to 64 KiB may follow the end record.
        let tail = bytes.len().saturating_sub(22 + 0xffff);
        let end = tail + memchr::memmem::rfind(bytes.get(tail..)?, END)?;
        let mut entries = u64::from(u16_at(bytes, end + 10)?);
        let mut len = u64::from(u32_at(bytes, end + 12)?);
        let mut offset = u64::from(u32_at(bytes, end + 16)?);
        let mut behind = end;
        let locator = end.checked_sub(20).filter(|&at| bytes.get(at..at + 4) == Some(LOCATOR64));
        if let Some(found) = locator.and_then(|at| Self::end64(bytes, at)) {
            entries = u64_at(bytes, found + 32)?;
            len = u64_at(bytes, found + 40)?;
            offset = u64_at(bytes, found + 48)?;
            behind = found;
        }
        let start = behind.checked_sub(usize::try_from(len).ok()?)?;
        let shift = start.checked_sub(usize::try_from(offset).ok()?)?;
        let fits = entries == 0 || bytes.get(start..start + 4) == Some(CENTRAL);
        fits.then_some(Directory { bytes, start, shift, entries })
    }

    /// Finds the zip64 end record: where the locator says, or directly before it.
    fn end64(bytes: &[u8], locator: usize) -> Option<usize> {
        let said = usize::try_from(u64_at(bytes, locator + 8)?).ok();
        let near = locator.checked_sub(56);
        let is_end = |&at: &usize| at.checked_add(4).and_then(|to| bytes.get(at..to)) == Some(END64);
        said.filter(is_end).or(near.filter(is_end))
    }

    /// The entry at an offset, where its local header is, and the offset of the next.
    fn entry(&self, at: usize) -> Option<(Entry<'a>, usize, usize)> {
        let header = self.bytes.get(at..)?;
        if !header.starts_with(CENTRAL) {
            return None;
        }
        let name_len = usize::from(u16_at(header, 28)?);
        let extra_len = usize::from(u16_at(header, 30)?);
        let comment_len = usize::from(u16_at(header, 32)?);
        let name = header.get(46..46 + name_len)?;
        let extra = header.get(46 + name_len..46 + name_len + extra_len)?;
        let mut packed = u64::from(u32_at(header, 20)?);
        let mut unpacked = u64::from(u32_at(header, 24)?);
        let mut offset = u64::from(u32_at(header, 42)?);
        zip64(extra, &mut [&mut unpacked, &mut packed, &mut offset]);
        let local = usize::try_from(offset).ok()?.checked_add(self.shift)?;
        let entry = Entry { name, flags: u16_at(header, 8)?, method: u16_at(header, 10)?, packed, unpacked };
        Some((entry, local, at + 46 + name_len + extra_len + comment_len))
    }

    fn open(&self, walker: &mut Walker<'_, '_>) {
        let mut at = self.start;
        for _ in 0..self.entries {
            let Some((entry, local, next)) = self.entry(at) else {
                return walker.skip("archive-damaged", "the central directory is cut off".to_owned());
            };
            at = next;
            if entry.name.ends_with(b"/") && entry.unpacked == 0 {
                continue;
            }
            let data = data_start(self.bytes, local).and_then(|start| {
                let end = start.checked_add(usize::try_from(entry.packed).ok()?)?;
                self.bytes.get(start..end)
            });
            let go_on = match data {
                Some(data) => member(walker, &entry, data),
                None => {
                    walker.skip_member(entry.name, "archive-damaged", "its data lies outside the archive");
                    walker.meter.member()
                }
            };
            if !go_on {
                return;
            }
        }
    }
}

/// Replaces 32-bit fields that are full by those of the zip64 extra field, which has them in order.
fn zip64(extra: &[u8], fields: &mut [&mut u64; 3]) {
    let mut rest = extra;
    while let (Some(id), Some(len)) = (u16_at(rest, 0), u16_at(rest, 2)) {
        let Some(body) = rest.get(4..4 + usize::from(len)) else {
            return;
        };
        if id == 1 {
            let values = body.as_chunks::<8>().0.iter().map(|b| u64::from_le_bytes(*b));
            let full = fields.iter_mut().filter(|field| ***field == u64::from(u32::MAX));
            full.zip(values).for_each(|(field, value)| **field = value);
            return;
        }
        rest = rest.get(4 + usize::from(len)..).unwrap_or_default();
    }
}

/// Where the data behind a local header begins.
fn data_start(bytes: &[u8], local: usize) -> Option<usize> {
    let header = bytes.get(local..)?;
    if !header.starts_with(LOCAL) {
        return None;
    }
    Some(local + 30 + usize::from(u16_at(header, 26)?) + usize::from(u16_at(header, 28)?))
}

/// Reads local headers one after the other, as far as it goes: archives that were cut off.
fn from_front(walker: &mut Walker<'_, '_>, bytes: &[u8]) {
    let mut at = 0;
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr::memmem::find(rest, LOCAL)) {
        let local = at + found;
        let Some((entry, start)) = local_entry(bytes, local) else {
            return;
        };
        let rest = bytes.get(start..).unwrap_or_default();
        // Where the size stands behind the data, the data end where the next header begins, or sooner.
        let known = (entry.flags & 8 == 0).then_some(entry.packed).and_then(|n| usize::try_from(n).ok());
        let next = || memchr::memmem::find(rest, LOCAL).unwrap_or(rest.len());
        let data = rest.get(..known.unwrap_or_else(next).min(rest.len())).unwrap_or_default();
        let folder = entry.name.ends_with(b"/") && data.is_empty();
        if !folder && !member(walker, &entry, data) {
            return;
        }
        at = start + data.len();
    }
}

fn local_entry(bytes: &[u8], local: usize) -> Option<(Entry<'_>, usize)> {
    let header = bytes.get(local..)?;
    let name_len = usize::from(u16_at(header, 26)?);
    let extra_len = usize::from(u16_at(header, 28)?);
    let name = header.get(30..30 + name_len)?;
    let extra = header.get(30 + name_len..30 + name_len + extra_len)?;
    let mut packed = u64::from(u32_at(header, 18)?);
    let mut unpacked = u64::from(u32_at(header, 22)?);
    zip64(extra, &mut [&mut unpacked, &mut packed, &mut 0]);
    let entry = Entry { name, flags: u16_at(header, 6)?, method: u16_at(header, 8)?, packed, unpacked };
    Some((entry, local + 30 + name_len + extra_len))
}

/// Unpacks one member. False once a limit has been reached.
fn member(walker: &mut Walker<'_, '_>, entry: &Entry<'_>, data: &[u8]) -> bool {
    if entry.flags & 1 != 0 {
        walker.skip_member(entry.name, "encrypted", "the member is encrypted");
        return walker.meter.member();
    }
    match entry.method {
        0 => walker.meter.unpack(data.len() as u64) && member_of_zip(walker, entry.name, data),
        8 => deflated(walker, entry, data),
        12 => read(walker, entry, bzip2::bufread::BzDecoder::new(data)),
        14 => lzma(walker, entry, data),
        93 => match zstd::stream::read::Decoder::with_buffer(data) {
            Ok(decoder) => read(walker, entry, decoder),
            Err(e) => damaged(walker, entry, &e.to_string()),
        },
        95 => match liblzma::stream::Stream::new_stream_decoder(XZ_MEMORY, 0) {
            Ok(stream) => read(walker, entry, liblzma::bufread::XzDecoder::new_stream(data, stream)),
            Err(e) => damaged(walker, entry, &e.to_string()),
        },
        method => {
            let detail = format!("compression method {method}");
            walker.skip_member(entry.name, "archive-unsupported", &detail);
            walker.meter.member()
        }
    }
}

fn damaged(walker: &mut Walker<'_, '_>, entry: &Entry<'_>, detail: &str) -> bool {
    walker.skip_member(entry.name, "archive-damaged", detail);
    walker.meter.member()
}

fn read(walker: &mut Walker<'_, '_>, entry: &Entry<'_>, decoder: impl Read) -> bool {
    let mut reader = Metered::new(decoder, walker.meter);
    walker.member(entry.name, Stream::of(&mut reader))
}

/// Deflate. Small members whose size is known are unpacked at once, which is twice as fast.
fn deflated(walker: &mut Walker<'_, '_>, entry: &Entry<'_>, data: &[u8]) -> bool {
    let small =
        usize::try_from(entry.unpacked).ok().filter(|&len| len > 0 && len <= SMALL.min(walker.meter.room()));
    if let Some(len) = small {
        let mut buffer = walker.meter.buffer();
        buffer.resize(len, 0);
        let inflated = walker.inflater.deflate_decompress(data, &mut buffer);
        if inflated == Ok(len) {
            let held = walker.meter.hold(len);
            let go_on = walker.meter.unpack(len as u64) && member_of_zip(walker, entry.name, &buffer);
            drop(held);
            walker.meter.recycle(buffer);
            return go_on;
        }
        walker.meter.recycle(buffer);
    }
    read(walker, entry, flate2::bufread::DeflateDecoder::new(data))
}

/// Deals with an unpacked member, and the text of documents.
fn member_of_zip(walker: &mut Walker<'_, '_>, name: &[u8], bytes: &[u8]) -> bool {
    if !walker.member(name, Stream::Slice(bytes)) {
        return false;
    }
    if !office::is_document(name) {
        return true;
    }
    let mut text = walker.meter.buffer();
    office::text(bytes, &mut text);
    let go_on = walker.text(&[b"(text of ", name, b")"].concat(), &text);
    walker.meter.recycle(text);
    go_on
}

/// LZMA: two bytes of version, the length of the properties, the properties, raw data.
fn lzma(walker: &mut Walker<'_, '_>, entry: &Entry<'_>, data: &[u8]) -> bool {
    // No more of the dictionary is used than there are bytes.
    let dictionary = u64::from(u32_at(data, 5).unwrap_or_default()).min(entry.unpacked.max(4096));
    if dictionary > MAX_DICTIONARY {
        walker.skip_member(
            entry.name,
            "archive-needs-memory",
            &format!("a dictionary of {dictionary} bytes"),
        );
        return walker.meter.member();
    }
    let decoder = (|| {
        let len = usize::from(u16_at(data, 2)?);
        let mut properties = data.get(4..4 + len)?.to_vec();
        properties.get_mut(1..5)?.copy_from_slice(&u32::try_from(dictionary).ok()?.to_le_bytes());
        let mut filters = liblzma::stream::Filters::new();
        filters.lzma1_properties(&properties).ok()?;
        let stream = liblzma::stream::Stream::new_raw_decoder(&filters).ok()?;
        Some(liblzma::bufread::XzDecoder::new_stream(data.get(4 + len..)?, stream))
    })();
    match decoder {
        // The end of the data is not marked: its length is.
        Some(decoder) => read(walker, entry, decoder.take(entry.unpacked)),
        None => damaged(walker, entry, "its properties are no LZMA"),
    }
}
