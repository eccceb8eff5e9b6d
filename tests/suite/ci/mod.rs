//! What CI systems run: the action, the templates and the script, with the variables that those systems set,
//! on a clone as they make it.

mod action;
mod files;
mod hostile;
mod script;

use std::path::{Path, PathBuf};
use std::process::Command;

use super::cli_support::{Run, STANCH, clean, github};
use super::git_support::Sandbox;

/// The folder of this project.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn leak(seed: u64) -> String {
    format!("token = \"{}\"\n", github(seed))
}

/// Ids of the commits that a run may be about.
struct Ids {
    /// The first commit; with a secret that is known and done with.
    first: String,
    /// The tip of `main`.
    main: String,
    /// The last commit of the change, which adds a secret.
    change: String,
    /// The merge of both, as CI systems check it out.
    merge: String,
}

/// A server's repository, and a clone of it as a CI system makes one: all branches, and the merge of a change
/// checked out without a branch.
struct Server {
    server: Sandbox,
    clone: Sandbox,
    ids: Ids,
}

impl Server {
    /// A change to the branch `main` with these files besides the secret in `deploy.sh`.
    fn new(files: &[(&str, &str)]) -> Self {
        Self::with_target("main", files)
    }

    fn with_target(target: &str, files: &[(&str, &str)]) -> Self {
        let server = Sandbox::init(&["--initial-branch", target]);
        server.write("old.txt", leak(1));
        let first = server.commit("first").to_string();
        server.write("readme.txt", "harmless\n");
        let main = server.commit("second").to_string();
        server.git(["checkout", "--quiet", "-b", "change"]);
        server.write("deploy.sh", leak(2));
        for (path, content) in files {
            server.write(path, content);
        }
        let change = server.commit("a change").to_string();
        server.git(["checkout", "--quiet", "--detach", target]);
        server.git(["merge", "--quiet", "--no-ff", "--message", "merge", "change"]);
        let merge = server.oid("HEAD").to_string();
        server.git(["update-ref", "refs/pull/7/merge", &merge]);
        let clone = Sandbox::empty();
        clone.git(["clone", "--quiet", "--no-checkout", server.path().to_str().unwrap(), "."]);
        clone.git(["fetch", "--quiet", "origin", "refs/pull/7/merge"]);
        clone.git(["checkout", "--quiet", "--detach", &merge]);
        Server { server, clone, ids: Ids { first, main, change, merge } }
    }

    /// The script, with the program that is tested and these variables.
    fn script(&self, variables: &[(&str, &str)]) -> Command {
        let mut command = clean("sh", self.clone.path());
        command.arg(root().join("ci/stanch-ci.sh")).env("STANCH", STANCH).envs(variables.iter().copied());
        command
    }

    fn run(&self, variables: &[(&str, &str)]) -> Run {
        let run = Run::of(&mut self.script(variables));
        assert_tells_no_secret(&run);
        run
    }

    fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.clone.join(file)).unwrap_or_default()
    }

    /// Files in the clone that git does not know.
    fn new_files(&self) -> Vec<String> {
        let listed = self.clone.git(["ls-files", "--others"]);
        listed.lines().map(ToOwned::to_owned).collect()
    }
}

fn assert_tells_no_secret(run: &Run) {
    for seed in [1, 2] {
        let secret = github(seed);
        assert!(!run.stdout.contains(&secret) && !run.stderr.contains(&secret), "{run:#?}");
    }
}

/// A folder to put first in `PATH`, with these programs in it: links to files.
fn programs(folder: &Path, links: &[(&str, &Path)]) -> PathBuf {
    std::fs::create_dir_all(folder).unwrap();
    for (name, target) in links {
        std::os::unix::fs::symlink(target, folder.join(name)).unwrap();
    }
    folder.to_owned()
}

/// `PATH` with a folder before the caller's.
fn path_with(folder: &Path) -> std::ffi::OsString {
    let rest = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths(std::iter::once(folder.to_owned()).chain(std::env::split_paths(&rest))).unwrap()
}
