//! A second scan with a cache passes over what holds nothing, and reports the same.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::git_support::{Sandbox, edit_history};
use crate::history_support::{Ran, config, run, stanch, token};

/// A history with many versions of files, four values, and things that only look like some.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    edit_history(&sandbox, 30, 77);
    let encoded = data_encoding::BASE64.encode(format!("key: {}\n", token(2)).as_bytes());
    sandbox.write("src/leak.txt", format!("first\nkey = {}\n", token(1)));
    sandbox.write("encoded.txt", format!("data: {encoded}\n"));
    sandbox.write("notes.txt", "password = passwordpassword\nsecret_key = os.environ[\"SECRET_KEY\"]\n");
    sandbox.commit(&format!("with {} in the message", token(3)));
    sandbox.write("src/leak.txt", "first\nno more\n");
    sandbox.write(&format!("name-{}", token(4)), "nothing\n");
    sandbox.commit("without");
    sandbox.git(["gc", "-q"]);
    sandbox
}

/// A report without what differs from run to run.
fn lasting(ran: &Ran) -> Value {
    let mut report = ran.report.clone();
    let summary = report["summary"].as_object_mut().unwrap();
    summary.retain(|key, _| key != "elapsed_ms" && key != "started");
    report
}

fn with_cache(sandbox: &Sandbox, cache: &Path, args: &[&str]) -> Ran {
    let cache = cache.to_str().unwrap();
    run(sandbox.path(), &[&["history", "--stats", "--cache", cache], args].concat())
}

/// A number of the statistics.
fn count(ran: &Ran, what: &str) -> u64 {
    let line = ran.errors.lines().find(|line| line.starts_with(what));
    let number = line.and_then(|line| line[what.len()..].split_whitespace().next());
    number.and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("no {what} in {}", ran.errors))
}

fn file_in(cache: &Path) -> PathBuf {
    let files: Vec<PathBuf> = fs::read_dir(cache).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    files[0].clone()
}

#[test]
fn the_second_report_is_the_first_and_costs_less() {
    let (sandbox, cache) = (sandbox(), Sandbox::empty());
    let plain = run(sandbox.path(), &["history"]);
    assert_eq!(plain.secrets(), BTreeSet::from([1, 2, 3, 4].map(token)).into_iter().collect::<Vec<_>>());
    let first = with_cache(&sandbox, cache.path(), &[]);
    let second = with_cache(&sandbox, cache.path(), &[]);
    for ran in [&first, &second] {
        assert_eq!(ran.code, plain.code);
        assert_eq!(lasting(ran), lasting(&plain));
        assert!(!ran.errors.contains("warning"), "{}", ran.errors);
    }
    assert_eq!(count(&first, "passed over"), 0);
    // All but the three blobs that hold a value or a candidate that could be one, the message with a value, and the
    // trees with a name that is one.
    let (passed, all) = (count(&second, "passed over"), count(&first, "objects"));
    assert!(passed + 7 >= all && passed + 4 <= all, "{passed} of {all}");
    assert_eq!(count(&second, "objects") + passed, count(&first, "objects"));
}

#[test]
fn new_commits_are_scanned_and_what_they_add_is_found() {
    let (sandbox, cache) = (sandbox(), Sandbox::empty());
    with_cache(&sandbox, cache.path(), &[]);
    sandbox.write("src/file1.txt", format!("new\nkey = {}\n", token(9)));
    sandbox.commit("one more");
    sandbox.git(["gc", "-q"]);
    let second = with_cache(&sandbox, cache.path(), &[]);
    assert!(second.secrets().contains(&token(9)));
    assert_eq!(lasting(&second), lasting(&run(sandbox.path(), &["history"])));
    assert!(count(&second, "passed over") > 30);
}

/// What comes, goes, moves and comes back, in files, names, messages and tags: as without a cache after every step.
#[test]
fn a_history_that_grows_is_reported_as_without_a_cache() {
    let (sandbox, cache) = (sandbox(), Sandbox::empty());
    let leak = |n: u64| format!("a\nkey = {}\nb\n", token(n));
    for step in 0..6u64 {
        let dir = format!("dir{}", step % 2);
        match step {
            0 => sandbox.write(&format!("{dir}/one.txt"), leak(20)),
            1 => sandbox.write(&format!("{dir}/sub/two.txt"), leak(21)),
            2 => sandbox.write("dir0/one.txt", "clean\n"),
            3 => sandbox.write(&format!("{dir}/back.txt"), leak(20)),
            4 => sandbox.write(&format!("{dir}/key-{}.txt", token(22)), "in the name\n"),
            _ => sandbox.write(&format!("{dir}/sub/two.txt"), leak(23)),
        }
        sandbox.commit(&format!("step {step}"));
        edit_history(&sandbox, 4, 7 + step);
        if step == 4 {
            sandbox.git(["rm", "-q", &format!("{dir}/key-{}.txt", token(22))] as [&str; 3]);
            sandbox.commit("gone");
            sandbox.git(["tag", "-a", "-m", &format!("with {}", token(24)), "v1"]);
        }
        if step % 2 == 1 {
            sandbox.git(["gc", "-q"]);
        }
        let cached = with_cache(&sandbox, cache.path(), &[]);
        assert_eq!(lasting(&cached), lasting(&run(sandbox.path(), &["history"])), "step {step}");
        assert!(!cached.errors.contains("warning"), "{}", cached.errors);
        assert!(step == 0 || count(&cached, "passed over") > 100, "step {step}: {}", cached.errors);
    }
}

/// A cache that knows objects which are gone says nothing of those that are left.
#[test]
fn after_objects_are_gone_all_is_scanned() {
    let (sandbox, cache) = (sandbox(), Sandbox::empty());
    with_cache(&sandbox, cache.path(), &[]);
    sandbox.git(["reset", "-q", "--hard", "HEAD~5"]);
    sandbox.git(["reflog", "expire", "--expire=now", "--all"]);
    sandbox.git(["gc", "-q", "--prune=now"]);
    let plain = run(sandbox.path(), &["history"]);
    let after = with_cache(&sandbox, cache.path(), &[]);
    assert_eq!(lasting(&after), lasting(&plain));
    assert_eq!(count(&after, "passed over"), 0);
    let again = with_cache(&sandbox, cache.path(), &[]);
    assert_eq!(lasting(&again), lasting(&plain));
    assert!(count(&again, "passed over") > 50);
}

/// Whether candidates are values depends on the kind of file: under a new name a blob is judged anew.
#[test]
fn a_blob_under_a_new_name_is_judged_anew() {
    let (sandbox, cache) = (Sandbox::new(), Sandbox::empty());
    // A bare word: a name in Python, a value in a configuration.
    let lines = "password = blueHorseBattery\n";
    let names = ["a.py", "a.lock", "package-lock.json", "a.yml", "a.go", ".env"];
    let mut codes = BTreeSet::new();
    for name in names {
        sandbox.write(name, lines);
        sandbox.commit(name);
        let cached = with_cache(&sandbox, cache.path(), &[]);
        assert_eq!(lasting(&cached), lasting(&run(sandbox.path(), &["history"])), "{name}");
        codes.insert(cached.code);
    }
    assert_eq!(codes, BTreeSet::from([0, 1]));
}

/// A blob that is known to hold nothing, under a name that makes a value of it: also where it was before.
#[test]
fn a_blob_under_a_name_that_rules_look_at_is_judged_anew() {
    let (sandbox, cache) = (Sandbox::new(), Sandbox::empty());
    let line = format!("db.internal:5432:app:deploy:{}\n", &token(5)[4..]);
    let mut codes = Vec::new();
    for (name, text) in [
        ("notes/hosts.txt", &line[..]),
        ("notes/other.txt", "nothing\n"),
        (".pgpass", &line),
        (".pgpass", "nothing\n"),
        ("deep/er/.pgpass", &line),
        ("deep/er/readme.txt", "nothing\n"),
    ] {
        sandbox.write(name, text);
        sandbox.commit(name);
        for _ in 0..2 {
            let cached = with_cache(&sandbox, cache.path(), &[]);
            assert_eq!(lasting(&cached), lasting(&run(sandbox.path(), &["history"])), "{name}");
            codes.push(cached.code);
        }
    }
    assert_eq!((codes[3], codes[4]), (0, 1), "the name makes a value of it");
}

/// A value in every version of a file is known again by few of them.
#[test]
fn of_many_versions_with_values_few_are_scanned() {
    let (sandbox, cache) = (Sandbox::new(), Sandbox::empty());
    for version in 0..30u64 {
        let dir = format!("dir{}", version % 3);
        let lines = format!("version {version}\nkey = {}\nother = {}\n", token(1), token(2 + version % 4));
        sandbox.write(&format!("{dir}/settings.txt"), lines);
        sandbox.commit("next");
    }
    let first = with_cache(&sandbox, cache.path(), &[]);
    assert_eq!(count(&first, "objects"), 30 + 30 + 2 * 30);
    assert_eq!(first.secrets().len(), 5);
    let second = with_cache(&sandbox, cache.path(), &[]);
    assert_eq!(lasting(&second), lasting(&first));
    assert_eq!(count(&second, "objects"), 4, "a blob for each second value");
    // One more version of what is known, and of what is not.
    for n in [3, 9] {
        sandbox.write("dir0/settings.txt", format!("new\nkey = {}\nother = {}\n", token(1), token(n)));
        sandbox.commit("more");
        let third = with_cache(&sandbox, cache.path(), &[]);
        assert_eq!(lasting(&third), lasting(&run(sandbox.path(), &["history"])));
        assert!(count(&third, "objects") <= 9, "{}", third.errors);
    }
}

/// The tree in which a name was seen is gone; another one that has it is left.
#[test]
fn a_name_that_was_seen_in_what_is_gone_is_seen_again() {
    let (sandbox, cache) = (Sandbox::new(), Sandbox::empty());
    let files = (0..40).map(|n| format!("file{n}.txt"));
    files.for_each(|name| sandbox.write(&name, format!("{name}\n")));
    sandbox.write(&format!("key-{}.txt", token(4)), "in the name\n");
    sandbox.commit("first");
    sandbox.write("file40.txt", "file1.txt\n");
    sandbox.commit(&format!("with {}", token(3)));
    sandbox.git(["gc", "-q"]);
    assert_eq!(with_cache(&sandbox, cache.path(), &[]).secrets().len(), 2);
    sandbox.git(["reset", "-q", "--hard", "HEAD~"]);
    sandbox.git(["reflog", "expire", "--expire=now", "--all"]);
    sandbox.git(["gc", "-q", "--prune=now"]);
    let cached = with_cache(&sandbox, cache.path(), &[]);
    assert!(cached.secrets().contains(&token(4)));
    assert_eq!(lasting(&cached), lasting(&run(sandbox.path(), &["history"])));
}

/// A blob that is not read whole, under a name that makes a value of what is read.
#[test]
fn a_blob_that_is_not_read_whole_is_judged_anew() {
    let (sandbox, cache) = (Sandbox::new(), Sandbox::empty());
    let mut zip = crate::archive_support::zip(&[("a", &[7u8; 3000])], zip::CompressionMethod::Stored);
    zip.truncate(1500);
    let value = ["blueHorse", "Battery"].concat();
    let text = format!("password = {value}\ndata = {}\n", data_encoding::BASE64.encode(&zip));
    let mut codes = BTreeSet::new();
    for name in ["dir/a.py", "b.py", "b.yml", ".env"] {
        sandbox.write(name, &text);
        sandbox.commit(name);
        let cached = with_cache(&sandbox, cache.path(), &[]);
        assert_eq!(lasting(&cached), lasting(&run(sandbox.path(), &["history"])), "{name}");
        codes.insert(cached.report["findings"].as_array().unwrap().len());
    }
    assert_eq!(codes, BTreeSet::from([0, 1]));
}

/// Where no message is clean, there is nothing to cover ids with, and they are not written.
#[test]
fn where_every_message_holds_a_value_there_is_a_cache_of_blobs() {
    let (sandbox, cache) = (Sandbox::new(), Sandbox::empty());
    sandbox.write("src/leak.txt", format!("key = {}\n", token(1)));
    sandbox.write("other.txt", "nothing\n");
    sandbox.commit(&format!("with {}", token(2)));
    for passed in [0, 1, 1] {
        let ran = with_cache(&sandbox, cache.path(), &[]);
        assert!(!ran.errors.contains("warning"), "{}", ran.errors);
        assert_eq!((count(&ran, "passed over"), ran.secrets().len()), (passed, 2));
    }
}

/// What a cache knows does not grow by what it knows already.
#[test]
fn folders_that_are_renamed_are_known_once() {
    let (sandbox, cache) = (Sandbox::new(), Sandbox::empty());
    sandbox.write("a/b/leak.txt", format!("key = {}\n", token(1)));
    sandbox.write("c/b/leak.txt", format!("key = {}\n", token(2)));
    sandbox.commit("first");
    with_cache(&sandbox, cache.path(), &[]);
    for (from, to) in [("a", "d"), ("d", "a"), ("c", "e"), ("a", "f"), ("f", "a"), ("e", "c")] {
        sandbox.git(["mv", from, to]);
        sandbox.commit("moved");
        let cached = with_cache(&sandbox, cache.path(), &[]);
        assert_eq!(lasting(&cached), lasting(&run(sandbox.path(), &["history"])));
    }
    let other = Sandbox::empty();
    with_cache(&sandbox, other.path(), &[]);
    let read = |folder: &Sandbox| fs::read(file_in(folder.path())).unwrap();
    assert_eq!(read(&cache).len(), read(&other).len());
}

#[test]
fn caches_that_are_damaged_foreign_or_newer_are_ignored_with_a_warning() {
    let (sandbox, cache) = (sandbox(), Sandbox::empty());
    let plain = run(sandbox.path(), &["history"]);
    with_cache(&sandbox, cache.path(), &[]);
    let file = file_in(cache.path());
    let good = fs::read(&file).unwrap();
    let mut cases = vec![
        ("damaged", good[..good.len() / 2].to_vec()),
        ("no cache of stanch", b"something else".to_vec()),
        ("no cache of stanch", Vec::new()),
    ];
    let mut flipped = good.clone();
    flipped[good.len() / 2] ^= 1;
    cases.push(("damaged", flipped));
    let mut newer = good.clone();
    newer[12] += 1;
    cases.push(("newer version", newer));
    for (why, bytes) in cases {
        fs::write(&file, bytes).unwrap();
        let ran = with_cache(&sandbox, cache.path(), &[]);
        assert!(ran.errors.contains("warning") && ran.errors.contains(why), "{why}: {}", ran.errors);
        assert_eq!((ran.code, count(&ran, "passed over")), (plain.code, 0));
        assert_eq!(lasting(&ran), lasting(&plain));
        assert_eq!(fs::read(&file).unwrap(), good, "it is written anew");
    }
}

#[test]
fn other_rules_and_options_have_caches_of_their_own() {
    let (sandbox, cache) = (sandbox(), Sandbox::empty());
    with_cache(&sandbox, cache.path(), &[]);
    let file = file_in(cache.path());
    for args in [&["--no-decode"][..], &["--min-confidence", "low"], &["--disable-rule", "sample-token"]] {
        let other = Sandbox::empty();
        let ran = with_cache(&sandbox, other.path(), args);
        assert_eq!(count(&ran, "passed over"), 0);
        // The other's, in the place of this one.
        fs::copy(&file, file_in(other.path())).unwrap();
        let again = with_cache(&sandbox, other.path(), args);
        assert!(again.errors.contains("other rules"), "{args:?}: {}", again.errors);
        assert_eq!((count(&again, "passed over"), lasting(&again)), (0, lasting(&ran)));
    }
}

#[test]
fn no_value_is_in_the_file_and_others_cannot_read_it() {
    let (sandbox, cache) = (sandbox(), Sandbox::empty());
    let found = with_cache(&sandbox, cache.path(), &[]).secrets();
    assert_eq!(found.len(), 4);
    let file = file_in(cache.path());
    let bytes = fs::read(&file).unwrap();
    let holds = |needle: &[u8]| bytes.windows(needle.len()).any(|part| part == needle);
    for secret in &found {
        assert!(!holds(&secret.as_bytes()[4..12]));
    }
    // Nor the ids of blobs that hold one: a blob can be nothing but a value.
    for blob in ["HEAD~:src/leak.txt", "HEAD:encoded.txt"] {
        assert!(!holds(sandbox.oid(blob).as_bytes()), "{blob}");
    }
    assert!(holds(sandbox.oid("HEAD:src/leak.txt").as_bytes()));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn what_is_not_read_whole_is_listed_every_time() {
    let (sandbox, cache) = (Sandbox::new(), Sandbox::empty());
    let mut zip = crate::archive_support::zip(&[("a", &[7u8; 3000])], zip::CompressionMethod::Stored);
    zip.truncate(1500);
    sandbox.write("damaged.zip", &zip);
    sandbox.write("text", format!("data: {}\n", data_encoding::BASE64.encode(&zip)));
    sandbox.write("other", "nothing\n");
    sandbox.commit("a");
    let first = with_cache(&sandbox, cache.path(), &[]);
    let second = with_cache(&sandbox, cache.path(), &[]);
    assert_eq!((first.code, second.code), (2, 2));
    assert_eq!(lasting(&first), lasting(&second));
    // The commit, its tree, and one blob.
    assert_eq!(count(&second, "passed over"), 3);
}

#[test]
fn a_folder_that_cannot_be_written_is_a_warning() {
    let sandbox = sandbox();
    let ran = with_cache(&sandbox, &sandbox.join("src/leak.txt"), &[]);
    assert!(ran.errors.contains("warning") && ran.errors.contains("is not written"), "{}", ran.errors);
    assert_eq!(ran.code, 1);
    // A range has no cache.
    let mut command = stanch(sandbox.path(), &["history", "--range", "HEAD", "--cache", "x", "--config"]);
    assert_eq!(command.arg(config()).output().unwrap().status.code(), Some(2));
}
