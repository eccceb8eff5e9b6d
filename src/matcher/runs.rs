//! Where the runs of bytes that patterns need were looked for. Windows of many rules overlap where words that are
//! keywords stand close together, as in a list of providers; what one window does not hold is not sought there for
//! the next.

use std::ops::Range;

use super::per_text::PerText;
use super::work;
use crate::rules::rule::Run;

/// For each kind of run, a part of the text that is scanned in which there is none.
#[derive(Debug, Default)]
pub(super) struct Runs {
    none: PerText<Range<usize>>,
}

impl Runs {
    /// Begins with another text.
    pub fn begin(&mut self) {
        self.none.begin();
    }

    /// Whether a window of the text holds a run; equal runs have equal numbers.
    pub fn hold(&mut self, text: &[u8], run: &Run, number: usize, window: &Range<usize>) -> bool {
        let none = self.none.of(number);
        let Range { start, end } = *window;
        // A run that begins before the last so many bytes of what is known to hold none ends in it, too: what is long
        // enough on one side of such a border is found there, digit or not.
        let border = (run.min as usize).saturating_sub(1);
        let is_wide = none.len() >= border;
        if is_wide && none.start <= start && end <= none.end {
            return false;
        }
        let goes_on = is_wide && none.start <= start && start + border <= none.end;
        let leads_to = is_wide && start < none.start && none.start + border <= end && end <= none.end;
        // Where to look, and what is known if nothing is there.
        let (rest, now) = match () {
            () if goes_on => (none.end - border..end, none.start..end),
            () if leads_to => (start..none.start + border, start..none.end),
            () => (start..end, start..end),
        };
        let (found, looked) = run.look_in(text.get(rest).unwrap_or_default());
        work::count(looked);
        if !found {
            *none = now;
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
