//! The legacy protocol: the older one, which nodes speak on a port of its own over the same storage. One
//! request at a time on a connection, no authentication (`legacy.md`).
//!
//! * [`command`], [`key`], [`order`]: what a client asks, with its bytes.
//! * [`answer`]: what a node answers at once.
//! * [`batch`]: the compressed blocks in which records are sent.
//! * [`client`]: the client's half of every command.
//! * [`stream`]: the node's half of answers that come in pieces: GetChannels, GetAll and its like, Listen.
//! * [`request`]: the node's half of any command.
//! * [`node`]: a node's connection.
//! * [`host`]: what the node's halves need of the node.
//! * [`redistribution`]: how records move from a node to others.

pub mod answer;
pub mod batch;
pub mod client;
pub mod command;
mod fields;
pub mod host;
pub mod key;
pub mod node;
pub mod order;
pub mod redistribution;
pub mod request;
pub mod stream;

pub use answer::{About, Answer};
pub use client::{ClientRequest, Event};
pub use command::{Command, Status};
pub use host::{LegacyHost, RedistributionId};
pub use key::KeyText;
pub use node::NodeConnection;
pub use order::{Incoming, Order, Redistribute, Target};
pub use redistribution::Redistribution;
pub use request::NodeRequest;

use thiserror::Error;

use crate::channel::ChannelName;
use crate::codec::DecodeError;

/// The version of the protocol, as GetVersion tells it.
pub const VERSION: &str = "20110401";

/// By how much the neo port of a node is above its legacy port (`legacy.md` 1).
pub const NEO_PORT_OFFSET: u16 = 100;

/// The longest array that is read, in bytes (`legacy.md` 2.2).
pub const MAX_ARRAY: u64 = 10 * 1024 * 1024;

/// The largest value that a node stores by Put if nothing else is said, in bytes: larger ones would not fit
/// in a batch, so that GetAll could not return them (`legacy.md` 7.2).
pub const MAX_VALUE: u64 = batch::MAX_VALUE as u64;

/// How many nodes a Redistribute may name. The specification knows no limit, but somebody has to keep them
/// all until the last has come.
pub const MAX_NODES: usize = 4096;

/// May a channel have this name? Other than in neo only letters, digits, `_` and `-` are legal, and there has to
/// be one (`legacy.md` 4.1).
pub fn is_channel_name(channel: &ChannelName) -> bool {
    let legal = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-".contains(byte);
    let name = channel.as_bytes();
    !name.is_empty() && name.iter().all(legal)
}

/// What a peer did that makes the other side close the connection. There is no status for any of it.
#[derive(Clone, Debug, Eq, Error, Hash, PartialEq)]
#[non_exhaustive]
pub enum Violation {
    /// The number of a command that does not exist.
    #[error("there is no command {code}")]
    UnknownCommand {
        /// The number.
        code: i32,
    },
    /// The number of a status that does not exist.
    #[error("there is no status {code}")]
    UnknownStatus {
        /// The number.
        code: i32,
    },
    /// An array that is longer than anybody reads.
    #[error("{field} claims {claimed} bytes, {MAX_ARRAY} are accepted")]
    TooLong {
        /// Which one.
        field: &'static str,
        /// The length that was claimed, in bytes.
        claimed: u64,
    },
    /// A key that is not 16 hexadecimal digits.
    #[error("\"{key}\" is no key; keys have 16 hexadecimal digits")]
    Key {
        /// The beginning of what came instead.
        key: KeyText,
    },
    /// A range whose lower end is above its upper end and which is not the empty range.
    #[error("the range {min:016x}..{max:016x} is upside down")]
    Range {
        /// Lower end.
        min: u64,
        /// Upper end.
        max: u64,
    },
    /// A boolean that is neither 0 nor 1.
    #[error("{value} is neither yes nor no")]
    Boolean {
        /// The byte that came.
        value: u8,
    },
    /// A block that is no batch of records.
    #[error("no batch of records: {error}")]
    Batch {
        /// What is wrong with it.
        error: DecodeError,
    },
    /// More nodes than anybody can remember.
    #[error("more than {MAX_NODES} nodes")]
    TooManyNodes,
    /// A node has said something that it was not asked for.
    #[error("bytes that answer nothing")]
    Unasked,
    /// A node does not take the records that are handed over to it.
    #[error("refuses records that are handed over: {status}")]
    Refused {
        /// What it said.
        status: Status,
    },
}

impl Violation {
    /// Where the specification states the rule.
    pub fn section(&self) -> &'static str {
        match self {
            Self::UnknownCommand { .. } => "legacy 3.1",
            Self::UnknownStatus { .. } => "legacy 3.2",
            Self::TooLong { .. } => "legacy 2.2",
            Self::Key { .. } => "legacy 4.2",
            Self::Range { .. } => "legacy 4.3",
            Self::Boolean { .. } => "legacy 7.4",
            Self::Batch { .. } => "legacy 5",
            Self::Unasked => "legacy 1",
            Self::TooManyNodes | Self::Refused { .. } => "legacy 7.16",
        }
    }
}
