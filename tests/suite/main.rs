//! All integration tests, in one binary: linking dominates otherwise.

mod architecture;
mod archive_bad;
mod archive_kinds;
mod archive_samples;
mod archive_support;
mod audit_pty;
mod baseline_merge;
mod generic_corpus;
mod git_damage;
mod git_objects;
mod git_pack_writer;
mod git_revs;
mod git_staged;
mod git_support;
mod history_engine;
mod history_places;
mod history_range;
mod history_support;
mod policy;
mod reach;
mod reach_containers;
mod reach_text;
mod report;
mod self_scan;
