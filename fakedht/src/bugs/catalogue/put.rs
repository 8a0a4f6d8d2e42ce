//! Bugs of Put.

use std::collections::BTreeMap;

use bytes::Bytes;
use dht_protocol::neo::header::ID_LEN;
use dht_protocol::neo::request::{Command, Host, put};
use dht_requirements as req;

use super::records::{puts, stores};
use crate::bugs::Bug;
use crate::bugs::fate::answered;
use crate::bugs::host_bug::{At, Done, HostBug, RecordId, Removed, host, refused};
use crate::bugs::wire::{Frame, InputBug, Phase, RawHeader, Reading, input};

/// A message with more bytes than this is cut in two by one of the bugs.
const LONG: u64 = 512 << 10;

pub(super) static BUGS: &[Bug] = &[
    Bug {
        name: "put-answers-error",
        description: "A Put that is carried out is answered Error.",
        breaks: &req::PUT_ANSWER,
        seam: || answered(put::Reply::Put, put::Reply::Error),
    },
    Bug {
        name: "put-keeps-old-value",
        description: "A Put of a record that exists is acknowledged, and the old value stays.",
        breaks: &req::PUT_REPLACES,
        seam: || {
            puts(|host, at, value| match at.get(host)? {
                Some(_) => Ok(()),
                None => at.put(host, value),
            })
        },
    },
    Bug {
        name: "put-keeps-tail",
        description: "A Put overwrites a longer value only as far as the new one goes.",
        breaks: &req::PUT_REPLACES,
        seam: || {
            stores(|_, value, before| {
                let before = before.unwrap_or_default();
                let tail = before.get(value.len()..).unwrap_or_default();
                Ok([&value, tail].concat().into())
            })
        },
    },
    Bug {
        name: "put-cuts-to-old-length",
        description: "A Put of a longer value stores only as much of it as the old value had.",
        breaks: &req::PUT_REPLACES,
        seam: || {
            stores(|_, value, before| {
                let length = before.map_or(value.len(), |before| before.len());
                Ok(value.slice(..value.len().min(length)))
            })
        },
    },
    Bug {
        name: "put-stacks-values",
        description: "A Remove brings back the value before the last Put.",
        breaks: &req::PUT_ONE_RECORD,
        seam: || host(Stacked::default()),
    },
    Bug {
        name: "put-identical-refused",
        description: "A Put of the value that is stored already is answered Error.",
        breaks: &req::PUT_IDENTICAL,
        seam: || {
            stores(|_, value, before| match before {
                Some(before) if before == value => refused(),
                _ => Ok(value),
            })
        },
    },
    Bug {
        name: "put-begun-is-stored",
        description: "A Put of more than 512 KiB is carried out when half of it has come.",
        breaks: &req::PUT_DISCONNECTED,
        seam: || input(BegunIsStored::default()),
    },
];

/// The value of each record before its last Put.
#[derive(Default)]
struct Stacked(BTreeMap<RecordId, Bytes>);

impl HostBug for Stacked {
    fn put(&mut self, host: &mut dyn Host, at: At, value: &Bytes) -> Done {
        if let Some(before) = at.get(host)? {
            self.0.insert(at.record(), before);
        }
        at.put(host, value)
    }

    fn remove(&mut self, host: &mut dyn Host, at: At) -> Removed {
        let removed = at.remove(host)?;
        if let Some(before) = self.0.remove(&at.record()) {
            at.put(host, &before)?;
        }
        Ok(removed)
    }
}

/// Is the message whose header came last one that is cut?
#[derive(Default)]
struct BegunIsStored {
    cut: bool,
}

impl InputBug for BegunIsStored {
    fn header(&mut self, phase: Phase, header: &mut RawHeader) -> Reading {
        self.cut = phase == Phase::Open && header.body_len > LONG;
        if self.cut {
            header.body_len /= 2;
            header.correct();
        }
        Reading::Take
    }

    fn body(&mut self, _: &Frame, body: &mut Vec<u8>) -> Reading {
        if self.cut {
            correct_length(body);
        }
        Reading::Take
    }
}

/// Makes the value of a Put as long as what there is of it.
fn correct_length(body: &mut [u8]) -> Option<()> {
    let (_, fields) = body.split_at_mut_checked(ID_LEN + Command::LEN)?;
    let (name, rest) = fields.split_first_chunk_mut()?;
    let name = usize::try_from(u64::from_le_bytes(*name)).ok()?;
    // The key is behind the name.
    let (_, rest) = rest.split_at_mut_checked(name.checked_add(8)?)?;
    let (length, value) = rest.split_first_chunk_mut()?;
    *length = (value.len() as u64).to_le_bytes();
    Some(())
}
