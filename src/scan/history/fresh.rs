//! What the trees of a history hold, from commit to commit, shown where it is new.
//!
//! Most of what a folder holds was there in the version of it that was seen last, and what is the same at the same
//! path has been shown. So a folder is compared with that version, as both are sorted, and only the rest is looked at.

use bstr::BString;

use super::commits::Graph;
use super::oids::{FastMap, FastSet};
use super::sets::{Holding, Holdings, ListId, What};
use crate::source::git::Oid;

/// Number of a path; 0 is the root of all trees.
pub type PathId = u32;

/// A blob with values that is new in a commit: at its path, with its mode, it was in no tree that was shown before. (It
/// may be shown more than once.)
#[derive(Clone, Copy, Debug)]
pub struct Sight<'a> {
    /// The place of the commit.
    pub commit: u32,
    /// Where it lies.
    pub path: PathId,
    /// The blob.
    pub blob: Oid,
    /// Its entry and its values.
    pub holding: &'a Holding,
}

/// What is new, in the order of commits, and within each tree depth first.
pub struct Fresh<'a> {
    /// The blobs.
    pub sights: Vec<Sight<'a>>,
    /// Their paths.
    pub paths: Paths,
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

impl<'a> Fresh<'a> {
    /// Looks through the trees of all commits.
    pub fn of(graph: &Graph, holdings: &'a Holdings) -> Self {
        let (mut paths, mut sights) = (Paths::default(), Vec::new());
        let mut visited: FastSet<(ListId, PathId)> = FastSet::default();
        // By path, the list of entries that was visited there last.
        let mut last: Vec<ListId> = Vec::new();
        let mut pending: Vec<(ListId, PathId)> = Vec::new();
        for (commit, record) in (0..).zip(&graph.commits) {
            pending.push((holdings.list(&record.tree), 0));
            while let Some((list, prefix)) = pending.pop() {
                let before = last.get(prefix as usize).copied().unwrap_or(0);
                if list == before || !visited.insert((list, prefix)) {
                    continue;
                }
                for holding in fresh(holdings.in_list(before), holdings.in_list(list)) {
                    let path = paths.number(prefix, holding.name);
                    match holding.what {
                        What::Folder(list) => pending.push((list, path)),
                        What::Blob(blob) => sights.push(Sight { commit, path, blob, holding }),
                    }
                }
                last.resize(paths.parts.len() + 1, 0);
                last[prefix as usize] = list;
            }
        }
        Fresh { sights, paths }
    }
}

/// What a list has that another has not; both are sorted by the numbers of names.
fn fresh<'a>(mut old: &'a [Holding], new: &'a [Holding]) -> impl Iterator<Item = &'a Holding> {
    new.iter().filter(move |holding| {
        let is_before = |other: &&Holding| other.name < holding.name;
        old = &old[old.iter().take_while(is_before).count()..];
        // In a tree that git would refuse, a name stands more than once.
        let namesakes = old.iter().take_while(|other| other.name == holding.name);
        !namesakes.into_iter().any(|other| other == *holding)
    })
}
