//! Pipes where a repository has files: nobody will ever write into them, and no scan waits for them.

use std::os::unix::process::CommandExt;

use super::*;
use crate::cli_support::fifo;

/// Files of a repository, a `*` for what git chooses.
const FILES: &[&str] = &[
    ".git/HEAD",
    ".git/config",
    ".git/index",
    ".git/commondir",
    ".git/packed-refs",
    ".git/shallow",
    ".git/info/grafts",
    ".git/info/exclude",
    ".git/refs/heads/main",
    ".git/refs/heads/other",
    ".git/logs/HEAD",
    ".git/MERGE_HEAD",
    ".git/hooks/pre-commit",
    ".git/objects/info/alternates",
    ".git/objects/pack/multi-pack-index",
    ".git/objects/pack/*.idx",
    ".git/objects/pack/*.pack",
    ".git/objects/??/*",
    ".gitattributes",
    ".gitmodules",
    ".stanch.toml",
    ".stanch-baseline.toml",
    ".gitleaks.toml",
    ".gitleaksignore",
    ".secrets.baseline",
];

/// The first path of the repository that a pattern names, or the pattern, where nothing is.
fn named(place: &Place, pattern: &str) -> PathBuf {
    let script = format!("set -- {pattern}; printf %s \"$1\"");
    place.repo().join(Run::of(clean("sh", &place.repo()).args(["-c", &script])).exits(0).stdout)
}

/// How a run ends, which it must by itself.
fn ended(place: &Place, args: &[&str]) -> Run {
    let mut command = place.stanch(args);
    // So that git's settings are asked for it.
    command.env_remove("GIT_AUTHOR_NAME");
    // SAFETY: alarm may be called between fork and exec.
    unsafe {
        command.pre_exec(|| {
            libc::alarm(100);
            Ok(())
        });
    }
    Run::of(&mut command)
}

/// What opens a repository; each test adds what it does with its hooks.
const COMMANDS: [&[&str]; 8] = [
    &["scan"],
    &["scan", "--staged"],
    &["history"],
    &["history", "--range", "HEAD"],
    &["scan", "--policy-rev", "HEAD"],
    &["explain", "leak.txt:1"],
    &["baseline", "update"],
    &["audit", "--plain"],
];

#[test]
fn nobody_waits_for_a_pipe_in_place_of_a_file() {
    for pattern in FILES {
        let place = Place::with_repository(&[]);
        place.write("leak.txt", leak(1));
        place.commit("second");
        place.git(&["repack", "-adq", "--write-midx"]);
        place.git(&["branch", "other", "HEAD~1"]);
        place.git(&["pack-refs", "--all"]);
        place.write("more.txt", leak(2));
        place.commit("third");
        place.write("staged.txt", leak(3));
        place.git(&["add", "staged.txt"]);
        let path = named(&place, pattern);
        let _ = fs::remove_file(&path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fifo(&path);
        for args in COMMANDS.into_iter().chain([&["hook", "install"][..]]) {
            let run = ended(&place, args);
            assert!(matches!(run.code, Some(0..=2)), "{pattern} {args:?}: {run:?}");
            // What there is to find is found, or why it is not is said, once.
            if matches!(args[0], "scan" | "history") {
                assert_ne!(run.code, Some(0), "{pattern} {args:?}: {run:?}");
                let said = format!("{}{}", run.stdout, run.stderr);
                assert!(
                    run.code == Some(1) || said.contains("not a regular file") || said.contains("missing"),
                    "{pattern} {args:?}: {run:?}"
                );
                assert!(!said.contains("file: not a regular file: not"), "{said}");
            }
        }
    }
}

/// What a repository's settings include lies where they please: nobody opens it, and nobody takes a setting from it.
#[test]
fn what_a_repository_includes_is_not_read() {
    let place = Place::with_repository(&[]);
    place.write("leak.txt", leak(1));
    place.commit("second");
    place.write("staged.txt", leak(2));
    place.git(&["add", "staged.txt"]);
    place.git(&["config", "user.name", "Own"]);
    place.git(&["config", "extensions.worktreeConfig", "true"]);
    let commands: Vec<&[&str]> = COMMANDS.into_iter().chain([&["hook", "run", "pre-commit"][..]]).collect();
    let fresh = |place: &Place| drop(fs::remove_file(place.repo().join(".stanch-baseline.toml")));
    let run = |args: &&[&str]| ended(&place, args);
    let before: Vec<Run> = commands.iter().map(run).collect();
    fresh(&place);
    let pipe = place.at("outside/pipe");
    fifo(&pipe);
    let file = place.at("outside/settings");
    fs::write(&file, "[user]\n\tname = Included\n[core]\n\thooksPath = elsewhere\n").unwrap();
    let config = fs::read_to_string(place.repo().join(".git/config")).unwrap();
    for target in [&file, &pipe] {
        let target = target.display();
        for (name, section) in [
            ("config", "[include]"),
            ("config", "[IncludeIf \"gitdir:/**\"]"),
            ("config.worktree", "[include]"),
        ] {
            let more = format!("{section}\n\tpath = {target}\n");
            fs::write(place.repo().join(".git/config"), &config).unwrap();
            let own = fs::read_to_string(place.repo().join(".git").join(name)).unwrap_or_default();
            fs::write(place.repo().join(".git").join(name), own + &more).unwrap();
            let after: Vec<Run> = commands.iter().map(run).collect();
            for ((before, after), args) in before.iter().zip(&after).zip(&commands) {
                let what =
                    |run: &Run| (run.code, run.stdout.matches("github-pat").count(), run.stderr.clone());
                assert_eq!(what(before), what(after), "{args:?} with {target} in {name}: {after:?}");
            }
            let baseline = fs::read_to_string(place.repo().join(".stanch-baseline.toml")).unwrap();
            assert!(baseline.contains("by = \"Own\""), "{baseline}");
            fresh(&place);
            // Where git looks for hooks may be said there.
            let hook = ended(&place, &["hook", "install"]).exits(2);
            assert!(hook.stderr.contains("git config core.hooksPath"), "{hook:?}");
            assert!(!place.repo().join("elsewhere").exists());
            let file = place.repo().join(".git/config");
            let more = fs::read_to_string(&file).unwrap() + "[core]\n\thooksPath = ~/hooks\n";
            fs::write(&file, more).unwrap();
            ended(&place, &["hook", "install"]).exits(0);
            fs::remove_file(place.at("home/hooks/pre-commit")).unwrap();
            let _ = fs::remove_file(place.repo().join(".git/config.worktree"));
        }
    }
}
