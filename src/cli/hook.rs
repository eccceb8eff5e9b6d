//! `stanch hook`: git hooks that scan, beside those that are there already.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::{Args, Subcommand, ValueEnum};

use super::args::{Cli, Command};
use super::environment::Settings;
use super::input::Input;
use super::{Exit, environment, history, scan};
use crate::beside;
use crate::source::git::{Odb, Oid, Repo};

/// `stanch hook`.
#[derive(Debug, Args)]
pub struct HookArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: HookCommand,
}

/// The subcommands of `stanch hook`.
#[derive(Debug, Subcommand)]
pub enum HookCommand {
    /// Install hooks; hooks that are there keep running, before ours
    Install {
        /// Which (default: pre-commit, or pre-receive in a bare repository)
        #[arg(value_name = "HOOK")]
        hooks: Vec<Hook>,
    },
    /// Remove our hooks and put back what was there before
    Uninstall {
        /// Which (default: all of ours)
        #[arg(value_name = "HOOK")]
        hooks: Vec<Hook>,
        /// Also remove hooks of ours that were changed by hand
        #[arg(long)]
        force: bool,
    },
    /// What the installed scripts call
    #[command(hide = true)]
    Run {
        /// Which.
        hook: Hook,
        /// What git passes.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
}

/// The hooks that can be installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Hook {
    /// Before a commit is recorded.
    PreCommit,
    /// Before commits leave for another repository.
    PrePush,
    /// Before a server takes commits.
    PreReceive,
}

impl Hook {
    const ALL: [Hook; 3] = [Hook::PreCommit, Hook::PrePush, Hook::PreReceive];

    fn name(self) -> &'static str {
        match self {
            Hook::PreCommit => "pre-commit",
            Hook::PrePush => "pre-push",
            Hook::PreReceive => "pre-receive",
        }
    }

    /// What the hook stops, and how to go on all the same.
    fn stops(self) -> (&'static str, &'static str) {
        match self {
            Hook::PreCommit => ("commit", "To commit all the same, once: git commit --no-verify"),
            Hook::PrePush => ("push", "To push all the same, once: git push --no-verify"),
            Hook::PreReceive => {
                ("push", "The server takes it once the value is out of these commits, or allowed.")
            }
        }
    }
}

/// The line by which we know our scripts.
const MARK: &str = "# stanch hook, version 1";
/// What the name of a hook that was there before ends with.
const BEFORE: &str = ".before-stanch";

/// Runs the subcommand.
///
/// # Errors
/// There is no repository, or its hooks cannot be written.
pub fn run(args: &HookArgs) -> anyhow::Result<Exit> {
    match &args.command {
        HookCommand::Install { hooks } => install(hooks),
        HookCommand::Uninstall { hooks, force } => uninstall(hooks, *force),
        HookCommand::Run { hook, args } => run_hook(*hook, args),
    }
}

fn install(hooks: &[Hook]) -> anyhow::Result<Exit> {
    let repo = environment::repository(Path::new("."))?;
    let bare = repo.work_tree().is_none();
    let hooks = match hooks {
        [] if bare => &[Hook::PreReceive][..],
        [] => &[Hook::PreCommit],
        hooks => hooks,
    };
    if bare && hooks.contains(&Hook::PreCommit) {
        bail!("a bare repository records no commits: install pre-receive");
    }
    let folder = folder(&repo)?;
    fs::create_dir_all(&folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    for &hook in hooks {
        let path = folder.join(hook.name());
        let kept = install_one(hook, &path)
            .with_context(|| format!("cannot install the hook {}", path.display()))?;
        match kept {
            Some(before) => println!("{}: installed; {} still runs first", path.display(), before.display()),
            None => println!("{}: installed", path.display()),
        }
    }
    Ok(Exit(0))
}

/// Installs one hook. Returns where the hook that was there is now.
fn install_one(hook: Hook, path: &Path) -> anyhow::Result<Option<PathBuf>> {
    let before = beside(path);
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => bail!("there is a folder in its place"),
        Ok(_) if is_ours(path) => {}
        Ok(_) => {
            if before.symlink_metadata().is_ok() {
                bail!("both it and {} are there; remove one of them", before.display());
            }
            fs::rename(path, &before)?;
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(error.into()),
    }
    let written = write_script(path, &script(hook)?);
    if written.is_err() && !path.exists() && before.symlink_metadata().is_ok() {
        // Nothing half done: what was there goes on working.
        let _ = fs::rename(&before, path);
    }
    written?;
    Ok(before.symlink_metadata().is_ok().then_some(before))
}

fn write_script(path: &Path, text: &str) -> anyhow::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = beside::file_in(folder, 0o755)?;
    file.write_all(text.as_bytes())?;
    file.as_file().set_permissions(fs::Permissions::from_mode(0o755))?;
    file.persist(path)?;
    Ok(())
}

fn uninstall(hooks: &[Hook], force: bool) -> anyhow::Result<Exit> {
    let repo = environment::repository(Path::new("."))?;
    let folder = folder(&repo)?;
    let all = hooks.is_empty();
    let mut removed = 0;
    for &hook in if all { &Hook::ALL[..] } else { hooks } {
        let path = folder.join(hook.name());
        if !is_ours(&path) {
            if !all {
                bail!("{}: there is no hook of ours", path.display());
            }
            continue;
        }
        if !force && !unchanged(&path) {
            bail!("{}: it was changed by hand; remove it with --force", path.display());
        }
        let before = beside(&path);
        // A rename puts the old one in place of ours at once; between the two nothing is lost.
        let done = if before.symlink_metadata().is_ok() {
            fs::rename(&before, &path)
        } else {
            fs::remove_file(&path)
        };
        done.with_context(|| format!("cannot remove the hook {}", path.display()))?;
        println!("{}: removed", path.display());
        removed += 1;
    }
    if removed == 0 {
        println!("{}: there are no hooks of ours", folder.display());
    }
    Ok(Exit(0))
}

/// Where git looks for hooks: `core.hooksPath` (relative to the working tree), else the folder `hooks`
/// that all working trees of the repository share.
fn folder(repo: &Repo) -> anyhow::Result<PathBuf> {
    let top = repo.work_tree().unwrap_or(repo.git_dir());
    let settings = Settings::of(Some(repo)).context("cannot read git's configuration")?;
    let path = settings.path("core.hooksPath").context("cannot read core.hooksPath")?;
    if repo.has_includes() && repo.setting("core.hookspath").is_none() {
        bail!(
            "{} includes other files, which are not read on a repository's word, and in which can stand where git \
             looks for hooks; say it in the repository's own: git config core.hooksPath \"$(git rev-parse --git-path hooks)\"",
            repo.common_dir().join("config").display()
        );
    }
    match path.filter(|path| !path.as_os_str().is_empty()) {
        Some(path) => Ok(top.join(path)),
        None => Ok(repo.common_dir().join("hooks")),
    }
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(BEFORE);
    path.with_file_name(name)
}

fn read(path: &Path) -> Option<String> {
    let metadata = path.metadata().ok().filter(fs::Metadata::is_file)?;
    if metadata.len() > 1 << 20 {
        return None;
    }
    fs::read_to_string(path).ok()
}

fn is_ours(path: &Path) -> bool {
    read(path).is_some_and(|text| {
        text.lines().nth(1).is_some_and(|line| line.starts_with("# stanch hook, version "))
    })
}

/// Whether a script is as we wrote it: but for the line that holds the program's path.
fn unchanged(path: &Path) -> bool {
    let known = |hook| script(hook).map(|text| without_path(&text)).ok();
    read(path)
        .is_some_and(|text| Hook::ALL.into_iter().filter_map(known).any(|known| known == without_path(&text)))
}

fn without_path(script: &str) -> String {
    script.lines().filter(|line| !line.starts_with("stanch=")).collect::<Vec<_>>().join("\n")
}

/// The script. It runs the hook that was there before; where that one reads standard input, too, both
/// get all of it. Without the program it fails: a hook that passes silently protects nothing.
fn script(hook: Hook) -> anyhow::Result<String> {
    let program = std::env::current_exe().context("cannot find this program")?;
    let program = program.to_str().context("the path of this program is not UTF-8")?;
    if program.contains(['\n', '\r']) {
        bail!("the path of this program holds a line break");
    }
    let quoted = format!("'{}'", program.replace('\'', r"'\''"));
    let name = hook.name();
    let (save, feed) = match hook {
        Hook::PreCommit => ("", ""),
        Hook::PrePush | Hook::PreReceive => ("input=$(cat)\n", "printf '%s\\n' \"$input\" | "),
    };
    Ok(format!(
        "#!/bin/sh\n\
         {MARK}: installed by `stanch hook install`, removed by `stanch hook uninstall`.\n\
         stanch={quoted}\n\
         {save}\
         before=\"$(dirname \"$0\")/{name}{BEFORE}\"\n\
         if [ -x \"$before\" ]; then\n    {feed}\"$before\" \"$@\" || exit $?\nfi\n\
         if [ ! -x \"$stanch\" ]; then\n    stanch=$(command -v stanch) || {{\n        \
         echo 'stanch is not installed any more: nothing was scanned.' >&2\n        \
         echo 'Install it, or remove this hook: '\"$0\" >&2\n        exit 1\n    }}\nfi\n\
         {feed}\"$stanch\" hook run {name} -- \"$@\"\n"
    ))
}

/// Does what a hook is for.
fn run_hook(hook: Hook, args: &[String]) -> anyhow::Result<Exit> {
    let exit = match hook {
        Hook::PreCommit => scan_staged()?,
        Hook::PrePush => pushed(args.first().map(String::as_str))?,
        Hook::PreReceive => received()?,
    };
    if exit != Exit(0) {
        let what = match exit {
            Exit(1) => "secrets were found",
            _ => "not everything could be scanned",
        };
        let (stopped, way_around) = hook.stops();
        eprintln!("stanch stopped this {stopped}: {what}. {way_around}");
    }
    Ok(exit)
}

fn scan_staged() -> anyhow::Result<Exit> {
    match parsed(&["scan", "--staged", "--brief", "--quiet"])? {
        Command::Scan(args) => scan::run(&args),
        _ => bail!("not a scan"),
    }
}

fn parsed(args: &[&str]) -> anyhow::Result<Command> {
    let all = std::iter::once("stanch").chain(args.iter().copied()).map(Into::into);
    Ok(Cli::parse_from_env(all)?.command)
}

/// Scans what a push would add. git's lines: `<local ref> <local id> <remote ref> <remote id>`.
fn pushed(remote: Option<&str>) -> anyhow::Result<Exit> {
    // A push to an address has no remote-tracking refs of its own: those of all remotes are known then.
    let named = remote.filter(|name| name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c)));
    let known = named.map_or_else(|| "--remotes".to_owned(), |name| format!("--remotes={name}"));
    let mut ranges = Vec::new();
    for line in stdin()?.lines().filter(|line| !line.is_empty()) {
        let fields: Vec<&str> = line.split(' ').collect();
        let [_, local, _, remote] = fields[..] else { bail!("this is not what git gives to pre-push hooks") };
        ranges.extend(added(remote, local, &known)?);
    }
    scan_added(&ranges)
}

/// Scans what a server is about to take. git's lines: `<old id> <new id> <ref>`.
fn received() -> anyhow::Result<Exit> {
    let mut ranges = Vec::new();
    for line in stdin()?.lines().filter(|line| !line.is_empty()) {
        let fields: Vec<&str> = line.splitn(3, ' ').collect();
        let [old, new, _] = fields[..] else { bail!("this is not what git gives to pre-receive hooks") };
        ranges.extend(added(old, new, "--all")?);
    }
    scan_added(&ranges)
}

fn stdin() -> anyhow::Result<String> {
    let mut text = String::new();
    Input::standard().take(16 << 20).read_to_string(&mut text).context("cannot read what git says")?;
    Ok(text)
}

fn is_null(id: &str) -> bool {
    id.bytes().all(|b| b == b'0')
}

/// The range of what a ref's move from `old` to `new` adds, beside what `known` refs hold. None when
/// the ref goes away.
fn added(old: &str, new: &str, known: &str) -> anyhow::Result<Option<String>> {
    let is_id = |id: &str| matches!(id.len(), 40 | 64) && id.bytes().all(|b| b.is_ascii_hexdigit());
    if !is_id(old) || !is_id(new) {
        bail!("this is not what git gives to hooks");
    }
    if is_null(new) {
        return Ok(None);
    }
    let repo = environment::repository(Path::new("."))?;
    let odb = Odb::open(&repo)?;
    // A branch that was rewritten on the other side may be unknown here.
    let base = Oid::from_hex(old.as_bytes()).filter(|oid| !is_null(old) && odb.contains(oid));
    Ok(Some(match base {
        Some(_) => format!("{new} ^{old} --not {known}"),
        None => format!("{new} --not {known}"),
    }))
}

fn scan_added(ranges: &[String]) -> anyhow::Result<Exit> {
    let mut worst = Exit(0);
    for range in ranges {
        let Command::History(args) = parsed(&["history", "--brief", "--quiet", "--range", range])? else {
            bail!("not a scan of history")
        };
        let exit = history::run(&args)?;
        worst = Exit(worst.0.max(exit.0));
    }
    Ok(worst)
}
