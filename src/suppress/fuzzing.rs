//! What fuzz targets call: everything that says which finds are known or allowed.

use std::borrow::Cow;
use std::path::Path;

use super::Subject;
use super::baseline::fuzzing::ours;
use super::fingerprint::Fingerprinter;
use super::foreign::{Foreign, is_foreign};
use super::ignorefile::IgnoreFile;
use super::inline::marker_and_lines;
use crate::finding::{Finding, Location, Position, Secret};

/// Baselines of all tools, ignore lists, markers in a text; the first byte says which.
pub fn baselines(data: &[u8]) {
    let Some((&which, data)) = data.split_first() else { return };
    match which & 3 {
        0 => ours(data),
        1 => foreign(data),
        2 => ignored(data),
        _ => markers(data),
    }
}

fn foreign(data: &[u8]) {
    is_foreign(data);
    let Ok(foreign) = Foreign::load(Path::new("baseline.json"), data.to_vec()) else { return };
    let mut findings = Vec::new();
    for path in foreign.paths() {
        findings.push(finding(path, 1));
        findings.push(finding(path, 2));
    }
    for finding in &findings {
        foreign.knows(finding, &["github-pat".to_owned()], |path| Cow::Borrowed(path));
    }
    let content = |_: &str| Some(b"one = 'value-of-one'\ntwo = \"value-of-two\"\n".to_vec());
    let imported = foreign.import(&findings, &Fingerprinter::new(None, None), content, |_| Vec::new());
    assert!(imported.entries.len() <= foreign.len() * (findings.len() + 1));
    assert!(imported.entries.is_sorted_by(|a, b| a.fingerprint < b.fingerprint));
}

fn finding(path: &str, line: u64) -> Finding {
    Finding {
        rule: "github-pat".into(),
        location: Location {
            path: Some(path.into()),
            start: Position { line, column: 7 },
            end: Position { line, column: 19 },
            ..Location::default()
        },
        secret: Secret::new(if line == 1 { b"value-of-one" } else { b"value-of-two" }, 0),
        ..Finding::blank()
    }
}

fn ignored(data: &[u8]) {
    let mut file = IgnoreFile::default();
    let Ok(warnings) = file.add(Path::new(".gitleaksignore"), data.to_vec()) else { return };
    assert!(warnings.iter().all(|warning| !warning.message.is_empty()) && warnings.len() <= data.len());
    for entry in file.iter() {
        assert!(file.contains(entry.commit.as_deref(), entry.path.as_bytes(), &entry.rule, entry.line));
    }
}

/// A find of six bytes at each place of the text in turn.
fn markers(data: &[u8]) {
    for at in (0..data.len()).step_by(1 + data.len() / 64) {
        let span = at..(at + 6).min(data.len());
        let subject = Subject {
            rule: "github-pat",
            aliases: &[Cow::Borrowed("gh")],
            rule_allowlists: &[],
            text: data,
            span: span.clone(),
            secret_span: span.clone(),
            secret: &data[span.clone()],
            matched: &data[span.clone()],
            path: None,
            commit: None,
        };
        if let Some((_, lines)) = marker_and_lines(&subject) {
            assert!(
                lines.start <= span.start && span.end <= lines.end.max(span.end) && lines.end <= data.len()
            );
        }
    }
}
