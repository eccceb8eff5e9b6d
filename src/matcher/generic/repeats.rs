//! Texts that repeat themselves: what stands in the middle of a repetition stood at its beginning.
//!
//! A value is found once however often it stands there, so a text of a few bytes a million times over costs no more
//! than a look at each of them.

use super::{REACH_BACK, REACH_FORWARD};
use crate::matcher::work;

/// Longest stretch that counts as repeated, in bytes.
const LONGEST: usize = 128;
/// Bytes from a trigger on that must stand before it as well for a closer look.
const PROBE: usize = 8;
/// Most stretches that are tried: a trigger can stand in one twice.
const MOST: usize = 3;

/// Whether everything within reach of the trigger at `at` repeats one stretch of at most [`LONGEST`] bytes, over and
/// over. Then the trigger leads to what the one before it led to.
///
/// Depends on `text[at - REACH_BACK .. at + REACH_FORWARD]` only. False where the text begins or ends within
/// that, so that the beginning and the end of a repetition are always looked at.
pub(super) fn inside_repetition(text: &[u8], at: usize) -> bool {
    let (Some(from), to) = (at.checked_sub(REACH_BACK), at + REACH_FORWARD) else {
        return false;
    };
    let (Some(window), Some(probe)) = (text.get(from..to), text.get(at..at + PROBE)) else {
        return false;
    };
    let near = &window[REACH_BACK - LONGEST..REACH_BACK + PROBE - 1];
    let mut tried = 0;
    for n in memchr::memrchr_iter(probe[0], &near[..LONGEST]) {
        if near.get(n..n + PROBE) == Some(probe) {
            let length = LONGEST - n;
            // The comparison reads a vector at a time.
            work::count(PROBE + window.len() / 32);
            if window[length..] == window[..window.len() - length] {
                return true;
            }
            tried += 1;
            if tried == MOST {
                return false;
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same, stretch by stretch.
    fn slowly(text: &[u8], at: usize) -> bool {
        at >= REACH_BACK
            && at + REACH_FORWARD <= text.len()
            && (1..=LONGEST).any(|length| {
                (at - REACH_BACK + length..at + REACH_FORWARD).all(|i| text[i] == text[i - length])
            })
    }

    #[test]
    fn repetitions_are_known_from_what_differs_in_one_byte() {
        for unit in ["password=\"", "key=value\n", "a", &"password: Xk29dkDm2x, ".repeat(5)] {
            let text = unit.repeat(4000 / unit.len()).into_bytes();
            let at = 1500 / unit.len() * unit.len();
            assert!(inside_repetition(&text, at) && slowly(&text, at), "{unit}");
            for other in [at - REACH_BACK, at - 1, at, at + 40, at + REACH_FORWARD - 1] {
                let mut text = text.clone();
                text[other] ^= 1;
                assert!(!inside_repetition(&text, at), "{unit} {other}");
                assert_eq!(inside_repetition(&text, at), slowly(&text, at), "{unit} {other}");
            }
            assert!(!inside_repetition(&text, REACH_BACK - 1), "{unit}: the beginning");
            assert!(!inside_repetition(&text[..at + REACH_FORWARD - 1], at), "{unit}: the end");
        }
    }

    #[test]
    fn a_few_stretches_are_tried() {
        // The trigger stands in the stretch so often, each time before something else.
        for (times, found) in [(MOST, true), (MOST + 1, false)] {
            let unit: String = (0..times).map(|n| format!("password{n} ")).collect();
            let text = unit.repeat(4000 / unit.len()).into_bytes();
            let at = 1500 / unit.len() * unit.len();
            assert_eq!(inside_repetition(&text, at), found, "{unit}");
        }
    }
}
