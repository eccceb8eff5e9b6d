//! Texts of PDF files: streams, unpacked, and the text that pages show.
//!
//! Format: ISO 32000-1 (PDF 1.7), 7.3.8 (streams), 7.4 (filters), 9.4 (text), 9.10.3 (ToUnicode).

use std::io::Read;

use super::Walker;
use super::meter::Metered;
use super::pdf_text::{self, CharMap};

pub(super) const MAGIC: &[u8] = b"%PDF-";

/// Bytes before a stream in which its dictionary is looked for.
const MAX_DICTIONARY: usize = 4 << 10;
/// Longest unpacked stream that is held, in bytes.
const MAX_STREAM: usize = 16 << 20;
/// Most character maps that a page's text is read with.
const MAX_MAPS: usize = 24;
/// Most codes in all of them: two bytes of a code tell 65,536 apart, and hardly a font has so many.
const MAX_CODES: usize = 1 << 18;

/// A stream as it stands in the file.
struct Packed<'a> {
    name: String,
    dictionary: &'a [u8],
    data: &'a [u8],
}

/// Gives every stream that is no picture, the text of pages, and the file itself as binary data.
pub(super) fn open(walker: &mut Walker<'_, '_>, bytes: &[u8]) {
    if memchr::memmem::find(bytes, b"/Encrypt").is_some() {
        walker.skip("encrypted", "the document is encrypted".to_owned());
    }
    walker.give(bytes, true);
    let maps = char_maps(walker, bytes);
    for packed in streams(bytes) {
        let Some(content) = unpack(walker, &packed) else { continue };
        let go_on = deliver(walker, &packed.name, &content, &maps);
        walker.meter.recycle(content);
        if !go_on {
            return;
        }
    }
}

/// Gives a stream, and the text it shows if it is a page's.
fn deliver(walker: &mut Walker<'_, '_>, name: &str, content: &[u8], maps: &[CharMap]) -> bool {
    if !walker.member(name.as_bytes(), super::Stream::Slice(content)) {
        return false;
    }
    if !pdf_text::shows_text(content) {
        return true;
    }
    let (text, whole) = pdf_text::shown(content, maps);
    if !whole {
        walker.skip_member(name.as_bytes(), "archive-ratio", "its characters stand for too long a text");
    }
    let inner = name.trim_matches(['(', ')']);
    text.is_empty() || walker.text(format!("(text of {inner})").as_bytes(), &text)
}

/// The maps from character codes to characters of all fonts.
fn char_maps(walker: &mut Walker<'_, '_>, bytes: &[u8]) -> Vec<CharMap> {
    let mut maps: Vec<CharMap> = Vec::new();
    for packed in streams(bytes) {
        let codes: usize = maps.iter().map(CharMap::len).sum();
        if packed.data.len() > 1 << 20 || maps.len() == MAX_MAPS || codes > MAX_CODES {
            continue;
        }
        if let Some(content) = unpack(walker, &packed) {
            if let Some(map) = CharMap::parse(&content).filter(|map| !maps.contains(map)) {
                maps.push(map);
            }
            walker.meter.recycle(content);
        }
    }
    maps
}

/// Every stream, in order.
fn streams(bytes: &[u8]) -> impl Iterator<Item = Packed<'_>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        loop {
            let at = from + memchr::memmem::find(bytes.get(from..)?, b"stream")?;
            let after = at + b"stream".len();
            from = after;
            let rest = bytes.get(after..)?;
            let start = after + if rest.starts_with(b"\r\n") { 2 } else { 1 };
            let before = bytes.get(at.saturating_sub(MAX_DICTIONARY)..at)?;
            if before.ends_with(b"end") || !before.trim_ascii_end().ends_with(b">>") {
                continue;
            }
            let data = bytes.get(start..)?;
            let len = memchr::memmem::find(data, b"endstream").unwrap_or(data.len());
            from = start + len;
            let begin = memchr::memmem::rfind(before, b" obj").unwrap_or_default();
            let digit = |b: &&u8| b.is_ascii_digit() || **b == b' ';
            let header: Vec<u8> =
                before.get(..begin)?.iter().rev().take(20).take_while(digit).copied().collect();
            let number: Vec<u8> = header.into_iter().rev().collect();
            let number = String::from_utf8_lossy(&number).split_whitespace().next().unwrap_or("?").to_owned();
            return Some(Packed {
                name: format!("(object {number})"),
                dictionary: before.get(begin..)?,
                data: data.get(..len)?,
            });
        }
    })
}

/// Undoes the filters of a stream. None for pictures and fonts, and for what is no filtered stream.
fn unpack(walker: &mut Walker<'_, '_>, packed: &Packed<'_>) -> Option<Vec<u8>> {
    let has = |name: &[u8]| memchr::memmem::find(packed.dictionary, name).is_some();
    if has(b"/DCTDecode")
        || has(b"/JPXDecode")
        || has(b"/CCITTFaxDecode")
        || has(b"/JBIG2Decode")
        || has(b"/Image")
    {
        return None;
    }
    let mut content = packed.data.to_vec();
    // Filters stand in the order in which they are undone.
    for (at, filter) in filters(packed.dictionary) {
        content = match filter {
            b"/ASCIIHexDecode" | b"/AHx" => pdf_text::hex(&content),
            b"/ASCII85Decode" | b"/A85" => ascii85(&content),
            b"/FlateDecode" | b"/Fl" => inflate(walker, &content)?,
            b"/LZWDecode" | b"/LZW" => lzw(&content, packed.dictionary.get(at..).unwrap_or_default()),
            _ => content,
        };
        if !walker.meter.unpack(content.len() as u64) {
            return None;
        }
    }
    Some(content)
}

/// The names of filters in a dictionary, in order.
fn filters(dictionary: &[u8]) -> Vec<(usize, &[u8])> {
    let name_at = |at: usize| {
        let rest = dictionary.get(at..).unwrap_or_default();
        let len = rest.iter().skip(1).take_while(|b| b.is_ascii_alphanumeric()).count() + 1;
        (at, rest.get(..len).unwrap_or_default())
    };
    memchr::memchr_iter(b'/', dictionary)
        .map(name_at)
        .filter(|(_, name)| {
            name.ends_with(b"Decode") || matches!(*name, b"/Fl" | b"/A85" | b"/AHx" | b"/LZW")
        })
        .collect()
}

fn inflate(walker: &Walker<'_, '_>, data: &[u8]) -> Option<Vec<u8>> {
    let mut content = walker.meter.buffer();
    let decoder = Metered::new(flate2::bufread::ZlibDecoder::new(data), walker.meter);
    // Streams that are cut off are read as far as they go.
    let _ = decoder.take(MAX_STREAM as u64).read_to_end(&mut content);
    (!content.is_empty()).then_some(content)
}

/// ASCII base-85 of Adobe.
fn ascii85(data: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(data.len() / 5 * 4);
    let mut group = [b'u'; 5];
    let mut filled = 0;
    let value = |group: &[u8; 5]| {
        group.iter().fold(0u32, |n, b| n.wrapping_mul(85).wrapping_add(u32::from(b.wrapping_sub(b'!'))))
    };
    for &b in data {
        match b {
            b'z' if filled == 0 => out.extend_from_slice(&[0; 4]),
            b'!'..=b'u' => {
                group[filled] = b;
                filled += 1;
                if filled == 5 {
                    out.extend_from_slice(&value(&group).to_be_bytes());
                    (group, filled) = ([b'u'; 5], 0);
                }
            }
            b'~' => break,
            _ => {}
        }
    }
    if filled > 1 {
        out.extend_from_slice(&value(&group).to_be_bytes()[..filled - 1]);
    }
    out
}

/// LZW with codes of 9 to 12 bits.
fn lzw(data: &[u8], dictionary: &[u8]) -> Vec<u8> {
    let early = usize::from(memchr::memmem::find(dictionary, b"/EarlyChange 0").is_none());
    let mut out: Vec<u8> = Vec::new();
    // Each entry is a stretch of what was put out.
    let mut entries: Vec<(usize, usize)> = Vec::new();
    let mut last: Option<(usize, usize)> = None;
    let (mut word, mut have) = (0u32, 0u32);
    let mut width = 9;
    for &b in data {
        word = word << 8 | u32::from(b);
        have += 8;
        if have < width {
            continue;
        }
        have -= width;
        let code = ((word >> have) & ((1 << width) - 1)) as usize;
        let start = out.len();
        match code {
            256 => {
                entries.clear();
                (last, width) = (None, 9);
                continue;
            }
            257 => break,
            0..=255 => out.push(code as u8),
            _ => match (entries.get(code - 258).copied(), last) {
                (Some((from, len)), _) => (from..from + len).for_each(|i| out.push(out[i])),
                (None, Some((from, len))) if code - 258 == entries.len() => {
                    (from..from + len).for_each(|i| out.push(out[i]));
                    out.push(out[from]);
                }
                _ => break,
            },
        }
        if let Some((from, len)) = last {
            entries.push((from, len + 1)); // what followed it is the first byte of this one
        }
        last = Some((start, out.len() - start));
        width = match entries.len() + 258 + usize::from(last.is_some()) + early {
            0..=512 => 9,
            513..=1024 => 10,
            1025..=2048 => 11,
            _ => 12,
        };
        if out.len() > MAX_STREAM {
            break;
        }
    }
    out
}
