//! Bugs of the legacy protocol that no list of checks would find: they show only now and then, or in what the
//! other protocol does with what is left.

use bytes::Bytes;
use dht_protocol::legacy::batch::{Batch, decode_records};
use dht_protocol::legacy::{Incoming, LegacyHost, Order, Status};
use dht_requirements as req;

use super::legacy_storage::{good_put, put_quietly};
use crate::bugs::Bug;
use crate::bugs::legacy::{Asked, Instead, on_order, status};

pub(super) static BUGS: &[Bug] = &[
    Bug {
        name: "legacy-put-every-12th-tells-nobody",
        description: "Every 12th legacy Put is told to nobody who follows the channel.",
        breaks: &req::LEG_BOTH_MIRROR_PUT,
        seam: || {
            let mut every = every(12);
            on_order(move |host, asked| match good_put(host, asked) {
                Some(put) if every() => put_quietly(host, put),
                _ => Instead::Do,
            })
        },
    },
    Bug {
        name: "legacy-put-every-70th-lost",
        description: "Every 70th legacy Put is answered Ok and not stored.",
        breaks: &req::LEG_PUT_STORED,
        seam: || {
            let mut every = every(70);
            on_order(move |host, asked| match good_put(host, asked) {
                Some(_) if every() => status(Status::Ok),
                _ => Instead::Do,
            })
        },
    },
    Bug {
        name: "legacy-remove-every-30th-not-done",
        description: "Every 30th legacy Remove is answered Ok and removes nothing.",
        breaks: &req::LEG_REMOVE_GONE,
        seam: || {
            let mut every = every(30);
            on_order(move |_, asked| match &asked.order {
                Incoming::Order(Order::Remove { .. }) if every() => status(Status::Ok),
                _ => Instead::Do,
            })
        },
    },
    Bug {
        name: "legacy-remove-channel-leaves-seventh",
        description: "A legacy RemoveChannel leaves the record behind the first six.",
        breaks: &req::LEG_RMCHANNEL_GONE,
        seam: || on_order(|host, asked| leave_seventh(host, asked).unwrap_or(Instead::Do)),
    },
    Bug {
        name: "legacy-putbatch-every-20th-only-first",
        description: "Of every 20th PutBatch only the first record is stored.",
        breaks: &req::LEG_PUTBATCH_STORED,
        seam: || {
            let mut every = every(20);
            on_order(move |_, asked| {
                if let Incoming::Order(Order::PutBatch { batch, .. }) = &mut asked.order
                    && every()
                    && let Some(shorter) = first_alone(batch)
                {
                    *batch = shorter;
                }
                Instead::Do
            })
        },
    },
];

/// Every so many times.
fn every(period: u64) -> impl FnMut() -> bool + Send {
    let mut count = 0;
    move || {
        count += 1;
        count % period == 0
    }
}

/// Removes a channel with all records, and stores one of them again.
fn leave_seventh(host: &mut dyn LegacyHost, asked: &Asked) -> Option<Instead> {
    let Incoming::Order(Order::RemoveChannel { channel }) = &asked.order else {
        return None;
    };
    let id = host.find_channel(channel)?;
    let mut left = None;
    for _ in 0..7 {
        left = Some(host.record_after(id, left.map(|(key, _)| key))?);
    }
    let (key, value) = left?;
    let done = host.remove_channel(channel).and_then(|()| {
        let id = host.open_channel(channel)?;
        host.take_over(id, key, &value)
    });
    Some(status(done.map_or(Status::Error, |()| Status::Ok)))
}

/// A batch of the first record alone.
fn first_alone(block: &[u8]) -> Option<Bytes> {
    let records = decode_records(block).ok()?;
    let (key, value) = records.first()?;
    let mut batch = Batch::default();
    batch.push(*key, value);
    Some(batch.finish().into())
}
