//! SARIF: what GitHub asks for beyond the schema.

use serde_json::Value;
use stanch::finding::{Confidence, Finding, Severity, Status, Suppression};
use stanch::report::{Options, Report};

use super::fixtures::{at, clean, github, render, sample, suppressed};

fn sarif(report: &Report) -> Value {
    serde_json::from_str(&render(report, "sarif", &Options { suppressed: true, ..Options::default() }))
        .expect("JSON")
}

fn hashes(report: &Report) -> Vec<String> {
    let log = sarif(report);
    let results = log["runs"][0]["results"].as_array().expect("results");
    let hash =
        |r: &Value| r["partialFingerprints"]["primaryLocationLineHash"].as_str().expect("a hash").to_owned();
    results.iter().map(hash).collect()
}

fn one(finding: Finding) -> Report {
    Report { findings: vec![finding], ..clean() }
}

#[test]
fn fingerprints_survive_moved_lines_but_not_other_values_or_files() {
    let original = hashes(&one(github(1)));
    let moved = Finding { location: at(b"config/prod.env", 400, 1, 53), ..github(1) };
    assert_eq!(hashes(&one(moved)), original);
    assert_ne!(hashes(&one(github(2))), original);
    let elsewhere = Finding { location: at(b"config/test.env", 12, 9, 53), ..github(1) };
    assert_ne!(hashes(&one(elsewhere)), original);
}

#[test]
fn the_same_value_twice_in_a_file_has_two_fingerprints() {
    let twice = Report { findings: vec![github(1), github(1)], ..clean() };
    let hashes = hashes(&twice);
    assert!(hashes[0].ends_with(":1") && hashes[1].ends_with(":2"), "{hashes:?}");
    assert_eq!(hashes[0].split(':').next(), hashes[1].split(':').next());
}

#[test]
fn runs_are_split_at_the_limit_and_categories_differ() {
    let findings = (0..25_001).map(|n| Finding { occurrences: Vec::new(), ..github(n) }).collect();
    let log = sarif(&Report { findings, ..clean() });
    let runs = log["runs"].as_array().expect("runs");
    let sizes: Vec<_> = runs.iter().map(|r| r["results"].as_array().expect("results").len()).collect();
    assert_eq!(sizes, [25_000, 1]);
    assert_ne!(runs[0]["automationDetails"]["id"], runs[1]["automationDetails"]["id"]);
    assert_eq!(runs[1]["tool"]["driver"]["rules"][0]["id"], "github-pat");
}

#[test]
fn suppressions_say_who_and_why_and_are_absent_unless_asked_for() {
    let inline = Suppression::Inline { marker: "stanch:allow".into(), reason: "docs".into() };
    let inline = Finding { status: Status::Suppressed(inline), ..github(1) };
    let report = Report { findings: vec![suppressed(), inline], ..clean() };
    let log = sarif(&report);
    let of = |n: usize| &log["runs"][0]["results"][n]["suppressions"][0];
    assert_eq!(of(0)["kind"], "external");
    assert_eq!(of(0)["justification"], "baseline, false-positive: Test data (2024-04-30)");
    assert_eq!(of(1)["kind"], "inSource");
    let quiet: Value = serde_json::from_str(&render(&report, "sarif", &Options::default())).expect("JSON");
    assert_eq!(quiet["runs"][0]["results"].as_array().expect("results").len(), 0);
}

#[test]
fn uris_are_relative_and_exact() {
    let log = sarif(&sample());
    let uri =
        |n: usize| &log["runs"][0]["results"][n]["locations"][0]["physicalLocation"]["artifactLocation"];
    assert_eq!(uri(6)["uri"], "caf%E9/%FF.env");
    assert_eq!(uri(6)["uriBaseId"], "%SRCROOT%");
    assert_eq!(uri(3)["uri"], "stdin");
    assert_eq!(uri(5)["uri"], "dist/app.zip");
    let colon = sarif(&one(Finding { location: at(b"a:b c#d?e%20.txt", 1, 1, 1), ..github(1) }));
    let place = &colon["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "a%3Ab%20c%23d%3Fe%2520.txt");
    let absolute = sarif(&one(Finding { location: at(b"/etc/app env", 1, 1, 1), ..github(1) }));
    let place = &absolute["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "file:///etc/app%20env");
    assert_eq!(place["artifactLocation"].get("uriBaseId"), None);
}

#[test]
fn regions_are_full_even_for_names_of_files() {
    for result in sarif(&sample())["runs"][0]["results"].as_array().expect("results") {
        let region = &result["locations"][0]["physicalLocation"]["region"];
        for key in ["startLine", "startColumn", "endLine", "endColumn"] {
            assert!(region[key].as_u64() >= Some(1), "{key} of {region}");
        }
    }
    let nowhere = Finding { location: Default::default(), ..github(1) };
    let region =
        sarif(&one(nowhere))["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"].clone();
    assert_eq!(region, serde_json::json!({ "startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 1 }));
}

#[test]
fn levels_and_security_severity_follow_the_severity() {
    let expected = [("note", "3.0"), ("warning", "5.5"), ("error", "8.0"), ("error", "9.5")];
    for (severity, (level, score)) in Severity::ALL.iter().zip(expected) {
        let log = sarif(&one(Finding { severity: *severity, confidence: Confidence::Low, ..github(1) }));
        let run = &log["runs"][0];
        assert_eq!(run["results"][0]["level"], level);
        assert_eq!(run["tool"]["driver"]["rules"][0]["properties"]["security-severity"], score);
    }
}

#[test]
fn what_was_not_read_is_a_failed_invocation() {
    let log = sarif(&sample());
    let invocation = &log["runs"][0]["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], false);
    let notes = invocation["toolExecutionNotifications"].as_array().expect("notifications");
    assert_eq!(notes[0]["level"], "error");
    assert_eq!(notes[0]["descriptor"]["id"], "permission-denied");
    assert_eq!(notes[1]["level"], "note");
    assert_eq!(sarif(&clean())["runs"][0]["invocations"][0]["executionSuccessful"], true);
}

#[test]
fn texts_keep_to_githubs_limits() {
    let long = Finding {
        description: "é".repeat(5000),
        tags: (0..50).map(|n| n.to_string()).collect(),
        ..github(1)
    };
    let log = sarif(&one(Finding { occurrences: (0..500).map(|n| at(b"x", n + 1, 1, 1)).collect(), ..long }));
    let rule = &log["runs"][0]["tool"]["driver"]["rules"][0];
    assert_eq!(rule["fullDescription"]["text"].as_str().expect("text").chars().count(), 1024);
    assert_eq!(rule["properties"]["tags"].as_array().expect("tags").len(), 10);
    assert_eq!(log["runs"][0]["results"][0]["relatedLocations"].as_array().expect("places").len(), 100);
}
