//! Names for what decided: which families of features moved the score most, and which way.

use super::features::Family;
use super::model::{self, Model, Vector};

/// Most reasons of each direction that are named.
const MOST: usize = 3;
/// Smaller moves than this are not named (a factor of about 1.3 in the odds).
const LEAST: i32 = model::SCALE / 4;

/// The reasons for a score: what raised it most, then what lowered it most. Where nothing did much, what raised it at
/// all: no verdict is without one.
pub(super) fn of(model: &Model, vector: &Vector) -> Vec<&'static str> {
    let mut moves = model.moves(vector);
    moves.sort_by_key(|&(_, delta)| std::cmp::Reverse(delta));
    let up = moves.iter().take(MOST).filter(|m| m.1 >= LEAST).map(|m| Family::speaks_for(m.0));
    let down = moves.iter().rev().take(MOST).filter(|m| m.1 <= -LEAST).map(|m| Family::speaks_against(m.0));
    let mut reasons: Vec<_> = up.chain(down).collect();
    if reasons.is_empty() {
        reasons.extend(moves.first().map(|m| Family::speaks_for(m.0)));
    }
    reasons
}
