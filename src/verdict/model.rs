//! The learned part of the verdict: a sum of decision trees over [`super::features`], in integers.
//!
//! `model.bin` is written by `tools/train/train.py`. Its layout, little-endian:
//!
//! | bytes | what |
//! |---|---|
//! | 4 | `STM2` |
//! | 2 + 2 + 2 | number of features (that of `features::COUNT`), of trees of the gate, of all trees |
//! | 2 | unused |
//! | 4 × 4 | least score of the gate; of low, medium and high confidence |
//! | per tree | 1 byte: number of nodes, then 4 bytes for each, in preorder |
//!
//! A node is `feature: u8, threshold: i16, right: u8`: when the feature's value is at most the
//! threshold, go to the next node, else to node `right` of the tree. Feature 255 is a leaf, and the
//! threshold its weight. Scores are logarithms of odds, times [`SCALE`].
//!
//! The *gate* is a small model by itself that turns away what the trees would hardly accept: most
//! candidates never see the others.

use std::ops::Range;
use std::sync::LazyLock;

pub use super::features::Vector;
use super::features::{self, COUNT, Family, Slot};

static FILE: &[u8] = include_bytes!("model.bin");
static MODEL: LazyLock<Model> = LazyLock::new(|| Model::read(FILE).unwrap_or_default());

/// Score of odds of *e* to one.
pub const SCALE: i32 = 1024;
/// A node whose feature is this is a leaf.
const LEAF: u8 = 255;
const HEADER: usize = 28;
/// No path through a tree is longer: a damaged file cannot loop.
const DEEPEST: usize = 64;

/// Least scores of the three levels of confidence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Levels {
    /// Low.
    pub low: i32,
    /// Medium.
    pub medium: i32,
    /// High.
    pub high: i32,
}

#[derive(Clone, Copy, Debug)]
struct Node {
    feature: u8,
    right: u8,
    slot: Slot,
    number: i16,
    /// Mean weight of the leaves below, for explanations.
    mean: i16,
}

/// Trees, and the scores that count: the built-in ones, or others, to be measured.
#[derive(Debug, Default)]
pub struct Model {
    gate_least: i32,
    levels: Levels,
    gate: usize,
    nodes: Vec<Node>,
    /// First node of each tree, and the end of the last one.
    starts: Vec<usize>,
}

impl Model {
    /// The model of this program.
    pub fn built_in() -> &'static Model {
        &MODEL
    }

    /// Reads a file in the layout above; None when it does not fit this program.
    pub fn read(file: &[u8]) -> Option<Model> {
        let short = |at: usize| Some(u16::from_le_bytes(file.get(at..at + 2)?.try_into().ok()?));
        let int = |at: usize| Some(i32::from_le_bytes(file.get(at..at + 4)?.try_into().ok()?));
        if !file.starts_with(b"STM2") || usize::from(short(4)?) != COUNT {
            return None;
        }
        let mut model = Model {
            gate: usize::from(short(6)?),
            gate_least: int(12)?,
            levels: Levels { low: int(16)?, medium: int(20)?, high: int(24)? },
            ..Model::default()
        };
        let mut rest = file.get(HEADER..)?;
        for _ in 0..short(8)? {
            let (&count, body) = rest.split_first()?;
            let (tree, next) = body.split_at_checked(usize::from(count) * 4)?;
            model.starts.push(model.nodes.len());
            model.add(tree)?;
            rest = next;
        }
        model.starts.push(model.nodes.len());
        rest.is_empty().then_some(model)
    }

    /// Appends the nodes of one tree; None when one points outside.
    fn add(&mut self, tree: &[u8]) -> Option<()> {
        let first = self.nodes.len();
        let count = tree.len() / 4;
        for node in tree.chunks_exact(4) {
            let [feature, low, high, right] = *node else {
                return None;
            };
            let at = self.nodes.len() - first;
            let inside = feature == LEAF
                || usize::from(feature) < COUNT && usize::from(right) > at && usize::from(right) < count;
            let number = i16::from_le_bytes([low, high]);
            let slot = Slot::of(usize::from(feature)).unwrap_or(Slot::Plain(LEAF));
            self.nodes.push(Node { feature, right, slot, number, mean: number });
            inside.then_some(())?;
        }
        // Children stand behind their parents: from the back, every mean is known when it is needed.
        let mut leaves = vec![(0_i32, 0_i32); count];
        for at in (0..count).rev() {
            let node = self.nodes[first + at];
            leaves[at] = if node.feature == LEAF {
                (i32::from(node.number), 1)
            } else {
                let (a, b) = (leaves.get(at + 1)?, leaves.get(usize::from(node.right))?);
                (a.0 + b.0, a.1 + b.1)
            };
            self.nodes[first + at].mean = (leaves[at].0 / leaves[at].1.max(1)) as i16;
        }
        Some(())
    }

    fn tree(&self, n: usize) -> &[Node] {
        match (self.starts.get(n), self.starts.get(n + 1)) {
            (Some(&a), Some(&b)) => self.nodes.get(a..b).unwrap_or_default(),
            _ => &[],
        }
    }

    /// Sum of the leaves of some trees.
    fn sum(&self, trees: Range<usize>, vector: &Vector) -> i32 {
        trees.map(|n| leaf(self.tree(n), vector)).sum()
    }

    /// The trees that make up the score.
    fn scoring(&self) -> Range<usize> {
        self.gate..self.starts.len().saturating_sub(1)
    }

    /// The least scores of the levels.
    pub fn levels(&self) -> Levels {
        self.levels
    }

    /// Whether a candidate is worth a full look.
    pub fn passes_gate(&self, vector: &Vector) -> bool {
        self.sum(0..self.gate, vector) >= self.gate_least
    }

    /// The score of a candidate: above 0 it is more likely a secret than not, in the training data's mix.
    pub fn score(&self, vector: &Vector) -> i32 {
        self.sum(self.scoring(), vector)
    }

    /// How much each family of features moved the score, in no order: at every fork the score moves from
    /// the mean of the leaves below it to the mean below the branch that was taken.
    pub(super) fn moves(&self, vector: &Vector) -> [(Family, i32); Family::ALL.len()] {
        let mut moves: [(Family, i32); Family::ALL.len()] = std::array::from_fn(|i| (Family::ALL[i], 0));
        for n in self.scoring() {
            let tree = self.tree(n);
            let mut at = 0;
            for _ in 0..DEEPEST {
                let Some(node) = tree.get(at).filter(|node| node.feature != LEAF) else {
                    break;
                };
                let to = next(node, at, vector);
                let after = tree.get(to).map_or(node.mean, |n| n.mean);
                moves[features::family(usize::from(node.feature)) as usize].1 +=
                    i32::from(after) - i32::from(node.mean);
                at = to;
            }
        }
        moves
    }
}

fn leaf(tree: &[Node], vector: &Vector) -> i32 {
    let mut at = 0;
    for _ in 0..DEEPEST {
        let Some(node) = tree.get(at) else { return 0 };
        if node.feature == LEAF {
            return i32::from(node.number);
        }
        at = next(node, at, vector);
    }
    0
}

fn next(node: &Node, at: usize, vector: &Vector) -> usize {
    if vector.at(node.slot) > node.number { usize::from(node.right) } else { at + 1 }
}

/// Whether the file fits this program; a test keeps it so.
pub fn is_sound() -> bool {
    FILE.len() <= 1 << 16 && Model::read(FILE).is_some_and(|m| m.gate > 0 && m.starts.len() > m.gate + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_fits_the_program() {
        assert!(is_sound());
        let Levels { low, medium, high } = Model::built_in().levels();
        assert!(low < medium && medium < high);
    }

    #[test]
    fn a_damaged_model_is_refused() {
        assert!(Model::read(&FILE[..FILE.len() - 1]).is_none(), "cut");
        let mut other = FILE.to_vec();
        other[4] ^= 1;
        assert!(Model::read(&other).is_none(), "other features");
        let mut loops = FILE.to_vec();
        loops[HEADER + 4] = 0;
        assert!(Model::read(&loops).is_none(), "a node that points back");
    }
}
