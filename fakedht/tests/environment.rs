//! The node inside a test: every method of `TestNode`.

mod support;

use std::time::Duration;

use dht_protocol::neo::Credentials;
use dht_protocol::neo::request::get_hash_range::Update;
use dht_protocol::neo::request::mirror::{FromNode, Open, Settings};
use dht_protocol::neo::request::{RequestCode, get_hash_range};
use dht_protocol::{HashRange, Key, nodes_file};
use fakedht::{NodeConfig, ServerOptions, Size, TestNode};
use support::{Client, LIMIT, about, put, within};
use tokio::net::TcpStream;

/// A wait that is not expected to be fulfilled.
const SHORT: Duration = Duration::from_millis(10);

#[tokio::test]
async fn records_are_at_hand() {
    let node = TestNode::start().await.unwrap();
    assert_eq!(node.get("c", 1), None);
    assert_eq!(node.size("c"), Size::default());
    assert!(!node.remove("c", 1) && !node.remove_channel("c"));
    assert_eq!(node.channels(), [], "looking creates nothing");
    node.put("c", 2, "two");
    node.put("c", 1, b"one");
    node.put("d", 1, vec![0; 7]);
    assert_eq!(node.get("c", 1).as_deref(), Some(&b"one"[..]));
    assert_eq!(node.keys("c"), [Key(1), Key(2)]);
    let records = [(Key(1), "one".into()), (Key(2), "two".into())];
    assert_eq!(node.records("c"), records);
    assert_eq!(node.channels(), ["c".into(), "d".into()]);
    let (records, bytes) = (2, 6);
    assert_eq!(node.size("c"), Size { records, bytes });
    assert!(node.remove("c", 1) && !node.remove("c", 1));
    assert!(node.remove_channel("d"));
    assert_eq!(node.channels(), ["c".into()]);
}

#[tokio::test]
async fn mirrors_are_told_of_direct_changes() {
    let node = TestNode::start().await.unwrap();
    let mut client = Client::connect(node.address()).await;
    let open = Open {
        start_suspended: false,
        channel: "c".into(),
        settings: Settings {
            initial_refresh: false,
            periodic_refresh_s: 0,
        },
    };
    let id = client.start(open.encode()).await;
    node.wait_for_listeners("c", 1, LIMIT).await.unwrap();
    client.messages(id, 2).await;
    for (act, told) in [
        (
            (|node| node.put("c", 1, "a")) as fn(&TestNode),
            FromNode::RecordChanged(Key(1), "a".into()),
        ),
        (
            |node| assert!(node.remove("c", 1)),
            FromNode::RecordDeleted(Key(1)),
        ),
        (
            |node| node.put("c", 2, "b"),
            FromNode::RecordChanged(Key(2), "b".into()),
        ),
        (
            |node| node.clear_channel("c"),
            FromNode::RecordDeleted(Key(2)),
        ),
        (
            |node| node.put("c", 3, "c"),
            FromNode::RecordChanged(Key(3), "c".into()),
        ),
        (TestNode::clear, FromNode::RecordDeleted(Key(3))),
        (TestNode::reset, FromNode::ChannelRemoved),
    ] {
        act(&node);
        let message = client.message(id).await;
        assert_eq!(FromNode::decode(&message), Ok(told));
    }
    assert_eq!(node.channels(), []);
}

#[tokio::test]
async fn clearing_keeps_the_channels() {
    let node = TestNode::start().await.unwrap();
    for channel in ["c", "d"] {
        node.put(channel, 1, "v");
    }
    node.clear_channel("d");
    assert_eq!((node.size("c").records, node.size("d").records), (1, 0));
    node.clear();
    assert_eq!(node.size("c").records, 0);
    assert_eq!(node.channels().len(), 2);
}

#[tokio::test]
async fn a_record_is_waited_for() {
    let node = TestNode::start().await.unwrap();
    let mut client = Client::connect(node.address()).await;
    node.put("c", 1, "first");
    let is_second = |value: Option<&[u8]>| value == Some(b"second");
    let (waited, _) = tokio::join!(
        node.wait_for_record("c", 1, is_second, LIMIT),
        client.ask(put("c", 1, "second"), 1)
    );
    assert_eq!(waited.unwrap().as_deref(), Some(&b"second"[..]));
    // What is fulfilled already needs no change.
    node.wait_for_record("c", 1, is_second, LIMIT)
        .await
        .unwrap();
    let (waited, _) = tokio::join!(
        node.wait_for_record("c", 1, |value| value.is_none(), LIMIT),
        client.ask(about(RequestCode::Remove, "c", 1), 1)
    );
    assert_eq!(waited, Ok(None));
}

#[tokio::test]
async fn a_change_is_waited_for() {
    let node = TestNode::start().await.unwrap();
    let (waited, ()) = tokio::join!(node.wait_for_change("c", 1, LIMIT), async {
        node.put("c", 1, "a")
    });
    assert_eq!(waited.unwrap().as_deref(), Some(&b"a"[..]));
    let watch = node.watch_record("c", 1);
    node.put("c", 1, "b");
    assert_eq!(watch.before().map(|value| &value[..]), Some(&b"a"[..]));
    let changed = watch.changed(LIMIT).await.unwrap();
    assert_eq!(changed.as_deref(), Some(&b"b"[..]));
}

#[tokio::test]
async fn what_does_not_happen_is_said() {
    let node = TestNode::start().await.unwrap();
    let error = node.wait_for_change("c", 0xab, SHORT).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "waited 10ms for record c/00000000000000ab to change, but there is no such record"
    );
    node.put("c", 1, "actual");
    let error = node.wait_for_record("c", 1, |_| false, SHORT).await;
    let error = error.unwrap_err().to_string();
    assert!(error.ends_with("but its value is \"actual\""), "{error}");
    let error = node.wait_for_listeners("c", 2, SHORT).await.unwrap_err();
    assert!(error.to_string().ends_with("but there are 0"), "{error}");
}

#[tokio::test]
async fn a_restart_keeps_data_and_address() {
    let mut node = TestNode::start().await.unwrap();
    let address = node.address();
    for round in 0..3 {
        let mut client = Client::connect(address).await;
        client.ask(put("c", round, "kept"), 1).await;
        node.stop().await;
        client.closed().await;
        assert!(TcpStream::connect(address).await.is_err(), "refused");
        assert_eq!(node.node().connected(), 0);
        node.put("d", round, "while it was stopped");
        node.restart().await.unwrap();
        assert_eq!(node.address(), address);
    }
    let mut client = Client::connect(address).await;
    let answers = client.ask(about(RequestCode::Exists, "c", 0), 1).await;
    assert_eq!(answers, [[1]]);
    assert_eq!((node.size("c").records, node.size("d").records), (3, 3));
    node.stop().await;
    node.stop().await;
    node.restart().await.unwrap();
    node.restart().await.unwrap();
    Client::connect(address).await;
}

#[tokio::test]
async fn nobody_takes_the_port_of_a_stopped_node() {
    let mut node = TestNode::start().await.unwrap();
    node.stop().await;
    let thief = tokio::net::TcpSocket::new_v4().unwrap();
    let stolen = thief.bind(node.address().into());
    if cfg!(target_os = "linux") {
        assert!(stolen.is_err());
    }
    drop(thief);
    node.restart().await.unwrap();
}

#[tokio::test]
async fn connections_are_dropped_and_come_back() {
    let node = TestNode::start().await.unwrap();
    let mut clients = [
        Client::connect(node.address()).await,
        Client::connect(node.address()).await,
    ];
    within("dropping", node.drop_connections()).await;
    assert_eq!(node.node().connected(), 0);
    for client in &mut clients {
        client.closed().await;
    }
    let mut client = Client::connect(node.address()).await;
    assert_eq!(client.ask(put("c", 1, "v"), 1).await, [[1]]);
}

#[tokio::test]
async fn ranges_are_told() {
    let node = TestNode::start().await.unwrap();
    let mut client = Client::connect(node.address()).await;
    let id = client.start(get_hash_range::Open.encode()).await;
    client.messages(id, 2).await;
    let other = "127.0.0.1:9".parse().unwrap();
    node.announce_node(other, HashRange::FULL);
    node.set_range(HashRange::EMPTY);
    for told in [
        Update::NewNode(other, HashRange::FULL),
        Update::ChangeHashRange(HashRange::EMPTY),
    ] {
        let message = client.message(id).await;
        assert_eq!(Update::decode(&message), Ok(told));
    }
    assert_eq!(client.ask(put("c", 1, "v"), 1).await, [[2]]);
    node.put("c", 1, "the owner may");
}

#[tokio::test]
async fn a_client_finds_its_configuration() {
    let directory = tempfile::tempdir().unwrap();
    let credentials = format!("app:{}\n", "5c".repeat(128));
    let config = NodeConfig {
        credentials: Credentials::parse(credentials.as_bytes()).unwrap(),
        ..NodeConfig::default()
    };
    let node = TestNode::start_with(config, ServerOptions::default())
        .await
        .unwrap();
    let files = node
        .write_config_files(directory.path().join("etc"))
        .unwrap();
    let nodes = std::fs::read(files.nodes).unwrap();
    assert_eq!(nodes_file::parse(&nodes).unwrap(), [node.address()]);
    let written = std::fs::read_to_string(files.credentials).unwrap();
    assert_eq!(written, credentials);
    let credential = written.trim().parse().unwrap();
    Client::connect_as(node.address(), credential)
        .await
        .unwrap();
}

#[tokio::test]
async fn credentials_are_replaced_and_open_connections_stay() {
    let node = TestNode::start().await.unwrap();
    let mut before = Client::connect(node.address()).await;
    node.node()
        .with(|node| node.set_credentials(Credentials::default()));
    let admin = dht_protocol::neo::Credential::default_admin();
    assert!(Client::connect_as(node.address(), admin).await.is_err());
    assert_eq!(before.ask(put("c", 1, "v"), 1).await, [[1]]);
}

#[tokio::test]
async fn a_dropped_node_is_gone() {
    let node = TestNode::start().await.unwrap();
    let mut client = Client::connect(node.address()).await;
    drop(node);
    client.closed().await;
}
