//! The corpus of passwords and generic secrets: every syntax, positive and negative, with its reason.

use stanch::finding::Confidence;
use stanch::matcher::generic::{Assignment, TRIGGERS, at_hit, dedup, plain};
use stanch::rules::template;
use stanch::verdict::filekind::FileKind;
use stanch::verdict::generic::judge;

const POSITIVE: &str = include_str!("generic_corpus/positive.txt");
const NEGATIVE: &str = include_str!("generic_corpus/negative.txt");

/// The cases of a file: its fields, the last of which is the template.
fn cases(corpus: &str, fields: usize) -> impl Iterator<Item = Vec<&str>> {
    let lines = corpus.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(move |line| {
        let parts: Vec<&str> = line.splitn(fields, " | ").collect();
        assert_eq!(parts.len(), fields, "{line}");
        parts
    })
}

fn expand(template: &str) -> (String, Vec<String>) {
    let expanded = template::expand(template, &|_| None).unwrap_or_else(|e| panic!("{template}: {e}"));
    (expanded.text.replace("\\n", "\n").replace("\\|", "|").replace("\\\\", "\\"), expanded.secrets)
}

fn find(text: &str) -> Vec<Assignment> {
    let text = text.as_bytes();
    let mut found = Vec::new();
    for at in 0..text.len() {
        for (i, trigger) in TRIGGERS.iter().enumerate() {
            if text[at..].get(..trigger.len()).is_some_and(|w| w.eq_ignore_ascii_case(trigger.as_bytes())) {
                at_hit(text, at, i, &mut found);
            }
        }
    }
    dedup(&mut found);
    found
}

/// Rule, value and reasons of what is reported at default confidence, and of what is not.
fn reported(file: &str, text: &str) -> (Vec<(&'static str, String)>, String) {
    let kind = FileKind::from_path(file.as_bytes());
    let mut found = Vec::new();
    let mut log = String::new();
    for a in find(text) {
        let value = plain(text[a.value.clone()].as_bytes(), &a.evidence);
        let judgement = judge(a.kind, &value, &a.evidence, kind);
        let value = String::from_utf8_lossy(&value).into_owned();
        log += &format!("    {} {value:?}: {judgement:?}\n", a.kind.id());
        assert!(!judgement.reasons.is_empty(), "{text}: every verdict has its reasons");
        if judgement.confidence >= Some(Confidence::Medium) {
            found.push((a.kind.id(), value));
        }
    }
    (found, log)
}

#[test]
fn secrets_in_every_syntax_are_reported() {
    let mut missed = String::new();
    for case in cases(POSITIVE, 4) {
        let (text, secrets) = expand(case[3]);
        let (found, log) = reported(case[0], &text);
        if !secrets.iter().all(|s| found.contains(&(case[1], s.clone()))) || secrets.is_empty() {
            missed += &format!("{}\n{log}", case.join(" | "));
        }
    }
    assert!(missed.is_empty(), "missed:\n{missed}");
}

#[test]
fn what_is_no_secret_is_not_reported() {
    let mut wrong = String::new();
    for case in cases(NEGATIVE, 3) {
        let (text, _) = expand(case[2]);
        let (found, log) = reported(case[0], &text);
        if !found.is_empty() {
            wrong += &format!("{}\n{log}", case.join(" | "));
        }
    }
    assert!(wrong.is_empty(), "falsely reported:\n{wrong}");
}

#[test]
fn the_corpus_is_large_and_says_why() {
    let (positive, negative) = (cases(POSITIVE, 4).count(), cases(NEGATIVE, 3).count());
    assert!(positive >= 240 && negative >= 240, "{positive} and {negative}");
    assert!(cases(POSITIVE, 4).all(|c| !c[2].is_empty()) && cases(NEGATIVE, 3).all(|c| !c[1].is_empty()));
}
