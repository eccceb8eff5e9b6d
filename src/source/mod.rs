//! Sources yield blobs with their origin, and an account of everything they could not read.

pub mod archive;
pub mod git;
mod ignore_files;
pub(crate) mod open;
pub mod reader;
pub mod stdin;
mod tracked;
pub mod worktree;
