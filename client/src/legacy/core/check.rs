//! What is looked at before an order is sent (`legacy.md` 8.2).

use dht_protocol::ChannelName;
use dht_protocol::legacy::{MAX_ARRAY, MAX_NODES, NEO_PORT_OFFSET, Order, Target, is_channel_name};

use crate::legacy::error::Failure;

/// The highest legacy port.
const MAX_PORT: u16 = u16::MAX - NEO_PORT_OFFSET;

/// May this order be sent? A node would refuse it, close the connection on it, or worse.
pub(super) fn check(order: &Order) -> Result<(), Failure> {
    if let Some(channel) = order.channel() {
        check_channel(channel)?;
    }
    match order {
        Order::Put { value, .. } if value.is_empty() => Err(Failure::EmptyValue),
        Order::GetAllFilter { filter, .. } if filter.is_empty() => Err(Failure::EmptyFilter),
        Order::GetAllFilter { filter, .. } => check_length("filter", filter),
        Order::PutBatch { batch, .. } => check_length("batch", batch),
        Order::Redistribute(order) => check_targets(&order.nodes),
        _ => Ok(()),
    }
}

/// A node keeps all targets until the last has come, and knows their neo ports from the legacy ones.
fn check_targets(targets: &[Target]) -> Result<(), Failure> {
    if targets.len() > MAX_NODES {
        return Err(Failure::TooLong { field: "nodes" });
    }
    match targets.iter().find(|target| target.port > MAX_PORT) {
        Some(target) => Err(Failure::NoNeoPort { port: target.port }),
        None => Ok(()),
    }
}

fn check_channel(channel: &ChannelName) -> Result<(), Failure> {
    match is_channel_name(channel) {
        true => check_length("channel", channel.as_bytes()),
        false => Err(Failure::BadChannelName),
    }
}

/// Nobody reads longer arrays. A value may be longer: the node says so if it does not take it.
fn check_length(field: &'static str, array: &[u8]) -> Result<(), Failure> {
    match array.len() as u64 > MAX_ARRAY {
        true => Err(Failure::TooLong { field }),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use dht_protocol::legacy::Redistribute;
    use dht_protocol::{HashRange, Key};

    use super::*;

    fn put(channel: &str, value: &'static [u8]) -> Order {
        Order::Put {
            channel: channel.into(),
            key: Key(1).into(),
            value: value.into(),
        }
    }

    fn filtered(filter: Bytes) -> Order {
        let channel = "c".into();
        Order::GetAllFilter { channel, filter }
    }

    #[test]
    fn names_are_letters_digits_underscores_and_dashes() {
        for name in ["a", "Z9_-", &"long".repeat(100)] {
            assert_eq!(check(&put(name, b"v")), Ok(()), "{name}");
        }
        for name in ["", "a.b", "a b", "\u{e4}", "a\0"] {
            let refused = Err(Failure::BadChannelName);
            assert_eq!(check(&put(name, b"v")), refused, "{name:?}");
            let listen = Order::Listen {
                channel: name.into(),
            };
            assert_eq!(check(&listen), refused, "{name:?}");
        }
    }

    #[test]
    fn what_no_node_takes_is_not_sent() {
        let huge = Bytes::from(vec![b'a'; MAX_ARRAY as usize + 1]);
        let name = ChannelName::copy_from(&huge);
        for (order, failure) in [
            (put("c", b""), Failure::EmptyValue),
            (filtered(Bytes::new()), Failure::EmptyFilter),
            (filtered(huge.clone()), Failure::TooLong { field: "filter" }),
            (
                Order::GetAll { channel: name },
                Failure::TooLong { field: "channel" },
            ),
            (
                Order::PutBatch {
                    channel: "c".into(),
                    batch: huge.clone(),
                },
                Failure::TooLong { field: "batch" },
            ),
        ] {
            assert_eq!(check(&order), Err(failure));
        }
        assert_eq!(check(&filtered(huge.slice(1..))), Ok(()));
    }

    #[test]
    fn targets_of_a_redistribution_are_few_and_have_a_neo_port() {
        let order = |count, port| {
            let target = Target {
                address: Bytes::from("127.0.0.1"),
                port,
                range: HashRange::FULL,
            };
            Order::Redistribute(Redistribute {
                min: 0,
                max: 1,
                nodes: vec![target; count],
            })
        };
        assert_eq!(check(&order(MAX_NODES, MAX_PORT)), Ok(()));
        let port = MAX_PORT + 1;
        let no_neo_port = Failure::NoNeoPort { port };
        assert_eq!(check(&order(1, port)), Err(no_neo_port));
        let too_long = Failure::TooLong { field: "nodes" };
        assert_eq!(check(&order(MAX_NODES + 1, 1)), Err(too_long));
    }
}
