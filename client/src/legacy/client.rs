//! The client as a handle to its connections. Its requests are in files of their own.

use std::sync::Arc;
use std::time::Duration;

use dht_protocol::Key;
use dht_protocol::legacy::{Answer, Order};
use dht_protocol::neo::NodeAddress;

use super::builder::Builder;
use super::error::{Failure, RequestError};
use super::lease::Lease;
use super::shared::Shared;

/// A client of the legacy protocol. Cheap to clone; all clones share connections, and what is known of the
/// nodes.
///
/// A request is sent when its future is first polled. Dropping the future closes the connection that it
/// uses: whether the request will still be carried out is then unknown.
#[derive(Clone, Debug)]
pub struct Client {
    pub(super) shared: Arc<Shared>,
    pub(super) request_timeout: Option<Duration>,
}

/// Nodes and connections.
impl Client {
    /// Sets up a client.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// A handle to the same client whose requests are waited for this long. Each of these is a wait: for a
    /// connection to be free, for the whole answer, and for the next piece of a stream. Afterwards they
    /// fail with [`Failure::QueueTimedOut`] or [`Failure::TimedOut`], and the connection is closed.
    #[must_use]
    pub fn with_timeout(&self, timeout: Duration) -> Self {
        let mut client = self.clone();
        client.request_timeout = Some(timeout);
        client
    }

    /// A handle to the same client whose requests are waited for as long as the connection lasts.
    #[must_use]
    pub fn without_timeout(&self) -> Self {
        let mut client = self.clone();
        client.request_timeout = None;
        client
    }

    /// Adds another node, behind those there are. It is used once a [handshake](Self::handshake) has found
    /// out about it. `false` if it is known already.
    pub fn add_node(&self, node: NodeAddress) -> bool {
        self.shared.lock().core.add_node(node)
    }

    /// The nodes, in the order in which they were added.
    pub fn nodes(&self) -> Vec<NodeAddress> {
        self.shared.lock().core.nodes().collect()
    }

    /// Closes the connections that no request uses. The next requests open new ones.
    pub fn close_idle(&self) {
        let idle = self.shared.lock().core.take_idle();
        // Not while the client is locked.
        drop(idle);
    }
}

impl Client {
    /// Sends an order to the node that is responsible for a key, and waits for the answer, which `read`
    /// makes the result of.
    pub(super) async fn ask_for<T>(
        &self,
        key: Key,
        order: Order,
        read: impl FnOnce(Answer) -> Result<T, Answer>,
    ) -> Result<T, RequestError> {
        let command = order.command();
        let node = {
            let core = &self.shared.lock().core;
            core.check(&order).and_then(|()| core.assign(command, key))
        };
        let node = node.map_err(|failure| RequestError::unsent(command, None, failure))?;
        self.carry_out(node, &order, read).await
    }

    /// Sends an order to a node, and waits for the answer.
    pub(super) async fn ask<T>(
        &self,
        node: NodeAddress,
        order: &Order,
        read: impl FnOnce(Answer) -> Result<T, Answer>,
    ) -> Result<T, RequestError> {
        self.admit(node, order)?;
        self.carry_out(node, order, read).await
    }

    /// May this order be sent to this node?
    pub(super) fn admit(&self, node: NodeAddress, order: &Order) -> Result<(), RequestError> {
        let command = order.command();
        let core = &self.shared.lock().core;
        core.check(order)
            .and_then(|()| core.admit(command, node))
            .map_err(|failure| RequestError::unsent(command, Some(node), failure))
    }

    async fn carry_out<T>(
        &self,
        node: NodeAddress,
        order: &Order,
        read: impl FnOnce(Answer) -> Result<T, Answer>,
    ) -> Result<T, RequestError> {
        let patience = self.request_timeout;
        let fail = |failure, sent| RequestError {
            command: order.command(),
            node: Some(node),
            failure,
            sent,
        };
        let lease = Lease::take(&self.shared, node, patience).await;
        let mut lease = lease.map_err(|failure| fail(failure, false))?;
        let answer = lease.ask(order, patience).await;
        let sent = lease.is_sent();
        lease.give_back();
        answer
            .and_then(|answer| read(answer).map_err(|other| Failure::Status(other.status())))
            .map_err(|failure| fail(failure, sent))
    }
}
