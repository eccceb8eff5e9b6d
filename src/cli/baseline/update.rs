//! `stanch baseline update`: adds what a scan finds; recorded decisions stay.

use std::collections::{BTreeMap, HashSet};

use anyhow::bail;

use super::super::args::CommonArgs;
use super::super::files::{self, Scanned};
use super::super::{Exit, policy};
use super::{UpdateArgs, draft, refusal, still, write};
use crate::config::{Disk, Files};
use crate::finding::{Finding, Status};
use crate::suppress::baseline::{Draft, Entry, Found};
use crate::suppress::fingerprint::Fingerprinter;

/// Runs the subcommand.
///
/// # Errors
/// What keeps it from being done. The baseline is then as it was.
pub(super) fn run(args: &UpdateArgs) -> anyhow::Result<Exit> {
    if args.common.no_baseline {
        bail!("--no-baseline leaves nothing to update");
    }
    let key = policy::key();
    let scanned = scan_for_update(&args.common, args)?;
    let (mut draft, new) = draft(&scanned.baseline_path, key.as_deref())?;
    let mut values = Values::new(draft.fingerprinter(key.as_deref()));
    values.add(&scanned.outcome.findings, false);
    let mut incomplete = scanned.report_skips();
    if let Some(repo) = &args.history {
        let common = with_baseline_if_there(&args.common);
        let (findings, unread) = files::history(&common, repo)?;
        values.add(&findings, true);
        incomplete |= unread;
    }
    let by = files::user_name(&scanned.root);
    let added = draft.add(values.found.into_values(), &by, policy::today());
    if incomplete && args.prune {
        bail!("not everything could be read, so that nothing can be called stale; the baseline is unchanged");
    }
    let removed = if args.prune { prune(&mut draft, &values.present, args.history.is_some()) } else { 0 };
    if new || added + removed > 0 {
        write(&draft, &scanned.baseline_path)?;
    }
    if !args.common.quiet {
        let path = scanned.baseline_path.display();
        println!("{path}: {added} added, {removed} removed, {} in all", draft.len());
        if new {
            println!("Commit it. Run `stanch audit` to decide what each value is.");
        }
    }
    Ok(Exit(if incomplete { 2 } else { 0 }))
}

/// Scans with the baseline, or without one when it does not exist yet.
fn scan_for_update(common: &CommonArgs, args: &UpdateArgs) -> anyhow::Result<Scanned> {
    let mut scanned = files::scan(&with_baseline_if_there(common), &args.paths)?;
    if let Some(foreign) = scanned.engine.policy().foreign() {
        bail!(refusal(foreign));
    }
    scanned.baseline_path = common.baseline.clone().unwrap_or(scanned.baseline_path);
    Ok(scanned)
}

/// A baseline that is named need not exist before it is made.
fn with_baseline_if_there(common: &CommonArgs) -> CommonArgs {
    match &common.baseline {
        Some(path) if !Disk.exists(path) => {
            CommonArgs { no_baseline: true, baseline: None, ..common.clone() }
        }
        _ => common.clone(),
    }
}

/// What scans found, by value.
struct Values {
    fingerprinter: Fingerprinter,
    /// Fingerprints of everything that was found, suppressed or not.
    present: HashSet<String>,
    /// What may have to be recorded.
    found: BTreeMap<String, Found>,
}

impl Values {
    fn new(fingerprinter: Fingerprinter) -> Self {
        Values { fingerprinter, present: HashSet::new(), found: BTreeMap::new() }
    }

    /// Adds findings: first those of files, then those of the history.
    fn add(&mut self, findings: &[Finding], history: bool) {
        for finding in findings {
            let fingerprint = self.fingerprinter.of(finding.secret.expose());
            let first = self.present.insert(fingerprint.clone());
            let known = self.found.contains_key(&fingerprint);
            if finding.status != Status::New || (history && !first && !known) {
                continue;
            }
            self.record(finding, fingerprint, history);
        }
    }

    /// Notes a value once, with all of its places.
    fn record(&mut self, finding: &Finding, fingerprint: String, history: bool) {
        let new = || Found {
            fingerprint: fingerprint.clone(),
            rule: finding.rule.clone(),
            history,
            ..Found::default()
        };
        let found = self.found.entry(fingerprint.clone()).or_insert_with(new);
        // Where a value stands today says more than where it stood.
        if !history || found.history {
            found.places.extend(files::places(finding));
        }
        let first = finding.life.as_deref().and_then(|life| life.first_seen.as_ref());
        found.since = found.since.or(first.and_then(|commit| still::day(commit.time)));
    }
}

/// Removes entries of values that are gone. Those of the history count as gone only if that was looked at.
fn prune(draft: &mut Draft, present: &HashSet<String>, history: bool) -> usize {
    let gone = |entry: &&Entry| !present.contains(&entry.fingerprint) && (history || !entry.history);
    let stale: Vec<String> = draft.entries().filter(gone).map(|entry| entry.fingerprint.clone()).collect();
    for fingerprint in &stale {
        draft.remove(fingerprint);
    }
    stale.len()
}
