//! A node's step: its machine takes a message, sends one, or is told of a change, as the node's
//! connection ([`NodeConnection`](dht_protocol::neo::NodeConnection)) has it do.

use bytes::Bytes;
use dht_protocol::neo::Violation;
use dht_protocol::neo::node::NodeRequest;
use dht_protocol::neo::request::get_hash_range::Update;
use dht_protocol::neo::request::mirror::Change;
use dht_protocol::neo::request::{ChannelId, Command, Host, Opening, Progress, RequestCode};

use super::World;
use super::defects::mirror::{Twist, is_lame, limits, misses_removal, twist};
use super::defects::request::bend_opening;
use super::defects::stream::{Hearing, bend_fields};
use super::defects::update::{bend_second, is_untold, write_late, written_all_the_same};
use super::note::{From, Node, Note, Request};
use super::state::{Lame, Served};
use super::store::{Store, StoreHost, Written};
use crate::defect::Defect;
use crate::intern::Id;
use crate::property::control::is_suspended;

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
        before: &Served,
        input: Input,
        store: &Store,
    ) -> Step {
        let mut store = store.clone();
        let admin = self.frame.clients[self.frame.requests[request].client].admin;
        let host = StoreHost::new(&mut store, admin, self.frame.defects);
        let mut stepping = Stepping {
            world: self,
            at: (request, node),
            served: before.clone(),
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
        let (before, after) = (before.half.as_ref(), served.half.as_ref());
        if is_suspended(before) != is_suspended(after) {
            notes.push(Note::Suspended(request, node, is_suspended(after)));
        }
        let written = host.finish();
        let violated = result.is_err();
        if let Err(violation) = result {
            notes.push(Note::Violated(request, node, From::Node, violation));
        }
        let step = Step {
            served: self.served.id(served),
            store: self.stores.id(store),
            notes: self.notes.id(notes),
            sends,
            written,
            violated,
        };
        self.bend_node(request, step)
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
                let defects = self.world.frame.defects;
                if bend_second(defects, &mut self.served, message, &payload, &mut self.host) {
                    if self.served.half.is_none() {
                        self.end();
                    }
                    return Ok(());
                }
                let half = self.served.half.as_ref();
                let conflicting = written_all_the_same(defects, half, &payload, &self.host);
                match (
                    &mut self.served.half,
                    Hearing::of(self.world.frame.defects, &payload),
                ) {
                    (Some(half), Hearing::Clear) => half.receive(&payload, &mut self.host)?,
                    (Some(_), Hearing::Overlooked) => {}
                    (Some(_), Hearing::Fatal) => self.end(),
                    (None, _) => self.open(&payload)?,
                }
                if let Some((record, value)) = conflicting {
                    let channel = self.host.open_channel(&record.channel);
                    // A store of a model never fails.
                    let _ = channel.and_then(|channel| self.host.put(channel, record.key, &value));
                }
                self.end_if_over();
            }
            Input::Turn => self.turn(),
            Input::Tick => self.tick(),
            Input::Changed(channel, change) => {
                self.changed(channel, change);
            }
            Input::ChannelRemoved(channel) => {
                if let Some(NodeRequest::Mirror(mirror)) = &mut self.served.half
                    && mirror.channel() == Some(channel)
                    && !misses_removal(self.world.frame.defects, mirror)
                {
                    mirror.channel_removed();
                }
            }
            Input::Ranged(update) => {
                if let Some(NodeRequest::GetHashRange(half)) = &mut self.served.half
                    && !is_untold(self.world.frame.defects, &update)
                {
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
        let fields = &bend_fields(self.world.frame.defects, request, fields);
        let opening = Opening {
            fields,
            client: &self.world.client_name,
            limits: &limits(self.world.frame.defects, &self.world.frame.limits),
        };
        let defects = self.world.frame.defects;
        bend_opening(defects, request, fields, &mut self.host);
        let half = NodeRequest::open(request, opening, &mut self.host)?;
        let may = self.host.may_remove_channels(&self.world.client_name);
        // The defect: the request ends here without a word.
        let silent = request == RequestCode::RemoveChannel && !may && defects.has(Defect::F01);
        self.served.half = (!silent).then_some(half);
        Ok(())
    }

    /// A Mirror's period is over.
    fn tick(&mut self) {
        let (served, defects) = (&mut self.served, self.world.frame.defects);
        if let Some(NodeRequest::Mirror(mirror)) = &mut served.half
            && !is_lame(defects, mirror, &mut served.lame, Lame::Dump)
        {
            mirror.tick();
        }
    }

    /// A record was written or removed, which a Mirror may follow.
    fn changed(&mut self, channel: ChannelId, change: Change) {
        let (served, defects) = (&mut self.served, self.world.frame.defects);
        if let Some(NodeRequest::Mirror(mirror)) = &mut served.half
            && mirror.channel() == Some(channel)
            && !is_lame(defects, mirror, &mut served.lame, Lame::Updates)
        {
            let before = mirror.updates_waiting();
            mirror.changed(change);
            let after = mirror.updates_waiting();
            let (request, node) = self.at;
            let (Change::Changed(key) | Change::Deleted(key)) = change;
            self.notes.push(match before < after {
                true => Note::Queued(request, node, after),
                false => Note::Missed(request, node, key),
            });
        }
    }

    /// The request may send a message.
    fn turn(&mut self) {
        if self.world.frame.defects.has(Defect::M40)
            && let Some(held) = self.served.held.take()
        {
            let payload = self.world.payload(held);
            write_late(&mut self.served, &payload, &mut self.host);
            return;
        }
        let Some(half) = &mut self.served.half else {
            return;
        };
        let mut out = Vec::new();
        match half.poll(&mut self.host, &mut out) {
            Progress::Sent => {
                match twist(self.world.frame.defects, half, &out) {
                    Twist::None => self.send(out.into()),
                    Twist::Unsaid => {}
                    Twist::Late => {
                        self.turn();
                        self.send(out.into());
                    }
                    Twist::And(further) => {
                        self.send(out.into());
                        self.send(further);
                    }
                }
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
