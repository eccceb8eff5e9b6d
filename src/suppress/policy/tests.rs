use super::*;
use crate::config::{Dialect, Files, LoadOptions, TreeSource, load};
use crate::finding::Location;
use crate::suppress::baseline::{Baseline, Decision, Draft};
use jiff::civil::date;
use std::path::Path;

const TODAY: Date = date(2025, 12, 1);

fn policy() -> Policy {
    Policy::new(Tree::new(Config::default(), TreeSource::default()).unwrap(), TODAY).unwrap()
}

/// A policy of files by their path.
fn policy_of(files: &'static [(&'static str, &'static str)]) -> Policy {
    struct Memory(&'static [(&'static str, &'static str)]);
    impl Files for Memory {
        fn read(&self, path: &Path) -> std::io::Result<Vec<u8>> {
            let found = self.0.iter().find(|(name, _)| Path::new(name) == path);
            found.map(|(_, text)| text.as_bytes().to_vec()).ok_or_else(|| std::io::ErrorKind::NotFound.into())
        }
    }
    let options = LoadOptions { files: &Memory(files), builtin_ids: &|| vec!["r".into()] };
    let base = load(&options, Path::new(".stanch.toml"), Dialect::Stanch).unwrap();
    let source = TreeSource {
        files: Box::new(Memory(files)),
        builtin_ids: || vec!["r".into()],
        ..TreeSource::default()
    };
    Policy::new(Tree::new(base, source).unwrap(), TODAY).unwrap()
}

fn at(path: &str) -> Location {
    Location { path: Some(path.into()), ..Location::default() }
}

fn finding(fingerprint: &str, places: &[&str]) -> Finding {
    Finding {
        rule: "generic-secret".into(),
        location: at(places[0]),
        fingerprint: fingerprint.into(),
        occurrences: places[1..].iter().map(|path| at(path)).collect(),
        ..Finding::blank()
    }
}

fn policy_with(edit: impl FnOnce(&mut Entry)) -> (Policy, String) {
    let mut draft = Draft::new(Path::new("b"), None).unwrap();
    let fingerprint = draft.fingerprinter(None).of(b"value");
    let mut entry =
        Entry { fingerprint: fingerprint.clone(), status: Decision::Accepted, ..Entry::default() };
    edit(&mut entry);
    draft.set(entry);
    let mut policy = policy();
    policy.set_baseline(Some(Baseline::load(Path::new("b"), draft.text().into_bytes()).unwrap().into()));
    (policy, fingerprint)
}

fn suppressed(edit: impl FnOnce(&mut Entry), places: &[&str]) -> (bool, Finding) {
    let (policy, fingerprint) = policy_with(edit);
    let mut findings = [finding(&fingerprint, places)];
    policy.apply(&mut findings, |_| vec!["old-id".to_owned()]).unwrap();
    let [finding] = findings;
    (finding.status != Status::New, finding)
}

#[test]
fn baseline_knows_values() {
    assert!(suppressed(|_| (), &["a", "b"]).0);
    assert!(suppressed(|entry| entry.only_rules = vec!["old-id".into()], &["a"]).0);
    assert!(!suppressed(|entry| entry.only_rules = vec!["other".into()], &["a"]).0);
    assert!(suppressed(|entry| entry.only_paths = vec!["/t/".into()], &["t/a", "t/b"]).0);
    assert!(!suppressed(|entry| entry.only_paths = vec!["/t/".into()], &["t/a", "s/b"]).0);
    assert!(suppressed(|entry| entry.expires = Some(TODAY), &["a"]).0);
    let (hidden, finding) = suppressed(|entry| entry.expires = Some(date(2025, 11, 30)), &["a"]);
    assert!(!hidden);
    assert_eq!(finding.reasons, [EXPIRED]);
    let (policy, _) = policy_with(|_| ());
    let mut other = [self::finding(&"0".repeat(32), &["a"])];
    policy.apply(&mut other, |_| Vec::new()).unwrap();
    assert_eq!(other[0].status, Status::New);
}

#[test]
fn gitleaksignore_knows_places() {
    let mut ignored = IgnoreFile::default();
    ignored.add(Path::new("i"), b"a:old-id:0\nb:generic-secret:0\n".to_vec()).unwrap();
    let mut policy = policy();
    policy.set_ignored(ignored);
    let mut findings = [finding("f", &["a"]), finding("f", &["a", "b"]), finding("f", &["a", "c"])];
    policy.apply(&mut findings, |_| vec!["old-id".to_owned()]).unwrap();
    let quiet: Vec<bool> = findings.iter().map(|finding| finding.status != Status::New).collect();
    assert_eq!(quiet, [true, true, false]);
}

const TEXT: &[u8] = b"k = samplevalue # stanch:allow docs";

fn subject<'a>(path: &'a [u8], rule: &'a str) -> Subject<'a> {
    Subject {
        rule,
        aliases: &[],
        rule_allowlists: &[],
        text: TEXT,
        span: 0..15,
        secret_span: 4..15,
        secret: &TEXT[4..15],
        matched: &TEXT[..15],
        path: Some(path),
        commit: None,
    }
}

fn by(policy: &Policy, path: &str, rule: &str) -> String {
    match policy.judge(&subject(path.as_bytes(), rule)) {
        Some(Suppression::Allowlist { description }) => description,
        Some(Suppression::Inline { reason, .. }) => reason,
        None => "nothing".to_owned(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn allowlists_come_first_and_reach_their_folder() {
    let mut policy = policy_of(&[
        (".stanch.toml", "[[allowlists]]\ndescription = 'top'\npaths = ['^top/']\n"),
        (
            "pkg/.stanch.toml",
            "[scan]\nexclude = ['/gen/']\n[[allowlists]]\nstopwords = ['sample']\ntargetRules = ['r']\n",
        ),
        ("bad/.stanch.toml", "[[allowlists]]\nregexes = ['((a{1000}){1000}){1000}']\n"),
    ]);
    assert_eq!(by(&policy, "top/a", "r"), "top");
    assert_eq!(by(&policy, "pkg/a", "r"), "pkg/.stanch.toml:3");
    assert_eq!(by(&policy, "pkgs/a", "r"), "docs");
    assert_eq!(by(&policy, "pkg/a", "s"), "docs");
    assert_eq!(by(&policy, "pkg/gen/a", "s"), "excluded by pkg/.stanch.toml");
    assert!(policy.allows_all_of(Some(b"top/x"), None).is_some());
    assert!(policy.allows_all_of(Some(b"pkg/x"), None).is_none());
    assert_eq!(policy.take_errors(), []);
    policy.set_base(b"pkg", b"/repo");
    assert_eq!(by(&policy, "a", "r"), "pkg/.stanch.toml:3");
    assert_eq!(by(&policy, "../top/a", "r"), "top");
    assert_eq!(by(&policy, "/repo/top/a", "r"), "top");
    assert_eq!(by(&policy, "/other/top/a", "r"), "docs");
    policy.set_outside(b"../repo");
    assert_eq!(by(&policy, "../repo/top/a", "r"), "top");
    policy.set_base(b"", b"");
    policy.set_markers(Markers::Ignored);
    assert_eq!(by(&policy, "pkgs/a", "r"), "nothing");
    assert_eq!(by(&policy, "bad/a", "r"), "nothing");
    let errors = policy.take_errors();
    assert_eq!((errors.len(), errors[0].line), (1, 2));
}

#[test]
fn rules_have_allowlists_of_their_own() {
    let policy = policy();
    let lists = [crate::rules::Allowlist {
        description: "the rule's".into(),
        all: false,
        target: crate::rules::RegexTarget::Match,
        regexes: vec!["^k =".into()].into(),
        paths: Default::default(),
        commits: Default::default(),
        stopwords: Default::default(),
    }];
    let subject = Subject { rule_allowlists: &lists, ..subject(b"a", "r") };
    for _ in 0..2 {
        let found = policy.judge(&subject);
        assert!(matches!(found, Some(Suppression::Allowlist { description }) if description == "the rule's"));
    }
}

#[test]
fn only_markers_of_the_trusted_revision_count() {
    let mut policy = policy();
    policy.set_markers(Markers::Trusted(Box::new(|path| match path {
        b"old" => Some([b"x\n", TEXT, b"\ny"].concat()),
        b"other" => Some([b"x", TEXT].concat()),
        _ => None,
    })));
    assert_eq!(by(&policy, "old", "r"), "docs");
    assert_eq!(by(&policy, "other", "r"), "nothing");
    assert_eq!(by(&policy, "new", "r"), "nothing");
}

/// A baseline is no place to hide a secret in: only the hashes that the format has are known.
#[test]
fn other_hashes_in_a_baseline_count() {
    let hash = "0123456789abcdef".repeat(4);
    let known = |path: &str, text: String, length: usize| {
        let at = memchr::memmem::find(text.as_bytes(), hash[..length].as_bytes()).unwrap();
        let subject = Subject {
            text: text.as_bytes(),
            span: at..at + length,
            secret_span: at..at + length,
            secret: &text.as_bytes()[at..at + length],
            matched: b"",
            ..subject(path.as_bytes(), "r")
        };
        hash_in_a_baseline(&subject).is_some()
    };
    let ours = baseline::FILE_NAME;
    let nested = format!("a/{ours}");
    let line = |length: usize| format!("#01\n{} = {{ rule = \"r\" }}\n", &hash[..length]);
    let salt = |length: usize| format!("version = 1\nsalt = \"{}\"\n", &hash[..length]);
    let foreign = |length: usize| format!("  \"hashed_secret\": \"{}\",\n", &hash[..length]);
    for path in [ours, &nested] {
        assert!(known(path, line(32), 32) && known(path, salt(64), 64));
        assert!(!known(path, line(40), 40) && !known(path, line(64), 64));
        assert!(!known(path, salt(32), 32) && !known(path, salt(40), 40));
        assert!(!known(path, format!("{} = 1\n", &hash[..32]), 32));
        assert!(!known(path, format!("x = {{ rule = \"r\", reason = \"{}\" }}\n", &hash[..32]), 32));
    }
    assert!(!known("b.toml", line(32), 32) && !known("b.toml", salt(64), 64));
    assert!(known("any.json", foreign(40), 40));
    assert!(!known("any.json", foreign(32), 32) && !known("any.json", foreign(64), 64));
}

/// A value that other commits hold, too, is not allowed by the name of one of them.
#[test]
fn naming_a_commit_allows_what_only_it_has() {
    use crate::finding::{Commit, Life};
    let policy = policy_of(&[(
        ".stanch.toml",
        "[[allowlists]]\ndescription = \"old\"\ncommits = [\"abcdef1234567890abcdef1234567890abcdef12\"]\n",
    )]);
    let allowed = |commits: u64, places: &[&str]| {
        let mut finding = finding("", places);
        let id = "abcdef1234567890abcdef1234567890abcdef12".to_owned();
        finding.commit = Some(Box::new(Commit { id, ..Commit::default() }));
        finding.life = Some(Box::new(Life { commits, ..Life::default() }));
        policy.allowed_by_commit(&finding, &["generic-secret".to_owned()]).is_some()
    };
    assert!(allowed(1, &["a"]));
    assert!(!allowed(2, &["a"]), "in another commit");
    assert!(!allowed(1, &["a", "b"]), "in another place");
    assert!(!allowed(2, &["a", "b"]));
}

#[test]
fn the_flag_s_confidence_is_before_the_configuration_s() {
    let mut policy = policy();
    let of = |policy: &Policy| policy.effective(Some(b"a"), &["r"]).min_confidence;
    let before = of(&policy);
    policy.set_min_confidence(Some(Confidence::Low));
    assert_eq!(of(&policy), Some(Confidence::Low));
    policy.set_min_confidence(None);
    assert_eq!(of(&policy), before);
}

/// Each `..` leads one folder up, and no further than the repository's top.
#[test]
fn paths_lead_into_the_repository() {
    for (prefix, path, expected) in [
        ("", "x", "x"),
        ("", "../x", "../x"),
        ("a", "x", "a/x"),
        ("a/", "x", "a/x"),
        ("a", "../x", "x"),
        ("a/b", "../x", "a/x"),
        ("a/b", "../../x", "x"),
        ("a/b", "../../../x", "../x"),
        ("ab/cd/ef", "../../x", "ab/x"),
        ("a", "b/../x", "a/b/../x"),
        ("a", "/repo/x", "x"),
        ("a", "/repository/x", "/repository/x"),
    ] {
        for root in ["/repo", "/repo/"] {
            let mut policy = policy();
            policy.set_base(prefix.as_bytes(), root.as_bytes());
            let found = policy.in_repository(path.as_bytes()).into_owned();
            assert_eq!(String::from_utf8(found).unwrap(), expected, "{prefix} {path} {root}");
        }
    }
    // Without a known top folder an absolute path stays as it is.
    let mut policy = policy();
    policy.set_base(b"a", b"");
    assert_eq!(&*policy.in_repository(b"/x"), b"/x");
}

/// A nested configuration's mistakes are known once a path below it is met, even if nothing is found there.
#[test]
fn a_mistake_below_is_met_without_a_find() {
    let policy = || {
        policy_of(&[
            (".stanch.toml", ""),
            ("bad/.stanch.toml", "[[allowlists]]\nregexes = ['((a{1000}){1000}){1000}']\n"),
        ])
    };
    for (meet, path, expected) in [
        (true, "bad/a", 1),
        (true, "good/a", 0),
        (false, "bad/a", 0),
        (false, "bad/.stanch.toml", 1),
        (false, "good/.stanch.toml", 0),
    ] {
        let policy = policy();
        if meet {
            policy.meet(path.as_bytes())
        } else {
            policy.meet_file(path.as_bytes())
        }
        assert_eq!(policy.take_errors().len(), expected, "{meet} {path}");
    }
}

#[test]
fn what_is_excluded_or_passed_over_is_not_scanned() {
    let mut policy = policy_of(&[(".stanch.toml", "[scan]\nexclude = ['/gen/']\n")]);
    let excluded =
        |policy: &Policy| ["gen/a", "b.toml", "x/b.toml"].map(|path| policy.excluded(path.as_bytes()));
    assert_eq!(excluded(&policy), [true, false, false]);
    policy.pass_over(b"b.toml");
    assert_eq!(excluded(&policy), [true, true, false]);
    policy.set_base(b"x", b"");
    assert_eq!(excluded(&policy), [false, false, false]);
    assert!(policy.excluded(b"../b.toml") && policy.excluded(b"../gen/a"));
}

#[test]
fn baselines_that_are_set_are_asked() {
    let (ours, fingerprint) = policy_with(|_| ());
    let entry = ours.baseline().unwrap().lookup(&fingerprint).unwrap();
    assert!(entry.is_some() && ours.foreign().is_none());
    let mut theirs = policy();
    assert!(theirs.baseline().is_none() && theirs.foreign().is_none());
    let report =
        r#"[{"RuleID": "generic-secret", "File": "a", "StartLine": 0, "Secret": "value", "Commit": ""}]"#;
    theirs.set_foreign(Some(Foreign::load(Path::new("r.json"), report.into()).unwrap()));
    assert_eq!(theirs.foreign().map(Foreign::len), Some(1));
    let mut findings = [finding("f", &["a"]), finding("f", &["b"]), finding("f", &["a", "b"])];
    theirs.apply(&mut findings, |_| Vec::new()).unwrap();
    let known = Suppression::Baseline {
        status: "undecided".into(),
        reason: "known to gitleaks".into(),
        by: String::new(),
        on: String::new(),
    };
    assert_eq!(findings.map(|f| f.status), [Status::Suppressed(known), Status::New, Status::New]);
}

/// Lists are compiled once for all rules that have the same; one without a description is called after its rule.
#[test]
fn a_rule_s_list_is_its_own() {
    let list = |description: &str, pattern: &str| crate::rules::Allowlist {
        description: description.to_owned().into(),
        all: false,
        target: crate::rules::RegexTarget::Match,
        regexes: vec![pattern.to_owned().into()].into(),
        paths: Default::default(),
        commits: Default::default(),
        stopwords: Default::default(),
    };
    let policy = policy();
    let said = |rule: &'static str, list: crate::rules::Allowlist| {
        let lists = [list];
        let subject = Subject { rule_allowlists: &lists, text: &TEXT[..15], ..subject(b"a", rule) };
        let by_judge = match policy.judge(&subject) {
            Some(Suppression::Allowlist { description }) => description,
            other => format!("{other:?}"),
        };
        assert_eq!(policy.allowed_by_rule(&subject), by_judge != "None", "{rule}");
        by_judge
    };
    assert_eq!(said("r1", list("one", "^k =")), "one");
    assert_eq!(said("r2", list("two", "^no")), "None");
    assert_eq!(said("r3", list("two", "^k =")), "two");
    assert_eq!(said("r4", list("one", "^k =")), "one");
    assert_eq!(said("r5", list("", "^k =")), "allowlist of r5");
    assert_eq!(said("r6", list("", "^k =")), "allowlist of r6");
    assert!(!policy.allowed_by_rule(&subject(b"a", "r7")));
}

/// Of the lists only those that name commits speak of commits, and only of the rules they are for.
#[test]
fn a_list_that_names_a_commit_is_asked_at_the_end() {
    use crate::finding::Commit;
    const ID: &str = "abcdef1234567890abcdef1234567890abcdef12";
    let applied = |configuration: &'static [(&'static str, &'static str)], rule: &str, id: &str| {
        let mut finding = finding("f", &["a"]);
        finding.rule = rule.into();
        finding.commit = Some(Box::new(Commit { id: id.into(), ..Commit::default() }));
        let mut findings = [finding];
        policy_of(configuration).apply(&mut findings, |_| vec!["old-id".to_owned()]).unwrap();
        findings[0].status != Status::New
    };
    let of_one = &[(".stanch.toml", "[[allowlists]]\ncommits = ['abcdef1']\ntargetRules = ['r']\n")];
    assert!(applied(of_one, "r", ID));
    assert!(!applied(of_one, "s", ID));
    assert!(!applied(of_one, "r", "0123456789"));
    let two =
        &[(".stanch.toml", "[[allowlists]]\ncommits = ['0000000']\n[[allowlists]]\nstopwords = ['value']\n")];
    assert!(!applied(two, "r", ID), "the other list was asked when the find was made");
}

/// Lines count only whole: not as a part of longer ones, and with the text's end as their end.
#[test]
fn trusted_lines_are_whole() {
    for (text, expected) in [
        ("ab\ncd", true),
        ("ab\ncd\n", true),
        ("ab\ncd\r\n", true),
        ("x\nab\ncd", true),
        ("ab\ncde", false),
        ("xab\ncd", false),
        ("xab\ncd\nab\ncd\n", true),
        ("ab\n", false),
        ("", false),
    ] {
        assert_eq!(holds_lines(text.as_bytes(), b"ab\ncd"), expected, "{text:?}");
    }
    assert!(!holds_lines(b"ab", b""));
}

/// What has a hash's place and length, but other letters, is no hash.
#[test]
fn only_hex_digits_are_a_hash() {
    for (secret, expected) in [("0f".repeat(20), true), ("0g".repeat(20), false), ("0F".repeat(20), false)] {
        let text = format!("\"hashed_secret\": \"{secret}\"");
        let span = text.len() - 41..text.len() - 1;
        let subject = Subject {
            text: text.as_bytes(),
            span: span.clone(),
            secret_span: span,
            secret: secret.as_bytes(),
            ..subject(b"any.json", "r")
        };
        assert_eq!(hash_in_a_baseline(&subject).is_some(), expected, "{secret}");
    }
}
