//! Names for what decided: which families of features moved the score most, and which way.

use super::features::{self, Family};
use super::model::{self, Vector};
use super::placeholder;

/// Most reasons of each direction that are named.
const MOST: usize = 3;
/// Smaller moves than this are not named (a factor of about 1.3 in the odds).
const LEAST: i32 = model::SCALE / 4;

/// The reasons for a score, the weightiest first.
///
/// Each family of features is put back to what is typical of harmless values, and the score computed
/// anew: the difference is what the family contributed. That costs a few dozen microseconds, so it is
/// done only for what is reported; for the rest the placeholder, if it is one, or the score, is named.
pub(super) fn of(value: &[u8], vector: &Vector, score: i32, reported: bool) -> Vec<&'static str> {
    let mut reasons = Vec::new();
    if let Some(reason) = placeholder::placeholder(value) {
        reasons.push(reason);
    }
    if !reported {
        reasons.push("score-too-low");
        return reasons;
    }
    let mut moves: Vec<(i32, Family)> = Family::ALL
        .iter()
        .map(|&family| (score - model::score(&without(vector, family)), family))
        .collect();
    moves.sort_by_key(|&(delta, _)| std::cmp::Reverse(delta));
    reasons.extend(
        moves
            .iter()
            .take(MOST)
            .filter(|m| m.0 >= LEAST)
            .map(|m| m.1.speaks_for()),
    );
    reasons.extend(
        moves
            .iter()
            .rev()
            .take(MOST)
            .filter(|m| m.0 <= -LEAST)
            .map(|m| m.1.speaks_against()),
    );
    reasons
}

/// The vector with the features of one family as they are in harmless values.
fn without(vector: &Vector, family: Family) -> Vector {
    let mut other = *vector;
    for (i, slot) in other.iter_mut().enumerate() {
        if features::family(i) == family {
            *slot = model::typical(i);
        }
    }
    other
}
