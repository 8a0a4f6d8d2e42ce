//! What a node of the model stores: a few records in a few channels, small enough to be a value.

use std::cell::Cell;
use std::collections::BTreeMap;

use bytes::Bytes;
use dht_protocol::neo::ClientName;
use dht_protocol::neo::batch::MAX_VALUE;
use dht_protocol::neo::request::mirror::Change;
use dht_protocol::neo::request::{ChannelId, Host, HostError};
use dht_protocol::{ChannelName, HashRange, Key};

use crate::defect::{Defect, Defects};

/// A node's records and responsibility.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Store {
    /// The keys the node is responsible for.
    pub range: HashRange,
    channels: BTreeMap<ChannelName, Channel>,
    next_channel: u64,
    /// Where the last iteration stood; only the defects F07 and F08 look at it.
    cursor: Option<Key>,
}

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
struct Channel {
    id: ChannelId,
    /// In the order in which they are iterated over.
    records: BTreeMap<Key, Bytes>,
}

impl Store {
    /// An empty store of a node that is responsible for these keys.
    pub fn new(range: HashRange) -> Self {
        Self {
            range,
            channels: BTreeMap::new(),
            next_channel: 1,
            cursor: None,
        }
    }

    /// With a record.
    #[must_use]
    pub fn with(mut self, channel: &str, key: Key, value: impl Into<Bytes>) -> Self {
        let channel = self.open(&channel.into(), Defects::default());
        if let Some(records) = self.records_mut(channel) {
            records.insert(key, value.into());
        }
        self
    }

    /// The value of a record.
    pub fn value(&self, channel: &ChannelName, key: Key) -> Option<&Bytes> {
        self.channels.get(channel)?.records.get(&key)
    }

    /// The channels, with their records.
    pub fn channels(&self) -> impl Iterator<Item = (&ChannelName, &BTreeMap<Key, Bytes>)> {
        let channels = self.channels.iter();
        channels.map(|(name, channel)| (name, &channel.records))
    }

    /// The name of a channel that exists.
    pub fn name(&self, id: ChannelId) -> Option<&ChannelName> {
        let named = self.channels.iter().find(|(_, channel)| channel.id == id);
        named.map(|(name, _)| name)
    }

    /// The channel with this name.
    pub(super) fn id(&self, name: &ChannelName) -> Option<ChannelId> {
        self.channels.get(name).map(|channel| channel.id)
    }

    fn open(&mut self, name: &ChannelName, defects: Defects) -> ChannelId {
        if let Some(channel) = self.channels.get(name) {
            return channel.id;
        }
        let id = ChannelId(self.next_channel);
        self.next_channel += 1;
        // The defect: a place that a removal has left empty is taken by the next channel.
        let free = (1..id.0)
            .map(ChannelId)
            .find(|id| self.name(*id).is_none())
            .filter(|_| defects.has(Defect::F04));
        let id = free.unwrap_or(id);
        let records = BTreeMap::new();
        self.channels.insert(name.clone(), Channel { id, records });
        id
    }

    fn records(&self, id: ChannelId) -> Option<&BTreeMap<Key, Bytes>> {
        let mut channels = self.channels.values();
        Some(&channels.find(|channel| channel.id == id)?.records)
    }

    fn records_mut(&mut self, id: ChannelId) -> Option<&mut BTreeMap<Key, Bytes>> {
        let mut channels = self.channels.values_mut();
        Some(&mut channels.find(|channel| channel.id == id)?.records)
    }
}

/// Something that was written, for those who follow the channel and those who judge.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) enum Written {
    /// A record of a channel was written or removed.
    Record(ChannelId, Change),
    /// A channel was created.
    Created(ChannelName),
    /// A channel was removed.
    Channel(ChannelId, ChannelName),
}

/// The node as a request sees it while it takes a step.
#[derive(Debug)]
pub(super) struct StoreHost<'a> {
    store: &'a mut Store,
    defects: Defects,
    admin: bool,
    /// Instead of the node's own range.
    pub(super) range: Option<HashRange>,
    cursor: Cell<Option<Key>>,
    pub(super) written: Vec<Written>,
}

impl<'a> StoreHost<'a> {
    pub(super) fn new(store: &'a mut Store, admin: bool, defects: Defects) -> Self {
        let cursor = Cell::new(store.cursor);
        Self {
            store,
            defects,
            admin,
            range: None,
            cursor,
            written: Vec::new(),
        }
    }

    /// Stores a record that has only moved: nobody is told. Says what its channel is called.
    pub(super) fn put_silently(
        &mut self,
        channel: ChannelId,
        key: Key,
        value: &Bytes,
    ) -> Option<ChannelName> {
        let records = self.store.records_mut(channel)?;
        records.insert(key, value.clone());
        self.store.name(channel).cloned()
    }

    /// Removes a record that has only moved. Says what its channel is called, if there was one.
    pub(super) fn take_silently(&mut self, channel: ChannelId, key: Key) -> Option<ChannelName> {
        self.store.records_mut(channel)?.remove(&key)?;
        self.store.name(channel).cloned()
    }

    /// Ends the step: what was written.
    pub(super) fn finish(self) -> Vec<Written> {
        let remembered = self.defects.has(Defect::F07) || self.defects.has(Defect::F08);
        self.store.cursor = self.cursor.get().filter(|_| remembered);
        self.written
    }
}

impl Host for StoreHost<'_> {
    fn range(&self) -> HashRange {
        self.range.unwrap_or(self.store.range)
    }

    fn may_remove_channels(&self, _: &ClientName) -> bool {
        self.admin || self.defects.has(Defect::M16)
    }

    fn open_channel(&mut self, name: &ChannelName) -> Result<ChannelId, HostError> {
        if self.find_channel(name).is_none() {
            self.written.push(Written::Created(name.clone()));
        }
        Ok(self.store.open(name, self.defects))
    }

    fn find_channel(&self, name: &ChannelName) -> Option<ChannelId> {
        self.store.channels.get(name).map(|channel| channel.id)
    }

    fn remove_channel(&mut self, name: &ChannelName) -> Result<(), HostError> {
        if let Some(channel) = self.store.channels.remove(name) {
            self.written
                .push(Written::Channel(channel.id, name.clone()));
        }
        Ok(())
    }

    fn channel_after(&self, after: Option<&ChannelName>) -> Option<ChannelName> {
        let names = self.store.channels.keys();
        let mut behind = names.filter(|name| after.is_none_or(|after| *name > after));
        let lost = after.is_some_and(|after| !self.store.channels.contains_key(after));
        let skip = usize::from(lost && self.defects.has(Defect::M17));
        behind.nth(skip).cloned()
    }

    fn put(&mut self, channel: ChannelId, key: Key, value: &Bytes) -> Result<(), HostError> {
        if self.defects.has(Defect::M11) {
            return Ok(());
        }
        if let Some(records) = self.store.records_mut(channel) {
            records.insert(key, value.clone());
            let change = Change::Changed(key);
            self.written.push(Written::Record(channel, change));
        }
        Ok(())
    }

    fn get(&self, channel: ChannelId, key: Key) -> Result<Option<Bytes>, HostError> {
        let records = self.store.records(channel);
        let first = records.and_then(|records| records.values().next());
        let found = match self.defects.has(Defect::M12) {
            true => first,
            false => records.and_then(|records| records.get(&key)),
        };
        Ok(found.cloned())
    }

    fn remove(&mut self, channel: ChannelId, key: Key) -> Result<bool, HostError> {
        if self.defects.has(Defect::M14) {
            return Ok(self.get(channel, key)?.is_some());
        }
        let records = self.store.records_mut(channel);
        let removed = records.is_some_and(|records| records.remove(&key).is_some());
        if removed {
            let change = Change::Deleted(key);
            self.written.push(Written::Record(channel, change));
        }
        Ok(removed)
    }

    fn record_after(&self, channel: ChannelId, after: Option<Key>) -> Option<(Key, Bytes)> {
        let records = self.store.records(channel)?;
        let lost = after.filter(|after| !records.contains_key(after));
        let behind = |after: Option<Key>, skip| {
            let behind = |key: &Key| after.is_none_or(|after| *key > after);
            let mut behind = records.iter().filter(move |(key, _)| behind(key));
            behind.nth(skip)
        };
        let next = match lost {
            Some(_) if self.defects.has(Defect::F06) => behind(after, 1),
            Some(_) if self.defects.has(Defect::F07) => behind(Some(self.cursor.get()?), 0),
            Some(_) if self.defects.has(Defect::F08) => behind(None, 0),
            _ => behind(after, 0),
        };
        self.cursor.set(next.map(|(key, _)| *key));
        next.map(|(key, value)| match self.defects.has(Defect::M39) {
            true => (*key, value.slice(..value.len().min(MAX_VALUE))),
            false => (*key, value.clone()),
        })
    }
}

impl Store {
    /// Carries out something that is not part of a request of the model.
    pub(super) fn change<T>(
        &mut self,
        defects: Defects,
        change: impl FnOnce(&mut StoreHost<'_>) -> T,
    ) -> (T, Vec<Written>) {
        let mut host = StoreHost::new(self, true, defects);
        let result = change(&mut host);
        (result, host.finish())
    }
}
