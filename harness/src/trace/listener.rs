//! Makes lines of what passed.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use dht_protocol::neo::Kind;
use dht_protocol::neo::dissect::{Dissector, Side};
use dht_protocol::neo::frame::FrameBuffer;
use dht_reports::Line;

use super::legacy::LegacyListening;
use super::{ConnectionId, Event, Noted};

/// How many lines of the beginning are kept.
const HEAD: usize = 60;
/// How many lines of the end are kept.
const TAIL: usize = 200;
/// How many lines of hidden requests are kept, in case that something goes wrong there.
const HIDDEN_TAIL: usize = 20;

/// Hears what passes, and remembers lines of it.
#[derive(Debug, Default)]
pub(super) struct Listener {
    connections: BTreeMap<ConnectionId, Listening>,
    /// Those of them that speak the legacy protocol.
    legacy: BTreeMap<ConnectionId, LegacyListening>,
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

impl Listener {
    /// The lines so far.
    pub(super) fn lines(&self) -> Vec<Line> {
        let mut lines = self.head.clone();
        if self.left_out > 0 {
            lines.push(Line::note(format!("{} messages left out", self.left_out)));
        }
        lines.extend(self.tail.iter().cloned());
        if self.hiding {
            lines.extend(self.hidden_tail.iter().cloned());
        }
        if self.connections.len() < 2 {
            lines.iter_mut().for_each(|line| line.connection = None);
        }
        lines
    }

    /// Something happened.
    pub(super) fn hear(&mut self, Noted { ms, event }: Noted) {
        match event {
            Event::Opened(connection) => {
                self.connections.insert(connection, Listening::default());
            }
            Event::SpeaksLegacy(connection) => {
                self.legacy.insert(connection, LegacyListening::default());
            }
            Event::Passed(connection, from, bytes) => self.pass(ms, connection, from, &bytes),
            Event::Remark(connection, text) => self.remark(ms, connection, text),
            Event::Ended(connection, reason) => {
                self.show_authentication(connection);
                let cut = self.legacy.get_mut(&connection).map(LegacyListening::end);
                for (from, text) in cut.unwrap_or_default() {
                    self.show(ms, connection, from, text);
                }
                let text = format!("connection closed: {reason}");
                self.remark(ms, Some(connection), text);
            }
            Event::ShowAuthentication(connection) => {
                self.show_authentication(connection);
                let listening = self.connections.entry(connection).or_default();
                listening.shows_authentication = true;
            }
            Event::Hide => self.hiding = true,
            Event::Show(what) => {
                self.hiding = false;
                self.hidden_tail.clear();
                self.remark(ms, None, what);
            }
        }
    }

    fn pass(&mut self, ms: u64, connection: ConnectionId, from: Side, bytes: &[u8]) {
        if let Some(listening) = self.legacy.get_mut(&connection) {
            for text in listening.feed(from, bytes) {
                self.show(ms, connection, from, text);
            }
            return;
        }
        let hiding = self.hiding;
        let listening = self.connections.entry(connection).or_default();
        for Message { text, shown } in listening.feed(from, bytes, hiding) {
            let line = passed(ms, connection, from, text);
            let listening = self.connections.entry(connection).or_default();
            match shown {
                Shown::IfRefused if !listening.shows_authentication => {
                    listening.authentication.push(line);
                }
                Shown::IfItFails => self.push_hidden(line),
                Shown::Always | Shown::IfRefused => self.push(line),
            }
        }
    }

    /// A line of a connection of the legacy protocol.
    fn show(&mut self, ms: u64, connection: ConnectionId, from: Side, text: String) {
        let line = passed(ms, connection, from, text);
        match self.hiding {
            true => self.push_hidden(line),
            false => self.push(line),
        }
    }

    fn remark(&mut self, ms: u64, connection: Option<ConnectionId>, text: String) {
        let mut line = Line::note(text).at(ms);
        line.connection = connection.map(|connection| connection.to_string());
        self.push(line);
    }

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

/// The line of what passed.
fn passed(ms: u64, connection: ConnectionId, from: Side, text: String) -> Line {
    let mut line = match from {
        Side::Client => Line::to_node(text),
        Side::Node => Line::to_client(text),
    }
    .at(ms);
    line.connection = Some(connection.to_string());
    line
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
