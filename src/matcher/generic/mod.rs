//! The generic detector (under construction).

use std::ops::Range;

use crate::rules::RuleIndex;

/// Literals whose occurrence triggers the finder.
pub const TRIGGERS: &[&str] = &[];
/// Bytes before a trigger that matter.
pub const REACH_BACK: usize = 0;
/// Bytes from a trigger on that matter.
pub const REACH_FORWARD: usize = 0;

/// What was seen around a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Evidence {}

/// Kind of assignment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {}

impl Kind {
    /// Place in `kinds`.
    pub fn index(self) -> usize {
        match self {}
    }
}

/// A value with a name.
#[derive(Clone, Debug)]
pub struct Assignment {
    /// Name.
    pub key: Range<usize>,
    /// Value.
    pub value: Range<usize>,
    /// Both.
    pub whole: Range<usize>,
    /// Kind.
    pub kind: Kind,
    /// Evidence.
    pub evidence: Evidence,
}

/// Rule of each kind.
pub fn kinds(find: &dyn Fn(&str) -> Option<RuleIndex>) -> Vec<Option<RuleIndex>> {
    let _ = find;
    Vec::new()
}

/// Finds assignments at a trigger.
pub fn at_hit(text: &[u8], at: usize, trigger: usize, out: &mut Vec<Assignment>) {
    let _ = (text, at, trigger, out);
}
