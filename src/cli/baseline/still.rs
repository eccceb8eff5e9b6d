//! Which values of a baseline are still there.
//!
//! First the places that the entries name are looked at, without any rule; what does not stand there in plain
//! words is looked for by a scan of those files, then by one of the whole repository, and of the history if that
//! is asked for. Each step is for what the one before has not found, so that a baseline that is up to date is
//! checked without a scan.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::super::args::CommonArgs;
use super::super::{files, policy};
use crate::config::read_regular;
use crate::finding::{Confidence, Finding};
use crate::suppress::baseline::{Entry, take_present};
use crate::suppress::fingerprint::{Fingerprinter, id_of};

/// Larger files are left to the scan, in bytes.
const SMALL: u64 = 4 << 20;

/// What a search needs to know.
pub(super) struct Search<'a> {
    /// How a scan is to be done.
    pub common: &'a CommonArgs,
    /// The repository's top folder.
    pub root: &'a Path,
    /// Makes the baseline's fingerprints.
    pub fingerprinter: &'a Fingerprinter,
    /// The repository whose history is searched, too.
    pub history: Option<&'a Path>,
}

/// What a search found out.
#[derive(Default)]
pub(super) struct Outcome {
    /// Fingerprints of values that are not there.
    pub gone: HashSet<u128>,
    /// Number of entries of the history that were not looked for, since the history was not.
    pub not_looked_for: usize,
    /// Whether something could not be read.
    pub incomplete: bool,
}

impl Search<'_> {
    /// Looks for the values of entries.
    ///
    /// # Errors
    /// What keeps a scan from starting.
    pub fn run(&self, entries: &[Entry]) -> anyhow::Result<Outcome> {
        let mut missing = HashSet::with_capacity(entries.len());
        missing.extend(entries.iter().filter_map(id));
        self.in_places(entries, &mut missing);
        let mut outcome = Outcome::default();
        let of_history = entries.iter().filter(|entry| entry.history).filter_map(id);
        // Those are only in the history, as far as anybody knows: files say nothing about them.
        let aside: Vec<u128> = of_history.filter(|id| missing.remove(id)).collect();
        let named: Vec<PathBuf> = self.named(entries, &missing);
        if !missing.is_empty() && !named.is_empty() {
            self.scan(&named, &mut missing)?;
        }
        if !missing.is_empty() {
            outcome.incomplete |= self.scan(&[], &mut missing)?;
        }
        match self.history.filter(|_| !missing.is_empty() || !aside.is_empty()) {
            Some(repo) => {
                missing.extend(aside);
                let (findings, incomplete) = files::history(&least(self.common), repo)?;
                self.take(&findings, &mut missing);
                outcome.incomplete |= incomplete;
            }
            None => outcome.not_looked_for = if self.history.is_none() { aside.len() } else { 0 },
        }
        outcome.gone = missing;
        Ok(outcome)
    }

    /// Takes the values that stand where their entries say.
    fn in_places(&self, entries: &[Entry], missing: &mut HashSet<u128>) {
        let mut of_file: HashMap<&str, HashSet<u128>> = HashMap::new();
        for (entry, id) in entries.iter().filter_map(|entry| Some((entry, id(entry)?))) {
            for place in &entry.places {
                of_file.entry(place).or_default().insert(id);
            }
        }
        let mut budget = 20_000 + 16 * entries.len();
        for (place, mut wanted) in of_file {
            wanted.retain(|id| missing.contains(id));
            if wanted.is_empty() {
                continue;
            }
            let text = super::inside(self.root, place).and_then(|path| read_regular(&path, SMALL).ok());
            let Some(text) = text else { continue };
            let before = wanted.clone();
            take_present(&text, self.fingerprinter, &mut wanted, &mut budget);
            for found in before.difference(&wanted) {
                missing.remove(found);
            }
        }
    }

    /// The files that entries of missing values name, as far as they are there.
    fn named(&self, entries: &[Entry], missing: &HashSet<u128>) -> Vec<PathBuf> {
        let wanted = entries.iter().filter(|entry| id(entry).is_some_and(|id| missing.contains(&id)));
        let places: HashSet<&String> = wanted.flat_map(|entry| &entry.places).collect();
        let there = places.into_iter().filter_map(|place| super::inside(self.root, place));
        let mut there: Vec<PathBuf> = there.filter(|path| path.is_file()).collect();
        there.sort();
        there
    }

    /// Takes what a scan finds. Returns whether it was incomplete.
    fn scan(&self, paths: &[PathBuf], missing: &mut HashSet<u128>) -> anyhow::Result<bool> {
        let scanned = files::scan(&least(self.common), paths)?;
        self.take(&scanned.outcome.findings, missing);
        // Of files that are scanned again anyway nothing is said yet.
        Ok(if paths.is_empty() { scanned.report_skips() } else { false })
    }

    fn take(&self, findings: &[Finding], missing: &mut HashSet<u128>) {
        for finding in findings {
            missing.remove(&self.fingerprinter.id(finding.secret.expose()));
        }
    }
}

fn id(entry: &Entry) -> Option<u128> {
    id_of(&entry.fingerprint)
}

/// Everything counts as found, of whatever confidence: an entry is stale when its value is gone.
fn least(common: &CommonArgs) -> CommonArgs {
    CommonArgs { min_confidence: Some(Confidence::Low), ..common.clone() }
}

/// The day of a time in seconds since 1970, in UTC.
pub(super) fn day(seconds: i64) -> Option<jiff::civil::Date> {
    let time = jiff::Timestamp::from_second(seconds).ok()?;
    Some(time.to_zoned(jiff::tz::TimeZone::UTC).date()).filter(|day| *day <= policy::today())
}
