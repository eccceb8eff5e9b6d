//! Text that strangers wrote: no format may be fooled by it, and no value may slip through it.

use std::sync::Arc;

use bstr::BString;
use stanch::finding::{Finding, Location, MessageKind, Secret};
use stanch::report::{Format, Options, Report};

use super::fixtures::{clean, commit, github, historic, render, render_bytes, skipped, token};

/// Pieces that end, open or forge something in at least one format.
pub const NASTY: &[&str] = &[
    "%0A::error file=x::owned",
    "\n::error::owned",
    "\r\n##vso[task.setvariable variable=x]y",
    "<script>alert(1)</script>",
    "</script><!--",
    "=cmd|' /C calc'!A0",
    "]]>",
    "\u{1b}[2J\u{1b}]0;owned\u{7}",
    "\u{202e}gpj.exe\u{2069}",
    "\u{200b}\u{feff}",
    "`|[x](javascript:alert(1))![y](http://z)`",
    "\u{9b}31m",
    "a\"b'c\\d;e,f",
    "{{ 7*7 }}{% raw %}",
];

/// A finding in which every text from outside is `nasty`.
pub fn with_text(nasty: &str) -> Finding {
    let place = Location { container: vec![nasty.into()], path: Some(nasty.into()), ..github(1).location };
    let mut person = commit(1, "x");
    person.author = nasty.into();
    person.email = nasty.into();
    let mut finding = historic(1);
    finding.location = place.clone();
    finding.occurrences = vec![place];
    finding.commit = Some(Box::new(person.clone()));
    finding.matched = (nasty.into(), nasty.into());
    let life = finding.life.as_mut().expect("a historic finding has a life");
    life.first_seen = Some(person.clone());
    life.last_seen = Some(person);
    life.refs = vec![format!("refs/heads/{nasty}")];
    finding
}

fn every_option() -> Options {
    Options { personal_data: true, suppressed: true, verbose: true, ..Options::default() }
}

/// Characters that act on what is around them, listed apart from the library's own list.
fn acts(c: char) -> bool {
    const MARKS: &[char] = &[
        '\u{7f}', '\u{9b}', '\u{200b}', '\u{200f}', '\u{202a}', '\u{202e}', '\u{2066}', '\u{2069}',
        '\u{feff}',
    ];
    (c < ' ' && c != '\n' && c != '\r') || MARKS.contains(&c) || ('\u{80}'..'\u{a0}').contains(&c)
}

#[test]
fn no_format_prints_a_raw_control_or_direction_mark() {
    for nasty in NASTY {
        let report = Report {
            findings: vec![with_text(nasty)],
            skipped: vec![skipped(nasty, "odd", true)],
            ..clean()
        };
        for format in Format::ALL {
            let text = render(&report, format.name(), &every_option());
            let raw = text.chars().find(|c| acts(*c));
            assert_eq!(raw, None, "{} of {nasty:?}:\n{text}", format.name());
        }
    }
}

#[test]
fn json_brings_hostile_text_back_unchanged() {
    for nasty in NASTY {
        let report = Report { findings: vec![with_text(nasty)], ..clean() };
        let json: serde_json::Value =
            serde_json::from_str(&render(&report, "json", &every_option())).expect("the report is JSON");
        assert_eq!(json["findings"][0]["path"], *nasty);
        assert_eq!(json["findings"][0]["author"], *nasty);
    }
}

/// The same value in a path, a message, a ref and a name: none may carry it outside.
#[test]
fn no_format_shows_a_value_wherever_it_stands() {
    let value = token(1);
    let mut leaky = with_text(&format!("see {value} here"));
    leaky.secret = Secret::new(value.as_bytes(), 4);
    let mut other = with_text(&format!("again {value}"));
    other.secret = Secret::new(token(2).as_bytes(), 4);
    let mut name = github(3);
    name.location.path = Some(BString::from(format!("notes/{}", "hunter2")));
    name.location.message_kind = Some(MessageKind::FileName);
    name.secret = Secret::new(b"hunter2", 0);
    let skipped = vec![skipped(&value, "odd", true)];
    let report = Report { findings: vec![leaky, other, name], skipped: vec![], ..clean() };
    for format in Format::ALL {
        let out = render(&report, format.name(), &every_option());
        assert!(!out.contains(&value[4..]), "{}:\n{out}", format.name());
        assert!(!out.contains("hunter2"), "{}:\n{out}", format.name());
    }
    let mut report = report;
    report.skipped = skipped;
    report.skipped[0].detail.clear();
    for format in Format::ALL {
        let out = render(&report, format.name(), &every_option());
        assert!(!out.contains(&value[4..]), "{}:\n{out}", format.name());
    }
}

/// A rule's own words come from a configuration, and that is a file like others: its example can be a real value.
#[test]
fn no_format_shows_a_value_that_a_rule_has_for_its_example() {
    let value = token(1);
    let said = format!("Tokens such as {value}");
    let mut finding = github(1);
    finding.rule = format!("own-{value}");
    finding.description = said.clone();
    finding.tags = vec![said.clone()];
    Arc::make_mut(&mut finding.remediation).revoke = said.clone();
    Arc::make_mut(&mut finding.remediation).command = said.clone();
    finding.parts = vec![(said.clone(), finding.location.clone())];
    // The rule's first finding is of another value, and holds this one as well.
    let first = Finding { secret: Secret::new(token(2).as_bytes(), 4), ..finding.clone() };
    let mut unread = skipped("a.zip", "odd", true);
    unread.detail = said;
    let report = Report { findings: vec![first, finding], skipped: vec![unread], ..clean() };
    for format in Format::ALL {
        let out = render(&report, format.name(), &every_option());
        assert!(!out.contains(&value[4..]), "{}:\n{out}", format.name());
    }
    let shown = Options { show_secrets: true, ..every_option() };
    assert!(render(&report, "json", &shown).contains(&value[4..]));
}

#[test]
fn every_format_writes_something_for_nothing() {
    for format in Format::ALL {
        for report in [Report::default(), clean()] {
            assert!(std::str::from_utf8(&render_bytes(&report, format.name(), &Options::default())).is_ok());
        }
    }
}

#[test]
fn errors_of_the_output_are_passed_on() {
    struct Full;
    impl std::io::Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let report = Report { findings: vec![github(1)], ..clean() };
    for format in Format::ALL {
        let error =
            stanch::report::write(&report, *format, &Options::default(), &mut Full).expect_err("it is full");
        assert_eq!(error.kind(), std::io::ErrorKind::StorageFull, "{}", format.name());
    }
}
