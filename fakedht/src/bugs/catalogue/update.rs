//! Bugs of Update.

use bytes::Bytes;
use dht_protocol::Key;
use dht_protocol::neo::request::{ChannelId, Host, HostError, RequestCode};

use super::records::RemoveKeeps;
use crate::bugs::Bug;
use crate::bugs::seam::{Call, HostBug, Seam};

pub(super) static BUGS: &[Bug] = &[
    Bug {
        name: "update-finds-nothing",
        description: "An Update of a record that does not exist reads an empty value.",
        breaks: "P19",
        seam: Seam::Host(|| Box::new(FindsNothing)),
    },
    Bug {
        name: "update-ignores-hash",
        description: "An Update overwrites a value that it has not read.",
        breaks: "P70",
        seam: Seam::Host(|| Box::new(Second::Overwrites)),
    },
    Bug {
        name: "update-always-conflicts",
        description: "An Update of a record that nobody else has changed is answered UpdateConflict.",
        breaks: "neo-requests 12.3",
        seam: Seam::Host(|| Box::new(Second::Conflicts)),
    },
    Bug {
        name: "update-not-stored",
        description: "An Update is acknowledged and not stored.",
        breaks: "P70",
        seam: Seam::Host(|| Box::new(Second::StoresNothing)),
    },
    Bug {
        name: "update-remove-keeps-record",
        description: "The RemoveRecord of an Update is acknowledged and the record stays.",
        breaks: "neo-requests 12.3",
        seam: Seam::Host(|| Box::new(RemoveKeeps(RequestCode::Update))),
    },
];

/// Takes a record that is not there for one with an empty value.
struct FindsNothing;

impl HostBug for FindsNothing {
    fn get(
        &self,
        host: &dyn Host,
        call: Call,
        channel: ChannelId,
        key: Key,
    ) -> Result<Option<Bytes>, HostError> {
        let value = host.get(channel, key)?;
        let reads = call.is(RequestCode::Update) && call.first;
        Ok(if reads {
            value.or(Some(Bytes::new()))
        } else {
            value
        })
    }
}

/// What is wrong with the second step of an Update.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Second {
    Overwrites,
    Conflicts,
    StoresNothing,
}

impl Second {
    fn is_due(self, call: Call) -> bool {
        call.is(RequestCode::Update) && !call.first
    }
}

impl HostBug for Second {
    fn get(
        &self,
        host: &dyn Host,
        call: Call,
        channel: ChannelId,
        key: Key,
    ) -> Result<Option<Bytes>, HostError> {
        let value = host.get(channel, key)?;
        Ok(match self {
            Self::Overwrites if self.is_due(call) => None,
            Self::Conflicts if self.is_due(call) => {
                value.map(|value| [&value, &b"changed"[..]].concat().into())
            }
            _ => value,
        })
    }

    fn put(
        &mut self,
        host: &mut dyn Host,
        call: Call,
        channel: ChannelId,
        key: Key,
        value: &Bytes,
    ) -> Result<(), HostError> {
        match self.is_due(call) && *self == Self::StoresNothing {
            true => Ok(()),
            false => host.put(channel, key, value),
        }
    }
}
