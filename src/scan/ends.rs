//! How paths that rules are for can end: what the name of a tree's entry tells before its whole path is known.

use std::sync::{Arc, OnceLock};

use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::nfa::thompson;
use regex_automata::{Anchored, Input};
use regex_syntax::hir::{Dot, Hir, Look, Repetition};

use crate::rules::{Rule, RuleSet, analyse};

/// The patterns for paths of some rules, read from the end of a path to its beginning or a byte before.
#[derive(Debug)]
pub struct Ends {
    rules: Arc<RuleSet>,
    which: fn(&Rule) -> bool,
    /// Made on first use; None when the patterns cannot be read backwards.
    automaton: OnceLock<Option<DFA>>,
}

impl Ends {
    /// Of the rules for which `which` holds; each has a pattern for paths.
    pub fn new(rules: Arc<RuleSet>, which: fn(&Rule) -> bool) -> Self {
        Ends { rules, which, automaton: OnceLock::new() }
    }

    /// The patterns.
    pub fn patterns(&self) -> Vec<Hir> {
        let meant = self.rules.iter().filter(|(_, rule)| (self.which)(rule));
        meant.filter_map(|(_, rule)| analyse::parse(&rule.path).ok()).collect()
    }

    /// Whether a path whose last part is this name can be for one of the rules. Exact but for patterns that cannot
    /// be read backwards, for which every name may be.
    pub fn may_end_in(&self, name: &[u8], memory: &mut Option<Cache>) -> bool {
        let Some(dfa) = self.automaton.get_or_init(|| backwards(&self.patterns())) else {
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
