//! Words that every match of a pattern holds: where one is missing, the pattern need not be tried, nor compiled.

use regex_syntax::hir::{Hir, HirKind};

use super::{Anchor, Word, byte_rarity, finite, holds, literal_rarity};

/// Most words that are kept: the rarest.
const MOST: usize = 3;
/// Most texts of which one is a word.
const MOST_TEXTS: usize = 12;
/// Rarity in bits below which a word is everywhere.
const COMMON: f32 = 5.0;

/// Texts in lower case of which every match holds one, in either case: at least one. With an empty one among them it
/// tells nothing, and is too common to be kept.
type Choice = Vec<Vec<u8>>;

/// The rarest words that every match holds, without those that each of the anchors holds anyway.
pub(super) fn of(hir: &Hir, anchors: &[Anchor]) -> Vec<Word> {
    let mut words = held(hir);
    let has_one = |text: &[u8], choice: &Choice| choice.iter().any(|word| holds(text, word));
    let known = |choice: &Choice| !anchors.is_empty() && anchors.iter().all(|a| has_one(&a.literal, choice));
    words.retain(|choice| rarity(choice) >= COMMON && !known(choice));
    words.sort_by(|a, b| rarity(b).total_cmp(&rarity(a)).then_with(|| a.cmp(b)));
    let mut kept: Vec<Choice> = Vec::new();
    for choice in words {
        // What is there whenever one of the others is says nothing more.
        let implied = |other: &Choice| other.iter().all(|text| has_one(text, &choice));
        if kept.len() < MOST && !kept.iter().any(implied) {
            kept.push(choice);
        }
    }
    kept.into_iter().map(word).collect()
}

fn word(mut choice: Choice) -> Word {
    let first = choice.remove(0);
    let others: Vec<Word> = choice.into_iter().map(|text| word(vec![text])).collect();
    let rank = |i: &usize| byte_rarity(first[*i], true);
    let rarest =
        (0..first.len().min(usize::from(u8::MAX))).max_by(|a, b| rank(a).total_cmp(&rank(b))).unwrap_or(0);
    Word { rarest: rarest as u8, text: first.into(), others: others.into() }
}

/// How rare it is that one of these is there.
fn rarity(choice: &Choice) -> f32 {
    let least = choice.iter().map(|text| rarity_of_one(text)).fold(f32::INFINITY, f32::min);
    least - (choice.len() as f32).log2()
}

fn rarity_of_one(word: &[u8]) -> f32 {
    match word {
        [b] if b.is_ascii_alphanumeric() || b.is_ascii_whitespace() => 0.0,
        _ => literal_rarity(word, true),
    }
}

/// What every match of the sub-pattern holds one of, for each choice.
fn held(hir: &Hir) -> Vec<Choice> {
    if let Some(choice) = texts(hir) {
        return vec![choice];
    }
    match hir.kind() {
        HirKind::Capture(c) => held(&c.sub),
        HirKind::Repetition(r) if r.min > 0 => held(&r.sub),
        HirKind::Concat(parts) => of_sequence(parts),
        HirKind::Alternation(parts) => of_branches(&parts.iter().map(held).collect::<Vec<_>>()),
        _ => Vec::new(),
    }
}

/// Of parts that follow one another: those of a few texts each, as long as these are few together, and what the others
/// hold.
fn of_sequence(parts: &[Hir]) -> Vec<Choice> {
    let mut all: Vec<Choice> = Vec::new();
    let mut open: Choice = vec![Vec::new()];
    for part in parts {
        let Some(next) = texts(part) else {
            all.push(std::mem::replace(&mut open, vec![Vec::new()]));
            all.extend(held(part));
            continue;
        };
        if next.len() > 1 {
            all.push(open.clone()); // what one of more texts goes on from says most by itself
        }
        if open.len() * next.len() > MOST_TEXTS {
            open = vec![Vec::new()];
        }
        open = open.iter().flat_map(|text| next.iter().map(|next| [&text[..], next].concat())).collect();
    }
    all.push(open);
    all.retain(|choice| choice.iter().all(|text| !text.is_empty()));
    all
}

/// Of branches of which one matches: what all of them hold, and the choice between the rarest of each.
fn of_branches(branches: &[Vec<Choice>]) -> Vec<Choice> {
    let one_word = |choice: &&Choice| choice.len() == 1;
    let has = |branch: &Vec<Choice>, word: &[u8]| {
        branch.iter().any(|other| other.iter().all(|text| holds(text, word)))
    };
    let everywhere = |choice: &&Choice| branches.iter().all(|branch| has(branch, &choice[0]));
    let mut all: Vec<Choice> =
        branches.iter().flatten().filter(one_word).filter(everywhere).cloned().collect();
    let rarest = |branch: &Vec<Choice>| {
        branch.iter().max_by(|a, b| rarity(a).total_cmp(&rarity(b)).then_with(|| b.cmp(a))).cloned()
    };
    if let Some(each) = branches.iter().map(rarest).collect::<Option<Vec<Choice>>>() {
        let mut either: Choice = each.concat();
        either.sort();
        either.dedup();
        if either.len() <= MOST_TEXTS {
            all.push(either);
        }
    }
    all
}

/// The few texts, in lower case, of which a sub-pattern can match no others; the one of them that is empty, too.
fn texts(hir: &Hir) -> Option<Choice> {
    let mut all: Choice = finite(hir)?.into_iter().map(|text| text.bytes.to_ascii_lowercase()).collect();
    all.sort();
    all.dedup();
    (1..=MOST_TEXTS).contains(&all.len()).then_some(all)
}
