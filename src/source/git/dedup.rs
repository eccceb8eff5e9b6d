//! Objects that a repository holds more than once.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::oid::Oid;

/// Fewer words than this are no work for one more thread.
const LEAST_WORDS: usize = 512;

/// Some of the objects of a source, by their positions: one bit for each.
pub(super) struct Positions(Vec<u64>);

impl Positions {
    /// Those of `count` objects for which `which` holds. It is asked in order, by each of so many threads for a part
    /// of its own, so that lists in the same order are read as they lie in memory.
    pub(super) fn of(count: usize, threads: usize, which: impl Fn(usize) -> bool + Sync) -> Self {
        let mut positions = Positions::none(count);
        let words = positions.0.len().div_ceil(threads.max(1)).max(LEAST_WORDS);
        let fill = |(part, words_here): (usize, &mut [u64])| {
            for (word, at) in words_here.iter_mut().zip((part * words * 64..).step_by(64)) {
                let bits = (at..count.min(at + 64)).map(|at| u64::from(which(at)) << (at % 64));
                *word = bits.fold(0, |word, bit| word | bit);
            }
        };
        std::thread::scope(|scope| {
            let mut parts = positions.0.chunks_mut(words).enumerate();
            let first = parts.next();
            let fill = &fill;
            parts.for_each(|part| drop(scope.spawn(move || fill(part))));
            first.into_iter().for_each(fill);
        });
        positions
    }

    /// None of `count` objects.
    fn none(count: usize) -> Self {
        Positions(vec![0; count.div_ceil(64)])
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    pub(super) fn contains(&self, position: usize) -> bool {
        self.0.get(position / 64).is_some_and(|word| word >> (position % 64) & 1 == 1)
    }

    fn insert(&mut self, position: usize) {
        if let Some(word) = self.0.get_mut(position / 64) {
            *word |= 1 << (position % 64);
        }
    }
}

/// A sorted list of ids: its length, and the id at a position.
pub(super) type Source<'a> = (usize, &'a dyn Fn(usize) -> Option<Oid>);

/// Merges sorted lists of ids, and marks all but the first copy of each. (In a list that is not sorted, because
/// it is damaged, copies may stay unmarked: they are then read twice, which does no harm.)
pub(super) fn duplicates(sources: &[Source<'_>]) -> Vec<Positions> {
    let mut marked: Vec<Positions> = sources.iter().map(|(count, _)| Positions::none(*count)).collect();
    let mut filled = (0..sources.len()).filter(|&n| sources[n].0 > 0);
    if let (Some(only), None) = (filled.next(), filled.next()) {
        mark_copies(sources[only], &mut marked[only]);
        return marked;
    }
    let mut heads: BinaryHeap<Reverse<(Oid, usize, usize)>> =
        sources.iter().enumerate().filter_map(|(n, (_, oid))| Some(Reverse((oid(0)?, n, 0)))).collect();
    let mut last = None;
    while let Some(Reverse((oid, source, position))) = heads.pop() {
        if last == Some(oid) {
            marked[source].insert(position);
        }
        last = Some(oid);
        let next = (position + 1..sources[source].0).find_map(|next| Some((sources[source].1(next)?, next)));
        heads.extend(next.map(|(oid, next)| Reverse((oid, source, next))));
    }
    marked
}

/// Marks all but the first copy of each id in one sorted list: an index that is damaged may name an object twice.
fn mark_copies((count, oid): Source<'_>, marked: &mut Positions) {
    let mut last = None;
    for position in 0..count {
        let Some(oid) = oid(position) else { continue };
        if last.replace(oid) == Some(oid) {
            marked.insert(position);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_but_the_first_copy() {
        let oid = |n: u8| Oid::from_bytes(&[n; 20]);
        let lists = [vec![1, 3, 5], vec![1, 1, 2, 5], vec![], vec![2, 3, 6]];
        let functions: Vec<Box<dyn Fn(usize) -> Option<Oid>>> = lists
            .iter()
            .map(|list| Box::new(|at: usize| oid(*list.get(at)?)) as Box<dyn Fn(usize) -> Option<Oid>>)
            .collect();
        let sources: Vec<Source<'_>> =
            lists.iter().zip(&functions).map(|(list, oid)| (list.len(), &**oid)).collect();
        let marked = duplicates(&sources);
        let positions =
            |n: usize| (0..lists[n].len()).filter(|&at| marked[n].contains(at)).collect::<Vec<_>>();
        assert_eq!(positions(0), [0; 0]);
        assert_eq!(positions(1), [0, 1, 3]);
        assert_eq!(positions(3), [0, 1]);
    }

    #[test]
    fn any_number_of_threads_finds_the_same_positions() {
        for count in [0, 1, 63, 64, 65, 64 * LEAST_WORDS - 1, 64 * LEAST_WORDS + 1, 200_000] {
            for threads in [0, 1, 2, 3, 7] {
                let which = |at: usize| at % 7 == 0 || at + 1 == count;
                let positions = Positions::of(count, threads, which);
                let wrong = (0..count + 70).find(|&at| positions.contains(at) != (at < count && which(at)));
                assert_eq!(wrong, None, "{count} objects, {threads} threads");
                assert_eq!(positions.count(), (0..count).filter(|&at| which(at)).count());
            }
        }
    }

    #[test]
    fn copies_are_marked_from_two_sources_on() {
        let ids = |at: usize| Oid::from_bytes(&[at as u8; 20]).filter(|_| at < 70);
        let marked = duplicates(&[(70, &ids), (70, &ids)]);
        for at in 0..70 {
            assert!(!marked[0].contains(at) && marked[1].contains(at), "{at}");
        }
        assert!(!marked[1].contains(70) && !marked[1].contains(1000));
        assert!(!duplicates(&[(70, &ids)])[0].contains(3));
    }

    #[test]
    fn copies_in_one_list_are_marked_whatever_lists_are_empty() {
        let ids = |at: usize| Oid::from_bytes(&[at as u8 / 2; 20]).filter(|_| at < 7);
        for sources in [&[(7, &ids as _)][..], &[(0, &ids as _), (7, &ids as _), (0, &ids as _)]] {
            let marked = duplicates(sources);
            let list = sources.len() / 2;
            let positions: Vec<usize> = (0..9).filter(|&at| marked[list].contains(at)).collect();
            assert_eq!(positions, [1, 3, 5]);
        }
    }
}
