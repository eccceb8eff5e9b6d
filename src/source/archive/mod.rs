//! Opens containers: archives, compressed files, and files with text in odd places.
//!
//! Containers are recognised by their content, never by their name, and opened within containers down
//! to a depth. Members go to a sink one at a time; nothing is written to disk, and names of members are
//! names only. Memory is bounded: members are read as streams where the format allows it, and large
//! ones reach the sink in pieces. What could not be read is listed: damaged, encrypted and unknown
//! parts, and every limit that bit.

mod compressed;
mod cursor;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod git;
mod images;
mod leaf;
mod meter;
mod office;
mod packages;
mod pdf;
mod pdf_text;
mod programs;
mod sevenz;
mod sqlite;
mod stream;
mod strings;
mod tar;
mod zip;
mod zlib;

use std::borrow::Cow;
use std::io::Read;
use std::time::Duration;

use bstr::{BString, ByteSlice};

use crate::finding::Skipped;
use crate::source::reader::{Piece, Reader};
use meter::Meter;
use stream::Stream;

/// Bounds of what is unpacked from one outermost file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Containers within containers; the outermost counts one. Files that are only compressed, such as
    /// the gzip around a tar, count half.
    pub depth: u32,
    /// Most bytes that all members together, at all depths, unpack to.
    pub total_bytes: u64,
    /// Most bytes unpacked for each byte of the outermost file…
    pub ratio: u64,
    /// …beyond these, which are always allowed.
    pub ratio_free_bytes: u64,
    /// Most members, at all depths.
    pub members: u64,
    /// Most bytes held in memory at a time.
    pub memory: usize,
    /// Longest time, looked at once a MiB and every few members.
    pub time: Duration,
}

impl Default for Limits {
    /// Depth 5, 8 GiB, 100 bytes a byte beyond 64 MiB, a million members, 96 MiB of memory, 5 minutes.
    fn default() -> Self {
        Limits {
            depth: 5,
            total_bytes: 8 << 30,
            ratio: 100,
            ratio_free_bytes: 64 << 20,
            members: 1_000_000,
            memory: 96 << 20,
            time: Duration::from_secs(300),
        }
    }
}

/// What a file is, told by its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Zip: also jar, apk, wheels, Office and OpenDocument files.
    Zip,
    /// Tar: also image archives of docker and OCI.
    Tar,
    /// Gzip, one member or several.
    Gzip,
    /// Bzip2.
    Bzip2,
    /// Xz.
    Xz,
    /// Zstandard.
    Zstd,
    /// LZMA without a container (`.lzma`).
    Lzma,
    /// 7z.
    SevenZ,
    /// Archive of `ar`: also Debian packages.
    Ar,
    /// Cpio.
    Cpio,
    /// RPM package.
    Rpm,
    /// PDF.
    Pdf,
    /// SQLite database.
    Sqlite,
    /// Class file of Java.
    JavaClass,
    /// Bytecode of Python.
    Pyc,
    /// PNG image.
    Png,
    /// JPEG image.
    Jpeg,
    /// TIFF image.
    Tiff,
    /// WebP image.
    Webp,
    /// Pack of git.
    GitPack,
    /// Bundle of git.
    GitBundle,
    /// Anything else that is no text.
    Binary,
}

impl Kind {
    /// Whether it is one compressed stream and no archive.
    fn is_one_stream(self) -> bool {
        matches!(self, Kind::Gzip | Kind::Bzip2 | Kind::Xz | Kind::Zstd | Kind::Lzma)
    }

    /// Whether it is read from front to back. Others are read in any order: all of them must be in memory.
    pub fn is_streamed(self) -> bool {
        self.is_one_stream() || matches!(self, Kind::Tar | Kind::Ar | Kind::Cpio | Kind::Rpm | Kind::Binary)
    }
}

/// How many bytes [`recognise`] looks at.
pub const HEAD: usize = 1024;

/// Tells what the file is by its first [`HEAD`] bytes. None for text, which costs a few nanoseconds.
pub fn recognise(bytes: &[u8]) -> Option<Kind> {
    let head = bytes.get(..HEAD.min(bytes.len())).unwrap_or_default();
    match head {
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] | [b'P', b'K', 7, 8, b'P', b'K', ..] => {
            Some(Kind::Zip)
        }
        [0x1f, 0x8b, 8, ..] => Some(Kind::Gzip),
        [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, ..] => Some(Kind::Bzip2),
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some(Kind::Xz),
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some(Kind::Zstd),
        [b'7', b'z', ..] if head.starts_with(sevenz::MAGIC) => Some(Kind::SevenZ),
        [0x5d, 0, 0, ..] if head.get(5..13).is_some_and(|len| *len == [0xff; 8]) => Some(Kind::Lzma),
        [b'!', ..] if head.starts_with(packages::AR) => Some(Kind::Ar),
        [b'0', b'7', ..] if packages::CPIO.iter().any(|magic| head.starts_with(magic)) => cpio(head),
        [0xed, ..] if head.starts_with(packages::RPM) => Some(Kind::Rpm),
        [b'%', ..] if head.starts_with(pdf::MAGIC) => Some(Kind::Pdf),
        [b'S', ..] if head.starts_with(sqlite::MAGIC) => Some(Kind::Sqlite),
        [0xca, ..] if programs::is_class(head) => Some(Kind::JavaClass),
        [0x89, ..] if head.starts_with(images::PNG) => Some(Kind::Png),
        [0xff, ..] if head.starts_with(images::JPEG) => Some(Kind::Jpeg),
        [b'I' | b'M', ..] if images::is_tiff(head) => Some(Kind::Tiff),
        [b'R', ..] if images::is_webp(head) => Some(Kind::Webp),
        [b'P', b'A', b'C', b'K', 0, 0, 0, 2 | 3, ..] => Some(Kind::GitPack),
        [b'#', ..] if git::BUNDLES.iter().any(|magic| head.starts_with(magic)) => Some(Kind::GitBundle),
        [_, _, b'\r', b'\n', ..] if programs::is_pyc(head) => Some(Kind::Pyc),
        _ if tar::is_header(head) => Some(Kind::Tar),
        _ if leaf::is_binary(head) => Some(Kind::Binary),
        _ => None,
    }
}

/// Text may begin with the same six digits; all of a header's fields are numbers.
fn cpio(head: &[u8]) -> Option<Kind> {
    head.get(..76)?.iter().all(u8::is_ascii_hexdigit).then_some(Kind::Cpio)
}

/// A file in a container, or a piece of one: large ones come in pieces, as files do.
#[derive(Clone, Copy)]
pub struct Member<'a> {
    /// Names from the outside in. Those in parentheses are stanch's own, for parts without a name.
    pub chain: &'a [BString],
    /// Whether this is binary data, in which only self-identifying secrets count.
    pub binary: bool,
    /// The bytes.
    pub piece: &'a Piece<'a>,
}

impl std::fmt::Debug for Member<'_> {
    /// Leaves out the bytes: they can hold a secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Member")
            .field("chain", &self.chain)
            .field("binary", &self.binary)
            .field("offset", &self.piece.offset)
            .field("len", &self.piece.bytes.len())
            .finish_non_exhaustive()
    }
}

/// Opens a file that [`recognise`] has a kind for, and calls `sink` for every member in it. A file of no
/// known kind is its own only member, with an empty chain.
pub fn open(bytes: &[u8], limits: &Limits, sink: &mut dyn FnMut(Member<'_>), skipped: &mut Vec<Skipped>) {
    open_stream(Stream::Slice(bytes), bytes.len() as u64, limits, sink, skipped);
}

/// The same for a file of `len` bytes that is read once. Zip archives and others that are read in no
/// order must fit into [`Limits::memory`]; map them into memory and use [`open`] where they may not.
pub fn open_reader(
    reader: &mut dyn Read,
    len: u64,
    limits: &Limits,
    sink: &mut dyn FnMut(Member<'_>),
    skipped: &mut Vec<Skipped>,
) {
    open_stream(Stream::of(reader), len, limits, sink, skipped);
}

fn open_stream(
    stream: Stream<'_>,
    len: u64,
    limits: &Limits,
    sink: &mut dyn FnMut(Member<'_>),
    skipped: &mut Vec<Skipped>,
) {
    let meter = Meter::new(limits, len);
    let mut walker = Walker {
        meter: &meter,
        sink,
        skipped,
        chain: Vec::new(),
        half_depth: 0,
        inflater: libdeflater::Decompressor::new(),
        reader: Reader::default(),
    };
    walker.content(stream, Layer::Member);
    if let Some(reason) = meter.stopped() {
        walker.chain.clear();
        walker.skip(reason, limit_text(reason, limits));
    }
}

fn limit_text(reason: &str, limits: &Limits) -> String {
    match reason {
        "archive-too-large" => format!("unpacks to more than {} bytes", limits.total_bytes),
        "archive-ratio" => format!("unpacks to more than {} times its size", limits.ratio),
        "archive-members" => format!("has more than {} members", limits.members),
        _ => format!("took more than {} seconds", limits.time.as_secs()),
    }
}

/// What content is to the container around it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Layer {
    /// A member with a name of its own.
    Member,
    /// What a compressed file unpacks to; named so if it is no container itself.
    Unpacked(&'static str),
}

/// The state of one [`open`].
struct Walker<'m, 'l> {
    meter: &'m Meter<'l>,
    sink: &'m mut dyn FnMut(Member<'_>),
    skipped: &'m mut Vec<Skipped>,
    chain: Vec<BString>,
    half_depth: u32,
    inflater: libdeflater::Decompressor,
    reader: Reader,
}

impl<'m, 'l> Walker<'m, 'l> {
    /// Deals with a named member. Returns false once a limit has been reached: then there is no use
    /// in going on.
    fn member(&mut self, name: &[u8], stream: Stream<'_>) -> bool {
        if !self.meter.member() {
            return false;
        }
        self.named(name, |walker| walker.content(stream, Layer::Member));
        self.meter.stopped().is_none()
    }

    /// Deals with content: opens it, or gives it to the sink.
    fn content(&mut self, mut stream: Stream<'_>, layer: Layer) {
        let kind = recognise(stream.peek(HEAD));
        match kind {
            None => return self.leaf(stream, layer),
            Some(Kind::Binary) => return self.binary(stream, layer),
            Some(kind) => {
                let halves = if kind.is_one_stream() { 1 } else { 2 };
                self.deeper(halves, |walker| walker.container(&mut stream, kind));
            }
        }
        self.note_error(&stream);
    }

    /// Does something that many half levels deeper, if that is allowed.
    fn deeper(&mut self, halves: u32, act: impl FnOnce(&mut Self)) {
        let most = self.meter.limits().depth;
        if self.half_depth + halves > most.saturating_mul(2) {
            return self.skip("archive-depth", format!("more than {most} containers deep"));
        }
        self.half_depth += halves;
        act(self);
        self.half_depth -= halves;
    }

    fn container(&mut self, stream: &mut Stream<'_>, kind: Kind) {
        match kind {
            Kind::Tar => tar::open(self, stream),
            Kind::Ar => packages::open_ar(self, stream),
            Kind::Cpio => packages::open_cpio(self, stream),
            Kind::Rpm => packages::open_rpm(self, stream),
            Kind::Gzip | Kind::Bzip2 | Kind::Xz | Kind::Zstd | Kind::Lzma => {
                compressed::open(self, stream, kind);
            }
            Kind::Zip => self.whole(stream, zip::open),
            Kind::SevenZ => self.whole(stream, sevenz::open),
            Kind::Pdf => self.whole(stream, pdf::open),
            Kind::Sqlite => self.whole(stream, sqlite::open),
            Kind::JavaClass => self.whole(stream, programs::open_class),
            Kind::Pyc => self.whole(stream, programs::open_pyc),
            Kind::Png => self.whole(stream, images::open_png),
            Kind::Jpeg => self.whole(stream, images::open_jpeg),
            Kind::Tiff => self.whole(stream, images::exif),
            Kind::Webp => self.whole(stream, images::open_webp),
            Kind::GitPack => self.whole(stream, git::open_pack),
            Kind::GitBundle => self.whole(stream, git::open_bundle),
            Kind::Binary => {} // holds nothing: see `content`
        }
    }

    /// Gives the sink text that was taken out of something. Returns false once a limit has been reached.
    fn text(&mut self, name: &[u8], text: &[u8]) -> bool {
        self.part(name, text, false)
    }

    /// Gives the sink strings that were taken out of binary data.
    fn strings(&mut self, name: &str, lines: &[u8]) -> bool {
        lines.is_empty() || self.part(name.as_bytes(), lines, true)
    }

    fn part(&mut self, name: &[u8], bytes: &[u8], binary: bool) -> bool {
        if !self.meter.member() || !self.meter.unpack(bytes.len() as u64) {
            return false;
        }
        self.named(name, |walker| walker.give(bytes, binary));
        self.meter.stopped().is_none()
    }

    /// Does something for a part of this name.
    fn named(&mut self, name: &[u8], act: impl FnOnce(&mut Self)) {
        self.chain.push(name.into());
        act(self);
        self.chain.pop();
    }

    /// Deals with binary data: programs can carry a zip archive at their end.
    fn binary(&mut self, stream: Stream<'_>, layer: Layer) {
        let Stream::Slice(bytes) = stream else {
            return self.leaf(stream, layer);
        };
        let zip = zip::at_end(bytes);
        let program = bytes.get(..zip.unwrap_or(bytes.len())).unwrap_or_default();
        self.leaf(Stream::Slice(program), layer);
        if zip.is_some() {
            self.deeper(2, |walker| zip::open(walker, bytes));
        }
    }

    /// Lists a stream that ended in an error, unless a limit was the reason.
    fn note_error(&mut self, stream: &Stream<'_>) {
        if let Some(error) = stream.error()
            && self.meter.stopped().is_none()
        {
            self.skip("archive-damaged", error.to_owned());
        }
    }

    /// Reads all of a container of which parts are wanted in any order.
    fn whole(&mut self, stream: &mut Stream<'_>, open: fn(&mut Self, &[u8])) {
        let meter = self.meter;
        let (bytes, complete) = stream.all(meter.room(), meter.buffer());
        if !complete {
            self.skip(
                "archive-member-too-large",
                format!("does not fit into {} bytes of memory", meter.limits().memory),
            );
        }
        match bytes {
            Cow::Borrowed(bytes) => open(self, bytes),
            Cow::Owned(buffer) => {
                let held = meter.hold(buffer.len());
                open(self, &buffer);
                drop(held);
                meter.recycle(buffer);
            }
        }
    }

    /// Lists something that was not read, or not all of it.
    fn skip(&mut self, reason: &'static str, detail: String) {
        let what =
            BString::from(self.chain.iter().map(|name| name.as_bytes()).collect::<Vec<_>>().join(&b'!'));
        self.skipped.push(Skipped { what, reason, detail, incomplete: true });
    }

    /// Lists a member by its name.
    fn skip_member(&mut self, name: &[u8], reason: &'static str, detail: &str) {
        self.named(name, |walker| walker.skip(reason, detail.to_owned()));
    }
}
