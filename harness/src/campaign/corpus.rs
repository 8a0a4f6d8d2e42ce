//! Failures that were kept, run again: each is a check of its own.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use dht_reports::{CheckResult, CheckStarted, Event, Verdict};
use dht_workload::corpus::{CorpusError, Kept, files};

use super::finding::{described_case, failure};
use super::stage::{NO_LEGACY, Stage};
use crate::certify::again;
use crate::certify::examiner::{Examiner, GONE};
use crate::reporter::Reporter;

/// How often a case that did not always fail is run: one that fails nine times of ten is caught for sure.
const REPETITIONS: usize = 10;
/// How many answer times a case may take.
const LIMIT: u32 = 12;

/// A file of the corpus.
#[derive(Debug)]
pub struct File {
    path: PathBuf,
    kept: Kept,
}

/// The files at `path`, which is one or a folder of them. A folder that is not there has none.
pub fn load(path: &Path) -> Result<Vec<File>, CorpusError> {
    if !path.exists() && path.extension().is_none() {
        return Ok(Vec::new());
    }
    let read = |path: PathBuf| {
        let kept = Kept::read(&path)?;
        Ok(File { path, kept })
    };
    files(path)?.into_iter().map(read).collect()
}

impl File {
    /// What the check is called: the name of the file.
    pub(crate) fn name(&self) -> String {
        let stem = self.path.file_stem().unwrap_or_default();
        stem.to_string_lossy().into_owned()
    }

    /// What is kept in it.
    pub(crate) fn kept(&self) -> &Kept {
        &self.kept
    }
}

/// Runs files one after another and reports what came of each.
pub(crate) async fn run(examiner: &Examiner, reporter: &Reporter, files: &[File]) {
    let timeout = examiner.options.target.timeout;
    let stage = Stage::new(&examiner.target, examiner.seed, timeout);
    for file in files {
        let check = described_case(&file.name(), &file.kept);
        let id = check.id.clone();
        reporter.event(&Event::CheckStarted(CheckStarted { id }));
        let begun = Instant::now();
        examiner.revive().await;
        let verdict = match examiner.is_gone() {
            true => Verdict::Inconclusive {
                reason: GONE.to_owned(),
            },
            false => verdict(examiner, &stage, file, LIMIT * timeout).await,
        };
        reporter.event(&Event::CheckFinished(CheckResult {
            check,
            verdict,
            duration: begun.elapsed(),
            dialect: Vec::new(),
        }));
    }
}

async fn verdict(examiner: &Examiner, stage: &Stage<'_>, file: &File, limit: Duration) -> Verdict {
    if !stage.can_play(&file.kept.case) {
        return Verdict::NotApplicable {
            reason: NO_LEGACY.to_owned(),
        };
    }
    let until = Instant::now() + limit;
    let always = file.kept.fails.is_none_or(|rate| rate.failed == rate.of);
    let runs = if always { 1 } else { REPETITIONS };
    for run in 1..=runs {
        let played = match stage.play(&file.kept.case, until, true).await {
            Ok(played) => played,
            Err(error) => {
                let crash = examiner.crash(&file.name(), Vec::new()).await;
                return crash.unwrap_or_else(|| Verdict::Inconclusive {
                    reason: format!("no connection for it: {error}"),
                });
            }
        };
        for note in &played.notes {
            // No verdict: whoever runs it may want to change the file.
            eprintln!("{}: {note}", file.path.display());
        }
        if let Some(fault) = played.fault {
            let again = again::replay(&examiner.options.target, &file.path);
            let note = match runs {
                1 => "a failure that was kept".to_owned(),
                _ => format!("a failure that was kept; run {run} of {runs}"),
            };
            return failure(&fault, &file.kept.case, played.exchange, &note, again).into();
        }
        if Instant::now() >= until {
            return Verdict::Inconclusive {
                reason: format!("not over within {} s", limit.as_secs_f32()),
            };
        }
    }
    Verdict::Kept
}
