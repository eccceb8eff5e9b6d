//! Questions and answers, line by line: for pipes, simple terminals and screen readers.

use std::io::{BufRead, Write};

use jiff::civil::Date;

use super::Recorder;
use super::context::Context;
use super::model::{Item, Session};
use crate::suppress::baseline::Decision;

const HELP: &str = "\
r real: revoke it      o rotated or revoked      f false positive
a accepted until DATE  s skip                    u undo
v show the value       h help                    q quit";

/// Asks about one value after the other, on standard input and output.
///
/// # Errors
/// A decision that cannot be written.
pub fn run(session: &mut Session, recorder: &mut Recorder, context: &Context) -> anyhow::Result<()> {
    let input = std::io::stdin();
    ask(session, recorder, context, &mut input.lock(), &mut std::io::stdout())
}

fn ask(
    session: &mut Session,
    recorder: &mut Recorder,
    context: &Context,
    input: &mut dyn BufRead,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let mut shown = None;
    while let Some(item) = session.current().cloned() {
        let (at, of) = session.position();
        if shown != Some(at) {
            show(&item, (at, of), context, out)?;
            shown = Some(at);
        }
        let Some(answer) = read(input, out, "decision [r o f a s u v h q]: ")? else { return Ok(()) };
        match answer.as_str() {
            "q" => return Ok(()),
            "h" | "?" => writeln!(out, "{HELP}")?,
            "v" => {
                for line in context.lines(&item, true).iter().filter(|line| line.marked) {
                    writeln!(out, "  {:>5} {}", line.number, line.text)?;
                }
            }
            "u" => {
                if let Some(item) = session.undo() {
                    recorder.record(item)?;
                    writeln!(out, "taken back")?;
                }
                shown = None;
                continue;
            }
            "s" => {
                if at == of {
                    return Ok(());
                }
                session.go(1);
            }
            word => match decision(word) {
                None => writeln!(out, "{HELP}")?,
                Some(status) => {
                    let expires = match status {
                        Decision::Accepted => match date(session.today(), input, out)? {
                            Some(expires) => expires,
                            None => continue,
                        },
                        _ => None,
                    };
                    let Some(reason) = read(input, out, "reason: ")? else { return Ok(()) };
                    if let Some(item) = session.decide(status, &reason, expires) {
                        recorder.record(item)?;
                    }
                    if at == of {
                        return Ok(());
                    }
                    session.go(1);
                }
            },
        }
    }
    Ok(())
}

/// The decision that a key stands for.
pub fn decision(key: &str) -> Option<Decision> {
    Some(match key {
        "r" => Decision::Real,
        "o" => Decision::Rotated,
        "f" => Decision::FalsePositive,
        "a" => Decision::Accepted,
        _ => return None,
    })
}

/// Asks until when: a day, a number of days, or nothing for ever. None when the answer is no day.
fn date(today: Date, input: &mut dyn BufRead, out: &mut dyn Write) -> anyhow::Result<Option<Option<Date>>> {
    let Some(answer) = read(input, out, "until (2026-01-31, or 90d; empty: for ever): ")? else {
        return Ok(None);
    };
    match until(&answer, today) {
        Ok(expires) => Ok(Some(expires)),
        Err(reason) => {
            writeln!(out, "{reason}")?;
            Ok(None)
        }
    }
}

/// Reads a day, or a number of days from today; nothing is for ever.
///
/// # Errors
/// It is neither, or it lies in the past.
pub fn until(text: &str, today: Date) -> Result<Option<Date>, &'static str> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let days = text.strip_suffix('d').and_then(|days| days.parse::<i32>().ok());
    let date = match days {
        Some(days) => {
            today.checked_add(jiff::Span::new().try_days(days).map_err(|_| "that is too far away")?).ok()
        }
        None => text.parse().ok(),
    };
    match date {
        Some(date) if date < today => Err("that day has passed"),
        Some(date) => Ok(Some(date)),
        None => Err("expected a day such as 2026-01-31, or a number of days such as 90d"),
    }
}

fn show(item: &Item, (at, of): (usize, usize), context: &Context, out: &mut dyn Write) -> anyhow::Result<()> {
    let finding = &item.finding;
    writeln!(
        out,
        "\n{at}/{of}  {}  ({}, severity {}, confidence {})",
        finding.rule, finding.category, finding.severity, finding.confidence
    )?;
    writeln!(out, "  {}", crate::cli::baseline::printable(&finding.description))?;
    for place in item.places.iter().take(8) {
        writeln!(out, "  at {}", crate::cli::baseline::printable(place))?;
    }
    if item.places.len() > 8 {
        writeln!(out, "  … and {} more places", item.places.len() - 8)?;
    }
    for line in context.lines(item, false) {
        writeln!(out, "  {} {:>5} {}", if line.marked { '>' } else { ' ' }, line.number, line.text)?;
    }
    if !finding.remediation.revoke.is_empty() {
        writeln!(out, "  revoke: {}", finding.remediation.revoke)?;
    }
    writeln!(out, "  now: {}", item.status().name())?;
    Ok(())
}

/// A line of input, trimmed; None at its end.
fn read(input: &mut dyn BufRead, out: &mut dyn Write, prompt: &str) -> anyhow::Result<Option<String>> {
    write!(out, "{prompt}")?;
    out.flush()?;
    let mut bytes = Vec::new();
    std::io::Read::take(input, 64 << 10).read_until(b'\n', &mut bytes)?;
    if bytes.is_empty() {
        writeln!(out)?;
        return Ok(None);
    }
    Ok(Some(String::from_utf8_lossy(&bytes).trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date as day;

    #[test]
    fn days_and_numbers_of_days() {
        let today = day(2025, 12, 1);
        assert_eq!(until("", today), Ok(None));
        assert_eq!(until("2026-01-31", today), Ok(Some(day(2026, 1, 31))));
        assert_eq!(until("30d", today), Ok(Some(day(2025, 12, 31))));
        for wrong in ["2025-11-30", "soon", "-3d", "99999999999d", "999999999d"] {
            assert!(until(wrong, today).is_err(), "{wrong}");
        }
    }
}
