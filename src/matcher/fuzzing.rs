//! What fuzz targets call: each fast path of the matcher against its slow twin.

use std::sync::OnceLock;

use regex_automata::{Anchored, Input};

use super::delta::Run;
use super::prefilter::{Hit, LiteralIndex, RUN};
use super::{Candidate, Matcher, Scratch, Span};
use crate::rules::compile::{Strictness, compile};
use crate::rules::spec::RuleSpec;
use crate::rules::{Rule, RuleIndex, RuleSet, is_token_byte};

/// Rules on a text; the first byte says what of them is compared.
pub fn rules(data: &[u8]) {
    let Some((&which, data)) = data.split_first() else { return };
    match which & 3 {
        0 => own_rule(data),
        1 => occurrences(data),
        2 => deltas(data),
        _ => contexts(data),
    }
}

/// A text in which the bytes 1 to 4 stand for values that look like secrets: seeds must not hold any.
pub(crate) fn expanded(data: &[u8]) -> Vec<u8> {
    let values = [
        ["Vx9kq2!m", "Tr7wLp"].concat(),
        ["gh", "p_0123456789abcdefghij", "ABCDEFGHIJ012345"].concat(),
        ["AKIA", "Q3XZ7YLM", "5K2WB4NV"].concat(),
        ["q7Xz0mVwLr4kTn9e", "Hb2cYd8fJg5iPa1sUo6t"].concat(),
    ];
    let mut text = Vec::with_capacity(data.len());
    for &byte in data {
        match byte {
            1..=4 => text.extend_from_slice(values[usize::from(byte - 1)].as_bytes()),
            byte => text.push(byte),
        }
    }
    text
}

fn builtin() -> &'static Matcher {
    static MATCHER: OnceLock<Matcher> = OnceLock::new();
    MATCHER.get_or_init(|| Matcher::new(RuleSet::builtin()))
}

fn scanned(matcher: &Matcher, text: &[u8]) -> Vec<Candidate> {
    let mut found = Vec::new();
    matcher.scan(text, &mut Scratch::default(), &mut found);
    found
}

/// A pattern, a zero byte, a text: windows find what a search of the whole text finds.
fn own_rule(data: &[u8]) {
    let Some(cut) = memchr::memchr(0, data).filter(|&cut| cut < 200) else { return };
    let Ok(pattern) = std::str::from_utf8(&data[..cut]) else { return };
    let text = &data[cut + 1..];
    let spec = RuleSpec { id: "own".into(), regex: Some(pattern.into()), ..RuleSpec::default() };
    let Ok(rule) = compile(&spec, &Default::default(), Strictness::User, &|_| false) else { return };
    let Ok(rules) = RuleSet::new(false, vec![rule], |_| true) else { return };
    let matcher = Matcher::new(rules);
    let Some((index, _)) = matcher.rules().iter().next() else { return };
    assert_eq!(scanned(&matcher, text), searched(&matcher, index, text), "{pattern}");
}

/// Leftmost-first, non-overlapping matches of one regex.
fn searched(matcher: &Matcher, rule: RuleIndex, text: &[u8]) -> Vec<Candidate> {
    let regex = matcher.rules().regex(rule);
    let found = regex.captures_iter(text).filter_map(|groups| {
        let whole = groups.get_group(0)?;
        let secret = (1..groups.group_len()).find_map(|group| groups.get_group(group)).unwrap_or(whole);
        Some(Candidate {
            rule,
            whole: Span::from_usize(whole.start, whole.end),
            secret: Span::from_usize(secret.start, secret.end),
            evidence: None,
        })
    });
    let mut found: Vec<Candidate> = found.collect();
    found.sort_unstable_by_key(|c| (c.secret.start, c.secret.end));
    found
}

/// The prefilter, in the whole text or a part of it, against a look at every place.
fn occurrences(data: &[u8]) {
    let Some((&[a, b], text)) = data.split_first_chunk::<2>() else { return };
    let prefilter = builtin().prefilter();
    let (start, end) = match a {
        0 => (0, text.len()),
        _ => (usize::from(a).min(text.len()), (usize::from(a) + 4 * usize::from(b)).min(text.len())),
    };
    let mut hits = Vec::new();
    prefilter.find(text, start, end, &mut hits);
    hits.sort_unstable();
    for hit in &hits {
        assert!(is_literal(text, *hit), "{hit:?}");
    }
    for hit in naive(text, start, end) {
        assert!(hits.binary_search(&hit).is_ok(), "{hit:?} in {start}..{end}");
    }
}

fn is_literal(text: &[u8], hit: Hit) -> bool {
    let literal = &builtin().prefilter().literals()[usize::from(hit.literal)];
    let there = text.get(hit.at as usize..).and_then(|rest| rest.get(..literal.bytes.len()));
    there.is_some_and(|there| match literal.fold {
        true => there.eq_ignore_ascii_case(&literal.bytes),
        false => there == &literal.bytes[..],
    })
}

/// What must be found: literals by their first byte, at every place.
fn naive(text: &[u8], start: usize, end: usize) -> Vec<Hit> {
    static FIRST: OnceLock<Vec<Vec<LiteralIndex>>> = OnceLock::new();
    let by_first = FIRST.get_or_init(|| {
        let mut by_first = vec![Vec::new(); 256];
        for (index, literal) in builtin().prefilter().literals().iter().enumerate() {
            by_first[usize::from(literal.bytes[0].to_ascii_lowercase())].push(index as LiteralIndex);
        }
        by_first
    });
    let mut hits = Vec::new();
    for at in 0..end {
        let run = text.get(at..at + RUN).is_some_and(|run| run.iter().all(|&b| is_token_byte(b)));
        for &literal in &by_first[usize::from(text[at].to_ascii_lowercase())] {
            let hit = Hit { at: at as u32, literal };
            let known = &builtin().prefilter().literals()[usize::from(literal)];
            let counts = (run || !known.in_run) && at + known.bytes.len() > start;
            if counts && start < end && is_literal(text, hit) {
                hits.push(hit);
            }
        }
    }
    hits
}

/// A text, and three made from it by copies and inserted bytes: what is inherited is what a scan finds.
fn deltas(data: &[u8]) {
    let Some((&[high, low], rest)) = data.split_first_chunk::<2>() else { return };
    let cut = usize::from(u16::from_be_bytes([high, low])).min(rest.len());
    let (base, script) = rest.split_at(cut);
    let (base, script) = (&expanded(base), expanded(script));
    let mut script = script.as_slice();
    let matcher = builtin();
    let mut scratch = Scratch::default();
    let mark = |text: &[u8], c: &Candidate| crc32fast::hash(c.secret.of(text));
    let mut text = base.clone();
    let mut seen = matcher.see(base, &mut scratch, &mut { mark });
    for _ in 0..3 {
        let (next, runs) = assembled(&text, &mut script);
        let by_delta = matcher.see_delta(&next, &seen, &runs, &mut scratch, &mut { mark });
        let mut inherited = Vec::new();
        by_delta.candidates(matcher, &mut inherited);
        let candidates: Vec<Candidate> = inherited.iter().map(|it| it.0).collect();
        assert_eq!(candidates, scanned(matcher, &next), "{runs:?}");
        for (candidate, marked) in inherited {
            assert_eq!(marked, mark(&next, &candidate));
        }
        (seen, text) = (by_delta, next);
    }
}

/// Up to four runs of a text, each with bytes behind it.
fn assembled(base: &[u8], script: &mut &[u8]) -> (Vec<u8>, Vec<Run>) {
    let (mut text, mut runs) = (Vec::new(), Vec::new());
    for _ in 0..4 {
        let Some((&[a, b, len, insert], rest)) = script.split_first_chunk::<4>() else { break };
        let src = usize::from(u16::from_be_bytes([a & 3, b])) % (base.len() + 1);
        let len = (usize::from(len) * (1 + usize::from(a >> 4))).min(base.len() - src);
        if len > 0 {
            runs.push(Run { src, dst: text.len(), len });
            text.extend_from_slice(&base[src..src + len]);
        }
        let (inserted, rest) = rest.split_at(usize::from(insert & 0x3f).min(rest.len()));
        text.extend_from_slice(inserted);
        *script = rest;
    }
    (text, runs)
}

/// A context rule, matched by hand and by the regex that says what it means. In the text, bytes 1 to 4 stand for
/// the rule's keywords.
fn contexts(data: &[u8]) {
    static WITH_CONTEXT: OnceLock<Vec<RuleIndex>> = OnceLock::new();
    let matcher = builtin();
    let with_context = WITH_CONTEXT.get_or_init(|| {
        let has = |(index, rule): (RuleIndex, &Rule)| rule.context.is_some().then_some(index);
        matcher.rules().iter().filter_map(has).collect()
    });
    let Some((rule, data)) = data.split_first_chunk::<2>() else { return };
    let rule = with_context[usize::from(u16::from_be_bytes(*rule)) % with_context.len()];
    let Some(context) = &matcher.rules().rule(rule).context else { return };
    let mut text = Vec::new();
    for &byte in data.iter().take(300) {
        match byte {
            1..=4 => {
                let keyword = &context.keywords[usize::from(byte - 1) % context.keywords.len()];
                text.extend_from_slice(keyword.trim_start_matches('^').as_bytes());
            }
            byte => text.push(byte),
        }
    }
    let mut scratch = Scratch::default();
    for start in 0..text.len() {
        let input = Input::new(&text).range(start..).anchored(Anchored::Yes);
        let by_regex = matcher.search(rule, &input, &mut scratch);
        let expected = by_regex.filter(|found| !matcher.is_by_chance(&text, found));
        let found = matcher.search_context(&text, rule, start, &mut scratch);
        assert_eq!(
            found,
            expected,
            "{} at {start} of {:?}",
            matcher.rules().rule(rule).id,
            bstr::BStr::new(&text)
        );
    }
}
