//! Two nodes, a client of both, and bytes under way between them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use dht_protocol::neo::handshake::ClientHandshake;
use dht_protocol::neo::registry::Registry;
use dht_protocol::neo::request::Effect;
use dht_protocol::neo::request::control::Control;
use dht_protocol::neo::request::gather::{Gathering, Notification};
use dht_protocol::neo::request::get_hash_range::{self, Learned};
use dht_protocol::neo::{
    AuthKey, ClientName, Connection, Credential, Event, Limits, NodeAddress, NodeConnection, Now,
    RequestId,
};
use dht_protocol::{HashRange, Key};

use crate::drive::Happening;
use crate::support::{self, Memory, node, wire};
use crate::tasks::{KEYS, Op, Running};

/// How many nodes there are.
pub(crate) const NODES: usize = 2;

/// See the module.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) servers: [Server; NODES],
    pub(crate) registry: Registry,
    ranges: Gathering<get_hash_range::Client>,
    tasks: BTreeMap<RequestId, Running>,
    /// Requests of which a control message has not been acknowledged (P27).
    unacknowledged: BTreeSet<(NodeAddress, RequestId)>,
    now: Now,
    versions: u64,
    /// One request at a time: what has happened since it was started was its doing.
    pub(crate) alone: bool,
}

/// A node.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) address: NodeAddress,
    pub(crate) memory: Memory,
    link: Option<Link>,
}

/// A connection, both ends of it and what is under way.
#[derive(Debug)]
struct Link {
    node: NodeConnection,
    client: Connection<ClientHandshake>,
    to_node: Vec<u8>,
    to_client: Vec<u8>,
}

impl World {
    /// Both nodes are connected and have told their ranges: the first one is responsible for the even
    /// keys, or for all; the second one, which is newer, for the odd keys. The first has all keys that
    /// it may have in channel "a"; a batch of GetAll holds one or two of them.
    pub(crate) fn new(overlapping: bool) -> Self {
        let half = u64::MAX / 2;
        let even = HashRange::new(0, half).unwrap();
        let odd = HashRange::new(half + 1, u64::MAX).unwrap();
        let first = if overlapping { HashRange::FULL } else { even };
        let mut port = 0;
        let servers = [first, odd].map(|range| {
            port += 1;
            Server {
                address: node(port),
                memory: Memory::covering(range),
                link: None,
            }
        });
        let mut world = Self::with(servers);
        let memory = &mut world.servers[0].memory;
        for key in 0..KEYS {
            if memory.range.covers(Key(key)) {
                memory.store("a", key, format!("0:{key:030000}"));
            }
        }
        for index in 0..NODES {
            world.connect(index);
            world.settle();
        }
        assert_eq!(world.registry.covering(Key(1))[0], node(2), "the newest");
        world
    }

    fn with(servers: [Server; NODES]) -> Self {
        Self {
            servers,
            registry: Registry::default(),
            ranges: Gathering::new(get_hash_range::Client),
            tasks: BTreeMap::new(),
            unacknowledged: BTreeSet::new(),
            now: wire::start(),
            versions: 0,
            alone: false,
        }
    }

    /// The nodes that are responsible for this key.
    pub(crate) fn covering(&self, key: u64) -> impl Iterator<Item = &Memory> {
        let memories = self.servers.iter().map(|server| &server.memory);
        memories.filter(move |memory| memory.range.covers(Key(key)))
    }

    /// A number that was never given before.
    pub(crate) fn version(&mut self) -> u64 {
        self.versions += 1;
        self.versions
    }

    /// The last number that was given.
    pub(crate) fn last_version(&self) -> u64 {
        self.versions
    }

    /// Has the request with this index ended?
    pub(crate) fn has_ended(&self, which: usize) -> bool {
        self.tasks.values().nth(which).unwrap().is_ended()
    }

    /// How many requests were started.
    pub(crate) fn task_count(&self) -> usize {
        self.tasks.len()
    }

    /// Starts a request.
    pub(crate) fn start(&mut self, op: Op) {
        let id = RequestId::new(self.tasks.len() as u64 + 2).unwrap();
        let (task, first) = op.start(self);
        self.tasks.insert(id, task);
        self.send(id, first);
        for index in 0..NODES {
            let address = self.servers[index].address;
            self.happen(id, Happening::Known(address));
            if self.is_open(index) {
                self.happen(id, Happening::Connected(address));
            }
        }
    }

    /// The user of a request does something.
    pub(crate) fn want(&mut self, which: usize, happening: Happening<'_>) {
        let count = self.tasks.len();
        if let Some(id) = self.tasks.keys().nth(which % count.max(1)).copied() {
            self.happen(id, happening);
        }
    }

    /// A connection to a node is begun if there is none.
    pub(crate) fn connect(&mut self, index: usize) {
        let credential = Credential {
            name: ClientName::new(b"admin").unwrap(),
            key: AuthKey::ZERO,
        };
        self.servers[index].link.get_or_insert_with(|| Link {
            node: wire::fresh(Limits::default()),
            client: Connection::new(ClientHandshake::new(credential), Limits::default()),
            to_node: Vec::new(),
            to_client: Vec::new(),
        });
    }

    /// A connection breaks; so many bytes of each direction still arrive.
    pub(crate) fn cut(&mut self, index: usize, to_node: usize, to_client: usize) {
        self.reach_node(index, to_node);
        self.reach_client(index, to_client);
        let server = &mut self.servers[index];
        let Some(link) = server.link.take() else {
            return;
        };
        let address = server.address;
        self.unacknowledged.retain(|(node, _)| *node != address);
        if link.client.is_open() {
            self.for_all(Happening::Disconnected(address));
        }
    }

    /// Time goes by.
    pub(crate) fn wait(&mut self, time: Duration) {
        self.now.elapsed += time;
    }

    /// So many of the bytes that are under way reach a node, which takes a turn. Was there anything?
    pub(crate) fn reach_node(&mut self, index: usize, count: usize) -> bool {
        let (now, server) = (self.now, &mut self.servers[index]);
        let Some(link) = &mut server.link else {
            return false;
        };
        link.to_node.append(link.client.output());
        let bytes: Vec<_> = link
            .to_node
            .drain(..count.min(link.to_node.len()))
            .collect();
        link.node.feed(&bytes);
        let more = link.node.process(now, &mut server.memory).unwrap();
        let events = std::mem::take(&mut server.memory.events);
        let changed = !events.is_empty();
        for event in events {
            match event {
                support::Event::Record(channel, change) => link.node.changed(channel, change),
                support::Event::Gone(channel) => link.node.channel_removed(channel),
            }
        }
        more || changed || !bytes.is_empty()
    }

    /// So many of the bytes that are under way reach the client. Was there anything?
    pub(crate) fn reach_client(&mut self, index: usize, count: usize) -> bool {
        let (now, server) = (self.now, &mut self.servers[index]);
        let (address, Some(link)) = (server.address, &mut server.link) else {
            return false;
        };
        link.to_client.append(link.node.output());
        let bytes: Vec<_> = link
            .to_client
            .drain(..count.min(link.to_client.len()))
            .collect();
        link.client.feed(&bytes);
        let mut events = Vec::new();
        while let Some(event) = link.client.next_event(now).unwrap() {
            events.push(event);
        }
        for event in events {
            match event {
                Event::Established(()) => self.for_all(Happening::Connected(address)),
                Event::Message { id, payload } if id == RequestId::FIRST => {
                    self.range_request(Happening::Received(address, &payload));
                }
                Event::Message { id, payload } => {
                    if payload[..] == [4] {
                        self.unacknowledged.remove(&(address, id));
                    }
                    self.happen(id, Happening::Received(address, &payload));
                }
            }
        }
        !bytes.is_empty()
    }

    /// Everything arrives, until nobody has anything to say any more.
    pub(crate) fn settle(&mut self) {
        for round in 0.. {
            assert!(round < 10_000, "it never comes to rest");
            let mut moved = false;
            for index in 0..NODES {
                moved |= self.reach_node(index, usize::MAX);
                moved |= self.reach_client(index, usize::MAX);
            }
            if !moved {
                return;
            }
        }
    }

    /// Connections come back and users end what does not end by itself: every request must have ended,
    /// at the nodes too.
    pub(crate) fn end(&mut self) {
        for index in 0..NODES {
            self.connect(index);
        }
        self.settle();
        for which in 0..self.tasks.len() {
            self.want(which, Happening::Wanted(Control::Resume));
        }
        self.settle();
        let mut tasks = std::mem::take(&mut self.tasks);
        for task in tasks.values_mut() {
            task.settled(self);
        }
        self.tasks = tasks;
        for which in 0..self.tasks.len() {
            self.want(which, Happening::Wanted(Control::Stop));
        }
        self.settle();
        for (id, task) in &self.tasks {
            assert!(task.is_ended(), "#{id} has not ended: {task:?}");
        }
        for server in &self.servers {
            let link = server.link.as_ref().unwrap();
            assert_eq!(link.node.active_requests(), 1, "but for GetHashRange");
        }
        assert_eq!(self.unacknowledged, BTreeSet::new());
    }

    fn is_open(&self, index: usize) -> bool {
        let link = &self.servers[index].link;
        link.as_ref().is_some_and(|link| link.client.is_open())
    }

    fn for_all(&mut self, happening: Happening<'_>) {
        self.range_request(happening);
        for id in self.tasks.keys().copied().collect::<Vec<_>>() {
            self.happen(id, happening);
        }
    }

    fn happen(&mut self, id: RequestId, happening: Happening<'_>) {
        let mut task = self.tasks.remove(&id).unwrap();
        let messages = task.happen(happening, self);
        self.tasks.insert(id, task);
        self.send(id, messages);
    }

    fn send(&mut self, id: RequestId, messages: Vec<(NodeAddress, Vec<u8>)>) {
        for (address, payload) in messages {
            let index = (0..NODES).find(|index| self.servers[*index].address == address);
            let index = index.unwrap();
            if !self.is_open(index) {
                self.happen(id, Happening::Disconnected(address));
                continue;
            }
            if self.tasks[&id].is_stream() {
                let controls = [[1], [2], [3]].iter().any(|control| payload == *control);
                let alone = match controls {
                    true => self.unacknowledged.insert((address, id)),
                    false => true,
                };
                assert!(alone, "a second control message before the Ack (P27)");
                if payload == [4] {
                    self.unacknowledged.remove(&(address, id));
                }
            }
            if let Some(link) = &mut self.servers[index].link {
                link.client.send(id, &payload);
            }
        }
    }

    /// GetHashRange, which a client runs for itself.
    fn range_request(&mut self, happening: Happening<'_>) {
        let mut effects = Vec::new();
        crate::drive::Drive::happen(&mut self.ranges, happening, &mut effects);
        for effect in effects {
            match effect {
                Effect::Send { node, payload } => {
                    let server = self
                        .servers
                        .iter_mut()
                        .find(|server| server.address == node);
                    let link = server.unwrap().link.as_mut().unwrap();
                    link.client.send(RequestId::FIRST, &payload);
                }
                Effect::Notify(Notification::Notice(Learned { node, range })) => {
                    self.registry.learn(node, range);
                }
                Effect::Notify(Notification::Disconnected(_)) => {}
                other => panic!("{other:?}"),
            }
        }
    }
}
