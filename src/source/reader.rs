//! Reads a file or stream piece by piece, with memory bounded by the piece.

use std::io::{self, Read};

/// Bytes of new content in a piece.
pub const PIECE: usize = 4 << 20;
/// Bytes of context on either side of a piece: more than any bounded rule reaches.
pub const OVERLAP: usize = 192 << 10;

/// A piece of content, with context around it.
#[derive(Debug)]
pub struct Piece<'a> {
    /// The bytes, context included.
    pub bytes: &'a [u8],
    /// The part of `bytes` that is this piece's own; what is before and after is context.
    pub own: std::ops::Range<usize>,
    /// Offset of `bytes` in the whole content.
    pub offset: u64,
    /// Offset in `bytes` at which the next piece's bytes begin; 0 when this is the last piece.
    pub next: usize,
    /// Whether this is the whole content.
    pub whole: bool,
}

/// A reusable buffer that cuts content into pieces.
#[derive(Debug, Default)]
pub struct Reader {
    buffer: Vec<u8>,
}

impl Reader {
    /// Reads `input` to its end and calls `piece` for each piece, in order. Content of at most
    /// [`PIECE`] bytes is one piece. Returns the number of bytes read.
    ///
    /// # Errors
    /// What `input` returns; pieces before it have been delivered, the bytes read since are delivered
    /// as a last piece before the error is returned.
    pub fn read(&mut self, input: &mut dyn Read, piece: &mut dyn FnMut(&Piece<'_>)) -> io::Result<u64> {
        const FULL: usize = PIECE + 2 * OVERLAP;
        let mut filled = 0;
        let mut own_from = 0;
        let mut offset = 0u64;
        loop {
            let error = self.fill(input, &mut filled, FULL).err();
            let at_end = filled < FULL || error.is_some();
            let own_to = if at_end { filled } else { filled - OVERLAP };
            if own_to > own_from || offset == 0 {
                piece(&Piece {
                    bytes: &self.buffer[..filled],
                    own: own_from..own_to,
                    offset,
                    next: if at_end { 0 } else { own_to - OVERLAP },
                    whole: at_end && offset == 0,
                });
            }
            if let Some(e) = error {
                return Err(e);
            }
            if at_end {
                return Ok(offset + filled as u64);
            }
            let keep_from = own_to - OVERLAP;
            self.buffer.copy_within(keep_from..filled, 0);
            filled -= keep_from;
            offset += keep_from as u64;
            own_from = OVERLAP;
        }
    }

    /// Reads until `filled` bytes are `full` or the input ends.
    fn fill(&mut self, input: &mut dyn Read, filled: &mut usize, full: usize) -> io::Result<()> {
        /// Most files are smaller than this: one call reads them.
        const FIRST: usize = 256 << 10;
        loop {
            if *filled == full {
                return Ok(());
            }
            if self.buffer.len() == *filled {
                let larger = (self.buffer.len() * 4).clamp(FIRST, full);
                self.buffer.resize(larger, 0);
            }
            let end = self.buffer.len().min(full);
            match input.read(&mut self.buffer[*filled..end]) {
                Ok(0) => return Ok(()),
                Ok(n) => *filled += n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Delivers at most `step` bytes a call.
    struct Slow<'a>(&'a [u8], usize);

    impl Read for Slow<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let n = self.1.min(out.len()).min(self.0.len());
            out[..n].copy_from_slice(&self.0[..n]);
            self.0 = &self.0[n..];
            Ok(n)
        }
    }

    #[test]
    fn every_byte_is_some_pieces_own_once() {
        for size in
            [0, 1, PIECE, PIECE + 2 * OVERLAP, PIECE + 2 * OVERLAP + 1, 2 * PIECE + 7, 3 * PIECE + OVERLAP]
        {
            let content: Vec<u8> = (0..size).map(|i| (i * 31 >> 5) as u8).collect();
            let mut next = 0u64;
            let total = Reader::default()
                .read(&mut Slow(&content, 1 << 20), &mut |p: &Piece<'_>| {
                    let own = p.offset + p.own.start as u64;
                    assert_eq!(own, next);
                    next = p.offset + p.own.end as u64;
                    let at = p.offset as usize;
                    assert!(p.bytes == &content[at..at + p.bytes.len()]);
                    assert!(p.own.start >= OVERLAP || own == p.own.start as u64);
                })
                .unwrap();
            assert_eq!((next, total), (size as u64, size as u64));
        }
    }
}
