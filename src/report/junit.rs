//! `junit`: a test that fails for each secret, for everything that reads JUnit's XML.
//!
//! Written as a stream: a report of all tests in memory, as JUnit crates build it, would be larger than
//! the findings. Every text is visible before it is escaped, so that no character is one that XML 1.0
//! cannot hold.

use std::io;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};

use super::escape::visible_str;
use super::view::{View, is_new, utc};
use super::wording;
use crate::finding::{Finding, Skipped};

type Xml<'w> = Writer<&'w mut dyn io::Write>;

/// Writes the document.
pub(crate) fn write(view: &View<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let mut xml: Xml<'_> = Writer::new_with_indent(out, b' ', 2);
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let totals = totals(view);
    let mut suites = BytesStart::new("testsuites");
    suites.push_attribute(("name", "stanch"));
    totals.push_to(&mut suites);
    xml.write_event(Event::Start(suites))?;
    let facts = &view.report.summary;
    let mut suite = BytesStart::new("testsuite");
    suite.push_attribute(("name", format!("stanch {}", facts.mode).as_str()));
    totals.push_to(&mut suite);
    if let Some(time) = utc(facts.started) {
        suite.push_attribute(("timestamp", time.as_str()));
    }
    xml.write_event(Event::Start(suite))?;
    for f in view.findings() {
        finding(view, f, &mut xml)?;
    }
    for s in view.unread() {
        unread(view, s, &mut xml)?;
    }
    if totals.bad == 0 {
        verdict(view, &mut xml)?;
    }
    xml.write_event(Event::End(BytesEnd::new("testsuite")))?;
    xml.write_event(Event::End(BytesEnd::new("testsuites")))?;
    xml.into_inner().write_all(b"\n")
}

struct Totals {
    bad: usize,
    tests: String,
    failures: String,
    errors: String,
    skipped: String,
    seconds: String,
}

fn totals(view: &View<'_>) -> Totals {
    let failures = view.new_findings().count();
    let skipped = view.findings().count() - failures;
    let unread = view.unread().count();
    // The run as a whole is a test when nothing else says how it went.
    let whole = usize::from(failures + unread == 0);
    let errors = unread + usize::from(whole == 1 && view.incomplete());
    let ms = view.report.summary.elapsed_ms;
    Totals {
        bad: failures + unread,
        tests: (failures + skipped + unread + whole).to_string(),
        failures: failures.to_string(),
        errors: errors.to_string(),
        skipped: skipped.to_string(),
        seconds: format!("{}.{:03}", ms / 1000, ms % 1000),
    }
}

impl Totals {
    fn push_to(&self, element: &mut BytesStart<'_>) {
        for (name, value) in [
            ("tests", &self.tests),
            ("failures", &self.failures),
            ("errors", &self.errors),
            ("skipped", &self.skipped),
            ("time", &self.seconds),
        ] {
            element.push_attribute((name, value.as_str()));
        }
    }
}

fn finding(view: &View<'_>, f: &Finding, xml: &mut Xml<'_>) -> io::Result<()> {
    let place = wording::place(view, f, &f.location);
    let path = super::escape::visible(&view.machine_path(f, &f.location));
    let message = wording::message(view, f);
    let mut text =
        format!("{place}\n{message}\n{}\nfingerprint {}", wording::advice(&f.remediation), f.fingerprint);
    for at in &f.occurrences {
        text.push_str(&format!("\nalso at {}", wording::place(view, f, at)));
    }
    let rule = visible_str(&f.rule);
    let name = format!("{rule} at {place}");
    let outcome = if is_new(f) { "failure" } else { "skipped" };
    let message = match wording::suppression(view, f, false) {
        Some(why) => format!("{message} Suppressed: {why}"),
        None => message,
    };
    case(xml, &path, &name, Some((outcome, &rule, &message, &text)))
}

fn unread(view: &View<'_>, s: &Skipped, xml: &mut Xml<'_>) -> io::Result<()> {
    let what = super::escape::visible(&view.name(&s.what));
    let text = wording::skipped(view, s);
    case(xml, &what, &format!("not read: {what}"), Some(("error", s.reason, &text, &text)))
}

/// The one test of a run in which nothing was found: readers take a report without tests for broken.
fn verdict(view: &View<'_>, xml: &mut Xml<'_>) -> io::Result<()> {
    let why = "Not everything could be read: this is not a clean result.";
    let error = view.incomplete().then_some(("error", "incomplete", why, why));
    case(xml, "stanch", "no secrets found", error)
}

fn case(
    xml: &mut Xml<'_>,
    class: &str,
    name: &str,
    outcome: Option<(&str, &str, &str, &str)>,
) -> io::Result<()> {
    let mut case = BytesStart::new("testcase");
    case.push_attribute(("classname", class));
    case.push_attribute(("name", name));
    let Some((element, kind, message, text)) = outcome else {
        return xml.write_event(Event::Empty(case));
    };
    xml.write_event(Event::Start(case))?;
    let mut start = BytesStart::new(element);
    if element != "skipped" {
        start.push_attribute(("type", kind));
    }
    start.push_attribute(("message", message));
    xml.write_event(Event::Start(start))?;
    xml.write_event(Event::Text(BytesText::new(text)))?;
    xml.write_event(Event::End(BytesEnd::new(element)))?;
    xml.write_event(Event::End(BytesEnd::new("testcase")))
}
