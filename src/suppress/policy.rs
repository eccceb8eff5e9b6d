//! Everything that can suppress a find, asked in order.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use bstr::BString;
use jiff::civil::Date;

use super::allowlist::Allowlist;
use super::baseline::{Baseline, Entry};
use super::foreign::Foreign;
use super::ignorefile::IgnoreFile;
use super::{Subject, inline};
use crate::config::{ConfigError, Tree, allowlist_spec};
use crate::finding::{Finding, Status, Suppression};

/// The reason that is added to a finding whose entry in the baseline has run out.
pub const EXPIRED: &str = "baseline-entry-expired";

/// The policy of a run.
#[derive(Debug)]
pub struct Policy {
    allowlists: Vec<Scoped>,
    ignored: IgnoreFile,
    baseline: Option<Baseline>,
    foreign: Option<Foreign>,
    inline: bool,
    today: Date,
    /// Allowlists of rules, compiled when a rule first finds something.
    of_rules: RwLock<HashMap<String, Arc<[Allowlist]>>>,
}

/// An allowlist and the folder it is for.
#[derive(Debug)]
struct Scoped {
    /// Folder with a trailing `/`, relative like paths of finds; empty for all.
    scope: BString,
    allowlist: Allowlist,
}

impl Policy {
    /// A policy under which everything counts, except what inline markers allow.
    pub fn new(today: Date) -> Self {
        Policy {
            allowlists: Vec::new(),
            ignored: IgnoreFile::default(),
            baseline: None,
            foreign: None,
            inline: true,
            today,
            of_rules: RwLock::default(),
        }
    }

    /// The policy of a repository's configurations, without a baseline as yet.
    ///
    /// # Errors
    /// Allowlists that cannot be used, with their places.
    pub fn of(tree: &Tree, today: Date) -> Result<Self, Vec<ConfigError>> {
        let mut policy = Policy::new(today);
        let mut errors = Vec::new();
        for (folder, config) in tree.configs() {
            for spec in &config.allowlists {
                match Allowlist::new(&spec.value, &spec.place.short()) {
                    Ok(allowlist) => policy.allow(allowlist, folder),
                    Err(error) => errors.push(spec.error(&error.field, error.reason)),
                }
            }
        }
        if errors.is_empty() {
            Ok(policy)
        } else {
            Err(errors)
        }
    }

    /// Adds an allowlist of the configuration. `folder` is the folder (relative, without a trailing
    /// `/`) of a nested configuration, empty for the repository's own.
    pub fn allow(&mut self, allowlist: Allowlist, folder: &[u8]) {
        let mut scope = BString::from(folder);
        if !scope.is_empty() {
            scope.push(b'/');
        }
        self.allowlists.push(Scoped { scope, allowlist });
    }

    /// Sets the entries of `.gitleaksignore` files.
    pub fn set_ignored(&mut self, ignored: IgnoreFile) {
        self.ignored = ignored;
    }

    /// Sets the baseline.
    pub fn set_baseline(&mut self, baseline: Option<Baseline>) {
        self.baseline = baseline;
    }

    /// Sets a baseline of another tool.
    pub fn set_foreign(&mut self, foreign: Option<Foreign>) {
        self.foreign = foreign;
    }

    /// The baseline, if there is one.
    pub fn baseline(&self) -> Option<&Baseline> {
        self.baseline.as_ref()
    }

    /// Whether markers in the text count. They do not under `--policy-rev`, where the text itself
    /// is not trusted.
    pub fn set_inline(&mut self, inline: bool) {
        self.inline = inline;
    }

    /// Whether everything in a file or commit is allowed, so that it need not be scanned. Files left
    /// out so are still counted by the caller.
    pub fn allows_all_of(&self, path: Option<&[u8]>, commit: Option<&str>) -> Option<Suppression> {
        let found = self
            .allowlists_for(path)
            .find(|allowlist| allowlist.allows_all_of(path, commit))?;
        Some(by_allowlist(found))
    }

    /// Judges a find by its content and place: allowlists (the configuration's, then the rule's), then
    /// inline markers.
    pub fn judge(&self, subject: &Subject<'_>) -> Option<Suppression> {
        let allowed = self
            .allowlists_for(subject.path)
            .find(|allowlist| allowlist.targets(subject.ids()) && allowlist.allows(subject));
        match allowed {
            Some(allowlist) => Some(by_allowlist(allowlist)),
            None => self.by_rule(subject).or_else(|| {
                if self.inline {
                    inline::marker(subject)
                } else {
                    None
                }
            }),
        }
    }

    /// The rule's own allowlists. One that cannot be compiled allows nothing.
    fn by_rule(&self, subject: &Subject<'_>) -> Option<Suppression> {
        if subject.rule_allowlists.is_empty() {
            return None;
        }
        let known = self
            .of_rules
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(subject.rule)
            .cloned();
        let lists = known.unwrap_or_else(|| {
            let fallback = format!("allowlist of {}", subject.rule);
            let compile = |list| Allowlist::new(&allowlist_spec(list), &fallback).ok();
            let lists: Arc<[Allowlist]> =
                subject.rule_allowlists.iter().filter_map(compile).collect();
            let mut of_rules = self
                .of_rules
                .write()
                .unwrap_or_else(PoisonError::into_inner);
            of_rules
                .entry(subject.rule.to_owned())
                .or_insert(lists)
                .clone()
        });
        lists
            .iter()
            .find(|list| list.allows(subject))
            .map(by_allowlist)
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
        if self.baseline.is_none() && self.foreign.is_none() && self.ignored.is_empty() {
            return Ok(());
        }
        for finding in findings
            .iter_mut()
            .filter(|finding| finding.status == Status::New)
        {
            let mut ids = aliases(&finding.rule);
            ids.insert(0, finding.rule.clone());
            let suppression = match self.ignored_by_gitleaks(finding, &ids) {
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

    fn allowlists_for<'a>(&'a self, path: Option<&'a [u8]>) -> impl Iterator<Item = &'a Allowlist> {
        let reaches = move |scoped: &&Scoped| {
            scoped.scope.is_empty() || path.is_some_and(|path| path.starts_with(&scoped.scope))
        };
        self.allowlists
            .iter()
            .filter(reaches)
            .map(|scoped| &scoped.allowlist)
    }

    /// `.gitleaksignore` knows places, so every place of the value must be ignored.
    fn ignored_by_gitleaks(&self, finding: &Finding, ids: &[String]) -> Option<Suppression> {
        if self.ignored.is_empty() {
            return None;
        }
        let commit = finding.commit.as_ref().map(|commit| commit.id.as_str());
        let ignored = std::iter::once(&finding.location)
            .chain(&finding.occurrences)
            .all(|location| {
                let path = location.path.as_ref();
                path.is_some_and(|path| {
                    ids.iter()
                        .any(|id| self.ignored.contains(commit, path, id, location.start.line))
                })
            });
        ignored.then(|| Suppression::Allowlist {
            description: ".gitleaksignore".to_owned(),
        })
    }

    fn known_elsewhere(&self, finding: &Finding, ids: &[String]) -> Option<Suppression> {
        let foreign = self.foreign.as_ref()?;
        let status = foreign.knows(finding, ids)?.name().to_owned();
        Some(Suppression::Baseline {
            status,
            reason: format!("known to {}", foreign.tool().name()),
            by: String::new(),
            on: String::new(),
        })
    }

    fn known(
        &self,
        finding: &mut Finding,
        ids: &[String],
    ) -> Result<Option<Suppression>, ConfigError> {
        let Some(baseline) = &self.baseline else {
            return Ok(None);
        };
        let Some(entry) = baseline.lookup(&finding.fingerprint)? else {
            return Ok(None);
        };
        if !covers_everywhere(&entry, finding, ids) {
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

/// A narrowed entry suppresses a value only when it covers all of its places.
fn covers_everywhere(entry: &Entry, finding: &Finding, ids: &[String]) -> bool {
    std::iter::once(&finding.location)
        .chain(&finding.occurrences)
        .all(|location| {
            entry.covers(
                ids.iter().map(String::as_str),
                location.path.as_ref().map(|path| path.as_slice()),
            )
        })
}

fn by_allowlist(allowlist: &Allowlist) -> Suppression {
    Suppression::Allowlist {
        description: allowlist.description().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::{Category, Confidence, Location, Secret, Severity};
    use crate::rules::spec::AllowlistSpec;
    use crate::suppress::baseline::{Decision, Draft};
    use jiff::civil::date;
    use std::path::Path;

    const TODAY: Date = date(2025, 12, 1);

    fn at(path: &str) -> Location {
        Location {
            path: Some(path.into()),
            ..Location::default()
        }
    }

    fn finding(fingerprint: &str, places: &[&str]) -> Finding {
        Finding {
            rule: "generic-secret".into(),
            description: String::new(),
            category: Category::Token,
            severity: Severity::High,
            confidence: Confidence::High,
            location: at(places[0]),
            secret: Secret::new(b"value", 0),
            matched: Default::default(),
            fingerprint: fingerprint.into(),
            parts: Vec::new(),
            commit: None,
            life: None,
            occurrences: places[1..].iter().map(|path| at(path)).collect(),
            status: Status::New,
            remediation: Default::default(),
            reasons: Vec::new(),
            tags: Vec::new(),
        }
    }

    fn policy_with(edit: impl FnOnce(&mut Entry)) -> (Policy, String) {
        let mut draft = Draft::new(Path::new("b"), None).unwrap();
        let fingerprint = draft.fingerprinter(None).of(b"value");
        let mut entry = Entry {
            fingerprint: fingerprint.clone(),
            status: Decision::Accepted,
            ..Entry::default()
        };
        edit(&mut entry);
        draft.set(entry);
        let mut policy = Policy::new(TODAY);
        policy.set_baseline(Some(
            Baseline::load(Path::new("b"), draft.text().into_bytes()).unwrap(),
        ));
        (policy, fingerprint)
    }

    fn suppressed(edit: impl FnOnce(&mut Entry), places: &[&str]) -> (bool, Finding) {
        let (policy, fingerprint) = policy_with(edit);
        let mut findings = [finding(&fingerprint, places)];
        policy
            .apply(&mut findings, |_| vec!["old-id".to_owned()])
            .unwrap();
        let [finding] = findings;
        (finding.status != Status::New, finding)
    }

    #[test]
    fn baseline_knows_values() {
        assert!(suppressed(|_| (), &["a", "b"]).0);
        assert!(suppressed(|entry| entry.only_rules = vec!["old-id".into()], &["a"]).0);
        assert!(!suppressed(|entry| entry.only_rules = vec!["other".into()], &["a"]).0);
        assert!(
            suppressed(
                |entry| entry.only_paths = vec!["/t/".into()],
                &["t/a", "t/b"]
            )
            .0
        );
        assert!(
            !suppressed(
                |entry| entry.only_paths = vec!["/t/".into()],
                &["t/a", "s/b"]
            )
            .0
        );
        assert!(suppressed(|entry| entry.expires = Some(TODAY), &["a"]).0);
        let (hidden, finding) =
            suppressed(|entry| entry.expires = Some(date(2025, 11, 30)), &["a"]);
        assert!(!hidden);
        assert_eq!(finding.reasons, [EXPIRED]);
        let (policy, _) = policy_with(|_| ());
        let mut other = [self::finding(&"0".repeat(32), &["a"])];
        policy.apply(&mut other, |_| Vec::new()).unwrap();
        assert_eq!(other[0].status, Status::New);
    }

    #[test]
    fn gitleaksignore_knows_places() {
        let mut ignored = IgnoreFile::default();
        ignored
            .add(Path::new("i"), b"a:old-id:0\nb:generic-secret:0\n".to_vec())
            .unwrap();
        let mut policy = Policy::new(TODAY);
        policy.set_ignored(ignored);
        let mut findings = [
            finding("f", &["a"]),
            finding("f", &["a", "b"]),
            finding("f", &["a", "c"]),
        ];
        policy
            .apply(&mut findings, |_| vec!["old-id".to_owned()])
            .unwrap();
        let quiet: Vec<bool> = findings
            .iter()
            .map(|finding| finding.status != Status::New)
            .collect();
        assert_eq!(quiet, [true, true, false]);
    }

    #[test]
    fn allowlists_come_first_and_reach_their_folder() {
        let spec = AllowlistSpec {
            stopwords: vec!["sample".into()],
            target_rules: vec!["r".into()],
            ..Default::default()
        };
        let mut policy = Policy::new(TODAY);
        policy.allow(Allowlist::new(&spec, "pkg/.stanch.toml:3").unwrap(), b"pkg");
        let text = b"k = samplevalue # stanch:allow docs";
        let subject = |path: &'static [u8], rule: &'static str| Subject {
            rule,
            aliases: &[],
            rule_allowlists: &[],
            text,
            span: 0..15,
            secret_span: 4..15,
            secret: &text[4..15],
            matched: &text[..15],
            path: Some(path),
            commit: None,
        };
        let by = |path, rule| match policy.judge(&subject(path, rule)) {
            Some(Suppression::Allowlist { description }) => description,
            Some(Suppression::Inline { reason, .. }) => reason,
            other => panic!("{other:?}"),
        };
        assert_eq!(by(b"pkg/a", "r"), "pkg/.stanch.toml:3");
        assert_eq!(by(b"pkgs/a", "r"), "docs");
        assert_eq!(by(b"pkg/a", "s"), "docs");
        policy.set_inline(false);
        assert_eq!(policy.judge(&subject(b"pkgs/a", "r")), None);
        let lists = [crate::rules::Allowlist {
            description: "the rule's".into(),
            all: false,
            target: crate::rules::RegexTarget::Match,
            regexes: vec!["^k =".into()].into(),
            paths: Default::default(),
            commits: Default::default(),
            stopwords: Default::default(),
        }];
        let subject = Subject {
            rule_allowlists: &lists,
            ..subject(b"pkgs/a", "r")
        };
        assert!(
            matches!(policy.judge(&subject), Some(Suppression::Allowlist { description }) if description == "the rule's")
        );
        assert_eq!(policy.judge(&subject), policy.judge(&subject));
    }
}
