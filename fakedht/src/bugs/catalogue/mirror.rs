//! Bugs of Mirror.

use dht_protocol::neo::batch::{self, RefreshBatch};
use dht_protocol::neo::request::RequestCode;
use dht_protocol::neo::request::mirror::{Change, FromNode, Open};

use crate::bugs::Bug;
use crate::bugs::seam::{Fate, Message, Seam};
use crate::node::host::Event;

pub(super) static BUGS: &[Bug] = &[
    Bug {
        name: "mirror-misses-deletions",
        description: "Mirrors are not told of removed records.",
        breaks: "P57",
        seam: Seam::Event(|| {
            Box::new(|event| match event {
                Event::Record(_, Change::Deleted(_)) => None,
                event => Some(event),
            })
        }),
    },
    Bug {
        name: "mirror-misses-every-10th-change",
        description: "Mirrors are not told of every tenth write.",
        breaks: "P63",
        seam: Seam::Event(|| {
            let mut writes = 0_u64;
            Box::new(move |event| {
                if let Event::Record(_, Change::Changed(_)) = event {
                    writes += 1;
                    if writes.is_multiple_of(10) {
                        return None;
                    }
                }
                Some(event)
            })
        }),
    },
    Bug {
        name: "mirror-misses-channel-removal",
        description: "Mirrors are not told that their channel was removed.",
        breaks: "P60",
        seam: Seam::Event(|| {
            Box::new(|event| match event {
                Event::Gone(_) => None,
                event => Some(event),
            })
        }),
    },
    Bug {
        name: "mirror-wrong-value",
        description: "A Mirror sends changed values without their last byte.",
        breaks: "P57",
        seam: Seam::Leaving(|| Box::new(cut_change)),
    },
    Bug {
        name: "mirror-no-refresh",
        description: "A Mirror does not send the records that are there at its start.",
        breaks: "P54",
        seam: Seam::Arriving(|| {
            Box::new(|message: &Message<'_>| {
                opened(message, |open| open.settings.initial_refresh = false)
            })
        }),
    },
    Bug {
        name: "mirror-no-periodic-refresh",
        description: "A Mirror does not send all records periodically.",
        breaks: "P62",
        seam: Seam::Arriving(|| {
            Box::new(|message: &Message<'_>| {
                opened(message, |open| open.settings.periodic_refresh_s = 0)
            })
        }),
    },
    Bug {
        name: "mirror-starts-unsuspended",
        description: "A Mirror that should start suspended does not.",
        breaks: "neo-requests 2.8",
        seam: Seam::Arriving(|| {
            Box::new(|message: &Message<'_>| opened(message, |open| open.start_suspended = false))
        }),
    },
    Bug {
        name: "mirror-refresh-loses-last-of-batch",
        description: "A Mirror's refresh leaves out the last record of every batch.",
        breaks: "P54",
        seam: Seam::Leaving(|| Box::new(shorten_refresh)),
    },
    Bug {
        name: "mirror-overflow-not-told",
        description: "A Mirror that lost changes does not say so.",
        breaks: "P58",
        seam: Seam::Leaving(|| {
            Box::new(|message: &Message<'_>| match from_node(message) {
                Some(FromNode::UpdateOverflow) => Fate::lost(),
                _ => Fate::Pass,
            })
        }),
    },
];

/// What a Mirror says, its supported status left out.
fn from_node(message: &Message<'_>) -> Option<FromNode> {
    if !message.is(RequestCode::Mirror) || message.number == 0 {
        return None;
    }
    FromNode::decode(message.payload).ok()
}

fn said(message: &FromNode) -> Fate {
    let mut payload = Vec::new();
    message.encode(&mut payload);
    Fate::changed(payload)
}

fn cut_change(message: &Message<'_>) -> Fate {
    match from_node(message) {
        Some(FromNode::RecordChanged(key, value)) if !value.is_empty() => {
            let value = value.slice(..value.len() - 1);
            said(&FromNode::RecordChanged(key, value))
        }
        _ => Fate::Pass,
    }
}

fn shorten_refresh(message: &Message<'_>) -> Fate {
    let Some(FromNode::RecordRefreshBatch(block)) = from_node(message) else {
        return Fate::Pass;
    };
    let Ok(mut records) = batch::decode_refresh(&block) else {
        return Fate::Pass;
    };
    records.pop();
    let mut batch = RefreshBatch::default();
    for (key, value) in &records {
        // One record less than what fitted fits.
        let _ = batch.push(*key, value);
    }
    said(&FromNode::RecordRefreshBatch(batch.finish().into()))
}

/// Changes what the client asks for.
fn opened(message: &Message<'_>, change: impl FnOnce(&mut Open)) -> Fate {
    let fields = message.payload.get(2..);
    match fields.map(Open::decode) {
        Some(Ok(mut open)) if message.is(RequestCode::Mirror) && message.number == 0 => {
            change(&mut open);
            Fate::changed(open.encode())
        }
        _ => Fate::Pass,
    }
}
