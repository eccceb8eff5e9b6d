//! `--max-memory`, and with it as the measure: what scans need does not grow with what they read.

use std::collections::HashSet;
use std::fs;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::process::{Command, Stdio};

use super::cli_support::{Run, github, letters, stanch};
use super::git_support::{Numbers, Sandbox};

/// Folders of files with very many secrets.
fn many() -> Sandbox {
    let repo = Sandbox::new();
    for file in 0..40u64 {
        let lines: Vec<String> = (0..50).map(|i| format!("token = '{}'", github(file * 50 + i))).collect();
        repo.write(&format!("{}/{file}.txt", file % 4), lines.join("\n"));
    }
    repo.commit("many");
    repo
}

/// `stanch ARGS --format json --max-memory LIMIT`.
fn within(repo: &Sandbox, args: &[&str], limit: &str) -> Run {
    Run::of(&mut stanch(repo.path(), [args, &["--format", "json", "--max-memory", limit]].concat()))
}

#[test]
fn a_scan_that_needs_more_memory_ends_with_what_it_has_found() {
    let repo = many();
    for args in [&["scan"][..], &["history"], &["history", "--range", "HEAD"]] {
        let all = within(&repo, args, "4G").exits(1).report();
        assert_eq!((all.findings().len(), all.incomplete()), (2000, false), "{args:?}");
        let unlimited = Run::of(&mut stanch(repo.path(), [args, &["--format", "json"]].concat())).exits(1);
        assert_eq!(unlimited.report().0["findings"], all.0["findings"], "{args:?}");
        let mut ended = 0;
        for limit in ["2M", "4M", "8M", "16M"] {
            let run = within(&repo, args, limit);
            if run.stdout.is_empty() {
                // Not even what was found had room: an error, and no report.
                assert!(
                    run.code == Some(2) && run.stderr.contains("--max-memory"),
                    "{args:?} {limit}: {run:?}"
                );
                continue;
            }
            let report = run.report();
            if report.incomplete() {
                assert_eq!(run.code, Some(2), "{args:?} {limit}");
                let skipped = report.0["skipped"].to_string();
                assert!(skipped.contains("memory-limit") && skipped.contains("--max-memory"), "{skipped}");
                let known: HashSet<String> = all.findings().iter().map(|f| f["secret"].to_string()).collect();
                assert!(report.findings().iter().all(|f| known.contains(&f["secret"].to_string())));
                ended += 1;
            } else {
                assert_eq!(report.0["findings"], all.0["findings"], "{args:?} {limit}");
            }
        }
        assert!(ended > 0, "{args:?}: no scan ended early");
    }
}

#[test]
fn beyond_the_ceiling_there_is_a_message_and_the_old_report() {
    let repo = many();
    repo.write("report.json", "the old one");
    repo.git(["add", "report.json"]);
    for args in [&["scan"][..], &["scan", "--staged"], &["history"], &["history", "--range", "HEAD"]] {
        for limit in ["0", "1", "10K"] {
            for target in ["json", "json=report.json"] {
                let args = [args, &["--format", target, "--max-memory", limit]].concat();
                let run = Run::of(&mut stanch(repo.path(), &args)).exits(2);
                assert_eq!(run.stdout, "", "{args:?}");
                let message =
                    "stanch: error: the scan needs more than --max-memory allows; there is no report\n";
                assert_eq!(run.stderr, message, "{args:?}");
                assert_eq!(fs::read_to_string(repo.join("report.json")).unwrap(), "the old one");
            }
        }
    }
    let run = Run::of(&mut stanch(repo.path(), ["scan", "--max-memory", "much"])).exits(2);
    assert!(run.stderr.contains("expected a number of bytes"), "{run:?}");
}

/// The greatest part of memory that a command held, in bytes, as the system says, and its exit code.
fn held(command: &mut Command) -> (u64, Option<i32>) {
    // `wait4` waits for it.
    #[allow(clippy::zombie_processes)]
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let mut status = 0;
    // SAFETY: a struct of numbers may be zero; the process is our child, and was not waited for.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        assert_eq!(libc::wait4(child.id() as i32, &raw mut status, 0, &raw mut usage), child.id() as i32);
        usage
    };
    // Linux counts in KiB.
    (usage.ru_maxrss as u64 * 1024, libc::WIFEXITED(status).then(|| libc::WEXITSTATUS(status)))
}

/// What the program counts is what the system counts.
#[test]
#[cfg(target_os = "linux")]
fn the_ceiling_holds() {
    let repo = many();
    let empty = Sandbox::empty();
    empty.write("a.txt", "harmless\n");
    for args in [["scan", "--threads", "2"], ["history", "--threads", "2"]] {
        let (without, code) = held(&mut stanch(repo.path(), args));
        assert_eq!(code, Some(1));
        // The program itself, its tables and the stacks of its threads.
        let (program, _) = held(&mut stanch(empty.path(), ["scan", "--threads", "2"]));
        for limit in [2u64, 4] {
            let limit_text = format!("{limit}M");
            let (with, code) = held(stanch(repo.path(), args).args(["--max-memory", &limit_text]));
            assert_eq!(code, Some(2), "{args:?} within {limit} MiB");
            let most = program + (limit << 20) + (4 << 20);
            assert!(
                with < most,
                "{args:?} within {limit} MiB held {with}, {program} without work, {without} at most"
            );
        }
    }
}

#[test]
fn a_scan_needs_no_more_for_larger_and_more_files() {
    let dir = Sandbox::empty();
    // 600 MB in one file, most of it NUL; 200 MB in an archive; five thousand files. Debug builds take a fifth.
    let size = if cfg!(debug_assertions) { 120 << 20 } else { 600 << 20 };
    let file = fs::File::create(dir.join("huge.bin")).unwrap();
    file.set_len(size).unwrap();
    file.write_all_at(format!(" {} ", github(1)).as_bytes(), size / 2).unwrap();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let filler = "a line of an ordinary log, and another one\n".repeat(25_000);
    for _ in 0..if cfg!(debug_assertions) { 10 } else { 200 } {
        packed.write_all(filler.as_bytes()).unwrap();
    }
    packed.write_all(format!("token = '{}'\n", github(2)).as_bytes()).unwrap();
    dir.write("log.gz", packed.finish().unwrap());
    for i in 0..5000 {
        dir.write(&format!("files/{}/{i}.txt", i % 50), format!("file {i}\n").repeat(20));
    }
    for paths in [&["huge.bin"][..], &["log.gz"], &["files", "log.gz"]] {
        let run = within(&dir, &[&["scan", "--threads", "2"], paths].concat(), "64M");
        let report = run.report();
        assert!(!report.incomplete(), "{paths:?}: {:?}", report.skipped());
        assert_eq!(report.findings().len(), paths.iter().filter(|path| path.contains('.')).count());
    }
}

#[test]
fn a_history_needs_no_more_for_more_versions() {
    // Versions of one file of 200 kB, as deltas: what is held are a few of them, however many there are.
    let needs = |versions: usize| {
        let repo = Sandbox::new();
        let mut numbers = Numbers(3);
        let mut lines: Vec<String> = (0..3000).map(|i| format!("line {i} {}", letters(i, 50))).collect();
        for version in 0..versions {
            let at = numbers.below(lines.len());
            lines[at] = format!("changed {version} {}", letters(version as u64, 50));
            repo.write("large.txt", lines.join("\n"));
            repo.commit("next");
        }
        repo.git(["repack", "-a", "-d", "-q", "--depth=4000", "--window=10"]);
        let fits = |limit: &&str| !within(&repo, &["history", "--threads", "2"], limit).report().incomplete();
        ["8M", "16M", "24M", "32M", "48M", "64M", "96M", "128M", "256M"].into_iter().find(fits)
    };
    let (few, more) = (needs(20), needs(120));
    assert!(few.is_some() && few == more, "{few:?} for 20 versions, {more:?} for 120");
}
