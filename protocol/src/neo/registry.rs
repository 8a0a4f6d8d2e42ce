//! Which node a client asks for a key: the hash ranges of the nodes, as GetHashRange told them
//! (`neo-requests.md` 2.6).

use std::collections::BTreeMap;

use super::NodeAddress;
use crate::key::{HashRange, Key};

/// What a client knows of the nodes. A node is never forgotten.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct Registry {
    nodes: BTreeMap<NodeAddress, Known>,
    next_order: u64,
}

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
struct Known {
    range: HashRange,
    /// Rises with every range that a node becomes responsible for: the highest is the newest.
    order: u64,
}

impl Registry {
    /// A node has this range. Says whether that is news; a range that is told again, after a
    /// reconnection for instance, does not make the node newer, and neither does a part of the one it
    /// had (P69, F41).
    pub fn learn(&mut self, node: NodeAddress, range: HashRange) -> bool {
        if let Some(known) = self.nodes.get_mut(&node)
            && known.range.includes(range)
        {
            return std::mem::replace(&mut known.range, range) != range;
        }
        let order = self.next_order;
        self.nodes.insert(node, Known { range, order });
        self.next_order += 1;
        true
    }

    /// The range of a node, if it is known.
    pub fn range(&self, node: NodeAddress) -> Option<HashRange> {
        self.nodes.get(&node).map(|known| known.range)
    }

    /// Of how many nodes the range is known.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Is no range known at all?
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The nodes that cover `key`, newest first.
    pub fn covering(&self, key: Key) -> Vec<NodeAddress> {
        let mut covering: Vec<_> = self
            .nodes
            .iter()
            .filter(|(_, known)| known.range.covers(key))
            .collect();
        covering.sort_by_key(|(_, known)| std::cmp::Reverse(known.order));
        covering.into_iter().map(|(node, _)| *node).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddrV4};

    use super::*;

    fn node(port: u16) -> NodeAddress {
        SocketAddrV4::new(Ipv4Addr::LOCALHOST, port)
    }

    #[test]
    fn the_newest_node_comes_first() {
        let mut registry = Registry::default();
        let low = HashRange::new(0, u64::MAX / 2).unwrap();
        assert!(registry.learn(node(1), HashRange::FULL));
        assert!(registry.learn(node(2), low));
        assert_eq!(registry.covering(Key(0)), [node(2), node(1)]);
        assert_eq!(registry.covering(Key(1)), [node(1)]);
        assert!(registry.learn(node(1), low), "a smaller range is news");
        assert_eq!(
            registry.covering(Key(0)),
            [node(2), node(1)],
            "but nothing that node 1 became responsible for (P69)"
        );
        assert_eq!(registry.covering(Key(1)), []);
        assert!(registry.learn(node(1), HashRange::FULL));
        assert_eq!(registry.covering(Key(0)), [node(1), node(2)]);
    }

    #[test]
    fn a_node_that_gives_keys_away_is_not_the_newest_of_those_it_keeps() {
        let mut registry = Registry::default();
        registry.learn(node(1), HashRange::FULL);
        registry.learn(node(2), HashRange::FULL);
        for kept in [HashRange::new(0, 9).unwrap(), HashRange::EMPTY] {
            assert!(registry.learn(node(1), kept));
            assert_eq!(registry.covering(Key(0))[0], node(2));
        }
        assert!(registry.learn(node(1), HashRange::new(0, 5).unwrap()));
        assert_eq!(registry.covering(Key(0))[0], node(1), "after it had none");
    }

    #[test]
    fn nodes_are_never_forgotten() {
        let mut registry = Registry::default();
        assert!(registry.is_empty());
        assert_eq!((registry.len(), registry.range(node(1))), (0, None));
        registry.learn(node(1), HashRange::FULL);
        registry.learn(node(2), HashRange::FULL);
        registry.learn(node(1), HashRange::EMPTY);
        assert!(!registry.is_empty());
        assert_eq!(registry.len(), 2);
        assert_eq!(registry.range(node(1)), Some(HashRange::EMPTY));
    }

    #[test]
    fn a_range_told_again_changes_nothing() {
        let mut registry = Registry::default();
        registry.learn(node(1), HashRange::FULL);
        registry.learn(node(2), HashRange::FULL);
        assert!(!registry.learn(node(1), HashRange::FULL));
        assert_eq!(registry.covering(Key(0)), [node(2), node(1)]);
    }
}
