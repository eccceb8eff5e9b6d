//! Whole contents: text in any encoding, or a container whose members are contents of their own.

use std::io::Read;
use std::ops::Range;

use bstr::BString;

use super::{Session, Text, advance};
use crate::finding::{Location, Position, Skipped};
use crate::matcher::decode;
use crate::source::archive::{self, Limits, Member};
use crate::source::reader::Piece;

const TOP: Position = Position { line: 1, column: 1 };

/// Most encodings and containers, one in the other, where containers stand encoded in texts.
const MAX_LEVELS: usize = 12;
/// What a container that stands encoded in a text may unpack to whatever its size; a text has room for
/// thousands of them.
const ENCODED_FREE_BYTES: u64 = 4 << 20;

impl Session<'_> {
    /// Examines the whole content of a file, blob or stream. In text, only secrets that touch one of
    /// `regions` count; a container that changed is examined whole.
    pub fn examine_content(&mut self, bytes: &[u8], regions: Option<&[Range<usize>]>, location: &Location) {
        if let Some(transcoded) = decode::encoding_of_text(bytes).filter(|_| self.engine.options.decode) {
            let location = Location { decoded: vec![transcoded.name], ..location.clone() };
            return self.examine(&Text { binary: false, ..Text::whole(&transcoded.text, &location) });
        }
        if self.engine.options.archives && archive::recognise(bytes).is_some() {
            return self.open(location, |limits, sink, skipped| archive::open(bytes, limits, sink, skipped));
        }
        self.examine(&Text { regions, ..Text::whole(bytes, location) });
    }

    /// Examines a container that is too large to be held in memory.
    pub fn examine_container(&mut self, input: &mut dyn Read, len: u64, location: &Location) {
        self.open(location, |limits, sink, skipped| archive::open_reader(input, len, limits, sink, skipped));
    }

    /// Examines a container that stood encoded in a text.
    pub(super) fn examine_encoded_container(
        &mut self,
        text: &Text<'_>,
        range: Range<usize>,
        chain: &[&'static str],
        bytes: &[u8],
    ) {
        let lines = super::Lines::new(text.bytes, text.origin);
        let (start, end) = (lines.position(range.start), lines.position(range.end));
        let mut location = text.location.clone();
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
            finding.location.start = start;
            finding.location.end = end;
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
        let mut next = TOP;
        open(
            limits,
            &mut |member| {
                inner.container.truncate(outer);
                inner.container.extend_from_slice(member.chain);
                self.examine_piece(member.piece, &inner, member.binary, &mut next);
            },
            &mut skipped,
        );
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

    /// Examines a piece of a large content; `next` is the position of the first byte of the piece,
    /// and then of the next one's.
    pub(super) fn examine_piece(
        &mut self,
        piece: &Piece<'_>,
        location: &Location,
        binary: bool,
        next: &mut Position,
    ) {
        if piece.whole
            && !binary
            && let Some(transcoded) = self.transcoded(piece.bytes)
        {
            let mut location = location.clone();
            location.decoded.push(transcoded.name);
            return self.examine(&Text { binary: false, ..Text::whole(&transcoded.text, &location) });
        }
        let origin = if piece.offset == 0 { TOP } else { *next };
        let text = Text::whole(piece.bytes, location);
        let binary = binary || text.binary;
        self.examine(&Text { own: piece.own.clone(), origin, binary, ..text });
        if piece.next > 0 {
            *next = advance(origin, &piece.bytes[..piece.next]);
        }
    }

    fn transcoded(&self, bytes: &[u8]) -> Option<decode::Transcoded> {
        decode::encoding_of_text(bytes).filter(|_| self.engine.options.decode)
    }
}
