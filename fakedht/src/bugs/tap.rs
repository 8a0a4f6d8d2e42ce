//! What stands between a connection and its driver: lets bugs act on the messages of both directions.

use std::collections::BTreeMap;

use dht_protocol::neo::auth::{Nonce, Timestamp};
use dht_protocol::neo::frame::write_request;
use dht_protocol::neo::header::{HEADER_LEN, Kind};
use dht_protocol::neo::request::RequestCode;
use dht_protocol::neo::{Limits, RequestId};

use super::filters::{Direction, Filters, Passing};
use super::pieces::{Piece, Pieces, Stage};
use super::wire::{InputBug, Phase, Said, message, request_id};
use crate::node::ConnectionId;

/// From how many bytes of output on nothing is done for a connection, as without bugs.
const OUTPUT_FULL: usize = 128 * 1024;

/// What stands between a connection and its driver.
#[derive(Debug)]
pub(crate) struct Tap {
    pub(super) connection: ConnectionId,
    pieces: Pieces,
    /// The nonce of the connection.
    pub(super) nonce: Nonce,
    /// The client's time once it has been told, and what it is taken for.
    pub(super) time: Option<(Timestamp, Timestamp)>,
    /// What the node says next.
    next_said: Said,
    /// Does the node know who the client is?
    pub(super) welcomed: bool,
    /// Messages that wait for another one, in bytes as they are fed.
    held_input: Vec<u8>,
    /// The same in the other direction.
    held_output: Vec<Vec<u8>>,
    /// What the driver sees.
    output: Vec<u8>,
    requests: BTreeMap<RequestId, Request>,
}

/// Where a connection stands, to go back to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    stage: Stage,
    time: Option<(Timestamp, Timestamp)>,
    said: usize,
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
            pieces: Pieces::new(limits.message),
            nonce,
            time: None,
            next_said: Said::Version,
            welcomed: false,
            held_input: Vec::new(),
            held_output: Vec::new(),
            output: Vec::new(),
            requests: BTreeMap::new(),
        }
    }

    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        self.pieces.feed(bytes);
    }

    pub(crate) fn output(&mut self) -> &mut Vec<u8> {
        &mut self.output
    }

    /// Does so much wait to be sent that nothing more should be done?
    pub(crate) fn is_full(&self) -> bool {
        self.output.len() >= OUTPUT_FULL
    }

    pub(super) fn phase(&self) -> Phase {
        match (self.pieces.stage, self.time) {
            (Stage::Version, _) => Phase::Version,
            _ if self.welcomed => Phase::Open,
            (_, None) => Phase::Time,
            (_, Some(_)) => Phase::Proof,
        }
    }

    /// Where the connection stands now.
    pub(super) fn mark(&self) -> Mark {
        Mark {
            stage: self.pieces.stage,
            time: self.time,
            said: self.output.len(),
        }
    }

    /// What came since did not come, but for what was answered.
    pub(super) fn go_back(&mut self, mark: Mark) {
        self.pieces.stage = mark.stage;
        self.time = mark.time;
    }

    /// What was said since is not said.
    pub(super) fn unsay(&mut self, mark: Mark) {
        self.output.truncate(mark.said);
    }

    /// The next piece of what was fed, if it is complete.
    pub(super) fn next_piece(&mut self, bugs: &mut [Box<dyn InputBug>]) -> Option<Piece> {
        let phase = self.phase();
        self.pieces.next(phase, bugs)
    }

    /// A message arrives: lets bugs act on it and says what is to be fed instead. `active` says whether
    /// its request is active.
    pub(super) fn arrive(
        &mut self,
        id: RequestId,
        payload: &[u8],
        active: bool,
        filters: &mut Filters,
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
        let passing = request.passing(Direction::Arriving, self.connection, id);
        let met = filters.meet(passing, payload);
        request.received += 1;
        for payload in &met.passed {
            write_request(&mut fed, id, payload);
        }
        if !met.passed.is_empty() {
            if let (false, Some(code)) = (active, request.code()) {
                filters.running.begin(self.connection, id, code);
            }
            fed.append(&mut self.held_input);
        }
        for payload in &met.held {
            write_request(&mut self.held_input, id, payload);
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
        filters: &mut Filters,
    ) {
        let mut said = said;
        if self.next_said == Said::Version && !said.is_empty() {
            let (version, rest) = said.split_at(1);
            filters.say(Said::Version, version.to_vec(), &mut self.output);
            self.next_said = Said::Nonce;
            said = rest;
        }
        while let Some((kind, length)) = message(said) {
            let (message, rest) = said.split_at(length);
            said = rest;
            match kind {
                Kind::Authentication => {
                    filters.say(self.next_said, message.to_vec(), &mut self.output);
                    self.next_said = Said::Verdict;
                }
                Kind::Request => self.leave_message(message, filters),
            }
        }
        self.output.extend_from_slice(said);
        self.requests.retain(|id, _| {
            let stays = is_active(*id);
            if !stays {
                filters.running.end(self.connection, *id);
            }
            stays
        });
    }

    fn leave_message(&mut self, message: &[u8], filters: &mut Filters) {
        let known = request_id(&message[HEADER_LEN..])
            .and_then(|(id, payload)| Some((id, payload, self.requests.get_mut(&id)?)));
        let Some((id, payload, request)) = known else {
            filters.say(Said::Message, message.to_vec(), &mut self.output);
            return;
        };
        let met = filters.meet(
            request.passing(Direction::Leaving, self.connection, id),
            payload,
        );
        request.sent += 1;
        let frames = |payloads: &[Vec<u8>]| -> Vec<Vec<u8>> {
            let frame = |payload: &Vec<u8>| {
                let mut frame = Vec::new();
                write_request(&mut frame, id, payload);
                frame
            };
            payloads.iter().map(frame).collect()
        };
        let mut frames_now = frames(&met.passed);
        if !frames_now.is_empty() {
            frames_now.append(&mut self.held_output);
        }
        self.held_output.extend(frames(&met.held));
        for frame in frames_now {
            filters.say(Said::Message, frame, &mut self.output);
        }
    }
}

impl Request {
    fn code(&self) -> Option<RequestCode> {
        RequestCode::from_code(*self.opening.first()?)
    }

    /// Its next message in a direction.
    fn passing(
        &self,
        direction: Direction,
        connection: ConnectionId,
        id: RequestId,
    ) -> Passing<'_> {
        Passing {
            direction,
            connection,
            id,
            request: self.code(),
            number: match direction {
                Direction::Arriving => self.received,
                Direction::Leaving => self.sent,
            },
            opening: &self.opening,
        }
    }
}
