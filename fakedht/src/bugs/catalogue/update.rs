//! Bugs of Update.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use dht_protocol::Key;
use dht_protocol::codec::DecodeError;
use dht_protocol::neo::request::update::{FromClient, FromNode, Open, Replacement};
use dht_protocol::neo::request::{Host, RequestCode};
use dht_requirements as req;

use super::remove::keeps_record;
use crate::bugs::Bug;
use crate::bugs::fate::{answered, arriving, instead, leaving, lost, opened, rewritten};
use crate::bugs::host_bug::{
    At, Done, Found, HostBug, RecordId, Removed, host, on_get, on_put, on_remove, refused,
};
use crate::bugs::message::{FromNode as _, Message};
use crate::bugs::seam::Seam;

const UPDATE: RequestCode = RequestCode::Update;

pub(super) static BUGS: &[Bug] = &[
    Bug {
        name: "update-cuts-last-byte",
        description: "An Update reads the value without its last byte.",
        breaks: &req::UPDATE_READ,
        seam: || {
            leaving(rewritten(|said| match said {
                FromNode::RecordValue(value) if !value.is_empty() => {
                    Some(FromNode::RecordValue(value.slice(..value.len() - 1)).payload())
                }
                _ => None,
            }))
        },
    },
    Bug {
        name: "update-finds-nothing",
        description: "An Update of a record that does not exist reads an empty value.",
        breaks: &req::UPDATE_READ_ABSENT,
        seam: || {
            on_get(|host, at| {
                let reads = at.by(UPDATE) && at.call.first;
                Ok(at.get(host)?.or(reads.then(Bytes::new)))
            })
        },
    },
    Bug {
        name: "update-wrong-node-says-absent",
        description: "An Update of a key outside the hash range is answered NoRecord.",
        breaks: &req::UPDATE_READ_WRONG_NODE,
        seam: || answered(FromNode::WrongNode, FromNode::NoRecord),
    },
    Bug {
        name: "update-always-conflicts",
        description: "An Update of a record that nobody else has changed is answered UpdateConflict.",
        breaks: &req::UPDATE_WRITE,
        seam: || compares_with(|value| Some([&value, &b"changed"[..]].concat().into())),
    },
    Bug {
        name: "update-compares-any-channel",
        description: "An Update compares with the last value of the key in whatever channel.",
        breaks: &req::UPDATE_WRITE,
        seam: || host(AnyChannel::default()),
    },
    Bug {
        name: "update-not-stored",
        description: "An Update is acknowledged and not stored.",
        breaks: &req::DATA_UPDATE_VISIBLE,
        seam: || {
            on_put(|host, at, value| match at.later_by(UPDATE) {
                true => Ok(()),
                false => at.put(host, value),
            })
        },
    },
    Bug {
        name: "update-hashes-length",
        description: "The hash that an Update compares covers the length of the value.",
        breaks: &req::UPDATE_HASH,
        seam: || {
            compares_with(|value| {
                let length = (value.len() as u64).to_le_bytes();
                Some([&length[..], &value].concat().into())
            })
        },
    },
    Bug {
        name: "update-hashes-64-bytes",
        description: "The hash that an Update compares covers only the first 64 bytes of the value.",
        breaks: &req::UPDATE_HASH,
        seam: || compares_with(|value| Some(value.slice(..value.len().min(64)))),
    },
    Bug {
        name: "update-ignores-hash",
        description: "An Update overwrites a value that it has not read.",
        breaks: &req::UPDATE_CONFLICT,
        seam: || compares_with(|_| None),
    },
    Bug {
        name: "update-conflict-spoils-record",
        description: "An Update that is answered UpdateConflict takes the record away from readers.",
        breaks: &req::UPDATE_CONFLICT_KEEPS,
        seam: conflict_spoils,
    },
    Bug {
        name: "update-notices-rewriting",
        description: "An Update is refused if the record was written since, also with the same value.",
        breaks: &req::UPDATE_VALUE_CAME_BACK,
        seam: || host(NoticesRewriting::default()),
    },
    Bug {
        name: "update-refuses-same-value",
        description: "An Update with the value that is stored already is answered Error.",
        breaks: &req::UPDATE_IDENTICAL,
        seam: || refuses(|_, value, stored| stored == Some(value)),
    },
    Bug {
        name: "update-recreates-nothing",
        description: "An Update of a record that was removed since it was read is answered Error.",
        breaks: &req::UPDATE_RECREATES_RECORD,
        seam: || refuses(|at, _, stored| !at.call.first && stored.is_none()),
    },
    Bug {
        name: "update-direct-miscompares",
        description: "An Update that opens with UpdateRecord compares with another hash than was sent.",
        breaks: &req::UPDATE_DIRECT_MATCH,
        seam: || {
            opened(|open| match open {
                Open::UpdateRecord(_, replacement) => replacement.original_hash ^= 1,
                Open::GetRecord(_) => {}
            })
        },
    },
    Bug {
        name: "update-conflict-says-ok",
        description: "An Update that changed nothing because of a conflict is answered Ok.",
        breaks: &req::UPDATE_DIRECT_CONFLICT,
        seam: || answered(FromNode::UpdateConflict, FromNode::Ok),
    },
    Bug {
        name: "update-direct-needs-record",
        description: "An Update that opens with UpdateRecord is answered Error if there is no record.",
        breaks: &req::UPDATE_DIRECT_ABSENT,
        seam: || refuses(|at, _, stored| at.call.first && stored.is_none()),
    },
    Bug {
        name: "update-remove-keeps-record",
        description: "The RemoveRecord of an Update is acknowledged and the record stays.",
        breaks: &req::UPDATE_REMOVE,
        seam: || keeps_record(UPDATE),
    },
    Bug {
        name: "update-remove-needs-record",
        description: "RemoveRecord is answered Error if the record is gone already.",
        breaks: &req::UPDATE_REMOVE_ABSENT,
        seam: || {
            on_remove(|host, at| match at.remove(host)? {
                false if at.by(UPDATE) => refused(),
                removed => Ok(removed),
            })
        },
    },
    Bug {
        name: "update-remove-compares",
        description: "RemoveRecord is answered Error if the value has changed since it was read.",
        breaks: &req::UPDATE_REMOVE_CHANGED,
        seam: || host(RemoveCompares::default()),
    },
    Bug {
        name: "update-leave-conflicts",
        description: "LeaveRecord is compared with the record and answered UpdateConflict.",
        breaks: &req::UPDATE_LEAVE,
        seam: || {
            let nothing = Replacement {
                original_hash: 0,
                new_value: Bytes::new(),
            };
            arriving(instead(
                is_leave,
                FromClient::UpdateRecord(nothing).encode(),
            ))
        },
    },
    Bug {
        name: "update-leave-removes",
        description: "LeaveRecord removes the record.",
        breaks: &req::UPDATE_LEAVE_KEEPS,
        seam: || arriving(instead(is_leave, FromClient::RemoveRecord.encode())),
    },
    Bug {
        name: "update-keeps-others-waiting",
        description: "While an Update waits for its decision no other request about records is answered.",
        breaks: &req::UPDATE_NO_LOCK,
        seam: || {
            arriving(lost(|message| {
                is_about_records(message) && message.is_first() && message.running.any(UPDATE)
            }))
        },
    },
    Bug {
        name: "update-hides-record",
        description: "A record that an Update has read is hidden from others until it is written.",
        breaks: &req::UPDATE_ABANDONED,
        seam: || host(Hides::default()),
    },
    Bug {
        name: "update-bad-decision-removes",
        description: "A decision that cannot be read is taken for RemoveRecord.",
        breaks: &req::UPDATE_DECISION_INVALID_KEEPS,
        seam: || {
            let is_bad =
                |message: &Message<'_>| decision(message).is_some_and(|read| read.is_err());
            arriving(instead(is_bad, FromClient::RemoveRecord.encode()))
        },
    },
];

/// The client's decision, as far as it can be read.
fn decision(message: &Message<'_>) -> Option<Result<FromClient, DecodeError>> {
    let decides = message.is(UPDATE) && !message.is_first();
    decides.then(|| FromClient::decode(message.payload))
}

fn is_leave(message: &Message<'_>) -> bool {
    decision(message) == Some(Ok(FromClient::LeaveRecord))
}

fn is_about_records(message: &Message<'_>) -> bool {
    use RequestCode::{Exists, Get, GetAll, Put, Remove, Update};

    matches!(
        message.request,
        Some(Put | Get | Exists | Remove | GetAll | Update)
    )
}

/// The second step of an Update compares with something else than the stored value.
fn compares_with(other: fn(Bytes) -> Option<Bytes>) -> Seam {
    on_get(move |host, at| {
        let value = at.get(host)?;
        Ok(match at.later_by(UPDATE) {
            true => value.and_then(other),
            false => value,
        })
    })
}

/// An Update is answered Error because of the new value and the stored one.
fn refuses(why: fn(At, &Bytes, Option<&Bytes>) -> bool) -> Seam {
    on_put(move |host, at, value| {
        let stored = at.get(host)?;
        match at.by(UPDATE) && why(at, value, stored.as_ref()) {
            true => refused(),
            false => at.put(host, value),
        }
    })
}

/// Knows what the first steps of Updates have read, and which records had changed at a second step.
fn conflict_spoils() -> Seam {
    let read = RefCell::new(BTreeMap::new());
    let spoilt = RefCell::new(BTreeSet::new());
    on_get(move |host, at| {
        let (record, value) = (at.record(), at.get(host)?);
        if !at.by(UPDATE) {
            return Ok(value.filter(|_| !spoilt.borrow().contains(&record)));
        }
        if let Some(value) = &value {
            let mut read = read.borrow_mut();
            if at.call.first {
                read.insert(record, value.clone());
            } else if read.get(&record) != Some(value) {
                spoilt.borrow_mut().insert(record);
            }
        }
        Ok(value)
    })
}

/// How often each record was written, and how often when an Update read it.
#[derive(Default)]
struct NoticesRewriting {
    writes: BTreeMap<RecordId, u64>,
    read: RefCell<BTreeMap<RecordId, u64>>,
}

impl HostBug for NoticesRewriting {
    fn get(&self, host: &dyn Host, at: At) -> Found {
        let (record, value) = (at.record(), at.get(host)?);
        if !at.by(UPDATE) {
            return Ok(value);
        }
        let writes = self.writes.get(&record).copied().unwrap_or_default();
        if at.call.first {
            self.read.borrow_mut().insert(record, writes);
            return Ok(value);
        }
        let same = self.read.borrow().get(&record) == Some(&writes);
        Ok(match same {
            true => value,
            false => value.map(|value| [&value, &b"rewritten"[..]].concat().into()),
        })
    }

    fn put(&mut self, host: &mut dyn Host, at: At, value: &Bytes) -> Done {
        *self.writes.entry(at.record()).or_default() += 1;
        at.put(host, value)
    }
}

/// What Updates have read.
#[derive(Default)]
struct RemoveCompares(RefCell<BTreeMap<RecordId, Bytes>>);

impl HostBug for RemoveCompares {
    fn get(&self, host: &dyn Host, at: At) -> Found {
        let value = at.get(host)?;
        if let (true, Some(value)) = (at.by(UPDATE), &value) {
            self.0.borrow_mut().insert(at.record(), value.clone());
        }
        Ok(value)
    }

    fn remove(&mut self, host: &mut dyn Host, at: At) -> Removed {
        let stored = at.get(host)?;
        let changed = stored.is_some() && stored.as_ref() != self.0.borrow().get(&at.record());
        match at.by(UPDATE) && changed {
            true => refused(),
            false => at.remove(host),
        }
    }
}

/// The records that Updates have read.
#[derive(Default)]
struct Hides(RefCell<BTreeSet<RecordId>>);

impl HostBug for Hides {
    fn get(&self, host: &dyn Host, at: At) -> Found {
        let value = at.get(host)?;
        let mut hidden = self.0.borrow_mut();
        if at.by(UPDATE) {
            hidden.insert(at.record());
            return Ok(value);
        }
        Ok(value.filter(|_| !hidden.contains(&at.record())))
    }

    fn put(&mut self, host: &mut dyn Host, at: At, value: &Bytes) -> Done {
        self.0.borrow_mut().remove(&at.record());
        at.put(host, value)
    }
}

/// The last value of each key.
#[derive(Default)]
struct AnyChannel(BTreeMap<Key, Bytes>);

impl HostBug for AnyChannel {
    fn get(&self, host: &dyn Host, at: At) -> Found {
        let value = at.get(host)?;
        Ok(match at.later_by(UPDATE) {
            true => value.and_then(|_| self.0.get(&at.key).cloned()),
            false => value,
        })
    }

    fn put(&mut self, host: &mut dyn Host, at: At, value: &Bytes) -> Done {
        self.0.insert(at.key, value.clone());
        at.put(host, value)
    }
}
