//! What a random case has found: made short, kept as a file, and put into a report's words.

use std::path::{Path, PathBuf};
use std::time::Instant;

use dht_reports::{Check, Direction, Failure, Line};
use dht_requirements as req;
use dht_workload::Case;
use dht_workload::corpus::{CorpusError, FORMAT, Found, Kept, Rate};
use dht_workload::judge::Fault;
use dht_workload::minimise::{Effort, Minimal};

use super::stage::Stage;
use crate::certify::described;
use crate::unkept::Outcome;

/// How often the smallest case is run once more to listen to its messages.
const LISTENING: usize = 10;

/// A failure that was found.
#[derive(Debug)]
pub(crate) struct Finding {
    /// What is kept of it.
    pub(crate) kept: Kept,
    /// What is wrong with it.
    pub(crate) fault: Fault,
    /// The messages of a run that failed.
    pub(crate) exchange: Vec<Line>,
    /// Where it was kept; or why it could not be.
    pub(crate) file: Result<PathBuf, CorpusError>,
}

impl Finding {
    /// Makes a failing case short, within the time, and keeps it in a folder. `best` is told the best so far,
    /// which is in the folder by then.
    pub(crate) async fn of(
        stage: &Stage<'_>,
        case: Case,
        fault: Fault,
        found: Found,
        folder: &Path,
        until: Instant,
        best: impl Fn(Self),
    ) -> Self {
        let mut last = None;
        let mut better = |case: &Case, fault: &Fault| {
            let kept = kept(case, fault, found.clone(), stage.bug());
            let file = kept.write(folder);
            replace(&mut last, file.as_ref().ok().cloned());
            best(Self {
                kept,
                fault: fault.clone(),
                exchange: Vec::new(),
                file,
            });
        };
        better(&case, &fault);
        let effort = match fault.requirement.id == req::ROBUST_SURVIVES.id && !stage.can_restart() {
            // There is nothing left to try it on.
            true => Effort {
                probes: 0,
                repetitions: 1,
            },
            false => Effort::default(),
        };
        let minimal = stage.minimise(&case, &fault, effort, until, better).await;
        let exchange = listen(stage, &minimal, until).await;
        let mut found = found;
        found.probes = minimal.probes;
        let mut kept = kept(&minimal.case, &minimal.fault, found, stage.bug());
        let (failed, of) = minimal.fails;
        // Probes for which there was no time say nothing.
        kept.fails = (Instant::now() < until).then_some(Rate { failed, of });
        kept.exchange = exchange.iter().map(text).collect();
        let file = kept.write(folder);
        replace(&mut last, file.as_ref().ok().cloned());
        Self {
            kept,
            fault: minimal.fault,
            exchange,
            file,
        }
    }
}

/// Another file took the place of the last one.
fn replace(last: &mut Option<PathBuf>, new: Option<PathBuf>) {
    if let Some(old) = last.as_ref()
        && new.is_some()
        && new != *last
    {
        // It only takes up room; the smaller case is there.
        let _ = std::fs::remove_file(old);
    }
    *last = new.or_else(|| last.take());
}

/// The messages of a run that fails as it should.
async fn listen(stage: &Stage<'_>, minimal: &Minimal, until: Instant) -> Vec<Line> {
    let mut exchange = Vec::new();
    for _ in 0..LISTENING {
        if Instant::now() >= until {
            break;
        }
        let Ok(played) = stage.play(&minimal.case, until, true).await else {
            break;
        };
        exchange = played.exchange;
        if played.fault.is_some() {
            break;
        }
    }
    exchange
}

fn kept(case: &Case, fault: &Fault, found: Found, bug: Option<String>) -> Kept {
    Kept {
        format: FORMAT,
        about: format!("Broken: {}", fault.requirement.sentence),
        requirement: fault.requirement.id.to_owned(),
        sent: fault.sent.clone(),
        allowed: fault.allowed.clone(),
        observed: fault.observed.clone(),
        fails: None,
        bug,
        found: Some(found),
        case: case.clone(),
        exchange: Vec::new(),
    }
}

/// A line of an exchange as it stands in a file.
fn text(line: &Line) -> String {
    let connection = line.connection.as_deref().unwrap_or("client");
    let text = &line.text;
    let said = match line.direction {
        Direction::ToNode => format!("{connection} -> node: {text}"),
        Direction::ToClient => format!("node -> {connection}: {text}"),
        Direction::Note => format!("({text})"),
    };
    match line.ms {
        Some(ms) => format!("{ms:>6} ms  {said}"),
        None => said,
    }
}

/// A failure in a report's words. `note` says how it was found.
pub(crate) fn failure(
    fault: &Fault,
    case: &Case,
    exchange: Vec<Line>,
    note: &str,
    again: String,
) -> Failure {
    Failure {
        requirement: described(fault.requirement),
        outcome: outcome(fault).key().to_owned(),
        sent: fault.sent.clone(),
        expected: vec![fault.allowed.clone()],
        observed: format!("{} ({note})", fault.observed),
        exchange,
        again,
        minimal: Some(case.to_string().lines().map(str::to_owned).collect()),
    }
}

fn outcome(fault: &Fault) -> Outcome {
    if fault.requirement.id == req::ROBUST_SURVIVES.id {
        return Outcome::Died;
    }
    match fault.requirement.id == req::REQ_ANSWERED.id {
        true => Outcome::Silence,
        false => Outcome::Data,
    }
}

/// A case of the corpus as reports know it.
pub(crate) fn described_case(name: &str, kept: &Kept) -> Check {
    Check {
        id: format!("corpus.{name}"),
        group: "corpus".to_owned(),
        title: kept.about.clone(),
        requirements: vec![kept.requirement.clone()],
        request: None,
        tags: Vec::new(),
        subsumes: None,
    }
}
