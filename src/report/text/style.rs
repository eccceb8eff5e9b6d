//! Colours and small words of the text report.

use anstyle::{AnsiColor, Style};

use crate::finding::Severity;

/// Styles that do nothing when colour is off.
pub(super) struct Styles {
    on: bool,
}

impl Styles {
    pub(super) fn new(on: bool) -> Self {
        Styles { on }
    }

    pub(super) fn path(&self, text: &str) -> String {
        self.paint(Style::new().bold(), text)
    }

    pub(super) fn heading(&self, text: &str) -> String {
        self.paint(Style::new().bold().underline(), text)
    }

    pub(super) fn dim(&self, text: &str) -> String {
        self.paint(Style::new().dimmed(), text)
    }

    pub(super) fn secret(&self, text: &str) -> String {
        self.paint(AnsiColor::Red.on_default().bold(), text)
    }

    pub(super) fn good(&self, text: &str) -> String {
        self.paint(AnsiColor::Green.on_default().bold(), text)
    }

    pub(super) fn bad(&self, text: &str) -> String {
        self.paint(AnsiColor::Red.on_default().bold(), text)
    }

    pub(super) fn warning(&self, text: &str) -> String {
        self.paint(AnsiColor::Yellow.on_default().bold(), text)
    }

    pub(super) fn severity(&self, severity: Severity, text: &str) -> String {
        let style = match severity {
            Severity::Critical => AnsiColor::Magenta.on_default().bold(),
            Severity::High => AnsiColor::Red.on_default().bold(),
            Severity::Medium => AnsiColor::Yellow.on_default(),
            Severity::Low => AnsiColor::Cyan.on_default(),
        };
        self.paint(style, text)
    }

    fn paint(&self, style: Style, text: &str) -> String {
        if self.on && !text.is_empty() {
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }
}

/// A number with thousands apart: `1,234,567`.
pub(super) fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A number with its noun: `1 file`, `2 files`.
pub(super) fn count(n: u64, singular: &str, plural: &str) -> String {
    format!("{} {}", number(n), if n == 1 { singular } else { plural })
}

/// A size in bytes, for people: `512 B`, `1.5 MB` (powers of 1000).
pub(super) fn bytes(n: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if n < 1000 {
        return format!("{n} B");
    }
    let mut value = n as f64 / 1000.0;
    let mut unit = UNITS[0];
    for next in &UNITS[1..] {
        // 999.95 would be shown as 1000.0.
        if value < 999.95 {
            break;
        }
        value /= 1000.0;
        unit = next;
    }
    format!("{value:.1} {unit}")
}

/// A duration in milliseconds, for people: `15 ms`, `2.4 s`, `3 min 10 s`.
pub(super) fn duration(ms: u64) -> String {
    match ms {
        0..1000 => format!("{ms} ms"),
        1000..60_000 => format!("{:.1} s", ms as f64 / 1000.0),
        _ => format!("{} min {} s", ms / 60_000, ms % 60_000 / 1000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(
            [number(0), number(999), number(1000), number(1_234_567)],
            ["0", "999", "1,000", "1,234,567"]
        );
        assert_eq!(
            [
                bytes(0),
                bytes(999),
                bytes(1500),
                bytes(999_949),
                bytes(999_950)
            ],
            ["0 B", "999 B", "1.5 kB", "999.9 kB", "1.0 MB"]
        );
        assert_eq!(bytes(u64::MAX), "18446744.1 TB");
        assert_eq!(
            [duration(15), duration(2400), duration(190_000)],
            ["15 ms", "2.4 s", "3 min 10 s"]
        );
        assert_eq!(
            [count(1, "file", "files"), count(0, "file", "files")],
            ["1 file", "0 files"]
        );
    }
}
