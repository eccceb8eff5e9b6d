//! The rule dialect: what a `[[rules]]` table of a TOML file may say, before anything is checked.
//!
//! It is a superset of gitleaks' dialect. `build.rs` includes this file too (the built-in pack is
//! prepared at build time), so it depends on nothing of the crate.

use serde::Deserialize;

use super::rule::Context;

/// A file of rules: the built-in pack's files and users' files alike.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RuleFile {
    /// Defaults for every rule of the file (the pack's files only).
    pub defaults: Defaults,
    /// The rules.
    pub rules: Vec<RuleSpec>,
    /// Families: rules that differ only in provider, keywords and the shape of the value.
    pub families: Vec<FamilySpec>,
}

/// What rules of one file have in common; a rule's own fields win.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Defaults {
    /// Name of the provider as the provider writes it, such as `GitHub`.
    pub provider: Option<String>,
    /// See [`RuleSpec::category`].
    pub category: Option<String>,
    /// See [`RuleSpec::severity`].
    pub severity: Option<String>,
    /// See [`RuleSpec::confidence`].
    pub confidence: Option<String>,
    /// See [`RuleSpec::remediation`].
    pub remediation: RemediationSpec,
    /// See [`RuleSpec::references`].
    pub references: Vec<String>,
    /// See [`RuleSpec::tags`].
    pub tags: Vec<String>,
}

/// One rule.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RuleSpec {
    /// Stable id, kebab-case, beginning with the provider's name: `github-pat`.
    pub id: String,
    /// What it finds, one noun phrase: `GitHub personal access token (classic)`.
    pub description: String,
    /// Provider, when it differs from the file's default.
    pub provider: Option<String>,
    /// The pattern (syntax of the `regex` crate; ASCII classes, so `\w`, `\d`, `\b` and `(?i)` are ASCII).
    pub regex: Option<String>,
    /// What a family made the regex of; the matcher searches by it instead.
    #[serde(skip)]
    pub context: Option<Context>,
    /// Name of a built-in detector that finds this rule's secrets instead of a `regex` (the pack only).
    pub detector: Option<String>,
    /// Number of the capture group that holds the secret; 0 = first group that took part, else the match.
    #[serde(rename = "secretGroup", alias = "secret_group")]
    pub secret_group: usize,
    /// Least Shannon entropy of the secret, in bits per byte.
    pub entropy: Option<f64>,
    /// Whether the secret must hold a digit: a text without one is no match.
    pub digit: bool,
    /// Literal texts of which one must be in the match (ASCII case ignored). Derived from the regex if empty.
    pub keywords: Vec<String>,
    /// Regex for the path; with no `regex`, the rule reports files by their name.
    pub path: Option<String>,
    /// Free words for filters and reports. Four of them say something to the verdict: `base64` (the secret is what
    /// the value encodes), `self-made` (whoever writes a test can make such a secret: low in tests and examples), `short-lived`
    /// (it expires within hours: low in tests and examples) and `any-value` (nothing but credentials stands there: a
    /// word is one too).
    pub tags: Vec<String>,
    /// `api-key`, `password`, `token`, `certificate`, `encryption-key` or `connection-string`.
    pub category: Option<String>,
    /// `low`, `medium`, `high` or `critical`.
    pub severity: Option<String>,
    /// Confidence of a match that passes all checks: `low`, `medium`, `high`.
    pub confidence: Option<String>,
    /// Name of the checksum that the secret carries; a wrong one lowers the confidence by one step
    /// (a gate would lose most tokens: those in documentation and tests fail theirs).
    pub checksum: Option<String>,
    /// Ids under which other tools, or earlier versions, know this rule.
    pub aliases: Vec<String>,
    /// Length in bytes of the self-identifying prefix that may be shown (`ghp_` = 4).
    pub prefix: Option<usize>,
    /// Never reported by itself, only as a part of another rule's finding.
    #[serde(rename = "skipReport", alias = "skip_report")]
    pub skip_report: bool,
    /// Other rules that must match nearby.
    pub required: Vec<RequiredSpec>,
    /// Texts that are never reported.
    pub allowlists: Vec<AllowlistSpec>,
    /// gitleaks' older, single form of `allowlists`.
    pub allowlist: Option<AllowlistSpec>,
    /// What to do about a leak.
    pub remediation: RemediationSpec,
    /// Pages that document the format.
    pub references: Vec<String>,
    /// Texts that must match. The secret stands in `⟦…⟧`; `‹class:length›` generates text (see `template`).
    #[serde(rename = "match")]
    pub matches: Vec<String>,
    /// Texts that must not match.
    pub reject: Vec<String>,
}

/// Another rule that must match near a match of this one.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RequiredSpec {
    /// Id of the other rule.
    pub id: String,
    /// Greatest distance in lines, either way.
    #[serde(rename = "withinLines", alias = "within_lines")]
    pub within_lines: Option<u32>,
    /// Greatest distance in columns, either way.
    #[serde(rename = "withinColumns", alias = "within_columns")]
    pub within_columns: Option<u32>,
    /// When true the other rule's match joins the finding if it is there, and is not demanded.
    pub optional: bool,
}

/// Texts, paths, commits that are never reported.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AllowlistSpec {
    /// Why.
    pub description: String,
    /// `OR` (default) or `AND` over the kinds of conditions that are given.
    pub condition: Option<String>,
    /// What `regexes` are applied to: `secret` (default), `match` or `line`.
    #[serde(rename = "regexTarget", alias = "regex_target")]
    pub regex_target: Option<String>,
    /// Patterns.
    pub regexes: Vec<String>,
    /// Patterns for paths.
    pub paths: Vec<String>,
    /// Commit ids (prefixes).
    pub commits: Vec<String>,
    /// Words; a secret that contains one (ASCII case ignored) is not reported.
    pub stopwords: Vec<String>,
    /// Rules this applies to; all when empty (global allowlists only).
    #[serde(rename = "targetRules", alias = "target_rules")]
    pub target_rules: Vec<String>,
}

/// What to do about a leaked secret.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RemediationSpec {
    /// What the secret opens, one sentence.
    pub opens: Option<String>,
    /// How to revoke it, one sentence.
    pub revoke: Option<String>,
    /// How to replace it, one sentence.
    pub rotate: Option<String>,
    /// Provider's page.
    pub url: Option<String>,
    /// Command that revokes it.
    pub command: Option<String>,
    /// Days after which it should be rotated anyway.
    pub rotate_days: Option<u32>,
}

/// A family: a table of providers whose secrets have no prefix of their own and are found by a
/// keyword near the value. Expanded by `family` into one rule per member.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FamilySpec {
    /// Name of the family; the ids of its rules are `<member id>` or `<provider>-<family>`.
    pub name: String,
    /// How the value is recognised: `token` (by itself: the value has a prefix of its own), `near`
    /// (a keyword, then a credential word or an assignment, then the value; the default) or
    /// `assignment` (the value is assigned to a name that holds a keyword).
    pub template: Option<String>,
    /// What the description of each rule says, with `{provider}`.
    pub description: String,
    /// See [`RuleSpec`].
    pub category: Option<String>,
    /// See [`RuleSpec`].
    pub severity: Option<String>,
    /// See [`RuleSpec`].
    pub confidence: Option<String>,
    /// See [`RuleSpec`]. May contain `{provider}`.
    pub remediation: RemediationSpec,
    /// The members.
    pub members: Vec<MemberSpec>,
}

/// One provider of a family.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MemberSpec {
    /// Id of the rule, when `<provider>-<family>` will not do.
    pub id: Option<String>,
    /// Provider's name as the provider writes it.
    pub provider: String,
    /// Keywords, one of which stands before the value (lower case; `-`, `_`, `.` and space are one).
    pub keywords: Vec<String>,
    /// Regex of the value.
    pub value: String,
    /// See [`FamilySpec::template`].
    pub template: Option<String>,
    /// Whether the shape in `value` is only one of several, so that any random-looking word is taken too.
    pub loose: bool,
    /// Whether no other shape than `value` is taken, not even what keys look like everywhere: for keywords that
    /// are words of ordinary texts.
    pub strict: bool,
    /// See [`RuleSpec`].
    pub checksum: Option<String>,
    /// See [`RuleSpec`].
    pub prefix: Option<usize>,
    /// Least entropy of the value.
    pub entropy: Option<f64>,
    /// Overrides of the family's fields.
    pub description: Option<String>,
    /// See [`RuleSpec`].
    pub category: Option<String>,
    /// See [`RuleSpec`].
    pub severity: Option<String>,
    /// See [`RuleSpec`].
    pub confidence: Option<String>,
    /// See [`RemediationSpec`].
    pub opens: Option<String>,
    /// Provider's page for revoking.
    pub url: Option<String>,
    /// See [`RemediationSpec`].
    pub command: Option<String>,
    /// See [`RuleSpec`].
    pub references: Vec<String>,
    /// Ids under which other tools know this rule.
    pub aliases: Vec<String>,
    /// Further tests, beside those that the family generates.
    #[serde(rename = "match")]
    pub matches: Vec<String>,
    /// See [`RuleSpec::reject`].
    pub reject: Vec<String>,
}
