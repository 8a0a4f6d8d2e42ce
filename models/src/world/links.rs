//! Connections: they break, both ends notice, the client connects again. And how a client comes to know the
//! nodes.

use dht_protocol::HashRange;
use dht_protocol::neo::registry::Registry;
use dht_protocol::neo::request::get_hash_range::Learned;

use super::client;
use super::frame::{NODES, node_at};
use super::note::{Client, From, Node, Note, Request};
use super::state::{Asked, Link, requests_of};
use super::step::Step;
use crate::defect::Defect;

impl Step<'_> {
    pub(super) fn break_link(&mut self, client: Client, node: Node) {
        let link = &mut self.state.links[client][node];
        if *link == Link::Up {
            *link = Link::Broken {
                client: false,
                node: false,
            };
            self.note(Note::Broke(client, node));
        }
    }

    pub(super) fn client_down(&mut self, client: Client, node: Node) {
        self.client_down_except(client, node, None);
    }

    /// The client notices that a connection is broken. One request may know already.
    pub(super) fn client_down_except(
        &mut self,
        client: Client,
        node: Node,
        knows: Option<Request>,
    ) {
        let Link::Broken {
            client: false,
            node: n,
        } = self.state.links[client][node]
        else {
            return;
        };
        self.state.links[client][node] = match n {
            true => Link::Down,
            false => Link::Broken {
                client: true,
                node: false,
            },
        };
        self.note(Note::ClientDown(client, node));
        let frame = &self.world.frame;
        for request in requests_of(&frame.requests, client) {
            if !self.world.frame.defects.has(Defect::M09) {
                self.discard(request, node, From::Node);
            }
            let waiting = self.state.asked[request] == self.world.nothing.waiting;
            if Some(request) != knows && !waiting {
                self.client(request, client::Input::Disconnected(node));
                if frame.defects.has(Defect::M07) {
                    for other in (0..NODES).filter(|other| *other != node) {
                        self.client(request, client::Input::Disconnected(other));
                    }
                }
            }
        }
    }

    pub(super) fn node_down(&mut self, client: Client, node: Node) {
        let Link::Broken {
            client: c,
            node: false,
        } = self.state.links[client][node]
        else {
            return;
        };
        self.state.links[client][node] = match c {
            true => Link::Down,
            false => Link::Broken {
                client: false,
                node: true,
            },
        };
        self.note(Note::NodeDown(client, node));
        let frame = &self.world.frame;
        for request in requests_of(&frame.requests, client) {
            self.discard(request, node, From::Client);
            self.state.served[request][node] = self.world.nothing.served;
        }
    }

    pub(super) fn connect(&mut self, client: Client, node: Node) {
        self.state.links[client][node] = Link::Up;
        self.note(Note::Up(client, node));
        let frame = &self.world.frame;
        if frame.defects.has(Defect::M35) {
            return;
        }
        for request in requests_of(&frame.requests, client) {
            if self.world.facts(self.state.asked[request]).active {
                self.client(request, client::Input::Connected(node));
            }
        }
    }

    /// Tells a new request on all nodes which there are.
    pub(super) fn introduce(&mut self, request: Request) {
        let world = self.world;
        let client = self.client_of(request);
        let all = match world.asked.get(self.state.asked[request]) {
            Asked::Active { half, .. } => half.runs_on_all_nodes(),
            Asked::Waiting | Asked::Over => false,
        };
        if !all {
            return;
        }
        let links = self.state.links[client];
        let known = || (0..NODES).filter(|node| links[*node] != Link::Unknown);
        for node in known() {
            self.client(request, client::Input::NodeAdded(node));
        }
        for node in known().filter(|node| links[*node].reaches_node()) {
            self.client(request, client::Input::Connected(node));
        }
    }

    /// A client has learned what a node is responsible for.
    pub(super) fn learn(&mut self, client: Client, _asked: Node, learned: Learned) {
        let world = self.world;
        let Some(node) = node_at(learned.node) else {
            return;
        };
        let mut registry = Registry::clone(world.registries.get(self.state.registries[client]));
        if world.frame.defects.has(Defect::F41) {
            // Forgotten and learned again, it counts as the newest.
            registry.learn(learned.node, HashRange::EMPTY);
        }
        registry.learn(learned.node, learned.range);
        self.state.registries[client] = world.registries.id(registry);
        self.note(Note::Learned(client, node, learned.range));
        if self.state.links[client][node] == Link::Unknown {
            self.state.links[client][node] = Link::Down;
            for request in requests_of(&world.frame.requests, client) {
                if world.facts(self.state.asked[request]).active {
                    self.client(request, client::Input::NodeAdded(node));
                }
            }
        }
    }

    /// A node ends, and with it its side of every connection; it is back at once.
    pub(super) fn restart(&mut self, node: Node) {
        self.note(Note::Restarted(node));
        for client in 0..self.world.frame.clients.len() {
            self.break_link(client, node);
            self.node_down(client, node);
        }
    }
}

impl Link {
    /// Does the client believe that it can send?
    pub(super) fn reaches_node(self) -> bool {
        matches!(self, Self::Up | Self::Broken { client: false, .. })
    }
}
