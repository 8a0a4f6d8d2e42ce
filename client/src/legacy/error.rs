//! Why something did not work: requests, and handshakes.

use std::fmt;
use std::io;

use bytes::Bytes;
use dht_protocol::HashRange;
use dht_protocol::legacy::{Command, Status, VERSION, Violation};
use dht_protocol::neo::NodeAddress;
use thiserror::Error;

/// A request did not do what it was asked for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RequestError {
    /// What was asked for.
    pub command: Command,
    /// Of whom; `None` if no node could be found for it.
    pub node: Option<NodeAddress>,
    /// Why it failed.
    pub failure: Failure,
    /// Was the order sent to its last byte?
    pub(super) sent: bool,
}

impl RequestError {
    /// May the node have done what was asked for, or may it still? Not if the order cannot have reached it
    /// as a whole, and not if it said why it refuses. A PutBatch that is refused may have stored some of
    /// its records.
    pub fn may_have_been_done(&self) -> bool {
        match self.failure {
            Failure::Status(Status::Error) => true,
            Failure::Status(_) => self.command == Command::PutBatch,
            _ => self.sent,
        }
    }

    /// What the node answered instead of Ok, if it answered.
    pub fn status(&self) -> Option<Status> {
        match self.failure {
            Failure::Status(status) => Some(status),
            _ => None,
        }
    }

    /// A request that failed before anything was sent.
    pub(super) fn unsent(command: Command, node: Option<NodeAddress>, failure: Failure) -> Self {
        Self {
            command,
            node,
            failure,
            sent: false,
        }
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.command)?;
        if let Some(node) = self.node {
            write!(f, "at {node} ")?;
        }
        write!(f, "failed: {}", self.failure)
    }
}

impl std::error::Error for RequestError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.failure)
    }
}

/// What stands in the way of a request.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum Failure {
    /// The name of the channel is not a legal one. Nothing was sent.
    #[error("the name of a channel has letters, digits, \"_\" and \"-\", and at least one of them")]
    BadChannelName,
    /// There are no empty values. Nothing was sent.
    #[error("the value is empty")]
    EmptyValue,
    /// A value does not fit in a batch. Nothing was sent.
    #[error("a value is too large for a batch")]
    ValueTooBig,
    /// What an empty filter means is not known. Nothing was sent.
    #[error("the filter is empty")]
    EmptyFilter,
    /// It is longer than nodes read. Nothing was sent.
    #[error("the {field} is longer than any node reads")]
    TooLong {
        /// What.
        field: &'static str,
    },
    /// A node that is to take records has a legacy port so high that it has no neo port, which ends some
    /// nodes that are told. Nothing was sent.
    #[error("a node with legacy port {port} has no neo port")]
    NoNeoPort {
        /// The port.
        port: u16,
    },
    /// No node is known that is responsible for the key. Nothing was sent.
    #[error("no node is known that is responsible for the key")]
    NoNode,
    /// The client has no such node. Nothing was sent.
    #[error("it is not a node of this client")]
    UnknownNode,
    /// The node has not confirmed in a handshake that it speaks our version of the protocol. Nothing was
    /// sent.
    #[error("it has not confirmed the version of the protocol")]
    NoVersion,
    /// Too many requests wait for a connection to the node. Nothing was sent.
    #[error("request queue full")]
    QueueFull,
    /// No connection became free in time. Nothing was sent.
    #[error("no connection became free in time")]
    QueueTimedOut,
    /// There is no connection to the node. Nothing was sent.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The node did not answer in time.
    #[error("it did not answer in time")]
    TimedOut,
    /// The node closed the connection instead of answering.
    #[error("it closed the connection")]
    Closed,
    /// The connection broke.
    #[error("the connection broke ({0})")]
    Broken(io::ErrorKind),
    /// The node broke the protocol.
    #[error("it broke the protocol: {0}")]
    Violation(#[from] Violation),
    /// The node answered, but not with Ok.
    #[error("it answered {0}")]
    Status(Status),
    /// The node has more channels than a client can keep in memory.
    #[error("the names of the channels take too much memory")]
    TooMuch,
    /// The request was stopped before everything had come.
    #[error("the request was stopped")]
    Stopped,
}

/// Why no connection could be opened.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum ConnectError {
    /// Nothing listens at the address.
    #[error("nothing listens there (connection refused)")]
    Refused,
    /// The address cannot be reached.
    #[error("it cannot be reached ({0})")]
    Unreachable(io::ErrorKind),
    /// It took too long.
    #[error("it could not be connected to in time")]
    TimedOut,
}

/// The nodes cannot be used for all keys: the handshake has failed. Keys of nodes that are known can be
/// used all the same.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub struct NotReady {
    /// What is amiss, at least one thing.
    pub problems: Vec<Problem>,
}

impl fmt::Display for NotReady {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, problem) in self.problems.iter().enumerate() {
            if at > 0 {
                f.write_str("; ")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

/// What a handshake finds amiss.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum Problem {
    /// The client has no nodes.
    #[error("no node is registered")]
    NoNodes,
    /// A node could not be asked.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// A node has not told its version or its range.
    #[error("{node} has not answered")]
    Silent {
        /// The node.
        node: NodeAddress,
    },
    /// A node speaks another version of the protocol.
    #[error("{node} speaks version \"{}\", not {VERSION}", version.escape_ascii())]
    Version {
        /// The node.
        node: NodeAddress,
        /// Its version.
        version: Bytes,
    },
    /// A node is responsible for nothing.
    #[error("{node} is responsible for no key")]
    NoKeys {
        /// The node.
        node: NodeAddress,
    },
    /// Nobody is responsible for some keys.
    #[error("no node is responsible for {missing}, beside the range of {beside}")]
    Gap {
        /// Where their positions lie.
        missing: HashRange,
        /// The node whose range ends before it, or begins behind it if none ends before.
        beside: NodeAddress,
    },
    /// Two nodes are responsible for the same keys.
    #[error("{node} is responsible for keys that {other} is responsible for")]
    Overlap {
        /// The node.
        node: NodeAddress,
        /// The other one, whose range begins first.
        other: NodeAddress,
    },
}

impl Problem {
    /// The node that it is about, if it is about one.
    pub fn node(&self) -> Option<NodeAddress> {
        match self {
            Self::NoNodes => None,
            Self::Request(error) => error.node,
            Self::Silent { node }
            | Self::Version { node, .. }
            | Self::NoKeys { node }
            | Self::Overlap { node, .. } => Some(*node),
            Self::Gap { beside, .. } => Some(*beside),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(command: Command, failure: Failure, sent: bool) -> RequestError {
        RequestError {
            command,
            node: Some("127.0.0.1:10000".parse().unwrap()),
            failure,
            sent,
        }
    }

    #[test]
    fn errors_name_command_node_and_reason() {
        let refused = error(Command::Put, ConnectError::Refused.into(), false);
        assert_eq!(
            refused.to_string(),
            "Put at 127.0.0.1:10000 failed: nothing listens there (connection refused)"
        );
        let nobody = RequestError::unsent(Command::Get, None, Failure::NoNode);
        assert_eq!(
            nobody.to_string(),
            "Get failed: no node is known that is responsible for the key"
        );
    }

    #[test]
    fn what_may_have_been_done_is_told() {
        for (command, failure, sent, may) in [
            (Command::Put, Failure::TimedOut, true, true),
            (Command::Put, Failure::TimedOut, false, false),
            (Command::Put, Failure::QueueFull, false, false),
            (
                Command::Put,
                Failure::Status(Status::WrongNode),
                true,
                false,
            ),
            (Command::Put, Failure::Status(Status::Error), true, true),
            (
                Command::PutBatch,
                Failure::Status(Status::WrongNode),
                true,
                true,
            ),
        ] {
            let error = error(command, failure, sent);
            assert_eq!(error.may_have_been_done(), may, "{error}");
        }
    }
}
