//! Whole-program tests of reach: a secret in every hiding place, in every mode.
//!
//! Each place asserts where the finding is (path, line, column), the chain of encodings and the chain of
//! archive members.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use super::history_support::RULES;
use super::{reach_containers, reach_files, reach_text};

/// A file with a secret in it, and where the secret is.
pub struct Place {
    name: String,
    bytes: Vec<u8>,
    /// Line and column: in the file; in a container, in the member, or in the text that was taken out of it
    /// (strings of a program stand one a line there). Of what is encoded: where in the file the encoding of the
    /// secret begins, or the whole encoded run where bytes do not correspond (compressed, or encoded twice).
    at: (u64, u64),
    decoded: Vec<&'static str>,
    container: Vec<String>,
}

impl Place {
    /// A file in which the secret stands on this line, in this column.
    pub fn new(name: &str, bytes: Vec<u8>, at: (u64, u64)) -> Self {
        Place { name: name.to_owned(), bytes, at, decoded: Vec::new(), container: Vec::new() }
    }

    pub fn decoded(mut self, chain: &[&'static str]) -> Self {
        self.decoded = chain.to_vec();
        self
    }

    pub fn inside(mut self, members: &[&str]) -> Self {
        self.container = members.iter().map(ToString::to_string).collect();
        self
    }
}

/// Every place whose content is made here, each with a token of its own.
fn made() -> Vec<Place> {
    let mut count = 0u64;
    let mut token = || {
        count += 1;
        // A multiplier that spreads: no two tokens have much in common.
        let number = |i: u64| (count * 7_919 + i).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
        let text: String = (0..6).map(|i| format!("{:06x}", number(i) & 0xff_ffff)).collect();
        format!("{}{text}", "tok_")
    };
    let mut places = reach_text::characters(&mut token);
    places.extend(reach_text::encoded(&mut token));
    places.extend(reach_files::made(&mut token));
    places.extend(reach_containers::made(&mut token));
    places
}

fn stanch(args: &[&str], folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stanch"));
    command.args(args).args(["--format", "json", "--quiet", "--config"]).arg(folder.join("rules.toml"));
    command.env_remove("GIT_DIR").stdin(Stdio::null());
    command
}

fn report_of(command: &mut Command) -> serde_json::Value {
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Findings of the test's rule, by the path that ends in a place's name.
type Found = HashMap<String, Vec<serde_json::Value>>;

fn findings(report: &serde_json::Value) -> Found {
    let mut found = Found::new();
    for finding in report["findings"].as_array().unwrap() {
        if finding["rule"] == "sample-token" {
            let path = finding["path"].as_str().unwrap_or_default();
            let name = path.split_once("files/").map_or(path, |(_, name)| name);
            found.entry(name.to_owned()).or_default().push(finding.clone());
        }
    }
    found
}

fn texts(value: &serde_json::Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(|v| v.as_str().unwrap_or_default().to_owned()).collect()
}

/// Whether a finding is the one that a place asks for.
fn fits(place: &Place, finding: &serde_json::Value) -> bool {
    let at = |key: &str| finding[key].as_u64().unwrap_or_default();
    (at("line"), at("column")) == place.at
        && texts(&finding["decoded"]) == place.decoded
        && texts(&finding["container"]) == place.container
}

fn shown(finding: &serde_json::Value) -> String {
    let at = |key: &str| &finding[key];
    format!("{}:{} {} {}", at("line"), at("column"), at("decoded"), at("container"))
}

/// Lists the places that are not found as they should be.
#[track_caller]
fn check_all(places: &[Place], found: &Found) {
    let mut missed = Vec::new();
    for place in places {
        let here = found.get(&place.name).map(Vec::as_slice).unwrap_or_default();
        if !here.iter().any(|f| fits(place, f)) {
            let seen: Vec<String> = here.iter().map(shown).collect();
            let Place { name, at, decoded, container, .. } = place;
            missed.push(format!("{name} ({at:?} {decoded:?} {container:?}): {seen:?}"));
        }
    }
    assert!(missed.is_empty(), "{} of {} places:\n{}", missed.len(), places.len(), missed.join("\n"));
}

/// A folder with the rules, and every place as a file in `files/`.
fn folder(places: &[Place]) -> tempfile::TempDir {
    let folder = tempfile::TempDir::new().unwrap();
    fs::write(folder.path().join("rules.toml"), RULES).unwrap();
    for place in places {
        let path = folder.path().join("files").join(&place.name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, &place.bytes).unwrap();
    }
    folder
}

fn git(folder: &Path, args: &[&str]) {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=A", "-c", "user.email=a@example.com"]).args(args).current_dir(folder);
    command.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null").env_remove("GIT_DIR");
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn in_files() {
    let mut places = made();
    places.extend(reach_containers::samples());
    let folder = folder(&places);
    let mut command = stanch(&["scan"], folder.path());
    let report = report_of(command.arg(folder.path().join("files")));
    check_all(&places, &findings(&report));
    assert!(places.len() >= 93, "{} places", places.len());
}

/// Each place is found once, not once for every way to see it.
#[test]
fn once_each() {
    let places = made();
    let folder = folder(&places);
    let mut command = stanch(&["scan"], folder.path());
    let report = report_of(command.arg(folder.path().join("files")));
    let found = findings(&report);
    for place in &places {
        let here = found.get(&place.name).map(Vec::as_slice).unwrap_or_default();
        let seen: Vec<String> = here.iter().map(shown).collect();
        assert_eq!(here.len(), 1, "{}: {seen:?}", place.name);
    }
}

#[test]
fn in_the_index() {
    let mut places = made();
    places.extend(reach_containers::samples());
    let folder = folder(&places);
    git(folder.path(), &["init", "-q"]);
    git(folder.path(), &["add", "files"]);
    let mut command = stanch(&["scan", "--staged"], folder.path());
    let report = report_of(command.current_dir(folder.path()));
    check_all(&places, &findings(&report));
}

#[test]
fn on_standard_input() {
    let mut places = made();
    places.extend(reach_containers::samples());
    let folder = folder(&places);
    let check = |places: &[Place]| {
        for place in places {
            let input = fs::File::open(folder.path().join("files").join(&place.name)).unwrap();
            let report = report_of(stanch(&["scan"], folder.path()).arg("-").stdin(input));
            // It has no name.
            let here = findings(&report).into_values().flatten().collect();
            check_all(std::slice::from_ref(place), &Found::from([(place.name.clone(), here)]));
        }
    };
    // Each needs a process.
    let (left, right) = places.split_at(places.len() / 2);
    std::thread::scope(|scope| {
        scope.spawn(|| check(left));
        check(right);
    });
}

/// A repository whose first commit adds the files, and whose second one takes them away; with everything packed.
fn removed_again(folder: &Path) {
    git(folder, &["init", "-q"]);
    git(folder, &["add", "files"]);
    git(folder, &["commit", "-qm", "all of them"]);
    git(folder, &["rm", "-qr", "files"]);
    git(folder, &["commit", "-qm", "none of them"]);
    git(folder, &["gc", "-q"]);
}

/// Every value is one finding of the history, at one of its places.
#[test]
fn in_the_history() {
    let places = made();
    let folder = folder(&places);
    removed_again(folder.path());
    let mut command = stanch(&["history"], folder.path());
    let report = report_of(command.arg(folder.path()));
    check_all(&places, &findings(&report));
}

/// What a commit adds counts even if the next one takes it away again.
#[test]
fn in_a_range() {
    let places = made();
    let folder = folder(&places);
    git(folder.path(), &["init", "-q"]);
    git(folder.path(), &["commit", "-q", "--allow-empty", "-m", "base"]);
    removed_again(folder.path());
    let mut command = stanch(&["history", "--range", "HEAD~2..HEAD"], folder.path());
    let report = report_of(command.arg(folder.path()));
    check_all(&places, &findings(&report));
}

/// The samples share one value, so each is a history of its own: of its places, one is the value's.
#[test]
fn samples_in_histories_and_ranges() {
    let samples = reach_containers::samples();
    let mut names: Vec<&str> = samples.iter().map(|p| p.name.as_str()).collect();
    names.dedup();
    for name in names {
        let places: Vec<&Place> = samples.iter().filter(|p| p.name == name).collect();
        let folder = folder(&[]);
        fs::create_dir(folder.path().join("files")).unwrap();
        fs::write(folder.path().join("files").join(name), &places[0].bytes).unwrap();
        git(folder.path(), &["init", "-q"]);
        git(folder.path(), &["commit", "-q", "--allow-empty", "-m", "base"]);
        git(folder.path(), &["add", "files"]);
        git(folder.path(), &["commit", "-qm", "sample"]);
        let whole = findings(&report_of(stanch(&["history"], folder.path()).arg(folder.path())));
        let range = ["history", "--range", "HEAD^..HEAD"];
        let added = findings(&report_of(stanch(&range, folder.path()).arg(folder.path())));
        let file = findings(&report_of(stanch(&["scan"], folder.path()).arg(folder.path().join("files"))));
        for (mode, found) in [("history", &whole), ("range", &added)] {
            let here = &found[name];
            let shown: Vec<String> = here.iter().map(shown).collect();
            assert!(places.iter().any(|p| here.iter().any(|f| fits(p, f))), "{mode}, {name}: {shown:?}");
            // No other values than in the file.
            assert_eq!(values(here), values(&file[name]), "{mode}, {name}: {shown:?}");
        }
    }
}

/// Fingerprints, which are those of the values.
fn values(findings: &[serde_json::Value]) -> BTreeSet<String> {
    findings.iter().map(|f| f["fingerprint"].to_string()).collect()
}

/// A text with a container in it, with a text in it with a container in it, and so on.
#[test]
fn encoded_containers_without_end() {
    let mut text = format!("key = \"{}\"\n", super::archive_support::token()).into_bytes();
    for _ in 0..40 {
        let packed = super::archive_support::zip(&[("z", &text)], zip::CompressionMethod::Deflated);
        text = format!("data: {}\n", data_encoding::BASE64.encode(&packed)).into_bytes();
    }
    let folder = folder(&[Place::new("endless", text, (0, 0))]);
    let output = stanch(&["scan"], folder.path()).arg(folder.path().join("files")).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["skipped"][0]["reason"], "archive-depth");
}

/// Base64 of base64, deeper than is decoded: the run says that it has not read everything.
#[test]
fn encoded_text_without_end() {
    for times in [6, 30] {
        let token = super::archive_support::token().into_bytes();
        let text = (0..times).fold(token, |t, _| data_encoding::BASE64.encode(&t).into_bytes());
        let folder = folder(&[Place::new("endless", text, (0, 0))]);
        let output = stanch(&["scan"], folder.path()).arg(folder.path().join("files")).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{times}: {}", String::from_utf8_lossy(&output.stderr));
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["skipped"][0]["reason"], "decode-budget", "{times}");
    }
}

#[test]
fn nothing_is_looked_into_when_told_so() {
    let places: Vec<Place> =
        made().into_iter().filter(|p| ["base64-gzip", "app.jar"].contains(&p.name.as_str())).collect();
    let folder = folder(&places);
    let mut command = stanch(&["scan", "--no-decode", "--no-archives"], folder.path());
    let output = command.arg(folder.path().join("files")).output().unwrap();
    let report = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(findings(&report), Found::new());
}

/// Each limit has a flag; where it bites, that is listed with the limit, and the run is incomplete.
#[test]
fn limits_have_flags_and_are_reported() {
    use super::archive_support::{gzip, leak, tar, zip};
    let deflated = |name: &str, bytes: &[u8]| zip(&[(name, bytes)], zip::CompressionMethod::Deflated);
    let nested = deflated("b.zip", &deflated("c.zip", &leak()));
    let many = tar(&(0..200).map(|_| ("name", &b"x"[..])).collect::<Vec<_>>());
    let zeros = gzip(&vec![0; 2 << 20]);
    // More than is always allowed.
    let ratio = gzip(&vec![0; 66 << 20]);
    for (flags, bytes, what, reason, detail) in [
        (["--archive-depth", "1"], &nested, "files/it!b.zip", "archive-depth", "more than 1 containers deep"),
        (
            ["--archive-size", "1M"],
            &zeros,
            "files/it",
            "archive-too-large",
            "unpacks to more than 1048576 bytes",
        ),
        (
            ["--archive-ratio", "5"],
            &ratio,
            "files/it",
            "archive-ratio",
            "unpacks to more than 5 times its size",
        ),
        (["--archive-members", "9"], &many, "files/it", "archive-members", "has more than 9 members"),
        (["--archive-time", "0"], &many, "files/it", "archive-time", "took more than 0 seconds"),
    ] {
        let folder = folder(&[]);
        fs::create_dir(folder.path().join("files")).unwrap();
        fs::write(folder.path().join("files/it"), bytes).unwrap();
        let run = |format: &str| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_stanch"));
            command.current_dir(folder.path()).args(["scan", "files", "--config", "rules.toml"]).args(flags);
            let output = command.args(["--format", format]).output().unwrap();
            assert_eq!(output.status.code(), Some(2), "{reason}, {format}");
            [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap())
        };
        let report: serde_json::Value = serde_json::from_str(&run("json")[0]).unwrap();
        let skipped = &report["skipped"][0];
        assert_eq!((&skipped["what"], &skipped["reason"]), (&what.into(), &reason.into()));
        assert_eq!((&skipped["detail"], &report["summary"]["incomplete"]), (&detail.into(), &true.into()));
        let formats = if reason == "archive-ratio" { &FORMATS[..1] } else { &FORMATS };
        for &format in formats {
            // Gitleaks' format has no place for it; then it is said on standard error.
            let [text, errors] = run(format);
            let text = if format == "gitleaks" { errors } else { text };
            assert!(text.contains(reason) || text.contains(detail), "{format}: {text}");
        }
    }
}

/// Formats that list what was not read.
const FORMATS: [&str; 12] = [
    "text",
    "jsonl",
    "sarif",
    "gitlab",
    "github",
    "azure",
    "junit",
    "codeclimate",
    "csv",
    "html",
    "markdown",
    "gitleaks",
];
