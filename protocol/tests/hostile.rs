//! Whatever a peer sends, it is survived: no panic, no second last word, no message on a connection that
//! is not there, and every complaint names a place within what was sent.

#[path = "conversations/drive.rs"]
mod drive;
mod support;

use std::collections::BTreeSet;
use std::fmt::Debug;

use dht_protocol::Key;
use dht_protocol::codec::DecodeError;
use dht_protocol::neo::batch::REFRESH_LIMIT;
use dht_protocol::neo::dissect::{Dissector, Side};
use dht_protocol::neo::handshake::ClientHandshake;
use dht_protocol::neo::request::control::Control;
use dht_protocol::neo::request::gather::{self, Gathering};
use dht_protocol::neo::request::stream::{self, Streaming};
use dht_protocol::neo::request::update::{self, Decision};
use dht_protocol::neo::request::visit::{Visit, Visitor};
use dht_protocol::neo::request::{
    Effect, Failure, RecordName, exists, get, get_all, get_channels, get_hash_range, mirror, put,
    remove, remove_channel,
};
use dht_protocol::neo::{
    AuthKey, ClientName, Connection, Credential, Kind, Limits, NodeAddress, Violation,
};
use drive::{Drive, Happening, Updating};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use support::said::OF_NODES;
use support::wire::{self, authentication, fresh, requests};
use support::{Memory, Wire, hex, node};

/// First and further messages of a client that are as they should be.
const OF_CLIENTS: &[&str] = &[
    "01 00",
    "02 00 0100000000000000 63 0100000000000000 0500000000000000 68656c6c6f",
    "03 00 0100000000000000 63 0100000000000000",
    "04 00 00 0100000000000000 63 01 01000000",
    "04 00 01 0100000000000000 63 00 00000000",
    "05 00 00 0100000000000000 63 00 0000000000000000 00 0000000000000000",
    "05 00 01 0100000000000000 63 01 0100000000000000 01 0100000000000000 78",
    "06 00",
    "07 00 0100000000000000 63 0100000000000000",
    "08 00 0100000000000000 63 0100000000000000",
    "09 00 0100000000000000 63",
    "0a 00 01 0100000000000000 63 0100000000000000",
    "0a 00 02 0100000000000000 63 0100000000000000 8d705df679e6353b 0100000000000000 76",
    "02 8d705df679e6353b 0800000000000000 4e455756414c5545",
    "01",
    "02",
    "03",
    "04",
];

/// A message as it should be, or nearly, or anything else.
fn message(legal: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    let legal = || select(legal).prop_map(hex);
    prop_oneof![
        8 => legal(),
        2 => (legal(), any::<Index>(), any::<u8>()).prop_map(|(mut message, at, byte)| {
            let at = at.index(message.len());
            message[at] = byte;
            message
        }),
        1 => (legal(), any::<Index>()).prop_map(|(mut message, at)| {
            message.truncate(at.index(message.len()));
            message
        }),
        1 => (legal(), any::<u8>()).prop_map(|(mut message, byte)| {
            message.push(byte);
            message
        }),
        1 => prop::collection::vec(any::<u8>(), 0..40),
    ]
}

/// The complaint is about a place in a payload of this length, or in the records of a batch.
fn is_within(error: &DecodeError, payload_len: usize) {
    let inside_of_a_batch = matches!(error.field, "key" | "value");
    let limit = payload_len.max(if inside_of_a_batch { REFRESH_LIMIT } else { 0 });
    assert!(error.offset <= limit, "{error} in {payload_len} bytes");
}

fn complaint_is_within(violation: &Violation, payload_len: usize) {
    assert!(!violation.to_string().is_empty() && !violation.section().is_empty());
    if let Violation::Malformed { error, .. } | Violation::Authentication { error, .. } = violation
    {
        is_within(error, payload_len);
    }
}

/// A node with something to be read.
fn memory() -> Memory {
    Memory::with("c", (0..20).map(|key| (key, "oldval")))
}

/// Another client can use the node.
fn is_unharmed(memory: Memory) {
    let mut wire = Wire::open(memory);
    assert_eq!(
        wire.ask(&[(1, OF_CLIENTS[1]), (2, OF_CLIENTS[8])]),
        [(1, vec![0xfd]), (1, vec![1]), (2, vec![0xfd]), (2, vec![1])]
    );
}

proptest! {
    #[test]
    fn any_bytes_at_the_node(
        authenticated: bool,
        pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 0..8),
    ) {
        let mut node = fresh(Limits::default());
        let mut memory = memory();
        if authenticated {
            for bytes in [vec![1], authentication()] {
                node.feed(&bytes);
                node.process(wire::start(), &mut memory).unwrap();
            }
        }
        let mut refused = false;
        for piece in pieces {
            node.feed(&piece);
            let result = node.process(wire::start(), &mut memory);
            prop_assert!(!refused || result == Ok(false), "nothing is read after a violation");
            refused |= result.is_err();
        }
        is_unharmed(memory);
    }

    #[test]
    fn bytes_that_changed_on_the_way_to_the_node(
        messages in prop::collection::vec((1..5u64, select(OF_CLIENTS)), 1..20),
        changes in prop::collection::vec((any::<Index>(), any::<u8>()), 1..4),
        cuts in prop::collection::vec(1usize..60, 1..20),
    ) {
        let messages: Vec<_> = messages.iter().map(|(id, text)| (*id, hex(text))).collect();
        let mut bytes = vec![1];
        bytes.extend(authentication());
        bytes.extend(requests(&messages));
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let (mut node, mut memory) = (fresh(Limits::default()), memory());
        let mut rest = &bytes[1..];
        node.feed(&bytes[..1]);
        let mut result = node.process(wire::start(), &mut memory);
        for cut in cuts.iter().cycle() {
            if rest.is_empty() || result.is_err() {
                break;
            }
            let (piece, behind) = rest.split_at(rest.len().min(*cut));
            rest = behind;
            node.feed(piece);
            result = node.process(wire::start(), &mut memory);
        }
        if let Err(violation) = result {
            complaint_is_within(&violation, bytes.len());
        }
        is_unharmed(memory);
    }

    #[test]
    fn any_messages_at_the_node(
        messages in prop::collection::vec((0..5u64, message(OF_CLIENTS), 0..3u64), 0..60),
        reading: bool,
    ) {
        let mut wire = Wire::open(memory());
        for (id, payload, seconds) in messages {
            wire.now.elapsed += std::time::Duration::from_secs(seconds);
            if let Err(violation) = wire.feed(&requests(&[(id, payload.clone())])) {
                complaint_is_within(&violation, payload.len());
                prop_assert_eq!(wire.feed(&requests(&[(9, payload)])), Ok(()), "not looked at");
                break;
            }
            prop_assert!(wire.node.output().len() < 2 << 20);
            if reading {
                wire.take();
            }
        }
        let mut memory = wire.memory;
        memory.events.clear();
        is_unharmed(memory);
    }

    #[test]
    fn any_bytes_at_the_client(
        greeting: bool,
        bytes in prop::collection::vec(any::<u8>(), 0..100),
    ) {
        let credential = Credential {
            name: ClientName::new(b"admin").unwrap(),
            key: AuthKey::ZERO,
        };
        let mut client = Connection::new(ClientHandshake::new(credential), Limits::default());
        if greeting {
            for bytes in ["01", "02 04000000000000 00 06 ec274ca2", "02 01000000000000 00 03 01"] {
                client.feed(&hex(bytes));
                client.next_event(wire::start()).unwrap();
            }
            prop_assert!(client.is_open());
        }
        client.feed(&bytes);
        while let Ok(Some(_)) = client.next_event(wire::start()) {}
    }

    #[test]
    fn any_messages_as_text(
        messages in prop::collection::vec(
            (any::<bool>(), any::<bool>(), 0..4u64, message(OF_CLIENTS), message(OF_NODES)),
            0..40,
        ),
    ) {
        let mut dissector = Dissector::new();
        for (authentication, from_client, id, of_client, of_node) in messages {
            let (side, payload) = match from_client {
                true => (Side::Client, of_client),
                false => (Side::Node, of_node),
            };
            let line = match authentication {
                true => dissector.message(side, Kind::Authentication, &payload),
                false => {
                    let body = [&id.to_le_bytes()[..], &payload].concat();
                    dissector.message(side, Kind::Request, &body)
                }
            };
            prop_assert!(line.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()), "{line}");
        }
    }
}

/// What happens to a client's half, with nodes that are not what they should be.
#[derive(Clone, Debug)]
enum Blow {
    Known(u16),
    Connected(u16),
    Disconnected(u16),
    Received(u16, Vec<u8>),
    Wanted(Control),
    TimedOut,
}

fn blows() -> impl Strategy<Value = Vec<Blow>> {
    let port = || 1..4u16;
    let control = select(&[Control::Suspend, Control::Resume, Control::Stop][..]);
    prop::collection::vec(
        prop_oneof![
            1 => port().prop_map(Blow::Known),
            4 => port().prop_map(Blow::Connected),
            2 => port().prop_map(Blow::Disconnected),
            20 => (port(), message(OF_NODES)).prop_map(|(port, bytes)| Blow::Received(port, bytes)),
            8 => port().prop_map(|port| Blow::Received(port, vec![0xfd])),
            3 => control.prop_map(Blow::Wanted),
            1 => Just(Blow::TimedOut),
        ],
        0..80,
    )
}

/// A half under attack.
struct Target<D> {
    half: D,
    connected: BTreeSet<NodeAddress>,
    /// Has the last notification been given?
    over: bool,
}

impl<D: Drive> Target<D>
where
    D::Told: Debug,
{
    fn new(half: D) -> Self {
        Self {
            half,
            connected: (1..4).map(node).collect(),
            over: false,
        }
    }

    /// Lets everything happen; `last` tells whether a notification is the last one. Gives what was sent.
    fn endure(
        &mut self,
        blows: &[Blow],
        first: Vec<Effect<D::Told>>,
        last: impl Fn(&D::Told) -> bool,
    ) -> Vec<(NodeAddress, Vec<u8>)> {
        let mut sent = self.absorb(first, 0, &last);
        for blow in blows {
            let (happening, len) = match blow {
                Blow::Known(port) => (Happening::Known(node(*port)), 0),
                Blow::Connected(port) => {
                    self.connected.insert(node(*port));
                    (Happening::Connected(node(*port)), 0)
                }
                Blow::Disconnected(port) => {
                    self.connected.remove(&node(*port));
                    (Happening::Disconnected(node(*port)), 0)
                }
                Blow::Received(port, payload) => {
                    (Happening::Received(node(*port), payload), payload.len())
                }
                Blow::Wanted(control) => (Happening::Wanted(*control), 0),
                Blow::TimedOut => (Happening::TimedOut, 0),
            };
            let mut effects = Vec::new();
            self.half.happen(happening, &mut effects);
            sent.extend(self.absorb(effects, len, &last));
        }
        sent
    }

    fn absorb(
        &mut self,
        effects: Vec<Effect<D::Told>>,
        payload_len: usize,
        last: &impl Fn(&D::Told) -> bool,
    ) -> Vec<(NodeAddress, Vec<u8>)> {
        let (mut sent, mut lost) = (Vec::new(), Vec::new());
        for effect in effects {
            match effect {
                Effect::Send { node, payload } if self.connected.contains(&node) => {
                    sent.push((node, payload));
                }
                Effect::Send { node, .. } => lost.push(node),
                Effect::Close { node, violation } => {
                    complaint_is_within(&violation, payload_len);
                    self.connected.remove(&node);
                    lost.push(node);
                }
                Effect::Notify(told) => {
                    assert!(!self.over, "{told:?} behind the last notification (P08)");
                    self.over = last(&told);
                }
            }
        }
        assert!(
            self.over || !self.half.is_ended(),
            "ended without a word (P07)"
        );
        for node in lost {
            let mut effects = Vec::new();
            self.half
                .happen(Happening::Disconnected(node), &mut effects);
            sent.extend(self.absorb(effects, 0, last));
        }
        sent
    }
}

fn record() -> RecordName {
    RecordName {
        channel: "c".into(),
        key: Key(1),
    }
}

fn visit<V: Visitor>(visitor: V, blows: &[Blow]) {
    let mut effects = Vec::new();
    let half = Visit::start(visitor, (1..4).map(node), &mut effects);
    let mut target = Target::new(half);
    let sent = target.endure(blows, effects, |told| {
        if let Err(Failure::Violation { violation, .. }) = told {
            complaint_is_within(violation, 200);
        }
        true
    });
    let nodes: BTreeSet<_> = sent.iter().map(|(node, _)| node).collect();
    assert_eq!(nodes.len(), sent.len(), "a node was asked twice (P15)");
}

proptest! {
    #[test]
    fn requests_for_a_record(blows in blows()) {
        let value = "v".into();
        visit(put::Client::new(put::Open { record: record(), value }).unwrap(), &blows);
        visit(get::Client::new(record()), &blows);
        visit(exists::Client::new(record()), &blows);
        visit(remove::Client::new(record()), &blows);
    }

    #[test]
    fn requests_on_all_nodes(blows in blows()) {
        let finished = |told: &_| matches!(told, gather::Notification::Finished);
        let half = Gathering::new(get_channels::Client::default());
        Target::new(half).endure(&blows, vec![], finished);
        let finished = |told: &_| matches!(told, gather::Notification::Finished);
        let half = Gathering::new(remove_channel::Client::new("c".into()));
        Target::new(half).endure(&blows, vec![], finished);
        let finished = |told: &_| matches!(told, gather::Notification::Finished);
        let half = Gathering::new(get_hash_range::Client);
        Target::new(half).endure(&blows, vec![], finished);
    }

    #[test]
    fn streams(blows in blows(), keys_only: bool) {
        let settings = get_all::Settings { keys_only, ..Default::default() };
        let half = Streaming::new(get_all::Client::new("c".into(), settings));
        let ended = |told: &_| {
            matches!(told, stream::Notification::Stopped | stream::Notification::Finished)
        };
        let sent = Target::new(half).endure(&blows, vec![], ended);
        is_polite(&sent);
        let half = Streaming::new(mirror::Client::new("c".into(), mirror::Settings::default()));
        let ended = |told: &_| {
            matches!(told, stream::Notification::Stopped | stream::Notification::Finished)
        };
        let sent = Target::new(half).endure(&blows, vec![], ended);
        is_polite(&sent);
    }

    #[test]
    fn updates(blows in blows(), choice in 0..3) {
        let decision = match choice {
            0 => Decision::Replace("new".into()),
            1 => Decision::Delete,
            _ => Decision::Leave,
        };
        let mut effects = Vec::new();
        let client = update::Client::start(record(), (1..4).map(node), &mut effects);
        let half = Updating { client, decision };
        let sent = Target::new(half).endure(&blows, effects, |told| {
            matches!(told, update::Notification::Ended(_))
        });
        let writes = sent.iter().filter(|(_, payload)| {
            payload.starts_with(&[2]) || payload.starts_with(&[10, 0, 2])
        });
        prop_assert!(writes.count() <= 1, "P15");
    }
}

/// Control messages go to nodes that have been asked. (That only one at a time is under way is seen in
/// the conversations.)
fn is_polite(sent: &[(NodeAddress, Vec<u8>)]) {
    let mut opened = BTreeSet::new();
    for (node, payload) in sent {
        match payload.len() {
            1 => assert!(
                opened.contains(node),
                "{payload:?} to a node that was not asked"
            ),
            _ => {
                opened.insert(*node);
            }
        }
    }
}
