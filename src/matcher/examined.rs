//! Starts at which a pattern was tried: windows of one rule overlap where its literals stand often, and a start that
//! several windows hold is tried once. What matches at a start depends on nothing but the bytes in reach of it, so
//! it is the same for each of them.

use super::Candidate;
use super::per_text::PerText;

/// What is known of each rule in the text that is scanned.
#[derive(Debug, Default)]
pub(super) struct Examined {
    rules: PerText<Starts>,
}

/// All starts in `from..until` were tried; `found` is what matches there, in order.
#[derive(Debug, Default)]
pub(super) struct Starts {
    from: usize,
    until: usize,
    found: Vec<Candidate>,
}

impl Examined {
    /// Begins with another text.
    pub fn begin(&mut self) {
        self.rules.begin();
    }

    /// What is known of a rule's starts from `first` on. It is to be [given back](Self::put).
    pub fn take(&mut self, rule: usize, first: usize) -> Starts {
        let mut starts = std::mem::take(self.rules.of(rule));
        if !(starts.from..=starts.until).contains(&first) {
            starts.found.clear();
            (starts.from, starts.until) = (first, first);
        }
        starts
    }

    /// Keeps what is known of a rule.
    pub fn put(&mut self, rule: usize, starts: Starts) {
        *self.rules.of(rule) = starts;
    }
}

impl Starts {
    /// The first start that was not tried.
    pub fn next(&self) -> usize {
        self.until
    }

    /// Notes what matches behind all starts that are known.
    pub fn add(&mut self, found: Candidate) {
        self.found.push(found);
    }

    /// Notes that all starts up to `last` were tried.
    pub fn close(&mut self, last: usize) {
        self.until = self.until.max(last + 1);
    }

    /// What matches at the starts `first..=last`.
    pub fn matches(&self, first: usize, last: usize) -> &[Candidate] {
        let place = |start: usize| self.found.partition_point(|c| (c.whole.start as usize) < start);
        &self.found[place(first)..place(last + 1)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matcher::Span;

    fn candidate(start: usize) -> Candidate {
        let span = Span::from_usize(start, start + 3);
        Candidate { rule: 7, whole: span, secret: span, evidence: None }
    }

    /// Tries the starts of a window that are not known: every tenth matches. Returns which were tried, and what matches.
    fn window(examined: &mut Examined, first: usize, last: usize) -> (Vec<usize>, Vec<usize>) {
        let mut starts = examined.take(7, first);
        let tried: Vec<usize> = (starts.next()..=last).collect();
        tried.iter().filter(|start| *start % 10 == 0).for_each(|start| starts.add(candidate(*start)));
        starts.close(last);
        let matches = starts.matches(first, last).iter().map(|c| c.whole.start as usize).collect();
        examined.put(7, starts);
        (tried, matches)
    }

    #[test]
    fn a_start_is_tried_once_and_matches_in_every_window() {
        let mut examined = Examined::default();
        examined.begin();
        assert_eq!(window(&mut examined, 5, 21), ((5..22).collect(), vec![10, 20]));
        assert_eq!(window(&mut examined, 10, 20), (vec![], vec![10, 20]), "a window within");
        assert_eq!(
            window(&mut examined, 12, 30),
            ((22..31).collect(), vec![20, 30]),
            "a window that goes on"
        );
        assert_eq!(window(&mut examined, 31, 40), ((31..41).collect(), vec![40]), "one that adjoins");
        assert_eq!(window(&mut examined, 60, 61), (vec![60, 61], vec![60]), "one behind a gap");
        assert_eq!(window(&mut examined, 40, 60), ((40..61).collect(), vec![40, 50, 60]), "one before it");
        examined.begin();
        assert_eq!(window(&mut examined, 40, 60), ((40..61).collect(), vec![40, 50, 60]), "in another text");
    }
}
