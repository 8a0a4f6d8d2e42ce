//! A node that is started for the run by a shell command, and stopped again.

use std::io;
use std::net::SocketAddrV4;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use thiserror::Error;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout, timeout_at};

/// How long a node may take to listen.
const START_LIMIT: Duration = Duration::from_secs(30);
/// How long a node may take to end when it is asked to.
const STOP_LIMIT: Duration = Duration::from_secs(10);
/// Between two attempts to connect to a node that is starting.
const PAUSE: Duration = Duration::from_millis(20);

/// A running node. Dropping it kills the process and everything it started.
#[derive(Debug)]
pub struct Spawned {
    child: Child,
    group: Option<Pid>,
}

/// Why a node could not be started.
#[derive(Debug, Error)]
pub enum SpawnError {
    /// Somebody listens already.
    #[error("something listens on {0} already, so the command's node could not be told from it")]
    Occupied(SocketAddrV4),
    /// The shell could not be run.
    #[error("the command could not be run: {0}")]
    Run(io::Error),
    /// The process ended.
    #[error("the command ended ({0}) before it listened on {1}")]
    Ended(ExitStatus, SocketAddrV4),
    /// The process runs, but nobody listens.
    #[error("the command runs, but nothing listens on {node} after {} s", START_LIMIT.as_secs())]
    Silent {
        /// Where it should.
        node: SocketAddrV4,
    },
}

impl SpawnError {
    /// What to do about it, where that is not plain.
    pub fn advice(&self) -> Option<&'static str> {
        match self {
            Self::Occupied(_) => Some(
                "Stop what listens there, or give the node another port and --node its address.",
            ),
            Self::Silent { .. } => Some("Give the address where the node listens with --node."),
            Self::Run(_) | Self::Ended(..) => None,
        }
    }
}

impl Spawned {
    /// Runs `command` in a shell and waits until a node listens on `node`.
    pub async fn start(command: &str, node: SocketAddrV4) -> Result<Self, SpawnError> {
        if let Ok(Ok(_)) = timeout(START_LIMIT, TcpStream::connect(node)).await {
            return Err(SpawnError::Occupied(node));
        }
        let child = Command::new("sh")
            .args(["-c", command])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .process_group(0)
            .spawn()
            .map_err(SpawnError::Run)?;
        let group = child
            .id()
            .and_then(|id| i32::try_from(id).ok())
            .and_then(Pid::from_raw);
        let mut spawned = Self { child, group };
        let limit = Instant::now() + START_LIMIT;
        while Instant::now() < limit {
            if let Ok(Ok(_)) = timeout_at(limit, TcpStream::connect(node)).await {
                return Ok(spawned);
            }
            if let Some(status) = spawned.child.try_wait().map_err(SpawnError::Run)? {
                return Err(SpawnError::Ended(status, node));
            }
            // There is nothing to wait for but the port itself.
            sleep(PAUSE).await;
        }
        Err(SpawnError::Silent { node })
    }

    /// Asks the node and everything it started to end, and kills what does not.
    pub async fn stop(mut self) {
        self.signal(Signal::TERM);
        let gone = async {
            // The shell may be gone before the node is, and only a parent can wait for a process.
            let _ = self.child.wait().await;
            while self.is_alive() {
                sleep(PAUSE).await;
            }
        };
        let _ = timeout(STOP_LIMIT, gone).await;
        // What is left is killed as this is dropped.
    }

    /// The process group of the node and everything it started.
    pub fn group(&self) -> Option<Pid> {
        self.group
    }

    fn is_alive(&self) -> bool {
        self.group
            .is_some_and(|group| test_kill_process_group(group).is_ok())
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = self.group {
            // The group may be gone already, which is what is wanted.
            let _ = kill_process_group(group, signal);
        }
    }
}

impl Drop for Spawned {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
}
