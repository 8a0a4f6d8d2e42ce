//! What the original client said to the original node, said to ours: with the recorded time and nonce,
//! each request gets the recorded answers, byte for byte.
//!
//! Only whole recordings are replayed. Answers are compared request by request: the protocol does not fix
//! the order between requests. Channels may be listed in any order.

use std::collections::BTreeMap;
use std::time::Duration;

use dht_protocol::neo::frame::FrameBuffer;
use dht_protocol::neo::request::RequestCode;
use dht_protocol::neo::{Kind, Now};
use fakedht::{MemoryStorage, Node, NodeConfig};

/// Recordings that are whole and begin with an empty node.
const CAPTURES: [&str; 10] = [
    "get-missing",
    "getchannels",
    "mirror-removechannel",
    "put-get",
    "put-remove-channel",
    "put-remove-get",
    "removechannel-getchannels",
    "update",
    "update-empty-channel",
    "update-serialized",
];

struct Message {
    from_client: bool,
    kind: String,
    bytes: Vec<u8>,
}

fn capture(name: &str) -> Vec<Message> {
    let path = format!(
        "{}/../protocol/tests/vectors/dhtnode-neo-{name}.jsonl",
        env!("CARGO_MANIFEST_DIR")
    );
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines = text
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    assert_eq!(
        lines.next().unwrap()["complete"],
        true,
        "{name} is not whole"
    );
    lines
        .map(|line| Message {
            from_client: line["from"] == "client",
            kind: line["kind"].as_str().unwrap().to_owned(),
            bytes: unhex(line["hex"].as_str().unwrap()),
        })
        .collect()
}

fn unhex(hex: &str) -> Vec<u8> {
    let digits = hex
        .as_bytes()
        .chunks(2)
        .map(|pair| std::str::from_utf8(pair).unwrap());
    digits
        .map(|pair| u8::from_str_radix(pair, 16).unwrap())
        .collect()
}

/// What was said of each request, in order.
type Requests = BTreeMap<u64, Vec<Vec<u8>>>;

fn add(requests: &mut Requests, body: &[u8]) {
    let (id, payload) = body.split_first_chunk::<8>().unwrap();
    requests
        .entry(u64::from_le_bytes(*id))
        .or_default()
        .push(payload.to_vec());
}

fn replay(name: &str) {
    let messages = capture(name);
    let authentication: Vec<_> = messages
        .iter()
        .filter(|message| message.kind != "request")
        .collect();
    let [_, _, timestamp, nonce, _, verdict] = authentication[..] else {
        panic!("{name}: no handshake")
    };
    let unix = u64::from_le_bytes(timestamp.bytes[10..].try_into().unwrap());
    let now = Now {
        unix,
        elapsed: Duration::ZERO,
    };

    let mut node = Node::new(NodeConfig::default(), MemoryStorage::new());
    let connection = node.accept(nonce.bytes[10..].try_into().unwrap());
    let mut output = Vec::new();
    for message in messages.iter().filter(|message| message.from_client) {
        node.feed(connection, &message.bytes);
        while node
            .process(connection, now)
            .unwrap_or_else(|violation| panic!("{name}: {violation}"))
        {}
        output.extend(node.take_output(connection));
    }

    let mut handshake = vec![1];
    handshake.extend_from_slice(&nonce.bytes);
    handshake.extend_from_slice(&verdict.bytes);
    assert_eq!(
        output[..handshake.len()],
        handshake,
        "{name}: the handshake"
    );

    let (mut recorded, mut ours, mut listings) = (Requests::new(), Requests::new(), Vec::new());
    for message in messages.iter().filter(|message| message.kind == "request") {
        let body = &message.bytes[10..];
        match message.from_client {
            true if body[8] == RequestCode::GetChannels as u8 => listings.push(body[..8].to_vec()),
            true => {}
            false => add(&mut recorded, body),
        }
    }
    let mut frames = FrameBuffer::default();
    frames.feed(&output[handshake.len()..]);
    while let Some(body) = frames.next(Kind::Request, u64::MAX).unwrap() {
        add(&mut ours, &body);
    }
    for id in listings {
        let id = u64::from_le_bytes(id.try_into().unwrap());
        recorded.get_mut(&id).unwrap().sort();
        ours.get_mut(&id).unwrap().sort();
    }
    assert!(!recorded.is_empty(), "{name}");
    assert_eq!(ours, recorded, "{name}");
}

#[test]
fn the_original_clients_bytes_get_the_original_nodes_answers() {
    for name in CAPTURES {
        replay(name);
    }
}
