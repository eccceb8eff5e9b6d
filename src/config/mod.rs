//! Configuration: discover, read, merge, and explain errors with line and column.

mod error;

pub use error::{ConfigError, Place, SourceText, decode, did_you_mean};
