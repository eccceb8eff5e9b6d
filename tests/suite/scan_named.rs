//! Files that are known by their name to hold a secret.

use super::cli_support::{Run, letters, scan, stanch};
use super::git_support::Sandbox;

#[test]
fn a_file_is_reported_for_its_name_when_nothing_else_is_found_in_it() {
    let dir = Sandbox::new();
    let key = letters(7, 32);
    dir.write("config/master.key", format!("\n{key}\n"));
    dir.write("config/master.key.example", format!("{key}\n"));
    dir.write("web/config/master.key", "\n");
    let report = scan(dir.path(), ["."]).exits(1).report();
    assert_eq!(report.places(), ["config/master.key:2:1 rails-master-key"]);
    assert!(!report.findings()[0].to_string().contains(&key), "its content is a secret");
    // The same of what is staged.
    dir.git(["add", "--all"]);
    let report = Run::of(&mut stanch(dir.path(), ["scan", "--staged", "--format", "json"])).exits(1).report();
    assert_eq!(report.places(), ["config/master.key:2:1 rails-master-key"]);
}

#[test]
fn rules_for_paths_of_a_configuration() {
    let dir = Sandbox::empty();
    dir.write(
        ".stanch.toml",
        "[[rules]]\nid = 'dump'\npath = '\\.dmp$'\n[[allowlists]]\npaths = ['^old/']\n",
    );
    dir.write("a.dmp", "content of the dump");
    dir.write("old/a.dmp", "content of the dump");
    let report = scan(dir.path(), ["."]).exits(1).report();
    assert_eq!(report.places(), ["a.dmp:1:1 dump"]);
    let run = Run::of(&mut stanch(dir.path(), ["scan", "--disable-rule", "dump"])).exits(0);
    assert!(run.stdout.contains("No secrets"), "{}", run.stdout);
}
