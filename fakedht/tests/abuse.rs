//! Clients that want too much, or do not read, harm nobody but themselves.

mod support;

use std::sync::Arc;

use dht_protocol::neo::header::{Header, Kind};
use dht_protocol::neo::request::{RequestCode, get_all, mirror};
use fakedht::{Node, NodeConfig, ServerOptions, TestNode};
use support::{Client, Lines, about, logging_node, put, within};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

fn get_all() -> Vec<u8> {
    get_all::Open {
        start_suspended: false,
        channel: "big".into(),
        continue_from: None,
        settings: get_all::Settings::default(),
    }
    .encode()
}

/// Ten megabytes that cannot be compressed.
fn fill(node: &TestNode) {
    let mut noise = 1_u64;
    for key in 0..200_u64 {
        let value: Vec<u8> = (0..50_000)
            .map(|_| {
                noise = noise
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                (noise >> 56) as u8
            })
            .collect();
        node.put("big", key, value);
    }
}

/// The output that the node keeps for its connections, in bytes.
fn waiting(node: &TestNode) -> usize {
    node.node().with(|node| {
        let connections: Vec<_> = node.connections().collect();
        let output = |id| node.output(id).map_or(0, |output| output.len());
        connections.into_iter().map(output).sum()
    })
}

/// Waits until the node has no more connections than these.
async fn connections(node: &TestNode, at_most: usize) {
    within("the end of a connection", async {
        loop {
            let look = |node: &mut Node<_>| (node.connections().count(), node.revision());
            let (connections, revision) = node.node().with(look);
            if connections <= at_most {
                break;
            }
            node.node().changed(revision).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_slow_reader_gets_everything_in_the_end_and_costs_little() {
    let node = TestNode::start().await.unwrap();
    fill(&node);
    let mut slow = Client::connect(node.address()).await;
    let mut ids = Vec::new();
    for _ in 0..10 {
        ids.push(slow.start(get_all()).await);
    }
    // Everybody else works; the node has 100 MB to say to the slow one.
    let mut other = Client::connect(node.address()).await;
    for key in 0..1000 {
        assert_eq!(other.ask(put("c", key, "v"), 1).await, [[1]]);
    }
    assert!(
        waiting(&node) < 1024 * 1024,
        "{} bytes wait",
        waiting(&node)
    );
    for id in ids {
        let mut bytes = 0;
        loop {
            let message = slow.message(id).await;
            bytes += message.len();
            if message == [8] {
                break;
            }
        }
        assert!(bytes > 10_000_000);
    }
}

#[tokio::test]
async fn a_mirror_that_does_not_read_slows_no_writer() {
    let node = TestNode::start().await.unwrap();
    let mut slow = Client::connect(node.address()).await;
    let open = mirror::Open {
        start_suspended: false,
        channel: "c".into(),
        settings: mirror::Settings {
            initial_refresh: false,
            periodic_refresh_s: 0,
        },
    };
    let id = slow.start(open.encode()).await;
    slow.messages(id, 2).await;
    let mut writer = Client::connect(node.address()).await;
    let value = "v".repeat(1000);
    let writes = 40_000;
    for _ in 0..writes / 1000 {
        let mut last = None;
        for key in 0..1000 {
            last = Some(writer.start(put("c", key, &value)).await);
        }
        assert_eq!(writer.messages(last.unwrap(), 2).await, [[0xfd], [1]]);
    }
    assert!(waiting(&node) < 1024 * 1024);
    let mut changes = 0;
    loop {
        match mirror::FromNode::decode(&slow.message(id).await).unwrap() {
            mirror::FromNode::RecordChanged(..) => changes += 1,
            message => break assert_eq!(message, mirror::FromNode::UpdateOverflow),
        }
    }
    assert!((16_384..writes).contains(&changes), "{changes}");
}

#[tokio::test]
async fn five_thousand_requests_are_served_and_one_more_is_not() {
    let (node, lines) = logging_node().await;
    let mut greedy = Client::connect(node.address()).await;
    let mut last = None;
    for _ in 0..5000 {
        last = Some(greedy.start([RequestCode::GetHashRange as u8, 0]).await);
    }
    assert_eq!(greedy.messages(last.unwrap(), 2).await.len(), 2);
    assert_eq!(lines.take(), [""; 0]);
    greedy.start([RequestCode::GetHashRange as u8, 0]).await;
    greedy.closed().await;
    let lines = lines.take();
    assert!(lines[0].contains("NEO-MUX-20: more than 5000"), "{lines:?}");
    Client::connect(node.address()).await;
}

#[tokio::test]
async fn an_announced_length_is_waited_for_and_costs_nothing() {
    let node = TestNode::start().await.unwrap();
    let mut announcers = Vec::new();
    for _ in 0..100 {
        let mut client = Client::connect(node.address()).await;
        let header = Header {
            kind: Kind::Request,
            body_len: 30_000_000,
        };
        client.send_raw(&header.encode()).await;
        announcers.push(client);
    }
    let mut other = Client::connect(node.address()).await;
    assert_eq!(other.ask(put("c", 1, "v"), 1).await, [[1]]);
    assert_eq!(node.node().connected(), 101);
}

#[tokio::test]
async fn half_a_connection_gets_its_answers() {
    let node = TestNode::start().await.unwrap();
    fill(&node);
    let mut client = Client::connect(node.address()).await;
    let get = client.start(about(RequestCode::Get, "c", 1)).await;
    let all = client.start(get_all()).await;
    // Half a message is not answered.
    client.send_raw(&[1, 30, 0, 0]).await;
    client.stream.shutdown().await.unwrap();
    assert_eq!(client.messages(get, 2).await, [[0xfd], [1]]);
    while client.message(all).await != [8] {}
    client.closed().await;
    connections(&node, 0).await;
}

#[tokio::test]
async fn silent_connections_count_and_harm_nobody() {
    let lines = Lines::default();
    let options = ServerOptions {
        max_connections: 201,
        log: Arc::new(lines.clone()),
        ..ServerOptions::default()
    };
    let node = TestNode::start_with(NodeConfig::default(), options)
        .await
        .unwrap();
    let mut silent = Vec::new();
    for _ in 0..200 {
        silent.push(TcpStream::connect(node.address()).await.unwrap());
    }
    let mut client = Client::connect(node.address()).await;
    assert_eq!(client.ask(put("c", 1, "v"), 1).await, [[1]]);

    // One too many is closed without a byte.
    let mut surplus = TcpStream::connect(node.address()).await.unwrap();
    let mut answer = Vec::new();
    within("the end", async {
        let _ = surplus.read_to_end(&mut answer).await;
    })
    .await;
    assert_eq!(answer, []);
    assert!(lines.take()[0].contains("201 connections are open"));

    drop(silent.pop());
    connections(&node, 200).await;
    Client::connect(node.address()).await;
}
