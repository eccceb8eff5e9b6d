//! What became of everything that looked like a secret on a line: the same steps as a scan, told.

use std::borrow::Cow;

use super::build::{applies, is_by_chance, judge, secret_of};
use super::{Engine, Session, Text};
use crate::finding::{Confidence, Finding, Location, Secret, Status, Suppression};
use crate::matcher::{Candidate, Scratch, entropy};
use crate::verdict::filekind::FileKind;

/// What a rule saw, and what became of it.
#[derive(Clone, Debug)]
pub struct Look {
    /// Id of the rule.
    pub rule: String,
    /// The value.
    pub secret: Secret,
    /// 1-based line on which the value begins.
    pub line: u64,
    /// The chain of encodings that was undone.
    pub decoded: Vec<&'static str>,
    /// What became of it.
    pub fate: Fate,
    /// Named reasons of the verdict.
    pub reasons: Vec<&'static str>,
}

/// What became of a candidate.
#[derive(Clone, Debug, PartialEq)]
pub enum Fate {
    /// It is reported.
    Reported,
    /// It is known or allowed.
    Suppressed(Suppression),
    /// The rule is for other paths.
    OtherPath,
    /// Binary data, where only values that identify themselves count.
    Binary,
    /// Its entropy, in bits per byte, is below what the rule asks for.
    Entropy {
        /// The value's.
        is: f32,
        /// The rule's.
        least: f32,
    },
    /// The verdict: not a secret.
    Harmless,
    /// Its confidence is below what is reported.
    Confidence {
        /// The verdict's.
        is: Confidence,
    },
    /// The configuration turns the rule off here.
    Disabled,
    /// Another rule stands for the same value.
    StoodFor {
        /// Its id.
        by: String,
    },
    /// It is only a part of other rules' findings, or parts of its own are missing.
    Part,
}

/// What the rules saw in a file's content on the lines `first..=last` (1-based).
pub fn explain(engine: &Engine, bytes: &[u8], location: &Location, first: u64, last: u64) -> Vec<Look> {
    let mut session = Session::new(engine);
    session.examine_content(bytes, None, location);
    let findings = session.outcome.findings;
    let text = Text::whole(bytes, location);
    let mut candidates = Vec::new();
    engine.matcher().scan(text.bytes, &mut Scratch::default(), &mut candidates);
    if let Some(bound) = &engine.bound {
        bound.matcher().scan(text.bytes, &mut Scratch::default(), &mut candidates);
        bound.matcher().resolve(&mut candidates);
    }
    let lines = super::Lines::new(text.bytes, text.origin);
    let mut looks = Vec::new();
    for candidate in &candidates {
        let start = lines.position(candidate.secret.start as usize);
        let end = lines.position(candidate.whole.end.max(candidate.secret.end) as usize);
        if end.line < first || start.line > last {
            continue;
        }
        let rule = engine.matcher().rules().rule(candidate.rule);
        let (fate, reasons) = fate(engine, &text, candidate, &findings, start);
        let value = secret_of(engine.matcher(), candidate, text.bytes);
        let secret = Secret::new(&value, usize::from(rule.prefix));
        looks.push(Look {
            rule: rule.id.to_string(),
            secret,
            line: start.line,
            decoded: Vec::new(),
            fate,
            reasons,
        });
    }
    // What was found behind an encoding is no candidate of the text itself.
    let decoded = findings.iter().filter(|finding| !finding.location.decoded.is_empty());
    let there =
        decoded.filter(|finding| finding.location.end.line >= first && finding.location.start.line <= last);
    let known = |finding: &&Finding| {
        looks.iter().any(|look| look.rule == finding.rule && look.secret.expose() == finding.secret.expose())
    };
    let there: Vec<&Finding> = there.filter(|finding| !known(finding)).collect();
    looks.extend(there.into_iter().map(|finding| Look {
        rule: finding.rule.clone(),
        secret: finding.secret.clone(),
        line: finding.location.start.line,
        decoded: finding.location.decoded.clone(),
        fate: fate_of(finding),
        reasons: finding.reasons.clone(),
    }));
    looks
}

fn fate_of(finding: &Finding) -> Fate {
    match &finding.status {
        Status::New => Fate::Reported,
        Status::Suppressed(suppression) => Fate::Suppressed(suppression.clone()),
    }
}

fn fate(
    engine: &Engine,
    text: &Text<'_>,
    candidate: &Candidate,
    findings: &[Finding],
    start: crate::finding::Position,
) -> (Fate, Vec<&'static str>) {
    let rule = engine.matcher().rules().rule(candidate.rule);
    let path = text.location.path.as_ref().map(|path| path.as_slice());
    let value = candidate.secret.of(text.bytes);
    if text.binary && !engine.counts_in_binary(candidate) {
        return (Fate::Binary, Vec::new());
    }
    if !applies(engine, candidate.rule, path) {
        return (Fate::OtherPath, Vec::new());
    }
    if !engine.matcher().accepts(text.bytes, candidate) {
        return (Fate::Entropy { is: entropy::shannon(value), least: rule.entropy }, Vec::new());
    }
    if is_by_chance(rule, text.bytes, candidate.secret) {
        return (Fate::Harmless, vec!["midst-of-base64"]);
    }
    let kind = path.map_or(FileKind::UNKNOWN, FileKind::from_path);
    let secret = secret_of(engine.matcher(), candidate, text.bytes);
    let encodes = matches!(secret, Cow::Owned(_));
    let judgement = judge(engine.matcher(), candidate, &secret, kind);
    let reasons = judgement.reasons.clone();
    let Some(is) = judgement.confidence else { return (Fate::Harmless, reasons) };
    let own = |finding: &&Finding| {
        finding.location.decoded.len() == usize::from(encodes)
            && finding.rule == rule.id
            && finding.location.start == start
    };
    if let Some(finding) = findings.iter().find(own) {
        return (fate_of(finding), reasons);
    }
    let ids: Vec<&str> = std::iter::once(&rule.id).chain(rule.aliases.iter()).map(AsRef::as_ref).collect();
    let changed = engine.policy().effective(path, &ids);
    if !changed.enabled {
        return (Fate::Disabled, reasons);
    }
    if rule.skip_report {
        return (Fate::Part, reasons);
    }
    let holds = |finding: &&Finding| {
        let other = finding.secret.expose();
        memchr::memmem::find(other, value).is_some() || memchr::memmem::find(value, other).is_some()
    };
    if let Some(other) = findings.iter().filter(|f| f.location.start.line == start.line).find(holds) {
        return (Fate::StoodFor { by: other.rule.clone() }, reasons);
    }
    let is = changed.confidence.unwrap_or(is);
    if is < changed.min_confidence.unwrap_or(engine.options().min_confidence) {
        return (Fate::Confidence { is }, reasons);
    }
    (Fate::Part, reasons)
}

/// Ids of the rules whose literals stand in a text: those that looked at it. The generic detector,
/// which looks at every assignment, is not among them.
pub fn lookers(engine: &Engine, text: &[u8]) -> Vec<String> {
    let folded = text.to_ascii_lowercase();
    let holds = |anchor: &crate::rules::Anchor| {
        memchr::memmem::find(if anchor.fold { &folded } else { text }, &anchor.literal).is_some()
    };
    let rules = engine.matcher().rules().iter();
    rules.filter(|(_, rule)| rule.anchors.iter().any(holds)).map(|(_, rule)| rule.id.to_string()).collect()
}
