//! When each value entered the history, when it left, and what reaches it.

use bstr::BString;

use super::commits::Graph;
use super::oids::{FastMap, OidMap};
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
    /// For each commit, whether refs of notes reach it and no others do.
    pub is_note: Vec<bool>,
    /// Place of the commit behind each annotated tag that a ref names.
    tagged: OidMap<Option<usize>>,
}

/// How many tags may name one another.
const MAX_TAGS: usize = 16;
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
            let parents = graph.parents(at);
            if set == 0 || parents.iter().any(|&p| of_commit[p as usize] == set) {
                continue;
            }
            for value in sets.values(set) {
                let before = |&p: &u32| sets.holds(of_commit[p as usize], value);
                if !parents.iter().any(before) {
                    lives[value as usize].introduced.push(at as u32);
                }
            }
        }
        for (oid, _, set) in &values.messages {
            if let Some(place) = graph.place(oid) {
                for value in sets.values(*set) {
                    lives[value as usize].introduced.push(place as u32);
                }
            }
        }
        for life in &mut lives {
            life.introduced.sort_unstable_by_key(|&at| (graph.commits[at as usize].time, at));
            life.introduced.dedup();
        }
        let mut lives = Lives {
            values: lives,
            head: head.and_then(|h| graph.place(&h)),
            is_note: Vec::new(),
            tagged: OidMap::default(),
        };
        let tips: Vec<Tip<'_>> = refs.iter().map(|found| Tip::of(found, graph, odb)).collect();
        let reachable = lives.reach(graph, &tips, reflogs);
        lives.reach_directly(&tips, values, holdings, sets);
        lives.last(graph, sets, &of_commit, &reachable);
        if let Some(at) = lives.head {
            for value in sets.values(of_commit[at]) {
                lives.values[value as usize].in_head = true;
            }
        }
        lives
    }

    /// The commit of a message: the commit itself, or the one that a tag names.
    pub fn commit_of(&self, graph: &Graph, oid: &Oid) -> Option<usize> {
        graph.place(oid).or_else(|| self.tagged.get(oid).copied().flatten())
    }

    /// Fills in what refs and reflogs reach; returns which commits a ref reaches.
    fn reach(&mut self, graph: &Graph, tips: &[Tip<'_>], reflogs: &[ReflogEntry]) -> Vec<bool> {
        let mut reachable = vec![false; graph.commits.len()];
        let mut by_others = vec![false; graph.commits.len()];
        let tips: Vec<(&Tip<'_>, usize)> = tips.iter().filter_map(|tip| Some((tip, tip.commit?))).collect();
        for chunk in tips.chunks(64) {
            let places: Vec<usize> = chunk.iter().map(|t| t.1).collect();
            let bits = graph.reached_by(&places);
            let notes = chunk
                .iter()
                .enumerate()
                .filter(|(_, t)| t.0.is_note())
                .fold(0u64, |all, (i, _)| all | 1 << i);
            for (at, &b) in bits.iter().enumerate() {
                reachable[at] |= b != 0;
                by_others[at] |= b & !notes != 0;
            }
            for life in &mut self.values {
                let reach = life.introduced.iter().fold(0, |all, &at| all | bits[at as usize]);
                for (i, (tip, _)) in chunk.iter().enumerate() {
                    if reach >> i & 1 != 0 {
                        life.is_reached_by(tip.name);
                    }
                }
            }
        }
        self.is_note =
            reachable.iter().zip(&by_others).map(|(&reached, &others)| reached && !others).collect();
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
                for &parent in graph.parents(at) {
                    in_reflog[parent as usize] = true;
                }
            }
        }
        for life in &mut self.values {
            life.in_reflog = life.introduced.iter().any(|&at| in_reflog[at as usize]);
        }
        reachable
    }

    /// Fills in the refs that lead to values without a commit between: to blobs, to trees, and by tags that
    /// hold values themselves.
    fn reach_directly(&mut self, tips: &[Tip<'_>], values: &Values, holdings: &Holdings, sets: &Sets) {
        let of_tags: OidMap<SetId> =
            values.messages.iter().filter(|m| m.1 == Kind::Tag).map(|m| (m.0, m.2)).collect();
        for tip in tips {
            let mut reached: Vec<SetId> =
                tip.tags.iter().filter_map(|tag| of_tags.get(tag).copied()).collect();
            if tip.commit.is_none() {
                reached.extend(values.blobs.get(&tip.target).copied());
                reached.push(holdings.set(&tip.target));
            }
            self.tagged.extend(tip.tags.iter().map(|tag| (*tag, tip.commit)));
            let mut of_tip: Vec<u32> = reached.iter().flat_map(|&set| sets.values(set)).collect();
            of_tip.sort_unstable();
            of_tip.dedup();
            for value in of_tip {
                let life = &mut self.values[value as usize];
                if life.refs.last().map(String::as_bytes) != Some(&tip.name[..]) {
                    life.is_reached_by(tip.name);
                }
            }
        }
        for life in &mut self.values {
            life.refs.sort();
            life.refs.dedup();
        }
    }

    /// Fills in the latest commit that holds each value.
    fn last(&mut self, graph: &Graph, sets: &Sets, of_commit: &[SetId], reachable: &[bool]) {
        // The latest commit of each distinct set stands for all commits with it.
        let mut latest: FastMap<SetId, (bool, i64, u32)> = FastMap::default();
        for (at, &set) in of_commit.iter().enumerate().filter(|(_, s)| **s != 0) {
            let rank = (reachable[at], graph.commits[at].time, at as u32);
            let entry = latest.entry(set).or_insert(rank);
            *entry = (*entry).max(rank);
        }
        let mut best: Vec<Option<(bool, i64, u32)>> = vec![None; self.values.len()];
        for (&set, &rank) in &latest {
            for value in sets.values(set) {
                let own = &mut best[value as usize];
                *own = (*own).max(Some(rank));
            }
        }
        for (life, best) in self.values.iter_mut().zip(best) {
            life.last = best.map(|b| b.2);
        }
    }
}

impl ValueLife {
    fn is_reached_by(&mut self, name: &BString) {
        self.reachable = true;
        if self.refs.len() < MAX_REFS {
            self.refs.push(name.to_string());
        }
    }
}

/// What a ref leads to.
struct Tip<'a> {
    name: &'a BString,
    /// Annotated tags on the way.
    tags: Vec<Oid>,
    /// What is behind them.
    target: Oid,
    /// The place of the commit, if it is one.
    commit: Option<usize>,
}

impl<'a> Tip<'a> {
    fn of(found: &'a Ref, graph: &Graph, odb: &Odb) -> Self {
        let mut tip = Tip { name: &found.name, tags: Vec::new(), target: found.target, commit: None };
        while tip.tags.len() < MAX_TAGS {
            tip.commit = graph.place(&tip.target);
            if tip.commit.is_some() {
                break;
            }
            let Ok(data) = odb.read_kind(&tip.target, Kind::Tag) else { break };
            let Ok(tag) = Tag::parse(&data) else { break };
            tip.tags.push(tip.target);
            tip.target = tag.target;
        }
        tip
    }

    fn is_note(&self) -> bool {
        self.name.starts_with(b"refs/notes/")
    }
}
