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
        let record = RecordName::decode_fields(opening.fields).map_err(CODE.malformed("first"))?;
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
}
