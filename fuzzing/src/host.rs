//! A node around one request: a storage, and what the request is to be told of writes.

use std::vec::Drain;

use fakedht::node::host::{Event, NodeHost};
use fakedht::{MemoryStorage, NodeConfig, RemoveChannels};

/// See the module.
#[derive(Debug)]
pub(crate) struct Room {
    host: NodeHost<MemoryStorage>,
}

impl Room {
    pub(crate) fn new() -> Self {
        Self::with(&Self::config())
    }

    /// As [`new`](Self::new), of a configuration that was made already.
    pub(crate) fn with(config: &NodeConfig) -> Self {
        Self {
            host: NodeHost::new(config, MemoryStorage::new()),
        }
    }

    /// How its node is configured.
    pub(crate) fn config() -> NodeConfig {
        NodeConfig {
            remove_channels: RemoveChannels::Everybody,
            ..NodeConfig::default()
        }
    }

    /// The node as a request sees it.
    pub(crate) fn host(&mut self) -> &mut NodeHost<MemoryStorage> {
        &mut self.host
    }

    /// Writes that nobody was told of.
    pub(crate) fn take_written(&mut self) -> Drain<'_, Event> {
        self.host.events.drain(..)
    }
}
