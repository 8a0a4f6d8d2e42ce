//! Models of Put, Get, Exists and Remove with two nodes that cover the key.

use dht_protocol::HashRange;
use dht_protocol::neo::client::{Request, Told};

use super::parts::{budget, every_request, full, goal, record, store};
use super::{Bounds, Entry};
use crate::defect::Defect;
use crate::property::records::NoOlderCopy;
use crate::property::watch;
use crate::world::{Budget, Frame, Note, Store};

/// The models.
pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        name: "put-nodes",
        about: "A Put with two nodes that cover the key: only the newest is asked.",
        frame: put_nodes,
        shows: &[(Defect::M11, "P14"), (Defect::M07, "P09")],
        expected: &[],
        states: 74,
    },
    Entry {
        name: "get-nodes",
        about: "A Get with two nodes that cover the key; the older one has the record.",
        frame: get_nodes,
        shows: &[(Defect::F40, "P18"), (Defect::M07, "P09")],
        expected: &[],
        states: 157,
    },
    Entry {
        name: "exists-nodes",
        about: "An Exists with two nodes that cover the key; the older one has the record.",
        frame: exists_nodes,
        shows: &[(Defect::F40, "P18")],
        expected: &[],
        states: 127,
    },
    Entry {
        name: "remove-nodes",
        about: "A Remove with two nodes that cover the key; only the older one has the record.",
        frame: remove_nodes,
        shows: &[(Defect::F39, "P21")],
        expected: &[],
        states: 134,
    },
    Entry {
        name: "remove-half-way",
        about: "Two nodes have a copy each. One client removes the record, another one reads it at any moment.",
        frame: remove_half_way,
        shows: &[(Defect::M15, "P22")],
        expected: &[],
        states: 6064,
    },
];

fn put_nodes(bounds: Bounds) -> Frame {
    every_request(two_nodes("put-nodes", bounds).asks(store("a")))
}

fn get_nodes(bounds: Bounds) -> Frame {
    let frame = two_nodes("get-nodes", bounds)
        .asks(Request::Get(record()))
        .property(goal(
            "second-node",
            "The second node is asked.",
            asked_second,
        ));
    every_request(frame)
}

fn exists_nodes(bounds: Bounds) -> Frame {
    let frame = two_nodes("exists-nodes", bounds)
        .asks(Request::Exists(record()))
        .property(goal(
            "second-node",
            "The second node is asked.",
            asked_second,
        ));
    every_request(frame)
}

fn remove_nodes(bounds: Bounds) -> Frame {
    let frame = two_nodes("remove-nodes", bounds)
        .asks(Request::Remove(record()))
        .property(goal(
            "one-of-two",
            "A record is removed that only one node had.",
            |note| matches!(note, Note::Told(_, Told::Remove(Ok(true)))),
        ));
    every_request(frame)
}

fn remove_half_way(bounds: Bounds) -> Frame {
    let newest = 1;
    let frame = Frame::new("remove-half-way")
        .node(full("old"))
        .node(full("new"))
        .client(&[0, 1])
        .asks(Request::Remove(record()))
        .client(&[0, 1])
        .asks(Request::Get(record()))
        .budget(budget(bounds, 1, 0))
        .property(watch(NoOlderCopy {
            record: record(),
            newest,
        }))
        .property(goal(
            "none",
            "A Get finds that both copies are gone.",
            |note| matches!(note, Note::Told(_, Told::Get(Ok(None)))),
        ));
    every_request(frame)
}

/// Two nodes that cover the key; the older one has the record. One breaks or is restarted.
fn two_nodes(name: &str, bounds: Bounds) -> Frame {
    let restarts = match bounds {
        Bounds::Small => 0,
        Bounds::Default | Bounds::Deep => 1,
    };
    Frame::new(name)
        .node(full("v"))
        .node(Store::new(HashRange::FULL))
        .client(&[0, 1])
        .budget(Budget {
            restarts,
            ..budget(bounds, 1, 0)
        })
}

fn asked_second(note: &Note) -> bool {
    matches!(note, Note::ClientSent(_, 0, _))
}
