//! Links, names and settings that lead out of the repository: nothing outside is read, shown or written.

use std::fs;
use std::os::unix::fs::symlink;

use super::super::archive_support::{gzip, zip as zipped};
use super::super::cli_support::{Bound, Run, bounded, fifo, github, names};
use super::{COMMANDS, Place, leak};

/// Words of the file outside, which are no secret of any form: they would be shown in a message about it.
const WORDS: &str = "outside words of mine";

/// What lies outside: a file and a folder with words and a secret.
fn outside(place: &Place) {
    let text = format!("{WORDS} = \n[[rules]\n{}", leak(90));
    fs::write(place.at("outside/file"), &text).unwrap();
    for path in
        ["folder/HEAD", "folder/config", "folder/hooks/pre-push", "folder/.stanch.toml", "folder/leak.txt"]
    {
        let path = place.at("outside").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, &text).unwrap();
    }
}

/// Nothing of what is outside stands in what a run says.
#[track_caller]
fn says_nothing_of_it(args: &[&str], run: &Run) {
    let said = format!("{}{}", run.stdout, run.stderr);
    assert!(!said.contains(WORDS) && !said.contains("outside words"), "{args:?}: {said}");
    // In the repository there is no secret, so a finding is one of the file outside.
    let looks = matches!(args[0], "scan" | "history");
    assert!(!looks || run.code != Some(1), "{args:?}: {run:?}");
    assert!(args[0] == "rules" || !run.stdout.contains("github-pat"), "{args:?}: {run:?}");
    assert!(!said.contains(&github(90)), "{args:?}: {said}");
}

#[test]
fn links_to_files_and_folders_outside_are_not_followed() {
    let place = Place::with_repository(&[]);
    outside(&place);
    let repo = place.repo();
    let link = |to: &str, from: &str| {
        fs::create_dir_all(repo.join(from).parent().unwrap()).unwrap();
        symlink(to, repo.join(from)).unwrap();
    };
    link("../outside/file", "file");
    link("../outside/folder", "folder");
    link("../../outside/folder", "deep/folder");
    link("file", "second");
    link(place.at("outside/file").to_str().unwrap(), "absolute");
    link("/proc/self/environ", "environ");
    link("/dev/zero", "endless");
    place.commit("links");
    // Links in git's own folder.
    link("../../../outside/file", ".git/hooks/pre-commit");
    link("../../outside/file", ".git/description-2");
    link("../../outside/file", ".git/COMMIT_EDITMSG.1");
    link("../../outside/file", ".git/logs-2");
    link("/dev/zero", ".git/endless");
    link("../../../outside/folder", ".git/worktrees/w");
    link("../../../outside/folder", ".git/modules/m");
    link("../../../../outside/file", ".git/refs/heads/evil");
    link("../../../../outside/file", ".git/logs/refs/evil");
    let before = place.tree();
    for args in COMMANDS.iter().filter(|args| !args.contains(&"install") && !args.contains(&"update")) {
        let run = Run::of(place.stanch(args).env("LEAK", github(90)));
        says_nothing_of_it(args, &run);
        assert!(run.code == Some(0) || !matches!(args[0], "scan" | "history"), "{args:?}: {run:?}");
    }
    let written: Vec<_> = place.tree().into_iter().filter(|path| !before.contains(path)).collect();
    assert!(written.iter().all(|path| path.starts_with(place.at("tmp"))), "{written:?}");
    let report = place.run(&["history", "--format", "json"]).exits(0).report();
    for name in [".git/hooks/pre-commit", ".git/worktrees/w", ".git/modules/m"] {
        let skip = format!("{name} link-outside");
        assert!(report.skipped().contains(&skip), "{skip} in {:?}", report.skipped());
    }
    // A hook that is a link into the work tree is read.
    fs::remove_file(repo.join(".git/hooks/pre-commit")).unwrap();
    place.write("scripts/hook", leak(5));
    link("../../scripts/hook", ".git/hooks/pre-commit");
    let report = place.run(&["history", "--format", "json"]).exits(1).report();
    assert_eq!(report.paths(), [".git/hooks/pre-commit"]);
    // What the user names is read, link or not.
    assert_eq!(place.run(&["scan", "second"]).code, Some(1));
}

#[test]
fn settings_that_are_links_to_files_outside_are_errors_that_show_nothing() {
    let names = [
        ".stanch.toml",
        ".gitleaks.toml",
        ".gitleaksignore",
        ".stanch-baseline.toml",
        ".secrets.baseline",
        "sub/.stanch.toml",
    ];
    for name in names {
        let place = Place::with_repository(&[]);
        outside(&place);
        place.write("sub/b.txt", "harmless\n");
        let target = place.at("outside/file");
        symlink(&target, place.repo().join(name)).unwrap();
        let before = fs::read(&target).unwrap();
        for args in COMMANDS {
            let run = place.run(args);
            says_nothing_of_it(args, &run);
            if matches!(args, ["scan"] | ["scan", "--no-ignore", ..] | ["baseline", "update"]) {
                assert!(
                    run.code == Some(2) && run.stderr.contains("outside of the repository"),
                    "{name} {args:?}: {run:?}"
                );
            }
        }
        assert_eq!(fs::read(&target).unwrap(), before, "{name}");
        assert!(fs::symlink_metadata(place.repo().join(name)).unwrap().is_symlink(), "{name}");
        // The user may name it, and is shown what is wrong with it.
        let run = place.run(&["scan", "--config", target.to_str().unwrap()]).exits(2);
        assert!(run.stderr.contains("file:1"), "{run:?}");
    }
}

#[test]
fn settings_that_name_files_outside_are_errors_that_show_nothing() {
    let place = Place::with_repository(&[]);
    outside(&place);
    fs::write(place.at("outside/good.toml"), "[[allowlists]]\npaths = ['a.txt']\n").unwrap();
    symlink("../outside", place.repo().join("way")).unwrap();
    let absolute = place.at("outside/file").display().to_string();
    for text in [
        "[extend]\npath = '../outside/file'\n".to_owned(),
        "[extend]\npath = '../outside/good.toml'\n".to_owned(),
        "[extend]\npath = 'way/file'\n".to_owned(),
        format!("[extend]\npath = '{absolute}'\n"),
        "[scan]\nbaseline = '../outside/file'\n".to_owned(),
        "[scan]\nbaseline = '../outside/new.toml'\n".to_owned(),
        "[scan]\nbaseline = 'way/new.toml'\n".to_owned(),
        format!("[scan]\nbaseline = '{absolute}'\n"),
    ] {
        place.write(".stanch.toml", &text);
        for args in
            COMMANDS.iter().filter(|args| matches!(args[0], "scan" | "history" | "baseline" | "audit"))
        {
            let run = place.run(args);
            says_nothing_of_it(args, &run);
            assert!(run.code == Some(2) || args.contains(&"--policy-rev"), "{text} {args:?}: {run:?}");
        }
        assert_eq!(names(&place.at("outside")), ["file", "folder", "good.toml"]);
    }
    // In a file that the user names, it is the user who says so.
    fs::write(
        place.at("outside/mine.toml"),
        "[extend]\npath = 'good.toml'\n[scan]\nbaseline = '../tmp/b.toml'\n",
    )
    .unwrap();
    fs::remove_file(place.repo().join(".stanch.toml")).unwrap();
    place.run(&["scan", "--config", "../outside/mine.toml"]).exits(0);
    place.run(&["baseline", "update", "--config", "../outside/mine.toml"]).exits(0);
    assert!(place.at("tmp/b.toml").exists());
}

#[test]
fn entries_of_a_baseline_that_name_files_outside_read_none() {
    let place = Place::with_repository(&[]);
    outside(&place);
    // The value stands in a file of the repository when the baseline is written, and outside later.
    place.write("b.txt", leak(90));
    place.run(&["baseline", "update"]).exits(0);
    place.write("b.txt", "harmless\n");
    let path = place.repo().join(".stanch-baseline.toml");
    let written = fs::read_to_string(&path).unwrap();
    symlink("../outside/file", place.repo().join("link")).unwrap();
    for name in ["../outside/file", "link", place.at("outside/file").to_str().unwrap()] {
        fs::write(&path, written.replace("b.txt", name)).unwrap();
        let run = place.run(&["baseline", "check", "--stale"]).exits(1);
        assert!(format!("{}{}", run.stdout, run.stderr).contains("stale"), "{name}: {run:?}");
    }
}

#[test]
fn ignore_files_that_are_links_have_no_rules_and_no_end() {
    for name in [".gitignore", ".ignore", "sub/.gitignore", "sub/.ignore", ".git/info/exclude"] {
        for target in ["/dev/zero", "OUTSIDE", "FIFO", "LARGE"] {
            let place = Place::with_repository(&[]);
            outside(&place);
            fs::write(place.at("outside/rules"), format!("[{WORDS}\n*\n")).unwrap();
            place.write("sub/leak.txt", leak(1));
            let path = place.repo().join(name);
            let _ = fs::remove_file(&path);
            match target {
                "OUTSIDE" => symlink(place.at("outside/rules"), &path).unwrap(),
                "FIFO" => fifo(&path),
                "LARGE" => fs::write(&path, format!("*\n{}", "# rules\n".repeat(600_000))).unwrap(),
                device => symlink(device, &path).unwrap(),
            }
            for root in [".", "sub"] {
                let mut command = place.stanch(&["scan", "--format", "json", "--threads", "1", root]);
                let report = Run::of(bounded(&mut command, Bound::Memory, 1 << 30)).exits(1).report();
                assert_eq!(report.paths(), ["sub/leak.txt"], "{name} {target}");
                let skipped = report.0["skipped"].to_string();
                assert!(skipped.contains("ignore-file") || root == ".", "{name} {target}: {skipped}");
                assert!(!skipped.contains(WORDS), "{skipped}");
            }
        }
    }
}

#[test]
fn names_in_archives_are_names_only() {
    let place = Place::with_repository(&[]);
    let absolute = place.at("outside/absolute.txt").display().to_string();
    let evil = [
        "../outside/up.txt",
        "../../../../../../../../tmp/up.txt",
        absolute.as_str(),
        "a/../../b.txt",
        "C:\\x.txt",
    ];
    let members: Vec<(&str, String)> = evil.iter().zip(1..).map(|(name, seed)| (*name, leak(seed))).collect();
    let members: Vec<(&str, &[u8])> = members.iter().map(|(name, text)| (*name, text.as_bytes())).collect();
    // Links as members, hard and soft, that name the file outside.
    outside(&place);
    let mut raw: Vec<u8> = members.iter().flat_map(|(name, text)| member(name, b'0', "", text)).collect();
    raw.extend(member("hard", b'1', "../outside/file", b""));
    raw.extend(member("soft", b'2', "../outside/file", b""));
    raw.extend([0; 1024]);
    place.write("a.tar", &raw);
    place.write("a.tar.gz", gzip(&raw));
    place.write("a.zip", zipped(&members, zip::CompressionMethod::Deflated));
    place.commit("archives");
    let before = place.tree();
    for args in [&["scan"][..], &["history"], &["history", "--range", "HEAD"]] {
        let run = place.run(&[args, &["--format", "json", "--show-secrets"]].concat()).exits(1);
        assert!(!run.stdout.contains(&github(90)), "{run:?}");
        let mut secrets = run.report().secrets();
        secrets.sort();
        secrets.dedup();
        assert_eq!(secrets.len(), evil.len(), "{args:?}");
    }
    assert_eq!(place.tree(), before);
}

/// A member of a tar file, with any name.
fn member(name: &str, kind: u8, target: &str, content: &[u8]) -> Vec<u8> {
    let mut header = vec![0u8; 512];
    let mut put = |at: usize, text: &[u8]| header[at..at + text.len()].copy_from_slice(text);
    put(0, name.as_bytes());
    put(100, b"0000644\0");
    put(124, format!("{:011o}\0", content.len()).as_bytes());
    put(148, b"        ");
    put(156, &[kind]);
    put(157, target.as_bytes());
    put(257, b"ustar\x0000");
    let sum: u32 = header.iter().map(|&b| u32::from(b)).sum();
    header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    header.extend_from_slice(content);
    header.resize(header.len().next_multiple_of(512), 0);
    header
}
