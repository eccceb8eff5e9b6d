//! Which of some values given trees already hold.
//!
//! A blob is examined only if the bytes of a value stand in it: so the search costs no more than reading the
//! trees once, and what it says of a place is what a scan of that place says.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};

use aho_corasick::{AhoCorasick, MatchKind};
use bstr::BString;
use rayon::prelude::*;

use super::oids::{OidMap, OidSet};
use super::workers::Workers;
use crate::finding::{Finding, Location, MessageKind, Status};
use crate::source::git::{Kind, Odb, Oid, tree_entries};

/// Paths at which a blob that occurs many times is examined.
const MAX_PATHS: usize = 4;
/// Shorter pieces of encoded text say nothing.
const MIN_NEEDLE: usize = 8;

/// Which findings of a place count as holding a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counts {
    /// All.
    Every,
    /// Those that nothing suppresses: what is allowed in one place is not allowed in others.
    Unsuppressed,
}

/// A value to look for. Not `Debug`: it is a secret.
pub struct Sought<'a> {
    /// The value.
    pub secret: &'a [u8],
    /// Encoded text in which it stood, if it did.
    pub encoded: Vec<Box<[u8]>>,
}

/// Looks for values in trees.
pub struct Search<'a, 'e> {
    odb: &'a Odb,
    workers: &'a Workers<'e>,
    stop: &'a AtomicBool,
    automaton: AhoCorasick,
    /// The value that each pattern of the automaton belongs to.
    owners: Vec<u32>,
    values: Vec<&'a [u8]>,
    /// Values whose bytes stand in each blob that was read.
    in_blobs: OidMap<Box<[u32]>>,
}

/// What a tree holds, at any depth.
#[derive(Default)]
struct Listing {
    blobs: OidMap<Vec<(BString, bool)>>,
    /// Values that stand in names.
    in_names: HashSet<u32>,
}

impl<'a, 'e> Search<'a, 'e> {
    /// Prepares a search. None if there is nothing to look for, or too much.
    pub fn new(
        odb: &'a Odb,
        workers: &'a Workers<'e>,
        stop: &'a AtomicBool,
        sought: Vec<Sought<'a>>,
    ) -> Option<Self> {
        let values: Vec<&[u8]> = sought.iter().map(|value| value.secret).collect();
        let (mut needles, mut owners) = (Vec::new(), Vec::new());
        for (value, one) in sought.iter().enumerate() {
            let encoded =
                one.encoded.iter().map(AsRef::as_ref).filter(|text: &&[u8]| text.len() >= MIN_NEEDLE);
            for needle in std::iter::once(one.secret).chain(encoded) {
                needles.push(needle);
                owners.push(value as u32);
            }
        }
        let automaton = AhoCorasick::builder().match_kind(MatchKind::Standard).build(&needles).ok()?;
        (!values.is_empty()).then(|| Search {
            odb,
            workers,
            stop,
            automaton,
            owners,
            values,
            in_blobs: OidMap::default(),
        })
    }

    /// The values (by their places in the list given) that these trees hold. Parts that cannot be read hold
    /// nothing.
    pub fn held(&mut self, roots: &[Oid], counts: Counts) -> HashSet<u32> {
        let listing = self.list(roots);
        self.read_blobs(&listing);
        let mut held = listing.in_names;
        let mut with_hits: Vec<(Oid, &[(BString, bool)])> = listing
            .blobs
            .iter()
            .filter(|(oid, _)| self.in_blobs.get(oid).is_some_and(|hits| !hits.is_empty()))
            .map(|(oid, paths)| (*oid, paths.as_slice()))
            .collect();
        with_hits.sort_unstable_by(|a, b| a.1.cmp(b.1));
        for (oid, paths) in with_hits {
            if self.stop.load(Ordering::Relaxed) {
                break;
            }
            if self.in_blobs[&oid].iter().all(|value| held.contains(value)) {
                continue;
            }
            let Ok(content) = self.odb.read_kind(&oid, Kind::Blob) else { continue };
            for (path, is_link) in paths {
                held.extend(self.confirm(&content, path, *is_link, counts));
            }
        }
        held
    }

    /// The values that a scan of this content finds.
    fn confirm(&self, content: &[u8], path: &BString, is_link: bool, counts: Counts) -> Vec<u32> {
        let location = Location {
            path: Some(path.clone()),
            message_kind: is_link.then_some(MessageKind::LinkTarget),
            ..Location::default()
        };
        let findings = self.workers.examine_apart(content, &location);
        let counts = |found: &&Finding| counts == Counts::Every || found.status == Status::New;
        let places: HashMap<&[u8], u32> =
            self.values.iter().enumerate().map(|(at, value)| (*value, at as u32)).collect();
        findings
            .iter()
            .filter(counts)
            .filter_map(|found| places.get(found.secret.expose()).copied())
            .collect()
    }

    fn list(&self, roots: &[Oid]) -> Listing {
        let mut listing = Listing::default();
        let mut seen = OidSet::default();
        let mut pending: Vec<(Oid, BString)> = roots.iter().map(|root| (*root, BString::default())).collect();
        while let Some((tree, prefix)) = pending.pop() {
            if !seen.insert(tree) || self.stop.load(Ordering::Relaxed) {
                continue;
            }
            let Ok(data) = self.odb.read_kind(&tree, Kind::Tree) else { continue };
            for entry in tree_entries(&data, self.odb.hash()).map_while(Result::ok) {
                listing.in_names.extend(self.hits(entry.name));
                let path: BString = [&prefix[..], entry.name].concat().into();
                if entry.mode.is_tree() {
                    pending.push((entry.oid, [&path[..], b"/"].concat().into()));
                } else if entry.mode.is_blob() {
                    let paths = listing.blobs.entry(entry.oid).or_default();
                    if paths.len() < MAX_PATHS {
                        paths.push((path, entry.mode.is_symlink()));
                    }
                }
            }
        }
        for paths in listing.blobs.values_mut() {
            paths.sort_unstable();
        }
        listing
    }

    fn read_blobs(&mut self, listing: &Listing) {
        let mut unread: Vec<Oid> =
            listing.blobs.keys().filter(|oid| !self.in_blobs.contains_key(*oid)).copied().collect();
        unread.sort_unstable();
        let this = &*self;
        let found: Vec<(Oid, Box<[u32]>)> = unread
            .into_par_iter()
            .filter(|_| !this.stop.load(Ordering::Relaxed))
            .filter_map(|oid| Some((oid, this.hits(&this.odb.read_kind(&oid, Kind::Blob).ok()?))))
            .collect();
        self.in_blobs.extend(found);
    }

    /// The values whose bytes, or whose encoded form, stand in a text; ascending.
    fn hits(&self, text: &[u8]) -> Box<[u32]> {
        let mut found = Vec::new();
        for hit in self.automaton.find_overlapping_iter(text) {
            let owner = self.owners[hit.pattern().as_usize()];
            if !found.contains(&owner) {
                found.push(owner);
                if found.len() == self.values.len() {
                    break;
                }
            }
        }
        found.sort_unstable();
        found.into()
    }
}
