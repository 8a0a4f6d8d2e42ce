//! A node that is started for the run by a shell command, and stopped again. What it writes is not shown;
//! the command may redirect it.

use std::io;
use std::net::SocketAddrV4;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use thiserror::Error;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStderr, Command};
use tokio::time::{Instant, sleep, timeout, timeout_at};

/// How long a node may take to listen.
const START_LIMIT: Duration = Duration::from_secs(30);
/// How long a node may take to end when it is asked to.
const STOP_LIMIT: Duration = Duration::from_secs(10);
/// How much of a node's last words is told, in bytes.
const LAST_WORDS: usize = 500;
/// How long they are waited for.
const LAST_WORDS_LIMIT: Duration = Duration::from_secs(1);
/// Between two attempts to connect to a node that is starting.
const PAUSE: Duration = Duration::from_millis(20);

/// A running node. Dropping it kills the process and everything it started.
#[derive(Debug)]
pub struct Spawned {
    command: String,
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
    #[error("the command ended ({status}) before it listened on {node}{last_words}")]
    Ended {
        /// How.
        status: ExitStatus,
        /// Where it should have listened.
        node: SocketAddrV4,
        /// A colon and what it wrote to standard error last, if anything.
        last_words: String,
    },
    /// The process runs, but nobody listens.
    #[error("the command runs, but nothing listens on {node} after {} s", START_LIMIT.as_secs())]
    Silent {
        /// Where it should.
        node: SocketAddrV4,
    },
}

/// Reads standard error to its end, so that a node that writes much does not block, and says what came last.
async fn last_words(errors: Option<ChildStderr>) -> String {
    let Some(mut errors) = errors else {
        return String::new();
    };
    let (mut tail, mut buffer) = (Vec::new(), [0; 4096]);
    while let Ok(length @ 1..) = errors.read(&mut buffer).await {
        tail.extend_from_slice(&buffer[..length]);
        tail.drain(..tail.len().saturating_sub(LAST_WORDS));
    }
    match String::from_utf8_lossy(&tail).trim() {
        "" => String::new(),
        words => format!(": {words}"),
    }
}

impl SpawnError {
    /// What to do about it, where that is not plain.
    pub fn advice(&self) -> Option<&'static str> {
        match self {
            Self::Occupied(_) => Some(
                "Stop what listens there, or give the node another port and --node its address.",
            ),
            Self::Silent { .. } => Some("Give the address where the node listens with --node."),
            Self::Run(_) | Self::Ended { .. } => None,
        }
    }
}

impl Spawned {
    /// Runs `command` in a shell and waits until a node listens on `node`.
    pub async fn start(command: &str, node: SocketAddrV4) -> Result<Self, SpawnError> {
        if let Ok(Ok(_)) = timeout(START_LIMIT, TcpStream::connect(node)).await {
            return Err(SpawnError::Occupied(node));
        }
        let mut child = Command::new("sh")
            .args(["-c", command])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .map_err(SpawnError::Run)?;
        let group = child
            .id()
            .and_then(|id| i32::try_from(id).ok())
            .and_then(Pid::from_raw);
        let errors = tokio::spawn(last_words(child.stderr.take()));
        let mut spawned = Self {
            command: command.to_owned(),
            child,
            group,
        };
        let limit = Instant::now() + START_LIMIT;
        while Instant::now() < limit {
            if let Ok(Ok(_)) = timeout_at(limit, TcpStream::connect(node)).await {
                return Ok(spawned);
            }
            if let Some(status) = spawned.child.try_wait().map_err(SpawnError::Run)? {
                // Others that the command started may still hold it open.
                let last_words = timeout(LAST_WORDS_LIMIT, errors).await;
                let last_words = last_words
                    .map(Result::unwrap_or_default)
                    .unwrap_or_default();
                return Err(SpawnError::Ended {
                    status,
                    node,
                    last_words,
                });
            }
            // The process is not ours: it says nobody that it listens, so the port has to be tried.
            sleep(PAUSE).await;
        }
        Err(SpawnError::Silent { node })
    }

    /// Ends what is left of the node and runs its command again.
    pub async fn restart(&mut self, node: SocketAddrV4) -> Result<(), SpawnError> {
        self.end().await;
        self.signal(Signal::KILL);
        let command = self.command.clone();
        *self = Self::start(&command, node).await?;
        Ok(())
    }

    /// Asks the node and everything it started to end, and kills what does not.
    pub async fn stop(mut self) {
        self.end().await;
        // What is left is killed as this is dropped.
    }

    async fn end(&mut self) {
        self.signal(Signal::TERM);
        let gone = async {
            let _ = self.child.wait().await;
            // The shell may be gone before the node is, and only a parent can wait for a process: whether
            // others of the group are left can only be asked, now and then.
            while self.is_alive() {
                sleep(PAUSE).await;
            }
        };
        let _ = timeout(STOP_LIMIT, gone).await;
    }

    /// Halts the node and everything it started, until [`go_on`](Self::go_on).
    pub fn halt(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets a halted node go on.
    pub fn go_on(&self) {
        self.signal(Signal::CONT);
    }

    /// Kills the node and everything it started.
    pub fn kill(&self) {
        self.signal(Signal::KILL);
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
