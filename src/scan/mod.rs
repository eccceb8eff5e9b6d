//! The join of source and matcher: content goes in, findings come out. The only room with threads.

mod bound;
mod build;
mod content;
#[cfg(test)]
mod cost;
mod ends;
pub mod explain;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod history;
mod lines;
mod named;
mod parts;
mod progress;
mod shared;
mod staged;
mod worktree;

use std::cell::OnceCell;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use crate::finding::{Confidence, Finding, Location, Position, Remediation, Skipped, Suppression};
use crate::matcher::{Candidate, Matcher, Scratch, decode};
use crate::rules::{Rule, RuleIndex, RuleSet};
use crate::source::archive;
use crate::suppress::Policy;

use bound::BoundRules;
pub use history::{CacheFacts, HistoryFacts, HistoryOptions, RangeOptions, scan_history, scan_range};
pub use lines::{Lines, advance};
use named::NamedRules;
pub use progress::Progress;
pub use staged::scan_staged;
pub use worktree::{scan_stdin, scan_worktree};

/// What decides whether a candidate becomes a finding.
#[derive(Clone, Debug)]
pub struct Options {
    /// Findings of less confidence are dropped.
    pub min_confidence: Confidence,
    /// Number of threads; 0 = one a core.
    pub threads: usize,
    /// Look into encoded text.
    pub decode: bool,
    /// Look into containers.
    pub archives: bool,
    /// Bounds of what is unpacked from one.
    pub limits: archive::Limits,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            min_confidence: Confidence::Medium,
            threads: 0,
            decode: true,
            archives: true,
            limits: archive::Limits::default(),
        }
    }
}

/// A rule set, ready to scan. Shared by all threads.
#[derive(Debug)]
pub struct Engine {
    /// Of all rules but those that are bound to names of files.
    matcher: Matcher,
    /// Of those that count in binary data.
    binary: OnceLock<Matcher>,
    rules: Arc<RuleSet>,
    bound: Option<BoundRules>,
    policy: Policy,
    options: Options,
    named: NamedRules,
    /// What to do about each rule's secrets: told with every finding, and the same in all of a rule.
    remediations: Box<[OnceLock<Arc<Remediation>>]>,
}

/// What a scan found and could not read, and how much it read.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The findings, in no order until [`Outcome::sort`].
    pub findings: Vec<Finding>,
    /// What was not read, or not whole.
    pub skipped: Vec<Skipped>,
    /// Number of files or blobs.
    pub files: u64,
    /// Number of bytes of content.
    pub bytes: u64,
}

impl Outcome {
    /// Adds what another thread found.
    pub fn merge(&mut self, other: Outcome) {
        self.findings.extend(other.findings);
        self.skipped.extend(other.skipped);
        self.files += other.files;
        self.bytes += other.bytes;
    }

    /// Puts everything in an order that does not depend on threads: by place, then by rule.
    pub fn sort(&mut self) {
        self.findings
            .sort_by(|a, b| (&a.location, &a.rule, &a.secret).cmp(&(&b.location, &b.rule, &b.secret)));
        self.skipped.sort();
        self.skipped.dedup();
    }
}

impl Engine {
    /// Joins rules, a policy and options.
    pub fn new(rules: RuleSet, policy: Policy, options: Options) -> Self {
        let rules = Arc::new(rules);
        let named = NamedRules::of(&rules);
        let bound = BoundRules::of(&rules);
        let matcher = Matcher::of(rules.clone(), |rule| !bound::is_bound(rule));
        let remediations = rules.iter().map(|_| OnceLock::new()).collect();
        Engine { matcher, binary: OnceLock::new(), rules, bound, policy, options, named, remediations }
    }

    /// The policy.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The rules.
    pub fn rules(&self) -> &RuleSet {
        self.matcher.rules()
    }

    /// The matcher of all rules but those that are bound to names of files.
    pub fn matcher(&self) -> &Matcher {
        &self.matcher
    }

    /// Whether a rule looks at the names of files, too or only.
    fn looks_at_names(&self, rule: RuleIndex) -> bool {
        bound::is_bound(self.rules.rule(rule)) || self.named.rules.contains(&rule)
    }

    /// Whether such a rule may mean a file of this name.
    fn may_look_at(&self, name: &[u8]) -> bool {
        self.named.ends.may_end_in(name, &mut None)
            || self.bound.as_ref().is_some_and(|bound| bound.ends.may_end_in(name, &mut None))
    }

    /// The matcher for a text that is binary data or not.
    fn matcher_of(&self, binary: bool) -> &Matcher {
        let counts = |rule: &Rule| !bound::is_bound(rule) && rule.identifies_itself();
        match binary {
            true => self.binary.get_or_init(|| Matcher::of(self.rules.clone(), counts)),
            false => &self.matcher,
        }
    }

    /// Whether a candidate counts in binary data, where only secrets do that identify themselves.
    fn counts_in_binary(&self, candidate: &Candidate) -> bool {
        self.rules.rule(candidate.rule).identifies_itself()
    }

    /// The matcher of the rules that are bound to names of files, if this can be one.
    fn matcher_for(&self, location: &Location) -> Option<&Matcher> {
        self.bound.as_ref()?.matcher_for(location.path.as_ref()?)
    }

    /// What to do about a rule's secrets, as findings tell it.
    fn remediation(&self, rule: RuleIndex) -> Arc<Remediation> {
        let remedy = &self.rules.rule(rule).remediation;
        let make = || Remediation {
            opens: remedy.opens.to_string(),
            revoke: remedy.revoke.to_string(),
            rotate: remedy.rotate.to_string(),
            url: remedy.url.to_string(),
            command: remedy.command.to_string(),
            rotate_days: remedy.rotate_days,
        };
        self.remediations[usize::from(rule)].get_or_init(|| Arc::new(make())).clone()
    }

    /// Changes the options.
    pub fn change_options(&mut self, change: impl FnOnce(&mut Options)) {
        change(&mut self.options);
    }

    /// The options.
    pub fn options(&self) -> &Options {
        &self.options
    }
}

/// A text to examine.
#[derive(Clone, Debug)]
pub struct Text<'a> {
    /// The bytes, with context.
    pub bytes: &'a [u8],
    /// Secrets that begin in this part of `bytes` are reported.
    pub own: Range<usize>,
    /// Of those, only secrets that touch one of these ranges (sorted); None = all.
    pub regions: Option<&'a [Range<usize>]>,
    /// Position of the first byte.
    pub origin: Position,
    /// Where the text is; its positions are filled in.
    pub location: &'a Location,
    /// Binary data, in which only self-identifying secrets count.
    pub binary: bool,
}

impl<'a> Text<'a> {
    /// A whole file's or message's content.
    pub fn whole(bytes: &'a [u8], location: &'a Location) -> Self {
        Text {
            bytes,
            own: 0..bytes.len(),
            regions: None,
            origin: Position { line: 1, column: 1 },
            location,
            binary: build::is_binary(bytes),
        }
    }
}

/// One thread's work: its scratch memory and what it found.
#[derive(Debug)]
pub struct Session<'e> {
    engine: &'e Engine,
    scratch: Scratch,
    /// For the matcher of the bound rules.
    bound_scratch: Scratch,
    candidates: Vec<Candidate>,
    /// What was found so far.
    pub outcome: Outcome,
}

impl<'e> Session<'e> {
    /// Begins a thread's work.
    pub fn new(engine: &'e Engine) -> Self {
        Session {
            engine,
            scratch: Scratch::default(),
            bound_scratch: Scratch::default(),
            candidates: Vec::new(),
            outcome: Outcome::default(),
        }
    }

    /// Whether policy excludes a file from the scan; if so it is listed as skipped.
    pub fn passes_over(&mut self, path: &[u8]) -> bool {
        let policy = &self.engine.policy;
        let detail = if policy.excluded(path) {
            "excluded by the configuration".to_owned()
        } else if let Some(Suppression::Allowlist { description }) = policy.allows_all_of(Some(path), None) {
            format!("allowed: {description}")
        } else {
            return false;
        };
        self.outcome.skipped.push(Skipped {
            what: path.into(),
            reason: "excluded",
            detail,
            incomplete: false,
        });
        true
    }

    /// Does `work` on the content at `path`. Should it panic on this content, which is a bug, then the content
    /// is listed as not read, and what was found elsewhere is not lost.
    pub fn guarded(&mut self, path: &[u8], work: impl FnOnce(&mut Self)) {
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work(self)));
        if done.is_err() {
            // What the scratch memory holds now is anybody's guess.
            self.scratch = Scratch::default();
            self.bound_scratch = Scratch::default();
            self.candidates.clear();
            self.outcome.skipped.push(Skipped {
                what: path.into(),
                reason: "internal-error",
                detail: "a bug of stanch; please report it".to_owned(),
                incomplete: true,
            });
        }
    }

    /// Examines a content as [`examine_content`](Self::examine_content) does, for these rules. No other may have a
    /// candidate in it that its matcher accepts.
    pub fn examine_for(&mut self, rules: &[RuleIndex], bytes: &[u8], location: &Location) {
        for scratch in [&mut self.scratch, &mut self.bound_scratch] {
            scratch.only.these(rules.iter().copied());
        }
        self.examine_content(bytes, None, location);
        self.scratch.only.all();
        self.bound_scratch.only.all();
    }

    /// Examines a text, and what is encoded in it, and keeps what it finds.
    pub fn examine(&mut self, text: &Text<'_>) {
        let mut candidates = std::mem::take(&mut self.candidates);
        candidates.clear();
        let bound = self.engine.matcher_for(text.location);
        self.engine.matcher_of(text.binary).scan(text.bytes, &mut self.scratch, &mut candidates);
        if let Some(bound) = bound {
            bound.scan(text.bytes, &mut self.bound_scratch, &mut candidates);
            bound.resolve(&mut candidates);
        }
        let first = self.outcome.findings.len();
        let lines = OnceCell::new();
        if !candidates.is_empty() {
            build::findings(self.engine, text, &lines, None, &candidates, &mut self.outcome.findings);
        }
        if self.engine.options.decode && !text.binary {
            self.examine_decoded(text, &lines, first, &mut candidates);
        }
        self.candidates = candidates;
    }

    /// Examines what is encoded in a text. Findings from `first` on are those of the text itself.
    fn examine_decoded<'t>(
        &mut self,
        text: &Text<'t>,
        lines: &OnceCell<Lines<'t>>,
        first: usize,
        candidates: &mut Vec<Candidate>,
    ) {
        let own = [text.own.clone()];
        let mut budget = decode::Budget::for_text(text.bytes.len());
        let bound = self.engine.matcher_for(text.location);
        let Session { engine, scratch, bound_scratch, outcome, .. } = self;
        let mut found = Vec::new();
        let mut containers = Vec::new();
        decode::each(text.bytes, text.regions.unwrap_or(&own), &mut budget, &mut |decoded| {
            if decoded.content == decode::Content::Container {
                containers.push((decoded.range.clone(), decoded.chain, decoded.bytes.clone()));
                return;
            }
            candidates.clear();
            engine.matcher.scan(&decoded.bytes, scratch, candidates);
            if let Some(bound) = bound {
                bound.scan(&decoded.bytes, bound_scratch, candidates);
                bound.resolve(candidates);
            }
            candidates.retain(|c| {
                let inner = c.secret.start as usize..c.secret.end as usize;
                let outer = decoded.source_range(inner.clone());
                !decoded.is_verbatim(inner) && text.owns(outer.start, outer.end)
            });
            if !candidates.is_empty() {
                build::findings(engine, text, lines, Some(decoded), candidates, &mut found);
            }
        });
        build::add_decoded(&mut outcome.findings, first, found);
        if budget.exhausted {
            outcome.skipped.push(Skipped {
                what: text.location.path.clone().unwrap_or_else(|| "(text)".into()),
                reason: "decode-budget",
                detail: "holds more encoded text than is decoded".to_owned(),
                incomplete: true,
            });
        }
        for (range, chain, bytes) in containers {
            if text.owns(range.start, range.end) && self.engine.options.archives {
                let lines = lines.get_or_init(|| Lines::new(text.bytes, text.origin));
                let (start, end) = (lines.position(range.start), lines.position(range.end));
                self.examine_encoded_container(text.location, start..end, chain.as_slice(), &bytes);
            }
        }
    }
}

impl Text<'_> {
    /// Whether a secret at these bytes is to be reported.
    fn owns(&self, start: usize, end: usize) -> bool {
        let end = end.max(start + 1);
        self.own.contains(&start)
            && self.regions.is_none_or(|regions| {
                let next = regions.partition_point(|r| r.end <= start);
                regions.get(next).is_some_and(|r| r.start < end)
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Tree, TreeSource};
    use crate::matcher::checksum;
    use crate::rules::template;

    /// In binary data the matcher of fewer rules finds what the one of all finds of them.
    #[test]
    fn binary_data_has_the_candidates_of_rules_that_identify_themselves() {
        let tree = Tree::new(Config::default(), TreeSource::default()).unwrap();
        let policy = Policy::new(tree, jiff::civil::date(2024, 1, 1)).unwrap();
        let engine = Engine::new(RuleSet::builtin(), policy, Options::default());
        // Every rule's own samples, each between bytes of no text.
        let mut text = b"\x7fELF\x02\0".to_vec();
        for (_, rule) in engine.rules().iter() {
            for sample in rule.matches.iter() {
                let complete = |body: &str| checksum::complete(&rule.checksum, body);
                let Ok(sample) = template::expand(sample, &complete) else { continue };
                text.extend_from_slice(sample.text.as_bytes());
                text.extend_from_slice(b"\0\xff\x01");
            }
        }
        let (mut all, mut some) = (Vec::new(), Vec::new());
        engine.matcher_of(false).scan(&text, &mut Scratch::default(), &mut all);
        engine.matcher_of(true).scan(&text, &mut Scratch::default(), &mut some);
        let before = all.len();
        all.retain(|candidate| engine.counts_in_binary(candidate));
        assert_eq!(all, some);
        assert!(some.len() > 300 && some.len() < before, "{} of {before}", some.len());
    }

    #[test]
    fn a_panic_on_one_content_is_a_skip_and_loses_nothing() {
        let tree = Tree::new(Config::default(), TreeSource::default()).unwrap();
        let policy = Policy::new(tree, jiff::civil::date(2024, 1, 1)).unwrap();
        let engine = Engine::new(RuleSet::builtin(), policy, Options::default());
        let mut session = Session::new(&engine);
        let text = ["db_passwo", "rd = 'Vx9kq2!mTr7wLp'"].concat();
        session.guarded(b"good", |s| s.examine(&Text::whole(text.as_bytes(), &Location::default())));
        session.guarded(b"bad", |_| panic!("a bug"));
        session.guarded(b"good", |s| s.examine(&Text::whole(text.as_bytes(), &Location::default())));
        assert_eq!((session.outcome.findings.len(), session.outcome.skipped.len()), (2, 1));
        let skip = &session.outcome.skipped[0];
        assert_eq!(
            (skip.what.as_slice(), skip.reason, skip.incomplete),
            (&b"bad"[..], "internal-error", true)
        );
    }
}
