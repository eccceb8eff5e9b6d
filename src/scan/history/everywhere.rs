//! Every path at which some values ever lay: for values whose earliest places do not tell what they are.

use bstr::BString;

use super::commits::Graph;
use super::oids::{FastSet, OidSet};
use super::places::{Place, join};
use super::sets::{Holdings, ListId, SetId, Sets};
use super::values::Values;
use crate::finding::MessageKind;
use crate::source::git::{Mode, Oid};

/// Paths of one value that are looked at.
const MAX_PATHS: usize = 1000;

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

impl Everywhere<'_> {
    /// The sought values among those of a set.
    fn among(&self, set: SetId) -> impl Iterator<Item = u32> {
        let values = self.sets.values(set).iter().copied();
        values.filter(|value| self.sought.binary_search(value).is_ok())
    }

    /// Each path once for each value, in order of commits, and within them of paths.
    pub fn paths(&self, kind_of: impl Fn(usize, Mode) -> Option<MessageKind>) -> Vec<Found> {
        let mut found = Vec::new();
        let mut visited: FastSet<(ListId, BString)> = FastSet::default();
        let mut known: FastSet<(u32, BString)> = FastSet::default();
        let mut counts = vec![0usize; self.sought.len()];
        let mut roots: FastSet<ListId> = FastSet::default();
        for (commit, record) in self.graph.commits.iter().enumerate() {
            let root = self.holdings.list(&record.tree);
            if !roots.insert(root) {
                continue;
            }
            let first = found.len();
            let mut pending = vec![(root, BString::default())];
            while let Some((list, prefix)) = pending.pop() {
                if self.among(self.holdings.set_of_list(list)).next().is_none()
                    || !visited.insert((list, prefix.clone()))
                {
                    continue;
                }
                for holding in self.holdings.in_list(list) {
                    let path = join(&prefix, &self.names[holding.entry.name as usize]);
                    if holding.entry.mode.is_tree() {
                        pending.push((self.holdings.list(&holding.entry.oid), path));
                        continue;
                    }
                    for value in self.among(holding.set) {
                        let Ok(at) = self.sought.binary_search(&value) else { continue };
                        if counts[at] < MAX_PATHS && known.insert((value, path.clone())) {
                            counts[at] += 1;
                            let kind = kind_of(commit, holding.entry.mode);
                            let place = Place { oid: holding.entry.oid, path: Some(path.clone()), kind };
                            found.push(Found { value, commit, place });
                        }
                    }
                }
            }
            found[first..].sort_by(|a, b| (a.value, &a.place.path).cmp(&(b.value, &b.place.path)));
        }
        found
    }

    /// For each sought value, a blob with it that is in no commit's tree; by value.
    pub fn loose_blobs(&self, values: &Values) -> Vec<(u32, Oid)> {
        let mut in_trees = OidSet::default();
        let mut visited: FastSet<ListId> = FastSet::default();
        let roots = self.graph.commits.iter().map(|commit| self.holdings.list(&commit.tree));
        let mut pending: Vec<ListId> = roots.filter(|root| visited.insert(*root)).collect();
        while let Some(list) = pending.pop() {
            for holding in self.holdings.in_list(list) {
                if holding.entry.mode.is_tree() {
                    let below = self.holdings.list(&holding.entry.oid);
                    pending.extend(visited.insert(below).then_some(below));
                } else {
                    in_trees.insert(holding.entry.oid);
                }
            }
        }
        let outside = values.blobs.iter().filter(|(oid, _)| !in_trees.contains(*oid));
        let mut found: Vec<(u32, Oid)> =
            outside.flat_map(|(oid, set)| self.among(*set).map(|value| (value, *oid))).collect();
        found.sort_unstable();
        found.dedup_by_key(|(value, _)| *value);
        found
    }
}
