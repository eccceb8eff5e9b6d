//! What the trees of a history hold, from commit to commit, shown where it is new.
//!
//! Most of what a folder holds was there in the version of it that was seen last, and what is the same at the same
//! path has been shown. So a folder is compared with that version, as both are sorted, and only the rest is looked at.

use bstr::BString;

use super::commits::Graph;
use super::oids::{FastMap, FastSet};
use super::sets::{Holding, Holdings, ListId, SetId};

/// Number of a path; 0 is the root of all trees.
pub type PathId = u32;

/// What looks at what is new.
pub trait Look {
    /// Whether to look at what is behind an entry, or in a whole folder, of which these are the values. The answer for
    /// a folder is yes if that for one of its entries is.
    fn cares(&mut self, values: SetId) -> bool;

    /// A blob that it cares for in the tree of the commit at this place. The same blob at the same path, with the same
    /// mode, is shown at its first commit, and may be again.
    fn blob(&mut self, commit: usize, path: PathId, blob: &Holding);
}

/// Paths as numbers: a name in another path.
#[derive(Debug, Default)]
pub struct Paths {
    numbers: FastMap<(PathId, u32), PathId>,
    parts: Vec<(PathId, u32)>,
}

impl Paths {
    fn number(&mut self, prefix: PathId, name: u32) -> PathId {
        let Paths { numbers, parts } = self;
        *numbers.entry((prefix, name)).or_insert_with(|| {
            parts.push((prefix, name));
            parts.len() as PathId
        })
    }

    /// A path in words.
    pub fn text(&self, mut path: PathId, names: &[Box<[u8]>]) -> BString {
        let mut parts = Vec::new();
        while let Some(&(prefix, name)) = (path as usize).checked_sub(1).and_then(|at| self.parts.get(at)) {
            parts.push(&*names[name as usize]);
            path = prefix;
        }
        parts.reverse();
        parts.join(&b'/').into()
    }
}

/// Shows what is in the trees of all commits, in their order, and in each tree depth first. Returns the paths that the
/// numbers stand for.
pub fn each_fresh(graph: &Graph, holdings: &Holdings, look: &mut impl Look) -> Paths {
    let mut paths = Paths::default();
    let mut visited: FastSet<(ListId, PathId)> = FastSet::default();
    // By path, the list of entries that was visited there last.
    let mut last: Vec<ListId> = Vec::new();
    let mut pending: Vec<(ListId, PathId)> = Vec::new();
    for (at, commit) in graph.commits.iter().enumerate() {
        pending.push((holdings.list(&commit.tree), 0));
        while let Some((list, prefix)) = pending.pop() {
            let before = last.get(prefix as usize).copied().unwrap_or(0);
            if list == before || !look.cares(holdings.set_of_list(list)) || !visited.insert((list, prefix)) {
                continue;
            }
            for holding in fresh(holdings.in_list(before), holdings.in_list(list)) {
                if !look.cares(holding.set) {
                    continue;
                }
                let path = paths.number(prefix, holding.entry.name);
                match holding.entry.mode.is_tree() {
                    true => pending.push((holdings.list(&holding.entry.oid), path)),
                    false => look.blob(at, path, holding),
                }
            }
            last.resize(paths.parts.len() + 1, 0);
            last[prefix as usize] = list;
        }
    }
    paths
}

/// What a list has that another has not; both are sorted by the numbers of names.
fn fresh<'a>(mut old: &'a [Holding], new: &'a [Holding]) -> impl Iterator<Item = &'a Holding> {
    new.iter().filter(move |holding| {
        let is_before = |other: &&Holding| other.entry.name < holding.entry.name;
        old = &old[old.iter().take_while(is_before).count()..];
        // In a tree that git would refuse, a name stands more than once.
        let namesakes = old.iter().take_while(|other| other.entry.name == holding.entry.name);
        !namesakes.into_iter().any(|other| other == *holding)
    })
}
