//! Blobs with values that need not be scanned again: what was seen in them is seen in others, which are.
//!
//! A value mostly stands in many versions of a file. So few blobs witness everything that was seen; they are scanned
//! every time, which is how the values are known again, and of the rest it is written which of these sightings they
//! have. A sighting is named by a keyed hash ([`veil`](super::veil)), never by its value.
//!
//! Sightings of rules that look at the names of files are left out: they are found anew every time
//! ([`bound`](crate::scan::history::bound)).

use std::cmp::Reverse;
use std::collections::HashMap;

use super::Scanned;
use super::format::{Held, Saved};
use super::lists::Lists;
use super::veil::Token;
use crate::rules::RuleIndex;
use crate::scan::history::oids::{FastMap, OidMap};
use crate::scan::history::sightings::Sightings;
use crate::scan::history::visit::TextRecord;
use crate::source::git::{Kind, Oid};

/// What is known of blobs that were not scanned.
#[derive(Debug, Default)]
pub struct Recalled {
    /// The numbers of their sightings.
    pub marks: Vec<(Oid, Vec<u32>)>,
    /// The rules that have candidates in them.
    pub rules: OidMap<Vec<RuleIndex>>,
}

/// What is known of these blobs. None when something that was seen in one of them was not seen now in any other: then
/// nothing of the cache can be relied on.
pub fn recall<'s>(
    saved: &'s Saved,
    blobs: impl Iterator<Item = &'s Held>,
    sightings: &Sightings,
) -> Option<Recalled> {
    let mut recalled = Recalled::default();
    let mut numbers: Option<Vec<Option<u32>>> = None;
    for held in blobs {
        let numbers = match &mut numbers {
            Some(numbers) => numbers,
            none => none.insert(numbers_of(saved, sightings)?),
        };
        let number = |&place: &u32| *numbers.get(place as usize)?;
        let marks: Vec<u32> = held.sightings.iter().map(number).collect::<Option<_>>()?;
        let oid = saved.blob(held)?;
        recalled.marks.push((oid, marks));
        recalled.rules.insert(oid, saved.rules.get(held.rules as usize)?.clone());
    }
    Some(recalled)
}

/// For each sighting of the cache its number now.
fn numbers_of(saved: &Saved, sightings: &Sightings) -> Option<Vec<Option<u32>>> {
    let veil = saved.veil.as_ref()?;
    let mut now: FastMap<Token, u32> = FastMap::default();
    sightings.each(|number, sighting| {
        now.insert(veil.token_of(sighting), number);
    });
    Some(saved.sightings.iter().map(|token| now.get(token).copied()).collect())
}

/// A blob with values.
struct Valued<'t> {
    text: &'t TextRecord,
    size: u64,
    /// Its sightings that are values.
    marks: Vec<u32>,
}

/// Adds the blobs with values that need no scan the next time. `sizes` are those of blobs that were read whole;
/// `kinds` the kinds of file that they are.
pub fn add(
    saved: &mut Saved,
    scanned: &Scanned<'_>,
    sizes: &OidMap<u64>,
    kinds: &OidMap<Vec<u16>>,
    lists: &mut Lists,
) {
    let Some(veil) = &saved.veil else { return };
    let held = without_witnesses(scanned, sizes);
    let mut rules = Lists::default();
    let mut numbers: HashMap<Token, u32> = HashMap::new();
    for blob in held {
        let (Some(kinds), Ok(place)) = (kinds.get(&blob.text.oid), saved.blobs.binary_search(&blob.text.oid))
        else {
            continue;
        };
        let seen = blob.marks.iter().filter_map(|&mark| scanned.sightings.get(mark as usize)?.as_ref());
        let mut tokens: Vec<Token> = seen.map(|sighting| veil.token_of(sighting)).collect();
        tokens.sort_unstable();
        let sightings = tokens.into_iter().map(|token| {
            *numbers.entry(token).or_insert_with(|| {
                saved.sightings.push(token);
                saved.sightings.len() as u32 - 1
            })
        });
        let sightings = sightings.collect();
        let rules = rules.number(scanned.taken.rules_of(blob.text, scanned.sightings));
        let list = lists.number(kinds.clone());
        saved.held.push(Held { blob: place as u32, size: blob.size, list, rules, sightings });
    }
    saved.rules = rules.into_all();
}

/// The blobs with values, in order of their ids, without those that witness what is in the others: few, and with much
/// in each. Blobs that were not read whole witness nothing: what is seen in them may differ the next time.
fn without_witnesses<'t>(scanned: &Scanned<'t>, sizes: &OidMap<u64>) -> Vec<Valued<'t>> {
    let Scanned { taken, values, .. } = *scanned;
    let mut is_value = vec![false; scanned.sightings.len()];
    for &mark in values.marks.iter().flatten() {
        if let (Some(is_value), Some(Some(sighting))) =
            (is_value.get_mut(mark as usize), scanned.sightings.get(mark as usize))
        {
            *is_value = !(scanned.looks_at_names)(sighting.rule);
        }
    }
    let mut covered = vec![false; is_value.len()];
    let mut valued = Vec::new();
    let has_value = |text: &&TextRecord| text.kind == Kind::Blob && values.blobs.contains_key(&text.oid);
    for text in taken.texts.iter().filter(has_value) {
        let marks = taken.marks_of(text).iter().copied().filter(|mark| is_value[*mark as usize]);
        if let Some(&size) = sizes.get(&text.oid) {
            valued.push(Valued { text, size, marks: marks.collect() });
        }
    }
    valued.sort_by_key(|blob| (Reverse(blob.marks.len()), blob.text.oid));
    valued.retain(|blob| {
        let new = blob.marks.iter().filter(|mark| !std::mem::replace(&mut covered[**mark as usize], true));
        new.count() == 0
    });
    valued.sort_unstable_by_key(|blob| blob.text.oid);
    valued
}
