//! Which values each tree holds, from the log of trees: computed once for all values together.

use std::hash::BuildHasher;
use std::sync::Arc;

use rayon::prelude::*;

use super::oids::{FastMap, OidMap};
use super::trees::{Entry, TreeLog, TreeRecord};
use super::value_set::ValueSet;
use crate::source::git::Oid;

/// Number of a set of values; equal sets have equal numbers. 0 is the empty set.
pub type SetId = u32;

/// Distinct sets of values.
#[derive(Debug)]
pub struct Sets {
    list: Vec<ValueSet>,
    numbers: FastMap<ValueSet, SetId>,
    unions: FastMap<Box<[SetId]>, SetId>,
}

impl Sets {
    /// The empty set only.
    pub fn new() -> Self {
        let mut sets = Sets { list: Vec::new(), numbers: FastMap::default(), unions: FastMap::default() };
        sets.number(&[]);
        sets
    }

    /// The values of a set, ascending.
    pub fn values(&self, set: SetId) -> impl Iterator<Item = u32> {
        self.list[set as usize].iter()
    }

    /// Whether a set has a value.
    pub fn holds(&self, set: SetId, value: u32) -> bool {
        self.list[set as usize].contains(value)
    }

    /// The number of the set of these values (ascending, each once).
    pub fn number(&mut self, values: &[u32]) -> SetId {
        self.number_of(ValueSet::of(values))
    }

    fn number_of(&mut self, set: ValueSet) -> SetId {
        if let Some(&number) = self.numbers.get(&set) {
            return number;
        }
        let number = self.list.len() as SetId;
        self.list.push(set.clone());
        self.numbers.insert(set, number);
        number
    }

    /// The union of sets.
    pub fn union(&mut self, mut sets: Vec<SetId>) -> SetId {
        sets.sort_unstable();
        sets.dedup();
        sets.retain(|&s| s != 0);
        match sets.as_slice() {
            [] => return 0,
            [one] => return *one,
            _ => {}
        }
        if let Some(&known) = self.unions.get(sets.as_slice()) {
            return known;
        }
        let number = self.number_of(ValueSet::union(sets.iter().map(|&s| &self.list[s as usize])));
        self.unions.insert(sets.into(), number);
        number
    }
}

/// An entry of a tree behind which there are values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holding {
    /// The entry.
    pub entry: Entry,
    /// The values behind it.
    pub set: SetId,
}

impl std::hash::Hash for Holding {
    /// An object's id is enough: where it is the same, the rest differs rarely.
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        let first = self.entry.oid.as_bytes().first_chunk::<8>().copied().unwrap_or_default();
        state.write_u64(u64::from_le_bytes(first));
    }
}

/// Number of a list of entries that hold values. Most trees have the same ones as another tree: what changes
/// from commit to commit holds none. 0 is the empty list.
pub type ListId = u32;

/// For each tree that may hold values, its entries that do.
#[derive(Debug, Default)]
pub struct Holdings {
    trees: OidMap<ListId>,
    lists: Vec<(Box<[Holding]>, SetId)>,
}

impl Holdings {
    /// The number of the list of a tree's entries that hold values.
    pub fn list(&self, tree: &Oid) -> ListId {
        self.trees.get(tree).copied().unwrap_or(0)
    }

    /// The entries of a list.
    pub fn in_list(&self, list: ListId) -> &[Holding] {
        self.lists.get(list as usize).map_or(&[], |l| &l.0)
    }

    /// The values behind the entries of a list, at any depth.
    pub fn set_of_list(&self, list: ListId) -> SetId {
        self.lists.get(list as usize).map_or(0, |l| l.1)
    }

    /// The entries of a tree that hold values.
    pub fn entries(&self, tree: &Oid) -> &[Holding] {
        self.in_list(self.list(tree))
    }

    /// The values that a tree holds, at any depth.
    pub fn set(&self, tree: &Oid) -> SetId {
        self.set_of_list(self.list(tree))
    }

    /// Computes them from the log, with its families, and the sets of blobs.
    pub fn compute(log: &TreeLog, families: Families, blobs: &OidMap<SetId>, sets: &mut Sets) -> Self {
        /// Trees that are looked at in parallel before their lists are numbered.
        const BATCH: usize = 8192;
        let parts = Parts::of(log, families, blobs);
        let mut holdings = Holdings { trees: OidMap::default(), lists: vec![(Box::default(), 0)] };
        let mut numbers = ListNumbers::default();
        let mut list_of: Vec<ListId> = vec![0; log.records.len()];
        for level in parts.levels() {
            for batch in level.chunks(BATCH) {
                let held = |&tree: &u32| {
                    let held = parts.holdings(tree, &holdings, &list_of, log);
                    (numbers.hash(&held), held)
                };
                let all: Vec<(u64, Box<[Holding]>)> = batch.par_iter().map(held).collect();
                for (&tree, (hash, held)) in batch.iter().zip(all) {
                    let list = numbers.number(hash, held, &mut holdings.lists, sets);
                    list_of[tree as usize] = list;
                    if list != 0 {
                        holdings.trees.insert(log.records[tree as usize].oid, list);
                    }
                }
            }
        }
        holdings
    }
}

/// Finds lists by what is in them.
#[derive(Default)]
struct ListNumbers {
    hasher: foldhash::fast::RandomState,
    /// By hash; where two lists have the same one, the later by the next number that is free.
    by_hash: FastMap<u64, ListId>,
}

impl ListNumbers {
    fn hash(&self, held: &[Holding]) -> u64 {
        self.hasher.hash_one(held)
    }

    /// The number of a list, which is added if it is new.
    fn number(
        &mut self,
        mut hash: u64,
        held: Box<[Holding]>,
        lists: &mut Vec<(Box<[Holding]>, SetId)>,
        sets: &mut Sets,
    ) -> ListId {
        if held.is_empty() {
            return 0;
        }
        while let Some(&list) = self.by_hash.get(&hash) {
            if lists[list as usize].0 == held {
                return list;
            }
            hash = hash.wrapping_add(1);
        }
        let list = lists.len() as ListId;
        let set = sets.union(held.iter().map(|h| h.set).collect());
        lists.push((held, set));
        self.by_hash.insert(hash, list);
        list
    }
}

/// An entry of a tree that may have values behind it.
#[derive(Clone, Copy, Debug)]
struct Part {
    /// Its place in the log.
    entry: u32,
    /// Its name's number.
    name: u32,
    behind: Behind,
}

/// What is behind an entry.
#[derive(Clone, Copy, Debug)]
enum Behind {
    /// A blob with these values.
    Values(SetId),
    /// The tree of this record.
    Tree(u32),
}

impl Part {
    fn tree(&self) -> Option<u32> {
        match self.behind {
            Behind::Tree(tree) => Some(tree),
            Behind::Values(_) => None,
        }
    }

    fn holding(&self, set: SetId, log: &TreeLog) -> Option<Holding> {
        (set != 0).then(|| Holding { entry: *log.entry(self.entry), set })
    }
}

/// For each tree of a delta family that can hold a value: its entries that are blobs with values, or
/// trees of such families. Families, not single trees, are judged first, because whether a tree holds a
/// value can depend on its base, and the base's on the tree.
struct Parts {
    /// By the place of the record, each in order of names. Trees that differ in nothing that matters share their parts.
    of_trees: Vec<Option<Arc<[Part]>>>,
}

/// How the trees of a log are made from each other, whatever they hold.
pub struct Families {
    /// The place of the record of each tree.
    index: OidMap<u32>,
    /// By the place of a record, that of its base.
    pub base_of: Vec<Option<usize>>,
    /// By the place of a record, that of the root of its family.
    pub roots: Vec<usize>,
}

impl Families {
    /// Finds them out.
    pub fn of(log: &TreeLog) -> Self {
        let index: OidMap<u32> = log.records.iter().enumerate().map(|(i, r)| (r.oid, i as u32)).collect();
        let base_of: Vec<Option<usize>> =
            log.records.iter().map(|r| Some(*index.get(&r.base?)? as usize)).collect();
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
    pub relevant: Vec<bool>,
}

impl Links {
    /// Finds them out. `blob` tells the values of a blob that has any.
    pub fn of(log: &TreeLog, families: Families, blob: impl Fn(&Oid) -> Option<SetId> + Sync) -> Self {
        let behind = |entry: &Entry| match entry.mode.is_tree() {
            true => families.index.get(&entry.oid).map(|&tree| Behind::Tree(tree)),
            false => blob(&entry.oid).map(Behind::Values),
        };
        let behind: Vec<Option<Behind>> = log.entries().par_iter().map(behind).collect();
        let relevant = relevant(log, &behind, &families.roots);
        Links { families, behind, relevant }
    }

    /// Whether a tree is of a family that can hold a value.
    pub fn is_relevant(&self, tree: usize) -> bool {
        self.families.roots.get(tree).is_some_and(|&family| self.relevant[family])
    }

    /// Whether there is a blob with values behind an entry of the log, or a tree that can hold one.
    pub fn matters(&self, entry: u32) -> bool {
        match self.behind.get(entry as usize) {
            Some(Some(Behind::Tree(tree))) => self.is_relevant(*tree as usize),
            Some(Some(Behind::Values(_))) => true,
            _ => false,
        }
    }
}

impl Parts {
    fn of(log: &TreeLog, families: Families, blobs: &OidMap<SetId>) -> Self {
        let links = Links::of(log, families, |oid| blobs.get(oid).copied());
        let Links { families: Families { base_of, .. }, behind: all, .. } = &links;
        let added = |record: &TreeRecord| {
            let parts =
                log.added_places(record).filter_map(|entry| Some((entry, (*all.get(entry as usize)?)?)));
            let parts = parts.map(|(entry, behind)| Part { entry, name: log.entry(entry).name, behind });
            parts.filter(|part| part.tree().is_none_or(|tree| links.is_relevant(tree as usize)))
        };
        let mut of_trees: Vec<Option<Arc<[Part]>>> = vec![None; log.records.len()];
        let mut chain = Vec::new();
        for i in (0..of_trees.len()).filter(|&i| links.is_relevant(i)) {
            // From the nearest tree that is done, forwards along the chain of bases.
            let mut at = Some(i);
            while let Some(j) = at.filter(|&j| of_trees[j].is_none()) {
                chain.push(j);
                at = if chain.len() > of_trees.len() { None } else { base_of[j] };
            }
            while let Some(j) = chain.pop() {
                let record = &log.records[j];
                let base = base_of[j].and_then(|base| of_trees[base].clone()).unwrap_or_default();
                let removed = log.removed(record);
                let stays = |part: &&Part| !removed.contains(&part.name);
                let mut new = added(record).peekable();
                of_trees[j] = Some(match new.peek().is_none() && base.iter().all(|part| stays(&part)) {
                    true => base,
                    false => {
                        let mut all: Vec<Part> = base.iter().filter(stays).copied().chain(new).collect();
                        all.sort_unstable_by_key(|part| part.name);
                        all.into()
                    }
                });
            }
        }
        Parts { of_trees }
    }

    /// The entries of a tree that hold values, once the lists of the trees below are known.
    fn holdings(&self, tree: u32, known: &Holdings, list_of: &[ListId], log: &TreeLog) -> Box<[Holding]> {
        let set_of = |part: &Part| match part.behind {
            Behind::Values(set) => set,
            Behind::Tree(tree) => known.set_of_list(list_of[tree as usize]),
        };
        let parts = self.of_trees[tree as usize].as_deref().unwrap_or_default();
        parts.iter().filter_map(|part| part.holding(set_of(part), log)).collect()
    }

    /// The trees that can hold values, so that each comes in a later level than all trees below it.
    fn levels(&self) -> Vec<Vec<u32>> {
        const UNKNOWN: u32 = u32::MAX;
        let mut height = vec![UNKNOWN; self.of_trees.len()];
        let mut levels: Vec<Vec<u32>> = Vec::new();
        // Children before parents, without recursion: trees may be nested deeper than the stack is.
        let mut open = vec![false; self.of_trees.len()];
        let mut stack: Vec<u32> = Vec::new();
        for root in 0..self.of_trees.len() as u32 {
            stack.push(root);
            while let Some(&tree) = stack.last() {
                let at = tree as usize;
                let Some(parts) = self.of_trees[at].as_deref().filter(|_| height[at] == UNKNOWN) else {
                    stack.pop();
                    continue;
                };
                let below =
                    || parts.iter().filter_map(Part::tree).filter(|t| self.of_trees[*t as usize].is_some());
                if !std::mem::replace(&mut open[at], true) {
                    stack.extend(below().filter(|t| height[*t as usize] == UNKNOWN && !open[*t as usize]));
                    continue;
                }
                let heights = below().map(|t| height[t as usize]).filter(|&height| height != UNKNOWN);
                let own = heights.max().map_or(0, |height| height + 1);
                height[at] = own;
                if levels.len() <= own as usize {
                    levels.resize(own as usize + 1, Vec::new());
                }
                levels[own as usize].push(tree);
                stack.pop();
            }
        }
        levels
    }
}

/// Which families can hold a value: those with a blob that does, and those with a tree of such a family.
fn relevant(log: &TreeLog, all: &[Option<Behind>], families: &[usize]) -> Vec<bool> {
    let mut relevant = vec![false; log.records.len()];
    let mut parents_of: FastMap<usize, Vec<usize>> = FastMap::default();
    let mut todo = Vec::new();
    for (i, record) in log.records.iter().enumerate() {
        let family = families[i];
        for entry in log.added_places(record) {
            match all[entry as usize] {
                Some(Behind::Tree(child)) => {
                    let parents = parents_of.entry(families[child as usize]).or_default();
                    if parents.last() != Some(&family) {
                        parents.push(family);
                    }
                }
                Some(Behind::Values(_)) if !relevant[family] => {
                    relevant[family] = true;
                    todo.push(family);
                }
                _ => {}
            }
        }
    }
    while let Some(family) = todo.pop() {
        for parent in parents_of.remove(&family).unwrap_or_default() {
            if !relevant[parent] {
                relevant[parent] = true;
                todo.push(parent);
            }
        }
    }
    relevant
}

/// The root of each record's chain of bases.
fn roots(base_of: &[Option<usize>]) -> Vec<usize> {
    const UNKNOWN: usize = usize::MAX;
    let mut root = vec![UNKNOWN; base_of.len()];
    let mut path = Vec::new();
    for i in 0..base_of.len() {
        let mut at = i;
        while root[at] == UNKNOWN && path.len() <= base_of.len() {
            path.push(at);
            match base_of[at] {
                Some(base) => at = base,
                None => {
                    root[at] = at;
                }
            }
        }
        let found = if root[at] == UNKNOWN { at } else { root[at] };
        for j in path.drain(..) {
            root[j] = found;
        }
    }
    root
}
