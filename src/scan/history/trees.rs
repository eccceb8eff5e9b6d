//! What changes from tree to tree: logged while trees are decoded, so that attribution reads none again.
//!
//! A tree that was stored as a delta is logged as the entries that it has and its base does not, and
//! the names that it lost; the log of a whole history is about as large as its changes.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::source::git::{HashKind, Mode, Oid, Result, tree_entries};

/// Names of tree entries, numbered. Shared by the threads of a walk.
#[derive(Debug, Default)]
pub struct Trees {
    names: Mutex<HashMap<Box<[u8]>, u32>>,
}

/// An entry of a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Entry {
    /// Number of its name.
    pub name: u32,
    /// Its mode.
    pub mode: Mode,
    /// The object.
    pub oid: Oid,
}

/// One tree: what it has that its base does not, and what it lost.
#[derive(Clone, Copy, Debug)]
pub struct TreeRecord {
    /// The tree.
    pub oid: Oid,
    /// The tree that it was made from.
    pub base: Option<Oid>,
    added: (u32, u32),
    removed: (u32, u32),
}

/// The trees that one thread, or all of them, logged.
#[derive(Debug, Default)]
pub struct TreeLog {
    /// The trees.
    pub records: Vec<TreeRecord>,
    added: Vec<Entry>,
    removed: Vec<u32>,
}

impl TreeLog {
    /// Entries that a tree has and its base does not (or has otherwise).
    pub fn added(&self, record: &TreeRecord) -> &[Entry] {
        &self.added[record.added.0 as usize..record.added.1 as usize]
    }

    /// Names that a tree's base has and it has not, or has with another object.
    pub fn removed(&self, record: &TreeRecord) -> &[u32] {
        &self.removed[record.removed.0 as usize..record.removed.1 as usize]
    }

    /// Adds another thread's log.
    pub fn merge(&mut self, other: TreeLog) {
        let (a, r) = (self.added.len() as u32, self.removed.len() as u32);
        self.added.extend(other.added);
        self.removed.extend(other.removed);
        self.records.extend(other.records.into_iter().map(|t| TreeRecord {
            added: (t.added.0 + a, t.added.1 + a),
            removed: (t.removed.0 + r, t.removed.1 + r),
            ..t
        }));
    }
}

impl Trees {
    /// Logs a tree, given what it was made from.
    ///
    /// # Errors
    /// When the tree is malformed; the entries before that place are logged.
    pub fn log(
        &self,
        log: &mut TreeLog,
        oid: Oid,
        data: &[u8],
        base: Option<(Oid, &[u8])>,
        hash: HashKind,
    ) -> Result<()> {
        let (a, r) = (log.added.len() as u32, log.removed.len() as u32);
        let (new, old) = match base {
            Some((_, old)) => changed(old, data, hash),
            None => (data, &[][..]),
        };
        let result = self.compare(log, new, old, hash);
        log.records.push(TreeRecord {
            oid,
            base: base.map(|b| b.0),
            added: (a, log.added.len() as u32),
            removed: (r, log.removed.len() as u32),
        });
        result
    }

    /// Logs what differs between the changed parts of two trees, both sorted by name. (If they are not,
    /// more is logged than differs, which is harmless: removed first, added after.)
    fn compare(&self, log: &mut TreeLog, new: &[u8], old: &[u8], hash: HashKind) -> Result<()> {
        let (mut new, mut old) = (tree_entries(new, hash), tree_entries(old, hash));
        let (mut a, mut b) = (new.next().transpose()?, old.next().and_then(Result::ok));
        loop {
            let order = match (&a, &b) {
                (None, None) => return Ok(()),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(a), Some(b)) => a.name.cmp(b.name),
            };
            let same = a.as_ref().zip(b.as_ref()).is_some_and(|(a, b)| a.oid == b.oid && a.mode == b.mode);
            if order != Ordering::Equal || !same {
                if order.is_ge()
                    && let Some(gone) = &b
                {
                    log.removed.push(self.number(gone.name));
                }
                if order.is_le()
                    && let Some(e) = &a
                {
                    log.added.push(Entry { name: self.number(e.name), mode: e.mode, oid: e.oid });
                }
            }
            if order.is_le() {
                a = new.next().transpose()?;
            }
            if order.is_ge() {
                b = old.next().and_then(Result::ok);
            }
        }
    }

    fn number(&self, name: &[u8]) -> u32 {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(&number) = names.get(name) {
            return number;
        }
        let number = names.len() as u32;
        names.insert(name.into(), number);
        number
    }

    /// All names by their numbers.
    pub fn into_names(self) -> Vec<Box<[u8]>> {
        let names = self.names.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut list = vec![Box::default(); names.len()];
        for (name, number) in names {
            list[number as usize] = name;
        }
        list
    }
}

/// The parts of two trees between the entries that they share at their start and at their end.
fn changed<'a>(old: &'a [u8], new: &'a [u8], hash: HashKind) -> (&'a [u8], &'a [u8]) {
    let same = common_prefix(old, new);
    // The last entry boundary that both share.
    let mut start = 0;
    while let Some(end) = entry_end(new, start, hash) {
        if end > same {
            break;
        }
        start = end;
    }
    let limit = old.len().min(new.len()) - start;
    let tail = common_suffix(&old[old.len() - limit..], &new[new.len() - limit..]);
    // The first boundary of the new tree from which on everything is shared, if it is one in the old tree too.
    let boundary = |text: &[u8], from: usize| {
        let mut at = start;
        while at < from {
            match entry_end(text, at, hash) {
                Some(end) => at = end,
                None => return text.len(),
            }
        }
        at
    };
    let end = boundary(new, new.len() - tail);
    let shared = new.len() - end;
    let old_end = old.len() - shared;
    if boundary(old, old_end) == old_end {
        (&new[start..end], &old[start..old_end])
    } else {
        (&new[start..], &old[start..])
    }
}

/// Bytes compared at a time.
const CHUNK: usize = 64;

fn common_prefix(a: &[u8], b: &[u8]) -> usize {
    let whole = a.chunks_exact(CHUNK).zip(b.chunks_exact(CHUNK)).take_while(|(x, y)| x == y).count() * CHUNK;
    whole + a[whole..].iter().zip(&b[whole..]).take_while(|(x, y)| x == y).count()
}

fn common_suffix(a: &[u8], b: &[u8]) -> usize {
    let whole =
        a.rchunks_exact(CHUNK).zip(b.rchunks_exact(CHUNK)).take_while(|(x, y)| x == y).count() * CHUNK;
    let (a, b) = (&a[..a.len() - whole], &b[..b.len() - whole]);
    whole + a.iter().rev().zip(b.iter().rev()).take_while(|(x, y)| x == y).count()
}

/// Where the entry that begins at `at` ends.
fn entry_end(tree: &[u8], at: usize, hash: HashKind) -> Option<usize> {
    let nul = memchr::memchr(0, tree.get(at..)?)?;
    let end = at + nul + 1 + hash.oid_len();
    (end <= tree.len()).then_some(end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tree(entries: &[(u8, u8)]) -> Vec<u8> {
        let mut sorted: Vec<_> = entries.to_vec();
        sorted.sort_unstable();
        sorted.dedup_by_key(|e| e.0);
        let mut data = Vec::new();
        for (name, content) in sorted {
            data.extend_from_slice(b"100644 ");
            data.extend_from_slice(&[b'a' + name % 26, b'0' + name / 26]);
            data.push(0);
            data.extend_from_slice(&[content; 20]);
        }
        data
    }

    fn list(data: &[u8]) -> Vec<(Vec<u8>, Oid)> {
        tree_entries(data, HashKind::Sha1).map(|e| e.unwrap()).map(|e| (e.name.to_vec(), e.oid)).collect()
    }

    proptest! {
        #[test]
        fn a_log_rebuilds_the_tree(
            old in prop::collection::vec((0u8..60, 0u8..4), 0..12),
            new in prop::collection::vec((0u8..60, 0u8..4), 0..12),
        ) {
            let (old, new) = (tree(&old), tree(&new));
            let trees = Trees::default();
            let mut log = TreeLog::default();
            let id = Oid::null(HashKind::Sha1);
            trees.log(&mut log, id, &new, Some((id, &old)), HashKind::Sha1).unwrap();
            let record = log.records[0];
            let names = {
                let guard = trees.names.lock().unwrap();
                let mut names = vec![Vec::new(); guard.len()];
                for (name, &n) in guard.iter() { names[n as usize] = name.to_vec(); }
                names
            };
            let mut rebuilt: Vec<(Vec<u8>, Oid)> = list(&old)
                .into_iter()
                .filter(|(name, _)| !log.removed(&record).iter().any(|&n| names[n as usize] == *name))
                .collect();
            rebuilt.extend(log.added(&record).iter().map(|e| (names[e.name as usize].clone(), e.oid)));
            rebuilt.sort();
            let mut expected = list(&new);
            expected.sort();
            prop_assert_eq!(rebuilt, expected);
        }
    }
}
