//! Rules that a text is searched for when it is known that no other has a candidate there.

use crate::rules::RuleIndex;

/// The rules that are searched for: all, unless some are named.
#[derive(Debug, Default)]
pub struct Only {
    /// A bit for each rule; empty: all.
    rules: Vec<u64>,
}

impl Only {
    /// All rules.
    pub fn all(&mut self) {
        self.rules.clear();
    }

    /// These rules and no other.
    pub fn these(&mut self, rules: impl IntoIterator<Item = RuleIndex>) {
        self.rules.clear();
        self.rules.resize(1, 0); // not empty, though no rule be named
        for rule in rules.into_iter().map(usize::from) {
            if self.rules.len() <= rule / 64 {
                self.rules.resize(rule / 64 + 1, 0);
            }
            self.rules[rule / 64] |= 1 << (rule % 64);
        }
    }

    /// Whether a rule is searched for.
    pub fn has(&self, rule: RuleIndex) -> bool {
        let rule = usize::from(rule);
        self.rules.is_empty() || self.rules.get(rule / 64).is_some_and(|bits| bits >> (rule % 64) & 1 != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::Only;

    #[test]
    fn rules_are_all_or_those_that_are_named() {
        let mut only = Only::default();
        assert!([0, 63, 64, 1500, u16::MAX].iter().all(|&rule| only.has(rule)));
        only.these([63, 128]);
        assert!([63, 128].iter().all(|&rule| only.has(rule)));
        assert!(![0, 62, 64, 127, 129, u16::MAX].iter().any(|&rule| only.has(rule)));
        only.these([]);
        assert!(![0, 63, 128].iter().any(|&rule| only.has(rule)));
        only.all();
        assert!(only.has(5));
    }
}
