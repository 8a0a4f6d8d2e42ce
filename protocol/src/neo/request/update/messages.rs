//! What is said of an Update.

use bytes::Bytes;

use super::CODE;
use crate::codec::{DecodeError, Put as _, Reader};
use crate::neo::request::messages::{RecordName, unknown_type};

/// The client's first message.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Open {
    /// Read the record.
    GetRecord(RecordName),
    /// Write the record at once.
    UpdateRecord(RecordName, Replacement),
}

/// A new value, and the hash that the value it replaces must have.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Replacement {
    /// [`fnv1a`](crate::fnv1a) of the value that was read.
    pub original_hash: u64,
    /// The new value.
    pub new_value: Bytes,
}

impl Replacement {
    fn encode(&self, out: &mut Vec<u8>) {
        out.put_u64(self.original_hash);
        out.put_array(&self.new_value);
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let original_hash = reader.u64("original_hash")?;
        let new_value = Bytes::copy_from_slice(reader.array("new_value")?);
        Ok(Self {
            original_hash,
            new_value,
        })
    }
}

impl Open {
    /// The whole message, command included.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = CODE.command();
        match self {
            Self::GetRecord(record) => {
                out.put_u8(1);
                record.encode(&mut out);
            }
            Self::UpdateRecord(record, replacement) => {
                out.put_u8(2);
                record.encode(&mut out);
                replacement.encode(&mut out);
            }
        }
        out
    }

    /// Reads the fields behind the command.
    pub fn decode(fields: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(fields);
        let message = match reader.u8("type")? {
            1 => Self::GetRecord(RecordName::decode(&mut reader)?),
            2 => {
                let record = RecordName::decode(&mut reader)?;
                Self::UpdateRecord(record, Replacement::decode(&mut reader)?)
            }
            value => return Err(unknown_type(value)),
        };
        reader.finish()?;
        Ok(message)
    }
}

/// The client's second message, after the record's value.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum FromClient {
    /// Write the record.
    UpdateRecord(Replacement),
    /// Remove the record, whatever its value is by now.
    RemoveRecord,
    /// Do nothing.
    LeaveRecord,
}

impl FromClient {
    /// The whole message.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            Self::UpdateRecord(replacement) => {
                out.put_u8(2);
                replacement.encode(&mut out);
            }
            Self::RemoveRecord => out.put_u8(3),
            Self::LeaveRecord => out.put_u8(4),
        }
        out
    }

    /// Reads the message.
    pub fn decode(payload: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(payload);
        let message = match reader.u8("type")? {
            2 => Self::UpdateRecord(Replacement::decode(&mut reader)?),
            3 => Self::RemoveRecord,
            4 => Self::LeaveRecord,
            value => return Err(unknown_type(value)),
        };
        reader.finish()?;
        Ok(message)
    }

    /// Its name in the specification.
    pub fn name(&self) -> &'static str {
        match self {
            Self::UpdateRecord(_) => "UpdateRecord",
            Self::RemoveRecord => "RemoveRecord",
            Self::LeaveRecord => "LeaveRecord",
        }
    }
}

/// What the node says behind the supported status.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum FromNode {
    /// The record's value. The client's decision is awaited.
    RecordValue(Bytes),
    /// Done.
    Ok,
    /// There is no such record.
    NoRecord,
    /// The record has another value by now; nothing was changed.
    UpdateConflict,
    /// The node is not responsible for the key.
    WrongNode,
    /// The node could not do it.
    Error,
}

impl FromNode {
    /// Appends the message.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::RecordValue(value) => {
                out.put_u8(5);
                out.put_array(value);
            }
            Self::Ok => out.put_u8(6),
            Self::NoRecord => out.put_u8(7),
            Self::UpdateConflict => out.put_u8(8),
            Self::WrongNode => out.put_u8(9),
            Self::Error => out.put_u8(10),
        }
    }

    /// Reads the message.
    pub fn decode(payload: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(payload);
        let message = match reader.u8("type")? {
            5 => Self::RecordValue(Bytes::copy_from_slice(reader.array("value")?)),
            6 => Self::Ok,
            7 => Self::NoRecord,
            8 => Self::UpdateConflict,
            9 => Self::WrongNode,
            10 => Self::Error,
            value => return Err(unknown_type(value)),
        };
        reader.finish()?;
        Ok(message)
    }

    /// Its name in the specification.
    pub fn name(&self) -> &'static str {
        match self {
            Self::RecordValue(_) => "RecordValue",
            Self::Ok => "Ok",
            Self::NoRecord => "NoRecord",
            Self::UpdateConflict => "UpdateConflict",
            Self::WrongNode => "WrongNode",
            Self::Error => "Error",
        }
    }
}
