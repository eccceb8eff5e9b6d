//! Everything that can suppress a find, asked in order.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use jiff::civil::Date;

use super::allowlist::Allowlist;
use super::baseline::{self, Entry, Ledger};
use super::foreign::Foreign;
use super::ignorefile::{IGNORE_FILE_NAME, IgnoreFile};
use super::{Subject, inline};
use crate::config::{Config, ConfigError, Effective, Nested, STANCH_FILE_NAME, Tree, allowlist_spec};
use crate::finding::{Confidence, Finding, Status, Suppression};

/// The reason that is added to a finding whose entry in the baseline has run out.
pub const EXPIRED: &str = "baseline-entry-expired";

/// Reads a file (by its path relative to the repository) as it is in the trusted revision.
pub type TrustedText = Box<dyn Fn(&[u8]) -> Option<Vec<u8>> + Send + Sync>;

/// Which markers in the text count.
pub enum Markers {
    /// All.
    All,
    /// None.
    Ignored,
    /// Those that a trusted revision of the file holds, on the same lines of text.
    Trusted(TrustedText),
}

impl std::fmt::Debug for Markers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Markers::All => "All",
            Markers::Ignored => "Ignored",
            Markers::Trusted(_) => "Trusted",
        })
    }
}

/// The policy of a run. Paths it is asked about are those of finds; see [`set_base`](Self::set_base).
#[derive(Debug)]
pub struct Policy {
    tree: Tree,
    allowlists: Vec<Allowlist>,
    ignored: IgnoreFile,
    baseline: Option<Ledger>,
    foreign: Option<Foreign>,
    markers: Markers,
    today: Date,
    min_confidence: Option<Confidence>,
    passed_over: Option<Vec<u8>>,
    base: Base,
    /// Allowlists of rules and of nested configurations, compiled when they are first asked for.
    of_rules: RwLock<HashMap<String, Arc<[Arc<Allowlist>]>>>,
    /// Allowlists of rules that were compiled. Hundreds of rules have the same.
    shared: Mutex<Vec<(crate::rules::Allowlist, Option<Arc<Allowlist>>)>>,
    of_folders: RwLock<HashMap<Vec<u8>, Arc<[Allowlist]>>>,
    errors: Mutex<Vec<ConfigError>>,
}

/// How paths of finds lead to paths in the repository.
#[derive(Debug, Default)]
struct Base {
    /// The working directory in the repository, with a trailing `/`; empty at its top.
    prefix: Vec<u8>,
    /// The repository's top folder, absolute, with a trailing `/`.
    root: Vec<u8>,
    /// The way from the working directory to a repository that lies elsewhere, with a trailing `/`.
    outside: Vec<u8>,
}

impl Policy {
    /// The policy of a repository's configurations, without a baseline as yet.
    ///
    /// # Errors
    /// Allowlists that cannot be used, with their places.
    pub fn new(tree: Tree, today: Date) -> Result<Self, Vec<ConfigError>> {
        let allowlists = compiled(tree.base())?;
        Ok(Policy::with(tree, allowlists, today))
    }

    fn with(tree: Tree, allowlists: Vec<Allowlist>, today: Date) -> Self {
        Policy {
            tree,
            allowlists,
            ignored: IgnoreFile::default(),
            baseline: None,
            foreign: None,
            markers: Markers::All,
            today,
            min_confidence: None,
            passed_over: None,
            base: Base::default(),
            of_rules: RwLock::default(),
            shared: Mutex::default(),
            of_folders: RwLock::default(),
            errors: Mutex::default(),
        }
    }

    /// The policy without any configuration: only markers in the text count.
    pub fn of_nothing() -> Self {
        Policy::with(Tree::empty(), Vec::new(), Date::constant(1970, 1, 1))
    }

    /// The configurations.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// Says how paths of finds are to be understood: relative to a folder of the repository (`prefix`,
    /// `/`-separated, empty for its top), or absolute, below the repository's top folder `root`.
    pub fn set_base(&mut self, prefix: &[u8], root: &[u8]) {
        self.base = Base { prefix: with_slash(prefix), root: with_slash(root), outside: Vec::new() };
    }

    /// Says that paths of finds begin with the way from the working directory to the repository.
    pub fn set_outside(&mut self, way: &[u8]) {
        self.base.outside = with_slash(way);
    }

    /// A find's path, in the repository.
    pub fn in_repository<'p>(&self, path: &'p [u8]) -> Cow<'p, [u8]> {
        if path.starts_with(b"/") {
            let below = path.strip_prefix(&self.base.root[..]).filter(|_| !self.base.root.is_empty());
            return Cow::Borrowed(below.unwrap_or(path));
        }
        if !self.base.outside.is_empty() {
            return Cow::Borrowed(path.strip_prefix(&self.base.outside[..]).unwrap_or(path));
        }
        let mut prefix = &self.base.prefix[..];
        let mut rest = path;
        // `../x` in a subdirectory is `x` one folder further up.
        while let Some(up) = rest.strip_prefix(b"../").filter(|_| !prefix.is_empty()) {
            rest = up;
            let parent = prefix[..prefix.len() - 1].iter().rposition(|&b| b == b'/').map_or(0, |at| at + 1);
            prefix = &prefix[..parent];
        }
        if prefix.is_empty() { Cow::Borrowed(rest) } else { Cow::Owned([prefix, rest].concat()) }
    }

    /// Errors of nested configurations that were met while finds were judged. They make a run
    /// incomplete: what those configurations would have said is not known.
    pub fn take_errors(&self) -> Vec<ConfigError> {
        let mut errors = self.tree.take_errors();
        errors.append(&mut self.errors.lock().unwrap_or_else(PoisonError::into_inner));
        errors
    }

    /// Reads the nested configurations that hold for a path, so that their errors are known even when no find asks
    /// for them.
    pub fn meet(&self, path: &[u8]) {
        for nested in self.tree.nested_for(&self.in_repository(path)) {
            self.of_folder(&nested);
        }
    }

    /// Like [`meet`](Self::meet), when the path is that of a configuration.
    pub fn meet_file(&self, path: &[u8]) {
        if path.ends_with(STANCH_FILE_NAME.as_bytes()) {
            self.meet(path);
        }
    }

    /// Passes a file of the repository over: the baseline itself, for commands that work with it.
    pub fn pass_over(&mut self, path: &[u8]) {
        self.passed_over = Some(path.to_vec());
    }

    /// Whether a file is excluded from scans by the repository's configuration.
    pub fn excluded(&self, path: &[u8]) -> bool {
        let path = self.in_repository(path);
        self.passed_over.as_deref() == Some(&*path) || self.tree.excluded(&path)
    }

    /// What the configurations say of a rule (known by its id and aliases) at a path.
    pub fn effective(&self, path: Option<&[u8]>, ids: &[&str]) -> Effective {
        let effective = self.tree.effective(&self.in_repository(path.unwrap_or_default()), ids);
        Effective { min_confidence: self.min_confidence.or(effective.min_confidence), ..effective }
    }

    /// Sets the least confidence of what is reported, whatever the configurations say (a flag).
    pub fn set_min_confidence(&mut self, least: Option<Confidence>) {
        self.min_confidence = least;
    }

    /// Sets the entries of `.gitleaksignore` files.
    pub fn set_ignored(&mut self, ignored: IgnoreFile) {
        self.ignored = ignored;
    }

    /// Sets the baseline.
    pub fn set_baseline(&mut self, baseline: Option<Ledger>) {
        self.baseline = baseline;
    }

    /// Sets a baseline of another tool.
    pub fn set_foreign(&mut self, foreign: Option<Foreign>) {
        self.foreign = foreign;
    }

    /// The baseline of another tool, if there is one.
    pub fn foreign(&self) -> Option<&Foreign> {
        self.foreign.as_ref()
    }

    /// The baseline, if there is one.
    pub fn baseline(&self) -> Option<&Ledger> {
        self.baseline.as_ref()
    }

    /// Sets which markers in the text count.
    pub fn set_markers(&mut self, markers: Markers) {
        self.markers = markers;
    }

    /// Why everything in a file or commit is allowed, if it is, so that it need not be scanned. Asks
    /// the repository's own configuration only. Files left out so are still to be counted.
    pub fn allows_all_of(&self, path: Option<&[u8]>, commit: Option<&str>) -> Option<Suppression> {
        if self.allowlists.is_empty() {
            return None;
        }
        let path = path.map(|path| self.in_repository(path));
        let found = self.allowlists.iter().find(|list| list.allows_all_of(path.as_deref(), commit))?;
        Some(by_allowlist(found))
    }

    /// Judges a find by its content and place: allowlists (the repository's, nested ones, the rule's),
    /// exclusions by nested configurations, then inline markers.
    pub fn judge(&self, subject: &Subject<'_>) -> Option<Suppression> {
        let path = subject.path.map(|path| self.in_repository(path));
        let subject = &Subject { path: path.as_deref(), ..subject.clone() };
        if let Some(suppression) = hash_in_a_baseline(subject) {
            return Some(suppression);
        }
        self.by_configuration(subject).or_else(|| self.by_rule(subject)).or_else(|| self.by_marker(subject))
    }

    fn by_configuration(&self, subject: &Subject<'_>) -> Option<Suppression> {
        let allows = |list: &&Allowlist| list.targets(subject.ids()) && list.allows(subject);
        if let Some(list) = self.allowlists.iter().find(allows) {
            return Some(by_allowlist(list));
        }
        let path = subject.path?;
        for nested in self.tree.nested_for(path) {
            if let Some(list) = self.of_folder(&nested).iter().find(allows) {
                return Some(by_allowlist(list));
            }
        }
        // Files are passed over before they are read; objects of the history belong to many paths.
        if self.tree.excluded(path) {
            return Some(Suppression::Allowlist { description: "excluded by the configuration".to_owned() });
        }
        let excluding = self.tree.excluded_by(path)?;
        let file = excluding.config.files.first().map(|file| file.display().to_string()).unwrap_or_default();
        Some(Suppression::Allowlist { description: format!("excluded by {file}") })
    }

    fn of_folder(&self, nested: &Nested) -> Arc<[Allowlist]> {
        let known =
            self.of_folders.read().unwrap_or_else(PoisonError::into_inner).get(&nested.folder).cloned();
        known.unwrap_or_else(|| {
            let lists: Arc<[Allowlist]> = match compiled(&nested.config) {
                Ok(lists) => lists.into(),
                Err(errors) => {
                    self.errors.lock().unwrap_or_else(PoisonError::into_inner).extend(errors);
                    Arc::new([])
                }
            };
            let mut of_folders = self.of_folders.write().unwrap_or_else(PoisonError::into_inner);
            of_folders.entry(nested.folder.clone()).or_insert(lists).clone()
        })
    }

    fn by_marker(&self, subject: &Subject<'_>) -> Option<Suppression> {
        match &self.markers {
            Markers::Ignored => None,
            Markers::All => inline::marker(subject),
            Markers::Trusted(read) => {
                let (suppression, lines) = inline::marker_and_lines(subject)?;
                let trusted = read(subject.path?)?;
                holds_lines(&trusted, &subject.text[lines]).then_some(suppression)
            }
        }
    }

    /// Whether the rule's own allowlists say that the find is none of this rule's.
    pub fn allowed_by_rule(&self, subject: &Subject<'_>) -> bool {
        self.by_rule(subject).is_some()
    }

    /// The rule's own allowlists. One that cannot be compiled allows nothing.
    fn by_rule(&self, subject: &Subject<'_>) -> Option<Suppression> {
        if subject.rule_allowlists.is_empty() {
            return None;
        }
        let known = self.of_rules.read().unwrap_or_else(PoisonError::into_inner).get(subject.rule).cloned();
        let lists = known.unwrap_or_else(|| {
            let compiled = |list| self.compiled_once(list, subject.rule);
            let lists: Arc<[Arc<Allowlist>]> = subject.rule_allowlists.iter().filter_map(compiled).collect();
            let mut of_rules = self.of_rules.write().unwrap_or_else(PoisonError::into_inner);
            of_rules.entry(subject.rule.to_owned()).or_insert(lists).clone()
        });
        lists.iter().find(|list| list.allows(subject)).map(|list| by_allowlist(list))
    }

    fn compiled_once(&self, list: &crate::rules::Allowlist, rule: &str) -> Option<Arc<Allowlist>> {
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, compiled)) = shared.iter().find(|(known, _)| known == list) {
            return compiled.clone();
        }
        let fallback = format!("allowlist of {rule}");
        let compiled = Allowlist::new(&allowlist_spec(list), &fallback).ok().map(Arc::new);
        // Without a description it is called after its rule.
        if !list.description.is_empty() {
            shared.push((list.clone(), compiled.clone()));
        }
        compiled
    }

    /// Judges findings by their value (the baseline) and by `.gitleaksignore`. Those that are
    /// suppressed already stay as they are. `aliases` gives the other ids of a rule.
    ///
    /// # Errors
    /// A damaged entry of the baseline.
    pub fn apply(
        &self,
        findings: &mut [Finding],
        aliases: impl Fn(&str) -> Vec<String>,
    ) -> Result<(), ConfigError> {
        let commits = self.allowlists.iter().any(Allowlist::names_commits);
        if self.baseline.is_none() && self.foreign.is_none() && self.ignored.is_empty() && !commits {
            return Ok(());
        }
        for finding in findings.iter_mut().filter(|finding| finding.status == Status::New) {
            let mut ids = aliases(&finding.rule);
            ids.insert(0, finding.rule.clone());
            let allowed =
                self.allowed_by_commit(finding, &ids).or_else(|| self.ignored_by_gitleaks(finding, &ids));
            let suppression = match allowed {
                Some(suppression) => Some(suppression),
                None => match self.known(finding, &ids)? {
                    Some(suppression) => Some(suppression),
                    None => self.known_elsewhere(finding, &ids),
                },
            };
            if let Some(suppression) = suppression {
                finding.status = Status::Suppressed(suppression);
            }
        }
        Ok(())
    }

    /// Allowlists that name commits: which commit a value came from is known only now. A value that came
    /// from others, too, is not allowed by the name of one.
    fn allowed_by_commit(&self, finding: &Finding, ids: &[String]) -> Option<Suppression> {
        let commit = finding.commit.as_deref()?;
        if !finding.occurrences.is_empty() || finding.life.as_deref().is_some_and(|life| life.commits > 1) {
            return None;
        }
        let secret = finding.secret.expose();
        let text = [&finding.matched.0, secret, &finding.matched.1].concat();
        let path = finding.location.path.as_ref().map(|path| self.in_repository(path));
        let start = finding.matched.0.len();
        let subject = Subject {
            rule: &finding.rule,
            aliases: &[],
            rule_allowlists: &[],
            text: &text,
            span: 0..text.len(),
            secret_span: start..start + secret.len(),
            secret,
            matched: &text,
            path: path.as_deref(),
            commit: Some(&commit.id),
        };
        let targets =
            |list: &&Allowlist| list.names_commits() && list.targets(ids.iter().map(String::as_str));
        self.allowlists.iter().filter(targets).find(|list| list.allows(&subject)).map(by_allowlist)
    }

    /// `.gitleaksignore` knows places, so every place of the value must be ignored.
    fn ignored_by_gitleaks(&self, finding: &Finding, ids: &[String]) -> Option<Suppression> {
        if self.ignored.is_empty() {
            return None;
        }
        let commit = finding.commit.as_deref().map(|commit| commit.id.as_str());
        let ignored = std::iter::once(&finding.location).chain(&finding.occurrences).all(|location| {
            let path = location.path.as_ref().map(|path| self.in_repository(path));
            path.is_some_and(|path| {
                ids.iter().any(|id| self.ignored.contains(commit, &path, id, location.start.line))
            })
        });
        ignored.then(|| Suppression::Allowlist { description: IGNORE_FILE_NAME.to_owned() })
    }

    /// A narrowed entry suppresses a value only when it covers all of its places.
    fn covers_everywhere(&self, entry: &Entry, finding: &Finding, ids: &[String]) -> bool {
        std::iter::once(&finding.location).chain(&finding.occurrences).all(|location| {
            let path = location.path.as_ref().map(|path| self.in_repository(path));
            entry.covers(ids.iter().map(String::as_str), path.as_deref())
        })
    }

    fn known_elsewhere(&self, finding: &Finding, ids: &[String]) -> Option<Suppression> {
        let foreign = self.foreign.as_ref()?;
        let status = foreign.knows(finding, ids, |path| self.in_repository(path))?.name().to_owned();
        Some(Suppression::Baseline {
            status,
            reason: format!("known to {}", foreign.tool().name()),
            by: String::new(),
            on: String::new(),
        })
    }

    fn known(&self, finding: &mut Finding, ids: &[String]) -> Result<Option<Suppression>, ConfigError> {
        let Some(baseline) = &self.baseline else {
            return Ok(None);
        };
        let Some(entry) = baseline.lookup(&finding.fingerprint)? else {
            return Ok(None);
        };
        if !self.covers_everywhere(&entry, finding, ids) {
            return Ok(None);
        }
        if entry.expired(self.today) {
            if !finding.reasons.contains(&EXPIRED) {
                finding.reasons.push(EXPIRED);
            }
            return Ok(None);
        }
        Ok(Some(Suppression::Baseline {
            status: entry.status.name().to_owned(),
            reason: entry.reason,
            by: entry.by,
            on: entry.on.map(|day| day.to_string()).unwrap_or_default(),
        }))
    }
}

fn with_slash(path: &[u8]) -> Vec<u8> {
    match path {
        [] => Vec::new(),
        [.., b'/'] => path.to_vec(),
        _ => [path, b"/"].concat(),
    }
}

/// The allowlists of one configuration.
fn compiled(config: &Config) -> Result<Vec<Allowlist>, Vec<ConfigError>> {
    let mut lists = Vec::with_capacity(config.allowlists.len());
    let mut errors = Vec::new();
    for spec in &config.allowlists {
        match Allowlist::new(&spec.value, &spec.place.short()) {
            Ok(list) => lists.push(list),
            Err(error) => errors.push(spec.error(&error.field, error.reason)),
        }
    }
    if errors.is_empty() { Ok(lists) } else { Err(errors) }
}

/// Baselines hold hashes beside words such as "secret", and are scanned like any other file: only
/// the hashes themselves are known not to be secrets.
fn hash_in_a_baseline(subject: &Subject<'_>) -> Option<Suppression> {
    let secret = subject.secret;
    if !matches!(secret.len(), 32 | 40 | 64)
        || !secret.iter().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(b))
    {
        return None;
    }
    let line = subject.line().trim_ascii();
    let name = subject.path.and_then(|path| path.rsplit(|&b| b == b'/').next()).unwrap_or_default();
    let ours = name == baseline::FILE_NAME.as_bytes();
    let known = (secret.len() == 40 && line.starts_with(b"\"hashed_secret\": \""))
        || (ours && secret.len() == 64 && line.starts_with(b"salt = \""))
        || (ours
            && secret.len() == 32
            && line.starts_with(secret)
            && line[32..].starts_with(b" = { rule = \""));
    known.then(|| Suppression::Allowlist { description: "hash in a baseline".to_owned() })
}

/// Whether a text holds some lines, whole and in a row.
fn holds_lines(text: &[u8], lines: &[u8]) -> bool {
    let whole = |at: usize| {
        let end = at + lines.len();
        (at == 0 || text[at - 1] == b'\n') && (end == text.len() || matches!(text[end], b'\n' | b'\r'))
    };
    !lines.is_empty() && memchr::memmem::find_iter(text, lines).any(whole)
}

fn by_allowlist(allowlist: &Allowlist) -> Suppression {
    Suppression::Allowlist { description: allowlist.description().to_owned() }
}

#[cfg(test)]
mod tests;
