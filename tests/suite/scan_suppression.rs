//! Suppression end to end: markers, allowlists and the baseline; what is suppressed is counted and can be
//! listed, and suppresses nothing else.

use std::path::Path;

use serde_json::Value;

use super::cli_support::{Report, Run, github, letters, password, scan, stanch};
use super::git_support::Sandbox;

/// A report with everything that is suppressed listed.
fn all(dir: &Path, args: &[&str], code: i32) -> Report {
    scan(dir, [&["--show-suppressed"], args].concat()).exits(code).report()
}

/// `kind: reason` of each finding's suppression; `new` for those that count.
fn suppressions(report: &Report) -> Vec<String> {
    let why = |f: &Value| match &f["suppression"] {
        Value::Null => "new".to_owned(),
        s => format!("{}: {}", s["kind"].as_str().unwrap(), s["reason"].as_str().unwrap_or_default()),
    };
    report.findings().iter().map(why).collect()
}

/// Scans one file with this text, `SECRET` standing for a token.
fn marked(name: &str, text: &str) -> Report {
    let dir = Sandbox::empty();
    dir.write(name, text.replace("SECRET", &github(1)).replace("OTHER", &github(2)));
    let run = scan(dir.path(), ["--show-suppressed", "."]);
    assert!(matches!(run.code, Some(0 | 1)), "{run:?}");
    let report = run.report();
    let new = report.findings().iter().filter(|f| f["status"] == "new").count() as u64;
    assert_eq!(report.count("findings"), new);
    assert_eq!(report.count("suppressed") + new, report.findings().len() as u64);
    assert_eq!(run.code, Some(i32::from(new > 0)), "{text}");
    report
}

#[test]
fn every_marker_in_every_place() {
    let yes = [
        ("a.py", "k = 'SECRET'  # stanch:allow\n", ""),
        ("a.py", "k = 'SECRET'  # stanch:allow github-pat\n", ""),
        ("a.py", "k = 'SECRET'  # stanch:allow github-pat revoked in May\n", "revoked in May"),
        ("a.py", "k = 'SECRET'  # stanch:allow a sample\r\n", "a sample"),
        ("a.py", "# stanch:allow a sample\nk = 'SECRET'\n", "a sample"),
        ("a.js", "  // stanch:allow github-pat a sample\nk = 'SECRET'", "a sample"),
        ("a.c", "/* stanch:allow sample */\nchar *k = \"SECRET\";\n", "sample"),
        ("a.html", "<!-- stanch:allow sample -->\n<p>SECRET</p>\n", "sample"),
        ("a.go", "k := `SECRET` // gitleaks:allow\n", ""),
        ("a.yml", "k: SECRET  # pragma: allowlist secret\n", ""),
        ("a.yml", "k: SECRET  # pragma: whitelist secret\n", ""),
        ("a.yml", "# pragma: allowlist nextline secret\nk: SECRET\n", ""),
        ("a.ini", "; pragma: allowlist nextline secret\nk = SECRET\n", ""),
        ("a.sql", "-- stanch:allow seed data\nINSERT INTO t VALUES ('SECRET');\n", "seed data"),
    ];
    for (name, text, reason) in yes {
        assert_eq!(suppressions(&marked(name, text)), [format!("inline: {reason}")], "{text}");
    }
    let no = [
        "k = 'SECRET'  # stanch:allow aws-access-key\n",
        "k = 'SECRET'  # stanch:allow github-pta\n",
        "k = 'SECRET'  # stanch: allow\n",
        "k = 'SECRET'\n# stanch:allow\n",
        "x = 1  # stanch:allow\nk = 'SECRET'\n",
        "# stanch:allow\n\nk = 'SECRET'\n",
        "# gitleaks:allow\nk = 'SECRET'\n",
        "# pragma: allowlist secret\nk = 'SECRET'\n",
        "k = 'SECRET'  # pragma: allowlist nextline secret\n",
    ];
    for text in no {
        assert_eq!(suppressions(&marked("a.py", text)), ["new"], "{text}");
    }
}

#[test]
fn a_marker_reaches_no_further_than_its_line() {
    let text = "a = 'SECRET'  # stanch:allow sample\nb = 'OTHER'\n";
    assert_eq!(suppressions(&marked("a.py", text)), ["inline: sample", "new"]);
    let text = "# stanch:allow sample\na = 'SECRET'\nb = 'OTHER'\n";
    assert_eq!(suppressions(&marked("a.py", text)), ["inline: sample", "new"]);
    let text = "a, b = 'SECRET', 'OTHER'  # stanch:allow both\n";
    assert_eq!(suppressions(&marked("a.py", text)), ["inline: both", "inline: both"]);
}

#[test]
fn markers_beside_blocks_and_encoded_text() {
    let begin = format!("-----BEGIN RSA {} KEY-----\n", "PRIVATE");
    let key = format!("{begin}{}", stanch::matcher::checksum::complete("private-key", &begin).unwrap());
    assert_eq!(suppressions(&marked("key.pem", &key)), ["new"]);
    assert_eq!(
        suppressions(&marked("key.pem", &format!("# stanch:allow test key\n{key}"))),
        ["inline: test key"]
    );
    let encoded = data_encoding::BASE64.encode(format!("token={}\n", github(1)).as_bytes());
    assert_eq!(suppressions(&marked("a.txt", &format!("x: {encoded}\n"))), ["new"]);
    let text = format!("x: {encoded} # stanch:allow sample\n");
    assert_eq!(suppressions(&marked("a.txt", &text)), ["inline: sample"]);
}

#[test]
fn markers_count_in_what_is_staged_and_on_standard_input() {
    let repo = Sandbox::new();
    let text = format!("k = '{}'  # stanch:allow sample\n", github(1));
    repo.write("a.py", &text);
    repo.git(["add", "."]);
    assert_eq!(suppressions(&all(repo.path(), &["--staged"], 0)), ["inline: sample"]);
    let mut command = stanch(repo.path(), ["scan", "-", "--format", "json", "--show-suppressed"]);
    let report = Run::with_input(&mut command, text.as_bytes()).exits(0).report();
    assert_eq!(suppressions(&report), ["inline: sample"]);
}

#[test]
fn suppressed_findings_are_counted_in_every_report_and_listed_on_request() {
    let dir = Sandbox::empty();
    dir.write("a.py", format!("k = '{}'  # stanch:allow: the reason given\n", github(1)));
    let quiet = scan(dir.path(), ["."]).exits(0).report();
    assert_eq!((quiet.findings().len(), quiet.count("findings"), quiet.count("suppressed")), (0, 0, 1));
    let listed = all(dir.path(), &["."], 0);
    assert_eq!(listed.findings()[0]["status"], "suppressed");
    assert_eq!((listed.count("findings"), listed.count("suppressed")), (0, 1));
    let text = |more: &[&str]| Run::of(stanch(dir.path(), ["scan"]).args(more)).exits(0).stdout;
    assert!(text(&[]).contains("1 suppressed"), "{}", text(&[]));
    let shown = text(&["--show-suppressed"]);
    assert!(shown.contains("a.py:1") && shown.contains("the reason given"), "{shown}");
    let sarif = text(&["--format", "sarif", "--show-suppressed"]);
    assert!(sarif.contains("\"suppressions\"") && sarif.contains("inSource"), "{sarif}");
    let last = text(&["--format", "jsonl"]);
    assert!(last.contains("\"suppressed\":1"), "{last}");
}

#[test]
fn allowlists_of_every_kind() {
    let repo = Sandbox::new();
    let (secret, other) = (password(11), password(12));
    repo.write("src/a.py", format!("db_password = '{secret}'\n"));
    repo.write("docs/b.py", format!("db_password = '{other}'\n"));
    repo.write("src/c.py", format!("token = '{}'\n", github(1)));
    let check = |config: &str, expected: &[&str], suppressed: u64| {
        repo.write(".stanch.toml", config);
        let run = scan(repo.path(), ["."]);
        let report = run.report();
        assert_eq!(report.paths(), expected, "{config}: {}", run.stderr);
        assert_eq!(report.count("suppressed"), suppressed, "{config}");
        assert_eq!(run.code, Some(i32::from(!expected.is_empty())));
    };
    let whole = |toml: &str| format!("[[allowlists]]\ndescription = 'mine'\n{toml}\n");
    check("", &["docs/b.py", "src/a.py", "src/c.py"], 0);
    check(
        &whole(&format!("regexes = ['^{}$']", secret.replace('#', "\\x23"))),
        &["docs/b.py", "src/c.py"],
        1,
    );
    check(&whole(&format!("stopwords = ['{}']", &secret[..6].to_lowercase())), &["docs/b.py", "src/c.py"], 1);
    check(&whole("regexTarget = 'line'\nregexes = ['db_password']"), &["src/c.py"], 2);
    check(&whole("regexTarget = 'match'\nregexes = ['password']"), &["src/c.py"], 2);
    check(&whole("targetRules = ['github-pat']\nregexes = ['.']"), &["docs/b.py", "src/a.py"], 1);
    let both = "condition = 'AND'\npaths = ['^docs/']\nregexTarget = 'line'\nregexes = ['db_password']";
    check(&whole(both), &["src/a.py", "src/c.py"], 1);
    check("[allowlist]\nregexes = ['.']\n", &[], 3);
    let report = all(repo.path(), &["."], 0);
    assert!(report.findings().iter().all(|f| f["suppression"]["kind"] == "allowlist"), "{report:?}");
    // A file that is allowed whole is not read, and listed as passed over.
    repo.write(".stanch.toml", whole("paths = ['^src/']"));
    let report = scan(repo.path(), ["."]).exits(1).report();
    assert_eq!(report.paths(), ["docs/b.py"]);
    assert_eq!(report.skipped(), ["src/a.py excluded", "src/c.py excluded"]);
    assert!(!report.incomplete());
}

#[test]
fn a_rules_own_allowlist() {
    let repo = Sandbox::new();
    let rule = "[[rules]]\nid = 'corp-token'\ndescription = 'Corp'\nregex = 'corp_[a-z0-9]{20}'\nkeywords = ['corp_']\n";
    let token = |seed| format!("corp_{}", letters(seed, 20).to_lowercase());
    repo.write("a.txt", format!("{}\n{}\n", token(1), token(2)));
    repo.write(".stanch.toml", rule);
    assert_eq!(scan(repo.path(), ["."]).exits(1).report().findings().len(), 2);
    repo.write(".stanch.toml", format!("{rule}[[rules.allowlists]]\nregexes = ['^{}']\n", &token(1)[..12]));
    let report = scan(repo.path(), ["."]).exits(1).report();
    assert_eq!(report.places(), ["a.txt:2:1 corp-token"]);
    assert_eq!(report.count("suppressed"), 1);
}

/// The text of `stanch baseline ARGS`.
#[track_caller]
fn baseline(dir: &Path, args: &[&str], code: i32) -> String {
    let run = Run::of(stanch(dir, ["baseline"]).args(args)).exits(code);
    run.stdout + &run.stderr
}

const FILE: &str = ".stanch-baseline.toml";

#[test]
fn the_baseline_from_its_first_day_to_its_last() {
    let repo = Sandbox::new();
    repo.write("a.txt", format!("token = '{}'\n", github(1)));
    repo.write("b.py", format!("db_password = '{}'\n", password(1)));
    scan(repo.path(), ["."]).exits(1);
    assert!(baseline(repo.path(), &["check"], 2).contains("there is no baseline"));
    assert!(baseline(repo.path(), &["update"], 0).contains("2 added"));
    let text = std::fs::read_to_string(repo.join(FILE)).unwrap();
    assert!(!text.contains(&github(1)) && !text.contains(&password(1)), "{text}");
    let entries: Vec<&str> = text.lines().filter(|line| line.contains("rule = ")).collect();
    assert_eq!(entries.len(), 2, "one line a value: {text}");
    assert!(entries.is_sorted());
    // Known values are suppressed wherever they are, staged or not.
    let report = all(repo.path(), &["."], 0);
    assert_eq!(report.count("suppressed"), 2);
    assert!(report.findings().iter().all(|f| f["suppression"]["kind"] == "baseline"));
    repo.git(["add", "--all"]);
    assert_eq!(all(repo.path(), &["--staged"], 0).count("suppressed"), 2);
    assert_eq!(scan(&repo.join("."), ["a.txt"]).exits(0).report().count("suppressed"), 1);
    scan(repo.path(), ["--no-baseline", "."]).exits(1);
    // Nobody has decided what the values are; that is said until somebody does.
    assert!(baseline(repo.path(), &["check"], 1).ends_with("2 entries, 2 undecided\n"));
    assert!(baseline(repo.path(), &["check", "--stale"], 0).contains("nothing out of date"));
    // Updating again changes nothing, not a byte.
    assert!(baseline(repo.path(), &["update"], 0).contains("0 added"));
    assert_eq!(std::fs::read_to_string(repo.join(FILE)).unwrap(), text);
    // A new value on an old line is new; a gone one is stale.
    repo.write("a.txt", format!("token = '{}'\n", github(2)));
    assert_eq!(scan(repo.path(), ["."]).exits(1).report().places(), ["a.txt:1:10 github-pat"]);
    let said = baseline(repo.path(), &["check", "--stale"], 1);
    assert!(said.contains("stale") && said.contains("a.txt") && !said.contains("b.py"), "{said}");
}

#[test]
fn entries_that_have_run_out_count_again() {
    let repo = Sandbox::new();
    repo.write("a.txt", format!("token = '{}'\n", github(1)));
    baseline(repo.path(), &["update"], 0);
    let text = std::fs::read_to_string(repo.join(FILE)).unwrap();
    let decided = |expires: &str| {
        let accepted = format!("status = \"accepted\", reason = \"until then\", expires = {expires}");
        assert!(text.contains("status = \"undecided\""), "{text}");
        text.replace("status = \"undecided\"", &accepted)
    };
    for (day, code) in [("2020-01-01", 1), ("2999-01-01", 0)] {
        repo.write(FILE, decided(day));
        scan(repo.path(), ["."]).exits(code);
        baseline(repo.path(), &["check", "--expired"], code);
    }
}

#[test]
fn empty_missing_and_damaged_baselines_are_errors_and_lose_nothing() {
    let repo = Sandbox::new();
    repo.write("a.txt", format!("token = '{}'\n", github(1)));
    baseline(repo.path(), &["update"], 0);
    let good = std::fs::read_to_string(repo.join(FILE)).unwrap();
    let missing = Run::of(&mut stanch(repo.path(), ["scan", "--baseline", "nowhere.toml"])).exits(2);
    assert!(missing.stderr.contains("nowhere.toml") && missing.stdout.is_empty(), "{missing:?}");
    let entry = good.lines().find(|line| line.contains("rule = ")).unwrap();
    let cut = &good[..good.find(entry).unwrap() + entry.len() / 2];
    let damaged: [(&str, String); 9] = [
        ("empty", String::new()),
        ("blank", "\n\n".into()),
        ("cut", cut.to_owned()),
        ("no TOML", "{}".into()),
        ("binary", "\0\0\0\0".into()),
        ("a conflict", format!("<<<<<<< ours\n{good}=======\n>>>>>>> theirs\n")),
        ("two decisions", format!("{good}{}\n", entry.replace("undecided", "rotated"))),
        ("a wrong version", good.replace("version = 1", "version = 99")),
        ("another key", format!("{good}[surprise]\nx = 1\n")),
    ];
    for (name, bad) in damaged {
        if bad == good {
            panic!("{name}: nothing was damaged: {good}");
        }
        repo.write(FILE, &bad);
        let run = Run::of(&mut stanch(repo.path(), ["scan"]));
        assert!(run.code == Some(2) && run.stderr.contains(FILE), "{name}: {run:?}");
        baseline(repo.path(), &["update"], 2);
        baseline(repo.path(), &["check"], 2);
        assert_eq!(
            std::fs::read_to_string(repo.join(FILE)).unwrap(),
            bad,
            "{name}: an error changes nothing"
        );
        scan(repo.path(), ["--no-baseline"]).exits(1);
    }
}
