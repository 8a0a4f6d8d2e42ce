//! What a node answers to one order at once: a status, and behind Ok what was asked for
//! (`legacy.md` 3.2, 7). Answers that come in pieces are in [`stream`](super::stream).

use bytes::Bytes;

use super::command::{Command, Status};
use super::fields::{Fields, Stop};
use super::{VERSION, Violation};
use crate::codec::Put;
use crate::host::Size;
use crate::key::HashRange;

/// A whole answer.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Answer {
    /// A status alone. Ok for a command whose answer has nothing behind it, otherwise the reason for
    /// which there is nothing.
    Status(Status),
    /// Ok and the version of the protocol.
    Version(Bytes),
    /// Ok and the node's hash range.
    Range(HashRange),
    /// Ok and the value of a record; empty if there is no such record.
    Value(Bytes),
    /// Ok, and is there a record?
    Exists(bool),
    /// Ok and how much is stored.
    Size(About, Size),
    /// Ok and how many clients are connected.
    Connections(About, u64),
}

/// Which node says it.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct About {
    /// Its address as text; a node may leave it out.
    pub address: Bytes,
    /// Its legacy port; 0 if the node leaves it out.
    pub port: u16,
}

impl Answer {
    /// The version that a node of this protocol has.
    pub fn version() -> Self {
        Self::Version(Bytes::from_static(VERSION.as_bytes()))
    }

    /// Its status.
    pub fn status(&self) -> Status {
        match self {
            Self::Status(status) => *status,
            _ => Status::Ok,
        }
    }

    /// Appends the answer.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.put_u32(self.status().code().cast_unsigned());
        match self {
            Self::Status(_) => {}
            Self::Version(version) => out.put_array(version),
            Self::Range(range) => {
                let range = *range;
                out.put_u64(range.min());
                out.put_u64(range.max());
            }
            Self::Value(value) => out.put_array(value),
            Self::Exists(exists) => out.put_bool(*exists),
            Self::Size(about, size) => {
                about.encode(out);
                out.put_u64(size.records);
                out.put_u64(size.bytes);
            }
            Self::Connections(about, connections) => {
                about.encode(out);
                out.put_u64(*connections);
            }
        }
    }

    /// What stands behind Ok in the answer to this command, `None` if the answer comes in pieces.
    pub(super) fn body(command: Command, fields: &mut Fields<'_>) -> Option<Result<Self, Stop>> {
        Some(match command {
            Command::Put
            | Command::Remove
            | Command::RemoveChannel
            | Command::Redistribute
            | Command::PutBatch => Ok(Self::Status(Status::Ok)),
            Command::GetVersion => fields.array("version").map(|version| {
                // Whatever it is: to compare it is the client's business.
                Self::Version(Bytes::copy_from_slice(version))
            }),
            Command::GetResponsibleRange => fields.range().map(Self::Range),
            Command::Get => fields
                .array("value")
                .map(|value| Self::Value(Bytes::copy_from_slice(value))),
            Command::Exists => exists(fields),
            Command::GetSize | Command::GetChannelSize => size(fields),
            Command::GetNumConnections => connections(fields),
            Command::GetChannels
            | Command::GetAll
            | Command::GetAllKeys
            | Command::GetAllFilter
            | Command::Listen => return None,
        })
    }
}

impl About {
    fn encode(&self, out: &mut Vec<u8>) {
        out.put_array(&self.address);
        out.extend_from_slice(&self.port.to_le_bytes());
    }

    fn decode(fields: &mut Fields<'_>) -> Result<Self, Stop> {
        Ok(Self {
            address: Bytes::copy_from_slice(fields.array("address")?),
            port: fields.port("port")?,
        })
    }
}

fn exists(fields: &mut Fields<'_>) -> Result<Answer, Stop> {
    match fields.u8("exists")? {
        0 => Ok(Answer::Exists(false)),
        1 => Ok(Answer::Exists(true)),
        value => Err(Violation::Boolean { value }.into()),
    }
}

fn size(fields: &mut Fields<'_>) -> Result<Answer, Stop> {
    let about = About::decode(fields)?;
    let size = Size {
        records: fields.u64("records")?,
        bytes: fields.u64("bytes")?,
    };
    Ok(Answer::Size(about, size))
}

fn connections(fields: &mut Fields<'_>) -> Result<Answer, Stop> {
    let about = About::decode(fields)?;
    Ok(Answer::Connections(about, fields.u64("connections")?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::hex;

    fn encoded(answer: &Answer) -> Vec<u8> {
        let mut out = Vec::new();
        answer.encode(&mut out);
        out
    }

    #[test]
    fn the_recorded_bytes() {
        let about = About {
            address: Bytes::from("127.0.0.1"),
            port: 23_000,
        };
        let size = Size {
            records: 1,
            bytes: 525_435,
        };
        for (answer, recorded) in [
            (
                Answer::version(),
                "c8000000 0800000000000000 3230313130343031",
            ),
            (
                Answer::Range(HashRange::FULL),
                "c8000000 0000000000000000 ffffffffffffffff",
            ),
            (
                Answer::Range(HashRange::EMPTY),
                "c8000000 ffffffffffffffff 0000000000000000",
            ),
            (
                Answer::Value(Bytes::from("foo")),
                "c8000000 0300000000000000 666f6f",
            ),
            (Answer::Value(Bytes::new()), "c8000000 0000000000000000"),
            (Answer::Exists(true), "c8000000 01"),
            (Answer::Status(Status::WrongNode), "94010000"),
            (Answer::Status(Status::BadChannelName), "99010000"),
            (
                Answer::Size(about.clone(), size),
                "c8000000 0900000000000000 3132372e302e302e31 d859
                 0100000000000000 7b04080000000000",
            ),
            (
                Answer::Connections(about, 1),
                "c8000000 0900000000000000 3132372e302e302e31 d859 0100000000000000",
            ),
            (
                Answer::Size(About::default(), Size::default()),
                "c8000000 0000000000000000 0000 0000000000000000 0000000000000000",
            ),
        ] {
            assert_eq!(encoded(&answer), hex(recorded), "{answer:?}");
        }
    }
}
