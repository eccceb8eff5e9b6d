//! Repositories that the tests make themselves, by the `git` program in a scrubbed environment.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use stanch::source::git::{GitEnv, Odb, Oid, Repo};
use tempfile::TempDir;

/// A folder with a repository in it.
pub struct Sandbox {
    dir: TempDir,
}

impl Sandbox {
    /// An empty folder.
    pub fn empty() -> Self {
        Sandbox { dir: TempDir::new().unwrap() }
    }

    /// A new repository.
    pub fn new() -> Self {
        Self::init(&[])
    }

    /// A new repository, with options of `git init`.
    pub fn init(options: &[&str]) -> Self {
        let sandbox = Self::empty();
        sandbox.git([&["init", "--quiet", "--initial-branch=main"], options, &["."]].concat());
        sandbox
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    pub fn join(&self, path: &str) -> PathBuf {
        self.path().join(path)
    }

    /// Runs git here and returns what it prints.
    pub fn git<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> String {
        let output = self.try_git(self.path(), args);
        assert!(output.status.success(), "git: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    /// Runs git in a folder, whatever comes of it.
    pub fn try_git<A: AsRef<OsStr>>(&self, dir: &Path, args: impl IntoIterator<Item = A>) -> Output {
        git_command(dir).args(args).output().unwrap()
    }

    /// Writes a file, and the folders it is in.
    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// Stages everything and commits it.
    pub fn commit(&self, message: &str) -> Oid {
        self.git(["add", "--all"]);
        self.git(["commit", "--quiet", "--allow-empty", "--message", message]);
        self.oid("HEAD")
    }

    pub fn oid(&self, revision: &str) -> Oid {
        Oid::from_hex(self.git(["rev-parse", revision]).as_bytes()).unwrap()
    }

    pub fn repo(&self) -> Repo {
        Repo::discover(self.path(), &GitEnv::default()).unwrap()
    }

    pub fn odb(&self) -> Odb {
        Odb::open(&self.repo()).unwrap()
    }
}

/// git without anything of the user's environment or configuration, with fixed names and times.
pub fn git_command(dir: &Path) -> Command {
    let mut command = Command::new("git");
    command
        .current_dir(dir)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", dir)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CEILING_DIRECTORIES", std::env::temp_dir())
        .env("GIT_NO_LAZY_FETCH", "1")
        .env("GIT_AUTHOR_NAME", "Ada Author")
        .env("GIT_AUTHOR_EMAIL", "ada@example.com")
        .env("GIT_AUTHOR_DATE", "1700000000 +0100")
        .env("GIT_COMMITTER_NAME", "Carl Committer")
        .env("GIT_COMMITTER_EMAIL", "carl@example.com")
        .env("GIT_COMMITTER_DATE", "1700000060 -0230")
        .args(["-c", "protocol.file.allow=always", "-c", "gc.auto=0", "-c", "maintenance.auto=false"]);
    command
}

/// Numbers that look random and are the same in every run.
pub struct Numbers(pub u64);

impl Numbers {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }
}

/// A history of files that grow, shrink and move a little in each commit.
pub fn edit_history(sandbox: &Sandbox, commits: usize, seed: u64) {
    let mut numbers = Numbers(seed);
    let mut files: Vec<Vec<String>> = (0..6)
        .map(|file| (0..200).map(|line| format!("file {file} line {line} {:x}", numbers.next())).collect())
        .collect();
    for commit in 0..commits {
        for _ in 0..=numbers.below(3) {
            let file = numbers.below(files.len());
            let lines = &mut files[file];
            let at = numbers.below(lines.len());
            match numbers.below(4) {
                0 => lines.insert(at, format!("new {:x}", numbers.next())),
                1 if lines.len() > 50 => drop(lines.remove(at)),
                2 => lines.swap(at, 0),
                _ => lines[at] = format!("changed {:x}", numbers.next()),
            }
            let folder = ["", "src/", "src/deep/er/"][file % 3];
            sandbox.write(&format!("{folder}file{file}.txt"), lines.join("\n"));
        }
        sandbox.commit(&format!("commit {commit}\n\nbody {:x}", numbers.next()));
    }
}
