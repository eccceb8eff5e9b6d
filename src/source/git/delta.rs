//! Deltas: an object as a sequence of copies from a base and insertions.
//!
//! Format: `gitformat-pack(5)`, "Deltified representation".

use super::bytes::varint;
use super::error::{Error, Result};

/// One instruction of a delta. In order, they cover the object without gaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeltaOp {
    /// Bytes that the base holds as well.
    Copy {
        /// Where they start in the base, in bytes.
        src: usize,
        /// Where they start in the object, in bytes.
        dst: usize,
        /// How many bytes.
        len: usize,
    },
    /// Bytes that come from the delta itself.
    Insert {
        /// Where they start in the object, in bytes.
        dst: usize,
        /// How many bytes.
        len: usize,
    },
}

/// The sizes at the start of a delta.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct DeltaHeader {
    /// Size of the base in bytes.
    pub(super) base_size: u64,
    /// Size of the result in bytes.
    pub(super) result_size: u64,
    /// Where the instructions start.
    ops_at: usize,
}

/// Reads the start of a delta.
pub(super) fn header(delta: &[u8]) -> Result<DeltaHeader> {
    let read = || {
        let (base_size, base_len) = varint(delta)?;
        let (result_size, result_len) = varint(&delta[base_len..])?;
        Some(DeltaHeader { base_size, result_size, ops_at: base_len + result_len })
    };
    read().ok_or(Error::CorruptObject("damaged delta header"))
}

/// Applies a delta: `out` is cleared and filled with the result, `ops` with the instructions.
///
/// Results of more than `limit` bytes are refused before anything is allocated.
pub(super) fn apply(
    base: &[u8],
    delta: &[u8],
    limit: u64,
    out: &mut Vec<u8>,
    ops: &mut Vec<DeltaOp>,
) -> Result<()> {
    ops.clear();
    each(base, delta, limit, out, &mut |op| ops.push(op))
}

/// What a delta makes of its base. The instructions, which can take far more memory than the delta, are not kept.
pub(in crate::source) fn applied(base: &[u8], delta: &[u8], limit: u64) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    each(base, delta, limit, &mut out, &mut |_| {})?;
    Ok(out)
}

fn each(
    base: &[u8],
    delta: &[u8],
    limit: u64,
    out: &mut Vec<u8>,
    done: &mut impl FnMut(DeltaOp),
) -> Result<()> {
    out.clear();
    let header = header(delta)?;
    if header.base_size != base.len() as u64 {
        return Err(Error::CorruptObject("delta does not belong to its base"));
    }
    if header.result_size > limit {
        return Err(Error::TooLarge { size: header.result_size, limit });
    }
    let size = header.result_size as usize;
    out.try_reserve(size).map_err(|_| Error::CorruptObject("not enough memory"))?;
    run(base, &delta[header.ops_at..], size, out, done).ok_or(Error::CorruptObject("damaged delta"))
}

fn run(
    base: &[u8],
    mut code: &[u8],
    size: usize,
    out: &mut Vec<u8>,
    done: &mut impl FnMut(DeltaOp),
) -> Option<()> {
    while let Some((&op, rest)) = code.split_first() {
        let dst = out.len();
        if op & 0x80 != 0 {
            let (src, len, used) = copy_operands(op, rest)?;
            code = rest.get(used..)?;
            if len > size - dst {
                return None;
            }
            out.extend_from_slice(base.get(src..src.checked_add(len)?)?);
            done(DeltaOp::Copy { src, dst, len });
        } else {
            let len = usize::from(op);
            if len == 0 || len > size - dst {
                return None; // opcode 0 is reserved
            }
            let (inserted, after) = rest.split_at_checked(len)?;
            out.extend_from_slice(inserted);
            code = after;
            done(DeltaOp::Insert { dst, len });
        }
    }
    (out.len() == size).then_some(())
}

/// (start in the base, length, bytes used)
#[inline]
fn copy_operands(op: u8, operands: &[u8]) -> Option<(usize, usize, usize)> {
    let (mut src, mut len, mut used) = (0usize, 0usize, 0);
    for bit in 0..7 {
        if op >> bit & 1 == 0 {
            continue; // absent bytes are zero
        }
        let byte = usize::from(*operands.get(used)?);
        used += 1;
        if bit < 4 {
            src |= byte << (8 * bit);
        } else {
            len |= byte << (8 * (bit - 4));
        }
    }
    Some((src, if len == 0 { 0x10000 } else { len }, used))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(base: &[u8], delta: &[u8]) -> Result<(Vec<u8>, Vec<DeltaOp>)> {
        let (mut out, mut ops) = (Vec::new(), Vec::new());
        apply(base, delta, 1000, &mut out, &mut ops)?;
        Ok((out, ops))
    }

    #[test]
    fn copies_and_inserts() {
        let delta = [6, 8, 0x91, 2, 4, 2, b'X', b'Y', 0x90, 2];
        let (out, ops) = applied(b"abcdef", &delta).unwrap();
        assert_eq!(out, b"cdefXYab");
        assert_eq!(
            ops,
            [
                DeltaOp::Copy { src: 2, dst: 0, len: 4 },
                DeltaOp::Insert { dst: 4, len: 2 },
                DeltaOp::Copy { src: 0, dst: 6, len: 2 }
            ]
        );
    }

    #[test]
    fn a_copy_without_length_is_64_kib() {
        let base = vec![b'a'; 0x10000];
        let delta = [0x80, 0x80, 4, 0x80, 0x80, 4, 0x80];
        let (mut out, mut ops) = (Vec::new(), Vec::new());
        apply(&base, &delta, 1 << 20, &mut out, &mut ops).unwrap();
        assert_eq!(out, base);
    }

    #[test]
    fn damaged_deltas_are_errors() {
        for (delta, what) in [
            (&[6, 1][..], "too short a result"),
            (&[5, 1, 1, b'x'], "wrong base"),
            (&[6, 1, 0], "reserved opcode"),
            (&[6, 1, 2, b'x'], "insert cut short"),
            (&[6, 1, 2, b'x', b'y'], "insert too long"),
            (&[6, 9, 0x91, 2, 5], "copy behind the base"),
            (&[6, 2, 0x90, 3], "copy too long"),
            (&[6, 2, 0x9f, 3], "operands cut short"),
            (&[0x80], "header cut short"),
        ] {
            assert!(matches!(applied(b"abcdef", delta), Err(Error::CorruptObject(_))), "{what}");
        }
        assert!(matches!(
            applied(b"", &[0, 0xff, 0xff, 3]),
            Err(Error::TooLarge { size: 65535, limit: 1000 })
        ));
    }

    #[test]
    fn a_result_of_just_the_limit_is_made() {
        let (mut out, mut ops) = (Vec::new(), Vec::new());
        apply(b"abcdef", &[6, 2, 0x90, 2], 2, &mut out, &mut ops).unwrap();
        assert_eq!(out, b"ab");
        let more = apply(b"abcdef", &[6, 2, 0x90, 2], 1, &mut out, &mut ops);
        assert!(matches!(more, Err(Error::TooLarge { size: 2, limit: 1 })));
    }

    #[test]
    fn what_the_buffers_held_before_is_gone() {
        let (mut out, mut ops) = (b"before".to_vec(), vec![DeltaOp::Insert { dst: 0, len: 6 }]);
        apply(b"abcdef", &[6, 2, 0x90, 2], 1000, &mut out, &mut ops).unwrap();
        assert_eq!((&out[..], &ops[..]), (&b"ab"[..], &[DeltaOp::Copy { src: 0, dst: 0, len: 2 }][..]));
        // After an error too: nobody may take the last object for this one.
        apply(b"abcdef", &[5, 2, 0x90, 2], 1000, &mut out, &mut ops).unwrap_err();
        assert!(out.is_empty() && ops.is_empty());
    }

    #[test]
    fn every_byte_of_an_operand_counts() {
        let base: Vec<u8> = (0..0x02_0000u32).map(|n| (n.wrapping_mul(0x9e37_79b1) >> 24) as u8).collect();
        for (src, len) in
            [(0x01_0203, 0x0104), (0x0100, 2), (0x01_0000, 0x0100), (3, 0x01_0002), (0, 0x01_fffe)]
        {
            let mut delta = vec![0x80, 0x80, 8];
            delta.extend([len as u8 & 0x7f | 0x80, (len >> 7) as u8 & 0x7f | 0x80, (len >> 14) as u8]);
            let operands = [src, src >> 8, src >> 16, src >> 24, len, len >> 8, len >> 16].map(|n| n as u8);
            delta.push(0xff);
            delta.extend(operands);
            let (mut out, mut ops) = (Vec::new(), Vec::new());
            apply(&base, &delta, 1 << 20, &mut out, &mut ops).unwrap();
            assert!(out == base[src..src + len], "{src:x} {len:x}");
            assert_eq!(ops, [DeltaOp::Copy { src, dst: 0, len }]);
        }
    }

    #[test]
    fn a_result_that_no_memory_can_hold_is_an_error() {
        let size = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x3f];
        let delta = [&[0][..], &size, &[1, b'x']].concat();
        let error = apply(b"", &delta, u64::MAX, &mut Vec::new(), &mut Vec::new()).unwrap_err();
        assert!(matches!(error, Error::CorruptObject("not enough memory")), "{error}");
    }

    #[test]
    fn nothing_is_written_beyond_the_size_of_the_result() {
        for (delta, what) in [
            (&[6, 4, 0x90, 3, 0x90, 2][..], "copies"),
            (&[6, 4, 0x90, 3, 2, b'x', b'y'], "a copy and an insertion"),
            (&[6, 1, 2, b'x', b'y'], "an insertion"),
            (&[6, 1, 0, 1, b'x'], "a reserved opcode before an insertion"),
        ] {
            let (mut out, mut ops) = (Vec::new(), Vec::new());
            assert!(apply(b"abcdef", delta, 1000, &mut out, &mut ops).is_err(), "{what}");
            assert!(out.len() <= usize::from(delta[1]), "{what}: {out:?}");
        }
        assert_eq!(applied(b"abcdef", &[6, 5, 0x90, 3, 2, b'x', b'y']).unwrap().0, b"abcxy");
    }
}
