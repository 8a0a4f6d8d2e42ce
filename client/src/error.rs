//! Why something did not work: requests, and connections.

use std::fmt;
use std::io;

use dht_protocol::neo::request::Failure;
use dht_protocol::neo::{NodeAddress, Violation};
use thiserror::Error;

use crate::core::TooManyRequests;

/// Why a request did not do what it was asked for.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum RequestError {
    /// The request failed, at the client or at a node.
    #[error(transparent)]
    Failed(#[from] Failure),
    /// Too many requests are active; this one was not started.
    #[error(transparent)]
    TooManyRequests(#[from] TooManyRequests),
    /// The request was stopped before it had told everything.
    #[error("the request was stopped")]
    Stopped,
    /// The nodes have more channels than a client can keep in memory.
    #[error("the names of the channels take too much memory")]
    TooMuch,
    /// The client was shut down.
    #[error("the client was shut down")]
    Shutdown,
}

impl RequestError {
    /// What failed, unless the client itself is the reason.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Failed(failure) => Some(failure),
            _ => None,
        }
    }
}

/// Why a channel was not removed, or not from every node.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum RemoveChannelError {
    /// This client may not remove channels.
    #[error("{node} does not permit this client to remove channels")]
    NotPermitted {
        /// The first node that said so.
        node: NodeAddress,
    },
    /// The request failed.
    #[error(transparent)]
    Request(#[from] RequestError),
}

impl From<Failure> for RemoveChannelError {
    fn from(failure: Failure) -> Self {
        Self::Request(failure.into())
    }
}

/// Why there is no connection to a node.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum ConnectionError {
    /// Nothing listens at the address.
    #[error("nothing listens there (connection refused)")]
    Refused,
    /// The address cannot be reached, or not in time.
    #[error("it cannot be reached ({0})")]
    Unreachable(io::ErrorKind),
    /// It accepted the connection, but did not complete the authentication in time.
    #[error("it did not complete the authentication in time")]
    TimedOut,
    /// It does not know the client's name, or the key is wrong, or the clocks differ by more than
    /// half an hour. It does not say which.
    #[error("it refused the client's name or key, or its clock")]
    Rejected,
    /// It speaks another version of the protocol.
    #[error("it speaks version {version} of the protocol")]
    WrongVersion {
        /// Its version.
        version: u8,
    },
    /// It broke the protocol.
    #[error("it broke the protocol: {0}")]
    Violation(Violation),
    /// It kept sending records of a request that was suspended.
    #[error("it kept sending in spite of Suspend")]
    Flooding,
    /// It takes nothing that is sent to it.
    #[error("it does not read what is sent to it")]
    NotReading,
    /// It closed the connection.
    #[error("it closed the connection")]
    Closed,
    /// The connection broke.
    #[error("the connection broke ({0})")]
    Broken(io::ErrorKind),
    /// The client closed the connection in order to establish it again.
    #[error("the client reconnects")]
    Reconnecting,
    /// The client was shut down.
    #[error("the client was shut down")]
    Shutdown,
}

impl ConnectionError {
    /// Would another attempt end in the same way, unless somebody changes the node or the client's
    /// settings?
    pub fn is_lasting(&self) -> bool {
        matches!(self, Self::Rejected | Self::WrongVersion { .. })
    }
}

impl From<Violation> for ConnectionError {
    fn from(violation: Violation) -> Self {
        match violation {
            Violation::Version { version } => Self::WrongVersion { version },
            Violation::Rejected => Self::Rejected,
            violation => Self::Violation(violation),
        }
    }
}

/// Not every node could be connected to, or told its range, in time.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub struct NotReady {
    /// What is amiss, by node. Empty if no node is registered at all.
    pub nodes: Vec<(NodeAddress, Missing)>,
}

/// What a node lacks to be ready.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum Missing {
    /// It is not connected, for this reason.
    #[error(transparent)]
    Connection(#[from] ConnectionError),
    /// It is connected, but has not told which keys it is responsible for.
    #[error("it does not tell its hash range")]
    Range,
}

impl fmt::Display for NotReady {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.nodes.is_empty() {
            return f.write_str("no node is registered");
        }
        for (at, (node, missing)) in self.nodes.iter().enumerate() {
            if at > 0 {
                f.write_str("; ")?;
            }
            write!(f, "node {node} is not ready: {missing}")?;
        }
        Ok(())
    }
}
