//! `stanch scan --staged` as a hook and a user run it, in every situation git can be in.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use super::cli_support::{Report, Run, STANCH, clean, github, scan, stanch};
use super::git_support::Sandbox;

fn leak(seed: u64) -> String {
    format!("token = \"{}\"\n", github(seed))
}

/// What is staged at `dir`, with the exit code it must have.
#[track_caller]
fn staged(dir: &Path, code: i32) -> Report {
    let report = scan(dir, ["--staged"]).exits(code).report();
    assert_eq!(report.0["summary"]["mode"], "staged");
    report
}

/// A repository with one clean commit.
fn repository() -> Sandbox {
    let repo = Sandbox::new();
    repo.write("old.txt", "first\nsecond\nthird\n");
    repo.write("known.txt", leak(100));
    repo.commit("first");
    repo
}

#[test]
fn before_the_first_commit() {
    let repo = Sandbox::new();
    assert_eq!(staged(repo.path(), 0).count("files"), 0);
    repo.write("a/b.txt", leak(1));
    staged(repo.path(), 0);
    repo.git(["add", "."]);
    assert_eq!(staged(repo.path(), 1).places(), ["a/b.txt:1:10 github-pat"]);
    // The index counts, not the file.
    repo.write("a/b.txt", "harmless\n");
    staged(repo.path(), 1);
    fs::remove_file(repo.join("a/b.txt")).unwrap();
    staged(repo.path(), 1);
}

#[test]
fn only_new_lines_count_and_have_their_lines_numbers() {
    let repo = repository();
    staged(repo.path(), 0);
    repo.write("known.txt", format!("one more\n{}\n", leak(100)));
    repo.write("old.txt", format!("first\nsecond\n{}third\n", leak(1)));
    repo.write("not-staged.txt", leak(2));
    repo.git(["add", "known.txt", "old.txt"]);
    let report = staged(repo.path(), 1);
    assert_eq!(report.places(), ["old.txt:3:10 github-pat"]);
    repo.commit("second");
    staged(repo.path(), 0);
    // A renamed file brings nothing new, a copy of a secret into another file does.
    repo.git(["mv", "known.txt", "renamed.txt"]);
    staged(repo.path(), 0);
    fs::remove_file(repo.join("renamed.txt")).unwrap();
    repo.git(["add", "--all"]);
    staged(repo.path(), 0);
}

#[test]
fn a_value_that_changes_on_an_old_line_is_new() {
    let repo = repository();
    repo.write("known.txt", leak(101));
    repo.git(["add", "."]);
    assert_eq!(staged(repo.path(), 1).places(), ["known.txt:1:10 github-pat"]);
}

#[test]
fn a_secret_whose_lines_are_only_partly_new() {
    // The key of a block was there; its body is new. The context of new lines must be seen.
    let repo = Sandbox::new();
    let begin = format!("-----BEGIN RSA {} KEY-----\n", "PRIVATE");
    let rest = stanch::matcher::checksum::complete("private-key", &begin).unwrap();
    let (body, end) = rest.split_once("\n-----END").unwrap();
    repo.write("key.pem", format!("{begin}-----END{end}\n"));
    repo.commit("empty key");
    repo.write("key.pem", format!("{begin}{}\n-----END{end}\n", body.trim_start()));
    repo.git(["add", "."]);
    assert_eq!(staged(repo.path(), 1).findings()[0]["category"], "encryption-key");
}

#[test]
fn during_a_merge() {
    let repo = repository();
    repo.git(["checkout", "--quiet", "-b", "side"]);
    repo.write("side.txt", leak(1));
    repo.write("both.txt", "side\n");
    repo.commit("side");
    repo.git(["checkout", "--quiet", "main"]);
    repo.write("both.txt", "main\n");
    repo.commit("main");
    assert!(!repo.try_git(repo.path(), ["merge", "--no-commit", "side"]).status.success());
    // git refuses to commit a file that is not merged; here nobody is to take it for clean.
    assert_eq!(staged(repo.path(), 2).skipped(), ["both.txt unmerged"]);
    let text = Run::of(&mut stanch(repo.path(), ["scan", "--staged"])).exits(2);
    assert!((text.stdout + &text.stderr).contains("both.txt"));
    repo.write("both.txt", format!("main\nside\n{}", leak(2)));
    repo.git(["add", "both.txt"]);
    // What the other side brings is in the history; what the merge itself adds is new.
    assert_eq!(staged(repo.path(), 1).places(), ["both.txt:3:10 github-pat"]);
}

#[test]
fn in_a_linked_worktree_and_in_subfolders() {
    let repo = repository();
    repo.git(["worktree", "add", "--quiet", "-b", "linked", "tree"]);
    repo.write("tree/sub/leak.txt", leak(1));
    repo.try_git(&repo.join("tree"), ["add", "--all"]);
    for folder in ["tree", "tree/sub"] {
        assert_eq!(staged(&repo.join(folder), 1).places(), ["sub/leak.txt:1:10 github-pat"], "{folder}");
    }
    staged(repo.path(), 0);
    repo.write("deep/er/leak.txt", leak(2));
    repo.git(["add", "deep"]);
    assert_eq!(staged(&repo.join("deep/er"), 1).places(), ["deep/er/leak.txt:1:10 github-pat"]);
    // Inside of .git there is no worktree, but the index is the same.
    assert_eq!(staged(&repo.join(".git"), 1).findings().len(), 1);
}

#[test]
fn in_a_submodule_and_with_variables_of_git() {
    let repo = repository();
    let inner = repository();
    repo.git(["submodule", "--quiet", "add", inner.path().to_str().unwrap(), "module"]);
    repo.commit("module");
    repo.write("module/leak.txt", leak(1));
    repo.try_git(&repo.join("module"), ["add", "--all"]);
    assert_eq!(staged(&repo.join("module"), 1).paths(), ["leak.txt"]);
    staged(repo.path(), 0);
    let elsewhere = Sandbox::empty();
    let mut command = stanch(elsewhere.path(), ["scan", "--staged", "--format", "json"]);
    command.env("GIT_DIR", repo.join(".git/modules/module")).env("GIT_WORK_TREE", repo.join("module"));
    assert_eq!(Run::of(&mut command).exits(1).report().paths(), ["leak.txt"]);
}

#[test]
fn announced_entries_hold_nothing_yet() {
    let repo = repository();
    repo.write("announced.txt", leak(1));
    repo.git(["add", "--intent-to-add", "announced.txt"]);
    staged(repo.path(), 0);
    repo.git(["add", "announced.txt"]);
    staged(repo.path(), 1);
    // Before the first commit, too.
    let empty = Sandbox::new();
    empty.write("announced.txt", leak(1));
    empty.git(["add", "--intent-to-add", "announced.txt"]);
    staged(empty.path(), 0);
}

/// Installs a pre-commit hook that runs the program, and leaves its report in `report.json`.
fn install_hook(repo: &Sandbox) {
    let hook = format!("#!/bin/sh\nexec '{STANCH}' scan --staged --output \"$REPORT\" --format json\n");
    repo.write(".git/hooks/pre-commit", hook);
    fs::set_permissions(repo.join(".git/hooks/pre-commit"), fs::Permissions::from_mode(0o755)).unwrap();
}

/// Runs `git commit ARGS`, with the hook; whether it succeeded, and what the hook reported.
fn commit(repo: &Sandbox, dir: &Path, args: &[&str]) -> (bool, Vec<String>) {
    let reports = Sandbox::empty();
    let mut command = clean("git", dir);
    command.env("REPORT", reports.join("report.json"));
    command.args(["commit", "--quiet", "-m", "message"]).args(args);
    let run = Run::of(&mut command);
    let report = fs::read_to_string(reports.join("report.json"))
        .unwrap_or_else(|e| panic!("{e}: the hook of {} left no report: {run:?}", repo.path().display()));
    let places = Report(serde_json::from_str(&report).unwrap()).places();
    (run.code == Some(0), places)
}

#[test]
fn through_a_real_hook() {
    let repo = repository();
    install_hook(&repo);
    let place = |path: &str| vec![format!("{path}:1:10 github-pat")];
    // The plain case.
    repo.write("plain.txt", leak(1));
    repo.git(["add", "plain.txt"]);
    assert_eq!(commit(&repo, repo.path(), &[]), (false, place("plain.txt")));
    repo.git(["reset", "--quiet"]);
    // `git commit -a` puts the change into `index.lock` first.
    repo.write("old.txt", leak(2));
    assert_eq!(commit(&repo, repo.path(), &["-a"]), (false, place("old.txt")));
    // `git commit -- path` makes an index for the commit, without what else is staged.
    repo.write("known.txt", "harmless\n");
    repo.git(["add", "plain.txt"]);
    assert_eq!(commit(&repo, repo.path(), &["--", "old.txt"]), (false, place("old.txt")));
    assert_eq!(commit(&repo, repo.path(), &["--include", "old.txt"]).1.len(), 2);
    assert_eq!(commit(&repo, repo.path(), &["--", "known.txt"]), (true, vec![]));
    // Amending compares with HEAD, which the commit replaces.
    assert_eq!(commit(&repo, repo.path(), &["--amend"]), (false, place("plain.txt")));
    repo.git(["reset", "--quiet", "--hard"]);
    assert_eq!(commit(&repo, repo.path(), &["--allow-empty"]), (true, vec![]));
}

#[test]
fn through_a_real_hook_from_elsewhere() {
    let repo = repository();
    install_hook(&repo);
    repo.write("sub/deep/leak.txt", leak(1));
    repo.git(["add", "sub"]);
    let expected = (false, vec!["sub/deep/leak.txt:1:10 github-pat".to_owned()]);
    assert_eq!(commit(&repo, &repo.join("sub"), &[]), expected);
    repo.write("old.txt", "changed\n");
    assert_eq!(commit(&repo, &repo.join("sub"), &["-a"]), expected);
    repo.git(["reset", "--quiet", "--hard"]);
    repo.git(["worktree", "add", "--quiet", "-b", "linked", "tree"]);
    repo.write("tree/leak.txt", leak(2));
    repo.try_git(&repo.join("tree"), ["add", "--all"]);
    let expected = (false, vec!["leak.txt:1:10 github-pat".to_owned()]);
    assert_eq!(commit(&repo, &repo.join("tree"), &[]), expected);
    assert_eq!(commit(&repo, &repo.join("tree"), &["-a"]), expected);
    assert_eq!(commit(&repo, &repo.join("tree"), &["--", "leak.txt"]), expected);
    // `git -C`, and a repository whose place is given by options.
    let elsewhere = Sandbox::empty();
    let (dir, tree) = (format!("--git-dir={}/.git", repo.path().display()), repo.path().to_str().unwrap());
    repo.write("third.txt", leak(3));
    repo.git(["add", "third.txt"]);
    let reports = Sandbox::empty();
    let mut command = clean("git", elsewhere.path());
    command.args([&dir, "--work-tree", tree, "commit", "-m", "x"]).env("REPORT", reports.join("r"));
    Run::of(&mut command).exits(1);
    assert!(fs::read_to_string(reports.join("r")).unwrap().contains("third.txt"));
}

/// A command that leaves a mark when anything runs it.
fn trap(repo: &Sandbox) -> String {
    let script = repo.join(".git/trap.sh");
    fs::write(&script, "#!/bin/sh\ntouch \"$(dirname \"$0\")/executed\"\ncat\n").unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    script.to_str().unwrap().to_owned()
}

#[test]
fn hostile_settings_change_nothing_and_execute_nothing() {
    let repo = repository();
    repo.write(
        ".gitattributes",
        "* -diff -text filter=evil diff=evil merge=evil\n*.txt binary working-tree-encoding=UTF-16\n",
    );
    repo.write("leak.dat", leak(1));
    repo.git(["add", "leak.dat"]);
    repo.git(["add", ".gitattributes"]);
    let trap = trap(&repo);
    let settings: [(&str, &str); 18] = [
        ("color.ui", "always"),
        ("diff.evil.textconv", &trap),
        ("diff.evil.command", &trap),
        ("diff.external", &trap),
        ("filter.evil.clean", &trap),
        ("filter.evil.smudge", &trap),
        ("filter.evil.process", &trap),
        ("core.fsmonitor", &trap),
        ("core.pager", &trap),
        ("core.sshCommand", &trap),
        ("core.hooksPath", ".git"),
        ("core.bigFileThreshold", "1"),
        ("diff.noprefix", "true"),
        ("diff.ignoreSubmodules", "all"),
        ("core.quotePath", "true"),
        ("log.showRoot", "false"),
        ("core.attributesFile", "/dev/null"),
        ("status.showUntrackedFiles", "no"),
    ];
    let before = staged(repo.path(), 1).places();
    assert_eq!(before, ["leak.dat:1:10 github-pat"]);
    for (key, value) in settings {
        repo.git(["config", key, value]);
    }
    assert_eq!(staged(repo.path(), 1).places(), before);
    assert_eq!(staged(&repo.join(".git"), 1).places(), before);
    assert!(!repo.join(".git/executed").exists(), "a command of the configuration was executed");
    // The trap works: git itself steps on it.
    let _ = clean("git", repo.path()).args(["diff", "--cached"]).output().unwrap();
    assert!(repo.join(".git/executed").exists());
}

#[test]
fn environment_of_git_cannot_hide_a_change() {
    let repo = repository();
    repo.write("leak.txt", leak(1));
    repo.git(["add", "leak.txt"]);
    let trap = trap(&repo);
    let mut command = stanch(repo.path(), ["scan", "--staged", "--format", "json"]);
    command
        .env("GIT_EXTERNAL_DIFF", &trap)
        .env("GIT_PAGER", &trap)
        .env("GIT_CONFIG_COUNT", "1")
        .env("GIT_CONFIG_KEY_0", "core.fsmonitor")
        .env("GIT_CONFIG_VALUE_0", &trap)
        .env("GIT_LITERAL_PATHSPECS", "1")
        .env("GIT_DIFF_OPTS", "-u0");
    assert_eq!(Run::of(&mut command).exits(1).report().paths(), ["leak.txt"]);
    assert!(!repo.join(".git/executed").exists());
    // An index that git names and that is not there is empty, as it is for git.
    let mut command = stanch(repo.path(), ["scan", "--staged", "--format", "json"]);
    let run = Run::of(command.env("GIT_INDEX_FILE", repo.join("no-such-index")));
    assert_eq!(run.code, Some(0), "{run:?}");
}

#[test]
fn what_cannot_be_read_is_an_error() {
    // No repository.
    let dir = Sandbox::empty();
    let run = Run::of(&mut stanch(dir.path(), ["scan", "--staged"])).exits(2);
    assert!(run.stderr.contains("repository") && run.stdout.is_empty(), "{run:?}");
    // A blob that is missing.
    let repo = repository();
    repo.write("missing.txt", leak(1));
    repo.write("there.txt", leak(2));
    repo.git(["add", "."]);
    let oid = repo.git(["rev-parse", ":missing.txt"]);
    fs::remove_file(repo.join(&format!(".git/objects/{}/{}", &oid[..2], &oid[2..]))).unwrap();
    let report = staged(repo.path(), 2);
    assert_eq!(report.paths(), ["there.txt"]);
    assert_eq!(report.skipped(), ["missing.txt missing-object"]);
    // A damaged index.
    let index = fs::read(repo.join(".git/index")).unwrap();
    for damaged in [&b""[..], b"DIRC", &index[..index.len() / 2], b"not an index at all, but long enough"] {
        fs::write(repo.join(".git/index"), damaged).unwrap();
        let run = Run::of(&mut stanch(repo.path(), ["scan", "--staged"])).exits(2);
        assert!(run.stderr.contains("index"), "{run:?}");
    }
}

#[test]
fn names_of_any_bytes() {
    use std::os::unix::ffi::OsStrExt;
    let repo = repository();
    let name = std::ffi::OsStr::from_bytes(b"caf\xe9 \"quoted\"\n\x1b[31m.txt");
    fs::write(repo.path().join(name), leak(1)).unwrap();
    repo.git(["add", "--all"]);
    let report = staged(repo.path(), 1);
    assert_eq!(report.findings().len(), 1);
    assert!(report.findings()[0]["path_base64"].is_string());
    let text = Run::of(&mut stanch(repo.path(), ["scan", "--staged"])).exits(1).stdout;
    assert!(!text.contains('\u{1b}'), "{text:?}");
}

#[test]
fn many_changed_files_and_any_number_of_threads() {
    let repo = repository();
    for i in 0..60 {
        repo.write(&format!("d{}/f{i}.txt", i % 7), leak(i));
    }
    repo.git(["add", "--all"]);
    let one = scan(repo.path(), ["--staged", "--threads", "1"]).exits(1).report();
    assert_eq!(one.findings().len(), 60);
    for threads in ["2", "5"] {
        let many = scan(repo.path(), ["--staged", "--threads", threads]).exits(1).report();
        assert_eq!(many.0["findings"], one.0["findings"]);
    }
}

#[test]
fn git_is_not_needed() {
    let repo = repository();
    repo.write("leak.txt", leak(1));
    repo.git(["add", "."]);
    let mut command = stanch(repo.path(), ["scan", "--staged", "--format", "json"]);
    assert_eq!(Run::of(command.env("PATH", "/nonexistent")).exits(1).report().paths(), ["leak.txt"]);
    let listed = Command::new(STANCH).arg("--version").output().unwrap();
    assert!(listed.status.success());
}
