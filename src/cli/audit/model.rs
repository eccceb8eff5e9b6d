//! What is gone through and decided. Knows neither terminal nor files.

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::finding::{Finding, Status, Suppression};
use crate::suppress::baseline::{Decision, Draft, Entry};

/// A value.
#[derive(Clone, Debug)]
pub struct Item {
    /// Its fingerprint, by the baseline's salt.
    pub fingerprint: String,
    /// Where it was found first, with all that is known of it.
    pub finding: Finding,
    /// Every place, as paths of the repository with lines.
    pub places: Vec<String>,
    /// Paths that may be recorded.
    pub paths: Vec<String>,
    /// Whether it was found in the history only.
    pub history: bool,
    /// What the baseline says of it.
    pub entry: Option<Entry>,
}

/// Groups findings by their value. What markers and allowlists suppress needs no decision.
pub fn items(findings: Vec<Finding>, draft: &Draft, paths: impl Fn(&Finding) -> Vec<String>) -> Vec<Item> {
    let mut order = Vec::new();
    let mut by_value: BTreeMap<String, Item> = BTreeMap::new();
    for finding in findings {
        let excused = matches!(
            &finding.status,
            Status::Suppressed(Suppression::Inline { .. } | Suppression::Allowlist { .. })
        );
        if excused {
            continue;
        }
        let recorded = paths(&finding);
        let places = places(&finding);
        match by_value.get_mut(&finding.fingerprint) {
            Some(item) => {
                item.places.extend(places);
                item.paths.extend(recorded);
                if item.finding.life.is_none() {
                    item.finding.life = finding.life;
                }
            }
            None => {
                order.push(finding.fingerprint.clone());
                let entry = draft.get(&finding.fingerprint).cloned();
                let fingerprint = finding.fingerprint.clone();
                // Findings of files come first, and have no life.
                let history = finding.life.is_some();
                by_value.insert(
                    fingerprint.clone(),
                    Item { fingerprint, places, paths: recorded, history, entry, finding },
                );
            }
        }
    }
    let mut items: Vec<Item> = order.iter().filter_map(|fingerprint| by_value.remove(fingerprint)).collect();
    for item in &mut items {
        item.places.sort();
        item.places.dedup();
        item.paths.sort();
        item.paths.dedup();
    }
    items
}

fn places(finding: &Finding) -> Vec<String> {
    let place = |location: &crate::finding::Location| {
        let path = location.path.as_ref().map(ToString::to_string).unwrap_or_else(|| "(no path)".to_owned());
        format!("{path}:{}", location.start.line)
    };
    std::iter::once(&finding.location).chain(&finding.occurrences).map(place).collect()
}

impl Item {
    /// What was decided.
    pub fn status(&self) -> Decision {
        self.entry.as_ref().map_or(Decision::Undecided, |entry| entry.status)
    }
}

/// Which values are gone through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filter {
    /// Those that nobody has decided, or whose entry has run out.
    Open,
    /// All.
    All,
}

/// One sitting.
pub struct Session {
    items: Vec<Item>,
    /// Indexes of the items that filter and search leave.
    shown: Vec<usize>,
    /// Place in `shown`.
    at: usize,
    filter: Filter,
    search: String,
    by: String,
    today: Date,
    /// What items were before they were decided, the latest last.
    undo: Vec<(usize, Option<Entry>)>,
}

impl Session {
    /// A sitting over some items. `by` is recorded with every decision.
    pub fn new(items: Vec<Item>, by: String, today: Date, all: bool) -> Self {
        let filter = if all { Filter::All } else { Filter::Open };
        let mut session = Session {
            items,
            shown: Vec::new(),
            at: 0,
            filter,
            search: String::new(),
            by,
            today,
            undo: Vec::new(),
        };
        session.select(None);
        session
    }

    /// Whether there is nothing to go through.
    pub fn is_empty(&self) -> bool {
        self.shown.is_empty()
    }

    /// The item at hand.
    pub fn current(&self) -> Option<&Item> {
        self.shown.get(self.at).map(|&index| &self.items[index])
    }

    /// Place of the item at hand, and how many there are.
    pub fn position(&self) -> (usize, usize) {
        (self.at + usize::from(!self.shown.is_empty()), self.shown.len())
    }

    /// How many are decided, and how many are still open.
    pub fn counts(&self) -> (usize, usize) {
        let open = self.items.iter().filter(|item| self.is_open(item)).count();
        (self.items.len() - open, open)
    }

    /// The day of the sitting.
    pub fn today(&self) -> Date {
        self.today
    }

    /// Which values are gone through.
    pub fn filter(&self) -> Filter {
        self.filter
    }

    /// What is searched for; empty when nothing is.
    pub fn search(&self) -> &str {
        &self.search
    }

    fn is_open(&self, item: &Item) -> bool {
        item.status() == Decision::Undecided
            || item.entry.as_ref().is_some_and(|entry| entry.expired(self.today))
    }

    /// Goes on by a number of items, back by a negative one.
    pub fn go(&mut self, by: isize) {
        let last = self.shown.len().saturating_sub(1);
        self.at = self.at.saturating_add_signed(by).min(last);
    }

    /// Goes through the open ones, or all.
    pub fn toggle_filter(&mut self) {
        self.filter = match self.filter {
            Filter::Open => Filter::All,
            Filter::All => Filter::Open,
        };
        self.select(self.shown.get(self.at).copied());
    }

    /// Goes through those whose rule, description or places hold a text (case ignored).
    pub fn set_search(&mut self, text: &str) {
        self.search = text.to_owned();
        self.select(self.shown.get(self.at).copied());
    }

    /// Chooses what is shown, staying at `keep` if it is among it.
    fn select(&mut self, keep: Option<usize>) {
        let search = self.search.to_lowercase();
        let matches = |item: &Item| {
            let texts = [&item.finding.rule, &item.finding.description, &item.fingerprint];
            search.is_empty()
                || texts.into_iter().chain(&item.places).any(|text| text.to_lowercase().contains(&search))
        };
        self.shown = (0..self.items.len())
            .filter(|&index| {
                (self.filter == Filter::All || self.is_open(&self.items[index]))
                    && matches(&self.items[index])
            })
            .collect();
        self.at = keep.and_then(|keep| self.shown.iter().position(|&index| index == keep)).unwrap_or(0);
    }

    /// Decides the item at hand, and returns it. It stays in the list until the list is chosen anew,
    /// so that its neighbours stay where they are.
    pub fn decide(&mut self, status: Decision, reason: &str, expires: Option<Date>) -> Option<&Item> {
        let index = *self.shown.get(self.at)?;
        let item = &mut self.items[index];
        let before = item.entry.clone();
        let mut entry = before.clone().unwrap_or_else(|| Entry {
            fingerprint: item.fingerprint.clone(),
            rule: item.finding.rule.clone(),
            places: item.paths.iter().take(3).cloned().collect(),
            history: item.history,
            ..Entry::default()
        });
        entry.status = status;
        entry.reason = without_value(reason, &item.finding);
        entry.by.clone_from(&self.by);
        entry.on = Some(self.today);
        entry.expires = expires;
        if entry.since.is_none() {
            entry.since = introduced(&item.finding);
        }
        item.entry = Some(entry);
        self.undo.push((index, before));
        Some(&self.items[index])
    }

    /// Takes the latest decision back, and returns its item, which is then at hand.
    pub fn undo(&mut self) -> Option<&Item> {
        let (index, before) = self.undo.pop()?;
        self.items[index].entry = before;
        if !self.shown.contains(&index) {
            self.search.clear();
            self.select(Some(index));
        }
        self.at = self.shown.iter().position(|&shown| shown == index).unwrap_or(self.at);
        Some(&self.items[index])
    }
}

/// A reason must not hold the value it is about.
fn without_value(reason: &str, finding: &Finding) -> String {
    let value = String::from_utf8_lossy(finding.secret.expose());
    let reason = reason.trim();
    if value.len() >= 4 && reason.contains(value.as_ref()) {
        reason.replace(value.as_ref(), "(value)")
    } else {
        reason.to_owned()
    }
}

fn introduced(finding: &Finding) -> Option<Date> {
    let time = finding.life.as_deref()?.first_seen.as_ref()?.time;
    let time = jiff::Timestamp::from_second(time).ok()?;
    Some(time.to_zoned(jiff::tz::TimeZone::UTC).date())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::{Location, Position, Secret};
    use jiff::civil::date;
    use std::path::Path;

    fn finding(rule: &str, path: &str, value: &str) -> Finding {
        Finding {
            rule: rule.into(),
            location: Location {
                path: Some(path.into()),
                start: Position { line: 3, column: 1 },
                ..Location::default()
            },
            secret: Secret::new(value.as_bytes(), 0),
            fingerprint: format!("fingerprint of {value}"),
            ..Finding::blank()
        }
    }

    fn session() -> Session {
        let draft = Draft::new(Path::new("b"), None).unwrap();
        let findings = vec![
            finding("one", "a", "value1"),
            finding("two", "b", "value2"),
            finding("one", "c", "value1"),
            finding("three", "d", "value3"),
        ];
        let items =
            items(findings, &draft, |finding| vec![finding.location.path.as_ref().unwrap().to_string()]);
        Session::new(items, "Ann".into(), date(2025, 11, 3), false)
    }

    #[test]
    fn values_are_grouped() {
        let session = session();
        assert_eq!(session.position(), (1, 3));
        assert_eq!(session.current().unwrap().places, ["a:3", "c:3"]);
        assert_eq!(session.counts(), (0, 3));
    }

    #[test]
    fn decide_and_undo() {
        let mut session = session();
        let decided = session.decide(Decision::FalsePositive, " it is value1, no secret ", None).unwrap();
        let entry = decided.entry.clone().unwrap();
        assert_eq!(entry.reason, "it is (value), no secret");
        assert_eq!((entry.by.as_str(), entry.on), ("Ann", Some(date(2025, 11, 3))));
        assert_eq!(session.counts(), (1, 2));
        session.go(1);
        session.decide(Decision::Accepted, "", Some(date(2025, 11, 2)));
        assert_eq!(session.counts(), (1, 2), "what has run out is open again");
        assert_eq!(session.undo().unwrap().finding.rule, "two");
        assert_eq!(session.undo().unwrap().finding.rule, "one");
        assert_eq!(session.current().unwrap().entry, None);
        assert!(session.undo().is_none());
    }

    #[test]
    fn filter_and_search() {
        let mut session = session();
        session.decide(Decision::Real, "", None);
        session.set_search("");
        assert_eq!(session.position(), (1, 2));
        session.toggle_filter();
        assert_eq!(session.position(), (2, 3));
        session.set_search("THREE");
        assert_eq!(session.position(), (1, 1));
        session.set_search("nothing");
        assert_eq!(session.position(), (0, 0));
        assert!(session.current().is_none());
        session.go(5);
        assert!(session.decide(Decision::Real, "", None).is_none());
        assert_eq!(session.undo().unwrap().finding.rule, "one");
        assert_eq!(session.position(), (1, 3));
    }
}
