//! `stanch config`: which configuration holds where.

use std::path::{Path, PathBuf};

use bstr::ByteSlice;
use clap::{Args, Subcommand};

use super::Exit;
use super::args::CommonArgs;
use super::baseline::printable;
use super::diagnostic::Problems;
use super::policy::{Paths, Setup};
use crate::config::Config;

/// `stanch config`.
#[derive(Debug, Args)]
pub struct ConfigArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: ConfigCommand,
}

/// The subcommands of `stanch config`.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Show what holds for a file or folder, and which files say so
    Show(ShowArgs),
}

/// `stanch config show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The file or folder
    #[arg(value_name = "PATH", default_value = ".")]
    pub path: PathBuf,
    /// What every scan understands.
    #[command(flatten)]
    pub common: CommonArgs,
}

/// Runs the subcommand.
///
/// # Errors
/// A configuration that is wrong.
pub fn run(args: &ConfigArgs) -> anyhow::Result<Exit> {
    match &args.command {
        ConfigCommand::Show(args) => show(args),
    }
}

fn show(args: &ShowArgs) -> anyhow::Result<Exit> {
    let setup = Setup::new(&args.common, &args.path, Paths::AsGiven)?;
    let path = inside(&args.path, &setup.root);
    let tree = setup.policy.tree();
    let base = tree.base();
    println!("for {}", if path.is_empty() { ".".into() } else { path.to_str_lossy() });
    println!(
        "\nrules: {} in force{}",
        setup.rules.len(),
        if base.use_default { "" } else { " (the built-in ones are not)" }
    );
    for id in &base.disabled_rules {
        println!("  {} is disabled ({})", printable(&id.value), id.place.short());
    }
    println!("\nconfigurations, the nearest last:");
    if base.files.is_empty() {
        println!("  none");
    }
    show_config(base);
    for nested in tree.nested_for(&path) {
        show_config(&nested.config);
    }
    let effective = setup.policy.tree().effective(&path, &[]);
    println!(
        "\nleast confidence reported: {}",
        args.common.min_confidence.or(effective.min_confidence).unwrap_or(setup.min_confidence)
    );
    if tree.excluded(&path) {
        println!("excluded from scans");
    } else if let Some(nested) = tree.excluded_by(&path) {
        let file = nested.config.files.first().map(|file| file.display().to_string()).unwrap_or_default();
        println!("excluded by {}", printable(&file));
    }
    println!(
        "baseline: {}{}",
        setup.baseline_path.display(),
        match setup.policy.baseline() {
            Some(baseline) => format!(" ({} entries)", baseline.whole().map_err(Problems::from)?.len()),
            None => " (not there, or not used)".to_owned(),
        }
    );
    let errors = setup.policy.take_errors();
    if errors.is_empty() { Ok(Exit(0)) } else { Err(Problems(errors).into()) }
}

/// The path in the repository; of a folder with a `/` at its end, so that its own configuration counts.
fn inside(path: &Path, root: &Path) -> Vec<u8> {
    let absolute = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let relative = absolute.strip_prefix(root).unwrap_or(&absolute);
    let mut bytes = <[u8]>::from_path(relative).unwrap_or_default().to_vec();
    if absolute.is_dir() && !bytes.is_empty() {
        bytes.push(b'/');
    }
    bytes
}

fn show_config(config: &Config) {
    let Some((first, extended)) = config.files.split_first() else { return };
    println!("  {}", first.display());
    for file in extended {
        println!("    extends {}", file.display());
    }
    let settings = &config.settings;
    let mut facts = Vec::new();
    facts.extend(settings.min_confidence.map(|least| format!("min_confidence = {least}")));
    facts.extend(settings.max_file_size.map(|size| format!("max_file_size = {size}")));
    facts.extend(settings.max_age_days.map(|days| format!("max_age = {days}d")));
    facts.extend(settings.exclude.iter().map(|pattern| format!("exclude {}", printable(&pattern.value))));
    facts.extend(
        config
            .rules
            .iter()
            .map(|rule| format!("rule {} (line {})", printable(&rule.value.id), line(&rule.place))),
    );
    facts.extend(config.allowlists.iter().map(|list| {
        let description =
            if list.value.description.is_empty() { "allowlist" } else { &list.value.description };
        format!("{} (line {})", printable(description), line(&list.place))
    }));
    facts.extend(config.overrides.iter().map(|change| {
        let value = &change.value;
        let mut words = vec![printable(&value.id)];
        words.extend(value.enabled.map(|enabled| format!("enabled = {enabled}")));
        words.extend(value.severity.map(|severity| format!("severity = {severity}")));
        words.extend(value.confidence.map(|confidence| format!("confidence = {confidence}")));
        format!("override {}", words.join(", "))
    }));
    for fact in facts {
        println!("    {fact}");
    }
}

fn line(place: &crate::config::Place) -> u32 {
    place.source.position(place.span.start).0
}
