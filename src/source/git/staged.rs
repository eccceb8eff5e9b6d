//! What `git commit` is about to record: the index against `HEAD`.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::OnceLock;

use bstr::BString;

use super::error::{Error, Result};
use super::index::Index;
use super::lines::{Known, lines, new_lines};
use super::object::{Commit, Kind, Mode};
use super::odb::Odb;
use super::oid::Oid;
use super::refs;
use super::repo::Repo;
use super::tree_diff::{Change, TreeDiff};
use crate::finding::Skipped;

/// At most this many bytes of deleted files are searched for lines that moved.
const MAX_MOVED: usize = 16 << 20;

/// One path that the commit will change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StagedChange {
    /// Path relative to the root of the work tree.
    pub path: BString,
    /// Regular file or symbolic link (its content is the target).
    pub mode: Mode,
    /// The staged content.
    pub oid: Oid,
    /// What the parents of the commit hold at this path. Empty for a new file.
    pub old: Vec<Oid>,
}

/// The content of one change. Not `Debug`: it may hold secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct StagedBlob {
    /// The staged content.
    pub content: Vec<u8>,
    /// Byte ranges of the lines that the commit adds, ascending.
    pub new: Vec<Range<usize>>,
}

/// Everything that the commit will change.
#[derive(Default)]
pub struct Staged {
    /// Changed and new paths, sorted.
    pub changes: Vec<StagedChange>,
    /// What could not be looked at.
    pub skipped: Vec<Skipped>,
    /// Content that the commit removes from the tree, in order of path.
    deleted: Vec<Oid>,
    moved: OnceLock<Known>,
}

/// Compares the index with `HEAD`.
///
/// - Before the first commit, everything is new.
/// - While a merge is going on, a path counts only if it differs from what every parent has there, and
///   only those lines are new that no parent has.
/// - A file whose content `HEAD` has at a path that the commit deletes was renamed: nothing in it is new.
///   Nor is a line that moved: one that stands in a file that the commit deletes.
/// - Unmerged paths cannot be committed; they are listed as skipped, which does not make the scan
///   incomplete. Submodules and `git add -N` entries record no content.
pub fn staged(repo: &Repo, odb: &Odb) -> Result<Staged> {
    let index = Index::open(repo)?;
    let mut found = Staged::default();
    let mut diffs = Vec::new();
    for parent in parents(repo)? {
        let tree = Commit::parse(&odb.read_kind(&parent, Kind::Commit)?)?.tree;
        diffs.push(found.compare(odb, &index, Some(tree)));
    }
    if diffs.is_empty() {
        diffs.push(found.compare(odb, &index, None));
    }
    found.fill(diffs);
    Ok(found)
}

/// The commits that the next one will build on.
fn parents(repo: &Repo) -> Result<Vec<Oid>> {
    let head = refs::head(repo)?.target;
    let merged = refs::pseudo_ref(repo, "MERGE_HEAD")?;
    Ok(head.into_iter().chain(merged).collect())
}

impl Staged {
    /// The differences between the index and one parent's tree.
    fn compare(&mut self, odb: &Odb, index: &Index, tree: Option<Oid>) -> Vec<Change> {
        let mut diff = TreeDiff::new(odb);
        diff.index(tree, index);
        for (path, oid, error) in diff.unreadable {
            let detail = format!("tree {oid}: {error}");
            self.skipped.push(Skipped { what: path, reason: error.reason(), detail, incomplete: true });
        }
        for path in diff.unmerged {
            let detail = "not merged yet: a commit cannot record it".to_owned();
            let skip = Skipped { what: path, reason: "unmerged", detail, incomplete: false };
            if !self.skipped.contains(&skip) {
                self.skipped.push(skip);
            }
        }
        diff.changes
    }

    /// Keeps the paths that differ from every parent.
    fn fill(&mut self, diffs: Vec<Vec<Change>>) {
        let parents = diffs.len();
        let mut paths: HashMap<BString, (Vec<Change>, usize)> = HashMap::new();
        let (mut gone, mut deleted) = (HashSet::new(), Vec::new());
        for change in diffs.into_iter().flatten() {
            match (change.old, change.new) {
                (Some((_, old)), None) => {
                    if gone.insert(old) {
                        deleted.push((change.path, old));
                    }
                }
                _ => {
                    let (changes, count) = paths.entry(change.path.clone()).or_default();
                    changes.push(change);
                    *count += 1;
                }
            }
        }
        deleted.sort();
        self.deleted = deleted.into_iter().map(|(_, oid)| oid).collect();
        self.changes = paths
            .into_iter()
            .filter(|(_, (_, count))| *count == parents)
            .filter_map(|(path, (changes, _))| staged_change(path, &changes))
            .filter(|change| !gone.contains(&change.oid))
            .collect();
        self.changes.sort_by(|a, b| a.path.cmp(&b.path));
        self.skipped.sort();
    }

    /// Reads the content of one of its changes and finds the lines that are new.
    ///
    /// If a previous content cannot be read (in a partial clone, for example), more lines count as new.
    pub fn load(&self, odb: &Odb, change: &StagedChange) -> Result<StagedBlob> {
        let content = odb.read_kind(&change.oid, Kind::Blob)?;
        let old: Vec<Vec<u8>> =
            change.old.iter().filter_map(|oid| odb.read_kind(oid, Kind::Blob).ok()).collect();
        let old: Vec<&[u8]> = old.iter().map(Vec::as_slice).collect();
        let mut new = new_lines(&old, &content);
        if !new.is_empty() && !self.deleted.is_empty() {
            let moved = self.moved.get_or_init(|| self.deleted_lines(odb));
            new = moved.without(&content, new);
        }
        Ok(StagedBlob { content, new })
    }

    fn deleted_lines(&self, odb: &Odb) -> Known {
        let mut known = Known::default();
        let mut bytes = 0;
        for oid in &self.deleted {
            let Ok(text) = odb.read_kind(oid, Kind::Blob) else {
                continue;
            };
            bytes += text.len();
            if bytes > MAX_MOVED {
                break;
            }
            lines(&text).for_each(|(_, line)| known.insert(line));
        }
        known
    }

    /// What to report for a change whose content cannot be read.
    pub fn unreadable(change: &StagedChange, error: &Error) -> Skipped {
        let detail = format!("blob {}: {error}", change.oid);
        Skipped { what: change.path.clone(), reason: error.reason(), detail, incomplete: true }
    }
}

/// The change of a path against all parents.
fn staged_change(path: BString, changes: &[Change]) -> Option<StagedChange> {
    let (mode, oid) = changes.first()?.new?;
    let mut old: Vec<Oid> = changes.iter().filter_map(|change| change.old.map(|(_, oid)| oid)).collect();
    old.dedup();
    Some(StagedChange { path, mode, oid, old })
}
