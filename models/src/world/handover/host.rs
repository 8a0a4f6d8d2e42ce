//! A node's store as the legacy protocol's halves and a redistribution see it.

use bytes::Bytes;
use dht_protocol::legacy::redistribution::Growth;
use dht_protocol::legacy::{About, LegacyHost, Redistribute, RedistributionId};
use dht_protocol::neo::ClientName;
use dht_protocol::{ChannelId, ChannelName, HashRange, Host, HostError, Key, Size};

use crate::defect::Defects;
use crate::world::store::{Store, StoreHost, Written};

/// See the module.
#[derive(Debug)]
pub(super) struct HandoverHost<'a> {
    host: StoreHost<'a>,
    growth: Option<&'a Growth>,
    deeds: Deeds,
}

/// What was done.
#[derive(Debug, Default)]
pub(super) struct Deeds {
    /// The store as it was.
    pub(super) before: Option<Store>,
    /// What clients wrote.
    pub(super) written: Vec<Written>,
    /// What came from the other node.
    pub(super) taken: Vec<(ChannelName, Key, Bytes)>,
    /// What went to it.
    pub(super) given: Vec<(ChannelName, Key)>,
}

impl<'a> HandoverHost<'a> {
    pub(super) fn new(store: &'a mut Store, growth: Option<&'a Growth>, defects: Defects) -> Self {
        Self {
            host: StoreHost::new(store, true, defects),
            growth,
            deeds: Deeds::default(),
        }
    }

    pub(super) fn finish(self) -> Deeds {
        let written = self.host.finish();
        Deeds {
            written,
            ..self.deeds
        }
    }

    /// Removes a record without a word.
    pub(super) fn give(&mut self, channel: ChannelId, key: Key) {
        if let Some(name) = self.host.take_silently(channel, key) {
            self.deeds.given.push((name, key));
        }
    }
}

impl Host for HandoverHost<'_> {
    fn range(&self) -> HashRange {
        self.host.range()
    }

    fn may_remove_channels(&self, client: &ClientName) -> bool {
        self.host.may_remove_channels(client)
    }

    fn open_channel(&mut self, name: &ChannelName) -> Result<ChannelId, HostError> {
        self.host.open_channel(name)
    }

    fn find_channel(&self, name: &ChannelName) -> Option<ChannelId> {
        self.host.find_channel(name)
    }

    fn remove_channel(&mut self, name: &ChannelName) -> Result<(), HostError> {
        self.host.remove_channel(name)
    }

    fn channel_after(&self, after: Option<&ChannelName>) -> Option<ChannelName> {
        self.host.channel_after(after)
    }

    fn put(&mut self, channel: ChannelId, key: Key, value: &Bytes) -> Result<(), HostError> {
        self.host.put(channel, key, value)
    }

    fn get(&self, channel: ChannelId, key: Key) -> Result<Option<Bytes>, HostError> {
        self.host.get(channel, key)
    }

    fn remove(&mut self, channel: ChannelId, key: Key) -> Result<bool, HostError> {
        self.host.remove(channel, key)
    }

    fn record_after(&self, channel: ChannelId, after: Option<Key>) -> Option<(Key, Bytes)> {
        self.host.record_after(channel, after)
    }
}

impl LegacyHost for HandoverHost<'_> {
    fn about(&self) -> About {
        About::default()
    }

    fn connections(&self) -> u64 {
        1
    }

    fn size(&self, _: ChannelId) -> Size {
        Size::default()
    }

    fn total_size(&self) -> Size {
        Size::default()
    }

    fn has_room_for(&self, _: u64) -> bool {
        true
    }

    fn take_over(&mut self, channel: ChannelId, key: Key, value: &Bytes) -> Result<(), HostError> {
        let exists = || matches!(self.host.get(channel, key), Ok(Some(_)));
        let protects = |growth: &Growth| growth.protects(channel, key, exists);
        if self.growth.is_some_and(protects) {
            return Ok(());
        }
        if let Some(name) = self.host.put_silently(channel, key, value) {
            self.deeds.taken.push((name, key, value.clone()));
        }
        Ok(())
    }

    fn hand_over(&mut self, channel: ChannelId, key: Key) -> Result<(), HostError> {
        self.give(channel, key);
        Ok(())
    }

    fn redistribute(&mut self, _: &Redistribute) -> Result<RedistributionId, HostError> {
        Err(HostError("records are being moved already".to_owned()))
    }

    fn is_redistributed(&self, _: RedistributionId) -> bool {
        true
    }
}
