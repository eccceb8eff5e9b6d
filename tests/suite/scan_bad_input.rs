//! What cannot be read, or not whole: a clear error or a listed skip with its reason, exit code 2, nothing lost
//! of what was found, never a panic, never a silent "clean".

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt;
use std::path::Path;

use super::cli_support::{Report, Run, clean, fifo, github, scan, scan_input, stanch};
use super::git_support::Sandbox;

fn leak(seed: u64) -> String {
    format!("token = \"{}\"\n", github(seed))
}

/// A folder that holds a file with a secret: whatever else is wrong, it must be reported.
fn with_leak() -> Sandbox {
    let dir = Sandbox::empty();
    dir.write("leak.txt", leak(1));
    dir
}

/// Scans the folder; the run must be incomplete for this reason, and the secret must be reported.
#[track_caller]
fn incomplete<A: AsRef<OsStr>>(dir: &Sandbox, args: impl IntoIterator<Item = A>, skipped: &[&str]) -> Report {
    let report = scan(dir.path(), args).exits(2).report();
    assert!(report.incomplete());
    assert_eq!(report.skipped(), skipped);
    assert_eq!(report.paths(), ["leak.txt"], "what was found must not be lost");
    report
}

#[test]
fn missing_roots_of_every_kind() {
    let dir = with_leak();
    symlink("nowhere", dir.join("dangling")).unwrap();
    symlink("loop", dir.join("loop")).unwrap();
    incomplete(&dir, [".", "missing"], &["missing not-found"]);
    incomplete(&dir, [".", "missing/deep/er"], &["missing/deep/er not-found"]);
    incomplete(&dir, [".", "leak.txt/below"], &["leak.txt/below read-error"]);
    // Found on the way they lead nowhere; named they were asked for.
    incomplete(&dir, [".", "dangling"], &["dangling not-found"]);
    incomplete(&dir, [".", "loop"], &["loop link-loop"]);
    let long = "n".repeat(300);
    incomplete(&dir, [".", &long], &[&format!("{long} read-error")]);
    let report = scan(dir.path(), ["missing", "dangling"]).exits(2).report();
    assert_eq!(report.skipped(), ["dangling not-found", "missing not-found"]);
    let text = Run::of(&mut stanch(dir.path(), ["scan", "missing"])).exits(2);
    assert!(!text.stdout.contains("No secrets found") && text.stdout.contains("missing"), "{text:?}");
    // An empty name is no folder.
    scan(dir.path(), [""]).exits(2);
}

#[test]
fn pipes_sockets_and_devices() {
    let dir = with_leak();
    fifo(&dir.join("pipe"));
    let _socket = UnixListener::bind(dir.join("socket")).unwrap();
    // Found on the way they are no files, and listed; nobody waits for them.
    let report = scan(dir.path(), ["."]).exits(1).report();
    assert_eq!(report.skipped(), ["pipe not-a-file", "socket not-a-file"]);
    assert!(!report.incomplete());
    for name in ["pipe", "socket"] {
        incomplete(&dir, ["leak.txt", name], &[&format!("{name} not-a-file")]);
    }
    incomplete(&dir, ["leak.txt", "/dev/null"], &["/dev/null not-a-file"]);
    incomplete(&dir, ["leak.txt", "/dev/zero"], &["/dev/zero not-a-file"]);
    symlink("pipe", dir.join("to-pipe")).unwrap();
    symlink("/dev/zero", dir.join("to-device")).unwrap();
    for name in ["to-pipe", "to-device"] {
        incomplete(&dir, ["leak.txt", name], &[&format!("{name} not-a-file")]);
    }
}

/// A user without rights, if the tests run as one who may become another.
const NOBODY: u32 = 65534;

/// `stanch scan ARGS` as a user without rights; None where that cannot be done.
fn as_nobody(dir: &Path, args: &[&str]) -> Option<Run> {
    // SAFETY: asks for nothing but a number.
    if unsafe { libc::geteuid() } != 0 {
        return Some(Run::of(stanch(dir, ["scan", "--format", "json"]).args(args)));
    }
    // The program may lie in a folder that others cannot enter.
    let place = Sandbox::empty();
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let program = place.join("stanch");
    fs::copy(super::cli_support::STANCH, &program).unwrap();
    let mut command = clean(&program, dir);
    command.args(["scan", "--format", "json"]).args(args).uid(NOBODY).gid(NOBODY).env("HOME", "/");
    // A process that another test forks meanwhile holds the copy open for an instant.
    let mut ran = command.output();
    for _ in 0..100 {
        if !matches!(&ran, Err(error) if error.kind() == std::io::ErrorKind::ExecutableFileBusy) {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
        ran = command.output();
    }
    match ran {
        Err(error) => {
            eprintln!("skipped: cannot run as another user: {error}");
            None
        }
        Ok(_) => Some(Run::of(&mut command)),
    }
}

#[test]
fn what_the_user_may_not_read() {
    let dir = with_leak();
    dir.write("closed/inside.txt", leak(2));
    dir.write("secret.txt", leak(3));
    dir.write("listed-only/inside.txt", leak(4));
    for (path, mode) in [("", 0o755), ("secret.txt", 0), ("closed", 0), ("listed-only", 0o644)] {
        fs::set_permissions(dir.join(path), fs::Permissions::from_mode(mode)).unwrap();
    }
    let expected = |report: &Report| {
        assert_eq!(report.paths(), ["leak.txt"]);
        assert!(report.incomplete());
    };
    let Some(run) = as_nobody(dir.path(), &["."]) else { return };
    let report = run.exits(2).report();
    expected(&report);
    assert_eq!(
        report.skipped(),
        [
            "closed permission-denied",
            "listed-only/inside.txt permission-denied",
            "secret.txt permission-denied"
        ]
    );
    let named = as_nobody(dir.path(), &["leak.txt", "secret.txt", "closed/inside.txt"]).unwrap();
    let report = named.exits(2).report();
    expected(&report);
    assert_eq!(report.skipped(), ["closed/inside.txt permission-denied", "secret.txt permission-denied"]);
    for path in ["closed", "listed-only"] {
        fs::set_permissions(dir.join(path), fs::Permissions::from_mode(0o755)).unwrap();
    }
}

#[test]
fn an_ignore_file_that_cannot_be_read_hides_nothing() {
    let dir = with_leak();
    dir.write(".git/HEAD", "ref: refs/heads/main\n");
    // What cannot be understood is no reason to leave a file out.
    dir.write(".gitignore", "[z-a\n***[\n\\\n");
    assert_eq!(scan(dir.path(), ["."]).exits(1).report().paths(), ["leak.txt"]);
    fs::remove_file(dir.join(".gitignore")).unwrap();
    fs::create_dir(dir.join(".gitignore")).unwrap();
    assert_eq!(scan(dir.path(), ["."]).report().paths(), ["leak.txt"]);
    fs::remove_dir(dir.join(".gitignore")).unwrap();
    fs::write(dir.join(".gitignore"), b"\xff\xfe\x00*\n").unwrap();
    assert_eq!(scan(dir.path(), ["."]).report().paths(), ["leak.txt"]);
}

#[test]
fn names_and_content_of_any_bytes() {
    let dir = Sandbox::empty();
    let name = OsStr::from_bytes(b"caf\xe9\n\x1b]0;owned\x07\xff.txt");
    let mut content = b"\xff\xfe\xfd broken \xc3( text\n\x80\x81 ".to_vec();
    content.extend_from_slice(leak(1).as_bytes());
    content.extend_from_slice(b"\xf0\x9f tail");
    fs::write(dir.path().join(name), &content).unwrap();
    let report = scan(dir.path(), ["."]).exits(1).report();
    assert_eq!(report.findings().len(), 1);
    assert_eq!((&report.findings()[0]["line"], &report.findings()[0]["column"]), (&2.into(), &13.into()));
    let encoded = report.findings()[0]["path_base64"].as_str().unwrap();
    assert_eq!(data_encoding::BASE64.decode(encoded.as_bytes()).unwrap(), name.as_bytes());
    for format in ["text", "jsonl", "sarif", "github", "csv", "html", "junit", "markdown"] {
        let run = Run::of(stanch(dir.path(), ["scan", "--color", "never", "--format"]).arg(format)).exits(1);
        assert!(!run.stdout.contains(['\u{1b}', '\u{7}']), "{format}: {run:?}");
    }
    // As a root, and with a folder of such a name.
    assert_eq!(Run::of(stanch(dir.path(), ["scan"]).arg(name)).code, Some(1));
    fs::create_dir(dir.path().join(OsStr::from_bytes(b"\xfe"))).unwrap();
    fs::write(dir.path().join(OsStr::from_bytes(b"\xfe/x")), leak(2)).unwrap();
    assert_eq!(scan(dir.path(), ["."]).exits(1).report().findings().len(), 2);
}

#[test]
fn files_that_shrink_grow_and_vanish_while_they_are_read() {
    use std::sync::atomic::{AtomicBool, Ordering};
    let dir = with_leak();
    let (stop, path) = (AtomicBool::new(false), dir.join("moving.txt"));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let long = "harmless words\n".repeat(700_000);
            while !stop.load(Ordering::Relaxed) {
                for len in [long.len(), 10, long.len() / 2, 0] {
                    let _ = fs::OpenOptions::new().write(true).create(true).truncate(false).open(&path).map(
                        |file| {
                            let _ = file.set_len(len as u64);
                            let _ = std::io::Write::write_all(&mut &file, &long.as_bytes()[..len]);
                        },
                    );
                }
                let _ = fs::remove_file(&path);
            }
        });
        for _ in 0..12 {
            let run = scan(dir.path(), ["."]);
            let report = run.report();
            assert_eq!(report.paths(), ["leak.txt"]);
            let skips = report.skipped();
            assert!(skips.is_empty() || skips == ["moving.txt not-found"], "{skips:?}");
            assert_eq!(run.code, Some(if skips.is_empty() { 1 } else { 2 }));
        }
        stop.store(true, Ordering::Relaxed);
    });
}

#[test]
fn a_rule_with_a_bad_or_too_large_expression() {
    let dir = with_leak();
    let large = r"(?:[\pL\pN]{1,200}){1,200}x";
    for (regex, word) in [
        ("corp_[a-z", "regex"),
        ("corp_(?P<a>", "regex"),
        (large, "large"),
        ("a*", "empty"),
        (r"(a)\1", "backreference"),
        ("(?=a)b", "look-around"),
    ] {
        dir.write(
            ".stanch.toml",
            format!("[[rules]]\nid = 'mine'\ndescription = 'x'\nregex = '''{regex}'''\n"),
        );
        let run = Run::of(&mut stanch(dir.path(), ["scan"]));
        assert_eq!(run.code, Some(2), "{regex}: {run:?}");
        let told = run.stderr.to_lowercase();
        assert!(told.contains(".stanch.toml:4:") && run.stdout.is_empty(), "{regex}: {run:?}");
        assert!(told.contains(word) || told.contains("regex"), "{word}: {run:?}");
    }
    for (config, place) in [
        ("[[rules]]\nid = 3\n", ":2:"),
        ("[scan]\nexclud = ['a']\n", ":2:"),
        ("[[rules]\n", ":1:"),
        ("\u{0}", ":1:"),
        ("[[allowlists]]\nregexes = ['(']\n", ":2:"),
        ("[scan]\nexclude = [3]\n", ":2:"),
    ] {
        dir.write(".stanch.toml", config);
        let run = Run::of(&mut stanch(dir.path(), ["scan"]));
        assert_eq!(run.code, Some(2), "{config}: {run:?}");
        assert!(run.stderr.contains(&format!(".stanch.toml{place}")) && run.stdout.is_empty(), "{run:?}");
    }
    fs::write(dir.join(".stanch.toml"), b"[scan]\n# \xff\n").unwrap();
    let run = Run::of(&mut stanch(dir.path(), ["scan"])).exits(2);
    assert!(run.stderr.contains(".stanch.toml"), "{run:?}");
    fs::remove_file(dir.join(".stanch.toml")).unwrap();
    fs::create_dir(dir.join(".stanch.toml")).unwrap();
    Run::of(&mut stanch(dir.path(), ["scan"])).exits(2);
    Run::of(&mut stanch(dir.path(), ["scan", "--config", "nowhere.toml"])).exits(2);
}

#[test]
fn nul_filled_and_binary_files() {
    let dir = with_leak();
    dir.write("zero.bin", vec![0; 9 << 20]);
    let mut data = vec![0; 5 << 20];
    data.extend_from_slice(leak(2).as_bytes());
    data.extend_from_slice(&vec![0; 5 << 20]);
    dir.write("blob.bin", &data);
    let report = scan(dir.path(), ["."]).exits(1).report();
    assert_eq!(report.paths(), ["blob.bin", "leak.txt"], "a token in binary data counts");
    assert_eq!(report.skipped(), [""; 0]);
    assert_eq!(scan_input(dir.path(), &data).exits(1).report().findings().len(), 1);
}

#[test]
fn damaged_containers_are_skips_not_panics() {
    let dir = with_leak();
    dir.write("cut.zip", b"PK\x03\x04\x14\x00\x00\x00\x08\x00");
    dir.write("cut.gz", b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x4b");
    dir.write("cut.xz", b"\xfd7zXZ\x00\x00\x04");
    dir.write("cut.bz2", b"BZh91AY&SY\x00");
    dir.write("cut.zst", b"\x28\xb5\x2f\xfd\x04");
    dir.write("cut.7z", b"7z\xbc\xaf\x27\x1c\x00\x04");
    let skips = ["cut.7z", "cut.bz2", "cut.gz", "cut.xz", "cut.zip", "cut.zst"];
    incomplete(
        &dir,
        ["."],
        &skips.map(|name| format!("{name} archive-damaged")).each_ref().map(String::as_str),
    );
    for name in skips {
        let run = scan_input(dir.path(), &fs::read(dir.join(name)).unwrap());
        assert_eq!(run.exits(2).report().skipped().len(), 1, "{name} on standard input");
    }
}

#[test]
fn what_looks_like_another_encoding_and_is_none() {
    let dir = Sandbox::empty();
    for (i, mark) in
        [&b"\xff\xfe"[..], b"\xfe\xff", b"\xff\xfe\0\0", b"\0\0\xfe\xff", b"\xef\xbb\xbf"].iter().enumerate()
    {
        let text = [mark, leak(i as u64).as_bytes()].concat();
        fs::write(dir.join("marked.txt"), &text).unwrap();
        let report = scan(dir.path(), ["."]).exits(1).report();
        assert_eq!(report.findings().len(), 1, "{mark:?}");
        let report = scan_input(dir.path(), &text).exits(1).report();
        assert_eq!(report.secrets(), [github(i as u64)]);
    }
}

#[test]
fn a_working_directory_that_is_gone() {
    let dir = Sandbox::empty();
    fs::create_dir(dir.join("gone")).unwrap();
    let script = format!("cd gone && rmdir ../gone && exec '{}' scan .", super::cli_support::STANCH);
    let run = Run::of(clean("sh", dir.path()).args(["-c", &script]));
    assert_eq!(run.code, Some(2), "{run:?}");
}
