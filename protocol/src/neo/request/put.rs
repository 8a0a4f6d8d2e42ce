//! Put: stores a record, replacing the one that was there (`neo-requests.md` section 4).
//!
//! ```text
//! client  -- Put channel key value -->  node
//!         <-- supported --------------
//!         <-- Put | WrongNode | Error  (end)
//! ```

use bytes::Bytes;

use super::answer::{Answering, SingleAnswer};
use super::messages::{RecordName, one_byte_messages};
use super::outcome::Failure;
use super::visit::{Answer, Visitor};
use super::{Host, Opening, RequestCode};
use crate::codec::{DecodeError, Put as _, Reader};
use crate::neo::violation::Violation;

const CODE: RequestCode = RequestCode::Put;

/// The largest value that a client stores, in bytes: what GetAll can deliver (`neo-requests.md` 1.3).
pub use crate::neo::batch::MAX_VALUE;

/// The client's message.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Open {
    /// Which record.
    pub record: RecordName,
    /// Its value.
    pub value: Bytes,
}

impl Open {
    /// The whole message, command included.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = CODE.command();
        self.record.encode(&mut out);
        out.put_array(&self.value);
        out
    }

    /// Reads the fields behind the command.
    pub fn decode(fields: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(fields);
        let record = RecordName::decode(&mut reader)?;
        let value = Bytes::copy_from_slice(reader.array("value")?);
        reader.finish()?;
        Ok(Self { record, value })
    }
}

one_byte_messages! {
    /// The node's answer.
    pub enum Reply {
        /// The record is stored.
        Put = 1,
        /// The node is not responsible for the key; nothing is stored.
        WrongNode = 2,
        /// The node could not store it.
        Error = 3,
    }
}

/// The client's half: asks the newest node that covers the key.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Client(Open);

impl Client {
    /// Refuses a value that is too big without asking anybody.
    pub fn new(open: Open) -> Result<Self, Failure> {
        match open.value.len() {
            len if len > MAX_VALUE => Err(Failure::ValueTooBig {
                len,
                limit: MAX_VALUE,
            }),
            _ => Ok(Self(open)),
        }
    }
}

impl Visitor for Client {
    const CODE: RequestCode = CODE;
    type Output = ();

    fn opening(&self) -> Vec<u8> {
        self.0.encode()
    }

    fn receive(&mut self, payload: &[u8]) -> Result<Answer<()>, DecodeError> {
        Ok(match Reply::decode(payload)? {
            Reply::Put => Answer::Done(()),
            Reply::WrongNode => Answer::WrongNode,
            Reply::Error => Answer::NodeError,
        })
    }

    fn exhausted(&self) {}
}

/// The node's half: stores when the message comes, and answers.
pub type Node = Answering<Reply>;

impl SingleAnswer for Reply {
    const CODE: RequestCode = CODE;

    fn to<H: Host>(opening: Opening<'_>, host: &mut H) -> Result<Self, Violation> {
        let Open { record, value } =
            Open::decode(opening.fields).map_err(CODE.malformed_first())?;
        if !host.is_writable(record.key) {
            return Ok(Self::WrongNode);
        }
        let stored = host
            .open_channel(&record.channel)
            .and_then(|id| host.put(id, record.key, &value));
        Ok(stored.map_or(Self::Error, |()| Self::Put))
    }

    fn encode(self) -> [u8; 1] {
        Reply::encode(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::HashRange;
    use crate::codec::Reason;
    use crate::key::Key;
    use crate::testing::talk::answered;
    use crate::testing::{Half, Memory, hex, node, open, said};

    const PUT: &str =
        "02 00 0400000000000000 74657374 0100000000000000 0500000000000000 68656c6c6f";

    fn example() -> Open {
        Open {
            record: RecordName {
                channel: "test".into(),
                key: Key(1),
            },
            value: "hello".into(),
        }
    }

    #[test]
    fn the_example_of_the_specification() {
        assert_eq!(example().encode(), hex(PUT));
        assert_eq!(Open::decode(&hex(PUT)[2..]), Ok(example()));
        for (reply, byte) in [(Reply::Put, 1), (Reply::WrongNode, 2), (Reply::Error, 3)] {
            assert_eq!(reply.encode(), [byte]);
            assert_eq!(Reply::decode(&[byte]), Ok(reply));
        }
        for bad in [&[][..], &[0], &[4], &[1, 0]] {
            assert!(Reply::decode(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_record_is_stored_and_its_followers_are_told() {
        let mut memory = Memory::with("test", [(1, "old")]);
        assert_eq!(said::<Node>(&mut memory, PUT), [[1]]);
        assert_eq!(memory.value("test", 1).unwrap(), "hello");
        assert_eq!(memory.events.len(), 1);

        let mut memory = Memory::default();
        assert_eq!(said::<Node>(&mut memory, PUT), [[1]]);
        assert_eq!(memory.names(), ["test"], "the channel is created");
    }

    #[test]
    fn a_node_that_is_not_responsible_changes_nothing() {
        let mut memory = Memory::covering(HashRange::new(0, u64::MAX / 2).unwrap());
        assert_eq!(said::<Node>(&mut memory, PUT), [[2]], "the key is odd");
        assert_eq!(memory.names(), [""; 0]);
        assert_eq!(memory.events, []);
    }

    #[test]
    fn a_node_that_cannot_store_says_so() {
        let mut memory = Memory::broken();
        assert_eq!(said::<Node>(&mut memory, PUT), [[3]]);
    }

    #[test]
    fn a_malformed_message_stores_nothing_and_tells_where_it_is_wrong() {
        let whole = hex(PUT);
        for len in 2..whole.len() {
            let cut = PUT.replace(' ', "")[..2 * len].to_owned();
            let mut memory = Memory::default();
            let error = open::<Node>(&mut memory, &cut).unwrap_err();
            let Violation::Malformed { error, .. } = error else {
                panic!("{error}");
            };
            assert!((2..=len).contains(&error.offset), "{error}");
            assert_eq!(memory.names(), [""; 0]);
        }
        let surplus = open::<Node>(&mut Memory::default(), &format!("{PUT} 00")).unwrap_err();
        let expected = DecodeError {
            field: "end of message",
            offset: whole.len(),
            reason: Reason::Surplus { extra: 1 },
        };
        assert_eq!(surplus, CODE.malformed("first")(expected));
    }

    #[test]
    fn a_second_message_before_the_answer_is_a_violation() {
        let mut half = Half::<Node>::open(Memory::default(), PUT);
        assert_eq!(half.receive(PUT), Err(CODE.unexpected_second()));
    }

    #[test]
    fn answers_at_the_client() {
        let answer = |reply| answered(Client::new(example()).unwrap(), &[reply]);
        let node = node(1);
        assert_eq!(answer("01"), Some(Ok(())));
        assert_eq!(answer("02"), Some(Err(Failure::WrongNode { node })));
        assert_eq!(answer("03"), Some(Err(Failure::NodeError { node })));
        for bad in ["", "00", "04", "0101"] {
            let outcome = answer(bad);
            assert!(
                matches!(outcome, Some(Err(Failure::Violation { .. }))),
                "{bad}: {outcome:?}"
            );
        }
    }

    #[test]
    fn the_largest_value_is_what_a_batch_of_get_all_holds() {
        let open = |len| Open {
            value: vec![0; len].into(),
            ..example()
        };
        assert!(Client::new(open(65_512)).is_ok());
        let failure = Client::new(open(65_513)).unwrap_err();
        let (len, limit) = (65_513, 65_512);
        assert_eq!(failure, Failure::ValueTooBig { len, limit });
    }
}
