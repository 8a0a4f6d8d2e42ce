//! Get: reads a record (`neo-requests.md` section 5). The client's message is a [`RecordName`].
//!
//! ```text
//! client  -- Get channel key ---------->  node
//!         <-- supported ---------------
//!         <-- NoRecord | WrongNode | Error  (end)
//!     or  <-- Got
//!         <-- value                         (end)
//! ```

use bytes::Bytes;

use super::messages::{RecordName, one_byte_messages};
use super::visit::{Answer, Visitor};
use super::{Host, HostError, NodeHalf, Opening, Progress, RequestCode};
use crate::codec::{DecodeError, Put as _, Reader};
use crate::neo::violation::Violation;

const CODE: RequestCode = RequestCode::Get;

one_byte_messages! {
    /// The node's first answer.
    pub enum Reply {
        /// There is no such record.
        NoRecord = 1,
        /// There is one; its value follows in a message of its own.
        Got = 2,
        /// The node is not responsible for the key.
        WrongNode = 3,
        /// The node could not look.
        Error = 4,
    }
}

/// The message that follows [`Reply::Got`]. It has no type byte.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Value(pub Bytes);

impl Value {
    /// The whole message.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(8 + self.0.len());
        out.put_array(&self.0);
        out
    }

    /// Reads the message.
    pub fn decode(payload: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(payload);
        let value = Bytes::copy_from_slice(reader.array("value")?);
        reader.finish()?;
        Ok(Self(value))
    }
}

/// The client's half: asks the nodes that cover the key, newest first, until one has the record.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Client {
    record: RecordName,
    value_follows: bool,
}

impl Client {
    /// Looks for this record.
    pub fn new(record: RecordName) -> Self {
        Self {
            record,
            value_follows: false,
        }
    }
}

impl Visitor for Client {
    const CODE: RequestCode = CODE;
    type Output = Option<Bytes>;

    fn opening(&self) -> Vec<u8> {
        self.record.opening(CODE)
    }

    fn receive(&mut self, payload: &[u8]) -> Result<Answer<Option<Bytes>>, DecodeError> {
        if self.value_follows {
            return Ok(Answer::Done(Some(Value::decode(payload)?.0)));
        }
        Ok(match Reply::decode(payload)? {
            Reply::NoRecord => Answer::Next,
            Reply::Got => {
                self.value_follows = true;
                Answer::More
            }
            Reply::WrongNode => Answer::WrongNode,
            Reply::Error => Answer::NodeError,
        })
    }

    fn exhausted(&self) -> Option<Bytes> {
        None
    }

    fn phase(&self) -> &'static str {
        match self.value_follows {
            true => "AwaitValue",
            false => "AwaitAnswer",
        }
    }
}

/// The node's half: takes the value at the moment the message comes.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Node {
    /// The answer is to be sent, and behind [`Reply::Got`] a value.
    Answering(Reply, Option<Bytes>),
    /// The value is to be sent.
    SendingValue(Bytes),
    /// Everything was said.
    Ended,
}

impl NodeHalf for Node {
    fn open<H: Host>(opening: Opening<'_>, host: &mut H) -> Result<Self, Violation> {
        let record = RecordName::decode_fields(opening.fields).map_err(CODE.malformed_first())?;
        if !host.range().covers(record.key) {
            return Ok(Self::Answering(Reply::WrongNode, None));
        }
        let found: Result<_, HostError> = host
            .open_channel(&record.channel)
            .and_then(|channel| host.get(channel, record.key));
        Ok(match found {
            Ok(Some(value)) => Self::Answering(Reply::Got, Some(value)),
            Ok(None) => Self::Answering(Reply::NoRecord, None),
            Err(_) => Self::Answering(Reply::Error, None),
        })
    }

    fn receive<H: Host>(&mut self, _: &[u8], _: &mut H) -> Result<(), Violation> {
        Err(CODE.unexpected_second())
    }

    fn poll<H: Host>(&mut self, _: &mut H, out: &mut Vec<u8>) -> Progress {
        match std::mem::replace(self, Self::Ended) {
            Self::Answering(reply, value) => {
                out.extend_from_slice(&reply.encode());
                if let Some(value) = value {
                    *self = Self::SendingValue(value);
                }
                Progress::Sent
            }
            Self::SendingValue(value) => {
                out.put_array(&value);
                Progress::Sent
            }
            Self::Ended => Progress::Ended,
        }
    }

    fn is_over(&self) -> bool {
        *self == Self::Ended
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::HashRange;
    use crate::key::Key;
    use crate::neo::request::Failure;
    use crate::testing::talk::{answered, sent, told, visited};
    use crate::testing::{Half, Memory, hex, node, open, said};

    const GET: &str = "03 00 0400000000000000 74657374 0100000000000000";

    fn client() -> Client {
        Client::new(RecordName {
            channel: "test".into(),
            key: Key(1),
        })
    }

    #[test]
    fn the_example_of_the_specification() {
        assert_eq!(client().opening(), hex(GET));
        assert_eq!(
            RecordName::decode_fields(&hex(GET)[2..]),
            Ok(client().record)
        );
        let value = hex("0500000000000000 68656c6c6f");
        assert_eq!(Value("hello".into()).encode(), value);
        assert_eq!(Value::decode(&value), Ok(Value("hello".into())));
        let replies = [Reply::NoRecord, Reply::Got, Reply::WrongNode, Reply::Error];
        for (reply, byte) in replies.into_iter().zip(1..) {
            assert_eq!(reply.encode(), [byte]);
            assert_eq!(Reply::decode(&[byte]), Ok(reply));
        }
    }

    #[test]
    fn the_value_comes_in_a_message_of_its_own() {
        let mut memory = Memory::with("test", [(1, "hello")]);
        let said = said::<Node>(&mut memory, GET);
        assert_eq!(said, [hex("02"), hex("0500000000000000 68656c6c6f")]);
    }

    #[test]
    fn the_value_is_the_one_of_the_moment_when_the_message_came() {
        let mut half = Half::<Node>::open(Memory::with("test", [(1, "then")]), GET);
        half.memory.store("test", 1, "later");
        assert_eq!(half.say()[1], hex("0400000000000000 7468656e"));
    }

    #[test]
    fn other_answers_of_a_node() {
        let mut memory = Memory::default();
        assert_eq!(said::<Node>(&mut memory, GET), [[1]]);
        assert_eq!(memory.names(), ["test"], "reading creates the channel");

        let mut memory = Memory::covering(HashRange::EMPTY);
        assert_eq!(said::<Node>(&mut memory, GET), [[3]]);
        assert_eq!(memory.names(), [""; 0]);

        let mut memory = Memory::broken();
        assert_eq!(said::<Node>(&mut memory, GET), [[4]]);
    }

    #[test]
    fn an_empty_value_is_a_value() {
        let mut memory = Memory::with("test", [(1, "")]);
        let said = said::<Node>(&mut memory, GET);
        assert_eq!(said, [hex("02"), hex("0000000000000000")]);
    }

    #[test]
    fn malformed_and_second_messages_are_violations() {
        for bad in [&GET[..GET.len() - 2], &format!("{GET} 00"), "03 00"] {
            assert!(open::<Node>(&mut Memory::default(), bad).is_err(), "{bad}");
        }
        let mut half = Half::<Node>::open(Memory::with("test", [(1, "x")]), GET);
        assert!(half.receive(GET).is_err());
        half.next();
        assert!(half.receive(GET).is_err(), "the value is still to be sent");
    }

    #[test]
    fn answers_at_the_client() {
        let node = node(1);
        let value = "0500000000000000 68656c6c6f";
        assert_eq!(
            answered(client(), &["02", value]),
            Some(Ok(Some("hello".into())))
        );
        assert_eq!(answered(client(), &["02"]), None);
        assert_eq!(answered(client(), &["01"]), Some(Ok(None)));
        assert_eq!(
            answered(client(), &["03"]),
            Some(Err(Failure::WrongNode { node }))
        );
        assert_eq!(
            answered(client(), &["04"]),
            Some(Err(Failure::NodeError { node }))
        );
        for bad in [&["05"][..], &[""], &["0201"], &["02", "02"], &["02", ""]] {
            let outcome = answered(client(), bad);
            assert!(
                matches!(outcome, Some(Err(Failure::Violation { .. }))),
                "{bad:?}: {outcome:?}"
            );
        }
    }

    #[test]
    fn an_older_node_is_asked_for_what_a_newer_one_has_not() {
        let said = [(1, "fd"), (1, "01"), (2, "fd"), (2, "02")];
        let mut said = said.to_vec();
        said.push((2, "0100000000000000 78"));
        let effects = visited(client(), &[1, 2, 3], &said);
        assert_eq!(
            sent(&effects),
            [(node(1), hex(GET)), (node(2), hex(GET))],
            "the third is not asked"
        );
        assert_eq!(told(&effects), [Ok(Some("x".into()))]);
    }
}
