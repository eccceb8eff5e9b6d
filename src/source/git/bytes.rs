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
