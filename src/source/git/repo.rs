//! Finding a repository and learning how to read it.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bstr::ByteSlice;

use super::config::Config;
use super::error::{Error, Result};
use super::oid::{HashKind, Oid};
use crate::source::open;

/// What git's environment variables say about where a repository is. Git sets them for hooks.
///
/// Only the command line reads the environment; here it is plain data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GitEnv {
    /// `GIT_DIR`.
    pub git_dir: Option<PathBuf>,
    /// `GIT_WORK_TREE`.
    pub work_tree: Option<PathBuf>,
    /// `GIT_INDEX_FILE`; when relative, from the root of the work tree.
    pub index_file: Option<PathBuf>,
    /// `GIT_OBJECT_DIRECTORY`: where a push under inspection keeps its objects.
    pub object_directory: Option<PathBuf>,
    /// `GIT_ALTERNATE_OBJECT_DIRECTORIES`: a list of folders as git writes it.
    pub alternates: Option<OsString>,
    /// `GIT_COMMON_DIR`.
    pub common_dir: Option<PathBuf>,
}

/// How a repository stores its refs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RefStorage {
    /// A file per ref, and `packed-refs`.
    #[default]
    Files,
    /// The binary reftable format.
    Reftable,
}

/// A repository that can be read.
///
/// Who owns it does not matter: nothing of it is executed, and no setting of it is obeyed but those
/// that say how its objects and refs are stored.
#[derive(Clone, Debug)]
pub struct Repo {
    git_dir: PathBuf,
    common_dir: PathBuf,
    work_tree: Option<PathBuf>,
    object_dir: PathBuf,
    index_file: PathBuf,
    alternates: Option<OsString>,
    hash: HashKind,
    ref_storage: RefStorage,
    partial: bool,
    config: Arc<Config>,
}

impl Repo {
    /// Finds the repository that `env` names, or else the one that holds `start`: a path inside of
    /// its work tree, its git folder, or a bare repository.
    pub fn discover(start: &Path, env: &GitEnv) -> Result<Self> {
        let (git_dir, work_tree) = match &env.git_dir {
            // Without GIT_WORK_TREE git takes the current folder for the root of the work tree.
            Some(dir) => (resolve_git_file(dir)?, Some(start.to_owned())),
            None => find_git_dir(start)?,
        };
        let common_dir = match &env.common_dir {
            Some(dir) => dir.clone(),
            None => common_dir(&git_dir)?,
        };
        let config = read_config(&git_dir, &common_dir)?;
        let extensions = Extensions::read(&config, &common_dir.join("config"))?;
        let work_tree = env.work_tree.clone().or_else(|| configured_work_tree(&config, &git_dir, work_tree));
        let index_file = match (&env.index_file, &work_tree) {
            (Some(file), Some(root)) => root.join(file),
            (Some(file), None) => file.clone(),
            (None, _) => git_dir.join("index"),
        };
        Ok(Repo {
            object_dir: env.object_directory.clone().unwrap_or_else(|| common_dir.join("objects")),
            index_file,
            alternates: env.alternates.clone(),
            hash: extensions.hash,
            ref_storage: extensions.ref_storage,
            partial: extensions.partial || config.is_true_in_any("remote", "promisor"),
            git_dir,
            common_dir,
            work_tree,
            config: Arc::new(config),
        })
    }

    /// The git folder of this work tree.
    pub fn git_dir(&self) -> &Path {
        &self.git_dir
    }

    /// The git folder that all work trees share; the same as [`git_dir`](Self::git_dir) without
    /// linked work trees.
    pub fn common_dir(&self) -> &Path {
        &self.common_dir
    }

    /// Root of the work tree. None for a bare repository.
    pub fn work_tree(&self) -> Option<&Path> {
        self.work_tree.as_deref()
    }

    /// The folder that holds packs and loose objects.
    pub fn object_dir(&self) -> &Path {
        &self.object_dir
    }

    /// The index file, which need not exist.
    pub fn index_file(&self) -> &Path {
        &self.index_file
    }

    /// Further object folders that the environment names.
    pub(super) fn env_alternates(&self) -> Option<&OsString> {
        self.alternates.as_ref()
    }

    /// The hash function of its object ids.
    pub fn hash(&self) -> HashKind {
        self.hash
    }

    /// How it stores refs.
    pub fn ref_storage(&self) -> RefStorage {
        self.ref_storage
    }

    /// Whether it is a partial clone: objects may be missing by design.
    pub fn is_partial(&self) -> bool {
        self.partial
    }

    /// The last value of a setting (`section.name`, lower case) in its own configuration. What that includes is not
    /// read, since it can lie anywhere.
    pub fn setting(&self, key: &str) -> Option<&[u8]> {
        self.config.get(key)
    }

    /// Whether its configuration includes other files, on conditions or not.
    pub fn has_includes(&self) -> bool {
        self.config.has_includes()
    }

    /// The commits at which a shallow clone stops: their parents are not there. Empty for a
    /// complete repository.
    pub fn shallow_boundary(&self) -> Result<Vec<Oid>> {
        let path = self.common_dir.join("shallow");
        let Some(text) = read_optional(&path)? else {
            return Ok(Vec::new());
        };
        text.lines()
            .filter(|line| !line.is_empty())
            .map(|line| {
                Oid::from_hex(line.trim_ascii())
                    .ok_or_else(|| Error::corrupt(&path, "not a list of object ids"))
            })
            .collect()
    }
}

/// Reads a file that need not exist.
pub(super) fn read_optional(path: &Path) -> Result<Option<Vec<u8>>> {
    match open::read(path) {
        Ok(content) => Ok(Some(content)),
        Err(e) if is_absent(&e) => Ok(None),
        Err(e) => Err(Error::io(path, e)),
    }
}

/// Whether the error says that there is no such file.
pub(super) fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Walks up from `start`: (git folder, root of the work tree it was found in).
fn find_git_dir(start: &Path) -> Result<(PathBuf, Option<PathBuf>)> {
    let absolute = start.canonicalize().map_err(|e| Error::io(start, e))?;
    for dir in absolute.ancestors() {
        let dot_git = dir.join(".git");
        match fs::metadata(&dot_git) {
            Ok(meta) if meta.is_dir() && is_git_dir(&dot_git)? => {
                return Ok((dot_git, Some(dir.to_owned())));
            }
            Ok(meta) if meta.is_file() => {
                return Ok((resolve_git_file(&dot_git)?, Some(dir.to_owned())));
            }
            _ => {}
        }
        if is_git_dir(dir)? {
            let work_tree = linked_work_tree(dir)
                .or_else(|| dir.parent().filter(|_| dir.ends_with(".git")).map(Path::to_owned));
            return Ok((dir.to_owned(), work_tree));
        }
    }
    Err(Error::NotARepository(start.to_owned()))
}

/// Whether the folder looks like a git folder: `HEAD`, and `objects` and `refs` beside it or in the
/// common folder.
fn is_git_dir(dir: &Path) -> Result<bool> {
    if fs::symlink_metadata(dir.join("HEAD")).is_err() {
        return Ok(false);
    }
    let common = common_dir(dir)?;
    Ok(common.join("objects").is_dir() && common.join("refs").is_dir())
}

/// Follows a `.git` file (`gitdir: PATH`), as linked work trees and submodules have it.
fn resolve_git_file(path: &Path) -> Result<PathBuf> {
    if fs::metadata(path).map_err(|e| Error::io(path, e))?.is_dir() {
        return Ok(path.to_owned());
    }
    let text = open::read(path).map_err(|e| Error::io(path, e))?;
    let target = text.strip_prefix(b"gitdir:").ok_or_else(|| Error::corrupt(path, "not a `gitdir:` file"))?;
    let target = path.parent().unwrap_or(Path::new("")).join(target.trim_ascii().to_path_lossy());
    if !is_git_dir(&target)? {
        return Err(Error::corrupt(path, "the git folder it names is not there"));
    }
    Ok(target)
}

/// The folder that a linked work tree shares with the others, from its `commondir` file.
fn common_dir(git_dir: &Path) -> Result<PathBuf> {
    Ok(match read_optional(&git_dir.join("commondir"))? {
        Some(text) => git_dir.join(text.trim_ascii().to_path_lossy()),
        None => git_dir.to_owned(),
    })
}

/// The work tree that a linked work tree's git folder points back to.
fn linked_work_tree(git_dir: &Path) -> Option<PathBuf> {
    if !git_dir.join("commondir").is_file() {
        return None;
    }
    let dot_git = read_optional(&git_dir.join("gitdir")).ok()??;
    let dot_git = git_dir.join(dot_git.trim_ascii().to_path_lossy());
    dot_git.parent().map(Path::to_owned)
}

fn read_config(git_dir: &Path, common_dir: &Path) -> Result<Config> {
    let mut text = read_optional(&common_dir.join("config"))?.unwrap_or_default();
    if Config::parse(&text).is_true("extensions.worktreeconfig")
        && let Some(own) = read_optional(&git_dir.join("config.worktree"))?
    {
        text.push(b'\n');
        text.extend(own);
    }
    Ok(Config::parse(&text))
}

fn configured_work_tree(config: &Config, git_dir: &Path, found: Option<PathBuf>) -> Option<PathBuf> {
    if let Some(path) = config.get("core.worktree") {
        return Some(git_dir.join(path.to_path_lossy()));
    }
    // A linked work tree is never bare, even when the repository it belongs to is.
    let linked = git_dir.join("commondir").is_file();
    found.filter(|_| linked || !config.is_true("core.bare"))
}

/// What `extensions.*` say.
#[derive(Default)]
struct Extensions {
    hash: HashKind,
    ref_storage: RefStorage,
    partial: bool,
}

impl Extensions {
    fn read(config: &Config, path: &Path) -> Result<Self> {
        let version = config.get("core.repositoryformatversion").unwrap_or(b"0");
        if !matches!(version, b"0" | b"1") {
            let version = version.to_str_lossy().into_owned();
            return Err(Error::UnknownVersion { path: path.to_owned(), version });
        }
        let mut known = Extensions::default();
        for (name, value) in config.section("extensions") {
            let value = value.to_ascii_lowercase();
            match (name, value.as_slice()) {
                ("objectformat", b"sha1") => known.hash = HashKind::Sha1,
                ("objectformat", b"sha256") => known.hash = HashKind::Sha256,
                ("refstorage", b"files") => known.ref_storage = RefStorage::Files,
                ("refstorage", b"reftable") => known.ref_storage = RefStorage::Reftable,
                ("partialclone", _) => known.partial = true,
                // These do not change how objects and refs are read.
                ("noop" | "noop-v1" | "preciousobjects" | "worktreeconfig" | "relativeworktrees", _) => {}
                ("compatobjectformat" | "submodulepathconfig", _) => {}
                // Format 0 predates extensions: git ignores the ones it does not know there.
                (name, _) if version == b"0" && !matches!(name, "objectformat" | "refstorage") => {}
                (name, value) => {
                    let value = value.to_str_lossy();
                    let name = format!("{name} = {value}");
                    return Err(Error::UnknownExtension { path: path.to_owned(), name });
                }
            }
        }
        Ok(known)
    }
}
