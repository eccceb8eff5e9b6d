//! Reports: findings → bytes. One file per format; nothing here reads files, the environment or the clock.

use crate::finding::{Finding, Skipped};

/// Everything a report shows. Times and places are passed in.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Findings in report order: new ones and suppressed ones.
    pub findings: Vec<Finding>,
    /// What was not read, or not whole.
    pub skipped: Vec<Skipped>,
    /// What was scanned.
    pub summary: Summary,
}

/// Counts and facts of a run.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// `scan`, `staged`, `stdin`, `history` or `range`.
    pub mode: &'static str,
    /// What was scanned, for people: the paths or the repository.
    pub scope: Vec<String>,
    /// Files (worktree) or blobs (history) scanned.
    pub files: u64,
    /// Bytes of content scanned.
    pub bytes: u64,
    /// Commits looked at (history only).
    pub commits: u64,
    /// HEAD commit id of the repository, if there is one.
    pub head: Option<String>,
    /// When the scan began, seconds since 1970-01-01 UTC.
    pub started: i64,
    /// How long it took, in milliseconds.
    pub elapsed_ms: u64,
    /// Number of rules in force.
    pub rules: u64,
    /// Short hash of the rule set in force.
    pub rules_hash: String,
    /// Whether something that was asked for could not be read: never reported as clean.
    pub incomplete: bool,
}

/// How to write a report.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Show whole secrets (`--show-secrets`).
    pub show_secrets: bool,
    /// Use colours and hyperlinks (text only).
    pub color: bool,
    /// Include author names and e-mail addresses in formats that leave them out by default.
    pub personal_data: bool,
    /// Show suppressed findings too.
    pub suppressed: bool,
    /// More details (`--verbose`).
    pub verbose: bool,
}
