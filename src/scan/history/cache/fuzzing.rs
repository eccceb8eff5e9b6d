//! What fuzz targets call: a cache's file, as a disk or somebody may have changed it.

use std::path::PathBuf;

use super::format::{self, MAGIC, Saved, VERSION};
use super::veil::Veil;
use super::{Cache, Unfit};
use crate::scan::history::commits::Graph;
use crate::scan::history::oids::{FastSet, OidMap};
use crate::scan::history::parts::Families;
use crate::scan::history::sets::{Holdings, ListId, SetId, Sets};
use crate::scan::history::trees::Trees;
use crate::source::git::{HashKind, Oid};

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
    let written = format::write(&saved, &KEY, hash);
    assert!(written.len() <= saved.size(hash));
    let again = read(&written, hash).expect("what we write can be read");
    assert_eq!(format!("{again:?}"), format!("{saved:?}"));
    used(saved, hash);
}

/// Whatever a file says, it can be made use of.
fn used(saved: Saved, hash: HashKind) {
    let graph = Graph::new(saved.commits.clone());
    assert_eq!(graph.commits.len(), saved.commits.len());
    graph.reached_by(&(0..graph.commits.len()).collect::<Vec<_>>());
    let mut sets = Sets::new();
    let blobs: OidMap<SetId> =
        saved.blobs.iter().zip(0..).map(|(oid, n)| (*oid, sets.number(&[n]))).collect();
    let known: Vec<_> = saved.objects.iter().collect();
    let all: Vec<Oid> =
        known.iter().map(|known| &known.oid).chain(&saved.blobs).chain(&saved.others).copied().collect();
    let need_none: FastSet<Oid> = known
        .iter()
        .map(|known| known.oid)
        .chain(saved.held.iter().filter_map(|held| saved.blob(held)))
        .collect();
    let mut cache = Cache::with(PathBuf::new(), KEY, hash, saved);
    cache.index();
    for oid in &all {
        assert!(cache.passes(oid) || !need_none.contains(oid));
    }
    assert!(cache.totals().0 >= need_none.len() as u64);
    let names = cache.names().to_vec();
    assert_eq!(Trees::with_names(&names).into_names(), names);
    let taken = cache.take();
    let holdings =
        Holdings::compute(&taken.trees, Families::of(&taken.trees), cache.before(), &blobs, &mut sets);
    for tree in &known {
        assert!(sets.values(holdings.set(&tree.oid)).count() <= blobs.len());
    }
    assert!(
        (0..holdings.count() as ListId)
            .all(|list| holdings.in_list(list).iter().all(|it| it.name < names.len() as u32))
    );
    let before = cache.totals().0;
    let back = cache.take_back(&taken.trees, &names);
    assert_eq!(cache.totals().0, before - back.len() as u64);
}
