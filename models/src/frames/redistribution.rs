//! Models of a redistribution: a node gives half of its keys to a new one, and the records follow one by
//! one, while clients use them (`semantics-and-client.md` A14).

use bytes::Bytes;
use dht_protocol::neo::client::{Request, Told};
use dht_protocol::neo::request::update::Decision;
use dht_protocol::neo::request::{Failure, get_all, put};
use dht_protocol::{HashRange, Key};

use super::update::{judged, record, replace};
use super::{Bounds, Entry};
use crate::defect::Defect;
use crate::property::every_request::{Ends, EndsOnce, Reaches, Reception, failure};
use crate::property::hash_range::{
    AlwaysANode, ChangesReachClients, CompleteHistory, NewestIsAsked,
};
use crate::property::linearizable::Linearizable;
use crate::property::records::NoRecordAnywhere;
use crate::property::redistribution::{ReceivedAtAll, ReceivedOnce};
use crate::property::update::StoredWhereItBelongs;
use crate::property::update::moving::MovesLoseNothing;
use crate::property::watch;
use crate::world::{Budget, Frame, Note, Store, Transfer};

/// A key that the node keeps.
pub(super) const STAYS: Key = Key(2);
/// A key that the new node gets.
pub(super) const MOVES: Key = Key(1);

/// The models.
pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        name: "redistribution-update",
        about: "An Update while its record goes to another node.",
        frame: update,
        shows: &[(Defect::F16, "P73"), (Defect::F16, "P79")],
        expected: &[],
        states: 2058,
    },
    Entry {
        name: "redistribution-updates",
        about: "Two Updates while their record goes to another node.",
        frame: updates,
        shows: &[(Defect::F16, "P73"), (Defect::M41, "P73")],
        expected: &[],
        states: 1074,
    },
    Entry {
        name: "redistribution-put",
        about: "A Put, then a Get, while the record goes to another node: the older value replaces the newer one.",
        frame: put,
        shows: &[(Defect::F28, "P68")],
        // A redistribution does not look at what it writes over (F18).
        expected: &["P73", "linearizable"],
        states: 6906,
    },
    Entry {
        name: "redistribution-get",
        about: "A Get while its record goes to another node: on the way it is nowhere to be read.",
        frame: get,
        shows: &[(Defect::F28, "P68")],
        // Neither the node that has the record serves it, nor the one that will have it.
        expected: &["linearizable"],
        states: 1604,
    },
    Entry {
        name: "redistribution-remove",
        about: "A Remove while its record goes to another node: it comes back.",
        frame: remove,
        shows: &[(Defect::F28, "P68")],
        expected: &["linearizable"],
        states: 1067,
    },
    Entry {
        name: "redistribution-get-all",
        about: "A GetAll while a record goes to another node, which the GetAll asks as well.",
        frame: get_all,
        shows: &[(Defect::F28, "P68")],
        // The node it was on is done, or has sent it already, when the other one is asked.
        expected: &["get-all-once", "get-all-whole"],
        states: 21348,
    },
];

fn update(bounds: Bounds) -> Frame {
    let frame = split(Frame::new("redistribution-update"))
        .client(&[0])
        .asks_ranges()
        .asks(Request::Update(record()))
        .decides(&[replace("w"), Decision::Leave])
        .budget(breaks(bounds))
        .property(watch(MovesLoseNothing(record())))
        .property(watch(StoredWhereItBelongs))
        .property(watch(Reaches {
            id: "wrong-node",
            sentence: "The node is not responsible any more when the user has decided.",
            when: is_wrong_node,
        }));
    judged(frame)
}

fn updates(bounds: Bounds) -> Frame {
    let frame = split(Frame::new("redistribution-updates")).client(&[0]);
    let frame = match bounds {
        Bounds::Small => frame,
        Bounds::Default | Bounds::Deep => frame.asks_ranges(),
    };
    let frame = frame
        .asks(Request::Update(record()))
        .decides(&[replace("a")])
        .asks(Request::Update(record()))
        .decides(&[replace("b")])
        .budget(Budget {
            breaks: match bounds {
                Bounds::Small | Bounds::Default => 0,
                Bounds::Deep => 1,
            },
            ..Budget::default()
        })
        .property(watch(MovesLoseNothing(record())))
        .property(watch(StoredWhereItBelongs));
    judged(frame)
}

fn put(bounds: Bounds) -> Frame {
    let open = put::Open {
        record: record(),
        value: Bytes::from_static(b"p"),
    };
    let frame = followed("redistribution-put", Request::Put(open));
    beside(bounds, frame.asks(Request::Get(record())).after(1))
        .property(watch(MovesLoseNothing(record())))
        .property(watch(StoredWhereItBelongs))
        .property(watch(NewestIsAsked))
        .property(watch(Linearizable(record())))
}

fn get(bounds: Bounds) -> Frame {
    redistribution("redistribution-get", bounds, Request::Get(record()))
        .property(watch(NoRecordAnywhere))
        .property(watch(Linearizable(record())))
}

fn remove(bounds: Bounds) -> Frame {
    redistribution("redistribution-remove", bounds, Request::Remove(record()))
        .property(watch(Linearizable(record())))
}

fn get_all(bounds: Bounds) -> Frame {
    let settings = get_all::Settings::default();
    let asks = Request::GetAll(record().channel, settings);
    redistribution("redistribution-get-all", bounds, asks)
        .property(watch(ReceivedAtAll(MOVES)))
        .property(watch(ReceivedOnce(MOVES)))
}

/// A client that follows the ranges, and asks for something else; deeper down with another one beside it.
fn redistribution(name: &str, bounds: Bounds, asks: Request) -> Frame {
    beside(bounds, followed(name, asks))
}

// A break would leave the client without the new node: `hash-range` shows it.
fn followed(name: &str, asks: Request) -> Frame {
    split(Frame::new(name))
        .client(&[0])
        .asks_ranges()
        .asks(asks)
        .property(watch(Ends(&[1])))
        .property(watch(EndsOnce))
        .property(watch(Reception))
        .property(watch(CompleteHistory))
        .property(watch(ChangesReachClients))
        .property(watch(AlwaysANode(vec![STAYS, MOVES])))
}

fn beside(bounds: Bounds, frame: Frame) -> Frame {
    match bounds {
        Bounds::Small | Bounds::Default => frame,
        Bounds::Deep => frame.client(&[0]).asks(Request::Exists(record())),
    }
}

/// Two nodes, one of which gives half of the keys to the other one.
pub(super) fn split(frame: Frame) -> Frame {
    let half = 1 << 63;
    let lower = HashRange::new(0, half - 1).unwrap_or(HashRange::EMPTY);
    let upper = HashRange::new(half, u64::MAX).unwrap_or(HashRange::EMPTY);
    frame
        .node(Store::new(HashRange::FULL).with("c", MOVES, "v"))
        .node(Store::new(upper))
        .transfer(Transfer {
            from: 0,
            to: 1,
            keeps: lower,
            gets: upper,
        })
}

fn is_wrong_node(note: &Note) -> bool {
    let Note::Told(_, told) = note else {
        return false;
    };
    matches!(told, Told::Update(_)) && matches!(failure(told), Some(Failure::WrongNode { .. }))
}

fn breaks(bounds: Bounds) -> Budget {
    Budget {
        breaks: match bounds {
            Bounds::Small => 0,
            Bounds::Default => 1,
            Bounds::Deep => 2,
        },
        ..Budget::default()
    }
}
