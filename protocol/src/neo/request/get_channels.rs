//! GetChannels: lists the channels of all nodes (`neo-requests.md` section 8).
//!
//! ```text
//! client  -- GetChannels ---------------->  node
//!         <-- supported -----------------
//!         <-- ChannelName name              (as often as there are channels)
//!         <-- Finished | Error              (end)
//! ```

use std::collections::BTreeSet;

use super::gather::{Gather, Told};
use super::messages::unknown_type;
use super::{Host, NodeHalf, Opening, Progress, RequestCode};
use crate::channel::ChannelName;
use crate::codec::{DecodeError, Put as _, Reader};
use crate::neo::NodeAddress;
use crate::neo::violation::Violation;

const CODE: RequestCode = RequestCode::GetChannels;

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

/// What the node says.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum FromNode {
    /// The node could not list its channels.
    Error,
    /// One channel.
    ChannelName(ChannelName),
    /// That was all.
    Finished,
}

impl FromNode {
    /// Appends the message.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Error => out.put_u8(1),
            Self::ChannelName(name) => {
                out.put_u8(2);
                out.put_array(name.as_bytes());
            }
            Self::Finished => out.put_u8(3),
        }
    }

    /// Reads the message.
    pub fn decode(payload: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(payload);
        let message = match reader.u8("type")? {
            1 => Self::Error,
            2 => Self::ChannelName(ChannelName::copy_from(reader.array("name")?)),
            3 => Self::Finished,
            value => return Err(unknown_type(value)),
        };
        reader.finish()?;
        Ok(message)
    }

    /// Its name in the specification.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Error => "Error",
            Self::ChannelName(_) => "ChannelName",
            Self::Finished => "Finished",
        }
    }
}

/// The client's half: tells each name once, however many nodes have the channel.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct Client {
    seen: BTreeSet<ChannelName>,
}

impl Gather for Client {
    const CODE: RequestCode = CODE;
    type Part = ();
    type Notice = ChannelName;

    fn opening(&self) -> Vec<u8> {
        Open.encode()
    }

    fn receive(
        &mut self,
        _: NodeAddress,
        (): &mut (),
        payload: &[u8],
        notices: &mut Vec<ChannelName>,
    ) -> Result<Told, DecodeError> {
        Ok(match FromNode::decode(payload)? {
            FromNode::ChannelName(name) => {
                if self.seen.insert(name.clone()) {
                    notices.push(name);
                }
                Told::Something
            }
            FromNode::Finished => Told::Everything,
            FromNode::Error => Told::Error,
        })
    }
}

/// The node's half: walks the channels in the node's order, remembering only the last name, so that
/// channels may come and go meanwhile (P25).
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Node {
    /// Channels behind this one are still to be told.
    Walking(Option<ChannelName>),
    /// Everything was said.
    Ended,
}

impl NodeHalf for Node {
    fn open<H: Host>(opening: Opening<'_>, _: &mut H) -> Result<Self, Violation> {
        Open::decode(opening.fields).map_err(CODE.malformed_first())?;
        Ok(Self::Walking(None))
    }

    fn receive<H: Host>(&mut self, _: &[u8], _: &mut H) -> Result<(), Violation> {
        Err(CODE.unexpected_second())
    }

    fn poll<H: Host>(&mut self, host: &mut H, out: &mut Vec<u8>) -> Progress {
        let Self::Walking(last) = self else {
            return Progress::Ended;
        };
        match host.channel_after(last.as_ref()) {
            Some(name) => {
                FromNode::ChannelName(name.clone()).encode(out);
                *last = Some(name);
            }
            None => {
                FromNode::Finished.encode(out);
                *self = Self::Ended;
            }
        }
        Progress::Sent
    }

    fn is_over(&self) -> bool {
        *self == Self::Ended
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::neo::request::gather::{Gathering, Notification};
    use crate::testing::talk::{closed, told};
    use crate::testing::{Half, Memory, hex, node, open, said};

    #[test]
    fn the_example_of_the_specification() {
        assert_eq!(Open.encode(), hex("06 00"));
        assert_eq!(Open::decode(&[]), Ok(Open));
        for (message, bytes) in [
            (FromNode::Error, "01"),
            (
                FromNode::ChannelName("test".into()),
                "02 0400000000000000 74657374",
            ),
            (FromNode::ChannelName("".into()), "02 0000000000000000"),
            (FromNode::Finished, "03"),
        ] {
            let mut out = Vec::new();
            message.encode(&mut out);
            assert_eq!(out, hex(bytes));
            assert_eq!(FromNode::decode(&out), Ok(message));
        }
        for bad in ["", "00", "04", "02", "02 0100000000000000", "0300"] {
            assert!(FromNode::decode(&hex(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn every_channel_is_told_once() {
        let mut memory = Memory::default();
        assert_eq!(said::<Node>(&mut memory, "06 00"), [[3]]);
        memory.create("b");
        memory.create("a");
        assert_eq!(
            said::<Node>(&mut memory, "06 00"),
            [
                hex("02 0100000000000000 61"),
                hex("02 0100000000000000 62"),
                hex("03")
            ]
        );
    }

    #[test]
    fn channels_may_come_and_go_meanwhile() {
        let mut memory = Memory::default();
        for name in ["a", "b", "c"] {
            memory.create(name);
        }
        let mut half = Half::<Node>::open(memory, "06 00");
        assert_eq!(half.next().unwrap(), hex("02 0100000000000000 61"));
        for name in ["a", "b"] {
            half.memory.remove_channel(&name.into()).unwrap();
        }
        half.memory.create("aa");
        half.memory.create("d");
        let names: Vec<_> = half
            .say()
            .iter()
            .map(|message| FromNode::decode(message).unwrap())
            .collect();
        let channel = |name: &str| FromNode::ChannelName(name.into());
        assert_eq!(
            names,
            [
                channel("aa"),
                channel("c"),
                channel("d"),
                FromNode::Finished
            ]
        );
        assert!(half.is_ended());
    }

    #[test]
    fn a_client_has_nothing_to_add() {
        assert!(open::<Node>(&mut Memory::default(), "06 00 00").is_err());
        let mut half = Half::<Node>::open(Memory::default(), "06 00");
        assert!(half.receive("06 00").is_err());
    }

    #[test]
    fn a_name_is_reported_once_over_all_nodes_and_reconnections() {
        let (mut request, mut effects) = (Gathering::new(Client::default()), Vec::new());
        let a = hex("02 0100000000000000 61");
        let b = hex("02 0100000000000000 62");
        request.connected(node(1), &mut effects);
        request.connected(node(2), &mut effects);
        for (port, message) in [(1, &[0xfd][..]), (2, &[0xfd]), (1, &a), (2, &a), (2, &b)] {
            request.receive(node(port), message, &mut effects);
        }
        request.receive(node(2), &[3], &mut effects);
        request.disconnected(node(1), &mut effects);
        request.connected(node(1), &mut effects);
        for message in [&[0xfd][..], &a, &b, &[3]] {
            request.receive(node(1), message, &mut effects);
        }
        assert_eq!(
            told(&effects),
            [
                Notification::Notice("a".into()),
                Notification::Notice("b".into()),
                Notification::Disconnected(node(1)),
                Notification::Finished,
            ]
        );
        assert_eq!(closed(&effects), []);
    }

    #[test]
    fn an_error_ends_the_part_of_a_node() {
        let (mut request, mut effects) = (Gathering::new(Client::default()), Vec::new());
        request.connected(node(1), &mut effects);
        request.receive(node(1), &[0xfd], &mut effects);
        request.receive(node(1), &[1], &mut effects);
        assert_eq!(
            told(&effects),
            [Notification::NodeError(node(1)), Notification::Finished]
        );
    }
}
