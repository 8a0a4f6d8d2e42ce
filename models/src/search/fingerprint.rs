//! What a state is remembered by.

use std::hash::Hash;

use ahash::RandomState;

/// Seeds of our own (digits of e), so that a collision here is not one of stateright's.
const SEEDED: RandomState = RandomState::with_seeds(
    0x2b7e_1516_28ae_d2a6,
    0xabf7_1588_09cf_4f3c,
    0x762e_7160_f38b_4da5,
    0x6a78_4d90_45d2_f5c2,
);

/// A fingerprint of `state`; never zero, which marks a free slot of a table.
#[inline]
pub(super) fn fingerprint<S: Hash>(state: &S) -> u64 {
    SEEDED.hash_one(state).max(1)
}
