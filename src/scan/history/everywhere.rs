//! Every path at which values ever lay: counted for all, and listed for those whose earliest places do not tell what
//! they are.

use super::fresh::{Fresh, PathId, Sight};
use super::oids::{FastSet, OidSet};
use super::places::Place;
use super::sets::{SetId, Sets};
use super::values::Values;
use crate::finding::MessageKind;
use crate::source::git::{Mode, Oid};

/// Where to look.
pub struct Everywhere<'a> {
    /// What commits brought in.
    pub fresh: &'a Fresh<'a>,
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

impl Everywhere<'_> {
    /// Each path once for each value, in order of commits, and within them of values and paths. And for each value a
    /// blob with it that is in no commit's tree, if there is one; by value.
    pub fn search(
        &self,
        values: &Values,
        kind_of: impl Fn(usize, Mode) -> Option<MessageKind>,
    ) -> (Vec<Found>, Vec<(u32, Oid)>) {
        let mut among = Among { sets: self.sets, sought: self.sought, of_set: Vec::new() };
        let mut known: FastSet<(u32, PathId)> = FastSet::default();
        let mut counts = vec![0; self.sought.len()];
        let mut in_trees = OidSet::default();
        let mut found = Vec::new();
        for &Sight { commit, path, blob: oid, holding } in &self.fresh.sights {
            let sought = among.of(holding.set);
            if !sought.is_empty() {
                in_trees.insert(oid);
            }
            for &at in sought {
                if counts[at as usize] < self.most && known.insert((at, path)) {
                    counts[at as usize] += 1;
                    let path = Some(self.fresh.paths.text(path, self.names));
                    let kind = kind_of(commit as usize, holding.mode);
                    let place = Place { oid, path, kind };
                    found.push(Found { value: self.sought[at as usize], commit: commit as usize, place });
                }
            }
        }
        found.sort_by(|a, b| (a.commit, a.value, &a.place.path).cmp(&(b.commit, b.value, &b.place.path)));
        (found, self.outside(values, &in_trees, &mut among))
    }

    /// For each value, the first of the blobs with it that are not in trees.
    fn outside(&self, values: &Values, in_trees: &OidSet, among: &mut Among<'_>) -> Vec<(u32, Oid)> {
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
pub fn count_paths(fresh: &Fresh<'_>, sets: &Sets, values: &Values) -> Vec<u64> {
    let mut paths = vec![0; values.secrets.len()];
    let mut known: FastSet<(u32, PathId)> = FastSet::default();
    for sight in &fresh.sights {
        for value in sets.values(sight.holding.set) {
            if known.insert((value, sight.path)) {
                paths[value as usize] += 1;
            }
        }
    }
    paths
}

#[cfg(test)]
mod tests;
