//! A node as its requests see it, with bugs.

use bytes::Bytes;
use dht_protocol::neo::ClientName;
use dht_protocol::neo::request::{ChannelId, Host, HostError};
use dht_protocol::{ChannelName, HashRange, Key};

use super::host_bug::{At, Call, HostBug};

/// Lets a connection work on a host that all of `bugs` stand in front of.
pub(super) fn behind<T>(
    bugs: &mut [Box<dyn HostBug>],
    host: &mut dyn Host,
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
    host: &'a mut dyn Host,
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
