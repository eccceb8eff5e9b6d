//! `json` and `jsonl` against the shipped schema.

use serde_json::{Value, json};
use stanch::finding::{Finding, Secret, Status, Suppression};
use stanch::report::{Options, Report, SCHEMA};

use super::fixtures::{clean, github, historic, render, sample, summary, suppressed, token};
use super::schema::violations;

fn schema() -> Value {
    serde_json::from_str(SCHEMA).expect("the schema is JSON")
}

fn json(report: &Report, options: &Options) -> Value {
    serde_json::from_str(&render(report, "json", options)).expect("the report is JSON")
}

fn all_options() -> impl Iterator<Item = Options> {
    (0..4).map(|bits| Options {
        show_secrets: bits & 1 != 0,
        suppressed: bits & 2 != 0,
        ..Options::default()
    })
}

#[test]
fn reports_fit_the_schema() {
    let schema = schema();
    for options in all_options() {
        for report in [sample(), clean(), Report::default()] {
            assert_eq!(violations(&schema, &schema, &json(&report, &options)), Vec::<String>::new());
            for line in render(&report, "jsonl", &options).lines() {
                let line: Value = serde_json::from_str(line).expect("each line is JSON");
                assert_eq!(violations(&schema, &schema["$defs"]["line"], &line), Vec::<String>::new());
            }
        }
    }
}

#[test]
fn the_schema_refuses_what_is_wrong() {
    let schema = schema();
    let good = json(&sample(), &Options::default());
    let spoil: [(&str, Value); 7] = [
        ("/version", json!(2)),
        ("/summary/incomplete", json!("no")),
        ("/findings/0/severity", json!("terrible")),
        ("/findings/0/line", json!(0)),
        ("/findings/0/secret", json!(null)),
        ("/findings/2/commit", json!("HEAD")),
        ("/findings/2/first_seen", json!({ "commit": format!("{:040}", 1), "who": "x" })),
    ];
    for (pointer, value) in spoil {
        let mut bad = good.clone();
        *bad.pointer_mut(pointer).expect("the key is there") = value;
        assert_eq!(violations(&schema, &schema, &bad).len(), 1, "{pointer}");
    }
}

#[test]
fn a_finding_has_the_agreed_keys_in_the_agreed_order() {
    let report = Report { findings: vec![historic(2)], ..clean() };
    insta::assert_snapshot!(render(&report, "json", &Options::default()));
}

#[test]
fn lines_hold_one_finding_each_and_end_with_the_summary() {
    let text = render(&sample(), "jsonl", &Options::default());
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines.len(), 8);
    assert!(lines[..7].iter().all(|line| line["status"] == "new"));
    assert_eq!(lines[7]["summary"]["findings"], 7);
    assert_eq!(lines[7]["summary"]["suppressed"], 1);
    assert_eq!(lines[7]["summary"]["incomplete"], true);
    assert_eq!(lines[7]["skipped"][0]["reason"], "permission-denied");
    assert!(text.lines().last().expect("a last line").starts_with(r#"{"summary":"#));
}

#[test]
fn suppressed_findings_are_listed_only_on_request() {
    let report = Report { findings: vec![suppressed()], summary: summary(), ..Report::default() };
    assert_eq!(json(&report, &Options::default())["findings"], json!([]));
    let all = json(&report, &Options { suppressed: true, ..Options::default() });
    assert_eq!(all["findings"][0]["status"], "suppressed");
    let baseline = json!({ "kind": "baseline", "status": "false-positive", "reason": "Test data", "by": "Cy Dorn", "on": "2024-04-30" });
    assert_eq!(all["findings"][0]["suppression"], baseline);
    assert_eq!(all["summary"]["findings"], 0);
}

#[test]
fn whole_secrets_only_on_request() {
    let report = Report { findings: vec![github(1)], ..clean() };
    let redacted = json(&report, &Options::default());
    assert_eq!(redacted["findings"][0]["secret"], "ghp_…");
    assert_eq!(redacted["findings"][0]["match"], "GITHUB_TOKEN=\"ghp_…\"");
    let whole = json(&report, &Options { show_secrets: true, ..Options::default() });
    assert_eq!(whole["findings"][0]["secret"], token(1));
    assert_eq!(whole["findings"][0]["match"], format!("GITHUB_TOKEN=\"{}\"", token(1)));
    assert_eq!(whole["findings"][0].get("secret_base64"), None);
}

#[test]
fn binary_secrets_and_paths_are_exact_in_base64() {
    let secret = Secret::new(b"\xff\xfe key \x00\x80 material", 0);
    let report = Report { findings: vec![Finding { secret, ..sample().findings.remove(6) }], ..clean() };
    let whole = json(&report, &Options { show_secrets: true, ..Options::default() });
    let expected = data_encoding::BASE64.encode(b"\xff\xfe key \x00\x80 material");
    assert_eq!(whole["findings"][0]["secret_base64"], expected);
    assert_eq!(whole["findings"][0]["path"], "caf\u{fffd}/\u{fffd}.env");
    assert_eq!(whole["findings"][0]["path_base64"], "Y2Fm6S//LmVudg==");
}

#[test]
fn the_words_of_a_suppression_cannot_carry_a_secret() {
    let reason = format!("it is only {}", token(1));
    let suppression = Suppression::Inline { marker: "stanch:allow".into(), reason };
    let finding = Finding { status: Status::Suppressed(suppression), ..github(1) };
    let report = Report { findings: vec![finding], ..clean() };
    let all = json(&report, &Options { suppressed: true, ..Options::default() });
    assert_eq!(all["findings"][0]["suppression"]["reason"], "it is only …");
}
