//! Context rules against their slow twin: the regex that says what each of them means.

use regex_automata::{Anchored, Input};

use crate::matcher::context::is_chance;
use crate::matcher::{Candidate, Matcher, Scratch};
use crate::rules::context::{ASSIGNED, CREDENTIAL_WORDS, FOLLOWERS, pattern};
use crate::rules::{Context, Others, Rule, RuleIndex, RuleSet, analyse, template};

/// Numbers that look random, the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % below
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.roll(from.len())]
    }
}

/// What stands between keywords and values in code, configuration, markup and prose, whole and in parts.
const BETWEEN: &[&str] = &[
    "_",
    "-",
    ".",
    " ",
    "  ",
    "\t",
    "\n",
    "=",
    "==",
    "===",
    "====",
    ":",
    "::",
    ":=",
    ":::=",
    "::::=",
    "=>",
    "->",
    "?=",
    "||",
    "||:",
    ",",
    ">",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "'",
    "\"",
    "`",
    "\\\"",
    "\\'",
    "\\",
    "''",
    "\"\"\"",
    "Bearer ",
    "token ",
    "basic ",
    "Basic",
    "id",
    "name",
    "my_account",
    "averyveryverylongword",
    "x",
    "0",
    "é",
    ";",
    "<",
    "/",
    "|",
    "                ",
    "abcdefghijklmnopqrstuvwxyz0123456789abcdefgh",
];

/// What stands behind a value.
const BEHIND: &[&str] =
    &["", "\"", "'", "\n", " ", "\\", "&", "_", "a", "-", "=", "==", ".", "/", "é", "\"x", ";"];

/// A keyword as somebody might write it.
fn spelled(keyword: &str, dice: &mut Dice) -> String {
    let joint = dice.pick(&["", "_", "-", ".", " "]);
    let text = match keyword.strip_prefix('^') {
        Some(common) => format!("{}{common}{joint}{}", dice.pick(&["", "_", "x"]), dice.pick(&FOLLOWERS)),
        None => keyword.split(['-', '_', '.', ' ']).collect::<Vec<_>>().join(joint),
    };
    match dice.roll(3) {
        0 => text.to_uppercase(),
        _ => text,
    }
}

/// A text with a keyword of the rule in it, in most cases with a value of its shape near, and the keyword's place.
fn text(context: &Context, secrets: &[String], dice: &mut Dice) -> (usize, String) {
    let mut text = String::from(dice.pick(&["", " ", "_", "x", "key=\"", "\n"]));
    let at = text.len();
    text.push_str(&spelled(&context.keywords[dice.roll(context.keywords.len())], dice));
    for _ in 0..dice.roll(7) {
        text.push_str(match dice.roll(4) {
            0 => dice.pick(&CREDENTIAL_WORDS),
            _ => dice.pick(BETWEEN),
        });
    }
    let secret = &secrets[dice.roll(secrets.len())];
    match dice.roll(8) {
        0 => text.push_str(&secret[..secret.len() / 2]),
        1 => text.extend([secret.as_str(), secret]),
        2 => text.extend([secret, dice.pick(BETWEEN), secret]),
        _ => text.push_str(secret),
    }
    text.push_str(dice.pick(BEHIND));
    (at, text)
}

/// What the rule's regex finds at a start.
fn slow(matcher: &Matcher, rule: RuleIndex, text: &[u8], start: usize) -> Option<Candidate> {
    let input = Input::new(text).range(start..).anchored(Anchored::Yes);
    matcher.search(rule, &input, &mut Scratch::default())
}

fn secrets_of(rule: &Rule) -> Vec<String> {
    let complete = |partial: &str| Some(partial.to_owned());
    let secrets =
        rule.matches.iter().filter_map(|t| template::expand(t, &complete).ok()).flat_map(|t| t.secrets);
    secrets.collect()
}

/// Compares both over `texts` random texts for each of the rules; returns how many matches were seen.
fn compare(matcher: &Matcher, texts: usize) -> usize {
    let mut dice = Dice(7);
    let mut scratch = Scratch::default();
    let mut matches = 0;
    for (index, rule) in matcher.rules().iter() {
        let Some(context) = &rule.context else { continue };
        let secrets = secrets_of(rule);
        for _ in 0..texts {
            let (at, text) = text(context, &secrets, &mut dice);
            for start in [at.saturating_sub(1), at, at + 1] {
                let expected = slow(matcher, index, text.as_bytes(), start)
                    .filter(|found| !matcher.is_by_chance(text.as_bytes(), found));
                let found = matcher.search_context(text.as_bytes(), index, start, &mut scratch);
                assert_eq!(found, expected, "{} at {start} of {text:?}", rule.id);
                matches += usize::from(found.is_some());
            }
        }
    }
    matches
}

#[test]
fn the_pack_s_rules_find_what_their_regexes_find() {
    let matcher = Matcher::new(RuleSet::builtin());
    let rules = matcher.rules().iter().filter(|(_, rule)| rule.context.is_some()).count();
    let matches = compare(&matcher, 12);
    assert!(rules > 500 && matches > 2 * rules, "{matches} matches of {rules} rules show too little");
}

/// Few rules, many texts: all templates, shapes with and without a regex of their own, common words among the
/// keywords.
#[test]
fn every_template_finds_what_its_regex_finds() {
    let contexts = [
        (&["acme", "acme cloud"][..], "[a-f0-9]{32}", true, Others::None),
        (&["^acme", "acmeapi"], "[a-z0-9]{20,24}", true, Others::Any),
        (&["acme-two words"], "", true, Others::None),
        (&["^acme"], "", true, Others::None),
        (&["acme"], "[A-Za-z0-9_-]{20,22}={0,2}", true, Others::None),
        (&["acme", "^acme"], "[a-f0-9]{12}", true, Others::Solid),
        (&["acme"], "[a-f0-9]{8}(?:-[a-f0-9]{4}){3}-[a-f0-9]{12}", true, Others::Any),
        (&["acme", "^acme"], "[=:_-]{2}[a-z]{16,}?", true, Others::None),
        (&["acme"], "(?:0A|[a-z]{2}|==)1?B?-?[0-9a-z]{2,9}_?[0-9a-f]{4,}", true, Others::None),
        (&["acme"], "[A-Z0-9]{2,}-?(?:[0-9a-z]{4})+_[0-9a-f]{4,}", true, Others::None),
        (&["acme"], "", false, Others::None),
        (&["^acme", "api"], "[A-Z0-9]{12,}", false, Others::None),
    ];
    let rules = contexts.iter().enumerate().map(|(n, (keywords, value, near, others))| {
        let context = Context {
            keywords: keywords.iter().map(|&k| k.into()).collect(),
            value: (*value).into(),
            near: *near,
            others: *others,
        };
        rule(n, context)
    });
    let matcher = Matcher::new(RuleSet::new(false, rules.collect(), |_| true).expect("the rules compile"));
    let matches = compare(&matcher, 3000);
    assert!(matches > 3000, "{matches} matches show too little");
}

fn rule(n: usize, context: Context) -> Rule {
    use crate::rules::compile::{Strictness, compile};
    let value = if context.value.is_empty() { ASSIGNED } else { &context.value };
    assert!(analyse::parse(value).is_ok());
    let samples = [
        "0a1b2c3d4e5f60718293a4b5c6d7e8f9",
        "0A1B-2c3d_4e5f607",
        "==abcdefghijklmnopqrs",
        "A0B1C2D3E4F5G6H7I8J9",
    ]
    .map(|sample| format!("⟦{sample}⟧"))
    .into_iter()
    .chain(["⟦0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9⟧".to_owned()]);
    let spec = crate::rules::spec::RuleSpec {
        id: format!("rule-{n}"),
        regex: Some(pattern(&context)),
        context: Some(context),
        matches: samples.collect(),
        ..Default::default()
    };
    compile(&spec, &Default::default(), Strictness::User, &|_| false).expect("a good rule")
}

/// Keywords within other words are none; behind the path of a repository stands a commit.
#[test]
fn keywords_that_are_there_by_chance() {
    let context = Context { keywords: vec!["figma".into(), "sentry".into()].into(), ..Context::default() };
    let chance = |text: &str, keyword: &str, value: &str| {
        let start = text.to_ascii_lowercase().find(keyword).unwrap();
        is_chance(text.as_bytes(), start, &context, value.as_bytes())
    };
    assert!(chance("configmap-loader: v1", "figma", "v1"));
    assert!(chance("containsEntry(\"v1\")", "sentry", "v1"));
    for text in [
        "figma v1",
        "myfigmatoken=v1",
        "myFigmaKey=v1",
        "MYFIGMAKEY=v1",
        "my_figmas=v1",
        "figmap=v1",
        "xfigma=v1",
        "Sentry=v1",
    ] {
        let keyword = if text.to_ascii_lowercase().contains("figma") { "figma" } else { "sentry" };
        assert!(!chance(text, keyword, "v1"), "{text}");
    }
    let commit = "0a1b2c3d4f".repeat(4);
    assert!(chance(&format!("x.org/figma/lib {commit}"), "figma", &commit));
    assert!(!chance(&format!("figma/lib {commit}"), "figma", &commit));
    assert!(!chance(&format!("x.org/figma/lib {}", &commit[1..]), "figma", &commit[1..]));
    let other = commit.replace('f', "g");
    assert!(!chance(&format!("x.org/figma/lib {other}"), "figma", &other));
    assert!(!chance(&format!("x.org/figma/lib {}", commit.to_uppercase()), "figma", &commit.to_uppercase()));
}

/// What the regex of a rule takes there, the matcher does not.
#[test]
fn the_matcher_leaves_out_what_is_there_by_chance() {
    let matcher = Matcher::new(RuleSet::builtin());
    let named =
        |rule: &Rule| rule.context.as_ref().is_some_and(|it| it.keywords.iter().any(|k| &**k == "figma"));
    let (index, rule) = matcher.rules().iter().find(|(_, rule)| named(rule)).expect("a rule of Figma's");
    let secret = secrets_of(rule).remove(0);
    for (before, behind, is_found) in
        [("con", "p_key", false), ("con", "_key", true), ("con_", "p_key", true)]
    {
        let text = format!("{before}figma{behind}: \"{secret}\"");
        let start = before.len();
        assert!(slow(&matcher, index, text.as_bytes(), start).is_some(), "{text}");
        let found = matcher.search_context(text.as_bytes(), index, start, &mut Scratch::default());
        assert_eq!(found.is_some(), is_found, "{text}");
    }
}
