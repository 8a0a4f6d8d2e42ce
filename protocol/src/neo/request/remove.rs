//! Remove: removes a record (`neo-requests.md` section 10).
//!
//! ```text
//! client  -- Remove channel key -------->  node
//!         <-- supported ----------------
//!         <-- NoRecord | Removed | WrongNode | Error  (end)
//! ```

use super::messages::{RecordName, one_byte_messages};
use super::visit::{Answer, Visitor};
use super::{Host, NodeHalf, Opening, Progress, RequestCode};
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
                .and_then(|channel| host.remove(channel, record.key))
            {
                Ok(true) => Reply::Removed,
                Ok(false) => Reply::NoRecord,
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
