//! Mirrors on one connection and writers on others.

mod support;

use bytes::Bytes;
use dht_protocol::Key;
use dht_protocol::neo::request::RequestCode;
use dht_protocol::neo::request::mirror::{FromNode, Open, Settings};
use dht_protocol::neo::{Limits, RequestId, batch};
use fakedht::{NodeConfig, ServerOptions, TestNode};
use support::{Client, about, put};

const SUSPEND: [u8; 1] = [1];
const RESUME: [u8; 1] = [2];
const STOP: [u8; 1] = [3];
const ACK: [u8; 1] = [4];

const CHANGES_ONLY: Settings = Settings {
    initial_refresh: false,
    periodic_refresh_s: 0,
};

/// Starts a Mirror and waits until it runs.
async fn mirror(client: &mut Client, settings: Settings, start_suspended: bool) -> RequestId {
    let open = Open {
        start_suspended,
        channel: "c".into(),
        settings,
    };
    let id = client.start(open.encode()).await;
    assert_eq!(client.messages(id, 2).await, [[0xfd], [5]]);
    id
}

async fn told(client: &mut Client, id: RequestId) -> FromNode {
    FromNode::decode(&client.message(id).await).unwrap()
}

fn changed(key: u64, value: &'static str) -> FromNode {
    FromNode::RecordChanged(Key(key), Bytes::from(value))
}

#[tokio::test]
async fn every_writer_is_followed() {
    let node = TestNode::start().await.unwrap();
    let mut reader = Client::connect(node.address()).await;
    let mut writer = Client::connect(node.address()).await;
    let first = mirror(&mut reader, CHANGES_ONLY, false).await;
    let second = mirror(&mut reader, CHANGES_ONLY, false).await;
    for id in [first, second] {
        assert_eq!(writer.ask(put("c", 1, "v"), 1).await, [[1]]);
        assert_eq!(told(&mut reader, id).await, changed(1, "v"));
    }
    for id in [first, second] {
        assert_eq!(reader.so_far(id).await.len(), 1);
    }
    writer.ask(put("other", 1, "v"), 1).await;
    writer.ask(about(RequestCode::Remove, "c", 2), 1).await;
    writer.ask(about(RequestCode::Remove, "c", 1), 1).await;
    for id in [first, second] {
        let deleted = FromNode::RecordDeleted(Key(1));
        assert_eq!(told(&mut reader, id).await, deleted);
    }
    node.put("c", 3, "direct");
    assert_eq!(told(&mut reader, first).await, changed(3, "direct"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_writers_and_mirrors_at_once() {
    const WRITERS: u64 = 8;
    const WRITES: u64 = 200;
    let node = TestNode::start().await.unwrap();
    let mut mirrors = Vec::new();
    for _ in 0..4 {
        let mut reader = Client::connect(node.address()).await;
        let id = mirror(&mut reader, CHANGES_ONLY, false).await;
        mirrors.push(tokio::spawn(async move {
            let mut changed = Vec::new();
            while changed.len() < (WRITERS * WRITES) as usize {
                match told(&mut reader, id).await {
                    FromNode::RecordChanged(Key(key), _) => changed.push(key),
                    message => panic!("{message:?}"),
                }
            }
            changed.sort_unstable();
            changed
        }));
    }
    for writer in 0..WRITERS {
        let address = node.address();
        tokio::spawn(async move {
            let mut client = Client::connect(address).await;
            for write in 0..WRITES {
                let key = writer * WRITES + write;
                assert_eq!(client.ask(put("c", key, "v"), 1).await, [[1]]);
            }
        });
    }
    for mirror in mirrors {
        assert_eq!(mirror.await.unwrap(), Vec::from_iter(0..WRITERS * WRITES));
    }
}

#[tokio::test]
async fn a_suspended_mirror_keeps_changes_for_later() {
    let node = TestNode::start().await.unwrap();
    let mut reader = Client::connect(node.address()).await;
    let mut writer = Client::connect(node.address()).await;
    let id = mirror(&mut reader, CHANGES_ONLY, true).await;
    writer.ask(put("c", 1, "a"), 1).await;
    writer.ask(put("c", 1, "b"), 1).await;
    assert!(reader.so_far(id).await.is_empty());
    reader.send(id, RESUME).await;
    assert_eq!(reader.message(id).await, ACK);
    assert_eq!(told(&mut reader, id).await, changed(1, "b"));
    assert_eq!(told(&mut reader, id).await, changed(1, "b"));
    reader.send(id, SUSPEND).await;
    assert_eq!(reader.message(id).await, ACK);
    writer.ask(put("c", 2, "c"), 1).await;
    assert!(reader.so_far(id).await.is_empty());
    reader.send(id, STOP).await;
    assert_eq!(reader.message(id).await, ACK);
    writer.ask(put("c", 3, "d"), 1).await;
    assert!(reader.so_far(id).await.is_empty());
    assert_eq!(node.listeners("c"), 0);
}

#[tokio::test]
async fn too_many_changes_are_reported_as_lost() {
    let config = NodeConfig {
        limits: Limits {
            mirror_queue: 3,
            ..Limits::default()
        },
        ..NodeConfig::default()
    };
    let node = TestNode::start_with(config, ServerOptions::default())
        .await
        .unwrap();
    let mut reader = Client::connect(node.address()).await;
    let id = mirror(&mut reader, CHANGES_ONLY, true).await;
    for key in 0..5_u64 {
        node.put("c", key, "v");
    }
    reader.send(id, RESUME).await;
    assert_eq!(reader.message(id).await, ACK);
    for key in 0..3 {
        assert_eq!(told(&mut reader, id).await, changed(key, "v"));
    }
    assert_eq!(told(&mut reader, id).await, FromNode::UpdateOverflow);
}

#[tokio::test]
async fn a_removed_channel_ends_its_mirrors_even_suspended_ones() {
    let node = TestNode::start().await.unwrap();
    let mut reader = Client::connect(node.address()).await;
    let mut writer = Client::connect(node.address()).await;
    let running = mirror(&mut reader, CHANGES_ONLY, false).await;
    let suspended = mirror(&mut reader, CHANGES_ONLY, true).await;
    assert_eq!(node.listeners("c"), 2);
    let remove = [&[9, 0, 1, 0, 0, 0, 0, 0, 0, 0][..], b"c"].concat();
    assert_eq!(writer.ask(remove, 1).await, [[1]]);
    // The new channel of that name is not theirs.
    writer.ask(put("c", 1, "new"), 1).await;
    assert_eq!(node.listeners("c"), 0);
    for id in [running, suspended] {
        assert_eq!(told(&mut reader, id).await, FromNode::ChannelRemoved);
        reader.send(id, ACK).await;
        assert!(reader.so_far(id).await.is_empty());
    }
    assert_eq!(
        node.node().with(|node| {
            let ids: Vec<_> = node.connections().collect();
            ids.iter().map(|id| node.active_requests(*id)).max()
        }),
        Some(0)
    );
}

#[tokio::test]
async fn refreshes_send_all_records() {
    let node = TestNode::start().await.unwrap();
    node.put("c", 1, "one");
    let mut reader = Client::connect(node.address()).await;
    let settings = Settings {
        initial_refresh: true,
        periodic_refresh_s: 1,
    };
    let id = mirror(&mut reader, settings, false).await;
    for _ in 0..2 {
        let FromNode::RecordRefreshBatch(block) = told(&mut reader, id).await else {
            panic!("a refresh was due");
        };
        let records = batch::decode_refresh(&block).unwrap();
        assert_eq!(records, [(Key(1), Bytes::from("one"))]);
    }
}

#[tokio::test]
async fn a_mirror_ends_with_its_connection() {
    let node = TestNode::start().await.unwrap();
    let mut reader = Client::connect(node.address()).await;
    mirror(&mut reader, CHANGES_ONLY, false).await;
    assert_eq!(node.listeners("c"), 1);
    drop(reader);
    node.wait_for_listeners("c", 0, support::LIMIT)
        .await
        .unwrap();
    node.put("c", 1, "nobody listens");
}
