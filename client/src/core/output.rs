//! What the core says: to its driver, and about its connections.

use dht_protocol::HashRange;
use dht_protocol::neo::client::Told;
use dht_protocol::neo::{NodeAddress, RequestId};

use crate::ConnectionError;

/// What the driver is to do, or to tell.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Output {
    /// Keep up a transport to this node from now on.
    Connect(NodeAddress),
    /// There is something in the [`output`](super::Core::output) for this node, which was empty before.
    Write(NodeAddress),
    /// Close the transport to this node.
    Close {
        /// The node.
        node: NodeAddress,
        /// Why.
        reason: ConnectionError,
    },
    /// Something happened to a connection.
    Connection(ConnectionEvent),
    /// A request has something to tell its user.
    Request {
        /// The request.
        id: RequestId,
        /// What.
        told: Told,
    },
}

/// What happens to the connection to a node.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ConnectionEvent {
    /// Requests can be sent to the node.
    Connected(NodeAddress),
    /// The keys that a node is responsible for have become known, or have changed. The node may have
    /// told so itself, or another one.
    RangeKnown(NodeAddress, HashRange),
    /// An attempt to connect came to nothing. There will be another one.
    Failed(NodeAddress, ConnectionError),
    /// The connection has ended. It will be established again.
    Disconnected(NodeAddress, ConnectionError),
}

/// What is known of a node.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NodeState {
    /// How far the connection is.
    pub connection: ConnectionState,
    /// The keys that the node is responsible for, if they are known.
    pub range: Option<HashRange>,
}

/// How far a connection is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ConnectionState {
    /// No attempt to connect has ended yet.
    Connecting,
    /// The last attempt, or the last connection, ended like this.
    Failed(ConnectionError),
    /// The transport is there, but not the authentication.
    Authenticating,
    /// Requests can be sent.
    Open,
}
