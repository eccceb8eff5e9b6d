//! Both engines agree, whatever a history does to secrets and however its objects are stored.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;

use serde_json::Value;

use crate::cli_support::fifo;
use crate::git_support::{Numbers, Sandbox, git_command};
use crate::history_support::{config, history, run, stanch, token};

/// Files whose texts are edited at every kind of boundary that secrets and deltas have.
struct Author {
    numbers: Numbers,
    files: Vec<Vec<u8>>,
    /// The halves of secrets that were torn apart, to be put together later.
    torn: Vec<(usize, String)>,
    tokens: u64,
}

impl Author {
    fn new(seed: u64) -> Self {
        let mut numbers = Numbers(seed);
        let files = (0..4)
            .map(|file| {
                let lines = 60 + 100 * file;
                let text: String =
                    (0..lines).map(|line| format!("{line:04} {:016x}\n", numbers.next())).collect();
                text.into_bytes()
            })
            .collect();
        Author { numbers, files, torn: Vec::new(), tokens: 0 }
    }

    /// A secret of one of several kinds, new or one that was there before.
    fn secret(&mut self) -> String {
        if self.tokens == 0 || self.numbers.below(3) > 0 {
            self.tokens += 1;
        }
        let number = 1 + self.numbers.below(self.tokens as usize) as u64;
        let encoded = |text: &str| data_encoding::BASE64.encode(text.as_bytes());
        match self.numbers.below(6) {
            0 => format!("password = \"{}{:08x}\"", "Vq7!", number * 2_654_435_761),
            1 => encoded(&format!("some text before, then {} and more after it", token(number))),
            2 => format!("https://user:{}{:06x}@host.example.net/x", "Kd9_", number * 40_503),
            _ => token(number),
        }
    }

    /// A place in a text: its start, its end, the start of a line, or anywhere.
    fn place(&mut self, file: usize) -> usize {
        let len = self.files[file].len();
        match self.numbers.below(8) {
            0 => 0,
            1 => len,
            2 | 3 => self.numbers.below(len + 1),
            _ => {
                let from = self.numbers.below(len + 1);
                memchr::memchr(b'\n', &self.files[file][from..]).map_or(len, |at| from + at + 1)
            }
        }
    }

    fn insert(&mut self, file: usize, at: usize, text: &[u8]) {
        let at = at.min(self.files[file].len());
        self.files[file].splice(at..at, text.iter().copied());
    }

    fn edit(&mut self) {
        let file = self.numbers.below(self.files.len());
        let at = self.place(file);
        match self.numbers.below(12) {
            // A whole secret, on a line of its own or in the middle of something.
            0 | 1 => {
                let line = format!("key = {}\n", self.secret());
                self.insert(file, at, line.as_bytes());
            }
            2 => {
                let bare = self.secret();
                self.insert(file, at, bare.as_bytes());
            }
            // The first half now; the second half in a later version.
            3 => {
                let secret = self.secret();
                let (first, second) = secret.split_at(1 + self.numbers.below(secret.len() - 1));
                self.insert(file, at, format!("half: {first}").as_bytes());
                self.torn.push((file, second.to_owned()));
            }
            4 => {
                if let Some((file, second)) = self.torn.pop() {
                    let text = self.files[file].clone();
                    if let Some(half) = memchr::memmem::rfind(&text, b"half: ") {
                        let end = memchr::memchr(b'\n', &text[half..]).map_or(text.len(), |n| half + n);
                        self.insert(file, end.min(half + 40), second.as_bytes());
                    }
                }
            }
            // Both halves, with something between that a later version deletes.
            5 => {
                let secret = self.secret();
                let (first, second) = secret.split_at(self.numbers.below(secret.len()));
                self.insert(file, at, format!("{first}<cut here>{second}\n").as_bytes());
            }
            6 => {
                let text = &mut self.files[file];
                if let Some(cut) = memchr::memmem::find(text, b"<cut here>") {
                    text.drain(cut..cut + b"<cut here>".len());
                }
            }
            // Something is deleted, possibly in the middle of a secret.
            7 => {
                let text = &mut self.files[file];
                let end = (at + self.numbers.below(300)).min(text.len());
                if text.len() > 2_000 {
                    text.drain(at..end);
                }
            }
            // A part moves, within the file or to another one.
            8 => {
                let text = &mut self.files[file];
                let end = (at + self.numbers.below(400)).min(text.len());
                let part: Vec<u8> = text.drain(at..end).collect();
                let to = self.numbers.below(self.files.len());
                let at = self.place(to);
                self.insert(to, at, &part);
            }
            // A part is there twice, and the halves of the file change places.
            9 => {
                let end = (at + self.numbers.below(400)).min(self.files[file].len());
                let part = self.files[file][at..end].to_vec();
                let to = self.place(file);
                self.insert(file, to, &part);
            }
            10 => self.files[file].rotate_left(at),
            // One byte changes: in a secret, beside it, or elsewhere.
            _ => {
                let byte = b"aZ_9 \"\n="[self.numbers.below(8)];
                if let Some(old) = self.files[file].get_mut(at) {
                    *old = byte;
                }
            }
        }
    }

    fn history(mut self, sandbox: &Sandbox, commits: usize) {
        for commit in 0..commits {
            for _ in 0..=self.numbers.below(4) {
                self.edit();
            }
            for (n, text) in self.files.iter().enumerate() {
                sandbox.write(["a.txt", "src/b.py", "src/c.yaml", "deep/er/d"][n], text);
            }
            sandbox.commit(&format!("commit {commit}"));
        }
    }
}

/// A report without what may differ between runs: times, and how long they took.
fn findings(sandbox: &Path, args: &[&str]) -> Vec<Value> {
    let ran = run(sandbox, &[&["history"], args].concat());
    let expected = i32::from(!ran.findings().is_empty());
    assert_eq!(ran.code, expected, "{} {}", ran.errors, ran.report["skipped"]);
    let mut findings = ran.report["findings"].as_array().unwrap().clone();
    for finding in &mut findings {
        let map = finding.as_object_mut().unwrap();
        map.remove("age_days");
        map.remove("fingerprint");
    }
    findings
}

fn verify(sandbox: &Sandbox) {
    let mut command =
        stanch(sandbox.path(), &["history", "--verify-engine", "--quiet", "--no-progress", "--config"]);
    let output = command.arg(config()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("both engines found the same in every text"), "{said}");
    assert_ne!(output.status.code(), Some(2));
}

/// Values that a scan of the checked out files finds.
fn in_files(sandbox: &Sandbox) -> BTreeSet<String> {
    let ran = run(sandbox.path(), &["scan", "."]);
    let found = ran.report["findings"].as_array().unwrap();
    found.iter().map(|finding| finding["secret"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_engines_agree_on_generated_histories_however_they_are_packed() {
    for seed in [11, 12, 13] {
        let sandbox = Sandbox::new();
        Author::new(seed).history(&sandbox, 60);
        let loose = findings(sandbox.path(), &[]);
        assert!(loose.len() > 10, "{} findings say little", loose.len());
        verify(&sandbox);
        for packing in [
            &["repack", "-adf", "--depth=50", "--window=10", "--quiet"][..],
            &["repack", "-adf", "--depth=4000", "--window=60", "--quiet"],
            &["repack", "-adf", "--depth=1", "--window=2", "--quiet"],
        ] {
            sandbox.git(packing);
            verify(&sandbox);
            assert_eq!(findings(sandbox.path(), &[]), loose, "{packing:?}");
        }
        let one = findings(sandbox.path(), &["--threads", "1"]);
        let many = findings(sandbox.path(), &["--threads", "7"]);
        assert_eq!(one, loose);
        assert_eq!(many, loose);
    }
}

#[test]
fn several_packs_and_loose_objects_at_once() {
    let sandbox = Sandbox::new();
    Author::new(21).history(&sandbox, 20);
    sandbox.git(["repack", "-adf", "--quiet"]);
    Author::new(22).history(&sandbox, 20);
    sandbox.git(["repack", "-d", "--quiet"]);
    Author::new(23).history(&sandbox, 10);
    let mixed = findings(sandbox.path(), &[]);
    verify(&sandbox);
    sandbox.git(["repack", "-adf", "--quiet"]);
    assert_eq!(findings(sandbox.path(), &[]), mixed);
    // A clone has the same objects in other deltas.
    let clone = Sandbox::empty();
    let mut command = git_command(clone.path());
    command.args(["clone", "--quiet", "--mirror"]).arg(sandbox.path()).arg(".");
    assert!(command.status().unwrap().success());
    let values = |list: &[Value]| -> Vec<Value> {
        let mut values: Vec<Value> = list.iter().map(|finding| finding["secret"].clone()).collect();
        values.sort_by_key(Value::to_string);
        values
    };
    assert_eq!(values(&findings(clone.path(), &[])), values(&mixed));
}

#[test]
fn what_the_files_of_head_hold_is_in_the_history() {
    for seed in [31, 32] {
        let sandbox = Sandbox::new();
        Author::new(seed).history(&sandbox, 30);
        sandbox.git(["gc", "--quiet"]);
        let of_history = history(&sandbox, &[]).findings();
        let of_files = in_files(&sandbox);
        assert!(of_files.len() > 3);
        for secret in &of_files {
            assert_eq!(of_history[secret]["in_head"], true, "in the files, but not in HEAD");
        }
        let in_head: BTreeSet<String> = of_history
            .iter()
            .filter(|(_, finding)| finding["in_head"] == true)
            .map(|(secret, _)| secret.clone())
            .collect();
        let only_history: Vec<&String> = in_head.difference(&of_files).collect();
        assert_eq!(only_history, [""; 0], "in HEAD, but not in the files");
    }
}

#[test]
fn each_value_entered_where_git_says() {
    let sandbox = Sandbox::new();
    Author::new(41).history(&sandbox, 40);
    let mut checked = 0;
    for (secret, finding) in history(&sandbox, &[]).findings() {
        // The slow twin: the first commit, in order of time, with a file in which the value's bytes stand.
        if finding.get("decoded").is_some() {
            continue;
        }
        let mut command = git_command(sandbox.path());
        command.args(["log", "--reverse", "--format=%H", "-S", &secret, "HEAD"]);
        let log = String::from_utf8(command.output().unwrap().stdout).unwrap();
        let commit = finding["commit"].as_str().unwrap();
        let found = log.lines().any(|line| line == commit);
        // A password may enter as part of another text first; a token is what it is wherever it stands.
        if secret.starts_with("tok_") {
            assert!(found, "{commit} is not in what git lists:\n{log}");
            let shown = sandbox.git(["show", &format!("{commit}:{}", finding["path"].as_str().unwrap())]);
            let line = shown.lines().nth(finding["line"].as_u64().unwrap() as usize - 1).unwrap();
            let column = finding["column"].as_u64().unwrap() as usize - 1;
            assert!(line[column..].starts_with(&secret));
            checked += 1;
        }
    }
    assert!(checked > 3);
}

#[test]
fn an_interrupted_scan_says_so() {
    let sandbox = Sandbox::init(&["--ref-format=reftable"]);
    Author::new(51).history(&sandbox, 5);
    // The program asks git for the refs, which does not answer until it got the signal.
    let path = std::env::var("PATH").unwrap();
    for (args, in_background) in [
        (&["history"][..], false),
        (&["history", "--range", "HEAD"], false),
        // Shells tell what they start in the background to ignore Ctrl-C; that says nothing of SIGTERM.
        (&["history"], true),
    ] {
        // A gate of its own for each run: no git of the run before can open it.
        let bin = Sandbox::empty();
        let gate = bin.join("gate");
        let script = format!("[ -p '{0}' ] && cat '{0}'\nPATH='{path}' exec git \"$@\"\n", gate.display());
        bin.write("git", format!("#!/bin/sh\n{script}"));
        fs::set_permissions(bin.join("git"), fs::Permissions::from_mode(0o755)).unwrap();
        fifo(&gate);
        let mut command = stanch(sandbox.path(), args);
        command.args(["--format", "json", "--config"]).arg(config());
        command.env("PATH", format!("{}:{path}", bin.path().display()));
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
        if in_background {
            let ignore = || {
                // SAFETY: it may be called between fork and exec.
                unsafe { libc::signal(libc::SIGINT, libc::SIG_IGN) };
                Ok(())
            };
            // SAFETY: as above.
            unsafe { command.pre_exec(ignore) };
        }
        let child = command.spawn().unwrap();
        let writer = fs::File::options().write(true).open(&gate).unwrap();
        // When git is asked for the second time, it answers.
        fs::remove_file(&gate).unwrap();
        // SAFETY: the process is our child, and was not waited for.
        assert_eq!(unsafe { libc::kill(child.id() as i32, libc::SIGTERM) }, 0);
        // A thread of the program takes the signal; nothing shows when it has.
        std::thread::sleep(std::time::Duration::from_millis(300));
        drop(writer);
        let output = child.wait_with_output().unwrap();
        let report: Value =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {output:?}"));
        assert_eq!(output.status.code(), Some(2));
        assert_eq!(report["summary"]["incomplete"], true);
        let reasons: Vec<&str> =
            report["skipped"].as_array().unwrap().iter().filter_map(|skip| skip["reason"].as_str()).collect();
        assert!(reasons.contains(&"interrupted"), "{reasons:?}");
    }
}
