//! Bugs of single GetAlls: how they are controlled, how they end, what is in their batches, and what becomes
//! of them when their channel changes.

use bytes::Bytes;
use dht_protocol::Key;
use dht_protocol::lzo;
use dht_protocol::neo::RequestId;
use dht_protocol::neo::batch::{LIMIT, MAX_VALUE};
use dht_protocol::neo::request::control::{ACK, Control};
use dht_protocol::neo::request::get_all::{FromNode, Open};
use dht_protocol::neo::request::{ChannelId, Host, HostError, RequestCode};

use crate::bugs::Bug;
use crate::bugs::seam::{Call, Fate, HostBug, Message, Seam};
use crate::bugs::wire::{Frame, InputBug, Reading, request_id};

const GET_ALL: RequestCode = RequestCode::GetAll;
/// The types of RecordBatch and Finished.
const BATCH: u8 = 7;
const FINISHED: u8 = 8;
/// Bytes of a key with its length.
const KEY: usize = 16;

pub(super) static BUGS: &[Bug] = &[
    Bug {
        name: "get-all-acknowledges-twice",
        description: "A GetAll acknowledges each control message twice.",
        breaks: "NEO-CTL-02",
        seam: Seam::Leaving(|| {
            Box::new(
                |message: &Message<'_>| match message.has_type(GET_ALL, ACK) {
                    true => Fate::twice(message),
                    false => Fate::Pass,
                },
            )
        }),
    },
    Bug {
        name: "get-all-acknowledges-behind-finished",
        description: "A GetAll sends an Ack behind Finished.",
        breaks: "NEO-CTL-14",
        seam: Seam::Leaving(|| {
            Box::new(
                |message: &Message<'_>| match message.has_type(GET_ALL, FINISHED) {
                    true => Fate::Instead(vec![message.payload.to_vec(), vec![ACK]]),
                    false => Fate::Pass,
                },
            )
        }),
    },
    Bug {
        name: "get-all-starves-control",
        description: "A GetAll does not look at control messages while it has records.",
        breaks: "NEO-CTL-10",
        seam: Seam::Arriving(|| {
            Box::new(|message: &Message<'_>| match is_control(message) {
                true => Fate::lost(),
                false => Fate::Pass,
            })
        }),
    },
    Bug {
        name: "get-all-control-closes",
        description: "A control message for a GetAll closes the connection.",
        breaks: "NEO-CTL-16",
        seam: Seam::Arriving(|| {
            Box::new(|message: &Message<'_>| match is_control(message) {
                true => Fate::Close,
                false => Fate::Pass,
            })
        }),
    },
    Bug {
        name: "get-all-second-resume-counts",
        description: "A second control message for a GetAll resumes it, whatever it is.",
        breaks: "NEO-CTL-08",
        seam: Seam::Arriving(|| {
            Box::new(|message: &Message<'_>| match is_control(message) {
                true if message.number > 1 => Fate::changed([Control::Resume as u8]),
                _ => Fate::Pass,
            })
        }),
    },
    Bug {
        name: "get-all-second-control-ends",
        description: "A GetAll ends with the second of its control messages, which it acknowledges.",
        breaks: "NEO-CTL-09",
        seam: Seam::Arriving(|| {
            Box::new(|message: &Message<'_>| match is_control(message) {
                true if message.number == 2 => Fate::changed([Control::Stop as u8]),
                _ => Fate::Pass,
            })
        }),
    },
    Bug {
        name: "get-all-control-for-first",
        description: "Control messages on a connection reach its first GetAll, whatever their id is.",
        breaks: "NEO-CTL-11",
        seam: Seam::Input(|| Box::new(ForFirst::default())),
    },
    Bug {
        name: "get-all-end-not-over",
        description: "A GetAll does not end with the Ack of Finished.",
        breaks: "NEO-CTL-17",
        seam: Seam::Arriving(|| {
            Box::new(|message: &Message<'_>| {
                match message.is(GET_ALL) && message.number > 0 && message.payload == [ACK] {
                    true => Fate::lost(),
                    false => Fate::Pass,
                }
            })
        }),
    },
    Bug {
        name: "get-all-alone",
        description: "While a GetAll waits for the Ack of Finished, a request for a single record closes \
                      the connection.",
        breaks: "NEO-CTL-18",
        seam: Seam::Arriving(|| {
            Box::new(|message: &Message<'_>| {
                let opens = message.is(RequestCode::Exists) && message.number == 0;
                match opens && message.running.any(GET_ALL) {
                    true => Fate::Close,
                    false => Fate::Pass,
                }
            })
        }),
    },
    Bug {
        name: "get-all-surplus-control-resumes",
        description: "A control message for a GetAll with bytes behind it is taken for Resume.",
        breaks: "NEO-REQ-16",
        seam: Seam::Arriving(|| {
            Box::new(|message: &Message<'_>| {
                let surplus = message.payload.len() > 1 && message.number > 0;
                match message.is(GET_ALL) && surplus {
                    true => Fate::changed([Control::Resume as u8]),
                    false => Fate::Pass,
                }
            })
        }),
    },
    Bug {
        name: "get-all-surplus-control-ends",
        description: "A control message for a GetAll with bytes behind it ends it with Finished.",
        breaks: "NEO-REQ-16",
        seam: Seam::Leaving(|| {
            Box::new(
                |message: &Message<'_>| match message.has_type(GET_ALL, ACK) {
                    true => Fate::changed([FINISHED]),
                    false => Fate::Pass,
                },
            )
        }),
    },
    Bug {
        name: "get-all-continues-unasked",
        description: "GetAll goes on behind the key of its first message although that is not asked for.",
        breaks: "NEO-GETALL-19",
        seam: Seam::Arriving(|| Box::new(continues_unasked)),
    },
    Bug {
        name: "get-all-continues-with-key",
        description: "GetAll that should go on behind a key begins with it.",
        breaks: "NEO-GETALL-17",
        seam: Seam::Arriving(|| {
            Box::new(|message: &Message<'_>| {
                continues_behind(message, |key| Key(key.0.saturating_sub(1)))
            })
        }),
    },
    Bug {
        name: "get-all-continues-nowhere",
        description: "GetAll that should go on behind a key finishes.",
        breaks: "NEO-GETALL-16",
        seam: Seam::Arriving(|| {
            Box::new(|message: &Message<'_>| continues_behind(message, |_| Key(u64::MAX)))
        }),
    },
    Bug {
        name: "get-all-lost-without-key",
        description: "GetAll finishes when the key that it should go on behind was removed.",
        breaks: "NEO-GETALL-18",
        seam: Seam::Host(|| {
            Box::new(Walks(|host, channel, after| {
                let lost = after.is_some_and(|key| matches!(host.get(channel, key), Ok(None)));
                match lost {
                    true => None,
                    false => host.record_after(channel, after),
                }
            }))
        }),
    },
    Bug {
        name: "get-all-filter-matches-start",
        description: "The filter of GetAll lets only records pass whose value begins with it.",
        breaks: "NEO-GETALL-14",
        seam: Seam::Leaving(|| {
            Box::new(|message: &Message<'_>| {
                let filter = opening(message).map(|open| open.settings.value_filter);
                let filter = filter.unwrap_or_default();
                in_records(message, |records| {
                    records.retain(|(_, value)| value.starts_with(&filter));
                })
            })
        }),
    },
    Bug {
        name: "get-all-filter-passes-nothing",
        description: "No record passes a filter of GetAll.",
        breaks: "NEO-GETALL-14",
        seam: Seam::Leaving(|| {
            Box::new(|message: &Message<'_>| {
                let filter = opening(message).map(|open| open.settings.value_filter);
                match filter.is_some_and(|filter| !filter.is_empty()) {
                    true => in_plain(message, Vec::clear),
                    false => Fate::Pass,
                }
            })
        }),
    },
    Bug {
        name: "get-all-loses-last-key",
        description: "GetAll with keys_only leaves out the last key of every batch.",
        breaks: "NEO-GETALL-11",
        seam: Seam::Leaving(|| {
            Box::new(|message: &Message<'_>| match is_keys_only(message) {
                true => in_plain(message, |plain| {
                    plain.truncate(plain.len().saturating_sub(KEY));
                }),
                false => Fate::Pass,
            })
        }),
    },
    Bug {
        name: "get-all-drops-largest",
        description: "GetAll leaves out values of more than 65,500 bytes.",
        breaks: "NEO-GETALL-08",
        seam: Seam::Leaving(|| {
            Box::new(|message: &Message<'_>| {
                in_records(message, |records| {
                    records.retain(|(_, value)| value.len() <= 65_500);
                })
            })
        }),
    },
    Bug {
        name: "get-all-cuts-oversize",
        description: "GetAll delivers the first 65,512 bytes of values that are longer.",
        breaks: "NEO-GETALL-09",
        seam: Seam::Host(|| {
            Box::new(Walks(|host, channel, after| {
                let (key, value) = host.record_after(channel, after)?;
                Some((key, value.slice(..value.len().min(MAX_VALUE))))
            }))
        }),
    },
    Bug {
        name: "get-all-ends-at-oversize",
        description: "GetAll finishes at a value of more than 65,512 bytes.",
        breaks: "NEO-GETALL-10",
        seam: Seam::Host(|| {
            Box::new(Walks(|host, channel, after| {
                let record = host.record_after(channel, after)?;
                (record.1.len() <= MAX_VALUE).then_some(record)
            }))
        }),
    },
    Bug {
        name: "get-all-strays",
        description: "Behind the last record of a channel GetAll delivers the value that was put \
                      last elsewhere.",
        breaks: "NEO-GETALL-06",
        seam: Seam::Host(|| Box::new(Strays::default())),
    },
    Bug {
        name: "get-all-skips-behind-removed",
        description: "GetAll leaves out the record that came behind the last one that was removed.",
        breaks: "NEO-GETALL-20",
        seam: Seam::Host(|| Box::new(SkipsBehindRemoved::default())),
    },
    Bug {
        name: "get-all-delivers-removed",
        description: "GetAll delivers the record that was removed last, with an empty value.",
        breaks: "NEO-GETALL-25",
        seam: Seam::Host(|| Box::new(DeliversRemoved::default())),
    },
    Bug {
        name: "get-all-repeats-batch",
        description: "GetAll sends every batch twice.",
        breaks: "NEO-GETALL-22",
        seam: Seam::Leaving(|| {
            Box::new(
                |message: &Message<'_>| match message.has_type(GET_ALL, BATCH) {
                    true => Fate::twice(message),
                    false => Fate::Pass,
                },
            )
        }),
    },
    Bug {
        name: "get-all-never-ends",
        description: "GetAll sends empty batches instead of Finished, for ever.",
        breaks: "NEO-GETALL-07",
        seam: Seam::Leaving(|| {
            Box::new(
                |message: &Message<'_>| match message.has_type(GET_ALL, FINISHED) {
                    true => Fate::Instead(vec![batch_of(&[]); 1_000]),
                    false => Fate::Pass,
                },
            )
        }),
    },
    Bug {
        name: "get-all-batch-with-surplus",
        description: "A byte follows the array of a batch of GetAll.",
        breaks: "NEO-BATCH-01",
        seam: Seam::Leaving(|| {
            Box::new(
                |message: &Message<'_>| match message.has_type(GET_ALL, BATCH) {
                    true => Fate::changed([message.payload, &[0]].concat()),
                    false => Fate::Pass,
                },
            )
        }),
    },
    Bug {
        name: "get-all-batch-without-end-mark",
        description: "The streams of GetAll have no end mark.",
        breaks: "NEO-BATCH-02",
        seam: Seam::Leaving(|| {
            Box::new(|message: &Message<'_>| {
                in_block(message, |block| {
                    block.truncate(block.len().saturating_sub(3))
                })
            })
        }),
    },
    Bug {
        name: "get-all-batch-with-wrong-length",
        description: "A batch of GetAll announces one byte more than it holds.",
        breaks: "NEO-BATCH-03",
        seam: Seam::Leaving(|| {
            Box::new(|message: &Message<'_>| {
                in_block(message, |block| {
                    if let Some((length, _)) = block.split_first_chunk_mut::<8>() {
                        *length = (u64::from_le_bytes(*length) + 1).to_le_bytes();
                    }
                })
            })
        }),
    },
    Bug {
        name: "get-all-batch-breaks-off",
        description: "The last record of a batch of GetAll lacks its last byte.",
        breaks: "NEO-BATCH-04",
        seam: Seam::Leaving(|| {
            Box::new(|message: &Message<'_>| in_plain(message, |plain| _ = plain.pop()))
        }),
    },
    Bug {
        name: "get-all-batch-with-bare-keys",
        description: "The keys in a batch of GetAll have no length in front.",
        breaks: "NEO-BATCH-05",
        seam: Seam::Leaving(|| {
            Box::new(|message: &Message<'_>| {
                in_plain(message, |plain| {
                    plain.drain(..plain.len().min(8));
                })
            })
        }),
    },
    Bug {
        name: "get-all-batch-too-long",
        description: "A batch of GetAll has more than 65,536 plain bytes.",
        breaks: "NEO-BATCH-07",
        seam: Seam::Leaving(|| {
            Box::new(|message: &Message<'_>| {
                in_plain(message, |plain| {
                    let times = match plain.len() {
                        0 => 1,
                        length => LIMIT / length + 1,
                    };
                    *plain = plain.repeat(times);
                })
            })
        }),
    },
];

/// Suspend, Resume or Stop for a GetAll.
fn is_control(message: &Message<'_>) -> bool {
    message.is(GET_ALL) && message.number > 0 && matches!(message.payload, [1..=3])
}

/// What the client asked for.
fn opening(message: &Message<'_>) -> Option<Open> {
    Open::decode(message.opening.get(2..)?).ok()
}

fn is_keys_only(message: &Message<'_>) -> bool {
    opening(message).is_some_and(|open| open.settings.keys_only)
}

/// Changes the block of a batch that leaves.
fn in_block(message: &Message<'_>, change: impl FnOnce(&mut Vec<u8>)) -> Fate {
    if !message.has_type(GET_ALL, BATCH) {
        return Fate::Pass;
    }
    let Ok(FromNode::RecordBatch(block)) = FromNode::decode(message.payload) else {
        return Fate::Pass;
    };
    let mut block = block.to_vec();
    change(&mut block);
    let mut payload = Vec::new();
    FromNode::RecordBatch(block.into()).encode(&mut payload);
    Fate::changed(payload)
}

/// Changes the plain bytes of a batch that leaves.
fn in_plain(message: &Message<'_>, change: impl FnOnce(&mut Vec<u8>)) -> Fate {
    in_block(message, |block| {
        if let Ok(mut plain) = lzo::decompress(block, LIMIT) {
            change(&mut plain);
            *block = lzo::compress(&plain);
        }
    })
}

/// Changes the records of a batch that leaves; batches of keys alone stay as they are.
fn in_records(message: &Message<'_>, change: impl FnOnce(&mut Vec<(Key, Bytes)>)) -> Fate {
    if is_keys_only(message) || !message.has_type(GET_ALL, BATCH) {
        return Fate::Pass;
    }
    let Ok(FromNode::RecordBatch(block)) = FromNode::decode(message.payload) else {
        return Fate::Pass;
    };
    let Ok(mut records) = dht_protocol::neo::batch::decode_records(&block) else {
        return Fate::Pass;
    };
    change(&mut records);
    Fate::changed(batch_of(&records))
}

/// A message with these records, as many as fit.
fn batch_of(records: &[(Key, Bytes)]) -> Vec<u8> {
    let mut batch = dht_protocol::neo::batch::GetAllBatch::default();
    for (key, value) in records {
        // They come from one batch, so they fit.
        let _ = batch.push(*key, value);
    }
    let mut payload = Vec::new();
    FromNode::RecordBatch(batch.finish().into()).encode(&mut payload);
    payload
}

fn continues_unasked(message: &Message<'_>) -> Fate {
    // The flag is in front of the key, the keys-only flag and the length of a filter of no bytes.
    const BEHIND: usize = 1 + 8 + 1 + 8;
    let at = message.payload.len().checked_sub(BEHIND);
    let (true, 0, Some(at)) = (message.is(GET_ALL), message.number, at) else {
        return Fate::Pass;
    };
    let mut payload = message.payload.to_vec();
    if payload[at + 1..at + 9] != [0; 8] {
        payload[at] = 1;
    }
    Fate::changed(payload)
}

/// GetAll that goes on behind a key goes on behind another one.
fn continues_behind(message: &Message<'_>, other: impl FnOnce(Key) -> Key) -> Fate {
    match opening(message) {
        Some(mut open) if message.is(GET_ALL) && message.number == 0 => {
            let Some(key) = open.continue_from else {
                return Fate::Pass;
            };
            open.continue_from = Some(other(key));
            Fate::changed(open.encode())
        }
        _ => Fate::Pass,
    }
}

/// Knows the first GetAll of the connection that it saw last.
#[derive(Default)]
struct ForFirst(Option<RequestId>);

impl InputBug for ForFirst {
    fn body(&mut self, _: &Frame, body: &mut Vec<u8>) -> Reading {
        if let Some((id, payload)) = request_id(body) {
            match (payload, self.0) {
                ([1..=3], Some(first)) => body[..8].copy_from_slice(&first.get().to_le_bytes()),
                ([code, 0, _, ..], None) if *code == GET_ALL as u8 => self.0 = Some(id),
                _ => {}
            }
        }
        Reading::Take
    }
}

/// Finds the next record of a channel in another way.
struct Walks(NextRecord);

type NextRecord = fn(&dyn Host, ChannelId, Option<Key>) -> Option<(Key, Bytes)>;

impl HostBug for Walks {
    fn record_after(
        &self,
        host: &dyn Host,
        channel: ChannelId,
        after: Option<Key>,
    ) -> Option<(Key, Bytes)> {
        (self.0)(host, channel, after)
    }
}

/// Remembers the value that was put last.
#[derive(Default)]
struct Strays(Option<(ChannelId, Bytes)>);

impl HostBug for Strays {
    fn put(
        &mut self,
        host: &mut dyn Host,
        _: Call,
        channel: ChannelId,
        key: Key,
        value: &Bytes,
    ) -> Result<(), HostError> {
        self.0 = Some((channel, value.clone()));
        host.put(channel, key, value)
    }

    fn record_after(
        &self,
        host: &dyn Host,
        channel: ChannelId,
        after: Option<Key>,
    ) -> Option<(Key, Bytes)> {
        host.record_after(channel, after).or_else(|| {
            let (elsewhere, value) = self.0.clone()?;
            let last = Key(u64::MAX);
            (elsewhere != channel && after != Some(last)).then_some((last, value))
        })
    }
}

/// Remembers which record came behind the one that was removed last.
#[derive(Default)]
struct SkipsBehindRemoved(Option<(ChannelId, Key)>);

impl HostBug for SkipsBehindRemoved {
    fn remove(
        &mut self,
        host: &mut dyn Host,
        _: Call,
        channel: ChannelId,
        key: Key,
    ) -> Result<bool, HostError> {
        let next = host.record_after(channel, Some(key));
        self.0 = next.map(|(key, _)| (channel, key));
        host.remove(channel, key)
    }

    fn record_after(
        &self,
        host: &dyn Host,
        channel: ChannelId,
        after: Option<Key>,
    ) -> Option<(Key, Bytes)> {
        let (key, value) = host.record_after(channel, after)?;
        match self.0 == Some((channel, key)) {
            true => host.record_after(channel, Some(key)),
            false => Some((key, value)),
        }
    }
}

/// Remembers the record that was removed last.
#[derive(Default)]
struct DeliversRemoved(Option<(ChannelId, Key)>);

impl HostBug for DeliversRemoved {
    fn remove(
        &mut self,
        host: &mut dyn Host,
        _: Call,
        channel: ChannelId,
        key: Key,
    ) -> Result<bool, HostError> {
        self.0 = Some((channel, key));
        host.remove(channel, key)
    }

    fn record_after(
        &self,
        host: &dyn Host,
        channel: ChannelId,
        after: Option<Key>,
    ) -> Option<(Key, Bytes)> {
        let next = host.record_after(channel, after);
        let removed = self.0.filter(|(of, key)| {
            let behind = after.is_none_or(|after| after < *key);
            let before = next.as_ref().is_none_or(|(next, _)| key < next);
            *of == channel && behind && before
        });
        removed.map(|(_, key)| (key, Bytes::new())).or(next)
    }
}
