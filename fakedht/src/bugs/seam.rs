//! The places of a node where a bug can act, and what it sees and does there: requests, messages and
//! logins. What acts on bare bytes is in `wire`, what concerns whole connections in `reaction`.

use bytes::Bytes;
use dht_protocol::neo::auth::{self, Nonce, Proof, Timestamp};
use dht_protocol::neo::request::{ChannelId, Host, HostError, RequestCode};
use dht_protocol::neo::{ClientName, Credentials, Limits, RequestId, Violation};
use dht_protocol::{ChannelName, HashRange, Key};

use super::reaction::{AcceptBug, Departure, HalfClose, Reaction};
use super::running::Running;
use super::wire::{InputBug, OutputBug};
use crate::node::ConnectionId;
use crate::node::host::Event;

/// Where a bug acts, and how it is made. A bug may remember things; each node has one of its own.
pub(super) enum Seam {
    /// What the node accepts of a connection.
    Limits(fn(&mut Limits)),
    /// A new connection.
    Accept(fn() -> Box<dyn AcceptBug>),
    /// The random bytes that a new connection is given.
    Nonce(fn(Nonce) -> Nonce),
    /// A client's bytes before the node sees them.
    Input(fn() -> Box<dyn InputBug>),
    /// The node's bytes before the client sees them.
    Output(fn() -> Box<dyn OutputBug>),
    /// What the node does about a broken rule.
    Violation(fn(&Violation) -> Reaction),
    /// The client's time and the node's, both in seconds; what the client's is taken for.
    Time(fn(client: u64, node: u64) -> u64),
    /// The end of a connection, whoever wanted it.
    Closed(fn(&Departure) -> Reaction),
    /// What the node does about a client that sends nothing more.
    HalfClose(HalfClose),
    /// The whole node stands still while so many bytes wait for a client that does not read.
    Congestion(usize),
    /// What a request asks of the node it runs on.
    Host(fn() -> Box<dyn HostBug>),
    /// A client's message before the node sees it.
    Arriving(fn() -> Box<dyn MessageBug>),
    /// A message for a client before it is sent.
    Leaving(fn() -> Box<dyn MessageBug>),
    /// What those who follow a channel are told; `None`: nothing.
    Event(fn() -> Box<dyn EventBug>),
    /// The proof of a client that wants in.
    Login(fn(&Login<'_>) -> Proof),
}

/// During which client's message the node is asked for something.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    /// The request of the message, or the one that does what a legacy order does; `None` if the node works
    /// without one.
    pub(super) request: Option<RequestCode>,
    /// Is it the request's first message?
    pub(super) first: bool,
}

impl Call {
    pub(super) fn is(self, request: RequestCode) -> bool {
        self.request == Some(request)
    }
}

/// Acts on what requests ask of the node; see [`Host`]. By default everything is passed on.
pub(super) trait HostBug: Send {
    fn range(&self, host: &dyn Host, _: Call) -> HashRange {
        host.range()
    }

    fn may_remove_channels(&self, host: &dyn Host, client: &ClientName) -> bool {
        host.may_remove_channels(client)
    }

    fn remove_channel(&mut self, host: &mut dyn Host, name: &ChannelName) -> Result<(), HostError> {
        host.remove_channel(name)
    }

    fn channel_after(&self, host: &dyn Host, after: Option<&ChannelName>) -> Option<ChannelName> {
        host.channel_after(after)
    }

    fn put(
        &mut self,
        host: &mut dyn Host,
        _: Call,
        channel: ChannelId,
        key: Key,
        value: &Bytes,
    ) -> Result<(), HostError> {
        host.put(channel, key, value)
    }

    fn get(
        &self,
        host: &dyn Host,
        _: Call,
        channel: ChannelId,
        key: Key,
    ) -> Result<Option<Bytes>, HostError> {
        host.get(channel, key)
    }

    fn remove(
        &mut self,
        host: &mut dyn Host,
        _: Call,
        channel: ChannelId,
        key: Key,
    ) -> Result<bool, HostError> {
        host.remove(channel, key)
    }

    fn record_after(
        &self,
        host: &dyn Host,
        channel: ChannelId,
        after: Option<Key>,
    ) -> Option<(Key, Bytes)> {
        host.record_after(channel, after)
    }
}

/// A message of a request, in either direction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Message<'a> {
    /// On which connection.
    pub(super) connection: ConnectionId,
    /// The id of its request.
    pub(super) id: RequestId,
    /// Which request; `None` if its code is unknown.
    pub(super) request: Option<RequestCode>,
    /// How many messages of the request went before it in its direction. The node's number 0 is the
    /// supported status.
    pub(super) number: u64,
    /// What is behind the request id.
    pub(super) payload: &'a [u8],
    /// The payload of the client's first message.
    pub(super) opening: &'a [u8],
    /// What runs on the node, on all connections. A request that only begins is not among it.
    pub(super) running: &'a Running,
}

impl Message<'_> {
    pub(super) fn is(&self, request: RequestCode) -> bool {
        self.request == Some(request)
    }

    /// Is it a message of this request that begins with this type byte? The node's supported status is
    /// none.
    pub(super) fn has_type(&self, request: RequestCode, code: u8) -> bool {
        self.is(request) && self.number > 0 && self.payload.first() == Some(&code)
    }
}

/// What becomes of a message.
#[derive(Clone, Debug)]
pub(super) enum Fate {
    /// It goes on as it is.
    Pass,
    /// These payloads go on instead.
    Instead(Vec<Vec<u8>>),
    /// It waits until another message has gone on, in the same direction of the same connection.
    Hold,
    /// It vanishes, and the node closes the connection.
    Close,
    /// It vanishes, and the node crashes.
    Crash,
}

impl Fate {
    /// It vanishes.
    pub(super) fn lost() -> Self {
        Self::Instead(Vec::new())
    }

    /// It comes twice.
    pub(super) fn twice(message: &Message<'_>) -> Self {
        Self::Instead(vec![message.payload.to_vec(); 2])
    }

    /// Another one comes.
    pub(super) fn changed(payload: impl Into<Vec<u8>>) -> Self {
        Self::Instead(vec![payload.into()])
    }
}

/// Acts on messages of requests.
pub(super) trait MessageBug: Send {
    fn meet(&mut self, message: &Message<'_>) -> Fate;
}

impl<F: FnMut(&Message<'_>) -> Fate + Send> MessageBug for F {
    fn meet(&mut self, message: &Message<'_>) -> Fate {
        self(message)
    }
}

/// Acts on what followers are told.
pub(super) trait EventBug: Send {
    fn raised(&mut self, event: Event) -> Option<Event>;
}

impl<F: FnMut(Event) -> Option<Event> + Send> EventBug for F {
    fn raised(&mut self, event: Event) -> Option<Event> {
        self(event)
    }
}

/// A client's attempt to get in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Login<'a> {
    pub(super) credentials: &'a Credentials,
    pub(super) nonce: Nonce,
    pub(super) timestamp: Timestamp,
    pub(super) proof: &'a Proof,
}

impl Login<'_> {
    /// The proof that a client with this name and its right key would have given.
    pub(super) fn proof_of(&self, name: &ClientName) -> Option<Proof> {
        let key = self.credentials.key(name)?;
        let Timestamp(timestamp) = self.timestamp;
        Some(Proof {
            name: name.as_str().into(),
            code: auth::code(key, timestamp, self.nonce),
        })
    }
}
