//! How many Puts a second go through this client to our node over loopback: one after another, and with
//! 64 in flight on one connection; each with the node on a thread of its own, and with node and client
//! sharing one thread.

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use dht_client::{Client, Credential, NodeAddress};
use fakedht::TestNode;
use tokio::runtime::{self, Runtime};
use tokio::task::JoinSet;

/// The value of each record.
const VALUE: &[u8] = &[7; 100];
/// How many different keys are written.
const KEYS: u64 = 1000;

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
