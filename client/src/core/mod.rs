//! The client without I/O: connections, requests, and what is known of the nodes, as one value that is
//! told what happens and says what is to be done. The tokio [`Client`](crate::Client) drives it with
//! sockets; a test drives it against a node in the same process, without any.
//!
//! It is deterministic: the same inputs lead to the same outputs, in the same order. It reads no clock
//! ([`Now`] is passed in), draws no random numbers, and iterates over nothing unordered.
//!
//! # Driving it
//!
//! After any call, take all [outputs](Core::next_output) and do what they say:
//!
//! | output | what to do |
//! |---|---|
//! | [`Connect`](Output::Connect) | open a transport to the node, and again whenever it is lost; then call [`connected`](Core::connected), or [`connect_failed`](Core::connect_failed) |
//! | [`Write`](Output::Write) | take what stands in the node's [`output`](Core::output) and send it |
//! | [`Close`](Output::Close) | close the transport; the core has dropped the connection already |
//! | [`Connection`](Output::Connection), [`Request`](Output::Request) | tell who wants to know |
//!
//! Bytes of a node go to [`received`](Core::received), the end of its transport to
//! [`disconnected`](Core::disconnected), the end of somebody's patience to [`abandon`](Core::abandon).
//! Who cannot read a GetAll or Mirror as fast as it comes says so with [`pace`](Core::pace).
//!
//! ```
//! use dht_client::core::{Core, Output, Request, Told};
//! use dht_protocol::neo::{AuthKey, ClientName, Credential, Limits, Now};
//! use dht_protocol::neo::request::{Failure, RecordName};
//!
//! let credential = Credential { name: ClientName::new(b"admin").unwrap(), key: AuthKey::ZERO };
//! let mut core = Core::new(credential, Limits::default());
//! let node = "127.0.0.1:10100".parse().unwrap();
//! core.add_node(node, Now::default());
//! assert_eq!(core.next_output(), Some(Output::Connect(node)));
//!
//! core.connected(node, Now::default());
//! assert_eq!(core.next_output(), Some(Output::Write(node)));
//! assert_eq!(core.output(node).map(|bytes| bytes.as_slice()), Some(&[1][..]), "the version");
//!
//! // The node has not told its range yet.
//! let record = RecordName { channel: "c".into(), key: 5.into() };
//! let id = core.start(Request::Get(record), Now::default()).unwrap();
//! let told = Told::Get(Err(Failure::NoNode));
//! assert_eq!(core.next_output(), Some(Output::Request { id, told }));
//! ```

mod half;
mod pace;
mod request;
mod stats;
mod wires;

pub use pace::Backlog;
pub use request::{ChannelEvent, GetAllEvent, MirrorEvent, RemoveChannelEvent, Request, Told};
pub use stats::RequestStats;

use std::collections::BTreeMap;
use std::time::Duration;

use dht_protocol::HashRange;
use dht_protocol::neo::handshake::ClientHandshake;
use dht_protocol::neo::registry::Registry;
use dht_protocol::neo::request::control::Control;
use dht_protocol::neo::request::gather::{self, Gathering};
use dht_protocol::neo::request::get_hash_range::Learned;
use dht_protocol::neo::request::stream::ControlError;
use dht_protocol::neo::request::update::Decision;
use dht_protocol::neo::request::{
    Effect, RequestCode, exists, get, get_all, get_channels, get_hash_range, mirror, put, remove,
    remove_channel,
};
use dht_protocol::neo::{
    Connection, Credential, Event as Received, Limits, NodeAddress, Now, RequestId,
};
use thiserror::Error;

use crate::ConnectionError;
use half::{AnyHalf, Event};
use pace::Paced;
use stats::Times;
use wires::{Node, Wires};

/// How many requests a client may have active at once, the permanent GetHashRange included: as many as
/// a node serves on a connection (`semantics-and-client.md` B9).
pub const MAX_ACTIVE_REQUESTS: usize = 5000;

/// How many nodes are registered at most. What nodes announce beyond that is ignored, so that a node
/// that makes up others cannot fill the memory.
pub const MAX_NODES: usize = 4096;

/// The request that asks each node for its range; it has the same id on all connections.
const RANGES: RequestId = RequestId::FIRST;

/// What the driver is to do, or to tell.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Output {
    /// Keep up a transport to this node from now on.
    Connect(NodeAddress),
    /// There is something in the [`output`](Core::output) for this node, which was empty before.
    Write(NodeAddress),
    /// Close the transport to this node.
    Close {
        /// The node.
        node: NodeAddress,
        /// Why.
        reason: ConnectionError,
    },
    /// Something happened to a connection.
    Connection(ConnectionEvent),
    /// A request has something to tell its user.
    Request {
        /// The request.
        id: RequestId,
        /// What.
        told: Told,
    },
}

/// What happens to the connection to a node.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ConnectionEvent {
    /// Requests can be sent to the node.
    Connected(NodeAddress),
    /// The keys that a node is responsible for have become known, or have changed. The node may have
    /// told so itself, or another one.
    RangeKnown(NodeAddress, HashRange),
    /// An attempt to connect came to nothing. There will be another one.
    Failed(NodeAddress, ConnectionError),
    /// The connection has ended. It will be established again.
    Disconnected(NodeAddress, ConnectionError),
}

/// A request was not started because too many are active.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("{MAX_ACTIVE_REQUESTS} requests are active, and no more can be")]
pub struct TooManyRequests;

/// What is known of a node.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NodeState {
    /// How far the connection is.
    pub connection: ConnectionState,
    /// The keys that the node is responsible for, if they are known.
    pub range: Option<HashRange>,
}

/// How far a connection is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ConnectionState {
    /// No attempt to connect has ended yet.
    Connecting,
    /// The last attempt, or the last connection, ended like this.
    Failed(ConnectionError),
    /// The transport is there, but not the authentication.
    Authenticating,
    /// Requests can be sent.
    Open,
}

/// The client without I/O.
#[derive(Clone, Debug)]
pub struct Core {
    credential: Credential,
    limits: Limits,
    wires: Wires,
    registry: Registry,
    requests: BTreeMap<RequestId, Active>,
    next_id: RequestId,
    times: Times,
}

#[derive(Clone, Debug)]
struct Active {
    half: AnyHalf,
    begun: Duration,
}

/// Nodes and their connections.
impl Core {
    /// A client that knows no node yet.
    pub fn new(credential: Credential, limits: Limits) -> Self {
        Self {
            credential,
            limits,
            wires: Wires::default(),
            registry: Registry::default(),
            requests: BTreeMap::new(),
            next_id: RANGES.next(),
            times: Times::default(),
        }
    }

    /// Registers a node, to be connected to. `false` if it was known already, or if there are
    /// [too many](MAX_NODES).
    pub fn add_node(&mut self, node: NodeAddress, now: Now) -> bool {
        if self.wires.nodes.contains_key(&node) || self.wires.nodes.len() >= MAX_NODES {
            return false;
        }
        self.wires.nodes.insert(node, Node::default());
        self.wires.push(Output::Connect(node));
        self.tell_all(&Event::NodeAdded(node), now);
        true
    }

    /// A transport to a node has been opened. One that was there before is replaced.
    pub fn connected(&mut self, node: NodeAddress, now: Now) {
        self.disconnected(node, ConnectionError::Reconnecting, now);
        let connection =
            Connection::new(ClientHandshake::new(self.credential.clone()), self.limits);
        if let Some(registered) = self.wires.nodes.get_mut(&node) {
            registered.connection = Some(connection);
            self.wires.push(Output::Write(node));
        }
    }

    /// No transport to a node could be opened.
    pub fn connect_failed(&mut self, node: NodeAddress, error: ConnectionError) {
        if let Some(registered) = self.wires.nodes.get_mut(&node) {
            registered.error = Some(error.clone());
            let event = ConnectionEvent::Failed(node, error);
            self.wires.push(Output::Connection(event));
        }
    }

    /// The transport to a node has gone.
    pub fn disconnected(&mut self, node: NodeAddress, reason: ConnectionError, now: Now) {
        self.wires.drop_connection(node, reason);
        self.tell_losses(now);
    }

    /// Gives up the connection to a node; [`Output::Close`] follows if there was one.
    pub fn close(&mut self, node: NodeAddress, reason: ConnectionError, now: Now) {
        self.wires.close(node, reason);
        self.tell_losses(now);
    }

    /// Bytes came from a node.
    pub fn received(&mut self, node: NodeAddress, bytes: &[u8], now: Now) {
        if let Some(connection) = self.connection(node) {
            connection.feed(bytes);
        }
        // What is done with an event may close the connection.
        while let Some(connection) = self.connection(node) {
            match connection.next_event(now) {
                Ok(Some(Received::Message { id, payload })) => {
                    self.message(node, id, &payload, now)
                }
                Ok(Some(Received::Established(()))) => self.established(node, now),
                Ok(None) => {
                    // The authentication writes its messages by itself.
                    if !connection.is_open() && connection.output_len() > 0 {
                        self.wires.push(Output::Write(node));
                    }
                    break;
                }
                Err(violation) => self.wires.close(node, violation.into()),
            }
        }
        self.tell_losses(now);
    }

    /// Bytes for a node. The driver removes what it has sent. `None` if there is no transport.
    pub fn output(&mut self, node: NodeAddress) -> Option<&mut Vec<u8>> {
        self.connection(node).map(Connection::output)
    }

    /// What is to be done next; in this order.
    pub fn next_output(&mut self) -> Option<Output> {
        self.wires.next_output()
    }

    /// The nodes that are registered.
    pub fn nodes(&self) -> BTreeMap<NodeAddress, NodeState> {
        let state = |(address, node): (&NodeAddress, &Node)| {
            let connection = match (&node.connection, &node.error) {
                (Some(_), _) if node.open => ConnectionState::Open,
                (Some(_), _) => ConnectionState::Authenticating,
                (None, Some(error)) => ConnectionState::Failed(error.clone()),
                (None, None) => ConnectionState::Connecting,
            };
            let range = self.registry.range(*address);
            (*address, NodeState { connection, range })
        };
        self.wires.nodes.iter().map(state).collect()
    }

    /// Can requests be sent to this node?
    pub fn is_open(&self, node: NodeAddress) -> bool {
        self.wires.nodes.get(&node).is_some_and(|node| node.open)
    }

    fn connection(&mut self, node: NodeAddress) -> Option<&mut Connection<ClientHandshake>> {
        self.wires.nodes.get_mut(&node)?.connection.as_mut()
    }

    fn established(&mut self, address: NodeAddress, now: Now) {
        let Some(node) = self.wires.nodes.get_mut(&address) else {
            return;
        };
        node.open = true;
        node.error = None;
        node.range_asked = Some(now.elapsed);
        let mut ranges = Gathering::new(get_hash_range::Client);
        let mut effects = Vec::new();
        ranges.connected(address, &mut effects);
        node.ranges = Some(ranges);
        let event = ConnectionEvent::Connected(address);
        self.wires.push(Output::Connection(event));
        self.learn(address, effects, now);
        self.tell_all(&Event::Connected(address), now);
    }

    fn message(&mut self, node: NodeAddress, id: RequestId, payload: &[u8], now: Now) {
        if id != RANGES {
            // What comes for a request that is not active any more is ignored (`neo-transport.md` 8.4).
            return self.tell(id, &Event::Message(node, payload), now);
        }
        if let Some(registered) = self.wires.nodes.get_mut(&node)
            && let Some(ranges) = &mut registered.ranges
        {
            let mut effects = Vec::new();
            ranges.receive(node, payload, &mut effects);
            self.learn(node, effects, now);
        }
    }

    /// Does what the GetHashRange on the connection to `asked` wants.
    fn learn(
        &mut self,
        asked: NodeAddress,
        effects: Vec<Effect<gather::Notification<Learned>>>,
        now: Now,
    ) {
        for effect in effects {
            match effect {
                Effect::Send { node, payload } => {
                    self.wires.send(node, RANGES, &payload);
                }
                Effect::Close { node, violation } => self.wires.close(node, violation.into()),
                Effect::Notify(gather::Notification::Notice(Learned { node, range })) => {
                    let registered = self.wires.nodes.get_mut(&asked);
                    let since = registered.and_then(|node| node.range_asked.take());
                    if let Some(since) = since {
                        let took = now.elapsed.saturating_sub(since);
                        self.times.add(RequestCode::GetHashRange, took);
                    }
                    self.add_node(node, now);
                    if self.wires.nodes.contains_key(&node) && self.registry.learn(node, range) {
                        let event = ConnectionEvent::RangeKnown(node, range);
                        self.wires.push(Output::Connection(event));
                    }
                }
                // The connection is looked after as a whole; and what a node does not tell, it may tell
                // on the next connection.
                Effect::Notify(_) => {}
            }
        }
    }
}

/// Requests.
impl Core {
    /// Starts a request. What it tells comes as [`Output::Request`], perhaps at once.
    pub fn start(&mut self, request: Request, now: Now) -> Result<RequestId, TooManyRequests> {
        if self.active_requests() >= MAX_ACTIVE_REQUESTS {
            return Err(TooManyRequests);
        }
        let id = self.next_id;
        self.next_id = id.next();
        let wires = &mut self.wires;
        let half = match request {
            Request::Put(open) => {
                let newest = self.registry.covering(open.record.key).into_iter().next();
                match put::Client::new(open) {
                    Ok(client) => AnyHalf::Put(half::visit(client, newest, id, wires, Told::Put)),
                    Err(failure) => {
                        let told = Told::Put(Err(failure));
                        wires.push(Output::Request { id, told });
                        return Ok(id);
                    }
                }
            }
            Request::Get(record) => {
                let nodes = self.registry.covering(record.key);
                AnyHalf::Get(half::visit(
                    get::Client::new(record),
                    nodes,
                    id,
                    wires,
                    Told::Get,
                ))
            }
            Request::Exists(record) => {
                let nodes = self.registry.covering(record.key);
                let client = exists::Client::new(record);
                AnyHalf::Exists(half::visit(client, nodes, id, wires, Told::Exists))
            }
            Request::Remove(record) => {
                // Oldest first, so that a failure on the way brings no older copy to light (P22).
                let nodes = self.registry.covering(record.key).into_iter().rev();
                let client = remove::Client::new(record);
                AnyHalf::Remove(half::visit(client, nodes, id, wires, Told::Remove))
            }
            Request::Update(record) => {
                let nodes = self.registry.covering(record.key);
                AnyHalf::Update(half::update(record, nodes, id, wires))
            }
            Request::GetAll(channel, settings) => {
                AnyHalf::GetAll(Paced::new(get_all::Client::new(channel, settings)))
            }
            Request::Mirror(channel, settings) => {
                AnyHalf::Mirror(Paced::new(mirror::Client::new(channel, settings)))
            }
            Request::GetChannels => {
                AnyHalf::GetChannels(Gathering::new(get_channels::Client::default()))
            }
            Request::RemoveChannel(channel) => {
                AnyHalf::RemoveChannel(Gathering::new(remove_channel::Client::new(channel)))
            }
        };
        self.begin(id, half, now);
        Ok(id)
    }

    /// The user's decision on an Update that has told the record's value. Nothing happens if none is
    /// awaited.
    pub fn decide(&mut self, id: RequestId, decision: Decision, now: Now) {
        if let Some(active) = self.requests.get_mut(&id) {
            active.half.decide(id, decision, &mut self.wires);
            self.end_if_over(id, now);
        }
        self.tell_losses(now);
    }

    /// Suspends, resumes or stops a GetAll or Mirror.
    pub fn control(
        &mut self,
        id: RequestId,
        control: Control,
        now: Now,
    ) -> Result<(), ControlError> {
        let active = self.requests.get_mut(&id).ok_or(ControlError::Ended)?;
        let accepted = active.half.control(id, control, &mut self.wires);
        self.end_if_over(id, now);
        self.tell_losses(now);
        accepted
    }

    /// The user of a GetAll or Mirror has that much still to read. The nodes are suspended while it is
    /// much, and resumed afterwards.
    pub fn pace(&mut self, id: RequestId, backlog: Backlog, now: Now) {
        if let Some(active) = self.requests.get_mut(&id) {
            active.half.pace(id, backlog, &mut self.wires);
            self.end_if_over(id, now);
        }
        self.tell_losses(now);
    }

    /// The user does not want to wait any longer. A request for one record tells it so, with
    /// [`Failure::TimedOut`](dht_protocol::neo::request::Failure::TimedOut), unless it has ended; its
    /// node is not told. An Update that awaits a decision leaves the record. GetAll and Mirror are
    /// stopped. GetChannels and RemoveChannel are forgotten.
    pub fn abandon(&mut self, id: RequestId, now: Now) {
        match self.requests.get(&id).map(|active| &active.half) {
            Some(AnyHalf::GetChannels(_) | AnyHalf::RemoveChannel(_)) => self.end(id, now),
            Some(_) => {
                self.tell(id, &Event::Abandoned, now);
                self.tell_losses(now);
            }
            None => {}
        }
    }

    /// How many requests are active, the permanent GetHashRange included. Those that were
    /// [abandoned](Self::abandon) do not count, except where a node is still to be told something.
    pub fn active_requests(&self) -> usize {
        self.requests.len() + 1
    }

    /// Of how many nodes the range is known.
    pub fn known_ranges(&self) -> usize {
        self.registry.len()
    }

    /// How long requests took, for all ten kinds.
    pub fn request_stats(&self) -> BTreeMap<RequestCode, RequestStats> {
        self.times.by_request()
    }

    /// Counts requests from zero again.
    pub fn reset_request_stats(&mut self) {
        self.times = Times::default();
    }

    /// Tells a new request which nodes there are.
    fn begin(&mut self, id: RequestId, mut half: AnyHalf, now: Now) {
        if matches!(
            half,
            AnyHalf::GetAll(_)
                | AnyHalf::Mirror(_)
                | AnyHalf::GetChannels(_)
                | AnyHalf::RemoveChannel(_)
        ) {
            let nodes: Vec<_> = self.wires.nodes.keys().copied().collect();
            for node in nodes {
                half.handle(id, Event::NodeAdded(node), &mut self.wires);
            }
            for node in self.wires.open_nodes() {
                half.handle(id, Event::Connected(node), &mut self.wires);
            }
        }
        let begun = now.elapsed;
        self.requests.insert(id, Active { half, begun });
        self.end_if_over(id, now);
        self.tell_losses(now);
    }

    fn tell(&mut self, id: RequestId, event: &Event<'_>, now: Now) {
        if let Some(active) = self.requests.get_mut(&id) {
            active.half.handle(id, event.clone(), &mut self.wires);
            self.end_if_over(id, now);
        }
    }

    fn tell_all(&mut self, event: &Event<'_>, now: Now) {
        let ids: Vec<_> = self.requests.keys().copied().collect();
        for id in ids {
            self.tell(id, event, now);
        }
    }

    /// Tells the requests of the connections that were lost. What they do about it may close others.
    fn tell_losses(&mut self, now: Now) {
        while let Some(node) = self.wires.next_lost() {
            self.tell_all(&Event::Disconnected(node), now);
        }
    }

    fn end_if_over(&mut self, id: RequestId, now: Now) {
        if self
            .requests
            .get(&id)
            .is_some_and(|active| active.half.is_over())
        {
            self.end(id, now);
        }
    }

    fn end(&mut self, id: RequestId, now: Now) {
        if let Some(active) = self.requests.remove(&id) {
            let took = now.elapsed.saturating_sub(active.begun);
            self.times.add(active.half.code(), took);
        }
    }
}
