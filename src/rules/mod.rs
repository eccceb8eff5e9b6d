//! Rules: TOML → checked, compiled rule set, and the built-in pack.
//!
//! The files that `build.rs` includes too (`analyse`, `compile`, `context`, `family`, `rarity`, `rule`, `spec`,
//! `template`) depend only on one another; `set` is what the rest of the program uses.

pub mod analyse;
pub mod compile;
pub mod context;
pub mod family;
pub mod rarity;
mod relaxed;
pub mod rule;
mod set;
pub mod spec;
pub mod template;

use crate::finding::kind;

pub use relaxed::Relaxed;
pub use rule::{Allowlist, Anchor, Context, Others, RegexTarget, Remedy, Required, Rule, Run, is_token_byte};
pub use set::{RuleIndex, RuleSet, build as build_regex, builtin};
