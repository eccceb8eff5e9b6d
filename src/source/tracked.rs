//! What repositories track of the files below some folders.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use bstr::ByteSlice;

use super::git::{Error, GitEnv, Index, Repo};
use crate::finding::Skipped;

/// A tracked file.
pub(super) struct Tracked {
    /// Its path, which begins with the root as it was given.
    pub path: PathBuf,
    /// The folder that holds it, absolute, if no link leads elsewhere on the way.
    pub folder: PathBuf,
}

/// The files that the indexes of repositories name below `roots` and that are not known. The repositories are those
/// around the roots, and those at `folders`. What an index cannot say is in the second list.
pub(super) fn below(
    roots: &[PathBuf],
    folders: Vec<PathBuf>,
    is_known: &dyn Fn(&Path) -> bool,
) -> (Vec<Tracked>, Vec<Skipped>) {
    let real = |root: &PathBuf| root.canonicalize().ok().filter(|real| real.is_dir());
    let roots: Vec<(&PathBuf, PathBuf)> = roots.iter().filter_map(|root| Some((root, real(root)?))).collect();
    let (mut tracked, mut skipped, mut tops) = (Vec::new(), Vec::new(), HashSet::new());
    for folder in roots.iter().map(|(_, real)| real.clone()).chain(folders) {
        let repo = match Repo::discover(&folder, &GitEnv::default()) {
            Ok(repo) => repo,
            // What is no repository tracks nothing.
            Err(Error::NotARepository(_) | Error::Corrupt { .. }) => continue,
            Err(error) => {
                skipped.push(unknown(&folder, &error));
                continue;
            }
        };
        let Some(top) = repo.work_tree().and_then(|top| top.canonicalize().ok()) else { continue };
        if tops.contains(&top) {
            continue;
        }
        match Index::open(&repo) {
            Ok(index) => add(&index, &top, &roots, is_known, &mut tracked),
            Err(error) => skipped.push(unknown(repo.index_file(), &error)),
        }
        tops.insert(top);
    }
    tracked.sort_by(|a: &Tracked, b| a.path.cmp(&b.path));
    tracked.dedup_by(|a, b| a.path == b.path);
    (tracked, skipped)
}

fn unknown(what: &Path, error: &Error) -> Skipped {
    Skipped {
        what: <[u8]>::from_path(what).unwrap_or_default().into(),
        reason: "read-error",
        detail: format!("which ignored files are tracked is not known: {error}"),
        incomplete: true,
    }
}

fn add(
    index: &Index,
    top: &Path,
    roots: &[(&PathBuf, PathBuf)],
    is_known: &dyn Fn(&Path) -> bool,
    tracked: &mut Vec<Tracked>,
) {
    for entry in index.entries().iter().filter(|entry| !entry.mode.is_gitlink() && !entry.mode.is_tree()) {
        let path = index.path(entry);
        // git makes no such entries; a path must not lead out of the work tree.
        if path.starts_with(b"/") || path.split(|&b| b == b'/').any(|part| matches!(part, b"" | b"." | b".."))
        {
            continue;
        }
        let absolute = top.join(path.to_path_lossy());
        for (given, real) in roots {
            let Ok(below) = absolute.strip_prefix(real) else { continue };
            let path = given.join(below);
            if !is_known(&path) {
                tracked.push(Tracked { path, folder: absolute.parent().unwrap_or(top).to_owned() });
            }
        }
    }
}
