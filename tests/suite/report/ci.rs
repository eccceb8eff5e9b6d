//! Formats that CI systems read: GitHub's and Azure's commands, GitLab's reports, JUnit, CSV, Markdown.
//! Each is read back the way its consumer reads it.

use std::collections::HashSet;

use quick_xml::events::Event;
use serde_json::Value;
use stanch::finding::{Finding, Location};
use stanch::report::{Options, Report};

use super::fixtures::{at, clean, github, render, sample, skipped, summary, suppressed};
use super::hostile::{NASTY, with_text};

fn hostile() -> Report {
    let findings = NASTY.iter().map(|nasty| with_text(nasty)).collect();
    Report {
        findings,
        skipped: NASTY.iter().map(|nasty| skipped(nasty, "odd", true)).collect(),
        summary: summary(),
    }
}

fn asked() -> Options {
    Options { personal_data: true, suppressed: true, ..Options::default() }
}

/// A workflow command as GitHub's runner reads it: properties, message.
fn github_command(line: &str) -> (Vec<(String, String)>, String) {
    let rest = line.strip_prefix("::").expect("a command");
    let (head, message) = rest.split_once("::").expect("two colons end the properties");
    let (name, properties) = head.split_once(' ').expect("properties");
    assert!(["error", "warning", "notice"].contains(&name), "{line}");
    let decode = |text: &str| {
        text.replace("%0D", "\r")
            .replace("%0A", "\n")
            .replace("%3A", ":")
            .replace("%2C", ",")
            .replace("%25", "%")
    };
    let pair = |p: &str| p.split_once('=').map(|(k, v)| (k.to_owned(), decode(v))).expect("key=value");
    (properties.split(',').map(pair).collect(), decode(message))
}

#[test]
fn github_commands_cannot_be_forged() {
    let text = render(&hostile(), "github", &asked());
    let lines: Vec<_> = text.lines().collect();
    // Each finding has two places, each skipped file one command.
    assert_eq!(lines.len(), 3 * NASTY.len());
    for (line, nasty) in lines.iter().step_by(2).zip(NASTY) {
        let (properties, _) = github_command(line);
        let keys: Vec<_> = properties.iter().map(|(k, _)| k.as_str()).collect();
        assert_eq!(keys, ["file", "title"], "{line}");
        assert_eq!(properties[0].1, stanch::report::escape::visible(nasty.as_bytes()));
    }
}

#[test]
fn github_places_are_exact_and_columns_only_on_one_line() {
    let several = Finding {
        location: Location { end: stanch::finding::Position { line: 20, column: 4 }, ..github(1).location },
        ..github(1)
    };
    let text =
        render(&Report { findings: vec![github(1), several], ..clean() }, "github", &Options::default());
    let lines: Vec<_> = text.lines().map(github_command).collect();
    let values = |n: usize| lines[n].0.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>().join(" ");
    assert_eq!(
        values(0),
        "file=config/prod.env line=12 endLine=12 col=9 endColumn=62 title=GitHub personal access token"
    );
    assert_eq!(values(1), "file=config/prod.env line=12 endLine=20 title=GitHub personal access token");
}

#[test]
fn an_incomplete_run_is_said_in_every_ci_format() {
    let mut flagged = clean();
    flagged.summary.incomplete = true;
    let unread = Report { skipped: vec![skipped("etc/shadow", "permission-denied", true)], ..clean() };
    for format in ["github", "azure", "junit", "markdown", "sarif", "gitlab", "json", "jsonl", "text"] {
        for report in [&flagged, &unread] {
            let clean = render(&clean(), format, &Options::default());
            assert_ne!(render(report, format, &Options::default()), clean, "{format}");
        }
    }
    for format in [
        "github",
        "azure",
        "junit",
        "markdown",
        "sarif",
        "gitlab",
        "codequality",
        "csv",
        "json",
        "jsonl",
        "text",
    ] {
        let text = render(&unread, format, &Options::default());
        assert!(text.contains("permission-denied"), "{format}: {text}");
    }
}

#[test]
fn azure_commands_cannot_be_forged() {
    let text = render(&hostile(), "azure", &asked());
    assert_eq!(text.lines().count(), 3 * NASTY.len());
    for line in text.lines() {
        assert_eq!(line.matches("##vso[").count(), 1, "{line}");
        let (head, message) =
            line.strip_prefix("##vso[task.logissue ").and_then(|l| l.split_once(']')).expect("a command");
        let keys: HashSet<_> =
            head.split_terminator(';').map(|p| p.split_once('=').expect("key=value").0).collect();
        assert!(keys.is_subset(&["type", "sourcepath", "code"].into()), "{line}");
        assert!(!message.contains("##"), "{line}");
        assert_eq!(message.matches('%').count(), message.matches("%AZP25").count(), "{line}");
    }
}

fn json(report: &Report, format: &str, options: &Options) -> Value {
    serde_json::from_str(&render(report, format, options)).expect("JSON")
}

/// The constraints of GitLab's schema 15 that JSON's types do not already give.
#[test]
fn gitlab_gets_what_its_schema_wants() {
    for report in [sample(), hostile(), clean(), Report::default()] {
        let json = json(&report, "gitlab", &asked());
        let time = |value: &Value| value.as_str().is_some_and(|t| t.len() == 19 && t.as_bytes()[10] == b'T');
        assert!(time(&json["scan"]["start_time"]) && time(&json["scan"]["end_time"]));
        assert_eq!(json["scan"]["type"], "secret_detection");
        let mut ids = HashSet::new();
        for v in json["vulnerabilities"].as_array().expect("an array") {
            assert!(ids.insert(v["id"].clone()), "ids are unique");
            assert_eq!(v["id"].as_str().map(str::len), Some(36));
            assert!(v["name"].as_str().is_some_and(|n| n.chars().count() <= 255));
            assert!(v["solution"].as_str().is_some_and(|n| n.chars().count() <= 7000));
            assert!(v["identifiers"][0]["value"].as_str().is_some_and(|n| !n.is_empty()));
            assert_eq!(v["location"]["commit"]["sha"].as_str().map(str::len), Some(40));
            assert_eq!(v.get("raw_source_code_extract"), None);
        }
        let incomplete = report.skipped.iter().any(|s| s.incomplete);
        assert_eq!(json["scan"]["status"], if incomplete { "failure" } else { "success" });
    }
}

#[test]
fn code_quality_fingerprints_are_unique_and_stable_over_lines() {
    let report = Report { findings: vec![github(1), github(1), github(2)], ..clean() };
    let moved = Finding { location: at(b"config/prod.env", 99, 1, 5), ..github(1) };
    let moved = Report { findings: vec![moved.clone(), moved, github(2)], ..clean() };
    let prints = |report| -> Vec<_> {
        let issues = json(report, "codequality", &Options::default());
        issues.as_array().expect("an array").iter().map(|i| i["fingerprint"].clone()).collect()
    };
    assert_eq!(prints(&report), prints(&moved));
    assert_eq!(prints(&report).iter().collect::<HashSet<_>>().len(), 3);
}

/// Elements with their attributes, as a parser sees them.
fn xml(text: &str) -> Vec<(String, Vec<(String, String)>)> {
    let mut reader = quick_xml::Reader::from_str(text);
    reader.config_mut().check_end_names = true;
    let mut elements = Vec::new();
    loop {
        match reader.read_event().expect("well-formed XML") {
            Event::Start(e) | Event::Empty(e) => {
                let name = String::from_utf8(e.name().as_ref().to_vec()).expect("UTF-8");
                let attributes = e.attributes().map(|a| a.expect("a well-formed attribute")).map(|a| {
                    let key = String::from_utf8(a.key.as_ref().to_vec()).expect("UTF-8");
                    (key, a.unescape_value().expect("known entities").into_owned())
                });
                elements.push((name, attributes.collect()));
            }
            Event::Eof => return elements,
            Event::Text(t) => assert!(!t.windows(3).any(|w| w == b"]]>"), "XML forbids this in text"),
            _ => {}
        }
    }
}

#[test]
fn junit_is_well_formed_and_counts_right() {
    for report in
        [sample(), hostile(), clean(), Report::default(), Report { findings: vec![suppressed()], ..clean() }]
    {
        let elements = xml(&render(&report, "junit", &asked()));
        let count = |name: &str| elements.iter().filter(|(n, _)| n == name).count().to_string();
        let of = |key: &str| {
            elements[1].1.iter().find(|(k, _)| k == key).map(|(_, v)| v.clone()).expect("a total")
        };
        assert_eq!(elements[0].0, "testsuites");
        assert_eq!(of("tests"), count("testcase"));
        assert_eq!(of("failures"), count("failure"));
        assert_eq!(of("errors"), count("error"));
        assert_eq!(of("skipped"), count("skipped"));
        assert_ne!(count("testcase"), "0");
    }
}

#[test]
fn junit_brings_hostile_paths_back() {
    for nasty in NASTY {
        let report = Report { findings: vec![with_text(nasty)], ..clean() };
        let elements = xml(&render(&report, "junit", &asked()));
        let shown = stanch::report::escape::visible(nasty.as_bytes());
        assert_eq!(elements[2].1[0].1, format!("{shown}!{shown}"));
    }
}

#[test]
fn csv_cells_are_no_formulas() {
    let text = render(&hostile(), "csv", &asked());
    let mut reader = csv::ReaderBuilder::new().flexible(false).from_reader(text.as_bytes());
    let rows: Vec<_> = reader.records().map(|r| r.expect("a well-formed row")).collect();
    assert_eq!(rows.len(), 2 * NASTY.len());
    for cell in rows.iter().flatten() {
        let first = cell.trim_start_matches([' ', '"']).chars().next();
        assert!(!matches!(first, Some('=' | '+' | '-' | '@' | '|' | '%')), "{cell}");
    }
    for formula in ["=1+1", "+1", "-1", "@SUM(A1)", " =1", "\"=1", "'=1", "|x"] {
        let path = Finding { location: at(formula.as_bytes(), 1, 1, 1), ..github(1) };
        let text = render(&Report { findings: vec![path], ..clean() }, "csv", &Options::default());
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let row = reader.records().next().expect("a row").expect("well-formed");
        assert_eq!(&row[6], format!("'{formula}"));
    }
}

#[test]
fn markdown_keeps_hostile_text_in_code_and_rows_in_their_columns() {
    let text = render(&hostile(), "markdown", &asked());
    for line in text.lines().filter(|l| l.starts_with("| critical")) {
        let bars = line.replace("\\|", "").matches('|').count();
        assert_eq!(bars, 6, "{line}");
    }
    assert!(!text.contains("\n<script>"));
    assert_eq!(text.lines().filter(|l| l.starts_with('#')).count(), 3, "{text}");
}

#[test]
fn a_large_markdown_summary_stays_below_githubs_limit() {
    let long = "long/".repeat(800);
    let findings = (0..20_000)
        .map(|n| Finding { location: at(long.as_bytes(), n as u64 + 1, 1, 9), ..github(n) })
        .collect();
    let skipped = (0..20_000).map(|n| skipped(&format!("{long}{n}"), "odd", true)).collect();
    let text = render(&Report { findings, skipped, ..clean() }, "markdown", &Options::default());
    assert!(text.len() < 1_000_000, "{}", text.len());
    assert!(text.contains("… and 19500 more"), "the rest is counted");
}

#[test]
fn gitleaks_shape_has_every_key_and_no_more() {
    let leaks = json(&sample(), "gitleaks", &Options::default());
    const KEYS: [&str; 18] = [
        "RuleID",
        "Description",
        "StartLine",
        "EndLine",
        "StartColumn",
        "EndColumn",
        "Match",
        "Secret",
        "File",
        "SymlinkFile",
        "Commit",
        "Entropy",
        "Author",
        "Email",
        "Date",
        "Message",
        "Tags",
        "Fingerprint",
    ];
    for leak in leaks.as_array().expect("an array") {
        assert_eq!(leak.as_object().expect("an object").keys().collect::<Vec<_>>(), KEYS);
    }
    assert_eq!(leaks[0]["Fingerprint"], "config/prod.env:github-pat:12");
    assert_eq!(leaks[0]["EndColumn"], 61);
    assert_eq!(json(&clean(), "gitleaks", &Options::default()), serde_json::json!([]));
}
