//! Exists: is there a record? (`neo-requests.md` section 9)
//!
//! ```text
//! client  -- Exists channel key -------->  node
//!         <-- supported ----------------
//!         <-- RecordExists | NoRecord | WrongNode | Error  (end)
//! ```

use super::messages::{RecordName, one_byte_messages};
use super::visit::{Answer, Visitor};
use super::{Host, NodeHalf, Opening, Progress, RequestCode};
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
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Node {
    reply: Option<Reply>,
}

impl NodeHalf for Node {
    fn open<H: Host>(opening: Opening<'_>, host: &mut H) -> Result<Self, Violation> {
        let record = RecordName::decode_fields(opening.fields).map_err(CODE.malformed("first"))?;
        let reply = if !host.range().covers(record.key) {
            Reply::WrongNode
        } else {
            match host
                .open_channel(&record.channel)
                .and_then(|channel| host.get(channel, record.key))
            {
                Ok(Some(_)) => Reply::RecordExists,
                Ok(None) => Reply::NoRecord,
                Err(_) => Reply::Error,
            }
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
