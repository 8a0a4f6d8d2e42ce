//! How requests end at the client, and what a client's half asks its driver to do.

use thiserror::Error;

use super::SupportedStatus;
use crate::neo::NodeAddress;
use crate::neo::violation::Violation;

/// Why a request did not do what it was asked for.
#[derive(Clone, Debug, Eq, Error, Hash, PartialEq)]
#[non_exhaustive]
pub enum Failure {
    /// No node is known that is responsible for the key.
    #[error("no known node is responsible for the key")]
    NoNode,
    /// The node is not connected, or the connection broke before the answer. What was asked for may
    /// or may not have happened.
    #[error("the connection to {node} is down")]
    Disconnected {
        /// The node.
        node: NodeAddress,
    },
    /// The node is not responsible for the key.
    #[error("{node} is not responsible for the key")]
    WrongNode {
        /// The node.
        node: NodeAddress,
    },
    /// The node could not do it.
    #[error("{node} answered with an error")]
    NodeError {
        /// The node.
        node: NodeAddress,
    },
    /// The node does not know the request.
    #[error("{node}: {status}")]
    Unsupported {
        /// The node.
        node: NodeAddress,
        /// What it does not know.
        status: SupportedStatus,
    },
    /// The node's answer is not of the protocol.
    #[error("{node} broke the protocol: {violation}")]
    Violation {
        /// The node.
        node: NodeAddress,
        /// What is wrong with the answer.
        violation: Violation,
    },
    /// The value is longer than a client may store.
    #[error("a value of {len} bytes is too big, at most {limit} can be stored")]
    ValueTooBig {
        /// Length of the value, in bytes.
        len: usize,
        /// The largest value, in bytes.
        limit: usize,
    },
    /// No answer came in time. What was asked for may or may not have happened.
    #[error("no answer came in time")]
    TimedOut,
}

/// What a client's half asks its driver to do. `T` is what the request tells its user.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Effect<T> {
    /// Send this message of the request to a node. If the node is not connected, the half must be
    /// told so at once.
    Send {
        /// To whom.
        node: NodeAddress,
        /// The message, without the request's id.
        payload: Vec<u8>,
    },
    /// Close the connection to a node that broke the protocol.
    Close {
        /// The node.
        node: NodeAddress,
        /// What it did.
        violation: Violation,
    },
    /// Tell the user.
    Notify(T),
}
