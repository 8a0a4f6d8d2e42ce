//! Orders are written and read.

use super::*;
use crate::key::{HashRange, Key};
use crate::legacy::MAX_NODES;
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
fn arrays_of_up_to_ten_mebibytes_are_waited_for() {
    for claimed in [10_485_760, 10_485_761] {
        let mut bytes = vec![22, 0, 0, 0];
        bytes.put_u64(claimed);
        let field = "channel";
        let expected = match claimed {
            10_485_760 => Ok(None),
            _ => Err(Violation::TooLong { field, claimed }),
        };
        assert_eq!(Order::decode(&bytes, MAX_VALUE), expected);
    }
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
