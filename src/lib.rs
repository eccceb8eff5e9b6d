//! stanch stops secrets from leaking through git.
//!
//! A value moves in one direction: a *source* yields blobs, the *matcher* finds candidates in their
//! bytes, the *verdict* weighs them with their path and context, *suppress* applies policy, and a
//! *report* shows what is left. `ARCHITECTURE.md` names the rooms and what each must not depend on.
#![deny(missing_docs)]

pub mod cli;
pub mod config;
pub mod finding;
pub mod matcher;
pub mod report;
pub mod rules;
pub mod scan;
pub mod source;
pub mod suppress;
pub mod verdict;
