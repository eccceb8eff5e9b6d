//! The `stanch` command: everything happens in the library, so that it can be tested and reused.

use std::process::ExitCode;

fn main() -> ExitCode {
    stanch::cli::run()
}
