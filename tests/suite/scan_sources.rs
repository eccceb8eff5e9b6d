//! `stanch scan`: what files, folders and standard input are read, and how they are named.

use std::fs;

use super::cli_support::{Run, STANCH, clean, github, letters, password, scan, scan_input, stanch};
use super::git_support::Sandbox;

/// A file with one secret.
fn leak(seed: u64) -> String {
    format!("first line\ntoken = \"{}\"\n", github(seed))
}

#[test]
fn nothing_found_exits_0_and_says_so() {
    let dir = Sandbox::empty();
    dir.write("a.txt", "nothing here\n");
    let report = scan(dir.path(), ["."]).exits(0).report();
    assert_eq!(report.places(), [""; 0]);
    assert_eq!((report.count("files"), report.count("bytes"), report.incomplete()), (1, 13, false));
    let empty = Sandbox::empty();
    assert_eq!(scan(empty.path(), [""; 0]).exits(0).report().count("files"), 0);
}

#[test]
fn folders_are_the_default_and_hidden_files_count() {
    let dir = Sandbox::empty();
    for (i, path) in
        ["z.txt", ".env", ".hidden/deep/er/a.yml", "src/b.rs", ".github/workflows/ci.yml"].iter().enumerate()
    {
        dir.write(path, leak(i as u64));
    }
    let expected = [".env", ".github/workflows/ci.yml", ".hidden/deep/er/a.yml", "src/b.rs", "z.txt"];
    for args in [&[][..], &["."], &["./"]] {
        let report = scan(dir.path(), args).exits(1).report();
        assert_eq!(report.paths(), expected, "{args:?}");
        assert_eq!(report.findings().len(), 5);
    }
    let report = scan(dir.path(), ["."]).report();
    assert_eq!(report.places()[0], ".env:2:10 github-pat");
    assert_eq!(report.0["summary"]["mode"], "scan");
}

#[test]
fn several_roots_and_single_files_are_named_as_given() {
    let dir = Sandbox::empty();
    dir.write("a/one.txt", leak(1));
    dir.write("b/two.txt", leak(2));
    dir.write("c/three.txt", leak(3));
    let report = scan(dir.path(), ["b", "a/one.txt"]).exits(1).report();
    assert_eq!(report.paths(), ["a/one.txt", "b/two.txt"]);
    let absolute = dir.join("c/three.txt");
    let report = scan(dir.path(), [&absolute]).exits(1).report();
    assert_eq!(report.paths(), [absolute.to_str().unwrap()]);
    let report = scan(&dir.join("a"), ["../b/two.txt", "one.txt"]).exits(1).report();
    assert_eq!(report.paths(), ["../b/two.txt", "one.txt"]);
}

#[test]
fn a_file_that_is_named_twice_is_read_once() {
    let dir = Sandbox::empty();
    dir.write("a/one.txt", leak(1));
    for args in [["a", "a"], ["a/one.txt", "a/one.txt"], ["a", "a/one.txt"], [".", "a"]] {
        let report = scan(dir.path(), args).exits(1).report();
        assert_eq!(report.findings().len(), 1, "{args:?}: {:?}", report.places());
    }
}

#[test]
fn ignored_files_are_left_out_unless_asked_for() {
    let dir = Sandbox::new();
    dir.write(".gitignore", "*.log\n/build/\n!keep.log\n");
    dir.write("sub/.gitignore", "local.*\n");
    dir.write(".git/info/exclude", "excluded.txt\n");
    dir.write(".ignore", "by-ignore.txt\n");
    let hidden = ["a.log", "build/out.txt", "sub/local.txt", "excluded.txt", "by-ignore.txt"];
    for (i, path) in hidden.iter().chain(&["keep.log", "sub/seen.txt"]).enumerate() {
        dir.write(path, leak(i as u64));
    }
    let report = scan(dir.path(), ["."]).exits(1).report();
    assert_eq!(report.paths(), ["keep.log", "sub/seen.txt"]);
    assert_eq!(scan(&dir.join("sub"), ["."]).exits(1).report().paths(), ["seen.txt"]);
    let report = scan(dir.path(), [".", "--no-ignore"]).exits(1).report();
    assert_eq!(report.findings().len(), 7, "{:?}", report.places());
    // Whoever names a file wants it read.
    for path in hidden {
        assert_eq!(scan(dir.path(), [path]).exits(1).report().findings().len(), 1, "{path}");
    }
    assert_eq!(scan(dir.path(), ["build"]).exits(1).report().paths(), ["build/out.txt"]);
}

#[test]
fn ignore_files_of_the_users_editor_do_not_count() {
    let dir = Sandbox::new();
    let home = Sandbox::empty();
    home.write(".config/git/ignore", "*.txt\n");
    dir.write("a.txt", leak(1));
    let mut command = stanch(dir.path(), ["scan", "--format", "json"]);
    let report = Run::of(command.env("HOME", home.path())).exits(1).report();
    assert_eq!(report.paths(), ["a.txt"]);
}

#[test]
fn gits_own_folder_is_not_walked_unless_named() {
    let dir = Sandbox::new();
    dir.write("a.txt", "clean\n");
    dir.write(".git/leak", leak(1));
    scan(dir.path(), [".", "--no-ignore"]).exits(0);
    assert_eq!(scan(dir.path(), [".git/leak"]).exits(1).report().findings().len(), 1);
}

#[test]
fn standard_input() {
    let dir = Sandbox::empty();
    let token = github(1);
    let run = scan_input(dir.path(), format!("a\nb {token}\n").as_bytes()).exits(1);
    let report = run.report();
    assert_eq!(report.places(), [":2:3 github-pat"]);
    assert_eq!(report.secrets(), [token]);
    assert!(report.findings()[0].get("path").is_none(), "what has no path has no key");
    assert_eq!(report.0["summary"]["mode"], "stdin");
    scan_input(dir.path(), b"").exits(0);
    scan_input(dir.path(), b"nothing").exits(0);
    let run = Run::of(&mut stanch(dir.path(), ["scan", "-", "a.txt"])).exits(2);
    assert!(run.stderr.contains("standard input"), "{run:?}");
}

#[test]
fn a_closed_or_broken_standard_input_is_an_error() {
    let dir = Sandbox::empty();
    let mut command = stanch(dir.path(), ["scan", "-", "--format", "json"]);
    let folder = fs::File::open(dir.path()).unwrap();
    let report = Run::of(command.stdin(folder)).exits(2).report();
    assert_eq!(report.skipped(), ["(standard input) read-error"]);
    assert!(report.incomplete());
    for (redirect, code) in [("<&-", 2), ("</dev/null", 0)] {
        let script = format!("exec '{STANCH}' scan - {redirect}");
        let run = Run::of(clean("sh", dir.path()).args(["-c", &script])).exits(code);
        assert_eq!(run.stdout.contains("standard input is closed"), code == 2, "{run:?}");
        // Git says on standard input what is pushed.
        let script = format!("exec '{STANCH}' hook run pre-push {redirect}");
        let run = Run::of(clean("sh", Sandbox::new().path()).args(["-c", &script])).exits(code);
        assert_eq!(run.stderr.contains("standard input is closed"), code == 2, "{run:?}");
    }
}

#[test]
fn links_are_not_followed_but_their_targets_are_text() {
    let dir = Sandbox::empty();
    let outside = Sandbox::empty();
    outside.write("leak.txt", leak(1));
    let link = |target: &str, name: &str| std::os::unix::fs::symlink(target, dir.join(name)).unwrap();
    link(outside.path().to_str().unwrap(), "folder");
    link(outside.join("leak.txt").to_str().unwrap(), "file");
    link("nowhere", "dangling");
    link("loop-b", "loop-a");
    link("loop-a", "loop-b");
    link(".", "self");
    let report = scan(dir.path(), ["."]).exits(0).report();
    assert_eq!(report.skipped(), [""; 0]);
    let url = format!("https://user:{}@host.example.com/", letters(9, 14));
    link(&url, "with-secret");
    let report = scan(dir.path(), ["."]).exits(1).report();
    assert_eq!(report.paths(), ["with-secret"]);
    assert_eq!(report.findings()[0]["message_kind"], "link-target");
    // A link that is named is what it leads to.
    assert_eq!(scan(dir.path(), ["file"]).exits(1).report().paths(), ["file"]);
    assert_eq!(scan(dir.path(), ["folder"]).exits(1).report().paths(), ["folder/leak.txt"]);
}

#[test]
fn size_limits_are_reported_and_make_the_run_incomplete() {
    let dir = Sandbox::empty();
    dir.write("large.txt", leak(1).repeat(40));
    dir.write("small.txt", leak(2));
    let report = scan(dir.path(), ["--max-file-size", "1K", "."]).exits(2).report();
    assert_eq!(report.paths(), ["small.txt"]);
    assert_eq!(report.skipped(), ["large.txt too-large"]);
    scan(dir.path(), ["--max-file-size", "1K", "--allow-incomplete", "."]).exits(1);
    fs::remove_file(dir.join("small.txt")).unwrap();
    scan(dir.path(), ["--max-file-size", "1K", "."]).exits(2);
    scan(dir.path(), ["--max-file-size", "1K", "--allow-incomplete", "."]).exits(0);
    let report = scan(dir.path(), ["--max-file-size", "10K", "."]).exits(1).report();
    assert_eq!(report.findings().len(), 40);
    for wrong in ["", "x", "-1", "1Q", "99999999999G"] {
        scan(dir.path(), [&format!("--max-file-size={wrong}")[..], "."]).exits(2);
    }
}

#[test]
fn exit_codes() {
    let dir = Sandbox::empty();
    dir.write("leak.txt", leak(1));
    dir.write("clean.txt", "clean\n");
    scan(dir.path(), ["clean.txt"]).exits(0);
    scan(dir.path(), ["leak.txt"]).exits(1);
    scan(dir.path(), ["leak.txt", "--exit-code", "7"]).exits(7);
    scan(dir.path(), ["leak.txt", "--exit-code", "0"]).exits(0);
    scan(dir.path(), ["clean.txt", "--exit-code", "7"]).exits(0);
    // Incomplete wins over findings, and over every `--exit-code`.
    scan(dir.path(), ["leak.txt", "missing"]).exits(2);
    scan(dir.path(), ["clean.txt", "missing"]).exits(2);
    scan(dir.path(), ["leak.txt", "missing", "--exit-code", "0"]).exits(2);
    scan(dir.path(), ["leak.txt", "missing", "--allow-incomplete"]).exits(1);
    scan(dir.path(), ["clean.txt", "missing", "--allow-incomplete"]).exits(0);
    // Mistakes on the command line.
    for wrong in [&["--nonsense"][..], &["--format", "nonsense"], &["--threads", "x"], &["--rule", "no-such"]]
    {
        let run = Run::of(stanch(dir.path(), ["scan", "clean.txt"]).args(wrong)).exits(2);
        assert!(!run.stderr.is_empty() && run.stdout.is_empty(), "{run:?}");
    }
    scan(dir.path(), ["--staged", "clean.txt"]).exits(2);
}

#[test]
fn options_that_choose_rules_and_confidence() {
    let dir = Sandbox::empty();
    dir.write("a.py", format!("{}db_password = '{}'\n", leak(1), password(1)));
    assert_eq!(scan(dir.path(), ["."]).exits(1).report().findings().len(), 2);
    let only = scan(dir.path(), ["--rule", "github-pat", "."]).exits(1).report();
    assert_eq!(only.places(), ["a.py:2:10 github-pat"]);
    let without = scan(dir.path(), ["--disable-rule", "github-pat", "."]).exits(1).report();
    assert!(without.places().iter().all(|p| !p.contains("github")), "{:?}", without.places());
    let high = scan(dir.path(), ["--min-confidence", "high", "."]).exits(1).report();
    assert!(high.findings().iter().all(|f| f["confidence"] == "high"));
    scan(dir.path(), ["--min-confidence", "none", "."]).exits(2);
}
