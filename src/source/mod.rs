//! Sources: where blobs come from.

pub mod git;
