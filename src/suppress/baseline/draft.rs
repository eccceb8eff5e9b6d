//! Changing a baseline: adding values, recording decisions, finding what is out of date.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use jiff::civil::Date;

use super::entry::{quoted, without_addresses};
use super::{Baseline, Decision, Entry};
use crate::beside;
use crate::config::ConfigError;
use crate::suppress::fingerprint::{Fingerprinter, new_salt};

/// What the first lines of the file say.
const PREAMBLE: &str = "\
# Known values, by fingerprint: neither secrets nor addresses are in this file. Commit it.
# Written by `stanch baseline update` and `stanch audit`; may be edited by hand.
# The lines #00 to #ff keep the entries of two branches apart, so that git can merge them.
";

/// Greatest number of paths recorded for one value.
const MAX_PLACES: usize = 3;

/// A value that a scan found.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Its fingerprint.
    pub fingerprint: String,
    /// Rule that found it.
    pub rule: String,
    /// Where it is. Leave out paths that hold the value itself.
    pub places: Vec<String>,
    /// Since when it is in the history, if known.
    pub since: Option<Date>,
    /// Whether it is in the history only.
    pub history: bool,
}

/// A baseline that is being changed. Lines that are not changed stay as they are.
#[derive(Clone, Debug)]
pub struct Draft {
    path: PathBuf,
    salt: String,
    key_check: Option<String>,
    rows: BTreeMap<String, Row>,
}

#[derive(Clone, Debug)]
struct Row {
    entry: Entry,
    /// The line as it was read; None once the entry changed.
    line: Option<String>,
    /// Comment lines that stood above it.
    comments: Vec<String>,
}

impl Draft {
    /// An empty baseline with a new random salt; keyed if there is a key.
    ///
    /// # Errors
    /// The system has no source of randomness.
    pub fn new(path: &Path, key: Option<&[u8]>) -> std::io::Result<Self> {
        let salt = new_salt()?;
        let key_check = key.map(|key| Fingerprinter::new(Some(&salt), Some(key)).check_value());
        let salt = data_encoding::HEXLOWER.encode(&salt);
        Ok(Draft { path: path.to_owned(), salt, key_check, rows: BTreeMap::new() })
    }

    /// Opens a baseline for changes.
    ///
    /// # Errors
    /// A damaged entry: nothing is ever rewritten that was not understood.
    pub fn open(baseline: &Baseline) -> Result<Self, ConfigError> {
        let mut comments = comments(baseline);
        let mut rows = BTreeMap::new();
        for row in &baseline.rows {
            let entry = baseline.parse(row)?;
            let line = row.parsed.is_none().then(|| baseline.line(row).to_owned());
            let comments = comments.remove(&row.span().start).unwrap_or_default();
            rows.insert(entry.fingerprint.clone(), Row { entry, line, comments });
        }
        let header = &baseline.header;
        Ok(Draft {
            path: baseline.source.path.clone(),
            salt: header.salt.clone(),
            key_check: header.key_check.clone(),
            rows,
        })
    }

    /// Makes fingerprints for this baseline. The key is not checked: see [`Baseline::fingerprinter`].
    pub fn fingerprinter(&self, key: Option<&[u8]>) -> Fingerprinter {
        let salt = data_encoding::HEXLOWER_PERMISSIVE.decode(self.salt.as_bytes()).unwrap_or_default();
        Fingerprinter::new(Some(&salt), key)
    }

    /// The entry of a value.
    pub fn get(&self, fingerprint: &str) -> Option<&Entry> {
        self.rows.get(fingerprint).map(|row| &row.entry)
    }

    /// Every entry, in order of fingerprints.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.rows.values().map(|row| &row.entry)
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Records an entry, in place of what was recorded for the value.
    pub fn set(&mut self, entry: Entry) {
        match self.rows.get_mut(&entry.fingerprint) {
            Some(row) if row.entry == entry => {}
            Some(row) => {
                row.entry = entry;
                row.line = None;
            }
            None => {
                let row = Row { line: None, comments: Vec::new(), entry };
                self.rows.insert(row.entry.fingerprint.clone(), row);
            }
        }
    }

    /// Removes an entry.
    pub fn remove(&mut self, fingerprint: &str) -> Option<Entry> {
        self.rows.remove(fingerprint).map(|row| row.entry)
    }

    /// Adds values that are not recorded yet, undecided. Returns how many. Recorded values keep
    /// their entries untouched.
    pub fn add(&mut self, found: impl IntoIterator<Item = Found>, by: &str, today: Date) -> usize {
        let before = self.rows.len();
        for known in found {
            if self.rows.contains_key(&known.fingerprint) {
                continue;
            }
            let mut places = known.places;
            places.sort();
            places.dedup();
            places.truncate(MAX_PLACES);
            self.set(Entry {
                fingerprint: known.fingerprint,
                rule: known.rule,
                by: without_addresses(by),
                on: Some(today),
                since: known.since,
                places,
                history: known.history,
                ..Entry::default()
            });
        }
        self.rows.len() - before
    }

    /// The file's text.
    pub fn text(&self) -> String {
        let mut text = String::with_capacity(1024 + self.rows.len() * 160);
        text.push_str(PREAMBLE);
        // The header is as somebody may have edited it: an escape in it is written as one again.
        text.push_str(&format!("version = {}\nsalt = {}\n", super::VERSION, quoted(&self.salt)));
        if let Some(check) = &self.key_check {
            text.push_str(&format!("key_check = {}\n", quoted(check)));
        }
        text.push_str("\n[entries]\n");
        let mut rows = self.rows.iter().peekable();
        for anchor in 0..=0xffu8 {
            let anchor = format!("{anchor:02x}");
            text.push_str(&format!("#{anchor}\n"));
            while let Some((_, row)) = rows.next_if(|(fingerprint, _)| fingerprint.starts_with(&anchor)) {
                for comment in &row.comments {
                    text.push_str(comment);
                    text.push('\n');
                }
                match &row.line {
                    Some(line) => text.push_str(line),
                    None => text.push_str(&row.entry.line()),
                }
                text.push('\n');
            }
        }
        text
    }

    /// Writes the file: whole, or not at all.
    ///
    /// # Errors
    /// What the system says.
    pub fn write(&self) -> std::io::Result<()> {
        write_atomically(&self.path, self.text().as_bytes())
    }
}

/// Comment lines other than the anchors, by the offset of the entry's line that follows them.
fn comments(baseline: &Baseline) -> BTreeMap<usize, Vec<String>> {
    let text = &baseline.source.text;
    let mut found = BTreeMap::new();
    let mut pending = Vec::new();
    let mut at = super::body_start(text).unwrap_or(text.len());
    for line in text[at..].split_inclusive('\n') {
        let trimmed = line.trim_end();
        let anchor = trimmed.len() == 3 && trimmed.bytes().skip(1).all(|b| b.is_ascii_hexdigit());
        if trimmed.starts_with('#') {
            if !anchor {
                pending.push(trimmed.to_owned());
            }
        } else if !trimmed.is_empty() && !pending.is_empty() {
            found.insert(at, std::mem::take(&mut pending));
        }
        at += line.len();
    }
    found
}

/// Writes a file next to its place and renames it, so that no reader sees half of it. A symbolic
/// link is followed, and the permissions of an existing file are kept.
pub(crate) fn write_atomically(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let mut file = beside::file_in(folder_of(&path), 0o600)?;
    file.write_all(bytes)?;
    match std::fs::metadata(&path) {
        Ok(metadata) => file.as_file().set_permissions(metadata.permissions())?,
        Err(_) => share(file.as_file())?,
    }
    file.as_file().sync_all()?;
    file.persist(&path)?;
    Ok(())
}

/// The folder that a file lies in: the working directory for a name alone.
fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Gives a new file the permissions of an ordinary one: temporary files are private.
#[cfg(unix)]
fn share(file: &std::fs::File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn share(_: &std::fs::File) -> std::io::Result<()> {
    Ok(())
}

/// Something that `baseline check` reports about an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Check<'e> {
    /// The value was not found any more.
    Stale(&'e Entry),
    /// The entry has run out.
    Expired(&'e Entry),
    /// Nobody has decided yet.
    Undecided(&'e Entry),
    /// A real secret is older than the policy allows: its age in days.
    TooOld(&'e Entry, i64),
}

/// What `baseline check` looks for.
#[derive(Clone, Copy, Debug, Default)]
pub struct CheckOptions {
    /// Entries whose value the scan did not find.
    pub stale: bool,
    /// Entries that have run out.
    pub expired: bool,
    /// Entries without a decision.
    pub undecided: bool,
    /// Greatest age in days of a real secret that is not rotated.
    pub max_age: Option<i64>,
}

/// What is out of date among entries. `found` says whether a value was found, by fingerprint.
pub fn check(
    entries: &[Entry],
    options: CheckOptions,
    today: Date,
    found: impl Fn(&str) -> bool,
) -> Vec<Check<'_>> {
    let mut checks = Vec::new();
    for entry in entries {
        if options.stale && !found(&entry.fingerprint) {
            checks.push(Check::Stale(entry));
        }
        if options.expired && entry.expired(today) {
            checks.push(Check::Expired(entry));
        }
        if options.undecided && entry.status == Decision::Undecided {
            checks.push(Check::Undecided(entry));
        }
        if let Some(age) = too_old(entry, options.max_age, today) {
            checks.push(Check::TooOld(entry, age));
        }
    }
    checks
}

/// The age in days of a secret that may still work, when it is above the limit.
fn too_old(entry: &Entry, limit: Option<i64>, today: Date) -> Option<i64> {
    let open = matches!(entry.status, Decision::Real | Decision::Undecided | Decision::Accepted);
    let since = entry.since.or(entry.on)?;
    let age = i64::from((today - since).get_days());
    (open && age > limit?).then_some(age)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn a_name_alone_lies_here() {
        for (path, folder) in [("b.toml", "."), ("a/b.toml", "a"), ("/b.toml", "/"), ("/", "."), ("./b", ".")]
        {
            assert_eq!(folder_of(Path::new(path)), Path::new(folder), "{path}");
        }
    }

    /// A baseline is for everybody who can read the repository; one that somebody protected stays so.
    #[cfg(unix)]
    #[test]
    fn a_new_file_has_ordinary_permissions() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("b.toml");
        let mode = || std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        write_atomically(&path, b"1").unwrap();
        assert_eq!(mode(), 0o644);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        write_atomically(&path, b"2").unwrap();
        assert_eq!((mode(), std::fs::read(&path).unwrap()), (0o600, b"2".to_vec()));
    }

    /// A secret as old as the policy allows is not too old; one day more is.
    #[test]
    fn age_is_counted_to_the_day() {
        let (since, today) = (date(2025, 6, 1), date(2025, 12, 1));
        for (status, limit, expected) in [
            (Decision::Real, Some(183), None),
            (Decision::Real, Some(182), Some(183)),
            (Decision::Real, None, None),
            (Decision::Undecided, Some(182), Some(183)),
            (Decision::Accepted, Some(182), Some(183)),
            (Decision::Rotated, Some(1), None),
            (Decision::FalsePositive, Some(1), None),
        ] {
            let entry = Entry { status, on: Some(since), ..Entry::default() };
            assert_eq!(too_old(&entry, limit, today), expected, "{status:?} {limit:?}");
            let known = Entry { since: Some(since), on: Some(today), ..entry };
            assert_eq!(too_old(&known, limit, today), expected, "{status:?} {limit:?}");
        }
        assert_eq!(too_old(&Entry::default(), Some(0), today), None);
    }
}
