//! Living with stanch: a baseline that is checked without a scan, values of the history, the policy of a bare
//! repository, configurations that are wrong where nothing is found.

use std::path::Path;

use super::cli_support::{Run, github, scan, stanch};
use super::git_support::Sandbox;

const FILE: &str = ".stanch-baseline.toml";

/// Exit code and all output of `stanch ARGS`.
#[track_caller]
fn says(dir: &Path, args: &[&str], code: i32) -> String {
    let run = Run::of(&mut stanch(dir, args)).exits(code);
    run.stdout + &run.stderr
}

fn line(seed: u64) -> String {
    format!("token = '{}'\n", github(seed))
}

/// Numbers of new and of suppressed findings.
fn counts(dir: &Path, args: &[&str]) -> (u64, u64) {
    let run = Run::of(&mut stanch(dir, [args, &["--format", "json", "--no-progress"]].concat()));
    let report = run.report();
    (report.count("findings"), report.count("suppressed"))
}

/// A key of several lines, which no word of its file is.
fn key() -> String {
    let body: String = (0..6).map(|n| format!("{}\n", super::cli_support::letters(n, 64))).collect();
    format!("-----BEGIN {0}-----\n{body}-----END {0}-----\n", ["RSA", "PRIVATE", "KEY"].join(" "))
}

#[test]
fn a_baseline_whose_values_stand_in_their_places_is_checked_without_a_scan() {
    let repo = Sandbox::new();
    for n in 0..4 {
        repo.write(&format!("f{n}.py"), line(n));
    }
    says(repo.path(), &["baseline", "update"], 0);
    // Whoever scans this repository cannot read all of it, and says so.
    repo.write(".stanch.toml", "[scan]\nmax_file_size = '1K'\n");
    repo.write("large.txt", "x ".repeat(1000));
    scan(repo.path(), ["."]).exits(2);
    assert!(says(repo.path(), &["baseline", "check", "--stale"], 0).contains("nothing out of date"));
    // A value that has moved is looked for; what could not be read might hold it.
    std::fs::rename(repo.join("f0.py"), repo.join("g.py")).unwrap();
    let text = says(repo.path(), &["baseline", "check", "--stale"], 2);
    assert!(text.contains("large.txt") && text.contains("nothing out of date"), "{text}");
    std::fs::remove_file(repo.join("large.txt")).unwrap();
    says(repo.path(), &["baseline", "check", "--stale"], 0);
    std::fs::remove_file(repo.join("g.py")).unwrap();
    let text = says(repo.path(), &["baseline", "check", "--stale"], 1);
    assert!(text.contains("stale: ") && text.contains("f0.py") && text.contains("1 out of date"), "{text}");
}

#[test]
fn values_that_are_no_words_are_looked_for_by_a_scan_of_their_places() {
    let repo = Sandbox::new();
    let encoded = data_encoding::BASE64.encode(line(1).as_bytes());
    repo.write("a.txt", format!("x: {encoded}\n"));
    repo.write("id_rsa", key());
    assert!(says(repo.path(), &["baseline", "update"], 0).contains("2 added"));
    says(repo.path(), &["baseline", "check", "--stale"], 0);
    repo.write("a.txt", "x\n");
    repo.write("id_rsa", "x\n");
    assert!(says(repo.path(), &["baseline", "check", "--stale"], 1).contains("2 out of date"));
}

/// What only the history holds is recorded on request, and is not stale for a check that does not look there.
#[test]
fn values_of_the_history() {
    let repo = Sandbox::new();
    repo.write("a.py", line(1));
    repo.write("b.py", line(2));
    repo.commit("two secrets");
    repo.write("a.py", "x = 1\n");
    repo.commit("one is gone");
    assert!(says(repo.path(), &["baseline", "update"], 0).contains("1 added"));
    assert_eq!(counts(repo.path(), &["history"]), (1, 1));
    let text = says(repo.path(), &["baseline", "update", "--history"], 0);
    assert!(text.contains("1 added") && text.contains("2 in all"), "{text}");
    assert_eq!(counts(repo.path(), &["history"]), (0, 2));
    let baseline = std::fs::read_to_string(repo.join(FILE)).unwrap();
    let entry = baseline.lines().find(|line| line.contains("history = true")).unwrap();
    assert!(entry.contains("since = 2023-11-14") && entry.contains("where = [\"a.py\"]"), "{entry}");

    let text = says(repo.path(), &["baseline", "check", "--stale"], 0);
    assert!(text.contains("1 of them are values of the history only"), "{text}");
    let text = says(repo.path(), &["baseline", "check", "--history"], 0);
    assert!(text.contains("nothing out of date") && !text.contains("of them"), "{text}");
    assert!(says(repo.path(), &["baseline", "update", "--prune"], 0).contains("0 removed"));
    let there = format!("--history={}", repo.path().display());
    assert!(says(repo.path(), &["baseline", "update", &there, "--prune"], 0).contains("0 added, 0 removed"));

    // Once it is purged, too, it is gone.
    repo.git(["checkout", "--quiet", "--orphan", "new"]);
    repo.commit("begun again");
    repo.git(["branch", "--quiet", "-D", "main"]);
    repo.git(["reflog", "expire", "--expire=now", "--all"]);
    repo.git(["gc", "--quiet", "--prune=now"]);
    says(repo.path(), &["baseline", "check", "--stale"], 0);
    let text = says(repo.path(), &["baseline", "check", "--history"], 1);
    assert!(text.contains("stale: ") && text.contains("a.py"), "{text}");
    assert!(
        says(repo.path(), &["baseline", "update", "--history", "--prune"], 0).contains("1 removed, 1 in all")
    );
}

#[test]
fn a_part_of_the_repository_says_nothing_of_the_rest() {
    let repo = Sandbox::new();
    repo.write("a/a.py", line(1));
    repo.write("b/b.py", line(2));
    says(repo.path(), &["baseline", "update"], 0);
    let text = says(repo.path(), &["baseline", "update", "a", "--prune"], 2);
    assert!(text.contains("--prune"), "{text}");
    assert!(says(&repo.join("a"), &["baseline", "check", "--stale"], 0).contains("2 entries"));
}

/// A pre-receive hook runs in a bare repository: its policy is what HEAD holds.
#[test]
fn a_bare_repository_has_its_policy_in_head() {
    let repo = Sandbox::new();
    repo.write("a.py", line(1));
    repo.write("docs/b.py", line(2));
    repo.write("x/c.py", line(3));
    says(repo.path(), &["baseline", "update", "a.py"], 0);
    repo.write(".stanch.toml", "[[allowlists]]\npaths = ['^docs/']\n");
    repo.write("x/.stanch.toml", "[scan]\nexclude = ['c.py']\n");
    let server = Sandbox::init(&["--bare"]);
    assert_eq!(counts(server.path(), &["history"]), (0, 0), "there is no HEAD yet");
    repo.git(["remote", "add", "origin", server.path().to_str().unwrap()]);
    repo.commit("secrets, and a policy that knows them");
    repo.git(["push", "--quiet", "origin", "main"]);
    assert_eq!(counts(repo.path(), &["history"]), (0, 3));
    assert_eq!(counts(server.path(), &["history"]), (0, 3));
    assert_eq!(counts(Path::new("/"), &["history", server.path().to_str().unwrap()]), (0, 3));

    says(server.path(), &["hook", "install"], 0);
    let push = || {
        let output = repo.try_git(repo.path(), ["push", "--quiet", "origin", "main"]);
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    repo.write("copy.py", line(1));
    repo.commit("a value that is known");
    assert!(push().0, "{}", push().1);
    // The policy that counts is the one the server has, not the one that comes along.
    repo.write(".stanch.toml", "[[allowlists]]\npaths = ['.']\n");
    repo.write("new.py", line(4));
    repo.commit("excuses itself");
    let (taken, text) = push();
    assert!(!taken && text.contains("new.py:1") && !text.contains(&github(4)), "{text}");
    // What lies in the server's folder is its administrator's.
    server.write(".stanch.toml", "[[allowlists]]\npaths = ['new.py']\n");
    assert!(push().0, "{}", push().1);
    // A policy that cannot be read lets nothing pass.
    std::fs::remove_file(server.join(".stanch.toml")).unwrap();
    repo.write(".stanch.toml", "[[allowlist");
    repo.commit("a policy that is none");
    server.write(".stanch.toml", "");
    assert!(push().0, "{}", push().1);
    std::fs::remove_file(server.join(".stanch.toml")).unwrap();
    repo.write("z.py", "z = 1\n");
    repo.commit("harmless");
    let (taken, text) = push();
    assert!(!taken && text.contains(".stanch.toml:1"), "{text}");
}

/// No find asks for it, and yet it is read: where a scan comes by, what is wrong is an error.
#[test]
fn a_wrong_nested_configuration_is_an_error_even_where_nothing_is_found() {
    let repo = Sandbox::new();
    repo.write("pkg/deep/a.py", "x = 1\n");
    repo.write("other/a.py", "x = 1\n");
    repo.write("pkg/.stanch.toml", "[scan]\nmin_confidense = 'high'\n");
    let wrong = |args: &[&str]| {
        let text = says(repo.path(), args, 2);
        assert!(
            text.contains("pkg/.stanch.toml:2:1") && text.contains("`min_confidence`"),
            "{args:?}: {text}"
        );
    };
    for args in [&["scan"][..], &["scan", "pkg"], &["scan", "pkg/deep"], &["scan", "pkg/deep/a.py", "other"]]
    {
        wrong(args);
    }
    says(repo.path(), &["scan", "other"], 0);
    repo.git(["add", "--all"]);
    wrong(&["scan", "--staged"]);
    repo.git(["commit", "--quiet", "--message", "x"]);
    wrong(&["history"]);
    says(repo.path(), &["scan", "--staged"], 0);
    // Patterns of allowlists, too.
    repo.write("pkg/.stanch.toml", "[[allowlists]]\nregexes = ['(']\n");
    for args in [&["scan"][..], &["scan", "pkg/deep/a.py"], &["history"]] {
        assert!(says(repo.path(), args, 2).contains("pkg/.stanch.toml:2:1"), "{args:?}");
    }
}

/// Every way in which a configuration can be none.
#[test]
fn damaged_configurations() {
    let repo = Sandbox::new();
    repo.write("a.py", "x = 1\n");
    let damaged: [(&str, &[u8], &str); 8] = [
        ("cut", b"[scan]\nexclude = ['a", ".stanch.toml:2"),
        ("a conflict", b"[scan]\n<<<<<<< ours\nexclude = ['a']\n=======\n>>>>>>> theirs\n", "conflict"),
        ("not UTF-8", b"[scan]\nexclude = ['caf\xe9']\n", "UTF-8"),
        ("UTF-16", b"\xff\xfe[\0s\0c\0a\0n\0]\0", "UTF-"),
        ("NULs", &[0; 600], ".stanch.toml"),
        ("JSON", b"{\"scan\": {}}", ".stanch.toml:1"),
        ("a wrong type", b"[scan]\nexclude = 3\n", ".stanch.toml:2"),
        ("an unknown table", b"[skan]\n", "did you mean `scan`"),
    ];
    for (name, bytes, said) in damaged {
        repo.write(".stanch.toml", bytes);
        let text = says(repo.path(), &["scan"], 2);
        assert!(text.contains(said) && text.contains(".stanch.toml"), "{name}: {text}");
        says(repo.path(), &["baseline", "update"], 2);
        assert!(!repo.join(FILE).exists(), "{name}");
    }
    std::fs::remove_file(repo.join(".stanch.toml")).unwrap();
    std::fs::create_dir(repo.join(".stanch.toml")).unwrap();
    assert!(says(repo.path(), &["scan"], 2).contains("not a regular file"));
    std::fs::remove_dir(repo.join(".stanch.toml")).unwrap();
    std::os::unix::fs::symlink("nowhere", repo.join(".stanch.toml")).unwrap();
    assert!(says(repo.path(), &["scan"], 2).contains(".stanch.toml"));
}

/// A large baseline is right to its last line, and a single damaged one is found by whoever reads all.
#[test]
fn a_hundred_thousand_entries() {
    let repo = Sandbox::new();
    repo.write("a.py", line(1));
    says(repo.path(), &["baseline", "update"], 0);
    let good = std::fs::read_to_string(repo.join(FILE)).unwrap();
    let mut numbers = super::git_support::Numbers(7);
    let mut lines: Vec<String> = (0..100_000)
        .map(|_| {
            let fingerprint = format!("{:016x}{:016x}", numbers.next(), numbers.next());
            format!("{fingerprint} = {{ rule = \"generic-password\", status = \"false-positive\", by = \"Ann\", on = 2025-01-02 }}")
        })
        .collect();
    lines.push(good.lines().find(|line| line.contains("rule = ")).unwrap().to_owned());
    lines.sort();
    let head = &good[..good.find("[entries]").unwrap()];
    let all = format!("{head}[entries]\n{}\n", lines.join("\n"));
    repo.write(FILE, &all);
    assert_eq!(counts(repo.path(), &["scan"]), (0, 1));
    repo.write("b.py", line(2));
    assert_eq!(counts(repo.path(), &["scan"]), (1, 1));
    let text = says(repo.path(), &["baseline", "check", "--expired", "--undecided"], 1);
    assert!(text.contains("100001 entries, 1 undecided"), "{text}");
    assert!(says(repo.path(), &["baseline", "update"], 0).contains("1 added, 0 removed, 100002 in all"));

    let damaged = all.replacen("false-positive", "fals-positive", 1);
    repo.write(FILE, &damaged);
    for args in [&["baseline", "check"][..], &["baseline", "update"], &["audit", "--plain"]] {
        let text = says(repo.path(), args, 2);
        assert!(text.contains("did you mean `false-positive`"), "{args:?}: {text}");
    }
    assert_eq!(std::fs::read_to_string(repo.join(FILE)).unwrap(), damaged);
}

#[test]
fn a_baseline_in_another_encoding() {
    let repo = Sandbox::new();
    repo.write("a.py", line(1));
    says(repo.path(), &["baseline", "update"], 0);
    let good = std::fs::read(repo.join(FILE)).unwrap();
    let latin = [&good[..], b"# caf\xe9\n"].concat();
    let utf16: Vec<u8> = [0xff, 0xfe].into_iter().chain(good.iter().flat_map(|&b| [b, 0])).collect();
    for bytes in [latin, utf16, good[..good.len() / 2].iter().map(|b| b | 0x80).collect()] {
        repo.write(FILE, &bytes);
        for args in [&["scan"][..], &["baseline", "check"], &["baseline", "update"], &["audit", "--plain"]] {
            let text = says(repo.path(), args, 2);
            assert!(text.contains("UTF-") && text.contains(FILE), "{args:?}: {text}");
        }
        assert_eq!(std::fs::read(repo.join(FILE)).unwrap(), bytes);
    }
    // A byte order mark before UTF-8 is no damage.
    repo.write(FILE, [b"\xef\xbb\xbf", &good[..]].concat());
    assert_eq!(counts(repo.path(), &["scan"]), (0, 1));
}

/// Files of other tools that are not what they claim to be: an error, and nothing is written.
#[test]
fn imports_that_are_not_what_they_claim() {
    let repo = Sandbox::new();
    repo.write("a.py", line(1));
    let leak = r#"[{"RuleID":"x","File":"a.py","StartLine":1,"Secret":"#;
    let files: [(&str, &[u8]); 10] = [
        ("empty", b""),
        ("binary", b"\x7fELF\0\0\0\0"),
        ("cut", leak.as_bytes()),
        ("a list of numbers", b"[1, 2, 3]"),
        ("an object", b"{\"a\": 1}"),
        ("text", b"no leaks found\n"),
        ("not UTF-8", b"[{\"RuleID\": \"\xff\xfe\"}]"),
        ("a conflict", b"<<<<<<< ours\n[]\n=======\n[]\n>>>>>>> theirs\n"),
        ("results of another kind", b"{\"version\": \"1.5.0\", \"results\": [1]}"),
        (
            "rows of another kind",
            b"{\"version\": \"1.5.0\", \"plugins_used\": [], \"results\": {\"a.py\": [{\"type\": 3}]}}",
        ),
    ];
    for (name, bytes) in files {
        repo.write("their.json", bytes);
        let imports: [&[&str]; 3] = [
            &["baseline", "import", "their.json"],
            &["import", "detect-secrets", "their.json"],
            &["import", "gitleaks", "--report", "their.json"],
        ];
        for args in imports {
            let text = says(repo.path(), args, 2);
            assert!(text.contains("their.json"), "{name}: {args:?}: {text}");
            assert!(!repo.join(FILE).exists() && !repo.join(".stanch.toml").exists(), "{name}: {args:?}");
        }
    }
    repo.write("their.toml", "[[rules]\nid = 'x'\n");
    let text = says(repo.path(), &["import", "gitleaks", "--gitleaks-config", "their.toml"], 2);
    assert!(text.contains("their.toml:1") && !repo.join(".stanch.toml").exists(), "{text}");
    // As a baseline that is used as it is, too.
    for bytes in [&b"[1]"[..], b"{\"results\": 3}", b""] {
        repo.write("their.json", bytes);
        says(repo.path(), &["scan", "--baseline", "their.json"], 2);
    }
}

fn executable(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
}

/// A hook that is there already may be broken: it is kept as it is, and ours never passes over what it says.
#[test]
fn hooks_beside_broken_ones() {
    let repo = Sandbox::new();
    let hook = repo.join(".git/hooks/pre-commit");
    std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
    let commit = || {
        let output = repo.try_git(repo.path(), ["commit", "--quiet", "--allow-empty", "--message", "x"]);
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    // One that fails, one without its interpreter, one that cannot be run at all, a link to nowhere.
    executable(&hook, "#!/bin/sh\necho refused >&2\nexit 3\n");
    says(repo.path(), &["hook", "install"], 0);
    let (done, text) = commit();
    assert!(!done && text.contains("refused"), "{text}");
    says(repo.path(), &["hook", "uninstall"], 0);
    assert!(std::fs::read_to_string(&hook).unwrap().contains("refused"));

    executable(&hook, "#!/nowhere/sh\n");
    says(repo.path(), &["hook", "install"], 0);
    assert!(!commit().0, "git would not have passed it either");
    says(repo.path(), &["hook", "uninstall"], 0);

    std::fs::write(&hook, "#!/bin/sh\nexit 1\n").unwrap();
    std::fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    says(repo.path(), &["hook", "install"], 0);
    let (done, text) = commit();
    assert!(done, "git ignores a hook that is not executable, and so do we: {text}");
    says(repo.path(), &["hook", "uninstall"], 0);
    assert_eq!(std::fs::read_to_string(&hook).unwrap(), "#!/bin/sh\nexit 1\n");

    std::fs::remove_file(&hook).unwrap();
    std::os::unix::fs::symlink("nowhere", &hook).unwrap();
    says(repo.path(), &["hook", "install"], 0);
    assert!(commit().0, "{}", commit().1);
    says(repo.path(), &["hook", "uninstall"], 0);
    assert_eq!(std::fs::read_link(&hook).unwrap(), Path::new("nowhere"));
}

#[test]
fn hooks_where_there_is_no_repository() {
    let none = Sandbox::empty();
    for args in [
        &["hook", "install"][..],
        &["hook", "uninstall"],
        &["hook", "run", "pre-commit"],
        &["scan", "--staged"],
        &["history"],
    ] {
        assert!(says(none.path(), args, 2).contains("cannot open the repository"), "{args:?}");
    }
    let bare = Sandbox::init(&["--bare"]);
    assert!(says(bare.path(), &["hook", "install", "pre-commit"], 2).contains("pre-receive"));
    assert!(says(bare.path(), &["hook", "uninstall"], 0).contains("no hooks of ours"));
    // What git does not say is not taken for nothing to do.
    let mut run = stanch(bare.path(), ["hook", "run", "pre-receive"]);
    let run = Run::with_input(&mut run, b"not what git says\n").exits(2);
    assert!(run.stderr.contains("not what git gives"), "{run:?}");
}

/// A commit that is stopped says in a few lines what, where, how to fix it and how to allow it.
#[test]
fn a_stopped_commit_says_what_to_do() {
    let repo = Sandbox::new();
    says(repo.path(), &["hook", "install"], 0);
    repo.write("src/app.py", format!("import os\n\n{}", line(1)));
    repo.git(["add", "--all"]);
    let output = repo.try_git(repo.path(), ["commit", "--message", "x"]);
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(!output.status.success());
    for part in ["github-pat", "src/app.py:3", "stanch:allow", "stanch audit", "--no-verify"] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(!text.contains(&github(1)), "{text}");
    let lines = text.lines().filter(|line| !line.trim().is_empty()).count();
    assert!(lines <= 14, "{lines} lines: {text}");
}

/// gitleaks' report holds the values that it says are known; as gitleaks does, what is named is not scanned.
#[test]
fn a_report_of_gitleaks_as_the_baseline() {
    let repo = Sandbox::new();
    repo.write("a.py", format!("{}{}", line(1), line(2)));
    let leak = |n: u64| serde_json::json!({"RuleID": "github-pat", "File": "a.py", "StartLine": n, "EndLine": n, "Secret": github(n), "Match": github(n), "Commit": "", "Fingerprint": format!("a.py:github-pat:{n}")});
    repo.write("report.json", serde_json::json!([leak(1), leak(2)]).to_string());
    assert_eq!(counts(repo.path(), &["scan", "--baseline", "report.json"]), (0, 2));
    repo.write("b.py", line(3));
    assert_eq!(counts(repo.path(), &["scan", "--baseline", "report.json"]), (1, 2));
    assert!(counts(repo.path(), &["scan"]).0 > 0, "not named, it is a file like any other");
    let text = says(repo.path(), &["import", "gitleaks", "--report", "report.json"], 0);
    assert!(text.contains("2 added from 2 entries of gitleaks"), "{text}");
    std::fs::remove_file(repo.join("report.json")).unwrap();
    assert_eq!(counts(repo.path(), &["scan"]), (1, 2));
}

/// What another tool wrote is read, and is its own: no command of ours writes into it.
#[test]
fn baselines_of_other_tools_are_never_written() {
    use sha1::Digest as _;
    let hash = data_encoding::HEXLOWER.encode(&sha1::Sha1::digest(github(1).as_bytes()));
    let leak = serde_json::json!({"RuleID": "github-pat", "File": "a.py", "StartLine": 1, "EndLine": 1, "Secret": "REDACTED", "Match": "REDACTED", "Commit": "", "Fingerprint": "a.py:github-pat:1"});
    let row = serde_json::json!({"type": "Secret Keyword", "filename": "a.py", "hashed_secret": hash, "is_verified": false, "line_number": 1});
    let results = serde_json::json!({"version": "1.5.0", "plugins_used": [], "filters_used": [], "results": {"a.py": [row]}});
    let empty = serde_json::json!({"version": "1.5.0", "plugins_used": [], "results": {}});
    let files = [
        ("gitleaks", serde_json::json!([leak])),
        ("gitleaks", serde_json::json!([])),
        ("detect-secrets", results),
        ("detect-secrets", empty),
    ];
    // As it is named: by the command line, by the configuration, by its own name, by ours.
    let named: [(&str, &[&str], &str); 4] = [
        ("their.json", &["--baseline", "their.json"], ""),
        ("their.json", &[], "[scan]\nbaseline = 'their.json'\n"),
        (".secrets.baseline", &[], ""),
        (FILE, &[], ""),
    ];
    for (tool, content) in &files {
        for (name, flags, config) in named {
            let repo = Sandbox::new();
            repo.write("a.py", format!("{}{}", line(1), line(2)));
            repo.commit("x");
            repo.write("theirs.json", content.to_string());
            repo.write(name, content.to_string());
            repo.write(".stanch.toml", config);
            let check = |args: &[&str], code: i32| {
                let text = says(repo.path(), &[args, flags].concat(), code);
                assert_eq!(
                    std::fs::read_to_string(repo.join(name)).unwrap(),
                    content.to_string(),
                    "{args:?}: {text}"
                );
                text
            };
            for args in [
                &["baseline", "update"][..],
                &["baseline", "update", "--history"],
                &["baseline", "update", "a.py"],
                &["baseline", "update", "--prune"],
            ] {
                let text = check(args, 2);
                let ours = if name == FILE {
                    String::new()
                } else {
                    format!(" --baseline {}", repo.join(FILE).display())
                };
                for part in [
                    name,
                    tool,
                    "stanch baseline import",
                    if flags.is_empty() { &ours } else { "--baseline" },
                ] {
                    assert!(text.contains(part), "{part} in {args:?} {name}: {text}");
                }
                assert!(name == FILE || !repo.join(FILE).exists());
            }
            if name != ".secrets.baseline" {
                let text = check(&["baseline", "import", "theirs.json"], 2);
                assert!(text.contains(tool) && text.contains("never written"), "{text}");
            }
            says(repo.path(), &["baseline", "import", "theirs.json", "--baseline", "new.toml"], 0);
        }
    }
}

/// Hooks say nothing when there is nothing to say, and little otherwise.
#[test]
fn hooks_are_silent_or_brief() {
    let server = Sandbox::init(&["--bare"]);
    says(server.path(), &["hook", "install"], 0);
    let repo = Sandbox::new();
    says(repo.path(), &["hook", "install"], 0);
    repo.git(["remote", "add", "origin", server.path().to_str().unwrap()]);
    let said = |args: &[&str]| {
        let output = repo.try_git(repo.path(), args);
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    };
    repo.write("a.py", "x = 1\n");
    repo.git(["add", "--all"]);
    assert_eq!(said(&["commit", "--quiet", "--message", "x"]), "");
    assert_eq!(said(&["push", "--quiet", "origin", "main"]), "");
    repo.write("b.py", line(1));
    repo.git(["add", "--all"]);
    repo.git(["commit", "--quiet", "--no-verify", "--message", "y"]);
    let text = said(&["push", "--quiet", "origin", "main"]);
    for part in ["github-pat", "b.py:1:10", "Rewrite the commit", "stanch:allow", "stanch stopped this push"]
    {
        assert!(text.contains(part), "{part} in {text}");
    }
    let lines = text.lines().filter(|line| line.trim_end().len() > "remote:".len()).count();
    assert!(lines <= 12, "{lines} lines: {text}");
    // In a bare repository nothing is staged, and there are no files.
    assert!(says(server.path(), &["scan", "--staged"], 2).contains("nothing can be staged"));
    assert!(says(server.path(), &["baseline", "update"], 2).contains("bare repository"));
    assert!(!server.join(FILE).exists());
}
