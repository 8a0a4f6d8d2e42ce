//! What a user of a client asks for. How it is answered is in [`answer`](crate::answer).

use std::fmt;

use bytes::Bytes;
use dht_protocol::{ChannelName, Key};

use crate::show;

/// An operation, as a user of a client sees it. Where it goes is the business of
/// [`Route`](crate::Route).
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Operation {
    /// Something done to one record.
    Record {
        /// The channel of the record.
        channel: ChannelName,
        /// The key of the record.
        key: Key,
        /// What is done.
        action: Action,
    },
    /// All records of a channel, or all keys.
    GetAll {
        /// The channel.
        channel: ChannelName,
        /// Only keys are wanted.
        keys_only: bool,
        /// Only records whose value contains these bytes are wanted; if empty, all.
        filter: Bytes,
    },
    /// One whole refresh of a Mirror, while nothing is written.
    Refresh {
        /// The channel.
        channel: ChannelName,
    },
    /// The names of all channels.
    GetChannels,
    /// The removal of a channel with all its records.
    RemoveChannel {
        /// The channel.
        channel: ChannelName,
        /// The client may do so: its name is `admin`.
        permitted: bool,
    },
    /// The hash range of each node asked.
    GetHashRange,
    /// Store records one after another, up to the first bad one. Only in the legacy protocol.
    PutBatch {
        /// The channel of the records.
        channel: ChannelName,
        /// The records, in this order.
        records: Vec<(Key, Bytes)>,
    },
    /// How much there is. Only in the legacy protocol.
    GetSize {
        /// In this channel; `None`: in all.
        channel: Option<ChannelName>,
    },
    /// The writes to a channel from now on. Only in the legacy protocol. What is told is not judged here,
    /// only that the channel exists from then on.
    Listen {
        /// The channel.
        channel: ChannelName,
    },
}

/// What is done to one record.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Action {
    /// Store a value.
    Put(Bytes),
    /// Read the value.
    Get,
    /// Ask whether there is a record.
    Exists,
    /// Remove the record from every node responsible for it.
    Remove,
    /// Read the value, decide, and do so.
    Update(Decision),
    /// The second half of an Update as a request of its own: store `value` if there is no record, or if
    /// FNV-1a of its value is `hash`.
    UpdateRecord {
        /// FNV-1a of the value that is to be replaced.
        hash: u64,
        /// The new value.
        value: Bytes,
    },
}

/// What an Update does to the record whose value it has read.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Decision {
    /// Store this value instead.
    Replace(Bytes),
    /// Leave the record as it is.
    Leave,
    /// Delete the record from the node where it was read.
    Delete,
}

impl Operation {
    /// An operation on one record.
    pub fn record(channel: impl Into<ChannelName>, key: impl Into<Key>, action: Action) -> Self {
        Self::Record {
            channel: channel.into(),
            key: key.into(),
            action,
        }
    }

    /// Store a value.
    pub fn put(
        channel: impl Into<ChannelName>,
        key: impl Into<Key>,
        value: impl Into<Bytes>,
    ) -> Self {
        Self::record(channel, key, Action::Put(value.into()))
    }

    /// Read a value.
    pub fn get(channel: impl Into<ChannelName>, key: impl Into<Key>) -> Self {
        Self::record(channel, key, Action::Get)
    }

    /// Ask whether there is a record.
    pub fn exists(channel: impl Into<ChannelName>, key: impl Into<Key>) -> Self {
        Self::record(channel, key, Action::Exists)
    }

    /// Remove a record.
    pub fn remove(channel: impl Into<ChannelName>, key: impl Into<Key>) -> Self {
        Self::record(channel, key, Action::Remove)
    }

    /// Read a value, decide, and do so.
    pub fn update(
        channel: impl Into<ChannelName>,
        key: impl Into<Key>,
        decision: Decision,
    ) -> Self {
        Self::record(channel, key, Action::Update(decision))
    }

    /// All records of a channel.
    pub fn get_all(channel: impl Into<ChannelName>) -> Self {
        Self::GetAll {
            channel: channel.into(),
            keys_only: false,
            filter: Bytes::new(),
        }
    }

    /// All keys of a channel.
    pub fn get_all_keys(channel: impl Into<ChannelName>) -> Self {
        Self::GetAll {
            channel: channel.into(),
            keys_only: true,
            filter: Bytes::new(),
        }
    }

    /// The removal of a channel by the client named `admin`.
    pub fn remove_channel(channel: impl Into<ChannelName>) -> Self {
        Self::RemoveChannel {
            channel: channel.into(),
            permitted: true,
        }
    }

    /// Records to be stored one after another.
    pub fn put_batch<K: Into<Key>, V: Into<Bytes>>(
        channel: impl Into<ChannelName>,
        records: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        let records = records.into_iter();
        Self::PutBatch {
            channel: channel.into(),
            records: records
                .map(|(key, value)| (key.into(), value.into()))
                .collect(),
        }
    }

    /// How much there is in a channel.
    pub fn channel_size(channel: impl Into<ChannelName>) -> Self {
        Self::GetSize {
            channel: Some(channel.into()),
        }
    }

    /// The channel that the operation concerns, if it is one.
    pub fn channel(&self) -> Option<&ChannelName> {
        match self {
            Self::Record { channel, .. }
            | Self::GetAll { channel, .. }
            | Self::Refresh { channel }
            | Self::RemoveChannel { channel, .. }
            | Self::PutBatch { channel, .. }
            | Self::Listen { channel } => Some(channel),
            Self::GetSize { channel } => channel.as_ref(),
            Self::GetChannels | Self::GetHashRange => None,
        }
    }

    /// The key that the operation concerns, if it is one.
    pub fn key(&self) -> Option<Key> {
        match self {
            Self::Record { key, .. } => Some(*key),
            _ => None,
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Record {
                channel,
                key,
                action,
            } => {
                write!(f, "{} {channel}/{key}", action.name())?;
                match action {
                    Action::Put(value) => write!(f, " {}", show::Value(value)),
                    Action::Update(Decision::Replace(value)) => {
                        write!(f, " to {}", show::Value(value))
                    }
                    Action::Update(Decision::Leave) => f.write_str(" (leave)"),
                    Action::Update(Decision::Delete) => f.write_str(" (delete)"),
                    Action::UpdateRecord { hash, value } => {
                        write!(f, " of hash {hash:016x} to {}", show::Value(value))
                    }
                    Action::Get | Action::Exists | Action::Remove => Ok(()),
                }
            }
            Self::GetAll {
                channel,
                keys_only,
                filter,
            } => {
                write!(f, "GetAll {channel}")?;
                if *keys_only {
                    f.write_str(", keys only")?;
                }
                if !filter.is_empty() {
                    write!(f, ", values with {}", show::Value(filter))?;
                }
                Ok(())
            }
            Self::Refresh { channel } => write!(f, "Refresh {channel}"),
            Self::GetChannels => f.write_str("GetChannels"),
            Self::RemoveChannel { channel, permitted } => match permitted {
                true => write!(f, "RemoveChannel {channel} by admin"),
                false => write!(f, "RemoveChannel {channel} by another client"),
            },
            Self::GetHashRange => f.write_str("GetHashRange"),
            Self::PutBatch { channel, records } => {
                write!(f, "PutBatch {channel} ")?;
                show::list(f, ", ", records, |f, (key, value)| {
                    write!(f, "{key}={}", show::Value(value))
                })
            }
            Self::GetSize { channel: None } => f.write_str("GetSize"),
            Self::GetSize {
                channel: Some(channel),
            } => write!(f, "GetChannelSize {channel}"),
            Self::Listen { channel } => write!(f, "Listen {channel}"),
        }
    }
}

impl Action {
    /// The name of the request.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Put(_) => "Put",
            Self::Get => "Get",
            Self::Exists => "Exists",
            Self::Remove => "Remove",
            Self::Update(_) => "Update",
            Self::UpdateRecord { .. } => "UpdateRecord",
        }
    }
}
