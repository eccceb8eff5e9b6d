//! The baseline: one sorted TOML line per known value.
//!
//! ```toml
//! version = 1
//! salt = "…64 hex digits…"
//!
//! [entries]
//! #00
//! 00c5…9b = { rule = "github-pat", status = "false-positive", reason = "from the docs", by = "Ann", on = 2025-11-03, where = ["docs/api.md"] }
//! #01
//! ```
//!
//! Lines are sorted by fingerprint, which is as good as random, and lines `#00` to `#ff` stand
//! between them whatever else does: two branches that each add entries touch different lines, so
//! that git merges them. Reading is quick for 100,000 entries: lines of exactly this form are only
//! indexed, and parsed when a value is looked up. Any other form is read by the TOML parser.

mod draft;
mod entry;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod ledger;
mod presence;
mod quick;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;

pub(crate) use draft::write_atomically;
pub use draft::{Check, CheckOptions, Draft, Found, check};
pub use entry::{Decision, Entry};
pub use ledger::Ledger;
pub use presence::take_present;

use super::fingerprint::{Fingerprinter, LENGTH, is_fingerprint};
use crate::config::{ConfigError, Place, SourceText, decode_text, read_regular, refuse_conflict};

/// The file's name where none is configured.
pub const FILE_NAME: &str = ".stanch-baseline.toml";

/// Newest version of the format that this code reads.
const VERSION: i64 = 1;

/// Greatest size read, in bytes.
const SIZE_LIMIT: u64 = 512 << 20;

/// A baseline as read, for looking values up.
#[derive(Debug)]
pub struct Baseline {
    source: Arc<SourceText>,
    header: Header,
    /// Sorted by fingerprint.
    rows: Vec<Row>,
}

/// Where an entry stands: the byte range begins with its fingerprint.
#[derive(Debug)]
struct Row {
    start: u32,
    end: u32,
    /// The entry, if its line does not have exactly the form we write.
    parsed: Option<Box<Entry>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    version: i64,
    salt: String,
    /// Present when fingerprints are keyed: tells whether the key at hand is the right one.
    #[serde(default)]
    key_check: Option<String>,
    #[serde(default)]
    entries: toml::Table,
}

impl Header {
    /// Makes fingerprints under the salt and a key; None when the salt is none.
    fn fingerprinter(&self, key: Option<&[u8]>) -> Option<Result<Fingerprinter, &'static str>> {
        let salt = data_encoding::HEXLOWER_PERMISSIVE.decode(self.salt.as_bytes()).ok()?;
        if salt.len() < 16 {
            return None;
        }
        let made = Fingerprinter::new(Some(&salt), key);
        Some(match (&self.key_check, key) {
            (Some(_), None) => Err("the baseline is keyed, and no fingerprint key is set"),
            (Some(check), Some(_)) if *check != made.check_value() => {
                Err("the baseline was written with another fingerprint key")
            }
            (None, Some(_)) => Err("a fingerprint key is set, but the baseline was written without one"),
            _ => Ok(made),
        })
    }
}

impl Baseline {
    /// Reads the file. None when there is none.
    ///
    /// # Errors
    /// Anything else that keeps it from being read whole.
    pub fn read(path: &Path) -> Result<Option<Self>, ConfigError> {
        match read_regular(path, SIZE_LIMIT) {
            Ok(bytes) => Baseline::load(path, bytes).map(Some),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(ConfigError::whole_file(path, format!("cannot read the baseline: {error}"))),
        }
    }

    /// Reads a baseline from bytes; `path` is for messages.
    ///
    /// # Errors
    /// Damage, merge-conflict markers, a newer version: with the line.
    pub fn load(path: &Path, bytes: Vec<u8>) -> Result<Self, ConfigError> {
        let source = decode_text(path, bytes)?;
        if source.text.trim().is_empty() {
            return Err(ConfigError::whole_file(path, "the baseline is empty")
                .with_help("restore it, or delete it and run `stanch baseline update`"));
        }
        let body = body_start(&source.text);
        let quick = body.and_then(|body| {
            let rows = index_lines(source.text.as_bytes(), body)?;
            let header = read_header(&source, source.text.get(..body)?).ok()?;
            Some(Baseline { source: source.clone(), header, rows })
        });
        match quick {
            Some(baseline) => baseline.sorted(),
            None => {
                refuse_conflict(&source)?;
                Baseline::load_slowly(source)
            }
        }
    }

    /// Reads any TOML with the right meaning.
    fn load_slowly(source: Arc<SourceText>) -> Result<Self, ConfigError> {
        let header = read_header(&source, &source.text)?;
        let mut rows = Vec::with_capacity(header.entries.len());
        let mut from = 0;
        for (fingerprint, value) in &header.entries {
            // They come in the order of the text: a search from its beginning for each would take long.
            let ahead = source.text.get(from..).and_then(|rest| rest.find(fingerprint.as_str()));
            let at =
                ahead.map(|at| from + at).or_else(|| source.text.find(fingerprint.as_str())).unwrap_or(0);
            from = at;
            let span = at..at + fingerprint.len();
            let place = Place { source: source.clone(), span: span.clone() };
            let written = source.text.get(span.clone()) == Some(fingerprint.as_str());
            if !is_fingerprint(fingerprint) || !written {
                return Err(place
                    .error("not a fingerprint")
                    .with_help("32 lower-case hex digits are expected"));
            }
            let row: entry::Row = value.clone().try_into().map_err(|error| row_error(&place, &error))?;
            let entry = row.check(fingerprint).map_err(|reason| place.error(reason))?;
            let clamp = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
            rows.push(Row { start: clamp(span.start), end: clamp(span.end), parsed: Some(Box::new(entry)) });
        }
        Baseline { source, header, rows }.sorted()
    }

    fn sorted(mut self) -> Result<Self, ConfigError> {
        let text = self.source.text.as_bytes();
        if !self.rows.is_sorted_by_key(|row| row.key(text)) {
            self.rows.sort_by_key(|row| row.key(text));
        }
        // `merge=union` can leave a line twice: that is harmless. Two different ones are not.
        let same = |pair: &&[Row]| pair[0].key(text) == pair[1].key(text);
        let differing =
            self.rows.windows(2).filter(same).find(|pair| text[pair[0].span()] != text[pair[1].span()]);
        if let Some(pair) = differing {
            let first = self.source.position(pair[0].span().start).0;
            return Err(self
                .place(&pair[1])
                .error(format!("a second entry for the value of line {first}, with another decision"))
                .with_help("keep one of the two lines"));
        }
        let source = self.source.clone();
        self.rows
            .dedup_by(|later, first| later.key(source.text.as_bytes()) == first.key(source.text.as_bytes()));
        Ok(self)
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The file.
    pub fn path(&self) -> &PathBuf {
        &self.source.path
    }

    /// Makes fingerprints that can be looked up here. `key` is the key from the environment, if any.
    ///
    /// # Errors
    /// The baseline was written with a key and there is none or another, or without and there is one.
    pub fn fingerprinter(&self, key: Option<&[u8]>) -> Result<Fingerprinter, ConfigError> {
        match self.header.fingerprinter(key) {
            Some(made) => made.map_err(|message| ConfigError::whole_file(&self.source.path, message)),
            None => {
                let at = self.source.text.find(&self.header.salt).unwrap_or(0);
                let place = Place { source: self.source.clone(), span: at..at + self.header.salt.len() };
                Err(place.error("`salt` must be at least 32 hex digits"))
            }
        }
    }

    /// The entry of a value. Whether it covers a rule and path, and still counts, is for the caller
    /// to ask ([`Entry::covers`], [`Entry::expired`]).
    ///
    /// # Errors
    /// The entry's line is damaged.
    pub fn lookup(&self, fingerprint: &str) -> Result<Option<Entry>, ConfigError> {
        self.find(fingerprint).map(|row| self.parse(row)).transpose()
    }

    /// Whether there is an entry for a value.
    pub fn contains(&self, fingerprint: &str) -> bool {
        self.find(fingerprint).is_some()
    }

    fn find(&self, fingerprint: &str) -> Option<&Row> {
        let text = self.source.text.as_bytes();
        let at = self.rows.binary_search_by_key(&fingerprint.as_bytes(), |row| row.key(text)).ok()?;
        self.rows.get(at)
    }

    /// Every entry, in order of fingerprints.
    ///
    /// # Errors
    /// Each damaged line is one.
    pub fn entries(&self) -> impl Iterator<Item = Result<Entry, ConfigError>> {
        self.rows.iter().map(|row| self.parse(row))
    }

    fn parse(&self, row: &Row) -> Result<Entry, ConfigError> {
        if let Some(entry) = &row.parsed {
            return Ok((**entry).clone());
        }
        let line = self.line(row);
        if let Some(entry) = quick::entry(line) {
            return Ok(entry);
        }
        parse_line(line).map_err(|(at, reason)| {
            let start = row.start as usize;
            Place { source: self.source.clone(), span: start + at.start..start + at.end }.error(reason)
        })
    }

    /// The text of a row: its line, where that has the form we write.
    fn line(&self, row: &Row) -> &str {
        self.source.text.get(row.span()).unwrap_or_default()
    }

    fn place(&self, row: &Row) -> Place {
        Place { source: self.source.clone(), span: row.span() }
    }
}

impl Row {
    fn span(&self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }

    /// The fingerprint that the row begins with.
    fn key<'t>(&self, text: &'t [u8]) -> &'t [u8] {
        let start = self.start as usize;
        text.get(start..start + 2 * LENGTH).unwrap_or_default()
    }
}

/// Where the lines of the table `[entries]` begin, if its header stands on a line of its own.
fn body_start(text: &str) -> Option<usize> {
    let at = if text.starts_with("[entries]") { 0 } else { text.find("\n[entries]")? + 1 };
    let end = at + "[entries]".len();
    let rest = text[end..].trim_start_matches('\r');
    rest.is_empty()
        .then_some(text.len())
        .or_else(|| rest.starts_with('\n').then(|| text.len() - rest.len() + 1))
}

/// The quick way: every line is blank, a comment, or of exactly the form we write. None if one is not.
fn index_lines(text: &[u8], body: usize) -> Option<Vec<Row>> {
    let len = u32::try_from(text.len()).ok()?;
    let mut rows = Vec::with_capacity(text.len() / 160);
    let mut start = body;
    for end in memchr::memchr_iter(b'\n', text.get(body..)?).map(|at| body + at).chain([len as usize]) {
        let line = text.get(start..end)?;
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.first().is_some_and(|&b| b != b'#') {
            let (key, rest) = line.split_at_checked(2 * LENGTH)?;
            if !is_hex(key) || !rest.starts_with(b" = { ") || !rest.ends_with(b" }") {
                return None;
            }
            rows.push(Row { start: start as u32, end: (start + line.len()) as u32, parsed: None });
        }
        start = end + 1;
    }
    Some(rows)
}

/// Whether all bytes are lower-case hex digits. Without a branch, so that all are looked at at once.
fn is_hex(digits: &[u8]) -> bool {
    digits.iter().fold(true, |all, b| all & (b.is_ascii_digit() | (b'a'..=b'f').contains(b)))
}

fn read_header(source: &Arc<SourceText>, text: &str) -> Result<Header, ConfigError> {
    let header: Header = toml::from_str(text).map_err(|error| {
        let span = error.span().unwrap_or(0..0);
        Place { source: source.clone(), span }
            .error(error.message().to_owned())
            .with_help("is this a stanch baseline? `stanch baseline import` reads those of other tools")
    })?;
    if header.version > VERSION {
        let at = source.text.find("version").unwrap_or(0);
        let message =
            format!("version {} of the baseline format; this stanch reads {VERSION}", header.version);
        return Err(Place { source: source.clone(), span: at..at + 7 }
            .error(message)
            .with_help("update stanch"));
    }
    Ok(header)
}

fn parse_line(line: &str) -> Result<Entry, (std::ops::Range<usize>, String)> {
    let (fingerprint, _) = line.split_at(2 * LENGTH);
    let mut rows: std::collections::BTreeMap<String, entry::Row> =
        toml::from_str(line).map_err(|error| (error.span().unwrap_or(0..line.len()), explain(&error)))?;
    match rows.remove(fingerprint) {
        Some(row) => row.check(fingerprint).map_err(|reason| (0..line.len(), reason)),
        None => Err((0..line.len(), "not an entry of a baseline".to_owned())),
    }
}

fn row_error(place: &Place, error: &toml::de::Error) -> ConfigError {
    place.error(explain(error))
}

/// The parser's message, with a suggestion for unknown fields.
fn explain(error: &toml::de::Error) -> String {
    const FIELDS: [&str; 11] = [
        "rule",
        "status",
        "reason",
        "by",
        "on",
        "since",
        "expires",
        "where",
        "history",
        "only_rules",
        "only_paths",
    ];
    let message = error.message();
    let unknown = message.strip_prefix("unknown field `").and_then(|rest| rest.split('`').next());
    match unknown {
        Some(field) => {
            let help = crate::config::did_you_mean(field, FIELDS)
                .unwrap_or_else(|| format!("known are {}", FIELDS.join(", ")));
            format!("unknown field `{}`: {help}", field.escape_debug())
        }
        None => message.lines().next().unwrap_or("not valid TOML").to_owned(),
    }
}

#[cfg(test)]
mod tests;
