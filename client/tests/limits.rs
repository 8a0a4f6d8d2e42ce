//! Timeouts, requests that are given up, the limit of active requests, and the end of a client.

mod common;

use std::time::Duration;

use common::scripted::{Scripted, supported};
use common::{PATIENCE, connect, one_node, within};
use dht_client::{
    Failure, MAX_ACTIVE_REQUESTS, Notification, RemoveChannelError, RequestError, TooManyRequests,
    get_all, mirror,
};
use dht_protocol::neo::request::RequestCode;
use fakedht::TestNode;
use tokio::task::JoinSet;

/// Short enough for a test, in which nothing is to come anyway.
const SHORT: Duration = Duration::from_millis(10);

/// A node that says of every request that it is supported, and nothing more; Exists alone it answers.
async fn silent() -> Scripted {
    Scripted::start(|heard| match heard.opens() {
        Some(7) => supported([&[2]]),
        Some(_) => supported([]),
        None => Vec::new(),
    })
    .await
}

async fn nobody_connected(node: &TestNode) {
    while node.node().connected() > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn requests_time_out_and_the_client_goes_on() {
    let node = silent().await;
    let patient = connect([node.address]).await;
    let client = patient.with_timeout(SHORT);
    let timed_out = RequestError::from(Failure::TimedOut);
    assert_eq!(
        within(client.put("c", 1, "x")).await,
        Err(timed_out.clone())
    );
    assert_eq!(within(client.get("c", 1)).await, Err(timed_out.clone()));
    assert_eq!(within(client.remove("c", 1)).await, Err(timed_out.clone()));
    let update = client.update_later("c", 1);
    assert_eq!(within(update).await.unwrap_err(), timed_out);
    let channels = client.channels().collect_all();
    assert_eq!(within(channels).await.unwrap_err(), timed_out);
    let removed = within(client.remove_channel("c")).await;
    assert_eq!(removed, Err(RemoveChannelError::Request(timed_out)));

    // An answer in time is not affected.
    assert_eq!(
        within(patient.with_timeout(PATIENCE).exists("c", 1)).await,
        Ok(false)
    );
    assert_eq!(
        within(client.without_timeout().exists("c", 1)).await,
        Ok(false)
    );
}

#[tokio::test]
async fn a_client_can_be_built_with_a_timeout() {
    let node = silent().await;
    let client = common::builder()
        .node(node.address)
        .request_timeout(SHORT)
        .build();
    client.ready(PATIENCE).await.unwrap();
    let timed_out = RequestError::from(Failure::TimedOut);
    assert_eq!(within(client.put("c", 1, "x")).await, Err(timed_out));
}

#[tokio::test]
async fn a_future_that_is_dropped_gives_its_request_up() {
    let node = silent().await;
    let client = connect([node.address]).await;
    let mut running = JoinSet::new();
    let (put, all) = (client.clone(), client.clone());
    running.spawn(async move { drop(put.put("c", 1, "x").await) });
    running.spawn(async move { drop(all.channels().collect_all().await) });
    while client.stats().active_requests < 3 {
        tokio::task::yield_now().await;
    }
    running.abort_all();
    while within(running.join_next()).await.is_some() {}
    assert_eq!(client.stats().active_requests, 1);
    assert_eq!(within(client.exists("c", 1)).await, Ok(false));
}

#[tokio::test]
async fn no_more_requests_run_than_a_node_serves() {
    let node = silent().await;
    let client = connect([node.address]).await;
    assert_eq!(
        client.stats().active_requests,
        1,
        "the permanent GetHashRange"
    );
    let mut running = JoinSet::new();
    for key in 1..MAX_ACTIVE_REQUESTS as u64 {
        let client = client.clone();
        running.spawn(async move { client.get("c", key).await });
    }
    while client.stats().active_requests < MAX_ACTIVE_REQUESTS {
        tokio::task::yield_now().await;
    }
    let too_many = RequestError::from(TooManyRequests);
    assert_eq!(within(client.exists("c", 1)).await, Err(too_many.clone()));
    let mut all = client.get_all("c", get_all::Settings::default());
    assert_eq!(within(all.next()).await, None);
    assert_eq!(all.failure(), Some(&too_many));
    assert_eq!(within(all.records()).await, Err(too_many.clone()));
    let listed = within(client.channels().collect_all()).await;
    assert_eq!(listed, Err(too_many));

    running.abort_all();
    while within(running.join_next()).await.is_some() {}
    assert_eq!(within(client.exists("c", 1)).await, Ok(false));
}

#[tokio::test]
async fn shutting_down_ends_everything() {
    let (node, client) = one_node().await;
    let mut mirror = client.mirror("c", mirror::Settings::default());
    assert_eq!(within(mirror.next()).await, Some(Notification::Started));
    let mut events = client.connections();
    let waiting = {
        let client = client.clone();
        tokio::spawn(async move { client.wait_connected(2).await })
    };
    tokio::task::yield_now().await;
    client.shutdown();

    let shutdown = RequestError::Shutdown;
    while within(events.next()).await.is_some() {}
    assert_eq!(within(waiting).await.unwrap(), Err(shutdown.clone()));
    while within(mirror.next()).await.is_some() {}
    assert_eq!(mirror.failure(), Some(&shutdown));
    assert_eq!(within(client.get("c", 1)).await, Err(shutdown));
    assert!(!client.add_node("127.0.0.1:1".parse().unwrap()));
    assert!(client.ready(PATIENCE).await.is_err());
    within(nobody_connected(&node)).await;
}

#[tokio::test]
async fn the_last_handle_closes_the_connections() {
    let (node, client) = one_node().await;
    let other = client.clone();
    drop(client);
    within(other.put("c", 1, "x")).await.unwrap();
    let mut all = other.get_all("c", get_all::Settings::default());
    drop(other);
    assert_eq!(within(all.next()).await, Some(Notification::Started));
    drop(all);
    within(nobody_connected(&node)).await;
}

#[tokio::test]
async fn statistics_count_all_ten_requests() {
    let (node, client) = one_node().await;
    node.put("c", 1, "x");
    within(client.put("c", 1, "x")).await.unwrap();
    within(client.get("c", 1)).await.unwrap();
    within(client.exists("c", 1)).await.unwrap();
    let update = client.update("c", 1, |_| dht_client::Decision::Leave);
    within(update).await.unwrap();
    within(client.remove("c", 1)).await.unwrap();
    within(client.channels().collect_all()).await.unwrap();
    let all = client.get_all("c", get_all::Settings::default());
    within(all.records()).await.unwrap();
    let mut mirror = client.mirror("c", mirror::Settings::default());
    assert_eq!(within(mirror.next()).await, Some(Notification::Started));
    within(client.remove_channel("c")).await.unwrap();
    while within(mirror.next()).await.is_some() {}

    let stats = client.stats();
    for code in RequestCode::ALL {
        let request = stats.requests[&code];
        assert_eq!(request.count, 1, "{code}");
        assert!(request.max <= request.total && request.mean() <= request.max);
    }
    assert_eq!((stats.registered_nodes(), stats.connected_nodes()), (1, 1));
    assert_eq!((stats.known_ranges, stats.active_requests), (1, 1));
    let counted = stats.nodes[&node.address()];
    assert!(counted.bytes_in > 0 && counted.bytes_out > 0);

    client.reset_stats();
    let stats = client.stats();
    assert_eq!(stats.requests[&RequestCode::Put].count, 0);
    assert_eq!(stats.nodes[&node.address()].bytes_out, 0);
}
