//! The shortest and the longest that is decoded, what just is no encoding, and where decoded bytes came from.

use super::*;

/// Chain and text of everything that is decoded.
fn says(text: &str) -> Vec<(String, String)> {
    let all = all(text.as_bytes());
    all.iter()
        .map(|d| (d.chain.as_slice().join(" "), String::from_utf8_lossy(&d.bytes).into_owned()))
        .collect()
}

/// Each text says one thing, by one encoding.
#[track_caller]
fn check_says(chain: &str, texts: &[(&str, &str)]) {
    for (text, plain) in texts {
        assert_eq!(says(text), [(chain.to_owned(), (*plain).to_owned())], "{text}");
    }
}

/// None of the texts says anything.
#[track_caller]
fn check_silent(texts: &[&str]) {
    for text in texts {
        assert_eq!(says(text), [], "{text}");
    }
}

/// The beginning of a text, in base64.
fn encoded(bytes: usize) -> String {
    BASE64.encode(&PLAIN.as_bytes()[..bytes])
}

const PLAIN: &str = "the quick brown fox jumps over the lazy dog and runs away to";

#[test]
fn the_shortest_runs() {
    let hex = |bytes: usize| HEXLOWER.encode(&PLAIN.as_bytes()[..bytes]);
    check_says("base64", &[(&encoded(12), &PLAIN[..12]), (&format!("x=\"{}\";", encoded(12)), &PLAIN[..12])]);
    check_says("hex", &[(&hex(12), &PLAIN[..12]), (&format!("0x{}", hex(12)), &PLAIN[..12])]);
    check_silent(&[&encoded(11)[..15], &encoded(9), &hex(11), &hex(9), &format!("{}a", hex(11))]);
    check_says("base64 zlib", &[("eJwryUhVKCzNTAYA", &PLAIN[..8])]);
    check_silent(&["eNrtzMkRgCAQBMBU"]);
}

#[test]
fn what_stands_before_a_run_is_told_from_it() {
    for before in ["", "a", "id", "abc"] {
        let text = format!("{before}{}", encoded(24));
        let found = all(text.as_bytes());
        assert_eq!(found.len(), 1, "{text}");
        assert_eq!(found[0].bytes, PLAIN.as_bytes()[..24], "{text}");
        let place = |bytes: Range<usize>| found[0].source_range(bytes);
        let first = before.len();
        assert_eq!(
            (place(0..1), place(0..3), place(3..4)),
            (first..first + 2, first..first + 4, first + 4..first + 6)
        );
    }
}

#[test]
fn padding_belongs_to_the_run() {
    for (bytes, padding) in [(12, 0), (13, 2), (14, 1)] {
        let text = format!("x = {};", encoded(bytes));
        let found = all(text.as_bytes());
        assert_eq!(&text[found[0].range.clone()], encoded(bytes), "{padding}");
        let last = found[0].source_range(bytes - 1..bytes);
        assert_eq!(last.end, text.len() - 1 - padding, "{text}");
    }
}

#[test]
fn lines_of_one_run() {
    let whole = |newline: &str, width: usize| wrapped(&encoded(60), width, newline);
    for newline in [
        "\n", "\r\n", "\r", "\n  ", "\n\t", "\n# ", "\n## ", "\n * ", "\n > ", "\n| ", "\n; ", "\\\n", "\\n",
        "\\r\\n", "  \n  ",
    ] {
        for width in [16, 20, 76] {
            let text = format!("\"{}\"", whole(newline, width));
            // A `\` at the end of a line joins literals, too.
            let found = all(text.as_bytes()).into_iter().find(|d| d.bytes == PLAIN.as_bytes());
            assert_eq!(found.map(|d| d.range), Some(1..text.len() - 1), "{text}");
        }
    }
    let wide = |blanks: usize| format!("\n{}", " ".repeat(blanks));
    assert_eq!(says(&whole(&wide(64), 40)).len(), 1);
    for (newline, why) in [
        ("\n\n", "an empty line"),
        ("\n% ", "no comment"),
        ("\n### ", "two signs at most"),
        (&wide(65), "too far"),
    ] {
        let found = says(&whole(newline, 20));
        assert!(found.iter().all(|(_, plain)| plain.len() <= 15), "{why}: {found:?}");
    }
    let short = says(&whole("\n", 15));
    assert!(short.iter().all(|(_, plain)| plain != PLAIN), "lines of base64 are longer");
}

#[test]
fn what_ends_the_last_line_of_a_run() {
    let lines = wrapped(&encoded(60), 16, "\n");
    for (tail, whole) in [
        ("", true),
        ("\n", true),
        (" \r\n", true),
        ("\"", true),
        ("'", true),
        ("`", true),
        ("\\", true),
        ("<", true),
        ("=", true),
        ("\nx", true),
        (",", false),
        (" x", false),
        ("-----", false),
    ] {
        let found = says(&format!("{lines}{tail}"));
        assert_eq!(found[0].1 == PLAIN, whole, "{tail:?}: {found:?}");
    }
}

#[test]
fn lists_of_values() {
    let noise = BASE64.encode(&(200..230).collect::<Vec<u8>>());
    let found = says(&format!("{noise}\n{}", encoded(20)));
    assert!(!found.is_empty(), "{found:?}");
    let found = says(&format!("{}\n{}", encoded(20), BASE64.encode(&PLAIN.as_bytes()[20..45])));
    let plain: Vec<_> = found.iter().map(|(_, plain)| plain.as_str()).collect();
    assert_eq!(plain, [&PLAIN[..20], &PLAIN[20..45]]);
}

#[test]
fn parts_of_a_jwt_stand_at_its_dots() {
    let part = BASE64URL_NOPAD.encode(b"{\"alg\":\"none\",\"kid\":\"abcdefgh\"}");
    for (text, chain) in [
        (format!("{part}."), "jwt"),
        (format!(".{part}"), "jwt"),
        (part.clone(), "base64"),
        (format!("{part} ."), "base64"),
    ] {
        assert_eq!(says(&text)[0].0, chain, "{text}");
    }
}

#[test]
fn utf_16_of_either_order_in_base64() {
    let text = "$t = 'abcdefgh1234'";
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    check_says("base64 utf-16be", &[(&BASE64.encode(&[b"\xfe\xff", &big[..]].concat()), text)]);
    check_says("base64 utf-16be", &[(&BASE64.encode(&big), text)]);
}

#[test]
fn escapes_that_hide_something_and_the_quiet_ones_beside_them() {
    check_says(
        "unicode-escape",
        &[
            ("\\t\\x41\\r", "\tA\r"),
            ("\\n\\x41", "\nA"),
            ("\\\"\\x41\\'", "\"A'"),
            ("\\378\\101", "\\378A"),
            ("\\/\\/", "//"),
        ],
    );
    let slashes = "\\".repeat(8);
    check_says("unicode-escape", &[(&format!("{slashes}x41{slashes}x42"), "AB")]);
    check_says("percent", &[("%0aabc", "\nabc"), ("%20abc", " abc"), ("%41%4g", "A%4g")]);
    check_says(
        "html-entity",
        &[
            ("&#;&#65;", "&#;A"),
            ("&#x;&#65;", "&#x;A"),
            ("&#4294967361;&#65;", "&#4294967361;A"),
            ("a://b&amp;c", "a://b&c"),
            ("x=&quot;abc", "x=\"abc"),
        ],
    );
    check_silent(&["\\/x\\/", "%0dabc", "a b&amp;c", "a://b\n&amp;c", "x &quot;abc", "%4%4", "a=3d", "a=41"]);
}

#[test]
fn soft_line_breaks_end_long_lines() {
    let line = |length: usize| format!("\n{}=\nnext", "w".repeat(length));
    for (length, soft) in [(31, false), (32, true), (76, true), (77, false)] {
        assert_eq!(says(&line(length)).len(), usize::from(soft), "{length}");
    }
    check_silent(&[
        &line(40).replace('=', "=="),
        &line(40).replace("next", " next"),
        &line(40).replace('=', " ="),
    ]);
}

#[test]
fn literals_are_joined_to_words_of_sixteen_letters() {
    check_says(
        "concat",
        &[
            ("\"abcdefgh\" + \"ijklmnop\"", "\"abcdefghijklmnop\""),
            ("\"abcdefgh\"+b\"ijklmnop\"", "\"abcdefghijklmnop\""),
            ("\"abcdefgh\"..\"ijklmnop\"", "\"abcdefghijklmnop\""),
            ("\"abcdefgh\\\nijklmnop\"", "\"abcdefghijklmnop\""),
        ],
    );
    check_silent(&[
        "\"abcdefg\" + \"hijklmno\"",
        "\"abcdefg\"+b\"hijklmno\"",
        "\"abcdefgh\" - \"ijklmnop\"",
        "\"abcdefgh\", \"ijklmnop\"",
        "\"abcdefgh\"x\"ijklmnop\"",
        "\"abc\\n\\\nabcdefghijklmnop\"",
    ]);
}

/// What Go imports is no word that was cut; tokens that stand like this are mixed.
#[test]
fn literals_on_lines_of_their_own_are_joined_where_that_makes_a_token() {
    check_says(
        "concat",
        &[
            ("\"abcdefghijk\"\n\t\"lmnopqrstuv01\"", "\"abcdefghijklmnopqrstuv01\""),
            (
                "\"abcDefghijklmnop\"\n\"qrstuvwxyzabcdefghijklmn0\"",
                "\"abcDefghijklmnopqrstuvwxyzabcdefghijklmn0\"",
            ),
            ("\"abcdefgh\" +\n\"ijklmnop\"", "\"abcdefghijklmnop\""),
            ("\"abcdefgh\"\n.\"ijklmnop\"", "\"abcdefghijklmnop\""),
            ("\"abcdefgh\" \"ijklmnop\"", "\"abcdefghijklmnop\""),
        ],
    );
    check_silent(&[
        "\"context\"\n\t\"net/http\"\n\t\"regexp\"\n\n\t\"example.com/tools/v2/detectors\"",
        "\"abcdefghijk\"\n\t\"lmnopqrstuvwx1\"",
        "\"abcDefgh\"\n\"ijklmnop\"",
        "\"abcdefgh\"\r\n\"ijklmnop\"",
        // What is far from the cut says nothing of it.
        &format!("\"01 {}\"\n\"{} 01\"", "abcdefgh".repeat(2), "abcdefgh".repeat(2)),
        &format!("\"Z0{}\"\n\"{}0Z\"", "a".repeat(64), "a".repeat(64)),
    ]);
}

#[test]
fn escapes_near_each_other_are_one_cluster() {
    let between = |gap: &str| says(&format!("%41{gap}%42")).len();
    assert_eq!((between("\n"), between(" "), between("")), (2, 2, 1));
    let gap = |bytes: usize| between(&"w".repeat(bytes));
    assert_eq!((gap(cluster::MAX_GAP - 1), gap(cluster::MAX_GAP)), (1, 2));
    // The context of a cluster.
    let text = format!("{}%41{}", "b".repeat(65), "a".repeat(193));
    assert_eq!(all(text.as_bytes())[0].range, 1..65 + 3 + 192);
}

#[test]
fn what_is_copied_from_the_outer_text_is_decoded_once() {
    for (text, count) in [
        (format!("%41.{}.%42", encoded(40)), 2),
        (format!("%41{}%42", encoded(40)), 3),
        (format!("%41 {}", encoded(40)), 2),
    ] {
        assert_eq!(says(&text).len(), count, "{text}: {:?}", says(&text));
    }
}

#[test]
fn budgets_are_reported_when_they_are_used_up() {
    let text = encoded(60);
    let run = |bytes: usize| {
        let (mut budget, mut out) = (Budget { bytes, exhausted: false }, Vec::new());
        find(text.as_bytes(), &whole(text.as_bytes()), &mut budget, &mut out);
        (out.len(), budget)
    };
    assert_eq!(run(60), (1, Budget { bytes: 0, exhausted: false }));
    assert_eq!(run(59), (0, Budget { bytes: 59, exhausted: true }));
    let zipped = BASE64.encode(&zlib(&[b'a'; 100]));
    let stored = zlib(&[b'a'; 100]).len();
    for (room, exhausted) in [(100, false), (99, true)] {
        let mut budget = Budget { bytes: stored.div_ceil(3) * 3 + room, exhausted: false };
        let mut out = Vec::new();
        find(zipped.as_bytes(), &whole(zipped.as_bytes()), &mut budget, &mut out);
        assert_eq!((out[0].bytes.len(), budget.exhausted), (room, exhausted), "{budget:?}");
    }
}

#[test]
fn touching_is_overlapping_or_adjoining() {
    let regions = [2..4, 6..6, 8..9];
    for (range, touched) in [
        (0..1, false),
        (0..2, true),
        (3..3, true),
        (4..5, true),
        (5..5, false),
        (5..6, true),
        (7..7, false),
        (9..12, true),
        (10..12, false),
    ] {
        assert_eq!(is_touched(&range, &regions), touched, "{range:?}");
    }
}

/// Runs and escapes that only what stands far from a change can tell: lines of a wrapped run in which nothing says
/// that it is one, escapes behind wide gaps, joints with much between.
fn far_reaching() -> Vec<String> {
    // Small letters only, in base64, too.
    let quiet = BASE64.encode("rignilviajig".repeat(8).as_bytes());
    let wide = "w".repeat(cluster::MAX_GAP - 1);
    vec![
        wrapped(&format!("{quiet}{}", encoded(60)), 32, "\n"),
        wrapped(&format!("{}{quiet}", encoded(60)), 32, "\r\n  # "),
        wrapped(&format!("{quiet}{}", encoded(12)), 64, "\\n"),
        format!("key: {}\n  next: {}\n", encoded(20), wrapped(&quiet, 32, "\n  ")),
        format!("a %41{wide}%42{wide}%43 b\n%44{wide}w%45"),
        format!("\\\\\\x41{wide}\\\\\\\\x42 \\/\\/ \\n{wide}\\101"),
        format!("{wide}&#65;&amp;{wide}://&amp;\n"),
        format!("\n{}=\nnext=3D{}=\nand so on", "v".repeat(70), "u".repeat(70)),
        "\"abcdefgh\" + \"ijklmnop\"\n    + \"qrstuvwx\" \\\n  \"yzabcdef\"".to_owned(),
        format!("\"abcdefgh\" +{}\"ijklmnop\" . \"q\"", " ".repeat(110)),
    ]
}

#[test]
fn every_small_region_yields_what_the_whole_yields() {
    for text in far_reaching() {
        let text = text.as_bytes();
        let found = |regions: &[Range<usize>]| {
            let mut out = Vec::new();
            find(text, regions, &mut Budget::for_text(text.len()), &mut out);
            out
        };
        let full = found(&whole(text));
        assert!(!full.is_empty());
        for at in 0..=text.len() {
            let second = (at + 150).min(text.len());
            for regions in [[at..at, at..at], [at..at, second..second]] {
                let mut wanted = full.clone();
                wanted.retain(|d| regions.iter().any(|r| r.start <= d.reach.end && d.reach.start <= r.end));
                assert_eq!(found(&regions), wanted, "{regions:?} of {}", String::from_utf8_lossy(text));
            }
        }
    }
}

#[test]
fn bytes_beyond_the_reach_change_nothing() {
    const AROUND: [&str; 12] = [
        "",
        "\n",
        " ",
        "A1b2",
        "abababababababababab",
        "abababababababababab\n",
        "\\",
        "\"",
        "%41",
        "=\n",
        "\" + ",
        "&#65;",
    ];
    for text in far_reaching() {
        let mut full = Vec::new();
        find(text.as_bytes(), &whole(text.as_bytes()), &mut Budget::for_text(text.len()), &mut full);
        for decoded in full {
            let (first, last) = (decoded.reach.start, decoded.reach.end);
            for (before, after) in AROUND.iter().flat_map(|before| AROUND.map(|after| (*before, after))) {
                let before = if first == 0 { "" } else { before };
                let after = if last == text.len() { "" } else { after };
                let other = [before.as_bytes(), &text.as_bytes()[first..last], after.as_bytes()].concat();
                let mut again = Vec::new();
                find(&other, &whole(&other), &mut Budget::for_text(other.len()), &mut again);
                let at = decoded.range.start - first + before.len();
                let same = again.iter().any(|d| d.range.start == at && d.bytes == decoded.bytes);
                assert!(same, "{decoded:?} between {before:?} and {after:?}");
            }
        }
    }
}

#[test]
fn small_letters_at_the_beginning_are_taken_for_words() {
    let quiet = BASE64.encode("rignilviajig".repeat(3).as_bytes());
    check_silent(&[&quiet, &format!("{quiet}{}", encoded(12))]);
    assert_eq!(says(&format!("{}{quiet}", encoded(12))).len(), 1);
}

#[test]
fn places_of_escapes_and_of_what_is_copied() {
    let found = all(b"a %0abcd%41");
    let place = |range: Range<usize>| found[0].source_range(range);
    assert_eq!(found[0].bytes, b"\nbcdA");
    assert_eq!((place(0..1), place(1..2), place(3..4), place(4..5)), (2..5, 5..6, 7..8, 8..11));
    assert_eq!((place(0..5), place(1..4), place(0..2), place(3..5)), (2..11, 5..8, 2..6, 7..11));
    assert_eq!(place(2..2), place(2..3), "an empty range is a place, too");
}

#[test]
fn regions_near_each_other_are_searched_as_one() {
    let count = |gap: usize| joined(&[0..10, 10 + gap..20 + gap, 1000..1001]).count();
    assert_eq!((count(0), count(128), count(129)), (2, 2, 3));
    assert_eq!(joined(&[0..50, 10..20]).collect::<Vec<_>>(), whole(&[0; 50]));
}

#[test]
fn what_is_encoded_too_often_is_reported() {
    assert_eq!(Budget::for_text(10), Budget { bytes: 320 + (1 << 20), exhausted: false });
    let mut text = token();
    for depth in 1..=MAX_DEPTH + 1 {
        text = BASE64.encode(text.as_bytes());
        let mut budget = Budget::for_text(text.len());
        each(text.as_bytes(), &whole(text.as_bytes()), &mut budget, &mut |_| {});
        assert_eq!(budget.exhausted, depth > MAX_DEPTH, "{depth}");
    }
}

/// Glue before the last place that an escape can have, and lines that end before it: what a region yields is what of the
/// whole has a reach that touches it, for each region near them.
#[test]
fn regions_before_glue_and_line_ends() {
    let fill = "x".repeat(255);
    for glue in [";:\0\0\u{1}\0\u{14}\0\t", " = \0\t", "=\n", "; \n", "=\r\n\t", ""] {
        let text = format!("ab\0cdefghijk{glue}{fill}=3D end");
        let text = text.as_bytes();
        let all = all(text);
        assert!(all.iter().any(|decoded| decoded.range.end > 255));
        for start in 0..40 {
            for len in [0, 1, 9] {
                let regions = [start..start, start..start + len];
                let mut some = Vec::new();
                find(text, &regions, &mut Budget::for_text(text.len()), &mut some);
                let touched = all.iter().filter(|decoded| is_touched(&decoded.reach, &regions));
                assert_eq!(some, touched.cloned().collect::<Vec<_>>(), "{glue:?} {regions:?}");
            }
        }
    }
}

/// The last escape of a text has nothing behind it.
#[test]
fn escapes_at_the_end_of_a_text() {
    let head = "before \\u0073\\x6fme ";
    for (escape, says) in
        [("\\u{61}", "a"), ("\\u{61}b", "ab"), ("\\u{10ffff}", "\u{10ffff}"), ("\\u{61", "\\u{61")]
    {
        let found = all(format!("{head}{escape}").as_bytes());
        assert_eq!(String::from_utf8_lossy(&found[0].bytes), format!("before some {says}"), "{escape}");
    }
}
