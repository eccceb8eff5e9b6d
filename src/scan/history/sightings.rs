//! Distinct candidates of a whole history, each kept once however many versions of a file hold it.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, PoisonError};

use crate::matcher::generic::Evidence;
use crate::matcher::{Candidate, Matcher};
use crate::rules::RuleIndex;
use crate::scan::build::secret_of;

/// Number of parts that can be locked separately: a power of two.
const SHARDS: usize = 16;

/// A candidate that can be ignored wherever it is inherited.
pub const IGNORED: u32 = u32::MAX;

/// A value, the rule that found it, and what stood around it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Sighting {
    /// The rule.
    pub rule: RuleIndex,
    /// The value.
    pub secret: Box<[u8]>,
    /// What a detector saw around it.
    pub evidence: Option<Evidence>,
}

/// All sightings, numbered. Shared by the threads of a walk.
#[derive(Debug)]
pub struct Sightings {
    shards: Vec<Mutex<HashMap<Sighting, u32>>>,
    hasher: RandomState,
}

impl Sightings {
    /// None yet.
    pub fn new() -> Self {
        Sightings { shards: (0..SHARDS).map(|_| Mutex::default()).collect(), hasher: RandomState::new() }
    }

    /// The number of a candidate's sighting, or [`IGNORED`] when its rule does not accept the value.
    pub fn mark(&self, matcher: &Matcher, text: &[u8], candidate: &Candidate) -> u32 {
        if !matcher.accepts(text, candidate) {
            return IGNORED;
        }
        self.number(Sighting {
            rule: candidate.rule,
            secret: secret_of(matcher, candidate, text).into(),
            evidence: candidate.evidence,
        })
    }

    /// The number of a sighting.
    pub fn number(&self, sighting: Sighting) -> u32 {
        let shard = self.hasher.hash_one(&sighting) as usize % SHARDS;
        let mut map = self.shards[shard].lock().unwrap_or_else(PoisonError::into_inner);
        let next = (map.len() * SHARDS + shard) as u32;
        *map.entry(sighting).or_insert(next)
    }

    /// Shows every sighting with its number.
    pub fn each(&self, mut show: impl FnMut(u32, &Sighting)) {
        for shard in &self.shards {
            let sightings = shard.lock().unwrap_or_else(PoisonError::into_inner);
            sightings.iter().for_each(|(sighting, &number)| show(number, sighting));
        }
    }

    /// All sightings by their numbers (some numbers have none).
    pub fn into_list(self) -> Vec<Option<Sighting>> {
        let mut list = Vec::new();
        for shard in self.shards {
            for (sighting, number) in shard.into_inner().unwrap_or_else(PoisonError::into_inner) {
                let number = number as usize;
                if list.len() <= number {
                    list.resize(number + 1, None);
                }
                list[number] = Some(sighting);
            }
        }
        list
    }
}
