//! What fuzz targets call: a cache's file, as a disk or somebody may have changed it.

use std::path::PathBuf;

use super::format::{self, MAGIC, Saved, VERSION};
use super::veil::Veil;
use super::{Cache, Unfit, prune};
use crate::scan::history::commits::Graph;
use crate::scan::history::oids::{FastSet, OidMap};
use crate::scan::history::parts::Families;
use crate::scan::history::sets::{Holdings, SetId, Sets};
use crate::source::git::HashKind;

const KEY: [u8; 32] = [7; 32];

fn read(bytes: &[u8], hash: HashKind) -> Result<Saved, Unfit> {
    format::read(bytes, &KEY, hash, |_| Some(Veil::with_key(b"a")))
}

/// What a file says whose beginning and checksum are right; what is written is read again.
pub fn cache(data: &[u8], hash: HashKind) {
    drop(read(data, hash));
    let mut bytes = [&MAGIC[..], &[VERSION], &KEY, data].concat();
    bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
    let Ok(saved) = read(&bytes, hash) else { return };
    let written = format::write(&saved, &KEY, hash, &Veil::with_key(b"a"));
    assert!(written.len() <= saved.size(hash));
    let again = read(&written, hash).expect("what we write can be read");
    assert_eq!(format!("{again:?}"), format!("{saved:?}"));
    used(saved, hash);
}

/// Whatever a file says, it can be made use of.
fn used(saved: Saved, hash: HashKind) {
    let (trees, names) = (saved.trees.clone(), saved.names.clone());
    let graph = Graph::new(saved.commits.clone());
    assert_eq!(graph.commits.len(), saved.commits.len());
    graph.reached_by(&(0..graph.commits.len()).collect::<Vec<_>>());
    let mut sets = Sets::new();
    let blobs = trees.entries().iter().filter(|entry| !entry.mode.is_tree());
    let blobs: OidMap<SetId> = blobs.map(|entry| (entry.oid, sets.number(&[entry.name]))).collect();
    let holdings = Holdings::compute(&trees, Families::of(&trees), &blobs, &mut sets);
    let held = |tree| sets.values(holdings.set(tree)).count();
    assert!(trees.records.iter().all(|record| held(&record.oid) <= names.len()));
    prune::prune(&trees, &names, |oid| blobs.contains_key(oid), &FastSet::default());
    let oids: Vec<_> = saved.objects.iter().map(|known| known.oid).collect();
    let mut cache = Cache::with(PathBuf::new(), KEY, hash, saved);
    cache.index();
    assert!(oids.iter().all(|oid| cache.passes(oid)) && cache.is_all_there());
    assert_eq!(cache.totals().0, oids.len() as u64);
    let back = cache.take_back(&trees, &names);
    assert_eq!(cache.totals().0, (oids.len() - back.len()) as u64);
}
