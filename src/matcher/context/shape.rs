//! The shape of a value, and what may stand behind it.

use std::sync::OnceLock;

use regex_automata::meta::{Cache, Regex};
use regex_automata::{Anchored, Input};

use super::Found;
use super::surroundings::{is_space, is_word};
use crate::rules::analyse::{self, Step};
use crate::rules::context::{MARK, NO_WORD};
use crate::rules::{Run, build_regex};

/// What must follow a value, unless the text ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Closer {
    /// A byte that is no letter, digit or `_`.
    NoWord,
    /// A space, a quote, a bracket or the like.
    Mark,
}

impl Closer {
    fn is(self, b: u8) -> bool {
        match self {
            Closer::NoWord => !is_word(b),
            Closer::Mark => is_space(b) || b"\"'`)}]<,;&|\\".contains(&b),
        }
    }

    fn pattern(self) -> &'static str {
        match self {
            Closer::NoWord => NO_WORD,
            Closer::Mark => MARK,
        }
    }
}

/// The shape of a value; compiled on first use.
#[derive(Debug)]
pub(super) struct Shape {
    value: String,
    closer: Closer,
    compiled: OnceLock<Compiled>,
}

#[derive(Debug)]
enum Compiled {
    /// Runs of bytes one after the other (most values), in each way that the pattern allows.
    Ways(Vec<Vec<Step>>),
    /// Anything else: the regex with its closer, and the run that the value is, if it is one.
    Regex(Box<Regex>, Option<Run>),
    /// A pattern that does not compile, which the check of the rules lets nobody write.
    Nothing,
}

impl Shape {
    pub(super) fn new(value: &str, closer: Closer) -> Self {
        Shape { value: value.to_owned(), closer, compiled: OnceLock::new() }
    }

    /// The value at an offset, with what closes it.
    pub(super) fn at(&self, text: &[u8], at: usize, cache: &mut Option<Box<Cache>>) -> Option<Found> {
        match self.compiled.get_or_init(|| self.compile()) {
            Compiled::Ways(ways) => ways.iter().find_map(|way| self.along(text, at, at, way)),
            Compiled::Regex(regex, run) => {
                if run.is_some_and(|run| !begins_with(text, at, &run)) {
                    return None;
                }
                search(regex, text, at, cache)
            }
            Compiled::Nothing => None,
        }
    }

    fn compile(&self) -> Compiled {
        let Ok(hir) = analyse::parse(&self.value) else { return Compiled::Nothing };
        if let Some(ways) = analyse::ways(&hir) {
            return Compiled::Ways(ways);
        }
        let run = analyse::entire_run(&hir);
        build_regex(&format!("({}){}", self.value, self.closer.pattern()))
            .map_or(Compiled::Nothing, |regex| Compiled::Regex(Box::new(regex), run))
    }

    /// The value from `start` on, when these steps lead from `at` to something that closes it. Each step is tried
    /// as long as it goes, then shorter.
    fn along(&self, text: &[u8], start: usize, at: usize, steps: &[Step]) -> Option<Found> {
        let Some((step, next)) = steps.split_first() else {
            let closed = text.get(at).map_or(Some(at), |&b| self.closer.is(b).then_some(at + 1));
            return closed.map(|end| Found { end, value: (start, at) });
        };
        let rest = text.get(at..)?;
        let length = rest.iter().take(step.most).take_while(|&&b| step.run.has(b)).count();
        (step.run.min as usize..=length).rev().find_map(|length| self.along(text, start, at + length, next))
    }
}

fn begins_with(text: &[u8], at: usize, run: &Run) -> bool {
    text.get(at..at + run.min as usize).is_some_and(|head| head.iter().all(|&b| run.has(b)))
}

/// The match at an offset; the value is the first group.
fn search(regex: &Regex, text: &[u8], at: usize, cache: &mut Option<Box<Cache>>) -> Option<Found> {
    let cache = cache.get_or_insert_with(|| Box::new(regex.create_cache()));
    let mut slots = [None; 4];
    regex.search_slots_with(cache, &Input::new(text).range(at..).anchored(Anchored::Yes), &mut slots)?;
    let [_, end, from, to] = slots.map(|slot| slot.map(|offset| offset.get()));
    Some(Found { end: end?, value: (from?, to?) })
}
