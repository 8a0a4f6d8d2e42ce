//! A node around one request: a storage, and what the request is to be told of writes.

use bytes::Bytes;
use dht_protocol::neo::ClientName;
use dht_protocol::neo::request::mirror::Change;
use dht_protocol::neo::request::{Host, HostError};
use dht_protocol::{ChannelName, HashRange, Key};
use fakedht::MemoryStorage;
use fakedht::storage::{ChannelId, Storage};

/// See the module.
#[derive(Debug)]
pub(crate) struct Room {
    pub(crate) storage: MemoryStorage,
    pub(crate) range: HashRange,
    /// Writes that nobody was told of; `None` for the removal of the channel.
    pub(crate) written: Vec<(ChannelId, Option<Change>)>,
}

impl Room {
    pub(crate) fn new() -> Self {
        Self {
            storage: MemoryStorage::new(),
            range: HashRange::FULL,
            written: Vec::new(),
        }
    }
}

impl Host for Room {
    fn range(&self) -> HashRange {
        self.range
    }

    fn may_remove_channels(&self, _: &ClientName) -> bool {
        true
    }

    fn open_channel(&mut self, name: &ChannelName) -> Result<ChannelId, HostError> {
        Ok(self.storage.open_channel(name)?)
    }

    fn find_channel(&self, name: &ChannelName) -> Option<ChannelId> {
        self.storage.find_channel(name)
    }

    fn remove_channel(&mut self, name: &ChannelName) -> Result<(), HostError> {
        if let Some(channel) = self.storage.remove_channel(name)? {
            self.written.push((channel, None));
        }
        Ok(())
    }

    fn channel_after(&self, after: Option<&ChannelName>) -> Option<ChannelName> {
        self.storage.channel_after(after)
    }

    fn put(&mut self, channel: ChannelId, key: Key, value: &Bytes) -> Result<(), HostError> {
        self.storage.put(channel, key, value)?;
        self.written.push((channel, Some(Change::Changed(key))));
        Ok(())
    }

    fn get(&self, channel: ChannelId, key: Key) -> Result<Option<Bytes>, HostError> {
        Ok(self.storage.get(channel, key)?)
    }

    fn remove(&mut self, channel: ChannelId, key: Key) -> Result<bool, HostError> {
        let removed = self.storage.remove(channel, key)?;
        if removed {
            self.written.push((channel, Some(Change::Deleted(key))));
        }
        Ok(removed)
    }

    fn record_after(&self, channel: ChannelId, after: Option<Key>) -> Option<(Key, Bytes)> {
        self.storage.record_after(channel, after)
    }
}
