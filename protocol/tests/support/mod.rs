//! What several tests share: a node's storage in memory, a client and a node that talk over bytes in
//! memory, and texts in hexadecimal. The unit tests of the crate use it as `crate::testing`.

// Every test uses its part of this.
#![allow(dead_code, unused_imports)]

pub(crate) mod half;
pub(crate) mod legacy;
pub(crate) mod memory;
pub(crate) mod recordings;
pub(crate) mod said;
pub(crate) mod talk;
pub(crate) mod wire;

use std::net::{Ipv4Addr, SocketAddrV4};

use dht_protocol::neo::NodeAddress;

pub(crate) use half::{Half, open, open_as, said};
pub(crate) use memory::{Event, Memory};
pub(crate) use wire::Wire;

/// The bytes that hexadecimal digits spell; everything else in the text is for the reader.
pub(crate) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .chars()
        .filter_map(|digit| digit.to_digit(16).map(|value| value as u8))
        .collect();
    assert!(digits.len().is_multiple_of(2), "half a byte in {text:?}");
    digits
        .chunks(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect()
}

/// Bytes that cannot be compressed, the same every time.
pub(crate) fn noise(length: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let bytes = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    });
    bytes.take(length).collect()
}

/// An address of a node; nothing listens there.
pub(crate) fn node(port: u16) -> NodeAddress {
    SocketAddrV4::new(Ipv4Addr::LOCALHOST, port)
}
