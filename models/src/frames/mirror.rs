//! Models of a Mirror that follows changes: writers, a queue that overflows, a channel that is removed,
//! connections that break. Dumps are in [`mirror_refresh`](super::mirror_refresh), other requests and nodes
//! beside it in [`mirror_together`](super::mirror_together).

use bytes::Bytes;
use dht_protocol::neo::Limits;
use dht_protocol::neo::client::Request;
use dht_protocol::neo::request::control::Control;
use dht_protocol::neo::request::mirror::Settings;
use dht_protocol::{HashRange, Key};

use super::{Bounds, Entry};
use crate::defect::Defect;
use crate::property::control::Stream;
use crate::property::every_request::{EndsOnce, Reception};
use crate::property::mirror::{
    Goal, Mirror, QueueIsBounded, Reaches, ReportsLoss, ReportsLossOnly, ReportsRemoval, Sends,
    What,
};
use crate::property::replica::{Agrees, Behind, Converges, InOrder, Isolated};
use crate::property::{AnyProperty, watch};
use crate::world::{Budget, Frame, Node, Store, Write, WriteKind};

/// The models of this file.
pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        name: "mirror-writers",
        about: "A Mirror follows a record that is written and removed faster than it is sent.",
        frame: writers,
        shows: &[
            (Defect::M60, "P58"),
            (Defect::M61, "P59"),
            (Defect::M62, "P57"),
            (Defect::M63, "P65"),
        ],
        expected: &[],
        states: 618,
    },
    Entry {
        name: "mirror-overflow",
        about: "A Mirror that is suspended loses changes, again and again.",
        frame: overflow,
        shows: &[(Defect::M60, "P58"), (Defect::M63, "P65")],
        expected: &[],
        states: 1070,
    },
    Entry {
        name: "mirror-removal",
        about: "The channel is removed under a Mirror that runs or is suspended, and another one follows.",
        frame: removal,
        shows: &[(Defect::F03, "P60"), (Defect::F04, "P61")],
        expected: &[],
        states: 480,
    },
    Entry {
        name: "mirror-recreated",
        about: "The channel is removed and created anew while the connection may break.",
        frame: recreated,
        shows: &[(Defect::F03, "P60"), (Defect::F04, "P61")],
        expected: &[],
        states: 660,
    },
    Entry {
        name: "mirror-control",
        about: "A Mirror is suspended, resumed and stopped while its channel is removed.",
        frame: controlled,
        shows: &[
            (Defect::F03, "P60"),
            (Defect::F30, "P39"),
            (Defect::M23, "P27"),
            (Defect::M25, "P32"),
        ],
        expected: &[],
        states: 530,
    },
];

/// Whatever a user can call.
pub(super) const ALL: &[Control] = &[Control::Suspend, Control::Resume, Control::Stop];

/// The channel that is followed.
pub(super) const CHANNEL: &str = "c";

/// No dumps.
pub(super) const QUIET: Settings = Settings {
    initial_refresh: false,
    periodic_refresh_s: 0,
};

/// The first request, by the first client.
pub(super) fn mirror() -> Mirror {
    Mirror {
        request: 0,
        client: 0,
        channel: CHANNEL.into(),
    }
}

/// Follow the channel.
pub(super) fn follow(settings: Settings) -> Request {
    Request::Mirror(CHANNEL.into(), settings)
}

/// A value that is told from others by its first byte.
pub(super) fn value(tag: u8) -> Bytes {
    Bytes::copy_from_slice(&[tag])
}

/// Writes to the channel on the first node.
pub(super) fn put(key: u64, tag: u8) -> Write {
    write(0, CHANNEL, WriteKind::Put(Key(key), value(tag)))
}

/// Removes from the channel on the first node.
pub(super) fn remove(key: u64) -> Write {
    write(0, CHANNEL, WriteKind::Remove(Key(key)))
}

pub(super) fn remove_channel() -> Write {
    write(0, CHANNEL, WriteKind::RemoveChannel)
}

pub(super) fn write(node: Node, channel: &str, what: WriteKind) -> Write {
    Write {
        node,
        channel: channel.into(),
        what,
    }
}

/// A node that is responsible for everything, with these records in the channel.
pub(super) fn node(records: &[(u64, u8)]) -> Store {
    let records = records.iter();
    records.fold(Store::new(HashRange::FULL), |store, (key, tag)| {
        store.with(CHANNEL, Key(*key), value(*tag))
    })
}

/// So many updates may wait.
pub(super) fn queue(mut frame: Frame, updates: usize) -> Frame {
    frame.limits = Limits {
        mirror_queue: updates,
        ..frame.limits
    };
    frame
}

/// So many messages may be on the way before the node waits.
pub(super) fn room(mut frame: Frame, room: usize) -> Frame {
    frame.room = room;
    frame
}

/// What is true of every Mirror.
pub(super) fn judged(frame: Frame) -> Frame {
    let order = |behind| {
        watch(InOrder {
            mirror: mirror(),
            behind,
        })
    };
    let mut frame = frame
        .property(watch(Reception))
        .property(watch(EndsOnce))
        .property(order(Behind::Value))
        .property(order(Behind::Removal))
        .property(watch(Isolated(mirror())));
    let stream = Stream::of(&frame, 0);
    let properties = stream.map(|stream| stream.properties(&frame));
    for property in properties.into_iter().flatten() {
        // What a Mirror owes that is stopped says nothing where none is.
        let stops = frame.requests[0].controls.contains(&Control::Stop);
        if stops || !matches!(property.about().id, "P34" | "P35") {
            frame = frame.property(property);
        }
    }
    frame
}

/// What is true of every Mirror of a record that is written again after it was sent.
pub(super) fn agrees() -> Box<dyn AnyProperty> {
    watch(Agrees(mirror()))
}

/// What is true of every Mirror whose queue may overflow.
pub(super) fn judged_for_loss(frame: Frame) -> Frame {
    frame
        .property(watch(ReportsLoss(mirror())))
        .property(watch(ReportsLossOnly(mirror())))
        .property(watch(QueueIsBounded(mirror())))
}

/// What has to be sent is sent.
pub(super) fn sends(what: What) -> Box<dyn AnyProperty> {
    let mirror = mirror();
    watch(Sends { mirror, what })
}

/// This is reached.
pub(super) fn reaches(goal: Goal) -> Box<dyn AnyProperty> {
    let mirror = mirror();
    watch(Reaches { mirror, goal })
}

fn writers(bounds: Bounds) -> Frame {
    let frame = Frame::new("mirror-writers")
        .node(node(&[(1, b'a')]))
        .client(&[0])
        .asks(follow(QUIET))
        .writer(vec![put(1, b'b'), remove(1), put(1, b'c')]);
    let frame = match bounds {
        Bounds::Small => frame.writer(vec![put(2, b'd')]),
        Bounds::Default => frame.writer(vec![put(2, b'd'), remove(2), put(1, b'e')]),
        Bounds::Deep => {
            let again = [put(1, b'e'), remove(1), put(2, b'f')];
            frame.writer([vec![put(2, b'd'), remove(2)], again.to_vec()].concat())
        }
    };
    let frame = judged_for_loss(judged(frame))
        .property(agrees())
        .property(sends(What::Updates))
        .property(reaches(Goal::Overflow));
    room(queue(frame, 2), 2)
}

fn overflow(bounds: Bounds) -> Frame {
    let (calls, more) = match bounds {
        Bounds::Small => (2, vec![]),
        Bounds::Default => (4, vec![put(2, b'd'), put(2, b'e')]),
        Bounds::Deep => (6, vec![put(2, b'd'), put(2, b'e'), remove(2)]),
    };
    let frame = Frame::new("mirror-overflow")
        .node(node(&[(1, b'a')]))
        .client(&[0])
        .asks(follow(QUIET))
        .controls(&[Control::Suspend, Control::Resume], calls)
        .writer(vec![put(1, b'b'), remove(1), put(1, b'c')])
        .writer(more);
    let frame = judged_for_loss(judged(frame))
        .property(agrees())
        .property(sends(What::Updates))
        .property(sends(What::Suspended))
        .property(reaches(Goal::Overflow));
    room(queue(frame, 1), 1)
}

fn removal(bounds: Bounds) -> Frame {
    let (controls, calls): (&[_], _) = match bounds {
        Bounds::Small => (&[Control::Suspend], 1),
        Bounds::Default => (ALL, 3),
        Bounds::Deep => (ALL, 6),
    };
    let other = write(0, "d", WriteKind::Put(Key(1), value(b'z')));
    let frame = Frame::new("mirror-removal")
        .node(node(&[(1, b'a')]))
        .client(&[0])
        .asks(follow(Settings {
            initial_refresh: true,
            ..QUIET
        }))
        .controls(controls, calls)
        .writer(vec![put(1, b'b'), remove_channel(), other]);
    let frame = judged(frame)
        .property(sends(What::Updates))
        .property(watch(ReportsRemoval(mirror())))
        .property(watch(Converges(mirror())))
        .property(reaches(Goal::SuspendedRemoval));
    room(frame, 2)
}

fn recreated(bounds: Bounds) -> Frame {
    let (breaks, calls) = match bounds {
        Bounds::Small => (1, 0),
        Bounds::Default => (2, 1),
        Bounds::Deep => (3, 2),
    };
    let frame = Frame::new("mirror-recreated")
        .node(node(&[(1, b'a')]))
        .client(&[0])
        .asks(follow(Settings {
            initial_refresh: true,
            ..QUIET
        }))
        .controls(&[Control::Suspend, Control::Resume], calls)
        .writer(vec![put(1, b'b'), remove_channel(), put(1, b'z')])
        .budget(Budget {
            breaks,
            ..Budget::default()
        });
    let frame = judged(frame)
        .property(sends(What::Updates))
        .property(watch(ReportsRemoval(mirror())))
        .property(watch(Converges(mirror())));
    room(frame, 1)
}

fn controlled(bounds: Bounds) -> Frame {
    let (calls, writes) = match bounds {
        Bounds::Small => (2, vec![put(1, b'b'), remove_channel()]),
        Bounds::Default => (4, vec![put(1, b'b'), remove(1), remove_channel()]),
        Bounds::Deep => (
            8,
            vec![put(1, b'b'), remove(1), put(1, b'c'), remove_channel()],
        ),
    };
    let frame = Frame::new("mirror-control")
        .node(node(&[(1, b'a')]))
        .client(&[0])
        .asks(follow(QUIET))
        .controls(ALL, calls)
        .writer(writes);
    let frame = judged(frame)
        .property(sends(What::Updates))
        .property(watch(ReportsRemoval(mirror())));
    room(frame, 1)
}
