//! The repository's configuration and the nested ones below it: what holds for a path.

use std::path::{Path, PathBuf};

use bstr::ByteSlice;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::load::{LoadOptions, load};
use super::{Config, ConfigError, Dialect, RuleOverride, Settings};
use crate::finding::{Confidence, Severity};

/// A repository's configurations.
#[derive(Debug)]
pub struct Tree {
    /// The repository's own: decides rules, file sizes and the baseline.
    base: Config,
    base_exclude: Gitignore,
    /// Those of folders below, outermost first.
    nested: Vec<Nested>,
}

#[derive(Debug)]
struct Nested {
    /// Folder relative to the root, with a trailing `/`.
    folder: Vec<u8>,
    config: Config,
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

impl Tree {
    /// A tree of one configuration.
    ///
    /// # Errors
    /// A pattern of `exclude` that cannot be read.
    pub fn new(base: Config) -> Result<Self, Vec<ConfigError>> {
        let base_exclude = excludes(&base).map_err(|error| vec![error])?;
        Ok(Tree {
            base,
            base_exclude,
            nested: Vec::new(),
        })
    }

    /// Adds the configuration of a folder below the root.
    ///
    /// # Errors
    /// What is wrong in it: it may not define rules, nor what holds for the whole repository.
    pub fn add_nested(
        &mut self,
        options: &LoadOptions<'_>,
        root: &Path,
        folder: &Path,
    ) -> Result<(), Vec<ConfigError>> {
        let path = root.join(folder).join(super::STANCH_FILE_NAME);
        let config = load(options, &path, Dialect::Stanch)?;
        check_nested(&config)?;
        let exclude = excludes(&config).map_err(|error| vec![error])?;
        let mut folder = folder_bytes(folder);
        folder.push(b'/');
        self.nested.push(Nested {
            folder,
            config,
            exclude,
        });
        self.nested.sort_by_key(|nested| nested.folder.len());
        Ok(())
    }

    /// The repository's own configuration.
    pub fn base(&self) -> &Config {
        &self.base
    }

    /// Every configuration with its folder (relative, without a trailing `/`; empty for the base),
    /// outermost first.
    pub fn configs(&self) -> impl Iterator<Item = (&[u8], &Config)> {
        let nested = self
            .nested
            .iter()
            .map(|nested| (&nested.folder[..nested.folder.len() - 1], &nested.config));
        std::iter::once((&b""[..], &self.base)).chain(nested)
    }

    /// The configurations that hold for a path, outermost first.
    pub fn configs_for<'a>(&'a self, path: &'a [u8]) -> impl Iterator<Item = &'a Config> {
        let nested = self.nested_for(path).map(|nested| &nested.config);
        std::iter::once(&self.base).chain(nested)
    }

    fn nested_for<'a>(&'a self, path: &'a [u8]) -> impl Iterator<Item = &'a Nested> {
        self.nested
            .iter()
            .filter(move |nested| path.starts_with(&nested.folder))
    }

    /// Whether a path (relative to the root) is excluded from scans; the nearest configuration
    /// that speaks of it decides.
    pub fn excluded(&self, path: &[u8]) -> bool {
        let below = |nested: &Nested| verdict(&nested.exclude, &path[nested.folder.len()..]);
        let nearest = self.nested_for(path).filter_map(below).last();
        nearest
            .or_else(|| verdict(&self.base_exclude, path))
            .unwrap_or(false)
    }

    /// What holds for the finds of a rule (known by its id and aliases) at a path.
    pub fn effective(&self, path: &[u8], ids: &[&str]) -> Effective {
        let mut effective = Effective {
            enabled: true,
            ..Effective::default()
        };
        for config in self.configs_for(path) {
            effective.min_confidence = config.settings.min_confidence.or(effective.min_confidence);
            let named = |change: &&RuleOverride| ids.contains(&change.id.as_str());
            for change in config
                .overrides
                .iter()
                .map(|change| &change.value)
                .filter(named)
            {
                effective.enabled = change.enabled.unwrap_or(effective.enabled);
                effective.severity = change.severity.or(effective.severity);
                effective.confidence = change.confidence.or(effective.confidence);
            }
            // What a nested configuration disables is disabled in its folder.
            if !std::ptr::eq(config, &self.base)
                && config
                    .disabled_rules
                    .iter()
                    .any(|id| ids.contains(&id.value.as_str()))
            {
                effective.enabled = false;
            }
        }
        effective
    }
}

fn verdict(patterns: &Gitignore, path: &[u8]) -> Option<bool> {
    if patterns.is_empty() {
        return None;
    }
    let path = path.to_path_lossy();
    if path.has_root() {
        return None;
    }
    let found = patterns.matched_path_or_any_parents(&path, false);
    if found.is_ignore() {
        Some(true)
    } else if found.is_whitelist() {
        Some(false)
    } else {
        None
    }
}

fn excludes(config: &Config) -> Result<Gitignore, ConfigError> {
    let mut builder = GitignoreBuilder::new("");
    for pattern in &config.settings.exclude {
        if let Err(error) = builder.add_line(None, &pattern.value) {
            return Err(pattern.place.error(format!("not a pattern: {error}")));
        }
    }
    let build = |error: ignore::Error| match config.settings.exclude.first() {
        Some(first) => first
            .place
            .error(format!("the patterns cannot be used: {error}")),
        None => ConfigError::whole_file(Path::new(super::STANCH_FILE_NAME), error.to_string()),
    };
    builder.build().map_err(build)
}

/// A nested configuration refines; what holds for the whole repository is not its business.
fn check_nested(config: &Config) -> Result<(), Vec<ConfigError>> {
    let help = "move it to the .stanch.toml in the repository's top folder";
    let mut errors = Vec::new();
    for rule in &config.rules {
        let message =
            "rules hold for the whole repository and cannot be defined in a nested configuration";
        errors.push(rule.place.error(message).with_help(help));
    }
    let Settings {
        baseline,
        max_file_size,
        max_age_days,
        ..
    } = &config.settings;
    if let Some(baseline) = baseline {
        errors.push(
            baseline
                .place
                .error("there is one baseline for the whole repository")
                .with_help(help),
        );
    }
    if max_file_size.is_some() || max_age_days.is_some() {
        let path = config.files.first().map_or_else(PathBuf::new, Clone::clone);
        let message = "`max_file_size` and `max_age` hold for the whole repository";
        errors.push(ConfigError::whole_file(&path, message).with_help(help));
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(errors)
    }
}

fn folder_bytes(folder: &Path) -> Vec<u8> {
    let bytes = <[u8]>::from_path(folder).map_or_else(
        || folder.to_string_lossy().into_owned().into_bytes(),
        <[u8]>::to_vec,
    );
    if cfg!(windows) {
        bytes.replace("\\", "/")
    } else {
        bytes
    }
}
