//! Connections: readiness and the lack of it, events, reconnecting, files, and what a tap sees.

mod common;

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::scripted::{Scripted, range, supported};
use common::{PATIENCE, builder, connect, even, one_node, within};
use dht_client::{
    Client, ConnectionError, ConnectionEvent, Credential, FileError, HashRange, Missing,
    NodeAddress, Side, Tap, credential_from_file, nodes_from_file,
};
use dht_protocol::neo::{AuthKey, ClientName};
use fakedht::TestNode;
use tokio::net::TcpSocket;

const SHORT: Duration = Duration::from_millis(50);

/// Why a client is not ready for the only node it knows.
async fn missing(client: &Client, patience: Duration) -> Missing {
    let not_ready = within(client.ready(patience)).await.unwrap_err();
    assert!(not_ready.to_string().starts_with("node 127.0.0.1:"));
    let [(_, missing)] = not_ready.nodes.try_into().unwrap();
    missing
}

fn credential(name: &str, key: AuthKey) -> Credential {
    let name = ClientName::new(name.as_bytes()).unwrap();
    Credential { name, key }
}

#[tokio::test]
async fn wrong_credentials_are_told_at_once() {
    let node = TestNode::start().await.unwrap();
    for credential in [
        credential("admin", AuthKey::new([1; 128])),
        credential("nobody", AuthKey::ZERO),
    ] {
        let client = Client::builder(credential).node(node.address()).build();
        let rejected = Missing::Connection(ConnectionError::Rejected);
        assert_eq!(missing(&client, PATIENCE * 10).await, rejected);
    }
}

#[tokio::test]
async fn another_version_is_told_at_once() {
    let node = Scripted::raw(|stream, _| async move {
        let _ = stream.writable().await;
        let _ = stream.try_write(&[2]);
        let _ = stream.readable().await;
    })
    .await;
    let client = builder().node(node.address).build();
    let wrong = ConnectionError::WrongVersion { version: 2 };
    let wrong = Missing::Connection(wrong);
    assert_eq!(missing(&client, PATIENCE * 10).await, wrong);
}

/// Waits until an attempt to connect fails like this. However slow the machine, one of them does.
async fn failure(client: &Client, expected: ConnectionError) {
    let mut connections = client.connections();
    while let Some(event) = connections.next().await {
        if matches!(event, ConnectionEvent::Failed(_, error) if error == expected) {
            return;
        }
    }
    panic!("the client was not shut down");
}

#[tokio::test]
async fn a_port_where_nobody_listens_refuses() {
    // Bound, so that nobody else listens there, but not listening.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let std::net::SocketAddr::V4(address) = socket.local_addr().unwrap() else {
        panic!("it was bound to an IPv4 address");
    };
    let client = builder().node(address).build();
    within(failure(&client, ConnectionError::Refused)).await;
}

#[tokio::test]
async fn a_node_that_says_nothing_is_told() {
    let node = Scripted::raw(|stream, _| async move {
        let _stream = stream;
        std::future::pending::<()>().await;
    })
    .await;
    let client = builder()
        .node(node.address)
        .connect_timeout(Duration::from_millis(5))
        .build();
    within(failure(&client, ConnectionError::TimedOut)).await;
}

#[tokio::test]
async fn a_node_that_does_not_tell_its_range_is_told() {
    let node = Scripted::start_all(|_| supported([])).await;
    let client = builder().node(node.address).build();
    within(client.wait_all_connected()).await.unwrap();
    assert_eq!(missing(&client, SHORT).await, Missing::Range);
}

#[tokio::test]
async fn a_client_without_nodes_is_not_ready() {
    let client = builder().build();
    let not_ready = within(client.ready(SHORT)).await.unwrap_err();
    assert_eq!(not_ready.to_string(), "no node is registered");
}

#[tokio::test]
async fn waiting_ends_when_the_node_comes_up() {
    let (mut node, _) = one_node().await;
    within(node.stop()).await;
    let client = builder().node(node.address()).build();
    let waiting = client.clone();
    let ready = tokio::spawn(async move {
        waiting.wait_connected(1).await.unwrap();
        waiting.wait_all_connected().await.unwrap();
        waiting.wait_ranges_known(1).await.unwrap();
        waiting.wait_all_ranges_known().await.unwrap();
        waiting.ready(PATIENCE).await.unwrap();
    });
    let mut events = client.connections();
    let failed = ConnectionEvent::Failed(node.address(), ConnectionError::Refused);
    assert_eq!(within(events.next()).await, Some(failed));
    node.restart().await.unwrap();
    within(ready).await.unwrap();
}

#[tokio::test]
async fn events_begin_with_the_present_and_tell_every_change() {
    let (mut node, client) = one_node().await;
    let address = node.address();
    let mut events = client.connections();
    let full = HashRange::FULL;
    let mut next = async || within(events.next()).await.unwrap();
    assert_eq!(next().await, ConnectionEvent::Connected(address));
    assert_eq!(next().await, ConnectionEvent::RangeKnown(address, full));
    node.set_range(even());
    assert_eq!(next().await, ConnectionEvent::RangeKnown(address, even()));

    within(node.stop()).await;
    let closed = ConnectionError::Closed;
    assert_eq!(next().await, ConnectionEvent::Disconnected(address, closed));
    let failed = ConnectionEvent::Failed(address, ConnectionError::Refused);
    assert_eq!(next().await, failed);
    node.restart().await.unwrap();
    loop {
        match next().await {
            ConnectionEvent::Connected(by) if by == address => break,
            event => assert_eq!(event, failed),
        }
    }
    // A range that is told again is no news.
    client.reconnect();
    let reconnecting = ConnectionEvent::Disconnected(address, ConnectionError::Reconnecting);
    assert_eq!(next().await, reconnecting);
    assert_eq!(next().await, ConnectionEvent::Connected(address));
}

#[tokio::test]
async fn reconnecting_does_not_wait() {
    let (mut node, _) = one_node().await;
    within(node.stop()).await;
    let client = Client::builder(Credential::default_admin())
        .node(node.address())
        .reconnect(dht_client::Backoff {
            first: PATIENCE * 10,
            max: PATIENCE * 10,
        })
        .build();
    let mut events = client.connections();
    for _ in 0..2 {
        let event = within(events.next()).await;
        assert!(matches!(event, Some(ConnectionEvent::Failed(..))));
    }
    node.restart().await.unwrap();
    client.reconnect();
    within(client.wait_all_connected()).await.unwrap();
}

#[tokio::test]
async fn a_node_is_added_once() {
    let (node, client) = one_node().await;
    assert!(!client.add_node(node.address()));
    let other = TestNode::start().await.unwrap();
    assert!(client.add_node(other.address()));
    within(client.ready(PATIENCE)).await.unwrap();
    assert_eq!(client.stats().connected_nodes(), 2);
}

/// Remembers what it sees.
#[derive(Debug, Default)]
struct Seen {
    sent: Mutex<Vec<u8>>,
    received: Mutex<Vec<u8>>,
    log: Mutex<Vec<String>>,
}

impl Tap for Seen {
    fn opened(&self, _: NodeAddress) {
        self.log.lock().unwrap().push("opened".to_owned());
    }

    fn bytes(&self, _: NodeAddress, from: Side, bytes: &[u8]) {
        let stream = match from {
            Side::Client => &self.sent,
            Side::Node => &self.received,
        };
        stream.lock().unwrap().extend(bytes);
    }

    fn closed(&self, _: NodeAddress, reason: &str) {
        self.log.lock().unwrap().push(format!("closed: {reason}"));
    }
}

#[tokio::test]
async fn a_tap_sees_every_byte() {
    let seen = Arc::new(Seen::default());
    let node = Scripted::start_all(|heard| match heard.opens() {
        Some(1) => range(HashRange::FULL),
        _ => supported([&[1]]),
    })
    .await;
    let client = builder()
        .node(node.address)
        .tap(Arc::clone(&seen) as Arc<dyn Tap>)
        .build();
    client.ready(PATIENCE).await.unwrap();
    within(client.put("channel", 5, "the value")).await.unwrap();
    let counted = client.stats().nodes[&node.address];
    let sent = seen.sent.lock().unwrap().clone();
    let received = seen.received.lock().unwrap().clone();
    assert_eq!(sent.len() as u64, counted.bytes_out);
    assert_eq!(received.len() as u64, counted.bytes_in);
    assert_eq!((sent[0], received[0]), (1, 1), "the versions");
    assert!(sent.ends_with(b"the value"));
    // A message of the Put's id, which is the first after that of GetHashRange: done.
    assert!(received.ends_with(&[2, 0, 0, 0, 0, 0, 0, 0, 1]));

    client.shutdown();
    let log = seen.log.lock().unwrap();
    assert_eq!(*log, ["opened", "closed: the client was shut down"]);
}

#[tokio::test]
async fn nodes_and_credentials_come_from_files() {
    let node = TestNode::start().await.unwrap();
    let directory = std::env::temp_dir().join(format!("dht-client-{}", std::process::id()));
    let files = node.write_config_files(&directory).unwrap();
    let credential = credential_from_file(&files.credentials).unwrap();
    let client = Client::builder(credential)
        .nodes_file(&files.nodes)
        .unwrap()
        .build();
    within(client.ready(PATIENCE)).await.unwrap();
    assert_eq!(nodes_from_file(&files.nodes).unwrap(), [node.address()]);

    // Each taken for the other.
    let wrong = nodes_from_file(&files.credentials);
    assert!(matches!(wrong, Err(FileError::Nodes { .. })));
    let wrong = credential_from_file(&files.nodes);
    assert!(matches!(wrong, Err(FileError::Credentials { .. })));
    std::fs::remove_dir_all(&directory).unwrap();
    let missing = nodes_from_file(&files.nodes).unwrap_err();
    assert!(missing.to_string().starts_with("cannot read "));
}

#[tokio::test]
async fn the_client_works_on_many_threads() {
    let node = TestNode::start().await.unwrap();
    let address = node.address();
    let work = tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let client = connect([address]).await;
            let mut running = tokio::task::JoinSet::new();
            for task in 0..8_u64 {
                let client = client.clone();
                running.spawn(async move {
                    for at in 0..200 {
                        let key = task * 1000 + at;
                        client.put("c", key, key.to_string()).await.unwrap();
                        let value = client.get("c", key).await.unwrap().unwrap();
                        assert_eq!(value, key.to_string());
                    }
                });
            }
            while let Some(ended) = within(running.join_next()).await {
                ended.unwrap();
            }
        });
    });
    within(work).await.unwrap();
    assert_eq!(node.keys("c").len(), 1600);
}
