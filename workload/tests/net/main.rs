//! Cases in the world over sockets.
//!
//! * `steps`: every kind of step, straight and through a proxy.
//! * `transport`: bytes in pieces, late, or all at once.
//! * `corpus`: failures that were kept with a schedule.
//! * `cuts`: connections that are cut at each message.
//! * `legacy`: both protocols on one node.
//! * `schedules`: messages that are delivered in a given order.
//! * `node`: a node that falls silent, breaks the protocol, or dies.

mod corpus;
mod cuts;
mod legacy;
mod node;
mod schedules;
#[path = "../../../client/tests/common/scripted.rs"]
#[allow(dead_code, unreachable_pub, missing_docs)]
mod scripted;
mod steps;
mod transport;

use std::net::SocketAddrV4;
use std::ops::ControlFlow;
use std::time::Duration;

use dht_client::Credential;
use dht_protocol::HashRange;
use dht_workload::generate::{self, Shape, sweep};
use dht_workload::names::{KeyName, Names};
use dht_workload::net::{NetWorld, Options};
use dht_workload::recording::Entry;
use dht_workload::world::Ending;
use dht_workload::{Case, Recording, Step, judge, run};
use fakedht::TestNode;

/// No test waits longer for anything.
const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_cases_of_a_healthy_node_are_right() {
    for shape in [
        Shape::sequential(60),
        Shape::concurrent(60, 5, 3),
        Shape::concurrent(60, 4, 4).faulty(),
    ] {
        for seed in 0..8 {
            let node = TestNode::start().await.unwrap();
            let case = generate::case(seed, &shape);
            let recording = play(&case, node.address(), faulty()).await;
            let found = judge::judge(&recording, &names());
            assert_eq!(found, None, "seed {seed} of {shape:?}");
            assert_eq!(recording.entries.len(), case.len());
        }
    }
}

fn names() -> Names {
    Names::new("x_", HashRange::FULL, true)
}

fn faulty() -> Options {
    Options {
        faulty: true,
        ..Options::default()
    }
}

async fn world(node: SocketAddrV4, connections: usize, options: Options) -> NetWorld {
    let admin = Credential::default_admin();
    NetWorld::connect(node, admin, connections, PATIENCE, options)
        .await
        .unwrap()
}

async fn play_in(case: &Case, world: &mut NetWorld) -> Recording {
    let names = names();
    let running = run::run(case, &names, world, |_| ControlFlow::Continue(()));
    let run = tokio::time::timeout(PATIENCE * 2, running).await;
    run.expect("every wait is bounded")
}

async fn play(case: &Case, node: SocketAddrV4, options: Options) -> Recording {
    let mut world = world(node, case.connections(), options).await;
    let recording = play_in(case, &mut world).await;
    world.shutdown().await;
    recording
}

fn case(json: &str) -> Case {
    let case: Case = serde_json::from_str(json).unwrap();
    assert_eq!(case.validate(), Ok(()));
    case
}

/// How an entry has ended.
fn ending(entry: &Entry) -> &Ending {
    &entry.ended.as_ref().expect("it has ended").1
}

/// Everything but faults and times: what was done, how it ended, and what streams told.
fn story(recording: &Recording) -> Vec<String> {
    assert_eq!(recording.end, None);
    let entries = recording.entries.iter();
    let entries = entries.filter(|entry| !matches!(entry.step, Step::Fault(_)));
    let mut story: Vec<_> = entries
        .map(|entry| format!("{}: {}", entry.step, ending(entry)))
        .collect();
    story.sort();
    for stream in &recording.streams {
        let told = stream.told.iter().map(|(_, event)| event);
        story.push(format!("{}: {:?}", stream.step, told.collect::<Vec<_>>()));
    }
    story
}

/// Each kind of request, by the steps that it takes.
fn requests() -> impl Iterator<Item = Vec<Step>> {
    let requests = sweep::requests().into_iter();
    requests.map(|request| request.steps)
}

fn get() -> Step {
    Step::Get {
        channel: "c".to_owned(),
        key: KeyName::First,
    }
}
