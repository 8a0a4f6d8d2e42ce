//! A connection between a client's core and the node: the bytes on their way, and what goes wrong there.

use std::net::{Ipv4Addr, SocketAddrV4};

use dht_client::ConnectionError;
use dht_client::core::Core;
use dht_protocol::neo::monitor::Listener;
use dht_protocol::neo::{Credential, Limits, NodeAddress, Now};
use fakedht::ConnectionId;

use super::legacy;
use super::requests::{Ask, Requests};
use crate::case::{Direction, Fault, Protocol};
use crate::messages::Messages;
use crate::rng::Rng;
use crate::world::Ticket;

/// Where the node would be.
pub(super) const NODE: NodeAddress = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 10_100);

/// A client and its connection.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) core: Core,
    /// It speaks legacy, and the core has nothing to do.
    pub(super) legacy: Option<legacy::Client>,
    /// Judges what passes on the connection.
    pub(super) listener: Listener,
    pub(super) requests: Requests,
    /// What waits for the connection to be up.
    pub(super) waiting: Vec<(Ticket, Ask)>,
    /// The connection on the node's side, if there is one.
    pub(super) connection: Option<ConnectionId>,
    pub(super) wants_connection: bool,
    /// Requests can be sent.
    pub(super) ready: bool,
    /// The node has told its range, on this connection or an earlier one.
    pub(super) knows_range: bool,
    pub(super) attempts: u32,
    /// The node has to look at it.
    pub(super) dirty: bool,
    /// The node has something for the client.
    pub(super) has_answers: bool,
    /// The node closes it as soon as that has been sent.
    pub(super) closing: bool,
    to_node: Way,
    to_client: Way,
    /// Pieces of so many bytes; 0: as they come.
    split: usize,
    /// How many messages passed last.
    passed: u32,
}

/// One direction.
#[derive(Debug, Default)]
struct Way {
    messages: Messages,
    /// So many more messages pass, and so many bytes of the next; then the connection breaks.
    cut: Option<(u32, u32)>,
    /// It stands still until so many messages have passed elsewhere.
    stalled: u32,
    /// It waits until so many messages are together; how many are, and how many bytes were looked at.
    coalesce: u32,
}

impl Link {
    pub(super) fn new(credential: Credential, limits: Limits, protocol: Protocol) -> Self {
        Self {
            legacy: (protocol == Protocol::Legacy).then(legacy::Client::default),
            core: Core::new(credential, limits),
            listener: Listener::new(),
            requests: Requests::default(),
            waiting: Vec::new(),
            connection: None,
            wants_connection: protocol == Protocol::Legacy,
            ready: false,
            knows_range: false,
            attempts: 0,
            dirty: false,
            has_answers: false,
            closing: false,
            to_node: Way::of(protocol),
            to_client: Way::of(protocol),
            split: 0,
            passed: 0,
        }
    }

    fn protocol(&self) -> Protocol {
        match self.legacy {
            Some(_) => Protocol::Legacy,
            None => Protocol::Neo,
        }
    }

    /// How many bytes the client has for the node.
    pub(super) fn output_len(&self) -> usize {
        match &self.legacy {
            Some(client) => client.output_len(),
            None => self.core.output_len(NODE),
        }
    }

    /// The node has accepted a connection.
    pub(super) fn connect(&mut self, id: ConnectionId, now: Now) {
        self.wants_connection = false;
        self.listener = Listener::new();
        self.connection = Some(id);
        self.dirty = true;
        match &mut self.legacy {
            Some(client) => client.connected(),
            None => self.core.connected(NODE, now),
        }
    }

    /// The connection is gone; there is to be another one.
    pub(super) fn disconnected(&mut self, reason: ConnectionError, now: Now) {
        self.reset();
        match &mut self.legacy {
            Some(client) => client.disconnected(),
            None => self.core.disconnected(NODE, reason, now),
        }
    }

    /// Nothing is left of the connection. Faults belong to it and end with it.
    pub(super) fn reset(&mut self) {
        self.connection = None;
        self.wants_connection = true;
        self.ready = false;
        self.dirty = false;
        self.has_answers = false;
        self.closing = false;
        self.to_node = Way::of(self.protocol());
        self.to_client = Way::of(self.protocol());
        self.split = 0;
    }

    /// How many bytes go on their way next, of so many: usually all.
    pub(super) fn piece(&self, waiting: usize, rng: &mut Rng) -> usize {
        match self.split {
            0 if rng.chance(1, 8) => 1 + rng.below(waiting),
            0 => waiting,
            bytes => bytes.min(waiting),
        }
    }

    /// Takes bytes from the client for the node. True: the connection breaks behind them.
    pub(super) fn take_to_node(&mut self, wanted: usize) -> (Vec<u8>, bool) {
        let output = match &mut self.legacy {
            Some(client) => Some(client.output()),
            None => self.core.output(NODE),
        };
        let Some(output) = output else {
            return (Vec::new(), false);
        };
        let (bytes, cut, passed) = self.to_node.take(output, wanted);
        self.passed = passed;
        (bytes, cut)
    }

    /// Takes bytes from the node for the client. True: the connection breaks behind them.
    pub(super) fn take_to_client(
        &mut self,
        output: &mut Vec<u8>,
        wanted: usize,
    ) -> (Vec<u8>, bool) {
        let (bytes, cut, passed) = self.to_client.take(output, wanted);
        self.passed = passed;
        (bytes, cut)
    }

    /// How many messages have passed with the last bytes.
    pub(super) fn messages_passed(&self) -> u32 {
        self.passed
    }

    /// Messages have passed on other links.
    pub(super) fn others_passed(&mut self, messages: u32) {
        for way in [&mut self.to_node, &mut self.to_client] {
            way.stalled = way.stalled.saturating_sub(messages);
        }
    }

    /// Is what the client sends held back?
    pub(super) fn holds_to_node(&self) -> bool {
        // Whoever waits for an answer sends nothing more, so that how many messages wait hardly matters.
        self.to_node.stalled > 0 || self.to_node.coalesce > 1
    }

    /// Is what the node sends held back?
    pub(super) fn holds_to_client(&self) -> bool {
        self.to_client.stalled > 0
    }

    /// Something goes wrong from now on. True: the connection breaks at once.
    pub(super) fn fault(&mut self, fault: &Fault) -> bool {
        match fault {
            Fault::Cut {
                direction,
                messages,
                bytes,
                ..
            } => {
                self.way(*direction).cut = Some((*messages, *bytes));
                (*messages, *bytes) == (0, 0) && self.connection.is_some()
            }
            Fault::Split { bytes, .. } => {
                self.split = *bytes as usize;
                false
            }
            Fault::Coalesce { messages, .. } => {
                self.to_node.coalesce = *messages;
                false
            }
            Fault::Stall {
                direction,
                messages,
                ..
            } => {
                self.way(*direction).stalled = *messages;
                false
            }
            Fault::Halt { .. } | Fault::Kill {} => false,
        }
    }

    fn way(&mut self, direction: Direction) -> &mut Way {
        match direction {
            Direction::ToNode => &mut self.to_node,
            Direction::ToClient => &mut self.to_client,
        }
    }
}

impl Way {
    /// Nothing has passed yet.
    fn of(protocol: Protocol) -> Self {
        match protocol {
            Protocol::Neo => Self::default(),
            Protocol::Legacy => Self {
                messages: Messages::plain(),
                ..Self::default()
            },
        }
    }

    /// Takes up to `wanted` of the bytes that wait, and no more than pass before the connection breaks.
    /// Does it break behind them, and how many messages do they end?
    fn take(&mut self, waiting: &mut Vec<u8>, wanted: usize) -> (Vec<u8>, bool, u32) {
        // It was held back long enough if it is taken at all.
        self.stalled = 0;
        let mut bytes: Vec<u8> = waiting.drain(..wanted.min(waiting.len())).collect();
        let ends = self.messages.ends(&bytes);
        let passed = u32::try_from(ends.len()).unwrap_or(u32::MAX);
        let Some((messages, rest)) = &mut self.cut else {
            return (bytes, false, passed);
        };
        // From where on the bytes of the last message are counted.
        let from = match (*messages as usize).checked_sub(1) {
            None => 0,
            Some(last) => match ends.get(last) {
                Some(end) => *end,
                None => {
                    *messages -= passed;
                    return (bytes, false, passed);
                }
            },
        };
        *messages = 0;
        let behind = bytes.len() - from;
        if behind < *rest as usize {
            *rest -= u32::try_from(behind).unwrap_or(*rest);
            return (bytes, false, passed);
        }
        bytes.truncate(from + *rest as usize);
        (bytes, true, passed)
    }
}
