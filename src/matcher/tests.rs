//! The matcher against its slow twin: every rule's regex over the whole text.

use regex_automata::Input;

use super::*;
use crate::rules::compile::{Strictness, compile};
use crate::rules::spec::{Defaults, RuleSpec};
use proptest::prelude::*;

fn rule(id: &str, regex: &str, keywords: &[&str]) -> crate::rules::Rule {
    let spec = RuleSpec {
        id: id.into(),
        regex: Some(regex.into()),
        keywords: keywords.iter().map(|&k| k.into()).collect(),
        ..RuleSpec::default()
    };
    compile(&spec, &Defaults::default(), Strictness::User, &|_| false).unwrap()
}

fn matcher() -> Matcher {
    let rules = vec![
        rule("prefix", r"\b(abc_[ab]{2,5})\b", &[]),
        rule("shifted", r"[ab_]{0,6}cab[abc]{1,3}", &[]),
        rule("folded", r"(?i)(?:^|[^b])bca=([abc]{1,4}|x)$?", &[]),
        rule("set", r"a[bc]{2}x|cc_b", &[]),
        rule("unbounded", r"bbb[ab]+c", &[]),
        rule("keyword", r"[a-c]{5}", &["xab"]),
        rule("always", r"[bx]=[bx]", &[]),
        rule("lines", r"(?m)^aab\b.{0,4}$", &[]),
    ];
    Matcher::new(RuleSet::new(false, rules, |_| true).unwrap())
}

/// Runs every regex over the whole text.
fn slow(matcher: &Matcher, text: &[u8]) -> Vec<Candidate> {
    let mut all = Vec::new();
    for (index, rule) in matcher.rules().iter() {
        if !matcher.has_keyword(index, text) {
            continue;
        }
        for caps in matcher.rules().regex(index).captures_iter(text) {
            let whole = caps.get_group(0).unwrap();
            let secret = (1..caps.group_len()).find_map(|g| caps.get_group(g)).unwrap_or(whole);
            assert_eq!(rule.secret_group, 0);
            all.push(Candidate {
                rule: index,
                whole: Span::from_usize(whole.start, whole.end),
                secret: Span::from_usize(secret.start, secret.end),
                evidence: None,
            });
        }
    }
    all.sort_unstable_by_key(|c| (c.secret.start, c.secret.end, c.rule));
    all
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        8 => prop::sample::select(b"abc".to_vec()),
        2 => prop::sample::select(b"_=x\nABC ".to_vec()),
        1 => any::<u8>(),
    ];
    prop::collection::vec(byte, 0..120)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn windows_find_what_whole_text_searches_find(text in text()) {
        let matcher = matcher();
        let mut found = Vec::new();
        matcher.scan(&text, &mut Scratch::default(), &mut found);
        prop_assert_eq!(found, slow(&matcher, &text));
    }
}

/// gitleaks' own configuration has keywords of two bytes: as hints they must not lead to literals that are too short
/// to be looked for.
#[test]
fn keywords_of_two_bytes_find_what_they_found() {
    let rules =
        vec![rule("two", r"s\.[a-z]{8}\b", &["s."]), rule("three", r"[xy]\.(?:ab|cd)[0-9]{4}", &["x."])];
    let matcher = Matcher::new(RuleSet::new(false, rules, |_| true).unwrap());
    let text = b"s.abcdefgh x.ab1234 y.cd5678";
    let mut found = Vec::new();
    matcher.scan(text, &mut Scratch::default(), &mut found);
    assert_eq!(found, slow(&matcher, text));
    assert_eq!(found.len(), 3);
}

/// Each built-in rule's own test texts, run both ways, together and in a longer text.
#[test]
fn the_builtin_pack_agrees_with_whole_text_searches() {
    let matcher = Matcher::new(RuleSet::builtin());
    let mut scratch = Scratch::default();
    let mut all = String::new();
    for rule in crate::rules::builtin() {
        for template in rule.matches.iter() {
            let complete = |p: &str| checksum::complete(&rule.checksum, p);
            all.push_str(&crate::rules::template::expand(template, &complete).unwrap().text);
            all.push_str("\n\n");
        }
    }
    let mut total = 0;
    for piece in all.as_bytes().chunks(64 << 10) {
        let mut found = Vec::new();
        matcher.scan(piece, &mut scratch, &mut found);
        found.retain(|c| c.evidence.is_none());
        total += found.len();
        let slow = slow_any_group(&matcher, piece);
        assert_eq!(found, slow);
    }
    assert!(total > crate::rules::builtin().len());
}

fn slow_any_group(matcher: &Matcher, text: &[u8]) -> Vec<Candidate> {
    let mut all = Vec::new();
    for (index, rule) in matcher.rules().iter().filter(|(_, r)| !r.pattern.is_empty()) {
        let regex = matcher.rules().regex(index);
        let mut caps = regex.create_captures();
        let mut from = 0;
        while from <= text.len() {
            regex.captures(Input::new(text).span(from..text.len()), &mut caps);
            let Some(whole) = caps.get_group(0) else { break };
            let secret = match usize::from(rule.secret_group) {
                0 => (1..caps.group_len()).find_map(|g| caps.get_group(g)),
                g => caps.get_group(g),
            };
            let secret = secret.unwrap_or(whole);
            if rule.digit && !text[secret.range()].iter().any(u8::is_ascii_digit) {
                from = whole.start + 1;
                continue;
            }
            let found = Candidate {
                rule: index,
                whole: Span::from_usize(whole.start, whole.end),
                secret: Span::from_usize(secret.start, secret.end),
                evidence: None,
            };
            if matcher.is_by_chance(text, &found) {
                from = whole.start + 1;
                continue;
            }
            from = whole.end;
            all.push(found);
        }
    }
    all.sort_unstable_by_key(|c| (c.secret.start, c.secret.end, c.rule));
    all
}

/// Builds a text from runs of `base` and inserted bytes.
fn assemble(base: &[u8], parts: &[(usize, usize, Vec<u8>)]) -> (Vec<u8>, Vec<delta::Run>) {
    let (mut text, mut runs) = (Vec::new(), Vec::new());
    for (start, len, insert) in parts {
        let src = start % (base.len() + 1);
        let len = len % (base.len() - src + 1);
        if len > 0 {
            runs.push(delta::Run { src, dst: text.len(), len });
            text.extend_from_slice(&base[src..src + len]);
        }
        text.extend_from_slice(insert);
    }
    (text, runs)
}

fn check_delta(matcher: &Matcher, base: &[u8], steps: &[Vec<(usize, usize, Vec<u8>)>]) {
    let mut scratch = Scratch::default();
    let mark = |text: &[u8], c: &Candidate| crc32fast::hash(c.secret.of(text));
    let mut text = base.to_vec();
    let mut seen = matcher.see(base, &mut scratch, &mut { mark });
    for parts in steps {
        let (next, runs) = assemble(&text, parts);
        let by_delta = matcher.see_delta(&next, &seen, &runs, &mut scratch, &mut { mark });
        let whole = matcher.see(&next, &mut scratch, &mut { mark });
        assert!(by_delta.is_in_order(), "{by_delta:?}");
        let (mut a, mut b) = (vec![elsewhere(matcher)], Vec::new());
        by_delta.candidates(matcher, &mut a);
        assert_eq!(a.is_empty(), by_delta.is_empty());
        whole.candidates(matcher, &mut b);
        assert_eq!(
            a,
            b,
            "base {:?} text {:?} runs {runs:?}",
            String::from_utf8_lossy(&text),
            String::from_utf8_lossy(&next)
        );
        for (c, mark) in &a {
            assert_eq!(*mark, crc32fast::hash(c.secret.of(&next)));
        }
        let mut scanned = Vec::new();
        matcher.scan(&next, &mut scratch, &mut scanned);
        assert_eq!(scanned, a.iter().map(|x| x.0).collect::<Vec<_>>());
        seen = by_delta;
        text = next;
    }
}

/// What a list may hold of another text.
fn elsewhere(matcher: &Matcher) -> (Candidate, u32) {
    let (rule, _) = matcher.rules().iter().next().unwrap();
    let far = Span { start: u32::MAX - 1, end: u32::MAX };
    (Candidate { rule, whole: far, secret: far, evidence: None }, 0)
}

fn steps(piece: impl Strategy<Value = Vec<u8>>) -> impl Strategy<Value = Vec<Vec<(usize, usize, Vec<u8>)>>> {
    prop::collection::vec(prop::collection::vec((0usize..2000, 0usize..2000, piece), 1..6), 1..4)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn delta_space_agrees_with_whole_scans(
        base in text(),
        steps in steps(prop::collection::vec(prop::sample::select(b"abcx_= ".to_vec()), 0..5)),
    ) {
        check_delta(&matcher(), &base, &steps);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// The built-in pack, generic detector included, on texts that look like its tests.
    #[test]
    fn delta_space_agrees_for_the_builtin_pack(
        base in lines_of_tests(),
        steps in steps(prop_oneof![3 => prop::collection::vec(prop::sample::select(b"pas=\"':x0 \n".to_vec()), 0..4), 1 => lines_of_tests()]),
    ) {
        static MATCHER: std::sync::OnceLock<Matcher> = std::sync::OnceLock::new();
        check_delta(MATCHER.get_or_init(|| Matcher::new(RuleSet::builtin())), &base, &steps);
    }
}

/// Some lines out of the built-in rules' tests, and assignments.
fn lines_of_tests() -> impl Strategy<Value = Vec<u8>> {
    let mut lines: Vec<String> = ["pass", "api_key", "client-secret", "authToken"]
        .iter()
        .flat_map(|name| {
            [
                format!("{name} = \"r4nd{name}Zq9\"\n"),
                format!("  {name}: Xy12{name}\n"),
                format!("url://u:{name}7@host/\n"),
            ]
        })
        .collect();
    for rule in crate::rules::builtin() {
        for template in rule.matches.iter() {
            let complete = |p: &str| checksum::complete(&rule.checksum, p);
            let text = crate::rules::template::expand(template, &complete).unwrap().text;
            if text.len() < 400 {
                lines.push(text + "\n");
            }
        }
    }
    prop::collection::vec(prop::sample::select(lines), 0..8).prop_map(|l| l.concat().into_bytes())
}

#[test]
fn every_kind_is_that_of_its_rule() {
    let matcher = Matcher::new(RuleSet::builtin());
    let mut served = 0;
    for (index, rule) in matcher.rules().iter() {
        match matcher.kind(index) {
            Some(kind) => {
                served += 1;
                assert_eq!(matcher.generic[kind.index()], Some(index), "{}", rule.id);
            }
            None => assert!(!matcher.generic.contains(&Some(index)), "{}", rule.id),
        }
    }
    assert!(served > 5);
}

#[test]
fn spans_overlap_where_they_share_a_byte() {
    let span = |start, end| Span { start, end };
    for (a, b, shared) in [
        (span(0, 2), span(1, 3), true),
        (span(0, 9), span(3, 4), true),
        (span(0, 2), span(2, 4), false),
        (span(0, 2), span(3, 4), false),
    ] {
        assert_eq!((a.overlaps(b), b.overlaps(a)), (shared, shared), "{a:?} {b:?}");
    }
}

/// A rule that asks for a digit and must see the whole text: what has none is passed over by a byte only.
#[test]
fn matches_without_a_digit_hide_none_behind_them() {
    let spec = RuleSpec { digit: true, ..RuleSpec::default() };
    let spec = RuleSpec { id: "digit".into(), regex: Some("(?s)k.*?=([a-z0-9]{3})".into()), ..spec };
    let rule = compile(&spec, &Defaults::default(), Strictness::User, &|_| false).unwrap();
    let matcher = Matcher::new(RuleSet::new(false, vec![rule], |_| true).unwrap());
    let text = b"k=abk=a1c";
    let mut found = Vec::new();
    matcher.scan(text, &mut Scratch::default(), &mut found);
    assert_eq!(found, slow_any_group(&matcher, text));
    assert_eq!(found.iter().map(|c| c.secret.of(text)).collect::<Vec<_>>(), [b"a1c"]);
}

/// Where two rules begin alike, the run of token bytes that one of them needs is not asked of the other.
#[test]
fn a_beginning_that_one_rule_wants_anywhere_is_found_anywhere() {
    let rules = vec![rule("long", r"\babc_[a-z0-9]{20}\b", &[]), rule("short", r"abc_[0-9]{3}!", &[])];
    let matcher = Matcher::new(RuleSet::new(false, rules, |_| true).unwrap());
    let text = b"abc_123! abc_0123456789abcdefghij";
    let mut found = Vec::new();
    matcher.scan(text, &mut Scratch::default(), &mut found);
    assert_eq!(found, slow(&matcher, text));
    assert_eq!(found.len(), 2);
}
