//! Maps from object ids that hash fast: an id is a hash already, so its first bytes serve as one.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

use super::oid::Oid;

/// Map from object ids.
pub type OidMap<V> = HashMap<Oid, V, BuildHasherDefault<FirstBytes>>;
/// Set of object ids.
pub type OidSet = HashSet<Oid, BuildHasherDefault<FirstBytes>>;

/// Takes the first eight bytes that are hashed.
#[derive(Debug, Default)]
pub struct FirstBytes(u64);

impl Hasher for FirstBytes {
    fn write(&mut self, bytes: &[u8]) {
        if let (0, Some(first)) = (self.0, bytes.first_chunk::<8>()) {
            self.0 = u64::from_le_bytes(*first);
        }
    }

    fn write_u8(&mut self, _: u8) {}

    fn write_usize(&mut self, _: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}
