//! `stanch scan`.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use anyhow::bail;

use super::args::{CommonArgs, ScanArgs};
use super::{Exit, output};
use crate::finding::{Confidence, Finding, Status};
use crate::matcher::Matcher;
use crate::report::{Report, Summary};
use crate::rules::RuleSet;
use crate::scan::{self, Engine, Outcome};
use crate::source::worktree;

/// Runs the subcommand.
///
/// # Errors
/// What keeps the scan from starting, or its report from being written.
pub fn run(args: &ScanArgs) -> anyhow::Result<Exit> {
    let started = Clock::start();
    let targets = output::targets(&args.common)?;
    let engine = engine(&args.common)?;
    let stop = AtomicBool::new(false);
    let stdin = args.paths.iter().any(|p| p.as_os_str() == "-");
    let (mode, outcome) = if args.staged {
        let repo = super::environment::repository(Path::new("."))?;
        ("staged", scan::scan_staged(&engine, &repo)?)
    } else if stdin {
        if args.paths.len() > 1 {
            bail!("standard input (-) cannot be scanned together with files");
        }
        ("stdin", scan::scan_stdin(&engine, &mut io::stdin().lock()))
    } else {
        let options = worktree::Options {
            roots: args.paths.clone(),
            no_ignore: args.no_ignore,
            max_file_size: args.max_file_size,
            threads: args.common.threads,
        };
        ("scan", scan::scan_worktree(&engine, &options, &stop))
    };
    let report = report(&engine, outcome, mode, &args.paths, started);
    output::write(&report, &targets, &args.common)?;
    Ok(exit(&report, &args.common))
}

/// Builds the engine from configuration and flags.
fn engine(args: &CommonArgs) -> anyhow::Result<Engine> {
    for id in args.rule.iter().chain(&args.disable_rule) {
        if !crate::rules::builtin().iter().any(|r| r.id == id.as_str()) {
            bail!("there is no rule `{id}`; see `stanch rules list`");
        }
    }
    let keep = |id: &str| {
        (args.rule.is_empty() || args.rule.iter().any(|r| r == id))
            && !args.disable_rule.iter().any(|r| r == id)
    };
    let rules = if args.rule.is_empty() && args.disable_rule.is_empty() {
        RuleSet::builtin()
    } else {
        RuleSet::new(true, Vec::new(), |r| keep(&r.id))
            .map_err(|(id, reason)| anyhow::anyhow!("rule `{id}`: {reason}"))?
    };
    let options = scan::Options {
        min_confidence: args.min_confidence.unwrap_or(Confidence::Medium),
        threads: args.threads,
    };
    Ok(Engine::new(Matcher::new(rules), options))
}

/// When a run began, by both clocks.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    instant: Instant,
    time: SystemTime,
}

impl Clock {
    /// Now.
    pub fn start() -> Self {
        Clock {
            instant: Instant::now(),
            time: SystemTime::now(),
        }
    }
}

fn report(
    engine: &Engine,
    outcome: Outcome,
    mode: &'static str,
    scope: &[PathBuf],
    started: Clock,
) -> Report {
    let incomplete = outcome.skipped.iter().any(|s| s.incomplete);
    let rules = engine.matcher().rules();
    Report {
        summary: Summary {
            mode,
            scope: scope.iter().map(|p| p.display().to_string()).collect(),
            files: outcome.files,
            bytes: outcome.bytes,
            commits: 0,
            head: None,
            started: started
                .time
                .duration_since(UNIX_EPOCH)
                .map_or(0, |d| d.as_secs() as i64),
            elapsed_ms: started.instant.elapsed().as_millis() as u64,
            rules: rules.len() as u64,
            rules_hash: rules.hash().to_owned(),
            incomplete,
        },
        findings: outcome.findings,
        skipped: outcome.skipped,
    }
}

fn exit(report: &Report, args: &CommonArgs) -> Exit {
    let counts = |f: &Finding| f.status == Status::New;
    let found = report.findings.iter().any(counts);
    match (found, report.summary.incomplete && !args.allow_incomplete) {
        (_, true) => Exit(2),
        (true, false) => Exit(args.exit_code),
        (false, false) => Exit(0),
    }
}
