//! Two clients and a node: whole connections, several requests on each, bytes that come in any portions, and
//! connections that are cut.

use std::time::Duration;

use arbitrary::{Arbitrary, Unstructured};
use dht_protocol::neo::client::{ClientRequest, Event, Request, Told};
use dht_protocol::neo::dissect::Side;
use dht_protocol::neo::handshake::ClientHandshake;
use dht_protocol::neo::monitor::Listener;
use dht_protocol::neo::registry::Registry;
use dht_protocol::neo::request::Effect;
use dht_protocol::neo::request::control::Control;
use dht_protocol::neo::request::update::Decision;
use dht_protocol::neo::{Connection, Credential, Limits, NodeAddress, Now, RequestId};
use dht_protocol::{HashRange, Key, neo};
use fakedht::{Bugs, ConnectionId, MemoryStorage, Node, NodeConfig, RemoveChannels};

use crate::asked::{Asked, Decided, Said, accusation};
use crate::memory;
use crate::work::Work;

const NODE: NodeAddress = std::net::SocketAddrV4::new(std::net::Ipv4Addr::LOCALHOST, 1);
const LIMITS: Limits = Limits {
    message: 64 * 1024,
    active_requests: 16,
    mirror_queue: 4,
};
/// Steps of one run.
const STEPS: usize = 48;
/// Requests of one client in one run; fewer than may be active at once.
const REQUESTS: usize = 8;

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Step {
    /// A user asks for something, about one of a few records.
    Ask(Who, u8, Asked),
    /// So many bytes arrive at the node, or all that are under way.
    ToNode(Who, Option<u8>),
    /// So many bytes arrive at the client, or all that are under way.
    ToClient(Who, Option<u8>),
    /// The user of one of the requests says something.
    Control(Who, u8, Said),
    /// The user of one of the requests decides.
    Decide(Who, u8, Decided),
    /// The connection breaks, with all that is under way, and the client connects again.
    Cut(Who),
    /// A second passes.
    Tick,
}

#[derive(Arbitrary, Clone, Copy, Debug, Eq, PartialEq)]
enum Who {
    One,
    Other,
}

/// However the bytes are cut and the requests are mixed, neither side finds fault with the other, and the
/// monitor with neither; and once the connections stay up, every request comes to its end on both sides.
pub fn connection(data: &[u8]) {
    memory::bounded(data, 16 * 1024, || converse(data, Bugs::none()));
}

fn converse(data: &[u8], bugs: Bugs) {
    let mut input = Unstructured::new(data);
    let mut world = World::new(Work::of(data), bugs);
    for _ in 0..STEPS {
        if input.is_empty() {
            break;
        }
        match Step::arbitrary(&mut input) {
            Ok(step) => world.step(step),
            Err(_) => break,
        }
    }
    world.finish();
}

struct World {
    node: Node<MemoryStorage>,
    elapsed: Duration,
    registry: Registry,
    clients: [Client; 2],
    work: Work,
}

/// A client with its connection.
struct Client {
    line: Line,
    requests: Vec<(RequestId, ClientRequest)>,
    next_id: RequestId,
}

/// A connection. The bytes under way are in the output of the side that has sent them.
struct Line {
    at_node: ConnectionId,
    client: Connection<ClientHandshake>,
    /// Hears what passes at the client's end.
    listener: Listener,
}

impl World {
    fn new(work: Work, bugs: Bugs) -> Self {
        let config = NodeConfig {
            limits: LIMITS,
            remove_channels: RemoveChannels::Everybody,
            bugs,
            ..NodeConfig::default()
        };
        let mut node = Node::new(config, MemoryStorage::new());
        let mut registry = Registry::default();
        registry.learn(NODE, HashRange::FULL);
        let clients = [(); 2].map(|()| Client {
            line: Line::new(&mut node),
            requests: Vec::new(),
            next_id: RequestId::FIRST,
        });
        let mut world = Self {
            node,
            elapsed: Duration::ZERO,
            registry,
            clients,
            work,
        };
        world.settle();
        world
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Ask(who, key, asked) => {
                let request = asked.request(Key(u64::from(key % 4)));
                self.clients[who as usize].ask(request, &self.registry);
            }
            Step::ToNode(who, count) => {
                self.pass_to_node(who, count);
            }
            Step::ToClient(who, count) => {
                self.pass_to_client(who, count);
            }
            Step::Control(who, which, said) => {
                let client = &mut self.clients[who as usize];
                client.tell(which.into(), |half, effects| {
                    // Refused if another one is under way.
                    let _ = half.control(said.into(), effects);
                });
            }
            Step::Decide(who, which, decided) => {
                let client = &mut self.clients[who as usize];
                client.tell(which.into(), |half, effects| {
                    half.decide(decided.into(), effects);
                });
            }
            Step::Cut(who) => {
                let client = &mut self.clients[who as usize];
                self.node.close(client.line.at_node);
                client.line = Line::new(&mut self.node);
                client.tell_all(|half, effects| half.handle(Event::Disconnected(NODE), effects));
            }
            Step::Tick => {
                self.elapsed += Duration::from_secs(1);
                for who in [Who::One, Who::Other] {
                    self.process(self.clients[who as usize].line.at_node);
                }
            }
        }
    }

    /// From here on the connections stay up, and the users want to get to the end.
    fn finish(&mut self) {
        self.settle();
        for control in [None, Some(Control::Resume), Some(Control::Stop)] {
            for client in &mut self.clients {
                client.tell_all(|half, effects| match control {
                    None => half.decide(Decision::Leave, effects),
                    Some(control) => _ = half.control(control, effects),
                });
            }
            self.settle();
        }
        for Client { line, requests, .. } in &self.clients {
            assert!(requests.is_empty(), "do not end: {requests:?}");
            assert_eq!(line.listener.monitor().active(), 0);
            assert_eq!(self.node.active_requests(line.at_node), 0);
        }
    }

    /// Everything arrives that is under way.
    fn settle(&mut self) {
        loop {
            self.work.step();
            let mut quiet = true;
            for who in [Who::One, Who::Other] {
                quiet &= !self.pass_to_node(who, None);
                quiet &= !self.pass_to_client(who, None);
            }
            if quiet {
                return;
            }
        }
    }

    /// Lets bytes arrive at the node, and the node work. Did anything happen?
    fn pass_to_node(&mut self, who: Who, count: Option<u8>) -> bool {
        let line = &mut self.clients[who as usize].line;
        let bytes = first(line.client.output(), count);
        let breaches = line.listener.hear(Side::Client, &bytes);
        assert!(breaches.is_empty(), "the client is wrong: {breaches:?}");
        let id = line.at_node;
        self.node.feed(id, &bytes);
        let more = self.process(id);
        more || !bytes.is_empty()
    }

    /// Lets a connection of the node work, and those that have something to do because of it. Is there more?
    fn process(&mut self, id: ConnectionId) -> bool {
        let now = now(self.elapsed);
        let mut more = self.process_alone(id, now);
        while let Some(id) = self.node.pop_woken() {
            self.work.step();
            more |= self.process_alone(id, now);
        }
        more
    }

    fn process_alone(&mut self, id: ConnectionId, now: Now) -> bool {
        match self.node.process(id, now) {
            Ok(more) => more,
            Err(violation) => panic!("the node complains: {violation}"),
        }
    }

    /// Lets bytes arrive at a client. Were there any?
    fn pass_to_client(&mut self, who: Who, count: Option<u8>) -> bool {
        let client = &mut self.clients[who as usize];
        let line = &mut client.line;
        let output = self.node.output(line.at_node);
        let bytes = output
            .map(|output| first(output, count))
            .unwrap_or_default();
        let breaches = line.listener.hear(Side::Node, &bytes);
        assert!(breaches.is_empty(), "the node is wrong: {breaches:?}");
        line.client.feed(&bytes);
        client.hear(now(self.elapsed));
        !bytes.is_empty()
    }
}

impl Client {
    fn ask(&mut self, request: Request, registry: &Registry) {
        if self.requests.len() == REQUESTS {
            return;
        }
        let id = self.next_id;
        self.next_id = id.next();
        let mut effects = Vec::new();
        let Some(half) = ClientRequest::start(request, registry, &mut effects) else {
            return;
        };
        let on_all_nodes = half.runs_on_all_nodes();
        self.requests.push((id, half));
        let index = self.requests.len() - 1;
        self.act(index, effects);
        if on_all_nodes {
            let is_open = self.line.client.is_open();
            self.tell(index, |half, effects| {
                half.handle(Event::NodeAdded(NODE), effects);
                if is_open {
                    half.handle(Event::Connected(NODE), effects);
                }
            });
        }
        self.forget_ended();
    }

    /// What the bytes that have arrived mean.
    fn hear(&mut self, now: Now) {
        loop {
            match self.line.client.next_event(now) {
                Ok(None) => return,
                Ok(Some(neo::Event::Established(()))) => {
                    self.tell_all(|half, effects| half.handle(Event::Connected(NODE), effects));
                }
                Ok(Some(neo::Event::Message { id, payload })) => {
                    let index = self.requests.iter().position(|(other, _)| *other == id);
                    let index = index.expect("the node goes on behind the end");
                    self.tell(index, |half, effects| {
                        half.handle(Event::Message(NODE, &payload), effects);
                    });
                }
                Err(violation) => panic!("the client complains: {violation}"),
            }
        }
    }

    /// Tells one of the requests something.
    fn tell(
        &mut self,
        which: usize,
        happens: impl FnOnce(&mut ClientRequest, &mut Vec<Effect<Told>>),
    ) {
        let Some(index) = which.checked_rem(self.requests.len()) else {
            return;
        };
        let mut effects = Vec::new();
        happens(&mut self.requests[index].1, &mut effects);
        self.act(index, effects);
        self.forget_ended();
    }

    fn tell_all(&mut self, mut happens: impl FnMut(&mut ClientRequest, &mut Vec<Effect<Told>>)) {
        for index in 0..self.requests.len() {
            let mut effects = Vec::new();
            happens(&mut self.requests[index].1, &mut effects);
            self.act(index, effects);
        }
        self.forget_ended();
    }

    fn act(&mut self, index: usize, effects: Vec<Effect<Told>>) {
        let mut is_lost = false;
        for effect in effects {
            if let Some(violation) = accusation(&effect) {
                panic!("the client complains: {violation}");
            }
            if let Effect::Send { payload, .. } = effect {
                match self.line.client.is_open() {
                    true => self.line.client.send(self.requests[index].0, &payload),
                    false => is_lost = true,
                }
            }
        }
        if is_lost {
            let mut effects = Vec::new();
            let half = &mut self.requests[index].1;
            half.handle(Event::Disconnected(NODE), &mut effects);
            self.act(index, effects);
        }
    }

    fn forget_ended(&mut self) {
        self.requests.retain(|(_, half)| !half.is_over());
    }
}

impl Line {
    fn new(node: &mut Node<MemoryStorage>) -> Self {
        let handshake = ClientHandshake::new(Credential::default_admin());
        Self {
            at_node: node.accept([1, 2, 3, 4]),
            client: Connection::new(handshake, LIMITS),
            listener: Listener::new(),
        }
    }
}

/// Takes so many bytes, or all of them.
fn first(bytes: &mut Vec<u8>, count: Option<u8>) -> Vec<u8> {
    let count = count.map_or(bytes.len(), usize::from);
    bytes.drain(..count.min(bytes.len())).collect()
}

fn now(elapsed: Duration) -> Now {
    Now {
        unix: 1_700_000_000,
        elapsed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wrong::{is_noticed, noise};

    /// Bugs that make the node break the protocol in ways that a short run meets.
    const BREAKING: &[&str] = &[
        "control-not-acknowledged",
        "get-all-acknowledges-behind-finished",
        "get-all-batch-breaks-off",
        "get-all-batch-with-surplus",
        "get-all-batch-with-wrong-length",
        "get-all-end-not-over",
        "get-channels-finishes-twice",
        "mirror-acks-behind-end",
        "mirror-acks-twice",
        "mirror-control-behind-removal-closes",
        "mirror-started-behind-data",
        "stop-ignored",
        "version-answered-2",
        "version-never-answered",
        "version-sent-unasked",
    ];

    #[test]
    fn a_wrong_node_is_noticed() {
        let is_unnoticed = |name: &&str| {
            let bug = Bugs::find(name).unwrap_or_else(|| panic!("no {name}"));
            noise(150).all(|input| !is_noticed(|| converse(&input, [bug].into_iter().collect())))
        };
        let unnoticed: Vec<_> = BREAKING.iter().copied().filter(is_unnoticed).collect();
        assert!(unnoticed.is_empty(), "{unnoticed:?}");
    }

    #[test]
    fn a_right_node_is_not_accused() {
        noise(100).for_each(|input| converse(&input, Bugs::none()));
    }
}
