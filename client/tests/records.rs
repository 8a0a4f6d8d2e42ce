//! Put, Get, Exists and Remove: every success and every failure.

mod common;

use common::scripted::{Say, Scripted, supported};
use common::{connect, node_with, odd, one_node, value, within};
use dht_client::{Failure, HashRange, NodeAddress, RequestError};
use dht_protocol::neo::Violation;
use dht_protocol::neo::request::{SupportedStatus, put};

#[tokio::test]
async fn records_are_stored_read_and_removed() {
    let (node, client) = one_node().await;
    assert_eq!(within(client.get("c", 5)).await, Ok(None));
    assert_eq!(within(client.exists("c", 5)).await, Ok(false));
    assert_eq!(within(client.remove("c", 5)).await, Ok(false));

    assert_eq!(within(client.put("c", 5, "five")).await, Ok(()));
    assert_eq!(node.get("c", 5).as_deref(), Some(&b"five"[..]));
    assert_eq!(within(client.get("c", 5)).await, Ok(Some("five".into())));
    assert_eq!(within(client.exists("c", 5)).await, Ok(true));

    assert_eq!(within(client.remove("c", 5)).await, Ok(true));
    assert_eq!(node.get("c", 5), None);
}

#[tokio::test]
async fn the_empty_value_is_a_value() {
    let (_node, client) = one_node().await;
    within(client.put("c", 5, "")).await.unwrap();
    assert_eq!(within(client.get("c", 5)).await, Ok(Some("".into())));
    assert_eq!(within(client.remove("c", 5)).await, Ok(true));
}

#[tokio::test]
async fn the_largest_value_is_stored_and_a_larger_one_refused() {
    let (node, client) = one_node().await;
    let largest = value(put::MAX_VALUE);
    within(client.put("c", 1, largest.clone())).await.unwrap();
    assert_eq!(within(client.get("c", 1)).await, Ok(Some(largest)));

    let refused = within(client.put("c", 2, value(put::MAX_VALUE + 1))).await;
    let (len, limit) = (put::MAX_VALUE + 1, put::MAX_VALUE);
    assert_eq!(refused, Err(Failure::ValueTooBig { len, limit }.into()));
    assert_eq!(node.get("c", 2), None);
}

#[tokio::test]
async fn channels_may_have_any_name() {
    let (_node, client) = one_node().await;
    for name in ["", "/", "a b", "\0", &"long".repeat(1000)] {
        within(client.put(name, 1, "x")).await.unwrap();
        assert_eq!(within(client.get(name, 1)).await, Ok(Some("x".into())));
    }
}

#[tokio::test]
async fn many_requests_run_at_once_on_one_connection() {
    let (node, client) = one_node().await;
    let mut running = tokio::task::JoinSet::new();
    for key in 0..1000_u64 {
        let client = client.clone();
        running.spawn(async move {
            client.put("c", key, key.to_string()).await?;
            client.get("c", key).await
        });
    }
    let mut values: Vec<u64> = Vec::new();
    while let Some(got) = within(running.join_next()).await {
        let value = got.unwrap().unwrap().unwrap();
        values.push(std::str::from_utf8(&value).unwrap().parse().unwrap());
    }
    values.sort_unstable();
    assert_eq!(values, (0..1000).collect::<Vec<_>>());
    assert_eq!(node.keys("c").len(), 1000);
}

#[tokio::test]
async fn without_a_responsible_node_there_is_no_node_to_ask() {
    let node = node_with(odd()).await;
    let client = connect([node.address()]).await;
    assert_eq!(within(client.put("c", 1, "x")).await, Ok(()));
    let none = RequestError::from(Failure::NoNode);
    assert_eq!(within(client.put("c", 2, "x")).await, Err(none.clone()));
    assert_eq!(within(client.get("c", 2)).await, Err(none.clone()));
    assert_eq!(within(client.exists("c", 2)).await, Err(none.clone()));
    assert_eq!(within(client.remove("c", 2)).await, Err(none.clone()));
    let updated = client.update("c", 2, |_| dht_client::Decision::Leave);
    assert_eq!(within(updated).await, Err(none));
}

/// What each of the four gets from a node that answers any request like this.
async fn all_four(answer: impl Fn(u8) -> Vec<Say> + Send + 'static) -> (NodeAddress, Vec<Failure>) {
    let node = Scripted::start(move |heard| answer(heard.payload[0])).await;
    let mut failures = Vec::new();
    for request in 0..4 {
        // A connection of its own: some answers end the connection.
        let client = connect([node.address]).await;
        let error = match request {
            0 => within(client.put("c", 1, "x")).await.unwrap_err(),
            1 => within(client.get("c", 1)).await.unwrap_err(),
            2 => within(client.exists("c", 1)).await.unwrap_err(),
            _ => within(client.remove("c", 1)).await.unwrap_err(),
        };
        failures.push(error.failure().unwrap().clone());
    }
    (node.address, failures)
}

#[tokio::test]
async fn a_node_that_is_not_responsible_says_so() {
    let (node, failures) = all_four(|code| match code {
        2 => supported([&[2]]),
        _ => supported([&[3]]),
    })
    .await;
    assert_eq!(failures, vec![Failure::WrongNode { node }; 4]);
}

#[tokio::test]
async fn a_node_that_fails_says_so() {
    let (node, failures) = all_four(|code| match code {
        2 => supported([&[3]]),
        _ => supported([&[4]]),
    })
    .await;
    assert_eq!(failures, vec![Failure::NodeError { node }; 4]);
}

#[tokio::test]
async fn a_node_may_not_know_a_request_or_its_version() {
    for (byte, status) in [
        (0xff, SupportedStatus::NotSupported),
        (0xfe, SupportedStatus::VersionNotSupported),
    ] {
        let (node, failures) = all_four(move |_| vec![Say::Message(vec![byte])]).await;
        assert_eq!(failures, vec![Failure::Unsupported { node, status }; 4]);
    }
}

#[tokio::test]
async fn an_answer_that_is_none_is_a_violation() {
    for answer in [&[0][..], &[200], &[], &[1, 1]] {
        let (node, failures) = all_four(move |_| supported([answer])).await;
        for failure in failures {
            let Failure::Violation {
                node: by,
                violation,
            } = failure
            else {
                panic!("{failure:?} after {answer:?}");
            };
            assert_eq!(by, node);
            assert!(matches!(violation, Violation::Malformed { .. }));
        }
    }
}

#[tokio::test]
async fn a_connection_that_breaks_ends_the_requests_on_it() {
    let (node, failures) = all_four(|_| vec![Say::Close]).await;
    assert_eq!(failures, vec![Failure::Disconnected { node }; 4]);
    let (node, failures) = all_four(|_| {
        let mut answer = supported([]);
        answer.push(Say::Close);
        answer
    })
    .await;
    assert_eq!(failures, vec![Failure::Disconnected { node }; 4]);
}

#[tokio::test]
async fn a_node_that_is_down_is_not_waited_for() {
    let (mut node, client) = one_node().await;
    let mut events = client.connections();
    node.stop().await;
    let down = Failure::Disconnected {
        node: node.address(),
    };
    // The client learns of it when it reads; only then it knows better than to ask.
    while let Some(event) = within(events.next()).await {
        if matches!(event, dht_client::ConnectionEvent::Disconnected(..)) {
            break;
        }
    }
    assert_eq!(within(client.put("c", 1, "x")).await, Err(down.into()));
}

#[tokio::test]
async fn an_empty_range_covers_no_key() {
    let node = node_with(HashRange::EMPTY).await;
    let client = connect([node.address()]).await;
    assert_eq!(
        within(client.get("c", 0)).await,
        Err(Failure::NoNode.into())
    );
}
