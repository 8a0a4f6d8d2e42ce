//! What a client asks: a command and its arguments (`legacy.md` 3.1, 7).

use super::{MAX_ARRAY, Violation};
use crate::channel::ChannelName;
use crate::codec::{Put, Reader};
use crate::key::Key;

/// The commands that this crate knows, by their numbers.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[repr(i32)]
pub enum Command {
    /// Remove a record.
    Remove = 12,
    /// Tell the node's hash range.
    GetResponsibleRange = 20,
    /// Remove a channel with all its records.
    RemoveChannel = 22,
    /// Tell the version of the protocol.
    GetVersion = 24,
}

/// A command with its arguments.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Order {
    /// Tell the node's hash range.
    GetResponsibleRange,
    /// Tell the version of the protocol.
    GetVersion,
    /// Remove a record.
    Remove {
        /// Its channel.
        channel: ChannelName,
        /// Its key as it was sent: 16 hexadecimal digits if it is one. A bad channel name is answered
        /// before the key is looked at.
        key: Vec<u8>,
    },
    /// Remove a channel with all its records.
    RemoveChannel {
        /// The channel.
        channel: ChannelName,
    },
}

impl Order {
    /// Appends the order.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&(self.command() as i32).to_le_bytes());
        match self {
            Self::GetResponsibleRange | Self::GetVersion => {}
            Self::Remove { channel, key } => {
                out.put_array(channel.as_bytes());
                out.put_array(key);
            }
            Self::RemoveChannel { channel } => out.put_array(channel.as_bytes()),
        }
    }

    /// Reads the order at the start of `bytes` and says how many bytes it takes; `None` if its end has
    /// not come yet.
    pub fn decode(bytes: &[u8]) -> Result<Option<(Self, usize)>, Violation> {
        let mut reader = Reader::new(bytes);
        let Ok(code) = reader.u32("command") else {
            return Ok(None);
        };
        let order = match code.cast_signed() {
            12 => {
                let Some(channel) = array(&mut reader, "channel")? else {
                    return Ok(None);
                };
                let Some(key) = array(&mut reader, "key")? else {
                    return Ok(None);
                };
                Self::Remove {
                    channel: ChannelName::copy_from(channel),
                    key: key.to_vec(),
                }
            }
            20 => Self::GetResponsibleRange,
            22 => {
                let Some(channel) = array(&mut reader, "channel")? else {
                    return Ok(None);
                };
                Self::RemoveChannel {
                    channel: ChannelName::copy_from(channel),
                }
            }
            24 => Self::GetVersion,
            code => return Err(Violation::UnknownCommand { code }),
        };
        Ok(Some((order, reader.offset())))
    }

    /// Which command it is.
    pub fn command(&self) -> Command {
        match self {
            Self::GetResponsibleRange => Command::GetResponsibleRange,
            Self::GetVersion => Command::GetVersion,
            Self::Remove { .. } => Command::Remove,
            Self::RemoveChannel { .. } => Command::RemoveChannel,
        }
    }

    /// The channel that it concerns, if it is one.
    pub fn channel(&self) -> Option<&ChannelName> {
        match self {
            Self::GetResponsibleRange | Self::GetVersion => None,
            Self::Remove { channel, .. } | Self::RemoveChannel { channel } => Some(channel),
        }
    }
}

/// An array, `None` if its end has not come yet. A length that no node reads is refused before the bytes
/// are waited for.
fn array<'a>(reader: &mut Reader<'a>, field: &'static str) -> Result<Option<&'a [u8]>, Violation> {
    let mut length = reader.clone();
    let Ok(claimed) = length.u64(field) else {
        return Ok(None);
    };
    if claimed > MAX_ARRAY {
        return Err(Violation::TooLong { field, claimed });
    }
    Ok(reader.array(field).ok())
}

/// The key that a client means.
pub(super) fn parse_key(digits: &[u8]) -> Result<Key, Violation> {
    let malformed = || Violation::Key {
        key: digits[..digits.len().min(64)].to_vec(),
    };
    if digits.len() != 16 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return Err(malformed());
    }
    let digits = std::str::from_utf8(digits).map_err(|_| malformed())?;
    u64::from_str_radix(digits, 16)
        .map(Key)
        .map_err(|_| malformed())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn orders() -> [Order; 4] {
        let channel = ChannelName::from("test_channel");
        [
            Order::GetVersion,
            Order::GetResponsibleRange,
            Order::Remove {
                channel: channel.clone(),
                key: b"0000000000abcdef".to_vec(),
            },
            Order::RemoveChannel { channel },
        ]
    }

    #[test]
    fn orders_are_read_as_soon_as_they_are_complete() {
        for order in orders() {
            let mut bytes = Vec::new();
            order.encode(&mut bytes);
            for cut in 0..bytes.len() {
                assert_eq!(
                    Order::decode(&bytes[..cut]),
                    Ok(None),
                    "{order:?} cut at {cut}"
                );
            }
            let length = bytes.len();
            bytes.extend_from_slice(b"the next one");
            assert_eq!(Order::decode(&bytes), Ok(Some((order, length))));
        }
    }

    #[test]
    fn the_recorded_bytes() {
        let mut bytes = Vec::new();
        Order::GetVersion.encode(&mut bytes);
        assert_eq!(bytes, [0x18, 0, 0, 0]);
    }

    #[test]
    fn what_no_node_reads_is_refused_at_once() {
        for code in [0, 2, 99, -1, 0x0100_0000_i32] {
            let refused = Order::decode(&code.to_le_bytes());
            assert_eq!(refused, Err(Violation::UnknownCommand { code }));
        }
        let mut bytes = vec![22, 0, 0, 0];
        bytes.put_u64(1 << 63);
        let refused = Order::decode(&bytes);
        assert_eq!(
            refused,
            Err(Violation::TooLong {
                field: "channel",
                claimed: 1 << 63
            })
        );
    }

    #[test]
    fn keys_have_sixteen_digits_which_may_be_capital() {
        assert_eq!(parse_key(b"00000000000000AB"), Ok(Key(0xab)));
        for key in [
            "",
            "abc",
            "0x0000000000000a",
            "000000000000000g",
            "+00000000000000a",
            "0000000000000000a",
        ] {
            let refused = parse_key(key.as_bytes());
            assert!(matches!(refused, Err(Violation::Key { .. })), "{key}");
        }
    }
}
