//! Zlib data at the front of a slice, checked; where it ends is told.
//!
//! Format: RFC 1950. Inflating is flate2's; its checksum takes as long as inflating what is packed well, this one a
//! fraction of it.

use std::io::{self, Read};

use flate2::bufread::DeflateDecoder;

/// Bytes of the header, and of the checksum.
const HEADER: usize = 2;
const CHECKSUM: usize = 4;

/// A reader of what zlib data unpacks to.
pub(super) struct Zlib<'a> {
    packed: &'a [u8],
    decoder: DeflateDecoder<&'a [u8]>,
    sum: Adler,
}

impl<'a> Zlib<'a> {
    /// Begins to read. None without a header, and where a dictionary is needed.
    pub(super) fn new(packed: &'a [u8]) -> Option<Self> {
        let &[method, flags] = packed.first_chunk::<HEADER>()?;
        let whole = u16::from_be_bytes([method, flags]).is_multiple_of(31);
        let body = packed.get(HEADER..).filter(|_| method & 0xf == 8 && whole && flags & 0x20 == 0)?;
        Some(Zlib { packed, decoder: DeflateDecoder::new(body), sum: Adler::default() })
    }

    /// Offset behind the data, all of which has been read. None if there is more of it, or the checksum is wrong.
    pub(super) fn end(mut self) -> Option<usize> {
        // What follows the last byte of content ends the data; more content would be a lie about the size.
        if self.decoder.read(&mut [0]).ok()? > 0 {
            return None;
        }
        let end = HEADER + usize::try_from(self.decoder.total_in()).ok()?;
        let stored = self.packed.get(end..)?.first_chunk::<CHECKSUM>()?;
        (u32::from_be_bytes(*stored) == self.sum.value()).then_some(end + CHECKSUM)
    }
}

impl Read for Zlib<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n = self.decoder.read(out)?;
        self.sum.add(out.get(..n).unwrap_or_default());
        Ok(n)
    }
}

/// Adler-32 of the bytes so far: their sum and the sum of those sums, modulo a prime.
struct Adler {
    low: u32,
    high: u32,
}

impl Default for Adler {
    fn default() -> Self {
        Adler { low: 1, high: 0 }
    }
}

impl Adler {
    const PRIME: u32 = 65_521;
    /// Bytes that are added as one: their sum, and their sum weighted by the distance to the end.
    const BLOCK: usize = 64;
    /// Blocks after which the sums are reduced; more could exceed 32 bits.
    const BLOCKS: usize = 5552 / Self::BLOCK;

    fn add(&mut self, bytes: &[u8]) {
        let (blocks, rest) = bytes.as_chunks::<{ Self::BLOCK }>();
        for blocks in blocks.chunks(Self::BLOCKS) {
            for block in blocks {
                let sum: u32 = block.iter().map(|&b| u32::from(b)).sum();
                let weighted = block.iter().zip(0..).map(|(&b, i)| (Self::BLOCK as u32 - i) * u32::from(b));
                self.high += Self::BLOCK as u32 * self.low + weighted.sum::<u32>();
                self.low += sum;
            }
            self.reduce();
        }
        for &b in rest {
            self.low += u32::from(b);
            self.high += self.low;
        }
        self.reduce();
    }

    fn reduce(&mut self) {
        self.low %= Self::PRIME;
        self.high %= Self::PRIME;
    }

    fn value(&self) -> u32 {
        self.high << 16 | self.low
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut out = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        out.write_all(bytes).unwrap();
        out.finish().unwrap()
    }

    #[test]
    fn unpacks_checks_and_ends() {
        for len in [0, 1, 63, 64, 65, 5552, 5600, 100_000] {
            for bytes in [vec![0xff; len], (0..len).map(|i| (i * i >> 3) as u8).collect()] {
                let zlib = packed(&bytes);
                let followed = [&zlib[..], b"more"].concat();
                let mut reader = Zlib::new(&followed).unwrap();
                let mut out = Vec::new();
                reader.read_to_end(&mut out).unwrap();
                assert_eq!(out, bytes);
                assert_eq!(reader.end(), Some(zlib.len()), "{len}");
                // A wrong checksum.
                let mut wrong = zlib.clone();
                *wrong.last_mut().unwrap() ^= 1;
                let mut reader = Zlib::new(&wrong).unwrap();
                reader.read_to_end(&mut Vec::new()).unwrap();
                assert_eq!(reader.end(), None);
                // Not read to its end.
                assert!(len == 0 || Zlib::new(&zlib).unwrap().end().is_none());
            }
        }
        assert!(Zlib::new(b"x").is_none() && Zlib::new(b"no zlib data").is_none());
    }
}
