//! The steps that a model can take.

use dht_protocol::Key;
use dht_protocol::neo::request::control::Control;

use super::note::{Client, Node, Request};

/// A step.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Action {
    /// A user starts a request.
    Begin(Request),
    /// A user controls a GetAll or Mirror.
    Control(Request, Control),
    /// A user decides on the record of an Update; which of the frame's decisions.
    Decide(Request, u8),
    /// A user does not want to wait any longer.
    Abandon(Request),
    /// The next message arrives at a node.
    ToNode(Request, Node),
    /// The next message arrives at the client.
    ToClient(Request, Node),
    /// The node goes on with a request.
    Turn(Request, Node),
    /// A Mirror's period is over.
    Tick(Request, Node),
    /// A writer writes.
    Write(u8),
    /// A connection breaks.
    Break(Client, Node),
    /// The client notices it.
    ClientDown(Client, Node),
    /// The node notices it.
    NodeDown(Client, Node),
    /// The client connects, again or for the first time.
    Connect(Client, Node),
    /// A node is restarted.
    Restart(Node),
    /// The redistribution begins: the other node is announced, the range changes.
    Announce,
    /// A record follows to the other node.
    Move(Key),
}

impl Action {
    /// Does it happen if nothing prevents it? Users, writers, periods and what goes wrong need not do
    /// anything; only who is asked for a decision answers.
    pub fn is_fair(self) -> bool {
        matches!(
            self,
            Self::Decide(..)
                | Self::ToNode(..)
                | Self::ToClient(..)
                | Self::Turn(..)
                | Self::ClientDown(..)
                | Self::NodeDown(..)
                | Self::Connect(..)
                | Self::Move(_)
        )
    }
}
