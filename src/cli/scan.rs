//! `stanch scan`.

use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use anyhow::bail;

use super::args::{CommonArgs, ScanArgs};
use super::input::Input;
use super::policy::{self, Setup};
use super::{Exit, interrupt, output};
use crate::finding::{Finding, Status};
use crate::memory;
use crate::report::{Report, Summary};
use crate::scan::{self, Engine, Outcome};
use crate::source::worktree;
use crate::suppress::fingerprint::Fingerprinter;

/// Runs the subcommand.
///
/// # Errors
/// What keeps the scan from starting, or its report from being written.
pub fn run(args: &ScanArgs) -> anyhow::Result<Exit> {
    let started = Clock::start();
    let targets = output::targets(&args.common)?;
    limit_memory(args.max_memory);
    let stdin = args.paths.iter().any(|p| p.as_os_str() == "-");
    if !args.staged && !stdin {
        interrupt::watch();
    }
    let start = match &args.paths[..] {
        [path] if !args.staged => path.as_path(),
        _ => Path::new("."),
    };
    let repo = if args.staged { Some(super::environment::repository(start)?) } else { None };
    let top = repo.as_ref().and_then(|repo| repo.work_tree());
    if let Some(repo) =
        repo.as_ref().filter(|_| top.is_none() && std::env::var_os("GIT_INDEX_FILE").is_none())
    {
        bail!("{}: nothing can be staged in a bare repository", repo.git_dir().display());
    }
    if !args.staged && !args.common.quiet && super::trusted::is_git_folder(start) {
        eprintln!("stanch: note: this is a bare repository; `stanch history` scans what it holds");
    }
    let paths = if args.staged { policy::Paths::InRepository } else { policy::Paths::AsGiven };
    let (engine, fingerprinter) =
        engine(&args.common, Setup::new(&args.common, top.unwrap_or(start), paths)?);
    let (mode, mut outcome) = if let Some(repo) = &repo {
        ("staged", scan::scan_staged(&engine, repo)?)
    } else if stdin {
        if args.paths.len() > 1 {
            bail!("standard input (-) cannot be scanned together with files");
        }
        ("stdin", scan::scan_stdin(&engine, &mut Input::standard()))
    } else {
        let max_file_size = engine.policy().tree().base().settings.max_file_size;
        let options = worktree::Options {
            roots: args.paths.clone(),
            no_ignore: args.no_ignore,
            max_file_size: args.max_file_size.or(max_file_size),
            threads: args.common.threads,
        };
        ("scan", scan::scan_worktree(&engine, &options, interrupt::stop()))
    };
    policy::finish(engine.policy(), &fingerprinter, engine.matcher().rules(), &mut outcome.findings)?;
    say_why_it_ended(&mut outcome);
    let report = report(&engine, outcome, mode, &args.paths, started);
    output::write(&report, &targets, &args.common)?;
    let exit = exit(&report, &args.common);
    super::leave((engine, report));
    Ok(exit)
}

/// From now on the scan ends before more than this many bytes are allocated.
pub(super) fn limit_memory(bytes: Option<u64>) {
    if let Some(bytes) = bytes {
        memory::limit(bytes, interrupt::stop());
    }
}

/// Tells the end of a scan that ran short of memory from the end of one that a signal stopped.
pub(super) fn say_why_it_ended(outcome: &mut Outcome) {
    if !memory::is_short() {
        return;
    }
    for skip in outcome.skipped.iter_mut().filter(|skip| skip.reason == "interrupted") {
        skip.reason = "memory-limit";
        skip.detail = format!("--max-memory is used up: {}", skip.detail);
    }
}

/// Builds the engine from what was set up.
pub(super) fn engine(args: &CommonArgs, setup: Setup) -> (Engine, Fingerprinter) {
    let options = scan::Options {
        min_confidence: setup.min_confidence,
        threads: args.threads,
        decode: !args.no_decode,
        archives: !args.no_archives,
        limits: args.archive.limits(),
    };
    (Engine::new(setup.rules, setup.policy, options), setup.fingerprinter)
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
        Clock { instant: Instant::now(), time: SystemTime::now() }
    }

    /// When it began, seconds since 1970-01-01 UTC.
    pub fn seconds(&self) -> i64 {
        self.time.duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs() as i64)
    }
}

pub(super) fn report(
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
            started: started.seconds(),
            elapsed_ms: started.instant.elapsed().as_millis() as u64,
            rules: rules.len() as u64,
            rules_hash: rules.hash().to_owned(),
            incomplete,
        },
        findings: outcome.findings,
        skipped: outcome.skipped,
    }
}

pub(super) fn exit(report: &Report, args: &CommonArgs) -> Exit {
    let counts = |f: &Finding| f.status == Status::New;
    let found = report.findings.iter().any(counts);
    match (found, report.summary.incomplete && !args.allow_incomplete) {
        (_, true) => Exit(2),
        (true, false) => Exit(args.exit_code),
        (false, false) => Exit(0),
    }
}
