//! What fuzz targets call: configurations of both dialects, from text to rules and back to text.

use std::io;
use std::path::Path;

use super::schema::parse_size;
use super::{
    Config, ConfigError, Dialect, Files, LoadOptions, Tree, TreeSource, go_regex, load, merge_rules,
};
use crate::rules::compile::{Strictness, compile};

/// The file at hand, and one beside it that it can extend.
struct Two<'a>(&'a [u8], &'a [u8]);

impl Files for Two<'_> {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        match path.file_name().and_then(|name| name.to_str()) {
            Some("a.toml") => Ok(self.0.to_vec()),
            Some("b.toml") => Ok(self.1.to_vec()),
            _ => Err(io::ErrorKind::NotFound.into()),
        }
    }
}

/// A configuration; its first byte says in which dialect. A second file may follow a line `#----`.
pub fn configs(data: &[u8]) {
    let Some((&which, data)) = data.split_first() else { return };
    if which & 3 == 3 {
        return scalars(data);
    }
    let dialect = if which & 1 == 0 { Dialect::Stanch } else { Dialect::Gitleaks };
    let cut = memchr::memmem::find(data, b"\n#----\n");
    let (own, other) = cut.map_or((data, &b""[..]), |at| (&data[..at + 1], &data[at + 7..]));
    match read(&Two(own, other), dialect) {
        Ok(config) => check(config),
        Err(errors) => {
            assert!(!errors.is_empty());
            errors.iter().for_each(explained);
        }
    }
}

fn read(files: &dyn Files, dialect: Dialect) -> Result<Config, Vec<ConfigError>> {
    let builtin_ids = || vec!["github-pat".to_owned(), "generic-password".to_owned()];
    load(&LoadOptions { files, builtin_ids: &builtin_ids }, Path::new("a.toml"), dialect)
}

/// An error says where, and is one line for people.
fn explained(error: &ConfigError) {
    assert!(!error.message.is_empty());
    assert!(!error.to_string().is_empty());
}

fn check(config: Config) {
    config.warnings.iter().for_each(explained);
    for spec in merge_rules(&config, &[]) {
        if let Err(error) = compile(&spec.value, &Default::default(), Strictness::User, &|_| true) {
            explained(&spec.error(error.field, error.reason));
        }
    }
    if config.dialect == Dialect::Gitleaks {
        taken_over(&config);
    }
    let source = TreeSource { files: Box::new(super::NoFiles), ..TreeSource::default() };
    if let Ok(tree) = Tree::new(config, source) {
        for path in [&b"a/b.txt"[..], b"docs/", b"/", b"\xff/..", b""] {
            tree.excluded(path);
            tree.effective(path, &["github-pat"]);
        }
    }
}

/// What `stanch import` writes is read again, and says the same.
fn taken_over(config: &Config) {
    let known = |_: &str| true;
    let (text, _) = super::write(config, "a.toml", &known);
    let again = read(&Two(text.as_bytes(), b""), Dialect::Stanch);
    let again = match again {
        Ok(again) => again,
        // What only our dialect checks.
        Err(errors) => return errors.iter().for_each(explained),
    };
    assert_eq!(super::write(&again, "a.toml", &known).0, text);
    assert_eq!(again.rules.len(), config.rules.len());
}

fn scalars(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    parse_size(text);
    let ours = go_regex::translate(text);
    assert!(ours.len() <= 64 * text.len() + 64);
    super::did_you_mean(text, ["min_confidence", "max_file_size", "exclude"]);
}
