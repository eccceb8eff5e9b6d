//! Sources yield blobs with their origin, and an account of everything they could not read.

pub mod archive;
pub mod git;
pub mod reader;
pub mod stdin;
pub mod worktree;
