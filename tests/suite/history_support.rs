//! The whole program on histories that the tests make.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::git_support::Sandbox;

/// A rule of its own for the tests: shaped like many real ones, and like no real token.
pub const RULES: &str = r#"
[[rules]]
id = "sample-token"
description = "Sample token"
regex = '''tok_[A-Za-z0-9]{36}'''
keywords = ["tok_"]
prefix = 4
confidence = "high"
"#;

/// A token for each number; no two have much in common.
pub fn token(number: u64) -> String {
    let part = |i: u64| (number * 7_919 + i + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
    let text: String = (0..6).map(|i| format!("{:06x}", part(i) & 0xff_ffff)).collect();
    format!("{}{text}", "tok_")
}

/// The configuration with the test's rule; it lies in no repository.
pub fn config() -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("history-rules.toml");
    if fs::read_to_string(&path).ok().as_deref() != Some(RULES) {
        let mut file = tempfile::NamedTempFile::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        std::io::Write::write_all(&mut file, RULES.as_bytes()).unwrap();
        file.persist(&path).unwrap();
    }
    path
}

/// The program, in a folder and with nothing of the user's environment.
pub fn stanch(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stanch"));
    command
        .current_dir(folder)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .args(args)
        .stdin(Stdio::null());
    command
}

/// A run's exit code, and its report in JSON with the values shown.
pub struct Ran {
    pub code: i32,
    pub report: Value,
    pub errors: String,
}

/// Runs `stanch ARGS` in a folder with the test's rule.
pub fn run(folder: &Path, args: &[&str]) -> Ran {
    let mut command = stanch(folder, args);
    command.args(["--format", "json", "--show-secrets", "--show-suppressed", "--no-progress", "--config"]);
    let output = command.arg(config()).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    let report = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
    Ran { code: output.status.code().unwrap_or(-1), report, errors }
}

/// Runs `stanch history`, which must be complete.
pub fn history(sandbox: &Sandbox, args: &[&str]) -> Ran {
    let ran = run(sandbox.path(), &[&["history"], args].concat());
    let expected = i32::from(!ran.secrets().is_empty());
    assert_eq!(ran.code, expected, "{} {}", ran.errors, ran.report["skipped"]);
    ran
}

impl Ran {
    /// The findings by value.
    pub fn findings(&self) -> BTreeMap<String, Value> {
        let mut found = BTreeMap::new();
        for finding in self.report["findings"].as_array().into_iter().flatten() {
            let secret = finding["secret"].as_str().unwrap_or_default().to_owned();
            let before = found.insert(secret, finding.clone());
            assert!(before.is_none(), "a value is reported twice");
        }
        found
    }

    /// The finding of a value.
    pub fn finding(&self, secret: &str) -> Value {
        let found = self.findings().get(secret).cloned();
        found.unwrap_or_else(|| panic!("not found among {}: {}", self.report["findings"], self.errors))
    }

    /// The values that were found and that nothing suppresses, in order.
    pub fn secrets(&self) -> Vec<String> {
        let found = self.findings().into_iter();
        found.filter(|(_, finding)| finding["status"] == "new").map(|(secret, _)| secret).collect()
    }

    /// The reasons of what makes the run incomplete.
    pub fn reasons(&self) -> Vec<&str> {
        let skipped = self.report["skipped"].as_array().into_iter().flatten();
        let mut reasons: Vec<&str> = skipped
            .filter(|skip| skip["incomplete"] == true)
            .filter_map(|skip| skip["reason"].as_str())
            .collect();
        reasons.dedup();
        reasons
    }
}
