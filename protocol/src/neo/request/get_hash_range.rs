//! GetHashRange: which keys a node is responsible for, now and from then on. A client starts it by
//! itself on every connection; it never ends (`neo-requests.md` section 3).
//!
//! ```text
//! client  -- GetHashRange ---------------->  node
//!         <-- supported ------------------
//!         <-- range                          (no type byte)
//!         <-- ChangeHashRange | NewNode      (whenever something changes)
//! ```

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddrV4};

use super::gather::{Gather, Told};
use super::messages::unknown_type;
use super::{Host, NodeHalf, Opening, Progress, RequestCode};
use crate::codec::{DecodeError, Put as _, Reader};
use crate::key::HashRange;
use crate::neo::NodeAddress;
use crate::neo::violation::Violation;

const CODE: RequestCode = RequestCode::GetHashRange;

/// How many updates a client may leave waiting before it loses the older ones of them (P66 holds below).
const MAX_WAITING_UPDATES: usize = 4096;

/// The client's message, which has no fields.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Open;

impl Open {
    /// The whole message, command included.
    pub fn encode(self) -> Vec<u8> {
        CODE.command()
    }

    /// Reads the fields behind the command.
    pub fn decode(fields: &[u8]) -> Result<Self, DecodeError> {
        Reader::new(fields).finish()?;
        Ok(Self)
    }
}

/// The node's first answer: its range at that moment.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Range(pub HashRange);

impl Range {
    /// Appends the message.
    pub fn encode(self, out: &mut Vec<u8>) {
        self.0.encode(out);
    }

    /// Reads the message.
    pub fn decode(payload: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(payload);
        let range = HashRange::decode(&mut reader)?;
        reader.finish()?;
        Ok(Self(range))
    }
}

/// What the node tells afterwards.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Update {
    /// Another node is responsible for these keys.
    NewNode(NodeAddress, HashRange),
    /// The node's own range is another one now.
    ChangeHashRange(HashRange),
}

impl Update {
    /// Appends the message.
    pub fn encode(self, out: &mut Vec<u8>) {
        match self {
            Self::NewNode(node, range) => {
                out.put_u8(1);
                out.extend_from_slice(&node.ip().octets());
                out.extend_from_slice(&node.port().to_be_bytes());
                range.encode(out);
            }
            Self::ChangeHashRange(range) => {
                out.put_u8(2);
                range.encode(out);
            }
        }
    }

    /// Reads the message.
    pub fn decode(payload: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(payload);
        let message = match reader.u8("type")? {
            1 => {
                let address = Ipv4Addr::from(reader.fixed::<4>("address")?);
                let port = reader.u16_be("port")?;
                Self::NewNode(
                    SocketAddrV4::new(address, port),
                    HashRange::decode(&mut reader)?,
                )
            }
            2 => Self::ChangeHashRange(HashRange::decode(&mut reader)?),
            value => return Err(unknown_type(value)),
        };
        reader.finish()?;
        Ok(message)
    }
}

/// What the client learns: a node and the keys it is responsible for.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Learned {
    /// The node.
    pub node: NodeAddress,
    /// Its range.
    pub range: HashRange,
}

/// The client's half.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Client;

/// Has a node told its range on this connection yet?
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Part {
    /// The range comes next.
    #[default]
    AwaitRange,
    /// Updates come next.
    AwaitUpdate,
}

impl Gather for Client {
    const CODE: RequestCode = CODE;
    type Part = Part;
    type Notice = Learned;

    fn opening(&self) -> Vec<u8> {
        Open.encode()
    }

    fn receive(
        &mut self,
        node: NodeAddress,
        part: &mut Part,
        payload: &[u8],
        notices: &mut Vec<Learned>,
    ) -> Result<Told, DecodeError> {
        notices.push(match part {
            Part::AwaitRange => {
                let Range(range) = Range::decode(payload)?;
                *part = Part::AwaitUpdate;
                Learned { node, range }
            }
            Part::AwaitUpdate => match Update::decode(payload)? {
                Update::NewNode(node, range) => Learned { node, range },
                Update::ChangeHashRange(range) => Learned { node, range },
            },
        });
        Ok(Told::Something)
    }
}

/// The node's half: tells the range, then every update in the order in which they happened.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Node {
    /// The range when the request came, until it is told.
    range: Option<HashRange>,
    updates: VecDeque<Update>,
}

impl Node {
    /// The node's range changed, or another node was announced.
    pub fn updated(&mut self, update: Update) {
        // A client that does not read must not make the queue grow without bound. What it needs most
        // of each node is the last range.
        if self.updates.len() >= MAX_WAITING_UPDATES {
            self.updates
                .retain(|waiting| subject(waiting) != subject(&update));
            self.updates.truncate(MAX_WAITING_UPDATES - 1);
        }
        self.updates.push_back(update);
    }
}

/// Which node an update is about, `None` for the node that tells it.
fn subject(update: &Update) -> Option<NodeAddress> {
    match update {
        Update::NewNode(node, _) => Some(*node),
        Update::ChangeHashRange(_) => None,
    }
}

impl NodeHalf for Node {
    fn open<H: Host>(opening: Opening<'_>, host: &mut H) -> Result<Self, Violation> {
        Open::decode(opening.fields).map_err(CODE.malformed("first"))?;
        Ok(Self {
            range: Some(host.range()),
            updates: VecDeque::new(),
        })
    }

    fn receive<H: Host>(&mut self, _: &[u8], _: &mut H) -> Result<(), Violation> {
        Err(Violation::Unexpected {
            request: CODE,
            message: "a second message",
            state: "at any time",
        })
    }

    fn poll<H: Host>(&mut self, _: &mut H, out: &mut Vec<u8>) -> Progress {
        if let Some(range) = self.range.take() {
            Range(range).encode(out);
        } else if let Some(update) = self.updates.pop_front() {
            update.encode(out);
        } else {
            return Progress::Idle;
        }
        Progress::Sent
    }
}
