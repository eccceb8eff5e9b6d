//! What fuzz targets call: the log of trees, and what a cache remembers of a history.

use std::collections::HashSet;

use super::cache::fuzzing::cache;
use super::starts::{Base, Starts};
use super::trees::{Remembered, TreeLog, Trees};
use crate::matcher::delta::Run;
use crate::source::git::{HashKind, Kind, Mode, Oid, tree_entries};

/// A cache's file, or a tree and those made from it; the first byte says which.
pub fn histories(data: &[u8]) {
    let Some((&which, data)) = data.split_first() else { return };
    let hash = if which & 1 == 0 { HashKind::Sha1 } else { HashKind::Sha256 };
    match which & 2 {
        0 => cache(data, hash),
        _ => logged(data, hash),
    }
}

/// Trees that are made one from the other by what stands in `data`.
fn logged(data: &[u8], hash: HashKind) {
    let Some((&[high, low], rest)) = data.split_first_chunk::<2>() else { return };
    let (first, mut script) = rest.split_at(usize::from(u16::from_be_bytes([high, low])).min(rest.len()));
    let mut trees = vec![(first.to_vec(), Vec::new())];
    while trees.len() < 2 || (trees.len() < 5 && !script.is_empty()) {
        let (next, rest) = made_from(&trees[trees.len() - 1].0, script);
        script = if rest.len() < script.len() { rest } else { &[] };
        trees.push(next);
    }
    check(&trees, hash);
}

/// A tree, and what it shares with the one before it.
type Made = (Vec<u8>, Vec<Run>);

/// A tree of up to four runs of another, each with bytes behind it; and the rest of the script.
fn made_from<'s>(old: &[u8], mut script: &'s [u8]) -> (Made, &'s [u8]) {
    let (mut new, mut runs) = (Vec::new(), Vec::new());
    for _ in 0..4 {
        let Some((&[a, b, len, insert], rest)) = script.split_first_chunk::<4>() else { break };
        let src = usize::from(u16::from_be_bytes([a & 3, b])) % (old.len() + 1);
        let len = usize::from(len).min(old.len() - src);
        runs.push(Run { src, dst: new.len(), len });
        new.extend_from_slice(&old[src..src + len]);
        let (inserted, rest) = rest.split_at(usize::from(insert & 0x7f).min(rest.len()));
        new.extend_from_slice(inserted);
        script = rest;
    }
    runs.retain(|run| run.len > 0);
    ((new, runs), script)
}

type Entry = (Vec<u8>, Mode, Oid);

/// Trees, each made from the one before it, are as their log tells, whatever is in them.
pub(super) fn check(made: &[Made], hash: HashKind) {
    let (trees, mut log, mut remembered) = (Trees::default(), TreeLog::default(), Remembered::default());
    let oid = |at: usize| hash.hash(Kind::Tree, &made[at].0);
    let mut starts: Vec<Starts> = Vec::new();
    for (at, (data, runs)) in made.iter().enumerate() {
        let before = at.checked_sub(1);
        let base = before.map(|old| Base { oid: oid(old), data: &made[old].0, starts: &starts[old], runs });
        starts.push(trees.log(&mut log, &mut remembered, oid(at), data, base, hash).0);
    }
    let names = trees.names();
    let mut told: Vec<Entry> = Vec::new();
    for (at, record) in log.records.iter().enumerate() {
        assert!(record.base.is_none_or(|base| base == oid(at - 1)));
        let removed: Vec<&[u8]> = log.removed(record).iter().map(|&name| &*names[name as usize]).collect();
        told.retain(|(name, ..)| record.base.is_some() && !removed.contains(&name.as_slice()));
        let added = log.added_places(record).map(|place| *log.entry(place));
        told.extend(added.map(|entry| (names[entry.name as usize].to_vec(), entry.mode, entry.oid)));
        told.sort();
        let entries = tree_entries(&made[at].0, hash).map_while(Result::ok);
        let mut there: Vec<Entry> =
            entries.map(|entry| (entry.name.to_vec(), entry.mode, entry.oid)).collect();
        assert_eq!(starts[at].are_regular(), is_regular(&made[at].0, hash));
        there.sort();
        assert_eq!(told, there);
    }
}

/// Whether a tree is one that git makes: by reading all of it.
fn is_regular(tree: &[u8], hash: HashKind) -> bool {
    let Ok(entries) = tree_entries(tree, hash).collect::<Result<Vec<_>, _>>() else { return false };
    let slash = |folder: bool| if folder { &b"/"[..] } else { b"" };
    let keys: Vec<Vec<u8>> =
        entries.iter().map(|entry| [entry.name, slash(entry.mode.is_tree())].concat()).collect();
    let names: HashSet<&[u8]> = entries.iter().map(|entry| entry.name).collect();
    keys.is_sorted_by(|a, b| a < b) && names.len() == entries.len()
}
