//! Bugs of what is stored for single records.

use std::collections::BTreeMap;

use bytes::Bytes;
use dht_protocol::Key;
use dht_protocol::neo::request::{ChannelId, Host, HostError, RequestCode};

use crate::bugs::Bug;
use crate::bugs::seam::{Call, HostBug, Seam};

pub(super) static BUGS: &[Bug] = &[
    Bug {
        name: "put-not-stored",
        description: "A Put is acknowledged and not stored.",
        breaks: "P14",
        seam: Seam::Host(|| Box::new(puts(|_, _, _, _, _| Ok(())))),
    },
    Bug {
        name: "put-keeps-old-value",
        description: "A Put of a record that exists is acknowledged, and the old value stays.",
        breaks: "P14",
        seam: Seam::Host(|| {
            Box::new(puts(|host, channel, key, value, _| {
                match host.get(channel, key)? {
                    Some(_) => Ok(()),
                    None => host.put(channel, key, value),
                }
            }))
        }),
    },
    Bug {
        name: "put-every-100th-lost",
        description: "Every hundredth Put is acknowledged and not stored.",
        breaks: "P14",
        seam: Seam::Host(|| {
            Box::new(puts(|host, channel, key, value, number| {
                match number % 100 {
                    99 => Ok(()),
                    _ => host.put(channel, key, value),
                }
            }))
        }),
    },
    Bug {
        name: "put-cuts-large-values",
        description: "Of a value above 65,000 bytes only the first 65,000 are stored.",
        breaks: "P16",
        seam: Seam::Host(|| {
            Box::new(puts(|host, channel, key, value, _| {
                let stored = value.slice(..value.len().min(65_000));
                host.put(channel, key, &stored)
            }))
        }),
    },
    Bug {
        name: "put-drops-empty-values",
        description: "A Put of an empty value is acknowledged and not stored.",
        breaks: "P19",
        seam: Seam::Host(|| {
            Box::new(puts(|host, channel, key, value, _| {
                match value.is_empty() {
                    true => Ok(()),
                    false => host.put(channel, key, value),
                }
            }))
        }),
    },
    Bug {
        name: "keys-cut-to-32-bits",
        description: "Records whose keys agree in the lower 32 bits are the same record.",
        breaks: "semantics-and-client A2",
        seam: Seam::Host(|| Box::new(ShortKeys)),
    },
    Bug {
        name: "get-stale-value",
        description: "A Get returns the value before the last Put.",
        breaks: "P16",
        seam: Seam::Host(|| Box::new(StaleGet::default())),
    },
    Bug {
        name: "remove-keeps-record",
        description: "A Remove is acknowledged and the record stays.",
        breaks: "P20",
        seam: Seam::Host(|| Box::new(RemoveKeeps(RequestCode::Remove))),
    },
];

/// Does something else than to store the records of Puts, which it counts.
struct Counted {
    put: PutRecord,
    number: u64,
}

type PutRecord = fn(&mut dyn Host, ChannelId, Key, &Bytes, number: u64) -> Result<(), HostError>;

fn puts(put: PutRecord) -> Counted {
    Counted { put, number: 0 }
}

impl HostBug for Counted {
    fn put(
        &mut self,
        host: &mut dyn Host,
        call: Call,
        channel: ChannelId,
        key: Key,
        value: &Bytes,
    ) -> Result<(), HostError> {
        if !call.is(RequestCode::Put) {
            return host.put(channel, key, value);
        }
        let number = self.number;
        self.number += 1;
        (self.put)(host, channel, key, value, number)
    }
}

struct ShortKeys;

fn short(key: Key) -> Key {
    Key(key.0 & 0xffff_ffff)
}

impl HostBug for ShortKeys {
    fn put(
        &mut self,
        host: &mut dyn Host,
        _: Call,
        channel: ChannelId,
        key: Key,
        value: &Bytes,
    ) -> Result<(), HostError> {
        host.put(channel, short(key), value)
    }

    fn get(
        &self,
        host: &dyn Host,
        _: Call,
        channel: ChannelId,
        key: Key,
    ) -> Result<Option<Bytes>, HostError> {
        host.get(channel, short(key))
    }

    fn remove(
        &mut self,
        host: &mut dyn Host,
        _: Call,
        channel: ChannelId,
        key: Key,
    ) -> Result<bool, HostError> {
        host.remove(channel, short(key))
    }
}

#[derive(Default)]
struct StaleGet {
    before: BTreeMap<(ChannelId, Key), Bytes>,
}

impl HostBug for StaleGet {
    fn put(
        &mut self,
        host: &mut dyn Host,
        _: Call,
        channel: ChannelId,
        key: Key,
        value: &Bytes,
    ) -> Result<(), HostError> {
        if let Some(before) = host.get(channel, key)? {
            self.before.insert((channel, key), before);
        }
        host.put(channel, key, value)
    }

    fn get(
        &self,
        host: &dyn Host,
        call: Call,
        channel: ChannelId,
        key: Key,
    ) -> Result<Option<Bytes>, HostError> {
        match self.before.get(&(channel, key)) {
            Some(before) if call.is(RequestCode::Get) => Ok(Some(before.clone())),
            _ => host.get(channel, key),
        }
    }

    fn remove(
        &mut self,
        host: &mut dyn Host,
        _: Call,
        channel: ChannelId,
        key: Key,
    ) -> Result<bool, HostError> {
        self.before.remove(&(channel, key));
        host.remove(channel, key)
    }
}

/// Removals by this request are not carried out.
pub(super) struct RemoveKeeps(pub(super) RequestCode);

impl HostBug for RemoveKeeps {
    fn remove(
        &mut self,
        host: &mut dyn Host,
        call: Call,
        channel: ChannelId,
        key: Key,
    ) -> Result<bool, HostError> {
        match call.is(self.0) {
            true => Ok(host.get(channel, key)?.is_some()),
            false => host.remove(channel, key),
        }
    }
}
