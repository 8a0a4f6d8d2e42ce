//! Every bug of the catalogue changes what a client sees, and a node is otherwise as healthy with the
//! layer of bugs as without. Runs nodes without sockets.

mod deeds;
mod stage;
mod wire;

use std::collections::BTreeSet;
use std::fmt::Write;
use std::time::Duration;

use dht_protocol::codec::Put as _;
use dht_protocol::fnv1a;
use dht_protocol::neo::handshake::ClientHandshake;
use dht_protocol::neo::request::update::{FromClient, Open, Replacement};
use dht_protocol::neo::request::{RecordName, RequestCode, get_all, mirror};
use dht_protocol::neo::{Connection, Credential, Event, Limits, Now, RequestId};
use dht_protocol::{HashRange, Key};
use dht_requirements::Party;
use fakedht::{Bugs, ConnectionId, MemoryStorage, Node, NodeConfig};

/// Bugs behind the requests act on legacy orders that do the same.
#[test]
fn legacy_orders_meet_bugs_too() {
    let remove = b"\x0c\0\0\0\x01\0\0\0\0\0\0\0c\x10\0\0\0\0\0\0\x000000000000000001";
    let range = [20, 0, 0, 0];
    let low = HashRange::new(0, u64::MAX / 2).unwrap();
    let answers = |names: &[&str]| {
        let config = NodeConfig {
            range: low,
            bugs: names.iter().filter_map(|name| Bugs::find(name)).collect(),
            ..NodeConfig::default()
        };
        let mut node = Node::new(config, MemoryStorage::new());
        node.put(&"c".into(), Key(1), b"v").unwrap();
        let id = node.accept_legacy();
        node.feed(id, &[&range[..], remove].concat());
        node.process(id, Now::default()).unwrap();
        let said = node.take_output(id);
        assert_eq!(said[4..12], low.min().to_le_bytes());
        assert_eq!(said[12..20], low.max().to_le_bytes());
        let kept = node.get(&"c".into(), Key(1)).unwrap().is_some();
        (said[20..].to_vec(), kept)
    };
    let (ok, wrong_node) = ([200, 0, 0, 0], [0x94, 1, 0, 0]);
    assert_eq!(answers(&[]), (wrong_node.to_vec(), true));
    let unchecked = "range-not-checked";
    assert_eq!(answers(&[unchecked]), (ok.to_vec(), false));
    let keeps = [unchecked, "remove-keeps-record"];
    assert_eq!(answers(&keeps), (ok.to_vec(), true));
}

/// A node and its clients, and everything that the clients saw.
struct Scene {
    node: Node<MemoryStorage>,
    clients: Vec<Client>,
    now: Now,
    seen: String,
}

struct Client {
    id: ConnectionId,
    connection: Connection<ClientHandshake>,
    next: RequestId,
}

impl Scene {
    fn new(bugs: Bugs) -> Self {
        let low = 0x1000_0000_0000_0000;
        let config = NodeConfig {
            range: HashRange::new(low, u64::MAX / 2).unwrap(),
            credentials: [credential("admin", "00"), credential("other", "00")]
                .into_iter()
                .collect(),
            limits: Limits {
                mirror_queue: 4,
                ..Limits::default()
            },
            bugs,
            ..NodeConfig::default()
        };
        Self {
            node: Node::new(config, MemoryStorage::new()),
            clients: Vec::new(),
            now: Now {
                unix: 1_700_000_000,
                elapsed: Duration::ZERO,
            },
            seen: String::new(),
        }
    }

    fn connect(&mut self, credential: Credential) -> usize {
        let handshake = ClientHandshake::new(credential);
        self.clients.push(Client {
            id: self.node.accept([1, 2, 3, 4]),
            connection: Connection::new(handshake, Limits::default()),
            next: RequestId::FIRST,
        });
        self.settle();
        self.clients.len() - 1
    }

    /// Hands over what a client says, and lets the node work, without reading the answers.
    fn hand_over(&mut self, client: usize, id: RequestId, payload: &[u8]) {
        self.clients[client].connection.send(id, payload);
        self.work(client);
    }

    /// Lets the node work for a client. Is there more to do?
    fn work(&mut self, number: usize) -> bool {
        let client = &mut self.clients[number];
        self.node.feed(client.id, client.connection.output());
        client.connection.output().clear();
        self.node
            .process(client.id, self.now)
            .unwrap_or_else(|violation| {
                writeln!(self.seen, "{number}: {violation}").unwrap();
                self.node.close(client.id);
                false
            })
    }

    fn start(&mut self, client: usize, opening: impl AsRef<[u8]>) -> RequestId {
        let id = self.clients[client].next;
        self.clients[client].next = id.next();
        self.hand_over(client, id, opening.as_ref());
        id
    }

    fn ask(&mut self, client: usize, opening: impl AsRef<[u8]>) -> RequestId {
        let id = self.start(client, opening);
        self.settle();
        id
    }

    fn say(&mut self, client: usize, id: RequestId, payload: impl AsRef<[u8]>) {
        self.hand_over(client, id, payload.as_ref());
        self.settle();
    }

    /// Moves bytes until nobody has anything to say.
    fn settle(&mut self) {
        loop {
            let mut quiet = true;
            for number in 0..self.clients.len() {
                quiet &= !self.work(number);
                let client = &mut self.clients[number];
                let output = self.node.take_output(client.id);
                quiet &= output.is_empty();
                client.connection.feed(&output);
                while let Ok(Some(event)) = client.connection.next_event(self.now) {
                    match event {
                        Event::Established(()) => writeln!(self.seen, "{number}: welcome"),
                        Event::Message { id, payload } => {
                            let (start, hash) =
                                (&payload[..payload.len().min(24)], fnv1a(&payload));
                            writeln!(self.seen, "{number}/{id}: {start:02x?} {hash:x}")
                        }
                    }
                    .unwrap();
                }
                quiet &= client.connection.output_len() == 0;
            }
            if quiet {
                return;
            }
        }
    }
}

fn credential(name: &str, byte: &str) -> Credential {
    format!("{name}:{}", byte.repeat(128)).parse().unwrap()
}

/// A key that stands at this place behind the start of the range. All agree in the lower 32 bits.
fn key(place: u64) -> u64 {
    (0x1000_0000_0000_0000 + place).reverse_bits()
}

fn about(request: RequestCode, channel: &str, key: u64) -> Vec<u8> {
    let mut message = vec![request as u8, 0];
    message.put_array(channel.as_bytes());
    message.put_u64(key);
    message
}

fn put(channel: &str, key: u64, value: impl AsRef<[u8]>) -> Vec<u8> {
    let mut message = about(RequestCode::Put, channel, key);
    message.put_array(value.as_ref());
    message
}

fn remove_channel(channel: &str) -> Vec<u8> {
    let mut message = vec![RequestCode::RemoveChannel as u8, 0];
    message.put_array(channel.as_bytes());
    message
}

/// Bytes that cannot be compressed.
fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut hash = seed;
    let mut next = || {
        hash = fnv1a(&hash.to_le_bytes());
        hash as u8
    };
    (0..len).map(|_| next()).collect()
}

const SUSPEND: [u8; 1] = [1];
const RESUME: [u8; 1] = [2];
const STOP: [u8; 1] = [3];
const ACK: [u8; 1] = [4];

/// What the clients saw of a node with these bugs.
fn seen(bugs: Bugs) -> String {
    let mut scene = Scene::new(bugs);
    let admin = scene.connect(credential("admin", "00"));
    let other = scene.connect(credential("other", "00"));
    ranges_and_unknown_requests(&mut scene, admin);
    records(&mut scene, admin);
    updates(&mut scene, admin, other);
    iterations(&mut scene, admin);
    mirrors(&mut scene, admin, other);
    channels(&mut scene, admin, other);
    scene.seen
}

fn ranges_and_unknown_requests(scene: &mut Scene, admin: usize) {
    scene.ask(admin, [RequestCode::GetHashRange as u8, 0]);
    scene.ask(admin, [99, 0]);
    scene.ask(admin, [RequestCode::Get as u8, 1]);
    for outside in [0, 1, (u64::MAX / 2).reverse_bits()] {
        scene.ask(admin, put("records", outside, "value"));
    }
    let range = scene.node.range();
    scene
        .node
        .announce_node("127.0.0.1:10101".parse().unwrap(), HashRange::FULL);
    scene.node.set_range(range);
    scene.settle();
}

fn records(scene: &mut Scene, admin: usize) {
    let look = |scene: &mut Scene, place| {
        for request in [RequestCode::Exists, RequestCode::Get] {
            scene.ask(admin, about(request, "records", key(place)));
        }
    };
    look(scene, 1);
    let large = noise(1, 65_400);
    for value in [&b"first"[..], b"second", &large, b""] {
        scene.ask(admin, put("records", key(1), value));
        look(scene, 1);
    }
    scene.ask(admin, put("records", key(2), "another"));
    look(scene, 1);
    for _ in 0..2 {
        scene.ask(admin, about(RequestCode::Remove, "records", key(1)));
        look(scene, 1);
    }
}

fn updates(scene: &mut Scene, admin: usize, other: usize) {
    let record = || RecordName {
        channel: "updates".into(),
        key: key(1).into(),
    };
    let replace = |old: &str, new: &'static str| {
        FromClient::UpdateRecord(Replacement {
            original_hash: fnv1a(old.as_bytes()),
            new_value: new.into(),
        })
        .encode()
    };
    scene.ask(admin, put("updates", key(1), "a"));
    for second in [
        replace("a", "b"),
        replace("?", "c"),
        FromClient::LeaveRecord.encode(),
        FromClient::RemoveRecord.encode(),
    ] {
        let id = scene.ask(admin, Open::GetRecord(record()).encode());
        scene.say(admin, id, second);
        scene.ask(other, about(RequestCode::Get, "updates", key(1)));
    }
    // By now there is no such record.
    scene.ask(admin, Open::GetRecord(record()).encode());
}

fn iterations(scene: &mut Scene, admin: usize) {
    for place in 0..600 {
        scene.ask(admin, put("many", key(place), noise(place, 1000)));
    }
    let open = |change: fn(&mut get_all::Open)| {
        let mut open = get_all::Open {
            start_suspended: false,
            channel: "many".into(),
            continue_from: None,
            settings: get_all::Settings::default(),
        };
        change(&mut open);
        open.encode()
    };
    for opening in [
        open(|_| {}),
        open(|open| open.settings.keys_only = true),
        open(|open| open.settings.value_filter = b"no such value".as_slice().into()),
        open(|open| open.continue_from = Some(key(300).into())),
    ] {
        let id = scene.ask(admin, opening);
        scene.say(admin, id, ACK);
    }
    // Without reading, so that the node cannot send everything before it is suspended.
    let id = scene.start(admin, open(|_| {}));
    while scene.work(admin) {}
    scene.say(admin, id, SUSPEND);
    scene.say(admin, id, RESUME);
    scene.say(admin, id, ACK);
    let id = scene.start(admin, open(|open| open.start_suspended = true));
    scene.say(admin, id, STOP);
    let id = scene.ask(admin, open(|open| open.start_suspended = true));
    scene.say(admin, id, RESUME);
}

fn mirrors(scene: &mut Scene, admin: usize, other: usize) {
    let open = |start_suspended, periodic_refresh_s| {
        mirror::Open {
            start_suspended,
            channel: "mirrored".into(),
            settings: mirror::Settings {
                initial_refresh: true,
                periodic_refresh_s,
            },
        }
        .encode()
    };
    for place in 0..20 {
        scene.ask(admin, put("mirrored", key(place), format!("{place}")));
    }
    let suspended = scene.ask(other, open(true, 0));
    scene.ask(other, open(false, 10));
    for place in 0..20 {
        scene.ask(admin, put("mirrored", key(place), format!("new {place}")));
    }
    scene.ask(admin, about(RequestCode::Remove, "mirrored", key(3)));
    scene.say(other, suspended, RESUME);
    scene.now.elapsed += Duration::from_secs(10);
    scene.settle();
    scene.ask(admin, remove_channel("mirrored"));
}

fn channels(scene: &mut Scene, admin: usize, other: usize) {
    let list = [RequestCode::GetChannels as u8, 0];
    scene.ask(admin, list);
    scene.ask(other, remove_channel("records"));
    scene.ask(admin, remove_channel("updates"));
    scene.ask(admin, list);
    scene.ask(admin, about(RequestCode::Get, "updates", key(1)));
}

#[test]
fn names_are_unique_and_entries_complete() {
    let mut names = BTreeSet::new();
    for bug in Bugs::catalogue() {
        assert!(names.insert(bug.name), "{} twice", bug.name);
        let is_name = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
        assert!(bug.name.bytes().all(is_name), "{}", bug.name);
        let inside = bug.description.strip_suffix('.');
        let one_sentence = inside.is_some_and(|inside| !inside.contains(". "));
        assert!(one_sentence, "{}: {}", bug.name, bug.description);
        assert_eq!(bug.breaks.party, Party::Node, "{}", bug.name);
        assert_eq!(Bugs::find(bug.name), Some(bug));
    }
    assert!(names.len() >= 340);
    assert!(Bugs::find("no-such-bug").is_none());
}

#[test]
fn the_layer_of_bugs_itself_changes_nothing() {
    // What these bugs do is none of a node without sockets.
    for name in ["half-close-drops-answers", "half-close-kept-open"] {
        let bugs = || Bugs::from_iter(Bugs::find(name));
        assert_same(&seen(bugs()), &seen(Bugs::none()));
        assert_same(&wire::seen(bugs()), &wire::seen(Bugs::none()));
    }
}

/// Compares line by line, so that what differs can be found.
fn assert_same(seen: &str, expected: &str) {
    for (seen, expected) in seen.lines().zip(expected.lines()) {
        assert_eq!(seen, expected);
    }
    assert_eq!(seen.len(), expected.len());
}

#[test]
fn a_wrong_key_is_accepted_by_a_node_with_that_bug() {
    let welcome = |bugs| {
        let mut scene = Scene::new(bugs);
        scene.connect(credential("admin", "07"));
        scene.seen == "0: welcome\n"
    };
    assert!(!welcome(Bugs::none()));
    assert!(welcome(Bugs::from_iter(Bugs::find("login-any-key"))));
}

#[test]
fn bugs_add_up() {
    let bugs = ["exists-inverted", "get-never-answers", "put-not-stored"].map(Bugs::find);
    let both = seen(bugs.into_iter().flatten().collect());
    for bug in bugs {
        assert_ne!(both, seen(bug.into_iter().collect()));
    }
}
