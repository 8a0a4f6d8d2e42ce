//! Takes the byte stream of a connection apart into messages, so that bugs can act on them.
//!
//! Whatever it cannot take apart it passes on as it is: what is wrong with it is the connection's to say.

use std::collections::BTreeMap;
use std::mem::take;

use bytes::BytesMut;
use dht_protocol::neo::auth::{Nonce, Timestamp};
use dht_protocol::neo::frame::write_request;
use dht_protocol::neo::header::{HEADER_LEN, Header, ID_LEN, Kind};
use dht_protocol::neo::request::RequestCode;
use dht_protocol::neo::{Limits, RequestId};

use super::seam::{Fate, Message, MessageBug};
use crate::node::ConnectionId;

/// From how many bytes of output on nothing is done for a connection, as without bugs.
const OUTPUT_FULL: usize = 128 * 1024;

/// What stands between a connection and its driver.
#[derive(Debug)]
pub(crate) struct Tap {
    connection: ConnectionId,
    /// The largest message that is taken apart, in bytes of its body.
    limit: u64,
    input: BytesMut,
    reading: Reading,
    /// The nonce of the connection.
    pub(super) nonce: Nonce,
    /// The client's time, once it has been told.
    pub(super) timestamp: Option<Timestamp>,
    /// Has the node's version byte been sent?
    greeted: bool,
    /// What the driver sees.
    output: Vec<u8>,
    requests: BTreeMap<RequestId, Request>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Reading {
    /// The version byte comes first. Whatever comes with it is wrong.
    Version,
    Messages,
    /// Something was wrong.
    Anything,
}

/// A piece of a client's input.
pub(super) enum Piece {
    /// Bytes to pass on.
    Raw(BytesMut),
    /// The body of an authentication message.
    Authentication(Vec<u8>),
    /// A message of a request: id and payload.
    Request(RequestId, Vec<u8>),
}

/// What is known of a request whose messages pass.
#[derive(Debug)]
struct Request {
    opening: Vec<u8>,
    received: u64,
    sent: u64,
}

impl Tap {
    pub(crate) fn new(connection: ConnectionId, nonce: Nonce, limits: &Limits) -> Self {
        Self {
            connection,
            limit: limits.message,
            input: BytesMut::new(),
            reading: Reading::Version,
            nonce,
            timestamp: None,
            greeted: false,
            output: Vec::new(),
            requests: BTreeMap::new(),
        }
    }

    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        self.input.extend_from_slice(bytes);
    }

    pub(crate) fn output(&mut self) -> &mut Vec<u8> {
        &mut self.output
    }

    /// Does so much wait to be sent that nothing more should be done?
    pub(crate) fn is_full(&self) -> bool {
        self.output.len() >= OUTPUT_FULL
    }

    /// The next piece of what was fed, if it is complete.
    pub(super) fn next_piece(&mut self) -> Option<Piece> {
        if self.input.is_empty() {
            return None;
        }
        match self.reading {
            Reading::Version => {
                self.reading = Reading::Messages;
                Some(Piece::Raw(take(&mut self.input)))
            }
            Reading::Anything => Some(Piece::Raw(take(&mut self.input))),
            Reading::Messages => {
                let header = *self.input.first_chunk::<HEADER_LEN>()?;
                let Ok(header) = Header::decode(header, self.limit) else {
                    self.reading = Reading::Anything;
                    return Some(Piece::Raw(take(&mut self.input)));
                };
                self.next_message(header)
            }
        }
    }

    fn next_message(&mut self, header: Header) -> Option<Piece> {
        let length = HEADER_LEN + usize::try_from(header.body_len).ok()?;
        if self.input.len() < length {
            return None;
        }
        let message = self.input.split_to(length);
        let body = message.get(HEADER_LEN..).unwrap_or_default();
        Some(match (header.kind, request_id(body)) {
            (Kind::Authentication, _) => Piece::Authentication(body.to_vec()),
            (Kind::Request, Some((id, payload))) => Piece::Request(id, payload.to_vec()),
            // Request id 0.
            (Kind::Request, None) => Piece::Raw(message),
        })
    }

    /// A message arrives: lets bugs act on it and says what is to be fed instead. `active` says whether
    /// its request is active.
    pub(super) fn arrive(
        &mut self,
        id: RequestId,
        payload: &[u8],
        active: bool,
        bugs: &mut [Box<dyn MessageBug>],
    ) -> Vec<u8> {
        if !active {
            let request = Request {
                opening: payload.to_vec(),
                received: 0,
                sent: 0,
            };
            self.requests.insert(id, request);
        }
        let mut fed = Vec::new();
        let Some(request) = self.requests.get_mut(&id) else {
            write_request(&mut fed, id, payload);
            return fed;
        };
        let number = request.received;
        request.received += 1;
        for payload in meet(self.connection, id, request, number, payload, bugs) {
            write_request(&mut fed, id, &payload);
        }
        fed
    }

    /// Which request a message belongs to, and whether it is its first, as far as it has arrived.
    pub(super) fn request(&self, id: RequestId) -> Option<(RequestCode, bool)> {
        let request = self.requests.get(&id)?;
        Some((request.code()?, request.received == 1))
    }

    /// The connection has said something: lets bugs act on it and passes it on.
    pub(super) fn leave(
        &mut self,
        said: &[u8],
        is_active: impl Fn(RequestId) -> bool,
        bugs: &mut [Box<dyn MessageBug>],
    ) {
        let mut said = said;
        if !self.greeted && !said.is_empty() {
            let (version, rest) = said.split_at(1);
            self.output.extend_from_slice(version);
            self.greeted = true;
            said = rest;
        }
        while let Some(length) = message_length(said) {
            let (message, rest) = said.split_at(length);
            said = rest;
            let id = match message[0] {
                1 => request_id(&message[HEADER_LEN..]),
                _ => None,
            };
            match id.and_then(|(id, payload)| Some((id, payload, self.requests.get_mut(&id)?))) {
                Some((id, payload, request)) => {
                    let number = request.sent;
                    request.sent += 1;
                    for payload in meet(self.connection, id, request, number, payload, bugs) {
                        write_request(&mut self.output, id, &payload);
                    }
                }
                None => self.output.extend_from_slice(message),
            }
        }
        self.output.extend_from_slice(said);
        self.requests.retain(|id, _| is_active(*id));
    }
}

impl Request {
    fn code(&self) -> Option<RequestCode> {
        RequestCode::from_code(*self.opening.first()?)
    }
}

/// What bugs make of a message.
fn meet(
    connection: ConnectionId,
    id: RequestId,
    request: &Request,
    number: u64,
    payload: &[u8],
    bugs: &mut [Box<dyn MessageBug>],
) -> Vec<Vec<u8>> {
    let mut payloads = vec![payload.to_vec()];
    for bug in bugs {
        payloads = payloads
            .into_iter()
            .flat_map(|payload| {
                let message = Message {
                    connection,
                    id,
                    request: request.code(),
                    number,
                    payload: &payload,
                    opening: &request.opening,
                };
                match bug.meet(&message) {
                    Fate::Pass => vec![payload],
                    Fate::Instead(payloads) => payloads,
                }
            })
            .collect();
    }
    payloads
}

fn request_id(body: &[u8]) -> Option<(RequestId, &[u8])> {
    let (id, payload) = body.split_first_chunk::<ID_LEN>()?;
    Some((RequestId::new(u64::from_le_bytes(*id))?, payload))
}

/// Bytes of the message at the start of what a node says, header included.
fn message_length(said: &[u8]) -> Option<usize> {
    let header = said.first_chunk::<HEADER_LEN>()?;
    let header = Header::decode(*header, u64::MAX).ok()?;
    let length = HEADER_LEN.checked_add(usize::try_from(header.body_len).ok()?)?;
    (length <= said.len()).then_some(length)
}
