//! The legacy client without I/O: which node an order goes to, which connection carries it, and whose turn
//! it is. The tokio [`Client`](super::Client) drives it with sockets.
//!
//! It is deterministic: the same calls lead to the same results. `C` is a connection, or whatever stands
//! for one; the core never looks into it.
//!
//! # Driving it
//!
//! 1. [`check`](Core::check) the order, and find its node with [`assign`](Core::assign), or
//!    [`admit`](Core::admit) the node that it is for;
//! 2. [`claim`](Core::claim) a connection. [`Claim::Granted`] holds one, or the right to open one.
//!    With a [`Claim::Waits`] wait until somebody else's [`give_back`](Core::give_back) or
//!    [`cancel`](Core::cancel) names the ticket, and [`fetch`](Core::fetch) it then;
//! 3. carry the request out, and have the core [`learn`](Core::learn) from the answer;
//! 4. [`give_back`](Core::give_back) the connection, or nothing if it cannot be used any more.
//!
//! ```
//! use dht_client::legacy::core::{Claim, Core, Limits};
//! use dht_client::legacy::{Answer, Command};
//! use dht_client::{HashRange, Key};
//!
//! let mut core: Core<&str> = Core::new(Limits { connections: 1, queue: 10 });
//! let node = "127.0.0.1:10000".parse().unwrap();
//! core.add_node(node);
//! assert!(core.assign(Command::Put, Key(5)).is_err(), "nothing is known of the node yet");
//!
//! let Ok(Claim::Granted(None)) = core.claim(node) else { panic!("it is the first") };
//! core.learn(node, &Answer::version());
//! core.learn(node, &Answer::Range(HashRange::FULL));
//! assert_eq!(core.assign(Command::Put, Key(5)), Ok(node));
//! assert_eq!(core.problems(), []);
//!
//! let Ok(Claim::Waits(ticket)) = core.claim(node) else { panic!("one connection is all there is") };
//! assert_eq!(core.give_back(node, Some("a connection")), Some(ticket));
//! assert_eq!(core.fetch(ticket), Some(Some("a connection")));
//! ```

mod check;
mod pool;
mod ready;

pub use pool::Limits;

use dht_protocol::Key;
use dht_protocol::legacy::{Answer, Command, Order};
use dht_protocol::neo::NodeAddress;

use super::error::{Failure, Problem};
use pool::{Lent, Pool};
use ready::Known;

/// The legacy client without I/O; see the [module](self).
#[derive(Clone, Debug)]
pub struct Core<C> {
    limits: Limits,
    /// In the order in which they were added, which decides between nodes that share a key.
    nodes: Vec<Node<C>>,
    tickets: u64,
}

#[derive(Clone, Debug)]
struct Node<C> {
    address: NodeAddress,
    known: Known,
    pool: Pool<C>,
}

/// The place of somebody who waits for a connection. Never given again.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Ticket {
    number: u64,
    node: usize,
}

/// What somebody gets who asks for a connection.
#[derive(Debug, Eq, PartialEq)]
pub enum Claim<C> {
    /// A connection, or the right to open one.
    Granted(Option<C>),
    /// Its turn will come.
    Waits(Ticket),
}

/// Nodes.
impl<C> Core<C> {
    /// A client that knows no node yet.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            nodes: Vec::new(),
            tickets: 0,
        }
    }

    /// Registers a node. `false` if it was known already.
    pub fn add_node(&mut self, address: NodeAddress) -> bool {
        if self.index(address).is_ok() {
            return false;
        }
        self.nodes.push(Node {
            address,
            known: Known::default(),
            pool: Pool::new(self.limits),
        });
        true
    }

    /// The nodes in the order in which they were added.
    pub fn nodes(&self) -> impl Iterator<Item = NodeAddress> {
        self.nodes.iter().map(|node| node.address)
    }

    /// A node has answered something. What it says of itself is remembered, everything else is not.
    pub fn learn(&mut self, node: NodeAddress, answer: &Answer) {
        if let Ok(index) = self.index(node) {
            self.nodes[index].known.learn(answer);
        }
    }

    /// What stands against using all nodes for all keys; nothing if they are ready.
    pub fn problems(&self) -> Vec<Problem> {
        ready::problems(self.nodes.iter().map(|node| (node.address, &node.known)))
    }
}

/// Orders.
impl<C> Core<C> {
    /// May this order be sent to any node?
    pub fn check(&self, order: &Order) -> Result<(), Failure> {
        check::check(order)
    }

    /// The node for a key: the first whose range covers it.
    pub fn assign(&self, command: Command, key: Key) -> Result<NodeAddress, Failure> {
        let covers = |node: &&Node<C>| node.known.range.is_some_and(|range| range.covers(key));
        let node = self.nodes.iter().find(covers).ok_or(Failure::NoNode)?;
        node.admits(command).map(|()| node.address)
    }

    /// May orders of this command be sent to this node? Until it has confirmed the version of the
    /// protocol only those that find out about it.
    pub fn admit(&self, command: Command, node: NodeAddress) -> Result<(), Failure> {
        self.nodes[self.index(node)?].admits(command)
    }

    fn index(&self, address: NodeAddress) -> Result<usize, Failure> {
        let mut nodes = self.nodes.iter();
        nodes
            .position(|node| node.address == address)
            .ok_or(Failure::UnknownNode)
    }
}

/// Connections.
impl<C> Core<C> {
    /// Asks for a connection to a node.
    pub fn claim(&mut self, node: NodeAddress) -> Result<Claim<C>, Failure> {
        let node = self.index(node)?;
        let number = self.tickets;
        match self.nodes[node].pool.claim(number) {
            Lent::Now(connection) => Ok(Claim::Granted(connection)),
            Lent::Later => {
                self.tickets += 1;
                Ok(Claim::Waits(Ticket { number, node }))
            }
            Lent::Never => Err(Failure::QueueFull),
        }
    }

    /// Somebody needs no connection to this node any more, and gives it back if another request can use it.
    /// Says whose turn has come.
    pub fn give_back(&mut self, node: NodeAddress, connection: Option<C>) -> Option<Ticket> {
        let node = self.index(node).ok()?;
        let number = self.nodes[node].pool.give_back(connection)?;
        Some(Ticket { number, node })
    }

    /// What somebody gets whose turn has come, `None` if it has not: a connection or the right to open one.
    pub fn fetch(&mut self, ticket: Ticket) -> Option<Option<C>> {
        self.nodes.get_mut(ticket.node)?.pool.fetch(ticket.number)
    }

    /// Somebody does not wait any more. Says whose turn has come through that.
    pub fn cancel(&mut self, ticket: Ticket) -> Option<Ticket> {
        let node = ticket.node;
        let number = self.nodes.get_mut(node)?.pool.cancel(ticket.number)?;
        Some(Ticket { number, node })
    }

    /// How many requests wait for a connection to a node.
    pub fn waiting(&self, node: NodeAddress) -> usize {
        self.index(node)
            .map_or(0, |node| self.nodes[node].pool.waiting())
    }

    /// Takes out the connections that nobody uses.
    pub fn take_idle(&mut self) -> Vec<C> {
        let nodes = self.nodes.iter_mut();
        nodes.flat_map(|node| node.pool.take_idle()).collect()
    }
}

impl<C> Node<C> {
    fn admits(&self, command: Command) -> Result<(), Failure> {
        let finds_out = matches!(command, Command::GetVersion | Command::GetResponsibleRange);
        match finds_out || self.known.is_confirmed() {
            true => Ok(()),
            false => Err(Failure::NoVersion),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddrV4};

    use dht_protocol::HashRange;

    use super::*;

    const LIMITS: Limits = Limits {
        connections: 1,
        queue: 1,
    };

    fn node(port: u16) -> NodeAddress {
        SocketAddrV4::new(Ipv4Addr::LOCALHOST, port)
    }

    fn core(ranges: &[HashRange]) -> Core<u32> {
        let mut core = Core::new(LIMITS);
        for (port, range) in (0..).zip(ranges) {
            assert!(core.add_node(node(port)));
            core.learn(node(port), &Answer::version());
            core.learn(node(port), &Answer::Range(*range));
        }
        core
    }

    #[test]
    fn the_first_node_that_covers_a_key_is_asked() {
        let half = HashRange::new(0, u64::MAX / 2).unwrap();
        let core = core(&[half, HashRange::FULL]);
        assert_eq!(core.assign(Command::Get, Key(2)), Ok(node(0)));
        assert_eq!(core.assign(Command::Get, Key(1)), Ok(node(1)));
    }

    #[test]
    fn nothing_is_asked_of_a_node_whose_version_is_not_known() {
        let mut core: Core<u32> = Core::new(LIMITS);
        core.add_node(node(0));
        assert!(!core.add_node(node(0)));
        assert_eq!(core.assign(Command::Put, Key(1)), Err(Failure::NoNode));
        core.learn(node(0), &Answer::Range(HashRange::FULL));
        assert_eq!(core.assign(Command::Put, Key(1)), Err(Failure::NoVersion));
        assert_eq!(
            core.admit(Command::GetAll, node(0)),
            Err(Failure::NoVersion)
        );
        assert_eq!(core.admit(Command::GetVersion, node(0)), Ok(()));
        assert_eq!(
            core.admit(Command::GetVersion, node(1)),
            Err(Failure::UnknownNode)
        );
        core.learn(node(0), &Answer::version());
        assert_eq!(core.assign(Command::Put, Key(1)), Ok(node(0)));
        core.learn(node(0), &Answer::Version("other".into()));
        assert_eq!(core.assign(Command::Put, Key(1)), Err(Failure::NoVersion));
    }

    #[test]
    fn nodes_have_connections_and_queues_of_their_own() {
        let mut core = core(&[HashRange::FULL, HashRange::FULL]);
        for port in 0..2 {
            assert_eq!(core.claim(node(port)), Ok(Claim::Granted(None)));
        }
        let Ok(Claim::Waits(first)) = core.claim(node(0)) else {
            panic!("one connection is lent");
        };
        let Ok(Claim::Waits(second)) = core.claim(node(1)) else {
            panic!("one connection is lent");
        };
        assert_eq!(core.claim(node(0)), Err(Failure::QueueFull));
        assert_eq!((core.waiting(node(0)), core.waiting(node(1))), (1, 1));
        assert_eq!(core.give_back(node(1), Some(7)), Some(second));
        assert_eq!(core.fetch(first), None);
        assert_eq!(core.cancel(second), None);
        assert_eq!(core.take_idle(), [7]);
        assert_eq!(core.claim(node(2)), Err(Failure::UnknownNode));
    }
}
