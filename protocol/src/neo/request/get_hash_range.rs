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

/// How many updates a client may leave waiting before an update takes the place of the older ones about
/// the same node (P66 holds below).
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

    /// Its name in the specification.
    pub fn name(self) -> &'static str {
        match self {
            Self::NewNode(..) => "NewNode",
            Self::ChangeHashRange(_) => "ChangeHashRange",
        }
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

    fn phase(part: &Part) -> &'static str {
        match part {
            Part::AwaitRange => "AwaitRange",
            Part::AwaitUpdate => "AwaitUpdate",
        }
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
        // A client that does not read must not make the queue grow without bound: from here on it grows
        // only with the number of nodes. What a client needs of each is the last range.
        if self.updates.len() >= MAX_WAITING_UPDATES {
            self.updates
                .retain(|waiting| subject(waiting) != subject(&update));
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
        Open::decode(opening.fields).map_err(CODE.malformed_first())?;
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

    fn is_over(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::neo::request::gather::{Gathering, Notification};
    use crate::testing::talk::{closed, sent, told};
    use crate::testing::{Half, Memory, hex, node, open};

    const LOW: &str = "0000000000000000 ffffffffffffff7f";

    fn range(min: u64, max: u64) -> HashRange {
        HashRange::new(min, max).unwrap()
    }

    fn low() -> HashRange {
        range(0, 0x7fff_ffff_ffff_ffff)
    }

    fn running() -> Gathering<Client> {
        let mut request = Gathering::new(Client);
        request.connected(node(1), &mut Vec::new());
        request.receive(node(1), &[0xfd], &mut Vec::new());
        request
    }

    fn hear(request: &mut Gathering<Client>, said: &[&str]) -> Vec<Notification<Learned>> {
        let mut effects = Vec::new();
        for message in said {
            request.receive(node(1), &hex(message), &mut effects);
        }
        assert_eq!(closed(&effects), []);
        told(&effects)
    }

    #[test]
    fn the_examples_of_the_specification() {
        assert_eq!(Open.encode(), hex("01 00"));
        let mut out = Vec::new();
        Range(low()).encode(&mut out);
        assert_eq!(out, hex(LOW));
        assert_eq!(Range::decode(&out), Ok(Range(low())));
        let empty = hex("ffffffffffffffff 0000000000000000");
        assert_eq!(Range::decode(&empty), Ok(Range(HashRange::EMPTY)));

        let changed = Update::ChangeHashRange(range(0, 0x3fff_ffff_ffff_ffff));
        let new_node = Update::NewNode(
            node(11100),
            range(0x4000_0000_0000_0000, 0x7fff_ffff_ffff_ffff),
        );
        for (update, bytes) in [
            (changed, "02 0000000000000000 ffffffffffffff3f"),
            (
                new_node,
                "01 7f000001 2b5c 0000000000000040 ffffffffffffff7f",
            ),
        ] {
            let mut out = Vec::new();
            update.encode(&mut out);
            assert_eq!(out, hex(bytes));
            assert_eq!(Update::decode(&out), Ok(update));
            for len in 0..out.len() {
                assert!(Update::decode(&out[..len]).is_err());
            }
            out.push(0);
            assert!(Update::decode(&out).is_err());
        }
    }

    #[test]
    fn the_range_is_the_one_of_the_moment_when_the_message_came() {
        let mut half = Half::<Node>::open(Memory::covering(low()), "01 00");
        half.memory.range = HashRange::EMPTY;
        half.node.updated(Update::ChangeHashRange(HashRange::EMPTY));
        assert_eq!(
            half.say(),
            [hex(LOW), hex("02 ffffffffffffffff 0000000000000000")],
            "no change is lost between (P66)"
        );
        assert!(!half.is_ended());
        half.node.updated(Update::ChangeHashRange(low()));
        half.node.updated(Update::NewNode(node(2), HashRange::FULL));
        assert_eq!(half.say()[0], hex(&format!("02 {LOW}")));
    }

    #[test]
    fn a_client_that_does_not_read_still_learns_the_last_range_of_every_node() {
        let mut half = Half::<Node>::open(Memory::default(), "01 00");
        for round in 0..3 {
            for port in 0..6000 {
                half.node
                    .updated(Update::NewNode(node(port), range(round, 9)));
            }
            half.node.updated(Update::ChangeHashRange(range(round, 9)));
        }
        let said = half.say();
        assert!(said.len() < 2 * 6000, "{} messages", said.len());
        let mut last = std::collections::BTreeMap::new();
        for message in &said[1..] {
            match Update::decode(message).unwrap() {
                Update::NewNode(node, range) => last.insert(Some(node), range),
                Update::ChangeHashRange(range) => last.insert(None, range),
            };
        }
        assert_eq!(last.len(), 6001);
        assert!(last.values().all(|last| *last == range(2, 9)), "P67");
    }

    #[test]
    fn a_client_has_nothing_to_add() {
        assert!(open::<Node>(&mut Memory::default(), "01 00 00").is_err());
        for bad in ["", "01", "01 00"] {
            let mut half = Half::<Node>::open(Memory::default(), "01 00");
            half.say();
            assert!(half.receive(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_client_learns_ranges_until_the_end_of_time() {
        let learned = |node, range| Notification::Notice(Learned { node, range });
        let mut request = running();
        let said = [
            LOW,
            "02 0000000000000000 ffffffffffffff3f",
            "01 7f000001 0002 0000000000000040 ffffffffffffff7f",
            "02 ffffffffffffffff 0000000000000000",
        ];
        assert_eq!(
            hear(&mut request, &said),
            [
                learned(node(1), low()),
                learned(node(1), range(0, 0x3fff_ffff_ffff_ffff)),
                learned(node(2), range(0x4000_0000_0000_0000, 0x7fff_ffff_ffff_ffff)),
                learned(node(1), HashRange::EMPTY),
            ]
        );
        assert!(!request.is_ended());
    }

    #[test]
    fn after_a_reconnection_the_range_comes_first_again() {
        let mut request = running();
        hear(&mut request, &[LOW]);
        let mut effects = Vec::new();
        request.disconnected(node(1), &mut effects);
        request.connected(node(1), &mut effects);
        assert_eq!(sent(&effects), [(node(1), hex("01 00"))]);
        let learned = hear(&mut request, &["fd", LOW]);
        assert_eq!(learned.len(), 1, "{learned:?}");
    }

    #[test]
    fn what_is_no_range_closes_the_connection() {
        let upside_down = "0100000000000000 0000000000000000";
        for bad in [
            &[upside_down][..],
            &["00"],
            &[LOW, &format!("02 {upside_down}")],
            &[LOW, LOW],
            &[LOW, "03"],
            &[LOW, ""],
        ] {
            let (mut request, mut effects) = (running(), Vec::new());
            for message in bad {
                request.receive(node(1), &hex(message), &mut effects);
            }
            assert_eq!(closed(&effects), [node(1)], "{bad:?} (F49)");
        }
    }
}
