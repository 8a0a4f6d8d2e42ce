//! The bugs of a node, between its connections and the driver.
//!
//! A connection with bugs is fed one message at a time, so that a bug knows during which message the
//! node is asked for something, and what it says is taken away at once, for the bugs to act on. On legacy
//! connections there are no messages to act on; the other bugs act as on neo ones.

use dht_protocol::legacy::{self, Command};
use dht_protocol::neo::auth::{Proof, Timestamp};
use dht_protocol::neo::frame::write_authentication;
use dht_protocol::neo::request::{Host, RequestCode};
use dht_protocol::neo::{Credentials, NodeConnection, Now, Violation};

use super::seam::{Call, EventBug, HostBug, Login, MessageBug, Seam};
use super::tap::{Piece, Tap};
use super::{Bugs, host};
use crate::node::host::Event;

/// All bugs of a node, with what they remember.
pub(crate) struct Layer {
    host: Vec<Box<dyn HostBug>>,
    arriving: Vec<Box<dyn MessageBug>>,
    leaving: Vec<Box<dyn MessageBug>>,
    events: Vec<Box<dyn EventBug>>,
    logins: Vec<fn(&Login<'_>) -> Proof>,
}

impl Layer {
    /// `None` for a healthy node.
    pub(crate) fn new(bugs: &Bugs) -> Option<Self> {
        let mut layer = Self {
            host: Vec::new(),
            arriving: Vec::new(),
            leaving: Vec::new(),
            events: Vec::new(),
            logins: Vec::new(),
        };
        for bug in bugs.iter() {
            match bug.seam {
                Seam::Host(make) => layer.host.push(make()),
                Seam::Arriving(make) => layer.arriving.push(make()),
                Seam::Leaving(make) => layer.leaving.push(make()),
                Seam::Event(make) => layer.events.push(make()),
                Seam::Login(judge) => layer.logins.push(judge),
            }
        }
        (!bugs.is_empty()).then_some(layer)
    }

    /// As [`NodeConnection::process`].
    pub(crate) fn process(
        &mut self,
        tap: &mut Tap,
        connection: &mut NodeConnection,
        credentials: &Credentials,
        now: Now,
        host: &mut dyn Host,
    ) -> Result<bool, Violation> {
        while !tap.is_full() {
            let Some(piece) = tap.next_piece() else {
                return self.work(tap, connection, now, host, NO_MESSAGE);
            };
            let mut call = NO_MESSAGE;
            match piece {
                Piece::Raw(bytes) => connection.feed(&bytes),
                Piece::Authentication(body) => {
                    let body = self.authenticate(tap, body, credentials);
                    let mut message = Vec::new();
                    write_authentication(&mut message, &body);
                    connection.feed(&message);
                }
                Piece::Request(id, payload) => {
                    let active = connection.is_active(id);
                    connection.feed(&tap.arrive(id, &payload, active, &mut self.arriving));
                    if let Some((request, first)) = tap.request(id) {
                        let request = Some(request);
                        call = Call { request, first };
                    }
                }
            }
            self.work(tap, connection, now, host, call)?;
        }
        Ok(false)
    }

    /// As [`legacy::NodeConnection::process`].
    pub(crate) fn process_legacy(
        &mut self,
        connection: &mut legacy::NodeConnection,
        host: &mut dyn Host,
    ) -> Result<(), legacy::Violation> {
        while let Some(order) = connection.next_order()? {
            let call = Call {
                request: counterpart(order.command()),
                first: true,
            };
            host::behind(&mut self.host, host, call, |host| {
                connection.answer(&order, host)
            })?;
        }
        Ok(())
    }

    /// What followers are told of an event.
    pub(crate) fn raised(&mut self, event: Event) -> Option<Event> {
        let mut event = event;
        for bug in &mut self.events {
            event = bug.raised(event)?;
        }
        Some(event)
    }

    fn work(
        &mut self,
        tap: &mut Tap,
        connection: &mut NodeConnection,
        now: Now,
        host: &mut dyn Host,
        call: Call,
    ) -> Result<bool, Violation> {
        let result = host::behind(&mut self.host, host, call, |host| {
            connection.process(now, host)
        });
        let said = std::mem::take(connection.output());
        tap.leave(&said, |id| connection.is_active(id), &mut self.leaving);
        result
    }

    /// What a client says to get in: its time first, its proof then.
    fn authenticate(&self, tap: &mut Tap, body: Vec<u8>, credentials: &Credentials) -> Vec<u8> {
        let Some(timestamp) = tap.timestamp else {
            tap.timestamp = Timestamp::decode(&body).ok();
            return body;
        };
        let Ok(mut proof) = Proof::decode(&body) else {
            return body;
        };
        for judge in &self.logins {
            proof = judge(&Login {
                credentials,
                nonce: tap.nonce,
                timestamp,
                proof: &proof,
            });
        }
        proof.encode()
    }
}

/// The neo request that does the same.
fn counterpart(command: Command) -> Option<RequestCode> {
    match command {
        Command::Remove => Some(RequestCode::Remove),
        Command::GetResponsibleRange => Some(RequestCode::GetHashRange),
        Command::RemoveChannel => Some(RequestCode::RemoveChannel),
        Command::GetVersion => None,
    }
}

const NO_MESSAGE: Call = Call {
    request: None,
    first: false,
};

impl std::fmt::Debug for Layer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Layer").finish_non_exhaustive()
    }
}
