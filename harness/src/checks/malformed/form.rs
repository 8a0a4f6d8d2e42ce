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

    /// The answers that say that nothing was done; that of a request for a single record begins with
    /// WrongNode.
    fn failures(self) -> &'static [u8] {
        match self {
            GetHashRange => &[],
            Put => &[2, 3],
            Get | Exists | Remove => &[3, 4],
            RemoveChannel => &[2, 3],
            GetChannels => &[1],
            Mirror | GetAll => &[6],
            GetRecord | UpdateRecord => &[9, 10],
        }
    }

    /// Does this answer say that nothing was done?
    pub(super) fn is_failure(self, payload: &[u8]) -> bool {
        matches!(payload, [code] if self.failures().contains(code))
    }

    /// Is it the answer WrongNode?
    pub(super) fn is_wrong_node(self, payload: &[u8]) -> bool {
        Self::OF_A_RECORD.contains(&self) && self.failures().get(..1) == Some(payload)
    }

    /// The answer of a request that reads or removes, if there is no record.
    pub(super) fn no_record(self) -> u8 {
        match self {
            Get => get::Reply::NoRecord as u8,
            Exists => exists::Reply::NoRecord as u8,
            Remove => remove::Reply::NoRecord as u8,
            _ => 7,
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
