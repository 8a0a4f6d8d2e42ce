//! How far a redistribution is, and what may happen to it.

use bytes::Bytes;
use dht_protocol::HashRange;
use dht_protocol::legacy::redistribution::{Growth, Link};
use dht_protocol::legacy::{NodeConnection, Redistribution};
use dht_protocol::neo::request::mirror::Change;

use crate::world::frame::Handover;
use crate::world::store::Written;

/// How far the redistribution is.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub(in crate::world) struct Moving {
    pub(super) begun: bool,
    /// The machine of the node that gives keys away, from the beginning to the end.
    pub(super) source: Option<Redistribution>,
    /// What the other node protects.
    pub(super) growth: Option<Growth>,
    /// The connection.
    pub(super) lane: Option<Lane>,
    /// One that has broken, of which the node that takes records does not know yet.
    pub(super) late: Option<Lane>,
    pub(super) connections: u8,
}

/// A connection between the nodes.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) struct Lane {
    pub(super) number: u8,
    pub(super) link: Link,
    pub(super) node: NodeConnection,
    /// What is on its way, the next one first.
    pub(super) orders: Vec<Bytes>,
    pub(super) answers: Vec<Bytes>,
}

/// A step of a redistribution.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Part {
    /// It is ordered.
    Begin,
    /// The machine works, and what it wants to send leaves.
    Work,
    /// An order arrives at the node that takes records, and is answered.
    Order,
    /// An answer arrives.
    Answer,
    /// The connection breaks, and the node that gives records notices.
    Break,
    /// An order arrives over the connection that has broken: the other node has not noticed yet.
    LateOrder,
    /// It notices.
    LateEnd,
}

impl Moving {
    /// As it is at first: the node that is to have more keys takes records of them already, and was
    /// responsible for nothing before.
    pub(in crate::world) fn before() -> Self {
        Self {
            growth: Some(Growth::new(HashRange::EMPTY)),
            ..Self::default()
        }
    }

    /// What may happen next.
    pub(in crate::world) fn parts(&self, handover: &Handover, drops: u8) -> Vec<Part> {
        let mut parts = Vec::new();
        if !self.begun {
            parts.push(Part::Begin);
        }
        if let Some(source) = &self.source {
            if source.has_work() {
                parts.push(Part::Work);
            }
            if let Some(lane) = &self.lane {
                if !lane.orders.is_empty() {
                    parts.push(Part::Order);
                }
                if !lane.answers.is_empty() {
                    parts.push(Part::Answer);
                }
                if drops < handover.drops {
                    parts.push(Part::Break);
                }
            }
        }
        if self.late.is_some() {
            parts.extend([Part::LateOrder, Part::LateEnd]);
        }
        parts
    }

    /// Records of clients were written at the node that takes records.
    pub(super) fn touch(&mut self, written: &[Written]) {
        for written in written {
            // Whose removal it was nobody can tell: one that is handed over must not protect what is not there
            // from what is written, and handed over, later.
            if let Written::Record(id, Change::Changed(key)) = written
                && let Some(growth) = &mut self.growth
            {
                growth.touch(*id, *key);
            }
        }
    }
}

impl Lane {
    pub(super) fn new(number: u8) -> Self {
        Self {
            number,
            link: Link::default(),
            node: NodeConnection::default(),
            orders: Vec::new(),
            answers: Vec::new(),
        }
    }
}
