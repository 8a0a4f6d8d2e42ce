//! One connection of the world: a client of its own, and what is known of it without asking. All that
//! passes on it is heard by the wire monitor.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use dht_client::{Backoff, Client, Credential, NodeAddress, Side, Tap};
use dht_protocol::neo::monitor::{Coverage, Listener};
use tokio::sync::watch;

use super::health::Breaches;

/// How soon a lost connection is tried again: a case has better things to do than to wait.
const BACKOFF: Backoff = Backoff {
    first: Duration::from_millis(1),
    max: Duration::from_millis(100),
};

/// A client with one connection.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) client: Client,
    watcher: Arc<Watcher>,
}

impl Link {
    /// Begins to connect to `address`, which stands for `node`.
    pub(super) fn new(
        address: NodeAddress,
        node: NodeAddress,
        credential: Credential,
        tap: Option<Arc<dyn Tap>>,
        breaches: Breaches,
        listener: Listener,
    ) -> Self {
        let watcher = Arc::new(Watcher {
            tap,
            listener: Mutex::new(listener),
            breaches,
            address,
            node,
            sent: AtomicU64::new(0),
            losses: watch::Sender::new(0),
        });
        let client = Client::builder(credential)
            .node(address)
            .reconnect(BACKOFF)
            .tap(Arc::clone(&watcher) as Arc<dyn Tap>)
            .build();
        Self { client, watcher }
    }

    /// The node that it goes to.
    pub(super) fn node(&self) -> NodeAddress {
        self.watcher.node
    }

    /// How many bytes the client has sent. What fails without any more having been sent has certainly
    /// not reached a node.
    pub(super) fn sent(&self) -> u64 {
        // Written while the client is locked, and read by who has been told something by it since.
        self.watcher.sent.load(Ordering::Relaxed)
    }

    /// What was covered of the requests' automata, if that was to be remembered.
    pub(super) fn coverage(&self) -> Option<Coverage> {
        self.watcher.listener().monitor().coverage().cloned()
    }

    /// Changes whenever the connection is lost.
    pub(super) fn losses(&self) -> watch::Receiver<u64> {
        self.watcher.losses.subscribe()
    }
}

/// Sees everything that passes, for itself and for whoever else wants to.
#[derive(Debug)]
struct Watcher {
    tap: Option<Arc<dyn Tap>>,
    /// Judges the messages of the present connection.
    listener: Mutex<Listener>,
    breaches: Breaches,
    /// Where the client connects to.
    address: NodeAddress,
    /// Whom it reaches there.
    node: NodeAddress,
    sent: AtomicU64,
    losses: watch::Sender<u64>,
}

impl Watcher {
    fn real(&self, node: NodeAddress) -> NodeAddress {
        match node == self.address {
            true => self.node,
            false => node,
        }
    }

    fn listener(&self) -> MutexGuard<'_, Listener> {
        // Never locked while anything else is done that could panic.
        self.listener.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tap for Watcher {
    fn opened(&self, node: NodeAddress) {
        self.listener().closed();
        if let Some(tap) = &self.tap {
            tap.opened(self.real(node));
        }
    }

    fn bytes(&self, node: NodeAddress, from: Side, bytes: &[u8]) {
        if from == Side::Client {
            self.sent.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        }
        if let Some(tap) = &self.tap {
            tap.bytes(self.real(node), from, bytes);
        }
        let breaches = self.listener().hear(from, bytes);
        breaches
            .into_iter()
            .for_each(|breach| self.breaches.report(breach));
    }

    fn closed(&self, node: NodeAddress, reason: &str) {
        self.losses.send_modify(|losses| *losses += 1);
        if let Some(tap) = &self.tap {
            tap.closed(self.real(node), reason);
        }
    }
}
