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

#[test]
fn what_stops_a_commit_is_said_in_a_few_lines() {
    let staged = |findings| Report {
        findings,
        summary: stanch::report::Summary { mode: "staged", ..summary() },
        ..clean()
    };
    let text = plain(&staged(vec![github(1)]));
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines.len() <= 8, "{text}");
    // What, where, how to fix, how to allow, where the rest is.
    for words in [
        "github-pat",
        "config/prod.env:12:9",
        "take the value out",
        "stanch:allow RULE REASON",
        "`stanch explain ",
        "1 secret found",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(!text.contains("What to do"), "{text}");
    let verbose = render(&staged(vec![github(1)]), "text", &Options { verbose: true, ..Options::default() });
    assert!(verbose.contains("What to do") && verbose.contains("Delete it on the token page"), "{verbose}");
    // Many findings are counted.
    let many = plain(&staged((0..500).map(github).collect()));
    assert!(many.contains("… and 480 more (--verbose names all)") && many.lines().count() < 40, "{many}");
    // A path that a shell would not take as it is, is not put into a command.
    let odd = Finding { location: at(b"a b;c.py", 1, 1, 9), ..github(1) };
    assert!(plain(&staged(vec![odd])).contains("`stanch explain FILE:LINE`"));
}
