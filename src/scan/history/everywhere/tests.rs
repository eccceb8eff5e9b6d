//! What is found by looking at what is new only, against looking at everything in every commit.

use std::collections::{BTreeMap, BTreeSet};

use bstr::BString;
use proptest::prelude::*;

use super::*;
use crate::scan::history::commits::Graph;
use crate::scan::history::oids::OidMap;
use crate::scan::history::parts::Families;
use crate::scan::history::places::join;
use crate::scan::history::sets::{Before, Holding, Holdings, What};
use crate::scan::history::trees::{Entry, TreeLog};
use crate::scan::history::visit::CommitRecord;

const VALUES: u32 = 5;
const BLOBS: usize = 6;
/// Trees of each depth; those of depth 0 hold blobs only.
const TREES: usize = 4;
const MODES: [u32; 3] = [0o100644, 0o100755, 0o120000];

/// An entry: the number of its name, whether it is a folder, which object, and the mode of a file.
type Drawn = (u32, bool, usize, usize);

fn oid(kind: u8, number: usize) -> Oid {
    let mut bytes = [kind; 20];
    bytes[0] = number as u8;
    Oid::from_bytes(&bytes).unwrap()
}

/// A history whose trees are drawn from few, so that they come back and lie at several paths.
struct World {
    graph: Graph,
    holdings: Holdings,
    sets: Sets,
    values: Values,
    names: Vec<Box<[u8]>>,
}

impl World {
    fn new(blobs: &[BTreeSet<u32>], trees: &[Vec<Drawn>], commits: &[usize], is_odd: bool) -> Self {
        let (mut sets, mut blob_sets) = (Sets::new(), OidMap::default());
        for (at, values) in blobs.iter().enumerate().filter(|(_, values)| !values.is_empty()) {
            let values: Vec<u32> = values.iter().copied().collect();
            blob_sets.insert(oid(b'b', at), sets.number(&values));
        }
        let mut log = TreeLog::default();
        for (at, drawn) in trees.iter().enumerate() {
            let mut names = BTreeSet::new();
            let entry = |&(name, is_tree, number, mode): &Drawn| match is_tree && at >= TREES {
                true => Entry { name, mode: Mode(0o40000), oid: oid(b't', number % (at / TREES * TREES)) },
                false => Entry { name, mode: Mode(MODES[mode]), oid: oid(b'b', number % BLOBS) },
            };
            // A name stands twice only in trees that git would refuse.
            let entries = drawn.iter().map(entry).filter(|entry| names.insert(entry.name) || is_odd);
            log.push(oid(b't', at), None, entries.collect::<Vec<_>>(), []);
        }
        let record = |(at, &root): (usize, &usize)| CommitRecord {
            oid: oid(b'c', at),
            tree: oid(b't', 2 * TREES + root),
            parents: at.checked_sub(1).map(|before| oid(b'c', before)).into_iter().collect(),
            time: at as i64,
        };
        let graph = Graph::new(commits.iter().enumerate().map(record).collect());
        let holdings = Holdings::compute(&log, Families::of(&log), Before::nothing(), &blob_sets, &mut sets);
        let secrets = vec![Box::default(); VALUES as usize];
        let values = Values { secrets, blobs: blob_sets, ..Values::default() };
        let names = ["a", "b", "c", "d", "e"].map(|name| name.as_bytes().into());
        World { graph, holdings, sets, values, names: names.into() }
    }

    /// Every blob in every commit's tree, with its path, without leaving anything out.
    fn all(&self) -> Vec<(usize, BString, Oid, Holding)> {
        let mut all = Vec::new();
        for (at, commit) in self.graph.commits.iter().enumerate() {
            let mut pending = vec![(self.holdings.list(&commit.tree), BString::default())];
            while let Some((list, prefix)) = pending.pop() {
                for holding in self.holdings.in_list(list) {
                    let path = join(&prefix, &self.names[holding.name as usize]);
                    match holding.what {
                        What::Folder(list) => pending.push((list, path)),
                        What::Blob(oid) => all.push((at, path, oid, *holding)),
                    }
                }
            }
        }
        all
    }
}

fn mode_as_kind(_: usize, mode: Mode) -> Option<MessageKind> {
    mode.is_symlink().then_some(MessageKind::LinkTarget)
}

fn drawn() -> impl Strategy<Value = Vec<Drawn>> {
    prop::collection::vec((0u32..5, any::<bool>(), 0usize..24, 0..MODES.len()), 0..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn what_is_new_is_all_that_counts(
        blobs in prop::collection::vec(prop::collection::btree_set(0..VALUES, 0..3), BLOBS),
        trees in prop::collection::vec(drawn(), 3 * TREES),
        commits in prop::collection::vec(0..TREES, 0..12),
        sought in prop::collection::btree_set(0..VALUES, 0..4),
        most in 1usize..8,
        is_odd in any::<bool>(),
    ) {
        let world = World::new(&blobs, &trees, &commits, is_odd);
        let World { graph, holdings, sets, values, names } = &world;
        let all = world.all();

        let mut paths = vec![BTreeSet::new(); VALUES as usize];
        for (_, path, _, holding) in &all {
            paths.iter_mut().zip(0..).filter(|(_, value)| sets.holds(holding.set, *value)).for_each(|(known, _)| {
                known.insert(path);
            });
        }
        let counts: Vec<u64> = paths.iter().map(|paths| paths.len() as u64).collect();
        let fresh = &Fresh::of(graph, holdings);
        prop_assert_eq!(count_paths(fresh, sets, values), counts);

        let mut known: BTreeMap<u32, BTreeSet<&BString>> = BTreeMap::new();
        let mut expected = Vec::new();
        for (commit, path, oid, holding) in &all {
            for value in sets.values(holding.set).filter(|value| sought.contains(value)) {
                let known = known.entry(value).or_default();
                if known.len() < most && known.insert(path) {
                    let kind = mode_as_kind(*commit, holding.mode);
                    expected.push((*commit, value, Place { oid: *oid, path: Some(path.clone()), kind }));
                }
            }
        }
        expected.sort_by(|a, b| (a.0, a.1, &a.2.path).cmp(&(b.0, b.1, &b.2.path)));
        let list: Vec<u32> = sought.iter().copied().collect();
        let everywhere = Everywhere { fresh, sets, names, sought: &list, most };
        let (found, loose) = everywhere.search(values, mode_as_kind);
        let found: Vec<(usize, u32, Place)> = found.into_iter().map(|it| (it.commit, it.value, it.place)).collect();
        prop_assert_eq!(found, expected);

        let in_trees: BTreeSet<Oid> = all.iter().map(|(_, _, oid, _)| *oid).collect();
        let outside = |value: &u32| {
            let holders = (0..BLOBS).filter(|&at| blobs[at].contains(value)).map(|at| oid(b'b', at));
            holders.filter(|oid| !in_trees.contains(oid)).min().map(|oid| (*value, oid))
        };
        prop_assert_eq!(loose, list.iter().filter_map(outside).collect::<Vec<_>>());
    }
}
