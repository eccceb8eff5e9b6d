//! `stanch import`: turns the files of gitleaks and detect-secrets into ours.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::{Args, Subcommand};

use super::args::CommonArgs;
use super::diagnostic::{self, Problems};
use super::{Exit, baseline, files, policy};
use crate::config::{self, Config, Dialect, Disk, Files, LoadOptions, Within};
use crate::finding::{Finding, Status, Suppression};
use crate::suppress::baseline::{Decision, Entry};
use crate::suppress::ignorefile::IgnoreFile;
use crate::suppress::{IGNORE_FILE_NAME, write_atomically};

/// `stanch import`.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// From which tool.
    #[command(subcommand)]
    pub command: ImportCommand,
}

/// The subcommands of `stanch import`.
#[derive(Debug, Subcommand)]
pub enum ImportCommand {
    /// Turn .gitleaks.toml, .gitleaksignore and a JSON report used as a baseline into our files
    Gitleaks(GitleaksArgs),
    /// Turn .secrets.baseline into our baseline
    DetectSecrets {
        /// The baseline
        #[arg(value_name = "FILE", default_value = ".secrets.baseline")]
        file: PathBuf,
        /// What every scan understands.
        #[command(flatten)]
        common: CommonArgs,
    },
}

/// `stanch import gitleaks`.
#[derive(Debug, Args)]
pub struct GitleaksArgs {
    /// The configuration (default: .gitleaks.toml, if it is there)
    #[arg(long, value_name = "FILE")]
    pub gitleaks_config: Option<PathBuf>,
    /// The JSON report that gitleaks takes as a baseline
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Replace a .stanch.toml that is there
    #[arg(long)]
    pub force: bool,
    /// What every scan understands.
    #[command(flatten)]
    pub common: CommonArgs,
}

/// Runs the subcommand.
///
/// # Errors
/// A file that is not what it should be, or cannot be written.
pub fn run(args: &ImportArgs) -> anyhow::Result<Exit> {
    match &args.command {
        ImportCommand::Gitleaks(args) => gitleaks(args),
        ImportCommand::DetectSecrets { file, common } => baseline::import(file, common),
    }
}

fn gitleaks(args: &GitleaksArgs) -> anyhow::Result<Exit> {
    let here = std::env::current_dir().context("there is no working directory")?;
    let root = policy::repository_root(&here).unwrap_or(here);
    let mut done = false;
    let path = args.gitleaks_config.clone().unwrap_or_else(|| root.join(config::GITLEAKS_FILE_NAME));
    if args.gitleaks_config.is_some() || Disk.exists(&path) {
        import_config(
            &path,
            args.gitleaks_config.is_some(),
            &root.join(config::STANCH_FILE_NAME),
            args.force,
        )?;
        done = true;
    }
    let ignore_path = root.join(IGNORE_FILE_NAME);
    if Disk.exists(&ignore_path) {
        import_ignored(&ignore_path, &args.common)?;
        done = true;
    }
    if let Some(report) = &args.report {
        baseline::import(report, &args.common)?;
        done = true;
    }
    if !done {
        bail!("nothing of gitleaks is here: neither .gitleaks.toml nor .gitleaksignore, and no --report");
    }
    Ok(Exit(0))
}

/// `named`: whether the user named the file, and it may lie and lead anywhere.
fn import_config(from: &Path, named: bool, to: &Path, force: bool) -> anyhow::Result<()> {
    if !force && Disk.exists(to) {
        bail!("{} is there already; --force replaces it", to.display());
    }
    let options = LoadOptions { files: &Disk, builtin_ids: &crate::scanner::builtin_ids };
    let loaded = match from.parent().filter(|_| !named) {
        Some(root) => {
            let files = &Within::new(root);
            config::load(&LoadOptions { files, ..options }, from, Dialect::Gitleaks)
        }
        None => config::load(&options, from, Dialect::Gitleaks),
    };
    let loaded = loaded.map_err(Problems)?;
    diagnostic::warn(&loaded.warnings);
    let known: HashSet<String> = crate::scanner::builtin_ids().into_iter().collect();
    let origin = from.file_name().unwrap_or_default().to_string_lossy();
    let (text, left_out) = config::write(&loaded, &origin, &|id| known.contains(id));
    // What is written must be what was read, or nothing is written.
    let again: Config = config::load_text(&options, &to.display().to_string(), text.clone(), Dialect::Stanch)
        .map_err(Problems)?;
    if again.rules.len() != loaded.rules.len() {
        bail!("the configuration could not be turned into ours; {} is unchanged", to.display());
    }
    write_atomically(to, text.as_bytes()).with_context(|| format!("cannot write {}", to.display()))?;
    for id in left_out {
        eprintln!("stanch: warning: left out: there is no rule `{}`", baseline::printable(&id));
    }
    println!("{}: {} rules, {} allowlists", to.display(), loaded.rules.len(), loaded.allowlists.len());
    Ok(())
}

/// Records what `.gitleaksignore` ignores as accepted, by value.
fn import_ignored(path: &Path, common: &CommonArgs) -> anyhow::Result<()> {
    let mut ignored = IgnoreFile::default();
    let files = Within::new(path.parent().unwrap_or(Path::new(".")));
    let bytes = files.read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let warnings = ignored.add(path, bytes).map_err(Problems::from)?;
    diagnostic::warn(&warnings);
    let everything = common.for_everything();
    let scanned = files::scan(&everything, &[])?;
    let mut findings = scanned.outcome.findings.clone();
    if ignored.iter().any(|entry| entry.commit.is_some()) && policy::repository_root(&scanned.root).is_some()
    {
        findings.extend(files::history(&everything, &scanned.root)?.0);
    }
    findings.retain(by_ignore_file);
    let key = policy::key();
    let baseline_path = common.baseline.clone().unwrap_or_else(|| scanned.baseline_path.clone());
    let (mut draft, _) = baseline::draft(&baseline_path, key.as_deref())?;
    let fingerprinter = draft.fingerprinter(key.as_deref());
    let (by, today) = (files::user_name(&scanned.root), policy::today());
    let mut added = 0;
    for finding in &findings {
        let fingerprint = fingerprinter.of(finding.secret.expose());
        if draft.get(&fingerprint).is_none() {
            draft.set(Entry {
                fingerprint,
                rule: finding.rule.clone(),
                status: Decision::Accepted,
                reason: format!("from {IGNORE_FILE_NAME}"),
                by: by.clone(),
                on: Some(today),
                places: files::places(finding).into_iter().take(3).collect(),
                history: finding.life.is_some(),
                ..Entry::default()
            });
            added += 1;
        }
    }
    baseline::write(&draft, &baseline_path)?;
    let rules = scanned.engine.matcher().rules();
    for entry in ignored
        .iter()
        .filter(|entry| !findings.iter().any(|f| entry.is_for(f, &policy::aliases(rules, &f.rule))))
    {
        let place = format!("{}:{}:{}", entry.path, entry.rule, entry.line);
        eprintln!(
            "stanch: warning: nothing was found for {}; it is not taken over",
            baseline::printable(&place)
        );
    }
    println!("{}: {added} added from {IGNORE_FILE_NAME}", baseline_path.display());
    Ok(())
}

fn by_ignore_file(finding: &Finding) -> bool {
    matches!(&finding.status, Status::Suppressed(Suppression::Allowlist { description }) if description == IGNORE_FILE_NAME)
}
