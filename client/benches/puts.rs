//! How many Puts a second go through this client to our node: over loopback, one after another and with
//! 64 in flight on one connection, with node and client sharing one thread or having one each; and
//! without any I/O, the client's core against the node in one process.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use dht_client::core::{ConnectionEvent, Core, Output};
use dht_client::{Client, Credential, Limits, NodeAddress};
use dht_protocol::neo::Now;
use dht_protocol::neo::client::Request;
use dht_protocol::neo::request::{RecordName, put};
use fakedht::{ConnectionId, MemoryStorage, Node, NodeConfig, TestNode};
use tokio::runtime::{self, Runtime};
use tokio::task::JoinSet;

/// The value of each record.
const VALUE: &[u8] = &[7; 100];
/// How many different keys are written.
const KEYS: u64 = 1000;
/// Where the node without I/O would be.
const ADDRESS: NodeAddress = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 10_100);
/// It never gets later without I/O.
const NOW: Now = Now {
    unix: 1_700_000_000,
    elapsed: Duration::ZERO,
};

fn puts(criterion: &mut Criterion) {
    let runtime = one_thread();
    let node = runtime.block_on(TestNode::start()).expect("a free port");
    let client = connect(&runtime, node.address());
    measure(criterion, "one thread", &runtime, &client);
    drop((client, node));

    let (stop, address) = node_on_its_own_thread();
    let client = connect(&runtime, address);
    measure(criterion, "two threads", &runtime, &client);
    drop(stop);

    let mut pair = Pair::connected();
    let mut group = criterion.benchmark_group("put, without I/O");
    group.throughput(Throughput::Elements(1));
    let mut keys = (0..KEYS).cycle();
    group.bench_function("one after another", |bencher| {
        bencher.iter(|| pair.put(keys.next().unwrap_or_default()));
    });
    group.finish();
}

/// A client's core and a node, and nothing between them.
struct Pair {
    core: Core,
    node: Node<MemoryStorage>,
    connection: ConnectionId,
}

impl Pair {
    fn connected() -> Self {
        let limits = Limits::default();
        let mut node = Node::new(NodeConfig::default(), MemoryStorage::new());
        let connection = node.accept([1, 2, 3, 4]);
        let core = Core::new(Credential::default_admin(), limits);
        let mut pair = Self {
            core,
            node,
            connection,
        };
        pair.core.add_node(ADDRESS, NOW);
        pair.core.connected(ADDRESS, NOW);
        pair.until(|output| matches!(output, Output::Connection(ConnectionEvent::RangeKnown(..))));
        pair
    }

    fn put(&mut self, key: u64) {
        let record = RecordName {
            channel: "bench".into(),
            key: key.into(),
        };
        let value = VALUE.into();
        let put = Request::Put(put::Open { record, value });
        let id = self.core.start(put, NOW).expect("it is the only one");
        self.until(|output| matches!(output, Output::Request { id: by, .. } if *by == id));
    }

    /// Moves bytes until the core says what is awaited.
    fn until(&mut self, awaited: impl Fn(&Output) -> bool) {
        loop {
            while let Some(output) = self.core.next_output() {
                if awaited(&output) {
                    return;
                }
                if matches!(output, Output::Write(_))
                    && let Some(bytes) = self.core.output(ADDRESS)
                {
                    self.node.feed(self.connection, bytes);
                    bytes.clear();
                }
            }
            let more = self.node.process(self.connection, NOW);
            assert!(more.is_ok(), "the client keeps the protocol");
            if let Some(bytes) = self.node.output(self.connection) {
                self.core.received(ADDRESS, bytes, NOW);
                bytes.clear();
            }
        }
    }
}

fn measure(criterion: &mut Criterion, name: &str, runtime: &Runtime, client: &Client) {
    let mut group: BenchmarkGroup<'_, WallTime> = criterion.benchmark_group(format!("put, {name}"));
    group.throughput(Throughput::Elements(1));
    group.bench_function("one after another", |bencher| {
        bencher.iter_custom(|count| runtime.block_on(in_flight(client, 1, count)));
    });
    group.bench_function("64 in flight", |bencher| {
        bencher.iter_custom(|count| runtime.block_on(in_flight(client, 64, count)));
    });
    group.finish();
}

/// Puts `count` records by `tasks` tasks, each of which waits for one answer at a time.
async fn in_flight(client: &Client, tasks: u64, count: u64) -> Duration {
    let began = Instant::now();
    let mut running = JoinSet::new();
    for task in 0..tasks {
        let client = client.clone();
        let share = count / tasks + u64::from(task < count % tasks);
        running.spawn(async move {
            for at in 0..share {
                let key = (at * tasks + task) % KEYS;
                client
                    .put("bench", key, VALUE)
                    .await
                    .expect("the node lives");
            }
        });
    }
    while let Some(ended) = running.join_next().await {
        ended.expect("no task panics");
    }
    began.elapsed()
}

fn connect(runtime: &Runtime, address: NodeAddress) -> Client {
    runtime.block_on(async {
        let client = Client::builder(Credential::default_admin())
            .node(address)
            .build();
        let patience = Duration::from_secs(10);
        client.ready(patience).await.expect("the node is up");
        client
    })
}

/// The node lives until the first value is dropped.
fn node_on_its_own_thread() -> (tokio::sync::oneshot::Sender<()>, NodeAddress) {
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let (tell, address) = mpsc::channel();
    thread::spawn(move || {
        one_thread().block_on(async {
            let node = TestNode::start().await.expect("a free port");
            tell.send(node.address()).expect("somebody waits for it");
            let _: Result<(), _> = stopped.await;
        });
    });
    (stop, address.recv().expect("the node starts"))
}

fn one_thread() -> Runtime {
    let mut builder = runtime::Builder::new_current_thread();
    builder
        .enable_all()
        .build()
        .expect("a runtime can be built")
}

criterion_group!(benches, puts);
criterion_main!(benches);
