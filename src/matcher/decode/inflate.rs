//! Payloads that were compressed before they were encoded.

use std::io::Read;

use super::Budget;
use super::likeness::Compressed;

/// Longest payload that is made of one run.
const MAX_PAYLOAD: usize = 64 << 20;
/// Compressed data of this many bytes are not cut off by accident.
const LONG: usize = 1 << 20;
/// Bytes of payload for a byte of compressed data beyond which it is no text, but for the first 64 KiB.
const MAX_RATIO: usize = 100;

/// Expands gzip or zlib data as far as it can be read. None if it yields nothing worth a look.
pub(super) fn expand(data: &[u8], kind: Compressed, budget: &mut Budget) -> Option<Vec<u8>> {
    let most = data.len().saturating_mul(MAX_RATIO).saturating_add(64 << 10).min(MAX_PAYLOAD);
    let cap = most.min(budget.bytes);
    let mut out = Vec::new();
    // What was read before an error is kept: payloads are cut off, and followed by other text.
    let read = match kind {
        Compressed::Gzip => {
            flate2::read::MultiGzDecoder::new(data).take(cap as u64 + 1).read_to_end(&mut out)
        }
        Compressed::Zlib => flate2::read::ZlibDecoder::new(data).take(cap as u64 + 1).read_to_end(&mut out),
    };
    // Large texts come in pieces: what ends in the middle there goes on in the next, unread.
    let cut = data.len() >= LONG && read.is_err_and(|e| e.kind() == std::io::ErrorKind::UnexpectedEof);
    budget.exhausted |= cut;
    if out.len() > cap {
        out.truncate(cap);
        budget.exhausted = true;
    }
    budget.bytes = budget.bytes.saturating_sub(out.len());
    (out.len() >= 8).then_some(out)
}

/// The name of a compression in a chain.
pub(super) fn name(kind: Compressed) -> &'static str {
    match kind {
        Compressed::Gzip => "gzip",
        Compressed::Zlib => "zlib",
    }
}

#[cfg(test)]
mod tests;
