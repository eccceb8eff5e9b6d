//! The report for people.

use stanch::finding::Finding;
use stanch::report::{Options, Report};

use super::fixtures::{at, clean, github, historic, render, sample, skipped, summary};

fn plain(report: &Report) -> String {
    render(report, "text", &Options::default())
}

#[test]
fn a_clean_run_is_one_line() {
    insta::assert_snapshot!(plain(&clean()), @"No secrets found; scanned 1,204 files, 12.3 MB, with 60 rules in 120 ms");
}

#[test]
fn findings_in_every_kind_of_place() {
    insta::assert_snapshot!(plain(&sample()));
}

#[test]
fn everything_when_verbose() {
    let options = Options { verbose: true, suppressed: true, ..Options::default() };
    insta::assert_snapshot!(render(&sample(), "text", &options));
}

#[test]
fn colours_only_on_request() {
    let report = Report { findings: vec![historic(2)], ..clean() };
    assert!(!plain(&report).contains('\u{1b}'));
    let coloured = render(&report, "text", &Options { color: true, ..Options::default() });
    assert!(coloured.contains("\u{1b}[1m\u{1b}[35mcritical\u{1b}[0m"), "{coloured}");
    assert_eq!(anstream::adapter::strip_str(&coloured).to_string(), plain(&report));
}

#[test]
fn many_findings_take_a_line_each_and_advice_comes_once() {
    let places = (0..30).map(|n| Finding {
        location: at(format!("src/f{}.rs", n / 3).as_bytes(), n as u64 + 1, 1, 9),
        ..github(n)
    });
    let text = plain(&Report { findings: places.collect(), ..clean() });
    assert_eq!(text.lines().filter(|l| l.starts_with("src/f") && l.contains("github-pat")).count(), 30);
    assert_eq!(text.matches("Delete it on the token page").count(), 1);
    assert_eq!(text.lines().take(4).filter(|l| l.is_empty()).count(), 1, "files are set apart:\n{text}");
}

#[test]
fn an_incomplete_run_never_looks_clean() {
    let unread = Report { skipped: vec![skipped("etc/shadow", "permission-denied", true)], ..clean() };
    let mut flagged = clean();
    flagged.summary.incomplete = true;
    for report in [unread, flagged] {
        let text = plain(&report);
        assert!(text.contains("INCOMPLETE"), "{text}");
        assert!(!text.contains("No secrets found"), "{text}");
    }
    let excluded = Report { skipped: vec![skipped("big.iso", "excluded", false)], ..clean() };
    assert!(plain(&excluded).starts_with("No secrets found"));
}

#[test]
fn many_skipped_files_are_counted() {
    let many = (0..500).map(|n| skipped(&format!("f{n}"), "unreadable", true)).collect();
    let text = plain(&Report { skipped: many, ..clean() });
    assert!(text.contains("… and 490 more"), "{text}");
    assert!(text.lines().count() < 20, "{text}");
}

#[test]
fn staged_findings_get_advice_for_before_the_commit() {
    let staged = Report {
        findings: vec![github(1)],
        summary: stanch::report::Summary { mode: "staged", ..summary() },
        ..clean()
    };
    assert!(plain(&staged).contains("not committed yet"));
    assert!(!plain(&Report { findings: vec![github(1)], ..clean() }).contains("not committed yet"));
}
