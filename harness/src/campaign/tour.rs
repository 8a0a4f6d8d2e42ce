//! Tours: runs of the models, driven against the node.

use std::time::Instant;

use dht_protocol::neo::monitor::Coverage;
use dht_reports::{Check, CheckResult, CheckStarted, Event, Observation, Verdict};

use super::finding::failure;
use super::stage::Stage;
use crate::certify::again;
use crate::certify::examiner::{Examiner, GONE};
use crate::reporter::Reporter;
use crate::tour::{TourRun, Tours, share};

/// The group of the report.
pub(crate) const TOUR: &str = "tour";
/// How many answer times a run may take.
const LIMIT: u32 = 12;

/// What a run is called.
pub(crate) fn id(run: &TourRun) -> String {
    format!("{TOUR}.{}", run.name)
}

/// Drives the node along the tours. What it went through is said with the last of them.
pub(crate) async fn run(examiner: &Examiner, reporter: &Reporter, tours: &Tours) {
    let timeout = examiner.options.target.timeout;
    let stage = Stage::new(&examiner.target, examiner.seed, timeout);
    let mut covered = Coverage::default();
    for (number, run) in tours.runs.iter().enumerate() {
        let id = id(run);
        reporter.event(&Event::CheckStarted(CheckStarted { id: id.clone() }));
        let begun = Instant::now();
        examiner.revive().await;
        let verdict = match examiner.is_gone() {
            true => Verdict::Inconclusive {
                reason: GONE.to_owned(),
            },
            false => play(examiner, &stage, run, &mut covered).await,
        };
        let is_last = number + 1 == tours.runs.len();
        let said = Observation {
            question: "How much of the requests' machines did the node go through?".to_owned(),
            answer: share(&covered, &tours.covers),
        };
        reporter.event(&Event::CheckFinished(CheckResult {
            check: Check {
                id,
                group: TOUR.to_owned(),
                title: format!("A run of the model: {}", run.about),
                requirements: Vec::new(),
                request: None,
                tags: vec!["model".to_owned()],
                subsumes: None,
            },
            verdict,
            duration: begun.elapsed(),
            dialect: is_last.then_some(said).into_iter().collect(),
        }));
    }
}

async fn play(
    examiner: &Examiner,
    stage: &Stage<'_>,
    run: &TourRun,
    covered: &mut Coverage,
) -> Verdict {
    let until = Instant::now() + LIMIT * examiner.options.target.timeout;
    let played = match stage.play(&run.case, until, true).await {
        Ok(played) => played,
        Err(error) => {
            let crash = examiner.crash(&run.name, Vec::new()).await;
            return crash.unwrap_or_else(|| Verdict::Inconclusive {
                reason: format!("no connection for it: {error}"),
            });
        }
    };
    covered.merge(&played.coverage);
    match played.fault {
        Some(fault) => {
            let again = again::again(&examiner.options, examiner.seed, &id(run)) + " --tour";
            failure(
                &fault,
                &run.case,
                played.exchange,
                "a run of a model",
                again,
            )
            .into()
        }
        None => Verdict::Kept,
    }
}
