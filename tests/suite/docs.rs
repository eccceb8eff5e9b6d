//! What the documentation says is so: commands are understood, links lead somewhere, tests that are named exist.

#[path = "../../examples/rule_reference.rs"]
#[allow(dead_code)]
mod rule_reference;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::cli_support::{Run, stanch};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The files below a folder of this repository with an extension, sorted.
pub fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let mut folders = vec![root().join(folder)];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == extension) {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

/// Everything that is written for people, in Markdown; not what is generated.
pub fn pages() -> Vec<PathBuf> {
    let mut pages: Vec<PathBuf> =
        ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"]
            .map(|page| root().join(page))
            .to_vec();
    pages.extend(files("docs/src", "md").into_iter().filter(|page| !page.ends_with("rules.md")));
    pages
}

/// A block between fences: its language, and its text.
pub fn blocks(text: &str) -> Vec<(String, String)> {
    let mut blocks: Vec<(String, String)> = Vec::new();
    let mut open = false;
    for line in text.lines() {
        let line = line.trim_start();
        match line.strip_prefix("```") {
            Some(_) if open => open = false,
            Some(language) => {
                open = true;
                blocks.push((language.to_owned(), String::new()));
            }
            None if open => {
                let (_, text) = blocks.last_mut().unwrap();
                *text += line;
                text.push('\n');
            }
            None => {}
        }
    }
    assert!(!open, "a block does not end");
    blocks
}

/// The simple commands of a line of shell, each as its words. What expands is left as it stands.
pub fn commands(line: &str) -> Vec<Vec<String>> {
    let mut commands = vec![Vec::new()];
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in line.chars() {
        match (quote, c) {
            (Some(q), c) if c == q => quote = None,
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, '#') if word.is_none() => break,
            (None, c) if c.is_whitespace() || "|&;>()".contains(c) => {
                commands.last_mut().unwrap().extend(word.take());
                if "|&;()".contains(c) {
                    commands.push(Vec::new());
                }
                if c == '>' {
                    // Where output goes is no argument.
                    commands.last_mut().unwrap().push(">".to_owned());
                }
            }
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    commands.last_mut().unwrap().extend(word);
    for command in &mut commands {
        let end = command.iter().position(|word| word == ">").unwrap_or(command.len());
        command.truncate(end);
    }
    commands
}

/// Commands in blocks for a shell or a terminal.
fn commands_of_blocks(text: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for (language, text) in blocks(text) {
        let text = text.replace("\\\n", " ");
        for line in text.lines() {
            let line = match language.as_str() {
                "console" => line.strip_prefix("$ ").unwrap_or_default(),
                "sh" => line,
                _ => "",
            };
            found.extend(commands(line));
        }
    }
    found
}

/// Commands between backticks in a running text. Those with alternatives or gaps are not meant to be typed.
pub fn commands_in_text(text: &str) -> Vec<Vec<String>> {
    let inline = text.lines().flat_map(|line| line.split('`').skip(1).step_by(2).map(ToOwned::to_owned));
    let typed =
        inline.filter(|code| code.starts_with("stanch ") && !code.contains(['|', '…', '[', '{', '<']));
    typed.flat_map(|code| commands(&code)).collect()
}

/// What the command line says to a command; None when it is understood, or `may_be_named` and it is a subcommand without
/// what it needs.
pub fn complaint(words: &[String], may_be_named: bool) -> Option<String> {
    let error = stanch::cli::command().try_get_matches_from(words).err()?;
    let kind = format!("{:?}", error.kind());
    // A subcommand may be named without what it needs, and a value by a word in capitals.
    let only_names = words.iter().all(|word| word.chars().all(|c| c.is_ascii_lowercase() || c == '-'));
    let needs =
        ["MissingRequiredArgument", "DisplayHelpOnMissingArgumentOrSubcommand"].contains(&kind.as_str());
    let stands_for = |word: &String| word.len() > 1 && word.chars().all(|c| c.is_ascii_uppercase());
    let excused = may_be_named && only_names && needs
        || kind == "InvalidValue" && words.iter().any(stands_for)
        || !error.use_stderr();
    (!excused).then(|| format!("{}: {error}", words.join(" ")))
}

#[test]
fn commands_are_understood() {
    let mut seen = BTreeSet::new();
    let mut wrong = String::new();
    let mut check = |path: &Path, found: Vec<Vec<String>>| {
        for mut words in found {
            words.drain(..words.iter().take_while(|word| word.contains('=')).count());
            if words.first().is_some_and(|word| word == "stanch") && seen.insert(words.clone()) {
                wrong.extend(complaint(&words, true).map(|why| format!("{}: {why}\n", path.display())));
            }
        }
    };
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        check(&page, commands_of_blocks(&text));
        check(&page, commands_in_text(&text));
    }
    // Help, messages and comments.
    for source in files("src", "rs").into_iter().chain(files("ci", "sh")) {
        check(&source, commands_in_text(&fs::read_to_string(&source).unwrap()));
    }
    let hooks = root().join(".pre-commit-hooks.yaml");
    let text = fs::read_to_string(&hooks).unwrap();
    check(
        &hooks,
        text.lines().filter_map(|line| line.trim().strip_prefix("entry: ")).flat_map(commands).collect(),
    );
    assert!(wrong.is_empty(), "{wrong}");
    assert!(seen.len() > 40, "{seen:#?}");
}

#[test]
fn a_wrong_command_would_be_seen() {
    let text = "```sh\nX=1 stanch history --rang A..B | cat # stanch nothing\n```\nUse `stanch skan .` here.";
    let found = [commands_of_blocks(text), commands_in_text(text)].concat();
    let stanch: Vec<_> = found.iter().filter(|words| words.iter().any(|word| word == "stanch")).collect();
    assert_eq!(stanch.len(), 2, "{found:?}");
    assert!(complaint(&stanch[0][1..], true).is_some() && complaint(stanch[1], true).is_some());
}

#[test]
fn links_lead_somewhere() {
    let mut links = 0;
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for (at, _) in text.match_indices("](") {
            let target = text[at + 2..].split(')').next().unwrap();
            if target.starts_with("https://") || target.starts_with("http://") {
                continue;
            }
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let to = if file.is_empty() { page.clone() } else { page.parent().unwrap().join(file) };
            if to.ends_with("docs/src/rules.md") {
                continue;
            }
            let there = fs::read_to_string(&to);
            assert!(there.is_ok(), "{}: {target} is not there", page.display());
            if !anchor.is_empty() {
                let headings = there.unwrap().lines().filter_map(heading).collect::<Vec<_>>();
                assert!(headings.iter().any(|h| h == anchor), "{}: {target}: {headings:?}", page.display());
            }
            links += 1;
        }
    }
    assert!(links > 20, "{links}");
}

/// The name of a heading, as links have it.
fn heading(line: &str) -> Option<String> {
    let text = line.strip_prefix('#')?.trim_start_matches('#').trim();
    let lower = text.to_lowercase();
    let name = lower.chars().filter_map(|c| match c {
        ' ' => Some('-'),
        c if c.is_alphanumeric() || "-_".contains(c) => Some(c),
        _ => None,
    });
    Some(name.collect())
}

#[test]
fn every_page_is_in_the_summary() {
    let summary = fs::read_to_string(root().join("docs/src/SUMMARY.md")).unwrap();
    for page in files("docs/src", "md") {
        let name = page.file_name().unwrap().to_str().unwrap();
        assert!(
            name == "SUMMARY.md" || summary.contains(&format!("]({name})")),
            "{name} is not in the summary"
        );
    }
}

#[test]
fn promises_name_tests_that_exist() {
    let page = fs::read_to_string(root().join("docs/src/promises.md")).unwrap();
    let mut named = 0;
    for code in page.split('`').skip(1).step_by(2).filter(|code| code.contains("::")) {
        let (module, test) = code.rsplit_once("::").unwrap();
        let path = module.replace("::", "/");
        let files = [format!("tests/suite/{path}.rs"), format!("tests/suite/{path}/mod.rs")];
        let text = files.iter().find_map(|file| fs::read_to_string(root().join(file)).ok());
        let text = text.unwrap_or_else(|| panic!("{code}: there is no such module"));
        let at = text.find(&format!("fn {test}(")).unwrap_or_else(|| panic!("{code}: there is no such test"));
        let before = text[..at].trim_end();
        let attributes = before.rsplit("\n\n").next().unwrap();
        assert!(attributes.contains("#[test]") && !attributes.contains("#[ignore"), "{code} is no test");
        named += 1;
    }
    assert!(named > 30, "{named}");
    for line in page.lines().filter(|line| line.starts_with("| **")) {
        assert!(line.contains("::"), "a promise without a test: {line}");
    }
}

#[test]
fn configurations_of_the_manual_are_understood() {
    let mut checked = 0;
    for page in pages() {
        if page.ends_with("CONTRIBUTING.md") || page.ends_with("policy.md") {
            // Those of the pack, which build.rs reads; one that extends a file, which has a test of its own.
            continue;
        }
        for (language, text) in blocks(&fs::read_to_string(&page).unwrap()) {
            if language == "toml" {
                let scanner = stanch::Scanner::from_config(&text);
                assert!(scanner.is_ok(), "{}: {}", page.display(), scanner.unwrap_err());
                checked += 1;
            }
        }
    }
    assert!(checked >= 2, "{checked}");
}

#[test]
fn the_readme_and_the_help_name_every_format() {
    let page = fs::read_to_string(root().join("README.md")).unwrap();
    let help = Run::of(&mut stanch(root(), ["scan", "--help"])).exits(0).stdout;
    for format in stanch::report::Format::ALL {
        assert!(page.contains(&format!("`{}`", format.name())), "README.md does not name {}", format.name());
        assert!(help.contains(format.name()), "{help}");
    }
}

#[test]
fn the_page_of_rules_names_every_rule_once() {
    let page = rule_reference::page();
    for rule in stanch::rules::builtin() {
        assert_eq!(page.matches(&format!("\n| `{}` |", rule.id)).count(), 1, "{}", rule.id);
    }
    for line in page.lines().filter(|line| line.starts_with("| `")) {
        assert_eq!(line.replace("\\|", "").matches('|').count(), 6, "{line}");
    }
}

#[test]
fn every_shell_has_completions_and_there_is_a_manual_page() {
    let run = |args: &[&str]| Run::of(&mut stanch(root(), args)).exits(0).stdout;
    for (shell, sign) in [
        ("bash", "complete -F _stanch"),
        ("zsh", "#compdef stanch"),
        ("fish", "complete -c stanch"),
        ("powershell", "Register-ArgumentCompleter -Native -CommandName 'stanch'"),
        ("elvish", "set edit:completion:arg-completer[stanch]"),
    ] {
        let script = run(&["completions", shell]);
        assert!(script.contains(sign) && script.contains("history"), "{shell}: {script}");
    }
    assert!(run(&["man"]).contains(".TH stanch 1"));
    let wrong = Run::of(&mut stanch(root(), ["completions", "tcsh"])).exits(2);
    assert!(wrong.stderr.contains("elvish"), "{wrong:?}");
}
