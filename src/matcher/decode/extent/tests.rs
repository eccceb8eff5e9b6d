//! How far a change can reach, to the byte.

use super::*;

const LINE: &str = "abcdefghijklmnop";

#[test]
fn lines_end_where_they_end() {
    for (text, at, expected) in [
        ("ab\ncd", 0, 2),
        ("ab\ncd", 1, 2),
        ("ab\ncd", 2, 2),
        ("ab\ncd", 3, 5),
        ("ab\rcd", 1, 2),
        ("ab\0cd", 1, 2),
        ("", 0, 0),
    ] {
        assert_eq!(line_end(text.as_bytes(), at), expected, "{text:?} {at}");
    }
    let long = vec![b'w'; 2 * MAX_LINE];
    assert_eq!((line_end(&long, 7), line_end(&long, 2 * MAX_LINE - 3)), (7 + MAX_LINE, 2 * MAX_LINE));
}

/// Where the search begins: near, or at the first of the lines that may be one run.
#[test]
fn a_search_begins_early_enough_and_no_earlier() {
    let words = vec![b'w'; 4000];
    // Words of one letter hide no run of another line, so that only the line counts.
    let marks = vec![b','; 4000];
    assert_eq!(before(&marks, 2000, 0), 2000 - SLACK - MAX_LINE - 1 - 3);
    assert_eq!(before(&marks, 2000, 1990), 1990);
    assert_eq!(before(&marks, 2000, 2100), 2000);
    assert_eq!(before(&words, 2000, 0), 0, "a run goes on");
    assert_eq!(before(b"", 0, 0), 0);
    let lines = [&marks[..], b"\n", &marks[..100]].concat();
    assert_eq!(before(&lines, 4050, 0), 4000 - 3);
}

#[test]
fn lines_that_may_be_one_run_from_behind() {
    let text = |parts: &[&str]| parts.concat();
    for (text, floor, expected) in [
        (text(&[LINE]), 0, 0),
        (text(&[".", LINE]), 0, 1),
        (text(&[".", LINE, "\n", LINE]), 0, 1),
        // A line of fifteen characters does not go on.
        (text(&[".", &LINE[1..], "\n", LINE]), 0, 17),
        (text(&[&LINE[1..], "\n", LINE]), 0, 0),
        (text(&[".", LINE, "\n", LINE, "\n", LINE]), 0, 1),
        (text(&[".", LINE, "\n", &LINE[1..], "\n", LINE]), 0, 34),
        // What is before the floor was searched.
        (text(&[".", LINE, "\n", LINE]), 1, 1),
        (text(&[".", LINE, "\n", LINE]), 5, 5),
        (text(&[".", LINE, "\n", LINE]), 18, 18),
        (text(&[".", LINE, "\n", LINE]), 20, 20),
        // A written line break, whose letter looks like a part of the run.
        (text(&[".", LINE, "\\n", LINE]), 0, 1),
        (text(&[".", LINE, "\\r\\n", LINE]), 0, 1),
        (text(&[".", LINE, ".n", LINE]), 0, 18),
        (text(&[".", LINE, "\\", LINE]), 0, 18),
    ] {
        assert_eq!(wrapped_start(text.as_bytes(), text.len(), floor), expected, "{text:?} {floor}");
    }
}

#[test]
fn lines_that_may_be_one_run() {
    let text = |parts: &[&str]| parts.concat();
    for (text, expected) in [
        (text(&[LINE]), 16),
        (text(&[LINE, "."]), 16),
        (text(&[LINE, "\n", LINE, "."]), 33),
        (text(&[LINE, "\n", LINE, "\n", LINE, "."]), 50),
        // A line of fifteen characters is the last.
        (text(&[LINE, "\n", &LINE[1..], "\n", LINE]), 32),
        (text(&[LINE, "\n", "\n", LINE]), 17),
        (text(&["ab", "\n", LINE, "."]), 19),
    ] {
        assert_eq!(wrapped_end(text.as_bytes(), 0), expected, "{text:?}");
    }
}

#[test]
fn a_search_ends_late_enough_and_no_later() {
    let marks = vec![b','; 4000];
    assert_eq!(after(&marks, 1000), 1000 + SLACK + MAX_LINE + SLACK);
    assert_eq!(after(&marks, 0), SLACK + MAX_LINE + SLACK);
    assert_eq!((after(&marks, 3999), after(&marks, 4000), after(b"", 0)), (4000, 4000, 0));
    let lines = [&marks[..100], b"\n", &marks[..]].concat();
    assert_eq!(after(&lines, 50), 100 + SLACK);
    // A line that ends in `=` may go on in the next.
    let soft = [&marks[..100], b"=\n", &marks[..50], b"\n", &marks[..]].concat();
    assert_eq!(after(&soft, 50), 152 + SLACK);
}
