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
