//! `--staged`: the index against `HEAD`.

use std::fs;
use std::path::Path;

use stanch::source::git::{GitEnv, Odb, Repo, staged};

use crate::git_support::{Sandbox, edit_history};

/// `path: new text` of each change, and the reasons of what was skipped.
fn staged_text(repo: &Repo) -> (Vec<String>, Vec<String>) {
    let odb = Odb::open(repo).unwrap();
    let staged = staged(repo, &odb).unwrap();
    let mut found = Vec::new();
    for change in &staged.files {
        let blob = staged.load(&odb, change).unwrap_or_else(|e| panic!("{}: {e}", change.path));
        let new: Vec<&[u8]> = blob.new.iter().map(|range| &blob.content[range.clone()]).collect();
        if !new.is_empty() {
            found.push(format!("{}: {}", change.path, String::from_utf8_lossy(&new.join(&b"|"[..]))));
        }
    }
    (found, staged.skipped.iter().map(|skip| format!("{} {}", skip.what, skip.reason)).collect())
}

fn new_text(repo: &Repo) -> Vec<String> {
    let (found, skipped) = staged_text(repo);
    assert_eq!(skipped, [""; 0]);
    found
}

#[test]
fn before_the_first_commit_everything_is_new() {
    let sandbox = Sandbox::new();
    assert_eq!(new_text(&sandbox.repo()), [""; 0]);
    sandbox.write("b/x", "one\n");
    sandbox.write("a", "two\n");
    sandbox.git(["add", "."]);
    sandbox.write("a", "not staged\n");
    assert_eq!(new_text(&sandbox.repo()), ["a: two\n", "b/x: one\n"]);
}

#[test]
fn only_new_lines_of_changed_files_count() {
    let sandbox = Sandbox::new();
    edit_history(&sandbox, 5, 3);
    for path in ["a", "a-b", "a.c", "dir/a", "dir/b/c", "dir-2/x", "other/deep/file"] {
        sandbox.write(path, "one\ntwo\nthree\n");
    }
    sandbox.commit("files");
    assert_eq!(new_text(&sandbox.repo()), [""; 0]);
    sandbox.write("dir/b/c", "three\nnew\none\n");
    sandbox.write("dir-2/y", "fresh\n");
    sandbox.write("a", "one\ntwo\nthree\nfour");
    fs::remove_file(sandbox.join("other/deep/file")).unwrap();
    sandbox.git(["add", "--all"]);
    assert_eq!(new_text(&sandbox.repo()), ["a: four", "dir-2/y: fresh\n", "dir/b/c: new\n"]);
}

#[test]
fn files_and_folders_that_take_each_others_place() {
    let sandbox = Sandbox::new();
    sandbox.write("x", "file\n");
    sandbox.write("y/in", "inside\n");
    sandbox.commit("before");
    fs::remove_file(sandbox.join("x")).unwrap();
    fs::remove_dir_all(sandbox.join("y")).unwrap();
    sandbox.write("x/in", "now inside\n");
    sandbox.write("y", "now file\n");
    sandbox.git(["add", "--all"]);
    assert_eq!(new_text(&sandbox.repo()), ["x/in: now inside\n", "y: now file\n"]);
}

#[test]
fn renamed_and_moved_lines_are_not_new() {
    let sandbox = Sandbox::new();
    sandbox.write("old/name", "one\ntwo\nthree\n");
    sandbox.write("other", "four\nfive\n");
    sandbox.commit("before");
    sandbox.git(["mv", "old", "fresh"]);
    sandbox.git(["mv", "other", "edited"]);
    sandbox.write("edited", "four\nsix\n");
    sandbox.git(["add", "--all"]);
    assert_eq!(new_text(&sandbox.repo()), ["edited: six\n"]);
}

#[test]
fn announced_files_links_and_submodules() {
    let sandbox = Sandbox::new();
    sandbox.write("x", "x\n");
    let commit = sandbox.commit("before");
    sandbox.write("announced", "not recorded\n");
    sandbox.git(["add", "--intent-to-add", "announced"]);
    sandbox.git(["update-index", "--add", "--cacheinfo", &format!("160000,{commit},sub")]);
    std::os::unix::fs::symlink("https://user@host/", sandbox.join("link")).unwrap();
    sandbox.git(["add", "link"]);
    assert_eq!(new_text(&sandbox.repo()), ["link: https://user@host/"]);
}

#[test]
fn during_a_merge_what_a_parent_has_is_not_new() {
    let sandbox = Sandbox::new();
    sandbox.write("both", "base\n");
    sandbox.write("removed", "theirs removed\n");
    sandbox.commit("base");
    sandbox.git(["checkout", "--quiet", "-b", "side"]);
    sandbox.write("both", "base\nside\n");
    sandbox.write("only-side", "side file\n");
    sandbox.write("conflict", "side\n");
    sandbox.commit("side");
    sandbox.git(["checkout", "--quiet", "main"]);
    sandbox.write("both", "main\nbase\n");
    sandbox.write("conflict", "main\n");
    sandbox.commit("main");
    assert!(!sandbox.try_git(sandbox.path(), ["merge", "--no-commit", "side"]).status.success());
    let (found, skipped) = staged_text(&sandbox.repo());
    assert_eq!(skipped, ["conflict unmerged"]);
    assert_eq!(found, [""; 0]);
    sandbox.write("both", "main\nbase\nside\n");
    sandbox.write("conflict", "main\nside\nevil\n");
    sandbox.git(["add", "both", "conflict"]);
    assert_eq!(new_text(&sandbox.repo()), ["conflict: evil\n"]);
}

#[test]
fn linked_work_trees_and_subfolders() {
    let sandbox = Sandbox::new();
    sandbox.write("sub/file", "one\n");
    sandbox.commit("first");
    sandbox.git(["worktree", "add", "--quiet", "-b", "linked", "tree"]);
    sandbox.write("tree/sub/file", "one\nlinked\n");
    sandbox.try_git(&sandbox.join("tree"), ["add", "--all"]);
    let linked = Repo::discover(&sandbox.join("tree/sub"), &GitEnv::default()).unwrap();
    assert_eq!(linked.work_tree(), Some(sandbox.join("tree").canonicalize().unwrap().as_path()));
    assert_eq!(new_text(&linked), ["sub/file: linked\n"]);
    assert_eq!(new_text(&sandbox.repo()), [""; 0]);
}

#[test]
fn the_index_that_a_hook_is_told_to_use() {
    let sandbox = Sandbox::new();
    sandbox.write("a", "a\n");
    sandbox.write("b", "b\n");
    sandbox.commit("first");
    sandbox.write("a", "a\nnew\n");
    sandbox.write("b", "b\nnot committed\n");
    // `git commit -- a` tells hooks about a temporary index.
    let hook = "#!/bin/sh\ncp \"$GIT_INDEX_FILE\" saved\necho \"$GIT_INDEX_FILE\" >name\nexit 1\n";
    sandbox.write(".git/hooks/pre-commit", hook);
    fs::set_permissions(
        sandbox.join(".git/hooks/pre-commit"),
        std::os::unix::fs::PermissionsExt::from_mode(0o755),
    )
    .unwrap();
    sandbox.try_git(sandbox.path(), ["commit", "-m", "x", "--", "a"]);
    assert!(fs::read_to_string(sandbox.join("name")).unwrap().contains("next-index"));
    let env = GitEnv { index_file: Some("saved".into()), ..GitEnv::default() };
    let repo = Repo::discover(sandbox.path(), &env).unwrap();
    assert_eq!(new_text(&repo), ["a: new\n"]);
    assert_eq!(new_text(&sandbox.repo()), [""; 0]);
    assert_eq!(Repo::discover(Path::new("/"), &GitEnv::default()).unwrap_err().reason(), "not-a-repository");
}

#[test]
fn every_version_and_kind_of_index() {
    for (version, split, sparse) in [(2, false, false), (3, true, false), (4, false, true), (4, true, false)]
    {
        let sandbox = Sandbox::new();
        for n in 0..30 {
            sandbox.write(&format!("dir{}/sub/file{n}", n % 5), format!("{n}\n"));
        }
        sandbox.write("dir1/sub/long".to_owned().as_str(), "long\n");
        let long = format!("dir2/{}", vec!["n".repeat(200); 30].join("/"));
        sandbox.git(["config", "core.longpaths", "true"]);
        let blob = sandbox.git(["hash-object", "-w", "dir1/sub/long"]);
        sandbox.git(["update-index", "--add", "--cacheinfo", &format!("100644,{blob},{long}")]);
        sandbox.git(["add", "dir0", "dir1", "dir2", "dir3", "dir4"]);
        sandbox.git(["update-index", "--add", "--cacheinfo", &format!("100644,{blob},{long}")]);
        sandbox.git(["commit", "--quiet", "-m", "files"]);
        sandbox.git(["update-index", &format!("--index-version={version}")]);
        if split {
            sandbox.git(["config", "splitIndex.maxPercentChange", "100"]);
            sandbox.git(["update-index", "--split-index"]);
        }
        if sparse {
            sandbox.git(["sparse-checkout", "set", "--cone", "--sparse-index", "dir1"]);
        }
        sandbox.write("dir1/sub/file1", "1\nchanged\n");
        sandbox.git(["rm", "--quiet", "--cached", "--sparse", "dir1/sub/file6"]);
        sandbox.write("dir1/sub/added", "added\n");
        sandbox.write("dir1/announced", "announced\n");
        sandbox.git(["add", "dir1/sub/file1", "dir1/sub/added"]);
        sandbox.git(["add", "--intent-to-add", "dir1/announced"]);
        let expected = ["dir1/sub/added: added\n", "dir1/sub/file1: changed\n"];
        assert_eq!(new_text(&sandbox.repo()), expected, "version {version}, split {split}, sparse {sparse}");
    }
}

#[test]
fn a_sparse_folder_that_differs_is_unfolded() {
    let sandbox = Sandbox::new();
    sandbox.write("in/a", "a\n");
    sandbox.write("out/deep/b", "b\n");
    sandbox.write("out/deep/c", "c\n");
    let first = sandbox.commit("first");
    sandbox.write("out/deep/b", "b\nlater\n");
    sandbox.commit("second");
    sandbox.git(["sparse-checkout", "set", "--cone", "--sparse-index", "in"]);
    sandbox.git(["reset", "--quiet", "--soft", &first.to_hex()]);
    assert_eq!(new_text(&sandbox.repo()), ["out/deep/b: later\n"]);
}

#[test]
fn settings_and_attributes_change_nothing() {
    let sandbox = Sandbox::new();
    sandbox.write(".gitattributes", "* -diff diff=hide filter=hide\n");
    sandbox.write("x", "x\n");
    sandbox.commit("first");
    for (key, value) in
        [("color.ui", "always"), ("diff.hide.textconv", "true"), ("core.bigFileThreshold", "1")]
    {
        sandbox.git(["config", key, value]);
    }
    sandbox.write("x", "x\nvisible\n");
    sandbox.git(["add", "x"]);
    assert_eq!(new_text(&sandbox.repo()), ["x: visible\n"]);
}

#[test]
fn damaged_indexes_are_errors() {
    let sandbox = Sandbox::new();
    edit_history(&sandbox, 2, 5);
    let whole = fs::read(sandbox.join(".git/index")).unwrap();
    let open = |bytes: &[u8]| {
        fs::write(sandbox.join(".git/index"), bytes).unwrap();
        let repo = sandbox.repo();
        staged(&repo, &Odb::open(&repo).unwrap()).map(drop)
    };
    assert!(open(b"").is_err());
    for cut in [3, 11, 12, 40, 90, 200] {
        assert!(open(&whole[..cut]).is_err(), "cut at {cut}");
    }
    let mut many = whole.clone();
    many[8..12].copy_from_slice(&u32::MAX.to_be_bytes());
    assert!(open(&many).is_err());
    let mut version = whole.clone();
    version[7] = 9;
    assert!(open(&version).is_err());
    // Any single damaged byte gives an answer or an error, but no panic.
    for at in (0..whole.len()).step_by(7) {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x55;
        let _ = open(&damaged);
    }
}
