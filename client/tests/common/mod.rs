//! What the tests share: a client with a node in the same process, and a limit on every wait.
#![allow(dead_code, unreachable_pub, missing_docs)]

pub mod legacy;
pub mod scripted;

use std::time::Duration;

use bytes::Bytes;
use dht_client::{Backoff, Builder, Client, Credential, HashRange, NodeAddress};
use fakedht::{NodeConfig, ServerOptions, TestNode};

/// No test waits longer for anything.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// The keys with an even number, which the first of two nodes with half the range each holds.
pub fn even() -> HashRange {
    HashRange::new(0, u64::MAX / 2).unwrap()
}

/// The keys with an odd number.
pub fn odd() -> HashRange {
    HashRange::new(u64::MAX / 2 + 1, u64::MAX).unwrap()
}

/// Waits, but not for ever.
pub async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future)
        .await
        .expect("it takes too long")
}

/// A client's settings that make tests quick.
pub fn builder() -> Builder {
    Client::builder(Credential::default_admin()).reconnect(Backoff {
        first: Duration::from_millis(1),
        max: Duration::from_millis(20),
    })
}

/// A client of these nodes, connected to all of them.
pub async fn connect(nodes: impl IntoIterator<Item = NodeAddress>) -> Client {
    let mut builder = builder();
    for node in nodes {
        builder = builder.node(node);
    }
    let client = builder.build();
    client.ready(PATIENCE).await.unwrap();
    client
}

/// A node with every key, and a client of it.
pub async fn one_node() -> (TestNode, Client) {
    let node = TestNode::start().await.unwrap();
    let client = connect([node.address()]).await;
    (node, client)
}

/// A node with some keys.
pub async fn node_with(range: HashRange) -> TestNode {
    let config = NodeConfig {
        range,
        ..NodeConfig::default()
    };
    TestNode::start_with(config, ServerOptions::default())
        .await
        .unwrap()
}

/// A value of some length.
pub fn value(len: usize) -> Bytes {
    vec![b'v'; len].into()
}
