//! All integration tests, in one binary: linking dominates otherwise.

mod git_damage;
mod baseline_merge;
mod git_objects;
mod git_pack_writer;
mod git_staged;
mod git_support;
mod report;
