//! zlib streams whose size is known before they are read.

use std::cell::RefCell;

use libdeflater::Decompressor;

use super::error::{Error, Result};

/// A byte of deflate never becomes more than this many bytes.
const MAX_RATIO: u64 = 1032;

/// A decompressor that can be used again and again.
pub(super) struct Inflater(Decompressor);

impl Inflater {
    pub(super) fn new() -> Self {
        Inflater(Decompressor::new())
    }

    /// Fills `out` with what the stream at the start of `input` holds: exactly `size` bytes, whose
    /// checksum is right. What follows the stream is ignored. `out` keeps its capacity.
    ///
    /// The caller has compared `size` with its limit; a size that `input` cannot hold is refused
    /// before anything is allocated.
    pub(super) fn inflate(&mut self, input: &[u8], size: u64, out: &mut Vec<u8>) -> Result<()> {
        let possible = (input.len() as u64).saturating_mul(MAX_RATIO);
        let size = usize::try_from(size).ok().filter(|&size| size as u64 <= possible);
        let size = size.ok_or(Error::CorruptObject("declared size is impossible"))?;
        resize(out, size)?;
        match self.0.zlib_decompress(input, out) {
            Ok(written) if written == size => Ok(()),
            Ok(_) => Err(Error::CorruptObject("shorter than its declared size")),
            Err(libdeflater::DecompressionError::InsufficientSpace) => {
                Err(Error::CorruptObject("longer than its declared size"))
            }
            Err(libdeflater::DecompressionError::BadData) => Err(Error::CorruptObject("damaged zlib stream")),
        }
    }
}

/// Sets the length without filling what is there already, and without aborting when memory is short.
fn resize(out: &mut Vec<u8>, size: usize) -> Result<()> {
    if out.capacity() == 0 && size > 0 {
        // Fresh zeroed pages cost nothing until they are written.
        *out = vec![0; size];
        return Ok(());
    }
    out.try_reserve(size.saturating_sub(out.len())).map_err(|_| Error::CorruptObject("not enough memory"))?;
    out.resize(size, 0);
    Ok(())
}

thread_local! {
    static SHARED: RefCell<Inflater> = RefCell::new(Inflater::new());
}

/// Like [`Inflater::inflate`], with an inflater that the thread keeps.
pub(super) fn inflate(input: &[u8], size: u64) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    SHARED.with_borrow_mut(|inflater| inflater.inflate(input, size, &mut out))?;
    Ok(out)
}
