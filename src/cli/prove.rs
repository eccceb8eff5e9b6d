//! Rules against their own tests: what a rule says it finds and leaves alone, run through the whole scan.

use crate::config::{Config, Tree, TreeSource};
use crate::finding::{Confidence, Finding, Location, Status};
use crate::matcher::checksum;
use crate::rules::{Rule, RuleSet, template};
use crate::suppress::Policy;

use crate::scan::{Engine, Options, Session, Text};

/// A test that a rule fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The rule's key that holds the test: `match` or `reject`.
    pub field: &'static str,
    /// Place of the test in that list, from 0.
    pub index: usize,
    /// What is wrong; holds no secret.
    pub reason: String,
}

/// A rule by itself, ready to run: without the files that its pattern is for, and the rules that must match nearby.
///
/// # Errors
/// Why its pattern cannot be run.
pub fn alone(rule: &Rule) -> Result<Engine, String> {
    let rule = Rule {
        path: if rule.pattern.is_empty() { rule.path.clone() } else { "".into() },
        required: Vec::new().into(),
        skip_report: false,
        keywords: Vec::new().into(),
        ..rule.clone()
    };
    let rules = RuleSet::new(false, vec![rule], |_| true).map_err(|(_, reason)| reason)?;
    let tree = Tree::new(Config::default(), TreeSource::default()).map_err(|e| e.message)?;
    let policy = Policy::new(tree, jiff::civil::Date::ZERO).map_err(|_| "no policy".to_owned())?;
    let options = Options { min_confidence: Confidence::Low, archives: false, ..Options::default() };
    Ok(Engine::new(rules, policy, options))
}

/// Runs the tests of a rule: each marked secret must be found, and nothing that counts by default in the texts that
/// are to be left alone. The tests of a rule for paths are paths.
pub fn prove(rule: &Rule, engine: &Engine) -> Vec<Failure> {
    if rule.pattern.is_empty() {
        return prove_path(rule, engine);
    }
    let complete = |partial: &str| checksum::complete(&rule.checksum, partial);
    let mut failures = Vec::new();
    for (index, text) in rule.matches.iter().enumerate() {
        if let Err(reason) = template::expand(text, &complete).and_then(|test| is_found(engine, &test)) {
            failures.push(Failure { field: "match", index, reason });
        }
    }
    for (index, text) in rule.rejects.iter().enumerate() {
        let silent = template::expand(text, &complete).and_then(|test| {
            let counts = |f: &Finding| f.confidence >= Confidence::Medium && f.status == Status::New;
            match findings(engine, &test.text).iter().any(counts) {
                true => Err("the rule finds something in it".to_owned()),
                false => Ok(()),
            }
        });
        if let Err(reason) = silent {
            failures.push(Failure { field: "reject", index, reason });
        }
    }
    failures
}

fn prove_path(rule: &Rule, engine: &Engine) -> Vec<Failure> {
    let regex = engine.matcher().rules().path_regex(0);
    let matches = |path: &str| regex.is_none_or(|regex| regex.is_match(path));
    let wrong =
        |field, wanted: bool, reason: &str, paths: &[std::borrow::Cow<'static, str>]| -> Vec<Failure> {
            let failed = paths.iter().enumerate().filter(|(_, path)| matches(path) != wanted);
            failed.map(|(index, _)| Failure { field, index, reason: reason.to_owned() }).collect()
        };
    let mut failures = wrong("match", true, "the rule is not for this path", &rule.matches);
    failures.extend(wrong("reject", false, "the rule is for this path", &rule.rejects));
    failures
}

fn is_found(engine: &Engine, test: &template::Expanded) -> Result<(), String> {
    if test.secrets.is_empty() {
        return Err("no secret is marked: write it as `⟦secret⟧`".to_owned());
    }
    let found = findings(engine, &test.text);
    for secret in &test.secrets {
        if !found.iter().any(|f| f.secret.expose() == secret.as_bytes() && f.status == Status::New) {
            return Err(match found.is_empty() {
                true => "the rule finds nothing in it".to_owned(),
                false => "the rule finds something else in it than the marked secret".to_owned(),
            });
        }
    }
    Ok(())
}

fn findings(engine: &Engine, text: &str) -> Vec<Finding> {
    let mut session = Session::new(engine);
    let location = Location::default();
    session.examine(&Text::whole(text.as_bytes(), &location));
    session.outcome.findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::builtin;
    use crate::rules::compile::{Strictness, compile};
    use crate::rules::spec::{Defaults, RuleSpec};

    #[test]
    fn every_builtin_rule_passes_its_tests() {
        let mut failed = Vec::new();
        for rule in builtin().iter().filter(|rule| rule.detector.is_empty()) {
            let engine = alone(rule).unwrap();
            failed.extend(prove(rule, &engine).into_iter().map(|failure| (rule.id.clone(), failure)));
        }
        assert!(failed.is_empty(), "{failed:#?}");
    }

    #[test]
    fn every_builtin_rule_says_all_that_a_finding_needs() {
        let mut missing = Vec::new();
        for rule in builtin() {
            let remedy = &rule.remediation;
            let texts = [&rule.description, &remedy.opens, &remedy.revoke, &remedy.rotate];
            let complete = texts.iter().all(|text| text.len() > 8)
                && remedy.rotate_days > 0
                && !rule.references.is_empty()
                && rule.references.iter().all(|page| page.starts_with("https://"))
                && (remedy.url.is_empty() || remedy.url.starts_with("https://"));
            // What detectors find is tested by whole texts (tests/suite/generic_corpus).
            let tested = !rule.detector.is_empty() || rule.matches.len() >= 2 && rule.rejects.len() >= 2;
            if !(complete && tested) {
                missing.push(&rule.id);
            }
        }
        assert!(missing.is_empty(), "{missing:?}");
    }

    #[test]
    fn tests_that_contradict_their_rule_are_named() {
        let spec = RuleSpec {
            id: "x".into(),
            regex: Some("tok_[a-z0-9]{8}".into()),
            matches: vec!["⟦tok_‹alnum:0›a8f3k2m1⟧".into(), "⟦tok‹›en⟧".into(), "tok_".into(), "⟦".into()],
            reject: vec!["tok_".into(), "tok_‹alnum:0›q7w3k2m1".into()],
            ..RuleSpec::default()
        };
        let rule = compile(&spec, &Defaults::default(), Strictness::User, &|_| false).unwrap();
        let engine = alone(&rule).unwrap();
        let failed: Vec<_> = prove(&rule, &engine).into_iter().map(|f| (f.field, f.index)).collect();
        assert_eq!(failed, [("match", 1), ("match", 2), ("match", 3), ("reject", 1)]);
    }
}
