//! `text`: for people, in a terminal.
//!
//! Findings come first, then what to do about each kind (once per rule), what could not be read, and
//! last — where the eye rests when a command ends — one line that says how it went. A run that could
//! not read everything never says that it is clean.
//!
//! Of what is staged, and with `--brief`, it is short, unless `--verbose`: a commit or push that was stopped is to be
//! understood at a glance, and `stanch explain` says the rest.

mod finding;
mod style;
mod summary;

use std::collections::BTreeMap;
use std::io;

use self::style::Styles;
use super::escape::visible_str;
use super::numbers::number;
use super::view::{View, is_new};
use crate::finding::{Finding, Remediation, Skipped};

/// Up to this many findings are shown with all their details; above, one or two lines each.
const DETAILED: usize = 20;

/// How many findings the short report names; more are counted.
const BRIEF: usize = 20;

/// How many skipped things of one reason are named, unless `--verbose`.
const SKIPPED_SHOWN: usize = 10;

/// Writes the report.
pub(crate) fn write(view: &View<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let styles = Styles::new(view.options.color);
    let brief_wanted = view.options.brief || view.report.summary.mode == "staged";
    if brief_wanted && !view.options.verbose {
        brief(view, &styles, out)?;
    } else {
        findings(view, &styles, out)?;
        what_to_do(view, &styles, out)?;
    }
    skipped(view, &styles, out)?;
    summary::write(view, &styles, out)
}

/// What, where, how to fix, how to allow: in a few lines.
fn brief(view: &View<'_>, styles: &Styles, out: &mut dyn io::Write) -> io::Result<()> {
    for f in view.findings().take(BRIEF) {
        finding::write_compact(view, f, styles, out)?;
    }
    let all = view.findings().count();
    if let Some(more) = all.checked_sub(BRIEF).filter(|more| *more > 0) {
        writeln!(out, "… and {} more (--verbose names all)", number(more as u64))?;
    }
    if let Some(first) = view.new_findings().next() {
        let rows = [
            ("fix", brief_fix(view.report.summary.mode)),
            (
                "allow",
                "No secret? Write `stanch:allow RULE REASON` on its line, or decide with `stanch audit`.",
            ),
        ];
        writeln!(out)?;
        for (label, text) in rows {
            writeln!(out, "  {} {text}", styles.dim(&format!("{label:<5}")))?;
        }
        let place = finding::place_as_argument(view, first).unwrap_or_else(|| "FILE:LINE".to_owned());
        let more =
            format!("`stanch explain {place}`: what it opens, how to revoke it, what to write instead.");
        writeln!(out, "  {} {more}", styles.dim("more "))?;
    }
    if all > 0 {
        writeln!(out)?;
    }
    Ok(())
}

/// How to get rid of a value, by where it is.
fn brief_fix(mode: &str) -> &'static str {
    match mode {
        "staged" => {
            "It is not committed yet: take the value out, read it from the environment or a store, stage again."
        }
        "range" => {
            "Revoke it if it has left this machine. Rewrite the commit: a later one leaves it in the history."
        }
        "history" => "Revoke it: it is in the history, and in every clone. Then take it out of the files.",
        _ => "Take the value out, read it from the environment or a store; revoke it if it was ever pushed.",
    }
}

fn findings(view: &View<'_>, styles: &Styles, out: &mut dyn io::Write) -> io::Result<()> {
    let detailed = view.options.verbose || view.findings().nth(DETAILED).is_none();
    let mut previous: Option<&Finding> = None;
    for f in view.findings() {
        let same_file = previous.is_some_and(|p| p.location.path == f.location.path);
        if previous.is_some() && (detailed || !same_file) {
            writeln!(out)?;
        }
        if detailed {
            finding::write_detailed(view, f, styles, out)?;
        } else {
            finding::write_compact(view, f, styles, out)?;
        }
        previous = Some(f);
    }
    if previous.is_some() {
        writeln!(out)?;
    }
    Ok(())
}

/// What to do about each kind of secret that was found: most severe first, each rule once.
fn what_to_do(view: &View<'_>, styles: &Styles, out: &mut dyn io::Write) -> io::Result<()> {
    let mut rules: BTreeMap<&str, (&Finding, usize)> = BTreeMap::new();
    for f in view.findings().filter(|f| is_new(f)) {
        rules.entry(&f.rule).or_insert((f, 0)).1 += 1;
    }
    if rules.is_empty() {
        return Ok(());
    }
    writeln!(out, "{}", styles.heading("What to do"))?;
    let mut rules: Vec<_> = rules.into_iter().collect();
    rules.sort_by(|(a, (f, _)), (b, (g, _))| g.severity.cmp(&f.severity).then(a.cmp(b)));
    for (rule, (f, count)) in rules {
        let name = styles.severity(f.severity, &visible_str(rule));
        let count = if count == 1 { String::new() } else { format!(", {count} findings") };
        writeln!(out, "  {name}{}", styles.dim(&format!("  {}{count}", visible_str(&f.description))))?;
        advice(&f.remediation, styles, out)?;
    }
    writeln!(out, "  {}", styles.dim("always"))?;
    for hint in general_advice(view.report.summary.mode) {
        writeln!(out, "    {hint}")?;
    }
    writeln!(out)
}

fn advice(r: &Remediation, styles: &Styles, out: &mut dyn io::Write) -> io::Result<()> {
    let rows = [
        ("opens", &r.opens),
        ("revoke", &r.revoke),
        ("rotate", &r.rotate),
        ("run", &r.command),
        ("see", &r.url),
    ];
    for (label, text) in rows.iter().filter(|(_, text)| !text.is_empty()) {
        writeln!(out, "    {} {}", styles.dim(&format!("{label:<6}")), visible_str(text))?;
    }
    Ok(())
}

/// Advice for every kind of secret; it depends on whether the value is in the history yet.
fn general_advice(mode: &str) -> [&'static str; 3] {
    let first = match mode {
        "staged" => "It is not committed yet: take the value out and stage the file again.",
        _ => "Revoke first: taking a value out of a file leaves it in the history and in every clone.",
    };
    [
        first,
        "Let the program read the value from the environment or from a secret store.",
        "Not a secret? Say so with `stanch audit`, or with `stanch:allow RULE REASON` on its line.",
    ]
}

/// What was not scanned: first what makes the run incomplete, then what the user left out.
fn skipped(view: &View<'_>, styles: &Styles, out: &mut dyn io::Write) -> io::Result<()> {
    let unread: Vec<&Skipped> = view.unread().collect();
    if !unread.is_empty() {
        writeln!(out, "{}", styles.warning(&format!("Not read ({})", number(unread.len() as u64))))?;
        by_reason(view, &unread, styles, out)?;
        writeln!(out)?;
    }
    let excluded: Vec<&Skipped> = view.report.skipped.iter().filter(|s| !s.incomplete).collect();
    if view.options.verbose && !excluded.is_empty() {
        let count = number(excluded.len() as u64);
        writeln!(out, "{}", styles.heading(&format!("Left out as asked ({count})")))?;
        by_reason(view, &excluded, styles, out)?;
        writeln!(out)?;
    }
    Ok(())
}

fn by_reason(
    view: &View<'_>,
    skipped: &[&Skipped],
    styles: &Styles,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let mut reasons: BTreeMap<&str, Vec<&Skipped>> = BTreeMap::new();
    for s in skipped {
        reasons.entry(s.reason).or_default().push(s);
    }
    for (reason, skipped) in reasons {
        let shown = if view.options.verbose { skipped.len() } else { SKIPPED_SHOWN };
        for s in skipped.iter().take(shown) {
            let what = finding::shown_name(view, &s.what);
            let detail =
                if s.detail.is_empty() { String::new() } else { format!("  {}", visible_str(&s.detail)) };
            writeln!(out, "  {}  {what}{}", styles.warning(&visible_str(reason)), styles.dim(&detail))?;
        }
        if let Some(more) = skipped.len().checked_sub(shown).filter(|more| *more > 0) {
            let more = number(more as u64);
            writeln!(
                out,
                "  {}  … and {more} more (--verbose names all)",
                styles.warning(&visible_str(reason))
            )?;
        }
    }
    Ok(())
}
