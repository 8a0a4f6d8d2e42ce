//! The core's nodes: their connections, and the permanent request for their ranges.

use std::collections::BTreeMap;

use dht_protocol::neo::client::Event;
use dht_protocol::neo::handshake::ClientHandshake;
use dht_protocol::neo::request::gather::{self, Gathering};
use dht_protocol::neo::request::get_hash_range::{self, Learned};
use dht_protocol::neo::request::{Effect, RequestCode};
use dht_protocol::neo::{Connection, Event as Received, NodeAddress, Now, RequestId};

use super::wires::Node;
use super::{ConnectionEvent, ConnectionState, Core, MAX_NODES, NodeState, Output, RANGES};
use crate::ConnectionError;

/// Nodes and their connections.
impl Core {
    /// Registers a node, to be connected to. `false` if it was known already, or if there are
    /// [too many](MAX_NODES).
    pub fn add_node(&mut self, node: NodeAddress, now: Now) -> bool {
        if self.wires.nodes.contains_key(&node) || self.wires.nodes.len() >= MAX_NODES {
            return false;
        }
        self.wires.nodes.insert(node, Node::default());
        self.wires.push(Output::Connect(node));
        self.tell_all(Event::NodeAdded(node), now);
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

    /// How many bytes stand in the output for a node.
    pub fn output_len(&self, node: NodeAddress) -> usize {
        let connection = self.wires.nodes.get(&node);
        let connection = connection.and_then(|node| node.connection.as_ref());
        connection.map_or(0, Connection::output_len)
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
        self.tell_all(Event::Connected(address), now);
    }

    fn message(&mut self, node: NodeAddress, id: RequestId, payload: &[u8], now: Now) {
        if id != RANGES {
            // What comes for a request that is not active any more is ignored (`neo-transport.md` 8.4).
            return self.tell(id, Event::Message(node, payload), now);
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
