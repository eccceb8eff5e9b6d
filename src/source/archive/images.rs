//! Texts in images: PNG text chunks, EXIF, XMP and comments of JPEG, TIFF and WebP.
//!
//! Formats: PNG (W3C, third edition) 11.3; EXIF 2.32 (CIPA DC-008); TIFF 6.0.

use super::compressed::unpack;
use super::cursor::Cursor;
use super::stream::Stream;
use super::{Layer, Walker};

pub(super) const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
pub(super) const JPEG: &[u8] = b"\xff\xd8\xff";

/// Most entries of a folder of EXIF, and most folders.
const MAX_ENTRIES: u16 = 4096;
const MAX_FOLDERS: usize = 64;
/// Most bytes of all values of EXIF that are looked at.
const MAX_TEXTS: usize = 16 << 20;

/// Whether this is a TIFF file.
pub(super) fn is_tiff(head: &[u8]) -> bool {
    head.starts_with(b"II*\0") || head.starts_with(b"MM\0*")
}

/// Whether this is a WebP image.
pub(super) fn is_webp(head: &[u8]) -> bool {
    head.starts_with(b"RIFF") && head.get(8..12) == Some(b"WEBP")
}

/// Gives the text chunks of a PNG image, and what is behind the image.
pub(super) fn open_png(walker: &mut Walker<'_, '_>, bytes: &[u8]) {
    let mut cursor = Cursor::at(bytes, PNG.len());
    while let Some(len) = cursor.u32_be() {
        let chunk = (|| {
            let kind = cursor.array::<4>()?;
            let data = cursor.take(usize::try_from(len).ok()?)?;
            cursor.take(4)?; // the checksum
            Some((kind, data))
        })();
        let Some((kind, data)) = chunk else {
            return walker.skip("archive-damaged", "is cut off".to_owned());
        };
        match &kind {
            b"tEXt" | b"zTXt" | b"iTXt" if text_chunk(walker, &kind, data).is_none() => {
                walker.skip("archive-damaged", "a text chunk cannot be read".to_owned());
            }
            b"eXIf" => exif(walker, data),
            b"IEND" => return behind(walker, cursor.rest()),
            _ => {}
        }
        if walker.meter.stopped().is_some() {
            return;
        }
    }
}

/// Deals with what follows an image in its file: a favourite hiding place.
fn behind(walker: &mut Walker<'_, '_>, rest: &[u8]) {
    if rest.iter().any(|&b| b != 0) {
        walker.content(Stream::Slice(rest), Layer::Unpacked("(behind image)"));
    }
}

fn text_chunk(walker: &mut Walker<'_, '_>, kind: &[u8; 4], data: &[u8]) -> Option<()> {
    let mut cursor = Cursor::new(data);
    let keyword = cursor.until_zero()?;
    let name = [b"(", kind.as_slice(), b" ", keyword, b")"].concat();
    let packed = match kind {
        b"tEXt" => false,
        b"zTXt" => cursor.u8()? == 0,
        _ => {
            let packed = cursor.u8()? != 0;
            cursor.u8()?;
            cursor.until_zero()?; // the language
            cursor.until_zero()?; // the keyword in it
            packed
        }
    };
    if packed {
        walker.named(&name, |walker| unpack(walker, flate2::bufread::ZlibDecoder::new(cursor.rest()), ""));
    } else {
        walker.text(&name, cursor.rest());
    }
    Some(())
}

/// Gives the texts of a JPEG image, and what is behind the image.
pub(super) fn open_jpeg(walker: &mut Walker<'_, '_>, bytes: &[u8]) {
    let mut cursor = Cursor::at(bytes, 2);
    while let Some([0xff, marker]) = cursor.array::<2>() {
        match marker {
            0xff | 0x01 | 0xd0..=0xd8 => continue,
            0xd9 => return behind(walker, cursor.rest()),
            _ => {}
        }
        let len = cursor.u16_be().and_then(|len| usize::from(len).checked_sub(2));
        let Some(data) = len.and_then(|len| cursor.take(len)) else {
            return walker.skip("archive-damaged", "is cut off".to_owned());
        };
        match marker {
            0xe1 if data.starts_with(b"Exif\0\0") => exif(walker, data.get(6..).unwrap_or_default()),
            0xe1 if data.starts_with(b"http") => xmp(walker, data),
            0xed => {
                let mut lines = Vec::new();
                super::strings::narrow(data, 4, &mut lines);
                walker.text(b"(iptc)", &lines);
            }
            0xfe => {
                walker.text(b"(comment)", data);
            }
            // The picture itself: it ends at a marker that cannot be in it.
            0xda => {
                if let Some(end) = memchr::memmem::rfind(cursor.rest(), b"\xff\xd9") {
                    behind(walker, cursor.rest().get(end + 2..).unwrap_or_default());
                }
                return;
            }
            _ => {}
        }
        if walker.meter.stopped().is_some() {
            return;
        }
    }
}

fn xmp(walker: &mut Walker<'_, '_>, data: &[u8]) {
    let start = memchr::memchr(0, data).map_or(0, |i| i + 1);
    walker.text(b"(xmp)", data.get(start..).unwrap_or_default());
}

/// Gives the texts of a WebP image.
pub(super) fn open_webp(walker: &mut Walker<'_, '_>, bytes: &[u8]) {
    let mut cursor = Cursor::at(bytes, 12);
    while let Some(kind) = cursor.array::<4>() {
        let data = cursor.u32_le().and_then(|len| cursor.take(usize::try_from(len).ok()?));
        let Some(data) = data else { return walker.skip("archive-damaged", "is cut off".to_owned()) };
        match &kind {
            b"EXIF" => exif(walker, data.strip_prefix(b"Exif\0\0").unwrap_or(data)),
            b"XMP " => {
                walker.text(b"(xmp)", data);
            }
            _ => {}
        }
        if data.len() % 2 == 1 {
            cursor.take(1);
        }
    }
}

/// Gives the texts of EXIF data, one a line.
pub(super) fn exif(walker: &mut Walker<'_, '_>, tiff: &[u8]) {
    let mut lines = Vec::new();
    if tiff_texts(tiff, &mut lines).is_none() {
        walker.skip("archive-damaged", "its EXIF data cannot be read".to_owned());
    }
    if !lines.is_empty() {
        walker.text(b"(exif)", &lines);
    }
}

/// Numbers of a TIFF file, in its byte order.
struct Tiff<'a> {
    bytes: &'a [u8],
    little: bool,
}

impl Tiff<'_> {
    fn u16(&self, at: usize) -> Option<u16> {
        let mut cursor = Cursor::at(self.bytes, at);
        if self.little { cursor.u16_le() } else { cursor.u16_be() }
    }

    fn u32(&self, at: usize) -> Option<usize> {
        let mut cursor = Cursor::at(self.bytes, at);
        usize::try_from(if self.little { cursor.u32_le() } else { cursor.u32_be() }?).ok()
    }
}

fn tiff_texts(bytes: &[u8], lines: &mut Vec<u8>) -> Option<()> {
    let tiff = Tiff { bytes, little: bytes.starts_with(b"II") };
    let mut folders = vec![tiff.u32(4)?];
    let (mut done, mut read) = (0, 0usize);
    while let Some(&folder) = folders.get(done) {
        done += 1;
        let n = tiff.u16(folder)?.min(MAX_ENTRIES);
        for i in 0..usize::from(n) {
            let entry = folder + 2 + 12 * i;
            let (tag, kind, count) = (tiff.u16(entry)?, tiff.u16(entry + 2)?, tiff.u32(entry + 4)?);
            if matches!(tag, 0x8769 | 0x8825 | 0xa005) {
                folders.push(tiff.u32(entry + 8)?);
                continue;
            }
            // Texts, and bytes of unknown use, which comments and makers' notes are.
            if matches!(kind, 1 | 2 | 7) {
                let at = if count <= 4 { entry + 8 } else { tiff.u32(entry + 8)? };
                let value = bytes.get(at..at.checked_add(count)?).unwrap_or_default();
                // Entries that all claim the whole file would be endless.
                read += value.len();
                if read > MAX_TEXTS {
                    return None;
                }
                texts_of_value(tag, value, lines);
            }
        }
        let next = tiff.u32(folder + 2 + 12 * usize::from(n)).unwrap_or_default();
        if next != 0 {
            folders.push(next);
        }
        // Folders that lead to each other have no end.
        if folders.len() > MAX_FOLDERS {
            return None;
        }
    }
    Some(())
}

fn texts_of_value(tag: u16, value: &[u8], lines: &mut Vec<u8>) {
    // Windows' tags are UTF-16; a comment says in eight bytes what it is.
    let unicode = value.strip_prefix(b"UNICODE\0");
    if (0x9c9b..=0x9c9f).contains(&tag) || unicode.is_some() {
        let units = unicode.unwrap_or(value).as_chunks::<2>().0;
        let big = unicode.is_some_and(|v| v.first() == Some(&0));
        let units: Vec<u16> =
            units.iter().map(|u| if big { u16::from_be_bytes(*u) } else { u16::from_le_bytes(*u) }).collect();
        lines.extend_from_slice(String::from_utf16_lossy(&units).trim_end_matches('\0').as_bytes());
        lines.push(b'\n');
    } else {
        super::strings::narrow(value, 4, lines);
    }
}
