//! The messages between a client and its nodes as readable lines, collected while a check runs.
//!
//! A check may make many requests that are not what it is about. It says so ([`Trace::hide`]), and they
//! are left out, unless it is among them that something goes wrong. So is an authentication that succeeds.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use dht_client::Tap;
use dht_protocol::neo::dissect::{Dissector, Side};
use dht_protocol::neo::frame::FrameBuffer;
use dht_protocol::neo::{Kind, NodeAddress};
use dht_reports::Line;

/// How many lines of the beginning are kept.
const HEAD: usize = 60;
/// How many lines of the end are kept.
const TAIL: usize = 200;
/// How many lines of hidden requests are kept, in case that something goes wrong there.
const HIDDEN_TAIL: usize = 20;

/// A connection that a trace listens to.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct ConnectionId(u32);

/// The one connection of a check's client.
const CLIENT: ConnectionId = ConnectionId(0);

/// Collects lines; the middle of a long exchange is left out.
#[derive(Debug)]
pub struct Trace {
    begun: Instant,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    connections: BTreeMap<ConnectionId, Listening>,
    opened: u32,
    head: Vec<Line>,
    tail: VecDeque<Line>,
    left_out: usize,
    /// Are requests that begin now not to be shown?
    hiding: bool,
    hidden_tail: VecDeque<Line>,
}

/// What is known of one connection.
#[derive(Debug, Default)]
struct Listening {
    dissector: Dissector,
    /// The lines of the authentication, until it has succeeded.
    authentication: Vec<Line>,
    /// Is the authentication what is looked at?
    shows_authentication: bool,
    hidden: BTreeSet<u64>,
    /// The highest id that a request has had so far.
    last_id: u64,
    client: Direction,
    node: Direction,
}

/// One direction of a connection.
#[derive(Debug, Default)]
struct Direction {
    frames: FrameBuffer,
    version_seen: bool,
    authenticated: bool,
    broken: bool,
}

impl Default for Trace {
    fn default() -> Self {
        Self {
            begun: Instant::now(),
            inner: Mutex::default(),
        }
    }
}

impl Trace {
    /// The lines so far.
    pub fn lines(&self) -> Vec<Line> {
        let inner = self.lock();
        let mut lines = inner.head.clone();
        if inner.left_out > 0 {
            lines.push(Line::note(format!("{} messages left out", inner.left_out)));
        }
        lines.extend(inner.tail.iter().cloned());
        if inner.hiding {
            lines.extend(inner.hidden_tail.iter().cloned());
        }
        if inner.connections.len() < 2 {
            lines.iter_mut().for_each(|line| line.connection = None);
        }
        lines
    }

    /// Requests that begin from now on are not what the check is about.
    pub fn hide(&self) {
        self.lock().hiding = true;
    }

    /// All of them went well, and further ones are shown again; `what` they were.
    pub fn show(&self, what: &str) {
        let mut inner = self.lock();
        inner.hiding = false;
        inner.hidden_tail.clear();
        inner.push(Line::note(what).at(self.ms()));
    }

    fn ms(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Lines are whole whenever the lock is free, also after a panic elsewhere.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn show_authentication(&mut self, connection: ConnectionId) {
        if let Some(listening) = self.connections.get_mut(&connection)
            && !listening.client.authenticated
        {
            let lines = std::mem::take(&mut listening.authentication);
            lines.into_iter().for_each(|line| self.push(line));
        }
    }

    fn push(&mut self, line: Line) {
        if self.head.len() < HEAD {
            self.head.push(line);
            return;
        }
        if self.tail.len() == TAIL {
            self.tail.pop_front();
            self.left_out += 1;
        }
        self.tail.push_back(line);
    }

    fn push_hidden(&mut self, line: Line) {
        if self.hidden_tail.len() == HIDDEN_TAIL {
            self.hidden_tail.pop_front();
        }
        self.hidden_tail.push_back(line);
    }
}

/// A message that is complete.
struct Message {
    text: String,
    shown: Shown,
}

/// When a message is worth showing.
#[derive(Clone, Copy)]
enum Shown {
    Always,
    /// If one of the hidden requests fails.
    IfItFails,
    /// If the authentication fails.
    IfRefused,
}

impl Trace {
    /// Begins to listen to a connection of its own kind: one that is not the client's.
    pub fn open(&self) -> ConnectionId {
        let mut inner = self.lock();
        inner.opened += 1;
        let id = ConnectionId(inner.opened);
        inner.connections.insert(id, Listening::default());
        id
    }

    /// Bytes passed on a connection.
    pub fn pass(&self, connection: ConnectionId, from: Side, bytes: &[u8]) {
        let ms = self.ms();
        let mut inner = self.lock();
        let hiding = inner.hiding;
        let listening = inner.connections.entry(connection).or_default();
        for Message { text, shown } in listening.feed(from, bytes, hiding) {
            let mut line = match from {
                Side::Client => Line::to_node(text),
                Side::Node => Line::to_client(text),
            }
            .at(ms);
            line.connection = Some(connection.to_string());
            match shown {
                Shown::Always => inner.push(line),
                Shown::IfItFails => inner.push_hidden(line),
                Shown::IfRefused
                    if inner
                        .connections
                        .get(&connection)
                        .is_some_and(|listening| listening.shows_authentication) =>
                {
                    inner.push(line);
                }
                Shown::IfRefused => {
                    let listening = inner.connections.entry(connection).or_default();
                    listening.authentication.push(line);
                }
            }
        }
    }

    /// Something happened on a connection that is no message.
    pub fn remark(&self, connection: ConnectionId, text: impl Into<String>) {
        let mut line = Line::note(text).at(self.ms());
        line.connection = Some(connection.to_string());
        self.lock().push(line);
    }

    /// A connection ended. If it did so before the authentication succeeded, that is shown.
    pub fn ended(&self, connection: ConnectionId, reason: &str) {
        self.lock().show_authentication(connection);
        self.remark(connection, format!("connection closed: {reason}"));
    }

    /// The authentication of a connection is what is looked at.
    pub fn show_authentication(&self, connection: ConnectionId) {
        let mut inner = self.lock();
        inner.show_authentication(connection);
        let listening = inner.connections.entry(connection).or_default();
        listening.shows_authentication = true;
    }
}

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => f.write_str("client"),
            number => write!(f, "client {number}"),
        }
    }
}

impl Tap for Trace {
    fn opened(&self, node: NodeAddress) {
        let mut inner = self.lock();
        inner.connections.insert(CLIENT, Listening::default());
        inner.push(Line::note(format!("connected to {node}")).at(self.ms()));
    }

    fn bytes(&self, _: NodeAddress, from: Side, bytes: &[u8]) {
        self.pass(CLIENT, from, bytes);
    }

    fn closed(&self, _: NodeAddress, reason: &str) {
        self.ended(CLIENT, reason);
    }
}

impl Listening {
    /// The messages that are complete by now. Requests that begin with one of them are hidden if `hiding`.
    fn feed(&mut self, from: Side, bytes: &[u8], hiding: bool) -> Vec<Message> {
        let direction = match from {
            Side::Client => &mut self.client,
            Side::Node => &mut self.node,
        };
        let (mut messages, mut bytes) = (Vec::new(), bytes);
        let mut add = |text, shown| messages.push(Message { text, shown });
        if let (false, [version, rest @ ..]) = (direction.version_seen, bytes) {
            direction.version_seen = true;
            add(self.dissector.version(*version), Shown::IfRefused);
            bytes = rest;
        }
        direction.frames.feed(bytes);
        while !direction.broken {
            let kind = match direction.authenticated {
                true => Kind::Request,
                false => Kind::Authentication,
            };
            match direction.frames.next(kind, u64::MAX) {
                Ok(Some(body)) => {
                    let id = body.first_chunk().map_or(0, |id| u64::from_le_bytes(*id));
                    // Ids are not reused, so a request that is not known begins here.
                    if direction.authenticated
                        && hiding
                        && id > self.last_id
                        && from == Side::Client
                    {
                        self.hidden.insert(id);
                    }
                    if direction.authenticated {
                        self.last_id = self.last_id.max(id);
                    }
                    let shown = match kind {
                        Kind::Authentication => Shown::IfRefused,
                        Kind::Request if self.hidden.contains(&id) => Shown::IfItFails,
                        Kind::Request => Shown::Always,
                    };
                    add(self.dissector.message(from, kind, &body), shown);
                }
                Ok(None) => break,
                // The first message of another kind ends the authentication; the buffer keeps it.
                Err(_) if !direction.authenticated => direction.authenticated = true,
                Err(violation) => {
                    direction.broken = true;
                    add(format!("no message: {violation}"), Shown::Always);
                }
            }
        }
        messages
    }
}
