//! A node's connection that a test talks to in bytes, as a client that has proved who it is.

use std::sync::Arc;
use std::time::Duration;

use dht_protocol::neo::auth::{self, Proof, Timestamp};
use dht_protocol::neo::frame::{FrameBuffer, write_authentication, write_request};
use dht_protocol::neo::handshake::NodeHandshake;
use dht_protocol::neo::header::ID_LEN;
use dht_protocol::neo::{
    AuthKey, Credentials, Kind, Limits, NodeConnection, Now, RequestId, Violation,
};

use super::{Event, Memory, hex};

/// What the clocks of client and node say at the start.
pub(crate) const UNIX: u64 = 1_795_328_455;
/// The node's nonce.
pub(crate) const NONCE: auth::Nonce = [1, 2, 3, 4];

/// See the module.
#[derive(Debug)]
pub(crate) struct Wire {
    pub(crate) node: NodeConnection,
    pub(crate) memory: Memory,
    pub(crate) now: Now,
    answers: FrameBuffer,
}

/// A node's connection on which nothing has been said yet; it knows the client "admin" alone.
pub(crate) fn fresh(limits: Limits) -> NodeConnection {
    let credentials = Arc::new(Credentials::default_admin());
    NodeConnection::new(NodeHandshake::new(credentials, NONCE), limits)
}

/// Time at the start.
pub(crate) fn start() -> Now {
    Now {
        unix: UNIX,
        elapsed: Duration::ZERO,
    }
}

/// What a client sends behind its version byte to be let in.
pub(crate) fn authentication() -> Vec<u8> {
    let proof = Proof {
        name: b"admin".to_vec(),
        code: auth::code(&AuthKey::ZERO, UNIX, NONCE),
    };
    let mut bytes = Vec::new();
    write_authentication(&mut bytes, &Timestamp(UNIX).encode());
    write_authentication(&mut bytes, &proof.encode());
    bytes
}

impl Wire {
    /// A connection that requests may be sent on.
    pub(crate) fn open(memory: Memory) -> Self {
        Self::open_with(memory, Limits::default())
    }

    /// The same with other limits.
    pub(crate) fn open_with(memory: Memory, limits: Limits) -> Self {
        let mut wire = Self {
            node: fresh(limits),
            memory,
            now: start(),
            answers: FrameBuffer::default(),
        };
        for bytes in [vec![1], authentication()] {
            wire.feed(&bytes).unwrap();
        }
        assert!(wire.node.client().is_some());
        wire.node.output().clear();
        wire
    }

    /// Bytes of the client; the node does all it can.
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> Result<(), Violation> {
        self.node.feed(bytes);
        self.process()
    }

    /// Messages of the client in one go, each an id and a payload in hexadecimal.
    pub(crate) fn send(&mut self, messages: &[(u64, &str)]) -> Result<(), Violation> {
        let messages: Vec<_> = messages
            .iter()
            .map(|(id, payload)| (*id, hex(payload)))
            .collect();
        self.feed(&requests(&messages))
    }

    /// The node does all it can without reading or writing.
    pub(crate) fn process(&mut self) -> Result<(), Violation> {
        loop {
            let more = self.node.process(self.now, &mut self.memory)?;
            let events = std::mem::take(&mut self.memory.events);
            if !more && events.is_empty() {
                return Ok(());
            }
            for event in events {
                match event {
                    Event::Record(channel, change) => self.node.changed(channel, change),
                    Event::Gone(channel) => self.node.channel_removed(channel),
                }
            }
        }
    }

    /// Takes the output as it is now: ids and payloads.
    pub(crate) fn take(&mut self) -> Vec<(u64, Vec<u8>)> {
        let all = self.node.output().len();
        self.take_bytes(all)
    }

    /// Takes this many bytes of the output: the messages that are complete by now.
    pub(crate) fn take_bytes(&mut self, count: usize) -> Vec<(u64, Vec<u8>)> {
        let bytes: Vec<u8> = self.node.output().drain(..count).collect();
        self.answers.feed(&bytes);
        let next = || self.answers.next(Kind::Request, u64::MAX).unwrap();
        std::iter::from_fn(next)
            .map(|body| {
                let (id, payload) = body.split_first_chunk::<ID_LEN>().unwrap();
                (u64::from_le_bytes(*id), payload.to_vec())
            })
            .collect()
    }

    /// Takes output and lets the node go on until it has nothing more to say.
    pub(crate) fn take_all(&mut self) -> Vec<(u64, Vec<u8>)> {
        let mut messages = Vec::new();
        loop {
            self.process().unwrap();
            let taken = self.take();
            if taken.is_empty() {
                return messages;
            }
            messages.extend(taken);
        }
    }

    /// Sends messages and returns everything that is answered.
    pub(crate) fn ask(&mut self, messages: &[(u64, &str)]) -> Vec<(u64, Vec<u8>)> {
        self.send(messages).unwrap();
        self.take_all()
    }
}

/// Request messages as bytes. Id 0, which no client may use, is written as well.
pub(crate) fn requests(messages: &[(u64, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (id, payload) in messages {
        let at = bytes.len();
        let legal = RequestId::new(*id).unwrap_or(RequestId::FIRST);
        write_request(&mut bytes, legal, payload);
        bytes[at + 10..at + 18].copy_from_slice(&id.to_le_bytes());
    }
    bytes
}
