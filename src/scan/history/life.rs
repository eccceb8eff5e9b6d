//! When each value entered the history, when it left, and what reaches it.

use std::collections::HashMap;

use super::commits::Graph;
use super::sets::{Holdings, SetId, Sets};
use super::values::Values;
use crate::source::git::{Kind, Odb, Oid, Ref, ReflogEntry, Tag};

/// The life of one value, in places of commits.
#[derive(Clone, Debug, Default)]
pub struct ValueLife {
    /// Commits that hold it while none of their parents does, by time.
    pub introduced: Vec<u32>,
    /// The latest commit whose tree holds it, of those that a ref reaches (or of all, if none does).
    pub last: Option<u32>,
    /// Whether HEAD's tree holds it.
    pub in_head: bool,
    /// Whether a ref reaches it.
    pub reachable: bool,
    /// Whether a reflog reaches it.
    pub in_reflog: bool,
    /// Refs (full names) that reach it.
    pub refs: Vec<String>,
}

/// The lives of all values.
#[derive(Debug)]
pub struct Lives {
    /// By value.
    pub values: Vec<ValueLife>,
    /// Place of HEAD's commit.
    pub head: Option<usize>,
}

/// Refs listed per value; more are only counted by reports.
const MAX_REFS: usize = 1000;

impl Lives {
    /// Traces all values in one pass over the commits.
    #[allow(clippy::too_many_arguments)]
    pub fn trace(
        values: &Values,
        holdings: &Holdings,
        sets: &Sets,
        graph: &Graph,
        refs: &[Ref],
        reflogs: &[ReflogEntry],
        head: Option<Oid>,
        odb: &Odb,
    ) -> Self {
        let mut lives = vec![ValueLife::default(); values.secrets.len()];
        let of_commit: Vec<SetId> = graph.commits.iter().map(|c| holdings.set(&c.tree)).collect();
        for (at, &set) in of_commit.iter().enumerate() {
            let parents = &graph.parents[at];
            if set == 0 || parents.iter().any(|&p| of_commit[p as usize] == set) {
                continue;
            }
            for &value in sets.values(set) {
                let before = |&p: &u32| sets.values(of_commit[p as usize]).binary_search(&value).is_ok();
                if !parents.iter().any(before) {
                    lives[value as usize].introduced.push(at as u32);
                }
            }
        }
        for (oid, _, set) in &values.messages {
            if let Some(place) = graph.place(oid) {
                for &value in sets.values(*set) {
                    lives[value as usize].introduced.push(place as u32);
                }
            }
        }
        for life in &mut lives {
            life.introduced.sort_unstable_by_key(|&at| (graph.commits[at as usize].time, at));
            life.introduced.dedup();
        }
        let mut lives = Lives { values: lives, head: head.and_then(|h| graph.place(&h)) };
        let reachable = lives.reach(graph, refs, reflogs, odb);
        lives.last(graph, sets, &of_commit, &reachable);
        if let Some(at) = lives.head {
            for &value in sets.values(of_commit[at]) {
                lives.values[value as usize].in_head = true;
            }
        }
        lives
    }

    /// Fills in what refs and reflogs reach; returns which commits a ref reaches.
    fn reach(&mut self, graph: &Graph, refs: &[Ref], reflogs: &[ReflogEntry], odb: &Odb) -> Vec<bool> {
        let mut reachable = vec![false; graph.commits.len()];
        let tips: Vec<(String, usize)> =
            refs.iter().filter_map(|r| Some((r.name.to_string(), peel(odb, graph, r.target)?))).collect();
        for chunk in tips.chunks(64) {
            let places: Vec<usize> = chunk.iter().map(|t| t.1).collect();
            let bits = graph.reached_by(&places);
            for (reached, &b) in reachable.iter_mut().zip(&bits) {
                *reached |= b != 0;
            }
            for life in &mut self.values {
                let reach = life.introduced.iter().fold(0, |all, &at| all | bits[at as usize]);
                life.reachable |= reach != 0;
                for (i, (name, _)) in chunk.iter().enumerate() {
                    if reach >> i & 1 != 0 && life.refs.len() < MAX_REFS {
                        life.refs.push(name.clone());
                    }
                }
            }
        }
        let logged: Vec<usize> = reflogs
            .iter()
            .flat_map(|e| [e.old, e.new])
            .flatten()
            .filter_map(|oid| graph.place(&oid))
            .collect();
        let mut in_reflog = vec![false; graph.commits.len()];
        for at in logged {
            in_reflog[at] = true;
        }
        for at in (0..graph.commits.len()).rev() {
            if in_reflog[at] {
                for &parent in &graph.parents[at] {
                    in_reflog[parent as usize] = true;
                }
            }
        }
        for life in &mut self.values {
            life.in_reflog = life.introduced.iter().any(|&at| in_reflog[at as usize]);
        }
        reachable
    }

    /// Fills in the latest commit that holds each value.
    fn last(&mut self, graph: &Graph, sets: &Sets, of_commit: &[SetId], reachable: &[bool]) {
        // The latest commit of each distinct set stands for all commits with it.
        let mut latest: HashMap<SetId, (bool, i64, u32)> = HashMap::new();
        for (at, &set) in of_commit.iter().enumerate().filter(|(_, s)| **s != 0) {
            let rank = (reachable[at], graph.commits[at].time, at as u32);
            let entry = latest.entry(set).or_insert(rank);
            *entry = (*entry).max(rank);
        }
        let mut best: Vec<Option<(bool, i64, u32)>> = vec![None; self.values.len()];
        for (&set, &rank) in &latest {
            for &value in sets.values(set) {
                let own = &mut best[value as usize];
                *own = (*own).max(Some(rank));
            }
        }
        for (life, best) in self.values.iter_mut().zip(best) {
            life.last = best.map(|b| b.2);
        }
    }
}

/// The place of the commit that an object, through any number of tags, names.
fn peel(odb: &Odb, graph: &Graph, mut oid: Oid) -> Option<usize> {
    for _ in 0..16 {
        if let Some(place) = graph.place(&oid) {
            return Some(place);
        }
        match odb.read(&oid) {
            Ok(Some((Kind::Tag, data))) => oid = Tag::parse(&data).ok()?.target,
            _ => return None,
        }
    }
    None
}
