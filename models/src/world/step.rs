//! What an action does to a state.

use bytes::Bytes;
use dht_protocol::HashRange;
use dht_protocol::neo::registry::Registry;

use super::frame::{CLIENTS, NODES, REQUESTS, address};
use super::handover::Moving;
use super::note::{Client, From, Node, Note, Request};
use super::state::{Link, State, Used};
use super::store::Store;
use super::{Action, World, client, node};
use crate::defect::Defect;
use crate::property::Memories;

impl World {
    /// The state at the beginning.
    pub(super) fn first(&self) -> State {
        let frame = &self.frame;
        let nobody = self.registries.id(Registry::default());
        let stores = |node| frame.nodes.get(node).cloned();
        let empty = || Store::new(HashRange::EMPTY);
        let mut links = [[Link::Unknown; NODES]; CLIENTS];
        let mut registries = [nobody; CLIENTS];
        for (client, setup) in frame.clients.iter().enumerate() {
            let mut registry = Registry::default();
            for node in &setup.knows {
                links[client][*node] = Link::Up;
                registry.learn(address(*node), frame.nodes[*node].range);
            }
            registries[client] = self.registries.id(registry);
        }
        let memories = frame.properties.iter();
        let memories = memories.map(|property| property.start(frame)).collect();
        let first = State {
            registries,
            asked: [self.nothing.waiting; REQUESTS],
            served: [[self.nothing.served; NODES]; REQUESTS],
            to_node: [[self.nothing.queue; NODES]; REQUESTS],
            to_client: [[self.nothing.queue; NODES]; REQUESTS],
            stores: std::array::from_fn(|node| self.stores.id(stores(node).unwrap_or_else(empty))),
            moving: self.movings.id(Moving::before()),
            links,
            used: Used::default(),
            memories: self.memories.id(Memories(memories)),
            marked: 0,
        };
        let mut step = Step {
            world: self,
            state: first,
            log: None,
        };
        let requests = frame.requests.iter().enumerate();
        for (request, setup) in requests.filter(|(_, setup)| setup.asks.is_none()) {
            step.take(Action::Begin(request));
            // The ranges have been told before anything happens: the client knows them, after all.
            for node in &frame.clients[setup.client].knows {
                step.take(Action::ToNode(request, *node));
                step.take(Action::Turn(request, *node));
                step.take(Action::ToClient(request, *node));
                step.take(Action::ToClient(request, *node));
            }
        }
        step.state
    }

    /// The state after an action; `None` if it changes nothing.
    pub(super) fn step(&self, state: &State, action: Action) -> Option<State> {
        self.stepped(state, action, false).map(|(state, _)| state)
    }

    /// What happens in a step.
    pub fn explain(&self, state: &State, action: Action) -> Option<(State, Vec<Note>)> {
        self.stepped(state, action, true)
    }

    fn stepped(&self, before: &State, action: Action, log: bool) -> Option<(State, Vec<Note>)> {
        let mut step = Step {
            world: self,
            state: *before,
            log: log.then(Vec::new),
        };
        step.state.marked = 0;
        step.take(action);
        let mut unmarked = *before;
        unmarked.marked = 0;
        let changed = step.state != unmarked;
        changed.then(|| (step.state, step.log.unwrap_or_default()))
    }
}

/// A step under way.
pub(super) struct Step<'a> {
    pub(super) world: &'a World,
    pub(super) state: State,
    /// What has happened, if somebody wants to know.
    pub(super) log: Option<Vec<Note>>,
}

impl Step<'_> {
    fn take(&mut self, action: Action) {
        let world = self.world;
        match action {
            Action::Begin(request) => {
                let client = self.client_of(request);
                let registry = self.state.registries[client];
                self.client(request, client::Input::Begin(registry));
                self.introduce(request);
            }
            Action::Control(request, control) => {
                self.client(request, client::Input::Control(control));
            }
            Action::Pace(request, backlog) => {
                self.state.used.spent.paces += 1;
                self.client(request, client::Input::Pace(backlog));
            }
            Action::Decide(request, which) => self.client(request, client::Input::Decide(which)),
            Action::Abandon(request) => {
                self.state.used.spent.abandons += 1;
                self.client(request, client::Input::Abandon);
            }
            Action::Stray(request, node) => {
                self.state.used.spent.strays += 1;
                let payload = Bytes::from_static(&[0]);
                let message = world.messages.id(payload.clone());
                self.note(Note::ClientSent(request, node, payload));
                self.send(request, node, From::Client, message);
            }
            Action::ToNode(request, node) => {
                if let Some(message) = self.arriving(request, node, From::Client) {
                    self.node(request, node, node::Input::Message(message));
                }
            }
            Action::ToClient(request, node) => {
                if let Some(message) = self.arriving(request, node, From::Node) {
                    self.client(request, client::Input::Message(node, message));
                }
            }
            Action::Turn(request, node) => self.node(request, node, node::Input::Turn),
            Action::Tick(request, node) => {
                let before = self.state.served[request][node];
                self.node(request, node, node::Input::Tick);
                // A period of something that has none, or of a dump that is still under way.
                if self.state.served[request][node] != before {
                    self.state.used.spent.ticks += 1;
                    self.note(Note::Ticked(request, node));
                }
            }
            Action::Write(writer) => self.write(usize::from(writer)),
            Action::Break(client, node) => {
                self.state.used.spent.breaks += 1;
                self.break_link(client, node);
            }
            Action::ClientDown(client, node) => self.client_down(client, node),
            Action::NodeDown(client, node) => self.node_down(client, node),
            Action::Connect(client, node) => self.connect(client, node),
            Action::Restart(node) => {
                self.state.used.spent.restarts += 1;
                self.restart(node);
            }
            Action::Announce => self.announce(),
            Action::Move(key) => self.move_record(key),
            Action::Redistribution(part) => self.hand_over(part),
        }
    }

    pub(super) fn client_of(&self, request: Request) -> Client {
        self.world.frame.requests[request].client
    }

    /// Gives an event to the client's side of a request.
    pub(super) fn client(&mut self, request: Request, input: client::Input) {
        let world = self.world;
        let client = self.client_of(request);
        let up: [bool; NODES] =
            std::array::from_fn(|node| self.state.links[client][node].reaches_node());
        let ups = (0..NODES).fold(0, |ups, node| ups | u8::from(up[node]) << node);
        let key = (request as u8, self.state.asked[request], input, ups);
        let step = world.client_steps.get(key, |(_, asked, input, _)| {
            world.client_step(request, world.asked.get(*asked), *input, &up)
        });
        self.state.asked[request] = step.asked;
        self.remember(step.notes);
        for (node, message) in &step.sends {
            self.send(request, *node, From::Client, *message);
        }
        for node in &step.closes {
            self.break_link(client, *node);
            self.client_down_except(client, *node, Some(request));
        }
        for (asked, learned) in &step.learned {
            self.learn(client, *asked, *learned);
        }
    }

    /// Gives an event to the node's side of a request.
    pub(super) fn node(&mut self, request: Request, node: Node, input: node::Input) {
        let world = self.world;
        let (served, store) = (self.state.served[request][node], self.state.stores[node]);
        let key = (request as u8, node as u8, served, input, store);
        let step = world.node_steps.get(key, |(_, _, served, input, store)| {
            let (served, store) = (world.served.get(*served), world.stores.get(*store));
            world.node_step((request, node), served, *input, store)
        });
        self.state.served[request][node] = step.served;
        self.state.stores[node] = step.store;
        self.remember(step.notes);
        for message in &step.sends {
            self.send(request, node, From::Node, *message);
        }
        self.spread(node, store, &step.written, Some(request));
        if step.violated {
            let client = self.client_of(request);
            self.break_link(client, node);
            self.node_down(client, node);
            if world.frame.defects.has(Defect::M08) {
                for client in 0..world.frame.clients.len() {
                    self.break_link(client, node);
                }
            }
        }
    }
}
