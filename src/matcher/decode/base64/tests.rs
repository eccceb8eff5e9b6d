//! Each piece at its borders: what a run is, where its lines begin and end, what decides on it.

use super::super::{find, whole};
use super::*;
use data_encoding::{BASE64_NOPAD as BASE64, HEXLOWER};

const PLAIN: &[u8] = b"the quick brown fox jumps over the lazy dog and runs away to";
/// Sixteen small letters.
const QUIET: &str = "abcdefghijklmnop";

fn found(text: &str) -> Vec<Decoded> {
    let mut out = Vec::new();
    find(text.as_bytes(), &whole(text.as_bytes()), &mut Budget::for_text(text.len()), &mut out);
    out
}

fn bytes_of(text: &str) -> Vec<Vec<u8>> {
    found(text).into_iter().map(|decoded| decoded.bytes).collect()
}

#[test]
fn sixteen_characters_tell_an_identifier() {
    for (text, at, expected) in [
        (QUIET.to_owned(), 15, false),
        (format!("A{QUIET}"), 16, false),
        (format!("9{QUIET}"), 16, false),
        (format!("A{}", &QUIET[..15]), 15, true),
        (format!("{}A", &QUIET[..15]), 15, true),
        (format!("{}7", &QUIET[..15]), 15, true),
        // Fewer than sixteen may be anything.
        (QUIET.to_owned(), 3, true),
    ] {
        assert_eq!(is_mixed(text.as_bytes(), at), expected, "{text} {at}");
    }
}

#[test]
fn what_may_be_a_line_above() {
    for (before, expected) in [
        ("a\n", true),
        ("a\r\n", true),
        ("a\r", true),
        ("a\n # ", true),
        ("a\n\t*>|;", true),
        (" \n", true),
        ("\t\n", true),
        ("\\\n", true),
        (".\n", false),
        ("a\n\n", false),
        ("\n", false),
        ("a\n.", false),
        ("a\\n", true),
        ("a\\r", true),
        ("\\n", true),
        ("an", false),
        ("n", false),
        ("a\\t", false),
        ("a ", false),
        ("", false),
    ] {
        let text = format!("{before}{QUIET}");
        assert_eq!(open_before(text.as_bytes(), before.len()), expected, "{before:?}");
    }
}

#[test]
fn line_breaks_from_behind() {
    let wide = |blanks: usize, signs: &str| {
        let blanks = " ".repeat(blanks);
        format!("a\n{blanks}{signs}{blanks}")
    };
    for (before, expected) in [
        ("a\n".to_owned(), Some(1)),
        ("a\r\n".to_owned(), Some(1)),
        ("a\r".to_owned(), Some(1)),
        ("a \\\n # ".to_owned(), Some(2)),
        ("a\\ \n # ".to_owned(), Some(1)),
        ("a\\\n".to_owned(), Some(1)),
        ("a\\\\\n".to_owned(), Some(2)),
        // Two line feeds are an empty line, of which the second alone is looked at.
        ("a\n\n".to_owned(), Some(2)),
        ("a\\n".to_owned(), Some(1)),
        ("a\\r\\n".to_owned(), Some(1)),
        (wide(64, "##"), Some(1)),
        (wide(65, ""), None),
        (wide(64, "###"), None),
        ("a".to_owned(), None),
        (" ".to_owned(), None),
        (String::new(), None),
    ] {
        let text = format!("{before}b");
        assert_eq!(separator_start(text.as_bytes(), before.len()), expected, "{before:?}");
    }
}

#[test]
fn lines_that_are_parts_of_one_run() {
    let joined = |before: &str, after: &str, rest: &str| {
        let text = format!("{before}\n{after}{rest}");
        let second = before.len() + 1;
        joins(text.as_bytes(), &(0..before.len()), &(second..second + after.len()))
    };
    for (before, after, rest, expected) in [
        (QUIET, "ab", "", true),
        (QUIET, "a", "", false),
        (&QUIET[1..], "ab", "", false),
        (QUIET, "ab", "\"", true),
        (QUIET, "ab", " \"", false),
        (QUIET, "ab", " \n", true),
        (QUIET, "ab", ".", false),
        ("----abcdefghijklmnop", "ab", "", false),
        ("abcdefghijklmnop----", "ab", "", false),
        (QUIET, "----ab", "", false),
        (QUIET, "ab----", "", false),
        ("---abcdefghijklmnop---", "ab", "", true),
    ] {
        assert_eq!(joined(before, after, rest), expected, "{before} {after} {rest:?}");
    }
}

/// Lines above that say nothing by themselves belong to the run of the line below them.
#[test]
fn quiet_lines_above_are_part_of_the_run() {
    let quiet = BASE64.encode("rignilviajig".repeat(4).as_bytes());
    assert!(quiet.bytes().all(|b| b.is_ascii_lowercase()));
    let last = BASE64.encode(&PLAIN[..12]);
    for newline in ["\n", "\r\n", "\\n", "\n  # "] {
        let text = format!("{}{newline}{}{newline}{last}", &quiet[..32], &quiet[32..]);
        let all = found(&text);
        assert_eq!(all.len(), 1, "{text}");
        let expected = ["rignilviajig".repeat(4).as_bytes(), &PLAIN[..12]].concat();
        assert_eq!((&all[0].bytes, all[0].range.clone()), (&expected, 0..text.len()), "{text}");
    }
}

/// The bytes beside a run that decide on whether it goes on there.
#[test]
fn the_reach_of_a_run() {
    let run = |chars: usize| BASE64.encode(PLAIN)[..chars].to_owned();
    let blank = |n: usize| " ".repeat(n);
    for (before, run, behind, back, on) in [
        // Without a line break: the glue before it, of which a joint may have so much, and four bytes.
        (format!("{}.", blank(300)), run(40), ".".repeat(300), 2 * MAX_INDENT + 8 + 4, 4),
        (format!("x{}", blank(20)), run(40), ",,,,,,,,".to_owned(), 21, 4),
        (format!("{}{}", "x".repeat(99), ","), run(40), format!("{},,,,,,,,,", blank(3)), 4, 7),
        // With one: all of the line above, and what a written line break adds.
        (format!("..{}\n", "w".repeat(9)), run(40), ",,,,".to_owned(), 12, 4),
        (format!("....{}\n", "w".repeat(9)), run(40), ",,,,".to_owned(), 12, 4),
        (",,,,,,".to_owned(), run(40), format!("\n{}, ,", "w".repeat(9)), 4, 11),
        (",,,,,,".to_owned(), run(40), format!("\n{}  ,,,", "w".repeat(9)), 4, 13),
        // A last line that is short ends the run, whatever stands behind it.
        (",,,,,,".to_owned(), format!("{}\n{}", run(40), "A".repeat(16)), "\n  x ,,,".to_owned(), 4, 6),
        (",,,,,,".to_owned(), format!("{}\n{}", run(40), "A".repeat(15)), "\n  x ,,,".to_owned(), 4, 1),
        (",,,,,,".to_owned(), format!("{}\n{}", run(40), "A".repeat(15)), "  .".to_owned(), 4, 3),
        (",,,,,,".to_owned(), format!("{}\n{}", run(40), "A".repeat(14)), "== .".to_owned(), 4, 3),
    ] {
        let text = format!("{before}{run}{behind}");
        let all = found(&text);
        assert_eq!(all.len(), 1, "{text:?}");
        let end = before.len() + run.len();
        assert_eq!(all[0].reach, before.len() - back..end + on, "{text:?}");
    }
}

/// Where something stands directly before the encoded text, 28 characters are the least that tell it.
#[test]
fn the_least_that_tells_where_text_begins() {
    let encoded = BASE64.encode(PLAIN);
    for (chars, expected) in [(26, 0), (27, 1)] {
        assert_eq!(bytes_of(&format!("a{}", &encoded[..chars])).len(), expected, "{chars}");
    }
    // Zeros, and text in the second half: 56 characters are the least.
    let noise = "A".repeat(28);
    for (front, chars, expected) in [(24, 31, 0), (28, 28, 1), (28, 27, 0)] {
        let text = format!("{}{}", &noise[..front], &encoded[..chars]);
        let all = bytes_of(&text);
        assert_eq!(all.len(), expected, "{text}");
        assert!(all.iter().all(|bytes| bytes.ends_with(&PLAIN[..chars / 4 * 3])), "{text}");
    }
}

#[test]
fn hex_is_hex_throughout() {
    let hex = HEXLOWER.encode(&PLAIN[..20]);
    assert_eq!(bytes_of(&hex), [&PLAIN[..20]]);
    // The first 28 digits say text; what is behind them is none.
    let broken = format!("{}zz", &hex[..38]);
    assert!(found(&broken).iter().all(|decoded| decoded.chain.as_slice() != ["hex"]), "{broken}");
    for (room, expected) in [(20, true), (19, false)] {
        let (mut budget, mut out) = (Budget { bytes: room, exhausted: false }, Vec::new());
        let segment = 0..hex.len();
        let head = &hex.as_bytes()[..PROBE];
        let done = decode_hex(hex.as_bytes(), &[segment], hex.len(), head, &mut budget, &mut out);
        assert_eq!(
            (done, out.len(), budget.exhausted),
            (expected, usize::from(expected), !expected),
            "{room}"
        );
    }
}

/// Characters before the encoded text are left out once, not in each line.
#[test]
fn what_stands_before_a_wrapped_run() {
    let encoded = BASE64.encode(PLAIN);
    for before in ["a", "id", "abc"] {
        let all = format!("{before}{encoded}");
        let lines: Vec<&str> = all.as_bytes().chunks(32).map(|l| std::str::from_utf8(l).unwrap()).collect();
        assert_eq!(bytes_of(&lines.join("\n")), [PLAIN], "{before}");
    }
}
