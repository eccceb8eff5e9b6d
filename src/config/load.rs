//! Reading a configuration and what it extends.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::discover::Files;
use super::error::{ConfigError, Place, SourceText, decode, did_you_mean};
use super::merge::merge;
use super::schema::FileContent;
use super::table::{Dialect, MAX_PROBLEMS, Reader, shown};
use super::{Config, Located};
use crate::rules::spec::RuleSpec;

/// How far gitleaks follows `extend` from file to file; beyond, it stops without a word.
const GITLEAKS_DEPTH: usize = 2;
/// How far we do; beyond is an error.
const DEPTH: usize = 8;

/// What loading needs to know.
pub struct LoadOptions<'a> {
    /// Where files come from.
    pub files: &'a dyn Files,
    /// Ids and aliases of the built-in rules; asked only when a file names a rule.
    pub builtin_ids: &'a dyn Fn() -> Vec<String>,
}

/// Loads a file and what it extends.
///
/// # Errors
/// Everything that is wrong, in order of files and lines.
pub fn load(options: &LoadOptions<'_>, path: &Path, dialect: Dialect) -> Result<Config, Vec<ConfigError>> {
    let mut loader = Loader {
        options,
        chain: Vec::new(),
        files: Vec::new(),
        ids: BTreeSet::new(),
        errors: Vec::new(),
        warnings: Vec::new(),
    };
    let merged = loader.file(path, dialect, 0);
    loader.finish(merged, dialect)
}

/// Loads a configuration from text that is not in a file (`GITLEAKS_CONFIG_TOML`). `name` stands
/// for the path in messages; what it extends is relative to the working directory.
///
/// # Errors
/// See [`load`].
pub fn load_text(
    options: &LoadOptions<'_>,
    name: &str,
    text: String,
    dialect: Dialect,
) -> Result<Config, Vec<ConfigError>> {
    let mut loader = Loader {
        options,
        chain: Vec::new(),
        files: Vec::new(),
        ids: BTreeSet::new(),
        errors: Vec::new(),
        warnings: Vec::new(),
    };
    let merged = match decode(Path::new(name), text.into_bytes()) {
        Ok(source) => loader.content(source, dialect, 0),
        Err(error) => {
            loader.errors.push(error);
            None
        }
    };
    loader.finish(merged, dialect)
}

struct Loader<'a> {
    options: &'a LoadOptions<'a>,
    /// The files being read, outermost first: to see loops.
    chain: Vec<PathBuf>,
    files: Vec<PathBuf>,
    /// Ids of every rule that a file defines.
    ids: BTreeSet<String>,
    errors: Vec<ConfigError>,
    warnings: Vec<ConfigError>,
}

impl Loader<'_> {
    fn finish(mut self, merged: Option<Config>, dialect: Dialect) -> Result<Config, Vec<ConfigError>> {
        let Some(mut config) = merged else {
            return Err(self.errors);
        };
        self.check_names(&config);
        if dialect == Dialect::Gitleaks && config.rules.is_empty() && !config.use_default {
            // gitleaks would scan with no rule at all and call everything clean.
            config.use_default = true;
            if let Some(path) = self.files.first() {
                let warning =
                    "the file has no rules and does not extend the default ones: the built-in rules are used";
                self.warnings.push(ConfigError::whole_file(path, warning));
            }
        }
        if !self.errors.is_empty() {
            return Err(self.errors);
        }
        config.dialect = dialect;
        config.files = self.files;
        config.warnings = self.warnings;
        Ok(config)
    }

    fn file(&mut self, path: &Path, dialect: Dialect, depth: usize) -> Option<Config> {
        let source = match self.options.files.read(path) {
            Ok(bytes) => decode(path, bytes),
            Err(error) => {
                Err(ConfigError::whole_file(path, format!("cannot read the configuration: {error}")))
            }
        };
        match source {
            Ok(source) => {
                self.files.push(path.to_owned());
                self.chain.push(path.to_owned());
                let merged = self.content(source, dialect, depth);
                self.chain.pop();
                merged
            }
            Err(error) => {
                self.errors.push(error);
                None
            }
        }
    }

    fn content(
        &mut self,
        source: std::sync::Arc<SourceText>,
        dialect: Dialect,
        depth: usize,
    ) -> Option<Config> {
        let mut reader = Reader::new(source.clone(), dialect);
        let content = reader.file();
        let failed = !reader.errors.is_empty();
        self.errors.append(&mut reader.errors);
        self.warnings.append(&mut reader.warnings);
        self.check_twice(&content.rules);
        let bases = self.bases(&source, &content, dialect, depth);
        if failed {
            return None;
        }
        // Our own files build on the built-in rules unless they say otherwise; gitleaks' do not.
        let default = dialect == Dialect::Stanch && depth == 0;
        let use_default = content.extend.use_default.unwrap_or(default);
        let mut config = Config {
            use_default: use_default || bases.iter().any(|base| base.use_default),
            ..Config::default()
        };
        let disabled: BTreeSet<&str> = content.extend.disabled.iter().map(|id| id.value.as_str()).collect();
        let mut own = content.rules;
        for base in bases {
            let kept = base.rules.into_iter().filter(|rule| !disabled.contains(rule.value.id.as_str()));
            for rule in kept {
                match own.iter_mut().find(|over| over.value.id == rule.value.id) {
                    Some(over) => merge(&rule, over),
                    None => config.rules.push(rule),
                }
            }
            config.disabled_rules.extend(base.disabled_rules);
            config.allowlists.extend(base.allowlists);
            config.overrides.extend(base.overrides);
            inherit(&mut config.settings, base.settings);
        }
        config.rules.extend(own);
        config.disabled_rules.extend(content.extend.disabled);
        config.allowlists.extend(content.allowlists);
        config.overrides.extend(content.overrides);
        let mut settings = content.settings;
        inherit(&mut settings, config.settings);
        config.settings = settings;
        Some(config)
    }

    /// The configurations that a file extends.
    fn bases(
        &mut self,
        source: &SourceText,
        content: &FileContent,
        dialect: Dialect,
        depth: usize,
    ) -> Vec<Config> {
        let extend = &content.extend;
        let Some(first) = extend.paths.first() else {
            return Vec::new();
        };
        if dialect == Dialect::Gitleaks && extend.use_default == Some(true) {
            self.errors
                .push(first.place.error("`path` and `useDefault` exclude each other in gitleaks' dialect"));
            return Vec::new();
        }
        match dialect {
            Dialect::Gitleaks if depth >= GITLEAKS_DEPTH => {
                let warning =
                    first.place.error("not read: gitleaks follows `extend` through two files at most");
                self.warnings.push(warning);
                return Vec::new();
            }
            Dialect::Stanch if depth >= DEPTH => {
                self.errors.push(first.place.error(format!("`extend` goes through more than {DEPTH} files")));
                return Vec::new();
            }
            _ => {}
        }
        let folder = source.path.parent().unwrap_or(Path::new("")).to_owned();
        let mut bases = Vec::new();
        for path in &extend.paths {
            if let Some(found) = self.locate(&folder, path, dialect) {
                bases.extend(self.file(&found, dialect_of(&found, dialect), depth + 1));
            }
        }
        bases
    }

    /// Where an extended file is: relative to the file that names it; gitleaks' own reading,
    /// relative to the working directory, is tried second for its files.
    fn locate(&mut self, folder: &Path, path: &Located<String>, dialect: Dialect) -> Option<PathBuf> {
        let beside = normal(&folder.join(&path.value));
        let from_here = PathBuf::from(&path.value);
        let found = match self.options.files.exists(&beside) {
            true => beside,
            false if dialect == Dialect::Gitleaks && self.options.files.exists(&from_here) => from_here,
            false => {
                let message = format!("there is no file {}", beside.display());
                self.errors.push(path.place.error(message).with_help("`path` is relative to this file"));
                return None;
            }
        };
        if self.chain.contains(&found) {
            let loop_: Vec<String> = self.chain.iter().map(|path| path.display().to_string()).collect();
            let message = format!("`extend` runs in a loop: {} → {}", loop_.join(" → "), found.display());
            self.errors.push(path.place.error(message));
            return None;
        }
        Some(found)
    }

    fn check_twice(&mut self, rules: &[Located<RuleSpec>]) {
        let mut first: HashMap<&str, &Place> = HashMap::with_capacity(rules.len());
        for rule in rules.iter().filter(|rule| !rule.value.id.is_empty()) {
            self.ids.insert(rule.value.id.clone());
            match first.entry(&rule.value.id) {
                Entry::Vacant(free) => {
                    free.insert(&rule.place);
                }
                Entry::Occupied(earlier) if self.errors.len() < MAX_PROBLEMS => {
                    let message = format!(
                        "a second rule `{}`; the first is at {}",
                        shown(&rule.value.id),
                        earlier.get().short()
                    );
                    self.errors.push(rule.place.error(message));
                }
                Entry::Occupied(_) => {}
            }
        }
    }

    /// Checks that the rules which are named exist.
    fn check_names(&mut self, config: &Config) {
        let named = config.disabled_rules.iter().map(|id| (id.value.as_str(), &id.place));
        let targets = config.allowlists.iter().flat_map(|list| {
            list.value
                .target_rules
                .iter()
                .enumerate()
                .map(|(i, id)| (id.as_str(), list.place_of(&format!("targetRules[{i}]"))))
        });
        let overridden = config.overrides.iter().map(|change| (change.value.id.as_str(), &change.place));
        let required = config.rules.iter().flat_map(|rule| {
            rule.value.required.iter().map(|required| (required.id.as_str(), rule.place_of("required")))
        });
        let all: Vec<(&str, &Place)> = named.chain(targets).chain(overridden).chain(required).collect();
        if all.is_empty() {
            return;
        }
        let mut known = (self.options.builtin_ids)();
        known.extend(self.ids.iter().cloned());
        let names: HashSet<&str> = known.iter().map(String::as_str).collect();
        for (id, place) in all {
            if names.contains(id) {
                continue;
            }
            let mut error = place.error(format!("there is no rule `{}`", shown(id)));
            error.help = did_you_mean(id, known.iter().map(String::as_str));
            // gitleaks' own rules that ours have no counterpart of may be named in its files.
            match dialect_of(&place.source.path, config.dialect) {
                Dialect::Stanch => self.errors.push(error),
                Dialect::Gitleaks => self.warnings.push(error),
            }
        }
    }
}

/// The dialect of an extended file: that of its name, else that of the file which names it.
fn dialect_of(path: &Path, parent: Dialect) -> Dialect {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if name.contains("gitleaks") || name.contains("GITLEAKS") { Dialect::Gitleaks } else { parent }
}

/// Fills what is not given.
fn inherit(settings: &mut super::Settings, base: super::Settings) {
    settings.min_confidence = settings.min_confidence.or(base.min_confidence);
    settings.max_file_size = settings.max_file_size.or(base.max_file_size);
    settings.max_age_days = settings.max_age_days.or(base.max_age_days);
    settings.baseline = settings.baseline.take().or(base.baseline);
    settings.exclude.splice(0..0, base.exclude);
}

/// Removes `.` and `name/..` from a path, so that a loop is seen whichever way it is written.
fn normal(path: &Path) -> PathBuf {
    use std::path::Component;
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir if matches!(normal.components().next_back(), Some(Component::Normal(_))) => {
                normal.pop();
            }
            other => normal.push(other),
        }
    }
    normal
}
