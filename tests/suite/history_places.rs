//! Every place of a repository that can hold a secret.

use std::fs;

use serde_json::Value;

use crate::cli_support::fifo;
use crate::git_support::{Sandbox, git_command};
use crate::history_support::{Ran, config, history, run, stanch, token};

fn file(number: u64) -> String {
    format!("first\nkey = \"{}\"\n", token(number))
}

/// A repository with one commit without secrets.
fn clean() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("readme", "nothing here\n");
    sandbox.commit("first");
    sandbox
}

/// Removes all reflogs, so that only refs keep objects.
fn forget(sandbox: &Sandbox) {
    fs::remove_dir_all(sandbox.join(".git/logs")).unwrap();
}

/// Commits everything, with variables for git set.
fn commit_with(sandbox: &Sandbox, message: &str, variables: &[(&str, &str)]) {
    sandbox.git(["add", "--all"]);
    let mut command = git_command(sandbox.path());
    command.args(["commit", "--quiet", "--allow-empty", "-m", message]).envs(variables.iter().copied());
    assert!(command.status().unwrap().success());
}

/// The only finding, which must be of this token.
fn only(ran: &Ran, number: u64) -> Value {
    assert_eq!(ran.secrets(), [token(number)], "{}", ran.report);
    ran.finding(&token(number))
}

#[test]
fn a_value_that_was_removed_again() {
    let sandbox = clean();
    sandbox.write("dir/settings", file(1));
    commit_with(
        &sandbox,
        "in",
        &[("GIT_AUTHOR_DATE", "1700100000 +0200"), ("GIT_COMMITTER_DATE", "1700100000 +0200")],
    );
    sandbox.write("dir/settings", format!("changed\n{}", file(1)));
    commit_with(&sandbox, "still in", &[("GIT_COMMITTER_DATE", "1700200000 +0200")]);
    sandbox.git(["tag", "v1"]);
    sandbox.write("dir/settings", "out\n");
    commit_with(&sandbox, "out", &[("GIT_COMMITTER_DATE", "1700300000 +0200")]);
    let found = only(&history(&sandbox, &[]), 1);
    assert_eq!(
        (&found["path"], &found["line"], &found["column"]),
        (&"dir/settings".into(), &2.into(), &8.into())
    );
    assert_eq!(found["commit"], sandbox.oid("HEAD~2").to_hex());
    assert_eq!(found["author"], "Ada Author");
    assert_eq!(found["email"], "ada@example.com");
    assert_eq!(found["date"], "2023-11-16T04:00:00+02:00");
    assert_eq!(found["first_seen"]["commit"], sandbox.oid("HEAD~2").to_hex());
    assert_eq!(found["last_seen"]["commit"], sandbox.oid("HEAD~1").to_hex());
    assert_eq!(found["in_head"], false);
    assert_eq!(found["refs"], serde_json::json!(["HEAD", "refs/heads/main", "refs/tags/v1"]));
    let life = &found["life"];
    let counts = |key| found.get(key).or(life.get(key)).cloned();
    assert_eq!(counts("blobs"), Some(2.into()), "{found}");
    assert_eq!(counts("paths"), Some(1.into()));
    assert_eq!(counts("unreachable"), None);
}

#[test]
fn blobs_that_nothing_reaches() {
    let sandbox = clean();
    sandbox.write("staged", file(1));
    sandbox.git(["add", "staged"]);
    sandbox.write("input", file(2));
    sandbox.git(["hash-object", "-w", "input"]);
    fs::remove_file(sandbox.join("input")).unwrap();
    let ran = history(&sandbox, &[]);
    assert_eq!(ran.findings().len(), 2);
    for number in [1, 2] {
        let found = ran.finding(&token(number));
        assert_eq!(
            (&found["line"], &found["commit"], &found["in_head"]),
            (&2.into(), &Value::Null, &false.into())
        );
        assert_eq!(found["unreachable"], "none", "{found}");
    }
    // Packed unreachable objects are found, too.
    sandbox.git(["repack", "-adk", "--quiet"]);
    assert_eq!(history(&sandbox, &[]).secrets(), ran.secrets());
}

#[test]
fn commits_that_only_a_reflog_keeps() {
    let sandbox = clean();
    sandbox.write("x", file(1));
    sandbox.commit("regretted");
    let commit = sandbox.oid("HEAD");
    sandbox.git(["reset", "--quiet", "--hard", "HEAD~1"]);
    let found = only(&history(&sandbox, &[]), 1);
    assert_eq!((&found["unreachable"], &found["path"]), (&"reflog".into(), &"x".into()));
    assert_eq!(found["commit"], commit.to_hex());
    forget(&sandbox);
    let found = only(&history(&sandbox, &[]), 1);
    assert_eq!((&found["unreachable"], &found["path"]), (&"none".into(), &"x".into()));
    assert_eq!(found["commit"], commit.to_hex());
}

#[test]
fn a_stash_with_all_its_parents() {
    let sandbox = clean();
    sandbox.write("readme", file(1));
    sandbox.git(["add", "readme"]);
    sandbox.write("readme", file(2));
    sandbox.write("untracked", file(3));
    sandbox.git(["stash", "push", "--quiet", "--include-untracked"]);
    let ran = history(&sandbox, &[]);
    assert_eq!(ran.findings().len(), 3);
    for (number, path, commit) in
        [(1, "readme", "stash^2"), (2, "readme", "stash"), (3, "untracked", "stash^3")]
    {
        let found = ran.finding(&token(number));
        assert_eq!((&found["path"], &found["commit"]), (&path.into(), &sandbox.oid(commit).to_hex().into()));
        assert_eq!(found["refs"], serde_json::json!(["refs/stash"]));
    }
    // Older stashes are kept by the reflog only.
    sandbox.write("readme", "other\n");
    sandbox.git(["stash", "push", "--quiet"]);
    assert_eq!(history(&sandbox, &[]).finding(&token(3))["unreachable"], "reflog");
}

#[test]
fn replaced_objects() {
    let sandbox = clean();
    sandbox.write("x", file(1));
    sandbox.commit("second");
    let old = sandbox.oid("HEAD:x").to_hex();
    sandbox.write("y", "clean\n");
    let new = sandbox.git(["hash-object", "-w", "y"]);
    sandbox.git(["replace", &old, &new]);
    assert!(!sandbox.git(["show", "HEAD:x"]).contains("key"));
    let found = only(&history(&sandbox, &[]), 1);
    assert_eq!((&found["path"], &found["in_head"]), (&"x".into(), &true.into()));
    // And the other way round: what takes the place of an object.
    let sandbox = clean();
    sandbox.write("y", file(2));
    let new = sandbox.git(["hash-object", "-w", "y"]);
    fs::remove_file(sandbox.join("y")).unwrap();
    sandbox.git(["replace", &sandbox.oid("HEAD:readme").to_hex(), &new]);
    let found = only(&history(&sandbox, &[]), 2);
    assert_eq!(
        found["refs"][0],
        format!("refs/replace/{}", sandbox.git(["--no-replace-objects", "rev-parse", "HEAD:readme"]))
    );
}

#[test]
fn messages_of_commits_and_tags() {
    let sandbox = clean();
    commit_with(&sandbox, &format!("subject\n\nbody\nwith {}", token(1)), &[]);
    let commit = sandbox.oid("HEAD").to_hex();
    sandbox.git(["tag", "-a", "-m", &format!("tag\n\n{}", token(2)), "v1", "HEAD~1"]);
    sandbox.git(["tag", "-a", "-m", &format!("a tag of a tag {}", token(3)), "v2", "v1"]);
    sandbox.write("x", "x\n");
    let blob = sandbox.git(["hash-object", "-w", "x"]);
    sandbox.git(["tag", "-a", "-m", &format!("a tag of a blob {}", token(4)), "v3", &blob]);
    forget(&sandbox);
    let ran = history(&sandbox, &[]);
    assert_eq!(ran.findings().len(), 4);
    let found = ran.finding(&token(1));
    assert_eq!((&found["message_kind"], &found["commit"]), (&"commit".into(), &commit.into()));
    assert_eq!((&found["line"], &found["column"]), (&4.into(), &6.into()));
    assert_eq!(found["refs"], serde_json::json!(["HEAD", "refs/heads/main"]));
    let first = sandbox.oid("HEAD~1").to_hex();
    for (number, refs) in
        [(2, vec!["refs/tags/v1", "refs/tags/v2"]), (3, vec!["refs/tags/v2"]), (4, vec!["refs/tags/v3"])]
    {
        let found = ran.finding(&token(number));
        assert_eq!(found["message_kind"], "tag");
        assert_eq!(found["refs"], serde_json::json!(refs), "{found}");
        assert_eq!(found.get("unreachable"), None);
        if number < 4 {
            assert_eq!(found["commit"], first, "the commit that is tagged");
        }
    }
}

#[test]
fn identities() {
    let sandbox = clean();
    let (author, committer) = (token(1), format!("carl+{}@example.com", token(2)));
    commit_with(&sandbox, "x", &[("GIT_AUTHOR_NAME", &author), ("GIT_COMMITTER_EMAIL", &committer)]);
    let mut tag = git_command(sandbox.path());
    tag.env("GIT_COMMITTER_NAME", format!("T {}", token(3))).args(["tag", "-a", "-m", "t", "v1"]);
    assert!(tag.status().unwrap().success());
    forget(&sandbox);
    let ran = history(&sandbox, &[]);
    assert_eq!(ran.findings().len(), 3);
    for number in 1..=3 {
        assert_eq!(ran.finding(&token(number))["message_kind"], "identity", "{number}");
    }
}

#[test]
fn reflogs_say_who_and_why() {
    let sandbox = clean();
    let message = format!("with {} in it", token(1));
    sandbox.git(["commit", "--quiet", "--allow-empty", "-m", &message]);
    sandbox.git(["commit", "--quiet", "--amend", "--allow-empty", "-m", "without"]);
    sandbox.git(["reflog", "expire", "--expire=all", "refs/heads/main"]);
    // The object is gone; the log still has the subject.
    let gone = sandbox.oid("HEAD@{1}").to_hex();
    fs::remove_file(sandbox.join(&format!(".git/objects/{}/{}", &gone[..2], &gone[2..]))).unwrap();
    let ran = run(sandbox.path(), &["history"]);
    let found = ran.finding(&token(1));
    assert_eq!((&found["message_kind"], &found["path"]), (&"git-dir".into(), &".git/logs/HEAD".into()));
}

#[test]
fn notes() {
    let sandbox = clean();
    sandbox.git(["notes", "add", "-m", &format!("see {}", token(1))]);
    sandbox.git(["notes", "--ref=review", "add", "-m", &format!("first\nsee {}", token(2))]);
    let ran = history(&sandbox, &[]);
    let head = sandbox.oid("HEAD").to_hex();
    for (number, name, line) in [(1, "commits", 1), (2, "review", 2)] {
        let found = ran.finding(&token(number));
        assert_eq!((&found["message_kind"], &found["line"]), (&"note".into(), &line.into()));
        assert_eq!(found["refs"], serde_json::json!([format!("refs/notes/{name}")]));
        assert_eq!(found["path"].as_str().unwrap().replace('/', ""), head);
    }
    // A file that is in a branch, too, is a file.
    sandbox.write("file", format!("{}\n", token(1)));
    sandbox.commit("file");
    sandbox.git(["notes", "add", "-f", "-F", "file"]);
    let found = history(&sandbox, &[]).finding(&token(1));
    assert!(found["refs"].as_array().unwrap().contains(&"refs/heads/main".into()));
}

#[test]
fn names_of_refs() {
    for packed in [false, true] {
        let sandbox = clean();
        sandbox.git(["branch", &format!("fix/{}", token(1))]);
        sandbox.git(["tag", &format!("v1-{}", token(2))]);
        if packed {
            sandbox.git(["pack-refs", "--all"]);
        }
        forget(&sandbox);
        let ran = history(&sandbox, &[]);
        assert_eq!(ran.findings().len(), 2);
        let found = ran.finding(&token(1));
        assert_eq!(found["message_kind"], "ref-name");
        assert_eq!(found["path"], format!("refs/heads/fix/{}", token(1)));
        assert_eq!(ran.finding(&token(2))["message_kind"], "ref-name");
    }
}

#[test]
fn names_of_files_and_folders_and_targets_of_links() {
    let sandbox = clean();
    sandbox.write(&format!("a/backup-{}.txt", token(1)), "x\n");
    sandbox.write(&format!("b/{}/c/file", token(2)), "x\n");
    std::os::unix::fs::symlink(format!("https://host/?key={}", token(3)), sandbox.join("link")).unwrap();
    sandbox.commit("names");
    let ran = history(&sandbox, &[]);
    assert_eq!(ran.findings().len(), 3);
    assert_eq!(ran.finding(&token(1))["message_kind"], "file-name");
    assert_eq!(ran.finding(&token(2))["message_kind"], "file-name");
    let found = ran.finding(&token(3));
    assert_eq!((&found["message_kind"], &found["path"]), (&"link-target".into(), &"link".into()));
}

/// A value that counts in a folder of tests, and would not elsewhere: the folder is known only when all is read.
#[test]
fn folders_tell_what_files_are_for() {
    let sandbox = clean();
    let line = |word: &str| format!("#!/bin/sh\nDB_{}=hunter{word}-4x go\n", "PASS");
    sandbox.write("t/setup.sh", line("t"));
    sandbox.write("src/setup.sh", line("e"));
    sandbox.commit("in");
    let files = run(sandbox.path(), &["scan", "."]);
    assert_eq!(files.secrets(), ["huntert-4x"], "the sample must be one that only the folder decides");
    assert_eq!(history(&sandbox, &[]).secrets(), files.secrets());
}

#[test]
fn files_that_their_name_tells() {
    let sandbox = clean();
    sandbox.write("app/config/master.key", "gate lamp 77\n");
    sandbox.write("other/master.key", "gate lamp 78\n");
    sandbox.write("other/backup.p12", [&[0u8, 1, 2, 3][..], &b"gate lamp 79".repeat(3)].concat());
    std::os::unix::fs::symlink("gate-lamp-80", sandbox.join(".vault-token")).unwrap();
    sandbox.commit("in");
    fs::remove_dir_all(sandbox.join("app")).unwrap();
    sandbox.write("app/config/readme", "gone\n");
    sandbox.commit("out");
    let cache = Sandbox::empty();
    let cached = ["--cache", cache.path().to_str().unwrap()];
    for args in [&[][..], &cached, &cached] {
        let ran = history(&sandbox, args);
        let found = ran.finding("gate lamp 77");
        assert_eq!(ran.findings().len(), 2, "{}", ran.report["findings"]);
        assert_eq!(
            (&found["rule"], &found["path"], &found["line"]),
            (&"rails-master-key".into(), &"app/config/master.key".into(), &1.into())
        );
        assert_eq!(found["commit"], sandbox.oid("HEAD~1").to_hex());
        let rules: Vec<_> = ran.findings().into_values().map(|finding| finding["rule"].clone()).collect();
        assert!(rules.contains(&"keystore-file".into()), "{rules:?}");
    }
}

#[test]
fn submodules() {
    let sandbox = clean();
    let url = format!("https://x:{}@host/repo.git", token(1));
    sandbox.write(".gitmodules", format!("[submodule \"a\"]\n\tpath = a\n\turl = {url}\n"));
    sandbox.git(["update-index", "--add", "--cacheinfo", &format!("160000,{},a", sandbox.oid("HEAD"))]);
    sandbox.git(["add", ".gitmodules"]);
    sandbox.git(["commit", "--quiet", "-m", "submodule"]);
    let found = only(&history(&sandbox, &[]), 1);
    assert_eq!((&found["path"], &found["line"]), (&".gitmodules".into(), &3.into()));
}

#[test]
fn the_own_changes_of_a_merge() {
    let sandbox = clean();
    sandbox.git(["checkout", "--quiet", "-b", "side"]);
    sandbox.write("side", "side\n");
    sandbox.commit("side");
    sandbox.git(["checkout", "--quiet", "main"]);
    sandbox.write("main", "main\n");
    sandbox.commit("main");
    sandbox.git(["merge", "--quiet", "--no-commit", "side"]);
    sandbox.write("side", format!("side\n{}\n", token(1)));
    sandbox.commit("merge");
    let found = only(&history(&sandbox, &[]), 1);
    assert_eq!((&found["path"], &found["commit"]), (&"side".into(), &sandbox.oid("HEAD").to_hex().into()));
}

#[test]
fn what_lies_beside_the_objects() {
    let sandbox = clean();
    sandbox.git(["remote", "add", "origin", &format!("https://user:{}@host/repo.git", token(1))]);
    sandbox.write(".git/hooks/pre-push", format!("#!/bin/sh\ncurl -H 'Key: {}'\n", token(2)));
    sandbox.write(".git/hooks/update.sample", format!("# {}\n", token(99)));
    sandbox.write(
        ".git/FETCH_HEAD",
        format!("{}\t\tbranch 'main' of https://{}@host/repo\n", sandbox.oid("HEAD"), token(3)),
    );
    sandbox.write(".git/MERGE_MSG", format!("half a merge {}\n", token(4)));
    sandbox
        .write(".git/modules/lib/config", format!("[remote \"o\"]\n\turl = https://{}@host/lib\n", token(5)));
    sandbox.write(".git/info/attributes", format!("# {}\n", token(6)));
    sandbox.write(".git/packed-refs", format!("# pack-refs with: peeled {}\n", token(7)));
    let ran = history(&sandbox, &[]);
    for (number, path) in [
        (1, "config"),
        (2, "hooks/pre-push"),
        (3, "FETCH_HEAD"),
        (4, "MERGE_MSG"),
        (5, "modules/lib/config"),
        (6, "info/attributes"),
        (7, "packed-refs"),
    ] {
        let found = ran.finding(&token(number));
        assert_eq!(
            (&found["message_kind"], &found["path"]),
            (&"git-dir".into(), &format!(".git/{path}").into())
        );
    }
    assert_eq!(ran.findings().len(), 7);
}

#[test]
fn credentials_in_the_url_of_a_remote() {
    let sandbox = clean();
    let password = format!("{}{}", "t7Gq2Zr9", "Wm4Kx8Lp");
    sandbox.git(["remote", "add", "origin", &format!("https://deploy:{password}@git.corp.net/repo.git")]);
    let found = history(&sandbox, &[]).finding(&password);
    assert_eq!(found["path"], ".git/config");
}

#[test]
fn things_in_the_git_folder_that_are_no_files() {
    let sandbox = clean();
    fifo(&sandbox.join(".git/hooks/pipe"));
    sandbox.write("real", format!("#!/bin/sh\n: {}\n", token(1)));
    std::os::unix::fs::symlink("../../real", sandbox.join(".git/hooks/post-merge")).unwrap();
    std::os::unix::fs::symlink("loop", sandbox.join(".git/hooks/loop")).unwrap();
    std::os::unix::fs::symlink("..", sandbox.join(".git/hooks/up")).unwrap();
    let found = only(&history(&sandbox, &[]), 1);
    assert_eq!(found["path"], ".git/hooks/post-merge");
}

#[test]
fn bare_repositories_and_linked_worktrees() {
    let sandbox = clean();
    sandbox.write("x", file(1));
    sandbox.commit("x");
    let bare = Sandbox::empty();
    bare.git(["clone", "--quiet", "--bare", sandbox.path().to_str().unwrap(), "."]);
    let found = only(&history(&bare, &[]), 1);
    assert_eq!((&found["path"], &found["in_head"]), (&"x".into(), &true.into()));
    // A linked worktree's own HEAD, reflog and unfinished messages.
    sandbox.git(["worktree", "add", "--quiet", "--detach", "linked", "HEAD"]);
    let linked = sandbox.join("linked");
    let git = |args: &[&str]| assert!(sandbox.try_git(&linked, args).status.success(), "{args:?}");
    fs::write(linked.join("y"), file(2)).unwrap();
    git(&["add", "y"]);
    git(&["commit", "--quiet", "-m", "y"]);
    fs::write(linked.join("z"), file(3)).unwrap();
    git(&["add", "z"]);
    git(&["commit", "--quiet", "-m", "z"]);
    git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    fs::write(sandbox.join(".git/worktrees/linked/MERGE_MSG"), token(4)).unwrap();
    for folder in [sandbox.path(), &linked] {
        let ran = run(folder, &["history"]);
        assert_eq!((ran.code, ran.findings().len()), (1, 4), "{}", ran.errors);
        let refs = &ran.finding(&token(2))["refs"];
        assert!(refs.as_array().unwrap().contains(&"worktrees/linked/HEAD".into()), "{refs}");
        assert_eq!(ran.finding(&token(3))["unreachable"], "reflog");
        assert_eq!(ran.finding(&token(4))["path"], ".git/worktrees/linked/MERGE_MSG");
    }
    let ran = run(&linked, &["history"]);
    assert_eq!(ran.finding(&token(2))["in_head"], true, "HEAD is the one of this worktree");
    assert_eq!(history(&sandbox, &[]).finding(&token(2))["in_head"], false);
}

#[test]
fn other_hashes_and_stores_of_refs() {
    for options in [&["--object-format=sha256"][..], &["--ref-format=reftable"]] {
        let sandbox = Sandbox::init(options);
        sandbox.write("x", file(1));
        sandbox.commit("x");
        sandbox.git(["branch", &format!("fix-{}", token(2))]);
        sandbox.write("x", file(3));
        sandbox.commit("regretted");
        sandbox.git(["reset", "--quiet", "--hard", "HEAD~1"]);
        let ran = history(&sandbox, &[]);
        let found = ran.finding(&token(1));
        assert_eq!((&found["path"], &found["in_head"]), (&"x".into(), &true.into()));
        assert_eq!(found["commit"], sandbox.oid("HEAD").to_hex());
        assert!(found["refs"].as_array().unwrap().contains(&"refs/heads/main".into()));
        assert_eq!(ran.finding(&token(2))["message_kind"], "ref-name");
        assert_eq!(ran.finding(&token(3))["unreachable"], "reflog");
        let range = history(&sandbox, &["--range", "HEAD"]);
        assert_eq!(range.secrets(), [token(1)]);
    }
}

#[test]
fn objects_that_are_borrowed() {
    let lender = clean();
    lender.write("x", file(1));
    lender.commit("x");
    let borrower = Sandbox::empty();
    borrower.git(["clone", "--quiet", "--shared", lender.path().to_str().unwrap(), "."]);
    borrower.write("y", file(2));
    borrower.commit("y");
    let ran = history(&borrower, &[]);
    assert_eq!(ran.findings().len(), 2);
    assert_eq!(ran.finding(&token(1))["in_head"], true);
    // When the lender is gone, that is said.
    fs::rename(lender.join(".git/objects"), lender.join(".git/elsewhere")).unwrap();
    let ran = run(borrower.path(), &["history"]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.reasons().contains(&"not-found") && ran.reasons().contains(&"missing-object"),
        "{:?}",
        ran.reasons()
    );
    assert_eq!(ran.secrets(), [token(2)]);
    fs::rename(lender.join(".git/elsewhere"), lender.join(".git/objects")).unwrap();
}

#[test]
fn a_shallow_clone() {
    let origin = clean();
    for number in 1..=3 {
        origin.write("x", file(number));
        origin.commit(&format!("{number}"));
    }
    let clone = Sandbox::empty();
    let url = format!("file://{}", origin.path().display());
    clone.git(["clone", "--quiet", "--depth=2", &url, "."]);
    let ran = history(&clone, &[]);
    assert_eq!(ran.findings().len(), 2);
    assert_eq!(ran.finding(&token(2))["commit"], clone.oid("HEAD~1").to_hex());
    let notes: Vec<&str> =
        ran.report["skipped"].as_array().unwrap().iter().filter_map(|skip| skip["reason"].as_str()).collect();
    assert_eq!(notes, ["shallow"], "{}", ran.report["skipped"]);
}

#[test]
fn a_partial_clone_lists_what_is_missing_and_fetches_nothing() {
    let origin = clean();
    origin.write("x", file(1));
    origin.commit("x");
    origin.git(["config", "uploadpack.allowFilter", "true"]);
    for filter in ["blob:none", "tree:0"] {
        let clone = Sandbox::empty();
        let url = format!("file://{}", origin.path().display());
        clone.git(["clone", "--quiet", "--no-checkout", &format!("--filter={filter}"), &url, "."]);
        let count = || fs::read_dir(clone.join(".git/objects/pack")).unwrap().count();
        let before = count();
        let ran = run(clone.path(), &["history"]);
        assert_eq!(ran.code, 2);
        assert_eq!(ran.reasons(), ["missing-object"]);
        let missing: Vec<&str> = ran.report["skipped"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|skip| skip["what"].as_str())
            .collect();
        let expected = if filter == "tree:0" { "HEAD^{tree}" } else { "HEAD:x" };
        let oid = origin.oid(expected).to_hex();
        assert!(missing.iter().any(|what| what.contains(&oid)), "{missing:?}");
        assert_eq!(count(), before, "something was fetched");
        let ran = run(clone.path(), &["history", "--range", "HEAD"]);
        assert_eq!((ran.code, ran.reasons()), (2, vec!["missing-object"]));
        assert_eq!(count(), before, "something was fetched");
    }
}

#[test]
fn a_missing_object_of_a_whole_repository_is_listed() {
    let sandbox = clean();
    sandbox.write("x", file(1));
    sandbox.commit("x");
    sandbox.write("x", "x\n");
    sandbox.commit("y");
    let hex = sandbox.oid("HEAD~1:x").to_hex();
    fs::remove_file(sandbox.join(&format!(".git/objects/{}/{}", &hex[..2], &hex[2..]))).unwrap();
    let ran = run(sandbox.path(), &["history"]);
    assert_eq!((ran.code, ran.reasons()), (2, vec!["missing-object"]));
    let skipped = ran.report["skipped"].to_string();
    assert!(skipped.contains(&hex) && skipped.contains("x"), "{skipped}");
}

#[test]
fn refs_to_blobs_and_trees_keep_what_they_hold() {
    let sandbox = clean();
    sandbox.write("dir/x", file(1));
    sandbox.git(["add", "dir"]);
    let tree = sandbox.git(["write-tree"]);
    sandbox.git(["update-ref", "refs/tags/of-a-tree", &tree]);
    sandbox.write("y", file(2));
    let blob = sandbox.git(["hash-object", "-w", "y"]);
    sandbox.git(["tag", "-a", "-m", "of a blob", "blob", &blob]);
    let ran = history(&sandbox, &[]);
    assert_eq!(ran.finding(&token(1))["refs"], serde_json::json!(["refs/tags/of-a-tree"]));
    assert_eq!(ran.finding(&token(2))["refs"], serde_json::json!(["refs/tags/blob"]));
    for number in [1, 2] {
        assert_eq!(ran.finding(&token(number)).get("unreachable"), None);
    }
}

#[test]
fn excluded_paths_are_excluded_in_history_too() {
    let sandbox = clean();
    sandbox.write("fixtures/x", file(1));
    sandbox.write("x", file(2));
    sandbox.commit("x");
    let rules = fs::read_to_string(config()).unwrap();
    fs::write(sandbox.join(".git/rules.toml"), format!("{rules}\n[scan]\nexclude = [\"fixtures/\"]\n"))
        .unwrap();
    for args in [&["history"][..], &["history", "--range", "HEAD"]] {
        let args = [args, &["--format", "json", "--show-secrets", "--config", ".git/rules.toml"]].concat();
        let output = stanch(sandbox.path(), &args).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(text.contains(&token(2)) && !text.contains(&token(1)), "{text}");
    }
}
