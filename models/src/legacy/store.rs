//! What the node stores: the records of one channel, small enough to be a value.

use std::collections::BTreeMap;
use std::ops::Bound;

use bytes::Bytes;
use dht_protocol::legacy::{About, LegacyHost, Redistribute, RedistributionId};
use dht_protocol::neo::ClientName;
use dht_protocol::neo::request::mirror::Change;
use dht_protocol::{ChannelId, ChannelName, HashRange, Host, HostError, Key, Size};

use super::defect::Defect;

/// The channel that everything is about.
pub(super) const CHANNEL: &str = "c";

/// Whatever a channel is called, it is this one.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Store {
    range: HashRange,
    room: u64,
    channel: Option<ChannelId>,
    records: BTreeMap<Key, Bytes>,
    channels: u64,
    defect: Option<Defect>,
    /// What those who listen have to be told.
    pub(super) events: Vec<(ChannelId, Option<Change>)>,
}

impl Store {
    /// With these records. Without any there is no channel.
    pub(super) fn new(
        range: HashRange,
        room: u64,
        records: &[(Key, Bytes)],
        defect: Option<Defect>,
    ) -> Self {
        Self {
            range,
            room,
            channel: (!records.is_empty()).then_some(ChannelId(0)),
            records: records.iter().cloned().collect(),
            channels: 1,
            defect,
            events: Vec::new(),
        }
    }

    /// The records, if there is a channel.
    pub fn records(&self) -> Option<&BTreeMap<Key, Bytes>> {
        self.channel.map(|_| &self.records)
    }

    fn is(&self, channel: ChannelId) -> bool {
        self.channel == Some(channel)
    }
}

impl Host for Store {
    fn range(&self) -> HashRange {
        self.range
    }

    fn may_remove_channels(&self, _: &ClientName) -> bool {
        true
    }

    fn open_channel(&mut self, _: &ChannelName) -> Result<ChannelId, HostError> {
        let next = ChannelId(self.channels);
        Ok(*self.channel.get_or_insert_with(|| {
            self.channels += 1;
            next
        }))
    }

    fn find_channel(&self, _: &ChannelName) -> Option<ChannelId> {
        self.channel
    }

    fn remove_channel(&mut self, _: &ChannelName) -> Result<(), HostError> {
        if let Some(channel) = self.channel.take() {
            self.records.clear();
            self.events.push((channel, None));
        }
        Ok(())
    }

    fn channel_after(&self, after: Option<&ChannelName>) -> Option<ChannelName> {
        let name = self.channel.filter(|_| after.is_none());
        name.map(|_| CHANNEL.into())
    }

    fn put(&mut self, channel: ChannelId, key: Key, value: &Bytes) -> Result<(), HostError> {
        if self.is(channel) {
            self.records.insert(key, value.clone());
            self.events.push((channel, Some(Change::Changed(key))));
        }
        Ok(())
    }

    fn get(&self, channel: ChannelId, key: Key) -> Result<Option<Bytes>, HostError> {
        let value = self.records.get(&key).filter(|_| self.is(channel));
        Ok(value.cloned())
    }

    fn remove(&mut self, channel: ChannelId, key: Key) -> Result<bool, HostError> {
        let removed = self.is(channel) && self.records.remove(&key).is_some();
        if removed {
            self.events.push((channel, Some(Change::Deleted(key))));
        }
        Ok(removed)
    }

    fn record_after(&self, channel: ChannelId, after: Option<Key>) -> Option<(Key, Bytes)> {
        let from = match after {
            // The defect: whoever stands on a record that is gone starts over.
            Some(key)
                if self.defect == Some(Defect::StartsOver) && !self.records.contains_key(&key) =>
            {
                Bound::Unbounded
            }
            Some(key) => Bound::Excluded(key),
            None => Bound::Unbounded,
        };
        let next = self.records.range((from, Bound::Unbounded)).next();
        let next = next.filter(|_| self.is(channel));
        next.map(|(key, value)| (*key, value.clone()))
    }
}

impl LegacyHost for Store {
    fn about(&self) -> About {
        About::default()
    }

    fn connections(&self) -> u64 {
        1
    }

    fn size(&self, _: ChannelId) -> Size {
        self.total_size()
    }

    fn total_size(&self) -> Size {
        Size {
            records: self.records.len() as u64,
            bytes: self.records.values().map(|value| value.len() as u64).sum(),
        }
    }

    fn has_room_for(&self, bytes: u64) -> bool {
        self.total_size().bytes + bytes <= self.room
    }

    fn take_over(&mut self, channel: ChannelId, key: Key, value: &Bytes) -> Result<(), HostError> {
        if self.is(channel) {
            self.records.insert(key, value.clone());
        }
        Ok(())
    }

    fn takes_over(&self, key: Key) -> bool {
        // The defect: the node takes whatever it is given.
        self.range.covers(key) || self.defect == Some(Defect::TakesEverything)
    }

    fn hand_over(&mut self, channel: ChannelId, key: Key) -> Result<(), HostError> {
        self.remove(channel, key).map(drop)
    }

    fn redistribute(&mut self, _: &Redistribute) -> Result<RedistributionId, HostError> {
        Err(HostError("there is no other node".to_owned()))
    }

    fn is_redistributed(&self, _: RedistributionId) -> bool {
        true
    }
}
