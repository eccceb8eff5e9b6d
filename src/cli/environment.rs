//! What the process's environment says, as data for the rooms that must not read it.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::Context;
use bstr::ByteSlice;

use crate::source;
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

/// git's settings: a repository's, and the user's.
pub struct Settings<'r> {
    /// The repository whose own settings libgit2 was not asked for.
    own: Option<&'r Repo>,
    rest: git2::Config,
}

impl<'r> Settings<'r> {
    /// Those that hold in a repository, or where there is none.
    ///
    /// libgit2 is not given a repository with a pipe in place of a file, for which it would wait, nor one whose settings
    /// include others: it would open those wherever they are. Of such a repository only what stands in its own files
    /// counts, and of what the user includes for some repositories (`includeIf`) nothing.
    ///
    /// # Errors
    /// The user's own settings cannot be read.
    pub fn of(repo: Option<&'r Repo>) -> Result<Self, git2::Error> {
        let opened = |repo: &Repo| git2::Repository::open(repo.git_dir()).ok()?.config().ok();
        match repo.filter(|repo| is_sound(repo)).and_then(opened) {
            Some(rest) => Ok(Settings { own: None, rest }),
            None => Ok(Settings { own: repo, rest: git2::Config::open_default()? }),
        }
    }

    /// A text. None where it is not set.
    ///
    /// # Errors
    /// A file of settings is damaged.
    pub fn text(&self, key: &str) -> Result<Option<String>, git2::Error> {
        match self.own(key) {
            Some(value) => Ok(Some(value.to_str_lossy().into_owned())),
            None => found(self.rest.get_string(key)),
        }
    }

    /// A path, with the user's home in place of `~`. None where it is not set.
    ///
    /// # Errors
    /// A file of settings is damaged.
    pub fn path(&self, key: &str) -> Result<Option<PathBuf>, git2::Error> {
        match (self.own(key), env::var_os("HOME")) {
            (Some(value), home) => Ok(Some(match (value.strip_prefix(b"~/"), home) {
                (Some(below), Some(home)) => Path::new(&home).join(below.to_path_lossy()),
                _ => value.to_path_lossy().into_owned(),
            })),
            (None, _) => found(self.rest.get_path(key)),
        }
    }

    fn own(&self, key: &str) -> Option<&'r [u8]> {
        self.own?.setting(&key.to_ascii_lowercase())
    }
}

/// Whether libgit2 can open a repository and reads nothing elsewhere then.
fn is_sound(repo: &Repo) -> bool {
    let is_odd = |path: PathBuf| path.metadata().is_ok_and(|there| !there.is_file());
    let mut folders = [repo.git_dir(), repo.common_dir()].into_iter();
    // It looks for the common folder by itself, and not where the user says.
    let is_led_elsewhere = env::var_os("GIT_COMMON_DIR").is_some();
    // Its parser reads a line now and then as ours does not: the mere word is enough.
    let includes = |path: PathBuf| {
        let text = source::open::read(&path).unwrap_or_default().to_ascii_lowercase();
        memchr::memmem::find(&text, b"include").is_some()
    };
    !is_led_elsewhere
        && !folders.any(|folder| {
            READ_ON_OPENING.iter().any(|name| is_odd(folder.join(name)))
                || ["config", "config.worktree"].iter().any(|name| includes(folder.join(name)))
        })
}

fn found<T>(read: Result<T, git2::Error>) -> Result<Option<T>, git2::Error> {
    match read {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
