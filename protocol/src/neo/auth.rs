//! The messages of the authentication and the code that proves a client's key
//! (`neo-transport.md` section 6).

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha512;
use subtle::ConstantTimeEq;
use thiserror::Error;

use super::credentials::{AuthKey, ClientName, Credentials};
use crate::codec::{DecodeError, Put, Reader};

/// The node's random bytes, fresh on each connection.
pub type Nonce = [u8; 4];
/// Proof of a key.
pub type Code = [u8; 64];

/// By how many seconds the clocks of client and node may differ.
pub const MAX_CLOCK_DIFFERENCE: u64 = 1800;

/// HMAC-SHA-512 over the timestamp and the nonce.
pub fn code(key: &AuthKey, timestamp: u64, nonce: Nonce) -> Code {
    // HMAC takes a key of any length.
    let Ok(mut mac) = Hmac::<Sha512>::new_from_slice(key.as_bytes()) else {
        unreachable!()
    };
    mac.update(&timestamp.to_le_bytes());
    mac.update(&nonce);
    mac.finalize().into_bytes().into()
}

/// The first message of the client: its time.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// The body of the message.
    pub fn encode(self) -> Vec<u8> {
        self.0.to_le_bytes().to_vec()
    }

    /// Reads the body of the message.
    pub fn decode(body: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(body);
        let timestamp = reader.u64("timestamp")?;
        reader.finish()?;
        Ok(Self(timestamp))
    }
}

/// Reads the node's answer to it, the nonce.
pub fn decode_nonce(body: &[u8]) -> Result<Nonce, DecodeError> {
    let mut reader = Reader::new(body);
    let nonce = reader.fixed("nonce")?;
    reader.finish()?;
    Ok(nonce)
}

/// The second message of the client: who it is, and the proof.
///
/// The name is kept as it came: a well-formed message with an impossible name gets an answer, a
/// malformed one does not (`neo-transport.md` 6.2).
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Proof {
    /// The client's name.
    pub name: Vec<u8>,
    /// The proof that it has the key.
    pub code: Code,
}

impl Proof {
    /// The body of the message.
    pub fn encode(&self) -> Vec<u8> {
        let mut body = Vec::with_capacity(8 + self.name.len() + self.code.len());
        body.put_array(&self.name);
        body.extend_from_slice(&self.code);
        body
    }

    /// Reads the body of the message.
    pub fn decode(body: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(body);
        let name = reader.array("name")?.to_vec();
        let code = reader.fixed("code")?;
        reader.finish()?;
        Ok(Self { name, code })
    }
}

/// Reads the node's verdict.
pub fn decode_verdict(body: &[u8]) -> Result<bool, DecodeError> {
    let mut reader = Reader::new(body);
    let accepted = reader.bool("accepted")?;
    reader.finish()?;
    Ok(accepted)
}

/// Why a node does not let a client in. The client is told only that it was refused.
#[derive(Clone, Debug, Error, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Refusal {
    /// The name is empty, too long or has characters that no name has.
    #[error("\"{}\" cannot be a client's name", .name.escape_ascii())]
    Name {
        /// The name.
        name: Vec<u8>,
    },
    /// Nobody has that name.
    #[error("no client \"{name}\" is known")]
    Unknown {
        /// The name.
        name: ClientName,
    },
    /// The client's clock is too far from the node's.
    #[error(
        "the clock of \"{name}\" says {timestamp}, the node's {now}; they may differ by {MAX_CLOCK_DIFFERENCE} s"
    )]
    Clock {
        /// The client.
        name: ClientName,
        /// Its time, in seconds since the UNIX epoch.
        timestamp: u64,
        /// The node's time.
        now: u64,
    },
    /// The code was not made with the client's key for this connection.
    #[error("the code of \"{name}\" is wrong: it has another key")]
    Code {
        /// The client.
        name: ClientName,
    },
}

/// The node's judgement over a client, in the order of `neo-transport.md` 6.1.
pub fn judge(
    credentials: &Credentials,
    now: u64,
    Timestamp(timestamp): Timestamp,
    nonce: Nonce,
    proof: &Proof,
) -> Result<ClientName, Refusal> {
    let name = ClientName::new(&proof.name).map_err(|_| Refusal::Name {
        name: proof.name.clone(),
    })?;
    let Some(key) = credentials.key(&name) else {
        return Err(Refusal::Unknown { name });
    };
    let plausible = timestamp != 0 && i64::try_from(timestamp).is_ok();
    if !plausible || timestamp.abs_diff(now) > MAX_CLOCK_DIFFERENCE {
        return Err(Refusal::Clock {
            name,
            timestamp,
            now,
        });
    }
    if !bool::from(code(key, timestamp, nonce).ct_eq(&proof.code)) {
        return Err(Refusal::Code { name });
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_the_specification() {
        let zero = AuthKey::ZERO;
        let hex = |code: Code| {
            code.iter()
                .map(|byte| format!("{byte:02x}"))
                .collect::<String>()
        };
        assert_eq!(
            hex(code(&zero, 1795328455, [0xec, 0x27, 0x4c, 0xa2])),
            "524030c1539dd117b1f19aa49bc05cf31257121999a410894a260ffaa40cb7de\
             683100ea586a43350e0c62728b3734d9b103b623753fdbee90445e3600830c21"
        );
        let counting = AuthKey::new(std::array::from_fn(|i| i as u8));
        assert_eq!(
            hex(code(&counting, 1700000000, [0xde, 0xad, 0xbe, 0xef])),
            "2fedee5b1cd346335b92ae0253c442a1e3f20c463b9d7d9ec7b9ee19ac05b9c2\
             19f53d4d5f224ad5247431645febd527ffa6eeffe9e095362feeef8336ce64ca"
        );
    }

    #[test]
    fn messages_have_exactly_their_length() {
        let time = Timestamp(1_795_328_455);
        assert_eq!(time.encode(), [0xc7, 0x89, 0x02, 0x6b, 0, 0, 0, 0]);
        assert_eq!(Timestamp::decode(&time.encode()), Ok(time));
        let proof = Proof {
            name: b"admin".to_vec(),
            code: [7; 64],
        };
        assert_eq!(proof.encode().len(), 77);
        assert_eq!(Proof::decode(&proof.encode()), Ok(proof.clone()));
        assert_eq!(decode_nonce(&[1, 2, 3, 4]), Ok([1, 2, 3, 4]));
        assert_eq!(decode_verdict(&[0]), Ok(false));
        assert_eq!(decode_verdict(&[1]), Ok(true));
        assert!(decode_verdict(&[2]).is_err(), "Q5");
        for len in 0..100 {
            let body = vec![0; len];
            assert_eq!(Timestamp::decode(&body).is_ok(), len == 8);
            assert_eq!(decode_nonce(&body).is_ok(), len == 4);
            assert_eq!(decode_verdict(&body).is_ok(), len == 1);
            assert_eq!(Proof::decode(&body).is_ok(), len == 72, "an empty name");
        }
        for len in 0..77 {
            assert!(Proof::decode(&proof.encode()[..len]).is_err());
        }
    }

    #[test]
    fn the_name_is_judged_before_the_clock_and_the_clock_before_the_code() {
        let credentials = Credentials::default_admin();
        let refusal = |name: &[u8], time| {
            let proof = Proof {
                name: name.to_vec(),
                code: [0; 64],
            };
            judge(&credentials, 1_000_000, Timestamp(time), [0; 4], &proof).unwrap_err()
        };
        assert!(matches!(refusal(b"bob", 0), Refusal::Unknown { .. }));
        assert!(matches!(refusal(b"admin", 0), Refusal::Clock { .. }));
        assert!(matches!(refusal(b"admin", 1_000_000), Refusal::Code { .. }));
    }

    #[test]
    fn times_that_no_clock_says_are_refused_whatever_the_node_s_own_says() {
        let credentials = Credentials::default_admin();
        for (time, is_clock) in [
            (0, false),
            (1, true),
            (i64::MAX as u64, true),
            (1 << 63, false),
        ] {
            let proof = Proof {
                name: b"admin".to_vec(),
                code: code(&AuthKey::ZERO, time, [0; 4]),
            };
            let verdict = judge(&credentials, time, Timestamp(time), [0; 4], &proof);
            match is_clock {
                true => assert!(verdict.is_ok(), "{time}"),
                false => assert!(matches!(verdict, Err(Refusal::Clock { .. })), "{time}"),
            }
        }
    }

    #[test]
    fn a_client_is_judged_by_name_clock_and_code() {
        let credentials = Credentials::default_admin();
        let (now, nonce) = (1_795_328_455, [1, 2, 3, 4]);
        let verdict = |name: &[u8], timestamp, key: &AuthKey| {
            let proof = Proof {
                name: name.to_vec(),
                code: code(key, timestamp, nonce),
            };
            judge(&credentials, now, Timestamp(timestamp), nonce, &proof)
        };
        assert_eq!(
            verdict(b"admin", now, &AuthKey::ZERO).unwrap().as_str(),
            "admin"
        );
        for timestamp in [now - 1800, now + 1800] {
            assert!(
                verdict(b"admin", timestamp, &AuthKey::ZERO).is_ok(),
                "the bounds are inclusive"
            );
        }
        for timestamp in [0, now - 1801, now + 1801, 1 << 63, u64::MAX] {
            assert!(matches!(
                verdict(b"admin", timestamp, &AuthKey::ZERO),
                Err(Refusal::Clock { .. })
            ));
        }
        for name in [&b""[..], b"with space", &[b'x'; 101]] {
            assert!(matches!(
                verdict(name, now, &AuthKey::ZERO),
                Err(Refusal::Name { .. })
            ));
        }
        assert!(matches!(
            verdict(b"Admin", now, &AuthKey::ZERO),
            Err(Refusal::Unknown { .. })
        ));
        let other = AuthKey::new([1; 128]);
        assert!(matches!(
            verdict(b"admin", now, &other),
            Err(Refusal::Code { .. })
        ));
    }
}
