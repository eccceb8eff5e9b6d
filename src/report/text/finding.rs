//! One finding: where, what, how sure and why, since when, and its short fingerprint.

use std::io;

use super::style::Styles;
use crate::finding::{Commit, Finding, Life, Location, MessageKind, Status};
use crate::report::escape::{visible, visible_str};
use crate::report::numbers::count;
use crate::report::redact::MARK;
use crate::report::view::{View, day};
use crate::report::wording::{certainty, suppression};

/// Characters of context shown before the secret, and after it.
const BEFORE: usize = 48;
const AFTER: usize = 24;

/// Hex digits of a fingerprint that are shown: enough to tell values apart and to type.
const SHORT_FINGERPRINT: usize = 12;

/// Hex digits of a commit that are shown.
const SHORT_COMMIT: usize = 10;

/// Refs that are named; more are counted.
const REFS_SHOWN: usize = 3;

/// Further places that are named; more are counted, unless `--verbose`.
const PLACES_SHOWN: usize = 3;

/// Several lines: everything a person needs to decide.
pub(super) fn write_detailed(
    view: &View<'_>,
    f: &Finding,
    styles: &Styles,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    writeln!(out, "{}", styles.path(&place(view, f, &f.location)))?;
    let severity = styles.severity(f.severity, f.severity.name());
    let kind = styles.dim(&format!("{}, {}", visible_str(&f.rule), f.category));
    writeln!(out, "  {severity}  {} ({kind})", visible_str(&f.description))?;
    writeln!(out, "  {} {}", styles.dim("│"), excerpt(view, f, styles))?;
    for line in facts(view, f) {
        writeln!(out, "  {}", styles.dim(&line))?;
    }
    Ok(())
}

/// One line, and a second one for its life if that is known.
pub(super) fn write_compact(
    view: &View<'_>,
    f: &Finding,
    styles: &Styles,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let at = styles.path(&place(view, f, &f.location));
    let severity = styles.severity(f.severity, f.severity.name());
    let status = if matches!(f.status, Status::New) { "" } else { " suppressed" };
    let id = styles.dim(&format!("[{}]{status}", short(&f.fingerprint, SHORT_FINGERPRINT)));
    writeln!(out, "{at}: {severity} {}  {}  {id}", visible_str(&f.rule), excerpt(view, f, styles))?;
    match &f.life {
        Some(life) => writeln!(out, "    {}", styles.dim(&lifetime(view, life))),
        None => Ok(()),
    }
}

/// `path:line:column`, with archive members after `!`, or words for what has no path.
fn place(view: &View<'_>, f: &Finding, at: &Location) -> String {
    let mut text = match view.path(f, at) {
        Some(path) => visible(&path),
        // Objects that no commit reaches have none.
        None if matches!(view.report.summary.mode, "history" | "range") && at.message_kind.is_none() => {
            "(no path)".to_owned()
        }
        None if at.message_kind.is_none() => "<stdin>".to_owned(),
        None => String::new(),
    };
    for member in &at.container {
        text = format!("{text}!{}", shown_name(view, member));
    }
    if let Some(kind) = at.message_kind {
        let what = kind_words(kind);
        text = match (&f.commit, text.is_empty()) {
            (Some(commit), true) => format!("{what} of {}", short(&commit.id, SHORT_COMMIT)),
            (None, true) => what.to_owned(),
            (_, false) => format!("{text} ({what})"),
        };
    }
    if at.start.line > 0 {
        text = format!("{text}:{}:{}", at.start.line, at.start.column);
    }
    text
}

/// `path:line`, where a shell takes it for one word and nothing else.
pub(super) fn place_as_argument(view: &View<'_>, f: &Finding) -> Option<String> {
    let path = view.path(f, &f.location).filter(|_| f.location.container.is_empty())?;
    let plain = |b: &u8| b.is_ascii_alphanumeric() || b"._/-".contains(b);
    let harmless = !path.is_empty() && !path.starts_with(b"-") && path.iter().all(plain);
    (harmless && f.location.start.line > 0).then(|| format!("{}:{}", visible(&path), f.location.start.line))
}

fn kind_words(kind: MessageKind) -> &'static str {
    match kind {
        MessageKind::Commit => "commit message",
        MessageKind::Tag => "tag message",
        MessageKind::Note => "note",
        MessageKind::Identity => "author or committer",
        MessageKind::RefName => "name of a ref",
        MessageKind::FileName => "name of the file",
        MessageKind::LinkTarget => "target of the link",
        MessageKind::GitDir => "git directory",
    }
}

/// A name from the repository, harmless and without secrets.
pub(super) fn shown_name<'a>(view: &View<'a>, name: &'a [u8]) -> String {
    visible(&view.name(name))
}

/// The line of the match around the secret, cut to what fits.
fn excerpt(view: &View<'_>, f: &Finding, styles: &Styles) -> String {
    let (before, after) = view.context(f);
    let line_start = before.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
    let line_end = after.iter().position(|b| *b == b'\n').unwrap_or(after.len());
    let before = visible(before[line_start..].trim_ascii_start());
    let after = visible(after[..line_end].trim_ascii_end());
    let secret = styles.secret(&visible_str(&view.secret(&f.secret)));
    format!("{}{secret}{}", last_chars(&before, BEFORE), first_chars(&after, AFTER))
}

fn last_chars(text: &str, max: usize) -> String {
    let extra = text.chars().count().saturating_sub(max);
    if extra == 0 {
        text.to_owned()
    } else {
        format!("{MARK}{}", text.chars().skip(extra + 1).collect::<String>())
    }
}

fn first_chars(text: &str, max: usize) -> String {
    if text.chars().nth(max).is_none() {
        return text.to_owned();
    }
    format!("{}{MARK}", text.chars().take(max - 1).collect::<String>())
}

/// The first characters of an id.
pub(super) fn short(id: &str, len: usize) -> &str {
    id.get(..len).unwrap_or(id)
}

/// How sure and why, where else, since when, under which name.
fn facts(view: &View<'_>, f: &Finding) -> Vec<String> {
    let mut facts = Vec::new();
    facts.extend(suppression(view, f, true).map(|why| format!("suppressed by {why}")));
    facts.push(certainty(f));
    if !f.location.decoded.is_empty() {
        facts.push(format!("decoded from {}", f.location.decoded.join(", then ")));
    }
    for (role, at) in &f.parts {
        facts.push(format!("with {} at {}", visible_str(role), place(view, f, at)));
    }
    facts.extend(further_places(view, f));
    match (&f.life, &f.commit) {
        (Some(life), _) => facts.push(lifetime(view, life)),
        (None, Some(commit)) => facts.push(format!("in commit {}", by_whom(view, commit))),
        (None, None) => {}
    }
    facts.push(format!("fingerprint {}", short(&f.fingerprint, SHORT_FINGERPRINT)));
    facts
}

fn further_places(view: &View<'_>, f: &Finding) -> Option<String> {
    if f.occurrences.is_empty() {
        return None;
    }
    let shown = if view.options.verbose { f.occurrences.len() } else { PLACES_SHOWN };
    let mut places: Vec<_> = f.occurrences.iter().take(shown).map(|at| place(view, f, at)).collect();
    if let Some(more) = f.occurrences.len().checked_sub(shown).filter(|more| *more > 0) {
        places.push(count(more as u64, "more place", "more places"));
    }
    Some(format!("also at {}", places.join(", ")))
}

/// `introduced in 1a2b3c4d5e by Ana on 2024-05-01, still in HEAD, 571 days; reachable from main, v1.0`.
fn lifetime(view: &View<'_>, life: &Life) -> String {
    let mut text = match &life.first_seen {
        Some(commit) => format!("introduced in {}", by_whom(view, commit)),
        None => "introduced by no reachable commit".to_owned(),
    };
    match (&life.last_seen, life.in_head) {
        (_, true) => text.push_str(", still in HEAD"),
        (Some(commit), false) => text.push_str(&format!(", last in {}", by_whom(view, commit))),
        (None, false) => text.push_str(", not in HEAD"),
    }
    if let Some(days) = life.age_days {
        text.push_str(&format!(", {}", count(days.max(0) as u64, "day", "days")));
    }
    if let Some(kept_by) = life.unreachable {
        text.push_str(&format!("; reachable from no ref (kept by {kept_by})"));
    } else if !life.refs.is_empty() {
        text.push_str(&format!("; reachable from {}", refs(view, &life.refs)));
    }
    text
}

fn by_whom(view: &View<'_>, commit: &Commit) -> String {
    let mut text = short(&commit.id, SHORT_COMMIT).to_owned();
    if !commit.author.is_empty() {
        text.push_str(&format!(" by {}", visible(&view.name(&commit.author))));
    }
    if let Some(day) = day(commit.time, commit.offset_minutes) {
        text.push_str(&format!(" on {day}"));
    }
    text
}

fn refs(view: &View<'_>, refs: &[String]) -> String {
    let shown = if view.options.verbose { refs.len() } else { REFS_SHOWN };
    let short_name = |name: &str| {
        let name = ["refs/heads/", "refs/tags/", "refs/remotes/"]
            .iter()
            .find_map(|p| name.strip_prefix(p))
            .unwrap_or(name);
        visible(&view.name(name.as_bytes()))
    };
    let mut names: Vec<_> = refs.iter().take(shown).map(|r| short_name(r)).collect();
    if let Some(more) = refs.len().checked_sub(shown).filter(|more| *more > 0) {
        names.push(count(more as u64, "more ref", "more refs"));
    }
    names.join(", ")
}
