//! What decoded bytes look like, told from the first few of them.

/// Checks bytes one at a time for printable ASCII, tabs and line ends, or UTF-8 beyond ASCII.
#[derive(Default)]
pub(super) struct Utf8Check {
    /// Bytes of the character that are still to come.
    more: u8,
    /// Bytes of a cut-off character that may stand at the beginning.
    began: bool,
    seen: u8,
}

impl Utf8Check {
    /// Whether the byte can be next.
    #[inline]
    pub(super) fn accepts(&mut self, b: u8) -> bool {
        let first = !self.began;
        match b {
            0x80..=0xbf if self.more > 0 => {
                self.more -= 1;
                true
            }
            // A part of a text may begin inside a character.
            0x80..=0xbf if first && self.seen < 3 => {
                self.seen += 1;
                true
            }
            _ if self.more > 0 => false,
            b if is_printable(b) => {
                self.began = true;
                true
            }
            0xc2..=0xf4 => {
                self.began = true;
                self.more = if b < 0xe0 { 1 } else { 2 + u8::from(b >= 0xf0) };
                true
            }
            _ => false,
        }
    }
}

/// Whether the bytes can be the beginning (or a middle part) of a text in UTF-8. A character may be cut
/// off at either end.
pub(super) fn is_utf8_text(bytes: &[u8]) -> bool {
    let mut check = Utf8Check::default();
    bytes.iter().all(|&b| check.accepts(b))
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
        [0x78, flags, ..] if flags & 0x20 == 0 && (0x7800 + u32::from(flags)) % 31 == 0 => {
            Some(Compressed::Zlib)
        }
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

/// Whether the bytes can begin a tar archive: a short name, and zeros up to the end of its field. Longer names look
/// like text.
pub(super) fn is_tar(head: &[u8]) -> bool {
    let name = head.iter().take_while(|&&b| is_printable(b)).count();
    let zeros = head.get(name..).unwrap_or_default();
    name > 0 && zeros.len() >= 4 && zeros.iter().all(|&b| b == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_text_from_noise() {
        assert!(is_utf8_text(b"colour = purple"));
        assert!(is_utf8_text("пароль: сек".as_bytes()));
        assert!(is_utf16_text(b"g\0h\0p\0_\0a\0b\0"));
        assert!(is_utf16_text(b"\xff\xfeg\0h\0"));
        assert!(!is_utf8_text(b"\x01\x02\x03\x04\x05\x06\x07\x08"));
        assert!(!is_utf8_text(b"\xd5\x88\xfa\x19\x9e\x61\x72\x9f\xc2\xb0\x12\xa0\xf1\x22\x99"));
    }

    #[test]
    fn tar_begins_with_a_name_and_zeros() {
        assert!(is_tar(b"a/.env\0\0\0\0\0\0\0\0\0\0\0\0"));
        assert!(!is_tar(b"a/.env\0\0\0"));
        assert!(!is_tar(b"a/.env\0\0\0\0\0\0\0x\0\0\0\0"));
        assert!(!is_tar(&[0; 18]));
    }

    #[test]
    fn zlib_needs_a_right_header() {
        assert_eq!(compressed(b"\x78\x9c\x01"), Some(Compressed::Zlib));
        assert_eq!(compressed(b"\x78\x9d\x01"), None);
        assert_eq!(compressed(b"\x1f\x8b\x08\0"), Some(Compressed::Gzip));
    }

    #[test]
    fn characters_may_be_cut_off_at_both_ends_only() {
        assert!(is_utf8_text(b"\x98\x80\xbfabc"), "the end of one of four bytes");
        assert!(!is_utf8_text(b"\x98\x80\xbf\x80abc"), "no character is that long");
        assert!(!is_utf8_text(b"abc\x80"), "the middle of a text");
        for text in ["aé", "a€", "a😀"] {
            let bytes = text.as_bytes();
            for end in 1..=bytes.len() {
                assert!(is_utf8_text(&bytes[..end]), "{text} {end}");
            }
            assert!(!is_utf8_text(&[bytes, b"\x80"].concat()), "{text}");
            assert!(!is_utf8_text(&[&bytes[..bytes.len() - 1], b"a"].concat()), "{text}");
        }
        assert!(
            !is_utf8_text(b"a\xc1\x80") && !is_utf8_text(b"a\xf5\x80\x80\x80") && is_utf8_text(b"\t\r\n ~")
        );
    }

    #[test]
    fn tar_and_utf16_need_a_few_bytes() {
        assert!(is_tar(b"a\0\0\0\0") && !is_tar(b"a\0\0\0") && !is_tar(b"\0\0\0\0\0"));
        assert!(is_utf16_text(b"g\0h\0p\0_\0a\0") && !is_utf16_text(b"g\0h\0p\0_\0"));
        assert!(is_utf16_text(b"\xfe\xff\0g\0h") && !is_utf16_text(b"\xfe\xff\0g"));
        assert!(is_utf16_text(b"\0g\0h\0p\0_\0a") && !is_utf16_text(b"\0g\0h\0p\0_\x01a"));
        assert!(!is_utf16_text(b"\0\x01\0h\0p\0_\0a"));
    }

    #[test]
    fn characters_have_as_many_bytes_as_their_first_says() {
        for (bytes, expected) in [
            (&b"a\xdf\xbfb"[..], true),
            (b"a\xdf\xbf\xbfb", false),
            (b"a\xe0\xa0\x80b", true),
            (b"a\xe0\xa0b", false),
            (b"a\xef\xbf\xbfb", true),
            (b"a\xef\xbfb", false),
            (b"a\xf0\x90\x80\x80b", true),
            (b"a\xf0\x90\x80b", false),
        ] {
            assert_eq!(is_utf8_text(bytes), expected, "{bytes:?}");
        }
    }

    /// Every unit of UTF-16 must be a character: one that is printable and no zero beside it is none.
    #[test]
    fn utf16_is_zeros_beside_characters_throughout() {
        assert!(!is_utf16_text(b"g\0h\0p\0_\0ab"));
        assert!(!is_utf16_text(b"\0g\0h\0p\0_ab"));
        assert!(!is_utf16_text(b"g\0h\0p\0_\0\x01\0"));
        assert!(!is_utf16_text(b"\0g\0h\0p\0_\0\x01"));
    }
}
