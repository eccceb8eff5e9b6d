//! The log of trees without what can never matter: so that a cache is small, and fast to read.
//!
//! A blob without any candidate has no value under whatever name it is given, and a tree with nothing but such
//! blobs below it is as good as empty. What stays is entries that lead to blobs with candidates.

use crate::scan::history::oids::{FastMap, FastSet, OidSet};
use crate::scan::history::parts::{Families, Links};
use crate::scan::history::trees::{Entry, TreeLog};
use crate::source::git::Oid;

/// What stays of a log.
pub struct Pruned {
    /// The trees with something that may matter.
    pub trees: TreeLog,
    /// The names that are left, by their new numbers.
    pub names: Vec<Box<[u8]>>,
    /// Trees that are left out, since a name that they have or lose has a value in it.
    pub speaking: OidSet,
}

/// Prunes a log. `is_judged` tells which blobs have candidates; `speaking` are the numbers of names with a value
/// in them, which must not be kept.
pub fn prune(
    log: &TreeLog,
    names: &[Box<[u8]>],
    is_judged: impl Fn(&Oid) -> bool + Sync,
    speaking: &FastSet<u32>,
) -> Pruned {
    let links = Links::of(log, Families::of(log), |oid| is_judged(oid).then_some(1));
    let mut pruned = Pruned { trees: TreeLog::default(), names: Vec::new(), speaking: OidSet::default() };
    // The names of all that matters, in trees that stay and in those that do not: others may lose them.
    let mut numbers: FastMap<u32, u32> = FastMap::default();
    for record in &log.records {
        let mut added = log.added_places(record).map(|place| log.entry(place).name);
        if added.any(|name| speaking.contains(&name))
            || log.removed(record).iter().any(|name| speaking.contains(name))
        {
            pruned.speaking.insert(record.oid);
        }
        for place in log.added_places(record).filter(|place| links.matters(*place)) {
            let name = log.entry(place).name;
            if !speaking.contains(&name) {
                numbers.entry(name).or_insert_with(|| {
                    pruned.names.push(names.get(name as usize).cloned().unwrap_or_default());
                    pruned.names.len() as u32 - 1
                });
            }
        }
    }
    for (at, record) in log.records.iter().enumerate() {
        if pruned.speaking.contains(&record.oid) || !links.is_relevant(at) {
            continue;
        }
        let places = log.added_places(record).filter(|place| links.matters(*place));
        let added = places.map(|place| *log.entry(place));
        let added = added.filter_map(|entry| Some(Entry { name: *numbers.get(&entry.name)?, ..entry }));
        let removed = log.removed(record).iter().filter_map(|name| numbers.get(name).copied());
        pruned.trees.push(record.oid, record.base, added, removed);
    }
    pruned
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::scan::history::oids::OidMap;
    use crate::scan::history::sets::{Holdings, SetId, Sets};
    use crate::source::git::Mode;

    fn tree_oid(n: usize) -> Oid {
        Oid::from_bytes(&[n as u8 + 100; 20]).unwrap()
    }

    fn blob_oid(n: usize) -> Oid {
        Oid::from_bytes(&[n as u8; 20]).unwrap()
    }

    /// A tree as a list: under each name, the number of a blob, or (from 10 on) of an earlier tree.
    type Listing = Vec<(u32, usize)>;

    fn entry(at: usize, &(name, what): &(u32, usize)) -> Entry {
        match what.checked_sub(10) {
            Some(tree) if at > 0 => Entry { name, mode: Mode::TREE, oid: tree_oid(tree % at) },
            _ => Entry { name, mode: Mode(0o100644), oid: blob_oid(what % 10) },
        }
    }

    /// Logs trees, each as a change of the one before or whole.
    fn log(trees: &[(bool, Listing)]) -> TreeLog {
        let mut log = TreeLog::default();
        let entries = |at: usize| -> Vec<Entry> { trees[at].1.iter().map(|e| entry(at, e)).collect() };
        for (at, (as_delta, _)) in trees.iter().enumerate() {
            let (new, old) = (entries(at), if *as_delta && at > 0 { entries(at - 1) } else { Vec::new() });
            let added = new.iter().filter(|entry| !old.contains(entry)).copied();
            let removed = old.iter().filter(|entry| !new.contains(entry)).map(|entry| entry.name);
            log.push(tree_oid(at), (*as_delta && at > 0).then(|| tree_oid(at - 1)), added, removed);
        }
        log
    }

    proptest! {
        /// With the trees that are left out read again, all trees hold what they held.
        #[test]
        fn what_trees_hold_is_the_same(
            trees in prop::collection::vec((any::<bool>(), prop::collection::btree_map(0u32..5, 0usize..18, 0..4)), 1..9),
            valued in prop::collection::btree_set(0usize..10, 0..3),
            judged in prop::collection::btree_set(0usize..10, 0..3),
            speaking_name in 0u32..8,
        ) {
            let trees: Vec<(bool, Listing)> =
                trees.into_iter().map(|(as_delta, list)| (as_delta, list.into_iter().collect())).collect();
            let full = log(&trees);
            let names: Vec<Box<[u8]>> = (0..5u8).map(|n| Box::from([b'a' + n])).collect();
            let blobs: OidMap<SetId> = valued.iter().map(|&n| (blob_oid(n), n as SetId + 1)).collect();
            let is_judged = |oid: &Oid| blobs.contains_key(oid) || judged.iter().any(|&n| blob_oid(n) == *oid);
            let names_with_values: FastSet<u32> = [speaking_name].into_iter().collect();
            let pruned = prune(&full, &names, is_judged, &names_with_values);
            let number = |name: u32| {
                let known = pruned.names.iter().position(|kept| *kept == names[name as usize]);
                known.map_or(100 + name, |known| known as u32)
            };
            let mut again = pruned.trees.clone();
            for (at, (_, list)) in trees.iter().enumerate() {
                if pruned.speaking.contains(&tree_oid(at)) {
                    let entries = list.iter().map(|e| entry(at, e));
                    again.push(tree_oid(at), None, entries.map(|e| Entry { name: number(e.name), ..e }), []);
                }
            }
            let held = |log: &TreeLog| -> Vec<Vec<u32>> {
                let mut sets = Sets::new();
                let blobs = blobs.iter().map(|(oid, n)| (*oid, sets.number(&[*n]))).collect();
                let holdings = Holdings::compute(log, Families::of(log), &blobs, &mut sets);
                (0..trees.len()).map(|at| sets.values(holdings.set(&tree_oid(at))).collect()).collect()
            };
            prop_assert_eq!(held(&again), held(&full));
            prop_assert!(pruned.names.iter().all(|name| names.get(speaking_name as usize) != Some(name)));
        }
    }
}
