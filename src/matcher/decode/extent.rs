//! How much of a text around changed bytes has to be looked at to find every encoded run that they can change.

use super::MIN_RUN;
use super::base64::{class_end, class_start, separator_end, separator_start};
use super::cluster::{LOOK_BACK, MAX_ESCAPE, MAX_GAP};
use super::escapes::is_prefix;

/// Bytes that are looked at beside every place, whatever they are: more than any rule of thumb in
/// [`Decoded::reach`](super::Decoded::reach) adds.
const SLACK: usize = 8;
/// Most bytes of glue: more than any joint, and any line break between the lines of a wrapped run, has.
const MAX_GLUE: usize = 256;
/// Most bytes from a telling escape to a place that can change its cluster, where no line ends between.
const MAX_LINE: usize = MAX_GAP + 2 * MAX_ESCAPE + LOOK_BACK;

/// Whether a joint of literals, a soft line break, or what stands between the lines of a wrapped run can have
/// this byte.
const fn is_glue(b: u8) -> bool {
    b <= b' '
        || is_prefix(b)
        || matches!(b, b'"' | b'\'' | b'`' | b'+' | b'.' | b'&' | b'~' | b'\\' | b'|' | b'<' | b'>')
        || matches!(b, b'=' | b'#' | b'*' | b';')
}

/// [`is_glue`] of every byte.
const GLUE: [bool; 256] = {
    let mut glue = [false; 256];
    let mut b = 0;
    while b < 256 {
        glue[b] = is_glue(b as u8);
        b += 1;
    }
    glue
};

/// Where the glue that ends at `at` begins, at most so many bytes back.
pub(super) fn glue_before(text: &[u8], at: usize, most: usize) -> usize {
    let before = text.get(..at).unwrap_or_default();
    at - before.iter().rev().take(most).take_while(|&&b| GLUE[usize::from(b)]).count()
}

/// Where the glue that begins at `at` ends, at most so many bytes on.
pub(super) fn glue_after(text: &[u8], at: usize, most: usize) -> usize {
    let after = text.get(at..).unwrap_or_default();
    at + after.iter().take(most).take_while(|&&b| GLUE[usize::from(b)]).count()
}

/// So many bytes before `at`, or the line end (a line feed, a carriage return, a NUL) before it.
pub(super) fn line_before(text: &[u8], at: usize, most: usize) -> usize {
    let first = at.saturating_sub(most);
    let before = text.get(first..at).unwrap_or_default();
    memchr::memrchr3(b'\n', b'\r', 0, before).map_or(first.saturating_sub(1), |end| first + end)
}

fn line_end(text: &[u8], at: usize) -> usize {
    let after = text.get(at..).unwrap_or_default();
    let after = after.get(..MAX_LINE).unwrap_or(after);
    at + memchr::memchr3(b'\n', b'\r', 0, after).unwrap_or(after.len())
}

/// Where the search for what a change from `at` on can change has to begin. What is before `floor` was
/// searched before.
pub(super) fn before(text: &[u8], at: usize, floor: usize) -> usize {
    let near = glue_before(text, at.saturating_sub(SLACK), MAX_GLUE);
    let wrapped = wrapped_start(text, near, floor);
    let line = line_before(text, near, MAX_LINE);
    // The line may begin inside of a joint.
    let line = glue_before(text, line, MAX_ESCAPE).saturating_sub(3);
    line.min(wrapped).max(floor.min(at))
}

/// The first line of what may be one wrapped run, with the class bytes before `at` in its last or last but one.
fn wrapped_start(text: &[u8], at: usize, floor: usize) -> usize {
    let mut start = class_start(text, at, floor);
    while start > floor {
        // The `n` of a written line end is no part of the run.
        let after_n = start + usize::from(text.get(start.saturating_sub(1)) == Some(&b'\\'));
        let Some(end) = separator_start(text, start).or_else(|| separator_start(text, after_n)) else {
            break;
        };
        let before = class_start(text, end, floor);
        if end - before < MIN_RUN && before > floor {
            break;
        }
        start = before;
    }
    start
}

/// Where the search for what a change up to `at` can change has to end.
pub(super) fn after(text: &[u8], at: usize) -> usize {
    let near = glue_after(text, (at + SLACK).min(text.len()), MAX_GLUE);
    let wrapped = wrapped_end(text, near);
    let mut line = line_end(text, near);
    // A line that ends in `=` may go on in the next.
    let glue = glue_before(text, line, MAX_ESCAPE)..glue_after(text, line, MAX_GLUE);
    if text.get(glue.clone()).unwrap_or_default().contains(&b'=') {
        line = line_end(text, glue.end);
    }
    line.max(wrapped).saturating_add(SLACK).min(text.len())
}

/// The last line of what may be one wrapped run, whose first or second line has `at` in it.
fn wrapped_end(text: &[u8], at: usize) -> usize {
    let mut end = class_end(text, at);
    loop {
        let Some(start) = separator_end(text, end) else { return end };
        let next = class_end(text, start);
        if next < start + MIN_RUN {
            return next;
        }
        end = next;
    }
}

#[cfg(test)]
mod tests;
