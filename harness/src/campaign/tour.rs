//! Tours: runs of the models, driven against the node.

use std::pin::pin;
use std::time::Instant;

use dht_protocol::neo::monitor::Coverage;
use dht_reports::{Check, CheckResult, CheckStarted, Event, Observation, Verdict};
use futures_util::StreamExt;
use futures_util::stream;

use super::finding::failure;
use super::stage::Stage;
use crate::certify::again;
use crate::certify::examiner::{Examiner, GONE};
use crate::reporter::Reporter;
use crate::tour::{TourRun, Tours, share};

/// The group of the report.
pub(crate) const TOUR: &str = "tour";
/// How many runs go on at the same time.
const AT_A_TIME: usize = 16;
/// How many answer times a run may take.
const LIMIT: u32 = 12;

/// What a run is called.
pub(crate) fn id(run: &TourRun) -> String {
    format!("{TOUR}.{}", run.name)
}

/// Drives the node along the tours, several at a time: most of one is waiting. What the node went through is
/// said with the last of them.
pub(crate) async fn run(examiner: &Examiner, reporter: &Reporter, tours: &Tours) {
    examiner.revive().await;
    let stage = Stage::new(
        &examiner.target,
        examiner.seed,
        examiner.options.target.timeout,
    );
    let stage = &stage;
    let played = stream::iter(&tours.runs).map(|run| async move {
        let id = id(run);
        reporter.event(&Event::CheckStarted(CheckStarted { id }));
        let begun = Instant::now();
        let (verdict, covered) = match examiner.is_gone() {
            true => (inconclusive(GONE.to_owned()), Coverage::default()),
            false => play(examiner, stage, run).await,
        };
        (run, verdict, covered, begun.elapsed())
    });
    let mut played = pin!(played.buffer_unordered(AT_A_TIME));
    let (mut covered, mut left) = (Coverage::default(), tours.runs.len());
    while let Some((run, verdict, coverage, duration)) = played.next().await {
        covered.merge(&coverage);
        left -= 1;
        let said = Observation {
            question: "Covered of the requests' machines by tours".to_owned(),
            answer: share(&covered, &tours.covers),
        };
        reporter.event(&Event::CheckFinished(CheckResult {
            check: described(run),
            verdict,
            duration,
            dialect: (left == 0).then_some(said).into_iter().collect(),
        }));
    }
}

fn described(run: &TourRun) -> Check {
    Check {
        id: id(run),
        group: TOUR.to_owned(),
        title: format!("A run of the model: {}", run.about),
        requirements: Vec::new(),
        request: None,
        tags: vec!["model".to_owned()],
        subsumes: None,
    }
}

async fn play(examiner: &Examiner, stage: &Stage<'_>, run: &TourRun) -> (Verdict, Coverage) {
    let until = Instant::now() + LIMIT * examiner.options.target.timeout;
    let played = match stage.play(&run.case, until, true).await {
        Ok(played) => played,
        Err(error) => {
            let crash = examiner.crash(&run.name, Vec::new()).await;
            let unknown = || inconclusive(format!("no connection for it: {error}"));
            return (crash.unwrap_or_else(unknown), Coverage::default());
        }
    };
    let verdict = match played.fault {
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
    };
    (verdict, played.coverage)
}

fn inconclusive(reason: String) -> Verdict {
    Verdict::Inconclusive { reason }
}
