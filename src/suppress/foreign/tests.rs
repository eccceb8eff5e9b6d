use super::*;
use crate::finding::{Category, Confidence, Location, Position, Severity, Status};

fn finding(rule: &str, path: &str, line: u64, secret: &str) -> Finding {
    Finding {
        rule: rule.into(),
        description: String::new(),
        category: Category::Token,
        severity: Severity::High,
        confidence: Confidence::High,
        location: Location {
            path: Some(path.into()),
            start: Position { line, column: 1 },
            ..Location::default()
        },
        secret: Secret::new(secret.as_bytes(), 0),
        matched: Default::default(),
        fingerprint: String::new(),
        parts: Vec::new(),
        commit: None,
        life: None,
        occurrences: Vec::new(),
        status: Status::New,
        remediation: Default::default(),
        reasons: Vec::new(),
        tags: Vec::new(),
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
