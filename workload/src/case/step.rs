//! Steps: what one lane does until it has ended.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Fault, Wrong};
use crate::names::KeyName;
use crate::value::Value;

/// What a lane does until it has ended.
#[derive(Clone, Debug, Eq, Hash, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[allow(
    missing_docs,
    reason = "the fields say what they are: names of channels, keys, values, streams"
)]
pub enum Step {
    /// Store a record.
    Put {
        channel: String,
        key: KeyName,
        value: Value,
    },
    /// Read a record.
    Get { channel: String, key: KeyName },
    /// Ask whether there is a record.
    Exists { channel: String, key: KeyName },
    /// Remove a record.
    Remove { channel: String, key: KeyName },
    /// Read a record, decide at once, and do so.
    Update {
        channel: String,
        key: KeyName,
        decision: Decision,
    },
    /// Read the records of a channel to the end.
    GetAll {
        channel: String,
        #[serde(default, skip_serializing_if = "is_false")]
        keys_only: bool,
        #[serde(default, skip_serializing_if = "String::is_empty")]
        filter: String,
    },
    /// List the channels.
    GetChannels {},
    /// Remove a channel.
    RemoveChannel { channel: String },
    /// Read a record for an Update that decides later.
    BeginUpdate {
        update: String,
        channel: String,
        key: KeyName,
    },
    /// Decide an Update that was begun. It ends.
    Decide { update: String, decision: Decision },
    /// Begin to read the records of a channel. The step ends when the request has started.
    OpenGetAll {
        stream: String,
        channel: String,
        #[serde(default, skip_serializing_if = "is_false")]
        keys_only: bool,
        #[serde(default, skip_serializing_if = "String::is_empty")]
        filter: String,
    },
    /// Store records one after another. Only in the legacy protocol.
    PutBatch {
        channel: String,
        records: Vec<(KeyName, Value)>,
    },
    /// Ask how many records a channel has. Only in the legacy protocol.
    GetSize { channel: String },
    /// Begin to listen to a channel. Only in the legacy protocol. The step ends at once: a node need not say
    /// that it has begun before there is something to tell. Until it is over the lane can do nothing else.
    OpenListen { stream: String, channel: String },
    /// Begin to follow a channel. The step ends when the request has started.
    OpenMirror {
        stream: String,
        channel: String,
        /// Have all records sent at the start.
        refresh: bool,
    },
    /// Suspend a stream. The step ends when the node has agreed, or the stream is over.
    Suspend { stream: String },
    /// Resume a stream. The step ends as that of Suspend does.
    Resume { stream: String },
    /// Stop a stream. The step ends when it is over.
    Stop { stream: String },
    /// Read a GetAll to its end. Of a Mirror or a Listen: compare it with the channel, until it has told all
    /// that it should; then stop it.
    Finish { stream: String },
    /// Something happens to a connection, or to the node. The step ends at once.
    Fault(Fault),
    /// Something is said or done wrongly. The step ends when the node has reacted, or need not.
    Wrong(Wrong),
}

/// What an Update does with the record that it has read.
#[derive(Clone, Debug, Eq, Hash, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Store this instead.
    Replace(Value),
    /// Leave it.
    Leave,
    /// Delete it.
    Delete,
}

impl Step {
    /// The channel that the step names, if it does.
    pub fn channel(&self) -> Option<&str> {
        match self {
            Self::Put { channel, .. }
            | Self::Get { channel, .. }
            | Self::Exists { channel, .. }
            | Self::Remove { channel, .. }
            | Self::Update { channel, .. }
            | Self::GetAll { channel, .. }
            | Self::RemoveChannel { channel }
            | Self::BeginUpdate { channel, .. }
            | Self::OpenGetAll { channel, .. }
            | Self::PutBatch { channel, .. }
            | Self::GetSize { channel }
            | Self::OpenListen { channel, .. }
            | Self::OpenMirror { channel, .. } => Some(channel),
            Self::Wrong(wrong) => wrong.of.as_deref()?.channel(),
            _ => None,
        }
    }

    /// The key that the step names, if it does.
    pub fn key(&self) -> Option<KeyName> {
        match self {
            Self::Put { key, .. }
            | Self::Get { key, .. }
            | Self::Exists { key, .. }
            | Self::Remove { key, .. }
            | Self::Update { key, .. }
            | Self::BeginUpdate { key, .. } => Some(*key),
            Self::Wrong(wrong) => wrong.of.as_deref()?.key(),
            _ => None,
        }
    }

    /// The stream or the pending Update that the step names, if it does.
    pub fn handle(&self) -> Option<&str> {
        match self {
            Self::OpenGetAll { stream, .. }
            | Self::OpenMirror { stream, .. }
            | Self::OpenListen { stream, .. }
            | Self::Suspend { stream }
            | Self::Resume { stream }
            | Self::Stop { stream }
            | Self::Finish { stream } => Some(stream),
            Self::BeginUpdate { update, .. } | Self::Decide { update, .. } => Some(update),
            _ => None,
        }
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde wants it so")]
fn is_false(value: &bool) -> bool {
    !value
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Put {
                channel,
                key,
                value,
            } => write!(f, "Put {channel}/{key} {value}"),
            Self::Get { channel, key } => write!(f, "Get {channel}/{key}"),
            Self::Exists { channel, key } => write!(f, "Exists {channel}/{key}"),
            Self::Remove { channel, key } => write!(f, "Remove {channel}/{key}"),
            Self::Update {
                channel,
                key,
                decision,
            } => write!(f, "Update {channel}/{key} {decision}"),
            Self::GetAll {
                channel,
                keys_only,
                filter,
            } => write!(f, "GetAll {channel}{}", Wanted(*keys_only, filter)),
            Self::GetChannels {} => f.write_str("GetChannels"),
            Self::RemoveChannel { channel } => write!(f, "RemoveChannel {channel}"),
            Self::BeginUpdate {
                update,
                channel,
                key,
            } => write!(f, "begin Update {update} of {channel}/{key}"),
            Self::Decide { update, decision } => write!(f, "decide Update {update}: {decision}"),
            Self::OpenGetAll {
                stream,
                channel,
                keys_only,
                filter,
            } => write!(
                f,
                "begin GetAll {stream} of {channel}{}",
                Wanted(*keys_only, filter)
            ),
            Self::PutBatch { channel, records } => {
                write!(f, "PutBatch {channel}")?;
                let mut records = records.iter();
                records.try_for_each(|(key, value)| write!(f, " {key}={value}"))
            }
            Self::GetSize { channel } => write!(f, "GetChannelSize {channel}"),
            Self::OpenListen { stream, channel } => {
                write!(f, "begin Listen {stream} of {channel}")
            }
            Self::OpenMirror {
                stream,
                channel,
                refresh,
            } => {
                write!(f, "begin Mirror {stream} of {channel}")?;
                f.write_str(if *refresh { ", with refresh" } else { "" })
            }
            Self::Suspend { stream } => write!(f, "suspend {stream}"),
            Self::Resume { stream } => write!(f, "resume {stream}"),
            Self::Stop { stream } => write!(f, "stop {stream}"),
            Self::Finish { stream } => write!(f, "finish {stream}"),
            Self::Fault(fault) => fault.fmt(f),
            Self::Wrong(wrong) => wrong.fmt(f),
        }
    }
}

/// What a GetAll wants, if not everything.
struct Wanted<'a>(bool, &'a str);

impl fmt::Display for Wanted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0 { ", keys only" } else { "" })?;
        match self.1 {
            "" => Ok(()),
            filter => write!(f, ", values with \"{}\"", filter.escape_debug()),
        }
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Replace(value) => write!(f, "to {value}"),
            Self::Leave => f.write_str("(leave)"),
            Self::Delete => f.write_str("(delete)"),
        }
    }
}
