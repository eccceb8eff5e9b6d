//! The verdict: is a candidate a secret, and how sure is that?

pub mod features;
pub mod filekind;
pub mod generic;
pub mod placeholder;
pub mod reference;
