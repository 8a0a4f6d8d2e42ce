//! What the original client and node said to each other while they were recorded
//! (`tests/vectors/README.md`): every message is understood, and written again it is the same bytes.
//!
//! `DHTCHECK_CAPTURES` may name a directory with further recordings of the same form.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use dht_protocol::lzo;
use dht_protocol::neo::auth::{self, Nonce, Proof, Timestamp};
use dht_protocol::neo::batch::{self, GetAllBatch, Pushed, RefreshBatch};
use dht_protocol::neo::dissect::{Dissector, Side};
use dht_protocol::neo::frame::{write_authentication, write_request};
use dht_protocol::neo::header::{HEADER_LEN, Header, ID_LEN};
use dht_protocol::neo::request::visit::Visitor;
use dht_protocol::neo::request::{
    Command, RecordName, RequestCode, SupportedStatus, control, exists, get, get_all, get_channels,
    get_hash_range, mirror, put, remove, remove_channel, update,
};
use dht_protocol::neo::{AuthKey, Kind, RequestId, VERSION};
use support::hex;
use support::recordings::{VECTORS, recordings};

struct Message {
    from: Side,
    kind: String,
    bytes: Vec<u8>,
}

fn messages(recording: &Path) -> Vec<Message> {
    let text = fs::read_to_string(recording).unwrap();
    let mut messages: Vec<_> = text.lines().skip(1).map(message).collect();
    let mut begun = BTreeSet::new();
    messages.retain(|message| {
        let id = message.bytes.get(HEADER_LEN..HEADER_LEN + ID_LEN);
        match (message.from, &*message.kind) {
            (Side::Client, "request") => {
                begun.insert(id.unwrap().to_vec());
                true
            }
            (Side::Node, "request") => {
                // The beginning of the request may be in what was left out; not in our recordings.
                let has_begun = begun.contains(id.unwrap());
                assert!(has_begun || !recording.starts_with(VECTORS));
                has_begun
            }
            _ => true,
        }
    });
    messages
}

fn message(line: &str) -> Message {
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    let field = |name: &str| line[name].as_str().unwrap().to_owned();
    Message {
        from: match &*field("from") {
            "client" => Side::Client,
            "node" => Side::Node,
            other => panic!("{other} is neither client nor node"),
        },
        kind: field("kind"),
        bytes: hex(&field("hex")),
    }
}

/// What has been said on a connection, as far as it tells how the next message is to be read.
#[derive(Default)]
struct Conversation {
    authentication: Vec<Vec<u8>>,
    requests: BTreeMap<RequestId, Request>,
    /// How many messages of each kind there were.
    counts: BTreeMap<String, usize>,
}

struct Request {
    code: RequestCode,
    keys_only: bool,
    /// How many messages of the node there were.
    answers: usize,
    value_follows: bool,
}

impl Conversation {
    /// The message, read and written again.
    fn again(&mut self, message: &Message) -> Vec<u8> {
        if message.kind == "version" {
            assert_eq!(message.bytes, [VERSION]);
            return message.bytes.clone();
        }
        let (header, body) = message.bytes.split_first_chunk::<HEADER_LEN>().unwrap();
        let header = Header::decode(*header, u64::MAX).unwrap();
        assert_eq!(header.body_len, body.len() as u64);
        let mut again = Vec::new();
        match (header.kind, &*message.kind) {
            (Kind::Authentication, "auth") => {
                let body = self.authentication(body);
                write_authentication(&mut again, &body);
            }
            (Kind::Request, "request") => {
                let (id, payload) = body.split_first_chunk::<ID_LEN>().unwrap();
                let id = RequestId::new(u64::from_le_bytes(*id)).unwrap();
                let payload = match message.from {
                    Side::Client => self.of_client(id, payload),
                    Side::Node => self.of_node(id, payload),
                };
                write_request(&mut again, id, &payload);
            }
            (kind, recorded) => panic!("{kind} was recorded as {recorded}"),
        }
        assert_eq!(again[..HEADER_LEN], header.encode());
        again
    }

    fn authentication(&mut self, body: &[u8]) -> Vec<u8> {
        self.authentication.push(body.to_vec());
        match self.authentication.len() {
            1 => Timestamp::decode(body).unwrap().encode(),
            2 => auth::decode_nonce(body).unwrap().to_vec(),
            3 => {
                let proof = Proof::decode(body).unwrap();
                let time = Timestamp::decode(&self.authentication[0]).unwrap();
                let nonce: Nonce = auth::decode_nonce(&self.authentication[1]).unwrap();
                assert_eq!(proof.code, auth::code(&AuthKey::ZERO, time.0, nonce));
                proof.encode()
            }
            _ => vec![u8::from(auth::decode_verdict(body).unwrap())],
        }
    }

    fn of_client(&mut self, id: RequestId, payload: &[u8]) -> Vec<u8> {
        if let Some(request) = self.requests.get(&id) {
            let (name, again) = match request.code {
                RequestCode::GetAll | RequestCode::Mirror => {
                    let message = control::FromClient::decode(payload).unwrap();
                    (message.name().to_owned(), message.encode().to_vec())
                }
                RequestCode::Update => {
                    let message = update::FromClient::decode(payload).unwrap();
                    let name = format!("{message:?}");
                    (name, message.encode())
                }
                code => panic!("a second message for {code}"),
            };
            self.count(&name);
            return again;
        }
        let (command, fields) = Command::decode(payload).unwrap();
        assert_eq!(command.version, 0);
        let code = RequestCode::from_code(command.code).unwrap();
        let request = Request {
            code,
            keys_only: code == RequestCode::GetAll
                && get_all::Open::decode(fields).unwrap().settings.keys_only,
            answers: 0,
            value_follows: false,
        };
        self.requests.insert(id, request);
        self.count(code.name());
        first_message(code, fields)
    }

    fn of_node(&mut self, id: RequestId, payload: &[u8]) -> Vec<u8> {
        let request = self.requests.get_mut(&id).unwrap();
        request.answers += 1;
        if request.answers == 1 {
            return SupportedStatus::decode(payload).unwrap().encode().to_vec();
        }
        let mut out = Vec::new();
        let name = match request.code {
            RequestCode::Put => one_byte(put::Reply::decode(payload).unwrap().encode(), &mut out),
            RequestCode::Exists => {
                one_byte(exists::Reply::decode(payload).unwrap().encode(), &mut out)
            }
            RequestCode::Remove => {
                one_byte(remove::Reply::decode(payload).unwrap().encode(), &mut out)
            }
            RequestCode::RemoveChannel => one_byte(
                remove_channel::Reply::decode(payload).unwrap().encode(),
                &mut out,
            ),
            RequestCode::Get if request.value_follows => {
                out = get::Value::decode(payload).unwrap().encode();
                "value".to_owned()
            }
            RequestCode::Get => {
                let reply = get::Reply::decode(payload).unwrap();
                request.value_follows = reply == get::Reply::Got;
                one_byte(reply.encode(), &mut out)
            }
            RequestCode::GetHashRange if request.answers == 2 => {
                get_hash_range::Range::decode(payload)
                    .unwrap()
                    .encode(&mut out);
                "range".to_owned()
            }
            RequestCode::GetHashRange => {
                get_hash_range::Update::decode(payload)
                    .unwrap()
                    .encode(&mut out);
                "update".to_owned()
            }
            RequestCode::GetChannels => {
                let message = get_channels::FromNode::decode(payload).unwrap();
                message.encode(&mut out);
                format!("{message:?}")
            }
            RequestCode::GetAll => {
                let message = get_all::FromNode::decode(payload).unwrap();
                message.encode(&mut out);
                if let get_all::FromNode::RecordBatch(block) = &message {
                    pack_again(block, request.keys_only);
                }
                format!("{message:?}")
            }
            RequestCode::Mirror => {
                let message = mirror::FromNode::decode(payload).unwrap();
                message.encode(&mut out);
                if let mirror::FromNode::RecordRefreshBatch(block) = &message {
                    pack_dump_again(block);
                }
                format!("{message:?}")
            }
            RequestCode::Update => {
                let message = update::FromNode::decode(payload).unwrap();
                message.encode(&mut out);
                message.name().to_owned()
            }
        };
        let name = format!("{} {name}", request.code);
        self.count(&name);
        out
    }

    /// Counts a message by what stands before its fields.
    fn count(&mut self, name: &str) {
        let name = name.split(['(', '{']).next().unwrap_or(name).trim();
        *self.counts.entry(name.to_owned()).or_default() += 1;
    }
}

fn one_byte(again: [u8; 1], out: &mut Vec<u8>) -> String {
    out.extend_from_slice(&again);
    again[0].to_string()
}

fn first_message(code: RequestCode, fields: &[u8]) -> Vec<u8> {
    let client_half = |record: RecordName| match code {
        RequestCode::Get => get::Client::new(record).opening(),
        RequestCode::Exists => exists::Client::new(record).opening(),
        _ => remove::Client::new(record).opening(),
    };
    match code {
        RequestCode::GetHashRange => get_hash_range::Open::decode(fields).unwrap().encode(),
        RequestCode::GetChannels => get_channels::Open::decode(fields).unwrap().encode(),
        RequestCode::Put => put::Open::decode(fields).unwrap().encode(),
        RequestCode::RemoveChannel => remove_channel::Open::decode(fields).unwrap().encode(),
        RequestCode::Mirror => mirror::Open::decode(fields).unwrap().encode(),
        RequestCode::GetAll => get_all::Open::decode(fields).unwrap().encode(),
        RequestCode::Update => update::Open::decode(fields).unwrap().encode(),
        RequestCode::Get | RequestCode::Exists | RequestCode::Remove => {
            client_half(RecordName::decode_fields(fields).unwrap())
        }
    }
}

/// Another encoder finds other matches: the records have to be the same, not the block.
fn pack_again(block: &[u8], keys_only: bool) {
    let mut batch = GetAllBatch::default();
    if keys_only {
        for key in batch::decode_keys(block).unwrap() {
            assert_eq!(batch.push_key(key), Pushed::Added);
        }
    } else {
        for (key, value) in batch::decode_records(block).unwrap() {
            assert_eq!(batch.push(key, &value), Pushed::Added);
        }
    }
    same_plain_bytes(block, &batch.finish(), batch::LIMIT);
}

fn pack_dump_again(block: &[u8]) {
    let mut batch = RefreshBatch::default();
    for (key, value) in batch::decode_refresh(block).unwrap() {
        assert_eq!(batch.push(key, &value), Pushed::Added);
    }
    same_plain_bytes(block, &batch.finish(), batch::REFRESH_LIMIT);
}

fn same_plain_bytes(one: &[u8], other: &[u8], limit: usize) {
    let one = lzo::decompress(one, limit).unwrap();
    assert_eq!(one, lzo::decompress(other, limit).unwrap());
}

#[test]
fn every_message_is_understood_and_written_the_same_way() {
    let mut counts = BTreeMap::<String, usize>::new();
    let recordings = recordings();
    assert!(recordings.len() >= 26, "{} recordings", recordings.len());
    for recording in &recordings {
        let mut conversation = Conversation::default();
        for (index, message) in messages(recording).iter().enumerate() {
            let again = conversation.again(message);
            assert!(
                again == message.bytes,
                "{}, message {index}",
                recording.display()
            );
        }
        assert_eq!(conversation.authentication.len(), 4);
        for (name, count) in conversation.counts {
            *counts.entry(name).or_default() += count;
        }
    }
    // What the recordings hold according to their README, so that none of it goes missing unnoticed.
    for name in [
        "GetHashRange",
        "Put",
        "Get",
        "Mirror",
        "GetAll",
        "GetChannels",
        "Exists",
        "Remove",
        "RemoveChannel",
        "Update",
        "Suspend",
        "Resume",
        "Stop",
        "Ack",
        "UpdateRecord",
        "GetHashRange range",
        "Put 1",
        "Get 1",
        "Get 2",
        "Get value",
        "Exists 1",
        "Remove 2",
        "RemoveChannel 1",
        "GetChannels ChannelName",
        "GetChannels Finished",
        "GetAll Started",
        "GetAll RecordBatch",
        "GetAll Finished",
        "Mirror Ack",
        "Mirror Started",
        "Mirror RecordChanged",
        "Mirror RecordDeleted",
        "Mirror RecordRefreshBatch",
        "Mirror ChannelRemoved",
        "Update RecordValue",
        "Update Ok",
        "Update NoRecord",
    ] {
        assert!(counts.contains_key(name), "no {name} in {counts:#?}");
    }
}

fn transcript(recording: &Path) -> Vec<String> {
    let mut dissector = Dissector::new();
    messages(recording)
        .iter()
        .map(|message| {
            let arrow = match message.from {
                Side::Client => "->",
                Side::Node => "<-",
            };
            let line = match message.bytes.split_first_chunk::<HEADER_LEN>() {
                None => dissector.version(message.bytes[0]),
                Some((header, body)) => {
                    let header = Header::decode(*header, u64::MAX).unwrap();
                    dissector.message(message.from, header.kind, body)
                }
            };
            format!("{arrow} {line}")
        })
        .collect()
}

#[test]
fn every_message_has_a_line_that_explains_it() {
    for recording in recordings() {
        for line in transcript(&recording) {
            for complaint in ["malformed", "out of turn", "of no request"] {
                assert!(!line.contains(complaint), "{}: {line}", recording.display());
            }
        }
    }
}

#[test]
fn a_put_and_a_get_as_text() {
    let recording = Path::new(VECTORS).join("dhtnode-neo-put-get.jsonl");
    let expected = r#"
-> version 1
<- version 1
-> authentication: time 1795326307 s
<- authentication: nonce 6d2e8d68
-> authentication: name="admin" code=390d1d99
<- authentication: accepted
-> #1 GetHashRange
<- #1 supported
<- #1 range 0000000000000000..ffffffffffffffff
-> #2 Put channel="test_channel" key=000000000000000c value="doo"
<- #2 supported
<- #2 Put
-> #3 Put channel="test_channel" key=000000000000000a value="foo"
<- #3 supported
<- #3 Put
-> #4 Put channel="test_channel" key=000000000000000b value="bar"
<- #4 supported
<- #4 Put
-> #5 Get channel="test_channel" key=000000000000000c
<- #5 supported
<- #5 Got
<- #5 value="doo"
-> #6 Get channel="test_channel" key=000000000000000a
<- #6 supported
<- #6 Got
<- #6 value="foo"
-> #7 Get channel="test_channel" key=000000000000000b
<- #7 supported
<- #7 Got
<- #7 value="bar"
-> #8 RemoveChannel channel="test_channel"
<- #8 supported
<- #8 ChannelRemoved
"#;
    assert_eq!(transcript(&recording).join("\n"), expected.trim());
}
