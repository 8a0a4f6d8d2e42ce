//! Record keys, the hash ranges that nodes are responsible for, and the hash of the protocol
//! (`semantics-and-client.md` A2, A3).

use std::fmt;

use crate::codec::{DecodeError, Put, Reader, Reason};

/// The key of a record: an opaque 64-bit number. Shown as 16 hexadecimal digits.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Key(pub u64);

impl Key {
    /// Where the key stands in the hash space: its 64 bits in reverse order.
    pub fn position(self) -> u64 {
        self.0.reverse_bits()
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl From<u64> for Key {
    fn from(key: u64) -> Self {
        Self(key)
    }
}

/// The keys that a node is responsible for: those whose [position](Key::position) lies between two
/// bounds, both inclusive, or none at all.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct HashRange {
    min: u64,
    max: u64,
}

impl HashRange {
    /// Every key; the range of a node that is alone.
    pub const FULL: Self = Self {
        min: 0,
        max: u64::MAX,
    };
    /// No key; the only legal range whose lower bound is above the upper one.
    pub const EMPTY: Self = Self {
        min: u64::MAX,
        max: 0,
    };

    /// The range from `min` to `max`, both inclusive. `None` if `min > max`, unless the two spell
    /// [`HashRange::EMPTY`].
    pub fn new(min: u64, max: u64) -> Option<Self> {
        let range = Self { min, max };
        (min <= max || range == Self::EMPTY).then_some(range)
    }

    /// Lower bound, inclusive.
    pub fn min(self) -> u64 {
        self.min
    }

    /// Upper bound, inclusive.
    pub fn max(self) -> u64 {
        self.max
    }

    /// Is a node with this range responsible for `key`?
    pub fn covers(self, key: Key) -> bool {
        (self.min..=self.max).contains(&key.position())
    }

    /// Is every key of `other` one of this range too?
    pub(crate) fn includes(self, other: Self) -> bool {
        // True for an empty `other`, whose lower bound is the highest and upper bound the lowest.
        self.min <= other.min && other.max <= self.max
    }

    /// Keys of the range, numbered: in the full range each number is its own key, in any other one they
    /// are spread over it and repeat only where the range has fewer keys than were asked for. The empty
    /// range has none; there too the number is the key.
    pub fn nth_key(self, number: u64) -> Key {
        if self == Self::FULL || self == Self::EMPTY {
            return Key(number);
        }
        // Multiples of the golden ratio spread evenly; in a range of 2^n keys they do not repeat.
        let spread = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        // Not the full range, so this does not overflow.
        let size = self.max - self.min + 1;
        Key((self.min + spread % size).reverse_bits())
    }

    /// Reads the two bounds.
    pub(crate) fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let offset = reader.offset();
        let (min, max) = (reader.u64("min")?, reader.u64("max")?);
        Self::new(min, max).ok_or(DecodeError {
            field: "range",
            offset,
            reason: Reason::Range { min, max },
        })
    }

    /// Writes the two bounds.
    pub(crate) fn encode(self, out: &mut Vec<u8>) {
        out.put_u64(self.min);
        out.put_u64(self.max);
    }
}

impl fmt::Display for HashRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}..{:016x}", self.min, self.max)
    }
}

/// FNV-1a with 64 bits: the hash that Update compares values by, and that applications make keys with.
pub fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_agrees_with_the_specification() {
        assert_eq!(fnv1a(b""), 0xcbf29ce484222325);
        assert_eq!(fnv1a(b"a"), 0xaf63dc4c8601ec8c);
        assert_eq!(fnv1a(b"foo"), 0xdcb27518fed9d577);
        assert_eq!(fnv1a(b"hello"), 0xa430d84680aabd0b);
        assert_eq!(fnv1a(b"oldval"), 0x3b35e679f65d708d);
    }

    #[test]
    fn positions_are_reversed_keys() {
        assert_eq!(Key(1).position(), 1 << 63);
        assert_eq!(Key(0xabcd).position(), 0xb3d5_0000_0000_0000);
        assert_eq!(Key::from(u64::MAX).position(), u64::MAX);
    }

    #[test]
    fn numbered_keys_lie_in_the_range() {
        for (min, max) in [
            (0, u64::MAX),
            (1 << 62, (1 << 63) - 1),
            (5, 5),
            (u64::MAX, u64::MAX),
        ] {
            let range = HashRange::new(min, max).unwrap();
            assert!(
                (0..100).all(|number| range.covers(range.nth_key(number))),
                "{range}"
            );
        }
        for range in [HashRange::FULL, HashRange::EMPTY] {
            assert_eq!(range.nth_key(7), Key(7));
        }
        let half = HashRange::new(0, u64::MAX >> 1).unwrap();
        let keys: std::collections::BTreeSet<_> =
            (0..1000).map(|number| half.nth_key(number)).collect();
        assert_eq!(keys.len(), 1000);
    }

    #[test]
    fn bounds_are_inclusive() {
        let range = HashRange::new(0x4000_0000_0000_0000, 0x7fff_ffff_ffff_ffff).unwrap();
        assert_eq!(range.min(), 0x4000_0000_0000_0000);
        assert_eq!(range.max(), 0x7fff_ffff_ffff_ffff);
        assert!(range.covers(Key(2)), "position 4000..., the lower bound");
        assert!(
            range.covers(Key(u64::MAX - 1)),
            "position 7fff..., the upper bound"
        );
        assert!(!range.covers(Key(0)));
        assert!(!range.covers(Key(1)));
        assert!(HashRange::FULL.covers(Key(u64::MAX)));
        assert!(!HashRange::EMPTY.covers(Key(0)) && !HashRange::EMPTY.covers(Key(u64::MAX)));
        assert_eq!(HashRange::new(2, 1), None);
    }

    #[test]
    fn a_range_includes_its_parts_and_nothing_else() {
        let range = |min, max| HashRange::new(min, max).unwrap();
        for (part, included) in [
            (range(10, 20), true),
            (range(11, 19), true),
            (HashRange::EMPTY, true),
            (range(9, 20), false),
            (range(10, 21), false),
            (HashRange::FULL, false),
        ] {
            assert_eq!(range(10, 20).includes(part), included, "{part}");
        }
        assert!(HashRange::EMPTY.includes(HashRange::EMPTY));
        assert!(!HashRange::EMPTY.includes(range(u64::MAX, u64::MAX)));
        assert!(!HashRange::EMPTY.includes(range(0, 0)));
    }
}
