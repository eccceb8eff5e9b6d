//! `stanch audit` on a real terminal, and on a pipe.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A program on a terminal of its own.
struct Terminal {
    child: Child,
    keyboard: File,
    screen: Arc<Mutex<Vec<u8>>>,
    /// Whether the terminal is to go away.
    closing: Arc<AtomicBool>,
    reader: std::thread::JoinHandle<()>,
}

/// Whether something can be read within a tenth of a second.
fn is_readable(file: &File) -> bool {
    let mut poll = libc::pollfd { fd: file.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    // SAFETY: the pointer is to one valid entry.
    unsafe { libc::poll(&mut poll, 1, 100) > 0 }
}

fn pair(columns: u16, rows: u16) -> (OwnedFd, OwnedFd) {
    let (mut master, mut slave) = (0, 0);
    let size = libc::winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: all pointers are valid for the call, and both descriptors are ours afterwards.
    unsafe {
        let done = libc::openpty(&mut master, &mut slave, std::ptr::null_mut(), std::ptr::null_mut(), &size);
        assert_eq!(done, 0, "openpty");
        // A program that held its own terminal's other end would never see it go away.
        for fd in [master, slave] {
            assert_eq!(libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC), 0);
        }
        (OwnedFd::from_raw_fd(master), OwnedFd::from_raw_fd(slave))
    }
}

fn stanch(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin("stanch"));
    command
        .current_dir(folder)
        .args(args)
        .env("TERM", "xterm-256color")
        .env("USER", "Ann")
        .env("GIT_AUTHOR_NAME", "Ann");
    for name in [
        "GIT_DIR",
        "GIT_INDEX_FILE",
        "GIT_WORK_TREE",
        "STANCH_FINGERPRINT_KEY",
        "GITLEAKS_CONFIG",
        "GITLEAKS_CONFIG_TOML",
    ] {
        command.env_remove(name);
    }
    command
}

impl Terminal {
    fn start(mut command: Command, columns: u16, rows: u16) -> Self {
        let (master, slave) = pair(columns, rows);
        let copy = |fd: &OwnedFd| Stdio::from(fd.try_clone().unwrap());
        command.stdin(copy(&slave)).stdout(copy(&slave)).stderr(copy(&slave));
        let terminal = slave.as_raw_fd();
        // SAFETY: only calls that are allowed between fork and exec.
        unsafe {
            command.pre_exec(move || {
                if libc::setsid() < 0 || libc::ioctl(terminal, libc::TIOCSCTTY, 0) < 0 {
                    return Err(std::io::Error::last_os_error());
                }
                Ok(())
            });
        }
        let child = command.spawn().unwrap();
        drop(slave);
        let screen = Arc::new(Mutex::new(Vec::new()));
        let closing = Arc::new(AtomicBool::new(false));
        let (mut input, sink) = (File::from(master.try_clone().unwrap()), screen.clone());
        let stop = closing.clone();
        let reader = std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while !stop.load(Ordering::Relaxed) {
                match is_readable(&input).then(|| input.read(&mut buffer)) {
                    None => {}
                    Some(Ok(read @ 1..)) => sink.lock().unwrap().extend_from_slice(&buffer[..read]),
                    Some(_) => break,
                }
            }
        });
        Terminal { child, keyboard: File::from(master), screen, closing, reader }
    }

    /// Changes the size, as somebody does who drags a window's corner.
    fn resize(&self, columns: u16, rows: u16) {
        let size = libc::winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        // SAFETY: the pointer is valid for the call.
        let done = unsafe { libc::ioctl(self.keyboard.as_raw_fd(), libc::TIOCSWINSZ, &size) };
        assert_eq!(done, 0);
    }

    /// Closes the terminal, and waits for the program to end.
    fn close(self) {
        let Terminal { mut child, keyboard, closing, reader, .. } = self;
        closing.store(true, Ordering::Relaxed);
        reader.join().unwrap();
        drop(keyboard);
        let began = Instant::now();
        while child.try_wait().unwrap().is_none() {
            assert!(began.elapsed() < Duration::from_secs(60), "it does not end without its terminal");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// What stands on the screen now.
    fn shows(&self) -> String {
        render(&String::from_utf8_lossy(&self.screen.lock().unwrap()))
    }

    /// Waits until a text stands on the screen.
    fn wait_for(&self, text: &str) {
        let began = Instant::now();
        while !self.shows().contains(text) {
            assert!(began.elapsed() < Duration::from_secs(60), "{text:?} never came: {:?}", self.shows());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    fn end(mut self) -> i32 {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code().unwrap_or(-1);
            }
            assert!(began.elapsed() < Duration::from_secs(60), "it does not end: {:?}", self.shows());
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// A very small terminal: it knows how to move the cursor and how to clear the screen.
fn render(output: &str) -> String {
    let mut rows: Vec<Vec<char>> = Vec::new();
    let (mut row, mut column) = (0, 0);
    let mut chars = output.chars();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => {
                if chars.next() != Some('[') {
                    continue;
                }
                let mut parameters = String::new();
                let last = loop {
                    match chars.next() {
                        Some(c) if c.is_ascii_digit() || ";?".contains(c) => parameters.push(c),
                        other => break other,
                    }
                };
                let mut numbers = parameters.split(';').map(|n| n.parse::<usize>().unwrap_or(1) - 1);
                match last {
                    Some('H') => (row, column) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)),
                    Some('J') => rows.clear(),
                    _ => {}
                }
            }
            '\r' => column = 0,
            '\n' => row += 1,
            c => {
                if rows.len() <= row {
                    rows.resize(row + 1, Vec::new());
                }
                if rows[row].len() <= column {
                    rows[row].resize(column + 1, ' ');
                }
                rows[row][column] = c;
                column += 1;
            }
        }
    }
    rows.iter().map(|row| row.iter().collect::<String>() + "\n").collect()
}

/// A folder with two values, made so that no scanner takes this file for a leak.
fn folder() -> (tempfile::TempDir, [String; 2]) {
    let folder = tempfile::tempdir().unwrap();
    let values = ["x7Kq2m", "b9Wz4t"].map(|part| format!("{}{}{}", part, "VpR8nLc3", part.to_uppercase()));
    let text = format!("user = 'ann'\ndb_password = '{}'\n\nsmtp_password = '{}'\n", values[0], values[1]);
    std::fs::write(folder.path().join("settings.py"), text).unwrap();
    (folder, values)
}

fn baseline(folder: &Path) -> String {
    std::fs::read_to_string(folder.join(".stanch-baseline.toml")).unwrap_or_default()
}

#[test]
fn decides_on_a_terminal() {
    let (folder, values) = folder();
    let mut terminal = Terminal::start(stanch(folder.path(), &["audit"]), 100, 40);
    terminal.wait_for("1/2 open");
    terminal.wait_for("settings.py:2");
    assert!(!terminal.shows().contains(&values[0]), "the value is masked");
    terminal.press("v");
    terminal.wait_for(&values[0][..8]);
    terminal.press("f");
    terminal.wait_for("false-positive: reason");
    terminal.press("only a sample\r");
    terminal.wait_for("recorded: false-positive");
    // Written at once: a terminal that goes away loses nothing.
    assert!(
        baseline(folder.path())
            .contains("status = \"false-positive\", reason = \"only a sample\", by = \"Ann\"")
    );
    terminal.press("u");
    terminal.wait_for("taken back");
    assert!(!baseline(folder.path()).contains("false-positive"));
    terminal.press("a");
    terminal.wait_for("accepted until");
    terminal.press("yesterday\r");
    terminal.wait_for("expected a day");
    terminal.press("\u{1b}");
    terminal.wait_for("f false positive");
    terminal.press("a");
    terminal.wait_for("accepted until");
    terminal.press("90d\r");
    terminal.wait_for("accepted: reason");
    terminal.press("moves to the vault\r");
    terminal.wait_for("recorded: accepted");
    terminal.press("q");
    assert_eq!(terminal.end(), 0);
    let written = baseline(folder.path());
    assert!(written.contains("status = \"accepted\", reason = \"moves to the vault\""));
    assert!(written.contains("expires = "));
    assert!(values.iter().all(|value| !written.contains(value.as_str())));

    // The next sitting goes on with what is left.
    let mut terminal = Terminal::start(stanch(folder.path(), &["audit"]), 100, 40);
    terminal.wait_for("1/1 open");
    terminal.wait_for("settings.py:4");
    terminal.press("/nowhere\r");
    terminal.wait_for("Nothing is left here");
    terminal.press("q");
    assert_eq!(terminal.end(), 0);
}

#[test]
fn a_small_terminal_says_so_and_a_lost_one_loses_nothing() {
    let (folder, _) = folder();
    let mut terminal = Terminal::start(stanch(folder.path(), &["audit"]), 20, 6);
    terminal.wait_for("The terminal is too");
    terminal.press("q");
    assert_eq!(terminal.end(), 0);

    let mut terminal = Terminal::start(stanch(folder.path(), &["audit"]), 100, 40);
    terminal.wait_for("1/2 open");
    terminal.press("r");
    terminal.wait_for("real: reason");
    terminal.press("\r");
    terminal.wait_for("recorded: real");
    terminal.child.kill().unwrap();
    terminal.child.wait().unwrap();
    assert!(baseline(folder.path()).contains("status = \"real\""));
}

#[test]
fn a_terminal_that_changes_its_size_or_is_closed() {
    let (folder, _) = folder();
    let mut terminal = Terminal::start(stanch(folder.path(), &["audit"]), 100, 40);
    terminal.wait_for("settings.py:2");
    terminal.resize(20, 6);
    terminal.wait_for("The terminal is too");
    // Keys still mean what they mean; nothing is decided by accident.
    terminal.press("x");
    terminal.resize(120, 30);
    terminal.wait_for("settings.py:2");
    terminal.press("r");
    terminal.wait_for("real: reason");
    terminal.press("leaked\r");
    terminal.wait_for("recorded: real");
    let before = baseline(folder.path());
    assert!(before.contains("status = \"real\", reason = \"leaked\""));
    // In the middle of a reason for the second value.
    terminal.press("f");
    terminal.wait_for("false-positive: reason");
    terminal.press("half a rea");
    terminal.wait_for("half a rea");
    terminal.close();
    assert_eq!(baseline(folder.path()), before, "half a decision is none");
    let names = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    let left: Vec<_> = names.filter(|name| name.to_string_lossy().starts_with(".stanch-")).collect();
    assert_eq!(left, [".stanch-baseline.toml"], "no half-written file is left");
}

#[test]
fn asks_line_by_line_without_a_terminal() {
    let (folder, values) = folder();
    let mut child =
        stanch(folder.path(), &["audit"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"h\nf\nsample\no\n\n").unwrap();
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}");
    assert!(text.contains("2 decided, 0 still open"), "{text}");
    assert!(values.iter().all(|value| !text.contains(value.as_str())), "{text}");
    let written = baseline(folder.path());
    assert!(
        written.contains("\"false-positive\", reason = \"sample\"") && written.contains("\"rotated\""),
        "{written}"
    );
    let again = stanch(folder.path(), &["audit"]).stdin(Stdio::null()).output().unwrap();
    assert!(String::from_utf8_lossy(&again.stdout).contains("Nothing to decide"));
}
