//! What bugs do to the whole node: it closes connections by itself, stands still, or crashes. A healthy node
//! closes only connections of its own, when it does not need them any more.

use std::collections::{BTreeSet, VecDeque};
use std::mem::take;

use super::connection::Connection;
use super::{ConnectionId, Node};
use crate::bugs::{HalfClose, Harm, Layer};
use crate::storage::Storage;

/// How far it has come with a node.
#[derive(Debug, Default)]
pub(super) struct Decline {
    crashed: bool,
    /// Connections that the node has closed, and whose drivers do not know yet.
    closed: VecDeque<ConnectionId>,
    /// Connections that are to be processed when the node does not stand still any more.
    waiting: BTreeSet<ConnectionId>,
}

impl Decline {
    pub(super) fn pop_closed(&mut self) -> Option<ConnectionId> {
        self.closed.pop_front()
    }

    pub(super) fn waits(&self, id: ConnectionId) -> bool {
        self.waiting.contains(&id)
    }
}

impl<S: Storage> Node<S> {
    /// Has a bug made the node crash? It has no connections then and takes no new ones; whoever listens
    /// for it should stop.
    pub fn has_crashed(&self) -> bool {
        self.decline.crashed
    }

    /// Starts a crashed node again, with the records that it has.
    pub fn restart(&mut self) {
        self.decline.crashed = false;
        if let Some(bugs) = &mut self.bugs {
            bugs.restart();
        }
        self.revision += 1;
    }

    /// What the driver is to do about clients that send nothing more.
    pub(crate) fn half_close(&self) -> HalfClose {
        self.bugs
            .as_ref()
            .map_or(HalfClose::Answer, Layer::half_close)
    }

    /// Does what bugs have brought about.
    pub(super) fn suffer(&mut self) {
        // Every connection that ends may bring about more, until there are none.
        while let Some(bugs) = &mut self.bugs {
            let harms = bugs.take_harms();
            if harms.is_empty() {
                return;
            }
            for harm in harms {
                let ends: Vec<ConnectionId> = match harm {
                    Harm::Connection(id) => vec![id],
                    Harm::AllBut(spared) => {
                        let all = self.connections.keys().copied();
                        all.filter(|id| *id != spared).collect()
                    }
                    Harm::Crash => {
                        self.decline.crashed = true;
                        self.revision += 1;
                        self.connections.keys().copied().collect()
                    }
                };
                for id in ends {
                    self.end_by_itself(id);
                }
            }
        }
    }

    /// Ends a connection whose driver does not know yet.
    pub(super) fn end_by_itself(&mut self, id: ConnectionId) {
        if self.end(id) {
            self.decline.closed.push_back(id);
        }
    }

    /// A connection has ended.
    pub(super) fn lose(&mut self, connection: &Connection) {
        if let (Some(bugs), Some((tap, neo))) = (&mut self.bugs, connection.tapped()) {
            bugs.closed(tap, neo.active_requests());
        }
        self.go_on();
    }

    /// May a connection not be processed because others do not read? If it may, so may all that wait.
    pub(super) fn stands_still_for(&mut self, id: ConnectionId) -> bool {
        let Some(limit) = self.bugs.as_ref().and_then(Layer::congestion) else {
            return false;
        };
        let mut stuck = self
            .connections
            .iter_mut()
            .filter_map(|(id, slot)| (slot.connection.output().len() >= limit).then_some(*id))
            .peekable();
        let nobody = stuck.peek().is_none();
        let others = stuck.any(|stuck| stuck != id);
        if others {
            self.decline.waiting.insert(id);
        } else if nobody {
            self.go_on();
        }
        others
    }

    /// Wakes the connections that waited.
    fn go_on(&mut self) {
        for id in take(&mut self.decline.waiting) {
            if let Some(slot) = self.connections.get_mut(&id) {
                slot.wake(id, &mut self.woken);
            }
        }
    }
}
