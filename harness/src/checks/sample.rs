//! Records for checks that need some.

use bytes::Bytes;
use dht_protocol::Key;

use super::Ground;

/// The first `count` keys, with different values of this length.
pub(super) fn records(ground: &Ground, count: u64, length: usize) -> Vec<(Key, Bytes)> {
    (0..count)
        .map(|number| (ground.key(number), value(number, length)))
        .collect()
}

/// A value that does not compress. If it has eight bytes or more, it differs from those of other numbers.
pub(super) fn value(number: u64, length: usize) -> Bytes {
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut value = number.to_le_bytes().to_vec();
    while value.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        value.extend(state.to_le_bytes());
    }
    value.truncate(length);
    value.into()
}
