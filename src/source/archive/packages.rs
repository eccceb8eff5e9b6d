//! Archives that packages of operating systems are made of: ar (deb), cpio, rpm.
//!
//! Formats: ar(5) of the BSDs and GNU binutils; "newc" and "odc" of cpio(5); the RPM package format of
//! the RPM reference manual.

use super::stream::Stream;
use super::{Layer, Walker};

/// Longest table of names that is read, in bytes.
const MAX_NAMES: u64 = 16 << 20;
/// Longest name, in bytes.
const MAX_NAME: usize = 64 << 10;
/// Longest header of an rpm that is read, in bytes.
const MAX_HEADER: usize = 32 << 20;

pub(super) const AR: &[u8] = b"!<arch>\n";
pub(super) const CPIO: [&[u8]; 3] = [b"070701", b"070702", b"070707"];
pub(super) const RPM: &[u8] = &[0xed, 0xab, 0xee, 0xdb];

fn decimal(field: &[u8]) -> Option<u64> {
    std::str::from_utf8(field.trim_ascii()).ok()?.parse().ok()
}

/// Takes `N` bytes from the front.
fn array<const N: usize>(stream: &mut Stream<'_>) -> Option<[u8; N]> {
    let array = stream.peek(N).first_chunk::<N>().copied()?;
    stream.skip(N as u64);
    Some(array)
}

fn cut_off(walker: &mut Walker<'_, '_>, stream: &Stream<'_>) {
    if stream.error().is_none() {
        walker.skip("archive-damaged", "is cut off".to_owned());
    }
}

/// Opens every member of an ar archive.
pub(super) fn open_ar(walker: &mut Walker<'_, '_>, stream: &mut Stream<'_>) {
    stream.skip(AR.len() as u64);
    let mut names = Vec::new();
    while !stream.peek(1).is_empty() {
        let Some(header) = array::<60>(stream) else { return cut_off(walker, stream) };
        let (Some(len), b"`\n") = (decimal(&header[48..58]), &header[58..60]) else {
            return walker.skip("archive-damaged", "a header is no header".to_owned());
        };
        let name = header[..16].trim_ascii_end();
        let mut go_on = true;
        let whole = if name == b"//" {
            stream.part(len, |mut part| {
                part.append(&mut names, len.min(MAX_NAMES) as usize);
            })
        } else {
            stream.part(len, |mut part| {
                let name = ar_name(name, &names, &mut part);
                go_on = walker.member(&name, part);
            })
        };
        if !go_on {
            return;
        }
        if !whole {
            return cut_off(walker, stream);
        }
        stream.skip(len % 2);
    }
}

/// Resolves names that stand elsewhere: `/17` in the table of names, `#1/17` before the data.
fn ar_name(name: &[u8], names: &[u8], data: &mut Stream<'_>) -> Vec<u8> {
    if let Some(len) = name.strip_prefix(b"#1/").and_then(decimal) {
        let mut long = Vec::new();
        data.append(&mut long, len.min(4096) as usize);
        return long.split(|&b| b == 0).next().unwrap_or_default().to_vec();
    }
    let offset = name.strip_prefix(b"/").and_then(decimal).and_then(|at| usize::try_from(at).ok());
    if let Some(rest) = offset.and_then(|at| names.get(at..)) {
        // Many members can have the same name: a long table must not be one.
        let rest = rest.get(..MAX_NAME).unwrap_or(rest);
        let name = rest.split(|&b| matches!(b, b'\n' | 0)).next().unwrap_or_default();
        return name.strip_suffix(b"/").unwrap_or(name).to_vec();
    }
    name.strip_suffix(b"/").filter(|n| !n.is_empty()).unwrap_or(name).to_vec()
}

/// Opens every member of a cpio archive.
pub(super) fn open_cpio(walker: &mut Walker<'_, '_>, stream: &mut Stream<'_>) {
    while !stream.peek(1).is_empty() {
        let Some((name_len, len, align)) = cpio_header(stream) else { return cut_off(walker, stream) };
        if name_len > MAX_NAME {
            return walker.skip("archive-damaged", "a name is too long".to_owned());
        }
        let header = if align == 1 { 76 } else { 110 };
        let mut name = Vec::new();
        stream.append(&mut name, name_len);
        stream.skip(padding((header + name_len) as u64, align));
        let name = name.split(|&b| b == 0).next().unwrap_or_default();
        if name == b"TRAILER!!!" {
            return;
        }
        let mut go_on = true;
        let whole = stream.part(len, |part| {
            if len > 0 {
                go_on = walker.member(name, part);
            }
        });
        if !go_on {
            return;
        }
        if !whole {
            return cut_off(walker, stream);
        }
        stream.skip(padding(len, align));
    }
}

fn padding(len: u64, align: u64) -> u64 {
    (align - len % align) % align
}

/// Length of the name (with its zero), length of the data, and to what both are padded.
fn cpio_header(stream: &mut Stream<'_>) -> Option<(usize, u64, u64)> {
    let number = |field: &[u8], radix| u64::from_str_radix(std::str::from_utf8(field).ok()?, radix).ok();
    match stream.peek(6) {
        b"070701" | b"070702" => {
            let header = array::<110>(stream)?;
            Some((number(&header[94..102], 16)? as usize, number(&header[54..62], 16)?, 4))
        }
        b"070707" => {
            let header = array::<76>(stream)?;
            Some((number(&header[59..65], 8)? as usize, number(&header[65..76], 8)?, 1))
        }
        _ => None,
    }
}

/// Opens an rpm: the texts of its header (scripts are there), and the payload.
pub(super) fn open_rpm(walker: &mut Walker<'_, '_>, stream: &mut Stream<'_>) {
    stream.skip(96);
    for (name, aligned) in [(None, true), (Some("(header)"), false)] {
        let Some(index_and_store) = rpm_header(stream) else { return cut_off(walker, stream) };
        let (index, store) = index_and_store;
        stream.skip(16 * index);
        if let Some(name) = name {
            let mut texts = walker.meter.buffer();
            stream.append(&mut texts, (store as usize).min(MAX_HEADER));
            // Values end in a zero byte each; on lines of their own they are text.
            texts.iter_mut().filter(|b| **b == 0).for_each(|b| *b = b'\n');
            if !walker.text(name.as_bytes(), &texts) {
                return;
            }
            walker.meter.recycle(texts);
        } else {
            stream.skip(store);
        }
        if aligned {
            stream.skip(padding(store, 8));
        }
    }
    walker.content(Stream::of(stream), Layer::Unpacked("(payload)"));
}

/// Number of index entries and bytes of store of a header structure.
fn rpm_header(stream: &mut Stream<'_>) -> Option<(u64, u64)> {
    let header = array::<16>(stream)?;
    let number = |at: usize| header.get(at..)?.first_chunk().map(|b| u64::from(u32::from_be_bytes(*b)));
    header.starts_with(&[0x8e, 0xad, 0xe8]).then_some((number(8)?, number(12)?))
}
