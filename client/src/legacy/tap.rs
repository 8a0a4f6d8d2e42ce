//! Listening to the bytes of all connections.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use dht_protocol::neo::NodeAddress;
use dht_protocol::neo::dissect::Side;

/// Sees everything that passes between the client and its nodes, in the order in which it passes on each
/// connection. The bytes come as the sockets cut them.
///
/// A client has several connections to a node, so each has a number that no other one of the client has.
pub trait Tap: fmt::Debug + Send + Sync {
    /// A connection to a node was opened.
    fn opened(&self, connection: u64, node: NodeAddress);

    /// The client has sent bytes to the node, or the node to the client.
    fn bytes(&self, connection: u64, from: Side, bytes: &[u8]);

    /// The connection was closed, for this reason.
    fn closed(&self, connection: u64, reason: &str);
}

/// Gives connections their numbers.
#[derive(Debug)]
pub(super) struct Taps {
    tap: Arc<dyn Tap>,
    opened: AtomicU64,
}

impl Taps {
    pub(super) fn new(tap: Arc<dyn Tap>) -> Self {
        let opened = AtomicU64::new(0);
        Self { tap, opened }
    }

    /// A connection was opened.
    pub(super) fn open(&self, node: NodeAddress) -> Tapped {
        let number = self.opened.fetch_add(1, Ordering::Relaxed);
        self.tap.opened(number, node);
        Tapped {
            tap: Arc::clone(&self.tap),
            number,
            reason: None,
        }
    }
}

/// One connection that is listened to, until this is dropped.
#[derive(Debug)]
pub(super) struct Tapped {
    tap: Arc<dyn Tap>,
    number: u64,
    reason: Option<String>,
}

impl Tapped {
    pub(super) fn bytes(&self, from: Side, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.tap.bytes(self.number, from, bytes);
        }
    }

    /// Nothing more can be done with the connection.
    pub(super) fn failed(&mut self, reason: impl fmt::Display) {
        self.reason = Some(reason.to_string());
    }
}

impl Drop for Tapped {
    fn drop(&mut self) {
        let reason = self.reason.as_deref();
        self.tap
            .closed(self.number, reason.unwrap_or("by the client"));
    }
}
