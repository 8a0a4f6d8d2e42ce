//! What a node's owner does without being a client: reads and writes of its own, of which Mirrors are
//! told as of any other. Hash range and permissions do not bind the owner.

use bytes::Bytes;
use dht_protocol::{ChannelName, Host, HostError, Key};

use super::Node;
use super::host::NodeHost;
use crate::storage::{ChannelId, Size, Storage, StorageError};

impl<S: Storage> Node<S> {
    /// The storage, to look at.
    pub fn storage(&self) -> &S {
        &self.host.storage
    }

    /// Stores a record; the channel is created if need be.
    pub fn put(
        &mut self,
        channel: &ChannelName,
        key: Key,
        value: &[u8],
    ) -> Result<(), StorageError> {
        let value = Bytes::copy_from_slice(value);
        self.write(|host| {
            let channel = host.open_channel(channel)?;
            host.put(channel, key, &value)
        })
    }

    /// The value of a record. Unlike a client's Get this creates nothing.
    pub fn get(&self, channel: &ChannelName, key: Key) -> Result<Option<Bytes>, StorageError> {
        match self.host.storage.find_channel(channel) {
            Some(channel) => self.host.storage.get(channel, key),
            None => Ok(None),
        }
    }

    /// Removes a record. Was there one?
    pub fn remove(&mut self, channel: &ChannelName, key: Key) -> Result<bool, StorageError> {
        match self.host.storage.find_channel(channel) {
            Some(channel) => self.write(|host| host.remove(channel, key)),
            None => Ok(false),
        }
    }

    /// Removes a channel with its records; its Mirrors end. Was there one?
    pub fn remove_channel(&mut self, channel: &ChannelName) -> Result<bool, StorageError> {
        let found = self.host.storage.find_channel(channel).is_some();
        self.write(|host| host.remove_channel(channel))?;
        Ok(found)
    }

    /// The records of a channel, in the storage's order.
    pub fn records(&self, channel: &ChannelName) -> impl Iterator<Item = (Key, Bytes)> {
        let id = self.host.storage.find_channel(channel);
        let mut last = None;
        std::iter::from_fn(move || {
            let record = self.host.storage.record_after(id?, last)?;
            last = Some(record.0);
            Some(record)
        })
    }

    /// The channels, in the storage's order.
    pub fn channels(&self) -> impl Iterator<Item = ChannelName> {
        let mut last: Option<ChannelName> = None;
        std::iter::from_fn(move || {
            last = Some(self.host.storage.channel_after(last.as_ref())?);
            last.clone()
        })
    }

    /// How much is in a channel; nothing if there is none.
    pub fn size(&self, channel: &ChannelName) -> Size {
        let id = self.host.storage.find_channel(channel);
        id.map_or_else(Size::default, |id| self.host.storage.size(id))
    }

    /// How many Mirrors follow a channel, over all connections.
    pub fn listeners(&self, channel: &ChannelName) -> usize {
        let Some(id) = self.host.storage.find_channel(channel) else {
            return 0;
        };
        self.mirrors(id)
    }

    fn mirrors(&self, channel: ChannelId) -> usize {
        let followers = self.followers.get(&channel).into_iter().flatten();
        let connections = followers.filter_map(|id| self.neo(*id));
        connections.map(|neo| neo.mirrors(channel)).sum()
    }

    fn write<T>(
        &mut self,
        write: impl FnOnce(&mut NodeHost<S>) -> Result<T, HostError>,
    ) -> Result<T, StorageError> {
        let written = write(&mut self.host);
        self.tell_followers(None);
        self.go_on_moving();
        written.map_err(|HostError(reason)| StorageError(reason))
    }
}
