//! `stanch audit`: goes through the values that are known or found, and records what is decided.
//!
//! [`model`] holds what is shown and decided and knows no terminal; [`screen`] draws it and
//! [`plain`] asks without drawing. Every decision is written at once, whole or not at all: whatever
//! happens to the terminal, nothing decided is lost, and the next run goes on where this one ended.

mod context;
mod model;
pub(super) mod plain;
mod screen;

use std::io::IsTerminal;
use std::path::PathBuf;

use clap::Args;

use super::args::CommonArgs;
use super::baseline::{draft, write};
use super::{Exit, files, policy};
use crate::suppress::baseline::Draft;
use model::{Item, Session};

/// `stanch audit`.
#[derive(Debug, Args)]
pub struct AuditArgs {
    /// Files and folders (default: the whole repository)
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Go through what the history holds, too, with the life of each value
    #[arg(long)]
    pub history: bool,
    /// Go through decided values, too
    #[arg(long)]
    pub all: bool,
    /// Ask line by line, even on a terminal
    #[arg(long)]
    pub plain: bool,
    /// What every scan understands.
    #[command(flatten)]
    pub common: CommonArgs,
}

/// Writes decisions down, one by one.
pub struct Recorder {
    draft: Draft,
    path: PathBuf,
}

impl Recorder {
    /// Records the decision of an item, or takes it back.
    ///
    /// # Errors
    /// The baseline cannot be written; it is then as it was.
    pub fn record(&mut self, item: &Item) -> anyhow::Result<()> {
        let before = self.draft.clone();
        match &item.entry {
            Some(entry) => self.draft.set(entry.clone()),
            None => {
                self.draft.remove(&item.fingerprint);
            }
        }
        write(&self.draft, &self.path).inspect_err(|_| self.draft = before)
    }
}

/// Runs the subcommand.
///
/// # Errors
/// What keeps the values from being found, or decisions from being written.
pub fn run(args: &AuditArgs) -> anyhow::Result<Exit> {
    let key = policy::key();
    // What the baseline would suppress is what there is to decide.
    let mut scanned = files::scan(&args.common, &args.paths)?;
    let mut incomplete = scanned.report_skips();
    let (draft, _) = draft(&scanned.baseline_path, key.as_deref())?;
    let fingerprinter = draft.fingerprinter(key.as_deref());
    let mut findings = std::mem::take(&mut scanned.outcome.findings);
    if args.history && policy::repository_root(&scanned.root).is_some() {
        let (found, unread) = files::history(&args.common, &scanned.root)?;
        findings.extend(found);
        incomplete |= unread;
    }
    for finding in &mut findings {
        finding.fingerprint = fingerprinter.of(finding.secret.expose());
    }
    let context = context::Context::new(&scanned.root, &findings)?;
    let by = files::user_name(&scanned.root);
    let items = model::items(findings, &draft, files::places);
    let mut session = Session::new(items, by, policy::today(), args.all);
    if session.is_empty() {
        println!("Nothing to decide.");
        return Ok(Exit(if incomplete { 2 } else { 0 }));
    }
    let mut recorder = Recorder { path: scanned.baseline_path.clone(), draft };
    let full = !args.plain && std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    match full {
        true => screen::run(&mut session, &mut recorder, &context)?,
        false => plain::run(&mut session, &mut recorder, &context)?,
    }
    let (decided, open) = session.counts();
    println!("{}: {decided} decided, {open} still open", scanned.baseline_path.display());
    Ok(Exit(if incomplete { 2 } else { 0 }))
}
