//! The ids of all objects in packs, for those who ask for as many.

use super::oid::Oid;

/// More ids with the same first bits are searched by halves; for fewer, guessing which half costs more than looking.
const FEW: usize = 8;

/// A set of ids. It is made at once, from lists that are sorted already, which costs a fraction of hashing them.
#[derive(Debug)]
pub struct Packed {
    /// Sorted.
    ids: Vec<Oid>,
    /// Where the ids begin whose first bits are a number or more.
    starts: Vec<u32>,
    /// How far the first four bytes are shifted to leave those bits.
    shift: u32,
}

impl Packed {
    /// The set of these ids, of which there may be about so many.
    pub(super) fn of(ids: impl Iterator<Item = Oid>, about: usize) -> Self {
        let mut sorted: Vec<Oid> = Vec::with_capacity(about);
        sorted.extend(ids);
        sorted.sort(); // merges lists that are sorted
        // About one id for each number of so many bits.
        let bits = sorted.len().checked_ilog2().unwrap_or(0).min(24);
        let mut packed =
            Packed { ids: sorted, starts: Vec::with_capacity((1 << bits) + 1), shift: 32 - bits };
        for (id, place) in packed.ids.iter().zip(0..) {
            let number = packed.first_bits(id);
            packed.starts.resize(packed.starts.len().max(number + 1), place);
        }
        packed.starts.resize((1 << bits) + 1, packed.ids.len() as u32);
        packed
    }

    /// Whether an id is one of them.
    pub fn contains(&self, id: &Oid) -> bool {
        let number = self.first_bits(id);
        let place = |number: usize| self.starts.get(number).map_or(0, |&start| start as usize);
        let near = self.ids.get(place(number)..place(number + 1));
        near.is_some_and(|near| match near.len() > FEW {
            true => near.binary_search(id).is_ok(),
            false => near.contains(id),
        })
    }

    fn first_bits(&self, id: &Oid) -> usize {
        let first = id.as_bytes().first_chunk().map_or(0, |first| u32::from_be_bytes(*first));
        first.checked_shr(self.shift).unwrap_or(0) as usize
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn oid(number: u32) -> Oid {
        let mut bytes = [0; 20];
        bytes[..4].copy_from_slice(&number.to_be_bytes());
        bytes[19] = number as u8;
        Oid::from_bytes(&bytes).unwrap()
    }

    fn numbers() -> impl Strategy<Value = Vec<u32>> {
        // Spread as ids are, and close together as somebody may make them.
        prop_oneof![prop::collection::vec(any::<u32>(), 0..200), prop::collection::vec(0u32..300, 0..200)]
    }

    proptest! {
        #[test]
        fn agrees_with_a_plain_set(lists in prop::collection::vec(numbers(), 0..4), others in numbers()) {
            let ids = lists.iter().flatten().map(|&number| oid(number));
            let plain: BTreeSet<Oid> = ids.clone().collect();
            let packed = Packed::of(ids.clone(), 0);
            for id in ids.chain(others.iter().map(|&number| oid(number))) {
                prop_assert_eq!(packed.contains(&id), plain.contains(&id));
            }
        }
    }
}
