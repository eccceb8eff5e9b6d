//! Files of a trusted revision (`--policy-rev`): a change under scan cannot excuse itself by changing
//! the policy it is judged by. A bare repository, which has no other files, has its policy in HEAD.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use bstr::ByteSlice;

use crate::config::{Disk, Files, GITLEAKS_FILE_NAME, STANCH_FILE_NAME};
use crate::source::git::{Commit, Kind, Odb, Oid, Repo, Revisions, resolve_ref, tree_entries};
use crate::suppress::baseline;

/// The files of one commit.
#[derive(Clone)]
pub struct Trusted {
    inner: Arc<Inner>,
}

struct Inner {
    odb: Odb,
    tree: Oid,
    root: PathBuf,
    rev: String,
    /// Whether files that lie in the folder itself come first.
    bare: bool,
}

/// The policy files of a bare repository: those in its folder, which are its administrator's, else those of HEAD. None when
/// HEAD has no commit yet, or the folder is not a bare repository.
///
/// # Errors
/// The repository cannot be read.
pub fn of_bare(folder: &Path) -> anyhow::Result<Option<Trusted>> {
    if !is_git_folder(folder) {
        return Ok(None);
    }
    let repo = super::environment::repository(folder)?;
    if repo.work_tree().is_some() || resolve_ref(&repo, b"HEAD")?.is_none() {
        return Ok(None);
    }
    open_as(&repo, folder, "HEAD", true).map(Some)
}

/// Whether a folder is one that git keeps its own files in, and no working tree: a bare repository, or a `.git`.
pub fn is_git_folder(folder: &Path) -> bool {
    let holds = |name| folder.join(name).is_dir();
    folder.join("HEAD").is_file() && holds("objects") && holds("refs") && !folder.join(".git").exists()
}

/// Opens a revision of the repository whose top folder is `root`.
///
/// # Errors
/// There is no such repository or revision.
pub fn open(root: &Path, rev: &str) -> anyhow::Result<Trusted> {
    open_as(&super::environment::repository(root)?, root, rev, false)
}

fn open_as(repo: &Repo, root: &Path, rev: &str, bare: bool) -> anyhow::Result<Trusted> {
    let odb = Odb::open(repo)?;
    let cannot = || format!("cannot find the revision `{rev}` that the policy is to be taken from");
    let oid = Revisions::new(repo, &odb).and_then(|revisions| revisions.commit(rev)).with_context(cannot)?;
    let commit = odb.read_kind(&oid, Kind::Commit)?;
    let tree = Commit::parse(&commit)?.tree;
    let rev = rev.to_owned();
    Ok(Trusted { inner: Arc::new(Inner { odb, tree, root: root.to_owned(), rev, bare }) })
}

impl Trusted {
    /// The content of a file by its path in the repository; None where there is none.
    pub fn read_path(&self, path: &[u8]) -> Option<Vec<u8>> {
        self.find(path).ok().flatten()
    }

    fn find(&self, path: &[u8]) -> crate::source::git::Result<Option<Vec<u8>>> {
        let Inner { odb, tree, .. } = &*self.inner;
        let mut here = *tree;
        let mut parts = path.split_str("/").filter(|part| !part.is_empty()).peekable();
        while let Some(part) = parts.next() {
            let data = odb.read_kind(&here, Kind::Tree)?;
            let mut next = None;
            for entry in tree_entries(&data, odb.hash()) {
                let entry = entry?;
                if entry.name == part {
                    next = Some((entry.mode, entry.oid));
                }
            }
            match next {
                Some((mode, oid)) if mode.is_tree() && parts.peek().is_some() => here = oid,
                Some((mode, oid)) if mode.is_blob() && parts.peek().is_none() => {
                    return odb.read_kind(&oid, Kind::Blob).map(Some);
                }
                _ => return Ok(None),
            }
        }
        Ok(None)
    }

    /// Says which policy files differ from the trusted ones, which are the ones that count.
    pub fn report_changes(&self, quiet: bool) {
        if quiet || self.inner.bare {
            return;
        }
        let names = [
            STANCH_FILE_NAME,
            GITLEAKS_FILE_NAME,
            baseline::FILE_NAME,
            ".gitleaksignore",
            ".secrets.baseline",
        ];
        for name in names {
            let path = self.inner.root.join(name);
            let differs = match (self.read(&path), Disk.read(&path)) {
                (Ok(trusted), Ok(here)) => trusted != here,
                (Err(_), Err(_)) => false,
                _ => true,
            };
            if differs {
                eprintln!(
                    "stanch: note: {name} differs from that of {}, which is the one that counts",
                    self.inner.rev
                );
            }
        }
    }
}

impl Files for Trusted {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        if self.inner.bare && path.parent() == Some(&self.inner.root) && Disk.exists(path) {
            return Disk.read(path);
        }
        let path = path.strip_prefix(&self.inner.root).unwrap_or(path);
        let bytes = <[u8]>::from_path(path).unwrap_or_default();
        match self.find(bytes) {
            Ok(Some(content)) => Ok(content),
            Ok(None) => Err(io::ErrorKind::NotFound.into()),
            Err(error) => Err(io::Error::other(error.to_string())),
        }
    }
}
