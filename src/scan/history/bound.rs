//! Blobs for which rules are that are bound to names of files: known only when all trees are read, and few.

use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;

use super::inner::Beneath;
use super::oids::OidSet;
use super::sightings::{IGNORED, Sightings};
use super::visit::Taken;
use crate::matcher::Scratch;
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
    let Some(rules) = &engine.bound else { return };
    let blobs = blobs(rules, taken, names);
    let look = |scratch: &mut Scratch, oid: Oid| -> Option<(Oid, Vec<u32>)> {
        if stop.load(Ordering::Relaxed) {
            return None;
        }
        let data = odb.read_kind(&oid, Kind::Blob).ok()?;
        let marks = marks(engine, rules, sightings, &data, scratch);
        (!marks.is_empty()).then_some((oid, marks))
    };
    let found: Vec<(Oid, Vec<u32>)> =
        blobs.into_par_iter().map_init(Scratch::default, look).flatten_iter().collect();
    taken.add_marks(found);
}

/// The blobs with such names, sorted.
fn blobs(rules: &BoundRules, taken: &Taken, names: &[Box<[u8]>]) -> Vec<Oid> {
    let may: Vec<bool> =
        names.par_iter().map_init(|| None, |memory, name| rules.may_end_in(name, memory)).collect();
    let fits = |name: u32| may.get(name as usize).copied().unwrap_or(true);
    let entries = taken.trees.entries().iter().filter(|entry| entry.mode.is_blob() && fits(entry.name));
    let distinct: OidSet = entries.map(|entry| entry.oid).collect();
    let mut blobs: Vec<Oid> = distinct.into_iter().collect();
    blobs.sort_unstable();
    blobs
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
