//! Values that nobody drew at random: repetitions and sequences.

/// One byte, or one short block, over and over: `aaaa`, `abcabcabc`, `deadbeefdeadbeef`.
pub(crate) fn is_repeated(value: &[u8]) -> bool {
    if value.len() < 4 {
        return value.windows(2).all(|w| w[0] == w[1]);
    }
    (1..=value.len().min(64) / 2).any(|period| {
        (value.len() >= 2 * period + period.min(2) || value.len().is_multiple_of(period))
            && value.iter().skip(period).zip(value).all(|(a, b)| a == b)
    })
}

/// A part that nobody would draw: one letter eight times, one digit thirteen times (account numbers hold shorter
/// runs), or the same few characters for most of the value.
///
/// Zeros in base64 are the letter `A`: these count for nothing, as do lines of dashes and margins.
pub(super) fn has_repeats(value: &[u8]) -> bool {
    const LONGEST: usize = 256;
    let value = &value[..value.len().min(LONGEST)];
    (1..=8).any(|period| {
        let blocks = (value.len() * 3 / 5).max(3 * period).max(14);
        let (mut run, mut longest) = (period, 0);
        for (at, &b) in value.iter().enumerate().skip(period) {
            let counts = b.is_ascii_alphanumeric() && b != b'A' || period > 1 && !b.is_ascii_whitespace();
            let goes_on = b == value[at - period] && counts;
            run = if goes_on { run + 1 } else { period };
            // For one character, digits count a little more than half.
            longest = longest.max(if period == 1 && b.is_ascii_digit() { run * 8 / 13 } else { run });
        }
        longest >= if period == 1 { 8 } else { blocks }
    })
}

/// Ten or more characters in the order of the alphabet or of the digits, anywhere; or a part behind a mark that is
/// a sequence and most of the value.
pub(super) fn has_sequence(value: &[u8]) -> bool {
    let mut run = 1;
    let rises = value.windows(2).any(|w| {
        run = if w[1] == w[0].wrapping_add(1) || w == b"90" { run + 1 } else { 1 };
        run >= 10
    });
    let marks = |b: &u8| matches!(b, b'-' | b'_' | b'.' | b':');
    let last = value.rsplit(marks).next().unwrap_or_default();
    rises || last.len() >= 8 && last.len() * 2 >= value.len() && is_sequence(last)
}

/// `12345`, `abcdef`, `0123456789abcdef`, `qwertyuiop`, `987654`.
pub(crate) fn is_sequence(value: &[u8]) -> bool {
    const ROWS: &[&[u8]] = &[
        b"qwertyuiop",
        b"asdfghjkl",
        b"zxcvbnm",
        b"1234567890",
        b"1q2w3e4r5t6y",
        b"qazwsxedc",
        b"0123456789abcdef0123456789abcdef",
        b"abcdefghijklmnopqrstuvwxyz",
    ];
    if value.len() < 3 {
        return true;
    }
    let mut lower = [0_u8; 128];
    let Some(lower) = lower.get_mut(..value.len()) else {
        return false;
    };
    lower.copy_from_slice(value);
    lower.make_ascii_lowercase();
    let steps = lower
        .windows(2)
        .filter(|w| {
            w[1] == w[0].wrapping_add(1)
                || w[0] == w[1].wrapping_add(1)
                || w == b"90"
                || w == b"9a"
                || w == b"09"
        })
        .count();
    steps * 10 >= (lower.len() - 1) * 8 || ROWS.iter().any(|row| memchr::memmem::find(row, lower).is_some())
}
