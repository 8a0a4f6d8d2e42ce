//! Models of Put, Get, Exists and Remove on one node.

use bytes::Bytes;
use dht_protocol::neo::client::{Request, Told};
use dht_protocol::neo::request::get_all::Settings;
use dht_protocol::neo::request::put::{MAX_VALUE, Open};
use dht_protocol::neo::request::update::Decision;
use dht_protocol::neo::request::{Failure, RecordName};
use dht_protocol::{HashRange, Key};

use super::parts::{CHANNEL, KEY, OTHER, budget, every_request, full, goal, record, store, write};
use super::{Bounds, Entry};
use crate::defect::Defect;
use crate::property::connections::{OthersGoOn, OthersStayConnected};
use crate::property::dialogue::NodeEnds;
use crate::property::every_request::{ALL_END, EndsOnce};
use crate::property::linearizable::Linearizable;
use crate::property::records::PutStores;
use crate::property::stored::RequestsAgree;
use crate::property::watch;
use crate::world::{Frame, Note, Store, Transfer, WriteKind};

/// The models.
pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        name: "put",
        about: "A Put on one node; the connection breaks.",
        frame: put,
        shows: &[
            (Defect::F44, "P07"),
            (Defect::M01, "P01"),
            (Defect::M02, "P02"),
            (Defect::M04, "P15"),
            (Defect::M04, "reception"),
            (Defect::M05, "P06"),
            (Defect::M06, "P08"),
            (Defect::M11, "P14"),
        ],
        expected: &[],
        states: 50,
    },
    Entry {
        name: "put-too-big",
        about: "A Put of a value that is too big, and one by a client that knows no node.",
        frame: put_too_big,
        shows: &[],
        expected: &[],
        states: 45,
    },
    Entry {
        name: "get",
        about: "A Get on one node while the record is written; the connection breaks, the user loses patience.",
        frame: get,
        shows: &[
            (Defect::M03, "P17"),
            (Defect::M09, "P11"),
            (Defect::M12, "P16"),
        ],
        expected: &[],
        states: 612,
    },
    Entry {
        name: "exists",
        about: "An Exists on one node while the record is written; the connection breaks.",
        frame: exists,
        shows: &[(Defect::F44, "P07")],
        expected: &[],
        states: 314,
    },
    Entry {
        name: "remove",
        about: "A Remove on one node while the record is written; the connection breaks.",
        frame: remove,
        shows: &[(Defect::M14, "P20")],
        expected: &[],
        states: 677,
    },
    Entry {
        name: "wrong-node",
        about: "Put and Get of a key that the node gives away, by a client that does not hear of it.",
        frame: wrong_node,
        shows: &[(Defect::M10, "P12"), (Defect::M43, "P14")],
        expected: &[],
        states: 2214,
    },
    Entry {
        name: "rude",
        about: "One client breaks the protocol, another one does not.",
        frame: rude,
        shows: &[(Defect::M08, "P05")],
        expected: &[],
        states: 1_376,
    },
    Entry {
        name: "agree",
        about: "Get and Exists of a record that nobody changes.",
        frame: agree,
        shows: &[(Defect::M13, "P19")],
        expected: &[],
        states: 739,
    },
    Entry {
        name: "agree-get-all",
        about: "GetAll, Exists and Update of a channel that nobody changes.",
        frame: agree_get_all,
        shows: &[(Defect::M13, "P19")],
        expected: &[],
        states: 1984,
    },
];

/// On the upper half.
const AWAY: Key = Key(1);

fn put(bounds: Bounds) -> Frame {
    let frame = Frame::new("put")
        .node(Store::new(HashRange::FULL))
        .client(&[0])
        .asks(store("a"))
        .budget(budget(bounds, 1, 0))
        .property(watch(Linearizable(record())))
        .property(goal(
            "put-unknown",
            "A user is not told whether a Put was stored.",
            |note| {
                matches!(
                    note,
                    Note::Told(_, Told::Put(Err(Failure::Disconnected { .. })))
                )
            },
        ));
    every_request(frame)
}

fn put_too_big(bounds: Bounds) -> Frame {
    let value = Bytes::from(vec![0; MAX_VALUE + 1]);
    let record = record();
    Frame::new("put-too-big")
        .node(Store::new(HashRange::FULL))
        .client(&[0])
        .asks(Request::Put(Open { record, value }))
        .client(&[])
        .asks(store("a"))
        .budget(budget(bounds, 1, 0))
        .property(watch(EndsOnce))
        .property(watch(PutStores))
        .property(goal("too-big", "A value is too big.", |note| {
            matches!(
                note,
                Note::Told(_, Told::Put(Err(Failure::ValueTooBig { .. })))
            )
        }))
        .property(goal("no-node", "No node is known.", |note| {
            matches!(note, Note::Told(_, Told::Put(Err(Failure::NoNode))))
        }))
}

fn get(bounds: Bounds) -> Frame {
    let frame = Frame::new("get")
        .node(full("v").with(CHANNEL, OTHER, "other"))
        .client(&[0])
        .asks(Request::Get(record()))
        .writer(vec![write(WriteKind::Put(KEY, "w".into())), write(WriteKind::Remove(KEY))])
        .budget(budget(bounds, 1, 1))
        .property(watch(Linearizable(record())))
        .property(goal("got-late", "A value arrives that nobody waits for any more.", |note| {
            matches!(note, Note::Lost(_, _, crate::world::From::Node, value) if value.len() > 8)
        }));
    every_request(frame)
}

fn exists(bounds: Bounds) -> Frame {
    removed_and_written("exists", Request::Exists(record()), bounds)
}

fn remove(bounds: Bounds) -> Frame {
    removed_and_written("remove", Request::Remove(record()), bounds)
}

/// A request for a record that somebody else removes and writes again.
fn removed_and_written(name: &str, asks: Request, bounds: Bounds) -> Frame {
    let frame = Frame::new(name)
        .node(full("v"))
        .client(&[0])
        .asks(asks)
        .writer(vec![
            write(WriteKind::Remove(KEY)),
            write(WriteKind::Put(KEY, "w".into())),
        ])
        .budget(budget(bounds, 1, 1))
        .property(watch(Linearizable(record())));
    every_request(frame)
}

fn wrong_node(bounds: Bounds) -> Frame {
    let lower = HashRange::new(0, u64::MAX / 2).unwrap_or(HashRange::EMPTY);
    let upper = HashRange::new(u64::MAX / 2 + 1, u64::MAX).unwrap_or(HashRange::EMPTY);
    let away = RecordName {
        channel: CHANNEL.into(),
        key: AWAY,
    };
    let value = "a".into();
    let frame = Frame::new("wrong-node")
        .node(Store::new(HashRange::FULL))
        .node(Store::new(HashRange::EMPTY))
        .client(&[0])
        .asks(Request::Put(Open {
            record: away.clone(),
            value,
        }))
        .asks(Request::Get(away))
        .transfer(Transfer {
            from: 0,
            to: 1,
            keeps: lower,
            gets: upper,
        })
        .budget(budget(bounds, 1, 0))
        .property(goal(
            "wrong-node",
            "A node is not responsible any more.",
            |note| {
                matches!(
                    note,
                    Note::Told(_, Told::Put(Err(Failure::WrongNode { .. })))
                )
            },
        ));
    every_request(frame)
}

fn rude(_: Bounds) -> Frame {
    Frame::new("rude")
        .node(full("v"))
        .client(&[0])
        .asks(store("a"))
        .client(&[0])
        .asks(Request::Get(record()))
        .asks(Request::Remove(record()))
        .rude(0)
        .property(watch(OthersStayConnected))
        .property(watch(OthersGoOn))
        .property(watch(EndsOnce))
        .property(watch(ALL_END))
        .property(watch(NodeEnds))
        .property(watch(Linearizable(record())))
        .property(goal("violated", "A node closes a connection.", |note| {
            matches!(note, Note::Violated(..))
        }))
}

fn agree(bounds: Bounds) -> Frame {
    let none = RecordName {
        channel: CHANNEL.into(),
        key: OTHER,
    };
    let asks = [
        Request::Exists(record()),
        Request::Get(none.clone()),
        Request::Exists(none.clone()),
    ];
    let frame = Frame::new("agree")
        .node(full("v"))
        .client(&[0])
        .asks(Request::Get(record()))
        .client(&[0]);
    let more = match bounds {
        Bounds::Small => 1,
        Bounds::Default => 2,
        Bounds::Deep => 3,
    };
    let asks = asks.into_iter().take(more);
    let frame = asks
        .fold(frame, Frame::asks)
        .budget(budget(bounds, 1, 0))
        .property(watch(RequestsAgree(vec![record(), none])));
    every_request(frame)
}

fn agree_get_all(bounds: Bounds) -> Frame {
    let frame = Frame::new("agree-get-all")
        .node(full("v"))
        .client(&[0])
        .asks(Request::GetAll(CHANNEL.into(), Settings::default()))
        .client(&[0])
        .asks(Request::Exists(record()));
    let frame = match bounds {
        Bounds::Small => frame,
        Bounds::Default | Bounds::Deep => {
            let frame = frame.asks(Request::Update(record()));
            frame.decides(&[Decision::Leave])
        }
    };
    let none = RecordName {
        channel: CHANNEL.into(),
        key: OTHER,
    };
    let frame = frame
        .budget(budget(bounds, 1, 0))
        .property(watch(RequestsAgree(vec![record(), none])));
    every_request(frame)
}
