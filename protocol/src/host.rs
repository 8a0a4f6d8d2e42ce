//! What the node's halves of the requests of both protocols need of the node they run on.

use bytes::Bytes;
use thiserror::Error;

use crate::channel::ChannelName;
use crate::key::{HashRange, Key};
use crate::neo::ClientName;

/// A channel from its creation to its removal. A channel that is created again under the same name is
/// another one, so that nothing of the new one can leak to who looked at the old one (F04).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ChannelId(pub u64);

/// How much is stored, in a channel or altogether.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Size {
    /// Number of records.
    pub records: u64,
    /// Bytes of all values together.
    pub bytes: u64,
}

/// The node could not do what was asked; the client gets the request's Error message.
#[derive(Clone, Debug, Eq, Error, Hash, PartialEq)]
#[error("{0}")]
pub struct HostError(pub String);

/// The node as a request's half sees it: storage, responsibility and permissions.
///
/// Calls are made from one place at a time and none of them waits; what a half does between two
/// messages is therefore atomic for all others (`semantics-and-client.md` A8).
pub trait Host {
    /// The keys that this node is responsible for, now.
    fn range(&self) -> HashRange;

    /// May clients write records with this key here now? Whenever the node is responsible for it, except
    /// for the moment in which it gives the key away.
    fn is_writable(&self, key: Key) -> bool {
        self.range().covers(key)
    }

    /// May this client remove channels?
    fn may_remove_channels(&self, client: &ClientName) -> bool;

    /// The channel with this name, which is created if there is none.
    fn open_channel(&mut self, name: &ChannelName) -> Result<ChannelId, HostError>;

    /// The channel with this name, if there is one.
    fn find_channel(&self, name: &ChannelName) -> Option<ChannelId>;

    /// Removes a channel and its records; whoever follows it is told. Removing a channel that is not
    /// there succeeds.
    fn remove_channel(&mut self, name: &ChannelName) -> Result<(), HostError>;

    /// The first channel behind `after` in the node's order, or the first of all.
    fn channel_after(&self, after: Option<&ChannelName>) -> Option<ChannelName>;

    /// Stores a record; whoever follows the channel is told.
    fn put(&mut self, channel: ChannelId, key: Key, value: &Bytes) -> Result<(), HostError>;

    /// The value of a record, `None` if there is no such record. A channel that was removed has none.
    fn get(&self, channel: ChannelId, key: Key) -> Result<Option<Bytes>, HostError>;

    /// Removes a record; whoever follows the channel is told. Was there one?
    fn remove(&mut self, channel: ChannelId, key: Key) -> Result<bool, HostError>;

    /// The first record behind the key `after` in the node's order, or the first of all. Works also
    /// if there is no record `after` any more, and says `None` for a channel that was removed.
    fn record_after(&self, channel: ChannelId, after: Option<Key>) -> Option<(Key, Bytes)>;
}
