//! The quick way to read an entry's line: exactly the form that we write. Anything else is left to
//! the TOML parser, which also words the errors.

use jiff::civil::Date;

use super::LENGTH;
use super::entry::{Decision, Entry};

/// Reads a line, or leaves it to the parser.
pub(super) fn entry(line: &str) -> Option<Entry> {
    let (fingerprint, rest) = line.split_at_checked(2 * LENGTH)?;
    if !super::is_hex(fingerprint.as_bytes()) {
        return None;
    }
    let mut rest = rest.strip_prefix(" = { rule = ")?;
    let mut entry = Entry { fingerprint: fingerprint.to_owned(), rule: text(&mut rest)?, ..Entry::default() };
    let mut last = 0;
    while let Some(field) = rest.strip_prefix(", ") {
        let (key, value) = field.split_once(" = ")?;
        rest = value;
        // In the order in which they are written, so that no field comes twice.
        let order = match key {
            "status" => {
                entry.status = Decision::from_name(&text(&mut rest)?)?;
                1
            }
            "reason" => {
                entry.reason = text(&mut rest)?;
                2
            }
            "by" => {
                entry.by = text(&mut rest)?;
                3
            }
            "on" => {
                entry.on = Some(date(&mut rest)?);
                4
            }
            "since" => {
                entry.since = Some(date(&mut rest)?);
                5
            }
            "expires" => {
                entry.expires = Some(date(&mut rest)?);
                6
            }
            "where" => {
                entry.places = list(&mut rest)?;
                7
            }
            "history" => {
                rest = rest.strip_prefix("true")?;
                entry.history = true;
                8
            }
            "only_rules" => {
                entry.only_rules = list(&mut rest)?;
                9
            }
            "only_paths" => {
                entry.only_paths = list(&mut rest)?;
                10
            }
            _ => return None,
        };
        if order <= last {
            return None;
        }
        last = order;
    }
    (rest == " }").then_some(entry)
}

/// A text in quotes without escapes.
fn text(rest: &mut &str) -> Option<String> {
    let inner = rest.strip_prefix('"')?;
    let end = inner.find(['"', '\\'])?;
    let after = inner[end..].strip_prefix('"')?;
    let text = &inner[..end];
    if text.bytes().any(|b| b.is_ascii_control()) {
        return None;
    }
    *rest = after;
    Some(text.to_owned())
}

fn date(rest: &mut &str) -> Option<Date> {
    let (day, after) = rest.split_at_checked(10)?;
    let number = |range: std::ops::Range<usize>| {
        let digits = day.get(range)?;
        if digits.bytes().all(|b| b.is_ascii_digit()) { digits.parse::<i16>().ok() } else { None }
    };
    if day.as_bytes()[4] != b'-' || day.as_bytes()[7] != b'-' || !after.starts_with([',', ' ']) {
        return None;
    }
    let (month, day) = (number(5..7)?, number(8..10)?);
    let date = Date::new(number(0..4)?, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
    *rest = after;
    Some(date)
}

fn list(rest: &mut &str) -> Option<Vec<String>> {
    *rest = rest.strip_prefix('[')?;
    let mut list = Vec::new();
    loop {
        list.push(text(rest)?);
        if let Some(after) = rest.strip_prefix(']') {
            *rest = after;
            return Some(list);
        }
        *rest = rest.strip_prefix(", ")?;
    }
}
