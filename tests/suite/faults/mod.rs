//! Faults on the way: what a run leaves behind is whole, marked as incomplete, or not there; never half.

mod disk;
mod signals;
mod surroundings;

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use super::cli_support::{Bound, Run, bounded, github, names, stanch};
use super::git_support::Sandbox;

/// A repository with secrets in its history, its index and its files.
fn repository() -> Sandbox {
    let repo = Sandbox::new();
    for i in 0..4 {
        repo.write(&format!("d{i}/a.txt"), format!("x = 1\ntoken = '{}'\n", github(i)));
        repo.commit(&format!("commit {i}"));
    }
    fs::remove_file(repo.join("d0/a.txt")).unwrap();
    repo.commit("one less");
    repo.write("staged.txt", format!("token = '{}'\n", github(9)));
    repo.git(["add", "staged.txt"]);
    repo
}

/// The scans, each with a number of findings that it has in [`repository`].
const SCANS: &[(&[&str], usize)] = &[
    (&["scan"], 4),
    (&["scan", "--staged"], 1),
    (&["history"], 5),
    (&["history", "--range", "HEAD~3..HEAD"], 2),
];

fn formats() -> impl Iterator<Item = &'static str> {
    stanch::report::Format::ALL.iter().map(|format| format.name())
}

/// Strings of arguments, one list behind the other.
fn joined<'a>(parts: &[&[&'a str]]) -> Vec<&'a str> {
    parts.concat()
}

/// A report in JSON, read from a file; None where there is no file. Half of one fails the test.
#[track_caller]
fn report_in(path: &PathBuf) -> Option<Value> {
    let text = fs::read(path).ok()?;
    Some(serde_json::from_slice(&text).unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&text))))
}
