//! Files that are known by their name to hold a secret, whatever it looks like.

use std::ops::Range;
use std::sync::Arc;

use bstr::BString;

use super::ends::Ends;
use super::{Session, advance, build};
use crate::finding::{Confidence, Finding, Location, Position, Secret, Status};
use crate::rules::{Rule, RuleIndex, RuleSet};
use crate::suppress::Subject;
use crate::verdict::{self, filekind::FileKind};

/// The part of a content that stands for it, in bytes.
const HEAD: usize = 4096;

/// The rules that look at paths only.
#[derive(Debug)]
pub struct NamedRules {
    /// Their places in the rule set.
    pub rules: Vec<RuleIndex>,
    /// How the paths that they name can end.
    pub ends: Ends,
}

impl NamedRules {
    /// Those of a rule set.
    pub fn of(rules: &Arc<RuleSet>) -> Self {
        let named = rules.iter().filter(|(_, rule)| is_named(rule)).map(|(index, _)| index);
        NamedRules { rules: named.collect(), ends: Ends::new(rules.clone(), is_named) }
    }
}

fn is_named(rule: &Rule) -> bool {
    rule.pattern.is_empty() && rule.detector.is_empty() && !rule.path.is_empty()
}

/// The part of a content that is reported in its place, in bytes; empty when it holds nothing.
pub fn head(content: &[u8]) -> Range<usize> {
    let start = content.iter().position(|b| !b.is_ascii_whitespace()).unwrap_or(content.len());
    start..start + content[start..content.len().min(start + HEAD)].trim_ascii_end().len()
}

impl Session<'_> {
    /// Reports a content whose path a rule without a pattern names. Findings from `first` on are those in it: where
    /// there are some, they say more.
    pub(super) fn examine_name(&mut self, bytes: &[u8], location: &Location, first: usize) {
        let engine = self.engine;
        let is_file = location.message_kind.is_none();
        if engine.named.rules.is_empty() || self.outcome.findings.len() > first || !is_file {
            return;
        }
        let Some(path) = location.path.as_ref().filter(|_| location.container.is_empty()) else { return };
        let rules = engine.matcher.rules();
        let names =
            |rule: &&RuleIndex| rules.path_regex(**rule).is_some_and(|regex| regex.is_match(path.as_slice()));
        let Some(&rule) = engine.named.rules.iter().find(names) else { return };
        let secret = head(bytes);
        if !secret.is_empty()
            && let Some(finding) = self.named(rule, bytes, secret, location)
        {
            self.outcome.findings.push(finding);
        }
    }

    fn named(
        &self,
        index: RuleIndex,
        bytes: &[u8],
        span: Range<usize>,
        location: &Location,
    ) -> Option<Finding> {
        let rule = self.engine.matcher.rules().rule(index);
        let secret = &bytes[span.clone()];
        let path = location.path.as_ref().map(|path| path.as_slice());
        let judgement = verdict::pattern::judge(rule, secret, FileKind::from_path(path.unwrap_or_default()));
        let ids: Vec<&str> =
            std::iter::once(&rule.id).chain(rule.aliases.iter()).map(AsRef::as_ref).collect();
        let changed = self.engine.policy.effective(path, &ids);
        let confidence = changed.confidence.or(judgement.confidence)?;
        let least: Confidence = changed.min_confidence.unwrap_or(self.engine.options.min_confidence);
        if !changed.enabled || confidence < least {
            return None;
        }
        let subject = Subject {
            rule: &rule.id,
            aliases: &rule.aliases,
            rule_allowlists: &rule.allowlists,
            text: bytes,
            span: span.clone(),
            secret_span: span.clone(),
            secret,
            matched: secret,
            path,
            commit: None,
        };
        let status = self.engine.policy.judge(&subject).map_or(Status::New, Status::Suppressed);
        let mut location = location.clone();
        let first = Position { line: 1, column: 1 };
        location.start = advance(first, &bytes[..span.start]);
        // Places in binary data say nothing.
        location.end = if build::is_binary(bytes) { location.start } else { advance(location.start, secret) };
        Some(Finding {
            rule: rule.id.to_string(),
            description: rule.description.to_string(),
            category: rule.category,
            severity: changed.severity.unwrap_or(rule.severity),
            confidence,
            location,
            secret: Secret::new(secret, 0),
            matched: (BString::default(), BString::default()),
            fingerprint: String::new(),
            parts: Vec::new(),
            commit: None,
            life: None,
            occurrences: Vec::new(),
            status,
            remediation: self.engine.remediation(index),
            reasons: std::iter::once("name-of-the-file").chain(judgement.reasons).collect(),
            tags: rule.tags.iter().map(ToString::to_string).collect(),
        })
    }
}
