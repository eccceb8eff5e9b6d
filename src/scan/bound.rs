//! Rules that are for files of certain names only: passwords in `.pgpass`, tokens in `.npmrc`.
//!
//! What they look for (`password`, `user`) is everywhere, so they have a matcher of their own, which sees only the
//! files they are for. A history is scanned before it is known where its blobs lie; there, the names in trees tell
//! which blobs can be for them ([`Ends::may_end_in`]).

use std::sync::{Arc, OnceLock};

use regex_automata::meta::Regex;

use super::ends::Ends;
use crate::matcher::Matcher;
use crate::rules::{Rule, RuleSet};

/// The rules with a pattern and a pattern for paths.
#[derive(Debug)]
pub struct BoundRules {
    rules: Arc<RuleSet>,
    matcher: OnceLock<Matcher>,
    /// All patterns for paths, each for one; None when they cannot be one: then every path may be meant.
    paths: Option<Regex>,
    /// How those paths can end.
    pub ends: Ends,
}

/// Whether a rule is for files of certain names only.
pub fn is_bound(rule: &Rule) -> bool {
    !rule.pattern.is_empty() && !rule.path.is_empty()
}

impl BoundRules {
    /// Those of a rule set; None if there are none.
    pub fn of(rules: &Arc<RuleSet>) -> Option<Self> {
        let ends = Ends::new(rules.clone(), is_bound);
        let patterns = ends.patterns();
        if patterns.is_empty() {
            return None;
        }
        let paths = Regex::builder().build_many_from_hir(&patterns).ok();
        Some(BoundRules { rules: rules.clone(), matcher: OnceLock::new(), paths, ends })
    }

    /// Their matcher, if a file with this path can be for one of them.
    pub fn matcher_for(&self, path: &[u8]) -> Option<&Matcher> {
        let meant = self.paths.as_ref().is_none_or(|paths| paths.is_match(path));
        meant.then(|| self.matcher())
    }

    /// Their matcher.
    pub fn matcher(&self) -> &Matcher {
        self.matcher.get_or_init(|| Matcher::of(self.rules.clone(), is_bound))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::compile::{Strictness, compile};
    use crate::rules::spec::RuleSpec;

    fn bound(paths: &[&str]) -> BoundRules {
        let rule = |(n, path): (usize, &&str)| {
            let spec = RuleSpec {
                id: format!("rule-{n}"),
                regex: Some("password=([a-z0-9]{8})".into()),
                path: Some((*path).into()),
                ..RuleSpec::default()
            };
            compile(&spec, &Default::default(), Strictness::User, &|_| false).unwrap()
        };
        let rules = RuleSet::new(false, paths.iter().enumerate().map(rule).collect(), |_| true).unwrap();
        BoundRules::of(&Arc::new(rules)).unwrap()
    }

    #[test]
    fn names_tell_what_a_path_can_be() {
        let rules = bound(&[r"(?:^|/)\.npmrc$", r"\.kube/config$", r"^etc/[a-z]+\.conf$", r"(?i)\.sql$"]);
        let mut memory = None;
        for (name, may) in [
            (".npmrc", true),
            ("x.npmrc", false),
            ("npmrc", false),
            ("config", true),
            ("xconfig", false),
            ("my.conf", true),
            ("my7.conf", false),
            ("dump.SQL", true),
            ("dump.sql.txt", false),
        ] {
            assert_eq!(rules.ends.may_end_in(name.as_bytes(), &mut memory), may, "{name}");
        }
        let rules = bound(&["secrets/", r"(?:^|/)\.env"]);
        assert!(rules.ends.may_end_in(b"anything", &mut None), "it can lie in the folder");
    }

    /// Every path that a rule of the pack is for ends in a name that it may end in.
    #[test]
    fn no_path_of_the_pack_is_lost() {
        let set = Arc::new(RuleSet::builtin());
        let rules = BoundRules::of(&set).unwrap();
        let mut memory = None;
        let mut seen = 0;
        for (index, rule) in set.iter().filter(|(_, rule)| is_bound(rule)) {
            // Names that patterns for paths are made of.
            let words = rule.path.split(|c: char| !(c.is_ascii_alphanumeric() || "._-".contains(c)));
            let names: Vec<&str> = words.filter(|word| word.len() > 2).collect();
            for name in &names {
                for path in [
                    name.replace("\\", ""),
                    format!(".{name}"),
                    format!("a/{name}"),
                    format!("a/.{name}/config"),
                    format!(".{name}/credentials"),
                    format!("x.{name}"),
                ] {
                    if set.path_regex(index).unwrap().is_match(path.as_bytes()) {
                        seen += 1;
                        let name = path.rsplit('/').next().unwrap();
                        assert!(rules.ends.may_end_in(name.as_bytes(), &mut memory), "{}: {path}", rule.id);
                        assert!(rules.matcher_for(path.as_bytes()).is_some());
                    }
                }
            }
        }
        assert!(seen > 20, "{seen} paths show too little");
        assert!(!rules.ends.may_end_in(b"main.c", &mut memory));
        assert!(rules.matcher_for(b"src/main.c").is_none());
    }
}
