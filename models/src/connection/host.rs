//! What the node of the model stores: records of a single channel, small enough to be a value.

use std::collections::BTreeMap;
use std::ops::Bound;

use bytes::Bytes;
use dht_protocol::neo::ClientName;
use dht_protocol::neo::request::{ChannelId, Host, HostError};
use dht_protocol::{ChannelName, HashRange, Key};

const CHANNEL: ChannelId = ChannelId(1);

/// Records; whatever a channel is called, they are in it.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct Records(BTreeMap<Key, Bytes>);

impl Records {
    /// With a record.
    #[must_use]
    pub fn with(mut self, key: u64, value: impl Into<Bytes>) -> Self {
        self.0.insert(Key(key), value.into());
        self
    }
}

impl Host for Records {
    fn range(&self) -> HashRange {
        HashRange::FULL
    }

    fn may_remove_channels(&self, _: &ClientName) -> bool {
        false
    }

    fn open_channel(&mut self, _: &ChannelName) -> Result<ChannelId, HostError> {
        Ok(CHANNEL)
    }

    fn find_channel(&self, _: &ChannelName) -> Option<ChannelId> {
        Some(CHANNEL)
    }

    fn remove_channel(&mut self, _: &ChannelName) -> Result<(), HostError> {
        self.0.clear();
        Ok(())
    }

    fn channel_after(&self, _: Option<&ChannelName>) -> Option<ChannelName> {
        None
    }

    fn put(&mut self, _: ChannelId, key: Key, value: &Bytes) -> Result<(), HostError> {
        self.0.insert(key, value.clone());
        Ok(())
    }

    fn get(&self, _: ChannelId, key: Key) -> Result<Option<Bytes>, HostError> {
        Ok(self.0.get(&key).cloned())
    }

    fn remove(&mut self, _: ChannelId, key: Key) -> Result<bool, HostError> {
        Ok(self.0.remove(&key).is_some())
    }

    fn record_after(&self, _: ChannelId, after: Option<Key>) -> Option<(Key, Bytes)> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let next = self.0.range((from, Bound::Unbounded)).next();
        next.map(|(key, value)| (*key, value.clone()))
    }
}
