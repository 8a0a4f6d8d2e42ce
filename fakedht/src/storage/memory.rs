//! A storage that lives in memory and dies with the node.

use std::collections::BTreeMap;
use std::ops::Bound;

use bytes::Bytes;
use dht_protocol::{ChannelName, Key};

use super::{ChannelId, Size, Storage, StorageError};

/// A storage in memory. Channels stand in the order of their names, records in that of their keys.
#[derive(Clone, Debug, Default)]
pub struct MemoryStorage {
    names: BTreeMap<ChannelName, ChannelId>,
    channels: BTreeMap<ChannelId, Channel>,
    /// How many channels were ever created.
    created: u64,
}

#[derive(Clone, Debug, Default)]
struct Channel {
    records: BTreeMap<Key, Bytes>,
    /// Bytes of all values together.
    bytes: u64,
}

impl MemoryStorage {
    /// A storage without channels.
    pub fn new() -> Self {
        Self::default()
    }

    fn records(&self, channel: ChannelId) -> Option<&BTreeMap<Key, Bytes>> {
        self.channels.get(&channel).map(|channel| &channel.records)
    }
}

impl Storage for MemoryStorage {
    fn open_channel(&mut self, name: &ChannelName) -> Result<ChannelId, StorageError> {
        if let Some(id) = self.names.get(name) {
            return Ok(*id);
        }
        let id = ChannelId(self.created);
        self.created += 1;
        self.names.insert(name.clone(), id);
        self.channels.insert(id, Channel::default());
        Ok(id)
    }

    fn find_channel(&self, name: &ChannelName) -> Option<ChannelId> {
        self.names.get(name).copied()
    }

    fn remove_channel(&mut self, name: &ChannelName) -> Result<Option<ChannelId>, StorageError> {
        let id = self.names.remove(name);
        if let Some(id) = id {
            self.channels.remove(&id);
        }
        Ok(id)
    }

    fn channel_after(&self, after: Option<&ChannelName>) -> Option<ChannelName> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut behind = self.names.range((from, Bound::Unbounded));
        behind.next().map(|(name, _)| name.clone())
    }

    fn put(&mut self, channel: ChannelId, key: Key, value: &[u8]) -> Result<(), StorageError> {
        let Some(channel) = self.channels.get_mut(&channel) else {
            return Err(StorageError("the channel was removed".into()));
        };
        // An allocation of its own: a small value must not keep a large network buffer alive.
        let value = Bytes::copy_from_slice(value);
        channel.bytes += value.len() as u64;
        if let Some(old) = channel.records.insert(key, value) {
            channel.bytes -= old.len() as u64;
        }
        Ok(())
    }

    fn get(&self, channel: ChannelId, key: Key) -> Result<Option<Bytes>, StorageError> {
        let records = self.records(channel);
        Ok(records.and_then(|records| records.get(&key).cloned()))
    }

    fn remove(&mut self, channel: ChannelId, key: Key) -> Result<bool, StorageError> {
        let Some(channel) = self.channels.get_mut(&channel) else {
            return Ok(false);
        };
        let removed = channel.records.remove(&key);
        channel.bytes -= removed.as_ref().map_or(0, |value| value.len() as u64);
        Ok(removed.is_some())
    }

    fn record_after(&self, channel: ChannelId, after: Option<Key>) -> Option<(Key, Bytes)> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut behind = self.records(channel)?.range((from, Bound::Unbounded));
        behind.next().map(|(key, value)| (*key, value.clone()))
    }

    fn size(&self, channel: ChannelId) -> Size {
        self.channels
            .get(&channel)
            .map_or_else(Size::default, |channel| Size {
                records: channel.records.len() as u64,
                bytes: channel.bytes,
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn storage_with(name: &str) -> (MemoryStorage, ChannelId) {
        let mut storage = MemoryStorage::new();
        let channel = storage.open_channel(&name.into()).unwrap();
        (storage, channel)
    }

    #[test]
    fn a_channel_created_again_is_another_one() {
        let (mut storage, old) = storage_with("c");
        storage.put(old, Key(1), b"old").unwrap();
        assert_eq!(storage.remove_channel(&"c".into()), Ok(Some(old)));
        assert_eq!(storage.remove_channel(&"c".into()), Ok(None));
        let new = storage.open_channel(&"c".into()).unwrap();
        assert_ne!(old, new);
        storage.put(new, Key(2), b"new").unwrap();
        assert_eq!(storage.get(old, Key(2)), Ok(None));
        assert_eq!(storage.record_after(old, None), None);
        assert_eq!(storage.remove(old, Key(2)), Ok(false));
        assert!(storage.put(old, Key(1), b"late").is_err());
        assert_eq!(storage.size(old), Size::default());
        assert_eq!(storage.size(new).records, 1);
    }

    #[test]
    fn an_empty_value_is_a_value() {
        let (mut storage, channel) = storage_with("c");
        storage.put(channel, Key(1), b"").unwrap();
        assert_eq!(storage.get(channel, Key(1)), Ok(Some(Bytes::new())));
        assert_eq!(
            storage.record_after(channel, None),
            Some((Key(1), Bytes::new()))
        );
        assert_eq!(
            storage.size(channel),
            Size {
                records: 1,
                bytes: 0
            }
        );
        assert_eq!(storage.remove(channel, Key(1)), Ok(true));
        assert_eq!(storage.remove(channel, Key(1)), Ok(false));
    }

    #[test]
    fn sizes_follow_every_change() {
        let (mut storage, channel) = storage_with("c");
        storage.put(channel, Key(1), b"12345").unwrap();
        storage.put(channel, Key(2), b"123").unwrap();
        storage.put(channel, Key(1), b"1").unwrap();
        let size = Size {
            records: 2,
            bytes: 4,
        };
        assert_eq!(storage.size(channel), size);
        storage.remove(channel, Key(2)).unwrap();
        let size = Size {
            records: 1,
            bytes: 1,
        };
        assert_eq!(storage.size(channel), size);
    }

    #[test]
    fn walking_goes_on_where_a_record_or_channel_is_gone() {
        let (mut storage, channel) = storage_with("a");
        for key in [1, 2, 3] {
            storage.put(channel, Key(key), b"v").unwrap();
        }
        storage.remove(channel, Key(2)).unwrap();
        let after = |key| {
            storage
                .record_after(channel, Some(Key(key)))
                .map(|(key, _)| key)
        };
        assert_eq!(after(2), Some(Key(3)));
        assert_eq!(after(u64::MAX), None);
        storage.open_channel(&"c".into()).unwrap();
        assert_eq!(storage.channel_after(Some(&"b".into())), Some("c".into()));
        assert_eq!(storage.channel_after(Some(&"c".into())), None);
    }

    #[test]
    fn a_stored_value_does_not_share_the_buffer_it_came_in() {
        let (mut storage, channel) = storage_with("c");
        let buffer = Bytes::from(vec![7; 1 << 16]);
        storage.put(channel, Key(1), &buffer[..4]).unwrap();
        let stored = storage.get(channel, Key(1)).unwrap().unwrap();
        assert!(!buffer.as_ptr_range().contains(&stored.as_ptr()));
    }
}
