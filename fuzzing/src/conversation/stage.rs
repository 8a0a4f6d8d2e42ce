//! What all conversations have in common. Making it anew would be a tenth of the work of each.

use std::cell::RefCell;

use dht_protocol::neo::ClientName;
use dht_protocol::neo::monitor::Monitor;
use dht_protocol::neo::registry::Registry;
use dht_protocol::{ChannelName, HashRange};
use fakedht::NodeConfig;

use super::talk::NODE;
use crate::asked::channel;
use crate::host::Room;

/// See the module.
pub(super) struct Stage {
    /// Knows the one node.
    pub(super) registry: Registry,
    pub(super) channel: ChannelName,
    pub(super) client: ClientName,
    config: NodeConfig,
    /// Listens at the client's end.
    pub(super) monitor: Monitor,
    /// Listens at the node's end.
    pub(super) at_node: Monitor,
}

impl Stage {
    pub(super) fn new() -> Self {
        let mut registry = Registry::default();
        registry.learn(NODE, HashRange::FULL);
        Self {
            registry,
            channel: channel(),
            client: ClientName::new(b"admin").expect("short enough"),
            config: Room::config(),
            monitor: Monitor::new(),
            at_node: Monitor::new(),
        }
    }

    /// Runs `work` on a stage on which nothing has happened.
    pub(super) fn with<T>(work: impl FnOnce(&mut Self) -> T) -> T {
        thread_local! {
            static STAGE: RefCell<Stage> = RefCell::new(Stage::new());
        }
        STAGE.with_borrow_mut(|stage| {
            stage.monitor.closed();
            stage.at_node.closed();
            work(stage)
        })
    }

    /// A node without records.
    pub(super) fn room(&self) -> Room {
        Room::with(&self.config)
    }
}
