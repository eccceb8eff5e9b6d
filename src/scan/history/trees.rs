//! What changes from tree to tree: logged while trees are decoded, so that attribution reads none again.
//!
//! A tree that was stored as a delta is logged as the entries that it has and its base does not, and
//! the names that it lost; the log of a whole history is about as large as its changes. What is lost is told by
//! name, so that this can only be said of a base in which no name stands twice: a tree that git would refuse, and
//! one that is made from such a tree, is logged whole.

use std::cmp::Ordering;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use super::oids::FastMap;
use super::starts::{Base, Changed, Starts};
use crate::source::git::{HashKind, Mode, Oid, Result, tree_entries};

/// Names of tree entries, numbered. Shared by the threads of a walk.
#[derive(Debug, Default)]
pub struct Trees {
    names: Mutex<FastMap<Box<[u8]>, u32>>,
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
#[derive(Clone, Debug, Default)]
pub struct TreeLog {
    /// The trees.
    pub records: Vec<TreeRecord>,
    added: Vec<Entry>,
    removed: Vec<u32>,
}

impl TreeLog {
    /// The places in the log of the entries that a tree has and its base does not (or has otherwise).
    pub fn added_places(&self, record: &TreeRecord) -> Range<u32> {
        record.added.0..record.added.1
    }

    /// All entries that trees added.
    pub fn entries(&self) -> &[Entry] {
        &self.added
    }

    /// The entry at a place in the log.
    pub fn entry(&self, place: u32) -> &Entry {
        &self.added[place as usize]
    }

    /// Names that a tree's base has and it has not, or has with another object.
    pub fn removed(&self, record: &TreeRecord) -> &[u32] {
        &self.removed[record.removed.0 as usize..record.removed.1 as usize]
    }

    /// Adds a tree: the entries that it has and its base does not, and the names that it lost.
    #[cfg(test)]
    pub fn push(
        &mut self,
        oid: Oid,
        base: Option<Oid>,
        added: impl IntoIterator<Item = Entry>,
        removed: impl IntoIterator<Item = u32>,
    ) {
        let (a, r) = (self.added.len() as u32, self.removed.len() as u32);
        self.added.extend(added);
        self.removed.extend(removed);
        let (added, removed) = ((a, self.added.len() as u32), (r, self.removed.len() as u32));
        self.records.push(TreeRecord { oid, base, added, removed });
    }

    /// Adds entries of trees that are not in the log.
    pub fn add_loose(&mut self, entries: impl IntoIterator<Item = Entry>) {
        self.added.extend(entries);
    }

    /// Adds another thread's log.
    pub fn merge(&mut self, other: TreeLog) {
        let (a, r) = (self.added.len() as u32, self.removed.len() as u32);
        let records = other.records.iter().map(|t| TreeRecord {
            added: (t.added.0 + a, t.added.1 + a),
            removed: (t.removed.0 + r, t.removed.1 + r),
            ..*t
        });
        self.records.extend(records);
        // By far the largest, and new memory for the most part.
        self.added.par_extend(other.added);
        self.removed.extend_from_slice(&other.removed);
    }
}

/// A thread's memory of the numbers of names: what all share is asked for a name once.
#[derive(Debug, Default)]
pub struct Remembered(FastMap<Box<[u8]>, u32>);

impl Trees {
    /// Begins with names that have numbers already: their places.
    pub fn with_names(names: &[Box<[u8]>]) -> Self {
        Trees { names: Mutex::new(names.iter().cloned().zip(0..).collect()) }
    }

    /// Logs a tree, given what it was made from.
    ///
    /// # Errors
    /// When the tree is malformed; the entries before that place are logged.
    pub fn log(
        &self,
        log: &mut TreeLog,
        remembered: &mut Remembered,
        oid: Oid,
        data: &[u8],
        base: Option<Base<'_>>,
        hash: HashKind,
    ) -> (Starts, Result<()>) {
        let (a, r) = (log.added.len() as u32, log.removed.len() as u32);
        let mut base = base.filter(|base| base.starts.are_regular());
        let (mut parts, starts) = Base::changed(base, data, hash);
        if !starts.are_regular() {
            (base, parts) = (None, vec![Changed::whole(data)]);
        }
        let old = base.map_or(&[][..], |base| base.data);
        let compare = |part: Changed| self.compare(log, remembered, (&data[part.new], &old[part.old]), hash);
        let result = parts.into_iter().try_for_each(compare);
        log.records.push(TreeRecord {
            oid,
            base: base.map(|b| b.oid),
            added: (a, log.added.len() as u32),
            removed: (r, log.removed.len() as u32),
        });
        (starts, result)
    }

    /// Logs what differs between the changed parts of two trees, both sorted by name. (Where they are not, as files
    /// and folders are sorted differently, more is logged than differs, which is harmless as long as no name stands
    /// twice in the old one: removed first, added after.)
    fn compare(
        &self,
        log: &mut TreeLog,
        remembered: &mut Remembered,
        (new, old): (&[u8], &[u8]),
        hash: HashKind,
    ) -> Result<()> {
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
            let either = if order.is_ge() { &b } else { &a };
            if let Some(either) = either.as_ref().filter(|_| order != Ordering::Equal || !same) {
                let name = self.number(either.name, remembered);
                if order.is_ge() {
                    log.removed.push(name);
                }
                if let Some(e) = a.as_ref().filter(|_| order.is_le()) {
                    log.added.push(Entry { name, mode: e.mode, oid: e.oid });
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

    fn number(&self, name: &[u8], remembered: &mut Remembered) -> u32 {
        if let Some(&number) = remembered.0.get(name) {
            return number;
        }
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        let next = names.len() as u32;
        let number = match names.get(name) {
            Some(&number) => number,
            None => *names.entry(name.into()).or_insert(next),
        };
        remembered.0.insert(name.into(), number);
        number
    }

    /// The names so far, by their numbers.
    pub fn names(&self) -> Vec<Box<[u8]>> {
        let names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        let mut list = vec![Box::default(); names.len()];
        for (name, &number) in names.iter() {
            list[number as usize] = name.clone();
        }
        list
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matcher::delta::Run;
    use proptest::prelude::*;

    fn tree(entries: &[(u8, u8)]) -> Vec<u8> {
        let mut sorted: Vec<_> = entries.to_vec();
        sorted.sort_unstable();
        sorted.dedup_by_key(|e| e.0);
        let mut data = Vec::new();
        for (name, content) in sorted {
            data.extend_from_slice(b"100644 ");
            data.extend_from_slice(&[b'0' + name / 26, b'a' + name % 26]);
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
            less in (0usize..40, 0usize..40, 0usize..60),
        ) {
            let (old, new) = (tree(&old), tree(&new));
            let trees = Trees::default();
            let (mut log, mut remembered) = (TreeLog::default(), Remembered::default());
            let id = Oid::null(HashKind::Sha1);
            let (starts, result) = trees.log(&mut log, &mut remembered, id, &old, None, HashKind::Sha1);
            result.unwrap();
            let head = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
            let tail = old.iter().rev().zip(new.iter().rev()).take_while(|(a, b)| a == b).count();
            let tail = tail.min(old.len() - head).min(new.len() - head);
            let mut runs = vec![
                Run { src: 0, dst: 0, len: head.saturating_sub(less.0) },
                Run { src: old.len() - tail, dst: new.len() - tail, len: tail.saturating_sub(less.1) },
            ];
            // Another piece between the two, if there is a common one.
            let piece = old.get(head + less.2..head + less.2 + 31);
            if let Some(piece) = piece.filter(|_| head + less.2 + 31 + tail <= old.len()) {
                let middle = &new[head..new.len() - tail];
                if let Some(at) = middle.windows(piece.len()).position(|w| w == piece) {
                    runs.insert(1, Run { src: head + less.2, dst: head + at, len: piece.len() });
                }
            }
            let base = Base { oid: id, data: &old, starts: &starts, runs: &runs };
            let (starts, result) = trees.log(&mut log, &mut remembered, id, &new, Some(base), HashKind::Sha1);
            result.unwrap();
            prop_assert_eq!(starts.places().unwrap(), &(0..new.len() as u32).step_by(30).collect::<Vec<_>>()[..]);
            let record = log.records[1];
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
            let added = log.added_places(&record).map(|place| log.entry(place));
            rebuilt.extend(added.map(|e| (names[e.name as usize].clone(), e.oid)));
            rebuilt.sort();
            let mut expected = list(&new);
            expected.sort();
            prop_assert_eq!(rebuilt, expected);
        }
    }
}
