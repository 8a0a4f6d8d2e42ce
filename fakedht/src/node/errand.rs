//! What a node does of its own accord, and not for a client: it moves records to other nodes. It has no
//! sockets for that, so it asks whoever drives it.

use std::time::Duration;

use dht_protocol::legacy::redistribution::Link;
use dht_protocol::legacy::{Event, Redistribution, Violation};
use dht_protocol::neo::NodeAddress;

use super::connection::Connection;
use super::host::NodeHost;
use super::{ConnectionId, Node};
use crate::storage::Storage;

/// Something that a driver is to do for the node. It is under way until the driver
/// [closes](Node::close) the connection; if it is still needed then, it is asked for again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Errand {
    /// [Process](Node::process) this like a connection, until it is closed. There is nobody at the other
    /// end.
    Work(ConnectionId),
    /// Connect to another node by the legacy protocol, and drive that like any other connection. Close it
    /// if nobody answers.
    Connect {
        /// The connection.
        id: ConnectionId,
        /// Where the other node listens.
        address: NodeAddress,
        /// How long to wait first.
        after: Duration,
    },
}

/// A connection of the node's own.
#[derive(Debug)]
pub(super) struct Own {
    /// Which node it leads to, by its number in the redistribution; none for the one that does the work.
    target: Option<usize>,
    pub(super) link: Link,
    /// How many answers have come.
    answers: u64,
}

impl Own {
    /// Takes the other node's answers, works, and sends what is to be sent. Says whether there is more to
    /// do at once.
    pub(super) fn process<S: Storage>(
        &mut self,
        host: &mut NodeHost<S>,
    ) -> Result<bool, Violation> {
        while let (Some(target), Some(event)) = (self.target, self.link.receive()?) {
            self.answers += 1;
            if let (Event::Answered(answer), Some(current)) = (event, &mut host.moving.current) {
                let refused = |status| Violation::Refused { status };
                current.answered(target, answer.status()).map_err(refused)?;
            }
        }
        let more = host.go_on_moving();
        if let (Some(target), Some(current)) = (self.target, &mut host.moving.current)
            && let Some(order) = current.next_order(target)
        {
            self.link.send(&order);
        }
        Ok(more)
    }

    /// Is there something to do?
    fn is_wanted(&self, current: &Redistribution) -> bool {
        match self.target {
            None => current.has_work(),
            Some(target) => current.has_order(target),
        }
    }
}

impl<S: Storage> Node<S> {
    /// What the driver is to do next for the node itself.
    pub fn pop_errand(&mut self) -> Option<Errand> {
        if self.has_crashed() {
            return None;
        }
        let current = self.host.moving.current.as_mut()?;
        let (target, dial) = match self.working {
            None => (None, None),
            Some(_) => {
                let dial = current.next_dial()?;
                (Some(dial.target), Some(dial))
            }
        };
        let id = self.next_id();
        let own = Own {
            target,
            link: Link::default(),
            answers: 0,
        };
        self.insert(id, Connection::Own(Box::new(own)));
        Some(match dial {
            None => {
                self.working = Some(id);
                Errand::Work(id)
            }
            Some(dial) => Errand::Connect {
                id,
                address: dial.address,
                after: dial.after,
            },
        })
    }

    /// The number of the answer that another node owes, if this is a connection of the node's own and one is
    /// owed. A driver that sees the same number for too long closes the connection.
    pub fn waits_for(&self, id: ConnectionId) -> Option<u64> {
        match &self.connections.get(&id)?.connection {
            Connection::Own(own) => own.link.is_waiting().then_some(own.answers),
            Connection::Legacy(_) | Connection::Neo(_) => None,
        }
    }

    /// Is there an errand?
    pub fn has_errand(&self) -> bool {
        let current = self.host.moving.current.as_ref();
        !self.has_crashed()
            && current.is_some_and(|current| self.working.is_none() || current.has_dial())
    }

    /// How many records the last redistribution has left here because they cannot be moved. Says so once,
    /// when it is over.
    pub fn take_left_behind(&mut self) -> Option<u64> {
        self.host.moving.stayed.take()
    }

    /// Tells clients of changed ranges, and wakes whoever goes on with moving records.
    pub(super) fn go_on_moving(&mut self) {
        for update in std::mem::take(&mut self.host.moving.updates) {
            self.tell_ranges(update);
        }
        if std::mem::take(&mut self.host.moving.ended) {
            self.stop_moving();
        }
        let Some(current) = &self.host.moving.current else {
            return;
        };
        for (id, slot) in &mut self.connections {
            if let Connection::Own(own) = &slot.connection
                && own.is_wanted(current)
            {
                slot.wake(*id, &mut self.woken);
            }
        }
    }

    /// A connection of the node's own has ended.
    pub(super) fn own_ended(&mut self, id: ConnectionId, own: &Own) {
        if self.working == Some(id) {
            self.working = None;
        }
        if let (Some(target), Some(current)) = (own.target, &mut self.host.moving.current) {
            current.lost(target);
        }
        self.go_on_moving();
    }

    /// Everything has been moved: who asked for it is to be told, and the connections end.
    fn stop_moving(&mut self) {
        self.working = None;
        let mut own = Vec::new();
        for (id, slot) in &mut self.connections {
            match &slot.connection {
                Connection::Own(_) => own.push(*id),
                Connection::Legacy(_) => slot.wake(*id, &mut self.woken),
                Connection::Neo(_) => {}
            }
        }
        for id in own {
            self.end_by_itself(id);
        }
    }
}
