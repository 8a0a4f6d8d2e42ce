//! The header of a message: ten bytes, the last of which makes the XOR of all of them 0
//! (`neo-transport.md` section 4).

use std::fmt;
use std::num::NonZeroU64;

use super::violation::Violation;

/// Bytes of a header.
pub const HEADER_LEN: usize = 10;
/// Bytes of the request id at the start of a request message's body.
pub const ID_LEN: usize = 8;
/// The largest body of an authentication message, in bytes.
pub const MAX_AUTH_BODY: u64 = 999;

/// What kind of message follows a header.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Kind {
    /// Part of a request; its body begins with the request's id.
    Request,
    /// Part of the authentication.
    Authentication,
}

impl Kind {
    fn code(self) -> u8 {
        match self {
            Self::Request => 1,
            Self::Authentication => 2,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Request => "request",
            Self::Authentication => "authentication",
        })
    }
}

/// A valid header.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Header {
    /// What follows.
    pub kind: Kind,
    /// Bytes that follow; for a request message at least [`ID_LEN`].
    pub body_len: u64,
}

impl Header {
    /// The header's ten bytes.
    pub fn encode(self) -> [u8; HEADER_LEN] {
        let mut bytes = [0; HEADER_LEN];
        bytes[0] = self.kind.code();
        bytes[1..9].copy_from_slice(&self.body_len.to_le_bytes());
        bytes[9] = parity(&bytes);
        bytes
    }

    /// Checks ten bytes in the order of `neo-transport.md` 4.1: parity, type, length. A request
    /// message above `limit` bytes is refused as well.
    pub fn decode(bytes: [u8; HEADER_LEN], limit: u64) -> Result<Self, Violation> {
        if parity(&bytes) != 0 {
            return Err(Violation::Parity { header: bytes });
        }
        let [code, length @ .., _] = bytes;
        let body_len = u64::from_le_bytes(length);
        match code {
            1 if body_len < ID_LEN as u64 => Err(Violation::NoRequestId { body_len }),
            1 if body_len > limit => Err(Violation::TooLong { body_len, limit }),
            1 => Ok(Self {
                kind: Kind::Request,
                body_len,
            }),
            2 if body_len > MAX_AUTH_BODY => Err(Violation::TooLong {
                body_len,
                limit: MAX_AUTH_BODY,
            }),
            2 => Ok(Self {
                kind: Kind::Authentication,
                body_len,
            }),
            _ => Err(Violation::MessageType { code }),
        }
    }
}

fn parity(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |parity, byte| parity ^ byte)
}

/// Identifies a request on its connection; chosen by the client, never 0 (`neo-transport.md` 8.2).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct RequestId(NonZeroU64);

impl RequestId {
    /// The first id that a client gives.
    pub const FIRST: Self = Self(NonZeroU64::MIN);

    /// `None` for 0, which is reserved.
    pub fn new(id: u64) -> Option<Self> {
        NonZeroU64::new(id).map(Self)
    }

    /// The number.
    pub fn get(self) -> u64 {
        self.0.get()
    }

    /// The id after this one; after the last one the first again.
    #[must_use]
    pub fn next(self) -> Self {
        self.0.checked_add(1).map_or(Self::FIRST, Self)
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NO_LIMIT: u64 = u64::MAX;

    fn header(kind: Kind, body_len: u64) -> Header {
        Header { kind, body_len }
    }

    #[test]
    fn examples_of_the_specification() {
        let cases = [
            (header(Kind::Request, 8), [1, 8, 0, 0, 0, 0, 0, 0, 0, 9]),
            (
                header(Kind::Request, 24),
                [1, 0x18, 0, 0, 0, 0, 0, 0, 0, 0x19],
            ),
            (header(Kind::Request, 65536), [1, 0, 0, 1, 0, 0, 0, 0, 0, 0]),
            (
                header(Kind::Authentication, 77),
                [2, 0x4d, 0, 0, 0, 0, 0, 0, 0, 0x4f],
            ),
            (
                header(Kind::Authentication, 999),
                [2, 0xe7, 3, 0, 0, 0, 0, 0, 0, 0xe6],
            ),
            (
                header(Kind::Request, 0x0102_0304_0506_0708),
                [1, 8, 7, 6, 5, 4, 3, 2, 1, 9],
            ),
        ];
        for (header, bytes) in cases {
            assert_eq!(header.encode(), bytes);
            assert_eq!(Header::decode(bytes, NO_LIMIT), Ok(header));
        }
    }

    #[test]
    fn every_single_bit_error_is_noticed() {
        let good = header(Kind::Request, 1234).encode();
        for bit in 0..80 {
            let mut bad = good;
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(
                matches!(Header::decode(bad, NO_LIMIT), Err(Violation::Parity { .. })),
                "bit {bit}"
            );
        }
    }

    #[test]
    fn lengths_and_types_are_checked() {
        for body_len in 0..8 {
            let bytes = header(Kind::Request, body_len).encode();
            assert_eq!(
                Header::decode(bytes, NO_LIMIT),
                Err(Violation::NoRequestId { body_len })
            );
        }
        let bytes = header(Kind::Authentication, 1000).encode();
        assert_eq!(
            Header::decode(bytes, NO_LIMIT),
            Err(Violation::TooLong {
                body_len: 1000,
                limit: 999
            })
        );
        let bytes = header(Kind::Request, 1 << 63).encode();
        assert_eq!(
            Header::decode(bytes, 100),
            Err(Violation::TooLong {
                body_len: 1 << 63,
                limit: 100
            })
        );
        assert_eq!(
            Header::decode([0; 10], NO_LIMIT),
            Err(Violation::MessageType { code: 0 })
        );
        assert_eq!(
            Header::decode([3, 8, 0, 0, 0, 0, 0, 0, 0, 3 ^ 8], NO_LIMIT),
            Err(Violation::MessageType { code: 3 })
        );
    }

    #[test]
    fn the_limit_itself_is_accepted() {
        let at_limit = header(Kind::Request, 100);
        assert_eq!(Header::decode(at_limit.encode(), 100), Ok(at_limit));
        let bytes = header(Kind::Request, 101).encode();
        let (body_len, limit) = (101, 100);
        assert_eq!(
            Header::decode(bytes, limit),
            Err(Violation::TooLong { body_len, limit })
        );
    }

    #[test]
    fn ids_follow_one_another_and_never_reach_0() {
        let ids = [
            Some(RequestId::FIRST),
            RequestId::new(2),
            RequestId::new(u64::MAX),
        ];
        let [first, second, last] = ids.map(Option::unwrap);
        assert_eq!((first.next(), last.next()), (second, first));
        assert_eq!(RequestId::new(0), None);
    }

    #[test]
    fn as_text() {
        assert_eq!(RequestId::FIRST.to_string(), "1");
        let kinds = [Kind::Request, Kind::Authentication];
        assert_eq!(
            kinds.map(|kind| kind.to_string()),
            ["request", "authentication"]
        );
    }
}
