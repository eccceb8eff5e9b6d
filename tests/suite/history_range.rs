//! `stanch history --range` and its like: what commits add, and nothing else.

use std::fs;

use crate::git_support::{Sandbox, edit_history};
use crate::history_support::{history, run, token};

/// A file that holds a token, on its second line.
fn file(number: u64) -> String {
    format!("first\nkey = \"{}\"\n", token(number))
}

/// Three commits with tokens 1 to 3, the last two after the branch `base`.
fn three_commits() -> Sandbox {
    let sandbox = Sandbox::new();
    for number in 1..=3 {
        sandbox.write(&format!("file{number}"), file(number));
        sandbox.commit(&format!("commit {number}"));
        if number == 1 {
            sandbox.git(["branch", "base"]);
        }
    }
    sandbox
}

#[test]
fn only_what_the_commits_add() {
    let sandbox = three_commits();
    for (range, expected) in [
        ("base..HEAD", vec![token(2), token(3)]),
        ("base..", vec![token(2), token(3)]),
        ("base...main", vec![token(2), token(3)]),
        ("^base main", vec![token(2), token(3)]),
        ("main --not base", vec![token(2), token(3)]),
        ("HEAD~2..HEAD~1", vec![token(2)]),
        ("HEAD^!", vec![token(3)]),
        ("HEAD", vec![token(1), token(2), token(3)]),
        ("HEAD..base", vec![]),
    ] {
        let mut expected = expected;
        expected.sort();
        assert_eq!(history(&sandbox, &["--range", range]).secrets(), expected, "{range}");
    }
    let twice = history(&sandbox, &["--range", "^base", "--range", "HEAD~1"]);
    assert_eq!(twice.secrets(), [token(2)]);
    let finding = history(&sandbox, &["--range", "base.."]).finding(&token(2));
    assert_eq!(finding["path"], "file2");
    assert_eq!(finding["line"], 2);
    assert_eq!(finding["commit"], sandbox.oid("HEAD~1").to_hex());
    assert_eq!(finding["author"], "Ada Author");
    assert_eq!(finding["email"], "ada@example.com");
    assert_eq!(finding["in_head"], true);
}

#[test]
fn branches_dates_and_numbers() {
    let sandbox = three_commits();
    sandbox.git(["checkout", "--quiet", "-b", "side", "base"]);
    sandbox.write("side", file(4));
    sandbox.git(["add", "--all"]);
    let mut commit = crate::git_support::git_command(sandbox.path());
    commit.env("GIT_COMMITTER_DATE", "1700864000 +0000").args(["commit", "--quiet", "-m", "later"]);
    assert!(commit.status().unwrap().success());
    sandbox.git(["tag", "main", "side"]);
    let sorted = |mut list: Vec<String>| {
        list.sort();
        list
    };
    assert_eq!(history(&sandbox, &["--branch", "side"]).secrets(), sorted(vec![token(1), token(4)]));
    // Of a tag and a branch with the same name the branch is meant.
    let of_main = history(&sandbox, &["--branch", "main"]).secrets();
    assert_eq!(of_main, sorted(vec![token(1), token(2), token(3)]));
    for since in ["2023-11-20", "2023-11-20T00:00:00Z"] {
        assert_eq!(history(&sandbox, &["--since", since]).secrets(), [token(4)]);
    }
    assert_eq!(history(&sandbox, &["--since", "1 day ago"]).secrets(), [""; 0]);
    assert_eq!(history(&sandbox, &["--max-commits", "1"]).secrets(), [token(4)]);
    assert_eq!(history(&sandbox, &["--branch", "main", "--max-commits", "1"]).secrets(), [token(3)]);
}

#[test]
fn bad_ranges_are_errors_with_a_reason() {
    let sandbox = three_commits();
    for (args, reason) in [
        (["--range", "nowhere..HEAD"], "unknown revision `nowhere`"),
        (["--range", "HEAD~9..HEAD"], "unknown revision `HEAD~9`"),
        (["--range", "^HEAD"], "names no commit to start from"),
        (["--range", ""], "names no commit to start from"),
        (["--range", "HEAD^{wheel}"], "bad revision"),
        (["--range", "HEAD@{yesterday}"], "only numbers can stand in the braces"),
        (["--range", "HEAD^{tree}"], "is not a commit"),
        (["--range", "0123456789012345678901234567890123456789..HEAD"], "is missing"),
        (["--branch", "nowhere"], "unknown revision `nowhere`"),
        (["--branch", "a b"], "is not the name of a branch"),
        (["--since", "someday"], "is no date"),
    ] {
        let ran = run(sandbox.path(), &["history", args[0], args[1]]);
        assert_eq!(ran.code, 2, "{args:?}");
        assert!(ran.errors.contains(reason), "{args:?}: {}", ran.errors);
    }
}

#[test]
fn what_the_base_holds_is_not_new() {
    let sandbox = Sandbox::new();
    let encoded = data_encoding::BASE64.encode(format!("a long text with {} in it", token(2)).as_bytes());
    sandbox.write("old/one", file(1));
    sandbox.write("old/two", format!("blob: {encoded}\n"));
    sandbox.write("names", "nothing\n");
    sandbox.commit("base");
    sandbox.git(["branch", "base"]);
    // Moved and reindented at once; copied; encoded text in other surroundings.
    fs::remove_file(sandbox.join("old/one")).unwrap();
    sandbox.write("new/one", format!("    first\n\t\t key = \"{}\",\n", token(1)));
    sandbox.write("copy", format!("export X={}\n", token(1)));
    sandbox.write("new/two", format!("<data attribute='x'>\n  {encoded}\n</data>\n"));
    sandbox.commit("moved");
    let moved = history(&sandbox, &["--range", "base.."]);
    assert_eq!(moved.secrets(), [""; 0]);
    for number in [1, 2] {
        assert_eq!(moved.finding(&token(number))["suppression"]["status"], "known");
    }
    sandbox.write("copy", format!("export X={} Y={}\n", token(1), token(3)));
    sandbox.commit("and one that is new");
    assert_eq!(history(&sandbox, &["--range", "base.."]).secrets(), [token(3)]);
    // Without a base, the earliest commit is where it is from.
    let all = history(&sandbox, &["--range", "HEAD"]);
    assert_eq!(all.finding(&token(1))["commit"], sandbox.oid("base").to_hex());
    assert_eq!(all.finding(&token(2))["decoded"][0], "base64");
}

#[test]
fn what_is_allowed_in_one_place_is_new_in_another() {
    let sandbox = Sandbox::new();
    sandbox.write("a", format!("key = \"{}\" # stanch:allow sample-token for the test\n", token(1)));
    sandbox.commit("base");
    assert_eq!(history(&sandbox, &[]).finding(&token(1))["status"], "suppressed");
    sandbox.git(["branch", "base"]);
    sandbox.write("b", file(1));
    sandbox.commit("copied without the mark");
    let found = history(&sandbox, &["--range", "base.."]).finding(&token(1));
    assert_eq!((&found["path"], &found["status"]), (&"b".into(), &"new".into()));
    // In the whole history, too, the place that nothing allows decides.
    let found = history(&sandbox, &[]).finding(&token(1));
    assert_eq!((&found["path"], &found["status"]), (&"b".into(), &"new".into()));
}

#[test]
fn one_finding_for_each_value_however_often_it_is_added() {
    let sandbox = three_commits();
    for round in 0..3 {
        sandbox.write("again", format!("{round} {}\n{round}\n", token(7)));
        sandbox.write(&format!("dir/{round}"), format!("in dir {round}\n{}\n", token(7)));
        sandbox.commit(&format!("round {round}"));
    }
    fs::remove_file(sandbox.join("dir/0")).unwrap();
    fs::remove_file(sandbox.join("dir/1")).unwrap();
    fs::remove_file(sandbox.join("dir/2")).unwrap();
    sandbox.write("again", "removed\n");
    sandbox.commit("removed");
    let found = history(&sandbox, &["--range", "HEAD~4..HEAD"]).finding(&token(7));
    assert_eq!(found["commit"], sandbox.oid("HEAD~3").to_hex());
    assert_eq!(found["path"], "again");
    assert_eq!(found["in_head"], false);
    let places: Vec<&str> =
        found["locations"].as_array().unwrap().iter().filter_map(|place| place["path"].as_str()).collect();
    assert_eq!(places, ["again", "dir/0", "dir/1", "dir/2"]);
}

#[test]
fn messages_identities_names_and_tags_of_the_range() {
    let sandbox = three_commits();
    sandbox.write(&format!("folder-{}/file", token(4)), "x\n");
    std::os::unix::fs::symlink(format!("https://host/?key={}", token(5)), sandbox.join("link")).unwrap();
    sandbox.git(["add", "--all"]);
    let mut commit = crate::git_support::git_command(sandbox.path());
    commit.env("GIT_AUTHOR_NAME", format!("Ann {}", token(6)));
    commit.args(["commit", "--quiet", "-m", &format!("subject\n\nbody {}", token(7))]);
    assert!(commit.status().unwrap().success());
    sandbox.git(["tag", "-a", "-m", &format!("release {}", token(8)), "v1"]);
    sandbox.git(["tag", "-a", "-m", &format!("elsewhere {}", token(9)), "v0", "base"]);
    let ran = history(&sandbox, &["--range", "HEAD~1..v1"]);
    let kind = |number| ran.finding(&token(number))["message_kind"].clone();
    assert_eq!(ran.findings().len(), 5);
    assert_eq!(kind(4), "file-name");
    assert_eq!(kind(5), "link-target");
    assert_eq!(kind(6), "identity");
    assert_eq!(kind(7), "commit");
    assert_eq!(kind(8), "tag");
    assert_eq!(ran.finding(&token(7))["commit"], sandbox.oid("HEAD").to_hex());
    // Tags of commits in the range are part of all refs, other tags are not.
    let all = history(&sandbox, &["--range", "--all --not HEAD~1"]);
    assert!(all.secrets().contains(&token(8)) && !all.secrets().contains(&token(9)));
}

#[test]
fn the_own_changes_of_a_merge() {
    let sandbox = Sandbox::new();
    sandbox.write("a", "a\n");
    sandbox.commit("base");
    sandbox.git(["branch", "base"]);
    sandbox.git(["checkout", "--quiet", "-b", "side"]);
    sandbox.write("side", file(1));
    sandbox.commit("side");
    sandbox.git(["checkout", "--quiet", "main"]);
    sandbox.write("main", file(2));
    sandbox.commit("main");
    sandbox.git(["merge", "--quiet", "--no-commit", "side"]);
    sandbox.write("evil", file(3));
    sandbox.commit("merge");
    // Of a merge, only what no parent has is added by it.
    assert_eq!(history(&sandbox, &["--range", "HEAD^!"]).secrets(), [token(3)]);
    // What came from the other branch was added there.
    let found = history(&sandbox, &["--range", "base..HEAD"]).finding(&token(1));
    assert_eq!(found["commit"], sandbox.oid("side").to_hex());
    // Seen from the first parent, the branch is new.
    let first_parent = history(&sandbox, &["--range", "HEAD^1..HEAD"]).secrets();
    let mut expected = vec![token(1), token(3)];
    expected.sort();
    assert_eq!(first_parent, expected);
}

#[test]
fn containers_and_other_encodings_are_compared_with_what_was_there() {
    let sandbox = Sandbox::new();
    let utf16 = |text: &str| -> Vec<u8> {
        let units = std::iter::once(0xfeff).chain(text.encode_utf16());
        units.flat_map(u16::to_le_bytes).collect()
    };
    sandbox.write("settings.txt", utf16(&file(1)));
    sandbox.commit("base");
    sandbox.write("settings.txt", utf16(&format!("{}more\n", file(1))));
    sandbox.commit("another line");
    assert_eq!(history(&sandbox, &["--range", "HEAD^!"]).secrets(), [""; 0]);
    sandbox.write("settings.txt", utf16(&format!("{}{}", file(1), file(2))));
    sandbox.commit("another token");
    assert_eq!(history(&sandbox, &["--range", "HEAD^!"]).secrets(), [token(2)]);
}

#[test]
fn only_objects_of_the_range_are_read() {
    let sandbox = three_commits();
    sandbox.write("clean", "clean\n");
    sandbox.commit("clean");
    // A blob of the base that nothing changes is not needed; nor is one of a commit before.
    for revision in ["base:file1", "HEAD~2:file2"] {
        let hex = sandbox.oid(revision).to_hex();
        fs::remove_file(sandbox.join(&format!(".git/objects/{}/{}", &hex[..2], &hex[2..]))).unwrap();
    }
    assert_eq!(history(&sandbox, &["--range", "HEAD^!"]).secrets(), [""; 0]);
    // What it adds itself is needed.
    let hex = sandbox.oid("HEAD:clean").to_hex();
    fs::remove_file(sandbox.join(&format!(".git/objects/{}/{}", &hex[..2], &hex[2..]))).unwrap();
    let ran = run(sandbox.path(), &["history", "--range", "HEAD^!"]);
    assert_eq!((ran.code, ran.reasons()), (2, vec!["missing-object"]));
}

#[test]
fn a_range_that_a_shallow_clone_cuts_short() {
    let origin = three_commits();
    let clone = Sandbox::empty();
    let url = format!("file://{}", origin.path().display());
    clone.git(["clone", "--quiet", "--depth=2", &url, "."]);
    assert_eq!(history(&clone, &["--range", "HEAD~1..HEAD"]).secrets(), [token(3)]);
    let cut = run(clone.path(), &["history", "--range", "HEAD"]);
    assert_eq!((cut.code, cut.reasons()), (2, vec!["shallow"]));
    assert_eq!(cut.findings().len(), 3, "at the cut, everything is new");
    let allowed = history(&clone, &["--range", "HEAD", "--allow-shallow"]);
    assert_eq!(allowed.findings().len(), 3);
    let behind = run(clone.path(), &["history", "--range", "HEAD~2..HEAD", "--allow-shallow"]);
    assert_eq!(behind.code, 2);
    assert!(behind.errors.contains("shallow"), "{}", behind.errors);
}

#[test]
fn a_range_finds_what_the_whole_history_finds() {
    let sandbox = Sandbox::new();
    edit_history(&sandbox, 12, 5);
    for number in 0..12 {
        sandbox.write(&format!("dir{}/f{number}", number % 3), file(number));
        sandbox.write("log", (0..=number).map(|n| format!("{n} {}\n", token(100 + n))).collect::<String>());
        sandbox.commit(&format!("commit {number} {}", token(200 + number)));
    }
    let whole = history(&sandbox, &[]);
    for args in [&["--range", "HEAD"][..], &["--max-commits", "999"], &["--range", "HEAD", "--threads", "1"]]
    {
        let range = history(&sandbox, args);
        assert_eq!(range.secrets(), whole.secrets());
        for (secret, found) in range.findings() {
            let of_whole = whole.finding(&secret);
            for key in ["rule", "path", "line", "column", "commit", "in_head", "message_kind"] {
                assert_eq!(found[key], of_whole[key], "{key} in {found} and {of_whole}");
            }
        }
    }
}
