//! Messages that consist of their type alone, and the fields that name a record.

use super::RequestCode;
use crate::channel::ChannelName;
use crate::codec::{DecodeError, Put, Reader};
use crate::key::Key;

/// Defines the messages of one direction that are a single type byte: the enum, its encoding and
/// decoding, and the names that traces show.
macro_rules! one_byte_messages {
    (
        $(#[$meta:meta])*
        pub enum $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $code:literal,)+ }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
        #[repr(u8)]
        pub enum $name {
            $($(#[$variant_meta])* $variant = $code,)+
        }

        impl $name {
            /// The message's only byte.
            pub fn encode(self) -> [u8; 1] {
                [self as u8]
            }

            /// Reads the message, which is one byte long.
            pub fn decode(payload: &[u8]) -> Result<Self, $crate::codec::DecodeError> {
                let mut reader = $crate::codec::Reader::new(payload);
                let message = match reader.u8("type")? {
                    $($code => Self::$variant,)+
                    value => return Err($crate::neo::request::messages::unknown_type(value)),
                };
                reader.finish()?;
                Ok(message)
            }

            /// Its name in the specification.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => stringify!($variant),)+
                }
            }
        }
    };
}
pub(super) use one_byte_messages;

/// The error for a message type that the direction does not have.
pub(super) fn unknown_type(value: u8) -> DecodeError {
    DecodeError {
        field: "type",
        offset: 0,
        reason: crate::codec::Reason::Value { value },
    }
}

/// The fields that name a record: its channel and its key. They are all that the first message of
/// Get, Exists and Remove has.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct RecordName {
    /// The channel.
    pub channel: ChannelName,
    /// The key.
    pub key: Key,
}

impl RecordName {
    /// Appends the fields.
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        out.put_array(self.channel.as_bytes());
        out.put_u64(self.key.0);
    }

    /// The first message of a request that has no other fields, command included.
    pub fn opening(&self, request: RequestCode) -> Vec<u8> {
        let mut out = request.command();
        self.encode(&mut out);
        out
    }

    /// Reads a first message that has no other fields, behind the command.
    pub fn decode_fields(fields: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(fields);
        let record = Self::decode(&mut reader)?;
        reader.finish()?;
        Ok(record)
    }

    /// Reads the fields.
    pub(super) fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let channel = ChannelName::copy_from(reader.array("channel")?);
        let key = Key(reader.u64("key")?);
        Ok(Self { channel, key })
    }
}
