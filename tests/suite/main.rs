//! All integration tests, in one binary.

mod git_staged;
mod git_support;
