//! Repositories of somebody who wants to have something executed, read or written. Whatever is executed leaves a mark.

mod links;
mod pipes;
mod silence;

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::cli_support::{Run, clean, github, names, stanch};
use super::git_support::git_command;

/// Folders of one test: the repository, what lies outside of it, and the marks.
struct Place {
    root: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let place = Place { root: tempfile::tempdir().unwrap() };
        for folder in ["home", "tmp", "marks", "traps", "outside", "repo"] {
            fs::create_dir(place.at(folder)).unwrap();
        }
        place
    }

    /// A new repository with one harmless commit.
    fn with_repository(options: &[&str]) -> Self {
        let place = Place::new();
        place.git(&[&["init", "-q", "-b", "main"], options].concat());
        place.write("a.txt", "harmless\n");
        place.commit("first");
        place
    }

    fn at(&self, path: &str) -> PathBuf {
        self.root.path().join(path)
    }

    fn repo(&self) -> PathBuf {
        self.at("repo")
    }

    /// Writes a file of the repository.
    fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.repo().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn git(&self, args: &[&str]) -> String {
        let output = git_command(&self.repo()).args(args).output().unwrap();
        assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    fn commit(&self, message: &str) {
        self.git(&["add", "--all", "--force"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", message]);
    }

    /// A command that leaves the mark `name` when anything runs it, whatever it is asked.
    fn trap(&self, name: &str) -> String {
        let path = self.at("traps").join(name);
        self.set_trap(&path, name);
        path.to_str().unwrap().to_owned()
    }

    fn set_trap(&self, path: &Path, name: &str) {
        let mark = self.at("marks").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, format!("#!/bin/sh\n/usr/bin/touch '{}'\nexit 0\n", mark.display())).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn stanch(&self, args: &[&str]) -> Command {
        let mut command = stanch(&self.repo(), args);
        command.env("HOME", self.at("home")).env("TMPDIR", self.at("tmp"));
        command
    }

    fn run(&self, args: &[&str]) -> Run {
        Run::of(&mut self.stanch(args))
    }

    fn marks(&self) -> Vec<String> {
        names(&self.at("marks"))
    }

    /// Everything below all folders, but git's own index, which git rewrites.
    fn tree(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut folders = vec![self.root.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
                if path.is_dir() && !path.is_symlink() {
                    folders.push(path.clone());
                }
                found.push(path);
            }
        }
        found.sort();
        found
    }
}

/// A line with a secret.
fn leak(seed: u64) -> String {
    format!("token = '{}'\n", github(seed))
}

/// Every command that looks at a repository; reports go to standard output.
const COMMANDS: &[&[&str]] = &[
    &["scan"],
    &["scan", "--no-ignore", "--show-suppressed"],
    &["scan", "--policy-rev", "HEAD"],
    &["scan", "--staged"],
    &["history"],
    &["history", "--cache", "../tmp/cache"],
    &["history", "--range", "HEAD~1..HEAD"],
    &["history", "--branch", "main"],
    &["history", "--since", "2020-01-01"],
    &["explain", "a.txt:1"],
    &["explain", "0123456789ab"],
    &["config", "show"],
    &["baseline", "update"],
    &["baseline", "update", "--history"],
    &["baseline", "check", "--history"],
    &["audit", "--plain"],
    &["audit", "--plain", "--history"],
    &["import", "gitleaks"],
    &["import", "detect-secrets"],
    &["rules", "list"],
    &["hook", "install"],
    &["hook", "run", "pre-commit"],
    &["hook", "uninstall"],
];

/// Every setting of git's that names something to execute or to connect to.
fn set_traps(place: &Place, address: &str) {
    let ext = |name: &str| format!("ext::{} %S", place.trap(name));
    let url = format!("http://{address}/x.git");
    let settings = [
        ("core.fsmonitor", place.trap("fsmonitor")),
        ("core.pager", place.trap("pager")),
        ("core.editor", place.trap("editor")),
        ("core.askPass", place.trap("askpass")),
        ("core.sshCommand", place.trap("ssh")),
        ("core.gitProxy", place.trap("proxy")),
        ("core.alternateRefsCommand", place.trap("alternate-refs")),
        ("sequence.editor", place.trap("sequence-editor")),
        ("pager.log", place.trap("pager-log")),
        ("diff.external", place.trap("diff-external")),
        ("diff.evil.command", place.trap("diff-command")),
        ("diff.evil.textconv", place.trap("textconv")),
        ("interactive.diffFilter", place.trap("diff-filter")),
        ("merge.evil.driver", place.trap("merge")),
        ("filter.evil.clean", place.trap("clean")),
        ("filter.evil.smudge", place.trap("smudge")),
        ("filter.evil.process", place.trap("process")),
        ("filter.evil.required", "true".to_owned()),
        ("gpg.program", place.trap("gpg")),
        ("gpg.ssh.program", place.trap("gpg-ssh")),
        ("log.showSignature", "true".to_owned()),
        ("credential.helper", format!("!{}", place.trap("credential"))),
        ("alias.log", format!("!{}", place.trap("alias-log"))),
        ("alias.for-each-ref", format!("!{}", place.trap("alias-refs"))),
        ("alias.rev-parse", format!("!{}", place.trap("alias-rev-parse"))),
        ("protocol.allow", "always".to_owned()),
        ("protocol.ext.allow", "always".to_owned()),
        ("remote.origin.url", ext("remote")),
        ("remote.origin.promisor", "true".to_owned()),
        ("remote.origin.partialclonefilter", "blob:none".to_owned()),
        ("remote.origin.uploadpack", place.trap("upload-pack")),
        ("remote.web.url", url.clone()),
        ("remote.web.promisor", "true".to_owned()),
        ("remote.web.vcs", "evil".to_owned()),
        ("submodule.sub.url", ext("submodule")),
        ("submodule.sub.update", format!("!{}", place.trap("submodule-update"))),
        ("submodule.recurse", "true".to_owned()),
        ("fetch.recurseSubmodules", "true".to_owned()),
        ("maintenance.auto", "true".to_owned()),
        ("gc.auto", "1".to_owned()),
        ("trace2.eventTarget", place.at("marks").join("trace2").display().to_string()),
    ];
    for (key, value) in settings {
        place.git(&["config", key, &value]);
    }
    place.git(&["config", &format!("url.{}.insteadOf", ext("instead-of")), "https://"]);
    place.git(&["config", "extensions.partialClone", "origin"]);
    // What is included, on conditions or not, is executed no more than what stands there.
    let more = place.at("traps").join("more-config");
    let hooks = place.at("traps").join("hooks");
    fs::write(
        &more,
        format!("[core]\n\tpager = {}\n\thooksPath = {}\n", place.trap("included-pager"), hooks.display()),
    )
    .unwrap();
    place.git(&["config", "include.path", more.to_str().unwrap()]);
    place.git(&["config", "includeIf.gitdir:/**.path", more.to_str().unwrap()]);
    for hook in [
        "pre-commit",
        "prepare-commit-msg",
        "commit-msg",
        "post-commit",
        "pre-push",
        "pre-receive",
        "update",
        "post-update",
        "post-receive",
        "post-checkout",
        "post-merge",
        "post-rewrite",
        "pre-rebase",
        "pre-auto-gc",
        "reference-transaction",
        "post-index-change",
        "fsmonitor-watchman",
        "push-to-checkout",
        "proc-receive",
        "sendemail-validate",
        "applypatch-msg",
    ] {
        place.set_trap(&hooks.join(hook), &format!("hook-{hook}"));
        place.set_trap(&place.repo().join(".git/hooks").join(hook), &format!("own-hook-{hook}"));
    }
}

#[test]
fn nothing_of_a_repository_is_executed_and_nobody_is_called() {
    let place = Place::with_repository(&[]);
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    server.set_nonblocking(true).unwrap();
    let address = server.local_addr().unwrap().to_string();
    place.write(
        ".gitattributes",
        "* filter=evil diff=evil merge=evil -text\n*.bin working-tree-encoding=UTF-16\n",
    );
    place.write("leak.py", leak(1));
    place.write("missing.py", leak(2));
    let url = format!("ext::{} %S", place.trap("gitmodules"));
    place.write(
        ".gitmodules",
        format!("[submodule \"sub\"]\n\tpath = sub\n\turl = {url}\n\tupdate = !{url}\n"),
    );
    place.git(&["add", "--all"]);
    place.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{},sub", "5".repeat(40))]);
    place.git(&["commit", "-q", "-m", "second"]);
    place.write("staged.py", leak(3));
    place.git(&["add", "staged.py"]);
    // A blob is missing, which git would fetch.
    let blob = place.git(&["rev-parse", "HEAD:missing.py"]);
    fs::remove_file(place.repo().join(format!(".git/objects/{}/{}", &blob[..2], &blob[2..]))).unwrap();
    set_traps(&place, &address);
    place.write(".git/objects/info/alternates", "//127.0.0.1/share/objects\n\\\\127.0.0.1\\share\n");
    place.write(".git/objects/info/http-alternates", format!("http://{address}/objects\n"));
    // Programs by the names of those that others would run, where the scan is started.
    for name in ["git", "sh", "less", "gpg", "ssh", "git-remote-evil", "git-remote-http", "stanch"] {
        place.set_trap(&place.repo().join(name), &format!("path-{name}"));
    }
    let path = format!(":.:bin:{}", std::env::var("PATH").unwrap());
    let mut found = 0;
    for args in COMMANDS {
        for folder in ["repo", "repo/.git"] {
            let mut command = place.stanch(args);
            command.current_dir(place.at(folder)).env("PATH", &path);
            found += usize::from(Run::of(&mut command).stdout.contains("github-pat"));
            assert_eq!(place.marks(), [""; 0], "{args:?} in {folder}");
        }
    }
    assert!(found >= 10, "{found}");
    let run = Run::with_input(&mut place.stanch(&["scan", "-"]), leak(4).as_bytes()).exits(1);
    assert!(run.stdout.contains("github-pat"));
    let report = place.run(&["history", "--format", "json"]).exits(2).report();
    assert!(report.skipped().iter().any(|skip| skip.contains("missing")), "{:?}", report.skipped());
    assert_eq!(place.marks(), [""; 0]);
    assert!(server.accept().is_err(), "somebody was called");
    // The traps work: git steps on them.
    let git = |args: &[&str]| drop(clean("git", &place.repo()).args(args).output().unwrap());
    git(&["status"]);
    git(&["diff", "HEAD"]);
    git(&["cat-file", "-p", &blob]);
    git(&["commit", "--allow-empty", "-m", "x"]);
    let marks = place.marks();
    for mark in ["fsmonitor", "process", "remote"] {
        assert!(marks.iter().any(|name| name == mark), "{mark} in {marks:?}");
    }
}

/// For refs in a reftable the git program is run; it is the user's, and executes nothing.
#[test]
fn the_git_program_is_the_users_and_shows_no_signatures() {
    let place = Place::with_repository(&["--ref-format=reftable"]);
    place.write("leak.py", leak(1));
    place.commit("second");
    // A commit that claims to be signed, in the reflog of HEAD.
    let commit = place.git(&["cat-file", "commit", "HEAD"]);
    let signature = format!("gpgsig -----BEGIN PGP {0}-----\n \n x\n -----END PGP {0}-----", "SIGNATURE");
    let signed = commit.replacen("\n\n", &format!("\n{signature}\n\n"), 1);
    fs::write(place.at("tmp/commit"), signed).unwrap();
    let file = place.at("tmp/commit").display().to_string();
    let id = place.git(&["hash-object", "-t", "commit", "-w", &file]);
    place.git(&["update-ref", "-m", "signed", "HEAD", &id]);
    set_traps(&place, "127.0.0.1:9");
    for name in ["git", "gpg", "sh"] {
        place.set_trap(&place.repo().join(name), &format!("path-{name}"));
        place.set_trap(&place.repo().join("bin").join(name), &format!("bin-{name}"));
    }
    for path in [":.:bin:", "bin:", "./bin:"].map(|head| format!("{head}{}", std::env::var("PATH").unwrap()))
    {
        for args in
            [&["history"][..], &["history", "--range", "HEAD~1..HEAD"], &["scan", "--staged"], &["scan"]]
        {
            let run = Run::of(place.stanch(args).env("PATH", &path));
            assert!(
                run.code == Some(1) || args.contains(&"--range") || args.contains(&"--staged"),
                "{args:?} {run:?}"
            );
            assert_eq!(place.marks(), [""; 0], "{args:?} with {path}");
        }
    }
    // Without a git program in a folder that is named as a whole the refs cannot be read, and that is said.
    let run = Run::of(place.stanch(&["history"]).env("PATH", ":.:bin")).exits(2);
    assert!(run.stderr.contains("git") && place.marks().is_empty(), "{run:?}");
    // The trap works.
    drop(clean("git", &place.repo()).args(["--no-pager", "-c", "include.path=", "reflog", "show"]).output());
    drop(clean("git", &place.repo()).args(["--no-pager", "log", "-1"]).env("GIT_PAGER", "cat").output());
    assert!(place.marks().contains(&"gpg".to_owned()), "{:?}", place.marks());
}
