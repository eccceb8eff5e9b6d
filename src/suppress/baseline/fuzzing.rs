//! What fuzz targets call: our own baseline, from text to entries and back to text.

use std::path::Path;

use jiff::civil::Date;

use super::{Baseline, CheckOptions, Draft, Entry, check, parse_line, quick};
use crate::config::ConfigError;

const TODAY: Date = Date::constant(2024, 5, 1);

fn load(text: &[u8]) -> Result<Baseline, ConfigError> {
    Baseline::load(Path::new("baseline.toml"), text.to_vec())
}

/// A baseline as somebody may have edited it.
pub fn ours(data: &[u8]) {
    lines(data);
    let Ok(baseline) = load(data) else { return };
    let entries: Vec<Entry> = baseline.entries().filter_map(Result::ok).collect();
    for entry in &entries {
        assert!(baseline.contains(&entry.fingerprint));
        assert_eq!(baseline.lookup(&entry.fingerprint).ok().flatten().as_ref(), Some(entry));
        entry.covers(["github-pat"].into_iter(), Some(b"a/b.txt"));
    }
    let all = CheckOptions { stale: true, expired: true, undecided: true, max_age: Some(90) };
    check(&entries, all, TODAY, |_| false);
    // What cannot be read whole is never rewritten.
    let Ok(draft) = Draft::open(&baseline) else { return };
    let again = load(draft.text().as_bytes()).expect("what we write can be read");
    let same: Vec<Entry> = again.entries().map(|entry| entry.expect("what we write can be read")).collect();
    assert_eq!(same, entries);
    let twice = Draft::open(&again).expect("what we write can be changed");
    assert_eq!(twice.text(), draft.text());
}

/// Each line alone: the quick way reads what the parser reads, and an entry's own line is read back.
fn lines(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    for line in text.lines() {
        let Some(entry) = quick::entry(line) else { continue };
        assert_eq!(parse_line(line).as_ref(), Ok(&entry), "{line}");
        let written = entry.line();
        assert_eq!(parse_line(&written), Ok(entry), "{written}");
    }
}
