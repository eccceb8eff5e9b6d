//! The matcher: bytes → candidates. Pure: no path, no I/O, no threads.
//!
//! The [`prefilter`] finds the literals that rules require; each occurrence is then *confirmed*: the
//! rule's regex, or a built-in detector, runs in the window where a match can lie. What a window
//! yields depends only on the bytes in it, so candidates of a text that was scanned before can be
//! taken over where its bytes did not change (history's delta scan builds on this).
//!
//! The result equals running every rule's regex over the whole text with leftmost-first,
//! non-overlapping matching, less what a context rule meets by chance (`context::is_chance`). To keep that equality local, a window yields *every* match, one for each
//! start at which the regex matches; [`Matcher::resolve`] then drops those that a search from the left
//! would have jumped over.

pub mod checksum;
mod context;
pub mod decode;
pub mod delta;
pub mod entropy;
mod examined;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod generic;
mod only;
mod pair;
mod per_text;
pub mod prefilter;
mod runs;
mod sought;
mod windows;
pub(crate) mod work;

use std::collections::HashMap;
use std::sync::Arc;

use regex_automata::meta::Cache;
use regex_automata::util::primitives::NonMaxUsize;

use crate::rules::rule::{Run, contains_folded};
use crate::rules::{Rule, RuleIndex, RuleSet, rarity};
use context::Contexts;
use examined::Examined;
use generic::Evidence;
use only::Only;
use prefilter::{Hit, Literal, LiteralIndex, Prefilter};
use runs::Runs;
use sought::Sought;

/// A range of bytes in a text of at most 4 GiB.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// Offset of the first byte.
    pub start: u32,
    /// Offset after the last byte.
    pub end: u32,
}

impl Span {
    /// The bytes of `text` in this span; empty where it lies outside.
    pub fn of(self, text: &[u8]) -> &[u8] {
        text.get(self.start as usize..self.end as usize).unwrap_or_default()
    }

    /// Whether the two share a byte.
    pub fn overlaps(self, other: Span) -> bool {
        self.start < other.end && other.start < self.end
    }

    fn from_usize(start: usize, end: usize) -> Self {
        let clamp = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Span { start: clamp(start), end: clamp(end) }
    }
}

/// A text that a rule matched: not yet judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Candidate {
    /// The rule.
    pub rule: RuleIndex,
    /// The whole match.
    pub whole: Span,
    /// The secret in it.
    pub secret: Span,
    /// What a detector saw around the value; None for rules with a pattern.
    pub evidence: Option<Evidence>,
}

/// Longest literal that is looked for, in bytes; longer ones are cut.
const MAX_LITERAL: usize = 64;

/// How far from an occurrence of a literal the bytes can change what is found there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Bytes before the literal's start and after it.
    Window {
        /// Bytes before the literal's first byte.
        back: u32,
        /// Bytes from the literal's first byte on.
        forward: u32,
    },
    /// The whole text.
    Whole,
}

/// Who wants to know of a literal.
#[derive(Clone, Copy, Debug)]
enum User {
    /// A pattern of bounded reach; matches start `before_min..=before_max` bytes before the literal.
    Window { rule: RuleIndex, before_min: u32, before_max: u32, max_len: u32 },
    /// A pattern that must see the whole text.
    Whole { rule: RuleIndex },
    /// A trigger of the generic detector.
    Generic { trigger: u16 },
}

/// A rule set, compiled for scanning. Share it between threads; give each its own [`Scratch`].
#[derive(Debug)]
pub struct Matcher {
    rules: Arc<RuleSet>,
    prefilter: Prefilter,
    /// `users[first_user[l]..first_user[l + 1]]` want literal `l`.
    users: Vec<User>,
    first_user: Vec<u32>,
    reach: Vec<Reach>,
    /// Rules with no literal at all: run over every text (users' rules only).
    always: Vec<RuleIndex>,
    /// Rules of families that are matched without their regex.
    contexts: Contexts,
    /// By rule: the number of the first word that its pattern needs.
    first_word: Vec<u32>,
    /// By rule: the number of the run that its pattern needs.
    run_number: Vec<u16>,
    /// Rule of each kind the generic detector finds; None when it is disabled.
    generic: Vec<Option<RuleIndex>>,
}

/// Per-thread memory of a matcher, reused from text to text.
#[derive(Debug, Default)]
pub struct Scratch {
    caches: Vec<Option<Box<Cache>>>,
    relaxed: Vec<Option<Box<Cache>>>,
    contexts: context::Caches,
    slots: Vec<Option<NonMaxUsize>>,
    hits: Vec<Hit>,
    found: Vec<Candidate>,
    assignments: Vec<generic::Assignment>,
    whole: Vec<RuleIndex>,
    sought: Sought,
    runs: Runs,
    examined: Examined,
    /// The rules that texts are searched for.
    pub only: Only,
}

impl Scratch {
    /// Forgets what is known of the text before.
    fn begin(&mut self) {
        self.sought.begin();
        self.runs.begin();
        self.examined.begin();
    }
}

impl Matcher {
    /// Prepares a rule set. Regexes still compile on first use.
    pub fn new(rules: impl Into<Arc<RuleSet>>) -> Self {
        Matcher::of(rules.into(), |_| true)
    }

    /// Prepares some rules of a set. Candidates name rules by their place in the whole set.
    pub fn of(rules: Arc<RuleSet>, which: impl Fn(&Rule) -> bool) -> Self {
        let mut wanted: Vec<(Literal, User)> = Vec::new();
        let mut always = Vec::new();
        for (index, rule) in rules.iter() {
            if rule.pattern.is_empty() || !which(rule) {
                continue;
            }
            if rule.anchors.is_empty() {
                always.push(index);
            }
            let reach = rule.reach();
            for anchor in rule.anchors.iter() {
                let user = match (reach, anchor.before_max) {
                    (Some(max_len), Some(before_max)) => {
                        User::Window { rule: index, before_min: anchor.before_min, before_max, max_len }
                    }
                    _ => User::Whole { rule: index },
                };
                let mut bytes = anchor.literal.clone();
                if bytes.len() > MAX_LITERAL {
                    bytes.to_mut().truncate(MAX_LITERAL);
                }
                let in_run = anchor.tail as usize >= prefilter::RUN;
                wanted.push((Literal { bytes, fold: anchor.fold, in_run, rarest: anchor.rarest }, user));
            }
        }
        let generic = generic::kinds(&|id| {
            let own = |&index: &RuleIndex| !rules.rule(index).detector.is_empty() && which(rules.rule(index));
            rules.find(id).filter(own)
        });
        if generic.iter().any(Option::is_some) {
            for (trigger, text) in generic::TRIGGERS.iter().enumerate() {
                let bytes = text.to_ascii_lowercase().into_bytes();
                let rarest = rarity::rarest(&bytes) as u8;
                let literal = Literal { bytes: bytes.into(), fold: true, in_run: false, rarest };
                wanted.push((literal, User::Generic { trigger: trigger as u16 }));
            }
        }
        wanted.sort_by(|a, b| a.0.cmp(&b.0));
        let mut literals: Vec<Literal> = Vec::with_capacity(wanted.len());
        let mut users = Vec::with_capacity(wanted.len());
        let mut first_user = Vec::with_capacity(wanted.len() + 1);
        for (literal, user) in wanted {
            match literals.last_mut() {
                Some(last) if (&last.bytes, last.fold) == (&literal.bytes, literal.fold) => {
                    last.in_run &= literal.in_run;
                }
                _ => {
                    literals.push(literal);
                    first_user.push(users.len() as u32);
                }
            }
            users.push(user);
        }
        first_user.push(users.len() as u32);
        let reach = first_user.windows(2).map(|w| reach_of(&users[w[0] as usize..w[1] as usize])).collect();
        let contexts = Contexts::new(&rules);
        let prefilter = Prefilter::new(literals);
        let number_words = |next: &mut u32, (_, rule): (RuleIndex, &Rule)| {
            let first = *next;
            *next += sought::count(&rule.words) as u32;
            Some(first)
        };
        let first_word = rules.iter().scan(0, number_words).collect();
        let run_number = number_runs(&rules);
        Matcher {
            rules,
            prefilter,
            users,
            first_user,
            reach,
            always,
            contexts,
            first_word,
            run_number,
            generic,
        }
    }

    /// The rules in force.
    pub fn rules(&self) -> &RuleSet {
        &self.rules
    }

    /// The prefilter over the rules' literals.
    pub fn prefilter(&self) -> &Prefilter {
        &self.prefilter
    }

    /// How far an occurrence of this literal reaches.
    pub fn reach(&self, literal: LiteralIndex) -> Reach {
        self.reach[usize::from(literal)]
    }

    /// Appends all candidates of a text, sorted by place.
    ///
    /// A text longer than 4 GiB is searched up to there only; callers scan such texts in chunks.
    pub fn scan(&self, text: &[u8], scratch: &mut Scratch, out: &mut Vec<Candidate>) {
        let mut hits = std::mem::take(&mut scratch.hits);
        hits.clear();
        scratch.begin();
        self.prefilter.find(text, 0, text.len(), &mut hits);
        let first = out.len();
        for &hit in &hits {
            self.confirm(text, hit, scratch, out);
        }
        scratch.hits = hits;
        self.confirm_whole(text, scratch, out);
        // Texts of many candidates are large: what was not there before is not copied.
        let mut found = if first == 0 { std::mem::take(out) } else { out.split_off(first) };
        self.resolve(&mut found);
        if first == 0 {
            *out = found;
        } else {
            out.append(&mut found);
        }
    }

    /// Appends every match that this occurrence can be part of. Rules that need the whole text are
    /// only noted; [`confirm_whole`](Self::confirm_whole) runs them.
    pub fn confirm(&self, text: &[u8], hit: Hit, scratch: &mut Scratch, out: &mut Vec<Candidate>) {
        let literal = usize::from(hit.literal);
        let users = &self.users[self.first_user[literal] as usize..self.first_user[literal + 1] as usize];
        for &user in users {
            match user {
                User::Window { rule, .. } | User::Whole { rule } if !scratch.only.has(rule) => {}
                User::Window { rule, before_min, before_max, max_len } => {
                    let at = hit.at as usize;
                    let Some(last) = at.checked_sub(before_min as usize) else {
                        continue;
                    };
                    let first = at.saturating_sub(before_max as usize);
                    let end = (last + max_len as usize).min(text.len());
                    self.search_window(text, rule, first, last, end, scratch, out);
                }
                User::Whole { rule } => {
                    if !scratch.whole.contains(&rule) {
                        scratch.whole.push(rule);
                    }
                }
                User::Generic { trigger } => self.detect(text, hit.at as usize, trigger, scratch, out),
            }
        }
    }

    /// Runs the rules that were noted since the last call, and those without literals, over the text.
    pub fn confirm_whole(&self, text: &[u8], scratch: &mut Scratch, out: &mut Vec<Candidate>) {
        let mut noted = std::mem::take(&mut scratch.whole);
        noted.extend_from_slice(&self.always);
        noted.retain(|&rule| scratch.only.has(rule));
        for &rule in &noted {
            work::count(text.len());
            let words = &self.rules.rule(rule).words;
            if self.has_keyword(rule, text) && words.iter().all(|word| word.is_in(text)) {
                self.search_whole(text, rule, scratch, out);
            }
        }
        noted.clear();
        scratch.whole = noted;
    }

    /// Sorts candidates by place and drops those that a non-overlapping search from the left would
    /// have jumped over. Candidates of detectors do not exclude one another.
    pub fn resolve(&self, candidates: &mut Vec<Candidate>) {
        self.resolve_by(candidates, |c| c);
    }

    /// [`resolve`](Self::resolve) for things that hold a candidate.
    fn resolve_by<T>(&self, items: &mut Vec<T>, of: impl Fn(&T) -> &Candidate) {
        items.sort_unstable_by(|a, b| of(a).cmp(of(b)));
        items.dedup_by(|a, b| of(a) == of(b));
        let mut rule = None;
        let mut free_from = 0;
        items.retain(|item| {
            let c = of(item);
            if rule != Some(c.rule) {
                rule = Some(c.rule);
                free_from = 0;
            }
            if c.evidence.is_none() {
                if c.whole.start < free_from {
                    return false;
                }
                free_from = c.whole.end;
            }
            true
        });
        items.sort_unstable_by(|a, b| {
            let key = |c: &Candidate| (c.secret.start, c.secret.end, c.rule);
            key(of(a)).cmp(&key(of(b))).then_with(|| of(a).cmp(of(b)))
        });
    }

    /// The kind of a rule that the generic detector serves.
    pub fn kind(&self, rule: RuleIndex) -> Option<generic::Kind> {
        let at = self.generic.iter().position(|&r| r == Some(rule))?;
        generic::Kind::ALL.get(at).copied()
    }

    /// Whether a candidate has the entropy that its rule asks for.
    pub fn accepts(&self, text: &[u8], candidate: &Candidate) -> bool {
        let least = self.rules.rule(candidate.rule).entropy;
        least <= 0.0 || entropy::shannon(candidate.secret.of(text)) >= least
    }

    fn detect(&self, text: &[u8], at: usize, trigger: u16, scratch: &mut Scratch, out: &mut Vec<Candidate>) {
        if !self.generic.iter().flatten().any(|&rule| scratch.only.has(rule)) {
            return;
        }
        generic::at_hit(text, at, usize::from(trigger), &mut scratch.assignments);
        for found in scratch.assignments.drain(..) {
            if let Some(Some(rule)) = self.generic.get(found.kind.index()) {
                out.push(Candidate {
                    rule: *rule,
                    whole: Span::from_usize(found.whole.start, found.whole.end),
                    secret: Span::from_usize(found.value.start, found.value.end),
                    evidence: Some(found.evidence),
                });
            }
        }
    }

    fn has_keyword(&self, rule: RuleIndex, text: &[u8]) -> bool {
        let keywords = &self.rules.rule(rule).keywords;
        keywords.is_empty() || keywords.iter().any(|k| contains_folded(text, k.as_bytes(), 0))
    }
}

/// Numbers the runs that patterns need, equal ones alike, by rule.
fn number_runs(rules: &RuleSet) -> Vec<u16> {
    let mut numbers: HashMap<Run, u16, foldhash::fast::RandomState> = HashMap::default();
    let number = |(_, rule): (RuleIndex, &Rule)| {
        let next = numbers.len() as u16;
        rule.run.map_or(0, |run| *numbers.entry(run).or_insert(next))
    };
    rules.iter().map(number).collect()
}

fn reach_of(users: &[User]) -> Reach {
    let mut back = 0u32;
    let mut forward = 0u32;
    for user in users {
        match *user {
            // One byte more on each side, for `\b`, `^` and `$`.
            User::Window { before_min, before_max, max_len, .. } => {
                back = back.max(before_max.saturating_add(1));
                forward = forward.max(max_len.saturating_sub(before_min).saturating_add(1));
            }
            User::Whole { .. } => return Reach::Whole,
            User::Generic { .. } => {
                back = back.max(generic::REACH_BACK as u32);
                forward = forward.max(generic::REACH_FORWARD as u32);
            }
        }
    }
    Reach::Window { back, forward }
}

#[cfg(test)]
mod tests;
