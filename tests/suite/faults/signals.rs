//! Signals at any time. The times are drawn from a seed; what must hold does not depend on them.

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::*;
use crate::git_support::{Numbers, edit_history};

/// A repository that takes a while.
fn larger() -> Sandbox {
    let repo = Sandbox::new();
    edit_history(&repo, 10, 7);
    for i in 0..30u64 {
        let lines: Vec<String> = (0..30).map(|j| format!("token = '{}'", github(i * 100 + j))).collect();
        repo.write(&format!("many/{i}.txt"), lines.join("\n"));
    }
    repo.commit("many");
    for i in 0..20u64 {
        repo.write(&format!("staged/{i}.txt"), format!("token = '{}'\n", github(9000 + i)));
    }
    repo.git(["add", "--all"]);
    repo
}

/// Runs a command and sends it a signal after a while. Its exit code; None when the signal ended it.
fn interrupted(command: &mut Command, signal: i32, after: Duration) -> Option<i32> {
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(after);
    // SAFETY: the process is our child, and was not waited for.
    unsafe { libc::kill(child.id() as i32, signal) };
    let status = child.wait().unwrap();
    assert!(status.signal().is_none_or(|ended_by| ended_by == signal), "{status}");
    status.code()
}

/// How long a command takes when nothing comes between.
fn duration(command: &mut Command) -> Duration {
    let began = Instant::now();
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    began.elapsed()
}

#[test]
fn a_signal_leaves_a_whole_report_or_one_that_says_it_is_incomplete_or_none() {
    let repo = larger();
    let mut numbers = Numbers(0x5eed);
    let modes: [&[&str]; 4] =
        [&["scan"], &["scan", "--staged"], &["history"], &["history", "--range", "HEAD"]];
    let (mut partial, mut none) = (0, 0);
    for args in modes {
        let out = Sandbox::empty();
        let path = out.join("report.json");
        let target = format!("json={}", path.display());
        let command = || stanch(repo.path(), joined(&[args, &["--format", &target]]));
        let whole = duration(&mut command());
        let complete = report_in(&path).unwrap();
        assert_eq!(complete["summary"]["incomplete"], false);
        for round in 0..8 {
            fs::remove_file(&path).ok();
            let signal = [libc::SIGINT, libc::SIGTERM, libc::SIGTERM, libc::SIGKILL][round % 4];
            let after = whole.mul_f64(numbers.below(1100) as f64 / 1000.0);
            let code = interrupted(&mut command(), signal, after);
            let report = report_in(&path);
            match (code, &report) {
                // All that was there, and the code that says so.
                (Some(1), Some(report)) => assert_eq!(report["findings"], complete["findings"], "{args:?}"),
                (Some(2), Some(report)) => {
                    assert_eq!(report["summary"]["incomplete"], true, "{args:?}");
                    let skipped = report["skipped"].to_string();
                    assert!(skipped.contains("interrupted"), "{args:?}: {skipped}");
                    partial += 1;
                }
                // Ended at once. A report that has its name already is whole.
                (None, Some(report)) => assert_eq!(report["findings"], complete["findings"], "{args:?}"),
                (None, None) => none += 1,
                other => panic!("{args:?} after {after:?}: {other:?}"),
            }
        }
    }
    // Times differ from run to run; that some runs were caught is all that can be asked for.
    assert!(partial + none > 0, "no run was caught");
}

#[test]
fn a_signal_leaves_a_whole_baseline_and_a_cache_that_misleads_nobody() {
    let repo = larger();
    let mut numbers = Numbers(0xcace);
    let baseline = repo.join(".stanch-baseline.toml");
    let update = || stanch(repo.path(), ["baseline", "update"]);
    let whole = duration(&mut update());
    let count = |text: &str| text.lines().filter(|line| line.contains("rule = ")).count();
    let all = count(&fs::read_to_string(&baseline).unwrap());
    assert!(all > 800);
    for round in 0..6 {
        fs::remove_file(&baseline).ok();
        let signal = [libc::SIGINT, libc::SIGTERM, libc::SIGKILL][round % 3];
        interrupted(&mut update(), signal, whole.mul_f64(0.4 + numbers.below(700) as f64 / 1000.0));
        if let Ok(text) = fs::read_to_string(&baseline) {
            assert_eq!(count(&text), all);
        }
    }
    fs::remove_file(&baseline).ok();
    let cache = Sandbox::empty();
    let history = || {
        let mut command = stanch(repo.path(), ["history", "--format", "json", "--cache"]);
        command.arg(cache.path());
        command
    };
    let plain = Run::of(&mut stanch(repo.path(), ["history", "--format", "json"])).exits(1).report();
    let whole = duration(&mut history());
    for round in 0..6 {
        for name in names(cache.path()) {
            fs::remove_file(cache.join(&name)).unwrap();
        }
        let signal = [libc::SIGINT, libc::SIGTERM, libc::SIGKILL][round % 3];
        interrupted(&mut history(), signal, whole.mul_f64(numbers.below(1100) as f64 / 1000.0));
        let run = Run::of(&mut history()).exits(1);
        assert_eq!(run.report().0["findings"], plain.0["findings"]);
    }
}
