//! Models of a Mirror that dumps the channel at the start or periodically.

use bytes::Bytes;
use dht_protocol::neo::batch::MAX_REFRESH_VALUE;
use dht_protocol::neo::request::control::Control;
use dht_protocol::neo::request::mirror::Settings;
use dht_protocol::{HashRange, Key};

use super::mirror::{
    CHANNEL, agrees, follow, judged, mirror, node, put, queue, reaches, remove, room, sends,
};
use super::{Bounds, Entry};
use crate::defect::Defect;
use crate::property::mirror::{Goal, What};
use crate::property::replica::Converges;
use crate::property::watch;
use crate::world::{Budget, Frame, Store, Write, WriteKind};

/// The models of this file.
pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        name: "mirror-dump",
        about: "Records are written while they are being dumped at the start.",
        frame: dump,
        shows: &[(Defect::F05, "P54"), (Defect::F05, "P55")],
        expected: &[],
        states: 217,
    },
    Entry {
        name: "mirror-dump-removal",
        about: "A record is removed while it is being dumped at the start.",
        frame: dump_removal,
        shows: &[(Defect::F05, "P54"), (Defect::F05, "P56")],
        expected: &[],
        states: 206,
    },
    Entry {
        name: "mirror-large",
        about: "A dump takes one message for each record; records come and go meanwhile.",
        frame: large,
        shows: &[(Defect::F06, "P54")],
        expected: &[],
        states: 92,
    },
    Entry {
        name: "mirror-break",
        about: "The connection breaks and comes back, and the dump starts anew.",
        frame: broken,
        shows: &[(Defect::M35, "P10"), (Defect::M35, "P54")],
        expected: &[],
        states: 1214,
    },
    Entry {
        name: "mirror-period",
        about: "A Mirror is suspended and resumed while its period ends and records are written.",
        frame: period,
        shows: &[
            (Defect::F02, "P42-fibers"),
            (Defect::F02, "P54"),
            (Defect::F02, "P62"),
            (Defect::F02, "P63"),
        ],
        expected: &[],
        states: 3632,
    },
];

const INITIAL: Settings = Settings {
    initial_refresh: true,
    periodic_refresh_s: 0,
};

fn dump(bounds: Bounds) -> Frame {
    let more = match bounds {
        Bounds::Small => vec![],
        Bounds::Default => vec![put(3, b'w'), put(1, b'e')],
        Bounds::Deep => vec![put(3, b'w'), put(1, b'e'), remove(2), remove(3)],
    };
    let frame = Frame::new("mirror-dump")
        .node(node(&[(1, b'a'), (2, b'b'), (3, b'c')]))
        .client(&[0])
        .asks(follow(INITIAL))
        .writer(vec![put(2, b'x'), put(2, b'y'), put(1, b'z')])
        .writer(more);
    let frame = judged(frame)
        .property(sends(What::Updates))
        .property(agrees())
        .property(watch(Converges(mirror())))
        .property(reaches(Goal::EarlyBatch));
    room(frame, 2)
}

fn dump_removal(bounds: Bounds) -> Frame {
    let more = match bounds {
        Bounds::Small => vec![],
        Bounds::Default => vec![remove(2), put(1, b'e')],
        Bounds::Deep => vec![remove(2), put(1, b'e'), put(3, b'w'), remove(3)],
    };
    let frame = Frame::new("mirror-dump-removal")
        .node(node(&[(1, b'a'), (2, b'b')]))
        .client(&[0])
        .asks(follow(INITIAL))
        .writer(vec![put(2, b'x'), put(2, b'y'), remove(1)])
        .writer(more);
    let frame = judged(frame)
        .property(sends(What::Updates))
        .property(agrees())
        .property(watch(Converges(mirror())));
    room(frame, 2)
}

/// A value that fills a batch.
fn full(tag: u8) -> Bytes {
    vec![tag; MAX_REFRESH_VALUE].into()
}

fn large(bounds: Bounds) -> Frame {
    let write = |what| Write {
        node: 0,
        channel: CHANNEL.into(),
        what,
    };
    let store = Store::new(HashRange::FULL)
        .with(CHANNEL, Key(1), full(b'a'))
        .with(CHANNEL, Key(2), full(b'b'));
    let new = write(WriteKind::Put(Key(2), full(b'y')));
    let gone = write(WriteKind::Remove(Key(1)));
    let back = write(WriteKind::Put(Key(1), full(b'z')));
    let frame = Frame::new("mirror-large").node(store).client(&[0]);
    let frame = frame.asks(follow(INITIAL));
    let frame = match bounds {
        Bounds::Small => frame.writer(vec![gone, back]),
        Bounds::Default => frame.writer(vec![gone, back]).writer(vec![new]),
        Bounds::Deep => frame
            .controls(&[Control::Suspend, Control::Resume], 2)
            .writer(vec![gone, back])
            .writer(vec![new]),
    };
    let frame = judged(frame)
        .property(sends(What::Updates))
        .property(watch(Converges(mirror())));
    room(frame, 1)
}

fn broken(bounds: Bounds) -> Frame {
    let (breaks, writes) = match bounds {
        Bounds::Small => (1, vec![put(1, b'x')]),
        Bounds::Default => (2, vec![put(1, b'x'), remove(2)]),
        Bounds::Deep => (3, vec![put(1, b'x'), remove(2), put(2, b'y')]),
    };
    let frame = Frame::new("mirror-break")
        .node(node(&[(1, b'a'), (2, b'b')]))
        .client(&[0])
        .asks(follow(INITIAL))
        .controls(&[Control::Suspend, Control::Resume], 1)
        .writer(writes)
        .budget(Budget {
            breaks,
            restarts: u8::from(bounds == Bounds::Deep),
            ..Budget::default()
        });
    let frame = judged(frame)
        .property(sends(What::Updates))
        .property(watch(Converges(mirror())));
    room(frame, 2)
}

fn period(bounds: Bounds) -> Frame {
    let (ticks, calls, writes) = match bounds {
        Bounds::Small => (1, 2, vec![put(1, b'x'), put(1, b'y')]),
        Bounds::Default => (2, 3, vec![put(1, b'x'), remove(1), put(2, b'y')]),
        Bounds::Deep => (3, 6, vec![put(1, b'x'), remove(1), put(2, b'y')]),
    };
    let frame = Frame::new("mirror-period")
        .node(node(&[(1, b'a'), (2, b'b')]))
        .client(&[0])
        .asks(follow(Settings {
            periodic_refresh_s: 60,
            ..INITIAL
        }))
        .controls(&[Control::Suspend, Control::Resume], calls)
        .writer(writes)
        .budget(Budget {
            ticks,
            ..Budget::default()
        });
    let frame = judged(frame)
        .property(sends(What::Updates))
        .property(sends(What::Suspended))
        .property(sends(What::Dumps))
        .property(watch(Converges(mirror())));
    room(queue(frame, 2), 2)
}
