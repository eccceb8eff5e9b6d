//! The repository scans itself, without a baseline: secrets of tests are put together at test time, so that no
//! scanner, ours or another, takes the repository for a leak.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A command that sees nothing of the caller's settings.
fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root());
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("GIT_") || name.starts_with("STANCH_") || name.starts_with("GITLEAKS_") {
            command.env_remove(name);
        }
    }
    command
}

/// The files that git tracks; of a copy without git, the folders that hold them.
fn files() -> Vec<PathBuf> {
    let listed = command("git").args(["ls-files", "-z"]).output().ok().filter(|o| o.status.success());
    let listed = listed.map(|o| String::from_utf8(o.stdout).unwrap()).unwrap_or_default();
    let files: Vec<PathBuf> =
        listed.split_terminator('\0').map(PathBuf::from).filter(|path| root().join(path).exists()).collect();
    if !files.is_empty() {
        return files;
    }
    ["src", "tests", "rules", "benches", "README.md", "Cargo.toml", "build.rs"].map(PathBuf::from).to_vec()
}

fn scan(files: &[PathBuf]) -> Output {
    let mut command = command(env!("CARGO_BIN_EXE_stanch"));
    command.args(["scan", "--no-baseline", "--format", "jsonl"]).args(files).output().unwrap()
}

#[test]
fn the_repository_holds_no_secret() {
    let output = scan(&files());
    let stdout = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{stdout}{errors}");
    let last: serde_json::Value = serde_json::from_str(stdout.lines().last().unwrap()).unwrap();
    assert!(last["summary"]["files"].as_u64() > Some(200), "{last}: the files were not scanned");
}

#[test]
fn a_secret_among_its_files_would_be_seen() {
    let folder = tempfile::tempdir().unwrap();
    let leak = folder.path().join("settings.py");
    std::fs::write(&leak, ["DB_PASS", "WORD = \"Vx9", "kq2!mTr", "7wLp\"\n"].concat()).unwrap();
    let output = scan(&[PathBuf::from("Cargo.toml"), leak]);
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn nothing_but_samples_is_excused() {
    assert!(!root().join(".stanch-baseline.toml").exists());
    let config = std::fs::read_to_string(root().join(".stanch.toml")).unwrap();
    let settings: Vec<&str> =
        config.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    assert_eq!(settings, ["[scan]", r#"exclude = ["/tests/data/archives/*.*", "!*.py"]"#]);
}
