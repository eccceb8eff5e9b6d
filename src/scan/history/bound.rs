//! Blobs for which rules are that look at the names of files, too or only: known only when all trees are read, and few.

use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;

use super::inner::Beneath;
use super::oids::OidMap;
use super::sightings::{IGNORED, Sighting, Sightings};
use super::visit::Taken;
use crate::matcher::Scratch;
use crate::rules::RuleIndex;
use crate::scan::ends::Ends;
use crate::scan::named::head;
use crate::scan::{BoundRules, Engine};
use crate::source::git::{Kind, Odb, Oid};

/// Adds the sightings of these rules in blobs that have a fitting name in some tree. What cannot be read was listed
/// when all objects were.
pub fn add(
    engine: &Engine,
    odb: &Odb,
    taken: &mut Taken,
    sightings: &Sightings,
    names: &[Box<[u8]>],
    stop: &AtomicBool,
) {
    let bound = engine.bound.as_ref();
    let mut blobs: OidMap<Meant> = OidMap::default();
    if let Some(rules) = bound {
        mark_blobs(&rules.ends, taken, names, |oid| blobs.entry(oid).or_default().bound = true);
    }
    if !engine.named.rules.is_empty() {
        mark_blobs(&engine.named.ends, taken, names, |oid| blobs.entry(oid).or_default().named = true);
    }
    let mut blobs: Vec<(Oid, Meant)> = blobs.into_iter().collect();
    blobs.sort_unstable_by_key(|(oid, _)| *oid);
    let look = |scratch: &mut Scratch, (oid, meant): (Oid, Meant)| -> Option<(Oid, Vec<u32>)> {
        if stop.load(Ordering::Relaxed) {
            return None;
        }
        let data = odb.read_kind(&oid, Kind::Blob).ok()?;
        let mut marks = match bound.filter(|_| meant.bound) {
            Some(rules) => marks(engine, rules, sightings, &data, scratch),
            None => Vec::new(),
        };
        if meant.named {
            marks.extend(named(engine, sightings, &data));
        }
        (!marks.is_empty()).then_some((oid, marks))
    };
    let found: Vec<(Oid, Vec<u32>)> =
        blobs.into_par_iter().map_init(Scratch::default, look).flatten_iter().collect();
    taken.add_marks(found);
}

/// Which rules a blob can be for.
#[derive(Clone, Copy, Default)]
struct Meant {
    bound: bool,
    named: bool,
}

/// Marks the blobs that have, in some tree, a name in which such a path can end.
fn mark_blobs(ends: &Ends, taken: &Taken, names: &[Box<[u8]>], mut mark: impl FnMut(Oid)) {
    let may: Vec<bool> =
        names.par_iter().map_init(|| None, |memory, name| ends.may_end_in(name, memory)).collect();
    let fits = |name: u32| may.get(name as usize).copied().unwrap_or(true);
    let entries = taken.trees.entries().par_iter();
    let fitting = entries.filter(|entry| entry.mode.is_blob() && fits(entry.name)).map(|entry| entry.oid);
    fitting.collect::<Vec<Oid>>().into_iter().for_each(&mut mark);
}

/// A sighting of the whole content, by each of the rules that look at names only: which of them means its path is
/// found out where the content is examined.
fn named(engine: &Engine, sightings: &Sightings, blob: &[u8]) -> Vec<u32> {
    let secret = &blob[head(blob)];
    if secret.is_empty() {
        return Vec::new();
    }
    let sighting = |&rule: &RuleIndex| Sighting { rule, secret: secret.into(), evidence: None };
    engine.named.rules.iter().map(|rule| sightings.number(sighting(rule))).collect()
}

/// The sightings in a blob, and beneath its surface.
fn marks(
    engine: &Engine,
    rules: &BoundRules,
    sightings: &Sightings,
    blob: &[u8],
    scratch: &mut Scratch,
) -> Vec<u32> {
    let matcher = rules.matcher();
    let mut found = Vec::new();
    matcher.scan(blob, scratch, &mut found);
    let beneath = Beneath { engine, matcher, sightings };
    let inner = beneath.see(blob, None, scratch, &mut Vec::new());
    let own = found.iter().map(|candidate| sightings.mark(matcher, blob, candidate));
    own.filter(|&mark| mark != IGNORED).chain(inner.marks()).collect()
}
