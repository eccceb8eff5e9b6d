//! The repository's configuration and the nested ones below it: what holds for a path.
//!
//! Nested configurations are read when a find asks for them, or a scan comes across them: no folder is looked at
//! for its own sake. One that is wrong is remembered as an error and changes nothing.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use bstr::ByteSlice;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::discover::{Disk, Files, NoFiles};
use super::load::{LoadOptions, load};
use super::{Config, ConfigError, Dialect, RuleOverride, STANCH_FILE_NAME, Settings};
use crate::finding::{Confidence, Severity};

/// A repository's configurations.
pub struct Tree {
    /// The repository's own: decides rules, file sizes and the baseline.
    base: Nested,
    source: TreeSource,
    /// What is known of folders, by their path with a trailing `/`.
    folders: RwLock<HashMap<Vec<u8>, Option<Arc<Nested>>>>,
    errors: Mutex<Vec<ConfigError>>,
}

/// Where nested configurations come from.
pub struct TreeSource {
    /// The files.
    pub files: Box<dyn Files + Send + Sync>,
    /// The folder that paths are relative to.
    pub root: PathBuf,
    /// See [`LoadOptions::builtin_ids`].
    pub builtin_ids: fn() -> Vec<String>,
}

impl Default for TreeSource {
    fn default() -> Self {
        TreeSource { files: Box::new(Disk), root: PathBuf::new(), builtin_ids: Vec::new }
    }
}

/// A configuration and the folder it is for.
#[derive(Debug)]
pub struct Nested {
    /// Folder relative to the root, with a trailing `/`; empty for the repository's own.
    pub folder: Vec<u8>,
    /// What it says.
    pub config: Config,
    exclude: Gitignore,
}

/// What the configurations say of a path and a rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Effective {
    /// Least confidence of what is reported.
    pub min_confidence: Option<Confidence>,
    /// False when the rule's finds are not reported there.
    pub enabled: bool,
    /// Severity of the rule's findings there, if it is changed.
    pub severity: Option<Severity>,
    /// Confidence of the rule's findings there, if it is changed.
    pub confidence: Option<Confidence>,
}

impl std::fmt::Debug for Tree {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tree")
            .field("base", &self.base)
            .field("root", &self.source.root)
            .finish_non_exhaustive()
    }
}

impl Nested {
    fn new(folder: Vec<u8>, config: Config) -> Result<Self, ConfigError> {
        let exclude = excludes(&config)?;
        Ok(Nested { folder, config, exclude })
    }

    /// Whether the configuration excludes a path (relative to the root); None when it does not say.
    fn excludes(&self, path: &[u8]) -> Option<bool> {
        let path = path.get(self.folder.len()..)?;
        if self.exclude.is_empty() || path.is_empty() {
            return None;
        }
        // A folder is written with a `/` at its end.
        let folder = path.strip_suffix(b"/");
        let path = folder.unwrap_or(path).to_path_lossy();
        if path.has_root() {
            return None;
        }
        let found = self.exclude.matched_path_or_any_parents(&path, folder.is_some());
        match (found.is_ignore(), found.is_whitelist()) {
            (true, _) => Some(true),
            (_, true) => Some(false),
            _ => None,
        }
    }
}

impl Tree {
    /// A tree of the repository's own configuration; nested ones are looked for in `source`.
    ///
    /// # Errors
    /// A pattern of `exclude` that cannot be read.
    pub fn new(base: Config, source: TreeSource) -> Result<Self, ConfigError> {
        let base = Nested::new(Vec::new(), base)?;
        Ok(Tree { base, source, folders: RwLock::default(), errors: Mutex::default() })
    }

    /// A tree without any configuration: nothing is looked for.
    pub fn empty() -> Self {
        let base = Nested { folder: Vec::new(), config: Config::default(), exclude: Gitignore::empty() };
        let source = TreeSource { files: Box::new(NoFiles), ..TreeSource::default() };
        Tree { base, source, folders: RwLock::default(), errors: Mutex::default() }
    }

    /// The repository's own configuration.
    pub fn base(&self) -> &Config {
        &self.base.config
    }

    /// Errors of nested configurations that were met so far. Whoever reports findings must report them.
    pub fn take_errors(&self) -> Vec<ConfigError> {
        std::mem::take(&mut self.errors.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The nested configurations that hold for a path, outermost first.
    pub fn nested_for(&self, path: &[u8]) -> Vec<Arc<Nested>> {
        if path.starts_with(b"/") || path.split(|&b| b == b'/').any(|part| part == b"..") {
            return Vec::new();
        }
        let folders = memchr::memchr_iter(b'/', path).map(|end| &path[..=end]);
        folders.filter_map(|folder| self.folder(folder)).collect()
    }

    fn folder(&self, folder: &[u8]) -> Option<Arc<Nested>> {
        if let Some(known) = self.folders.read().unwrap_or_else(PoisonError::into_inner).get(folder) {
            return known.clone();
        }
        let found = self.load(folder).unwrap_or_else(|errors| {
            self.errors.lock().unwrap_or_else(PoisonError::into_inner).extend(errors);
            None
        });
        let mut folders = self.folders.write().unwrap_or_else(PoisonError::into_inner);
        folders.entry(folder.to_vec()).or_insert(found.map(Arc::new)).clone()
    }

    fn load(&self, folder: &[u8]) -> Result<Option<Nested>, Vec<ConfigError>> {
        let path = self.source.root.join(folder.to_path_lossy()).join(STANCH_FILE_NAME);
        // The base may be a nested one, when a flag names it.
        if self.base.config.files.first() == Some(&path) || !self.source.files.exists(&path) {
            return Ok(None);
        }
        let options = LoadOptions { files: &*self.source.files, builtin_ids: &self.source.builtin_ids };
        let config = load(&options, &path, Dialect::Stanch)?;
        check_nested(&config)?;
        Nested::new(folder.to_vec(), config).map(Some).map_err(|error| vec![error])
    }

    /// Whether the repository's own configuration excludes a path from scans.
    pub fn excluded(&self, path: &[u8]) -> bool {
        self.base.excludes(path) == Some(true)
    }

    /// The nested configuration, if any, by which a path is excluded. The nearest one that speaks of
    /// a path decides.
    pub fn excluded_by(&self, path: &[u8]) -> Option<Arc<Nested>> {
        let nearest = self
            .nested_for(path)
            .into_iter()
            .filter_map(|nested| Some((nested.excludes(path)?, nested)))
            .last();
        nearest.and_then(|(excluded, nested)| excluded.then_some(nested))
    }

    /// What holds for the finds of a rule (known by its id and aliases) at a path.
    pub fn effective(&self, path: &[u8], ids: &[&str]) -> Effective {
        let mut effective = Effective { enabled: true, ..Effective::default() };
        apply(&mut effective, &self.base.config, ids);
        for nested in self.nested_for(path) {
            apply(&mut effective, &nested.config, ids);
            // What a nested configuration disables is disabled in its folder.
            if nested.config.disabled_rules.iter().any(|id| ids.contains(&id.value.as_str())) {
                effective.enabled = false;
            }
        }
        effective
    }
}

fn apply(effective: &mut Effective, config: &Config, ids: &[&str]) {
    effective.min_confidence = config.settings.min_confidence.or(effective.min_confidence);
    let named = |change: &&RuleOverride| ids.contains(&change.id.as_str());
    for change in config.overrides.iter().map(|change| &change.value).filter(named) {
        effective.enabled = change.enabled.unwrap_or(effective.enabled);
        effective.severity = change.severity.or(effective.severity);
        effective.confidence = change.confidence.or(effective.confidence);
    }
}

fn excludes(config: &Config) -> Result<Gitignore, ConfigError> {
    if config.settings.exclude.is_empty() {
        return Ok(Gitignore::empty());
    }
    let mut builder = GitignoreBuilder::new("");
    for pattern in &config.settings.exclude {
        if let Err(error) = builder.add_line(None, &pattern.value) {
            return Err(pattern.place.error(format!("not a pattern: {error}")));
        }
    }
    let build = |error: ignore::Error| match config.settings.exclude.first() {
        Some(first) => first.place.error(format!("the patterns cannot be used: {error}")),
        None => ConfigError::whole_file(Path::new(STANCH_FILE_NAME), error.to_string()),
    };
    builder.build().map_err(build)
}

/// A nested configuration refines; what holds for the whole repository is not its business.
fn check_nested(config: &Config) -> Result<(), Vec<ConfigError>> {
    let help = "move it to the .stanch.toml in the repository's top folder";
    let mut errors = Vec::new();
    for rule in &config.rules {
        let message = "rules hold for the whole repository and cannot be defined in a nested configuration";
        errors.push(rule.place.error(message).with_help(help));
    }
    let Settings { baseline, max_file_size, max_age_days, .. } = &config.settings;
    if let Some(baseline) = baseline {
        errors.push(baseline.place.error("there is one baseline for the whole repository").with_help(help));
    }
    if max_file_size.is_some() || max_age_days.is_some() {
        let path = config.files.first().map_or_else(PathBuf::new, Clone::clone);
        let message = "`max_file_size` and `max_age` hold for the whole repository";
        errors.push(ConfigError::whole_file(&path, message).with_help(help));
    }
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}
