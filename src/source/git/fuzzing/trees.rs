//! Trees against trees, and against an index.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use bstr::BString;

use super::sample::{FILES, Sample, with_sample};
use super::{halves, hash_of};
use crate::source::git::tree_diff::{merge, order};
use crate::source::git::{Change, HashKind, Index, Kind, Mode, Oid, TreeDiff, TreeEntry, tree_entries};

/// Two trees, or entries of an index; the first byte says which.
pub fn trees(data: &[u8]) {
    let Some((&which, data)) = data.split_first() else { return };
    match which & 6 {
        0 => pairs(data, hash_of(which)),
        _ => with_sample(|sample| index(data, which & 1 == 0, sample)),
    }
}

/// No entry is lost, and what both trees have stands in one pair.
fn pairs(data: &[u8], hash: HashKind) {
    let (old, new) = halves(data);
    let entries = |data| tree_entries(data, hash).map_while(Result::ok).collect::<Vec<TreeEntry<'_>>>();
    let (old, new) = (entries(old), entries(new));
    if old.iter().chain(&new).any(|entry| entry.name.contains(&b'/')) {
        return; // a file `a/` and a folder `a` are one to the order
    }
    let pairs = merge(&old, &new);
    assert!(pairs.iter().filter_map(|(old, _)| *old).eq(&old));
    assert!(pairs.iter().filter_map(|(_, new)| *new).eq(&new));
    let key = |entry: &TreeEntry<'_>| (entry.name.to_owned(), entry.mode.is_tree());
    for (old, new) in &pairs {
        assert!(old.zip(*new).is_none_or(|(old, new)| key(old) == key(new)));
    }
    let is_sorted =
        |all: &[TreeEntry<'_>]| all.is_sorted_by(|a, b| order(a, b.name, b.mode.is_tree()).is_lt());
    if is_sorted(&old) && is_sorted(&new) {
        let old: BTreeSet<_> = old.iter().map(key).collect();
        let both = new.iter().filter(|entry| old.contains(&key(entry))).count();
        assert_eq!(pairs.iter().filter(|(old, new)| old.is_some() && new.is_some()).count(), both);
    }
}

type Files = BTreeMap<BString, (Mode, Oid)>;

/// An index against the sample's tree or against none, and the slow twin: a map of each.
fn index(data: &[u8], with_tree: bool, sample: &Sample) {
    let bytes = written(data);
    let (index, _) = Index::parse(&bytes, Path::new("index"), HashKind::Sha1).expect("a sound index");
    if index.check_order().is_none() {
        return;
    }
    let mut diff = TreeDiff::new(&sample.odb);
    diff.index(with_tree.then_some(sample.tree), &index);
    assert!(diff.unreadable.is_empty() || index.entries().iter().any(|entry| entry.mode.is_tree()));
    if index.entries().iter().any(|entry| entry.mode.is_tree()) {
        return; // folders of a sparse index
    }
    let blob = |content: &str| HashKind::Sha1.hash(Kind::Blob, content.as_bytes());
    let mode = |path: &str| Mode(if path == "d.x" { 0o100_755 } else { 0o100_644 });
    let mut old: Files =
        FILES.into_iter().map(|(path, content)| (path.into(), (mode(path), blob(content)))).collect();
    old.retain(|_, _| with_tree);
    let (mut new, mut merged, mut unmerged) = (Files::new(), BTreeSet::new(), BTreeSet::new());
    for entry in index.entries() {
        let path = BString::from(index.path(entry));
        if entry.stage == 0 {
            merged.insert(path.clone());
            new.extend(entry.mode.is_blob().then_some((path, (entry.mode, entry.oid))));
        } else if !merged.contains(&path) {
            unmerged.insert(path);
        }
    }
    let mut expected = Vec::new();
    for path in old.keys().chain(new.keys()).collect::<BTreeSet<_>>() {
        let (old, new) = (old.get(path).copied(), new.get(path).copied());
        if !unmerged.contains(path) && old.map(|o| o.1) != new.map(|n| n.1) {
            expected.push(Change { path: path.clone(), old, new });
        }
    }
    diff.changes.sort_by(|a, b| a.path.cmp(&b.path));
    assert_eq!(diff.changes, expected);
    assert_eq!(diff.unmerged.into_iter().collect::<BTreeSet<_>>(), unmerged);
}

/// An index of sorted entries: for each, a byte chooses stage, mode and content, another is the length of the path.
fn written(mut script: &[u8]) -> Vec<u8> {
    const MODES: [u32; 4] = [0o100_644, 0o100_755, 0o120_000, 0o160_000];
    let mut entries: BTreeMap<(Vec<u8>, u8), (u32, Oid)> = BTreeMap::new();
    while let Some((&[kind, len], rest)) = script.split_first_chunk::<2>() {
        let (path, rest) = rest.split_at(usize::from(len & 0x3f).min(rest.len()));
        script = rest;
        let path: Vec<u8> = path.iter().copied().filter(|&byte| byte != 0).collect();
        let (_, content) = FILES[usize::from(kind >> 4) % FILES.len()];
        let oid = HashKind::Sha1.hash(Kind::Blob, content.as_bytes());
        let mode = if len & 0xc0 == 0xc0 { Mode::TREE.0 } else { MODES[usize::from(kind >> 2) & 3] };
        entries.insert((path, kind & 3), (mode, oid));
    }
    let mut out = b"DIRC\0\0\0\x02".to_vec();
    out.extend((entries.len() as u32).to_be_bytes());
    for ((path, stage), (mode, oid)) in entries {
        let start = out.len();
        out.extend([0; 24]);
        out.extend(mode.to_be_bytes());
        out.extend([0; 12]);
        out.extend(oid.as_bytes());
        out.extend((u16::from(stage) << 12).to_be_bytes());
        out.extend(&path);
        let len = out.len() - start;
        out.resize(start + (len / 8 + 1) * 8, 0);
    }
    out.extend([0; 20]);
    out
}
