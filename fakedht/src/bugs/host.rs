//! A node as its requests see it, with bugs.

use bytes::Bytes;
use dht_protocol::legacy::{About, LegacyHost, Redistribute, RedistributionId};
use dht_protocol::neo::ClientName;
use dht_protocol::{ChannelId, ChannelName, HashRange, Host, HostError, Key, Size};

use super::host_bug::{At, Call, HostBug};

/// Lets a connection work on a host that all of `bugs` stand in front of.
pub(super) fn behind<T>(
    bugs: &mut [Box<dyn HostBug>],
    host: &mut dyn LegacyHost,
    call: Call,
    work: impl FnOnce(&mut BuggyHost<'_>) -> T,
) -> T {
    match bugs.split_first_mut() {
        None => {
            let bug = &mut Healthy;
            work(&mut BuggyHost { host, bug, call })
        }
        Some((bug, others)) => {
            let bug = &mut **bug;
            let mut host = BuggyHost { host, bug, call };
            behind(others, &mut host, call, work)
        }
    }
}

/// Passes everything on.
struct Healthy;

impl HostBug for Healthy {}

/// A host with one bug in front of it.
pub(super) struct BuggyHost<'a> {
    host: &'a mut dyn LegacyHost,
    bug: &'a mut dyn HostBug,
    call: Call,
}

impl BuggyHost<'_> {
    fn at(&self, channel: ChannelId, key: Key) -> At {
        let call = self.call;
        At { call, channel, key }
    }
}

impl Host for BuggyHost<'_> {
    fn range(&self) -> HashRange {
        self.bug.range(self.host, self.call)
    }

    fn may_remove_channels(&self, client: &ClientName) -> bool {
        self.bug.may_remove_channels(self.host, client)
    }

    fn open_channel(&mut self, name: &ChannelName) -> Result<ChannelId, HostError> {
        self.host.open_channel(name)
    }

    fn find_channel(&self, name: &ChannelName) -> Option<ChannelId> {
        self.host.find_channel(name)
    }

    fn remove_channel(&mut self, name: &ChannelName) -> Result<(), HostError> {
        self.bug.remove_channel(self.host, name)
    }

    fn channel_after(&self, after: Option<&ChannelName>) -> Option<ChannelName> {
        self.bug.channel_after(self.host, after)
    }

    fn put(&mut self, channel: ChannelId, key: Key, value: &Bytes) -> Result<(), HostError> {
        let at = self.at(channel, key);
        self.bug.put(self.host, at, value)
    }

    fn get(&self, channel: ChannelId, key: Key) -> Result<Option<Bytes>, HostError> {
        self.bug.get(self.host, self.at(channel, key))
    }

    fn remove(&mut self, channel: ChannelId, key: Key) -> Result<bool, HostError> {
        let at = self.at(channel, key);
        self.bug.remove(self.host, at)
    }

    fn record_after(&self, channel: ChannelId, after: Option<Key>) -> Option<(Key, Bytes)> {
        self.bug.record_after(self.host, channel, after)
    }
}

impl LegacyHost for BuggyHost<'_> {
    fn about(&self) -> About {
        self.host.about()
    }

    fn connections(&self) -> u64 {
        self.host.connections()
    }

    fn size(&self, channel: ChannelId) -> Size {
        self.host.size(channel)
    }

    fn total_size(&self) -> Size {
        self.host.total_size()
    }

    fn has_room_for(&self, bytes: u64) -> bool {
        self.host.has_room_for(bytes)
    }

    fn take_over(&mut self, channel: ChannelId, key: Key, value: &Bytes) -> Result<(), HostError> {
        self.host.take_over(channel, key, value)
    }

    fn takes_over(&self, key: Key) -> bool {
        self.host.takes_over(key)
    }

    fn has_room_to_take_over(&self, bytes: u64) -> bool {
        self.host.has_room_to_take_over(bytes)
    }

    fn hand_over(&mut self, channel: ChannelId, key: Key) -> Result<(), HostError> {
        self.host.hand_over(channel, key)
    }

    fn redistribute(&mut self, order: &Redistribute) -> Result<RedistributionId, HostError> {
        self.host.redistribute(order)
    }

    fn is_redistributed(&self, id: RedistributionId) -> bool {
        self.host.is_redistributed(id)
    }
}
