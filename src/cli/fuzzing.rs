//! What fuzz targets call: words that people type, and drawings of what is wrong in files that they did not write.

use std::path::{Path, PathBuf};

use annotate_snippets::Level;
use clap::Parser;
use jiff::civil::Date;

use super::args::Cli;
use super::audit::plain::until;
use super::{diagnostic, harmless, history};
use crate::config::{ConfigError, Dialect, LoadOptions, NoFiles, load_text, merge_rules};
use crate::report::escape::is_hostile;
use crate::rules::compile::{Strictness, compile};
use crate::suppress::baseline::Baseline;

/// A command line, a time, or a wrong file and its name; the first byte says which.
pub fn messages(data: &[u8]) {
    let Some((&which, data)) = data.split_first() else { return };
    let text = String::from_utf8_lossy(data).into_owned();
    match which & 7 {
        0 => arguments(&text),
        1 => times(&text),
        which => {
            let (path, text) = text.split_once('\n').unwrap_or((&text, ""));
            wrong_file(which, Path::new(path), text);
        }
    }
}

/// Words with blanks between them.
fn arguments(text: &str) {
    let Err(error) = Cli::try_parse_from(std::iter::once("stanch").chain(text.split(' '))) else { return };
    assert_eq!(error.exit_code(), if error.use_stderr() { 2 } else { 0 });
}

fn times(text: &str) {
    for now in [0, 1_714_559_400] {
        if let Ok(time) = history::time(text, now) {
            assert!((-377_705_116_800..253_402_300_800).contains(&time), "{text}");
        }
    }
    let today = Date::constant(2024, 5, 1);
    if let Ok(Some(day)) = until(text, today) {
        assert!(day >= today, "{text}");
    }
}

fn wrong_file(which: u8, path: &Path, text: &str) {
    match which {
        2 => {
            if let Err(error) = Baseline::load(path, text.into()) {
                drawn(error);
            }
        }
        _ => {
            let dialect = if which & 1 == 0 { Dialect::Stanch } else { Dialect::Gitleaks };
            let ids = || vec!["github-pat".to_owned()];
            let options = LoadOptions { files: &NoFiles, builtin_ids: &ids };
            match load_text(&options, &path.to_string_lossy(), text.to_owned(), dialect) {
                Err(errors) => errors.into_iter().for_each(drawn),
                Ok(config) => {
                    for spec in merge_rules(&config, &[]) {
                        if let Err(error) =
                            compile(&spec.value, &Default::default(), Strictness::User, &|_| true)
                        {
                            drawn(spec.error(error.field, error.reason));
                        }
                    }
                    config.warnings.into_iter().for_each(drawn);
                }
            }
        }
    }
}

/// Nothing from the file or its name can move the cursor, or turn the text around.
fn drawn(mut error: ConfigError) {
    for path in [error.path.clone(), PathBuf::from("a\u{202e}\u{1b}[2J/b.toml")] {
        error.path = path;
        let drawn = diagnostic::draw(&error, Level::ERROR);
        let hostile = drawn.chars().find(|&c| is_hostile(c) && c != '\n');
        assert_eq!(hostile, None, "{drawn}");
        let line = harmless(&error.to_string());
        assert!(!line.chars().any(|c| is_hostile(c) && c != '\n'), "{line}");
    }
}
