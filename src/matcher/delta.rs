//! Scanning in delta space: a text that was put together from runs of a text that was scanned before.
//!
//! What is remembered of a text ([`Seen`]) are the occurrences of literals and what each led to. In a
//! text made from it, an occurrence inside a copied run need not be searched for again, and what it
//! led to holds as long as all bytes that the literal [reaches](super::Reach) were copied with it.
//! Searched are only the bytes between the runs and around their seams; confirmed again are only
//! occurrences that a seam may have changed. The result is exactly that of a scan of the whole text.

use std::ops::Range;

use super::prefilter::Hit;
use super::{Candidate, Matcher, Reach, Scratch, Span};

/// A run of bytes that a text has in common with its base.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// Offset in the base.
    pub src: usize,
    /// Offset in the text.
    pub dst: usize,
    /// Length in bytes.
    pub len: usize,
}

/// A candidate, the occurrence that led to it, and the caller's mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Carried {
    hit: Hit,
    candidate: Candidate,
    mark: u32,
}

/// What is remembered of a scanned text.
#[derive(Debug, Default)]
pub struct Seen {
    /// Occurrences of literals, sorted.
    hits: Vec<Hit>,
    /// What they led to, sorted by occurrence.
    carried: Vec<Carried>,
    /// Candidates of rules that must see the whole text; found anew each time.
    whole: Vec<(Candidate, u32)>,
    len: usize,
}

impl Seen {
    /// The candidates, as [`Matcher::scan`] would list them, with their marks.
    pub fn candidates(&self, matcher: &Matcher, out: &mut Vec<(Candidate, u32)>) {
        out.clear();
        out.extend(self.carried.iter().map(|c| (c.candidate, c.mark)));
        out.extend_from_slice(&self.whole);
        if !out.is_empty() {
            matcher.resolve_by(out, |c| &c.0);
        }
    }

    /// Whether occurrences and what they led to are in order, and none is there twice.
    #[cfg(test)]
    pub(super) fn is_in_order(&self) -> bool {
        self.hits.is_sorted_by(|a, b| a < b) && self.carried.is_sorted_by_key(|c| c.hit)
    }

    /// Whether there is no candidate.
    pub fn is_empty(&self) -> bool {
        self.carried.is_empty() && self.whole.is_empty()
    }
}

/// Gives a candidate that was not inherited its mark: a number that stays with it in all texts that
/// inherit it. Called with the text.
pub type Mark<'m> = dyn FnMut(&[u8], &Candidate) -> u32 + 'm;

impl Matcher {
    /// Scans a whole text and remembers it.
    pub fn see(&self, text: &[u8], scratch: &mut Scratch, mark: &mut Mark<'_>) -> Seen {
        let mut seen = Seen { len: text.len(), ..Seen::default() };
        scratch.begin();
        self.prefilter.find(text, 0, text.len(), &mut seen.hits);
        seen.hits.sort_unstable();
        let mut found = std::mem::take(&mut scratch.found);
        for &hit in &seen.hits {
            self.carry(text, hit, scratch, &mut found, mark, &mut seen.carried);
        }
        scratch.found = found;
        self.see_whole(text, scratch, mark, &mut seen);
        seen
    }

    /// Scans a text that shares `runs` (in order of `dst`, without overlaps) with the text that
    /// `base` remembers.
    pub fn see_delta(
        &self,
        text: &[u8],
        base: &Seen,
        runs: &[Run],
        scratch: &mut Scratch,
        mark: &mut Mark<'_>,
    ) -> Seen {
        let mut seen = Seen { len: text.len(), ..Seen::default() };
        scratch.begin();
        let mut fresh = std::mem::take(&mut scratch.hits);
        fresh.clear();
        each_gap(runs, text.len(), |gap| self.prefilter.find(text, gap.start, gap.end, &mut fresh));
        fresh.sort_unstable();
        fresh.dedup();
        let mut next = 0;
        let mut found = std::mem::take(&mut scratch.found);
        for run in runs {
            self.inherit(text, base, *run, &fresh, &mut next, scratch, &mut found, mark, &mut seen);
        }
        for &hit in &fresh[next..] {
            self.take(text, hit, scratch, &mut found, mark, &mut seen);
        }
        scratch.hits = fresh;
        scratch.found = found;
        self.see_whole(text, scratch, mark, &mut seen);
        seen
    }

    /// Takes over the occurrences inside one run, with the fresh ones that come before each.
    #[allow(clippy::too_many_arguments)]
    fn inherit(
        &self,
        text: &[u8],
        base: &Seen,
        run: Run,
        fresh: &[Hit],
        next: &mut usize,
        scratch: &mut Scratch,
        found: &mut Vec<Candidate>,
        mark: &mut Mark<'_>,
        seen: &mut Seen,
    ) {
        let end = run.src + run.len;
        let first = base.hits.partition_point(|h| (h.at as usize) < run.src);
        let mut carried = base.carried.partition_point(|c| (c.hit.at as usize) < run.src);
        for &old in &base.hits[first..] {
            let at = old.at as usize;
            if at >= end {
                break;
            }
            if at + self.prefilter.literals()[usize::from(old.literal)].bytes.len() > end {
                continue;
            }
            let hit = Hit { at: (at - run.src + run.dst) as u32, literal: old.literal };
            while *next < fresh.len() && fresh[*next] < hit {
                self.take(text, fresh[*next], scratch, found, mark, seen);
                *next += 1;
            }
            if fresh.get(*next) == Some(&hit) {
                *next += 1;
            }
            if !self.unchanged(old, run, base.len, text.len()) {
                self.take(text, hit, scratch, found, mark, seen);
                continue;
            }
            seen.hits.push(hit);
            while base.carried.get(carried).is_some_and(|c| c.hit < old) {
                carried += 1;
            }
            while let Some(c) = base.carried.get(carried).filter(|c| c.hit == old) {
                seen.carried.push(c.moved(hit));
                carried += 1;
            }
        }
    }

    /// Whether every byte that an occurrence in the base can reach was copied with it by this run.
    fn unchanged(&self, old: Hit, run: Run, base_len: usize, text_len: usize) -> bool {
        let Reach::Window { back, forward } = self.reach(old.literal) else {
            // Candidates of such rules are found anew; the occurrence itself only says that they may be there.
            return false;
        };
        let at = old.at as usize;
        let from_start = run.src == 0 && run.dst == 0;
        let to_end = run.src + run.len == base_len && run.dst + run.len == text_len;
        let start_held = at >= run.src + back as usize || from_start;
        let end_held = at + forward as usize <= run.src + run.len || to_end;
        start_held && end_held
    }

    fn take(
        &self,
        text: &[u8],
        hit: Hit,
        scratch: &mut Scratch,
        found: &mut Vec<Candidate>,
        mark: &mut Mark<'_>,
        seen: &mut Seen,
    ) {
        seen.hits.push(hit);
        self.carry(text, hit, scratch, found, mark, &mut seen.carried);
    }

    fn carry(
        &self,
        text: &[u8],
        hit: Hit,
        scratch: &mut Scratch,
        found: &mut Vec<Candidate>,
        mark: &mut Mark<'_>,
        carried: &mut Vec<Carried>,
    ) {
        found.clear();
        self.confirm(text, hit, scratch, found);
        carried.extend(found.iter().map(|c| Carried { hit, candidate: *c, mark: mark(text, c) }));
    }

    fn see_whole(&self, text: &[u8], scratch: &mut Scratch, mark: &mut Mark<'_>, seen: &mut Seen) {
        let mut found = std::mem::take(&mut scratch.found);
        found.clear();
        self.confirm_whole(text, scratch, &mut found);
        seen.whole.extend(found.iter().map(|c| (*c, mark(text, c))));
        scratch.found = found;
    }
}

/// Calls `on` for what lies between the runs of a text. A seam without new bytes is the byte before it, as literals
/// may span it; gaps with little between them are one, which costs less than to begin anew.
fn each_gap(runs: &[Run], len: usize, mut on: impl FnMut(Range<usize>)) {
    const LITTLE: usize = 48;
    let mut open: Option<Range<usize>> = None;
    let mut add = |gap: Range<usize>| match &mut open {
        Some(last) if gap.start <= last.end + LITTLE => last.end = last.end.max(gap.end),
        _ => {
            if let Some(done) = open.replace(gap) {
                on(done);
            }
        }
    };
    let mut at = 0;
    for (i, run) in runs.iter().enumerate() {
        if run.dst > at {
            add(at..run.dst);
        } else if i > 0 {
            add(at.saturating_sub(1)..at.min(len));
        }
        at = run.dst + run.len;
    }
    if at < len {
        add(at..len);
    }
    if let Some(last) = open {
        on(last);
    }
}

impl Carried {
    /// The same candidate where its occurrence is now.
    fn moved(&self, hit: Hit) -> Self {
        let shift = |span: Span| Span {
            start: span.start.wrapping_sub(self.hit.at).wrapping_add(hit.at),
            end: span.end.wrapping_sub(self.hit.at).wrapping_add(hit.at),
        };
        let candidate = Candidate {
            whole: shift(self.candidate.whole),
            secret: shift(self.candidate.secret),
            ..self.candidate
        };
        Carried { hit, candidate, mark: self.mark }
    }
}

#[cfg(test)]
mod tests;
