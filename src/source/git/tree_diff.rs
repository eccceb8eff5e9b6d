//! What differs between two trees, or between a tree and the index.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::ops::Range;

use bstr::BString;

use super::error::{Error, Result};
use super::index::{Index, IndexEntry};
use super::object::{Kind, Mode, TreeEntry, tree_entries};
use super::odb::Odb;
use super::oid::Oid;

/// A path whose content differs. Submodules are left out, and so is a change of permissions only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The path, relative to the root.
    pub path: BString,
    /// Mode and blob before. None if the path is new.
    pub old: Option<(Mode, Oid)>,
    /// Mode and blob after. None if the path is gone.
    pub new: Option<(Mode, Oid)>,
}

/// Finds changes, and keeps an account of what it could not read.
pub struct TreeDiff<'a> {
    odb: &'a Odb,
    /// Pairs of trees that were compared. A tree that occurs at many paths is compared at the first one
    /// only, so that trees that repeat each other exponentially take no more time than their objects.
    seen: HashSet<(Option<Oid>, Option<Oid>)>,
    /// What was found, in no particular order.
    pub changes: Vec<Change>,
    /// Trees that could not be read: the path, and why.
    pub unreadable: Vec<(BString, Oid, Error)>,
    /// Paths that are not merged yet.
    pub unmerged: Vec<BString>,
}

/// Part of the index: the entries below a folder.
struct Folder<'a> {
    /// The folder with a `/` at its end; empty for the root.
    prefix: &'a [u8],
    entries: Range<usize>,
    cached: Option<usize>,
}

/// A folder still to be compared: index entries against the content of a tree.
struct Pending {
    prefix: BString,
    tree: Option<Oid>,
    entries: Range<usize>,
    cached: Option<usize>,
}

/// An entry of the folder in the index.
enum Item {
    File(Range<usize>),
    Folder(Range<usize>),
}

impl<'a> TreeDiff<'a> {
    /// A comparison that has found nothing yet.
    pub fn new(odb: &'a Odb) -> Self {
        TreeDiff {
            odb,
            seen: HashSet::new(),
            changes: Vec::new(),
            unreadable: Vec::new(),
            unmerged: Vec::new(),
        }
    }

    /// Compares two trees (none is an empty one) below a path, which is empty or ends in `/`.
    pub fn trees(&mut self, prefix: &[u8], old: Option<Oid>, new: Option<Oid>) {
        let mut pending = vec![(BString::from(prefix), old, new)];
        while let Some((prefix, old, new)) = pending.pop() {
            if old == new || !self.seen.insert((old, new)) {
                continue;
            }
            let (old_data, new_data) = (self.read_tree(&prefix, old), self.read_tree(&prefix, new));
            let (old, new) = (self.entries(&prefix, old, &old_data), self.entries(&prefix, new, &new_data));
            for (old, new) in merge(&old, &new) {
                self.pair(&prefix, old, new, &mut pending);
            }
        }
    }

    fn pair(
        &mut self,
        prefix: &BString,
        old: Option<&TreeEntry<'_>>,
        new: Option<&TreeEntry<'_>>,
        pending: &mut Vec<(BString, Option<Oid>, Option<Oid>)>,
    ) {
        let Some(name) = old.or(new).map(|entry| entry.name) else {
            return;
        };
        if old.map(|entry| (entry.oid, entry.mode.is_tree()))
            == new.map(|entry| (entry.oid, entry.mode.is_tree()))
        {
            return;
        }
        let path = join(prefix, name);
        let tree =
            |entry: Option<&TreeEntry<'_>>| entry.filter(|entry| entry.mode.is_tree()).map(|entry| entry.oid);
        if tree(old).is_some() || tree(new).is_some() {
            pending.push((join(&path, b"/"), tree(old), tree(new)));
        }
        let blob = |entry: Option<&TreeEntry<'_>>| {
            entry.filter(|entry| entry.mode.is_blob()).map(|entry| (entry.mode, entry.oid))
        };
        self.add(path, blob(old), blob(new));
    }

    fn add(&mut self, path: BString, old: Option<(Mode, Oid)>, new: Option<(Mode, Oid)>) {
        if old.map(|(_, oid)| oid) != new.map(|(_, oid)| oid) {
            self.changes.push(Change { path, old, new });
        }
    }

    /// Compares a tree (none is an empty one) with what the index would record in its place.
    pub fn index(&mut self, tree: Option<Oid>, index: &Index) {
        let root = Pending {
            prefix: BString::default(),
            tree,
            entries: 0..index.entries().len(),
            cached: index.cached_root(),
        };
        let mut pending = vec![root];
        while let Some(folder) = pending.pop() {
            if unchanged(&folder, index) {
                continue;
            }
            let data = self.read_tree(&folder.prefix, folder.tree);
            let tree = self.entries(&folder.prefix, folder.tree, &data);
            let part =
                Folder { prefix: &folder.prefix, entries: folder.entries.clone(), cached: folder.cached };
            self.folder(&tree, &part, index, &mut pending);
        }
    }

    fn folder(
        &mut self,
        tree: &[TreeEntry<'_>],
        folder: &Folder<'_>,
        index: &Index,
        pending: &mut Vec<Pending>,
    ) {
        let mut tree = tree.iter().peekable();
        let mut at = folder.entries.start;
        while at < folder.entries.end {
            let (name, item) = item_at(index, folder, at);
            let is_folder = matches!(item, Item::Folder(_));
            while let Some(gone) = tree.next_if(|entry| order(entry, name, is_folder) == Ordering::Less) {
                self.gone(folder.prefix, gone);
            }
            let same = tree.next_if(|entry| order(entry, name, is_folder) == Ordering::Equal);
            match item {
                Item::File(entries) => {
                    at = entries.end;
                    self.file(folder.prefix, name, same, &index.entries()[entries]);
                }
                Item::Folder(entries) => {
                    at = entries.end;
                    let prefix = join(&join(folder.prefix, name), b"/");
                    match sparse_folder(index, &prefix, &entries) {
                        Some(oid) => self.trees(&prefix, same.map(|entry| entry.oid), Some(oid)),
                        None => pending.push(Pending {
                            cached: folder.cached.and_then(|parent| index.cached_child(parent, name)),
                            tree: same.map(|entry| entry.oid),
                            prefix,
                            entries,
                        }),
                    }
                }
            }
        }
        tree.for_each(|entry| self.gone(folder.prefix, entry));
    }

    /// All stages of one path. `old` is never a folder.
    fn file(&mut self, prefix: &[u8], name: &[u8], old: Option<&TreeEntry<'_>>, stages: &[IndexEntry]) {
        let path = join(prefix, name);
        let merged = stages.iter().find(|entry| entry.stage == 0);
        if merged.is_none() {
            self.unmerged.push(path);
            return;
        }
        let old = old.filter(|entry| entry.mode.is_blob()).map(|entry| (entry.mode, entry.oid));
        let recorded = merged.filter(|entry| !entry.intent_to_add && entry.mode.is_blob());
        self.add(path, old, recorded.map(|entry| (entry.mode, entry.oid)));
    }

    /// An entry of the tree that the index does not have.
    fn gone(&mut self, prefix: &[u8], entry: &TreeEntry<'_>) {
        let path = join(prefix, entry.name);
        if entry.mode.is_tree() {
            self.trees(&join(&path, b"/"), Some(entry.oid), None);
        } else if entry.mode.is_blob() {
            self.add(path, Some((entry.mode, entry.oid)), None);
        }
    }

    fn read_tree(&mut self, prefix: &[u8], oid: Option<Oid>) -> Vec<u8> {
        let Some(oid) = oid else { return Vec::new() };
        self.odb.read_kind(&oid, Kind::Tree).unwrap_or_else(|error| {
            self.unreadable.push((prefix.into(), oid, error));
            Vec::new()
        })
    }

    /// The entries of a tree's content, as far as they make sense.
    fn entries<'d>(&mut self, prefix: &[u8], oid: Option<Oid>, data: &'d [u8]) -> Vec<TreeEntry<'d>> {
        let entries: Result<Vec<_>> = tree_entries(data, self.odb.hash()).collect();
        entries.unwrap_or_else(|error| {
            self.unreadable.extend(oid.map(|oid| (prefix.into(), oid, error)));
            tree_entries(data, self.odb.hash()).map_while(Result::ok).collect()
        })
    }
}

/// Whether git already computed the folder's tree, and it is the same one. `git commit` records cached
/// trees without looking at the entries again, so they are as good as the entries.
fn unchanged(folder: &Pending, index: &Index) -> bool {
    let cached = folder.cached.and_then(|at| index.cached_tree(at)).and_then(|cached| cached.tree);
    cached.is_some_and(|(oid, covered)| Some(oid) == folder.tree && covered == folder.entries.len())
}

/// The file or folder that starts at an index entry: its name in the folder, and its entries.
fn item_at<'i>(index: &'i Index, folder: &Folder<'_>, at: usize) -> (&'i [u8], Item) {
    let path = |at: usize| index.entries().get(at).map(|entry| index.path(entry)).unwrap_or_default();
    let rest = path(at).get(folder.prefix.len()..).unwrap_or_default();
    let entries = &index.entries()[at..folder.entries.end];
    match memchr::memchr(b'/', rest) {
        Some(slash) => {
            let inside = &path(at)[..folder.prefix.len() + slash + 1];
            let len = entries.partition_point(|entry| index.path(entry).starts_with(inside));
            (&rest[..slash], Item::Folder(at..at + len.max(1)))
        }
        None => {
            let len = entries.iter().take_while(|entry| index.path(entry) == path(at)).count();
            (rest, Item::File(at..at + len.max(1)))
        }
    }
}

/// The tree of a folder that a sparse index does not unfold.
fn sparse_folder(index: &Index, prefix: &[u8], entries: &Range<usize>) -> Option<Oid> {
    let entry = index.entries().get(entries.start).filter(|_| entries.len() == 1)?;
    (entry.mode.is_tree() && index.path(entry) == prefix).then_some(entry.oid)
}

fn join(prefix: &[u8], name: &[u8]) -> BString {
    [prefix, name].concat().into()
}

/// git's order of tree entries: folders as if their names ended in `/`.
pub(crate) fn order(entry: &TreeEntry<'_>, name: &[u8], is_folder: bool) -> Ordering {
    let tail = |is_folder: bool| is_folder.then_some(&b'/');
    entry.name.iter().chain(tail(entry.mode.is_tree())).cmp(name.iter().chain(tail(is_folder)))
}

type Pair<'e, 'd> = (Option<&'e TreeEntry<'d>>, Option<&'e TreeEntry<'d>>);

/// Pairs the entries of two trees by name and kind.
pub(super) fn merge<'e, 'd>(old: &'e [TreeEntry<'d>], new: &'e [TreeEntry<'d>]) -> Vec<Pair<'e, 'd>> {
    let (mut old, mut new) = (old.iter().peekable(), new.iter().peekable());
    let mut pairs = Vec::new();
    loop {
        let side = match (old.peek(), new.peek()) {
            (None, None) => return pairs,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(a), Some(b)) => order(a, b.name, b.mode.is_tree()),
        };
        pairs.push(match side {
            Ordering::Less => (old.next(), None),
            Ordering::Greater => (None, new.next()),
            Ordering::Equal => (old.next(), new.next()),
        });
    }
}
