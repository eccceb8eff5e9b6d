//! Reading numbers from slices without ever reaching outside of them.

/// Big-endian `u16` at byte `at`.
pub(super) fn be16(data: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(data.get(at..at.checked_add(2)?)?.try_into().ok()?))
}

/// Big-endian `u32` at byte `at`.
pub(super) fn be32(data: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(data.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

/// Big-endian `u64` at byte `at`.
pub(super) fn be64(data: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_be_bytes(data.get(at..at.checked_add(8)?)?.try_into().ok()?))
}

/// Splits off what stands before the first `byte`, and drops that byte.
pub(super) fn split_at_byte(data: &[u8], byte: u8) -> Option<(&[u8], &[u8])> {
    let at = memchr::memchr(byte, data)?;
    Some((&data[..at], &data[at + 1..]))
}

/// Removes spaces, tabs and line ends at both sides.
pub(super) fn trim(data: &[u8]) -> &[u8] {
    data.trim_ascii()
}

/// A little-endian base-128 number as in delta headers: (value, bytes used).
pub(super) fn varint(data: &[u8]) -> Option<(u64, usize)> {
    let mut value = 0u64;
    for (used, &byte) in data.iter().enumerate().take(9) {
        value |= u64::from(byte & 0x7f) << (7 * used);
        if byte & 0x80 == 0 {
            return Some((value, used + 1));
        }
    }
    None
}

/// A big-endian base-128 number with an offset per byte, as ofs-deltas and index version 4 use:
/// (value, bytes used).
pub(super) fn offset_varint(data: &[u8]) -> Option<(u64, usize)> {
    let mut value = 0u64;
    for (used, &byte) in data.iter().enumerate().take(9) {
        if used > 0 {
            value += 1;
        }
        value = value << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((value, used + 1));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_where_they_stand_and_never_beyond_the_end() {
        let data = [9, 1, 2, 3, 4, 5, 6, 7, 8];
        assert_eq!((be16(&data, 1), be16(&data, 7), be16(&data, 8)), (Some(0x0102), Some(0x0708), None));
        assert_eq!(
            (be32(&data, 1), be32(&data, 5), be32(&data, 6)),
            (Some(0x0102_0304), Some(0x0506_0708), None)
        );
        assert_eq!((be64(&data, 1), be64(&data, 2)), (Some(0x0102_0304_0506_0708), None));
        assert_eq!(
            (be16(&data, usize::MAX), be32(&data, usize::MAX), be64(&data, usize::MAX)),
            (None, None, None)
        );
    }

    #[test]
    fn numbers_of_any_length() {
        for (bytes, little, offset) in [
            (&[0x00][..], 0, 0),
            (&[0x7f], 127, 127),
            (&[0x80, 0x00], 0, 128),
            (&[0x81, 0x00], 1, 256),
            (&[0x80, 0x01], 128, 129),
            (&[0x80, 0x80, 0x00], 0, 128 + 128 * 128),
            (&[0x81, 0x82, 0x03, 0xff], 1 | 2 << 7 | 3 << 14, ((2 << 7 | 2) + 1) << 7 | 3),
        ] {
            let used = bytes.iter().position(|b| b & 0x80 == 0).unwrap() + 1;
            assert_eq!(varint(bytes), Some((little, used)), "{bytes:x?}");
            assert_eq!(offset_varint(bytes), Some((offset, used)), "{bytes:x?}");
        }
        for bytes in [&[][..], &[0x80], &[0xff, 0xff], &[0x80; 12]] {
            assert_eq!((varint(bytes), offset_varint(bytes)), (None, None), "{bytes:x?}");
        }
    }
}
