//! Models of GetChannels and RemoveChannel.

use dht_protocol::neo::client::{Request, Told};
use dht_protocol::neo::request::RecordName;
use dht_protocol::neo::request::gather::Notification;
use dht_protocol::neo::request::put::Open;
use dht_protocol::{HashRange, Key};

use super::parts::{budget, every_request, goal};
use super::{Bounds, Entry};
use crate::defect::Defect;
use crate::property::channels::{
    NodeListsChannels, OnlyAdminsRemove, OthersAreTold, UserHearsEachChannelOnce,
    is_told_not_permitted,
};
use crate::property::linearizable::Linearizable;
use crate::property::watch;
use crate::world::{Budget, Frame, Node, Note, Store, Write, WriteKind};

/// The models.
pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        name: "get-channels",
        about: "A list of the channels of one node while others are created and removed; the connection breaks.",
        frame: get_channels,
        shows: &[(Defect::M17, "P25"), (Defect::M45, "P25")],
        expected: &[],
        states: 1_022,
    },
    Entry {
        name: "get-channels-nodes",
        about: "A list of the channels of two nodes, some on both; a connection breaks.",
        frame: get_channels_nodes,
        shows: &[(Defect::F38, "P26"), (Defect::M44, "P26")],
        expected: &[],
        states: 1_273,
    },
    Entry {
        name: "remove-channel",
        about: "A channel is removed while another client puts and reads its record; a connection breaks.",
        frame: remove_channel,
        shows: &[(Defect::M11, "linearizable")],
        expected: &[],
        states: 5195,
    },
    Entry {
        name: "remove-channel-nodes",
        about: "A channel is removed from two nodes; a connection breaks.",
        frame: remove_channel_nodes,
        shows: &[(Defect::M06, "P08")],
        expected: &[],
        states: 406,
    },
    Entry {
        name: "remove-channel-stranger",
        about: "A client that is no administrator wants to remove a channel.",
        frame: remove_channel_stranger,
        shows: &[
            (Defect::F01, "P03"),
            (Defect::F01, "P07"),
            (Defect::F01, "P24"),
            (Defect::M16, "P23"),
        ],
        expected: &[],
        states: 4_269,
    },
];

const KEY: Key = Key(2);

fn get_channels(bounds: Bounds) -> Frame {
    let frame = Frame::new("get-channels")
        .node(channels(&["a", "b", "c"]))
        .client(&[0])
        .asks(Request::GetChannels);
    let frame = match bounds {
        Bounds::Small => frame.writer(vec![removed(0, "a"), created(0, "d")]),
        Bounds::Default | Bounds::Deep => frame
            .writer(vec![removed(0, "b"), created(0, "b")])
            .writer(vec![removed(0, "a"), created(0, "d")]),
    };
    let frame = frame
        .budget(budget(bounds, 1, 0))
        .property(watch(NodeListsChannels))
        .property(watch(UserHearsEachChannelOnce))
        .property(goal("again", "A list starts over.", |note| {
            matches!(
                note,
                Note::Told(_, Told::GetChannels(Notification::Disconnected(_)))
            )
        }));
    every_request(frame)
}

fn get_channels_nodes(bounds: Bounds) -> Frame {
    let writes = match bounds {
        Bounds::Small => Vec::new(),
        Bounds::Default | Bounds::Deep => vec![removed(0, "b"), created(0, "c")],
    };
    let frame = Frame::new("get-channels-nodes")
        .node(channels(&["a", "b"]))
        .node(channels(&["b"]))
        .client(&[0, 1])
        .asks(Request::GetChannels)
        .writer(writes)
        .budget(Budget {
            restarts: u8::from(bounds == Bounds::Deep),
            ..budget(bounds, 1, 0)
        })
        .property(watch(NodeListsChannels))
        .property(watch(UserHearsEachChannelOnce));
    every_request(frame)
}

fn remove_channel(bounds: Bounds) -> Frame {
    let record = RecordName {
        channel: "c".into(),
        key: KEY,
    };
    let frame = Frame::new("remove-channel")
        .node(channels(&["c"]))
        .client(&[0])
        .asks(Request::RemoveChannel("c".into()))
        .client(&[0])
        .asks(Request::Put(Open {
            record: record.clone(),
            value: "new".into(),
        }))
        .asks(Request::Get(record.clone()))
        .after(1)
        .budget(budget(bounds, 1, 0))
        .property(watch(OnlyAdminsRemove))
        .property(watch(Linearizable(record)))
        .property(goal(
            "gone",
            "The record is removed with its channel.",
            |note| matches!(note, Note::Told(_, Told::Get(Ok(None)))),
        ));
    every_request(frame)
}

fn remove_channel_nodes(bounds: Bounds) -> Frame {
    let frame = Frame::new("remove-channel-nodes")
        .node(channels(&["c"]))
        .node(channels(&["c", "d"]))
        .client(&[0, 1])
        .asks(Request::RemoveChannel("c".into()))
        .budget(Budget {
            restarts: u8::from(bounds != Bounds::Small),
            ..budget(bounds, 1, 0)
        })
        .property(watch(OnlyAdminsRemove));
    every_request(frame)
}

fn remove_channel_stranger(bounds: Bounds) -> Frame {
    let frame = Frame::new("remove-channel-stranger")
        .node(channels(&["c"]))
        .node(channels(&["c"]))
        .stranger(&[0, 1])
        .asks(Request::RemoveChannel("c".into()))
        .client(&[0])
        .asks(Request::RemoveChannel("d".into()))
        .budget(budget(bounds, 1, 0))
        .property(watch(OnlyAdminsRemove))
        .property(watch(OthersAreTold))
        .property(goal(
            "not-permitted",
            "The client is told that it may not.",
            |note| matches!(note, Note::Told(_, told) if is_told_not_permitted(told)),
        ));
    every_request(frame)
}

fn channels(names: &[&str]) -> Store {
    let store = Store::new(HashRange::FULL);
    let names = names.iter();
    names.fold(store, |store, name| store.with(name, KEY, "v"))
}

fn removed(node: Node, channel: &str) -> Write {
    Write {
        node,
        channel: channel.into(),
        what: WriteKind::RemoveChannel,
    }
}

fn created(node: Node, channel: &str) -> Write {
    Write {
        node,
        channel: channel.into(),
        what: WriteKind::Put(KEY, "w".into()),
    }
}
