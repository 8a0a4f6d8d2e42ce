//! What came back from an [operation](crate::operation). Whether it is right is judged in
//! [`rules`](crate::rules).

use std::fmt;

use bytes::Bytes;
use dht_protocol::{ChannelName, HashRange, Key};

use crate::operation::{Action, Operation};
use crate::show;

/// What a user of a client learnt of how an operation ended.
///
/// An operation that the client refused, or that was not sent, because it had no connection, did not
/// happen: it is not shown to the model at all.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Answer {
    /// Put, UpdateRecord: stored.
    Stored,
    /// Get: the value.
    Value(Bytes),
    /// Get, Update: no node that was asked has the record.
    NoRecord,
    /// Exists.
    Exists(bool),
    /// Remove: whether there was something to remove.
    Removed(bool),
    /// Update: done as decided.
    Updated {
        /// The value that was read, on which the user decided.
        read: Bytes,
    },
    /// Update, UpdateRecord: the record has another value than the one expected; nothing was stored.
    Conflict,
    /// GetAll and Refresh: what was delivered, in the order of arrival, by all nodes together.
    Records(Vec<(Key, Bytes)>),
    /// GetAll with keys only: what was delivered, in the order of arrival, by all nodes together.
    Keys(Vec<Key>),
    /// GetChannels: what was delivered, in the order of arrival. A client that asks several nodes
    /// reports a name once.
    Channels(Vec<ChannelName>),
    /// RemoveChannel: every node has removed the channel, or did not have it.
    ChannelRemoved,
    /// RemoveChannel: some node has said that the client may not.
    NotPermitted,
    /// GetHashRange: the range of each node asked, in any order.
    HashRanges(Vec<HashRange>),
    /// Put: refused by the client, which knows that a GetAll could not deliver the value.
    ValueTooBig,
    /// A node said that it is not responsible for the key.
    WrongNode,
    /// The client knows no node that is responsible for the key.
    NoNode,
    /// A node said that it failed.
    Error,
    /// Legacy Remove: the record is gone. Whether there was one is not said.
    Gone,
    /// Legacy Get: no value came, so that there is no record, or one with an empty value.
    NothingThere,
    /// GetSize: how much there is.
    Size {
        /// Number of records.
        records: u64,
        /// Bytes, which a node counts as it likes.
        bytes: u64,
    },
    /// Listen: it has begun.
    Listening,
    /// Legacy Put, PutBatch: a value is empty.
    EmptyValue,
    /// Legacy: the name of the channel is not legal.
    BadChannelName,
    /// Legacy Put, PutBatch: the node has no room for it.
    OutOfMemory,
    /// The connection was lost, or the time was up. The operation has happened, wholly or on the first
    /// nodes only, or it will never happen. One that may still be under way, and take effect later, is
    /// not sequential: it belongs into a concurrent history.
    Unknown,
}

impl Answer {
    /// Can this answer, right or wrong, be given to the operation at all, in the neo protocol?
    pub(crate) fn is_for(&self, operation: &Operation) -> bool {
        match (self, operation) {
            (
                _,
                Operation::PutBatch { .. } | Operation::GetSize { .. } | Operation::Listen { .. },
            ) => false,
            (Self::Unknown | Self::Error, _) => true,
            (Self::WrongNode | Self::NoNode, Operation::Record { .. }) => true,
            (answer, Operation::Record { action, .. }) => match action {
                Action::Put(_) => matches!(answer, Self::Stored | Self::ValueTooBig),
                Action::Get => matches!(answer, Self::Value(_) | Self::NoRecord),
                Action::Exists => matches!(answer, Self::Exists(_)),
                Action::Remove => matches!(answer, Self::Removed(_)),
                Action::Update(_) => {
                    matches!(
                        answer,
                        Self::Updated { .. } | Self::NoRecord | Self::Conflict
                    )
                }
                Action::UpdateRecord { .. } => matches!(answer, Self::Stored | Self::Conflict),
            },
            (answer, Operation::GetAll { keys_only, .. }) => match answer {
                Self::Keys(_) => *keys_only,
                Self::Records(_) => !keys_only,
                _ => false,
            },
            (answer, Operation::Refresh { .. }) => matches!(answer, Self::Records(_)),
            (answer, Operation::GetChannels) => matches!(answer, Self::Channels(_)),
            (answer, Operation::RemoveChannel { .. }) => {
                matches!(answer, Self::ChannelRemoved | Self::NotPermitted)
            }
            (answer, Operation::GetHashRange) => matches!(answer, Self::HashRanges(_)),
        }
    }

    /// The same in the legacy protocol.
    pub(crate) fn is_for_legacy(&self, operation: &Operation) -> bool {
        match (self, operation) {
            (
                _,
                Operation::Refresh { .. }
                | Operation::Record {
                    action: Action::Update(_) | Action::UpdateRecord { .. },
                    ..
                },
            ) => false,
            (Self::Unknown | Self::Error, _) => true,
            (Self::BadChannelName, operation) => operation.channel().is_some(),
            (answer, Operation::Record { action, .. }) => match (action, answer) {
                (Action::Put(_) | Action::Remove, Self::WrongNode) => true,
                (Action::Put(_), _) => matches!(
                    answer,
                    Self::Stored | Self::EmptyValue | Self::ValueTooBig | Self::OutOfMemory
                ),
                (Action::Get, Self::Value(value)) => !value.is_empty(),
                (Action::Get, _) => *answer == Self::NothingThere,
                (Action::Remove, _) => *answer == Self::Gone,
                _ => matches!(answer, Self::Exists(_)),
            },
            (answer, Operation::PutBatch { .. }) => matches!(
                answer,
                Self::Stored | Self::EmptyValue | Self::WrongNode | Self::OutOfMemory
            ),
            (answer, Operation::GetSize { .. }) => matches!(answer, Self::Size { .. }),
            (answer, Operation::Listen { .. }) => *answer == Self::Listening,
            (answer, Operation::RemoveChannel { .. }) => *answer == Self::ChannelRemoved,
            (
                answer,
                Operation::GetAll { .. } | Operation::GetChannels | Operation::GetHashRange,
            ) => answer.is_for(operation),
        }
    }

    /// The value of the record that the answer shows.
    pub(crate) fn shown(&self) -> Option<&Bytes> {
        match self {
            Self::Value(value) | Self::Updated { read: value } => Some(value),
            _ => None,
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stored => f.write_str("stored"),
            Self::Value(value) => write!(f, "{}", show::Value(value)),
            Self::NoRecord => f.write_str("no record"),
            Self::Exists(true) => f.write_str("record exists"),
            Self::Exists(false) => f.write_str("record does not exist"),
            Self::Removed(true) => f.write_str("removed"),
            Self::Removed(false) => f.write_str("no record to remove"),
            Self::Updated { read } => write!(f, "updated from {}", show::Value(read)),
            Self::Conflict => f.write_str("conflict"),
            Self::Records(records) => {
                write!(f, "{} records", records.len())?;
                f.write_str(if records.is_empty() { "" } else { ": " })?;
                show::list(f, ", ", records, |f, (key, value)| {
                    write!(f, "{key}={}", show::Value(value))
                })
            }
            Self::Keys(keys) => {
                write!(f, "{} keys", keys.len())?;
                f.write_str(if keys.is_empty() { "" } else { ": " })?;
                show::list(f, ", ", keys, |f, key| write!(f, "{key}"))
            }
            Self::Channels(channels) => {
                write!(f, "{} channels", channels.len())?;
                f.write_str(if channels.is_empty() { "" } else { ": " })?;
                show::list(f, ", ", channels, |f, name| write!(f, "{name:?}"))
            }
            Self::ChannelRemoved => f.write_str("channel removed"),
            Self::NotPermitted => f.write_str("not permitted"),
            Self::HashRanges(ranges) => {
                show::list(f, ", ", ranges, |f, range| write!(f, "{range}"))
            }
            Self::ValueTooBig => f.write_str("value too big"),
            Self::WrongNode => f.write_str("wrong node"),
            Self::NoNode => f.write_str("no node"),
            Self::Error => f.write_str("error"),
            Self::Gone => f.write_str("gone"),
            Self::NothingThere => f.write_str("no value"),
            Self::Size { records, bytes } => write!(f, "{records} records, {bytes} bytes"),
            Self::Listening => f.write_str("listening"),
            Self::EmptyValue => f.write_str("empty value"),
            Self::BadChannelName => f.write_str("bad channel name"),
            Self::OutOfMemory => f.write_str("out of memory"),
            Self::Unknown => f.write_str("nothing (outcome unknown)"),
        }
    }
}
