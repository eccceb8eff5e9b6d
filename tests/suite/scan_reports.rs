//! Where reports of real runs go, and that they are whole: schema, files, pipes, full disks.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;
use stanch::report::SCHEMA;

use super::cli_support::{Run, STANCH, clean, github, password, scan, stanch};
use super::git_support::Sandbox;
use super::report::schema::violations;

/// A folder with something of everything: findings, suppressed ones, what cannot be read, odd names.
fn sample() -> Sandbox {
    let dir = Sandbox::empty();
    dir.write("a.py", format!("db_password = '{}'\ntoken = '{}'\n", password(1), github(1)));
    dir.write("b.py", format!("token = '{}'  # stanch:allow sample\n", github(2)));
    let encoded = data_encoding::BASE64.encode(format!("token={}\n", github(3)).as_bytes());
    dir.write("c \u{202e}.txt", format!("x: {encoded}\n"));
    symlink("nowhere", dir.join("dangling")).unwrap();
    dir
}

fn files(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn real_runs_fit_the_schema() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let repo = Sandbox::new();
    let dir = sample();
    for name in ["a.py", "b.py", "c \u{202e}.txt"] {
        fs::copy(dir.join(name), repo.join(name)).unwrap();
    }
    repo.git(["add", "--all"]);
    let mut runs = 0;
    for more in [&[][..], &["--show-secrets"], &["--show-suppressed", "--verbose"]] {
        for what in [&["."][..], &[".", "dangling"], &["--staged"], &["-"]] {
            let at = if what == ["--staged"] { repo.path() } else { dir.path() };
            let args = [&["scan"], what, more].concat();
            let input = fs::read(dir.join("a.py")).unwrap();
            let json = Run::with_input(stanch(at, &args).args(["--format", "json"]), &input);
            assert!(matches!(json.code, Some(1 | 2)), "{json:?}");
            assert_eq!(violations(&schema, &schema, &json.report().0), [""; 0], "{args:?}");
            let lines = Run::with_input(stanch(at, &args).args(["--format", "jsonl"]), &input);
            assert_eq!(lines.code, json.code);
            let line = &schema["$defs"]["line"];
            for text in lines.stdout.lines() {
                let value: Value = serde_json::from_str(text).unwrap();
                assert_eq!(violations(&schema, line, &value), [""; 0], "{args:?}: {text}");
            }
            // Both say the same.
            let of_lines: Vec<Value> =
                lines.stdout.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
            let (summary, findings) = of_lines.split_last().unwrap();
            assert_eq!(findings, json.report().findings());
            assert_eq!(summary["skipped"], json.report().0["skipped"]);
            runs += 1;
        }
    }
    assert_eq!(runs, 12);
}

#[test]
fn text_says_where_what_how_sure_and_what_to_do_but_not_the_value() {
    let dir = sample();
    let run = Run::of(&mut stanch(dir.path(), ["scan"])).exits(1);
    for part in ["a.py:2", "github-pat", "critical", "high", "ghp_", "Revoke", "1 suppressed"] {
        assert!(run.stdout.to_lowercase().contains(&part.to_lowercase()), "{part}: {}", run.stdout);
    }
    for secret in [github(1), github(3), password(1)] {
        assert!(!run.stdout.contains(&secret[5..]) && !run.stderr.contains(&secret[5..]), "{run:?}");
    }
    assert!(!run.stdout.contains('\u{1b}') && !run.stdout.contains('\u{202e}'), "{:?}", run.stdout);
    let shown = Run::of(&mut stanch(dir.path(), ["scan", "--show-secrets"])).exits(1).stdout;
    assert!(shown.contains(&github(1)) && shown.contains(&password(1)));
    // Colours: on request, by variable, never against NO_COLOR.
    let colored = |args: &[&str], name: &str| {
        Run::of(stanch(dir.path(), ["scan"]).args(args).env(name, "1")).stdout.contains('\u{1b}')
    };
    assert!(colored(&["--color", "always"], "X"));
    assert!(colored(&[], "CLICOLOR_FORCE"));
    assert!(!colored(&["--color", "never"], "CLICOLOR_FORCE"));
    assert!(!colored(&[], "NO_COLOR"));
}

#[test]
fn no_format_shows_a_value_unless_asked_for() {
    let dir = sample();
    let encoded = data_encoding::BASE64.encode(format!("token={}\n", github(3)).as_bytes());
    for format in stanch::report::Format::ALL {
        let run = Run::of(
            stanch(dir.path(), ["scan", "--verbose", "--show-suppressed", "--format"]).arg(format.name()),
        );
        assert_eq!(run.code, Some(1), "{run:?}");
        for secret in [github(1), github(2), github(3), password(1), encoded.clone()] {
            let all = format!("{}{}", run.stdout, run.stderr);
            assert!(!all.contains(&secret[5..15]), "{}", format.name());
        }
    }
}

#[test]
fn several_reports_each_in_its_place() {
    let dir = sample();
    let args =
        ["scan", "a.py", "--format", "json=out/r.json", "--format", "sarif=out/r.sarif", "--format", "text"];
    fs::create_dir(dir.join("out")).unwrap();
    let run = Run::of(&mut stanch(dir.path(), args)).exits(1);
    assert!(run.stdout.contains("a.py:2"));
    let json: Value = serde_json::from_slice(&fs::read(dir.join("out/r.json")).unwrap()).unwrap();
    assert_eq!(json["findings"].as_array().unwrap().len(), 2);
    assert!(fs::read_to_string(dir.join("out/r.sarif")).unwrap().contains("\"2.1.0\""));
    assert_eq!(files(&dir.join("out")), ["r.json", "r.sarif"]);
    // One format and a file.
    Run::of(&mut stanch(dir.path(), ["scan", "a.py", "--format", "json", "--output", "out/o.json"])).exits(1);
    assert!(fs::read_to_string(dir.join("out/o.json")).unwrap().contains("\"findings\""));
    Run::of(&mut stanch(dir.path(), ["scan", "a.py", "-o", "out/o.txt"])).exits(1);
    assert!(fs::read_to_string(dir.join("out/o.txt")).unwrap().contains("a.py:2"));
    // `-` is standard output, as it is standard input.
    let run = Run::of(&mut stanch(dir.path(), ["scan", "a.py", "--format", "json=-"])).exits(1);
    assert!(run.stdout.contains("\"findings\"") && !dir.join("-").exists(), "{run:?}");
}

#[test]
fn two_reports_for_one_place_are_refused_before_the_scan() {
    let dir = sample();
    let before = files(dir.path());
    for args in [
        &["--format", "json", "--format", "sarif"][..],
        &["--format", "json=x", "--format", "sarif=x"],
        &["--format", "json=x", "--format", "sarif=./x"],
        &["--format", "json", "--output", "x", "--format", "text=x"],
        &["--format", "json=-", "--format", "text"],
        &["--format", "json="],
        &["--output", ""],
    ] {
        let run = Run::of(stanch(dir.path(), ["scan"]).args(args)).exits(2);
        assert!(run.stdout.is_empty() && run.stderr.contains("error"), "{args:?}: {run:?}");
        assert_eq!(files(dir.path()), before, "{args:?}");
    }
}

#[test]
fn files_are_replaced_whole_or_not_at_all() {
    let dir = sample();
    let out = Sandbox::empty();
    out.write("r.json", "old");
    fs::set_permissions(out.join("r.json"), fs::Permissions::from_mode(0o644)).unwrap();
    let target = format!("json={}", out.join("r.json").display());
    let inode = |path: &Path| std::os::unix::fs::MetadataExt::ino(&fs::metadata(path).unwrap());
    let before = inode(&out.join("r.json"));
    let open = fs::File::open(out.join("r.json")).unwrap();
    Run::of(&mut stanch(dir.path(), ["scan", "--format", &target])).exits(1);
    assert_eq!(std::io::read_to_string(open).unwrap(), "old", "a reader of the old report keeps it");
    assert_ne!(inode(&out.join("r.json")), before);
    assert_eq!(files(out.path()), ["r.json"], "no temporary file stays");
    // A run that fails leaves the old report.
    out.write("r.json", "old");
    dir.write(".stanch.toml", "nonsense");
    Run::of(&mut stanch(dir.path(), ["scan", "--format", &target])).exits(2);
    assert_eq!(fs::read_to_string(out.join("r.json")).unwrap(), "old");
    fs::remove_file(dir.join(".stanch.toml")).unwrap();
    // A link is written through, and stays a link.
    symlink("r.json", out.join("link")).unwrap();
    let link = format!("json={}", out.join("link").display());
    Run::of(&mut stanch(dir.path(), ["scan", "--format", &link])).exits(1);
    assert!(fs::symlink_metadata(out.join("link")).unwrap().is_symlink());
    assert!(fs::read_to_string(out.join("r.json")).unwrap().contains("findings"));
}

#[test]
fn places_that_cannot_be_written() {
    let dir = sample();
    dir.write("file", "x");
    fs::create_dir(dir.join("folder")).unwrap();
    for place in ["nowhere/r.json", "file/r.json", "folder", "/dev/full", "/proc/r.json"] {
        let run = Run::of(&mut stanch(
            dir.path(),
            ["scan", "a.py", "--format", &format!("json={place}"), "--format", "text"],
        ));
        assert_eq!(run.code, Some(2), "{place}: {run:?}");
        assert!(run.stderr.contains(place), "{place}: {run:?}");
        assert!(run.stdout.contains("a.py:2"), "{place}: the other report is written all the same: {run:?}");
        // When nothing else says what was found, standard error does.
        let only =
            Run::of(stanch(dir.path(), ["scan", "a.py", "--show-secrets", "--output"]).arg(place)).exits(2);
        assert!(only.stderr.contains("a.py:2") && only.stderr.contains(place), "{place}: {only:?}");
        assert!(!only.stderr.contains(&github(1)), "{place}: {only:?}");
    }
    // Clean or not, a report that could not be written is an error.
    dir.write("clean.txt", "clean\n");
    Run::of(&mut stanch(dir.path(), ["scan", "clean.txt", "--output", "nowhere/r.json"])).exits(2);
    Run::of(&mut stanch(dir.path(), ["scan", "clean.txt", "--allow-incomplete", "--output", "/dev/full"]))
        .exits(2);
}

#[test]
fn a_full_disk_on_standard_output() {
    let dir = sample();
    for format in stanch::report::Format::ALL {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut command = stanch(dir.path(), ["scan", "--format", format.name()]);
        let child = command.stdout(full).stderr(Stdio::piped()).spawn().unwrap();
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{}: {stderr}", format.name());
        assert!(
            stderr.contains("standard output") && stderr.contains("space"),
            "{}: {stderr}",
            format.name()
        );
    }
    for args in [&["--help"][..], &["--version"], &["scan", "--help"], &["man"], &["completions", "bash"]] {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = stanch(dir.path(), args).stdout(full).stderr(Stdio::piped()).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {output:?}");
    }
}

#[test]
fn exit_codes_speak_when_nobody_listens() {
    let dir = sample();
    for (redirect, args, code) in [
        (">&-", "a.py", 1),
        ("2>&-", "a.py missing", 2),
        ("2>/dev/full", "a.py missing", 2),
        ("2>/dev/full", "--config nowhere.toml", 2),
        ("2>/dev/full", "--nonsense", 2),
        (">/dev/full 2>/dev/full", "a.py", 2),
    ] {
        let script = format!("exec '{STANCH}' scan {args} {redirect}");
        let run = Run::of(clean("sh", dir.path()).args(["-c", &script]));
        assert_eq!(run.code, Some(code), "{script}: {run:?}");
    }
}

#[test]
fn a_broken_pipe_is_not_an_error() {
    let dir = Sandbox::empty();
    for i in 0..3000 {
        dir.write(&format!("{}/{i}.txt", i % 50), format!("token = '{}'\n", github(i)));
    }
    for format in ["text", "json", "jsonl", "sarif", "csv"] {
        let script =
            format!("{{ '{STANCH}' scan --format {format}; echo $? >code; }} | head -c 100 >/dev/null");
        let run = Run::of(clean("sh", dir.path()).args(["-c", &script]));
        assert_eq!(run.stderr, "", "{format}");
        assert_eq!(fs::read_to_string(dir.join("code")).unwrap().trim(), "1", "{format}");
    }
    // Commands that print line by line, too.
    for command in ["man", "completions bash", "rules list", "baseline check"] {
        let script = format!("{{ '{STANCH}' {command}; echo $? >code; }} 2>err | true; cat err");
        let run = Run::of(clean("sh", dir.path()).args(["-c", &script]));
        assert!(!run.stdout.contains("a bug") && !run.stdout.contains("pipe"), "{command}: {run:?}");
    }
    // To a named pipe whose reader leaves, too.
    let script = format!("mkfifo pipe; head -c 100 pipe >/dev/null & '{STANCH}' scan 0 --format json=pipe");
    let run = Run::of(clean("sh", dir.path()).args(["-c", &script]));
    assert_eq!((run.code, run.stderr.as_str()), (Some(1), ""));
}

#[test]
fn reports_into_pipes_and_devices() {
    let dir = sample();
    let run = Run::of(&mut stanch(dir.path(), ["scan", "a.py", "--format", "json=/dev/stdout"])).exits(1);
    assert!(run.report().findings().len() == 2);
    Run::of(&mut stanch(dir.path(), ["scan", "a.py", "--format", "json=/dev/null"])).exits(1);
    let run = Run::of(&mut stanch(dir.path(), ["scan", "a.py", "--format", "json=/dev/stderr"])).exits(1);
    assert!(run.stderr.contains("\"findings\""), "{run:?}");
    // The open file of a shell's redirection is written to, not replaced; nor is the link that leads to it.
    for (fd, redirect) in [("1", ">"), ("2", "2>"), ("3", "3>")] {
        let script = format!("exec '{STANCH}' scan a.py --format json=/proc/self/fd/{fd} {redirect}out.json");
        let run = Run::of(clean("sh", dir.path()).args(["-c", &script])).exits(1);
        let text = fs::read_to_string(dir.join("out.json")).unwrap();
        let report: Value = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text} {run:?}"));
        assert_eq!(report["findings"].as_array().unwrap().len(), 2);
    }
    let links = ["out", "out2"].map(|name| dir.join(name));
    symlink("/proc/self/fd/1", &links[0]).unwrap();
    symlink("out", &links[1]).unwrap();
    for link in &links {
        let script = format!("exec '{STANCH}' scan a.py --format json={} >out.json", link.display());
        Run::of(clean("sh", dir.path()).args(["-c", &script])).exits(1);
        assert!(fs::read_to_string(dir.join("out.json")).unwrap().contains("\"findings\""));
        assert!(fs::symlink_metadata(link).unwrap().is_symlink());
    }
    let run = Run::of(&mut stanch(dir.path(), ["scan", "--format", "json=out", "--format", "text"])).exits(2);
    assert!(run.stderr.contains("same place"), "{run:?}");
}

#[test]
fn files_with_whole_secrets_are_for_their_owner() {
    let dir = sample();
    let mode = |name: &str| fs::metadata(dir.join(name)).unwrap().permissions().mode() & 0o777;
    let report = |name: &str, more: &[&str]| {
        let target = format!("json={name}");
        Run::of(stanch(dir.path(), ["scan", "a.py", "--format", &target]).args(more)).exits(1);
    };
    report("open.json", &[]);
    assert_eq!(mode("open.json") & 0o600, 0o600);
    report("whole.json", &["--show-secrets"]);
    assert_eq!(mode("whole.json"), 0o600);
    // Whoever closed a file to others keeps it closed.
    fs::set_permissions(dir.join("open.json"), fs::Permissions::from_mode(0o640)).unwrap();
    report("open.json", &[]);
    assert_eq!(mode("open.json") & 0o007, 0);
}

#[test]
fn a_report_in_the_scanned_folder_is_not_its_own_input() {
    let dir = sample();
    let args = ["scan", ".", "--format", "json=report.json", "--show-secrets"];
    Run::of(&mut stanch(dir.path(), args)).exits(1);
    let first = scan(dir.path(), ["a.py"]).exits(1).report();
    assert_eq!(first.findings().len(), 2);
    let text = fs::read_to_string(dir.join("report.json")).unwrap();
    assert!(!text.contains(".stanch-"), "{text}");
}

#[test]
fn quiet_says_nothing_but_findings() {
    let dir = sample();
    dir.write("clean.txt", "clean\n");
    let run = Run::of(&mut stanch(dir.path(), ["scan", "clean.txt", "--quiet"])).exits(0);
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""));
    assert!(Run::of(&mut stanch(dir.path(), ["scan", "a.py", "--quiet"])).exits(1).stdout.contains("a.py:2"));
    let run = Run::of(&mut stanch(dir.path(), ["scan", "missing", "--quiet"])).exits(2);
    assert!((run.stdout + &run.stderr).contains("missing"));
}
