//! The library's front door: rules and options in, findings out.
//!
//! ```
//! use stanch::{Scanner, Source};
//!
//! // (The sample is put together here, so that nobody takes this page for a leak.)
//! let text = format!("user = 'ada'\npassword = '{}{}'\n", "Vx9kq2!m", "Tr7wLp");
//!
//! let scanner = Scanner::default();
//! let scan = scanner.scan(Source::Text { path: "settings.py", bytes: text.as_bytes() })?;
//!
//! let finding = &scan.findings[0];
//! assert_eq!(finding.rule, "generic-password");
//! assert_eq!((finding.location.start.line, finding.location.start.column), (2, 13));
//! assert_eq!(finding.secret.to_string(), "…"); // no secret is shown unless it is asked for
//! assert!(!scan.is_clean());
//! # Ok::<(), stanch::ScanError>(())
//! ```
//!
//! A value that is a reference is none:
//!
//! ```
//! # use stanch::{Scanner, Source};
//! let text = b"password = os.environ['DB_PASSWORD']\n";
//! let scan = Scanner::default().scan(Source::Text { path: "settings.py", bytes: text })?;
//! assert!(scan.is_clean());
//! # Ok::<(), stanch::ScanError>(())
//! ```

use std::io::Read;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use jiff::civil::Date;

use crate::config::{self, Config, ConfigError, Dialect, LoadOptions, Located, NoFiles, Tree, TreeSource};
use crate::finding::{Confidence, Finding, Location, Skipped, Status};
use crate::matcher::checksum;
use crate::rules::compile::{Strictness, compile};
use crate::rules::spec::RuleSpec;
use crate::rules::{Rule, RuleSet, builtin};
use crate::scan::{self, Engine, HistoryOptions, Options, Outcome, Progress, RangeOptions, Session};
use crate::source::git::{self, GitEnv, Repo};
use crate::source::worktree;
use crate::suppress::Policy;
use crate::suppress::fingerprint::Fingerprinter;

/// What to scan.
#[derive(Debug)]
#[non_exhaustive]
pub enum Source<'a> {
    /// A file's content that is in memory: text in any encoding, or a container. The path need not
    /// exist; its name and extension help to tell what the content is. Empty: it is not known.
    Text {
        /// Path, `/`-separated.
        path: &'a str,
        /// The content.
        bytes: &'a [u8],
    },
    /// Files, and folders with everything below them that `.gitignore` does not exclude.
    Files(Vec<PathBuf>),
    /// What `git commit` would record: the lines that the index adds to `HEAD`. Holds a path in the
    /// repository.
    Staged(PathBuf),
    /// Everything that a repository holds, whether something reaches it or not.
    History(PathBuf),
    /// What the commits of a range add.
    Range {
        /// A path in the repository.
        repo: PathBuf,
        /// As `git rev-list` takes them: `A..B`, `B ^A`, `HEAD --not --remotes`.
        revisions: &'a str,
    },
}

/// What keeps a scan from being made. What keeps single files from being read does not: they are
/// listed in [`Scan::skipped`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScanError {
    /// The repository cannot be opened, or its commits cannot be listed.
    #[error(transparent)]
    Git(#[from] git::Error),
    /// An allowlist of the configuration cannot be used.
    #[error("the configuration cannot be used: {}", messages(.0))]
    Config(Vec<ConfigError>),
}

/// The configuration is wrong: every mistake, in order of lines.
#[derive(Debug, thiserror::Error)]
#[error("{}", messages(.0))]
pub struct ConfigErrors(pub Vec<ConfigError>);

fn messages(errors: &[ConfigError]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// What came of a scan.
#[derive(Debug, Default)]
pub struct Scan {
    /// Findings by place: new ones, and suppressed ones with the reason in their status.
    pub findings: Vec<Finding>,
    /// What was asked for and not read, or not whole, with the reason.
    pub skipped: Vec<Skipped>,
    /// Number of files, or of blobs of a history.
    pub files: u64,
    /// Number of bytes of their content.
    pub bytes: u64,
}

impl Scan {
    /// Findings that count: those that nothing suppresses.
    pub fn new_findings(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.status == Status::New)
    }

    /// Whether everything that was asked for was read.
    pub fn is_complete(&self) -> bool {
        !self.skipped.iter().any(|skipped| skipped.incomplete)
    }

    /// Whether everything was read *and* nothing new was found. An incomplete scan is never clean.
    pub fn is_clean(&self) -> bool {
        self.is_complete() && self.new_findings().next().is_none()
    }
}

/// Scans sources with a set of rules. It can be shared by threads and used for any number of scans.
///
/// It obeys what it is given here and nothing else: no configuration or baseline of the folders that it
/// scans is read. Markers in the text (`stanch:allow`) count.
#[derive(Debug)]
pub struct Scanner {
    engine: Engine,
    fingerprinter: Fingerprinter,
    /// Seconds since 1970 UTC.
    now: Option<i64>,
}

impl Default for Scanner {
    /// The built-in rules, findings of medium confidence or more.
    fn default() -> Self {
        Scanner::new(RuleSet::builtin())
    }
}

impl Scanner {
    /// Scans with these rules.
    ///
    /// ```
    /// use stanch::{RuleSet, Scanner, Source};
    ///
    /// // Of the built-in rules, those for GitHub.
    /// let rules = RuleSet::new(true, Vec::new(), |rule| rule.id.starts_with("github-"));
    /// let scanner = Scanner::new(rules.expect("no rules of our own that could be wrong"));
    ///
    /// let token = format!("{}{}", "gh", "p_0123456789abcdefghijABCDEFGHIJ012345");
    /// let line = format!("token = {token}; password = '{}{}'", "Vx9kq2!m", "Tr7wLp");
    /// let scan = scanner.scan(Source::Text { path: "", bytes: line.as_bytes() })?;
    /// assert!(scan.findings.iter().all(|finding| finding.rule == "github-pat"));
    /// # Ok::<(), stanch::ScanError>(())
    /// ```
    pub fn new(rules: RuleSet) -> Self {
        let policy = Policy::of_nothing();
        Scanner {
            engine: Engine::new(rules, policy, Options::default()),
            fingerprinter: Fingerprinter::new(None, None),
            now: None,
        }
    }

    /// Scans with the rules and by the policy of a configuration, in the form of `.stanch.toml`.
    ///
    /// Its settings for files (`max_file_size`, `baseline`) do not apply; it cannot extend files.
    ///
    /// ```
    /// use stanch::{Scanner, Source};
    ///
    /// let scanner = Scanner::from_config(r#"
    /// [[rules]]
    /// id = "corp-token"
    /// description = "Token of the internal gateway"
    /// regex = 'corp_[a-z0-9]{12}'
    /// category = "token"
    ///
    /// [[allowlists]]
    /// paths = ['^docs/']
    /// "#)?;
    /// let line = ["corp_", "k3jd92md8s1q"].concat();
    /// let found = |path| scanner.scan(Source::Text { path, bytes: line.as_bytes() });
    /// assert_eq!(found("src/main.c")?.findings[0].rule, "corp-token");
    /// assert!(found("docs/api.md")?.is_clean());
    ///
    /// let wrong = Scanner::from_config("[scan]\nmin_confidense = 'high'\n").unwrap_err();
    /// assert!(wrong.to_string().contains("min_confidense"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Every mistake in it.
    pub fn from_config(text: &str) -> Result<Self, ConfigErrors> {
        let options = LoadOptions { files: &NoFiles, builtin_ids: &builtin_ids };
        let config = config::load_text(&options, "configuration", text.to_owned(), Dialect::Stanch);
        let config = config.map_err(ConfigErrors)?;
        let rules = rule_set(&config).map_err(ConfigErrors)?;
        let least = config.settings.min_confidence;
        let source = TreeSource { files: Box::new(NoFiles), builtin_ids, ..TreeSource::default() };
        let tree = Tree::new(config, source).map_err(|error| ConfigErrors(vec![error]))?;
        let policy = Policy::new(tree, NO_DAY).map_err(ConfigErrors)?;
        let scanner = Scanner {
            engine: Engine::new(rules, policy, Options::default()),
            ..Scanner::new(RuleSet::builtin())
        };
        Ok(match least {
            Some(least) => scanner.min_confidence(least),
            None => scanner,
        })
    }

    /// Reports findings of at least this confidence. Without it, medium.
    pub fn min_confidence(self, least: Confidence) -> Self {
        self.with_options(|options| options.min_confidence = least)
    }

    /// Uses this many threads for files and histories; 0, which is the default, is one a core.
    pub fn threads(self, threads: usize) -> Self {
        self.with_options(|options| options.threads = threads)
    }

    /// Does not look into encoded text, or into archives and other containers, which it does by default.
    pub fn shallow(self) -> Self {
        self.with_options(|options| (options.decode, options.archives) = (false, false))
    }

    /// Counts the ages of secrets in a history up to this time, in seconds since 1970-01-01 UTC. The
    /// library reads no clock: without it, ages are unknown.
    pub fn now(mut self, seconds: i64) -> Self {
        self.now = Some(seconds);
        self
    }

    fn with_options(mut self, change: impl FnOnce(&mut Options)) -> Self {
        self.engine.change_options(change);
        self
    }

    /// Scans a source.
    ///
    /// ```no_run
    /// use stanch::{Scanner, Source};
    ///
    /// let scan = Scanner::default().scan(Source::Staged(".".into()))?;
    /// for finding in scan.new_findings() {
    ///     println!("{} at {:?}", finding.description, finding.location);
    /// }
    /// // Before "clean", ask whether everything was read.
    /// for skipped in &scan.skipped {
    ///     println!("not read: {}: {}", skipped.what, skipped.reason);
    /// }
    /// # Ok::<(), stanch::ScanError>(())
    /// ```
    ///
    /// # Errors
    /// There is no repository, or its commits cannot be listed.
    pub fn scan(&self, source: Source<'_>) -> Result<Scan, ScanError> {
        let (stop, progress) = (AtomicBool::new(false), Progress::default());
        let outcome = match source {
            Source::Text { path, bytes } => self.text(path, bytes),
            Source::Files(roots) => {
                let threads = self.engine.options().threads;
                let options = worktree::Options { roots, threads, ..worktree::Options::default() };
                scan::scan_worktree(&self.engine, &options, &stop)
            }
            Source::Staged(path) => scan::scan_staged(&self.engine, &repository(path)?)?,
            Source::History(path) => {
                let options =
                    HistoryOptions { now: self.now.unwrap_or_default(), ..HistoryOptions::default() };
                scan::scan_history(&self.engine, &repository(path)?, options, &stop, &progress)?.0
            }
            Source::Range { repo, revisions } => {
                let options = RangeOptions {
                    revisions: revisions.to_owned(),
                    now: self.now.unwrap_or_default(),
                    ..RangeOptions::default()
                };
                scan::scan_range(&self.engine, &repository(repo)?, &options, &stop, &progress)?.0
            }
        };
        self.finish(outcome)
    }

    /// Scans a stream to its end, piece by piece, as `stanch scan -` does. A read error is listed as skipped.
    ///
    /// # Errors
    /// None of the stream's own.
    pub fn scan_reader(&self, input: &mut dyn Read) -> Result<Scan, ScanError> {
        self.finish(scan::scan_stdin(&self.engine, input))
    }

    fn text(&self, path: &str, bytes: &[u8]) -> Outcome {
        let mut session = Session::new(&self.engine);
        let location = Location {
            path: Some(path).filter(|path| !path.is_empty()).map(Into::into),
            ..Location::default()
        };
        session.outcome.files = 1;
        session.outcome.bytes = bytes.len() as u64;
        if !session.passes_over(path.as_bytes()) {
            session.guarded(path.as_bytes(), |session| session.examine_content(bytes, None, &location));
        }
        let mut outcome = session.outcome;
        outcome.sort();
        outcome
    }

    fn finish(&self, mut outcome: Outcome) -> Result<Scan, ScanError> {
        let rules = self.engine.matcher().rules();
        let aliases = |id: &str| rules.find(id).map(|at| rules.rule(at).aliases.to_vec()).unwrap_or_default();
        for finding in &mut outcome.findings {
            finding.fingerprint = self.fingerprinter.of(finding.secret.expose());
            if let Some(life) = finding.life.as_mut().filter(|_| self.now.is_none()) {
                life.age_days = None;
            }
        }
        let policy = self.engine.policy();
        policy
            .apply(&mut outcome.findings, |id| aliases(id).iter().map(ToString::to_string).collect())
            .map_err(|error| ScanError::Config(vec![error]))?;
        let errors = policy.take_errors();
        if !errors.is_empty() {
            return Err(ScanError::Config(errors));
        }
        let Outcome { findings, skipped, files, bytes } = outcome;
        Ok(Scan { findings, skipped, files, bytes })
    }
}

/// Baselines have days on which entries end; there is none here.
const NO_DAY: Date = Date::constant(1970, 1, 1);

fn repository(path: PathBuf) -> git::Result<Repo> {
    Repo::discover(&path, &GitEnv::default())
}

/// Ids and aliases of the built-in rules.
pub(crate) fn builtin_ids() -> Vec<String> {
    let names = |rule: &Rule| -> Vec<String> {
        std::iter::once(&rule.id).chain(rule.aliases.iter()).map(ToString::to_string).collect()
    };
    builtin().iter().flat_map(names).collect()
}

/// The configuration's own rules, compiled, each with the place it comes from.
///
/// # Errors
/// Those that cannot be used.
pub(crate) fn own_rules(config: &Config) -> Result<Vec<(Rule, Located<RuleSpec>)>, Vec<ConfigError>> {
    let known_checksum = |name: &str| checksum::names().any(|known| known == name);
    let mut rules = Vec::new();
    let mut errors = Vec::new();
    for spec in config::merge_rules(config, builtin()) {
        match compile(&spec.value, &Default::default(), Strictness::User, &known_checksum) {
            Ok(rule) => rules.push((rule, spec)),
            Err(error) => {
                errors.push(ConfigError { help: error.help, ..spec.error(error.field, error.reason) })
            }
        }
    }
    if errors.is_empty() { Ok(rules) } else { Err(errors) }
}

/// The rules in force by a configuration.
fn rule_set(config: &Config) -> Result<RuleSet, Vec<ConfigError>> {
    let (rules, specs): (Vec<Rule>, Vec<Located<RuleSpec>>) = own_rules(config)?.into_iter().unzip();
    let own: Vec<String> = rules.iter().map(|rule| rule.id.to_string()).collect();
    let keep = |rule: &Rule| own.iter().any(|id| rule.id == *id) || !config.disables(rule);
    RuleSet::new(config.use_default, rules, keep).map_err(|(id, reason)| {
        let spec = specs.iter().find(|spec| spec.value.id == id);
        vec![spec.map_or_else(
            || ConfigError::whole_file("configuration".as_ref(), format!("rule `{id}`: {reason}")),
            |spec| spec.error("regex", reason.clone()),
        )]
    })
}

#[cfg(test)]
mod tests;
