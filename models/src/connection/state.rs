//! What the model's states and steps are made of: numbers of values that the model keeps.

use super::end::End;
use super::host::Records;
use super::pipe::Pipe;
use crate::intern::Id;

/// An end of a connection, and the direction that begins there.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Side {
    /// The client.
    Client,
    /// The node.
    Node,
}

impl Side {
    /// Both.
    pub const BOTH: [Self; 2] = [Self::Client, Self::Node];

    /// The other end.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Client => Self::Node,
            Self::Node => Self::Client,
        }
    }
}

/// A state: one connection, or two to the same node.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct State {
    /// The connection that is looked at, and that of a bystander if there is one.
    pub lanes: [Option<Lane>; 2],
    /// What the node stores.
    pub(super) records: Id<Records>,
}

/// A connection.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Lane {
    /// The machines at its ends, by [`Side`].
    pub(super) ends: [Id<End>; 2],
    /// The bytes that each end has written, by [`Side`].
    pub(super) pipes: [Id<Pipe>; 2],
    /// Which requests were sent, a bit each.
    pub sent: u8,
    /// Was something wrong said in between?
    pub injected: bool,
    /// Did the connection break?
    pub broken: bool,
    /// Has the client said that nothing more will come?
    pub finished: bool,
}

impl Lane {
    /// The machine at this end.
    pub(super) fn end(&self, side: Side) -> Id<End> {
        self.ends[side as usize]
    }

    /// What this end has written.
    pub(super) fn pipe(&self, from: Side) -> Id<Pipe> {
        self.pipes[from as usize]
    }

    /// Was this request sent?
    pub fn has_sent(&self, request: usize) -> bool {
        self.sent & 1 << request != 0
    }
}

/// A step. The number is that of the connection.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Action {
    /// An end reads so many bytes.
    Read(usize, Side, usize),
    /// An end writes what stands in its output.
    Write(usize, Side),
    /// The client sends a request's first message.
    Send(usize, usize),
    /// Something that the client's machine would not say is said in its place.
    Inject(usize, usize),
    /// The client closes its direction; it still reads.
    Finish(usize),
    /// The connection breaks.
    Break(usize),
    /// An end is told that the connection has ended.
    HangUp(usize, Side),
}
