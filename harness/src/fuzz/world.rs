//! A world over sockets in which anything can be said: each connection is a client's core that speaks by the
//! rules, and what is forged goes out between its messages.
//!
//! Forged requests have ids of their own, so that what the node says to them is taken out of the stream before
//! the core and the wire monitor hear the rest. What the node does about something wrong is seen by a request
//! sent behind it, and judged as soon as it is known.
//!
//! * `moving`: bytes. `minding`: what the cores want, and what becomes of connections.

mod minding;
mod moving;

use std::collections::VecDeque;
use std::net::SocketAddrV4;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use dht_client::ControlError;
use dht_model::{Decision, Operation};
use dht_protocol::neo::{NodeAddress, Now};
use dht_protocol::{ChannelName, Key};
use dht_workload::case::{Case, Fault, Wrong};
use dht_workload::names::Names;
use dht_workload::sim::requests::{self, Ask};
use dht_workload::world::{Control, Ending, Event, Happening, Stream, Ticket, Violation, World};
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::time::{Instant, timeout};

use super::apart;
use super::forgery;
use super::line::Line;
use super::place::Place;
use super::verdict::After;
use crate::trace::Trace;

/// How much is read at once, in bytes.
const READ: usize = 64 * 1024;
/// How many messages have passed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Traffic {
    /// To the node.
    pub(super) sent: u64,
    /// From the node.
    pub(super) received: u64,
    /// Connections that were opened.
    pub(super) connections: u64,
}

/// Connections to a node on which anything can be said.
pub(super) struct WireWorld {
    place: Place,
    trace: Option<Arc<Trace>>,
    lines: Vec<Line>,
    happened: VecDeque<Happening>,
    updates: Vec<(Ticket, usize)>,
    streams: Vec<(Ticket, usize)>,
    /// What is shown on connections of its own.
    apart: FuturesUnordered<BoxFuture<'static, (Ticket, Result<(), Violation>)>>,
    begun: Instant,
    buffer: Vec<u8>,
    traffic: Traffic,
}

impl WireWorld {
    /// So many connections, which are opened as soon as something is waited for.
    pub(super) fn new(place: Place, connections: usize, trace: Option<Arc<Trace>>) -> Self {
        let begun = Instant::now();
        let mut world = Self {
            place,
            trace,
            lines: Vec::new(),
            happened: VecDeque::new(),
            updates: Vec::new(),
            streams: Vec::new(),
            apart: FuturesUnordered::new(),
            begun,
            buffer: vec![0; READ],
            traffic: Traffic::default(),
        };
        for at in 0..connections {
            world.lines.push(Line::new(&world.place));
            world.register(at);
        }
        world
    }

    /// Another case: what is left of the last one goes, and connections that have nothing to do with it stay.
    pub(super) fn renew(&mut self) {
        self.happened.clear();
        self.updates.clear();
        self.streams.clear();
        self.apart = FuturesUnordered::new();
        for at in 0..self.lines.len() {
            if !self.lines[at].is_clean() {
                self.lines[at] = Line::new(&self.place);
                self.register(at);
            }
        }
    }

    /// How much has passed since the last call.
    pub(super) fn take_traffic(&mut self) -> Traffic {
        std::mem::take(&mut self.traffic)
    }

    /// Removes what a case may have left, as far as that works. Nobody judges it.
    pub(super) async fn clean_up(&mut self, case: &Case, names: &Names) {
        self.renew();
        let mut tickets = 0;
        let mut channels: Vec<&str> = Vec::new();
        let mut records = Vec::new();
        for (_, placed) in case.steps() {
            let Some(channel) = placed.step.channel() else {
                continue;
            };
            if !channels.contains(&channel) {
                channels.push(channel);
            }
            if let Some(key) = placed.step.key()
                && !records.contains(&(channel, key))
            {
                records.push((channel, key));
            }
        }
        let mut ask = |world: &mut Self, operation| {
            tickets += 1;
            world.begin(Ticket(u64::MAX - tickets), 0, operation);
        };
        match names.permitted {
            true => channels.iter().for_each(|channel| {
                let channel = names.channel(channel);
                let permitted = true;
                ask(self, Operation::RemoveChannel { channel, permitted });
            }),
            false => records.iter().for_each(|(channel, key)| {
                let (channel, key) = (names.channel(channel), names.key(*key));
                let remove = dht_model::Action::Remove;
                ask(self, Operation::record(channel, key, remove));
            }),
        }
        while tickets > 0 {
            match self.next().await {
                Happening::Ended(..) => tickets -= 1,
                Happening::Told(..) => {}
                Happening::Violation(_) | Happening::Gone(_) | Happening::Silence => break,
            }
        }
        self.renew();
    }

    fn register(&mut self, at: usize) {
        let now = self.now();
        self.lines[at].core.add_node(NODE, now);
        self.take_outputs(at);
    }

    fn now(&self) -> Now {
        let unix = SystemTime::now().duration_since(UNIX_EPOCH);
        Now {
            unix: unix.unwrap_or_default().as_secs(),
            elapsed: self.begun.elapsed(),
        }
    }

    /// Nothing has come for as long as anybody waits.
    fn silence(&mut self) -> Option<Happening> {
        for at in 0..self.lines.len() {
            let probes = std::mem::take(&mut self.lines[at].probes);
            if !probes.is_empty() {
                self.lines[at].excused = true;
                for probe in probes {
                    self.decided(at, probe, After::Stuck);
                }
                // Whatever it waits for, it will not come.
                self.lost(at);
            }
        }
        // What is done on connections of its own has limits of its own.
        (self.happened.is_empty() && self.apart.is_empty()).then_some(Happening::Silence)
    }
}

impl World for WireWorld {
    fn begin(&mut self, ticket: Ticket, connection: usize, operation: Operation) {
        match Ask::operation(operation) {
            Some(ask) => self.start(connection, ticket, ask),
            None => {
                let none = Ending::Nothing("no client can ask for that".to_owned());
                self.happened.push_back(Happening::Ended(ticket, none));
            }
        }
    }

    fn begin_update(&mut self, ticket: Ticket, connection: usize, channel: ChannelName, key: Key) {
        self.updates.push((ticket, connection));
        self.start(connection, ticket, Ask::update(channel, key));
    }

    fn decide(&mut self, ticket: Ticket, update: Ticket, decision: Decision) {
        let now = self.now();
        let place = self.updates.iter().position(|(read, _)| *read == update);
        let found = place.map(|place| self.updates.swap_remove(place));
        let line = found.and_then(|(_, at)| Some((at, self.lines.get_mut(at)?)));
        let Some((at, line)) = line else {
            let none = Ending::Nothing("there is no such Update".to_owned());
            return self.happened.push_back(Happening::Ended(ticket, none));
        };
        match line.requests.deciding(update, ticket) {
            Some(id) => line.core.decide(id, requests::decision(&decision), now),
            None => {
                // It has ended meanwhile: its connection broke.
                let lost = Ending::Nothing("the Update was over".to_owned());
                self.happened.push_back(Happening::Ended(ticket, lost));
            }
        }
        self.take_outputs(at);
    }

    fn open(&mut self, ticket: Ticket, connection: usize, channel: ChannelName, stream: Stream) {
        self.streams.push((ticket, connection));
        match Ask::stream(channel, &stream) {
            Some(ask) => self.start(connection, ticket, ask),
            None => {
                let failed = Event::Failed("neo does not know this".to_owned());
                self.happened.push_back(Happening::Told(ticket, failed));
            }
        }
    }

    fn control(&mut self, stream: Ticket, control: Control) -> Result<(), ControlError> {
        let now = self.now();
        let found = self.streams.iter().find(|(ticket, _)| *ticket == stream);
        let at = found.map(|(_, at)| *at).ok_or(ControlError::Ended)?;
        let line = self.lines.get_mut(at).ok_or(ControlError::Ended)?;
        let id = line.requests.id(stream).ok_or(ControlError::Ended)?;
        let done = line.core.control(id, control, now);
        self.take_outputs(at);
        done
    }

    fn fault(&mut self, _: &Fault) -> bool {
        false
    }

    fn misbehave(
        &mut self,
        ticket: Ticket,
        connection: usize,
        wrong: &Wrong,
        names: &Names,
    ) -> bool {
        if !forgery::is_apart(wrong.defect) {
            self.say_wrongly(connection, ticket, wrong.clone(), names);
            return true;
        }
        let (place, defect, variant) = (self.place.clone(), wrong.defect, wrong.variant);
        let trace = self.trace.clone().unwrap_or_default();
        self.apart.push(Box::pin(async move {
            (ticket, apart::commit(place, defect, variant, trace).await)
        }));
        true
    }

    async fn next(&mut self) -> Happening {
        loop {
            if let Some(happening) = self.happened.pop_front() {
                return happening;
            }
            let patience = self.place.patience;
            let something = std::future::poll_fn(|cx| self.poll(cx));
            if timeout(patience, something).await.is_err()
                && let Some(silence) = self.silence()
            {
                return silence;
            }
        }
    }
}

/// What the cores call the node.
pub(super) const NODE: NodeAddress = SocketAddrV4::new(std::net::Ipv4Addr::LOCALHOST, 10_100);
