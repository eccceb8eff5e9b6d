//! Patterns that are a few runs of bytes one after the other: they can be matched without a regex engine.

use regex_syntax::hir::{Hir, HirKind};

use super::super::rule::Run;
use super::runs::class_of;

/// Most steps of one way, and most ways.
const MOST: usize = 96;
/// Most steps of one way of which several lengths are tried with what follows: each is, with each length of those
/// before it.
const MOST_VARIABLE: usize = 2;

/// One part of a [way](ways): a run of `run.min` bytes at least, of one class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Class and least length in bytes.
    pub run: Run,
    /// Greatest length in bytes; as many as there are are taken first.
    pub most: usize,
}

impl Step {
    fn is_variable(&self) -> bool {
        self.most != self.run.min as usize
    }

    /// Whether a shorter run than the longest can be the one that `next` follows: it cannot where `next` takes none
    /// of the bytes that this takes.
    fn gives_back(&self, next: Option<&Step>) -> bool {
        let shares = |next: &Step| next.run.class.iter().zip(&self.run.class).any(|(a, b)| a & b != 0);
        self.is_variable() && next.is_none_or(|next| next.run.min == 0 || shares(next))
    }
}

/// The ways in which a pattern matches, in its order of preference; None when it is more than that.
///
/// Trying each way in turn, each step as long as it goes and then shorter, finds what a search with the pattern
/// finds from one start (leftmost-first). This holds because nothing of several lengths stands before a choice.
pub fn ways(hir: &Hir) -> Option<Vec<Vec<Step>>> {
    match hir.kind() {
        HirKind::Empty => Some(vec![Vec::new()]),
        HirKind::Literal(l) => {
            let step = |&b: &u8| {
                let mut class = [0; 4];
                super::runs::add_range(&mut class, b, b);
                Step { run: Run { class, min: 1, digit: false }, most: 1 }
            };
            Some(vec![l.0.iter().map(step).collect()]).and_then(if_few)
        }
        HirKind::Class(class) => {
            let run = Run { class: class_of(class)?, min: 1, digit: false };
            Some(vec![vec![Step { run, most: 1 }]])
        }
        HirKind::Repetition(r) => {
            let most = r.max.map_or(usize::MAX, |max| max as usize);
            let one = ways(&r.sub)?;
            if let [way] = one.as_slice()
                && let [Step { run: Run { class, min: 1, .. }, most: 1 }] = *way.as_slice()
            {
                let run = Run { class, min: r.min, digit: false };
                return (r.greedy || r.min as usize == most).then(|| vec![vec![Step { run, most }]]);
            }
            let exactly = |n: usize| (0..n).try_fold(vec![Vec::new()], |all, _| followed_by(all, &one));
            match (r.min as usize, most) {
                (min, most) if min == most && most <= MOST => exactly(most),
                (0, 1) if r.greedy => Some(one.into_iter().chain([Vec::new()]).collect()).and_then(if_few),
                _ => None,
            }
        }
        HirKind::Concat(parts) => {
            parts.iter().try_fold(vec![Vec::new()], |all, part| followed_by(all, &ways(part)?))
        }
        HirKind::Alternation(parts) => {
            let all: Option<Vec<_>> = parts.iter().map(ways).collect();
            all.map(|all| all.concat()).and_then(if_few)
        }
        HirKind::Look(_) | HirKind::Capture(_) => None,
    }
}

fn followed_by(all: Vec<Vec<Step>>, next: &[Vec<Step>]) -> Option<Vec<Vec<Step>>> {
    if next.len() > 1 && all.iter().flatten().any(Step::is_variable) {
        return None;
    }
    let joined = all.iter().flat_map(|way| next.iter().map(|next| [way.as_slice(), next].concat())).collect();
    Some(joined).and_then(if_few)
}

fn if_few(ways: Vec<Vec<Step>>) -> Option<Vec<Vec<Step>>> {
    let is_small = |way: &Vec<Step>| {
        let tried = (0..way.len()).filter(|&at| way[at].gives_back(way.get(at + 1)));
        way.len() <= MOST && tried.count() <= MOST_VARIABLE
    };
    (ways.len() <= MOST && ways.iter().all(is_small)).then_some(ways)
}
