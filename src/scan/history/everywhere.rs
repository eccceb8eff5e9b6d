//! Every path at which values ever lay: counted for all, and listed for those whose earliest places do not tell what
//! they are.

use super::commits::Graph;
use super::fresh::{Look, PathId, each_fresh};
use super::oids::{FastSet, OidSet};
use super::places::Place;
use super::sets::{Holding, Holdings, SetId, Sets};
use super::trees::Entry;
use super::values::Values;
use crate::finding::MessageKind;
use crate::source::git::{Mode, Oid};

/// Where to look.
pub struct Everywhere<'a> {
    /// The commits.
    pub graph: &'a Graph,
    /// What their trees hold.
    pub holdings: &'a Holdings,
    /// Sets of values.
    pub sets: &'a Sets,
    /// Names of entries of trees.
    pub names: &'a [Box<[u8]>],
    /// The values that are sought, sorted.
    pub sought: &'a [u32],
    /// Paths of one value that are looked at.
    pub most: usize,
}

/// A path of a value, at the earliest commit with a blob there that holds the value.
pub struct Found {
    /// The value.
    pub value: u32,
    /// The place of the commit.
    pub commit: usize,
    /// The blob and its path.
    pub place: Place,
}

/// What of the sets is sought: the places in [`Everywhere::sought`] of the values of each, made on first use.
struct Among<'a> {
    sets: &'a Sets,
    sought: &'a [u32],
    of_set: Vec<Option<Box<[u32]>>>,
}

impl Among<'_> {
    fn of(&mut self, set: SetId) -> &[u32] {
        let Among { sets, sought, of_set } = self;
        if of_set.len() <= set as usize {
            of_set.resize(set as usize + 1, None);
        }
        of_set[set as usize].get_or_insert_with(|| {
            let place = |value| sought.binary_search(&value).ok().map(|at| at as u32);
            sets.values(set).filter_map(place).collect()
        })
    }
}

/// Takes down where sought values are first.
struct Search<'a> {
    among: Among<'a>,
    /// Each path of each value.
    known: FastSet<(u32, PathId)>,
    counts: Vec<usize>,
    most: usize,
    /// The place of the value, of the commit, and where in it.
    found: Vec<(u32, usize, PathId, Entry)>,
    in_trees: OidSet,
}

impl Look for Search<'_> {
    fn cares(&mut self, values: SetId) -> bool {
        !self.among.of(values).is_empty()
    }

    fn blob(&mut self, commit: usize, path: PathId, blob: &Holding) {
        let Search { among, known, counts, most, found, in_trees } = self;
        in_trees.insert(blob.entry.oid);
        for &at in among.of(blob.set) {
            if counts[at as usize] < *most && known.insert((at, path)) {
                counts[at as usize] += 1;
                found.push((at, commit, path, blob.entry));
            }
        }
    }
}

impl Everywhere<'_> {
    /// Each path once for each value, in order of commits, and within them of values and paths. And for each value a
    /// blob with it that is in no commit's tree, if there is one; by value.
    pub fn search(
        &self,
        values: &Values,
        kind_of: impl Fn(usize, Mode) -> Option<MessageKind>,
    ) -> (Vec<Found>, Vec<(u32, Oid)>) {
        let mut search = Search {
            among: Among { sets: self.sets, sought: self.sought, of_set: Vec::new() },
            known: FastSet::default(),
            counts: vec![0; self.sought.len()],
            most: self.most,
            found: Vec::new(),
            in_trees: OidSet::default(),
        };
        let paths = each_fresh(self.graph, self.holdings, &mut search);
        let whole = |&(at, commit, path, entry): &(u32, usize, PathId, Entry)| {
            let (path, kind) = (Some(paths.text(path, self.names)), kind_of(commit, entry.mode));
            Found { value: self.sought[at as usize], commit, place: Place { oid: entry.oid, path, kind } }
        };
        let mut found: Vec<Found> = search.found.iter().map(whole).collect();
        found.sort_by(|a, b| (a.commit, a.value, &a.place.path).cmp(&(b.commit, b.value, &b.place.path)));
        (found, self.loose_blobs(values, search))
    }

    fn loose_blobs(&self, values: &Values, search: Search<'_>) -> Vec<(u32, Oid)> {
        let Search { mut among, in_trees, .. } = search;
        let mut found: Vec<(u32, Oid)> = Vec::new();
        for (oid, set) in values.blobs.iter().filter(|(oid, _)| !in_trees.contains(*oid)) {
            found.extend(among.of(*set).iter().map(|&at| (self.sought[at as usize], *oid)));
        }
        found.sort_unstable();
        found.dedup_by_key(|(value, _)| *value);
        found
    }
}

/// Number of distinct paths that ever held each value.
pub fn count_paths(graph: &Graph, holdings: &Holdings, sets: &Sets, values: &Values) -> Vec<u64> {
    let (known, paths) = (FastSet::default(), vec![0; values.secrets.len()]);
    let mut count = Count { sets, known, paths };
    each_fresh(graph, holdings, &mut count);
    count.paths
}

/// Counts the paths of all values.
struct Count<'a> {
    sets: &'a Sets,
    known: FastSet<(u32, PathId)>,
    paths: Vec<u64>,
}

impl Look for Count<'_> {
    fn cares(&mut self, values: SetId) -> bool {
        values != 0
    }

    fn blob(&mut self, _: usize, path: PathId, blob: &Holding) {
        for value in self.sets.values(blob.set) {
            if self.known.insert((value, path)) {
                self.paths[value as usize] += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests;
