//! What happens when a file and what it extends have a rule of the same id: gitleaks' way. Texts and
//! numbers that are given replace those of the base; lists are added to its lists.

use super::{Config, Located};
use crate::rules::spec::{AllowlistSpec, RemediationSpec, RequiredSpec, RuleSpec};
use crate::rules::{Allowlist, Anchor, RegexTarget, Rule};

/// Completes a rule by the one it changes.
pub(super) fn merge(base: &Located<RuleSpec>, over: &mut Located<RuleSpec>) {
    let known: Vec<String> = over.fields.iter().map(|(field, _)| field.clone()).collect();
    let shift = base.value.allowlists.len();
    for (field, _) in &mut over.fields {
        // The base's allowlists come first.
        if let Some(rest) = field.strip_prefix("allowlists[")
            && let Some((number, rest)) = rest.split_once(']')
            && let Ok(number) = number.parse::<usize>()
        {
            *field = format!("allowlists[{}]{rest}", number + shift);
        }
    }
    let inherited =
        base.fields.iter().filter(|(field, _)| field.starts_with("allowlists[") || !known.contains(field));
    over.fields.extend(inherited.cloned());
    over.value = merged(&base.value, &over.value);
}

fn merged(base: &RuleSpec, over: &RuleSpec) -> RuleSpec {
    let text = |over: &Option<String>, base: &Option<String>| over.clone().or_else(|| base.clone());
    let list = |base: &[String], over: &[String]| -> Vec<String> {
        let new = over.iter().filter(|text| !base.contains(text));
        base.iter().chain(new).cloned().collect()
    };
    // A new pattern has groups of its own.
    let same_pattern = over.regex.is_none();
    let secret_group =
        if over.secret_group != 0 || !same_pattern { over.secret_group } else { base.secret_group };
    RuleSpec {
        context: base.context.clone().filter(|_| same_pattern),
        id: over.id.clone(),
        description: if over.description.is_empty() {
            base.description.clone()
        } else {
            over.description.clone()
        },
        provider: text(&over.provider, &base.provider),
        regex: text(&over.regex, &base.regex),
        detector: if same_pattern { base.detector.clone() } else { None },
        secret_group,
        entropy: over.entropy.or(base.entropy),
        digit: over.digit || (base.digit && same_pattern),
        // The keywords of another pattern say nothing of this one.
        keywords: if same_pattern { list(&base.keywords, &over.keywords) } else { over.keywords.clone() },
        path: text(&over.path, &base.path),
        tags: list(&base.tags, &over.tags),
        category: text(&over.category, &base.category),
        severity: text(&over.severity, &base.severity),
        confidence: text(&over.confidence, &base.confidence),
        checksum: text(&over.checksum, &base.checksum.clone().filter(|_| same_pattern)),
        aliases: list(&base.aliases, &over.aliases),
        prefix: over.prefix.or(base.prefix.filter(|_| same_pattern)),
        skip_report: over.skip_report || base.skip_report,
        required: if over.required.is_empty() { base.required.clone() } else { over.required.clone() },
        allowlists: base.allowlists.iter().chain(&over.allowlists).cloned().collect(),
        allowlist: None,
        remediation: RemediationSpec {
            opens: text(&over.remediation.opens, &base.remediation.opens),
            revoke: text(&over.remediation.revoke, &base.remediation.revoke),
            rotate: text(&over.remediation.rotate, &base.remediation.rotate),
            url: text(&over.remediation.url, &base.remediation.url),
            command: text(&over.remediation.command, &base.remediation.command),
            rotate_days: over.remediation.rotate_days.or(base.remediation.rotate_days),
        },
        references: list(&base.references, &over.references),
        matches: if same_pattern { list(&base.matches, &over.matches) } else { over.matches.clone() },
        reject: list(&base.reject, &over.reject),
    }
}

/// The rules of a configuration, complete: those that change a built-in rule (named by its id or one
/// of its aliases) are merged with it and have its id.
pub fn merge_rules(config: &Config, builtin: &[Rule]) -> Vec<Located<RuleSpec>> {
    let complete = |rule: &Located<RuleSpec>| {
        let mut rule = rule.clone();
        let by_id = builtin.iter().find(|base| base.id == rule.value.id.as_str());
        let base = by_id
            .or_else(|| builtin.iter().find(|base| base.aliases.iter().any(|alias| *alias == rule.value.id)));
        if let Some(base) = base.filter(|base| config.use_default && !config.disables(base)) {
            merge(&Located::new(spec_of(base), rule.place.clone()), &mut rule);
            rule.value.id = base.id.to_string();
        }
        rule
    };
    config.rules.iter().map(complete).collect()
}

impl Config {
    /// Whether a built-in rule is disabled, by its id or one of its aliases.
    pub fn disables(&self, rule: &Rule) -> bool {
        let names = |id: &str| rule.id == id || rule.aliases.iter().any(|alias| alias == id);
        self.disabled_rules.iter().any(|disabled| names(&disabled.value))
    }
}

/// A checked rule as it could have been written.
pub fn spec_of(rule: &Rule) -> RuleSpec {
    let given = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let list = |texts: &[std::borrow::Cow<'static, str>]| {
        texts.iter().map(|text| text.to_string()).collect::<Vec<_>>()
    };
    // Keywords that every match holds are kept as literals only; as keywords they lead to the same ones again.
    let literal = |anchor: &Anchor| String::from_utf8(anchor.literal.to_vec()).ok();
    let literals = || rule.anchors.iter().filter_map(literal).collect();
    RuleSpec {
        context: rule.context.clone(),
        id: rule.id.to_string(),
        description: rule.description.to_string(),
        provider: given(&rule.provider),
        regex: given(&rule.pattern),
        detector: given(&rule.detector),
        secret_group: usize::from(rule.secret_group),
        entropy: Some(f64::from(rule.entropy)).filter(|&entropy| entropy > 0.0),
        digit: rule.digit,
        keywords: if rule.keywords.is_empty() { literals() } else { list(&rule.keywords) },
        path: given(&rule.path),
        tags: list(&rule.tags),
        category: Some(rule.category.name().to_owned()),
        severity: Some(rule.severity.name().to_owned()),
        confidence: Some(rule.confidence.name().to_owned()),
        checksum: given(&rule.checksum),
        aliases: list(&rule.aliases),
        prefix: Some(usize::from(rule.prefix)).filter(|&prefix| prefix > 0),
        skip_report: rule.skip_report,
        required: rule.required.iter().map(required_spec).collect(),
        allowlists: rule.allowlists.iter().map(allowlist_spec).collect(),
        allowlist: None,
        remediation: RemediationSpec {
            opens: given(&rule.remediation.opens),
            revoke: given(&rule.remediation.revoke),
            rotate: given(&rule.remediation.rotate),
            url: given(&rule.remediation.url),
            command: given(&rule.remediation.command),
            rotate_days: Some(rule.remediation.rotate_days).filter(|&days| days > 0),
        },
        references: list(&rule.references),
        matches: list(&rule.matches),
        reject: list(&rule.rejects),
    }
}

fn required_spec(required: &crate::rules::Required) -> RequiredSpec {
    RequiredSpec {
        id: required.id.to_string(),
        within_lines: required.within_lines,
        within_columns: required.within_columns,
        optional: required.optional,
    }
}

/// A rule's checked allowlist as it could have been written.
pub fn allowlist_spec(allowlist: &Allowlist) -> AllowlistSpec {
    let list = |texts: &[std::borrow::Cow<'static, str>]| {
        texts.iter().map(|text| text.to_string()).collect::<Vec<_>>()
    };
    let target = match allowlist.target {
        RegexTarget::Secret => "secret",
        RegexTarget::Match => "match",
        RegexTarget::Line => "line",
    };
    AllowlistSpec {
        description: allowlist.description.to_string(),
        condition: allowlist.all.then(|| "AND".to_owned()),
        regex_target: Some(target.to_owned()),
        regexes: list(&allowlist.regexes),
        paths: list(&allowlist.paths),
        commits: list(&allowlist.commits),
        stopwords: list(&allowlist.stopwords),
        target_rules: Vec::new(),
    }
}
