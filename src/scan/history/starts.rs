//! Which part of a tree is not in the one that it was made from: only that part is read.

use std::cmp::Ordering;
use std::ops::Range;

use crate::matcher::delta::Run;
use crate::source::git::{HashKind, Oid, TreeEntry, tree_entries, tree_order};

/// Where the entries of a tree begin: kept with it, so that of a tree made from it only the part that
/// changed is read. None of a tree that is not regular: one that is cut off or not sorted as git sorts, or in
/// which a name stands twice.
#[derive(Debug, Default)]
pub struct Starts(Option<Box<[u32]>>);

/// What a tree was made from.
#[derive(Clone, Copy, Debug)]
pub struct Base<'a> {
    /// Its id.
    pub oid: Oid,
    /// Its content.
    pub data: &'a [u8],
    /// Where its entries begin.
    pub starts: &'a Starts,
    /// What the two have in common, in order of the new tree.
    pub runs: &'a [Run],
}

/// A part of a tree, and the part of its base in whose place it stands. Both hold whole entries.
pub struct Changed {
    /// Bytes of the tree.
    pub new: Range<usize>,
    /// Bytes of its base.
    pub old: Range<usize>,
}

impl Changed {
    /// All of a tree, in place of nothing.
    pub fn whole(tree: &[u8]) -> Self {
        Changed { new: 0..tree.len(), old: 0..0 }
    }
}

impl Starts {
    /// Whether the tree is regular.
    pub fn are_regular(&self) -> bool {
        self.0.is_some()
    }

    /// The starts, if the tree is regular.
    pub fn places(&self) -> Option<&[u32]> {
        self.0.as_deref()
    }
}

impl Base<'_> {
    /// The parts of `new` and of the base (none: of nothing), which is regular, between the entries that they share,
    /// as the runs tell; and where the entries of `new` begin.
    pub fn changed(base: Option<Self>, new: &[u8], hash: HashKind) -> (Vec<Changed>, Starts) {
        let (old, starts, runs) = match base {
            Some(base) => (base.data, base.starts.places().unwrap_or_default(), base.runs),
            None => Default::default(),
        };
        let boundary = |i: usize| starts.get(i).map_or(old.len(), |&start| start as usize);
        let mut parts = Vec::with_capacity(2);
        let mut all: Vec<u32> = Vec::with_capacity(starts.len());
        let (mut new_at, mut old_at) = (0, 0);
        for run in runs {
            // The entries of the base that lie in the run, of those that are not dealt with.
            let first = starts.partition_point(|&start| (start as usize) < run.src.max(old_at));
            let end = run.src + run.len;
            let last = match end >= old.len() {
                true => starts.len(),
                false => starts.partition_point(|&start| start as usize <= end).saturating_sub(1),
            };
            let (from, to) = (boundary(first), boundary(last));
            let Some(there) = (from + run.dst).checked_sub(run.src).filter(|&at| from < to && at >= new_at)
            else {
                continue;
            };
            // What comes before them must end where they begin.
            let known = all.len();
            if entries_between(new, new_at, there, hash, &mut all) != Some(there) {
                all.truncate(known);
                continue;
            }
            all.extend(starts[first..last].iter().map(|&start| (start as usize - from + there) as u32));
            if new_at < there || old_at < from {
                parts.push(Changed { new: new_at..there, old: old_at..from });
            }
            (new_at, old_at) = (there + to - from, to);
        }
        let whole = entries_between(new, new_at, new.len(), hash, &mut all) == Some(new.len());
        if new_at < new.len() || old_at < old.len() {
            parts.push(Changed { new: new_at..new.len(), old: old_at..old.len() });
        }
        let regular = whole && Tree { data: new, starts: &all, hash }.is_regular(&parts);
        (parts, Starts(regular.then(|| all.into())))
    }
}

/// A tree, and where its entries begin.
struct Tree<'a> {
    data: &'a [u8],
    starts: &'a [u32],
    hash: HashKind,
}

impl<'a> Tree<'a> {
    /// Whether it is sorted as git sorts and no name stands twice, as is known of all but these parts: what is
    /// between them comes from a regular tree, in the order that it had there.
    fn is_regular(&self, parts: &[Changed]) -> bool {
        parts.iter().filter(|part| !part.new.is_empty()).all(|part| {
            let place = |at: usize| self.starts.partition_point(|&start| (start as usize) < at);
            let (first, end) = (place(part.new.start), place(part.new.end));
            let mut before = first.checked_sub(1).and_then(|last| self.entry(last));
            let mut next = self.entry(first);
            for at in first..end {
                let Some(entry) = next else { return false };
                next = self.entry(at + 1);
                if !is_before(before, Some(entry)) || self.has_twin(at, entry, before, next) {
                    return false;
                }
                before = Some(entry);
            }
            is_before(before, next)
        })
    }

    /// Whether a folder has the name of the file at a place, or a file that of the folder. Between the two can only
    /// be names that begin with theirs.
    fn has_twin(
        &self,
        at: usize,
        entry: TreeEntry<'_>,
        before: Option<TreeEntry<'_>>,
        after: Option<TreeEntry<'_>>,
    ) -> bool {
        let is_folder = entry.mode.is_tree();
        let near = if is_folder { before } else { after };
        if !near.is_some_and(|near| near.name.starts_with(entry.name)) {
            return false;
        }
        let (mut low, mut high) = if is_folder { (0, at) } else { (at + 1, self.starts.len()) };
        while low < high {
            let middle = low.midpoint(high);
            // A tree with an entry that cannot be read is not regular either.
            let Some(there) = self.entry(middle) else { return true };
            match tree_order(&there, entry.name, !is_folder) {
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
                Ordering::Equal => return there.name == entry.name,
            }
        }
        false
    }

    /// The entry at a place. None behind the last one, and if it is malformed.
    fn entry(&self, at: usize) -> Option<TreeEntry<'a>> {
        tree_entries(self.data.get(*self.starts.get(at)? as usize..)?, self.hash).next()?.ok()
    }
}

/// Whether an entry stands before another in git's order, or there are no two.
fn is_before(first: Option<TreeEntry<'_>>, second: Option<TreeEntry<'_>>) -> bool {
    let ordered = |(a, b): (TreeEntry<'_>, TreeEntry<'_>)| tree_order(&a, b.name, b.mode.is_tree()).is_lt();
    first.zip(second).is_none_or(ordered)
}

/// Appends where the entries between two places begin; returns where the last one ends. None if one is cut off.
fn entries_between(
    tree: &[u8],
    start: usize,
    end: usize,
    hash: HashKind,
    starts: &mut Vec<u32>,
) -> Option<usize> {
    let mut at = start;
    while at < end {
        starts.push(u32::try_from(at).ok()?);
        at = entry_end(tree, at, hash)?;
    }
    Some(at)
}

/// Where the entry that begins at `at` ends.
fn entry_end(tree: &[u8], at: usize, hash: HashKind) -> Option<usize> {
    let nul = memchr::memchr(0, tree.get(at..)?)?;
    let end = at + nul + 1 + hash.oid_len();
    (end <= tree.len()).then_some(end)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::scan::history::fuzzing::check;

    /// An entry: its name, whether it is a folder, and what is in it.
    type Entry = (usize, bool, u8);

    const NAMES: &[&str] = &["a", "a-", "a-b", "a.c", "a0", "a/", "b", "b!", "b!c"];

    fn bytes((name, is_folder, content): Entry) -> Vec<u8> {
        let mode = if is_folder { "40000" } else { "100644" };
        [format!("{mode} {}\0", NAMES[name]).as_bytes(), &[content; 20]].concat()
    }

    /// As git sorts, and each name once.
    fn tidy(entries: &mut Vec<Entry>) {
        entries.sort_by_key(|entry| format!("{}{}", NAMES[entry.0], if entry.1 { "/" } else { "" }));
        let mut names = Vec::new();
        entries.retain(|entry| !names.contains(&entry.0) && (names.push(entry.0), true).1);
    }

    /// What one tree has of another, as a delta would say it: the longest runs, less a few bytes of each.
    fn runs(old: &[Entry], new: &[Entry], less: (usize, usize)) -> Vec<Run> {
        let len = |entries: &[Entry]| entries.iter().map(|entry| bytes(*entry).len()).sum::<usize>();
        let mut runs = Vec::new();
        let mut at = 0;
        while at < new.len() {
            let common =
                |from: &usize| old[*from..].iter().zip(&new[at..]).take_while(|(a, b)| a == b).count();
            let Some(from) = (0..old.len()).max_by_key(common) else { break };
            let count = common(&from);
            let run = Run {
                src: len(&old[..from]) + less.0,
                dst: len(&new[..at]) + less.0,
                len: len(&new[at..at + count]).saturating_sub(less.0 + less.1),
            };
            runs.extend(Some(run).filter(|run| run.len > 0));
            at += count.max(1);
        }
        runs
    }

    fn entries() -> impl Strategy<Value = Vec<Entry>> {
        prop::collection::vec((0..NAMES.len(), any::<bool>(), 0u8..3), 0..7)
    }

    /// How many bytes a run is cut by: none, or some of an entry.
    fn less() -> impl Strategy<Value = usize> {
        prop_oneof![2 => Just(0usize), 1 => 1usize..4]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1024))]
        /// Trees that are made one from the other: of entries that are lost and got, at a place, in git's order or
        /// in that in which they come.
        #[test]
        fn a_log_is_exact_whatever_stands_twice(
            first in entries(),
            edits in prop::collection::vec((0usize..9, 0usize..3, entries(), any::<bool>(), (less(), less())), 1..5),
            is_tidy in any::<bool>(),
        ) {
            let mut entries = first;
            if is_tidy {
                tidy(&mut entries);
            }
            let data = |entries: &[Entry]| entries.iter().flat_map(|entry| bytes(*entry)).collect::<Vec<u8>>();
            let mut made = vec![(data(&entries), Vec::new())];
            for (at, lost, got, is_tidy, less) in edits {
                let old = entries.clone();
                let at = at.min(old.len());
                entries.splice(at..(at + lost).min(old.len()), got.into_iter().take(3));
                if is_tidy {
                    tidy(&mut entries);
                }
                made.push((data(&entries), runs(&old, &entries, less)));
            }
            check(&made, HashKind::Sha1);
        }
    }

    #[test]
    fn where_a_name_stands_twice_there_are_no_starts() {
        let file = |name: &str| [b"100644 ", name.as_bytes(), &[0; 21]].concat();
        let folder = |name: &str| [b"40000 ", name.as_bytes(), &[0; 21]].concat();
        let is_regular =
            |parts: &[Vec<u8>]| Base::changed(None, &parts.concat(), HashKind::Sha1).1.are_regular();
        assert!(is_regular(&[file("a"), file("a-"), file("a.b-"), folder("a.b"), file("a0"), file("b")]));
        assert!(is_regular(&[file("a.txt"), folder("a"), file("a0")]));
        assert!(!is_regular(&[file("a"), file("a")]));
        assert!(!is_regular(&[file("b"), file("a")]));
        assert!(!is_regular(&[folder("a"), file("a.txt")]));
        assert!(!is_regular(&[file("a"), folder("a")]));
        assert!(!is_regular(&[file("a"), file("a-"), folder("a.b"), file("a.txt"), folder("a"), file("b")]));
        assert!(!is_regular(&[file("a"), b"100644 b\0".to_vec()]) && is_regular(&[]));
    }

    /// What changed is in order with what stands on either side of it, or the tree is not regular.
    #[test]
    fn neighbours_of_what_changed_are_looked_at() {
        let data = |names: &[usize]| names.iter().flat_map(|&at| bytes((at, false, 0))).collect::<Vec<u8>>();
        let list = |names: &[usize]| names.iter().map(|&at| (at, false, 0)).collect::<Vec<Entry>>();
        let old = [0, 4, 7];
        for new in [[0, 6, 4, 7], [0, 1, 4, 7], [0, 4, 3, 7], [0, 4, 0, 7], [0, 4, 7, 6], [6, 0, 4, 7]] {
            check(
                &[(data(&old), Vec::new()), (data(&new), runs(&list(&old), &list(&new), (0, 0)))],
                HashKind::Sha1,
            );
        }
    }

    /// What lies elsewhere is taken from the base: here it is no longer what it was, and nobody sees it.
    #[test]
    fn only_what_changed_and_its_neighbours_are_read() {
        let tree = |changed: u8| -> Vec<u8> {
            let entry = |n: usize| {
                let content = if n == 50 { changed } else { 0 };
                [format!("100644 f{n:03}\0").as_bytes(), &[content; 20]].concat()
            };
            (0..100).flat_map(entry).collect()
        };
        let (old, mut new) = (tree(1), tree(2));
        let (size, whole) = (old.len() / 100, Base::changed(None, &old, HashKind::Sha1));
        let (end, rest) = (50 * size + 12, 51 * size);
        let runs = [Run { src: 0, dst: 0, len: end }, Run { src: rest, dst: rest, len: old.len() - rest }];
        for n in (0..49).chain(52..100) {
            new[n * size] = b'x';
        }
        let oid = Oid::null(HashKind::Sha1);
        let base = Base { oid, data: &old, starts: &whole.1, runs: &runs };
        let (parts, starts) = Base::changed(Some(base), &new, HashKind::Sha1);
        assert_eq!(starts.places(), whole.1.places());
        assert!(matches!(&parts[..], [part] if part.new == (50 * size..51 * size) && part.old == part.new));
    }
}
