//! The random part of a run: operations one after another, judged by the model, and a failing run made short.

use std::sync::Arc;
use std::time::{Duration, Instant};

use dht_client::Client;
use dht_model::{HashRange, Operation};
use dht_reports::{CheckResult, Event, Failure, Line, Progress, Verdict, Workload};
use dht_requirements::{self as req, Requirement};
use tokio::time::timeout;

use super::again::again;
use super::examiner::{Examiner, GONE};
use super::{CHECK_LIMIT, described, remove_channels};
use crate::checks;
use crate::random::minimise::minimise;
use crate::random::sequential::{self, Judged, Settings, Wrong};
use crate::reporter::Reporter;
use crate::trace::Trace;
use crate::unkept::Outcome;

/// The name of the part in the report.
pub(super) const GROUP: &str = "random";
/// The id of its only check.
const SEQUENTIAL: &str = "random.sequential";
const TITLE: &str =
    "Random operations, one after another, are answered as the reference model allows.";
static REQUIREMENTS: [&Requirement; 14] = [
    &req::DATA_PUT_VISIBLE,
    &req::GET_VALUE_EXACT,
    &req::REMOVE_PRESENT,
    &req::REMOVE_GONE,
    &req::GETALL_COMPLETE,
    &req::GETALL_NO_DUPLICATE,
    &req::GETALL_VALUES,
    &req::GETALL_FILTER_ALL_MATCHING,
    &req::CHANNELS_COMPLETE,
    &req::CHANNELS_REAL,
    &req::DATA_GET_EXISTS_AGREE,
    &req::UPDATE_WRITE,
    &req::UPDATE_CONFLICT_KEEPS,
    &req::UPDATE_LEAVE_KEEPS,
];

/// How many answer times the part may take, and making a failing run of it short as well.
const LIMIT: u32 = 12;
/// How many operations say something of a node, if there is no time for all of them.
const ENOUGH: u64 = 1000;

/// The part's line in `dhtcheck list`.
pub fn line() -> String {
    format!(
        "{SEQUENTIAL:<28} {GROUP:<9} {TITLE}  [{}]",
        REQUIREMENTS.map(|requirement| requirement.id).join(" ")
    )
}

/// Does `filter` choose it?
pub fn is_chosen(filter: Option<&str>) -> bool {
    checks::chooses(filter, SEQUENTIAL, &line())
}

/// Random operations on a node.
#[derive(Clone, Copy, Debug)]
pub(super) struct RandomPart<'a> {
    pub(super) examiner: &'a Examiner,
    pub(super) reporter: &'a Reporter,
}

impl RandomPart<'_> {
    /// Does them and reports what came of it.
    pub(super) async fn run(self) {
        let begun = Instant::now();
        let (operations, verdict) = self.operations(begun).await;
        self.reporter.event(&Event::CheckFinished(CheckResult {
            check: described_check(),
            verdict,
            duration: begun.elapsed(),
            dialect: Vec::new(),
        }));
        self.reporter.event(&Event::RandomFinished(Workload {
            group: GROUP.to_owned(),
            operations,
            clients: 1,
            faults: 0,
            duration: begun.elapsed(),
        }));
    }

    /// How many operations were done, and what they say of the node.
    async fn operations(self, begun: Instant) -> (u64, Verdict) {
        let settings = self.settings();
        let inconclusive = |reason| (0, Verdict::Inconclusive { reason });
        if settings.range == HashRange::EMPTY {
            let reason = "the node's range is empty: there are no keys".to_owned();
            return (0, Verdict::NotApplicable { reason });
        }
        if self.examiner.is_gone() {
            return inconclusive(GONE.to_owned());
        }
        let client = self.examiner.target.client(self.timeout(), None);
        if let Err(error) = client.ready(self.timeout()).await {
            return inconclusive(format!("no connection for it: {error}"));
        }
        let limit = self.examiner.options.budget;
        let limit = limit.unwrap_or(LIMIT * self.timeout());
        let judged = self.judge(&client, &settings, begun, limit).await;
        client.shutdown();
        let verdict = match judged.refusal {
            None if judged.done < settings.operations.min(ENOUGH) => Verdict::Inconclusive {
                reason: format!(
                    "only {} operations in {} s",
                    judged.done,
                    limit.as_secs_f32()
                ),
            },
            None => Verdict::Kept,
            Some((number, wrong)) => match self.examiner.crash(SEQUENTIAL, Vec::new()).await {
                Some(crash) => crash,
                None => self.explain(&settings, number, wrong).await,
            },
        };
        (judged.done, verdict)
    }

    /// Does the operations of the run's seed, and removes what they leave.
    async fn judge(
        self,
        client: &Client,
        settings: &Settings,
        begun: Instant,
        limit: Duration,
    ) -> Judged {
        let prefix = format!("dhtcheck_{:x}_random_", self.examiner.seed);
        let count = usize::try_from(settings.operations).unwrap_or(usize::MAX);
        let operations = settings.operations_of_seed().take(count);
        let progress = |operations| {
            self.reporter.event(&Event::Progress(Progress {
                group: GROUP.to_owned(),
                operations,
                elapsed: begun.elapsed(),
                budget: None,
            }));
        };
        let until = begun + limit;
        let judged = sequential::run(client, settings, &prefix, operations, until, progress).await;
        let _ = timeout(self.timeout(), remove_channels(client, &prefix)).await;
        judged
    }

    /// Makes a failing run short and shows its messages.
    async fn explain(self, settings: &Settings, number: usize, wrong: Wrong) -> Verdict {
        let operations: Vec<_> = settings.operations_of_seed().take(number + 1).collect();
        let original = operations.clone();
        let mut probe_number = 0;
        let mut last: Option<(Wrong, Vec<Line>)> = None;
        let limit = Instant::now() + LIMIT * self.timeout();
        let (minimal, probes) = minimise(operations, async |candidate: &[Operation]| {
            probe_number += 1;
            match self.probe(settings, probe_number, candidate, limit).await {
                Some((at, wrong, lines)) => {
                    last = Some((wrong, lines));
                    Some(at)
                }
                None => None,
            }
        })
        .await;
        let reproduced = last.is_some();
        let (wrong, exchange) = last.unwrap_or((wrong, Vec::new()));
        let minimal = if reproduced { minimal } else { original };
        let mut observed = wrong.observed;
        observed.push_str(&match reproduced {
            true => format!(" (found at operation {}, {probes} probes)", number + 1),
            false => format!(
                " (at operation {}; repeating it did not fail again)",
                number + 1
            ),
        });
        let again = again(&self.examiner.options, self.examiner.seed, SEQUENTIAL);
        Failure {
            requirement: described(wrong.rule),
            outcome: Outcome::Data.key().to_owned(),
            sent: wrong.operation.to_string(),
            expected: vec![wrong.allowed],
            observed,
            exchange,
            again: format!("{again} --operations {}", number + 1),
            minimal: Some(minimal.iter().map(Operation::to_string).collect()),
        }
        .into()
    }

    /// Does these operations on fresh channels and a fresh connection. Which of them fails, if
    /// any, and how?
    async fn probe(
        self,
        settings: &Settings,
        number: u32,
        operations: &[Operation],
        limit: Instant,
    ) -> Option<(usize, Wrong, Vec<Line>)> {
        if Instant::now() >= limit {
            return None;
        }
        let trace = Arc::new(Trace::default());
        let target = &self.examiner.target;
        let client = target.client(self.timeout(), Some(trace.clone()));
        client.ready(self.timeout()).await.ok()?;
        let prefix = format!("dhtcheck_{:x}_probe{number}_", self.examiner.seed);
        let operations = operations.iter().cloned();
        let judged = sequential::run(&client, settings, &prefix, operations, limit, |_| {}).await;
        let lines = trace.lines();
        let _ = timeout(self.timeout(), remove_channels(&client, &prefix)).await;
        client.shutdown();
        judged.refusal.map(|(at, wrong)| (at, wrong, lines))
    }

    fn settings(self) -> Settings {
        Settings {
            seed: self.examiner.seed,
            operations: self.examiner.options.operations,
            patience: CHECK_LIMIT * self.timeout(),
            may_remove_channels: self.examiner.target.may_remove_channels(),
            range: self.examiner.target.range(),
        }
    }

    fn timeout(self) -> Duration {
        self.examiner.options.timeout
    }
}

fn described_check() -> dht_reports::Check {
    dht_reports::Check {
        id: SEQUENTIAL.to_owned(),
        group: GROUP.to_owned(),
        title: TITLE.to_owned(),
        requirements: REQUIREMENTS
            .map(|requirement| requirement.id.to_owned())
            .to_vec(),
        request: None,
        tags: Vec::new(),
        subsumes: None,
    }
}
