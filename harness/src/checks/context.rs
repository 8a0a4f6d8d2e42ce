//! What a check has at hand: a client with a connection of its own, channels of its own, and expectations
//! that turn an answer into a verdict.
//!
//! Every expectation names the rule that it stands for, what was sent, and what would have been right, so
//! that a failure explains itself. An answer that does not come in time breaks the rule that every
//! request is answered (P03), whatever the check is about.

mod channels;
mod records;
mod streams;
mod updates;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use dht_client::{Client, ControlError, RequestError};
use dht_protocol::neo::request::Failure;
use dht_protocol::{ChannelName, HashRange, Key};

use super::Check;
use crate::target::Target;
use crate::trace::Trace;
use crate::vigil::{self, Vigil};

/// How many keys a range must have, so that the few thousand that a check uses differ.
const KEYS: u64 = 1 << 24;
/// How many requests a sentinel makes.
const SENTINEL: u64 = 20;

/// The result of a check, or of a part of one.
pub type Checked<T = ()> = Result<T, Unkept>;

/// Why a check did not end with all rules kept.
#[derive(Debug)]
pub enum Unkept {
    /// A rule is broken.
    Broken(Broken),
    /// The check could not tell.
    Inconclusive(String),
    /// The rules do not concern this node, or not this client of it.
    NotApplicable(String),
}

/// A broken rule.
#[derive(Debug)]
pub struct Broken {
    /// Its id.
    pub rule: &'static str,
    /// What was sent.
    pub sent: String,
    /// What would have been right.
    pub expected: Vec<String>,
    /// What came.
    pub observed: String,
}

/// What a check runs in.
#[derive(Debug)]
pub struct Context {
    client: Client,
    vigil: Vigil,
    trace: Arc<Trace>,
    range: HashRange,
    may_remove_channels: bool,
    prefix: String,
    seed: u64,
    timeout: Duration,
}

impl Context {
    /// Connects to the node of `target`. `name` must be unique in the run; the check's channels are named
    /// after it.
    pub async fn connect(
        target: &Target,
        seed: u64,
        name: &str,
        timeout: Duration,
    ) -> Checked<Self> {
        let range = target.range();
        if range
            .max()
            .checked_sub(range.min())
            .is_none_or(|width| width < KEYS)
        {
            let reason = format!("the node's range {range} has too few keys for the checks");
            return Err(Unkept::NotApplicable(reason));
        }
        let trace = Arc::new(Trace::default());
        let client = target.client(timeout, Some(trace.clone()));
        client.ready(timeout).await.map_err(|error| {
            Unkept::Broken(Broken {
                rule: "P66",
                sent: "version, authentication, GetHashRange".to_owned(),
                expected: vec!["the connection is accepted and the hash range told".to_owned()],
                observed: error.to_string(),
            })
        })?;
        let prefix = format!("dhtcheck_{seed:x}_{}", name.replace(['.', '-'], "_"));
        Ok(Self {
            vigil: Vigil::new(&client),
            client,
            trace,
            range,
            may_remove_channels: target.may_remove_channels(),
            prefix,
            seed,
            timeout,
        })
    }

    /// Removes what the check has left on the node, as far as that works, and disconnects.
    pub async fn close(self) {
        if let Ok(channels) = self.client.channels().collect_all().await {
            for channel in channels {
                if self.owns(&channel) {
                    // Not what is checked here.
                    let _ = self.client.remove_channel(channel).await;
                }
            }
        }
        self.client.shutdown();
    }

    /// Runs the check, unless the node breaks the protocol meanwhile.
    pub async fn run(&self, check: &Check) -> Checked {
        tokio::select! {
            biased;
            violation = self.vigil.violation() => Err(Unkept::Broken(Broken {
                rule: vigil::RULE,
                sent: "the requests of this check".to_owned(),
                expected: vec!["messages of the protocol".to_owned()],
                observed: violation,
            })),
            checked = self.run_to_the_end(check) => checked,
        }
    }

    /// What the node says last must be right as well: a further answer comes behind it.
    async fn run_to_the_end(&self, check: &Check) -> Checked {
        (check.run)(self).await?;
        let channel = self.channel("sentinel");
        let exists = self.client.exists(channel, self.key(0)).await;
        exists.map_err(|error| self.failed("P03", "Exists (sentinel)", "NoRecord", error))?;
        match self.vigil.found() {
            // The vigil says what.
            true => std::future::pending().await,
            false => Ok(()),
        }
    }

    /// The messages so far.
    pub fn trace(&self) -> &Trace {
        &self.trace
    }

    /// The seed of the run.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The key with this number, in the node's range.
    pub fn key(&self, number: u64) -> Key {
        self.range.nth_key(number)
    }

    /// Breaks the connection; the client connects again.
    pub fn reconnect(&self) {
        self.client.reconnect();
    }

    fn channel(&self, name: &str) -> ChannelName {
        match name {
            "" => self.prefix.clone().into(),
            name => format!("{}-{name}", self.prefix).into(),
        }
    }

    /// Is it a channel of this check, and not of one whose name begins with the name of this one?
    fn owns(&self, channel: &ChannelName) -> bool {
        match channel.as_bytes().strip_prefix(self.prefix.as_bytes()) {
            Some(rest) => rest.is_empty() || rest.starts_with(b"-"),
            None => false,
        }
    }

    /// The rule is kept if `kept`.
    pub fn expect(
        &self,
        rule: &'static str,
        sent: &str,
        expected: &[&str],
        kept: bool,
        observed: impl FnOnce() -> String,
    ) -> Checked {
        if kept {
            return Ok(());
        }
        Err(Unkept::Broken(Broken {
            rule,
            sent: sent.to_owned(),
            expected: expected
                .iter()
                .map(|outcome| (*outcome).to_owned())
                .collect(),
            observed: observed(),
        }))
    }

    /// A failure where `expected` was due.
    fn failed(
        &self,
        rule: &'static str,
        sent: &str,
        expected: &str,
        error: RequestError,
    ) -> Unkept {
        let rule = match error {
            RequestError::Failed(Failure::TimedOut | Failure::Disconnected { .. }) => "P03",
            _ => rule,
        };
        let observed = match error {
            RequestError::Failed(Failure::TimedOut) => {
                format!("no answer within {} s", self.timeout.as_secs_f32())
            }
            error => error.to_string(),
        };
        Unkept::Broken(Broken {
            rule,
            sent: sent.to_owned(),
            expected: vec![expected.to_owned()],
            observed,
        })
    }

    /// Requests on the same connection that are answered one after another: what the node had to say
    /// before them, it has said by then.
    pub async fn sentinel(&self) -> Checked {
        let exists = async {
            for _ in 0..SENTINEL {
                let channel = self.channel("sentinel");
                let exists = self.client.exists(channel, self.key(0)).await;
                exists
                    .map_err(|error| self.failed("P03", "Exists (sentinel)", "NoRecord", error))?;
            }
            Ok(())
        };
        self.quietly(&format!("{SENTINEL} Exists, all answered"), exists)
            .await
    }

    /// Makes requests that are not what the check is about: they are shown only if one of them fails.
    async fn quietly(&self, what: &str, requests: impl Future<Output = Checked>) -> Checked {
        self.trace.hide();
        requests.await?;
        self.trace.show(what);
        Ok(())
    }
}

impl From<ControlError> for Unkept {
    fn from(error: ControlError) -> Self {
        Self::Inconclusive(format!("the request could not be controlled: {error}"))
    }
}

fn shown(value: &[u8]) -> String {
    match value.len() {
        0..=32 => format!("\"{}\"", value.escape_ascii()),
        length => format!("\"{}\"... ({length} bytes)", value[..24].escape_ascii()),
    }
}

fn shown_or_none(value: Option<&Bytes>) -> String {
    value.map_or_else(|| "no record".to_owned(), |value| shown(value))
}
