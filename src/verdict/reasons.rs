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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matcher::generic::{Evidence, Kind};
    use crate::verdict::features;
    use crate::verdict::filekind::FileKind;
    use crate::verdict::tests::model_file;

    /// The reasons of a model in which the length of the value, and that of its name, move the score by so much.
    fn moved_by(length: i16, name: i16) -> Vec<&'static str> {
        // The mean of two leaves lies between them.
        let tree = |feature: u8, by: i16| [(feature, 0, 2), (255, 0, 0), (255, 2 * by, 0)];
        let gate = [(255, 0, 0)];
        let file = model_file([0; 4], &[&gate, &tree(13, length), &tree(5, name)]);
        let evidence = Evidence { name_len: 9, ..Evidence::default() };
        let vector = features::vector(Kind::Token, b"x", &evidence, FileKind::UNKNOWN, None);
        of(&Model::read(&file).unwrap(), &vector)
    }

    #[test]
    fn what_moves_a_score_by_a_quarter_is_named() {
        let least = LEAST as i16;
        let (length, name) = ("length-of-a-secret", "name-of-a-credential");
        assert_eq!(moved_by(least, least + 1), [name, length]);
        assert_eq!(moved_by(least - 1, least + 1), [name]);
        assert_eq!(moved_by(least - 1, least - 2), [length], "none does: the most");
        let (length, name) = ("length-unusual-for-a-secret", "name-of-something-else");
        assert_eq!(moved_by(-least, -least - 1), [name, length]);
        assert_eq!(moved_by(-least + 1, -least - 1), [name]);
    }
}
