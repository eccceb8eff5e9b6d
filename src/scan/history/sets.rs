//! Which values each tree holds, from the log of trees: computed once for all values together.

use std::hash::BuildHasher;

use rayon::prelude::*;

use super::oids::{FastMap, OidMap};
use super::parts::{Behind, Families, Links, Part, Parts};
use super::trees::TreeLog;
use super::value_set::ValueSet;
use crate::source::git::{Mode, Oid};

/// Lists that are looked for in parallel before they are numbered.
const BATCH: usize = 8192;

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

    /// The unions of several lists of sets.
    pub fn unions(&mut self, mut lists: Vec<Vec<SetId>>) -> Vec<SetId> {
        lists.par_iter_mut().for_each(|sets| {
            sets.sort_unstable();
            sets.dedup();
            sets.retain(|&set| set != 0);
        });
        let is_new = |sets: &&Vec<SetId>| sets.len() > 1 && !self.unions.contains_key(sets.as_slice());
        let mut new: Vec<&Vec<SetId>> = lists.par_iter().filter(is_new).collect();
        new.par_sort_unstable();
        new.dedup();
        let union = |sets: &&Vec<SetId>| ValueSet::union(sets.iter().map(|&set| &self.list[set as usize]));
        let made: Vec<ValueSet> = new.par_iter().map(union).collect();
        for (sets, union) in new.into_iter().zip(made) {
            let number = self.number_of(union);
            self.unions.insert(sets.as_slice().into(), number);
        }
        let number = |sets: &Vec<SetId>| match sets.as_slice() {
            [] => 0,
            [one] => *one,
            sets => self.unions.get(sets).copied().unwrap_or(0),
        };
        lists.par_iter().map(number).collect()
    }
}

/// An entry of a tree behind which there are values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holding {
    /// The number of its name.
    pub name: u32,
    /// What it is.
    pub mode: Mode,
    /// What is behind it.
    pub what: What,
    /// The values behind it.
    pub set: SetId,
}

/// What is behind an entry that holds values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// This blob.
    Blob(Oid),
    /// A tree of whose entries these hold values. (Which tree it is does not matter: so what is beside them makes no
    /// difference.)
    Folder(ListId),
}

impl std::hash::Hash for Holding {
    /// The mode and the values say little more.
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        state.write_u32(self.name);
        state.write_u64(match self.what {
            What::Blob(oid) => u64::from_le_bytes(oid.as_bytes().first_chunk().copied().unwrap_or_default()),
            What::Folder(list) => u64::from(list),
        });
    }
}

/// Number of a list of entries that hold values. Most trees have the same ones as another tree: what changes
/// from commit to commit holds none. 0 is the empty list, and what is in a list has lower numbers.
pub type ListId = u32;

/// What is known of trees before a scan.
pub struct Before {
    /// Lists by their numbers: the empty one, and others that are of lists before them. What is not yet known is the
    /// values.
    pub lists: Vec<Box<[Holding]>>,
    /// The list of a tree; 0 where nothing is known.
    pub list_of: Box<dyn Fn(&Oid) -> ListId + Send + Sync>,
}

impl Before {
    /// Nothing.
    pub fn nothing() -> Self {
        Before { lists: vec![Box::default()], list_of: Box::new(|_| 0) }
    }
}

/// For each tree that may hold values, its entries that do.
pub struct Holdings {
    /// The place in the log of the record of each tree, by which its list is.
    index: OidMap<u32>,
    of_trees: Vec<ListId>,
    lists: Vec<(Box<[Holding]>, SetId)>,
    /// The lists of trees that are not in the log.
    before: Box<dyn Fn(&Oid) -> ListId + Send + Sync>,
}

impl Holdings {
    /// The number of the list of a tree's entries that hold values.
    pub fn list(&self, tree: &Oid) -> ListId {
        let in_log = self.index.get(tree).and_then(|&at| self.of_trees.get(at as usize)).copied();
        in_log.unwrap_or_else(|| (self.before)(tree))
    }

    /// How many lists there are.
    pub fn count(&self) -> usize {
        self.lists.len()
    }

    /// The entries of a list.
    pub fn in_list(&self, list: ListId) -> &[Holding] {
        self.lists.get(list as usize).map_or(&[], |l| &l.0)
    }

    /// The values behind the entries of a list, at any depth.
    pub fn set_of_list(&self, list: ListId) -> SetId {
        self.lists.get(list as usize).map_or(0, |l| l.1)
    }

    /// The values that a tree holds, at any depth.
    pub fn set(&self, tree: &Oid) -> SetId {
        self.set_of_list(self.list(tree))
    }

    /// Computes them from the log, with its families, what was known before, and the sets of blobs.
    pub fn compute(
        log: &TreeLog,
        families: Families,
        before: Before,
        blobs: &OidMap<SetId>,
        sets: &mut Sets,
    ) -> Self {
        let links = Links::of(log, families, |oid| blobs.get(oid).copied(), &before.list_of);
        let parts = Parts::of(log, &links);
        let mut lists = Lists::of(before.lists, blobs, sets);
        // By the number of a list of parts.
        let mut list_of: Vec<ListId> = vec![0; parts.count()];
        for level in parts.levels() {
            for batch in level.chunks(BATCH) {
                let holding = |part: &Part| {
                    let entry = log.entry(part.entry);
                    let (what, set) = match part.behind {
                        Behind::Values(set) => (What::Blob(entry.oid), set),
                        Behind::Tree(tree) => {
                            let list = parts.of_tree(tree).map_or(0, |below| list_of[below as usize]);
                            (What::Folder(list), lists.set(list))
                        }
                        Behind::Known(list) => (What::Folder(list), lists.set(list)),
                    };
                    (set != 0).then_some(Holding { name: entry.name, mode: entry.mode, what, set })
                };
                let held = |&list: &u32| lists.find(parts.list(list).iter().filter_map(holding).collect());
                let found: Vec<Found> = batch.par_iter().map(held).collect();
                let first = lists.known.len();
                for (&list, found) in batch.iter().zip(found) {
                    list_of[list as usize] = lists.number(found);
                }
                lists.unite(first, sets);
            }
        }
        let list = |tree: u32| parts.of_tree(tree).map_or(0, |list| list_of[list as usize]);
        let of_trees = (0..log.records.len() as u32).into_par_iter().map(list).collect();
        Holdings { index: links.families.index, of_trees, lists: lists.known, before: before.list_of }
    }
}

/// Lists of entries that hold values, and the values of all; found by what is in them.
#[derive(Default)]
struct Lists {
    known: Vec<(Box<[Holding]>, SetId)>,
    hasher: foldhash::fast::RandomState,
    /// By hash; where two lists have the same one, the later by the next number that is free.
    by_hash: FastMap<u64, ListId>,
}

/// A list that is looked for.
enum Found {
    /// It has this number.
    Known(ListId),
    /// It was not there yet, nor anything else with this hash.
    New(u64, Box<[Holding]>),
}

impl Lists {
    /// Begins with lists that are known, but for the values of these blobs.
    fn of(known: Vec<Box<[Holding]>>, blobs: &OidMap<SetId>, sets: &mut Sets) -> Self {
        let mut lists = Lists::default();
        for mut held in known {
            for holding in &mut held {
                holding.set = match holding.what {
                    What::Blob(oid) => blobs.get(&oid).copied().unwrap_or(0),
                    What::Folder(list) => lists.set(list),
                };
            }
            let first = lists.known.len();
            // Each keeps its number, also where another one says the same.
            let mut hash = lists.hasher.hash_one(&held);
            while lists.by_hash.contains_key(&hash) {
                hash = hash.wrapping_add(1);
            }
            lists.by_hash.insert(hash, first as ListId);
            lists.known.push((held, 0));
            lists.unite(first, sets);
        }
        lists
    }

    /// The values of a list.
    fn set(&self, list: ListId) -> SetId {
        self.known.get(list as usize).map_or(0, |known| known.1)
    }

    /// Looks for a list.
    fn find(&self, held: Box<[Holding]>) -> Found {
        if held.is_empty() {
            return Found::Known(0);
        }
        self.find_from(self.hasher.hash_one(&held), held)
    }

    fn find_from(&self, mut hash: u64, held: Box<[Holding]>) -> Found {
        while let Some(&list) = self.by_hash.get(&hash) {
            if self.known[list as usize].0 == held {
                return Found::Known(list);
            }
            hash = hash.wrapping_add(1);
        }
        Found::New(hash, held)
    }

    /// The number of a list. If it is new it is added, and its values are yet to be [united](Self::unite).
    fn number(&mut self, found: Found) -> ListId {
        let found = match found {
            // It may have been added since.
            Found::New(hash, held) => self.find_from(hash, held),
            known => known,
        };
        match found {
            Found::Known(list) => list,
            Found::New(hash, held) => {
                let list = self.known.len() as ListId;
                self.known.push((held, 0));
                self.by_hash.insert(hash, list);
                list
            }
        }
    }

    /// Finds the values of the lists from this one on.
    fn unite(&mut self, first: usize, sets: &mut Sets) {
        let new = &mut self.known[first..];
        let held = new.par_iter().map(|list| list.0.iter().map(|holding| holding.set).collect());
        let united = sets.unions(held.collect());
        new.iter_mut().zip(united).for_each(|(list, set)| list.1 = set);
    }
}

#[cfg(test)]
mod tests;
