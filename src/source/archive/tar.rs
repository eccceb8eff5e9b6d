//! Tar archives: ustar, pax and GNU.
//!
//! Format: POSIX.1-2017 `pax`, and the GNU tar manual, "Basic Tar Format".

use super::stream::Stream;
use super::{Layer, Walker};

/// Bytes a block.
const BLOCK: usize = 512;
/// Longest long name or extended header that is read, in bytes.
const MAX_META: u64 = 1 << 20;

/// Whether these are the first bytes of a member: a header with the right checksum.
pub(super) fn is_header(head: &[u8]) -> bool {
    let Some(block) = head.first_chunk::<BLOCK>() else {
        return false;
    };
    // Names begin with something; what is no octal number is no checksum.
    let plausible = block[0] > b' ' && block[148..156].iter().all(|b| matches!(b, b'0'..=b'7' | b' ' | 0));
    plausible && checksum_fits(block)
}

fn checksum_fits(block: &[u8; BLOCK]) -> bool {
    let Some(stored) = octal(&block[148..156]) else {
        return false;
    };
    let sum = |signed: bool| {
        let value = |b: u8| {
            if signed { i64::from(b as i8) } else { i64::from(b) }
        };
        let blanked = |(i, &b): (usize, &u8)| {
            if (148..156).contains(&i) { 32 } else { value(b) }
        };
        block.iter().enumerate().map(blanked).sum::<i64>()
    };
    [sum(false), sum(true)].contains(&(stored as i64))
}

/// An octal number between blanks and zeros. None if it is none, or empty.
fn octal(field: &[u8]) -> Option<u64> {
    let end = |b: &u8| matches!(b, b' ' | 0);
    let start = field.iter().position(|b| !end(b))?;
    let digits = field.get(start..)?.split(end).next()?;
    digits.iter().try_fold(0u64, |n, &b| match b {
        b'0'..=b'7' => n.checked_mul(8)?.checked_add(u64::from(b - b'0')),
        _ => None,
    })
}

/// The size field: octal, or binary with the top bit set. None if it is negative or no number.
fn size(field: &[u8]) -> Option<u64> {
    match field.first()? {
        0x80 => {
            let (high, low) = field.split_at_checked(field.len().checked_sub(8)?)?;
            let rest = high.get(1..)?;
            rest.iter().all(|&b| b == 0).then(|| low.iter().fold(0, |n, &b| n << 8 | u64::from(b)))
        }
        0x81.. => None,
        _ if field.iter().all(|b| matches!(b, b' ' | 0)) => Some(0),
        _ => octal(field),
    }
}

/// What headers before a member say of it.
#[derive(Default)]
struct Extended {
    name: Option<Vec<u8>>,
    size: Option<u64>,
}

/// Opens every member. An archive that is cut off is read as far as it goes.
pub(super) fn open(walker: &mut Walker<'_, '_>, stream: &mut Stream<'_>) {
    let mut extended = Extended::default();
    loop {
        let ended = skip_zeros(stream);
        let head = stream.peek(BLOCK);
        if head.is_empty() {
            return;
        }
        if ended && !is_header(head) {
            return walker.content(Stream::of(stream), Layer::Unpacked("(behind tar)"));
        }
        let Some(header) = head.first_chunk::<BLOCK>().copied() else {
            return walker.skip("archive-damaged", "ends inside a header".to_owned());
        };
        if !checksum_fits(&header) {
            return walker.skip("archive-damaged", "a header has a wrong checksum".to_owned());
        }
        stream.skip(BLOCK as u64);
        let Some(len) = size(&header[124..136]) else {
            return walker.skip("archive-damaged", "a member has no valid size".to_owned());
        };
        if !entry(walker, stream, &header, len, &mut extended) {
            return;
        }
    }
}

/// Passes over blocks of zeros, which end an archive; another may follow. True if there were any.
fn skip_zeros(stream: &mut Stream<'_>) -> bool {
    let mut any = false;
    loop {
        let head = stream.peek(BLOCK);
        let len = head.len();
        if len == 0 || head.iter().any(|&b| b != 0) {
            return any;
        }
        any = true;
        stream.skip(len as u64);
    }
}

/// Deals with the entry behind a header. False where the archive ends.
fn entry(
    walker: &mut Walker<'_, '_>,
    stream: &mut Stream<'_>,
    header: &[u8; BLOCK],
    len: u64,
    extended: &mut Extended,
) -> bool {
    let whole = match header[156] {
        kind @ (b'L' | b'K' | b'x' | b'X' | b'g') => {
            let mut meta = Vec::new();
            let whole = stream.part(len, |mut part| {
                part.append(&mut meta, len.min(MAX_META) as usize);
            });
            match kind {
                b'L' => extended.name = Some(until_zero(&meta).to_vec()),
                b'x' | b'X' => pax(&meta, extended),
                _ => {}
            }
            whole && pad(stream, len)
        }
        // Links, devices and folders have no content, whatever their size says; GNU's dumps of folders do.
        b'1'..=b'6' => {
            *extended = Extended::default();
            true
        }
        _ => {
            let Extended { name, size } = std::mem::take(extended);
            let len = size.unwrap_or(len);
            let name = name.unwrap_or_else(|| name_of(header));
            let mut go_on = true;
            let whole = stream.part(len, |part| go_on = walker.member(&name, part));
            if !go_on {
                return false;
            }
            whole && pad(stream, len)
        }
    };
    if !whole && stream.error().is_none() {
        walker.skip("archive-damaged", "ends inside a member".to_owned());
    }
    whole
}

/// Passes over the bytes that fill the last block.
fn pad(stream: &mut Stream<'_>, len: u64) -> bool {
    let rest = (BLOCK as u64 - len % BLOCK as u64) % BLOCK as u64;
    // The last padding may be missing.
    stream.skip(rest) == rest || stream.error().is_none()
}

fn until_zero(field: &[u8]) -> &[u8] {
    field.split(|&b| b == 0).next().unwrap_or_default()
}

fn name_of(header: &[u8; BLOCK]) -> Vec<u8> {
    let name = until_zero(&header[..100]);
    let prefix = until_zero(&header[345..500]);
    if header[257..263] == *b"ustar\0" && !prefix.is_empty() {
        [prefix, b"/", name].concat()
    } else {
        name.to_vec()
    }
}

/// Records of a pax header: `LENGTH KEY=VALUE\n`.
fn pax(meta: &[u8], extended: &mut Extended) {
    let mut rest = meta;
    while let Some(space) = rest.iter().position(|&b| b == b' ') {
        let (digits, _) = rest.split_at(space);
        let Some(len) = std::str::from_utf8(digits).ok().and_then(|d| d.parse::<usize>().ok()) else {
            return;
        };
        let Some((record, after)) = rest.split_at_checked(len) else {
            return;
        };
        let Some(body) = record.get(space + 1..len.saturating_sub(1)) else {
            return;
        };
        if let Some(path) = body.strip_prefix(b"path=") {
            extended.name = Some(path.to_vec());
        } else if let Some(size) = body.strip_prefix(b"size=") {
            extended.size = std::str::from_utf8(size).ok().and_then(|s| s.parse().ok());
        }
        rest = after;
        if len == 0 {
            return;
        }
    }
}
