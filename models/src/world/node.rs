//! A node's step: its machine takes a message, sends one, or is told of a change, as the node's
//! connection ([`NodeConnection`](dht_protocol::neo::NodeConnection)) has it do.

use bytes::Bytes;
use dht_protocol::neo::Violation;
use dht_protocol::neo::node::NodeRequest;
use dht_protocol::neo::request::get_hash_range::Update;
use dht_protocol::neo::request::mirror::Change;
use dht_protocol::neo::request::{ChannelId, Command, Opening, Progress};

use super::World;
use super::note::{From, Node, Note, Request};
use super::state::Served;
use super::store::{Store, StoreHost, Written};
use crate::intern::Id;

/// What happens to a node's side of a request.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Input {
    Message(Id<Bytes>),
    Turn,
    Tick,
    Changed(ChannelId, Change),
    ChannelRemoved(ChannelId),
    Ranged(Update),
}

/// What comes of it.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) served: Id<Served>,
    pub(super) store: Id<Store>,
    pub(super) notes: Id<Vec<Note>>,
    pub(super) sends: Vec<Id<Bytes>>,
    pub(super) written: Vec<Written>,
    /// Did the client break the protocol, so that the node closes the connection?
    pub(super) violated: bool,
}

impl World {
    /// Computes the step.
    pub(super) fn node_step(
        &self,
        (request, node): (Request, Node),
        served: &Served,
        input: Input,
        store: &Store,
    ) -> Step {
        let mut store = store.clone();
        let admin = self.frame.clients[self.frame.requests[request].client].admin;
        let host = StoreHost::new(&mut store, admin, self.frame.defects);
        let mut stepping = Stepping {
            world: self,
            at: (request, node),
            served: served.clone(),
            host,
            notes: Vec::new(),
            sends: Vec::new(),
        };
        let result = stepping.take(input);
        let Stepping {
            served,
            host,
            mut notes,
            sends,
            ..
        } = stepping;
        let written = host.finish();
        let violated = result.is_err();
        if let Err(violation) = result {
            notes.push(Note::Violated(request, node, From::Node, violation));
        }
        Step {
            served: self.served.id(served),
            store: self.stores.id(store),
            notes: self.notes.id(notes),
            sends,
            written,
            violated,
        }
    }
}

struct Stepping<'a> {
    world: &'a World,
    at: (Request, Node),
    served: Served,
    host: StoreHost<'a>,
    notes: Vec<Note>,
    sends: Vec<Id<Bytes>>,
}

impl Stepping<'_> {
    fn take(&mut self, input: Input) -> Result<(), Violation> {
        match input {
            Input::Message(message) => {
                let payload = self.world.payload(message);
                let (request, node) = self.at;
                self.notes
                    .push(Note::NodeTook(request, node, payload.clone()));
                match &mut self.served.half {
                    Some(half) => half.receive(&payload, &mut self.host)?,
                    None => self.open(&payload)?,
                }
                self.end_if_over();
            }
            Input::Turn => self.turn(),
            Input::Tick => {
                if let Some(NodeRequest::Mirror(mirror)) = &mut self.served.half {
                    mirror.tick();
                }
            }
            Input::Changed(channel, change) => {
                if let Some(NodeRequest::Mirror(mirror)) = &mut self.served.half
                    && mirror.channel() == Some(channel)
                {
                    mirror.changed(change);
                }
            }
            Input::ChannelRemoved(channel) => {
                if let Some(NodeRequest::Mirror(mirror)) = &mut self.served.half
                    && mirror.channel() == Some(channel)
                {
                    mirror.channel_removed();
                }
            }
            Input::Ranged(update) => {
                if let Some(NodeRequest::GetHashRange(half)) = &mut self.served.half {
                    half.updated(update);
                }
            }
        }
        Ok(())
    }

    /// The first message of a request.
    fn open(&mut self, payload: &[u8]) -> Result<(), Violation> {
        let (command, fields) = Command::decode(payload).map_err(|_| Violation::NoCommand {
            id: self.at.0 as u64 + 1,
            len: payload.len(),
        })?;
        self.send(Bytes::copy_from_slice(&command.status().encode()));
        let Ok(request) = command.request() else {
            return Ok(());
        };
        let opening = Opening {
            fields,
            client: &self.world.client_name,
            limits: &self.world.frame.limits,
        };
        self.served.half = Some(NodeRequest::open(request, opening, &mut self.host)?);
        Ok(())
    }

    /// The request may send a message.
    fn turn(&mut self) {
        let Some(half) = &mut self.served.half else {
            return;
        };
        let mut out = Vec::new();
        match half.poll(&mut self.host, &mut out) {
            Progress::Sent => {
                self.send(out.into());
                self.end_if_over();
            }
            Progress::Ended => self.end(),
            Progress::Yielded | Progress::Idle => {}
        }
    }

    fn send(&mut self, payload: Bytes) {
        let (request, node) = self.at;
        self.sends.push(self.world.messages.id(payload.clone()));
        self.notes.push(Note::NodeSent(request, node, payload));
    }

    fn end_if_over(&mut self) {
        if self.served.half.as_ref().is_some_and(NodeRequest::is_over) {
            self.end();
        }
    }

    fn end(&mut self) {
        self.served = Served::default();
        let (request, node) = self.at;
        self.notes.push(Note::NodeEnded(request, node));
    }
}
