//! Members that are no containers: text and binary data, whole or in pieces.

use super::stream::Stream;
use super::{Layer, Member, Walker, strings};
use crate::source::reader::Piece;

/// Whether the first bytes of a file show that it is no text: a zero byte, and no UTF-16 or UTF-32.
pub(super) fn is_binary(head: &[u8]) -> bool {
    memchr::memchr(0, head).is_some() && crate::matcher::decode::Encoding::of(head).is_none()
}

impl Walker<'_, '_> {
    /// Gives content to the sink.
    pub(super) fn leaf(&mut self, mut stream: Stream<'_>, layer: Layer) {
        if let Layer::Unpacked(name) = layer {
            self.chain.push(name.into());
        }
        let binary = is_binary(stream.peek(super::HEAD));
        if let Stream::Slice(bytes) = stream {
            self.give(bytes, binary);
            if binary {
                let mut lines = self.meter.buffer();
                strings::wide(bytes, &mut lines);
                self.strings("(utf-16 strings)", &lines);
                self.meter.recycle(lines);
            }
        } else {
            let mut reader = std::mem::take(&mut self.reader);
            let mut wide = self.meter.buffer();
            let (sink, chain) = (&mut self.sink, &self.chain);
            // An error is kept by the stream too, with what limit or damage was the reason.
            let _ = reader.read(&mut stream, &mut |piece| {
                sink(Member { chain, binary, piece });
                if binary {
                    strings::wide(piece.bytes.get(piece.own.clone()).unwrap_or_default(), &mut wide);
                }
            });
            self.reader = reader;
            self.strings("(utf-16 strings)", &wide);
            self.meter.recycle(wide);
            self.note_error(&stream);
        }
        if let Layer::Unpacked(_) = layer {
            self.chain.pop();
        }
    }

    /// Gives the sink content that is in memory, as one piece.
    pub(super) fn give(&mut self, bytes: &[u8], binary: bool) {
        let piece = Piece { bytes, own: 0..bytes.len(), offset: 0, next: 0, whole: true };
        (self.sink)(Member { chain: &self.chain, binary, piece: &piece });
    }
}
