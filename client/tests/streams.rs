//! GetAll, Mirror and GetChannels: what they tell, how they are controlled, and that they go on over
//! lost connections.

mod common;

use std::sync::{Arc, Mutex};

use common::scripted::{Scripted, range, supported};
use common::{PATIENCE, builder, connect, even, node_with, odd, one_node, within};
use dht_client::{
    ChannelEvent, ControlError, Failure, HashRange, Key, Mirror, MirrorEvent, Notification,
    RequestError, get_all, mirror,
};
use dht_protocol::neo::batch::GetAllBatch;
use dht_protocol::neo::request::get_all::Open;
use fakedht::TestNode;

/// Follows changes alone.
const CHANGES: mirror::Settings = mirror::Settings {
    initial_refresh: false,
    periodic_refresh_s: 0,
};
/// Dumps the channel at the start.
const DUMP: mirror::Settings = mirror::Settings {
    initial_refresh: true,
    periodic_refresh_s: 0,
};

/// The next item of a Mirror, and nothing else before it.
async fn item(mirror: &mut Mirror) -> mirror::Item {
    match within(mirror.next()).await {
        Some(Notification::Item(_, item)) => item,
        event => panic!("{event:?} instead of an item"),
    }
}

fn fill(node: &TestNode, count: u64) {
    for key in 0..count {
        node.put("c", key, [b'v'; 1000]);
    }
}

#[tokio::test]
async fn get_all_reads_all_records_or_keys() {
    let (node, client) = one_node().await;
    fill(&node, 500);
    node.put("c", 1000, "needle in it");
    let records = client.get_all("c", get_all::Settings::default()).records();
    assert_eq!(within(records).await.unwrap(), node.records("c"));

    let keys_only = get_all::Settings {
        keys_only: true,
        ..Default::default()
    };
    let keys = client.get_all("c", keys_only).keys();
    assert_eq!(within(keys).await.unwrap(), node.keys("c"));

    let filtered = get_all::Settings {
        value_filter: "needle".into(),
        ..Default::default()
    };
    let records = client.get_all("c", filtered).records();
    let needle = (Key(1000), "needle in it".into());
    assert_eq!(within(records).await.unwrap(), [needle]);

    let records = client.get_all("nothing", get_all::Settings::default());
    assert_eq!(within(records.records()).await.unwrap(), []);
}

#[tokio::test]
async fn get_all_tells_its_course() {
    let (node, client) = one_node().await;
    node.put("c", 1, "one");
    let mut all = client.get_all("c", get_all::Settings::default());
    let record = get_all::Item::Record(Key(1), "one".into());
    let told = [
        Notification::Started,
        Notification::Item(node.address(), record),
        Notification::Finished,
    ];
    for event in told {
        assert_eq!(within(all.next()).await, Some(event));
    }
    assert_eq!(within(all.next()).await, None);
    assert_eq!(within(all.next()).await, None);
    assert_eq!(all.failure(), None);
    assert_eq!(all.stop(), Err(ControlError::Ended));
}

#[tokio::test]
async fn a_get_all_goes_on_behind_the_last_key_when_the_connection_is_back() {
    let opened = Arc::new(Mutex::new(Vec::new()));
    let openings = Arc::clone(&opened);
    let node = Scripted::start(move |heard| {
        if heard.nth > 0 {
            return Vec::new(); // The Ack.
        }
        let open = Open::decode(&heard.payload[2..]).unwrap();
        openings.lock().unwrap().push(open.continue_from);
        let mut batch = GetAllBatch::default();
        let first = heard.connection as u64 * 2;
        for key in first..first + 2 {
            batch.push(Key(key), b"v");
        }
        let mut message = vec![7];
        let block = batch.finish();
        message.extend((block.len() as u64).to_le_bytes());
        message.extend(block);
        match heard.connection {
            0 | 1 => {
                let mut says = supported([&[5], &message]);
                says.push(common::scripted::Say::Close);
                says
            }
            _ => supported([&[5], &message, &[8]]),
        }
    })
    .await;
    let client = connect([node.address]).await;
    let mut all = client.get_all("c", get_all::Settings::default());
    let (mut keys, mut breaks) = (Vec::new(), 0);
    while let Some(event) = within(all.next()).await {
        match event {
            Notification::Item(_, get_all::Item::Record(key, _)) => keys.push(key.0),
            Notification::Disconnected(by) if by == node.address => breaks += 1,
            Notification::Started | Notification::Finished => {}
            event => panic!("{event:?}"),
        }
    }
    assert_eq!((keys, breaks), (vec![0, 1, 2, 3, 4, 5], 2));
    let opened = opened.lock().unwrap();
    assert_eq!(*opened, [None, Some(Key(1)), Some(Key(3))]);
}

#[tokio::test]
async fn a_get_all_waits_for_a_node_that_is_down() {
    let (mut node, client) = one_node().await;
    node.put("c", 1, "one");
    within(node.stop()).await;
    let all = tokio::spawn(client.get_all("c", get_all::Settings::default()).records());
    node.restart().await.unwrap();
    let records = within(all).await.unwrap().unwrap();
    assert_eq!(records, [(Key(1), "one".into())]);
}

#[tokio::test]
async fn what_a_node_cannot_do_makes_a_collection_fail() {
    let good = node_with(odd()).await;
    good.put("c", 1, "x");
    for (answer, expected) in [(6, false), (0xff, true)] {
        let bad = Scripted::start_all(move |heard| match heard.opens() {
            Some(1) => range(even()),
            Some(6) if !expected => supported([&[1]]),
            _ if expected => vec![common::scripted::Say::Message(vec![answer])],
            _ => supported([&[answer]]),
        })
        .await;
        let client = connect([good.address(), bad.address]).await;
        let all = client.get_all("c", get_all::Settings::default());
        let failed = within(all.records()).await.unwrap_err();
        let names = within(client.channels().collect_all()).await.unwrap_err();
        for failed in [failed, names] {
            match failed {
                RequestError::Failed(Failure::NodeError { node }) if !expected => {
                    assert_eq!(node, bad.address);
                }
                RequestError::Failed(Failure::Unsupported { node, .. }) if expected => {
                    assert_eq!(node, bad.address);
                }
                failed => panic!("{failed:?}"),
            }
        }

        // As a stream it goes on with the others.
        let mut all = client.get_all("c", get_all::Settings::default());
        let mut last = None;
        let mut items = 0;
        while let Some(event) = within(all.next()).await {
            items += usize::from(matches!(event, Notification::Item(..)));
            last = Some(event);
        }
        assert_eq!((items, last), (1, Some(Notification::Finished)));
    }
}

#[tokio::test]
async fn a_mirror_follows_changes() {
    let (node, client) = one_node().await;
    node.put("c", 1, "before");
    let mut mirror = client.mirror("c", CHANGES);
    assert_eq!(within(mirror.next()).await, Some(Notification::Started));
    within(client.put("c", 2, "two")).await.unwrap();
    let updated = mirror::Item::Updated(Key(2), "two".into());
    assert_eq!(item(&mut mirror).await, updated);
    within(client.remove("c", 1)).await.unwrap();
    assert_eq!(item(&mut mirror).await, mirror::Item::Deleted(Key(1)));

    within(client.remove_channel("c")).await.unwrap();
    assert_eq!(item(&mut mirror).await, mirror::Item::ChannelRemoved);
    assert_eq!(within(mirror.next()).await, Some(Notification::Finished));
    assert_eq!(within(mirror.next()).await, None);
}

#[tokio::test]
async fn a_mirror_starts_over_when_the_connection_is_back() {
    let (mut node, client) = one_node().await;
    node.put("c", 1, "one");
    let mut mirror = client.mirror("c", DUMP);
    assert_eq!(within(mirror.next()).await, Some(Notification::Started));
    let dumped = mirror::Item::Refreshed(Key(1), "one".into());
    assert_eq!(item(&mut mirror).await, dumped);

    within(node.stop()).await;
    let lost = MirrorEvent::Disconnected(node.address());
    assert_eq!(within(mirror.next()).await, Some(lost));
    node.put("c", 1, "changed meanwhile");
    node.restart().await.unwrap();
    let dumped = mirror::Item::Refreshed(Key(1), "changed meanwhile".into());
    assert_eq!(item(&mut mirror).await, dumped);
}

#[tokio::test]
async fn a_request_is_suspended_resumed_and_stopped() {
    let (node, client) = one_node().await;
    let mut mirror = client.mirror("c", CHANGES);
    assert_eq!(within(mirror.next()).await, Some(Notification::Started));
    mirror.suspend().unwrap();
    assert_eq!(mirror.suspend(), Err(ControlError::Busy));
    assert_eq!(within(mirror.next()).await, Some(Notification::Suspended));

    node.put("c", 1, "while suspended");
    mirror.resume().unwrap();
    assert_eq!(within(mirror.next()).await, Some(Notification::Resumed));
    let updated = mirror::Item::Updated(Key(1), "while suspended".into());
    assert_eq!(item(&mut mirror).await, updated);

    // A change that changes nothing is told as well.
    mirror.resume().unwrap();
    assert_eq!(within(mirror.next()).await, Some(Notification::Resumed));

    mirror.stop().unwrap();
    assert_eq!(mirror.resume(), Err(ControlError::Ended));
    assert_eq!(within(mirror.next()).await, Some(Notification::Stopped));
    assert_eq!(within(mirror.next()).await, None);
    assert_eq!(mirror.failure(), None);
}

#[tokio::test]
async fn another_task_can_control_a_request() {
    let (_node, client) = one_node().await;
    let mut mirror = client.mirror("c", CHANGES);
    assert_eq!(within(mirror.next()).await, Some(Notification::Started));
    let controller = mirror.controller();
    let other = tokio::spawn(async move {
        controller.suspend().unwrap();
        controller
    });
    assert_eq!(within(mirror.next()).await, Some(Notification::Suspended));
    let controller = other.await.unwrap();
    controller.stop().unwrap();
    assert_eq!(within(mirror.next()).await, Some(Notification::Stopped));
    assert_eq!(controller.resume(), Err(ControlError::Ended));
}

#[tokio::test]
async fn requests_can_be_controlled_before_any_node_is_connected() {
    let (mut node, client) = one_node().await;
    fill(&node, 10);
    let mut losses = client.connections();
    within(node.stop()).await;
    while !matches!(
        within(losses.next()).await.unwrap(),
        dht_client::ConnectionEvent::Disconnected(..)
    ) {}

    let mut stopped = client.get_all("c", get_all::Settings::default());
    stopped.stop().unwrap();
    assert_eq!(within(stopped.next()).await, Some(Notification::Stopped));

    let mut all = client.get_all("c", get_all::Settings::default());
    all.suspend().unwrap();
    assert_eq!(within(all.next()).await, Some(Notification::Started));
    assert_eq!(within(all.next()).await, Some(Notification::Suspended));
    node.restart().await.unwrap();
    // Nothing comes, however much else goes on.
    within(client.ready(PATIENCE)).await.unwrap();
    within(client.put("d", 1, "x")).await.unwrap();
    all.resume().unwrap();
    assert_eq!(within(all.next()).await, Some(Notification::Resumed));
    assert_eq!(within(all.records()).await.unwrap().len(), 10);
}

#[tokio::test]
async fn a_dropped_request_is_stopped_on_the_node() {
    let (node, client) = one_node().await;
    let mut mirror = client.mirror("c", CHANGES);
    assert_eq!(within(mirror.next()).await, Some(Notification::Started));
    within(node.wait_for_listeners("c", 1, PATIENCE))
        .await
        .unwrap();
    drop(mirror);
    within(node.wait_for_listeners("c", 0, PATIENCE))
        .await
        .unwrap();
    // A Suspend under way does not keep it either.
    let mut mirror = client.mirror("c", CHANGES);
    assert_eq!(within(mirror.next()).await, Some(Notification::Started));
    mirror.suspend().unwrap();
    drop(mirror);
    within(node.wait_for_listeners("c", 0, PATIENCE))
        .await
        .unwrap();
    within(client.put("c", 1, "x")).await.unwrap();
    assert_eq!(client.stats().active_requests, 1);
}

#[tokio::test]
async fn channels_are_listed_once_each() {
    let (first, second) = (node_with(even()).await, node_with(odd()).await);
    for (channel, node) in [("a", &first), ("b", &first), ("b", &second), ("c", &second)] {
        node.put(channel, 1, "x");
    }
    let client = connect([first.address(), second.address()]).await;
    let mut names = within(client.channels().collect_all()).await.unwrap();
    names.sort();
    assert_eq!(names, ["a".into(), "b".into(), "c".into()]);

    let mut channels = client.channels();
    let mut last = None;
    while let Some(event) = within(channels.next()).await {
        last = Some(event);
    }
    assert_eq!(last, Some(ChannelEvent::Finished));
    assert_eq!(channels.failure(), None);
}

#[tokio::test]
async fn streams_work_with_the_stream_trait() {
    fn is_stream<S: futures_core::Stream>(_: &S) {}
    let client = builder().build();
    is_stream(&client.get_all("c", get_all::Settings::default()));
    is_stream(&client.mirror("c", DUMP));
    is_stream(&client.channels());
    is_stream(&client.connections());
}

#[tokio::test]
async fn without_any_node_a_request_waits_for_one() {
    let client = builder().build();
    let all = tokio::spawn(client.get_all("c", get_all::Settings::default()).records());
    let node = node_with(HashRange::FULL).await;
    node.put("c", 1, "x");
    client.add_node(node.address());
    assert_eq!(within(all).await.unwrap().unwrap().len(), 1);
}
