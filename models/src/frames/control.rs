//! Models of Suspend, Resume and Stop, by a GetAll of few records: whatever the user calls, whenever, on one
//! node or on two whose connections break.

use bytes::Bytes;
use dht_protocol::neo::client::Request;
use dht_protocol::neo::request::control::Control;
use dht_protocol::neo::request::get_all::Settings;
use dht_protocol::{HashRange, Key};

use super::{Bounds, Entry};
use crate::defect::Defect;
use crate::property::control::{Goal, Reaches, Stream};
use crate::property::every_request::{EndsOnce, Reception};
use crate::property::get_all::{EndsUnlessSuspended, FinishedEverywhere, Reading};
use crate::property::watch;
use crate::world::{Budget, Frame, Store};

/// The models of this file.
pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        name: "control",
        about: "A GetAll of two batches on one node is suspended, resumed and stopped in any order.",
        frame: one_node,
        shows: &[
            (Defect::F30, "P39"),
            (Defect::M20, "P28"),
            (Defect::M21, "P30"),
            (Defect::M22, "P29"),
            (Defect::M23, "P27"),
            (Defect::M24, "P31"),
            (Defect::M24, "P41"),
            (Defect::M25, "P32"),
            (Defect::M27, "P33"),
            (Defect::M27, "P34"),
            (Defect::M27, "P35"),
            (Defect::M28, "P37"),
            (Defect::M29, "P38"),
            (Defect::M32, "P42"),
            (Defect::M33, "P36"),
            (Defect::M34, "P06"),
        ],
        expected: &[],
        states: 313,
    },
    Entry {
        name: "control-empty",
        about: "A GetAll of an empty channel ends although it is suspended.",
        frame: empty,
        shows: &[(Defect::M20, "P28"), (Defect::M34, "P32")],
        expected: &[],
        states: 295,
    },
    Entry {
        name: "control-break",
        about: "A GetAll is suspended, resumed and stopped while its node is lost and comes back.",
        frame: broken,
        shows: &[
            (Defect::F30, "P39"),
            (Defect::F31, "P08"),
            (Defect::F31, "P35"),
            (Defect::F32, "P37"),
            (Defect::M30, "P40"),
            (Defect::M31, "P43"),
            (Defect::M35, "P10"),
        ],
        expected: &[],
        states: 2534,
    },
    Entry {
        name: "control-away",
        about: "A GetAll is suspended, resumed and stopped while its node is lost, perhaps for ever.",
        frame: away,
        shows: &[(Defect::F31, "P35"), (Defect::F32, "P37")],
        expected: &[],
        states: 1879,
    },
    Entry {
        name: "control-nodes",
        about: "A GetAll on two nodes is suspended and stopped while one of them ends or is lost.",
        frame: two_nodes,
        shows: &[
            (Defect::F30, "P39"),
            (Defect::F32, "P36"),
            (Defect::F32, "P37"),
        ],
        expected: &[],
        states: 3111,
    },
    Entry {
        name: "control-two",
        about: "Two GetAlls of one client are suspended, resumed and stopped.",
        frame: two_requests,
        shows: &[(Defect::M21, "P30"), (Defect::M27, "P28")],
        expected: &[],
        states: 1824,
    },
    Entry {
        name: "control-paced",
        about: "A GetAll whose user has more to read than it can for a while.",
        frame: paced,
        shows: &[
            (Defect::M28, "P37"),
            (Defect::M32, "P42"),
            (Defect::M46, "own-changes"),
        ],
        expected: &[],
        states: 801,
    },
];

const ALL: &[Control] = &[Control::Suspend, Control::Resume, Control::Stop];

/// A node with so many records, each a batch of its own.
pub(super) fn node_with(keys: &[u64]) -> Store {
    keys.iter().fold(Store::new(HashRange::FULL), |store, key| {
        store.with("c", Key(*key), large(*key as u8))
    })
}

/// A value that leaves no room for another one in a batch.
pub(super) fn large(first: u8) -> Bytes {
    let mut value = vec![0; 40_000];
    value[0] = first;
    value.into()
}

pub(super) fn get_all() -> Request {
    Request::GetAll("c".into(), Settings::default())
}

/// With what is to be true of a request that is controlled, here the first one.
pub(super) fn watched(mut frame: Frame) -> Frame {
    frame = frame.property(watch(Reception)).property(watch(EndsOnce));
    let stream = Stream::of(&frame, 0);
    let properties = stream.map(|stream| stream.properties(&frame));
    for property in properties.into_iter().flatten() {
        frame = frame.property(property);
    }
    if let Some(reading) = Reading::of(&frame, 0) {
        frame = frame
            .property(watch(EndsUnlessSuspended(reading.clone())))
            .property(watch(FinishedEverywhere(reading)));
    }
    frame
}

/// With goals that show that the interesting things happen.
fn reaching(mut frame: Frame, goals: &[Goal]) -> Frame {
    if let Some(stream) = Stream::of(&frame, 0) {
        for goal in goals {
            frame = frame.property(watch(Reaches(*goal, stream)));
        }
    }
    frame
}

fn one_node(bounds: Bounds) -> Frame {
    let (keys, calls): (&[u64], u8) = match bounds {
        Bounds::Small => (&[1], 2),
        Bounds::Default => (&[1, 2], 4),
        Bounds::Deep => (&[1, 2, 3, 4], 8),
    };
    let frame = Frame::new("control")
        .node(node_with(keys))
        .client(&[0])
        .asks(get_all())
        .controls(ALL, calls);
    let goals = [Goal::FinishedCrossesSuspend, Goal::Stopped];
    reaching(watched(frame), &goals)
}

fn empty(bounds: Bounds) -> Frame {
    let calls = match bounds {
        Bounds::Small => 2,
        Bounds::Default => 3,
        Bounds::Deep => 5,
    };
    let frame = Frame::new("control-empty")
        .node(node_with(&[]))
        .client(&[0])
        .asks(get_all())
        .controls(ALL, calls);
    let goals = [
        Goal::FinishedCrossesSuspend,
        Goal::FinishedWhileSuspended,
        Goal::EmptyBatch,
    ];
    reaching(watched(frame), &goals)
}

fn broken(bounds: Bounds) -> Frame {
    let (keys, calls, breaks): (&[u64], u8, u8) = match bounds {
        Bounds::Small => (&[1], 2, 1),
        Bounds::Default => (&[1, 2], 3, 1),
        Bounds::Deep => (&[1, 2], 4, 2),
    };
    let frame = Frame::new("control-break")
        .node(node_with(keys))
        .client(&[0])
        .asks(get_all())
        .controls(ALL, calls)
        .budget(Budget {
            breaks,
            ..Budget::default()
        });
    reaching(watched(frame), &[Goal::Stopped])
}

/// What the user was promised comes also if the node does not.
fn away(bounds: Bounds) -> Frame {
    let frame = Frame {
        name: "control-away".to_owned(),
        may_stay_away: true,
        ..broken(bounds)
    };
    let properties = frame.properties.into_iter();
    let properties = properties
        .filter(|property| matches!(property.about().id, "P35" | "P37"))
        .collect();
    Frame {
        properties,
        ..frame
    }
}

fn two_nodes(bounds: Bounds) -> Frame {
    let (controls, calls, breaks) = match bounds {
        Bounds::Small => (&[Control::Suspend, Control::Stop][..], 1, 0),
        Bounds::Default => (&[Control::Suspend, Control::Stop][..], 1, 1),
        Bounds::Deep => (ALL, 2, 1),
    };
    let frame = Frame::new("control-nodes")
        .node(node_with(&[]))
        .node(node_with(&[2]))
        .client(&[0, 1])
        .asks(get_all())
        .controls(controls, calls)
        .budget(Budget {
            breaks,
            ..Budget::default()
        });
    reaching(watched(frame), &[Goal::Stopped])
}

fn two_requests(bounds: Bounds) -> Frame {
    let (keys, calls): (&[u64], [u8; 2]) = match bounds {
        Bounds::Small => (&[], [1, 0]),
        Bounds::Default => (&[1], [1, 1]),
        Bounds::Deep => (&[1, 2], [4, 4]),
    };
    let frame = Frame::new("control-two")
        .node(node_with(keys))
        .client(&[0])
        .asks(get_all())
        .controls(ALL, calls[0])
        .asks(get_all())
        .controls(ALL, calls[1]);
    watched(frame)
}

fn paced(bounds: Bounds) -> Frame {
    let (keys, calls, paces): (&[u64], u8, u8) = match bounds {
        Bounds::Small => (&[1], 1, 2),
        Bounds::Default => (&[1, 2], 2, 4),
        Bounds::Deep => (&[1, 2, 3], 3, 6),
    };
    let frame = Frame::new("control-paced")
        .node(node_with(keys))
        .client(&[0])
        .asks(get_all())
        .controls(ALL, calls)
        .budget(Budget {
            paces,
            ..Budget::default()
        });
    watched(frame)
}
