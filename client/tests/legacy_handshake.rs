//! What the legacy client finds out about its nodes, and what it does without having found out.

mod common;

use std::time::Duration;

use bytes::Bytes;
use common::legacy::{LegacyNode, Say, Scripted, handshake};
use common::{PATIENCE, even, odd, within};
use dht_client::legacy::{Answer, Client, Command, ConnectError, Failure, NotReady, Problem};
use dht_client::{HashRange, NodeAddress};

/// A node that answers handshakes with this range and everything else with nothing.
async fn node_with(range: HashRange) -> Scripted {
    Scripted::start_all(move |heard| handshake(&heard.order, range).unwrap_or_default()).await
}

fn client(nodes: &[NodeAddress]) -> Client {
    let nodes = nodes.iter();
    let builder = nodes.fold(Client::builder(), |builder, node| builder.node(*node));
    builder.handshake_retry(Duration::from_millis(5)).build()
}

async fn problems(client: &Client) -> Vec<Problem> {
    match within(client.handshake()).await {
        Ok(()) => vec![],
        Err(NotReady { problems }) => problems,
    }
}

#[tokio::test]
async fn nothing_is_sent_before_the_handshake() {
    let node = node_with(HashRange::FULL).await;
    let client = client(&[node.address]);
    within(async {
        let error = client.put("c", 1, "v").await.unwrap_err();
        assert_eq!((error.node, error.failure), (None, Failure::NoNode));
        let error = client.get_channels().await.merged().unwrap_err();
        assert_eq!(error.node, Some(node.address));
        assert_eq!(error.failure, Failure::NoVersion);
        let error = client.get_all("c").records().await.unwrap_err();
        assert_eq!(error.failure, Failure::NoVersion);
        // The range alone is not enough.
        client.get_responsible_range().await.all().unwrap();
        let error = client.put("c", 1, "v").await.unwrap_err();
        assert_eq!(error.failure, Failure::NoVersion);
    })
    .await;
    assert_eq!(node.heard(), []);
}

#[tokio::test]
async fn nodes_that_cover_everything_once_are_ready() {
    let nodes = [node_with(odd()).await, node_with(even()).await];
    let client = client(&[nodes[0].address, nodes[1].address]);
    assert_eq!(problems(&client).await, []);
}

#[tokio::test]
async fn another_version_is_told_and_its_node_not_used() {
    let old = Scripted::start_all(|heard| match heard.order.command() {
        Command::GetVersion => vec![Say::Answer(Answer::Version(Bytes::from("20000101")))],
        _ => handshake(&heard.order, even()).unwrap_or_default(),
    })
    .await;
    let node = LegacyNode::start(odd());
    let client = client(&[old.address, node.address]);
    let problem = Problem::Version {
        node: old.address,
        version: Bytes::from("20000101"),
    };
    let not_ready = within(client.handshake()).await.unwrap_err();
    assert_eq!(not_ready.problems, [problem]);
    let told = format!("{} speaks version \"20000101\", not 20110401", old.address);
    assert_eq!(not_ready.to_string(), told);
    within(async {
        client.put("c", 1, "v").await.unwrap();
        let error = client.put("c", 2, "v").await.unwrap_err();
        assert_eq!(error.failure, Failure::NoVersion);
    })
    .await;
}

#[tokio::test]
async fn gaps_overlaps_and_nodes_without_keys_are_told() {
    let (first, second) = (
        LegacyNode::start(even()),
        LegacyNode::start(HashRange::EMPTY),
    );
    let (node, other) = (second.address, first.address);
    let client = client(&[first.address, second.address]);
    let gap = Problem::Gap {
        missing: odd(),
        beside: other,
    };
    assert_eq!(problems(&client).await, [Problem::NoKeys { node }, gap]);
    second.node.with(|node| node.set_range(HashRange::FULL));
    // Both begin with the same key; the smaller one is looked at first.
    assert_eq!(problems(&client).await, [Problem::Overlap { node, other }]);
    within(async {
        for key in 0..2 {
            client.put("c", key, "v").await.unwrap();
        }
        let sizes = client.get_channel_size("c").await.all().unwrap();
        let records: Vec<u64> = sizes.iter().map(|(_, size)| size.records).collect();
        assert_eq!(records, [1, 1], "the first node that covers a key has it");
    })
    .await;
    second.node.with(|node| node.set_range(odd()));
    assert_eq!(problems(&client).await, []);
}

#[tokio::test]
async fn a_node_that_cannot_be_asked_is_told_with_the_reason() {
    let mut gone = LegacyNode::start(even());
    gone.stop().await;
    let node = LegacyNode::start(odd());
    let client = client(&[node.address, gone.address]);
    let problems = problems(&client).await;
    let commands = [Command::GetVersion, Command::GetResponsibleRange];
    assert_eq!(problems.len(), 2, "{problems:?}");
    for (problem, command) in problems.iter().zip(commands) {
        let Problem::Request(error) = problem else {
            panic!("{problem:?}");
        };
        assert_eq!(error.command, command);
        assert_eq!(error.node, Some(gone.address));
        assert_eq!(error.failure, ConnectError::Refused.into());
    }
    within(client.put("c", 1, "v")).await.unwrap();
}

#[tokio::test]
async fn the_handshake_is_repeated_until_all_is_right() {
    let mut asked = 0;
    let node = Scripted::start_all(move |heard| {
        asked += 1;
        match asked {
            1..=4 => vec![Say::Close],
            _ => handshake(&heard.order, HashRange::FULL).unwrap_or_default(),
        }
    })
    .await;
    let client = client(&[node.address]);
    within(client.ready(PATIENCE)).await.unwrap();
    assert_eq!(problems(&client).await, []);
}

#[tokio::test]
async fn a_handshake_is_given_up_with_what_was_amiss_last() {
    let node = LegacyNode::start(even());
    let half = client(&[node.address]);
    let patience = Duration::from_millis(200);
    let not_ready = within(half.ready(patience)).await.unwrap_err();
    let missing = odd();
    let beside = node.address;
    assert_eq!(not_ready.problems, [Problem::Gap { missing, beside }]);

    let silent = Scripted::start_all(|_| vec![]).await;
    let client = client(&[silent.address]);
    let not_ready = within(client.ready(Duration::from_millis(20))).await;
    let node = silent.address;
    assert_eq!(not_ready.unwrap_err().problems, [Problem::Silent { node }]);
}

#[tokio::test]
async fn a_client_without_nodes_is_not_ready() {
    let client = client(&[]);
    assert_eq!(problems(&client).await, [Problem::NoNodes]);
    within(async {
        let error = client.get_size().await.merged().unwrap_err();
        assert_eq!((error.node, error.failure), (None, Failure::NoNode));
        let error = client.get_all_keys("c").keys().await.unwrap_err();
        assert_eq!(error.failure, Failure::NoNode);
    })
    .await;
    let node = LegacyNode::start(HashRange::FULL);
    assert!(client.add_node(node.address));
    assert!(!client.add_node(node.address));
    assert_eq!(problems(&client).await, []);
}

#[tokio::test]
async fn both_questions_are_asked_at_once() {
    // The version is told when the range was asked for, and only then.
    let (ask, asked) = tokio::sync::watch::channel(0);
    let node = Scripted::start_all(move |_| {
        ask.send_modify(|count| *count += 1);
        vec![]
    })
    .await;
    let client = client(&[node.address]);
    let handshake = client.handshake();
    let both = async {
        let mut asked = asked;
        asked.wait_for(|count| *count == 2).await.unwrap();
    };
    within(async {
        tokio::select! {
            _ = handshake => panic!("nobody has answered"),
            () = both => {}
        }
    })
    .await;
}
