//! The commands that the documentation shows are run, and do what they are shown for; what it shows as printed is
//! printed.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::cli_support::{Run, STANCH, clean, github, letters, scan, stanch};
use super::docs::{blocks, commands, commands_in_text, complaint, pages};
use super::git_support::Sandbox;

/// What words in capitals stand for, beside the fingerprint of a find.
const STAND_FOR: &[(&str, &str)] = &[
    ("FILE:LINE", "deploy/ci.sh:3"),
    ("FILE", ".gitleaks.toml"),
    ("PATH", "settings.py"),
    ("SHELL", "bash"),
    ("STORE", "vault"),
];

/// A repository in which all that is shown can be done: secrets in files, in the index, in the history and in the
/// baseline; files of other tools; what is read and written by name.
fn template() -> Sandbox {
    let repo = Sandbox::new();
    let script = format!("#!/bin/sh\nset -e\nexport GITHUB_TOKEN={}\n", github(1));
    repo.write("deploy/ci.sh", &script);
    repo.commit("first");
    repo.git(["update-ref", "refs/remotes/origin/main", "HEAD"]);
    repo.git(["tag", "A"]);
    repo.write("settings.py", format!("{}PASSWORD = \"{}\"\n", "#\n".repeat(11), letters(5, 15)));
    let run = |args: &[&str]| Run::of(&mut stanch(repo.path(), args)).exits(0);
    run(&["baseline", "update", "settings.py"]);
    repo.write(".gitleaks.toml", "[extend]\nuseDefault = true\n[[allowlists]]\npaths = ['^docs/']\n");
    repo.write(".gitleaksignore", "docs/a.txt:github-pat:1\n");
    let leak = r#"[{"RuleID": "github-pat", "StartLine": 3, "File": "deploy/ci.sh", "Secret": "VALUE", "Match": "VALUE", "Commit": "", "Fingerprint": "deploy/ci.sh:github-pat:3"}]"#;
    repo.write("gitleaks-report.json", leak.replace("VALUE", &github(1)));
    repo.write(
        ".secrets.baseline",
        r#"{"version": "1.5.0", "plugins_used": [], "filters_used": [], "results": {}}"#,
    );
    repo.commit("second");
    repo.git(["tag", "B"]);
    repo.write("staged.txt", format!("token = '{}'\n", github(2)));
    repo.git(["add", "staged.txt"]);
    repo.git(["clone", "--quiet", "--mirror", ".", "repository.git"]);
    for folder in [".local/share/bash-completion/completions", ".zfunc", ".config/fish/completions"] {
        fs::create_dir_all(repo.join(folder)).unwrap();
    }
    for folder in [".config/elvish/lib", ".local/share/man/man1", "bin"] {
        fs::create_dir_all(repo.join(folder)).unwrap();
    }
    std::os::unix::fs::symlink(STANCH, repo.join("bin/stanch")).unwrap();
    repo
}

/// A shell in a copy of the template.
fn shell(copy: &Path, script: &str) -> Command {
    let path = format!("{}:{}", copy.join("bin").display(), std::env::var("PATH").unwrap());
    let mut command = clean("sh", copy);
    command.args(["-c", script]).env("PATH", path).env("HOME", copy).env("PROFILE", copy.join("profile"));
    command
}

/// Whether a line of shell runs our program and no other.
fn is_ours(line: &str) -> bool {
    let commands = commands(line);
    let mut all = commands.iter().filter(|words| !words.is_empty());
    all.clone().count() > 0 && all.all(|words| words[0] == "stanch")
}

/// The blocks of a page for a shell, less the lines that are not for our program, and each command in its text.
fn scripts(text: &str) -> Vec<Vec<String>> {
    let lines = |text: &str| -> Vec<String> {
        text.replace("\\\n", " ").lines().filter(|line| is_ours(line)).map(Into::into).collect()
    };
    let shown = blocks(text).into_iter().filter(|(language, _)| language == "sh");
    let shown = shown.map(|(_, text)| lines(&text));
    // Words with blanks in them are typed in quotes.
    let quoted = |word: &String| if word.contains(' ') { format!("'{word}'") } else { word.clone() };
    let typed = |words: Vec<String>| vec![words.iter().map(quoted).collect::<Vec<_>>().join(" ")];
    // A subcommand that is named without what it needs is only named.
    let named = commands_in_text(text)
        .into_iter()
        .filter(|words| words.len() > 1 && complaint(words, false).is_none());
    shown.chain(named.map(typed)).filter(|script: &Vec<String>| !script.is_empty()).collect()
}

#[test]
fn commands_do_what_they_are_shown_for() {
    let template = template();
    let report = scan(template.path(), ["deploy"]).exits(1).report();
    let fingerprint = report.findings()[0]["fingerprint"].as_str().unwrap().to_owned();
    let mut seen = std::collections::BTreeSet::new();
    let mut wrong = String::new();
    for page in pages() {
        for script in scripts(&fs::read_to_string(&page).unwrap()) {
            if !seen.insert(script.clone()) {
                continue;
            }
            let copy = Sandbox::empty();
            let from = template.path().join(".");
            assert!(clean("cp", copy.path()).arg("-a").arg(from).arg(".").status().unwrap().success());
            for line in &script {
                let mut typed = line.replace("FINGERPRINT", &fingerprint);
                STAND_FOR.iter().for_each(|(word, value)| typed = typed.replace(word, value));
                let run = Run::of(&mut shell(copy.path(), &typed));
                // Secrets were found, or decisions are missing: that is what there is to show.
                if !matches!(run.code, Some(0 | 1)) || run.stderr.contains("error:") {
                    wrong +=
                        &format!("{}: {line}: {:?} {}{}\n", page.display(), run.code, run.stderr, run.stdout);
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(seen.len() > 35, "{seen:#?}");
}

#[test]
fn a_command_that_fails_would_be_seen() {
    let text = "```sh\nstanch history nowhere # fails\ncargo build && stanch scan .\n```\n`stanch scan nowhere`, `stanch explain`";
    assert_eq!(scripts(text), [["stanch history nowhere # fails"], ["stanch scan nowhere"]]);
}

/// The transcripts of a commit that is stopped.
#[test]
fn what_is_shown_as_printed_is_printed() {
    let repo = Sandbox::new();
    repo.write("deploy/ci.sh", "#!/bin/sh\nset -e\n");
    repo.write("settings.py", "import os\n");
    repo.commit("first");
    Run::of(shell(repo.path(), "mkdir bin && ln -s \"$0\" bin/stanch").arg(STANCH)).exits(0);
    Run::of(&mut stanch(repo.path(), ["hook", "install"])).exits(0);
    let token = format!("export GITHUB_TOKEN={}\n", github(1));
    let password = letters(5, 14);
    let settings = format!(
        "SECRET_KEY = os.environ[\"SECRET_KEY\"]\nDATABASES = {{\"default\": {{\"USER\": \"shop\", \"PASSWORD\": \"{password}\"}}}}\n"
    );
    for (page, files) in [
        (
            "README.md",
            &[("deploy/ci.sh", "#!/bin/sh\nset -e\n", &token), ("settings.py", "import os\n", &settings)][..],
        ),
        ("docs/src/hook.md", &[("deploy/ci.sh", "#!/bin/sh\nset -e\n", &token)][..]),
    ] {
        repo.git(["reset", "--quiet", "--hard"]);
        for (path, before, added) in files {
            repo.write(path, format!("{before}{added}"));
        }
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(page)).unwrap();
        let (_, shown) = blocks(&text).into_iter().find(|(language, _)| language == "console").unwrap();
        let (command, printed) = shown.strip_prefix("$ ").unwrap().split_once('\n').unwrap();
        let run = Run::of(&mut shell(repo.path(), &command.replace("commit -m", "commit -am"))).exits(1);
        assert_eq!(same_in_all_runs(&run.stderr), same_in_all_runs(printed), "{page}");
    }
}

/// A transcript without fingerprints, times, and the number of rules.
fn same_in_all_runs(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines().map(str::trim) {
        let words =
            line.split(' ').map(|word| match word.strip_prefix('[').and_then(|w| w.strip_suffix(']')) {
                Some(_) => "[fingerprint]",
                None => word,
            });
        let words: Vec<&str> = words.collect();
        for (at, word) in words.iter().enumerate() {
            let unit = words.get(at + 1).copied().unwrap_or_default();
            let varies =
                matches!(unit, "rules" | "ms" | "s") && word.starts_with(|c: char| c.is_ascii_digit());
            out += if varies { "N" } else { word };
            out.push(' ');
        }
        out.push('\n');
    }
    out.trim().to_owned()
}
