//! Files of a change that would silence it: none counts under a trusted revision's policy, and ignore files hide nothing
//! that is tracked.

use std::fs;

use sha1::Digest as _;

use super::super::cli_support::{Run, github, scan};
use super::{Place, leak};

/// Its name, and what writes it.
type Excuse = (&'static str, fn(&Place));

/// The ways by which a change can excuse itself where it is trusted: each writes files into the repository.
const EXCUSES: &[Excuse] = &[
    ("a marker", |place| place.write("leak.py", leak(1).replace('\n', "  # stanch:allow trust me\n"))),
    ("gitleaks' marker", |place| place.write("leak.py", leak(1).replace('\n', "  # gitleaks:allow\n"))),
    ("an allowlist", |place| place.write(".stanch.toml", "[[allowlists]]\npaths = ['leak']\n")),
    ("an exclusion", |place| place.write(".stanch.toml", "[scan]\nexclude = ['*.py']\n")),
    ("a rule that is off", |place| place.write(".stanch.toml", "[extend]\ndisabledRules = ['github-pat']\n")),
    ("no rules", |place| {
        place.write(".stanch.toml", "[extend]\nuseDefault = false\n[[rules]]\nid = 'x'\nregex = 'qqqqq'\n");
    }),
    ("an override", |place| {
        place.write(".stanch.toml", "[overrides.github-pat]\nconfidence = 'low'\nseverity = 'low'\n");
    }),
    ("a nested configuration", |place| {
        place.write("sub/.stanch.toml", "[scan]\nexclude = ['*']\n");
        place.write("sub/leak.py", leak(1));
        let _ = fs::remove_file(place.repo().join("leak.py"));
    }),
    ("gitleaks' configuration", |place| {
        place.write(".gitleaks.toml", "[extend]\nuseDefault = true\n[allowlist]\npaths = ['leak']\n");
    }),
    ("gitleaks' ignore file", |place| place.write(".gitleaksignore", "leak.py:github-pat:1\n")),
    ("a baseline", |place| {
        place.run(&["baseline", "update"]).exits(0);
    }),
    ("detect-secrets' baseline", |place| {
        let hash = data_encoding::HEXLOWER.encode(&sha1::Sha1::digest(github(1).as_bytes()));
        let row = serde_json::json!({"type": "Secret Keyword", "filename": "leak.py", "hashed_secret": hash,
            "is_verified": false, "line_number": 1, "is_secret": false});
        let file = serde_json::json!({"version": "1.5.0", "plugins_used": [], "filters_used": [],
            "results": {"leak.py": [row]}});
        place.write(".secrets.baseline", file.to_string());
    }),
    ("an ignore file", |place| place.write(".gitignore", "*\n")),
    ("ripgrep's ignore file", |place| place.write(".ignore", "*\n")),
    ("attributes", |place| {
        place.write(".gitattributes", "* -diff binary export-ignore linguist-generated\n")
    }),
];

#[test]
fn a_change_cannot_silence_itself_in_any_mode() {
    let modes: [&[&str]; 4] =
        [&["scan"], &["scan", "--staged"], &["history"], &["history", "--range", "trusted..HEAD"]];
    let mut silenced = 0;
    for (what, excuse) in EXCUSES {
        for mode in modes {
            let place = Place::with_repository(&[]);
            place.git(&["tag", "trusted"]);
            place.write("leak.py", leak(1));
            excuse(&place);
            match mode.contains(&"--staged") {
                true => drop(place.git(&["add", "--all", "--force"])),
                false => place.commit("excuses"),
            }
            let args = [mode, &["--policy-rev", "trusted"]].concat();
            let run = place.run(&args).exits(1);
            assert!(run.stdout.contains("github-pat"), "{what}, {mode:?}: {run:?}");
            silenced += usize::from(place.run(mode).code == Some(0));
        }
    }
    // The excuses are good ones: where the change is trusted, they count.
    assert!(silenced >= 30, "{silenced}");
}

#[test]
fn what_is_tracked_is_scanned_whatever_ignore_files_say() {
    let place = Place::with_repository(&[]);
    place.write(".gitignore", "*.env\n/build/\n!/nested/\n");
    place.write(".ignore", "*.key\n");
    for (i, path) in ["prod.env", "build/out.txt", "server.key", "sub/dev.env"].iter().enumerate() {
        place.write(path, leak(i as u64 + 1));
    }
    place.commit("everything");
    // Neither tracked nor missed.
    place.write("local.env", leak(8));
    place.write("build/more.txt", leak(9));
    let repo = place.repo();
    let tracked = ["build/out.txt", "prod.env", "server.key", "sub/dev.env"];
    let report = scan(&repo, ["."]).exits(1).report();
    assert_eq!(report.paths(), tracked);
    assert_eq!(report.findings().len(), 4, "each once: {:?}", report.places());
    assert_eq!(scan(&repo, ["--threads", "1"]).exits(1).report().paths(), tracked);
    assert_eq!(scan(&repo.join("sub"), ["."]).exits(1).report().paths(), ["dev.env"]);
    assert_eq!(scan(&repo.join("sub"), ["..", "."]).exits(1).report().findings().len(), 5);
    assert_eq!(scan(place.root.path(), ["repo"]).exits(1).report().paths().len(), 4);
    let all = scan(&repo, ["--no-ignore"]).exits(1).report();
    assert_eq!(all.findings().len(), 6);
    // A repository in a folder that is scanned.
    let report = scan(place.root.path(), ["."]).exits(1).report();
    assert_eq!(report.paths(), tracked.map(|path| format!("repo/{path}")));
    // What is tracked and not there is no error; what cannot be known is one.
    fs::remove_file(repo.join("prod.env")).unwrap();
    assert_eq!(scan(&repo, ["."]).exits(1).report().findings().len(), 3);
    place.write(".git/index", "no index");
    let report = scan(&repo, ["."]).exits(2).report();
    assert!(report.skipped()[0].ends_with(".git/index read-error"), "{:?}", report.skipped());
    scan(&repo, [".", "--no-ignore"]).exits(1);
}

#[test]
fn an_index_that_names_files_outside_reads_none() {
    let place = Place::with_repository(&[]);
    fs::write(place.at("outside/leak.txt"), leak(90)).unwrap();
    std::os::unix::fs::symlink("../outside", place.repo().join("way")).unwrap();
    // An index as git writes it, with a name that git would not.
    place.write(".gitignore", "*\n");
    for name in ["../outside/leak.txt", "way/leak.txt"] {
        let stand_in = "x".repeat(name.len());
        place.write(&stand_in, "harmless\n");
        place.git(&["add", "--force", &stand_in]);
        let index = fs::read(place.repo().join(".git/index")).unwrap();
        let at = index.windows(name.len()).position(|part| part == stand_in.as_bytes()).unwrap();
        let mut evil = index.clone();
        evil[at..at + name.len()].copy_from_slice(name.as_bytes());
        let end = evil.len() - 20;
        let sum = sha1::Sha1::digest(&evil[..end]);
        evil[end..].copy_from_slice(&sum);
        place.write(".git/index", &evil);
        let run: Run = scan(&place.repo(), ["."]);
        assert!(run.code != Some(1) && !run.stdout.contains("github-pat"), "{name}: {run:?}");
        place.write(".git/index", index);
    }
}
