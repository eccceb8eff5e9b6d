//! Whole contents: text in any encoding, or a container whose members are contents of their own.

use std::io::Read;
use std::ops::Range;

use bstr::BString;

use super::{Session, Text, advance, build};
use crate::finding::{Location, Position, Skipped};
use crate::matcher::decode;
use crate::source::archive::{self, Limits, Member};
use crate::source::reader::Piece;

const TOP: Position = Position { line: 1, column: 1 };

/// Most encodings and containers, one in the other, where containers stand encoded in texts.
pub(super) const MAX_LEVELS: usize = 12;
/// What a container that stands encoded in a text may unpack to whatever its size; a text has room for
/// thousands of them.
pub(super) const ENCODED_FREE_BYTES: u64 = 4 << 20;

/// What is known of a content from the pieces of it that were examined.
#[derive(Clone, Copy, Debug)]
pub(super) struct Progress {
    /// Position of the first byte of the next piece.
    next: Position,
    /// The same in the text that the content encodes.
    next_decoded: Position,
    encoding: Option<decode::Encoding>,
    /// How many bytes at the beginning of the next piece end a character that began before.
    rest_of_character: usize,
    /// Whether the beginning shows binary data: the rest is treated like it.
    binary: bool,
}

impl Default for Progress {
    fn default() -> Self {
        Progress { next: TOP, next_decoded: TOP, encoding: None, rest_of_character: 0, binary: false }
    }
}

impl Progress {
    /// Whether the pieces have to be examined in order: what they encode has positions of its own.
    pub(super) fn is_transcoded(&self) -> bool {
        self.encoding.is_some()
    }

    /// Goes on to the next piece.
    pub(super) fn pass(&mut self, piece: &Piece<'_>) {
        if piece.next > 0 {
            let next = piece.next + rest_of_character(piece.bytes, piece.next);
            let passed = piece.bytes.get(self.rest_of_character..next).unwrap_or_default();
            self.rest_of_character = next - piece.next;
            self.next = advance(self.next, passed);
        }
    }
}

impl Session<'_> {
    /// Examines the whole content of a file, blob or stream. In text, only secrets that touch one of
    /// `regions` count; a container that changed is examined whole.
    pub fn examine_content(&mut self, bytes: &[u8], regions: Option<&[Range<usize>]>, location: &Location) {
        let first = self.outcome.findings.len();
        self.examine_inside(bytes, regions, location);
        self.examine_name(bytes, location, first);
    }

    fn examine_inside(&mut self, bytes: &[u8], regions: Option<&[Range<usize>]>, location: &Location) {
        if self.engine.options.archives && archive::recognise(bytes).is_some() {
            return self.open(location, |limits, sink, skipped| archive::open(bytes, limits, sink, skipped));
        }
        if let Some(encoding) = self.encoding(bytes) {
            let piece = Piece { bytes, own: 0..bytes.len(), offset: 0, next: 0, whole: true };
            self.examine_transcoded(&piece, regions, location, encoding, &mut { TOP });
        }
        // What looks like UTF-16 and is none is text as well.
        self.examine(&Text { regions, ..Text::whole(bytes, location) });
    }

    /// Examines a container that is too large to be held in memory, with the help of other threads.
    pub fn examine_container(&mut self, input: &mut dyn Read, len: u64, location: &Location) {
        let limits = self.engine.options.limits;
        let mut skipped = Vec::new();
        self.share(location, |sink| archive::open_reader(input, len, &limits, sink, &mut skipped));
        self.note_skips(location, skipped);
    }

    /// Examines a container that is mapped into memory, with the help of other threads.
    pub fn examine_mapped_container(&mut self, bytes: &[u8], location: &Location) {
        let limits = self.engine.options.limits;
        let mut skipped = Vec::new();
        self.share(location, |sink| archive::open(bytes, &limits, sink, &mut skipped));
        self.note_skips(location, skipped);
    }

    /// Examines a container that stood encoded in a text, at this place.
    pub(super) fn examine_encoded_container(
        &mut self,
        location: &Location,
        place: Range<Position>,
        chain: &[&'static str],
        bytes: &[u8],
    ) {
        let mut location = location.clone();
        location.decoded.extend_from_slice(chain);
        // Each level is small when it is well packed: only a count ends files made for this.
        if location.decoded.len() + location.container.len() > MAX_LEVELS {
            self.outcome.skipped.push(Skipped {
                what: location.path.clone().unwrap_or_else(|| BString::from("(content)")),
                reason: "archive-depth",
                detail: format!("more than {MAX_LEVELS} encodings and containers deep"),
                incomplete: true,
            });
            return;
        }
        let first = self.outcome.findings.len();
        let limits = Limits { ratio_free_bytes: ENCODED_FREE_BYTES, ..self.engine.options.limits };
        self.open_within(&limits, &location, |limits, sink, skipped| {
            archive::open(bytes, limits, sink, skipped)
        });
        for finding in &mut self.outcome.findings[first..] {
            finding.location.start = place.start;
            finding.location.end = place.end;
        }
    }

    fn open(
        &mut self,
        location: &Location,
        open: impl FnOnce(&Limits, &mut dyn FnMut(Member<'_>), &mut Vec<Skipped>),
    ) {
        let limits = self.engine.options.limits;
        self.open_within(&limits, location, open);
    }

    fn open_within(
        &mut self,
        limits: &Limits,
        location: &Location,
        open: impl FnOnce(&Limits, &mut dyn FnMut(Member<'_>), &mut Vec<Skipped>),
    ) {
        let mut skipped = Vec::new();
        let mut inner = location.clone();
        let outer = location.container.len();
        let mut progress = Progress::default();
        open(
            limits,
            &mut |member| {
                inner.container.truncate(outer);
                inner.container.extend_from_slice(member.chain);
                self.examine_piece(member.piece, &inner, member.binary, &mut progress);
            },
            &mut skipped,
        );
        self.note_skips(location, skipped);
    }

    /// Lists what of a container was not read.
    fn note_skips(&mut self, location: &Location, skipped: Vec<Skipped>) {
        let shown = location.path.clone().unwrap_or_else(|| BString::from("(content)"));
        self.outcome.skipped.extend(skipped.into_iter().map(|mut skip| {
            let mut what = shown.clone();
            if !skip.what.is_empty() {
                what.push(b'!');
                what.extend_from_slice(&skip.what);
            }
            skip.what = what;
            skip
        }));
    }

    /// Examines a piece of a large content, or the whole of a small one. Pieces come in order; `progress` is what
    /// is known from those before, and is begun anew by the first.
    pub(super) fn examine_piece(
        &mut self,
        piece: &Piece<'_>,
        location: &Location,
        binary: bool,
        progress: &mut Progress,
    ) {
        if piece.offset == 0 {
            *progress = self.begin(piece, binary);
        }
        if let Some(encoding) = progress.encoding {
            self.examine_transcoded(piece, None, location, encoding, &mut progress.next_decoded);
        }
        self.examine_untranscoded(piece, location, progress);
        progress.pass(piece);
    }

    /// What the first piece of a content shows.
    pub(super) fn begin(&self, piece: &Piece<'_>, binary: bool) -> Progress {
        let encoding = self.encoding(piece.bytes).filter(|_| !binary);
        Progress { encoding, binary: binary || build::is_binary(piece.bytes), ..Progress::default() }
    }

    /// Examines the text that a piece is as it stands.
    pub(super) fn examine_untranscoded(
        &mut self,
        piece: &Piece<'_>,
        location: &Location,
        progress: &Progress,
    ) {
        // The text begins and ends between two characters, so that columns are those of the whole.
        let skip = progress.rest_of_character;
        let origin = progress.next;
        let bytes = piece.bytes.get(skip..).unwrap_or_default();
        let own = piece.own.start.saturating_sub(skip)..piece.own.end.saturating_sub(skip);
        self.examine(&Text { bytes, own, regions: None, origin, location, binary: progress.binary });
    }

    /// Examines the text that a piece encodes; `next` is the position of its first character, and then of the
    /// next piece's.
    fn examine_transcoded(
        &mut self,
        piece: &Piece<'_>,
        regions: Option<&[Range<usize>]>,
        location: &Location,
        encoding: decode::Encoding,
        next: &mut Position,
    ) {
        let mut cuts = vec![piece.own.start, piece.own.end, piece.next];
        cuts.extend(regions.unwrap_or_default().iter().flat_map(|r| [r.start, r.end]));
        cuts.sort_unstable();
        let mut decoded = cuts.clone();
        let bytes = encoding.decode(piece.bytes, &mut decoded);
        let at = |raw: usize| cuts.binary_search(&raw).map_or(0, |i| decoded[i]);
        let regions: Option<Vec<Range<usize>>> =
            regions.map(|regions| regions.iter().map(|r| at(r.start)..at(r.end)).collect());
        let mut location = location.clone();
        location.decoded.push(encoding.name());
        let text = Text::whole(&bytes, &location);
        self.examine(&Text {
            own: at(piece.own.start)..at(piece.own.end),
            regions: regions.as_deref(),
            origin: *next,
            binary: false,
            ..text
        });
        if piece.next > 0 {
            *next = advance(*next, &bytes[..at(piece.next)]);
        }
    }

    fn encoding(&self, bytes: &[u8]) -> Option<decode::Encoding> {
        decode::Encoding::of(bytes).filter(|_| self.engine.options.decode)
    }
}

/// How many bytes from `at` on belong to a character that begins before.
fn rest_of_character(bytes: &[u8], at: usize) -> usize {
    let first = at.saturating_sub(3);
    let begin = bytes.get(first..at).and_then(|before| before.iter().rposition(|b| b & 0xc0 != 0x80));
    let Some(begin) = begin.map(|n| first + n) else { return 0 };
    let longest = bytes.len().min(begin + 4);
    let end =
        (at + 1..=longest).find(|&end| std::str::from_utf8(&bytes[begin..end]).is_ok_and(one_character));
    end.map_or(0, |end| end - at)
}

fn one_character(text: &str) -> bool {
    text.chars().count() == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_go_on() {
        for (text, at, rest) in [
            ("aä".as_bytes(), 2, 1),
            ("aä".as_bytes(), 1, 0),
            ("aä".as_bytes(), 3, 0),
            ("€".as_bytes(), 1, 2),
            ("x€".as_bytes(), 3, 1),
            ("\u{1f600}".as_bytes(), 1, 3),
            ("\u{1f600}".as_bytes(), 3, 1),
            (b"\xe4\xb0", 1, 0),
            (b"a\xb0\xb0", 2, 0),
            (b"a\xc3b", 2, 0),
            (b"abc", 2, 0),
            (b"", 0, 0),
        ] {
            assert_eq!(rest_of_character(text, at), rest, "{text:?} {at}");
        }
    }
}
