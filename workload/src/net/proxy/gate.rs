//! Gates: where messages of requests are held until a schedule lets them pass.
//!
//! A gate stands in each direction of each connection. While the gates are closed a message waits there,
//! whatever passes around it; requests do not wait for each other. What belongs to no request that
//! was asked for, as the login and a client's question for the hash range, passes at any time.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dht_protocol::neo::RequestId;
use tokio::sync::Notify;

use crate::case::Direction;
use crate::messages::{Messages, request};
use crate::net::subject::Subject;
use crate::world::{Held, Ticket};

/// If so many bytes are held in a direction, no more are read.
const ROOM: usize = 8 * 1024 * 1024;
/// A message that is longer is not held.
const LONGEST: u64 = 16 * 1024 * 1024;

/// The gates of all connections.
#[derive(Debug)]
pub(in crate::net) struct Gates {
    state: Mutex<State>,
    /// Something came, or has passed.
    changed: Notify,
    /// Something may pass, by connection and direction.
    released: Vec<[Notify; 2]>,
}

#[derive(Debug, Default)]
struct State {
    closed: bool,
    requests: BTreeMap<Ticket, Request>,
    connections: Vec<Connection>,
}

/// What was asked for.
#[derive(Debug)]
struct Request {
    connection: usize,
    subject: Subject,
    /// What it is called on the connection, once it has begun there.
    id: Option<RequestId>,
    /// It does not begin once more.
    over: bool,
    held: [Held; 2],
}

#[derive(Debug, Default)]
struct Connection {
    /// How often it was established.
    begun: u64,
    /// Which requests there are on it; none for those that nobody has asked for.
    requests: BTreeMap<RequestId, Option<Ticket>>,
    ways: [Way; 2],
}

/// One direction.
#[derive(Debug, Default)]
struct Way {
    held: VecDeque<(Ticket, Vec<u8>)>,
    /// How many bytes these are.
    len: usize,
    /// What may pass.
    out: Vec<u8>,
    /// What may pass is being written.
    passing: bool,
}

impl Gates {
    /// Open gates, for so many connections.
    pub(in crate::net) fn new(connections: usize) -> Self {
        let mut state = State::default();
        state
            .connections
            .resize_with(connections, Connection::default);
        Self {
            state: Mutex::new(state),
            changed: Notify::new(),
            released: (0..connections).map(|_| Default::default()).collect(),
        }
    }

    /// Something is asked for on a connection, and will begin there.
    pub(in crate::net) fn expect(&self, ticket: Ticket, connection: usize, subject: Subject) {
        let request = Request {
            connection,
            subject,
            id: None,
            over: false,
            held: Default::default(),
        };
        self.state().requests.insert(ticket, request);
    }

    /// What this ticket is for does not begin once more.
    pub(in crate::net) fn over(&self, ticket: Ticket) {
        if let Some(request) = self.state().requests.get_mut(&ticket) {
            request.over = true;
        }
    }

    /// Holds all messages from now on, or lets all pass.
    pub(in crate::net) fn hold(&self, closed: bool) {
        let mut state = self.state();
        state.closed = closed;
        if closed {
            return;
        }
        for number in 0..state.connections.len() {
            for direction in [Direction::ToNode, Direction::ToClient] {
                state.pass_all(number, direction);
                self.released[number][side(direction)].notify_one();
            }
        }
    }

    /// How many messages of a request came to the gate.
    pub(in crate::net) fn held(&self, ticket: Ticket, direction: Direction) -> Held {
        let state = self.state();
        let request = state.requests.get(&ticket);
        request.map_or_else(Held::default, |request| request.held[side(direction)])
    }

    /// Lets the next message of a request pass. False: there is none.
    pub(in crate::net) fn pass(&self, ticket: Ticket, direction: Direction) -> bool {
        let mut state = self.state();
        let Some(connection) = state.pass(ticket, direction) else {
            return false;
        };
        self.released[connection][side(direction)].notify_one();
        true
    }

    /// Is something on its way through a gate?
    pub(in crate::net) fn is_passing(&self) -> bool {
        let state = self.state();
        let mut ways = state.connections.iter().flat_map(|one| &one.ways);
        ways.any(|way| way.passing || !way.out.is_empty())
    }

    /// How often a connection was established.
    pub(in crate::net) fn begun(&self, connection: usize) -> u64 {
        let state = self.state();
        state.connections.get(connection).map_or(0, |one| one.begun)
    }

    /// Waits until something came to a gate or has passed it, if that was not so since the last time.
    pub(in crate::net) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// A connection begins.
    pub(super) fn begin(&self, connection: usize) {
        self.end(connection);
        if let Some(one) = self.state().connections.get_mut(connection) {
            one.begun += 1;
        }
        self.changed.notify_one();
    }

    /// A connection is over, and what is held there with it.
    pub(super) fn end(&self, connection: usize) {
        let mut state = self.state();
        if let Some(one) = state.connections.get_mut(connection) {
            one.requests.clear();
            one.ways = Default::default();
        }
        let requests = state.requests.values_mut();
        for request in requests.filter(|request| request.connection == connection) {
            request.id = None;
            request.held = Default::default();
        }
        drop(state);
        self.changed.notify_one();
    }

    /// The state is sound at any moment, whatever happened to who held the lock.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn way(&mut self, connection: usize, direction: Direction) -> &mut Way {
        &mut self.connections[connection].ways[side(direction)]
    }

    /// A whole message has come.
    fn arrived(&mut self, connection: usize, direction: Direction, message: Vec<u8>) {
        let ticket = self.ticket(connection, direction, &message);
        let request = ticket.and_then(|ticket| Some((ticket, self.requests.get_mut(&ticket)?)));
        let Some((ticket, request)) = request else {
            self.way(connection, direction).out.extend(message);
            return;
        };
        let held = &mut request.held[side(direction)];
        held.arrived += 1;
        held.waiting += 1;
        let closed = self.closed;
        let way = self.way(connection, direction);
        way.len += message.len();
        way.held.push_back((ticket, message));
        if !closed {
            self.pass(ticket, direction);
        }
    }

    /// What a message belongs to.
    fn ticket(
        &mut self,
        connection: usize,
        direction: Direction,
        message: &[u8],
    ) -> Option<Ticket> {
        let (id, payload) = request(message)?;
        if let Some(known) = self.connections[connection].requests.get(&id) {
            return *known;
        }
        if direction == Direction::ToClient {
            return None;
        }
        let subject = Subject::of_opening(payload);
        let waiting = self.requests.iter_mut().find(|(_, request)| {
            request.connection == connection
                && !request.over
                && request.id.is_none()
                && Some(&request.subject) == subject.as_ref()
        });
        let ticket = waiting.map(|(ticket, request)| {
            request.id = Some(id);
            *ticket
        });
        self.connections[connection].requests.insert(id, ticket);
        ticket
    }

    /// Lets the next message of a request pass; on which connection?
    fn pass(&mut self, ticket: Ticket, direction: Direction) -> Option<usize> {
        let request = self.requests.get_mut(&ticket)?;
        let connection = request.connection;
        let way = &mut self.connections[connection].ways[side(direction)];
        let place = way.held.iter().position(|(held, _)| *held == ticket)?;
        let (_, message) = way.held.remove(place)?;
        request.held[side(direction)].waiting -= 1;
        way.len -= message.len();
        way.out.extend(message);
        Some(connection)
    }

    /// Lets everything pass, in the order in which it came.
    fn pass_all(&mut self, connection: usize, direction: Direction) {
        while let Some((ticket, _)) = self.way(connection, direction).held.front() {
            let ticket = *ticket;
            if self.pass(ticket, direction).is_none() {
                return;
            }
        }
    }
}

/// The gate in one direction of a connection.
#[derive(Debug)]
pub(super) struct Gate {
    gates: Arc<Gates>,
    connection: usize,
    direction: Direction,
    messages: Messages,
    /// The beginning of a message.
    partial: Vec<u8>,
    /// What comes is not held, whatever it is.
    is_free: bool,
}

impl Gate {
    /// Nothing has come yet.
    pub(super) fn new(gates: Arc<Gates>, connection: usize, direction: Direction) -> Self {
        Self {
            gates,
            connection,
            direction,
            messages: Messages::default(),
            partial: Vec::new(),
            is_free: false,
        }
    }

    /// These bytes have come.
    pub(super) fn arrived(&mut self, mut bytes: &[u8]) {
        let mut state = self.gates.state();
        while !bytes.is_empty() {
            let piece = self.messages.next(bytes);
            self.partial.extend_from_slice(&bytes[..piece.len]);
            bytes = &bytes[piece.len..];
            if piece.begins {
                self.is_free = false;
            }
            self.is_free |= !piece.is_request || self.messages.left() > LONGEST;
            if self.is_free {
                let way = state.way(self.connection, self.direction);
                way.out.append(&mut self.partial);
            } else if piece.ends {
                let message = std::mem::take(&mut self.partial);
                state.arrived(self.connection, self.direction, message);
            }
        }
        drop(state);
        self.gates.changed.notify_one();
    }

    /// Nothing more comes: all that is held passes.
    pub(super) fn ended(&mut self) {
        let mut state = self.gates.state();
        state.pass_all(self.connection, self.direction);
        let way = state.way(self.connection, self.direction);
        way.out.append(&mut self.partial);
    }

    /// Is there room for more?
    pub(super) fn has_room(&self) -> bool {
        self.gates.state().way(self.connection, self.direction).len < ROOM
    }

    /// Waits until something may pass.
    pub(super) async fn released(&self) {
        // One is notified for each release, also before it waits.
        self.gates.released[self.connection][side(self.direction)]
            .notified()
            .await;
    }

    /// Takes what may pass.
    pub(super) fn take(&mut self) -> Vec<u8> {
        let mut state = self.gates.state();
        let way = state.way(self.connection, self.direction);
        way.passing = !way.out.is_empty();
        std::mem::take(&mut way.out)
    }

    /// What was taken has passed.
    pub(super) fn passed(&mut self) {
        let mut state = self.gates.state();
        state.way(self.connection, self.direction).passing = false;
        drop(state);
        self.gates.changed.notify_one();
    }
}

fn side(direction: Direction) -> usize {
    match direction {
        Direction::ToNode => 0,
        Direction::ToClient => 1,
    }
}

#[cfg(test)]
mod tests {
    use dht_model::Operation;
    use dht_protocol::neo::Kind;
    use dht_protocol::neo::frame::{write_authentication, write_request};
    use dht_protocol::neo::header::Header;
    use dht_protocol::neo::request::{RecordName, RequestCode};

    use super::*;

    const FIRST: Ticket = Ticket(1);
    const SECOND: Ticket = Ticket(2);

    fn id(number: u64) -> RequestId {
        RequestId::new(number).unwrap()
    }

    fn message(number: u64, payload: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        write_request(&mut bytes, id(number), payload);
        bytes
    }

    fn opening(number: u64, key: u64) -> Vec<u8> {
        let record = RecordName {
            channel: "c".into(),
            key: key.into(),
        };
        message(number, &record.opening(RequestCode::Get))
    }

    /// Gates of one connection on which two Gets are asked for, and its two directions.
    fn gates() -> (Arc<Gates>, Gate, Gate) {
        let gates = Arc::new(Gates::new(1));
        for (ticket, key) in [(FIRST, 1), (SECOND, 2)] {
            let subject = Subject::of_operation(&Operation::get("c", key));
            gates.expect(ticket, 0, subject.unwrap());
        }
        gates.begin(0);
        let gate = |direction| Gate::new(Arc::clone(&gates), 0, direction);
        let (up, down) = (gate(Direction::ToNode), gate(Direction::ToClient));
        (gates, up, down)
    }

    #[test]
    fn messages_of_requests_wait_and_requests_do_not_wait_for_each_other() {
        let (gates, mut up, mut down) = gates();
        gates.hold(true);
        let mut login = vec![1];
        write_authentication(&mut login, b"somebody");
        let (one, two) = (opening(8, 1), opening(9, 2));
        // However the bytes come.
        for byte in [&login[..], &one, &two, &message(8, b"more")].concat() {
            up.arrived(&[byte]);
        }
        assert_eq!(up.take(), login);
        let held = gates.held(FIRST, Direction::ToNode);
        assert_eq!((held.waiting, held.arrived), (2, 2));

        assert!(gates.pass(SECOND, Direction::ToNode));
        assert!(gates.is_passing());
        assert_eq!(up.take(), two);
        assert!(gates.is_passing());
        up.passed();
        assert!(!gates.is_passing());
        assert!(!gates.pass(SECOND, Direction::ToNode));

        down.arrived(&[1]);
        down.arrived(&message(9, b"value"));
        assert_eq!(down.take(), [1]);
        assert!(gates.pass(SECOND, Direction::ToClient));
        assert_eq!(down.take(), message(9, b"value"));

        gates.hold(false);
        assert_eq!(up.take(), [one, message(8, b"more")].concat());
        up.arrived(&message(8, b"free"));
        assert_eq!(up.take(), message(8, b"free"));
    }

    #[test]
    fn what_nobody_asked_for_passes() {
        let (gates, mut up, mut down) = gates();
        gates.hold(true);
        let range = message(1, &[8, 0]);
        let other = opening(2, 99);
        up.arrived(&[&[1][..], &range, &other].concat());
        assert_eq!(up.take(), [&[1][..], &range, &other].concat());
        down.arrived(&[&[1][..], &message(2, b"x"), &message(7, b"y")].concat());
        assert_eq!(down.take().len(), 1 + 2 * 19);
    }

    #[test]
    fn what_is_held_ends_with_its_connection_and_may_begin_again() {
        let (gates, mut up, _) = gates();
        gates.hold(true);
        up.arrived(&[&[1][..], &opening(1, 1), &opening(2, 2)].concat());
        gates.over(SECOND);
        gates.begin(0);
        assert_eq!(gates.begun(0), 2);
        assert_eq!(gates.held(FIRST, Direction::ToNode).arrived, 0);
        let mut up = Gate::new(Arc::clone(&gates), 0, Direction::ToNode);
        up.arrived(&[&[1][..], &opening(5, 1), &opening(6, 2)].concat());
        assert_eq!(gates.held(FIRST, Direction::ToNode).waiting, 1);
        assert_eq!(gates.held(SECOND, Direction::ToNode).waiting, 0);
        up.ended();
        assert_eq!(up.take().len(), 1 + opening(5, 1).len() * 2);
    }

    #[test]
    fn what_is_no_message_passes_and_what_is_too_long_as_well() {
        let wrong = [vec![1; 10], vec![9; 100]].concat();
        let mut long = Header {
            kind: Kind::Request,
            body_len: LONGEST + 1,
        }
        .encode()
        .to_vec();
        long.extend([9; 100]);
        for bytes in [wrong, long] {
            let (gates, mut up, _) = gates();
            gates.hold(true);
            up.arrived(&[1]);
            for byte in &bytes {
                up.arrived(&[*byte]);
            }
            assert_eq!(up.take()[1..], bytes);
            assert!(up.has_room());
        }
    }
}
