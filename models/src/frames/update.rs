//! Models of Update: alone, against others, and over two nodes, where the record moves to the newer one.

use bytes::Bytes;
use dht_protocol::neo::client::{Request, Told};
use dht_protocol::neo::request::update::{Decision, Notification, Updated};
use dht_protocol::neo::request::{RecordName, put};
use dht_protocol::{HashRange, Key};

use super::{Bounds, Entry};
use crate::defect::Defect;
use crate::property::every_request::{ALL_END, EndsOnce, Reaches, Reception};
use crate::property::linearizable::Linearizable;
use crate::property::update::client::{
    AskedOnce, ConflictIsReal, DeletedIsGone, LeftIsUnchanged, ReceivedOnce, SuccessMoves,
};
use crate::property::update::moving::MovesLoseNothing;
use crate::property::update::{
    CompareAndWrite, EveryUpdateIsClosed, NoLostUpdate, RefusedChangesNothing,
};
use crate::property::watch;
use crate::world::{Budget, Frame, Note, Store, Write, WriteKind};

const CHANNEL: &str = "c";
const KEY: Key = Key(1);

/// The models.
pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        name: "update",
        about: "An Update on one node, with every decision; the connection breaks, the user loses patience.",
        frame: update,
        shows: &[
            (Defect::F33, "P74"),
            (Defect::F36, "P07"),
            (Defect::M04, "P15"),
        ],
        expected: &[],
        states: 282,
    },
    Entry {
        name: "update-update",
        about: "Two Updates of one record.",
        frame: update_update,
        shows: &[
            (Defect::M40, "P70"),
            (Defect::M40, "P72"),
            (Defect::M40, "linearizable"),
            (Defect::M41, "P71"),
            (Defect::M41, "P78"),
        ],
        expected: &[],
        states: 254,
    },
    Entry {
        name: "update-put",
        about: "An Update while the record is written by a Put and read by a Get.",
        frame: update_put,
        shows: &[(Defect::M40, "P70"), (Defect::M41, "linearizable")],
        expected: &[],
        states: 3453,
    },
    Entry {
        name: "update-remove",
        about: "An Update while the record is removed: it is created again.",
        frame: update_remove,
        shows: &[],
        expected: &[],
        states: 2925,
    },
    Entry {
        name: "update-remove-channel",
        about: "An Update while the channel is removed: it is created again.",
        frame: update_remove_channel,
        shows: &[],
        expected: &[],
        states: 1907,
    },
    Entry {
        name: "update-move",
        about: "An Update of a record on the older of two nodes: it moves to the newer one; a connection breaks.",
        frame: update_move,
        shows: &[
            (Defect::F33, "P74"),
            (Defect::F34, "P07"),
            (Defect::F36, "P07"),
            (Defect::F36, "P76"),
            (Defect::F37, "P76"),
            (Defect::M53, "P75"),
        ],
        expected: &[],
        states: 400,
    },
    Entry {
        name: "update-move-twice",
        about: "Two Updates of a record on the older of two nodes.",
        frame: update_move_twice,
        shows: &[(Defect::M41, "P73"), (Defect::M41, "P78")],
        // While one moves the record, the other one has success with the newer copy.
        expected: &["P75"],
        states: 701,
    },
    Entry {
        name: "update-move-written",
        about: "An Update moves a record to the newer node while somebody writes it on the older one.",
        frame: update_move_written,
        shows: &[],
        // RemoveRecord says nothing of the value that it is about (F15).
        expected: &["P73"],
        states: 59,
    },
    Entry {
        name: "update-two-copies",
        about: "An Update of a record that both nodes have.",
        frame: update_two_copies,
        shows: &[(Defect::F35, "P76"), (Defect::F35, "P77")],
        // Who finds the record on the newest node asks no other one: the older copy stays (12.4).
        expected: &["P75", "deleted"],
        states: 19,
    },
];

fn update(bounds: Bounds) -> Frame {
    let frame = Frame::new("update")
        .node(with("v"))
        .client(&[0])
        .asks(Request::Update(record()))
        .decides(&[replace("w"), Decision::Delete, Decision::Leave])
        .budget(Budget {
            breaks: more(bounds, 1),
            abandons: 1,
            restarts: more(bounds, 0),
            ..Budget::default()
        })
        .property(watch(Linearizable(record())))
        .property(done());
    judged(frame)
}

fn update_update(bounds: Bounds) -> Frame {
    let frame = Frame::new("update-update")
        .node(with("v"))
        .client(&[0])
        .asks(Request::Update(record()))
        .decides(&[replace("a")])
        .client(&[0])
        .asks(Request::Update(record()))
        .decides(&[replace("b"), Decision::Leave])
        .budget(breaks(bounds))
        .property(watch(NoLostUpdate))
        .property(watch(Linearizable(record())))
        .property(conflict());
    judged(frame)
}

fn update_put(bounds: Bounds) -> Frame {
    let value = Bytes::from_static(b"p");
    let put = put::Open {
        record: record(),
        value,
    };
    let others = [Request::Put(put), Request::Get(record())];
    against("update-put", bounds, others).property(conflict())
}

fn update_remove(bounds: Bounds) -> Frame {
    let others = [Request::Remove(record()), Request::Get(record())];
    against("update-remove", bounds, others).property(done())
}

fn update_remove_channel(bounds: Bounds) -> Frame {
    let others = [
        Request::RemoveChannel(CHANNEL.into()),
        Request::Exists(record()),
    ];
    against("update-remove-channel", bounds, others).property(done())
}

fn against(name: &str, bounds: Bounds, others: [Request; 2]) -> Frame {
    let frame = Frame::new(name)
        .node(with("v"))
        .client(&[0])
        .asks(Request::Update(record()))
        .decides(&[replace("w")]);
    let others = others.into_iter();
    let frame = others.fold(frame, |frame, asks| frame.client(&[0]).asks(asks));
    let frame = frame
        .budget(breaks(bounds))
        .property(watch(Linearizable(record())));
    judged(frame)
}

fn update_move(bounds: Bounds) -> Frame {
    let frame = Frame::new("update-move")
        .node(with("v"))
        .node(Store::new(HashRange::FULL))
        .client(&[0, 1])
        .asks(Request::Update(record()))
        .decides(&[replace("w"), Decision::Delete, Decision::Leave])
        .budget(Budget {
            breaks: more(bounds, 1),
            abandons: more(bounds, 0),
            ..Budget::default()
        })
        .property(watch(SuccessMoves(record())))
        .property(watch(DeletedIsGone(record())))
        .property(watch(MovesLoseNothing(record())))
        .property(done());
    judged(frame)
}

fn update_move_twice(bounds: Bounds) -> Frame {
    let frame = Frame::new("update-move-twice")
        .node(with("v"))
        .node(Store::new(HashRange::FULL))
        .client(&[0, 1])
        .asks(Request::Update(record()))
        .decides(&[replace("a")])
        .client(&[0, 1])
        .asks(Request::Update(record()))
        .decides(&[replace("b")])
        .budget(breaks(bounds))
        .property(watch(SuccessMoves(record())))
        .property(watch(MovesLoseNothing(record())))
        .property(conflict());
    judged(frame)
}

fn update_move_written(bounds: Bounds) -> Frame {
    let what = WriteKind::Put(KEY, Bytes::from_static(b"p"));
    let frame = Frame::new("update-move-written")
        .node(with("v"))
        .node(Store::new(HashRange::FULL))
        .client(&[0, 1])
        .asks(Request::Update(record()))
        .decides(&[replace("w")])
        .writer(vec![Write {
            node: 0,
            channel: CHANNEL.into(),
            what,
        }])
        .budget(breaks(bounds))
        .property(watch(MovesLoseNothing(record())));
    judged(frame)
}

fn update_two_copies(bounds: Bounds) -> Frame {
    let frame = Frame::new("update-two-copies")
        .node(with("old"))
        .node(with("v"))
        .client(&[0, 1])
        .asks(Request::Update(record()))
        .decides(&[replace("w"), Decision::Delete, Decision::Leave])
        .budget(breaks(bounds))
        .property(watch(SuccessMoves(record())))
        .property(watch(DeletedIsGone(record())))
        .property(watch(MovesLoseNothing(record())))
        .property(done());
    judged(frame)
}

/// With what is true of every Update.
pub(super) fn judged(frame: Frame) -> Frame {
    frame
        .property(watch(Reception))
        .property(watch(EndsOnce))
        .property(watch(ALL_END))
        .property(watch(AskedOnce))
        .property(watch(CompareAndWrite(record())))
        .property(watch(RefusedChangesNothing))
        .property(watch(LeftIsUnchanged))
        .property(watch(EveryUpdateIsClosed))
        .property(watch(ReceivedOnce))
        .property(watch(ConflictIsReal(record())))
}

fn done() -> Box<dyn crate::property::AnyProperty> {
    watch(Reaches {
        id: "done",
        sentence: "An Update succeeds.",
        when: |note| ends(note, Updated::Done),
    })
}

fn conflict() -> Box<dyn crate::property::AnyProperty> {
    watch(Reaches {
        id: "conflict",
        sentence: "An Update meets a conflict.",
        when: |note| ends(note, Updated::Conflict),
    })
}

fn ends(note: &Note, like: Updated) -> bool {
    let like = Told::Update(Notification::Ended(Ok(like)));
    matches!(note, Note::Told(_, told) if *told == like)
}

fn with(value: &'static str) -> Store {
    Store::new(HashRange::FULL).with(CHANNEL, KEY, value)
}

pub(super) fn replace(value: &'static str) -> Decision {
    Decision::Replace(Bytes::from_static(value.as_bytes()))
}

/// The record that all are about.
pub(super) fn record() -> RecordName {
    RecordName {
        channel: CHANNEL.into(),
        key: KEY,
    }
}

/// A connection breaks, unless it has to be small.
fn breaks(bounds: Bounds) -> Budget {
    Budget {
        breaks: more(bounds, 0),
        ..Budget::default()
    }
}

/// So often, and more often if there is time.
fn more(bounds: Bounds, least: u8) -> u8 {
    match bounds {
        Bounds::Small => least,
        Bounds::Default => least.max(1),
        Bounds::Deep => least.max(1) + 1,
    }
}
