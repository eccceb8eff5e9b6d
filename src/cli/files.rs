//! A scan of files for the commands that work with its findings rather than report them.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use anyhow::bail;
use bstr::ByteSlice;

use super::args::CommonArgs;
use super::environment::Settings;
use super::policy::{self, Paths, Setup};
use super::{environment, trusted};
use crate::finding::{Finding, Location, Skipped};
use crate::scan::{self, Engine, HistoryOptions, Outcome, Progress, scan_history};
use crate::source::git::{GitEnv, Repo};
use crate::source::worktree;

/// What was scanned and found.
pub struct Scanned {
    /// Rules and policy.
    pub engine: Engine,
    /// Findings and skips. Findings have their fingerprints and suppressions, and paths of the repository.
    pub outcome: Outcome,
    /// The repository's top folder, or the folder that was scanned.
    pub root: PathBuf,
    /// Where the baseline is, or would be written.
    pub baseline_path: PathBuf,
}

/// Scans files and folders; the whole repository when none are named.
///
/// # Errors
/// What keeps a scan from starting: configuration, baseline.
pub fn scan(args: &CommonArgs, paths: &[PathBuf]) -> anyhow::Result<Scanned> {
    let here = PathBuf::from(".");
    let start = match paths {
        [path] => path,
        _ => &here,
    };
    let mut setup = Setup::new(args, start, Paths::AsGiven)?;
    if paths.is_empty() && trusted::is_git_folder(&setup.root) {
        bail!("{}: a bare repository has no files; work in a clone", setup.root.display());
    }
    let own = setup.baseline_path.canonicalize().unwrap_or_else(|_| setup.baseline_path.clone());
    if let Ok(own) = own.strip_prefix(&setup.root) {
        // Tens of thousands of fingerprints hold no value, and take longer than the rest of a small repository.
        setup.policy.pass_over(<[u8]>::from_path(own).unwrap_or_default());
    }
    let roots = if paths.is_empty() { vec![setup.root.clone()] } else { paths.to_vec() };
    let options = scan::Options {
        min_confidence: setup.min_confidence,
        threads: args.threads,
        decode: !args.no_decode,
        archives: !args.no_archives,
        limits: args.archive.limits(),
    };
    let engine = Engine::new(setup.rules, setup.policy, options);
    let options = worktree::Options {
        roots,
        no_ignore: false,
        max_file_size: engine.policy().tree().base().settings.max_file_size,
        threads: args.threads,
    };
    let mut outcome = scan::scan_worktree(&engine, &options, &AtomicBool::new(false));
    policy::finish(engine.policy(), &setup.fingerprinter, engine.matcher().rules(), &mut outcome.findings)?;
    for finding in &mut outcome.findings {
        for location in std::iter::once(&mut finding.location).chain(&mut finding.occurrences) {
            let path = location.path.take().map(|path| engine.policy().in_repository(&path).into_owned());
            location.path = path.map(Into::into);
        }
    }
    Ok(Scanned { engine, outcome, root: setup.root, baseline_path: setup.baseline_path })
}

/// The findings of a repository's whole history, and whether it could not all be read, which is then said on
/// standard error. `root` may be any folder of the repository, or a bare one.
///
/// # Errors
/// What keeps the scan from starting.
pub fn history(args: &CommonArgs, root: &Path) -> anyhow::Result<(Vec<Finding>, bool)> {
    let repo = environment::repository(root)?;
    let (engine, fingerprinter) = super::scan::engine(args, Setup::new(args, root, Paths::InRepository)?);
    let options = HistoryOptions { now: policy::now().as_second(), ..HistoryOptions::default() };
    let (mut outcome, _) =
        scan_history(&engine, &repo, options, &AtomicBool::new(false), &Progress::default())?;
    policy::finish(engine.policy(), &fingerprinter, engine.matcher().rules(), &mut outcome.findings)?;
    let incomplete = report_skips(&outcome.skipped);
    Ok((outcome.findings, incomplete))
}

/// Says on standard error what was not read. Returns whether that makes the scan incomplete.
fn report_skips(skipped: &[Skipped]) -> bool {
    let mut incomplete = false;
    for skip in skipped.iter().filter(|skip| skip.incomplete) {
        let what: String = skip.what.to_str_lossy().escape_debug().collect();
        eprintln!("stanch: not scanned: {what}: {} ({})", skip.reason, skip.detail);
        incomplete = true;
    }
    incomplete
}

impl Scanned {
    /// Says on standard error what was not read. Returns whether the scan is incomplete.
    pub fn report_skips(&self) -> bool {
        report_skips(&self.outcome.skipped)
    }
}

/// The paths of a finding in the repository that may be written down: none that hold the value.
pub fn places(finding: &Finding) -> Vec<String> {
    let path = |location: &Location| {
        let path = location.path.as_ref()?;
        let holds = memchr::memmem::find(path, finding.secret.expose()).is_some();
        (!holds).then(|| path.to_str_lossy().into_owned())
    };
    let mut places: Vec<String> =
        std::iter::once(&finding.location).chain(&finding.occurrences).filter_map(path).collect();
    places.sort();
    places.dedup();
    places
}

/// The user's name as git knows it, for the field `by`; never an address.
pub fn user_name(root: &Path) -> String {
    let from_git = || {
        let repo = Repo::discover(root, &GitEnv::default()).ok();
        Settings::of(repo.as_ref()).and_then(|settings| settings.text("user.name")).ok().flatten()
    };
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let name = variable("GIT_AUTHOR_NAME").or_else(from_git).or_else(|| variable("USER")).unwrap_or_default();
    name.chars().filter(|c| !c.is_control()).take(80).collect()
}
