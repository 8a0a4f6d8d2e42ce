//! The messages between a client and its nodes as readable lines, collected while a check runs.

use std::collections::{BTreeMap, VecDeque};
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

/// Collects lines; the middle of a long exchange is left out.
#[derive(Debug)]
pub struct Trace {
    begun: Instant,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    connections: BTreeMap<NodeAddress, Listening>,
    head: Vec<Line>,
    tail: VecDeque<Line>,
    left_out: usize,
}

/// What is known of one connection.
#[derive(Debug, Default)]
struct Listening {
    dissector: Dissector,
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
        lines
    }

    /// Adds a remark.
    pub fn note(&self, text: impl Into<String>) {
        self.lock().push(Line::note(text).at(self.ms()));
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
}

impl Tap for Trace {
    fn opened(&self, node: NodeAddress) {
        let mut inner = self.lock();
        inner.connections.insert(node, Listening::default());
        inner.push(Line::note(format!("connected to {node}")).at(self.ms()));
    }

    fn bytes(&self, node: NodeAddress, from: Side, bytes: &[u8]) {
        let ms = self.ms();
        let mut inner = self.lock();
        let listening = inner.connections.entry(node).or_default();
        let lines = listening.feed(from, bytes);
        for text in lines {
            inner.push(
                match from {
                    Side::Client => Line::to_node(text),
                    Side::Node => Line::to_client(text),
                }
                .at(ms),
            );
        }
    }

    fn closed(&self, node: NodeAddress, reason: &str) {
        self.lock()
            .push(Line::note(format!("connection to {node} closed: {reason}")).at(self.ms()));
    }
}

impl Listening {
    /// The lines of the messages that are complete by now.
    fn feed(&mut self, from: Side, bytes: &[u8]) -> Vec<String> {
        let direction = match from {
            Side::Client => &mut self.client,
            Side::Node => &mut self.node,
        };
        let (mut lines, mut bytes) = (Vec::new(), bytes);
        if let (false, [version, rest @ ..]) = (direction.version_seen, bytes) {
            direction.version_seen = true;
            lines.push(self.dissector.version(*version));
            bytes = rest;
        }
        direction.frames.feed(bytes);
        while !direction.broken {
            // Two messages of each side make the authentication.
            let kind = if direction.authenticated {
                Kind::Request
            } else {
                Kind::Authentication
            };
            match direction.frames.next(kind, u64::MAX) {
                Ok(Some(body)) => lines.push(self.dissector.message(from, kind, &body)),
                Ok(None) => break,
                Err(_) if !direction.authenticated => {
                    direction.authenticated = true;
                }
                Err(violation) => {
                    direction.broken = true;
                    lines.push(format!("no message: {violation}"));
                }
            }
        }
        lines
    }
}
