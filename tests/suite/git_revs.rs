//! Revisions, ranges and reflogs, against what `git` says.

use std::fs;
use std::process::Stdio;

use stanch::source::git::{
    Error, HashKind, Kind, Odb, Oid, Range, Revisions, SelectOptions, Selection, all_refs, committed, head,
    reflogs, resolve_ref, select,
};

use crate::git_pack_writer::{PackWriter, blob_oid, deflate};
use crate::git_support::{Numbers, Sandbox, edit_history, git_command};

/// Commits with merges, made without a work tree; times go up and down a little. Returns their ids.
fn tangled(sandbox: &Sandbox, count: usize, seed: u64) -> Vec<Oid> {
    let tree = sandbox.git(["mktree"]);
    let mut numbers = Numbers(seed);
    let mut commits: Vec<String> = Vec::new();
    for n in 0..count {
        let time = 1_700_000_000 + 1000 * n as u64 + numbers.next() % 5000;
        let mut command = git_command(sandbox.path());
        command.env("GIT_COMMITTER_DATE", format!("{time} +0000"));
        command.args(["commit-tree", &tree, "-m", &format!("commit {n}")]);
        let recent = |numbers: &mut Numbers| n - 1 - numbers.below(n.min(6));
        let mut parents: Vec<usize> = Vec::new();
        if n > 0 {
            parents.push(recent(&mut numbers));
            if numbers.below(3) == 0 {
                parents.push(recent(&mut numbers));
            }
        }
        parents.sort_unstable();
        parents.dedup();
        for parent in parents {
            command.args(["-p", &commits[parent]]);
        }
        let output = command.stdin(Stdio::null()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        commits.push(String::from_utf8(output.stdout).unwrap().trim().to_owned());
    }
    for (n, commit) in commits.iter().enumerate() {
        sandbox.git(["update-ref", &format!("refs/heads/c{n}"), commit]);
    }
    commits.iter().map(|commit| Oid::from_hex(commit.as_bytes()).unwrap()).collect()
}

fn selected(sandbox: &Sandbox, range: &str, options: SelectOptions) -> Result<Selection, Error> {
    let repo = sandbox.repo();
    let odb = Odb::open(&repo)?;
    let range = Revisions::new(&repo, &odb)?.range(range)?;
    select(&repo, &odb, &range, options)
}

fn sorted_hex(selection: &Selection) -> Vec<String> {
    let mut found: Vec<String> = selection.commits.iter().map(|commit| commit.oid.to_hex()).collect();
    found.sort();
    found
}

fn rev_list(sandbox: &Sandbox, args: &[&str]) -> Vec<String> {
    let text = sandbox.git([&["rev-list"], args].concat());
    let mut found: Vec<String> = text.lines().map(str::to_owned).collect();
    found.sort();
    found
}

#[test]
fn ranges_hold_what_rev_list_lists() {
    let sandbox = Sandbox::new();
    let count = 60;
    tangled(&sandbox, count, 7);
    let mut numbers = Numbers(8);
    let mut sizes = 0;
    for round in 0..40 {
        let mut name = || format!("c{}", numbers.below(count));
        let (a, b, c) = (name(), name(), name());
        let range = match round % 8 {
            0 | 1 => format!("{a}..{b}"),
            2 => format!("{a}...{b}"),
            3 => format!("^{a} {b} {c}"),
            4 => format!("{a} {b} --not {c}"),
            5 => format!("{a}^!"),
            6 => format!("{a}~2..{b}"),
            _ => a,
        };
        let words: Vec<&str> = range.split(' ').collect();
        // `c0~2` and the like do not exist.
        if !sandbox.try_git(sandbox.path(), [&["rev-list"], words.as_slice()].concat()).status.success() {
            assert!(selected(&sandbox, &range, SelectOptions::default()).is_err(), "{range}");
            continue;
        }
        let found = selected(&sandbox, &range, SelectOptions::default()).unwrap();
        assert_eq!(sorted_hex(&found), rev_list(&sandbox, &words), "{range}");
        assert!(found.commits.is_sorted_by_key(|commit| std::cmp::Reverse(commit.time)));
        assert_eq!(found.cut_short, []);
        sizes += found.commits.len();
    }
    assert!(sizes > 150, "{sizes}");
}

#[test]
fn what_is_left_out_stays_out_when_clocks_are_wrong() {
    let sandbox = Sandbox::new();
    let tree = sandbox.git(["mktree"]);
    let commit = |time: u64, parents: &[&str]| {
        let mut command = git_command(sandbox.path());
        command.env("GIT_COMMITTER_DATE", format!("{time} +0000")).args(["commit-tree", &tree, "-m", "x"]);
        for parent in parents {
            command.args(["-p", parent]);
        }
        let output = command.stdin(Stdio::null()).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let day = 24 * 3600;
    let root = commit(1_700_000_000, &[]);
    let shared = commit(1_700_000_000 + 9 * day, &[&root]);
    // Made later, but by a clock that is five days behind.
    let behind = commit(1_700_000_000 + 4 * day, &[&shared]);
    let new = commit(1_700_000_000 + 10 * day, &[&shared]);
    let found = selected(&sandbox, &format!("{behind}..{new}"), SelectOptions::default()).unwrap();
    assert_eq!(sorted_hex(&found), [new]);
    assert_eq!(found.base, [Oid::from_hex(shared.as_bytes()).unwrap()]);
}

#[test]
fn options_take_the_newest() {
    let sandbox = Sandbox::new();
    tangled(&sandbox, 30, 9);
    let all = selected(&sandbox, "c29", SelectOptions::default()).unwrap();
    let since = all.commits[5].time;
    let options = SelectOptions { since: Some(since), max_commits: None };
    let found = selected(&sandbox, "c29", options).unwrap();
    assert_eq!(sorted_hex(&found), rev_list(&sandbox, &["c29", &format!("--since={since}")]));
    assert!(found.commits.iter().all(|commit| commit.time >= since));
    let options = SelectOptions { since: None, max_commits: Some(4) };
    assert_eq!(selected(&sandbox, "c29", options).unwrap().commits, all.commits[..4]);
}

#[test]
fn names_mean_what_they_mean_to_git() {
    let sandbox = Sandbox::new();
    edit_history(&sandbox, 6, 71);
    sandbox.git(["tag", "-a", "-m", "annotated", "v1", "HEAD~3"]);
    sandbox.git(["tag", "-m", "a tag of a tag", "v2", "v1"]);
    sandbox.git(["branch", "topic/x", "HEAD~1"]);
    sandbox.git(["update-ref", "refs/remotes/origin/main", "HEAD~2"]);
    sandbox.git(["symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main"]);
    sandbox.git(["checkout", "--quiet", "-b", "side", "HEAD~2"]);
    sandbox.write("side", "side");
    sandbox.commit("side");
    sandbox.git(["merge", "--quiet", "--no-edit", "main"]);
    let describe = sandbox.git(["describe", "--long"]);
    let head = sandbox.oid("HEAD").to_hex();
    let upper = head.to_uppercase();
    let repo = sandbox.repo();
    let odb = sandbox.odb();
    for packed in [false, true] {
        if packed {
            sandbox.git(["pack-refs", "--all"]);
        }
        let revisions = Revisions::new(&repo, &odb).unwrap();
        for name in [
            "HEAD",
            "@",
            "main",
            "heads/main",
            "refs/heads/main",
            "topic/x",
            "v1",
            "v2",
            "origin",
            "origin/main",
            "HEAD~",
            "HEAD~2",
            "HEAD^2",
            "HEAD^2~1^",
            "v2^{}",
            "v1^{commit}",
            "HEAD^0",
            "HEAD^{tree}",
            "@{0}",
            "@{2}",
            "HEAD@{1}",
            "side@{1}",
            "v2~1",
            &describe,
            &head,
            &head[..8],
            &upper,
            &upper[..9],
        ] {
            assert_eq!(revisions.object(name).ok(), Some(sandbox.oid(name)), "{name}");
        }
        for name in [
            "",
            "nothing",
            "main~99",
            "HEAD^3",
            "HEAD^{wheel}",
            "HEAD^{tag}",
            "HEAD~x",
            "a b",
            "@{99}",
            "@{yesterday}",
            "^",
            "../config",
            "config",
            "deadbeef",
            "HEAD^{tree}~1",
        ] {
            assert!(revisions.object(name).is_err(), "{name}");
        }
        assert_eq!(revisions.commit("v2").unwrap(), sandbox.oid("v2^{commit}"));
        assert!(revisions.commit("HEAD^{tree}").is_err());
        assert_eq!(revisions.object("nothing").unwrap_err().reason(), "unknown-revision");
    }
}

#[test]
fn ranges_as_hooks_and_ci_write_them() {
    let sandbox = Sandbox::new();
    edit_history(&sandbox, 5, 72);
    sandbox.git(["update-ref", "refs/remotes/origin/main", "HEAD~2"]);
    let zeros = "0".repeat(40);
    let count =
        |range: &str| selected(&sandbox, range, SelectOptions::default()).map(|found| found.commits.len());
    assert_eq!(count(&format!("{zeros}..HEAD")).unwrap(), 5);
    assert_eq!(count("HEAD --not --remotes=origin").unwrap(), 2);
    assert_eq!(count("--all --not --remotes").unwrap(), 2);
    assert_eq!(count("origin/main..").unwrap(), 2);
    assert_eq!(count("HEAD..HEAD").unwrap(), 0);
    for bad in ["", "..nowhere", "^HEAD", "--bogus HEAD", "HEAD~1..HEAD~99", &zeros] {
        assert!(count(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_shallow_clone_says_where_it_stops() {
    let origin = Sandbox::new();
    edit_history(&origin, 8, 73);
    let shallow = Sandbox::empty();
    let url = format!("file://{}", origin.path().display());
    shallow.git(["clone", "--quiet", "--depth=3", &url, "."]);
    let found = selected(&shallow, "HEAD~2..HEAD", SelectOptions::default()).unwrap();
    assert_eq!((found.commits.len(), found.cut_short.len()), (2, 0));
    let found = selected(&shallow, "HEAD", SelectOptions::default()).unwrap();
    assert_eq!(found.commits.len(), 3);
    assert_eq!(found.cut_short, [origin.oid("HEAD~2")]);
    assert!(found.commits[2].is_boundary && found.commits[2].parents.is_empty());
    assert!(matches!(selected(&shallow, "HEAD~3..HEAD", SelectOptions::default()), Err(Error::Shallow(_))));
    let newest = SelectOptions { since: None, max_commits: Some(2) };
    assert_eq!(selected(&shallow, "HEAD", newest).unwrap().cut_short, []);
}

#[test]
fn refs_and_reflogs_in_files_and_in_a_reftable() {
    for options in [&["--ref-format=files"][..], &["--ref-format=reftable"]] {
        let sandbox = Sandbox::init(options);
        assert_eq!(head(&sandbox.repo()).unwrap().target, None);
        assert_eq!(head(&sandbox.repo()).unwrap().branch.unwrap(), "refs/heads/main");
        edit_history(&sandbox, 3, 74);
        sandbox.git(["tag", "-a", "-m", "t", "v1"]);
        sandbox.git(["branch", "packed"]);
        sandbox.git(["pack-refs", "--all"]);
        sandbox.git(["branch", "-f", "packed", "HEAD~1"]);
        sandbox.write("file0.txt", "stashed");
        sandbox.git(["stash", "--quiet"]);
        sandbox.git(["reset", "--quiet", "--hard", "HEAD~1"]);
        let repo = sandbox.repo();
        let found: Vec<String> =
            all_refs(&repo).unwrap().iter().map(|found| format!("{} {}", found.target, found.name)).collect();
        let mut expected: Vec<String> = sandbox
            .git(["for-each-ref", "--format=%(objectname) %(refname)"])
            .lines()
            .map(str::to_owned)
            .collect();
        expected.push(format!("{} HEAD", sandbox.oid("HEAD")));
        let by_name = |line: &String| line.split(' ').next_back().map(str::to_owned);
        expected.sort_by_key(by_name);
        assert_eq!(found, expected);
        let entries = reflogs(&repo).unwrap();
        let moved: Vec<_> = entries.iter().filter(|entry| entry.name == "HEAD").collect();
        assert!(moved.len() >= 4);
        assert_eq!((moved[0].old, moved.last().unwrap().new), (None, Some(sandbox.oid("HEAD"))));
        assert!(moved.windows(2).all(|pair| pair[0].new == pair[1].old));
        assert!(entries.iter().any(|entry| entry.name == "refs/stash"));
        let odb = sandbox.odb();
        let revisions = Revisions::new(&repo, &odb).unwrap();
        assert_eq!(revisions.object("HEAD@{1}").unwrap(), sandbox.oid("HEAD@{1}"));
        assert_eq!(
            revisions.range("v1").unwrap(),
            Range { include: vec![sandbox.oid("v1^{commit}")], exclude: vec![] }
        );
    }
}

#[test]
fn linked_work_trees_have_refs_of_their_own() {
    let sandbox = Sandbox::new();
    edit_history(&sandbox, 3, 75);
    sandbox.git(["worktree", "add", "--quiet", "--detach", "linked", "HEAD~1"]);
    let names: Vec<String> =
        all_refs(&sandbox.repo()).unwrap().iter().map(|found| found.name.to_string()).collect();
    assert_eq!(names, ["HEAD", "refs/heads/main", "worktrees/linked/HEAD"]);
    // Refs that point in a circle are an error where they are asked for, and left out of lists.
    fs::write(sandbox.join(".git/refs/heads/a"), "ref: refs/heads/b\n").unwrap();
    fs::write(sandbox.join(".git/refs/heads/b"), "ref: refs/heads/a\n").unwrap();
    assert!(resolve_ref(&sandbox.repo(), b"refs/heads/a").is_err());
    assert_eq!(all_refs(&sandbox.repo()).unwrap().len(), 3);
    fs::write(sandbox.join(".git/refs/heads/b"), "ref: ../../config\n").unwrap();
    assert_eq!(all_refs(&sandbox.repo()).unwrap().len(), 3);
}

/// `path: new text` of everything that a commit adds.
fn added(sandbox: &Sandbox, revision: &str) -> Vec<String> {
    let odb = sandbox.odb();
    let found = selected(sandbox, &format!("{revision}^!"), SelectOptions::default()).unwrap();
    let changes = committed(&odb, &found.commits[0]).unwrap();
    assert!(changes.skipped.is_empty());
    let mut added = Vec::new();
    for file in &changes.files {
        let text = changes.load(&odb, file).unwrap_or_else(|e| panic!("{}: {e}", file.path));
        let new: Vec<&[u8]> = text.new.iter().map(|range| &text.content[range.clone()]).collect();
        if !new.is_empty() {
            added.push(format!("{}: {}", file.path, String::from_utf8_lossy(&new.concat())));
        }
    }
    added
}

#[test]
fn what_a_commit_adds() {
    let sandbox = Sandbox::new();
    sandbox.write("a/x", "one\ntwo\n");
    sandbox.write("b", "three\n");
    sandbox.commit("root");
    assert_eq!(added(&sandbox, "HEAD"), ["a/x: one\ntwo\n", "b: three\n"]);
    sandbox.git(["mv", "a", "moved"]);
    sandbox.write("b", "new\nthree\n");
    sandbox.commit("move");
    assert_eq!(added(&sandbox, "HEAD"), ["b: new\n"]);
    sandbox.git(["checkout", "--quiet", "-b", "side"]);
    sandbox.write("side", "side\n");
    sandbox.commit("side");
    sandbox.git(["checkout", "--quiet", "main"]);
    sandbox.write("b", "new\nthree\nmain\n");
    sandbox.commit("main");
    sandbox.git(["merge", "--quiet", "--no-commit", "side"]);
    sandbox.write("side", "side\nthe merge's own\n");
    sandbox.commit("merge");
    assert_eq!(sandbox.git(["rev-list", "--count", "--merges", "HEAD"]), "1");
    assert_eq!(added(&sandbox, "HEAD"), ["side: the merge's own\n"]);
}

#[test]
fn trees_that_repeat_each_other_exponentially() {
    let sandbox = Sandbox::new();
    sandbox.write("x", "at the bottom\n");
    let blob = sandbox.git(["hash-object", "-w", "x"]);
    let mut line = format!("100644 blob {blob}\tx\n");
    for _ in 0..40 {
        sandbox.write("input", &line);
        let mut command = git_command(sandbox.path());
        command.arg("mktree").stdin(fs::File::open(sandbox.join("input")).unwrap());
        let tree = String::from_utf8(command.output().unwrap().stdout).unwrap().trim().to_owned();
        line = ["a", "b", "c"].iter().map(|name| format!("040000 tree {tree}\t{name}\n")).collect();
    }
    let tree = line.split(&[' ', '\t'][..]).nth(2).unwrap();
    let commit = sandbox.git(["commit-tree", tree, "-m", "3^40 files"]);
    sandbox.git(["update-ref", "refs/heads/bomb", &commit]);
    assert_eq!(added(&sandbox, "bomb").len(), 1);
    let next = sandbox.git(["commit-tree", &sandbox.git(["mktree"]), "-p", &commit, "-m", "nothing is left"]);
    sandbox.git(["update-ref", "refs/heads/after", &next]);
    assert_eq!(added(&sandbox, "after"), [""; 0]);
}

#[test]
fn trees_ten_thousand_deep() {
    let sandbox = Sandbox::new();
    let mut writer = PackWriter::new();
    let content = b"deep down\n";
    writer.blob(content);
    let mut tree = [&b"100644 f\0"[..], blob_oid(content).as_bytes()].concat();
    for _ in 0..10_000 {
        let oid = HashKind::Sha1.hash(Kind::Tree, &tree);
        writer.raw(oid, 2, tree.len(), b"", &deflate(&tree));
        tree = [&b"40000 d\0"[..], oid.as_bytes()].concat();
    }
    let root = HashKind::Sha1.hash(Kind::Tree, &tree);
    writer.raw(root, 2, tree.len(), b"", &deflate(&tree));
    let commit = format!("tree {root}\nauthor a <a@b> 1 +0000\ncommitter a <a@b> 1 +0000\n\ndeep\n");
    let oid = HashKind::Sha1.hash(Kind::Commit, commit.as_bytes());
    writer.raw(oid, 1, commit.len(), b"", &deflate(commit.as_bytes()));
    writer.write(&sandbox, "deep");
    let found = added(&sandbox, &oid.to_hex());
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("d/d/d/") && found[0].ends_with("/f: deep down\n"));
}
