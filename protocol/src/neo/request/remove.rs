//! Remove: removes a record (`neo-requests.md` section 10).
//!
//! ```text
//! client  -- Remove channel key -------->  node
//!         <-- supported ----------------
//!         <-- NoRecord | Removed | WrongNode | Error  (end)
//! ```

use super::answer::{Answering, SingleAnswer};
use super::messages::{RecordName, one_byte_messages};
use super::visit::{Answer, Visitor};
use super::{Host, Opening, RequestCode};
use crate::codec::DecodeError;
use crate::neo::violation::Violation;

const CODE: RequestCode = RequestCode::Remove;

one_byte_messages! {
    /// The node's answer.
    pub enum Reply {
        /// There was no such record.
        NoRecord = 1,
        /// The record is gone.
        Removed = 2,
        /// The node is not responsible for the key.
        WrongNode = 3,
        /// The node could not remove it.
        Error = 4,
    }
}

/// The client's half: asks every node that covers the key, oldest first, so that a failure on the way
/// cannot bring an older copy to light.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Client {
    record: RecordName,
    /// Did any node have the record? (The original reports the last answer alone, F39.)
    removed: bool,
}

impl Client {
    /// Removes this record.
    pub fn new(record: RecordName) -> Self {
        Self {
            record,
            removed: false,
        }
    }
}

impl Visitor for Client {
    const CODE: RequestCode = CODE;
    type Output = bool;

    fn opening(&self) -> Vec<u8> {
        self.record.opening(CODE)
    }

    fn receive(&mut self, payload: &[u8]) -> Result<Answer<bool>, DecodeError> {
        Ok(match Reply::decode(payload)? {
            Reply::NoRecord => Answer::Next,
            Reply::Removed => {
                self.removed = true;
                Answer::Next
            }
            Reply::WrongNode => Answer::WrongNode,
            Reply::Error => Answer::NodeError,
        })
    }

    fn exhausted(&self) -> bool {
        self.removed
    }
}

/// The node's half: removes when the message comes, and answers.
pub type Node = Answering<Reply>;

impl SingleAnswer for Reply {
    const CODE: RequestCode = CODE;

    fn to<H: Host>(opening: Opening<'_>, host: &mut H) -> Result<Self, Violation> {
        let record = RecordName::decode_fields(opening.fields).map_err(CODE.malformed_first())?;
        if !host.is_writable(record.key) {
            return Ok(Self::WrongNode);
        }
        let removed = host
            .open_channel(&record.channel)
            .and_then(|channel| host.remove(channel, record.key));
        Ok(match removed {
            Ok(true) => Self::Removed,
            Ok(false) => Self::NoRecord,
            Err(_) => Self::Error,
        })
    }

    fn encode(self) -> [u8; 1] {
        Reply::encode(self)
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

    const REMOVE: &str = "08 00 0400000000000000 74657374 0100000000000000";

    fn client() -> Client {
        Client::new(RecordName {
            channel: "test".into(),
            key: Key(1),
        })
    }

    #[test]
    fn the_example_of_the_specification() {
        assert_eq!(client().opening(), hex(REMOVE));
        assert_eq!(
            RecordName::decode_fields(&hex(REMOVE)[2..]),
            Ok(client().record)
        );
        let replies = [
            Reply::NoRecord,
            Reply::Removed,
            Reply::WrongNode,
            Reply::Error,
        ];
        for (reply, byte) in replies.into_iter().zip(1..) {
            assert_eq!(reply.encode(), [byte]);
            assert_eq!(Reply::decode(&[byte]), Ok(reply));
        }
    }

    #[test]
    fn answers_of_a_node() {
        for value in ["hello", ""] {
            let mut memory = Memory::with("test", [(1, value)]);
            assert_eq!(said::<Node>(&mut memory, REMOVE), [[2]], "{value:?}");
            assert_eq!(memory.value("test", 1), None);
            assert_eq!(memory.events.len(), 1);
        }

        let mut memory = Memory::default();
        assert_eq!(said::<Node>(&mut memory, REMOVE), [[1]]);
        assert_eq!(memory.events, [], "nothing has happened");

        let mut memory = Memory::with("test", [(1, "hello")]);
        memory.range = HashRange::EMPTY;
        assert_eq!(said::<Node>(&mut memory, REMOVE), [[3]]);
        assert!(memory.value("test", 1).is_some());

        memory.range = HashRange::FULL;
        memory.broken = true;
        assert_eq!(said::<Node>(&mut memory, REMOVE), [[4]]);
    }

    #[test]
    fn malformed_and_second_messages_are_violations() {
        for bad in [&REMOVE[..REMOVE.len() - 2], &format!("{REMOVE} 00")] {
            let mut memory = Memory::with("test", [(1, "hello")]);
            assert!(open::<Node>(&mut memory, bad).is_err(), "{bad}");
            assert!(memory.value("test", 1).is_some());
        }
        let mut half = Half::<Node>::open(Memory::default(), REMOVE);
        assert!(half.receive(REMOVE).is_err());
    }

    #[test]
    fn every_covering_node_is_asked_and_any_of_them_may_have_had_it() {
        for (first, second, removed) in [
            ("01", "01", false),
            ("01", "02", true),
            ("02", "01", true),
            ("02", "02", true),
        ] {
            let said = [(2, "fd"), (2, first), (1, "fd"), (1, second)];
            let effects = visited(client(), &[2, 1], &said);
            assert_eq!(
                sent(&effects),
                [(node(2), hex(REMOVE)), (node(1), hex(REMOVE))]
            );
            assert_eq!(told(&effects), [Ok(removed)], "{first} {second}");
        }
    }

    #[test]
    fn a_failure_on_the_way_ends_it() {
        let node = node(1);
        let failure = answered(client(), &["03"]);
        assert_eq!(failure, Some(Err(Failure::WrongNode { node })));
        let failure = answered(client(), &["04"]);
        assert_eq!(failure, Some(Err(Failure::NodeError { node })));
        let said = [(1, "fd"), (1, "02"), (2, "fd"), (2, "04")];
        let effects = visited(client(), &[1, 2, 3], &said);
        assert_eq!(sent(&effects).len(), 2, "no newer node is asked");
        assert!(matches!(
            told(&effects)[..],
            [Err(Failure::NodeError { .. })]
        ));
    }
}
