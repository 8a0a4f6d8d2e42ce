//! GetAll and Listen of the legacy client: events, suspending and resuming, and the end.

mod common;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use common::legacy::{LegacyNode, Say, Scripted, connect, one_node};
use common::{even, odd, within};
use dht_client::Key;
use dht_client::legacy::{
    Answer, Client, Command, Failure, KeyText, Listen, Status, StreamEvent, Violation,
};
use dht_protocol::legacy::batch::Batch;
use tokio::sync::watch;

fn array(bytes: &[u8]) -> Vec<u8> {
    let mut array = (bytes.len() as u64).to_le_bytes().to_vec();
    array.extend_from_slice(bytes);
    array
}

fn ok() -> Vec<u8> {
    200_i32.to_le_bytes().to_vec()
}

/// The next thing that is not a start.
async fn next(listen: &mut Listen) -> Option<StreamEvent<(KeyText, Bytes)>> {
    within(async {
        loop {
            match listen.next().await {
                Some(StreamEvent::Started(_)) => {}
                event => return event,
            }
        }
    })
    .await
}

/// A client that has one connection, after its handshake.
async fn one_connection(node: &Scripted) -> Client {
    let client = Client::builder().node(node.address).connections(1).build();
    client.ready(common::PATIENCE).await.unwrap();
    client
}

/// Waits until the client's connections to a node are as many as expected.
async fn connections(client: &Client, expected: u64) {
    within(async {
        while client.get_num_connections().await.merged().unwrap() != expected {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_listen_hears_what_is_written_until_the_channel_is_removed() {
    let nodes = [even(), odd()].map(LegacyNode::start);
    let client = connect(nodes.iter().map(|node| node.address)).await;
    let mut listen = within(client.listen("news")).await;
    for started in 0..2 {
        let event = within(listen.next()).await;
        assert!(
            matches!(event, Some(StreamEvent::Started(_))),
            "{started}: {event:?}"
        );
    }
    for key in [4, 7] {
        within(client.put("news", key, format!("value {key}")))
            .await
            .unwrap();
        let address = nodes[key as usize % 2].address;
        let written = (KeyText::from(Key(key)), format!("value {key}").into());
        let heard = Some(StreamEvent::Item(address, written));
        assert_eq!(next(&mut listen).await, heard);
    }
    within(client.remove_channel("news"))
        .await
        .merged()
        .unwrap();
    for _ in 0..2 {
        let event = next(&mut listen).await;
        assert!(matches!(event, Some(StreamEvent::Ended(_))), "{event:?}");
    }
    assert_eq!(next(&mut listen).await, Some(StreamEvent::Finished));
    assert_eq!(next(&mut listen).await, None);
}

#[tokio::test]
async fn a_listen_that_is_dropped_closes_its_connection() {
    let (_node, client) = one_node().await;
    let mut listen = within(client.listen("news")).await;
    let started = within(listen.next()).await;
    assert!(matches!(started, Some(StreamEvent::Started(_))));
    // One of the two of the handshake.
    connections(&client, 2).await;
    drop(listen);
    connections(&client, 1).await;
}

#[tokio::test]
async fn a_connection_is_used_again_after_the_end_of_a_stream() {
    let end = [ok(), array(b""), array(b"")].concat();
    let node = Scripted::start(move |heard| match heard.order.command() {
        Command::Listen => vec![Say::Raw(end.clone())],
        _ => vec![Say::Answer(Answer::Status(Status::Ok))],
    })
    .await;
    let client = one_connection(&node).await;
    let mut listen = within(client.listen("news")).await;
    assert_eq!(
        next(&mut listen).await,
        Some(StreamEvent::Ended(node.address))
    );
    within(client.put("news", 1, "v")).await.unwrap();
    assert_eq!(node.heard(), [(0, Command::Listen), (0, Command::Put)]);
}

#[tokio::test]
async fn a_stream_that_breaks_says_so() {
    let mut batch = Batch::default();
    batch.push(Key(1), b"v");
    let batch = array(&batch.finish());
    let broken = Failure::Closed;
    for (rest, failure) in [
        (vec![Say::Close], Some(broken)),
        (vec![Say::Raw(array(b"no batch"))], None),
    ] {
        let mut says = vec![Say::Raw([ok(), batch.clone()].concat())];
        says.extend(rest);
        let node = Scripted::start(move |_| says.clone()).await;
        let client = one_connection(&node).await;
        let mut all = client.get_all("c");
        let record = (Key(1), Bytes::from("v"));
        within(async {
            let address = node.address;
            assert_eq!(all.next().await, Some(StreamEvent::Started(address)));
            assert_eq!(all.next().await, Some(StreamEvent::Item(address, record)));
            let Some(StreamEvent::Failed(error)) = all.next().await else {
                panic!("it has failed");
            };
            assert_eq!(
                (error.command, error.node),
                (Command::GetAll, Some(address))
            );
            assert!(error.may_have_been_done());
            match failure {
                Some(failure) => assert_eq!(error.failure, failure),
                None => assert!(matches!(
                    error.failure,
                    Failure::Violation(Violation::Batch { .. })
                )),
            }
            assert_eq!(all.next().await, Some(StreamEvent::Finished));
            let error = client.get_all("c").records().await.unwrap_err();
            assert_eq!(error.command, Command::GetAll, "the records are not all");
        })
        .await;
        assert_eq!(node.connections(), [0, 1], "none is used again");
    }
}

#[tokio::test]
async fn a_refused_stream_tells_the_status() {
    let refused = Say::Answer(Answer::Status(Status::BadChannelName));
    let node = Scripted::start(move |_| vec![refused.clone()]).await;
    let client = connect([node.address]).await;
    let mut listen = within(client.listen("c")).await;
    let Some(StreamEvent::Failed(error)) = next(&mut listen).await else {
        panic!("it has failed");
    };
    assert_eq!(error.status(), Some(Status::BadChannelName));
    assert_eq!(next(&mut listen).await, Some(StreamEvent::Finished));
}

#[tokio::test]
async fn pieces_are_waited_for_no_longer_than_requests() {
    let node = Scripted::start(|_| vec![Say::Raw(ok())]).await;
    let client = connect([node.address]).await;
    let hasty = client.with_timeout(Duration::from_millis(20));
    let error = within(hasty.get_all_keys("c").keys()).await.unwrap_err();
    assert_eq!(error.failure, Failure::TimedOut);
    // What a Listen tells is waited for as long as it takes.
    let mut listen = within(hasty.listen("c")).await;
    assert!(matches!(
        within(listen.next()).await,
        Some(StreamEvent::Started(_))
    ));
    let waited = tokio::time::timeout(Duration::from_millis(60), listen.next());
    assert!(waited.await.is_err());
}

#[tokio::test]
async fn a_suspended_stream_lets_the_node_wait() {
    // Bytes that compression does not make fewer.
    let mut random = 1_u32;
    let value: Vec<u8> = std::iter::repeat_with(|| {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (random >> 24) as u8
    })
    .take(60_000)
    .collect();
    let mut batch = Batch::default();
    batch.push(Key(1), &value);
    let batch = array(&batch.finish());
    let (taken, mut progress) = watch::channel(0);
    let mut batches = Some(Say::Repeat(batch, Arc::new(taken)));
    let node = Scripted::start(move |_| {
        let started = Some(Say::Raw(ok()));
        started.into_iter().chain(batches.take()).collect()
    })
    .await;
    let client = connect([node.address]).await;
    let mut all = client.get_all("c");
    within(async {
        for _ in 0..10 {
            all.next().await.unwrap();
        }
        all.suspend();
        let suspended = async {
            // The node gets stuck when the network is full.
            let mut before = 0;
            while *progress.borrow() != before {
                before = *progress.borrow();
                let more = progress.wait_for(|taken| *taken > before);
                let _ = tokio::time::timeout(Duration::from_millis(200), more).await;
            }
        };
        tokio::select! {
            event = all.next() => panic!("{event:?}"),
            () = suspended => {}
        }
        let stuck = *progress.borrow();
        all.resume();
        for _ in 0..stuck + 10 {
            all.next().await.unwrap();
        }
        progress.wait_for(|taken| *taken > stuck).await.unwrap();
        drop(all);
        // The node sees that nobody reads any more.
        progress.wait_for(|_| false).await.unwrap_err();
    })
    .await;
}

#[tokio::test]
async fn streams_are_suspended_and_resumed() {
    let (_node, client) = one_node().await;
    within(async {
        for key in 0..100 {
            client.put("c", key, common::value(5000)).await.unwrap();
        }
        let hasty = client.with_timeout(Duration::from_secs(1));
        let mut all = hasty.get_all("c");
        let controller = all.controller();
        let mut told = 0;
        while told < 10 {
            told += usize::from(matches!(all.next().await, Some(StreamEvent::Item(..))));
        }
        all.suspend();
        let waited = tokio::time::timeout(Duration::from_millis(50), all.next());
        assert!(waited.await.is_err(), "nothing is told meanwhile");
        // Resuming wakes who waits already.
        let (resumed, ()) = tokio::join!(all.next(), async { controller.resume() });
        assert!(matches!(resumed, Some(StreamEvent::Item(..))));
        assert_eq!(all.records().await.unwrap().len(), 89);
    })
    .await;
}

#[tokio::test]
async fn a_stream_can_be_stopped() {
    let (_node, client) = one_node().await;
    let mut listen = within(client.listen("news")).await;
    let controller = listen.controller();
    assert!(matches!(
        within(listen.next()).await,
        Some(StreamEvent::Started(_))
    ));
    let (event, ()) =
        within(async { tokio::join!(listen.next(), async { controller.stop() }) }).await;
    assert_eq!(event, Some(StreamEvent::Stopped));
    assert_eq!(within(listen.next()).await, None);
    controller.resume();
    assert_eq!(within(listen.next()).await, None);
    connections(&client, 1).await;
    let all = client.get_all("news");
    all.stop();
    let error = within(all.records()).await.unwrap_err();
    assert_eq!(error.failure, Failure::Stopped);
}
