//! `sarif`: SARIF 2.1.0, for GitHub code scanning and every other reader of the standard.
//!
//! What GitHub asks for beyond the schema: paths relative to the repository's root, full regions,
//! `partialFingerprints` that survive moved lines, `security-severity` as text, at most 25,000 results
//! in a run and 100 shown places in a result. GitHub shows suppressed results as open ones, so they
//! are written only when suppressed findings are asked for.

mod model;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use serde::Serialize;

use self::model::*;
use super::escape::{SafeJson, visible, visible_str};
use super::identity::Identities;
use super::json::Each;
use super::view::{VERSION, View, commit_date, utc};
use super::wording;
use crate::finding::{Confidence, Finding, Location, Severity, Status, Suppression};

/// Results in a run; GitHub refuses runs with more.
const RESULTS_IN_RUN: usize = 25_000;

/// Further places of a result; GitHub shows no more.
const RELATED: usize = 100;

/// Characters in a rule's full description; GitHub refuses more.
const FULL_DESCRIPTION: usize = 1024;

/// Tags of a rule; GitHub shows no more.
const TAGS: usize = 10;

/// What stays as it is in the path of a URI: RFC 3986's unreserved characters and the slash.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// Rules by id, with their index in the run.
type RuleIndex<'a> = BTreeMap<&'a str, (usize, &'a Finding)>;

/// Writes the log.
pub(crate) fn write(view: &View<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let rules = rule_index(view);
    let identities = RefCell::new(Identities::default());
    let runs = view.findings().count().div_ceil(RESULTS_IN_RUN).max(1);
    let log = Log {
        schema: "https://json.schemastore.org/sarif-2.1.0.json",
        version: "2.1.0",
        runs: Each(|| (0..runs).map(|n| run(view, &rules, &identities, n))),
    };
    log.serialize(&mut serde_json::Serializer::with_formatter(&mut *out, SafeJson::pretty()))?;
    out.write_all(b"\n")
}

fn rule_index<'a>(view: &View<'a>) -> RuleIndex<'a> {
    let mut rules = RuleIndex::new();
    for f in view.findings() {
        rules.entry(&f.rule).or_insert((0, f));
    }
    for (i, (index, _)) in rules.values_mut().enumerate() {
        *index = i;
    }
    rules
}

/// The `n`th run. Each has a category of its own: GitHub refuses two runs with the same one.
fn run<'a>(
    view: &'a View<'_>,
    rules: &'a RuleIndex<'a>,
    identities: &'a RefCell<Identities>,
    n: usize,
) -> Run<'a, impl Serialize, impl Serialize> {
    let facts = &view.report.summary;
    // What could not be read is said once.
    let notified = if n == 0 { &view.report.skipped[..] } else { &[] };
    Run {
        tool: Tool { driver: driver(rules) },
        automation_details: AutomationDetails {
            id: if n == 0 { "stanch/".to_owned() } else { format!("stanch/part-{}/", n + 1) },
        },
        invocations: [Invocation {
            execution_successful: !view.incomplete(),
            start_time_utc: utc(facts.started),
            end_time_utc: utc(facts.started.saturating_add_unsigned(facts.elapsed_ms / 1000)),
            tool_execution_notifications: Each(move || {
                notified.iter().map(|s| Notification {
                    level: if s.incomplete { "error" } else { "note" },
                    message: Message { text: wording::skipped(view, s) },
                    descriptor: DescriptorReference { id: s.reason },
                })
            }),
        }],
        column_kind: "unicodeCodePoints",
        results: Each(move || {
            let part = view.findings().skip(n * RESULTS_IN_RUN).take(RESULTS_IN_RUN);
            part.map(|f| result(view, rules, &mut identities.borrow_mut(), f))
        }),
        properties: RunProperties {
            mode: facts.mode,
            rules_hash: &facts.rules_hash,
            head: facts.head.as_deref(),
            suppressed: view.counts().suppressed,
        },
    }
}

fn driver<'a>(rules: &RuleIndex<'a>) -> Driver<'a> {
    Driver {
        name: "stanch",
        semantic_version: VERSION,
        rules: rules.iter().map(|(id, (_, example))| rule(id, example)).collect(),
    }
}

fn rule<'a>(id: &'a str, f: &'a Finding) -> Rule<'a> {
    let remediation = &f.remediation;
    let advice = wording::advice(remediation);
    let description = visible_str(&f.description);
    let link = Some(remediation.url.as_str()).filter(|url| url.starts_with("https://"));
    let see = link.map(|url| format!("\n\n<{url}>")).unwrap_or_default();
    let mut tags = vec!["security".to_owned(), "secret".to_owned(), f.category.name().to_owned()];
    tags.extend(f.tags.iter().filter(|tag| !tags.contains(tag)).cloned().collect::<Vec<_>>());
    tags.truncate(TAGS);
    Rule {
        id,
        name: id,
        short_description: Message { text: wording::cut(&description, FULL_DESCRIPTION) },
        full_description: Message {
            text: wording::cut(&format!("{description}. {advice}"), FULL_DESCRIPTION),
        },
        help_uri: link,
        help: Help { text: advice.clone(), markdown: format!("{}{see}", super::markdown::plain(&advice)) },
        default_configuration: Configuration { level: wording::level(f.severity) },
        properties: RuleProperties {
            security_severity: match f.severity {
                Severity::Critical => "9.5",
                Severity::High => "8.0",
                Severity::Medium => "5.5",
                Severity::Low => "3.0",
            },
            precision: match f.confidence {
                Confidence::High => "very-high",
                Confidence::Medium => "high",
                Confidence::Low => "medium",
            },
            tags,
        },
    }
}

fn result<'a>(
    view: &View<'a>,
    rules: &RuleIndex<'_>,
    identities: &mut Identities,
    f: &'a Finding,
) -> SarifResult<'a> {
    let identity = identities.next(view, f, &f.location);
    let parts = f.parts.iter().map(|(role, at)| (visible_str(role), at));
    let others = f.occurrences.iter().map(|at| ("The same value".to_owned(), at));
    let related = parts.chain(others).take(RELATED).enumerate().map(|(i, (label, at))| PlaceInFile {
        id: Some(i + 1),
        message: Some(Message { text: label }),
        ..place(view, f, at)
    });
    let person = f.commit.as_deref().filter(|_| view.options.personal_data);
    SarifResult {
        rule_id: &f.rule,
        rule_index: rules.get(f.rule.as_str()).map_or(0, |(index, _)| *index),
        level: wording::level(f.severity),
        message: Message { text: wording::message(view, f) },
        locations: [place(view, f, &f.location)],
        related_locations: related.collect(),
        partial_fingerprints: PartialFingerprints {
            primary_location_line_hash: identity.line_hash(),
            secret: &f.fingerprint,
        },
        suppressions: suppressions(view, f),
        rank: match f.confidence {
            Confidence::High => 95.0,
            Confidence::Medium => 80.0,
            Confidence::Low => 40.0,
        },
        properties: ResultProperties {
            category: f.category.name(),
            severity: f.severity.name(),
            confidence: f.confidence.name(),
            reasons: &f.reasons,
            commit: f.commit.as_deref().map(|c| c.id.as_str()),
            date: f.commit.as_deref().and_then(commit_date),
            in_head: f.life.as_deref().map(|life| life.in_head),
            author: person.map(|c| visible(&view.name(&c.author))),
            email: person.map(|c| visible(&view.name(&c.email))),
        },
    }
}

fn suppressions(view: &View<'_>, f: &Finding) -> Vec<SuppressionMark> {
    let Status::Suppressed(suppression) = &f.status else {
        return Vec::new();
    };
    let kind = if matches!(suppression, Suppression::Inline { .. }) { "inSource" } else { "external" };
    let justification = wording::suppression(view, f, false).unwrap_or_default();
    vec![SuppressionMark { kind, status: "accepted", justification }]
}

fn place<'a>(view: &View<'a>, f: &'a Finding, at: &'a Location) -> PlaceInFile {
    let members: Vec<_> = at.container.iter().map(|m| visible(&view.name(m))).collect();
    let logical_locations = match members.is_empty() {
        true => Vec::new(),
        false => vec![LogicalLocation { fully_qualified_name: members.join("!"), kind: "member" }],
    };
    PlaceInFile {
        id: None,
        physical_location: PhysicalLocation {
            artifact_location: uri(&view.artifact(f, at)),
            region: region(at),
        },
        logical_locations,
        message: None,
    }
}

/// Relative to the repository's root, unless the path is absolute.
fn uri(path: &[u8]) -> ArtifactLocation {
    let encoded = percent_encode(path, PATH).to_string();
    match path.starts_with(b"/") {
        true => ArtifactLocation { uri: format!("file://{encoded}"), uri_base_id: None },
        false => ArtifactLocation { uri: encoded, uri_base_id: Some("%SRCROOT%") },
    }
}

/// A full region, also for what has no lines (the name of a file).
fn region(at: &Location) -> Region {
    let (start_line, start_column) = (at.start.line.max(1), at.start.column.max(1));
    let end_line = at.end.line.max(start_line);
    let first = if end_line == start_line { start_column } else { 1 };
    Region { start_line, start_column, end_line, end_column: at.end.column.max(first) }
}
