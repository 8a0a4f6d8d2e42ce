//! How a client is set up.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use dht_protocol::neo::{Credential, Limits, NodeAddress};

use crate::backoff::Backoff;
use crate::client::Client;
use crate::core::{Core, MAX_OUTPUT};
use crate::files::{FileError, nodes_from_file};
use crate::mailbox::Marks;
use crate::shared::{Settings, Shared, Writing};
use crate::tap::Tap;

/// Sets up a [`Client`]; see [`Client::builder`].
#[derive(Clone, Debug)]
pub struct Builder {
    credential: Credential,
    nodes: Vec<NodeAddress>,
    request_timeout: Option<Duration>,
    stream_buffer: usize,
    send_buffer: usize,
    limits: Limits,
    settings: Settings,
}

impl Builder {
    pub(crate) fn new(credential: Credential) -> Self {
        Self {
            credential,
            nodes: Vec::new(),
            request_timeout: None,
            stream_buffer: 4 * 1024 * 1024,
            send_buffer: MAX_OUTPUT,
            limits: Limits::default(),
            settings: Settings {
                tap: None,
                backoff: Backoff::default(),
                connect_timeout: Duration::from_secs(10),
            },
        }
    }

    /// Connects to this node, whose port is the one of the neo protocol. Nodes that this one knows of
    /// may be added by themselves.
    #[must_use]
    pub fn node(mut self, node: NodeAddress) -> Self {
        self.nodes.push(node);
        self
    }

    /// Connects to all nodes of a file; see [`nodes_from_file`].
    pub fn nodes_file(mut self, path: impl AsRef<Path>) -> Result<Self, FileError> {
        self.nodes.extend(nodes_from_file(path)?);
        Ok(self)
    }

    /// How long requests are waited for that have not been given another time by
    /// [`Client::with_timeout`]. Without this they are waited for as long as the connection lasts.
    #[must_use]
    pub fn request_timeout(mut self, timeout: Duration) -> Self {
        self.request_timeout = Some(timeout);
        self
    }

    /// Has every byte that passes shown to `tap`.
    #[must_use]
    pub fn tap(mut self, tap: Arc<dyn Tap>) -> Self {
        self.settings.tap = Some(tap);
        self
    }

    /// How long to wait between attempts to connect.
    #[must_use]
    pub fn reconnect(mut self, backoff: Backoff) -> Self {
        self.settings.backoff = backoff;
        self
    }

    /// How long an attempt to connect may take, the authentication included; 10 seconds by default.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.settings.connect_timeout = timeout;
        self
    }

    /// How many bytes a GetAll or Mirror may have told that its user has not read yet, before its nodes
    /// are suspended; 4 MiB by default. They are resumed when half of it has been read.
    #[must_use]
    pub fn stream_buffer(mut self, bytes: usize) -> Self {
        self.stream_buffer = bytes;
        self
    }

    /// About how many bytes may wait to be sent to a node; 512 MiB by default, which the requests that can be
    /// active at once do not reach. The connection to a node that leaves more waiting is closed
    /// ([`ConnectionError::NotReading`](crate::ConnectionError::NotReading)): requests that time out
    /// must not fill the memory with what they wanted to say.
    #[must_use]
    pub fn send_buffer(mut self, bytes: usize) -> Self {
        self.send_buffer = bytes;
        self
    }

    /// What is accepted from nodes.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The client. It connects in the background; [`Client::ready`] waits for that.
    ///
    /// # Panics
    ///
    /// If it is not called inside a tokio runtime with I/O and time enabled.
    pub fn build(self) -> Client {
        let core = Core::with_max_output(self.credential, self.limits, self.send_buffer);
        let shared = Shared::new(core, self.settings);
        let mut state = shared.lock();
        let now = shared.now();
        for node in self.nodes {
            state.core.add_node(node, now);
        }
        shared.carry_out(&mut state, Writing::Later, now);
        drop(state);
        let message = usize::try_from(self.limits.message).unwrap_or(usize::MAX);
        let marks = Marks {
            high: self.stream_buffer,
            // A node has a message of the largest size in its hands when it reads the Suspend, the
            // network another, and the batches that came with it grow when they are unpacked.
            excessive: self
                .stream_buffer
                .saturating_add(message.saturating_mul(3))
                .saturating_add(EXCESS),
        };
        Client::new(shared, self.request_timeout, marks)
    }
}

/// How many bytes of batches a node that obeys may have under way, unpacked.
const EXCESS: usize = 64 * 1024 * 1024;
