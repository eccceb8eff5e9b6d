//! The commits of a history in order, and what reaches them.

use super::oids::OidMap;
use super::visit::CommitRecord;
use crate::source::git::Oid;

/// Commits, parents before children.
#[derive(Debug)]
pub struct Graph {
    /// The commits.
    pub commits: Vec<CommitRecord>,
    parents: Parents,
    places: OidMap<u32>,
}

/// For each commit, the places of its parents that are there: one list for all.
#[derive(Debug, Default)]
struct Parents {
    list: Vec<u32>,
    /// Where those of each commit end.
    ends: Vec<u32>,
}

impl Parents {
    fn push(&mut self, parents: impl Iterator<Item = u32>) {
        self.list.extend(parents);
        self.ends.push(self.list.len() as u32);
    }

    fn of(&self, at: usize) -> &[u32] {
        let first = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.list[first as usize..self.ends[at] as usize]
    }
}

impl Graph {
    /// Orders commits: parents first, and by time where both orders are possible.
    pub fn new(mut commits: Vec<CommitRecord>) -> Self {
        commits.sort_unstable_by_key(|c| (c.time, c.oid));
        let mut places: OidMap<u32> = commits.iter().zip(0..).map(|(c, at)| (c.oid, at)).collect();
        let mut by_time = Parents::default();
        for commit in &commits {
            by_time.push(commit.parents.iter().filter_map(|parent| places.get(parent)).copied());
        }
        let order = parents_first(&by_time);
        let mut place_of = vec![0; order.len()];
        order.iter().zip(0..).for_each(|(&at, place)| place_of[at as usize] = place);
        let mut parents = Parents::default();
        for &at in &order {
            parents.push(by_time.of(at as usize).iter().map(|&parent| place_of[parent as usize]));
        }
        places.values_mut().for_each(|place| *place = place_of[*place as usize]);
        // Most commits are in their places already.
        for at in 0..commits.len() {
            while place_of[at] as usize != at {
                let place = place_of[at] as usize;
                commits.swap(at, place);
                place_of.swap(at, place);
            }
        }
        Graph { commits, parents, places }
    }

    /// The place of a commit.
    pub fn place(&self, oid: &Oid) -> Option<usize> {
        self.places.get(oid).map(|&p| p as usize)
    }

    /// The places of a commit's parents that are there.
    pub fn parents(&self, at: usize) -> &[u32] {
        self.parents.of(at)
    }

    /// For each commit, a bit for each of up to 64 tips that reach it.
    pub fn reached_by(&self, tips: &[usize]) -> Vec<u64> {
        let mut bits = vec![0u64; self.commits.len()];
        for (i, &tip) in tips.iter().enumerate().take(64) {
            bits[tip] |= 1 << i;
        }
        for at in (0..self.commits.len()).rev() {
            let own = bits[at];
            if own != 0 {
                for &parent in self.parents(at) {
                    bits[parent as usize] |= own;
                }
            }
        }
        bits
    }
}

/// Depth first along parents, otherwise in the order given, without recursion.
fn parents_first(parents: &Parents) -> Vec<u32> {
    let count = parents.ends.len();
    let mut order: Vec<u32> = Vec::with_capacity(count);
    let mut state = vec![0u8; count];
    let mut stack: Vec<u32> = Vec::new();
    for start in 0..count as u32 {
        stack.push(start);
        while let Some(&at) = stack.last() {
            if state[at as usize] == 0 {
                state[at as usize] = 1;
                stack.extend(parents.of(at as usize).iter().filter(|&&p| state[p as usize] == 0));
                continue;
            }
            stack.pop();
            if state[at as usize] == 1 {
                state[at as usize] = 2;
                order.push(at);
            }
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn oid(number: usize) -> Oid {
        Oid::from_hex(format!("{number:040x}").as_bytes()).unwrap()
    }

    /// A commit and what it comes from, each once, before it.
    fn visit(commits: &[CommitRecord], at: usize, seen: &mut Vec<Oid>, order: &mut Vec<Oid>) {
        if seen.contains(&commits[at].oid) {
            return;
        }
        seen.push(commits[at].oid);
        for parent in commits[at].parents.iter().rev() {
            let there = commits.iter().position(|commit| commit.oid == *parent);
            there.into_iter().for_each(|there| visit(commits, there, seen, order));
        }
        order.push(commits[at].oid);
    }

    proptest! {
        /// Clocks go wrong, and of a shallow clone some parents are missing.
        #[test]
        fn the_order_is_that_of_a_plain_search(
            commits in prop::collection::vec((0i64..20, prop::collection::vec(1usize..8, 0..3)), 0..30),
        ) {
            let record = |(at, (time, back)): (usize, &(i64, Vec<usize>))| {
                let parents = back.iter().map(|back| oid((at + 5).saturating_sub(*back))).collect();
                CommitRecord { oid: oid(at + 5), tree: oid(0), parents, time: *time }
            };
            let mut commits: Vec<CommitRecord> = commits.iter().enumerate().map(record).collect();
            let graph = Graph::new(commits.clone());
            commits.sort_by_key(|commit| (commit.time, commit.oid));
            let (mut seen, mut order) = (Vec::new(), Vec::new());
            (0..commits.len()).for_each(|at| visit(&commits, at, &mut seen, &mut order));
            prop_assert_eq!(graph.commits.iter().map(|commit| commit.oid).collect::<Vec<_>>(), order.clone());
            let place = |oid: &Oid| order.iter().position(|other| other == oid);
            for (at, commit) in graph.commits.iter().enumerate() {
                prop_assert_eq!(graph.place(&commit.oid), Some(at));
                prop_assert_eq!(&commit.parents, &commits.iter().find(|it| it.oid == commit.oid).unwrap().parents);
                let parents: Vec<u32> = commit.parents.iter().filter_map(place).map(|at| at as u32).collect();
                prop_assert_eq!(graph.parents(at), &parents[..]);
            }
            prop_assert_eq!(graph.place(&oid(0)), None);
        }
    }
}
