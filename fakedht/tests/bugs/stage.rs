//! A node that is told bare bytes, and everything that it says.

use std::fmt::Write;
use std::time::Duration;

use dht_protocol::codec::Put as _;
use dht_protocol::fnv1a;
use dht_protocol::neo::auth::{self, Proof};
use dht_protocol::neo::frame::{write_authentication, write_request};
use dht_protocol::neo::request::RequestCode;
use dht_protocol::neo::{AuthKey, ClientName, Credential, Limits, Now, RequestId};
use fakedht::{Bugs, ConnectionId, MemoryStorage, Node, NodeConfig};

/// What the node's clock says.
pub(crate) const NOW: u64 = 1_700_000_000;

pub(crate) struct Stage {
    pub(crate) node: Node<MemoryStorage>,
    pub(crate) seen: String,
    dialed: u8,
}

impl Stage {
    pub(crate) fn new(bugs: Bugs) -> Self {
        let guest = Credential {
            name: ClientName::new(b"guest").unwrap(),
            key: AuthKey::ZERO,
        };
        let config = NodeConfig {
            credentials: [Credential::default_admin(), guest].into_iter().collect(),
            limits: Limits {
                active_requests: 120,
                ..Limits::default()
            },
            bugs,
            ..NodeConfig::default()
        };
        Self {
            node: Node::new(config, MemoryStorage::new()),
            seen: String::new(),
            dialed: 0,
        }
    }

    /// A new connection on which nothing was said yet.
    pub(crate) fn dial(&mut self) -> ConnectionId {
        self.dialed += 1;
        let id = self.node.accept([self.dialed; 4]);
        self.listen(id);
        id
    }

    /// What the node answers to bytes.
    pub(crate) fn say(&mut self, id: ConnectionId, bytes: &[u8]) -> Vec<u8> {
        self.node.feed(id, bytes);
        self.listen(id)
    }

    /// What the node has to say.
    pub(crate) fn listen(&mut self, id: ConnectionId) -> Vec<u8> {
        let now = Now {
            unix: NOW,
            elapsed: Duration::ZERO,
        };
        let mut said = Vec::new();
        loop {
            let more = self.node.process(id, now);
            let output = self.node.take_output(id);
            said.extend_from_slice(&output);
            match more {
                Ok(more) if more || !output.is_empty() => {}
                Ok(_) => break,
                Err(violation) => {
                    writeln!(self.seen, "{id}: {violation}").unwrap();
                    self.node.close(id);
                    break;
                }
            }
        }
        let start = &said[..said.len().min(40)];
        writeln!(self.seen, "{id}: {start:02x?} {:x}", fnv1a(&said)).unwrap();
        said
    }

    /// A new connection behind the version bytes.
    pub(crate) fn greet(&mut self) -> ConnectionId {
        let id = self.dial();
        self.say(id, &[1]);
        id
    }

    /// A new connection whose client has told its time, and the nonce.
    pub(crate) fn tell_time(&mut self, time: u64) -> (ConnectionId, [u8; 4]) {
        let id = self.greet();
        let nonce = self.say(id, &authentication(&time.to_le_bytes()));
        (id, nonce.last_chunk().copied().unwrap_or_default())
    }

    /// A new connection whose client says who it is.
    pub(crate) fn log_in(&mut self, time: u64, change: impl FnOnce(&mut Proof)) -> ConnectionId {
        let (id, nonce) = self.tell_time(time);
        let mut proof = Proof {
            name: b"admin".to_vec(),
            code: auth::code(&AuthKey::ZERO, time, nonce),
        };
        change(&mut proof);
        self.say(id, &authentication(&proof.encode()));
        id
    }

    /// A new connection that is ready for requests.
    pub(crate) fn open(&mut self) -> ConnectionId {
        self.log_in(NOW, |_| {})
    }

    /// A new connection that is told these bytes when it is ready.
    pub(crate) fn open_and_say(&mut self, bytes: &[u8]) -> ConnectionId {
        let id = self.open();
        self.say(id, bytes);
        id
    }

    /// Does a connection get an answer?
    pub(crate) fn is_served(&mut self, id: ConnectionId) -> bool {
        // Under an id that nobody has used.
        let mut question = vec![RequestCode::Exists as u8, 0];
        question.put_array(b"c");
        question.put_u64(1);
        !self.say(id, &request(0x7777_7777, &question)).is_empty()
    }
}

/// An authentication message.
pub(crate) fn authentication(body: &[u8]) -> Vec<u8> {
    let mut message = Vec::new();
    write_authentication(&mut message, body);
    message
}

/// A message of a request.
pub(crate) fn request(id: u64, payload: &[u8]) -> Vec<u8> {
    let mut message = Vec::new();
    write_request(&mut message, RequestId::new(id).unwrap(), payload);
    message
}

/// A header with the right parity.
pub(crate) fn header(code: u8, body_len: u64) -> Vec<u8> {
    let mut header = [&[code][..], &body_len.to_le_bytes()].concat();
    header.push(header.iter().fold(0, |parity, byte| parity ^ byte));
    header
}
