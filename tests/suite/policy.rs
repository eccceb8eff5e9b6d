//! Policy end to end: configuration, markers, baseline, trusted revisions, hooks, imports.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use super::git_support::Sandbox;

/// Values that look like secrets, made so that no scanner takes this file for a leak.
fn value(n: usize) -> String {
    let parts = ["x7Kq2m", "b9Wz4t", "q3Lr8v", "h5Tn1c"];
    format!("{}{}{}", parts[n % 4], "VpR8nLc3", parts[(n + 1) % 4].to_uppercase())
}

/// A line of code that holds one.
fn line(n: usize) -> String {
    format!("db_password = '{}'\n", value(n))
}

fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin("stanch"));
    command.current_dir(folder).args(args).stdin(Stdio::null());
    for name in [
        "GIT_DIR",
        "GIT_INDEX_FILE",
        "GIT_WORK_TREE",
        "STANCH_FINGERPRINT_KEY",
        "GITLEAKS_CONFIG",
        "GITLEAKS_CONFIG_TOML",
    ] {
        command.env_remove(name);
    }
    command.env("GIT_AUTHOR_NAME", "Ann").env("NO_COLOR", "1");
    command
}

/// Exit code and all output.
fn stanch(folder: &Path, args: &[&str]) -> (i32, String) {
    result(command(folder, args).output().unwrap())
}

fn result(output: Output) -> (i32, String) {
    let text = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&text).into_owned())
}

/// Numbers of new and suppressed findings.
fn counts(folder: &Path, args: &[&str]) -> (u64, u64) {
    let args: Vec<&str> = args.iter().copied().chain(["--format", "json"]).collect();
    let output = command(folder, &args).output().unwrap();
    let report: serde_json::Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    let number = |name: &str| report["summary"][name].as_u64().unwrap_or(0);
    (number("findings"), number("suppressed"))
}

#[test]
fn a_wrong_configuration_is_drawn_and_exits_2() {
    let repo = Sandbox::new();
    repo.write("a.py", line(0));
    repo.write(".stanch.toml", "[[rules]]\nid = 'mine'\nregx = 'a'\n");
    let (code, text) = stanch(repo.path(), &["scan"]);
    assert_eq!(code, 2, "{text}");
    for part in ["unknown key `regx`", ".stanch.toml:3:1", "regx = 'a'", "^^^^", "did you mean `regex`?"] {
        assert!(text.contains(part), "{part} in {text}");
    }
    repo.write(".stanch.toml", "[[rules]]\nid = 'mine'\nregex = 'a*'\n");
    let (code, text) = stanch(repo.path(), &["scan"]);
    assert_eq!(code, 2);
    assert!(text.contains(".stanch.toml:3:9") && text.contains("matches the empty string"), "{text}");
}

#[test]
fn rules_allowlists_and_exclusions_of_the_configuration() {
    let repo = Sandbox::new();
    let own = format!("{}{}", "corp_", "k3v9x0q7m2p8t1w5z4c6");
    repo.write("a.txt", format!("{own}\n"));
    repo.write("b.py", line(0));
    repo.write("docs/c.py", line(1));
    repo.write("vendor/d.py", line(2));
    assert_eq!(counts(repo.path(), &["scan"]), (3, 0));
    repo.write(
        ".stanch.toml",
        "[scan]\nexclude = ['/vendor/']\n[[rules]]\nid = 'corp-token'\nregex = 'corp_[a-z0-9]{20}'\n\
         [[allowlists]]\npaths = ['^docs/']\n",
    );
    assert_eq!(counts(repo.path(), &["scan"]), (2, 0), "a file that is allowed whole is passed over");
    let (_, text) = stanch(repo.path(), &["scan", "--format", "json"]);
    assert!(text.contains("corp-token") && !text.contains(&own), "{text}");
    // The same from a folder below, and from outside.
    assert_eq!(counts(&repo.join("docs"), &["scan"]), (0, 0));
    assert_eq!(counts(&repo.join("docs"), &["scan", "../b.py"]), (1, 0));
    let outside = repo.path().to_str().unwrap().to_owned();
    assert_eq!(counts(Path::new("/"), &["scan", &outside]), (2, 0));
    // And in what is staged.
    repo.git(["add", "--all"]);
    assert_eq!(counts(repo.path(), &["scan", "--staged"]), (2, 0));
    // The history holds them all the same; they do not count there either.
    repo.commit("x");
    assert_eq!(counts(repo.path(), &["history"]), (2, 2));
}

#[test]
fn nested_configurations_hold_for_their_folder() {
    let repo = Sandbox::new();
    for (n, path) in ["a.py", "pkg/a.py", "pkg/gen/a.py"].into_iter().enumerate() {
        repo.write(path, line(n));
    }
    repo.write(
        "pkg/.stanch.toml",
        "[scan]\nexclude = ['gen/']\n[overrides.generic-password]\nseverity = 'low'\n",
    );
    assert_eq!(counts(repo.path(), &["scan"]), (2, 1));
    let (_, text) = stanch(repo.path(), &["scan", "pkg/a.py", "--format", "json"]);
    assert!(text.contains("\"severity\": \"low\"") || text.contains("\"severity\":\"low\""), "{text}");
    let (code, text) = stanch(repo.path(), &["config", "show", "pkg/gen"]);
    assert!(code == 0 && text.contains("excluded by") && text.contains("severity = low"), "{text}");
    // What is wrong in one makes the run fail, never look clean.
    repo.write("pkg/.stanch.toml", "[[rules]]\nid = 'x'\nregex = 'abc'\n");
    let (code, text) = stanch(repo.path(), &["scan"]);
    assert!(code == 2 && text.contains("rules hold for the whole repository"), "{text}");
}

#[test]
fn markers_are_counted() {
    let repo = Sandbox::new();
    let marked = |n, marker: &str| line(n).replace('\n', &format!("  # {marker}\n"));
    repo.write("a.py", marked(0, "stanch:allow generic-password sample"));
    repo.write("b.py", marked(1, "stanch:allow github-pat sample"));
    repo.write("c.py", marked(2, "gitleaks:allow"));
    repo.write("d.py", format!("# pragma: allowlist nextline secret\n{}", line(3)));
    assert_eq!(counts(repo.path(), &["scan"]), (1, 3));
}

#[test]
fn the_baseline_knows_values_wherever_they_go() {
    let repo = Sandbox::new();
    repo.write("a.py", line(0));
    let (code, text) = stanch(repo.path(), &["baseline", "update"]);
    assert!(code == 0 && text.contains("1 added"), "{text}");
    std::fs::rename(repo.join("a.py"), repo.join("b.py")).unwrap();
    repo.write("b.py", format!("\n\n    {}", line(0)));
    assert_eq!(counts(repo.path(), &["scan"]), (0, 1));
    // Another value on the same line is new.
    repo.write("b.py", format!("\n\n    {}", line(1)));
    assert_eq!(counts(repo.path(), &["scan"]), (1, 0));
    let (code, text) = stanch(repo.path(), &["baseline", "check", "--stale"]);
    assert!(code == 1 && text.contains("stale"), "{text}");
    let before = std::fs::read_to_string(repo.join(".stanch-baseline.toml")).unwrap();
    let (_, text) = stanch(repo.path(), &["baseline", "update", "--prune"]);
    assert!(text.contains("1 added, 1 removed, 1 in all"), "{text}");
    let after = std::fs::read_to_string(repo.join(".stanch-baseline.toml")).unwrap();
    assert_eq!(
        before.lines().find(|line| line.starts_with("salt")),
        after.lines().find(|line| line.starts_with("salt"))
    );
    assert!(!after.contains(&value(0)) && !after.contains(&value(1)));
    // Damage is never taken for an empty baseline.
    repo.write(".stanch-baseline.toml", after.replace("rule = ", "rule "));
    let (code, text) = stanch(repo.path(), &["scan"]);
    assert!(code == 2 && text.contains(".stanch-baseline.toml"), "{text}");
    let (code, _) = stanch(repo.path(), &["baseline", "update"]);
    assert_eq!(code, 2);
    repo.write(".stanch-baseline.toml", format!("{} HEAD\n{after}", "<".repeat(7)));
    let (code, text) = stanch(repo.path(), &["scan"]);
    assert!(code == 2 && text.contains("merge conflict"), "{text}");
    assert_eq!(counts(repo.path(), &["scan", "--no-baseline"]), (1, 0));
}

#[test]
fn a_key_protects_fingerprints() {
    let repo = Sandbox::new();
    repo.write("a.py", line(0));
    let keyed = |key: &str, args: &[&str]| {
        result(command(repo.path(), args).env("STANCH_FINGERPRINT_KEY", key).output().unwrap())
    };
    assert_eq!(keyed("one", &["baseline", "update"]).0, 0);
    assert_eq!(keyed("one", &["scan"]).0, 0);
    assert_eq!(keyed("two", &["scan"]).0, 2);
    assert_eq!(stanch(repo.path(), &["scan"]).0, 2);
}

#[test]
fn a_change_cannot_excuse_itself() {
    let repo = Sandbox::new();
    let old = line(0).replace('\n', "  # stanch:allow sample\n");
    repo.write("old.py", &old);
    repo.commit("base");
    repo.git(["tag", "trusted"]);
    repo.write("old.py", format!("{old}{}", line(1).replace('\n', "  # stanch:allow trust me\n")));
    repo.write("new.py", line(2));
    repo.write(".stanch.toml", "[[allowlists]]\npaths = ['new.py']\n");
    stanch(repo.path(), &["baseline", "update"]);
    repo.commit("excuses");
    assert_eq!(counts(repo.path(), &["scan"]).0, 0);
    let (new, suppressed) = counts(repo.path(), &["scan", "--policy-rev", "trusted"]);
    assert_eq!((new, suppressed), (2, 1), "the old marker counts, everything new does not");
    let (_, text) = stanch(repo.path(), &["scan", "--policy-rev", "trusted"]);
    assert!(text.contains(".stanch.toml differs from that of trusted"), "{text}");
    let (code, text) = stanch(repo.path(), &["scan", "--policy-rev", "nowhere"]);
    assert!(code == 2 && text.contains("nowhere"), "{text}");
}

#[test]
fn hooks_stand_beside_others_and_go_away() {
    let repo = Sandbox::new();
    let hook = repo.join(".git/hooks/pre-commit");
    repo.write(".git/hooks/pre-commit", "#!/bin/sh\necho the old hook ran >&2\n");
    let mut executable = std::fs::metadata(&hook).unwrap().permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut executable, 0o755);
    std::fs::set_permissions(&hook, executable).unwrap();
    let (code, text) = stanch(repo.path(), &["hook", "install"]);
    assert!(code == 0 && text.contains("still runs first"), "{text}");
    assert_eq!(stanch(repo.path(), &["hook", "install"]).0, 0, "twice is once");

    repo.write("a.py", line(0));
    repo.git(["add", "--all"]);
    let (code, text) = result(repo.try_git(repo.path(), ["commit", "--message", "x"]));
    assert_ne!(code, 0, "{text}");
    for part in ["the old hook ran", "a.py:1", "generic-password", "stanch:allow", "--no-verify"] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(!text.contains(&value(0)));
    repo.write("a.py", "x = 1\n");
    // `git commit -a` passes another index.
    let (code, text) = result(repo.try_git(repo.path(), ["commit", "--all", "--message", "x"]));
    assert_eq!(code, 0, "{text}");

    let (code, _) = stanch(repo.path(), &["hook", "uninstall"]);
    assert_eq!(code, 0);
    assert!(std::fs::read_to_string(&hook).unwrap().contains("the old hook ran"));
    assert!(!repo.join(".git/hooks/pre-commit.before-stanch").exists());
}

#[test]
fn hooks_follow_core_hookspath_and_refuse_what_makes_no_sense() {
    let repo = Sandbox::new();
    repo.git(["config", "core.hooksPath", "my hooks"]);
    repo.write("below/x", "");
    assert_eq!(stanch(&repo.join("below"), &["hook", "install"]).0, 0);
    assert!(repo.join("my hooks/pre-commit").exists());
    let changed = std::fs::read_to_string(repo.join("my hooks/pre-commit")).unwrap() + "echo more\n";
    repo.write("my hooks/pre-commit", changed);
    let (code, text) = stanch(repo.path(), &["hook", "uninstall"]);
    assert!(code == 2 && text.contains("--force"), "{text}");
    assert_eq!(stanch(repo.path(), &["hook", "uninstall", "--force"]).0, 0);
    assert!(!repo.join("my hooks/pre-commit").exists());
    std::fs::create_dir(repo.join("my hooks/pre-commit")).unwrap();
    assert_eq!(stanch(repo.path(), &["hook", "install"]).0, 2);

    let bare = Sandbox::init(&["--bare"]);
    assert_eq!(stanch(bare.path(), &["hook", "install", "pre-commit"]).0, 2);
    assert_eq!(stanch(bare.path(), &["hook", "install"]).0, 0);
    assert!(bare.join("hooks/pre-receive").exists());
    let none = Sandbox::empty();
    let (code, text) = stanch(none.path(), &["hook", "install"]);
    assert!(code == 2 && text.contains("repository"), "{text}");
}

/// A push that adds a secret is stopped on both sides; one that only moves it is not.
#[test]
fn pushes_are_scanned_on_both_sides() {
    let server = Sandbox::init(&["--bare"]);
    assert_eq!(stanch(server.path(), &["hook", "install"]).0, 0);
    let repo = Sandbox::new();
    repo.git(["remote", "add", "origin", server.path().to_str().unwrap()]);
    repo.write("a.py", "x = 1\n");
    repo.commit("harmless");
    let push = || result(repo.try_git(repo.path(), ["push", "--quiet", "origin", "main"]));
    assert_eq!(push().0, 0, "{}", push().1);
    repo.write("b.py", line(0));
    repo.commit("a secret");
    let (code, text) = push();
    assert!(code != 0 && text.contains("generic-password") && text.contains("stanch stopped this"), "{text}");
    assert_eq!(
        server.git(["rev-parse", "main"]),
        repo.git(["rev-parse", "main~1"]),
        "the server took nothing"
    );
    assert_eq!(stanch(repo.path(), &["hook", "install", "pre-push"]).0, 0);
    let (code, text) = push();
    assert!(code != 0 && text.contains("git push --no-verify"), "{text}");
    repo.git(["reset", "--quiet", "--hard", "HEAD~1"]);
    repo.write("c.py", "y = 2\n");
    repo.commit("harmless, too");
    let (code, text) = push();
    assert_eq!(code, 0, "{text}");
}

#[test]
fn detect_secrets_baselines_are_read_and_taken_over() {
    use sha1::Digest as _;
    let hash = |text: &str| data_encoding::HEXLOWER.encode(&sha1::Sha1::digest(text.as_bytes()));
    let repo = Sandbox::new();
    repo.write("a.py", format!("{}{}", line(0), line(1)));
    let row = |n: usize| serde_json::json!({"type": "Secret Keyword", "filename": "a.py", "hashed_secret": hash(&value(n)), "is_verified": false, "line_number": n + 1, "is_secret": n == 0});
    let file = serde_json::json!({"version": "1.5.0", "plugins_used": [{"name": "Own", "path": "file://own.py"}], "filters_used": [], "results": {"a.py": [row(0), row(1)]}});
    repo.write(".secrets.baseline", serde_json::to_string_pretty(&file).unwrap());
    let (code, text) = stanch(repo.path(), &["scan"]);
    assert!(code == 0 && text.contains("not supported: plugin Own"), "{text}");
    let (code, text) = stanch(repo.path(), &["import", "detect-secrets"]);
    assert!(code == 0 && text.contains("2 added"), "{text}");
    std::fs::remove_file(repo.join(".secrets.baseline")).unwrap();
    assert_eq!(counts(repo.path(), &["scan"]), (0, 2));
    let written = std::fs::read_to_string(repo.join(".stanch-baseline.toml")).unwrap();
    assert!(written.contains("status = \"real\"") && written.contains("status = \"false-positive\""));
    repo.write("not.json", "{\"a\": 1}");
    let (code, text) = stanch(repo.path(), &["baseline", "import", "not.json"]);
    assert!(code == 2 && text.contains("not a baseline of detect-secrets"), "{text}");
}

#[test]
fn gitleaks_files_are_read_and_turned_into_ours() {
    let repo = Sandbox::new();
    let own = |n: usize| format!("{}{}{n}", "corp_", "abcdefghij012345678");
    repo.write("a.txt", format!("{}\n{}\n", own(1), own(2)));
    repo.write("docs/b.txt", format!("{}\n", own(3)));
    repo.write(
        ".gitleaks.toml",
        "title = 't'\n[[rules]]\nid = 'corp'\nregex = '''corp_[[:alnum:]]{20}'''\nkeywords = ['corp_']\n\
         [[allowlists]]\ncondition = 'AND'\npaths = ['''^docs/''']\nregexes = ['''3$''']\n",
    );
    repo.write(".gitleaksignore", "a.txt:corp:2\n");
    assert_eq!(counts(repo.path(), &["scan"]), (1, 2));
    let (code, text) = stanch(repo.path(), &["import", "gitleaks"]);
    assert!(
        code == 0 && text.contains("1 rules, 1 allowlists") && text.contains("1 added from .gitleaksignore"),
        "{text}"
    );
    std::fs::remove_file(repo.join(".gitleaks.toml")).unwrap();
    std::fs::remove_file(repo.join(".gitleaksignore")).unwrap();
    assert_eq!(counts(repo.path(), &["scan"]), (1, 2));
    assert_eq!(stanch(repo.path(), &["import", "gitleaks"]).0, 2, "nothing is left to import");
}

#[test]
fn explain_tells_what_became_of_a_value() {
    let repo = Sandbox::new();
    repo.write("a.py", format!("{}api_key = 'your-key-here'\nx = 1\n", line(0)));
    repo.commit("x");
    let (code, text) = stanch(repo.path(), &["explain", "a.py:1", "--store", "kubernetes"]);
    assert_eq!(code, 0);
    for part in ["generic-password", "reported", "secretKeyRef", "DB_PASSWORD", "git filter-repo"] {
        assert!(text.contains(part), "{part} in {text}");
    }
    // The one that is reported comes last; rules for other paths may have looked before it.
    let fingerprint = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("fingerprint "))
        .next_back()
        .unwrap()
        .to_owned();
    assert!(!text.contains(&value(0)));
    let (_, text) = stanch(repo.path(), &["explain", "a.py:2"]);
    assert!(text.contains("judged harmless"), "{text}");
    let (_, text) = stanch(repo.path(), &["explain", "a.py:3"]);
    assert!(text.contains("nothing on it has the form of a secret"), "{text}");
    let (code, text) =
        stanch(repo.path(), &["explain", &fingerprint[..12], "--show-secrets", "--purge-file", "purge.txt"]);
    assert!(code == 0 && text.contains("at a.py:1") && text.contains("in HEAD"), "{text}");
    assert!(std::fs::read_to_string(repo.join("purge.txt")).unwrap().contains(&value(0)));
    assert_eq!(
        stanch(repo.path(), &["explain", &fingerprint[..12], "--show-secrets", "--purge-file", "purge.txt"])
            .0,
        2,
        "never overwritten"
    );
    assert_eq!(stanch(repo.path(), &["explain", "0123456789ab", "--no-history"]).0, 1);
    assert_eq!(stanch(repo.path(), &["explain", "nonsense"]).0, 2);
}

/// Adds a file, commits it, and returns the commit's id.
fn commit(repo: &Sandbox, path: &str, content: String) -> String {
    repo.write(path, content);
    repo.commit(path).to_hex()
}

#[test]
fn a_range_is_what_its_commits_add() {
    let repo = Sandbox::new();
    let base = commit(&repo, "old.py", line(0));
    commit(&repo, "new.py", format!("x = 1\n{}", line(1)));
    // Moved and reindented: the base holds the value.
    std::fs::remove_file(repo.join("old.py")).unwrap();
    commit(&repo, "moved.py", format!("if x:\n    {}", line(0)));
    // Gone again, but in the history.
    commit(&repo, "new.py", "x = 1\n".to_owned());
    let range = format!("{base}..HEAD");
    assert_eq!(counts(repo.path(), &["history", "--range", &range]), (1, 1));
    assert_eq!(counts(repo.path(), &["history", "--range", "HEAD~1..HEAD"]), (0, 0));
    assert_eq!(counts(repo.path(), &["history", "--max-commits", "1"]), (0, 0));
    assert_eq!(counts(repo.path(), &["history", "--branch", "main"]), (2, 0));
    assert_eq!(counts(repo.path(), &["history", "--since", "2100-01-01"]), (0, 0));
    let (code, text) = stanch(repo.path(), &["history", "--range", "nowhere..HEAD"]);
    assert!(code == 2 && text.contains("nowhere"), "{text}");
    let (code, _) = stanch(repo.path(), &["history", "--since", "tomorrow"]);
    assert_eq!(code, 2);
    // A message is text, too.
    repo.write("z", "z");
    repo.commit(&format!("the new {}", line(2)));
    assert_eq!(counts(repo.path(), &["history", "--range", "HEAD~1..HEAD"]), (1, 0));
}

#[test]
fn a_shallow_clone_says_that_it_cuts_a_range_short() {
    let repo = Sandbox::new();
    for n in 0..3 {
        commit(&repo, &format!("{n}.txt"), n.to_string());
    }
    let clone = Sandbox::empty();
    let from = format!("file://{}", repo.path().display());
    clone.git(["clone", "--quiet", "--depth", "1", from.as_str(), "c"]);
    let (code, text) = stanch(&clone.join("c"), &["history", "--range", "HEAD"]);
    assert!(code == 2 && text.contains("--allow-shallow"), "{text}");
    assert_eq!(stanch(&clone.join("c"), &["history", "--range", "HEAD", "--allow-shallow"]).0, 0);
}

#[test]
fn allowlists_may_name_commits() {
    let repo = Sandbox::new();
    let one = commit(&repo, "a.py", line(0));
    commit(&repo, "b.py", line(1));
    repo.write(".stanch.toml", format!("[[allowlists]]\ncommits = ['{}']\n", &one[..10]));
    assert_eq!(counts(repo.path(), &["history", "--range", "HEAD"]), (1, 1));
    assert_eq!(counts(repo.path(), &["history"]), (1, 1));
}

#[test]
fn the_documented_configuration_is_one() {
    let text =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/src/policy.md")).unwrap();
    let example = text.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let repo = Sandbox::new();
    repo.write(".stanch.toml", example);
    repo.write("policy/company.toml", "");
    let (code, text) = stanch(repo.path(), &["config", "show"]);
    assert!(code == 0 && text.contains("rule corp-token") && text.contains("company.toml"), "{text}");
    assert_eq!(counts(repo.path(), &["scan"]), (0, 0));
}
