//! Loose objects: one zlib stream per file, with kind and size at its start.

use std::fs;
use std::path::{Path, PathBuf};

use super::bytes::split_at_byte;
use super::error::{Error, Result};
use super::inflate;
use super::object::Kind;
use super::oid::{HashKind, Oid};
use super::repo::read_optional;

/// `commit 18446744073709551615\0` is shorter.
const MAX_HEADER: usize = 32;

/// The file of a loose object.
pub(super) fn path(object_dir: &Path, oid: &Oid) -> PathBuf {
    let hex = oid.to_hex();
    object_dir.join(&hex[..2]).join(&hex[2..])
}

/// Reads a loose object. None if there is no such file.
pub(super) fn read(object_dir: &Path, oid: &Oid, limit: u64) -> Result<Option<(Kind, Vec<u8>)>> {
    read_optional(&path(object_dir, oid))?.map(|file| decode(&file, limit)).transpose()
}

/// Undoes a loose object's file.
pub(super) fn decode(file: &[u8], limit: u64) -> Result<(Kind, Vec<u8>)> {
    let mut start = [0; MAX_HEADER];
    let mut stream = flate2::Decompress::new(true);
    // Errors further on in the stream are found when it is inflated whole.
    let _ = stream.decompress(file, &mut start, flate2::FlushDecompress::None);
    let filled = stream.total_out().min(MAX_HEADER as u64) as usize;
    let (kind, size, header_len) =
        header(&start[..filled]).ok_or(Error::CorruptObject("damaged header of a loose object"))?;
    if size > limit {
        return Err(Error::TooLarge { size, limit });
    }
    let mut data = inflate::inflate(file, size.saturating_add(header_len as u64))?;
    data.drain(..header_len);
    Ok((kind, data))
}

/// `kind size\0`: (kind, size, length of the header).
fn header(start: &[u8]) -> Option<(Kind, u64, usize)> {
    let (header, _) = split_at_byte(start, 0)?;
    let (kind, size) = split_at_byte(header, b' ')?;
    let size =
        std::str::from_utf8(size).ok().filter(|size| size.bytes().all(|byte| byte.is_ascii_digit()))?;
    Some((Kind::from_name(kind)?, size.parse().ok()?, header.len() + 1))
}

/// The ids of all loose objects in a folder, sorted. Files with other names are passed over; folders that
/// cannot be read are handed to `unreadable`.
pub(super) fn list(object_dir: &Path, hash: HashKind, mut unreadable: impl FnMut(Error)) -> Vec<Oid> {
    let mut oids = Vec::new();
    for first in 0..=255u8 {
        let fan = format!("{first:02x}");
        list_folder(&object_dir.join(&fan), &fan, hash, &mut oids).unwrap_or_else(&mut unreadable);
    }
    oids.sort_unstable();
    oids
}

fn list_folder(dir: &Path, fan: &str, hash: HashKind, oids: &mut Vec<Oid>) -> Result<()> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(e) if super::repo::is_absent(&e) => return Ok(()),
        Err(e) => return Err(Error::io(dir, e)),
    };
    for entry in entries {
        let name = entry.map_err(|e| Error::io(dir, e))?.file_name();
        let hex = format!("{fan}{}", name.to_string_lossy());
        oids.extend(Oid::from_hex(hex.as_bytes()).filter(|_| hex.len() == hash.hex_len()));
    }
    Ok(())
}

/// The ids of loose objects that start with the hexadecimal digits `prefix` (at least two).
pub(super) fn with_prefix(object_dir: &Path, prefix: &str) -> Vec<Oid> {
    let Some((fan, rest)) = prefix.split_at_checked(2) else {
        return Vec::new();
    };
    let Ok(entries) = fs::read_dir(object_dir.join(fan)) else {
        return Vec::new();
    };
    let names = entries.filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned()));
    names
        .filter(|name| name.starts_with(rest))
        .filter_map(|name| Oid::from_hex(format!("{fan}{name}").as_bytes()))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn deflated(content: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn whole_and_damaged_files() {
        assert_eq!(decode(&deflated(b"blob 3\0abc"), 100).unwrap(), (Kind::Blob, b"abc".to_vec()));
        assert_eq!(decode(&deflated(b"tree 0\0"), 100).unwrap(), (Kind::Tree, Vec::new()));
        assert!(matches!(
            decode(&deflated(b"blob 300\0abc"), 100),
            Err(Error::TooLarge { size: 300, limit: 100 })
        ));
        for (content, what) in [
            (&b"blob 4\0abc"[..], "too short"),
            (b"blob 2\0abc", "too long"),
            (b"blob +3\0abc", "sign"),
            (b"bulb 3\0abc", "kind"),
            (b"blob 3", "no end of header"),
            (b"", "empty"),
        ] {
            assert!(matches!(decode(&deflated(content), 100), Err(Error::CorruptObject(_))), "{what}");
        }
        let mut cut = deflated(b"blob 3\0abc");
        let last = cut.len() - 1;
        cut[last] ^= 1; // checksum
        assert!(decode(&cut, 100).is_err());
        assert!(decode(&cut[..last], 100).is_err());
        assert!(decode(b"", 100).is_err());
    }

    #[test]
    fn an_object_of_just_the_limit_is_read() {
        assert_eq!(decode(&deflated(b"blob 3\0abc"), 3).unwrap(), (Kind::Blob, b"abc".to_vec()));
        assert!(matches!(decode(&deflated(b"blob 3\0abc"), 2), Err(Error::TooLarge { size: 3, limit: 2 })));
    }
}
