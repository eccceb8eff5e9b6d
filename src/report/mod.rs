//! Reports: findings → bytes. One file per format; nothing here reads files, the environment or the clock.
//!
//! ```
//! use stanch::report::{Format, Options, Report, write};
//!
//! let format = Format::from_name("jsonl").expect("a known format");
//! let mut out = Vec::new();
//! write(&Report::default(), format, &Options::default(), &mut out)?;
//! assert!(out.starts_with(br#"{"summary":"#));
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! A new format is one file, one row of the table of [`Format`]s, its snapshots. It reads findings through the
//! [`view`], which redacts them, and escapes every text for its own syntax.

use std::io::{self, Write as _};

use crate::finding::{Finding, Skipped};

mod azure;
mod codequality;
mod csv;
pub mod escape;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod github;
mod gitlab;
mod gitleaks;
mod html;
mod identity;
mod json;
mod junit;
mod markdown;
mod numbers;
pub mod redact;
mod sarif;
mod text;
mod view;
mod wording;

pub use json::SCHEMA;

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
    /// A few lines only (`--brief`; text only).
    pub brief: bool,
}

/// Everything that depends on the format stands in one table.
macro_rules! formats {
    ($($(#[$doc:meta])* $format:ident, $name:literal, $write:path;)+) => {
        /// The formats of reports.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Format {
            $($(#[$doc])* $format,)+
        }

        impl Format {
            /// Every format, in the order of the help text.
            pub const ALL: &'static [Format] = &[$(Format::$format),+];

            /// The name on the command line.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Format::$format => $name,)+
                }
            }
        }

        fn write_format(view: &view::View<'_>, format: Format, out: &mut dyn io::Write) -> io::Result<()> {
            match format {
                $(Format::$format => $write(view, out),)+
            }
        }
    };
}

// What it is for; its name in the library; its name on the command line; what writes it.
formats! {
    /// For people, in a terminal.
    Text, "text", text::write;
    /// Everything, as one JSON object; its schema is [`SCHEMA`].
    Json, "json", json::write;
    /// Everything, as one JSON object a line.
    Jsonl, "jsonl", json::write_lines;
    /// SARIF 2.1.0, for code scanning.
    Sarif, "sarif", sarif::write;
    /// GitLab's secret detection report.
    Gitlab, "gitlab", gitlab::write;
    /// GitLab's Code Quality report, a part of the Code Climate format.
    Codequality, "codequality", codequality::write;
    /// Annotations of GitHub Actions.
    Github, "github", github::write;
    /// Logging commands of Azure Pipelines.
    Azure, "azure", azure::write;
    /// JUnit's XML.
    Junit, "junit", junit::write;
    /// A table for spreadsheets.
    Csv, "csv", csv::write;
    /// A summary in Markdown.
    Markdown, "markdown", markdown::write;
    /// A page that holds everything, for an audit.
    Html, "html", html::write;
    /// The shape of gitleaks' JSON.
    Gitleaks, "gitleaks", gitleaks::write;
}

impl Format {
    /// The format with this [`name`](Self::name), if there is one. `codeclimate` is another name of
    /// `codequality`.
    pub fn from_name(name: &str) -> Option<Format> {
        if name == "codeclimate" {
            return Some(Format::Codequality);
        }
        Format::ALL.iter().copied().find(|format| format.name() == name)
    }
}

/// Writes a report.
///
/// The output is a stream: findings are turned into text one by one, and written in pieces of 64 KiB.
///
/// # Errors
/// Those of `out`, and no others.
pub fn write(report: &Report, format: Format, options: &Options, out: &mut dyn io::Write) -> io::Result<()> {
    let redactor = view::redactor(report, options);
    let report = view::without_values(report, &redactor);
    let view = view::View::new(&report, *options, redactor);
    let mut out = io::BufWriter::with_capacity(1 << 16, out);
    write_format(&view, format, &mut out)?;
    out.flush()
}
