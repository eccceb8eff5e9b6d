//! A disk that is full, and folders that may not be written.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::Command;

use super::*;
use crate::cli_support::clean;

/// Sizes at which a file can grow no more, in bytes: at once, and in its midst.
const FULL: [u64; 2] = [0, 100];

#[test]
fn a_report_that_does_not_fit_leaves_the_old_one() {
    let repo = repository();
    for (args, _) in SCANS {
        for format in formats() {
            for full in FULL {
                let out = Sandbox::empty();
                out.write("report", "the old one");
                let place = format!("{format}={}", out.join("report").display());
                let mut command = stanch(repo.path(), joined(&[args, &["--format", &place]]));
                let run = Run::of(bounded(&mut command, Bound::FileSize, full)).exits(2);
                assert!(run.stderr.contains("cannot write the report"), "{args:?} {format}: {run:?}");
                assert_eq!(
                    fs::read_to_string(out.join("report")).unwrap(),
                    "the old one",
                    "{args:?} {format}"
                );
                assert_eq!(names(out.path()), ["report"], "{args:?} {format}");
            }
        }
    }
}

#[test]
fn what_commands_write_is_written_whole_or_not_at_all() {
    for full in FULL {
        let repo = repository();
        repo.write(
            ".gitleaks.toml",
            "[extend]\nuseDefault = true\n[[rules]]\nid = 'own'\nregex = '''own_[a-z]{20}'''\n",
        );
        repo.write(".git/hooks/pre-commit", "#!/bin/sh\nexit 0\n");
        let before = (names(repo.path()), names(&repo.join(".git/hooks")));
        let value = github(1);
        for args in [
            &["baseline", "update"][..],
            &["baseline", "update", "--history"],
            &["hook", "install"],
            &["import", "gitleaks"],
            &["explain", "d1/a.txt:2", "--no-history", "--show-secrets", "--purge-file", "purge.txt"],
        ] {
            let mut command = stanch(repo.path(), args);
            let full = if args[0] == "explain" { full.min(10) } else { full };
            let run = Run::of(bounded(&mut command, Bound::FileSize, full)).exits(2);
            assert!(run.stderr.contains("cannot"), "{args:?}: {run:?}");
            assert!(!run.stderr.contains(&value), "{run:?}");
            assert_eq!((names(repo.path()), names(&repo.join(".git/hooks"))), before, "{args:?} at {full}");
        }
        let hook = fs::read_to_string(repo.join(".git/hooks/pre-commit")).unwrap();
        assert_eq!(hook, "#!/bin/sh\nexit 0\n");
        // A baseline that is there stays as it is.
        Run::of(&mut stanch(repo.path(), ["baseline", "update"])).exits(0);
        let baseline = fs::read(repo.join(".stanch-baseline.toml")).unwrap();
        repo.write("more.txt", format!("token = '{}'\n", github(50)));
        let mut command = stanch(repo.path(), ["baseline", "update"]);
        Run::of(bounded(&mut command, Bound::FileSize, full)).exits(2);
        assert_eq!(fs::read(repo.join(".stanch-baseline.toml")).unwrap(), baseline);
    }
}

/// Processes that were killed while they wrote leave files; whoever writes into the same folder later removes them.
#[test]
fn what_a_killed_process_left_is_removed_by_the_next_one() {
    const LEFT: &str = ".stanch-0123456789ab.tmp";
    let repo = repository();
    let (out, cache) = (Sandbox::empty(), Sandbox::empty());
    let target = format!("json={}", out.join("report").display());
    let left_behind = |folder: &std::path::Path| {
        let file = fs::File::create(folder.join(LEFT)).unwrap();
        file.set_modified(std::time::SystemTime::now() - std::time::Duration::from_secs(5000)).unwrap();
    };
    let hooks = repo.join(".git/hooks");
    let cache_folder = cache.path().display().to_string();
    let runs: [(&[&str], &std::path::Path, &str); 4] = [
        (&["scan", "--format", &target], out.path(), "report"),
        (&["history", "--cache", &cache_folder], cache.path(), ""),
        (&["baseline", "update"], repo.path(), ".stanch-baseline.toml"),
        (&["hook", "install"], &hooks, "pre-commit"),
    ];
    for (args, folder, written) in runs {
        left_behind(folder);
        Run::of(&mut stanch(repo.path(), args));
        let there = names(folder);
        assert!(!there.iter().any(|name| name.ends_with(".tmp")), "{args:?}: {there:?}");
        assert!(there.iter().any(|name| name.contains(written)), "{args:?}: {there:?}");
    }
}

#[test]
fn a_cache_that_does_not_fit_is_a_warning_and_never_half() {
    let repo = repository();
    let args = ["history", "--format", "json", "--cache"];
    let plain = Run::of(&mut stanch(repo.path(), &args[..3])).exits(1).report();
    for full in [0, 10, 100, 300] {
        let cache = Sandbox::empty();
        let mut command = stanch(repo.path(), args);
        command.arg(cache.path());
        let run = Run::of(bounded(&mut command, Bound::FileSize, full)).exits(1);
        assert!(run.stderr.contains("is not written"), "{run:?}");
        assert_eq!(run.report().0["findings"], plain.0["findings"]);
        assert!(names(cache.path()).is_empty(), "{:?}", names(cache.path()));
    }
}

#[test]
fn a_full_disk_behind_standard_output_in_every_mode() {
    let repo = repository();
    for (args, _) in SCANS {
        for format in formats() {
            let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
            let mut command = stanch(repo.path(), joined(&[args, &["--format", format]]));
            let run = Run::of(command.stdout(full)).exits(2);
            assert!(run.stderr.contains("standard output"), "{args:?} {format}: {run:?}");
        }
    }
    for args in [
        &["audit", "--plain"][..],
        &["baseline", "check"],
        &["config", "show"],
        &["rules", "list"],
        &["explain", "d1/a.txt:2"],
    ] {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        Run::of(stanch(repo.path(), args).stdout(full)).exits(2);
    }
}

/// As a user who may write nothing, with no home.
fn as_nobody(repo: &Sandbox, args: &[&str]) -> Option<Run> {
    /// A user without rights.
    const NOBODY: u32 = 65534;
    // SAFETY: asks for nothing but a number.
    if unsafe { libc::geteuid() } != 0 {
        return None;
    }
    let place = Sandbox::empty();
    let program = place.join("stanch");
    for folder in [place.path(), repo.path()] {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
    }
    fs::copy(crate::cli_support::STANCH, &program).unwrap();
    let mut command: Command = clean(&program, repo.path());
    command.args(args).uid(NOBODY).gid(NOBODY).env("HOME", "/nowhere").env("TMPDIR", "/nowhere");
    for _ in 0..100 {
        match command.output() {
            // A process that another test forks meanwhile holds the copy open for an instant.
            Err(e) if e.kind() == std::io::ErrorKind::ExecutableFileBusy => {
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
            Err(_) => return None,
            Ok(_) => return Some(Run::of(&mut command)),
        }
    }
    None
}

#[test]
fn nothing_need_be_written_to_scan_and_what_cannot_be_is_said() {
    let repo = repository();
    for (args, count) in SCANS {
        let Some(run) = as_nobody(&repo, &joined(&[args, &["--format", "json"]])) else { return };
        assert_eq!(run.exits(1).report().findings().len(), *count, "{args:?}");
    }
    let before = names(repo.path());
    for args in [
        &["baseline", "update"][..],
        &["hook", "install"],
        &["scan", "--output", "report.txt"],
        &["history", "--format", "json=report.json"],
        &["history", "--format", "sarif=/nowhere/report.json"],
    ] {
        let run = as_nobody(&repo, args).unwrap().exits(2);
        assert!(run.stderr.contains("cannot"), "{args:?}: {run:?}");
        assert_eq!(names(repo.path()), before);
    }
    // A cache is a help: without it the scan is as good.
    let run = as_nobody(&repo, &["history", "--cache", "cache", "--format", "json"]).unwrap().exits(1);
    assert!(run.stderr.contains("is not written") && run.report().findings().len() == 5, "{run:?}");
}
