//! `json` and `jsonl`: everything that is known, for programs.
//!
//! The shape is described by `schema/finding-v1.schema.json` ([`SCHEMA`]). Absent values are left out;
//! keys are always in the same order.

use std::borrow::Cow;
use std::io;

use bstr::ByteSlice;
use data_encoding::BASE64;
use serde::{Serialize, Serializer};

use super::escape::SafeJson;
use super::view::{VERSION, View, commit_date, is_new, suppressed, utc};
use crate::finding::{Commit, Finding, Life, Location, Remediation, Severity, Skipped};

/// The JSON schema of both formats. Its version is the `version` of the report.
pub const SCHEMA: &str = include_str!("schema/finding-v1.schema.json");

/// Version of the shape; grows when a key changes its meaning or goes away.
const SHAPE: u32 = 1;

/// Writes one indented object: `version`, `tool`, `summary`, `findings`, `skipped`.
pub(crate) fn write(view: &View<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let document = Document {
        version: SHAPE,
        tool: tool(view),
        summary: summary(view),
        findings: Each(|| view.findings().map(|f| finding(view, f))),
        skipped: Each(|| view.report.skipped.iter().map(|s| skipped(view, s))),
    };
    document.serialize(&mut serde_json::Serializer::with_formatter(&mut *out, SafeJson::pretty()))?;
    out.write_all(b"\n")
}

/// Writes one finding a line, then one line `{"summary":…}`, which also says what was skipped.
pub(crate) fn write_lines(view: &View<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    for f in view.findings() {
        write_line(&finding(view, f), out)?;
    }
    let last = LastLine {
        summary: summary(view),
        skipped: Each(|| view.report.skipped.iter().map(|s| skipped(view, s))),
        version: SHAPE,
        tool: tool(view),
    };
    write_line(&last, out)
}

fn write_line(value: &impl Serialize, out: &mut dyn io::Write) -> io::Result<()> {
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut *out, SafeJson::compact()))?;
    out.write_all(b"\n")
}

/// A sequence that is made while it is written, so that no report is held in memory twice.
pub(crate) struct Each<F>(pub(crate) F);

impl<F, I> Serialize for Each<F>
where
    F: Fn() -> I,
    I: Iterator,
    I::Item: Serialize,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq((self.0)())
    }
}

#[derive(Serialize)]
struct Document<'a, F: Serialize, S: Serialize> {
    version: u32,
    tool: JsonTool<'a>,
    summary: JsonSummary<'a>,
    findings: F,
    skipped: S,
}

#[derive(Serialize)]
struct LastLine<'a, S: Serialize> {
    summary: JsonSummary<'a>,
    skipped: S,
    version: u32,
    tool: JsonTool<'a>,
}

/// What scanned, and with which rules.
#[derive(Serialize)]
pub(crate) struct JsonTool<'a> {
    name: &'static str,
    version: &'static str,
    rules: u64,
    #[serde(skip_serializing_if = "str::is_empty")]
    rules_hash: &'a str,
}

/// What was scanned, and what came of it.
#[derive(Serialize)]
pub(crate) struct JsonSummary<'a> {
    mode: &'static str,
    scope: Vec<Cow<'a, str>>,
    files: u64,
    bytes: u64,
    #[serde(skip_serializing_if = "is_zero")]
    commits: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    head: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    started: Option<String>,
    elapsed_ms: u64,
    findings: u64,
    suppressed: u64,
    severities: Severities,
    incomplete: bool,
}

#[derive(Serialize)]
struct Severities {
    critical: u64,
    high: u64,
    medium: u64,
    low: u64,
}

#[derive(Serialize)]
pub(crate) struct JsonSkipped<'a> {
    what: Cow<'a, str>,
    reason: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    detail: &'a str,
    incomplete: bool,
}

/// A finding, flat: the keys that programs filter by are at its top.
#[derive(Serialize)]
pub(crate) struct JsonFinding<'a> {
    rule: &'a str,
    description: &'a str,
    category: &'static str,
    severity: &'static str,
    confidence: &'static str,
    #[serde(flatten)]
    place: JsonPlace<'a>,
    secret: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_base64: Option<String>,
    r#match: String,
    fingerprint: &'a str,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    commit: Option<JsonCommit<'a>>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    life: Option<JsonLife<'a>>,
    occurrences: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    locations: Vec<JsonPlace<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parts: Vec<JsonPart<'a>>,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    suppression: Option<JsonSuppression<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remediation: Option<JsonRemediation<'a>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    reasons: &'a [&'static str],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    tags: &'a [String],
}

#[derive(Serialize)]
struct JsonPlace<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_base64: Option<String>,
    #[serde(skip_serializing_if = "is_zero")]
    line: u64,
    #[serde(skip_serializing_if = "is_zero")]
    column: u64,
    #[serde(skip_serializing_if = "is_zero")]
    end_line: u64,
    #[serde(skip_serializing_if = "is_zero")]
    end_column: u64,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    decoded: &'a [&'static str],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    container: Vec<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_kind: Option<&'static str>,
}

#[derive(Serialize)]
struct JsonPart<'a> {
    role: &'a str,
    #[serde(flatten)]
    place: JsonPlace<'a>,
}

#[derive(Serialize)]
struct JsonCommit<'a> {
    commit: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    author: Cow<'a, str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    email: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    date: Option<String>,
}

#[derive(Serialize)]
struct JsonLife<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    first_seen: Option<JsonCommit<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_seen: Option<JsonCommit<'a>>,
    in_head: bool,
    refs: Vec<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unreachable: Option<&'static str>,
    blobs: u64,
    paths: u64,
    commits: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    age_days: Option<i64>,
}

#[derive(Serialize)]
struct JsonSuppression<'a> {
    kind: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    status: Cow<'a, str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    reason: Cow<'a, str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    by: Cow<'a, str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    on: Cow<'a, str>,
}

#[derive(Serialize)]
pub(crate) struct JsonRemediation<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    opens: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    revoke: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    rotate: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    url: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    command: &'a str,
    #[serde(skip_serializing_if = "is_zero_u32")]
    rotate_days: u32,
}

fn is_zero(n: &u64) -> bool {
    *n == 0
}

fn is_zero_u32(n: &u32) -> bool {
    *n == 0
}

/// The tool and its rules.
pub(crate) fn tool<'a>(view: &View<'a>) -> JsonTool<'a> {
    let summary = &view.report.summary;
    JsonTool { name: "stanch", version: VERSION, rules: summary.rules, rules_hash: &summary.rules_hash }
}

/// The facts and counts of the run.
pub(crate) fn summary<'a>(view: &View<'a>) -> JsonSummary<'a> {
    let facts = &view.report.summary;
    let counts = view.counts();
    let of = |severity: Severity| counts.by_severity[severity as usize];
    JsonSummary {
        mode: facts.mode,
        scope: facts.scope.iter().map(|s| view.name_text(s.as_bytes())).collect(),
        files: facts.files,
        bytes: facts.bytes,
        commits: facts.commits,
        head: facts.head.as_deref(),
        started: utc(facts.started),
        elapsed_ms: facts.elapsed_ms,
        findings: counts.new,
        suppressed: counts.suppressed,
        severities: Severities {
            critical: of(Severity::Critical),
            high: of(Severity::High),
            medium: of(Severity::Medium),
            low: of(Severity::Low),
        },
        incomplete: view.incomplete(),
    }
}

/// Something that was not scanned.
pub(crate) fn skipped<'a>(view: &View<'a>, skipped: &'a Skipped) -> JsonSkipped<'a> {
    JsonSkipped {
        what: view.name_text(&skipped.what),
        reason: skipped.reason,
        detail: &skipped.detail,
        incomplete: skipped.incomplete,
    }
}

/// A finding with all that is known of it.
fn finding<'a>(view: &View<'a>, f: &'a Finding) -> JsonFinding<'a> {
    finding_with(view, f, Extent { remediation: true, email: true })
}

/// What of a finding is written.
#[derive(Clone, Copy)]
pub(crate) struct Extent {
    /// What to do, which is the same for all findings of a rule.
    pub(crate) remediation: bool,
    /// E-mail addresses.
    pub(crate) email: bool,
}

/// A finding with as much of it as is wanted.
pub(crate) fn finding_with<'a>(view: &View<'a>, f: &'a Finding, extent: Extent) -> JsonFinding<'a> {
    let locations = if f.occurrences.is_empty() {
        Vec::new()
    } else {
        std::iter::once(&f.location).chain(&f.occurrences).map(|l| place(view, f, l)).collect()
    };
    let raw = f.secret.expose();
    JsonFinding {
        rule: &f.rule,
        description: &f.description,
        category: f.category.name(),
        severity: f.severity.name(),
        confidence: f.confidence.name(),
        place: place(view, f, &f.location),
        secret: view.secret(&f.secret),
        secret_base64: (view.options.show_secrets && raw.to_str().is_err()).then(|| BASE64.encode(raw)),
        r#match: view.matched(f),
        fingerprint: &f.fingerprint,
        commit: f.commit.as_deref().map(|c| commit(view, c, extent)),
        life: f.life.as_deref().map(|l| life(view, l, extent)),
        occurrences: 1 + f.occurrences.len(),
        locations,
        parts: f.parts.iter().map(|(role, at)| JsonPart { role, place: place(view, f, at) }).collect(),
        status: if is_new(f) { "new" } else { "suppressed" },
        suppression: suppression(view, f),
        remediation: extent.remediation.then(|| remediation(&f.remediation)).flatten(),
        reasons: &f.reasons,
        tags: &f.tags,
    }
}

fn place<'a>(view: &View<'a>, f: &Finding, at: &'a Location) -> JsonPlace<'a> {
    let path = view.path(f, at);
    // A path that is not UTF-8 cannot be found again by its text.
    let path_base64 = path.as_ref().filter(|p| p.to_str().is_err()).map(|p| BASE64.encode(p));
    JsonPlace {
        path: path.map(|p| match p {
            Cow::Borrowed(p) => p.to_str_lossy(),
            Cow::Owned(p) => Cow::Owned(p.to_str_lossy().into_owned()),
        }),
        path_base64,
        line: at.start.line,
        column: at.start.column,
        end_line: at.end.line,
        end_column: at.end.column,
        decoded: &at.decoded,
        container: view.container(at),
        message_kind: at.message_kind.map(|k| k.name()),
    }
}

fn commit<'a>(view: &View<'a>, commit: &'a Commit, extent: Extent) -> JsonCommit<'a> {
    JsonCommit {
        commit: &commit.id,
        author: view.name_text(&commit.author),
        email: if extent.email { view.name_text(&commit.email) } else { Cow::Borrowed("") },
        date: commit_date(commit),
    }
}

fn life<'a>(view: &View<'a>, life: &'a Life, extent: Extent) -> JsonLife<'a> {
    JsonLife {
        first_seen: life.first_seen.as_ref().map(|c| commit(view, c, extent)),
        last_seen: life.last_seen.as_ref().map(|c| commit(view, c, extent)),
        in_head: life.in_head,
        refs: life.refs.iter().map(|r| view.name_text(r.as_bytes())).collect(),
        unreachable: life.unreachable,
        blobs: life.blobs,
        paths: life.paths,
        commits: life.commits,
        age_days: life.age_days,
    }
}

fn suppression<'a>(view: &View<'a>, f: &'a Finding) -> Option<JsonSuppression<'a>> {
    let why = suppressed(f)?;
    Some(JsonSuppression {
        kind: why.kind,
        status: view.words(why.status),
        reason: view.words(why.reason),
        by: view.words(why.by),
        on: view.words(why.on),
    })
}

pub(crate) fn remediation(r: &Remediation) -> Option<JsonRemediation<'_>> {
    if *r == Remediation::default() {
        return None;
    }
    Some(JsonRemediation {
        opens: &r.opens,
        revoke: &r.revoke,
        rotate: &r.rotate,
        url: &r.url,
        command: &r.command,
        rotate_days: r.rotate_days,
    })
}
