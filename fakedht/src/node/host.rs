//! The node as its requests see it: storage, responsibility and permissions, and a list of what was
//! written, for those who follow the channels.

use bytes::Bytes;
use dht_protocol::legacy::{About, LegacyHost, Redistribute, RedistributionId};
use dht_protocol::neo::request::mirror::Change;
use dht_protocol::neo::{ClientName, NodeAddress};
use dht_protocol::{ChannelId, ChannelName, HashRange, Host, HostError, Key, Size};

use super::config::{NodeConfig, RemoveChannels};
use super::moving::Moving;
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
pub struct NodeHost<S> {
    /// What the node stores.
    pub storage: S,
    /// What it is responsible for.
    pub range: HashRange,
    /// Who may remove channels.
    pub remove_channels: RemoveChannels,
    /// Events in the order of the writes that raised them.
    pub events: Vec<Event>,
    /// Where it serves the legacy protocol, if that is known.
    pub legacy_address: Option<NodeAddress>,
    /// How many clients of the legacy protocol are connected.
    pub legacy_connections: u64,
    /// How many bytes of values it stores for legacy clients, if there is a limit.
    pub size_limit: Option<u64>,
    /// Records that move between this node and others.
    pub moving: Moving,
}

impl<S: Storage> NodeHost<S> {
    /// A node without clients.
    pub fn new(config: &NodeConfig, storage: S) -> Self {
        Self {
            storage,
            range: config.range,
            remove_channels: config.remove_channels,
            events: Vec::new(),
            legacy_address: config.legacy_address,
            legacy_connections: 0,
            size_limit: config.size_limit,
            moving: Moving::new(config.redistribution_percent),
        }
    }
}

impl<S: Storage> Host for NodeHost<S> {
    fn range(&self) -> HashRange {
        self.range
    }

    fn is_writable(&self, key: Key) -> bool {
        self.range.covers(key) && self.moving.is_writable(key)
    }

    fn may_remove_channels(&self, client: &ClientName) -> bool {
        self.remove_channels.allows(client)
    }

    fn open_channel(&mut self, name: &ChannelName) -> Result<ChannelId, HostError> {
        let channel = self.storage.open_channel(name)?;
        self.moving.opened(channel, name);
        Ok(channel)
    }

    fn find_channel(&self, name: &ChannelName) -> Option<ChannelId> {
        self.storage.find_channel(name)
    }

    fn remove_channel(&mut self, name: &ChannelName) -> Result<(), HostError> {
        if let Some(channel) = self.storage.find_channel(name) {
            self.channel_goes(channel);
        }
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
        self.moving.written(channel, key);
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
            // Not protected: the node that hands records over removes them here as clients do.
            self.moving.changed(channel, key);
            self.events
                .push(Event::Record(channel, Change::Deleted(key)));
        }
        Ok(removed)
    }

    fn record_after(&self, channel: ChannelId, after: Option<Key>) -> Option<(Key, Bytes)> {
        self.storage.record_after(channel, after)
    }
}

impl<S: Storage> LegacyHost for NodeHost<S> {
    fn about(&self) -> About {
        self.legacy_address
            .map_or_else(About::default, |address| About {
                address: address.ip().to_string().into(),
                port: address.port(),
            })
    }

    fn connections(&self) -> u64 {
        self.legacy_connections
    }

    fn size(&self, channel: ChannelId) -> Size {
        self.storage.size(channel)
    }

    fn total_size(&self) -> Size {
        self.storage.total_size()
    }

    fn has_room_for(&self, bytes: u64) -> bool {
        self.size_limit
            .is_none_or(|limit| self.total_size().bytes.saturating_add(bytes) <= limit)
    }

    fn take_over(&mut self, channel: ChannelId, key: Key, value: &Bytes) -> Result<(), HostError> {
        let exists = || matches!(self.storage.get(channel, key), Ok(Some(_)));
        if !self.moving.protects(channel, key, exists) {
            self.storage.put(channel, key, value)?;
            self.moving.changed(channel, key);
        }
        Ok(())
    }

    fn takes_over(&self, key: Key) -> bool {
        self.range.covers(key) || self.moving.is_coming(key)
    }

    fn has_room_to_take_over(&self, bytes: u64) -> bool {
        self.has_room_for(bytes) && self.moving.has_room_for(bytes, self.total_size().bytes)
    }

    fn hand_over(&mut self, channel: ChannelId, key: Key) -> Result<(), HostError> {
        self.storage.remove(channel, key)?;
        Ok(())
    }

    fn redistribute(&mut self, order: &Redistribute) -> Result<RedistributionId, HostError> {
        self.begin(order)
    }

    fn is_redistributed(&self, id: RedistributionId) -> bool {
        self.moving.is_over(id)
    }
}
