//! Bugs of the layout of batches, and the means to tamper with the batches of GetAll and Mirror.

use bytes::Bytes;
use dht_protocol::Key;
use dht_protocol::codec::Put as _;
use dht_protocol::lzo;
use dht_protocol::neo::batch::{self, GetAllBatch, LIMIT};
use dht_protocol::neo::request::{get_all, mirror};
use dht_requirements as req;

use super::get_all::is_keys_only;
use crate::bugs::Bug;
use crate::bugs::fate::{Fate, leaving, opened, rewritten, with_surplus};
use crate::bugs::message::{FromNode as _, Message};
use crate::bugs::seam::Seam;

pub(super) static BUGS: &[Bug] = &[
    Bug {
        name: "get-all-batch-with-surplus",
        description: "A byte follows the array of a batch of GetAll.",
        breaks: &req::BATCH_FILLS_MESSAGE,
        seam: || leaving(with_surplus(is_batch)),
    },
    Bug {
        name: "get-all-batch-without-end-mark",
        description: "The streams of GetAll have no end mark.",
        breaks: &req::BATCH_LZO,
        seam: || in_block(|_, block| block.truncate(block.len().saturating_sub(3))),
    },
    Bug {
        name: "get-all-batch-with-wrong-length",
        description: "A batch of GetAll announces one byte more than it holds.",
        breaks: &req::BATCH_EXACT_LENGTH,
        seam: || {
            in_block(|_, block| {
                if let Some(length) = block.first_chunk_mut() {
                    *length = (u64::from_le_bytes(*length) + 1).to_le_bytes();
                }
            })
        },
    },
    Bug {
        name: "get-all-batch-breaks-off",
        description: "The last record of a batch of GetAll lacks its last byte.",
        breaks: &req::BATCH_WHOLE_RECORDS,
        seam: || in_plain(|_, plain| _ = plain.pop()),
    },
    Bug {
        name: "get-all-batch-with-bare-keys",
        description: "The keys in a batch of GetAll have no length in front.",
        breaks: &req::BATCH_GETALL_RECORD,
        seam: || in_plain(|_, plain| drop(plain.drain(..plain.len().min(8)))),
    },
    Bug {
        name: "get-all-sends-values-for-keys",
        description: "GetAll sends whole records although only keys were asked for.",
        breaks: &req::BATCH_GETALL_KEY,
        seam: || opened(|open: &mut get_all::Open| open.settings.keys_only = false),
    },
    Bug {
        name: "get-all-batch-too-long",
        description: "A batch of GetAll has more than 65,536 plain bytes.",
        breaks: &req::BATCH_GETALL_LIMIT,
        seam: || {
            in_plain(|_, plain| {
                let times = LIMIT.checked_div(plain.len()).map_or(1, |times| times + 1);
                *plain = plain.repeat(times);
            })
        },
    },
    Bug {
        name: "mirror-refresh-keys-with-length",
        description: "A refresh sends the keys with their length, as GetAll does.",
        breaks: &req::BATCH_REFRESH_RECORD,
        seam: || {
            in_refresh(|records| {
                let mut batch = GetAllBatch::default();
                for (key, value) in records {
                    // What does not fit any more is lost; the node is wrong anyway.
                    let _ = batch.push(key, &value);
                }
                batch.finish()
            })
        },
    },
    Bug {
        name: "mirror-refresh-batches-too-long",
        description: "A refresh sends batches of more than 131,071 bytes.",
        breaks: &req::BATCH_REFRESH_LIMIT,
        seam: || in_refresh(|records| refresh_block(records.into_iter().cycle().take(150_000))),
    },
    Bug {
        name: "mirror-refresh-begins-empty",
        description: "A refresh at the start begins with an empty batch.",
        breaks: &req::BATCH_REFRESH_NOT_EMPTY,
        seam: || {
            leaving(|message| {
                let open = message.opened();
                let asked = open.is_some_and(|open: mirror::Open| open.settings.initial_refresh);
                match message.said() {
                    Some(started @ mirror::FromNode::Started) if asked => {
                        Fate::said([started, refresh_of([])])
                    }
                    _ => Fate::Pass,
                }
            })
        },
    },
];

/// The records of a batch, by their keys.
type Records = Vec<(Key, Bytes)>;

/// Is it a batch of GetAll?
pub(super) fn is_batch(message: &Message<'_>) -> bool {
    matches!(message.said(), Some(get_all::FromNode::RecordBatch(_)))
}

/// Changes the blocks of GetAll.
fn in_block(change: fn(&Message<'_>, &mut Vec<u8>)) -> Seam {
    leaving(move |message| with_block(message, |block| change(message, block)))
}

fn with_block(message: &Message<'_>, change: impl FnOnce(&mut Vec<u8>)) -> Fate {
    match message.said() {
        Some(get_all::FromNode::RecordBatch(block)) => {
            let mut block = block.to_vec();
            change(&mut block);
            Fate::said([get_all::FromNode::RecordBatch(block.into())])
        }
        _ => Fate::Pass,
    }
}

/// Changes the plain bytes of the batches of GetAll.
pub(super) fn in_plain(change: fn(&Message<'_>, &mut Vec<u8>)) -> Seam {
    leaving(move |message| {
        with_block(message, |block| {
            if let Ok(mut plain) = lzo::decompress(block, LIMIT) {
                change(message, &mut plain);
                *block = lzo::compress(&plain);
            }
        })
    })
}

/// Changes the batches of GetAll that hold keys alone.
pub(super) fn in_keys(change: fn(&mut Vec<Key>)) -> Seam {
    leaving(move |message| match is_keys_only(message) {
        true => with_block(message, |block| {
            if let Ok(mut keys) = batch::decode_keys(block) {
                change(&mut keys);
                *block = keys_block(&keys);
            }
        }),
        false => Fate::Pass,
    })
}

fn keys_block(keys: &[Key]) -> Vec<u8> {
    let mut batch = GetAllBatch::default();
    for key in keys {
        // They come from one batch, so they fit.
        let _ = batch.push_key(*key);
    }
    batch.finish()
}

/// Changes the records of the batches of GetAll; batches of keys alone stay as they are.
pub(super) fn in_records(change: fn(&Message<'_>, &mut Records)) -> Seam {
    leaving(move |message| with_records(message, |records| change(message, records)))
}

/// The message with other records, if it is such a batch.
pub(super) fn with_records(message: &Message<'_>, change: impl FnOnce(&mut Records)) -> Fate {
    let records = match message.said() {
        Some(get_all::FromNode::RecordBatch(block)) if !is_keys_only(message) => {
            batch::decode_records(&block)
        }
        _ => return Fate::Pass,
    };
    let Ok(mut records) = records else {
        return Fate::Pass;
    };
    change(&mut records);
    Fate::said([batch_of(&records)])
}

/// A batch of GetAll with these records, as many as fit.
pub(super) fn batch_of(records: &[(Key, Bytes)]) -> get_all::FromNode {
    let mut batch = GetAllBatch::default();
    for (key, value) in records {
        // What does not fit any more is lost; the node is wrong anyway.
        let _ = batch.push(*key, value);
    }
    get_all::FromNode::RecordBatch(batch.finish().into())
}

/// Sends another block than the one of a refresh.
fn in_refresh(change: fn(Records) -> Vec<u8>) -> Seam {
    leaving(rewritten(move |said| match said {
        mirror::FromNode::RecordRefreshBatch(block) => {
            let block = change(batch::decode_refresh(&block).ok()?);
            Some(mirror::FromNode::RecordRefreshBatch(block.into()).payload())
        }
        _ => None,
    }))
}

/// Changes the records of refreshes.
pub(super) fn in_refreshed(change: fn(&mut Records)) -> Seam {
    leaving(rewritten(move |said| match said {
        mirror::FromNode::RecordRefreshBatch(block) => {
            let mut records = batch::decode_refresh(&block).ok()?;
            change(&mut records);
            Some(refresh_of(records).payload())
        }
        _ => None,
    }))
}

/// A batch of a refresh.
pub(super) fn refresh_of(records: impl IntoIterator<Item = (Key, Bytes)>) -> mirror::FromNode {
    mirror::FromNode::RecordRefreshBatch(refresh_block(records).into())
}

/// The block of a refresh, however long.
fn refresh_block(records: impl IntoIterator<Item = (Key, Bytes)>) -> Vec<u8> {
    let mut plain = Vec::new();
    for (key, value) in records {
        plain.put_u64(key.0);
        plain.put_array(&value);
        // Longer than any client takes.
        if plain.len() > 200_000 {
            break;
        }
    }
    lzo::compress(&plain)
}
