//! Put: stores a record, replacing the one that was there (`neo-requests.md` section 4).
//!
//! ```text
//! client  -- Put channel key value -->  node
//!         <-- supported --------------
//!         <-- Put | WrongNode | Error  (end)
//! ```

use bytes::Bytes;

use super::messages::{RecordName, one_byte_messages};
use super::outcome::Failure;
use super::visit::{Answer, Visitor};
use super::{Host, NodeHalf, Opening, Progress, RequestCode};
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
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Node {
    reply: Option<Reply>,
}

impl NodeHalf for Node {
    fn open<H: Host>(opening: Opening<'_>, host: &mut H) -> Result<Self, Violation> {
        let Open { record, value } =
            Open::decode(opening.fields).map_err(CODE.malformed("first"))?;
        let reply = if !host.range().covers(record.key) {
            Reply::WrongNode
        } else {
            let stored = host
                .open_channel(&record.channel)
                .and_then(|id| host.put(id, record.key, &value));
            stored.map_or(Reply::Error, |()| Reply::Put)
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
