//! The command line: arguments → plan → run → exit code. The only room that knows clap, the
//! environment, the clock and the terminal.

mod args;
mod audit;
mod baseline;
mod config;
mod diagnostic;
mod environment;
mod explain;
mod files;
mod history;
mod hook;
mod import;
mod interrupt;
mod output;
mod policy;
mod progress;
mod scan;
mod trusted;

use std::process::ExitCode;

use clap::CommandFactory;

use args::{Cli, Command};

/// A process exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exit(pub u8);

/// Exit code for errors and incomplete runs.
const ERROR: u8 = 2;

/// Runs the command line of this process and returns its exit code.
pub fn run() -> ExitCode {
    let cli = match Cli::parse_from_env(std::env::args_os()) {
        Ok(cli) => cli,
        Err(e) => {
            // `--help` and `--version` are "errors" of clap's with exit code 0.
            let code = if e.use_stderr() { ERROR } else { 0 };
            let _ = e.print();
            return ExitCode::from(code);
        }
    };
    match dispatch(&cli) {
        Ok(Exit(code)) => ExitCode::from(code),
        Err(e) => {
            match e.downcast_ref::<diagnostic::Problems>() {
                Some(problems) => diagnostic::show(problems),
                None => eprintln!("stanch: error: {e:#}"),
            }
            ExitCode::from(ERROR)
        }
    }
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
        Command::Baseline(args) => baseline::run(args),
        Command::Completions { shell } => {
            clap_complete::generate(*shell, &mut Cli::command(), "stanch", &mut std::io::stdout());
            Ok(Exit(0))
        }
        Command::Man => {
            clap_mangen::Man::new(Cli::command()).render(&mut std::io::stdout())?;
            Ok(Exit(0))
        }
    }
}
