//! Candidates of one text → findings: verdict, one finding per secret, parts, positions.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::ops::Range;

use bstr::BString;

use super::parts::Parts;
use super::{Engine, Lines, Text};
use crate::finding::{Confidence, Finding, Location, Position, Secret, Status};
use crate::matcher::decode::Decoded;
use crate::matcher::{Candidate, Matcher, Span, generic};
use crate::rules::{Rule, RuleIndex};
use crate::suppress::Subject;
use crate::verdict::filekind::FileKind;
use crate::verdict::{self, Judgement};

/// Tag of rules whose values are written in base64.
const ENCODED_TAG: &str = "base64";
/// Longest stretch of a match shown before and after the secret, in bytes.
const SHOWN: usize = 60;

/// Where candidates stand: in a text, or in what was encoded in it.
pub(super) struct Place<'a> {
    text: &'a Text<'a>,
    decoded: Option<&'a Decoded>,
    /// The bytes that candidates' spans refer to.
    bytes: &'a [u8],
    lines: &'a Lines<'a>,
}

impl Place<'_> {
    /// The bytes of the text that hold a span, encoded or not.
    fn outer(&self, span: Span) -> Range<usize> {
        let inner = span.start as usize..span.end as usize;
        self.decoded.map_or(inner.clone(), |d| d.source_range(inner))
    }

    pub(super) fn start(&self, span: Span) -> Position {
        self.lines.position(self.outer(span).start)
    }

    pub(super) fn locate(&self, span: Span) -> Location {
        let outer = self.outer(span);
        let mut location = self.text.location.clone();
        location.start = self.lines.position(outer.start);
        location.end = self.lines.position(outer.end);
        if let Some(decoded) = self.decoded {
            location.decoded.extend_from_slice(decoded.chain.as_slice());
        }
        location
    }
}

/// A candidate that passed the verdict.
pub(super) struct Judged {
    pub(super) candidate: Candidate,
    confidence: Confidence,
    /// Whether the place says what it is, whichever rule found it.
    is_settled: bool,
}

/// Judges the candidates of a text and appends findings for those that hold and are the text's own. The others
/// stand in its context: they can be parts of findings, or better candidates for the same secret.
///
/// When `decoded` is given, the candidates are those of text that stood encoded in `text`. `lines` are those of
/// `text`, made when there is a finding to place.
pub fn findings<'t>(
    engine: &Engine,
    text: &Text<'t>,
    lines: &OnceCell<Lines<'t>>,
    decoded: Option<&Decoded>,
    candidates: &[Candidate],
    out: &mut Vec<Finding>,
) {
    let bytes = decoded.map_or(text.bytes, |d| &d.bytes);
    let rules = engine.matcher().rules();
    let path = text.location.path.as_ref().map(|p| p.as_slice());
    let kind = path.map_or(FileKind::UNKNOWN, FileKind::from_path);
    let mut judged: Vec<Judged> = Vec::new();
    for candidate in candidates {
        // In binary data only self-identifying secrets count.
        if text.binary && !engine.counts_in_binary(candidate) {
            continue;
        }
        if !applies(engine, candidate.rule, path) || !engine.matcher().accepts(bytes, candidate) {
            continue;
        }
        if is_by_chance(rules.rule(candidate.rule), bytes, candidate.secret) {
            continue;
        }
        let secret = secret_of(engine.matcher(), candidate, bytes);
        if let Some((confidence, is_settled)) = weigh(engine.matcher(), candidate, &secret, kind) {
            judged.push(Judged { candidate: *candidate, confidence, is_settled });
        }
    }
    let is_own = |candidate: &Candidate| {
        decoded.is_some() || text.owns(candidate.secret.start as usize, candidate.secret.end as usize)
    };
    if !judged.iter().any(|it| is_own(&it.candidate)) {
        return;
    }
    let lines = lines.get_or_init(|| Lines::new(text.bytes, text.origin));
    let place = Place { text, decoded, bytes, lines };
    let kept = one_per_secret(engine, &judged, &place);
    let parts = Parts::new(rules, &judged, &place);
    let mut held: Vec<Span> = Vec::new();
    let mut reported: Vec<(Span, Finding)> = Vec::new();
    let secrets = merged(judged.iter().map(|j| j.candidate.secret).collect());
    for index in kept {
        let it = &judged[index];
        if !is_own(&it.candidate) {
            continue;
        }
        let rule = rules.rule(it.candidate.rule);
        let ids: Vec<&str> =
            std::iter::once(&rule.id).chain(rule.aliases.iter()).map(AsRef::as_ref).collect();
        let changed = engine.policy().effective(path, &ids);
        let least = changed.min_confidence.unwrap_or(engine.options().min_confidence);
        let confidence = changed.confidence.unwrap_or(it.confidence);
        if !changed.enabled || confidence < least {
            continue;
        }
        if let Some(parts) = parts.of(rule, it.candidate.secret, &place) {
            let located =
                parts.iter().map(|(part, span)| (part.id.to_string(), place.locate(*span))).collect();
            let secret = secret_of(engine.matcher(), &it.candidate, bytes);
            let reasons = judge(engine.matcher(), &it.candidate, &secret, kind).reasons;
            let mut finding = finding(engine, rule, it, &secret, located, &place, &secrets);
            finding.reasons = reasons;
            if matches!(secret, Cow::Owned(_)) {
                finding.location.decoded.push("base64");
            }
            finding.confidence = confidence;
            finding.severity = changed.severity.unwrap_or(finding.severity);
            if let Some(suppression) = engine.policy().judge(&subject(rule, it, &place)) {
                finding.status = Status::Suppressed(suppression);
            } else {
                held.extend(parts.iter().filter(|(part, _)| part.optional).map(|&(_, span)| span));
            }
            reported.push((it.candidate.secret, finding));
        }
    }
    // What is reported as a part of a find needs no finding of its own. Parts that their find cannot do without
    // are for the rule that demands them to leave out (`skip_report`).
    held.sort_unstable();
    let is_part = |secret: Span| {
        let at = held.partition_point(|part| part.start <= secret.start);
        held[..at].last().is_some_and(|part| secret.end <= part.end)
    };
    out.extend(reported.into_iter().filter(|(secret, _)| !is_part(*secret)).map(|(_, finding)| finding));
}

/// Whether a find that nothing proves stands in the midst of base64, in which every short prefix is met by chance.
pub(super) fn is_by_chance(rule: &Rule, text: &[u8], secret: Span) -> bool {
    rule.checksum.is_empty() && is_in_base64(text, secret)
}

/// Whether there is enough base64 on both sides of a find, without a break, of all kinds of characters.
fn is_in_base64(text: &[u8], secret: Span) -> bool {
    const LEAST: usize = 48;
    let (start, end) = (secret.start as usize, secret.end as usize);
    let sides =
        start.checked_sub(LEAST).and_then(|from| Some((text.get(from..start)?, text.get(end..end + LEAST)?)));
    let is_base64 = |side: &[u8]| {
        side.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/'))
            && side.iter().any(u8::is_ascii_digit)
            && side.iter().any(u8::is_ascii_uppercase)
            && side.iter().any(u8::is_ascii_lowercase)
    };
    sides.is_some_and(|(before, behind)| {
        is_base64(behind)
            && is_base64(before)
            && before.iter().chain(behind).any(|b| matches!(b, b'+' | b'/'))
    })
}

/// Adds findings of encoded text to those of the text itself, which begin at `first`. Where both stand
/// in the same place, a specific rule wins over a generic one, and else the text over what it encodes.
pub fn add_decoded(findings: &mut Vec<Finding>, first: usize, decoded: Vec<Finding>) {
    if decoded.is_empty() {
        return;
    }
    // Where each finding begins; they hardly ever overlap.
    let mut begin: BTreeMap<Position, usize> =
        (first..findings.len()).map(|at| (findings[at].location.start, at)).collect();
    for finding in decoded {
        let (start, end) = (finding.location.start, finding.location.end);
        let before = begin.range(..end).rev().map(|(_, &at)| at);
        let here = before.take_while(|&at| start < findings[at].location.end).min();
        match here {
            None => {
                begin.insert(start, findings.len());
                findings.push(finding);
            }
            Some(at) if yields(&findings[at], &finding) => {
                begin.remove(&findings[at].location.start);
                begin.insert(start, at);
                findings[at] = finding;
            }
            Some(_) => {}
        }
    }
}

/// Whether a finding makes room for one in what it encodes: one that says little does, and a JSON web token whose
/// claims hold a secret that a specific rule names.
fn yields(outer: &Finding, inner: &Finding) -> bool {
    let is_claim = inner.location.decoded.contains(&"jwt") && !outer.location.decoded.contains(&"jwt");
    (gives_way(outer) || is_claim) && !gives_way(inner)
}

/// Whether a finding says less than one of another rule, in what is encoded at its place, would.
fn gives_way(finding: &Finding) -> bool {
    finding.tags.iter().any(|tag| tag == "generic" || tag == ENCODED_TAG)
}

/// The find, as policy sees it.
fn subject<'a>(rule: &'a Rule, it: &Judged, place: &Place<'a>) -> Subject<'a> {
    let Place { text, bytes, .. } = *place;
    let range = |span: Span| place.outer(span);
    let Candidate { whole, secret, .. } = it.candidate;
    Subject {
        rule: &rule.id,
        aliases: &rule.aliases,
        rule_allowlists: &rule.allowlists,
        text: text.bytes,
        span: range(whole),
        secret_span: range(secret),
        secret: secret.of(bytes),
        matched: whole.of(bytes),
        path: text.location.path.as_ref().map(|path| path.as_slice()),
        commit: None,
    }
}

/// Whether a rule looks at files of this path. Rules that ask for a path do not apply to texts without.
pub(super) fn applies(engine: &Engine, rule: RuleIndex, path: Option<&[u8]>) -> bool {
    engine.matcher().rules().path_regex(rule).is_none_or(|regex| path.is_some_and(|p| regex.is_match(p)))
}

/// What is secret of a candidate: its value in the text, or what that encodes where the rule or the evidence
/// says so.
pub fn secret_of<'t>(matcher: &Matcher, candidate: &Candidate, text: &'t [u8]) -> Cow<'t, [u8]> {
    let value = candidate.secret.of(text);
    if let Some(evidence) = &candidate.evidence {
        return generic::plain(value, evidence);
    }
    let tags = &matcher.rules().rule(candidate.rule).tags;
    let encoded = tags.iter().any(|tag| tag == ENCODED_TAG);
    match generic::text_in_base64(value).filter(|_| encoded) {
        Some(text) => Cow::Owned(text),
        None => Cow::Borrowed(value),
    }
}

/// The verdict on one candidate with this secret, in a file of this kind.
pub fn judge(matcher: &Matcher, candidate: &Candidate, secret: &[u8], kind: FileKind) -> Judgement {
    match (&candidate.evidence, matcher.kind(candidate.rule)) {
        (Some(evidence), Some(of)) => verdict::generic::judge(of, secret, evidence, kind),
        _ => verdict::pattern::judge(matcher.rules().rule(candidate.rule), secret, kind),
    }
}

/// The confidence that [`judge`] comes to. Most candidates are no findings: their reasons need no names.
pub fn confidence(
    matcher: &Matcher,
    candidate: &Candidate,
    secret: &[u8],
    kind: FileKind,
) -> Option<Confidence> {
    weigh(matcher, candidate, secret, kind).map(|(confidence, _)| confidence)
}

/// The confidence, and whether the place settles what the value is.
fn weigh(
    matcher: &Matcher,
    candidate: &Candidate,
    secret: &[u8],
    kind: FileKind,
) -> Option<(Confidence, bool)> {
    if let (Some(evidence), Some(of)) = (&candidate.evidence, matcher.kind(candidate.rule)) {
        return verdict::generic::confidence(of, secret, evidence, kind)
            .map(|confidence| (confidence, false));
    }
    let judgement = judge(matcher, candidate, secret, kind);
    let settles = |reason: &&str| verdict::pattern::SETTLED.contains(reason);
    judgement.confidence.map(|confidence| (confidence, judgement.reasons.iter().any(settles)))
}

/// Whether a text is binary data: has a NUL byte near its start, as git judges it.
pub fn is_binary(text: &[u8]) -> bool {
    memchr::memchr(0, &text[..text.len().min(8000)]).is_some()
}

/// Indexes of the candidates that stand for their secret: where several rules found overlapping
/// texts, the surest, most specific one. What a rule's own allowlist leaves to others stands for none of theirs.
fn one_per_secret(engine: &Engine, judged: &[Judged], place: &Place<'_>) -> Vec<usize> {
    let rules = engine.matcher().rules();
    let left_to_others: Vec<bool> = judged
        .iter()
        .map(|it| engine.policy().allowed_by_rule(&subject(rules.rule(it.candidate.rule), it, place)))
        .collect();
    let mut order: Vec<usize> =
        (0..judged.len()).filter(|&i| !rules.rule(judged[i].candidate.rule).skip_report).collect();
    let rank = |i: usize| {
        let it = &judged[i];
        let rule = rules.rule(it.candidate.rule);
        let length = it.candidate.secret.end - it.candidate.secret.start;
        // Users' rules, and gitleaks', say it in their ids.
        let generic = it.candidate.evidence.is_some() || rule.id.contains("generic");
        let specific = rule.prefix > 0 || !rule.checksum.is_empty();
        // Whoever reports it by default names the provider: a specific rule beats a surer generic one.
        let own = !left_to_others[i];
        // What a specific rule knows to be made for a test is no secret by a vaguer name either.
        let shown = own && (it.is_settled || it.confidence >= Confidence::Medium);
        let confidence = it.confidence;
        (std::cmp::Reverse((shown, own, !generic, confidence, specific, length)), it.candidate.rule)
    };
    order.sort_by_key(|&i| rank(i));
    let mut kept: Vec<usize> = Vec::with_capacity(order.len());
    // Kept secrets by their start; they do not overlap.
    let mut taken: BTreeMap<u32, u32> = BTreeMap::new();
    for i in order {
        let span = judged[i].candidate.secret;
        let free = taken.range(..span.end).next_back().is_none_or(|(_, &end)| end <= span.start);
        if free {
            taken.insert(span.start, span.end);
            kept.push(i);
        }
    }
    kept.sort_unstable();
    kept
}

fn finding(
    engine: &Engine,
    rule: &Rule,
    it: &Judged,
    value: &[u8],
    parts: Vec<(String, Location)>,
    place: &Place<'_>,
    secrets: &[Span],
) -> Finding {
    let Candidate { whole, secret, .. } = it.candidate;
    Finding {
        rule: rule.id.to_string(),
        description: rule.description.to_string(),
        category: rule.category,
        severity: rule.severity,
        confidence: it.confidence,
        location: place.locate(secret),
        secret: Secret::new(value, usize::from(rule.prefix)),
        matched: around(place.bytes, whole, secret, secrets),
        fingerprint: String::new(),
        parts,
        commit: None,
        life: None,
        occurrences: Vec::new(),
        status: Status::New,
        remediation: engine.remediation(it.candidate.rule),
        reasons: Vec::new(),
        tags: rule.tags.iter().map(ToString::to_string).collect(),
    }
}

/// What the match holds before and after the secret: at most [`SHOWN`] bytes each, within the line,
/// every other secret in it hidden.
fn around(text: &[u8], whole: Span, secret: Span, secrets: &[Span]) -> (BString, BString) {
    let before_from = (whole.start as usize).max((secret.start as usize).saturating_sub(SHOWN));
    let after_to = (whole.end as usize).min(secret.end as usize + SHOWN).min(text.len());
    let mut before = hide(text, before_from, secret.start as usize, secrets);
    let mut after = hide(text, secret.end as usize, after_to, secrets);
    if let Some(line) = before.iter().rposition(|&b| b == b'\n') {
        before.drain(..=line);
    }
    if let Some(line) = after.iter().position(|&b| b == b'\n') {
        after.truncate(line);
    }
    (before.into(), after.into())
}

/// Sorts spans and joins those that overlap or touch.
fn merged(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_unstable();
    let mut joined: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans {
        match joined.last_mut() {
            Some(last) if span.start <= last.end => last.end = last.end.max(span.end),
            _ => joined.push(span),
        }
    }
    joined
}

/// The bytes in `from..to`, with `…` in place of every secret.
fn hide(text: &[u8], from: usize, to: usize, secrets: &[Span]) -> Vec<u8> {
    let mut shown = Vec::new();
    let mut at = from;
    let first = secrets.partition_point(|s| s.end as usize <= from);
    for secret in &secrets[first..] {
        let (start, end) = (secret.start as usize, secret.end as usize);
        if start >= to {
            break;
        }
        shown.extend_from_slice(&text[at..start.max(at)]);
        shown.extend_from_slice("…".as_bytes());
        at = end.min(to);
    }
    shown.extend_from_slice(&text[at.min(to)..to]);
    shown
}

#[cfg(test)]
mod tests {
    use super::{Span, is_by_chance, is_in_base64};

    #[test]
    fn what_stands_in_base64_is_there_by_chance() {
        let data = |n: usize| "aB3/xY9+".repeat(n / 8) + &"aB3/xY9+"[..n % 8];
        let in_data = |before: &str, behind: &str| {
            let (start, end) = (before.len() as u32, before.len() as u32 + 5);
            is_in_base64(format!("{before}token{behind}").as_bytes(), Span { start, end })
        };
        assert!(in_data(&data(48), &data(48)) && in_data(&data(90), &data(90)));
        assert!(!in_data(&data(47), &data(48)) && !in_data(&data(48), &data(47)), "too little");
        assert!(!in_data(&data(48), &data(48).replace('+', "-")), "not base64");
        assert!(!in_data(&"aBc/".repeat(12), &data(48)), "no digit: a path");
        let plain = "aB3x".repeat(12);
        assert!(!in_data(&plain, &plain), "no mark of base64");
        for marked in [format!("+{}", &plain[1..]), format!("/{}", &plain[1..])] {
            assert!(in_data(&marked, &plain) && in_data(&plain, &marked), "a mark on one side");
        }
        let (small, capital) = (data(48).to_ascii_lowercase(), data(48).to_ascii_uppercase());
        assert!(!in_data(&small, &data(48)) && !in_data(&data(48), &capital), "letters of one case");
    }

    #[test]
    fn what_a_checksum_proves_is_there_wherever_it_stands() {
        let rules = crate::rules::builtin();
        let data = "aB3/xY9+".repeat(6);
        for (text, in_data) in [(format!("{data}token{data}"), true), (format!("{data}token {data}"), false)]
        {
            let is = |proves: bool| {
                let rule = rules.iter().find(|rule| rule.checksum.is_empty() != proves).expect("such a rule");
                is_by_chance(rule, text.as_bytes(), Span { start: 48, end: 53 })
            };
            assert_eq!((is(false), is(true)), (in_data, false), "{text}");
        }
    }
}
