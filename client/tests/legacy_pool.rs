//! The legacy client's connections: which request goes on which, who waits, and when one is closed. Against
//! a node that says what the test has it say.

mod common;

use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use common::legacy::{LegacyNode, Say, Scripted, one_node};
use common::{PATIENCE, within};
use dht_client::HashRange;
use dht_client::legacy::{Answer, Client, Command, ConnectError, Failure, Status, Violation};
use tokio::task::JoinSet;

fn ok() -> Vec<Say> {
    vec![Say::Answer(Answer::Status(Status::Ok))]
}

fn status(code: i32) -> Vec<Say> {
    vec![Say::Raw(code.to_le_bytes().to_vec())]
}

/// A client of one connection, after its handshake.
async fn connect(node: &Scripted) -> Client {
    connect_with(node, 1, 1024).await
}

async fn connect_with(node: &Scripted, connections: usize, queue: usize) -> Client {
    let builder = Client::builder().node(node.address);
    let client = builder.connections(connections).queue(queue).build();
    client.ready(PATIENCE).await.unwrap();
    client
}

#[tokio::test]
async fn one_connection_carries_one_request_after_the_other() {
    let node = Scripted::start(|_| ok()).await;
    let client = connect(&node).await;
    within(async {
        let mut tasks = JoinSet::new();
        for key in 0..30_u64 {
            let client = client.clone();
            tasks.spawn(async move { client.put("c", key, "v").await });
        }
        while let Some(put) = tasks.join_next().await {
            put.unwrap().unwrap();
        }
    })
    .await;
    assert_eq!(node.heard().len(), 30);
    assert_eq!(node.connections(), [0]);
}

#[tokio::test]
async fn who_waits_is_served_in_order_and_no_more_than_may_wait() {
    // The first request is answered when the fourth has failed.
    let node = Scripted::start(|_| vec![]).await;
    let client = connect_with(&node, 1, 2).await;
    within(async {
        let mut held = Box::pin(client.put("c", 1, "v"));
        until_heard(&node, 1, held.as_mut()).await;
        let mut second = Box::pin(client.get("c", 2));
        let mut third = Box::pin(client.exists("c", 3));
        assert!(poll_once(second.as_mut()).await.is_none());
        assert!(poll_once(third.as_mut()).await.is_none());
        let error = client.remove("c", 4).await.unwrap_err();
        assert_eq!(error.failure, Failure::QueueFull);
        assert!(!error.may_have_been_done());
        let told = format!("Remove at {} failed: request queue full", node.address);
        assert_eq!(error.to_string(), told);
        // Who holds the connection goes away: the next one opens another.
        drop(held);
        assert!(poll_once(third.as_mut()).await.is_none());
        until_heard(&node, 2, second.as_mut()).await;
        drop(second);
        until_heard(&node, 3, third.as_mut()).await;
    })
    .await;
    assert_eq!(
        node.heard(),
        [(0, Command::Put), (1, Command::Get), (2, Command::Exists)]
    );
}

#[tokio::test]
async fn connections_are_opened_up_to_the_limit_when_they_are_needed() {
    let node = Scripted::start(|_| vec![]).await;
    let client = connect_with(&node, 3, 1024).await;
    within(async {
        let mut held = Vec::new();
        for key in 0..5_u64 {
            let mut put = Box::pin(client.put("c", key, "v"));
            assert!(poll_once(put.as_mut()).await.is_none());
            held.push(put);
        }
        // Nobody but the tasks of a runtime has these polled; so they are, again and again.
        while node.heard().len() < 3 {
            for put in &mut held {
                assert!(poll_once(put.as_mut()).await.is_none());
            }
            tokio::task::yield_now().await;
        }
        let mut connections: Vec<_> = node.heard().into_iter().map(|(on, _)| on).collect();
        connections.sort_unstable();
        assert_eq!(connections, [0, 1, 2]);
    })
    .await;
}

#[tokio::test]
async fn a_refusal_keeps_the_connection() {
    for code in [0, 400, 404, 406, 407, 408, 409, 410] {
        let node = Scripted::start(move |_| status(code)).await;
        let client = connect(&node).await;
        within(async {
            for key in 0..2 {
                let error = client.put("c", key, "v").await.unwrap_err();
                assert_eq!(error.status().map(Status::code), Some(code));
                assert!(!error.may_have_been_done());
            }
        })
        .await;
        assert_eq!(node.connections(), [0], "{code}");
    }
}

#[tokio::test]
async fn what_cannot_be_trusted_any_more_is_closed_and_the_next_request_reconnects() {
    let value = |length: u64| {
        let mut bytes = 200_i32.to_le_bytes().to_vec();
        bytes.extend(length.to_le_bytes());
        bytes
    };
    let mut surplus = value(0);
    surplus.push(0);
    let mut truncated = vec![Say::Raw(value(5))];
    truncated.push(Say::Close);
    for (says, failure) in [
        (status(500), Some(Failure::Status(Status::Error))),
        (
            status(999),
            Some(Violation::UnknownStatus { code: 999 }.into()),
        ),
        (
            vec![Say::Raw(value(u64::MAX))],
            Some(Failure::Violation(Violation::TooLong {
                field: "value",
                claimed: u64::MAX,
            })),
        ),
        (vec![Say::Close], Some(Failure::Closed)),
        (truncated, Some(Failure::Closed)),
        // More than an answer, which itself is right.
        (vec![Say::Raw(surplus)], None),
    ] {
        let mut says = Some(says);
        let fine = vec![Say::Answer(Answer::Value(Bytes::from("v")))];
        let node = Scripted::start(move |_| says.take().unwrap_or_else(|| fine.clone())).await;
        let client = connect(&node).await;
        within(async {
            let got = client.get("c", 1).await;
            let may = got.as_ref().err().map(|error| error.may_have_been_done());
            assert_eq!(may, failure.as_ref().map(|_| true));
            assert_eq!(got.err().map(|error| error.failure), failure);
            let got = client.get("c", 1).await;
            assert_eq!(got, Ok(Some(Bytes::from("v"))), "{failure:?}");
        })
        .await;
        assert_eq!(node.connections(), [0, 1], "{failure:?}");
    }
}

#[tokio::test]
async fn who_waits_gets_a_connection_also_when_the_one_before_broke() {
    let mut first = true;
    let node = Scripted::start(move |_| match std::mem::take(&mut first) {
        true => vec![Say::Close],
        false => ok(),
    })
    .await;
    let client = connect(&node).await;
    within(async {
        let (broken, waited) = tokio::join!(client.put("c", 1, "v"), client.put("c", 2, "v"));
        assert_eq!(broken.unwrap_err().failure, Failure::Closed);
        waited.unwrap();
    })
    .await;
    assert_eq!(node.connections(), [0, 1]);
}

#[tokio::test]
async fn nobody_is_waited_for_for_ever() {
    let node = Scripted::start(|_| vec![]).await;
    let client = connect(&node).await;
    let hasty = client.with_timeout(Duration::from_millis(20));
    within(async {
        let mut holds = Box::pin(client.put("c", 1, "v"));
        until_heard(&node, 1, holds.as_mut()).await;
        let error = hasty.put("c", 2, "v").await.unwrap_err();
        assert_eq!(error.failure, Failure::QueueTimedOut);
        assert!(!error.may_have_been_done());
        drop(holds);
        let error = hasty.put("c", 3, "v").await.unwrap_err();
        assert_eq!(error.failure, Failure::TimedOut);
        assert!(error.may_have_been_done());
        let error = hasty.get_channels().await.merged().unwrap_err();
        assert_eq!(error.failure, Failure::TimedOut);
    })
    .await;
    let connections = node.connections();
    assert!(
        connections.windows(2).all(|pair| pair[0] != pair[1]),
        "{connections:?}"
    );
}

#[tokio::test]
async fn a_node_that_reads_nothing_has_not_been_given_the_order() {
    let node = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let std::net::SocketAddr::V4(address) = node.local_addr().unwrap() else {
        unreachable!("it was bound to an IPv4 address");
    };
    let mut connection = within(dht_client::legacy::Connection::open(address, PATIENCE))
        .await
        .unwrap();
    let (mut accepted, _) = node.accept().await.unwrap();
    let order = dht_client::legacy::Order::Put {
        channel: "c".into(),
        key: dht_client::Key(1).into(),
        value: common::value(64 * 1024 * 1024),
    };
    connection.send(&order);
    let next = tokio::time::timeout(Duration::from_millis(50), connection.next()).await;
    assert!(next.is_err() && !connection.is_sent());
    let mut one = [0];
    within(tokio::io::AsyncReadExt::read_exact(&mut accepted, &mut one))
        .await
        .unwrap();
    drop(accepted);
    // Which of the two it is depends on what is noticed first.
    let failure = within(connection.next()).await.unwrap_err();
    let gone = matches!(failure, Failure::Broken(_) | Failure::Closed);
    assert!(gone && !connection.is_sent(), "{failure:?}");
    assert_eq!(connection.next().await, Err(failure), "for ever");
}

#[tokio::test]
async fn a_connection_that_was_closed_meanwhile_is_replaced() {
    let (mut node, client) = one_node().await;
    within(async {
        client.put("c", 1, "v").await.unwrap();
        node.stop().await;
        let error = client.put("c", 2, "v").await.unwrap_err();
        assert_eq!(error.failure, ConnectError::Refused.into());
        assert!(!error.may_have_been_done());
        node.restart();
        client.put("c", 2, "v").await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn idle_connections_can_be_closed() {
    let node = LegacyNode::start(HashRange::FULL);
    let client = common::legacy::connect([node.address]).await;
    within(async {
        let before = client.get_num_connections().await.merged().unwrap();
        assert_eq!(before, 2, "a handshake asks two things at once");
        client.close_idle();
        // The node sees it a moment later.
        while client.get_num_connections().await.merged().unwrap() > 1 {}
    })
    .await;
}

/// Polls a future that is not to end until the node has heard so many orders.
async fn until_heard<T>(node: &Scripted, count: usize, future: Pin<&mut impl Future<Output = T>>) {
    tokio::select! {
        _ = future => panic!("nobody has answered"),
        () = node.wait_heard(count) => {}
    }
}

/// Polls a future once.
async fn poll_once<T>(mut future: Pin<&mut impl Future<Output = T>>) -> Option<T> {
    std::future::poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}
