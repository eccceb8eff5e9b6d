//! `codequality`: the array that GitLab's Code Quality reads (a part of the Code Climate format).
//!
//! What could not be read is an issue too, since the format has no other place for it.

use std::cell::RefCell;
use std::io;

use bstr::ByteSlice;
use data_encoding::HEXLOWER;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::escape::SafeJson;
use super::identity::Identities;
use super::json::Each;
use super::view::{View, places};
use super::wording;
use crate::finding::{Finding, Location, Severity, Skipped};

#[derive(Serialize)]
struct Issue<'a> {
    r#type: &'static str,
    description: String,
    check_name: &'a str,
    fingerprint: String,
    severity: &'static str,
    categories: [&'static str; 1],
    location: InFile,
}

#[derive(Serialize)]
struct InFile {
    path: String,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: u64,
    end: u64,
}

/// Writes the array.
pub(crate) fn write(view: &View<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let identities = RefCell::new(Identities::default());
    let issues = Each(|| {
        let found = view.findings().flat_map(|f| places(f).map(move |at| (f, at)));
        let found = found.map(|(f, at)| issue(view, &mut identities.borrow_mut(), f, at));
        found.chain(view.unread().map(|s| unread(view, s)))
    });
    issues.serialize(&mut serde_json::Serializer::with_formatter(&mut *out, SafeJson::pretty()))?;
    out.write_all(b"\n")
}

fn issue<'a>(view: &View<'a>, identities: &mut Identities, f: &'a Finding, at: &'a Location) -> Issue<'a> {
    let begin = at.start.line.max(1);
    Issue {
        r#type: "issue",
        description: wording::message(view, f),
        check_name: &f.rule,
        fingerprint: identities.next(view, f, at).hex(),
        severity: match f.severity {
            Severity::Critical => "blocker",
            Severity::High => "critical",
            Severity::Medium => "major",
            Severity::Low => "minor",
        },
        categories: ["Security"],
        location: InFile {
            path: view.machine_path(f, at).to_str_lossy().into_owned(),
            lines: Lines { begin, end: at.end.line.max(begin) },
        },
    }
}

fn unread<'a>(view: &View<'a>, s: &'a Skipped) -> Issue<'a> {
    let hash = Sha256::new().chain_update(s.reason).chain_update([0]).chain_update(&s.what).finalize();
    Issue {
        r#type: "issue",
        description: format!("Not scanned: {}", wording::skipped(view, s)),
        check_name: "not-read",
        fingerprint: HEXLOWER.encode(&hash[..16]),
        severity: "major",
        categories: ["Security"],
        location: InFile { path: view.name_text(&s.what).into_owned(), lines: Lines { begin: 1, end: 1 } },
    }
}
