//! Keys as they are sent: 16 hexadecimal digits (`legacy.md` 4.2).

use std::fmt;

use bytes::Bytes;

use crate::key::Key;

/// A key as it stands in an order. It need not be one: a node looks at the name of the channel first,
/// whatever the key is.
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct KeyText(Bytes);

impl KeyText {
    /// Digits of a key.
    pub const LEN: usize = 16;

    /// Any bytes, also such as are no key.
    pub fn copy_from(bytes: &[u8]) -> Self {
        Self(Bytes::copy_from_slice(bytes))
    }

    /// The bytes as they are sent.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The key that is meant. Capital digits are digits too; anything else is no key.
    pub fn parse(&self) -> Option<Key> {
        parse(&self.0)
    }
}

/// The key that is spelled by these bytes.
pub(super) fn parse(bytes: &[u8]) -> Option<Key> {
    if bytes.len() != KeyText::LEN {
        return None;
    }
    bytes
        .iter()
        .try_fold(0_u64, |number, byte| {
            let digit = char::from(*byte).to_digit(16)?;
            Some(number << 4 | u64::from(digit))
        })
        .map(Key)
}

/// The digits of a key.
pub(super) fn digits(key: Key) -> [u8; KeyText::LEN] {
    let mut rest = key.0;
    let mut digits = [0; KeyText::LEN];
    for digit in digits.iter_mut().rev() {
        *digit = b"0123456789abcdef"[(rest & 15) as usize];
        rest >>= 4;
    }
    digits
}

impl From<Key> for KeyText {
    fn from(key: Key) -> Self {
        Self::copy_from(&digits(key))
    }
}

impl fmt::Display for KeyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0.escape_ascii(), f)
    }
}

impl fmt::Debug for KeyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_sixteen_digits_which_may_be_capital() {
        assert_eq!(parse(b"00000000000000AB"), Some(Key(0xab)));
        for key in [
            "",
            "abc",
            "0x0000000000000a",
            "000000000000000g",
            "+00000000000000a",
            "0000000000000000a",
        ] {
            assert_eq!(parse(key.as_bytes()), None, "{key}");
        }
        for key in [0, 10, u64::MAX, 0x0123_4567_89ab_cdef] {
            let text = KeyText::from(Key(key));
            assert_eq!(text.as_bytes(), format!("{key:016x}").as_bytes());
            assert_eq!(text.parse(), Some(Key(key)));
        }
    }
}
