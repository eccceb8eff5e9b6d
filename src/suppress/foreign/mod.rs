//! Baselines of other tools: read as they are, or taken over into ours.
//!
//! They know values by file: an entry of one file says nothing about another file. Where an entry
//! covers less than the value (detect-secrets hashes only the prefix of a GitHub token, and only the
//! first line of a private key), it stands for every such value in its file; here it counts only on
//! the line it names.

mod detect_secrets;
mod gitleaks;

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use sha1::{Digest, Sha1};

use super::baseline::{Decision, Entry};
use super::fingerprint::Fingerprinter;
use crate::config::{ConfigError, Place, decode};
use crate::finding::{Finding, Secret};

/// The tool that wrote a baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    /// `detect-secrets scan`.
    DetectSecrets,
    /// gitleaks' JSON report.
    Gitleaks,
}

impl Tool {
    /// The tool's name.
    pub fn name(self) -> &'static str {
        match self {
            Tool::DetectSecrets => "detect-secrets",
            Tool::Gitleaks => "gitleaks",
        }
    }
}

/// What an entry says of its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// SHA-1 of the value, or of a part of it.
    Sha1([u8; 20]),
    /// The value itself: gitleaks' reports hold it unless they are redacted.
    Plain(Secret),
    /// Nothing.
    Redacted,
}

/// An entry of such a baseline.
#[derive(Clone, Debug)]
pub struct ForeignEntry {
    /// Path with `/`.
    path: String,
    /// 1-based line; 0 when it is not given.
    line: u64,
    /// The tool's name for the rule.
    rule: String,
    value: Value,
    status: Decision,
    /// Commit id, where the entry is for one commit.
    commit: Option<String>,
}

/// A baseline of another tool.
#[derive(Debug)]
pub struct Foreign {
    path: PathBuf,
    tool: Tool,
    entries: Vec<ForeignEntry>,
    by_path: HashMap<String, Vec<usize>>,
    /// What the file asks for and stanch does not have.
    unsupported: Vec<String>,
}

/// A baseline of another tool, in terms of ours.
#[derive(Debug, Default)]
pub struct Imported {
    /// Entries to record.
    pub entries: Vec<Entry>,
    /// What people should know: entries whose value was not found, or which hid more than one value.
    pub warnings: Vec<String>,
}

/// Whether a file's content looks like another tool's baseline: JSON, where ours is TOML.
pub fn is_foreign(bytes: &[u8]) -> bool {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    match text.split_first() {
        Some((b'{', _)) => true,
        // A TOML file may begin with a table's header, `[entries]`.
        Some((b'[', rest)) => matches!(rest.trim_ascii_start().first(), Some(b'{' | b']')),
        _ => false,
    }
}

impl Foreign {
    /// Reads the baseline of whichever tool wrote it.
    ///
    /// # Errors
    /// It is neither tool's, or damaged: with the line.
    pub fn load(path: &Path, bytes: Vec<u8>) -> Result<Self, ConfigError> {
        let source = decode(path, bytes)?;
        let array = source.text.trim_start().starts_with('[');
        let read = if array { gitleaks::read(&source.text) } else { detect_secrets::read(&source.text) };
        let (tool, entries, unsupported) = match read {
            Ok((entries, unsupported)) => {
                (if array { Tool::Gitleaks } else { Tool::DetectSecrets }, entries, unsupported)
            }
            Err(error) => {
                let what = if array { "a JSON report of gitleaks" } else { "a baseline of detect-secrets" };
                let at = offset(&source.text, error.line(), error.column());
                let place = Place { source, span: at..at + 1 };
                return Err(place.error(format!("this is not {what}: {}", without_position(&error))));
            }
        };
        let mut by_path: HashMap<String, Vec<usize>> = HashMap::new();
        for (i, entry) in entries.iter().enumerate() {
            by_path.entry(entry.path.clone()).or_default().push(i);
        }
        Ok(Foreign { path: path.to_owned(), tool, entries, by_path, unsupported })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The tool that wrote it.
    pub fn tool(&self) -> Tool {
        self.tool
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// What the file asks for and stanch does not have: custom plugins and filters.
    pub fn unsupported(&self) -> &[String] {
        &self.unsupported
    }

    /// Paths that entries speak of.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.by_path.keys().map(String::as_str)
    }

    /// The decision recorded for a finding, when every place of its value is known. `inside` makes a
    /// path of the repository of a finding's path.
    pub fn knows(
        &self,
        finding: &Finding,
        ids: &[String],
        inside: impl for<'p> Fn(&'p [u8]) -> Cow<'p, [u8]>,
    ) -> Option<Decision> {
        let mut decision = None;
        for location in std::iter::once(&finding.location).chain(&finding.occurrences) {
            decision = Some(
                self.entry_at(finding, &inside(location.path.as_ref()?), location.start.line, ids)?.status,
            );
        }
        decision
    }

    fn entry_at(&self, finding: &Finding, path: &[u8], line: u64, ids: &[String]) -> Option<&ForeignEntry> {
        let path = std::str::from_utf8(path).ok()?;
        let entries = self.by_path.get(path)?.iter().map(|&i| &self.entries[i]);
        let mut known = entries.filter(|entry| {
            let commit = finding.commit.as_deref().map(|commit| commit.id.as_str());
            let same_commit = entry.commit.is_none() || entry.commit.as_deref() == commit;
            same_commit && entry.is_for(&finding.secret, line, ids)
        });
        known.next()
    }

    /// Takes the entries over. `findings` are what a scan of the same files found, without any
    /// suppression; `read` gives a file's content; `aliases` the other ids of a rule.
    pub fn import(
        &self,
        findings: &[Finding],
        fingerprinter: &Fingerprinter,
        read: impl Fn(&str) -> Option<Vec<u8>>,
        aliases: impl Fn(&str) -> Vec<String>,
    ) -> Imported {
        let mut imported = Imported::default();
        let by_path = findings_by_path(findings);
        for entry in &self.entries {
            let there = by_path.get(entry.path.as_str()).map_or(&[][..], Vec::as_slice);
            let matching = |(finding, line): &&(&Finding, u64)| {
                let mut ids = aliases(&finding.rule);
                ids.insert(0, finding.rule.clone());
                entry.is_for(&finding.secret, *line, &ids)
            };
            let found: Vec<(&Finding, u64)> = there.iter().filter(matching).copied().collect();
            self.take_over(entry, &found, there, fingerprinter, &read, &mut imported);
        }
        imported.entries.sort_by(|a, b| a.fingerprint.cmp(&b.fingerprint));
        // The same value may be known under several names: a decision wins over none.
        imported
            .entries
            .sort_by_key(|entry| (entry.fingerprint.clone(), entry.status == Decision::Undecided));
        imported.entries.dedup_by(|later, first| later.fingerprint == first.fingerprint);
        imported.warnings.sort();
        imported.warnings.dedup();
        imported
    }

    fn take_over(
        &self,
        entry: &ForeignEntry,
        found: &[(&Finding, u64)],
        there: &[(&Finding, u64)],
        fingerprinter: &Fingerprinter,
        read: &impl Fn(&str) -> Option<Vec<u8>>,
        imported: &mut Imported,
    ) {
        let place = format!("{}:{}", entry.path, entry.line);
        for (finding, _) in found {
            imported.entries.push(self.converted(
                entry,
                &finding.rule,
                fingerprinter.of(finding.secret.expose()),
            ));
        }
        if found.iter().any(|(finding, _)| entry.is_partial(&finding.secret)) {
            let alike = there.iter().filter(|(finding, _)| entry.is_partial(&finding.secret)).count();
            imported.warnings.push(format!(
                "{place}: the entry ({}) covers only a part that all such values share; it hid every one in that file ({alike} there now). Only the value on line {} was taken over",
                entry.rule, entry.line
            ));
        }
        if !found.is_empty() {
            return;
        }
        let value = match &entry.value {
            Value::Plain(secret) => Some(secret.expose().to_vec()),
            Value::Sha1(hash) => read(&entry.path)
                .and_then(|text| line(&text, entry.line).and_then(|line| preimage(line, hash))),
            Value::Redacted => None,
        };
        match value {
            Some(value) => {
                // Our rule may cut the value out a little differently: what it found there is meant.
                let holds = |secret: &Secret| memchr::memmem::find(secret.expose(), &value).is_some();
                let ours = there
                    .iter()
                    .find(|(finding, at)| *at == entry.line && value.len() >= 6 && holds(&finding.secret));
                let (rule, value) = match ours {
                    Some((finding, _)) => (finding.rule.as_str(), finding.secret.expose()),
                    None => (entry.rule.as_str(), &value[..]),
                };
                imported.entries.push(self.converted(entry, rule, fingerprinter.of(value)));
            }
            None => imported.warnings.push(format!(
                "{place}: the value of this entry ({}) was not found; it is not taken over",
                entry.rule
            )),
        }
    }

    fn converted(&self, entry: &ForeignEntry, rule: &str, fingerprint: String) -> Entry {
        Entry {
            fingerprint,
            rule: rule.to_owned(),
            status: entry.status,
            reason: format!("from {}", self.tool.name()),
            places: vec![entry.path.clone()],
            ..Entry::default()
        }
    }
}

impl ForeignEntry {
    fn is_for(&self, secret: &Secret, line: u64, ids: &[String]) -> bool {
        match &self.value {
            // Only bytes: what is public of a value is nothing that the other tool knows.
            Value::Plain(value) => value.expose() == secret.expose(),
            Value::Redacted => line == self.line && ids.contains(&self.rule),
            Value::Sha1(hash) => {
                hash == &sha1(secret.expose()) || (line == self.line && self.is_partial(secret))
            }
        }
    }

    /// Whether the entry holds the hash of no more than a part that many values share.
    fn is_partial(&self, secret: &Secret) -> bool {
        let Value::Sha1(hash) = &self.value else {
            return false;
        };
        shared_part(secret.expose()).is_some_and(|part| hash == &sha1(part))
    }
}

/// The part of a value that detect-secrets takes for the whole: the prefix of a GitHub token, the
/// words in the first line of a private key.
fn shared_part(secret: &[u8]) -> Option<&[u8]> {
    if let [b'g', b'h', b'p' | b'o' | b'u' | b's' | b'r', b'_', ..] = secret {
        return secret.get(..3);
    }
    let start = memchr::memmem::find(secret.get(..200).unwrap_or(secret), b"BEGIN ")?;
    let end = start + memchr::memmem::find(&secret[start..], b"-----")?;
    secret.get(start..end)
}

fn findings_by_path(findings: &[Finding]) -> HashMap<&str, Vec<(&Finding, u64)>> {
    let mut by_path: HashMap<&str, Vec<(&Finding, u64)>> = HashMap::new();
    for finding in findings {
        for location in std::iter::once(&finding.location).chain(&finding.occurrences) {
            if let Some(path) = location.path.as_ref().and_then(|path| std::str::from_utf8(path).ok()) {
                by_path.entry(path).or_default().push((finding, location.start.line));
            }
        }
    }
    by_path
}

fn sha1(bytes: &[u8]) -> [u8; 20] {
    Sha1::digest(bytes).into()
}

/// The 1-based line of a text, without its end.
fn line(text: &[u8], number: u64) -> Option<&[u8]> {
    let index = usize::try_from(number.checked_sub(1)?).ok()?;
    text.split(|&b| b == b'\n').nth(index).map(|line| line.strip_suffix(b"\r").unwrap_or(line))
}

/// The part of a line with this hash. Long lines are searched by words only: trying every part of
/// them would take minutes.
fn preimage(line: &[u8], hash: &[u8; 20]) -> Option<Vec<u8>> {
    let is_it = |part: &[u8]| !part.is_empty() && sha1(part) == *hash;
    let words = line.split(|b| b" \t\"'`,;=:<>(){}[]".contains(b));
    if let Some(word) = words.into_iter().find(|word| is_it(word)) {
        return Some(word.to_vec());
    }
    if line.len() > 600 {
        return None;
    }
    let parts = (0..line.len()).flat_map(|start| (start + 1..=line.len()).map(move |end| &line[start..end]));
    parts.into_iter().find(|part| is_it(part)).map(<[u8]>::to_vec)
}

/// Byte offset of a 1-based line and column, as the JSON parser counts them.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    (start + column.saturating_sub(1)).min(text.len())
}

fn without_position(error: &serde_json::Error) -> String {
    let message = error.to_string();
    message.rsplit_once(" at line ").map_or(message.clone(), |(message, _)| message.to_owned())
}

#[cfg(test)]
mod tests;
