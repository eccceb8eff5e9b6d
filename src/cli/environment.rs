//! What the process's environment says, as data for the rooms that must not read it.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::source::git::{GitEnv, Repo};

/// What git's variables say; git sets them for hooks.
pub fn git() -> GitEnv {
    let path = |name: &str| env::var_os(name).filter(|v| !v.is_empty()).map(Into::into);
    GitEnv {
        git_dir: path("GIT_DIR"),
        work_tree: path("GIT_WORK_TREE"),
        index_file: path("GIT_INDEX_FILE"),
        object_directory: path("GIT_OBJECT_DIRECTORY"),
        alternates: env::var_os("GIT_ALTERNATE_OBJECT_DIRECTORIES").filter(|v| !v.is_empty()),
        common_dir: path("GIT_COMMON_DIR"),
    }
}

/// The repository at `start`, or the one that git's variables name.
///
/// # Errors
/// When there is none, or it cannot be read.
pub fn repository(start: &Path) -> anyhow::Result<Repo> {
    Repo::discover(start, &git())
        .with_context(|| format!("cannot open the repository at {}", start.display()))
}

/// What libgit2 reads when it opens a repository.
const READ_ON_OPENING: &[&str] =
    &["HEAD", "config", "config.worktree", "commondir", "shallow", "info/grafts"];

/// git's settings: those of a repository and the user's. The user's alone, where there is no repository, or one that
/// libgit2 cannot be given: it would wait for a pipe in place of a file.
///
/// # Errors
/// The user's own settings cannot be read.
pub fn settings(repo: Option<&Repo>) -> Result<git2::Config, git2::Error> {
    let is_odd = |path: PathBuf| path.metadata().is_ok_and(|there| !there.is_file());
    let is_sound = |repo: &&Repo| {
        let mut folders = [repo.git_dir(), repo.common_dir()].into_iter();
        !folders.any(|folder| READ_ON_OPENING.iter().any(|name| is_odd(folder.join(name))))
    };
    let own =
        repo.filter(is_sound).and_then(|repo| git2::Repository::open(repo.git_dir()).ok()?.config().ok());
    own.map_or_else(git2::Config::open_default, Ok)
}
