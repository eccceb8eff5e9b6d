//! What ARCHITECTURE.md says must not be there, is not there.
//!
//! The text of the sources is looked at, without comments and without tests.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::docs::files;

/// Which rooms a room may know besides itself.
const ROOMS: &[(&str, &[&str])] = &[
    ("finding", &[]),
    ("beside", &[]),
    ("memory", &[]),
    ("rules", &["finding"]),
    ("matcher", &["rules", "finding"]),
    ("verdict", &["matcher", "rules", "finding"]),
    ("config", &["rules", "finding"]),
    ("suppress", &["config", "rules", "finding", "beside"]),
    ("source", &["finding"]),
    ("report", &["finding"]),
    ("scan", &["source", "matcher", "verdict", "suppress", "rules", "finding", "beside"]),
    ("scanner", &["scan", "source", "matcher", "suppress", "config", "rules", "finding"]),
    ("fuzzing", &["cli", "config", "matcher", "report", "scan", "source", "suppress", "verdict"]),
    (
        "cli",
        &[
            "scanner", "scan", "source", "matcher", "verdict", "suppress", "config", "report", "rules",
            "finding", "memory", "beside",
        ],
    ),
];

/// Paths across rooms that are excused: whether bytes are a text is decided in one place only.
const EXCUSED: &[(&str, &str)] = &[("source/archive/leaf.rs", "matcher::decode::Encoding::of")];

/// What only some rooms (or files) may use. Everything else must not.
const ONLY: &[(&str, &[&str])] = &[
    // The command line and the terminal.
    ("clap::", &["cli"]),
    ("clap_complete::", &["cli"]),
    ("clap_mangen::", &["cli"]),
    ("anyhow::", &["cli"]),
    ("annotate_snippets::", &["cli"]),
    ("anstream::", &["cli"]),
    ("ctrlc::", &["cli"]),
    ("indicatif::", &["cli"]),
    // The one program that is run is looked for in absolute folders only.
    ("std::env", &["cli", "source/git/program.rs"]),
    ("env::var", &["cli"]),
    ("println!", &["cli"]),
    ("print!", &["cli"]),
    ("stdout()", &["cli"]),
    ("stderr()", &["cli"]),
    ("dbg!", &[]),
    // The clock: reports and policy are given the time.
    ("SystemTime::now", &["cli"]),
    ("Timestamp::now", &["cli"]),
    ("Instant::now", &["cli", "scan", "source"]),
    // Files.
    (
        "std::fs",
        &[
            "beside.rs",
            "cli",
            "config/discover.rs",
            "source",
            "suppress/baseline",
            "scan/history/git_dir.rs",
            "scan/history/cache/mod.rs",
        ],
    ),
    (
        "fs::",
        &[
            "beside.rs",
            "cli",
            "config/discover.rs",
            "source",
            "suppress/baseline",
            "scan/history/git_dir.rs",
            "scan/history/cache/mod.rs",
        ],
    ),
    (
        "File::open",
        &["cli", "config/discover.rs", "source", "suppress/baseline", "scan/history/cache/mod.rs"],
    ),
    // Nothing is executed, except `git` where a repository cannot be read otherwise; the network never.
    ("Command::new", &["cli", "source/git/program.rs"]),
    ("std::net", &[]),
    ("TcpStream", &[]),
    // Threads.
    ("rayon::", &["scan"]),
    ("thread::", &["cli", "scan", "source"]),
    // git2 is for questions about revisions and settings; objects are read by source::git.
    ("git2::", &["cli", "source"]),
    // Formats.
    ("serde_json::", &["cli", "report", "suppress/foreign"]),
    ("minijinja::", &["report"]),
    ("quick_xml::", &["report"]),
    ("ignore::", &["config", "source", "suppress"]),
    // Memory that the compiler does not check.
    (
        "unsafe ",
        &[
            "memory.rs",
            "source/git/map.rs",
            "matcher/decode/triggers.rs",
            "matcher/prefilter",
            // Which signals are ignored has no safe interface.
            "cli/interrupt.rs",
        ],
    ),
    ("unsafe{", &[]),
];

/// Files that are longer than a reader likes to hold in mind, and why.
const LONG: &[(&str, &str)] = &[];

/// Longest file, in lines.
const MAX_LINES: usize = 600;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(folder: &str) -> Vec<PathBuf> {
    files(folder, "rs")
}

/// A source file: its path below `src/`, and its text without comments and tests.
struct Source {
    path: String,
    code: String,
}

impl Source {
    fn room(&self) -> &str {
        self.path.split('/').next().unwrap().trim_end_matches(".rs")
    }
}

fn sources() -> Vec<Source> {
    let src = root().join("src");
    let files = rust_files("src").into_iter().filter(|path| !path.ends_with("tests.rs"));
    let sources: Vec<Source> = files
        .map(|path| Source {
            path: path.strip_prefix(&src).unwrap().to_str().unwrap().replace('\\', "/"),
            code: code_of(&fs::read_to_string(&path).unwrap()),
        })
        .collect();
    assert!(sources.len() > 100);
    sources
}

/// A file's code: no comments, nothing from its tests on, which come last, and `use std::{a, b}` also one by one.
fn code_of(text: &str) -> String {
    let end = text.find("#[cfg(test)]\nmod tests").unwrap_or(text.len());
    let lines = text[..end].lines().filter(|line| !line.trim_start().starts_with("//"));
    let code = lines.map(|line| line.split(" // ").next().unwrap_or(line)).collect::<Vec<_>>().join("\n");
    let groups =
        code.match_indices("use std::{").flat_map(|(at, found)| top_items(&code[at + found.len()..]));
    let single: String = groups.map(|item| format!("\nuse std::{item};")).collect();
    code + &single
}

/// What stands behind each `crate::` (or enough `super::` to reach the crate's root): `room::item…`.
fn crate_paths(source: &Source) -> Vec<String> {
    let depth = source.path.trim_end_matches("mod.rs").matches('/').count();
    let mut roots = vec!["crate::".to_owned()];
    // A file in a room is one `super` from it, and two from the root.
    roots.push("super::".repeat(depth + 1 - usize::from(source.path.ends_with("/mod.rs"))));
    let mut paths = Vec::new();
    for root in roots {
        for (at, _) in source.code.match_indices(root.as_str()) {
            let rest = &source.code[at + root.len()..];
            match rest.strip_prefix('{') {
                Some(group) => {
                    let group = group.split(';').next().unwrap_or_default();
                    paths.extend(top_items(group));
                }
                None => paths.push(path_at(rest)),
            }
        }
    }
    paths
}

fn path_at(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_' || *c == ':').collect()
}

/// The first segments of what stands in `{a::b, c::{d, e}, …}`.
fn top_items(group: &str) -> Vec<String> {
    let mut level = 0;
    let mut items = vec![String::new()];
    for c in group.chars() {
        match c {
            '{' => level += 1,
            '}' if level == 0 => break,
            '}' => level -= 1,
            ',' if level == 0 => items.push(String::new()),
            c if level == 0 && !c.is_whitespace() => items.last_mut().unwrap().push(c),
            _ => {}
        }
    }
    items.retain(|item| !item.is_empty());
    items
}

#[test]
fn rooms_know_only_the_rooms_they_may_know() {
    let mut wrong = String::new();
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let sources = sources();
    for source in sources.iter().filter(|s| !["lib.rs", "main.rs"].contains(&s.path.as_str())) {
        let allowed = ROOMS.iter().find(|(room, _)| *room == source.room());
        let (room, allowed) =
            allowed.unwrap_or_else(|| panic!("{}: a room that ARCHITECTURE.md does not name", source.path));
        *seen.entry(room).or_default() += 1;
        for path in crate_paths(source) {
            let target = path.split("::").next().unwrap();
            let is_room = ROOMS.iter().any(|(room, _)| *room == target);
            let excused = EXCUSED.contains(&(source.path.as_str(), path.as_str()));
            if is_room && target != *room && !allowed.contains(&target) && !excused {
                wrong += &format!("src/{} uses {path}\n", source.path);
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert_eq!(seen.len(), ROOMS.len(), "a room is gone: {seen:?}");
}

#[test]
fn what_only_some_may_use_is_used_nowhere_else() {
    let mut wrong = String::new();
    for source in sources() {
        for (what, only) in ONLY {
            let allowed = only.iter().any(|place| source.path.starts_with(place));
            let used = source.code.match_indices(what).find(|(at, _)| {
                // The beginning of a word, and no part of a longer path (`crate::x::fs::`).
                let before = source.code[..*at].chars().next_back();
                !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':')
            });
            if let Some((at, _)) = used.filter(|_| !allowed) {
                let line = source.code[at..].lines().next().unwrap_or_default();
                wrong += &format!("src/{} uses {what}: {line}\n", source.path);
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn what_the_build_script_includes_stands_alone() {
    let build = fs::read_to_string(root().join("build.rs")).unwrap();
    let included: Vec<&str> = build
        .lines()
        .filter_map(|line| line.strip_prefix("#[path = \"src/").and_then(|rest| rest.strip_suffix("\"]")))
        .collect();
    assert!(included.len() > 5, "{included:?}");
    for source in sources().iter().filter(|s| included.contains(&s.path.as_str())) {
        assert!(!source.code.contains("crate::"), "src/{} is part of build.rs", source.path);
    }
}

#[test]
fn main_only_calls_the_command_line() {
    let main = fs::read_to_string(root().join("src/main.rs")).unwrap();
    assert!(main.lines().count() < 40);
    let paths: Vec<&str> = main.lines().filter(|line| line.contains("stanch::")).collect();
    assert_eq!(paths, ["use stanch::memory::Counting;", "    stanch::cli::run()"]);
}

#[test]
fn files_can_be_held_in_mind() {
    for folder in ["src", "tests", "benches", "examples"] {
        for path in rust_files(folder) {
            let name = path.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/");
            let lines = fs::read_to_string(&path).unwrap().lines().count();
            let excused = LONG.iter().any(|(file, _)| *file == name);
            assert!(lines <= MAX_LINES || excused, "{name} has {lines} lines; at most {MAX_LINES}");
            assert!(lines > MAX_LINES || !excused, "{name} is short enough now: take it off the list");
        }
    }
}

#[test]
fn every_dependency_is_used_and_has_its_reason() {
    let manifest: toml::Table = fs::read_to_string(root().join("Cargo.toml")).unwrap().parse().unwrap();
    let page = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let code: String = sources().into_iter().map(|source| source.code + "\n").collect();
    let tests: String = ["src", "tests", "benches", "examples"]
        .iter()
        .flat_map(|folder| rust_files(folder))
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    for (table, text) in [("dependencies", &code), ("dev-dependencies", &tests)] {
        for name in manifest[table].as_table().unwrap().keys() {
            assert!(page.contains(&format!("| `{name}` |")), "ARCHITECTURE.md says nothing of {name}");
            let krate = name.replace('-', "_");
            let used = text.contains(&format!("{krate}::")) || text.contains(&format!("use {krate}"));
            assert!(used, "{name} is in [{table}] and not used");
        }
    }
}

#[test]
fn every_room_is_described() {
    let page = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    for (room, _) in ROOMS {
        assert!(page.contains(&format!("| `{room}")), "ARCHITECTURE.md does not describe {room}");
    }
}
