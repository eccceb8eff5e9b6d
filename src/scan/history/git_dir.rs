//! What lies in the git folder beside objects and refs: configuration, hooks, logs, unfinished messages.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use bstr::{BString, ByteVec};

use crate::finding::Skipped;
use crate::source::git::Repo;
use crate::source::open;

/// Larger files are not what git keeps there.
const MAX_FILE: u64 = 64 << 20;
/// Folders that are nested deeper are not git's.
const MAX_DEPTH: usize = 64;
/// Folders of objects, which are read as such, and of refs, whose names are scanned.
const NOT_TEXT: &[&str] = &["objects", "refs", "reftable", "lfs", "annex", "worktrees"];

/// A file beside the objects.
pub struct Beside {
    /// Path as shown, such as `.git/hooks/pre-push`.
    pub shown: BString,
    /// Its content.
    pub text: Vec<u8>,
}

/// Reads every such file of a repository, of the work tree at hand and of linked ones; git folders of submodules
/// count, too. What cannot be read is appended to `skipped`.
pub fn read(repo: &Repo, skipped: &mut Vec<Skipped>) -> Vec<Beside> {
    let common = repo.common_dir();
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let homes = [Some(common), Some(repo.git_dir()), repo.work_tree()];
    let homes = homes.into_iter().flatten().map(real).collect();
    let mut lister = Lister { files: Vec::new(), homes, skipped };
    lister.folder(common, "", 0);
    lister.children(&common.join("worktrees"), "worktrees/", 0);
    // A linked work tree's own folder is one of those, unless it was moved elsewhere.
    if !real(repo.git_dir()).starts_with(real(common)) {
        lister.folder(repo.git_dir(), "", 0);
    }
    let mut files = lister.files;
    files.sort();
    files.into_iter().filter_map(|(shown, path)| read_file(shown, &path, skipped)).collect()
}

struct Lister<'a> {
    files: Vec<(BString, PathBuf)>,
    /// Where links may lead: the git folders and the work tree.
    homes: Vec<PathBuf>,
    skipped: &'a mut Vec<Skipped>,
}

impl Lister<'_> {
    /// Lists a git folder.
    fn folder(&mut self, dir: &Path, prefix: &str, depth: usize) {
        let skip = |name: &str| NOT_TEXT.contains(&name) || name == "modules";
        self.list(dir, prefix, depth, &skip);
        self.modules(&dir.join("modules"), &format!("{prefix}modules/"), depth);
    }

    /// Git folders of submodules: a submodule's name may hold slashes.
    fn modules(&mut self, dir: &Path, prefix: &str, depth: usize) {
        if depth > MAX_DEPTH {
            return;
        }
        for (name, path) in self.entries(dir, prefix) {
            let prefix = format!("{prefix}{name}/");
            match path.join("HEAD").exists() || path.join("config").exists() {
                true => self.folder(&path, &prefix, depth + 1),
                false => self.modules(&path, &prefix, depth + 1),
            }
        }
    }

    /// Lists each folder in a folder.
    fn children(&mut self, dir: &Path, prefix: &str, depth: usize) {
        for (name, path) in self.entries(dir, prefix) {
            self.folder(&path, &format!("{prefix}{name}/"), depth + 1);
        }
    }

    fn list(&mut self, dir: &Path, prefix: &str, depth: usize, skip: &dyn Fn(&str) -> bool) {
        for (name, path) in self.entries(dir, prefix) {
            // Links to files of the repository are followed, as git does for hooks; folders could hold anything.
            let Ok(link) = fs::symlink_metadata(&path) else { continue };
            if link.is_dir() {
                if !skip(&name) && depth < MAX_DEPTH {
                    self.list(&path, &format!("{prefix}{name}/"), depth + 1, &|_| false);
                }
                continue;
            }
            if link.is_symlink() && !self.leads_home(&path) {
                self.skipped.push(leads_out(shown(prefix, &path)));
                continue;
            }
            // The index holds names only; they are those of trees and of the work tree.
            let binary = name == "index" || name.starts_with("sharedindex.");
            let example = prefix.ends_with("hooks/") && name.ends_with(".sample");
            if !binary && !example && path.metadata().is_ok_and(|file| file.is_file()) {
                self.files.push((shown(prefix, &path), path));
            }
        }
    }

    /// Whether a link leads to something of the repository, or nowhere.
    fn leads_home(&self, link: &Path) -> bool {
        link.canonicalize().map_or(true, |target| self.homes.iter().any(|home| target.starts_with(home)))
    }

    fn entries(&mut self, dir: &Path, prefix: &str) -> Vec<(String, PathBuf)> {
        if dir.is_symlink() && !self.leads_home(dir) {
            self.skipped.push(leads_out(format!(".git/{}", prefix.trim_end_matches('/')).into()));
            return Vec::new();
        }
        let listed = fs::read_dir(dir).and_then(|entries| {
            entries
                .map(|entry| entry.map(|e| (e.file_name().to_string_lossy().into_owned(), e.path())))
                .collect::<io::Result<Vec<_>>>()
        });
        listed.unwrap_or_else(|error| {
            if !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) {
                self.skipped.push(unreadable(format!(".git/{prefix}").into(), error.to_string()));
            }
            Vec::new()
        })
    }
}

fn shown(prefix: &str, path: &Path) -> BString {
    let name = path.file_name().unwrap_or_default().to_owned();
    let mut shown = BString::from(format!(".git/{prefix}"));
    shown.push_str(<Vec<u8>>::from_os_string(name).unwrap_or_default());
    shown
}

fn read_file(shown: BString, path: &Path, skipped: &mut Vec<Skipped>) -> Option<Beside> {
    let detail = match path.metadata() {
        Ok(file) if file.len() > MAX_FILE => format!("{} bytes are more than is read there", file.len()),
        Ok(_) => match open::read(path) {
            Ok(text) => return Some(Beside { shown, text }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => error.to_string(),
        },
        Err(_) => return None, // git deletes such files at any time
    };
    skipped.push(unreadable(shown, detail));
    None
}

fn leads_out(what: BString) -> Skipped {
    let detail = "a link that leads out of the repository".to_owned();
    Skipped { what, reason: "link-outside", detail, incomplete: false }
}

fn unreadable(what: BString, detail: String) -> Skipped {
    Skipped { what, reason: "read-error", detail, incomplete: true }
}
