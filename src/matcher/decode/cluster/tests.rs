//! Clusters at their borders: which escapes belong to one, and what decides on it.

use super::super::{Budget, find, whole};
use super::*;

/// An escape that stands directly beside another belongs to its cluster, whichever is met first.
#[test]
fn adjoining_escapes_are_one_cluster() {
    for at in [0, 3, 6] {
        assert_eq!(around(b"%41%42%43", Kind::Percent, at).map(|found| found.range), Some(0..9), "{at}");
    }
    // From the second of these the first is near enough, from the third it is not.
    let text = format!("%41{}%42%43", "w".repeat(MAX_GAP - 2));
    let found = around(text.as_bytes(), Kind::Percent, text.len() - 3).map(|found| found.range);
    assert_eq!(found, Some(0..text.len()));
    assert_eq!(around(b"%41%4g", Kind::Percent, 3).map(|found| found.range), None);
}

/// Backslashes before an escape belong to it, seven more at most.
#[test]
fn an_escape_begins_with_its_first_backslash() {
    for slashes in 1..=8 {
        let text = format!("a{}x41", "\\".repeat(slashes));
        for at in 1..=slashes {
            let found = telling(text.as_bytes(), Kind::Backslash, at).unwrap();
            assert_eq!(leftmost(text.as_bytes(), Kind::Backslash, found).start, 1, "{text} {at}");
        }
    }
}

/// Joints are long: one is seen from its last byte, too.
#[test]
fn an_escape_over_a_place() {
    let joint = format!("\"abcdefgh\" +{}\"ijklmnop\"", " ".repeat(100));
    let (start, end) = (9, 9 + 3 + 100 + 1);
    for (at, expected) in [(start, None), (start + 1, Some(start)), (end - 1, Some(start)), (end, None)] {
        let found = escape_over(joint.as_bytes(), Kind::Joint, at);
        assert_eq!(found.map(|escape| escape.start), expected, "{at}");
    }
    for (at, expected) in [(2, None), (3, Some(2)), (4, Some(2)), (5, None)] {
        assert_eq!(escape_over(b"ab%41cd", Kind::Percent, at).map(|escape| escape.start), expected, "{at}");
    }
}

/// What stands behind a cluster decides on it up to what parts it from the next escape, or as far as one can begin.
#[test]
fn the_reach_behind_a_cluster() {
    let word = |n: usize| "w".repeat(n);
    for (behind, expected) in [
        (String::new(), MAX_GAP + 1),
        ("abc def".to_owned(), 4),
        (" ".to_owned(), 1),
        (word(MAX_GAP - 1) + " ", MAX_GAP),
        (word(MAX_GAP) + " ", MAX_GAP + 1),
        (word(MAX_GAP + 3) + " ", MAX_GAP + 4),
        (word(MAX_GAP + 6), MAX_GAP + 7),
        (word(MAX_GAP + 99), MAX_GAP + LONGEST_SIMPLE + 1),
    ] {
        let text = format!("%41{behind}");
        assert_eq!(reach_after(text.as_bytes(), Kind::Percent, 3), 3 + expected, "{behind}");
    }
    assert_eq!(reach_after(b"\"ab\"+\"cd\nef", Kind::Joint, 6), 8 + 1 + 2, "the glue, and two bytes");
}

/// A long word beside a joint is no word that was cut in two.
#[test]
fn only_a_word_around_a_joint_counts() {
    for (text, expected) in [
        ("abcdefghijklmnopqrst \"ab\" + \"cd\"", 0),
        ("\"ab\" + \"cd\" abcdefghijklmnopqrst", 0),
        ("x \"abcdefgh\" + \"ijklmnop\"", 1),
    ] {
        let mut out = Vec::new();
        find(text.as_bytes(), &whole(text.as_bytes()), &mut Budget::for_text(text.len()), &mut out);
        assert_eq!(out.len(), expected, "{text}");
    }
}
