//! One entry of the baseline: what it says, and its line.

use std::fmt::Write as _;

use jiff::civil::Date;
use serde::Deserialize;

/// What was decided about a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Decision {
    /// Recorded, nobody has looked at it yet.
    #[default]
    Undecided,
    /// A secret that works, or may: to be revoked.
    Real,
    /// Was a secret; has been revoked or rotated.
    Rotated,
    /// Not a secret.
    FalsePositive,
    /// A secret whose presence is accepted, usually until a date.
    Accepted,
}

impl Decision {
    /// Every decision.
    pub const ALL: [Decision; 5] =
        [Decision::Undecided, Decision::Real, Decision::Rotated, Decision::FalsePositive, Decision::Accepted];

    /// The word in the file.
    pub fn name(self) -> &'static str {
        match self {
            Decision::Undecided => "undecided",
            Decision::Real => "real",
            Decision::Rotated => "rotated",
            Decision::FalsePositive => "false-positive",
            Decision::Accepted => "accepted",
        }
    }

    /// The decision with this word.
    pub fn from_name(name: &str) -> Option<Self> {
        Decision::ALL.into_iter().find(|decision| decision.name() == name)
    }
}

/// An entry: what is known and decided of one value. Holds neither the value nor addresses of people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// Fingerprint of the value, 32 lower-case hex digits.
    pub fingerprint: String,
    /// Rule that found it, when it was recorded.
    pub rule: String,
    /// What was decided.
    pub status: Decision,
    /// Why.
    pub reason: String,
    /// Who decided (a name, not an address).
    pub by: String,
    /// When it was decided, or recorded.
    pub on: Option<Date>,
    /// Since when the value is in the history, where that is known.
    pub since: Option<Date>,
    /// Last day on which the entry counts.
    pub expires: Option<Date>,
    /// Where it was seen when it was recorded (a few paths, for people).
    pub places: Vec<String>,
    /// Whether it was found in the history only, so that no scan of files says whether it is still there.
    pub history: bool,
    /// Counts for these rules only (all when empty).
    pub only_rules: Vec<String>,
    /// Counts for these paths only (`.gitignore` patterns; all when empty).
    pub only_paths: Vec<String>,
}

/// The fields as they stand in the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Row {
    rule: String,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    by: String,
    #[serde(default)]
    on: Option<Day>,
    #[serde(default)]
    since: Option<Day>,
    #[serde(default)]
    expires: Option<Day>,
    #[serde(default, rename = "where")]
    places: Vec<String>,
    #[serde(default)]
    history: bool,
    #[serde(default)]
    only_rules: Vec<String>,
    #[serde(default)]
    only_paths: Vec<String>,
}

/// A day: a TOML date, or the same as text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Day {
    Native(toml::value::Datetime),
    Text(String),
}

impl Row {
    /// Checks the words and dates of a row.
    pub(super) fn check(self, fingerprint: &str) -> Result<Entry, String> {
        let status = match self.status.as_deref() {
            None => Decision::Undecided,
            Some(word) => Decision::from_name(word).ok_or_else(|| {
                let known = Decision::ALL.map(Decision::name);
                let help = crate::config::did_you_mean(word, known)
                    .unwrap_or_else(|| format!("one of {}", known.join(", ")));
                format!("unknown status `{}`: {help}", word.escape_debug())
            })?,
        };
        Ok(Entry {
            fingerprint: fingerprint.to_owned(),
            rule: self.rule,
            status,
            reason: self.reason,
            by: self.by,
            on: day("on", self.on)?,
            since: day("since", self.since)?,
            expires: day("expires", self.expires)?,
            places: self.places,
            history: self.history,
            only_rules: self.only_rules,
            only_paths: self.only_paths,
        })
    }
}

fn day(field: &str, day: Option<Day>) -> Result<Option<Date>, String> {
    let text = match day {
        None => return Ok(None),
        Some(Day::Native(native)) => native.to_string(),
        Some(Day::Text(text)) => text,
    };
    match text.parse() {
        Ok(date) if text.len() == 10 => Ok(Some(date)),
        _ => Err(format!("`{field}` must be a day, written as 2025-12-31")),
    }
}

impl Entry {
    /// The entry's line, without its end. Fields without a value are left out.
    pub fn line(&self) -> String {
        let mut line = format!(
            "{} = {{ rule = {}, status = {}",
            self.fingerprint,
            quoted(&self.rule),
            quoted(self.status.name())
        );
        for (key, text) in [("reason", &self.reason), ("by", &self.by)] {
            if !text.is_empty() {
                let _ = write!(line, ", {key} = {}", quoted(&without_addresses(text)));
            }
        }
        for (key, day) in [("on", self.on), ("since", self.since), ("expires", self.expires)] {
            if let Some(day) = day {
                let _ = write!(line, ", {key} = {day}");
            }
        }
        line.push_str(&listed("where", &self.places));
        if self.history {
            line.push_str(", history = true");
        }
        line.push_str(&listed("only_rules", &self.only_rules));
        line.push_str(&listed("only_paths", &self.only_paths));
        line.push_str(" }");
        line
    }

    /// Whether the entry has run out before `today`.
    pub fn expired(&self, today: Date) -> bool {
        self.expires.is_some_and(|last| last < today)
    }

    /// Whether the entry speaks of a find by a rule with these ids at this path.
    pub fn covers<'a>(&self, mut ids: impl Iterator<Item = &'a str>, path: Option<&[u8]>) -> bool {
        (self.only_rules.is_empty() || ids.any(|id| self.only_rules.iter().any(|rule| rule == id)))
            && (self.only_paths.is_empty() || path.is_some_and(|path| matches_any(&self.only_paths, path)))
    }
}

/// A field that is a list of texts, with the comma before it; nothing when the list is empty.
fn listed(key: &str, list: &[String]) -> String {
    if list.is_empty() {
        return String::new();
    }
    let list: Vec<String> = list.iter().map(|text| quoted(&without_addresses(text))).collect();
    format!(", {key} = [{}]", list.join(", "))
}

/// Whether a path matches one of some `.gitignore` patterns. A pattern that cannot be read matches nothing.
fn matches_any(patterns: &[String], path: &[u8]) -> bool {
    let mut builder = ignore::gitignore::GitignoreBuilder::new("");
    for pattern in patterns {
        if builder.add_line(None, pattern).is_err() {
            return false;
        }
    }
    let path = bstr::ByteSlice::to_path_lossy(path);
    let Ok(matcher) = builder.build() else {
        return false;
    };
    path.is_relative() && matcher.matched_path_or_any_parents(&path, false).is_ignore()
}

/// A basic TOML string on one line: everything that could be mistaken or unseen is escaped.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            c if c.is_control()
                || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}') =>
            {
                let _ = write!(quoted, "\\u{:04X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// Replaces e-mail addresses: they are personal data, and the file is for everybody.
pub(super) fn without_addresses(text: &str) -> String {
    if !text.contains('@') {
        return text.to_owned();
    }
    let is_part = |c: char| c.is_alphanumeric() || "._%+-".contains(c);
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('@') {
        let (before, after) = (&rest[..at], &rest[at + 1..]);
        let name = before.trim_end_matches(is_part).len();
        let domain = after.find(|c| !is_part(c)).unwrap_or(after.len());
        if name < at && after[..domain].trim_end_matches('.').contains('.') {
            out.push_str(&before[..name]);
            out.push_str("(address removed)");
            rest = &after[domain..];
        } else {
            out.push_str(&rest[..=at]);
            rest = after;
        }
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_removed() {
        assert_eq!(
            without_addresses("ask Ann <ann.b@corp.example.org>, ok"),
            "ask Ann <(address removed)>, ok"
        );
        assert_eq!(without_addresses("pkg@1.2.3 @team a@b"), "(address removed) @team a@b");
        assert_eq!(without_addresses("no"), "no");
    }

    #[test]
    fn narrowed_entries() {
        let entry = Entry {
            only_rules: vec!["a".into()],
            only_paths: vec!["tests/**".into(), "*.md".into()],
            ..Entry::default()
        };
        let covers = |rule: &'static str, path: &str| entry.covers([rule].into_iter(), Some(path.as_bytes()));
        assert!(covers("a", "tests/x/y"));
        assert!(covers("a", "docs/README.md"));
        assert!(!covers("b", "tests/x/y"));
        assert!(!covers("a", "src/x"));
        assert!(!entry.covers(["a"].into_iter(), None));
    }

    #[test]
    fn fields_without_a_value_are_left_out() {
        let entry = Entry { fingerprint: "0a".repeat(16), rule: "r".into(), ..Entry::default() };
        assert_eq!(entry.line(), format!("{} = {{ rule = \"r\", status = \"undecided\" }}", "0a".repeat(16)));
    }

    /// What could be mistaken, or not be seen, is escaped.
    #[test]
    fn quoted_texts_are_on_one_line() {
        for (text, expected) in [
            ("", r#""""#),
            ("a\"b\\c", r#""a\"b\\c""#),
            ("a\nb\tc", r#""a\nb\tc""#),
            ("a\rb\u{7f}", r#""a\u000Db\u007F""#),
            ("\u{200b}\u{202e}\u{2066}\u{feff}", r#""\u200B\u202E\u2066\uFEFF""#),
            ("é \u{2010}", "\"é \u{2010}\""),
        ] {
            assert_eq!(quoted(text), expected);
        }
    }

    #[test]
    fn an_address_has_a_name_and_a_domain() {
        for (text, expected) in [
            ("@corp.example.org", "@corp.example.org"),
            ("a@corp.example.org", "(address removed)"),
            ("a @corp.example.org", "a @corp.example.org"),
            ("a@localhost.", "a@localhost."),
            ("a@b@c.de", "a@(address removed)"),
            ("x@a.b and y@c.d", "(address removed) and (address removed)"),
        ] {
            assert_eq!(without_addresses(text), expected, "{text}");
        }
    }

    /// A day is a day: a time of it would be lost without a word.
    #[test]
    fn days_have_no_time() {
        let text = |text: &str| day("on", Some(Day::Text(text.to_owned())));
        assert_eq!(text("2025-12-31"), Ok(Some(jiff::civil::date(2025, 12, 31))));
        assert_eq!(day("on", None), Ok(None));
        for other in
            ["2025-12-31T10:00:00", "2025-12-31 10:00", "20251231", "2025-02-30", "+002025-12-31", ""]
        {
            assert_eq!(text(other), Err("`on` must be a day, written as 2025-12-31".to_owned()), "{other}");
        }
    }
}
