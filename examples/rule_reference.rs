//! Writes the manual's page of rules, in Markdown, to standard output: `just book` puts it in its place.

use std::fmt::Write as _;

use stanch::finding::{Category, Severity};
use stanch::rules::{Rule, builtin};

fn main() {
    print!("{}", page());
}

/// The page: each category with its rules, by id.
pub fn page() -> String {
    let mut out = String::from("# Rules\n\n");
    let rules = builtin();
    let _ = writeln!(
        out,
        "Generated from the pack, which holds {} rules. *Checked*: the value carries a checksum or a structure \
         that is verified. Rules marked *part* are not reported alone: they are the second half of another's find. \
         Disable one by `[overrides.ID]` with `enabled = false`, or `disabledRules`, in `.stanch.toml`.\n",
        rules.len()
    );
    for &category in Category::ALL {
        let mut of_category: Vec<&Rule> = rules.iter().filter(|rule| rule.category == category).collect();
        of_category.sort_by_key(|rule| rule.id.clone());
        section(&mut out, category, &of_category);
    }
    out
}

fn section(out: &mut String, category: Category, rules: &[&Rule]) {
    let _ = writeln!(out, "## {category} ({})\n", rules.len());
    let _ = writeln!(out, "| rule | finds | severity | | revoke |\n|---|---|---|---|---|");
    for rule in rules {
        let mut notes = Vec::new();
        if !rule.checksum.is_empty() {
            notes.push("checked");
        }
        if rule.skip_report {
            notes.push("part");
        }
        let _ = writeln!(
            out,
            "| `{}` | {} | {} | {} | {} |",
            rule.id,
            cell(&rule.description),
            severity(rule.severity),
            notes.join(", "),
            link(&rule.remediation.url)
        );
    }
    out.push('\n');
}

fn severity(severity: Severity) -> String {
    match severity {
        Severity::Critical => "**critical**".to_owned(),
        other => other.to_string(),
    }
}

fn link(url: &str) -> String {
    let host = url.strip_prefix("https://").and_then(|rest| rest.split('/').next());
    host.map(|host| format!("[{}](<{url}>)", cell(host))).unwrap_or_default()
}

/// Text in which Markdown means nothing.
fn cell(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if "\\`*_[]<>|#".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}
