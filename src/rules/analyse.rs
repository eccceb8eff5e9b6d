//! What a regex demands of the text it matches: required literals, where they stand, how far it reaches.
//!
//! The prefilter looks only for these literals, and the regex then runs only in the window that they
//! leave. Everything here is derived from the pattern's syntax tree (`regex-syntax`'s `Hir`) and is
//! conservative: a literal is *required* only if every possible match contains one of the set.
//! `build.rs` includes this file, so it depends on nothing of the crate.

use regex_syntax::hir::{Class, Hir, HirKind};

use super::rarity;
use super::rule::{Anchor, Run, Word, is_token_byte};

// `build.rs` includes this file by its path, from where `mod runs` alone would not be found.
#[path = "analyse/runs.rs"]
mod runs;
#[path = "analyse/steps.rs"]
mod steps;
#[path = "analyse/words.rs"]
mod words;

#[allow(unused_imports)] // The build script needs neither.
pub use steps::{Step, ways};

/// Most literals in the set of one rule.
const MAX_LITERALS: usize = 64;
/// Longest literal that is kept; longer ones are cut, which only makes them less selective.
const MAX_LITERAL_LEN: usize = 14;
/// Shortest literal that the prefilter can look for.
pub const MIN_LITERAL_LEN: usize = 3;
/// Rarity, in bits, below which a literal set is as good as none ("the", "key").
const MIN_RARITY: f32 = 11.0;
/// What a hint adds to the rarity of a literal, in bits: enough to win.
const HINTED: f32 = 100.0;

/// What [`analyse`] finds out about a pattern.
#[derive(Clone, Debug)]
pub struct Analysis {
    /// The required literals: every match contains at least one. Empty when none could be derived.
    pub anchors: Vec<Anchor>,
    /// Length in bytes of the longest possible match; None when unbounded.
    pub max_len: Option<u32>,
    /// Whether the pattern can match the empty string.
    pub matches_empty: bool,
    /// A run of bytes that every match holds, if there is one of some length.
    pub run: Option<Run>,
    /// The run that the capture groups are, when they hold nothing else.
    pub secret_run: Option<Run>,
    /// Words that every match holds beside the anchors.
    pub words: Vec<Word>,
    /// Number of capture groups, the whole match not counted.
    pub groups: usize,
}

/// Parses a pattern the way the matcher compiles it: bytes, ASCII classes, no Unicode.
///
/// # Errors
/// The parser's message, which names the place in the pattern.
pub fn parse(pattern: &str) -> Result<Hir, String> {
    let parse = |unicode: bool| {
        let mut builder = regex_syntax::ParserBuilder::new();
        builder.utf8(false).nest_limit(100).unicode(unicode).build().parse(pattern).map_err(|e| e.to_string())
    };
    // `.` and negated classes next to non-ASCII text, `\p{…}` and the like need Unicode mode.
    parse(false).or_else(|first| parse(true).map_err(|_| first))
}

/// Derives required literals and bounds from a pattern's syntax tree. Where there is a choice, literals that hold
/// one of the `hints` (words in lower case that the author knows to be rare) are taken.
pub fn analyse(hir: &Hir, hints: &[String]) -> Analysis {
    let properties = hir.properties();
    let found = required(hir, hints);
    let anchors = match found {
        Some(set) if set.rarity(hints) >= MIN_RARITY => set.into_anchors(),
        _ => Vec::new(),
    };
    Analysis {
        words: words::of(hir, &anchors),
        anchors,
        max_len: properties.maximum_len().map(clamp),
        matches_empty: properties.minimum_len().unwrap_or(0) == 0,
        run: runs::of_match(hir),
        secret_run: runs::of_secret(hir),
        groups: properties.explicit_captures_len(),
    }
}

/// The class and least length of a pattern's matches, when each match is one run of that class.
pub fn entire_run(hir: &Hir) -> Option<Run> {
    runs::of_entire(hir)
}

fn clamp(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// A set of literals of which every match holds one.
#[derive(Clone, Debug)]
struct LiteralSet {
    anchors: Vec<Needed>,
}

/// A literal of a set, with its place in the sub-pattern.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Needed {
    anchor: Anchor,
    /// Whether all that the sub-pattern matches from the literal on are token bytes, so that more may follow.
    open: bool,
}

impl LiteralSet {
    /// Estimated rarity in bits of the set in ordinary text: that of its commonest literal, less the
    /// number of alternatives.
    fn rarity(&self, hints: &[String]) -> f32 {
        let hinted = |a: &Needed| hints.iter().any(|hint| holds(&a.anchor.literal, hint.as_bytes()));
        let bonus = if self.anchors.iter().all(hinted) { HINTED } else { 0.0 };
        let commonest = self
            .anchors
            .iter()
            .map(|a| &a.anchor)
            .map(|a| match a.literal.len() {
                // No hint makes a literal usable that the prefilter has no entry for.
                0..MIN_LITERAL_LEN => f32::NEG_INFINITY,
                _ => literal_rarity(&a.literal, a.fold),
            })
            .fold(f32::INFINITY, f32::min);
        bonus + commonest - (self.anchors.len() as f32).log2() * 0.5
    }

    fn shifted(mut self, min: u32, max: Option<u32>) -> Self {
        for Needed { anchor: a, .. } in &mut self.anchors {
            a.before_min = a.before_min.saturating_add(min);
            a.before_max = match (a.before_max, max) {
                (Some(x), Some(y)) => x.checked_add(y),
                _ => None,
            };
        }
        self
    }

    /// The same set where this follows the sub-pattern.
    fn followed_by(mut self, lead: Lead) -> Self {
        for needed in self.anchors.iter_mut().filter(|needed| needed.open) {
            needed.anchor.tail = needed.anchor.tail.saturating_add(lead.min);
            needed.open = lead.entire;
        }
        self
    }

    fn into_anchors(self) -> Vec<Anchor> {
        let mut anchors: Vec<Anchor> = self.anchors.into_iter().map(|needed| needed.anchor).collect();
        anchors.sort();
        // Of two that differ in nothing but what follows, the first has the shorter tail.
        let place = |a: &Anchor| (a.literal.clone(), a.fold, a.before_min, a.before_max);
        anchors.dedup_by_key(|a| place(a));
        anchors
    }
}

/// The token bytes that every match of a sub-pattern begins with.
#[derive(Clone, Copy, Debug)]
struct Lead {
    min: u32,
    /// Whether every match holds nothing else.
    entire: bool,
}

impl Lead {
    const NOTHING: Lead = Lead { min: 0, entire: true };

    fn of(hir: &Hir) -> Lead {
        let one = |all: bool| Lead { min: u32::from(all), entire: all };
        match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => Lead::NOTHING,
            HirKind::Literal(l) => Lead::of_bytes(&l.0),
            HirKind::Class(class) => one(runs::class_is_within(class, is_token_byte)),
            HirKind::Capture(c) => Lead::of(&c.sub),
            HirKind::Repetition(r) => match Lead::of(&r.sub) {
                sub if sub.entire => Lead { min: sub.min.saturating_mul(r.min), entire: true },
                sub if r.min > 0 => sub,
                _ => Lead { min: 0, entire: false },
            },
            HirKind::Concat(parts) => Lead::of_parts(parts),
            HirKind::Alternation(parts) => {
                let shorter = |a: Lead, b: Lead| Lead { min: a.min.min(b.min), entire: a.entire && b.entire };
                parts.iter().map(Lead::of).reduce(shorter).unwrap_or(Lead::NOTHING)
            }
        }
    }

    fn of_bytes(bytes: &[u8]) -> Lead {
        let min = bytes.iter().take_while(|b| is_token_byte(**b)).count();
        Lead { min: clamp(min), entire: min == bytes.len() }
    }

    /// Of parts one after the other.
    fn of_parts(parts: &[Hir]) -> Lead {
        let mut lead = Lead::NOTHING;
        for part in parts {
            if !lead.entire {
                break;
            }
            let next = Lead::of(part);
            lead = Lead { min: lead.min.saturating_add(next.min), entire: next.entire };
        }
        lead
    }
}

/// Rough information content of a literal in source text, in bits.
fn literal_rarity(literal: &[u8], fold: bool) -> f32 {
    literal.iter().map(|&b| byte_rarity(b, fold)).sum()
}

fn byte_rarity(b: u8, fold: bool) -> f32 {
    match b {
        b' ' => 2.5,
        b'e' | b't' | b'a' | b'o' | b'i' | b'n' | b's' | b'r' => 4.0,
        b'a'..=b'z' => 5.0,
        b'A'..=b'Z' if fold => 5.0,
        b'A'..=b'Z' => 6.5,
        b'0'..=b'9' => 6.0,
        b'=' | b'"' | b'\'' | b'/' | b'(' | b')' | b',' | b'.' | b':' | b';' | b'\n' => 5.0,
        b'_' | b'-' => 5.5,
        _ => 7.0,
    }
}

/// The finite language of a sub-pattern as literals, each byte either exact or of either case.
#[derive(Clone, Debug)]
struct Text {
    bytes: Vec<u8>,
    fold: bool,
}

/// All texts that a sub-pattern can match, when they are few and contain no variable part.
fn finite(hir: &Hir) -> Option<Vec<Text>> {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Some(vec![Text { bytes: Vec::new(), fold: false }]),
        HirKind::Literal(l) => Some(vec![Text { bytes: l.0.to_vec(), fold: false }]),
        HirKind::Class(class) => class_texts(class),
        HirKind::Capture(c) => finite(&c.sub),
        HirKind::Repetition(r) => {
            let one = finite(&r.sub)?;
            if (r.min, r.max) == (0, Some(1)) {
                let absent = Text { bytes: Vec::new(), fold: false };
                return Some(one.into_iter().chain([absent]).collect());
            }
            if r.max != Some(r.min) || r.min as usize > MAX_LITERAL_LEN {
                return None;
            }
            let mut all = vec![Text { bytes: Vec::new(), fold: false }];
            for _ in 0..r.min {
                all = product(&all, &one)?;
            }
            Some(all)
        }
        HirKind::Concat(parts) => {
            let mut all = vec![Text { bytes: Vec::new(), fold: false }];
            for part in parts {
                all = product(&all, &finite(part)?)?;
            }
            Some(all)
        }
        HirKind::Alternation(parts) => {
            let mut all = Vec::new();
            for part in parts {
                all.extend(finite(part)?);
                if all.len() > MAX_LITERALS {
                    return None;
                }
            }
            Some(all)
        }
    }
}

/// The first byte of a repeated class, for literals that are too short without it. What follows such a
/// part cannot be added to the literal, so it is the last of a run.
fn first_of(hir: &Hir) -> Option<Vec<Text>> {
    match hir.kind() {
        HirKind::Repetition(r) if r.min > 0 && matches!(r.sub.kind(), HirKind::Class(_)) => finite(&r.sub),
        HirKind::Capture(c) => first_of(&c.sub),
        _ => None,
    }
}

/// The bytes that what these parts match can begin with, when they are few: a literal that ends before them is
/// rarer with them (`password` is everywhere, `password=` is not).
fn first_bytes(parts: &[Hir]) -> Option<Vec<Text>> {
    const FEW: usize = 7;
    let mut all: Vec<Text> = Vec::new();
    for part in parts {
        let first = first_bytes_of(part)?;
        for text in first.texts {
            if !all.iter().any(|t| (&t.bytes, t.fold) == (&text.bytes, text.fold)) {
                all.push(text);
            }
        }
        if all.len() > FEW {
            return None;
        }
        if !first.may_be_empty {
            return Some(all);
        }
    }
    None
}

/// What a sub-pattern can begin with.
struct First {
    texts: Vec<Text>,
    /// Whether it matches the empty text too, so that what follows it counts.
    may_be_empty: bool,
}

fn first_bytes_of(hir: &Hir) -> Option<First> {
    let texts = match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Vec::new(),
        HirKind::Literal(l) => vec![Text { bytes: l.0.iter().take(1).copied().collect(), fold: false }],
        HirKind::Class(class) => class_texts(class)?,
        HirKind::Capture(c) => return first_bytes_of(&c.sub),
        HirKind::Repetition(r) => first_bytes_of(&r.sub)?.texts,
        HirKind::Concat(parts) => {
            let mut texts = Vec::new();
            for part in parts {
                let first = first_bytes_of(part)?;
                texts.extend(first.texts);
                if !first.may_be_empty {
                    break;
                }
            }
            texts
        }
        HirKind::Alternation(parts) => {
            let mut texts = Vec::new();
            for part in parts {
                texts.extend(first_bytes_of(part)?.texts);
            }
            texts
        }
    };
    Some(First { texts, may_be_empty: hir.properties().minimum_len() == Some(0) })
}

/// Whether a short text holds another, ASCII case ignored.
pub fn holds(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len().max(1)).any(|window| window.eq_ignore_ascii_case(part))
}

/// The members of a class, a letter in both cases counting as one, when they are at most 26.
fn class_texts(class: &Class) -> Option<Vec<Text>> {
    let mut members = Vec::new();
    let ranges: Vec<(u32, u32)> = match class {
        Class::Bytes(c) => c.ranges().iter().map(|r| (u32::from(r.start()), u32::from(r.end()))).collect(),
        Class::Unicode(c) => c.ranges().iter().map(|r| (r.start() as u32, r.end() as u32)).collect(),
    };
    for (start, end) in ranges {
        if end > 0x7f || end - start > 26 {
            return None;
        }
        members.extend((start..=end).map(|b| b as u8));
    }
    let mut texts: Vec<Text> = Vec::new();
    for &b in &members {
        let lower = b.to_ascii_lowercase();
        let both =
            b.is_ascii_alphabetic() && members.contains(&lower) && members.contains(&b.to_ascii_uppercase());
        if both && b != lower {
            continue;
        }
        texts.push(Text { bytes: vec![b], fold: both });
    }
    (texts.len() <= 26).then_some(texts)
}

fn product(left: &[Text], right: &[Text]) -> Option<Vec<Text>> {
    if left.len() * right.len() > MAX_LITERALS {
        return None;
    }
    let mut all = Vec::with_capacity(left.len() * right.len());
    for l in left {
        for r in right {
            let mut bytes = l.bytes.clone();
            bytes.extend_from_slice(&r.bytes);
            all.push(Text { bytes, fold: l.fold || r.fold });
        }
    }
    Some(all)
}

fn literal_set(texts: Vec<Text>) -> LiteralSet {
    let mut anchors: Vec<Needed> = texts
        .into_iter()
        .map(|t| {
            let lead = Lead::of_bytes(&t.bytes);
            let mut literal = t.bytes;
            if t.fold {
                literal.make_ascii_lowercase();
            }
            literal.truncate(MAX_LITERAL_LEN);
            let tail = lead.min;
            let anchor = Anchor {
                rarest: rarity::rarest(&literal) as u8,
                literal: literal.into(),
                fold: t.fold,
                before_min: 0,
                before_max: Some(0),
                tail,
            };
            Needed { anchor, open: lead.entire }
        })
        .collect();
    anchors.sort();
    anchors.dedup();
    LiteralSet { anchors }
}

/// The best set of required literals of a sub-pattern, with places relative to its start.
fn required(hir: &Hir, hints: &[String]) -> Option<LiteralSet> {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => None,
        HirKind::Literal(_) | HirKind::Class(_) => finite(hir).map(literal_set),
        HirKind::Capture(c) => required(&c.sub, hints),
        HirKind::Repetition(r) => {
            if r.min == 0 {
                return None;
            }
            match finite(hir) {
                Some(texts) => Some(literal_set(texts)),
                // The first of the repetitions stands at the start; what follows is another one, or not.
                None => required(&r.sub, hints).map(|set| set.followed_by(Lead { min: 0, entire: false })),
            }
        }
        HirKind::Concat(parts) => required_of_concat(parts, hints),
        HirKind::Alternation(parts) => {
            let mut anchors = Vec::new();
            for part in parts {
                anchors.extend(required(part, hints)?.anchors);
            }
            anchors.sort();
            anchors.dedup();
            (anchors.len() <= 4 * MAX_LITERALS).then_some(LiteralSet { anchors })
        }
    }
}

/// Offers a set of literals unless it is many short ones, each of which costs the prefilter hundreds of
/// grams; many are fine when they are long, or when fewer would be too short to look for.
fn offer_if_few(run: &[Text], offer: &mut impl FnMut(LiteralSet)) {
    const FEW: usize = 8;
    const LONG: usize = 5;
    let shortest = run.iter().map(|t| t.bytes.len()).min().unwrap_or(0);
    if run.len() <= FEW || shortest >= LONG || shortest == MIN_LITERAL_LEN {
        offer(literal_set(run.to_vec()));
    }
}

/// Tries every run of consecutive finite parts, and every part's own set, and keeps the rarest.
fn required_of_concat(parts: &[Hir], hints: &[String]) -> Option<LiteralSet> {
    let mut best: Option<(f32, LiteralSet)> = None;
    let mut offset = (0u32, Some(0u32));
    for (i, part) in parts.iter().enumerate() {
        // `next` is the index of the first part after the set's.
        let mut offer = |set: LiteralSet, next: usize| {
            let set = set.shifted(offset.0, offset.1).followed_by(Lead::of_parts(&parts[next..]));
            let rarity = set.rarity(hints);
            if best.as_ref().is_none_or(|(r, _)| rarity > *r) {
                best = Some((rarity, set));
            }
        };
        if let Some(mut run) = finite(part) {
            offer(literal_set(run.clone()), i + 1);
            for (n, next) in parts.iter().enumerate().skip(i + 1) {
                let short = run.iter().any(|t| t.bytes.len() < MIN_LITERAL_LEN);
                let (texts, last) = match finite(next) {
                    Some(texts) => (Some(texts), false),
                    None => (first_of(next).filter(|_| short).or_else(|| first_bytes(&parts[n..])), true),
                };
                match texts.and_then(|texts| product(&run, &texts)) {
                    Some(longer) => run = longer,
                    None => break,
                }
                if last {
                    // The first byte of the part is in the literal, and counted.
                    let lead = Lead::of_parts(&parts[n..]);
                    let lead = Lead { min: lead.min.saturating_sub(1), ..lead };
                    offer_if_few(&run, &mut |set| offer(set.followed_by(lead), parts.len()));
                    break;
                }
                offer_if_few(&run, &mut |set| offer(set, n + 1));
            }
        } else if let Some(set) = required(part, hints) {
            offer(set, i + 1);
        }
        let properties = part.properties();
        offset.0 = offset.0.saturating_add(clamp(properties.minimum_len().unwrap_or(0)));
        offset.1 = match (offset.1, properties.maximum_len()) {
            (Some(x), Some(y)) => x.checked_add(clamp(y)),
            _ => None,
        };
    }
    best.map(|(_, set)| set)
}

#[cfg(test)]
#[path = "analyse/tests.rs"]
mod tests;
