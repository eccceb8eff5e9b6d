//! Large reports: every format is a stream, and nothing grows faster than the findings.

use std::io;

use stanch::finding::Finding;
use stanch::report::{Format, Options, Report, write};

use super::fixtures::{at, clean, github};

/// Counts what is written and remembers the largest piece.
#[derive(Default)]
struct Meter {
    bytes: usize,
    largest: usize,
}

impl io::Write for Meter {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.bytes += buf.len();
        self.largest = self.largest.max(buf.len());
        Ok(buf.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn report(n: usize) -> Report {
    let findings = (0..n).map(|i| {
        let path = format!("src/module_{}/settings.py", i / 40);
        Finding { location: at(path.as_bytes(), i as u64 % 40 + 1, 5, 40), ..github(i) }
    });
    Report { findings: findings.collect(), ..clean() }
}

#[test]
fn many_findings_are_written_piece_by_piece() {
    let (small, large) = (report(1_000), report(20_000));
    for format in Format::ALL {
        let measure = |report: &Report| {
            let mut meter = Meter::default();
            write(report, *format, &Options::default(), &mut meter).expect("a meter takes everything");
            meter
        };
        let (few, many) = (measure(&small), measure(&large));
        assert!(many.largest < 256 * 1024, "{} writes {} bytes at once", format.name(), many.largest);
        if *format != Format::Markdown {
            let per_finding = (few.bytes / 1_000, many.bytes / 20_000);
            let grows =
                format!("{} needs more for each of many findings: {per_finding:?} bytes", format.name());
            assert!(per_finding.1 <= per_finding.0 * 11 / 10, "{grows}");
            assert!(
                per_finding.1 > 60,
                "{} does not show every finding: {per_finding:?} bytes each",
                format.name()
            );
        }
    }
}
