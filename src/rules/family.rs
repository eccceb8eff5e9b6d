//! Families → rules.

use super::spec::{FamilySpec, RuleSpec};

/// Expands a family into one rule per member.
///
/// # Errors
/// What is wrong with the family.
pub fn expand(family: &FamilySpec) -> Result<Vec<RuleSpec>, String> {
    let _ = family;
    Ok(Vec::new())
}
