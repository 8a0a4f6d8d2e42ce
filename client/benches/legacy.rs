//! How many legacy Puts a second go through this client to our node over loopback: one after another, by 64
//! tasks that share 64 connections with one request at a time on each, and pipelined on one connection and
//! on 64; with node and client sharing one thread or having one each.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use dht_client::legacy::{Answer, Client, Connection, Event, Order, Status};
use dht_client::{Key, NodeAddress};
use fakedht::server::listen;
use fakedht::{MemoryStorage, Node, NodeConfig, Server, ServerOptions, SharedNode};
use tokio::runtime::{self, Runtime};
use tokio::task::JoinSet;

/// The value of each record.
const VALUE: &[u8] = &[7; 100];
/// How many different keys are written.
const KEYS: u64 = 1000;
/// How many connections, or orders on a connection, there are if there are several.
const MANY: usize = 64;
/// How long anything is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

fn puts(criterion: &mut Criterion) {
    let runtime = one_thread();
    let node = runtime.block_on(async { serve() });
    measure(criterion, "one thread", &runtime, node.address());
    drop(node);

    let (stop, address) = node_on_its_own_thread();
    measure(criterion, "two threads", &runtime, address);
    drop(stop);
}

fn measure(criterion: &mut Criterion, name: &str, runtime: &Runtime, node: NodeAddress) {
    let client = runtime.block_on(connect(node));
    let mut group: BenchmarkGroup<'_, WallTime> =
        criterion.benchmark_group(format!("legacy put, {name}"));
    group.throughput(Throughput::Elements(1));
    group.bench_function("one after another", |bencher| {
        bencher.iter_custom(|count| runtime.block_on(by_tasks(&client, 1, count)));
    });
    group.bench_function("64 connections", |bencher| {
        bencher.iter_custom(|count| runtime.block_on(by_tasks(&client, MANY as u64, count)));
    });
    for (name, connections) in [
        ("64 pipelined on one connection", 1),
        ("64 pipelined on each of 64 connections", MANY as u64),
    ] {
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|count| runtime.block_on(pipelined(node, connections, count)));
        });
    }
    group.finish();
}

/// Puts `count` records by `tasks` tasks, each of which waits for one answer at a time.
async fn by_tasks(client: &Client, tasks: u64, count: u64) -> Duration {
    let began = Instant::now();
    let mut running = JoinSet::new();
    for task in 0..tasks {
        let client = client.clone();
        let share = share(count, tasks, task);
        running.spawn(async move {
            for at in 0..share {
                let key = (at * tasks + task) % KEYS;
                let put = client.put("bench", key, VALUE);
                put.await.expect("the node lives");
            }
        });
    }
    while let Some(ended) = running.join_next().await {
        ended.expect("no task panics");
    }
    began.elapsed()
}

/// Puts `count` records on so many connections, with up to 64 orders under way on each.
async fn pipelined(node: NodeAddress, connections: u64, count: u64) -> Duration {
    let mut open = Vec::new();
    for _ in 0..connections {
        let connection = Connection::open(node, PATIENCE).await;
        open.push(connection.expect("the node lives"));
    }
    let began = Instant::now();
    let mut running = JoinSet::new();
    for (at, connection) in (0..).zip(open) {
        running.spawn(pipeline(connection, share(count, connections, at)));
    }
    while let Some(ended) = running.join_next().await {
        ended.expect("no task panics");
    }
    began.elapsed()
}

async fn pipeline(mut connection: Connection, count: u64) {
    let done = Event::Answered(Answer::Status(Status::Ok));
    let mut numbers = 0..count;
    loop {
        // Half of them at a time, so that they travel together.
        if connection.unanswered() <= MANY / 2 {
            for number in numbers.by_ref().take(MANY - connection.unanswered()) {
                connection.send(&Order::Put {
                    channel: "bench".into(),
                    key: Key(number % KEYS).into(),
                    value: VALUE.into(),
                });
            }
        }
        match connection.next().await.expect("the node lives") {
            Some(event) => assert_eq!(event, done),
            None => return,
        }
    }
}

/// How many of `count` are for the one with this number, of so many.
fn share(count: u64, of: u64, number: u64) -> u64 {
    count / of + u64::from(number < count % of)
}

async fn connect(node: NodeAddress) -> Client {
    let builder = Client::builder().node(node).connections(MANY);
    let client = builder.build();
    client.ready(PATIENCE).await.expect("the node is up");
    client
}

fn serve() -> Server {
    let node = SharedNode::new(Node::new(NodeConfig::default(), MemoryStorage::new()));
    let listener = listen(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    Server::start_legacy(listener, node, ServerOptions::default()).expect("it is an IPv4 address")
}

/// The node lives until the first value is dropped.
fn node_on_its_own_thread() -> (tokio::sync::oneshot::Sender<()>, NodeAddress) {
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let (tell, address) = mpsc::channel();
    thread::spawn(move || {
        one_thread().block_on(async {
            let node = serve();
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
