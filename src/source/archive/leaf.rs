//! Members that are no containers: text and binary data, whole or in windows.

use super::stream::Stream;
use super::{Layer, Member, Walker};

/// Bytes a window.
const WINDOW: usize = 8 << 20;
/// Bytes of the window before that are repeated. A multiple of four, for UTF-16 and UTF-32.
const CONTEXT: usize = 64 << 10;

/// Whether the first bytes of a file show that it is no text: a zero byte, and no UTF-16 or UTF-32.
pub(super) fn is_binary(head: &[u8]) -> bool {
    memchr::memchr(0, head).is_some() && crate::matcher::decode::encoding_of_text(head).is_none()
}

impl Walker<'_, '_> {
    /// Gives content to the sink.
    pub(super) fn leaf(&mut self, mut stream: Stream<'_>, layer: Layer) {
        if let Layer::Unpacked(name) = layer {
            self.chain.push(name.into());
        }
        let binary = is_binary(stream.peek(super::HEAD));
        if let Stream::Slice(bytes) = stream {
            self.give(bytes, binary, 0, 0, 0);
        } else {
            self.windows(&mut stream, binary);
            self.note_error(&stream);
        }
        if let Layer::Unpacked(_) = layer {
            self.chain.pop();
        }
    }

    fn windows(&mut self, stream: &mut Stream<'_>, binary: bool) {
        let mut window = self.meter.buffer();
        let (mut offset, mut lines, mut old) = (0u64, 0u64, 0usize);
        loop {
            let room = WINDOW - window.len();
            let got = stream.append(&mut window, room);
            if got == 0 && offset + old as u64 > 0 {
                break;
            }
            self.give(&window, binary, offset, lines, old);
            if got < room {
                break;
            }
            let gone = window.len() - CONTEXT;
            lines += memchr::memchr_iter(b'\n', window.get(..gone).unwrap_or_default()).count() as u64;
            offset += gone as u64;
            window.drain(..gone);
            old = window.len();
        }
        self.meter.recycle(window);
    }

    fn give(&mut self, bytes: &[u8], binary: bool, offset: u64, lines_before: u64, old: usize) {
        let chain = &self.chain;
        (self.sink)(Member { chain, bytes, binary, offset, lines_before, fresh: old..bytes.len() });
    }
}
