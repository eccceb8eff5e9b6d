//! The command line: arguments → plan → run → exit code. The only room that knows clap, the
//! environment, the clock and the terminal.

// First: its macros replace the standard library's in the modules below.
#[macro_use]
mod print;

mod args;
mod audit;
mod baseline;
mod config;
mod diagnostic;
mod environment;
mod explain;
mod files;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod history;
mod hook;
mod import;
mod input;
mod interrupt;
mod output;
mod policy;
mod progress;
mod prove;
mod rules;
mod scan;
mod trusted;

use std::process::ExitCode;

use anyhow::Context;
use clap::CommandFactory;

use args::{Cli, Command};

use crate::report::escape::visible_str;

/// A process exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exit(pub u8);

/// Exit code for errors and incomplete runs.
const ERROR: u8 = 2;

/// The command line's grammar, for those who check what is written about it.
pub fn command() -> clap::Command {
    Cli::command()
}

/// Runs the command line of this process and returns its exit code.
pub fn run() -> ExitCode {
    // The standard message shows what the code was about to handle, which may be scanned text.
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        eprintln!("stanch: error: a bug of stanch at {place}; please report it");
    }));
    let cli = match Cli::parse_from_env(std::env::args_os()) {
        Ok(cli) => cli,
        Err(e) => {
            // `--help` and `--version` are "errors" of clap's with exit code 0.
            let code = if e.use_stderr() { ERROR } else { 0 };
            return match e.print() {
                Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => ExitCode::from(ERROR),
                _ => ExitCode::from(code),
            };
        }
    };
    // An unexpected panic is an error as others are: exit code 2.
    let result = std::panic::catch_unwind(|| dispatch(&cli)).unwrap_or_else(|_| Ok(Exit(ERROR)));
    let written = print::finish().context("cannot write to standard output");
    match result.and_then(|exit| written.map(|()| exit)) {
        Ok(Exit(code)) => ExitCode::from(code),
        Err(e) => {
            match e.downcast_ref::<diagnostic::Problems>() {
                Some(problems) => diagnostic::show(problems),
                None => eprintln!("stanch: error: {}", harmless(&with_causes(&e))),
            }
            ExitCode::from(ERROR)
        }
    }
}

/// Leaves what a run has made to the end of the process, which gives memory back faster than it can be freed piece by
/// piece.
fn leave<T>(made: T) {
    std::mem::forget(made);
}

/// What is wrong and why. Some messages hold their causes already, which are not said twice.
fn with_causes(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string).filter(|cause| !cause.is_empty()) {
        if !text.ends_with(&cause) {
            text = if text.is_empty() { cause } else { format!("{text}: {cause}") };
        }
    }
    text
}

/// A message, in which there may be names from a repository, without what could move the cursor.
fn harmless(message: &str) -> String {
    message.lines().map(visible_str).collect::<Vec<_>>().join("\n")
}

fn dispatch(cli: &Cli) -> anyhow::Result<Exit> {
    match &cli.command {
        Command::Scan(args) => scan::run(args),
        Command::History(args) => history::run(args),
        Command::Explain(args) => explain::run(args),
        Command::Config(args) => config::run(args),
        Command::Audit(args) => audit::run(args),
        Command::Import(args) => import::run(args),
        Command::Hook(args) => hook::run(args),
        Command::Rules(args) => rules::run(args),
        Command::Baseline(args) => baseline::run(args),
        Command::Completions { shell } => {
            // Into memory first: the generator panics when it cannot write.
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Cli::command(), "stanch", &mut script);
            print::bytes(&script);
            Ok(Exit(0))
        }
        Command::Man => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Cli::command()).render(&mut page)?;
            print::bytes(&page);
            Ok(Exit(0))
        }
    }
}
