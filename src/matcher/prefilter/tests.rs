use super::*;
use crate::rules::is_token_byte;
use crate::rules::rarity::rarest;
use proptest::prelude::*;

/// The slow twin: every literal at every position.
fn naive(literals: &[Literal], text: &[u8], start: usize, end: usize) -> Vec<Hit> {
    let mut hits = Vec::new();
    for at in 0..text.len() {
        for (i, l) in literals.iter().enumerate() {
            let Some(there) = text.get(at..at + l.bytes.len()) else { continue };
            let same = if l.fold { there.eq_ignore_ascii_case(&l.bytes) } else { there == &l.bytes[..] };
            let in_run = l.in_run && l.bytes.len() <= SHORT;
            let run = text.get(at..at + RUN).is_some_and(|run| run.iter().all(|&b| is_token_byte(b)));
            let counts = if in_run { RUN } else { l.bytes.len() };
            if same && (run || !in_run) && at < end && at + counts > start {
                hits.push(Hit { at: at as u32, literal: i as LiteralIndex });
            }
        }
    }
    hits
}

fn literal(text: &str, fold: bool, in_run: bool) -> Literal {
    let text = if fold { text.to_ascii_lowercase() } else { text.to_owned() };
    Literal { rarest: rarest(text.as_bytes()) as u8, bytes: text.into_bytes().into(), fold, in_run }
}

proptest! {
    #[test]
    fn finds_what_a_naive_search_finds(
        literals in prop::collection::vec(("[abAB_]{3,7}", any::<bool>(), any::<bool>()), 1..6),
        text in prop::collection::vec(
            prop_oneof![Just(b'a'), Just(b'b'), Just(b'A'), Just(b'_'), Just(0u8), any::<u8>()], 0..200),
        long in prop::collection::vec(prop::sample::select(&b"abAB_"[..]), 0..100),
        cut in (0usize..300, 0usize..300),
    ) {
        let literals: Vec<Literal> =
            literals.into_iter().map(|(t, fold, in_run)| literal(&t, fold, in_run)).collect();
        let text = [text, long].concat();
        let prefilter = Prefilter::new(literals.clone());
        let (start, end) = (cut.0.min(cut.1).min(text.len()), cut.0.max(cut.1).min(text.len()));
        for (start, end) in [(0, text.len()), (start, end)] {
            let mut hits = Vec::new();
            prefilter.find(&text, start, end, &mut hits);
            hits.sort();
            let expected = if start < end { naive(&literals, &text, start, end) } else { Vec::new() };
            prop_assert_eq!(hits, expected);
        }
    }
}

#[test]
fn the_ends_of_the_text_are_seen() {
    let prefilter = Prefilter::new(vec![literal("abc", false, false), literal("wxyz", true, false)]);
    for text in ["abc", "-abc", "--abc", "WXYZ", "-wXyz", "abc-wxyz"] {
        let mut hits = Vec::new();
        prefilter.find(text.as_bytes(), 0, text.len(), &mut hits);
        assert!(!hits.is_empty(), "{text}");
    }
}

#[test]
fn borders_of_blocks_hide_and_repeat_nothing() {
    let prefilter = Prefilter::new(vec![literal("needle", false, false), literal("tok", false, true)]);
    for around in [BLOCK, 2 * BLOCK] {
        for (start, at) in (around - 40..around + 10).map(|at| (at % 7, at)) {
            let mut text = vec![b' '; 2 * BLOCK + 99];
            text[at..at + 6].copy_from_slice(b"needle");
            text[at + 8..at + 24].copy_from_slice(b"tok_abcdefghijkl");
            let mut hits = Vec::new();
            prefilter.find(&text, start, text.len(), &mut hits);
            hits.sort();
            let found: Vec<usize> = hits.iter().map(|hit| hit.at as usize).collect();
            assert_eq!(found, [at, at + 8]);
        }
    }
}

#[test]
fn texts_longer_than_a_batch_are_seen() {
    let prefilter = Prefilter::new(vec![literal("needle", false, false), literal("tok", false, true)]);
    for at in (0..3 * BATCH_BYTES).step_by(61) {
        let mut text = vec![b' '; 3 * BATCH_BYTES + 64];
        text[at..at + 6].copy_from_slice(b"needle");
        text[at + 8..at + 24].copy_from_slice(b"tok_abcdefghijkl");
        let mut hits = Vec::new();
        prefilter.find(&text, 0, text.len(), &mut hits);
        assert_eq!(hits.len(), 2, "{at}");
    }
}

fn found(literals: &[Literal], text: &str, start: usize, end: usize) -> Vec<(usize, LiteralIndex)> {
    let mut hits = Vec::new();
    Prefilter::new(literals.to_vec()).find(text.as_bytes(), start, end, &mut hits);
    hits.sort();
    hits.iter().map(|hit| (hit.at as usize, hit.literal)).collect()
}

/// An occurrence counts if it has a byte in the range; one that only ends or begins at its border has none.
#[test]
fn occurrences_overlap_the_range() {
    let literals = [literal("abc", false, false), literal("needle", false, false)];
    let text = "--abc--needle--";
    for (start, end, expected) in [
        (0, 2, &[][..]),
        (0, 3, &[(2, 0)]),
        (4, 5, &[(2, 0)]),
        (5, 7, &[]),
        (5, 8, &[(7, 1)]),
        (12, 13, &[(7, 1)]),
        (13, 15, &[]),
        (0, 15, &[(2, 0), (7, 1)]),
        // An empty range has no bytes.
        (3, 3, &[]),
        (8, 8, &[]),
        (15, 15, &[]),
        (9, 3, &[]),
    ] {
        assert_eq!(found(&literals, text, start, end), expected, "{start}..{end}");
    }
    assert_eq!(found(&[], text, 0, text.len()), []);
    assert_eq!(found(&literals, "", 0, 0), []);
}

/// Of literals that need a run of sixteen token bytes, those count whose run touches the range.
#[test]
fn runs_touch_the_range() {
    let long = "a_literal_much_longer_than_a_run_is";
    let literals = [literal("tok", false, true), literal(long, false, false)];
    let text = format!("{}tok_abcdefghijkl{}", " ".repeat(40), " ".repeat(40));
    for (start, end, expected) in [
        (0, 40, 0),
        (0, 41, 1),
        (40, 41, 1),
        (55, 96, 1),
        // The run ends before byte 56.
        (56, 96, 0),
    ] {
        assert_eq!(found(&literals, &text, start, end).len(), expected, "{start}..{end}");
    }
}

/// Up to six bytes a literal is looked for in runs only, where that is enough; longer ones are everywhere.
#[test]
fn short_literals_in_runs_are_found_in_runs_only() {
    for (word, alone) in [("abc_", false), ("abcde_", false), ("abcdef_", true)] {
        let literals = [literal(word, false, true)];
        assert_eq!(!found(&literals, &format!(" {word} "), 0, word.len() + 2).is_empty(), alone, "{word}");
        let in_run = format!(" {word}0123456789abcdef");
        assert_eq!(found(&literals, &in_run, 0, in_run.len()), [(1, 0)], "{word}");
    }
}

/// By whichever bytes a literal is looked for, it is found; the last five are the last there are.
#[test]
fn a_literal_is_found_by_any_of_its_bytes() {
    for rarest in [0, 1, 2, 3, 100, u8::MAX] {
        let literals = [Literal { rarest, ..literal("abcdefg", false, false) }];
        for before in 0..5 {
            let text = format!("{}abcdefg", " ".repeat(before));
            assert_eq!(found(&literals, &text, 0, text.len()), [(before, 0)], "{rarest}");
        }
    }
}

/// Short literals at every place near the end of a text, whole and cut off.
#[test]
fn short_literals_end_with_the_text() {
    let literals = [literal("abc", false, false), literal("wxyz", false, false)];
    for before in 0..9 {
        for behind in 0..4 {
            for (word, index) in [("abc", 0), ("wxyz", 1)] {
                let text = format!("{}{word}{}", "-".repeat(before), "-".repeat(behind));
                assert_eq!(found(&literals, &text, 0, text.len()), [(before, index)], "{text}");
                let cut = &text[..before + word.len() - 1];
                assert_eq!(found(&literals, cut, 0, cut.len()), [], "{cut}");
            }
        }
    }
}
