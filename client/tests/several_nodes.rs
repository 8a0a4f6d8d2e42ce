//! Several nodes: who is asked for a key, in which order, and how nodes become known.

mod common;

use common::{connect, even, node_with, odd, within};
use dht_client::{
    ConnectionEvent, Decision, Failure, HashRange, Key, Notification, Updated, get_all, mirror,
};

#[tokio::test]
async fn each_key_goes_to_the_node_that_covers_its_reversed_bits() {
    let (first, second) = (node_with(even()).await, node_with(odd()).await);
    let client = connect([first.address(), second.address()]).await;
    for key in 0..10_u64 {
        within(client.put("c", key, "x")).await.unwrap();
    }
    let keys =
        |node: &fakedht::TestNode| -> Vec<u64> { node.keys("c").iter().map(|key| key.0).collect() };
    assert_eq!(keys(&first), [0, 2, 4, 6, 8]);
    assert_eq!(keys(&second), [1, 3, 5, 7, 9]);

    let get_all = client.get_all("c", get_all::Settings::default());
    assert_eq!(within(get_all.records()).await.unwrap().len(), 10);
    assert_eq!(
        within(client.channels().collect_all()).await.unwrap().len(),
        1
    );
    within(client.remove_channel("c")).await.unwrap();
    assert!(first.channels().is_empty() && second.channels().is_empty());
}

/// Two nodes that both have every key; the second became responsible last.
async fn old_and_new() -> (fakedht::TestNode, fakedht::TestNode, dht_client::Client) {
    let old = node_with(HashRange::FULL).await;
    let client = connect([old.address()]).await;
    let new = node_with(HashRange::FULL).await;
    assert!(client.add_node(new.address()));
    client.ready(common::PATIENCE).await.unwrap();
    (old, new, client)
}

#[tokio::test]
async fn the_newest_node_is_asked_first() {
    let (old, new, client) = old_and_new().await;
    within(client.put("c", 1, "x")).await.unwrap();
    assert_eq!((old.get("c", 1), new.get("c", 1)), (None, Some("x".into())));

    old.put("c", 2, "only the old one has it");
    assert!(within(client.get("c", 2)).await.unwrap().is_some());
    assert_eq!(within(client.exists("c", 2)).await, Ok(true));
    assert_eq!(within(client.exists("c", 3)).await, Ok(false));

    old.put("c", 4, "old");
    new.put("c", 4, "new");
    assert_eq!(within(client.get("c", 4)).await, Ok(Some("new".into())));
}

#[tokio::test]
async fn remove_begins_with_the_oldest_node_and_reaches_all() {
    let (mut old, new, client) = old_and_new().await;
    old.put("c", 1, "old");
    new.put("c", 1, "new");
    assert_eq!(within(client.remove("c", 1)).await, Ok(true));
    assert_eq!((old.get("c", 1), new.get("c", 1)), (None, None));

    old.put("c", 2, "old");
    assert_eq!(
        within(client.remove("c", 2)).await,
        Ok(true),
        "had by the oldest alone"
    );

    // Where it ends on the way, what remains is the newest copy.
    old.put("c", 3, "old");
    new.put("c", 3, "new");
    let mut events = client.connections();
    old.stop().await;
    while !matches!(
        within(events.next()).await.unwrap(),
        ConnectionEvent::Disconnected(node, _) if node == old.address()
    ) {}
    let failure = Failure::Disconnected {
        node: old.address(),
    };
    assert_eq!(within(client.remove("c", 3)).await, Err(failure.into()));
    assert_eq!(new.get("c", 3).as_deref(), Some(&b"new"[..]));
}

#[tokio::test]
async fn an_update_moves_a_record_to_the_newest_node() {
    let (old, new, client) = old_and_new().await;
    old.put("c", 1, "old");
    let update = client.update("c", 1, |value| {
        assert_eq!(value, b"old");
        Decision::Replace("new".into())
    });
    assert_eq!(within(update).await, Ok(Updated::Done));
    assert_eq!(
        (old.get("c", 1), new.get("c", 1)),
        (None, Some("new".into()))
    );

    // What is not replaced stays where it is.
    old.put("c", 2, "old");
    let leave = client.update("c", 2, |_| Decision::Leave);
    assert_eq!(within(leave).await, Ok(Updated::Done));
    assert_eq!(
        (old.get("c", 2), new.get("c", 2)),
        (Some("old".into()), None)
    );
    let delete = client.update("c", 2, |_| Decision::Delete);
    assert_eq!(within(delete).await, Ok(Updated::Done));
    assert_eq!((old.get("c", 2), new.get("c", 2)), (None, None));
}

#[tokio::test]
async fn a_node_that_is_announced_is_connected_to_and_used() {
    let first = node_with(HashRange::FULL).await;
    let second = node_with(odd()).await;
    let client = connect([first.address()]).await;
    let settings = mirror::Settings {
        initial_refresh: false,
        periodic_refresh_s: 0,
    };
    let mut mirror = client.mirror("c", settings);
    assert_eq!(within(mirror.next()).await, Some(Notification::Started));

    first.announce_node(second.address(), odd());
    first.set_range(even());
    within(client.wait_ranges_known(2)).await.unwrap();
    within(client.wait_connected(2)).await.unwrap();
    assert_eq!(client.stats().registered_nodes(), 2);
    // A request that ran already includes it.
    within(second.wait_for_listeners("c", 1, common::PATIENCE))
        .await
        .unwrap();
    within(client.put("c", 1, "x")).await.unwrap();
    assert_eq!(second.get("c", 1).as_deref(), Some(&b"x"[..]));
    let item = mirror::Item::Updated(Key(1), "x".into());
    let event = Notification::Item(second.address(), item);
    assert_eq!(within(mirror.next()).await, Some(event));
}

#[tokio::test]
async fn changes_of_a_range_are_told() {
    let node = node_with(HashRange::FULL).await;
    let client = connect([node.address()]).await;
    let mut events = client.connections();
    node.set_range(even());
    while within(events.next()).await.unwrap()
        != ConnectionEvent::RangeKnown(node.address(), even())
    {}
    assert_eq!(
        within(client.get("c", 1)).await,
        Err(Failure::NoNode.into())
    );
    assert_eq!(client.stats().nodes[&node.address()].range, Some(even()));
}
