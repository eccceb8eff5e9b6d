//! Where decoded bytes came from, and where a scan may begin.

use super::*;

#[test]
fn a_byte_that_begins_a_line_comes_from_that_line() {
    let encoded = BASE64.encode(&(b'a'..=b'z').chain(b'a'..=b'j').collect::<Vec<u8>>());
    let found = all(wrapped(&encoded, 16, "\n").as_bytes());
    let place = |bytes: Range<usize>| found[0].source_range(bytes);
    assert_eq!((place(0..12), place(11..12)), (0..16, 14..16));
    assert_eq!((place(12..13), place(12..24), place(24..25)), (17..19, 17..33, 34..36));
    assert_eq!(place(11..13), 14..19, "the line break is between them");
}

#[test]
fn what_is_copied_and_how_much_around_it() {
    // A line feed, `bcd` as it is, `A`.
    let found = all(b"a %0abcd%41");
    for (range, before, after, expected) in [
        (1..4, 0, 0, true),
        (1..3, 0, 1, true),
        (2..4, 1, 0, true),
        (2..3, 1, 1, true),
        (1..4, 0, 1, false),
        (2..4, 0, 1, false),
        (1..4, 1, 0, false),
        (2..3, 2, 0, false),
        (0..1, 0, 0, false),
        (4..5, 0, 0, false),
        (1..5, 0, 0, false),
        (0..2, 0, 0, false),
    ] {
        assert_eq!(found[0].is_copied(&range, before, after), expected, "{range:?} {before} {after}");
    }
}

/// A scan begins where a run does, or behind its sixteenth byte if that was seen.
#[test]
fn a_scan_begins_between_runs() {
    let run = "abcdefghijklmnopqrst";
    for (text, from, floor, expected) in [
        (format!(".{run}."), 0, 0, 0),
        (format!(".{run}."), 1, 0, 1),
        (format!(".{run}."), 9, 0, 1),
        (format!(".{run}."), 22, 0, 22),
        (run.to_owned(), 9, 0, 0),
        (format!("{run}."), 6, 3, 17),
        (format!("{run}."), 3, 3, 17),
        (format!(".{run}."), 9, 1, 18),
        (format!("...{run}"), 9, 2, 3),
        // No further back than the floor.
        ("abcd".to_owned(), 3, 2, 2),
        ("abc.".to_owned(), 3, 1, 1),
    ] {
        assert_eq!(between_runs(text.as_bytes(), from, floor), expected, "{text} {from} {floor}");
    }
}

/// A text that comes in pieces is cut between characters: not inside of a unit, nor of a pair of them.
#[test]
fn cuts_are_between_characters() {
    let utf16: Vec<u8> = "\u{feff}a😀b".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut cuts: Vec<usize> = (0..=10).collect();
    let text = Encoding::of(&utf16).unwrap().decode(&utf16, &mut cuts);
    assert_eq!(text, "a😀b".as_bytes());
    assert_eq!(cuts, [0, 0, 0, 0, 1, 1, 1, 1, 5, 5, 6]);
    let utf32: Vec<u8> = "\u{feff}a😀b".chars().flat_map(|c| u32::from(c).to_be_bytes()).collect();
    let mut cuts: Vec<usize> = (4..=16).collect();
    let text = Encoding::of(&utf32).unwrap().decode(&utf32, &mut cuts);
    assert_eq!(text, "a😀b".as_bytes());
    assert_eq!(cuts, [0, 0, 0, 0, 1, 1, 1, 1, 5, 5, 5, 5, 6]);
}
