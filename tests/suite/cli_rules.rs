//! `stanch rules`: lists, shows and checks.

use super::cli_support::{Run, stanch};
use super::git_support::Sandbox;

fn rules(repo: &Sandbox, args: &[&str]) -> Run {
    Run::of(stanch(repo.path(), ["rules"]).args(args))
}

#[test]
fn list_has_the_rules_in_force() {
    let repo = Sandbox::new();
    let all = rules(&repo, &["list"]).exits(0).stdout;
    assert_eq!(all.lines().count(), stanch::RuleSet::builtin().len());
    let few = rules(&repo, &["list", "GitHub"]).exits(0).stdout;
    assert!(few.lines().count() < 100 && few.contains("github-pat  "), "{few}");
    repo.write(
        ".stanch.toml",
        "[extend]\ndisabledRules = ['github-pat']\n[[rules]]\nid = 'corp-token'\nregex = 'corp_[a-z0-9]{20}'\n",
    );
    let changed = rules(&repo, &["list"]).exits(0).stdout;
    assert!(changed.lines().any(|line| line.starts_with("corp-token ")), "{changed}");
    assert!(!changed.lines().any(|line| line.starts_with("github-pat ")), "{changed}");
    let none = rules(&repo, &["list", "no such word"]).exits(2);
    assert!(none.stderr.contains("no rule in force has the word"), "{none:?}");
}

#[test]
fn show_says_what_a_rule_is_and_what_to_do() {
    let repo = Sandbox::new();
    let shown = rules(&repo, &["show", "github-pat"]).exits(0).stdout;
    for line in ["rule         github-pat", "severity     critical", "checksum     github"] {
        assert!(shown.lines().any(|l| l == line), "{line}: {shown}");
    }
    assert!(shown.lines().any(|line| line.starts_with("revoke       ")), "{shown}");
    let wrong = rules(&repo, &["show", "github-pad"]).exits(2);
    assert!(wrong.stderr.contains("did you mean `github-pat`"), "{wrong:?}");
}

#[test]
fn check_runs_the_tests_of_a_files_rules() {
    let repo = Sandbox::new();
    let rule =
        |tests: &str| format!("[[rules]]\nid = 'corp-token'\nregex = 'corp_[a-z0-9]{{20}}'\n{tests}\n");
    let cases = [
        ("match = ['x = ⟦corp_‹base36:20›⟧']\nreject = ['corp_‹base36:10›']", 0, "2 tests, 0 failed"),
        ("match = ['x = ⟦corp_‹base36:10›⟧']", 1, "`match` test is not found"),
        ("match = ['⟦x = corp_‹base36:20›⟧']", 1, "`match` test is not found"),
        ("reject = ['corp_‹base36:20›']", 1, "`reject` test is found"),
        ("match = ['⟦corp_']", 1, "`⟦` without `⟧`"),
    ];
    for (tests, code, words) in cases {
        repo.write("policy.toml", rule(tests));
        let checked = rules(&repo, &["check", "policy.toml"]).exits(code);
        assert!(checked.stdout.contains(words), "{tests}: {checked:?}");
    }
    repo.write("policy.toml", "[[rules]]\nid = 'x'\nregex = '('\n");
    let wrong = rules(&repo, &["check", "policy.toml"]).exits(2);
    assert!(wrong.stderr.contains("policy.toml:3"), "{wrong:?}");
    rules(&repo, &["check", "nowhere.toml"]).exits(2);
}
