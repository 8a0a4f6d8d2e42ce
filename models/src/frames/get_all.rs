//! Models of a GetAll while its channel changes: records come and go, connections break, channels are
//! removed, and others read too. Every large value is a batch of its own.

use bytes::Bytes;
use dht_protocol::Key;
use dht_protocol::neo::batch::MAX_VALUE;
use dht_protocol::neo::client::Request;
use dht_protocol::neo::request::control::Control;
use dht_protocol::neo::request::get_all::Settings;

use super::control::{get_all, large, node_with};
use super::{Bounds, Entry};
use crate::defect::Defect;
use crate::property::every_request::{EndsOnce, Reception};
use crate::property::get_all::{Complete, Reading};
use crate::property::watch;
use crate::world::{Budget, Frame, Write, WriteKind};

/// The models of this file.
pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        name: "get-all",
        about: "A record is removed while a GetAll is suspended and resumed.",
        frame: removal,
        shows: &[
            (Defect::F06, "P44"),
            (Defect::F08, "P45"),
            (Defect::M37, "P48"),
            (Defect::M38, "P49"),
            (Defect::M47, "reception"),
        ],
        expected: &[],
        states: 639,
    },
    Entry {
        name: "get-all-break",
        about: "A GetAll goes on after its connection broke, and the record it stands on is removed.",
        frame: broken,
        shows: &[
            (Defect::F06, "P44"),
            (Defect::F08, "P45"),
            (Defect::M26, "P51"),
            (Defect::M26, "P45"),
        ],
        expected: &[],
        states: 1228,
    },
    Entry {
        name: "get-all-nodes",
        about: "A GetAll reads two nodes, one of which is lost for a while.",
        frame: two_nodes,
        shows: &[(Defect::M26, "P51"), (Defect::M35, "P07")],
        expected: &[],
        states: 3909,
    },
    Entry {
        name: "get-all-filter",
        about: "A GetAll with a filter, while a record is written so that it matches, or no longer.",
        frame: filtered,
        shows: &[(Defect::M36, "P47")],
        expected: &[],
        states: 1049,
    },
    Entry {
        name: "get-all-keys",
        about: "A GetAll of keys alone with a filter, a value too large for a batch, and a removal.",
        frame: keys_only,
        shows: &[(Defect::F06, "P44"), (Defect::M36, "P47")],
        expected: &[],
        states: 433,
    },
    Entry {
        name: "get-all-large",
        about: "A GetAll of a channel with a record that is too large for a batch.",
        frame: too_large,
        shows: &[(Defect::M39, "P52")],
        expected: &[],
        states: 153,
    },
    Entry {
        name: "get-all-two",
        about: "Two GetAlls read one channel while a record is removed.",
        frame: two_readers,
        shows: &[(Defect::F07, "P53")],
        expected: &[],
        states: 1618,
    },
    Entry {
        name: "get-all-recreated",
        about: "The channel is removed under a GetAll, and another one is created in its place.",
        frame: recreated,
        shows: &[(Defect::F04, "P46")],
        expected: &[],
        states: 1364,
    },
    Entry {
        name: "get-all-growing",
        about: "Records are added before and behind a GetAll, and written anew.",
        frame: growing,
        shows: &[(Defect::M38, "P49")],
        expected: &[],
        states: 185,
    },
];

const PAUSE: &[Control] = &[Control::Suspend, Control::Resume];

/// With what is to be true of every GetAll, here the first request.
fn read(mut frame: Frame) -> Frame {
    frame = frame.property(watch(Reception)).property(watch(EndsOnce));
    let reading = Reading::of(&frame, 0);
    for property in reading.into_iter().flat_map(Reading::properties) {
        frame = frame.property(property);
    }
    frame
}

fn put(channel: &str, key: u64, value: impl Into<Bytes>) -> Write {
    Write {
        node: 0,
        channel: channel.into(),
        what: WriteKind::Put(Key(key), value.into()),
    }
}

fn remove(key: u64) -> Write {
    Write {
        node: 0,
        channel: "c".into(),
        what: WriteKind::Remove(Key(key)),
    }
}

fn removal(bounds: Bounds) -> Frame {
    let (calls, writes) = match bounds {
        Bounds::Small => (1, vec![remove(2)]),
        Bounds::Default => (2, vec![remove(2), remove(1)]),
        Bounds::Deep => (4, vec![remove(1), remove(2), put("c", 1, large(4))]),
    };
    let frame = Frame::new("get-all")
        .node(node_with(&[1, 2, 3]))
        .client(&[0])
        .asks(get_all())
        .controls(PAUSE, calls)
        .writer(writes);
    read(frame)
}

fn broken(bounds: Bounds) -> Frame {
    let (breaks, writes) = match bounds {
        Bounds::Small => (1, vec![remove(2)]),
        Bounds::Default => (1, vec![remove(2), remove(1)]),
        Bounds::Deep => (2, vec![remove(1), remove(2), put("c", 1, large(4))]),
    };
    let frame = Frame::new("get-all-break")
        .node(node_with(&[1, 2, 3]))
        .client(&[0])
        .asks(get_all())
        .writer(writes)
        .budget(Budget {
            breaks,
            ..Budget::default()
        });
    read(frame)
}

fn two_nodes(bounds: Bounds) -> Frame {
    let keys: &[u64] = match bounds {
        Bounds::Small => &[],
        Bounds::Default => &[2],
        Bounds::Deep => &[2, 4],
    };
    let frame = Frame::new("get-all-nodes")
        .node(node_with(&[1]))
        .node(node_with(keys))
        .client(&[0, 1])
        .asks(get_all())
        .budget(Budget {
            breaks: 1,
            ..Budget::default()
        });
    read(frame)
}

fn filtered(bounds: Bounds) -> Frame {
    let mut frame = Frame::new("get-all-filter")
        .node(
            node_with(&[])
                .with("c", Key(1), "1 yes")
                .with("c", Key(2), "2 no")
                .with("c", Key(3), "3 yes"),
        )
        .client(&[0])
        .asks(Request::GetAll("c".into(), matching("yes")))
        .controls(PAUSE, 1)
        .writer(vec![put("c", 2, "4 yes"), put("c", 3, "5 no")]);
    if bounds != Bounds::Small {
        frame = frame.controls(PAUSE, 2).writer(vec![remove(1)]);
    }
    read(frame)
}

fn keys_only(bounds: Bounds) -> Frame {
    let mut settings = matching("yes");
    settings.keys_only = true;
    let mut big = b"2 yes".to_vec();
    big.resize(MAX_VALUE + 1, 0);
    let mut frame = Frame::new("get-all-keys")
        .node(
            node_with(&[])
                .with("c", Key(1), "1 yes")
                .with("c", Key(2), big)
                .with("c", Key(3), "3 no"),
        )
        .client(&[0])
        .asks(Request::GetAll("c".into(), settings))
        .controls(PAUSE, 1)
        .writer(vec![remove(1)]);
    if bounds != Bounds::Small {
        frame = frame.controls(PAUSE, 2).writer(vec![put("c", 3, "4 yes")]);
    }
    read(frame)
}

fn too_large(bounds: Bounds) -> Frame {
    let mut frame = Frame::new("get-all-large")
        .node(
            node_with(&[])
                .with("c", Key(1), vec![1; MAX_VALUE])
                .with("c", Key(2), vec![2; MAX_VALUE + 1])
                .with("c", Key(3), "3"),
        )
        .client(&[0])
        .asks(get_all())
        .controls(PAUSE, 1);
    if bounds != Bounds::Small {
        let grows = put("c", 1, vec![4; MAX_VALUE + 1]);
        frame = frame.writer(vec![grows]);
    }
    read(frame)
}

fn two_readers(bounds: Bounds) -> Frame {
    let keys: &[u64] = match bounds {
        Bounds::Small | Bounds::Default => &[1, 2],
        Bounds::Deep => &[1, 2, 3],
    };
    let mut frame = Frame::new("get-all-two")
        .node(node_with(keys))
        .client(&[0])
        .asks(get_all())
        .asks(get_all())
        .writer(vec![remove(1)]);
    // The other one is no different.
    if let Some(reading) = Reading::of(&frame, 0) {
        frame = frame.property(watch(Complete("P53", reading)));
    }
    frame
}

fn recreated(bounds: Bounds) -> Frame {
    let removed = Write {
        node: 0,
        channel: "c".into(),
        what: WriteKind::RemoveChannel,
    };
    let mut writes = vec![removed, put("d", 2, large(4))];
    if bounds != Bounds::Small {
        writes.push(put("c", 3, large(5)));
    }
    let frame = Frame::new("get-all-recreated")
        .node(node_with(&[1, 2]))
        .client(&[0])
        .asks(get_all())
        .controls(PAUSE, 1)
        .writer(writes);
    read(frame)
}

fn growing(bounds: Bounds) -> Frame {
    let mut writes = vec![put("c", 3, large(3)), put("c", 1, large(1))];
    if bounds != Bounds::Small {
        writes.extend([put("c", 2, large(5)), put("c", 4, large(4))]);
    }
    let frame = Frame::new("get-all-growing")
        .node(node_with(&[2]))
        .client(&[0])
        .asks(get_all())
        .writer(writes);
    read(frame)
}

fn matching(filter: &'static str) -> Settings {
    Settings {
        keys_only: false,
        value_filter: Bytes::from_static(filter.as_bytes()),
    }
}
