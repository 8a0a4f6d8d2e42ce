//! What a server has to tell: mostly that a client broke a rule and was disconnected.

use std::fmt::{self, Debug};
use std::io::{self, Write};
use std::net::SocketAddr;

use dht_protocol::neo::ClientName;

use crate::node::Violation;

/// Something that the operator of a node may want to know. Its `Display` is one line.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Notice<'a> {
    /// A client broke the protocol and is disconnected.
    Violation {
        /// The client's address.
        peer: SocketAddr,
        /// Its name, if it got so far as to prove it. Clients of the legacy protocol have none.
        client: Option<&'a ClientName>,
        /// What it did; [`Violation::requirement`] names the rule.
        violation: &'a Violation,
    },
    /// A client was turned away because there are as many connections as there may be.
    TooManyConnections {
        /// The client's address.
        peer: SocketAddr,
        /// How many there may be.
        limit: usize,
    },
    /// A client was turned away because there was no nonce for it.
    NoNonce {
        /// The client's address.
        peer: SocketAddr,
        /// Why not.
        error: &'a io::Error,
    },
    /// Another node that is to take records could not be reached. It will be tried again.
    NotReached {
        /// Its address.
        target: SocketAddr,
        /// Why not.
        error: &'a io::Error,
    },
    /// Another node that is to take records did not answer in time. It will be tried again.
    NotAnswered {
        /// Its address.
        target: SocketAddr,
    },
    /// Records were moved to other nodes, and some could not be: they have empty values, or are too large, or
    /// the name of their channel is illegal in the legacy protocol.
    LeftBehind {
        /// How many.
        records: u64,
    },
    /// The system could not give a connection.
    AcceptFailed {
        /// Why not.
        error: &'a io::Error,
    },
}

impl fmt::Display for Notice<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Violation {
                peer,
                client,
                violation,
            } => {
                write!(f, "{peer} ")?;
                match (client, violation) {
                    (Some(client), _) => write!(f, "({client})")?,
                    (None, Violation::Neo(_)) => f.write_str("(not authenticated)")?,
                    (None, Violation::Legacy(_)) => f.write_str("(legacy)")?,
                }
                let rule = match violation.requirement(client.is_some()) {
                    Some(requirement) => requirement.id,
                    None => violation.section(),
                };
                write!(f, " disconnected, {rule}: {violation}")
            }
            Self::TooManyConnections { peer, limit } => {
                write!(f, "{peer} turned away: {limit} connections are open")
            }
            Self::NoNonce { peer, error } => {
                write!(f, "{peer} turned away: no random numbers: {error}")
            }
            Self::NotReached { target, error } => {
                write!(f, "{target} cannot be reached to take records: {error}")
            }
            Self::NotAnswered { target } => {
                write!(f, "{target} is to take records and does not answer")
            }
            Self::LeftBehind { records } => {
                write!(
                    f,
                    "{records} records cannot be moved to other nodes and stay"
                )
            }
            Self::AcceptFailed { error } => write!(f, "cannot accept a connection: {error}"),
        }
    }
}

/// Where notices go. Called while a connection waits: it should not take long.
pub trait Log: Debug + Send + Sync {
    /// Something happened.
    fn log(&self, notice: &Notice<'_>);
}

/// Nowhere.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoLog;

impl Log for NoLog {
    fn log(&self, _: &Notice<'_>) {}
}

/// The standard error stream, a line each.
#[derive(Clone, Copy, Debug, Default)]
pub struct StderrLog;

impl Log for StderrLog {
    fn log(&self, notice: &Notice<'_>) {
        // In one piece, so that lines of several tasks do not mix. Nobody is left to be told if it fails.
        let _ = io::stderr().write_all(format!("{notice}\n").as_bytes());
    }
}
