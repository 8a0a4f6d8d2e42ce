//! The messages between a client and its nodes as readable lines, collected while a check runs.
//!
//! Nearly all checks end well, and then nobody reads a line of it. So a trace only notes what passes, and
//! has a `listener` make lines of that when somebody asks, or when it becomes too much to keep.
//!
//! A check may make many requests that are not what it is about. It says so ([`Trace::hide`]), and they
//! are left out, unless it is among them that something goes wrong. So is an authentication that succeeds.

mod legacy;
mod listener;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use dht_client::Tap;
use dht_client::legacy::Tap as LegacyTap;
use dht_protocol::neo::NodeAddress;
use dht_protocol::neo::dissect::Side;
use dht_reports::Line;

use listener::Listener;

/// So many bytes are kept as they passed.
const KEPT: usize = 4 * 1024 * 1024;

/// A connection that a trace listens to.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum ConnectionId {
    /// The one of a check's client.
    Client,
    /// One of several clients, by its number.
    ClientOf(usize),
    /// Another one of a check.
    Own(u32),
}

/// Collects lines; the middle of a long exchange is left out.
#[derive(Debug)]
pub struct Trace {
    begun: Instant,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// What the listener has not heard yet, in order.
    noted: Vec<Noted>,
    /// How many bytes that takes.
    bytes: usize,
    listener: Listener,
    /// How many connections of its own kind were opened.
    opened: u32,
}

/// Something that happened, at a time in milliseconds.
#[derive(Debug)]
struct Noted {
    ms: u64,
    event: Event,
}

/// What a listener hears.
#[derive(Debug)]
enum Event {
    /// A connection was opened.
    Opened(ConnectionId),
    /// It is one of the legacy protocol.
    SpeaksLegacy(ConnectionId),
    /// Bytes passed.
    Passed(ConnectionId, Side, Vec<u8>),
    /// Something happened that is no message; on this connection, if it is about one.
    Remark(Option<ConnectionId>, String),
    /// A connection ended.
    Ended(ConnectionId, String),
    /// Its authentication is what is looked at.
    ShowAuthentication(ConnectionId),
    /// Requests that begin from now on are not what the check is about.
    Hide,
    /// All of them went well; this is what they were.
    Show(String),
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
        let mut inner = self.lock();
        inner.listen();
        inner.listener.lines()
    }

    /// Requests that begin from now on are not what the check is about.
    pub fn hide(&self) {
        self.note(Event::Hide);
    }

    /// All of them went well, and further ones are shown again; `what` they were.
    pub fn show(&self, what: &str) {
        self.note(Event::Show(what.to_owned()));
    }

    /// Begins to listen to a connection of its own kind: one that is not the client's.
    pub fn open(&self) -> ConnectionId {
        let mut inner = self.lock();
        inner.opened += 1;
        let id = ConnectionId::Own(inner.opened);
        drop(inner);
        self.note(Event::Opened(id));
        id
    }

    /// A connection on which nothing was said yet is one of the legacy protocol.
    pub fn speaks_legacy(&self, connection: ConnectionId) {
        self.note(Event::SpeaksLegacy(connection));
    }

    /// Bytes passed on a connection.
    pub fn pass(&self, connection: ConnectionId, from: Side, bytes: &[u8]) {
        self.note(Event::Passed(connection, from, bytes.to_vec()));
    }

    /// Something happened on a connection that is no message.
    pub fn remark(&self, connection: ConnectionId, text: impl Into<String>) {
        self.note(Event::Remark(Some(connection), text.into()));
    }

    /// A connection ended. If it did so before the authentication succeeded, that is shown.
    pub fn ended(&self, connection: ConnectionId, reason: &str) {
        self.note(Event::Ended(connection, reason.to_owned()));
    }

    /// The authentication of a connection is what is looked at.
    pub fn show_authentication(&self, connection: ConnectionId) {
        self.note(Event::ShowAuthentication(connection));
    }

    fn note(&self, event: Event) {
        let ms = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let mut inner = self.lock();
        // Bytes that pass one by one cost more than what they are.
        inner.bytes += size_of::<Noted>();
        if let Event::Passed(_, _, bytes) = &event {
            inner.bytes += bytes.len();
        }
        inner.noted.push(Noted { ms, event });
        if inner.bytes > KEPT {
            inner.listen();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // What was noted is whole whenever the lock is free, also after a panic elsewhere.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Has the listener hear what was noted.
    fn listen(&mut self) {
        for noted in std::mem::take(&mut self.noted) {
            self.listener.hear(noted);
        }
        self.bytes = 0;
    }
}

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client => f.write_str("client"),
            Self::ClientOf(number) => write!(f, "client {number}"),
            Self::Own(number) => write!(f, "client {number}"),
        }
    }
}

/// Hears one client of several for a trace, so that their lines are in the order in which things happened.
#[derive(Debug)]
pub struct Ear {
    trace: Arc<Trace>,
    connection: ConnectionId,
}

impl Ear {
    /// For the client of this number, which has one connection at a time.
    pub fn new(trace: Arc<Trace>, client: usize) -> Self {
        let connection = ConnectionId::ClientOf(client);
        Self { trace, connection }
    }

    fn opened(&self, node: NodeAddress) {
        self.trace.note(Event::Opened(self.connection));
        let text = format!("connected to {node}");
        self.trace.remark(self.connection, text);
    }
}

impl Tap for Ear {
    fn opened(&self, node: NodeAddress) {
        self.opened(node);
    }

    fn bytes(&self, _: NodeAddress, from: Side, bytes: &[u8]) {
        self.trace.pass(self.connection, from, bytes);
    }

    fn closed(&self, _: NodeAddress, reason: &str) {
        self.trace.ended(self.connection, reason);
    }
}

impl LegacyTap for Ear {
    fn opened(&self, _: u64, node: NodeAddress) {
        self.opened(node);
        self.trace.speaks_legacy(self.connection);
    }

    fn bytes(&self, _: u64, from: Side, bytes: &[u8]) {
        self.trace.pass(self.connection, from, bytes);
    }

    fn closed(&self, _: u64, reason: &str) {
        self.trace.ended(self.connection, reason);
    }
}

impl Tap for Trace {
    fn opened(&self, node: NodeAddress) {
        self.note(Event::Opened(ConnectionId::Client));
        self.note(Event::Remark(None, format!("connected to {node}")));
    }

    fn bytes(&self, _: NodeAddress, from: Side, bytes: &[u8]) {
        self.pass(ConnectionId::Client, from, bytes);
    }

    fn closed(&self, _: NodeAddress, reason: &str) {
        self.ended(ConnectionId::Client, reason);
    }
}
