//! `stanch history`.

use std::sync::atomic::{AtomicBool, AtomicU64};

use super::args::HistoryArgs;
use super::policy::{self, Setup};
use super::scan::{self, Clock};
use super::{Exit, environment, output};
use crate::scan::{HistoryFacts, HistoryOptions, RangeOptions, scan_history, scan_range};
use crate::source::git::SelectOptions;

/// Runs the subcommand.
///
/// # Errors
/// What keeps the scan from starting, or its report from being written.
pub fn run(args: &HistoryArgs) -> anyhow::Result<Exit> {
    let started = Clock::start();
    let targets = output::targets(&args.common)?;
    let repo = environment::repository(&args.repo)?;
    let top = repo.work_tree().unwrap_or(repo.git_dir());
    let (engine, fingerprinter) =
        scan::engine(&args.common, Setup::new(&args.common, top, policy::Paths::InRepository)?);
    let (stop, progress) = (AtomicBool::new(false), AtomicU64::new(0));
    if let Some(options) = range(args) {
        let (mut outcome, commits) = scan_range(&engine, &repo, &options, &stop)?;
        policy::finish(engine.policy(), &fingerprinter, engine.matcher().rules(), &mut outcome.findings)?;
        let mut report = scan::report(&engine, outcome, "range", std::slice::from_ref(&args.repo), started);
        report.summary.commits = commits;
        output::write(&report, &targets, &args.common)?;
        return Ok(scan::exit(&report, &args.common));
    }
    let options = HistoryOptions { verify_engine: args.verify_engine, now: started.seconds() };
    let (mut outcome, facts) = scan_history(&engine, &repo, options, &stop, &progress)?;
    policy::finish(engine.policy(), &fingerprinter, engine.matcher().rules(), &mut outcome.findings)?;
    let mut report = scan::report(&engine, outcome, "history", std::slice::from_ref(&args.repo), started);
    report.summary.commits = facts.commits;
    report.summary.head.clone_from(&facts.head);
    output::write(&report, &targets, &args.common)?;
    if args.stats {
        print_stats(&facts);
    }
    match facts.differences {
        Some(n) if n > 0 => {
            eprintln!("stanch: error: the engines disagree about {n} texts");
            Ok(Exit(2))
        }
        Some(_) => {
            eprintln!("stanch: both engines found the same in every text");
            Ok(scan::exit(&report, &args.common))
        }
        None => Ok(scan::exit(&report, &args.common)),
    }
}

/// The range that was asked for, if one was.
fn range(args: &HistoryArgs) -> Option<RangeOptions> {
    let asked =
        args.range.is_some() || args.branch.is_some() || args.since.is_some() || args.max_commits.is_some();
    asked.then(|| RangeOptions {
        range: args.range.clone().or_else(|| args.branch.clone()).unwrap_or_else(|| "--all".to_owned()),
        select: SelectOptions { since: args.since, max_commits: args.max_commits },
        allow_shallow: args.allow_shallow,
    })
}

fn print_stats(facts: &HistoryFacts) {
    let walk = &facts.walk;
    eprintln!("objects      {:>12}", walk.objects);
    eprintln!("bytes        {:>12}  of content", walk.bytes);
    eprintln!("inflated     {:>12}  bytes that deltas insert or that are stored whole", walk.inflated);
    eprintln!("candidates   {:>12}  distinct", facts.sightings);
    eprintln!("decode+scan  {:>9} ms", facts.scan_time.as_millis());
    eprintln!("attribute    {:>9} ms", facts.attribute_time.as_millis());
}
