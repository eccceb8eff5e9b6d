//! Buffers that are used again instead of being given back: large ones are costly to get.

/// Bytes of free buffers to keep per thread.
const KEEP: usize = 16 << 20;

/// Free buffers of one thread, by size class.
pub(super) struct Buffers {
    /// Four classes for each power of two.
    classes: Vec<Vec<Vec<u8>>>,
    bytes: usize,
}

impl Buffers {
    pub(super) fn new() -> Self {
        Buffers { classes: vec![Vec::new(); 4 * usize::BITS as usize], bytes: 0 }
    }

    /// A buffer with room for `size` bytes, if memory allows. What it holds is left over from its last use.
    pub(super) fn get(&mut self, size: usize) -> Vec<u8> {
        let (class, rounded) = class_of(size);
        if let Some(buffer) = self.classes.get_mut(class).and_then(Vec::pop) {
            self.bytes -= buffer.capacity();
            return buffer;
        }
        let mut buffer = Vec::new();
        // If this fails, whoever fills the buffer finds out.
        let _ = buffer.try_reserve_exact(rounded);
        buffer
    }

    /// Takes a buffer back.
    pub(super) fn put(&mut self, buffer: Vec<u8>) {
        let capacity = buffer.capacity();
        let (class, rounded) = class_of(capacity);
        if rounded == capacity
            && self.bytes + capacity <= KEEP
            && let Some(free) = self.classes.get_mut(class)
        {
            self.bytes += capacity;
            free.push(buffer);
        }
    }
}

/// The smallest class that holds `size` bytes, and what it holds.
fn class_of(size: usize) -> (usize, usize) {
    let size = size.max(64);
    let power = (usize::BITS - 1 - size.leading_zeros()) as usize;
    let quarter = 1usize << (power - 2);
    let steps = (size - (1 << power)).div_ceil(quarter);
    (4 * power + steps, (1 << power) + steps * quarter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_ordered_and_hold_their_size() {
        let mut last = 0;
        for size in 0..5000 {
            let (class, rounded) = class_of(size);
            assert!(rounded >= size && class >= last);
            assert_eq!(class_of(rounded), (class, rounded));
            last = class;
        }
    }

    #[test]
    fn buffers_come_back() {
        let mut buffers = Buffers::new();
        let buffer = buffers.get(1000);
        let address = buffer.as_ptr();
        buffers.put(buffer);
        let again = buffers.get(900);
        assert_eq!(again.as_ptr(), address);
        buffers.put(vec![0; KEEP * 2]);
        assert_eq!(buffers.bytes, 0);
    }

    #[test]
    fn only_buffers_of_a_class_are_kept_and_only_so_many() {
        let mut buffers = Buffers::new();
        assert!(buffers.get(1000).capacity() >= 1000);
        buffers.put(Vec::with_capacity(1001));
        assert_eq!(buffers.bytes, 0, "1001 is the size of no class");
        buffers.put(Vec::with_capacity(KEEP / 2));
        buffers.put(Vec::with_capacity(KEEP / 2));
        assert_eq!(buffers.bytes, KEEP, "just full");
        buffers.put(Vec::with_capacity(64));
        assert_eq!(buffers.bytes, KEEP);
        buffers.get(KEEP / 2);
        assert_eq!(buffers.bytes, KEEP / 2);
    }
}
