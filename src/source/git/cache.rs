//! Bases of deltas that were needed lately.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::object::Kind;

/// Pack number and offset.
type Place = (u32, u64);

/// Inflated objects, at most `capacity` bytes of them. The oldest goes first.
pub(super) struct BaseCache {
    objects: HashMap<Place, (Kind, Arc<Vec<u8>>)>,
    order: VecDeque<Place>,
    bytes: usize,
    capacity: usize,
}

impl BaseCache {
    pub(super) fn new(capacity: usize) -> Self {
        BaseCache { objects: HashMap::new(), order: VecDeque::new(), bytes: 0, capacity }
    }

    pub(super) fn get(&self, place: Place) -> Option<(Kind, Arc<Vec<u8>>)> {
        self.objects.get(&place).cloned()
    }

    pub(super) fn put(&mut self, place: Place, kind: Kind, data: &Arc<Vec<u8>>) {
        // One object must not push out all the others.
        if data.len() > self.capacity / 4 || self.objects.contains_key(&place) {
            return;
        }
        self.bytes += data.len();
        self.objects.insert(place, (kind, Arc::clone(data)));
        self.order.push_back(place);
        while self.bytes > self.capacity
            && let Some(oldest) = self.order.pop_front()
        {
            self.bytes -= self.objects.remove(&oldest).map_or(0, |(_, data)| data.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_goes_first_and_no_object_pushes_out_all_others() {
        let mut cache = BaseCache::new(40);
        let object = |len: usize| Arc::new(vec![7; len]);
        let held = |cache: &BaseCache| {
            (0..9)
                .filter(|&n| cache.get((1, n)).is_some_and(|(kind, _)| kind == Kind::Blob))
                .collect::<Vec<_>>()
        };
        cache.put((1, 0), Kind::Blob, &object(11));
        assert_eq!(held(&cache), [0; 0], "more than a quarter");
        for n in 1..=4 {
            cache.put((1, n), Kind::Blob, &object(10));
        }
        assert_eq!(held(&cache), [1, 2, 3, 4]);
        cache.put((1, 1), Kind::Blob, &object(10));
        assert_eq!((held(&cache), cache.bytes), (vec![1, 2, 3, 4], 40), "it is there already");
        cache.put((1, 5), Kind::Blob, &object(1));
        assert_eq!((held(&cache), cache.bytes), (vec![2, 3, 4, 5], 31));
        cache.put((1, 6), Kind::Blob, &object(9));
        assert_eq!((held(&cache), cache.bytes), (vec![2, 3, 4, 5, 6], 40), "just full");
        assert_eq!(cache.get((1, 6)).unwrap().1.len(), 9);
    }
}
