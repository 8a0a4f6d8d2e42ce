//! A node that falls silent, breaks the protocol, or dies.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use dht_client::{Credential, NodeAddress};
use dht_model::Answer;
use dht_workload::case::Fault;
use dht_workload::names::KeyName;
use dht_workload::net::{NetWorld, NodeControl, Options};
use dht_workload::recording::End;
use dht_workload::world::Ending;
use dht_workload::{Case, Step};
use fakedht::TestNode;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::Mutex;

use super::scripted::{Say, Scripted, supported};
use super::{ending, faulty, get, play, play_in, requests, world};

/// How long a test waits that wants to see nothing happen.
const SOON: Duration = Duration::from_millis(200);

#[tokio::test]
async fn silence_is_bounded() {
    let node = Scripted::start(|_| Vec::new()).await;
    for options in [Options::default(), faulty()] {
        let admin = Credential::default_admin();
        let world = NetWorld::connect(node.address, admin, 1, SOON, options).await;
        let recording = play_in(&Case::sequential([get()]), &mut world.unwrap()).await;
        assert_eq!(recording.end, Some(End::Silence));
        assert_eq!(recording.entries[0].ended, None);
    }
}

#[tokio::test]
async fn a_node_that_breaks_the_protocol_ends_the_run() {
    let undefined = |_| supported([&[99]]);
    let unsupported = |_| vec![Say::Message(vec![0xff])];
    let nodes = [
        Scripted::start(undefined).await,
        Scripted::start(unsupported).await,
        Scripted::start(|_| vec![Say::Raw(vec![7; 10])]).await,
    ];
    for node in &nodes {
        for steps in requests() {
            for options in [Options::default(), faulty()] {
                let case = Case::sequential(steps.clone());
                let recording = play(&case, node.address, options).await;
                let end = &recording.end;
                assert!(matches!(end, Some(End::Violation(_))), "{steps:?}: {end:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_node_that_is_gone_is_told_so() {
    for options in [Options::default(), faulty()] {
        let mut node = TestNode::start().await.unwrap();
        let mut world = world(node.address(), 2, options).await;
        node.stop().await;
        let recording = play_in(&Case::sequential([get(), get()]), &mut world).await;
        let end = &recording.end;
        assert!(matches!(end, Some(End::Gone(_))), "{end:?}");
    }
}

/// Also if nothing is done after what it did not survive.
#[tokio::test]
async fn a_node_that_does_not_survive_the_last_step_is_gone() {
    for options in [Options::default(), faulty()] {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let std::net::SocketAddr::V4(address) = listener.local_addr().unwrap() else {
            panic!("it was bound to an IPv4 address");
        };
        // Passes on one connection, and is gone when something was asked on it.
        let node = Scripted::start(|_| vec![Say::Close]).await;
        let through = node.address;
        let passing = tokio::spawn(async move {
            let (mut client, _) = listener.accept().await?;
            drop(listener);
            let mut node = tokio::net::TcpStream::connect(through).await?;
            tokio::io::copy_bidirectional(&mut client, &mut node).await
        });
        let recording = play(&Case::sequential([get()]), address, options).await;
        assert!(
            matches!(recording.end, Some(End::Gone(_))),
            "{recording:#?}"
        );
        passing.abort();
    }
}

#[tokio::test]
async fn who_cannot_connect_is_told_so() {
    let mut node = TestNode::start().await.unwrap();
    node.stop().await;
    for options in [Options::default(), faulty()] {
        let admin = Credential::default_admin();
        let world = NetWorld::connect(node.address(), admin, 2, SOON, options).await;
        assert!(world.is_err());
    }
}

/// A node, and how often it was halted.
#[derive(Clone, Debug)]
struct Power {
    node: Arc<Mutex<TestNode>>,
    halts: Arc<AtomicU32>,
    /// Does the node start again?
    starts: bool,
}

impl NodeControl for Power {
    fn halt(&self, _: Duration) {
        self.halts.fetch_add(1, Ordering::SeqCst);
    }

    fn kill_and_restart(&self) -> BoxFuture<'static, io::Result<()>> {
        let power = self.clone();
        async move {
            let mut node = power.node.lock().await;
            node.stop().await;
            // Clients have time to be refused, more than once.
            for _ in 0..1000 {
                tokio::task::yield_now().await;
            }
            match power.starts {
                true => node.restart().await,
                false => Err(io::Error::other("it does not start")),
            }
        }
        .boxed()
    }
}

async fn power(starts: bool) -> (NodeAddress, Power) {
    let node = TestNode::start().await.unwrap();
    let address = node.address();
    let power = Power {
        node: Arc::new(Mutex::new(node)),
        halts: Arc::default(),
        starts,
    };
    (address, power)
}

#[tokio::test]
async fn a_node_can_be_halted_and_killed() {
    let put = Step::Put {
        channel: "c".to_owned(),
        key: KeyName::First,
        value: "v".into(),
    };
    let kill = || Step::Fault(Fault::Kill {});
    let halt = Step::Fault(Fault::Halt { ms: 1 });
    let steps = [put, halt, kill(), get(), get(), kill(), get(), get()];
    for faulty in [false, true] {
        let (address, power) = power(true).await;
        let options = Options {
            faulty,
            control: Some(Arc::new(power.clone())),
            ..Options::default()
        };
        let recording = play(&Case::sequential(steps.clone()), address, options).await;
        assert_eq!(recording.end, None);
        assert_eq!(power.halts.load(Ordering::SeqCst), 1);
        let value = Ending::Answer(Answer::Value("v".into()));
        for entry in recording.entries.iter().filter(|entry| entry.step == get()) {
            let ending = ending(entry);
            let lost = matches!(ending, Ending::Unknown(_));
            assert!(lost || *ending == value, "{ending}");
        }
        assert_eq!(ending(&recording.entries[7]), &value);
    }
}

#[tokio::test]
async fn a_node_that_does_not_start_again_is_gone() {
    let (address, power) = power(false).await;
    let options = Options {
        control: Some(Arc::new(power)),
        ..Options::default()
    };
    let steps = [Step::Fault(Fault::Kill {}), get(), get(), get()];
    let recording = play(&Case::sequential(steps), address, options).await;
    assert_eq!(
        recording.end,
        Some(End::Gone("it does not start".to_owned()))
    );
}
