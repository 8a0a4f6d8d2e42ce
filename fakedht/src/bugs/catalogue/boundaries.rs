//! Bugs at the edges: of sizes, of the hash range, of batches, of what is empty.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use dht_protocol::Key;
use dht_protocol::neo::batch::MAX_VALUE;
use dht_protocol::neo::request::{ChannelId, Host, RequestCode, get, get_all};
use dht_protocol::{ChannelName, HashRange};
use dht_requirements as req;

use super::batch::{in_records, is_batch, with_records};
use super::records::stores;
use crate::bugs::Bug;
use crate::bugs::fate::{Fate, leaving};
use crate::bugs::host_bug::{
    At, Done, HostBug, Next, RecordId, Removed, host, on_put, on_remove, on_remove_channel,
    on_walk, refused,
};
use crate::bugs::message::Message;
use crate::bugs::seam::Seam;

/// Behind so many records a node might begin another page.
const PAGE: usize = 64;

pub(super) static BUGS: &[Bug] = &[
    Bug {
        name: "values-of-255-cut",
        description: "Of a value of exactly 255 bytes the last one is not stored.",
        breaks: &req::DATA_VALUE_SIZES,
        seam: || {
            stores(|_, value, _| {
                let cut = usize::from(value.len() == 255);
                Ok(value.slice(..value.len() - cut))
            })
        },
    },
    Bug {
        name: "values-of-256-empty",
        description: "A value of exactly 256 bytes is stored as an empty one.",
        breaks: &req::DATA_VALUE_SIZES,
        seam: || {
            stores(|_, value, _| {
                Ok(match value.len() {
                    256 => Bytes::new(),
                    _ => value,
                })
            })
        },
    },
    Bug {
        name: "values-of-65511-refused",
        description: "A Put of a value of exactly 65,511 bytes is answered Error.",
        breaks: &req::DATA_VALUE_SIZES,
        seam: || {
            stores(|_, value, _| match value.len() == MAX_VALUE - 1 {
                true => refused(),
                false => Ok(value),
            })
        },
    },
    Bug {
        name: "values-of-4-kib-as-before",
        description: "A Put of more than 4,000 bytes over a shorter value keeps the shorter one.",
        breaks: &req::PUT_REPLACES,
        seam: || {
            stores(|_, value, before| {
                let stays = before.filter(|before| value.len() > 4000 && before.len() < 4000);
                Ok(stays.unwrap_or(value))
            })
        },
    },
    Bug {
        name: "get-all-loses-behind-full-batch",
        description: "GetAll leaves out the first record that did not fit into a batch any more.",
        breaks: &req::GETALL_COMPLETE,
        seam: loses_behind_full_batch,
    },
    Bug {
        name: "get-all-skips-65th",
        description: "GetAll leaves out the 65th record of a channel.",
        breaks: &req::GETALL_COMPLETE,
        seam: || {
            let mut sent = BTreeMap::new();
            leaving(move |message| {
                let sent = sent.entry(message.name()).or_insert(0);
                if message.is_first() {
                    *sent = 0;
                }
                with_records(message, |records| {
                    let place = (PAGE + 1_usize).checked_sub(*sent + 1);
                    *sent += records.len();
                    if let Some(place) = place.filter(|place| *place < records.len()) {
                        records.remove(place);
                    }
                })
            })
        },
    },
    Bug {
        name: "get-all-value-once-in-batch",
        description: "Of records of a batch whose values are equally long and large GetAll sends one.",
        breaks: &req::GETALL_COMPLETE,
        seam: || {
            in_records(|_, records| {
                let mut lengths = BTreeSet::new();
                records.retain(|(_, value)| value.len() < 100 || lengths.insert(value.len()));
            })
        },
    },
    Bug {
        name: "get-all-filter-misses-end",
        description: "A filter of GetAll does not match at the end of a longer value.",
        breaks: &req::GETALL_FILTER_ALL_MATCHING,
        seam: || {
            in_records(|message, records| {
                let open: Option<get_all::Open> = message.opened();
                let filter = open.map_or(Bytes::new(), |open| open.settings.value_filter);
                records.retain(|(_, value)| {
                    filter.is_empty() || filter.len() == value.len() || !value.ends_with(&filter)
                });
            })
        },
    },
    Bug {
        name: "get-all-blind-in-refilled-channel",
        description: "A record that is put into a channel which had become empty is not in GetAll.",
        breaks: &req::DATA_GET_ALL_AGREE,
        seam: || host(BlindAfterEmpty::default()),
    },
    Bug {
        name: "first-key-not-walked-to",
        description: "GetAll leaves out the record of the first hash if there is another one.",
        breaks: &req::DATA_KEY_EXTREMES,
        seam: || {
            on_walk(|host, channel, after| {
                let next = host.record_after(channel, after)?;
                let other = host.record_after(channel, Some(next.0));
                match is_first(host.range(), next.0) {
                    true => Some(other.unwrap_or(next)),
                    false => Some(next),
                }
            })
        },
    },
    Bug {
        name: "last-key-not-removed",
        description: "A Remove of the record of the last hash is acknowledged and not carried out.",
        breaks: &req::REMOVE_GONE,
        seam: || {
            on_remove(|host, at| {
                let found = at.get(host)?.is_some();
                match found && is_last(host.range(), at.key) {
                    true => Ok(true),
                    false => at.remove(host),
                }
            })
        },
    },
    Bug {
        name: "last-key-update-lost",
        description: "An Update of the record of the last hash stores nothing.",
        breaks: &req::UPDATE_WRITE,
        seam: || {
            on_put(|host, at, value| {
                match at.by(RequestCode::Update) && is_last(host.range(), at.key) {
                    true => Ok(()),
                    false => at.put(host, value),
                }
            })
        },
    },
    Bug {
        name: "last-key-refused-after-first",
        description: "A Get of the last hash directly behind one of the first is answered WrongNode.",
        breaks: &req::REQ_RANGE_MAX_INCLUSIVE,
        seam: last_refused_after_first,
    },
    Bug {
        name: "remove-channel-leaves-last-key",
        description: "RemoveChannel leaves the record of the last hash.",
        breaks: &req::RMCHANNEL_STARTS_EMPTY,
        seam: || {
            on_remove_channel(|host, name| {
                let key = Key(host.range().max().reverse_bits());
                let channel = host.find_channel(name);
                let left = channel.and_then(|channel| host.get(channel, key).ok().flatten());
                host.remove_channel(name)?;
                restore(host, name, left.map(|value| (key, value)))
            })
        },
    },
    Bug {
        name: "remove-channel-leaves-65th",
        description: "RemoveChannel leaves one of more than 64 records.",
        breaks: &req::RMCHANNEL_STARTS_EMPTY,
        seam: || {
            on_remove_channel(|host, name| {
                let left = nth_record(host, name, PAGE);
                host.remove_channel(name)?;
                restore(host, name, left)
            })
        },
    },
    Bug {
        name: "empty-value-in-get-all-ends-it",
        description: "A GetAll ends at an empty value.",
        breaks: &req::DATA_EMPTY_CONSISTENT,
        seam: || {
            on_walk(|host, channel, after| {
                let next = host.record_after(channel, after);
                next.filter(|(_, value)| !value.is_empty())
            })
        },
    },
];

fn is_first(range: HashRange, key: Key) -> bool {
    key.0.reverse_bits() == range.min()
}

fn is_last(range: HashRange, key: Key) -> bool {
    key.0.reverse_bits() == range.max()
}

/// The record of a channel that so many come before.
fn nth_record(host: &dyn Host, name: &ChannelName, place: usize) -> Next {
    let channel = host.find_channel(name)?;
    let mut next = host.record_after(channel, None);
    for _ in 0..place {
        next = host.record_after(channel, Some(next?.0));
    }
    next
}

/// A channel that was removed is there again with this record, if there is one.
fn restore(host: &mut dyn Host, name: &ChannelName, left: Next) -> Done {
    let Some((key, value)) = left else {
        return Ok(());
    };
    let channel = host.open_channel(name)?;
    host.put(channel, key, &value)
}

fn loses_behind_full_batch() -> Seam {
    /// As many bytes as a batch has room for, about.
    const FULL: usize = 40_000;
    let mut full = BTreeMap::new();
    leaving(move |message| {
        if !is_batch(message) {
            return Fate::Pass;
        }
        let full: &mut bool = full.entry(message.name()).or_default();
        with_records(message, |records| {
            if *full && !records.is_empty() {
                records.remove(0);
            }
            let bytes: usize = records.iter().map(|(_, value)| value.len()).sum();
            *full = bytes > FULL;
        })
    })
}

/// Remembers whether the last Get was one of the first hash.
fn last_refused_after_first() -> Seam {
    let mut refuses = BTreeMap::new();
    let mut after_first = false;
    leaving(move |message: &Message<'_>| {
        if !message.is(RequestCode::Get) {
            return Fate::Pass;
        }
        if message.is_first() {
            let key = message
                .opening
                .last_chunk()
                .map(|key| u64::from_le_bytes(*key));
            refuses.insert(message.name(), after_first && key == Some(LAST));
            after_first = key == Some(0);
        }
        match (refuses.get(&message.name()), message.number) {
            (Some(true), 1) => Fate::said([get::Reply::WrongNode]),
            (Some(true), 2..) => Fate::lost(),
            _ => Fate::Pass,
        }
    })
}

/// The key of the last hash of a node with the full range.
const LAST: u64 = u64::MAX;

/// Remembers which channels have become empty, and what was put into them first after that.
#[derive(Default)]
struct BlindAfterEmpty {
    empty: BTreeSet<ChannelId>,
    blind: BTreeSet<RecordId>,
}

impl HostBug for BlindAfterEmpty {
    fn put(&mut self, host: &mut dyn Host, at: At, value: &Bytes) -> Done {
        if self.empty.remove(&at.channel) {
            self.blind.insert(at.record());
        }
        at.put(host, value)
    }

    fn remove(&mut self, host: &mut dyn Host, at: At) -> Removed {
        let removed = at.remove(host)?;
        if removed && host.record_after(at.channel, None).is_none() {
            self.empty.insert(at.channel);
        }
        Ok(removed)
    }

    fn record_after(&self, host: &dyn Host, channel: ChannelId, after: Option<Key>) -> Next {
        let next = host.record_after(channel, after)?;
        match self.blind.contains(&(channel, next.0)) {
            true => host.record_after(channel, Some(next.0)),
            false => Some(next),
        }
    }
}
