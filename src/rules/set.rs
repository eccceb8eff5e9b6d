//! The rules in force in one run, with their regexes, which compile on first use.

use std::collections::HashMap;
use std::sync::OnceLock;

use regex_automata::meta::{self, Regex};
use sha2::{Digest, Sha256};

use super::analyse;
use super::relaxed::{Relaxed, relax};
use super::rule::Rule;

/// What `build.rs` wrote: `BUILTIN` and `BUILTIN_HASH`.
mod pack {
    #[allow(clippy::wildcard_imports, unused_imports)]
    use super::super::rule::*;
    #[allow(unused_imports)]
    use crate::finding::{Category, Confidence, Severity};
    use std::borrow::Cow;

    include!(concat!(env!("OUT_DIR"), "/builtin.rs"));
}

use pack::{BUILTIN, BUILTIN_HASH};

/// The built-in pack, in order of its files.
pub fn builtin() -> &'static [Rule] {
    BUILTIN
}

/// Place of a rule in a [`RuleSet`].
pub type RuleIndex = u16;

/// The rules in force.
#[derive(Debug)]
pub struct RuleSet {
    rules: Vec<Entry>,
    hash: String,
}

#[derive(Debug)]
struct Entry {
    rule: Held,
    regex: OnceLock<Regex>,
    relaxed: OnceLock<Option<Relaxed>>,
    path: OnceLock<Regex>,
}

/// A rule of the pack, or a user's. (A `Cow` would take a whole rule's room for each of the pack's.)
#[derive(Debug)]
enum Held {
    Builtin(&'static Rule),
    Custom(Box<Rule>),
}

impl std::ops::Deref for Held {
    type Target = Rule;

    fn deref(&self) -> &Rule {
        match self {
            Held::Builtin(rule) => rule,
            Held::Custom(rule) => rule,
        }
    }
}

impl RuleSet {
    /// The built-in pack as it is.
    pub fn builtin() -> Self {
        RuleSet::new(true, Vec::new(), |_| true)
            .unwrap_or_else(|_| RuleSet { rules: Vec::new(), hash: String::new() })
    }

    /// The built-in pack (if `with_builtin`) and users' rules; of those, the ones that `keep` keeps.
    /// A user's rule replaces a built-in one of the same id.
    ///
    /// # Errors
    /// The id and reason of a user's rule whose regex is too large to compile, or of the rule that
    /// is one too many (65,535 at most).
    pub fn new(
        with_builtin: bool,
        custom: Vec<Rule>,
        keep: impl Fn(&Rule) -> bool,
    ) -> Result<Self, (String, String)> {
        let replaced: HashMap<&str, ()> = custom.iter().map(|r| (r.id.as_ref(), ())).collect();
        let mut rules: Vec<Entry> = Vec::with_capacity(BUILTIN.len() + custom.len());
        if with_builtin {
            let kept = BUILTIN
                .iter()
                .filter(|r| (replaced.is_empty() || !replaced.contains_key(r.id.as_ref())) && keep(r));
            rules.extend(kept.map(|r| Entry::new(Held::Builtin(r))));
        }
        let mut hasher = Sha256::new();
        hasher.update(BUILTIN_HASH);
        let mut plain = with_builtin && rules.len() == BUILTIN.len();
        for rule in custom.into_iter().filter(|r| keep(r)) {
            plain = false;
            let entry = Entry::new(Held::Custom(Box::new(rule)));
            entry.check().map_err(|reason| (entry.rule.id.to_string(), reason))?;
            rules.push(entry);
        }
        if rules.len() > usize::from(RuleIndex::MAX) {
            let last = rules.last().map(|e| e.rule.id.to_string()).unwrap_or_default();
            return Err((last, format!("more than {} rules", RuleIndex::MAX)));
        }
        let hash = if plain {
            BUILTIN_HASH.to_owned()
        } else {
            for entry in &rules {
                hasher.update(format!("{:?}", *entry.rule));
            }
            data_encoding::HEXLOWER.encode(&hasher.finalize()[..8])
        };
        Ok(RuleSet { rules, hash })
    }

    /// Number of rules.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether there is no rule.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Short hash of the rules in force: equal hashes give equal candidates.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// The rule at a place.
    ///
    /// # Panics
    /// When the index is not from this set.
    pub fn rule(&self, index: RuleIndex) -> &Rule {
        &self.rules[usize::from(index)].rule
    }

    /// The place of the rule with this id.
    pub fn find(&self, id: &str) -> Option<RuleIndex> {
        self.rules.iter().position(|e| e.rule.id == id).map(|i| i as RuleIndex)
    }

    /// Every rule with its place.
    pub fn iter(&self) -> impl Iterator<Item = (RuleIndex, &Rule)> {
        self.rules.iter().enumerate().map(|(i, e)| (i as RuleIndex, &*e.rule))
    }

    /// The rule's regex, compiled on first use.
    pub fn regex(&self, index: RuleIndex) -> &Regex {
        let entry = &self.rules[usize::from(index)];
        entry.regex.get_or_init(|| build(&entry.rule.pattern).unwrap_or_else(|_| never()))
    }

    /// The relaxed form of the rule's regex, if it has large bounds; made on first use.
    pub fn relaxed(&self, index: RuleIndex) -> Option<&Relaxed> {
        let entry = &self.rules[usize::from(index)];
        entry.relaxed.get_or_init(|| relax(&entry.rule.pattern)).as_ref()
    }

    /// The regex for paths, if the rule has one.
    pub fn path_regex(&self, index: RuleIndex) -> Option<&Regex> {
        let entry = &self.rules[usize::from(index)];
        if entry.rule.path.is_empty() {
            return None;
        }
        Some(entry.path.get_or_init(|| build(&entry.rule.path).unwrap_or_else(|_| never())))
    }
}

impl Entry {
    fn new(rule: Held) -> Self {
        Entry { rule, regex: OnceLock::new(), relaxed: OnceLock::new(), path: OnceLock::new() }
    }

    /// Compiles what a user wrote at once, so that a bad pattern is an error and not a silent miss.
    fn check(&self) -> Result<(), String> {
        if !self.rule.pattern.is_empty() {
            let _ = self.regex.set(build(&self.rule.pattern)?);
        }
        if !self.rule.path.is_empty() {
            let _ = self.path.set(build(&self.rule.path)?);
        }
        Ok(())
    }
}

/// Compiles a pattern for windowed searches over bytes.
///
/// # Errors
/// The compiler's message: syntax, or a program larger than 16 MiB.
pub fn build(pattern: &str) -> Result<Regex, String> {
    build_hir(&analyse::parse(pattern)?)
}

/// Compiles a parsed pattern, see [`build`].
///
/// # Errors
/// As [`build`].
pub fn build_hir(hir: &regex_syntax::hir::Hir) -> Result<Regex, String> {
    let config = meta::Config::new()
        .utf8_empty(false)
        .nfa_size_limit(Some(16 << 20))
        .onepass_size_limit(Some(256 << 10))
        // Windows are short; a large lazy DFA per rule and thread would only cost memory.
        .hybrid_cache_capacity(1 << 20);
    meta::Builder::new().configure(config).build_from_hir(hir).map_err(|e| {
        e.size_limit()
            .map_or_else(|| e.to_string(), |n| format!("the compiled pattern is larger than {n} bytes"))
    })
}

/// A regex that matches nothing: stands in for a pattern that was checked before and cannot fail.
fn never() -> Regex {
    meta::Builder::new()
        .build_from_hir(&regex_syntax::hir::Hir::fail())
        .unwrap_or_else(|_| unreachable!("the empty class compiles"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_builtin_pattern_compiles() {
        for rule in builtin() {
            for pattern in [&rule.pattern, &rule.path] {
                if !pattern.is_empty() {
                    assert!(build(pattern).is_ok(), "{}", rule.id);
                }
            }
        }
    }

    /// Whoever finds a secret is told what it opens and what to do, and where the provider says more.
    #[test]
    fn every_builtin_rule_is_complete() {
        for rule in builtin() {
            let remedy = &rule.remediation;
            let texts = [&rule.description, &remedy.opens, &remedy.revoke, &remedy.rotate];
            assert!(texts.iter().all(|text| !text.is_empty()), "{} does not say what to do", rule.id);
            assert!(remedy.url.starts_with("https://"), "{} names no page", rule.id);
            assert!(remedy.rotate_days > 0, "{} does not say how often to rotate", rule.id);
            let by_name_only = rule.pattern.is_empty();
            let tests = (rule.matches.len(), rule.rejects.len());
            assert!(by_name_only || tests.0 >= 2 && tests.1 >= 2, "{} has {tests:?} tests", rule.id);
        }
    }

    #[test]
    fn a_custom_rule_replaces_a_builtin_one_and_changes_the_hash() {
        let mut rule = builtin()[0].clone();
        rule.description = "mine".into();
        let set = RuleSet::new(true, vec![rule.clone()], |_| true).unwrap();
        assert_eq!(set.len(), builtin().len());
        assert_eq!(set.rule(set.find(&rule.id).unwrap()).description, "mine");
        assert_ne!(set.hash(), RuleSet::builtin().hash());
    }
}
