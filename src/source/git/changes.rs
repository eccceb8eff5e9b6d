//! What a commit changes: the one that `git commit` is about to record, or one of the history.

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
use super::select::SelectedCommit;
use super::tree_diff::{Change, TreeDiff};
use crate::finding::Skipped;

/// At most this many bytes of deleted files are searched for lines that moved.
const MAX_MOVED: usize = 16 << 20;

/// One path that a commit changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedFile {
    /// Path relative to the root of the work tree.
    pub path: BString,
    /// Regular file or symbolic link (its content is the target).
    pub mode: Mode,
    /// The new content.
    pub oid: Oid,
    /// What the parents of the commit hold at this path. Empty for a new file.
    pub old: Vec<Oid>,
}

/// The content of one change. Not `Debug`: it may hold secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct ChangedText {
    /// The new content.
    pub content: Vec<u8>,
    /// Byte ranges of the lines that the commit adds, ascending.
    pub new: Vec<Range<usize>>,
}

/// Everything that a commit changes.
///
/// - Of a merge, a path counts only if it differs from what every parent has there, and only those lines are
///   new that no parent has.
/// - A file whose content a parent has at a path that the commit deletes was renamed: nothing in it is new. Nor
///   is a line that moved: one that stands in a file that the commit deletes.
/// - Submodules record no content.
#[derive(Default)]
pub struct Changes {
    /// Changed and new paths, sorted.
    pub files: Vec<ChangedFile>,
    /// What could not be looked at.
    pub skipped: Vec<Skipped>,
    /// Content that the commit removes from the tree, in order of path.
    deleted: Vec<Oid>,
    moved: OnceLock<Known>,
}

/// What the next commit will record: the index against `HEAD`, or against all parents while a merge is going on.
///
/// Before the first commit, everything is new. Unmerged paths cannot be committed; they are listed as skipped,
/// which does not make the scan incomplete. `git add -N` entries record no content.
pub fn staged(repo: &Repo, odb: &Odb) -> Result<Changes> {
    let index = Index::open(repo)?;
    let mut trees = Vec::new();
    let head = refs::head(repo)?.target;
    for parent in head.into_iter().chain(refs::pseudo_ref(repo, "MERGE_HEAD")?) {
        trees.push(tree_of(odb, &parent)?);
    }
    Ok(Changes::against(odb, &trees, |diff, tree| diff.index(tree, &index)))
}

/// What a commit of the history changed against its parents. Without parents, everything is new.
pub fn committed(odb: &Odb, commit: &SelectedCommit) -> Result<Changes> {
    let mut trees = Vec::new();
    for parent in &commit.parents {
        trees.push(tree_of(odb, parent)?);
    }
    Ok(Changes::against(odb, &trees, |diff, tree| diff.trees(b"", tree, Some(commit.tree))))
}

fn tree_of(odb: &Odb, commit: &Oid) -> Result<Oid> {
    Ok(Commit::parse(&odb.read_kind(commit, Kind::Commit)?)?.tree)
}

impl Changes {
    /// Compares with the tree of each parent, or with an empty one if there is none.
    fn against(odb: &Odb, parents: &[Oid], compare: impl Fn(&mut TreeDiff<'_>, Option<Oid>)) -> Changes {
        let mut found = Changes::default();
        let trees = parents.iter().copied().map(Some).chain(parents.is_empty().then_some(None));
        let diffs = trees.map(|tree| {
            let mut diff = TreeDiff::new(odb);
            compare(&mut diff, tree);
            found.account(&mut diff);
            diff.changes
        });
        let diffs = diffs.collect();
        found.fill(diffs);
        found
    }

    /// Takes over what could not be compared.
    fn account(&mut self, diff: &mut TreeDiff<'_>) {
        for (path, oid, error) in diff.unreadable.drain(..) {
            let detail = format!("tree {oid}: {error}");
            self.skipped.push(Skipped { what: path, reason: error.reason(), detail, incomplete: true });
        }
        for path in diff.unmerged.drain(..) {
            let detail = "not merged yet: a commit cannot record it".to_owned();
            self.skipped.push(Skipped { what: path, reason: "unmerged", detail, incomplete: true });
        }
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
        self.files = paths
            .into_iter()
            .filter(|(_, (_, count))| *count == parents)
            .filter_map(|(path, (changes, _))| changed_file(path, &changes))
            .filter(|change| !gone.contains(&change.oid))
            .collect();
        self.files.sort_by(|a, b| a.path.cmp(&b.path));
        self.skipped.sort();
        self.skipped.dedup();
    }

    /// Reads the content of one of its changes and finds the lines that are new.
    ///
    /// If a previous content cannot be read (in a partial clone, for example), more lines count as new.
    pub fn load(&self, odb: &Odb, change: &ChangedFile) -> Result<ChangedText> {
        let content = odb.read_kind(&change.oid, Kind::Blob)?;
        let old: Vec<Vec<u8>> =
            change.old.iter().filter_map(|oid| odb.read_kind(oid, Kind::Blob).ok()).collect();
        let old: Vec<&[u8]> = old.iter().map(Vec::as_slice).collect();
        let mut new = new_lines(&old, &content);
        if !new.is_empty() && !self.deleted.is_empty() {
            let moved = self.moved.get_or_init(|| self.deleted_lines(odb));
            new = moved.without(&content, new);
        }
        Ok(ChangedText { content, new })
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
    pub fn unreadable(change: &ChangedFile, error: &Error) -> Skipped {
        let detail = format!("blob {}: {error}", change.oid);
        Skipped { what: change.path.clone(), reason: error.reason(), detail, incomplete: true }
    }
}

/// The change of a path against all parents.
fn changed_file(path: BString, changes: &[Change]) -> Option<ChangedFile> {
    let (mode, oid) = changes.first()?.new?;
    let mut old: Vec<Oid> = changes.iter().filter_map(|change| change.old.map(|(_, oid)| oid)).collect();
    old.dedup();
    Some(ChangedFile { path, mode, oid, old })
}
