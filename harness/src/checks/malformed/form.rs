//! The ten requests as tables need them: each with a first message, and Update with its two.

use std::fmt;

use bytes::Bytes;
use dht_protocol::neo::request::{
    RecordName, RequestCode, exists, get, get_all, get_channels, get_hash_range, mirror, put,
    remove, remove_channel, update,
};
use dht_protocol::{ChannelName, Key, fnv1a};

/// The value of the record that is there.
pub(super) const KEPT: &[u8] = b"kept";
/// The value that writing requests give it.
pub(super) const CHANGED: &[u8] = b"changed";

/// A request by its first message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Form {
    GetHashRange,
    Put,
    Get,
    Mirror,
    GetAll,
    GetChannels,
    Exists,
    Remove,
    RemoveChannel,
    /// Update that begins with GetRecord.
    GetRecord,
    /// Update that begins with UpdateRecord.
    UpdateRecord,
}

use Form::{
    Exists, Get, GetAll, GetChannels, GetHashRange, GetRecord, Mirror, Put, Remove, RemoveChannel,
    UpdateRecord,
};

impl Form {
    pub(super) const ALL: [Self; 11] = [
        GetHashRange,
        Put,
        Get,
        Mirror,
        GetAll,
        GetChannels,
        Exists,
        Remove,
        RemoveChannel,
        GetRecord,
        UpdateRecord,
    ];

    /// Those whose first message has fields.
    pub(super) const WITH_FIELDS: [Self; 9] = [
        Put,
        Get,
        Mirror,
        GetAll,
        Exists,
        Remove,
        RemoveChannel,
        GetRecord,
        UpdateRecord,
    ];

    /// Those that are about a single record.
    pub(super) const OF_A_RECORD: [Self; 6] = [Put, Get, Exists, Remove, GetRecord, UpdateRecord];

    pub(super) fn request(self) -> RequestCode {
        match self {
            GetHashRange => RequestCode::GetHashRange,
            Put => RequestCode::Put,
            Get => RequestCode::Get,
            Mirror => RequestCode::Mirror,
            GetAll => RequestCode::GetAll,
            GetChannels => RequestCode::GetChannels,
            Exists => RequestCode::Exists,
            Remove => RequestCode::Remove,
            RemoveChannel => RequestCode::RemoveChannel,
            GetRecord | UpdateRecord => RequestCode::Update,
        }
    }

    /// Its name in the ids of checks.
    pub(super) fn slug(self) -> &'static str {
        match self {
            GetHashRange => "get-hash-range",
            Put => "put",
            Get => "get",
            Mirror => "mirror",
            GetAll => "get-all",
            GetChannels => "get-channels",
            Exists => "exists",
            Remove => "remove",
            RemoveChannel => "remove-channel",
            GetRecord => "get-record",
            UpdateRecord => "update-record",
        }
    }

    /// Its first message, command included. What writes gives the record the value [`CHANGED`].
    pub(super) fn opening(self, channel: &ChannelName, key: Key) -> Vec<u8> {
        let channel = channel.clone();
        let record = RecordName {
            channel: channel.clone(),
            key,
        };
        match self {
            GetHashRange => get_hash_range::Open.encode(),
            GetChannels => get_channels::Open.encode(),
            RemoveChannel => remove_channel::Open(channel).encode(),
            Get | Exists | Remove => record.opening(self.request()),
            Put => {
                let value = Bytes::from_static(CHANGED);
                put::Open { record, value }.encode()
            }
            GetRecord => update::Open::GetRecord(record).encode(),
            UpdateRecord => {
                let replacement = update::Replacement {
                    original_hash: fnv1a(KEPT),
                    new_value: Bytes::from_static(CHANGED),
                };
                update::Open::UpdateRecord(record, replacement).encode()
            }
            Mirror => mirror::Open {
                start_suspended: false,
                channel,
                settings: mirror::Settings::default(),
            }
            .encode(),
            GetAll => get_all::Open {
                start_suspended: false,
                channel,
                continue_from: None,
                settings: get_all::Settings {
                    keys_only: false,
                    value_filter: Bytes::from_static(KEPT),
                },
            }
            .encode(),
        }
    }

    /// Does this first answer say that the request is carried out?
    pub(super) fn is_success(self, payload: &[u8]) -> bool {
        match self {
            GetHashRange => get_hash_range::Range::decode(payload).is_ok(),
            Put => put::Reply::decode(payload) == Ok(put::Reply::Put),
            Get => get::Reply::decode(payload) == Ok(get::Reply::Got),
            Exists => exists::Reply::decode(payload) == Ok(exists::Reply::RecordExists),
            Remove => remove::Reply::decode(payload) == Ok(remove::Reply::Removed),
            RemoveChannel => {
                let reply = remove_channel::Reply::decode(payload);
                reply == Ok(remove_channel::Reply::ChannelRemoved)
            }
            GetChannels => matches!(
                get_channels::FromNode::decode(payload),
                Ok(get_channels::FromNode::ChannelName(_) | get_channels::FromNode::Finished)
            ),
            Mirror => mirror::FromNode::decode(payload) == Ok(mirror::FromNode::Started),
            GetAll => get_all::FromNode::decode(payload) == Ok(get_all::FromNode::Started),
            GetRecord => matches!(
                update::FromNode::decode(payload),
                Ok(update::FromNode::RecordValue(_))
            ),
            UpdateRecord => update::FromNode::decode(payload) == Ok(update::FromNode::Ok),
        }
    }

    /// Does this answer say that nothing was done?
    pub(super) fn is_failure(self, payload: &[u8]) -> bool {
        let refused = match self {
            GetHashRange | Get | Exists | Remove | Put | GetRecord | UpdateRecord => {
                self.is_wrong_node(payload)
            }
            RemoveChannel => {
                let reply = remove_channel::Reply::decode(payload);
                reply == Ok(remove_channel::Reply::NotPermitted)
            }
            GetChannels | Mirror | GetAll => false,
        };
        refused || self.is_error(payload)
    }

    fn is_error(self, payload: &[u8]) -> bool {
        match self {
            GetHashRange => false,
            Put => put::Reply::decode(payload) == Ok(put::Reply::Error),
            Get => get::Reply::decode(payload) == Ok(get::Reply::Error),
            Exists => exists::Reply::decode(payload) == Ok(exists::Reply::Error),
            Remove => remove::Reply::decode(payload) == Ok(remove::Reply::Error),
            RemoveChannel => {
                let reply = remove_channel::Reply::decode(payload);
                reply == Ok(remove_channel::Reply::Error)
            }
            GetChannels => {
                let said = get_channels::FromNode::decode(payload);
                said == Ok(get_channels::FromNode::Error)
            }
            Mirror => mirror::FromNode::decode(payload) == Ok(mirror::FromNode::Error),
            GetAll => get_all::FromNode::decode(payload) == Ok(get_all::FromNode::Error),
            GetRecord | UpdateRecord => {
                update::FromNode::decode(payload) == Ok(update::FromNode::Error)
            }
        }
    }

    /// Is it the answer WrongNode?
    pub(super) fn is_wrong_node(self, payload: &[u8]) -> bool {
        match self {
            Put => put::Reply::decode(payload) == Ok(put::Reply::WrongNode),
            Get => get::Reply::decode(payload) == Ok(get::Reply::WrongNode),
            Exists => exists::Reply::decode(payload) == Ok(exists::Reply::WrongNode),
            Remove => remove::Reply::decode(payload) == Ok(remove::Reply::WrongNode),
            GetRecord | UpdateRecord => {
                update::FromNode::decode(payload) == Ok(update::FromNode::WrongNode)
            }
            GetHashRange | Mirror | GetAll | GetChannels | RemoveChannel => false,
        }
    }

    /// Is it the answer of a request that reads or removes where there is no record?
    pub(super) fn is_no_record(self, payload: &[u8]) -> bool {
        match self {
            Get => get::Reply::decode(payload) == Ok(get::Reply::NoRecord),
            Exists => exists::Reply::decode(payload) == Ok(exists::Reply::NoRecord),
            Remove => remove::Reply::decode(payload) == Ok(remove::Reply::NoRecord),
            _ => update::FromNode::decode(payload) == Ok(update::FromNode::NoRecord),
        }
    }

    /// What its record holds once it is carried out.
    pub(super) fn leaves(self) -> Option<&'static [u8]> {
        match self {
            Put | UpdateRecord => Some(CHANGED),
            Remove | RemoveChannel => None,
            _ => Some(KEPT),
        }
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            GetRecord => f.write_str("Update (GetRecord)"),
            UpdateRecord => f.write_str("Update (UpdateRecord)"),
            other => f.write_str(other.request().name()),
        }
    }
}
