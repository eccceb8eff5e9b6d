//! `stanch explain`: why something was, or was not, reported, and what to do now.

mod purge;
pub mod reference;

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use bstr::ByteSlice;
use clap::Args;

use super::args::CommonArgs;
use super::baseline::printable;
use super::policy::{self, Paths, Setup};
use super::{Exit, files, scan};
use crate::finding::{Finding, Location, Status, Suppression};
use crate::rules::Rule;
use crate::scan::Engine;
use crate::scan::explain::{Fate, Look, explain, lookers};
use crate::suppress::fingerprint::Fingerprinter;
use reference::{Language, Store};

/// `stanch explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// A fingerprint (or how it begins), or FILE:LINE
    #[arg(value_name = "FINGERPRINT|FILE:LINE")]
    pub target: String,
    /// Show how to keep the value there; may be repeated (default: the environment)
    #[arg(long, value_name = "STORE")]
    pub store: Vec<Store>,
    /// Do not look through the history
    #[arg(long)]
    pub no_history: bool,
    /// Write the value into a new file that `git filter-repo --replace-text` takes; needs --show-secrets
    #[arg(long, value_name = "FILE", requires = "show_secrets")]
    pub purge_file: Option<PathBuf>,
    /// What every scan understands.
    #[command(flatten)]
    pub common: CommonArgs,
}

/// Largest file that is explained, in bytes.
const LARGEST: u64 = 256 << 20;

/// Runs the subcommand.
///
/// # Errors
/// The target is neither, or cannot be read.
pub fn run(args: &ExplainArgs) -> anyhow::Result<Exit> {
    match place(&args.target) {
        Some((file, line)) => explain_line(args, &file, line),
        None if is_prefix(&args.target) => explain_value(args),
        None => bail!("`{}` is neither a fingerprint nor FILE:LINE", printable(&args.target)),
    }
}

/// How a fingerprint begins: eight hex digits, at least, as reports show twelve.
fn is_prefix(text: &str) -> bool {
    (8..=32).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// `FILE:LINE`, or `FILE:LINE:COLUMN` as reports print it.
fn place(target: &str) -> Option<(PathBuf, u64)> {
    let (rest, last) = target.rsplit_once(':')?;
    let last: u64 = last.parse().ok()?;
    if let Some((file, line)) = rest.rsplit_once(':')
        && let Ok(line) = line.parse()
        && !Path::new(rest).exists()
    {
        return Some((file.into(), line));
    }
    Some((rest.into(), last))
}

fn explain_line(args: &ExplainArgs, file: &Path, line: u64) -> anyhow::Result<Exit> {
    let cannot = || format!("cannot read {}", file.display());
    let metadata = file.metadata().with_context(cannot)?;
    if !metadata.is_file() || metadata.len() > LARGEST {
        bail!("{}: it is no file, or larger than 256 MiB", cannot());
    }
    let bytes = std::fs::read(file).with_context(cannot)?;
    let (engine, fingerprinter) = scan::engine(&args.common, Setup::new(&args.common, file, Paths::AsGiven)?);
    let path = <[u8]>::from_path(file).context("the path cannot be represented")?;
    let location = Location { path: Some(path.into()), ..Location::default() };
    let content = bytes.split(|&b| b == b'\n').nth(usize::try_from(line.saturating_sub(1))?);
    let Some(content) = content.filter(|_| line > 0) else {
        bail!("{} has no line {line}", file.display());
    };
    println!("{}:{line}", printable(&file.display().to_string()));
    if engine.policy().excluded(path) {
        println!("  the configuration excludes this file: it is not scanned");
    }
    let looked = lookers(&engine, content);
    match looked.is_empty() {
        true => println!("  no rule's words stand on this line"),
        false => println!("  rules whose words stand there: {}", looked.join(", ")),
    }
    let looks = explain(&engine, &bytes, &location, line, line);
    if looks.is_empty() {
        println!("  nothing on it has the form of a secret");
    }
    for look in &looks {
        show_look(&engine, &fingerprinter, look);
    }
    known(&engine, &fingerprinter, &looks)?;
    let errors = engine.policy().take_errors();
    if !errors.is_empty() {
        return Err(super::diagnostic::Problems(errors).into());
    }
    let counts = |look: &&Look| matches!(look.fate, Fate::Reported | Fate::Suppressed(_));
    if let Some(look) = looks.iter().find(counts) {
        let before = before(content, look);
        let rules = engine.matcher().rules();
        if let Some(rule) = rules.find(&look.rule).map(|index| rules.rule(index)) {
            what_to_do(rule, args, &file.display().to_string(), before);
        }
        purge::advise(&look.secret, args.purge_file.as_deref())?;
    }
    Ok(Exit(0))
}

/// What stands before the value on its line.
fn before<'c>(content: &'c [u8], look: &Look) -> &'c [u8] {
    memchr::memmem::find(content, look.secret.expose()).map_or(&[][..], |at| &content[..at])
}

fn show_look(engine: &Engine, fingerprinter: &Fingerprinter, look: &Look) {
    let fingerprint = fingerprinter.of(look.secret.expose());
    let what = match &look.fate {
        Fate::Reported => "reported".to_owned(),
        Fate::Suppressed(suppression) => format!("suppressed: {}", describe(suppression)),
        Fate::OtherPath => "not reported: the rule is for other paths".to_owned(),
        Fate::Binary => "not reported: in binary data only values that identify themselves count".to_owned(),
        Fate::Entropy { is, least } => {
            format!("not reported: too regular ({is:.2} bits a byte; the rule asks for {least:.2})")
        }
        Fate::Harmless => "not reported: judged harmless".to_owned(),
        Fate::Confidence { is } => {
            let least = engine.options().min_confidence;
            format!("not reported: confidence {is}, and {least} is asked for (--min-confidence)")
        }
        Fate::Disabled => "not reported: the configuration turns this rule off here".to_owned(),
        Fate::StoodFor { by } => format!("not reported by itself: {by} stands for this value"),
        Fate::Part => {
            "not reported by itself: it is a part of other findings, or lacks parts of its own".to_owned()
        }
    };
    println!("  {}  {}  {what}", look.rule, printable(&look.secret.redacted()));
    if !look.decoded.is_empty() {
        println!("      behind {}", look.decoded.join(", then "));
    }
    if !look.reasons.is_empty() {
        println!("      because: {}", look.reasons.join(", "));
    }
    println!("      fingerprint {fingerprint}");
}

fn describe(suppression: &Suppression) -> String {
    let with = |words: &str, reason: &str| match reason {
        "" => words.to_owned(),
        reason => format!("{words}, {}", printable(reason)),
    };
    match suppression {
        Suppression::Baseline { status, reason, .. } => {
            with(&format!("known to the baseline as {status}"), reason)
        }
        Suppression::Inline { marker, reason } => with(&format!("by the marker {marker}"), reason),
        Suppression::Allowlist { description } => format!("by an allowlist: {}", printable(description)),
    }
}

/// What the baseline says of the values.
fn known(engine: &Engine, fingerprinter: &Fingerprinter, looks: &[Look]) -> anyhow::Result<()> {
    let Some(baseline) = engine.policy().baseline() else { return Ok(()) };
    for look in looks {
        let fingerprint = fingerprinter.of(look.secret.expose());
        if let Some(entry) = baseline.lookup(&fingerprint).map_err(super::diagnostic::Problems::from)? {
            println!("  {}: in the baseline as {}", &fingerprint[..12], entry.status.name());
            show_entry(&entry, policy::today());
        }
    }
    Ok(())
}

fn show_entry(entry: &crate::suppress::baseline::Entry, today: jiff::civil::Date) {
    if !entry.reason.is_empty() {
        println!("      reason: {}", printable(&entry.reason));
    }
    if !entry.by.is_empty() {
        println!("      by: {}", printable(&entry.by));
    }
    for (what, day) in [("on", entry.on), ("since", entry.since), ("expires", entry.expires)] {
        if let Some(day) = day {
            println!(
                "      {what}: {day}{}",
                if what == "expires" && day < today { " (ran out)" } else { "" }
            );
        }
    }
}

fn explain_value(args: &ExplainArgs) -> anyhow::Result<Exit> {
    let scanned = files::scan(&args.common, &[])?;
    let is_it = |finding: &&Finding| finding.fingerprint.starts_with(&args.target);
    let mut found: Vec<Finding> = scanned.outcome.findings.iter().filter(is_it).cloned().collect();
    let incomplete = scanned.report_skips();
    let mut historic = None;
    if !args.no_history && policy::repository_root(&scanned.root).is_some() {
        historic = history(args, &scanned.root)?;
    }
    if found.is_empty() {
        found.extend(historic.clone());
    }
    let Some(first) = found.first() else {
        println!("No value with the fingerprint {} was found.", args.target);
        println!(
            "Fingerprints depend on the baseline's salt: one from a report made with another baseline, or without one, differs."
        );
        return Ok(Exit(if incomplete { 2 } else { 1 }));
    };
    let other = found.iter().chain(&historic).find(|finding| finding.fingerprint != first.fingerprint);
    if other.is_some() {
        bail!("more than one fingerprint begins with {}", args.target);
    }
    println!("{}  {}", first.fingerprint, printable(&first.description));
    println!(
        "  {} · {} · severity {} · confidence {}",
        first.rule, first.category, first.severity, first.confidence
    );
    if let Status::Suppressed(suppression) = &first.status {
        println!("  suppressed: {}", describe(suppression));
    }
    show_places(&found);
    if let Some(finding) = &historic {
        show_life(finding);
    }
    if let Some(baseline) = scanned.engine.policy().baseline() {
        let entry = baseline.lookup(&first.fingerprint).map_err(super::diagnostic::Problems::from)?;
        if let Some(entry) = entry {
            println!("  in the baseline as {}", entry.status.name());
            show_entry(&entry, policy::today());
        }
    }
    let rules = scanned.engine.matcher().rules();
    let path = first.location.path.as_ref().map(|path| path.to_str_lossy().into_owned()).unwrap_or_default();
    if let Some(rule) = rules.find(&first.rule).map(|index| rules.rule(index)) {
        what_to_do(rule, args, &path, &first.matched.0);
    }
    purge::advise(&first.secret, args.purge_file.as_deref())?;
    Ok(Exit(0))
}

/// The finding in the history, with its life.
fn history(args: &ExplainArgs, root: &Path) -> anyhow::Result<Option<Finding>> {
    let (findings, _) = files::history(&args.common, root)?;
    Ok(findings.into_iter().find(|finding| finding.fingerprint.starts_with(&args.target)))
}

fn show_places(found: &[Finding]) {
    let locations =
        found.iter().flat_map(|finding| std::iter::once(&finding.location).chain(&finding.occurrences));
    for (i, location) in locations.enumerate() {
        if i == 20 {
            println!("  … and more");
            return;
        }
        let path = location.path.as_ref().map(|path| path.to_str_lossy().into_owned()).unwrap_or_default();
        println!("  at {}:{}:{}", printable(&path), location.start.line, location.start.column);
    }
}

fn show_life(finding: &Finding) {
    let Some(life) = &finding.life else { return };
    let day =
        |time: i64| jiff::Timestamp::from_second(time).map(|time| time.strftime("%Y-%m-%d").to_string());
    for (what, commit) in [("introduced", &life.first_seen), ("last held", &life.last_seen)] {
        if let Some(commit) = commit {
            let author = printable(&commit.author.to_str_lossy());
            println!(
                "  {what} in {} on {} by {author}",
                &commit.id[..12.min(commit.id.len())],
                day(commit.time).unwrap_or_default()
            );
        }
    }
    println!("  {}", if life.in_head { "in HEAD" } else { "not in HEAD any more, but in the history" });
    if !life.refs.is_empty() {
        println!(
            "  reached by {}",
            printable(&life.refs.iter().take(5).cloned().collect::<Vec<_>>().join(", "))
        );
    }
}

fn what_to_do(rule: &Rule, args: &ExplainArgs, path: &str, before: &[u8]) {
    let remedy = &rule.remediation;
    println!("\nWhat to do");
    let steps = [
        ("opens", &remedy.opens),
        ("revoke", &remedy.revoke),
        ("rotate", &remedy.rotate),
        ("run", &remedy.command),
        ("see", &remedy.url),
    ];
    for (what, text) in steps.iter().filter(|(_, text)| !text.is_empty()) {
        println!("  {what:<7} {text}");
    }
    let name = reference::variable_name(before, &rule.id);
    let stores = if args.store.is_empty() { &[Store::Environment][..] } else { &args.store };
    for &store in stores {
        println!("\nInstead of the value: {}", store.title());
        for line in reference::text(store, Language::of(path), &name).lines() {
            println!("  {line}");
        }
    }
    if args.store.is_empty() {
        let names: Vec<&str> = Store::ALL.iter().skip(1).map(|store| store.title()).collect();
        println!("  (--store shows it for {})", names.join(", "));
    }
}
