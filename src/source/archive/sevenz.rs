//! 7z archives: copy, LZMA, LZMA2, deflate, bzip2 and zstd, with x86 and delta filters.
//!
//! Format: `DOC/7zFormat.txt` of the LZMA SDK (public domain).

use std::io::Read;

use liblzma::stream::Filters;

use super::Walker;
use super::cursor::Cursor;
use super::meter::Metered;
use super::stream::Stream;

pub(super) const MAGIC: &[u8] = &[b'7', b'z', 0xbc, 0xaf, 0x27, 0x1c];

/// Bytes of the first header.
const START: usize = 32;
/// Most of anything that a header may count: files, and parts of all folders together.
const MAX_COUNT: u64 = 1_000_000;
/// Most folders: each takes some hundred bytes of memory, and as few as two of a header.
const MAX_FOLDERS: u64 = 400_000;
/// Longest unpacked header, in bytes.
const MAX_HEADER: usize = 64 << 20;
/// Largest dictionary, in bytes.
const MAX_DICTIONARY: u64 = 128 << 20;

/// What a header may begin a part with.
mod id {
    pub(super) const END: u64 = 0;
    pub(super) const HEADER: u64 = 1;
    pub(super) const MAIN_STREAMS: u64 = 4;
    pub(super) const FILES: u64 = 5;
    pub(super) const PACK_INFO: u64 = 6;
    pub(super) const UNPACK_INFO: u64 = 7;
    pub(super) const SUB_STREAMS: u64 = 8;
    pub(super) const SIZE: u64 = 9;
    pub(super) const CRC: u64 = 10;
    pub(super) const FOLDER: u64 = 11;
    pub(super) const UNPACK_SIZE: u64 = 12;
    pub(super) const COUNT: u64 = 13;
    pub(super) const EMPTY_STREAM: u64 = 14;
    pub(super) const NAMES: u64 = 17;
    pub(super) const ENCODED_HEADER: u64 = 23;
}

/// A method and its properties.
struct Coder<'a> {
    method: &'a [u8],
    properties: &'a [u8],
    unpacked: u64,
}

/// Streams that were packed together: the coders in the order in which they are undone.
struct Folder<'a> {
    coders: Vec<Coder<'a>>,
    /// Whether it is a plain chain of coders.
    simple: bool,
    packed_streams: u64,
    unpacked: u64,
    has_crc: bool,
    /// Sizes of the files in it.
    parts: Vec<u64>,
}

#[derive(Default)]
struct Streams<'a> {
    position: u64,
    packed: Vec<u64>,
    folders: Vec<Folder<'a>>,
}

/// Opens every file.
pub(super) fn open(walker: &mut Walker<'_, '_>, bytes: &[u8]) {
    let Some(mut header) = end_header(bytes).map(<[u8]>::to_vec) else {
        return walker.skip("archive-damaged", "its header lies outside the file".to_owned());
    };
    // The header may be packed, and that packed again.
    for _ in 0..4 {
        let mut cursor = Cursor::new(&header);
        match number(&mut cursor) {
            Some(id::HEADER) => return files(walker, bytes, cursor),
            Some(id::ENCODED_HEADER) => match unpacked_header(walker, bytes, cursor) {
                Some(unpacked) => header = unpacked,
                None => break,
            },
            None if bytes.len() == START => return, // an empty archive
            _ => break,
        }
    }
    walker.skip("archive-damaged", "its header cannot be read".to_owned());
}

fn end_header(bytes: &[u8]) -> Option<&[u8]> {
    let mut cursor = Cursor::at(bytes, 12);
    let start = START.checked_add(usize::try_from(cursor.u64_le()?).ok()?)?;
    let len = usize::try_from(cursor.u64_le()?).ok()?;
    bytes.get(start..start.checked_add(len)?)
}

fn unpacked_header(walker: &mut Walker<'_, '_>, bytes: &[u8], mut cursor: Cursor<'_>) -> Option<Vec<u8>> {
    let streams = streams(&mut cursor)?;
    let folder = streams.folders.first()?;
    let packed = slice(bytes, streams.position, *streams.packed.first()?)?;
    let mut header = Vec::new();
    let decoder = match decoder(folder, packed) {
        Ok(decoder) => decoder,
        Err((reason, detail)) => {
            walker.skip(reason, detail);
            return None;
        }
    };
    let most = folder.unpacked.min(MAX_HEADER as u64);
    Metered::new(decoder, walker.meter).take(most).read_to_end(&mut header).ok()?;
    Some(header)
}

fn slice(bytes: &[u8], position: u64, len: u64) -> Option<&[u8]> {
    let start = START.checked_add(usize::try_from(position).ok()?)?;
    bytes.get(start..start.checked_add(usize::try_from(len).ok()?)?)
}

/// A number of one to nine bytes: leading ones of the first tell how many follow.
fn number(cursor: &mut Cursor<'_>) -> Option<u64> {
    let first = cursor.u8()?;
    let more = first.leading_ones().min(8);
    let mut value = 0u64;
    for i in 0..more {
        value |= u64::from(cursor.u8()?) << (8 * i);
    }
    if more < 7 {
        value |= u64::from(first & (0x7f >> more)) << (8 * more);
    }
    Some(value)
}

fn count(cursor: &mut Cursor<'_>) -> Option<u64> {
    number(cursor).filter(|&n| n <= MAX_COUNT)
}

fn numbers(cursor: &mut Cursor<'_>, n: u64) -> Option<Vec<u64>> {
    (0..n).map(|_| number(cursor)).collect()
}

/// Bits, the highest of a byte first.
fn bits(cursor: &mut Cursor<'_>, n: u64) -> Option<Vec<bool>> {
    let bytes = cursor.take(usize::try_from(n.div_ceil(8)).ok()?)?;
    Some((0..n as usize).map(|i| bytes.get(i / 8).is_some_and(|b| b & (0x80 >> (i % 8)) != 0)).collect())
}

/// Which of `n` have a checksum. The checksums are passed over.
fn digests(cursor: &mut Cursor<'_>, n: u64) -> Option<Vec<bool>> {
    if n > MAX_COUNT {
        return None;
    }
    let defined = if cursor.u8()? == 0 { bits(cursor, n)? } else { vec![true; usize::try_from(n).ok()?] };
    cursor.take(4 * defined.iter().filter(|d| **d).count())?;
    Some(defined)
}

fn streams<'a>(cursor: &mut Cursor<'a>) -> Option<Streams<'a>> {
    let mut streams = Streams::default();
    loop {
        match number(cursor)? {
            id::END => return Some(streams),
            id::PACK_INFO => pack_info(cursor, &mut streams)?,
            id::UNPACK_INFO => unpack_info(cursor, &mut streams)?,
            id::SUB_STREAMS => sub_streams(cursor, &mut streams)?,
            _ => return None,
        }
    }
}

fn pack_info(cursor: &mut Cursor<'_>, streams: &mut Streams<'_>) -> Option<()> {
    streams.position = number(cursor)?;
    let n = count(cursor)?;
    loop {
        match number(cursor)? {
            id::END => return Some(()),
            id::SIZE => streams.packed = numbers(cursor, n)?,
            id::CRC => {
                digests(cursor, n)?;
            }
            _ => return None,
        }
    }
}

fn unpack_info<'a>(cursor: &mut Cursor<'a>, streams: &mut Streams<'a>) -> Option<()> {
    if number(cursor)? != id::FOLDER {
        return None;
    }
    let n = count(cursor).filter(|n| *n <= MAX_FOLDERS)?;
    if cursor.u8()? != 0 {
        return None; // in another stream: never written
    }
    let mut orders = Vec::new();
    for _ in 0..n {
        let (folder, order) = folder(cursor)?;
        streams.folders.push(folder);
        orders.push(order);
    }
    loop {
        match number(cursor)? {
            id::END => return Some(()),
            id::UNPACK_SIZE => {
                for (folder, order) in streams.folders.iter_mut().zip(&orders) {
                    let sizes = numbers(cursor, folder.coders.len() as u64)?;
                    folder.coders.iter_mut().zip(&sizes).for_each(|(coder, size)| coder.unpacked = *size);
                    folder.unpacked = order.last().and_then(|&i| sizes.get(i)).copied().unwrap_or_default();
                    folder.parts = vec![folder.unpacked];
                    sort_by_order(&mut folder.coders, order);
                }
            }
            id::CRC => {
                let defined = digests(cursor, n)?;
                streams.folders.iter_mut().zip(defined).for_each(|(folder, crc)| folder.has_crc = crc);
            }
            _ => return None,
        }
    }
}

/// Puts coders in the order in which they are undone.
fn sort_by_order(coders: &mut Vec<Coder<'_>>, order: &[usize]) {
    let mut taken: Vec<Option<Coder<'_>>> = coders.drain(..).map(Some).collect();
    coders.extend(order.iter().filter_map(|&i| taken.get_mut(i)?.take()));
}

/// A folder's coders as listed, and the order in which to undo them.
fn folder<'a>(cursor: &mut Cursor<'a>) -> Option<(Folder<'a>, Vec<usize>)> {
    let n = number(cursor).filter(|n| (1..=32).contains(n))?;
    let mut coders = Vec::new();
    let mut simple = true;
    let (mut inputs, mut outputs) = (0, 0);
    for _ in 0..n {
        let flags = cursor.u8()?;
        let method = cursor.take(usize::from(flags & 0xf))?;
        let (ins, outs) = if flags & 0x10 != 0 { (number(cursor)?, number(cursor)?) } else { (1, 1) };
        if ins > 32 || outs != 1 {
            return None;
        }
        simple &= ins == 1;
        inputs += ins;
        outputs += outs;
        let len = if flags & 0x20 != 0 { number(cursor)? } else { 0 };
        let properties = cursor.take(usize::try_from(len).ok()?)?;
        coders.push(Coder { method, properties, unpacked: 0 });
    }
    let bonds: Vec<(u64, u64)> =
        (1..outputs).map(|_| Some((number(cursor)?, number(cursor)?))).collect::<Option<_>>()?;
    let packed_streams = inputs.checked_sub(bonds.len() as u64)?;
    if packed_streams > 1 {
        numbers(cursor, packed_streams)?;
    }
    let order = if simple { order(&bonds, coders.len())? } else { (0..coders.len()).collect() };
    let folder = Folder { coders, simple, packed_streams, unpacked: 0, has_crc: false, parts: Vec::new() };
    Some((folder, order))
}

/// Follows bonds (input, output) from the coder whose input is the packed stream to the last.
fn order(bonds: &[(u64, u64)], coders: usize) -> Option<Vec<usize>> {
    let first = (0..coders as u64).find(|i| bonds.iter().all(|(input, _)| input != i))?;
    let mut order = vec![usize::try_from(first).ok()?];
    while order.len() < coders {
        let last = *order.last()? as u64;
        let (next, _) = bonds.iter().find(|(_, output)| *output == last)?;
        order.push(usize::try_from(*next).ok()?);
    }
    Some(order)
}

fn sub_streams(cursor: &mut Cursor<'_>, streams: &mut Streams<'_>) -> Option<()> {
    let mut id = number(cursor)?;
    let mut counts = vec![1; streams.folders.len()];
    if id == id::COUNT {
        let mut left = MAX_COUNT;
        for n in &mut counts {
            *n = count(cursor)?;
            left = left.checked_sub(*n)?;
        }
        id = number(cursor)?;
    }
    for (folder, &n) in streams.folders.iter_mut().zip(&counts) {
        let mut parts = if id == id::SIZE && n > 1 { numbers(cursor, n - 1)? } else { Vec::new() };
        if n > 0 {
            let used = parts.iter().try_fold(0u64, |sum, part| sum.checked_add(*part))?;
            parts.push(folder.unpacked.checked_sub(used)?);
        }
        folder.parts = parts;
    }
    if id == id::SIZE {
        id = number(cursor)?;
    }
    while id != id::END {
        if id != id::CRC {
            return None;
        }
        let unknown = |(folder, n): (&Folder<'_>, &u64)| if *n == 1 && folder.has_crc { 0 } else { *n };
        digests(cursor, streams.folders.iter().zip(&counts).map(unknown).sum())?;
        id = number(cursor)?;
    }
    Some(())
}

/// Reads the header proper and opens what it lists.
fn files(walker: &mut Walker<'_, '_>, bytes: &[u8], mut cursor: Cursor<'_>) {
    let mut packed = Streams::default();
    let mut names = Vec::new();
    let read = (|| {
        loop {
            match number(&mut cursor)? {
                id::END => return Some(()),
                id::MAIN_STREAMS => packed = streams(&mut cursor)?,
                id::FILES => names = file_names(&mut cursor)?,
                _ => return None,
            }
        }
    })();
    if read.is_none() && packed.folders.is_empty() {
        return walker.skip("archive-damaged", "its header cannot be read".to_owned());
    }
    let mut names = names.into_iter();
    let mut position = packed.position;
    let mut sizes = packed.packed.iter();
    for folder in &packed.folders {
        let streams = usize::try_from(folder.packed_streams).unwrap_or(usize::MAX);
        let lens: Vec<u64> = sizes.by_ref().take(streams).copied().collect();
        let data = slice_to_end(bytes, position, lens.first().copied().unwrap_or_default());
        position = lens.iter().fold(position, |sum, len| sum.saturating_add(*len));
        if !open_folder(walker, folder, data, &mut names) {
            return;
        }
    }
}

/// The packed stream, or what there is of it.
fn slice_to_end(bytes: &[u8], position: u64, len: u64) -> &[u8] {
    let rest =
        usize::try_from(position).ok().and_then(|p| bytes.get(START.checked_add(p)?..)).unwrap_or_default();
    rest.get(..usize::try_from(len).unwrap_or(usize::MAX).min(rest.len())).unwrap_or_default()
}

fn open_folder(
    walker: &mut Walker<'_, '_>,
    folder: &Folder<'_>,
    data: &[u8],
    names: &mut impl Iterator<Item = Vec<u8>>,
) -> bool {
    let decoder = match decoder(folder, data) {
        Ok(decoder) => decoder,
        Err((reason, detail)) => {
            for _ in &folder.parts {
                let name = names.next().unwrap_or_else(|| b"(file)".to_vec());
                walker.skip_member(&name, reason, &detail);
            }
            return true;
        }
    };
    let mut reader = Metered::new(decoder, walker.meter);
    let mut stream = Stream::of(&mut reader);
    for &len in &folder.parts {
        let name = names.next().unwrap_or_else(|| b"(file)".to_vec());
        let mut go_on = true;
        let whole = stream.part(len, |part| go_on = walker.member(&name, part));
        if !go_on {
            return false;
        }
        if !whole {
            walker.skip_member(&name, "archive-damaged", stream.error().unwrap_or("is cut off"));
            return walker.meter.stopped().is_none();
        }
    }
    true
}

/// Names of the files that have content, in order.
fn file_names(cursor: &mut Cursor<'_>) -> Option<Vec<Vec<u8>>> {
    let n = count(cursor)?;
    let mut names = Vec::new();
    let mut empty = Vec::new();
    loop {
        let kind = number(cursor)?;
        if kind == id::END {
            break;
        }
        let len = usize::try_from(number(cursor)?).ok()?;
        let mut body = Cursor::new(cursor.take(len)?);
        match kind {
            id::NAMES if body.u8()? == 0 => {
                let units: Vec<u16> =
                    body.rest().as_chunks::<2>().0.iter().map(|u| u16::from_le_bytes(*u)).collect();
                names = units
                    .split(|&u| u == 0)
                    .take(usize::try_from(n).ok()?)
                    .map(|name| String::from_utf16_lossy(name).into_bytes())
                    .collect();
            }
            id::EMPTY_STREAM => empty = bits(&mut body, n)?,
            _ => {}
        }
    }
    let mut index = 0;
    names.retain(|_| {
        index += 1;
        !empty.get(index - 1).copied().unwrap_or_default()
    });
    Some(names)
}

/// Why a folder cannot be unpacked: reason and detail.
type Refusal = (&'static str, String);

/// Chains the decoders of a folder.
fn decoder<'d>(folder: &Folder<'_>, data: &'d [u8]) -> Result<Box<dyn Read + 'd>, Refusal> {
    let unsupported = |what: &[u8]| ("archive-unsupported", format!("method {}", hex(what)));
    if let Some(aes) = folder.coders.iter().find(|c| c.method.starts_with(&[0x06, 0xf1, 0x07])) {
        return Err(("encrypted", format!("is encrypted (method {})", hex(aes.method))));
    }
    if !folder.simple {
        return Err(("archive-unsupported", "several packed streams".to_owned()));
    }
    let mut reader: Box<dyn Read + 'd> = Box::new(data);
    let mut coders = folder.coders.iter().peekable();
    while let Some(coder) = coders.next() {
        reader = match coder.method {
            [0] => reader,
            [0x21] | [3, 1, 1] => {
                let filter = coders.next_if(|next| matches!(next.method, [3] | [3, 3, 1, 3]));
                lzma(coder, filter, reader)?
            }
            [4, 1, 8] => Box::new(flate2::read::DeflateDecoder::new(reader)),
            [4, 2, 2] => Box::new(bzip2::read::BzDecoder::new(reader)),
            [4, 0xf7, 0x11, 1] => Box::new(
                zstd::stream::read::Decoder::new(reader).map_err(|e| ("archive-damaged", e.to_string()))?,
            ),
            other => return Err(unsupported(other)),
        };
        reader = Box::new(reader.take(coder.unpacked));
    }
    Ok(reader)
}

fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

/// LZMA or LZMA2, and the filter that was applied before it.
fn lzma<'d>(
    coder: &Coder<'_>,
    filter: Option<&Coder<'_>>,
    data: Box<dyn Read + 'd>,
) -> Result<Box<dyn Read + 'd>, Refusal> {
    let damaged = || ("archive-damaged", "properties of LZMA are wrong".to_owned());
    let mut filters = Filters::new();
    match filter.map(|f| (f.method, f.properties)) {
        Some(([3], properties)) => {
            filters.delta_properties(properties).map_err(|_| damaged())?;
        }
        Some(_) => {
            filters.x86();
        }
        None => {}
    }
    let dictionary = match (coder.method, coder.properties) {
        ([0x21], [code @ 0..=40]) => (2 | u64::from(code & 1)) << (code / 2 + 11),
        ([0x21], _) => return Err(damaged()),
        (_, [_, size @ ..]) => {
            size.first_chunk().map(|s| u64::from(u32::from_le_bytes(*s))).ok_or_else(damaged)?
        }
        _ => return Err(damaged()),
    };
    // No more of the dictionary is used than there are bytes.
    if dictionary.min(coder.unpacked) > MAX_DICTIONARY {
        return Err(("archive-needs-memory", format!("a dictionary of {dictionary} bytes")));
    }
    let properties = with_dictionary(coder, dictionary.min(coder.unpacked.max(4096))).ok_or_else(damaged)?;
    let added = match coder.method {
        [0x21] => filters.lzma2_properties(&properties),
        _ => filters.lzma1_properties(&properties),
    };
    added.map_err(|_| damaged())?;
    let stream = liblzma::stream::Stream::new_raw_decoder(&filters).map_err(|_| damaged())?;
    Ok(Box::new(liblzma::read::XzDecoder::new_stream(data, stream)))
}

/// The properties with a dictionary of at least this size.
fn with_dictionary(coder: &Coder<'_>, size: u64) -> Option<Vec<u8>> {
    let mut properties = coder.properties.to_vec();
    match coder.method {
        [0x21] => {
            let code = (0..=40u8).find(|code| (2 | u64::from(code & 1)) << (code / 2 + 11) >= size)?;
            *properties.first_mut()? = code;
        }
        _ => properties.get_mut(1..5)?.copy_from_slice(&u32::try_from(size).ok()?.to_le_bytes()),
    }
    Some(properties)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A number below 2^28, as 7z writes it.
    fn written(n: u32) -> [u8; 4] {
        [0xe0 | (n >> 24) as u8, n as u8, (n >> 8) as u8, (n >> 16) as u8]
    }

    #[test]
    fn headers_do_not_count_without_end() {
        assert_eq!(number(&mut Cursor::new(&written(123_456_789))), Some(123_456_789));
        let folders = |n: u32| {
            let mut header = vec![id::FOLDER as u8];
            header.extend(written(n));
            header.push(0);
            header.extend([1, 0].repeat(n as usize)); // one coder, that copies
            header.push(id::END as u8);
            let mut streams = Streams::default();
            unpack_info(&mut Cursor::new(&header), &mut streams).map(|()| streams.folders.len())
        };
        assert_eq!(folders(1000), Some(1000));
        assert_eq!(folders(500_000), None);
    }

    /// Two folders, of which each says that it holds so many files.
    #[test]
    fn folders_do_not_hold_files_without_end() {
        let parts = |n: u32| {
            let mut header = vec![id::COUNT as u8];
            header.extend(written(n));
            header.extend(written(n));
            header.push(id::SIZE as u8);
            header.extend(vec![0; 2 * (n as usize - 1)]);
            header.push(id::END as u8);
            let folder = || Folder {
                coders: Vec::new(),
                simple: true,
                packed_streams: 1,
                unpacked: 0,
                has_crc: false,
                parts: Vec::new(),
            };
            let mut streams = Streams { folders: vec![folder(), folder()], ..Streams::default() };
            sub_streams(&mut Cursor::new(&header), &mut streams).map(|()| streams.folders[1].parts.len())
        };
        assert_eq!(parts(1000), Some(1000));
        assert_eq!(parts(600_000), None);
    }
}
