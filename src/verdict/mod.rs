//! The verdict: how likely is a candidate a secret, seen with its path and context.

pub mod pattern;

use crate::finding::Confidence;

/// What the verdict says, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// How sure; None when the candidate is no secret.
    pub confidence: Option<Confidence>,
    /// Named reasons, such as `checksum-valid` or `placeholder-word`.
    pub reasons: Vec<&'static str>,
}
