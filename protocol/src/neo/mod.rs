//! The neo protocol: one TCP connection a node and client, many requests on it.
//!
//! * [`header`], [`frame`]: messages in a stream of bytes.
//! * [`handshake`], [`auth`], [`credentials`]: version exchange and authentication, both sides.
//! * [`connection`]: all of that as one object that is fed bytes and answers with events.
//! * [`request`]: the ten requests; a file for each holds its messages, its client half and its node half.
//! * [`client`]: a client's requests, any of them behind one interface.
//! * [`node`]: a node's connection: the requests that are active on it, and what they send.
//! * [`forge`]: messages that break the rules, for those who test what a peer does about them.
//! * [`registry`]: which node a client asks for a key.
//! * [`batch`]: records packed and compressed, as GetAll and Mirror send them.
//! * [`dissect`]: any message as a line of text.
//! * [`monitor`]: an observer of a connection who judges every message by the requests' own halves.
//! * [`violation`]: what a peer did that the protocol forbids.

pub mod auth;
pub mod batch;
pub mod client;
pub mod connection;
pub mod credentials;
pub mod dissect;
pub mod forge;
pub mod frame;
pub mod handshake;
pub mod header;
pub mod monitor;
pub mod node;
pub mod registry;
pub mod request;
pub mod violation;

pub use connection::{Connection, Event};
pub use credentials::{AuthKey, ClientName, Credential, Credentials};
pub use header::{Kind, RequestId};
pub use node::NodeConnection;
pub use violation::Violation;

use std::net::SocketAddrV4;
use std::time::Duration;

/// The version of the protocol that is spoken, the first byte of each direction.
pub const VERSION: u8 = 1;

/// Where a node listens for neo connections; also what it is known by.
pub type NodeAddress = SocketAddrV4;

/// The two clocks that a connection needs. They are read by the driver; nothing in this crate does.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Now {
    /// Seconds since the UNIX epoch, for authentication.
    pub unix: u64,
    /// Time since any fixed moment, never going back, for timers.
    pub elapsed: Duration,
}

/// What a side of a connection accepts from its peer.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Limits {
    /// The largest body of a request message, in bytes. The protocol has no limit; a message that
    /// announces more is refused when its header arrives (`neo-transport.md` 4.2, Q8).
    pub message: u64,
    /// How many requests a connection may have active at once on the node (`neo-transport.md` 12.1).
    pub active_requests: usize,
    /// How many changes a Mirror may have waiting before further ones are lost and reported as an
    /// overflow (`neo-requests.md` 1.3, F20).
    pub mirror_queue: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message: 32 * 1024 * 1024,
            active_requests: 5000,
            mirror_queue: 16_384,
        }
    }
}
