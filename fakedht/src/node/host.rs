//! The node as its requests see it: storage, responsibility and permissions, and a list of what was
//! written, for those who follow the channels.

use bytes::Bytes;
use dht_protocol::neo::ClientName;
use dht_protocol::neo::request::mirror::Change;
use dht_protocol::neo::request::{ChannelId, Host, HostError};
use dht_protocol::{ChannelName, HashRange, Key};

use super::config::RemoveChannels;
use crate::storage::Storage;

/// Something that followers of a channel are told.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Event {
    /// A record was written or removed.
    Record(ChannelId, Change),
    /// The channel was removed.
    Gone(ChannelId),
}

impl Event {
    /// In which channel it happened.
    pub fn channel(self) -> ChannelId {
        match self {
            Self::Record(channel, _) | Self::Gone(channel) => channel,
        }
    }
}

/// See the module.
#[derive(Debug)]
pub struct NodeHost<'a, S> {
    /// What the node stores.
    pub storage: &'a mut S,
    /// What it is responsible for.
    pub range: HashRange,
    /// Who may remove channels.
    pub remove_channels: RemoveChannels,
    /// Events in the order of the writes that raised them.
    pub events: &'a mut Vec<Event>,
}

impl<S: Storage> Host for NodeHost<'_, S> {
    fn range(&self) -> HashRange {
        self.range
    }

    fn may_remove_channels(&self, client: &ClientName) -> bool {
        self.remove_channels.allows(client)
    }

    fn open_channel(&mut self, name: &ChannelName) -> Result<ChannelId, HostError> {
        Ok(self.storage.open_channel(name)?)
    }

    fn find_channel(&self, name: &ChannelName) -> Option<ChannelId> {
        self.storage.find_channel(name)
    }

    fn remove_channel(&mut self, name: &ChannelName) -> Result<(), HostError> {
        if let Some(channel) = self.storage.remove_channel(name)? {
            self.events.push(Event::Gone(channel));
        }
        Ok(())
    }

    fn channel_after(&self, after: Option<&ChannelName>) -> Option<ChannelName> {
        self.storage.channel_after(after)
    }

    fn put(&mut self, channel: ChannelId, key: Key, value: &Bytes) -> Result<(), HostError> {
        self.storage.put(channel, key, value)?;
        self.events
            .push(Event::Record(channel, Change::Changed(key)));
        Ok(())
    }

    fn get(&self, channel: ChannelId, key: Key) -> Result<Option<Bytes>, HostError> {
        Ok(self.storage.get(channel, key)?)
    }

    fn remove(&mut self, channel: ChannelId, key: Key) -> Result<bool, HostError> {
        let removed = self.storage.remove(channel, key)?;
        if removed {
            self.events
                .push(Event::Record(channel, Change::Deleted(key)));
        }
        Ok(removed)
    }

    fn record_after(&self, channel: ChannelId, after: Option<Key>) -> Option<(Key, Bytes)> {
        self.storage.record_after(channel, after)
    }
}
