//! A world in this process: the client's core and the node, and no socket between them.
//!
//! A schedule decides what happens next: which connection's bytes go on, how many of them, and which
//! connection the node looks at. The schedule is a function of a seed, so that a run is one of the case
//! and the seed: the same twice. It does a hundred thousand operations a second and more, and reaches
//! interleavings that hardly ever happen on a network.
//!
//! * `legacy`: a client that speaks the legacy protocol.
//! * `link`: a connection, with what goes wrong on it.
//! * `requests`: what clients have under way, and what they are told in the words of a world.

pub mod legacy;
mod link;
pub mod requests;

use std::collections::VecDeque;
use std::time::Duration;

use dht_client::core::{ConnectionEvent, Output};
use dht_client::{ConnectionError, ControlError};
use dht_model::{Decision, Operation};
use dht_protocol::neo::dissect::Side;
use dht_protocol::neo::{Credential, Limits, Now};
use dht_protocol::{ChannelName, Key};
use fakedht::{MemoryStorage, Node, NodeConfig};

use crate::case::{Fault, Protocol};
use crate::legacy::UNKNOWN;
use crate::rng::Rng;
use crate::world::{Control, Ending, Event, Happening, Stream, Ticket, Violation, World};
use link::{Link, NODE};
use requests::Ask;

/// So much may be done without anything happening that anybody waits for; a node that always has
/// something to do is as silent as one that has nothing.
const MOVES_IN_SILENCE: u32 = 1_000_000;
/// How often a client connects again without getting anywhere.
const ATTEMPTS: u32 = 8;

/// A node and its clients in this process.
#[derive(Debug)]
pub struct SimWorld {
    node: Node<MemoryStorage>,
    links: Vec<Link>,
    rng: Rng,
    now: Now,
    happenings: VecDeque<Happening>,
    /// Which link's client an Update that was read belongs to.
    updates: Vec<(Ticket, usize)>,
    streams: Vec<(Ticket, usize)>,
    /// Room for what can be done next.
    moves: Vec<Move>,
}

impl SimWorld {
    /// A node, and clients that are connected to it: one for each of these, which speaks that.
    pub fn new(
        config: NodeConfig,
        credential: &Credential,
        protocols: &[Protocol],
        seed: u64,
    ) -> Self {
        let mut world = Self {
            node: Node::new(config, MemoryStorage::new()),
            links: Vec::new(),
            rng: Rng::new(seed),
            now: Now {
                unix: 1_700_000_000,
                elapsed: Duration::ZERO,
            },
            happenings: VecDeque::new(),
            updates: Vec::new(),
            streams: Vec::new(),
            moves: Vec::new(),
        };
        for protocol in protocols {
            let link = Link::new(credential.clone(), Limits::default(), *protocol);
            world.links.push(link);
        }
        for link in 0..protocols.len() {
            if world.links[link].legacy.is_none() {
                world.links[link].core.add_node(NODE, world.now);
                world.take_outputs(link);
            }
        }
        world
    }

    /// Does something, if there is anything to do.
    fn advance(&mut self) -> bool {
        // Taken for the moment, because it is looked at whole.
        let mut moves = std::mem::take(&mut self.moves);
        moves.clear();
        self.possible(true, &mut moves);
        if moves.is_empty() {
            // Nothing else happens, so what is held back goes on.
            self.possible(false, &mut moves);
        }
        let chosen = match moves.len() {
            0 => None,
            1 => Some(moves[0]),
            many => Some(moves[self.rng.below(many)]),
        };
        self.moves = moves;
        match chosen {
            Some(chosen) => {
                self.make(chosen);
                true
            }
            None => self.tick(),
        }
    }

    /// What can be done; with `holding`, what is not held back by a fault.
    fn possible(&self, holding: bool, moves: &mut Vec<Move>) {
        for (at, link) in self.links.iter().enumerate() {
            let Some(id) = link.connection else {
                if link.wants_connection {
                    moves.push(Move::Connect(at));
                }
                continue;
            };
            if link.output_len() > 0
                && self.node.wants_input(id)
                && !(holding && link.holds_to_node())
            {
                moves.push(Move::ToNode(at));
            }
            if link.dirty {
                moves.push(Move::Process(at));
            }
            if link.has_answers && !(holding && link.holds_to_client()) {
                moves.push(Move::ToClient(at));
            }
        }
    }

    fn make(&mut self, chosen: Move) {
        match chosen {
            Move::Connect(at) => self.connect(at),
            Move::ToNode(at) => self.pass_to_node(at),
            Move::Process(at) => self.process(at),
            Move::ToClient(at) => self.pass_to_client(at),
        }
    }

    fn connect(&mut self, at: usize) {
        let nonce = (self.rng.number() as u32).to_le_bytes();
        let link = &mut self.links[at];
        link.attempts += 1;
        if self.node.has_crashed() || link.attempts > ATTEMPTS {
            link.wants_connection = false;
            let why = match self.node.has_crashed() {
                true => "the node's process has ended",
                false => "the node closes every connection",
            };
            self.happenings.push_back(Happening::Gone(why.to_owned()));
            return;
        }
        let id = match link.legacy {
            Some(_) => self.node.accept_legacy(),
            None => self.node.accept(nonce),
        };
        link.connect(id, self.now);
        self.take_outputs(at);
    }

    fn pass_to_node(&mut self, at: usize) {
        let link = &mut self.links[at];
        let Some(id) = link.connection else { return };
        let waiting = link.output_len();
        let wanted = link.piece(waiting, &mut self.rng);
        let (bytes, cut) = link.take_to_node(wanted);
        let messages = link.messages_passed();
        self.listen(at, Side::Client, &bytes);
        self.node.feed(id, &bytes);
        self.links[at].dirty = true;
        self.passed(at, messages);
        if cut {
            // What came before the end is still read.
            self.process(at);
            self.cut(at);
        }
    }

    fn process(&mut self, at: usize) {
        let Some(id) = self.links[at].connection else {
            return;
        };
        let result = self.node.process(id, self.now);
        let waits = self
            .node
            .output(id)
            .is_some_and(|output| !output.is_empty());
        let link = &mut self.links[at];
        link.has_answers = waits;
        match result {
            Ok(more) => link.dirty = more,
            // The client sees what was sent, and then the end.
            Err(_) => {
                link.dirty = false;
                link.closing = true;
                if !waits {
                    self.close(at);
                }
            }
        }
        self.wake();
    }

    fn pass_to_client(&mut self, at: usize) {
        let link = &mut self.links[at];
        let Some(id) = link.connection else { return };
        let Some(output) = self.node.output(id) else {
            return;
        };
        let wanted = link.piece(output.len(), &mut self.rng);
        let (bytes, cut) = link.take_to_client(output, wanted);
        link.has_answers = !output.is_empty();
        // There is room now for what the node could not send before.
        link.dirty |= !link.closing;
        let closing = link.closing && !link.has_answers;
        let messages = link.messages_passed();
        self.listen(at, Side::Node, &bytes);
        let link = &mut self.links[at];
        let enough = match &mut link.legacy {
            Some(client) => {
                link.attempts = 0;
                client.received(&bytes)
            }
            None => {
                link.core.received(NODE, &bytes, self.now);
                false
            }
        };
        self.passed(at, messages);
        self.take_outputs(at);
        if cut || enough {
            self.cut(at);
        } else if closing {
            self.close(at);
        }
    }

    /// Bytes pass at a client's end.
    fn listen(&mut self, at: usize, from: Side, bytes: &[u8]) {
        if self.links[at].legacy.is_some() {
            return;
        }
        let breaches = self.links[at].listener.hear(from, bytes);
        let violations = breaches.into_iter().filter_map(Violation::of_node);
        self.happenings.extend(violations.map(Happening::Violation));
    }

    /// Connections to which something was told from elsewhere, or which the node has closed itself.
    fn wake(&mut self) {
        while let Some(id) = self.node.pop_woken() {
            if let Some(link) = self
                .links
                .iter_mut()
                .find(|link| link.connection == Some(id))
            {
                link.dirty = true;
            }
        }
        for at in 0..self.links.len() {
            let Some(id) = self.links[at].connection else {
                continue;
            };
            // A node with bugs closes connections by itself.
            if self.node.output(id).is_none() {
                self.close(at);
            }
        }
    }

    /// Messages have passed on one link: others that wait for that come nearer to their end.
    fn passed(&mut self, at: usize, messages: u32) {
        if messages == 0 {
            return;
        }
        let others = self.links.iter_mut().enumerate();
        others
            .filter(|(other, _)| *other != at)
            .for_each(|(_, link)| link.others_passed(messages));
    }

    /// The connection breaks; the client connects again.
    fn cut(&mut self, at: usize) {
        self.lose(at, ConnectionError::Closed);
    }

    /// The node has closed the connection.
    fn close(&mut self, at: usize) {
        if let Some(client) = &mut self.links[at].legacy {
            client.closed_by_node();
        }
        self.lose(at, ConnectionError::Closed);
    }

    fn lose(&mut self, at: usize, reason: ConnectionError) {
        let link = &mut self.links[at];
        if let Some(id) = link.connection.take() {
            self.node.close(id);
        }
        link.disconnected(reason, self.now);
        self.take_outputs(at);
        self.wake();
    }

    /// Nothing can be done before a timer of the node is due.
    fn tick(&mut self) -> bool {
        let connections = self.links.iter().filter_map(|link| link.connection);
        let ticks = connections.filter_map(|id| self.node.next_tick(id));
        let Some(next) = ticks.filter(|tick| *tick > self.now.elapsed).min() else {
            return false;
        };
        self.now.elapsed = next;
        for link in &mut self.links {
            link.dirty |= link.connection.is_some();
        }
        true
    }

    /// Does what a client's core wants.
    fn take_outputs(&mut self, at: usize) {
        if let Some(client) = &mut self.links[at].legacy {
            self.happenings
                .extend(std::iter::from_fn(|| client.next_happening()));
            return;
        }
        while let Some(output) = self.links[at].core.next_output() {
            match output {
                Output::Connect(_) => self.links[at].wants_connection = true,
                Output::Write(_) => {}
                Output::Close { reason, .. } => {
                    if let Some(why) = violation(&reason) {
                        self.happenings.push_back(Happening::Violation(why.into()));
                    }
                    if let Some(id) = self.links[at].connection.take() {
                        self.node.close(id);
                    }
                    self.links[at].reset();
                    self.wake();
                }
                Output::Connection(ConnectionEvent::Failed(_, reason)) => {
                    if let Some(why) = violation(&reason) {
                        self.happenings.push_back(Happening::Violation(why.into()));
                    }
                }
                Output::Connection(ConnectionEvent::RangeKnown(..)) => {
                    self.links[at].knows_range = true;
                    self.ready(at);
                }
                // The range is told once; a client remembers it over connections.
                Output::Connection(ConnectionEvent::Connected(_)) => {
                    if self.links[at].knows_range {
                        self.ready(at);
                    }
                }
                Output::Connection(_) => {}
                Output::Request { id, told } => {
                    let link = &mut self.links[at];
                    let ended = link.requests.told(id, told);
                    if let Some((id, decision)) = ended.decide {
                        link.core.decide(id, decision, self.now);
                    }
                    self.happenings.extend(ended.happening);
                }
            }
        }
    }

    /// The connection is up: starts what has waited for that.
    fn ready(&mut self, at: usize) {
        self.links[at].attempts = 0;
        self.links[at].ready = true;
        for (ticket, ask) in std::mem::take(&mut self.links[at].waiting) {
            self.start(at, ticket, ask);
        }
    }

    /// The client of this connection, if it speaks legacy.
    fn legacy(&mut self, connection: usize) -> Option<&mut legacy::Client> {
        self.links.get_mut(connection)?.legacy.as_mut()
    }

    fn start(&mut self, at: usize, ticket: Ticket, ask: Ask) {
        let Some(link) = self.links.get_mut(at) else {
            let none = Ending::Nothing("there is no such connection".to_owned());
            return self.happenings.push_back(Happening::Ended(ticket, none));
        };
        if !link.ready {
            link.waiting.push((ticket, ask));
            return;
        }
        let request = ask.request();
        match link.core.start(request, self.now) {
            // What it tells at once comes with the outputs.
            Ok(id) => link.requests.started(id, ticket, ask),
            Err(error) => {
                let nothing = Ending::Nothing(error.to_string());
                self.happenings.push_back(Happening::Ended(ticket, nothing));
            }
        }
        self.take_outputs(at);
    }
}

impl World for SimWorld {
    fn begin(&mut self, ticket: Ticket, connection: usize, operation: Operation) {
        if let Some(client) = self.legacy(connection) {
            client.begin(ticket, operation);
            return self.take_outputs(connection);
        }
        match Ask::operation(operation) {
            Some(ask) => self.start(connection, ticket, ask),
            None => {
                let none = Ending::Nothing("no client can ask for that".to_owned());
                self.happenings.push_back(Happening::Ended(ticket, none));
            }
        }
    }

    fn begin_update(&mut self, ticket: Ticket, connection: usize, channel: ChannelName, key: Key) {
        if self.legacy(connection).is_some() {
            let none = Ending::Nothing(UNKNOWN.to_owned());
            return self.happenings.push_back(Happening::Ended(ticket, none));
        }
        self.updates.push((ticket, connection));
        self.start(connection, ticket, Ask::update(channel, key));
    }

    fn decide(&mut self, ticket: Ticket, update: Ticket, decision: Decision) {
        let place = self.updates.iter().position(|(read, _)| *read == update);
        let found = place.map(|place| self.updates.swap_remove(place));
        let Some((_, at)) = found else {
            let none = Ending::Nothing("there is no such Update".to_owned());
            return self.happenings.push_back(Happening::Ended(ticket, none));
        };
        let link = &mut self.links[at];
        match link.requests.deciding(update, ticket) {
            Some(id) => link
                .core
                .decide(id, requests::decision(&decision), self.now),
            None => {
                // It has ended meanwhile: its connection broke.
                let lost = Ending::Nothing("the Update was over".to_owned());
                self.happenings.push_back(Happening::Ended(ticket, lost));
            }
        }
        self.take_outputs(at);
    }

    fn open(&mut self, ticket: Ticket, connection: usize, channel: ChannelName, stream: Stream) {
        self.streams.push((ticket, connection));
        match (
            self.legacy(connection),
            Ask::stream(channel.clone(), &stream),
        ) {
            (Some(client), None) => {
                client.listen(ticket, channel);
                self.take_outputs(connection);
            }
            (None, Some(ask)) => self.start(connection, ticket, ask),
            _ => self
                .happenings
                .push_back(Happening::Told(ticket, unknown())),
        }
    }

    fn control(&mut self, stream: Ticket, control: Control) -> Result<(), ControlError> {
        let found = self.streams.iter().find(|(ticket, _)| *ticket == stream);
        let at = found.map(|(_, at)| *at).ok_or(ControlError::Ended)?;
        let link = self.links.get_mut(at).ok_or(ControlError::Ended)?;
        if let Some(client) = &mut link.legacy {
            // Whoever listens can only hang up.
            if control != Control::Stop || !client.stop(stream) {
                return Err(ControlError::Ended);
            }
            self.cut(at);
            return Ok(());
        }
        let id = link.requests.id(stream).ok_or(ControlError::Ended)?;
        let done = link.core.control(id, control, self.now);
        self.take_outputs(at);
        done
    }

    fn fault(&mut self, fault: &Fault) -> bool {
        let connection = match fault {
            Fault::Cut { connection, .. }
            | Fault::Split { connection, .. }
            | Fault::Coalesce { connection, .. }
            | Fault::Stall { connection, .. } => *connection,
            Fault::Halt { .. } | Fault::Kill {} => return false,
        };
        let Some(link) = self.links.get_mut(connection) else {
            return false;
        };
        if link.fault(fault) {
            self.cut(connection);
        }
        true
    }

    async fn next(&mut self) -> Happening {
        for _ in 0..MOVES_IN_SILENCE {
            if let Some(happening) = self.happenings.pop_front() {
                return happening;
            }
            if self.node.has_crashed() {
                return Happening::Gone("the node's process has ended".to_owned());
            }
            if !self.advance() {
                break;
            }
        }
        self.happenings.pop_front().unwrap_or(Happening::Silence)
    }
}

/// A stream of the other protocol.
fn unknown() -> Event {
    Event::Failed("the protocol does not know this".to_owned())
}

/// Something that can be done next, on a link.
#[derive(Clone, Copy, Debug)]
enum Move {
    Connect(usize),
    ToNode(usize),
    Process(usize),
    ToClient(usize),
}

/// Why the client gave up the connection, if the node is to blame.
fn violation(reason: &ConnectionError) -> Option<String> {
    use ConnectionError::{Flooding, Rejected, Violation, WrongVersion};
    matches!(
        reason,
        Violation(_) | Flooding | Rejected | WrongVersion { .. }
    )
    .then(|| reason.to_string())
}
