//! RemoveChannel: removes a channel with all its records, on every node (`neo-requests.md` section 11).
//!
//! ```text
//! client  -- RemoveChannel channel ------>  node
//!         <-- supported -----------------
//!         <-- ChannelRemoved | NotPermitted | Error  (end)
//! ```

use super::answer::{Answering, SingleAnswer};
use super::gather::{Gather, Told};
use super::messages::one_byte_messages;
use super::{Host, Opening, RequestCode};
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
pub type Node = Answering<Reply>;

impl SingleAnswer for Reply {
    const CODE: RequestCode = CODE;

    fn to<H: Host>(opening: Opening<'_>, host: &mut H) -> Result<Self, Violation> {
        let Open(channel) = Open::decode(opening.fields).map_err(CODE.malformed_first())?;
        let reply = match host.may_remove_channels(opening.client) {
            true => host
                .remove_channel(&channel)
                .map_or(Self::Error, |()| Self::ChannelRemoved),
            false => Self::NotPermitted,
        };
        Ok(reply)
    }

    fn encode(self) -> [u8; 1] {
        Reply::encode(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::neo::Limits;
    use crate::neo::request::gather::{Gathering, Notification};
    use crate::testing::talk::told;
    use crate::testing::{Event, Half, Memory, hex, node, open, open_as, said};

    const REMOVE: &str = "09 00 0100000000000000 63";

    #[test]
    fn the_example_of_the_specification() {
        let open = Open("c".into());
        assert_eq!(open.encode(), hex(REMOVE));
        assert_eq!(Open::decode(&hex(REMOVE)[2..]), Ok(open));
        let replies = [Reply::ChannelRemoved, Reply::NotPermitted, Reply::Error];
        for (reply, byte) in replies.into_iter().zip(1..) {
            assert_eq!(reply.encode(), [byte]);
            assert_eq!(Reply::decode(&[byte]), Ok(reply));
        }
    }

    #[test]
    fn the_channel_is_gone_and_its_followers_are_told() {
        let mut memory = Memory::with("c", [(1, "x")]);
        let id = memory.create("c");
        assert_eq!(said::<Node>(&mut memory, REMOVE), [[1]]);
        assert_eq!(memory.names(), [""; 0]);
        assert_eq!(memory.events, [Event::Gone(id)]);
        assert_eq!(said::<Node>(&mut memory, REMOVE), [[1]], "gone already");
        assert_eq!(memory.names(), [""; 0], "nothing is created");
    }

    #[test]
    fn a_node_that_cannot_remove_it_says_so() {
        assert_eq!(said::<Node>(&mut Memory::broken(), REMOVE), [[3]]);
    }

    #[test]
    fn whoever_may_not_is_told_so() {
        for client in ["bob", "Admin", "admin2"] {
            let mut memory = Memory::with("c", [(1, "x")]);
            let node = open_as(client, &mut memory, &hex(REMOVE), &Limits::default()).unwrap();
            let mut half = Half::<Node> { node, memory };
            assert_eq!(half.say(), [[2]], "P23, P24, F01");
            assert!(half.is_ended());
            assert_eq!(half.memory.names(), ["c"]);
        }
    }

    #[test]
    fn malformed_and_second_messages_are_violations() {
        for bad in [
            "09 00",
            "09 00 0200000000000000 63",
            "09 00 0000000000000000 63",
        ] {
            let mut memory = Memory::with("c", []);
            assert!(open::<Node>(&mut memory, bad).is_err(), "{bad}");
            assert_eq!(memory.names(), ["c"]);
        }
        assert!(
            Half::<Node>::open(Memory::default(), REMOVE)
                .receive("01")
                .is_err()
        );
    }

    #[test]
    fn a_node_that_does_not_permit_it_is_named_before_the_end() {
        let (mut request, mut effects) = (Gathering::new(Client::new("c".into())), Vec::new());
        for port in [1, 2] {
            request.connected(node(port), &mut effects);
            request.receive(node(port), &[0xfd], &mut effects);
        }
        request.receive(node(1), &[2], &mut effects);
        request.receive(node(2), &[1], &mut effects);
        assert_eq!(
            told(&effects),
            [
                Notification::Notice(Notice::NotPermitted(node(1))),
                Notification::Finished,
            ]
        );
    }
}
