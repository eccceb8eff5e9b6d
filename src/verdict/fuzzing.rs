//! What fuzz targets call: the finder of assignments, and the verdict on what it finds.

use super::filekind::FileKind;
use super::generic::{confidence, judge};
use crate::matcher::fuzzing::expanded;
use crate::matcher::generic::{
    Assignment, Kind, REACH_BACK, REACH_FORWARD, TRIGGERS, at_hit, dedup, plain, text_in_base64,
};

/// Paths of files of different kinds.
const PATHS: [&[u8]; 6] = [b"src/a.py", b".env", b"tests/b.rs", b"c.json", b"docs/d.md", b"deploy/e.yaml"];

/// Every trigger in a text; the first byte chooses the kind of file.
pub fn assignments(data: &[u8]) {
    let Some((&which, data)) = data.split_first() else { return };
    let text = &expanded(data)[..];
    let file = FileKind::from_path(PATHS[usize::from(which) % PATHS.len()]);
    let mut all = Vec::new();
    for (trigger, literal) in TRIGGERS.iter().enumerate() {
        let literal = literal.as_bytes();
        for at in 0..text.len().saturating_sub(literal.len() - 1) {
            if text[at..at + literal.len()].eq_ignore_ascii_case(literal) {
                let found = one(text, at, trigger);
                if which & 0x80 != 0 {
                    only_the_reach_counts(text, at, trigger, &found);
                }
                all.extend(found);
            }
        }
    }
    dedup(&mut all);
    for found in &all {
        let value = &text[found.value.clone()];
        let value = plain(value, &found.evidence);
        let judgement = judge(found.kind, &value, &found.evidence, file);
        assert_eq!(judgement.confidence, confidence(found.kind, &value, &found.evidence, file));
        text_in_base64(&value);
    }
    for kind in Kind::ALL {
        assert_eq!(Kind::ALL.get(kind.index()), Some(kind));
    }
}

fn one(text: &[u8], at: usize, trigger: usize) -> Vec<Assignment> {
    let mut found = Vec::new();
    at_hit(text, at, trigger, &mut found);
    for assignment in &found {
        for range in [&assignment.key, &assignment.value, &assignment.whole] {
            assert!(range.start <= range.end && range.end <= text.len(), "{assignment:?}");
            assert!(range.start + REACH_BACK >= at && range.end <= at + REACH_FORWARD, "{assignment:?}");
        }
        let Assignment { key, value, whole, .. } = assignment;
        assert!(whole.start <= key.start && whole.end >= value.end, "{assignment:?}");
    }
    found
}

/// What lies beyond the reach of a trigger does not change what it leads to.
fn only_the_reach_counts(text: &[u8], at: usize, trigger: usize, found: &[Assignment]) {
    let (first, last) = (at.saturating_sub(REACH_BACK), (at + REACH_FORWARD).min(text.len()));
    for filler in [b'x', b'\n', b'"', b' '] {
        let mut other = text.to_vec();
        other[..first].fill(filler);
        other[last..].fill(filler);
        assert_eq!(one(&other, at, trigger), found, "{filler} beyond {first}..{last} of {at}");
    }
}
