//! `gitlab`: GitLab's secret detection report, schema 15.
//!
//! One vulnerability for each place. No raw source, and no person unless personal data is asked for.
//! GitLab wants a commit id for everything: where there is none, HEAD's stands in, or zeros.

use std::cell::RefCell;
use std::io;

use bstr::ByteSlice;
use serde::Serialize;

use super::escape::SafeJson;
use super::identity::Identities;
use super::json::Each;
use super::view::{VERSION, View, commit_date, places, utc};
use super::wording;
use crate::finding::{Finding, Location, Severity};

/// The version of the schema that the report fits; GitLab 16 and later know it.
const SCHEMA_VERSION: &str = "15.0.7";

/// Characters in a name; GitLab's schema allows no more.
const NAME: usize = 255;

/// Characters in a solution; GitLab's schema allows no more.
const SOLUTION: usize = 7000;

#[derive(Serialize)]
struct Document<V: Serialize, M: Serialize> {
    version: &'static str,
    scan: Scan<M>,
    vulnerabilities: V,
}

#[derive(Serialize)]
struct Scan<M: Serialize> {
    analyzer: Program,
    scanner: Program,
    r#type: &'static str,
    start_time: String,
    end_time: String,
    status: &'static str,
    messages: M,
}

#[derive(Clone, Copy, Serialize)]
struct Program {
    id: &'static str,
    name: &'static str,
    version: &'static str,
    vendor: Vendor,
}

#[derive(Clone, Copy, Serialize)]
struct Vendor {
    name: &'static str,
}

#[derive(Serialize)]
struct ScanMessage {
    level: &'static str,
    value: String,
}

#[derive(Serialize)]
struct Vulnerability<'a> {
    id: String,
    category: &'static str,
    name: String,
    description: String,
    severity: &'static str,
    solution: String,
    identifiers: [Identifier<'a>; 1],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    links: Vec<Link<'a>>,
    location: InFile<'a>,
}

#[derive(Serialize)]
struct Identifier<'a> {
    r#type: &'static str,
    name: String,
    value: &'a str,
}

#[derive(Serialize)]
struct Link<'a> {
    url: &'a str,
}

#[derive(Serialize)]
struct InFile<'a> {
    file: String,
    start_line: u64,
    end_line: u64,
    commit: InCommit<'a>,
}

#[derive(Serialize)]
struct InCommit<'a> {
    sha: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    author: Option<String>,
}

/// Writes the report.
pub(crate) fn write(view: &View<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let facts = &view.report.summary;
    let program =
        Program { id: "stanch", name: "stanch", version: VERSION, vendor: Vendor { name: "stanch" } };
    let identities = RefCell::new(Identities::default());
    let document = Document {
        version: SCHEMA_VERSION,
        scan: Scan {
            analyzer: program,
            scanner: program,
            r#type: "secret_detection",
            start_time: time(facts.started),
            end_time: time(facts.started.saturating_add_unsigned(facts.elapsed_ms / 1000)),
            status: if view.incomplete() { "failure" } else { "success" },
            messages: Each(|| {
                view.report.skipped.iter().map(|s| ScanMessage {
                    level: if s.incomplete { "warn" } else { "info" },
                    value: wording::skipped(view, s),
                })
            }),
        },
        vulnerabilities: Each(|| {
            let all = view.findings().flat_map(|f| places(f).map(move |at| (f, at)));
            all.map(|(f, at)| vulnerability(view, &mut identities.borrow_mut(), f, at))
        }),
    };
    document.serialize(&mut serde_json::Serializer::with_formatter(&mut *out, SafeJson::pretty()))?;
    out.write_all(b"\n")
}

/// `2026-01-31T12:00:00`, in UTC and without the zone, as the schema wants it.
fn time(seconds: i64) -> String {
    let text = utc(seconds).filter(|text| text.len() == "2026-01-31T12:00:00Z".len());
    text.map_or_else(|| "1970-01-01T00:00:00".to_owned(), |text| text.trim_end_matches('Z').to_owned())
}

fn vulnerability<'a>(
    view: &View<'a>,
    identities: &mut Identities,
    f: &'a Finding,
    at: &'a Location,
) -> Vulnerability<'a> {
    let links = Some(f.remediation.url.as_str()).filter(|url| url.starts_with("https://"));
    Vulnerability {
        id: identities.next(view, f, at).uuid(),
        category: "secret_detection",
        name: wording::cut(&super::escape::visible_str(&f.description), NAME),
        // GitLab renders descriptions and solutions as Markdown.
        description: super::markdown::plain(&wording::message(view, f)),
        severity: match f.severity {
            Severity::Critical => "Critical",
            Severity::High => "High",
            Severity::Medium => "Medium",
            Severity::Low => "Low",
        },
        solution: wording::cut(&super::markdown::plain(&wording::advice(&f.remediation)), SOLUTION),
        identifiers: [Identifier {
            r#type: "stanch_rule_id",
            name: format!("stanch rule {}", f.rule),
            value: &f.rule,
        }],
        links: links.into_iter().map(|url| Link { url }).collect(),
        location: InFile {
            file: view.machine_path(f, at).to_str_lossy().into_owned(),
            start_line: at.start.line.max(1),
            end_line: at.end.line.max(at.start.line).max(1),
            commit: in_commit(view, f),
        },
    }
}

fn in_commit<'a>(view: &View<'a>, f: &'a Finding) -> InCommit<'a> {
    const NONE: &str = "0000000000000000000000000000000000000000";
    let Some(commit) = &f.commit else {
        return InCommit {
            sha: view.report.summary.head.as_deref().unwrap_or(NONE),
            date: None,
            author: None,
        };
    };
    let author = view.options.personal_data.then(|| view.name_text(&commit.author).into_owned());
    InCommit { sha: &commit.id, date: commit_date(commit), author }
}
