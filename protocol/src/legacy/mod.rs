//! The legacy protocol: the older one, which nodes speak on a port of its own over the same storage. One
//! request at a time on a connection, no authentication (`legacy.md`).
//!
//! So far a node's side of the handshake (GetVersion, GetResponsibleRange) and of Remove and
//! RemoveChannel, so that a program that uses both protocols can talk to the node; the other commands are
//! refused as a node refuses a command that it does not know.
//!
//! * [`order`]: what a client asks, with its bytes.
//! * [`answer`]: what a node answers.
//! * [`node`]: a node's connection.

pub mod answer;
pub mod node;
pub mod order;

pub use answer::{Answer, Status};
pub use node::NodeConnection;
pub use order::{Command, Order};

use thiserror::Error;

/// The version of the protocol, as GetVersion tells it.
pub const VERSION: &str = "20110401";

/// The longest array that a node reads, in bytes (`legacy.md` 2.2).
pub const MAX_ARRAY: u64 = 10 * 1024 * 1024;

/// What a client did that makes a node close the connection. There is no status for any of it.
#[derive(Clone, Debug, Eq, Error, Hash, PartialEq)]
#[non_exhaustive]
pub enum Violation {
    /// The number of a command that does not exist.
    #[error("there is no command {code}")]
    UnknownCommand {
        /// The number.
        code: i32,
    },
    /// An array that is longer than a node reads.
    #[error("{field} claims {claimed} bytes, {MAX_ARRAY} are accepted")]
    TooLong {
        /// Which one.
        field: &'static str,
        /// The length that was claimed, in bytes.
        claimed: u64,
    },
    /// A key that is not 16 hexadecimal digits.
    #[error("\"{}\" is no key; keys have 16 hexadecimal digits", .key.escape_ascii())]
    Key {
        /// What came instead.
        key: Vec<u8>,
    },
}

impl Violation {
    /// Where the specification states the rule.
    pub fn section(&self) -> &'static str {
        match self {
            Self::UnknownCommand { .. } => "legacy 3.1",
            Self::TooLong { .. } => "legacy 2.2",
            Self::Key { .. } => "legacy 4.2",
        }
    }
}
