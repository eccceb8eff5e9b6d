//! `stanch baseline`: record what is known, check that it is still true, take over other tools'.

use std::collections::{BTreeMap, HashSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::{Args, Subcommand};

use super::args::CommonArgs;
use super::diagnostic::Problems;
use super::files::{self, Scanned};
use super::{Exit, policy};
use crate::config::{Disk, Files};
use crate::finding::{Finding, Status};
use crate::suppress::baseline::{Baseline, Check, CheckOptions, Draft, Entry, Found};
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
    /// Remove entries whose value the scan did not find
    #[arg(long)]
    pub prune: bool,
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
        BaselineCommand::Update(args) => update(args),
        BaselineCommand::Check(args) => check(args),
        BaselineCommand::Import(args) => import(&args.file, &args.common),
    }
}

/// Opens the baseline for changes, or begins one.
pub(super) fn draft(path: &Path, key: Option<&[u8]>) -> anyhow::Result<(Draft, bool)> {
    match Baseline::read(path).map_err(Problems::from)? {
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

pub(super) fn write(draft: &Draft, path: &Path) -> anyhow::Result<()> {
    draft.write().with_context(|| format!("cannot write the baseline {}", path.display()))
}

fn update(args: &UpdateArgs) -> anyhow::Result<Exit> {
    if args.common.no_baseline {
        bail!("--no-baseline leaves nothing to update");
    }
    let key = policy::key();
    let scanned = scan_for_update(&args.common, &args.paths)?;
    let (mut draft, new) = draft(&scanned.baseline_path, key.as_deref())?;
    let fingerprinter = draft.fingerprinter(key.as_deref());
    let mut present = HashSet::new();
    let mut found = BTreeMap::new();
    for finding in &scanned.outcome.findings {
        let fingerprint = fingerprinter.of(finding.secret.expose());
        present.insert(fingerprint.clone());
        if finding.status == Status::New {
            record(&mut found, &scanned, finding, fingerprint);
        }
    }
    let by = files::user_name(&scanned.root);
    let added = draft.add(found.into_values(), &by, policy::today());
    let removed = if args.prune { prune(&mut draft, &present) } else { 0 };
    let incomplete = scanned.report_skips();
    if incomplete && args.prune {
        bail!("not everything could be read, so that nothing can be called stale; the baseline is unchanged");
    }
    if new || added + removed > 0 {
        write(&draft, &scanned.baseline_path)?;
    }
    if !args.common.quiet {
        let path = scanned.baseline_path.display();
        println!("{path}: {added} added, {removed} removed, {} in all", draft.len());
        if new {
            println!("Commit it. Run `stanch audit` to decide what each value is.");
        }
    }
    Ok(Exit(if incomplete { 2 } else { 0 }))
}

/// Scans with the baseline, or without one when it does not exist yet.
fn scan_for_update(common: &CommonArgs, paths: &[PathBuf]) -> anyhow::Result<Scanned> {
    let missing = common.baseline.as_ref().is_some_and(|path| !Disk.exists(path));
    if !missing {
        let scanned = files::scan(common, paths)?;
        if let Some(foreign) = scanned.engine.policy().foreign() {
            let tool = foreign.tool().name();
            bail!(
                "known values are in a baseline of {tool}; take it over first: `stanch baseline import FILE`"
            );
        }
        return Ok(scanned);
    }
    let without = CommonArgs { no_baseline: true, baseline: None, ..common.clone() };
    let mut scanned = files::scan(&without, paths)?;
    scanned.baseline_path = common.baseline.clone().unwrap_or(scanned.baseline_path);
    Ok(scanned)
}

/// Notes a value once, with all of its places.
fn record(found: &mut BTreeMap<String, Found>, scanned: &Scanned, finding: &Finding, fingerprint: String) {
    let places = scanned.places(finding);
    let new = || Found { fingerprint: fingerprint.clone(), rule: finding.rule.clone(), ..Found::default() };
    found.entry(fingerprint.clone()).or_insert_with(new).places.extend(places);
}

fn prune(draft: &mut Draft, present: &HashSet<String>) -> usize {
    let gone = |entry: &&Entry| !present.contains(&entry.fingerprint);
    let stale: Vec<String> = draft.entries().filter(gone).map(|entry| entry.fingerprint.clone()).collect();
    for fingerprint in &stale {
        draft.remove(fingerprint);
    }
    stale.len()
}

fn check(args: &CheckArgs) -> anyhow::Result<Exit> {
    let all = !args.stale && !args.expired && !args.undecided && args.max_age.is_none();
    let stale = args.stale || all;
    let (baseline, found, configured, incomplete) = known_and_found(&args.common, stale)?;
    let options = CheckOptions {
        stale,
        expired: args.expired || all,
        undecided: args.undecided || all,
        max_age: args.max_age.or(configured.filter(|_| all)).map(i64::from),
    };
    let checks = baseline.check(options, policy::today(), |fingerprint| found.contains(fingerprint));
    let checks = checks.map_err(Problems::from)?;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for check in &checks {
        // A reader that went away needs no more lines.
        if writeln!(out, "{}", describe(check)).is_err() {
            break;
        }
    }
    drop(out);
    if !args.common.quiet {
        let path = baseline.path().display();
        match checks.len() {
            0 => println!("{path}: {} entries, nothing out of date", baseline.len()),
            n => println!("{path}: {} entries, {n} out of date", baseline.len()),
        }
    }
    Ok(Exit(match (checks.is_empty(), incomplete) {
        (_, true) => 2,
        (false, false) => 1,
        (true, false) => 0,
    }))
}

type KnownAndFound = (Baseline, HashSet<String>, Option<u32>, bool);

/// The baseline, the values that are in the repository (if `scan`), the configured greatest age, and
/// whether the scan was incomplete.
fn known_and_found(common: &CommonArgs, scan: bool) -> anyhow::Result<KnownAndFound> {
    let none =
        |path: &Path| format!("there is no baseline {}; `stanch baseline update` makes one", path.display());
    if !scan {
        let setup = policy::Setup::new(common, Path::new("."), policy::Paths::AsGiven)?;
        let max_age = setup.policy.tree().base().settings.max_age_days;
        let baseline = Baseline::read(&setup.baseline_path).map_err(Problems::from)?;
        return Ok((baseline.with_context(|| none(&setup.baseline_path))?, HashSet::new(), max_age, false));
    }
    // Everything counts as found, of whatever confidence: an entry is stale when its value is gone.
    let scanned = files::scan(
        &CommonArgs { min_confidence: Some(crate::finding::Confidence::Low), ..common.clone() },
        &[],
    )?;
    let incomplete = scanned.report_skips();
    let baseline = Baseline::read(&scanned.baseline_path).map_err(Problems::from)?;
    let baseline = baseline.with_context(|| none(&scanned.baseline_path))?;
    let found = scanned.outcome.findings.iter().map(|finding| finding.fingerprint.clone()).collect();
    let max_age = scanned.engine.policy().tree().base().settings.max_age_days;
    Ok((baseline, found, max_age, incomplete))
}

fn describe(check: &Check) -> String {
    let (word, entry, more) = match check {
        Check::Stale(entry) => ("stale", entry, "the value is not found any more".to_owned()),
        Check::Expired(entry) => {
            ("expired", entry, entry.expires.map(|day| format!("ran out on {day}")).unwrap_or_default())
        }
        Check::Undecided(entry) => ("undecided", entry, "nobody has decided; run `stanch audit`".to_owned()),
        Check::TooOld(entry, days) => ("too old", entry, format!("{days} days old and not rotated")),
    };
    let place = entry.places.first().map(|place| format!(" in {}", printable(place))).unwrap_or_default();
    format!(
        "{word}: {} {}{place}: {more}",
        &entry.fingerprint[..12.min(entry.fingerprint.len())],
        printable(&entry.rule)
    )
}

/// Text from a file, without what could move the cursor.
pub(super) fn printable(text: &str) -> String {
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
    let everything = CommonArgs {
        no_baseline: true,
        baseline: None,
        min_confidence: Some(crate::finding::Confidence::Low),
        ..common.clone()
    };
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
    let inside = Path::new(path).components().all(|part| matches!(part, std::path::Component::Normal(_)));
    if !inside {
        return None;
    }
    Disk.read(&root.join(path)).ok()
}
