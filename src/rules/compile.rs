//! Spec → checked rule. Every rule, built-in or a user's, passes through here.
//!
//! `build.rs` includes this file, so it depends only on its siblings.

use std::fmt;

use super::analyse::{self, MIN_LITERAL_LEN};
use super::context;
use super::kind::{Category, Confidence, Severity};
use super::rarity;
use super::rule::{
    Allowlist, Anchor, Context, MAX_REACH, RegexTarget, Remedy, Required, Rule, Run, Text, Texts, Word,
};
use super::spec::{AllowlistSpec, Defaults, RemediationSpec, RuleSpec};

/// What is wrong with a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleError {
    /// The key of the rule's table that is wrong, such as `regex`.
    pub field: &'static str,
    /// What is wrong.
    pub reason: String,
    /// What to write instead, when that is known.
    pub help: Option<String>,
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.field, self.reason)?;
        match &self.help {
            Some(help) => write!(f, " ({help})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for RuleError {}

fn error(field: &'static str, reason: impl Into<String>) -> RuleError {
    RuleError { field, reason: reason.into(), help: None }
}

/// How strict the check is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strictness {
    /// The built-in pack: bounded patterns with derivable literals, complete metadata, tests.
    Pack,
    /// Users' rules: whatever can be run exactly is accepted.
    User,
}

/// Names of the checksums that rules may ask for, passed in because `build.rs` and the crate hold
/// the list in different places.
pub type KnownChecksum<'a> = &'a dyn Fn(&str) -> bool;

/// Checks one rule and prepares it for the matcher.
///
/// # Errors
/// The first thing that is wrong, with the field it is in.
pub fn compile(
    spec: &RuleSpec,
    defaults: &Defaults,
    strictness: Strictness,
    known_checksum: KnownChecksum<'_>,
) -> Result<Rule, RuleError> {
    check_id(&spec.id)?;
    let pattern = spec.regex.clone().unwrap_or_default();
    let path = spec.path.clone().unwrap_or_default();
    let detector = spec.detector.clone().unwrap_or_default();
    if pattern.is_empty() && path.is_empty() && detector.is_empty() {
        return Err(error("regex", "a rule needs a `regex`, a `path`, or both"));
    }
    if !path.is_empty() {
        analyse::parse(&path).map_err(|e| error("path", e))?;
    }
    let search =
        if pattern.is_empty() { Search::default() } else { analyse_pattern(spec, &pattern, strictness)? };
    if let Some(name) = &spec.checksum
        && !known_checksum(name)
    {
        return Err(error("checksum", format!("there is no checksum `{name}`")));
    }
    let name = |own: &Option<String>, default: &Option<String>| own.clone().or_else(|| default.clone());
    let category = named(
        "category",
        name(&spec.category, &defaults.category),
        Category::ALL,
        Category::name,
        Category::ApiKey,
        strictness,
    )?;
    let severity = named(
        "severity",
        name(&spec.severity, &defaults.severity),
        Severity::ALL,
        Severity::name,
        Severity::High,
        strictness,
    )?;
    let confidence = named(
        "confidence",
        name(&spec.confidence, &defaults.confidence),
        Confidence::ALL,
        Confidence::name,
        Confidence::Medium,
        strictness,
    )?;
    let rule = Rule {
        id: spec.id.clone().into(),
        description: if spec.description.is_empty() { spec.id.clone() } else { spec.description.clone() }
            .into(),
        provider: name(&spec.provider, &defaults.provider).unwrap_or_default().into(),
        category,
        severity,
        confidence,
        pattern: pattern.into(),
        context: spec.context.clone(),
        detector: detector.into(),
        secret_group: u16::try_from(spec.secret_group).unwrap_or(u16::MAX),
        entropy: spec.entropy.unwrap_or(0.0) as f32,
        digit: spec.digit,
        path: path.into(),
        anchors: search.anchors.into(),
        max_len: search.max_len,
        run: search.run,
        words: search.words.into(),
        keywords: search.keywords,
        checksum: spec.checksum.clone().unwrap_or_default().into(),
        prefix: spec.prefix.unwrap_or(0).min(64) as u8,
        skip_report: spec.skip_report,
        required: spec
            .required
            .iter()
            .map(|r| Required {
                id: r.id.clone().into(),
                within_lines: r.within_lines,
                within_columns: r.within_columns,
                optional: r.optional,
            })
            .collect(),
        allowlists: compile_allowlists(spec)?.into(),
        aliases: texts(&spec.aliases),
        tags: texts(if spec.tags.is_empty() { &defaults.tags } else { &spec.tags }),
        references: texts(if spec.references.is_empty() { &defaults.references } else { &spec.references }),
        remediation: remedy(&spec.remediation, &defaults.remediation),
        matches: texts(&spec.matches),
        rejects: texts(&spec.reject),
    };
    if strictness == Strictness::Pack {
        check_pack_rule(&rule)?;
    }
    Ok(rule)
}

/// What the pattern's analysis leaves for the matcher.
#[derive(Default)]
struct Search {
    anchors: Vec<Anchor>,
    max_len: Option<u32>,
    run: Option<Run>,
    words: Vec<Word>,
    keywords: Texts,
}

fn analyse_pattern(spec: &RuleSpec, pattern: &str, strictness: Strictness) -> Result<Search, RuleError> {
    let hir = analyse::parse(pattern).map_err(|e| error("regex", e))?;
    let mut found = analyse::analyse(&hir, &spec.keywords);
    if let Some(context) = &spec.context {
        found.anchors = keyword_anchors(context).unwrap_or(found.anchors);
        // The matcher reads these by hand.
        found.words.clear();
    }
    if found.matches_empty {
        return Err(error("regex", "the pattern matches the empty string, which is everywhere"));
    }
    if spec.secret_group > found.groups {
        return Err(error(
            "secretGroup",
            format!("there is no group {} in the pattern, which has {}", spec.secret_group, found.groups),
        ));
    }
    for keyword in &spec.keywords {
        let least = if strictness == Strictness::Pack { MIN_LITERAL_LEN } else { 2 };
        if keyword.len() < least {
            let reason = format!("`{keyword}` is too short to be looked for: {least} bytes at least");
            return Err(error("keywords", reason));
        }
    }
    let run = found.secret_run.filter(|_| spec.digit).or(found.run);
    // Keywords that every match holds anyway are no condition of their own.
    let implied = !found.anchors.is_empty()
        && found.anchors.iter().all(|a| {
            spec.keywords.is_empty() || spec.keywords.iter().any(|k| analyse::holds(&a.literal, k.as_bytes()))
        });
    if implied {
        return Ok(Search {
            anchors: found.anchors,
            max_len: found.max_len,
            run,
            words: found.words,
            keywords: Texts::default(),
        });
    }
    let usable = |k: &&String| k.len() >= MIN_LITERAL_LEN;
    let keywords = texts(&spec.keywords);
    let anchors = if !found.anchors.is_empty() {
        found.anchors
    } else if !spec.keywords.is_empty() && spec.keywords.iter().all(|k| usable(&k)) {
        spec.keywords
            .iter()
            .map(|k| k.to_ascii_lowercase().into_bytes())
            .map(|k| Anchor {
                rarest: u8::try_from(rarity::rarest(&k)).unwrap_or(0),
                literal: k.into(),
                fold: true,
                before_min: 0,
                before_max: None,
                tail: 0,
            })
            .collect()
    } else {
        Vec::new()
    };
    Ok(Search { anchors, max_len: found.max_len, run, words: found.words, keywords })
}

/// The literals of a context rule's keywords, each keyword by itself: in the pattern, where keywords share
/// their first letters, only what follows those would be left of them.
fn keyword_anchors(context: &Context) -> Option<Vec<Anchor>> {
    let mut all = Vec::new();
    for keyword in context.keywords.iter() {
        let hir = analyse::parse(&format!("(?i:{})", context::keyword_pattern(keyword))).ok()?;
        let anchors = analyse::analyse(&hir, &[]).anchors;
        if anchors.is_empty() {
            return None;
        }
        all.extend(anchors);
    }
    all.sort();
    all.dedup();
    Some(all)
}

fn check_id(id: &str) -> Result<(), RuleError> {
    if id.is_empty() {
        return Err(error("id", "a rule needs an `id`"));
    }
    if id.len() > 100 || id.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(error(
            "id",
            "an id is at most 100 characters long and has no spaces or control characters",
        ));
    }
    Ok(())
}

/// What the built-in pack promises beyond what users' rules must.
fn check_pack_rule(rule: &Rule) -> Result<(), RuleError> {
    let kebab = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !rule.id.chars().all(kebab) {
        return Err(error("id", "ids of the pack are kebab-case"));
    }
    if !rule.pattern.is_empty() {
        if rule.anchors.is_empty() {
            return Err(error("regex", "no literal of three bytes or more stands in every match"));
        }
        if !rule.keywords.is_empty() {
            return Err(error(
                "keywords",
                "the keywords do not stand in every match; leave them out or add them to the regex",
            ));
        }
        if rule.reach().is_none() {
            return Err(error(
                "regex",
                format!("matches must be bounded (`{{1,200}}` instead of `+`) and at most {MAX_REACH} bytes"),
            ));
        }
        if rule.matches.is_empty() {
            return Err(error("match", "a rule of the pack needs tests"));
        }
    }
    if rule.remediation.revoke.is_empty() && !rule.skip_report {
        return Err(error("remediation", "say how to revoke the secret"));
    }
    Ok(())
}

fn named<T: Copy>(
    field: &'static str,
    value: Option<String>,
    all: &[T],
    name: fn(T) -> &'static str,
    default: T,
    strictness: Strictness,
) -> Result<T, RuleError> {
    let Some(value) = value else {
        return match strictness {
            Strictness::Pack => Err(error(field, "is missing")),
            Strictness::User => Ok(default),
        };
    };
    all.iter().copied().find(|&v| name(v) == value).ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(|&v| name(v)).collect();
        RuleError { field, reason: format!("`{value}` is not one of {}", names.join(", ")), help: None }
    })
}

fn texts(list: &[String]) -> Texts {
    list.iter().map(|s| Text::Owned(s.clone())).collect::<Vec<_>>().into()
}

fn remedy(own: &RemediationSpec, default: &RemediationSpec) -> Remedy {
    let pick = |a: &Option<String>, b: &Option<String>| {
        Text::Owned(a.clone().or_else(|| b.clone()).unwrap_or_default())
    };
    Remedy {
        opens: pick(&own.opens, &default.opens),
        revoke: pick(&own.revoke, &default.revoke),
        rotate: pick(&own.rotate, &default.rotate),
        url: pick(&own.url, &default.url),
        command: pick(&own.command, &default.command),
        rotate_days: own.rotate_days.or(default.rotate_days).unwrap_or(0),
    }
}

fn compile_allowlists(spec: &RuleSpec) -> Result<Vec<Allowlist>, RuleError> {
    spec.allowlists.iter().chain(&spec.allowlist).map(compile_allowlist).collect()
}

/// Checks one allowlist.
///
/// # Errors
/// An unknown condition or target, a bad pattern, or an allowlist that allows nothing.
pub fn compile_allowlist(spec: &AllowlistSpec) -> Result<Allowlist, RuleError> {
    let all = match spec.condition.as_deref().unwrap_or("OR") {
        "OR" | "or" | "||" => false,
        "AND" | "and" | "&&" => true,
        other => {
            return Err(error("condition", format!("`{other}` is neither `AND` nor `OR`")));
        }
    };
    let target = match spec.regex_target.as_deref().unwrap_or("secret") {
        "" | "secret" => RegexTarget::Secret,
        "match" => RegexTarget::Match,
        "line" => RegexTarget::Line,
        other => {
            return Err(error("regexTarget", format!("`{other}` is not one of secret, match, line")));
        }
    };
    for pattern in &spec.regexes {
        analyse::parse(pattern).map_err(|e| error("regexes", e))?;
    }
    for pattern in &spec.paths {
        analyse::parse(pattern).map_err(|e| error("paths", e))?;
    }
    if spec.regexes.is_empty()
        && spec.paths.is_empty()
        && spec.commits.is_empty()
        && spec.stopwords.is_empty()
    {
        return Err(error("allowlists", "an allowlist needs regexes, paths, commits or stopwords"));
    }
    Ok(Allowlist {
        description: spec.description.clone().into(),
        all,
        target,
        regexes: texts(&spec.regexes),
        paths: texts(&spec.paths),
        commits: texts(&spec.commits),
        stopwords: spec
            .stopwords
            .iter()
            .map(|s| Text::Owned(s.to_ascii_lowercase()))
            .collect::<Vec<_>>()
            .into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(regex: &str, keywords: &[&str]) -> RuleSpec {
        RuleSpec {
            id: "x".into(),
            regex: Some(regex.into()),
            keywords: keywords.iter().map(|&k| k.into()).collect(),
            ..RuleSpec::default()
        }
    }

    fn user(spec: &RuleSpec) -> Result<Rule, RuleError> {
        compile(spec, &Defaults::default(), Strictness::User, &|name| name == "known")
    }

    #[test]
    fn keywords_that_the_match_holds_are_no_condition() {
        let rule = user(&spec("(?i)adafruit.{0,20}[a-z]{32}", &["adafruit"])).unwrap();
        assert!(rule.keywords.is_empty() && rule.reach().is_some());
        let rule = user(&spec("[a-z]{32}", &["adafruit"])).unwrap();
        assert_eq!(rule.keywords.len(), 1);
        assert_eq!(rule.reach(), None, "the keyword may stand anywhere");
    }

    #[test]
    fn mistakes_name_their_field() {
        let field = |s: &RuleSpec| user(s).unwrap_err().field;
        assert_eq!(field(&spec("(abc", &[])), "regex");
        assert_eq!(field(&spec("a*", &[])), "regex");
        assert_eq!(field(&RuleSpec { secret_group: 2, ..spec("(abc)", &[]) }), "secretGroup");
        assert_eq!(field(&RuleSpec { checksum: Some("nope".into()), ..spec("abcdef", &[]) }), "checksum");
        assert_eq!(field(&RuleSpec { category: Some("nope".into()), ..spec("abcdef", &[]) }), "category");
        assert_eq!(field(&RuleSpec { id: String::new(), ..spec("abcdef", &[]) }), "id");
        assert_eq!(field(&RuleSpec { id: "x".into(), ..RuleSpec::default() }), "regex");
    }

    #[test]
    fn the_pack_demands_bounded_patterns() {
        let s = RuleSpec {
            category: Some("token".into()),
            severity: Some("high".into()),
            confidence: Some("high".into()),
            ..spec("prefix_[a-z]+", &[])
        };
        let e = compile(&s, &Defaults::default(), Strictness::Pack, &|_| false).unwrap_err();
        assert_eq!(e.field, "regex");
    }
}
