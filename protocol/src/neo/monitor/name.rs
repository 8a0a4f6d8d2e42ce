//! What messages are called. Nothing here says when a message may come: a name is asked for when the half
//! has accepted the message, and what cannot be read has none.

use crate::neo::request::{
    RequestCode, SupportedStatus, control, exists, get, get_all, get_channels, get_hash_range,
    mirror, put, remove, remove_channel, update,
};

/// The acknowledgement of a control message, and of a final message.
pub(super) const ACK: &str = "Ack";
/// What cannot be read.
const UNREADABLE: &str = "something unreadable";

pub(super) fn of_status(status: SupportedStatus) -> &'static str {
    match status {
        SupportedStatus::Supported => "supported",
        SupportedStatus::VersionNotSupported => "version not supported",
        SupportedStatus::NotSupported => "not supported",
    }
}

/// A message of a node. The supported status, Get's value and the range have no type; their lengths and
/// bytes are those of no other message of their requests.
pub(super) fn of_node(request: RequestCode, payload: &[u8]) -> &'static str {
    if let Ok(status) = SupportedStatus::decode(payload) {
        return of_status(status);
    }
    let name = match request {
        RequestCode::Put => put::Reply::decode(payload).map(|reply| reply.name()),
        RequestCode::Exists => exists::Reply::decode(payload).map(|reply| reply.name()),
        RequestCode::Remove => remove::Reply::decode(payload).map(|reply| reply.name()),
        RequestCode::RemoveChannel => {
            remove_channel::Reply::decode(payload).map(|reply| reply.name())
        }
        RequestCode::Get => get::Reply::decode(payload)
            .map(|reply| reply.name())
            .or_else(|_| get::Value::decode(payload).map(|_| "value")),
        RequestCode::GetHashRange => get_hash_range::Update::decode(payload)
            .map(|update| match update {
                get_hash_range::Update::NewNode(..) => "NewNode",
                get_hash_range::Update::ChangeHashRange(_) => "ChangeHashRange",
            })
            .or_else(|_| get_hash_range::Range::decode(payload).map(|_| "range")),
        RequestCode::GetChannels => {
            get_channels::FromNode::decode(payload).map(|message| match message {
                get_channels::FromNode::Error => "Error",
                get_channels::FromNode::ChannelName(_) => "ChannelName",
                get_channels::FromNode::Finished => "Finished",
            })
        }
        RequestCode::GetAll => get_all::FromNode::decode(payload).map(|message| match message {
            get_all::FromNode::Ack => ACK,
            get_all::FromNode::Started => "Started",
            get_all::FromNode::Error => "Error",
            get_all::FromNode::RecordBatch(_) => "RecordBatch",
            get_all::FromNode::Finished => "Finished",
        }),
        RequestCode::Mirror => mirror::FromNode::decode(payload).map(|message| match message {
            mirror::FromNode::Ack => ACK,
            mirror::FromNode::Started => "Started",
            mirror::FromNode::Error => "Error",
            mirror::FromNode::RecordChanged(..) => "RecordChanged",
            mirror::FromNode::RecordDeleted(_) => "RecordDeleted",
            mirror::FromNode::RecordRefreshBatch(_) => "RecordRefreshBatch",
            mirror::FromNode::ChannelRemoved => "ChannelRemoved",
            mirror::FromNode::UpdateOverflow => "UpdateOverflow",
        }),
        RequestCode::Update => update::FromNode::decode(payload).map(|message| message.name()),
    };
    name.unwrap_or(UNREADABLE)
}

/// A message of a client behind the first.
pub(super) fn of_client(request: RequestCode, payload: &[u8]) -> &'static str {
    let name = match request {
        RequestCode::GetAll | RequestCode::Mirror => {
            control::FromClient::decode(payload).map(control::FromClient::name)
        }
        RequestCode::Update => update::FromClient::decode(payload).map(|message| match message {
            update::FromClient::UpdateRecord(_) => "UpdateRecord",
            update::FromClient::RemoveRecord => "RemoveRecord",
            update::FromClient::LeaveRecord => "LeaveRecord",
        }),
        _ => return "a second message",
    };
    name.unwrap_or(UNREADABLE)
}
