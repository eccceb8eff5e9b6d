//! Context rules, matched by hand: a keyword, surroundings that all of them share, a value.
//!
//! [`rules::context`](crate::rules::context) has the grammar and the regex that each such rule means. This
//! file finds the same match at a start, byte for byte and in the regex's order of preference
//! (leftmost-first: the first way that succeeds, not the longest); a test runs both. What differs from rule to
//! rule is only the list of keywords and the value's shape, and there are few shapes.

mod shape;
mod surroundings;

use std::collections::HashMap;

use regex_automata::meta::Cache;

use crate::rules::context::{ASSIGNED, FOLLOWERS, JOINTS, PLAIN, SOLID, WORD, words};
use crate::rules::{Context, Others, RuleSet};
use shape::{Closer, Shape};

/// Place of a shape in [`Contexts::shapes`].
type ShapeIndex = u16;

/// The shapes of unknown values: near a keyword, beside it, assigned; and of those that differ from what is known.
const UNKNOWN: [&str; 4] = [WORD, PLAIN, ASSIGNED, SOLID];

/// The context rules of a rule set.
#[derive(Debug)]
pub(super) struct Contexts {
    /// The shapes of values, each once.
    shapes: Vec<Shape>,
    /// The shape of each rule's value; that of others means nothing.
    of_rule: Vec<ShapeIndex>,
}

/// A match that a context rule made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// Offset of the first byte after the match.
    pub(super) end: usize,
    /// First and last (exclusive) offset of the value.
    pub(super) value: (usize, usize),
}

impl Contexts {
    pub(super) fn new(rules: &RuleSet) -> Self {
        let mut shapes: Vec<Shape> = UNKNOWN.iter().map(|value| Shape::new(value, Closer::Mark)).collect();
        let mut known: HashMap<&str, ShapeIndex> = HashMap::new();
        let mut of_rule = vec![0; rules.len()];
        for (index, rule) in rules.iter() {
            let Some(context) = rule.context.as_ref().filter(|context| !context.value.is_empty()) else {
                continue;
            };
            of_rule[usize::from(index)] = *known.entry(&context.value).or_insert_with(|| {
                shapes.push(Shape::new(&context.value, Closer::NoWord));
                (shapes.len() - 1) as ShapeIndex
            });
        }
        Contexts { shapes, of_rule }
    }

    /// The match of a context rule that begins at `start`.
    pub(super) fn at(
        &self,
        text: &[u8],
        rule: usize,
        context: &Context,
        start: usize,
        caches: &mut Caches,
    ) -> Option<Found> {
        let search = Search { contexts: self, text, start, context };
        let shape = self.of_rule.get(rule).copied()?;
        match (context.near, context.value.is_empty(), context.others) {
            (true, true, _) => search.any(caches),
            (true, false, Others::Any) => search.shaped(shape, caches).or_else(|| search.any(caches)),
            (true, false, Others::Solid) => search.shaped(shape, caches).or_else(|| search.solid(caches)),
            (true, false, Others::None) => search.shaped(shape, caches),
            (false, true, _) => search.named(2, caches),
            (false, false, _) => search.named(shape, caches),
        }
    }

    fn value(&self, text: &[u8], shape: ShapeIndex, at: usize, caches: &mut Caches) -> Option<Found> {
        let shape_ = self.shapes.get(usize::from(shape))?;
        if caches.0.len() < self.shapes.len() {
            caches.0.resize_with(self.shapes.len(), || None);
        }
        shape_.at(text, at, &mut caches.0[usize::from(shape)])
    }
}

/// A thread's memory for the shapes' regexes.
#[derive(Debug, Default)]
pub(super) struct Caches(Vec<Option<Box<Cache>>>);

/// A rule at a start.
struct Search<'a> {
    contexts: &'a Contexts,
    text: &'a [u8],
    start: usize,
    context: &'a Context,
}

impl Search<'_> {
    fn any(&self, caches: &mut Caches) -> Option<Found> {
        let (word, plain, assigned) = (0, 1, 2);
        self.near(surroundings::is_opener, word, caches)
            .or_else(|| self.named(assigned, caches))
            .or_else(|| self.beside(plain, caches))
    }

    fn solid(&self, caches: &mut Caches) -> Option<Found> {
        let solid = 3;
        self.near(surroundings::is_opener, solid, caches)
            .or_else(|| self.named(solid, caches))
            .or_else(|| self.beside(solid, caches))
    }

    fn shaped(&self, shape: ShapeIndex, caches: &mut Caches) -> Option<Found> {
        self.near(|b| !b.is_ascii_alphanumeric(), shape, caches)
            .or_else(|| self.named(shape, caches))
            .or_else(|| self.beside(shape, caches))
    }

    /// A keyword, a credential word (or a keyword that holds one), an opener, the value.
    fn near(&self, opener: impl Fn(u8) -> bool, shape: ShapeIndex, caches: &mut Caches) -> Option<Found> {
        for common in [false, true] {
            for behind in self.keywords(|keyword| keyword.starts_with('^') == common) {
                let mut value = |at: usize| self.contexts.value(self.text, shape, at, caches);
                let found = if common {
                    surroundings::behind_common_word(self.text, behind, &opener, &mut value)
                } else {
                    surroundings::behind_credential_words(self.text, behind, &opener, &mut value)
                };
                if found.is_some() {
                    return found;
                }
            }
        }
        None
    }

    fn named(&self, shape: ShapeIndex, caches: &mut Caches) -> Option<Found> {
        self.keywords(|_| true).find_map(|behind| {
            surroundings::assigned(self.text, behind, &mut |at| {
                self.contexts.value(self.text, shape, at, caches)
            })
        })
    }

    fn beside(&self, shape: ShapeIndex, caches: &mut Caches) -> Option<Found> {
        self.keywords(|_| true).find_map(|behind| {
            surroundings::beside(self.text, behind, &mut |at| {
                self.contexts.value(self.text, shape, at, caches)
            })
        })
    }

    /// The offsets behind those of the rule's keywords that stand at the start.
    fn keywords(&self, which: impl Fn(&str) -> bool) -> impl Iterator<Item = usize> {
        let keywords = self.context.keywords.iter().filter(move |keyword| which(keyword));
        keywords.filter_map(|keyword| match keyword.strip_prefix('^') {
            Some(common) => common_keyword(self.text, self.start, common),
            None => plain_keyword(self.text, self.start, keyword),
        })
    }
}

/// Whether what a context rule found at `start` is none: its keyword is only a part of other words, or of the path of
/// a repository, which the id of a commit follows. (The regex of the rule, which cannot look back, does not say so.)
pub(super) fn is_chance(text: &[u8], start: usize, context: &Context, value: &[u8]) -> bool {
    let before = start.checked_sub(1).and_then(|at| text.get(at)).copied().unwrap_or(0);
    if before == b'/' {
        return is_object_id(value);
    }
    let begins_word = !before.is_ascii_alphabetic()
        || before.is_ascii_lowercase() && text.get(start).is_some_and(u8::is_ascii_uppercase);
    !begins_word
        && context.keywords.iter().filter(|keyword| !keyword.starts_with('^')).all(|keyword| {
            plain_keyword(text, start, keyword).is_none_or(|end| is_in_words(text, start, end))
        })
}

/// Whether a keyword that begins within a word ends within one, too (`configmap`), or holds the beginning of another
/// (`containsEntry`); what people write behind names of providers may follow: `mygithubtoken`.
fn is_in_words(text: &[u8], start: usize, end: usize) -> bool {
    let goes_on = text.get(end).is_some_and(u8::is_ascii_lowercase)
        && !FOLLOWERS.iter().any(|follower| word_at(text, end, follower).is_some());
    let keyword = text.get(start..end).unwrap_or_default();
    let begins_inside = |pair: &[u8]| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase();
    goes_on || keyword.windows(2).any(begins_inside)
}

/// Whether a value is the id of a git object: forty hexadecimal digits, the letters small.
fn is_object_id(value: &[u8]) -> bool {
    value.len() == 40 && value.iter().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(b))
}

/// The offset behind the keyword, when it stands at `at`; its words may be joined by one of [`JOINTS`] or nothing.
fn plain_keyword(text: &[u8], mut at: usize, keyword: &str) -> Option<usize> {
    let mut first = true;
    for word in words(keyword) {
        if !first && text.get(at).is_some_and(|&b| is_joint(b)) {
            at += 1;
        }
        first = false;
        at = word_at(text, at, word)?;
    }
    Some(at)
}

/// The offset behind a common word and its follower, when both stand at `at` or behind a `_` there.
fn common_keyword(text: &[u8], at: usize, keyword: &str) -> Option<usize> {
    let is_word = |at: usize| text.get(at).is_some_and(|&b| surroundings::is_word(b));
    let begins_word = is_word(at) != at.checked_sub(1).is_some_and(is_word);
    let behind = |at: usize| {
        let at = word_at(text, at, keyword)?;
        let follower = |at: usize| FOLLOWERS.iter().find_map(|follower| word_at(text, at, follower));
        follower(at).or_else(|| follower(at + 1).filter(|_| text.get(at).is_some_and(|&b| is_joint(b))))
    };
    let here = if begins_word { behind(at) } else { None };
    here.or_else(|| if text.get(at) == Some(&b'_') { behind(at + 1) } else { None })
}

fn word_at(text: &[u8], at: usize, word: &str) -> Option<usize> {
    let end = at + word.len();
    text.get(at..end)?.eq_ignore_ascii_case(word.as_bytes()).then_some(end)
}

fn is_joint(b: u8) -> bool {
    JOINTS.iter().any(|joint| joint.as_bytes() == [b])
}

#[cfg(test)]
mod tests;
