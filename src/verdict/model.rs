//! The learned part of the verdict: a sum of decision trees over [`super::features`], in integers.
//!
//! `model.bin` is written by `tools/train/train.py`. Its layout, little-endian:
//!
//! | bytes | what |
//! |---|---|
//! | 4 | `STM1` |
//! | 2 | number of features; must be that of `features::COUNT` |
//! | 2 | number of trees |
//! | 4 + 4 + 4 + 4 | bias; least score of low, medium, high confidence |
//! | 2 × features | typical vector: medians of what is no secret, for explanations |
//! | per tree | 1 byte: number of nodes, then 4 bytes for each, in preorder |
//!
//! A node is `feature: u8, threshold: i16, right: u8`: when the feature's value is at most the
//! threshold, go to the next node, else to node `right` of the tree. Feature 255 is a leaf, and the
//! threshold its weight. Scores are logarithms of odds, times [`SCALE`].

use super::features::COUNT;

static MODEL: &[u8] = include_bytes!("model.bin");

/// Score of odds of *e* to one.
pub const SCALE: i32 = 1024;
/// A node whose feature is this is a leaf.
const LEAF: u8 = 255;
const NODE: usize = 4;
const HEADER: usize = 24;
/// No path through a tree is longer: a damaged file cannot loop.
const DEEPEST: usize = 64;

/// The features of a candidate.
pub type Vector = [i16; COUNT];

/// Least scores of the three levels of confidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Levels {
    /// Low.
    pub low: i32,
    /// Medium.
    pub medium: i32,
    /// High.
    pub high: i32,
}

fn int(at: usize) -> i32 {
    MODEL
        .get(at..at + 4)
        .and_then(|b| b.try_into().ok())
        .map_or(0, i32::from_le_bytes)
}

fn short(at: usize) -> i16 {
    MODEL
        .get(at..at + 2)
        .and_then(|b| b.try_into().ok())
        .map_or(0, i16::from_le_bytes)
}

/// Whether the file fits this program; a test keeps it so.
pub fn is_sound() -> bool {
    MODEL.starts_with(b"STM1")
        && usize::from(short(4) as u16) == COUNT
        && MODEL.len() <= 1 << 16
        && trees().map(|_| 1).sum::<usize>() == usize::from(short(6) as u16)
}

/// The least scores of the levels.
pub fn levels() -> Levels {
    Levels {
        low: int(12),
        medium: int(16),
        high: int(20),
    }
}

/// A typical value of a feature among what is no secret.
pub fn typical(feature: usize) -> i16 {
    short(HEADER + 2 * feature)
}

/// The nodes of each tree.
fn trees() -> impl Iterator<Item = &'static [u8]> {
    let mut rest = MODEL.get(HEADER + 2 * COUNT..).unwrap_or_default();
    std::iter::from_fn(move || {
        let (&nodes, body) = rest.split_first()?;
        let (tree, next) = body.split_at_checked(usize::from(nodes) * NODE)?;
        rest = next;
        Some(tree)
    })
}

/// The score of a candidate: above 0 it is more likely a secret than not, in the training data's mix.
pub fn score(vector: &Vector) -> i32 {
    int(8) + trees().map(|tree| leaf(tree, vector)).sum::<i32>()
}

fn leaf(tree: &[u8], vector: &Vector) -> i32 {
    let mut at = 0;
    for _ in 0..DEEPEST {
        let Some(&[feature, low, high, right]) = tree.get(at * NODE..at * NODE + NODE) else {
            return 0;
        };
        let number = i16::from_le_bytes([low, high]);
        if feature == LEAF {
            return i32::from(number);
        }
        let below = vector
            .get(usize::from(feature))
            .is_none_or(|&value| value <= number);
        at = if below { at + 1 } else { usize::from(right) };
    }
    0
}
