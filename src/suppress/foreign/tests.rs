use super::*;
use crate::finding::{Location, Position};

fn finding(rule: &str, path: &str, line: u64, secret: &str) -> Finding {
    Finding {
        rule: rule.into(),
        location: Location {
            path: Some(path.into()),
            start: Position { line, column: 1 },
            ..Location::default()
        },
        secret: Secret::new(secret.as_bytes(), 0),
        ..Finding::blank()
    }
}

/// A token that is not one.
fn token(fill: char) -> String {
    format!("{}{}", "gh", "p_") + &fill.to_string().repeat(36)
}

fn hex(value: &str) -> String {
    data_encoding::HEXLOWER.encode(&sha1(value.as_bytes()))
}

fn detect_secrets(rows: &[(&str, &str, u64, Option<bool>)]) -> Foreign {
    let mut results = serde_json::Map::new();
    for (path, value, line, is_secret) in rows {
        let mut row = serde_json::json!({"type": "T", "filename": path, "hashed_secret": hex(value), "is_verified": false, "line_number": line});
        if let Some(is_secret) = is_secret {
            row["is_secret"] = (*is_secret).into();
        }
        results.entry(*path).or_insert_with(|| serde_json::json!([])).as_array_mut().unwrap().push(row);
    }
    let file = serde_json::json!({
        "version": "1.5.0",
        "plugins_used": [{"name": "AWSKeyDetector"}, {"name": "Mine", "path": "file://p.py"}],
        "filters_used": [{"path": "detect_secrets.filters.heuristic.is_lock_file"}, {"path": "file://f.py::mine"}],
        "results": results,
        "generated_at": "2025-01-01T00:00:00Z"
    });
    Foreign::load(Path::new(".secrets.baseline"), file.to_string().into_bytes()).unwrap()
}

#[test]
fn detect_secrets_knows_values_by_file() {
    let foreign = detect_secrets(&[("a.py", "hunter2hunter2", 3, Some(false)), ("a.py", "ghp", 7, None)]);
    assert_eq!(foreign.tool(), Tool::DetectSecrets);
    assert_eq!(foreign.unsupported(), ["plugin Mine (file://p.py)", "filter file://f.py::mine"]);
    let knows =
        |path, line, secret: &str| foreign.knows(&finding("r", path, line, secret), &["r".into()], as_it_is);
    assert_eq!(knows("a.py", 99, "hunter2hunter2"), Some(Decision::FalsePositive));
    assert_eq!(knows("b.py", 3, "hunter2hunter2"), None);
    assert_eq!(knows("a.py", 3, "other"), None);
    assert_eq!(knows("a.py", 7, &token('a')), Some(Decision::Undecided));
    assert_eq!(knows("a.py", 8, &token('b')), None, "a new token must not hide behind the prefix");
    let mut twice = finding("r", "a.py", 3, "hunter2hunter2");
    twice.occurrences.push(Location { path: Some("b.py".into()), ..Location::default() });
    assert_eq!(foreign.knows(&twice, &[], as_it_is), None);
}

#[test]
fn detect_secrets_is_taken_over_by_value() {
    let rows = [
        ("a.py", "hunter2hunter2", 1, Some(true)),
        ("a.py", "ghp", 2, None),
        ("a.py", "onlytheirs", 3, Some(false)),
        ("a.py", "gone", 3, None),
        ("a.py", "inner-part", 4, None),
    ];
    let text = format!("x\n{}\nk: 'onlytheirs'\nu = pre:inner-part@h\n", token('a'));
    let findings = [
        finding("generic", "a.py", 9, "hunter2hunter2"),
        finding("github-pat", "a.py", 2, &token('a')),
        finding("github-pat", "a.py", 8, &token('b')),
        finding("url", "a.py", 4, "pre:inner-part@h"),
    ];
    let made = Fingerprinter::new(Some(b"s"), None);
    let imported =
        detect_secrets(&rows).import(&findings, &made, |_| Some(text.clone().into_bytes()), |_| Vec::new());
    let status = |value: &str| {
        imported
            .entries
            .iter()
            .find(|entry| entry.fingerprint == made.of(value.as_bytes()))
            .map(|entry| entry.status)
    };
    assert_eq!(status("hunter2hunter2"), Some(Decision::Real));
    assert_eq!(status(&token('a')), Some(Decision::Undecided));
    assert_eq!(status(&token('b')), None);
    assert_eq!(status("onlytheirs"), Some(Decision::FalsePositive));
    assert_eq!(status("pre:inner-part@h"), Some(Decision::Undecided));
    assert_eq!(imported.entries.len(), 4);
    assert_eq!(imported.warnings.len(), 2);
    assert!(imported.warnings[0].contains("a.py:2") && imported.warnings[0].contains("2 there now"));
    assert!(imported.warnings[1].contains("a.py:3") && imported.warnings[1].contains("not found"));
}

#[test]
fn gitleaks_reports_redacted_or_not() {
    let commit = "0123456789abcdef0123456789abcdef01234567";
    let rows = serde_json::json!([
        {"RuleID": "r", "File": "a", "StartLine": 3, "Secret": "plainvalue", "Commit": commit, "Tags": []},
        {"RuleID": "old", "File": "b", "StartLine": 4, "Secret": "REDACTED", "Commit": ""},
        {"RuleID": "old", "File": "b", "StartLine": 5, "Secret": "REDACTED", "Commit": commit},
    ]);
    let foreign = Foreign::load(Path::new("r.json"), rows.to_string().into_bytes()).unwrap();
    let ids = ["new".to_owned(), "old".to_owned()];
    assert!(foreign.knows(&finding("new", "a", 77, "plainvalue"), &ids, as_it_is).is_some());
    assert!(foreign.knows(&finding("new", "b", 4, "x"), &ids, as_it_is).is_some());
    assert!(foreign.knows(&finding("new", "b", 5, "x"), &ids, as_it_is).is_none(), "another commit");
    assert!(foreign.knows(&finding("new", "b", 4, "x"), &ids[..1], as_it_is).is_none());
}

#[test]
fn what_is_not_a_baseline_is_an_error() {
    for (text, line) in [
        ("[\n {\"RuleID\": 1}]", 2),
        ("{\"a\": 1}", 1),
        ("[1]", 1),
        ("{", 1),
        ("{\"results\": {\"a\": [\n{\"type\": \"t\", \"hashed_secret\": \"zz\"}]}}", 2),
    ] {
        let error = Foreign::load(Path::new("x.json"), text.into()).unwrap_err();
        assert_eq!(error.line, line, "{error}");
        assert!(error.message.starts_with("this is not a"), "{error}");
    }
    assert!(is_foreign(b" {}") && is_foreign(b"[\n {}]") && is_foreign(b"[]"));
    assert!(!is_foreign(b"[entries]") && !is_foreign(b"version = 1") && !is_foreign(b""));
}

fn as_it_is(path: &[u8]) -> Cow<'_, [u8]> {
    Cow::Borrowed(path)
}

#[test]
fn entries_are_counted_and_tools_named() {
    let rows = |count: usize| {
        let rows: Vec<_> = (0..count)
            .map(|n| serde_json::json!({"RuleID": "r", "File": "a", "StartLine": n, "Secret": "REDACTED", "Commit": ""}))
            .collect();
        Foreign::load(Path::new("r.json"), serde_json::Value::Array(rows).to_string().into()).unwrap()
    };
    for count in [0, 1, 3] {
        assert_eq!((rows(count).len(), rows(count).is_empty()), (count, count == 0));
    }
    assert_eq!(rows(0).tool().name(), "gitleaks");
    assert_eq!(detect_secrets(&[]).tool().name(), "detect-secrets");
}

/// An entry for one commit is for no other; one without holds for all.
#[test]
fn an_entry_s_commit_is_the_finding_s() {
    use crate::finding::Commit;
    let rows = serde_json::json!([
        {"RuleID": "r", "File": "any", "StartLine": 1, "Secret": "REDACTED", "Commit": ""},
        {"RuleID": "r", "File": "one", "StartLine": 1, "Secret": "REDACTED", "Commit": "0a"},
    ]);
    let foreign = Foreign::load(Path::new("r.json"), rows.to_string().into_bytes()).unwrap();
    for (path, commit, expected) in [
        ("any", None, true),
        ("any", Some("0b"), true),
        ("one", None, false),
        ("one", Some("0a"), true),
        ("one", Some("0b"), false),
    ] {
        let mut finding = finding("r", path, 1, "plainvalue");
        finding.commit = commit.map(|id| Box::new(Commit { id: id.into(), ..Commit::default() }));
        let known = foreign.knows(&finding, &["r".to_owned()], as_it_is).is_some();
        assert_eq!(known, expected, "{path} {commit:?}");
    }
}

/// One value under several names: whoever decided is heard, in whichever order they stand.
#[test]
fn a_decision_wins_over_none() {
    let made = Fingerprinter::new(Some(b"s"), None);
    let found = ["a.py", "b.py"].map(|path| finding("generic", path, 1, "hunter2hunter2"));
    for (first, second) in [(None, Some(true)), (Some(true), None)] {
        let rows = [("a.py", "hunter2hunter2", 1, first), ("b.py", "hunter2hunter2", 1, second)];
        let imported = detect_secrets(&rows).import(&found, &made, |_| None, |_| Vec::new());
        assert_eq!(imported.entries.iter().map(|entry| entry.status).collect::<Vec<_>>(), [Decision::Real]);
    }
}

/// What they cut out a little differently is ours when it stands on the same line and is no short piece.
#[test]
fn a_part_of_a_value_of_ours_is_taken_for_it() {
    let made = Fingerprinter::new(Some(b"s"), None);
    for (theirs, ours, line, expected) in [
        ("abcdef", "pre:abcdef@h", 1, "pre:abcdef@h"),
        ("abcde", "pre:abcde@h", 1, "abcde"),
        ("abcdefgh", "pre:abcdefgh@h", 1, "pre:abcdefgh@h"),
        ("abcdef", "pre:abcdef@h", 2, "abcdef"),
        ("abcdef", "other", 1, "abcdef"),
    ] {
        let found = [finding("url", "a.py", line, ours)];
        let text = format!("x {theirs} y\n");
        let read = |_: &str| Some(text.clone().into_bytes());
        let imported =
            detect_secrets(&[("a.py", theirs, 1, None)]).import(&found, &made, read, |_| Vec::new());
        let fingerprints: Vec<_> = imported.entries.iter().map(|entry| entry.fingerprint.clone()).collect();
        assert_eq!(fingerprints, [made.of(expected.as_bytes())], "{theirs} {ours} {line}");
    }
}

#[test]
fn the_part_that_many_values_share() {
    let header = format!("{}BEGIN RSA PRIVATE {}", "-----", "KEY-----");
    for (secret, expected) in [
        (token('a'), Some("ghp")),
        (format!("{header}\nabc"), Some(&header[5..header.len() - 5])),
        (format!("  {header}"), Some(&header[5..header.len() - 5])),
        ("BEGIN nothing".to_owned(), None),
        ("value".to_owned(), None),
        // It is looked for at the beginning only.
        ("x".repeat(195) + "BEGIN a-----", None),
        ("x".repeat(194) + "BEGIN a-----", Some("BEGIN a")),
    ] {
        assert_eq!(shared_part(secret.as_bytes()), expected.map(str::as_bytes), "{secret}");
    }
}

/// Any part of a line may be the value; of a long one only its words.
#[test]
fn the_value_of_a_hash() {
    let hash = sha1(b"va-lue");
    for (line, expected) in [
        ("a 'va-lue' b".to_owned(), true),
        ("xva-luey".to_owned(), true),
        ("va-lue".to_owned(), true),
        ("va-lu".to_owned(), false),
        ("va-lue".to_owned() + &"x".repeat(594), true),
        ("va-lue".to_owned() + &"x".repeat(595), false),
        ("va-lue ".to_owned() + &"x".repeat(594), true),
        ("x".repeat(20) + "va-lue" + &"x".repeat(50), true),
    ] {
        let found = preimage(line.as_bytes(), &hash);
        assert_eq!(found.as_deref(), expected.then_some(&b"va-lue"[..]), "{line}");
    }
    assert_eq!(preimage(b"a  b", &sha1(b"")), None, "nothing is no value");
}

/// A mistake is drawn where the parser met it, in words without its own numbers.
#[test]
fn a_mistake_has_its_place() {
    for (line, column, expected) in
        [(1, 1, 0), (1, 2, 1), (2, 1, 3), (2, 2, 4), (3, 1, 6), (9, 9, 6), (2, 0, 3), (0, 0, 0)]
    {
        assert_eq!(offset("ab\ncd\n", line, column), expected, "{line} {column}");
    }
    let error = Foreign::load(Path::new("x.json"), "[\n 17]".into()).unwrap_err();
    assert_eq!((error.line, error.column, error.span.clone()), (2, 3, 4..5), "{error}");
    assert!(error.message.starts_with("this is not a JSON report of gitleaks: invalid type: integer `17`"));
    assert!(!error.message.contains(" at line "), "{error}");
}
