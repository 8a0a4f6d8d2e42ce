//! Models of GetHashRange, and of what clients make of it.

use bytes::Bytes;
use dht_protocol::neo::client::Request;
use dht_protocol::neo::request::{RecordName, put};
use dht_protocol::{HashRange, Key};

use super::redistribution::{MOVES, STAYS, split};
use super::{Bounds, Entry};
use crate::defect::Defect;
use crate::property::every_request::{Ends, EndsOnce, Reaches, Reception};
use crate::property::hash_range::{
    AlwaysANode, ChangesReachClients, CompleteHistory, NewestIsAsked, NoNodeIsNeverTold,
};
use crate::property::watch;
use crate::world::{Budget, Frame, Note, Store};

/// The models.
pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        name: "hash-range",
        about: "A node gives half of its keys to a new one; connections break, a node is restarted.",
        frame: hash_range,
        shows: &[(Defect::M42, "P66"), (Defect::F28, "P68")],
        // What a node told of the new one is lost with the connection, and is not told again.
        expected: &["P68"],
        states: 2851,
    },
    Entry {
        name: "hash-range-stray",
        about: "A client says more about its GetHashRange than it may, while a node gives keys away.",
        frame: hash_range_stray,
        shows: &[(Defect::F14, "P67")],
        expected: &[],
        states: 534,
    },
    Entry {
        name: "hash-range-newest",
        about: "Two nodes have the same keys; a connection breaks before a Put.",
        frame: hash_range_newest,
        shows: &[(Defect::F41, "P69")],
        expected: &[],
        states: 154,
    },
    Entry {
        name: "routing",
        about: "Two clients put and get records while a node gives half of its keys to a new one.",
        frame: routing,
        shows: &[
            (Defect::F28, "P68"),
            (Defect::F28, "no-node"),
            (Defect::M42, "P68"),
        ],
        expected: &[],
        states: 895,
    },
];

fn hash_range(bounds: Bounds) -> Frame {
    split(Frame::new("hash-range"))
        .client(&[0])
        .asks_ranges()
        .budget(Budget {
            breaks: match bounds {
                Bounds::Small | Bounds::Default => 1,
                Bounds::Deep => 2,
            },
            restarts: 1,
            ..Budget::default()
        })
        .property(watch(CompleteHistory))
        .property(watch(ChangesReachClients))
        .property(watch(AlwaysANode(vec![STAYS, MOVES])))
        .property(watch(Reception))
        .property(watch(Reaches {
            id: "new-node",
            sentence: "The client connects to the new node.",
            when: |note| matches!(note, Note::Up(_, 1)),
        }))
}

fn hash_range_stray(bounds: Bounds) -> Frame {
    split(Frame::new("hash-range-stray"))
        .client(&[0])
        .asks_ranges()
        .budget(Budget {
            strays: 1,
            breaks: match bounds {
                Bounds::Small => 0,
                Bounds::Default | Bounds::Deep => 1,
            },
            ..Budget::default()
        })
        .property(watch(CompleteHistory))
        .property(watch(ChangesReachClients))
        .property(watch(Reaches {
            id: "closed",
            sentence: "The node closes the connection to a client that breaks the protocol.",
            when: |note| matches!(note, Note::Violated(..)),
        }))
}

fn hash_range_newest(bounds: Bounds) -> Frame {
    Frame::new("hash-range-newest")
        .node(Store::new(HashRange::FULL))
        .node(Store::new(HashRange::FULL))
        .client(&[0, 1])
        .asks_ranges()
        .asks(put(MOVES))
        .budget(Budget {
            breaks: 1,
            restarts: match bounds {
                Bounds::Small => 0,
                Bounds::Default | Bounds::Deep => 1,
            },
            ..Budget::default()
        })
        .property(watch(CompleteHistory))
        .property(watch(NewestIsAsked))
        .property(watch(EndsOnce))
        .property(watch(Ends(&[1])))
        .property(watch(Reception))
}

fn routing(bounds: Bounds) -> Frame {
    let frame = split(Frame::new("routing"))
        .client(&[0])
        .asks_ranges()
        .asks(put(MOVES));
    let frame = match bounds {
        Bounds::Small => frame,
        Bounds::Default | Bounds::Deep => frame.client(&[0]).asks_ranges().asks(get(STAYS)),
    };
    frame
        .property(watch(CompleteHistory))
        .property(watch(ChangesReachClients))
        .property(watch(AlwaysANode(vec![STAYS, MOVES])))
        .property(watch(NewestIsAsked))
        .property(watch(EndsOnce))
        .property(watch(Ends(&[1])))
        .property(watch(Reception))
        .property(watch(NoNodeIsNeverTold))
}

fn put(key: Key) -> Request {
    let value = Bytes::from_static(b"p");
    let record = record(key);
    Request::Put(put::Open { record, value })
}

fn get(key: Key) -> Request {
    Request::Get(record(key))
}

fn record(key: Key) -> RecordName {
    RecordName {
        channel: "c".into(),
        key,
    }
}
