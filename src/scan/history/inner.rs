//! What stands encoded in blobs or packed into them, inherited along deltas like everything else.

use std::ops::Range;

use super::sightings::{IGNORED, Sightings};
use crate::finding::Skipped;
use crate::matcher::decode::{self, Decoded, NEIGHBOURHOOD};
use crate::matcher::delta::Run;
use crate::matcher::{Candidate, Matcher, Scratch};
use crate::scan::Engine;
use crate::source::archive;

/// A candidate in encoded text.
#[derive(Clone, Copy, Debug)]
struct Item {
    /// The encoded run: offsets in the blob.
    start: u32,
    end: u32,
    mark: u32,
}

/// The candidates in what a blob encodes or contains.
#[derive(Debug, Default)]
pub struct Inner {
    items: Vec<Item>,
    /// Whether the blob is text, so that texts made from it may inherit.
    text: bool,
}

impl Inner {
    /// The numbers of the sightings.
    pub fn marks(&self) -> impl Iterator<Item = u32> + '_ {
        self.items.iter().map(|i| i.mark)
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
    /// Distinct candidates.
    pub sightings: &'a Sightings,
}

impl Beneath<'_> {
    /// Looks beneath the surface of a blob; what could not be opened is appended to `skipped`.
    pub fn see(
        &self,
        blob: &[u8],
        shared: Option<Shared<'_>>,
        scratch: &mut Scratch,
        skipped: &mut Vec<Skipped>,
    ) -> Inner {
        let options = self.engine.options();
        if options.decode
            && let Some(transcoded) = decode::encoding_of_text(blob)
        {
            let mut items = Vec::new();
            self.text(&transcoded.text, 0..blob.len(), false, scratch, &mut items);
            return Inner { items, text: false };
        }
        if options.archives && archive::recognise(blob).is_some() {
            return self.container(blob, scratch, skipped);
        }
        if !options.decode {
            return Inner::default();
        }
        self.encoded(blob, shared.filter(|s| s.inner.text), scratch)
    }

    /// Decodes what lies near changed bytes, and inherits the rest.
    fn encoded(&self, blob: &[u8], shared: Option<Shared<'_>>, scratch: &mut Scratch) -> Inner {
        let mut items = Vec::new();
        let regions = match &shared {
            Some(shared) => gaps(shared, blob.len()),
            None => decode::whole(blob).to_vec(),
        };
        if let Some(shared) = &shared {
            inherit(shared, &regions, &mut items);
        }
        let mut budget = decode::Budget::for_text(blob.len());
        decode::each(blob, &regions, &mut budget, &mut |decoded| {
            self.decoded(decoded, scratch, &mut items);
        });
        Inner { items, text: true }
    }

    fn decoded(&self, decoded: &Decoded, scratch: &mut Scratch, items: &mut Vec<Item>) {
        if decoded.content == decode::Content::Container {
            let inner = self.container(&decoded.bytes, scratch, &mut Vec::new());
            let at =
                |i: &Item| Item { start: decoded.range.start as u32, end: decoded.range.end as u32, ..*i };
            items.extend(inner.items.iter().map(at));
            return;
        }
        let matcher = self.engine.matcher();
        self.scan(matcher, &decoded.bytes, false, scratch, |candidate, mark| {
            if !decoded.is_verbatim(candidate.secret.start as usize..candidate.secret.end as usize) {
                items.push(Item { start: decoded.range.start as u32, end: decoded.range.end as u32, mark });
            }
        });
    }

    /// Scans a text that lies beneath, and what is encoded in it.
    fn text(
        &self,
        text: &[u8],
        at: Range<usize>,
        binary: bool,
        scratch: &mut Scratch,
        items: &mut Vec<Item>,
    ) {
        let (start, end) = (at.start as u32, at.end as u32);
        self.scan(self.engine.matcher(), text, binary, scratch, |_, mark| {
            items.push(Item { start, end, mark })
        });
        if binary || !self.engine.options().decode {
            return;
        }
        let mut budget = decode::Budget::for_text(text.len());
        let mut inner = Vec::new();
        decode::each(text, &decode::whole(text), &mut budget, &mut |decoded| {
            if decoded.content == decode::Content::Text {
                self.decoded(decoded, scratch, &mut inner);
            }
        });
        items.extend(inner.iter().map(|i| Item { start, end, mark: i.mark }));
    }

    fn container(&self, bytes: &[u8], scratch: &mut Scratch, skipped: &mut Vec<Skipped>) -> Inner {
        let mut items = Vec::new();
        archive::open(
            bytes,
            &self.engine.options().limits,
            &mut |member| {
                let piece = member.piece;
                match decode::encoding_of_text(piece.bytes).filter(|_| piece.whole && !member.binary) {
                    Some(transcoded) => {
                        self.text(&transcoded.text, 0..bytes.len(), false, scratch, &mut items)
                    }
                    None => {
                        let binary = member.binary || crate::scan::build::is_binary(piece.bytes);
                        self.text(piece.bytes, 0..bytes.len(), binary, scratch, &mut items);
                    }
                }
            },
            skipped,
        );
        Inner { items, text: false }
    }

    fn scan(
        &self,
        matcher: &Matcher,
        text: &[u8],
        binary: bool,
        scratch: &mut Scratch,
        mut keep: impl FnMut(&Candidate, u32),
    ) {
        let mut found = Vec::new();
        matcher.scan(text, scratch, &mut found);
        for candidate in &found {
            if binary && candidate.evidence.is_some() {
                continue;
            }
            let mark = self.sightings.mark(matcher, text, candidate);
            if mark != IGNORED {
                keep(candidate, mark);
            }
        }
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

/// Takes over what lies in a run and not near a changed region.
fn inherit(shared: &Shared<'_>, regions: &[Range<usize>], items: &mut Vec<Item>) {
    if shared.inner.items.is_empty() {
        return;
    }
    let near = |start: usize, end: usize| {
        let after = regions.partition_point(|r| r.end.saturating_add(NEIGHBOURHOOD) < start);
        regions.get(after).is_some_and(|r| r.start <= end.saturating_add(NEIGHBOURHOOD))
    };
    for run in shared.runs {
        for item in &shared.inner.items {
            let (start, end) = (item.start as usize, item.end as usize);
            if start < run.src || end > run.src + run.len {
                continue;
            }
            let (start, end) = (start - run.src + run.dst, end - run.src + run.dst);
            if !near(start, end) {
                items.push(Item { start: start as u32, end: end as u32, mark: item.mark });
            }
        }
    }
}
