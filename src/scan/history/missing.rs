//! Objects that trees, commits, tags and refs name and that are not there: in partial clones, and in damaged
//! repositories.

use rayon::prelude::*;

use super::cache::Cache;
use super::oids::{OidMap, OidSet};
use super::trees::{Entry, TreeLog};
use super::visit::CommitRecord;
use crate::finding::Skipped;
use crate::source::git::{Odb, Oid, Ref, Repo, Result};

/// More missing objects are counted, not listed.
const MAX_LISTED: usize = 10_000;

/// What names objects that must be there.
pub struct Naming<'a> {
    /// The trees.
    pub trees: &'a TreeLog,
    /// The commits.
    pub commits: &'a [CommitRecord],
    /// The refs.
    pub refs: &'a [Ref],
}

/// Lists what is missing, and notes where a shallow clone stops.
pub fn account(
    repo: &Repo,
    odb: &Odb,
    naming: &Naming<'_>,
    names: &[Box<[u8]>],
    cache: Option<&Cache>,
) -> Result<Vec<Skipped>> {
    let boundary: OidSet = repo.shallow_boundary()?.into_iter().collect();
    let mut skipped: Vec<Skipped> = boundary.iter().map(stops_at).collect();
    let missing = missing(odb, naming, &boundary, cache);
    let why = match repo.is_partial() {
        true => "left out of this partial clone; nothing is fetched for a scan",
        false => "not in the repository, though it is referred to",
    };
    let listed = &missing[..missing.len().min(MAX_LISTED)];
    let names = names_of(listed, naming.trees, names);
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

/// Each object that is referred to and not there; sorted. What the cache knows is there.
fn missing(odb: &Odb, naming: &Naming<'_>, boundary: &OidSet, cache: Option<&Cache>) -> Vec<Oid> {
    let known = cache.filter(|cache| cache.has_structure());
    let Naming { trees, commits, refs } = naming;
    let of_refs = refs.par_iter().map(|found| found.target);
    let of_trees = trees.entries().par_iter().filter(|entry| must_be_here(entry)).map(|entry| entry.oid);
    let is_known = |oid: &Oid| known.is_some_and(|known| known.knows(oid));
    let new_commits = commits.par_iter().filter(|commit| !is_known(&commit.oid));
    let of_commits = new_commits.flat_map_iter(|commit| {
        let parents = if boundary.contains(&commit.oid) { &[][..] } else { &commit.parents };
        std::iter::once(commit.tree).chain(parents.iter().copied())
    });
    let packed = known.is_none().then(|| odb.packed());
    let is_here = |oid: &Oid| match &packed {
        Some(packed) => packed.contains(oid),
        None => is_known(oid),
    };
    let named = of_refs.chain(of_trees).chain(of_commits);
    let mut missing: Vec<Oid> = named.filter(|oid| !oid.is_null() && !is_here(oid)).collect();
    missing.sort_unstable();
    missing.dedup();
    missing.retain(|oid| !odb.contains(oid));
    missing
}

/// Whether an entry of a tree must be in this repository: all but submodules.
fn must_be_here(entry: &Entry) -> bool {
    entry.mode.is_tree() || entry.mode.is_blob()
}

/// For each missing object, the first of the names that trees give it.
fn names_of<'n>(missing: &[Oid], trees: &TreeLog, names: &'n [Box<[u8]>]) -> OidMap<&'n [u8]> {
    let mut found: OidMap<&[u8]> = OidMap::default();
    if missing.is_empty() {
        return found;
    }
    let entries = trees.entries().iter().filter(|entry| must_be_here(entry));
    for entry in entries.filter(|entry| missing.binary_search(&entry.oid).is_ok()) {
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
