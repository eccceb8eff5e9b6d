//! Every path at which some values ever lay: for values whose earliest places do not tell what they are.

use std::rc::Rc;

use bstr::BString;

use super::commits::Graph;
use super::oids::{FastMap, FastSet, OidSet};
use super::places::Place;
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

/// What of the sets is sought: the places in [`Everywhere::sought`] of the values of each, made on first use.
struct Among<'a> {
    sets: &'a Sets,
    sought: &'a [u32],
    of_set: FastMap<SetId, Rc<[u32]>>,
}

impl Among<'_> {
    fn of(&mut self, set: SetId) -> Rc<[u32]> {
        let Among { sets, sought, of_set } = self;
        let places = || {
            let place = |value| sought.binary_search(&value).ok().map(|at| at as u32);
            sets.values(set).filter_map(place).collect()
        };
        of_set.entry(set).or_insert_with(places).clone()
    }
}

/// Paths as numbers: 0 is the root, others are a name in another.
struct Paths<'a> {
    names: &'a [Box<[u8]>],
    numbers: FastMap<(u32, u32), u32>,
    parts: Vec<(u32, u32)>,
}

impl Paths<'_> {
    fn number(&mut self, prefix: u32, name: u32) -> u32 {
        let Paths { numbers, parts, .. } = self;
        *numbers.entry((prefix, name)).or_insert_with(|| {
            parts.push((prefix, name));
            parts.len() as u32
        })
    }

    fn text(&self, mut path: u32) -> BString {
        let mut names = Vec::new();
        while let Some(&(prefix, name)) = (path as usize).checked_sub(1).and_then(|at| self.parts.get(at)) {
            names.push(&*self.names[name as usize]);
            path = prefix;
        }
        names.reverse();
        names.join(&b'/').into()
    }
}

impl Everywhere<'_> {
    /// Each path once for each value, in order of commits, and within them of paths.
    pub fn paths(&self, kind_of: impl Fn(usize, Mode) -> Option<MessageKind>) -> Vec<Found> {
        let mut among = self.among();
        let mut paths = Paths { names: self.names, numbers: FastMap::default(), parts: Vec::new() };
        let mut found = Vec::new();
        let mut visited: FastSet<(ListId, u32)> = FastSet::default();
        let mut known: FastSet<(u32, u32)> = FastSet::default();
        let mut counts = vec![0usize; self.sought.len()];
        for (commit, record) in self.graph.commits.iter().enumerate() {
            let first = found.len();
            let mut pending = vec![(self.holdings.list(&record.tree), 0)];
            while let Some((list, prefix)) = pending.pop() {
                if among.of(self.holdings.set_of_list(list)).is_empty() || !visited.insert((list, prefix)) {
                    continue;
                }
                for holding in self.holdings.in_list(list) {
                    let sought = among.of(holding.set);
                    if sought.is_empty() {
                        continue;
                    }
                    let path = paths.number(prefix, holding.entry.name);
                    if holding.entry.mode.is_tree() {
                        pending.push((self.holdings.list(&holding.entry.oid), path));
                        continue;
                    }
                    for &at in sought.iter() {
                        if counts[at as usize] < MAX_PATHS && known.insert((at, path)) {
                            counts[at as usize] += 1;
                            let kind = kind_of(commit, holding.entry.mode);
                            let place = Place { oid: holding.entry.oid, path: Some(paths.text(path)), kind };
                            found.push(Found { value: self.sought[at as usize], commit, place });
                        }
                    }
                }
            }
            found[first..].sort_by(|a, b| (a.value, &a.place.path).cmp(&(b.value, &b.place.path)));
        }
        found
    }

    fn among(&self) -> Among<'_> {
        Among { sets: self.sets, sought: self.sought, of_set: FastMap::default() }
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
        let mut among = self.among();
        let mut found: Vec<(u32, Oid)> = Vec::new();
        for (oid, set) in outside {
            found.extend(among.of(*set).iter().map(|&at| (self.sought[at as usize], *oid)));
        }
        found.sort_unstable();
        found.dedup_by_key(|(value, _)| *value);
        found
    }
}
