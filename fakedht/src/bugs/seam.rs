//! The places of a node where a bug can act.

use dht_protocol::neo::Limits;
use dht_protocol::neo::auth::{Nonce, Proof};

use super::fate::MessageBug;
use super::host_bug::HostBug;
use super::legacy::LegacyBug;
use super::login::Login;
use super::reaction::{AcceptBug, Breach, HalfClose, HangUp, Reaction};
use super::wire::{InputBug, OutputBug};
use crate::node::host::Event;

/// Where a bug acts, and how. A bug may remember things; each node has one of its own.
pub(super) enum Seam {
    /// What the node accepts of a connection.
    Limits(fn(&mut Limits)),
    /// A new connection.
    Accept(Box<dyn AcceptBug>),
    /// The random bytes that a new connection is given.
    Nonce(fn(Nonce) -> Nonce),
    /// A client's bytes before the node sees them.
    Input(Box<dyn InputBug>),
    /// The node's bytes before the client sees them.
    Output(OutputBug),
    /// What the node does about a broken rule of this kind.
    Violation(Breach, Reaction),
    /// The client's time and the node's, both in seconds; what the client's is taken for.
    Time(fn(client: u64, node: u64) -> u64),
    /// The proof of a client that wants in; what it is taken for, if for another one.
    Login(fn(&Login<'_>) -> Option<Proof>),
    /// What the node does about the end of such a connection, whoever wanted it.
    Closed(HangUp, Reaction),
    /// What the node does about a client that sends nothing more.
    HalfClose(HalfClose),
    /// The whole node stands still while so many bytes wait for a client that does not read.
    Congestion(usize),
    /// What a request asks of the node it runs on.
    Host(Box<dyn HostBug>),
    /// A client's message before the node sees it.
    Arriving(MessageBug),
    /// A message for a client before it is sent.
    Leaving(MessageBug),
    /// What those who follow a channel are told.
    Event(EventBug),
    /// A connection of the legacy protocol.
    Legacy(Box<dyn LegacyBug>),
}

/// What followers are told of an event; `None`: nothing.
pub(super) type EventBug = Box<dyn FnMut(Event) -> Option<Event> + Send>;

/// Acts on what followers are told.
pub(super) fn told(bug: impl FnMut(Event) -> Option<Event> + Send + 'static) -> Seam {
    Seam::Event(Box::new(bug))
}
