//! A client that speaks neo: its core, the wire monitor, and ids for what is forged.

use bytes::Bytes;
use dht_client::core::{ConnectionEvent, Core, Output};
use dht_client::{ConnectionError, ControlError};
use dht_model::Decision;
use dht_protocol::neo::dissect::Side;
use dht_protocol::neo::frame::{FrameBuffer, write_request};
use dht_protocol::neo::header::ID_LEN;
use dht_protocol::neo::monitor::Listener;
use dht_protocol::neo::{self, Kind, Limits, NodeAddress, Now, RequestId};
use dht_workload::case::Wrong;
use dht_workload::names::Names;
use dht_workload::sim::requests::{self, Ask, Requests};
use dht_workload::world::{Control, Happening, Ticket, Violation};

use super::{Asked, Heard, Wish, nothing};
use crate::fuzz::forgery;
use crate::fuzz::place::Place;
use crate::fuzz::probe::{Hearing, Probe};

/// What the core calls the node.
const NODE: NodeAddress = std::net::SocketAddrV4::new(std::net::Ipv4Addr::LOCALHOST, 10_100);
/// The first id of forged requests; no core comes so far.
const FORGED: u64 = 1 << 40;

/// A client that speaks neo.
pub(in crate::fuzz) struct Neo {
    core: Core,
    listener: Listener,
    requests: Requests,
    /// The node has told its range, on this connection or an earlier one.
    knows_range: bool,
    said: FrameBuffer,
    heard: FrameBuffer,
    next_forged: u64,
}

impl Neo {
    pub(super) fn new(place: &Place, now: Now) -> Self {
        let mut core = Core::new(place.credential.clone(), Limits::default());
        core.add_node(NODE, now);
        Self {
            core,
            listener: Listener::new(),
            requests: Requests::default(),
            knows_range: false,
            said: FrameBuffer::default(),
            heard: FrameBuffer::default(),
            next_forged: FORGED,
        }
    }

    pub(super) fn is_idle(&self) -> bool {
        self.core.active_requests() == 0
    }

    pub(super) fn connected(&mut self, now: Now) {
        self.listener = Listener::new();
        self.said = FrameBuffer::default();
        self.heard = FrameBuffer::default();
        self.core.connected(NODE, now);
    }

    pub(super) fn disconnected(&mut self, now: Now) {
        self.core.disconnected(NODE, ConnectionError::Closed, now);
    }

    pub(super) fn output(&mut self) -> (Vec<u8>, u64) {
        let Some(output) = self.core.output(NODE) else {
            return (Vec::new(), 0);
        };
        if output.is_empty() {
            return (Vec::new(), 0);
        }
        let bytes = std::mem::take(output);
        let breaches = self.listener.hear(Side::Client, &bytes);
        // Only our own core could be wrong here, which is no fault of the node.
        debug_assert!(breaches.is_empty(), "{breaches:?}");
        let messages = self.count(&bytes);
        (bytes, messages)
    }

    /// How many messages of requests end with these bytes, which the core says.
    fn count(&mut self, bytes: &[u8]) -> u64 {
        if !self.core.is_open(NODE) {
            return 1;
        }
        self.said.feed(bytes);
        let mut count = 0;
        while let Ok(Some(_)) = self.said.next(Kind::Request, u64::MAX) {
            count += 1;
        }
        count
    }

    pub(super) fn hear(&mut self, bytes: &[u8], now: Now) -> Heard {
        let mut heard = Heard::default();
        // Nobody forges anything before the authentication is over.
        let sifted = match self.core.is_open(NODE) {
            true => self.sift(bytes, &mut heard),
            false => Ok(bytes.to_vec()),
        };
        let rest = match sifted {
            Ok(rest) => rest,
            Err(violation) => {
                let text = format!("it broke the protocol: {violation}");
                heard.violations.push(text.into());
                heard.enough = true;
                return heard;
            }
        };
        if !rest.is_empty() {
            let breaches = self.listener.hear(Side::Node, &rest);
            let violations = breaches.into_iter().filter_map(Violation::of_node);
            heard.violations.extend(violations);
            self.core.received(NODE, &rest, now);
        }
        heard
    }

    /// Takes messages for forged requests out of what came. The rest is for the core.
    fn sift(&mut self, bytes: &[u8], heard: &mut Heard) -> Result<Vec<u8>, neo::Violation> {
        self.heard.feed(bytes);
        let mut rest = Vec::with_capacity(bytes.len());
        while let Some(body) = self.heard.next(Kind::Request, Limits::default().message)? {
            heard.messages += 1;
            let id = body
                .first_chunk::<ID_LEN>()
                .map_or(0, |id| u64::from_le_bytes(*id));
            // A node may send less than an id, too.
            let payload: Bytes = body.slice(body.len().min(ID_LEN)..);
            match RequestId::new(id) {
                Some(id) if id.get() < FORGED => write_request(&mut rest, id, &payload),
                // That the node invents requests is seen by whoever looks for this one.
                _ => heard.forged.push((id, payload)),
            }
        }
        Ok(rest)
    }

    pub(super) fn next_wish(&mut self, now: Now) -> Option<Wish> {
        while let Some(output) = self.core.next_output() {
            return Some(match output {
                Output::Connect(_) => Wish::Connect,
                Output::Close { reason, .. } => Wish::Close(fault(&reason)),
                Output::Connection(ConnectionEvent::Failed(_, reason)) => match fault(&reason) {
                    Some(why) => Wish::Fault(why),
                    None => continue,
                },
                Output::Connection(ConnectionEvent::RangeKnown(..)) => {
                    self.knows_range = true;
                    Wish::Ready
                }
                Output::Connection(ConnectionEvent::Connected(_)) if self.knows_range => {
                    Wish::Ready
                }
                Output::Request { id, told } => {
                    let came = self.requests.told(id, told);
                    if let Some((id, decision)) = came.decide {
                        self.core.decide(id, decision, now);
                    }
                    match came.happening {
                        Some(happening) => Wish::Happened(happening),
                        None => continue,
                    }
                }
                Output::Write(_) | Output::Connection(_) => continue,
            });
        }
        None
    }

    pub(super) fn start(&mut self, ticket: Ticket, asked: Asked, now: Now) -> Option<Happening> {
        let unknown = asked.undone(ticket, "neo does not know this");
        let ask = match asked {
            Asked::Operation(operation) => Ask::operation(operation),
            Asked::Update(channel, key) => Some(Ask::update(channel, key)),
            Asked::Stream(channel, stream) => Ask::stream(channel, &stream),
        };
        let Some(ask) = ask else {
            return Some(unknown);
        };
        match self.core.start(ask.request(), now) {
            Ok(id) => {
                self.requests.started(id, ticket, ask);
                None
            }
            Err(error) => Some(nothing(ticket, &error.to_string())),
        }
    }

    pub(super) fn decide(
        &mut self,
        ticket: Ticket,
        update: Ticket,
        decision: &Decision,
        now: Now,
    ) -> bool {
        let id = self.requests.deciding(update, ticket);
        if let Some(id) = id {
            self.core.decide(id, requests::decision(decision), now);
        }
        id.is_some()
    }

    pub(super) fn control(
        &mut self,
        stream: Ticket,
        control: Control,
        now: Now,
    ) -> Result<(), ControlError> {
        let id = self.requests.id(stream).ok_or(ControlError::Ended)?;
        self.core.control(id, control, now)
    }

    pub(super) fn forge(
        &mut self,
        ticket: Ticket,
        wrong: &Wrong,
        names: &Names,
        place: &Place,
    ) -> Result<(Probe, Vec<u8>), &'static str> {
        const NONE: &str = "it has no place in this";
        let (id, sentinel) = self.forged_ids();
        let deed = forgery::neo::deed(wrong, names, id).ok_or(NONE)?;
        let (code, _) = forgery::neo::opening(wrong.of.as_deref(), names).ok_or(NONE)?;
        let hearing = Hearing::neo(code, id, sentinel);
        let last = forgery::neo::sentinel(sentinel, &place.spare);
        Ok(Probe::begin(ticket, wrong.defect, deed, hearing, last))
    }

    /// Two ids that were not used: one for what is forged, one for what shows what comes of it.
    fn forged_ids(&mut self) -> (RequestId, RequestId) {
        let id = RequestId::new(self.next_forged).unwrap_or(RequestId::FIRST);
        self.next_forged += 2;
        (id, id.next())
    }

    pub(super) fn forged_before(&self, id: u64) -> bool {
        (FORGED..self.next_forged).contains(&id)
    }
}

/// Why the client gave up the connection, if the node is to blame.
fn fault(reason: &ConnectionError) -> Option<String> {
    use ConnectionError::{Flooding, Rejected, Violation, WrongVersion};
    matches!(
        reason,
        Violation(_) | Flooding | Rejected | WrongVersion { .. }
    )
    .then(|| reason.to_string())
}
