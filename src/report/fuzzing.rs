//! What fuzz targets call: a report whose every text from outside is up to the fuzzer, in every format, read back
//! by what reads such formats.

use bstr::{BString, ByteSlice};
use quick_xml::events::Event;

use super::escape::is_hostile;
use super::{Format, Options, Report, Summary, write};
use crate::finding::{
    Category, Commit, Confidence, Finding, Life, Location, MessageKind, Position, Secret, Severity, Skipped,
    Status, Suppression,
};

/// A value that stands in texts where they hold the byte 1.
fn value() -> String {
    ["q7Xz", "0mVw", "Lr4k", "Tn9e"].concat()
}

/// Hands out the bytes of an input.
struct Feed<'a>(&'a [u8]);

impl<'a> Feed<'a> {
    fn byte(&mut self) -> u8 {
        let Some((&byte, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        byte
    }

    fn bytes(&mut self) -> BString {
        let len = usize::from(self.byte()).min(self.0.len());
        let (bytes, rest) = self.0.split_at(len);
        self.0 = rest;
        bytes.replace(b"\x01", value()).into()
    }

    fn text(&mut self) -> String {
        self.bytes().to_str_lossy().into_owned()
    }

    fn number(&mut self) -> u64 {
        match self.byte() {
            byte @ 0..=0xf0 => u64::from(byte),
            byte => u64::MAX >> (byte & 0xf).saturating_mul(4),
        }
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[usize::from(self.byte()) % all.len()]
    }

    fn location(&mut self) -> Location {
        let kinds = [None, None, None, Some(MessageKind::Commit), Some(MessageKind::FileName)];
        let start = Position { line: self.number(), column: self.number() };
        Location {
            path: (self.byte() & 1 == 0).then(|| self.bytes()),
            start,
            end: Position { line: start.line.saturating_add(self.number()), column: self.number() },
            container: (0..self.byte() & 1).map(|_| self.bytes()).collect(),
            decoded: if self.byte() & 1 == 0 { vec![] } else { vec!["base64", "gzip"] },
            message_kind: self.one_of(&kinds),
        }
    }

    fn commit(&mut self) -> Commit {
        Commit {
            id: format!("{:040x}", self.number()),
            author: self.bytes(),
            email: self.bytes(),
            time: self.number() as i64,
            offset_minutes: self.number() as i32,
        }
    }

    fn life(&mut self) -> Life {
        Life {
            first_seen: (self.byte() & 1 == 0).then(|| self.commit()),
            last_seen: (self.byte() & 1 == 0).then(|| self.commit()),
            in_head: self.byte() & 1 == 0,
            refs: (0..self.byte() & 3).map(|_| self.text()).collect(),
            unreachable: (self.byte() & 1 == 0).then_some("reflog"),
            blobs: self.number(),
            paths: self.number(),
            commits: self.number(),
            age_days: (self.byte() & 1 == 0).then(|| self.number() as i64),
        }
    }

    fn status(&mut self) -> Status {
        Status::Suppressed(match self.byte() {
            0 => Suppression::Baseline {
                status: "accepted".into(),
                reason: self.text(),
                by: self.text(),
                on: "2024-05-01".into(),
            },
            1 => Suppression::Inline { marker: self.text(), reason: self.text() },
            2 => Suppression::Allowlist { description: self.text() },
            _ => return Status::New,
        })
    }

    fn finding(&mut self, n: usize) -> Finding {
        Finding {
            rule: if self.byte() & 1 == 0 { "github-pat".into() } else { self.text() },
            description: self.text(),
            category: self.one_of(Category::ALL),
            severity: self.one_of(Severity::ALL),
            confidence: self.one_of(Confidence::ALL),
            location: self.location(),
            secret: Secret::new(value().as_bytes(), 0),
            matched: (self.bytes(), self.bytes()),
            fingerprint: format!("{n:032x}"),
            parts: (0..self.byte() & 1).map(|_| ("part".to_owned(), self.location())).collect(),
            commit: (self.byte() & 1 == 0).then(|| Box::new(self.commit())),
            life: (self.byte() & 1 == 0).then(|| Box::new(self.life())),
            occurrences: (0..self.byte() & 1).map(|_| self.location()).collect(),
            status: self.status(),
            remediation: Default::default(),
            reasons: vec!["checksum-valid"],
            tags: (0..self.byte() & 1).map(|_| self.text()).collect(),
        }
    }

    fn report(&mut self) -> (Report, Options) {
        let flags = self.byte();
        let has = |bit: u8| flags >> bit & 1 != 0;
        let options = Options {
            show_secrets: false,
            color: false,
            personal_data: has(0),
            suppressed: has(1),
            verbose: has(2),
            brief: has(3),
        };
        let findings = (0..flags >> 4 & 3).map(|n| self.finding(usize::from(n))).collect();
        let skipped = (0..flags >> 6 & 1)
            .map(|_| Skipped {
                what: self.bytes(),
                reason: "too-large",
                detail: String::from("details"),
                incomplete: has(7),
            })
            .collect();
        let summary = Summary {
            mode: "history",
            scope: vec![self.text()],
            started: self.number() as i64,
            elapsed_ms: self.number(),
            head: (flags & 1 == 0).then(|| format!("{:040x}", 7)),
            ..Summary::default()
        };
        (Report { findings, skipped, summary }, options)
    }
}

/// A report in every format.
pub fn reports(data: &[u8]) {
    let (report, options) = Feed(data).report();
    for &format in Format::ALL {
        let mut out = Vec::new();
        write(&report, format, &options, &mut out).expect("memory takes everything");
        let text = std::str::from_utf8(&out).expect("reports are UTF-8");
        // A value is known by the findings of it.
        let shows = !report.findings.is_empty() && text.contains(&value());
        assert!(!shows, "{format:?} shows a value: {text}");
        let raw = text.chars().find(|&c| is_hostile(c) && !matches!(c, '\n' | '\r'));
        assert_eq!(raw, None, "{format:?}: {text}");
        read_back(format, text, &report, &options);
    }
}

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn read_back(format: Format, text: &str, report: &Report, options: &Options) {
    let shown: Vec<&Finding> =
        report.findings.iter().filter(|f| options.suppressed || f.status == Status::New).collect();
    let places: usize = shown.iter().map(|f| 1 + f.occurrences.len()).sum();
    let unread = report.skipped.iter().filter(|s| s.incomplete).count();
    let len = |value: &serde_json::Value| value.as_array().map_or(usize::MAX, Vec::len);
    match format {
        Format::Text => assert!(text.ends_with('\n')),
        Format::Json => {
            let json = json(text);
            assert_eq!(len(&json["findings"]), shown.len());
            for (read, f) in json["findings"].as_array().into_iter().flatten().zip(&shown) {
                same_path(read, f);
            }
        }
        Format::Jsonl => {
            assert_eq!(text.lines().count(), shown.len() + 1);
            text.lines().zip(&shown).for_each(|(line, f)| same_path(&json(line), f));
            assert!(json(text.lines().last().unwrap_or_default())["summary"].is_object());
        }
        Format::Sarif => assert_eq!(len(&json(text)["runs"][0]["results"]), shown.len()),
        Format::Gitlab => assert_eq!(len(&json(text)["vulnerabilities"]), places),
        Format::Codequality => assert_eq!(len(&json(text)), places + unread),
        Format::Gitleaks => assert_eq!(len(&json(text)), places),
        Format::Github => {
            let starts = ["::error ", "::warning ", "::notice "];
            assert!(text.lines().all(|line| starts.iter().any(|start| line.starts_with(start))), "{text}");
            assert_eq!(text.lines().count(), places + unread);
        }
        Format::Azure => {
            assert!(text.lines().all(|line| line.starts_with("##vso[task.logissue type=")), "{text}");
            assert_eq!(
                (text.lines().count(), text.matches("##").count()),
                (places + unread, places + unread)
            );
        }
        Format::Junit => {
            // The run as a whole is a test when nothing else says how it went.
            let new = report.findings.iter().filter(|f| f.status == Status::New).count();
            junit(text, shown.len() + unread + usize::from(new + unread == 0));
        }
        Format::Csv => csv(text, shown.len() + unread),
        Format::Markdown => {
            let tags = text.match_indices('<').filter(|(at, _)| !in_code(&text[..*at])).count();
            assert_eq!(tags, 2, "{text}"); // `<sub>` and `</sub>`
        }
        Format::Html => html(text, report),
    }
}

/// JSON brings a path back, unless a value was taken out of it.
fn same_path(read: &serde_json::Value, f: &Finding) {
    let Some(path) = &f.location.path else { return };
    if !path.contains_str(value()) {
        assert_eq!(read["path"].as_str(), Some(&*path.to_str_lossy()));
    }
}

/// Whether a place in Markdown, of which this is what stands before it, is in a code span. Spans end on their line.
fn in_code(before: &str) -> bool {
    let line = before.rsplit('\n').next().unwrap_or_default();
    let mut fence = 0;
    let mut rest = line;
    while let Some(at) = rest.find(['`', '\\']) {
        let run = rest[at..].bytes().take_while(|&b| b == b'`').count();
        if run == 0 {
            // Outside of a span, a backslash makes the next character an ordinary one.
            let skip = if fence == 0 { rest[at + 1..].chars().next().map_or(0, char::len_utf8) } else { 0 };
            rest = &rest[at + 1 + skip..];
            continue;
        }
        fence = if fence == 0 {
            run
        } else if fence == run {
            0
        } else {
            fence
        };
        rest = &rest[at + run..];
    }
    fence > 0
}

fn junit(text: &str, cases: usize) {
    let mut reader = quick_xml::Reader::from_str(text);
    reader.config_mut().check_end_names = true;
    let mut seen = 0;
    loop {
        match reader.read_event().unwrap_or_else(|error| panic!("{error}: {text}")) {
            Event::Eof => break,
            Event::Start(start) | Event::Empty(start) => {
                seen += usize::from(start.name().as_ref() == b"testcase");
                for attribute in start.attributes() {
                    let attribute = attribute.expect("attributes are well formed");
                    attribute.unescape_value().expect("attributes are escaped");
                }
            }
            Event::Text(content) => drop(content.decode().expect("text is UTF-8")),
            _ => {}
        }
    }
    assert_eq!(seen, cases, "{text}");
}

fn csv(text: &str, rows: usize) {
    let mut reader = csv::ReaderBuilder::new().from_reader(text.as_bytes());
    let columns = reader.headers().expect("a table has a header").len();
    let mut seen = 0;
    for row in reader.records() {
        let row = row.expect("every row is as long as the header");
        assert_eq!(row.len(), columns);
        assert!(row.iter().all(|cell| !cell.starts_with(['=', '+', '-', '@'])), "{row:?}");
        seen += 1;
    }
    assert_eq!(seen, rows);
}

/// No text opened an element: there are as many as in a report of other words.
fn html(text: &str, report: &Report) {
    const DATA: &str = "<script type=\"application/json\" id=\"data\">";
    assert_eq!((text.matches("<script").count(), text.matches("</script").count()), (2, 2), "{text}");
    let (_, data) = text.split_once(DATA).expect("the page has its data");
    let (data, _) = data.split_once("</script>").expect("the data ends");
    assert_eq!(json(data)["findings"].as_array().map(Vec::len), Some(report.findings.len()));
    assert_eq!(text.matches("<img").count() + text.matches("<iframe").count(), 0);
}
