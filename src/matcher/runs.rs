//! Where the runs of bytes that patterns need were looked for. Windows of many rules overlap where words that are
//! keywords stand close together, as in a list of providers; what one window does not hold is not sought there for
//! the next.

use std::ops::Range;

use super::work;
use crate::rules::rule::Run;

/// What is known of each kind of run in the text that is scanned.
#[derive(Debug, Default)]
pub(super) struct Runs {
    known: Vec<Known>,
    /// Number of the text: what is known of another one holds no more.
    text: u64,
}

/// There is no such run within `from..until`.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    text: u64,
    from: usize,
    until: usize,
}

impl Runs {
    /// Begins with another text.
    pub fn begin(&mut self) {
        self.text += 1;
    }

    /// Whether a window of the text holds a run; equal runs have equal numbers.
    pub fn hold(&mut self, text: &[u8], run: &Run, number: usize, window: &Range<usize>) -> bool {
        if self.known.len() <= number {
            self.known.resize(number + 1, Known::default());
        }
        let known = &mut self.known[number];
        let Range { start, end } = *window;
        // A run that begins before the last so many bytes of what is known to hold none ends in it, too: what is long
        // enough on one side of such a border is found there, digit or not.
        let border = (run.min as usize).saturating_sub(1);
        let is_of_text = known.text == self.text && known.until - known.from >= border;
        if is_of_text && known.from <= start && end <= known.until {
            return false;
        }
        let goes_on = is_of_text && known.from <= start && start + border <= known.until;
        let leads_to = is_of_text && start < known.from && known.from + border <= end && end <= known.until;
        let (from, until) = match () {
            () if goes_on => (known.until - border, end),
            () if leads_to => (start, known.from + border),
            () => (start, end),
        };
        let (found, looked) = run.look_in(text.get(from..until).unwrap_or_default());
        work::count(looked);
        if !found {
            *known = match () {
                () if goes_on => Known { until: end, ..*known },
                () if leads_to => Known { from: start, ..*known },
                () => Known { text: self.text, from: start, until: end },
            };
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn run(min: u32, digit: bool) -> Run {
        let mut class = [0; 4];
        for byte in *b"ab1" {
            class[usize::from(byte >> 6)] |= 1 << (byte & 63);
        }
        Run { class, min, digit }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1500))]

        /// What is remembered changes no answer, in whatever order windows come.
        #[test]
        fn windows_hold_what_they_hold(
            texts in prop::collection::vec("[ab]{0,5}([ab1.]{0,8}[ab]{0,6}){0,6}", 1..3),
            windows in prop::collection::vec((0usize..70, 0usize..40), 1..40),
            min in 0u32..9,
        ) {
            let mut runs = Runs::default();
            for text in &texts {
                runs.begin();
                for (start, len) in &windows {
                    let start = *start % (text.len() + 1);
                    let window = start..(start + len).min(text.len());
                    for (number, digit) in [false, true].into_iter().enumerate() {
                        let run = run(min, digit);
                        let plain = run.look_in(&text.as_bytes()[window.clone()]).0;
                        let held = runs.hold(text.as_bytes(), &run, number, &window);
                        prop_assert_eq!(held, plain, "{:?} of {:?}", window, text);
                    }
                }
            }
        }
    }

    #[test]
    fn what_was_looked_at_is_not_looked_at_again() {
        let text = "a.".repeat(500);
        let (mut runs, run) = (Runs::default(), run(10, true));
        runs.begin();
        work::take();
        for start in 300..600 {
            assert!(!runs.hold(text.as_bytes(), &run, 0, &(start..start + 300)));
        }
        for start in (100..300).rev() {
            assert!(!runs.hold(text.as_bytes(), &run, 0, &(start..start + 300)));
        }
        assert!(work::take() < 9_000, "each window is looked at anew");
    }
}
