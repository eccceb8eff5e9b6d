//! The verdict: how likely is a candidate a secret, seen with its path and context.

pub mod features;
pub mod filekind;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod generic;
pub mod model;
pub mod pattern;
pub mod placeholder;
mod reasons;
pub mod reference;

pub use generic::Judgement;

#[cfg(test)]
mod tests;
