//! The `git` program, for the one thing that is not read here: refs in a reftable.
//!
//! It runs with nothing that could make it execute a hook, a helper or a pager, or use the network; and it is the one
//! in a folder that the user's `PATH` names as a whole, never one that lies where the scan was started.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use bstr::{BStr, ByteSlice};

use super::error::{Error, Result};
use super::oid::Oid;
use super::refs::{Head, Ref, ReflogEntry};
use super::repo::Repo;

/// Variables by which a caller's environment could change what git reads or executes.
const SCRUBBED: &[&str] = &[
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_CONFIG",
    "GIT_CONFIG_COUNT",
    "GIT_CONFIG_PARAMETERS",
    "GIT_EXEC_PATH",
    "GIT_PAGER",
    "GIT_EXTERNAL_DIFF",
    "GIT_SSH",
    "GIT_SSH_COMMAND",
    "GIT_ASKPASS",
    "GIT_PROXY_COMMAND",
    "GIT_TRACE",
    "GIT_TRACE2",
    "GIT_TRACE2_EVENT",
    "GIT_TRACE2_PERF",
    "GIT_SHALLOW_FILE",
    "GIT_REPLACE_REF_BASE",
    "GIT_CEILING_DIRECTORIES",
];

/// Runs git and returns what it prints. `Ok(None)` if it exits with status 1, as for "no such ref".
fn run(repo: &Repo, what: &'static str, args: &[&str]) -> Result<Option<Vec<u8>>> {
    let failed = |reason: String| Error::Program { what, reason };
    let (program, folders) =
        find().ok_or_else(|| failed("there is no git program, which reftables need".to_owned()))?;
    let mut command = Command::new(program);
    for name in SCRUBBED {
        command.env_remove(name);
    }
    command
        .env("GIT_NO_LAZY_FETCH", "1")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", if cfg!(windows) { "NUL" } else { "/dev/null" })
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_ALLOW_PROTOCOL", "none")
        .env("LC_ALL", "C")
        .env("PATH", folders)
        .arg("--no-pager")
        .arg("--git-dir")
        .arg(repo.git_dir())
        .args(["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "safe.directory=*"])
        // Else showing a reflog runs `gpg.program`, which the repository chooses.
        .args(["-c", "log.showSignature=false"])
        .args(args)
        .stdin(Stdio::null());
    let output =
        command.output().map_err(|e| failed(format!("cannot run git, which reftables need: {e}")))?;
    match output.status.code() {
        Some(0) => Ok(Some(output.stdout)),
        Some(1) => Ok(None),
        _ => Err(failed(output.stderr.lines().next().unwrap_or_default().to_str_lossy().into_owned())),
    }
}

/// The git program, and the folders to look for programs in: those of `PATH` that are absolute. An empty or relative one
/// is a folder of whatever is scanned.
fn find() -> Option<(PathBuf, OsString)> {
    let path = std::env::var_os("PATH")?;
    let folders: Vec<PathBuf> = std::env::split_paths(&path).filter(|folder| folder.is_absolute()).collect();
    let name = format!("git{}", std::env::consts::EXE_SUFFIX);
    let program = folders.iter().map(|folder| folder.join(&name)).find(|program| program.is_file())?;
    Some((program, std::env::join_paths(folders).ok()?))
}

/// `HEAD` of the work tree.
pub(super) fn head(repo: &Repo) -> Result<Head> {
    let branch = run(repo, "symbolic-ref", &["symbolic-ref", "--quiet", "HEAD"])?;
    Ok(Head { branch: branch.map(|name| name.trim_ascii().into()), target: resolve(repo, b"HEAD")? })
}

/// The object that a ref points to.
pub(super) fn resolve(repo: &Repo, name: &[u8]) -> Result<Option<Oid>> {
    let Ok(name) = name.to_str() else {
        return Ok(None);
    };
    let text = run(repo, "rev-parse", &["rev-parse", "--verify", "--quiet", "--end-of-options", name])?;
    Ok(text.and_then(|text| Oid::from_hex(text.trim_ascii())))
}

/// All refs with their targets, and `HEAD`.
pub(super) fn all_refs(repo: &Repo) -> Result<Vec<Ref>> {
    let text = run(repo, "for-each-ref", &["for-each-ref", "--format=%(objectname) %(refname)"])?
        .unwrap_or_default();
    let mut refs: Vec<Ref> = text.lines().filter_map(ref_line).collect();
    refs.extend(resolve(repo, b"HEAD")?.map(|target| Ref { name: "HEAD".into(), target }));
    refs.sort();
    Ok(refs)
}

fn ref_line(line: &[u8]) -> Option<Ref> {
    let (hex, name) = line.split_once_str(" ")?;
    Some(Ref { name: name.into(), target: Oid::from_hex(hex)? })
}

/// The objects that reflogs name. What was before a line is what the line below it says.
pub(super) fn reflogs(repo: &Repo) -> Result<Vec<ReflogEntry>> {
    let names = run(repo, "reflog list", &["reflog", "list"])?.unwrap_or_default();
    let mut entries = Vec::new();
    for name in names.lines().filter_map(|name| name.to_str().ok()) {
        let args = ["reflog", "show", "--format=%H %gs", "--end-of-options", name];
        let text = run(repo, "reflog show", &args)?.unwrap_or_default();
        let oids: Vec<(Oid, &BStr)> = text
            .lines()
            .filter_map(|line| line.split_once_str(" ").or(Some((line, b""))))
            .filter_map(|(hex, why)| Some((Oid::from_hex(hex)?, why.as_bstr())))
            .collect();
        for (n, (new, why)) in oids.iter().enumerate().rev() {
            let old = oids.get(n + 1).map(|(old, _)| *old);
            entries.push(ReflogEntry { name: name.into(), old, new: Some(*new), text: (*why).to_owned() });
        }
    }
    Ok(entries)
}
