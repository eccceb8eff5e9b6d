//! What a report may show: the one place where findings lose their secrets.
//!
//! Every format reads findings through a [`View`], never directly: texts that come out of it hold no
//! value of a secret (unless `--show-secrets`), but are otherwise as hostile as they came in. Each
//! format escapes them for its own syntax.

use std::borrow::Cow;
use std::sync::Arc;

use bstr::{BStr, ByteSlice};
use jiff::Timestamp;
use jiff::fmt::temporal::DateTimePrinter;
use jiff::tz::{Offset, TimeZone};

use super::redact::{MARK, Redactor, SHORTEST_IN_NAMES, SHORTEST_IN_TEXT};
use super::{Options, Report};
use crate::finding::{
    Commit, Finding, Location, MessageKind, Remediation, Secret, Severity, Skipped, Status, Suppression,
};

/// The tool's version, as the package states it.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A report behind its redaction.
pub(crate) struct View<'a> {
    pub(crate) report: &'a Report,
    pub(crate) options: Options,
    redactor: Redactor<'a>,
}

impl<'a> View<'a> {
    /// What may be shown of a report to which [`without_values`] was applied by the same redactor.
    pub(crate) fn new(report: &'a Report, options: Options, redactor: Redactor<'a>) -> Self {
        View { report, options, redactor }
    }

    /// The findings to show, in report order: new ones, and suppressed ones if they were asked for.
    pub(crate) fn findings(&self) -> impl Iterator<Item = &'a Finding> + Clone {
        let suppressed = self.options.suppressed;
        self.report.findings.iter().filter(move |f| suppressed || is_new(f))
    }

    /// The findings that count.
    pub(crate) fn new_findings(&self) -> impl Iterator<Item = &'a Finding> + Clone {
        self.report.findings.iter().filter(|f| is_new(f))
    }

    /// How many findings count, and how many were suppressed (shown or not).
    pub(crate) fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for finding in &self.report.findings {
            match finding.status {
                Status::New => {
                    counts.new += 1;
                    counts.by_severity[finding.severity as usize] += 1;
                }
                Status::Suppressed(_) => counts.suppressed += 1,
            }
        }
        counts
    }

    /// What was asked for and not read: each of these makes the run incomplete.
    pub(crate) fn unread(&self) -> impl Iterator<Item = &'a Skipped> + Clone {
        self.report.skipped.iter().filter(|s| s.incomplete)
    }

    /// Whether the run must not be called clean, whatever was found.
    pub(crate) fn incomplete(&self) -> bool {
        self.report.summary.incomplete || self.unread().next().is_some()
    }

    /// The secret as it may be shown.
    pub(crate) fn secret(&self, secret: &'a Secret) -> Cow<'a, str> {
        if self.options.show_secrets { secret.expose().to_str_lossy() } else { Cow::Owned(secret.redacted()) }
    }

    /// What stands before and after the secret in the match.
    pub(crate) fn context(&self, finding: &'a Finding) -> (Cow<'a, [u8]>, Cow<'a, [u8]>) {
        let (before, after) = &finding.matched;
        (self.redactor.redact(before, SHORTEST_IN_TEXT), self.redactor.redact(after, SHORTEST_IN_TEXT))
    }

    /// The whole match with the secret as it may be shown.
    pub(crate) fn matched(&self, finding: &'a Finding) -> String {
        let (before, after) = self.context(finding);
        format!("{}{}{}", before.to_str_lossy(), self.secret(&finding.secret), after.to_str_lossy())
    }

    /// The path of a place. `finding` is the one the place belongs to: its value goes from its own
    /// path even when it is short, if the path is what it was found in.
    pub(crate) fn path(&self, finding: &Finding, place: &'a Location) -> Option<Cow<'a, BStr>> {
        let path = place.path.as_ref()?;
        let known = self.name(path);
        let own = finding.secret.expose();
        if self.options.show_secrets || place.message_kind != Some(MessageKind::FileName) || own.is_empty() {
            return Some(known);
        }
        Some(cow_bstr(Cow::Owned(known.replace(own, MARK))))
    }

    /// The name of a file, ref, person or archive member.
    pub(crate) fn name(&self, name: &'a [u8]) -> Cow<'a, BStr> {
        cow_bstr(self.redactor.redact(name, SHORTEST_IN_NAMES))
    }

    /// [`name`](Self::name) as text; invalid bytes become U+FFFD.
    pub(crate) fn name_text(&self, name: &'a [u8]) -> Cow<'a, str> {
        match self.name(name) {
            Cow::Borrowed(name) => name.to_str_lossy(),
            Cow::Owned(name) => Cow::Owned(name.to_str_lossy().into_owned()),
        }
    }

    /// Names of archive members from the outside in.
    pub(crate) fn container(&self, place: &'a Location) -> Vec<Cow<'a, str>> {
        place.container.iter().map(|member| self.name_text(member)).collect()
    }

    /// Words that people wrote about a finding, such as the reason of a suppression.
    pub(crate) fn words(&self, words: &'a str) -> Cow<'a, str> {
        match self.redactor.redact(words.as_bytes(), SHORTEST_IN_TEXT) {
            Cow::Borrowed(_) => Cow::Borrowed(words),
            Cow::Owned(words) => Cow::Owned(words.to_str_lossy().into_owned()),
        }
    }

    /// A path that every consumer accepts, also for what has none: the path in the repository, or a
    /// made-up one (`.git/commit/<id>` for a message, `stdin`). Members of archives are not part of it.
    pub(crate) fn artifact(&self, finding: &'a Finding, place: &'a Location) -> Vec<u8> {
        match self.path(finding, place) {
            Some(path) => path.into_owned().into(),
            None => pathless(finding, place).into_bytes(),
        }
    }

    /// [`artifact`](Self::artifact) with the members of archives after `!`.
    pub(crate) fn machine_path(&self, finding: &'a Finding, place: &'a Location) -> Vec<u8> {
        let mut path = self.artifact(finding, place);
        for member in &place.container {
            path.push(b'!');
            path.extend_from_slice(&self.name(member));
        }
        path
    }
}

/// Learns the values that must not be shown: those of all findings.
pub(crate) fn redactor<'a>(report: &'a Report, options: &Options) -> Redactor<'a> {
    if options.show_secrets {
        return Redactor::default();
    }
    Redactor::new(report.findings.iter().map(|f| f.secret.expose()))
}

/// The report without known values in what rules say: whoever writes a rule may take a real secret for its example.
/// As good as always there is none, and nothing is copied.
pub(crate) fn without_values<'r>(report: &'r Report, redactor: &Redactor<'_>) -> Cow<'r, Report> {
    let holds = |text: &String| matches!(redactor.redact(text.as_bytes(), SHORTEST_IN_NAMES), Cow::Owned(_));
    // Findings of a rule have the same texts: those of its last finding need no second look.
    let mut seen = None;
    let mut is_seen = |f: &'r Finding| {
        let texts = (&f.rule, &f.description, &f.tags, &f.remediation);
        seen.replace(texts) == Some(texts)
    };
    let in_part = |f: &Finding| f.parts.iter().any(|(role, _)| holds(role));
    let bad = |f: &'r Finding| in_part(f) || !is_seen(f) && words_of_rule(f).any(holds);
    if !report.findings.iter().any(bad) && !report.skipped.iter().any(|s| holds(&s.detail)) {
        return Cow::Borrowed(report);
    }
    let mut report = report.clone();
    let clean = |text: &mut String| {
        if let Cow::Owned(clean) = redactor.redact(text.as_bytes(), SHORTEST_IN_NAMES) {
            *text = clean.to_str_lossy().into_owned();
        }
    };
    for f in &mut report.findings {
        let Remediation { opens, revoke, rotate, url, command, .. } = Arc::make_mut(&mut f.remediation);
        [&mut f.rule, &mut f.description, opens, revoke, rotate, url, command].into_iter().for_each(clean);
        f.tags.iter_mut().for_each(clean);
        f.parts.iter_mut().for_each(|(role, _)| clean(role));
    }
    report.skipped.iter_mut().for_each(|s| clean(&mut s.detail));
    Cow::Owned(report)
}

/// Every text of a finding that is the same in all findings of its rule.
fn words_of_rule(f: &Finding) -> impl Iterator<Item = &String> {
    let Remediation { opens, revoke, rotate, url, command, .. } = &*f.remediation;
    let own = [&f.rule, &f.description, opens, revoke, rotate, url, command];
    own.into_iter().chain(&f.tags)
}

/// The commit that brought a finding's value in, if that is known; else the one that it was found in.
pub(crate) fn introduced(f: &Finding) -> Option<&Commit> {
    f.life.as_deref().and_then(|life| life.first_seen.as_ref()).or(f.commit.as_deref())
}

/// Every place of a finding's value, the main one first.
pub(crate) fn places(finding: &Finding) -> impl Iterator<Item = &Location> + Clone {
    std::iter::once(&finding.location).chain(&finding.occurrences)
}

fn cow_bstr(bytes: Cow<'_, [u8]>) -> Cow<'_, BStr> {
    match bytes {
        Cow::Borrowed(bytes) => Cow::Borrowed(bytes.as_bstr()),
        Cow::Owned(bytes) => Cow::Owned(bytes.into()),
    }
}

fn pathless(finding: &Finding, place: &Location) -> String {
    let commit = finding.commit.as_deref().map(|c| c.id.as_str());
    match (place.message_kind, commit) {
        (Some(kind), Some(id)) => format!(".git/{kind}/{id}"),
        (Some(kind), None) => format!(".git/{kind}"),
        (None, _) => "stdin".to_owned(),
    }
}

/// Whether a finding counts.
pub(crate) fn is_new(finding: &Finding) -> bool {
    finding.status == Status::New
}

/// Numbers of findings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Findings that count.
    pub(crate) new: u64,
    /// Findings that were suppressed.
    pub(crate) suppressed: u64,
    /// New findings by severity, in the order of [`Severity::ALL`].
    pub(crate) by_severity: [u64; Severity::ALL.len()],
}

/// Why a finding does not count, in the same parts for each kind of suppression. Parts that a kind does
/// not have are empty.
pub(crate) struct Reason<'a> {
    /// `baseline`, `inline` or `allowlist`.
    pub(crate) kind: &'static str,
    /// The recorded decision, or the marker's words.
    pub(crate) status: &'a str,
    /// Why, in the words of whoever decided.
    pub(crate) reason: &'a str,
    /// Who decided.
    pub(crate) by: &'a str,
    /// When.
    pub(crate) on: &'a str,
}

/// Why a finding does not count; `None` if it does.
pub(crate) fn suppressed(finding: &Finding) -> Option<Reason<'_>> {
    let Status::Suppressed(suppression) = &finding.status else {
        return None;
    };
    Some(match suppression {
        Suppression::Baseline { status, reason, by, on } => {
            Reason { kind: "baseline", status, reason, by, on }
        }
        Suppression::Inline { marker, reason } => {
            Reason { kind: "inline", status: marker, reason, by: "", on: "" }
        }
        Suppression::Allowlist { description } => {
            Reason { kind: "allowlist", status: "", reason: description, by: "", on: "" }
        }
    })
}

/// A time as RFC 3339 with the given offset; `None` for what no calendar holds.
pub(crate) fn rfc3339(seconds: i64, offset_minutes: i32) -> Option<String> {
    let timestamp = Timestamp::from_second(seconds).ok()?;
    let offset = Offset::from_seconds(offset_minutes.checked_mul(60)?).ok()?;
    Some(DateTimePrinter::new().timestamp_with_offset_to_string(&timestamp, offset))
}

/// The author's date of a commit as RFC 3339.
pub(crate) fn commit_date(commit: &Commit) -> Option<String> {
    // A clock with an impossible offset still tells the time.
    rfc3339(commit.time, commit.offset_minutes).or_else(|| utc(commit.time))
}

/// A time as RFC 3339 in UTC (`2026-01-31T12:00:00Z`).
pub(crate) fn utc(seconds: i64) -> Option<String> {
    Some(DateTimePrinter::new().timestamp_to_string(&Timestamp::from_second(seconds).ok()?))
}

/// The day of a time, in the author's own time zone (`2026-01-31`).
pub(crate) fn day(seconds: i64, offset_minutes: i32) -> Option<String> {
    let timestamp = Timestamp::from_second(seconds).ok()?;
    let offset =
        offset_minutes.checked_mul(60).and_then(|s| Offset::from_seconds(s).ok()).unwrap_or(Offset::UTC);
    Some(timestamp.to_zoned(TimeZone::fixed(offset)).date().to_string())
}

#[cfg(test)]
mod tests;
