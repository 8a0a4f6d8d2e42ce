//! The protocol of the DHT, without I/O: bytes to messages and back, connections, and both halves of
//! every request as state machines. Nothing here opens a socket, reads a clock, draws a random number
//! or starts a thread; whoever drives it does, and passes in what is needed.
//!
//! Start at [`neo::request`] for what is said, at [`neo::connection`] for how it travels, and at
//! [`neo::node`] for how a node serves many requests at once.
//!
//! * [`codec`]: reading and writing fields; errors with field, offset and reason.
//! * [`host`]: what a node's half of a request needs of the node it runs on.
//! * [`key`], [`channel`]: what names a record, and who is responsible for it.
//! * [`lzo`]: the compression of record batches, bounded.
//! * [`neo`], [`legacy`]: the two protocols.
//! * [`nodes_file`]: the file that lists the nodes of a DHT.

pub mod channel;
pub mod codec;
pub mod host;
pub mod key;
pub mod legacy;
pub mod lzo;
pub mod neo;
pub mod nodes_file;

pub use channel::ChannelName;
pub use codec::DecodeError;
pub use host::{ChannelId, Host, HostError, Size};
pub use key::{HashRange, Key, fnv1a};

// The unit tests share their helpers with the tests in `tests/`, which see the crate from outside.
#[cfg(test)]
extern crate self as dht_protocol;
#[cfg(test)]
#[path = "../tests/support/mod.rs"]
mod testing;
