//! Models of a Mirror that is not alone: a client that writes itself, a second Mirror, a second node,
//! a redistribution.

use dht_protocol::neo::client::Request;
use dht_protocol::neo::request::control::Control;
use dht_protocol::neo::request::mirror::Settings;
use dht_protocol::neo::request::update::Decision;
use dht_protocol::neo::request::{RecordName, put};
use dht_protocol::{HashRange, Key};

use super::mirror::{
    ALL, CHANNEL, QUIET, agrees, follow, judged, judged_for_loss, mirror, node, put, queue,
    reaches, remove, remove_channel, room, sends, value, write,
};
use super::{Bounds, Entry};
use crate::defect::Defect;
use crate::property::every_request::Ends;
use crate::property::mirror::{Goal, ReportsRealRemovals, ReportsRemoval, What};
use crate::property::replica::Converges;
use crate::property::watch;
use crate::world::{Budget, Frame, Store, Transfer, WriteKind};

/// The models of this file.
pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        name: "mirror-put",
        about: "A client follows a channel and writes to it over the same connection.",
        frame: with_put,
        shows: &[(Defect::M60, "P58")],
        expected: &[],
        states: 982,
    },
    Entry {
        name: "mirror-twice",
        about: "A client follows a channel twice, and suspends one of the two.",
        frame: twice,
        shows: &[(Defect::F03, "P60")],
        expected: &[],
        states: 2478,
    },
    Entry {
        name: "mirror-nodes",
        about: "A Mirror follows a channel on two nodes, one of which is lost for a while.",
        frame: nodes,
        shows: &[(Defect::F03, "P60")],
        expected: &[],
        states: 6161,
    },
    Entry {
        name: "mirror-nodes-control",
        about: "A Mirror on two nodes is suspended and stopped while one is lost for a while.",
        frame: nodes_controlled,
        shows: &[
            (Defect::F30, "P39"),
            (Defect::F32, "P36"),
            (Defect::F32, "P37"),
        ],
        expected: &[],
        states: 2126,
    },
    Entry {
        name: "mirror-transfer",
        about: "A record that a Mirror follows moves to another node.",
        frame: transfer,
        shows: &[(Defect::M62, "P57")],
        expected: &["P64"],
        states: 948,
    },
];

fn with_put(bounds: Bounds) -> Frame {
    let record = RecordName {
        channel: CHANNEL.into(),
        key: Key(1),
    };
    let open = put::Open {
        record: record.clone(),
        value: value(b'b'),
    };
    let frame = Frame::new("mirror-put")
        .node(node(&[(1, b'a')]))
        .client(&[0])
        .asks(follow(QUIET))
        .asks(Request::Remove(record.clone()))
        .asks(Request::Put(open));
    let frame = match bounds {
        Bounds::Small => frame,
        Bounds::Default | Bounds::Deep => frame
            .asks(Request::Update(record))
            .decides(&[Decision::Replace(value(b'c'))]),
    };
    let updates = match bounds {
        Bounds::Small | Bounds::Default => 1,
        Bounds::Deep => 2,
    };
    let frame = judged_for_loss(judged(frame))
        .property(agrees())
        .property(sends(What::Updates))
        .property(watch(Ends(&[1, 2, 3])))
        .property(reaches(Goal::Overflow));
    room(queue(frame, updates), 1)
}

fn twice(bounds: Bounds) -> Frame {
    let calls = match bounds {
        Bounds::Small => 1,
        Bounds::Default | Bounds::Deep => 2,
    };
    let writes = match bounds {
        Bounds::Small => vec![put(1, b'b'), remove_channel()],
        Bounds::Default => vec![put(1, b'b'), remove(1), remove_channel()],
        Bounds::Deep => vec![put(1, b'b'), remove(1), put(1, b'c'), remove_channel()],
    };
    let frame = Frame::new("mirror-twice")
        .node(node(&[(1, b'a')]))
        .client(&[0])
        .asks(follow(QUIET))
        .asks(follow(QUIET))
        .controls(&[Control::Suspend, Control::Resume], calls)
        .writer(writes);
    let frame = judged(frame)
        .property(sends(What::Updates))
        .property(watch(ReportsRemoval(mirror())));
    room(frame, 1)
}

fn nodes(bounds: Bounds) -> Frame {
    let there = write(1, CHANNEL, WriteKind::Put(Key(2), value(b'd')));
    let calls = match bounds {
        Bounds::Small => 0,
        Bounds::Default => 1,
        Bounds::Deep => 2,
    };
    let frame = Frame::new("mirror-nodes")
        .node(node(&[(1, b'a')]))
        .node(node(&[(2, b'b')]))
        .client(&[0, 1])
        .asks(follow(Settings {
            initial_refresh: true,
            ..QUIET
        }))
        .controls(&[Control::Suspend, Control::Resume], calls)
        .writer(vec![remove_channel()])
        .writer(vec![there])
        .budget(Budget {
            breaks: 1,
            ..Budget::default()
        });
    let frame = judged(frame)
        .property(sends(What::Updates))
        .property(watch(ReportsRemoval(mirror())))
        .property(watch(Converges(mirror())));
    room(frame, 1)
}

fn nodes_controlled(bounds: Bounds) -> Frame {
    let (controls, calls): (&[_], _) = match bounds {
        Bounds::Small => (&[Control::Suspend, Control::Stop], 1),
        Bounds::Default => (ALL, 2),
        Bounds::Deep => (ALL, 4),
    };
    let frame = Frame::new("mirror-nodes-control")
        .node(node(&[]))
        .node(node(&[]))
        .client(&[0, 1])
        .asks(follow(QUIET))
        .controls(controls, calls)
        .budget(Budget {
            breaks: 1,
            ..Budget::default()
        });
    room(judged(frame), 1)
}

fn transfer(bounds: Bounds) -> Frame {
    // Odd keys stand in the upper half.
    let half = u64::MAX / 2;
    let ranges = HashRange::new(0, half).zip(HashRange::new(half + 1, u64::MAX));
    let (keeps, gets) = ranges.unwrap_or((HashRange::FULL, HashRange::EMPTY));
    let frame = Frame::new("mirror-transfer")
        .node(node(&[(1, b'a'), (2, b'b')]))
        .node(Store::new(gets))
        .client(&[0, 1])
        .asks(follow(QUIET))
        .writer(vec![remove(2), put(2, b'd')])
        .transfer(Transfer {
            from: 0,
            to: 1,
            keeps,
            gets,
        });
    let frame = match bounds {
        Bounds::Small => frame,
        Bounds::Default => frame.controls(&[Control::Suspend, Control::Resume], 2),
        Bounds::Deep => frame.controls(&[Control::Suspend, Control::Resume], 4),
    };
    let frame = judged(frame)
        .property(agrees())
        .property(sends(What::Updates))
        .property(watch(ReportsRealRemovals(mirror())));
    room(frame, 1)
}
