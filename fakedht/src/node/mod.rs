//! A whole node without I/O, in the manner of quinn-proto's endpoint: bytes of clients go in, bytes for
//! clients come out. It opens no socket, reads no clock and draws no random number; given the same calls
//! it does the same.
//!
//! A driver does this for each connection:
//!
//! 1. [`accept`](Node::accept) it, with a nonce that nobody can predict, or, if the client speaks the
//!    legacy protocol, [`accept_legacy`](Node::accept_legacy); from here on both are the same;
//! 2. [`feed`](Node::feed) what the client sends, as long as [`wants_input`](Node::wants_input);
//! 3. [`process`](Node::process) it after feeding, after removing bytes from its output, when it was
//!    woken, and when [`next_tick`](Node::next_tick) has come. While the answer is `true` there is more
//!    to do; other connections may go first. An error is a broken rule: send what is in the output,
//!    close, and say why;
//! 4. send what stands in [`output`](Node::output), removing what was sent;
//! 5. [`close`](Node::close) it when the client is gone.
//!
//! A node that [redistributes](dht_protocol::legacy::redistribution) its records connects to others itself:
//! the driver does that for it, as [`pop_errand`](Node::pop_errand) says.
//!
//! What one connection does can give others something to send: a write has to be told to those who
//! follow the channel. After every call that may have done so, take the connections that were woken
//! from [`pop_woken`](Node::pop_woken) and process them.
//!
//! ```
//! use dht_protocol::neo::handshake::ClientHandshake;
//! use dht_protocol::neo::{Connection, Credential, Event, Limits, Now};
//! use fakedht::{MemoryStorage, Node, NodeConfig};
//!
//! let now = Now { unix: 1_700_000_000, ..Now::default() };
//! let mut node = Node::new(NodeConfig::default(), MemoryStorage::new());
//! let id = node.accept([1, 2, 3, 4]);
//! let mut client = Connection::new(ClientHandshake::new(Credential::default_admin()), Limits::default());
//! while !client.is_open() {
//!     node.feed(id, client.output());
//!     client.output().clear();
//!     node.process(id, now)?;
//!     client.feed(&node.take_output(id));
//!     while let Some(event) = client.next_event(now)? {
//!         assert_eq!(event, Event::Established(()));
//!     }
//! }
//! # Ok::<(), fakedht::Violation>(())
//! ```

mod config;
mod connection;
mod decline;
mod direct;
mod errand;
pub mod host;
pub mod moving;
mod violation;

pub use config::{ADMIN, NodeConfig, RemoveChannels};
pub use errand::Errand;
pub use violation::Violation;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use dht_protocol::HashRange;
use dht_protocol::neo::auth::Nonce;
use dht_protocol::neo::handshake::NodeHandshake;
use dht_protocol::neo::node::Follow;
use dht_protocol::neo::request::ChannelId;
use dht_protocol::neo::request::get_hash_range::Update;
use dht_protocol::neo::{ClientName, Credentials, Limits, NodeAddress, NodeConnection, Now};

use crate::bugs::{Admission, Layer, LegacyTap, Tap};
use crate::storage::Storage;
use connection::Connection;
use decline::Decline;
use host::{Event, NodeHost};

/// A connection of a node. Never given again.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ConnectionId(u64);

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A node: its storage, its connections, and the requests on them. See the [module](self).
///
/// A [`ConnectionId`] that was closed is accepted everywhere and means a connection on which nothing
/// happens.
#[derive(Debug)]
pub struct Node<S> {
    host: NodeHost<S>,
    credentials: Arc<Credentials>,
    limits: Limits,
    max_legacy_value: u64,
    connections: BTreeMap<ConnectionId, Slot>,
    accepted: u64,
    /// Who has a Mirror or a Listen on a channel.
    followers: BTreeMap<ChannelId, BTreeSet<ConnectionId>>,
    woken: VecDeque<ConnectionId>,
    /// The connection that moves records to other nodes, if there is one.
    working: Option<ConnectionId>,
    revision: u64,
    /// What makes the node wrong, if it is to be.
    bugs: Option<Layer>,
    decline: Decline,
}

#[derive(Debug)]
struct Slot {
    connection: Connection,
    /// Does it stand among the woken ones, or has it been taken from there and not been processed?
    woken: bool,
}

impl<S: Storage> Node<S> {
    /// A node without connections.
    pub fn new(config: NodeConfig, storage: S) -> Self {
        let bugs = Layer::new(&config.bugs);
        Self {
            host: NodeHost::new(&config, storage),
            credentials: Arc::new(config.credentials),
            limits: match &bugs {
                None => config.limits,
                Some(bugs) => bugs.limits(config.limits),
            },
            max_legacy_value: config.max_legacy_value,
            connections: BTreeMap::new(),
            accepted: 0,
            followers: BTreeMap::new(),
            woken: VecDeque::new(),
            working: None,
            revision: 0,
            bugs,
            decline: Decline::default(),
        }
    }

    /// A client of the neo protocol has connected. `nonce` must be unpredictable and new.
    pub fn accept(&mut self, nonce: Nonce) -> ConnectionId {
        let id = self.next_id();
        let (nonce, tap) = match &mut self.bugs {
            None => (nonce, None),
            Some(bugs) => {
                let nonce = bugs.nonce(nonce);
                let mut tap = Tap::new(id, nonce, &self.limits);
                match bugs.admit(id.0, self.connections.len()) {
                    Admission::Serve => {}
                    Admission::Greet(greeting) => tap.output().extend_from_slice(greeting),
                    Admission::Refuse => return id,
                }
                (nonce, Some(tap))
            }
        };
        let handshake = NodeHandshake::new(Arc::clone(&self.credentials), nonce);
        let connection = NodeConnection::new(handshake, self.limits);
        self.insert(id, Connection::neo(connection, tap))
    }

    /// A client of the legacy protocol has connected, which knows no authentication.
    pub fn accept_legacy(&mut self) -> ConnectionId {
        let id = self.next_id();
        let tap = self.bugs.as_ref().map(|_| LegacyTap::default());
        self.insert(id, Connection::legacy(self.max_legacy_value, tap))
    }

    /// Where the node serves the legacy protocol, if nobody has said so before: clients of that protocol
    /// are told.
    pub fn serves_legacy_at(&mut self, address: NodeAddress) {
        self.host.legacy_address.get_or_insert(address);
    }

    /// Adds bytes as they came from the client.
    pub fn feed(&mut self, id: ConnectionId, bytes: &[u8]) {
        if let Some(slot) = self.connections.get_mut(&id) {
            slot.connection.feed(bytes);
        }
    }

    /// The client sends nothing more. That ends a Listen; other requests go on.
    pub fn input_ended(&mut self, id: ConnectionId) {
        if let Some(slot) = self.connections.get_mut(&id) {
            slot.connection.input_ended();
        }
    }

    /// Handles what was fed and what has become due, and fills the output. Says whether there is more
    /// to do although nothing was fed. After an error the connection is to be [closed](Self::close);
    /// what stands in its output is still meant for the client.
    pub fn process(&mut self, id: ConnectionId, now: Now) -> Result<bool, Violation> {
        if self.stands_still_for(id) {
            return Ok(false);
        }
        let Some(slot) = self.connections.get_mut(&id) else {
            return Ok(false);
        };
        slot.woken = false;
        let result =
            slot.connection
                .process(now, &mut self.host, self.bugs.as_mut(), &self.credentials);
        for follow in slot.connection.take_follows() {
            self.follow(id, follow);
        }
        let told_itself = self.tell_followers(Some(id));
        self.go_on_moving();
        self.suffer();
        result.map(|more| more || told_itself)
    }

    /// Bytes for the client that were not taken yet. The driver removes what it has sent and calls
    /// [`process`](Self::process) again. `None` if the connection is closed.
    pub fn output(&mut self, id: ConnectionId) -> Option<&mut Vec<u8>> {
        Some(self.connections.get_mut(&id)?.connection.output())
    }

    /// Takes all of the [output](Self::output).
    pub fn take_output(&mut self, id: ConnectionId) -> Vec<u8> {
        self.output(id).map(std::mem::take).unwrap_or_default()
    }

    /// Should more be read? Not while far too much waits in the output.
    pub fn wants_input(&self, id: ConnectionId) -> bool {
        let slot = self.connections.get(&id);
        slot.is_some_and(|slot| slot.connection.wants_input()) && !self.decline.waits(id)
    }

    /// When the connection is to be processed at the latest, as [`Now::elapsed`].
    pub fn next_tick(&self, id: ConnectionId) -> Option<Duration> {
        self.neo(id)?.next_tick()
    }

    /// Who the client is, once it has proved it. A client of the legacy protocol never does.
    pub fn client(&self, id: ConnectionId) -> Option<&ClientName> {
        self.neo(id)?.client()
    }

    /// How many neo requests are active on a connection.
    pub fn active_requests(&self, id: ConnectionId) -> usize {
        self.neo(id).map_or(0, NodeConnection::active_requests)
    }

    /// The connections of clients that are open, in the order in which they were accepted.
    pub fn connections(&self) -> impl Iterator<Item = ConnectionId> {
        let all = self.connections.iter();
        let clients = all.filter(|(_, slot)| !matches!(slot.connection, Connection::Own(_)));
        clients.map(|(id, _)| *id)
    }

    /// Is an answer still to come on a legacy connection, although nothing more may be said on it?
    pub fn is_busy(&self, id: ConnectionId) -> bool {
        let slot = self.connections.get(&id);
        slot.is_some_and(|slot| slot.connection.is_busy())
    }

    /// The client is gone, or is to go. Its requests end.
    pub fn close(&mut self, id: ConnectionId) {
        self.end(id);
        self.suffer();
    }

    /// The next connection that has something to do because of what happened elsewhere. Each stands in
    /// this queue once, until it is processed. One that the node has closed by itself comes here as well:
    /// one of its own, or any if the node has bugs.
    pub fn pop_woken(&mut self) -> Option<ConnectionId> {
        if let Some(id) = self.decline.pop_closed() {
            return Some(id);
        }
        loop {
            let id = self.woken.pop_front()?;
            if self.connections.contains_key(&id) {
                return Some(id);
            }
        }
    }

    /// The keys that the node is responsible for.
    pub fn range(&self) -> HashRange {
        self.host.range
    }

    /// Changes what the node is responsible for, and tells all who ask for it (GetHashRange). Records
    /// outside are kept, but not found by their keys any more.
    ///
    /// To hand keys over without a moment in which a client knows of nobody who has them,
    /// [announce](Self::announce_node) the other node first (P68).
    pub fn set_range(&mut self, range: HashRange) {
        self.host.range = range;
        self.tell_ranges(Update::ChangeHashRange(range));
    }

    /// Tells all who ask for ranges that another node is responsible for `range`.
    pub fn announce_node(&mut self, node: NodeAddress, range: HashRange) {
        self.tell_ranges(Update::NewNode(node, range));
    }

    /// Replaces who may connect. Clients that are connected already stay (`neo-transport.md` 7.2).
    pub fn set_credentials(&mut self, credentials: Credentials) {
        self.credentials = Arc::new(credentials);
    }

    /// Changes whenever something happened that an observer of the storage, of Mirrors or of
    /// connections could wait for.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    fn next_id(&mut self) -> ConnectionId {
        let id = ConnectionId(self.accepted);
        self.accepted += 1;
        id
    }

    fn insert(&mut self, id: ConnectionId, connection: Connection) -> ConnectionId {
        if self.has_crashed() {
            return id;
        }
        if matches!(connection, Connection::Legacy(_)) {
            self.host.legacy_connections += 1;
        }
        let woken = false;
        self.connections.insert(id, Slot { connection, woken });
        id
    }

    /// Forgets a connection. Was there one?
    fn end(&mut self, id: ConnectionId) -> bool {
        let Some(slot) = self.connections.remove(&id) else {
            return false;
        };
        self.lose(&slot.connection);
        match &slot.connection {
            Connection::Neo(_) => {}
            Connection::Legacy(_) => self.host.legacy_connections -= 1,
            Connection::Own(own) => self.own_ended(id, own),
        }
        self.followers.retain(|_, connections| {
            connections.remove(&id);
            !connections.is_empty()
        });
        self.revision += 1;
        true
    }

    /// A connection of the neo protocol.
    fn neo(&self, id: ConnectionId) -> Option<&NodeConnection> {
        self.connections.get(&id)?.connection.as_neo()
    }

    fn follow(&mut self, id: ConnectionId, follow: Follow) {
        self.revision += 1;
        match follow {
            Follow::Begin(channel) => {
                self.followers.entry(channel).or_default().insert(id);
            }
            Follow::End(channel) => {
                if let Some(connections) = self.followers.get_mut(&channel) {
                    connections.remove(&id);
                    if connections.is_empty() {
                        self.followers.remove(&channel);
                    }
                }
            }
        }
    }

    /// Tells what was written to those who follow the channels. Was `origin`, which is not woken, among
    /// them?
    fn tell_followers(&mut self, origin: Option<ConnectionId>) -> bool {
        let mut told_origin = false;
        self.revision += self.host.events.len() as u64;
        for event in self.host.events.drain(..) {
            let Some(event) = told(event, &mut self.bugs) else {
                continue;
            };
            for id in self.followers.get(&event.channel()).into_iter().flatten() {
                let Some(slot) = self.connections.get_mut(id) else {
                    continue;
                };
                slot.connection.tell(event);
                match origin == Some(*id) {
                    true => told_origin = true,
                    false => slot.wake(*id, &mut self.woken),
                }
            }
        }
        told_origin
    }

    fn tell_ranges(&mut self, update: Update) {
        for (id, slot) in &mut self.connections {
            if let Some(connection) = slot.connection.as_neo_mut() {
                connection.range_updated(update);
                slot.wake(*id, &mut self.woken);
            }
        }
    }
}

/// What followers are told of an event; that is the event unless the node has bugs.
fn told(event: Event, bugs: &mut Option<Layer>) -> Option<Event> {
    match bugs {
        None => Some(event),
        Some(bugs) => bugs.raised(event),
    }
}

impl Slot {
    fn wake(&mut self, id: ConnectionId, woken: &mut VecDeque<ConnectionId>) {
        if !self.woken {
            self.woken = true;
            woken.push_back(id);
        }
    }
}

#[cfg(test)]
mod tests;
