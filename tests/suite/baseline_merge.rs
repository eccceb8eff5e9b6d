//! Two branches that each add entries to the baseline merge with plain `git merge`.

use std::path::Path;
use std::process::Command;

use jiff::civil::date;
use stanch::suppress::baseline::{Baseline, Draft, Found};

fn git(folder: &Path, args: &[&str]) -> std::process::Output {
    Command::new("git")
        .current_dir(folder)
        .args(["-c", "user.name=t", "-c", "user.email=t@example.invalid", "-c", "commit.gpgsign=false"])
        .args(args)
        .env_remove("GIT_DIR")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .output()
        .unwrap()
}

fn ok(folder: &Path, args: &[&str]) {
    let output = git(folder, args);
    assert!(
        output.status.success(),
        "git {args:?}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Adds entries whose fingerprints begin with the given bytes: evenly spread, as real ones are.
fn add(path: &Path, starts: impl Iterator<Item = u8>) {
    let mut draft = match Baseline::read(path).unwrap() {
        Some(baseline) => Draft::open(&baseline).unwrap(),
        None => Draft::new(path, None).unwrap(),
    };
    let found = starts.map(|start| Found {
        fingerprint: format!("{start:02x}{}", "0123456789abcdef0123456789abcd"),
        rule: "generic-secret".into(),
        ..Found::default()
    });
    draft.add(found, "Ann", date(2025, 11, 3));
    draft.write().unwrap();
}

#[test]
fn branches_merge() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let path = folder.join(".stanch-baseline.toml");
    ok(folder, &["init", "-q", "-b", "main"]);
    // Empty, and with a few entries: both must merge.
    for (round, existing) in [0u8, 5].into_iter().enumerate() {
        add(&path, (0..existing).map(|n| n * 50));
        ok(folder, &["add", "."]);
        ok(folder, &["commit", "-q", "--allow-empty", "-m", "base"]);
        let (one, two) = (format!("one{round}"), format!("two{round}"));
        let first = 16 * (round as u8) + 1;
        ok(folder, &["checkout", "-q", "-b", &one]);
        add(&path, (0..7).map(|n| first + 32 * n));
        ok(folder, &["commit", "-qam", "one"]);
        ok(folder, &["checkout", "-q", "main"]);
        ok(folder, &["checkout", "-q", "-b", &two]);
        add(&path, (0..7).map(|n| first + 1 + 32 * n));
        ok(folder, &["commit", "-qam", "two"]);
        let before = Baseline::read(&path).unwrap().unwrap().len();
        ok(folder, &["merge", "-q", "--no-edit", &one]);
        let merged = Baseline::read(&path).unwrap().unwrap();
        assert_eq!(merged.len(), before + 7);
        // What git made is what we would have written.
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(Draft::open(&merged).unwrap().text(), text);
        ok(folder, &["checkout", "-q", "main"]);
        ok(folder, &["merge", "-q", "--no-edit", &two]);
    }
}
