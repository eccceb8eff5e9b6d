//! What the page's template is filled with. Every text is visible (see [`escape`](super::super::escape));
//! the template escapes it for HTML.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use super::timeline::{Timeline, timeline};
use crate::finding::{Finding, Severity, Skipped};
use crate::report::escape::{visible, visible_str};
use crate::report::numbers::{bytes, count, duration, number};
use crate::report::view::{VERSION, View, day, introduced, is_new, suppressed, utc};
use crate::report::wording;

/// Groups by age: upper limit in days, name.
pub(super) const AGES: &[(Option<i64>, &str)] = &[
    (Some(30), "under 30 days"),
    (Some(90), "30 to 90 days"),
    (Some(365), "90 days to a year"),
    (Some(1095), "1 to 3 years"),
    (None, "over 3 years"),
];

/// Rows of a card.
const CARD_ROWS: usize = 8;

/// Findings that are listed without the script.
const STATIC_ROWS: usize = 200;

/// Decisions that are listed; the table of findings can show all.
const DECISIONS: usize = 2000;

/// Hex digits of ids that are shown.
const SHORT: usize = 12;

/// The page.
#[derive(Serialize)]
pub(super) struct Context {
    title: String,
    version: &'static str,
    started: Option<String>,
    started_day: String,
    head: Option<String>,
    head_short: String,
    verdict: Verdict,
    tiles: Vec<Tile>,
    timeline: Option<Timeline>,
    breakdowns: Vec<Card>,
    rows: Vec<Row>,
    rows_more: usize,
    rules: Vec<RuleAdvice>,
    decisions: Vec<Decision>,
    decisions_more: usize,
    skipped: Vec<SkippedGroup>,
    facts: Vec<Fact>,
    redaction: &'static str,
}

#[derive(Serialize)]
struct Verdict {
    class: &'static str,
    text: String,
    detail: String,
}

#[derive(Serialize)]
struct Tile {
    class: &'static str,
    number: String,
    label: String,
}

#[derive(Serialize)]
struct Card {
    title: &'static str,
    /// The filter that its rows set.
    key: &'static str,
    rows: Vec<CardRow>,
    more: usize,
}

#[derive(Serialize)]
struct CardRow {
    label: String,
    value: String,
    count: usize,
    /// Percent of the largest row.
    width: usize,
    class: &'static str,
}

#[derive(Serialize)]
struct Row {
    severity: &'static str,
    description: String,
    rule: String,
    place: String,
    introduced: String,
    presence: &'static str,
    status: &'static str,
}

#[derive(Serialize)]
struct RuleAdvice {
    id: String,
    description: String,
    severity: &'static str,
    count: String,
    steps: Vec<Step>,
}

#[derive(Serialize)]
struct Step {
    label: &'static str,
    text: String,
    link: bool,
    code: bool,
}

#[derive(Serialize)]
struct Decision {
    description: String,
    fingerprint: String,
    place: String,
    decision: String,
    reason: String,
    by: String,
    on: String,
}

#[derive(Serialize)]
struct SkippedGroup {
    reason: String,
    incomplete: bool,
    count: String,
    items: Vec<SkippedItem>,
}

#[derive(Serialize)]
struct SkippedItem {
    what: String,
    detail: String,
}

#[derive(Serialize)]
struct Fact {
    label: &'static str,
    value: String,
    code: bool,
}

/// The page of a report.
pub(super) fn report(view: &View<'_>) -> Context {
    let facts = &view.report.summary;
    let all = &view.report.findings;
    let (decisions, decisions_more) = decisions(view);
    let head = facts.head.as_deref().map(visible_str);
    Context {
        title: title(view),
        version: VERSION,
        started: utc(facts.started),
        started_day: day(facts.started, 0).unwrap_or_default(),
        head_short: head.as_deref().map(|id| short(id).to_owned()).unwrap_or_default(),
        head,
        verdict: verdict(view),
        tiles: tiles(view),
        timeline: timeline(view.new_findings()),
        breakdowns: breakdowns(view),
        rows: all.iter().take(STATIC_ROWS).map(|f| row(view, f)).collect(),
        rows_more: all.len().saturating_sub(STATIC_ROWS),
        rules: rules(view),
        decisions,
        decisions_more,
        skipped: skipped(view),
        facts: evidence(view),
        redaction: match view.options.show_secrets {
            true => {
                "This report holds whole secrets, because it was made with --show-secrets: keep it as one."
            }
            false => "Values are redacted: at most four characters of a public prefix are shown.",
        },
    }
}

fn title(view: &View<'_>) -> String {
    let scope: Vec<_> = view.report.summary.scope.iter().map(|s| visible(&view.name(s.as_bytes()))).collect();
    match scope.as_slice() {
        [] => "Secrets audit".to_owned(),
        [one] if one == "." => "Secrets in this folder".to_owned(),
        [one] => format!("Secrets in {}", wording::cut(one, 80)),
        [first, ..] => format!("Secrets in {} and {} more", wording::cut(first, 80), scope.len() - 1),
    }
}

fn verdict(view: &View<'_>) -> Verdict {
    let found = view.counts().new;
    let secrets = count(found, "secret", "secrets");
    let unread = view.unread().count() as u64;
    let detail = match (view.incomplete(), unread) {
        (false, _) => String::new(),
        (true, 0) => "Not everything that was asked for could be read.".to_owned(),
        (true, n) => format!("{} could not be read; see “Not read”.", count(n, "thing", "things")),
    };
    match (found, view.incomplete()) {
        (0, false) => Verdict { class: "good", text: "No secrets found.".to_owned(), detail },
        (0, true) => {
            let text = "Incomplete: nothing was found in what could be read, which is not a clean result.";
            Verdict { class: "incomplete", text: text.to_owned(), detail }
        }
        (_, false) => Verdict { class: "bad", text: format!("{secrets} found."), detail },
        (_, true) => {
            Verdict { class: "bad", text: format!("{secrets} found, in an incomplete run."), detail }
        }
    }
}

fn tiles(view: &View<'_>) -> Vec<Tile> {
    let counts = view.counts();
    let mut tiles: Vec<Tile> = Severity::ALL
        .iter()
        .rev()
        .map(|&severity| Tile {
            class: severity.name(),
            number: number(counts.by_severity[severity as usize]),
            label: severity.name().to_owned(),
        })
        .collect();
    let mut add =
        |n: u64, label: &str| tiles.push(Tile { class: "", number: number(n), label: label.to_owned() });
    for name in ["in HEAD", "history only", "unreachable"] {
        let n = view.new_findings().filter(|f| presence(f) == name).count() as u64;
        if n > 0 {
            add(n, name);
        }
    }
    add(counts.suppressed, "suppressed");
    add(view.unread().count() as u64, "not read");
    tiles
}

/// Where a value is now; the script says the same words.
fn presence(f: &Finding) -> &'static str {
    match &f.life {
        None => "",
        Some(life) if life.in_head => "in HEAD",
        Some(life) if life.unreachable.is_some() => "unreachable",
        Some(_) => "history only",
    }
}

fn author(view: &View<'_>, f: &Finding) -> String {
    // As the script has it: from JSON, in which invalid bytes are U+FFFD.
    introduced(f).map(|commit| visible_str(&view.name_text(&commit.author))).unwrap_or_default()
}

fn age(f: &Finding) -> Option<&'static str> {
    let days = f.life.as_deref()?.age_days?;
    AGES.iter().find(|(limit, _)| limit.is_none_or(|limit| days < limit)).map(|(_, name)| *name)
}

fn breakdowns(view: &View<'_>) -> Vec<Card> {
    let by = |name: &dyn Fn(&Finding) -> String| {
        let mut counts: HashMap<String, usize> = HashMap::new();
        for f in view.new_findings() {
            *counts.entry(name(f)).or_default() += 1;
        }
        counts.remove("");
        let mut rows: Vec<_> = counts.into_iter().collect();
        rows.sort_by(|(a, m), (b, n)| n.cmp(m).then(a.cmp(b)));
        rows
    };
    let mut ages = by(&|f| age(f).unwrap_or_default().to_owned());
    ages.sort_by_key(|(name, _)| AGES.iter().position(|(_, age)| age == name));
    let cards = [
        card("By category", "category", by(&|f| f.category.name().to_owned())),
        card("By rule", "rule", by(&|f| visible_str(&f.rule))),
        card("By author", "author", by(&|f| author(view, f))),
        card("By age", "age", ages),
    ];
    cards.into_iter().filter(|card| !card.rows.is_empty()).collect()
}

fn card(title: &'static str, key: &'static str, rows: Vec<(String, usize)>) -> Card {
    let most = rows.iter().map(|(_, n)| *n).max().unwrap_or(0).max(1);
    let more = rows.len().saturating_sub(CARD_ROWS);
    let rows = rows.into_iter().take(CARD_ROWS).map(|(name, n)| CardRow {
        label: name.clone(),
        value: name,
        count: n,
        width: (n * 100 / most).max(1),
        class: "",
    });
    Card { title, key, rows: rows.collect(), more }
}

fn row(view: &View<'_>, f: &Finding) -> Row {
    let since = introduced(f).and_then(|commit| day(commit.time, commit.offset_minutes));
    Row {
        severity: f.severity.name(),
        description: visible_str(&f.description),
        rule: visible_str(&f.rule),
        place: wording::place(view, f, &f.location),
        introduced: since.unwrap_or_default(),
        presence: presence(f),
        status: if is_new(f) { "open" } else { "suppressed" },
    }
}

/// What to do, for each rule that found something: the worst first.
fn rules(view: &View<'_>) -> Vec<RuleAdvice> {
    let mut rules: BTreeMap<&str, (&Finding, u64)> = BTreeMap::new();
    for f in view.new_findings() {
        rules.entry(&f.rule).or_insert((f, 0)).1 += 1;
    }
    let mut rules: Vec<_> = rules.into_values().collect();
    rules.sort_by(|(a, _), (b, _)| b.severity.cmp(&a.severity).then(a.rule.cmp(&b.rule)));
    let advice = |(f, n): (&Finding, u64)| RuleAdvice {
        id: visible_str(&f.rule),
        description: visible_str(&f.description),
        severity: f.severity.name(),
        count: count(n, "finding", "findings"),
        steps: steps(f),
    };
    rules.into_iter().map(advice).collect()
}

fn steps(f: &Finding) -> Vec<Step> {
    let r = &f.remediation;
    let rotate_days = if r.rotate_days > 0 { format!("every {} days", r.rotate_days) } else { String::new() };
    let rows = [
        ("Opens", &r.opens),
        ("Revoke", &r.revoke),
        ("Rotate", &r.rotate),
        ("Routine", &rotate_days),
        ("Command", &r.command),
        ("See", &r.url),
    ];
    let rows = rows.into_iter().filter(|(_, text)| !text.is_empty());
    rows.map(|(label, text)| Step {
        label,
        text: visible_str(text),
        link: label == "See" && text.starts_with("https://"),
        code: label == "Command",
    })
    .collect()
}

/// Who decided what; and how many decisions are not listed.
fn decisions(view: &View<'_>) -> (Vec<Decision>, usize) {
    let words = |text: &str| visible_str(&view.words(text));
    let decision = |f: &Finding| {
        let why = suppressed(f)?;
        let kind = if why.status.is_empty() {
            why.kind.to_owned()
        } else {
            format!("{} ({})", words(why.status), why.kind)
        };
        Some(Decision {
            description: visible_str(&f.description),
            fingerprint: short(&f.fingerprint).to_owned(),
            place: wording::place(view, f, &f.location),
            decision: kind,
            reason: words(why.reason),
            by: words(why.by),
            on: words(why.on),
        })
    };
    let listed =
        view.report.findings.iter().filter(|f| !is_new(f)).take(DECISIONS).filter_map(decision).collect();
    (listed, (view.counts().suppressed as usize).saturating_sub(DECISIONS))
}

/// What was not read, by reason: first what makes the run incomplete.
fn skipped(view: &View<'_>) -> Vec<SkippedGroup> {
    let mut groups: BTreeMap<(bool, &str), Vec<&Skipped>> = BTreeMap::new();
    for s in &view.report.skipped {
        groups.entry((!s.incomplete, s.reason)).or_default().push(s);
    }
    let item =
        |s: &&Skipped| SkippedItem { what: visible(&view.name(&s.what)), detail: visible_str(&s.detail) };
    let group = |((left_out, reason), items): ((bool, &str), Vec<&Skipped>)| SkippedGroup {
        reason: visible_str(reason),
        incomplete: !left_out,
        count: number(items.len() as u64),
        items: items.iter().map(item).collect(),
    };
    groups.into_iter().map(group).collect()
}

/// The facts of the run, as evidence.
fn evidence(view: &View<'_>) -> Vec<Fact> {
    let facts = &view.report.summary;
    let scope: Vec<_> = facts.scope.iter().map(|s| visible(&view.name(s.as_bytes()))).collect();
    let unit = if facts.commits > 0 { ("blob", "blobs") } else { ("file", "files") };
    let rows = [
        ("Tool", format!("stanch {VERSION}"), false),
        ("Rules", number(facts.rules), false),
        ("Rule set", visible_str(&facts.rules_hash), true),
        ("Mode", facts.mode.to_owned(), false),
        ("Scope", scope.join(", "), true),
        ("HEAD", facts.head.as_deref().map(visible_str).unwrap_or_default(), true),
        ("Started", utc(facts.started).unwrap_or_default(), false),
        ("Took", duration(facts.elapsed_ms), false),
        ("Scanned", format!("{}, {}", count(facts.files, unit.0, unit.1), bytes(facts.bytes)), false),
        ("Commits", if facts.commits > 0 { number(facts.commits) } else { String::new() }, false),
        ("Complete", if view.incomplete() { "no" } else { "yes" }.to_owned(), false),
    ];
    let rows = rows.into_iter().filter(|(_, value, _)| !value.is_empty());
    rows.map(|(label, value, code)| Fact { label, value, code }).collect()
}

fn short(id: &str) -> &str {
    id.get(..SHORT).unwrap_or(id)
}
