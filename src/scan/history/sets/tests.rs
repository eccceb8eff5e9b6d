//! What trees hold, worked out from the log, against what stands in them.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::scan::history::trees::Entry;

const BLOBS: usize = 5;

fn tree_oid(number: usize) -> Oid {
    Oid::from_bytes(&[number as u8 + 100; 20]).unwrap()
}

fn blob_oid(number: usize) -> Oid {
    Oid::from_bytes(&[number as u8; 20]).unwrap()
}

/// A tree: under the number of each name, that of a blob, or (from [`BLOBS`] on) of a tree before it.
type Listing = BTreeMap<u32, usize>;

fn entries(at: usize, listing: &Listing) -> Vec<Entry> {
    let entry = |(&name, &what): (&u32, &usize)| match what.checked_sub(BLOBS) {
        Some(tree) if at > 0 => Entry { name, mode: Mode::TREE, oid: tree_oid(tree % at) },
        _ => Entry { name, mode: Mode(0o100644), oid: blob_oid(what % BLOBS) },
    };
    listing.iter().map(entry).collect()
}

/// Logs trees, each whole or as a change of one before it, in an order that begins at `first`: so that bases, and trees
/// below others, are before and behind them.
fn log(trees: &[(Option<usize>, Listing)], first: usize) -> TreeLog {
    let mut log = TreeLog::default();
    for at in (0..trees.len()).map(|at| (at + first) % trees.len()) {
        let (base, listing) = &trees[at];
        let base = base.filter(|_| at > 0).map(|base| base % at);
        let (new, old) =
            (entries(at, listing), base.map_or(Vec::new(), |base| entries(base, &trees[base].1)));
        let added = new.iter().filter(|entry| !old.contains(entry)).copied();
        let removed = old.iter().filter(|entry| !new.contains(entry)).map(|entry| entry.name);
        log.push(tree_oid(at), base.map(tree_oid), added, removed);
    }
    log
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn a_tree_holds_what_its_blobs_and_trees_do(
        trees in prop::collection::vec(
            (prop::option::of(0usize..12), prop::collection::btree_map(0u32..6, 0usize..16, 0..5)),
            1..12,
        ),
        blobs in prop::collection::vec(prop::collection::btree_set(0u32..200, 0..4), BLOBS),
        first in 0usize..12,
    ) {
        let mut sets = Sets::new();
        let mut of_blobs: OidMap<SetId> = OidMap::default();
        for (at, values) in blobs.iter().enumerate().filter(|(_, values)| !values.is_empty()) {
            let values: Vec<u32> = values.iter().copied().collect();
            of_blobs.insert(blob_oid(at), sets.number(&values));
        }
        let log = log(&trees, first);
        let holdings = Holdings::compute(&log, Families::of(&log), Before::nothing(), &of_blobs, &mut sets);
        let values = |set: SetId| -> BTreeSet<u32> { sets.values(set).collect() };
        let mut all: BTreeMap<Oid, BTreeSet<u32>> = (0..BLOBS).map(|at| (blob_oid(at), blobs[at].clone())).collect();
        for (at, (_, listing)) in trees.iter().enumerate() {
            let holding: Vec<Entry> =
                entries(at, listing).into_iter().filter(|entry| !all[&entry.oid].is_empty()).collect();
            let found = holdings.in_list(holdings.list(&tree_oid(at)));
            let what = |entry: &Entry| match entry.mode.is_tree() {
                true => What::Folder(holdings.list(&entry.oid)),
                false => What::Blob(entry.oid),
            };
            let expected: Vec<_> = holding.iter().map(|entry| (entry.name, entry.mode, what(entry))).collect();
            prop_assert_eq!(found.iter().map(|it| (it.name, it.mode, it.what)).collect::<Vec<_>>(), expected);
            prop_assert!(found.iter().zip(&holding).all(|(it, entry)| values(it.set) == all[&entry.oid]));
            let own: BTreeSet<u32> = holding.iter().flat_map(|entry| all[&entry.oid].clone()).collect();
            prop_assert_eq!(values(holdings.set(&tree_oid(at))), own.clone());
            all.insert(tree_oid(at), own);
            // Where the entries are the same, the lists have the same number.
            let alike = (0..at).find(|&other| holdings.in_list(holdings.list(&tree_oid(other))) == found);
            prop_assert!(alike.is_none_or(|other| holdings.list(&tree_oid(other)) == holdings.list(&tree_oid(at))));
        }
    }
}
