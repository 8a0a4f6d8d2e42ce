//! The steps that a model can take.

use std::fmt;

use dht_protocol::Key;
use dht_protocol::neo::client::Backlog;
use dht_protocol::neo::request::control::Control;

use super::handover::Part;
use super::note::{Client, Node, Request};

/// A step.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Action {
    /// A user starts a request.
    Begin(Request),
    /// A user controls a GetAll or Mirror.
    Control(Request, Control),
    /// The user of a GetAll or Mirror has more or less to read than before.
    Pace(Request, Backlog),
    /// A user decides on the record of an Update; which of the frame's decisions.
    Decide(Request, u8),
    /// A user does not want to wait any longer.
    Abandon(Request),
    /// The client says something more about a GetHashRange, which it must not.
    Stray(Request, Node),
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
    /// Something happens in a redistribution by the machine that a node runs.
    Redistribution(Part),
}

impl Action {
    /// Does it happen if nothing prevents it? Users, writers, periods and what goes wrong need not do
    /// anything; only who is asked for a decision answers.
    pub fn is_fair(self) -> bool {
        matches!(
            self,
            Self::Decide(..)
                | Self::Pace(_, Backlog::Low)
                | Self::ToNode(..)
                | Self::ToClient(..)
                | Self::Turn(..)
                | Self::ClientDown(..)
                | Self::NodeDown(..)
                | Self::Connect(..)
                | Self::Move(_)
                | Self::Redistribution(Part::Work | Part::Order | Part::Answer)
        )
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Processes and requests are counted from 1 for readers.
        match *self {
            Self::Begin(request) => write!(f, "user starts request {}", request + 1),
            Self::Control(request, control) => {
                write!(f, "user calls {control:?} on request {}", request + 1)
            }
            Self::Pace(request, backlog) => {
                write!(f, "request {}: {backlog:?} backlog", request + 1)
            }
            Self::Decide(request, which) => {
                let (request, which) = (request + 1, which + 1);
                write!(f, "user makes decision {which} on request {request}")
            }
            Self::Stray(request, node) => {
                let (request, node) = (request + 1, node + 1);
                write!(f, "client says more about request {request} to node {node}")
            }
            Self::Abandon(request) => write!(f, "user abandons request {}", request + 1),
            Self::ToNode(request, node) => {
                write!(f, "message #{} arrives at node {}", request + 1, node + 1)
            }
            Self::ToClient(request, node) => {
                write!(f, "message #{} of node {} arrives", request + 1, node + 1)
            }
            Self::Turn(request, node) => {
                write!(f, "node {} goes on with request {}", node + 1, request + 1)
            }
            Self::Tick(request, node) => {
                let (request, node) = (request + 1, node + 1);
                write!(f, "a period of request {request} on node {node} is over")
            }
            Self::Write(writer) => write!(f, "writer {} writes", writer + 1),
            Self::Break(client, node) => {
                let (client, node) = (client + 1, node + 1);
                write!(f, "the connection of client {client} to node {node} breaks")
            }
            Self::ClientDown(client, node) => {
                let (client, node) = (client + 1, node + 1);
                write!(f, "client {client} notices that node {node} is gone")
            }
            Self::NodeDown(client, node) => {
                let (client, node) = (client + 1, node + 1);
                write!(f, "node {node} notices that client {client} is gone")
            }
            Self::Connect(client, node) => {
                write!(f, "client {} connects to node {}", client + 1, node + 1)
            }
            Self::Restart(node) => write!(f, "node {} is restarted", node + 1),
            Self::Announce => f.write_str("the redistribution begins"),
            Self::Move(key) => write!(f, "record k{} moves to the other node", key.0),
            Self::Redistribution(part) => write!(f, "redistribution: {part:?}"),
        }
    }
}
