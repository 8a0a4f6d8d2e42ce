//! What the implementer of a node supplies: channels and their records.
//!
//! A storage knows nothing of connections, hash ranges, permissions or subscribers, and so serves any
//! protocol: the layer above it checks responsibility and tells subscribers what was written.

mod memory;

pub use memory::MemoryStorage;

use bytes::Bytes;
use dht_protocol::{ChannelName, HostError, Key};
use thiserror::Error;

pub use dht_protocol::{ChannelId, Size};

/// The channels and records of a node (`semantics-and-client.md` A1, C8).
///
/// * A channel has a name and, from its creation to its removal, a [`ChannelId`] that is never given
///   again. What is asked of a channel that was removed finds nothing, even if there is a new channel
///   with its name.
/// * Records of a channel, and channels, stand in some order that does not change. The `..._after`
///   methods walk along it and work also if the record or channel to start from is gone (P25, P44).
/// * An empty value is a value like any other (P19, P20).
/// * No method waits. A method that cannot do what it should says so; the client is told Error.
pub trait Storage {
    /// The channel with this name, which is created if there is none.
    fn open_channel(&mut self, name: &ChannelName) -> Result<ChannelId, StorageError>;

    /// The channel with this name.
    fn find_channel(&self, name: &ChannelName) -> Option<ChannelId>;

    /// Removes a channel and its records. Says which channel it was, `None` if there was none.
    fn remove_channel(&mut self, name: &ChannelName) -> Result<Option<ChannelId>, StorageError>;

    /// The first channel behind `after` in the order of channels, or the first of all.
    fn channel_after(&self, after: Option<&ChannelName>) -> Option<ChannelName>;

    /// Stores a record, replacing the one that was there. `value` may be part of something much larger:
    /// copy it.
    fn put(&mut self, channel: ChannelId, key: Key, value: &[u8]) -> Result<(), StorageError>;

    /// The value of a record, `None` if there is no such record.
    fn get(&self, channel: ChannelId, key: Key) -> Result<Option<Bytes>, StorageError>;

    /// Removes a record. Was there one?
    fn remove(&mut self, channel: ChannelId, key: Key) -> Result<bool, StorageError>;

    /// The first record behind `after` in the order of records, or the first of all.
    fn record_after(&self, channel: ChannelId, after: Option<Key>) -> Option<(Key, Bytes)>;

    /// How much is in a channel; nothing in one that was removed.
    fn size(&self, channel: ChannelId) -> Size;

    /// How much is in all channels. Asked with every write if there is a limit: a storage with many
    /// channels should rather keep the sum.
    fn total_size(&self) -> Size {
        let mut total = Size::default();
        let mut last = None;
        while let Some(name) = self.channel_after(last.as_ref()) {
            let id = self.find_channel(&name);
            let size = id.map_or_else(Size::default, |id| self.size(id));
            total.records += size.records;
            total.bytes += size.bytes;
            last = Some(name);
        }
        total
    }
}

/// A storage could not do what it was asked for, and why.
#[derive(Clone, Debug, Eq, Error, Hash, PartialEq)]
#[error("{0}")]
pub struct StorageError(pub String);

impl From<StorageError> for HostError {
    fn from(StorageError(reason): StorageError) -> Self {
        Self(reason)
    }
}
