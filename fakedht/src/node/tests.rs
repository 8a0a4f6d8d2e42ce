//! What a driver of the node may rely on.

use dht_protocol::Key;
use dht_protocol::neo::handshake::ClientHandshake;
use dht_protocol::neo::request::mirror::{Open, Settings};
use dht_protocol::neo::{Connection, Credential, RequestId};

use super::*;
use crate::storage::MemoryStorage;

const NOW: Now = Now {
    unix: 1_700_000_000,
    elapsed: Duration::ZERO,
};

fn node() -> Node<MemoryStorage> {
    Node::new(NodeConfig::default(), MemoryStorage::new())
}

fn client(node: &mut Node<MemoryStorage>) -> (ConnectionId, Connection<ClientHandshake>) {
    let id = node.accept([0; 4]);
    let handshake = ClientHandshake::new(Credential::default_admin());
    let mut client = Connection::new(handshake, Limits::default());
    while !client.is_open() {
        node.feed(id, &std::mem::take(client.output()));
        node.process(id, NOW).unwrap();
        client.feed(&node.take_output(id));
        client.next_event(NOW).unwrap();
    }
    (id, client)
}

/// Starts a Mirror of channel "c" and forgets what the node says about it.
fn mirror(node: &mut Node<MemoryStorage>, settings: Settings) -> ConnectionId {
    let (id, mut client) = client(node);
    let open = Open {
        start_suspended: false,
        channel: "c".into(),
        settings,
    };
    client.send(RequestId::FIRST, &open.encode());
    node.feed(id, client.output());
    node.process(id, NOW).unwrap();
    node.take_output(id);
    id
}

const CHANGES_ONLY: Settings = Settings {
    initial_refresh: false,
    periodic_refresh_s: 0,
};

#[test]
fn who_follows_is_woken_once_until_processed() {
    let mut node = node();
    let (first, second) = (
        mirror(&mut node, CHANGES_ONLY),
        mirror(&mut node, CHANGES_ONLY),
    );
    client(&mut node);
    assert_eq!(node.pop_woken(), None);
    for key in 0..3 {
        node.put(&"c".into(), Key(key), b"v").unwrap();
        node.put(&"other".into(), Key(key), b"v").unwrap();
    }
    assert_eq!(node.pop_woken(), Some(first));
    assert_eq!(node.pop_woken(), Some(second));
    node.put(&"c".into(), Key(3), b"v").unwrap();
    assert_eq!(node.pop_woken(), None, "both are still to be processed");
    node.process(first, NOW).unwrap();
    node.put(&"c".into(), Key(4), b"v").unwrap();
    assert_eq!(node.pop_woken(), Some(first));
    assert_eq!(node.pop_woken(), None);
}

#[test]
fn who_follows_its_own_writes_has_more_to_do() {
    let mut node = node();
    let (id, mut client) = client(&mut node);
    let open = Open {
        start_suspended: false,
        channel: "c".into(),
        settings: CHANGES_ONLY,
    };
    client.send(RequestId::FIRST, &open.encode());
    client.send(
        RequestId::FIRST.next(),
        b"\x02\0\x01\0\0\0\0\0\0\0cthe key!\0\0\0\0\0\0\0\0",
    );
    node.feed(id, client.output());
    assert_eq!(node.process(id, NOW), Ok(true));
    assert_eq!(node.pop_woken(), None, "whoever processes it knows already");
    node.take_output(id);
    assert_eq!(node.process(id, NOW), Ok(false));
    assert!(!node.take_output(id).is_empty());
}

#[test]
fn a_closed_connection_is_nobody() {
    let mut node = node();
    let id = mirror(&mut node, CHANGES_ONLY);
    node.put(&"c".into(), Key(1), b"v").unwrap();
    node.close(id);
    node.close(id);
    assert_eq!(node.pop_woken(), None);
    assert_eq!(node.listeners(&"c".into()), 0);
    node.feed(id, b"anything");
    assert_eq!(node.process(id, NOW), Ok(false));
    assert!(node.output(id).is_none() && !node.wants_input(id));
    assert_ne!(node.accept([0; 4]), id);
}

#[test]
fn legacy_connections_are_connections_like_others() {
    let mut node = node();
    let (neo, _) = client(&mut node);
    let legacy = node.accept_legacy();
    assert_eq!(Vec::from_iter(node.connections()), [neo, legacy]);
    node.feed(legacy, &[24, 0, 0, 0, 24]);
    assert_eq!(node.process(legacy, NOW), Ok(false));
    let answer = node.take_output(legacy);
    assert_eq!(answer, b"\xc8\0\0\0\x08\0\0\0\0\0\0\x0020110401");
    assert!(node.wants_input(legacy));
    assert_eq!(node.client(legacy), None);
    assert_eq!(node.active_requests(legacy), 0);
    assert_eq!(node.next_tick(legacy), None);

    node.set_range(HashRange::EMPTY);
    assert_eq!(node.pop_woken(), Some(neo));
    assert_eq!(node.pop_woken(), None, "nobody there asks for ranges");

    node.feed(legacy, &[0, 0, 1]);
    let violation = node.process(legacy, NOW).unwrap_err();
    assert_eq!(violation.section(), "legacy 3.1");
    node.close(legacy);
    assert_eq!(Vec::from_iter(node.connections()), [neo]);
}

#[test]
fn mirrors_are_told_of_legacy_removals() {
    let mut node = node();
    node.put(&"c".into(), Key(1), b"v").unwrap();
    let mirror = mirror(&mut node, CHANGES_ONLY);
    let legacy = node.accept_legacy();
    let remove = b"\x0c\0\0\0\x01\0\0\0\0\0\0\0c\x10\0\0\0\0\0\0\x000000000000000001";
    node.feed(legacy, &remove.repeat(2));
    assert_eq!(node.process(legacy, NOW), Ok(false));
    assert_eq!(node.take_output(legacy), [200, 0, 0, 0, 200, 0, 0, 0]);
    assert_eq!(node.pop_woken(), Some(mirror));
    node.process(mirror, NOW).unwrap();
    assert!(!node.take_output(mirror).is_empty());

    let remove_channel = b"\x16\0\0\0\x01\0\0\0\0\0\0\0c";
    node.feed(legacy, remove_channel);
    node.process(legacy, NOW).unwrap();
    assert_eq!(node.pop_woken(), Some(mirror));
    assert_eq!(node.channels().count(), 0);
}

#[test]
fn a_periodic_refresh_is_due_when_it_says() {
    let mut node = node();
    node.put(&"c".into(), Key(1), b"v").unwrap();
    let settings = Settings {
        periodic_refresh_s: 7,
        ..CHANGES_ONLY
    };
    let id = mirror(&mut node, settings);
    let due = Duration::from_secs(7);
    assert_eq!(node.next_tick(id), Some(due));
    let at = |elapsed| Now { elapsed, ..NOW };
    node.process(id, at(due - Duration::from_nanos(1))).unwrap();
    assert!(node.take_output(id).is_empty());
    node.process(id, at(due)).unwrap();
    assert!(!node.take_output(id).is_empty());
    assert_eq!(node.next_tick(id), Some(2 * due));
}

#[test]
fn observers_see_that_something_happened() {
    let mut node = node();
    let mut revision = node.revision();
    let mut changed = |node: &Node<MemoryStorage>| {
        let before = std::mem::replace(&mut revision, node.revision());
        before != revision
    };
    let id = mirror(&mut node, CHANGES_ONLY);
    assert!(changed(&node), "a Mirror");
    node.put(&"c".into(), Key(1), b"v").unwrap();
    assert!(changed(&node), "a write");
    node.get(&"c".into(), Key(1)).unwrap();
    assert!(!changed(&node), "a read");
    node.remove_channel(&"c".into()).unwrap();
    assert!(changed(&node), "a removal");
    node.close(id);
    assert!(changed(&node), "a connection");
}
