//! Names in code, which are no values.

/// Whether a value is written as names in code are: words of one case joined by marks (`MAX_KEY_LENGTH`), or words
/// of which each begins with a capital letter (`getApiKeyV2`), with hardly a digit. What is drawn at random has
/// more digits, and its case changes at every other letter.
pub fn is_identifier(value: &[u8]) -> bool {
    let count = |of: fn(&u8) -> bool| value.iter().filter(|b| of(b)).count();
    let (small, capital) = (count(u8::is_ascii_lowercase), count(u8::is_ascii_uppercase));
    let digits = count(u8::is_ascii_digit);
    let marks = value.iter().filter(|b| matches!(b, b'_' | b'-' | b'.' | b':' | b'/')).count();
    if small + capital + digits + marks != value.len() {
        return false;
    }
    let one_case = (small == 0) != (capital == 0);
    if marks > 0 && one_case {
        let digits = digits - in_numbers(value);
        return digits <= 2 + value.len() / 24 && small + capital >= 2 * (marks + 1);
    }
    digits <= 1 + value.len() / 24 && small > 0 && capital > 0 && is_of_words(value)
}

/// Digits of the numbers between two `_`, but for the first of each: `ISO_8601_TIME`.
fn in_numbers(value: &[u8]) -> usize {
    let is_number = |part: &&[u8]| part.iter().all(u8::is_ascii_digit);
    value.split(|&b| b == b'_').filter(is_number).map(|number| number.len().saturating_sub(1)).sum()
}

/// Whether a text is words of two letters or more, each all capitals or small behind its first letter, and what is no
/// letter. In long names a letter may be left over where words meet numbers (`K8SContainer`), and what is short for many
/// may stand before another word (`HTTPServer`): short values drawn at random read so too often.
fn is_of_words(text: &[u8]) -> bool {
    const LONG: usize = 20;
    let (mut rest, mut single) = (text, 0);
    while let Some(&first) = rest.first() {
        let run = |of: fn(&u8) -> bool, from: usize| rest.iter().skip(from).take_while(|b| of(b)).count();
        let length = if !first.is_ascii_alphabetic() {
            1
        } else if rest.starts_with(b"IPv") {
            3
        } else {
            let small = run(u8::is_ascii_lowercase, usize::from(first.is_ascii_uppercase()));
            let capital = run(u8::is_ascii_uppercase, 0);
            match (small, capital) {
                (2.., _) => small + usize::from(first.is_ascii_uppercase()),
                (0, 3..) if text.len() >= LONG && rest.get(capital).is_some_and(u8::is_ascii_lowercase) => {
                    capital - 1
                }
                (0, 2..) if !rest.get(capital).is_some_and(u8::is_ascii_lowercase) => capital,
                (0, 1) if rest.get(1).is_some_and(u8::is_ascii_digit) => capital,
                _ => {
                    single += 1;
                    1
                }
            }
        };
        rest = rest.get(length..).unwrap_or_default();
    }
    single <= text.len() / 32
}
