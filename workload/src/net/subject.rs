//! What a request is about: by that a request on the wire is recognised as what was asked for.

use dht_model::{Action, Operation};
use dht_protocol::neo::request::{
    Command, RecordName, RequestCode, get_all, mirror, put, remove_channel, update,
};
use dht_protocol::{ChannelName, Key};

use crate::world::Stream;

/// A kind of request, and what it is done to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Subject {
    request: RequestCode,
    channel: Option<ChannelName>,
    key: Option<Key>,
}

impl Subject {
    /// That of the request which does this operation, if a client does it with one.
    pub(super) fn of_operation(operation: &Operation) -> Option<Self> {
        Some(match operation {
            Operation::Record {
                channel,
                key,
                action,
            } => {
                let request = match action {
                    Action::Put(_) => RequestCode::Put,
                    Action::Get => RequestCode::Get,
                    Action::Exists => RequestCode::Exists,
                    Action::Remove => RequestCode::Remove,
                    Action::Update(_) => RequestCode::Update,
                    Action::UpdateRecord { .. } => return None,
                };
                Self::record(request, channel.clone(), *key)
            }
            Operation::GetAll { channel, .. } => {
                Self::channel(RequestCode::GetAll, channel.clone())
            }
            Operation::RemoveChannel { channel, .. } => {
                Self::channel(RequestCode::RemoveChannel, channel.clone())
            }
            Operation::GetChannels => Self {
                request: RequestCode::GetChannels,
                channel: None,
                key: None,
            },
            Operation::Refresh { .. }
            | Operation::GetHashRange
            | Operation::PutBatch { .. }
            | Operation::GetSize { .. }
            | Operation::Listen { .. } => return None,
        })
    }

    /// That of an Update.
    pub(super) fn of_update(channel: ChannelName, key: Key) -> Self {
        Self::record(RequestCode::Update, channel, key)
    }

    /// That of a stream, if it is one of neo.
    pub(super) fn of_stream(stream: &Stream, channel: ChannelName) -> Option<Self> {
        let request = match stream {
            Stream::GetAll { .. } => RequestCode::GetAll,
            Stream::Mirror { .. } => RequestCode::Mirror,
            Stream::Listen => return None,
        };
        Some(Self::channel(request, channel))
    }

    /// That of the request which begins with this message. None for those that clients make by
    /// themselves.
    pub(super) fn of_opening(payload: &[u8]) -> Option<Self> {
        let (command, fields) = Command::decode(payload).ok()?;
        let request = command.request().ok()?;
        let record = |record: RecordName| Self::record(request, record.channel, record.key);
        Some(match request {
            RequestCode::Put => record(put::Open::decode(fields).ok()?.record),
            RequestCode::Get | RequestCode::Exists | RequestCode::Remove => {
                record(RecordName::decode_fields(fields).ok()?)
            }
            RequestCode::Update => match update::Open::decode(fields).ok()? {
                update::Open::GetRecord(name) => record(name),
                update::Open::UpdateRecord(..) => return None,
            },
            RequestCode::GetAll => {
                Self::channel(request, get_all::Open::decode(fields).ok()?.channel)
            }
            RequestCode::Mirror => {
                Self::channel(request, mirror::Open::decode(fields).ok()?.channel)
            }
            RequestCode::RemoveChannel => {
                Self::channel(request, remove_channel::Open::decode(fields).ok()?.0)
            }
            RequestCode::GetChannels => Self {
                request,
                channel: None,
                key: None,
            },
            RequestCode::GetHashRange => return None,
        })
    }

    fn record(request: RequestCode, channel: ChannelName, key: Key) -> Self {
        Self {
            request,
            channel: Some(channel),
            key: Some(key),
        }
    }

    fn channel(request: RequestCode, channel: ChannelName) -> Self {
        Self {
            request,
            channel: Some(channel),
            key: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn what_was_asked_for_is_recognised_on_the_wire() {
        let record = RecordName {
            channel: "c".into(),
            key: 7.into(),
        };
        let get_all = get_all::Open {
            start_suspended: false,
            channel: "c".into(),
            continue_from: None,
            settings: get_all::Settings::default(),
        };
        let put = put::Open {
            record: record.clone(),
            value: Bytes::from_static(b"v"),
        };
        for (opening, operation) in [
            (put.encode(), Operation::put("c", 7, "v")),
            (
                update::Open::GetRecord(record).encode(),
                Operation::update("c", 7, dht_model::Decision::Leave),
            ),
            (get_all.encode(), Operation::get_all("c")),
        ] {
            let subject = Subject::of_opening(&opening);
            assert_eq!(subject, Subject::of_operation(&operation));
            assert_ne!(subject, Subject::of_operation(&Operation::GetChannels));
        }
        assert_eq!(Subject::of_opening(&[]), None);
        assert_eq!(Subject::of_opening(&[0xff, 0xff]), None);
    }
}
