//! The parts of composite secrets: for each find, the nearest finds of the rules that its rule asks for.

use std::collections::HashMap;

use super::build::{Judged, Place};
use crate::finding::Position;
use crate::matcher::Span;
use crate::rules::{Required, Rule, RuleSet};

/// The finds of a text that can be parts of others.
#[derive(Debug, Default)]
pub(super) struct Parts<'a> {
    /// By the id of their rule, in the order of the text.
    by_rule: HashMap<&'a str, Vec<(Position, Span)>>,
}

impl<'a> Parts<'a> {
    /// Sorts the finds that any of the rules at work asks for.
    pub(super) fn new(rules: &'a RuleSet, judged: &[Judged], place: &Place<'_>) -> Self {
        let mut parts = Parts::default();
        for it in judged {
            for required in rules.rule(it.candidate.rule).required.iter() {
                parts.by_rule.entry(required.id.as_ref()).or_default();
            }
        }
        if parts.by_rule.is_empty() {
            return parts;
        }
        for it in judged {
            if let Some(found) = parts.by_rule.get_mut(rules.rule(it.candidate.rule).id.as_ref()) {
                found.push((place.start(it.candidate.secret), it.candidate.secret));
            }
        }
        parts.by_rule.values_mut().for_each(|found| found.sort_unstable());
        parts
    }

    /// The parts that a find's rule asks for, and their places; None when one that is demanded is missing.
    pub(super) fn of<'r>(
        &self,
        rule: &'r Rule,
        secret: Span,
        place: &Place<'_>,
    ) -> Option<Vec<(&'r Required, Span)>> {
        let mut parts = Vec::new();
        for required in rule.required.iter() {
            match self.nearest(required, place.start(secret), secret) {
                Some(span) => parts.push((required, span)),
                None if required.optional => {}
                None => return None,
            }
        }
        Some(parts)
    }

    /// The nearest find by lines; of two equally near ones the later.
    fn nearest(&self, required: &Required, here: Position, secret: Span) -> Option<Span> {
        let found = self.by_rule.get(required.id.as_ref())?;
        let lines = required.within_lines.map_or(u64::MAX, u64::from);
        let columns = required.within_columns.map_or(u64::MAX, u64::from);
        let (before, after) = found.split_at(found.partition_point(|(there, _)| *there < here));
        let fits = |&(there, span): &(Position, Span)| {
            span != secret && here.column.abs_diff(there.column) <= columns
        };
        let is_near = |(there, _): &(Position, Span)| here.line.abs_diff(there.line) <= lines;
        let earlier = before.iter().rev().copied().take_while(is_near).find(fits);
        let later = after.iter().copied().take_while(is_near).find(fits);
        let nearest = match (earlier, later) {
            (Some(a), Some(b)) if here.line.abs_diff(a.0.line) < here.line.abs_diff(b.0.line) => Some(a),
            (a, b) => b.or(a),
        };
        nearest.map(|(_, span)| span)
    }
}
