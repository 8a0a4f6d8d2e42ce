//! A node around one request: a storage, and what the request is to be told of writes.

use dht_protocol::HashRange;
use fakedht::node::host::{Event, NodeHost};
use fakedht::{MemoryStorage, RemoveChannels};

/// See the module.
#[derive(Debug)]
pub(crate) struct Room {
    storage: MemoryStorage,
    /// Writes that nobody was told of.
    pub(crate) written: Vec<Event>,
}

impl Room {
    pub(crate) fn new() -> Self {
        Self {
            storage: MemoryStorage::new(),
            written: Vec::new(),
        }
    }

    /// The node as a request sees it.
    pub(crate) fn host(&mut self) -> NodeHost<'_, MemoryStorage> {
        NodeHost {
            storage: &mut self.storage,
            range: HashRange::FULL,
            remove_channels: RemoveChannels::Everybody,
            events: &mut self.written,
        }
    }
}
