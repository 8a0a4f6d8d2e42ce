//! What is certified: a node at an address, one that is started for the run, or the embedded fake node.
//!
//! * `legacy`: where it speaks the legacy protocol.

mod legacy;

use std::fmt;
use std::io;
use std::net::{SocketAddr, SocketAddrV4, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use dht_client::{Client, ConnectionError, Missing};
use dht_protocol::HashRange;
use dht_protocol::neo::{AuthKey, Credential};
use dht_reports::{Clue, Obstacle};
use dht_workload::net::NodeControl;
use fakedht::{Bugs, NodeConfig, ServerOptions, TestNode};
use futures_util::future::BoxFuture;
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::time::{sleep, timeout};

use crate::cli::{Identity, TargetOptions};
use crate::spawn::Spawned;
use crate::trace::Trace;
pub use legacy::Legacy;

/// Where a node listens if nothing else is said.
pub const DEFAULT_NODE: &str = "127.0.0.1:10100";

/// A node that answers.
#[derive(Debug)]
pub struct Target {
    address: SocketAddrV4,
    legacy: Legacy,
    credential: Credential,
    guest: Option<Credential>,
    range: HashRange,
    origin: Origin,
    /// The bugs that the embedded node was given.
    bugs: Vec<String>,
    /// Locked only to start and to stop it.
    running: Arc<Mutex<Running>>,
}

/// Whose node it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Origin {
    Elsewhere,
    Spawned,
    Embedded,
}

/// A node that was started for the run.
#[derive(Debug)]
enum Running {
    Elsewhere,
    Spawned(Spawned),
    Embedded(TestNode),
}

impl Running {
    fn origin(&self) -> Origin {
        match self {
            Self::Elsewhere => Origin::Elsewhere,
            Self::Spawned(_) => Origin::Spawned,
            Self::Embedded(_) => Origin::Embedded,
        }
    }
}

impl Target {
    /// Finds or starts the node and makes sure that it can be talked to.
    pub async fn prepare(options: &TargetOptions) -> Result<Self, Obstacle> {
        let credential = credential(options)?;
        let mut guest = options.identity.guest.clone();
        let legacy = options.legacy.as_deref().map(resolve).transpose()?;
        let (address, running) = match (&options.spawn, &options.node) {
            (Some(command), node) => {
                let address = resolve(node.as_deref().unwrap_or(DEFAULT_NODE))?;
                let spawned = Spawned::start(command, address)
                    .await
                    .map_err(|error| Obstacle {
                        reason: error.to_string(),
                        clues: Vec::new(),
                        advice: error.advice().map(str::to_owned),
                    })?;
                (address, Running::Spawned(spawned))
            }
            (None, Some(node)) => (resolve(node)?, Running::Elsewhere),
            (None, None) => {
                guest = guest.or_else(visitor);
                let clients = guest.iter().chain([&credential]).cloned();
                let node = embedded(options, clients).await?;
                (node.address(), Running::Embedded(node))
            }
        };
        let mut target = Self {
            address,
            legacy: Legacy::default(),
            credential,
            guest,
            range: HashRange::FULL,
            origin: running.origin(),
            bugs: options.bug.clone(),
            running: Arc::new(Mutex::new(running)),
        };
        match target.query_range(options.timeout).await {
            Ok(range) => target.range = range,
            Err(obstacle) => {
                target.stop().await;
                return Err(obstacle);
            }
        }
        let embedded = match &*target.running.lock().await {
            Running::Embedded(node) => Some(node.legacy_address()),
            Running::Elsewhere | Running::Spawned(_) => None,
        };
        target.legacy = match embedded {
            Some(legacy) => Legacy::At(legacy),
            None => Legacy::find(legacy, address, options.timeout).await,
        };
        Ok(target)
    }

    /// The embedded node, whether it can be talked to or not.
    pub async fn embedded(options: &TargetOptions) -> Result<Self, Obstacle> {
        let credential = credential(options)?;
        let guest = options.identity.guest.clone().or_else(visitor);
        let clients = guest.iter().chain([&credential]).cloned();
        let node = embedded(options, clients).await?;
        Ok(Self {
            address: node.address(),
            legacy: Legacy::At(node.legacy_address()),
            credential,
            guest,
            range: half(),
            origin: Origin::Embedded,
            bugs: options.bug.clone(),
            running: Arc::new(Mutex::new(Running::Embedded(node))),
        })
    }

    /// A new client of the node; no request of it takes longer than `timeout`.
    pub fn client(&self, timeout: Duration, tap: Option<Arc<Trace>>) -> Client {
        let builder = Client::builder(self.credential.clone())
            .node(self.address)
            .request_timeout(timeout);
        match tap {
            Some(tap) => builder.tap(tap).build(),
            None => builder.build(),
        }
    }

    /// Was the node started for the run, so that it can be started again?
    pub fn is_ours(&self) -> bool {
        self.origin != Origin::Elsewhere
    }

    /// Starts a node again that was started for the run, as fresh as it was. Whether it is there.
    pub async fn restart(&self) -> bool {
        match &mut *self.running.lock().await {
            Running::Elsewhere => false,
            Running::Spawned(spawned) => spawned.restart(self.address).await.is_ok(),
            Running::Embedded(node) => node.restart().await.is_ok(),
        }
    }

    /// What can halt and kill the node, if it was started for the run by a command.
    pub fn control(&self) -> Option<Arc<dyn NodeControl>> {
        (self.origin == Origin::Spawned).then(|| {
            Arc::new(Power {
                running: Arc::clone(&self.running),
                address: self.address,
            }) as Arc<dyn NodeControl>
        })
    }

    /// Why no connection can be made, if none can be made any more.
    pub async fn is_gone(&self, limit: Duration) -> Option<String> {
        match timeout(limit, TcpStream::connect(self.address)).await {
            Ok(Ok(_)) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some("it does not accept connections".to_owned()),
        }
    }

    /// Where the node listens.
    pub fn address(&self) -> SocketAddrV4 {
        self.address
    }

    /// Where it speaks the legacy protocol.
    pub fn legacy(&self) -> Legacy {
        self.legacy
    }

    /// The name and key of the run's client.
    pub fn credential(&self) -> &Credential {
        &self.credential
    }

    /// The name and key of a client that is not "admin", if one is known.
    pub fn guest(&self) -> Option<&Credential> {
        self.guest.as_ref()
    }

    /// Why the node is of no use any more although it accepts connections, if it is not: a new client
    /// does not get as far as an answer.
    pub async fn is_stuck(&self, limit: Duration) -> Option<String> {
        let client = self.client(limit, None);
        let ready = client.ready(limit).await;
        client.shutdown();
        ready.err().map(|error| error.to_string())
    }

    /// The bugs that the embedded node was given.
    pub fn bugs(&self) -> &[String] {
        &self.bugs
    }

    /// The node's hash range.
    pub fn range(&self) -> HashRange {
        self.range
    }

    /// May the client remove channels? Only one called "admin" may (P23).
    pub fn may_remove_channels(&self) -> bool {
        self.credential.name.as_str() == "admin"
    }

    /// Stops a node that was started for the run.
    pub async fn stop(&self) {
        let mut running = self.running.lock().await;
        match std::mem::replace(&mut *running, Running::Elsewhere) {
            Running::Elsewhere => {}
            Running::Spawned(spawned) => spawned.stop().await,
            Running::Embedded(mut node) => node.stop().await,
        }
    }

    async fn query_range(&self, timeout: Duration) -> Result<HashRange, Obstacle> {
        // A client would go on trying; here nobody is expected to start the node meanwhile.
        match tokio::time::timeout(timeout, TcpStream::connect(self.address)).await {
            Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => {
                return Err(self.obstacle(&Missing::Connection(ConnectionError::Refused)));
            }
            Err(_) => {
                return Err(Obstacle {
                    reason: format!("{} takes no connection in time.", self.address),
                    clues: Vec::new(),
                    advice: Some(
                        "See whether the node hangs and accepts nobody any more, whether the address \
                         is right, and whether a firewall drops connections. --timeout allows more time."
                            .to_owned(),
                    ),
                });
            }
            // What else is wrong shows when a client tries.
            Ok(_) => {}
        }
        let client = self.client(timeout, None);
        let ready = client.ready(timeout).await;
        let range = client
            .stats()
            .nodes
            .get(&self.address)
            .and_then(|node| node.range);
        client.shutdown();
        match (ready, range) {
            (Ok(()), Some(range)) => Ok(range),
            (Err(error), _) => {
                let missing = error
                    .nodes
                    .into_iter()
                    .next()
                    .map_or(Missing::Range, |(_, missing)| missing);
                Err(self.obstacle(&missing))
            }
            (Ok(()), None) => Err(self.obstacle(&Missing::Range)),
        }
    }
}

impl Target {
    /// Why the node cannot be talked to, and what to do about it.
    fn obstacle(&self, missing: &Missing) -> Obstacle {
        let node = self.address;
        let (reason, advice) = match missing {
            Missing::Connection(ConnectionError::Refused) => (
                format!("nothing listens on {node} (connection refused)."),
                "Start the node first, or let --spawn start it. --node takes the neo port, by convention \
                 the legacy port + 100.",
            ),
            Missing::Connection(ConnectionError::Rejected) => (
                format!(
                    "the node refused the name \"{}\" (authentication answered 0).",
                    self.credential.name
                ),
                "Give the node's credentials with --auth NAME:HEXKEY or --credentials FILE.",
            ),
            Missing::Connection(ConnectionError::TimedOut) => (
                format!(
                    "{node} accepts connections, but does not complete the authentication in time."
                ),
                "See whether the node hangs, and whether this is its neo port. --timeout allows more time.",
            ),
            Missing::Connection(error @ ConnectionError::Unreachable(_)) => (
                format!("{node}: {error}."),
                "See whether the address is right and the network there.",
            ),
            Missing::Connection(error) => (
                format!("{node} does not speak the neo protocol: {error}."),
                "See whether this is the node's neo port, by convention the legacy port + 100.",
            ),
            _ => (
                format!("{node} accepts the client, but does not answer GetHashRange."),
                "See whether the node hangs. --timeout allows more time.",
            ),
        };
        let clues = match missing {
            Missing::Connection(ConnectionError::Rejected) => [
                "The clocks differ by more than 1,800 s?",
                "The name is known to the node?",
                "The key is right?",
            ]
            .map(|question| Clue {
                question: question.to_owned(),
                answer: "cannot tell from outside".to_owned(),
            })
            .to_vec(),
            _ => Vec::new(),
        };
        Obstacle {
            reason,
            clues,
            advice: Some(advice.to_owned()),
        }
    }
}

/// Power over the process of a node that was started for the run.
#[derive(Debug)]
struct Power {
    running: Arc<Mutex<Running>>,
    address: SocketAddrV4,
}

impl NodeControl for Power {
    fn halt(&self, time: Duration) {
        let running = Arc::clone(&self.running);
        tokio::spawn(async move {
            if let Running::Spawned(spawned) = &*running.lock().await {
                spawned.halt();
                sleep(time).await;
                spawned.go_on();
            }
        });
    }

    fn kill_and_restart(&self) -> BoxFuture<'static, io::Result<()>> {
        let (running, address) = (Arc::clone(&self.running), self.address);
        Box::pin(async move {
            match &mut *running.lock().await {
                Running::Spawned(spawned) => {
                    spawned.kill();
                    spawned.restart(address).await.map_err(io::Error::other)
                }
                Running::Elsewhere | Running::Embedded(_) => Ok(()),
            }
        })
    }
}

/// The node as the header of a report names it.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let origin = match self.origin {
            Origin::Elsewhere => "",
            Origin::Spawned => ", started for this run",
            Origin::Embedded => ", the embedded fake node",
        };
        write!(f, "{} (neo{origin}; legacy {})", self.address, self.legacy)
    }
}

fn credential(options: &TargetOptions) -> Result<Credential, Obstacle> {
    options.identity.credential().map_err(|error| Obstacle {
        reason: format!("the credentials file cannot be used: {error}"),
        clues: Vec::new(),
        advice: Some(Identity::FILE.to_owned()),
    })
}

fn resolve(node: &str) -> Result<SocketAddrV4, Obstacle> {
    let bad = |reason: String| {
        Obstacle {
        reason,
        clues: Vec::new(),
        advice: Some(
            "Give host and port of the node, as in --node 127.0.0.1:10100 --legacy 127.0.0.1:10000."
                .to_owned(),
        ),
    }
    };
    let addresses = node
        .to_socket_addrs()
        .map_err(|error| bad(format!("\"{node}\" is no address of a node: {error}.")))?;
    addresses
        .filter_map(|address| match address {
            SocketAddr::V4(address) => Some(address),
            SocketAddr::V6(_) => None,
        })
        .next()
        .ok_or_else(|| {
            bad(format!(
                "\"{node}\" has no IPv4 address, and the protocol knows no others."
            ))
        })
}

/// The name of the embedded node's client that is not "admin".
const VISITOR: &str = "visitor:";

/// A client of the embedded node that is not "admin".
fn visitor() -> Option<Credential> {
    format!("{VISITOR}{}", "11".repeat(AuthKey::LENGTH))
        .parse()
        .ok()
}

/// The embedded node serves half of all keys unless told otherwise: so that there are keys that it must
/// refuse.
fn half() -> HashRange {
    HashRange::new(0, u64::MAX / 2).unwrap_or(HashRange::FULL)
}

async fn embedded(
    options: &TargetOptions,
    clients: impl IntoIterator<Item = Credential>,
) -> Result<TestNode, Obstacle> {
    let obstacle = |reason| Obstacle {
        reason,
        clues: Vec::new(),
        advice: None,
    };
    let bugs = options
        .bug
        .iter()
        .map(|name| {
            Bugs::find(name).ok_or_else(|| {
                obstacle(format!(
                    "there is no bug \"{name}\"; `fakedht --list-bugs` names those there are."
                ))
            })
        })
        .collect::<Result<Bugs, _>>()?;
    let config = NodeConfig {
        bugs,
        credentials: clients.into_iter().collect(),
        range: half(),
        ..NodeConfig::default()
    };
    TestNode::start_with(config, ServerOptions::default())
        .await
        .map_err(|error| obstacle(format!("the embedded node could not be started: {error}.")))
}
