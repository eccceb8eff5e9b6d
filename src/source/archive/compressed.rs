//! Compressed files of one stream: gzip, bzip2, xz, zstd.

use std::io::{self, Read};

use flate2::bufread::GzDecoder;

use super::meter::Metered;
use super::stream::Stream;
use super::{Kind, Layer, Walker};

/// Most memory that a frame may ask an xz decoder for, in bytes.
pub(super) const XZ_MEMORY: u64 = 80 << 20;
/// Largest window of a zstd frame, as a power of two: 128 MiB, zstd's own bound.
const ZSTD_WINDOW_LOG: u32 = 27;

/// Unpacks a compressed file.
pub(super) fn open(walker: &mut Walker<'_, '_>, stream: &mut Stream<'_>, kind: Kind) {
    match kind {
        Kind::Gzip => gzip(walker, stream),
        Kind::Bzip2 => unpack(walker, bzip2::bufread::MultiBzDecoder::new(stream), "(bzip2)"),
        Kind::Xz => {
            match liblzma::stream::Stream::new_stream_decoder(XZ_MEMORY, liblzma::stream::CONCATENATED) {
                Ok(decoder) => {
                    unpack(walker, liblzma::bufread::XzDecoder::new_stream(stream, decoder), "(xz)")
                }
                Err(e) => walker.skip("archive-damaged", e.to_string()),
            }
        }
        Kind::Lzma => match liblzma::stream::Stream::new_lzma_decoder(XZ_MEMORY) {
            Ok(decoder) => unpack(walker, liblzma::bufread::XzDecoder::new_stream(stream, decoder), "(lzma)"),
            Err(e) => walker.skip("archive-damaged", e.to_string()),
        },
        _ => match zstd_decoder(stream) {
            Ok(decoder) => unpack(walker, decoder, "(zstd)"),
            Err(e) => walker.skip("archive-damaged", e.to_string()),
        },
    }
}

fn zstd_decoder<'s, 'a>(
    stream: &'s mut Stream<'a>,
) -> io::Result<zstd::stream::read::Decoder<'s, &'s mut Stream<'a>>> {
    let mut decoder = zstd::stream::read::Decoder::with_buffer(stream)?;
    decoder.window_log_max(ZSTD_WINDOW_LOG)?;
    Ok(decoder)
}

/// Deals with what a decoder gives. With no name, content that is no container is the member's own.
pub(super) fn unpack(walker: &mut Walker<'_, '_>, decoder: impl Read, name: &'static str) {
    let mut reader = Metered::new(decoder, walker.meter);
    let mut content = Stream::of(&mut reader);
    if content.peek(1).is_empty() {
        walker.note_error(&content);
    } else {
        let layer = if name.is_empty() { Layer::Member } else { Layer::Unpacked(name) };
        walker.content(content, layer);
        // Containers may end before their content does; what is behind the compressed data matters.
        let mut rest = [0; 8192];
        while matches!(reader.read(&mut rest), Ok(n) if n > 0) {}
    }
}

/// Gzip: several members in a row are one content. What follows them is no gzip; gzip ignores it, and
/// here it is content too.
fn gzip(walker: &mut Walker<'_, '_>, stream: &mut Stream<'_>) {
    unpack(walker, GzipMembers { decoder: Some(GzDecoder::new(&mut *stream)) }, "(gzip)");
    if walker.meter.stopped().is_none() && stream.error().is_none() {
        let rest = stream.peek(super::HEAD);
        if rest.iter().any(|&b| b != 0) && !rest.starts_with(GZIP) {
            walker.content(Stream::of(stream), Layer::Unpacked("(behind gzip)"));
        }
    }
}

const GZIP: &[u8] = &[0x1f, 0x8b, 8];

/// Reads members until what follows is none.
struct GzipMembers<'s, 'a> {
    decoder: Option<GzDecoder<&'s mut Stream<'a>>>,
}

impl Read for GzipMembers<'_, '_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            let Some(decoder) = &mut self.decoder else {
                return Ok(0);
            };
            let n = decoder.read(buf)?;
            if n > 0 || buf.is_empty() {
                return Ok(n);
            }
            if !decoder.get_mut().peek(GZIP.len()).starts_with(GZIP) {
                return Ok(0);
            }
            self.decoder = self.decoder.take().map(|decoder| GzDecoder::new(decoder.into_inner()));
        }
    }
}
