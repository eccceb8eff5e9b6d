//! A pattern without its large upper bounds: a hundredth of the size, and the same matches while they are short.
//!
//! `[a-z]{16,8000}` compiles to eight thousand states, `[a-z]{16,}` to sixteen. Every match of a pattern is one of
//! its relaxed form, and both prefer the same one among those that both allow. So where the relaxed form finds
//! nothing, there is nothing; and a match too short to go beyond any of the bounds is the pattern's own.

use regex_automata::meta::Regex;
use regex_syntax::hir::{Capture, Hir, HirKind, Repetition};

use super::{analyse, set};

/// Repetitions that can match at most so many bytes keep their bound ...
const SMALL: usize = 256;
/// ... unless the pattern has more states than this even so. Then it gives up the next largest, and so on ...
const LARGE: usize = 1500;
/// ... down to those of so many bytes.
const SMALL_OF_LARGE: usize = 24;

/// A relaxed pattern.
#[derive(Debug)]
pub struct Relaxed {
    /// The regex, with the groups of the pattern.
    pub regex: Regex,
    /// Matches of at most so many bytes are matches of the pattern itself.
    pub exact_up_to: usize,
}

/// The relaxed form of a pattern; None when it has no large bounds.
pub fn relax(pattern: &str) -> Option<Relaxed> {
    let strict = analyse::parse(pattern).ok()?;
    let (mut hir, mut exact_up_to) = (strict.clone(), usize::MAX);
    for small in kept_bounds(&strict) {
        exact_up_to = usize::MAX;
        hir = relaxed(&strict, small, &mut exact_up_to);
        if states(&hir) <= LARGE {
            break;
        }
    }
    if exact_up_to == usize::MAX {
        return None;
    }
    Some(Relaxed { regex: set::build_hir(&hir).ok()?, exact_up_to })
}

/// Up to which bound repetitions can keep theirs: what is tried, one after the other. The first is the largest that is
/// no more than [`SMALL`], so that nothing is tried twice.
fn kept_bounds(hir: &Hir) -> Vec<usize> {
    fn collect(hir: &Hir, bounds: &mut Vec<usize>) {
        match hir.kind() {
            HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => {}
            HirKind::Capture(capture) => collect(&capture.sub, bounds),
            HirKind::Concat(parts) | HirKind::Alternation(parts) => {
                parts.iter().for_each(|part| collect(part, bounds));
            }
            HirKind::Repetition(repetition) => {
                bounds.push(longest(repetition));
                collect(&repetition.sub, bounds);
            }
        }
    }
    let mut bounds = vec![SMALL_OF_LARGE];
    collect(hir, &mut bounds);
    bounds.retain(|bound| (SMALL_OF_LARGE..=SMALL).contains(bound));
    bounds.sort_unstable_by_key(|&bound| std::cmp::Reverse(bound));
    bounds.dedup();
    bounds
}

/// So many bytes at least when it is repeated as often as it may be; 0 where there is no bound.
fn longest(repetition: &Repetition) -> usize {
    let least = repetition.sub.properties().minimum_len().unwrap_or(0);
    repetition.max.map_or(0, |max| least.saturating_mul(max as usize))
}

/// About how many states a pattern compiles to.
fn states(hir: &Hir) -> usize {
    let sum = |parts: &[Hir]| parts.iter().map(states).fold(0, usize::saturating_add);
    match hir.kind() {
        HirKind::Empty => 0,
        HirKind::Literal(literal) => literal.0.len(),
        HirKind::Class(_) | HirKind::Look(_) => 1,
        HirKind::Capture(capture) => states(&capture.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => sum(parts),
        HirKind::Repetition(r) => {
            let times = r.max.unwrap_or(r.min.saturating_add(1));
            states(&r.sub).saturating_mul(times as usize)
        }
    }
}

fn relaxed(hir: &Hir, small: usize, exact_up_to: &mut usize) -> Hir {
    match hir.kind() {
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => hir.clone(),
        HirKind::Capture(capture) => Hir::capture(Capture {
            sub: Box::new(relaxed(&capture.sub, small, exact_up_to)),
            ..capture.clone()
        }),
        HirKind::Concat(parts) => {
            Hir::concat(parts.iter().map(|part| relaxed(part, small, exact_up_to)).collect())
        }
        HirKind::Alternation(parts) => {
            Hir::alternation(parts.iter().map(|part| relaxed(part, small, exact_up_to)).collect())
        }
        HirKind::Repetition(repetition) => {
            let sub = relaxed(&repetition.sub, small, exact_up_to);
            let longest = longest(repetition);
            let large = longest > small;
            if large {
                *exact_up_to = longest.min(*exact_up_to);
            }
            let max = repetition.max.filter(|_| !large);
            Hir::repetition(Repetition { max, sub: Box::new(sub), ..repetition.clone() })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use regex_automata::{Anchored, Input};

    #[test]
    fn small_bounds_stay() {
        assert!(relax("a{1,200}b{3}(?:cd){100}").is_none());
        let exact = |pattern: &str| relax(pattern).map(|relaxed| relaxed.exact_up_to);
        assert_eq!(
            exact("(?:ab[cd]{0,60}){1,40}e{30}f{25,}"),
            Some(80),
            "a large pattern gives up smaller ones"
        );
        assert_eq!(exact("[ab]{0,40}=[ab]{20,16000}"), Some(16000), "and no more of them than it must");
        assert_eq!(relax("(?:[ab]{1,300}=(?:xy){5,200}){1,2}").map(|r| r.exact_up_to), Some(300));
    }

    proptest! {
        /// As the matcher uses it, the relaxed form changes nothing.
        #[test]
        fn short_matches_are_the_patterns_own(
            runs in proptest::collection::vec((prop_oneof![Just(b'a'), Just(b'b'), Just(b'='), Just(b'x')], prop_oneof![1..20usize, 240..310usize]), 1..6),
            pattern in prop_oneof![
                Just("a{2,300}(b{1,290})?="), Just("(a{3,260}?)[ab]"), Just("(?:=|b)([ab]{10,300})(?:[^ab]|\\z)"),
                Just("(?:(a)|(b{2,270}))x?"), Just("((?:ab|a){1,300})="),
                Just("(?:a{1,40}b{2,60}?|[ab]{3,50}x){1,30}(=)")],
            anchored in any::<bool>(),
        ) {
            let text: Vec<u8> = runs.iter().flat_map(|&(b, n)| std::iter::repeat_n(b, n)).collect();
            let strict = set::build(pattern).unwrap();
            let loose = relax(pattern).unwrap();
            let mode = if anchored { Anchored::Yes } else { Anchored::No };
            for start in (0..text.len()).step_by(7) {
                let input = Input::new(&text).range(start..).anchored(mode);
                let groups = |regex: &Regex| {
                    let mut all = regex.create_captures();
                    regex.captures(input.clone(), &mut all);
                    (0..all.group_len()).map(|g| all.get_group(g)).collect::<Vec<_>>()
                };
                let (expected, found) = (groups(&strict), groups(&loose.regex));
                match found.first().copied().flatten() {
                    None => prop_assert!(expected.is_empty()),
                    Some(whole) if whole.len() <= loose.exact_up_to => prop_assert_eq!(expected, found),
                    Some(_) => {}
                }
            }
        }
    }
}
