//! Sentences that several formats share, so that a finding reads the same everywhere.
//!
//! They hold text from the repository and from rules: visible, but not yet escaped for any syntax.

use super::escape::{visible, visible_str};
use super::view::{View, suppressed};
use crate::finding::{Finding, Location, Remediation, Severity, Skipped};

/// What was found and how sure it is, in one line:
/// `GitHub token: ghp_… (critical, high confidence: checksum valid)`.
pub(crate) fn message(view: &View<'_>, f: &Finding) -> String {
    let mut text = format!(
        "{}: {} ({}, {}",
        visible_str(&f.description),
        visible_str(&view.secret(&f.secret)),
        f.severity,
        certainty(f)
    );
    if !f.location.decoded.is_empty() {
        text.push_str(&format!("; decoded from {}", f.location.decoded.join(", then ")));
    }
    if !f.occurrences.is_empty() {
        text.push_str(&format!("; {} places", f.occurrences.len() + 1));
    }
    text.push(')');
    text
}

/// `high confidence: checksum valid, near keyword`.
pub(crate) fn certainty(f: &Finding) -> String {
    let reasons: Vec<_> = f.reasons.iter().map(|reason| reason.replace('-', " ")).collect();
    let why = if reasons.is_empty() { String::new() } else { format!(": {}", reasons.join(", ")) };
    format!("{} confidence{why}", f.confidence)
}

/// What to do, as sentences one after the other; never empty.
pub(crate) fn advice(r: &Remediation) -> String {
    let sentences: Vec<_> = [&r.opens, &r.revoke, &r.rotate]
        .into_iter()
        .filter(|s| !s.is_empty())
        .map(|s| visible_str(s))
        .collect();
    if sentences.is_empty() {
        return "Revoke it, replace it, and keep the new value out of the repository.".to_owned();
    }
    sentences.join(" ")
}

/// `config/prod.env:12:9`, with archive members after `!`.
pub(crate) fn place(view: &View<'_>, f: &Finding, at: &Location) -> String {
    let path = visible(&view.machine_path(f, at));
    if at.start.line == 0 { path } else { format!("{path}:{}:{}", at.start.line, at.start.column) }
}

/// Why a suppressed finding does not count: `baseline, false-positive: Test data (Ana, 2026-01-31)`.
/// Who decided is said only when personal data is asked for, or `with_person`.
pub(crate) fn suppression(view: &View<'_>, f: &Finding, with_person: bool) -> Option<String> {
    let reason = suppressed(f)?;
    let words = |text: &str| visible_str(&view.words(text));
    let mut text = reason.kind.to_owned();
    if !reason.status.is_empty() {
        text.push_str(&format!(", {}", words(reason.status)));
    }
    if !reason.reason.is_empty() {
        text.push_str(&format!(": {}", words(reason.reason)));
    }
    let by = if with_person || view.options.personal_data { reason.by } else { "" };
    let decided: Vec<_> = [by, reason.on].into_iter().filter(|w| !w.is_empty()).map(words).collect();
    if !decided.is_empty() {
        text.push_str(&format!(" ({})", decided.join(", ")));
    }
    Some(text)
}

/// What could not be read, and why: `etc/shadow: permission-denied (details)`.
pub(crate) fn skipped(view: &View<'_>, s: &Skipped) -> String {
    let detail = if s.detail.is_empty() { String::new() } else { format!(" ({})", visible_str(&s.detail)) };
    format!("{}: {}{detail}", visible(&view.name(&s.what)), visible_str(s.reason))
}

/// The loudness of a finding in systems that know three levels.
pub(crate) fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low => "note",
    }
}

/// At most `max` characters, the last one an ellipsis if something was cut.
pub(crate) fn cut(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        None => text.to_owned(),
        Some(_) => text.chars().take(max.saturating_sub(1)).chain(['…']).collect(),
    }
}
