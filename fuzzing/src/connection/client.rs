//! A client with its connection.

use dht_protocol::neo;
use dht_protocol::neo::client::{ClientRequest, Event, Request, Told};
use dht_protocol::neo::handshake::ClientHandshake;
use dht_protocol::neo::monitor::Listener;
use dht_protocol::neo::registry::Registry;
use dht_protocol::neo::request::Effect;
use dht_protocol::neo::{Connection, Credential, Now, RequestId};
use fakedht::{ConnectionId, MemoryStorage, Node};

use super::{LIMITS, NODE};
use crate::asked::accusation;

/// Requests of one client in one run; fewer than may be active at once.
const REQUESTS: usize = 8;

/// See the module.
pub(super) struct Client {
    pub(super) line: Line,
    pub(super) requests: Vec<(RequestId, ClientRequest)>,
    next_id: RequestId,
}

/// A connection. The bytes under way are in the output of the side that has sent them.
pub(super) struct Line {
    pub(super) at_node: ConnectionId,
    pub(super) client: Connection<ClientHandshake>,
    /// Hears what passes at the client's end.
    pub(super) listener: Listener,
}

impl Client {
    /// It has connected, and asked for nothing yet.
    pub(super) fn new(node: &mut Node<MemoryStorage>) -> Self {
        Self {
            line: Line::new(node),
            requests: Vec::new(),
            next_id: RequestId::FIRST,
        }
    }

    /// Its connection breaks, with all that is under way, and it connects again.
    pub(super) fn reconnect(&mut self, node: &mut Node<MemoryStorage>) {
        node.close(self.line.at_node);
        self.line = Line::new(node);
        self.tell_all(|half, effects| half.handle(Event::Disconnected(NODE), effects));
    }

    /// Its user asks for something.
    pub(super) fn ask(&mut self, request: Request, registry: &Registry) {
        if self.requests.len() == REQUESTS {
            return;
        }
        let id = self.next_id;
        self.next_id = id.next();
        let mut effects = Vec::new();
        let Some(half) = ClientRequest::start(request, registry, &mut effects) else {
            return;
        };
        let on_all_nodes = half.runs_on_all_nodes();
        self.requests.push((id, half));
        let index = self.requests.len() - 1;
        self.act(index, effects);
        if on_all_nodes {
            let is_open = self.line.client.is_open();
            self.tell(index, |half, effects| {
                half.handle(Event::NodeAdded(NODE), effects);
                if is_open {
                    half.handle(Event::Connected(NODE), effects);
                }
            });
        }
        self.forget_ended();
    }

    /// What the bytes that have arrived mean.
    pub(super) fn hear(&mut self, now: Now) {
        loop {
            match self.line.client.next_event(now) {
                Ok(None) => return,
                Ok(Some(neo::Event::Established(()))) => {
                    self.tell_all(|half, effects| half.handle(Event::Connected(NODE), effects));
                }
                Ok(Some(neo::Event::Message { id, payload })) => {
                    let index = self.requests.iter().position(|(other, _)| *other == id);
                    let index = index.expect("the node goes on behind the end");
                    self.tell(index, |half, effects| {
                        half.handle(Event::Message(NODE, &payload), effects);
                    });
                }
                Err(violation) => panic!("the client complains: {violation}"),
            }
        }
    }

    /// Tells one of the requests something.
    pub(super) fn tell(
        &mut self,
        which: usize,
        happens: impl FnOnce(&mut ClientRequest, &mut Vec<Effect<Told>>),
    ) {
        let Some(index) = which.checked_rem(self.requests.len()) else {
            return;
        };
        let mut effects = Vec::new();
        happens(&mut self.requests[index].1, &mut effects);
        self.act(index, effects);
        self.forget_ended();
    }

    /// Tells all of them.
    pub(super) fn tell_all(
        &mut self,
        mut happens: impl FnMut(&mut ClientRequest, &mut Vec<Effect<Told>>),
    ) {
        for index in 0..self.requests.len() {
            let mut effects = Vec::new();
            happens(&mut self.requests[index].1, &mut effects);
            self.act(index, effects);
        }
        self.forget_ended();
    }

    fn act(&mut self, index: usize, effects: Vec<Effect<Told>>) {
        let mut is_lost = false;
        for effect in effects {
            if let Some(violation) = accusation(&effect) {
                panic!("the client complains: {violation}");
            }
            if let Effect::Send { payload, .. } = effect {
                match self.line.client.is_open() {
                    true => self.line.client.send(self.requests[index].0, &payload),
                    false => is_lost = true,
                }
            }
        }
        if is_lost {
            let mut effects = Vec::new();
            let half = &mut self.requests[index].1;
            half.handle(Event::Disconnected(NODE), &mut effects);
            self.act(index, effects);
        }
    }

    fn forget_ended(&mut self) {
        self.requests.retain(|(_, half)| !half.is_over());
    }
}

impl Line {
    fn new(node: &mut Node<MemoryStorage>) -> Self {
        let handshake = ClientHandshake::new(Credential::default_admin());
        Self {
            at_node: node.accept([1, 2, 3, 4]),
            client: Connection::new(handshake, LIMITS),
            listener: Listener::new(),
        }
    }
}
