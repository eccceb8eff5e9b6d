//! The fuzz targets: each takes bytes, gives them to the parsers of one family, and panics when one breaks a promise.
//!
//! `fuzz/` runs them with cargo-fuzz; the tests here run them on the same seeds and on mutations of these. They are
//! no part of the library as it is published: only tests and fuzzers compile them.

pub use crate::cli::fuzzing::messages;
pub use crate::config::fuzzing::configs;
pub use crate::matcher::decode::fuzzing::decoders;
pub use crate::matcher::fuzzing::rules;
pub use crate::report::fuzzing::reports;
pub use crate::scan::fuzzing::{contents, histories};
pub use crate::source::archive::fuzzing::{archives, documents};
pub use crate::source::git::fuzzing::{
    names as git_names, packs as git_packs, tables as git_tables, texts as git_texts, trees as git_trees,
};
pub use crate::suppress::fuzzing::baselines;
pub use crate::verdict::fuzzing::assignments;

#[cfg(test)]
mod tests;
