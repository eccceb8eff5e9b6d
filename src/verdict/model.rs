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
use super::features::{self, COUNT, Family};

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
    number: i16,
    feature: u8,
    right: u8,
}

/// Trees, and the scores that count: the built-in ones, or others, to be measured.
#[derive(Debug, Default)]
pub struct Model {
    gate_least: i32,
    levels: Levels,
    gate: usize,
    nodes: Vec<Node>,
    /// Mean weight of the leaves below each node, for explanations.
    means: Vec<i16>,
    /// The least and the most that the scoring trees from each on can add.
    rest: Vec<(i32, i32)>,
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
        model.bound();
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
            let behind = feature == LEAF || usize::from(feature) < COUNT && usize::from(right) > at;
            let number = i16::from_le_bytes([low, high]);
            self.nodes.push(Node { feature, right, number });
            self.means.push(number);
            behind.then_some(())?;
        }
        // Children stand behind their parents: from the back, every mean is known when it is needed. Outside there is none.
        let mut leaves = vec![(0_i32, 0_i32); count];
        for at in (0..count).rev() {
            let node = self.nodes[first + at];
            leaves[at] = if node.feature == LEAF {
                (i32::from(node.number), 1)
            } else {
                let (a, b) = (leaves.get(at + 1)?, leaves.get(usize::from(node.right))?);
                (a.0 + b.0, a.1 + b.1)
            };
            self.means[first + at] = (leaves[at].0 / leaves[at].1.max(1)) as i16;
        }
        Some(())
    }

    /// Finds out what the trees can add at most.
    fn bound(&mut self) {
        let scoring = self.scoring();
        self.rest = vec![(0, 0); scoring.len() + 1];
        for n in scoring.clone().rev() {
            let leaves =
                self.tree(n).iter().filter(|node| node.feature == LEAF).map(|node| i32::from(node.number));
            // A tree without a leaf adds nothing.
            let (least, most) = (leaves.clone().min().unwrap_or(0), leaves.max().unwrap_or(0));
            let at = n - scoring.start;
            let after = self.rest[at + 1];
            self.rest[at] = (after.0 + least.min(0), after.1 + most.max(0));
        }
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

    /// A number that stands on the same side of each edge as [`score`](Self::score) does: above or at it, or below.
    ///
    /// Most candidates are far from every edge long before the last tree.
    pub(super) fn side(&self, vector: &Vector, edges: &[i32]) -> i32 {
        /// So many trees are asked between two looks at the edges.
        const STEP: usize = 16;
        let mut sum = 0;
        for (n, tree) in self.scoring().enumerate() {
            if n.is_multiple_of(STEP)
                && let Some((least, most)) = self.rest.get(n)
                && !edges.iter().any(|&edge| sum + least < edge && edge <= sum + most)
            {
                return sum + least;
            }
            sum += leaf(self.tree(tree), vector);
        }
        sum
    }

    /// How much each family of features moved the score, in no order: at every fork the score moves from
    /// the mean of the leaves below it to the mean below the branch that was taken.
    pub(super) fn moves(&self, vector: &Vector) -> [(Family, i32); Family::ALL.len()] {
        let mut moves: [(Family, i32); Family::ALL.len()] = std::array::from_fn(|i| (Family::ALL[i], 0));
        for n in self.scoring() {
            let tree = self.tree(n);
            let means = self.means.get(self.starts[n]..).unwrap_or_default();
            let mean = |at: usize| means.get(at).copied().map_or(0, i32::from);
            let mut at = 0;
            for _ in 0..DEEPEST {
                let Some(node) = tree.get(at).filter(|node| node.feature != LEAF) else {
                    break;
                };
                let to = next(node, at, vector);
                moves[features::family(usize::from(node.feature)) as usize].1 += mean(to) - mean(at);
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
    if vector.at(node.feature) > node.number { usize::from(node.right) } else { at + 1 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::matcher::generic::words::GROUP_NAMES;
    use crate::matcher::generic::{Evidence, Kind};
    use crate::verdict::filekind::FileKind;
    use crate::verdict::tests::model_file;

    proptest! {
        #[test]
        fn stopping_early_comes_to_the_same_side(
            kind in 0..Kind::ALL.len(),
            value in proptest::collection::vec(any::<u8>(), 0..40),
            sets in any::<[u64; 4]>(),
            numbers in any::<[u8; 5]>(),
            edges in proptest::collection::vec(-9000..9000_i32, 0..5),
        ) {
            let set = |n: usize| sets[n] & sets[(n + 1) % 4] & ((1 << GROUP_NAMES.len()) - 1);
            let evidence = Evidence {
                name: set(0), head: set(1), line: set(2), around: set(3), name_len: numbers[0], column: numbers[1],
                tail: numbers[2], next: numbers[3], marks: numbers[4], ..Evidence::default()
            };
            let vector = features::vector(Kind::ALL[kind], &value, &evidence, FileKind::UNKNOWN, None);
            let (model, exact) = (Model::built_in(), Model::built_in().score(&vector));
            // What moved the score, from where the trees begin, is the score.
            let begin: i32 = model.scoring().map(|n| i32::from(model.means[model.starts[n]])).sum();
            prop_assert_eq!(begin + model.moves(&vector).iter().map(|(_, delta)| delta).sum::<i32>(), exact);
            let near = [edges, vec![exact, exact + 1], vec![exact - 1]].concat();
            let side = model.side(&vector, &near);
            for edge in near {
                prop_assert_eq!(side >= edge, exact >= edge, "{} and {} at {}", side, exact, edge);
            }
        }
    }

    #[test]
    fn the_model_fits_the_program() {
        let model = Model::read(FILE).unwrap();
        assert!(FILE.len() <= 1 << 16 && model.gate > 0 && model.starts.len() > model.gate + 1);
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

    /// The number of the feature that is the value's length.
    const LENGTH: u8 = 13;
    const GATE: &[(u8, i16, u8)] = &[(LEAF, 7, 0)];

    /// The features of a value of this length.
    fn of_length(length: usize) -> Vector {
        let value = vec![b'x'; length];
        features::vector(Kind::Token, &value, &Evidence::default(), FileKind::UNKNOWN, None)
    }

    #[test]
    fn means_and_bounds_are_those_of_the_leaves() {
        // Up to three bytes 0, up to six 30, more 60: each leaf counts once, whatever its depth.
        let tree = [(LENGTH, 3, 2), (LEAF, 0, 0), (LENGTH, 6, 4), (LEAF, 30, 0), (LEAF, 60, 0)];
        let model =
            Model::read(&model_file([0; 4], &[GATE, &tree, &[(LENGTH, 3, 2), (LEAF, -10, 0), (LEAF, 5, 0)]]));
        let model = model.unwrap();
        assert_eq!(model.means, [7, 30, 0, 45, 30, 60, -2, -10, 5]);
        assert_eq!(model.rest, [(-10, 65), (-10, 5), (0, 0)]);
        assert_eq!([2, 5, 9].map(|n| model.score(&of_length(n))), [-10, 35, 65]);
    }

    #[test]
    fn the_gate_opens_at_its_least_score() {
        for (least, opens) in [(7, true), (8, false)] {
            let model = Model::read(&model_file([least, 0, 0, 0], &[GATE])).unwrap();
            assert_eq!(model.passes_gate(&of_length(1)), opens);
        }
    }

    #[test]
    fn the_trees_are_left_where_no_edge_can_be_crossed() {
        let model =
            Model::read(&model_file([0; 4], &[GATE, &[(LENGTH, 3, 2), (LEAF, -10, 0), (LEAF, 30, 0)]]));
        let (model, vector) = (model.unwrap(), of_length(9));
        assert_eq!(model.score(&vector), 30);
        // The least that can be is told at once: every score is above or at the edge, or all are below.
        for (edge, said) in [(-10, -10), (-9, 30), (30, 30), (31, -10)] {
            assert_eq!(model.side(&vector, &[edge]), said, "{edge}");
        }
        // After sixteen trees there is another look.
        let mut trees: Vec<&[(u8, i16, u8)]> = vec![GATE];
        trees.extend([&[(LEAF, 100, 0)][..]; 16]);
        let last = [(LENGTH, 3, 2), (LEAF, -10, 0), (LEAF, 30, 0)];
        trees.push(&last);
        let model = Model::read(&model_file([0; 4], &trees)).unwrap();
        for (edge, said) in [(1590, 1590), (1591, 1630), (1630, 1630)] {
            assert_eq!(model.side(&vector, &[edge]), said, "{edge}");
        }
    }

    #[test]
    fn nodes_point_forward_and_at_features() {
        let read = |tree: &[(u8, i16, u8)]| Model::read(&model_file([0; 4], &[GATE, tree])).is_some();
        let last = COUNT as u8 - 1;
        let leaves = [(LEAF, 1, 0), (LEAF, 2, 0)];
        assert!(read(&[(last, 0, 2), leaves[0], leaves[1]]));
        assert!(!read(&[(last + 1, 0, 2), leaves[0], leaves[1]]), "no such feature");
        assert!(!read(&[(last, 0, 3), leaves[0], leaves[1]]), "no such node");
        assert!(!read(&[(last, 0, 0), leaves[0], leaves[1]]), "itself");
    }
}
