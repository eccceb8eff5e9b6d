//! Words that every match of a pattern holds: where one is missing, the pattern need not be tried, nor compiled.

use regex_syntax::hir::{Hir, HirKind};

use super::{Anchor, Text, Word, byte_rarity, finite, holds, literal_rarity};

/// Most words that are kept: the rarest.
const MOST: usize = 3;
/// Rarity in bits below which a word is everywhere.
const COMMON: f32 = 5.0;

/// The rarest words that every match holds, without those that each of the anchors holds anyway.
pub(super) fn of(hir: &Hir, anchors: &[Anchor]) -> Vec<Word> {
    let mut words = held(hir);
    let known = |w: &[u8]| !anchors.is_empty() && anchors.iter().all(|a| holds(&a.literal, w));
    words.retain(|w| rarity(w) >= COMMON && !known(w));
    words.sort_by(|a, b| rarity(b).total_cmp(&rarity(a)).then_with(|| a.cmp(b)));
    let mut kept: Vec<Vec<u8>> = Vec::new();
    for word in words {
        if kept.len() < MOST && !kept.iter().any(|k| holds(k, &word)) {
            kept.push(word);
        }
    }
    kept.into_iter().map(word).collect()
}

fn word(text: Vec<u8>) -> Word {
    let rank = |i: &usize| byte_rarity(text[*i], true);
    let rarest =
        (0..text.len().min(usize::from(u8::MAX))).max_by(|a, b| rank(a).total_cmp(&rank(b))).unwrap_or(0);
    Word { rarest: rarest as u8, text: text.into() }
}

fn rarity(word: &[u8]) -> f32 {
    match word {
        [b] if b.is_ascii_alphanumeric() || b.is_ascii_whitespace() => 0.0,
        _ => literal_rarity(word, true),
    }
}

/// Texts in lower case of which every match of the sub-pattern holds each, in either case.
fn held(hir: &Hir) -> Vec<Vec<u8>> {
    if let Some(text) = single(hir) {
        return vec![text];
    }
    match hir.kind() {
        HirKind::Capture(c) => held(&c.sub),
        HirKind::Repetition(r) if r.min > 0 => held(&r.sub),
        HirKind::Concat(parts) => {
            let mut all = Vec::new();
            let mut open = Vec::new();
            for part in parts {
                match single(part) {
                    Some(text) => open.extend(text),
                    None => {
                        all.push(std::mem::take(&mut open));
                        all.extend(held(part));
                    }
                }
            }
            all.push(open);
            all.retain(|word| !word.is_empty());
            all
        }
        HirKind::Alternation(parts) => {
            let branches: Vec<Vec<Vec<u8>>> = parts.iter().map(held).collect();
            let everywhere = |w: &Vec<u8>| branches.iter().all(|b| b.iter().any(|other| holds(other, w)));
            branches.iter().flatten().filter(|w| everywhere(w)).cloned().collect()
        }
        _ => Vec::new(),
    }
}

/// The one text that a sub-pattern can match, in lower case.
fn single(hir: &Hir) -> Option<Vec<u8>> {
    let [Text { bytes, .. }] = finite(hir)?.try_into().ok()?;
    Some(bytes.to_ascii_lowercase())
}
