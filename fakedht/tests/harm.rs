//! What bugs do to a node on TCP that cannot be seen without sockets: it crashes, closes connections by
//! itself, or treats half-closed connections wrongly.

mod support;

use std::io;
use std::sync::Arc;

use dht_protocol::neo::request::RequestCode;
use fakedht::{Bugs, NodeConfig, ServerOptions, TestNode};
use support::{Client, Lines, about, put, within};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A message with request id 0.
const ID_ZERO: [u8; 18] = [1, 8, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0];

async fn node(bug: &str) -> TestNode {
    let config = NodeConfig {
        bugs: Bugs::from_iter([Bugs::find(bug).unwrap()]),
        ..NodeConfig::default()
    };
    TestNode::start_with(config, ServerOptions::default())
        .await
        .unwrap()
}

/// Everything that comes up to the end of the connection.
async fn rest(stream: &mut TcpStream) -> Vec<u8> {
    let mut rest = Vec::new();
    within("the end of the connection", async {
        // A reset is an end as good as any.
        let _ = stream.read_to_end(&mut rest).await;
    })
    .await;
    rest
}

#[tokio::test]
async fn a_crashed_node_closes_everything_and_refuses_until_it_is_restarted() {
    let mut node = node("id-zero-crashes").await;
    node.put("c", 1, "v");
    let mut bystander = Client::connect(node.address()).await;
    let mut client = Client::connect(node.address()).await;
    assert!(!node.has_crashed());
    client.send_raw(&ID_ZERO).await;
    within("the crash", node.node().crashed()).await;
    assert!(node.has_crashed());
    client.closed().await;
    bystander.closed().await;
    within("refusal", async {
        // Until the listener is closed a connection may still be made, and is reset then.
        while TcpStream::connect(node.address())
            .await
            .map_err(|error| error.kind())
            .err()
            != Some(io::ErrorKind::ConnectionRefused)
        {
            tokio::task::yield_now().await;
        }
    })
    .await;
    node.restart().await.unwrap();
    assert!(!node.has_crashed());
    let mut client = Client::connect(node.address()).await;
    assert_eq!(
        client.ask(about(RequestCode::Exists, "c", 1), 1).await,
        [[1]]
    );
}

#[tokio::test]
async fn a_node_that_closes_all_connections_takes_new_ones() {
    let node = node("malformed-request-closes-all").await;
    let mut bystander = Client::connect(node.address()).await;
    let mut client = Client::connect(node.address()).await;
    client.start([RequestCode::Get as u8, 0, 1]).await;
    client.closed().await;
    bystander.closed().await;
    let mut newcomer = Client::connect(node.address()).await;
    assert_eq!(newcomer.ask(put("c", 1, "v"), 1).await, [[1]]);
}

#[tokio::test]
async fn an_unusable_node_serves_those_that_it_has() {
    let node = node("header-error-makes-unusable").await;
    let mut bystander = Client::connect(node.address()).await;
    let mut client = Client::connect(node.address()).await;
    client.send_raw(&[9; 10]).await;
    client.closed().await;
    assert_eq!(bystander.ask(put("c", 1, "v"), 1).await, [[1]]);
    let mut newcomer = TcpStream::connect(node.address()).await.unwrap();
    assert_eq!(rest(&mut newcomer).await, []);
}

#[tokio::test]
async fn a_client_that_connects_again_loses_its_connection() {
    let node = node("one-connection-per-client").await;
    let mut first = Client::connect(node.address()).await;
    let mut second = Client::connect(node.address()).await;
    first.closed().await;
    assert_eq!(second.ask(put("c", 1, "v"), 1).await, [[1]]);
}

#[tokio::test]
async fn half_closed_connections_are_answered_unless_a_bug_drops_them() {
    for (bug, answered) in [
        ("put-not-stored", true),
        ("half-close-kept-open", true),
        ("half-close-drops-answers", false),
    ] {
        let node = node(bug).await;
        let mut client = Client::connect(node.address()).await;
        client.start(about(RequestCode::Exists, "c", 1)).await;
        client.stream.shutdown().await.unwrap();
        let mut answer = [0; 38];
        let read = within("answer or end", client.stream.read_exact(&mut answer)).await;
        assert_eq!(read.is_ok(), answered, "{bug}");
        if bug != "half-close-kept-open" {
            assert_eq!(rest(&mut client.stream).await, []);
            continue;
        }
        // It is open still when others are served, and until the node wants it closed.
        let mut other = Client::connect(node.address()).await;
        assert_eq!(other.ask(put("c", 1, "v"), 1).await, [[1]]);
        assert_eq!(node.node().connected(), 2);
        node.drop_connections().await;
        assert_eq!(rest(&mut client.stream).await, []);
    }
}

#[tokio::test]
async fn a_forgiven_violation_is_not_logged() {
    let lines = Lines::default();
    let config = NodeConfig {
        bugs: Bugs::from_iter(Bugs::find("id-zero-ignored")),
        ..NodeConfig::default()
    };
    let options = ServerOptions {
        log: Arc::new(lines.clone()),
        ..ServerOptions::default()
    };
    let node = TestNode::start_with(config, options).await.unwrap();
    let mut client = Client::connect(node.address()).await;
    client.send_raw(&ID_ZERO).await;
    assert_eq!(client.ask(put("c", 1, "v"), 1).await, [[1]]);
    assert_eq!(lines.take(), [""; 0]);
}
