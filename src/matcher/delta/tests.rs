use super::*;
use crate::matcher::prefilter::LiteralIndex;
use crate::rules::RuleSet;
use crate::rules::compile::{Strictness, compile};
use crate::rules::spec::{Defaults, RuleSpec};

fn matcher() -> Matcher {
    let rule = |id: &str, regex: &str| {
        let spec = RuleSpec { id: id.into(), regex: Some(regex.into()), ..RuleSpec::default() };
        compile(&spec, &Defaults::default(), Strictness::User, &|_| false).unwrap()
    };
    let rules = vec![rule("behind", r"abc_[xy]{2,4}"), rule("around", r"[xy]{0,3}cab[xy]{1,3}")];
    Matcher::new(RuleSet::new(false, rules, |_| true).unwrap())
}

fn run(src: usize, dst: usize, len: usize) -> Run {
    Run { src, dst, len }
}

/// What lies between runs, and the byte before each seam; what is near each other is searched as one.
#[test]
fn gaps_of_runs() {
    for (runs, len, expected) in [
        (&[][..], 0, &[][..]),
        (&[], 5, &[(0, 5)]),
        (&[run(0, 0, 10)], 10, &[]),
        (&[run(0, 0, 10)], 12, &[(10, 12)]),
        (&[run(0, 3, 7)], 10, &[(0, 3)]),
        (&[run(0, 0, 10), run(50, 10, 10)], 20, &[(9, 10)]),
        (&[run(0, 0, 10), run(50, 12, 8)], 20, &[(10, 12)]),
        // 48 bytes between two gaps are few, 49 are not.
        (&[run(0, 0, 10), run(50, 12, 48)], 70, &[(10, 70)]),
        (&[run(0, 0, 10), run(50, 12, 49)], 70, &[(10, 12), (61, 70)]),
        (&[run(0, 0, 100), run(0, 100, 100), run(0, 210, 90)], 300, &[(99, 100), (200, 210)]),
        (&[run(0, 1, 40), run(0, 41, 40), run(0, 81, 90)], 171, &[(0, 81)]),
    ] {
        let mut gaps = Vec::new();
        each_gap(runs, len, |gap| gaps.push((gap.start, gap.end)));
        assert_eq!(gaps, expected, "{runs:?} {len}");
    }
}

/// An occurrence holds when all bytes in its reach were copied, or both texts begin or end where the run does.
#[test]
fn an_occurrence_holds_with_its_surroundings() {
    let matcher = matcher();
    for literal in 0..matcher.prefilter.literals().len() as LiteralIndex {
        let Reach::Window { back, forward } = matcher.reach(literal) else { panic!("the rules are bounded") };
        let (back, forward) = (back as usize, forward as usize);
        assert!(back > 0 && forward > 3);
        let hit = |at: usize| Hit { at: at as u32, literal };
        let (start, whole) = (100 - back, back + forward);
        for (run, expected) in [
            (run(start, 7, whole), true),
            (run(start + 1, 7, whole), false),
            (run(start, 7, whole - 1), false),
            (run(start - 1, 7, whole + 2), true),
        ] {
            assert_eq!(matcher.unchanged(hit(100), run, 1000, 1000), expected, "{run:?}");
        }
        // Where both texts begin with the run, nothing stands before it.
        let near = back - 1;
        for (run, expected) in [
            (run(0, 0, near + forward), true),
            (run(0, 1, near + forward), false),
            (run(1, 0, near + forward), false),
            (run(0, 0, near + forward - 1), false),
        ] {
            assert_eq!(matcher.unchanged(hit(near), run, 1000, 1000), expected, "{run:?}");
        }
        // Where both end with it, nothing stands behind it.
        let short = run(start, 7, whole - 1);
        let (base, text) = (start + whole - 1, 7 + whole - 1);
        for (base_len, text_len, expected) in [
            (base, text, true),
            (base + 1, text, false),
            (base, text + 1, false),
            (base + 1, text + 1, false),
        ] {
            assert_eq!(matcher.unchanged(hit(100), short, base_len, text_len), expected);
        }
    }
}

/// Every change of one place of a text: what is inherited, confirmed again and found anew is what a scan of the
/// whole text sees, occurrences included.
#[test]
fn every_edit_gives_what_a_scan_gives() {
    let matcher = matcher();
    let base = b"abc_xy abc_xyx.cabyxcab abc_xabc_yycabx";
    let mut scratch = Scratch::default();
    let mut no_mark = |_: &[u8], _: &Candidate| 0;
    let seen = matcher.see(base, &mut scratch, &mut no_mark);
    assert!(seen.hits.len() == 6 && seen.carried.len() == 7, "{seen:?}");
    for from in 0..=base.len() {
        for to in (from..=base.len()).step_by(3).chain([base.len()]) {
            for insert in [&b""[..], b"x", b"abc_xx ", b"_"] {
                let text = [&base[..from], insert, &base[to..]].concat();
                let behind = run(to, from + insert.len(), base.len() - to);
                let runs: Vec<Run> =
                    [run(0, 0, from), behind].into_iter().filter(|run| run.len > 0).collect();
                let by_delta = matcher.see_delta(&text, &seen, &runs, &mut scratch, &mut no_mark);
                let whole = matcher.see(&text, &mut scratch, &mut no_mark);
                let case = String::from_utf8_lossy(&text).into_owned();
                assert_eq!(by_delta.hits, whole.hits, "{case} {runs:?}");
                assert_eq!(by_delta.carried, whole.carried, "{case} {runs:?}");
            }
        }
    }
}

/// Parts of a text in another order, none of it new: what stands whole in a part is not looked at again.
#[test]
fn parts_in_another_order() {
    let matcher = matcher();
    let base = b"abc_xyxy - cabx - abc_yyxx";
    let mut scratch = Scratch::default();
    let (mut anew, mut all) = (0, 0);
    let seen = matcher.see(base, &mut scratch, &mut |_, _| 0);
    for cut in 0..=base.len() {
        let text = [&base[cut..], &base[..cut]].concat();
        let runs = [run(cut, 0, base.len() - cut), run(0, base.len() - cut, cut)];
        let runs: Vec<Run> = runs.into_iter().filter(|run| run.len > 0).collect();
        let by_delta = matcher.see_delta(&text, &seen, &runs, &mut scratch, &mut |_, _| {
            anew += 1;
            0
        });
        let whole = matcher.see(&text, &mut scratch, &mut |_, _| 0);
        all += whole.carried.len();
        assert_eq!((by_delta.hits, by_delta.carried), (whole.hits, whole.carried), "{cut}");
    }
    assert!(0 < anew && anew < all, "{anew} of {all}");
}
