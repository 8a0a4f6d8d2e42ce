//! A client's step: its machine takes an event, and what it wants is carried out, as the client of the
//! crate `dht-client` does.

use bytes::Bytes;
use dht_protocol::neo::Violation;
use dht_protocol::neo::client::{Backlog, ClientRequest, Event, Told};
use dht_protocol::neo::registry::Registry;
use dht_protocol::neo::request::control::Control;
use dht_protocol::neo::request::gather::{Gathering, Notification};
use dht_protocol::neo::request::get_hash_range::{self, Learned};
use dht_protocol::neo::request::{Effect, stream, update};

use super::World;
use super::defects::stream::{closed_by_call, forgets_stop};
use super::defects::update::bend_decision;
use super::frame::{address, node_at};
use super::note::{From, Node, Note, Request};
use super::state::{Asked, Machine};
use crate::intern::Id;

/// What happens to a client's side of a request.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Input {
    Begin(Id<Registry>),
    NodeAdded(Node),
    Connected(Node),
    Disconnected(Node),
    Message(Node, Id<Bytes>),
    Control(Control),
    Pace(Backlog),
    Decide(u8),
    Abandon,
}

/// What comes of it.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) asked: Id<Asked>,
    pub(super) notes: Id<Vec<Note>>,
    pub(super) sends: Vec<(Node, Id<Bytes>)>,
    /// Connections that the client gives up.
    pub(super) closes: Vec<Node>,
    pub(super) learned: Vec<(Node, Learned)>,
}

/// What a half wants, whatever it is a half of.
enum Wanted {
    Send(Node, Bytes),
    Close(Node, Violation),
    Told(Box<Told>),
    Learned(Node, Learned),
}

impl World {
    /// Computes the step; `up` are the nodes that the client is connected to.
    pub(super) fn client_step(
        &self,
        request: Request,
        asked: &Asked,
        input: Input,
        up: &[bool],
    ) -> Step {
        let mut stepping = Stepping {
            world: self,
            request,
            up,
            notes: Vec::new(),
            sends: Vec::new(),
            closes: Vec::new(),
            learned: Vec::new(),
        };
        let before = asked;
        let asked = stepping.take(asked, input);
        let Stepping {
            notes,
            sends,
            closes,
            learned,
            ..
        } = stepping;
        let step = Step {
            asked: self.asked.id(asked),
            notes: self.notes.id(notes),
            sends,
            closes,
            learned,
        };
        let step = self.bend_client(request, before, input, step);
        match self.frame.rude == Some(self.frame.requests[request].client) {
            true => self.shorten(request, step),
            false => step,
        }
    }

    /// A rude client leaves out the last byte of what it says.
    fn shorten(&self, request: Request, mut step: Step) -> Step {
        let short = |payload: &Bytes| payload.slice(..payload.len().saturating_sub(1));
        for (_, message) in &mut step.sends {
            *message = self.messages.id(short(&self.payload(*message)));
        }
        let notes = self.notes.get(step.notes).iter().map(|note| match note {
            Note::ClientSent(_, node, payload) => Note::ClientSent(request, *node, short(payload)),
            note => note.clone(),
        });
        step.notes = self.notes.id(notes.collect());
        step
    }
}

struct Stepping<'a> {
    world: &'a World,
    request: Request,
    up: &'a [bool],
    notes: Vec<Note>,
    sends: Vec<(Node, Id<Bytes>)>,
    closes: Vec<Node>,
    learned: Vec<(Node, Learned)>,
}

impl Stepping<'_> {
    fn take(&mut self, asked: &Asked, input: Input) -> Asked {
        let (mut half, mut calls, mut deciding) = match (asked, input) {
            (Asked::Waiting, Input::Begin(registry)) => match self.begin(registry) {
                Some(half) => (half, 0, false),
                None => return Asked::Over,
            },
            (
                Asked::Active {
                    half,
                    calls,
                    deciding,
                },
                _,
            ) => (half.clone(), *calls, *deciding),
            (unchanged, _) => {
                // Nobody waits for the message any more.
                if let Input::Message(node, payload) = input {
                    let payload = self.world.payload(payload);
                    self.notes
                        .push(Note::Lost(self.request, node, From::Node, payload));
                    self.notes.push(Note::Ignored(self.request, node));
                }
                return unchanged.clone();
            }
        };
        let wanted = self.event(&mut half, input, &mut calls, &mut deciding);
        self.carry_out(&mut half, wanted, &mut deciding);
        if half.is_over() {
            self.notes.push(Note::Over(self.request));
            return Asked::Over;
        }
        Asked::Active {
            half,
            calls,
            deciding,
        }
    }

    fn begin(&mut self, registry: Id<Registry>) -> Option<Machine> {
        let asks = self.world.frame.requests[self.request].asks.clone();
        // No user starts a GetHashRange.
        let Some(asks) = asks else {
            return Some(Machine::Ranges(Gathering::new(get_hash_range::Client)));
        };
        self.notes.push(Note::Begun(self.request));
        let registry = self.world.registries.get(registry);
        let registry = self.world.bend_registry(&asks, registry);
        let mut effects = Vec::new();
        let started = ClientRequest::start(asks, &registry, &mut effects);
        let wanted = effects.into_iter().filter_map(wanted_by_request).collect();
        match started {
            Some(half) => {
                let mut half = Machine::Request(half);
                self.carry_out(&mut half, wanted, &mut false);
                if half.is_over() {
                    self.notes.push(Note::Over(self.request));
                    return None;
                }
                Some(half)
            }
            None => {
                self.tell(wanted);
                self.notes.push(Note::Over(self.request));
                None
            }
        }
    }

    /// Gives the machine its event, and returns what it wants.
    fn event(
        &mut self,
        half: &mut Machine,
        input: Input,
        calls: &mut u8,
        deciding: &mut bool,
    ) -> Vec<Wanted> {
        let payload;
        let event = match input {
            Input::Begin(_) => return Vec::new(),
            Input::NodeAdded(node) => Event::NodeAdded(address(node)),
            Input::Connected(node) => Event::Connected(address(node)),
            Input::Disconnected(node) => Event::Disconnected(address(node)),
            Input::Message(node, message) => {
                payload = self.world.payload(message);
                self.notes
                    .push(Note::ClientTook(self.request, node, payload.clone()));
                if half.has_ended_on(node) {
                    self.notes.push(Note::Ignored(self.request, node));
                }
                Event::Message(address(node), &payload)
            }
            Input::Control(control) => {
                *calls += 1;
                if forgets_stop(self.world.frame.defects, half, control) {
                    self.notes
                        .push(Note::Controlled(self.request, control, true));
                    return vec![Wanted::Told(Box::new(Told::GetAll(
                        stream::Notification::Stopped,
                    )))];
                }
                let Machine::Request(half) = half else {
                    return Vec::new();
                };
                let mut effects = Vec::new();
                let closed = closed_by_call(self.world.frame.defects, half);
                let accepted = half.control(control, &mut effects).is_ok();
                self.notes
                    .push(Note::Controlled(self.request, control, accepted));
                let wanted = effects.into_iter().filter_map(wanted_by_request);
                let violation = Violation::Unexpected {
                    request: half.code(),
                    message: "a call",
                    state: "before Started",
                };
                let close = |node| Wanted::Close(node, violation.clone());
                let closed = closed.into_iter().map(close);
                return wanted.chain(closed).collect();
            }
            Input::Pace(backlog) => {
                let Machine::Request(half) = half else {
                    return Vec::new();
                };
                let open = self.up.iter().enumerate().filter(|(_, up)| **up);
                let open = open.map(|(node, _)| address(node)).collect();
                let mut effects = Vec::new();
                half.pace(backlog, open, &mut effects);
                return effects.into_iter().filter_map(wanted_by_request).collect();
            }
            Input::Decide(which) => {
                *deciding = false;
                let decisions = &self.world.frame.requests[self.request].decisions;
                let (Machine::Request(half), Some(decision)) =
                    (half, decisions.get(usize::from(which)))
                else {
                    return Vec::new();
                };
                self.notes
                    .push(Note::Decided(self.request, decision.clone()));
                let mut effects = Vec::new();
                let decision = bend_decision(self.world.frame.defects, decision);
                half.decide(decision, &mut effects);
                return effects.into_iter().filter_map(wanted_by_request).collect();
            }
            Input::Abandon => {
                *deciding = false;
                self.notes.push(Note::Abandoned(self.request));
                Event::Abandoned
            }
        };
        half.handle(event)
    }

    /// Does what the machine wants. A message for a node that is not connected is answered with the loss
    /// of the connection, which may lead to more.
    fn carry_out(&mut self, half: &mut Machine, mut wanted: Vec<Wanted>, deciding: &mut bool) {
        while !wanted.is_empty() {
            let mut further = Vec::new();
            for want in wanted {
                let lost = match want {
                    Wanted::Send(node, payload) => {
                        if self.up[node] && !self.closes.contains(&node) {
                            let message = self.world.messages.id(payload.clone());
                            self.notes
                                .push(Note::ClientSent(self.request, node, payload));
                            self.sends.push((node, message));
                            continue;
                        }
                        node
                    }
                    Wanted::Close(node, violation) => {
                        self.notes.push(Note::Violated(
                            self.request,
                            node,
                            From::Client,
                            violation,
                        ));
                        if self.closes.contains(&node) {
                            continue;
                        }
                        self.closes.push(node);
                        node
                    }
                    told => {
                        *deciding |= matches!(
                            &told,
                            Wanted::Told(told) if matches!(**told, Told::Update(update::Notification::Received(_)))
                        );
                        self.tell(vec![told]);
                        continue;
                    }
                };
                further.extend(half.handle(Event::Disconnected(address(lost))));
            }
            wanted = further;
        }
    }

    fn tell(&mut self, wanted: Vec<Wanted>) {
        for want in wanted {
            match want {
                Wanted::Told(told) => self.notes.push(Note::Told(self.request, *told)),
                Wanted::Learned(asked, learned) => self.learned.push((asked, learned)),
                Wanted::Send(..) | Wanted::Close(..) => {}
            }
        }
    }
}

impl Machine {
    fn handle(&mut self, event: Event<'_>) -> Vec<Wanted> {
        match self {
            Self::Request(half) => {
                let mut effects = Vec::new();
                half.handle(event, &mut effects);
                effects.into_iter().filter_map(wanted_by_request).collect()
            }
            Self::Ranges(half) => {
                let mut effects = Vec::new();
                let mut asked = None;
                match event {
                    Event::NodeAdded(node) => half.add_node(node),
                    Event::Connected(node) => half.connected(node, &mut effects),
                    Event::Disconnected(node) => half.disconnected(node, &mut effects),
                    Event::Message(node, payload) => {
                        asked = node_at(node);
                        half.receive(node, payload, &mut effects);
                    }
                    Event::Abandoned => {}
                }
                let wanted = effects.into_iter();
                wanted
                    .filter_map(|effect| wanted_by_ranges(asked, effect))
                    .collect()
            }
        }
    }

    fn is_over(&self) -> bool {
        match self {
            Self::Request(half) => half.is_over(),
            Self::Ranges(_) => false,
        }
    }

    /// Is nothing awaited from this node any more?
    fn has_ended_on(&self, node: Node) -> bool {
        let phase = match self {
            Self::Request(half) => half.phase(address(node)),
            Self::Ranges(half) => half.phase(address(node)),
        };
        matches!(phase, "Ended" | "AwaitConnection" | "AwaitOther")
    }

    /// Does it run on all nodes?
    pub(super) fn runs_on_all_nodes(&self) -> bool {
        match self {
            Self::Request(half) => half.runs_on_all_nodes(),
            Self::Ranges(_) => true,
        }
    }
}

fn wanted_by_request(effect: Effect<Told>) -> Option<Wanted> {
    Some(match effect {
        Effect::Send { node, payload } => Wanted::Send(node_at(node)?, payload.into()),
        Effect::Close { node, violation } => Wanted::Close(node_at(node)?, violation),
        Effect::Notify(told) => Wanted::Told(Box::new(told)),
    })
}

fn wanted_by_ranges(asked: Option<Node>, effect: Effect<Notification<Learned>>) -> Option<Wanted> {
    Some(match effect {
        Effect::Send { node, payload } => Wanted::Send(node_at(node)?, payload.into()),
        Effect::Close { node, violation } => Wanted::Close(node_at(node)?, violation),
        Effect::Notify(Notification::Notice(learned)) => Wanted::Learned(asked?, learned),
        Effect::Notify(_) => return None,
    })
}
