//! Two clients and a node: whole connections, several requests on each, bytes that come in any portions, and
//! connections that are cut.

mod client;

use std::time::Duration;

use arbitrary::{Arbitrary, Unstructured};
use dht_protocol::neo::dissect::Side;
use dht_protocol::neo::registry::Registry;
use dht_protocol::neo::request::control::Control;
use dht_protocol::neo::request::update::Decision;
use dht_protocol::neo::{Limits, NodeAddress, Now};
use dht_protocol::{HashRange, Key};
use fakedht::{Bugs, ConnectionId, MemoryStorage, Node, NodeConfig, RemoveChannels};

use crate::asked::{Asked, Decided, Said, channel};
use crate::memory;
use crate::work::Work;
use client::Client;

const NODE: NodeAddress = std::net::SocketAddrV4::new(std::net::Ipv4Addr::LOCALHOST, 1);
const LIMITS: Limits = Limits {
    message: 64 * 1024,
    active_requests: 16,
    mirror_queue: 4,
};
/// Steps of one run.
const STEPS: usize = 48;

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
        let clients = [(); 2].map(|()| Client::new(&mut node));
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
                let request = asked.request(&channel(), Key(u64::from(key % 4)));
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
                self.clients[who as usize].reconnect(&mut self.node);
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
