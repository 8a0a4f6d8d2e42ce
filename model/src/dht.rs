//! The nodes of a DHT: their hash ranges, which of them is newest, and which of them serve an operation
//! (A3, A14, `neo-requests.md` 2.6). What the nodes store is not here.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use dht_protocol::{HashRange, Key};

/// A node, by a small number that its user chooses.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct NodeId(pub u16);

/// Who carries out an operation.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Route {
    /// A client that is connected to every node and chooses among them.
    Client,
    /// This node, whether or not it is responsible.
    Node(NodeId),
    /// This node, over its legacy port, whether or not it is responsible.
    Legacy(NodeId),
}

/// The nodes that are known, as a client's registry has them.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub(crate) struct Dht {
    nodes: BTreeMap<NodeId, Node>,
    announcements: u64,
}

/// What is known of one node.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
struct Node {
    range: HashRange,
    /// The node with the highest is the newest.
    order: u64,
}

/// Who is concerned with a record.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Party {
    /// These nodes, newest first; at least one.
    Nodes(Vec<NodeId>),
    /// A node that is not responsible for the key.
    WrongNode,
    /// Nobody.
    NoNode,
}

impl Dht {
    /// Adds a node, or changes the range of one that is known. Either makes it the newest.
    pub(crate) fn announce(&mut self, node: NodeId, range: HashRange) {
        self.announcements += 1;
        let order = self.announcements;
        self.nodes.insert(node, Node { range, order });
    }

    /// The range of a node.
    pub(crate) fn range(&self, node: NodeId) -> Option<HashRange> {
        self.nodes.get(&node).map(|node| node.range)
    }

    /// All nodes.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = NodeId> {
        self.nodes.keys().copied()
    }

    /// The nodes responsible for a key, newest first.
    pub(crate) fn covering(&self, key: Key) -> Vec<NodeId> {
        let mut covering: Vec<_> = self
            .nodes
            .iter()
            .filter(|(_, node)| node.range.covers(key))
            .map(|(id, node)| (Reverse(node.order), *id))
            .collect();
        covering.sort_unstable();
        covering.into_iter().map(|(_, id)| id).collect()
    }

    /// The nodes that serve an operation on a record.
    pub(crate) fn party(&self, route: Route, key: Key) -> Party {
        match route {
            Route::Client => match self.covering(key) {
                nodes if nodes.is_empty() => Party::NoNode,
                nodes => Party::Nodes(nodes),
            },
            Route::Node(node) | Route::Legacy(node) => match self.range(node) {
                None => Party::NoNode,
                Some(range) if range.covers(key) => Party::Nodes(vec![node]),
                Some(_) => Party::WrongNode,
            },
        }
    }

    /// The nodes that serve an operation on everything stored.
    pub(crate) fn audience(&self, route: Route) -> Vec<NodeId> {
        match route {
            Route::Client => self.nodes().collect(),
            Route::Node(node) | Route::Legacy(node) => {
                self.nodes().filter(|known| *known == node).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: NodeId = NodeId(0);
    const B: NodeId = NodeId(1);

    #[test]
    fn the_newest_covering_node_comes_first() {
        let mut dht = Dht::default();
        dht.announce(A, HashRange::FULL);
        dht.announce(B, HashRange::new(0, u64::MAX / 2).unwrap());
        assert_eq!(dht.covering(Key(2)), [B, A]);
        assert_eq!(dht.covering(Key(1)), [A], "odd keys lie in the upper half");
        dht.announce(A, HashRange::FULL);
        assert_eq!(dht.covering(Key(2)), [A, B]);
        dht.announce(A, HashRange::EMPTY);
        assert_eq!(dht.covering(Key(1)), []);
        assert_eq!(dht.party(Route::Client, Key(1)), Party::NoNode);
        assert_eq!(dht.party(Route::Node(A), Key(1)), Party::WrongNode);
        assert_eq!(dht.party(Route::Node(NodeId(7)), Key(1)), Party::NoNode);
    }
}
