//! The lock around a node, and what has to happen whenever it is released: connections that were given
//! something to do are woken, and so is who waits for a change.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::node::{ConnectionId, Errand, Node};
use crate::storage::Storage;

/// A node that several tasks use: the connections of a [`Server`](crate::Server), and whoever wants to
/// look at the node or change it. Clones are the same node.
pub struct SharedNode<S> {
    shared: Arc<Shared<S>>,
}

struct Shared<S> {
    state: Mutex<State<S>>,
    /// Told whenever the node's revision has changed.
    changed: Notify,
    /// Told whenever the node has an errand.
    errand: Notify,
    /// Buffers to read into. A connection needs one only while it has something to read.
    buffers: Mutex<Vec<Vec<u8>>>,
}

struct State<S> {
    node: Node<S>,
    /// The connections that have a task.
    peers: BTreeMap<ConnectionId, Arc<Peer>>,
}

/// How to reach the task of a connection.
#[derive(Debug, Default)]
pub(super) struct Peer {
    /// There is something to do.
    pub(super) woken: Notify,
    /// The connection is to be closed.
    dropped: AtomicBool,
}

impl Peer {
    pub(super) fn is_dropped(&self) -> bool {
        self.dropped.load(Ordering::Relaxed)
    }
}

/// Bytes that are read at once.
const CHUNK: usize = 64 * 1024;
/// How many buffers are kept for later.
const SPARE_BUFFERS: usize = 8;

impl<S: Storage> SharedNode<S> {
    /// Shares a node.
    pub fn new(node: Node<S>) -> Self {
        let state = State {
            node,
            peers: BTreeMap::new(),
        };
        Self {
            shared: Arc::new(Shared {
                state: Mutex::new(state),
                changed: Notify::new(),
                errand: Notify::new(),
                buffers: Mutex::new(Vec::new()),
            }),
        }
    }

    /// Does something with the node. All its connections wait meanwhile, so it should not take long;
    /// it must not use the same `SharedNode` again.
    pub fn with<T>(&self, work: impl FnOnce(&mut Node<S>) -> T) -> T {
        let mut state = self.lock();
        let State { node, peers } = &mut *state;
        let revision = node.revision();
        let result = work(node);
        while let Some(id) = node.pop_woken() {
            if let Some(peer) = peers.get(&id) {
                peer.woken.notify_one();
            }
        }
        let changed = node.revision() != revision;
        if node.has_errand() {
            self.shared.errand.notify_one();
        }
        drop(state);
        if changed {
            self.shared.changed.notify_waiters();
        }
        result
    }

    /// Waits until the node's [revision](Node::revision) is another one than `revision`.
    pub async fn changed(&self, revision: u64) {
        self.until(|shared| shared.lock().node.revision() != revision)
            .await;
    }

    /// Waits until the node has [crashed](Node::has_crashed).
    pub async fn crashed(&self) {
        self.until(|shared| shared.lock().node.has_crashed()).await;
    }

    /// How many connections are open.
    pub fn connected(&self) -> usize {
        self.lock().peers.len()
    }

    /// Closes all connections that are open now, and returns when they are closed. Who wants to may
    /// connect again.
    pub async fn drop_connections(&self) {
        let ids: Vec<ConnectionId> = {
            let state = self.lock();
            for peer in state.peers.values() {
                peer.dropped.store(true, Ordering::Relaxed);
                peer.woken.notify_one();
            }
            state.peers.keys().copied().collect()
        };
        self.until(|shared| {
            let peers = &shared.lock().peers;
            ids.iter().all(|id| !peers.contains_key(id))
        })
        .await;
    }

    /// Waits until a condition is fulfilled, which is looked at now and after every change.
    async fn until(&self, condition: impl Fn(&Self) -> bool) {
        loop {
            let changed = self.shared.changed.notified();
            tokio::pin!(changed);
            // From here on no change is missed.
            changed.as_mut().enable();
            if condition(self) {
                return;
            }
            changed.await;
        }
    }

    /// A client has connected; it stays so until the registration is dropped.
    pub(super) fn register(
        &self,
        accept: impl FnOnce(&mut Node<S>) -> ConnectionId,
    ) -> Registration<S> {
        let id = self.with(accept);
        self.registration(id)
    }

    /// Waits for something to do for the node itself, and registers that as a connection.
    pub(super) async fn errand(&self) -> (Errand, Registration<S>) {
        loop {
            let errand = self.with(Node::pop_errand);
            if let Some(errand) = errand {
                let (Errand::Work(id) | Errand::Connect { id, .. }) = errand;
                return (errand, self.registration(id));
            }
            self.shared.errand.notified().await;
        }
    }

    fn registration(&self, id: ConnectionId) -> Registration<S> {
        let peer = Arc::new(Peer::default());
        self.lock().peers.insert(id, Arc::clone(&peer));
        Registration {
            node: self.clone(),
            id,
            peer,
        }
    }

    pub(super) fn take_buffer(&self) -> Vec<u8> {
        let spare = lock(&self.shared.buffers).pop();
        spare.unwrap_or_else(|| vec![0; CHUNK])
    }

    pub(super) fn return_buffer(&self, buffer: Vec<u8>) {
        let mut spare = lock(&self.shared.buffers);
        if spare.len() < SPARE_BUFFERS {
            spare.push(buffer);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<S>> {
        lock(&self.shared.state)
    }
}

/// Who panicked while holding the lock was a storage or a visitor; the others are served on.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<S> Clone for SharedNode<S> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<S> fmt::Debug for SharedNode<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedNode").finish_non_exhaustive()
    }
}

/// A connection of the node, closed when this is dropped.
pub(super) struct Registration<S: Storage> {
    pub(super) node: SharedNode<S>,
    pub(super) id: ConnectionId,
    pub(super) peer: Arc<Peer>,
}

impl<S: Storage> Drop for Registration<S> {
    fn drop(&mut self) {
        self.node.lock().peers.remove(&self.id);
        self.node.with(|node| node.close(self.id));
        // The node may have been closed before, but nobody who waits knew that the task was there.
        self.node.shared.changed.notify_waiters();
    }
}
