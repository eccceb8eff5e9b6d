//! `stanch rules check`: the rules' tests, and what makes rules costly, useless or doubtful.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use aho_corasick::AhoCorasick;
use serde_json::{Value, json};

use super::{Form, reference};
use crate::cli::baseline::printable;
use crate::cli::diagnostic::{self, Problems};
use crate::cli::prove::{self, Failure};
use crate::cli::{Exit, policy};
use crate::config::{self, Disk, LoadOptions};
use crate::matcher::{Matcher, Scratch, checksum};
use crate::rules::{Rule, RuleSet, analyse, builtin, template};

/// Length of the reference text in bytes.
const REFERENCE: usize = 256 << 10;
/// A literal that stands more often than this in a MiB of the reference text is common.
const COMMON: usize = 200;
/// How many of the dearest rules are shown to people.
const DEAREST: usize = 10;

/// What was found out.
#[derive(Default)]
struct Report {
    rules: usize,
    tests: usize,
    failures: Vec<(String, Failure)>,
    never: Vec<(String, String)>,
    /// Rule, other rule, in how many of the first's tests.
    overlaps: Vec<(String, String, usize)>,
    /// Literal, occurrences in a MiB, rules that look for it.
    common: Vec<(String, usize, Vec<String>)>,
    /// Rule and microseconds for a MiB.
    costs: Vec<(String, u64)>,
}

/// Checks a file's rules, or the built-in ones.
///
/// # Errors
/// A file that cannot be read, or holds rules that cannot be used.
pub fn run(file: Option<&Path>, format: Form) -> anyhow::Result<Exit> {
    let rules = match file {
        Some(file) => of_file(file)?,
        None => builtin().to_vec(),
    };
    let mut report = Report { rules: rules.len(), ..Report::default() };
    let text = reference::text(REFERENCE);
    for rule in rules.iter().filter(|rule| rule.detector.is_empty()) {
        alone(rule, &text, &mut report);
    }
    report.costs.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    common_literals(&rules, &text, &mut report);
    overlaps(rules, &mut report)?;
    match format {
        Form::Text => show(&report),
        Form::Json => println!("{:#}", json(&report)),
    }
    Ok(Exit(u8::from(!report.failures.is_empty() || !report.never.is_empty())))
}

fn of_file(file: &Path) -> anyhow::Result<Vec<Rule>> {
    let options = LoadOptions { files: &Disk, builtin_ids: &crate::scanner::builtin_ids };
    let config = config::load(&options, file, policy::dialect_of(file)).map_err(Problems)?;
    diagnostic::warn(&config.warnings);
    // Failed tests are listed by the report.
    Ok(policy::untested_rules(&config)?.into_iter().map(|(rule, _)| rule).collect())
}

/// What can be said of a rule by itself.
fn alone(rule: &Rule, text: &[u8], report: &mut Report) {
    let id = rule.id.to_string();
    if let Some(reason) = never_matches(rule) {
        report.never.push((id.clone(), reason));
    }
    let engine = match prove::alone(rule) {
        Ok(engine) => engine,
        Err(reason) => {
            report.never.push((id, reason));
            return;
        }
    };
    report.tests += rule.matches.len() + rule.rejects.len();
    let failures = prove::prove(rule, &engine);
    report.failures.extend(failures.into_iter().map(|failure| (id.clone(), failure)));
    let (mut scratch, mut found) = (Scratch::default(), Vec::new());
    // Once to compile what is compiled on first use.
    engine.matcher().scan(text, &mut scratch, &mut found);
    let started = Instant::now();
    engine.matcher().scan(text, &mut scratch, &mut found);
    let micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
    report.costs.push((id, micros.saturating_mul(1 << 20) / REFERENCE as u64));
}

/// Why no text can make a rule report something.
fn never_matches(rule: &Rule) -> Option<String> {
    if rule.pattern.is_empty() {
        return None;
    }
    let hir = analyse::parse(&rule.pattern).ok()?;
    let longest = hir.properties().maximum_len();
    if hir.properties().minimum_len().is_none() {
        return Some("its pattern matches no text".to_owned());
    }
    // The entropy of n bytes is at most the logarithm of n, and 8.
    let most = longest.map_or(8.0, |n| (n.clamp(1, 256) as f32).log2());
    (rule.entropy > most).then(|| {
        format!("it asks for {} bits of entropy a byte, and a match has at most {most:.2}", rule.entropy)
    })
}

fn common_literals(rules: &[Rule], text: &[u8], report: &mut Report) {
    let mut users: BTreeMap<&[u8], Vec<&Rule>> = BTreeMap::new();
    for rule in rules {
        for anchor in rule.anchors.iter() {
            users.entry(anchor.literal.as_ref()).or_default().push(rule);
        }
        for keyword in rule.keywords.iter().filter(|_| rule.anchors.is_empty()) {
            users.entry(keyword.as_bytes()).or_default().push(rule);
        }
    }
    let literals: Vec<&[u8]> = users.keys().copied().collect();
    let Ok(searcher) = AhoCorasick::builder().ascii_case_insensitive(true).build(&literals) else {
        return;
    };
    let mut counts = vec![0_usize; literals.len()];
    for hit in searcher.find_overlapping_iter(text) {
        counts[hit.pattern().as_usize()] += 1;
    }
    for (literal, count) in literals.iter().zip(counts) {
        let per_mib = count * (1 << 20) / REFERENCE;
        if per_mib > COMMON {
            let mut ids: Vec<String> = users[literal].iter().map(|rule| rule.id.to_string()).collect();
            ids.dedup();
            report.common.push((String::from_utf8_lossy(literal).into_owned(), per_mib, ids));
        }
    }
    report.common.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
}

/// Rules that find the secrets of other rules' tests.
fn overlaps(rules: Vec<Rule>, report: &mut Report) -> anyhow::Result<()> {
    let set =
        RuleSet::new(false, rules, |_| true).map_err(|(id, reason)| anyhow::anyhow!("{id}: {reason}"))?;
    let matcher = Matcher::new(set);
    let mut scratch = Scratch::default();
    for (index, rule) in matcher.rules().iter() {
        let mut others: BTreeMap<&str, usize> = BTreeMap::new();
        for text in rule.matches.iter() {
            let complete = |partial: &str| checksum::complete(&rule.checksum, partial);
            let Ok(test) = template::expand(text, &complete) else { continue };
            let mut found = Vec::new();
            matcher.scan(test.text.as_bytes(), &mut scratch, &mut found);
            found.retain(|c| matcher.accepts(test.text.as_bytes(), c));
            let own: Vec<_> = found.iter().filter(|c| c.rule == index).copied().collect();
            let mut ids: Vec<&str> = found
                .iter()
                .filter(|c| c.rule != index && c.evidence.is_none())
                .filter(|c| own.iter().any(|own| own.secret == c.secret))
                .map(|c| matcher.rules().rule(c.rule).id.as_ref())
                .collect();
            ids.sort_unstable();
            ids.dedup();
            ids.into_iter().for_each(|id| *others.entry(id).or_default() += 1);
        }
        report
            .overlaps
            .extend(others.into_iter().map(|(other, count)| (rule.id.to_string(), other.to_owned(), count)));
    }
    Ok(())
}

fn show(report: &Report) {
    println!("{} rules, {} tests", report.rules, report.tests);
    for (id, failure) in &report.failures {
        println!("failed: {}: {}[{}]: {}", printable(id), failure.field, failure.index, failure.reason);
    }
    for (id, reason) in &report.never {
        println!("never matches: {}: {reason}", printable(id));
    }
    for (id, other, count) in &report.overlaps {
        let tests = if *count == 1 { "test" } else { "tests" };
        println!("overlap: {} finds the secret in {count} {tests} of {}", printable(other), printable(id));
    }
    for (literal, count, ids) in &report.common {
        let more = if ids.len() > 3 { format!(" and {} more", ids.len() - 3) } else { String::new() };
        let first: Vec<String> = ids.iter().take(3).map(|id| printable(id)).collect();
        println!(
            "common: `{}` stands {count} times in a MiB of code: {}{more}",
            printable(literal),
            first.join(", ")
        );
    }
    for (id, micros) in report.costs.iter().take(DEAREST) {
        println!("cost: {} {micros} µs for a MiB", printable(id));
    }
}

fn json(report: &Report) -> Value {
    json!({
        "rules": report.rules,
        "tests": report.tests,
        "failures": report.failures.iter().map(|(id, f)| json!({
            "rule": id, "field": f.field, "index": f.index, "reason": f.reason,
        })).collect::<Vec<_>>(),
        "never": report.never.iter().map(|(id, reason)| json!({ "rule": id, "reason": reason }))
            .collect::<Vec<_>>(),
        "overlaps": report.overlaps.iter().map(|(id, other, tests)| json!({
            "rule": id, "also": other, "tests": tests,
        })).collect::<Vec<_>>(),
        "common": report.common.iter().map(|(literal, count, ids)| json!({
            "literal": literal, "per_mib": count, "rules": ids,
        })).collect::<Vec<_>>(),
        "micros_per_mib": report.costs.iter().map(|(id, micros)| json!({ "rule": id, "micros": micros }))
            .collect::<Vec<_>>(),
    })
}
