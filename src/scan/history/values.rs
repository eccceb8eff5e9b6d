//! The values that the verdict leaves: judged once per sighting and kind of file.

use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use super::oids::{FastMap, OidMap};
use super::sets::{SetId, Sets};
use super::sightings::Sighting;
use super::trees::{Entry, TreeLog};
use super::visit::Taken;
use crate::matcher::{Candidate, Span};
use crate::scan::Engine;
use crate::scan::build::confidence;
use crate::source::git::{Kind, Oid};
use crate::verdict::filekind::FileKind;

/// The values that are worth attributing.
#[derive(Debug, Default)]
pub struct Values {
    /// The bytes of each value.
    pub secrets: Vec<Box<[u8]>>,
    /// The values of each blob that holds any.
    pub blobs: OidMap<SetId>,
    /// The values of each commit's or tag's own text.
    pub messages: Vec<(Oid, Kind, SetId)>,
    /// Number of blobs that hold each value.
    pub blob_counts: Vec<u64>,
    /// The sightings of each value.
    pub marks: Vec<Vec<u32>>,
}

impl Values {
    /// Judges every sighting as each kind of file it can have been seen in, and keeps what passes.
    pub fn choose(judge: &Judge<'_>, taken: &Taken, names: &[Box<[u8]>], sets: &mut Sets) -> Self {
        let blobs = taken.texts.iter().filter(|t| t.kind == Kind::Blob).map(|t| t.oid);
        let kinds = kinds_of(blobs, &taken.trees, names);
        let passing = passing(judge, taken, &kinds);
        let sightings = judge.sightings;
        let mut numbers: FastMap<&[u8], u32> = FastMap::default();
        let mut values = Values::default();
        for text in &taken.texts {
            let kinds = kinds.get(&text.oid).filter(|kinds| !kinds.is_empty());
            let may_pass = |mark: u32| match kinds {
                Some(kinds) => kinds.iter().any(|kind| passing[mark as usize].contains(kind)),
                None => judge.passes(mark, FileKind::UNKNOWN),
            };
            let mut held: Vec<u32> = Vec::new();
            for &mark in taken.marks_of(text) {
                let Some(Some(sighting)) = sightings.get(mark as usize) else { continue };
                if !may_pass(mark) {
                    continue;
                }
                let next = numbers.len() as u32;
                let number = *numbers.entry(&sighting.secret).or_insert(next);
                if number == next {
                    values.secrets.push(sighting.secret.clone());
                    values.blob_counts.push(0);
                    values.marks.push(Vec::new());
                }
                let marks = &mut values.marks[number as usize];
                if !marks.contains(&mark) {
                    marks.push(mark);
                }
                held.push(number);
            }
            if held.is_empty() {
                continue;
            }
            held.sort_unstable();
            held.dedup();
            if text.kind == Kind::Blob {
                for &value in &held {
                    values.blob_counts[value as usize] += 1;
                }
            }
            let set = sets.number(&held);
            if text.kind == Kind::Blob {
                values.blobs.insert(text.oid, set);
            } else {
                values.messages.push((text.oid, text.kind, set));
            }
        }
        values
    }
}

/// For each sighting, the kinds of file in which it can be a finding, of those in which it was seen.
fn passing(judge: &Judge<'_>, taken: &Taken, kinds: &OidMap<Vec<FileKind>>) -> Vec<Vec<FileKind>> {
    let mut seen: Vec<Vec<FileKind>> = vec![Vec::new(); judge.sightings.len()];
    for text in &taken.texts {
        let Some(kinds) = kinds.get(&text.oid) else { continue };
        for &mark in taken.marks_of(text) {
            let Some(list) = seen.get_mut(mark as usize) else { continue };
            for kind in kinds {
                if !list.contains(kind) {
                    list.push(*kind);
                }
            }
        }
    }
    let judge = |(mark, kinds): (usize, &mut Vec<FileKind>)| {
        let mut judged = Vec::new();
        kinds.retain(|&kind| judge.may_pass(mark as u32, kind, &mut judged));
    };
    seen.par_iter_mut().enumerate().for_each(judge);
    seen
}

/// The verdict on sightings, remembered.
pub struct Judge<'a> {
    engine: &'a Engine,
    /// All sightings, by their numbers.
    pub sightings: &'a [Option<Sighting>],
    known: Mutex<FastMap<(u32, FileKind), bool>>,
}

impl<'a> Judge<'a> {
    /// Begins with nothing judged. `sightings` are all, by their numbers.
    pub fn new(engine: &'a Engine, sightings: &'a [Option<Sighting>]) -> Self {
        Judge { engine, sightings, known: Mutex::default() }
    }

    /// Whether a sighting is a finding in a file of this kind, if nothing else there speaks against it.
    pub fn passes(&self, mark: u32, kind: FileKind) -> bool {
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let before = known().get(&(mark, kind)).copied();
        before.unwrap_or_else(|| {
            let passes = self.judge(mark, kind);
            known().insert((mark, kind), passes);
            passes
        })
    }

    /// Whether it can be a finding in a file whose name tells this kind, whatever folder that lies in. `judged` is what
    /// was found out before about the sighting.
    fn may_pass(&self, mark: u32, kind: FileKind, judged: &mut Vec<(FileKind, bool)>) -> bool {
        kind.in_any_folder().any(|kind| match judged.iter().find(|before| before.0 == kind) {
            Some(&(_, passes)) => passes,
            None => {
                let passes = self.judge(mark, kind);
                judged.push((kind, passes));
                passes
            }
        })
    }

    fn judge(&self, mark: u32, kind: FileKind) -> bool {
        let Judge { engine, sightings, .. } = self;
        let Some(Some(sighting)) = sightings.get(mark as usize) else { return false };
        if engine.matcher().rules().rule(sighting.rule).skip_report {
            return false;
        }
        let candidate = Candidate {
            rule: sighting.rule,
            whole: Span::default(),
            secret: Span::default(),
            evidence: sighting.evidence,
        };
        let confidence = confidence(engine.matcher(), &candidate, &sighting.secret, kind);
        confidence >= Some(engine.options().min_confidence)
    }
}

/// The kinds of file that the names of these blobs in any tree tell, in no order; none for a blob that is in no tree.
pub(super) fn kinds_of(
    blobs: impl Iterator<Item = Oid>,
    trees: &TreeLog,
    names: &[Box<[u8]>],
) -> OidMap<Vec<FileKind>> {
    let mut kinds: OidMap<Vec<FileKind>> = blobs.map(|oid| (oid, Vec::new())).collect();
    // Few of many entries are of these blobs.
    let is_sought = |entry: &&Entry| kinds.contains_key(&entry.oid);
    let sought: Vec<&Entry> = trees.entries().par_iter().filter(is_sought).collect();
    let mut by_name: Vec<Option<FileKind>> = vec![None; names.len()];
    for entry in sought {
        let Some(list) = kinds.get_mut(&entry.oid) else { continue };
        let at = entry.name as usize;
        let (Some(known), Some(name)) = (by_name.get_mut(at), names.get(at)) else { continue };
        let kind = *known.get_or_insert_with(|| FileKind::from_path(name));
        if !list.contains(&kind) {
            list.push(kind);
        }
    }
    kinds
}
