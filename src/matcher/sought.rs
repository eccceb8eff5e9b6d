//! Where the words that patterns need were looked for. The windows of a rule overlap where its literal stands often:
//! what one window does not hold need not be sought there for the next.

use std::ops::Range;

use super::per_text::PerText;
use super::work;
use crate::rules::rule::{Word, find_folded};

/// What is known of each word in the text that is scanned.
#[derive(Debug, Default)]
pub(super) struct Sought {
    words: PerText<Known>,
}

/// What is known of one word: it does not begin in `from..until`, and if `found`, it does at `until`.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    from: usize,
    until: usize,
    found: bool,
}

impl Sought {
    /// Begins with another text.
    pub fn begin(&mut self) {
        self.words.begin();
    }

    /// Whether a window of the text holds all of `words`, each or one that may stand in its place, in either case. They
    /// are numbered from `first` on, in the order of [`count`].
    pub fn hold(&mut self, text: &[u8], words: &[Word], first: usize, window: &Range<usize>) -> bool {
        let mut number = first;
        words.iter().all(|word| {
            let own = number;
            number += count(std::slice::from_ref(word));
            self.holds(text, word, own, window)
        })
    }

    fn holds(&mut self, text: &[u8], word: &Word, number: usize, window: &Range<usize>) -> bool {
        if self.holds_itself(text, word, number, window) {
            return true;
        }
        let mut next = number + 1;
        word.others.iter().any(|other| {
            let own = next;
            next += count(std::slice::from_ref(other));
            self.holds(text, other, own, window)
        })
    }

    fn holds_itself(&mut self, text: &[u8], word: &Word, number: usize, window: &Range<usize>) -> bool {
        let Some(last) = window.end.checked_sub(word.text.len()) else { return false };
        let known = self.words.of(number);
        if !(known.from..=known.until).contains(&window.start) {
            *known = Known { from: window.start, until: window.start, found: false };
        }
        if !known.found && known.until <= last {
            let rest = text.get(known.until..window.end).unwrap_or_default();
            let at = find_folded(rest, &word.text, usize::from(word.rarest));
            known.found = at.is_some();
            let passed = at.unwrap_or(last + 1 - known.until);
            work::count(passed + word.text.len());
            known.until += passed;
        }
        known.found && known.until <= last
    }
}

/// How many numbers some words take: one for each, and for each that may stand in its place.
pub(super) fn count(words: &[Word]) -> usize {
    words.iter().map(|word| 1 + count(&word.others)).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn word(text: &str, others: Vec<Word>) -> Word {
        Word { text: text.as_bytes().to_vec().into(), rarest: (text.len() / 2) as u8, others: others.into() }
    }

    fn words() -> Vec<Word> {
        vec![word("ab", vec![word("ba", vec![]), word("ccc", vec![])]), word("c", vec![])]
    }

    proptest! {
        /// The same as looking for each word in each window by itself.
        #[test]
        fn windows_hold_what_they_hold(
            texts in proptest::collection::vec("[abcABC .]{0,40}", 1..4),
            windows in proptest::collection::vec((0..40_usize, 0..24_usize, any::<bool>()), 1..60),
        ) {
            let (words, mut sought, mut at) = (words(), Sought::default(), 0);
            let mut text = texts[0].as_bytes();
            sought.begin();
            for (start, len, other) in windows {
                if other {
                    at = (at + 1) % texts.len();
                    text = texts[at].as_bytes();
                    sought.begin();
                }
                let start = start.min(text.len());
                let window = start..(start + len).min(text.len());
                let slow = words.iter().all(|word| word.is_in(&text[window.clone()]));
                prop_assert_eq!(sought.hold(text, &words, 3, &window), slow, "{:?} in {:?}", window, text);
            }
        }
    }

    #[test]
    fn windows_that_overlap_are_read_once() {
        let text = vec![b'x'; 1 << 16];
        let (words, mut sought) = (vec![word("ab", vec![])], Sought::default());
        sought.begin();
        work::take();
        for start in (0..text.len() - (1 << 14)).step_by(16) {
            assert!(!sought.hold(&text, &words, 0, &(start..start + (1 << 14))));
        }
        let read = work::take();
        assert!(read <= 2 * text.len(), "{read}");
    }
}
