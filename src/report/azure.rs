//! `azure`: logging commands that Azure Pipelines shows as issues of the job.
//!
//! `##vso[task.logissue type=error;sourcepath=;linenumber=;columnnumber=;code=;]message`, one a line.
//! The agent reads `%` escapes: `%AZP25` is a percent sign.

use std::io;

use super::escape::{visible, visible_str};
use super::view::{View, is_new, places};
use super::wording;
use crate::finding::{Finding, Location, Severity};

/// Writes the commands.
pub(crate) fn write(view: &View<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    for f in view.findings() {
        for at in places(f) {
            issue(view, f, at, out)?;
        }
    }
    for s in view.unread() {
        let text = data(&format!("Not scanned: {}", wording::skipped(view, s)));
        writeln!(out, "##vso[task.logissue type=error;code=not-read;]{text}")?;
    }
    if view.incomplete() && view.unread().next().is_none() {
        let text = "Not everything could be read: this is not a clean result.";
        writeln!(out, "##vso[task.logissue type=error;code=incomplete;]{text}")?;
    }
    Ok(())
}

fn issue(view: &View<'_>, f: &Finding, at: &Location, out: &mut dyn io::Write) -> io::Result<()> {
    // Azure knows errors and warnings, and no third level.
    let level = if is_new(f) && f.severity >= Severity::High { "error" } else { "warning" };
    write!(out, "##vso[task.logissue type={level};")?;
    if let Some(path) = view.path(f, at) {
        write!(out, "sourcepath={};", property(&visible(&path)))?;
        if at.start.line > 0 && at.container.is_empty() {
            write!(out, "linenumber={};columnnumber={};", at.start.line, at.start.column.max(1))?;
        }
    }
    write!(out, "code={};]", property(&visible_str(&f.rule)))?;
    let mut message = wording::message(view, f);
    if at.path.is_none() || !at.container.is_empty() {
        message = format!("{}: {message}", wording::place(view, f, at));
    }
    match wording::suppression(view, f, false) {
        Some(why) => writeln!(out, "{}", data(&format!("{message} Suppressed: {why}"))),
        None => writeln!(out, "{}", data(&format!("{message} {}", wording::advice(&f.remediation)))),
    }
}

/// The text after `]`. `##` is broken up, so that no log reader takes it for a command of its own; the second time,
/// what the first has left of three.
fn data(text: &str) -> String {
    let text = text.replace('%', "%AZP25").replace('\r', "%0D").replace('\n', "%0A");
    text.replace("##", "# #").replace("##", "# #")
}

/// The value of a property.
fn property(text: &str) -> String {
    data(text).replace(';', "%3B").replace(']', "%5D")
}

#[cfg(test)]
mod tests {
    use super::data;

    #[test]
    fn no_command_is_left_in_a_text() {
        for marks in 1..9 {
            let text = data(&format!("a{}vso[task.setvariable variable=x]y", "#".repeat(marks)));
            assert!(!text.contains("##"), "{text}");
            assert_eq!(text.matches('#').count(), marks, "nothing is lost: {text}");
        }
    }
}
