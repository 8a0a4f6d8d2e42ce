//! What the tests of the oracles share: inputs that hit something, and whether something was noticed.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::seeds;

/// Does it panic?
pub(crate) fn is_noticed(work: impl FnOnce()) -> bool {
    catch_unwind(AssertUnwindSafe(work)).is_err()
}

/// So many inputs that look random.
pub(crate) fn noise(count: u64) -> impl Iterator<Item = Vec<u8>> {
    (0..count).map(|number| seeds::noise(1000 + number, 160))
}
