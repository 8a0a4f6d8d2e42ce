//! What happens to connections: how a node with bugs lets them in, and what it does when something goes
//! wrong on one.

use dht_protocol::neo::{ClientName, Violation};

use super::seam::Seam;
use super::wire::Phase;
use crate::node::ConnectionId;

/// What a node does when something goes wrong on a connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Reaction {
    /// It closes the connection, as it should.
    Close,
    /// It closes the connection without the answer that it owes.
    CloseMute,
    /// The message that broke the rule, or what came with the bytes that are none, is dropped. The
    /// connection stays.
    Ignore,
    /// It closes all connections.
    CloseAll,
    /// It crashes.
    Crash,
    /// It closes the connection, and from now on every new one at once. Others go on.
    Unusable,
}

/// Is it a broken rule of a certain kind?
pub(super) type Breach = fn(&Violation) -> bool;
/// Is it the end of a connection of a certain kind?
pub(super) type HangUp = fn(&Departure) -> bool;

/// The node does this about broken rules of this kind.
pub(super) fn broken(which: Breach, reaction: Reaction) -> Seam {
    Seam::Violation(which, reaction)
}

/// The node does this about the end of connections of this kind.
pub(super) fn hung_up(which: HangUp, reaction: Reaction) -> Seam {
    Seam::Closed(which, reaction)
}

/// What a bug does to the node beyond the connection that is processed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Harm {
    /// A connection is closed.
    Connection(ConnectionId),
    /// All connections are closed but for this one, whose end the driver is told.
    AllBut(ConnectionId),
    /// The node crashes.
    Crash,
}

/// A client has connected.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival {
    /// How many connections there were before, closed ones included.
    pub(super) number: u64,
    /// How many are open.
    pub(super) open: usize,
}

/// What becomes of a new connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Admission {
    /// It is served.
    Serve,
    /// It is served, and told this at once.
    Greet(&'static [u8]),
    /// It is closed at once.
    Refuse,
}

/// Acts on new connections.
pub(super) trait AcceptBug: Send {
    fn accept(&mut self, _: Arrival) -> Admission {
        Admission::Serve
    }

    /// A client has authenticated itself. Which other connection is closed therefore?
    fn authenticated(&mut self, _: ConnectionId, _: &ClientName) -> Option<ConnectionId> {
        None
    }
}

/// Acts on new connections.
pub(super) fn accepting(bug: impl AcceptBug + 'static) -> Seam {
    Seam::Accept(Box::new(bug))
}

impl<F: FnMut(Arrival) -> Admission + Send> AcceptBug for F {
    fn accept(&mut self, arrival: Arrival) -> Admission {
        self(arrival)
    }
}

/// A connection that has ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Departure {
    /// How far it had got.
    pub(super) phase: Phase,
    /// How many requests were active.
    pub(super) active: usize,
}

/// What a node does about a client that sends nothing more.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum HalfClose {
    /// It answers what came before, and closes the connection then.
    #[default]
    Answer,
    /// It closes the connection at once and answers nothing more.
    Drop,
    /// It answers, and keeps the connection.
    Keep,
}
