//! Exists: is there a record? (`neo-requests.md` section 9)
//!
//! ```text
//! client  -- Exists channel key -------->  node
//!         <-- supported ----------------
//!         <-- RecordExists | NoRecord | WrongNode | Error  (end)
//! ```

use super::answer::{Answering, SingleAnswer};
use super::messages::{RecordName, one_byte_messages};
use super::visit::{Answer, Visitor};
use super::{Host, Opening, RequestCode};
use crate::codec::DecodeError;
use crate::neo::violation::Violation;

const CODE: RequestCode = RequestCode::Exists;

one_byte_messages! {
    /// The node's answer. The numbers differ from those of Get and Remove.
    pub enum Reply {
        /// There is such a record.
        RecordExists = 1,
        /// There is none.
        NoRecord = 2,
        /// The node is not responsible for the key.
        WrongNode = 3,
        /// The node could not look.
        Error = 4,
    }
}

/// The client's half: asks the nodes that cover the key, newest first, until one has the record.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Client(RecordName);

impl Client {
    /// Looks for this record.
    pub fn new(record: RecordName) -> Self {
        Self(record)
    }
}

impl Visitor for Client {
    const CODE: RequestCode = CODE;
    type Output = bool;

    fn opening(&self) -> Vec<u8> {
        self.0.opening(CODE)
    }

    fn receive(&mut self, payload: &[u8]) -> Result<Answer<bool>, DecodeError> {
        Ok(match Reply::decode(payload)? {
            Reply::RecordExists => Answer::Done(true),
            Reply::NoRecord => Answer::Next,
            Reply::WrongNode => Answer::WrongNode,
            Reply::Error => Answer::NodeError,
        })
    }

    fn exhausted(&self) -> bool {
        false
    }
}

/// The node's half: looks when the message comes, and answers.
pub type Node = Answering<Reply>;

impl SingleAnswer for Reply {
    const CODE: RequestCode = CODE;

    fn to<H: Host>(opening: Opening<'_>, host: &mut H) -> Result<Self, Violation> {
        let record = RecordName::decode_fields(opening.fields).map_err(CODE.malformed_first())?;
        if !host.range().covers(record.key) {
            return Ok(Self::WrongNode);
        }
        let found = host
            .open_channel(&record.channel)
            .and_then(|channel| host.get(channel, record.key));
        Ok(match found {
            Ok(Some(_)) => Self::RecordExists,
            Ok(None) => Self::NoRecord,
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

    const EXISTS: &str = "07 00 0400000000000000 74657374 0100000000000000";

    fn client() -> Client {
        Client::new(RecordName {
            channel: "test".into(),
            key: Key(1),
        })
    }

    #[test]
    fn the_example_of_the_specification() {
        assert_eq!(client().opening(), hex(EXISTS));
        assert_eq!(RecordName::decode_fields(&hex(EXISTS)[2..]), Ok(client().0));
        let replies = [
            Reply::RecordExists,
            Reply::NoRecord,
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
        let mut memory = Memory::with("test", [(1, "hello")]);
        assert_eq!(said::<Node>(&mut memory, EXISTS), [[1]]);
        let mut memory = Memory::with("test", [(1, "")]);
        assert_eq!(said::<Node>(&mut memory, EXISTS), [[1]], "empty, but there");

        let mut memory = Memory::default();
        assert_eq!(said::<Node>(&mut memory, EXISTS), [[2]]);
        assert_eq!(memory.names(), ["test"], "reading creates the channel");

        let mut memory = Memory::covering(HashRange::EMPTY);
        assert_eq!(said::<Node>(&mut memory, EXISTS), [[3]]);
        assert_eq!(memory.names(), [""; 0]);

        let mut memory = Memory::broken();
        assert_eq!(said::<Node>(&mut memory, EXISTS), [[4]]);
    }

    #[test]
    fn malformed_and_second_messages_are_violations() {
        for bad in [&EXISTS[..EXISTS.len() - 2], &format!("{EXISTS} 00")] {
            assert!(open::<Node>(&mut Memory::default(), bad).is_err(), "{bad}");
        }
        let mut half = Half::<Node>::open(Memory::default(), EXISTS);
        assert!(half.receive(EXISTS).is_err());
    }

    #[test]
    fn answers_at_the_client() {
        let node = node(1);
        assert_eq!(answered(client(), &["01"]), Some(Ok(true)));
        assert_eq!(answered(client(), &["02"]), Some(Ok(false)));
        assert_eq!(
            answered(client(), &["03"]),
            Some(Err(Failure::WrongNode { node }))
        );
        assert_eq!(
            answered(client(), &["04"]),
            Some(Err(Failure::NodeError { node }))
        );
        let outcome = answered(client(), &["05"]);
        assert!(matches!(outcome, Some(Err(Failure::Violation { .. }))));
    }

    #[test]
    fn only_all_covering_nodes_together_know_that_there_is_no_record() {
        let said = [(1, "fd"), (1, "02"), (2, "fd"), (2, "02")];
        let effects = visited(client(), &[1, 2], &said);
        assert_eq!(sent(&effects).len(), 2);
        assert_eq!(told(&effects), [Ok(false)]);
        assert_eq!(told(&visited(client(), &[1, 2], &said[..2])), []);
    }
}
