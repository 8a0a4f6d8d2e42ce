//! What a user asks the core for, and what it is told.

use crate::ChannelName;
use crate::neo::request::{
    Failure, RecordName, gather, get_all, mirror, put, remove_channel, stream, update,
};
use bytes::Bytes;

/// What a user can ask for.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Request {
    /// Store a record.
    Put(put::Open),
    /// Read a record.
    Get(RecordName),
    /// Is there a record?
    Exists(RecordName),
    /// Remove a record.
    Remove(RecordName),
    /// Read a record and change it if nobody else has; see [`ClientRequest::decide`](super::ClientRequest::decide).
    Update(RecordName),
    /// Read all records of a channel.
    GetAll(ChannelName, get_all::Settings),
    /// Follow the changes of a channel.
    Mirror(ChannelName, mirror::Settings),
    /// List the channels.
    GetChannels,
    /// Remove a channel with all its records.
    RemoveChannel(ChannelName),
}

/// What the user of a GetAll is told.
pub type GetAllEvent = stream::Notification<get_all::Item>;
/// What the user of a Mirror is told.
pub type MirrorEvent = stream::Notification<mirror::Item>;
/// What the user of a GetChannels is told.
pub type ChannelEvent = gather::Notification<ChannelName>;
/// What the user of a RemoveChannel is told.
pub type RemoveChannelEvent = gather::Notification<remove_channel::Notice>;

/// What a request tells its user.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Told {
    /// How the Put ended.
    Put(Result<(), Failure>),
    /// How the Get ended: the record's value, `None` if there is no such record.
    Get(Result<Option<Bytes>, Failure>),
    /// How the Exists ended.
    Exists(Result<bool, Failure>),
    /// How the Remove ended: was there a record?
    Remove(Result<bool, Failure>),
    /// The Update has read the record, or has ended.
    Update(update::Notification),
    /// Of a GetAll.
    GetAll(GetAllEvent),
    /// Of a Mirror.
    Mirror(MirrorEvent),
    /// Of a GetChannels.
    GetChannels(ChannelEvent),
    /// Of a RemoveChannel.
    RemoveChannel(RemoveChannelEvent),
}
