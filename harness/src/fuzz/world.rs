//! A world over sockets in which anything can be said: on each connection a client speaks by the rules, in either
//! protocol, and what is forged goes out between its messages.
//!
//! What the node says to something forged is taken out of the stream before the client hears the rest. What it does
//! about something wrong is seen by a request sent behind it, and judged as soon as it is known.
//!
//! * `moving`: bytes. `minding`: what the clients want, and what becomes of connections.

mod minding;
mod moving;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use dht_client::ControlError;
use dht_model::{Decision, Operation};
use dht_protocol::neo::Now;
use dht_protocol::{ChannelName, Key};
use dht_workload::case::{Case, Fault, Protocol, Wrong};
use dht_workload::names::Names;
use dht_workload::world::{Control, Happening, Stream, Ticket, Violation, World};
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::time::{Instant, timeout};

use super::apart;
use super::forgery;
use super::line::Line;
use super::place::Place;
use super::speech::{Asked, nothing};
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
    /// The line of each connection of the case.
    connections: Vec<usize>,
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
    /// Without a connection.
    pub(super) fn new(place: Place, trace: Option<Arc<Trace>>) -> Self {
        Self {
            place,
            trace,
            lines: Vec::new(),
            connections: Vec::new(),
            happened: VecDeque::new(),
            updates: Vec::new(),
            streams: Vec::new(),
            apart: FuturesUnordered::new(),
            begun: Instant::now(),
            buffer: vec![0; READ],
            traffic: Traffic::default(),
        }
    }

    /// For a case with connections of these protocols, which are opened as soon as something is waited for: what is
    /// left of the last case goes, and connections that have nothing to do with it are used again.
    pub(super) fn renew(&mut self, protocols: &[Protocol]) {
        self.happened.clear();
        self.updates.clear();
        self.streams.clear();
        self.apart = FuturesUnordered::new();
        for at in 0..self.lines.len() {
            if !self.lines[at].is_clean() {
                let protocol = self.lines[at].speech.protocol();
                self.lines[at] = Line::new(protocol, &self.place, self.now());
                self.take_outputs(at);
            }
        }
        self.connections.clear();
        for protocol in protocols {
            let free = |at: &usize| {
                self.lines[*at].speech.protocol() == *protocol && !self.connections.contains(at)
            };
            let found = (0..self.lines.len()).find(free);
            let at = found.unwrap_or_else(|| {
                let line = Line::new(*protocol, &self.place, self.now());
                self.lines.push(line);
                self.take_outputs(self.lines.len() - 1);
                self.lines.len() - 1
            });
            self.connections.push(at);
        }
    }

    /// How much has passed since the last call.
    pub(super) fn take_traffic(&mut self) -> Traffic {
        std::mem::take(&mut self.traffic)
    }

    /// Removes what a case may have left, as far as that works. Nobody judges it.
    pub(super) async fn clean_up(&mut self, case: &Case, names: &Names) {
        // It can do all this at once.
        self.renew(&[Protocol::Neo]);
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
    }

    /// The line of a connection of the case.
    fn line_of(&self, connection: usize) -> Option<usize> {
        self.connections.get(connection).copied()
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
        self.start(connection, ticket, Asked::Operation(operation));
    }

    fn begin_update(&mut self, ticket: Ticket, connection: usize, channel: ChannelName, key: Key) {
        self.updates.push((ticket, connection));
        self.start(connection, ticket, Asked::Update(channel, key));
    }

    fn decide(&mut self, ticket: Ticket, update: Ticket, decision: Decision) {
        let now = self.now();
        let place = self.updates.iter().position(|(read, _)| *read == update);
        let found = place.map(|place| self.updates.swap_remove(place));
        let Some(at) = found.and_then(|(_, connection)| self.line_of(connection)) else {
            let none = nothing(ticket, "there is no such Update");
            return self.happened.push_back(none);
        };
        let speech = &mut self.lines[at].speech;
        let happening = speech.decide(ticket, update, &decision, now);
        self.happened.extend(happening);
        self.take_outputs(at);
    }

    fn open(&mut self, ticket: Ticket, connection: usize, channel: ChannelName, stream: Stream) {
        self.streams.push((ticket, connection));
        self.start(connection, ticket, Asked::Stream(channel, stream));
    }

    fn control(&mut self, stream: Ticket, control: Control) -> Result<(), ControlError> {
        let now = self.now();
        let found = self.streams.iter().find(|(ticket, _)| *ticket == stream);
        let connection = found.map(|(_, connection)| *connection);
        let at = connection.and_then(|connection| self.line_of(connection));
        let at = at.ok_or(ControlError::Ended)?;
        let done = self.lines[at].speech.control(stream, control, now);
        if done == Ok(true) {
            self.lines[at].excused = true;
            self.lost(at);
        }
        self.take_outputs(at);
        done.map(drop)
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
