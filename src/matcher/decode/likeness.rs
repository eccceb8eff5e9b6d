//! What decoded bytes look like, told from the first few of them.

/// Whether the bytes can be the beginning (or a middle part) of a text: printable ASCII, tabs and line
/// ends, or UTF-8 beyond ASCII.
pub(super) fn is_utf8_text(bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.iter().all(|&b| is_printable(b)) {
        return true;
    }
    if bytes.iter().any(|&b| b < 0x80 && !is_printable(b)) {
        return false;
    }
    // Few random byte strings are valid UTF-8, and the more so the longer they are.
    bytes.len() >= 12
        && match std::str::from_utf8(bytes) {
            Ok(_) => true,
            // A character that is cut off at the end.
            Err(e) => e.error_len().is_none() && e.valid_up_to() + 4 > bytes.len(),
        }
}

/// UTF-16 of printable ASCII, either byte order, with or without byte order mark.
pub(super) fn is_utf16_text(bytes: &[u8]) -> bool {
    let (bytes, marked) = match bytes {
        [0xff, 0xfe, rest @ ..] | [0xfe, 0xff, rest @ ..] => (rest, true),
        _ => (bytes, false),
    };
    let pairs = bytes.as_chunks::<2>().0;
    if pairs.len() < if marked { 2 } else { 5 } {
        return false;
    }
    pairs.iter().all(|&[low, high]| high == 0 && is_printable(low))
        || pairs.iter().all(|&[high, low]| high == 0 && is_printable(low))
}

/// Printable ASCII, tab, line feed and carriage return.
pub(super) const fn is_printable(b: u8) -> bool {
    matches!(b, b' '..=b'~' | b'\t' | b'\n' | b'\r')
}

/// Compressed data whose payload is decoded here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compressed {
    Gzip,
    Zlib,
}

/// Recognises gzip and zlib by their first bytes.
pub(super) fn compressed(head: &[u8]) -> Option<Compressed> {
    match *head {
        [0x1f, 0x8b, 8, ..] => Some(Compressed::Gzip),
        // Deflate with a 32 KiB window, no dictionary, and a right header checksum.
        [0x78, flags, ..] if flags & 0x20 == 0 && (0x7800 + u32::from(flags)) % 31 == 0 => Some(Compressed::Zlib),
        _ => None,
    }
}

/// Whether the bytes begin like a file that `source::archive` opens.
pub(super) fn is_container(head: &[u8]) -> bool {
    const MAGICS: [&[u8]; 11] = [
        b"PK\x03\x04",
        b"BZh91AY&SY",
        b"\xfd7zXZ\0",
        b"\x28\xb5\x2f\xfd",
        b"7z\xbc\xaf\x27\x1c",
        b"%PDF-",
        b"\x89PNG\r\n\x1a\n",
        b"SQLite format 3\0",
        b"\xca\xfe\xba\xbe\0\0\0",
        b"\xff\xd8\xff",
        b"\x1f\x8b\x08",
    ];
    matches!(head, [b'P' | b'B' | 0xfd | 0x28 | b'7' | b'%' | 0x89 | b'S' | 0xca | 0xff | 0x1f, ..])
        && MAGICS.iter().any(|magic| head.starts_with(magic))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_text_from_noise() {
        assert!(is_utf8_text(b"password = hunter"));
        assert!(is_utf8_text("пароль: сек".as_bytes()));
        assert!(is_utf16_text(b"g\0h\0p\0_\0a\0b\0"));
        assert!(is_utf16_text(b"\xff\xfeg\0h\0"));
        assert!(!is_utf8_text(b"\x01\x02\x03\x04\x05\x06\x07\x08"));
        assert!(!is_utf8_text(b"\xd5\x88\xfa\x19\x9e\x61\x72\x9f\xc2\xb0\x12\xa0\xf1\x22\x99"));
    }

    #[test]
    fn zlib_needs_a_right_header() {
        assert_eq!(compressed(b"\x78\x9c\x01"), Some(Compressed::Zlib));
        assert_eq!(compressed(b"\x78\x9d\x01"), None);
        assert_eq!(compressed(b"\x1f\x8b\x08\0"), Some(Compressed::Gzip));
    }
}
