//! `stanch rules`: what the rules are, and whether they are good.

mod check;
mod reference;

use std::path::PathBuf;

use anyhow::bail;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::Exit;
use super::baseline::printable;
use crate::config::did_you_mean;
use crate::rules::{Rule, builtin};

/// `stanch rules`.
#[derive(Debug, Args)]
pub struct RulesArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: RulesCommand,
}

/// The subcommands of `stanch rules`.
#[derive(Debug, Subcommand)]
pub enum RulesCommand {
    /// List the built-in rules
    List {
        /// How
        #[arg(long, value_enum, default_value = "text")]
        format: Form,
    },
    /// Show everything about a rule
    Show {
        /// Its id, or an alias such as gitleaks' id
        id: String,
        /// How
        #[arg(long, value_enum, default_value = "text")]
        format: Form,
    },
    /// Run the rules' tests; report rules that overlap or never match, common keywords, and what each rule costs
    Check {
        /// A .stanch.toml or a gitleaks configuration; the built-in rules when left out
        file: Option<PathBuf>,
        /// How
        #[arg(long, value_enum, default_value = "text")]
        format: Form,
    },
}

/// How the answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// Runs the subcommand.
///
/// # Errors
/// A rule that is not there, a file that cannot be read or is wrong.
pub fn run(args: &RulesArgs) -> anyhow::Result<Exit> {
    match &args.command {
        RulesCommand::List { format } => list(*format),
        RulesCommand::Show { id, format } => show(id, *format)?,
        RulesCommand::Check { file, format } => return check::run(file.as_deref(), *format),
    }
    Ok(Exit(0))
}

fn list(format: Form) {
    if format == Form::Json {
        let rules: Vec<Value> = builtin().iter().map(summary).collect();
        println!("{:#}", Value::Array(rules));
        return;
    }
    let longest = builtin().iter().map(|rule| rule.id.len()).max().unwrap_or(0);
    for rule in builtin() {
        println!(
            "{:longest$}  {:17}  {:8}  {:6}  {}",
            rule.id,
            rule.category.name(),
            rule.severity.name(),
            rule.confidence.name(),
            rule.description
        );
    }
}

fn summary(rule: &Rule) -> Value {
    json!({
        "id": rule.id,
        "description": rule.description,
        "provider": rule.provider,
        "category": rule.category.name(),
        "severity": rule.severity.name(),
        "confidence": rule.confidence.name(),
    })
}

fn show(id: &str, format: Form) -> anyhow::Result<()> {
    let is_called = |rule: &&Rule| rule.id == id || rule.aliases.iter().any(|alias| alias == id);
    // A rule's own id comes before the aliases of others.
    let own = builtin().iter().find(|rule| rule.id == id);
    let Some(rule) = own.or_else(|| builtin().iter().find(is_called)) else {
        let help = did_you_mean(id, builtin().iter().map(|rule| rule.id.as_ref()));
        bail!(
            "there is no rule `{}`; {}",
            printable(id),
            help.as_deref().unwrap_or("see `stanch rules list`")
        );
    };
    match format {
        Form::Json => println!("{:#}", details(rule)),
        Form::Text => describe(rule),
    }
    Ok(())
}

fn details(rule: &Rule) -> Value {
    let remedy = &rule.remediation;
    let literals: Vec<_> =
        rule.anchors.iter().map(|anchor| String::from_utf8_lossy(&anchor.literal).into_owned()).collect();
    let mut all = summary(rule);
    let more = json!({
        "aliases": rule.aliases,
        "tags": rule.tags,
        "regex": rule.pattern,
        "detector": rule.detector,
        "path": rule.path,
        "literals": literals,
        "entropy": rule.entropy,
        "checksum": rule.checksum,
        "parts": rule.required.iter().map(|part| json!({
            "id": part.id,
            "within_lines": part.within_lines,
            "within_columns": part.within_columns,
            "optional": part.optional,
        })).collect::<Vec<_>>(),
        "opens": remedy.opens,
        "revoke": remedy.revoke,
        "rotate": remedy.rotate,
        "rotate_days": remedy.rotate_days,
        "url": remedy.url,
        "command": remedy.command,
        "references": rule.references,
        "tests": { "match": rule.matches.len(), "reject": rule.rejects.len() },
    });
    if let (Value::Object(all), Value::Object(more)) = (&mut all, more) {
        all.extend(more);
    }
    all
}

fn describe(rule: &Rule) {
    println!("{}\n  {}", rule.id, rule.description);
    let line = |name: &str, value: &str| {
        if !value.is_empty() {
            println!("  {name:12} {value}");
        }
    };
    let joined = |list: &[std::borrow::Cow<'static, str>]| list.join(", ");
    line("provider", &rule.provider);
    line("category", rule.category.name());
    line("severity", rule.severity.name());
    line("confidence", rule.confidence.name());
    line("also called", &joined(&rule.aliases));
    line("tags", &joined(&rule.tags));
    line("regex", &rule.pattern);
    line("detector", &rule.detector);
    line("path", &rule.path);
    if rule.entropy > 0.0 {
        line("entropy", &format!("at least {} bits a byte", rule.entropy));
    }
    line("checksum", &rule.checksum);
    for part in rule.required.iter() {
        let lines = part.within_lines.map(|n| format!(" within {n} lines")).unwrap_or_default();
        line(
            "part",
            &format!("{}{lines}{}", part.id, if part.optional { ", where there is one" } else { "" }),
        );
    }
    let remedy = &rule.remediation;
    line("opens", &remedy.opens);
    line("revoke", &remedy.revoke);
    line("command", &remedy.command);
    line("rotate", &remedy.rotate);
    if remedy.rotate_days > 0 {
        line("rotation", &format!("every {} days", remedy.rotate_days));
    }
    line("page", &remedy.url);
    for page in rule.references.iter() {
        line("reference", page);
    }
    line("tests", &format!("{} that match, {} that do not", rule.matches.len(), rule.rejects.len()));
}
