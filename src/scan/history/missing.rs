//! Objects that trees, commits, tags and refs name and that are not there: in partial clones, and in damaged
//! repositories.

use rayon::prelude::*;

use super::oids::{OidMap, OidSet};
use super::trees::Entry;
use super::visit::Taken;
use crate::finding::Skipped;
use crate::source::git::{Odb, Oid, Ref, Repo, Result};

/// More missing objects are counted, not listed.
const MAX_LISTED: usize = 10_000;

/// Lists what is missing, and notes where a shallow clone stops.
pub fn account(
    repo: &Repo,
    odb: &Odb,
    taken: &Taken,
    names: &[Box<[u8]>],
    refs: &[Ref],
) -> Result<Vec<Skipped>> {
    let boundary: OidSet = repo.shallow_boundary()?.into_iter().collect();
    let mut skipped: Vec<Skipped> = boundary.iter().map(stops_at).collect();
    let missing = missing(odb, taken, refs, &boundary);
    let why = match repo.is_partial() {
        true => "left out of this partial clone; nothing is fetched for a scan",
        false => "not in the repository, though it is referred to",
    };
    let listed = &missing[..missing.len().min(MAX_LISTED)];
    let names = names_of(listed, taken, names);
    skipped.extend(listed.iter().map(|oid| {
        let detail = match names.get(oid) {
            Some(name) => format!("{}: {why}", String::from_utf8_lossy(name)),
            None => why.to_owned(),
        };
        Skipped { what: format!("object {oid}").into(), reason: "missing-object", detail, incomplete: true }
    }));
    if missing.len() > listed.len() {
        skipped.push(Skipped {
            what: format!("{} more objects", missing.len() - listed.len()).into(),
            reason: "missing-object",
            detail: why.to_owned(),
            incomplete: true,
        });
    }
    Ok(skipped)
}

/// Each object that is referred to and not there; sorted.
fn missing(odb: &Odb, taken: &Taken, refs: &[Ref], boundary: &OidSet) -> Vec<Oid> {
    let mut named: Vec<Oid> = refs.iter().map(|found| found.target).collect();
    named.extend(entries(taken).map(|entry| entry.oid));
    for commit in &taken.commits {
        named.push(commit.tree);
        if !boundary.contains(&commit.oid) {
            named.extend_from_slice(&commit.parents);
        }
    }
    named.retain(|oid| !oid.is_null());
    named.par_sort_unstable();
    named.dedup();
    odb.absent(&named)
}

/// Entries of trees that must be in this repository: all but submodules.
fn entries(taken: &Taken) -> impl Iterator<Item = &Entry> {
    let added = taken.trees.records.iter().flat_map(|record| taken.trees.added(record));
    added.filter(|entry| entry.mode.is_tree() || entry.mode.is_blob())
}

/// For each missing object, the first of the names that trees give it.
fn names_of<'n>(missing: &[Oid], taken: &Taken, names: &'n [Box<[u8]>]) -> OidMap<&'n [u8]> {
    let mut found: OidMap<&[u8]> = OidMap::default();
    if missing.is_empty() {
        return found;
    }
    for entry in entries(taken).filter(|entry| missing.binary_search(&entry.oid).is_ok()) {
        let Some(name) = names.get(entry.name as usize) else { continue };
        found.entry(entry.oid).and_modify(|first| *first = (*first).min(name)).or_insert(name);
    }
    found
}

fn stops_at(commit: &Oid) -> Skipped {
    Skipped {
        what: format!("history before commit {commit}").into(),
        reason: "shallow",
        detail: "the clone is shallow and stops there: what was before is not in this repository".to_owned(),
        incomplete: false,
    }
}
