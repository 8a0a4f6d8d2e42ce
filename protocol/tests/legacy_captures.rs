//! What the original client and node said to each other by the legacy protocol while they were recorded
//! (`tests/vectors/README.md`): every byte is understood, and written again it is the same. Batches are the
//! exception: what they hold survives being packed again.
//!
//! `DHTCHECK_CAPTURES` may name a directory with further recordings of the same form.

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use bytes::BytesMut;
use dht_protocol::codec::Put as _;
use dht_protocol::legacy::batch::{self, Batch, Pushed};
use dht_protocol::legacy::{ClientRequest, Command, Event, Incoming, MAX_VALUE, Order};
use support::hex;
use support::recordings::{VECTORS, legacy_recordings};

/// A stretch of a connection from which nothing was left out: what the client said, and what the node said.
#[derive(Default)]
struct Stretch {
    client: Vec<u8>,
    node: BytesMut,
}

/// Behind a gap a stretch begins with what the client said next.
fn stretches(recording: &Path) -> Vec<Stretch> {
    let text = fs::read_to_string(recording).unwrap();
    let mut stretches = vec![Stretch::default()];
    let mut next = 0;
    for line in text.lines().skip(1) {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let number = line["i"].as_u64().unwrap();
        if number != next {
            stretches.push(Stretch::default());
        }
        next = number + 1;
        let stretch = stretches.last_mut().unwrap();
        let bytes = hex(line["hex"].as_str().unwrap());
        match line["from"].as_str().unwrap() {
            "client" => stretch.client.extend_from_slice(&bytes),
            "node" if stretch.client.is_empty() => {}
            "node" => stretch.node.extend_from_slice(&bytes),
            other => panic!("{other} is neither client nor node"),
        }
    }
    stretches
}

/// Reads all orders of a client, and writes them again.
fn orders(mut bytes: &[u8]) -> Vec<Order> {
    let mut orders = Vec::new();
    while !bytes.is_empty() {
        let decoded = Order::decode(bytes, MAX_VALUE).unwrap();
        let Some((Incoming::Order(order), length)) = decoded else {
            panic!("{decoded:?}");
        };
        let mut again = Vec::new();
        order.encode(&mut again);
        assert_eq!(again, bytes[..length]);
        bytes = &bytes[length..];
        orders.push(order);
    }
    orders
}

/// What was said, written again; `None` for a batch, which another encoder packs in another way.
fn again(command: Command, event: &Event) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    match event {
        Event::Answered(answer) => answer.encode(&mut bytes),
        Event::Started => bytes.put_u32(200),
        Event::Channel(channel) => bytes.put_array(channel.as_bytes()),
        Event::Written(key, value) => {
            bytes.put_array(key.as_bytes());
            bytes.put_array(value);
        }
        Event::Ended => {
            bytes.put_array(b"");
            if command == Command::Listen {
                bytes.put_array(b"");
            }
        }
        Event::Records(records) => {
            let mut packed = Batch::default();
            for (key, value) in records {
                assert_eq!(packed.push(*key, value), Pushed::Added);
            }
            let unpacked = batch::decode_records(&packed.finish());
            assert_eq!(unpacked.as_ref(), Ok(records));
            return None;
        }
        Event::Keys(keys) => {
            let mut packed = Batch::default();
            for key in keys {
                assert_eq!(packed.push_key(*key), Pushed::Added);
            }
            assert_eq!(batch::decode_keys(&packed.finish()).as_ref(), Ok(keys));
            return None;
        }
    }
    Some(bytes)
}

/// Reads a stretch, and says which commands there were.
fn read(mut stretch: Stretch) -> BTreeSet<i32> {
    let mut commands = BTreeSet::new();
    for order in orders(&stretch.client) {
        let command = order.command();
        commands.insert(command.code());
        let mut request = ClientRequest::new(command);
        while !request.is_over() {
            let before = stretch.node.clone();
            let Some(event) = request.receive(&mut stretch.node).unwrap() else {
                // The recording, or the stretch, ends before the answer does.
                break;
            };
            let taken = before.len() - stretch.node.len();
            if let Some(again) = again(command, &event) {
                assert_eq!(again, before[..taken], "{event:?}");
            }
        }
    }
    assert!(
        stretch.node.is_empty(),
        "{:?} answers nothing",
        stretch.node
    );
    commands
}

#[test]
fn every_byte_is_understood() {
    let recordings = legacy_recordings();
    assert!(recordings.iter().any(|path| path.starts_with(VECTORS)));
    let mut commands = BTreeSet::new();
    for recording in recordings {
        for stretch in stretches(&recording) {
            commands.extend(read(stretch));
        }
    }
    for command in [
        Command::Put,
        Command::Get,
        Command::GetAll,
        Command::Listen,
        Command::RemoveChannel,
        Command::GetVersion,
        Command::GetResponsibleRange,
    ] {
        assert!(
            commands.contains(&command.code()),
            "no {command} is recorded"
        );
    }
}
