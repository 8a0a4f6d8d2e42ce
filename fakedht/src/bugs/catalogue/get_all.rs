//! Bugs of GetAll: which records it delivers, and how often.

use std::collections::BTreeMap;

use bytes::Bytes;
use dht_protocol::Key;
use dht_protocol::neo::batch::MAX_VALUE;
use dht_protocol::neo::request::get_all::{FromNode, Open};
use dht_protocol::neo::request::{ChannelId, Command, Host, RequestCode};
use dht_requirements as req;

use super::batch::{batch_of, in_keys, in_plain, in_records, is_batch, with_records};
use crate::bugs::Bug;
use crate::bugs::fate::{Fate, arriving, becoming, leaving, opened, twice};
use crate::bugs::host_bug::{At, Done, HostBug, Next, RecordId, Removed, host, on_walk};
use crate::bugs::message::{Message, answer};
use crate::bugs::seam::Seam;

const GET_ALL: RequestCode = RequestCode::GetAll;

pub(super) static BUGS: &[Bug] = &[
    Bug {
        name: "get-all-loses-last-of-batch",
        description: "GetAll leaves out the last record of every batch.",
        breaks: &req::GETALL_COMPLETE,
        seam: || in_records(|_, records| _ = records.pop()),
    },
    Bug {
        name: "get-all-stops-at-500",
        description: "GetAll sends no more than 500 records.",
        breaks: &req::GETALL_COMPLETE,
        seam: || {
            let mut sent = BTreeMap::new();
            leaving(move |message| {
                let sent: &mut usize = sent.entry(message.name()).or_default();
                if message.is_first() {
                    *sent = 0;
                }
                with_records(message, |records| {
                    records.truncate(500 - *sent);
                    *sent += records.len();
                })
            })
        },
    },
    Bug {
        name: "get-all-repeats-record",
        description: "GetAll sends the first record of every batch twice.",
        breaks: &req::GETALL_NO_DUPLICATE,
        seam: || in_records(|_, records| records.extend(records.first().cloned())),
    },
    Bug {
        name: "get-all-repeats-after-resume",
        description: "After an Ack GetAll sends the batch before it again.",
        breaks: &req::GETALL_NO_DUPLICATE,
        seam: repeats_after_ack,
    },
    Bug {
        name: "get-all-swaps-values",
        description: "GetAll sends the values of a batch with the wrong keys.",
        breaks: &req::GETALL_VALUES,
        seam: || {
            in_records(|_, records| {
                let values: Vec<Bytes> = records.iter().map(|(_, value)| value.clone()).collect();
                let others = values.into_iter().cycle().skip(1);
                for ((_, value), other) in records.iter_mut().zip(others) {
                    *value = other;
                }
            })
        },
    },
    Bug {
        name: "get-all-strays",
        description: "Behind the last record of a channel GetAll delivers the value that was put \
                      last elsewhere.",
        breaks: &req::GETALL_ONLY_CHANNEL,
        seam: || host(Strays::default()),
    },
    Bug {
        name: "get-all-never-ends",
        description: "GetAll sends empty batches instead of Finished, for ever.",
        breaks: &req::GETALL_ENDS_UNDER_WRITES,
        seam: || {
            leaving(becoming(answer(FromNode::Finished), |_| {
                Fate::said(vec![batch_of(&[]); 1_000])
            }))
        },
    },
    Bug {
        name: "get-all-drops-largest",
        description: "GetAll leaves out values of more than 65,500 bytes.",
        breaks: &req::GETALL_LARGEST_VALUE,
        seam: || in_records(|_, records| records.retain(|(_, value)| value.len() <= 65_500)),
    },
    Bug {
        name: "get-all-cuts-oversize",
        description: "GetAll delivers the first 65,512 bytes of values that are longer.",
        breaks: &req::GETALL_OVERSIZE_WHOLE,
        seam: || {
            on_walk(|host, channel, after| {
                let (key, value) = host.record_after(channel, after)?;
                Some((key, value.slice(..value.len().min(MAX_VALUE))))
            })
        },
    },
    Bug {
        name: "get-all-ends-at-oversize",
        description: "GetAll finishes at a value of more than 65,512 bytes.",
        breaks: &req::GETALL_OVERSIZE_OTHERS,
        seam: || {
            on_walk(|host, channel, after| {
                let next = host.record_after(channel, after);
                next.filter(|(_, value)| value.len() <= MAX_VALUE)
            })
        },
    },
    Bug {
        name: "get-all-loses-last-key",
        description: "GetAll with keys_only leaves out the last key of every batch.",
        breaks: &req::GETALL_KEYS_COMPLETE,
        seam: || in_keys(|keys| _ = keys.pop()),
    },
    Bug {
        name: "get-all-ignores-filter",
        description: "GetAll sends records that the filter should have held back.",
        breaks: &req::GETALL_FILTER_ONLY_MATCHING,
        seam: || opened(|open: &mut Open| open.settings.value_filter = Bytes::new()),
    },
    Bug {
        name: "get-all-filter-matches-start",
        description: "The filter of GetAll lets only records pass whose value begins with it.",
        breaks: &req::GETALL_FILTER_ALL_MATCHING,
        seam: || {
            in_records(|message, records| {
                let filter = filter_of(message);
                records.retain(|(_, value)| value.starts_with(&filter));
            })
        },
    },
    Bug {
        name: "get-all-filter-passes-nothing",
        description: "No record passes a filter of GetAll.",
        breaks: &req::GETALL_FILTER_ALL_MATCHING,
        seam: || {
            in_plain(|message, plain| {
                if !filter_of(message).is_empty() {
                    plain.clear();
                }
            })
        },
    },
    Bug {
        name: "get-all-continues-nowhere",
        description: "GetAll that should go on behind a key finishes.",
        breaks: &req::GETALL_CONTINUE_REST,
        seam: || continues_behind(|_| Some(u64::MAX)),
    },
    Bug {
        name: "get-all-continues-from-start",
        description: "GetAll that should go on behind a key begins at the start.",
        breaks: &req::GETALL_CONTINUE_NO_REPEAT,
        seam: || continues_behind(|_| None),
    },
    Bug {
        name: "get-all-continues-with-key",
        description: "GetAll that should go on behind a key begins with it.",
        breaks: &req::GETALL_CONTINUE_NO_REPEAT,
        seam: || continues_behind(|key| Some(key.saturating_sub(1))),
    },
    Bug {
        name: "get-all-lost-without-key",
        description: "GetAll finishes when the key that it should go on behind was removed.",
        breaks: &req::GETALL_CONTINUE_REMOVED,
        seam: || {
            on_walk(|host, channel, after| {
                let lost = after.is_some_and(|key| matches!(host.get(channel, key), Ok(None)));
                host.record_after(channel, after).filter(|_| !lost)
            })
        },
    },
    Bug {
        name: "get-all-continues-unasked",
        description: "GetAll goes on behind the key of its first message although that is not asked for.",
        breaks: &req::GETALL_CONTINUE_IGNORED,
        seam: || arriving(|message| Fate::changed_if(continuing(message))),
    },
    Bug {
        name: "get-all-skips-behind-removed",
        description: "GetAll leaves out the record that came behind the last one that was removed.",
        breaks: &req::GETALL_REMOVALS_ELSEWHERE,
        seam: || host(SkipsBehindRemoved::default()),
    },
    Bug {
        name: "get-all-repeats-batch",
        description: "GetAll sends every batch twice.",
        breaks: &req::GETALL_INSERTED_ONCE,
        seam: || leaving(twice(is_batch)),
    },
    Bug {
        name: "get-all-delivers-removed",
        description: "GetAll delivers the record that was removed last, with an empty value.",
        breaks: &req::GETALL_NO_PHANTOM,
        seam: || host(DeliversRemoved::default()),
    },
    Bug {
        name: "get-all-starts-unsuspended",
        description: "GetAll that should start suspended does not.",
        breaks: &req::GETALL_START_SUSPENDED,
        seam: || opened(|open: &mut Open| open.start_suspended = false),
    },
];

/// Remembers the last batch of each GetAll, and whether an Ack came behind it.
fn repeats_after_ack() -> Seam {
    let mut last = BTreeMap::new();
    leaving(move |message| match message.said() {
        Some(FromNode::Ack) => {
            last.entry(message.name()).or_insert((None, false)).1 = true;
            Fate::Pass
        }
        Some(FromNode::Finished) => {
            last.remove(&message.name());
            Fate::Pass
        }
        Some(batch @ FromNode::RecordBatch(_)) if !is_keys_only(message) => {
            let now = (Some(batch.clone()), false);
            match last.insert(message.name(), now) {
                Some((Some(before), true)) => Fate::said([before, batch]),
                _ => Fate::Pass,
            }
        }
        _ => Fate::Pass,
    })
}

/// Does the client want keys without values?
pub(super) fn is_keys_only(message: &Message<'_>) -> bool {
    let open = message.opened();
    open.is_some_and(|open: Open| open.settings.keys_only)
}

/// The filter that the client has asked for.
fn filter_of(message: &Message<'_>) -> Bytes {
    let open = message.opened();
    open.map_or(Bytes::new(), |open: Open| open.settings.value_filter)
}

/// GetAll that goes on behind a key goes on behind another one.
fn continues_behind(other: fn(u64) -> Option<u64>) -> Seam {
    opened(move |open: &mut Open| {
        let other = open.continue_from.and_then(|Key(key)| other(key));
        open.continue_from = other.map(Key);
    })
}

/// A first message that asks to go on behind its key if that is not 0, whether it did so or not.
fn continuing(message: &Message<'_>) -> Option<Vec<u8>> {
    if !message.begins(GET_ALL) {
        return None;
    }
    // In front are whether to start suspended and the channel.
    let name = message.fields().get(1..)?.first_chunk()?;
    let name = usize::try_from(u64::from_le_bytes(*name)).ok()?;
    let at = name.checked_add(Command::LEN + 1 + 8)?;
    let mut payload = message.payload.to_vec();
    let (flag, key) = payload.get_mut(at..)?.split_first_mut()?;
    *flag |= u8::from(key.get(..8)? != [0; 8]);
    Some(payload)
}

/// Remembers the value that was put last.
#[derive(Default)]
struct Strays(Option<(ChannelId, Bytes)>);

impl HostBug for Strays {
    fn put(&mut self, host: &mut dyn Host, at: At, value: &Bytes) -> Done {
        self.0 = Some((at.channel, value.clone()));
        at.put(host, value)
    }

    fn record_after(&self, host: &dyn Host, channel: ChannelId, after: Option<Key>) -> Next {
        host.record_after(channel, after).or_else(|| {
            let (elsewhere, value) = self.0.clone()?;
            let last = Key(u64::MAX);
            (elsewhere != channel && after != Some(last)).then_some((last, value))
        })
    }
}

/// Remembers which record came behind the one that was removed last.
#[derive(Default)]
struct SkipsBehindRemoved(Option<RecordId>);

impl HostBug for SkipsBehindRemoved {
    fn remove(&mut self, host: &mut dyn Host, at: At) -> Removed {
        let next = host.record_after(at.channel, Some(at.key));
        self.0 = next.map(|(key, _)| (at.channel, key));
        at.remove(host)
    }

    fn record_after(&self, host: &dyn Host, channel: ChannelId, after: Option<Key>) -> Next {
        let (key, value) = host.record_after(channel, after)?;
        match self.0 == Some((channel, key)) {
            true => host.record_after(channel, Some(key)),
            false => Some((key, value)),
        }
    }
}

/// Remembers the record that was removed last.
#[derive(Default)]
struct DeliversRemoved(Option<RecordId>);

impl HostBug for DeliversRemoved {
    fn remove(&mut self, host: &mut dyn Host, at: At) -> Removed {
        self.0 = Some(at.record());
        at.remove(host)
    }

    fn record_after(&self, host: &dyn Host, channel: ChannelId, after: Option<Key>) -> Next {
        let next = host.record_after(channel, after);
        let removed = self.0.filter(|(of, key)| {
            let behind = after.is_none_or(|after| after < *key);
            let before = next.as_ref().is_none_or(|(next, _)| key < next);
            *of == channel && behind && before
        });
        removed.map(|(_, key)| (key, Bytes::new())).or(next)
    }
}
