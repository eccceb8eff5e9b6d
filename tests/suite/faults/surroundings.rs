//! Surroundings that lack something: no terminal, no standard files, few descriptors, no time, another encoding.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;

use super::*;
use crate::archive_support::{gzip, tar};
use crate::cli_support::{STANCH, clean};

#[test]
fn closed_standard_files_and_pipes_in_every_mode() {
    let repo = repository();
    let commands: [(&str, i32); 9] = [
        ("scan", 1),
        ("scan --staged", 1),
        ("history", 1),
        ("history --range HEAD~3..HEAD", 1),
        ("scan -", 2),
        ("baseline check", 2),
        ("config show", 0),
        ("rules list", 0),
        ("explain d1/a.txt:2", 0),
    ];
    for (args, code) in commands {
        for redirect in [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-", "<&- 2>&-"] {
            // A closed standard input is not an empty one, as `/dev/null` is.
            let redirect = if args == "scan -" { format!("<&- {redirect}") } else { redirect.to_owned() };
            let run =
                Run::of(clean("sh", repo.path()).args(["-c", &format!("exec '{STANCH}' {args} {redirect}")]));
            assert_eq!(run.code, Some(code), "{args} {redirect}: {run:?}");
        }
    }
    // What is written to a closed file does not end up in another one, such as a report.
    let script = format!("exec '{STANCH}' history --stats --format json=r.json --format text >&- 2>&-");
    Run::of(clean("sh", repo.path()).args(["-c", &script])).exits(1);
    let report = report_in(&repo.join("r.json")).unwrap();
    assert_eq!(report["findings"].as_array().unwrap().len(), 5);
    for format in formats() {
        for args in ["history", "history --range HEAD", "scan --staged"] {
            let script = format!("{{ '{STANCH}' {args} --format {format}; echo $? >code; }} | true");
            let run = Run::of(clean("sh", repo.path()).args(["-c", &script]));
            assert_eq!(run.stderr, "", "{args} {format}");
            assert_eq!(fs::read_to_string(repo.join("code")).unwrap().trim(), "1", "{args} {format}");
        }
    }
}

#[test]
fn no_terminal_and_no_session_change_nothing() {
    let repo = repository();
    for args in SCANS.iter().map(|(args, _)| *args).chain([
        &["audit"][..],
        &["audit", "--history"],
        &["baseline", "update"],
    ]) {
        let mut command = stanch(repo.path(), args);
        // SAFETY: setsid may be called between fork and exec.
        unsafe {
            command.pre_exec(|| {
                libc::setsid();
                Ok(())
            });
        }
        command.env_remove("TERM").env_remove("HOME");
        let run = Run::of(&mut command);
        assert!(matches!(run.code, Some(0 | 1)), "{args:?}: {run:?}");
        assert!(!run.stdout.contains('\u{1b}') && !run.stderr.contains('\u{1b}'), "{args:?}: {run:?}");
    }
}

/// What is found with few descriptors is what is found with many; where they do not suffice, that is said.
#[test]
fn few_file_descriptors() {
    let repo = Sandbox::new();
    let mut seed = 0..;
    let mut token = || format!("token = '{}'\n", github(seed.next().unwrap()));
    // Many packs, deep and wide folders, many archives.
    for i in 0..100 {
        repo.write(&format!("p{i}.txt"), token());
        repo.git(["add", "--all"]);
        repo.git(["commit", "-q", "-m", "x"]);
        repo.git(["repack", "-q", "-d"]);
    }
    repo.write(&format!("{}deep.txt", "d/".repeat(90)), token());
    for i in 0..100 {
        let text = token();
        repo.write(&format!("w{i}/{i}.tar.gz"), gzip(&tar(&[("a/b.txt", text.as_bytes())])));
    }
    repo.commit("archives");
    for args in [
        &["scan", "--threads", "16"][..],
        &["history", "--threads", "16"],
        &["history", "--range", "HEAD", "--threads", "16"],
    ] {
        let args = joined(&[args, &["--format", "json"]]);
        let plain = Run::of(&mut stanch(repo.path(), &args)).exits(1).report();
        assert!(plain.findings().len() > 200, "{}", plain.findings().len());
        for files in [64, 24, 12] {
            let run = Run::of(bounded(&mut stanch(repo.path(), &args), Bound::OpenFiles, files));
            match run.code {
                Some(1) => {
                    assert_eq!(run.report().0["findings"], plain.0["findings"], "{args:?}, {files} files")
                }
                Some(2) if files < 64 && run.stdout.is_empty() => {
                    assert!(run.stderr.contains("error"), "{run:?}")
                }
                Some(2) if files < 64 => assert!(run.report().incomplete(), "{args:?}"),
                _ => panic!("{args:?}, {files} files: {:?} {}", run.code, run.stderr),
            }
        }
    }
}

#[test]
fn other_locales_and_names_that_are_no_text() {
    let repo = repository();
    let name = OsStr::from_bytes(b"caf\xe9\xff");
    fs::create_dir(repo.path().join(name)).unwrap();
    fs::write(
        repo.path().join(name).join(OsStr::from_bytes(b"\x80.txt")),
        format!("token = '{}'\n", github(70)),
    )
    .unwrap();
    let with = |locale: Option<&str>, args: &[&OsStr]| {
        let mut command = stanch(repo.path(), args);
        command.env_remove("LC_ALL").env_remove("LANG");
        if let Some(locale) = locale {
            command.env("LC_ALL", locale).env("LANG", locale);
        }
        Run::of(&mut command)
    };
    let of =
        |args: &[&'static str]| -> Vec<&'static OsStr> { args.iter().map(|&arg| OsStr::new(arg)).collect() };
    let stable = |run: Run| {
        let report = run.report().0;
        (report["findings"].clone(), report["skipped"].clone())
    };
    let expected = stable(with(Some("C.UTF-8"), &of(&["scan", "--format", "json"])).exits(1));
    assert_eq!(expected.0.as_array().unwrap().len(), 5);
    for locale in
        [None, Some("C"), Some("POSIX"), Some("de_DE.ISO-8859-1"), Some("ja_JP.eucJP"), Some("nonsense")]
    {
        assert_eq!(stable(with(locale, &of(&["scan", "--format", "json"]))), expected, "{locale:?}");
        let text = with(locale, &of(&["scan"]));
        assert!(text.code == Some(1) && text.stdout.contains("caf"), "{locale:?}: {text:?}");
    }
    // Arguments of any bytes.
    let run = with(None, &[of(&["scan", "--format", "json"]), vec![name]].concat()).exits(1);
    assert_eq!(run.report().findings().len(), 1);
    let output = OsStr::from_bytes(b"re\xfeport.json");
    with(None, &[of(&["scan", "--format", "json", "--output"]), vec![output]].concat()).exits(1);
    assert!(report_in(&repo.path().join(output)).is_some());
    let cache = OsStr::from_bytes(b"ca\xfeche");
    with(None, &[of(&["history", "--cache"]), vec![cache]].concat()).exits(1);
    assert_eq!(names(&repo.path().join(cache)).len(), 1);
    // Where text is asked for, other bytes are a mistake, and shown without harm.
    for option in
        ["--config", "--baseline", "--format", "--rule", "--policy-rev", "--min-confidence", "--nonsense"]
    {
        let run = with(
            None,
            &[of(&["scan"]), vec![OsStr::new(option), OsStr::from_bytes(b"\xff\x1b[31m")]].concat(),
        )
        .exits(2);
        assert!(!run.stderr.contains("\u{1b}[31m"), "{option}: {run:?}");
    }
    with(None, &[of(&["history", "--range"]), vec![OsStr::from_bytes(b"\xff..HEAD")]].concat()).exits(2);
    with(None, &[of(&["explain"]), vec![OsStr::from_bytes(b"\xff:1")]].concat()).exits(2);
    // A repository in a folder of such a name, and a home of such a name.
    let moved = Sandbox::empty();
    let place = moved.path().join(OsStr::from_bytes(b"wo\xe9rk"));
    fs::create_dir(&place).unwrap();
    let mut from: OsString = repo.path().into();
    from.push("/.git");
    assert!(
        clean("cp", moved.path())
            .args([OsStr::new("-r"), &from, place.as_os_str()])
            .status()
            .unwrap()
            .success()
    );
    for args in [&["history", "--format", "json"][..], &["scan", "--staged", "--format", "json"]] {
        let run = Run::of(stanch(&place, args).env("HOME", &place)).exits(1);
        assert!(!run.report().findings().is_empty());
    }
    Run::of(stanch(&place, ["hook", "install"]).env("HOME", &place)).exits(0);
    Run::of(stanch(&place, ["baseline", "update", "--history"]).env("HOME", &place)).exits(0);
    assert!(place.join(".stanch-baseline.toml").exists());
}

/// A library that makes the clock show a time. None where there is no C compiler, or the program is static.
fn clock(folder: &Sandbox, seconds: i64) -> Option<PathBuf> {
    if cfg!(not(all(target_os = "linux", target_env = "gnu"))) {
        return None;
    }
    folder.write(
        "clock.c",
        format!(
            "#include <time.h>\n#include <sys/time.h>\n#include <unistd.h>\n#include <sys/syscall.h>\n\
         int clock_gettime(clockid_t id, struct timespec *t) {{\n\
           if (id == CLOCK_REALTIME) {{ t->tv_sec = {seconds}L; t->tv_nsec = 5; return 0; }}\n\
           return syscall(SYS_clock_gettime, id, t);\n}}\n\
         time_t time(time_t *t) {{ if (t) *t = {seconds}L; return {seconds}L; }}\n"
        ),
    );
    let library = folder.join(&format!("clock{seconds}.so"));
    let mut command = clean("cc", folder.path());
    command.args(["-shared", "-fPIC", "-o"]).arg(&library).arg("clock.c");
    command.status().ok().filter(std::process::ExitStatus::success)?;
    Some(library)
}

#[test]
fn clocks_that_are_wrong() {
    let repo = repository();
    let tools = Sandbox::empty();
    let plain = Run::of(&mut stanch(repo.path(), ["history", "--format", "json"])).exits(1).report();
    let far = [
        0,
        1,
        -1,
        -10_000_000_000,
        4_102_444_800,
        253_402_300_799,
        253_402_300_800,
        i64::MAX / 2,
        i64::MIN / 2,
    ];
    for seconds in far {
        let Some(clock) = clock(&tools, seconds) else { return };
        let at = |args: &[&str]| Run::of(stanch(repo.path(), args).env("LD_PRELOAD", &clock));
        for (args, count) in SCANS {
            let run = at(&joined(&[args, &["--format", "json"]])).exits(1);
            assert_eq!(run.report().findings().len(), *count, "{args:?} at {seconds}");
        }
        for format in formats() {
            at(&["history", "--format", format]).exits(1);
        }
        let report = at(&["history", "--format", "json"]).exits(1).report();
        let values = |report: &crate::cli_support::Report| {
            let one = |f: &Value| (f["fingerprint"].clone(), f["commit"].clone(), f["path"].clone());
            report.findings().iter().map(one).collect::<Vec<_>>()
        };
        assert_eq!(values(&report), values(&plain), "at {seconds}");
        // The clock was looked at, and was the wrong one.
        if (0..253_402_300_799).contains(&seconds) {
            let started = report.0["summary"]["started"].to_string();
            let year = if seconds < 2 { "1970" } else { "2100" };
            assert!(started.contains(year), "{started} at {seconds}");
        }
        for (args, codes) in [
            (&["history", "--since", "2 weeks"][..], &[0, 1, 2][..]),
            (&["baseline", "update", "--history"], &[0]),
            (&["scan"], &[0]),
            (&["baseline", "check"], &[1]),
            (&["audit", "--plain"], &[0, 1]),
            (&["explain", "d1/a.txt:2"], &[0]),
            (&["config", "show"], &[0]),
        ] {
            let run = at(args);
            assert!(codes.contains(&run.code.unwrap()), "{args:?} at {seconds}: {run:?}");
        }
        fs::remove_file(repo.join(".stanch-baseline.toml")).unwrap();
    }
}
