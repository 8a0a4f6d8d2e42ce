//! Bugs of what records mean: when writes are seen, and which keys and values there are.

use std::collections::BTreeMap;

use bytes::Bytes;
use dht_protocol::Key;
use dht_protocol::neo::batch::MAX_VALUE;
use dht_protocol::neo::request::get::Value;
use dht_protocol::neo::request::{Host, HostError, RecordName, RequestCode, put, update};
use dht_requirements as req;

use super::get::is_value;
use crate::bugs::Bug;
use crate::bugs::fate::{Fate, MessageBug, leaving, lost};
use crate::bugs::host_bug::{
    At, Done, Found, HostBug, RecordId, Removed, host, on_get, on_put, refused,
};
use crate::bugs::message::Message;
use crate::bugs::seam::Seam;

const GET: RequestCode = RequestCode::Get;

pub(super) static BUGS: &[Bug] = &[
    Bug {
        name: "put-not-stored",
        description: "A Put is acknowledged and not stored.",
        breaks: &req::DATA_PUT_VISIBLE,
        seam: || puts(|_, _, _| Ok(())),
    },
    Bug {
        name: "put-every-100th-lost",
        description: "Every hundredth Put is acknowledged and not stored.",
        breaks: &req::DATA_PUT_VISIBLE,
        seam: || {
            let mut count = 0u64;
            puts(move |host, at, value| {
                count += 1;
                match count.is_multiple_of(100) {
                    true => Ok(()),
                    false => at.put(host, value),
                }
            })
        },
    },
    Bug {
        name: "put-drops-empty-values",
        description: "A Put of an empty value is acknowledged and not stored.",
        breaks: &req::DATA_PUT_VISIBLE,
        seam: || {
            puts(|host, at, value| match value.is_empty() {
                true => Ok(()),
                false => at.put(host, value),
            })
        },
    },
    Bug {
        name: "get-stale-value",
        description: "A Get returns the value before the last Put.",
        breaks: &req::DATA_PUT_VISIBLE,
        seam: || host(StaleGet::default()),
    },
    Bug {
        name: "keys-extreme-refused",
        description: "A Put of one of the keys 0, 2^63 and 2^64 - 1 is answered Error.",
        breaks: &req::DATA_KEY_EXTREMES,
        seam: || {
            stores(|key, value, _| match key.0 {
                0 | 0x8000_0000_0000_0000 | u64::MAX => refused(),
                _ => Ok(value),
            })
        },
    },
    Bug {
        name: "keys-cut-to-32-bits",
        description: "Records whose keys agree in the lower 32 bits are the same record.",
        breaks: &req::DATA_KEY_ALL_BITS,
        seam: || {
            host(Masked {
                mask: 0xffff_ffff,
                removes: true,
            })
        },
    },
    Bug {
        name: "keys-without-low-byte",
        description: "Records whose keys differ in the lowest eight bits only are the same record.",
        breaks: &req::DATA_KEY_ALL_BITS,
        seam: || {
            host(Masked {
                mask: !0xff,
                removes: false,
            })
        },
    },
    Bug {
        name: "values-large-refused",
        description: "A Put of more than 65,512 bytes is answered Error.",
        breaks: &req::DATA_VALUE_LARGE,
        seam: || {
            stores(|_, value, _| match value.len() > MAX_VALUE {
                true => refused(),
                false => Ok(value),
            })
        },
    },
    Bug {
        name: "put-cuts-large-values",
        description: "Of a value above 65,000 bytes only the first 65,000 are stored.",
        breaks: &req::DATA_VALUE_LARGE_WHOLE,
        seam: || stores(|_, value, _| Ok(value.slice(..value.len().min(65_000)))),
    },
    Bug {
        name: "values-cut-at-nul",
        description: "A value is stored up to its first zero byte.",
        breaks: &req::DATA_VALUE_OPAQUE,
        seam: || {
            stores(|_, value, _| {
                let end = value.iter().position(|byte| *byte == 0);
                Ok(value.slice(..end.unwrap_or(value.len())))
            })
        },
    },
    Bug {
        name: "values-as-text",
        description: "What is no UTF-8 in a value is replaced.",
        breaks: &req::DATA_VALUE_OPAQUE,
        seam: || stores(|_, value, _| Ok(String::from_utf8_lossy(&value).into_owned().into())),
    },
    Bug {
        name: "values-trimmed",
        description: "A value is stored without the blanks around it.",
        breaks: &req::DATA_VALUE_OPAQUE,
        seam: || stores(|_, value, _| Ok(Bytes::copy_from_slice(value.trim_ascii()))),
    },
    Bug {
        name: "empty-value-closes",
        description: "A request for a record with an empty value makes the node close the connection.",
        breaks: &req::DATA_EMPTY_HARMLESS,
        seam: || Seam::Arriving(of_empty_values(Fate::Close)),
    },
    Bug {
        name: "empty-value-ignored",
        description: "A request for a record with an empty value is ignored.",
        breaks: &req::DATA_EMPTY_ANSWERED,
        seam: || Seam::Arriving(of_empty_values(Fate::lost())),
    },
    Bug {
        name: "empty-value-not-sent",
        description: "A Get of an empty value says that there is one and does not send it.",
        breaks: &req::DATA_EMPTY_ANSWERED,
        seam: || {
            let empty = Value(Bytes::new()).encode();
            leaving(lost(move |message| {
                is_value(message) && message.payload == empty
            }))
        },
    },
    Bug {
        name: "empty-value-no-get",
        description: "A Get does not find a record with an empty value, other requests do.",
        breaks: &req::DATA_EMPTY_CONSISTENT,
        seam: || {
            on_get(|host, at| {
                let value = at.get(host)?;
                Ok(value.filter(|value| !at.by(GET) || !value.is_empty()))
            })
        },
    },
    Bug {
        name: "empty-value-sticks",
        description: "An empty value is not replaced by a Put.",
        breaks: &req::DATA_EMPTY_OVERWRITTEN,
        seam: || stores(|_, value, before| Ok(before.filter(Bytes::is_empty).unwrap_or(value))),
    },
    Bug {
        name: "empty-value-filled",
        description: "An empty value is stored as a zero byte.",
        breaks: &req::DATA_EMPTY_DIALECT,
        seam: || {
            stores(|_, value, _| match value.is_empty() {
                true => Ok(Bytes::from_static(&[0])),
                false => Ok(value),
            })
        },
    },
];

/// The records of Puts are stored in another way.
pub(super) fn puts(put: impl FnMut(&mut dyn Host, At, &Bytes) -> Done + Send + 'static) -> Seam {
    let mut put = put;
    on_put(move |host, at, value| match at.by(RequestCode::Put) {
        true => put(host, at, value),
        false => at.put(host, value),
    })
}

/// What is stored when this value is put where that one was.
type Store = fn(Key, Bytes, Option<Bytes>) -> Result<Bytes, HostError>;

/// Puts store something else, or nothing.
pub(super) fn stores(store: Store) -> Seam {
    puts(move |host, at, value| {
        let before = at.get(host)?;
        at.put(host, &store(at.key, value.clone(), before)?)
    })
}

/// The values that records had before.
#[derive(Default)]
struct StaleGet(BTreeMap<RecordId, Bytes>);

impl HostBug for StaleGet {
    fn put(&mut self, host: &mut dyn Host, at: At, value: &Bytes) -> Done {
        if let Some(before) = at.get(host)? {
            self.0.insert(at.record(), before);
        }
        at.put(host, value)
    }

    fn get(&self, host: &dyn Host, at: At) -> Found {
        match self.0.get(&at.record()) {
            Some(before) if at.by(GET) => Ok(Some(before.clone())),
            _ => at.get(host),
        }
    }

    fn remove(&mut self, host: &mut dyn Host, at: At) -> Removed {
        self.0.remove(&at.record());
        at.remove(host)
    }
}

/// Only these bits of a key count, also for removals if `removes`.
struct Masked {
    mask: u64,
    removes: bool,
}

impl Masked {
    fn masked(&self, at: At) -> At {
        at.with_key(Key(at.key.0 & self.mask))
    }
}

impl HostBug for Masked {
    fn put(&mut self, host: &mut dyn Host, at: At, value: &Bytes) -> Done {
        self.masked(at).put(host, value)
    }

    fn get(&self, host: &dyn Host, at: At) -> Found {
        self.masked(at).get(host)
    }

    fn remove(&mut self, host: &mut dyn Host, at: At) -> Removed {
        match self.removes {
            true => self.masked(at).remove(host),
            false => at.remove(host),
        }
    }
}

/// This happens to requests for records with an empty value, which Puts have stored.
fn of_empty_values(fate: Fate) -> MessageBug {
    let mut empty: Vec<RecordName> = Vec::new();
    Box::new(move |message| {
        if let Some(open) = message.opens::<put::Open>()
            && open.value.is_empty()
        {
            empty.push(open.record);
            return Fate::Pass;
        }
        match record_of(message).is_some_and(|record| empty.contains(&record)) {
            true => fate.clone(),
            false => Fate::Pass,
        }
    })
}

/// The record that a request other than Put is for, by its first message.
fn record_of(message: &Message<'_>) -> Option<RecordName> {
    match message.request? {
        _ if !message.is_first() => None,
        RequestCode::Update => match message.opens()? {
            update::Open::GetRecord(record) => Some(record),
            update::Open::UpdateRecord(..) => None,
        },
        RequestCode::Get | RequestCode::Exists | RequestCode::Remove => {
            RecordName::decode_fields(message.fields()).ok()
        }
        _ => None,
    }
}
