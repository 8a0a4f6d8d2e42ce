//! What a client asks: a command and its arguments (`legacy.md` 3.1, 7).

mod decode;
mod redistribute;

pub use redistribute::{Redistribute, Target};

use bytes::Bytes;

use super::Violation;
use super::command::Command;
use super::fields::{Fields, complete};
use super::key::KeyText;
use crate::channel::ChannelName;
use crate::codec::Put;

/// A command with its arguments.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Order {
    /// Store a record.
    Put {
        /// Its channel.
        channel: ChannelName,
        /// Its key.
        key: KeyText,
        /// Its value.
        value: Bytes,
    },
    /// Read a record.
    Get {
        /// Its channel.
        channel: ChannelName,
        /// Its key.
        key: KeyText,
    },
    /// Is there a record?
    Exists {
        /// Its channel.
        channel: ChannelName,
        /// Its key.
        key: KeyText,
    },
    /// Remove a record.
    Remove {
        /// Its channel.
        channel: ChannelName,
        /// Its key.
        key: KeyText,
    },
    /// List the channels.
    GetChannels,
    /// How much is in a channel?
    GetChannelSize {
        /// The channel.
        channel: ChannelName,
    },
    /// How much is in all channels?
    GetSize,
    /// Which keys is the node responsible for?
    GetResponsibleRange,
    /// Remove a channel with all its records.
    RemoveChannel {
        /// The channel.
        channel: ChannelName,
    },
    /// How many clients are connected?
    GetNumConnections,
    /// Which version of the protocol is it?
    GetVersion,
    /// Follow the writes to a channel.
    Listen {
        /// The channel.
        channel: ChannelName,
    },
    /// Read all records of a channel.
    GetAll {
        /// The channel.
        channel: ChannelName,
    },
    /// Read the keys of all records of a channel.
    GetAllKeys {
        /// The channel.
        channel: ChannelName,
    },
    /// Read the records of a channel whose value contains something.
    GetAllFilter {
        /// The channel.
        channel: ChannelName,
        /// What the value has to contain.
        filter: Bytes,
    },
    /// Be responsible for other keys, and move records to other nodes.
    Redistribute(Redistribute),
    /// Store many records that another node was responsible for.
    PutBatch {
        /// Their channel.
        channel: ChannelName,
        /// The records, a block as [`batch`](super::batch) makes it.
        batch: Bytes,
    },
}

/// What a node has read of a client.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Incoming {
    /// A whole order.
    Order(Order),
    /// A Put whose value is larger than the node stores. The value follows, and is to be thrown away.
    TooBig {
        /// The channel.
        channel: ChannelName,
        /// The key.
        key: KeyText,
        /// The length of the value, in bytes.
        length: u64,
    },
}

impl Incoming {
    /// Which command it is.
    pub fn command(&self) -> Command {
        match self {
            Self::Order(order) => order.command(),
            Self::TooBig { .. } => Command::Put,
        }
    }
}

impl Order {
    /// Appends the order.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.put_u32(self.command().code().cast_unsigned());
        if let Some(channel) = self.channel() {
            out.put_array(channel.as_bytes());
        }
        match self {
            Self::Put { key, value, .. } => {
                out.put_array(key.as_bytes());
                out.put_array(value);
            }
            Self::Get { key, .. } | Self::Exists { key, .. } | Self::Remove { key, .. } => {
                out.put_array(key.as_bytes());
            }
            Self::GetAllFilter { filter, .. } => out.put_array(filter),
            Self::PutBatch { batch, .. } => out.put_array(batch),
            Self::Redistribute(redistribute) => redistribute.encode(out),
            Self::GetChannels
            | Self::GetChannelSize { .. }
            | Self::GetSize
            | Self::GetResponsibleRange
            | Self::RemoveChannel { .. }
            | Self::GetNumConnections
            | Self::GetVersion
            | Self::Listen { .. }
            | Self::GetAll { .. }
            | Self::GetAllKeys { .. } => {}
        }
    }

    /// Reads the order at the start of `bytes` and says how many bytes it takes; `None` if its end has
    /// not come yet. Values up to `max_value` bytes are waited for.
    pub fn decode(bytes: &[u8], max_value: u64) -> Result<Option<(Incoming, usize)>, Violation> {
        let mut fields = Fields::new(bytes);
        let order = complete(decode::incoming(&mut fields, max_value))?;
        Ok(order.map(|order| (order, fields.offset())))
    }

    /// Which command it is.
    pub fn command(&self) -> Command {
        match self {
            Self::Put { .. } => Command::Put,
            Self::Get { .. } => Command::Get,
            Self::Exists { .. } => Command::Exists,
            Self::Remove { .. } => Command::Remove,
            Self::GetChannels => Command::GetChannels,
            Self::GetChannelSize { .. } => Command::GetChannelSize,
            Self::GetSize => Command::GetSize,
            Self::GetResponsibleRange => Command::GetResponsibleRange,
            Self::RemoveChannel { .. } => Command::RemoveChannel,
            Self::GetNumConnections => Command::GetNumConnections,
            Self::GetVersion => Command::GetVersion,
            Self::Listen { .. } => Command::Listen,
            Self::GetAll { .. } => Command::GetAll,
            Self::GetAllKeys { .. } => Command::GetAllKeys,
            Self::GetAllFilter { .. } => Command::GetAllFilter,
            Self::Redistribute(_) => Command::Redistribute,
            Self::PutBatch { .. } => Command::PutBatch,
        }
    }

    /// The channel that it concerns, if it is one.
    pub fn channel(&self) -> Option<&ChannelName> {
        match self {
            Self::Put { channel, .. }
            | Self::Get { channel, .. }
            | Self::Exists { channel, .. }
            | Self::Remove { channel, .. }
            | Self::GetChannelSize { channel }
            | Self::RemoveChannel { channel }
            | Self::Listen { channel }
            | Self::GetAll { channel }
            | Self::GetAllKeys { channel }
            | Self::GetAllFilter { channel, .. }
            | Self::PutBatch { channel, .. } => Some(channel),
            Self::GetChannels
            | Self::GetSize
            | Self::GetResponsibleRange
            | Self::GetNumConnections
            | Self::GetVersion
            | Self::Redistribute(_) => None,
        }
    }
}

#[cfg(test)]
mod tests;
