//! Texts in binary data: UTF-16 strings, and stretches of printable bytes.

use std::ops::Range;

/// Shortest UTF-16 string, in characters: half as long as what the steps of the search leave out.
const MIN_WIDE: usize = 12;

const fn printable(b: u8) -> bool {
    matches!(b, b' '..=b'~' | b'\t')
}

/// Appends every UTF-16 string of printable ASCII, either byte order, one a line.
pub(super) fn wide(bytes: &[u8], out: &mut Vec<u8>) {
    // Every string has two pairs of bytes at this distance from each other inside.
    const STEP: usize = MIN_WIDE;
    let mut at = 0;
    while let Some(&[a, b]) = bytes.get(at..).and_then(|rest| rest.first_chunk::<2>()) {
        // One byte of two is zero and the other printable; which of them, the place tells.
        let found = (a == 0) != (b == 0) && printable(a | b);
        if !found {
            at += STEP;
            continue;
        }
        // Which of both bytes begins a character, the longer string tells.
        let little = extent(bytes, at + usize::from(a == 0), true);
        let big = extent(bytes, at + usize::from(a != 0), false);
        let (string, low) = if little.len() >= big.len() { (little, 0) } else { (big, 1) };
        if string.len() >= 2 * MIN_WIDE {
            out.extend(bytes.get(string.clone()).unwrap_or_default().iter().skip(low).step_by(2));
            out.push(b'\n');
        }
        at = string.end.max(at + STEP);
    }
}

/// The characters before and after a place, in UTF-16 of this byte order.
fn extent(bytes: &[u8], at: usize, little: bool) -> Range<usize> {
    let character = |i: usize| match bytes.get(i..).and_then(|rest| rest.first_chunk::<2>()) {
        Some(&[low, high]) if little => high == 0 && printable(low),
        Some(&[high, low]) => high == 0 && printable(low),
        None => false,
    };
    let mut range = at..at;
    while range.start >= 2 && character(range.start - 2) {
        range.start -= 2;
    }
    while character(range.end) {
        range.end += 2;
    }
    range
}

/// Appends every stretch of at least `least` bytes of printable ASCII or UTF-8, one a line.
pub(super) fn narrow(bytes: &[u8], least: usize, out: &mut Vec<u8>) {
    for stretch in bytes.split(|&b| !(printable(b) || b >= 0x80)) {
        if stretch.len() >= least && stretch.iter().any(|&b| printable(b)) {
            out.extend_from_slice(stretch);
            out.push(b'\n');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_strings_of_either_order_and_any_offset() {
        for offset in 0..30 {
            for little in [true, false] {
                let mut bytes = vec![0xff; offset];
                for unit in "twelve chars".encode_utf16() {
                    bytes.extend(if little { unit.to_le_bytes() } else { unit.to_be_bytes() });
                }
                bytes.extend([0xfe, 0xff, 0xfe]);
                let mut out = Vec::new();
                wide(&bytes, &mut out);
                assert_eq!(out, b"twelve chars\n", "{offset} {little}");
            }
        }
    }

    #[test]
    fn no_wide_strings_in_numbers() {
        let mut out = Vec::new();
        wide(&(0..4000u32).flat_map(u32::to_le_bytes).collect::<Vec<_>>(), &mut out);
        assert_eq!(out, b"");
    }

    #[test]
    fn narrow_strings() {
        let mut out = Vec::new();
        narrow(b"\0\x01abcdef\0gh\xffij\0\xff\xfe\xff\xfe", 4, &mut out);
        assert_eq!(out, b"abcdef\ngh\xffij\n");
    }
}
