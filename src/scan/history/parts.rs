//! How the trees of a log hang together, and which of their entries can lead to values.

use rayon::prelude::*;

use super::oids::OidMap;
use super::sets::{ListId, SetId};
use super::trees::{Entry, TreeLog, TreeRecord};
use crate::source::git::Oid;

/// No number.
const NONE: u32 = u32::MAX;
/// Records that one thread looks at in one go.
const CHUNK: usize = 4096;

/// An entry of a tree that may have values behind it.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// Its place in the log.
    pub entry: u32,
    /// Its name's number.
    name: u32,
    /// What is behind it.
    pub behind: Behind,
}

/// What is behind an entry.
#[derive(Clone, Copy, Debug)]
pub enum Behind {
    /// A blob with these values.
    Values(SetId),
    /// The tree of this record.
    Tree(u32),
    /// A tree that was known before, with this list.
    Known(ListId),
}

impl Part {
    fn tree(&self) -> Option<u32> {
        match self.behind {
            Behind::Tree(tree) => Some(tree),
            Behind::Values(_) | Behind::Known(_) => None,
        }
    }
}

/// How the trees of a log are made from each other, whatever they hold.
pub struct Families {
    /// The place of the record of each tree.
    pub index: OidMap<u32>,
    /// By the place of a record, that of its base; [`NONE`] if it has none.
    base_of: Vec<u32>,
    /// By the place of a record, that of the root of its family.
    roots: Vec<u32>,
}

impl Families {
    /// Finds them out.
    pub fn of(log: &TreeLog) -> Self {
        let index: OidMap<u32> = log.records.iter().zip(0..).map(|(record, at)| (record.oid, at)).collect();
        let base = |record: &TreeRecord| record.base.and_then(|base| index.get(&base).copied());
        let base_of: Vec<u32> = log.records.par_iter().map(|record| base(record).unwrap_or(NONE)).collect();
        let roots = roots(&base_of);
        Families { index, base_of, roots }
    }
}

/// How the trees of a log hang together.
pub struct Links {
    /// How they are made from each other.
    pub families: Families,
    /// What is behind each entry of the log, if it may matter.
    behind: Vec<Option<Behind>>,
    /// By the root of a family, whether one of its trees can hold a value.
    relevant: Vec<bool>,
}

impl Links {
    /// Finds them out. `blob` tells the values of a blob that has any, `known` the list of a tree that is not in the log,
    /// or 0.
    pub fn of(
        log: &TreeLog,
        families: Families,
        blob: impl Fn(&Oid) -> Option<SetId> + Sync,
        known: impl Fn(&Oid) -> ListId + Sync,
    ) -> Self {
        let tree = |oid: &Oid| match families.index.get(oid) {
            Some(&tree) => Some(Behind::Tree(tree)),
            None => Some(known(oid)).filter(|list| *list != 0).map(Behind::Known),
        };
        let behind = |entry: &Entry| match entry.mode.is_tree() {
            true => tree(&entry.oid),
            false => blob(&entry.oid).map(Behind::Values),
        };
        let behind: Vec<Option<Behind>> = log.entries().par_iter().map(behind).collect();
        let relevant = relevant(log, &behind, &families.roots);
        Links { families, behind, relevant }
    }

    /// Whether a tree is of a family that can hold a value.
    pub fn is_relevant(&self, tree: usize) -> bool {
        self.families.roots.get(tree).is_some_and(|&family| self.relevant[family as usize])
    }

    /// Whether there is a blob with values behind an entry of the log, or a tree that can hold one.
    pub fn matters(&self, entry: u32) -> bool {
        match self.behind.get(entry as usize) {
            Some(Some(Behind::Tree(tree))) => self.is_relevant(*tree as usize),
            Some(Some(Behind::Values(_) | Behind::Known(_))) => true,
            _ => false,
        }
    }
}

/// For each tree of a delta family that can hold a value: its entries that are blobs with values, or
/// trees of such families. Families, not single trees, are judged first, because whether a tree holds a
/// value can depend on its base, and the base's on the tree.
pub struct Parts {
    /// By the place of the record, the number of its list; [`NONE`] for a tree that cannot hold a value.
    of_trees: Vec<u32>,
    /// Each in order of names. Trees that differ in nothing that matters have the same one.
    lists: Vec<Box<[Part]>>,
}

/// The lists of some families.
struct Share {
    /// For each tree of them, the number of its list.
    of_trees: Vec<u32>,
    /// The first is empty.
    lists: Vec<Box<[Part]>>,
}

impl Parts {
    /// Finds them out, for each family by itself.
    pub fn of(log: &TreeLog, links: &Links) -> Self {
        let roots = &links.families.roots;
        let mut trees: Vec<u32> =
            (0..roots.len() as u32).filter(|&tree| links.is_relevant(tree as usize)).collect();
        trees.par_sort_unstable_by_key(|&tree| (roots[tree as usize], tree));
        let mut places = vec![NONE; roots.len()];
        trees.iter().zip(0..).for_each(|(&tree, place)| places[tree as usize] = place);
        let families = trees.par_chunk_by(|&a, &b| roots[a as usize] == roots[b as usize]);
        let add = |mut share: Share, family: &[u32]| {
            share.add(family, &places, log, links);
            share
        };
        let shares: Vec<Share> = families.fold(Share::new, add).collect();
        let mut parts = Parts { of_trees: vec![NONE; roots.len()], lists: Vec::new() };
        let mut trees = trees.iter();
        for share in shares {
            let first = parts.lists.len() as u32;
            let numbered = share.of_trees.iter().zip(&mut trees);
            numbered.for_each(|(&list, &tree)| parts.of_trees[tree as usize] = first + list);
            parts.lists.extend(share.lists);
        }
        parts
    }

    /// How many lists there are.
    pub fn count(&self) -> usize {
        self.lists.len()
    }

    /// The number of a tree's list.
    pub fn of_tree(&self, tree: u32) -> Option<u32> {
        self.of_trees.get(tree as usize).copied().filter(|&list| list != NONE)
    }

    /// A list.
    pub fn list(&self, list: u32) -> &[Part] {
        &self.lists[list as usize]
    }

    /// The lists, so that each comes in a later level than those of all trees below it.
    pub fn levels(&self) -> Vec<Vec<u32>> {
        let mut height = vec![NONE; self.lists.len()];
        let mut levels: Vec<Vec<u32>> = Vec::new();
        // Children before parents, without recursion: trees may be nested deeper than the stack is.
        let mut open = vec![false; self.lists.len()];
        let mut stack: Vec<u32> = Vec::new();
        for root in 0..self.lists.len() as u32 {
            stack.push(root);
            while let Some(&list) = stack.last() {
                let at = list as usize;
                if height[at] != NONE {
                    stack.pop();
                    continue;
                }
                let below =
                    || self.lists[at].iter().filter_map(Part::tree).filter_map(|tree| self.of_tree(tree));
                if !std::mem::replace(&mut open[at], true) {
                    stack.extend(below().filter(|&it| height[it as usize] == NONE && !open[it as usize]));
                    continue;
                }
                let heights = below().map(|it| height[it as usize]).filter(|&height| height != NONE);
                let own = heights.max().map_or(0, |height| height + 1);
                height[at] = own;
                if levels.len() <= own as usize {
                    levels.resize(own as usize + 1, Vec::new());
                }
                levels[own as usize].push(list);
                stack.pop();
            }
        }
        levels
    }
}

impl Share {
    fn new() -> Self {
        Share { of_trees: Vec::new(), lists: vec![Box::default()] }
    }

    /// Adds the trees of a family, of which `places` tells where they stand among those of all families.
    fn add(&mut self, family: &[u32], places: &[u32], log: &TreeLog, links: &Links) {
        let first = self.of_trees.len();
        let member = |tree: u32| (places[tree as usize] - places[family[0] as usize]) as usize;
        self.of_trees.resize(first + family.len(), NONE);
        let mut chain: Vec<usize> = Vec::new();
        for at in 0..family.len() {
            // From the nearest tree that is done, forwards along the chain of bases.
            let mut next = Some(at);
            while let Some(at) = next.filter(|&at| self.of_trees[first + at] == NONE) {
                chain.push(at);
                let base = links.families.base_of[family[at] as usize];
                next = (base != NONE && chain.len() <= family.len()).then(|| member(base));
            }
            while let Some(at) = chain.pop() {
                let base = links.families.base_of[family[at] as usize];
                // A base that is not done is one of a circle, which no walk logs.
                let base = if base == NONE { 0 } else { self.of_trees[first + member(base)] };
                let record = &log.records[family[at] as usize];
                self.of_trees[first + at] = self.list(record, base, log, links);
            }
        }
    }

    /// The number of the list of a tree, given that of its base's.
    fn list(&mut self, record: &TreeRecord, base: u32, log: &TreeLog, links: &Links) -> u32 {
        let base = if base == NONE { 0 } else { base };
        let old = &self.lists[base as usize];
        let removed = log.removed(record);
        let stays = |part: &&Part| !removed.contains(&part.name);
        let places = log.added_places(record).filter(|&entry| links.matters(entry));
        let part =
            |entry| Some(Part { entry, name: log.entry(entry).name, behind: links.behind[entry as usize]? });
        let mut new = places.filter_map(part).peekable();
        if new.peek().is_none() && old.iter().all(|part| stays(&part)) {
            return base;
        }
        let mut all: Vec<Part> = old.iter().filter(stays).copied().chain(new).collect();
        all.sort_unstable_by_key(|part| part.name);
        self.lists.push(all.into());
        self.lists.len() as u32 - 1
    }
}

/// Which families can hold a value: those with a blob that does, and those with a tree of such a family.
fn relevant(log: &TreeLog, behind: &[Option<Behind>], roots: &[u32]) -> Vec<bool> {
    // Families with values, and families (the second) with a tree of another (the first).
    let look = |(records, roots_here): (&[TreeRecord], &[u32])| {
        let (mut holding, mut parents) = (Vec::new(), Vec::new());
        for (record, &family) in records.iter().zip(roots_here) {
            for place in log.added_places(record) {
                match behind[place as usize] {
                    Some(Behind::Tree(child)) => parents.push((roots[child as usize], family)),
                    Some(Behind::Values(_) | Behind::Known(_)) => holding.push(family),
                    None => {}
                }
            }
            holding.dedup();
        }
        parents.sort_unstable();
        parents.dedup();
        (holding, parents)
    };
    let shares: Vec<_> = log.records.par_chunks(CHUNK).zip(roots.par_chunks(CHUNK)).map(look).collect();
    let mut parents: Vec<(u32, u32)> = shares.iter().flat_map(|share| share.1.iter().copied()).collect();
    parents.par_sort_unstable();
    let mut relevant = vec![false; roots.len()];
    let mut todo: Vec<u32> = shares.iter().flat_map(|share| share.0.iter().copied()).collect();
    while let Some(family) = todo.pop() {
        if !std::mem::replace(&mut relevant[family as usize], true) {
            let first = parents.partition_point(|pair| pair.0 < family);
            todo.extend(parents[first..].iter().take_while(|pair| pair.0 == family).map(|pair| pair.1));
        }
    }
    relevant
}

/// The root of each record's chain of bases.
fn roots(base_of: &[u32]) -> Vec<u32> {
    let mut root = vec![NONE; base_of.len()];
    let mut path = Vec::new();
    for start in 0..base_of.len() {
        let mut at = start;
        while root[at] == NONE && path.len() <= base_of.len() {
            path.push(at);
            match base_of[at] {
                NONE => root[at] = at as u32,
                base => at = base as usize,
            }
        }
        let found = if root[at] == NONE { at as u32 } else { root[at] };
        for at in path.drain(..) {
            root[at] = found;
        }
    }
    root
}
