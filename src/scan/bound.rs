//! Rules that are for files of certain names only: passwords in `.pgpass`, tokens in `.npmrc`.
//!
//! What they look for (`password`, `user`) is everywhere, so they have a matcher of their own, which sees only the
//! files they are for. A history is scanned before it is known where its blobs lie; there, the names in trees tell
//! which blobs can be for them ([`BoundRules::may_end_in`]).

use std::sync::{Arc, OnceLock};

use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::meta::Regex;
use regex_automata::nfa::thompson;
use regex_automata::{Anchored, Input};
use regex_syntax::hir::{Dot, Hir, Look, Repetition};

use crate::matcher::Matcher;
use crate::rules::{Rule, RuleSet, analyse};

/// The rules with a pattern and a pattern for paths.
#[derive(Debug)]
pub struct BoundRules {
    rules: Arc<RuleSet>,
    matcher: OnceLock<Matcher>,
    /// All patterns for paths, each for one; None when they cannot be one: then every path may be meant.
    paths: Option<Regex>,
    /// The same, read from the end of a path, to its beginning or a byte before.
    from_end: OnceLock<Option<DFA>>,
}

/// Whether a rule is for files of certain names only.
pub fn is_bound(rule: &Rule) -> bool {
    !rule.pattern.is_empty() && !rule.path.is_empty()
}

impl BoundRules {
    /// Those of a rule set; None if there are none.
    pub fn of(rules: &Arc<RuleSet>) -> Option<Self> {
        let patterns = path_patterns(rules);
        if patterns.is_empty() {
            return None;
        }
        let paths = Regex::builder().build_many_from_hir(&patterns).ok();
        Some(BoundRules { rules: rules.clone(), matcher: OnceLock::new(), paths, from_end: OnceLock::new() })
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

    /// Whether a path whose last part is this name can be for one of the rules. Exact but for patterns that cannot
    /// be read backwards, for which every name may be.
    pub fn may_end_in(&self, name: &[u8], memory: &mut Option<Cache>) -> bool {
        let Some(dfa) = self.from_end.get_or_init(|| backwards(&path_patterns(&self.rules))) else {
            return true;
        };
        let cache = memory.get_or_insert_with(|| dfa.create_cache());
        let mut step = || {
            let mut state = dfa.start_state_reverse(cache, &Input::new(name).anchored(Anchored::Yes)).ok()?;
            for &byte in name.iter().rev() {
                state = dfa.next_state(cache, state, byte).ok()?;
                if state.is_match() || state.is_dead() {
                    return Some(state.is_match());
                }
            }
            let at_top = dfa.next_eoi_state(cache, state).ok()?;
            let in_folder = dfa.next_state(cache, state, b'/').ok()?;
            Some(at_top.is_match() || !in_folder.is_dead())
        };
        step().unwrap_or(true)
    }
}

fn path_patterns(rules: &RuleSet) -> Vec<Hir> {
    let bound = rules.iter().filter(|(_, rule)| is_bound(rule));
    bound.filter_map(|(_, rule)| analyse::parse(&rule.path).ok()).collect()
}

/// An automaton that reads paths from their end: the patterns, and anything behind them.
fn backwards(patterns: &[Hir]) -> Option<DFA> {
    let anything = Hir::repetition(Repetition {
        min: 0,
        max: None,
        greedy: true,
        sub: Box::new(Hir::dot(Dot::AnyByte)),
    });
    // Behind a pattern that ends with the path nothing can follow; the automaton would wait for it for ever.
    let to_end = |pattern: &Hir| match pattern.properties().look_set_suffix().contains(Look::End) {
        true => pattern.clone(),
        false => Hir::concat(vec![pattern.clone(), anything.clone(), Hir::look(Look::End)]),
    };
    let patterns: Vec<Hir> = patterns.iter().map(to_end).collect();
    let no_captures = thompson::WhichCaptures::None;
    let config = thompson::Config::new().reverse(true).utf8(false).which_captures(no_captures);
    let nfa = thompson::Compiler::new().configure(config).build_many_from_hir(&patterns).ok()?;
    DFA::builder().build_from_nfa(nfa).ok()
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
            assert_eq!(rules.may_end_in(name.as_bytes(), &mut memory), may, "{name}");
        }
        let rules = bound(&["secrets/", r"(?:^|/)\.env"]);
        assert!(rules.may_end_in(b"anything", &mut None), "it can lie in the folder");
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
                        assert!(rules.may_end_in(name.as_bytes(), &mut memory), "{}: {path}", rule.id);
                        assert!(rules.matcher_for(path.as_bytes()).is_some());
                    }
                }
            }
        }
        assert!(seen > 20, "{seen} paths show too little");
        assert!(!rules.may_end_in(b"main.c", &mut memory));
        assert!(rules.matcher_for(b"src/main.c").is_none());
    }
}
