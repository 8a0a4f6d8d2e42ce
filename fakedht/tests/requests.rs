//! Each of the ten requests over a socket, as `neo-requests.md` describes it.

mod support;

use bytes::Bytes;
use dht_protocol::neo::Credential;
use dht_protocol::neo::batch;
use dht_protocol::neo::request::update::{FromClient, Replacement};
use dht_protocol::neo::request::{
    RecordName, RequestCode, get_all, get_channels, get_hash_range, mirror, remove_channel, update,
};
use dht_protocol::{HashRange, Key, fnv1a};
use fakedht::{NodeConfig, RemoveChannels, ServerOptions, TestNode};
use support::Client;

fn record(key: u64) -> RecordName {
    RecordName {
        channel: "channel".into(),
        key: Key(key),
    }
}

fn put(key: u64, value: &str) -> Vec<u8> {
    support::put("channel", key, value)
}

fn about(request: RequestCode, key: u64) -> Vec<u8> {
    support::about(request, "channel", key)
}

fn get_all() -> get_all::Open {
    get_all::Open {
        start_suspended: false,
        channel: "channel".into(),
        continue_from: None,
        settings: get_all::Settings::default(),
    }
}

#[tokio::test]
async fn single_records() {
    let node = TestNode::start().await.unwrap();
    let mut client = Client::connect(node.address()).await;
    assert_eq!(client.ask(about(RequestCode::Get, 1), 1).await, [[1]]);
    assert_eq!(client.ask(put(1, "one"), 1).await, [[1]]);
    assert_eq!(node.get("channel", 1).as_deref(), Some(&b"one"[..]));
    let answers = client.ask(about(RequestCode::Get, 1), 2).await;
    assert_eq!(answers, [&[2][..], b"\x03\0\0\0\0\0\0\0one"]);
    assert_eq!(client.ask(about(RequestCode::Exists, 1), 1).await, [[1]]);
    assert_eq!(client.ask(about(RequestCode::Exists, 2), 1).await, [[2]]);
    assert_eq!(client.ask(about(RequestCode::Remove, 1), 1).await, [[2]]);
    assert_eq!(client.ask(about(RequestCode::Remove, 1), 1).await, [[1]]);
    assert_eq!(node.size("channel").records, 0);
}

#[tokio::test]
async fn an_empty_value_is_a_value_for_all() {
    let node = TestNode::start().await.unwrap();
    let mut client = Client::connect(node.address()).await;
    assert_eq!(client.ask(put(1, ""), 1).await, [[1]]);
    let answers = client.ask(about(RequestCode::Get, 1), 2).await;
    assert_eq!(answers, [&[2][..], &[0; 8]]);
    assert_eq!(client.ask(about(RequestCode::Exists, 1), 1).await, [[1]]);
    assert_eq!(client.ask(about(RequestCode::Remove, 1), 1).await, [[2]]);
}

#[tokio::test]
async fn update_compares_and_writes() {
    let node = TestNode::start().await.unwrap();
    let mut client = Client::connect(node.address()).await;
    let open = update::Open::GetRecord(record(1)).encode();
    let replace = |value: &'static str, by: &'static str| {
        FromClient::UpdateRecord(Replacement {
            original_hash: fnv1a(value.as_bytes()),
            new_value: by.into(),
        })
        .encode()
    };
    assert_eq!(client.ask(&open, 1).await, [[7]], "no record");
    node.put("channel", 1, "a");
    for (replacement, answer, value) in [
        (replace("a", "b"), 6, Some("b")),
        (replace("a", "c"), 8, Some("b")),
        (FromClient::LeaveRecord.encode(), 6, Some("b")),
        (FromClient::RemoveRecord.encode(), 6, None),
    ] {
        let id = client.start(&open).await;
        let [status, read] = client.messages(id, 2).await.try_into().unwrap();
        assert_eq!((&status[..], read[0]), (&[0xfd][..], 5));
        client.send(id, replacement).await;
        assert_eq!(client.message(id).await, [answer]);
        assert_eq!(node.get("channel", 1), value.map(Bytes::from));
    }
}

#[tokio::test]
async fn get_all_sends_every_record_once() {
    let node = TestNode::start().await.unwrap();
    let values: Vec<String> = (0..3000).map(|key| format!("{key:040}")).collect();
    for (key, value) in values.iter().enumerate() {
        node.put("channel", key as u64, value);
    }
    let mut client = Client::connect(node.address()).await;
    let id = client.start(get_all().encode()).await;
    assert_eq!(client.messages(id, 2).await, [[0xfd], [5]]);
    let mut keys = Vec::new();
    loop {
        match get_all::FromNode::decode(&client.message(id).await).unwrap() {
            get_all::FromNode::RecordBatch(block) => {
                for (key, value) in batch::decode_records(&block).unwrap() {
                    assert_eq!(value, values[key.0 as usize]);
                    keys.push(key.0);
                }
            }
            message => break assert_eq!(message, get_all::FromNode::Finished),
        }
    }
    keys.sort_unstable();
    assert_eq!(keys, Vec::from_iter(0..3000));
    client.send(id, [4]).await;
    assert!(client.so_far(id).await.is_empty());
}

#[tokio::test]
async fn get_all_of_a_channel_that_is_not_there_is_empty() {
    let node = TestNode::start().await.unwrap();
    let mut client = Client::connect(node.address()).await;
    let answers = client.ask(get_all().encode(), 3).await;
    assert_eq!(answers[0], [5]);
    assert_eq!(answers[1][0], 7);
    assert_eq!(answers[2], [8]);
    assert_eq!(node.channels(), ["channel".into()], "created by reading");
}

#[tokio::test]
async fn channels_are_listed_and_removed() {
    let node = TestNode::start().await.unwrap();
    for channel in ["b", "a", ""] {
        node.put(channel, 1, "value");
    }
    let mut client = Client::connect(node.address()).await;
    let list = get_channels::Open.encode();
    let names = client.ask(&list, 4).await;
    assert_eq!(
        names[..2],
        [&b"\x02\0\0\0\0\0\0\0\0"[..], b"\x02\x01\0\0\0\0\0\0\0a"]
    );
    assert_eq!(names[3], [3]);
    for _ in 0..2 {
        let remove = remove_channel::Open("a".into()).encode();
        assert_eq!(client.ask(remove, 1).await, [[1]]);
    }
    assert_eq!(node.channels(), ["".into(), "b".into()]);
    assert_eq!(client.ask(&list, 3).await[2], [3]);
}

#[tokio::test]
async fn removing_channels_needs_permission() {
    let credentials = |name: &str| {
        let key = "00".repeat(128);
        format!("{name}:{key}").parse::<Credential>().unwrap()
    };
    for (permission, answer, left) in [
        (RemoveChannels::AdminOnly, 2, 1),
        (RemoveChannels::Everybody, 1, 0),
    ] {
        let config = NodeConfig {
            credentials: [credentials("somebody"), credentials("admin")]
                .into_iter()
                .collect(),
            remove_channels: permission,
            ..NodeConfig::default()
        };
        let node = TestNode::start_with(config, ServerOptions::default())
            .await
            .unwrap();
        node.put("channel", 1, "value");
        let mut client = Client::connect_as(node.address(), credentials("somebody"))
            .await
            .unwrap();
        let remove = remove_channel::Open("channel".into()).encode();
        assert_eq!(client.ask(remove, 1).await, [[answer]]);
        assert_eq!(node.channels().len(), left, "{permission:?}");
    }
}

#[tokio::test]
async fn hash_ranges_are_told_and_kept() {
    let low = HashRange::new(0, u64::MAX / 2).unwrap();
    let high = HashRange::new(u64::MAX / 2 + 1, u64::MAX).unwrap();
    let config = NodeConfig {
        range: low,
        ..NodeConfig::default()
    };
    let node = TestNode::start_with(config, ServerOptions::default())
        .await
        .unwrap();
    let mut client = Client::connect(node.address()).await;
    let range = client.start(get_hash_range::Open.encode()).await;
    let mut expected = Vec::new();
    get_hash_range::Range(low).encode(&mut expected);
    assert_eq!(client.messages(range, 2).await, [vec![0xfd], expected]);

    // Odd keys are in the upper half.
    assert_eq!(client.ask(put(2, "even"), 1).await, [[1]]);
    assert_eq!(client.ask(put(3, "odd"), 1).await, [[2]]);
    for (request, wrong_node) in [
        (RequestCode::Get, 3),
        (RequestCode::Exists, 3),
        (RequestCode::Remove, 3),
    ] {
        assert_eq!(client.ask(about(request, 3), 1).await, [[wrong_node]]);
    }
    let update = update::Open::GetRecord(record(3)).encode();
    assert_eq!(client.ask(update, 1).await, [[9]]);

    node.announce_node("127.0.0.1:7".parse().unwrap(), low);
    node.set_range(high);
    let updates = client.messages(range, 2).await;
    let updates: Vec<_> = updates
        .iter()
        .map(|update| get_hash_range::Update::decode(update).unwrap())
        .collect();
    assert_eq!(
        updates,
        [
            get_hash_range::Update::NewNode("127.0.0.1:7".parse().unwrap(), low),
            get_hash_range::Update::ChangeHashRange(high),
        ]
    );
    assert_eq!(client.ask(put(3, "odd"), 1).await, [[1]]);
    assert_eq!(client.ask(about(RequestCode::Get, 2), 1).await, [[3]]);
}

#[tokio::test]
async fn mirror_follows_a_channel() {
    let node = TestNode::start().await.unwrap();
    node.put("channel", 1, "one");
    let mut client = Client::connect(node.address()).await;
    let open = mirror::Open {
        start_suspended: false,
        channel: "channel".into(),
        settings: mirror::Settings {
            initial_refresh: true,
            periodic_refresh_s: 0,
        },
    };
    let id = client.start(open.encode()).await;
    assert_eq!(client.messages(id, 2).await, [[0xfd], [5]]);
    let message = mirror::FromNode::decode(&client.message(id).await).unwrap();
    let mirror::FromNode::RecordRefreshBatch(block) = message else {
        panic!("{message:?}");
    };
    let records = batch::decode_refresh(&block).unwrap();
    assert_eq!(records, [(Key(1), Bytes::from("one"))]);
    // The writer is the same connection.
    let put = client.start(put(2, "two")).await;
    assert_eq!(client.messages(put, 2).await, [[0xfd], [1]]);
    let change = mirror::FromNode::decode(&client.message(id).await).unwrap();
    assert_eq!(
        change,
        mirror::FromNode::RecordChanged(Key(2), "two".into())
    );
}

#[tokio::test]
async fn unknown_requests_and_versions_are_refused() {
    let node = TestNode::start().await.unwrap();
    let mut client = Client::connect(node.address()).await;
    for (opening, status) in [
        ([11, 0], 0xff),
        ([0, 0], 0xff),
        ([2, 1], 0xfe),
        ([11, 1], 0xff),
    ] {
        let id = client.start(opening).await;
        assert_eq!(client.message(id).await, [status], "{opening:?}");
    }
    assert_eq!(client.ask(put(1, "value"), 1).await, [[1]]);
}
