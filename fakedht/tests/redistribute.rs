//! A node moves records to another one, over sockets.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use dht_protocol::legacy::batch::{Batch, Pushed};
use dht_protocol::legacy::{Answer, Order, Redistribute, Status, Target};
use dht_protocol::neo::request::RequestCode;
use dht_protocol::neo::request::get_hash_range::Update;
use dht_protocol::neo::request::mirror::{Open, Settings};
use dht_protocol::{HashRange, Key};
use fakedht::{NodeConfig, ServerOptions, TestNode};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};

use support::{Client, Legacy, Lines, about, legacy_get, legacy_put, put, within};

/// The lower half: even keys. The node keeps it.
fn low() -> HashRange {
    HashRange::new(0, u64::MAX / 2).unwrap()
}

fn high() -> HashRange {
    HashRange::new(1 << 63, u64::MAX).unwrap()
}

async fn node(range: HashRange) -> (TestNode, Lines) {
    node_with(range, ServerOptions::default()).await
}

async fn node_with(range: HashRange, options: ServerOptions) -> (TestNode, Lines) {
    let lines = Lines::default();
    let options = ServerOptions {
        log: Arc::new(lines.clone()),
        ..options
    };
    let config = NodeConfig {
        range,
        ..NodeConfig::default()
    };
    let node = TestNode::start_with(config, options).await.unwrap();
    (node, lines)
}

/// The node is to keep the lower half; the other one takes the upper half.
fn give_to(other: &TestNode) -> Order {
    Order::Redistribute(Redistribute {
        min: low().min(),
        max: low().max(),
        nodes: vec![target(other, high())],
    })
}

fn target(node: &TestNode, range: HashRange) -> Target {
    Target {
        address: node.legacy_address().ip().to_string().into(),
        port: node.legacy_address().port(),
        range,
    }
}

/// Waits for something that is seen in the node.
async fn until(node: &TestNode, what: &str, condition: impl Fn(&TestNode) -> bool) {
    within(what, async {
        loop {
            let revision = node.node().with(|node| node.revision());
            if condition(node) {
                return;
            }
            node.node().changed(revision).await;
        }
    })
    .await;
}

#[tokio::test]
async fn records_move_and_clients_are_told_of_the_new_node_first() {
    let (source, lines) = node(HashRange::FULL).await;
    let (other, _) = node(high()).await;
    for key in 0..20_000 {
        source.put("c", key, format!("value {key}"));
    }
    source.put("c", 20_001, vec![1; 200_000]);
    source.put("c", 20_003, "");
    let mut neo = Client::connect(source.address()).await;
    let ranges = neo.start([RequestCode::GetHashRange as u8, 0]).await;
    assert_eq!(neo.messages(ranges, 2).await[0], [0xfd]);
    let open = Open {
        start_suspended: false,
        channel: "c".into(),
        settings: Settings {
            initial_refresh: false,
            periodic_refresh_s: 0,
        },
    };
    let mirror = neo.start(open.encode()).await;
    assert_eq!(neo.messages(mirror, 2).await, [[0xfd], [5]]);

    let mut legacy = Legacy::connect(source.legacy_address()).await;
    assert_eq!(legacy.status(&give_to(&other)).await, Status::Ok);
    let updates = neo.messages(ranges, 2).await;
    let updates: Vec<Update> = updates
        .iter()
        .map(|update| Update::decode(update).unwrap())
        .collect();
    let news = [
        Update::NewNode(other.address(), high()),
        Update::ChangeHashRange(low()),
    ];
    assert_eq!(updates, news);
    assert_eq!(
        neo.so_far(mirror).await,
        [[0; 0]; 0],
        "nobody removed anything"
    );
    assert_eq!(source.keys("c").len(), 10_001);
    assert_eq!(other.keys("c").len(), 10_001);
    assert_eq!(other.get("c", 20_001).unwrap(), vec![1; 200_000]);
    assert_eq!(other.get("c", 4711).as_deref(), Some(&b"value 4711"[..]));
    // What cannot be moved is still to be had.
    let exists = Order::Exists {
        channel: "c".into(),
        key: Key(20_003).into(),
    };
    assert_eq!(legacy.answer(&exists).await, Answer::Exists(true));
    let range = legacy.answer(&Order::GetResponsibleRange).await;
    assert_eq!(range, Answer::Range(low()));
    let lines = lines.take();
    assert!(
        lines.len() == 1 && lines[0].contains("1 records cannot be moved"),
        "{lines:?}"
    );
    // Another one may follow, and nothing is left of this one.
    assert_eq!(source.node().with(|node| node.connections().count()), 2);
    assert_eq!(legacy.status(&give_to(&other)).await, Status::Ok);
}

fn handed_over(key: u64, value: &str) -> Order {
    let mut batch = Batch::default();
    assert_eq!(batch.push(Key(key), value.as_bytes()), Pushed::Added);
    Order::PutBatch {
        channel: "c".into(),
        batch: batch.finish().into(),
    }
}

#[tokio::test]
async fn what_clients_wrote_is_kept_and_what_was_taken_back_may_come_again() {
    let (node, _) = node(low()).await;
    let mut legacy = Legacy::connect(node.legacy_address()).await;
    let grow = Order::Redistribute(Redistribute {
        min: 0,
        max: u64::MAX,
        nodes: Vec::new(),
    });
    assert_eq!(legacy.status(&grow).await, Status::Ok);
    // Odd keys have come. A client writes one before the record that is handed over arrives.
    assert_eq!(legacy.status(&legacy_put("c", 1, "new")).await, Status::Ok);
    assert_eq!(legacy.status(&handed_over(1, "old")).await, Status::Ok);
    assert_eq!(node.get("c", 1).as_deref(), Some(&b"new"[..]));
    // Whoever hands a record over takes it back when it was removed there, and hands over what is written next.
    assert_eq!(legacy.status(&handed_over(3, "first")).await, Status::Ok);
    let remove = Order::Remove {
        channel: "c".into(),
        key: Key(3).into(),
    };
    assert_eq!(legacy.status(&remove).await, Status::Ok);
    assert_eq!(legacy.status(&handed_over(3, "second")).await, Status::Ok);
    assert_eq!(node.get("c", 3).as_deref(), Some(&b"second"[..]));
}

#[tokio::test]
async fn what_makes_no_sense_changes_nothing() {
    let (source, _) = node(HashRange::FULL).await;
    let (other, _) = node(HashRange::EMPTY).await;
    source.put("c", 1, "one");
    let mut legacy = Legacy::connect(source.legacy_address()).await;
    let taker = target(&other, high());
    let order = |min, max, nodes: &[&Target]| {
        let nodes = nodes.iter().copied().cloned().collect();
        Order::Redistribute(Redistribute { min, max, nodes })
    };
    let high_port = Target {
        port: 65_436,
        ..taker.clone()
    };
    for order in [
        order(2, 1, &[]),
        order(u64::MAX, 0, &[]),
        order(0, 9, &[&taker, &taker]),
        order(0, 9, &[&high_port]),
    ] {
        assert_eq!(legacy.status(&order).await, Status::Error, "{order:?}");
    }
    assert_eq!(source.node().with(|node| node.range()), HashRange::FULL);
    // The other node takes nothing, so this one goes on and on; a second one is refused.
    let mut first = Legacy::connect(source.legacy_address()).await;
    first.send(&give_to(&other)).await;
    within("the second one", async {
        while legacy.status(&order(0, u64::MAX, &[])).await != Status::Error {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(source.node().with(|node| node.range()), HashRange::FULL);
    assert_eq!(source.keys("c"), [Key(1)]);
}

#[tokio::test]
async fn it_goes_on_when_its_client_is_gone_and_the_other_node_was_down() {
    let (source, lines) = node(HashRange::FULL).await;
    let (mut other, _) = node(high()).await;
    for key in 0..100 {
        source.put("c", key, "v");
    }
    other.stop().await;
    let mut legacy = Legacy::connect(source.legacy_address()).await;
    legacy.send(&give_to(&other)).await;
    within("an attempt", async {
        while !lines
            .take()
            .iter()
            .any(|line| line.contains("cannot be reached"))
        {
            tokio::task::yield_now().await;
        }
    })
    .await;
    drop(legacy);
    other.restart().await.unwrap();
    until(&source, "the move", |source| source.keys("c").len() == 50).await;
    assert_eq!(other.keys("c").len(), 50);
}

#[tokio::test]
async fn who_is_refused_tries_again_and_answers_a_client_that_says_no_more() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let (source, lines) = node(HashRange::FULL).await;
    let (other, _) = node(low()).await;
    for key in 0..100 {
        source.put("c", key, "v");
    }
    let mut legacy = Legacy::connect(source.legacy_address()).await;
    legacy.send(&give_to(&other)).await;
    legacy.stream.shutdown().await.unwrap();
    within("a refusal", async {
        while !lines
            .take()
            .iter()
            .any(|line| line.contains("(404)") || line.contains("WrongNode"))
        {
            tokio::task::yield_now().await;
        }
    })
    .await;
    other.set_range(high());
    let mut answer = Vec::new();
    within("the end", legacy.stream.read_to_end(&mut answer))
        .await
        .unwrap();
    assert_eq!(answer, [200, 0, 0, 0]);
    assert_eq!((source.keys("c").len(), other.keys("c").len()), (50, 50));
}

#[tokio::test]
async fn who_does_not_answer_is_left_and_tried_again() {
    let options = ServerOptions {
        answer_limit: Duration::from_millis(500),
        ..ServerOptions::default()
    };
    let (source, lines) = node_with(HashRange::FULL, options).await;
    let (other, _) = node(high()).await;
    for key in 0..100 {
        source.put("c", key, "v");
    }
    // In front of the other node is something that says nothing to the first who comes.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = Target {
        address: "127.0.0.1".into(),
        port: listener.local_addr().unwrap().port(),
        range: high(),
    };
    let behind = other.legacy_address();
    let front = tokio::spawn(async move {
        let _silent = listener.accept().await.unwrap();
        loop {
            let (mut near, _) = listener.accept().await.unwrap();
            let mut far = TcpStream::connect(behind).await.unwrap();
            let _ = copy_bidirectional(&mut near, &mut far).await;
        }
    });
    let order = Order::Redistribute(Redistribute {
        min: low().min(),
        max: low().max(),
        nodes: vec![target],
    });
    let mut legacy = Legacy::connect(source.legacy_address()).await;
    let moved = within("the move", legacy.status(&order)).await;
    assert_eq!(moved, Status::Ok);
    assert_eq!((source.keys("c").len(), other.keys("c").len()), (50, 50));
    let lines = lines.take();
    assert!(lines[0].contains("does not answer"), "{lines:?}");
    front.abort();
}

/// Writes numbers to a record by neo until it is told to end, and says the last one.
async fn write_neo(nodes: [Arc<TestNode>; 2], key: u64, stop: Arc<AtomicBool>) -> u64 {
    let mut clients = [
        Client::connect(nodes[0].address()).await,
        Client::connect(nodes[1].address()).await,
    ];
    let mut at = 0;
    for number in 0.. {
        while clients[at].ask(put("c", key, number.to_string()), 1).await != [[1]] {
            at = 1 - at;
            tokio::task::yield_now().await;
        }
        if stop.load(Ordering::Relaxed) {
            return number;
        }
    }
    0
}

/// The same by legacy, with a removal each time.
async fn write_legacy(nodes: [Arc<TestNode>; 2], key: u64, stop: Arc<AtomicBool>) -> u64 {
    let mut clients = [
        Legacy::connect(nodes[0].legacy_address()).await,
        Legacy::connect(nodes[1].legacy_address()).await,
    ];
    let remove = Order::Remove {
        channel: "c".into(),
        key: Key(key).into(),
    };
    let mut at = 0;
    for number in 0.. {
        for order in [&remove, &legacy_put("c", key, number.to_string())] {
            while clients[at].status(order).await != Status::Ok {
                at = 1 - at;
                tokio::task::yield_now().await;
            }
        }
        if stop.load(Ordering::Relaxed) {
            return number;
        }
    }
    0
}

#[tokio::test]
async fn nothing_that_is_written_meanwhile_is_lost() {
    let (source, _) = node(HashRange::FULL).await;
    let (other, _) = node(HashRange::EMPTY).await;
    for key in 0..20_000 {
        source.put("c", key, "v");
    }
    let nodes = [Arc::new(source), Arc::new(other)];
    let stop = Arc::new(AtomicBool::new(false));
    let mut neo = Vec::new();
    let mut legacy = Vec::new();
    for writer in 0..4 {
        let (nodes, stop) = (nodes.clone(), Arc::clone(&stop));
        // Both kinds write keys that move and keys that stay.
        neo.push(tokio::spawn(write_neo(nodes.clone(), writer, stop.clone())));
        legacy.push(tokio::spawn(write_legacy(nodes, 10_000 + writer, stop)));
    }
    let [source, other] = &nodes;
    let mut client = Legacy::connect(source.legacy_address()).await;
    // The tool tells all nodes at about the same time; the one that takes is the first here.
    let mut taker = Legacy::connect(other.legacy_address()).await;
    let grow = Order::Redistribute(Redistribute {
        min: high().min(),
        max: high().max(),
        nodes: vec![target(source, low())],
    });
    assert_eq!(taker.status(&grow).await, Status::Ok);
    assert_eq!(client.status(&give_to(other)).await, Status::Ok);
    assert_eq!(source.node().with(|node| node.range()), low());
    // What is written from now on is written where it belongs.
    stop.store(true, Ordering::Relaxed);
    for (first, writers) in [(0, neo), (10_000, legacy)] {
        for (key, writer) in (first..).zip(writers) {
            let last = within("a writer", writer).await.unwrap().to_string();
            let node = if key % 2 == 0 { source } else { other };
            let value = node.get("c", key);
            assert_eq!(value.as_deref(), Some(last.as_bytes()), "key {key}");
        }
    }
    assert_eq!(source.keys("c").len(), 10_000);
    assert_eq!(other.keys("c").len(), 10_000);
    let mut reader = Client::connect(other.address()).await;
    let get = reader.ask(about(RequestCode::Get, "c", 4711), 2).await;
    assert!(get[1].ends_with(b"v"));
    let answer = taker.answer(&legacy_get("c", 4711)).await;
    assert_eq!(answer, Answer::Value("v".into()));
}

#[tokio::test]
async fn what_was_written_at_the_new_place_is_not_replaced() {
    let (source, _) = node(HashRange::FULL).await;
    let (other, _) = node(HashRange::EMPTY).await;
    source.put("c", 1, "old");
    source.put("c", 3, "moved");
    other.put("c", 5, "left there");
    source.put("c", 5, "newer");
    let mut taker = Legacy::connect(other.legacy_address()).await;
    let grow = Order::Redistribute(Redistribute {
        min: high().min(),
        max: high().max(),
        nodes: vec![],
    });
    assert_eq!(taker.status(&grow).await, Status::Ok);
    assert_eq!(taker.status(&legacy_put("c", 1, "new")).await, Status::Ok);
    let mut client = Legacy::connect(source.legacy_address()).await;
    assert_eq!(client.status(&give_to(&other)).await, Status::Ok);
    let values = [1, 3, 5].map(|key| other.get("c", key).unwrap());
    assert_eq!(values, ["new", "moved", "newer"]);
    assert!(source.keys("c").is_empty());
}
