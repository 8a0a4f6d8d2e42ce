//! What running and judging costs beside the network: the same random operations, one after another,
//! against a node on a thread of its own, by a bare client that looks at nothing, and as a case that is
//! recorded and judged answer by answer.

use std::ops::ControlFlow;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use dht_client::{Client, Credential, Decision, NodeAddress, RequestError, get_all};
use dht_model::{Action, Operation};
use dht_protocol::HashRange;
use dht_workload::generate::{self, Shape};
use dht_workload::judge::sequential::Sequential;
use dht_workload::names::Names;
use dht_workload::net::{NetWorld, Options};
use dht_workload::recording::AfterKill;
use dht_workload::{Case, run};
use fakedht::TestNode;
use tokio::runtime::{self, Runtime};

const STEPS: usize = 2000;
const PATIENCE: Duration = Duration::from_secs(10);

fn sequential(criterion: &mut Criterion) {
    let runtime = one_thread();
    let names = Names::new("", HashRange::FULL, true);
    let case = generate::case(1, &Shape::sequential(STEPS));
    let mut group = criterion.benchmark_group("random operations, one after another");
    group.throughput(Throughput::Elements(case.len() as u64));
    group.sample_size(20);
    group.bench_function("bare client", |bencher| {
        let operations: Vec<_> = case
            .steps()
            .filter_map(|(_, placed)| names.operation(&placed.step))
            .collect();
        bencher.iter_custom(|count| {
            let once = || {
                let (stop, node) = node_on_its_own_thread();
                let took = runtime.block_on(bare(node, &operations));
                drop(stop);
                took
            };
            (0..count).map(|_| once()).sum()
        });
    });
    for faulty in [false, true] {
        let name = match faulty {
            false => "run and judged",
            true => "run and judged, through a proxy",
        };
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|count| {
                let once = || {
                    let (stop, node) = node_on_its_own_thread();
                    let took = runtime.block_on(judged(node, &case, &names, faulty));
                    drop(stop);
                    took
                };
                (0..count).map(|_| once()).sum()
            });
        });
    }
    group.finish();
}

async fn judged(node: NodeAddress, case: &Case, names: &Names, faulty: bool) -> Duration {
    let options = Options {
        faulty,
        ..Options::default()
    };
    let admin = Credential::default_admin();
    let world = NetWorld::connect(node, admin, 1, PATIENCE, options).await;
    let mut world = world.expect("the node is up");
    let began = Instant::now();
    let mut judge = Sequential::new(names, AfterKill::Unknown);
    let recording = run::run(case, names, &mut world, |entry| {
        assert_eq!(judge.observe(entry), None, "the node is healthy");
        ControlFlow::Continue(())
    });
    let recording = recording.await;
    let took = began.elapsed();
    assert_eq!((recording.end, recording.entries.len()), (None, case.len()));
    world.shutdown().await;
    took
}

async fn bare(node: NodeAddress, operations: &[Operation]) -> Duration {
    let client = Client::builder(Credential::default_admin())
        .node(node)
        .build();
    client.ready(PATIENCE).await.expect("the node is up");
    let began = Instant::now();
    for operation in operations {
        ask(&client, operation).await.expect("the node is healthy");
    }
    began.elapsed()
}

async fn ask(client: &Client, operation: &Operation) -> Result<(), RequestError> {
    match operation.clone() {
        Operation::Record {
            channel,
            key,
            action,
        } => match action {
            Action::Put(value) => client.put(channel, key, value).await,
            Action::Get => client.get(channel, key).await.map(drop),
            Action::Exists => client.exists(channel, key).await.map(drop),
            Action::Remove => client.remove(channel, key).await.map(drop),
            Action::Update(decision) => {
                let decision = match decision {
                    dht_model::Decision::Replace(value) => Decision::Replace(value),
                    dht_model::Decision::Leave => Decision::Leave,
                    dht_model::Decision::Delete => Decision::Delete,
                };
                client.update(channel, key, |_| decision).await.map(drop)
            }
            Action::UpdateRecord { .. } => Ok(()),
        },
        Operation::GetAll {
            channel,
            keys_only,
            filter,
        } => {
            let settings = get_all::Settings {
                keys_only,
                value_filter: filter,
            };
            let get_all = client.get_all(channel, settings);
            match keys_only {
                true => get_all.keys().await.map(drop),
                false => get_all.records().await.map(drop),
            }
        }
        Operation::GetChannels => client.channels().collect_all().await.map(drop),
        Operation::RemoveChannel { channel, .. } => {
            let removed = client.remove_channel(channel).await;
            removed.expect("admin may do so");
            Ok(())
        }
        Operation::Refresh { .. }
        | Operation::GetHashRange
        | Operation::PutBatch { .. }
        | Operation::GetSize { .. }
        | Operation::Listen { .. } => Ok(()),
    }
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

criterion_group!(benches, sequential);
criterion_main!(benches);
