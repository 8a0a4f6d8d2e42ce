//! What a Redistribute asks for, once it is known to make sense.

use std::net::{Ipv4Addr, SocketAddrV4};

use thiserror::Error;

use crate::key::{HashRange, Key};
use crate::legacy::NEO_PORT_OFFSET;
use crate::legacy::order::{Redistribute, Target};
use crate::neo::NodeAddress;

/// A node's new range, and who takes what.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Plan {
    range: HashRange,
    /// In the order of their ranges, which do not overlap.
    places: Vec<Place>,
}

/// A node that takes records.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Place {
    /// What it is responsible for; never nothing.
    pub range: HashRange,
    /// Where it serves the legacy protocol.
    pub address: NodeAddress,
}

/// Why a Redistribute makes no sense.
#[derive(Clone, Debug, Eq, Error, Hash, PartialEq)]
#[non_exhaustive]
pub enum Refusal {
    /// The new range is upside down.
    #[error("the new range {min:016x}..{max:016x} is upside down")]
    Range {
        /// Lower end.
        min: u64,
        /// Upper end.
        max: u64,
    },
    /// The node is to be responsible for nothing, and nobody takes what it has.
    #[error("nobody takes the records of a node without keys")]
    NobodyTakes,
    /// What is to be a node's address is none.
    #[error("\"{text}\" is no IPv4 address")]
    Address {
        /// The beginning of it.
        text: String,
    },
    /// A port that leaves no room for the neo port, or 0.
    #[error("port {port} is no legacy port: the neo port is {NEO_PORT_OFFSET} above it")]
    Port {
        /// The port.
        port: u16,
    },
    /// A node that is to take records, but is responsible for nothing.
    #[error("{address} is responsible for no key")]
    TakesNothing {
        /// The node.
        address: NodeAddress,
    },
    /// The same node twice.
    #[error("{address} stands in the list twice")]
    Twice {
        /// The node.
        address: NodeAddress,
    },
    /// Two nodes that are responsible for the same keys.
    #[error("{} and {} are responsible for the same keys", .nodes[0], .nodes[1])]
    Overlap {
        /// The nodes.
        nodes: [NodeAddress; 2],
    },
}

impl Plan {
    /// Looks at the whole order before anything is done.
    pub fn new(order: &Redistribute) -> Result<Self, Refusal> {
        let (min, max) = (order.min, order.max);
        let range = HashRange::new(min, max).ok_or(Refusal::Range { min, max })?;
        let mut places = Vec::with_capacity(order.nodes.len());
        for target in &order.nodes {
            places.push(place(target)?);
        }
        if range == HashRange::EMPTY && places.is_empty() {
            return Err(Refusal::NobodyTakes);
        }
        let mut addresses: Vec<_> = places.iter().map(|place| place.address).collect();
        addresses.sort_unstable();
        if let Some(twice) = addresses.windows(2).find(|pair| pair[0] == pair[1]) {
            let address = twice[0];
            return Err(Refusal::Twice { address });
        }
        places.sort_unstable();
        let overlap = |pair: &&[Place]| pair[1].range.min() <= pair[0].range.max();
        if let Some([one, other]) = places.windows(2).find(overlap) {
            let nodes = [one.address, other.address];
            return Err(Refusal::Overlap { nodes });
        }
        Ok(Self { range, places })
    }

    /// The node's new range.
    pub fn range(&self) -> HashRange {
        self.range
    }

    /// Who takes records; a number of [`target`](Self::target) is an index into this.
    pub fn places(&self) -> &[Place] {
        &self.places
    }

    /// Who takes this key. Nobody if the node itself stays responsible for it, whatever the list says.
    pub fn target(&self, key: Key) -> Option<usize> {
        if self.range.covers(key) {
            return None;
        }
        let behind = |place: &Place| place.range.min() <= key.position();
        let last = self.places.partition_point(behind).checked_sub(1)?;
        self.places[last].range.covers(key).then_some(last)
    }
}

impl Place {
    /// Where it serves the neo protocol, as clients are told.
    pub fn neo_address(self) -> NodeAddress {
        let port = self.address.port().saturating_add(NEO_PORT_OFFSET);
        SocketAddrV4::new(*self.address.ip(), port)
    }
}

fn place(target: &Target) -> Result<Place, Refusal> {
    /// How much of something that is no address is told.
    const TOLD: usize = 64;
    let text = std::str::from_utf8(&target.address).ok();
    let ip: Option<Ipv4Addr> = text.and_then(|text| text.parse().ok());
    let Some(ip) = ip else {
        let told = &target.address[..target.address.len().min(TOLD)];
        let text = told.escape_ascii().to_string();
        return Err(Refusal::Address { text });
    };
    let port = target.port;
    if port == 0 || port.checked_add(NEO_PORT_OFFSET).is_none() {
        return Err(Refusal::Port { port });
    }
    let address = SocketAddrV4::new(ip, port);
    match target.range {
        HashRange::EMPTY => Err(Refusal::TakesNothing { address }),
        range => Ok(Place { range, address }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(port: u16, min: u64, max: u64) -> Target {
        Target {
            address: "127.0.0.1".into(),
            port,
            range: HashRange::new(min, max).unwrap(),
        }
    }

    fn plan(min: u64, max: u64, nodes: Vec<Target>) -> Result<Plan, String> {
        Plan::new(&Redistribute { min, max, nodes }).map_err(|refusal| refusal.to_string())
    }

    #[test]
    fn whoever_covers_a_key_takes_it_unless_it_stays() {
        let nodes = vec![target(2, 60, 79), target(1, 20, 39)];
        let plan = plan(30, 64, nodes).unwrap();
        let port = |position: u64| {
            let target = plan.target(Key(position.reverse_bits()));
            target.map(|target| plan.places()[target].address.port())
        };
        assert_eq!(port(19), None);
        assert_eq!(port(20), Some(1));
        assert_eq!(port(30), None, "the node stays responsible for it");
        assert_eq!(port(64), None);
        assert_eq!(port(65), Some(2));
        assert_eq!(port(79), Some(2));
        assert_eq!(port(80), None);
        assert_eq!(plan.places()[0].neo_address().port(), 101);
    }

    #[test]
    fn what_makes_no_sense_is_refused_and_said() {
        let bad_address = Target {
            address: "localhost".into(),
            ..target(1, 0, 9)
        };
        for (min, max, nodes, reason) in [
            (9, 8, vec![], "upside down"),
            (u64::MAX, 0, vec![], "nobody takes"),
            (0, 9, vec![bad_address], "\"localhost\" is no IPv4"),
            (0, 9, vec![target(65_436, 10, 19)], "port 65436"),
            (0, 9, vec![target(0, 10, 19)], "port 0"),
            (0, 9, vec![target(1, u64::MAX, 0)], "for no key"),
            (0, 9, vec![target(1, 10, 19), target(1, 20, 29)], "twice"),
            (0, 9, vec![target(1, 10, 20), target(2, 20, 29)], "the same"),
        ] {
            let refusal = plan(min, max, nodes).unwrap_err();
            assert!(refusal.contains(reason), "{refusal}");
        }
        assert!(plan(u64::MAX, 0, vec![target(65_435, 0, 9)]).is_ok());
        assert!(plan(0, 9, vec![]).is_ok());
    }
}
