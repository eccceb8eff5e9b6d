//! What fuzz targets call: the log of trees, and what a cache remembers of a history.

use super::cache::fuzzing::cache;
use super::trees::{Base, TreeLog, TreeRecord, Trees};
use crate::matcher::delta::Run;
use crate::source::git::{HashKind, Mode, Oid, tree_entries};

/// A cache's file, or a tree and one made from it; the first byte says which.
pub fn histories(data: &[u8]) {
    let Some((&which, data)) = data.split_first() else { return };
    let hash = if which & 1 == 0 { HashKind::Sha1 } else { HashKind::Sha256 };
    match which & 2 {
        0 => cache(data, hash),
        _ => logged(data, hash),
    }
}

type Entry = (Vec<u8>, Mode, Oid);

/// A tree as its log tells it is the tree as it stands.
fn logged(data: &[u8], hash: HashKind) {
    let Some((&[high, low], rest)) = data.split_first_chunk::<2>() else { return };
    let (old, mut script) = rest.split_at(usize::from(u16::from_be_bytes([high, low])).min(rest.len()));
    let (mut new, mut runs) = (Vec::new(), Vec::new());
    // Up to four runs of the tree, each with bytes behind it.
    while let Some((&[a, b, len, insert], rest)) = script.split_first_chunk::<4>().filter(|_| runs.len() < 4)
    {
        let src = usize::from(u16::from_be_bytes([a & 3, b])) % (old.len() + 1);
        let len = usize::from(len).min(old.len() - src);
        runs.push(Run { src, dst: new.len(), len });
        new.extend_from_slice(&old[src..src + len]);
        let (inserted, rest) = rest.split_at(usize::from(insert & 0x7f).min(rest.len()));
        new.extend_from_slice(inserted);
        script = rest;
    }
    runs.retain(|run| run.len > 0);
    let (trees, mut log, id) = (Trees::default(), TreeLog::default(), Oid::null(hash));
    let (starts, whole) = trees.log(&mut log, id, old, None, hash);
    let base = Base { oid: id, data: old, starts: &starts, runs: &runs };
    let (_, read) = trees.log(&mut log, id, &new, Some(base), hash);
    let names = trees.names();
    let entries = |data: &[u8]| -> Vec<Entry> {
        let entries = tree_entries(data, hash).map_while(Result::ok);
        entries.map(|entry| (entry.name.to_vec(), entry.mode, entry.oid)).collect()
    };
    let added = |record: &TreeRecord| -> Vec<Entry> {
        let entries = log.added_places(record).map(|place| *log.entry(place));
        entries.map(|entry| (names[entry.name as usize].to_vec(), entry.mode, entry.oid)).collect()
    };
    assert_eq!(added(&log.records[0]), entries(old));
    if whole.is_err() || read.is_err() {
        return;
    }
    let removed: Vec<&[u8]> =
        log.removed(&log.records[1]).iter().map(|&name| &*names[name as usize]).collect();
    let mut told = entries(old);
    told.retain(|(name, ..)| !removed.contains(&name.as_slice()));
    told.extend(added(&log.records[1]));
    told.sort();
    let mut there = entries(&new);
    // git refuses a tree in which a name stands twice; there, one of the two can be missing in the log.
    let is_sound = |data: &[u8]| {
        let mut names: Vec<Vec<u8>> = entries(data).into_iter().map(|entry| entry.0).collect();
        names.sort();
        names.is_sorted_by(|a, b| a < b)
    };
    if is_sound(old) && is_sound(&new) {
        there.sort();
        assert_eq!(told, there);
    }
}
