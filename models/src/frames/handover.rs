//! Models of a redistribution by the machine that a node runs, while clients of both protocols use the record
//! that moves (`semantics-and-client.md` A14): what was acknowledged is never lost, and is read by whoever reads
//! later, at every moment of it.

use bytes::Bytes;
use dht_protocol::HashRange;
use dht_protocol::legacy::{KeyText, Order};
use dht_protocol::neo::client::Request;
use dht_protocol::neo::request::put;
use dht_protocol::neo::request::update::Decision;

use super::mirror::{QUIET, follow, room};
use super::parts::goal;
use super::redistribution::{MOVES, STAYS};
use super::update::{record, replace};
use super::{Bounds, Entry};
use crate::defect::Defect;
use crate::property::every_request::{Ends, EndsOnce, Reception};
use crate::property::handover::{
    IsOverInTheEnd, LegacyReadsTheLast, LinearizableThroughout, NothingIsLost,
};
use crate::property::hash_range::{AlwaysANode, ChangesReachClients, CompleteHistory};
use crate::property::mirror::ReportsRealRemovals;
use crate::property::watch;
use crate::world::{Frame, Handover, Note, Store, Transfer, Write, WriteKind};

/// The models.
pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        name: "handover-put",
        about: "A Put, then a Get, while a node hands the record over.",
        frame: put,
        shows: &[
            (Defect::A14, "linearizable"),
            (Defect::A14, "handover-whole"),
            (Defect::F28, "P68"),
            (Defect::M64, "handover-whole"),
            (Defect::M65, "linearizable"),
        ],
        expected: &[],
        states: 6124,
    },
    Entry {
        name: "handover-puts",
        about: "Two Puts and a Get, one after the other, while a node hands the record over.",
        frame: puts,
        shows: &[
            (Defect::M64, "handover-whole"),
            (Defect::M65, "linearizable"),
        ],
        expected: &[],
        states: 14607,
    },
    Entry {
        name: "handover-remove",
        about: "A Remove, a Put and a Get, one after the other, while a node hands the record over.",
        frame: remove,
        shows: &[(Defect::A14, "linearizable")],
        expected: &[],
        states: 19311,
    },
    Entry {
        name: "handover-update",
        about: "An Update while a node hands its record over.",
        frame: update,
        shows: &[
            (Defect::F16, "handover-whole"),
            (Defect::M64, "handover-whole"),
        ],
        expected: &[],
        states: 8064,
    },
    Entry {
        name: "handover-known",
        about: "A Put to the node that takes the record over, by a client that knows of it before.",
        frame: known,
        shows: &[
            (Defect::F18, "handover-whole"),
            (Defect::F18, "linearizable"),
            (Defect::M67, "handover-ends"),
        ],
        expected: &[],
        states: 323,
    },
    Entry {
        name: "handover-legacy",
        about: "A legacy client writes and reads, and a neo client reads, while a node hands the record over.",
        frame: legacy,
        shows: &[
            (Defect::A14, "legacy-get"),
            (Defect::M64, "legacy-get"),
            (Defect::M65, "legacy-get"),
        ],
        expected: &[],
        states: 16804,
    },
    Entry {
        name: "handover-mirror",
        about: "A Mirror of both nodes while a record that it follows is handed over.",
        frame: mirror,
        shows: &[(Defect::M66, "P64")],
        expected: &[],
        states: 1579,
    },
    Entry {
        name: "handover-overlap",
        about: "Two clients, of which one knows the node that takes the record over, and the other does not yet.",
        frame: overlap,
        shows: &[],
        // What is written at the one node is protected from what is written at the other one later.
        expected: &["handover-whole", "linearizable"],
        states: 5588,
    },
    Entry {
        name: "handover-late",
        about: "What was sent over a connection that has broken arrives behind what is sent over the next one.",
        frame: late,
        shows: &[],
        // Orders have no number by which the node could tell.
        expected: &["handover-whole", "linearizable"],
        states: 31123,
    },
];

fn put(bounds: Bounds) -> Frame {
    followed("handover-put", bounds, u8::from(bounds > Bounds::Small))
        .asks(put_request("p"))
        .asks(Request::Get(record()))
        .after(1)
        .property(watch(Ends(&[1, 2])))
        .property(watch(LinearizableThroughout(record())))
}

fn puts(bounds: Bounds) -> Frame {
    followed("handover-puts", bounds, u8::from(bounds > Bounds::Small))
        .asks(put_request("p"))
        .asks(put_request("q"))
        .after(1)
        .asks(Request::Get(record()))
        .after(2)
        .property(watch(Ends(&[1, 2, 3])))
        .property(watch(LinearizableThroughout(record())))
}

fn remove(bounds: Bounds) -> Frame {
    followed("handover-remove", bounds, 0)
        .asks(Request::Remove(record()))
        .asks(put_request("p"))
        .after(1)
        .asks(Request::Get(record()))
        .after(2)
        .property(watch(Ends(&[1, 2, 3])))
        .property(watch(LinearizableThroughout(record())))
}

fn update(bounds: Bounds) -> Frame {
    followed("handover-update", bounds, 1)
        .asks(Request::Update(record()))
        .decides(&[replace("w"), Decision::Leave])
        .property(watch(Ends(&[1])))
}

fn known(bounds: Bounds) -> Frame {
    judged(split(Frame::new("handover-known"), bounds, 1))
        .client(&[0, 1])
        .asks(put_request("p"))
        .asks(Request::Get(record()))
        .after(0)
        .property(watch(LinearizableThroughout(record())))
}

fn legacy(bounds: Bounds) -> Frame {
    let key = KeyText::from(MOVES);
    let channel = record().channel;
    let put = |value: &'static str| Order::Put {
        channel: channel.clone(),
        key: key.clone(),
        value: Bytes::from_static(value.as_bytes()),
    };
    let get = Order::Get {
        channel: channel.clone(),
        key: key.clone(),
    };
    let remove = Order::Remove {
        channel: channel.clone(),
        key: key.clone(),
    };
    let orders = match bounds {
        Bounds::Small => vec![put("l"), get],
        Bounds::Default => vec![remove, put("m"), get],
        Bounds::Deep => vec![put("l"), get.clone(), remove, put("m"), get],
    };
    let write = |order| Write {
        node: 0,
        channel: channel.clone(),
        what: WriteKind::Legacy(order),
    };
    followed("handover-legacy", bounds, 0)
        .asks(Request::Get(record()))
        .writer(orders.into_iter().map(write).collect())
        .property(watch(Ends(&[1])))
        .property(watch(LinearizableThroughout(record())))
        .property(watch(LegacyReadsTheLast(record())))
}

fn mirror(bounds: Bounds) -> Frame {
    let store = super::mirror::node(&[(MOVES.0, b'a'), (STAYS.0, b'b')]);
    let frame = between(Frame::new("handover-mirror").node(store), bounds, 0)
        .client(&[0, 1])
        .asks(follow(QUIET))
        .writer(vec![
            super::mirror::remove(STAYS.0),
            super::mirror::put(STAYS.0, b'd'),
        ])
        .property(watch(IsOverInTheEnd))
        .property(watch(ReportsRealRemovals(super::mirror::mirror())));
    room(frame, 1)
}

fn overlap(bounds: Bounds) -> Frame {
    judged(split(Frame::new("handover-overlap"), bounds, 0))
        .client(&[0])
        .asks(put_request("p"))
        .client(&[0, 1])
        .asks(put_request("q"))
        .asks(Request::Get(record()))
        .after(1)
        .property(watch(LinearizableThroughout(record())))
}

fn late(bounds: Bounds) -> Frame {
    let mut frame = followed("handover-late", bounds, 1)
        .asks(put_request("p"))
        .asks(Request::Get(record()))
        .after(1)
        .property(watch(LinearizableThroughout(record())));
    if let Some(handover) = &mut frame.handover {
        handover.late = true;
    }
    frame
}

/// A client that follows the ranges.
fn followed(name: &str, bounds: Bounds, drops: u8) -> Frame {
    judged(split(Frame::new(name), bounds, drops))
        .client(&[0])
        .asks_ranges()
        .property(watch(CompleteHistory))
        .property(watch(ChangesReachClients))
        .property(watch(AlwaysANode(vec![STAYS, MOVES])))
}

fn judged(frame: Frame) -> Frame {
    frame
        .property(watch(EndsOnce))
        .property(watch(Reception))
        .property(watch(NothingIsLost {
            record: record(),
            to: 1,
        }))
        .property(watch(IsOverInTheEnd))
        .property(goal("over", "Everything is handed over.", |note| {
            matches!(note, Note::HandoverOver(_))
        }))
}

/// Two nodes, one of which hands half of the keys over.
fn split(frame: Frame, bounds: Bounds, drops: u8) -> Frame {
    let store = Store::new(HashRange::FULL).with("c", MOVES, "v");
    between(frame.node(store), bounds, drops)
}

/// A node that hands half of the keys over to another one.
fn between(frame: Frame, bounds: Bounds, drops: u8) -> Frame {
    let half = 1 << 63;
    let lower = HashRange::new(0, half - 1).unwrap_or(HashRange::EMPTY);
    let upper = HashRange::new(half, u64::MAX).unwrap_or(HashRange::EMPTY);
    frame.node(Store::new(upper)).handover(Handover {
        transfer: Transfer {
            from: 0,
            to: 1,
            keeps: lower,
            gets: upper,
        },
        drops: drops + u8::from(bounds == Bounds::Deep),
        late: false,
    })
}

fn put_request(value: &'static str) -> Request {
    Request::Put(put::Open {
        record: record(),
        value: Bytes::from_static(value.as_bytes()),
    })
}
