//! Update: both forms and every ending.

mod common;

use std::sync::{Arc, Mutex};

use common::scripted::{Say, Scripted, supported};
use common::{connect, one_node, within};
use dht_client::{Decision, Failure, RequestError, Updated};

#[tokio::test]
async fn a_record_is_replaced_left_or_deleted() {
    let (node, client) = one_node().await;
    node.put("c", 1, "old");
    let leave = client.update("c", 1, |value| {
        assert_eq!(value, b"old");
        Decision::Leave
    });
    assert_eq!(within(leave).await, Ok(Updated::Done));
    assert_eq!(node.get("c", 1).as_deref(), Some(&b"old"[..]));

    let replace = client.update("c", 1, |_| Decision::Replace("new".into()));
    assert_eq!(within(replace).await, Ok(Updated::Done));
    assert_eq!(node.get("c", 1).as_deref(), Some(&b"new"[..]));

    let delete = client.update("c", 1, |_| Decision::Delete);
    assert_eq!(within(delete).await, Ok(Updated::Done));
    assert_eq!(node.get("c", 1), None);
}

#[tokio::test]
async fn without_a_record_nothing_is_decided() {
    let (_node, client) = one_node().await;
    let update = client.update("c", 1, |_| panic!("there is nothing to decide"));
    assert_eq!(within(update).await, Ok(Updated::NoRecord));
    assert!(within(client.update_later("c", 1)).await.unwrap().is_none());
}

#[tokio::test]
async fn who_comes_second_has_a_conflict() {
    let (node, client) = one_node().await;
    node.put("c", 1, "old");
    let first = within(client.update_later("c", 1)).await.unwrap().unwrap();
    let second = within(client.update_later("c", 1)).await.unwrap().unwrap();
    assert_eq!(second.value(), "old");
    let first = first.decide(Decision::Replace("first".into()));
    assert_eq!(within(first).await, Ok(Updated::Done));
    let second = second.decide(Decision::Replace("second".into()));
    assert_eq!(within(second).await, Ok(Updated::Conflict));
    assert_eq!(node.get("c", 1).as_deref(), Some(&b"first"[..]));
}

#[tokio::test]
async fn an_update_that_is_dropped_leaves_the_record() {
    let said = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&said);
    let node = Scripted::start(move |message| {
        heard.lock().unwrap().push(message.payload.clone());
        match (message.nth, message.payload[0]) {
            // Update is answered with a value, a decision with Ok.
            (0, 10) => supported([&[5, 1, 0, 0, 0, 0, 0, 0, 0, b'x']]),
            (0, _) => supported([&[1]]),
            _ => vec![Say::Message(vec![6])],
        }
    })
    .await;
    let client = connect([node.address]).await;
    let pending = within(client.update_later("c", 1)).await.unwrap().unwrap();
    drop(pending);
    // A request behind it proves that what was sent before has come.
    within(client.put("c", 2, "")).await.unwrap();
    assert!(said.lock().unwrap().contains(&vec![4]), "LeaveRecord");
    assert_eq!(client.stats().active_requests, 1);
}

#[tokio::test]
async fn the_failures_of_either_step_are_told() {
    let node = |step: usize, answer: Vec<Say>| {
        Scripted::start(move |heard| match heard.nth {
            nth if nth == step => answer.clone(),
            _ => supported([&[5, 0, 0, 0, 0, 0, 0, 0, 0]]),
        })
    };
    let fails = async |step, answer| {
        let node = node(step, answer).await;
        let client = connect([node.address]).await;
        let update = client.update("c", 1, |_| Decision::Delete);
        (node.address, within(update).await)
    };
    for step in [0, 1] {
        let answer = |message: u8| match step {
            0 => supported([&[message]]),
            _ => vec![Say::Message(vec![message])],
        };
        let (node, outcome) = fails(step, answer(9)).await;
        let failed = |failure: Failure| Err(RequestError::from(failure));
        assert_eq!(outcome, failed(Failure::WrongNode { node }));
        let (node, outcome) = fails(step, answer(10)).await;
        assert_eq!(outcome, failed(Failure::NodeError { node }));
        let (node, outcome) = fails(step, vec![Say::Close]).await;
        assert_eq!(outcome, failed(Failure::Disconnected { node }));
        let (_, outcome) = fails(step, answer(77)).await;
        let Err(RequestError::Failed(Failure::Violation { .. })) = outcome else {
            panic!("{outcome:?}");
        };
    }
}

#[tokio::test]
async fn a_connection_that_breaks_between_the_steps_fails_the_decision() {
    let (node, client) = one_node().await;
    node.put("c", 1, "old");
    let pending = within(client.update_later("c", 1)).await.unwrap().unwrap();
    within(node.drop_connections()).await;
    let outcome = within(pending.decide(Decision::Delete)).await;
    let node_address = node.address();
    let failure = Failure::Disconnected { node: node_address };
    assert_eq!(outcome, Err(failure.into()));
    assert_eq!(node.get("c", 1).as_deref(), Some(&b"old"[..]));
}
