//! A user who does not read: what is kept for it has a limit, other requests go on, and nothing is lost.

mod common;

use std::sync::{Arc, Mutex};

use common::scripted::{Say, Scripted, supported};
use common::{PATIENCE, builder, within};
use dht_client::{
    Client, ConnectionError, ConnectionEvent, ControlError, Failure, GetAll, Key, Limits,
    Notification, get_all, mirror,
};
use dht_protocol::neo::batch::GetAllBatch;
use fakedht::TestNode;

const RECORDS: u64 = 20_000;

/// A node with far more than is kept for a user or by the network. The values are random, so that
/// batches are as long as what is in them.
async fn full_node() -> TestNode {
    let node = TestNode::start().await.unwrap();
    let mut seed = 1_u64;
    for key in 0..RECORDS {
        let random = std::iter::repeat_with(|| {
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1);
            (seed >> 56) as u8
        });
        node.put("c", key, random.take(1000).collect::<Vec<u8>>());
    }
    node
}

/// A client that keeps little of what is not read.
async fn frugal(node: &TestNode) -> Client {
    let client = builder()
        .node(node.address())
        .stream_buffer(100_000)
        .build();
    client.ready(PATIENCE).await.unwrap();
    client
}

/// Waits until the node's answers to everything that was sent before have come.
async fn sentinel(client: &Client) {
    within(client.exists("sentinel", 1)).await.unwrap();
}

fn bytes_in(client: &Client) -> u64 {
    client
        .stats()
        .nodes
        .values()
        .map(|node| node.bytes_in)
        .sum()
}

#[tokio::test]
async fn what_is_not_read_is_not_sent_for_ever() {
    let node = full_node().await;
    let client = frugal(&node).await;
    let all = client.get_all("c", get_all::Settings::default());
    // Each answer proves that the node has gone on with its work.
    let mut before = 0;
    loop {
        for _ in 0..100 {
            sentinel(&client).await;
        }
        let now = bytes_in(&client);
        if now - before < 10_000 {
            break;
        }
        before = now;
    }
    let sent = bytes_in(&client);
    assert!(sent < RECORDS * 1000 / 2, "{sent} bytes came for nobody");
    let records = within(all.records()).await.unwrap();
    assert_eq!(records, node.records("c"));
}

#[tokio::test]
async fn who_waits_for_another_request_before_reading_on_does_not_wait_for_ever() {
    let node = full_node().await;
    let client = frugal(&node).await;
    let mut all = client.get_all("c", get_all::Settings::default());
    let mut count = 0;
    while let Some(event) = within(all.next()).await {
        if let Notification::Item(_, get_all::Item::Record(key, _)) = event {
            if key.0 % 10 == 0 {
                assert_eq!(within(client.remove("c", key)).await, Ok(true));
            }
            count += 1;
        } else {
            let expected = [Notification::Started, Notification::Finished];
            assert!(expected.contains(&event), "{event:?}");
        }
    }
    assert_eq!(count, RECORDS);
}

/// Reads on until nothing but the asked-for change can have come, and gives the number of records.
async fn until(all: &mut GetAll, awaited: &Notification<get_all::Item>) -> u64 {
    let mut records = 0;
    loop {
        match within(all.next()).await.unwrap() {
            Notification::Item(..) => records += 1,
            event if event == *awaited => return records,
            Notification::Started => {}
            event => panic!("{event:?} before {awaited:?}"),
        }
    }
}

#[tokio::test]
async fn a_user_who_suspends_is_told_of_its_own_changes_alone() {
    let node = full_node().await;
    let client = frugal(&node).await;
    let mut all = client.get_all("c", get_all::Settings::default());
    for _ in 0..100 {
        sentinel(&client).await;
    }
    // The nodes are suspended already, because nobody reads.
    all.suspend().unwrap();
    let mut count = until(&mut all, &Notification::Suspended).await;
    for _ in 0..10 {
        sentinel(&client).await;
    }
    all.resume().unwrap();
    count += until(&mut all, &Notification::Resumed).await;
    count += until(&mut all, &Notification::Finished).await;
    assert_eq!(count, RECORDS);

    let all = client.get_all("c", get_all::Settings::default());
    for _ in 0..100 {
        sentinel(&client).await;
    }
    all.stop().unwrap();
    assert_eq!(all.resume(), Err(ControlError::Ended));
    let mut all = all;
    let read = until(&mut all, &Notification::Stopped).await;
    assert!(read < RECORDS, "{read} records before the end");
}

#[tokio::test]
async fn a_mirror_that_is_not_read_loses_updates_and_says_so() {
    let limits = Limits {
        mirror_queue: 10,
        ..Limits::default()
    };
    let config = fakedht::NodeConfig {
        limits,
        ..Default::default()
    };
    let options = fakedht::ServerOptions::default();
    let node = TestNode::start_with(config, options).await.unwrap();
    let client = frugal(&node).await;
    let settings = mirror::Settings {
        initial_refresh: false,
        periodic_refresh_s: 0,
    };
    let mut mirror = client.mirror("c", settings);
    assert_eq!(within(mirror.next()).await, Some(Notification::Started));
    for key in 0..2000_u64 {
        within(client.put("c", key, vec![b'v'; 1000]))
            .await
            .unwrap();
    }
    let mut updates = 0;
    loop {
        match within(mirror.next()).await.unwrap() {
            Notification::Item(_, mirror::Item::Updated(..)) => updates += 1,
            Notification::Item(_, mirror::Item::UpdatesLost) => break,
            event => panic!("{event:?}"),
        }
    }
    assert!((100..2000).contains(&updates), "{updates} updates");
    // Whoever reads on is told what happens from then on.
    within(client.put("c", 7, "last")).await.unwrap();
    loop {
        if let Notification::Item(_, mirror::Item::Updated(key, value)) =
            within(mirror.next()).await.unwrap()
            && value == "last"
        {
            assert_eq!(key, Key(7));
            break;
        }
    }
}

#[tokio::test]
async fn a_node_that_ignores_suspend_is_disconnected_and_not_asked_again_before_its_records_are_read()
 {
    let openings = Arc::new(Mutex::new(0));
    let count = Arc::clone(&openings);
    let node = Scripted::start(move |heard| {
        if heard.payload[0] == 7 && heard.nth == 0 {
            return supported([&[2]]); // Exists.
        }
        if heard.nth > 0 {
            return Vec::new();
        }
        *count.lock().unwrap() += 1;
        let mut batch = GetAllBatch::default();
        batch.push(Key(1), &vec![b'v'; 60_000]);
        let block = batch.finish();
        let mut message = vec![7];
        message.extend((block.len() as u64).to_le_bytes());
        message.extend(block);
        let mut says = supported([&[5]]);
        says.extend(std::iter::repeat_n(Say::Message(message), 3000));
        says
    })
    .await;
    let limits = Limits {
        message: 100_000,
        ..Limits::default()
    };
    let client = builder()
        .node(node.address)
        .stream_buffer(100_000)
        .limits(limits)
        .build();
    client.ready(PATIENCE).await.unwrap();
    let mut events = client.connections();
    let mut all = client.get_all("c", get_all::Settings::default());
    let flooding = ConnectionEvent::Disconnected(node.address, ConnectionError::Flooding);
    while within(events.next()).await.unwrap() != flooding {}
    within(client.ready(PATIENCE)).await.unwrap();
    sentinel(&client).await;
    assert_eq!(*openings.lock().unwrap(), 1);

    // It is asked again, and floods again, when there is room.
    while *openings.lock().unwrap() == 1 {
        assert!(matches!(
            within(all.next()).await.unwrap(),
            Notification::Started | Notification::Item(..) | Notification::Disconnected(_)
        ));
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_node_that_reads_nothing_does_not_fill_the_memory() {
    let node = Scripted::stalling().await;
    let client = builder()
        .node(node.address)
        .send_buffer(1_000_000)
        .request_timeout(std::time::Duration::from_millis(1))
        .build();
    client.ready(PATIENCE).await.unwrap();
    let mut events = client.connections();
    let stuck = ConnectionEvent::Disconnected(node.address, ConnectionError::NotReading);
    let puts = async {
        loop {
            let value = vec![0; 65_000];
            let failed = client.put("c", 1, value).await.unwrap_err();
            if failed != Failure::TimedOut.into() {
                break failed;
            }
        }
    };
    let failed = within(puts).await;
    let down = Failure::Disconnected { node: node.address };
    assert_eq!(failed, down.into());
    while within(events.next()).await.unwrap() != stuck {}
}
