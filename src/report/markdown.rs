//! `markdown`: a summary for `$GITHUB_STEP_SUMMARY`, a comment or a wiki page.
//!
//! Text from the repository stands in code spans, in which Markdown means nothing, so that no path can
//! become a link, an image, a mention or HTML. GitHub refuses summaries over 1 MiB: the table ends
//! after [`ROWS`] rows and says how many more there are.

use std::collections::BTreeMap;
use std::io;

use super::escape::{visible, visible_str};
use super::view::{View, day, introduced, is_new};
use super::wording;
use crate::finding::{Finding, Severity};

/// Rows of the table of findings, and of what was not read.
const ROWS: usize = 500;

/// Characters in a cell.
const CELL: usize = 200;

/// Writes the summary.
pub(crate) fn write(view: &View<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    headline(view, out)?;
    table(view, out)?;
    advice(view, out)?;
    unread(view, out)?;
    facts(view, out)
}

fn headline(view: &View<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let counts = view.counts();
    let verdict = match (counts.new, view.incomplete()) {
        (0, false) => "no secrets found".to_owned(),
        (0, true) => "incomplete: nothing found in what could be read".to_owned(),
        (1, _) => "1 secret found".to_owned(),
        (n, _) => format!("{n} secrets found"),
    };
    writeln!(out, "## stanch: {verdict}\n")?;
    if view.incomplete() {
        writeln!(out, "> **Incomplete:** not everything could be read. This is not a clean result.\n")?;
    }
    let by_severity = Severity::ALL.iter().rev().zip(counts.by_severity.iter().rev());
    let parts: Vec<_> =
        by_severity.filter(|(_, n)| **n > 0).map(|(severity, n)| format!("{n} {severity}")).collect();
    if !parts.is_empty() {
        writeln!(out, "{}.\n", parts.join(", "))?;
    }
    Ok(())
}

fn table(view: &View<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let total = view.findings().count();
    if total == 0 {
        return Ok(());
    }
    writeln!(out, "| Severity | What | Where | Value | Since |\n| --- | --- | --- | --- | --- |")?;
    for f in view.findings().take(ROWS) {
        let status = if is_new(f) { "" } else { " (suppressed)" };
        let place = wording::place(view, f, &f.location);
        let more = if f.occurrences.is_empty() {
            String::new()
        } else {
            format!(" and {} more", f.occurrences.len())
        };
        writeln!(
            out,
            "| {}{status} | {} ({}) | {}{more} | {} | {} |",
            f.severity,
            plain(&wording::cut(&visible_str(&f.description), CELL)),
            code(&visible_str(&f.rule)),
            code(&place),
            code(&visible_str(&view.secret(&f.secret))),
            since(f),
        )?;
    }
    if total > ROWS {
        writeln!(out, "\n… and {} more.", total - ROWS)?;
    }
    writeln!(out)
}

/// The day and commit that brought the value in; no person.
fn since(f: &Finding) -> String {
    let Some(commit) = introduced(f) else {
        return String::new();
    };
    let id = commit.id.get(..10).unwrap_or(&commit.id);
    let day = day(commit.time, commit.offset_minutes).unwrap_or_default();
    let gone = if f.life.as_deref().is_some_and(|life| !life.in_head) { ", not in HEAD" } else { "" };
    format!("{day} {}{gone}", code(id))
}

fn advice(view: &View<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let rules: BTreeMap<&str, &Finding> = view.new_findings().map(|f| (f.rule.as_str(), f)).collect();
    if rules.is_empty() {
        return Ok(());
    }
    writeln!(out, "### What to do\n")?;
    for (rule, f) in rules.iter().take(ROWS) {
        let link = Some(&f.remediation.url)
            .filter(|url| url.starts_with("https://"))
            .map(|url| code(&visible_str(url)));
        let advice = plain(&wording::advice(&f.remediation));
        writeln!(out, "- {}: {advice} {}", code(&visible_str(rule)), link.unwrap_or_default())?;
    }
    writeln!(out)
}

fn unread(view: &View<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let total = view.unread().count();
    if total == 0 {
        return Ok(());
    }
    writeln!(out, "### Not read\n")?;
    for s in view.unread().take(ROWS) {
        writeln!(
            out,
            "- {}: {}",
            code(&visible(&view.name(&s.what))),
            plain(&wording::cut(&why(&s.detail, s.reason), CELL))
        )?;
    }
    if total > ROWS {
        writeln!(out, "- … and {} more", total - ROWS)?;
    }
    writeln!(out)
}

fn why(detail: &str, reason: &str) -> String {
    if detail.is_empty() { reason.to_owned() } else { format!("{reason} ({})", visible_str(detail)) }
}

fn facts(view: &View<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let facts = &view.report.summary;
    let head = facts.head.as_deref().map(|id| format!(", HEAD {}", code(id))).unwrap_or_default();
    let commits = if facts.commits > 0 { format!(" in {} commits", facts.commits) } else { String::new() };
    writeln!(
        out,
        "<sub>stanch {}, {} rules, {} files{commits}{head}; {} suppressed.</sub>",
        super::view::VERSION,
        facts.rules,
        facts.files,
        view.counts().suppressed
    )
}

/// A code span with this text and nothing else; a pipe is escaped for tables.
fn code(text: &str) -> String {
    let text = wording::cut(text, CELL).replace('|', "\\|");
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    if longest == 0 && !text.is_empty() && !text.starts_with(' ') && !text.ends_with(' ') {
        return format!("`{text}`");
    }
    let fence = "`".repeat(longest + 1);
    format!("{fence} {text} {fence}")
}

/// Text in which Markdown and HTML mean nothing.
pub(crate) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            // A zero-width joiner would hide; the entity keeps GitHub and GitLab from mentioning people.
            '@' => out.push_str("&#64;"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '#' | '|' | '~' | '!' | '$' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_spans_hold_backticks_and_pipes() {
        assert_eq!(code("a/b.rs:1"), "`a/b.rs:1`");
        assert_eq!(code("a`b``c"), "``` a`b``c ```");
        assert_eq!(code("a|b"), "`a\\|b`");
        assert_eq!(code("`"), "`` ` ``");
        assert_eq!(code(" "), "`   `");
    }

    #[test]
    fn plain_text_means_nothing() {
        assert_eq!(plain("<b>[x](y)![z] @me | `c`"), "&lt;b&gt;\\[x\\](y)\\!\\[z\\] &#64;me \\| \\`c\\`");
    }
}
