//! Random cases find messages that no client looks at, because the wire monitor hears every run, in both
//! worlds. It says nothing of a healthy node: that is what the other tests of random cases show.

use std::ops::ControlFlow;
use std::time::Duration;

use dht_client::Credential;
use dht_protocol::HashRange;
use dht_requirements::{self as req, Requirement};
use dht_workload::generate::{self, Shape};
use dht_workload::hunt::Hunt;
use dht_workload::names::Names;
use dht_workload::net::{NetWorld, Options};
use dht_workload::{judge, run};
use fakedht::{Bugs, NodeConfig, ServerOptions, TestNode};

/// What a node says in vain, and the requirement that it breaks with that.
const SAID_IN_VAIN: &[(&str, &Requirement)] = &[
    ("foreign-id-answered", &req::MUX_NODE_STARTS_NOTHING),
    ("put-answered-twice", &req::REQ_ANSWER_LAST),
    ("get-value-twice", &req::REQ_ANSWER_LAST),
    ("exists-answered-again-during-update", &req::REQ_ANSWER_LAST),
    ("get-channels-status-behind-end", &req::REQ_ANSWER_LAST),
    (
        "mirror-overflow-behind-third-ack",
        &req::CTL_SILENT_AFTER_STOP,
    ),
    (
        "get-all-acknowledges-behind-finished",
        &req::CTL_NO_ACK_AFTER_END,
    ),
    ("mirror-acks-behind-end", &req::CTL_NO_ACK_AFTER_END),
];

fn with_bug(name: &str) -> NodeConfig {
    NodeConfig {
        bugs: Bugs::find(name).into_iter().collect(),
        ..NodeConfig::default()
    }
}

#[test]
fn what_is_said_in_vain_is_found_without_a_network() {
    for (bug, requirement) in SAID_IN_VAIN {
        let hunt = Hunt::new(with_bug(bug));
        let shape = Shape::concurrent(300, 5, 3);
        let found = (0..100).find_map(|seed| hunt.judge(&generate::case(seed, &shape), seed));
        let fault = found.unwrap_or_else(|| panic!("{bug} is not found"));
        assert_eq!(fault.requirement, *requirement, "{bug}: {}", fault.observed);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn and_over_sockets() {
    const PATIENCE: Duration = Duration::from_secs(20);
    let names = Names::new("", HashRange::FULL, true);
    for (bug, requirement) in SAID_IN_VAIN {
        let shape = Shape::concurrent(300, 5, 3);
        let mut found = None;
        for seed in 0..20 {
            let node = TestNode::start_with(with_bug(bug), ServerOptions::default())
                .await
                .unwrap();
            let case = generate::case(seed, &shape);
            let (address, connections) = (node.address(), case.connections());
            let admin = Credential::default_admin();
            let options = Options::default();
            let mut world = NetWorld::connect(address, admin, connections, PATIENCE, options)
                .await
                .unwrap();
            let go_on = |_: &_| ControlFlow::Continue(());
            let recording = run::run(&case, &names, &mut world, go_on).await;
            world.shutdown().await;
            found = judge::judge(&recording, &names);
            if found.is_some() {
                break;
            }
        }
        let fault = found.unwrap_or_else(|| panic!("{bug} is not found"));
        assert_eq!(fault.requirement, *requirement, "{bug}: {}", fault.observed);
    }
}
