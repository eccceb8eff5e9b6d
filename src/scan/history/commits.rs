//! The commits of a history in order, and what reaches them.

use super::oids::OidMap;
use super::visit::CommitRecord;
use crate::source::git::Oid;

/// Commits, parents before children.
#[derive(Debug)]
pub struct Graph {
    /// The commits.
    pub commits: Vec<CommitRecord>,
    /// For each, the places of its parents that are there.
    pub parents: Vec<Vec<u32>>,
    places: OidMap<u32>,
}

impl Graph {
    /// Orders commits: parents first, and by time where both orders are possible.
    pub fn new(mut commits: Vec<CommitRecord>) -> Self {
        commits.sort_unstable_by_key(|c| (c.time, c.oid));
        let by_oid: OidMap<u32> = commits.iter().enumerate().map(|(i, c)| (c.oid, i as u32)).collect();
        // Depth first along parents, in order of time, without recursion.
        let mut order: Vec<u32> = Vec::with_capacity(commits.len());
        let mut state = vec![0u8; commits.len()];
        let mut stack: Vec<u32> = Vec::new();
        for start in 0..commits.len() as u32 {
            stack.push(start);
            while let Some(&at) = stack.last() {
                if state[at as usize] == 0 {
                    state[at as usize] = 1;
                    let below = commits[at as usize].parents.iter().filter_map(|p| by_oid.get(p));
                    stack.extend(below.copied().filter(|&p| state[p as usize] == 0));
                    continue;
                }
                stack.pop();
                if state[at as usize] == 1 {
                    state[at as usize] = 2;
                    order.push(at);
                }
            }
        }
        let mut sorted = Vec::with_capacity(commits.len());
        for &at in &order {
            sorted.push(commits[at as usize].clone());
        }
        let places: OidMap<u32> = sorted.iter().enumerate().map(|(i, c)| (c.oid, i as u32)).collect();
        let parents = sorted
            .iter()
            .map(|c| c.parents.iter().filter_map(|p| places.get(p)).copied().collect())
            .collect();
        Graph { commits: sorted, parents, places }
    }

    /// The place of a commit.
    pub fn place(&self, oid: &Oid) -> Option<usize> {
        self.places.get(oid).map(|&p| p as usize)
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
                for &parent in &self.parents[at] {
                    bits[parent as usize] |= own;
                }
            }
        }
        bits
    }
}
