//! Bugs that only a long run shows: nothing is wrong before so many operations have been done.

use std::cell::Cell;
use std::collections::BTreeMap;

use bytes::Bytes;
use dht_protocol::neo::request::get::Value;
use dht_protocol::neo::request::{RequestCode, exists, get_channels, remove};
use dht_requirements as req;

use super::batch::with_records;
use super::get::is_value;
use super::mirror::is_change;
use super::records::puts;
use crate::bugs::Bug;
use crate::bugs::fate::{Fate, arriving, becoming, leaving, lost};
use crate::bugs::host_bug::{on_list, on_put, on_remove};
use crate::bugs::message::{Message, answer};

pub(super) static BUGS: &[Bug] = &[
    Bug {
        name: "put-every-1024th-lost",
        description: "Every 1,024th Put is acknowledged and not stored.",
        breaks: &req::DATA_PUT_VISIBLE,
        seam: || {
            let mut every = every(1024);
            puts(move |host, at, value| match every() {
                true => Ok(()),
                false => at.put(host, value),
            })
        },
    },
    Bug {
        name: "put-every-300th-stored-next-door",
        description: "Every 300th Put is stored under the key of the Put before.",
        breaks: &req::PUT_REPLACES,
        seam: || {
            let (mut every, mut before) = (every(300), None);
            puts(move |host, at, value| {
                let key = before.replace(at.key).filter(|_| every());
                at.with_key(key.unwrap_or(at.key)).put(host, value)
            })
        },
    },
    Bug {
        name: "update-every-64th-not-stored",
        description: "Every 64th Update that succeeds stores nothing.",
        breaks: &req::DATA_UPDATE_VISIBLE,
        seam: || {
            let mut every = every(64);
            on_put(
                move |host, at, value| match at.by(RequestCode::Update) && every() {
                    true => Ok(()),
                    false => at.put(host, value),
                },
            )
        },
    },
    Bug {
        name: "remove-every-200th-not-done",
        description: "Every 200th Remove that finds a record leaves it there.",
        breaks: &req::REMOVE_GONE,
        seam: || {
            let mut every = every(200);
            on_remove(move |host, at| {
                let found = at.get(host)?.is_some();
                match found && at.by(RequestCode::Remove) && every() {
                    true => Ok(true),
                    false => at.remove(host),
                }
            })
        },
    },
    Bug {
        name: "remove-every-150th-denied",
        description: "Every 150th record that is removed is said not to have existed.",
        breaks: &req::REMOVE_PRESENT,
        seam: || {
            let removed = every_nth(150, answer(remove::Reply::Removed));
            leaving(becoming(removed, |_| Fate::said([remove::Reply::NoRecord])))
        },
    },
    Bug {
        name: "exists-every-250th-wrong",
        description: "Every 250th Exists of a record that is there is answered NoRecord.",
        breaks: &req::DATA_GET_EXISTS_AGREE,
        seam: || {
            let found = every_nth(250, answer(exists::Reply::RecordExists));
            leaving(becoming(found, |_| Fate::said([exists::Reply::NoRecord])))
        },
    },
    Bug {
        name: "get-every-400th-value-of-another",
        description: "Every 400th value that a Get returns is the one that was returned before.",
        breaks: &req::GET_VALUE_EXACT,
        seam: || {
            let (mut every, mut before) = (every(400), None);
            leaving(move |message| {
                if !is_value(message) {
                    return Fate::Pass;
                }
                let before = before.replace(message.payload.to_vec());
                Fate::changed_if(before.filter(|_| every()))
            })
        },
    },
    Bug {
        name: "get-longer-after-3000-requests",
        description: "From the 3,000th request on a Get returns values with a zero byte behind them.",
        breaks: &req::GET_VALUE_EXACT,
        seam: || {
            let mut requests = 0_u64;
            leaving(move |message| {
                requests += u64::from(message.is_first());
                match Value::decode(message.payload) {
                    Ok(Value(value)) if requests >= 3000 && is_value(message) => {
                        let longer = Bytes::from([&value, &[0][..]].concat());
                        Fate::changed(Value(longer).encode())
                    }
                    _ => Fate::Pass,
                }
            })
        },
    },
    Bug {
        name: "answer-lost-after-5000",
        description: "The 5,000th request to a node is not answered.",
        breaks: &req::REQ_ANSWERED,
        seam: || {
            let (mut requests, mut lost_one) = (0_u64, None);
            leaving(lost(move |message| {
                requests += u64::from(message.is_first());
                if message.is_first() && requests == 5000 {
                    lost_one = Some(message.name());
                }
                !message.is_first() && lost_one == Some(message.name())
            }))
        },
    },
    Bug {
        name: "id-4096-forgotten",
        description: "The request with the id 4,096 is not answered.",
        breaks: &req::MUX_ANY_ID,
        seam: || arriving(lost(|message| message.id.get() == 4096)),
    },
    Bug {
        name: "get-all-every-60th-incomplete",
        description: "Every 60th batch of a GetAll lacks its middle record.",
        breaks: &req::GETALL_COMPLETE,
        seam: || {
            let mut every = every(60);
            leaving(move |message| {
                with_records(message, |records| {
                    if !records.is_empty() && every() {
                        records.remove(records.len() / 2);
                    }
                })
            })
        },
    },
    Bug {
        name: "get-channels-every-20th-short",
        description: "Every 20th channel that is listed is left out.",
        breaks: &req::CHANNELS_COMPLETE,
        seam: || {
            let is_name = |message: &Message<'_>| {
                matches!(message.said(), Some(get_channels::FromNode::ChannelName(_)))
            };
            leaving(lost(every_nth(20, is_name)))
        },
    },
    Bug {
        name: "get-channels-every-30th-ends-early",
        description: "Every 30th time that the next channel is looked for none is found.",
        breaks: &req::CHANNELS_COMPLETE,
        seam: || {
            let count = Cell::new(0_u64);
            on_list(move |host, after| {
                count.set(count.get() + 1);
                let next = host.channel_after(after);
                next.filter(|_| !count.get().is_multiple_of(30))
            })
        },
    },
    Bug {
        name: "mirror-tires-of-changes",
        description: "A Mirror reports no more than 40 changes.",
        breaks: &req::MIRROR_EVERY_WRITE,
        seam: || {
            let mut counts = BTreeMap::new();
            leaving(lost(move |message| {
                let count = counts.entry(message.name()).or_insert(0_u64);
                if message.is_first() {
                    *count = 0;
                }
                *count += u64::from(is_change(message));
                *count > 40 && is_change(message)
            }))
        },
    },
];

/// True every so many calls.
fn every(period: u64) -> impl FnMut() -> bool + Send {
    let mut count = 0;
    move || {
        count += 1;
        count % period == 0
    }
}

/// Which messages: every so many of these.
fn every_nth(
    period: u64,
    which: impl Fn(&Message<'_>) -> bool + Send + 'static,
) -> impl FnMut(&Message<'_>) -> bool + Send + 'static {
    let mut every = every(period);
    move |message| which(message) && every()
}
