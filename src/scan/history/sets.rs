//! Which values each tree holds, from the log of trees: computed once for all values together.

use std::collections::HashMap;

use super::oids::OidMap;
use super::trees::{Entry, TreeLog};
use crate::source::git::Oid;

/// Number of a set of values; equal sets have equal numbers. 0 is the empty set.
pub type SetId = u32;

/// Distinct sets of values.
#[derive(Debug)]
pub struct Sets {
    list: Vec<Box<[u32]>>,
    numbers: HashMap<Box<[u32]>, SetId>,
    unions: HashMap<Box<[SetId]>, SetId>,
}

impl Sets {
    /// The empty set only.
    pub fn new() -> Self {
        let mut sets = Sets { list: Vec::new(), numbers: HashMap::new(), unions: HashMap::new() };
        sets.number(Box::default());
        sets
    }

    /// The values of a set, ascending.
    pub fn values(&self, set: SetId) -> &[u32] {
        &self.list[set as usize]
    }

    /// The number of the set of these values (ascending, each once).
    pub fn number(&mut self, values: Box<[u32]>) -> SetId {
        if let Some(&number) = self.numbers.get(&values) {
            return number;
        }
        let number = self.list.len() as SetId;
        self.list.push(values.clone());
        self.numbers.insert(values, number);
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
        let key = sets.into_boxed_slice();
        if let Some(&known) = self.unions.get(&key) {
            return known;
        }
        let mut values: Vec<u32> = key.iter().flat_map(|&s| self.list[s as usize].iter().copied()).collect();
        values.sort_unstable();
        values.dedup();
        let number = self.number(values.into());
        self.unions.insert(key, number);
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

    /// Computes them from the log and the sets of blobs.
    pub fn compute(log: &TreeLog, blobs: &OidMap<SetId>, sets: &mut Sets) -> Self {
        let relevant = relevant_entries(log, blobs);
        let mut holdings = Holdings { trees: OidMap::default(), lists: vec![(Box::default(), 0)] };
        let mut numbers: HashMap<Box<[Holding]>, ListId> = HashMap::from([(Box::default(), 0)]);
        // Children before parents, without recursion: trees may be nested deeper than the stack is.
        let mut stack: Vec<(Oid, bool)> = Vec::new();
        let mut open: OidMap<()> = OidMap::default();
        for &root in relevant.keys() {
            stack.push((root, false));
            while let Some((tree, ready)) = stack.pop() {
                if holdings.trees.contains_key(&tree) {
                    continue;
                }
                let Some(entries) = relevant.get(&tree) else { continue };
                if !ready {
                    if open.insert(tree, ()).is_some() {
                        continue;
                    }
                    stack.push((tree, true));
                    let below =
                        entries.iter().filter(|e| e.mode.is_tree() && !holdings.trees.contains_key(&e.oid));
                    stack.extend(below.map(|e| (e.oid, false)));
                    continue;
                }
                let mut held: Vec<Holding> = entries
                    .iter()
                    .filter_map(|entry| {
                        let set = if entry.mode.is_tree() {
                            holdings.set(&entry.oid)
                        } else {
                            blobs.get(&entry.oid).copied().unwrap_or(0)
                        };
                        (set != 0).then_some(Holding { entry: *entry, set })
                    })
                    .collect();
                held.sort_unstable_by_key(|h| h.entry.name);
                let list = match numbers.get(held.as_slice()) {
                    Some(&list) => list,
                    None => {
                        let set = sets.union(held.iter().map(|h| h.set).collect());
                        let list = holdings.lists.len() as ListId;
                        holdings.lists.push((held.clone().into(), set));
                        numbers.insert(held.into(), list);
                        list
                    }
                };
                holdings.trees.insert(tree, list);
            }
        }
        holdings
    }
}

/// For each tree of a delta family that can hold a value: its entries that are blobs with values, or
/// trees of such families. Families, not single trees, are judged first, because whether a tree holds a
/// value can depend on its base, and the base's on the tree.
fn relevant_entries(log: &TreeLog, blobs: &OidMap<SetId>) -> OidMap<Vec<Entry>> {
    let index: OidMap<usize> = log.records.iter().enumerate().map(|(i, r)| (r.oid, i)).collect();
    let base_of: Vec<Option<usize>> =
        log.records.iter().map(|r| r.base.and_then(|b| index.get(&b).copied())).collect();
    let families = families(&base_of);
    let count = log.records.len();
    let mut relevant = vec![false; count];
    let mut parents_of: HashMap<usize, Vec<usize>> = HashMap::new();
    let mut todo = Vec::new();
    for (i, record) in log.records.iter().enumerate() {
        let family = families[i];
        for entry in log.added(record) {
            if entry.mode.is_tree() {
                if let Some(&child) = index.get(&entry.oid) {
                    parents_of.entry(families[child]).or_default().push(family);
                }
            } else if blobs.contains_key(&entry.oid) && !relevant[family] {
                relevant[family] = true;
                todo.push(family);
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
    let matters = |e: &Entry| {
        if e.mode.is_tree() {
            index.get(&e.oid).is_some_and(|&i| relevant[families[i]])
        } else {
            blobs.contains_key(&e.oid)
        }
    };
    let mut entries: OidMap<Vec<Entry>> = OidMap::default();
    let mut chain = Vec::new();
    for i in (0..count).filter(|&i| relevant[families[i]]) {
        // From the nearest tree that is done, forwards along the chain of bases.
        let mut at = Some(i);
        while let Some(j) = at.filter(|&j| !entries.contains_key(&log.records[j].oid)) {
            chain.push(j);
            at = if chain.len() > count { None } else { base_of[j] };
        }
        while let Some(j) = chain.pop() {
            let record = &log.records[j];
            let mut own = record.base.and_then(|b| entries.get(&b)).cloned().unwrap_or_default();
            let removed = log.removed(record);
            if !removed.is_empty() {
                own.retain(|e| !removed.contains(&e.name));
            }
            own.extend(log.added(record).iter().filter(|e| matters(e)));
            entries.insert(record.oid, own);
        }
    }
    entries
}

/// The root of each record's chain of bases.
fn families(base_of: &[Option<usize>]) -> Vec<usize> {
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
