//! RemoveChannel: removes a channel with all its records, on every node (`neo-requests.md` section 11).
//!
//! ```text
//! client  -- RemoveChannel channel ------>  node
//!         <-- supported -----------------
//!         <-- ChannelRemoved | NotPermitted | Error  (end)
//! ```

use super::gather::{Gather, Told};
use super::messages::one_byte_messages;
use super::{Host, NodeHalf, Opening, Progress, RequestCode};
use crate::channel::ChannelName;
use crate::codec::{DecodeError, Put as _, Reader};
use crate::neo::NodeAddress;
use crate::neo::violation::Violation;

const CODE: RequestCode = RequestCode::RemoveChannel;

/// The client's message.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Open(pub ChannelName);

impl Open {
    /// The whole message, command included.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = CODE.command();
        out.put_array(self.0.as_bytes());
        out
    }

    /// Reads the fields behind the command.
    pub fn decode(fields: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(fields);
        let channel = ChannelName::copy_from(reader.array("channel")?);
        reader.finish()?;
        Ok(Self(channel))
    }
}

one_byte_messages! {
    /// The node's answer.
    pub enum Reply {
        /// There is no such channel, or no more.
        ChannelRemoved = 1,
        /// This client may not remove channels.
        NotPermitted = 2,
        /// The node could not remove it.
        Error = 3,
    }
}

/// What the user is told while the request runs.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Notice {
    /// A node does not let this client remove channels.
    NotPermitted(NodeAddress),
}

/// The client's half: asks every node once; after a reconnection again, which does no harm.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Client(Open);

impl Client {
    /// Removes this channel.
    pub fn new(channel: ChannelName) -> Self {
        Self(Open(channel))
    }
}

impl Gather for Client {
    const CODE: RequestCode = CODE;
    type Part = ();
    type Notice = Notice;

    fn opening(&self) -> Vec<u8> {
        self.0.encode()
    }

    fn receive(
        &mut self,
        node: NodeAddress,
        (): &mut (),
        payload: &[u8],
        notices: &mut Vec<Notice>,
    ) -> Result<Told, DecodeError> {
        Ok(match Reply::decode(payload)? {
            Reply::ChannelRemoved => Told::Everything,
            Reply::NotPermitted => {
                notices.push(Notice::NotPermitted(node));
                Told::Everything
            }
            Reply::Error => Told::Error,
        })
    }
}

/// The node's half: removes when the message comes, if the client may, and answers.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Node {
    reply: Option<Reply>,
}

impl NodeHalf for Node {
    fn open<H: Host>(opening: Opening<'_>, host: &mut H) -> Result<Self, Violation> {
        let Open(channel) = Open::decode(opening.fields).map_err(CODE.malformed("first"))?;
        let reply = match host.may_remove_channels(opening.client) {
            true => host
                .remove_channel(&channel)
                .map_or(Reply::Error, |()| Reply::ChannelRemoved),
            false => Reply::NotPermitted,
        };
        Ok(Self { reply: Some(reply) })
    }

    fn receive<H: Host>(&mut self, _: &[u8], _: &mut H) -> Result<(), Violation> {
        Err(CODE.unexpected_second())
    }

    fn poll<H: Host>(&mut self, _: &mut H, out: &mut Vec<u8>) -> Progress {
        super::answer_once(self.reply.take().map(Reply::encode), out)
    }
}
