//! What happens in a run of a model, as those who judge it and those who draw it are told.

use bytes::Bytes;
use dht_protocol::legacy::{Answer, Order};
use dht_protocol::neo::Violation;
use dht_protocol::neo::client::Told;
use dht_protocol::neo::request::control::Control;
use dht_protocol::neo::request::update::Decision;
use dht_protocol::{ChannelName, HashRange, Key};

use super::frame::Transfer;

/// The number of a client.
pub type Client = usize;
/// The number of a node.
pub type Node = usize;
/// The number of a request of the frame.
pub type Request = usize;

/// Something that happened. A step of the model is a list of these, in the order in which they did.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Note {
    /// The user starts a request.
    Begun(Request),
    /// The user suspends, resumes or stops a request. Was the call accepted?
    Controlled(Request, Control, bool),
    /// The user decides what becomes of the record of an Update.
    Decided(Request, Decision),
    /// The user does not want to wait any longer.
    Abandoned(Request),
    /// The user of a request is told something.
    Told(Request, Told),
    /// The client is done with a request, and has forgotten it.
    Over(Request),

    /// The client sends a message.
    ClientSent(Request, Node, Bytes),
    /// The node takes a message of the client.
    NodeTook(Request, Node, Bytes),
    /// The node sends a message.
    NodeSent(Request, Node, Bytes),
    /// The client takes a message of the node.
    ClientTook(Request, Node, Bytes),
    /// The client has no use for the message that came: the request, or its part on this node, has ended.
    Ignored(Request, Node),
    /// A message was lost with its connection, or nobody waits for it any more.
    Lost(Request, Node, From, Bytes),
    /// The node's half of a GetAll or Mirror is suspended from now on, or no longer.
    Suspended(Request, Node, bool),
    /// The node is done with a request.
    NodeEnded(Request, Node),
    /// One side found that the other broke the protocol, and closes the connection.
    Violated(Request, Node, From, Violation),

    /// A record was written (`None`: removed), by a request or by nobody in the model.
    Wrote(Node, ChannelName, Key, Option<Bytes>, Option<Request>),
    /// A channel was created, by a request or by nobody in the model.
    CreatedChannel(Node, ChannelName, Option<Request>),
    /// A channel was removed.
    RemovedChannel(Node, ChannelName, Option<Request>),
    /// A record was brought here from another node.
    Arrived(Node, ChannelName, Key, Bytes),
    /// A record was taken away because it was brought to another node.
    Left(Node, ChannelName, Key),
    /// A node begins to hand over what another one is to have.
    HandoverBegan(Node),
    /// It has.
    HandoverOver(Node),
    /// A message between nodes leaves.
    OrderSent(Way, Bytes),
    /// The message between nodes that left first arrives.
    OrderTook(Way),
    /// It is lost with its connection.
    OrderLost(Way),
    /// The connection between two nodes breaks.
    HandoverBroke(Node, Node),
    /// A client of the legacy protocol has ordered something, and was answered.
    Ordered(Node, Order, Answer),
    /// A node tells its clients of another one, and what that one is responsible for.
    Announced(Node, Node, HashRange),
    /// A node is responsible for other keys than before.
    Ranged(Node, HashRange),
    /// A client has learned what a node is responsible for.
    Learned(Client, Node, HashRange),
    /// A Mirror's period is over.
    Ticked(Request, Node),
    /// A change is queued in a Mirror, which makes so many.
    Queued(Request, Node, usize),
    /// A change found no room in a Mirror's queue.
    Missed(Request, Node, Key),

    /// A connection is up.
    Up(Client, Node),
    /// A connection breaks; nobody has noticed yet.
    Broke(Client, Node),
    /// The client has noticed that a connection broke.
    ClientDown(Client, Node),
    /// The node has noticed that a connection broke.
    NodeDown(Client, Node),
    /// A node was restarted.
    Restarted(Node),
}

/// A direction of a connection between nodes.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Way {
    /// Who says something.
    pub from: Node,
    /// To whom.
    pub to: Node,
    /// The how manieth connection it is.
    pub connection: u8,
}

impl Way {
    /// The way of records.
    pub(super) fn new(transfer: Transfer, connection: u8) -> Self {
        let Transfer { from, to, .. } = transfer;
        Self {
            from,
            to,
            connection,
        }
    }

    /// The way of answers.
    pub(super) fn back(self) -> Self {
        Self {
            from: self.to,
            to: self.from,
            ..self
        }
    }
}

/// Who sent something.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum From {
    /// The client.
    Client,
    /// The node.
    Node,
}
