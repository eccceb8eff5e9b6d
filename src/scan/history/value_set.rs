//! A set of values: a list when it is small, a bit for each value when that takes less room.

/// A set of numbers. Equal sets have equal forms, so that they hash alike.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ValueSet {
    /// Ascending, each once.
    Few(Box<[u32]>),
    /// Bit `n % 64` of word `n / 64` is set for each number `n`; the last word is not 0.
    Many(Box<[u64]>),
}

impl ValueSet {
    /// The set of these numbers, which ascend.
    pub fn of(numbers: &[u32]) -> Self {
        let words = numbers.last().map_or(0, |&last| last as usize / 64 + 1);
        if numbers.len() <= 2 * words {
            return ValueSet::Few(numbers.into());
        }
        let mut bits = vec![0; words];
        numbers.iter().for_each(|&n| bits[n as usize / 64] |= 1 << (n % 64));
        ValueSet::Many(bits.into())
    }

    /// The union of sets.
    pub fn union<'a>(sets: impl Iterator<Item = &'a ValueSet>) -> Self {
        let mut bits: Vec<u64> = Vec::new();
        for set in sets {
            match set {
                ValueSet::Few(numbers) => {
                    let words = numbers.last().map_or(0, |&last| last as usize / 64 + 1);
                    bits.resize(bits.len().max(words), 0);
                    numbers.iter().for_each(|&n| bits[n as usize / 64] |= 1 << (n % 64));
                }
                ValueSet::Many(words) => {
                    bits.resize(bits.len().max(words.len()), 0);
                    bits.iter_mut().zip(words).for_each(|(all, word)| *all |= word);
                }
            }
        }
        let count: usize = bits.iter().map(|word| word.count_ones() as usize).sum();
        let set = ValueSet::Many(bits.into());
        match &set {
            ValueSet::Many(bits) if count <= 2 * bits.len() => ValueSet::Few(set.iter().collect()),
            _ => set,
        }
    }

    /// Whether a number is in the set.
    pub fn contains(&self, number: u32) -> bool {
        match self {
            ValueSet::Few(numbers) => numbers.binary_search(&number).is_ok(),
            ValueSet::Many(bits) => {
                bits.get(number as usize / 64).is_some_and(|word| word >> (number % 64) & 1 != 0)
            }
        }
    }

    /// The numbers, ascending.
    pub fn iter(&self) -> impl Iterator<Item = u32> {
        let (few, many): (&[u32], &[u64]) = match self {
            ValueSet::Few(numbers) => (numbers, &[]),
            ValueSet::Many(bits) => (&[], bits),
        };
        few.iter().copied().chain(many.iter().enumerate().flat_map(|(at, &word)| {
            let first = at as u32 * 64;
            let rest = |word: &u64| Some(word & (word - 1)).filter(|rest| *rest != 0);
            std::iter::successors(Some(word).filter(|word| *word != 0), rest)
                .map(move |word| first + word.trailing_zeros())
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn numbers() -> impl Strategy<Value = BTreeSet<u32>> {
        prop_oneof![
            proptest::collection::btree_set(0..200u32, 0..150),
            proptest::collection::btree_set(0..5000u32, 0..20),
        ]
    }

    fn of(numbers: &BTreeSet<u32>) -> ValueSet {
        ValueSet::of(&numbers.iter().copied().collect::<Vec<_>>())
    }

    proptest! {
        #[test]
        fn agrees_with_a_plain_set(a in numbers(), b in numbers(), c in numbers()) {
            let all: BTreeSet<u32> = a.iter().chain(&b).chain(&c).copied().collect();
            let union = ValueSet::union([of(&a), of(&b), of(&c)].iter());
            prop_assert_eq!(&union, &of(&all), "the form depends on the numbers alone");
            prop_assert_eq!(union.iter().collect::<BTreeSet<_>>(), all.clone());
            prop_assert!((0..5100).all(|n| union.contains(n) == all.contains(&n)));
        }
    }
}
