//! What a client asks: a command and its arguments (`legacy.md` 3.1, 7).

use bytes::Bytes;

use super::command::Command;
use super::fields::{Fields, Stop, complete};
use super::key::KeyText;
use super::{MAX_NODES, Violation};
use crate::channel::ChannelName;
use crate::codec::Put;
use crate::key::HashRange;

/// A command with its arguments.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Order {
    /// Store a record.
    Put {
        /// Its channel.
        channel: ChannelName,
        /// Its key.
        key: KeyText,
        /// Its value.
        value: Bytes,
    },
    /// Read a record.
    Get {
        /// Its channel.
        channel: ChannelName,
        /// Its key.
        key: KeyText,
    },
    /// Is there a record?
    Exists {
        /// Its channel.
        channel: ChannelName,
        /// Its key.
        key: KeyText,
    },
    /// Remove a record.
    Remove {
        /// Its channel.
        channel: ChannelName,
        /// Its key.
        key: KeyText,
    },
    /// List the channels.
    GetChannels,
    /// How much is in a channel?
    GetChannelSize {
        /// The channel.
        channel: ChannelName,
    },
    /// How much is in all channels?
    GetSize,
    /// Which keys is the node responsible for?
    GetResponsibleRange,
    /// Remove a channel with all its records.
    RemoveChannel {
        /// The channel.
        channel: ChannelName,
    },
    /// How many clients are connected?
    GetNumConnections,
    /// Which version of the protocol is it?
    GetVersion,
    /// Follow the writes to a channel.
    Listen {
        /// The channel.
        channel: ChannelName,
    },
    /// Read all records of a channel.
    GetAll {
        /// The channel.
        channel: ChannelName,
    },
    /// Read the keys of all records of a channel.
    GetAllKeys {
        /// The channel.
        channel: ChannelName,
    },
    /// Read the records of a channel whose value contains something.
    GetAllFilter {
        /// The channel.
        channel: ChannelName,
        /// What the value has to contain.
        filter: Bytes,
    },
    /// Be responsible for other keys, and move records to other nodes.
    Redistribute(Redistribute),
    /// Store many records that another node was responsible for.
    PutBatch {
        /// Their channel.
        channel: ChannelName,
        /// The records, a block as [`batch`](super::batch) makes it.
        batch: Bytes,
    },
}

/// The arguments of Redistribute.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Redistribute {
    /// The lower end of the node's new range.
    pub min: u64,
    /// The upper end, which may be below the lower one: it is for the node to refuse that with a status.
    pub max: u64,
    /// Who takes what the node is not responsible for any more.
    pub nodes: Vec<Target>,
}

/// A node that takes records in a redistribution.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Target {
    /// Its address as text; never empty.
    pub address: Bytes,
    /// Its legacy port.
    pub port: u16,
    /// What it is responsible for.
    pub range: HashRange,
}

/// What a node has read of a client.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Incoming {
    /// A whole order.
    Order(Order),
    /// A Put whose value is larger than the node stores. The value follows, and is to be thrown away.
    TooBig {
        /// The channel.
        channel: ChannelName,
        /// The key.
        key: KeyText,
        /// The length of the value, in bytes.
        length: u64,
    },
}

impl Incoming {
    /// Which command it is.
    pub fn command(&self) -> Command {
        match self {
            Self::Order(order) => order.command(),
            Self::TooBig { .. } => Command::Put,
        }
    }
}

impl Order {
    /// Appends the order.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.put_u32(self.command().code().cast_unsigned());
        if let Some(channel) = self.channel() {
            out.put_array(channel.as_bytes());
        }
        match self {
            Self::Put { key, value, .. } => {
                out.put_array(key.as_bytes());
                out.put_array(value);
            }
            Self::Get { key, .. } | Self::Exists { key, .. } | Self::Remove { key, .. } => {
                out.put_array(key.as_bytes());
            }
            Self::GetAllFilter { filter, .. } => out.put_array(filter),
            Self::PutBatch { batch, .. } => out.put_array(batch),
            Self::Redistribute(redistribute) => redistribute.encode(out),
            Self::GetChannels
            | Self::GetChannelSize { .. }
            | Self::GetSize
            | Self::GetResponsibleRange
            | Self::RemoveChannel { .. }
            | Self::GetNumConnections
            | Self::GetVersion
            | Self::Listen { .. }
            | Self::GetAll { .. }
            | Self::GetAllKeys { .. } => {}
        }
    }

    /// Reads the order at the start of `bytes` and says how many bytes it takes; `None` if its end has
    /// not come yet. Values up to `max_value` bytes are waited for.
    pub fn decode(bytes: &[u8], max_value: u64) -> Result<Option<(Incoming, usize)>, Violation> {
        let mut fields = Fields::new(bytes);
        let order = complete(decode(&mut fields, max_value))?;
        Ok(order.map(|order| (order, fields.offset())))
    }

    /// Which command it is.
    pub fn command(&self) -> Command {
        match self {
            Self::Put { .. } => Command::Put,
            Self::Get { .. } => Command::Get,
            Self::Exists { .. } => Command::Exists,
            Self::Remove { .. } => Command::Remove,
            Self::GetChannels => Command::GetChannels,
            Self::GetChannelSize { .. } => Command::GetChannelSize,
            Self::GetSize => Command::GetSize,
            Self::GetResponsibleRange => Command::GetResponsibleRange,
            Self::RemoveChannel { .. } => Command::RemoveChannel,
            Self::GetNumConnections => Command::GetNumConnections,
            Self::GetVersion => Command::GetVersion,
            Self::Listen { .. } => Command::Listen,
            Self::GetAll { .. } => Command::GetAll,
            Self::GetAllKeys { .. } => Command::GetAllKeys,
            Self::GetAllFilter { .. } => Command::GetAllFilter,
            Self::Redistribute(_) => Command::Redistribute,
            Self::PutBatch { .. } => Command::PutBatch,
        }
    }

    /// The channel that it concerns, if it is one.
    pub fn channel(&self) -> Option<&ChannelName> {
        match self {
            Self::Put { channel, .. }
            | Self::Get { channel, .. }
            | Self::Exists { channel, .. }
            | Self::Remove { channel, .. }
            | Self::GetChannelSize { channel }
            | Self::RemoveChannel { channel }
            | Self::Listen { channel }
            | Self::GetAll { channel }
            | Self::GetAllKeys { channel }
            | Self::GetAllFilter { channel, .. }
            | Self::PutBatch { channel, .. } => Some(channel),
            Self::GetChannels
            | Self::GetSize
            | Self::GetResponsibleRange
            | Self::GetNumConnections
            | Self::GetVersion
            | Self::Redistribute(_) => None,
        }
    }
}

impl Redistribute {
    fn encode(&self, out: &mut Vec<u8>) {
        out.put_u64(self.min);
        out.put_u64(self.max);
        for node in &self.nodes {
            out.put_array(&node.address);
            out.extend_from_slice(&node.port.to_le_bytes());
            out.put_u64(node.range.min());
            out.put_u64(node.range.max());
        }
        out.put_array(b"");
    }

    fn decode(fields: &mut Fields<'_>) -> Result<Self, Stop> {
        let (min, max) = fields.range_ends()?;
        let mut nodes = Vec::new();
        loop {
            let address = fields.array("address")?;
            if address.is_empty() {
                return Ok(Self { min, max, nodes });
            }
            if nodes.len() == MAX_NODES {
                return Err(Violation::TooManyNodes.into());
            }
            nodes.push(Target {
                address: Bytes::copy_from_slice(address),
                port: fields.port("port")?,
                range: fields.range()?,
            });
        }
    }
}

fn decode(fields: &mut Fields<'_>, max_value: u64) -> Result<Incoming, Stop> {
    let code = fields.code("command")?;
    let command = Command::from_code(code).ok_or(Violation::UnknownCommand { code })?;
    let order = match command {
        Command::Put => return put(fields, max_value),
        Command::Get => Order::Get {
            channel: channel(fields)?,
            key: key(fields)?,
        },
        Command::Exists => Order::Exists {
            channel: channel(fields)?,
            key: key(fields)?,
        },
        Command::Remove => Order::Remove {
            channel: channel(fields)?,
            key: key(fields)?,
        },
        Command::GetChannels => Order::GetChannels,
        Command::GetChannelSize => Order::GetChannelSize {
            channel: channel(fields)?,
        },
        Command::GetSize => Order::GetSize,
        Command::GetResponsibleRange => Order::GetResponsibleRange,
        Command::RemoveChannel => Order::RemoveChannel {
            channel: channel(fields)?,
        },
        Command::GetNumConnections => Order::GetNumConnections,
        Command::GetVersion => Order::GetVersion,
        Command::Listen => Order::Listen {
            channel: channel(fields)?,
        },
        Command::GetAll => Order::GetAll {
            channel: channel(fields)?,
        },
        Command::GetAllKeys => Order::GetAllKeys {
            channel: channel(fields)?,
        },
        Command::GetAllFilter => Order::GetAllFilter {
            channel: channel(fields)?,
            filter: Bytes::copy_from_slice(fields.array("filter")?),
        },
        Command::Redistribute => Order::Redistribute(Redistribute::decode(fields)?),
        Command::PutBatch => Order::PutBatch {
            channel: channel(fields)?,
            batch: Bytes::copy_from_slice(fields.array("batch")?),
        },
    };
    Ok(Incoming::Order(order))
}

/// A Put. A value that is too large is announced, for the node answers it with a status (`legacy.md` 7.2).
fn put(fields: &mut Fields<'_>, max_value: u64) -> Result<Incoming, Stop> {
    let channel = fields.array("channel")?;
    let key = fields.array("key")?;
    let length = fields.clone().u64("value")?;
    if length > max_value {
        fields.u64("value")?;
        return Ok(Incoming::TooBig {
            channel: ChannelName::copy_from(channel),
            key: KeyText::copy_from(key),
            length,
        });
    }
    // Nothing is copied before the value is there.
    let value = fields.array("value")?;
    Ok(Incoming::Order(Order::Put {
        channel: ChannelName::copy_from(channel),
        key: KeyText::copy_from(key),
        value: Bytes::copy_from_slice(value),
    }))
}

fn channel(fields: &mut Fields<'_>) -> Result<ChannelName, Stop> {
    Ok(ChannelName::copy_from(fields.array("channel")?))
}

fn key(fields: &mut Fields<'_>) -> Result<KeyText, Stop> {
    Ok(KeyText::copy_from(fields.array("key")?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Key;
    use crate::testing::hex;

    const MAX_VALUE: u64 = 1000;

    /// An order of each command.
    fn orders() -> Vec<Order> {
        let channel = ChannelName::from("test_channel");
        let key = KeyText::from(Key(10));
        let range = HashRange::new(1 << 63, u64::MAX).unwrap();
        let target = |port| Target {
            address: Bytes::from("127.0.0.1"),
            port,
            range,
        };
        vec![
            Order::Put {
                channel: channel.clone(),
                key: key.clone(),
                value: Bytes::from("foo"),
            },
            Order::Get {
                channel: channel.clone(),
                key: key.clone(),
            },
            Order::Exists {
                channel: channel.clone(),
                key: key.clone(),
            },
            Order::Remove {
                channel: channel.clone(),
                key,
            },
            Order::GetChannels,
            Order::GetChannelSize {
                channel: channel.clone(),
            },
            Order::GetSize,
            Order::GetResponsibleRange,
            Order::RemoveChannel {
                channel: channel.clone(),
            },
            Order::GetNumConnections,
            Order::GetVersion,
            Order::Listen {
                channel: channel.clone(),
            },
            Order::GetAll {
                channel: channel.clone(),
            },
            Order::GetAllKeys {
                channel: channel.clone(),
            },
            Order::GetAllFilter {
                channel: channel.clone(),
                filter: Bytes::from("d 2"),
            },
            Order::Redistribute(Redistribute {
                min: 0,
                max: u64::MAX >> 1,
                nodes: vec![target(24_500), target(24_501)],
            }),
            Order::PutBatch {
                channel,
                batch: Bytes::from("any bytes"),
            },
        ]
    }

    fn encoded(order: &Order) -> Vec<u8> {
        let mut bytes = Vec::new();
        order.encode(&mut bytes);
        bytes
    }

    #[test]
    fn orders_are_read_as_soon_as_they_are_complete() {
        let orders = orders();
        let commands: Vec<Command> = orders.iter().map(Order::command).collect();
        assert_eq!(commands, Command::ALL);
        for order in orders {
            let mut bytes = encoded(&order);
            for cut in 0..bytes.len() {
                let read = Order::decode(&bytes[..cut], MAX_VALUE);
                assert_eq!(read, Ok(None), "{order:?} cut at {cut}");
            }
            let length = bytes.len();
            bytes.extend_from_slice(b"the next one");
            let expected = Some((Incoming::Order(order), length));
            assert_eq!(Order::decode(&bytes, MAX_VALUE), Ok(expected));
        }
    }

    #[test]
    fn the_recorded_bytes() {
        let recorded = hex("21000000 0000000000000000 ffffffffffffff7f
             0900000000000000 3132372e302e302e31 b45f 0000000000000080 ffffffffffffffff
             0000000000000000");
        let order = Order::Redistribute(Redistribute {
            min: 0,
            max: u64::MAX >> 1,
            nodes: vec![Target {
                address: Bytes::from("127.0.0.1"),
                port: 24_500,
                range: HashRange::new(1 << 63, u64::MAX).unwrap(),
            }],
        });
        assert_eq!(encoded(&order), recorded);
        assert_eq!(
            encoded(&orders()[0]),
            hex("01000000 0c00000000000000 746573745f6368616e6e656c
                 1000000000000000 30303030303030303030303030303061
                 0300000000000000 666f6f")
        );
        assert_eq!(encoded(&Order::GetVersion), [0x18, 0, 0, 0]);
    }

    #[test]
    fn what_no_node_reads_is_refused_at_once() {
        for code in [0, 2, 99, -1, 0x0100_0000_i32] {
            let refused = Order::decode(&code.to_le_bytes(), MAX_VALUE);
            assert_eq!(refused, Err(Violation::UnknownCommand { code }));
        }
        let mut bytes = vec![22, 0, 0, 0];
        bytes.put_u64(1 << 63);
        let refused = Order::decode(&bytes, MAX_VALUE);
        let expected = Violation::TooLong {
            field: "channel",
            claimed: 1 << 63,
        };
        assert_eq!(refused, Err(expected));
    }

    #[test]
    fn a_value_that_is_too_big_is_announced() {
        for length in [1000, 1001, u64::MAX] {
            let mut bytes = encoded(&orders()[0]);
            bytes.truncate(bytes.len() - 11);
            bytes.put_u64(length);
            let expected = (length > MAX_VALUE).then(|| {
                let too_big = Incoming::TooBig {
                    channel: ChannelName::from("test_channel"),
                    key: KeyText::from(Key(10)),
                    length,
                };
                (too_big, bytes.len())
            });
            assert_eq!(Order::decode(&bytes, MAX_VALUE), Ok(expected));
        }
    }

    #[test]
    fn targets_have_legal_ranges_and_are_counted() {
        let mut redistribute = vec![33, 0, 0, 0];
        redistribute.put_u64(9);
        redistribute.put_u64(8);
        let mut refused = redistribute.clone();
        refused.put_array(b"::1");
        refused.extend([0, 1]);
        refused.put_u64(5);
        refused.put_u64(4);
        let violation = Violation::Range { min: 5, max: 4 };
        assert_eq!(Order::decode(&refused, MAX_VALUE), Err(violation));
        for _ in 0..=MAX_NODES {
            redistribute.put_array(b"::1");
            redistribute.extend([0; 2 + 8 + 8]);
        }
        let refused = Order::decode(&redistribute, MAX_VALUE);
        assert_eq!(refused, Err(Violation::TooManyNodes));
        // Its own range is for the node to judge.
        redistribute.truncate(4 + 16);
        redistribute.put_array(b"");
        assert!(matches!(
            Order::decode(&redistribute, MAX_VALUE),
            Ok(Some((Incoming::Order(Order::Redistribute(_)), 28)))
        ));
    }
}
