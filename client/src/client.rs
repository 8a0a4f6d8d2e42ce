//! The client as a handle to its connections. Its requests are in files of their own.

use std::sync::Arc;
use std::time::Duration;

use dht_protocol::neo::{Credential, NodeAddress};

use crate::builder::Builder;
use crate::connections::Connections;
use crate::mailbox::Marks;
use crate::shared::{Shared, Writing};
use crate::stats::Stats;

/// A client of a DHT. Cheap to clone; all clones share connections and requests, which end when the
/// last clone, stream and controller is dropped.
///
/// A request is sent when its future is first polled. Dropping the future gives the request up: whether
/// it will still be carried out is then unknown, as after
/// [`Failure::TimedOut`](crate::Failure::TimedOut).
#[derive(Clone, Debug)]
pub struct Client {
    handle: Arc<Handle>,
    pub(crate) request_timeout: Option<Duration>,
    pub(crate) marks: Marks,
}

/// Ends the connections when nobody uses them any more.
#[derive(Debug)]
struct Handle(Arc<Shared>);

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.shut_down();
    }
}

/// Connections.
impl Client {
    /// Sets up a client that introduces itself with this name and key.
    pub fn builder(credential: Credential) -> Builder {
        Builder::new(credential)
    }

    pub(crate) fn new(
        shared: Arc<Shared>,
        request_timeout: Option<Duration>,
        marks: Marks,
    ) -> Self {
        Self {
            handle: Arc::new(Handle(shared)),
            request_timeout,
            marks,
        }
    }

    /// A handle to the same client whose requests with one answer are waited for this long: those for
    /// one record, each of the two steps of an Update, [`remove_channel`](Self::remove_channel) and
    /// [`Channels::collect_all`](crate::Channels::collect_all). Afterwards they fail with
    /// [`Failure::TimedOut`](crate::Failure::TimedOut); the node is not told.
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

    /// What happens to the connections from now on; first comes what they are like at this moment.
    pub fn connections(&self) -> Connections {
        Connections::new(self.shared())
    }

    /// Connects to another node from now on. `false` if it is known already.
    pub fn add_node(&self, node: NodeAddress) -> bool {
        let shared = self.shared();
        let mut state = shared.lock();
        if state.shutdown {
            return false;
        }
        let now = shared.now();
        let added = state.core.add_node(node, now);
        shared.carry_out(&mut state, Writing::Later, now);
        added
    }

    /// Drops all connections and establishes them again. Requests see that they were lost.
    pub fn reconnect(&self) {
        for link in self.shared().lock().links.values_mut() {
            link.reconnect();
        }
    }

    /// Closes all connections and ends all requests, of all clones; afterwards the client can do
    /// nothing any more.
    pub fn shutdown(&self) {
        self.shared().shut_down();
    }

    /// Figures of nodes and requests.
    pub fn stats(&self) -> Stats {
        Stats::of(&self.shared().lock())
    }

    /// Counts bytes and requests from zero again.
    pub fn reset_stats(&self) {
        let mut state = self.shared().lock();
        state.core.reset_request_stats();
        for link in state.links.values_mut() {
            link.bytes_in = 0;
            link.bytes_out = 0;
        }
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.handle.0
    }
}
