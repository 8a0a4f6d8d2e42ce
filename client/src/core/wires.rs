//! The connections to the nodes and everything that goes out of the core: bytes for nodes, and words
//! for the driver. Kept apart from the requests, which are lent it while they are handled.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use dht_protocol::neo::client::{ClientRequest, Event, Told};
use dht_protocol::neo::handshake::ClientHandshake;
use dht_protocol::neo::request::gather::Gathering;
use dht_protocol::neo::request::{Effect, get_hash_range};
use dht_protocol::neo::{Connection, NodeAddress, RequestId};

use super::{ConnectionEvent, Output};
use crate::ConnectionError;

/// A node that is registered.
#[derive(Clone, Debug, Default)]
pub(super) struct Node {
    /// `None` while there is no transport to the node.
    pub(super) connection: Option<Connection<ClientHandshake>>,
    /// Has the authentication succeeded on it?
    pub(super) open: bool,
    /// The permanent request for the node's range; a new one on each connection.
    pub(super) ranges: Option<Gathering<get_hash_range::Client>>,
    /// When it was sent, while its first answer is awaited.
    pub(super) range_asked: Option<Duration>,
    /// Why the last connection, or attempt to connect, came to nothing. `None` while connected.
    pub(super) error: Option<ConnectionError>,
}

/// All nodes, and what the core has to say.
#[derive(Clone, Debug)]
pub(super) struct Wires {
    /// How many bytes may stand in the output of a connection.
    max_output: usize,
    pub(super) nodes: BTreeMap<NodeAddress, Node>,
    outputs: VecDeque<Output>,
    /// Open connections that were closed, whose end the requests have not been told yet.
    lost: VecDeque<NodeAddress>,
}

impl Wires {
    pub(super) fn new(max_output: usize) -> Self {
        Self {
            max_output,
            nodes: BTreeMap::new(),
            outputs: VecDeque::new(),
            lost: VecDeque::new(),
        }
    }

    pub(super) fn push(&mut self, output: Output) {
        self.outputs.push_back(output);
    }

    pub(super) fn next_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    pub(super) fn next_lost(&mut self) -> Option<NodeAddress> {
        self.lost.pop_front()
    }

    pub(super) fn open_nodes(&self) -> Vec<NodeAddress> {
        let open = self.nodes.iter().filter(|(_, node)| node.open);
        open.map(|(address, _)| *address).collect()
    }

    /// Writes a message of a request to the node's output. `false` if the node is not connected.
    pub(super) fn send(&mut self, node: NodeAddress, id: RequestId, payload: &[u8]) -> bool {
        let Some(Node {
            connection: Some(connection),
            open: true,
            ..
        }) = self.nodes.get_mut(&node)
        else {
            return false;
        };
        let waiting = connection.output_len();
        if waiting > self.max_output {
            self.close(node, ConnectionError::NotReading);
            return false;
        }
        connection.send(id, payload);
        if waiting == 0 {
            self.outputs.push_back(Output::Write(node));
        }
        true
    }

    /// Does what a request wants. A message for a node that is not connected is answered with the loss of
    /// the connection, which may lead to further effects.
    pub(super) fn carry_out(
        &mut self,
        id: RequestId,
        half: &mut ClientRequest,
        mut effects: Vec<Effect<Told>>,
    ) {
        while !effects.is_empty() {
            let mut further = Vec::new();
            for effect in effects {
                let lost = match effect {
                    Effect::Send { node, payload } => {
                        (!self.send(node, id, &payload)).then_some(node)
                    }
                    Effect::Close { node, violation } => {
                        self.close(node, violation.into());
                        Some(node)
                    }
                    Effect::Notify(told) => {
                        self.push(Output::Request { id, told });
                        None
                    }
                };
                if let Some(node) = lost {
                    half.handle(Event::Disconnected(node), &mut further);
                }
            }
            effects = further;
        }
    }

    /// Tells what a request wants told that ended at once and so asked nobody.
    pub(super) fn tell(&mut self, id: RequestId, effects: Vec<Effect<Told>>) {
        for effect in effects {
            if let Effect::Notify(told) = effect {
                self.push(Output::Request { id, told });
            }
        }
    }

    /// Gives up the connection to a node and has the driver close it.
    pub(super) fn close(&mut self, node: NodeAddress, reason: ConnectionError) {
        if self.drop_connection(node, reason.clone()) {
            self.outputs.push_back(Output::Close { node, reason });
        }
    }

    /// The connection to a node is gone. `false` if it was gone already.
    pub(super) fn drop_connection(
        &mut self,
        address: NodeAddress,
        reason: ConnectionError,
    ) -> bool {
        let Some(node) = self.nodes.get_mut(&address) else {
            return false;
        };
        if node.connection.take().is_none() {
            return false;
        }
        let was_open = std::mem::take(&mut node.open);
        node.ranges = None;
        node.range_asked = None;
        node.error = Some(reason.clone());
        let event = match was_open {
            true => {
                self.lost.push_back(address);
                ConnectionEvent::Disconnected(address, reason)
            }
            false => ConnectionEvent::Failed(address, reason),
        };
        self.outputs.push_back(Output::Connection(event));
        true
    }
}
