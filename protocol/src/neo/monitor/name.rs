//! What a message of a request is called. Nothing here says when a message may come: a name is asked for when
//! the half has accepted the message, and what cannot be read has none.

use crate::neo::request::{
    RequestCode, SupportedStatus, control, exists, get, get_all, get_channels, get_hash_range,
    mirror, put, remove, remove_channel, update,
};

/// The acknowledgement of a control message, and of a final message.
pub(super) const ACK: &str = "Ack";
/// What cannot be read.
const UNREADABLE: &str = "something unreadable";

/// A message of a node. The supported status, Get's value and the range have no type; their lengths and
/// bytes are those of no other message of their requests.
pub(super) fn of_node(request: RequestCode, payload: &[u8]) -> &'static str {
    if let Ok(status) = SupportedStatus::decode(payload) {
        return status.name();
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
            .map(|update| update.name())
            .or_else(|_| get_hash_range::Range::decode(payload).map(|_| "range")),
        RequestCode::GetChannels => {
            get_channels::FromNode::decode(payload).map(|message| message.name())
        }
        RequestCode::GetAll => get_all::FromNode::decode(payload).map(|message| message.name()),
        RequestCode::Mirror => mirror::FromNode::decode(payload).map(|message| message.name()),
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
        RequestCode::Update => update::FromClient::decode(payload).map(|message| message.name()),
        _ => return "a second message",
    };
    name.unwrap_or(UNREADABLE)
}
