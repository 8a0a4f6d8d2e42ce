//! Operations one after another through one client, each answer judged before the next operation.

use dht_requirements::{self as req, Requirement};
use std::time::{Duration, Instant};

use dht_client::Client;
use dht_model::{Model, NodeId, Operation};
use dht_protocol::HashRange;

use super::plan::Plan;
use crate::execute::Executor;
use crate::vigil::{self, Vigil};

/// What a run of operations came to.
#[derive(Debug)]
pub struct Judged {
    /// How many operations were done; fewer than were to be if one was answered wrongly or the time was up.
    pub done: u64,
    /// The operation whose answer is wrong, by its number, and why.
    pub refusal: Option<(usize, Wrong)>,
}

/// A wrong answer.
#[derive(Debug)]
pub struct Wrong {
    /// What was asked.
    pub operation: Operation,
    /// The rule that is broken.
    pub rule: &'static Requirement,
    /// What would have been right.
    pub allowed: String,
    /// What came, or why nothing did.
    pub observed: String,
}

/// Does `operations` on fresh channels whose names begin with `prefix`, until an answer is wrong or the
/// time is up. A GetAll may take as long as `patience`. `progress` is called now and then with the number
/// of operations done.
pub async fn run(
    client: &Client,
    settings: &Settings,
    prefix: &str,
    operations: impl IntoIterator<Item = Operation>,
    limit: Instant,
    mut progress: impl FnMut(u64),
) -> Judged {
    let mut model = Model::default();
    model.announce(NodeId(0), settings.range);
    let executor = Executor::new(client, prefix, settings.patience);
    let vigil = Vigil::new(client);
    let mut done = 0;
    for (number, operation) in operations.into_iter().enumerate() {
        let wrong = tokio::select! {
            biased;
            violation = vigil.violation() => Some((vigil::REQUIREMENT, "no violation of the protocol".to_owned(), violation)),
            answer = executor.execute(&operation) => match answer {
                Ok(answer) => model.observe(&operation, &answer).err().map(|refusal| {
                    (refusal.rule, refusal.allowed.to_string(), refusal.reason)
                }),
                Err(reason) => Some((&req::REQ_ANSWERED, model.allowed(&operation).to_string(), reason)),
            },
        };
        done += 1;
        if let Some((rule, allowed, observed)) = wrong {
            let wrong = Wrong {
                operation,
                rule,
                allowed,
                observed,
            };
            return Judged {
                done,
                refusal: Some((number, wrong)),
            };
        }
        if done % 256 == 0 {
            progress(done);
        }
        if Instant::now() >= limit {
            break;
        }
    }
    Judged {
        done,
        refusal: None,
    }
}

/// What a random run is to do.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Determines the operations.
    pub seed: u64,
    /// How many of them.
    pub operations: u64,
    /// How long a GetAll may take.
    pub patience: Duration,
    /// May the client remove channels?
    pub may_remove_channels: bool,
    /// The node's range.
    pub range: HashRange,
}

impl Settings {
    /// The operations, one at a time, without end.
    pub fn operations_of_seed(&self) -> Plan {
        let range = self.range;
        Plan::new(
            self.seed,
            move |number| range.nth_key(number),
            self.may_remove_channels,
        )
    }
}
