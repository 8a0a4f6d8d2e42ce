//! A node's storage in memory, with records in the order of their keys. It remembers every value that a
//! record ever had, so that a test can tell what an answer may say.

use std::collections::BTreeMap;
use std::ops::Bound;

use bytes::Bytes;
use dht_protocol::neo::ClientName;
use dht_protocol::neo::request::mirror::Change;
use dht_protocol::neo::request::{ChannelId, Host, HostError};
use dht_protocol::{ChannelName, HashRange, Key};

/// What followers of a channel are to be told.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Event {
    Record(ChannelId, Change),
    Gone(ChannelId),
}

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Memory {
    pub(crate) range: HashRange,
    /// Every call that can fail does.
    pub(crate) broken: bool,
    /// How many bytes of values there is room for, as the legacy protocol asks.
    pub(crate) room: u64,
    /// Are redistributions over?
    pub(crate) redistributed: bool,
    /// What was written since this list was last emptied.
    pub(crate) events: Vec<Event>,
    channels: BTreeMap<ChannelName, ChannelId>,
    contents: BTreeMap<ChannelId, Channel>,
    history: BTreeMap<(ChannelName, Key), Vec<Option<Bytes>>>,
    /// How many channels were removed.
    pub(crate) removals: usize,
    next_id: u64,
}

#[derive(Clone, Debug)]
struct Channel {
    name: ChannelName,
    records: BTreeMap<Key, Bytes>,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            range: HashRange::FULL,
            broken: false,
            room: u64::MAX,
            redistributed: false,
            events: Vec::new(),
            channels: BTreeMap::new(),
            contents: BTreeMap::new(),
            history: BTreeMap::new(),
            removals: 0,
            next_id: 0,
        }
    }
}

impl Memory {
    /// A node with these records in a channel.
    pub(crate) fn with<'a>(
        channel: &str,
        records: impl IntoIterator<Item = (u64, &'a str)>,
    ) -> Self {
        let mut memory = Self::default();
        memory.create(channel);
        for (key, value) in records {
            memory.store(channel, key, value);
        }
        memory.events.clear();
        memory
    }

    /// An empty node that is responsible for these keys.
    pub(crate) fn covering(range: HashRange) -> Self {
        Self {
            range,
            ..Self::default()
        }
    }

    /// A node that cannot do anything.
    pub(crate) fn broken() -> Self {
        Self {
            broken: true,
            ..Self::default()
        }
    }

    /// The channel, created if there is none.
    pub(crate) fn create(&mut self, channel: &str) -> ChannelId {
        self.open_channel(&channel.into()).unwrap()
    }

    /// Writes a record.
    pub(crate) fn store(&mut self, channel: &str, key: u64, value: impl AsRef<[u8]>) {
        let (channel, value) = (self.create(channel), Bytes::copy_from_slice(value.as_ref()));
        self.put(channel, Key(key), &value).unwrap();
    }

    /// Removes a record.
    pub(crate) fn erase(&mut self, channel: &str, key: u64) {
        let channel = self.create(channel);
        self.remove(channel, Key(key)).unwrap();
    }

    /// The value of a record.
    pub(crate) fn value(&self, channel: &str, key: u64) -> Option<Bytes> {
        let channel = self.find_channel(&channel.into())?;
        self.contents[&channel].records.get(&Key(key)).cloned()
    }

    /// All records of a channel.
    pub(crate) fn records(&self, channel: &str) -> BTreeMap<Key, Bytes> {
        let channel = self.find_channel(&channel.into());
        channel.map_or_else(BTreeMap::new, |id| self.contents[&id].records.clone())
    }

    /// How often the record has changed; a moment for [`since`](Self::since).
    pub(crate) fn moment(&self, channel: &str, key: u64) -> usize {
        let history = self.history.get(&(channel.into(), Key(key)));
        history.map_or(0, Vec::len)
    }

    /// The value that the record had at that moment, and those it has had since.
    pub(crate) fn since(&self, channel: &str, key: u64, moment: usize) -> Vec<Option<Bytes>> {
        let history = self.history.get(&(channel.into(), Key(key)));
        let nothing_first = std::iter::once(&None);
        let values = nothing_first.chain(history.into_iter().flatten());
        values.skip(moment).cloned().collect()
    }

    /// The names of all channels.
    pub(crate) fn names(&self) -> Vec<String> {
        self.channels.keys().map(ToString::to_string).collect()
    }

    fn check(&self) -> Result<(), HostError> {
        match self.broken {
            true => Err(HostError("the disk is full".into())),
            false => Ok(()),
        }
    }
}

impl Host for Memory {
    fn range(&self) -> HashRange {
        self.range
    }

    fn may_remove_channels(&self, client: &ClientName) -> bool {
        client.as_str() == "admin"
    }

    fn open_channel(&mut self, name: &ChannelName) -> Result<ChannelId, HostError> {
        self.check()?;
        if let Some(id) = self.channels.get(name) {
            return Ok(*id);
        }
        let id = ChannelId(self.next_id);
        self.next_id += 1;
        self.channels.insert(name.clone(), id);
        let channel = Channel {
            name: name.clone(),
            records: BTreeMap::new(),
        };
        self.contents.insert(id, channel);
        Ok(id)
    }

    fn find_channel(&self, name: &ChannelName) -> Option<ChannelId> {
        self.channels.get(name).copied()
    }

    fn remove_channel(&mut self, name: &ChannelName) -> Result<(), HostError> {
        self.check()?;
        if let Some(id) = self.channels.remove(name) {
            self.removals += 1;
            let channel = self.contents.remove(&id);
            for key in channel.iter().flat_map(|channel| channel.records.keys()) {
                let history = self.history.entry((name.clone(), *key)).or_default();
                history.push(None);
            }
            self.events.push(Event::Gone(id));
        }
        Ok(())
    }

    fn channel_after(&self, after: Option<&ChannelName>) -> Option<ChannelName> {
        let behind = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut names = self
            .channels
            .range::<ChannelName, _>((behind, Bound::Unbounded));
        names.next().map(|(name, _)| name.clone())
    }

    fn put(&mut self, channel: ChannelId, key: Key, value: &Bytes) -> Result<(), HostError> {
        self.check()?;
        let Some(Channel { name, records }) = self.contents.get_mut(&channel) else {
            return Err(HostError("the channel is gone".into()));
        };
        records.insert(key, value.clone());
        let history = self.history.entry((name.clone(), key)).or_default();
        history.push(Some(value.clone()));
        self.events
            .push(Event::Record(channel, Change::Changed(key)));
        Ok(())
    }

    fn get(&self, channel: ChannelId, key: Key) -> Result<Option<Bytes>, HostError> {
        self.check()?;
        let channel = self.contents.get(&channel);
        Ok(channel.and_then(|channel| channel.records.get(&key).cloned()))
    }

    fn remove(&mut self, channel: ChannelId, key: Key) -> Result<bool, HostError> {
        self.check()?;
        let Some(Channel { name, records }) = self.contents.get_mut(&channel) else {
            return Ok(false);
        };
        if records.remove(&key).is_none() {
            return Ok(false);
        }
        let history = self.history.entry((name.clone(), key)).or_default();
        history.push(None);
        self.events
            .push(Event::Record(channel, Change::Deleted(key)));
        Ok(true)
    }

    fn record_after(&self, channel: ChannelId, after: Option<Key>) -> Option<(Key, Bytes)> {
        let behind = after.map_or(Bound::Unbounded, Bound::Excluded);
        let channel = self.contents.get(&channel)?;
        let mut records = channel.records.range((behind, Bound::Unbounded));
        records.next().map(|(key, value)| (*key, value.clone()))
    }
}
