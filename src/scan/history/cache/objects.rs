//! The objects that a cache knows, as they stand in its file: many, so they are looked up there and not taken apart.

use super::format::{Known, NO_BLOB};
use crate::source::git::{HashKind, Oid};

/// Bytes of a row behind the id: size (8) and list (4).
const BEHIND_ID: usize = 12;

/// Rows of known objects, sorted by id: id, size (8), list (4).
#[derive(Clone, PartialEq, Eq)]
pub struct Objects {
    rows: Vec<u8>,
    /// Bytes of an id.
    id: usize,
    /// By the first two bytes of an id: the place of the first object with such an id.
    starts: Vec<u32>,
}

impl std::fmt::Debug for Objects {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl Objects {
    /// None.
    pub fn none(hash: HashKind) -> Self {
        Objects { rows: Vec::new(), id: hash.oid_len(), starts: vec![0; (1 << 16) + 1] }
    }

    /// These, sorted by id, each once.
    pub fn of(known: &[Known], hash: HashKind) -> Self {
        let mut objects = Objects::none(hash);
        objects.rows.reserve_exact(known.len() * objects.row_len());
        for known in known {
            objects.rows.extend_from_slice(known.oid.as_bytes());
            objects.rows.extend_from_slice(&known.size.to_le_bytes());
            objects.rows.extend_from_slice(&known.list.to_le_bytes());
        }
        objects.find_starts();
        objects
    }

    /// What a file says in these rows. None when they are no whole rows, are not sorted, or name other
    /// lists than the first so many.
    pub fn read(rows: &[u8], hash: HashKind, lists: usize) -> Option<Self> {
        let mut objects = Objects { rows: rows.to_vec(), ..Objects::none(hash) };
        let mut before: Option<&[u8]> = None;
        let rows = objects.rows.chunks_exact(objects.row_len());
        if !rows.remainder().is_empty() {
            return None;
        }
        for row in rows {
            let (id, list) = (row.get(..objects.id)?, row.last_chunk().copied().map(u32::from_le_bytes)?);
            let is_sorted = before.replace(id).is_none_or(|before| before < id);
            if !is_sorted || (list != NO_BLOB && list as usize >= lists) {
                return None;
            }
        }
        objects.find_starts();
        Some(objects)
    }

    fn find_starts(&mut self) {
        self.starts.fill(0);
        for row in self.rows.chunks_exact(self.row_len()) {
            self.starts[first_two(row) + 1] += 1;
        }
        for at in 1..self.starts.len() {
            self.starts[at] += self.starts[at - 1];
        }
    }

    /// Bytes of a row.
    fn row_len(&self) -> usize {
        self.id + BEHIND_ID
    }

    /// Bytes of so many rows.
    pub fn bytes_of(count: usize, hash: HashKind) -> Option<usize> {
        count.checked_mul(hash.oid_len() + BEHIND_ID)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.rows.len() / self.row_len()
    }

    /// All of them as they are written.
    pub fn rows(&self) -> &[u8] {
        &self.rows
    }

    /// The object at a place.
    pub fn get(&self, at: usize) -> Option<Known> {
        let row = self.rows.get(at * self.row_len()..(at + 1) * self.row_len())?;
        let (id, rest) = row.split_at_checked(self.id)?;
        let (size, list) = rest.split_first_chunk()?;
        let list = u32::from_le_bytes(list.try_into().ok()?);
        Some(Known { oid: Oid::from_bytes(id)?, size: u64::from_le_bytes(*size), list })
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = Known> {
        (0..self.len()).filter_map(|at| self.get(at))
    }

    /// The place of an object.
    pub fn place(&self, oid: &Oid) -> Option<usize> {
        let wanted = oid.as_bytes();
        let first = first_two(wanted);
        let (start, end) = (*self.starts.get(first)? as usize, *self.starts.get(first + 1)? as usize);
        let rows = self.rows.get(start * self.row_len()..end * self.row_len())?;
        let ids = rows.chunks_exact(self.row_len()).map(|row| &row[..self.id]);
        // A few only: ids are spread evenly.
        let there = ids.enumerate().find(|(_, id)| head(id) >= head(wanted) && *id >= wanted)?;
        (there.1 == wanted).then_some(start + there.0)
    }
}

/// The first eight bytes of an id as a number; the order of these is that of ids.
fn head(id: &[u8]) -> u64 {
    id.first_chunk().map_or(0, |eight| u64::from_be_bytes(*eight))
}

/// The first two bytes of an id as a number.
fn first_two(id: &[u8]) -> usize {
    id.first_chunk().map_or(0, |two| usize::from(u16::from_be_bytes(*two)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn oid(bytes: [u8; 3]) -> Oid {
        let mut id = [0; 20];
        (id[0], id[1], id[8]) = (bytes[0], bytes[1], bytes[2]);
        Oid::from_bytes(&id).unwrap()
    }

    proptest! {
        #[test]
        fn what_is_there_is_found_and_nothing_else(
            known in prop::collection::btree_map(any::<[bool; 3]>(), (any::<u64>(), 0u32..4), 0..8),
            wrong in 0usize..8,
        ) {
            let id = |bits: &[bool; 3]| oid(bits.map(|bit| if bit { 255 } else { 7 }));
            let known: Vec<Known> = known.iter().map(|(bits, &(size, list))| Known { oid: id(bits), size, list }).collect();
            let objects = Objects::of(&known, HashKind::Sha1);
            prop_assert_eq!(objects.iter().collect::<Vec<_>>(), known.clone());
            for bits in 0..8 {
                let oid = id(&[bits & 1 != 0, bits & 2 != 0, bits & 4 != 0]);
                prop_assert_eq!(objects.place(&oid), known.iter().position(|known| known.oid == oid));
            }
            let lists = known.iter().map(|known| known.list as usize + 1).max().unwrap_or(0);
            prop_assert_eq!(Objects::read(objects.rows(), HashKind::Sha1, lists), Some(objects.clone()));
            if let Some(known) = known.get(wrong % known.len().max(1)) {
                prop_assert_eq!(Objects::read(objects.rows(), HashKind::Sha1, lists - 1), None);
                let twice = [*known, *known];
                prop_assert_eq!(Objects::read(Objects::of(&twice, HashKind::Sha1).rows(), HashKind::Sha1, lists), None);
                prop_assert_eq!(Objects::read(&objects.rows()[1..], HashKind::Sha1, lists), None);
            }
        }
    }
}
