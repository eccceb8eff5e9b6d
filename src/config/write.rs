//! A configuration as a `.stanch.toml`: how one in gitleaks' dialect becomes ours.

use std::fmt::Write as _;

use super::{Config, Located};
use crate::rules::spec::{AllowlistSpec, RequiredSpec, RuleSpec};

/// Writes a configuration, with everything it extends, in our dialect. `known` says whether a rule
/// exists: names of rules that do not are left out, and returned.
pub fn write(config: &Config, origin: &str, known: &dyn Fn(&str) -> bool) -> (String, Vec<String>) {
    let own = |id: &str| config.rules.iter().any(|rule| rule.value.id == id);
    let exists = |id: &str| own(id) || known(id);
    let mut left_out = Vec::new();
    let mut text = format!("# Made of {} by `stanch import gitleaks`.\n", origin.escape_debug());
    let _ = writeln!(text, "\n[extend]\nuseDefault = {}", config.use_default);
    let (disabled, unknown): (Vec<_>, Vec<_>) =
        config.disabled_rules.iter().map(|id| id.value.clone()).partition(|id| exists(id));
    left_out.extend(unknown);
    if !disabled.is_empty() {
        let _ = writeln!(text, "disabledRules = {}", list(&disabled));
    }
    for rule in &config.rules {
        write_rule(&mut text, rule);
    }
    for allowlist in &config.allowlists {
        let targets = &allowlist.value.target_rules;
        let (kept, unknown): (Vec<_>, Vec<_>) = targets.iter().cloned().partition(|id| exists(id));
        left_out.extend(unknown);
        // An allowlist for rules that do not exist must not become one for all rules.
        if kept.is_empty() && !targets.is_empty() {
            continue;
        }
        text.push_str("\n[[allowlists]]\n");
        write_allowlist(&mut text, &allowlist.value, &kept);
    }
    left_out.sort();
    left_out.dedup();
    (text, left_out)
}

fn write_rule(text: &mut String, rule: &Located<RuleSpec>) {
    let rule = &rule.value;
    let _ = writeln!(text, "\n[[rules]]\nid = {}", quoted(&rule.id));
    let texts = [
        ("description", Some(&rule.description).filter(|text| !text.is_empty())),
        ("regex", rule.regex.as_ref()),
        ("path", rule.path.as_ref()),
        ("category", rule.category.as_ref()),
        ("severity", rule.severity.as_ref()),
        ("confidence", rule.confidence.as_ref()),
    ];
    for (key, value) in texts {
        if let Some(value) = value {
            let _ = writeln!(text, "{key} = {}", quoted(value));
        }
    }
    if rule.secret_group > 0 {
        let _ = writeln!(text, "secretGroup = {}", rule.secret_group);
    }
    if let Some(entropy) = rule.entropy.filter(|&entropy| entropy > 0.0) {
        let _ = writeln!(text, "entropy = {entropy}");
    }
    if rule.skip_report {
        text.push_str("skipReport = true\n");
    }
    for (key, texts) in [("keywords", &rule.keywords), ("tags", &rule.tags)] {
        if !texts.is_empty() {
            let _ = writeln!(text, "{key} = {}", list(texts));
        }
    }
    for required in &rule.required {
        write_required(text, required);
    }
    for allowlist in &rule.allowlists {
        text.push_str("[[rules.allowlists]]\n");
        write_allowlist(text, allowlist, &[]);
    }
}

fn write_required(text: &mut String, required: &RequiredSpec) {
    let _ = writeln!(text, "[[rules.required]]\nid = {}", quoted(&required.id));
    for (key, distance) in
        [("withinLines", required.within_lines), ("withinColumns", required.within_columns)]
    {
        if let Some(distance) = distance {
            let _ = writeln!(text, "{key} = {distance}");
        }
    }
}

fn write_allowlist(text: &mut String, allowlist: &AllowlistSpec, targets: &[String]) {
    if !allowlist.description.is_empty() {
        let _ = writeln!(text, "description = {}", quoted(&allowlist.description));
    }
    for (key, word) in [("condition", &allowlist.condition), ("regexTarget", &allowlist.regex_target)] {
        if let Some(word) = word {
            let _ = writeln!(text, "{key} = {}", quoted(word));
        }
    }
    let lists = [
        ("targetRules", targets),
        ("regexes", &allowlist.regexes),
        ("paths", &allowlist.paths),
        ("commits", &allowlist.commits),
        ("stopwords", &allowlist.stopwords),
    ];
    for (key, texts) in lists {
        if !texts.is_empty() {
            let _ = writeln!(text, "{key} = {}", list(texts));
        }
    }
}

/// A list: on one line if it is short.
fn list(texts: &[String]) -> String {
    let items: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
    let one = format!("[{}]", items.join(", "));
    if one.len() <= 100 { one } else { format!("[\n  {},\n]", items.join(",\n  ")) }
}

/// A text: as it is where that can be written, which keeps regexes readable.
fn quoted(text: &str) -> String {
    let plain = !text.chars().any(|c| c.is_control());
    if plain && !text.contains(['"', '\\']) {
        return format!("\"{text}\"");
    }
    if plain && !text.contains('\'') {
        return format!("'{text}'");
    }
    if plain && !text.contains("'''") && !text.ends_with('\'') {
        return format!("'''{text}'''");
    }
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted + "\""
}
