//! Numbers for the values of a record, in the order in which they are first seen.
//!
//! Giving out numbers is most of what a check of a long history does, so this is a plain table of open addressing:
//! eight bytes a slot, and a hash of a few instructions. It is seeded, so that no file can be made to collide.

use std::hash::{BuildHasher, RandomState};

use crate::octets::Octets;
use crate::problem::Value;

/// The values that have a number.
pub(crate) struct Numbering<'h> {
    seeds: [u64; 2],
    /// As many as a power of two, less than half of them taken.
    slots: Vec<Slot>,
    /// By number.
    values: Vec<&'h [u8]>,
}

#[derive(Clone, Copy)]
struct Slot {
    /// One half of the hash; the other says where the slot is.
    tag: u32,
    /// The index in `values`, or [`FREE`].
    index: u32,
}

const FREE: Slot = Slot {
    tag: 0,
    index: u32::MAX,
};

impl<'h> Numbering<'h> {
    /// Has room for about so many values before it grows.
    pub(crate) fn with_capacity(values: usize) -> Self {
        let state = RandomState::new();
        Self {
            // Odd, since nothing may be multiplied by zero.
            seeds: [state.hash_one(0) | 1, state.hash_one(1) | 1],
            slots: vec![FREE; (2 * values).next_power_of_two().max(8)],
            values: Vec::with_capacity(values),
        }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    /// The number of this value, from 0.
    pub(crate) fn number(&mut self, value: &'h Octets) -> Value {
        let value = value.as_slice();
        let hash = self.hash(value);
        let tag = (hash >> 32) as u32;
        let mut place = self.home(hash);
        loop {
            let slot = self.slots[place];
            if slot.index == FREE.index {
                break;
            }
            if slot.tag == tag && self.values[slot.index as usize] == value {
                return slot.index;
            }
            place = (place + 1) & (self.slots.len() - 1);
        }
        // A history has fewer entries than this overflows with, which is checked before.
        let index = self.values.len() as u32;
        self.slots[place] = Slot { tag, index };
        self.values.push(value);
        if 2 * self.values.len() >= self.slots.len() {
            self.grow();
        }
        index
    }

    fn grow(&mut self) {
        self.slots = vec![FREE; 2 * self.slots.len()];
        for (index, value) in (0..).zip(&self.values) {
            let hash = self.hash(value);
            let mut place = self.home(hash);
            while self.slots[place].index != FREE.index {
                place = (place + 1) & (self.slots.len() - 1);
            }
            let tag = (hash >> 32) as u32;
            self.slots[place] = Slot { tag, index };
        }
    }

    fn home(&self, hash: u64) -> usize {
        hash as usize & (self.slots.len() - 1)
    }

    fn hash(&self, value: &[u8]) -> u64 {
        let (words, rest) = value.as_chunks::<8>();
        let mut hash = self.seeds[0] ^ value.len() as u64;
        for word in words {
            hash = folded(hash ^ u64::from_le_bytes(*word), self.seeds[1]);
        }
        let rest = rest
            .iter()
            .fold(0, |word, &byte| word << 8 | u64::from(byte));
        folded(hash ^ rest, self.seeds[1])
    }
}

/// Both halves of the product depend on all bits of the factors.
fn folded(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product as u64) ^ ((product >> 64) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_have_one_number_and_others_have_others() {
        let values: Vec<Octets> = (0..2_000)
            .map(|number| "x".repeat(number % 20) + &number.to_string())
            .map(Octets::from)
            .collect();
        // It grows many times.
        let mut numbering = Numbering::with_capacity(0);
        for _ in 0..2 {
            for (number, value) in (0..).zip(&values) {
                assert_eq!(numbering.number(value), number);
            }
        }
        assert_eq!(numbering.len(), values.len());
    }

    #[test]
    fn values_that_end_in_zeros_differ() {
        let values = ["", "\0", "\0\0", "\0\0\0\0\0\0\0\0"].map(Octets::from);
        let mut numbering = Numbering::with_capacity(4);
        assert_eq!(
            values.each_ref().map(|value| numbering.number(value)),
            [0, 1, 2, 3]
        );
    }
}
