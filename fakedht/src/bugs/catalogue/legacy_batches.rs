//! Bugs of the legacy protocol: batches, as they are sent and as they are taken, and Redistribute.

use bytes::Bytes;
use dht_protocol::codec::{Put as _, Reader};
use dht_protocol::legacy::batch::{self, Batch};
use dht_protocol::legacy::{Answer, Command, Incoming, LegacyHost, Order, Status, Violation, is_channel_name};
use dht_protocol::{ChannelName, Key, lzo};
use dht_requirements as req;

use crate::bugs::Bug;
use crate::bugs::legacy::{After, Asked, Instead, on_order, on_said, on_violation, status};
use crate::bugs::seam::Seam;

/// What a batch decompresses to at most.
const PLAIN: usize = batch::MAX_PLAIN;

pub(super) static BUGS: &[Bug] = &[
    Bug {
        name: "legacy-batch-size-wrong",
        description: "A batch says one byte more than it has.",
        breaks: &req::LEG_BATCH_SIZE,
        seam: || {
            on_batches(|block| {
                if let Some(size) = block.first_mut() {
                    *size = size.wrapping_add(1);
                }
            })
        },
    },
    Bug {
        name: "legacy-batch-entry-cut",
        description: "Of the last entry of a batch a byte is missing.",
        breaks: &req::LEG_BATCH_ENTRIES,
        seam: || {
            on_said(|asked, _, bytes| {
                if asked.command() == Command::GetAll {
                    map_batches(bytes, |plain| plain.truncate(plain.len().saturating_sub(1)));
                }
                After::GoOn
            })
        },
    },
    Bug {
        name: "legacy-putbatch-loses-last",
        description: "The last record of a PutBatch is not stored.",
        breaks: &req::LEG_PUTBATCH_STORED,
        seam: || {
            on_records(|_, mut records| {
                records.pop();
                Fate::These(records)
            })
        },
    },
    Bug {
        name: "legacy-putbatch-keeps-old",
        description: "A PutBatch leaves records that are there as they are.",
        breaks: &req::LEG_PUTBATCH_REPLACES,
        seam: || {
            on_order(|host, asked| {
                let Some((channel, mut records)) = put_batch(asked) else {
                    return Instead::Do;
                };
                let id = host.find_channel(&channel);
                let mut seen = std::collections::BTreeSet::new();
                records.retain(|(key, _)| {
                    let there = id.is_some_and(|id| matches!(host.get(id, *key), Ok(Some(_))));
                    !there && seen.insert(*key)
                });
                take(asked, channel, &records);
                Instead::Do
            })
        },
    },
    Bug {
        name: "legacy-putbatch-needs-records",
        description: "A PutBatch without records is answered EmptyValue.",
        breaks: &req::LEG_PUTBATCH_NOTHING,
        seam: || {
            on_records(|_, records| match records.is_empty() {
                true => Fate::Say(Status::EmptyValue),
                false => Fate::These(records),
            })
        },
    },
    Bug {
        name: "legacy-putbatch-limits-values",
        description: "A PutBatch with a value that Put does not store is answered ValueTooBig.",
        breaks: &req::LEG_PUTBATCH_LARGE,
        seam: || {
            on_order(|_, asked| match put_batch(asked) {
                Some((_, records)) if records.iter().any(|(_, value)| value.len() > 65_504) => {
                    status(Status::ValueTooBig)
                }
                _ => Instead::Do,
            })
        },
    },
    Bug {
        name: "legacy-putbatch-own-streams",
        description: "A PutBatch with a stream that this node would not have made closes the connection.",
        breaks: &req::LEG_PUTBATCH_ANY_STREAM,
        seam: || {
            on_order(|_, asked| {
                let Incoming::Order(Order::PutBatch { batch, .. }) = &asked.order else {
                    return Instead::Do;
                };
                match lzo::decompress(batch, PLAIN) {
                    Ok(plain) if lzo::compress(&plain) != *batch => Instead::Close,
                    _ => Instead::Do,
                }
            })
        },
    },
    Bug {
        name: "legacy-putbatch-empty-accepted",
        description: "A PutBatch leaves empty values out, and is answered Ok.",
        breaks: &req::LEG_PUTBATCH_EMPTY,
        seam: || {
            on_records(|_, mut records| {
                records.retain(|(_, value)| !value.is_empty());
                Fate::These(records)
            })
        },
    },
    Bug {
        name: "legacy-putbatch-foreign-accepted",
        description: "A PutBatch leaves records outside the range out, and is answered Ok.",
        breaks: &req::LEG_PUTBATCH_WRONG_NODE,
        seam: || {
            on_records(|host, mut records| {
                records.retain(|(key, _)| host.range().covers(*key));
                Fate::These(records)
            })
        },
    },
    Bug {
        name: "legacy-putbatch-range-first",
        description: "A PutBatch with a key outside the range is answered WrongNode, and nothing of it is stored.",
        breaks: &req::LEG_PUTBATCH_EMPTY_FIRST,
        seam: || {
            on_records(|host, records| {
                let foreign = |(key, _): &(Key, Bytes)| !host.range().covers(*key);
                match records.iter().any(foreign) {
                    true => Fate::Say(Status::WrongNode),
                    false => Fate::These(records),
                }
            })
        },
    },
    Bug {
        name: "legacy-putbatch-empty-anywhere",
        description: "A PutBatch with an empty value is answered EmptyValue, and nothing of it is stored.",
        breaks: &req::LEG_PUTBATCH_FIRST_BAD,
        seam: || {
            on_records(
                |_, records| match records.iter().any(|(_, value)| value.is_empty()) {
                    true => Fate::Say(Status::EmptyValue),
                    false => Fate::These(records),
                },
            )
        },
    },
    Bug {
        name: "legacy-bad-batch-answered",
        description: "A PutBatch with what is no batch is answered Error.",
        breaks: &req::LEG_PUTBATCH_SIZE,
        seam: || {
            on_violation(|violation| match violation {
                Violation::Batch { .. } => status(Status::Error),
                _ => Instead::Close,
            })
        },
    },
    Bug {
        name: "legacy-bad-batch-crashes",
        description: "A PutBatch with what is no batch makes the node crash.",
        breaks: &req::LEG_PUTBATCH_GARBAGE,
        seam: || {
            on_violation(|violation| match violation {
                Violation::Batch { .. } => Instead::Crash,
                _ => Instead::Close,
            })
        },
    },
    Bug {
        name: "legacy-redistribute-refused",
        description: "Redistribute is answered EmptyValue.",
        breaks: &req::LEG_REDIST_SUPPORTED,
        seam: || {
            on_order(|_, asked| match asked.command() {
                Command::Redistribute => status(Status::EmptyValue),
                _ => Instead::Do,
            })
        },
    },
    Bug {
        name: "legacy-redistribute-ignored",
        description: "Redistribute is answered Ok, and nothing is done.",
        breaks: &req::LEG_REDIST_RANGE,
        seam: || {
            on_order(|_, asked| match asked.command() {
                Command::Redistribute => status(Status::Ok),
                _ => Instead::Do,
            })
        },
    },
    Bug {
        name: "legacy-redistribute-answers-early",
        description: "Redistribute is answered Ok before anything is moved.",
        breaks: &req::LEG_REDIST_WAITS,
        seam: || {
            on_order(|host, asked| match &asked.order {
                Incoming::Order(Order::Redistribute(order)) => {
                    let begun = host.redistribute(order);
                    status(begun.map_or(Status::Error, |_| Status::Ok))
                }
                _ => Instead::Do,
            })
        },
    },
    Bug {
        name: "legacy-redistribute-twice",
        description: "A Redistribute that is refused is answered Ok.",
        breaks: &req::LEG_REDIST_ONE,
        seam: || {
            on_said(|asked, _, bytes| {
                if asked.command() == Command::Redistribute {
                    *bytes = crate::bugs::legacy::encoded(&Answer::Status(Status::Ok));
                }
                After::GoOn
            })
        },
    },
    Bug {
        name: "legacy-redistribute-bad-node-accepted",
        description: "A Redistribute with a node of a range that is none is answered Ok, any other too; nothing is done.",
        breaks: &req::LEG_REDIST_BAD_NODE,
        seam: || crate::bugs::legacy::legacy(AcceptsBadNodes),
    },
    Bug {
        name: "legacy-redistribute-drops",
        description: "Redistribute is answered Ok, and all records are removed.",
        breaks: &req::LEG_REDIST_KEEPS,
        seam: || {
            on_order(|host, asked| {
                if asked.command() != Command::Redistribute {
                    return Instead::Do;
                }
                let mut after: Option<ChannelName> = None;
                while let Some(name) = host.channel_after(after.as_ref()) {
                    if let Some(id) = host.find_channel(&name) {
                        while let Some((key, _)) = host.record_after(id, None) {
                            if host.remove(id, key).is_err() {
                                break;
                            }
                        }
                    }
                    after = Some(name);
                }
                status(Status::Ok)
            })
        },
    },
];

struct AcceptsBadNodes;

impl crate::bugs::legacy::LegacyBug for AcceptsBadNodes {
    fn order(&mut self, _: &mut dyn LegacyHost, asked: &mut Asked) -> Instead {
        match asked.command() {
            Command::Redistribute => status(Status::Ok),
            _ => Instead::Do,
        }
    }

    fn violated(&mut self, violation: &Violation) -> Instead {
        match violation {
            Violation::Range { .. } => status(Status::Ok),
            _ => Instead::Close,
        }
    }
}

/// What becomes of the records of a batch.
enum Fate {
    These(Vec<(Key, Bytes)>),
    Say(Status),
}

/// Other records are stored than a PutBatch has, or none.
fn on_records(
    change: impl Fn(&dyn LegacyHost, Vec<(Key, Bytes)>) -> Fate + Send + 'static,
) -> Seam {
    on_order(move |host: &mut dyn LegacyHost, asked: &mut Asked| {
        let Some((channel, records)) = put_batch(asked) else {
            return Instead::Do;
        };
        let before = records.len();
        match change(host, records) {
            Fate::Say(answer) => status(answer),
            Fate::These(records) => {
                // What fits into no batch of ours is left as it is.
                if records.len() != before {
                    take(asked, channel, &records);
                }
                Instead::Do
            }
        }
    })
}

/// The records of a PutBatch in a channel of a good name.
fn put_batch(asked: &Asked) -> Option<(ChannelName, Vec<(Key, Bytes)>)> {
    let Incoming::Order(Order::PutBatch { channel, batch }) = &asked.order else {
        return None;
    };
    let good = is_channel_name(channel);
    let records = batch::decode_records(batch).ok()?;
    good.then(|| (channel.clone(), records))
}

/// These are the records of the PutBatch.
fn take(asked: &mut Asked, channel: ChannelName, records: &[(Key, Bytes)]) {
    let mut batch = Batch::default();
    for (key, value) in records {
        batch.push(*key, value);
    }
    let batch = batch.finish().into();
    asked.order = Incoming::Order(Order::PutBatch { channel, batch });
}

/// Appends a record that nobody has stored, or its key.
pub(super) fn strange(out: &mut Vec<u8>, with_value: bool) {
    out.put_array(b"00000000000000ad");
    if with_value {
        out.put_array(b"strange");
    }
}

/// The batches of GetAll and its like become others.
fn on_batches(change: impl Fn(&mut Vec<u8>) + Send + 'static) -> Seam {
    on_said(move |asked, first, bytes| {
        let concerned = matches!(
            asked.command(),
            Command::GetAll | Command::GetAllKeys | Command::GetAllFilter
        );
        if concerned {
            map_arrays(bytes, first, &change);
        }
        After::GoOn
    })
}

/// The data of the batches in a piece of an answer become others.
pub(super) fn map_batches(bytes: &mut Vec<u8>, change: impl Fn(&mut Vec<u8>)) {
    let first = bytes.first_chunk() == Some(&Status::Ok.code().to_le_bytes());
    map_arrays(bytes, first, |block| {
        if let Ok(mut plain) = lzo::decompress(block, PLAIN) {
            change(&mut plain);
            *block = lzo::compress(&plain);
        }
    });
}

/// The arrays in a piece of an answer become others, but for the empty one at its end.
fn map_arrays(bytes: &mut Vec<u8>, first: bool, change: impl Fn(&mut Vec<u8>)) {
    let status = if first { 4.min(bytes.len()) } else { 0 };
    let mut out = bytes[..status].to_vec();
    let mut reader = Reader::new(&bytes[status..]);
    while let Ok(array) = reader.array("batch") {
        let mut array = array.to_vec();
        if !array.is_empty() {
            change(&mut array);
        }
        out.put_array(&array);
    }
    *bytes = out;
}
