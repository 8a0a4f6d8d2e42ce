//! Every request of the legacy client against our node.

mod common;

use bytes::Bytes;
use common::legacy::{LegacyNode, connect, one_node};
use common::{even, odd, within};
use dht_client::legacy::{Command, Failure, Status};
use dht_client::{ChannelName, HashRange, Key};
use fakedht::NodeConfig;

#[tokio::test]
async fn records_are_stored_read_and_removed() {
    let (_node, client) = one_node().await;
    within(async {
        assert_eq!(client.get("pets", 5).await, Ok(None), "there is no channel");
        client.put("pets", 5, "cat").await.unwrap();
        client.put("pets", 5, "dog").await.unwrap();
        assert_eq!(client.get("pets", 5).await, Ok(Some(Bytes::from("dog"))));
        assert_eq!(client.get("pets", 6).await, Ok(None));
        assert_eq!(client.exists("pets", 5).await, Ok(true));
        assert_eq!(client.exists("pets", 6).await, Ok(false));
        client.remove("pets", 5).await.unwrap();
        client.remove("pets", 5).await.unwrap();
        assert_eq!(client.exists("pets", 5).await, Ok(false));
    })
    .await;
}

#[tokio::test]
async fn every_node_is_asked_for_what_all_have() {
    let nodes = [even(), odd()].map(LegacyNode::start);
    let client = connect(nodes.iter().map(|node| node.address)).await;
    within(async {
        for key in 0..10 {
            client.put("numbers", key, "n").await.unwrap();
        }
        client.put("even", 2, "n").await.unwrap();
        let channels = client.get_channels().await;
        let first = channels.nodes[0].1.clone().unwrap();
        let names = |names: [&'static str; 2]| names.map(ChannelName::from).to_vec();
        assert_eq!(first.len(), 2, "{first:?}");
        assert_eq!(channels.merged(), Ok(names(["even", "numbers"])));

        let sizes = client.get_channel_size("numbers").await;
        for (node, (_, size)) in nodes.iter().zip(sizes.clone().all().unwrap()) {
            assert_eq!(size.records, 5, "{}", node.address);
        }
        assert_eq!(sizes.merged().unwrap().records, 10);
        assert_eq!(client.get_size().await.merged().unwrap().records, 11);
        assert!(client.get_num_connections().await.merged().unwrap() >= 2);
        let versions = client.get_version().await.all().unwrap();
        assert!(versions.iter().all(|(_, version)| version == "20110401"));
        let ranges = client.get_responsible_range().await.all().unwrap();
        assert_eq!(ranges[1], (nodes[1].address, odd()));

        client.remove_channel("numbers").await.merged().unwrap();
        let channels = client.get_channels().await.merged();
        assert_eq!(channels, Ok(vec![ChannelName::from("even")]));
    })
    .await;
}

#[tokio::test]
async fn all_records_of_all_nodes_are_read() {
    let nodes = [even(), odd()].map(LegacyNode::start);
    let client = connect(nodes.iter().map(|node| node.address)).await;
    within(async {
        // More than fits in a batch.
        let record = |key: u64| (Key(key), Bytes::from(format!("{key:0>200}")));
        for (key, value) in (0..1000).map(record) {
            client.put("numbers", key, value).await.unwrap();
        }
        let mut records = client.get_all("numbers").records().await.unwrap();
        records.sort();
        assert_eq!(records, (0..1000).map(record).collect::<Vec<_>>());
        let mut keys = client.get_all_keys("numbers").keys().await.unwrap();
        keys.sort();
        assert_eq!(keys, (0..1000).map(Key).collect::<Vec<_>>());
        let filtered = client.get_all_filter("numbers", "0999");
        assert_eq!(filtered.records().await, Ok(vec![record(999)]));
        assert_eq!(client.get_all("missing").records().await, Ok(vec![]));
    })
    .await;
}

#[tokio::test]
async fn a_refusal_names_command_node_and_status() {
    let node = LegacyNode::start_with(NodeConfig {
        max_legacy_value: 100,
        ..NodeConfig::default()
    });
    let client = connect([node.address]).await;
    within(async {
        let error = client.put("pets", 1, vec![0; 101]).await.unwrap_err();
        assert_eq!(error.command, Command::Put);
        assert_eq!(error.node, Some(node.address));
        assert_eq!(error.status(), Some(Status::ValueTooBig));
        assert!(!error.may_have_been_done());
        client.put("pets", 1, vec![0; 100]).await.unwrap();

        node.node.with(|node| node.set_range(odd()));
        let error = client.put("pets", 2, "v").await.unwrap_err();
        assert_eq!(error.failure, Failure::Status(Status::WrongNode));
        client.handshake().await.unwrap_err();
        let error = client.put("pets", 2, "v").await.unwrap_err();
        assert_eq!(error.failure, Failure::NoNode);
        client.put("pets", 1, "v").await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn batches_are_split_as_needed() {
    let (node, client) = one_node().await;
    within(async {
        let records: Vec<(Key, Bytes)> = (0..100)
            .map(|key| (Key(key), common::value(10_000)))
            .collect();
        let put = client.put_batch(node.address, "pets", records.clone());
        put.await.unwrap();
        let mut stored = client.get_all("pets").records().await.unwrap();
        stored.sort();
        assert_eq!(stored, records);
        let nothing = client.put_batch(node.address, "pets", []);
        nothing.await.unwrap();

        for (value, failure) in [
            (Bytes::new(), Failure::EmptyValue),
            (common::value(65_505), Failure::ValueTooBig),
        ] {
            let records = [(Key(1), Bytes::from("v")), (Key(2), value)];
            let error = client.put_batch(node.address, "new", records).await;
            assert_eq!(error.unwrap_err().failure, failure);
        }
        assert_eq!(client.exists("new", 1).await, Ok(false));
        let elsewhere = "127.0.0.1:9".parse().unwrap();
        let error = client.put_batch(elsewhere, "pets", []).await.unwrap_err();
        assert_eq!(error.failure, Failure::UnknownNode);
    })
    .await;
}

#[tokio::test]
async fn nothing_is_sent_that_no_node_takes() {
    let (node, client) = one_node().await;
    within(async {
        let error = client.put("a.b", 1, "v").await.unwrap_err();
        assert_eq!(error.failure, Failure::BadChannelName);
        let error = client.put("pets", 1, "").await.unwrap_err();
        assert_eq!(error.failure, Failure::EmptyValue);
        let error = client.get_channel_size("").await.merged().unwrap_err();
        assert_eq!(error.failure, Failure::BadChannelName);
        assert_eq!(error.node, Some(node.address));
        let filtered = client.get_all_filter("pets", "").records().await;
        assert_eq!(filtered.unwrap_err().failure, Failure::EmptyFilter);
    })
    .await;
}

#[tokio::test]
async fn clients_of_several_tasks_share_connections() {
    let (node, client) = one_node().await;
    within(async {
        let mut tasks = tokio::task::JoinSet::new();
        for task in 0..20_u64 {
            let client = client.clone();
            tasks.spawn(async move {
                for number in 0..50 {
                    let key = task * 50 + number;
                    client.put("pets", key, "cat").await.unwrap();
                    assert_eq!(client.exists("pets", key).await, Ok(true));
                }
            });
        }
        while let Some(ended) = tasks.join_next().await {
            ended.unwrap();
        }
        let size = client.get_channel_size("pets").await.merged().unwrap();
        assert_eq!(size.records, 1000);
        let connections = client.get_num_connections().await.merged().unwrap();
        assert!(connections <= 5, "{connections}");
        assert_eq!(node.node.with(|node| node.range()), HashRange::FULL);
    })
    .await;
}
