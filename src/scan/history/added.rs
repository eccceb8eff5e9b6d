//! What single commits add: new lines, messages, identities, and names of files.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use bstr::{BString, ByteSlice};
use rayon::prelude::*;

use super::messages;
use super::workers::Workers;
use crate::finding::{Finding, Location, MessageKind, Position, Skipped};
use crate::scan::Progress;
use crate::source::git::{self, ChangedFile, ChangedText, Changes, Error, Kind, Odb, Oid, SelectedCommit};

/// Commits whose changes are in memory at a time.
const BATCH: usize = 256;

/// A find in what a commit adds.
#[derive(Clone, Debug)]
pub struct Added {
    /// Place of the commit in the list given. None for tags of commits that are not in it.
    pub commit: Option<usize>,
    /// The find.
    pub finding: Finding,
    /// The blob, commit or tag.
    pub object: Oid,
    /// The encoded text in which it stood, if it did.
    pub encoded: Option<Encoded>,
}

/// Encoded text that holds a value.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Encoded(pub Box<[u8]>);

impl std::fmt::Debug for Encoded {
    /// Shows nothing: it is a secret in other clothes.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Encoded")
    }
}

/// Scans commits.
pub struct Adder<'a, 'e> {
    /// The objects.
    pub odb: &'a Odb,
    /// Who scans.
    pub workers: &'a Workers<'e>,
    /// Ends the scan.
    pub stop: &'a AtomicBool,
    /// Counts commits.
    pub progress: &'a Progress,
    skipped: Mutex<Vec<Skipped>>,
}

impl<'a, 'e> Adder<'a, 'e> {
    /// Begins with nothing skipped.
    pub fn new(odb: &'a Odb, workers: &'a Workers<'e>, stop: &'a AtomicBool, progress: &'a Progress) -> Self {
        Adder { odb, workers, stop, progress, skipped: Mutex::default() }
    }

    /// What could not be read.
    pub fn finish(self) -> Vec<Skipped> {
        self.skipped.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything that the commits (parents before children) add, in their order.
    pub fn commits(&self, commits: &[SelectedCommit]) -> Vec<Added> {
        let mut added = Vec::new();
        let mut names = HashSet::new();
        for (n, batch) in commits.chunks(BATCH).enumerate() {
            if self.stopped() {
                break;
            }
            let first = n * BATCH;
            let changes: Vec<Changes> = batch.par_iter().map(|commit| self.changes(commit)).collect();
            let files: Vec<(usize, &Changes, &ChangedFile)> = changes
                .iter()
                .enumerate()
                .flat_map(|(at, changes)| changes.files.iter().map(move |file| (first + at, changes, file)))
                .collect();
            let found: Vec<Vec<Added>> =
                files.par_iter().map(|(at, changes, file)| self.file(*at, changes, file)).collect();
            added.extend(found.into_iter().flatten());
            let messages: Vec<Vec<Added>> = batch
                .par_iter()
                .enumerate()
                .map(|(at, commit)| self.message(Some(first + at), commit.oid, Kind::Commit))
                .collect();
            added.extend(messages.into_iter().flatten());
            for (at, _, file) in files {
                added.extend(self.names(at, file, &mut names));
            }
        }
        added.sort_by(|a, b| (a.commit, &a.finding.location).cmp(&(b.commit, &b.finding.location)));
        added
    }

    /// What an annotated tag says.
    pub fn tag(&self, commit: Option<usize>, oid: Oid) -> Vec<Added> {
        self.message(commit, oid, Kind::Tag)
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn changes(&self, commit: &SelectedCommit) -> Changes {
        if self.stopped() {
            return Changes::default();
        }
        let result = git::committed(self.odb, commit).map(|mut changes| {
            self.skip(changes.skipped.drain(..));
            changes
        });
        result.unwrap_or_else(|error| {
            self.unreadable(&commit.oid, &error);
            Changes::default()
        })
    }

    fn skip(&self, skipped: impl IntoIterator<Item = Skipped>) {
        self.skipped.lock().unwrap_or_else(PoisonError::into_inner).extend(skipped);
    }

    fn unreadable(&self, oid: &Oid, error: &Error) {
        let what = format!("object {oid}").into();
        self.skip([Skipped { what, reason: error.reason(), detail: error.to_string(), incomplete: true }]);
    }

    fn file(&self, commit: usize, changes: &Changes, file: &ChangedFile) -> Vec<Added> {
        if self.stopped() {
            return Vec::new();
        }
        let mut text = None;
        let findings = self.workers.find(|session| {
            if session.passes_over(&file.path) {
                return;
            }
            match changes.load(self.odb, file) {
                Ok(loaded) => {
                    session.outcome.files += 1;
                    session.outcome.bytes += loaded.content.len() as u64;
                    self.progress.add(0, loaded.content.len() as u64);
                    if !loaded.new.is_empty() {
                        session.guarded(&file.path, |session| {
                            session.examine_content(&loaded.content, Some(&loaded.new), &location(file));
                        });
                    }
                    text = Some(loaded);
                }
                Err(error) => session.outcome.skipped.push(Changes::unreadable(file, &error)),
            }
        });
        match text {
            Some(text) if !findings.is_empty() => self.new_of(commit, file, &text, findings),
            _ => Vec::new(),
        }
    }

    /// Containers, and text in other encodings than UTF-8, are scanned whole: what the version before held,
    /// too, is not new.
    fn new_of(
        &self,
        commit: usize,
        file: &ChangedFile,
        text: &ChangedText,
        findings: Vec<Finding>,
    ) -> Vec<Added> {
        let beneath = |finding: &Finding| {
            !finding.location.container.is_empty() || !finding.location.decoded.is_empty()
        };
        let before = match findings.iter().any(beneath) {
            true => self.values_before(file),
            false => HashSet::new(),
        };
        findings
            .into_iter()
            .filter(|finding| !(beneath(finding) && before.contains(finding.secret.expose())))
            .map(|finding| Added {
                commit: Some(commit),
                object: file.oid,
                encoded: encoded_of(&finding, &text.content),
                finding,
            })
            .collect()
    }

    fn values_before(&self, file: &ChangedFile) -> HashSet<Box<[u8]>> {
        let old = file.old.iter().filter_map(|oid| self.odb.read_kind(oid, Kind::Blob).ok());
        let findings = old.flat_map(|content| self.workers.examine_apart(&content, &location(file)));
        findings.map(|finding| finding.secret.expose().into()).collect()
    }

    fn message(&self, commit: Option<usize>, oid: Oid, kind: Kind) -> Vec<Added> {
        if self.stopped() {
            return Vec::new();
        }
        if kind == Kind::Commit {
            self.progress.add(1, 0);
        }
        let data = match self.odb.read_kind(&oid, kind) {
            Ok(data) => data,
            Err(error) => {
                self.unreadable(&oid, &error);
                return Vec::new();
            }
        };
        let findings = self.workers.find(|session| {
            for (part, message_kind) in messages::parts(&data, kind) {
                let location = Location { message_kind: Some(message_kind), ..Location::default() };
                session.examine_content(part, None, &location);
            }
        });
        let add = |finding| Added { commit, object: oid, encoded: None, finding };
        findings.into_iter().map(add).collect()
    }

    /// Scans the names along a new file's path, each name once.
    fn names(&self, commit: usize, file: &ChangedFile, known: &mut HashSet<BString>) -> Vec<Added> {
        if !file.old.is_empty() {
            return Vec::new();
        }
        let mut added = Vec::new();
        for name in file.path.split(|&byte| byte == b'/') {
            if known.contains(name.as_bstr()) {
                continue;
            }
            known.insert(name.into());
            let message_kind = Some(MessageKind::FileName);
            let location = Location { path: Some(name.into()), message_kind, ..Location::default() };
            let findings = self.workers.find(|session| session.examine_content(name, None, &location));
            added.extend(findings.into_iter().map(|finding| Added {
                commit: Some(commit),
                object: file.oid,
                encoded: None,
                finding,
            }));
        }
        added
    }
}

fn location(file: &ChangedFile) -> Location {
    Location {
        path: Some(file.path.clone()),
        message_kind: file.mode.is_symlink().then_some(MessageKind::LinkTarget),
        ..Location::default()
    }
}

/// The longest line of the encoded text in which a find stood: what does not change when the text is indented
/// in another way or wrapped by other text.
fn encoded_of(finding: &Finding, content: &[u8]) -> Option<Encoded> {
    let location = &finding.location;
    if location.decoded.is_empty() || !location.container.is_empty() {
        return None;
    }
    let (start, end) = (offset(content, location.start)?, offset(content, location.end)?);
    let lines = content.get(start..end)?.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii);
    Some(Encoded(lines.max_by_key(|line| line.len())?.into()))
}

/// The byte at a position. None if there is no such line.
fn offset(text: &[u8], position: Position) -> Option<usize> {
    let line = usize::try_from(position.line).ok()?.checked_sub(1)?;
    let start = match line.checked_sub(1) {
        None => 0,
        Some(before) => memchr::memchr_iter(b'\n', text).nth(before)? + 1,
    };
    let rest = &text[start..];
    let columns = usize::try_from(position.column).ok()?.checked_sub(1)?;
    let inside = match std::str::from_utf8(rest) {
        Ok(rest) => rest.char_indices().nth(columns).map(|(at, _)| at),
        Err(_) => rest.char_indices().nth(columns).map(|(at, ..)| at),
    };
    Some(start + inside.unwrap_or(rest.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::Lines;

    #[test]
    fn offsets_are_what_positions_say() {
        for text in ["ab\nä€x\n\nz".as_bytes(), b"\xff\xfe a\n\xff b\n", b"", b"\n"] {
            let lines = Lines::new(text, Position { line: 1, column: 1 });
            let mut checked = 0;
            for at in
                (0..=text.len()).filter(|&at| std::str::from_utf8(text).is_ok_and(|t| t.is_char_boundary(at)))
            {
                assert_eq!(offset(text, lines.position(at)), Some(at));
                checked += 1;
            }
            assert!(checked > 0 || std::str::from_utf8(text).is_err());
        }
        assert_eq!(offset(b"a\nb", Position { line: 9, column: 1 }), None);
        assert_eq!(offset(b"a\nb", Position { line: 0, column: 0 }), None);
    }
}
