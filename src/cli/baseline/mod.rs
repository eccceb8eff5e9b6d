//! `stanch baseline`: record what is known, check that it is still true, take over other tools'.

mod still;
mod update;

use std::borrow::Cow;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::{Args, Subcommand};

use super::args::CommonArgs;
use super::diagnostic::Problems;
use super::files;
use super::{Exit, policy};
use crate::config::{Disk, Files, Within};
use crate::suppress::baseline::{
    Baseline, Check, CheckOptions, Draft, Entry, FILE_NAME, check as check_entries,
};
use crate::suppress::fingerprint::id_of;
use crate::suppress::foreign::{Foreign, is_foreign};

/// `stanch baseline`.
#[derive(Debug, Args)]
pub struct BaselineArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: BaselineCommand,
}

/// The subcommands of `stanch baseline`.
#[derive(Debug, Subcommand)]
pub enum BaselineCommand {
    /// Add the values that a scan finds; recorded decisions stay
    Update(UpdateArgs),
    /// Fail when entries are stale, expired, undecided, or too old
    Check(CheckArgs),
    /// Take over the baseline of detect-secrets, or a JSON report of gitleaks
    Import(ImportArgs),
}

/// `stanch baseline update`.
#[derive(Debug, Args)]
pub struct UpdateArgs {
    /// Files and folders (default: the whole repository)
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Remove entries whose value is not found any more
    #[arg(long, conflicts_with = "paths")]
    pub prune: bool,
    /// Add what is in the history of this repository, too (default: of the one at hand)
    #[arg(long, value_name = "REPO", num_args = 0..=1, require_equals = true, default_missing_value = ".")]
    pub history: Option<PathBuf>,
    /// What every scan understands.
    #[command(flatten)]
    pub common: CommonArgs,
}

/// `stanch baseline check`. Without a switch all of them are on.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Fail on entries whose value is not found any more
    #[arg(long)]
    pub stale: bool,
    /// Look for values in the history of this repository, too (default: of the one at hand)
    #[arg(long, value_name = "REPO", num_args = 0..=1, require_equals = true, default_missing_value = ".")]
    pub history: Option<PathBuf>,
    /// Fail on entries that have run out
    #[arg(long)]
    pub expired: bool,
    /// Fail on entries that nobody has decided
    #[arg(long)]
    pub undecided: bool,
    /// Fail on secrets that are older and not rotated, e.g. 90d
    #[arg(long, value_name = "DAYS", value_parser = parse_days)]
    pub max_age: Option<u32>,
    /// What every scan understands.
    #[command(flatten)]
    pub common: CommonArgs,
}

/// `stanch baseline import`.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// The file: .secrets.baseline, or a report that gitleaks wrote with --report-format json
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// What every scan understands.
    #[command(flatten)]
    pub common: CommonArgs,
}

pub(super) fn parse_days(text: &str) -> Result<u32, String> {
    text.strip_suffix('d')
        .unwrap_or(text)
        .parse()
        .map_err(|_| "expected a number of days such as 90d".to_owned())
}

/// Runs the subcommand.
///
/// # Errors
/// What keeps it from being done. The baseline is then as it was.
pub fn run(args: &BaselineArgs) -> anyhow::Result<Exit> {
    match &args.command {
        BaselineCommand::Update(args) => update::run(args),
        BaselineCommand::Check(args) => check(args),
        BaselineCommand::Import(args) => import(&args.file, &args.common),
    }
}

/// Opens the baseline for changes, or begins one.
pub(super) fn draft(path: &Path, key: Option<&[u8]>) -> anyhow::Result<(Draft, bool)> {
    let read = Baseline::read(path);
    if read.is_err()
        && let Some(foreign) = foreign(path)
    {
        bail!(refusal(&foreign));
    }
    match read.map_err(Problems::from)? {
        Some(baseline) => {
            baseline.fingerprinter(key).map_err(Problems::from)?;
            Ok((Draft::open(&baseline).map_err(Problems::from)?, false))
        }
        None => {
            let draft = Draft::new(path, key).context("cannot make a salt for the baseline")?;
            Ok((draft, true))
        }
    }
}

/// The baseline of another tool in a file, if it is one.
fn foreign(path: &Path) -> Option<Foreign> {
    let bytes = Disk.read(path).ok().filter(|bytes| is_foreign(bytes))?;
    Foreign::load(path, bytes).ok()
}

/// Why another tool's baseline is not written, and what to do.
fn refusal(foreign: &Foreign) -> String {
    let (theirs, ours) = (foreign.path(), foreign.path().with_file_name(FILE_NAME));
    let tool = foreign.tool().name();
    let what = format!("{}: this is a baseline of {tool}, which is read and never written", theirs.display());
    if ours == theirs {
        return format!("{what}; give it another name, and take it over: `stanch baseline import FILE`");
    }
    let (theirs, ours) = (theirs.display(), ours.display());
    format!(
        "{what}; take it over into one of ours first: `stanch baseline import {theirs} --baseline {ours}`"
    )
}

pub(super) fn write(draft: &Draft, path: &Path) -> anyhow::Result<()> {
    draft.write().with_context(|| format!("cannot write the baseline {}", path.display()))
}

fn check(args: &CheckArgs) -> anyhow::Result<Exit> {
    let all =
        !args.stale && !args.expired && !args.undecided && args.max_age.is_none() && args.history.is_none();
    let known = policy::Known::find(&args.common, Path::new("."))?;
    let path = &known.baseline_path;
    let baseline = Baseline::read(path).map_err(Problems::from)?.with_context(|| {
        format!("there is no baseline {}; `stanch baseline update` makes one", path.display())
    })?;
    let stale = args.stale || args.history.is_some() || all;
    let entries: Vec<Entry> = baseline.entries().collect::<Result<_, _>>().map_err(Problems::from)?;
    let looked =
        if stale { look(&baseline, &entries, &known.root, args)? } else { still::Outcome::default() };
    let configured = known.config.settings.max_age_days;
    let options = CheckOptions {
        // Nothing can be called gone by a scan that did not see everything.
        stale: stale && !looked.incomplete,
        expired: args.expired || all,
        undecided: args.undecided || all,
        max_age: args.max_age.or(configured.filter(|_| all)).map(i64::from),
    };
    let gone = &looked.gone;
    let found =
        |fingerprint: &str| gone.is_empty() || id_of(fingerprint).is_none_or(|id| !gone.contains(&id));
    let checks = check_entries(&entries, options, policy::today(), found);
    tell(&checks, &baseline, looked.not_looked_for, args.common.quiet);
    Ok(Exit(match (checks.is_empty(), looked.incomplete) {
        (_, true) => 2,
        (false, false) => 1,
        (true, false) => 0,
    }))
}

/// Looks for the values of a baseline.
fn look(
    baseline: &Baseline,
    entries: &[Entry],
    root: &Path,
    args: &CheckArgs,
) -> anyhow::Result<still::Outcome> {
    let search = still::Search {
        common: &args.common,
        root,
        fingerprinter: &baseline.fingerprinter(policy::key().as_deref()).map_err(Problems::from)?,
        history: args.history.as_deref(),
    };
    search.run(entries)
}

/// Writes what is out of date, and a summary.
fn tell(checks: &[Check<'_>], baseline: &Baseline, not_looked_for: usize, quiet: bool) {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for check in checks {
        // A reader that went away needs no more lines.
        if writeln!(out, "{}", describe(check)).is_err() {
            return;
        }
    }
    if quiet {
        return;
    }
    let entries = if baseline.len() == 1 { "entry" } else { "entries" };
    let _ = writeln!(out, "{}: {} {entries}, {}", baseline.path().display(), baseline.len(), count(checks));
    if not_looked_for > 0 {
        let _ = writeln!(
            out,
            "{not_looked_for} of them are values of the history only, which --history would look for"
        );
    }
}

/// How many checks failed. What nobody has decided is not out of date: it never was in order.
fn count(checks: &[Check<'_>]) -> String {
    let undecided = checks.iter().filter(|check| matches!(check, Check::Undecided(_))).count();
    match (checks.len() - undecided, undecided) {
        (0, 0) => "nothing out of date".to_owned(),
        (0, undecided) => format!("{undecided} undecided"),
        (old, 0) => format!("{old} out of date"),
        (old, undecided) => format!("{old} out of date, {undecided} undecided"),
    }
}

fn describe(check: &Check<'_>) -> String {
    let (word, entry, more) = match check {
        Check::Stale(entry) => ("stale", entry, Cow::Borrowed("the value is not found any more")),
        Check::Expired(entry) => (
            "expired",
            entry,
            entry.expires.map(|day| format!("ran out on {day}")).unwrap_or_default().into(),
        ),
        Check::Undecided(entry) => {
            ("undecided", entry, Cow::Borrowed("nobody has decided; run `stanch audit`"))
        }
        Check::TooOld(entry, days) => ("too old", entry, format!("{days} days old and not rotated").into()),
    };
    let (at, place) = entry.places.first().map_or(("", String::new()), |place| (" in ", printable(place)));
    let short = entry.fingerprint.get(..12).unwrap_or(&entry.fingerprint);
    format!("{word}: {short} {}{at}{place}: {more}", printable(&entry.rule))
}

/// Text from a file, without what could move the cursor.
pub(super) fn printable(text: &str) -> String {
    if text.bytes().all(|b| (b' '..=b'~').contains(&b)) {
        return text.to_owned();
    }
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// Takes another tool's baseline over.
///
/// # Errors
/// The file is not one, or the baseline cannot be written.
pub(super) fn import(file: &Path, common: &CommonArgs) -> anyhow::Result<Exit> {
    let bytes = Disk.read(file).with_context(|| format!("cannot read {}", file.display()))?;
    if !is_foreign(&bytes) {
        bail!(
            "{}: this is neither a baseline of detect-secrets nor a JSON report of gitleaks",
            file.display()
        );
    }
    let foreign = Foreign::load(file, bytes).map_err(Problems::from)?;
    let key = policy::key();
    // What is suppressed must be seen too, and whatever the confidence.
    let everything = common.for_everything();
    let scanned = files::scan(&everything, &[])?;
    let baseline_path = common.baseline.clone().unwrap_or_else(|| scanned.baseline_path.clone());
    let (mut draft, _) = draft(&baseline_path, key.as_deref())?;
    let root = scanned.root.clone();
    let rules = scanned.engine.matcher().rules();
    let imported = foreign.import(
        &scanned.outcome.findings,
        &draft.fingerprinter(key.as_deref()),
        |path| read_inside(&root, path),
        |id| policy::aliases(rules, id),
    );
    let (by, today) = (files::user_name(&root), policy::today());
    let mut added = 0;
    for mut entry in imported.entries {
        if draft.get(&entry.fingerprint).is_none() {
            entry.by.clone_from(&by);
            entry.on = Some(today);
            draft.set(entry);
            added += 1;
        }
    }
    write(&draft, &baseline_path)?;
    for what in foreign.unsupported() {
        eprintln!("stanch: warning: not supported, and not taken over: {what}");
    }
    for warning in &imported.warnings {
        eprintln!("stanch: warning: {}", printable(warning));
    }
    if !common.quiet {
        println!(
            "{}: {added} added from {} entries of {}, {} in all",
            baseline_path.display(),
            foreign.len(),
            foreign.tool().name(),
            draft.len()
        );
    }
    Ok(Exit(0))
}

/// A file that an entry names, if it lies in the repository.
fn read_inside(root: &Path, path: &str) -> Option<Vec<u8>> {
    Disk.read(&inside(root, path)?).ok()
}

/// Where a path that an entry names is, if that is in the repository, links included.
fn inside(root: &Path, path: &str) -> Option<PathBuf> {
    let inside = Path::new(path).components().all(|part| matches!(part, std::path::Component::Normal(_)));
    let path = root.join(path);
    (inside && Within::new(root).locate(&path).is_ok()).then_some(path)
}
