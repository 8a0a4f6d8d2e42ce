//! The fingerprints of the states that are known, each with a value.

/// A hash table with open addressing. A fingerprint is its own hash: it is scaled to the number of slots, so
/// that the table can grow by a quarter instead of doubling, and a growing table is copied in order.
#[derive(Debug, Default)]
pub(super) struct Table<V> {
    /// Zero is a free slot.
    fingerprints: Vec<u64>,
    values: Vec<V>,
    len: usize,
}

impl<V: Copy + Default> Table<V> {
    /// The number of bytes of a slot.
    const SLOT: usize = size_of::<u64>() + size_of::<V>();

    pub(super) fn bytes(&self) -> usize {
        self.fingerprints.len() * Self::SLOT
    }

    /// The bytes that the table will have when there is room for `extra` more fingerprints.
    pub(super) fn bytes_with(&self, extra: usize) -> usize {
        self.slots_with(extra) * Self::SLOT
    }

    /// Makes room for `extra` more fingerprints.
    pub(super) fn reserve(&mut self, extra: usize) {
        let slots = self.slots_with(extra);
        if slots == self.fingerprints.len() {
            return;
        }
        let mut grown = Self {
            fingerprints: vec![0; slots],
            values: vec![V::default(); slots],
            len: self.len,
        };
        for (&fingerprint, &value) in self.fingerprints.iter().zip(&self.values) {
            if fingerprint != 0 {
                let (slot, _) = grown.find(fingerprint);
                grown.fingerprints[slot] = fingerprint;
                grown.values[slot] = value;
            }
        }
        *self = grown;
    }

    pub(super) fn get(&self, fingerprint: u64) -> Option<V> {
        if self.fingerprints.is_empty() {
            return None;
        }
        match self.find(fingerprint) {
            (slot, true) => Some(self.values[slot]),
            (_, false) => None,
        }
    }

    /// Enters a fingerprint, which must not be zero. The value that it already has, if it is known.
    pub(super) fn insert(&mut self, fingerprint: u64, value: V) -> Option<V> {
        self.reserve(1);
        let (slot, known) = self.find(fingerprint);
        if known {
            return Some(self.values[slot]);
        }
        self.fingerprints[slot] = fingerprint;
        self.values[slot] = value;
        self.len += 1;
        None
    }

    /// Where a fingerprint is, or the free slot where it belongs. There is always a free slot.
    #[inline]
    fn find(&self, fingerprint: u64) -> (usize, bool) {
        let slots = self.fingerprints.len();
        let mut slot = ((u128::from(fingerprint) * slots as u128) >> 64) as usize;
        loop {
            let there = self.fingerprints[slot];
            if there == fingerprint {
                return (slot, true);
            }
            if there == 0 {
                return (slot, false);
            }
            slot += 1;
            if slot == slots {
                slot = 0;
            }
        }
    }

    /// At most four fifths of the slots are used.
    fn slots_with(&self, extra: usize) -> usize {
        let slots = self.fingerprints.len();
        let needed = (self.len + extra) * 5 / 4 + 1;
        if needed <= slots {
            return slots;
        }
        needed.max(slots + slots / 4).max(32)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::Table;

    #[test]
    fn an_empty_table_knows_nothing() {
        assert_eq!(Table::<u32>::default().get(7), None);
    }

    #[test]
    fn a_growing_table_takes_what_it_foretold() {
        let mut table = Table::<u32>::default();
        for round in 1..50_u64 {
            let foretold = table.bytes_with(100);
            table.reserve(100);
            for entry in 0..100 {
                table.insert(
                    (round * 1000 + entry).wrapping_mul(0x9e37_79b9_7f4a_7c15),
                    1,
                );
            }
            assert_eq!(table.bytes(), foretold);
        }
        assert_eq!(table.len, 4900);
        assert!(
            table.bytes() <= 4900 * 12 * 25 / 16 + 24,
            "{}",
            table.bytes()
        );
    }

    proptest! {
        #[test]
        fn behaves_as_a_map(entries in prop::collection::vec((prop_oneof![1..40_u64, u64::MAX - 20..=u64::MAX, 1..=u64::MAX], any::<u32>()), 0..300)) {
            let mut table = Table::default();
            let mut map = HashMap::new();
            for (fingerprint, value) in entries {
                let known = map.get(&fingerprint).copied();
                prop_assert_eq!(table.get(fingerprint), known);
                prop_assert_eq!(table.insert(fingerprint, value), known);
                map.entry(fingerprint).or_insert(value);
                prop_assert_eq!(table.len, map.len());
            }
            for (fingerprint, value) in map {
                prop_assert_eq!(table.get(fingerprint), Some(value));
            }
        }
    }
}
