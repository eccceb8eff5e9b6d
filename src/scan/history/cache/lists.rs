//! Lists of small numbers, each kept once.

use std::collections::HashMap;

/// Distinct lists, by their numbers.
#[derive(Debug, Default)]
pub struct Lists {
    all: Vec<Vec<u16>>,
    numbers: HashMap<Vec<u16>, u32>,
}

impl Lists {
    /// Begins with lists that have numbers already: their places.
    pub fn of(all: Vec<Vec<u16>>) -> Self {
        let numbers = all.iter().cloned().zip(0..).collect();
        Lists { all, numbers }
    }

    /// The number of a list.
    pub fn number(&mut self, list: Vec<u16>) -> u32 {
        if let Some(&number) = self.numbers.get(&list) {
            return number;
        }
        let number = self.all.len() as u32;
        self.all.push(list.clone());
        self.numbers.insert(list, number);
        number
    }

    /// All lists, by their numbers.
    pub fn into_all(self) -> Vec<Vec<u16>> {
        self.all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_lists_have_equal_numbers() {
        let mut lists = Lists::of(vec![Vec::new(), vec![3, 1]]);
        assert_eq!(lists.number(vec![1, 3]), 2);
        assert_eq!((lists.number(vec![3, 1]), lists.number(vec![1, 3]), lists.number(Vec::new())), (1, 2, 0));
        assert_eq!(lists.into_all(), [vec![], vec![3, 1], vec![1, 3]]);
    }
}
