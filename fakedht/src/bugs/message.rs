//! Messages of requests, as bugs see them pass, and the questions that bugs ask of them.

use dht_protocol::codec::DecodeError;
use dht_protocol::neo::RequestId;
use dht_protocol::neo::request::control::{Control, FromClient};
use dht_protocol::neo::request::{
    Command, RequestCode, exists, get, get_all, get_channels, mirror, put, remove, remove_channel,
    update,
};

use super::running::Running;
use crate::node::ConnectionId;

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

impl<'a> Message<'a> {
    pub(super) fn is(&self, request: RequestCode) -> bool {
        self.request == Some(request)
    }

    /// Is it the client's first message, or the node's supported status?
    pub(super) fn is_first(&self) -> bool {
        self.number == 0
    }

    /// Is it that of such a request?
    pub(super) fn begins(&self, request: RequestCode) -> bool {
        self.is(request) && self.is_first()
    }

    /// Is it the first message of a request with an unknown code?
    pub(super) fn is_unknown(&self) -> bool {
        self.request.is_none() && self.is_first() && self.payload.len() >= Command::LEN
    }

    /// What the node says with it behind the supported status, if it is one of these messages.
    pub(super) fn said<M: FromNode>(&self) -> Option<M> {
        match self.is(M::REQUEST) && !self.is_first() {
            true => M::decode(self.payload).ok(),
            false => None,
        }
    }

    /// What the client opens with it, if it is a first message of this kind.
    pub(super) fn opens<O: Opening>(&self) -> Option<O> {
        match self.is_first() {
            true => self.opened(),
            false => None,
        }
    }

    /// What the client opened the request with.
    pub(super) fn opened<O: Opening>(&self) -> Option<O> {
        match self.is(O::REQUEST) {
            true => O::decode(self.opening.get(Command::LEN..)?).ok(),
            false => None,
        }
    }

    /// Is it the client's Suspend, Resume or Stop for such a request?
    pub(super) fn controls(&self, request: RequestCode) -> bool {
        self.is(request) && !self.is_first() && is_control(self.payload)
    }

    /// The request among those of all connections.
    pub(super) fn name(&self) -> (ConnectionId, RequestId) {
        (self.connection, self.id)
    }

    /// What is behind the command in a first message.
    pub(super) fn fields(&self) -> &'a [u8] {
        self.payload.get(Command::LEN..).unwrap_or_default()
    }
}

/// Is it a control message that asks for something?
pub(super) fn is_control(payload: &[u8]) -> bool {
    matches!(FromClient::decode(payload), Ok(FromClient::Control(_)))
}

/// The whole control message.
pub(super) fn control(control: Control) -> [u8; 1] {
    FromClient::Control(control).encode()
}

/// What a node says in answer to one kind of request.
pub(super) trait FromNode: PartialEq + Send + Sized + 'static {
    const REQUEST: RequestCode;

    fn decode(payload: &[u8]) -> Result<Self, DecodeError>;

    fn payload(&self) -> Vec<u8>;
}

macro_rules! answers_of_one_byte {
    ($($module:ident => $request:ident)+) => {$(
        impl FromNode for $module::Reply {
            const REQUEST: RequestCode = RequestCode::$request;

            fn decode(payload: &[u8]) -> Result<Self, DecodeError> {
                Self::decode(payload)
            }

            fn payload(&self) -> Vec<u8> {
                self.encode().to_vec()
            }
        }
    )+};
}

answers_of_one_byte! {
    put => Put
    get => Get
    exists => Exists
    remove => Remove
    remove_channel => RemoveChannel
}

macro_rules! answers {
    ($($module:ident => $request:ident)+) => {$(
        impl FromNode for $module::FromNode {
            const REQUEST: RequestCode = RequestCode::$request;

            fn decode(payload: &[u8]) -> Result<Self, DecodeError> {
                Self::decode(payload)
            }

            fn payload(&self) -> Vec<u8> {
                let mut payload = Vec::new();
                self.encode(&mut payload);
                payload
            }
        }
    )+};
}

answers! {
    get_all => GetAll
    get_channels => GetChannels
    mirror => Mirror
    update => Update
}

/// The first message of one kind of request.
pub(super) trait Opening: Sized {
    const REQUEST: RequestCode;

    /// Reads what is behind the command.
    fn decode(fields: &[u8]) -> Result<Self, DecodeError>;

    /// The whole message, command included.
    fn payload(&self) -> Vec<u8>;
}

macro_rules! openings {
    ($($module:ident => $request:ident)+) => {$(
        impl Opening for $module::Open {
            const REQUEST: RequestCode = RequestCode::$request;

            fn decode(fields: &[u8]) -> Result<Self, DecodeError> {
                Self::decode(fields)
            }

            fn payload(&self) -> Vec<u8> {
                self.encode()
            }
        }
    )+};
}

openings! {
    put => Put
    get_all => GetAll
    mirror => Mirror
    update => Update
}

/// Which messages: those of this request.
pub(super) fn any(request: RequestCode) -> impl Fn(&Message<'_>) -> bool {
    move |message| message.is(request)
}

/// Which messages: the one of this request that so many went before.
pub(super) fn nth(request: RequestCode, number: u64) -> impl Fn(&Message<'_>) -> bool {
    move |message| message.is(request) && message.number == number
}

/// Which messages: those that say just this.
pub(super) fn answer<M: FromNode>(answer: M) -> impl Fn(&Message<'_>) -> bool {
    move |message| message.said().is_some_and(|said: M| said == answer)
}

/// Which messages: the first of such a request while one of the other kind runs anywhere.
pub(super) fn during(running: RequestCode, request: RequestCode) -> impl Fn(&Message<'_>) -> bool {
    move |message| message.begins(request) && message.running.any(running)
}
