//! Bugs of GetAll, and of the control messages that it shares with Mirror.

use std::collections::BTreeMap;

use bytes::Bytes;
use dht_protocol::Key;
use dht_protocol::neo::RequestId;
use dht_protocol::neo::batch::{self, GetAllBatch};
use dht_protocol::neo::request::RequestCode;
use dht_protocol::neo::request::control::{ACK, Control};
use dht_protocol::neo::request::get_all::{FromNode, Open};

use crate::bugs::Bug;
use crate::bugs::seam::{Fate, Message, MessageBug, Seam};
use crate::node::ConnectionId;

/// The type of Finished.
const FINISHED: u8 = 8;

pub(super) static BUGS: &[Bug] = &[
    Bug {
        name: "get-all-loses-last-of-batch",
        description: "GetAll leaves out the last record of every batch.",
        breaks: "P44",
        seam: Seam::Leaving(|| {
            Box::new(|message: &Message<'_>| in_batch(message, |records| _ = records.pop()))
        }),
    },
    Bug {
        name: "get-all-repeats-record",
        description: "GetAll sends the first record of every batch twice.",
        breaks: "P45",
        seam: Seam::Leaving(|| {
            Box::new(|message: &Message<'_>| {
                in_batch(message, |records| records.extend(records.first().cloned()))
            })
        }),
    },
    Bug {
        name: "get-all-swaps-values",
        description: "GetAll sends the values of a batch with the wrong keys.",
        breaks: "P46",
        seam: Seam::Leaving(|| {
            Box::new(|message: &Message<'_>| {
                in_batch(message, |records| {
                    let mut values: Vec<Bytes> =
                        records.iter().map(|(_, value)| value.clone()).collect();
                    let by = values.len().min(1);
                    values.rotate_left(by);
                    for ((_, value), other) in records.iter_mut().zip(values) {
                        *value = other;
                    }
                })
            })
        }),
    },
    Bug {
        name: "get-all-stops-at-500",
        description: "GetAll sends no more than 500 records.",
        breaks: "P44",
        seam: Seam::Leaving(|| Box::new(StopsAt500::default())),
    },
    Bug {
        name: "get-all-repeats-after-resume",
        description: "After an Ack GetAll sends the batch before it again.",
        breaks: "P45",
        seam: Seam::Leaving(|| Box::new(RepeatsAfterAck::default())),
    },
    Bug {
        name: "get-all-ignores-filter",
        description: "GetAll sends records that the filter should have held back.",
        breaks: "P47",
        seam: Seam::Arriving(|| {
            Box::new(|message: &Message<'_>| {
                opened(message, |open| open.settings.value_filter = Bytes::new())
            })
        }),
    },
    Bug {
        name: "get-all-sends-values-for-keys",
        description: "GetAll sends whole records although only keys were asked for.",
        breaks: "P48",
        seam: Seam::Arriving(|| {
            Box::new(|message: &Message<'_>| {
                opened(message, |open| open.settings.keys_only = false)
            })
        }),
    },
    Bug {
        name: "get-all-continues-from-start",
        description: "GetAll that should go on behind a key begins at the start.",
        breaks: "P45",
        seam: Seam::Arriving(|| {
            Box::new(|message: &Message<'_>| opened(message, |open| open.continue_from = None))
        }),
    },
    Bug {
        name: "get-all-starts-unsuspended",
        description: "GetAll that should start suspended does not.",
        breaks: "neo-requests 2.8",
        seam: Seam::Arriving(|| {
            Box::new(|message: &Message<'_>| opened(message, |open| open.start_suspended = false))
        }),
    },
    Bug {
        name: "get-all-never-finishes",
        description: "GetAll sends no Finished.",
        breaks: "P03",
        seam: Seam::Leaving(|| {
            Box::new(|message: &Message<'_>| {
                match message.has_type(RequestCode::GetAll, FINISHED) {
                    true => Fate::lost(),
                    false => Fate::Pass,
                }
            })
        }),
    },
    Bug {
        name: "suspend-ignored",
        description: "Suspend is acknowledged, and data go on.",
        breaks: "P31",
        seam: Seam::Arriving(|| {
            Box::new(|message: &Message<'_>| misheard(message, Control::Suspend))
        }),
    },
    Bug {
        name: "stop-ignored",
        description: "Stop is acknowledged, and the request goes on.",
        breaks: "P30",
        seam: Seam::Arriving(|| Box::new(|message: &Message<'_>| misheard(message, Control::Stop))),
    },
    Bug {
        name: "control-not-acknowledged",
        description: "Suspend, Resume and Stop are obeyed and not acknowledged.",
        breaks: "P28",
        seam: Seam::Leaving(|| {
            Box::new(|message: &Message<'_>| match is_ack(message) {
                true => Fate::lost(),
                false => Fate::Pass,
            })
        }),
    },
];

/// Changes the records of a batch; batches of keys alone stay as they are.
fn in_batch(message: &Message<'_>, change: impl FnOnce(&mut Vec<(Key, Bytes)>)) -> Fate {
    let Some(mut records) = records(message) else {
        return Fate::Pass;
    };
    change(&mut records);
    Fate::changed(batch_of(&records))
}

fn records(message: &Message<'_>) -> Option<Vec<(Key, Bytes)>> {
    let opening = Open::decode(message.opening.get(2..)?).ok()?;
    if !message.is(RequestCode::GetAll) || message.number == 0 || opening.settings.keys_only {
        return None;
    }
    match FromNode::decode(message.payload) {
        Ok(FromNode::RecordBatch(block)) => batch::decode_records(&block).ok(),
        _ => None,
    }
}

fn batch_of(records: &[(Key, Bytes)]) -> Vec<u8> {
    let mut batch = GetAllBatch::default();
    for (key, value) in records {
        // What does not fit any more is lost; the node is wrong anyway.
        let _ = batch.push(*key, value);
    }
    let mut payload = Vec::new();
    FromNode::RecordBatch(batch.finish().into()).encode(&mut payload);
    payload
}

/// Changes what the client asks for.
fn opened(message: &Message<'_>, change: impl FnOnce(&mut Open)) -> Fate {
    let fields = message.payload.get(2..);
    match fields.map(Open::decode) {
        Some(Ok(mut open)) if message.is(RequestCode::GetAll) && message.number == 0 => {
            change(&mut open);
            Fate::changed(open.encode())
        }
        _ => Fate::Pass,
    }
}

fn is_stream(message: &Message<'_>) -> bool {
    message.is(RequestCode::GetAll) || message.is(RequestCode::Mirror)
}

fn is_ack(message: &Message<'_>) -> bool {
    is_stream(message) && message.payload == [ACK]
}

/// Takes one control message for Resume.
fn misheard(message: &Message<'_>, control: Control) -> Fate {
    match is_stream(message) && message.number > 0 && message.payload == [control as u8] {
        true => Fate::changed([Control::Resume as u8]),
        false => Fate::Pass,
    }
}

#[derive(Default)]
struct StopsAt500 {
    sent: BTreeMap<(ConnectionId, RequestId), usize>,
}

impl MessageBug for StopsAt500 {
    fn meet(&mut self, message: &Message<'_>) -> Fate {
        let id = (message.connection, message.id);
        if message.number == 0 {
            self.sent.remove(&id);
        }
        let sent = self.sent.get(&id).copied().unwrap_or_default();
        in_batch(message, |records| {
            records.truncate(500 - sent);
            self.sent.insert(id, sent + records.len());
        })
    }
}

#[derive(Default)]
struct RepeatsAfterAck {
    last: BTreeMap<(ConnectionId, RequestId), Last>,
}

#[derive(Default)]
struct Last {
    batch: Vec<u8>,
    acknowledged: bool,
}

impl MessageBug for RepeatsAfterAck {
    fn meet(&mut self, message: &Message<'_>) -> Fate {
        if !message.is(RequestCode::GetAll) {
            return Fate::Pass;
        }
        let id = (message.connection, message.id);
        if message.has_type(RequestCode::GetAll, FINISHED) {
            self.last.remove(&id);
            return Fate::Pass;
        }
        let last = self.last.entry(id).or_default();
        if is_ack(message) {
            last.acknowledged = true;
        } else if records(message).is_some() {
            let before = std::mem::replace(&mut last.batch, message.payload.to_vec());
            if std::mem::take(&mut last.acknowledged) && !before.is_empty() {
                return Fate::Instead(vec![before, message.payload.to_vec()]);
            }
        }
        Fate::Pass
    }
}
