//! `stanch rules`, and what is said of rules that cannot be used.

use serde_json::Value;

use super::cli_support::{Run, stanch};
use super::git_support::Sandbox;

fn rules(dir: &Sandbox, args: &[&str]) -> Run {
    Run::of(&mut stanch(dir.path(), [&["rules"], args].concat()))
}

fn json(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap_or_else(|e| panic!("{e}: {run:#?}"))
}

#[test]
fn every_rule_is_listed_and_shown() {
    let dir = Sandbox::empty();
    let list = json(&rules(&dir, &["list", "--format", "json"]).exits(0));
    let list = list.as_array().unwrap();
    assert_eq!(list.len(), stanch::rules::builtin().len());
    let text = rules(&dir, &["list"]).exits(0).stdout;
    assert_eq!(text.lines().count(), list.len());
    for key in ["id", "description", "category", "severity", "confidence"] {
        assert!(list.iter().all(|rule| rule[key].as_str().is_some_and(|text| !text.is_empty())), "{key}");
    }
    // By its own id, and by another's name for it.
    for id in ["aws-access-token", "aws-access-key-id"] {
        let rule = json(&rules(&dir, &["show", id, "--format", "json"]).exits(0));
        assert_eq!(rule["id"], "aws-access-token");
        assert_eq!(rule["parts"][0]["id"], "aws-secret-access-key");
        assert!(rule["revoke"].as_str().unwrap().len() > 10 && rule["tests"]["match"].as_u64() >= Some(2));
    }
    let text = rules(&dir, &["show", "github-pat"]).exits(0).stdout;
    assert!(text.contains("revoke") && text.contains("tests") && text.contains("GitHub"), "{text}");
}

#[test]
fn a_rule_that_is_not_there() {
    let dir = Sandbox::empty();
    let run = rules(&dir, &["show", "github-pta"]).exits(2);
    assert!(run.stderr.contains("did you mean `github-pat`"), "{}", run.stderr);
}

const GOOD: &str = r#"
[[rules]]
id = "corp-token"
description = "Token of the corporation"
regex = 'corp_[a-z0-9]{20}'
match = ["key = ⟦corp_‹base36:20›⟧", "⟦corp_‹base36:20›⟧"]
reject = ["corp_‹base36:10›", "corporation"]
"#;

#[test]
fn the_tests_of_a_file_are_run() {
    let dir = Sandbox::empty();
    dir.write("good.toml", GOOD);
    let report = json(&rules(&dir, &["check", "good.toml", "--format", "json"]).exits(0));
    assert_eq!((report["rules"].as_u64(), report["tests"].as_u64()), (Some(1), Some(4)));
    assert_eq!((&report["failures"], &report["never"]), (&json_empty(), &json_empty()));
    assert_eq!(report["micros_per_mib"][0]["rule"], "corp-token");
    // Another rule for the same, one whose keyword stands everywhere, one that cannot match, a failing test.
    let more = r#"
        [[rules]]
        id = "corp-token-too"
        regex = 'rp_[a-z0-9]{20}|corp_[a-z0-9]{20}'
        [[rules]]
        id = "common"
        regex = 'function[a-z0-9]{20}'
        [[rules]]
        id = "too-random"
        regex = 'abc_[a-z]{4}'
        entropy = 4.5
        [[rules]]
        id = "contradiction"
        regex = 'xyz_[a-z0-9]{20}'
        match = ["⟦xyz_‹base36:19›⟧"]
        reject = ["xyz_‹base36:20›"]
    "#;
    dir.write("bad.toml", format!("{GOOD}{more}"));
    let report = json(&rules(&dir, &["check", "bad.toml", "--format", "json"]).exits(1));
    let named = |list: &str, key: &str| -> Vec<String> {
        report[list].as_array().unwrap().iter().map(|it| it[key].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(named("failures", "rule"), ["contradiction", "contradiction"]);
    assert_eq!(named("failures", "field"), ["match", "reject"]);
    assert_eq!(named("never", "rule"), ["too-random"]);
    assert_eq!(
        (named("overlaps", "rule"), named("overlaps", "also")),
        (vec!["corp-token".to_owned()], vec!["corp-token-too".to_owned()])
    );
    assert_eq!(named("common", "literal"), ["function"]);
    let text = rules(&dir, &["check", "bad.toml"]).exits(1).stdout;
    for line in [
        "failed: contradiction: match[0]",
        "never matches: too-random",
        "overlap: corp-token-too",
        "common: `function`",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
}

fn json_empty() -> Value {
    Value::Array(Vec::new())
}

#[test]
fn rules_of_gitleaks_are_checked_too() {
    let dir = Sandbox::empty();
    dir.write(
        ".gitleaks.toml",
        "[[rules]]\nid = 'corp'\nregex = '''corp_[a-z0-9]{20}'''\nkeywords = ['corp_']\n",
    );
    let report = json(&rules(&dir, &["check", ".gitleaks.toml", "--format", "json"]).exits(0));
    assert_eq!(report["rules"], 1);
}

#[test]
fn rules_that_cannot_be_used_are_errors_with_their_place() {
    let rule = |rest: &str| format!("[[rules]]\nid = 'a'\n{rest}\n");
    let pair = format!("{}{}", rule("regex = 'abc_[a-z]{9}'"), rule("regex = 'abd_[a-z]{9}'"));
    for (text, line, says) in [
        (rule("regex = '(abc_)?'"), 3, "empty string"),
        (rule("regex = '(abc_'"), 3, ""),
        (rule("regex = 'abc_[a-z]{9}'\nkeywords = ['a']"), 4, "too short"),
        (rule("regex = 'abc_[a-z]{9}'\nchecksum = 'nope'"), 4, "no checksum `nope`"),
        (rule("regex = 'abc_[a-z]{9}'\nmatch = ['⟦abc_1⟧']"), 4, "fails its test"),
        (rule("regex = 'abc_[a-z]{9}'\nmatch = []\nreject = ['abc_‹lower:9›']"), 5, "fails its test"),
        (rule("regex = 'abc_[a-z]{9}'\nmatch = ['⟦abc_']"), 4, "`⟦` without `⟧`"),
        (pair, 5, "`a`"),
    ] {
        let dir = Sandbox::empty();
        dir.write(".stanch.toml", &text);
        dir.write("a.txt", "nothing\n");
        let run = Run::of(&mut stanch(dir.path(), ["scan"])).exits(2);
        assert!(run.stderr.contains(says), "{text}: {}", run.stderr);
        let place = format!(".stanch.toml:{line}:");
        let column = run.stderr.split(&place).nth(1).unwrap_or_else(|| panic!("{text}: {}", run.stderr));
        assert!(column.starts_with(|c: char| ('1'..='9').contains(&c)), "{text}: {}", run.stderr);
    }
}

#[test]
fn ten_thousand_rules() {
    let dir = Sandbox::empty();
    let rule = |i: u32| format!("[[rules]]\nid = 'r{i}'\nregex = 'tok{i:05}_[a-z0-9]{{12}}'\n");
    dir.write(".stanch.toml", (0..10_000).map(rule).collect::<String>());
    let value = format!("tok09{}_{}", "999", "q7w3e9r1t5z2");
    dir.write("a.txt", format!("x = {value}\n"));
    let report = Run::of(&mut stanch(dir.path(), ["scan", "a.txt", "--format", "json"])).exits(1).report();
    assert_eq!(report.places(), ["a.txt:1:5 r9999"]);
    // More than can be told apart are an error that names the first that is too many.
    dir.write(".stanch.toml", (0..66_000).map(rule).collect::<String>());
    let run = Run::of(&mut stanch(dir.path(), ["scan", "a.txt"])).exits(2);
    assert!(run.stderr.contains("more than 65535 rules"), "{}", run.stderr);
}
