//! Rules: TOML → checked, compiled rule set, and the built-in pack.

pub mod spec;
