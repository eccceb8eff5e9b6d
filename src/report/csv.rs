//! `csv`: a table for spreadsheets (RFC 4180, UTF-8, one header line).
//!
//! A spreadsheet runs a cell that begins with `=`, `+`, `-` or `@` as a formula; such cells get an
//! apostrophe in front, which spreadsheets take for "this is text". What could not be read is a row as
//! well, with the status `not-read`.

use std::io;

use super::escape::{visible, visible_str};
use super::view::{View, commit_date, is_new};
use super::wording;
use crate::finding::{Commit, Finding, Skipped};

const HEADER: [&str; 27] = [
    "status",
    "rule",
    "description",
    "category",
    "severity",
    "confidence",
    "path",
    "line",
    "column",
    "end_line",
    "end_column",
    "container",
    "message_kind",
    "secret",
    "match",
    "fingerprint",
    "commit",
    "date",
    "author",
    "email",
    "first_seen",
    "last_seen",
    "in_head",
    "refs",
    "occurrences",
    "reason",
    "url",
];

/// Writes the table.
pub(crate) fn write(view: &View<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let mut table = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(out);
    table.write_record(HEADER).map_err(io_error)?;
    for f in view.findings() {
        table.write_record(finding(view, f).iter().map(|cell| harmless(cell))).map_err(io_error)?;
    }
    for s in view.unread() {
        table.write_record(unread(view, s).iter().map(|cell| harmless(cell))).map_err(io_error)?;
    }
    table.flush()
}

/// The error of the output itself: whether it is a broken pipe matters to the caller.
fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

/// A cell that no spreadsheet runs.
fn harmless(cell: &str) -> String {
    // Spreadsheets skip blanks and quotes before they look for a formula.
    let first = cell.trim_start_matches([' ', '"', '\'']).chars().next();
    match first {
        Some('=' | '+' | '-' | '@' | '|' | '%' | '＝' | '＋' | '－' | '＠') => {
            format!("'{cell}")
        }
        _ => cell.to_owned(),
    }
}

fn finding(view: &View<'_>, f: &Finding) -> [String; HEADER.len()] {
    let at = &f.location;
    let commit = f.commit.as_deref();
    let person = commit.filter(|_| view.options.personal_data);
    let life = f.life.as_deref();
    let id = |commit: Option<&Commit>| commit.map_or_else(String::new, |c| c.id.clone());
    let number = |n: u64| if n == 0 { String::new() } else { n.to_string() };
    let refs: Vec<_> =
        life.map(|l| l.refs.iter().map(|r| visible(&view.name(r.as_bytes()))).collect()).unwrap_or_default();
    let members: Vec<_> = at.container.iter().map(|m| visible(&view.name(m))).collect();
    [
        if is_new(f) { "new" } else { "suppressed" }.to_owned(),
        visible_str(&f.rule),
        visible_str(&f.description),
        f.category.name().to_owned(),
        f.severity.name().to_owned(),
        f.confidence.name().to_owned(),
        view.path(f, at).map_or_else(String::new, |path| visible(&path)),
        number(at.start.line),
        number(at.start.column),
        number(at.end.line),
        number(at.end.column),
        members.join("!"),
        at.message_kind.map_or_else(String::new, |kind| kind.name().to_owned()),
        visible_str(&view.secret(&f.secret)),
        visible_str(&view.matched(f)),
        f.fingerprint.clone(),
        id(commit),
        commit.and_then(commit_date).unwrap_or_default(),
        person.map_or_else(String::new, |c| visible(&view.name(&c.author))),
        person.map_or_else(String::new, |c| visible(&view.name(&c.email))),
        id(life.and_then(|l| l.first_seen.as_ref())),
        id(life.and_then(|l| l.last_seen.as_ref())),
        life.map_or_else(String::new, |l| l.in_head.to_string()),
        refs.join(" "),
        (1 + f.occurrences.len()).to_string(),
        wording::suppression(view, f, false).unwrap_or_default(),
        visible_str(&f.remediation.url),
    ]
}

fn unread(view: &View<'_>, s: &Skipped) -> [String; HEADER.len()] {
    let mut row = [const { String::new() }; HEADER.len()];
    row[0] = "not-read".to_owned();
    row[2] = visible_str(&s.detail);
    row[6] = visible(&view.name(&s.what));
    row[25] = s.reason.to_owned();
    row
}
