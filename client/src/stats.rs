//! Figures of a client.

use std::collections::BTreeMap;

use dht_protocol::HashRange;
use dht_protocol::neo::NodeAddress;
use dht_protocol::neo::request::RequestCode;

use crate::core::{ConnectionState, MAX_ACTIVE_REQUESTS, RequestStats};
use crate::shared::State;

/// What a client does at a moment, and has done since it was built or
/// [reset](crate::Client::reset_stats).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Stats {
    /// Requests that are active, the permanent one for the nodes' ranges included: 1 if nobody asks for
    /// anything.
    pub active_requests: usize,
    /// How many can be.
    pub max_active_requests: usize,
    /// Of how many nodes the range is known.
    pub known_ranges: usize,
    /// All registered nodes.
    pub nodes: BTreeMap<NodeAddress, NodeStats>,
    /// How long requests took, for all ten kinds.
    pub requests: BTreeMap<RequestCode, RequestStats>,
}

/// What is known of a node and its connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct NodeStats {
    /// Can requests be sent to it?
    pub connected: bool,
    /// The keys it is responsible for, if they are known.
    pub range: Option<HashRange>,
    /// Bytes that came from it, over all connections.
    pub bytes_in: u64,
    /// Bytes that were sent to it, over all connections.
    pub bytes_out: u64,
    /// Bytes that its socket has not taken yet.
    pub unsent: usize,
}

impl Stats {
    pub(crate) fn of(state: &State) -> Self {
        let nodes = state.core.nodes().into_iter().map(|(address, known)| {
            let link = state.links.get(&address);
            let node = NodeStats {
                connected: known.connection == ConnectionState::Open,
                range: known.range,
                bytes_in: link.map_or(0, |link| link.bytes_in),
                bytes_out: link.map_or(0, |link| link.bytes_out),
                unsent: link.map_or(0, |link| link.unsent()) + state.core.output_len(address),
            };
            (address, node)
        });
        Self {
            active_requests: state.core.active_requests(),
            max_active_requests: MAX_ACTIVE_REQUESTS,
            known_ranges: state.core.known_ranges(),
            nodes: nodes.collect(),
            requests: state.core.request_stats(),
        }
    }

    /// How many nodes are registered.
    pub fn registered_nodes(&self) -> usize {
        self.nodes.len()
    }

    /// How many nodes are connected.
    pub fn connected_nodes(&self) -> usize {
        self.nodes.values().filter(|node| node.connected).count()
    }
}
