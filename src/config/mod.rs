//! Configuration: discover, read, merge, and explain errors with line and column.
//!
//! `.stanch.toml` in the repository's top folder decides the rules; further ones in folders below it
//! refine what counts there (allowlists, overrides, exclusions). Without any, a `.gitleaks.toml` is
//! read in gitleaks' dialect. Nothing here reads the environment, and files are read through
//! [`Files`], so that a policy can come from a commit as well as from the disk.

mod discover;
mod error;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod go_regex;
mod load;
mod merge;
mod schema;
mod table;
mod tree;
mod write;

pub(crate) use discover::read_regular;
pub use discover::{Disk, Files, FoundFile, GITLEAKS_FILE_NAME, NoFiles, STANCH_FILE_NAME, Within, find};
pub use error::{ConfigError, Place, SourceText, decode, decode_text, did_you_mean, refuse_conflict};
pub use load::{LoadOptions, load, load_text};
pub use merge::{allowlist_spec, merge_rules, spec_of};
pub use table::Dialect;
pub use tree::{Effective, Nested, Tree, TreeSource};
pub use write::write;

use crate::finding::{Confidence, Severity};
use crate::rules::spec::{AllowlistSpec, RuleSpec};

/// Something from a file, with the places of its fields.
#[derive(Clone, Debug)]
pub struct Located<T> {
    /// The thing.
    pub value: T,
    /// Where it stands.
    pub place: Place,
    /// Where its fields stand: `regex`, `allowlists[0].paths[2]`.
    pub fields: Vec<(String, Place)>,
}

impl<T> Located<T> {
    fn new(value: T, place: Place) -> Self {
        Located { value, place, fields: Vec::new() }
    }

    fn note(&mut self, field: &str, place: Place) {
        self.fields.push((field.to_owned(), place));
    }

    /// The place of a field, or the nearest that is known: `paths[2]`, then `paths`, then the whole.
    pub fn place_of(&self, field: &str) -> &Place {
        let mut field = field;
        loop {
            if let Some((_, place)) = self.fields.iter().find(|(name, _)| name == field) {
                return place;
            }
            match field.rfind(['[', '.']) {
                Some(end) => field = &field[..end],
                None => return &self.place,
            }
        }
    }

    /// An error about one of its fields.
    pub fn error(&self, field: &str, message: impl Into<String>) -> ConfigError {
        self.place_of(field).error(message)
    }
}

/// What a configuration changes about one rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleOverride {
    /// Id of the rule.
    pub id: String,
    /// False: the rule's finds are not reported.
    pub enabled: Option<bool>,
    /// Severity of its findings.
    pub severity: Option<Severity>,
    /// Confidence of its findings.
    pub confidence: Option<Confidence>,
}

/// Settings of the table `[scan]`; what is not given is None or empty.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Least confidence of what is reported.
    pub min_confidence: Option<Confidence>,
    /// Size in bytes above which a file is skipped, and reported as skipped.
    pub max_file_size: Option<u64>,
    /// `.gitignore` patterns of what is not scanned.
    pub exclude: Vec<Located<String>>,
    /// The baseline's path, relative to the configuration's folder.
    pub baseline: Option<Located<String>>,
    /// Days after which a real secret must be rotated.
    pub max_age_days: Option<u32>,
}

/// A configuration: one file and what it extends.
#[derive(Clone, Debug)]
pub struct Config {
    /// The dialect of the outermost file.
    pub dialect: Dialect,
    /// Whether the built-in rules are in force.
    pub use_default: bool,
    /// Built-in rules that are not (ids or aliases).
    pub disabled_rules: Vec<Located<String>>,
    /// Rules of the files. One with the id of a built-in rule that is not disabled changes that rule.
    pub rules: Vec<Located<RuleSpec>>,
    /// Allowlists for every rule, or for their target rules.
    pub allowlists: Vec<Located<AllowlistSpec>>,
    /// Changes to single rules; later ones win.
    pub overrides: Vec<Located<RuleOverride>>,
    /// Settings.
    pub settings: Settings,
    /// Every file that was read.
    pub files: Vec<std::path::PathBuf>,
    /// What was not understood and could be passed over (gitleaks' dialect only).
    pub warnings: Vec<ConfigError>,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            dialect: Dialect::Stanch,
            use_default: true,
            disabled_rules: Vec::new(),
            rules: Vec::new(),
            allowlists: Vec::new(),
            overrides: Vec::new(),
            settings: Settings::default(),
            files: Vec::new(),
            warnings: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests;
