//! The command line's grammar.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::finding::Confidence;
use crate::report::Format;
use crate::source::archive::Limits;

/// Stops secrets from leaking through git.
#[derive(Debug, Parser)]
#[command(name = "stanch", version, about, propagate_version = true, max_term_width = 100)]
#[command(
    after_help = "Exit codes: 0 clean, 1 findings, 2 error or incomplete: something asked for could not be read."
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Scan files and folders, standard input (-), or what is staged for commit
    Scan(ScanArgs),
    /// Scan everything a repository ever held, each secret once, with its life
    History(HistoryArgs),
    /// Say why something was, or was not, reported, and what to do now
    Explain(super::explain::ExplainArgs),
    /// Turn the files of gitleaks and detect-secrets into ours
    Import(super::import::ImportArgs),
    /// Show which configuration holds where
    Config(super::config::ConfigArgs),
    /// Go through what is known and found, and decide
    Audit(super::audit::AuditArgs),
    /// List, show and check rules
    Rules(super::rules::RulesArgs),
    /// Install or remove git hooks that scan
    Hook(super::hook::HookArgs),
    /// Record known values, check them, take over other tools' baselines
    Baseline(super::baseline::BaselineArgs),
    /// Write shell completions to standard output
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Write the manual page to standard output
    Man,
}

/// `stanch scan`.
#[derive(Debug, Args)]
pub struct ScanArgs {
    /// Files and folders, or - for standard input
    #[arg(value_name = "PATH", default_value = ".")]
    pub paths: Vec<PathBuf>,
    /// Scan what `git commit` is about to record: the index against HEAD
    #[arg(long, conflicts_with = "paths")]
    pub staged: bool,
    /// Scan files that .gitignore excludes and git does not track, too
    #[arg(long)]
    pub no_ignore: bool,
    /// Skip (and report) files larger than this, e.g. 50M
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub max_file_size: Option<u64>,
    /// End the scan before more memory than this is allocated, e.g. 2G; what was found so far is reported
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub max_memory: Option<u64>,
    /// What every scan understands.
    #[command(flatten)]
    pub common: CommonArgs,
}

/// `stanch history`.
#[derive(Debug, Args)]
pub struct HistoryArgs {
    /// The repository
    #[arg(value_name = "REPO", default_value = ".")]
    pub repo: PathBuf,
    /// Scan only what these commits add: A..B, A...B, "^A B", or all up to B; may be repeated
    #[arg(long, value_name = "RANGE", allow_hyphen_values = true)]
    pub range: Vec<String>,
    /// Scan only what the commits of this branch add; may be repeated
    #[arg(long, value_name = "NAME")]
    pub branch: Vec<String>,
    /// Scan only what commits since this date (UTC) add, or since so long ago: 2026-01-31, "2 weeks"
    #[arg(long, value_name = "DATE")]
    pub since: Option<String>,
    /// Scan only what the newest N commits add
    #[arg(long, value_name = "N")]
    pub max_commits: Option<usize>,
    /// A range that a shallow clone cuts short is no error; at the cut, everything counts as added
    #[arg(long)]
    pub allow_shallow: bool,
    /// Pass over blobs in which an earlier scan by the same rules found nothing, as noted in this folder
    #[arg(long, value_name = "DIR", conflicts_with_all = ["range", "branch", "since", "max_commits"])]
    pub cache: Option<PathBuf>,
    /// Report where the time goes
    #[arg(long)]
    pub stats: bool,
    /// Scan twice, with and without the delta engine, and compare
    #[arg(long, hide = true, conflicts_with_all = ["range", "branch", "since", "max_commits"])]
    pub verify_engine: bool,
    /// End the scan before more memory than this is allocated, e.g. 2G; what was found so far is reported
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub max_memory: Option<u64>,
    /// What every scan understands.
    #[command(flatten)]
    pub common: CommonArgs,
}

/// Options of every command that scans.
#[derive(Clone, Debug, Args)]
pub struct CommonArgs {
    #[arg(long, value_name = "FORMAT[=FILE]", help = help_on_formats())]
    pub format: Vec<String>,
    /// Write the report to this file
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Configuration file (default: the nearest .stanch.toml)
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Baseline file (default: .stanch-baseline.toml, when it is there)
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// Ignore the baseline
    #[arg(long, conflicts_with = "baseline")]
    pub no_baseline: bool,
    /// Take configuration, baseline and inline markers from this revision, which is trusted
    #[arg(long, value_name = "REV")]
    pub policy_rev: Option<String>,
    /// Show whole secrets in the report
    #[arg(long)]
    pub show_secrets: bool,
    /// List suppressed findings, too
    #[arg(long)]
    pub show_suppressed: bool,
    /// Report findings of at least this confidence
    #[arg(long, value_name = "LEVEL", value_parser = parse_confidence)]
    pub min_confidence: Option<Confidence>,
    /// Use only this rule; may be repeated
    #[arg(long, value_name = "ID")]
    pub rule: Vec<String>,
    /// Do not use this rule; may be repeated
    #[arg(long, value_name = "ID")]
    pub disable_rule: Vec<String>,
    /// Exit code when there are findings
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub exit_code: u8,
    /// Exit by the findings even when something could not be read
    #[arg(long)]
    pub allow_incomplete: bool,
    /// Do not look into encoded text
    #[arg(long)]
    pub no_decode: bool,
    /// Do not look into archives and other containers
    #[arg(long)]
    pub no_archives: bool,
    /// Bounds of what is unpacked.
    #[command(flatten)]
    pub archive: ArchiveArgs,
    /// Number of threads (default: one a core)
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub threads: usize,
    /// Write nothing but findings and errors
    #[arg(long, short)]
    pub quiet: bool,
    /// Say more
    #[arg(long, short)]
    pub verbose: bool,
    /// Say what, where and how to go on in a few lines, as hooks do (text format)
    #[arg(long, conflicts_with = "verbose")]
    pub brief: bool,
    /// Colours
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub color: ColorWhen,
    /// Show no progress
    #[arg(long)]
    pub no_progress: bool,
}

/// Bounds of what is unpacked from one file; what they leave out is listed as skipped.
#[derive(Args, Clone, Debug)]
pub struct ArchiveArgs {
    /// Open containers within containers to this depth
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub archive_depth: u32,
    /// Unpack at most this much from one file
    #[arg(long, value_name = "SIZE", value_parser = parse_size, default_value = "8G")]
    pub archive_size: u64,
    /// Unpack at most this many bytes for each byte of a file
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub archive_ratio: u64,
    /// Open at most this many members of one file
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    pub archive_members: u64,
    /// Spend at most this many seconds on one file
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    pub archive_time: u64,
}

impl ArchiveArgs {
    /// The bounds.
    pub fn limits(&self) -> Limits {
        Limits {
            depth: self.archive_depth,
            total_bytes: self.archive_size,
            ratio: self.archive_ratio,
            members: self.archive_members,
            time: Duration::from_secs(self.archive_time),
            ..Limits::default()
        }
    }
}

/// When to colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ColorWhen {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

fn parse_confidence(text: &str) -> Result<Confidence, String> {
    Confidence::from_name(text).ok_or_else(|| "expected low, medium or high".to_owned())
}

fn help_on_formats() -> String {
    let names: Vec<&str> = Format::ALL.iter().map(|format| format.name()).collect();
    format!("Report format ({}), or FORMAT=FILE; may be repeated", names.join(", "))
}

/// A number of bytes: digits and an optional K, M or G (powers of 1024).
fn parse_size(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let shift = match text[digits.len()..].to_ascii_uppercase().as_str() {
        "" | "B" => 0,
        "K" | "KB" | "KIB" => 10,
        "M" | "MB" | "MIB" => 20,
        "G" | "GB" | "GIB" => 30,
        _ => return Err("expected a number of bytes such as 500K, 50M or 1G".to_owned()),
    };
    let number: u64 =
        digits.parse().map_err(|_| "expected a number of bytes such as 500K, 50M or 1G".to_owned())?;
    number.checked_mul(1 << shift).ok_or_else(|| "too large".to_owned())
}

impl Cli {
    /// Parses the process's arguments.
    ///
    /// # Errors
    /// What clap has to say: a mistake, or the text of `--help` and `--version`.
    pub fn parse_from_env(args: impl Iterator<Item = OsString>) -> Result<Self, clap::Error> {
        Cli::try_parse_from(args)
    }
}

impl CommonArgs {
    /// The same, but what a baseline suppresses is found too, and whatever the confidence.
    pub fn for_everything(&self) -> Self {
        CommonArgs {
            no_baseline: true,
            baseline: None,
            min_confidence: Some(Confidence::Low),
            ..self.clone()
        }
    }
}
