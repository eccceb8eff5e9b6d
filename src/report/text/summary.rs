//! The last line: how it went.

use std::collections::HashSet;
use std::io;

use super::style::Styles;
use crate::finding::Severity;
use crate::report::escape::visible_str;
use crate::report::numbers::{bytes, count, duration, number};
use crate::report::view::View;

/// Writes what was found and what was scanned; loud when something could not be read.
pub(super) fn write(view: &View<'_>, styles: &Styles, out: &mut dyn io::Write) -> io::Result<()> {
    let counts = view.counts();
    let incomplete = view.incomplete();
    if incomplete {
        let unread = view.unread().count() as u64;
        let what = if unread == 0 { "not everything".to_owned() } else { count(unread, "thing", "things") };
        let verb = if unread > 0 { "could not be read" } else { "could be read" };
        let text = format!("INCOMPLETE: {what} {verb}. Secrets may be there: this is not a clean result.");
        writeln!(out, "{}", styles.warning(&text))?;
    }
    match (counts.new, incomplete) {
        (0, false) => write!(out, "{}", styles.good("No secrets found"))?,
        (0, true) => write!(out, "{}", styles.warning("Nothing found in what could be read"))?,
        (new, _) => {
            write!(out, "{}", styles.bad(&format!("{} found", count(new, "secret", "secrets"))))?;
            write!(out, " ({})", severities(view, styles))?;
            let files: HashSet<_> = view.new_findings().filter_map(|f| f.location.path.as_ref()).collect();
            if files.len() > 1 {
                write!(out, " in {}", count(files.len() as u64, "file", "files"))?;
            }
        }
    }
    if counts.suppressed > 0 {
        write!(out, ", {} suppressed", number(counts.suppressed))?;
    }
    writeln!(out, "{}", styles.dim(&scanned(view)))
}

fn severities(view: &View<'_>, styles: &Styles) -> String {
    let counts = view.counts();
    let mut parts = Vec::new();
    for &severity in Severity::ALL.iter().rev() {
        let n = counts.by_severity[severity as usize];
        if n > 0 {
            parts.push(styles.severity(severity, &format!("{} {severity}", number(n))));
        }
    }
    parts.join(", ")
}

/// `; scanned 1,204 files, 12.3 MB, with 60 rules in 120 ms`.
fn scanned(view: &View<'_>) -> String {
    let facts = &view.report.summary;
    let mut what = match facts.mode {
        "stdin" => "standard input".to_owned(),
        "history" | "range" => {
            let blobs = count(facts.files, "blob", "blobs");
            format!("{blobs} in {}", count(facts.commits, "commit", "commits"))
        }
        "staged" => count(facts.files, "staged file", "staged files"),
        _ => count(facts.files, "file", "files"),
    };
    if view.options.verbose && !facts.scope.is_empty() {
        let scope: Vec<_> = facts.scope.iter().map(|s| visible_str(&view.name_text(s.as_bytes()))).collect();
        what = format!("{what} of {}", scope.join(", "));
    }
    let rules = count(facts.rules, "rule", "rules");
    format!("; scanned {what}, {}, with {rules} in {}", bytes(facts.bytes), duration(facts.elapsed_ms))
}
