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

pub use streams::Delivery;

use std::ops::Deref;

use bytes::Bytes;
use dht_client::{Client, RequestError};
use dht_protocol::neo::request::Failure;
use dht_requirements::{self as req, Requirement};

use super::{Ground, Running};
use crate::target::Target;
use crate::unkept::{Checked, Outcome, Unkept, broken};
use crate::vigil::{self, Vigil};
use crate::wire::quoted;

/// How many requests a sentinel makes.
const SENTINEL: u64 = 20;

/// What a check that goes through the client runs in. It stands on its [`Ground`].
#[derive(Debug)]
pub struct Context<'a> {
    ground: &'a Ground,
    client: Client,
    vigil: Vigil,
}

impl Deref for Context<'_> {
    type Target = Ground;

    fn deref(&self) -> &Ground {
        self.ground
    }
}

impl<'a> Context<'a> {
    /// Connects to the node of `target`.
    pub async fn connect(target: &Target, ground: &'a Ground) -> Checked<Self> {
        ground.need_keys()?;
        let client = target.client(ground.patience(), Some(ground.trace().clone()));
        client.ready(ground.patience()).await.map_err(|error| {
            let expected = ["the connection is accepted and the hash range told"];
            let sent = "version, authentication, GetHashRange";
            let (rule, outcome) = (&req::RANGE_ANSWER, Outcome::Answer);
            broken(rule, outcome, sent, &expected, error.to_string())
        })?;
        Ok(Self {
            vigil: Vigil::new(&client),
            client,
            ground,
        })
    }

    /// Disconnects. What the check has left on the node is removed at the end of the run.
    pub fn close(self) {
        self.client.shutdown();
    }

    /// Runs the check, unless the node breaks the protocol meanwhile.
    pub async fn run(&self, check: Running<'_>) -> Checked {
        tokio::select! {
            biased;
            violation = self.vigil.violation() => {
                let expected = ["messages of the protocol"];
                let sent = "the requests of this check";
                Err(broken(vigil::REQUIREMENT, Outcome::Answer, sent, &expected, violation))
            }
            checked = self.run_to_the_end(check) => checked,
        }
    }

    /// What the node says last must be right as well: a further answer comes behind it.
    async fn run_to_the_end(&self, check: Running<'_>) -> Checked {
        check.await?;
        let channel = self.channel("sentinel");
        let exists = self.client.exists(channel, self.key(0)).await;
        exists.map_err(|error| {
            self.failed(&req::REQ_ANSWERED, "Exists (sentinel)", "NoRecord", error)
        })?;
        match self.vigil.found() {
            // The vigil says what.
            true => std::future::pending().await,
            false => Ok(()),
        }
    }

    /// Breaks the connection; the client connects again.
    pub fn reconnect(&self) {
        self.client.reconnect();
    }

    /// A failure where `expected` was due.
    fn failed(
        &self,
        requirement: &'static Requirement,
        sent: &str,
        expected: &str,
        error: RequestError,
    ) -> Unkept {
        let (requirement, outcome) = match error {
            RequestError::Failed(Failure::TimedOut) => (&req::REQ_ANSWERED, Outcome::Silence),
            RequestError::Failed(Failure::Disconnected { .. }) => {
                (&req::REQ_ANSWERED, Outcome::Closed)
            }
            _ => (requirement, Outcome::Answer),
        };
        let observed = match error {
            RequestError::Failed(Failure::TimedOut) => {
                format!("no answer within {} s", self.patience().as_secs_f32())
            }
            error => error.to_string(),
        };
        broken(requirement, outcome, sent, &[expected], observed)
    }

    /// Requests on the same connection that are answered one after another: what the node had to say
    /// before them, it has said by then.
    pub async fn sentinel(&self) -> Checked {
        let exists = async {
            for _ in 0..SENTINEL {
                let channel = self.channel("sentinel");
                let exists = self.client.exists(channel, self.key(0)).await;
                exists.map_err(|error| {
                    self.failed(&req::REQ_ANSWERED, "Exists (sentinel)", "NoRecord", error)
                })?;
            }
            Ok(())
        };
        self.quietly(&format!("{SENTINEL} Exists, all answered"), exists)
            .await
    }

    /// Makes requests that are not what the check is about: they are shown only if one of them fails.
    async fn quietly(&self, what: &str, requests: impl Future<Output = Checked>) -> Checked {
        self.trace().hide();
        requests.await?;
        self.trace().show(what);
        Ok(())
    }
}

fn shown_or_none(value: Option<&Bytes>) -> String {
    value.map_or_else(|| "no record".to_owned(), |value| quoted(value))
}
