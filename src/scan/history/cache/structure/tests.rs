//! What is kept of trees says what the trees say.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::scan::history::oids::OidMap;
use crate::scan::history::parts::Families;
use crate::scan::history::sets::{Before, Holdings, SetId, Sets};
use crate::scan::history::trees::TreeLog;
use crate::scan::history::values::Values;
use crate::scan::history::visit::Taken;
use crate::source::git::HashKind;

fn tree_oid(n: usize) -> Oid {
    Oid::from_bytes(&[n as u8 + 100; 20]).unwrap()
}

fn blob_oid(n: usize) -> Oid {
    Oid::from_bytes(&[n as u8; 20]).unwrap()
}

/// A tree as a list: under each name, the number of a blob, or (from 10 on) of an earlier tree.
type Listing = BTreeMap<u32, usize>;

fn entry(at: usize, (&name, &what): (&u32, &usize)) -> Entry {
    match what.checked_sub(10) {
        Some(tree) if at > 0 => Entry { name, mode: Mode::TREE, oid: tree_oid(tree % at) },
        _ => Entry { name, mode: Mode(0o100644), oid: blob_oid(what % 10) },
    }
}

/// Logs trees, each as a change of the one before or whole.
fn log(trees: &[(bool, Listing)], which: impl Fn(usize) -> bool) -> TreeLog {
    let mut log = TreeLog::default();
    let entries = |at: usize| -> Vec<Entry> { trees[at].1.iter().map(|e| entry(at, e)).collect() };
    for at in (0..trees.len()).filter(|&at| which(at)) {
        let as_delta = trees[at].0 && at > 0 && which(at - 1);
        let (new, old) = (entries(at), if as_delta { entries(at - 1) } else { Vec::new() });
        let added = new.iter().filter(|entry| !old.contains(entry)).copied();
        let removed = old.iter().filter(|entry| !new.contains(entry)).map(|entry| entry.name);
        log.push(tree_oid(at), as_delta.then(|| tree_oid(at - 1)), added, removed);
    }
    log
}

/// What each tree holds, by paths.
fn held(holdings: &Holdings, sets: &Sets, names: &[Box<[u8]>], tree: &Oid) -> Vec<(Vec<u8>, Oid, Vec<u32>)> {
    let mut all = Vec::new();
    let mut pending = vec![(holdings.list(tree), Vec::new())];
    while let Some((list, prefix)) = pending.pop() {
        for holding in holdings.in_list(list) {
            let path = [&prefix[..], b"/", &names[holding.name as usize]].concat();
            match holding.what {
                What::Folder(list) => pending.push((list, path)),
                What::Blob(oid) => all.push((path, oid, sets.values(holding.set).collect())),
            }
        }
    }
    all.sort();
    all
}

fn scanned<'a>(
    taken: &'a Taken,
    values: &'a Values,
    holdings: &'a Holdings,
    names: &'a [Box<[u8]>],
    speaking: &'a FastSet<u32>,
) -> Scanned<'a> {
    Scanned {
        taken,
        commits: &[],
        values,
        sightings: &[],
        looks_at_names: &|_| false,
        may_matter: &|name| name == b"d",
        holdings,
        names,
        speaking,
        is_whole: true,
        visited: 0,
    }
}

proptest! {
    /// With the trees that are left out read again, and others that are new, all trees hold what they held.
    #[test]
    fn what_trees_hold_is_the_same(
        trees in prop::collection::vec((any::<bool>(), prop::collection::btree_map(0u32..5, 0usize..18, 0..4)), 1..9),
        valued in prop::collection::btree_set(0usize..10, 0..4),
        speaking_name in 0u32..8,
        later in 0usize..9,
    ) {
        let names: Vec<Box<[u8]>> = (0..5u8).map(|n| Box::from([b'a' + n])).collect();
        let speaking: FastSet<u32> = [speaking_name].into_iter().collect();
        let is_first = |at: usize| at < later.max(1);
        let (mut sets, mut all_sets) = (Sets::new(), Sets::new());
        let of = |sets: &mut Sets| -> OidMap<SetId> {
            valued.iter().map(|&n| (blob_oid(n), sets.number(&[n as u32]))).collect()
        };
        let full = log(&trees, |_| true);
        let all_blobs = of(&mut all_sets);
        let all = Holdings::compute(&full, Families::of(&full), Before::nothing(), &all_blobs, &mut all_sets);

        // A scan of the first trees, and what is kept of it.
        let taken = Taken { trees: log(&trees, is_first), ..Taken::default() };
        let blobs = of(&mut sets);
        let values = Values { blobs: blobs.clone(), ..Values::default() };
        let families = Families::of(&taken.trees);
        let first = Holdings::compute(&taken.trees, families, Before::nothing(), &blobs, &mut sets);
        let scanned = scanned(&taken, &values, &first, &names, &speaking);
        let mut saved = Saved::nothing(HashKind::Sha1);
        let structure = add(&mut saved, &scanned, valued.iter().map(|&n| blob_oid(n)).collect());
        prop_assert!(saved.names.iter().all(|name| names.get(speaking_name as usize) != Some(name)));
        let kept: OidMap<ListId> = (0..trees.len()).filter(|&at| is_first(at)).map(tree_oid)
            .filter(|tree| !structure.speaking.contains(tree))
            .map(|tree| (tree, structure.folders[first.list(&tree) as usize].unwrap()))
            .collect();

        // The same names of the blobs, but for one that is not kept.
        for n in valued.iter().map(|&n| blob_oid(n)) {
            let mut there: Vec<&Box<[u8]>> = taken.trees.entries().iter().filter(|entry| entry.oid == n)
                .filter(|entry| !speaking.contains(&entry.name)).map(|entry| &names[entry.name as usize]).collect();
            there.sort();
            there.dedup();
            // All tell the same kind of file; only "d" matters beside.
            let first = there.first().copied();
            there.retain(|name| Some(*name) == first || ***name == *b"d");
            let kept: Vec<&Box<[u8]>> =
                entries(&saved).filter(|entry| entry.oid == n).map(|entry| &saved.names[entry.name as usize]).collect();
            prop_assert_eq!(kept, there);
        }

        // As lists of a scan are.
        prop_assert!(lists(&saved).iter().all(|list| list.is_sorted_by_key(|holding| holding.name)));

        // A scan of the others, and of those that are left out.
        let is_read = |at: usize| !kept.contains_key(&tree_oid(at));
        let mut names_now = saved.names.clone();
        let mut number = |name: u32| {
            let known = names_now.iter().position(|kept| *kept == names[name as usize]);
            known.unwrap_or_else(|| { names_now.push(names[name as usize].clone()); names_now.len() - 1 }) as u32
        };
        let mut again = TreeLog::default();
        again.add_loose(entries(&saved));
        for at in (0..trees.len()).filter(|&at| is_read(at)) {
            let entries: Vec<Entry> = trees[at].1.iter().map(|e| entry(at, e))
                .map(|e| Entry { name: number(e.name), ..e }).collect();
            again.push(tree_oid(at), None, entries, []);
        }
        let mut sets = Sets::new();
        let before = Before {
            lists: lists(&saved),
            list_of: Box::new(move |tree| kept.get(tree).copied().unwrap_or(0)),
        };
        let blobs = of(&mut sets);
        let now = Holdings::compute(&again, Families::of(&again), before, &blobs, &mut sets);
        for at in 0..trees.len() {
            let tree = tree_oid(at);
            prop_assert_eq!(held(&now, &sets, &names_now, &tree), held(&all, &all_sets, &names, &tree), "tree {}", at);
            prop_assert_eq!(
                sets.values(now.set(&tree)).collect::<Vec<_>>(),
                all_sets.values(all.set(&tree)).collect::<Vec<_>>()
            );
        }
    }
}
