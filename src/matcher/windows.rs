//! Patterns in the windows around their literals: which starts are tried, and what matches there.

use regex_automata::meta::{Cache, Regex};
use regex_automata::util::primitives::NonMaxUsize;
use regex_automata::{Anchored, Input};

use super::context::is_chance;
use super::examined::Starts;
use super::{Candidate, Matcher, Scratch, Span, work};
use crate::rules::RuleIndex;

impl Matcher {
    /// Finds the match at every start in `first..=last` that ends at `end` at the latest.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn search_window(
        &self,
        text: &[u8],
        rule: RuleIndex,
        first: usize,
        last: usize,
        end: usize,
        scratch: &mut Scratch,
        out: &mut Vec<Candidate>,
    ) {
        // Most occurrences of a keyword have no value behind them that the pattern could match.
        let number = usize::from(self.run_number[usize::from(rule)]);
        if let Some(run) = &self.rules.rule(rule).run
            && !scratch.runs.hold(text, run, number, &(first..end))
        {
            return;
        }
        let number = self.first_word[usize::from(rule)] as usize;
        if !scratch.sought.hold(text, &self.rules.rule(rule).words, number, &(first..end)) {
            return;
        }
        let mut starts = scratch.examined.take(usize::from(rule), first);
        if starts.next() <= last {
            self.examine(text, rule, last, end, scratch, &mut starts);
            starts.close(last);
        }
        starts.matches(first, last).iter().for_each(|found| note(*found, out));
        scratch.examined.put(usize::from(rule), starts);
    }

    /// Tries a rule at all starts up to `last` that were not tried; its matches end at `end` at the latest.
    fn examine(
        &self,
        text: &[u8],
        rule: RuleIndex,
        last: usize,
        end: usize,
        scratch: &mut Scratch,
        starts: &mut Starts,
    ) {
        /// More starts than this are searched by one unanchored search instead of one each.
        const FEW: usize = 12;
        let first = starts.next();
        let is_context = self.rules.rule(rule).context.is_some();
        if is_context || last - first < FEW {
            for start in first..=last {
                let found = if is_context {
                    work::count(end - start);
                    self.search_context(text, rule, start, scratch)
                } else {
                    let input = Input::new(text).span(start..end).anchored(Anchored::Yes);
                    self.search(rule, &input, scratch)
                };
                if let Some(found) = found.filter(|found| self.has_digit(text, found)) {
                    starts.add(found);
                }
            }
            return;
        }
        let mut from = first;
        while from <= last {
            let input = Input::new(text).span(from..end);
            match self.search(rule, &input, scratch) {
                Some(found) if found.whole.start as usize <= last => {
                    from = found.whole.start as usize + 1;
                    if self.has_digit(text, &found) {
                        starts.add(found);
                    }
                }
                _ => return,
            }
        }
    }

    pub(super) fn search_whole(
        &self,
        text: &[u8],
        rule: RuleIndex,
        scratch: &mut Scratch,
        out: &mut Vec<Candidate>,
    ) {
        let mut from = 0;
        while from < text.len() {
            let input = Input::new(text).span(from..text.len());
            let Some(found) = self.search(rule, &input, scratch) else {
                return;
            };
            from = found.whole.end as usize;
            if self.has_digit(text, &found) {
                out.push(found);
            } else {
                from = found.whole.start as usize + 1;
            }
        }
    }

    /// Whether the secret holds a digit, where its rule asks for one.
    fn has_digit(&self, text: &[u8], found: &Candidate) -> bool {
        !self.rules.rule(found.rule).digit || found.secret.of(text).iter().any(u8::is_ascii_digit)
    }

    /// The match of a context rule at a start: what [`search`](Self::search) would find there with its regex, unless it
    /// is one by chance.
    pub(super) fn search_context(
        &self,
        text: &[u8],
        rule: RuleIndex,
        start: usize,
        scratch: &mut Scratch,
    ) -> Option<Candidate> {
        let context = self.rules.rule(rule).context.as_ref()?;
        let found = self.contexts.at(text, usize::from(rule), context, start, &mut scratch.contexts)?;
        let found = Candidate {
            rule,
            whole: Span::from_usize(start, found.end),
            secret: Span::from_usize(found.value.0, found.value.1),
            evidence: None,
        };
        (!self.is_by_chance(text, &found)).then_some(found)
    }

    /// Whether a match of a rule's regex is one by chance; only context rules have such.
    pub(super) fn is_by_chance(&self, text: &[u8], found: &Candidate) -> bool {
        let context = self.rules.rule(found.rule).context.as_ref();
        context.is_some_and(|it| is_chance(text, found.whole.start as usize, it, found.secret.of(text)))
    }

    /// The leftmost match of a rule's regex.
    pub(super) fn search(
        &self,
        rule: RuleIndex,
        input: &Input<'_>,
        scratch: &mut Scratch,
    ) -> Option<Candidate> {
        work::count(input.end() - input.start());
        if scratch.caches.len() < self.rules.len() {
            scratch.caches.resize_with(self.rules.len(), Default::default);
            scratch.relaxed.resize_with(self.rules.len(), Default::default);
        }
        let (caches, slots) = (&mut scratch.caches[usize::from(rule)], &mut scratch.slots);
        if let Some(relaxed) = self.rules.relaxed(rule) {
            let loose = &mut scratch.relaxed[usize::from(rule)];
            let found = self.search_with(&relaxed.regex, rule, input, loose, slots)?;
            if (found.whole.end - found.whole.start) as usize <= relaxed.exact_up_to {
                return Some(found);
            }
        }
        self.search_with(self.rules.regex(rule), rule, input, caches, slots)
    }

    fn search_with(
        &self,
        regex: &Regex,
        rule: RuleIndex,
        input: &Input<'_>,
        cache: &mut Option<Box<Cache>>,
        slots: &mut Vec<Option<NonMaxUsize>>,
    ) -> Option<Candidate> {
        let cache = cache.get_or_insert_with(|| Box::new(regex.create_cache()));
        slots.clear();
        slots.resize(2 * regex.captures_len(), None);
        regex.search_slots_with(cache, input, slots)?;
        let group = |g: usize| {
            let at = |i: usize| slots.get(i).copied().flatten().map(NonMaxUsize::get);
            Some((at(2 * g)?, at(2 * g + 1)?))
        };
        let whole = group(0)?;
        let secret = match usize::from(self.rules.rule(rule).secret_group) {
            0 => (1..regex.captures_len()).find_map(group),
            g => group(g),
        };
        let secret = secret.unwrap_or(whole);
        Some(Candidate {
            rule,
            whole: Span::from_usize(whole.0, whole.1),
            secret: Span::from_usize(secret.0, secret.1),
            evidence: None,
        })
    }
}

/// Appends a match, if it is none of the last few: several literals of a rule lead to one match.
fn note(found: Candidate, out: &mut Vec<Candidate>) {
    const FEW: usize = 4;
    if !out.iter().rev().take(FEW).any(|known| *known == found) {
        out.push(found);
    }
}
