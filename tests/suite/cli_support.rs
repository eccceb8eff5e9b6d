//! Whole runs of the program, in an environment that holds nothing of the caller's.

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use stanch::matcher::checksum;

use super::git_support::Numbers;

/// The program that is tested.
pub const STANCH: &str = env!("CARGO_BIN_EXE_stanch");

/// A home folder with nothing in it.
fn home() -> PathBuf {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("empty-home");
    std::fs::create_dir_all(&home).unwrap();
    home
}

/// A program that runs in `dir` with a clean environment: no settings of git, of ours or of a terminal,
/// fixed names and times.
pub fn clean(program: impl AsRef<OsStr>, dir: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .current_dir(dir)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", home())
        .env("LC_ALL", "C")
        .env("TZ", "UTC")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_AUTHOR_NAME", "Ada Author")
        .env("GIT_AUTHOR_EMAIL", "ada@example.com")
        .env("GIT_AUTHOR_DATE", "1700000000 +0100")
        .env("GIT_COMMITTER_NAME", "Carl Committer")
        .env("GIT_COMMITTER_EMAIL", "carl@example.com")
        .env("GIT_COMMITTER_DATE", "1700000060 -0230")
        .stdin(Stdio::null());
    command
}

/// `stanch ARGS` in `dir`, not started yet.
pub fn stanch<A: AsRef<OsStr>>(dir: &Path, args: impl IntoIterator<Item = A>) -> Command {
    let mut command = clean(STANCH, dir);
    command.args(args);
    command
}

/// The names in a folder, temporary files included.
pub fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// Makes a pipe with a name. Whoever opens it for reading waits until somebody writes.
pub fn fifo(path: &Path) {
    let name = std::ffi::CString::new(path.as_os_str().as_encoded_bytes()).unwrap();
    // SAFETY: the path is a C string.
    assert_eq!(unsafe { libc::mkfifo(name.as_ptr(), 0o644) }, 0, "{}", path.display());
}

/// What a program may have little of.
#[derive(Clone, Copy)]
pub enum Bound {
    /// Address space, in bytes. What needs more dies, and fails the test.
    Memory,
    /// The size of a file that it writes, in bytes.
    FileSize,
    /// Open files.
    OpenFiles,
}

/// Bounds what a program may have.
pub fn bounded(command: &mut Command, bound: Bound, most: u64) -> &mut Command {
    use std::os::unix::process::CommandExt;
    // SAFETY: setrlimit and signal may be called between fork and exec.
    unsafe {
        command.pre_exec(move || {
            let limit = libc::rlimit { rlim_cur: most, rlim_max: most };
            // A file that would become too large is an error of the write, not the end of the process.
            libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
            let set = match bound {
                Bound::Memory => libc::setrlimit(libc::RLIMIT_AS, &limit),
                Bound::FileSize => libc::setrlimit(libc::RLIMIT_FSIZE, &limit),
                Bound::OpenFiles => libc::setrlimit(libc::RLIMIT_NOFILE, &limit),
            };
            match set {
                0 => Ok(()),
                _ => Err(std::io::Error::last_os_error()),
            }
        })
    }
}

/// What came of a run.
#[derive(Debug)]
pub struct Run {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Run {
    /// Runs a command to its end. No run may panic or be killed.
    pub fn of(command: &mut Command) -> Run {
        Run::from(command.output().unwrap())
    }

    /// Runs a command with this standard input.
    pub fn with_input(command: &mut Command, input: &[u8]) -> Run {
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut pipe = child.stdin.take().unwrap();
        std::thread::scope(|scope| {
            // A program that stops reading is judged by its exit code.
            scope.spawn(move || drop(pipe.write_all(input)));
            Run::from(child.wait_with_output().unwrap())
        })
    }

    fn from(output: Output) -> Run {
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            !stderr.contains("a bug of stanch") && !stdout.contains("internal-error"),
            "{stderr}{stdout}"
        );
        assert!(output.status.code().is_some(), "{}: {stderr}", output.status);
        Run { code: output.status.code(), stdout, stderr }
    }

    /// The report, written as `json`.
    pub fn report(&self) -> Report {
        let value = serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e}: {self:#?}"));
        Report(value)
    }

    /// Asserts the exit code; shows everything when it is another.
    #[track_caller]
    pub fn exits(self, code: i32) -> Run {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }
}

/// A report in JSON.
#[derive(Debug)]
pub struct Report(pub Value);

impl Report {
    pub fn findings(&self) -> &[Value] {
        self.0["findings"].as_array().map_or(&[], Vec::as_slice)
    }

    /// `path:line:column rule` of each finding, in order.
    pub fn places(&self) -> Vec<String> {
        let place =
            |f: &Value| format!("{}:{}:{} {}", text(&f["path"]), f["line"], f["column"], text(&f["rule"]));
        self.findings().iter().map(place).collect()
    }

    /// The paths that have findings, each once.
    pub fn paths(&self) -> Vec<String> {
        let mut paths: Vec<String> = self.findings().iter().map(|f| text(&f["path"])).collect();
        paths.dedup();
        paths
    }

    /// The secrets, whole under `--show-secrets`.
    pub fn secrets(&self) -> Vec<String> {
        self.findings().iter().map(|f| text(&f["secret"])).collect()
    }

    /// `what reason` of what was not read, in order.
    pub fn skipped(&self) -> Vec<String> {
        let skipped = self.0["skipped"].as_array().map_or(&[][..], Vec::as_slice);
        skipped.iter().map(|s| format!("{} {}", text(&s["what"]), text(&s["reason"]))).collect()
    }

    pub fn count(&self, name: &str) -> u64 {
        self.0["summary"][name].as_u64().unwrap_or_else(|| panic!("no count {name}: {}", self.0))
    }

    pub fn incomplete(&self) -> bool {
        self.0["summary"]["incomplete"] == Value::Bool(true)
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// `stanch scan ARGS --format json` in `dir`.
pub fn scan<A: AsRef<OsStr>>(dir: &Path, args: impl IntoIterator<Item = A>) -> Run {
    Run::of(stanch(dir, ["scan", "--format", "json"]).args(args))
}

/// `stanch scan - --format json`, whole secrets shown, of this input.
pub fn scan_input(dir: &Path, input: &[u8]) -> Run {
    Run::with_input(&mut stanch(dir, ["scan", "-", "--format", "json", "--show-secrets"]), input)
}

/// Letters and digits that look random and are the same in every run.
pub fn letters(seed: u64, len: usize) -> String {
    const BASE62: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut numbers = Numbers(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    for _ in 0..8 {
        numbers.next();
    }
    (0..len).map(|_| char::from(BASE62[numbers.below(62)])).collect()
}

/// A personal access token of GitHub's form, with a right checksum.
pub fn github(seed: u64) -> String {
    let body = format!("{}{}", ["gh", "p_"].concat(), letters(seed, 30));
    let sum = checksum::complete("github", &body).unwrap();
    body + &sum
}

/// A password that nobody would take for a sample.
pub fn password(seed: u64) -> String {
    format!("{}#{}", letters(seed, 7), letters(seed + 77, 8))
}
