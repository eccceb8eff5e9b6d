//! Standard input as a source.

use std::io::{self, Read};

use super::reader::{Piece, Reader};

/// Reads a stream to its end, piece by piece. Returns the number of bytes read.
///
/// # Errors
/// What the stream returns; what was read before it has been delivered.
pub fn read(input: &mut dyn Read, piece: &mut dyn FnMut(&Piece<'_>)) -> io::Result<u64> {
    Reader::default().read(input, piece)
}
