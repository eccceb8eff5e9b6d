//! No secret leaves the process without `--show-secrets`: secrets are planted wherever one can be, every command
//! runs with every format, and then everything that was written, printed or kept is searched for them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use data_encoding::{BASE64, HEXLOWER};

use crate::cli_support::{Run, clean, github, letters, password, stanch};

const FORMATS: &[&str] = &[
    "text",
    "json",
    "jsonl",
    "sarif",
    "junit",
    "csv",
    "html",
    "markdown",
    "github",
    "gitlab",
    "codequality",
    "azure",
    "gitleaks",
];

/// Folders of its own for one run of the program: everything it can write to lies here.
struct Place {
    root: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        for folder in ["home", "tmp", "cache", "out", "repo"] {
            fs::create_dir(root.path().join(folder)).unwrap();
        }
        Place { root }
    }

    fn at(&self, path: &str) -> PathBuf {
        self.root.path().join(path)
    }

    fn repo(&self) -> PathBuf {
        self.at("repo")
    }

    fn git(&self, args: &[&str]) {
        let run = Run::of(clean("git", &self.repo()).args(args));
        assert_eq!(run.code, Some(0), "git {args:?}: {}", run.stderr);
    }

    fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.repo().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn commit(&self, message: &str) {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", message]);
    }

    fn stanch(&self, args: &[String]) -> Command {
        let mut command = stanch(&self.repo(), args);
        command
            .env("HOME", self.at("home"))
            .env("TMPDIR", self.at("tmp"))
            .env("XDG_CACHE_HOME", self.at("cache"))
            .env("XDG_CONFIG_HOME", self.at("home"))
            .env("RUST_BACKTRACE", "full")
            .env("RUST_LOG", "trace");
        command
    }
}

/// The planted secrets, each with where it stands.
struct Planted(Vec<(&'static str, String)>);

impl Planted {
    fn new() -> Self {
        let places = [
            "plain",
            "base64",
            "gzip",
            "message",
            "author",
            "removed",
            "staged",
            "path",
            "ref",
            "suppressed",
        ];
        let tokens = places.iter().enumerate().map(|(n, place)| (*place, github(900 + n as u64)));
        let mut all: Vec<(&'static str, String)> = tokens.collect();
        all.push(("password", password(901)));
        all.push(("url", letters(902, 18)));
        all.push(("remote", letters(903, 20)));
        all.push(("config", github(930)));
        all.push(("import", github(931)));
        Planted(all)
    }

    fn of(&self, place: &str) -> &str {
        &self.0.iter().find(|(name, _)| *name == place).expect("it is planted").1
    }

    /// What none of these bytes may hold, whole or in another form.
    fn search(&self, what: &str, bytes: &[u8]) {
        for (place, secret) in &self.0 {
            // A prefix that says what kind of token it is may be shown, the rest of the secret may not: not even half.
            let tail = &secret[secret.len() / 2..];
            let forms = [
                secret.clone(),
                tail.to_owned(),
                tail.chars().rev().collect(),
                HEXLOWER.encode(secret.as_bytes()),
                BASE64.encode(secret.as_bytes()).trim_end_matches('=').to_owned(),
                secret.replace('#', "%23"),
            ];
            for form in forms {
                let found = bytes.windows(form.len()).any(|window| window == form.as_bytes());
                assert!(!found, "the {place} secret stands in {what}:\n{}", String::from_utf8_lossy(bytes));
            }
        }
    }

    fn search_folder(&self, what: &str, folder: &Path) {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            self.search(
                &format!("{what}: the name {}", path.display()),
                entry.file_name().as_encoded_bytes(),
            );
            if path.is_dir() {
                self.search_folder(what, &path);
            } else if path.is_file() {
                self.search(&format!("{what}: {}", path.display()), &fs::read(&path).unwrap());
            }
        }
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

/// A repository with a secret wherever one can be.
fn plant(place: &Place, planted: &Planted) {
    place.git(&["init", "-q", "-b", "main"]);
    place.write("src/app.py", format!("token = \"{}\"\n", planted.of("plain")));
    place.write("settings.yml", format!("db:\n  password: \"{}\"\n", planted.of("password")));
    let url = format!("postgres://app:{}@db.internal.corp:5432/x\n", planted.of("url"));
    place.write(".env", format!("DATABASE_URL={url}"));
    let inner = format!("token={}", planted.of("base64"));
    place.write("encoded.txt", format!("blob: {}\n", BASE64.encode(inner.as_bytes())));
    place.write("packed.gz", gzip(format!("token={}\n", planted.of("gzip")).as_bytes()));
    place.write("old.txt", format!("token={}\n", planted.of("removed")));
    place.write("allowed.py", format!("t = \"{}\" # stanch:allow sample\n", planted.of("suppressed")));
    place.write(&format!("logs/{}.txt", planted.of("path")), "nothing\n");
    place.commit("first");
    fs::remove_file(place.repo().join("old.txt")).unwrap();
    place.commit(&format!("rotate {}", planted.of("message")));
    let author = format!("Ada {} <ada@example.com>", planted.of("author"));
    place.git(&["commit", "-q", "--allow-empty", "-m", "third", "--author", &author]);
    place.git(&["branch", &format!("try-{}", planted.of("ref"))]);
    let remote = format!("https://bot:{}@git.internal.corp/app.git", planted.of("remote"));
    place.git(&["remote", "add", "origin", &remote]);
    place.write("staged.txt", format!("token={}\n", planted.of("staged")));
    place.git(&["add", "staged.txt"]);
}

fn strings(args: &[&str]) -> Vec<String> {
    args.iter().map(|&arg| arg.to_owned()).collect()
}

/// Every command line: its name, and whether it may write into the repository.
fn commands(place: &Place, planted: &Planted) -> Vec<Vec<String>> {
    let cache = place.at("cache").display().to_string();
    let out = |name: &str| place.at("out").join(name).display().to_string();
    let scans: [&[&str]; 6] = [
        &["scan", "."],
        &["scan", "--staged"],
        &["scan", ".", "--show-suppressed", "--min-confidence", "low"],
        &["history", "--cache", &cache, "--stats"],
        &["history", "--range", "HEAD~1..HEAD"],
        &["audit", "--plain", "--history"],
    ];
    let mut all = Vec::new();
    for scan in scans {
        for format in FORMATS {
            let mut args = strings(scan);
            args.extend(strings(&["--format", format]));
            all.push(args.clone());
            args.extend(strings(&["-o", &out(&format!("{}-{}.{format}", scan[0], all.len()))]));
            all.push(args);
        }
    }
    let others: [&[&str]; 17] = [
        &["explain", "src/app.py:1"],
        &["explain", "src/app.py:1", "--format", "json"],
        &["explain", "settings.yml:2", "--store", "vault"],
        &["explain", "encoded.txt:1"],
        &["explain", "packed.gz:1"],
        &["explain", "src/app.py:1", "--purge-file", &out("purge.txt")],
        &["explain", "nothing-here:1"],
        &["baseline", "update"],
        &["baseline", "check"],
        &["config", "show"],
        &["config", "show", "src/app.py"],
        &["rules", "list"],
        &["hook", "install"],
        &["hook", "remove"],
        &["scan", "/nowhere/at/all"],
        &["scan", ".", "--rule", planted.of("plain")],
        &["history", "--range", "no-such-rev..HEAD"],
    ];
    all.extend(others.iter().map(|args| strings(args)));
    all
}

#[test]
fn nothing_that_is_written_printed_or_kept_holds_a_secret() {
    let (place, planted) = (Place::new(), Planted::new());
    plant(&place, &planted);
    let before = files(&place.repo());
    let mut reported = 0;
    for args in commands(&place, &planted) {
        let run = Run::of(&mut place.stanch(&args));
        // What the user wrote on the command line is shown back to him.
        if !args.iter().any(|arg| arg == planted.of("plain")) {
            planted.search(&format!("standard output of {args:?}"), run.stdout.as_bytes());
            planted.search(&format!("standard error of {args:?}"), run.stderr.as_bytes());
        }
        reported += usize::from(run.code == Some(1));
    }
    assert!(reported > 50, "the secrets were not found: {reported}");
    for folder in ["home", "tmp", "cache", "out"] {
        planted.search_folder(folder, &place.at(folder));
    }
    // In the repository what stanch itself wrote: the hook is removed again, the baseline is there.
    let new: Vec<PathBuf> = files(&place.repo()).into_iter().filter(|path| !before.contains(path)).collect();
    assert!(!new.is_empty(), "no baseline was written");
    for path in new {
        planted.search(&path.display().to_string(), &fs::read(&path).unwrap());
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        match path.is_dir() {
            true => all.extend(files(&path)),
            false => all.push(path),
        }
    }
    all
}

#[test]
fn an_error_in_a_file_of_settings_does_not_quote_it() {
    let (place, planted) = (Place::new(), Planted::new());
    place.git(&["init", "-q", "-b", "main"]);
    place.write("a.txt", "nothing\n");
    let config = planted.of("config");
    for (name, text) in [
        (".stanch.toml", format!("[[rules]]\nid = \"x\"\nregex = '''({config}'''\n")),
        (".stanch.toml", format!("token = \"{config}\"\n")),
        (".stanch.toml", format!("rules = {config}\n")),
        (".gitleaks.toml", format!("[allowlist]\nregexes = ['''({config}''']\n")),
    ] {
        place.write(name, text);
        for args in [&["scan", "."][..], &["config", "show"]] {
            let run = Run::of(&mut place.stanch(&strings(args)));
            planted.search(&format!("{name}: {args:?}"), run.stderr.as_bytes());
            planted.search(&format!("{name}: {args:?}"), run.stdout.as_bytes());
        }
        fs::remove_file(place.repo().join(name)).unwrap();
    }
}

#[test]
fn files_of_other_tools_are_taken_over_without_their_secrets() {
    let (place, planted) = (Place::new(), Planted::new());
    place.git(&["init", "-q", "-b", "main"]);
    let secret = planted.of("import");
    place.write("a.py", format!("token = \"{secret}\"\n"));
    place.commit("first");
    let report = format!(
        r#"[{{"RuleID":"github-pat","Description":"d","StartLine":1,"EndLine":1,"StartColumn":10,"EndColumn":50,
            "Match":"{secret}","Secret":"{secret}","File":"a.py","Commit":"","Entropy":4,"Author":"","Email":"",
            "Date":"","Message":"","Tags":[],"Fingerprint":"a.py:github-pat:1"}}]"#
    );
    fs::write(place.at("tmp").join("gitleaks.json"), &report).unwrap();
    let path = place.at("tmp").join("gitleaks.json").display().to_string();
    for args in [&["import", "gitleaks", &path][..], &["scan", ".", "--baseline", &path]] {
        let run = Run::of(&mut place.stanch(&strings(args)));
        planted.search(&format!("{args:?}"), run.stdout.as_bytes());
        planted.search(&format!("{args:?}"), run.stderr.as_bytes());
    }
    fs::remove_file(place.at("tmp").join("gitleaks.json")).unwrap();
    fs::remove_file(place.repo().join("a.py")).unwrap();
    for entry in fs::read_dir(place.repo()).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_file() {
            planted.search(&entry.display().to_string(), &fs::read(&entry).unwrap());
        } else if !entry.ends_with(".git") {
            planted.search_folder("the repository", &entry);
        }
    }
    planted.search_folder("tmp", &place.at("tmp"));
}
