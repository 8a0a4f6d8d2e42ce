//! Listening to the bytes of all connections.

use std::fmt;

use dht_protocol::neo::NodeAddress;
use dht_protocol::neo::dissect::Side;

/// Sees everything that passes between the client and its nodes, from the version bytes on, in the order
/// in which it passes on each connection. The bytes come as the sockets cut them.
///
/// It is called while the client is locked: it must be quick, and must not call the client.
pub trait Tap: fmt::Debug + Send + Sync {
    /// A transport to a node was opened.
    fn opened(&self, node: NodeAddress);

    /// The client has sent bytes to a node, or the node to the client.
    fn bytes(&self, node: NodeAddress, from: Side, bytes: &[u8]);

    /// A transport was closed, for this reason.
    fn closed(&self, node: NodeAddress, reason: &str);
}
