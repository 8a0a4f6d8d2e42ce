//! A node around one request: a storage, and what the request is to be told of writes.

use std::mem::take;

use fakedht::node::host::{Event, NodeHost};
use fakedht::{MemoryStorage, NodeConfig, RemoveChannels};

/// See the module.
#[derive(Debug)]
pub(crate) struct Room {
    host: NodeHost<MemoryStorage>,
}

impl Room {
    pub(crate) fn new() -> Self {
        let config = NodeConfig {
            remove_channels: RemoveChannels::Everybody,
            ..NodeConfig::default()
        };
        Self {
            host: NodeHost::new(&config, MemoryStorage::new()),
        }
    }

    /// The node as a request sees it.
    pub(crate) fn host(&mut self) -> &mut NodeHost<MemoryStorage> {
        &mut self.host
    }

    /// Writes that nobody was told of.
    pub(crate) fn take_written(&mut self) -> Vec<Event> {
        take(&mut self.host.events)
    }
}
