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
        Open::decode(opening.fields).map_err(CODE.malformed("first"))?;
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
}
