//! The legacy port: the same records as behind the neo port, and the same care.

mod support;

use std::sync::Arc;

use dht_protocol::codec::Put as _;
use dht_protocol::legacy::batch::Batch;
use dht_protocol::legacy::{About, Answer, Event, Order, Status};
use dht_protocol::neo::NodeAddress;
use dht_protocol::neo::request::RequestCode;
use dht_protocol::neo::request::mirror::{FromNode, Open, Settings};
use dht_protocol::{ChannelName, HashRange, Key, Size};
use fakedht::server::listen;
use fakedht::{NodeConfig, Server, ServerOptions, TestNode};
use support::{Client, Legacy, Lines, about, legacy_get, legacy_put, put, within};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const OK: [u8; 4] = [200, 0, 0, 0];
const WRONG_NODE: [u8; 4] = [0x94, 1, 0, 0];
const BAD_CHANNEL: [u8; 4] = [0x99, 1, 0, 0];
const GET_RANGE: [u8; 4] = [20, 0, 0, 0];
const GET_VERSION: [u8; 4] = [24, 0, 0, 0];
const VERSION: &[u8] = b"\xc8\0\0\0\x08\0\0\0\0\0\0\x0020110401";

fn remove(channel: &str, key: &str) -> Vec<u8> {
    let mut order = vec![12, 0, 0, 0];
    order.put_array(channel.as_bytes());
    order.put_array(key.as_bytes());
    order
}

fn remove_channel(channel: &str) -> Vec<u8> {
    let mut order = vec![22, 0, 0, 0];
    order.put_array(channel.as_bytes());
    order
}

/// A node, and what it logs.
struct Both {
    node: TestNode,
    lines: Lines,
}

impl Both {
    async fn start() -> Self {
        Self::start_with(ServerOptions::default()).await
    }

    async fn start_with(options: ServerOptions) -> Self {
        let lines = Lines::default();
        let options = ServerOptions {
            log: Arc::new(lines.clone()),
            ..options
        };
        let node = TestNode::start_with(NodeConfig::default(), options)
            .await
            .unwrap();
        Self { node, lines }
    }

    fn address(&self) -> NodeAddress {
        self.node.legacy_address()
    }

    /// Everything that a client gets that sends this and nothing more.
    async fn say(&self, bytes: &[u8]) -> Vec<u8> {
        let mut stream = TcpStream::connect(self.address()).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answers = Vec::new();
        within("the end", stream.read_to_end(&mut answers))
            .await
            .unwrap();
        answers
    }
}

async fn ask(stream: &mut TcpStream, order: &[u8], length: usize) -> Vec<u8> {
    let mut answer = vec![0; length];
    within("an answer", async {
        stream.write_all(order).await.unwrap();
        stream.read_exact(&mut answer).await.unwrap();
    })
    .await;
    answer
}

fn range(range: HashRange) -> Vec<u8> {
    let mut answer = OK.to_vec();
    answer.put_u64(range.min());
    answer.put_u64(range.max());
    answer
}

#[tokio::test]
async fn the_handshake() {
    let both = Both::start().await;
    let mut stream = TcpStream::connect(both.address()).await.unwrap();
    assert_eq!(ask(&mut stream, &GET_VERSION, 20).await, VERSION);
    let full = range(HashRange::FULL);
    assert_eq!(ask(&mut stream, &GET_RANGE, 20).await, full);
    // Asked again, the node says what is right then.
    both.node.set_range(HashRange::EMPTY);
    let empty = range(HashRange::EMPTY);
    assert_eq!(ask(&mut stream, &GET_RANGE, 20).await, empty);
}

#[tokio::test]
async fn what_is_removed_here_is_gone_there_and_mirrors_hear_of_it() {
    let both = Both::start().await;
    let mut neo = Client::connect(both.node.address()).await;
    for key in 1..=2 {
        assert_eq!(neo.ask(put("c", key, "v"), 1).await, [[1]]);
    }
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

    let mut legacy = TcpStream::connect(both.address()).await.unwrap();
    let order = remove("c", "0000000000000002");
    assert_eq!(ask(&mut legacy, &order, 4).await, OK);
    let message = neo.message(mirror).await;
    assert_eq!(
        FromNode::decode(&message),
        Ok(FromNode::RecordDeleted(Key(2)))
    );
    let get = about(RequestCode::Get, "c", 2);
    assert_eq!(neo.ask(get, 1).await, [[1]], "no such record");

    // There was no such record, and no such channel: all the same.
    assert_eq!(ask(&mut legacy, &order, 4).await, OK);
    let nowhere = remove("nowhere", "0000000000000002");
    assert_eq!(ask(&mut legacy, &nowhere, 4).await, OK);
    assert_eq!(both.node.channels(), ["c".into()]);

    assert_eq!(ask(&mut legacy, &remove_channel("c"), 4).await, OK);
    let message = neo.message(mirror).await;
    assert_eq!(FromNode::decode(&message), Ok(FromNode::ChannelRemoved));
    assert_eq!(both.node.channels(), []);
}

#[tokio::test]
async fn refusals_leave_the_connection_open() {
    let both = Both::start().await;
    both.node.put("c", 1, "v");
    both.node.set_range(HashRange::EMPTY);
    let mut stream = TcpStream::connect(both.address()).await.unwrap();
    let key = "0000000000000001";
    for channel in ["", "a.b", "a b", "\u{fc}"] {
        for order in [
            remove(channel, key),
            remove(channel, "1"),
            remove_channel(channel),
        ] {
            assert_eq!(ask(&mut stream, &order, 4).await, BAD_CHANNEL);
        }
    }
    let foreign = ask(&mut stream, &remove("c", key), 4).await;
    assert_eq!(foreign, WRONG_NODE);
    assert_eq!(both.node.keys("c"), [Key(1)]);
    assert_eq!(both.lines.take(), [""; 0]);
}

#[tokio::test]
async fn what_breaks_the_protocol_closes_the_connection_and_the_log_says_why() {
    let both = Both::start().await;
    both.node.put("c", 1, "v");
    let mut bystander = TcpStream::connect(both.address()).await.unwrap();
    let unknown = |code: i32| code.to_le_bytes().to_vec();
    let mut too_long = vec![22, 0, 0, 0];
    too_long.put_u64(10 * 1024 * 1024 + 1);
    for (bytes, section, text) in [
        (unknown(0), "legacy 3.1", "no command 0"),
        (unknown(99), "legacy 3.1", "no command 99"),
        (unknown(-1), "legacy 3.1", "no command -1"),
        (too_long, "legacy 2.2", "10485761 bytes"),
        (remove("c", "1"), "legacy 4.2", "\"1\" is no key"),
        (remove("c", ""), "legacy 4.2", "16 hexadecimal digits"),
        (remove("c", "0x00000000000001"), "legacy 4.2", "is no key"),
        (remove("c", "000000000000000g"), "legacy 4.2", "is no key"),
    ] {
        let mut stream = TcpStream::connect(both.address()).await.unwrap();
        // What was asked before is answered, what comes behind is not looked at.
        let orders = [&GET_VERSION[..], &bytes, &remove_channel("c")].concat();
        let mut answers = Vec::new();
        within("the end", async {
            stream.write_all(&orders).await.unwrap();
            stream.read_to_end(&mut answers).await.unwrap();
        })
        .await;
        assert_eq!(answers, VERSION);
        let lines = both.lines.take();
        let [line] = &lines[..] else {
            panic!("one line, not {lines:#?}");
        };
        for part in ["127.0.0.1:", "(legacy)", section, text] {
            assert!(line.contains(part), "\"{part}\" is not in: {line}");
        }
    }
    assert_eq!(both.node.keys("c"), [Key(1)]);
    assert_eq!(ask(&mut bystander, &GET_VERSION, 20).await, VERSION);
}

#[tokio::test]
async fn orders_may_be_cut_anywhere_and_sent_before_answers() {
    let both = Both::start().await;
    let mut orders = Vec::new();
    let mut answers = Vec::new();
    for key in 0..100_u64 {
        both.node.put("c", key, "v");
        orders.extend(remove("c", &Key(key).to_string()));
        orders.extend(GET_VERSION);
        answers.extend(OK);
        answers.extend(VERSION);
    }
    let mut stream = TcpStream::connect(both.address()).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let mut answered = vec![0; answers.len()];
    within("all answers", async {
        for piece in orders.chunks(7) {
            stream.write_all(piece).await.unwrap();
            tokio::task::yield_now().await;
        }
        stream.read_exact(&mut answered).await.unwrap();
    })
    .await;
    assert_eq!(answered, answers);
    assert_eq!(both.node.keys("c"), []);
}

#[tokio::test]
async fn half_a_connection_gets_its_answers() {
    let both = Both::start().await;
    both.node.put("c", 1, "v");
    let remove = remove("c", "0000000000000001");
    let half = &remove[..remove.len() - 1];
    let orders = [&GET_VERSION[..], half].concat();
    assert_eq!(both.say(&orders).await, VERSION);
    assert_eq!(both.node.keys("c"), [Key(1)], "half an order is none");
    assert_eq!(both.say(&remove).await, OK);
    assert_eq!(both.say(&[]).await, []);
    assert_eq!(both.lines.take(), [""; 0]);
}

#[tokio::test]
async fn a_slow_reader_gets_everything_in_the_end_and_costs_little() {
    const ORDERS: usize = 2_000_000;
    let both = Both::start().await;
    let (mut reader, mut writer) = TcpStream::connect(both.address())
        .await
        .unwrap()
        .into_split();
    let writing = tokio::spawn(async move {
        let orders = GET_RANGE.repeat(1000);
        for _ in 0..ORDERS / 1000 {
            writer.write_all(&orders).await.unwrap();
        }
        writer.shutdown().await.unwrap();
    });
    // The node has 40 MB to say. Everybody else works meanwhile.
    let mut other = TcpStream::connect(both.address()).await.unwrap();
    for _ in 0..1000 {
        assert_eq!(ask(&mut other, &GET_VERSION, 20).await, VERSION);
        let waiting: usize = both.node.node().with(|node| {
            let ids: Vec<_> = node.connections().collect();
            let output = |id| node.output(id).map_or(0, |output| output.len());
            ids.into_iter().map(output).sum()
        });
        assert!(waiting < 256 * 1024, "{waiting} bytes wait");
    }
    let mut answers = Vec::new();
    within("all answers", reader.read_to_end(&mut answers))
        .await
        .unwrap();
    assert_eq!(answers.len(), ORDERS * 20);
    let full = range(HashRange::FULL);
    assert!(answers.chunks(20).all(|answer| answer == full));
    writing.await.unwrap();
}

#[tokio::test]
async fn each_port_counts_its_own_connections() {
    let options = ServerOptions {
        max_connections: 2,
        ..ServerOptions::default()
    };
    let both = Both::start_with(options).await;
    let _neo = Client::connect(both.node.address()).await;
    let mut streams = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(both.address()).await.unwrap();
        assert_eq!(ask(&mut stream, &GET_VERSION, 20).await, VERSION);
        streams.push(stream);
    }
    let mut surplus = TcpStream::connect(both.address()).await.unwrap();
    let closed = within("the end", surplus.read(&mut [0])).await;
    assert!(!matches!(closed, Ok(1..)));
    assert!(both.lines.take()[0].contains("2 connections are open"));

    // A connection that ends makes room.
    let revision = both.node.node().with(|node| node.revision());
    drop(streams.pop());
    within("the end", both.node.node().changed(revision)).await;
    let mut stream = TcpStream::connect(both.address()).await.unwrap();
    assert_eq!(ask(&mut stream, &GET_VERSION, 20).await, VERSION);
}

#[tokio::test]
async fn ports_end_one_by_one() {
    let both = Both::start().await;
    let listener = listen("127.0.0.1:0".parse().unwrap()).unwrap();
    let options = ServerOptions::default();
    let server = Server::start_legacy(listener, both.node.node().clone(), options).unwrap();
    let mut neo = Client::connect(both.node.address()).await;
    let mut legacy = TcpStream::connect(server.address()).await.unwrap();
    assert_eq!(ask(&mut legacy, &GET_VERSION, 20).await, VERSION);
    within("the end of the server", server.stop()).await;
    let closed = within("the end", legacy.read(&mut [0])).await;
    assert!(!matches!(closed, Ok(1..)));
    assert_eq!(neo.ask(put("c", 1, "v"), 1).await, [[1]]);
}

#[tokio::test]
async fn both_ports_are_where_nodes_expect_them_and_stay_there() {
    let mut both = Both::start().await;
    let (neo, legacy) = (both.node.address(), both.address());
    assert_eq!(neo.port(), legacy.port() + 100);
    both.node.put("c", 1, "v");
    both.node.stop().await;
    assert!(TcpStream::connect(legacy).await.is_err());
    both.node.restart().await.unwrap();
    let mut client = Legacy::connect(legacy).await;
    let answer = client.answer(&legacy_get("c", 1)).await;
    assert_eq!(answer, Answer::Value("v".into()));
    assert_eq!((both.node.address(), both.address()), (neo, legacy));
}

#[tokio::test]
async fn what_is_written_by_one_protocol_is_read_by_the_other() {
    let both = Both::start().await;
    let mut neo = Client::connect(both.node.address()).await;
    let mut legacy = Legacy::connect(both.address()).await;
    assert_eq!(neo.ask(put("c", 1, "neo"), 1).await, [[1]]);
    let answer = legacy.answer(&legacy_get("c", 1)).await;
    assert_eq!(answer, Answer::Value("neo".into()));
    let status = legacy.status(&legacy_put("c", 2, "legacy")).await;
    assert_eq!(status, Status::Ok);
    let get = neo.ask(about(RequestCode::Get, "c", 2), 2).await;
    assert!(get[1].ends_with(b"legacy"));
    // An empty value is one in neo only.
    assert_eq!(neo.ask(put("c", 3, ""), 1).await, [[1]]);
    let exists = Order::Exists {
        channel: "c".into(),
        key: Key(3).into(),
    };
    assert_eq!(legacy.answer(&exists).await, Answer::Exists(true));
    let status = legacy.status(&legacy_put("c", 3, "")).await;
    assert_eq!(status, Status::EmptyValue);
}

#[tokio::test]
async fn lists_and_sizes() {
    let config = NodeConfig {
        size_limit: Some(2_000_000),
        max_legacy_value: 1000,
        ..NodeConfig::default()
    };
    let node = TestNode::start_with(config, ServerOptions::default())
        .await
        .unwrap();
    for key in 0..1000 {
        node.put("c", key, vec![key as u8; 1000]);
    }
    node.put("d", 1, "one");
    let mut legacy = Legacy::connect(node.legacy_address()).await;
    let _second = Legacy::connect(node.legacy_address()).await;
    let channels = legacy.ask(&Order::GetChannels).await;
    let channel = |name: &str| Event::Channel(name.into());
    let expected = [Event::Started, channel("c"), channel("d"), Event::Ended];
    assert_eq!(channels, expected);

    let name = ChannelName::from("c");
    let mut found = 0;
    let get_all = Order::GetAll {
        channel: name.clone(),
    };
    for event in legacy.ask(&get_all).await {
        if let Event::Records(records) = event {
            for (key, value) in records {
                assert_eq!(value, vec![key.0 as u8; 1000]);
                found += 1;
            }
        }
    }
    assert_eq!(found, 1000);
    let keys = Order::GetAllKeys {
        channel: name.clone(),
    };
    let events = legacy.ask(&keys).await;
    let all: Vec<Key> = (0..1000).map(Key).collect();
    assert_eq!(events, [Event::Started, Event::Keys(all), Event::Ended]);
    let filtered = Order::GetAllFilter {
        channel: "d".into(),
        filter: "n".into(),
    };
    let events = legacy.ask(&filtered).await;
    let one = Event::Records(vec![(Key(1), "one".into())]);
    assert_eq!(events, [Event::Started, one, Event::Ended]);

    let about = About {
        address: "127.0.0.1".into(),
        port: node.legacy_address().port(),
    };
    let size = |records, bytes| Answer::Size(about.clone(), Size { records, bytes });
    assert_eq!(legacy.answer(&Order::GetSize).await, size(1001, 1_000_003));
    let of_channel = Order::GetChannelSize { channel: name };
    assert_eq!(legacy.answer(&of_channel).await, size(1000, 1_000_000));
    // The second connection may be on its way to the node still.
    let two = Answer::Connections(about.clone(), 2);
    within("two connections", async {
        while legacy.answer(&Order::GetNumConnections).await != two {
            tokio::task::yield_now().await;
        }
    })
    .await;

    for (size, expected) in [(1001, Status::ValueTooBig), (1000, Status::Ok)] {
        let put = legacy_put("d", 2, vec![1; size]);
        assert_eq!(legacy.status(&put).await, expected);
    }
    node.put("c", 0, vec![0; 1_000_000]);
    let status = legacy.status(&legacy_put("d", 3, "no room")).await;
    assert_eq!(status, Status::OutOfMemory);
}

#[tokio::test]
async fn a_listen_hears_writes_of_both_protocols_until_its_channel_goes() {
    let both = Both::start().await;
    let mut legacy = Legacy::connect(both.address()).await;
    let order = Order::Listen {
        channel: "c".into(),
    };
    let mut listen = legacy.send(&order).await;
    assert_eq!(legacy.event(&mut listen).await, Event::Started);
    let mut neo = Client::connect(both.node.address()).await;
    neo.ask(put("c", 1, "neo"), 1).await;
    let written = |key: u64, value: &'static str| Event::Written(Key(key).into(), value.into());
    assert_eq!(legacy.event(&mut listen).await, written(1, "neo"));
    let mut other = Legacy::connect(both.address()).await;
    other.status(&legacy_put("c", 2, "legacy")).await;
    assert_eq!(legacy.event(&mut listen).await, written(2, "legacy"));
    let mut batch = Batch::default();
    batch.push(Key(3), b"moved");
    let put_batch = Order::PutBatch {
        channel: "c".into(),
        batch: batch.finish().into(),
    };
    assert_eq!(other.status(&put_batch).await, Status::Ok);
    both.node.put("c", 4, "owner");
    assert_eq!(legacy.event(&mut listen).await, written(4, "owner"));
    let remove_channel = Order::RemoveChannel {
        channel: "c".into(),
    };
    other.status(&remove_channel).await;
    assert_eq!(legacy.event(&mut listen).await, Event::Ended);
    // The connection goes on.
    assert_eq!(legacy.answer(&Order::GetVersion).await, Answer::version());

    // The next order ends it without an end.
    let mut listen = legacy.send(&order).await;
    assert_eq!(legacy.event(&mut listen).await, Event::Started);
    assert_eq!(legacy.answer(&Order::GetVersion).await, Answer::version());
    // So does the client that has nothing more to say.
    let mut listen = legacy.send(&order).await;
    assert_eq!(legacy.event(&mut listen).await, Event::Started);
    legacy.stream.shutdown().await.unwrap();
    let end = within("the end", legacy.stream.read(&mut [0])).await;
    assert_eq!(end.unwrap(), 0);
}

#[tokio::test]
async fn a_listener_that_does_not_read_costs_little_and_misses_no_last_value() {
    let both = Both::start().await;
    let mut legacy = Legacy::connect(both.address()).await;
    let order = Order::Listen {
        channel: "c".into(),
    };
    let mut listen = legacy.send(&order).await;
    assert_eq!(legacy.event(&mut listen).await, Event::Started);
    for round in 0..200_u64 {
        for key in 0..100 {
            both.node.put("c", key, format!("{round}").repeat(300));
        }
        tokio::task::yield_now().await;
    }
    let mut last = std::collections::BTreeMap::new();
    while last.len() < 100 || last.values().any(|value| *value != "199".repeat(300)) {
        if let Event::Written(key, value) = legacy.event(&mut listen).await {
            last.insert(key, value);
        }
    }
}
