//! `github`: workflow commands that GitHub Actions shows as annotations.
//!
//! `::error file=,line=,endLine=,col=,endColumn=,title=::message`, one a line. The runner would take a
//! line break, or `::` in the wrong place, for the start of another command: everything is escaped.

use std::io;

use super::escape::{visible, visible_str};
use super::view::{View, is_new, places};
use super::wording;
use crate::finding::{Finding, Location, Severity};

/// Writes the commands.
pub(crate) fn write(view: &View<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    for f in view.findings() {
        for at in places(f) {
            annotation(view, f, at, out)?;
        }
    }
    for s in view.unread() {
        writeln!(out, "::error title=Not scanned::{}", data(&wording::skipped(view, s)))?;
    }
    if view.incomplete() && view.unread().next().is_none() {
        writeln!(out, "::error title=Incomplete::Not everything could be read: this is not a clean result.")?;
    }
    Ok(())
}

fn annotation(view: &View<'_>, f: &Finding, at: &Location, out: &mut dyn io::Write) -> io::Result<()> {
    let level = match (is_new(f), f.severity) {
        (false, _) | (true, Severity::Low) => "notice",
        (true, Severity::Medium) => "warning",
        (true, Severity::High | Severity::Critical) => "error",
    };
    write!(out, "::{level} ")?;
    // Without a path the annotation belongs to the job.
    if let Some(path) = view.path(f, at) {
        write!(out, "file={},", property(&visible(&path)))?;
        position(at, out)?;
    }
    write!(out, "title={}::", property(&visible_str(&f.description)))?;
    let mut message = wording::message(view, f);
    if at.path.is_none() || !at.container.is_empty() {
        message = format!("{}: {message}", wording::place(view, f, at));
    }
    match wording::suppression(view, f, false) {
        Some(why) => writeln!(out, "{}", data(&format!("{message} Suppressed: {why}"))),
        None => writeln!(out, "{}", data(&format!("{message} {}", wording::advice(&f.remediation)))),
    }
}

fn position(at: &Location, out: &mut dyn io::Write) -> io::Result<()> {
    if at.start.line == 0 || !at.container.is_empty() {
        return Ok(());
    }
    write!(out, "line={},endLine={},", at.start.line, at.end.line.max(at.start.line))?;
    // GitHub refuses columns of annotations over several lines.
    if at.end.line <= at.start.line && at.start.column > 0 {
        write!(out, "col={},endColumn={},", at.start.column, at.end.column.max(at.start.column))?;
    }
    Ok(())
}

/// The text after the last `::`.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
