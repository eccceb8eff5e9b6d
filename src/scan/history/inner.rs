//! What stands encoded in blobs or packed into them, inherited along deltas like everything else.
//!
//! What is looked at, and what is listed as not read, is what [`Session::examine_content`] looks at and lists
//! in a file with the same bytes.
//!
//! [`Session::examine_content`]: crate::scan::Session::examine_content

use std::ops::Range;

use super::sightings::{IGNORED, Sightings};
use crate::finding::Skipped;
use crate::matcher::decode::{self, Content, Decoded, Encoding};
use crate::matcher::delta::Run;
use crate::matcher::{Candidate, Matcher, Scratch};
use crate::scan::Engine;
use crate::scan::build::is_binary;
use crate::scan::content::{ENCODED_FREE_BYTES, MAX_LEVELS};
use crate::source::archive::{self, Limits, Member};
use crate::source::reader::Piece;

/// A candidate in encoded text, or a place that was not read whole.
#[derive(Clone, Copy, Debug)]
struct Item {
    /// The bytes of the blob that decide on it.
    start: u32,
    end: u32,
    /// The sighting; [`IGNORED`] for what was not read.
    mark: u32,
}

/// The candidates in what a blob encodes or contains.
#[derive(Debug, Default)]
pub struct Inner {
    items: Vec<Item>,
    /// Whether the blob is text of which all that is encoded was decoded, so that texts made from it may
    /// inherit.
    heritable: bool,
}

impl Inner {
    /// The numbers of the sightings.
    pub fn marks(&self) -> impl Iterator<Item = u32> + '_ {
        self.items.iter().map(|i| i.mark).filter(|&mark| mark != IGNORED)
    }

    /// Whether everything in the blob was read. (What could not be is listed with the first blob of those
    /// that inherit it.)
    pub fn is_complete(&self) -> bool {
        self.items.iter().all(|i| i.mark != IGNORED)
    }
}

/// What a blob shares with its base.
pub struct Shared<'a> {
    /// What the base holds.
    pub inner: &'a Inner,
    /// Size of the base in bytes.
    pub len: usize,
    /// The runs that both have in common.
    pub runs: &'a [Run],
}

/// Finds candidates in what blobs hold beneath their surface.
pub struct Beneath<'a> {
    /// The engine.
    pub engine: &'a Engine,
    /// The matcher of the rules that are looked for.
    pub matcher: &'a Matcher,
    /// Distinct candidates.
    pub sightings: &'a Sightings,
}

/// A look at one blob.
struct Dive<'a> {
    engine: &'a Engine,
    matcher: &'a Matcher,
    sightings: &'a Sightings,
    scratch: &'a mut Scratch,
    found: Vec<Candidate>,
    items: Vec<Item>,
    skipped: &'a mut Vec<Skipped>,
}

/// A text on the way down.
struct Layer<'t> {
    bytes: &'t [u8],
    /// Candidates that begin here are this text's; the rest is context.
    own: Range<usize>,
    /// The bytes of the blob that decide on the encoded run or the container that the text is in.
    at: Range<usize>,
    binary: bool,
    /// Encodings and containers that it is in.
    level: usize,
}

/// What is known of a container's member from its first piece.
#[derive(Clone, Copy, Default)]
struct Begun {
    encoding: Option<Encoding>,
    binary: bool,
}

impl Beneath<'_> {
    /// Looks beneath the surface of a blob; what could not be opened or was left undecoded is appended to
    /// `skipped`.
    pub fn see(
        &self,
        blob: &[u8],
        shared: Option<Shared<'_>>,
        scratch: &mut Scratch,
        skipped: &mut Vec<Skipped>,
    ) -> Inner {
        let options = self.engine.options();
        let mut dive = Dive {
            engine: self.engine,
            matcher: self.matcher,
            sightings: self.sightings,
            scratch,
            found: Vec::new(),
            items: Vec::new(),
            skipped,
        };
        if options.archives && archive::recognise(blob).is_some() {
            dive.container(blob, 0..blob.len(), 0, &options.limits);
            return Inner { items: dive.items, heritable: false };
        }
        let mut heritable = false;
        if options.decode {
            if let Some(encoding) = Encoding::of(blob) {
                let bytes = encoding.decode(blob, &mut []);
                let own = 0..bytes.len();
                dive.text(&Layer { bytes: &bytes, own, at: 0..blob.len(), binary: false, level: 1 });
                dive.encoded(blob, None);
            } else {
                heritable = dive.encoded(blob, shared.filter(|s| s.inner.heritable));
            }
        }
        Inner { items: dive.items, heritable }
    }
}

impl Dive<'_> {
    /// Decodes what changed bytes of a blob can have changed, and inherits the rest. Returns whether others may inherit
    /// from it.
    fn encoded(&mut self, blob: &[u8], shared: Option<Shared<'_>>) -> bool {
        // As in files, what stands in binary data is taken as it is.
        if is_binary(blob) {
            return false;
        }
        let regions = match &shared {
            Some(shared) => gaps(shared, blob.len()),
            None => decode::whole(blob).to_vec(),
        };
        if let Some(shared) = &shared {
            inherit(shared, &regions, &mut self.items);
        }
        let mut budget = decode::Budget::for_text(blob.len());
        decode::each(blob, &regions, &mut budget, &mut |decoded| {
            self.decoded(decoded, decoded.reach.clone(), &(0..blob.len()), 0);
        });
        self.account_for(budget, 0..blob.len());
        !budget.exhausted
    }

    /// Scans what was decoded of a text of this level. Candidates are those of the text's `own` bytes.
    fn decoded(&mut self, decoded: &Decoded, at: Range<usize>, own: &Range<usize>, level: usize) {
        if decoded.content == Content::Container {
            let options = self.engine.options();
            if !options.archives || !own.contains(&decoded.range.start) {
                return;
            }
            let level = level + decoded.chain.as_slice().len();
            if level > MAX_LEVELS {
                let detail = format!("more than {MAX_LEVELS} encodings and containers deep");
                return self.skip("archive-depth", detail, at);
            }
            let limits = Limits { ratio_free_bytes: ENCODED_FREE_BYTES, ..options.limits };
            return self.container(&decoded.bytes, at, level, &limits);
        }
        self.scan(&decoded.bytes, &at, false, |secret| {
            !decoded.is_verbatim(secret.clone()) && own.contains(&decoded.source_range(secret).start)
        });
    }

    /// Scans a text that lies beneath, and what is encoded in it.
    fn text(&mut self, layer: &Layer<'_>) {
        self.scan(layer.bytes, &layer.at, layer.binary, |secret| layer.own.contains(&secret.start));
        if layer.binary || !self.engine.options().decode {
            return;
        }
        let mut budget = decode::Budget::for_text(layer.bytes.len());
        decode::each(layer.bytes, std::slice::from_ref(&layer.own), &mut budget, &mut |decoded| {
            self.decoded(decoded, layer.at.clone(), &layer.own, layer.level);
        });
        self.account_for(budget, layer.at.clone());
    }

    /// Opens a container of this level.
    fn container(&mut self, bytes: &[u8], at: Range<usize>, level: usize, limits: &Limits) {
        let mut skipped = Vec::new();
        let mut begun = Begun::default();
        let mut member = |member: Member<'_>| self.member(member, &at, level, &mut begun);
        archive::open(bytes, limits, &mut member, &mut skipped);
        if !skipped.is_empty() {
            self.note_unread(at);
            self.skipped.append(&mut skipped);
        }
    }

    /// Scans a member of a container, or the next piece of one.
    fn member(&mut self, member: Member<'_>, at: &Range<usize>, level: usize, begun: &mut Begun) {
        let piece = member.piece;
        let level = level + member.chain.len();
        if piece.offset == 0 {
            let decodes = self.engine.options().decode && !member.binary;
            let encoding = Encoding::of(piece.bytes).filter(|_| decodes);
            *begun = Begun { encoding, binary: member.binary || is_binary(piece.bytes) };
        }
        if let Some(encoding) = begun.encoding {
            self.transcoded(piece, encoding, at, level + 1);
        }
        let (bytes, own) = (piece.bytes, piece.own.clone());
        self.text(&Layer { bytes, own, at: at.clone(), binary: begun.binary, level });
    }

    fn transcoded(&mut self, piece: &Piece<'_>, encoding: Encoding, at: &Range<usize>, level: usize) {
        let mut own = [piece.own.start, piece.own.end];
        let bytes = encoding.decode(piece.bytes, &mut own);
        let own = own[0]..own[1];
        self.text(&Layer { bytes: &bytes, own, at: at.clone(), binary: false, level });
    }

    /// Scans a text; keeps the candidates whose secret (offsets in the text) `keep` accepts.
    fn scan(&mut self, text: &[u8], at: &Range<usize>, binary: bool, keep: impl Fn(Range<usize>) -> bool) {
        let matcher = self.matcher;
        self.found.clear();
        matcher.scan(text, self.scratch, &mut self.found);
        for candidate in &self.found {
            // In binary data only self-identifying secrets count.
            if binary && !self.engine.counts_in_binary(candidate)
                || !keep(candidate.secret.start as usize..candidate.secret.end as usize)
            {
                continue;
            }
            let mark = self.sightings.mark(matcher, text, candidate);
            if mark != IGNORED {
                self.items.push(Item { start: at.start as u32, end: at.end as u32, mark });
            }
        }
    }

    fn account_for(&mut self, budget: decode::Budget, at: Range<usize>) {
        if budget.exhausted {
            self.skip("decode-budget", "holds more encoded text than is decoded".to_owned(), at);
        }
    }

    fn skip(&mut self, reason: &'static str, detail: String, at: Range<usize>) {
        self.note_unread(at);
        self.skipped.push(Skipped { what: Default::default(), reason, detail, incomplete: true });
    }

    /// Remembers that something at this place was not read.
    fn note_unread(&mut self, at: Range<usize>) {
        self.items.push(Item { start: at.start as u32, end: at.end as u32, mark: IGNORED });
    }
}

/// The ranges of a blob between the runs that it shares; empty ones where two runs meet.
fn gaps(shared: &Shared<'_>, len: usize) -> Vec<Range<usize>> {
    let mut regions = Vec::with_capacity(shared.runs.len() + 1);
    let mut at = 0;
    for (i, run) in shared.runs.iter().enumerate() {
        if !(i == 0 && run.dst == 0 && run.src == 0) {
            regions.push(at..run.dst);
        }
        at = run.dst + run.len;
    }
    let to_end = shared.runs.last().is_some_and(|r| r.src + r.len == shared.len);
    if at < len || !to_end {
        regions.push(at..len);
    }
    regions
}

/// Takes over what lies in a run and does not touch a changed region.
fn inherit(shared: &Shared<'_>, regions: &[Range<usize>], items: &mut Vec<Item>) {
    if shared.inner.items.is_empty() {
        return;
    }
    for run in shared.runs {
        for item in &shared.inner.items {
            let (start, end) = (item.start as usize, item.end as usize);
            if start < run.src || end > run.src + run.len {
                continue;
            }
            let (start, end) = (start - run.src + run.dst, end - run.src + run.dst);
            if !decode::is_touched(&(start..end), regions) {
                items.push(Item { start: start as u32, end: end as u32, mark: item.mark });
            }
        }
    }
}
