//! How a client is set up.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use dht_protocol::neo::NodeAddress;

use super::client::Client;
use super::core::{Core, Limits};
use super::shared::{Settings, Shared};
use super::tap::{Tap, Taps};
use crate::files::{FileError, nodes_from_file};

/// Sets up a [`Client`]; see [`Client::builder`].
#[derive(Clone, Debug)]
pub struct Builder {
    nodes: Vec<NodeAddress>,
    limits: Limits,
    request_timeout: Option<Duration>,
    settings: Settings,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            nodes: Vec::new(),
            limits: Limits {
                connections: 5,
                queue: 1024,
            },
            request_timeout: Some(Duration::from_secs(10)),
            settings: Settings {
                connect_timeout: Duration::from_secs(10),
                handshake_retry: Duration::from_secs(1),
                taps: None,
            },
        }
    }
}

impl Builder {
    /// Uses this node, whose port is the one of the legacy protocol. The order of the nodes decides between
    /// nodes that are responsible for the same key: the first is asked.
    #[must_use]
    pub fn node(mut self, node: NodeAddress) -> Self {
        self.nodes.push(node);
        self
    }

    /// Uses all nodes of a file, whose ports are those of the legacy protocol; see
    /// [`nodes_from_file`](crate::nodes_from_file).
    pub fn nodes_file(mut self, path: impl AsRef<Path>) -> Result<Self, FileError> {
        self.nodes.extend(nodes_from_file(path)?);
        Ok(self)
    }

    /// How many connections to a node are open at once, at most; 5 by default, and at least one. Each
    /// carries one request at a time, and a stream occupies one at each node for as long as it runs.
    #[must_use]
    pub fn connections(mut self, connections: usize) -> Self {
        self.limits.connections = connections;
        self
    }

    /// How many requests to a node may wait for a connection; 1024 by default. Further ones fail with
    /// [`Failure::QueueFull`](super::Failure::QueueFull).
    #[must_use]
    pub fn queue(mut self, requests: usize) -> Self {
        self.limits.queue = requests;
        self
    }

    /// How long requests are waited for that have not been given another time by
    /// [`Client::with_timeout`]; 10 seconds by default.
    #[must_use]
    pub fn request_timeout(mut self, timeout: Duration) -> Self {
        self.request_timeout = Some(timeout);
        self
    }

    /// How long an attempt to connect may take; 10 seconds by default.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.settings.connect_timeout = timeout;
        self
    }

    /// How long [`Client::ready`] waits between two handshakes; 1 second by default.
    #[must_use]
    pub fn handshake_retry(mut self, wait: Duration) -> Self {
        self.settings.handshake_retry = wait;
        self
    }

    /// Listens to the bytes of all connections.
    #[must_use]
    pub fn tap(mut self, tap: Arc<dyn Tap>) -> Self {
        self.settings.taps = Some(Arc::new(Taps::new(tap)));
        self
    }

    /// The client. It connects when there is something to send; [`Client::ready`] is what comes first.
    pub fn build(self) -> Client {
        let mut core = Core::new(self.limits);
        for node in self.nodes {
            core.add_node(node);
        }
        Client {
            shared: Shared::new(core, self.settings),
            request_timeout: self.request_timeout,
        }
    }
}
