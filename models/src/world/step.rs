//! What an action does to a state.

use bytes::Bytes;
use dht_protocol::neo::client::Backlog;
use dht_protocol::neo::registry::Registry;
use dht_protocol::neo::request::get_hash_range::{Learned, Update};
use dht_protocol::neo::request::{ChannelId, Host, mirror::Change};
use dht_protocol::{ChannelName, HashRange, Key};

use super::frame::{CLIENTS, NODES, REQUESTS, Write, WriteKind, address, node_at};
use super::note::{Client, From, Node, Note, Request};
use super::state::{Asked, Link, Queue, State, Used, requests_of};
use super::store::{Store, Written};
use super::{Action, World, client, node};
use crate::defect::Defect;
use crate::intern::Id;
use crate::property::{Kind, Memories};

/// What has to be known of a client's side of a request to say which actions are possible.
#[derive(Clone, Copy, Debug)]
struct Facts {
    waiting: bool,
    active: bool,
    deciding: bool,
    calls: u8,
}

/// The next message of a queue, and those behind it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    first: Option<Id<Bytes>>,
    rest: Id<Queue>,
}

impl World {
    /// The state at the beginning.
    pub(super) fn first(&self) -> State {
        let frame = &self.frame;
        let nobody = self.registries.id(Registry::default());
        let stores = |node| frame.nodes.get(node).cloned();
        let empty = || Store::new(dht_protocol::HashRange::EMPTY);
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

    /// What may happen next. Some of it may turn out to change nothing.
    pub(super) fn possible(&self, state: &State, actions: &mut Vec<Action>) {
        let (frame, used) = (&self.frame, &state.used);
        for (request, setup) in frame.requests.iter().enumerate() {
            let facts = self.facts(state.asked[request]);
            let free = setup
                .after
                .is_none_or(|other| state.asked[other] == self.nothing.over);
            if facts.waiting && free {
                actions.push(Action::Begin(request));
            }
            if facts.active {
                if facts.calls < setup.calls {
                    let controls = setup.controls.iter();
                    actions.extend(controls.map(|control| Action::Control(request, *control)));
                }
                if used.paces < frame.budget.paces {
                    let backlog = match used.paces % 2 {
                        0 => Backlog::High,
                        _ => Backlog::Low,
                    };
                    actions.push(Action::Pace(request, backlog));
                }
                if facts.deciding {
                    let decisions = 0..setup.decisions.len() as u8;
                    actions.extend(decisions.map(|which| Action::Decide(request, which)));
                }
                if used.abandons < frame.budget.abandons && setup.asks.is_some() {
                    actions.push(Action::Abandon(request));
                }
            }
            let strays = setup.asks.is_none() && used.strays < frame.budget.strays;
            for node in 0..frame.nodes.len() {
                if strays && state.links[setup.client][node] == Link::Up {
                    actions.push(Action::Stray(request, node));
                }
                if state.to_node[request][node] != self.nothing.queue {
                    actions.push(Action::ToNode(request, node));
                }
                if state.to_client[request][node] != self.nothing.queue {
                    actions.push(Action::ToClient(request, node));
                }
                if state.served[request][node] != self.nothing.served {
                    if self.queues.get(state.to_client[request][node]).0.len() < frame.room {
                        actions.push(Action::Turn(request, node));
                    }
                    if used.ticks < frame.budget.ticks {
                        actions.push(Action::Tick(request, node));
                    }
                }
            }
        }
        for (writer, writes) in frame.writers.iter().enumerate() {
            if usize::from(used.written[writer]) < writes.len() {
                actions.push(Action::Write(writer as u8));
            }
        }
        for client in 0..frame.clients.len() {
            for node in 0..frame.nodes.len() {
                match state.links[client][node] {
                    Link::Unknown => {}
                    Link::Down => actions.push(Action::Connect(client, node)),
                    Link::Up if used.breaks < frame.budget.breaks => {
                        actions.push(Action::Break(client, node));
                    }
                    Link::Up => {}
                    Link::Broken { client: c, node: n } => {
                        if !c {
                            actions.push(Action::ClientDown(client, node));
                        }
                        if !n {
                            actions.push(Action::NodeDown(client, node));
                        }
                    }
                }
            }
        }
        if used.restarts < frame.budget.restarts {
            actions.extend((0..frame.nodes.len()).map(Action::Restart));
        }
        if let Some(transfer) = frame.transfer {
            if !used.announced {
                actions.push(Action::Announce);
            } else {
                let store = self.stores.get(state.stores[transfer.from]);
                let left = |key: &Key| !transfer.keeps.covers(*key);
                let keys = store.channels().flat_map(|(_, records)| records.keys());
                actions.extend(keys.copied().filter(left).map(Action::Move));
            }
        }
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

    fn facts(&self, asked: Id<Asked>) -> Facts {
        match self.asked.get(asked) {
            Asked::Waiting => Facts {
                waiting: true,
                active: false,
                deciding: false,
                calls: 0,
            },
            Asked::Active {
                calls, deciding, ..
            } => Facts {
                waiting: false,
                active: true,
                deciding: *deciding,
                calls: *calls,
            },
            Asked::Over => Facts {
                waiting: false,
                active: false,
                deciding: false,
                calls: 0,
            },
        }
    }

    fn head(&self, queue: Id<Queue>) -> Head {
        *self.heads.get(queue, |queue| {
            let messages = &self.queues.get(*queue).0;
            let rest = messages.iter().skip(1).copied().collect();
            Head {
                first: messages.first().copied(),
                rest: self.queues.id(Queue(rest)),
            }
        })
    }

    fn push(&self, queue: Id<Queue>, message: Id<Bytes>) -> Id<Queue> {
        *self.pushed.get((queue, message), |(queue, message)| {
            let mut messages = self.queues.get(*queue).0.clone();
            messages.push(*message);
            self.queues.id(Queue(messages))
        })
    }
}

/// A step under way.
struct Step<'a> {
    world: &'a World,
    state: State,
    /// What has happened, if somebody wants to know.
    log: Option<Vec<Note>>,
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
                self.state.used.paces += 1;
                self.client(request, client::Input::Pace(backlog));
            }
            Action::Decide(request, which) => self.client(request, client::Input::Decide(which)),
            Action::Abandon(request) => {
                self.state.used.abandons += 1;
                self.client(request, client::Input::Abandon);
            }
            Action::Stray(request, node) => {
                self.state.used.strays += 1;
                let payload = Bytes::from_static(&[0]);
                let message = world.messages.id(payload.clone());
                self.note(Note::ClientSent(request, node, payload));
                let queue = &mut self.state.to_node[request][node];
                *queue = world.push(*queue, message);
            }
            Action::ToNode(request, node) => {
                let queue = world.head(self.state.to_node[request][node]);
                if let Some(message) = queue.first {
                    self.state.to_node[request][node] = queue.rest;
                    self.node(request, node, node::Input::Message(message));
                }
            }
            Action::ToClient(request, node) => {
                let queue = world.head(self.state.to_client[request][node]);
                if let Some(message) = queue.first {
                    self.state.to_client[request][node] = queue.rest;
                    self.client(request, client::Input::Message(node, message));
                }
            }
            Action::Turn(request, node) => self.node(request, node, node::Input::Turn),
            Action::Tick(request, node) => {
                let before = self.state.served[request][node];
                self.node(request, node, node::Input::Tick);
                // A period of something that has none, or of a dump that is still under way.
                if self.state.served[request][node] != before {
                    self.state.used.ticks += 1;
                    self.note(Note::Ticked(request, node));
                }
            }
            Action::Write(writer) => self.write(usize::from(writer)),
            Action::Break(client, node) => {
                self.state.used.breaks += 1;
                self.break_link(client, node, false, false);
            }
            Action::ClientDown(client, node) => self.client_down(client, node),
            Action::NodeDown(client, node) => self.node_down(client, node),
            Action::Connect(client, node) => self.connect(client, node),
            Action::Restart(node) => {
                self.state.used.restarts += 1;
                self.note(Note::Restarted(node));
                for client in 0..world.frame.clients.len() {
                    match self.state.links[client][node] {
                        Link::Up => {
                            self.break_link(client, node, false, false);
                            self.node_down(client, node);
                        }
                        Link::Broken { node: false, .. } => self.node_down(client, node),
                        Link::Broken { .. } | Link::Down | Link::Unknown => {}
                    }
                }
            }
            Action::Announce => self.announce(),
            Action::Move(key) => self.move_record(key),
        }
    }

    fn client_of(&self, request: Request) -> Client {
        self.world.frame.requests[request].client
    }

    /// Gives an event to the client's side of a request.
    fn client(&mut self, request: Request, input: client::Input) {
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
            match self.state.links[client][*node] {
                Link::Up => {
                    let queue = &mut self.state.to_node[request][*node];
                    *queue = world.push(*queue, *message);
                }
                // The connection is broken, but the client does not know.
                _ => self.lose(request, *node, From::Client, *message),
            }
        }
        for node in &step.closes {
            self.break_link(client, *node, false, false);
            self.client_down_except(client, *node, Some(request));
        }
        for (asked, learned) in &step.learned {
            self.learn(client, *asked, *learned);
        }
    }

    /// Gives an event to the node's side of a request.
    fn node(&mut self, request: Request, node: Node, input: node::Input) {
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
        let client = self.client_of(request);
        for message in &step.sends {
            match self.state.links[client][node] {
                Link::Up => {
                    let queue = &mut self.state.to_client[request][node];
                    *queue = world.push(*queue, *message);
                }
                _ => self.lose(request, node, From::Node, *message),
            }
        }
        self.spread(node, store, &step.written, Some(request));
        if step.violated {
            self.break_link(client, node, false, false);
            self.node_down(client, node);
            if world.frame.defects.has(Defect::M08) {
                for client in 0..world.frame.clients.len() {
                    self.break_link(client, node, false, false);
                }
            }
        }
    }

    /// Tells those who follow a channel what was written. `before` is the store as it was.
    fn spread(&mut self, node: Node, before: Id<Store>, written: &[Written], by: Option<Request>) {
        if written.is_empty() {
            return;
        }
        let world = self.world;
        let (before, after) = (
            world.stores.get(before),
            world.stores.get(self.state.stores[node]),
        );
        for written in written {
            let (input, note) = match written {
                Written::Record(channel, change) => {
                    let (Change::Changed(key) | Change::Deleted(key)) = *change;
                    let name = after.name(*channel).or_else(|| before.name(*channel));
                    let name = name.cloned().unwrap_or_default();
                    let value = after.value(&name, key).cloned();
                    let value = value.filter(|_| matches!(change, Change::Changed(_)));
                    (
                        node::Input::Changed(*channel, *change),
                        Note::Wrote(node, name, key, value, by),
                    )
                }
                Written::Created(name) => {
                    self.note(Note::CreatedChannel(node, name.clone(), by));
                    continue;
                }
                Written::Channel(channel, name) => (
                    node::Input::ChannelRemoved(*channel),
                    Note::RemovedChannel(node, name.clone(), by),
                ),
            };
            self.note(note);
            self.tell_all(node, input);
        }
    }

    /// Gives an event to all requests that are active on a node.
    fn tell_all(&mut self, node: Node, input: node::Input) {
        for request in 0..self.world.frame.requests.len() {
            if self.state.served[request][node] != self.world.nothing.served {
                self.node(request, node, input);
            }
        }
    }

    fn write(&mut self, writer: usize) {
        let world = self.world;
        let position = usize::from(self.state.used.written[writer]);
        let Some(Write {
            node,
            channel,
            what,
        }) = world.frame.writers[writer].get(position)
        else {
            return;
        };
        self.state.used.written[writer] += 1;
        self.change(*node, |host| {
            match what {
                WriteKind::Put(key, value) => {
                    let channel = host.open_channel(channel)?;
                    host.put(channel, *key, value)?;
                }
                WriteKind::Remove(key) => {
                    let channel = host.open_channel(channel)?;
                    host.remove(channel, *key)?;
                }
                WriteKind::RemoveChannel => host.remove_channel(channel)?,
            }
            Ok(())
        });
    }

    /// Changes what a node stores, and tells those who follow it.
    fn change(
        &mut self,
        node: Node,
        change: impl FnOnce(
            &mut super::store::StoreHost<'_>,
        ) -> Result<(), dht_protocol::neo::request::HostError>,
    ) {
        let world = self.world;
        let before = self.state.stores[node];
        let mut store = Store::clone(world.stores.get(before));
        // A store of a model never fails.
        let (_, written) = store.change(world.frame.defects, change);
        self.state.stores[node] = world.stores.id(store);
        self.spread(node, before, &written, None);
    }

    fn break_link(&mut self, client: Client, node: Node, c: bool, n: bool) {
        let link = &mut self.state.links[client][node];
        if *link == Link::Up {
            *link = Link::Broken { client: c, node: n };
            self.note(Note::Broke(client, node));
        }
    }

    fn client_down(&mut self, client: Client, node: Node) {
        self.client_down_except(client, node, None);
    }

    /// The client notices that a connection is broken. One request may know already.
    fn client_down_except(&mut self, client: Client, node: Node, knows: Option<Request>) {
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

    fn node_down(&mut self, client: Client, node: Node) {
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

    fn connect(&mut self, client: Client, node: Node) {
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
    fn introduce(&mut self, request: Request) {
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
    fn learn(&mut self, client: Client, _asked: Node, learned: Learned) {
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

    /// The other node is announced before the range changes, so that no client is without a node for a
    /// key in between (P68).
    fn announce(&mut self) {
        let world = self.world;
        let Some(transfer) = world.frame.transfer else {
            return;
        };
        self.state.used.announced = true;
        let from = transfer.from;
        // The defect: the other way around.
        let late = world.frame.defects.has(Defect::F28);
        if !late {
            self.announce_node(from, transfer.to, transfer.gets);
        }
        let mut store = Store::clone(world.stores.get(self.state.stores[from]));
        store.range = transfer.keeps;
        self.state.stores[from] = world.stores.id(store);
        self.note(Note::Ranged(from, transfer.keeps));
        let changed = Update::ChangeHashRange(transfer.keeps);
        self.tell_all(from, node::Input::Ranged(changed));
        if late {
            self.announce_node(from, transfer.to, transfer.gets);
        }
    }

    /// A node tells its clients of another one.
    fn announce_node(&mut self, from: Node, to: Node, gets: HashRange) {
        self.note(Note::Announced(from, to, gets));
        let news = Update::NewNode(address(to), gets);
        self.tell_all(from, node::Input::Ranged(news));
    }

    /// A record follows to the node that is responsible for it now: its value replaces whatever that
    /// node has, and it is removed here (`semantics-and-client.md` A14).
    fn move_record(&mut self, key: Key) {
        let world = self.world;
        let Some(transfer) = world.frame.transfer else {
            return;
        };
        let from = world.stores.get(self.state.stores[transfer.from]);
        let moved = from.channels().find_map(|(name, records)| {
            let value = records.get(&key)?;
            Some((name.clone(), value.clone()))
        });
        let Some((channel, value)) = moved else {
            return;
        };
        self.arrive(transfer.to, &channel, key, value);
        self.note(Note::Left(transfer.from, channel.clone(), key));
        self.change(transfer.from, |host| {
            let channel = host.open_channel(&channel)?;
            host.remove(channel, key).map(|_| ())
        });
    }

    /// A record that comes from another node is told to nobody.
    fn arrive(&mut self, node: Node, channel: &ChannelName, key: Key, value: Bytes) {
        let world = self.world;
        let mut store = Store::clone(world.stores.get(self.state.stores[node]));
        let (_, _) = store.change(world.frame.defects, |host| {
            let channel: ChannelId = host.open_channel(channel)?;
            host.put(channel, key, &value)
        });
        self.state.stores[node] = world.stores.id(store);
        self.note(Note::Arrived(node, channel.clone(), key, value));
    }

    /// What is on its way is lost.
    fn discard(&mut self, request: Request, node: Node, from: From) {
        loop {
            let queue = match from {
                From::Client => &mut self.state.to_node[request][node],
                From::Node => &mut self.state.to_client[request][node],
            };
            let head = self.world.head(*queue);
            let Some(message) = head.first else {
                return;
            };
            *queue = head.rest;
            self.lose(request, node, from, message);
        }
    }

    fn lose(&mut self, request: Request, node: Node, from: From, message: Id<Bytes>) {
        let payload = self.world.payload(message);
        self.note(Note::Lost(request, node, from, payload));
    }

    fn note(&mut self, note: Note) {
        let notes = self.world.notes.id(vec![note]);
        self.remember(notes);
    }

    /// Tells the properties what has happened.
    fn remember(&mut self, notes: Id<Vec<Note>>) {
        let world = self.world;
        if notes == world.nothing.silence {
            return;
        }
        if let Some(log) = &mut self.log {
            log.extend(world.notes.get(notes).iter().cloned());
        }
        let key = (self.state.memories, notes);
        let (memories, marked) = *world.remembered.get(key, |(memories, notes)| {
            let (memories, notes) = (world.memories.get(*memories), world.notes.get(*notes));
            let mut marked = 0;
            let properties = world.frame.properties.iter().zip(&memories.0).enumerate();
            let after = properties.map(|(number, (property, memory))| {
                let (memory, mark) = property.note(*memory, notes);
                let counts = mark && property.about().kind != Kind::Eventually;
                marked |= u64::from(counts) << number;
                memory
            });
            let after = Memories(after.collect());
            (world.memories.id(after), marked)
        });
        self.state.memories = memories;
        self.state.marked |= marked;
    }
}

impl Link {
    /// Does the client believe that it can send?
    fn reaches_node(self) -> bool {
        matches!(self, Self::Up | Self::Broken { client: false, .. })
    }
}
