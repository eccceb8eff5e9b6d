//! The bytes of a member: a slice where they lie in memory, else a reader with a look ahead.

use std::borrow::Cow;
use std::io::{self, BufRead, Read};

/// How much a reader looks ahead at least, in bytes.
const LOOK_AHEAD: usize = 64 << 10;

/// Bytes to be read once, from front to back.
pub(super) enum Stream<'a> {
    /// All that is left, in memory.
    Slice(&'a [u8]),
    /// What a reader gives.
    Reader(Buffered<'a>),
}

/// A reader with a buffer in front.
pub(super) struct Buffered<'a> {
    inner: &'a mut dyn Read,
    /// `buffer[at..end]` was read and not yet used.
    buffer: Vec<u8>,
    at: usize,
    end: usize,
    /// Bytes that may still be read from `inner`.
    left: u64,
    error: Option<String>,
}

impl<'a> Buffered<'a> {
    fn new(inner: &'a mut dyn Read, left: u64) -> Self {
        Buffered { inner, buffer: Vec::new(), at: 0, end: 0, left, error: None }
    }

    fn ahead(&self) -> &[u8] {
        self.buffer.get(self.at..self.end).unwrap_or_default()
    }

    /// Reads until `n` bytes are ahead, or there are no more.
    fn fill(&mut self, n: usize) {
        if self.end - self.at >= n {
            return;
        }
        self.buffer.copy_within(self.at..self.end, 0);
        self.end -= self.at;
        self.at = 0;
        let wanted = n.max(LOOK_AHEAD.min(usize::try_from(self.left).unwrap_or(usize::MAX)));
        if self.buffer.len() < wanted {
            self.buffer.resize(wanted, 0);
        }
        while self.end < n {
            let room = self.buffer.get_mut(self.end..).unwrap_or_default();
            match read_limited(self.inner, room, &mut self.left, &mut self.error) {
                0 => break,
                got => self.end += got,
            }
        }
    }
}

/// Reads some bytes; 0 at the end, and after an error, which is kept.
fn read_limited(inner: &mut dyn Read, room: &mut [u8], left: &mut u64, error: &mut Option<String>) -> usize {
    let most = room.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
    let Some(room) = room.get_mut(..most).filter(|room| !room.is_empty() && error.is_none()) else {
        return 0;
    };
    loop {
        match inner.read(room) {
            Ok(n) => {
                *left -= n as u64;
                if n == 0 {
                    *left = 0;
                }
                return n;
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => {
                *error = Some(e.to_string());
                *left = 0;
                return 0;
            }
        }
    }
}

impl<'a> Stream<'a> {
    /// The bytes of a reader.
    pub(super) fn of(inner: &'a mut dyn Read) -> Self {
        Stream::Reader(Buffered::new(inner, u64::MAX))
    }

    /// Up to `n` of the next bytes, which stay to be read; fewer only at the end.
    pub(super) fn peek(&mut self, n: usize) -> &[u8] {
        match self {
            Stream::Slice(bytes) => bytes.get(..n.min(bytes.len())).unwrap_or_default(),
            Stream::Reader(reader) => {
                reader.fill(n);
                let ahead = reader.ahead();
                ahead.get(..n.min(ahead.len())).unwrap_or_default()
            }
        }
    }

    /// Why the bytes ended early, if they did.
    pub(super) fn error(&self) -> Option<&str> {
        match self {
            Stream::Slice(_) => None,
            Stream::Reader(reader) => reader.error.as_deref(),
        }
    }

    /// Passes over bytes; returns how many there were.
    pub(super) fn skip(&mut self, n: u64) -> u64 {
        match self {
            Stream::Slice(bytes) => {
                let (skipped, rest) =
                    bytes.split_at(usize::try_from(n).unwrap_or(usize::MAX).min(bytes.len()));
                *bytes = rest;
                skipped.len() as u64
            }
            Stream::Reader(reader) => {
                let ahead = (reader.ahead().len() as u64).min(n);
                reader.at += ahead as usize;
                let mut skipped = ahead;
                let mut sink = [0; 8192];
                while skipped < n {
                    let most = (n - skipped).min(sink.len() as u64) as usize;
                    let room = sink.get_mut(..most).unwrap_or_default();
                    match read_limited(reader.inner, room, &mut reader.left, &mut reader.error) {
                        0 => break,
                        got => skipped += got as u64,
                    }
                }
                skipped
            }
        }
    }

    /// Appends up to `most` bytes to a buffer; returns how many.
    pub(super) fn append(&mut self, buffer: &mut Vec<u8>, most: usize) -> usize {
        let before = buffer.len();
        match self {
            Stream::Slice(bytes) => {
                let (now, rest) = bytes.split_at(most.min(bytes.len()));
                buffer.extend_from_slice(now);
                *bytes = rest;
            }
            Stream::Reader(reader) => {
                let ahead = reader.ahead();
                let now = ahead.get(..most.min(ahead.len())).unwrap_or_default();
                buffer.extend_from_slice(now);
                reader.at += now.len();
                let mut step = 32 << 10;
                while buffer.len() - before < most {
                    let filled = buffer.len();
                    buffer.resize(filled + step.min(most - (filled - before)), 0);
                    let room = buffer.get_mut(filled..).unwrap_or_default();
                    let got = read_limited(reader.inner, room, &mut reader.left, &mut reader.error);
                    buffer.truncate(filled + got);
                    if got == 0 {
                        break;
                    }
                    step = (2 * step).min(1 << 20);
                }
            }
        }
        buffer.len() - before
    }

    /// All that is left, if it is at most `most` bytes; else what there is room for, and false.
    pub(super) fn all(&mut self, most: usize, buffer: Vec<u8>) -> (Cow<'a, [u8]>, bool) {
        if let Stream::Slice(bytes) = self {
            return (Cow::Borrowed(std::mem::take(bytes)), true);
        }
        let mut buffer = buffer;
        self.append(&mut buffer, most);
        let complete = self.peek(1).is_empty();
        (Cow::Owned(buffer), complete)
    }

    /// Calls `use_it` with the next `n` bytes as a stream of their own, then passes over what is left
    /// of them. Returns false if there were fewer.
    pub(super) fn part(&mut self, n: u64, use_it: impl FnOnce(Stream<'_>)) -> bool {
        match self {
            Stream::Slice(bytes) => {
                let (part, rest) = bytes.split_at(usize::try_from(n).unwrap_or(usize::MAX).min(bytes.len()));
                *bytes = rest;
                use_it(Stream::Slice(part));
                part.len() as u64 == n
            }
            Stream::Reader(reader) => {
                if n <= LOOK_AHEAD as u64 {
                    // Small members need no buffer of their own.
                    reader.fill(n as usize);
                    let ahead = reader.ahead();
                    let part = ahead.get(..(n as usize).min(ahead.len())).unwrap_or_default();
                    let len = part.len();
                    use_it(Stream::Slice(part));
                    reader.at += len;
                    return len as u64 == n;
                }
                let mut counted = Counted { inner: self, left: n };
                use_it(Stream::Reader(Buffered::new(&mut counted, n)));
                let left = counted.left;
                self.skip(left) == left
            }
        }
    }
}

/// Counts what is read from a stream.
struct Counted<'s, 'a> {
    inner: &'s mut Stream<'a>,
    left: u64,
}

impl Read for Counted<'_, '_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buf)?;
        self.left = self.left.saturating_sub(n as u64);
        Ok(n)
    }
}

impl Read for Stream<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if let Stream::Reader(reader) = self {
            // Large reads go past the buffer.
            if reader.at == reader.end && buf.len() >= LOOK_AHEAD {
                let n = read_limited(reader.inner, buf, &mut reader.left, &mut reader.error);
                return if n == 0 { self.fill_buf().map(|_| 0) } else { Ok(n) };
            }
        }
        let ahead = self.fill_buf()?;
        let n = ahead.len().min(buf.len());
        buf[..n].copy_from_slice(&ahead[..n]);
        self.consume(n);
        Ok(n)
    }
}

impl BufRead for Stream<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        match self {
            Stream::Slice(bytes) => Ok(bytes),
            Stream::Reader(reader) => {
                reader.fill(1);
                match &reader.error {
                    Some(e) if reader.at == reader.end => Err(io::Error::other(e.clone())),
                    _ => Ok(reader.ahead()),
                }
            }
        }
    }

    fn consume(&mut self, n: usize) {
        match self {
            Stream::Slice(bytes) => *bytes = bytes.get(n..).unwrap_or_default(),
            Stream::Reader(reader) => reader.at = (reader.at + n).min(reader.end),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives three bytes a read, then fails.
    struct Slow<'a>(&'a [u8], bool);

    impl Read for Slow<'_> {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            let n = buf.len().min(3).min(self.0.len());
            if n == 0 && self.1 && !buf.is_empty() {
                return Err(io::Error::other("broken"));
            }
            buf[..n].copy_from_slice(&self.0[..n]);
            self.0 = &self.0[n..];
            Ok(n)
        }
    }

    fn walk(stream: &mut Stream<'_>) -> Vec<String> {
        let mut out = vec![String::from_utf8_lossy(stream.peek(4)).into_owned()];
        out.push(stream.skip(2).to_string());
        out.push(stream.skip(3).to_string());
        let whole = stream.part(6, |mut part| {
            out.push(String::from_utf8_lossy(part.peek(100)).into_owned());
            part.skip(2);
        });
        out.push(whole.to_string());
        let mut rest = Vec::new();
        stream.append(&mut rest, 1000);
        out.push(String::from_utf8_lossy(&rest).into_owned());
        out.push(stream.part(6, |_| ()).to_string());
        out
    }

    #[test]
    fn slice_and_reader_give_the_same() {
        let text = b"the quick brown fox jumps over the lazy dog";
        let mut slow = Slow(text, false);
        assert_eq!(walk(&mut Stream::of(&mut slow)), walk(&mut Stream::Slice(text)));
    }

    #[test]
    fn an_error_ends_the_bytes_and_is_kept() {
        let mut slow = Slow(b"the quick brown fox", true);
        let mut stream = Stream::of(&mut slow);
        let (all, _) = stream.all(1000, Vec::new());
        assert_eq!(&*all, b"the quick brown fox");
        assert_eq!(stream.error(), Some("broken"));
    }
}
