//! When secrets entered and left: numbers per day, week, month, quarter or years, and their drawing.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::finding::Finding;
use crate::report::view::introduced;

/// Bars in a chart; a coarser unit is taken when there would be more.
const BARS: i64 = 60;

/// Labels under a chart.
const LABELS: i64 = 8;

/// Lines across a chart, above zero.
const TICKS: i64 = 4;

/// The drawing's size and margins, in units of its view box.
const WIDTH: i64 = 960;
const HEIGHT: i64 = 260;
const LEFT: i64 = 48;
const RIGHT: i64 = 950;
const TOP: i64 = 12;
const BOTTOM: i64 = 226;

/// A chart, ready for the template.
#[derive(Debug, Serialize)]
pub(super) struct Timeline {
    unit: &'static str,
    unit_heading: &'static str,
    lead: String,
    width: i64,
    height: i64,
    left: i64,
    right: i64,
    top: i64,
    bottom: i64,
    zero: i64,
    ticks: Vec<Tick>,
    bars: Vec<Bar>,
    labels: Vec<Label>,
    /// The outline of the live secrets, and the same closed at zero.
    line: String,
    area: String,
}

#[derive(Debug, Serialize)]
struct Tick {
    y: i64,
    label: i64,
}

#[derive(Debug, Serialize)]
struct Bar {
    label: String,
    entered: i64,
    gone: i64,
    live: i64,
    x: i64,
    width: i64,
    entered_y: i64,
    entered_height: i64,
    gone_height: i64,
}

#[derive(Debug, Serialize)]
struct Label {
    x: i64,
    text: String,
}

/// What is known of one secret: the days it entered and left.
struct Span {
    entered: Date,
    left: Option<Date>,
}

/// The chart of these findings; `None` when none of them has a date.
pub(super) fn timeline<'a>(findings: impl Iterator<Item = &'a Finding>) -> Option<Timeline> {
    let spans: Vec<Span> = findings.filter_map(span).collect();
    let dates = || spans.iter().flat_map(|s| std::iter::once(s.entered).chain(s.left));
    let (first, last) = (dates().min()?, dates().max()?);
    let unit = Unit::fitting(first, last);
    let (low, high) = (unit.index(first), unit.index(last));
    let mut numbers = vec![(0, 0); usize::try_from(high - low + 1).ok()?];
    let slot = |date| usize::try_from(unit.index(date) - low).ok();
    for span in &spans {
        if let Some(number) = slot(span.entered).and_then(|at| numbers.get_mut(at)) {
            number.0 += 1;
        }
        if let Some(number) = span.left.and_then(slot).and_then(|at| numbers.get_mut(at)) {
            number.1 += 1;
        }
    }
    Some(draw(unit, low, &numbers, lead(&spans, first, last)))
}

fn span(f: &Finding) -> Option<Span> {
    let commit = introduced(f)?;
    let last = f.life.as_deref().filter(|life| !life.in_head).and_then(|life| life.last_seen.as_ref());
    let entered = date(commit.time)?;
    // Clocks of authors disagree: nothing leaves before it entered.
    Some(Span { entered, left: last.and_then(|c| date(c.time)).map(|left| left.max(entered)) })
}

fn date(seconds: i64) -> Option<Date> {
    Some(Timestamp::from_second(seconds).ok()?.to_zoned(TimeZone::UTC).date())
}

fn lead(spans: &[Span], first: Date, last: Date) -> String {
    let left = spans.iter().filter(|s| s.left.is_some()).count();
    let entered = match spans.len() {
        1 => "one secret entered".to_owned(),
        n => format!("{n} secrets entered"),
    };
    let gone = match left {
        0 => "none was taken out again".to_owned(),
        n => format!("{n} went out again and stay in the history"),
    };
    format!("From {first} to {last}, {entered} the repository; {gone}.")
}

/// The width of a bar in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Day,
    Week,
    Month,
    Quarter,
    Years(i64),
}

impl Unit {
    fn fitting(first: Date, last: Date) -> Unit {
        let finer = [Unit::Day, Unit::Week, Unit::Month, Unit::Quarter, Unit::Years(1), Unit::Years(10)];
        let fits = |unit: &Unit| unit.index(last) - unit.index(first) < BARS;
        finer.into_iter().find(fits).unwrap_or(Unit::Years(1000))
    }

    /// The number of the bar that a day belongs to, from an arbitrary zero.
    fn index(self, date: Date) -> i64 {
        let days = || date.duration_since(Date::constant(1970, 1, 1)).as_hours() / 24;
        let months = i64::from(date.year()) * 12 + i64::from(date.month()) - 1;
        match self {
            Unit::Day => days(),
            // 1970-01-01 was a Thursday; weeks begin on Monday.
            Unit::Week => (days() + 3).div_euclid(7),
            Unit::Month => months,
            Unit::Quarter => months.div_euclid(3),
            Unit::Years(n) => i64::from(date.year()).div_euclid(n),
        }
    }

    /// The name of the bar with this number.
    fn label(self, index: i64) -> String {
        let day =
            |days: i64| date(days.saturating_mul(86_400)).map_or_else(String::new, |date| date.to_string());
        match self {
            Unit::Day => day(index),
            Unit::Week => day(index * 7 - 3),
            Unit::Month => format!("{}-{:02}", index.div_euclid(12), index.rem_euclid(12) + 1),
            Unit::Quarter => format!("{} Q{}", index.div_euclid(4), index.rem_euclid(4) + 1),
            Unit::Years(1) => index.to_string(),
            Unit::Years(n) => format!("{}–{}", index * n, index * n + n - 1),
        }
    }

    fn names(self) -> (&'static str, &'static str) {
        match self {
            Unit::Day => ("day", "Day"),
            Unit::Week => ("week", "Week from"),
            Unit::Month => ("month", "Month"),
            Unit::Quarter => ("quarter", "Quarter"),
            Unit::Years(1) => ("year", "Year"),
            Unit::Years(_) => ("period", "Years"),
        }
    }
}

fn draw(unit: Unit, low: i64, numbers: &[(i64, i64)], lead: String) -> Timeline {
    let live: Vec<i64> = numbers
        .iter()
        .scan(0, |live, (entered, gone)| {
            *live += entered - gone;
            Some(*live)
        })
        .collect();
    let up = numbers.iter().map(|n| n.0).chain(live.iter().copied()).max().unwrap_or(0).max(1);
    let down = numbers.iter().map(|n| n.1).max().unwrap_or(0);
    let height = |n: i64| n * (BOTTOM - TOP) / (up + down);
    // What happened must be visible, however little it was.
    let bar_height = |n: i64| height(n).max(i64::from(n > 0) * 2);
    let zero = TOP + height(up);
    let count = numbers.len() as i64;
    let edge = |i: i64| LEFT + i * (RIGHT - LEFT) / count;
    let bars: Vec<Bar> = (0..count)
        .zip(numbers.iter().zip(&live))
        .map(|(i, (&(entered, gone), &live))| Bar {
            label: unit.label(low + i),
            entered,
            gone,
            live,
            x: edge(i),
            width: (edge(i + 1) - edge(i)).max(3),
            entered_y: zero - bar_height(entered),
            entered_height: bar_height(entered),
            gone_height: bar_height(gone),
        })
        .collect();
    let steps = live.iter().zip(0..).map(|(&n, i)| format!("V{}H{}", zero - height(n), edge(i + 1)));
    let line = format!("M{LEFT} {zero}{}", steps.collect::<String>());
    let every = (count + LABELS - 1) / LABELS;
    let labelled = bars.iter().enumerate().filter(|(i, _)| (*i as i64) % every == 0);
    let (name, heading) = unit.names();
    Timeline {
        unit: name,
        unit_heading: heading,
        lead,
        width: WIDTH,
        height: HEIGHT,
        left: LEFT,
        right: RIGHT,
        top: TOP,
        bottom: BOTTOM,
        zero,
        ticks: ticks(up).map(|n| Tick { y: zero - height(n), label: n }).collect(),
        labels: labelled
            .map(|(_, bar)| Label { x: bar.x + bar.width / 2, text: bar.label.clone() })
            .collect(),
        area: format!("{line}V{zero}Z"),
        line,
        bars,
    }
}

/// Round numbers from zero to `up`: at most [`TICKS`] above zero.
fn ticks(up: i64) -> impl Iterator<Item = i64> {
    let mut step = 1;
    for factor in [2, 5, 10].iter().cycle() {
        if up / step <= TICKS {
            break;
        }
        // 1, 2, 5, 10, 20, 50, …
        let decade = 10_i64.pow(step.ilog10());
        step = decade * factor;
    }
    (0..=up / step).map(move |n| n * step)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Commit;

    fn day(text: &str) -> Date {
        text.parse().expect("a date")
    }

    #[test]
    fn the_unit_follows_the_span() {
        let unit = |to: &str| Unit::fitting(day("2020-01-01"), day(to));
        assert_eq!(unit("2020-02-28"), Unit::Day);
        assert_eq!(unit("2020-12-31"), Unit::Week);
        assert_eq!(unit("2023-12-31"), Unit::Month);
        assert_eq!(unit("2033-01-01"), Unit::Quarter);
        assert_eq!(unit("2070-01-01"), Unit::Years(1));
        assert_eq!(unit("2400-01-01"), Unit::Years(10));
        assert_eq!(Unit::fitting(day("-009999-01-01"), day("9999-12-31")), Unit::Years(1000));
    }

    #[test]
    fn every_bar_is_named_after_its_days() {
        for (unit, label) in [
            (Unit::Day, "2024-05-02"),
            (Unit::Week, "2024-04-29"),
            (Unit::Month, "2024-05"),
            (Unit::Quarter, "2024 Q2"),
            (Unit::Years(1), "2024"),
            (Unit::Years(10), "2020–2029"),
        ] {
            assert_eq!(unit.label(unit.index(day("2024-05-02"))), label);
            assert!(unit.label(unit.index(day("1965-12-31"))).starts_with("196"), "{unit:?}");
        }
    }

    #[test]
    fn ticks_are_round_and_few() {
        assert_eq!(ticks(1).collect::<Vec<_>>(), [0, 1]);
        assert_eq!(ticks(7).collect::<Vec<_>>(), [0, 2, 4, 6]);
        assert_eq!(ticks(45).collect::<Vec<_>>(), [0, 10, 20, 30, 40]);
        for up in 1..2000 {
            assert!(ticks(up).count() as i64 <= TICKS + 1, "{up}");
        }
    }

    fn lived(from: i64, to: Option<i64>) -> Span {
        let commit = |time| Commit { time, ..Commit::default() };
        Span { entered: date(commit(from).time).expect("a date"), left: to.and_then(date) }
    }

    #[test]
    fn live_secrets_are_those_that_entered_and_did_not_leave() {
        let spans = [lived(0, Some(86_400 * 2)), lived(86_400, None)];
        let (first, last) = (spans[0].entered, spans[0].left.expect("it left"));
        let unit = Unit::fitting(first, last);
        let chart = draw(unit, unit.index(first), &[(1, 0), (1, 0), (0, 1)], lead(&spans, first, last));
        assert_eq!(chart.bars.iter().map(|b| b.live).collect::<Vec<_>>(), [1, 2, 1]);
        let text = "From 1970-01-01 to 1970-01-03, 2 secrets entered the repository; 1 went out again and stay in the history.";
        assert_eq!(chart.lead, text);
    }
}
